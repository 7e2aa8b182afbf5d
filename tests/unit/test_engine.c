/* tests/unit/test_engine.c - order of equal times, limits, stopping, skipping ahead, misuse; under both queues. */
#include "src/sim/engine.h"

#include <criterion/criterion.h>
#include <string.h>

enum { LETTERS = 32 };

static struct engine *g;
static struct component_list list;
static struct component first, second;
static struct event letter[LETTERS];
static char seen[LETTERS + 1];
static tick at[LETTERS];
static unsigned count;

static void note(struct event *e)
{
    at[count] = engine_now(g);
    seen[count++] = (char)('a' + (e - letter));
}

static struct event *named(char c)
{
    struct event *e = &letter[c - 'a'];
    if (!e->fn)
        *e = (struct event){ .fn = note, .what = "letter" };
    return e;
}

static void begin(enum queue_kind kind, uint64_t shuffle)
{
    if (g)
        engine_free(g);
    g = engine_new((struct engine_desc){ .queue = kind, .lookahead = true, .shuffle_seed = shuffle });
    memset(&list, 0, sizeof list);
    memset(letter, 0, sizeof letter);
    memset(seen, 0, sizeof seen);
    count = 0;
    component_register(&list, &first, "first", NULL);
    component_register(&list, &second, "second", NULL);
}

#define BOTH_QUEUES(name) \
    static void name(enum queue_kind); \
    Test(engine, name##_heap) { name(QUEUE_HEAP); } \
    Test(engine, name##_wheel) { name(QUEUE_WHEEL); } \
    static void name(enum queue_kind kind)

BOTH_QUEUES(equal_times_by_phase_component_count)
{
    begin(kind, 0);
    engine_at(g, &second, named('f'), 100, PHASE_OBSERVE);
    engine_at(g, &second, named('c'), 100, PHASE_DELIVER); /* second's 2nd */
    engine_at(g, &second, named('e'), 100, PHASE_ACT);
    engine_at(g, &first, named('a'), 100, PHASE_DELIVER);
    engine_at(g, &first, named('d'), 100, PHASE_ACT);
    engine_at(g, &first, named('b'), 100, PHASE_DELIVER);
    engine_at(g, &second, named('g'), 101, PHASE_DELIVER); /* time before phase */
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_IDLE);
    cr_assert_str_eq(seen, "abcdefg");
}

/* The order does not depend on which call to engine_at came first among components: only each one's own count. */
BOTH_QUEUES(order_ignores_scheduling_order_between_components)
{
    static const char *const plans[] = { "a1b1c2d2", "c2d2a1b1", "a1c2b1d2", "c2a1d2b1" };
    for (unsigned p = 0; p < 4; p++) {
        begin(kind, 0);
        for (unsigned i = 0; i < 8; i += 2)
            engine_at(g, plans[p][i + 1] == '1' ? &first : &second, named(plans[p][i]), 7, PHASE_ACT);
        engine_run(g, TICK_MAX);
        cr_assert_str_eq(seen, "abcd", "plan %s", plans[p]);
    }
}

BOTH_QUEUES(shuffling_permutes_components_only)
{
    bool turned = false, kept = false;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        begin(kind, seed);
        engine_at(g, &first, named('a'), 7, PHASE_ACT);
        engine_at(g, &first, named('b'), 7, PHASE_ACT);
        engine_at(g, &second, named('c'), 7, PHASE_ACT);
        engine_at(g, &second, named('d'), 7, PHASE_DELIVER);
        engine_at(g, &second, named('e'), 8, PHASE_DELIVER);
        engine_run(g, TICK_MAX);
        cr_assert(!strcmp(seen, "dabce") || !strcmp(seen, "dcabe"), "%s", seen);
        *(strcmp(seen, "dcabe") ? &kept : &turned) = true;
    }
    cr_assert(turned && kept);
}

