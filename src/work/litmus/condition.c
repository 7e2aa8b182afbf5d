/* src/work/litmus/condition.c - what follows the code: locations, filter, exists, ~exists, forall; and judging. */
#include "src/work/litmus/scan.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 100 };

static const struct lit_prop *parse_or(struct parse *p, unsigned depth);

static const struct lit_prop *join(struct parse *p, enum lit_prop_kind kind, const struct lit_prop *left, const struct lit_prop *right)
{
    struct lit_prop *node = ARENA_ONE(p->scan.arena, struct lit_prop);
    *node = (struct lit_prop){ .kind = (uint8_t)kind, .left = left, .right = right };
    return node;
}

static const struct lit_prop *parse_atom(struct parse *p)
{
    struct scan *s = &p->scan;
    struct lit_location l;
    uint64_t value;
    if (scan_word_is(s, "true"))
        return join(p, LIT_TRUE, NULL, NULL);
    if (scan_word_is(s, "false"))
        return join(p, LIT_NOT_PROP, join(p, LIT_TRUE, NULL, NULL), NULL);
    if (!parse_location(p, &l))
        return NULL;
    bool differs = scan_accept(s, "<>") || scan_accept(s, "!=");
    if (!differs && !scan_accept(s, "=")) {
        scan_unexpected(s, "'=' and a value");
        return NULL;
    }
    if (!parse_value(p, &value))
        return NULL;
    if (!l.is_var)
        p->named[l.thread] |= 1u << l.reg;
    struct lit_prop *node = ARENA_ONE(s->arena, struct lit_prop);
    *node = (struct lit_prop){ .kind = LIT_ATOM, .differs = differs, .is_var = l.is_var, .thread = l.thread, .reg = l.reg,
                               .var = l.var, .bytes = l.bytes, .value = value };
    return node;
}

static const struct lit_prop *parse_not(struct parse *p, unsigned depth)
{
    struct scan *s = &p->scan;
    if (depth > DEPTH_MAX) {
        scan_error(s, s->at, NULL, "more than %d levels of parentheses", DEPTH_MAX);
        return NULL;
    }
    if (scan_accept(s, "~") || scan_word_is(s, "not")) {
        const struct lit_prop *inner = parse_not(p, depth + 1);
        return inner ? join(p, LIT_NOT_PROP, inner, NULL) : NULL;
    }
    if (!scan_accept(s, "("))
        return parse_atom(p);
    const struct lit_prop *inner = parse_or(p, depth + 1);
    if (inner && !scan_accept(s, ")")) {
        scan_unexpected(s, "'/\\', '\\/' or ')'");
        return NULL;
    }
    return inner;
}

static const struct lit_prop *parse_and(struct parse *p, unsigned depth)
{
    const struct lit_prop *left = parse_not(p, depth);
    while (left && scan_accept(&p->scan, "/\\")) {
        const struct lit_prop *right = parse_not(p, depth);
        left = right ? join(p, LIT_AND_PROP, left, right) : NULL;
    }
    return left;
}

static const struct lit_prop *parse_or(struct parse *p, unsigned depth)
{
    const struct lit_prop *left = parse_and(p, depth);
    while (left && scan_accept(&p->scan, "\\/")) {
        const struct lit_prop *right = parse_and(p, depth);
        left = right ? join(p, LIT_OR_PROP, left, right) : NULL;
    }
    return left;
}

static bool parse_locations(struct parse *p)
{
    struct scan *s = &p->scan;
    struct lit_location l;
    if (!scan_accept(s, "["))
        return scan_unexpected(s, "'[' and locations");
    for (;;) {
        while (scan_accept(s, ";"))
            ;
        if (scan_accept(s, "]"))
            return true;
        if (!parse_location(p, &l))
            return false;
        if (!l.is_var)
            p->named[l.thread] |= 1u << l.reg;
        scan_space(s);
        if (s->text[s->at] != ';' && s->text[s->at] != ']')
            return scan_unexpected(s, "';' or ']'");
    }
}

