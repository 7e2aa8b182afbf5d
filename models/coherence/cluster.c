/* models/coherence/cluster.c - the timed slice of a cluster's last level. */
#include "models/coherence/cluster.h"

#include "models/coherence/slots.h"
#include "models/coherence/station.h"
#include "models/coherence/table.h"
#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

struct kept { int32_t trigger, forward; }; /* the held messages with their chains; NO_PARKED: none */

struct cluster {
    struct component component;
    char upper_name[48];
    struct cluster_desc desc;
    struct cluster_wiring w;
    struct cluster_env env;
    uint16_t node;
    struct slots at;
    struct cluster_line *lines;   /* by slot, as is kept */
    struct kept *kept;
    struct station station;
    uint32_t busy_count;          /* lines with anything under way */
    uint32_t leaving_count;       /* slots beside the sets in use */
    lineno line;                  /* being stepped, */
    const struct cluster_line *stepped; /* and what is kept of it */
    bool completed;               /* the upper cache's transaction, in the step under way */
    struct cluster_counters counters;
};

static void fail(struct cluster *c, lineno line, unsigned agent, const char *what, const char *event)
{
    char text[300];
    snprintf(text, sizeof text, "%s: %s (%s)", c->component.name, what, event);
    c->w.protocol_error(c->w.error_arg, agent, line, text);
}

/* Told of every step of either table. */
static void note(void *self, bool upper, unsigned event, uint8_t old, enum verdict v, const struct outbox *out, const struct msg *in)
{
    struct cluster *c = self;
    const struct protocol *p = c->w.protocol;
    const char *what = upper ? cache_event_name((enum cache_event)event) : home_event_name((enum home_event)event);
    const char *before = upper ? cache_state_name(p, old) : home_state_name(p, old);
    const struct cluster_line *l = c->stepped;
    uint8_t now = upper ? l->upper.state : l->home.state;
    history_add(c->w.history, (struct history_entry){
        .when = engine_now(c->w.engine), .line = c->line, .who = upper ? c->upper_name : c->component.name, .event = what,
        .old_state = before, .new_state = v == STEP_ILLEGAL ? "none" : upper ? cache_state_name(p, now) : home_state_name(p, now),
        .from = !in || in->requester == UINT16_MAX ? -1 :
                upper ? (int)c->w.agent_node(c->w.route_arg, in->requester, c->line) : (int)in->requester });
    if (v == STEP_ILLEGAL) {
        char text[160];
        snprintf(text, sizeof text, "the protocol has no row for %s state %s, event", upper ? "upper cache" : "home", before);
        fail(c, c->line, in ? in->requester : c->node, text, what);
        return;
    }
    c->completed |= upper && in && out->complete;
    if (!upper && event == HEV_RECALL)
        *(l->evicting ? &c->counters.recalls_capacity : &c->counters.recalls_outside) += old != 0;
    c->counters.demotions += !upper && event == HEV_DEMOTE && out->n > 0;
}

/* ---- sending */

static void send_to(struct cluster *c, const struct out_msg *o, bool outer, uint16_t dst, const struct delta *d, uint8_t served_by)
{
    struct msg m = { .kind = o->kind, .served_by = served_by, .outer = outer, .src = c->node, .dst = dst,
                     .requester = (uint16_t)o->requester, .txn = o->txn, .acks = o->acks, .version = o->version, .line = c->line,
                     .delta = *d };
    net_send(c->w.net, &m);
}

static void send_inner(struct cluster *c, const struct out_msg *o, const struct sharer_set *targets, const struct delta *d,
                       uint8_t served_by)
{
    if (!o->multicast) {
        if (o->to < 0)
            fail(c, c->line, c->node, "a message is to go to the owner, and there is none", msg_infos[o->kind].name);
        else
            send_to(c, o, false, (uint16_t)o->to, d, served_by);
        c->counters.forwards += msg_infos[o->kind].vnet == VNET_FORWARD;
        c->counters.data_sent += msg_infos[o->kind].data;
        return;
    }
    for (unsigned i = 0; i < SHARER_WORDS; i++)
        for (uint64_t w = targets->w[i]; w; w &= w - 1) {
            send_to(c, o, false, (uint16_t)(i * 64 + (unsigned)__builtin_ctzll(w)), d, SOURCE_PEER);
            c->counters.invalidations++;
        }
}

