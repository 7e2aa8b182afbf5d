/* models/coherence/levels.c - the moves of two levels and what is checked at each. */
#include "models/coherence/levels.h"

#include <string.h>

#define fault(l, ...) model_fault(&(l)->x.model, __VA_ARGS__)

static struct levels_space *space_of(struct model *m) { return (struct levels_space *)m; }
static const struct levels_space *space_in(const struct model *m) { return (const struct levels_space *)m; }

/* ---- sending */

static struct cache_line *line_of(struct levels *w, unsigned list, unsigned agent)
{
    return list ? &w->cluster[list - 1].line[agent] : &w->device;
}

static uint8_t *pending_of(struct levels *w, unsigned list, unsigned agent)
{
    return list ? &w->cluster[list - 1].pending[agent] : &w->device_pending;
}

static struct message_list *list_of(struct levels *w, unsigned list)
{
    return list ? &w->cluster[list - 1].inner : &w->outer;
}

static unsigned agents_of(const struct levels_space *l, unsigned list) { return list ? l->x.caches : l->outer_agents; }

static unsigned in_flight(const struct levels_space *l, const struct levels *w)
{
    unsigned n = w->outer.n;
    for (unsigned c = 0; c < l->clusters; c++)
        n += w->cluster[c].inner.n;
    return n;
}

static enum fired send_one(struct levels_space *l, struct levels *w, unsigned list, const struct out_msg *m, int to)
{
    struct message_list *messages = list_of(w, list);
    const char *kind = msg_infos[m->kind].name;
    if (to != AT_HOME && (to < 0 || to >= (int)agents_of(l, list)))
        return fault(l, "%s is sent to nobody", kind);
    if (m->requester >= 0 && m->txn != TXN_OF(m->requester))
        return fault(l, "%s has lost the number of its transaction", kind);
    if (msg_infos[m->kind].data && m->version != 1)
        return fault(l, "%s to %s carries stale data", kind, levels_agent_name(l, list, to));
    if (m->acks < -1 || m->acks > (int)agents_of(l, list))
        return fault(l, "%s announces %d acknowledgements", kind, m->acks);
    if (messages->n == LEVEL_MESSAGES_MAX)
        return fault(l, "messages pile up: more than %d are in flight", LEVEL_MESSAGES_MAX);
    messages->m[messages->n++] = (struct flight){ m->kind, (int8_t)to, (int8_t)m->requester, (int8_t)m->acks,
                                                  msg_infos[m->kind].data };
    return FIRED_CHANGED;
}

static enum fired send_msg(struct levels_space *l, struct levels *w, unsigned list, const struct out_msg *m,
                           const struct sharer_set *targets)
{
    enum fired f = FIRED_CHANGED;
    if (!m->multicast)
        return send_one(l, w, list, m, m->to_home ? AT_HOME : m->to >= 0 ? m->to : WORLD_AGENTS_MAX);
    for (unsigned a = 0; a < agents_of(l, list) && f != FIRED_FAULT; a++)
        if (targets->w[0] >> a & 1)
            f = send_one(l, w, list, m, (int)a);
    return f;
}

static enum fired send_all(struct levels_space *l, struct levels *w, unsigned list)
{
    enum fired f = FIRED_CHANGED;
    for (unsigned i = 0; i < l->x.out.n && f != FIRED_FAULT; i++)
        f = send_msg(l, w, list, &l->x.out.m[i], &l->x.out.targets);
    return f;
}

/* ---- rules for the whole */

/* The line `by` is stored into: every other copy of the data is stale now. */
static void store_performs(const struct levels_space *l, struct levels *w, struct cache_line *by)
{
    for (unsigned c = 0; c < l->clusters; c++) {
        struct cluster_world *k = &w->cluster[c];
        for (unsigned a = 0; a < l->x.caches; a++)
            k->line[a].version = 0;
        for (unsigned i = 0; i < k->inner.n; i++)
            k->inner.m[i].current = 0;
        k->node.home.version = k->node.upper.version = k->node.trigger.version = 0;
    }
    for (unsigned i = 0; i < w->outer.n; i++)
        w->outer.m[i].current = 0;
    w->home.version = w->device.version = 0;
    w->memory_current = false;
    by->version = 1;
}

