/* tests/unit/test_machine_allocators.c - every frame allocator and zeroing policy on whole machines, judged by the oracle
 * while they run and recounted at the end. Seeds are printed; a failing one is repeated with `labyrinth run --seed`.
 */
#include "tests/unit/test_machine_rig.h"

#include "src/kern/check.h"
#include "src/machine/private.h"

#include <criterion/parameterized.h>

TestSuite(machine_allocators, .timeout = 300);
TestSuite(machine_zero, .timeout = 300);

/* A set that starts from "kernel.allocator.type=NAME". */
struct allocator_set { char text[48]; };
static struct allocator_set allocators[] = {
    { "kernel.allocator.type=buddy" }, { "kernel.allocator.type=llfree" }, { "kernel.allocator.type=freelist" },
    { "kernel.allocator.type=bitmap" },
};

/* Blocks of all orders, more than there is memory for, many single pages, and interrupts that allocate. */
static const char storm[] =
    "kind: experiment\n"
    "title: storm of allocations\n"
    "machine: { base: tiny, cores: 6 }\n"
    "kernel: { memory: 32MiB }\n"
    "agents:\n"
    "  - { name: random, on: core0-3, program: alloc-random-free, order_max: 10, live: 12, count: 150 }\n"
    "  - { name: single, on: core4, program: alloc-random-free, order_max: 1, live: 300, count: 900 }\n"
    "  - { name: timer, on: core5, program: irq-source, to: random, interval: 1us, handler: alloc, handler_cycles: 50cycles }\n";

ParameterizedTestParameters(machine_allocators, storms_are_clean)
{
    return cr_make_param_array(struct allocator_set, allocators, sizeof allocators / sizeof *allocators);
}
ParameterizedTest(struct allocator_set *a, machine_allocators, storms_are_clean)
{
    static const char *const shapes[] = { "machine.l1={size: 128B, ways: 2, hit: 2cycles}", "machine.net_jitter=40ns",
                                          "kernel.memory=320MiB", "kernel.locks=ticket" };
    for (unsigned seed = 1; seed <= 4; seed++) {
        char seed_set[20];
        snprintf(seed_set, sizeof seed_set, "seed=%u", seed);
        struct run r = run_text(storm, usual(), a->text, shapes[seed - 1], seed_set, NULL);
        printf("%s, seed %u, %s\n", a->text, seed, shapes[seed - 1]);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->phase_sum_mismatch_count, 0);
        cr_expect_gt(counter(&r, "hart.interrupts_count"), 100);
        run_free(&r);
    }
}

/* The programs free all they hold when they end. The last core ends long after the others, whose stores are visible then. */
ParameterizedTestParameters(machine_allocators, recount_after_a_run)
{
    return cr_make_param_array(struct allocator_set, allocators, sizeof allocators / sizeof *allocators);
}
ParameterizedTest(struct allocator_set *a, machine_allocators, recount_after_a_run)
{
    char text[256];
    struct run r = run_text("kind: experiment\n"
                            "title: to the last page\n"
                            "machine: { base: tiny, cores: 6 }\n"
                            "kernel: { memory: 32MiB }\n"
                            "agents:\n"
                            "  - { name: random, on: core0-3, program: alloc-random-free, order_max: 10, live: 12, count: 150 }\n"
                            "  - { name: single, on: core4, program: alloc-random-free, order_max: 1, live: 300, count: 900 }\n"
                            "  - { name: last, on: core5, program: compute, cycles: 20000000cycles, count: 1 }\n",
                            usual(), a->text, NULL);
    expect_stop(&r, RUN_DONE);
    const char *lie = kern_check(&r.machine->kernel, &r.machine->backdoor, NULL, 0, text, sizeof text);
    cr_expect_null(lie, "%s: %s", a->text, lie);
    run_free(&r);
}

/* ---- zeroing */

/* Grants of all kinds against users and a device that have the pages mapped from before. */
static const char grants[] =
    "kind: experiment\n"
    "title: zero policies\n"
    "machine: { base: tiny, cores: 7, devices: { count: 1 } }\n"
    "kernel: { memory: 64MiB, zero_policy: pool }\n"
    "agents:\n"
    "  - { name: owner, on: core0-1, program: exclusive-alloc, exclusive: all, hold: 1us, count: 50 }\n"
    "  - { name: open, on: core2, program: exclusive-alloc, exclusive: secure, count: 50 }\n"
    "  - { name: fresh, on: core3, program: exclusive-alloc, exclusive: secure, expose: false, count: 50 }\n"
    "  - { name: readers, on: core4, program: touch-pages, share: read }\n"
    "  - { name: writers, on: core5, program: touch-pages, share: write }\n"
    "  - { name: foreign, on: device0, program: dma-foreign, write: true }\n"
    "  - { name: zeroer, on: core6, program: page-zeroer }\n";

Test(machine_zero, a_pool_serves_grants)
{
    struct run r = run_text(grants, usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_gt(counter(&r, "zero_pool.hit"), 100);
    cr_expect_geq(counter(&r, "zero_pool.filled"), counter(&r, "zero_pool.hit"));
    run_free(&r);
}

/* One page at a time and a zeroer that mostly sleeps: most grants clear their pages themselves. */
Test(machine_zero, an_empty_pool_is_no_harm)
{
    struct run r = run_text(grants, usual(), "kernel.zero_pool=1", "agents.zeroer.idle=1ms", NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_gt(counter(&r, "zero_pool.miss"), 100);
    run_free(&r);
}

Test(machine_zero, on_free_serves_pages_that_nobody_has_mapped)
{
    struct run r = run_text(grants, usual(), "kernel.zero_policy=on-free", "agents.zeroer={name: zeroer, on: core6, program: compute}", NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_gt(counter(&r, "zero_on_free.known"), 20);
    cr_expect_gt(counter(&r, "zero_on_free.still_mapped"), 50);
    run_free(&r);
}
