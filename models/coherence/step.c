/* models/coherence/step.c - the pure step: looks the row up and carries its actions out on the line.
 *
 * Called by the timed controllers and by the explorer alike. It never judges: with a faulty table it may
 * send to agent -1 or count below zero, and the explorer says so.
 */
#include "models/coherence/table.h"

#include <string.h>

enum cache_event cache_classify(const struct cache_line *line, const struct msg *m)
{
    bool last = m->acks + line->acks == 0;
    switch (m->kind) {
    case MSG_DATA:
        return m->acks == ACKS_READ ? CEV_DATA : last ? CEV_DATA_LAST : CEV_DATA_ACKS;
    case MSG_GRANT: return last ? CEV_GRANT_LAST : CEV_GRANT_ACKS;
    case MSG_ACK: return line->acks == 1 ? CEV_ACK_LAST : CEV_ACK;
    case MSG_DATA_E: return CEV_DATA_E;
    case MSG_DATA_U: return CEV_DATA_U;
    case MSG_PUTACK: return CEV_PUTACK;
    case MSG_INV: return CEV_INV;
    case MSG_FWD_GETS: return CEV_FWD_GETS;
    case MSG_FWD_GETM: return CEV_FWD_GETM;
    case MSG_FWD_GETU: return CEV_FWD_GETU;
    case MSG_FWD_FLUSH: return CEV_FWD_FLUSH;
    case MSG_SNOOP_GETS: return CEV_SNOOP_GETS;
    case MSG_SNOOP_GETM: return CEV_SNOOP_GETM;
    case MSG_SNOOP_GETO: return CEV_SNOOP_GETO;
    case MSG_SNOOP_GETU: return CEV_SNOOP_GETU;
    case MSG_SNOOP_FLUSH: return CEV_SNOOP_FLUSH;
    default: return CACHE_EVENT_COUNT;
    }
}

/* The lines that all on the bus may pull: "shared" and "owned". */
enum { WIRE_SHARED = 1, WIRE_OWNED = 2 };

static unsigned wire(uint8_t answer)
{
    return answer == MSG_SHARED ? WIRE_SHARED : answer == MSG_OWNED || answer == MSG_SNOOP_DATA ? WIRE_OWNED : 0;
}

static enum home_event all_answered(unsigned heard)
{
    return heard & WIRE_OWNED ? HEV_ALL_OWNED : heard & WIRE_SHARED ? HEV_ALL_SHARED : HEV_ALL_NONE;
}

enum home_event home_classify(const struct home_line *line, const struct msg *m)
{
    bool owner = line->owner >= 0 && line->owner == (int16_t)m->requester, last = line->acks == 1;
    switch (m->kind) {
    case MSG_GETS: return HEV_GETS;
    case MSG_GETM: return HEV_GETM;
    case MSG_GETO: return HEV_GETO;
    case MSG_UPG: return line->agents ? HEV_UPG : owner ? HEV_UPG_OWNER : HEV_UPG_OLD;
    case MSG_GETU: return HEV_GETU;
    case MSG_FLUSH: return HEV_FLUSH;
    case MSG_PUT: return owner ? HEV_PUT_OWNER : HEV_PUT_OLD;
    case MSG_PUTF: return owner ? HEV_PUTF_OWNER : HEV_PUTF_OLD;
    case MSG_DONE: return HEV_DONE;
    case MSG_WB: return HEV_WB;
    case MSG_ACK:
        if (!line->agents)
            return last ? HEV_ACK_LAST : HEV_ACK;
        return last ? all_answered(line->heard) : HEV_ANSWER;
    case MSG_ASK_PUT: return HEV_ASK_PUT;
    case MSG_SHARED: case MSG_OWNED: return last ? all_answered(line->heard | wire(m->kind)) : HEV_ANSWER;
    case MSG_SNOOP_DATA: return last ? HEV_SNOOP_DATA_LAST : HEV_SNOOP_DATA;
    default: return HOME_EVENT_COUNT;
    }
}

static void outbox_clear(struct outbox *out)
{
    out->n = 0;
    out->complete = out->take_data = out->keep_data = out->flush_memory = out->recalled = out->demoted = false;
}

static struct out_msg *add(struct outbox *out, enum msg_kind kind)
{
    struct out_msg *m = &out->m[out->n < sizeof out->m / sizeof *out->m ? out->n++ : out->n - 1];
    *m = (struct out_msg){ .kind = (uint8_t)kind, .to = -1 };
    return m;
}