/* Who may write and who may only read, of one kind of caches. */
struct rights { const char *writer, *second, *reader; };

static void note_rights(const struct protocol *p, struct rights *r, uint8_t state, const char *who)
{
    if (cache_writable(p, state)) {
        r->second = r->writer;
        r->writer = who;
    } else if (cache_readable(p, state)) {
        r->reader = who;
    }
}

static enum fired judge_rights(struct levels_space *l, const struct rights *r)
{
    if (r->second)
        return fault(l, "%s and %s both may write", r->second, r->writer);
    if (r->writer && r->reader)
        return fault(l, "%s may write while %s may read", r->writer, r->reader);
    return FIRED_CHANGED;
}

static enum fired single_writer(struct levels_space *l, const struct levels *w)
{
    struct rights caches = { 0 }, uppers = { 0 };
    for (unsigned c = 0; c < l->clusters; c++) {
        note_rights(l->x.p, &uppers, w->cluster[c].node.upper.state, levels_upper_name(c));
        for (unsigned a = 0; a < l->x.caches; a++)
            note_rights(l->x.p, &caches, w->cluster[c].line[a].state, levels_cache_name(c, a));
    }
    note_rights(l->x.p, &caches, w->device.state, "device");
    note_rights(l->x.p, &uppers, w->device.state, "device");
    return judge_rights(l, &caches) == FIRED_FAULT ? FIRED_FAULT : judge_rights(l, &uppers);
}

static bool nobody_reads(const struct levels_space *l, const struct levels *w)
{
    bool reads = cache_readable(l->x.p, w->device.state);
    for (unsigned c = 0; c < l->clusters; c++) {
        reads |= cache_readable(l->x.p, w->cluster[c].node.upper.state);
        for (unsigned a = 0; a < l->x.caches; a++)
            reads |= cache_readable(l->x.p, w->cluster[c].line[a].state);
    }
    return !reads;
}

static void flushes_satisfied(const struct levels_space *l, struct levels *w)
{
    if (!w->memory_current || !nobody_reads(l, w))
        return;
    for (unsigned c = 0; c < l->clusters; c++)
        for (unsigned a = 0; a < l->x.caches; a++)
            if (w->cluster[c].pending[a] == PENDING_FLUSH)
                w->cluster[c].pending[a] = PENDING_FLUSHED;
}

static enum fired judge_home(struct levels_space *l, const struct home_line *home, const char *who, unsigned agents)
{
    if (home->acks < 0 || home->acks > (int)agents || (home->acks && home_stable(l->x.p, home->state)))
        return fault(l, "%s has lost count of its acknowledgements", who);
    if (home->requester >= 0 && home->txn != TXN_OF(home->requester))
        return fault(l, "%s has lost the number of the transaction", who);
    return FIRED_CHANGED;
}

/* ---- a cache's move: of one inside a cluster, or of the device (list 0) */

static enum fired after_cache_step(struct levels_space *l, struct levels *w, unsigned list, unsigned a, unsigned event,
                                   const struct msg *in)
{
    struct space *x = &l->x;
    struct cache_line *line = line_of(w, list, a);
    uint8_t *pending = pending_of(w, list, a);
    const char *who = levels_agent_name(l, list, (int)a);
    enum fired f = send_all(l, w, list);
    bool flush_ends = false;
    if (f != FIRED_FAULT && x->out.complete) {
        uint8_t what = in ? *pending : judge_pending[event];
        f = judge_perform(&x->model, x->p, who, line, what, in);
        if (what == PENDING_STORE || what == PENDING_STORE_FULL)
            store_performs(l, w, line);
        flush_ends = in && judge_flushing(what);
        if (in && !flush_ends)
            *pending = PENDING_NONE;
    } else if (f != FIRED_FAULT) {
        f = in ? judge_answered(&x->model, x->p, who, line, *pending)
               : judge_begun(&x->model, x->p, who, line, pending, event);
    }
    if (f == FIRED_FAULT || judge_acks(&x->model, x->p, who, line, agents_of(l, list)) == FIRED_FAULT)
        return FIRED_FAULT;
    if (!(x->cache_holds >> line->state & 1))
        line->version = 0;
    if (single_writer(l, w) == FIRED_FAULT)
        return FIRED_FAULT;
    flushes_satisfied(l, w);
    if (flush_ends && *pending == PENDING_FLUSH)
        return fault(l, "%s ends a flush that left a copy in a cache or memory stale", who);
    if (flush_ends)
        *pending = PENDING_NONE;
    return FIRED_CHANGED;
}

