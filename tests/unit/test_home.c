/* tests/unit/test_home.c - the timed home: recalls, what is parked and in which order, DRAM, order of service. Real caches
 * around it. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000 };

static struct machine_rig *machine(unsigned harts, unsigned sets, unsigned ways)
{
    struct rig_desc d = rig_desc(harts);
    d.home.sets = sets;
    d.home.ways = ways;
    return machine_rig_new(&d);
}

/* A last level of one line. Line 2 needs its place: the owner of line 1 gives it back (forward HOP + SNOOP, answer HOP,
 * lookup HOME), which is all home_wait for the request; then DRAM. Writing line 1 back and reading line 2 share one bank:
 * the write is submitted first and with closed pages keeps it for controller .. burst and precharge. */
Test(recall, of_an_owned_line)
{
    struct machine_rig *m = machine(2, 1, 1);
    rig_script(m, 1, (struct op[]){ STORE(LINE(1), 7), FENCE, END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(2)), RECORD(0), AT(2 * QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    tick behind_write = 14000 + 15000 + 3000 + 16000; /* activate, column, burst, precharge of the write */
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
                     { PART_HOME_WAIT, HOP + SNOOP + HOP + HOME }, { PART_DRAM, behind_write + DRAM }, { PART_RESPONSE_NET, HOP },
                     { PART_FILL, FILL }));
    cr_expect_eq(m->result[0][5].value, 7);
    cr_expect_eq(rig_copies(m, LINE(2)).readable, 0, "recalled in turn");
    cr_expect_eq(home_counters(m->home[0]).recalls, 2);
    machine_rig_free(m);
}

/* k sharers acknowledge to the home; the invalidations leave CONTROL apart, the acknowledgements are served as they come,
 * RESP_OCC apart at least: the last of k acts HOP + SNOOP + HOP + (k - 1) * RESP_OCC + HOME after the recall. */
Test(recall, of_a_shared_line)
{
    enum { K = 4 };
    struct machine_rig *m = machine(K + 1, 1, 1);
    for (unsigned i = 1; i <= K; i++)
        rig_script(m, i, (struct op[]){ AT(200000 * i), LOAD(LINE(1)), END });
    rig_script(m, 0, (struct op[]){ AT(2 * QUIET), RECORD(1), STORE_WHOLE(LINE(2), 1), RECORD(0), FENCE, END });
    machine_rig_run(m);
    rig_expect(m, CLASS_STORE, SOURCE_LLC, /* a whole line: no DRAM */
               PARTS({ PART_ISSUE, ISSUE }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
                     { PART_HOME_WAIT, HOP + SNOOP + HOP + (K - 1) * RESP_OCC + HOME }, { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 0);
    cr_expect_eq(home_counters(m->home[0]).invalidations, K);
    cr_expect_eq(dram_counters(m->dram).write_count, 0, "line 1 was clean");
    machine_rig_free(m);
}

/* A line without private copies is simply replaced, the least recently used one first. */
Test(recall, is_not_needed_for_a_line_that_nobody_holds)
{
    struct machine_rig *m = machine(1, 1, 2);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 7), FENCE, STORE(LINE(2), 8), FENCE, LOAD(LINE(1)), LOAD(LINE(17)), END });
    m->d.cache.sets = 1;
    machine_rig_run(m);
    /* line 17 takes the place of line 1 or 2 at the home: line 1 was asked for first */
    cr_expect_eq(home_counters(m->home[0]).recalls, 1);
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 0, "inclusive: the recall took it from the hart that had just read it");
    cr_expect_eq(rig_copies(m, LINE(2)).writable, 1);
    cr_expect_eq(memory_versions(m->memory, (lineno){ 1 })->dram, 1, "written back");
    machine_rig_free(m);
}

/* Harts 1 to 6 ask for one line, 100 ps apart, while hart 0's transaction is under way; they are served in this order. The
 * swaps hand the line on: each returns its predecessor's number. */
Test(parked, requests_are_taken_up_in_the_order_they_came)
{
    enum { N = 7 };
    struct machine_rig *m = machine(N, 16, 2);
    for (unsigned i = 0; i < N; i++)
        rig_script(m, i, (struct op[]){ AT(QUIET + 100 * i), SWAP(LINE(1), 10 + i), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].value, 0);
    for (unsigned i = 1; i < N; i++)
        cr_expect_eq(m->result[i][1].value, 9 + i);
    cr_expect_eq(home_counters(m->home[0]).parked, N - 1, "each is parked once and stays where it is");
    machine_rig_free(m);
}

/* The hand-over of a contended line: lookup of DONE, forward, snoop, data, DONE. The next one is looked up already. */
Test(parked, a_contended_line_changes_hands_every_done_lookup_forward_data_done)
{
    enum { N = 5 };
    struct machine_rig *m = machine(N, 16, 2);
    for (unsigned i = 0; i < N; i++)
        rig_script(m, i, (struct op[]){ AT(QUIET + 5000 * i), SWAP(LINE(1), 1), END });
    machine_rig_run(m);
    tick first = rig_when(m, SEEN_ATOMIC, 0, LINE(1), 0);
    cr_expect_eq(first, QUIET + MISS_DRAM);
    for (unsigned i = 1; i < N; i++) /* from grant to grant: DONE HOP, lookup, forward HOP, snoop, data HOP */
        cr_expect_eq(rig_when(m, SEEN_ATOMIC, i, LINE(1), 0), first + i * (HOP + HOME + HOP + SNOOP + HOP), "hart %u", i);
    machine_rig_free(m);
}