/* ---- cache */

struct cache_step {
    struct cache_line *line;
    const struct msg *in;
    int16_t self, txn;
    struct outbox *out;
};

/* A message of the cache's own transaction, to the home. */
static void to_home(const struct cache_step *s, enum msg_kind kind)
{
    struct out_msg *m = add(s->out, kind);
    m->to_home = true;
    m->requester = s->self;
    m->txn = s->txn;
    m->version = s->line->version;
}

/* A message of the transaction that the incoming message belongs to, to the one who began it. */
static void answer(const struct cache_step *s, enum msg_kind kind, int16_t acks)
{
    bool to_requester_home = s->in && (int16_t)s->in->requester == REQUESTER_HOME;
    if (to_requester_home && kind == MSG_DATA)
        kind = MSG_WB;
    if (to_requester_home && kind == MSG_WB && s->out->n > 0 && s->out->m[s->out->n - 1].kind == MSG_WB)
        return; /* the home asked for itself: once is enough */
    struct out_msg *m = add(s->out, kind);
    m->requester = s->in ? (int16_t)s->in->requester : -1;
    m->txn = s->in ? s->in->txn : -1;
    m->to = m->requester;
    m->to_home = m->requester == REQUESTER_HOME || kind == MSG_WB;
    m->acks = acks;
    m->version = s->line->version;
}

/* On a bus all answers are collected by the bus. */
static void answer_bus(const struct cache_step *s, enum msg_kind kind)
{
    answer(s, kind, 0);
    s->out->m[s->out->n - 1].to_home = true;
}

static void cache_act(const struct cache_step *s, enum cache_action action)
{
    int16_t in_acks = s->in ? s->in->acks : 0;
    switch (action) {
    case CACT_COMPLETE: s->out->complete = true; break;
    case CACT_TAKE_DATA:
        s->line->version = s->in ? s->in->version : s->line->version;
        s->out->take_data = true;
        break;
    case CACT_COUNT_DATA: s->line->acks = (int16_t)(s->line->acks + in_acks); break;
    case CACT_COUNT_ACK: s->line->acks--; break;
    case CACT_SEND_GETS: to_home(s, MSG_GETS); break;
    case CACT_SEND_GETM: to_home(s, MSG_GETM); break;
    case CACT_SEND_GETO: to_home(s, MSG_GETO); break;
    case CACT_SEND_UPG: to_home(s, MSG_UPG); break;
    case CACT_SEND_GETU: to_home(s, MSG_GETU); break;
    case CACT_SEND_FLUSH: to_home(s, MSG_FLUSH); break;
    case CACT_SEND_PUT: to_home(s, MSG_PUT); break;
    case CACT_SEND_PUTF: to_home(s, MSG_PUTF); break;
    case CACT_SEND_DONE: to_home(s, MSG_DONE); break;
    case CACT_SEND_ACK: answer(s, MSG_ACK, 0); break;
    case CACT_SEND_DATA: answer(s, MSG_DATA, ACKS_READ); break;
    case CACT_SEND_DATA_M: answer(s, MSG_DATA, in_acks); break;
    case CACT_SEND_DATA_U: answer(s, MSG_DATA_U, 0); break;
    case CACT_SEND_WB: answer(s, MSG_WB, 0); break;
    case CACT_SEND_ASK_PUT: to_home(s, MSG_ASK_PUT); break;
    case CACT_SEND_GETM_AGAIN: to_home(s, MSG_GETM); break;
    case CACT_ANSWER_NONE: answer_bus(s, MSG_ACK); break;
    case CACT_ANSWER_SHARED: answer_bus(s, MSG_SHARED); break;
    case CACT_ANSWER_OWNED: answer_bus(s, MSG_OWNED); break;
    case CACT_ANSWER_DATA: answer_bus(s, MSG_SNOOP_DATA); break;
    case CACT_NONE: case CACHE_ACTION_COUNT: break;
    }
}

