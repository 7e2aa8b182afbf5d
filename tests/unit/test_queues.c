/* tests/unit/test_queues.c - one conformance test for both queues: random operations against each other, at several
 * time scales, so that the wheel's open bucket, buckets, heap, width changes and wrap-around all take part. */
#include "src/sim/engine.h"
#include "src/sim/phold.h"
#include "src/sim/queue_wheel.h"

#include <criterion/criterion.h>

enum { EVENTS = 5000, COMPONENTS = 7 };

/* A world per queue: the same draws give the same operations. */
struct world {
    struct engine *engine;
    struct component component[COMPONENTS];
    struct event event[EVENTS];
    struct rng rng;
    uint64_t digest, runs, cancels;
    uint64_t left;
    unsigned scale; /* log2 of the largest delay */
};

static struct world worlds[2];

static void schedule(struct world *w, struct event *e)
{
    struct component *by = &w->component[rng_below(&w->rng, COMPONENTS)];
    /* many equal times: the tie rule decides among them */
    tick delay = rng_chance(&w->rng, 1, 4) ? 0 : rng_next(&w->rng) >> (64 - 1 - rng_below(&w->rng, w->scale));
    engine_after(w->engine, by, e, delay, (enum phase)rng_below(&w->rng, 3));
}

static void act(struct event *e)
{
    struct world *w = e->owner;
    w->digest = hash_chain(w->digest, engine_now(w->engine));
    w->digest = hash_chain(w->digest, (uint64_t)(e - w->event));
    w->runs++;
    for (unsigned i = 0; i < 3; i++) {
        struct event *other = &w->event[rng_below(&w->rng, EVENTS)];
        if (rng_chance(&w->rng, 1, 5)) {
            w->cancels += event_scheduled(other);
            engine_cancel(w->engine, other);
            cr_assert_not(event_scheduled(other));
        }
        else if (!event_scheduled(other))
            schedule(w, other);
    }
    if (!event_scheduled(e))
        schedule(w, e);
    if (--w->left == 0)
        engine_stop(w->engine);
}

static void start(struct world *w, enum queue_kind kind, uint64_t seed, unsigned scale, uint64_t runs)
{
    struct component_list list = { 0 };
    w->engine = engine_new((struct engine_desc){ .queue = kind, .lookahead = true });
    w->rng = rng_stream(seed, "queues");
    w->digest = w->runs = w->cancels = 0;
    w->left = runs;
    w->scale = scale;
    for (unsigned i = 0; i < COMPONENTS; i++)
        component_register(&list, &w->component[i], "test", NULL);
    for (unsigned i = 0; i < EVENTS; i++)
        w->event[i] = (struct event){ .fn = act, .owner = w, .what = "test event" };
    for (unsigned i = 0; i < 100; i++)
        schedule(w, &w->event[i]);
}

static void conform(uint64_t seed, unsigned scale, uint64_t runs, tick slice)
{
    for (unsigned k = 0; k < 2; k++) {
        struct world *w = &worlds[k];
        start(w, k ? QUEUE_WHEEL : QUEUE_HEAP, seed, scale, runs);
        tick limit = slice ? slice : TICK_MAX;
        enum engine_stop why;
        while ((why = engine_run(w->engine, limit)) == ENGINE_LIMIT)
            limit += slice;
        cr_assert_eq(why, ENGINE_ASKED);
        cr_assert_eq(engine_host_events(w->engine), w->runs);
        engine_free(w->engine);
    }
    cr_assert_eq(worlds[0].digest, worlds[1].digest, "seed %llu scale %u", (unsigned long long)seed, scale);
    cr_assert_eq(worlds[0].cancels, worlds[1].cancels);
    cr_assert_gt(worlds[0].cancels, runs / 10);
}

/* About a million operations (schedule, cancel, pop) each. */
Test(queues, same_order_of_a_million_operations) { conform(1, 24, 250000, 0); }
Test(queues, same_order_all_in_one_bucket) { conform(2, 9, 100000, 0); }
Test(queues, same_order_mostly_beyond_the_horizon) { conform(3, 40, 250000, 0); }
Test(queues, same_order_in_short_slices) { conform(4, 20, 100000, 7777); }
Test(queues, same_order_in_slices_of_a_tick) { conform(5, 8, 50000, 1); }

Test(queues, many_scales)
{
    for (unsigned scale = 2; scale < 60; scale++)
        conform(100 + scale, scale, 4000, scale % 3 == 0 ? UINT64_C(1) << (scale - 2) : 0);
}

/* The wheel changes its width in both directions on these (see the next test) and gives the heap's order. */
Test(queues, phold_and_hold_agree)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct phold_result a = phold_run(QUEUE_HEAP, 64, 250, 200000, seed),
                            b = phold_run(QUEUE_WHEEL, 64, 250, 200000, seed);
        cr_assert_eq(a.order_hash, b.order_hash);
        cr_assert_eq(a.event_count, 200000);
        a = hold_run(QUEUE_HEAP, 150000, 500000, seed);
        b = hold_run(QUEUE_WHEEL, 150000, 500000, seed);
        cr_assert_eq(a.order_hash, b.order_hash);
        cr_assert_neq(a.order_hash, hold_run(QUEUE_WHEEL, 150000, 500000, seed + 7).order_hash);
    }
}

static struct wheel wheel;
static struct event *pool;

static uint32_t shift_after(unsigned pending, uint64_t mean, uint64_t operations)
{
    struct rng r = rng_stream(9, "width");
    tick now = 0, last = 0;
    uint64_t order = 0;
    pool = calloc(pending, sizeof *pool);
    wheel_init(&wheel);
    for (unsigned i = 0; i < pending; i++) {
        pool[i].when = rng_exponential(&r, mean);
        pool[i].order = order++;
        wheel_push(&wheel, &pool[i], now);
    }
    for (uint64_t i = 0; i < operations; i++) {
        struct event *e = wheel_pop(&wheel, now, TICK_MAX);
        cr_assert(e && e->when >= last);
        now = last = e->when;
        e->when += rng_exponential(&r, mean);
        e->order = order++;
        wheel_push(&wheel, e, now);
    }
    cr_assert_eq(wheel.open_count + wheel.in_buckets + wheel.far.count, pending, "events were lost");
    wheel_free(&wheel);
    free(pool);
    return wheel.shift;
}

/* Horizon 4096 buckets: far delays of 100 us need shift 15 (134 us = 1.3 means) to 17 (537 us); crowding of 20000
 * events in 100 ns needs narrower buckets, down to 24 events or a horizon of 4 means, whichever is wider. */
Test(queues, the_wheel_finds_its_width)
{
    uint32_t wide = shift_after(2000, 100000000, 2000000), narrow = shift_after(20000, 100000, 2000000);
    const uint32_t fewer = 12 - WHEEL_BITS; /* the mean build has 64 buckets, each to be so much wider */
    cr_assert(wide >= 16 + fewer && wide <= 18 + fewer, "shift %u", wide);
    cr_assert(narrow >= 7 && narrow <= 8 + fewer, "shift %u", narrow);
}
