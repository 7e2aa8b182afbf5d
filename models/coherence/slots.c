/* models/coherence/slots.c - set-associative places for lines with the requests that wait on each. */
#include "models/coherence/slots.h"

#include "src/base/fail.h"

#include <stdlib.h>

void slots_init(struct slots *s, const char *name, uint32_t sets, uint32_t ways, uint32_t beside)
{
    CHECK(sets > 0 && (sets & (sets - 1)) == 0 && ways > 0, "%s: sets are not a power of two", name);
    size_t n = (size_t)sets * ways + beside;
    *s = (struct slots){ .sets = sets, .ways = ways, .beside = beside, .tag = calloc(n, sizeof *s->tag), .slot = calloc(n, sizeof *s->slot) };
    CHECK_MEMORY(s->tag && s->slot, "%s: out of host memory for %zu lines", name, n);
}

void slots_free(struct slots *s)
{
    free(s->tag);
    free(s->slot);
    free(s->parked);
}

uint64_t slots_host_bytes(const struct slots *s)
{
    return (uint64_t)slots_count(s) * (sizeof *s->tag + sizeof *s->slot) + (uint64_t)s->parked_cap * sizeof *s->parked;
}

int64_t slots_victim(const struct slots *s, lineno line, unsigned (*rank)(const void *arg, int64_t slot), const void *arg)
{
    int64_t first = slots_set(s, line), best = first;
    unsigned best_rank = 0;
    for (uint32_t w = 0; w < s->ways; w++) {
        int64_t i = first + w;
        if (slots_empty(s, i))
            return i;
        unsigned r = rank(arg, i);
        if (w == 0 || r > best_rank || (r == best_rank && s->slot[i].used < s->slot[best].used)) {
            best = i;
            best_rank = r;
        }
    }
    return best;
}

/* ---- parked messages */

static int32_t take(struct slots *s, const struct msg *m)
{
    if (s->parked_free == NO_PARKED) {
        int32_t cap = s->parked_cap ? s->parked_cap * 2 : MEAN_SIZE(64, 2);
        s->parked = realloc(s->parked, (size_t)cap * sizeof *s->parked);
        CHECK_MEMORY(s->parked, "out of host memory for parked requests");
        for (int32_t i = s->parked_cap ? s->parked_cap : 1; i < cap; i++)
            s->parked[i].next = i + 1 < cap ? i + 1 : NO_PARKED;
        s->parked_free = s->parked_cap ? s->parked_cap : 1;
        s->parked_cap = cap;
    }
    int32_t i = s->parked_free;
    s->parked_free = s->parked[i].next;
    s->parked[i].msg = *m;
    s->parked[i].next = NO_PARKED;
    return i;
}

static void give(struct slots *s, int32_t i)
{
    s->parked[i].next = s->parked_free;
    s->parked_free = i;
}

void slots_park(struct slots *s, int64_t slot, const struct msg *m)
{
    int32_t i = take(s, m);
    struct slot *x = &s->slot[slot];
    if (x->parked_head == NO_PARKED)
        x->parked_head = i;
    else
        s->parked[x->parked_tail].next = i;
    x->parked_tail = i;
    s->parked_count++;
    s->parked_total++;
}

void slots_park_first(struct slots *s, int64_t slot, const struct msg *m)
{
    int32_t i = take(s, m);
    struct slot *x = &s->slot[slot];
    s->parked[i].next = x->parked_head;
    if (x->parked_head == NO_PARKED)
        x->parked_tail = i;
    x->parked_head = i;
    s->parked_count++;
    s->parked_total++;
}

bool slots_unpark(struct slots *s, int64_t slot, struct msg *m)
{
    struct slot *x = &s->slot[slot];
    int32_t i = x->parked_head;
    if (i == NO_PARKED)
        return false;
    *m = s->parked[i].msg;
    x->parked_head = s->parked[i].next;
    give(s, i);
    s->parked_count--;
    return true;
}

void slots_each_parked(const struct slots *s, int64_t slot, void (*fn)(void *arg, const struct msg *), void *arg)
{
    for (int32_t i = s->slot[slot].parked_head; i != NO_PARKED; i = s->parked[i].next)
        fn(arg, &s->parked[i].msg);
}

int32_t slots_keep(struct slots *s, const struct msg *m) { return take(s, m); }
struct msg *slots_kept(struct slots *s, int32_t i) { return &s->parked[i].msg; }
void slots_forget(struct slots *s, int32_t i) { give(s, i); }
