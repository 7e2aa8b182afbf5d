/* tests/unit/test_protocol_step.c - single steps of the shipped MESI with their exact outboxes, the classification of
 * messages, and what is derived from the rows.
 */
#include <criterion/criterion.h>

#include "tests/unit/test_protocol_rig.h"

enum { ME = 5, OTHER = 70, MY_TXN = 3, OTHER_TXN = 9 };

static struct rig rig;
static const struct protocol *p;
static struct outbox out;
static struct row_counts counts;

static void setup(void)
{
    rig_mesi(&rig);
    cr_assert(rig.p, "%s", rig.errors);
    p = rig.p;
}

static void teardown(void) { rig_free(&rig); }

TestSuite(step, .init = setup, .fini = teardown);

static uint8_t cs(const char *name) { return (uint8_t)protocol_state(p, CTL_CACHE, name); }
static uint8_t hs(const char *name) { return (uint8_t)protocol_state(p, CTL_HOME, name); }

static struct msg from_other(enum msg_kind kind)
{
    return (struct msg){ .kind = (uint8_t)kind, .requester = OTHER, .txn = OTHER_TXN, .version = 12 };
}

static struct msg to_me(enum msg_kind kind, int16_t acks)
{
    return (struct msg){ .kind = (uint8_t)kind, .requester = ME, .txn = MY_TXN, .acks = acks, .version = 12 };
}

static enum verdict core(struct cache_line *line, enum cache_event event)
{
    return cache_step(p, line, event, NULL, ME, MY_TXN, &out, &counts);
}

static enum verdict arrives(struct cache_line *line, const struct msg *m)
{
    return cache_step(p, line, cache_classify(line, m), m, ME, MY_TXN, &out, &counts);
}

static enum verdict at_home(struct home_line *line, const struct msg *m)
{
    return home_step(p, line, home_classify(line, m), m, &out, &counts);
}

static struct home_line home_in(const char *state)
{
    return (struct home_line){ .state = hs(state), .owner = -1, .requester = -1, .txn = -1, .version = 30 };
}

static void expect_message(unsigned i, enum msg_kind kind, bool to_home, int to, int requester, int txn, int acks)
{
    const struct out_msg *m = &out.m[i];
    cr_assert_lt(i, out.n);
    cr_expect_eq(m->kind, kind, "message %u is %s", i, msg_infos[m->kind].name);
    cr_expect_eq(m->to_home, to_home);
    cr_expect_eq(m->multicast, false);
    if (!to_home)
        cr_expect_eq(m->to, to);
    cr_expect_eq(m->requester, requester);
    cr_expect_eq(m->txn, txn);
    cr_expect_eq(m->acks, acks);
}

Test(step, hits_are_performed_at_once_and_touch_nothing_else)
{
    struct cache_line line = { .state = cs("SM"), .acks = -2, .version = 8 };
    cr_expect_eq(core(&line, CEV_LOAD), STEP_DONE);
    cr_expect(out.complete && out.n == 0);
    cr_expect(line.state == cs("SM") && line.acks == -2 && line.version == 8);
    line = (struct cache_line){ .state = cs("E"), .version = 8 };
    cr_expect_eq(core(&line, CEV_STORE), STEP_DONE);
    cr_expect(out.complete && line.state == cs("M"));
    cr_expect_eq(counts.cache[cs("SM")][CEV_LOAD], 1);
}

Test(step, waiting_and_illegal_change_nothing)
{
    struct cache_line line = { .state = cs("IS"), .version = 8 };
    cr_expect_eq(core(&line, CEV_STORE), STEP_WAIT);
    cr_expect(out.n == 0 && !out.complete && line.state == cs("IS"));
    struct msg m = from_other(MSG_FWD_GETS);
    cr_expect_eq(arrives(&line, &m), STEP_ILLEGAL);
    cr_expect_eq(line.state, cs("IS"));
    m.kind = MSG_GETS; /* nothing a cache can take */
    cr_expect_eq(arrives(&line, &m), STEP_ILLEGAL);
}

Test(step, a_miss_asks_the_home)
{
    struct cache_line line = { 0 };
    cr_expect_eq(core(&line, CEV_STORE_FULL), STEP_DONE);
    cr_expect_eq(line.state, cs("IM"));
    cr_expect(out.n == 1 && !out.complete);
    expect_message(0, MSG_GETO, true, 0, ME, MY_TXN, 0);
}

