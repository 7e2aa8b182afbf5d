/* tests/unit/test_net.c - the network's times: unloaded latencies, occupancy at both ends, arbitration. */
#include "tests/unit/test_net_rig.h"

#include <string.h>

enum { HOP = 700, INJECT = 130, CONTROL = 250, DATA = 1100 };

static const struct net_desc crossbar = { .topology = NET_CROSSBAR, .nodes = 16, .hop_ps = HOP,
                                          .control_occupancy_ps = CONTROL, .data_occupancy_ps = DATA };
static const struct net_desc mesh = { .topology = NET_MESH, .nodes = 24, .columns = 4, .rows = 3, .hop_ps = HOP,
                                      .inject_ps = INJECT, .control_occupancy_ps = CONTROL, .data_occupancy_ps = DATA };
static const struct engine_desc wheel = { .queue = QUEUE_WHEEL };

static tick latency_alone(const struct net_desc *d, enum msg_kind kind, unsigned src, unsigned dst)
{
    struct rig *r = rig_new(d, wheel);
    rig_plan(r, 5000, kind, src, dst, 1);
    rig_finish(r);
    cr_assert_eq(r->log_count, 1);
    tick latency = r->log[0].at - 5000;
    rig_free(r);
    return latency;
}

Test(net, unloaded_crossbar_takes_one_hop_whatever_the_kind)
{
    for (unsigned kind = 0; kind < MSG_KIND_COUNT; kind++) {
        cr_assert_eq(latency_alone(&crossbar, kind, 3, 9), HOP);
        cr_assert_eq(latency_alone(&crossbar, kind, 15, 0), HOP);
        cr_assert_eq(latency_alone(&crossbar, kind, 7, 7), HOP);
    }
}

Test(net, unloaded_mesh_takes_inject_plus_hops)
{
    for (unsigned src = 0; src < mesh.nodes; src++)
        for (unsigned dst = 0; dst < mesh.nodes; dst++) {
            int from = (int)src % 12, to = (int)dst % 12;
            tick hops = (tick)(abs(from % 4 - to % 4) + abs(from / 4 - to / 4));
            cr_assert_eq(latency_alone(&mesh, MSG_GETS, src, dst), INJECT + hops * HOP);
            cr_assert_eq(latency_alone(&mesh, MSG_DATA, src, dst), INJECT + hops * HOP);
        }
}

/* Tile 0 to tile 5 is one step each way: over link 0 (0 to 1), not over link 1 (0 to 4). */
Test(net, mesh_goes_x_before_y)
{
    struct rig *r = rig_new(&mesh, wheel);
    rig_plan(r, 0, MSG_DATA, 0, 5, 0);
    rig_finish(r);
    cr_assert_str_eq(net_stage_counters(r->net, 48)->name, "net.link0");
    cr_assert_eq(net_stage_counters(r->net, 48)->message_count, 1);
    cr_assert_eq(net_stage_counters(r->net, 49)->message_count, 0);
    rig_free(r);
}

Test(net, mesh_follows_the_given_placement)
{
    uint16_t tile[4] = { 0, 11, 0, 3 };
    struct net_desc d = mesh;
    d.nodes = 4;
    d.tile_of_node = tile;
    cr_assert_eq(latency_alone(&d, MSG_GETM, 0, 1), INJECT + 5 * HOP);
    cr_assert_eq(latency_alone(&d, MSG_GETM, 0, 2), INJECT);
    cr_assert_eq(latency_alone(&d, MSG_GETM, 3, 1), INJECT + 2 * HOP);
}

Test(net, least_latency_is_the_least_there_is)
{
    struct rig *r = rig_new(&crossbar, wheel), *s = rig_new(&mesh, wheel);
    cr_assert_eq(net_least_latency_ps(r->net), HOP);
    cr_assert_eq(net_least_latency_ps(s->net), INJECT);
    rig_free(r);
    rig_free(s);
}

