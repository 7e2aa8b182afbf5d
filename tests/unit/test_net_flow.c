/* tests/unit/test_net_flow.c - flow control: slots, back-pressure, independence of the virtual networks, and
 * random traffic that must arrive once, in order, with every slot given back. */
#include "tests/unit/test_net_rig.h"

#include "models/net/net_internal.h"

static const struct engine_desc wheel = { .queue = QUEUE_WHEEL };

static struct net_desc crossbar_desc(unsigned nodes, unsigned slots)
{
    return (struct net_desc){ .topology = NET_CROSSBAR, .nodes = nodes, .hop_ps = 1000, .control_occupancy_ps = 100,
                              .data_occupancy_ps = 400, .slots_per_vnet = slots };
}

/* With one slot at the eject port a message leaves its inject port only when the one before it has been
 * delivered: one per wire time, and the slot goes to who waited longest. Sender 1 sends first: its second
 * message lines up before sender 2's first. */
Test(net_flow, one_slot_means_one_message_per_wire_time)
{
    struct net_desc d = crossbar_desc(3, 1);
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 4; i++) {
        rig_plan(r, 0, MSG_GETS, 1, 0, i);
        rig_plan(r, 0, MSG_GETS, 2, 0, i);
    }
    rig_finish(r);
    static const unsigned src[] = { 1, 1, 2, 1, 2, 1, 2, 2 }, number[] = { 0, 1, 0, 2, 1, 3, 2, 3 };
    cr_assert_eq(r->log_count, 8);
    for (unsigned i = 0; i < 8; i++) {
        cr_assert_eq(r->log[i].at, 1000 * (i + 1));
        cr_assert_eq(r->log[i].src, src[i]);
        cr_assert_eq(r->log[i].aux, number[i]);
    }
    struct net_counters c = net_counters(r->net);
    cr_assert_eq(c.stages.credit_stall_count, 7);
    cr_assert_eq(c.stages.credit_stall_ps, 1000 + 5 * 2000 + 1000); /* two turns while both compete */
    rig_free(r);
}

Test(net_flow, full_rate_slots_never_throttle_and_fewer_than_the_wire_holds_do)
{
    struct net_desc d = crossbar_desc(2, 0);
    unsigned full = net_full_rate_slots(&d);
    cr_assert_eq(full, 1000 / 100 + 2);
    for (unsigned slots = full - 3; slots <= full; slots++) {
        d.slots_per_vnet = slots;
        struct rig *r = rig_new(&d, wheel);
        for (unsigned i = 0; i < 300; i++)
            rig_plan(r, 0, MSG_GETS, 0, 1, i);
        rig_finish(r);
        tick last = r->log[299].at;
        cr_assert(slots * 100 >= 1000 ? last == 1000 + 299 * 100 : last > 1000 + 299 * 100, "%u slots: %llu", slots,
                  (unsigned long long)last);
        rig_free(r);
    }
}

/* Requests to node 0 are stuck behind a single slot; a later response of the same sender passes them all. */
Test(net_flow, blocked_requests_do_not_stop_responses)
{
    struct net_desc d = crossbar_desc(4, 1);
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 20; i++)
        for (unsigned src = 1; src < 4; src++)
            rig_plan(r, 0, MSG_GETS, src, 0, i);
    rig_plan(r, 5050, MSG_INV, 1, 0, 100);
    rig_plan(r, 5051, MSG_ACK, 1, 0, 101);
    rig_finish(r);
    unsigned seen = 0;
    for (unsigned i = 0; i < r->log_count; i++)
        if (r->log[i].aux >= 100) {
            tick sent = 5050 + (r->log[i].aux - 100);
            cr_assert_leq(r->log[i].at - sent, 1000 + 3 * 100, "a blocked request held it up");
            seen++;
        }
    cr_assert_eq(seen, 2);
    cr_assert_eq(r->log_count, 62);
    rig_free(r);
}