enum verdict cache_step(const struct protocol *p, struct cache_line *line, enum cache_event event, const struct msg *in,
                        int16_t self, int16_t txn, struct outbox *out, struct row_counts *counts)
{
    outbox_clear(out);
    if ((unsigned)event >= CACHE_EVENT_COUNT)
        return STEP_ILLEGAL;
    row_word row = p->table[CTL_CACHE].row[line->state][event];
    if (counts)
        counts->cache[line->state][event]++;
    if (row_actions(row) == CACT_COMPLETE && row_verdict(row) == STEP_DONE) { /* a hit: most of all steps */
        line->state = row_next(row);
        out->complete = true;
        return STEP_DONE;
    }
    if (row_verdict(row) != STEP_DONE)
        return row_verdict(row);
    const struct cache_step s = { line, in, self, txn, out };
    for (uint64_t actions = row_actions(row); actions; actions >>= 8)
        cache_act(&s, (enum cache_action)(actions & 0xff));
    line->state = row_next(row);
    return STEP_DONE;
}

/* ---- home */

struct home_step {
    struct home_line *line;
    const struct msg *in;
    int16_t requester, txn;   /* of the transaction that this step belongs to */
    struct outbox *out;
    bool nobody_asked;        /* a snoop found no listener */
};

static void remove_agent(struct sharer_set *set, int16_t agent)
{
    if (agent >= 0)
        set->w[agent / 64] &= ~(1ull << agent % 64);
}

static void add_agent(struct sharer_set *set, int16_t agent)
{
    if (agent >= 0)
        set->w[agent / 64] |= 1ull << agent % 64;
}

static int16_t set_count(const struct sharer_set *set)
{
    int n = 0;
    for (unsigned i = 0; i < SHARER_WORDS; i++)
        n += __builtin_popcountll(set->w[i]);
    return (int16_t)n;
}

/* Those whom a write by the requester invalidates: nobody who takes part in it himself. */
static struct sharer_set others(const struct home_step *s)
{
    struct sharer_set set = s->line->sharers;
    remove_agent(&set, s->requester);
    remove_agent(&set, s->line->owner);
    return set;
}

static struct out_msg *send_to(const struct home_step *s, enum msg_kind kind, int16_t to, int16_t acks)
{
    struct out_msg *m = add(s->out, kind);
    m->to = to;
    m->requester = s->requester;
    m->txn = s->txn;
    m->acks = acks;
    m->version = s->line->version;
    return m;
}

static void invalidate(const struct home_step *s, struct sharer_set targets, bool acks_to_home)
{
    int16_t n = set_count(&targets);
    if (acks_to_home)
        s->line->acks = n;
    if (n == 0)
        return;
    struct out_msg *m = send_to(s, MSG_INV, -1, 0);
    m->multicast = true;
    if (acks_to_home)
        m->requester = REQUESTER_HOME;
    s->out->targets = targets;
}

/* All that listen on the bus, the requester only if it is to hear itself; `acks`: a snooped owner announces them. */
static void snoop(struct home_step *s, enum msg_kind kind, int16_t acks, bool requester_too)
{
    struct sharer_set set = { { 0 } };
    for (unsigned i = 0, n = s->line->agents; i < SHARER_WORDS && n > 64 * i; i++)
        set.w[i] = n - 64 * i >= 64 ? UINT64_MAX : (1ull << (n - 64 * i)) - 1;
    if (!requester_too)
        remove_agent(&set, s->requester);
    s->line->acks = set_count(&set);
    s->nobody_asked = s->line->acks == 0;
    if (s->nobody_asked)
        return;
    send_to(s, kind, -1, acks)->multicast = true;
    s->out->targets = set;
}