/* One engine event per uncontended message of a crossbar (and the planned send). */
Test(net, uncontended_message_costs_one_event_per_stage_after_the_first)
{
    struct rig *r = rig_new(&crossbar, wheel), *s = rig_new(&mesh, wheel);
    rig_plan(r, 10, MSG_DATA, 0, 5, 0);
    rig_plan(s, 10, MSG_DATA, 0, 11, 0); /* five links and the eject port */
    rig_finish(r);
    rig_finish(s);
    cr_assert_eq(engine_host_events(r->engine), 1 + 1);
    cr_assert_eq(engine_host_events(s->engine), 1 + 6);
    rig_free(r);
    rig_free(s);
}

/* Without a shortage of slots all wait at the eject port; with one, some wait at home, to the same end. */
static void senders_to_one_receiver(unsigned slots, enum msg_kind kind, tick occupancy, unsigned senders)
{
    struct net_desc d = crossbar;
    d.slots_per_vnet = slots;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 1; i <= senders; i++)
        rig_plan(r, 0, kind, i, 0, i);
    rig_finish(r);
    cr_assert_eq(r->log_count, senders);
    for (unsigned i = 0; i < senders; i++)
        cr_assert_eq(r->log[i].at, HOP + i * occupancy, "delivery %u of %u", i, senders);
    const struct net_stage_counters *eject = net_stage_counters(r->net, d.nodes + 0);
    cr_assert_str_eq(eject->name, "net.eject0");
    cr_assert_eq(eject->message_count, senders);
    cr_assert_eq(eject->busy_ps, senders * occupancy);
    struct net_counters c = net_counters(r->net);
    cr_assert_eq(c.stages.wait_ps, senders * (senders - 1) / 2 * occupancy);
    cr_assert_eq(c.latency_max_ps, HOP + (senders - 1) * occupancy);
    if (slots >= senders)
        cr_assert_eq(eject->wait_ps, c.stages.wait_ps);
    rig_free(r);
}

Test(net, meeting_at_one_receiver_costs_its_port)
{
    for (unsigned senders = 1; senders <= 15; senders++) {
        senders_to_one_receiver(0, MSG_ACK, CONTROL, senders);
        senders_to_one_receiver(15, MSG_ACK, CONTROL, senders);
        senders_to_one_receiver(0, MSG_DATA, DATA, senders);
        senders_to_one_receiver(15, MSG_DATA, DATA, senders);
    }
}

static void multicast(const struct net_desc *d, unsigned k)
{
    struct rig *r = rig_new(d, wheel);
    for (unsigned i = 1; i <= k; i++)
        rig_plan(r, 0, MSG_INV, 0, i, i);
    rig_finish(r);
    for (unsigned i = 0; i < k; i++) {
        cr_assert_eq(r->log[i].node, i + 1);
        cr_assert_eq(r->log[i].at, HOP + i * CONTROL);
    }
    cr_assert_eq(net_stage_counters(r->net, 0)->busy_ps, k * CONTROL);
    rig_free(r);
}

Test(net, multicast_costs_its_sender_a_port_slot_each)
{
    multicast(&crossbar, 1);
    multicast(&crossbar, 15);
}

/* Data behind control and control behind data at one inject port: who goes first sets the distance. */
Test(net, occupancy_is_that_of_the_message_in_front)
{
    struct rig *r = rig_new(&crossbar, wheel);
    rig_plan(r, 0, MSG_DATA, 0, 1, 0);
    rig_plan(r, 0, MSG_ACK, 0, 2, 1);
    rig_plan(r, 0, MSG_DATA, 0, 3, 2);
    rig_finish(r);
    cr_assert_eq(r->log[0].at, HOP);
    cr_assert_eq(r->log[1].at, HOP + DATA);
    cr_assert_eq(r->log[2].at, HOP + DATA + CONTROL);
    rig_free(r);
}

