/* models/net/net_inspect.c - looking at a network without touching it: counters, messages in flight, the
 * conservation of slots. */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <string.h>

enum { LINES_MAX = 32 }; /* of a report */

unsigned net_stage_count(const struct net *n) { return n->stage_count; }
bool net_idle(const struct net *n) { return n->in_flight_count == 0; }

const struct net_stage_counters *net_stage_counters(const struct net *n, unsigned stage)
{
    CHECK(stage < n->stage_count, "%s: stage %u of %u", n->component.name, stage, n->stage_count);
    return &n->stages[stage].counters;
}

static void add_stage(struct net_stage_counters *to, const struct net_stage_counters *from)
{
    to->message_count += from->message_count;
    to->busy_ps += from->busy_ps;
    to->wait_ps += from->wait_ps;
    to->wait_max_ps = from->wait_max_ps > to->wait_max_ps ? from->wait_max_ps : to->wait_max_ps;
    to->queued_integral_ps += from->queued_integral_ps;
    to->credit_stall_count += from->credit_stall_count;
    to->credit_stall_ps += from->credit_stall_ps;
}

struct net_counters net_counters(const struct net *n)
{
    struct net_counters sum = n->counters;
    for (unsigned i = 0; i < n->stage_count; i++) {
        const struct net_stage_counters *c = &n->stages[i].counters;
        add_stage(&sum.stages, c);
        if (i < first_link(n))
            continue;
        add_stage(&sum.links, c);
        sum.link_busy_max_ps = c->busy_ps > sum.link_busy_max_ps ? c->busy_ps : sum.link_busy_max_ps;
    }
    return sum;
}

static void for_each_packet(const struct net *n, void (*fn)(void *, const struct packet *), void *arg)
{
    for (const struct packet_chunk *chunk = n->chunks; chunk; chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->count; i++)
            if (chunk->packets[i].in_flight)
                fn(arg, &chunk->packets[i]);
}

struct visit {
    net_in_flight_fn *fn;
    void *arg;
};

static void visit_packet(void *arg, const struct packet *p)
{
    struct visit *v = arg;
    v->fn(v->arg, &p->msg, p->sent);
}

void net_for_each_in_flight(const struct net *n, net_in_flight_fn *fn, void *arg)
{
    struct visit v = { fn, arg };
    for_each_packet(n, visit_packet, &v);
}

void net_tap(struct net *n, net_tap_fn *fn, void *arg)
{
    n->tap = fn;
    n->tap_arg = arg;
}

/* ---- reports */

struct report {
    FILE *out;
    unsigned count;
};

static void report_packet(void *arg, const struct packet *p)
{
    struct report *r = arg;
    if (r->count++ >= LINES_MAX)
        return;
    const struct msg *m = &p->msg;
    const struct packet *queued = p->original ? p->original : p;
    const struct lane *lane = &queued->stage->lane[queued->lane];
    bool stuck = !event_scheduled(&queued->arrival) && lane->head == queued && lane->head_state == HEAD_NO_CREDIT;
    fprintf(r->out, "%s: %s line 0x%llx from node %u to node %u since %llu ps: %s %s%s%s\n", p->net->component.name,
            msg_infos[m->kind].name, (unsigned long long)m->line.v, m->src, m->dst, (unsigned long long)p->sent,
            event_scheduled(&queued->arrival) ? "on the wire to" : "queued at", queued->stage->name,
            stuck ? ", waits for a slot of " : "", stuck ? lane->to->name : "");
}

static const struct net *net_of(const struct component *c)
{
    return (const struct net *)((const char *)c - offsetof(struct net, component));
}

static bool idle(const struct component *c) { return net_idle(net_of(c)); }

static void why_busy(const struct component *c, FILE *out)
{
    struct report r = { .out = out };
    for_each_packet(net_of(c), report_packet, &r);
    if (r.count > LINES_MAX)
        fprintf(out, "%s: and %u more messages in flight\n", c->name, r.count - LINES_MAX);
}

/* ---- invariants */

struct audit {
    const struct net *net;
    uint64_t packets;
};

static void audit_packet(void *arg, const struct packet *p)
{
    struct audit *a = arg;
    const struct net *n = a->net;
    const struct lane *lane = &p->stage->lane[p->lane];
    a->packets++;
    n->audit[(p->stage - n->stages) * p->stage->lanes + p->lane]++;
    if (lane->head == p && lane->head_state == HEAD_READY && !p->stage->last)
        n->audit[(lane->to - n->stages) * p->stage->lanes + p->lane]++;
}

static void check_lane(const struct net *n, const struct stage *s, unsigned i)
{
    const struct lane *lane = &s->lane[i];
    unsigned vnet = i / n->layers, layer = i % n->layers;
    uint32_t used = n->audit[(s - n->stages) * s->lanes + i];
    CHECK(!s->slots || lane->credits + used == s->slots,
          "%s: virtual network %u, layer %u has %u slots, but %u are free and %u in use", s->name, vnet, layer, s->slots,
          lane->credits, used);
    CHECK(!lane->credits || !lane->waiter_first, "%s: %s waits for a slot of virtual network %u, layer %u while one is free",
          s->name, lane->waiter_first->name, vnet, layer);
    CHECK(!lane->head == (lane->head_state == HEAD_NONE), "%s: virtual network %u, layer %u forgot its head", s->name, vnet, layer);
    CHECK(lane->head_state != HEAD_READY || event_scheduled(&s->port_free),
          "%s: virtual network %u, layer %u has a message that could go, and no event", s->name, vnet, layer);
}

/* Between events only: inside a delivery ports may be at work. */
static void check(const struct component *c)
{
    const struct net *n = net_of(c);
    struct audit a = { .net = n };
    memset(n->audit, 0, n->stage_count * n->stages->lanes * sizeof n->audit[0]);
    for_each_packet(n, audit_packet, &a);
    CHECK(a.packets == n->in_flight_count, "%s: %llu messages in flight, but %llu were counted", c->name,
          (unsigned long long)a.packets, (unsigned long long)n->in_flight_count);
    for (unsigned i = 0; i < n->stage_count; i++)
        for (unsigned v = 0; v < n->stages[i].lanes; v++)
            check_lane(n, &n->stages[i], v);
}

const struct component_ops net_ops = { .idle = idle, .why_busy = why_busy, .check = check };
