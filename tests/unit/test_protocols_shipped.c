/* tests/unit/test_protocols_shipped.c - the shipped protocols beside MESI: explored completely, every row
 * used, every single-row mutant caught or explained, and what the timed machine derives from their tables.
 *
 * The state counts are pinned: a change of a table or of the explorer must change them knowingly.
 */
#include <criterion/criterion.h>

#include "models/coherence/explore.h"
#include "tests/unit/test_protocol_rig.h"

TestSuite(shipped, .timeout = 900);

/* ---- exploration */

static const struct explored {
    const char *name;
    struct explore_options options;
    uint64_t states, transitions;
    unsigned unused; /* rows that need a third agent */
} explored[] = {
    { "msi", { .caches = 2, .recalls = true }, 5273, 15782, 9 },
    { "msi", { .caches = 3, .recalls = true }, 87492, 332929, 0 },
    { "msi", { .caches = 2, .device = true, .recalls = true }, 109577, 415498, 0 },
    { "mesif", { .caches = 2, .recalls = true }, 9679, 27582, 8 },
    { "mesif", { .caches = 3, .recalls = true }, 229721, 812683, 0 },
    { "mesif", { .caches = 2, .device = true, .recalls = true }, 212331, 763641, 0 },
    { "moesi", { .caches = 2, .recalls = true }, 7780, 23335, 27 },
    { "moesi", { .caches = 3, .recalls = true }, 151350, 568968, 0 },
    { "bus-msi", { .caches = 1, .recalls = true }, 130, 257, 135 },
    { "bus-msi", { .caches = 2, .recalls = true }, 4441, 11669, 8 },
    { "bus-msi", { .caches = 3, .recalls = true }, 81686, 293444, 0 },
    { "bus-msi", { .caches = 2, .device = true, .recalls = true }, 149767, 517470, 0 },
    { "bus-mesi", { .caches = 1, .recalls = true }, 106, 227, 167 },
    { "bus-mesi", { .caches = 2, .recalls = true }, 5099, 14548, 7 },
    { "bus-mesi", { .caches = 3, .recalls = true }, 116150, 450176, 0 },
    { "bus-mesi", { .caches = 2, .device = true, .recalls = true }, 189830, 692695, 0 },
    { "bus-moesi", { .caches = 1, .recalls = true }, 100, 211, 189 },
    { "bus-moesi", { .caches = 2, .recalls = true }, 5294, 15075, 5 },
    { "bus-moesi", { .caches = 3, .recalls = true }, 132032, 516804, 0 },
    { "bus-moesi", { .caches = 2, .device = true, .recalls = true }, 200978, 743487, 0 },
    { "moesi", { .caches = 2, .device = true, .recalls = true }, 137372, 499928, 0 },
};

Test(shipped, explored_completely)
{
    for (size_t i = 0; i < sizeof explored / sizeof *explored; i++) {
        const struct explored *e = &explored[i];
        struct rig rig = rig_shipped(e->name);
        struct explore_result r = explore(rig.p, e->options);
        cr_expect_eq(r.outcome, EXPLORE_PASSED, "%s: %s\n%s", e->name, r.what, r.trace ? r.trace : "");
        cr_expect_eq(r.states, e->states, "%s, %u caches: %llu states", e->name, e->options.caches, (unsigned long long)r.states);
        cr_expect_eq(r.transitions, e->transitions, "%s, %u caches: %llu moves", e->name, e->options.caches,
                     (unsigned long long)r.transitions);
        cr_expect_eq(r.unused_rows, e->unused, "%s, %u caches: %u rows unused", e->name, e->options.caches, r.unused_rows);
        explore_result_free(&r);
        rig_free(&rig);
    }
}

static void mutants_are_caught(const char *name, unsigned total, unsigned by_coverage)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    struct rig rig = rig_shipped(name);
    struct mutant_result m = mutants(out, rig.p, (struct explore_options){ .caches = 3, .recalls = true });
    fclose(out);
    cr_expect_eq(m.survivors, 0, "%s: %s", name, text);
    cr_expect_eq(m.stale_entries, 0, "%s: %s", name, text);
    cr_expect_eq(m.total, total, "%s: %u mutants", name, m.total);
    cr_expect_eq(m.caught_by_coverage, by_coverage, "%s: %u leave rows unused", name, m.caught_by_coverage);
    unsigned unheard = strncmp(name, "bus", 3) == 0 ? 0 : strcmp(name, "moesi") == 0 ? 3 : 2; /* rows for directories that broadcast */
    unsigned unreached = unheard * (rig.p->table[CTL_CACHE].n_states - 1); /* their redirections */
    cr_expect_eq(m.equivalent, rig.p->n_equivalent + unreached);
    cr_expect_eq(m.caught + m.caught_by_coverage + m.equivalent, m.total);
    rig_free(&rig);
    free(text);
}

