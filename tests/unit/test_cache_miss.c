/* tests/unit/test_cache_miss.c - one access, everything else idle: where its time goes, part by part. A sum over
 * all parts cannot see that two of them are swapped; these tests can.
 *
 * Names of times are those of rig_machine.h. A lone miss takes
 *   l1 2000, l2 4000            lookup of both levels before the request leaves
 *   request_net HOP             the crossbar's wire; ports are idle
 *   home HOME                   lookup; home_wait is 0 when nobody is before it
 *   dram DRAM                   when the last level has not got it
 *   owner HOP + SNOOP           when another cache has it: forward and its lookup
 *   response_net HOP, fill FILL
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000 }; /* everything before is over */

static void one(unsigned harts, const struct op *before1, const struct op *measured, enum class_id class, enum source_id source,
                const struct rig_part *parts)
{
    struct rig_desc d = rig_desc(harts);
    struct machine_rig *m = machine_rig_new(&d);
    if (before1)
        rig_script(m, 1, before1);
    rig_script(m, 0, measured);
    machine_rig_run(m);
    rig_expect(m, class, source, parts);
    machine_rig_free(m);
}

Test(load, l1_hit)
{
    one(1, NULL, (struct op[]){ LOAD(LINE(3)), RECORD(1), LOAD(LINE(3)), RECORD(0), END }, CLASS_LOAD, SOURCE_L1,
        PARTS({ PART_L1, L1 }));
}

/* L1 has 4 sets of 2 ways: lines 3, 7, 11 share a set, L2's 16 sets keep all of them. */
Test(load, l2_hit)
{
    one(1, NULL, (struct op[]){ LOAD(LINE(3)), LOAD(LINE(7)), LOAD(LINE(11)), RECORD(1), LOAD(LINE(3)), RECORD(0), END },
        CLASS_LOAD, SOURCE_L2, PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }));
}

Test(load, from_memory)
{
    one(1, NULL, (struct op[]){ RECORD(1), LOAD(LINE(3)), RECORD(0), END }, CLASS_LOAD, SOURCE_DRAM,
        PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM },
              { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
}

/* Hart 1 loaded it and gave it back: lines 3, 19, .. 67 share one set of 4 ways, so its eviction is over. */
Test(load, from_the_last_level)
{
    one(2, (struct op[]){ LOAD(LINE(3)), LOAD(LINE(19)), LOAD(LINE(35)), LOAD(LINE(51)), LOAD(LINE(67)), END },
        (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(3)), RECORD(0), END }, CLASS_LOAD, SOURCE_LLC,
        PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
              { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
}

Test(load, modified_in_another_cache)
{
    one(2, (struct op[]){ STORE(LINE(3), 5), FENCE, END }, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(3)), RECORD(0), END },
        CLASS_LOAD, SOURCE_PEER,
        PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
              { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
}

/* A partly overlapping older store makes the load wait until the buffer is empty; then it takes its line from L2's
 * controller. The store asks for its line when it has retired, which is when the load is issued. */
Test(load, behind_a_store_that_it_overlaps_in_part)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ AT(QUIET), STOREN(LINE(3), 4, 0x11223344), RECORD(1), LOAD(LINE(3)), RECORD(0), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][3].value, 0x11223344);
    rig_expect(m, CLASS_LOAD, SOURCE_L2, PARTS({ PART_ISSUE, MISS_DRAM }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 },
                                               { PART_FILL, FILL }));
    machine_rig_free(m);
}

Test(load, forwarded_from_the_store_buffer)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 0x8877665544332211), RECORD(1), LOADN(LINE(3) + 2, 2), RECORD(0), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][2].value, 0x4433);
    cr_expect_eq(m->result[0][2].end - m->result[0][2].start, L1);
    rig_expect(m, CLASS_LOAD, SOURCE_L1, PARTS({ PART_L1, L1 }));
    machine_rig_free(m);
}

/* Another request reached the home's port one picosecond before: this one is through the port CONTROL later, and served
 * HOME_OCC after the other. */
