/* models/net/net.c - moves packets from stage to stage: queues, credits, arbitration, delivery.
 *
 * A port is reserved when a message starts, never earlier: a message that is to leave later would
 * otherwise block those that could go now. All time and order rules are in net.h.
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

void net_attach(struct net *n, unsigned node, net_deliver_fn *fn, void *receiver)
{
    CHECK(node < n->desc.nodes, "%s: attach to node %u of %u", n->component.name, node, n->desc.nodes);
    CHECK(!n->receivers[node].fn, "%s: node %u is attached twice", n->component.name, node);
    n->receivers[node] = (struct receiver){ fn, receiver };
}

static struct stage *next_stage(const struct net *n, const struct stage *s, const struct packet *p)
{
    uint32_t goal = n->tile_of_node[p->msg.dst];
    return goal == s->end_tile ? eject_port(n, p->msg.dst) : &n->stages[n->route[s->end_tile * n->tiles + goal]];
}

static void queued_changes(struct stage *s, int by, tick now)
{
    s->counters.queued_integral_ps += s->queued_count * (now - s->queued_since);
    s->queued_since = now;
    s->queued_count = (uint32_t)((int)s->queued_count + by);
}

static void wait_for_slot(struct stage *s, struct lane *lane, struct lane *next, tick now)
{
    lane->head_state = HEAD_NO_CREDIT;
    lane->stalled_since = now;
    lane->next_waiter = NULL;
    s->counters.credit_stall_count++;
    if (next->waiter_last)
        next->waiter_last->lane[lane - s->lane].next_waiter = s;
    else
        next->waiter_first = s;
    next->waiter_last = s;
}

/* The lane has a new head: find its way, take a credit or line up for one. */
static void head_changes(struct net *n, struct stage *s, struct lane *lane, tick now)
{
    if (!lane->head) {
        lane->head_state = HEAD_NONE;
        return;
    }
    lane->head_state = HEAD_READY;
    if (s->last)
        return;
    lane->to = next_stage(n, s, lane->head);
    struct lane *next = &lane->to->lane[lane - s->lane];
    if (next->credits)
        next->credits--;
    else
        wait_for_slot(s, lane, next, now);
}

static void lane_push(struct net *n, struct stage *s, struct packet *p, tick now)
{
    struct lane *lane = &s->lane[p->lane];
    p->arrived = now;
    p->next = NULL;
    queued_changes(s, +1, now);
    if (lane->head) {
        lane->tail = lane->tail->next = p;
        return;
    }
    lane->head = lane->tail = p;
    head_changes(n, s, lane, now);
}

/* A slot of s is free: it goes to who waited longest, otherwise back to the credits. Ends, since each further
 * call follows a message that starts. May come back to s by way of another lane: s must be in order by now. */
static void slot_release(struct net *n, struct stage *s, unsigned number, tick now)
{
    struct lane *lane = &s->lane[number];
    struct stage *waiter = lane->waiter_first;
    if (!waiter) {
        lane->credits++;
        MEAN_CHECK(lane->credits <= s->slots, "%s: a slot was given back twice", s->name);
        return;
    }
    lane->waiter_first = waiter->lane[number].next_waiter;
    if (!lane->waiter_first)
        lane->waiter_last = NULL;
    waiter->lane[number].head_state = HEAD_READY;
    waiter->counters.credit_stall_ps += now - waiter->lane[number].stalled_since;
    stage_run(n, waiter);
}

static void deliver(struct net *n, struct packet *p, tick now)
{
    tick latency = now - p->sent;
    n->counters.delivered_count++;
    n->counters.latency_ps += latency;
    if (latency > n->counters.latency_max_ps)
        n->counters.latency_max_ps = latency;
    n->in_flight_count--;
    p->in_flight = false;
    if (__builtin_expect(n->tap != NULL, 0))
        n->tap(n->tap_arg, &p->msg, p->serial, p->sent, true);
    const struct receiver *r = &n->receivers[p->msg.dst];
    r->fn(r->self, &p->msg);
    p->next = n->free_packets;
    n->free_packets = p;
}

static void fly_to(struct net *n, struct stage *from, struct packet *p, struct stage *to, tick now)
{
    tick wire_ps = from->wire_ps;
    if (__builtin_expect(from->jitter_ps != 0, 0))
        wire_ps += rng_between(&n->desc.jitter_rng, 0, from->jitter_ps);
    p->stage = to;
    engine_at(n->engine, &from->component, &p->arrival, now + wire_ps, PHASE_DELIVER);
}

/* The copies of a message that has just started on the medium: each takes a slot of its receiver's eject port, of
 * which a bus has no end, and arrives with the first. */
static void fork_copies(struct net *n, struct stage *s, struct packet *p, tick now)
{
    for (struct packet *c = p->copies, *next; c; c = next) {
        struct stage *to = eject_port(n, c->msg.dst);
        next = c->copies;
        c->copies = c->original = NULL;
        to->lane[c->lane].credits--;
        fly_to(n, s, c, to, now);
    }
    p->copies = NULL;
}

