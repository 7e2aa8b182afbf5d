/* src/cli/bench_switch.c - see bench_switch.h. States are numbered in the order of configs/protocols/mesi.yaml. */
#include "src/cli/bench_switch.h"

#include <string.h>

enum cache_state { I, S, E, M, IS, IM, IMA, SM, IU, IF, MF, MI, II };
enum home_state { DI, DS, DM, DBS, DBO, DBW, DBD, DBU, DBF, DBX, DBR, DBV, DBE };

static void clear(struct outbox *out)
{
    out->n = 0;
    out->complete = out->take_data = out->keep_data = out->flush_memory = out->recalled = out->demoted = false;
}

/* ---- cache */

struct cache_job { struct cache_line *line; const struct msg *in; int16_t self, txn; struct outbox *out; };

static enum verdict go(const struct cache_job *j, enum cache_state next)
{
    j->line->state = (uint8_t)next;
    return STEP_DONE;
}

static enum verdict hit(const struct cache_job *j, enum cache_state next)
{
    j->out->complete = true;
    return go(j, next);
}

static enum verdict ask(const struct cache_job *j, enum cache_state next, enum msg_kind kind)
{
    j->out->m[j->out->n++] = (struct out_msg){ .kind = (uint8_t)kind, .to_home = true, .to = -1, .requester = j->self, .txn = j->txn,
                                               .version = j->line->version };
    return go(j, next);
}

static void reply(const struct cache_job *j, enum msg_kind kind, int16_t acks)
{
    int16_t requester = (int16_t)j->in->requester;
    j->out->m[j->out->n++] = (struct out_msg){ .kind = (uint8_t)kind, .to_home = requester == REQUESTER_HOME || kind == MSG_WB, .to = requester,
                                               .requester = requester, .txn = j->in->txn, .acks = acks, .version = j->line->version };
}

static enum verdict invalidated(const struct cache_job *j, enum cache_state next)
{
    reply(j, MSG_ACK, 0);
    return go(j, next);
}

static bool for_the_home(const struct cache_job *j) { return (int16_t)j->in->requester == REQUESTER_HOME; }

/* A home that asks for itself gets the data once, as a write-back. */
static enum verdict share(const struct cache_job *j, enum cache_state next)
{
    if (for_the_home(j)) {
        reply(j, MSG_WB, ACKS_READ);
    } else {
        reply(j, MSG_DATA, ACKS_READ);
        reply(j, MSG_WB, 0);
    }
    return go(j, next);
}

static enum verdict hand_over(const struct cache_job *j, enum cache_state next)
{
    reply(j, for_the_home(j) ? MSG_WB : MSG_DATA, j->in->acks);
    return go(j, next);
}

static enum verdict show(const struct cache_job *j, enum cache_state next)
{
    reply(j, MSG_DATA_U, 0);
    return go(j, next);
}

static enum verdict return_home(const struct cache_job *j, enum cache_state next)
{
    reply(j, MSG_WB, 0);
    return go(j, next);
}

static void take(const struct cache_job *j)
{
    j->line->version = j->in->version;
    j->out->take_data = true;
}

static enum verdict finish(const struct cache_job *j, enum cache_state next)
{
    j->out->complete = true;
    return ask(j, next, MSG_DONE);
}

static enum verdict ack_came(const struct cache_job *j, enum cache_state next)
{
    j->line->acks--;
    return next == M ? finish(j, M) : go(j, next);
}

static enum verdict data_came(const struct cache_job *j, enum cache_state next)
{
    take(j);
    j->line->acks = (int16_t)(j->line->acks + j->in->acks);
    return next == M ? finish(j, M) : go(j, next);
}

static enum verdict grant_came(const struct cache_job *j, enum cache_state next)
{
    j->line->acks = (int16_t)(j->line->acks + j->in->acks);
    return next == M ? finish(j, M) : go(j, next);
}

static enum verdict filled(const struct cache_job *j, enum cache_state next)
{
    take(j);
    return finish(j, next);
}

/* States without a copy that can be asked for. */
static enum verdict in_i(const struct cache_job *j, enum cache_event event)
{
    switch (event) {
    case CEV_LOAD: return ask(j, IS, MSG_GETS);
    case CEV_STORE: return ask(j, IM, MSG_GETM);
    case CEV_STORE_FULL: return ask(j, IM, MSG_GETO);
    case CEV_FLUSH: return ask(j, IF, MSG_FLUSH);
    case CEV_READ_ONCE: return ask(j, IU, MSG_GETU);
    case CEV_INV: return invalidated(j, I);
    default: return STEP_ILLEGAL;
    }
}

