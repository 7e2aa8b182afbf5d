/* models/coherence/cluster_line.c - the glue between a cluster's home and its upper cache. */
#include "models/coherence/cluster_line.h"

#include "models/coherence/table.h"

#include <string.h>

#define REQUEST(event, first, ask, why) { false, HEV_##event, first, ask, why }
#define UPPER(event, first, why) { true, CEV_##event, first, 0, why }
const struct glue glue_default = {
    .row = {
        REQUEST(GETS, GLUE_READ, CEV_LOAD, "a copy inside stands on the cluster's own"),
        REQUEST(GETU, GLUE_READ, CEV_LOAD, "the home's data is the upper cache's"),
        REQUEST(GETM, GLUE_WRITE, CEV_STORE, "who may write inside asks no more"),
        REQUEST(GETO, GLUE_WRITE, CEV_STORE_FULL, "nobody inside needs the old data either"),
        REQUEST(UPG_OWNER, GLUE_WRITE, CEV_STORE, "other clusters may share the owner's line"),
        REQUEST(UPG_OLD, GLUE_WRITE, CEV_STORE, "as for any writer"),
        REQUEST(FLUSH, GLUE_FLUSH, CEV_FLUSH, "the rest is the upper cache's business"),
        REQUEST(PUTF_OWNER, GLUE_FLUSH, CEV_FLUSH, "memory is behind the upper cache"),
        REQUEST(PUTF_OLD, GLUE_FLUSH, CEV_FLUSH, "memory is behind the upper cache"),
        REQUEST(PUT_OWNER, GLUE_NOTHING, 0, "comes home, no further"),
        REQUEST(PUT_OLD, GLUE_NOTHING, 0, "comes home, no further"),
        UPPER(INV, GLUE_RECALL, "the copies inside go with the cluster's"),
        UPPER(FWD_GETM, GLUE_RECALL, "the copies inside go with the cluster's"),
        UPPER(FWD_FLUSH, GLUE_RECALL, "the copies inside go with the cluster's"),
        UPPER(FWD_GETS, GLUE_DEMOTE, "readers inside stay; the newest data leaves"),
        UPPER(FWD_GETU, GLUE_DEMOTE, "the newest data leaves"),
        UPPER(EVICT, GLUE_RECALL, "it includes what its caches hold"),
    },
    .shared_under_shared = true,
};

void glue_print(FILE *out, const struct glue *g)
{
    static const char *const first[] = { "nothing", "may read", "may write", "flushes", "RECALL", "DEMOTE" };
    fputs("Glue between a cluster's home and its upper cache (two levels):\n", out);
    for (unsigned i = 0; i < GLUE_ROWS; i++) {
        const struct glue_row *r = &g->row[i];
        bool asks = r->first == GLUE_READ || r->first == GLUE_WRITE;
        fprintf(out, "  %-5s %-10s first: %s %-9s %s%-10s %s\n", r->upper ? "upper" : "home",
                r->upper ? cache_event_name(r->event) : home_event_name(r->event), r->upper ? "home " : "upper", first[r->first],
                asks ? "else " : "     ", asks ? cache_event_name(r->ask) : "", r->why);
    }
    if (g->shared_under_shared)
        fputs("  home  GETS       is stepped as GETS_R while the upper cache may only read: never the only copy\n                   under a shared one\n", out);
}

const char *cluster_protocol_lacks(const struct protocol *p)
{
    if (p->table[CTL_HOME].row[0][HEV_DEMOTE] == ROW_ILLEGAL)
        return "DEMOTE";
    return p->table[CTL_HOME].row[0][HEV_GETS_R] == ROW_ILLEGAL ? "GETS_R" : NULL;
}

void cluster_line_init(struct cluster_line *l)
{
    *l = (struct cluster_line){ .home = { .owner = -1, .requester = -1, .txn = -1 } };
}

bool cluster_line_idle(const struct protocol *p, const struct cluster_line *l)
{
    return home_stable(p, l->home.state) && cache_stable(p, l->upper.state) && !l->trigger.busy && !l->forward.busy &&
           !l->flush.busy && !l->evicting;
}

bool cluster_line_empty(const struct protocol *p, const struct cluster_line *l)
{
    return l->home.state == 0 && l->upper.state == 0 && cluster_line_idle(p, l);
}