/* The head of the lane is served now. Delivery comes last: the receiver may send. */
static void stage_start(struct net *n, struct stage *s, struct lane *lane, tick now)
{
    struct packet *p = lane->head;
    struct stage *to = lane->to;
    tick wait_ps = now - p->arrived;
    tick occupancy_ps = s->occupancy_ps[p->data];
    lane->head = p->next;
    queued_changes(s, -1, now);
    s->free_at = now + occupancy_ps;
    s->counters.message_count++;
    s->counters.busy_ps += occupancy_ps;
    s->counters.wait_ps += wait_ps;
    if (wait_ps > s->counters.wait_max_ps)
        s->counters.wait_max_ps = wait_ps;
    head_changes(n, s, lane, now);
    if (!s->last)
        fly_to(n, s, p, to, now);
    if (__builtin_expect(p->copies != NULL, 0) && s->medium)
        fork_copies(n, s, p, now);
    if (s->slots)
        slot_release(n, s, p->lane, now);
    if (s->last)
        deliver(n, p, now);
}

/* The head that goes next, NULL if none may go: the oldest, on a bus's medium that of the latest virtual network. */
static struct lane *stage_pick(struct stage *s)
{
    struct lane *best = NULL;
    for (unsigned i = s->lanes; i-- > 0;) {
        struct lane *lane = &s->lane[i];
        if (lane->head_state == HEAD_READY && (!best || (!s->medium && lane->head->sent < best->head->sent)))
            best = lane;
    }
    return best;
}

/* Serves what can be served now; makes sure of an event for the rest. A head without a credit needs none: the
 * slot's release comes here. */
void stage_run(struct net *n, struct stage *s)
{
    tick now = engine_now(n->engine);
    struct lane *lane;
    while ((lane = stage_pick(s))) {
        if (s->free_at > now) {
            if (!event_scheduled(&s->port_free))
                engine_at(n->engine, &s->component, &s->port_free, s->free_at, PHASE_DELIVER);
            return;
        }
        stage_start(n, s, lane, now);
    }
}

static void on_arrival(struct event *e)
{
    struct packet *p = (struct packet *)e;
    struct net *n = p->net;
    lane_push(n, p->stage, p, engine_now(n->engine));
    stage_run(n, p->stage);
}

static struct packet *packet_take(struct net *n)
{
    if (!n->free_packets)
        net_pool_grow(n, n->chunks->count * 2);
    struct packet *p = n->free_packets;
    n->free_packets = p->next;
    return p;
}

/* A message of the source's, not yet in any queue. */
static struct packet *packet_new(struct net *n, const struct msg *m, unsigned dst)
{
    CHECK(m->kind < MSG_KIND_COUNT && m->src < n->desc.nodes && dst < n->desc.nodes && n->receivers[dst].fn,
          "%s: message of kind %u from node %u to node %u, nobody is there", n->component.name, m->kind, m->src, dst);
    const struct msg_info *info = &msg_infos[m->kind];
    struct packet *p = packet_take(n);
    p->arrival = (struct event){ .fn = on_arrival, .owner = n, .what = "net arrival" };
    p->stage = inject_port(n, m->src);
    p->sent = engine_now(n->engine);
    p->serial = ++n->sent_count;
    p->lane = (uint8_t)lane_of(n, info->vnet, m->src, dst);
    p->data = info->data;
    p->in_flight = true;
    p->msg = *m;
    p->msg.dst = (uint16_t)dst;
    n->in_flight_count++;
    if (__builtin_expect(n->tap != NULL, 0))
        n->tap(n->tap_arg, &p->msg, p->serial, p->sent, false);
    return p;
}

static void count_sent(struct net *n, enum msg_kind kind)
{
    const struct msg_info *info = &msg_infos[kind];
    n->counters.kind_count[kind]++;
    n->counters.vnet_count[info->vnet]++;
    n->counters.byte_count += info->data ? NET_DATA_BYTES : NET_CONTROL_BYTES;
}

static void enter(struct net *n, struct packet *p)
{
    lane_push(n, p->stage, p, p->sent);
    stage_run(n, p->stage);
}

void net_send(struct net *n, const struct msg *m)
{
    struct packet *p = packet_new(n, m, m->dst);
    count_sent(n, (enum msg_kind)m->kind);
    enter(n, p);
}

void net_multicast(struct net *n, const struct msg *m, const uint16_t *dst, unsigned count)
{
    struct msg one = *m;
    if (n->desc.topology != NET_BUS || count == 0) {
        for (unsigned i = 0; i < count; i++) {
            one.dst = dst[i];
            net_send(n, &one);
        }
        return;
    }
    struct packet *first = packet_new(n, m, dst[0]), **link = &first->copies;
    for (unsigned i = 1; i < count; i++) {
        struct packet *copy = packet_new(n, m, dst[i]);
        copy->original = first;
        *link = copy;
        link = &copy->copies;
    }
    count_sent(n, (enum msg_kind)m->kind);
    enter(n, first);
}