static enum verdict in_s(const struct cache_job *j, enum cache_event event)
{
    switch (event) {
    case CEV_LOAD: case CEV_READ_ONCE: return hit(j, S);
    case CEV_STORE: return ask(j, SM, MSG_GETM);
    case CEV_STORE_FULL: return ask(j, SM, MSG_GETO);
    case CEV_FLUSH: return ask(j, IF, MSG_FLUSH);
    case CEV_EVICT: return go(j, I);
    case CEV_INV: return invalidated(j, I);
    default: return STEP_ILLEGAL;
    }
}

static enum verdict in_e_or_m(const struct cache_job *j, enum cache_event event)
{
    switch (event) {
    case CEV_LOAD: case CEV_READ_ONCE: return hit(j, (enum cache_state)j->line->state);
    case CEV_STORE: case CEV_STORE_FULL: return hit(j, M);
    case CEV_FLUSH: return ask(j, MF, MSG_PUTF);
    case CEV_EVICT: return ask(j, MI, MSG_PUT);
    case CEV_FWD_GETS: return share(j, S);
    case CEV_FWD_GETM: return hand_over(j, I);
    case CEV_FWD_GETU: return show(j, (enum cache_state)j->line->state);
    case CEV_FWD_FLUSH: return return_home(j, I);
    default: return STEP_ILLEGAL;
    }
}

static bool of_the_core(enum cache_event event) { return event <= CEV_READ_ONCE; }

static enum verdict in_im_or_sm(const struct cache_job *j, enum cache_event event)
{
    switch (event) {
    case CEV_DATA_ACKS: return data_came(j, IMA);
    case CEV_DATA_LAST: return data_came(j, M);
    case CEV_GRANT_ACKS: return grant_came(j, IMA);
    case CEV_GRANT_LAST: return grant_came(j, M);
    case CEV_ACK: return ack_came(j, (enum cache_state)j->line->state);
    case CEV_INV: return invalidated(j, IM);
    case CEV_LOAD: return j->line->state == SM ? hit(j, SM) : STEP_WAIT;
    default: return of_the_core(event) ? STEP_WAIT : STEP_ILLEGAL;
    }
}

/* Given away, or being given away for a flush: `lost` once another has taken it over. */
static enum verdict in_mi_or_mf(const struct cache_job *j, enum cache_event event, enum cache_state lost)
{
    switch (event) {
    case CEV_PUTACK: return lost == IF ? hit(j, I) : go(j, I);
    case CEV_FWD_GETS: return share(j, lost);
    case CEV_FWD_GETM: return hand_over(j, lost);
    case CEV_FWD_GETU: return show(j, (enum cache_state)j->line->state);
    case CEV_FWD_FLUSH: return return_home(j, lost);
    case CEV_INV: return invalidated(j, (enum cache_state)j->line->state);
    default: return of_the_core(event) ? STEP_WAIT : STEP_ILLEGAL;
    }
}

static enum verdict in_other(const struct cache_job *j, enum cache_event event)
{
    enum cache_state state = (enum cache_state)j->line->state;
    if (event == CEV_INV && state != IMA)
        return invalidated(j, state);
    if (state == IS && event == CEV_DATA)
        return filled(j, S);
    if (state == IS && event == CEV_DATA_E)
        return filled(j, E);
    if (state == IMA && event == CEV_ACK)
        return ack_came(j, IMA);
    if (state == IMA && event == CEV_ACK_LAST)
        return ack_came(j, M);
    if (state == IU && event == CEV_DATA)
        return hit(j, I);
    if (state == IU && event == CEV_DATA_U)
        return finish(j, I);
    if (state == IF && event == CEV_PUTACK)
        return hit(j, I);
    if (state == II && event == CEV_PUTACK)
        return go(j, I);
    return of_the_core(event) ? STEP_WAIT : STEP_ILLEGAL;
}

enum verdict mesi_cache_by_switch(struct cache_line *line, enum cache_event event, const struct msg *in, int16_t self, int16_t txn,
                                  struct outbox *out)
{
    const struct cache_job j = { line, in, self, txn, out };
    clear(out);
    switch ((enum cache_state)line->state) {
    case I: return in_i(&j, event);
    case S: return in_s(&j, event);
    case E: case M: return in_e_or_m(&j, event);
    case IM: case SM: return in_im_or_sm(&j, event);
    case MF: return in_mi_or_mf(&j, event, IF);
    case MI: return in_mi_or_mf(&j, event, II);
    case IS: case IMA: case IU: case IF: case II: return in_other(&j, event);
    }
    return STEP_ILLEGAL;
}

/* ---- home */

struct home_job { struct home_line *line; const struct msg *in; int16_t requester, txn; struct outbox *out; };

