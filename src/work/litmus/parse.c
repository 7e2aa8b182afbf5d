/* src/work/litmus/parse.c - a litmus file as a whole: header, locations, sizes of variables, what is observed. */
#include "src/base/fail.h"
#include "src/work/litmus/scan.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- variables and locations */

int parse_var(struct parse *p, size_t at, const char *name, size_t n)
{
    struct litmus_test *t = p->test;
    for (unsigned i = 0; i < t->var_count; i++)
        if (strlen(t->vars[i].name) == n && strncmp(t->vars[i].name, name, n) == 0)
            return (int)i;
    if (t->var_count == LIT_VARS_MAX) {
        scan_error(&p->scan, at, NULL, "more than %d variables", LIT_VARS_MAX);
        return -1;
    }
    t->vars[t->var_count] = (struct lit_var){ .name = arena_printf(p->scan.arena, "%.*s", (int)n, name), .is_signed = true };
    return (int)t->var_count++;
}

static bool register_location(struct parse *p, struct lit_location *l)
{
    struct scan *s = &p->scan;
    int64_t thread;
    size_t at = s->at, thread_at = at, n;
    if (!scan_number(s, &thread))
        return false;
    if (thread < 0 || thread >= LIT_THREADS_MAX)
        return scan_error(s, at, NULL, "threads are numbered 0 to %d", LIT_THREADS_MAX - 1);
    if (!scan_accept(s, ":"))
        return scan_unexpected(s, "':' and a register");
    scan_accept(s, "%");
    scan_space(s);
    at = s->at;
    const char *name = scan_name(s, &n);
    int reg = name ? lit_reg_find(name, n, &l->bytes) : -1;
    if (reg < 0)
        return scan_error(s, at, "General registers are EAX, EBX, ... and rax, rbx, ..., r15, in all their widths.",
                          "a register expected");
    l->is_var = false;
    l->thread = (uint8_t)thread;
    p->threads_named |= 1u << thread;
    p->thread_named_at[thread] = thread_at;
    l->reg = (uint8_t)reg;
    return true;
}

bool parse_location(struct parse *p, struct lit_location *l)
{
    struct scan *s = &p->scan;
    size_t n;
    *l = (struct lit_location){ .is_var = true };
    if (scan_number_next(s))
        return register_location(p, l);
    bool bracket = scan_accept(s, "[");
    scan_space(s);
    size_t at = s->at;
    const char *name = scan_name(s, &n);
    if (!name)
        return scan_unexpected(s, "a variable, [variable] or thread:register");
    int var = parse_var(p, at, name, n);
    if (var < 0)
        return false;
    l->var = (uint8_t)var;
    if (bracket && !scan_accept(s, "]"))
        return scan_unexpected(s, "']'");
    if (!bracket && scan_accept(s, "["))
        return scan_error(s, at, NULL, "arrays are not understood");
    return true;
}

bool parse_value(struct parse *p, uint64_t *value)
{
    struct scan *s = &p->scan;
    size_t n;
    if (scan_number_next(s)) {
        int64_t v;
        bool good = scan_number(s, &v);
        *value = good ? (uint64_t)v : 0;
        return good;
    }
    bool bracket = scan_accept(s, "[");
    scan_accept(s, "&");
    scan_space(s);
    size_t at = s->at;
    const char *name = scan_name(s, &n);
    if (bracket || !name)
        return scan_unexpected(s, "a number or a variable (its address)");
    int var = parse_var(p, at, name, n);
    *value = var < 0 ? 0 : lit_address((unsigned)var);
    return var >= 0;
}

/* ---- header: architecture, name, then lines of information up to '{' */

