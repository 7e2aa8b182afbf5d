/* tests/unit/test_hart_stores.c - the store buffer and what drains beside it: order, forwarding, ownership ahead, string and
 * non-temporal stores, fences. Names of times: rig_machine.h. A store retires ISSUE after its issue and is not
 * visible before.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000, N = 8 };

/* A machine without occupancies: transactions do not meet. */
static struct rig_desc ideal(unsigned harts)
{
    struct rig_desc d = rig_desc(harts);
    d.cache.mshrs = 8;
    d.cache.snoop_occupancy_ps = d.home.occupancy_ps = d.home.response_occupancy_ps = 0;
    d.net.control_occupancy_ps = d.net.data_occupancy_ps = 0;
    d.hart.commit_ps = ISSUE;
    return d;
}

/* ---- forwarding */

Test(forwarding, takes_the_youngest_store_that_covers_the_load)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 0x1111111111111111), STORE(LINE(3), 0x2222222222222222), STOREN(LINE(3) + 4, 2, 0xabcd),
                                    LOADN(LINE(3) + 5, 1), LOADN(LINE(3) + 6, 2), LOADN(LINE(3), 4), LOAD(LINE(3)), END });
    machine_rig_run(m);
    for (unsigned i = 3; i < 6; i++)
        cr_expect_eq(m->result[0][i].end - m->result[0][i].start, L1);
    cr_expect_eq(m->result[0][3].value, 0xab);
    cr_expect_eq(m->result[0][4].value, 0x2222);
    cr_expect_eq(m->result[0][5].value, 0x22222222);
    cr_expect_eq(m->result[0][6].value, 0x2222abcd22222222, "two stores: it waits until both are visible");
    cr_expect_gt(m->result[0][6].end, rig_when(m, SEEN_VISIBLE, 0, LINE(3) + 4, 0));
    cr_expect_eq(hart_counters(m->hart[0])->forwarded, 3);
    machine_rig_free(m);
}

Test(forwarding, from_a_string_store)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_WHOLE(LINE(3), 0x8877665544332211), LOADN(LINE(3) + 40, 8), LOADN(LINE(3) + 41, 1), LOAD(LINE(4)), END });
    machine_rig_run(m);
    cr_expect(m->result[0][1].value == 0x8877665544332211 && m->result[0][2].value == 0x22 && m->result[0][3].value == 0);
    cr_expect_eq(m->result[0][2].end, ISSUE + 2 * L1);
    machine_rig_free(m);
}

/* ---- visibility */

/* The first store misses in DRAM, the second hits: it waits, and follows COMMIT later. */
Test(visibility, is_in_program_order)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ ADD(LINE(4), 0), AT(QUIET), STORE(LINE(3), 1), STORE(LINE(4), 2), STORE(LINE(4) + 8, 3), FENCE, END });
    machine_rig_run(m);
    tick first = QUIET + ISSUE + MISS_DRAM;
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(3), 0), first);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(4), 0), first + COMMIT);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(4) + 8, 0), first + 2 * COMMIT);
    cr_expect_eq(m->result[0][5].end, first + 2 * COMMIT + FENCE_PS);
    machine_rig_free(m);
}

/* With K MSHRs, n stores to lines modified elsewhere go in generations of K: the head asks when it has retired (ISSUE), the
 * others when they enter, ISSUE apart, that is at ISSUE, ISSUE, 2 ISSUE, 3 ISSUE, .. Store i is granted MISS_OWNER after the end of
 * store i - K. Commits are ISSUE apart at least and in order. */
