/* src/sim/queue_heap.c - binary heap of events; see the header. */
#include "src/sim/queue_heap.h"

#include "src/base/fail.h"

#include <stdlib.h>

struct queue_entry *entries_grow(struct queue_entry *entries, uint32_t *capacity)
{
    *capacity = *capacity ? 2 * *capacity : MEAN_SIZE(64, 1);
    struct queue_entry *bigger = realloc(entries, *capacity * sizeof *entries);
    CHECK_MEMORY(bigger, "event queue: the host has no memory for %u entries", *capacity);
    return bigger;
}

static void put(struct heap *h, uint32_t place, struct queue_entry entry)
{
    h->entries[place] = entry;
    entry.event->slot = h->tag | (place + 1);
}

static void sift_up(struct heap *h, uint32_t place, struct queue_entry entry)
{
    while (place > 0) {
        uint32_t parent = (place - 1) / 2;
        if (entry_before(&h->entries[parent], &entry))
            break;
        put(h, place, h->entries[parent]);
        place = parent;
    }
    put(h, place, entry);
}

static void sift_down(struct heap *h, uint32_t place, struct queue_entry entry)
{
    for (;;) {
        uint32_t child = 2 * place + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && entry_before(&h->entries[child + 1], &h->entries[child]))
            child++;
        if (entry_before(&entry, &h->entries[child]))
            break;
        put(h, place, h->entries[child]);
        place = child;
    }
    put(h, place, entry);
}

void heap_push(struct heap *h, struct event *e)
{
    if (h->count == h->capacity)
        h->entries = entries_grow(h->entries, &h->capacity);
    CHECK(h->count < (1u << HEAP_PLACE_BITS) - 1, "event queue: %u events pending", h->count);
    sift_up(h, h->count++, (struct queue_entry){ e->when, e->order, e });
}

static void take_out(struct heap *h, uint32_t place)
{
    h->entries[place].event->slot = 0;
    struct queue_entry last = h->entries[--h->count];
    if (place == h->count)
        return;
    if (place > 0 && entry_before(&last, &h->entries[(place - 1) / 2]))
        sift_up(h, place, last);
    else
        sift_down(h, place, last);
}

struct event *heap_pop(struct heap *h)
{
    struct event *e = h->entries[0].event;
    take_out(h, 0);
    return e;
}

void heap_remove(struct heap *h, struct event *e)
{
    uint32_t place = (e->slot & ~h->tag) - 1;
    CHECK(place < h->count && h->entries[place].event == e, "event queue: '%s' is not in its place", e->what);
    take_out(h, place);
}

void heap_free(struct heap *h)
{
    free(h->entries);
    *h = (struct heap){ .tag = h->tag };
}
