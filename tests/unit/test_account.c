/* tests/unit/test_account.c - paths, ledgers and statistics: the rules of src/sim/account.h one by one, then
 * at random, then with faults planted that the sum check must see.
 */
#include "src/sim/account.h"

#include "src/base/rng.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct ledger ledger_of(struct account *a, uint32_t actor)
{
    struct ledger l;
    ledger_init(&l, a, actor);
    return l;
}

/* ---- paths */

Test(paths, a_mark_adds_the_time_since_the_last_one_to_one_part_of_every_open_request)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_GRANT, 100);
    ledger_mark(&l, PART_L1, 130);
    ledger_open(&l, CLASS_FREE, 150); /* opening marks the hart's own time as core */
    ledger_mark(&l, PART_DRAM, 190);
    ledger_mark(&l, PART_DRAM, 200);
    ledger_mark(&l, PART_FILL, 200); /* no time, nothing */
    const struct path *outer = &l.paths.path[0], *inner = &l.paths.path[1];
    cr_expect(outer->ps[PART_L1] == 30 && outer->ps[PART_CORE] == 20 && outer->ps[PART_DRAM] == 50);
    cr_expect(inner->ps[PART_L1] == 0 && inner->ps[PART_CORE] == 0 && inner->ps[PART_DRAM] == 50);
    cr_expect(inner->start == 150 && outer->start == 100 && inner->id != outer->id);
    cr_expect_eq(l.paths.at, 200);
    account_free(a);
}

Test(paths, ids_do_not_repeat_within_or_across_actors)
{
    struct account *a = account_new();
    struct ledger x = ledger_of(a, 0), y = ledger_of(a, 1);
    ledger_open(&x, CLASS_FREE, 0);
    ledger_open(&y, CLASS_FREE, 0);
    uint64_t first = x.paths.path[0].id;
    cr_expect_neq(first, y.paths.path[0].id);
    ledger_close(&x, 1);
    ledger_open(&x, CLASS_FREE, 1);
    cr_expect_neq(first, x.paths.path[0].id);
    account_free(a);
}

/* Rules 3 and 5: the waiter continues with birth + delta; what it did itself between birth and release is gone,
 * since the transaction's chain covers the same time. */
Test(paths, a_release_replaces_the_path_by_birth_and_delta)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_PAGE_OWN, 1000);
    ledger_mark(&l, PART_CORE, 1010);
    struct path_set birth;
    paths_copy(&birth, &l.paths);
    paths_mark(&birth, PART_ISSUE, 1015);
    struct delta d;
    delta_start(&d, 1015);
    ledger_mark(&l, PART_L1, 1040); /* the hart goes on meanwhile */
    delta_mark(&d, PART_REQUEST_NET, 1035);
    delta_mark(&d, PART_HOME, 1100);
    paths_release(&l.paths, &birth, &d);
    const struct path *p = &l.paths.path[0];
    cr_expect(p->ps[PART_CORE] == 10 && p->ps[PART_ISSUE] == 5 && p->ps[PART_REQUEST_NET] == 20 && p->ps[PART_HOME] == 65);
    cr_expect_eq(p->ps[PART_L1], 0, "not on the chain");
    cr_expect_eq(l.paths.at, 1100);
    ledger_close(&l, 1107);
    cr_expect_eq(account_stats(a, CLASS_PAGE_OWN)->hardware_sum_ps[PART_CORE], 17);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

/* Rule 7: the transaction was born before the inner request began. */
Test(paths, what_was_born_before_a_request_is_prior_to_it)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_GRANT, 0);
    struct path_set birth;
    paths_copy(&birth, &l.paths);
    struct delta d;
    delta_start(&d, 0);
    ledger_open(&l, CLASS_PAGE_OWN, 40);
    ledger_mark(&l, PART_CORE, 50);
    delta_mark(&d, PART_OWNER, 90);
    paths_release(&l.paths, &birth, &d);
    cr_expect(l.paths.path[0].ps[PART_OWNER] == 90 && l.paths.path[0].ps[PART_CORE] == 0, "the outer one knows it");
    cr_expect(l.paths.path[1].ps[PART_CORE] == 10 && l.paths.path[1].ps[PART_PRIOR] == 40, "the inner one does not");
    cr_expect(ledger_close(&l, 90) == 50 && ledger_close(&l, 90) == 90);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

