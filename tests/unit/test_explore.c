/* tests/unit/test_explore.c - exhaustive exploration: stable state counts, every row used, planted faults found with
 * a counter-example, and the campaign of single-row mutants.
 *
 * The state counts are pinned: a change of the table or of the explorer must change them knowingly.
 */
#include <criterion/criterion.h>

#include "models/coherence/explore.h"
#include "src/base/fail.h"
#include "tests/unit/test_protocol_rig.h"

static struct rig rig;

static void setup(void)
{
    rig_mesi(&rig);
    cr_assert(rig.p, "%s", rig.errors);
}

static void teardown(void) { rig_free(&rig); }

TestSuite(explore, .init = setup, .fini = teardown, .timeout = 900);

static row_word with_action(row_word w, unsigned drop, unsigned becomes)
{
    row_word kept = w & 0xffff;
    unsigned at = 16;
    for (uint64_t a = row_actions(w); a; a >>= 8) {
        unsigned code = (a & 0xff) == drop ? becomes : (unsigned)(a & 0xff);
        if (code) {
            kept |= (row_word)code << at;
            at += 8;
        }
    }
    return kept;
}

static void expect_passes(struct explore_options o, uint64_t states, uint64_t transitions, unsigned unused)
{
    struct explore_result r = explore(rig.p, o);
    cr_expect_eq(r.outcome, EXPLORE_PASSED, "%s\n%s", r.what, r.trace ? r.trace : "");
    cr_expect_eq(r.states, states, "%u caches: %llu states", o.caches, (unsigned long long)r.states);
    cr_expect_eq(r.transitions, transitions, "%u caches: %llu moves", o.caches, (unsigned long long)r.transitions);
    cr_expect_eq(r.unused_rows, unused);
    cr_expect_null(r.trace);
    explore_result_free(&r);
}

Test(explore, one_cache_alone)
{
    expect_passes((struct explore_options){ .caches = 1, .recalls = true }, 220, 501, 101);
}

Test(explore, two_caches)
{
    /* the unused rows need a third: IMA ACK, and an old put while two others are at it */
    expect_passes((struct explore_options){ .caches = 2, .recalls = true }, 6853, 20456, 9);
}

Test(explore, two_caches_and_a_device_use_every_row)
{
    expect_passes((struct explore_options){ .caches = 2, .device = true, .recalls = true }, 131613, 495973, 0);
}

Test(explore, three_caches_use_every_row)
{
    expect_passes((struct explore_options){ .caches = 3, .recalls = true }, 116250, 438407, 0);
}

/* Two lines that compete for places: caches with room for one and one operation at a time, then two; a home with
 * room for one. */
Test(explore, two_lines)
{
    expect_passes((struct explore_options){ .caches = 2, .lines = 2, .mshrs = 1, .recalls = true }, 497678, 2317702, 34);
    expect_passes((struct explore_options){ .caches = 2, .lines = 2, .home_ways = 1, .recalls = true }, 158281, 693764, 95);
    expect_passes((struct explore_options){ .caches = 1, .lines = 2, .recalls = true }, 1806, 7501, 172);
    expect_passes((struct explore_options){ .caches = 1, .lines = 3, .home_ways = 2, .cache_ways = 1 }, 11162, 49437, 175);
    expect_passes((struct explore_options){ .caches = 1, .device = true, .lines = 2, .mshrs = 1 }, 24032, 92661, 84);
}

Test(explore, a_fault_among_two_lines_names_the_line)
{
    struct protocol copy = *rig.p;
    row_word w = with_action(rig_row(&copy, CTL_CACHE, "M", "EVICT"), CACT_SEND_PUT, 0);
    rig_plant(&copy, CTL_CACHE, "M", "EVICT", row_redirect(w, 0));
    struct explore_result r = explore(&copy, (struct explore_options){ .caches = 1, .lines = 2, .mshrs = 1 });
    cr_expect_eq(r.outcome, EXPLORE_VIOLATION);
    cr_expect_str_eq(r.what, "line 1: at rest, cache 0 is no owner but the home thinks otherwise");
    cr_expect(strstr(r.trace, "  7  line 1  cache 0  DATA_LAST    IM > M "), "nothing is evicted without need\n%s", r.trace);
    cr_expect(strstr(r.trace, "  8  line 1  cache 0  EVICT         M > I "), "%s", r.trace);
    explore_result_free(&r);
}

Test(explore, a_protocol_with_one_copy)
{
    rig_free(&rig);
    rig_one_copy(&rig, 0, NULL);
    expect_passes((struct explore_options){ .caches = 3, .recalls = true }, 786, 2366, 0);
}

