/* tests/unit/test_cache_races.c - MSHRs, merging, evictions, lines on their way home, flushes: who waits for whom, for how
 * long, and what is where afterwards. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000 };

static struct machine_rig *machine(unsigned harts, unsigned sets, unsigned ways, unsigned mshrs, unsigned write_backs)
{
    struct rig_desc d = rig_desc(harts);
    d.cache.l1_sets = 1;
    d.cache.l1_ways = 1;
    d.cache.sets = sets;
    d.cache.ways = ways;
    d.cache.mshrs = mshrs;
    d.cache.write_backs = write_backs;
    return machine_rig_new(&d);
}

/* A load of a line that an own prefetch is fetching takes what that brings: it ends with it, and FILL later. The prefetch was
 * born at 0; it is the load's `issue` (older work). */
Test(mshr, a_load_merges_with_a_prefetch_under_way)
{
    struct machine_rig *m = machine(1, 4, 2, 4, 8);
    rig_script(m, 0, (struct op[]){ PREFETCH(LINE(3)), RECORD(1), LOAD(LINE(3)), RECORD(0), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][0].end, ISSUE);
    cr_expect_eq(m->result[0][2].end, MISS_DRAM + FILL);
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM, PARTS({ PART_ISSUE, MISS_DRAM - ISSUE }, { PART_FILL, FILL }));
    cr_expect(cache_counters(m->cache[0])->merged == 1 && cache_counters(m->cache[0])->misses == 1);
    cr_expect_eq(rig_copies(m, LINE(3)).writable, 1);
    machine_rig_free(m);
}

/* Prefetches beyond the MSHRs make the hart wait: K = 2, lines modified elsewhere, no occupancies. The third waits for
 * the first, ended at MISS_OWNER; the second ends ISSUE later, just when the fourth comes; the fifth waits for the third. */
Test(mshr, prefetches_wait_for_a_free_one)
{
    struct rig_desc d = rig_desc(2);
    d.cache.mshrs = 2;
    d.cache.snoop_occupancy_ps = 0;
    d.home.occupancy_ps = d.home.response_occupancy_ps = 0;
    d.net.control_occupancy_ps = d.net.data_occupancy_ps = 0;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ STORE_WHOLE(LINE(1), 1), STORE_WHOLE(LINE(2), 1), STORE_WHOLE(LINE(3), 1), STORE_WHOLE(LINE(4), 1),
                                    STORE_WHOLE(LINE(5), 1), FENCE, END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), PREFETCH(LINE(1)), PREFETCH(LINE(2)), PREFETCH(LINE(3)), PREFETCH(LINE(4)), PREFETCH(LINE(5)),
                                    END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end - QUIET, ISSUE);
    cr_expect_eq(m->result[0][2].end - QUIET, 2 * ISSUE);
    cr_expect_eq(m->result[0][3].end - QUIET, MISS_OWNER + ISSUE);
    cr_expect_eq(m->result[0][4].end - QUIET, MISS_OWNER + 2 * ISSUE);
    cr_expect_eq(m->result[0][5].end - QUIET, 2 * MISS_OWNER + ISSUE);
    cr_expect_eq(cache_counters(m->cache[0])->no_mshr, 2, "the third and the fifth");
    machine_rig_free(m);
}

/* A prefetch of a line that is owned already asks nobody. */
Test(mshr, a_prefetch_of_an_owned_line_does_nothing)
{
    struct machine_rig *m = machine(1, 4, 2, 4, 8);
    rig_script(m, 0, (struct op[]){ ADD(LINE(3), 1), PREFETCH(LINE(3)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end - m->result[0][1].start, ISSUE);
    cr_expect(hart_counters(m->hart[0])->prefetch_owned == 1 && hart_counters(m->hart[0])->prefetch_acquired == 0);
    cr_expect_eq(cache_counters(m->cache[0])->misses, 1);
    machine_rig_free(m);
}

/* One set of two ways. The third line takes the place of the least recently used one. */
Test(eviction, of_the_least_recently_used)
{
    struct machine_rig *m = machine(1, 1, 2, 4, 8);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(2)), LOAD(LINE(1)), LOAD(LINE(3)), AT(QUIET), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    cr_expect_eq(rig_copies(m, LINE(2)).readable, 0);
    rig_expect(m, CLASS_LOAD, SOURCE_L2, PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }));
    machine_rig_free(m);
}