/* Rule 4: each fork carries a copy, and only the one that arrived last counts. */
Test(paths, a_fork_copies_the_delta_and_the_last_arrival_is_kept)
{
    struct delta home, data, ack;
    delta_start(&home, 10);
    delta_mark(&home, PART_HOME, 30);
    data = ack = home;
    delta_mark(&data, PART_RESPONSE_NET, 50);
    delta_mark(&ack, PART_ACKS, 75);
    cr_expect(ack.ps[PART_HOME] == 20 && ack.ps[PART_ACKS] == 45 && ack.ps[PART_RESPONSE_NET] == 0);
    cr_expect(data.ps[PART_ACKS] == 0 && data.last == 50 && ack.last == 75);
}

/* Rule 5, released by the drain: same ids take its path, others have waited for older work. */
Test(paths, a_join_takes_the_releasers_path_of_the_same_request)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    struct path_set drain;
    ledger_open(&l, CLASS_GRANT, 0);
    paths_copy(&drain, &l.paths);
    paths_mark(&drain, PART_ISSUE, 70);
    ledger_open(&l, CLASS_FREE, 30);
    ledger_mark(&l, PART_CORE, 35);
    paths_mark(&drain, PART_DRAM, 100);
    paths_join(&l.paths, &drain);
    cr_expect(l.paths.path[0].ps[PART_ISSUE] == 70 && l.paths.path[0].ps[PART_DRAM] == 30 && l.paths.path[0].ps[PART_CORE] == 0);
    cr_expect(l.paths.path[1].ps[PART_CORE] == 5 && l.paths.path[1].ps[PART_PRIOR] == 65);
    cr_expect_eq(l.paths.at, 100);
    ledger_close(&l, 100);
    ledger_close(&l, 100);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

/* Rule 6: the drain goes on with the paths it has of the entry's requests; others restart as prior. */
Test(paths, an_adopted_entry_goes_on_or_restarts_as_prior)
{
    struct path_set drain = { .at = 200, .depth = 2 }, entry = { .at = 150, .depth = 2 };
    drain.path[0] = (struct path){ .id = 1, .start = 100 };
    drain.path[0].ps[PART_HOME] = 100;
    drain.path[1] = (struct path){ .id = 2, .start = 120 }; /* over meanwhile */
    entry.path[0] = (struct path){ .id = 1, .start = 100 };
    entry.path[1] = (struct path){ .id = 3, .start = 150 };
    paths_adopt(&drain, &entry, 230);
    cr_expect(drain.at == 230 && drain.depth == 2);
    cr_expect(drain.path[0].id == 1 && drain.path[0].ps[PART_HOME] == 100 && drain.path[0].ps[PART_CORE] == 30);
    cr_expect(drain.path[1].id == 3 && drain.path[1].start == 150 && drain.path[1].ps[PART_PRIOR] == 80);
    cr_expect_eq(drain.path[1].ps[PART_CORE], 0);
}

/* ---- phases */