static void copy_without(const struct levels *from, struct levels *to, const struct move *taken)
{
    *to = *from;
    if (!taken)
        return;
    struct message_list *list = list_of(to, taken->line);
    list->n--;
    memmove(list->m + taken->index, list->m + taken->index + 1, (list->n - taken->index) * sizeof *list->m);
}

/* taken: the delivery that brings `in`; NULL for a core event. */
static enum fired fire_cache(struct levels_space *l, const struct levels *from, struct levels *w, unsigned list, unsigned a,
                             unsigned event, const struct move *taken)
{
    struct space *x = &l->x;
    struct cache_line line = list ? from->cluster[list - 1].line[a] : from->device;
    const struct msg *in = taken ? &x->in : NULL;
    uint8_t old = line.state;
    enum verdict v = cache_step(x->p, &line, (enum cache_event)event, in, (int16_t)a, TXN_OF(a), &x->out, x->model.counts);
    if (v == STEP_WAIT && !in)
        return FIRED_NOTHING;
    bool idle = !in && x->out.n == 0 && line.state == old, reads = event == CEV_LOAD || event == CEV_READ_ONCE;
    if (v == STEP_DONE && idle && reads && x->out.complete && line.version == 1)
        return FIRED_NOTHING;
    copy_without(from, w, taken);
    if (v == STEP_ILLEGAL)
        return judge_no_row(&x->model, x->p, levels_agent_name(l, list, (int)a), CTL_CACHE, old, event);
    if (v == STEP_WAIT)
        return fault(l, "%s lets a message wait", levels_agent_name(l, list, (int)a));
    *line_of(w, list, a) = line;
    bool stores = event == CEV_STORE || event == CEV_STORE_FULL;
    enum fired f = after_cache_step(l, w, list, a, event, in);
    return f != FIRED_FAULT && idle && !stores ? FIRED_NOTHING : f;
}

/* ---- a node's move */

struct node_watch {
    struct levels_space *l;
    const struct cluster_world *cluster;
    const struct cluster_line *node;
    unsigned c;
    bool broken;
};

/* After each step inside a node. */
static void watch(void *arg, bool upper, unsigned event, uint8_t old, enum verdict v, const struct outbox *o,
                  const struct msg *in)
{
    struct node_watch *n = arg;
    struct space *x = &n->l->x;
    if (n->broken)
        return;
    if (v == STEP_ILLEGAL) {
        n->broken = true;
        judge_no_row(&x->model, x->p, upper ? levels_upper_name(n->c) : levels_node_name(n->c), upper ? CTL_CACHE : CTL_HOME, old, event);
        return;
    }
    if (upper && in && o->complete && !n->node->upper_waits) {
        n->broken = true;
        fault(n->l, "%s completes an operation that nobody began", levels_upper_name(n->c));
    }
    for (unsigned a = 0; !upper && (o->recalled || o->demoted) && a < x->caches; a++) {
        uint8_t state = n->cluster->line[a].state;
        if (o->recalled ? cache_readable(x->p, state) : cache_writable(x->p, state)) {
            n->broken = true;
            fault(n->l, "a %s ends while %s may %s", o->recalled ? "recall" : "demotion", levels_cache_name(n->c, a),
                  o->recalled ? "read" : "write");
        }
    }
}