/* Directories that lose track of their sharers: every row is used then, those that nobody asks for otherwise among them. */
Test(shipped, explored_with_broadcasts)
{
    static const struct { const char *name; uint64_t states; } broadcast[] = {
        { "msi", 153538 }, { "mesi", 184363 }, { "mesif", 362608 }, { "moesi", 318159 },
    };
    for (size_t i = 0; i < 4; i++) {
        struct rig rig = rig_shipped(broadcast[i].name);
        struct explore_result r = explore(rig.p, (struct explore_options){ .caches = 3, .recalls = true, .broadcast = true });
        cr_expect_eq(r.outcome, EXPLORE_PASSED, "%s: %s\n%s", broadcast[i].name, r.what, r.trace ? r.trace : "");
        cr_expect_eq(r.states, broadcast[i].states, "%s: %llu states", broadcast[i].name, (unsigned long long)r.states);
        for (unsigned e = 0; e < rig.p->n_equivalent; e++) {
            const struct equivalent *q = &rig.p->equivalent[e];
            if (q->controller == CTL_CACHE && q->next < 0)
                cr_expect_gt(r.counts.cache[q->state][q->event], 0, "%s: state %u", broadcast[i].name, q->state);
        }
        explore_result_free(&r);
        rig_free(&rig);
    }
}

Test(shipped, mutants_of_msi) { mutants_are_caught("msi", 1424, 10); }
Test(shipped, mutants_of_mesif) { mutants_are_caught("mesif", 2596, 9); }
Test(shipped, mutants_of_bus_msi) { mutants_are_caught("bus-msi", 1892, 7); }
Test(shipped, mutants_of_bus_mesi) { mutants_are_caught("bus-mesi", 2165, 9); }
Test(shipped, mutants_of_bus_moesi) { mutants_are_caught("bus-moesi", 2674, 13); }
Test(shipped, mutants_of_moesi) { mutants_are_caught("moesi", 2660, 13); }

/* Faults at what these protocols have and MESI has not: each must be found, and why. */
static const struct planted {
    const char *protocol;
    enum controller c;
    const char *state, *event, *next;
    unsigned drop; /* action left out, 0 none */
    const char *says;
} planted[] = {
    { "moesi", CTL_CACHE, "M", "FWD_GETS", "M", 0, "while a cache may write" },
    { "moesi", CTL_CACHE, "O", "EVICT", "I", CACT_SEND_PUT, "is no owner but the home thinks otherwise" },
    { "moesi", CTL_CACHE, "OM", "FWD_GETM", "OM", 0, "may write while" },
    { "moesi", CTL_HOME, "DO", "PUT_OWNER", "DS", HACT_KEEP_DATA, "stale" },
    { "moesi", CTL_HOME, "DO", "UPG_OWNER", "DBO", HACT_INV_SHARERS, "deadlock" },
    { "moesi", CTL_HOME, "DBP", "DONE", "DS", 0, "stale data" },
    { "bus-msi", CTL_CACHE, "M", "SNOOP_GETM", "M", 0, "both may write" },
    { "bus-mesi", CTL_CACHE, "SM", "SNOOP_GETM", "SM", 0, "may read" },
    { "bus-mesi", CTL_CACHE, "MI", "GRANT_LAST", "I", CACT_ANSWER_DATA, "deadlock" },
    { "bus-mesi", CTL_HOME, "BR", "ALL_SHARED", "BD", HACT_DATA_TO_REQ, "deadlock" },
    { "bus-mesi", CTL_HOME, "BP", "SNOOP_DATA_LAST", "BI", HACT_KEEP_DATA, "stale" },
    { "bus-mesi", CTL_HOME, "BF", "ALL_OWNED", "BI", HACT_FLUSH_MEMORY, "ends a flush that left" },
    { "bus-mesi", CTL_HOME, "BD", "DONE", "BI", 0, "a recall ends while a cache may read" },
    { "bus-moesi", CTL_CACHE, "O", "EVICT", "I", CACT_SEND_ASK_PUT, "" },
    { "bus-moesi", CTL_CACHE, "O", "SNOOP_GETS", "S", 0, "" },
    { "bus-moesi", CTL_CACHE, "OM", "SNOOP_GETM", "OM", 0, "may write while" },
    { "mesif", CTL_CACHE, "F", "STORE", "M", 0, "" /* which rule is broken first does not matter */ },
    { "mesif", CTL_CACHE, "F", "FWD_GETS", "F", 0, "is owner but the home thinks otherwise" },
    { "mesif", CTL_HOME, "DBS", "DONE", "DF", HACT_REQ_SUPPLIES, "the home thinks otherwise" },
    { "mesif", CTL_HOME, "DF", "RECALL", "DBR", HACT_RECALL_SHARERS, "deadlock" },
};