Test(phases, tile_the_request)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 3);
    ledger_open(&l, CLASS_ALLOC_ATOMIC, 1000); /* begins in "entry" */
    ledger_phase(&l, PH_PCP, 1010);
    ledger_phase(&l, PH_PCP, 1020);            /* again: no change */
    ledger_phase(&l, PH_ZONE_WAIT, 1050);
    ledger_phase(&l, PH_PCP, 1090);
    ledger_source(&l, SOURCE_REFILL);
    cr_expect_eq(ledger_close(&l, 1100), 100);
    const struct class_stats *all = account_stats(a, CLASS_ALLOC_ATOMIC);
    cr_expect(all->phase_sum_ps[PH_ENTRY] == 10 && all->phase_sum_ps[PH_PCP] == 50 && all->phase_sum_ps[PH_ZONE_WAIT] == 40);
    const struct class_stats *refill = account_source_stats(a, CLASS_ALLOC_ATOMIC, SOURCE_REFILL);
    cr_assert(refill && refill->latency.count == 1 && refill->latency.sum_ps == 100);
    cr_expect_eq(refill->phase_sum_ps[PH_PCP], 50);
    cr_expect_null(account_source_stats(a, CLASS_ALLOC_ATOMIC, SOURCE_PCP));
    cr_expect_null(account_stats(a, CLASS_FREE));
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

Test(phases, an_interrupt_stops_every_open_request_and_each_goes_on_where_it_was)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_GRANT, 0);
    ledger_phase(&l, PH_ALLOC, 0);
    ledger_open(&l, CLASS_ALLOC_ATOMIC, 10);
    ledger_phase(&l, PH_ZONE_HOLD, 20);
    ledger_interrupted(&l, true, 50);
    ledger_open(&l, CLASS_FREE, 60); /* the handler's own: not interrupted */
    ledger_phase(&l, PH_PCP, 60);
    ledger_close(&l, 80);
    ledger_interrupted(&l, false, 90);
    ledger_close(&l, 100);
    ledger_close(&l, 130);
    const struct class_stats *g = account_stats(a, CLASS_GRANT), *alloc = account_stats(a, CLASS_ALLOC_ATOMIC);
    cr_expect(g->phase_sum_ps[PH_ALLOC] == 90 && g->phase_sum_ps[PH_INTERRUPTED] == 40);
    cr_expect(alloc->phase_sum_ps[PH_ENTRY] == 10 && alloc->phase_sum_ps[PH_ZONE_HOLD] == 40 &&
              alloc->phase_sum_ps[PH_INTERRUPTED] == 40);
    cr_expect(account_stats(a, CLASS_FREE)->phase_sum_ps[PH_PCP] == 20);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

/* A handler that lets interrupts in is interrupted itself: the outer request resumes its phase only when both are over. */
Test(phases, interrupts_nest)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_ALLOC_ATOMIC, 0);
    ledger_phase(&l, PH_ZONE_HOLD, 0);
    ledger_interrupted(&l, true, 10);
    ledger_open(&l, CLASS_FREE, 20);
    ledger_phase(&l, PH_PCP, 20);
    ledger_interrupted(&l, true, 25);
    ledger_interrupted(&l, false, 35);
    ledger_close(&l, 40);
    ledger_interrupted(&l, false, 50);
    ledger_close(&l, 70);
    const struct class_stats *s = account_stats(a, CLASS_ALLOC_ATOMIC), *f = account_stats(a, CLASS_FREE);
    cr_expect_eq(s->phase_sum_ps[PH_INTERRUPTED], 40);
    cr_expect_eq(s->phase_sum_ps[PH_ZONE_HOLD], 30);
    cr_expect(f->phase_sum_ps[PH_INTERRUPTED] == 10 && f->phase_sum_ps[PH_PCP] == 10);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_free(a);
}

/* ---- what is recorded */

Test(account, dropped_and_unrecorded_requests_leave_no_trace_but_are_checked)
{
    struct account *a = account_new();
    struct ledger l = ledger_of(a, 0);
    ledger_open(&l, CLASS_FREE, 0);
    ledger_drop(&l, 10);
    l.recording = false;
    ledger_open(&l, CLASS_FREE, 10);
    l.recording = true; /* decided when it began */
    ledger_close(&l, 20);
    cr_expect_null(account_stats(a, CLASS_FREE));
    ledger_open(&l, CLASS_ALLOC_OTHER, 20);
    ledger_class(&l, CLASS_FREE);
    ledger_close(&l, 25);
    cr_expect_eq(account_stats(a, CLASS_FREE)->latency.sum_ps, 5);
    ledger_open(&l, CLASS_FREE, 30);
    l.paths.path[0].ps[PART_L1] += 1;
    ledger_drop(&l, 40);
    cr_expect_eq(account_mismatch_count(a), 1);
    account_free(a);
}