static bool parse_architecture(struct parse *p)
{
    struct scan *s = &p->scan;
    size_t n;
    scan_space(s);
    size_t at = s->at;
    const char *word = scan_name(s, &n);
    bool is_32 = word && n == 3 && strncmp(word, "X86", n) == 0;
    p->test->is_64 = word && n == 6 && strncmp(word, "X86_64", n) == 0;
    if (!is_32 && !p->test->is_64)
        return scan_error(s, at, "A test begins with its architecture and name, such as: X86_64 SB", "X86 or X86_64 expected");
    size_t begin = s->at, end = s->at;
    while (end < s->end && s->text[end] != '\n')
        end++;
    s->at = end;
    while (begin < end && isspace((unsigned char)s->text[begin]))
        begin++;
    while (end > begin && isspace((unsigned char)s->text[end - 1]))
        end--;
    p->test->name = arena_printf(s->arena, "%.*s", (int)(end - begin), s->text + begin);
    return end > begin || scan_error(s, at, NULL, "the test has no name");
}

static bool skip_information(struct scan *s)
{
    size_t at = s->at, n;
    if (s->text[at] == '"') {
        const char *quote = memchr(s->text + at + 1, '"', s->end - at - 1);
        if (!quote)
            return scan_error(s, at, NULL, "this text does not end");
        s->at = (size_t)(quote - s->text) + 1;
        return true;
    }
    const char *key = scan_name(s, &n);
    if (!key || !scan_accept(s, "=")) {
        s->at = at;
        return scan_unexpected(s, "\"text\", Key=value or '{' with the initial state");
    }
    while (s->at < s->end && s->text[s->at] != '\n')
        s->at++;
    return true;
}

static bool parse_header(struct parse *p)
{
    struct scan *s = &p->scan;
    if (!parse_architecture(p))
        return false;
    while (!scan_accept(s, "{")) {
        if (scan_at_end(s))
            return scan_error(s, s->at, "After name and information comes { x=0; ... }.", "no initial state");
        if (!skip_information(s))
            return false;
    }
    return true;
}

/* ---- what follows from the whole */

static bool is_size(unsigned n) { return n == 1 || n == 2 || n == 4 || n == 8; }

static bool static_access(struct parse *p, struct lit_var *v, const struct lit_operand *o, unsigned bytes, const struct lit_ins *ins)
{
    uint64_t end = (uint64_t)o->value + bytes;
    if (o->value < 0 || (uint64_t)o->value % bytes || end > 8 || (v->declared && end > v->bytes)) {
        diag_error(p->scan.diag, ins->at, NULL, "An access is aligned and within its variable; without a type, a variable has 4 "
                   "bytes or as many as are accessed.", "%u bytes at offset %" PRId64 " of %s, which has %u", bytes, o->value, v->name, v->bytes);
        return false;
    }
    while (v->bytes < end)
        v->bytes = (uint8_t)(v->bytes * 2);
    return true;
}

/* Calls once for each operand in memory. */
static bool each_access(struct parse *p, bool (*fn)(struct parse *, unsigned thread, const struct lit_ins *, const struct lit_operand *,
                                                   unsigned bytes))
{
    bool good = true;
    for (unsigned t = 0; t < p->test->thread_count; t++)
        for (unsigned i = 0; i < p->test->threads[t].count; i++) {
            const struct lit_ins *ins = &p->test->threads[t].code[i];
            if (ins->dst.kind == LIT_VAR || ins->dst.kind == LIT_INDIRECT)
                good &= fn(p, t, ins, &ins->dst, ins->bytes);
            if (ins->src.kind == LIT_VAR || ins->src.kind == LIT_INDIRECT)
                good &= fn(p, t, ins, &ins->src, ins->source_bytes ? ins->source_bytes : ins->bytes);
        }
    return good;
}

static bool touches_value(const struct lit_ins *i)
{
    return i->op != LIT_CLFLUSH && i->op != LIT_CLFLUSHOPT && i->op != LIT_PREFETCH && i->op != LIT_PREFETCHW;
}

