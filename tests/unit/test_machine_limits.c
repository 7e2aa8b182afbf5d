/* tests/unit/test_machine_limits.c - past bugs at the edges of what a machine can be asked: backlogs, long waits, many
 * requests for few places. */
#include "tests/unit/test_machine_rig.h"

TestSuite(limits, .timeout = 120);

/* Zeroing 4 MiB blocks writes faster than this memory does. The last level waits for the write queue: no load waits
 * for more than the queue (64 transfers of 5 ns) and the way there. Before, backlogs grew to milliseconds. */
Test(limits, writes_do_not_pile_up_before_memory)
{
    struct run r = run_text("kind: experiment\nmachine: tiny\nkernel: { memory: 64MiB, init_on_alloc: true }\n"
                            "agents: [{ name: w, on: core0, program: alloc-bulk, order: 10, pages: 8, count: 1 }]\n", usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_gt(counter(&r, "dram.writes_count"), 100000u, "the test must write more than the last level holds");
    cr_expect_lt(stats(&r, CLASS_LOAD)->latency.max_ps, 2000u * PS_PER_NS);
    run_free(&r);
}

/* An operation that takes longer than the watchdog's period is no standstill while requests finish or somebody sleeps. */
Test(limits, the_watchdog_lets_long_operations_be)
{
    struct run r = run_text("kind: experiment\nmachine: tiny\nkernel: { memory: 64MiB, init_on_alloc: true }\nchecks: { watchdog: 3ms }\n"
                            "agents: [{ name: w, on: core0, program: alloc-bulk, order: 10, pages: 8, count: 1 }]\n", usual(), NULL);
    expect_stop(&r, RUN_DONE);
    run_free(&r);
    r = run_text("kind: experiment\nmachine: tiny\nkernel: { memory: 64MiB }\nchecks: { watchdog: 1ms }\n"
                 "agents: [{ name: o, on: core0, program: exclusive-alloc, hold: 20ms, count: 2 }]\n", usual(), NULL);
    expect_stop(&r, RUN_DONE);
    run_free(&r);
}

/* A device with more lines to read than its port has MSHRs. */
Test(limits, a_device_port_serves_more_than_its_mshrs)
{
    static const char *const mshrs[] = { "machine.devices.mshrs=1", "machine.devices.mshrs=2", "machine.devices.mshrs=16" };
    static const char *const writes[] = { "agents.d.write=false", "agents.d.write=true" };
    for (unsigned i = 0; i < 3; i++)
        for (unsigned w = 0; w < 2; w++) {
            struct run r = run_text("kind: experiment\nmachine: { base: tiny, iommu: { walkers: 4, iotlb_entries: 1, iotlb_ways: 1 } }\n"
                                    "kernel: { memory: 16MiB }\n"
                                    "agents: [{ name: d, on: device0, program: dma-stream, bytes: 4096B, count: 50 }]\n",
                                    usual(), mshrs[i], writes[w], NULL);
            expect_stop(&r, RUN_DONE);
            run_free(&r);
        }
}

/* A counted follower without an owner waits for ever: the report names it. */
Test(limits, a_stuck_run_names_the_agents_that_have_not_finished)
{
    struct run r = run_text("kind: experiment\nmachine: tiny\nkernel: { memory: 16MiB }\n"
                            "agents:\n  - { name: owner, on: core0, program: exclusive-alloc, count: 3 }\n"
                            "  - { name: follower, on: device0, program: dma-foreign, count: 30 }\n", usual(), NULL);
    expect_stop(&r, RUN_STUCK);
    cr_expect(strstr(r.result->stop_text, "agent follower"), "%s", r.result->stop_text);
    run_free(&r);
}

/* The effective configuration of an experiment without a title is read again. */
Test(limits, an_effective_configuration_without_a_title_runs)
{
    struct run r = run_text("kind: experiment\nmachine: tiny\nkernel: { memory: 16MiB }\n"
                            "agents: [{ name: a, on: core0, program: alloc-repeat, count: 3 }]\n", usual(), NULL);
    expect_stop(&r, RUN_DONE);
    struct run again = run_text(r.result->effective, usual(), NULL);
    expect_stop(&again, RUN_DONE);
    cr_expect_eq(r.result->order_hash, again.result->order_hash);
    run_free(&again);
    run_free(&r);
}

/* 256 GiB on two nodes: boot writes little, and of what a few agents touch nothing grows with the size. The aim is 1 KiB
 * of host memory per untouched 4 MiB; it is 8 bytes. */
Test(limits, untouched_memory_costs_the_host_next_to_nothing)
{
    static const char text[] = "kind: experiment\nmachine: tiny\nkernel: { memory: 256GiB, nodes: 2, movable: 8GiB }\n"
                               "agents: [{ name: w, on: all, program: alloc-random-free, order_max: 10, live: 20, count: 60 }]\n";
    struct run small = run_text(text, usual(), "kernel.memory=16GiB", NULL);
    uint64_t base = small.result->host.host_bytes - 16 * 256 * 8;
    run_free(&small);
    struct run large = run_text(text, usual(), NULL);
    expect_stop(&large, RUN_DONE);
    uint64_t chunks = 256 * 256, bytes = large.result->host.host_bytes;
    cr_expect_leq(bytes, chunks * 1024);
    cr_expect_leq(bytes, chunks * 8 + base + base / 2, "%" PRIu64 " bytes, 16 GiB cost %" PRIu64, bytes, base);
    run_free(&large);
}