Test(explore, a_limit_is_said)
{
    struct explore_options o = { .caches = 3, .max_states = 1000 };
    struct explore_result r = explore(rig.p, o);
    cr_expect_eq(r.outcome, EXPLORE_LIMIT);
    cr_expect(strstr(r.what, "not complete"));
    cr_expect(r.states > 1000 && r.states < 1100 && r.expanded > 0 && r.expanded < r.states, "%llu of %llu",
              (unsigned long long)r.expanded, (unsigned long long)r.states);
    cr_expect_eq(r.complete_depth, 6);
    explore_result_free(&r);
    char *text = NULL;
    size_t bytes = 0;
    uint64_t states = 0;
    FILE *out = open_memstream(&text, &bytes);
    cr_expect_eq(protocol_verify(out, rig.p, o, true, &states), EXIT_CLEAN, "a declared limit is no error");
    fclose(out);
    cr_expect_eq(states, r.states);
    cr_expect(strstr(text, "not complete: stopped at 1000 states"), "%s", text);
    cr_expect(strstr(text, "all stories of 6 moves among them"), "%s", text);
    cr_expect_null(strstr(text, "Mutants"));
    free(text);
}

/* One fault in one row: what it is known as, and how it must be found. */
static const struct planted {
    const char *name;
    enum controller c;
    const char *state, *event;
    const char *next;              /* NULL: row deleted */
    unsigned drop, becomes;        /* action replaced (0: left alone); 0: dropped */
    enum explore_outcome outcome;
    const char *says;
} planted[] = {
    { "lost acknowledgement", CTL_CACHE, "S", "INV", "I", CACT_SEND_ACK, 0, EXPLORE_STUCK, "deadlock" },
    { "missed invalidation", CTL_CACHE, "S", "INV", "S", 0, 0, EXPLORE_VIOLATION, "while a cache may read" },
    { "sharers not invalidated", CTL_HOME, "DS", "GETM", "DBO", HACT_INV_SHARERS, 0, EXPLORE_STUCK, "deadlock" },
    { "double owner", CTL_CACHE, "M", "FWD_GETM", "M", 0, 0, EXPLORE_VIOLATION, "both may write" },
    { "silent dirty eviction", CTL_CACHE, "M", "EVICT", "I", CACT_SEND_PUT, 0, EXPLORE_VIOLATION,
      "is no owner but the home thinks otherwise" },
    { "early data", CTL_CACHE, "IM", "DATA_ACKS", "M", 0, 0, EXPLORE_VIOLATION, "not performed" },
    { "forgotten sharer", CTL_HOME, "DBS", "DONE", "DS", HACT_REQ_IS_SHARER, 0, EXPLORE_VIOLATION,
      "a copy that the home does not know of" },
    { "lost write-back", CTL_HOME, "DM", "PUT_OWNER", "DI", HACT_KEEP_DATA, 0, EXPLORE_VIOLATION, "stale" },
    { "stale forward", CTL_HOME, "DBW", "WB", "DBS", HACT_OWNER_IS_SHARER, HACT_REQ_IS_SHARER, EXPLORE_VIOLATION, "" },
    { "missing pair", CTL_CACHE, "MI", "FWD_GETS", NULL, 0, 0, EXPLORE_VIOLATION, "no row for state MI, event FWD_GETS" },
    { "answer without data", CTL_CACHE, "IS", "DATA", "S", CACT_TAKE_DATA, 0, EXPLORE_VIOLATION, "loads stale data" },
    { "home busy for ever", CTL_CACHE, "IS", "DATA_E", "E", CACT_SEND_DONE, 0, EXPLORE_STUCK, "deadlock" },
    { "exclusive beside sharers", CTL_HOME, "DS", "GETS", "DBS", HACT_DATA_TO_REQ, HACT_DATA_E_TO_REQ, EXPLORE_VIOLATION, "" },
    { "flush that stays in the last level", CTL_HOME, "DM", "PUTF_OWNER", "DI", HACT_FLUSH_MEMORY, 0, EXPLORE_VIOLATION,
      "ends a flush that left" },
    { "old flush forgotten", CTL_HOME, "DM", "PUTF_OLD", "DM", HACT_FWD_FLUSH_TO_OWNER, HACT_PUTACK_TO_REQ,
      EXPLORE_VIOLATION, "ends a flush that left" },
};

Test(explore, planted_faults_are_found_and_told)
{
    for (unsigned i = 0; i < sizeof planted / sizeof *planted; i++) {
        const struct planted *f = &planted[i];
        struct protocol copy = *rig.p;
        row_word w = rig_row(&copy, f->c, f->state, f->event);
        if (f->drop)
            w = with_action(w, f->drop, f->becomes);
        w = f->next ? row_redirect(w, (uint8_t)protocol_state(&copy, f->c, f->next)) : ROW_ILLEGAL;
        cr_assert_neq(w, rig_row(&copy, f->c, f->state, f->event), "%s", f->name);
        rig_plant(&copy, f->c, f->state, f->event, w);
        struct explore_result r = explore(&copy, (struct explore_options){ .caches = 2, .recalls = true });
        cr_expect_eq(r.outcome, f->outcome, "%s: %s", f->name, r.what);
        cr_expect(strstr(r.what, f->says), "%s: want \"%s\", got \"%s\"", f->name, f->says, r.what);
        cr_expect(r.trace && strncmp(r.trace, "  1  ", 5) == 0 && r.trace_steps > 0, "%s: no counter-example", f->name);
        explore_result_free(&r);
    }
}