static enum fired judge_node(struct levels_space *l, struct cluster_line *n, unsigned c)
{
    const struct space *x = &l->x;
    if (n->home.version != n->upper.version)
        return fault(l, "home and upper cache of %s hold different data", levels_node_name(c));
    if (judge_home(l, &n->home, levels_node_name(c), x->caches) == FIRED_FAULT ||
        judge_acks(&l->x.model, x->p, levels_upper_name(c), &n->upper, l->outer_agents) == FIRED_FAULT)
        return FIRED_FAULT;
    if (n->upper_waits && cache_stable(x->p, n->upper.state))
        return fault(l, "%s is at rest but its operation was not performed", levels_upper_name(c));
    /* the data is used only by an upper cache that holds it, and by a home that nobody inside hides it from */
    if (!(x->cache_holds >> n->upper.state & x->home_holds >> n->home.state & 1))
        n->home.version = n->upper.version = 0;
    return FIRED_CHANGED;
}

enum entrance { INNER, OUTER, EVICTION };

static enum fired fire_node(struct levels_space *l, const struct levels *from, struct levels *w, unsigned c,
                            enum entrance way, const struct move *taken)
{
    struct cluster_line node = from->cluster[c].node;
    struct cluster_out out;
    struct node_watch n = { l, &from->cluster[c], &node, c, false };
    const struct cluster_env env = { .protocol = l->x.p, .glue = l->glue, .agent = (int16_t)c, .txn = TXN_OF(c),
                                     .counts = l->x.model.counts ? &l->counts->nodes : NULL,
                                     .glue_counts = l->x.model.counts ? &l->counts->glue : NULL, .note = watch, .arg = &n };
    enum cluster_verdict v = way == INNER ? cluster_inner(&env, &node, &l->x.in, &out) :
                             way == OUTER ? cluster_outer(&env, &node, &l->x.in, &out) : cluster_evict(&env, &node, &out);
    if (v == CLUSTER_WAIT && way != OUTER)
        return FIRED_NOTHING;
    copy_without(from, w, taken);
    w->cluster[c].node = node;
    if (n.broken)
        return FIRED_FAULT;
    if (v == CLUSTER_ILLEGAL)
        return fault(l, "%s steps what has to wait", levels_node_name(c));
    if (v == CLUSTER_WAIT)
        return fault(l, "%s lets a message from outside wait", levels_node_name(c));
    enum fired f = FIRED_CHANGED;
    for (unsigned i = 0; i < out.n && f != FIRED_FAULT; i++)
        f = send_msg(l, w, out.msg[i].outer ? 0 : c + 1, &out.msg[i].m, &out.targets);
    if (f == FIRED_FAULT || judge_node(l, &w->cluster[c].node, c) == FIRED_FAULT)
        return FIRED_FAULT;
    flushes_satisfied(l, w);
    return single_writer(l, w);
}

/* ---- the global home's move */

static enum fired after_home_step(struct levels_space *l, struct levels *w, bool begins)
{
    const struct outbox *o = &l->x.out;
    if ((o->flush_memory || o->recalled) && w->home.version != 1)
        return fault(l, "home gives stale data to memory");
    w->memory_current |= o->flush_memory || o->recalled;
    if (begins)
        w->asked = ASKED_RECALL;
    if (o->recalled) {
        if (w->asked != ASKED_RECALL)
            return fault(l, "home ends a recall that nobody began");
        if (!nobody_reads(l, w))
            return fault(l, "a recall ends while a cache may read");
        w->asked = ASKED_NOTHING;
    }
    if (judge_home(l, &w->home, "home", l->outer_agents) == FIRED_FAULT)
        return FIRED_FAULT;
    enum fired f = send_all(l, w, 0);
    if (!(l->x.home_holds >> w->home.state & 1))
        w->home.version = 0;
    flushes_satisfied(l, w);
    return f;
}

static enum fired fire_home(struct levels_space *l, const struct levels *from, struct levels *w, unsigned event,
                            const struct move *taken)
{
    struct space *x = &l->x;
    struct home_line home = from->home;
    enum verdict v = home_step(x->p, &home, (enum home_event)event, taken ? &x->in : NULL, &x->out, x->model.counts);
    if (v == STEP_WAIT)
        return FIRED_NOTHING;
    copy_without(from, w, taken);
    if (v == STEP_ILLEGAL)
        return judge_no_row(&x->model, x->p, "home", CTL_HOME, from->home.state, event);
    w->home = home;
    return after_home_step(l, w, !taken);
}