static void owned_ahead(unsigned k)
{
    struct rig_desc d = ideal(2);
    d.cache.mshrs = k;
    struct machine_rig *m = machine_rig_new(&d);
    struct op other[N + 1] = { END }, own[N + 2] = { AT(QUIET) };
    tick granted[N], visible[N];
    for (unsigned i = 0; i < N; i++) {
        other[i] = (struct op)STORE(LINE(i), 1);
        own[1 + i] = (struct op)STORE(LINE(i), 2);
        tick asked = QUIET + (i ? i : 1) * ISSUE;
        if (i >= k && granted[i - k] > asked)
            asked = granted[i - k];
        granted[i] = asked + MISS_OWNER;
        visible[i] = granted[i];
        if (i && visible[i] < visible[i - 1] + ISSUE)
            visible[i] = visible[i - 1] + ISSUE;
    }
    other[N] = own[N + 1] = (struct op)END;
    rig_script(m, 1, other);
    rig_script(m, 0, own);
    machine_rig_run(m);
    for (unsigned i = 0; i < N; i++)
        cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(i), 0), visible[i], "%u MSHRs, store %u: %lu, expected %lu", k, i,
                     (unsigned long)rig_when(m, SEEN_VISIBLE, 0, LINE(i), 0), (unsigned long)visible[i]);
    machine_rig_free(m);
}

Test(ownership, is_asked_for_ahead_one_mshr) { owned_ahead(1); }
Test(ownership, is_asked_for_ahead_four_mshrs) { owned_ahead(4); }
Test(ownership, is_asked_for_ahead_enough_mshrs) { owned_ahead(8); }

/* A full buffer makes the hart wait for the head: 2 entries, misses in the last level elsewhere. The third store enters
 * when the first is visible. */
Test(buffer, full)
{
    struct rig_desc d = ideal(1);
    d.hart.store_buffer = 2;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 1), STORE(LINE(2), 2), RECORD(1), STORE(LINE(3), 3), RECORD(0), FENCE, END });
    machine_rig_run(m);
    tick first = ISSUE + MISS_DRAM;
    cr_expect_eq(m->result[0][1].end, 2 * ISSUE);
    cr_expect_eq(m->result[0][3].end, first + ISSUE);
    cr_expect_eq(hart_counters(m->hart[0])->store_buffer_full, 1);
    rig_expect(m, CLASS_STORE_TO_RETIRE, SOURCE_DONE, PARTS({ PART_ISSUE, first - ISSUE }));
    machine_rig_free(m);
}

/* No buffer: the hart goes on when its store is visible. */
Test(buffer, of_no_entries)
{
    struct rig_desc d = rig_desc(1);
    d.hart.store_buffer = 0;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 1), STORE(LINE(1), 2), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][0].end, ISSUE + MISS_DRAM);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(1), 1), m->result[0][1].end);
    cr_expect_eq(hart_counters(m->hart[0])->forwarded, 0);
    machine_rig_free(m);
}

/* ---- string stores */

/* Whole lines are owned without data: no DRAM access at all, and they overlap. */
Test(string, stores_fetch_nothing_and_overlap)
{
    struct rig_desc d = ideal(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct op s[N + 2];
    for (unsigned i = 0; i < N; i++)
        s[i] = (struct op)STORE_WHOLE(LINE(i), 0);
    s[N] = (struct op)FENCE;
    s[N + 1] = (struct op)END;
    rig_script(m, 0, s);
    machine_rig_run(m);
    /* the first leaves when it has retired, each further one ISSUE (the commit time here) after it */
    cr_expect_eq(m->result[0][N].end, N * ISSUE + MISS_LLC + FENCE_PS, "%lu", (unsigned long)m->result[0][N].end);
    cr_expect(dram_counters(m->dram).read_count == 0 && dram_counters(m->dram).write_count == 0);
    for (unsigned i = 0; i < N; i++)
        cr_expect_eq(rig_copies(m, LINE(i)).writable, 1);
    machine_rig_free(m);
}

/* An ordinary store behind string stores is visible after all of them. */
Test(string, stores_come_before_a_later_ordinary_one)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ ADD(LINE(9), 0), AT(QUIET), STORE_WHOLE(LINE(1), 1), STORE_WHOLE(LINE(2), 2), STORE(LINE(9), 3), FENCE, END });
    machine_rig_run(m);
    tick last = rig_when(m, SEEN_LINE, 0, LINE(2), 0);
    cr_expect(last != TICK_MAX && rig_when(m, SEEN_VISIBLE, 0, LINE(9), 0) >= last);
    machine_rig_free(m);
}