BOTH_QUEUES(limit_is_inclusive_and_becomes_now)
{
    begin(kind, 0);
    engine_at(g, &first, named('a'), 10, PHASE_ACT);
    engine_at(g, &first, named('b'), 11, PHASE_ACT);
    engine_at(g, &first, named('c'), 5000000, PHASE_ACT);
    cr_assert_eq(engine_run(g, 9), ENGINE_LIMIT);
    cr_assert_str_eq(seen, "");
    cr_assert_eq(engine_now(g), 9);
    cr_assert_eq(engine_run(g, 10), ENGINE_LIMIT);
    cr_assert_str_eq(seen, "a");
    engine_at(g, &first, named('d'), 10, PHASE_ACT); /* still allowed, and before b */
    cr_assert_eq(engine_run(g, 4999999), ENGINE_LIMIT);
    cr_assert_str_eq(seen, "adb");
    engine_after(g, &first, named('e'), 0, PHASE_ACT);
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_IDLE);
    cr_assert_str_eq(seen, "adbec");
    cr_assert_eq(engine_now(g), 5000000);
    cr_assert_eq(engine_run(g, 6000000), ENGINE_IDLE);
    cr_assert_eq(engine_now(g), 5000000);
}

static void stopper(struct event *e)
{
    (void)e;
    engine_stop(g);
    cr_assert_not(engine_skip_to(g, engine_now(g))); /* after a stop nobody runs ahead */
}

BOTH_QUEUES(stop_is_after_the_current_event)
{
    begin(kind, 0);
    struct event stop = { .fn = stopper, .what = "stop" };
    engine_at(g, &first, &stop, 5, PHASE_ACT);
    engine_at(g, &first, named('a'), 5, PHASE_ACT);
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_ASKED);
    cr_assert_str_eq(seen, "");
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_IDLE);
    cr_assert_str_eq(seen, "a");
}

BOTH_QUEUES(cancel_in_every_place)
{
    begin(kind, 0);
    engine_cancel(g, named('z')); /* not scheduled: no-op */
    engine_at(g, &first, named('a'), 10, PHASE_ACT);
    engine_at(g, &first, named('b'), 10, PHASE_ACT);
    engine_at(g, &first, named('c'), 500000, PHASE_ACT);
    engine_at(g, &first, named('d'), UINT64_C(1) << 40, PHASE_ACT); /* beyond the wheel's horizon */
    engine_cancel(g, named('b'));
    engine_cancel(g, named('c'));
    engine_cancel(g, named('d'));
    engine_cancel(g, named('d'));
    cr_assert_not(event_scheduled(named('b')));
    engine_at(g, &first, named('b'), 3, PHASE_ACT); /* free for use again at once */
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_IDLE);
    cr_assert_str_eq(seen, "ba");
    cr_assert_eq(engine_now(g), 10);
}

static void runner(struct event *e)
{
    static const struct {
        tick to;
        bool want;
    } steps[] = { { 10, true }, { 49, true }, { 50, false }, { 51, false }, { 49, true } };
    (void)e;
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(engine_skip_to(g, steps[i].to), steps[i].want, "step %u", i);
        cr_assert_eq(engine_now(g), i == 0 ? 10 : 49);
    }
    engine_at(g, &first, named('b'), 49, PHASE_ACT);
    cr_assert_not(engine_skip_to(g, 49)); /* strictly later events only */
    engine_cancel(g, named('b'));
    engine_cancel(g, named('a'));
    cr_assert(engine_skip_to(g, 60));  /* nothing due any more */
    cr_assert(engine_skip_to(g, 100)); /* the limit itself */
    cr_assert_not(engine_skip_to(g, 101));
    cr_assert_eq(engine_now(g), 100);
}

BOTH_QUEUES(skip_is_strict_and_within_the_limit)
{
    begin(kind, 0);
    struct event run = { .fn = runner, .what = "runner" };
    cr_assert_not(engine_skip_to(g, 1)); /* not running */
    engine_at(g, &first, &run, 10, PHASE_ACT);
    engine_at(g, &second, named('a'), 50, PHASE_DELIVER);
    cr_assert_eq(engine_run(g, 100), ENGINE_IDLE);
    cr_assert_eq(engine_host_events(g), 1);
}