/* ---- moves */

static unsigned deliveries(const struct message_list *list, unsigned number, struct move *moves)
{
    unsigned n = 0;
    for (unsigned i = 0; i < list->n; i++)
        if (i == 0 || memcmp(&list->m[i], &list->m[i - 1], sizeof *list->m) != 0)
            moves[n++] = (struct move){ .kind = MOVE_DELIVER, .index = (uint8_t)i, .line = (uint8_t)number, .onward = true };
    return n;
}

static unsigned moves_of(const struct model *m, const void *world, struct move moves[MODEL_MOVES_MAX])
{
    const struct levels_space *l = space_in(m);
    const struct levels *w = world;
    unsigned n = deliveries(&w->outer, 0, moves);
    for (unsigned c = 0; c < l->clusters; c++)
        n += deliveries(&w->cluster[c].inner, c + 1, moves + n);
    for (unsigned c = 0; c < l->clusters; c++)
        for (unsigned a = 0; a < l->x.caches; a++) {
            unsigned k = world_core_events(&l->x, w->cluster[c].line[a].state, a, moves + n);
            while (k--)
                moves[n++].line = (uint8_t)(c + 1);
        }
    if (l->outer_agents > l->clusters) {
        unsigned k = world_core_events(&l->x, w->device.state, l->x.caches, moves + n);
        for (; k; k--, n++)
            moves[n].index = (uint8_t)l->clusters;
    }
    for (unsigned c = 0; l->evictions && c < l->clusters; c++)
        moves[n++] = (struct move){ .kind = MOVE_OWN, .event = CEV_EVICT, .line = (uint8_t)(c + 1) };
    if (l->x.recalls)
        moves[n++] = (struct move){ .kind = MOVE_OWN, .event = HEV_RECALL };
    return n;
}

static void incoming(struct msg *in, const struct flight *m)
{
    in->kind = m->kind;
    in->requester = (uint16_t)m->requester;
    in->txn = m->requester < 0 ? -1 : TXN_OF(m->requester);
    in->acks = m->acks;
    in->version = m->current;
}

static enum fired deliver(struct levels_space *l, const struct levels *from, struct levels *w, const struct move *move)
{
    const struct message_list *list = move->line ? &from->cluster[move->line - 1].inner : &from->outer;
    const struct flight *m = &list->m[move->index];
    incoming(&l->x.in, m);
    if (m->to == AT_HOME)
        return move->line ? fire_node(l, from, w, move->line - 1u, INNER, move) :
                            fire_home(l, from, w, home_classify(&from->home, &l->x.in), move);
    unsigned a = (unsigned)m->to;
    if (move->line == 0 && a < l->clusters)
        return fire_node(l, from, w, a, OUTER, move);
    const struct cache_line *line = move->line ? &from->cluster[move->line - 1].line[a] : &from->device;
    return fire_cache(l, from, w, move->line, a, cache_classify(line, &l->x.in), move);
}

static enum fired fire(struct model *m, const void *from, struct move move, void *to)
{
    struct levels_space *l = space_of(m);
    switch ((enum move_kind)move.kind) {
    case MOVE_DELIVER: return deliver(l, from, to, &move);
    case MOVE_CORE: return fire_cache(l, from, to, move.line, move.index, move.event, NULL);
    case MOVE_OWN:
        return move.line ? fire_node(l, from, to, move.line - 1u, EVICTION, NULL) : fire_home(l, from, to, HEV_RECALL, NULL);
    }
    return FIRED_NOTHING;
}

static void first(const struct model *m, void *world)
{
    const struct levels_space *l = space_in(m);
    struct levels *w = world;
    memset(w, 0, sizeof *w);
    for (unsigned c = 0; c < l->clusters; c++)
        cluster_line_init(&w->cluster[c].node);
    w->home = (struct home_line){ .owner = -1, .requester = -1, .txn = -1, .version = l->x.home_holds & 1 };
    w->memory_current = true;
}

/* ---- at rest */

static bool silent(const struct model *m, const void *world) { return in_flight(space_in(m), world) == 0; }