Test(load, behind_another_request)
{
    struct rig_desc d = rig_desc(3);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ LOAD(LINE(3)), LOAD(LINE(4)), FLUSH(LINE(100)), LOAD(LINE(19)), LOAD(LINE(35)), LOAD(LINE(51)),
                                    LOAD(LINE(67)), LOAD(LINE(20)), LOAD(LINE(36)), LOAD(LINE(52)), LOAD(LINE(68)), END });
    rig_script(m, 1, (struct op[]){ AT(2 * QUIET - 1), LOAD(LINE(4)), END });
    rig_script(m, 0, (struct op[]){ AT(2 * QUIET), RECORD(1), LOAD(LINE(3)), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_LOAD, SOURCE_LLC,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP + CONTROL - 1 },
                     { PART_HOME_WAIT, HOME_OCC - CONTROL }, { PART_HOME, HOME }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    machine_rig_free(m);
}

/* The same for one line. The other's transaction: its lookup ends at T, then DRAM, data HOP, DONE HOP, lookup HOME. This
 * request's lookup ends at T + HOME_OCC and it is parked until then; the other one owns the line by now. */
Test(load, behind_another_transaction_on_the_line)
{
    struct rig_desc d = rig_desc(2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ AT(QUIET - 1), LOAD(LINE(3)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(3)), RECORD(0), END });
    machine_rig_run(m);
    uint64_t parked = DRAM + HOP + HOP + HOME - HOME_OCC;
    rig_expect(m, CLASS_LOAD, SOURCE_PEER,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP + CONTROL - 1 },
                     { PART_HOME_WAIT, HOME_OCC - CONTROL + parked }, { PART_HOME, HOME }, { PART_OWNER, HOP + SNOOP },
                     { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    cr_expect_eq(home_counters(m->home[0]).parked, 1);
    machine_rig_free(m);
}

/* ---- stores: from issue to global visibility, no fill. Nothing happens before the store has retired, ISSUE after its issue. */

Test(store, hits_a_line_that_is_owned)
{
    one(1, NULL, (struct op[]){ STORE(LINE(3), 1), FENCE, RECORD(1), STORE(LINE(3), 2), RECORD(0), FENCE, END }, CLASS_STORE,
        SOURCE_L1, PARTS({ PART_L1, ISSUE }));
}

Test(store, exclusive_line_is_upgraded_silently)
{
    one(1, NULL, (struct op[]){ LOAD(LINE(3)), RECORD(1), STORE(LINE(3), 2), RECORD(0), FENCE, END }, CLASS_STORE, SOURCE_L1,
        PARTS({ PART_L1, ISSUE }));
}

Test(store, from_memory)
{
    one(1, NULL, (struct op[]){ RECORD(1), STORE(LINE(3), 2), RECORD(0), FENCE, END }, CLASS_STORE, SOURCE_DRAM,
        PARTS({ PART_ISSUE, ISSUE }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM },
              { PART_RESPONSE_NET, HOP }));
}

Test(store, modified_in_another_cache)
{
    one(2, (struct op[]){ STORE(LINE(3), 5), FENCE, END },
        (struct op[]){ AT(QUIET), RECORD(1), STORE(LINE(3), 6), RECORD(0), FENCE, END }, CLASS_STORE, SOURCE_PEER,
        PARTS({ PART_ISSUE, ISSUE }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
              { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, HOP }));
}

/* The home sends the data first (DATA at its inject port), then k invalidations CONTROL apart; each is looked up and
 * acknowledged to the requester. The last acknowledgement decides, the data's own chain is dropped. */
static void shared_by(unsigned k, bool also_here)
{
    struct rig_desc d = rig_desc(k + 1);
    struct machine_rig *m = machine_rig_new(&d);
    for (unsigned i = 1; i <= k; i++)
        rig_script(m, i, (struct op[]){ AT(100000 * (i - 1)), LOAD(LINE(3)), END });
    struct op first = also_here ? (struct op)LOAD(LINE(3)) : (struct op)LOAD(LINE(4));
    rig_script(m, 0, (struct op[]){ AT(100000 * k), first, AT(2 * QUIET), RECORD(1), STORE(LINE(3), 6), RECORD(0), FENCE, END });
    machine_rig_run(m);
    rig_expect(m, CLASS_STORE, SOURCE_PEER,
               PARTS({ PART_ISSUE, ISSUE }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
                     { PART_ACKS, DATA + (k - 1) * CONTROL + HOP + SNOOP + HOP }));
    cr_expect_eq(home_counters(m->home[0]).invalidations, k);
    cr_expect_eq(rig_copies(m, LINE(3)).agents, 1);
    machine_rig_free(m);
}