/* One actor that runs far ahead, in and beyond the wheel's horizon, while others are scheduled behind it. */
static unsigned long skipped;
static void far_runner(struct event *e)
{
    struct rng *r = e->owner;
    for (unsigned i = 0; i < 50 && engine_now(g) < UINT64_C(1) << 36; i++) {
        tick when = engine_now(g) + rng_below(r, UINT64_C(1) << rng_below(r, 30));
        if (!engine_skip_to(g, when)) {
            engine_at(g, &first, e, when, PHASE_ACT);
            return;
        }
        skipped++;
        struct event *other = named((char)('a' + rng_below(r, 26)));
        if (!event_scheduled(other) && rng_chance(r, 1, 8))
            engine_after(g, &second, other, rng_below(r, UINT64_C(1) << rng_below(r, 30)), PHASE_DELIVER);
    }
    if (engine_now(g) < UINT64_C(1) << 36)
        engine_after(g, &first, e, 1, PHASE_ACT);
}

static uint64_t chained;
static void chain(struct event *e)
{
    chained = hash_chain(chained, engine_now(g) ^ (uint64_t)(e - letter));
    cr_assert_eq(engine_now(g), e->when);
}

static uint64_t run_ahead(enum queue_kind kind, bool lookahead)
{
    struct rng r = rng_stream(12, "ahead");
    struct event run = { .fn = far_runner, .owner = &r, .what = "runner" };
    g = NULL;
    begin(kind, 0);
    if (!lookahead) {
        engine_free(g);
        g = engine_new((struct engine_desc){ .queue = kind });
    }
    for (char c = 'a'; c <= 'z'; c++)
        named(c)->fn = chain;
    skipped = chained = 0;
    engine_at(g, &first, &run, 0, PHASE_ACT);
    cr_assert_eq(engine_run(g, TICK_MAX), ENGINE_IDLE);
    return chained;
}

Test(engine, running_ahead_is_the_same_in_both_queues)
{
    uint64_t heap = run_ahead(QUEUE_HEAP, true);
    cr_assert_gt(skipped, 1000);
    cr_assert_eq(run_ahead(QUEUE_WHEEL, true), heap);
    cr_assert_gt(skipped, 1000);
    (void)run_ahead(QUEUE_WHEEL, false);
    cr_assert_eq(skipped, 0);
}

Test(engine, the_past_is_a_panic, .exit_code = 1)
{
    begin(QUEUE_WHEEL, 0);
    engine_at(g, &first, named('a'), 10, PHASE_ACT);
    engine_run(g, TICK_MAX);
    engine_at(g, &first, named('a'), 9, PHASE_ACT);
}

Test(engine, twice_is_a_panic, .exit_code = 1)
{
    begin(QUEUE_WHEEL, 0);
    engine_at(g, &first, named('a'), 10, PHASE_ACT);
    engine_at(g, &first, named('a'), 11, PHASE_ACT);
}

BOTH_QUEUES(one_event_at_a_time)
{
    enum engine_stop why;
    begin(kind, 0);
    engine_at(g, &first, named('c'), 30, PHASE_ACT);
    engine_at(g, &first, named('a'), 10, PHASE_ACT);
    engine_at(g, &first, named('b'), 10, PHASE_ACT);
    cr_expect_str_eq(engine_step(g, 20, &why), "letter");
    cr_expect_str_eq(seen, "a");
    cr_expect_eq(engine_now(g), 10);
    cr_expect_str_eq(engine_step(g, 20, &why), "letter");
    cr_expect_null(engine_step(g, 20, &why));
    cr_expect_eq(why, ENGINE_LIMIT);
    cr_expect_eq(engine_now(g), 20);
    cr_expect_str_eq(engine_step(g, 30, &why), "letter");
    cr_expect_null(engine_step(g, 40, &why));
    cr_expect_eq(why, ENGINE_IDLE);
    cr_expect_eq(engine_now(g), 30);
    cr_expect_str_eq(seen, "abc");
    cr_expect_eq(engine_host_events(g), 3);
}