/* The text with runs of space as one. */
static const char *squeezed(struct parse *p, size_t begin, size_t end)
{
    char *text = arena_alloc(p->scan.arena, end - begin + 1, 1), *out = text;
    for (size_t i = begin; i < end; i++) {
        char c = p->scan.text[i];
        if (!isspace((unsigned char)c))
            *out++ = c;
        else if (out > text && out[-1] != ' ')
            *out++ = ' ';
    }
    if (out > text && out[-1] == ' ')
        out--;
    *out = 0;
    return text;
}

static bool parse_quantifier(struct parse *p)
{
    struct scan *s = &p->scan;
    if (scan_accept(s, "~") || scan_word_is(s, "not")) {
        p->test->quantifier = LIT_NOT_EXISTS;
        return scan_word_is(s, "exists") || scan_unexpected(s, "exists");
    }
    if (scan_word_is(s, "exists"))
        p->test->quantifier = LIT_EXISTS;
    else if (scan_word_is(s, "forall"))
        p->test->quantifier = LIT_FORALL;
    else
        return scan_unexpected(s, "exists, ~exists or forall");
    return true;
}

bool parse_conditions(struct parse *p)
{
    struct scan *s = &p->scan;
    struct litmus_test *t = p->test;
    for (;;) {
        if (scan_word_is(s, "locations")) {
            if (!parse_locations(p))
                return false;
        } else if (scan_word_is(s, "filter")) {
            if (!(t->filter = parse_or(p, 0)))
                return false;
        } else {
            break;
        }
    }
    scan_space(s);
    size_t begin = s->at;
    if (!parse_quantifier(p) || !(t->condition = parse_or(p, 0)))
        return false;
    t->condition_text = squeezed(p, begin, s->at);
    scan_accept(s, ";");
    return scan_at_end(s) || scan_unexpected(s, "the end of the file");
}

/* ---- judging final states */

/* A full register also equals a negative constant of 32 bits: a 32-bit write clears the upper half. */
static bool atom_holds(const struct lit_prop *a, uint64_t v)
{
    bool equal = lit_low(v, a->bytes) == lit_low(a->value, a->bytes);
    if (!a->is_var && a->bytes == 8 && (int64_t)a->value < 0 && v <= UINT32_MAX)
        equal |= v == lit_low(a->value, 4);
    return equal != a->differs;
}

bool litmus_holds(const struct litmus_test *t, const struct lit_prop *p, const uint64_t *values)
{
    switch ((enum lit_prop_kind)p->kind) {
    case LIT_TRUE: return true;
    case LIT_ATOM: return atom_holds(p, values[p->observed]);
    case LIT_AND_PROP: return litmus_holds(t, p->left, values) && litmus_holds(t, p->right, values);
    case LIT_OR_PROP: return litmus_holds(t, p->left, values) || litmus_holds(t, p->right, values);
    case LIT_NOT_PROP: return !litmus_holds(t, p->left, values);
    }
    return false;
}

bool litmus_filtered(const struct litmus_test *t, const uint64_t *values)
{
    return t->filter && !litmus_holds(t, t->filter, values);
}

static int64_t sign_extended(uint64_t v, unsigned bytes)
{
    unsigned shift = 64 - bytes * 8;
    return (int64_t)(v << shift) >> shift;
}

static int value_text(const struct litmus_test *t, const struct lit_observed *o, uint64_t v, char *out, size_t room)
{
    for (unsigned i = 0; i < t->var_count; i++)
        if (v == lit_address(i))
            return snprintf(out, room, "%s=%s; ", o->name, t->vars[i].name);
    unsigned bytes = o->is_var ? t->vars[o->var].bytes : t->is_64 ? 8 : 4;
    if (o->is_var && !t->vars[o->var].is_signed)
        return snprintf(out, room, "%s=%" PRIu64 "; ", o->name, v);
    return snprintf(out, room, "%s=%" PRId64 "; ", o->name, sign_extended(v, bytes));
}

const char *litmus_state_text(const struct litmus_test *t, const uint64_t *values, char buffer[LIT_STATE_BYTES])
{
    size_t used = 0;
    buffer[0] = 0;
    for (unsigned i = 0; i < t->observed_count && used < LIT_STATE_BYTES - 1; i++)
        used += (size_t)value_text(t, &t->observed[i], values[i], buffer + used, LIT_STATE_BYTES - used);
    size_t n = strlen(buffer);
    if (n && buffer[n - 1] == ' ')
        buffer[n - 1] = 0;
    return buffer;
}
