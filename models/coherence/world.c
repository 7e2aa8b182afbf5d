/* models/coherence/world.c - the moves of the explored system and what is checked at each. */
#include "models/coherence/world.h"

#include <string.h>

/* ---- names */

#define fault(x, ...) model_fault(&(x)->model, __VA_ARGS__)

static const char *agent_name(const struct space *x, int agent)
{
    static const char *const names[EXPLORE_CACHES_MAX] = { "cache 0", "cache 1", "cache 2", "cache 3" };
    return agent < 0 ? controller_name(x->p, CTL_HOME) : agent < (int)x->caches ? names[agent] : "device";
}

void space_init(struct space *x, const struct protocol *p, struct explore_options o, struct row_counts *counts)
{
    memset(x, 0, sizeof *x);
    x->p = p;
    x->caches = o.caches;
    x->agents = o.caches + o.device;
    x->on_bus = protocol_on_bus(p) ? (uint16_t)x->agents : 0;
    x->recalls = o.recalls && p->table[CTL_HOME].row[0][HEV_RECALL] != ROW_ILLEGAL;
    x->inner_home = o.lines <= 1;
    x->forgets = o.broadcast && !protocol_on_bus(p);
    x->demotes = o.recalls && x->inner_home && p->table[CTL_HOME].row[0][HEV_DEMOTE] != ROW_ILLEGAL;
    x->model = (struct model){ .ops = &one_line_ops, .key_words = sizeof(union key) / 8, .counts = counts };
    for (unsigned e = 0; e <= CEV_READ_ONCE; e++)
        if (protocol_has_event(p, (enum cache_event)e) || e == CEV_EVICT)
            x->events[0] |= 1u << e;
    x->events[1] = x->events[0] & (1u << CEV_READ_ONCE | 1u << CEV_STORE | 1u << CEV_STORE_FULL | 1u << CEV_EVICT);
    for (unsigned s = 0; s < p->table[CTL_CACHE].n_states; s++)
        for (unsigned e = 0; e <= CEV_READ_ONCE; e++)
            x->waits[s] |= (uint32_t)(row_verdict(p->table[CTL_CACHE].row[s][e]) == STEP_WAIT) << e;
    x->cache_holds = judge_states_with_data(p, CTL_CACHE);
    x->home_holds = judge_states_with_data(p, CTL_HOME);
    x->n_orders = world_orders(o.caches, x->order);
}

void world_first(const struct space *x, struct world *w)
{
    memset(w, 0, sizeof *w);
    w->home = (struct home_line){ .owner = -1, .requester = -1, .txn = -1, .version = x->home_holds & 1,
                                  .agents = x->on_bus };
    w->memory_current = true;
}

/* ---- the step's results */

static enum fired send_one(struct space *x, struct world *w, const struct out_msg *m, int to)
{
    const char *kind = msg_infos[m->kind].name;
    if (to != AT_HOME && (to < 0 || to >= (int)x->agents))
        return fault(x, "%s is sent to nobody", kind);
    if (m->requester >= 0 && m->txn != TXN_OF(m->requester))
        return fault(x, "%s has lost the number of its transaction", kind);
    if (msg_infos[m->kind].data && m->version != 1)
        return fault(x, "%s to %s carries stale data", kind, agent_name(x, to));
    if (m->acks < -1 || m->acks > WORLD_AGENTS_MAX)
        return fault(x, "%s announces %d acknowledgements", kind, m->acks);
    if (w->n_messages == WORLD_MESSAGES_MAX)
        return fault(x, "messages pile up: more than %d are in flight", WORLD_MESSAGES_MAX);
    w->message[w->n_messages++] = (struct flight){ m->kind, (int8_t)to, (int8_t)m->requester, (int8_t)m->acks,
                                                   msg_infos[m->kind].data };
    return FIRED_CHANGED;
}

static enum fired send_all(struct space *x, struct world *w)
{
    for (unsigned i = 0; i < x->out.n; i++) {
        const struct out_msg *m = &x->out.m[i];
        enum fired f = FIRED_CHANGED;
        if (!m->multicast)
            f = send_one(x, w, m, m->to_home ? AT_HOME : m->to >= 0 ? m->to : WORLD_AGENTS_MAX);
        else
            for (unsigned a = 0; a < x->agents && f != FIRED_FAULT; a++)
                if (x->out.targets.w[0] >> a & 1)
                    f = send_one(x, w, m, (int)a);
        if (f == FIRED_FAULT)
            return f;
    }
    return FIRED_CHANGED;
}