Test(net, two_flows_share_a_link_of_the_mesh)
{
    struct rig *r = rig_new(&mesh, wheel);
    rig_plan(r, 0, MSG_DATA, 1, 3, 0);  /* tile 1 to 3: links 1-2, 2-3 */
    rig_plan(r, 0, MSG_DATA, 13, 2, 1); /* tile 1 to 2, from another node of the tile: link 1-2 */
    rig_finish(r);
    tick direct = INJECT + HOP;
    cr_assert_eq(r->log[0].node, 3);    /* the sender of lower number takes the link first */
    cr_assert_eq(r->log[0].at, direct + HOP);
    cr_assert_eq(r->log[1].node, 2);
    cr_assert_eq(r->log[1].at, direct + DATA);
    rig_free(r);
}

/* While the port is busy with a line, wait: an old request, and of equal age a request, a forward, a response. */
Test(net, oldest_goes_first_then_response_forward_request)
{
    struct rig *r = rig_new(&crossbar, wheel);
    rig_plan(r, 0, MSG_DATA, 0, 1, 0);
    rig_plan(r, 200, MSG_GETS, 0, 1, 4);
    rig_plan(r, 200, MSG_INV, 0, 1, 3);
    rig_plan(r, 200, MSG_ACK, 0, 1, 2);
    rig_plan(r, 100, MSG_GETM, 0, 1, 1);
    rig_finish(r);
    static const enum msg_kind kinds[] = { MSG_DATA, MSG_GETM, MSG_ACK, MSG_INV, MSG_GETS };
    cr_assert_eq(r->log_count, 5);
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(r->log[i].kind, kinds[i], "place %u", i);
        cr_assert_eq(r->log[i].at, HOP + (i ? DATA + (i - 1) * CONTROL : 0));
    }
    rig_free(r);
}

Test(net, free_ports_without_occupancy_never_queue)
{
    struct net_desc d = crossbar;
    d.control_occupancy_ps = d.data_occupancy_ps = 0;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 200; i++)
        rig_plan(r, 0, i % 2 ? MSG_DATA : MSG_GETS, i % 16, 3, i);
    rig_finish(r);
    for (unsigned i = 0; i < 200; i++)
        cr_assert_eq(r->log[i].at, HOP);
    rig_free(r);
}

Test(net, counters_add_up)
{
    struct rig *r = rig_new(&mesh, wheel);
    rig_plan(r, 0, MSG_GETS, 0, 11, 0);
    rig_plan(r, 0, MSG_DATA, 11, 0, 1);
    rig_plan(r, 0, MSG_DATA, 5, 5, 2);
    rig_finish(r);
    struct net_counters c = net_counters(r->net);
    cr_assert_eq(c.kind_count[MSG_GETS], 1);
    cr_assert_eq(c.kind_count[MSG_DATA], 2);
    cr_assert_eq(c.vnet_count[VNET_REQUEST], 1);
    cr_assert_eq(c.vnet_count[VNET_FORWARD], 0);
    cr_assert_eq(c.vnet_count[VNET_RESPONSE], 2);
    cr_assert_eq(c.byte_count, 8 + 72 + 72);
    cr_assert_eq(c.delivered_count, 3);
    cr_assert_eq(c.latency_ps, 3 * INJECT + 10 * HOP);
    cr_assert_eq(c.latency_max_ps, INJECT + 5 * HOP);
    cr_assert_eq(c.stages.message_count, 7 + 7 + 2);
    cr_assert_eq(c.stages.busy_ps, 7 * CONTROL + 9 * DATA);
    cr_assert_eq(c.stages.wait_ps, 0);
    cr_assert_eq(c.links.message_count, 10);
    cr_assert_eq(c.links.busy_ps, 5 * CONTROL + 5 * DATA);
    cr_assert_eq(c.link_busy_max_ps, DATA);
    rig_free(r);
}

struct seen {
    unsigned count;
    uint64_t lines;
    tick sent;
};

static void see(void *arg, const struct msg *m, tick sent)
{
    struct seen *s = arg;
    s->count++;
    s->lines += m->line.v;
    s->sent += sent;
}

