/* src/work/litmus/outcome.c - see outcome.h: open addressing over rows of values. */
#include "src/work/litmus/outcome.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/rng.h"

enum { SLOTS_FIRST = 64 };

void outcomes_init(struct outcomes *o, unsigned width)
{
    *o = (struct outcomes){ .width = width, .slot_count = SLOTS_FIRST };
    o->slots = calloc(o->slot_count, sizeof *o->slots);
    CHECK_MEMORY(o->slots, "out of host memory for final states");
}

void outcomes_free(struct outcomes *o)
{
    free(o->values);
    free(o->times);
    free(o->slots);
    *o = (struct outcomes){ 0 };
}

static size_t slot_of(const struct outcomes *o, const uint64_t *values)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < o->width; i++)
        h = hash_chain(h, values[i]);
    size_t s = mix64(h) & (o->slot_count - 1);
    while (o->slots[s] && memcmp(outcome_at(o, o->slots[s] - 1), values, o->width * sizeof *values) != 0)
        s = (s + 1) & (o->slot_count - 1);
    return s;
}

static void index_all(struct outcomes *o, size_t slots)
{
    free(o->slots);
    o->slot_count = slots;
    o->slots = calloc(slots, sizeof *o->slots);
    CHECK_MEMORY(o->slots, "out of host memory for final states");
    for (size_t i = 0; i < o->count; i++)
        o->slots[slot_of(o, outcome_at(o, i))] = (uint32_t)i + 1;
}

static void make_room(struct outcomes *o)
{
    if (o->count == o->room) {
        o->room = o->room ? o->room * 2 : 16;
        o->values = realloc(o->values, o->room * (o->width ? o->width : 1) * sizeof *o->values);
        o->times = realloc(o->times, o->room * sizeof *o->times);
        CHECK_MEMORY(o->values && o->times, "out of host memory for final states");
    }
    if ((o->count + 1) * 2 > o->slot_count)
        index_all(o, o->slot_count * 2);
}

void outcomes_add(struct outcomes *o, const uint64_t *values, uint64_t times)
{
    make_room(o);
    size_t s = slot_of(o, values);
    if (!o->slots[s]) {
        memcpy(o->values + o->count * o->width, values, o->width * sizeof *values);
        o->times[o->count] = 0;
        o->slots[s] = (uint32_t)++o->count;
    }
    o->times[o->slots[s] - 1] += times;
}

size_t outcomes_find(const struct outcomes *o, const uint64_t *values)
{
    size_t s = slot_of(o, values);
    return o->slots[s] ? o->slots[s] - 1 : SIZE_MAX;
}

/* ---- order: each row with its length before it and its count behind */

static int by_values(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;
    for (uint64_t i = 1; i <= a[0]; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

void outcomes_sort(struct outcomes *o)
{
    size_t row = o->width + 2;
    uint64_t *all = malloc((o->count * row + 1) * sizeof *all);
    CHECK_MEMORY(all, "out of host memory for final states");
    for (size_t i = 0; i < o->count; i++) {
        all[i * row] = o->width;
        memcpy(all + i * row + 1, outcome_at(o, i), o->width * sizeof *all);
        all[i * row + 1 + o->width] = o->times[i];
    }
    qsort(all, o->count, row * sizeof *all, by_values);
    for (size_t i = 0; i < o->count; i++) {
        memcpy(o->values + i * o->width, all + i * row + 1, o->width * sizeof *all);
        o->times[i] = all[i * row + 1 + o->width];
    }
    free(all);
    index_all(o, o->slot_count);
}