/* Agent a stores: every other copy of the data is stale now. */
static void store_performs(const struct space *x, struct world *w, unsigned a)
{
    for (unsigned i = 0; i < x->agents; i++)
        w->line[i].version = i == a;
    for (unsigned i = 0; i < w->n_messages; i++)
        w->message[i].current = 0;
    w->home.version = 0;
    w->memory_current = false;
}

/* At most one may write, and then nobody else may read. */
static enum fired single_writer(struct space *x, const struct world *w)
{
    int writer = -1, reader = -1;
    for (unsigned a = 0; a < x->agents; a++) {
        bool may_write = cache_writable(x->p, w->line[a].state);
        if (may_write && writer >= 0)
            return fault(x, "%s and %s both may write", agent_name(x, writer), agent_name(x, (int)a));
        if (may_write)
            writer = (int)a;
        else if (cache_readable(x->p, w->line[a].state))
            reader = (int)a;
    }
    if (writer >= 0 && reader >= 0)
        return fault(x, "%s may write while %s may read", agent_name(x, writer), agent_name(x, reader));
    return FIRED_CHANGED;
}

/* A flush is satisfied by an instant at which nobody could read the line and memory was current. */
static enum fired flushes_judge(struct space *x, struct world *w, int completes)
{
    bool flushed = w->memory_current;
    for (unsigned a = 0; a < x->agents; a++)
        flushed = flushed && !cache_readable(x->p, w->line[a].state);
    for (unsigned a = 0; a < x->agents && flushed; a++)
        if (w->pending[a] == PENDING_FLUSH)
            w->pending[a] = PENDING_FLUSHED;
    if (completes < 0)
        return FIRED_CHANGED;
    if (w->pending[completes] == PENDING_FLUSH)
        return fault(x, "%s ends a flush that left a copy in a cache or memory stale",
                     agent_name(x, completes));
    w->pending[completes] = PENDING_NONE;
    return FIRED_CHANGED;
}

/* ---- a cache's move */

static enum fired after_cache_step(struct space *x, struct world *w, unsigned a, unsigned event, const struct msg *in)
{
    const char *who = agent_name(x, (int)a);
    int flush_ends = -1;
    enum fired f = send_all(x, w);
    if (f != FIRED_FAULT && x->out.complete) {
        uint8_t what = in ? w->pending[a] : judge_pending[event];
        f = judge_perform(&x->model, x->p, who, &w->line[a], what, in);
        if (what == PENDING_STORE || what == PENDING_STORE_FULL)
            store_performs(x, w, a);
        if (in && judge_flushing(what))
            flush_ends = (int)a;
        else if (in)
            w->pending[a] = PENDING_NONE;
    } else if (f != FIRED_FAULT) {
        f = in ? judge_answered(&x->model, x->p, who, &w->line[a], w->pending[a])
               : judge_begun(&x->model, x->p, who, &w->line[a], &w->pending[a], event);
    }
    if (f == FIRED_FAULT)
        return f;
    if (judge_acks(&x->model, x->p, who, &w->line[a], x->agents) == FIRED_FAULT)
        return FIRED_FAULT;
    if (!(x->cache_holds >> w->line[a].state & 1))
        w->line[a].version = 0;
    return single_writer(x, w) == FIRED_FAULT ? FIRED_FAULT : flushes_judge(x, w, flush_ends);
}