static row_word without(row_word w, unsigned drop)
{
    row_word kept = w & 0xffff;
    unsigned at = 16;
    for (uint64_t a = row_actions(w); a; a >>= 8)
        if ((a & 0xff) != drop) {
            kept |= (row_word)(a & 0xff) << at;
            at += 8;
        }
    return kept;
}

Test(shipped, planted_faults_are_found)
{
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        const struct planted *f = &planted[i];
        struct rig rig = rig_shipped(f->protocol);
        struct protocol copy = *rig.p;
        row_word w = rig_row(&copy, f->c, f->state, f->event);
        rig_plant(&copy, f->c, f->state, f->event,
                  row_redirect(without(w, f->drop), (uint8_t)protocol_state(&copy, f->c, f->next)));
        struct explore_result r = explore(&copy, (struct explore_options){ .caches = 2, .recalls = true });
        cr_expect(r.outcome == EXPLORE_VIOLATION || r.outcome == EXPLORE_STUCK, "%s, %s %s", f->protocol, f->state, f->event);
        cr_expect(strstr(r.what, f->says), "%s, %s %s: %s", f->protocol, f->state, f->event, r.what);
        explore_result_free(&r);
        rig_free(&rig);
    }
}

/* ---- what the timed machine asks */

static uint8_t at(const struct protocol *p, const char *state) { return (uint8_t)protocol_state(p, CTL_CACHE, state); }
static uint8_t home_at(const struct protocol *p, const char *state) { return (uint8_t)protocol_state(p, CTL_HOME, state); }

Test(shipped, predicates_of_msi)
{
    struct rig r = rig_shipped("msi");
    cr_expect(cache_readable(r.p, at(r.p, "S")) && !cache_writable(r.p, at(r.p, "S")));
    cr_expect(cache_evict_silent(r.p, at(r.p, "S")) && !cache_evict_silent(r.p, at(r.p, "M")));
    cr_expect_eq(cache_after_store(r.p, at(r.p, "M")), at(r.p, "M"));
    cr_expect_eq(protocol_state(r.p, CTL_CACHE, "E"), -1);
    cr_expect_eq(r.p->writable, 1u << at(r.p, "M"), "only M writes");
    rig_free(&r);
}