Test(store, shared_by_one_other) { shared_by(1, true); }
Test(store, shared_by_five_others) { shared_by(5, true); }
Test(store, shared_by_five_others_but_not_here) { shared_by(5, false); }

/* Hart 1 dropped its copy silently: the home does not know, and its acknowledgement is awaited all the same. */
Test(store, shared_by_one_who_has_dropped_its_copy)
{
    struct rig_desc d = rig_desc(2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ LOAD(LINE(3)), AT(QUIET), LOAD(LINE(19)), LOAD(LINE(35)), LOAD(LINE(51)), LOAD(LINE(67)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET / 2), LOAD(LINE(3)), AT(2 * QUIET), RECORD(1), STORE(LINE(3), 9), RECORD(0), FENCE, END });
    machine_rig_run(m);
    cr_expect_eq(cache_counters(m->cache[1])->evictions_clean, 1);
    rig_expect(m, CLASS_STORE, SOURCE_PEER,
               PARTS({ PART_ISSUE, ISSUE }, { PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
                     { PART_ACKS, DATA + HOP + SNOOP + HOP }));
    machine_rig_free(m);
}

/* Commits are COMMIT apart: the first one is over ISSUE after its issue, which is when the second one is issued. */
Test(store, waits_for_the_commit_before_it)
{
    one(1, NULL, (struct op[]){ STORE(LINE(3), 1), FENCE, STORE(LINE(3), 2), RECORD(1), STORE(LINE(3), 3), RECORD(0), FENCE, END },
        CLASS_STORE, SOURCE_L1, PARTS({ PART_ISSUE, COMMIT }));
}

/* A request that begins while that store waits and ends with the fence: until the commit it waited for older work. The
 * store was issued when the one before committed and commits 5000 later; the request begins ISSUE after its issue. */
Test(store, a_fence_behind_a_waiting_commit_is_billed_forward)
{
    struct rig_desc d = rig_desc(1);
    d.hart.commit_ps = 5000;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 1), FENCE, COMPUTE(9000), STORE(LINE(3), 2), STORE(LINE(3), 3), RECORD(1),
                                    BEGIN(CLASS_PAGE_OWN), FENCE, END_REQUEST, RECORD(0), END });
    machine_rig_run(m);
    const struct class_stats *s = account_stats(m->account, CLASS_PAGE_OWN);
    cr_assert(s);
    cr_expect_eq(s->latency.sum_ps, 5000 - ISSUE + FENCE_PS);
    cr_expect_eq(s->hardware_sum_ps[PART_PRIOR], 5000 - ISSUE);
    cr_expect_eq(s->hardware_sum_ps[PART_CORE], FENCE_PS);
    machine_rig_free(m);
}

/* ---- locked operations: on the hart's time; ATOMIC once the line is here */

Test(atomic, owned)
{
    one(1, NULL, (struct op[]){ ADD(LINE(3), 1), RECORD(1), ADD(LINE(3), 1), RECORD(0), END }, CLASS_ATOMIC, SOURCE_L1,
        PARTS({ PART_L1, ATOMIC }));
}

Test(atomic, modified_in_another_cache)
{
    one(2, (struct op[]){ STORE(LINE(3), 5), FENCE, END }, (struct op[]){ AT(QUIET), RECORD(1), ADD(LINE(3), 6), RECORD(0), END },
        CLASS_ATOMIC, SOURCE_PEER,
        PARTS({ PART_L1, L1 + ATOMIC }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME },
              { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
}

/* The store issued just before begins its miss when it has retired; the atomic looks up its line when that is over. */
Test(atomic, drains_the_store_buffer_first)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ ADD(LINE(3), 1), STORE(LINE(4), 1), RECORD(1), ADD(LINE(3), 1), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_ATOMIC, SOURCE_L1, PARTS({ PART_ISSUE, MISS_DRAM }, { PART_L1, ATOMIC }));
    cr_expect_eq(m->result[0][3].value, 1);
    machine_rig_free(m);
}

/* ---- an open request knows the parts of a hit */

Test(request, l2_hit_inside)
{
    one(1, NULL, (struct op[]){ LOAD(LINE(3)), LOAD(LINE(7)), LOAD(LINE(11)), RECORD(1), BEGIN(CLASS_FREE), LOAD(LINE(3)), COMPUTE(5), END_REQUEST,
                                RECORD(0), END },
        CLASS_FREE, SOURCE_NONE, PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_CORE, 5 }));
}
