/* src/work/litmus/init.c - the initial state: { x=0; uint64_t y=1; 0:rax=x; } */
#include "src/work/litmus/scan.h"

#include <string.h>

static const struct { const char *name; uint8_t bytes; bool is_signed; } types[] = {
    { "int", 4, true },     { "char", 1, true },      { "short", 2, true },     { "long", 8, true },
    { "int8_t", 1, true },  { "int16_t", 2, true },   { "int32_t", 4, true },   { "int64_t", 8, true },
    { "uint8_t", 1, false }, { "uint16_t", 2, false }, { "uint32_t", 4, false }, { "uint64_t", 8, false },
    { "intptr_t", 8, true }, { "uintptr_t", 8, false },
};
enum { TYPES = sizeof types / sizeof *types };

static int type_find(const char *name, size_t n)
{
    for (int i = 0; i < TYPES; i++)
        if (strlen(types[i].name) == n && strncmp(types[i].name, name, n) == 0)
            return i;
    return -1;
}

struct type { uint8_t bytes; bool is_signed; };

/* A type is a word before another word, '*', '[' or a thread's number. bytes 0: there is none. */
static bool parse_type(struct scan *s, struct type *type)
{
    size_t before = s->at, n;
    *type = (struct type){ 0, true };
    while (scan_word_is(s, "volatile") || scan_word_is(s, "const"))
        before = s->at;
    scan_space(s);
    size_t at = s->at;
    const char *name = scan_name(s, &n);
    if (!name)
        return true;
    scan_space(s);
    if (strchr("=;}", s->text[s->at]) || s->at >= s->end) { /* the word was a variable */
        s->at = before;
        return true;
    }
    int found = type_find(name, n);
    if (found < 0)
        return scan_error(s, at, "Types are int, char, short, long and those of stdint.h, and pointers.", "this is no type that is understood");
    *type = (struct type){ types[found].bytes, types[found].is_signed };
    if (scan_accept(s, "*"))
        *type = (struct type){ 8, false };
    return true;
}

static bool parse_entry(struct parse *p)
{
    struct scan *s = &p->scan;
    struct type type;
    struct lit_location l;
    uint64_t value = 0;
    if (!parse_type(s, &type))
        return false;
    scan_accept(s, "*"); /* *x: the same as [x] */
    scan_space(s);
    size_t at = s->at;
    if (!parse_location(p, &l))
        return false;
    if (scan_accept(s, "=")) {
        if (!parse_value(p, &value))
            return false;
    } else if (!type.bytes) {
        return scan_unexpected(s, "'=' and a value");
    }
    if (!l.is_var) {
        p->test->threads[l.thread].initial[l.reg] = lit_low(value, l.bytes);
        return true;
    }
    struct lit_var *v = &p->test->vars[l.var];
    if (type.bytes && v->declared)
        return scan_error(s, at, NULL, "%s has a type already", v->name);
    if (type.bytes) {
        v->declared = true;
        v->bytes = type.bytes;
        v->is_signed = type.is_signed;
    }
    v->initial = value;
    return true;
}

bool parse_initial(struct parse *p)
{
    struct scan *s = &p->scan;
    for (;;) {
        while (scan_accept(s, ";"))
            ;
        if (scan_accept(s, "}"))
            return true;
        if (scan_at_end(s))
            return scan_error(s, s->at, NULL, "the initial state does not end: no '}'");
        if (!parse_entry(p))
            return false;
        if (!scan_at_end(s) && s->text[s->at] != ';' && s->text[s->at] != '}')
            return scan_unexpected(s, "';' or '}'");
    }
}