/* An owned line goes home with its data, a shared one leaves silently: the home keeps it as a sharer. */
Test(eviction, owned_lines_go_home_shared_ones_just_leave)
{
    struct machine_rig *m = machine(2, 1, 1, 1, 2);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 7), FENCE, LOAD(LINE(2)), AT(QUIET), LOAD(LINE(3)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET / 2), LOAD(LINE(2)), END });
    machine_rig_run(m);
    struct net_counters n = net_counters(m->net);
    cr_expect_eq(n.kind_count[MSG_PUT], 1, "line 1; line 2 was shared when it left");
    cr_expect_eq(n.kind_count[MSG_PUTACK], 1);
    cr_expect_eq(cache_counters(m->cache[0])->evictions_clean, 1);
    cr_expect_eq(cache_counters(m->cache[0])->evictions_dirty, 1);
    cr_expect_not_null(strstr(rig_home_says(m, LINE(1)), "state DI"));
    cr_expect_not_null(strstr(rig_home_says(m, LINE(1)), "newer than memory"));
    cr_expect_not_null(strstr(rig_home_says(m, LINE(2)), "sharers 0 1"), "%s", rig_home_says(m, LINE(2)));
    machine_rig_free(m);
}

/* A load of a line that is on its way home waits for the home's answer, then asks again. The eviction begins when line 2
 * arrives, at E; its PUT takes HOP, is looked up, acknowledged HOP later. The PUT queues CONTROL behind nothing: DONE and
 * PUT leave the cache together, the DONE (response) first and CONTROL ahead; the home is free RESP_OCC after it began
 * with the DONE, which is CONTROL before the PUT comes: no wait but RESP_OCC - CONTROL. */
Test(eviction, a_load_waits_for_its_line_to_be_home)
{
    struct machine_rig *m = machine(1, 1, 1, 1, 2);
    tick e = 2 * QUIET;
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 7), FENCE, AT(e - MISS_DRAM), LOAD(LINE(2)), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][3].end, e + FILL);
    tick put = HOP + RESP_OCC + HOME + HOP; /* from e to the acknowledgement: the DONE is served first */
    cr_expect_eq(m->result[0][5].value, 7);
    rig_expect(m, CLASS_LOAD, SOURCE_LLC,
               PARTS({ PART_ISSUE, put - FILL }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
                     { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    machine_rig_free(m);
}

/* Another one wants the line while it goes home: the write-back entry answers. */
Test(eviction, a_line_on_its_way_home_can_be_handed_over)
{
    struct machine_rig *m = machine(2, 1, 1, 1, 2);
    tick e = 2 * QUIET;
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 7), FENCE, AT(e - MISS_DRAM), LOAD(LINE(2)), LOAD(LINE(1)), END });
    /* hart 1's GETM is at the home before the PUT, its forward at hart 0 after the eviction began */
    rig_script(m, 1, (struct op[]){ AT(e - LOOKUP - HOP - HOME), SWAP(LINE(1), 8), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[1][1].value, 7);
    cr_expect_eq(m->rows.cache[protocol_state(m->protocol, CTL_CACHE, "MI")][CEV_FWD_GETM], 1);
    cr_expect_eq(m->rows.cache[protocol_state(m->protocol, CTL_CACHE, "II")][CEV_PUTACK], 1);
    cr_expect_eq(m->result[0][4].value, 8);
    machine_rig_free(m);
}

/* L1 has one entry, L2 four: whatever is invalidated or evicted in L2 is gone from L1 (checked at rest by components_check). */
Test(eviction, l1_never_holds_what_l2_does_not)
{
    struct machine_rig *m = machine(2, 1, 2, 2, 2);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(1)), AT(QUIET), LOAD(LINE(1)), LOAD(LINE(2)), LOAD(LINE(3)), LOAD(LINE(4)),
                                    LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET / 2), STORE(LINE(1), 5), FENCE, END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][3].value, 5, "L1's copy was dropped with L2's");
    cr_expect_eq(m->result[0][3].end - m->result[0][3].start, MISS_OWNER + FILL);
    cr_expect_eq(m->result[0][7].value, 5);
    machine_rig_free(m);
}

/* ---- flushes: from every state, and no cache has the line afterwards, nor the last level; memory is current */

static void gone(const struct machine_rig *m, uint64_t a)
{
    cr_expect_eq(rig_copies(m, a).readable, 0);
    cr_expect_not_null(strstr(rig_home_says(m, a), "not in the last level"), "%s", rig_home_says(m, a));
    const struct line_versions *v = memory_versions(m->memory, (lineno){ a >> LINE_SHIFT });
    cr_expect_eq(v->current, v->dram);
}