/* A line of tiles 0-1-2-3, one slot: everything goes to tile 3, so queues fill back to the first tile, yet
 * the response network and the other direction stay free. */
Test(net_flow, back_pressure_reaches_back_along_the_route)
{
    struct net_desc d = { .topology = NET_MESH, .nodes = 4, .columns = 4, .rows = 1, .hop_ps = 1000, .inject_ps = 200,
                          .control_occupancy_ps = 100, .data_occupancy_ps = 400, .slots_per_vnet = 1 };
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 30; i++) {
        rig_plan(r, 0, MSG_GETS, 0, 3, i);
        rig_plan(r, 0, MSG_GETS, 1, 3, i);
    }
    rig_plan(r, 20000, MSG_ACK, 0, 3, 500);
    rig_plan(r, 20000, MSG_GETS, 3, 0, 501);
    engine_run(r->engine, 19999);
    components_check(&r->list);
    cr_assert_gt(net_stage_counters(r->net, 0)->credit_stall_count, 5);
    rig_finish(r);
    cr_assert_eq(r->log_count, 62);
    for (unsigned i = 0; i < r->log_count; i++)
        if (r->log[i].aux == 501)
            cr_assert_eq(r->log[i].at, 20000 + 200 + 3 * 1000);
        else if (r->log[i].aux == 500)
            cr_assert_leq(r->log[i].at, 20000 + 200 + 3 * 1000 + 5 * 100);
    rig_free(r);
}

/* ---- random traffic */

static const enum msg_kind kinds[] = { MSG_GETS, MSG_PUT, MSG_INV, MSG_FWD_GETM, MSG_DATA, MSG_ACK };

static void plan_random(struct rig *r, unsigned nodes, uint64_t seed, unsigned messages, tick span, bool hot)
{
    struct rng rng = rng_stream(seed, "traffic");
    for (unsigned i = 0; i < messages; i++) {
        unsigned src = (unsigned)rng_below(&rng, nodes);
        unsigned dst = hot && rng_chance(&rng, 1, 2) ? 0 : (unsigned)rng_below(&rng, nodes);
        enum msg_kind kind = kinds[rng_below(&rng, 6)];
        rig_plan(r, rng_below(&rng, span), kind, src, dst, i);
    }
}

static int by_time_then_plan(const void *a, const void *b)
{
    const struct rig_send *x = *(struct rig_send *const *)a, *y = *(struct rig_send *const *)b;
    return x->event.when != y->event.when ? (x->event.when < y->event.when ? -1 : 1) : (x > y) - (x < y);
}

/* Every message once, and per source, destination and virtual network in the order of sending. */
static void assert_once_and_in_order(const struct rig *r, bool in_order)
{
    static struct rig_send *sorted[RIG_LOG];
    static unsigned rank[RIG_LOG], last[RIG_NODES][RIG_NODES][VNET_COUNT];
    static bool seen[RIG_LOG];
    cr_assert_eq(r->log_count, r->send_count);
    for (unsigned i = 0; i < r->send_count; i++)
        sorted[i] = (struct rig_send *)&r->sends[i];
    qsort(sorted, r->send_count, sizeof sorted[0], by_time_then_plan);
    for (unsigned i = 0; i < r->send_count; i++)
        rank[sorted[i]->msg.aux] = i + 1;
    memset(last, 0, sizeof last);
    memset(seen, 0, sizeof seen);
    for (unsigned i = 0; i < r->log_count; i++) {
        const struct rig_delivery *g = &r->log[i];
        const struct msg *m = &r->sends[g->aux].msg;
        cr_assert(!seen[g->aux], "message %llu came twice", (unsigned long long)g->aux);
        seen[g->aux] = true;
        cr_assert(m->kind == g->kind && m->src == g->src && m->dst == g->node && m->line.v == g->line);
        unsigned *before = &last[g->src][g->node][msg_infos[g->kind].vnet];
        cr_assert(!in_order || rank[g->aux] > *before, "message %llu overtook", (unsigned long long)g->aux);
        *before = rank[g->aux];
    }
}

