/* tests/unit/test_machine_same.c - what may not change a result: host settings, the way a configuration is given,
 * agents with a stream of their own. */
#include "tests/unit/test_machine_rig.h"

TestSuite(same, .timeout = 300);

/* Everything of a result that JSON holds: events, hash, counters, statistics. */
static bool equal(const struct result *a, const struct result *b)
{
    bool good = a->stop == b->stop && a->time_ps == b->time_ps && a->events == b->events && a->order_hash == b->order_hash &&
                a->counter_count == b->counter_count && a->violation_count == b->violation_count;
    for (size_t i = 0; good && i < a->counter_count; i++)
        good = strcmp(a->counters[i].name, b->counters[i].name) == 0 && a->counters[i].value == b->counters[i].value;
    for (unsigned c = 0; good && c < CLASS_COUNT; c++) {
        const struct class_stats *x = account_stats(a->account, (enum class_id)c), *y = account_stats(b->account, (enum class_id)c);
        good = !x == !y && (!x || memcmp(x, y, sizeof *x) == 0);
    }
    return good;
}

/* ---- host settings */

/* Interrupts, shootdowns, DMA, stores of all kinds, jitter: what a setting could disturb. */
static const char mixed[] =
    "kind: experiment\n"
    "title: something of everything\n"
    "machine: { base: tiny, cores: 8, net_jitter: 7ns, llc: { size: 8KiB } }\n"
    "kernel: { memory: 16MiB, allocator: { pcp_high: 8, pcp_batch: 4 } }\n"
    "seed: 11\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, hold: 3us, count: 20, warmup: 2 }\n"
    "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
    "  - { name: mix, on: core3-4, program: random-mix, lines: 96, loads: \"40%\", atomics: \"10%\", flushes: \"5%\", fences: \"5%\", "
    "string_stores: \"10%\", nt_stores: \"5%\", prefetches: \"5%\", count: 4000 }\n"
    "  - { name: random, on: core5-6, program: alloc-random-free, count: 500 }\n"
    "  - { name: timer, on: core7, program: irq-source, to: random, interval: 2us, handler: alloc }\n"
    "  - { name: attacker, on: device0, program: dma-foreign }\n";

/* Interrupts of all contexts over allocations, memory nearly full. */
static const char contexts[] =
    "kind: experiment\n"
    "title: contexts and pressure\n"
    "machine: { base: tiny, cores: 8, llc: { size: 16KiB } }\n"
    "kernel: { memory: 16MiB, allocator: { pcp_high: 16, pcp_batch: 4 } }\n"
    "seed: 5\n"
    "agents:\n"
    "  - { name: hogs, on: core0-1, program: pressure, of_min: 80%, churn: 2, interval: 5us }\n"
    "  - { name: bench, on: core2-3, program: page-bench, gfp: ATOMIC, bulk: 7, count: 150 }\n"
    "  - { name: kernel, on: core4, program: page-bench, gfp: KERNEL, count: 150 }\n"
    "  - { name: hard, on: core5, program: irq-source, to: random, interval: 3us, spread: 50%, handler: alloc }\n"
    "  - { name: soft, on: core6, program: irq-source, to: random, interval: 4us, spread: 70%, handler: alloc, context: softirq }\n"
    "  - { name: nmi, on: core7, program: irq-source, to: random, interval: 5us, spread: 90%, context: nmi }\n"
    "  - { name: card, on: device0, program: rx-refill, hart: 2, ring: 16, burst: 4, interval: 7us, hold: 6, count: 20 }\n";

static void same_under_all_settings(const char *experiment, bool text)
{
    struct run_options first = usual();
    first.queue = QUEUE_WHEEL;
    first.lookahead = true;
    struct run wanted = text ? run_text(experiment, first, NULL) : run_named(experiment, first, NULL);
    expect_stop(&wanted, RUN_DONE);
    cr_expect(wanted.result->events > 1000);
    for (unsigned setting = 0; setting < 8; setting++) {
        struct run_options o = usual();
        o.queue = setting & 1 ? QUEUE_HEAP : QUEUE_WHEEL;
        o.fibers = setting & 2 || !fiber_backend_available(FIBER_ASM) ? FIBER_UCONTEXT : FIBER_ASM;
        o.lookahead = (setting & 4) != 0;
        struct run r = text ? run_text(experiment, o, NULL) : run_named(experiment, o, NULL);
        cr_expect(equal(wanted.result, r.result), "%s: queue %u, fibers %u, lookahead %u: another result", wanted.result->title,
                  setting & 1, setting >> 1 & 1, setting >> 2);
        run_free(&r);
    }
    run_free(&wanted);
}

Test(same, results_under_every_host_setting)
{
    same_under_all_settings(mixed, true);
    same_under_all_settings(contexts, true);
    same_under_all_settings("first-steps", false);
    same_under_all_settings("ping-pong", false);
    same_under_all_settings("dma-foreign", false);
}

Test(same, a_seed_changes_the_result)
{
    struct run a = run_text(mixed, usual(), "seed=1", NULL);
    uint64_t hash = a.result->order_hash;
    run_free(&a);
    struct run b = run_text(mixed, usual(), "seed=2", NULL);
    cr_expect_neq(hash, b.result->order_hash);
    run_free(&b);
}