static void send_outer(struct cluster *c, const struct out_msg *o, const struct delta *d)
{
    uint16_t dst = o->to_home ? c->w.home_node(c->w.route_arg, c->line) : c->w.agent_node(c->w.route_arg, (unsigned)o->to, c->line);
    if (o->kind == MSG_DATA_U)
        c->w.sample(c->w.sample_arg, (uint16_t)o->requester, o->txn, c->line);
    send_to(c, o, true, dst, d, SOURCE_PEER);
}

/* The chain that a message carries on, and where its data came from. */
static const struct msg *chain_of(struct cluster *c, int64_t slot, uint8_t cause, const struct msg *in)
{
    const struct kept *k = slot == NO_SLOT ? NULL : &c->kept[slot];
    if (cause == CAUSE_TRIGGER && k && k->trigger)
        return slots_kept(&c->at, k->trigger);
    if (cause == CAUSE_FORWARD && k && k->forward)
        return slots_kept(&c->at, k->forward);
    return in;
}

static void send_one(struct cluster *c, const struct cluster_msg *m, const struct cluster_out *out, const struct msg *chain,
                     bool multicast)
{
    if (msg_infos[m->m.kind].data && m->m.version != memory_versions(c->w.memory, c->line)->current)
        fail(c, c->line, c->node, "stale data would be sent", msg_infos[m->m.kind].name);
    if (m->outer)
        send_outer(c, &m->m, &chain->delta);
    else
        send_inner(c, &m->m, &out->targets, &chain->delta,
                   multicast ? SOURCE_PEER : m->cause == CAUSE_TRIGGER ? chain->served_by : SOURCE_LLC);
}

/* First to the inside, where a cache waits; a DONE to the outside does not hurry. */
static void send_all(struct cluster *c, int64_t slot, const struct cluster_out *out, const struct msg *in)
{
    bool multicast = false;
    for (unsigned i = 0; i < out->n; i++)
        multicast |= out->msg[i].m.multicast;
    for (unsigned outer = 0; outer < 2; outer++)
        for (unsigned i = 0; i < out->n; i++)
            if (out->msg[i].outer == (outer == 1))
                send_one(c, &out->msg[i], out, chain_of(c, slot, out->msg[i].cause, in), multicast);
}

/* ---- one step of a line, whatever the way in */

enum way { WAY_INNER, WAY_OUTER, WAY_EVICT };

/* Beside the sets: lines that leave, then one slot that is always empty, for requests that wait until such a place is free. */
static int64_t first_leaving(const struct cluster *c) { return (int64_t)c->at.sets * c->at.ways; }
static int64_t waiting_room(const struct cluster *c) { return first_leaving(c) + c->desc.write_backs; }

static int64_t find(const struct cluster *c, lineno line)
{
    int64_t slot = slots_find(&c->at, line);
    if (slot == NO_SLOT && c->leaving_count)
        for (int64_t i = first_leaving(c); i < waiting_room(c); i++)
            if (!slots_empty(&c->at, i) && slots_line(&c->at, i).v == line.v)
                return i;
    return slot;
}

/* Held messages waited until now; the answer that completes the upper cache's transaction lends its chain. */
static void bring_up_to_date(struct cluster *c, struct kept *k, const struct msg *in)
{
    tick now = engine_now(c->w.engine);
    if (k->trigger) {
        struct msg *m = slots_kept(&c->at, k->trigger);
        if (c->completed) {
            m->delta = in->delta;
            m->served_by = in->served_by;
        }
        delta_mark(&m->delta, PART_HOME_WAIT, now);
    }
    if (k->forward)
        delta_mark(&slots_kept(&c->at, k->forward)->delta, PART_HOME_WAIT, now);
}

static void keep(struct cluster *c, int32_t *at, bool held, bool now, const struct msg *in)
{
    if (*at && !held) {
        slots_forget(&c->at, *at);
        *at = NO_PARKED;
    }
    if (now && held && !*at)
        *at = slots_keep(&c->at, in);
}

