/* src/sim/queue_wheel.h - a calendar of 4096 buckets in front of a heap.
 *
 * After R. Brown, Calendar Queues (CACM 1988), with these choices: bucket width a power of two;
 * a bucket is an unsorted list through the events; a two-level bitmap finds the next used bucket; the
 * bucket being emptied ("open") is a small array sorted latest first, popped from its end, and takes
 * later arrivals for its time span; what lies beyond the last bucket waits in a heap. The width adapts
 * to counts of events only, so that it is the same on every host; the order of events never depends on it.
 */
#ifndef LAB_SIM_QUEUE_WHEEL_H
#define LAB_SIM_QUEUE_WHEEL_H

#include "src/base/fail.h"
#include "src/sim/queue_heap.h"

enum {
    WHEEL_BITS = MEAN_SIZE(12, 6),
    WHEEL_BUCKETS = 1 << WHEEL_BITS,
    WHEEL_MASK = WHEEL_BUCKETS - 1,
    WHEEL_WORDS = WHEEL_BUCKETS / 64,
    WHEEL_START_SHIFT = 10 /* 1024 ps wide: a horizon of 4.2 us */
};

/* event.slot while in the wheel: which part holds it. */
#define SLOT_BUCKET (UINT32_C(1) << HEAP_PLACE_BITS)
#define SLOT_OPEN (UINT32_C(2) << HEAP_PLACE_BITS)
#define SLOT_FAR (UINT32_C(3) << HEAP_PLACE_BITS)

struct wheel {
    uint64_t first;        /* number (when >> shift) of the first bucket not yet opened; earlier goes to `open` */
    tick next_when;        /* least time in the buckets and the heap; 0 = not known */
    uint32_t shift;        /* log2 of the width in ticks */
    uint32_t open_count, open_capacity;
    struct queue_entry *open;
    uint32_t in_buckets;
    /* since the last look at the width */
    uint32_t push_count, half_count, far_count, opened_count, opened_events;
    struct heap far;
    uint64_t used_words;   /* bit w: used[w] is not 0 */
    uint64_t used[WHEEL_WORDS];
    struct event *bucket[WHEEL_BUCKETS];
};

void wheel_init(struct wheel *);
void wheel_free(struct wheel *);
void wheel_push_open(struct wheel *, struct event *);
void wheel_push_far(struct wheel *, struct event *, tick now);
void wheel_remove(struct wheel *, struct event *);
/* `open` is empty: fill it from the next bucket; false: no events, or none that early. */
bool wheel_open_next(struct wheel *, tick now, tick limit);
tick wheel_find_next_when(struct wheel *);      /* `open` is empty; TICK_MAX when there are no events */

static inline void wheel_push_bucket(struct wheel *w, struct event *e, uint64_t number)
{
    uint32_t b = (uint32_t)number & WHEEL_MASK;
    e->slot = SLOT_BUCKET;
    e->next = w->bucket[b];
    w->bucket[b] = e;
    w->used[b / 64] |= UINT64_C(1) << (b % 64);
    w->used_words |= UINT64_C(1) << (b / 64);
    w->in_buckets++;
    if (e->when < w->next_when)
        w->next_when = e->when;
}

static inline void wheel_push(struct wheel *w, struct event *e, tick now)
{
    uint64_t number = e->when >> w->shift;
    w->push_count++;
    if (number < w->first) {
        wheel_push_open(w, e);
        return;
    }
    uint64_t distance = number - w->first;
    w->half_count += distance >= WHEEL_BUCKETS / 2;
    if (__builtin_expect(distance < WHEEL_BUCKETS, 1))
        wheel_push_bucket(w, e, number);
    else
        wheel_push_far(w, e, now);
}

/* Time of the next event, TICK_MAX when there is none; opens nothing. */
static inline tick wheel_next_when(struct wheel *w)
{
    if (w->open_count)
        return w->open[w->open_count - 1].when;
    return w->next_when ? w->next_when : wheel_find_next_when(w);
}

/* The next event if it is not later than `limit`, else NULL. */
static inline struct event *wheel_pop(struct wheel *w, tick now, tick limit)
{
    if (w->open_count == 0 && !wheel_open_next(w, now, limit))
        return NULL;
    const struct queue_entry *top = &w->open[w->open_count - 1];
    if (top->when > limit)
        return NULL;
    w->open_count--;
    top->event->slot = 0;
    return top->event;
}

#endif