/* Steps a copy of the line first: most core events hit, and the world need not be copied for them. */
static enum fired fire_cache(struct space *x, const struct world *from, struct world *w, unsigned a, unsigned event,
                             const struct msg *in)
{
    struct cache_line line = from->line[a];
    enum verdict v = cache_step(x->p, &line, (enum cache_event)event, in, (int16_t)a, TXN_OF(a), &x->out, x->model.counts);
    if (v == STEP_WAIT && !in)
        return FIRED_NOTHING;
    bool idle = !in && x->out.n == 0 && line.state == from->line[a].state, reads = event == CEV_LOAD || event == CEV_READ_ONCE;
    if (v == STEP_DONE && idle && reads && x->out.complete && line.version == 1)
        return FIRED_NOTHING; /* a hit on the newest data */
    if (!in)
        *w = *from;
    if (v == STEP_ILLEGAL)
        return judge_no_row(&x->model, x->p, agent_name(x, (int)a), CTL_CACHE, from->line[a].state, event);
    if (v == STEP_WAIT)
        return fault(x, "%s lets a message wait", agent_name(x, (int)a));
    w->line[a] = line;
    bool stores = event == CEV_STORE || event == CEV_STORE_FULL;
    enum fired f = after_cache_step(x, w, a, event, in);
    return f != FIRED_FAULT && idle && !stores ? FIRED_NOTHING : f;
}

/* ---- the home's move */

/* The home wanted something for itself: `asked` remembers what until it has it. */
static enum fired own_wish(struct space *x, struct world *w, bool done, bool current)
{
    bool recall = w->asked == ASKED_RECALL;
    if (!done)
        return FIRED_CHANGED;
    if (w->asked == ASKED_NOTHING || x->out.recalled != recall)
        return fault(x, "%s ends a %s that nobody began", agent_name(x, AT_HOME), x->out.recalled ? "recall" : "demotion");
    if (!current)
        return fault(x, "%s ends a %s with stale data", agent_name(x, AT_HOME), recall ? "recall" : "demotion");
    for (unsigned a = 0; a < x->agents; a++)
        if (recall ? cache_readable(x->p, w->line[a].state) : cache_writable(x->p, w->line[a].state))
            return fault(x, "a %s ends while a cache may %s", recall ? "recall" : "demotion", recall ? "read" : "write");
    if (recall && w->home.state != 0)
        return fault(x, "%s ends a recall in a state that keeps the line", agent_name(x, AT_HOME));
    w->asked = ASKED_NOTHING;
    return FIRED_CHANGED;
}

static enum fired after_home_step(struct space *x, struct world *w, enum home_wish begins)
{
    bool current = w->home.version == 1;
    if (x->out.flush_memory || x->out.recalled) {
        if (!current)
            return fault(x, "%s gives stale data to memory", agent_name(x, AT_HOME));
        w->memory_current = true;
    }
    if (begins != ASKED_NOTHING)
        w->asked = begins;
    if (own_wish(x, w, x->out.recalled || x->out.demoted, current) == FIRED_FAULT)
        return FIRED_FAULT;
    if (w->home.acks < 0 || w->home.acks > (int)x->agents || (w->home.acks && home_stable(x->p, w->home.state)))
        return fault(x, "%s has lost count of its acknowledgements", agent_name(x, AT_HOME));
    if (w->home.requester >= 0 && w->home.txn != TXN_OF(w->home.requester))
        return fault(x, "%s has lost the number of the transaction", agent_name(x, AT_HOME));
    enum fired f = send_all(x, w);
    if (!(x->home_holds >> w->home.state & 1))
        w->home.version = 0;
    return f == FIRED_FAULT ? f : flushes_judge(x, w, -1);
}

static enum fired fire_home(struct space *x, const struct world *from, struct world *w, unsigned event,
                            const struct msg *in)
{
    struct home_line home = from->home;
    enum verdict v = home_step(x->p, &home, (enum home_event)event, in, &x->out, x->model.counts);
    if (v == STEP_WAIT)
        return FIRED_NOTHING;
    if (!in)
        *w = *from;
    if (v == STEP_ILLEGAL)
        return judge_no_row(&x->model, x->p, agent_name(x, AT_HOME), CTL_HOME, from->home.state, event);
    w->home = home;
    return after_home_step(x, w, in ? ASKED_NOTHING : event == HEV_RECALL ? ASKED_RECALL : ASKED_DEMOTION);
}

/* ---- moves */

static bool same_flight(const struct flight *a, const struct flight *b)
{
    return a->kind == b->kind && a->to == b->to && a->requester == b->requester && a->acks == b->acks &&
           a->current == b->current;
}

