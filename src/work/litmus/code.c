/* src/work/litmus/code.c - the table of columns: header, rows, labels and where jumps go. */
#include "src/work/litmus/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LABELS_MAX = 64 };
struct label { unsigned thread, index; const char *name; };
struct labels { struct label defined[LABELS_MAX], used[LABELS_MAX]; size_t used_at[LABELS_MAX]; unsigned defined_count, used_count; };

/* Sets scan.end to the end of the next cell; false at an error. *last: it ends its row. */
static bool next_cell(struct scan *s, size_t file_end, bool *last)
{
    size_t at = s->at;
    while (at < file_end && s->text[at] != '|' && s->text[at] != ';')
        at++;
    if (at == file_end)
        return scan_error(s, s->at, "Cells are separated by '|', a row ends with ';'.", "this row does not end");
    *last = s->text[at] == ';';
    s->end = at;
    return true;
}

static bool parse_columns(struct parse *p)
{
    struct scan *s = &p->scan;
    size_t file_end = s->end;
    bool last = false, good = true;
    while (good && !last) {
        char wanted[8];
        unsigned t = p->test->thread_count;
        if (!next_cell(s, file_end, &last))
            return false;
        if (t == LIT_THREADS_MAX)
            good = scan_error(s, s->at, NULL, "more than %d threads", LIT_THREADS_MAX);
        snprintf(wanted, sizeof wanted, "P%u", t);
        if (good && (!scan_word_is(s, wanted) || !scan_at_end(s)))
            good = scan_unexpected(s, wanted);
        p->test->thread_count++;
        s->at = s->end + 1;
        s->end = file_end;
    }
    return good;
}

static bool add_label(struct scan *s, struct label *list, unsigned *count, size_t at, unsigned thread, unsigned index, const char *name)
{
    if (*count == LABELS_MAX)
        return scan_error(s, at, NULL, "more than %d labels", LABELS_MAX);
    list[(*count)++] = (struct label){ thread, index, name };
    return true;
}

/* "NAME:" before an instruction, or alone. */
static bool parse_labels(struct parse *p, struct labels *l, unsigned thread)
{
    struct scan *s = &p->scan;
    size_t before, n;
    for (;;) {
        scan_space(s);
        before = s->at;
        const char *name = scan_name(s, &n);
        if (!name || !scan_accept(s, ":"))
            break;
        if (!add_label(s, l->defined, &l->defined_count, before, thread, p->test->threads[thread].count,
                       arena_printf(s->arena, "%.*s", (int)n, name)))
            return false;
    }
    s->at = before;
    return true;
}

static bool parse_cell(struct parse *p, struct labels *l, unsigned thread)
{
    struct scan *s = &p->scan;
    struct lit_thread *t = &p->test->threads[thread];
    const char *label = NULL;
    if (!parse_labels(p, l, thread))
        return false;
    if (scan_at_end(s))
        return true;
    size_t at = s->at;
    if (t->count == LIT_CODE_MAX)
        return scan_error(s, at, NULL, "more than %d instructions in one thread", LIT_CODE_MAX);
    if (!parse_instruction(p, &t->code[t->count], &label))
        return false;
    if (label) {
        l->used_at[l->used_count < LABELS_MAX ? l->used_count : 0] = at;
        if (!add_label(s, l->used, &l->used_count, at, thread, t->count, label))
            return false;
    }
    t->count++;
    return true;
}

static bool parse_row(struct parse *p, struct labels *l)
{
    struct scan *s = &p->scan;
    size_t file_end = s->end;
    bool last = false, good = true;
    scan_space(s);
    for (unsigned t = 0; good && !last; t++) {
        if (!next_cell(s, file_end, &last))
            return false;
        if (t >= p->test->thread_count)
            good = scan_error(s, s->at, NULL, "this row has more cells than there are threads (%u)", p->test->thread_count);
        else if (last && t + 1 < p->test->thread_count)
            good = scan_error(s, s->end, "Cells of threads that have ended stay, empty.", "this row has %u cells instead of %u", t + 1,
                              p->test->thread_count);
        else
            good = parse_cell(p, l, t);
        s->at = s->end + 1;
        s->end = file_end;
    }
    return good;
}

static bool link_jumps(struct parse *p, const struct labels *l)
{
    for (unsigned i = 0; i < l->used_count; i++) {
        const struct label *u = &l->used[i];
        unsigned k = 0;
        while (k < l->defined_count && (l->defined[k].thread != u->thread || strcmp(l->defined[k].name, u->name) != 0))
            k++;
        if (k == l->defined_count)
            return scan_error(&p->scan, l->used_at[i], NULL, "thread %u has no label %s", u->thread, u->name);
        p->test->threads[u->thread].code[u->index].target = (uint8_t)l->defined[k].index;
    }
    return true;
}

/* Does what comes after the last row begin here? */
static bool code_ends(struct scan *s)
{
    static const char *const words[] = { "exists", "forall", "locations", "filter", "not" };
    size_t before = s->at;
    bool ends = scan_at_end(s) || scan_accept(s, "~");
    for (unsigned i = 0; !ends && i < sizeof words / sizeof *words; i++)
        ends = scan_word_is(s, words[i]) && (scan_space(s), s->at >= s->end || strchr("([~0123456789", s->text[s->at]) ||
                                             isalpha((unsigned char)s->text[s->at]));
    s->at = before;
    return ends;
}

bool parse_code(struct parse *p)
{
    struct labels *l = ARENA_ONE(p->scan.arena, struct labels);
    bool good = parse_columns(p);
    while (good && !code_ends(&p->scan))
        good = parse_row(p, l);
    return good && link_jumps(p, l);
}