static void set_remove(struct sharer_set *set, int16_t agent)
{
    if (agent >= 0)
        set->w[agent / 64] &= ~(UINT64_C(1) << agent % 64);
}

static void set_add(struct sharer_set *set, int16_t agent)
{
    if (agent >= 0)
        set->w[agent / 64] |= UINT64_C(1) << agent % 64;
}

static int16_t set_size(const struct sharer_set *set)
{
    int n = 0;
    for (unsigned i = 0; i < SHARER_WORDS; i++)
        n += __builtin_popcountll(set->w[i]);
    return (int16_t)n;
}

static struct sharer_set others(const struct home_job *j)
{
    struct sharer_set set = j->line->sharers;
    set_remove(&set, j->requester);
    set_remove(&set, j->line->owner);
    return set;
}

static void send(const struct home_job *j, enum msg_kind kind, int16_t to, int16_t acks)
{
    j->out->m[j->out->n++] = (struct out_msg){ .kind = (uint8_t)kind, .to = to, .requester = j->requester, .txn = j->txn, .acks = acks,
                                               .version = j->line->version };
}

static void invalidate(const struct home_job *j, const struct sharer_set *targets, int16_t requester)
{
    if (set_size(targets) == 0)
        return;
    j->out->m[j->out->n++] = (struct out_msg){ .kind = MSG_INV, .multicast = true, .to = -1, .requester = requester, .txn = j->txn,
                                               .version = j->line->version };
    j->out->targets = *targets;
}

/* Whoever waits for the requester's DONE or for an answer remembers who that is; otherwise nobody does. */
static enum verdict to(const struct home_job *j, enum home_state next)
{
    bool busy = next > DM;
    j->line->state = (uint8_t)next;
    j->line->requester = busy ? j->requester : -1;
    j->line->txn = busy ? j->txn : -1;
    return STEP_DONE;
}

static enum verdict answer(const struct home_job *j, enum home_state next, enum msg_kind kind, int16_t acks)
{
    send(j, kind, j->requester, acks);
    return to(j, next);
}

static enum verdict write_by(const struct home_job *j, enum msg_kind kind)
{
    struct sharer_set losers = others(j);
    send(j, kind, j->requester, set_size(&losers));
    invalidate(j, &losers, j->requester);
    return to(j, DBO);
}

static enum verdict recall(const struct home_job *j, enum home_state next)
{
    j->line->acks = set_size(&j->line->sharers);
    invalidate(j, &j->line->sharers, REQUESTER_HOME);
    return to(j, next);
}

static enum verdict forward(const struct home_job *j, enum home_state next, enum msg_kind kind)
{
    send(j, kind, j->line->owner, 0);
    return to(j, next);
}

static void keep(const struct home_job *j)
{
    j->line->version = j->in->version;
    j->out->keep_data = true;
}

static enum verdict flushed(const struct home_job *j, enum home_state next)
{
    j->out->flush_memory = true;
    return answer(j, next, MSG_PUTACK, 0);
}

static enum verdict recalled(const struct home_job *j)
{
    j->out->recalled = true;
    return to(j, DI);
}

static enum verdict demoted(const struct home_job *j, enum home_state next)
{
    j->out->demoted = true;
    return to(j, next);
}

static enum verdict in_di(const struct home_job *j, enum home_event event)
{
    struct sharer_set losers;
    switch (event) {
    case HEV_GETS: return answer(j, DBO, MSG_DATA_E, 0);
    case HEV_GETS_R: return answer(j, DBS, MSG_DATA, ACKS_READ);
    case HEV_GETM: losers = others(j); return answer(j, DBO, MSG_DATA, set_size(&losers));
    case HEV_GETO: losers = others(j); return answer(j, DBO, MSG_GRANT, set_size(&losers));
    case HEV_GETU: return answer(j, DI, MSG_DATA, ACKS_READ);
    case HEV_FLUSH: case HEV_PUTF_OLD: return flushed(j, DI);
    case HEV_PUT_OLD: return answer(j, DI, MSG_PUTACK, 0);
    case HEV_RECALL: return recalled(j);
    case HEV_DEMOTE: return demoted(j, DI);
    default: return STEP_ILLEGAL;
    }
}

static enum verdict in_ds(const struct home_job *j, enum home_event event)
{
    switch (event) {
    case HEV_GETS: return answer(j, DBS, MSG_DATA, ACKS_READ);
    case HEV_GETM: return write_by(j, MSG_DATA);
    case HEV_GETO: return write_by(j, MSG_GRANT);
    case HEV_GETU: return answer(j, DS, MSG_DATA, ACKS_READ);
    case HEV_FLUSH: case HEV_PUTF_OLD: return recall(j, DBF);
    case HEV_PUT_OLD: return answer(j, DS, MSG_PUTACK, 0);
    case HEV_RECALL: return recall(j, DBR);
    case HEV_DEMOTE: return demoted(j, DS);
    default: return STEP_ILLEGAL;
    }
}