/* Answer and thanks for ever: something always moves and nothing ever completes. */
Test(explore, a_livelock_is_found)
{
    rig_free(&rig);
    rig_text(&rig, "kind: protocol\nname: polite\ntitle: After you\n"
                   "cache:\n  states: {I: No copy., IS: Asked.}\n"
                   "  rows: [[I, LOAD, IS, [SEND_GETS]], [IS, PUTACK, IS, [SEND_DONE]]]\n  wait: {IS: [LOAD, EVICT]}\n"
                   "home:\n  states: {DI: Idle., DB: Busy.}\n"
                   "  rows: [[DI, GETS, DB, [PUTACK_TO_REQ]], [DB, DONE, DB, [PUTACK_TO_REQ]]]\n  wait: {DB: [GETS]}\n");
    cr_assert(rig.p, "%s", rig.errors);
    struct explore_result r = explore(rig.p, (struct explore_options){ .caches = 2 });
    cr_expect_eq(r.outcome, EXPLORE_STUCK);
    cr_expect(strstr(r.what, "livelock"), "%s", r.what);
    cr_expect(r.trace && r.trace_steps > 0);
    explore_result_free(&r);
}

/* A cache that gives up its only copy without a word: the shortest story, word by word. */
Test(explore, the_counter_example_is_the_shortest_and_reads_well)
{
    struct protocol copy = *rig.p;
    row_word w = with_action(rig_row(&copy, CTL_CACHE, "E", "EVICT"), CACT_SEND_PUT, 0);
    rig_plant(&copy, CTL_CACHE, "E", "EVICT", row_redirect(w, 0));
    struct explore_result r = explore(&copy, (struct explore_options){ .caches = 2, .recalls = true });
    cr_expect_eq(r.outcome, EXPLORE_VIOLATION);
    cr_expect_str_eq(r.trace, "  1  cache 0  LOAD          I > IS    in flight: GETS of cache 0 to home\n"
                              "  2  home     GETS         DI > DBO   in flight: DATA_E to cache 0\n"
                              "  3  cache 0  DATA_E       IS > E     in flight: DONE of cache 0 to home\n"
                              "  4  home     DONE        DBO > DM    in flight: nothing\n"
                              "  5  cache 0  EVICT         E > I     in flight: nothing\n");
    cr_expect_str_eq(r.what, "at rest, cache 0 is no owner but the home thinks otherwise");
    explore_result_free(&r);
}

Test(explore, verify_prints_and_returns_the_exit_code)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    struct explore_options o = { .caches = 2, .recalls = true };
    cr_expect_eq(protocol_verify(out, rig.p, o, false, NULL), EXIT_CLEAN);
    struct protocol copy = *rig.p;
    rig_plant(&copy, CTL_CACHE, "MI", "FWD_GETS", ROW_ILLEGAL);
    cr_expect_eq(protocol_verify(out, &copy, o, false, NULL), EXIT_VIOLATION);
    copy = *rig.p;
    rig_plant(&copy, CTL_CACHE, "S", "INV", with_action(rig_row(&copy, CTL_CACHE, "S", "INV"), CACT_SEND_ACK, 0));
    cr_expect_eq(protocol_verify(out, &copy, o, false, NULL), EXIT_STUCK);
    copy = *rig.p;
    rig_plant(&copy, CTL_CACHE, "I", "FWD_GETS", rig_row(&copy, CTL_CACHE, "E", "FWD_GETM"));
    o.caches = 3;
    cr_expect_eq(protocol_verify(out, &copy, o, false, NULL), EXIT_VIOLATION, "a row that never fires");
    fclose(out);
    cr_expect(strstr(text, "6853 states, 20456 moves"), "%s", text);
    cr_expect(strstr(text, "Shortest way there:\n  1  "), "%s", text);
    cr_expect(strstr(text, "never used: cache, state I, event FWD_GETS"), "%s", text);
    free(text);
}

Test(explore, every_single_row_mutant_is_caught_or_explained)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    struct mutant_result m = mutants(out, rig.p, (struct explore_options){ .caches = 3, .recalls = true });
    fclose(out);
    cr_expect_eq(m.survivors, 0, "%s", text);
    cr_expect_eq(m.stale_entries, 0, "%s", text);
    cr_expect_eq(m.total, 1626);
    cr_expect_eq(m.caught, 1557);
    cr_expect_eq(m.caught_by_coverage, 11);
    cr_expect_eq(m.equivalent, rig.p->n_equivalent + 24, "and the redirections of two rows for directories that broadcast");
    free(text);
}