Test(shipped, predicates_of_mesif)
{
    struct rig r = rig_shipped("mesif");
    cr_expect(cache_readable(r.p, at(r.p, "F")) && !cache_writable(r.p, at(r.p, "F")) && cache_stable(r.p, at(r.p, "F")));
    cr_expect(!cache_evict_silent(r.p, at(r.p, "F")), "the home must learn that nobody forwards");
    cr_expect(cache_evict_silent(r.p, at(r.p, "S")));
    cr_expect(cache_readable(r.p, at(r.p, "FM")) && !cache_stable(r.p, at(r.p, "FM")));
    cr_expect_eq(cache_after_store(r.p, at(r.p, "E")), at(r.p, "M"));
    cr_expect(!home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DF") }, HEV_GETS), "the forwarder serves");
    cr_expect(home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DF") }, HEV_GETU), "the home is current");
    cr_expect(!home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DF") }, HEV_UPG_OWNER));
    cr_expect(home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DS") }, HEV_UPG_OLD));
    rig_free(&r);
}

Test(shipped, predicates_of_moesi)
{
    struct rig r = rig_shipped("moesi");
    cr_expect(cache_readable(r.p, at(r.p, "O")) && !cache_writable(r.p, at(r.p, "O")) && cache_stable(r.p, at(r.p, "O")));
    cr_expect(!cache_evict_silent(r.p, at(r.p, "O")), "the newest data is in O alone");
    cr_expect_eq(cache_after_store(r.p, at(r.p, "E")), at(r.p, "M"));
    for (unsigned e = 0; e < HOME_EVENT_COUNT; e++)
        cr_expect(!home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DO") }, (enum home_event)e), "%s: the home's data is old in DO",
                  home_event_name((enum home_event)e));
    cr_expect(home_needs_data(r.p, &(struct home_line){ .state = home_at(r.p, "DS") }, HEV_GETS));
    rig_free(&r);
}

/* ---- a pair that is missing is seen without exploring */

Test(shipped, what_may_come_at_any_time_needs_a_row_everywhere)
{
    static const struct { unsigned line; const char *with, *says; } gaps[] = {
        { 23, "    IM: [LOAD, EVICT]", "p.yaml:8:5: cache: state IM says nothing about STORE\n" },
        { 24, "    MI: [EVICT]", "p.yaml:9:5: cache: state MI says nothing about LOAD, STORE\n" },
        { 16, "    - [M, STORE_FULL, M, [COMPLETE]]\n    - [M, EVICT, MI, [SEND_PUT]]",
          "p.yaml:6:5: cache: state I says nothing about STORE_FULL\n" },
        { 39, "    DB: [PUT_OWNER, PUT_OLD]", "p.yaml:30:5: home: state DB says nothing about GETM\n" },
    };
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        struct rig r;
        rig_one_copy(&r, gaps[i].line, gaps[i].with);
        cr_expect_null(r.p, "gap %zu", i);
        cr_expect(strstr(r.errors, gaps[i].says), "want %s, got\n%s", gaps[i].says, r.errors);
        rig_free(&r);
    }
}

/* ---- the two words added for them */

Test(shipped, an_upgrade_is_judged_by_who_owns_the_line)
{
    struct home_line line = { .owner = 3, .requester = -1 };
    struct msg m = { .kind = MSG_UPG, .requester = 3, .txn = 7 };
    cr_expect_eq(home_classify(&line, &m), HEV_UPG_OWNER);
    m.requester = 4;
    cr_expect_eq(home_classify(&line, &m), HEV_UPG_OLD);
    line.owner = -1;
    m.requester = UINT16_MAX;
    cr_expect_eq(home_classify(&line, &m), HEV_UPG_OLD, "nobody is not the owner");
}

Test(shipped, who_supplies_is_owner_and_sharer)
{
    struct rig r = rig_shipped("mesif");
    struct outbox out;
    struct home_line line = { .state = home_at(r.p, "DS"), .owner = -1, .requester = -1, .txn = -1, .sharers = { { 1u << 5 } } };
    struct msg gets = { .kind = MSG_GETS, .requester = 2, .txn = 1 }, done = { .kind = MSG_DONE, .requester = 2, .txn = 1 };
    cr_assert_eq(home_step(r.p, &line, HEV_GETS, &gets, &out, NULL), STEP_DONE);
    cr_assert_eq(home_step(r.p, &line, HEV_DONE, &done, &out, NULL), STEP_DONE);
    cr_expect_eq(line.owner, 2);
    cr_expect_eq(line.sharers.w[0], 1u << 5 | 1u << 2);
    struct msg upg = { .kind = MSG_UPG, .requester = 2, .txn = 9 };
    cr_assert_eq(home_step(r.p, &line, home_classify(&line, &upg), &upg, &out, NULL), STEP_DONE);
    cr_assert_eq(out.n, 2);
    cr_expect(out.m[0].kind == MSG_GRANT && out.m[0].to == 2 && out.m[0].txn == 9 && out.m[0].acks == 1);
    cr_expect(out.m[1].kind == MSG_INV && out.m[1].multicast && out.m[1].requester == 2);
    cr_expect_eq(out.targets.w[0], 1u << 5, "not the forwarder itself");
    rig_free(&r);
}

Test(shipped, a_word_that_is_none_has_a_name)
{
    cr_expect_str_eq(home_event_name(HOME_EVENT_COUNT), "(message it cannot take)");
    cr_expect_str_eq(cache_event_name(CACHE_EVENT_COUNT), "(message it cannot take)");
}
