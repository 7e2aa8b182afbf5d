/* tests/unit/test_machine_timing.c - whole machines against sums and closed forms worked out by hand. */
#include "tests/unit/test_machine_rig.h"

TestSuite(timing, .timeout = 300);

/* ---- unloaded loads on tiny: 1 cycle is 1 ns
 *
 *   first level          l1.hit                                                                        2
 *   second level         l2.hit, the first-level lookup included                                       6
 *   last level           l2.hit 6, hop 5, llc.lookup 10, hop 5, hart.fill 1                           27
 *   DRAM, row open       the same and controller 20, t_cas 15, t_burst 5                              67
 *         bank empty     and t_rcd 15                                                                 82
 *         row conflict   and t_rp 15                                                                  97
 *   another cache has it 27 and a forward: hop 5, l2.snoop 4                                          36
 */
enum { TINY_L1 = 2000, TINY_L2 = 6000, TINY_LLC = 27000, TINY_DRAM = 67000, TINY_PEER = 36000, TINY_OPEN = 15000 };

static const char chase[] =
    "kind: experiment\n"
    "title: load latency\n"
    "machine: tiny\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: chase, on: core0, program: chase, footprint: 512B, count: 64 }]\n";

static void expect_parts(const struct run *r, const uint64_t wanted_ps[PART_COUNT])
{
    const struct class_stats *s = stats(r, CLASS_LOAD);
    for (unsigned p = 0; p < PART_COUNT; p++)
        cr_expect_eq(s->hardware_sum_ps[p], wanted_ps[p] * s->latency.count, "part %s of a load is %" PRIu64 " ps, not %" PRIu64,
                     part_terms[p].name, s->hardware_sum_ps[p] / s->latency.count, wanted_ps[p]);
}

