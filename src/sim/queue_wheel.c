/* src/sim/queue_wheel.c - the less frequent paths of the wheel: opening, far events, width. */
#include "src/sim/queue_wheel.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <string.h>

/* Width policy. A horizon that is too short costs most (every event passes through the heap), a
 * crowded bucket next; neither changes the order of events. */
enum {
    LOOK_EVERY_OPENED = 1 << 16, /* events opened between two looks */
    CROWDED = 24,                /* events per opened bucket above which halving is tried */
    OVERCROWDED = 64,            /* ... above which the width is not doubled */
    FAR_PERCENT = 2,             /* of pushes beyond the horizon, above which the width doubles */
    SHIFT_MAX = 40
};

void wheel_init(struct wheel *w)
{
    memset(w, 0, sizeof *w);
    w->shift = WHEEL_START_SHIFT;
    w->far.tag = SLOT_FAR;
}

void wheel_free(struct wheel *w)
{
    free(w->open);
    heap_free(&w->far);
}

/* A new event within the span of the open bucket, put in its sorted place: what is due before it moves
 * up by one. */
void wheel_push_open(struct wheel *w, struct event *e)
{
    if (w->open_count == w->open_capacity)
        w->open = entries_grow(w->open, &w->open_capacity);
    struct queue_entry entry = { e->when, e->order, e };
    uint32_t place = w->open_count++;
    for (; place > 0 && entry_before(&w->open[place - 1], &entry); place--)
        w->open[place] = w->open[place - 1];
    w->open[place] = entry;
    e->slot = SLOT_OPEN;
}

/* Events in the heap that the window has reached move into their buckets. */
static void migrate(struct wheel *w)
{
    while (w->far.count) {
        uint64_t number = w->far.entries[0].when >> w->shift;
        if (number - w->first >= WHEEL_BUCKETS)
            return;
        wheel_push_bucket(w, heap_pop(&w->far), number);
    }
}

/* Beyond the window; but the window may lag behind the time, when an actor ran ahead of the queue. */
void wheel_push_far(struct wheel *w, struct event *e, tick now)
{
    if (w->open_count == 0 && now >> w->shift > w->first) {
        w->first = now >> w->shift;
        migrate(w);
        uint64_t number = e->when >> w->shift;
        if (number - w->first < WHEEL_BUCKETS) {
            wheel_push_bucket(w, e, number);
            return;
        }
    }
    w->far_count++;
    heap_push(&w->far, e);
    if (e->when < w->next_when)
        w->next_when = e->when;
}

/* Number of the first used bucket at or after `first`; at least one is used. */
static uint64_t next_used(const struct wheel *w)
{
    uint32_t start = (uint32_t)w->first & WHEEL_MASK, word = start / 64;
    uint64_t bits = w->used[word] & (~UINT64_C(0) << (start % 64));
    if (!bits) {
        uint64_t later = word == 63 ? 0 : w->used_words & (~UINT64_C(0) << (word + 1));
        word = (uint32_t)__builtin_ctzll(later ? later : w->used_words);
        bits = w->used[word]; /* when wrapped to the same word: its bits below `start` are all that is left */
    }
    uint32_t b = word * 64 + (uint32_t)__builtin_ctzll(bits);
    return w->first + ((b - start) & WHEEL_MASK);
}

static struct event *empty_bucket(struct wheel *w, uint32_t b)
{
    struct event *list = w->bucket[b];
    w->bucket[b] = NULL;
    w->used[b / 64] &= ~(UINT64_C(1) << (b % 64));
    if (w->used[b / 64] == 0)
        w->used_words &= ~(UINT64_C(1) << (b / 64));
    return list;
}

/* Latest first. Insertion sort for few; for many, Shell's with gaps after M. Ciura (FCT 2001), extended by 2.25. */
static void sort_open(struct queue_entry *a, uint32_t n)
{
    static const uint32_t gaps[] = { 1577000, 701000, 301000, 133000, 59000, 26000, 11700, 5200, 2308, 1026, 456,
                                     202, 90, 40, 18, 8, 3, 1 };
    uint32_t first = sizeof gaps / sizeof *gaps - 1;
    while (n > 32 && first > 0 && gaps[first] < n / 3)
        first--;
    for (uint32_t g = first; g < sizeof gaps / sizeof *gaps; g++) {
        uint32_t gap = gaps[g];
        for (uint32_t i = gap; i < n; i++) {
            struct queue_entry x = a[i];
            uint32_t j = i;
            for (; j >= gap && entry_before(&a[j - gap], &x); j -= gap)
                a[j] = a[j - gap];
            a[j] = x;
        }
    }
}