/* From the flush's retirement (ISSUE) to the home's answer. Forwarded: another cache is asked and answers to the home. */
static void flush_takes(const struct op *other, const struct op *own, tick ps)
{
    struct machine_rig *m = machine(2, 4, 2, 2, 2);
    if (other)
        rig_script(m, 1, other);
    struct op script[8] = { own[0], AT(2 * QUIET), FLUSH(LINE(1)), FENCE, END };
    rig_script(m, 0, script);
    machine_rig_run(m);
    cr_expect_eq(m->result[0][3].end - m->result[0][2].start, ISSUE + ps + FENCE_PS);
    gone(m, LINE(1));
    machine_rig_free(m);
}

Test(flush, of_a_line_that_nobody_has) { flush_takes(NULL, (struct op[]){ COMPUTE(1) }, LOOKUP + HOP + HOME + HOP); }
Test(flush, of_an_exclusive_line) { flush_takes(NULL, (struct op[]){ LOAD(LINE(1)) }, LOOKUP + HOP + HOME + HOP); }
Test(flush, of_a_modified_line) { flush_takes(NULL, (struct op[]){ STORE(LINE(1), 1) }, LOOKUP + HOP + HOME + HOP); }

/* The home invalidates both sharers, the flusher too: INV and answer, HOP each way, and its own lookup of the answer. Two
 * invalidations leave CONTROL apart; the second is answered that much later and served then, RESP_OCC after the first. */
Test(flush, of_a_shared_line)
{
    flush_takes((struct op[]){ AT(QUIET), LOAD(LINE(1)), END }, (struct op[]){ LOAD(LINE(1)) },
                LOOKUP + HOP + HOME + HOP + SNOOP + HOP + RESP_OCC + HOME + HOP);
}

Test(flush, of_a_line_modified_elsewhere)
{
    flush_takes((struct op[]){ AT(QUIET), STORE(LINE(1), 4), FENCE, END }, (struct op[]){ COMPUTE(1) },
                LOOKUP + HOP + HOME + HOP + SNOOP + HOP + HOME + HOP);
}

/* Ordinary flushes follow one another, optimised ones overlap: n of them, MSHRs for all. */
Test(flush, optimised_ones_overlap)
{
    tick took[2];
    for (unsigned k = 0; k < 2; k++) {
        struct rig_desc d = rig_desc(1);
        d.home.occupancy_ps = d.home.response_occupancy_ps = 0;
        d.net.control_occupancy_ps = d.net.data_occupancy_ps = 0;
        d.hart.commit_ps = 0;
        struct machine_rig *m = machine_rig_new(&d);
        struct op flush = FLUSH(LINE(1)), optimised = FLUSH_OPT(LINE(1));
        struct op s[8] = { AT(1000), k ? optimised : flush, k ? optimised : flush, k ? optimised : flush, FENCE, END };
        s[2].a = LINE(2), s[3].a = LINE(3);
        rig_script(m, 0, s);
        machine_rig_run(m);
        took[k] = m->result[0][4].end - m->result[0][1].start;
        machine_rig_free(m);
    }
    tick one = LOOKUP + HOP + HOME + HOP;
    cr_expect_eq(took[0], ISSUE + 3 * one + FENCE_PS);
    /* each starts when it has entered the buffer, the first when it has retired: the third after 2 ISSUE */
    cr_expect_eq(took[1], 2 * ISSUE + one + FENCE_PS, "%lu", (unsigned long)took[1]);
}

/* Another line takes the only place between the flush's issue and its lookup, while another hart takes the flushed line over:
 * its forward must not meet a flush and a write-back of one line. */
Test(flush, of_a_line_that_is_about_to_be_evicted)
{
    for (tick early = 0; early <= 2 * LOOKUP; early += LOOKUP / 4) {
        struct machine_rig *m = machine(2, 1, 1, 2, 2);
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 7), FENCE, AT(2 * QUIET - MISS_DRAM), PREFETCH(LINE(2)), AT(2 * QUIET - early),
                                        FLUSH(LINE(1)), FENCE, AT(3 * QUIET), LOAD(LINE(1)), FLUSH(LINE(1)), FENCE, END });
        rig_script(m, 1, (struct op[]){ AT(2 * QUIET - LOOKUP - HOP - HOME), SWAP(LINE(1), 8), END });
        machine_rig_run(m);
        cr_expect_eq(m->result[1][1].value, 7);
        cr_expect_eq(m->result[0][8].value, 8);
        gone(m, LINE(1));
        machine_rig_free(m);
    }
}