static void assert_little(const struct rig *r)
{
    for (unsigned i = 0; i < net_stage_count(r->net); i++) {
        const struct net_stage_counters *c = net_stage_counters(r->net, i);
        cr_assert_eq(c->wait_ps, c->queued_integral_ps, "%s", c->name);
    }
}

static struct net_desc shape(unsigned i)
{
    static const uint16_t crowded[20] = { 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 11, 3, 3, 8 };
    static const enum net_topology topologies[] = { NET_CROSSBAR, NET_MESH, NET_RING, NET_GROUPS, NET_BUS };
    static const char *const links[] = { "full", "ring", "twisted-hypercube", "star",
                                         "0=1 1-2 2-12 12=3 3-4 4-5 5-6 6=7 7-8 8-9 9-10 10-11 11-0" };
    struct net_desc d = crossbar_desc(i % 2 ? 20 : 5, (unsigned[]){ 1, 2, 3, 0 }[i / 2 % 4]);
    d.topology = topologies[i / 8];
    d.columns = i % 2 ? 4 : 2;
    d.rows = i % 2 ? 3 : 1;
    d.stops = i % 2 ? 12 : 5;
    d.groups = i % 8 == 5 ? 16 : 12;
    d.package = i % 4 == 3 ? 4 : 1;
    d.links = i % 2 ? links[(i + 1) / 2 % 5] : links[i % 3 % 2];
    d.tile_of_node = i % 2 && d.topology != NET_CROSSBAR ? crowded : NULL;
    d.inject_ps = 300;
    d.link_ps = 2300;
    d.near_link_ps = 900;
    d.link_control_occupancy_ps = 200;
    d.link_data_occupancy_ps = 500;
    return d;
}
enum { SHAPES = 40 };

Test(net_flow, random_traffic_arrives_once_in_order_and_gives_slots_back)
{
    uint64_t total_stalls = 0;
    for (unsigned i = 0; i < 2 * SHAPES; i++) {
        uint64_t seed = 4100 + i;
        struct net_desc d = shape(i % SHAPES);
        struct rig *r = rig_new(&d, (struct engine_desc){ .queue = i % 2 ? QUEUE_HEAP : QUEUE_WHEEL, .shuffle_seed = i / SHAPES });
        plan_random(r, d.nodes, seed, 3000, 400000, i % 3 == 0);
        for (tick t = 10000; t < 400000; t += 30000) {
            engine_run(r->engine, t);
            components_check(&r->list);
        }
        rig_finish(r);
        assert_once_and_in_order(r, true);
        assert_little(r);
        for (unsigned s = d.nodes; s < r->net->stage_count; s++)
            for (unsigned v = 0; v < r->net->stages[s].lanes; v++)
                cr_assert_eq(r->net->stages[s].lane[v].credits, r->net->stages[s].slots, "seed %llu: %s",
                             (unsigned long long)seed, r->net->stages[s].name);
        total_stalls += net_counters(r->net).stages.credit_stall_count;
        rig_free(r);
    }
    cr_assert_gt(total_stalls, 10000, "the traffic was too light to test back-pressure");
}

Test(net_flow, jitter_reorders_but_loses_nothing)
{
    struct net_desc d = shape(9);
    d.jitter_ps = 5000;
    d.jitter_rng = rng_stream(7, "net.jitter");
    struct rig *r = rig_new(&d, wheel);
    plan_random(r, d.nodes, 4200, 3000, 100000, false);
    rig_finish(r);
    assert_once_and_in_order(r, false);
    rig_free(r);

    struct net_desc pair = crossbar_desc(2, 0);
    pair.jitter_ps = 5000;
    pair.jitter_rng = rng_stream(8, "net.jitter");
    r = rig_new(&pair, wheel);
    unsigned overtakings = 0;
    for (unsigned i = 0; i < 100; i++)
        rig_plan(r, 0, MSG_ACK, 0, 1, i);
    rig_finish(r);
    for (unsigned i = 1; i < 100; i++)
        overtakings += r->log[i].aux < r->log[i - 1].aux;
    cr_assert_gt(overtakings, 10);
    for (unsigned i = 0; i < 100; i++)
        cr_assert_geq(r->log[i].at, 1000);
    rig_free(r);
}