/* ---- non-temporal stores */

static void fill_nt(struct op *s, uint64_t a, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        s[i] = (struct op)STORE_NT(a + 8 * i, v);
}

/* A full buffer leaves at once as a whole line; the fence waits until it has performed; it goes home and on to memory. */
Test(nontemporal, stores_leave_no_copy_and_read_nothing)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct op s[10];
    fill_nt(s, LINE(5), 0x55);
    s[8] = (struct op)FENCE_STORE;
    s[9] = (struct op)END;
    rig_script(m, 0, s);
    machine_rig_run(m);
    cr_expect_eq(rig_copies(m, LINE(5)).readable, 0);
    cr_expect_not_null(strstr(rig_home_says(m, LINE(5)), "not in the last level"));
    struct dram_counters c = dram_counters(m->dram);
    cr_expect(c.read_count == 0 && c.write_count == 1);
    cr_expect_eq(memory_line(m->memory, (lineno){ 5 })[7], 0x55);
    cr_expect_eq(m->result[0][8].end, 7 * ISSUE + MISS_LLC + ISSUE, "leaves with the eighth store; the fence ends with it");
    machine_rig_free(m);
}

/* Not a whole line: the rest has to be fetched. Nothing is visible before a fence. */
Test(nontemporal, a_part_waits_for_the_fence_and_is_merged)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    memory_write(m->memory, (paddr){ LINE(5) + 8 }, 8, 7);
    rig_script(m, 0, (struct op[]){ STORE_NT(LINE(5), 1), AT(QUIET), FENCE_STORE, LOAD(LINE(5) + 8), LOAD(LINE(5)), END });
    machine_rig_run(m);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(5), 0), QUIET + MISS_DRAM);
    cr_expect(m->result[0][3].value == 7 && m->result[0][4].value == 1);
    machine_rig_free(m);
}

Test(nontemporal, a_load_of_a_combined_line_sees_it)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_NT(LINE(5), 1), LOAD(LINE(5)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].value, 1);
    machine_rig_free(m);
}

/* One hart, one word: program order, combined or not, whatever the buffers hold. */
Test(nontemporal, and_ordinary_stores_of_one_word_keep_program_order)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_NT(LINE(5), 1), STORE(LINE(5), 2), FENCE, LOAD(LINE(5)), STORE(LINE(6), 1), STORE_NT(LINE(6), 2), FENCE,
                                    LOAD(LINE(6)), STORE_NT(LINE(7), 1), STORE_WHOLE(LINE(7), 2), FENCE, LOAD(LINE(7)), END });
    machine_rig_run(m);
    cr_expect(m->result[0][3].value == 2 && m->result[0][7].value == 2 && m->result[0][11].value == 2);
    machine_rig_free(m);
}

/* Two buffers: a third line makes the oldest leave, and waits for it. */
Test(nontemporal, more_lines_than_buffers)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_NT(LINE(5), 1), STORE_NT(LINE(6), 2), STORE_NT(LINE(7), 3), FENCE, END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][2].end, 2 * ISSUE + MISS_DRAM + ISSUE);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(5), 0), 2 * ISSUE + MISS_DRAM);
    for (unsigned i = 5; i < 8; i++)
        cr_expect_eq(memory_read(m->memory, (paddr){ LINE(i) }, 8), i - 4);
    machine_rig_free(m);
}

/* ---- fences */

Test(fence, costs_its_own_time_when_nothing_is_waiting)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ FENCE, FENCE_STORE, FENCE_LOAD, END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][0].end, FENCE_PS);
    cr_expect_eq(m->result[0][1].end, FENCE_PS + ISSUE);
    cr_expect_eq(m->result[0][2].end, FENCE_PS + ISSUE + LFENCE_PS);
    cr_expect_eq(rig_when(m, SEEN_BARRIER, 0, BARRIER_FULL, 0), FENCE_PS);
    cr_expect_eq(rig_when(m, SEEN_BARRIER, 0, BARRIER_LOAD, 0), FENCE_PS + ISSUE + LFENCE_PS);
    machine_rig_free(m);
}