static bool size_access(struct parse *p, unsigned thread, const struct lit_ins *ins, const struct lit_operand *o, unsigned bytes)
{
    (void)thread;
    if (!touches_value(ins))
        return true;
    if (o->kind == LIT_VAR)
        return static_access(p, &p->test->vars[o->var], o, bytes, ins);
    for (unsigned i = 0; i < p->test->var_count; i++)
        if (!p->test->vars[i].declared && p->test->vars[i].bytes < bytes)
            p->test->vars[i].bytes = (uint8_t)bytes;
    return true;
}

static bool writes_memory(const struct lit_ins *i, const struct lit_operand *o)
{
    return o == &i->dst && i->op != LIT_CMP && i->op != LIT_TEST && touches_value(i);
}

static bool note_access(struct parse *p, unsigned thread, const struct lit_ins *ins, const struct lit_operand *o, unsigned bytes)
{
    (void)bytes;
    struct lit_thread *t = &p->test->threads[thread];
    uint32_t which = o->kind == LIT_VAR ? 1u << o->var : (1u << LIT_VARS_MAX) - 1;
    if (!touches_value(ins))
        return true;
    if (ins->op != LIT_MOV || o == &ins->src)
        t->reads |= which;
    if (writes_memory(ins, o))
        t->writes |= which;
    return true;
}

/* Registers of the code: a bit for those that it writes and that are therefore part of the final state. */
static uint32_t written_registers(const struct lit_thread *t)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < t->count; i++) {
        const struct lit_ins *ins = &t->code[i];
        if (ins->dst.kind == LIT_REG && ins->op != LIT_CMP && ins->op != LIT_TEST)
            bits |= 1u << ins->dst.reg;
        if ((ins->op == LIT_XCHG || ins->op == LIT_XADD) && ins->src.kind == LIT_REG)
            bits |= 1u << ins->src.reg;
        if (ins->op == LIT_CMPXCHG)
            bits |= 1u << LIT_RAX;
    }
    return bits;
}

static uint32_t mentioned_registers(const struct lit_thread *t)
{
    uint32_t bits = written_registers(t);
    for (unsigned i = 0; i < t->count; i++) {
        const struct lit_operand *both[] = { &t->code[i].dst, &t->code[i].src };
        for (unsigned k = 0; k < 2; k++)
            if (both[k]->kind == LIT_REG || both[k]->kind == LIT_INDIRECT)
                bits |= 1u << both[k]->reg;
    }
    for (unsigned r = 0; r < LIT_REGS; r++)
        if (t->initial[r])
            bits |= 1u << r;
    return bits;
}

static int by_observed(const void *x, const void *y)
{
    const struct lit_observed *a = x, *b = y;
    if (a->is_var != b->is_var)
        return a->is_var ? 1 : -1;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    return strcmp(a->name, b->name);
}

static const char *observed_register_name(struct parse *p, unsigned thread, unsigned reg)
{
    char *name = arena_printf(p->scan.arena, "%u:%s", thread, lit_reg_name(reg, p->test->is_64 ? 8 : 4));
    for (char *c = name; *c && !p->test->is_64; c++)
        *c = (char)toupper((unsigned char)*c);
    return name;
}

static bool observe(struct parse *p)
{
    struct litmus_test *t = p->test;
    for (unsigned i = 0; i < t->thread_count; i++) {
        uint32_t bits = written_registers(&t->threads[i]) | p->named[i];
        t->threads[i].registers = mentioned_registers(&t->threads[i]) | p->named[i];
        for (unsigned r = 0; r < LIT_REGS; r++) {
            if (!(bits >> r & 1))
                continue;
            if (t->observed_count == LIT_OBSERVED_MAX - LIT_VARS_MAX)
                return scan_error(&p->scan, 0, NULL, "more than %d registers to observe", LIT_OBSERVED_MAX - LIT_VARS_MAX);
            t->observed[t->observed_count++] = (struct lit_observed){ .thread = (uint8_t)i, .reg = (uint8_t)r,
                                                                      .name = observed_register_name(p, i, r) };
        }
    }
    for (unsigned i = 0; i < t->var_count; i++)
        t->observed[t->observed_count++] = (struct lit_observed){ .is_var = true, .var = (uint8_t)i,
                                                                  .name = arena_printf(p->scan.arena, "[%s]", t->vars[i].name) };
    qsort(t->observed, t->observed_count, sizeof *t->observed, by_observed);
    return true;
}