/* ---- one step of either table */

struct walk {
    const struct cluster_env *env;
    struct cluster_line *line;
    struct cluster_out *out;
    uint8_t cause;              /* of the messages sent from here on */
    bool illegal;
};

static const struct glue_row *row_of(const struct walk *w, bool upper, unsigned event)
{
    for (unsigned i = 0; i < GLUE_ROWS; i++)
        if (w->env->glue->row[i].upper == upper && w->env->glue->row[i].event == event)
            return &w->env->glue->row[i];
    return NULL;
}

static void count_row(const struct walk *w, const struct glue_row *r)
{
    if (w->env->glue_counts && r)
        w->env->glue_counts->row[r - w->env->glue->row]++;
}

static void collect(struct walk *w, const struct outbox *o, bool outer)
{
    for (unsigned i = 0; i < o->n && w->out->n < CLUSTER_OUT_MAX; i++) {
        w->out->msg[w->out->n++] = (struct cluster_msg){ o->m[i], outer, w->cause };
        if (o->m[i].multicast)
            w->out->targets = o->targets;
    }
}

static void note(struct walk *w, bool upper, unsigned event, uint8_t old, enum verdict v, const struct outbox *o,
                 const struct msg *in)
{
    w->illegal |= v == STEP_ILLEGAL;
    if (w->env->note && v != STEP_WAIT)
        w->env->note(w->env->arg, upper, event, old, v, o, in);
}

static void upper_completed(struct walk *w);

static enum verdict step_upper(struct walk *w, enum cache_event event, const struct msg *in)
{
    struct cluster_line *l = w->line;
    struct outbox o;
    uint8_t old = l->upper.state;
    enum verdict v = cache_step(w->env->protocol, &l->upper, event, in, w->env->agent, w->env->txn, &o, w->env->counts);
    note(w, true, event, old, v, &o, in);
    if (v != STEP_DONE)
        return v;
    if (o.take_data)
        l->home.version = l->upper.version;
    collect(w, &o, true);
    if (in && o.complete)
        upper_completed(w);
    return v;
}

/* The answer to a flush from inside waits for the upper cache's own flush. */
static void hold_flush_answer(struct walk *w, struct outbox *o)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < o->n; i++) {
        const struct out_msg *m = &o->m[i];
        if (m->kind == MSG_PUTACK)
            w->line->flush = (struct held_msg){ true, m->kind, (uint16_t)m->requester, m->txn, m->acks, m->version };
        else
            o->m[kept++] = *m;
    }
    o->n = kept;
}

static void flush_upper(struct walk *w)
{
    w->line->upper_waits = true;
    if (step_upper(w, CEV_FLUSH, NULL) != STEP_DONE)
        w->illegal = true; /* admitted only when the upper cache was at rest */
}

static void answer_outside(struct walk *w, enum home_event got);

static enum verdict step_home(struct walk *w, enum home_event event, const struct msg *in)
{
    struct cluster_line *l = w->line;
    struct outbox o;
    uint8_t old = l->home.state;
    enum verdict v = home_step(w->env->protocol, &l->home, event, in, &o, w->env->counts);
    note(w, false, event, old, v, &o, in);
    if (v != STEP_DONE)
        return v;
    if (o.keep_data)
        l->upper.version = l->home.version;
    const struct glue_row *r = o.flush_memory ? row_of(w, false, HEV_FLUSH) : NULL;
    bool flush = r && r->first == GLUE_FLUSH;
    if (flush)
        hold_flush_answer(w, &o);
    collect(w, &o, false);
    if (flush)
        flush_upper(w);
    if (o.recalled || o.demoted)
        answer_outside(w, o.recalled ? HEV_RECALL : HEV_DEMOTE);
    return v;
}

/* ---- what waits in the line */

static struct held_msg hold(const struct msg *m)
{
    return (struct held_msg){ true, m->kind, m->requester, m->txn, m->acks, m->version };
}

static struct msg unheld(const struct held_msg *h)
{
    return (struct msg){ .kind = h->kind, .requester = h->requester, .txn = h->txn, .acks = h->acks, .version = h->version };
}

static unsigned first_of(const struct walk *w, enum cache_event event)
{
    const struct glue_row *r = row_of(w, true, event);
    return r ? r->first : GLUE_NOTHING;
}