/* A prefetch ends at its fill, no fence waits for it. */
Test(fence, does_not_wait_for_prefetches)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ PREFETCH(LINE(1)), FENCE, END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end, ISSUE + FENCE_PS);
    machine_rig_free(m);
}

/* ---- a request around stores: rule 8 and rule 6 */

/* The page is owned by prefetches that overlap; the fence waits for a store to the last line, born after. 4 lines, MSHRs
 * enough: the last prefetch is asked for 3 ISSUE after the start and ends MISS_OWNER later; the chain is that one's. */
Test(request, prefetches_then_a_store_and_a_fence)
{
    struct rig_desc d = ideal(2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ STORE(LINE(0), 1), STORE(LINE(1), 1), STORE(LINE(2), 1), STORE(LINE(3), 1), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), BEGIN(CLASS_PAGE_OWN), PREFETCH(LINE(0)), PREFETCH(LINE(1)), PREFETCH(LINE(2)),
                                    PREFETCH(LINE(3)), STORE(LINE(3), 2), FENCE, END_REQUEST, RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_PAGE_OWN, SOURCE_NONE, PARTS({ PART_CORE, 3 * ISSUE + FENCE_PS }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 },
                                                      { PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_OWNER, HOP + SNOOP },
                                                      { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(hart_counters(m->hart[0])->straggler[3], 1, "the last line to come is named");
    machine_rig_free(m);
}

/* A store still draining when its request ends is in nobody's latency, and `prior` to the next request that waits for it. */
Test(request, a_late_store_is_prior_to_the_next_request)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ RECORD(1), BEGIN(CLASS_FREE), STORE(LINE(3), 1), END_REQUEST, BEGIN(CLASS_PAGE_OWN), FENCE, END_REQUEST, END });
    machine_rig_run(m);
    rig_expect(m, CLASS_FREE, SOURCE_NONE, PARTS({ PART_CORE, ISSUE }));
    rig_expect(m, CLASS_PAGE_OWN, SOURCE_NONE, PARTS({ PART_PRIOR, MISS_DRAM }, { PART_CORE, FENCE_PS }));
    machine_rig_free(m);
}

/* ---- what the second level costs */

/* L1 has 4 sets of 2 ways: lines 0, 4, 8 meet, so that line 0 is in L2 only. The atomic and the store bring it up for
 * LOOKUP - L1 more than in L1. */
static void only_in_l2(bool atomic)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct op touch = (struct op)ADD(LINE(0), 0), use = (struct op)STORE(LINE(0), 7);
    if (atomic)
        use = touch;
    rig_script(m, 0, (struct op[]){ touch, AT(QUIET), use, FENCE, AT(2 * QUIET), ADD(LINE(4), 0), ADD(LINE(8), 0), AT(3 * QUIET), use, FENCE, END });
    machine_rig_run(m);
    tick in_l1 = m->result[0][3].end - QUIET, in_l2 = m->result[0][9].end - 3 * QUIET;
    cr_expect_eq(in_l2 - in_l1, LOOKUP - L1, "%s: %lu more", atomic ? "atomic" : "store", (unsigned long)(in_l2 - in_l1));
    machine_rig_free(m);
}

Test(second_level, delays_a_store) { only_in_l2(false); }
Test(second_level, delays_an_atomic) { only_in_l2(true); }

/* A string store occupies the hart for its own time, a line each. */
Test(string, stores_take_their_own_time)
{
    struct rig_desc d = rig_desc(1);
    d.hart.string_store_ps = 3 * ISSUE;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_WHOLE(LINE(3), 1), STORE_WHOLE(LINE(4), 1), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end, 6 * ISSUE);
    machine_rig_free(m);
}