static void load_takes(uint64_t wanted_ps, enum source_id source, const char *footprint, const char *on, const char *state,
                       const uint64_t parts_ps[PART_COUNT])
{
    struct run r = run_text(chase, usual(), footprint, on, state, NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(only_ps(&r, CLASS_LOAD), wanted_ps, "%s, %s: %" PRIu64 " ps instead of %" PRIu64, footprint, state,
                 only_ps(&r, CLASS_LOAD), wanted_ps);
    const struct class_stats *from = account_source_stats(r.result->account, CLASS_LOAD, source);
    cr_expect(from && from->latency.count == 64, "not all loads came from %s", source_terms[source].name);
    expect_parts(&r, parts_ps);
    run_free(&r);
}

#define FOOTPRINT(bytes) "agents.chase.footprint=" bytes
#define ON(cores) "agents.chase.on=" cores
#define STATE(state) "agents.chase.state=" state

Test(timing, loads_on_tiny_are_sums_of_their_parts)
{
    static const uint64_t l1[PART_COUNT] = { [PART_L1] = 2000 }, l2[PART_COUNT] = { [PART_L1] = 2000, [PART_L2] = 4000 },
        llc[PART_COUNT] = { [PART_L1] = 2000, [PART_L2] = 4000, [PART_REQUEST_NET] = 5000, [PART_HOME] = 10000,
                            [PART_RESPONSE_NET] = 5000, [PART_FILL] = 1000 },
        peer[PART_COUNT] = { [PART_L1] = 2000, [PART_L2] = 4000, [PART_REQUEST_NET] = 5000, [PART_HOME] = 10000,
                             [PART_OWNER] = 9000, [PART_RESPONSE_NET] = 5000, [PART_FILL] = 1000 };
    load_takes(TINY_L1, SOURCE_L1, FOOTPRINT("512B"), ON("core0"), STATE("alone"), l1);
    load_takes(TINY_L2, SOURCE_L2, FOOTPRINT("2KiB"), ON("core0"), STATE("alone"), l2);
    load_takes(TINY_LLC, SOURCE_LLC, FOOTPRINT("16KiB"), ON("core0"), STATE("alone"), llc);
    load_takes(TINY_PEER, SOURCE_PEER, FOOTPRINT("512B"), ON("core0-1"), STATE("modified"), peer);
    load_takes(TINY_PEER, SOURCE_PEER, FOOTPRINT("512B"), ON("core0-1"), STATE("read"), peer); /* one reader: exclusive */
    load_takes(TINY_LLC, SOURCE_LLC, FOOTPRINT("512B"), ON("core0-2"), STATE("read"), llc);    /* two: shared */
}

/* Each load is a DRAM access; the channel says how many found their row closed, or another one open. */
Test(timing, a_load_from_dram_is_the_sum_of_its_parts)
{
    struct run r = run_text(chase, usual(), FOOTPRINT("64KiB"), STATE("cold"), "agents.chase.order=sequential", NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t empty = counter(&r, "dram.row_empties_count"), conflict = counter(&r, "dram.row_conflicts_count");
    const struct class_stats *s = stats(&r, CLASS_LOAD);
    cr_expect_eq(counter(&r, "dram.reads_count"), 64);
    cr_expect_eq(counter(&r, "dram.row_hits_count") + empty + conflict, 64);
    cr_expect_eq(empty + conflict, 4, "64 lines are 4 rows of 1 KiB");
    cr_expect_eq(s->latency.min_ps, TINY_DRAM);
    cr_expect_eq(s->latency.sum_ps, 64 * TINY_DRAM + (empty + 2 * conflict) * TINY_OPEN);
    run_free(&r);
}

/* ---- owning a page that is Modified elsewhere
 *
 * One line: l2.hit, hop, llc.lookup, hop, l2.snoop, hop, and the MSHR is free. That is L, on xeon-e7-8867l
 * 5159 + 3752 + 7035 + 3752 + 26733 + 3752 ps if l2.snoop is 57 cycles.
 * page.own is 64 prefetches, as many at once as there are MSHRs (K), 64 stores into the buffer, and a fence. The stores
 * commit behind the fills (commit is shorter than what a line costs anywhere), so they add nothing; the fence adds
 * itself. Two things can hold up the prefetches:
 *
 *   the MSHRs  ceil(64/K) generations of L. Within one they follow each other at the pace of the slowest station on
 *              the way, s = max(issue, data port, snoop port, home occupancy): the last is (K-1) s behind the first.
 *   the home   serves one message per occ: 64 requests and the DONEs of all lines but the last K, which come
 *              after the last request, (128-K) occ; then the last request's own L.
 *
 *   page.own = max( ceil(64/K) L + (K-1) s , (128-K) occ + L ) + fence
 *
 * One slice, so that there is one home; requests and responses occupy it alike; write_backs at least K, since a miss
 * needs both. The fence is long, so that the home has served the last DONE of the one that wrote the page.
 */
static const char invalidate[] =
    "kind: experiment\n"
    "title: a page modified elsewhere\n"
    "machine:\n"
    "  base: xeon-e7-8867l\n"
    "  cores: 2\n"
    "  hart: { issue: 1cycles, commit: 1cycles, fence: 300ns }\n"
    "  l2: { hit: 11cycles, snoop: 57cycles, snoop_occupancy: 2cycles, write_backs: 64 }\n"
    "  llc: { size: 24MiB, slices: 1, lookup: 15cycles }\n"
    "  net: { hop: 8cycles, control_occupancy: 0.5cycles, data_occupancy: 2cycles }\n"
    "kernel: { memory: 64MiB }\n"
    "agents: [{ name: page, on: core0-1, program: page-invalidate, share: write, count: 10, warmup: 2 }]\n";

enum { CYCLE_PS = 469, LONE_PS = (11 + 8 + 15 + 8 + 57 + 8) * CYCLE_PS, FENCE_PS = 300000, LINES = LINES_PER_PAGE };

static double closed_form_ps(unsigned mshrs, double occupancy_ps)
{
    double pace = occupancy_ps > 2 * CYCLE_PS ? occupancy_ps : 2 * CYCLE_PS;
    double by_mshrs = (double)((LINES + mshrs - 1) / mshrs) * LONE_PS + (mshrs - 1) * pace;
    double by_home = (2 * LINES - mshrs) * occupancy_ps + LONE_PS;
    return by_mshrs > by_home ? by_mshrs : by_home;
}

static double owning_ps(unsigned mshrs, unsigned occupancy_ps)
{
    char k[40], occupancy[60], response[60];
    snprintf(k, sizeof k, "machine.l2.mshrs=%u", mshrs);
    snprintf(occupancy, sizeof occupancy, "machine.llc.occupancy=%ups", occupancy_ps);
    snprintf(response, sizeof response, "machine.llc.response_occupancy=%ups", occupancy_ps);
    struct run r = run_text(invalidate, usual(), k, occupancy, response, NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(counter(&r, "page_own.lines_acquired_count"), 12 * LINES);
    double mean = mean_ps(&r, CLASS_PAGE_OWN);
    run_free(&r);
    return mean;
}

Test(timing, owning_a_modified_page_follows_the_closed_form)
{
    static const unsigned mshrs[] = { 1, 10, 16, 32 }, occupancies_ps[] = { 500, 2000, 5000 };
    for (unsigned o = 0; o < 3; o++) {
        for (unsigned i = 0; i < 4; i++) {
            double measured = owning_ps(mshrs[i], occupancies_ps[o]) - FENCE_PS;
            double wanted = closed_form_ps(mshrs[i], occupancies_ps[o]);
            printf("owning: %u MSHRs, home %u ps: %.0f ps, closed form %.0f ps\n", mshrs[i], occupancies_ps[o], measured, wanted);
            cr_expect(measured > 0.9 * wanted && measured < 1.1 * wanted, "%u MSHRs, home %u ps: %.0f ps instead of %.0f", mshrs[i],
                      occupancies_ps[o], measured, wanted);
        }
    }
}

/* With one MSHR nothing overlaps: exact. */
Test(timing, one_mshr_takes_the_lines_one_by_one)
{
    cr_expect_eq((uint64_t)owning_ps(1, 500), (uint64_t)LINES * LONE_PS + FENCE_PS);
}

/* The shipped experiment shows it: each point of its sweep is faster than the one before. */
Test(timing, every_point_of_page_invalidate_is_faster)
{
    static const char *const points[] = { "1", "4", "10", "16", "32" };
    double last = 1e18;
    for (unsigned i = 0; i < 5; i++) {
        char set[40];
        snprintf(set, sizeof set, "machine.l2.mshrs=%s", points[i]);
        struct run r = run_named("page-invalidate", usual(), set, NULL);
        expect_stop(&r, RUN_DONE);
        double now = mean_ps(&r, CLASS_PAGE_OWN);
        cr_expect(now < last, "%s MSHRs: %.0f ps after %.0f", points[i], now, last);
        last = now;
        run_free(&r);
    }
}

/* ---- Little's law on the home's queue
 *
 * Loads under way = throughput * latency. Eight harts have one load under way each, always. One slow home serves them: for
 * every load its request, and the put of the line that makes room (clean, but the only copy), 40 ns each.
 * So latency = 8 * 80 ns, of which all but the way of a lone load is waiting at the home.
 */
Test(timing, littles_law_at_a_saturated_home)
{
    static const char text[] =
        "kind: experiment\n"
        "title: a saturated home\n"
        "machine: { base: tiny, cores: 8, llc: { slices: 1, occupancy: 40ns, response_occupancy: 0ps } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: all, program: chase, footprint: 6400B, order: sequential, count: 400, warmup: 200 }]\n";
    enum { HARTS = 8, SERVICE_PS = 80000 };
    struct run r = run_text(text, usual(), NULL);
    expect_stop(&r, RUN_DONE);
    const struct class_stats *s = stats(&r, CLASS_LOAD);
    double latency = mean_ps(&r, CLASS_LOAD);
    cr_expect(latency > 0.99 * HARTS * SERVICE_PS && latency < 1.01 * HARTS * SERVICE_PS, "%.0f ps instead of %d", latency, HARTS * SERVICE_PS);
    double way = latency - (double)s->hardware_sum_ps[PART_HOME_WAIT] / (double)s->latency.count;
    cr_expect(way >= TINY_LLC && way < 1.1 * TINY_LLC, "%.0f ps besides waiting at the home", way);
    run_free(&r);
}

/* ---- allocation on xeon-gold-5320 */

static double alloc_ps(unsigned cores, const char *agent, enum class_id class)
{
    char text[500], count[40];
    snprintf(text, sizeof text,
             "kind: experiment\ntitle: allocation\nmachine: xeon-gold-5320\nkernel: { memory: 1GiB }\nagents: [%s]\n", agent);
    snprintf(count, sizeof count, "machine.cores=%u", cores);
    struct run r = run_text(text, usual(), count, NULL);
    expect_stop(&r, RUN_DONE);
    double mean = mean_ps(&r, class);
    run_free(&r);
    return mean;
}

Test(timing, a_repeated_pair_costs_the_same_on_26_cores)
{
    const char *agent = "{ name: pair, on: all, program: alloc-repeat, gfp: ATOMIC, count: 200, warmup: 50 }";
    double one = alloc_ps(1, agent, CLASS_PAIR), all = alloc_ps(26, agent, CLASS_PAIR);
    printf("pair: %.0f ps on 1 core, %.0f ps on 26\n", one, all);
    cr_expect(all > 0.9 * one && all < 1.1 * one);
}

Test(timing, bulk_allocation_rises_once_the_zone_lock_saturates)
{
    static const unsigned cores[] = { 4, 8, 16, 26 };
    double last = alloc_ps(1, "{ name: bulk, on: all, program: alloc-bulk, gfp: ATOMIC, pages: 500, count: 2, warmup: 1 }", CLASS_ALLOC_ATOMIC);
    for (unsigned i = 0; i < 4; i++) {
        double now = alloc_ps(cores[i], "{ name: bulk, on: all, program: alloc-bulk, gfp: ATOMIC, pages: 500, count: 2, warmup: 1 }",
                              CLASS_ALLOC_ATOMIC);
        printf("bulk: %u cores, %.0f ps a page\n", cores[i], now);
        cr_expect(now > last, "%u cores: %.0f ps after %.0f", cores[i], now, last);
        last = now;
    }
}