static bool enough(unsigned first, enum home_event got) { return first != GLUE_RECALL || got == HEV_RECALL; }

static void step_forward(struct walk *w)
{
    struct msg m = unheld(&w->line->forward);
    enum cache_event event = cache_classify(&w->line->upper, &m);
    w->line->forward.busy = false;
    count_row(w, row_of(w, true, event));
    step_upper(w, event, &m);
}

static void step_evict(struct walk *w)
{
    struct cluster_line *l = w->line;
    l->evicting = false;
    count_row(w, row_of(w, true, CEV_EVICT));
    if (l->upper.state != 0 && cache_stable(w->env->protocol, l->upper.state))
        step_upper(w, CEV_EVICT, NULL);
}

/* The home has recalled or demoted: who waited for that goes on, in this very step. */
static void answer_outside(struct walk *w, enum home_event got)
{
    struct cluster_line *l = w->line;
    l->asked = 0;
    if (l->forward.busy) {
        struct msg m = unheld(&l->forward);
        uint8_t cause = w->cause;
        if (l->evicting)
            w->cause = CAUSE_FORWARD; /* the recall was the cluster's own wish: the forward only waited */
        if (enough(first_of(w, cache_classify(&l->upper, &m)), got))
            step_forward(w);
        w->cause = cause;
    }
    if (l->evicting && enough(first_of(w, CEV_EVICT), got))
        step_evict(w);
}

static void upper_completed(struct walk *w)
{
    struct cluster_line *l = w->line;
    l->upper_waits = false;
    if (!l->flush.busy)
        return;
    struct outbox o = { .n = 1, .m = { { .kind = l->flush.kind, .to = (int16_t)l->flush.requester,
                                         .requester = (int16_t)l->flush.requester, .txn = l->flush.txn,
                                         .acks = l->flush.acks, .version = l->home.version } } };
    l->flush.busy = false;
    collect(w, &o, false);
}

/* Asks the home to recall or demote if `first` says so; true: that is done (or not needed) and the caller goes on. */
static bool home_yields(struct walk *w, unsigned first)
{
    struct cluster_line *l = w->line;
    if (first != GLUE_RECALL && first != GLUE_DEMOTE)
        return true;
    enum home_event event = first == GLUE_RECALL ? HEV_RECALL : HEV_DEMOTE;
    l->asked = (uint8_t)(event + 1);
    step_home(w, event, NULL); /* ends in answer_outside, now or later */
    return false;
}

/* ---- requests from inside */

static bool may(const struct walk *w, unsigned first)
{
    uint8_t s = w->line->upper.state;
    return first == GLUE_READ ? cache_readable(w->env->protocol, s) : cache_writable(w->env->protocol, s);
}

static enum cluster_verdict verdict_of(enum verdict v)
{
    return v == STEP_DONE ? CLUSTER_DONE : v == STEP_WAIT ? CLUSTER_WAIT : CLUSTER_ILLEGAL;
}

/* The upper cache may: the home's row runs. Whoever may write inside makes the upper cache's copy a changed one now. */
static enum cluster_verdict admit(struct walk *w, const struct glue_row *r, enum home_event event, const struct msg *in)
{
    struct cluster_line *l = w->line;
    const struct protocol *p = w->env->protocol;
    bool writable = cache_writable(p, l->upper.state);
    bool by_itself = event == HEV_GETS && p->table[CTL_HOME].row[l->home.state][HEV_GETS_R] != ROW_ILLEGAL;
    if (r->first == GLUE_WRITE || (by_itself && writable))
        step_upper(w, CEV_STORE, NULL);
    else if (by_itself && w->env->glue->shared_under_shared)
        event = HEV_GETS_R;
    if (event == HEV_GETS_R && w->env->glue_counts)
        w->env->glue_counts->shared_under_shared++;
    return verdict_of(step_home(w, event, in));
}

static enum cluster_verdict ask_upper(struct walk *w, const struct glue_row *r, const struct msg *in)
{
    struct cluster_line *l = w->line;
    if (l->trigger.busy || l->flush.busy)
        return CLUSTER_WAIT;
    enum verdict v = step_upper(w, (enum cache_event)r->ask, NULL);
    if (v != STEP_DONE)
        return verdict_of(v);
    l->trigger = hold(in);
    l->upper_waits = true;
    return CLUSTER_HELD;
}