static void link_prop(const struct litmus_test *t, struct lit_prop *prop)
{
    if (prop->left)
        link_prop(t, (struct lit_prop *)prop->left);
    if (prop->right)
        link_prop(t, (struct lit_prop *)prop->right);
    if (prop->kind != LIT_ATOM)
        return;
    if (prop->is_var)
        prop->bytes = t->vars[prop->var].bytes;
    for (unsigned i = 0; i < t->observed_count; i++) {
        const struct lit_observed *o = &t->observed[i];
        if (o->is_var == prop->is_var && (o->is_var ? o->var == prop->var : o->thread == prop->thread && o->reg == prop->reg))
            prop->observed = (uint8_t)i;
    }
}

static bool complete(struct parse *p)
{
    struct litmus_test *t = p->test;
    if (p->threads_named >> t->thread_count) {
        unsigned last = 31 - (unsigned)__builtin_clz(p->threads_named);
        return scan_error(&p->scan, p->thread_named_at[last], NULL, "there is no thread %u: the last is %u", last, t->thread_count - 1);
    }
    for (unsigned i = 0; i < t->var_count; i++)
        if (!t->vars[i].declared)
            t->vars[i].bytes = 4;
    if (!each_access(p, size_access) || !each_access(p, note_access) || !observe(p))
        return false;
    for (unsigned i = 0; i < t->var_count; i++) {
        CHECK(is_size(t->vars[i].bytes), "%s: variable of %u bytes", t->file, t->vars[i].bytes);
        t->vars[i].initial = lit_low(t->vars[i].initial, t->vars[i].bytes);
    }
    link_prop(t, (struct lit_prop *)t->condition);
    if (t->filter)
        link_prop(t, (struct lit_prop *)t->filter);
    return true;
}

/* ---- whole files */

struct litmus_test *litmus_parse(struct arena *arena, struct diag *diag, const char *file, const char *text, size_t bytes)
{
    struct parse *p = ARENA_ONE(arena, struct parse);
    p->test = ARENA_ONE(arena, struct litmus_test);
    p->test->file = file;
    p->scan = (struct scan){ .arena = arena, .diag = diag, .file = file, .text = arena_alloc(arena, bytes + 1, 1), .size = bytes, .end = bytes };
    memcpy(p->scan.text, text, bytes);
    if (memchr(text, 0, bytes)) {
        scan_error(&p->scan, (size_t)((const char *)memchr(text, 0, bytes) - text), NULL, "this is no text: it holds a zero byte");
        return NULL;
    }
    bool good = scan_strip_comments(&p->scan) && parse_header(p) && parse_initial(p) && parse_code(p) && parse_conditions(p) &&
                complete(p);
    return good ? p->test : NULL;
}

struct litmus_test *litmus_read(struct arena *arena, struct diag *diag, const char *file)
{
    FILE *f = fopen(file, "rb");
    struct origin whole = { .file = file };
    struct litmus_test *test = NULL;
    if (!f) {
        diag_error(diag, whole, NULL, NULL, "cannot be read: %s", strerror(errno));
        return NULL;
    }
    char *text = malloc(LIT_FILE_MAX_BYTES + 1);
    CHECK_MEMORY(text, "out of host memory for a litmus test");
    size_t n = fread(text, 1, LIT_FILE_MAX_BYTES + 1, f);
    if (ferror(f))
        diag_error(diag, whole, NULL, NULL, "cannot be read: %s", strerror(errno));
    else if (n > LIT_FILE_MAX_BYTES)
        diag_error(diag, whole, NULL, "A litmus test has at most 1 MiB.", "is too large");
    else
        test = litmus_parse(arena, diag, file, text, n);
    fclose(f);
    free(text);
    return test;
}