static enum cluster_verdict step(struct cluster *c, int64_t slot, enum way way, const struct msg *in)
{
    struct cluster_line *l = &c->lines[slot];
    struct kept *k = &c->kept[slot];
    struct cluster_out out;
    bool idle = cluster_line_idle(c->w.protocol, l);
    c->line = slots_line(&c->at, slot);
    c->stepped = l;
    c->completed = false;
    enum cluster_verdict v = way == WAY_INNER   ? cluster_inner(&c->env, l, in, &out)
                             : way == WAY_OUTER ? cluster_outer(&c->env, l, in, &out)
                                                : cluster_evict(&c->env, l, &out);
    if (v == CLUSTER_WAIT || v == CLUSTER_ILLEGAL)
        return v;
    c->busy_count += (uint32_t)idle - (uint32_t)cluster_line_idle(c->w.protocol, l);
    bring_up_to_date(c, k, in);
    struct msg fresh;
    if (!in) {
        delta_start(&fresh.delta, engine_now(c->w.engine));
        in = &fresh;
    }
    send_all(c, slot, &out, in);
    keep(c, &k->trigger, l->trigger.busy, v == CLUSTER_HELD && way == WAY_INNER, in);
    keep(c, &k->forward, l->forward.busy, v == CLUSTER_HELD && way == WAY_OUTER, in);
    return v;
}

/* ---- places */

static unsigned evictable(const void *self, int64_t slot)
{
    const struct cluster *c = self;
    if (!cluster_line_idle(c->w.protocol, &c->lines[slot]))
        return 0;
    return slots_waited_for(&c->at, slot) ? 1 : 2;
}

/* The line is gone from its place. */
static void vacate(struct cluster *c, int64_t slot)
{
    c->at.tag[slot] = 0;
    c->leaving_count -= slot >= first_leaving(c);
}

/* Moves a victim out of its place. False: too many leave already. */
static bool move_out(struct cluster *c, int64_t slot)
{
    int64_t out = first_leaving(c);
    while (out < waiting_room(c) && !slots_empty(&c->at, out))
        out++;
    if (out == waiting_room(c))
        return false;
    c->at.tag[out] = c->at.tag[slot];
    c->lines[out] = c->lines[slot];
    c->kept[out] = (struct kept){ NO_PARKED, NO_PARKED };
    c->at.tag[slot] = 0;
    c->leaving_count++;
    step(c, out, WAY_EVICT, NULL);
    if (cluster_line_empty(c->w.protocol, &c->lines[out]))
        vacate(c, out);
    return true;
}

/* One that was taken from this very list goes back to its head; whoever comes from elsewhere queues up: otherwise those
 * who ask for each other's places would pass a third by for ever. */
static void park(struct cluster *c, int64_t slot, const struct msg *m, int64_t settling)
{
    if (slot == settling)
        slots_park_first(&c->at, slot, m);
    else
        slots_park(&c->at, slot, m);
}

/* A slot for a line that has none: NO_SLOT after parking the request on the victim, who has to leave first. */
static int64_t allocate(struct cluster *c, const struct msg *m, int64_t settling, int64_t *parked_on)
{
    int64_t slot = slots_victim(&c->at, m->line, evictable, c);
    if (!slots_empty(&c->at, slot)) {
        *parked_on = slot;
        if (!evictable(c, slot)) {
            park(c, slot, m, settling);
            return NO_SLOT;
        }
        if (!move_out(c, slot)) {
            *parked_on = waiting_room(c);
            park(c, *parked_on, m, settling);
            return NO_SLOT;
        }
    }
    *parked_on = NO_SLOT;
    c->at.tag[slot] = m->line.v + 1;
    cluster_line_init(&c->lines[slot]);
    return slot;
}

/* ---- messages */

static void settle(struct cluster *c, int64_t slot);

/* Where those wait who want a place for another line of the set: a newcomer goes behind them, or lines that push each
 * other out could keep them waiting for ever. What they wait on is busy, and they are offered again when it is not. */
static int64_t queue_for(const struct cluster *c, lineno line)
{
    int64_t first = slots_set(&c->at, line);
    if (slots_waited_for(&c->at, waiting_room(c)))
        return waiting_room(c);
    for (int64_t i = first; i < first + c->at.ways; i++)
        if (slots_waited_for(&c->at, i))
            return i;
    return NO_SLOT;
}