static void open_bucket(struct wheel *w, uint64_t number)
{
    uint32_t n = 0;
    for (struct event *e = empty_bucket(w, (uint32_t)number & WHEEL_MASK); e; e = e->next) {
        if (n == w->open_capacity)
            w->open = entries_grow(w->open, &w->open_capacity);
        w->open[n++] = (struct queue_entry){ e->when, e->order, e };
        e->slot = SLOT_OPEN;
    }
    if (n > 1)
        sort_open(w->open, n);
    w->open_count = n;
    w->in_buckets -= n;
    w->opened_count++;
    w->opened_events += n;
    w->first = number + 1;
    w->next_when = 0;
}

/* All events again, at another width. `open` is empty, nothing lies before `now`. */
static void rebuild(struct wheel *w, uint32_t shift, tick now)
{
    struct event *all = NULL;
    while (w->in_buckets) {
        uint64_t number = next_used(w);
        struct event *e = empty_bucket(w, (uint32_t)number & WHEEL_MASK), *next;
        for (; e; e = next, w->in_buckets--) {
            next = e->next;
            e->next = all;
            all = e;
        }
    }
    w->shift = shift;
    w->first = now >> shift;
    migrate(w);
    for (struct event *e = all, *next; e; e = next) {
        next = e->next;
        uint64_t number = e->when >> shift;
        if (number - w->first < WHEEL_BUCKETS)
            wheel_push_bucket(w, e, number);
        else
            heap_push(&w->far, e);
    }
}

/* Once per 64 k opened events: is the width still right? Halving waits until it would not lengthen the heap,
 * so that the two rules cannot chase each other. */
static void look_at_width(struct wheel *w, tick now)
{
    uint64_t pushes = w->push_count, per_bucket = w->opened_events / w->opened_count;
    uint32_t shift = w->shift;
    if (w->far_count * UINT64_C(100) > pushes * FAR_PERCENT && per_bucket < OVERCROWDED && shift < SHIFT_MAX)
        shift++;
    else if (w->half_count * UINT64_C(100) < pushes * FAR_PERCENT && per_bucket > CROWDED && shift > 0)
        shift--;
    w->push_count = w->half_count = w->far_count = w->opened_count = w->opened_events = 0;
    if (shift != w->shift)
        rebuild(w, shift, now);
}

bool wheel_open_next(struct wheel *w, tick now, tick limit)
{
    if (__builtin_expect(w->opened_events >= LOOK_EVERY_OPENED, 0))
        look_at_width(w, now);
    if (w->in_buckets == 0 && w->far.count == 0)
        return false;
    uint64_t number = w->in_buckets ? next_used(w) : w->far.entries[0].when >> w->shift;
    if (number << w->shift > limit)
        return false; /* a bucket opened ahead of time would collect all that comes before it */
    w->first = number;
    migrate(w);
    open_bucket(w, number);
    return true;
}

tick wheel_find_next_when(struct wheel *w)
{
    if (w->in_buckets) {
        tick least = TICK_MAX;
        for (const struct event *e = w->bucket[next_used(w) & WHEEL_MASK]; e; e = e->next)
            if (e->when < least)
                least = e->when;
        w->next_when = least;
    }
    else
        w->next_when = w->far.count ? w->far.entries[0].when : TICK_MAX;
    return w->next_when;
}

static void remove_from_bucket(struct wheel *w, struct event *e)
{
    uint32_t b = (uint32_t)(e->when >> w->shift) & WHEEL_MASK;
    struct event **link = &w->bucket[b];
    while (*link && *link != e)
        link = &(*link)->next;
    CHECK(*link, "event queue: '%s' is not in its bucket", e->what);
    *link = e->next;
    w->in_buckets--;
    if (!w->bucket[b])
        empty_bucket(w, b);
}

static void remove_from_open(struct wheel *w, struct event *e)
{
    uint32_t i = 0;
    while (i < w->open_count && w->open[i].event != e)
        i++;
    CHECK(i < w->open_count, "event queue: '%s' is not in the open bucket", e->what);
    w->open_count--;
    memmove(&w->open[i], &w->open[i + 1], (w->open_count - i) * sizeof *w->open);
}

void wheel_remove(struct wheel *w, struct event *e)
{
    uint32_t part = e->slot & SLOT_FAR;
    if (part == SLOT_FAR)
        heap_remove(&w->far, e);
    else if (part == SLOT_BUCKET)
        remove_from_bucket(w, e);
    else
        remove_from_open(w, e);
    e->slot = 0;
    if (e->when == w->next_when)
        w->next_when = 0;
}
