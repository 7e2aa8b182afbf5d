/* src/sim/queue_heap.h - events in a binary heap, each knowing its place, so that any one can be taken out.
 *
 * The reference queue, and the far end of the wheel. Keys are copied beside the pointers: comparing
 * touches no event. Grows by doubling. `tag` is or-ed into event.slot for the owner's use.
 */
#ifndef LAB_SIM_QUEUE_HEAP_H
#define LAB_SIM_QUEUE_HEAP_H

#include "src/sim/engine.h"

struct queue_entry {
    tick when;
    uint64_t order;
    struct event *event;
};

static inline bool entry_before(const struct queue_entry *a, const struct queue_entry *b)
{
    return a->when != b->when ? a->when < b->when : a->order < b->order;
}

struct heap {
    struct queue_entry *entries;
    uint32_t count, capacity;
    uint32_t tag; /* high bits of slot; 0 for the queue proper */
};

enum { HEAP_PLACE_BITS = 30 };

void heap_push(struct heap *, struct event *);
struct event *heap_pop(struct heap *);                  /* not empty */
void heap_remove(struct heap *, struct event *);        /* one that is in it */
void heap_free(struct heap *);

/* Room for one more entry; panics when the host has no memory. Also used by the wheel. */
struct queue_entry *entries_grow(struct queue_entry *, uint32_t *capacity);

#endif