static enum cluster_verdict request_under(struct walk *w, const struct glue_row *r, enum home_event event,
                                          const struct msg *in)
{
    struct cluster_line *l = w->line;
    if (r->first == GLUE_FLUSH) {
        bool rest = !l->trigger.busy && !l->flush.busy && cache_stable(w->env->protocol, l->upper.state);
        return rest ? verdict_of(step_home(w, event, in)) : CLUSTER_WAIT;
    }
    if (may(w, r->first))
        return admit(w, r, event, in);
    return ask_upper(w, r, in);
}

static enum cluster_verdict request(struct walk *w, const struct msg *in)
{
    struct cluster_line *l = w->line;
    enum home_event event = home_classify(&l->home, in);
    const struct glue_row *r = event < HOME_EVENT_COUNT ? row_of(w, false, event) : NULL;
    bool free = !r || r->first == GLUE_NOTHING;
    if (free || !home_stable(w->env->protocol, l->home.state)) {
        enum verdict v = step_home(w, event, in);
        if (free && v == STEP_DONE)
            count_row(w, r);
        return verdict_of(v);
    }
    if (l->forward.busy || l->evicting)
        return CLUSTER_WAIT;
    enum cluster_verdict v = request_under(w, r, event, in);
    if (v == CLUSTER_DONE)
        count_row(w, r);
    return v;
}

/* What waits in the line and can go on now: first the outside, then the request that the upper cache worked for. */
static void settle(struct walk *w)
{
    struct cluster_line *l = w->line;
    while (!w->illegal && home_stable(w->env->protocol, l->home.state)) {
        if (l->forward.busy) {
            struct msg m = unheld(&l->forward);
            w->cause = CAUSE_FORWARD;
            if (home_yields(w, first_of(w, cache_classify(&l->upper, &m))))
                step_forward(w);
        } else if (l->trigger.busy && !l->upper_waits) {
            struct msg m = unheld(&l->trigger);
            w->cause = CAUSE_TRIGGER;
            l->trigger.busy = false;
            if (request(w, &m) == CLUSTER_WAIT) {
                l->trigger = hold(&m); /* another transaction of the upper cache is under way: its end brings us back */
                return;
            }
        } else {
            return;
        }
    }
}

/* ---- the three ways in */

static struct walk begin(const struct cluster_env *env, struct cluster_line *l, struct cluster_out *out)
{
    out->n = 0;
    return (struct walk){ env, l, out, CAUSE_IN, false };
}

static enum cluster_verdict finish(struct walk *w, enum cluster_verdict v)
{
    if (v == CLUSTER_WAIT)
        return v;
    settle(w);
    return w->illegal ? CLUSTER_ILLEGAL : v;
}

enum cluster_verdict cluster_inner(const struct cluster_env *env, struct cluster_line *l, const struct msg *in,
                                   struct cluster_out *out)
{
    struct walk w = begin(env, l, out);
    return finish(&w, request(&w, in));
}

enum cluster_verdict cluster_outer(const struct cluster_env *env, struct cluster_line *l, const struct msg *in,
                                   struct cluster_out *out)
{
    struct walk w = begin(env, l, out);
    enum cache_event event = cache_classify(&l->upper, in);
    if (first_of(&w, event) == GLUE_NOTHING)
        return finish(&w, verdict_of(step_upper(&w, event, in)));
    if (l->forward.busy) {
        note(&w, true, event, l->upper.state, STEP_ILLEGAL, NULL, in); /* the global home serves one at a time */
        return CLUSTER_ILLEGAL;
    }
    l->forward = hold(in);
    bool waits = !home_stable(env->protocol, l->home.state);
    if (!waits && home_yields(&w, first_of(&w, event)))
        step_forward(&w);
    return finish(&w, l->forward.busy ? CLUSTER_HELD : CLUSTER_DONE);
}

enum cluster_verdict cluster_evict(const struct cluster_env *env, struct cluster_line *l, struct cluster_out *out)
{
    struct walk w = begin(env, l, out);
    if (!cluster_line_idle(env->protocol, l) || l->upper.state == 0)
        return CLUSTER_WAIT;
    l->evicting = true;
    if (home_yields(&w, first_of(&w, CEV_EVICT)))
        step_evict(&w);
    return finish(&w, CLUSTER_DONE);
}
