/* tests/unit/test_protocols_timed.c - the same machine under every shipped protocol: nothing is violated; under MSI, MESI,
 * MESIF and MOESI the differences go the way theory says (those of a bus: test_bus_timed.c).
 */
#include "tests/unit/test_machine_rig.h"

TestSuite(timed, .timeout = 300);

static const char *const names[] = { "protocol=msi", "protocol=mesi", "protocol=mesif", "protocol=moesi",
                                     "protocol=bus-msi", "protocol=bus-mesi", "protocol=bus-moesi" };
enum { MSI, MESI, MESIF, MOESI, PROTOCOLS /* of a directory */, ALL_PROTOCOLS = 7 };

/* Every kind of access and traffic, tiny caches, late messages. Seeds are fixed here and printed on failure. */
static const char storm[] =
    "kind: experiment\n"
    "title: something of everything\n"
    "machine: { base: tiny, cores: 8, net_jitter: 9ns, l1: { size: 128B, ways: 1 }, l2: { size: 512B, ways: 2 }, llc: { size: 8KiB } }\n"
    "kernel: { memory: 16MiB, allocator: { pcp_high: 8, pcp_batch: 4 } }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, hold: 3us, count: 6, warmup: 1 }\n"
    "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
    "  - { name: mix, on: core3-6, program: random-mix, lines: 48, loads: \"40%\", atomics: \"10%\", flushes: \"5%\", fences: \"5%\", "
    "string_stores: \"10%\", nt_stores: \"5%\", prefetches: \"5%\", count: 3000 }\n"
    "  - { name: random, on: core7, program: alloc-random-free, count: 200 }\n"
    "  - { name: attacker, on: device0, program: dma-foreign }\n";

Test(timed, nothing_is_violated_in_a_storm)
{
    static const char *const seeds[] = { "seed=1", "seed=2", "seed=3", "seed=4" };
    for (unsigned p = 0; p < ALL_PROTOCOLS; p++)
        for (unsigned s = 0; s < sizeof seeds / sizeof *seeds; s++) {
            struct run r = run_text(storm, usual(), names[p], seeds[s], NULL);
            cr_expect_eq(r.result->stop, RUN_DONE, "%s, %s: %s", names[p], seeds[s], r.result->stop_text);
            cr_expect_eq(r.result->violation_count, 0, "%s, %s", names[p], seeds[s]);
            cr_expect(counter(&r, "home.recalls_count") > 0, "%s, %s: no recall", names[p], seeds[s]);
            cr_expect(counter(&r, "protocol.rows_used_count") > 80, "%s, %s: %" PRIu64 " rows", names[p], seeds[s],
                      counter(&r, "protocol.rows_used_count"));
            run_free(&r);
        }
}

Test(timed, exclusive_grants_hold_under_every_protocol)
{
    for (unsigned p = 0; p < ALL_PROTOCOLS; p++) {
        struct run r = run_named("exclusive-vs-sharers", usual(), names[p], "agents.owner.count=5", "agents.owner.warmup=1", NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->violation_count, 0, "%s", names[p]);
        cr_expect_eq(stats(&r, CLASS_GRANT)->latency.count, 5, "%s", names[p]);
        run_free(&r);
    }
}

/* ---- directions */

static const char mix[] =
    "kind: experiment\n"
    "title: private or shared\n"
    "machine: { base: tiny, cores: 4 }\n"
    "seed: 5\n"
    "agents:\n"
    "  - { name: mix, on: core0-, program: random-mix, lines: 16, loads: \"70%\", count: 1000 }\n";

static void run_all(struct run r[PROTOCOLS], const char *set)
{
    for (unsigned p = 0; p < PROTOCOLS; p++) {
        r[p] = run_text(mix, usual(), names[p], set, NULL);
        expect_stop(&r[p], RUN_DONE);
    }
}

static void free_all(struct run r[PROTOCOLS])
{
    for (unsigned p = 0; p < PROTOCOLS; p++)
        run_free(&r[p]);
}

/* A line that is read first and written later: without E the write asks the home, although nobody else is there. */
Test(timed, msi_upgrades_private_lines_where_mesi_does_not)
{
    struct run r[PROTOCOLS];
    run_all(r, "machine.cores=1");
    uint64_t lines_read_first = counter(&r[MSI], "net.sent_GETS_count");
    cr_expect(lines_read_first > 0 && counter(&r[MSI], "cache.upgrades_count") >= lines_read_first);
    cr_expect_eq(counter(&r[MSI], "net.sent_GETM_count"), counter(&r[MESI], "net.sent_GETM_count") + lines_read_first,
                 "one request more for each line that was read first");
    for (unsigned p = MESI; p < PROTOCOLS; p++) {
        cr_expect_eq(counter(&r[p], "cache.upgrades_count"), 0, "%s", names[p]);
        cr_expect_eq(counter(&r[p], "net.sent_DATA_E_count"), lines_read_first, "%s", names[p]);
    }
    cr_expect_eq(counter(&r[MSI], "net.sent_DATA_E_count"), 0);
    cr_expect(r[MSI].result->time_ps > r[MESI].result->time_ps);
    free_all(r);
}

/* Whoever reads what another has written: MSI and MESI write it back each time; O keeps it dirty and shared. */
Test(timed, moesi_writes_nothing_back_for_readers)
{
    struct run r[PROTOCOLS];
    run_all(r, "machine.cores=4");
    for (unsigned p = MSI; p <= MESI; p++) {
        cr_expect(counter(&r[p], "net.sent_WB_count") > 100, "%s", names[p]);
        cr_expect_eq(counter(&r[p], "net.sent_WB_count"), counter(&r[p], "net.sent_FWD_GETS_count"), "%s: each read of a changed line",
                     names[p]);
    }
    cr_expect(counter(&r[MOESI], "net.sent_FWD_GETS_count") > 100);
    cr_expect_eq(counter(&r[MOESI], "net.sent_WB_count") + counter(&r[MOESI], "net.sent_PUT_count"), 0);
    free_all(r);
}

/* Further readers are served by the last one, and by the owner, not by the last level. */
Test(timed, forwarder_and_owner_spare_the_last_level)
{
    struct run r[PROTOCOLS];
    run_all(r, "machine.cores=4");
    cr_expect(counter(&r[MESI], "home.data_sent_count") > 500);
    cr_expect_eq(counter(&r[MESIF], "home.data_sent_count"), 16, "each line once, when it first comes from memory");
    cr_expect_eq(counter(&r[MOESI], "home.data_sent_count"), 16);
    cr_expect(counter(&r[MESIF], "net.sent_WB_count") < counter(&r[MESIF], "net.sent_FWD_GETS_count"), "clean lines are not written back");
    cr_expect(counter(&r[MESIF], "net.sent_UPG_count") > 0 && counter(&r[MOESI], "net.sent_UPG_count") > 0);
    cr_expect_eq(counter(&r[MESI], "net.sent_UPG_count"), 0);
    free_all(r);
}