static bool quiet(const struct model *m, const void *world)
{
    const struct levels_space *l = space_in(m);
    const struct levels *w = world;
    bool rest = silent(m, w) && w->asked == ASKED_NOTHING && home_stable(l->x.p, w->home.state);
    for (unsigned c = 0; c < l->clusters && rest; c++) {
        rest = cluster_line_idle(l->x.p, &w->cluster[c].node);
        for (unsigned a = 0; a < l->x.caches; a++)
            rest = rest && w->cluster[c].pending[a] == PENDING_NONE && cache_stable(l->x.p, w->cluster[c].line[a].state);
    }
    return rest && w->device_pending == PENDING_NONE && cache_stable(l->x.p, w->device.state);
}

static bool agent_agrees(struct levels_space *l, const struct home_line *home, const char *of, int agent, uint8_t state,
                         const char *who)
{
    bool owns = l->x.p->owning >> state & 1;
    if (owns != (home->owner == agent))
        fault(l, "at rest, %s is %s but %s thinks otherwise", who, owns ? "owner" : "no owner", of);
    else if (!owns && cache_readable(l->x.p, state) && !(home->sharers.w[0] >> agent & 1))
        fault(l, "at rest, %s has a copy that %s does not know of", who, of);
    else if (home->state == 0 && state != 0)
        fault(l, "at rest, %s has a copy while the state of %s says nobody has", who, of);
    else
        return true;
    return false;
}

/* Nobody inside may do what the upper cache may not, and the node has what it may be asked for. */
static bool node_agrees(struct levels_space *l, const struct cluster_world *k, unsigned c)
{
    const struct protocol *p = l->x.p;
    uint8_t upper = k->node.upper.state;
    for (unsigned a = 0; a < l->x.caches; a++) {
        uint8_t state = k->line[a].state;
        if (!agent_agrees(l, &k->node.home, levels_node_name(c), (int)a, state, levels_cache_name(c, a)))
            return false;
        bool beyond = (cache_readable(p, state) && !cache_readable(p, upper)) ||
                      (cache_writable(p, state) && !cache_writable(p, upper));
        if (beyond) {
            fault(l, "at rest, %s may do what %s may not", levels_cache_name(c, a), levels_upper_name(c));
            return false;
        }
    }
    bool needed = k->node.home.owner < 0 && cache_readable(p, upper) && l->x.home_holds >> k->node.home.state & 1;
    if (needed && k->node.home.version != 1)
        fault(l, "at rest, nobody inside owns the line but the data of %s is stale", levels_node_name(c));
    return !needed || k->node.home.version == 1;
}

static bool agrees(struct model *m, const void *world)
{
    struct levels_space *l = space_of(m);
    const struct levels *w = world;
    for (unsigned c = 0; c < l->clusters; c++)
        if (!agent_agrees(l, &w->home, "home", (int)c, w->cluster[c].node.upper.state, levels_upper_name(c)) ||
            !node_agrees(l, &w->cluster[c], c))
            return false;
    if (!agent_agrees(l, &w->home, "home", (int)l->clusters, w->device.state, "device"))
        return false;
    bool needed = w->home.owner < 0 && l->x.home_holds >> w->home.state & 1;
    if (needed && w->home.version != 1)
        fault(l, "at rest, nobody owns the line but the home's data is stale");
    return !needed || w->home.version == 1;
}

static const struct model_ops levels_ops = {
    .world_bytes = sizeof(struct levels), .first = first, .pack = levels_pack, .unpack = levels_unpack, .moves = moves_of,
    .fire = fire, .quiet = quiet, .silent = silent, .agrees = agrees, .print_move = levels_print_move,
};

void levels_init(struct levels_space *l, struct explore_options o, struct level_counts *counts)
{
    l->counts = counts;
    l->clusters = o.clusters;
    l->outer_agents = o.clusters + o.device;
    l->glue = o.glue ? o.glue : &glue_default;
    l->evictions = o.recalls;
    l->n_orders = world_orders(o.clusters, l->order);
    l->x.model.ops = &levels_ops;
    levels_pack_init(l);
}