unsigned world_deliveries(const struct space *x, const struct world *w, struct move moves[2 * WORLD_MESSAGES_MAX])
{
    bool gets_r = x->inner_home && x->p->table[CTL_HOME].row[w->home.state][HEV_GETS_R] != ROW_ILLEGAL;
    unsigned n = 0;
    for (unsigned i = 0; i < w->n_messages; i++)
        if (i == 0 || !same_flight(&w->message[i], &w->message[i - 1])) {
            moves[n++] = (struct move){ .kind = MOVE_DELIVER, .index = (uint8_t)i, .onward = true };
            if (gets_r && w->message[i].kind == MSG_GETS)
                moves[n++] = (struct move){ .kind = MOVE_DELIVER, .index = (uint8_t)i, .event = HEV_GETS_R, .onward = true };
        }
    return n;
}

/* A core event that waits is no move, but its row is used. */
unsigned world_core_events(const struct space *x, uint8_t state, unsigned a, struct move moves[CACHE_EVENT_COUNT])
{
    unsigned n = 0;
    uint32_t events = x->events[a >= x->caches], waiting = events & x->waits[state];
    if (x->model.counts)
        for (uint32_t left = waiting; left; left &= left - 1)
            x->model.counts->cache[state][__builtin_ctz(left)]++;
    for (events &= ~waiting & (state == 0 ? ~(1u << CEV_EVICT) : ~0u); events; events &= events - 1)
        moves[n++] = (struct move){ .kind = MOVE_CORE, .index = (uint8_t)a, .event = (uint8_t)__builtin_ctz(events) };
    return n;
}

static void incoming(struct space *x, const struct flight *m)
{
    x->in.kind = m->kind;
    x->in.requester = (uint16_t)m->requester;
    x->in.txn = m->requester < 0 ? -1 : TXN_OF(m->requester);
    x->in.acks = m->acks;
    x->in.version = m->current;
}

static void take_out(const struct world *from, struct world *to, unsigned index)
{
    *to = *from;
    to->n_messages--;
    memmove(to->message + index, to->message + index + 1, (to->n_messages - index) * sizeof *to->message);
}

/* GETS_R is the two-level composition's to offer: explored as an alternative to each GETS. */
static enum home_event home_event_of(const struct world *w, struct move move, const struct msg *in)
{
    return move.event == HEV_GETS_R ? HEV_GETS_R : home_classify(&w->home, in);
}

static enum fired deliver(struct space *x, const struct world *from, struct world *to, struct move move)
{
    unsigned index = move.index;
    const struct flight *m = &from->message[index];
    incoming(x, m);
    if (m->to == AT_HOME) {
        enum home_event event = home_event_of(from, move, &x->in);
        if (event >= HOME_EVENT_COUNT || row_verdict(x->p->table[CTL_HOME].row[from->home.state][event]) != STEP_WAIT)
            take_out(from, to, index);
        return fire_home(x, from, to, event, &x->in);
    }
    unsigned a = (unsigned)m->to;
    take_out(from, to, index);
    return fire_cache(x, from, to, a, cache_classify(&from->line[a], &x->in), &x->in);
}

/* A directory entry that can name no more sharers: whoever is not the owner counts as one (see home.h). */
static enum fired forget(const struct space *x, const struct world *from, struct world *to)
{
    uint64_t all = (1ull << x->agents) - 1;
    *to = *from;
    if (from->home.owner >= 0)
        all &= ~(1ull << from->home.owner);
    to->home.sharers.w[0] |= all;
    return to->home.sharers.w[0] == from->home.sharers.w[0] ? FIRED_NOTHING : FIRED_CHANGED;
}

bool world_may_forget(const struct space *x, const struct world *w)
{
    return x->forgets && w->home.sharers.w[0] != 0 && home_stable(x->p, w->home.state);
}

enum fired world_fire(struct space *x, const struct world *from, struct move move, struct world *to)
{
    switch ((enum move_kind)move.kind) {
    case MOVE_DELIVER: return deliver(x, from, to, move);
    case MOVE_CORE: return fire_cache(x, from, to, move.index, move.event, NULL);
    case MOVE_OWN: return move.event == EVENT_FORGET ? forget(x, from, to) : fire_home(x, from, to, move.event, NULL);
    }
    return FIRED_NOTHING;
}

/* ---- at rest */