/* One place, and several requests for different lines wait for it: everyone gets a turn (this once spun for ever), and who
 * had the line recalled comes first, though its owner wants it back at once. */
Test(parked, many_lines_for_one_place)
{
    enum { N = 6 };
    struct machine_rig *m = machine(N, 1, 1);
    for (unsigned i = 0; i < N; i++)
        rig_script(m, i, (struct op[]){ AT(QUIET + 100 * i), SWAP(LINE(1 + i), 1), SWAP(LINE(1 + i), 2), SWAP(LINE(7), 3), SWAP(LINE(1 + i), 4), END });
    machine_rig_run(m);
    for (unsigned i = 0; i < N; i++) {
        cr_expect_eq(m->result[i][2].value, 1);
        cr_expect_eq(m->result[i][4].value, 2);
    }
    machine_rig_free(m);
}

/* Two harts take turns on line 1 for as long as hart 2 waits for its place: it must not wait for ever. */
static void take_turns(struct hart *h, void *arg)
{
    const bool *over = arg;
    while (!*over)
        (void)k_fetch_add(h, (paddr){ LINE(1) }, 8, 1);
}
static void now_over(struct hart *h, void *arg)
{
    (void)h;
    *(bool *)arg = true;
}

Test(parked, a_place_is_not_kept_for_ever)
{
    struct machine_rig *m = machine(4, 1, 1);
    bool over = false;
    for (unsigned i = 0; i < 3; i++)
        rig_script(m, i, (struct op[]){ CALL(take_turns, &over), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET), LOAD(LINE(2)), CALL(now_over, &over), END });
    machine_rig_run(m);
    /* at worst: three harts' transactions on line 1, each a whole one with DONE, then the recall and its own miss */
    cr_expect_lt(m->result[3][1].end - QUIET, 3 * (MISS_OWNER + HOP + HOME) + 200000, "%lu", (unsigned long)m->result[3][1].end - QUIET);
    machine_rig_free(m);
}

/* Requests of different lines are pipelined: HOME_OCC apart, lookups overlap; DRAM's closed bank is the next limit, so the
 * lines are in the last level already. */
Test(service, one_request_every_occupancy)
{
    enum { N = 6 };
    struct rig_desc d = rig_desc(N + 1);
    d.net.control_occupancy_ps = d.net.data_occupancy_ps = 0;
    struct machine_rig *m = machine_rig_new(&d);
    struct op warm[2 * N + 2] = { END };
    for (unsigned i = 0; i < N; i++) { /* owned by nobody: read by a hart that flushes nothing, evicted by conflict */
        warm[i] = (struct op)LOAD(LINE(16 * i));
        warm[N + i] = (struct op)LOAD(LINE(16 * (N + i)));
    }
    warm[2 * N] = (struct op)END;
    rig_script(m, N, warm); /* 12 lines of one set of 4 ways: the first 8 are home */
    for (unsigned i = 0; i < N; i++)
        rig_script(m, i, (struct op[]){ AT(2 * QUIET + i), LOAD(LINE(16 * i)), END });
    machine_rig_run(m);
    for (unsigned i = 0; i < N; i++)
        cr_expect_eq(m->result[i][1].end, 2 * QUIET + MISS_LLC + FILL + i * HOME_OCC, "hart %u", i);
    machine_rig_free(m);
}

/* A line written back to memory and read again: the data comes from DRAM with the new version, and the versions say so. */
Test(memory, gets_what_the_last_level_gives_up)
{
    struct machine_rig *m = machine(1, 1, 1);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, STORE(LINE(2), 6), FENCE, LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][4].value, 5);
    struct dram_counters c = dram_counters(m->dram);
    cr_expect(c.read_count == 3 && c.write_count == 2);
    cr_expect_eq(home_counters(m->home[0]).writebacks, 2);
    machine_rig_free(m);
}

/* What is flushed or given back unchanged costs no DRAM write: read by one (exclusive), by two, flushed, evicted. */
Test(memory, is_not_written_with_what_it_has)
{
    struct machine_rig *m = machine(2, 1, 2);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), FLUSH(LINE(1)), FENCE, LOAD(LINE(2)), AT(2 * QUIET), FLUSH(LINE(2)), FENCE, LOAD(LINE(3)),
                                    LOAD(LINE(4)), LOAD(LINE(5)), STORE(LINE(6), 1), FLUSH(LINE(6)), FENCE, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(2)), END });
    machine_rig_run(m);
    cr_expect_eq(dram_counters(m->dram).write_count, 1, "line 6 alone: %lu", (unsigned long)dram_counters(m->dram).write_count);
    machine_rig_free(m);
}

Test(recall, takes_the_least_recently_used)
{
    struct machine_rig *m = machine(2, 1, 2);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(2)), AT(2 * QUIET), LOAD(LINE(3)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_not_null(strstr(rig_home_says(m, LINE(2)), "not in the last level"));
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 2);
    machine_rig_free(m);
}

/* Two forwards reach one cache together: the second is looked up the snoop port's occupancy later. */
Test(service, forwards_at_one_cache_are_looked_up_one_after_the_other)
{
    struct rig_desc d = rig_desc(3);
    d.cache.snoop_occupancy_ps = 5000;
    d.home.occupancy_ps = d.net.control_occupancy_ps = d.net.data_occupancy_ps = 0;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 1), STORE(LINE(2), 2), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(2)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end, QUIET + MISS_OWNER + FILL);
    cr_expect_eq(m->result[1][1].end, QUIET + MISS_OWNER + FILL + 5000);
    machine_rig_free(m);
}
