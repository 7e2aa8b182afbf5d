/* src/sim/history.c - a ring, searched linearly when something went wrong. */
#include "src/sim/history.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

struct history {
    uint64_t count, mask;
    struct history_entry *ring;
    void (*tap)(void *, const struct history_entry *);
    void *tap_arg;
};

struct history *history_new(unsigned entries)
{
    uint64_t n = 1;
    while (n < entries)
        n *= 2;
    struct history *h = calloc(1, sizeof *h);
    CHECK_MEMORY(h, "out of host memory for the line history");
    h->ring = calloc(n, sizeof *h->ring);
    CHECK_MEMORY(h->ring, "out of host memory for the line history");
    h->mask = n - 1;
    return h;
}

void history_free(struct history *h)
{
    if (h)
        free(h->ring);
    free(h);
}

void history_add(struct history *h, struct history_entry e)
{
    h->ring[h->count++ & h->mask] = e;
    if (__builtin_expect(h->tap != NULL, 0))
        h->tap(h->tap_arg, &e);
}

void history_tap(struct history *h, void (*fn)(void *, const struct history_entry *), void *arg)
{
    h->tap = fn;
    h->tap_arg = arg;
}

static void print_entry(const struct history_entry *e, FILE *out)
{
    fprintf(out, "  %12" PRIu64 " ps  %-14s %-10s %4s > %-4s", e->when, e->who, e->event, e->old_state, e->new_state);
    if (e->from >= 0)
        fprintf(out, "  for agent %d", e->from);
    fputc('\n', out);
}

void history_each(const struct history *h, lineno line, unsigned most, void (*fn)(void *arg, const struct history_entry *), void *arg)
{
    uint64_t oldest = h->count > h->mask ? h->count - h->mask - 1 : 0, found = 0;
    uint64_t first = h->count;
    for (uint64_t i = h->count; i > oldest && found < most; i--) {
        if (h->ring[(i - 1) & h->mask].line.v == line.v) {
            first = i - 1;
            found++;
        }
    }
    for (uint64_t i = first; i < h->count; i++)
        if (h->ring[i & h->mask].line.v == line.v)
            fn(arg, &h->ring[i & h->mask]);
}

struct printing { FILE *out; uint64_t printed; };

static void print_one(void *arg, const struct history_entry *e)
{
    struct printing *p = arg;
    print_entry(e, p->out);
    p->printed++;
}

void history_print(const struct history *h, lineno line, unsigned most, FILE *out)
{
    struct printing p = { out, 0 };
    history_each(h, line, most, print_one, &p);
    if (!p.printed)
        fprintf(out, "  (no transition of this line among the last %" PRIu64 ")\n", h->count > h->mask ? h->mask + 1 : h->count);
}

enum { LINES_OF = 4096 }; /* entries */

static bool changed_later(const struct history *h, uint64_t entry)
{
    bool any = false;
    for (uint64_t i = entry + 1; !any && i < h->count; i++)
        any = h->ring[i & h->mask].line.v == h->ring[entry & h->mask].line.v;
    return any;
}

void history_lines(const struct history *h, bool (*fn)(void *arg, lineno), void *arg)
{
    uint64_t kept = h->mask < LINES_OF ? h->mask + 1 : LINES_OF, oldest = h->count > kept ? h->count - kept : 0;
    for (uint64_t i = h->count; i > oldest; i--)
        if (!changed_later(h, i - 1) && !fn(arg, h->ring[(i - 1) & h->mask].line))
            return;
}