static enum verdict in_dm(const struct home_job *j, enum home_event event)
{
    struct sharer_set losers;
    switch (event) {
    case HEV_GETS: return forward(j, DBW, MSG_FWD_GETS);
    case HEV_GETM: case HEV_GETO:
        losers = others(j);
        send(j, MSG_FWD_GETM, j->line->owner, set_size(&losers));
        return to(j, DBO);
    case HEV_GETU: return forward(j, DBU, MSG_FWD_GETU);
    case HEV_FLUSH: case HEV_PUTF_OLD: return forward(j, DBX, MSG_FWD_FLUSH);
    case HEV_PUT_OWNER: keep(j); j->line->owner = -1; return answer(j, DI, MSG_PUTACK, 0);
    case HEV_PUT_OLD: return answer(j, DM, MSG_PUTACK, 0);
    case HEV_PUTF_OWNER: keep(j); j->line->owner = -1; return flushed(j, DI);
    case HEV_RECALL: return forward(j, DBV, MSG_FWD_FLUSH);
    case HEV_DEMOTE: return forward(j, DBE, MSG_FWD_GETS);
    default: return STEP_ILLEGAL;
    }
}

static enum verdict done_came(const struct home_job *j)
{
    switch ((enum home_state)j->line->state) {
    case DBO:
        j->line->owner = j->requester;
        memset(&j->line->sharers, 0, sizeof j->line->sharers);
        return to(j, DM);
    case DBS: set_add(&j->line->sharers, j->requester); return to(j, DS);
    case DBW: set_add(&j->line->sharers, j->requester); return to(j, DBD);
    case DBU: return to(j, DM);
    default: return STEP_ILLEGAL;
    }
}

static void owner_shares(const struct home_job *j)
{
    set_add(&j->line->sharers, j->line->owner);
    j->line->owner = -1;
}

static enum verdict write_back_came(const struct home_job *j)
{
    enum home_state state = (enum home_state)j->line->state;
    if (state != DBW && state != DBD && state != DBX && state != DBV && state != DBE)
        return STEP_ILLEGAL;
    keep(j);
    if (state == DBW || state == DBD || state == DBE) {
        owner_shares(j);
        return state == DBE ? demoted(j, DS) : to(j, state == DBW ? DBS : DS);
    }
    j->line->owner = -1;
    return state == DBX ? flushed(j, DI) : recalled(j);
}

static enum verdict ack_of_sharer(const struct home_job *j, bool last)
{
    enum home_state state = (enum home_state)j->line->state;
    if (state != DBF && state != DBR)
        return STEP_ILLEGAL;
    j->line->acks--;
    if (!last)
        return to(j, state);
    memset(&j->line->sharers, 0, sizeof j->line->sharers);
    return state == DBF ? flushed(j, DI) : recalled(j);
}

/* A busy line keeps requests waiting; puts of an owner come only where there may be one. */
static enum verdict in_busy(const struct home_job *j, enum home_event event)
{
    enum home_state state = (enum home_state)j->line->state;
    switch (event) {
    case HEV_DONE: return done_came(j);
    case HEV_WB: return write_back_came(j);
    case HEV_ACK: return ack_of_sharer(j, false);
    case HEV_ACK_LAST: return ack_of_sharer(j, true);
    case HEV_PUT_OWNER: case HEV_PUTF_OWNER:
        return state == DBS || state == DBF || state == DBR ? STEP_ILLEGAL : STEP_WAIT;
    case HEV_GETS: case HEV_GETM: case HEV_GETO: case HEV_GETU: case HEV_FLUSH: case HEV_PUT_OLD: case HEV_PUTF_OLD:
    case HEV_RECALL: case HEV_DEMOTE: return STEP_WAIT;
    default: return STEP_ILLEGAL;
    }
}

enum verdict mesi_home_by_switch(struct home_line *line, enum home_event event, const struct msg *in, struct outbox *out)
{
    struct home_job j = { line, in, REQUESTER_HOME, -1, out };
    clear(out);
    if (line->state > DM) {
        j.requester = line->requester;
        j.txn = line->txn;
        return in_busy(&j, event);
    }
    if (in) {
        j.requester = (int16_t)in->requester;
        j.txn = in->txn;
    }
    switch ((enum home_state)line->state) {
    case DI: return in_di(&j, event);
    case DS: return in_ds(&j, event);
    default: return in_dm(&j, event);
    }
}