Test(account, single_accesses_add_up_by_class_and_source)
{
    struct account *a = account_new();
    const uint64_t ps[PART_COUNT] = { [PART_L1] = 10, [PART_DRAM] = 90 };
    account_record_one(a, CLASS_LOAD, SOURCE_L1, 4, PART_L1);
    account_record_one(a, CLASS_LOAD, SOURCE_L1, 4, PART_L1);
    account_record(a, CLASS_LOAD, SOURCE_DRAM, 100, ps);
    const struct class_stats *all = account_stats(a, CLASS_LOAD), *l1 = account_source_stats(a, CLASS_LOAD, SOURCE_L1),
                             *dram = account_source_stats(a, CLASS_LOAD, SOURCE_DRAM);
    cr_expect(all->latency.count == 3 && all->latency.sum_ps == 108 && all->latency.max_ps == 100 && all->latency.min_ps == 4);
    cr_expect(l1->latency.count == 2 && l1->hardware_sum_ps[PART_L1] == 8 && l1->phase_sum_ps[PH_WORK] == 8);
    cr_expect(dram->hardware_sum_ps[PART_L1] == 10 && dram->hardware_sum_ps[PART_DRAM] == 90);
    cr_expect(all->hardware_sum_ps[PART_L1] == 18 && all->phase_sum_ps[PH_WORK] == 108);
    cr_expect_eq(account_mismatch_count(a), 0);
    account_record(a, CLASS_LOAD, SOURCE_DRAM, 101, ps); /* one picosecond nobody accounts for */
    cr_expect_eq(account_mismatch_count(a), 1);
    account_free(a);
}

Test(account, too_many_open_requests_are_a_panic, .exit_code = 1)
{
    struct ledger l = ledger_of(account_new(), 0);
    for (unsigned i = 0; i <= OPEN_MAX; i++)
        ledger_open(&l, CLASS_FREE, i);
}

Test(account, closing_without_opening_is_a_panic, .exit_code = 1)
{
    struct ledger l = ledger_of(account_new(), 0);
    ledger_close(&l, 1);
}

/* ---- at random: one hart with nested requests, transactions that overlap, and a serial drain */

enum fault { FAULT_NONE, FAULT_LOST_DELTA, FAULT_BIRTH_ONLY, FAULT_WRONG_ID, FAULT_LATE_BIRTH, FAULT_COUNT };
enum { TRANSACTIONS = 6 };

struct world {
    struct rng rng;
    struct account *a;
    struct ledger l;
    tick now;
    struct transaction { bool live; struct path_set birth; struct delta d; } t[TRANSACTIONS];
    struct path_set drain, entry;
    bool drain_has_entry;
    enum fault fault;
};

static tick passes(struct world *w) { return w->now += rng_below(&w->rng, 50); }
static enum part any_part(struct world *w) { return (enum part)rng_below(&w->rng, PART_COUNT); }

static void begin_transaction(struct world *w, struct transaction *t)
{
    ledger_mark(&w->l, PART_CORE, w->now);
    paths_copy(&t->birth, &w->l.paths);
    paths_mark(&t->birth, PART_ISSUE, passes(w));
    delta_start(&t->d, w->now + (w->fault == FAULT_LATE_BIRTH && rng_chance(&w->rng, 1, 50)));
    t->live = true;
}