Test(net, messages_under_way_can_be_seen)
{
    struct rig *r = rig_new(&crossbar, wheel);
    rig_plan(r, 100, MSG_DATA, 0, 1, 0xa);  /* on the wire at 200 */
    rig_plan(r, 100, MSG_DATA_E, 0, 2, 0xb); /* waits for the port at 200 */
    rig_plan(r, 900, MSG_DATA, 0, 1, 0xc);  /* not sent at 200 */
    engine_run(r->engine, 200);
    struct seen s = { 0 };
    net_for_each_in_flight(r->net, see, &s);
    cr_assert_eq(s.count, 2);
    cr_assert_eq(s.lines, 0x100a + 0x100b);
    cr_assert_eq(s.sent, 200);
    cr_assert(!components_idle(&r->list));
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    components_why_busy(&r->list, out);
    fclose(out);
    cr_assert(strstr(text, "net: DATA line 0x100a from node 0 to node 1 since 100 ps: on the wire to net.eject1"), "%s", text);
    cr_assert(strstr(text, "net: DATA_E line 0x100b from node 0 to node 2 since 100 ps: queued at net.inject0"), "%s", text);
    free(text);
    components_check(&r->list);
    rig_finish(r);
    s = (struct seen){ 0 };
    net_for_each_in_flight(r->net, see, &s);
    cr_assert_eq(s.count, 0);
    rig_free(r);
}

/* ---- the receiver may send from inside a delivery, more than the pool holds at first */

static struct rig *echo_rig;
static unsigned echo_left;

static void echo(void *receiver, struct msg *m)
{
    (void)receiver;
    struct msg back = *m;
    back.src = m->dst;
    back.dst = m->src;
    for (unsigned i = 0; i < 3 && echo_left; i++, echo_left--)
        net_send(echo_rig->net, &back);
    cr_assert_eq(m->aux, 77, "the message changed while it was being delivered");
}

Test(net, receiver_may_send_while_the_pool_grows)
{
    struct net_desc d = crossbar;
    d.nodes = 2;
    struct rig r = { 0 };
    r.engine = engine_new(wheel);
    r.net = net_new(r.engine, &r.list, &d);
    net_attach(r.net, 0, echo, NULL);
    net_attach(r.net, 1, echo, NULL);
    echo_rig = &r;
    echo_left = 5000;
    struct msg m = { .kind = MSG_DATA, .src = 0, .dst = 1, .aux = 77 };
    net_send(r.net, &m);
    cr_assert_eq(engine_run(r.engine, TICK_MAX), ENGINE_IDLE);
    cr_assert_eq(net_counters(r.net).delivered_count, 5001);
    components_check(&r.list);
    net_free(r.net);
    engine_free(r.engine);
}

Test(net, unknown_destination_is_a_panic, .exit_code = 1)
{
    static struct rig *r; /* still reachable when the process ends */
    r = rig_new(&crossbar, wheel);
    struct msg m = { .kind = MSG_DATA, .src = 0, .dst = 16 };
    net_send(r->net, &m);
}

Test(net, parameters_are_well_formed)
{
    param_table_check(net_params);
}

Test(net, every_kind_has_a_name_and_a_sentence)
{
    for (unsigned i = 0; i < MSG_KIND_COUNT; i++) {
        cr_assert(msg_infos[i].name && msg_infos[i].name[0]);
        cr_assert(strlen(msg_infos[i].sentence) > 10);
        cr_assert_lt(msg_infos[i].vnet, VNET_COUNT);
    }
    cr_assert(msg_infos[MSG_DATA].data && !msg_infos[MSG_ACK].data);
    cr_assert_eq(msg_infos[MSG_PUT].vnet, VNET_REQUEST);
    cr_assert_eq(msg_infos[MSG_INV].vnet, VNET_FORWARD);
    cr_assert_eq(msg_infos[MSG_WB].vnet, VNET_RESPONSE);
}