Test(step, data_with_acknowledgements_outstanding)
{
    struct cache_line line = { .state = cs("IM"), .version = 1 };
    struct msg ack = to_me(MSG_ACK, 0), data = to_me(MSG_DATA, 3);
    cr_expect_eq(arrives(&line, &ack), STEP_DONE); /* overtakes the data */
    cr_expect_eq(line.acks, -1);
    cr_expect_eq(arrives(&line, &data), STEP_DONE);
    cr_expect(line.state == cs("IMA") && line.acks == 2 && line.version == 12 && out.take_data && !out.complete);
    cr_expect_eq(arrives(&line, &ack), STEP_DONE);
    cr_expect(line.state == cs("IMA") && out.n == 0);
    cr_expect_eq(arrives(&line, &ack), STEP_DONE);
    cr_expect(line.state == cs("M") && line.acks == 0 && out.complete && !out.take_data);
    expect_message(0, MSG_DONE, true, 0, ME, MY_TXN, 0);
}

Test(step, all_acknowledgements_before_the_data)
{
    struct cache_line line = { .state = cs("SM"), .acks = -2 };
    struct msg data = to_me(MSG_DATA, 2), grant = to_me(MSG_GRANT, 2);
    cr_expect_eq(cache_classify(&line, &data), CEV_DATA_LAST);
    cr_expect_eq(cache_classify(&line, &grant), CEV_GRANT_LAST);
    cr_expect_eq(arrives(&line, &data), STEP_DONE);
    cr_expect(line.state == cs("M") && line.acks == 0 && out.complete);
    data.acks = ACKS_READ;
    cr_expect_eq(cache_classify(&line, &data), CEV_DATA);
}

Test(step, invalidation_is_acknowledged_to_whoever_collects)
{
    struct cache_line line = { .state = cs("S") };
    struct msg inv = from_other(MSG_INV);
    cr_expect_eq(arrives(&line, &inv), STEP_DONE);
    cr_expect_eq(line.state, 0);
    expect_message(0, MSG_ACK, false, OTHER, OTHER, OTHER_TXN, 0);
    inv.requester = (uint16_t)REQUESTER_HOME;
    inv.txn = -1;
    cr_expect_eq(arrives(&line, &inv), STEP_DONE);
    expect_message(0, MSG_ACK, true, 0, REQUESTER_HOME, -1, 0);
}

Test(step, an_owner_serves_others)
{
    struct cache_line line = { .state = cs("M"), .version = 44 };
    struct msg m = from_other(MSG_FWD_GETS);
    cr_expect_eq(arrives(&line, &m), STEP_DONE);
    cr_expect(line.state == cs("S") && out.n == 2);
    expect_message(0, MSG_DATA, false, OTHER, OTHER, OTHER_TXN, ACKS_READ);
    expect_message(1, MSG_WB, true, 0, OTHER, OTHER_TXN, 0);
    cr_expect(out.m[0].version == 44 && out.m[1].version == 44);
    line.state = cs("MF");
    m.kind = MSG_FWD_GETM;
    cr_expect_eq(arrives(&line, &m), STEP_DONE);
    cr_expect(line.state == cs("IF") && out.n == 1);
    expect_message(0, MSG_DATA, false, OTHER, OTHER, OTHER_TXN, 0);
}

Test(step, home_counts_the_invalidations_it_sends)
{
    struct home_line line = home_in("DS");
    line.sharers.w[0] = 1ull << ME | 1ull << 63;
    line.sharers.w[1] = 1ull << (OTHER - 64) | 1;
    struct msg m = from_other(MSG_GETM);
    cr_expect_eq(at_home(&line, &m), STEP_DONE);
    cr_expect(line.state == hs("DBO") && line.requester == OTHER && line.txn == OTHER_TXN && line.acks == 0);
    cr_assert_eq(out.n, 2);
    expect_message(0, MSG_DATA, false, OTHER, OTHER, OTHER_TXN, 3);
    cr_expect_eq(out.m[0].version, 30);
    cr_expect(out.m[1].kind == MSG_INV && out.m[1].multicast && out.m[1].requester == OTHER && out.m[1].txn == OTHER_TXN);
    cr_expect(out.targets.w[0] == (1ull << ME | 1ull << 63) && out.targets.w[1] == 1, "all but the requester");
    m = to_me(MSG_GETS, 0);
    cr_expect_eq(at_home(&line, &m), STEP_WAIT);
    cr_expect_eq(line.requester, OTHER);
    m = from_other(MSG_DONE);
    cr_expect_eq(at_home(&line, &m), STEP_DONE);
    cr_expect(line.state == hs("DM") && line.owner == OTHER && line.requester == -1 && line.txn == -1);
    cr_expect(line.sharers.w[0] == 0 && line.sharers.w[1] == 0);
}

Test(step, a_sole_sharer_upgrades_without_invalidations)
{
    struct home_line line = home_in("DS");
    line.sharers.w[0] = 1ull << ME;
    struct msg m = to_me(MSG_GETO, 0);
    cr_expect_eq(at_home(&line, &m), STEP_DONE);
    cr_expect_eq(out.n, 1);
    expect_message(0, MSG_GRANT, false, ME, ME, MY_TXN, 0);
}