static void wait_for(struct world *w, struct transaction *t)
{
    delta_mark(&t->d, PART_RESPONSE_NET, w->now = (w->now > t->d.last ? w->now : t->d.last) + rng_below(&w->rng, 50));
    bool strike = rng_chance(&w->rng, 1, 50);
    if (w->fault == FAULT_LOST_DELTA && strike)
        t->d.ps[PART_RESPONSE_NET] = 0; /* the last station's mark */
    if (w->fault == FAULT_BIRTH_ONLY && strike)
        memset(t->d.ps, 0, sizeof t->d.ps);
    if (w->fault == FAULT_WRONG_ID && strike) /* ids not compared: the path of another request is taken for one's own */
        for (uint32_t i = 0; i < t->birth.depth && i < w->l.paths.depth; i++)
            t->birth.path[i].id = w->l.paths.path[w->l.paths.depth - 1 - i].id;
    paths_release(&w->l.paths, &t->birth, &t->d);
    t->live = false;
    ledger_mark(&w->l, PART_FILL, passes(w));
}

static void store_enters(struct world *w)
{
    ledger_mark(&w->l, PART_CORE, w->now);
    if (!w->drain_has_entry)
        paths_copy(&w->drain, &w->l.paths);
    paths_copy(&w->entry, &w->l.paths);
    w->drain_has_entry = true;
}

static void drain_moves(struct world *w)
{
    if (!w->drain_has_entry)
        return;
    paths_adopt(&w->drain, &w->entry, passes(w));
    paths_mark(&w->drain, any_part(w), passes(w));
    if (rng_chance(&w->rng, 1, 2)) { /* the hart waits for it */
        paths_join(&w->l.paths, &w->drain);
        w->drain_has_entry = false;
    }
}

static void world_step(struct world *w)
{
    struct transaction *t = &w->t[rng_below(&w->rng, TRANSACTIONS)];
    switch (rng_below(&w->rng, 9)) {
    case 0: if (w->l.paths.depth < 6) ledger_open(&w->l, CLASS_FREE, passes(w)); break;
    case 1: if (w->l.paths.depth) ledger_close(&w->l, passes(w)); break;
    case 2: ledger_mark(&w->l, any_part(w), passes(w)); break;
    case 3: if (w->l.paths.depth) ledger_phase(&w->l, (enum phase_id)rng_below(&w->rng, PHASE_COUNT), passes(w)); break;
    case 4: if (!t->live) begin_transaction(w, t); break;
    case 5: if (t->live && t->d.last <= w->now) delta_mark(&t->d, any_part(w), passes(w)); break;
    case 6: if (t->live) wait_for(w, t); break;
    case 7: store_enters(w); break;
    case 8: drain_moves(w); break;
    }
}

static uint64_t mismatches(uint64_t seed, enum fault fault, uint64_t *closed)
{
    struct world w = { .rng = rng_stream(seed, "paths"), .a = account_new(), .fault = fault };
    ledger_init(&w.l, w.a, 0);
    for (unsigned i = 0; i < 50000; i++)
        world_step(&w);
    const struct class_stats *s = account_stats(w.a, CLASS_FREE);
    uint64_t sum = 0, bad = account_mismatch_count(w.a);
    for (unsigned i = 0; i < PART_COUNT; i++)
        sum += s->hardware_sum_ps[i];
    if (!fault)
        cr_expect_eq(sum, s->latency.sum_ps);
    *closed = s->latency.count;
    account_free(w.a);
    return bad;
}

Test(account, sums_match_whatever_happens)
{
    for (uint64_t seed = 1; seed <= 6; seed++) {
        uint64_t closed, bad = mismatches(seed, FAULT_NONE, &closed);
        printf("seed %lu: %lu requests\n", (unsigned long)seed, (unsigned long)closed);
        cr_expect_gt(closed, 3000);
        cr_expect_eq(bad, 0, "seed %lu", (unsigned long)seed);
    }
}

Test(account, planted_faults_are_seen)
{
    static const char *const names[FAULT_COUNT] = { "", "lost delta", "birth only", "wrong id", "late birth" };
    for (unsigned fault = 1; fault < FAULT_COUNT; fault++) {
        uint64_t closed, bad = mismatches(99, (enum fault)fault, &closed);
        printf("seed 99, %s: %lu of %lu\n", names[fault], (unsigned long)bad, (unsigned long)closed);
        cr_expect_gt(bad, 0, "%s", names[fault]);
    }
}