/* ---- the effective configuration says everything */

Test(same, the_effective_configuration_gives_the_same_run)
{
    static const char *const experiments[] = { "first-steps", "exclusive-vs-sharers", "dma-foreign", "page-invalidate" };
    for (size_t i = 0; i < 4; i++) {
        struct run first = run_named(experiments[i], usual(), "seed=7", "machine.cores=5", NULL);
        struct run again = run_text(first.result->effective, usual(), NULL);
        cr_expect(equal(first.result, again.result), "%s: run again from its effective configuration it differs", experiments[i]);
        cr_expect_str_eq(first.result->effective, again.result->effective, "%s", experiments[i]);
        cr_expect_str_eq(first.result->config_digest, again.result->config_digest, "%s", experiments[i]);
        run_free(&again);
        run_free(&first);
    }
}

/* ---- a stream per agent */

static const char drawing[] =
    "kind: experiment\n"
    "title: draws\n"
    "machine: { base: tiny, cores: 3 }\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: mix, on: core2, program: random-mix, lines: 200, private: true, check: true, atomics: \"10%\", count: 3000 }]\n";

/* What the draws of `mix` decide: how many operations of each kind, and which lines they go to. The timer draws whom
 * to interrupt; its handlers touch no memory. */
static void draws_of(const char *agents, uint64_t seen[4])
{
    struct run r = run_text(drawing, usual(), agents, NULL);
    expect_stop(&r, RUN_DONE);
    seen[0] = counter(&r, "hart.loads_count");
    seen[1] = counter(&r, "hart.stores_count");
    seen[2] = counter(&r, "hart.atomics_count");
    seen[3] = counter(&r, "hart.interrupts_count");
    run_free(&r);
}

#define MIX "{name: mix, on: core2, program: random-mix, lines: 200, private: true, check: true, atomics: \"10%\", count: 3000}"
#define TIMER "{name: timer, on: core0, program: irq-source, to: random, interval: 1us, handler_cycles: 5cycles}"

Test(same, another_agent_leaves_the_draws_alone)
{
    uint64_t alone[4], before[4], after[4], renamed[4];
    draws_of("agents=[" MIX "]", alone);
    draws_of("agents=[" TIMER ", " MIX "]", before);
    draws_of("agents=[" MIX ", " TIMER "]", after);
    draws_of("agents=[{name: other, on: core2, program: random-mix, lines: 200, private: true, check: true, atomics: \"10%\", count: 3000}]",
             renamed);
    cr_expect(before[3] > 10 && alone[3] == 0, "the timer does not interrupt");
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(alone[i], before[i]);
        cr_expect_eq(alone[i], after[i]);
    }
    cr_expect(alone[0] != renamed[0] || alone[1] != renamed[1], "another name draws the same");
}

/* ---- from one hart to 256 */

static const char many_harts[] =
    "kind: experiment\n"
    "title: 256 harts\n"
    "machine:\n"
    "  base: xeon-gold-5320\n"
    "  cores: 256\n"
    "  l1: { size: 4KiB, ways: 4 }\n"
    "  l2: { size: 16KiB, ways: 4 }\n"
    "  llc: { size: 1MiB, ways: 8, slices: 64 }\n"
    "  net: { columns: 16, rows: 16 }\n"
    "  devices: { count: 16 }\n"
    "kernel: { memory: 64MiB }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, count: 3 }\n"
    "  - { name: readers, on: core1-127, program: touch-pages, share: read }\n"
    "  - { name: mix, on: core128-, program: random-mix, lines: 256, atomics: \"10%\", count: 60 }\n";

Test(same, two_hundred_and_fifty_six_harts)
{
    struct run first = run_text(many_harts, usual(), NULL);
    expect_stop(&first, RUN_DONE);
    cr_expect_geq(counter(&first, "home.invalidations_sent_count"), 2 * LINES_PER_PAGE * 127);
    cr_expect_eq(first.result->phase_sum_mismatch_count, 0);
    struct run_options other = usual();
    other.queue = QUEUE_HEAP;
    other.lookahead = false;
    struct run again = run_text(many_harts, other, NULL);
    cr_expect(equal(first.result, again.result));
    run_free(&again);
    run_free(&first);
}

Test(same, one_hart_and_no_device)
{
    struct run r = run_text("kind: experiment\n"
                            "title: alone\n"
                            "machine: { base: tiny, cores: 1, devices: { count: 0 } }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: owner, on: core0, program: exclusive-alloc, exclusive: all, count: 3 }]\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(stats(&r, CLASS_GRANT)->latency.count, 3);
    run_free(&r);
}

/* ---- host memory is no part of a result, but untouched memory must stay cheap */

Test(same, untouched_memory_costs_little)
{
    struct run small = run_text(drawing, usual(), NULL);
    uint64_t small_bytes = small.result->host.host_bytes;
    run_free(&small);
    struct run large = run_text(drawing, usual(), "kernel.memory=64GiB", NULL);
    expect_stop(&large, RUN_DONE);
    uint64_t grown = large.result->host.host_bytes - small_bytes, blocks = (UINT64_C(64) << 30) / (4u << 20);
    cr_expect(grown < blocks * 1024, "%" PRIu64 " host bytes per 4 MiB", grown / blocks);
    run_free(&large);
}