/* ---- determinism */

static uint64_t log_digest(const struct rig *r)
{
    uint64_t h = 0;
    for (unsigned i = 0; i < r->log_count; i++) {
        const struct rig_delivery *g = &r->log[i];
        h = hash_chain(hash_chain(h, g->at), g->node * 1000 + g->src);
        h = hash_chain(h, hash_chain(g->aux, g->kind));
    }
    return h;
}

/* Bursts of equal-time sends, planned node by node or the other way round. Each node's own order stays. */
static uint64_t burst_digest(unsigned which, bool backwards, enum queue_kind queue)
{
    struct net_desc d = shape(which);
    struct rig *r = rig_new(&d, (struct engine_desc){ .queue = queue });
    for (unsigned i = 0; i < d.nodes; i++) {
        unsigned src = backwards ? d.nodes - 1 - i : i;
        for (unsigned k = 0; k < 100; k++)
            rig_plan(r, k / 10 * 3000, kinds[(k + src) % 6], src, (k * 7 + src * 3) % d.nodes, src * 100 + k);
    }
    rig_finish(r);
    uint64_t digest = log_digest(r);
    rig_free(r);
    return digest;
}

Test(net_flow, order_of_planning_and_queue_do_not_matter)
{
    for (unsigned which = 0; which < SHAPES; which++) {
        uint64_t digest = burst_digest(which, false, QUEUE_WHEEL);
        cr_assert_eq(digest, burst_digest(which, true, QUEUE_WHEEL), "shape %u", which);
        cr_assert_eq(digest, burst_digest(which, false, QUEUE_HEAP), "shape %u", which);
    }
}

/* Sends called at one instant, from one event, in two orders: with slots to spare, nothing changes. */
static uint64_t instant_digest(unsigned which, bool backwards)
{
    struct net_desc d = shape(which);
    d.slots_per_vnet = 65535;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < d.nodes; i++)
        for (unsigned k = 0; k < 20; k++) {
            unsigned src = backwards ? d.nodes - 1 - i : i;
            net_send(r->net, &(struct msg){ .kind = (uint8_t)kinds[k % 6], .src = (uint16_t)src,
                                            .dst = (uint16_t)((k * 7 + src * 3) % d.nodes), .aux = src * 20 + k });
        }
    rig_finish(r);
    uint64_t digest = log_digest(r);
    rig_free(r);
    return digest;
}

Test(net_flow, order_of_calls_at_one_instant_does_not_matter)
{
    for (unsigned which = 9; which < SHAPES; which += 4)
        cr_assert_eq(instant_digest(which, false), instant_digest(which, true), "shape %u", which);
}

/* ---- the check notices */

Test(net_flow, check_notices_a_slot_given_back_twice, .exit_code = 1)
{
    struct net_desc d = crossbar_desc(2, 4);
    struct rig *r = rig_new(&d, wheel);
    r->net->stages[2].lane[VNET_FORWARD].credits++;
    components_check(&r->list);
}

Test(net_flow, check_notices_a_lost_slot, .exit_code = 1)
{
    struct net_desc d = crossbar_desc(2, 4);
    struct rig *r = rig_new(&d, wheel);
    rig_plan(r, 0, MSG_ACK, 0, 1, 0);
    engine_run(r->engine, 500);
    r->net->stages[3].lane[VNET_RESPONSE].credits--;
    components_check(&r->list);
}
