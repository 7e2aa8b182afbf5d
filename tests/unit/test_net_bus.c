/* tests/unit/test_net_bus.c - the bus: one medium, its order, its times, and messages to many at once. */
#include "tests/unit/test_net_rig.h"

#include "models/net/net_internal.h"

#include <string.h>

enum { HOP = 700, INJECT = 130, CONTROL = 250, DATA = 1100, NODES = 12 };

static const struct engine_desc wheel = { .queue = QUEUE_WHEEL };
static const struct net_desc bus = { .topology = NET_BUS, .nodes = NODES, .hop_ps = HOP, .inject_ps = INJECT,
                                     .control_occupancy_ps = CONTROL, .data_occupancy_ps = DATA };

static const struct net_stage_counters *medium(const struct rig *r)
{
    const struct net_stage_counters *c = net_stage_counters(r->net, 2 * NODES);
    cr_assert_str_eq(c->name, "net.bus");
    return c;
}

Test(net_bus, unloaded_message_takes_inject_and_hop_to_anybody)
{
    for (unsigned src = 0; src < NODES; src++)
        for (unsigned dst = 0; dst < NODES; dst++) {
            struct rig *r = rig_new(&bus, wheel);
            rig_plan(r, 40, (src + dst) % 2 ? MSG_DATA : MSG_GETS, src, dst, 0);
            rig_finish(r);
            cr_assert_eq(r->log_count, 1);
            cr_assert_eq(r->log[0].at, 40 + INJECT + HOP);
            cr_assert_eq(net_least_latency_ps(r->net), INJECT + HOP);
            cr_assert_eq(medium(r)->busy_ps, (src + dst) % 2 ? DATA : CONTROL);
            rig_free(r);
        }
}

/* Whoever sends and whoever receives, k messages take k turns. */
static void take_turns(unsigned slots, enum msg_kind kind, tick occupancy, unsigned k)
{
    struct net_desc d = bus;
    d.slots_per_vnet = slots;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < k; i++)
        rig_plan(r, 0, kind, i, (i + 5) % NODES, i);
    rig_finish(r);
    for (unsigned i = 0; i < k; i++) {
        cr_assert_eq(r->log[i].src, i);
        if (slots == 0 || k <= slots)
            cr_assert_eq(r->log[i].at, INJECT + HOP + i * occupancy);
    }
    cr_assert_eq(medium(r)->message_count, k);
    cr_assert_eq(medium(r)->busy_ps, k * occupancy);
    rig_free(r);
}

Test(net_bus, messages_take_turns)
{
    for (unsigned k = 1; k <= NODES; k++) {
        take_turns(0, MSG_ACK, CONTROL, k);
        take_turns(NODES, MSG_DATA, DATA, k);
        take_turns(1, MSG_DATA, DATA, k);
    }
}

/* One slot before the medium: it is free again when its message starts, the next one needs the inject wire first. */
Test(net_bus, one_slot_means_one_message_per_inject_wire)
{
    struct net_desc d = bus;
    d.slots_per_vnet = 1;
    d.control_occupancy_ps = 20;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 10; i++)
        rig_plan(r, 0, MSG_GETS, i, 11, i);
    rig_finish(r);
    for (unsigned i = 0; i < 10; i++)
        cr_assert_eq(r->log[i].at, (i + 1) * INJECT + HOP);
    rig_free(r);
}

/* While a line is on the medium the others line up: responses first, then forwards, then requests, old or young. */
Test(net_bus, responses_precede_forwards_and_these_requests)
{
    struct rig *r = rig_new(&bus, wheel);
    rig_plan(r, 0, MSG_DATA, 0, 1, 0);
    rig_plan(r, 10, MSG_GETS, 1, 2, 5);
    rig_plan(r, 20, MSG_INV, 2, 3, 3);
    rig_plan(r, 25, MSG_INV, 3, 3, 4);
    rig_plan(r, 30, MSG_ACK, 4, 5, 1);
    rig_plan(r, 40, MSG_DATA, 5, 6, 2);
    rig_finish(r);
    static const tick at[] = { 0, DATA, DATA + CONTROL, 2 * DATA + CONTROL, 2 * DATA + 2 * CONTROL, 2 * DATA + 3 * CONTROL };
    cr_assert_eq(r->log_count, 6);
    for (unsigned i = 0; i < 6; i++) {
        cr_assert_eq(r->log[i].aux, i);
        cr_assert_eq(r->log[i].at, INJECT + HOP + at[i]);
    }
    rig_free(r);
}

/* ---- to many */

