/* src/sim/engine.c - time, order, and the choice of queue. */
#include "src/sim/engine.h"

#include "src/base/fail.h"
#include "src/sim/queue_heap.h"
#include "src/sim/queue_wheel.h"

#include <stdlib.h>

enum { ID_BITS = 14, COUNT_BITS = 48, PHASE_SHIFT = ID_BITS + COUNT_BITS };

struct engine {
    tick now, limit;
    uint64_t pop_count;
    uint32_t shuffle_factor, shuffle_add; /* factor 0: ids as they are */
    enum queue_kind kind;
    bool lookahead, running, asked;
    union {
        struct heap heap;
        struct wheel wheel;
    } queue;
};

struct engine *engine_new(struct engine_desc desc)
{
    struct engine *g = calloc(1, sizeof *g);
    CHECK_MEMORY(g, "engine_new: the host has no memory");
    g->kind = desc.queue;
    g->lookahead = desc.lookahead;
    if (desc.shuffle_seed) {
        g->shuffle_factor = (uint32_t)mix64(desc.shuffle_seed) | 1; /* odd: a permutation modulo 2^14 */
        g->shuffle_add = (uint32_t)mix64(~desc.shuffle_seed);
    }
    if (g->kind == QUEUE_WHEEL)
        wheel_init(&g->queue.wheel);
    return g;
}

void engine_free(struct engine *g)
{
    if (!g)
        return;
    if (g->kind == QUEUE_WHEEL)
        wheel_free(&g->queue.wheel);
    else
        heap_free(&g->queue.heap);
    free(g);
}

tick engine_now(const struct engine *g) { return g->now; }
uint64_t engine_host_events(const struct engine *g) { return g->pop_count; }
void engine_stop(struct engine *g) { g->asked = true; }

static uint64_t shuffled(const struct engine *g, uint32_t id)
{
    if (__builtin_expect(g->shuffle_factor == 0, 1))
        return id;
    id = (id * g->shuffle_factor + g->shuffle_add) & ((1u << ID_BITS) - 1);
    id ^= id >> 7; /* with the product this reorders neighbours, too */
    return (id * g->shuffle_factor) & ((1u << ID_BITS) - 1);
}

void engine_at(struct engine *g, struct component *by, struct event *e, tick when, enum phase phase)
{
    CHECK(!event_scheduled(e), "engine_at: '%s' of %s is scheduled already, for %llu ps", e->what, by->name,
          (unsigned long long)e->when);
    CHECK(when >= g->now, "engine_at: '%s' of %s for %llu ps, but it is %llu ps", e->what, by->name,
          (unsigned long long)when, (unsigned long long)g->now);
    e->when = when;
    e->order = (uint64_t)phase << PHASE_SHIFT | shuffled(g, by->id) << COUNT_BITS | by->seq++;
    if (g->kind == QUEUE_WHEEL)
        wheel_push(&g->queue.wheel, e, g->now);
    else
        heap_push(&g->queue.heap, e);
}

void engine_after(struct engine *g, struct component *by, struct event *e, tick delay, enum phase phase)
{
    engine_at(g, by, e, g->now + delay, phase);
}

void engine_cancel(struct engine *g, struct event *e)
{
    if (!event_scheduled(e))
        return;
    if (g->kind == QUEUE_WHEEL)
        wheel_remove(&g->queue.wheel, e);
    else
        heap_remove(&g->queue.heap, e);
}

/* TICK_MAX when there is none. */
static tick next_when(struct engine *g)
{
    if (g->kind == QUEUE_WHEEL)
        return wheel_next_when(&g->queue.wheel);
    return g->queue.heap.count ? g->queue.heap.entries[0].when : TICK_MAX;
}

static bool empty(const struct engine *g)
{
    if (g->kind == QUEUE_HEAP)
        return g->queue.heap.count == 0;
    return g->queue.wheel.open_count == 0 && g->queue.wheel.in_buckets == 0 && g->queue.wheel.far.count == 0;
}

bool engine_skip_to(struct engine *g, tick when)
{
    CHECK(when >= g->now, "engine_skip_to: back to %llu ps, but it is %llu ps", (unsigned long long)when,
          (unsigned long long)g->now);
    if (!g->lookahead || !g->running || g->asked || when > g->limit)
        return false;
    if (next_when(g) <= when && !empty(g))
        return false;
    g->now = when;
    return true;
}

static struct event *pop(struct engine *g)
{
    if (g->kind == QUEUE_WHEEL)
        return wheel_pop(&g->queue.wheel, g->now, g->limit);
    struct heap *h = &g->queue.heap;
    return h->count && h->entries[0].when <= g->limit ? heap_pop(h) : NULL;
}

static void begin(struct engine *g, tick limit)
{
    CHECK(!g->running, "engine_run: it is running already");
    g->running = true;
    g->asked = false;
    g->limit = limit;
}

/* Nothing is due any more up to the limit. */
static enum engine_stop nothing_due(struct engine *g)
{
    if (empty(g))
        return ENGINE_IDLE;
    if (g->limit > g->now)
        g->now = g->limit;
    return ENGINE_LIMIT;
}

enum engine_stop engine_run(struct engine *g, tick limit)
{
    begin(g, limit);
    struct event *e = NULL;
    while (!g->asked && (e = pop(g))) {
        g->now = e->when;
        g->pop_count++;
        e->fn(e);
    }
    g->running = false;
    return g->asked ? ENGINE_ASKED : nothing_due(g);
}

const char *engine_step(struct engine *g, tick limit, enum engine_stop *why)
{
    begin(g, limit);
    struct event *e = pop(g);
    const char *what = !e ? NULL : e->what ? e->what : "event";
    if (e) {
        g->now = e->when;
        g->pop_count++;
        e->fn(e);
    }
    g->running = false;
    *why = e ? ENGINE_ASKED : nothing_due(g);
    return what;
}