Test(step, home_tells_old_puts_from_the_owners)
{
    struct home_line line = home_in("DM");
    line.owner = OTHER;
    struct msg put = from_other(MSG_PUT), old = to_me(MSG_PUT, 0);
    cr_expect_eq(home_classify(&line, &put), HEV_PUT_OWNER);
    cr_expect_eq(home_classify(&line, &old), HEV_PUT_OLD);
    cr_expect_eq(at_home(&line, &old), STEP_DONE);
    cr_expect(line.state == hs("DM") && line.owner == OTHER && !out.keep_data && line.version == 30);
    expect_message(0, MSG_PUTACK, false, ME, ME, MY_TXN, 0);
    put.kind = MSG_PUTF;
    cr_expect_eq(at_home(&line, &put), STEP_DONE);
    cr_expect(line.state == 0 && line.owner == -1 && out.keep_data && out.flush_memory && line.version == 12);
    expect_message(0, MSG_PUTACK, false, OTHER, OTHER, OTHER_TXN, 0);
}

Test(step, recall_of_sharers_is_collected_at_home)
{
    struct home_line line = home_in("DS");
    line.sharers.w[0] = 1ull << ME | 1;
    struct msg ack = { .kind = MSG_ACK, .requester = (uint16_t)REQUESTER_HOME, .txn = -1 };
    cr_expect_eq(home_step(p, &line, HEV_RECALL, NULL, &out, NULL), STEP_DONE);
    cr_expect(line.state == hs("DBR") && line.acks == 2 && line.requester == REQUESTER_HOME && !out.recalled);
    cr_expect(out.n == 1 && out.m[0].multicast && out.m[0].requester == REQUESTER_HOME && out.m[0].txn == -1);
    cr_expect_eq(home_classify(&line, &ack), HEV_ACK);
    cr_expect_eq(at_home(&line, &ack), STEP_DONE);
    cr_expect_eq(home_classify(&line, &ack), HEV_ACK_LAST);
    cr_expect_eq(at_home(&line, &ack), STEP_DONE);
    cr_expect(line.state == 0 && out.recalled && line.acks == 0 && line.sharers.w[0] == 0);
}

Test(step, a_flush_by_another_than_the_owner_is_answered_at_the_end)
{
    struct home_line line = home_in("DM");
    line.owner = OTHER;
    struct msg flush = to_me(MSG_FLUSH, 0), wb = to_me(MSG_WB, 0);
    cr_expect_eq(at_home(&line, &flush), STEP_DONE);
    cr_expect(line.state == hs("DBX") && line.requester == ME && line.txn == MY_TXN);
    expect_message(0, MSG_FWD_FLUSH, false, OTHER, ME, MY_TXN, 0);
    cr_expect_eq(at_home(&line, &wb), STEP_DONE);
    cr_expect(line.state == 0 && out.keep_data && out.flush_memory && line.version == 12 && line.owner == -1);
    expect_message(0, MSG_PUTACK, false, ME, ME, MY_TXN, 0);
}

static void expect_set(bool (*has)(const struct protocol *, uint8_t), enum controller c, const char *names)
{
    for (unsigned s = 0; s < p->table[c].n_states; s++) {
        char word[24];
        snprintf(word, sizeof word, " %s ", p->table[c].name[s]);
        cr_expect_eq(has(p, (uint8_t)s), strstr(names, word) != NULL, "state%sin \"%s\"", word, names);
    }
}

Test(step, what_is_derived_from_the_rows)
{
    expect_set(cache_readable, CTL_CACHE, " S E M SM ");
    expect_set(cache_writable, CTL_CACHE, " E M ");
    expect_set(cache_stable, CTL_CACHE, " I S E M ");
    expect_set(cache_evict_silent, CTL_CACHE, " S ");
    expect_set(home_stable, CTL_HOME, " DI DS DM ");
    cr_expect_eq(cache_after_store(p, cs("E")), cs("M"));
    cr_expect(home_needs_data(p, &(struct home_line){ .state = hs("DS") }, HEV_GETM) && home_needs_data(p, &(struct home_line){ .state = hs("DI") }, HEV_GETU));
    cr_expect(!home_needs_data(p, &(struct home_line){ .state = hs("DS") }, HEV_GETO) && !home_needs_data(p, &(struct home_line){ .state = hs("DM") }, HEV_GETS));
    cr_expect(!home_needs_data(p, &(struct home_line){ .state = hs("DM") }, HEV_PUT_OWNER));
    for (unsigned e = 0; e <= CEV_READ_ONCE; e++)
        cr_expect_eq(protocol_has_event(p, (enum cache_event)e), e != CEV_EVICT);
    cr_expect_str_eq(cache_state_name(p, cs("IMA")), "IMA");
    cr_expect_str_eq(home_state_name(p, hs("DBO")), "DBO");
}