static void multicast_at(struct rig *r, tick when, struct msg m, const uint16_t *dst, unsigned count)
{
    engine_run(r->engine, when);
    cr_assert_leq(engine_now(r->engine), when);
    net_multicast(r->net, &m, dst, count);
}

Test(net_bus, multicast_takes_the_medium_once_and_reaches_all_at_one_instant)
{
    static const uint16_t dst[] = { 7, 2, 0, 11, 3 };
    struct rig *r = rig_new(&bus, wheel);
    net_send(r->net, &(struct msg){ .kind = MSG_INV, .src = 4, .dst = 7, .line = { 1 } });
    net_multicast(r->net, &(struct msg){ .kind = MSG_INV, .src = 4, .dst = 99, .line = { 2 }, .aux = 6 }, dst, 5);
    net_send(r->net, &(struct msg){ .kind = MSG_INV, .src = 4, .dst = 7, .line = { 3 } });
    components_check(&r->list);
    rig_finish(r);
    cr_assert_eq(r->log_count, 7);
    cr_assert_eq(r->log[0].at, INJECT + HOP);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(r->log[1 + i].node, dst[i]);
        cr_assert_eq(r->log[1 + i].line, 2);
        cr_assert_eq(r->log[1 + i].aux, 6);
        cr_assert_eq(r->log[1 + i].at, INJECT + HOP + CONTROL);
    }
    cr_assert_eq(r->log[6].at, INJECT + HOP + 2 * CONTROL);
    struct net_counters c = net_counters(r->net);
    cr_assert_eq(c.kind_count[MSG_INV], 3);
    cr_assert_eq(c.byte_count, 3 * NET_CONTROL_BYTES);
    cr_assert_eq(c.delivered_count, 7);
    cr_assert_eq(c.latency_ps, 7 * (INJECT + HOP) + 5 * CONTROL + 2 * CONTROL);
    cr_assert_eq(medium(r)->busy_ps, 3 * CONTROL);
    cr_assert_eq(net_stage_counters(r->net, 4)->message_count, 3);
    rig_free(r);
}

Test(net_bus, multicast_to_one_or_nobody)
{
    static const uint16_t dst[] = { 9 };
    struct rig *r = rig_new(&bus, wheel);
    net_multicast(r->net, &(struct msg){ .kind = MSG_GETS, .src = 1 }, dst, 0);
    cr_assert(net_idle(r->net));
    net_multicast(r->net, &(struct msg){ .kind = MSG_GETS, .src = 1 }, dst, 1);
    rig_finish(r);
    cr_assert_eq(r->log_count, 1);
    cr_assert_eq(r->log[0].node, 9);
    cr_assert_eq(net_counters(r->net).kind_count[MSG_GETS], 1);
    rig_free(r);
}

struct seen { unsigned count, to; };

static void see(void *arg, const struct msg *m, tick sent)
{
    struct seen *s = arg;
    (void)sent;
    s->count++;
    s->to |= 1u << m->dst;
}

Test(net_bus, copies_are_seen_under_way)
{
    static const uint16_t dst[] = { 1, 2, 3 };
    struct rig *r = rig_new(&bus, wheel);
    net_send(r->net, &(struct msg){ .kind = MSG_DATA, .src = 0, .dst = 1 });
    net_multicast(r->net, &(struct msg){ .kind = MSG_DATA, .src = 0 }, dst, 3);
    tick times[] = { DATA - 1, DATA + INJECT - 1, DATA + INJECT + HOP - 1 };
    const char *where[] = { "queued at net.inject0", "on the wire to net.bus", "on the wire to net.eject3" };
    for (unsigned i = 0; i < 3; i++) {
        engine_run(r->engine, times[i]);
        components_check(&r->list);
        struct seen s = { 0 };
        net_for_each_in_flight(r->net, see, &s);
        cr_assert_eq(s.count, 3); /* the first message is there by then */
        cr_assert_eq(s.to, 1u << 1 | 1u << 2 | 1u << 3);
        char *text = NULL, expected[100];
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        components_why_busy(&r->list, out);
        fclose(out);
        snprintf(expected, sizeof expected, "to node 3 since 0 ps: %s\n", where[i]);
        cr_assert(strstr(text, expected), "%s", text);
        free(text);
    }
    rig_finish(r);
    rig_free(r);
}