/* Offers an inner message. Returns the slot it is parked on if it must wait, else NO_SLOT. `settling`: the slot whose
 * parked requests are being taken up, of which this is one, or NO_SLOT. */
static int64_t inner(struct cluster *c, struct msg *m, int64_t settling)
{
    int64_t parked_on = NO_SLOT;
    int64_t slot = find(c, m->line);
    if (slot == NO_SLOT && msg_is_response(m)) {
        fail(c, m->line, m->requester, "a response for a line that is not here", msg_infos[m->kind].name);
        return NO_SLOT;
    }
    bool hit = slot != NO_SLOT;
    int64_t queue = hit || settling != NO_SLOT ? NO_SLOT : queue_for(c, m->line);
    if (queue != NO_SLOT) {
        park(c, queue, m, NO_SLOT);
        return queue;
    }
    if (!hit && (slot = allocate(c, m, settling, &parked_on)) == NO_SLOT)
        return parked_on;
    slots_touch(&c->at, slot);
    enum cluster_verdict v = step(c, slot, WAY_INNER, m);
    if (v == CLUSTER_WAIT) {
        park(c, slot, m, settling);
        return slot;
    }
    if (!msg_is_response(m))
        *(v == CLUSTER_HELD ? &c->counters.misses : &c->counters.hits) += 1;
    if (slot != settling)
        settle(c, slot);
    return NO_SLOT;
}

/* After a change of the line: it may be gone, and those parked on it are offered again, in order, up to one that must
 * still wait. */
static void settle(struct cluster *c, int64_t slot)
{
    struct msg m;
    tick now = engine_now(c->w.engine);
    for (;;) {
        if (!slots_empty(&c->at, slot) && cluster_line_empty(c->w.protocol, &c->lines[slot])) {
            vacate(c, slot);
            if (slot >= first_leaving(c))
                settle(c, waiting_room(c));
        }
        if (!slots_unpark(&c->at, slot, &m))
            return;
        delta_mark(&m.delta, PART_HOME_WAIT, now);
        if (inner(c, &m, slot) == slot)
            return;
    }
}

/* A forward for a line that the cluster gave up: the home's list of sharers is old. */
static void outer_absent(struct cluster *c, const struct msg *m)
{
    struct cluster_line l;
    struct cluster_out out;
    cluster_line_init(&l);
    c->line = m->line;
    c->stepped = &l;
    if (cluster_outer(&c->env, &l, m, &out) == CLUSTER_DONE)
        send_all(c, NO_SLOT, &out, m);
}

static void outer(struct cluster *c, struct msg *m)
{
    int64_t slot = find(c, m->line);
    if (slot == NO_SLOT) {
        if (msg_is_response(m))
            fail(c, m->line, c->node, "an outer response for a line that is not here", msg_infos[m->kind].name);
        else
            outer_absent(c, m);
        return;
    }
    step(c, slot, WAY_OUTER, m);
    settle(c, slot);
}

static void act(void *self, struct msg *m)
{
    struct cluster *c = self;
    if (m->outer) {
        outer(c, m);
        return;
    }
    c->counters.requests += !msg_is_response(m);
    inner(c, m, NO_SLOT);
}

void cluster_deliver(void *self, struct msg *in) { station_push(&((struct cluster *)self)->station, in); }

/* ---- life, inspection */

static bool cluster_idle(const struct component *component)
{
    const struct cluster *c = (const struct cluster *)component;
    return c->busy_count == 0 && c->station.count == 0 && c->at.parked_count == 0;
}

static void tell_parked(void *out, const struct msg *m)
{
    fprintf(out, "    %s of agent %u waits since %" PRIu64 " ps\n", msg_infos[m->kind].name, m->requester, m->delta.last);
}

static void cluster_why_busy(const struct component *component, FILE *out)
{
    const struct cluster *c = (const struct cluster *)component;
    int64_t n = slots_count(&c->at);
    for (int64_t i = 0; i < n; i++) {
        const struct cluster_line *l = &c->lines[i];
        if (slots_empty(&c->at, i) || (cluster_line_idle(c->w.protocol, l) && !slots_waited_for(&c->at, i)))
            continue;
        fprintf(out, "  %s: line %#" PRIx64 " in state %s, upper cache in %s%s%s%s\n", c->component.name, slots_line(&c->at, i).v,
                home_state_name(c->w.protocol, l->home.state), cache_state_name(c->w.protocol, l->upper.state),
                l->trigger.busy ? ", a request waits for the upper cache" : "", l->forward.busy ? ", an outer request waits" : "",
                l->evicting ? ", leaving" : "");
        slots_each_parked(&c->at, i, tell_parked, out);
    }
}