bool world_quiet(const struct space *x, const struct world *w)
{
    bool quiet = w->n_messages == 0 && w->asked == ASKED_NOTHING && home_stable(x->p, w->home.state);
    for (unsigned a = 0; a < x->agents; a++)
        quiet = quiet && w->pending[a] == PENDING_NONE && cache_stable(x->p, w->line[a].state);
    return quiet;
}

/* A bus remembers nobody: one at most answers for the data, and if nobody does the last level has it. */
static bool bus_agrees(struct space *x, const struct world *w)
{
    int owner = -1;
    for (int a = 0; a < (int)x->agents; a++) {
        uint8_t state = w->line[a].state;
        bool owns = !cache_evict_silent(x->p, state) && state != 0;
        if (owns && owner >= 0)
            fault(x, "at rest, %s and %s both answer for the data", agent_name(x, owner), agent_name(x, a));
        else if (w->home.state == 0 && state != 0)
            fault(x, "at rest, %s has a copy while the bus's state says nobody has", agent_name(x, a));
        else {
            owner = owns ? a : owner;
            continue;
        }
        return false;
    }
    if (owner < 0 && x->home_holds >> w->home.state & 1 && w->home.version != 1)
        fault(x, "at rest, nobody answers for the data but the last level's is stale");
    return owner >= 0 || !(x->home_holds >> w->home.state & 1) || w->home.version == 1;
}

bool world_agrees(struct space *x, const struct world *w)
{
    if (x->on_bus)
        return bus_agrees(x, w);
    for (int a = 0; a < (int)x->agents; a++) {
        uint8_t state = w->line[a].state;
        bool owns = x->p->owning >> state & 1, is_owner = w->home.owner == a;
        if (owns != is_owner)
            fault(x, "at rest, %s is %s but the home thinks otherwise", agent_name(x, a),
                  owns ? "owner" : "no owner");
        else if (!owns && cache_readable(x->p, state) && !(w->home.sharers.w[0] >> a & 1))
            fault(x, "at rest, %s has a copy that the home does not know of", agent_name(x, a));
        else if (w->home.state == 0 && state != 0)
            fault(x, "at rest, %s has a copy while the home's state says nobody has", agent_name(x, a));
        else
            continue;
        return false;
    }
    bool matters = x->home_holds >> w->home.state & 1; /* or nobody will ever ask for it */
    if (w->home.owner < 0 && matters && w->home.version != 1) {
        fault(x, "at rest, nobody owns the line but the home's data is stale");
        return false;
    }
    return true;
}

/* ---- telling it */

static void print_flight(FILE *out, const struct space *x, const struct world *w)
{
    for (unsigned i = 0; i < w->n_messages; i++) {
        const struct flight *m = &w->message[i];
        fprintf(out, "%s%s", i ? ", " : "", msg_infos[m->kind].name);
        if (m->to != m->requester)
            fprintf(out, " of %s", agent_name(x, m->requester));
        fprintf(out, " to %s", agent_name(x, m->to));
        if (m->acks > 0)
            fprintf(out, " (%d acks)", m->acks);
        if (msg_infos[m->kind].data && !m->current)
            fputs(" (stale)", out);
    }
    fputs(w->n_messages ? "\n" : "nothing\n", out);
}

void world_print_move(FILE *out, struct space *x, const struct world *from, struct move move, const struct world *to)
{
    int who = move.kind == MOVE_CORE ? move.index : move.kind == MOVE_OWN ? AT_HOME : from->message[move.index].to;
    unsigned event = move.event;
    if (move.kind == MOVE_DELIVER) {
        incoming(x, &from->message[move.index]);
        event = who < 0 ? (unsigned)home_event_of(from, move, &x->in) : (unsigned)cache_classify(&from->line[who], &x->in);
    }
    enum controller c = who < 0 ? CTL_HOME : CTL_CACHE;
    uint8_t old = who < 0 ? from->home.state : from->line[who].state, new = who < 0 ? to->home.state : to->line[who].state;
    fprintf(out, "%-8s %-11s %3s > %-3s   in flight: ", agent_name(x, who), event == EVENT_FORGET ? "(forgets)" :
            event < vocabularies[c].n_events ? vocabularies[c].events[event].name : "?", x->p->table[c].name[old],
            x->p->table[c].name[new]);
    print_flight(out, x, to);
}