/* Elsewhere a multicast is as many sends. */
Test(net_bus, multicast_elsewhere_is_a_loop)
{
    static const uint16_t dst[] = { 7, 2, 0, 11, 3, 4 };
    static const enum net_topology topologies[] = { NET_CROSSBAR, NET_RING, NET_MESH, NET_GROUPS };
    for (unsigned t = 0; t < 4; t++) {
        struct net_desc d = bus;
        d.topology = topologies[t];
        d.stops = d.columns = NODES;
        d.rows = d.package = 1;
        d.groups = 4;
        d.links = "ring";
        d.link_ps = d.near_link_ps = 900;
        struct rig *a = rig_new(&d, wheel), *b = rig_new(&d, wheel);
        struct msg m = { .kind = MSG_INV, .src = 4 };
        net_multicast(a->net, &m, dst, 6);
        for (unsigned i = 0; i < 6; i++) {
            m.dst = dst[i];
            net_send(b->net, &m);
        }
        rig_finish(a);
        rig_finish(b);
        cr_assert_eq(a->log_count, 6);
        cr_assert_eq(memcmp(a->log, b->log, 6 * sizeof a->log[0]), 0);
        cr_assert_eq(net_counters(a->net).kind_count[MSG_INV], 6);
        rig_free(a);
        rig_free(b);
    }
}

/* ---- one order for all: every multicast goes to all, and every node hears the same sequence, in each source's order */

static void one_order(uint64_t seed, unsigned slots, tick jitter_ps)
{
    enum { COUNT = 900 };
    static const enum msg_kind kinds[] = { MSG_GETS, MSG_INV, MSG_DATA, MSG_ACK };
    static unsigned heard[NODES][COUNT], count[NODES];
    static tick at[COUNT];
    struct net_desc d = bus;
    d.slots_per_vnet = slots;
    d.jitter_ps = jitter_ps;
    d.jitter_rng = rng_stream(seed, "jitter");
    struct rig *r = rig_new(&d, wheel);
    struct rng rng = rng_stream(seed, "bus");
    uint16_t all[NODES];
    for (unsigned i = 0; i < NODES; i++)
        all[i] = (uint16_t)((i * 5 + seed) % NODES);
    memset(count, 0, sizeof count);
    for (unsigned i = 0; i < COUNT; i++) {
        struct msg m = { .kind = (uint8_t)kinds[rng_below(&rng, 4)], .src = (uint16_t)rng_below(&rng, NODES), .aux = i };
        multicast_at(r, i / 30 * 20000, m, all, NODES);
        if (i % 100 == 99)
            components_check(&r->list);
    }
    rig_finish(r);
    cr_assert_eq(r->log_count, COUNT * NODES);
    for (unsigned i = 0; i < r->log_count; i++) {
        const struct rig_delivery *g = &r->log[i];
        heard[g->node][count[g->node]++] = (unsigned)g->aux;
        cr_assert(g->node == all[0] || g->at == at[g->aux], "seed %llu: not at one instant", (unsigned long long)seed);
        at[g->aux] = g->at;
    }
    for (unsigned node = 0; node < NODES; node++)
        cr_assert_eq(memcmp(heard[node], heard[0], sizeof heard[0]), 0, "seed %llu: node %u hears another order",
                     (unsigned long long)seed, node);
    for (unsigned i = 0; i < NODES; i++) {
        const struct stage *eject = eject_port(r->net, i);
        cr_assert_eq(eject->counters.wait_ps, 0, "an eject port of a bus never has a queue");
        for (unsigned v = 0; v < eject->lanes; v++)
            cr_assert_eq(eject->lane[v].credits, eject->slots);
    }
    rig_free(r);
}

Test(net_bus, all_hear_one_order)
{
    for (uint64_t seed = 6100; seed < 6116; seed++)
        one_order(seed, (unsigned)(seed % 4), seed % 3 ? 0 : 3000);
}

/* Requests that fill every slot do not hold up what they cause. */
Test(net_bus, full_request_queues_let_responses_pass)
{
    struct net_desc d = bus;
    d.slots_per_vnet = 1;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 600; i++)
        rig_plan(r, 0, MSG_PUT, i % NODES, (i + 1) % NODES, i);
    for (unsigned i = 0; i < 50; i++)
        rig_plan(r, 50000 + i * 5000, i % 2 ? MSG_ACK : MSG_INV, i % NODES, 3, 1000 + i);
    rig_finish(r);
    unsigned seen = 0;
    for (unsigned i = 0; i < r->log_count; i++)
        if (r->log[i].aux >= 1000) { /* a line before it at the inject port and one at the medium */
            cr_assert_leq(r->log[i].at - (50000 + (r->log[i].aux - 1000) * 5000), INJECT + HOP + 2 * DATA);
            seen++;
        }
    cr_assert_eq(seen, 50);
    cr_assert_eq(r->log_count, 650);
    rig_free(r);
}