static void home_act(struct home_step *s, enum home_action action)
{
    struct home_line *line = s->line;
    struct sharer_set inv;
    switch (action) {
    case HACT_DATA_TO_REQ: send_to(s, MSG_DATA, s->requester, ACKS_READ); break;
    case HACT_DATA_E_TO_REQ: send_to(s, MSG_DATA_E, s->requester, 0); break;
    case HACT_DATA_M_TO_REQ: inv = others(s); send_to(s, MSG_DATA, s->requester, set_count(&inv)); break;
    case HACT_GRANT_TO_REQ: inv = others(s); send_to(s, MSG_GRANT, s->requester, set_count(&inv)); break;
    case HACT_PUTACK_TO_REQ: send_to(s, MSG_PUTACK, s->requester, 0); break;
    case HACT_INV_SHARERS: invalidate(s, others(s), false); break;
    case HACT_RECALL_SHARERS: invalidate(s, line->sharers, true); break;
    case HACT_FWD_GETS_TO_OWNER: send_to(s, MSG_FWD_GETS, line->owner, 0); break;
    case HACT_FWD_GETM_TO_OWNER: inv = others(s); send_to(s, MSG_FWD_GETM, line->owner, set_count(&inv)); break;
    case HACT_FWD_GETU_TO_OWNER: send_to(s, MSG_FWD_GETU, line->owner, 0); break;
    case HACT_FWD_FLUSH_TO_OWNER: send_to(s, MSG_FWD_FLUSH, line->owner, 0); break;
    case HACT_KEEP_DATA:
        line->version = s->in ? s->in->version : line->version;
        s->out->keep_data = true;
        break;
    case HACT_FLUSH_MEMORY: s->out->flush_memory = true; break;
    case HACT_REQ_IS_OWNER:
        line->owner = s->requester;
        memset(&line->sharers, 0, sizeof line->sharers);
        break;
    case HACT_REQ_IS_SHARER: add_agent(&line->sharers, s->requester); break;
    case HACT_REQ_SUPPLIES:
        add_agent(&line->sharers, s->requester);
        line->owner = s->requester;
        break;
    case HACT_OWNER_IS_SHARER:
        add_agent(&line->sharers, line->owner);
        line->owner = -1;
        break;
    case HACT_NO_OWNER: line->owner = -1; break;
    case HACT_NO_SHARERS: memset(&line->sharers, 0, sizeof line->sharers); break;
    case HACT_COUNT_ACK: line->acks--; break;
    case HACT_RECALLED: s->out->recalled = true; break;
    case HACT_DEMOTED: s->out->demoted = true; break;
    case HACT_SNOOP_GETS_ALL: snoop(s, MSG_SNOOP_GETS, 0, false); break;
    case HACT_SNOOP_GETM_ALL: snoop(s, MSG_SNOOP_GETM, 1, false); break; /* then ACK_TO_REQ */
    case HACT_SNOOP_GETO_ALL: snoop(s, MSG_SNOOP_GETO, 0, false); break;
    case HACT_SNOOP_GETU_ALL: snoop(s, MSG_SNOOP_GETU, 0, false); break;
    case HACT_SNOOP_FLUSH_ALL: snoop(s, MSG_SNOOP_FLUSH, 0, true); break;
    case HACT_COUNT_ANSWER:
        line->acks--;
        line->heard |= (uint8_t)wire(s->in ? s->in->kind : MSG_ACK);
        break;
    case HACT_GRANT_PUT: line->acks = 1; send_to(s, MSG_GRANT, s->requester, 0); break;
    case HACT_DATA_U_TO_REQ: send_to(s, MSG_DATA_U, s->requester, 0); break;
    case HACT_ACK_TO_REQ: send_to(s, MSG_ACK, s->requester, 0); break;
    case HACT_NONE: case HOME_ACTION_COUNT: break;
    }
}

static void carry_out(struct home_step *s, row_word row)
{
    s->nobody_asked = false;
    for (uint64_t actions = row_actions(row); actions; actions >>= 8)
        home_act(s, (enum home_action)(actions & 0xff));
    s->line->state = row_next(row);
}

enum verdict home_step(const struct protocol *p, struct home_line *line, enum home_event event, const struct msg *in,
                       struct outbox *out, struct row_counts *counts)
{
    outbox_clear(out);
    if ((unsigned)event >= HOME_EVENT_COUNT)
        return STEP_ILLEGAL;
    row_word row = p->table[CTL_HOME].row[line->state][event];
    if (counts)
        counts->home[line->state][event]++;
    if (row_verdict(row) != STEP_DONE)
        return row_verdict(row);
    bool was_busy = !home_stable(p, line->state);
    struct home_step s = { line, in, REQUESTER_HOME, -1, out, false };
    if (was_busy) {
        s.requester = line->requester;
        s.txn = line->txn;
    } else if (in) {
        s.requester = (int16_t)in->requester;
        s.txn = in->txn;
    }
    carry_out(&s, row);
    if (s.nobody_asked) { /* alone on the bus: the answer is that nobody has it */
        line->acks = 1;
        row = p->table[CTL_HOME].row[line->state][HEV_ALL_NONE];
        if (row_verdict(row) != STEP_DONE)
            return STEP_ILLEGAL;
        if (counts)
            counts->home[line->state][HEV_ALL_NONE]++;
        carry_out(&s, row);
    }
    bool is_busy = !home_stable(p, line->state);
    line->requester = is_busy ? s.requester : -1;
    line->txn = is_busy ? s.txn : -1;
    line->heard = is_busy ? line->heard : 0;
    return STEP_DONE;
}