static void cluster_check(const struct component *component)
{
    const struct cluster *c = (const struct cluster *)component;
    int64_t n = slots_count(&c->at);
    uint32_t busy = 0;
    for (int64_t i = 0; i < n; i++) {
        CHECK(!slots_empty(&c->at, i) || !slots_waited_for(&c->at, i) || (i == n - 1 && c->leaving_count == c->desc.write_backs), "%s: requests are parked on an empty slot", c->component.name);
        busy += !slots_empty(&c->at, i) && !cluster_line_idle(c->w.protocol, &c->lines[i]);
    }
    CHECK(busy == c->busy_count, "%s: %u lines are busy, counted are %u", c->component.name, busy, c->busy_count);
}

static const struct component_ops ops = { cluster_idle, cluster_why_busy, cluster_check };

struct cluster *cluster_new(struct component_list *list, const char *name, uint16_t node, const struct cluster_desc *desc,
                            const struct cluster_wiring *w)
{
    struct cluster *c = must_calloc(1, sizeof *c, "a cluster's last level");
    c->desc = *desc;
    c->w = *w;
    c->node = node;
    c->env = (struct cluster_env){ .protocol = w->protocol, .glue = &glue_default, .agent = (int16_t)w->agent, .txn = 0,
                                   .counts = w->row_counts, .note = note, .arg = c };
    snprintf(c->upper_name, sizeof c->upper_name, "%s.upper", name);
    slots_init(&c->at, name, desc->sets, desc->ways, desc->write_backs + 1);
    size_t n = (size_t)slots_count(&c->at);
    c->lines = must_calloc(n, sizeof *c->lines, "a cluster's last level");
    c->kept = must_calloc(n, sizeof *c->kept, "a cluster's last level");
    struct station_desc sd = { desc->lookup_ps, desc->response_lookup_ps, desc->occupancy_ps, desc->response_occupancy_ps };
    station_init(&c->station, w->engine, &c->component, &sd, act, c);
    component_register(list, &c->component, name, &ops);
    return c;
}

void cluster_free(struct cluster *c)
{
    if (!c)
        return;
    slots_free(&c->at);
    station_free(&c->station);
    free(c->lines);
    free(c->kept);
    free(c);
}

struct cluster_counters cluster_counters(const struct cluster *c)
{
    struct cluster_counters k = c->counters;
    k.parked = c->at.parked_total;
    return k;
}

void cluster_describe(const struct cluster *c, lineno line, FILE *out)
{
    int64_t slot = find(c, line);
    if (slot == NO_SLOT) {
        fprintf(out, "%s: not in the last level\n", c->component.name);
        return;
    }
    const struct cluster_line *l = &c->lines[slot];
    fprintf(out, "%s: state %s", c->component.name, home_state_name(c->w.protocol, l->home.state));
    home_line_print_holders(out, &l->home, NULL, NULL, line);
    fprintf(out, ", version %" PRIu32 "; towards the global home: %s", l->home.version, cache_state_name(c->w.protocol, l->upper.state));
    if (!home_stable(c->w.protocol, l->home.state) && l->home.requester >= 0)
        fprintf(out, ", busy for agent %d", l->home.requester);
    if (l->trigger.busy)
        fprintf(out, ", %s of agent %u waits for the outer level", msg_infos[l->trigger.kind].name, l->trigger.requester);
    if (l->forward.busy)
        fprintf(out, ", %s from outside waits", msg_infos[l->forward.kind].name);
    fputs(l->evicting ? ", leaving\n" : "\n", out);
}

uint64_t cluster_host_bytes(const struct cluster *c)
{
    return sizeof *c + (uint64_t)slots_count(&c->at) * (sizeof *c->lines + sizeof *c->kept) + slots_host_bytes(&c->at) +
           c->station.cap * sizeof *c->station.fifo;
}
