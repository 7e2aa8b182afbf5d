/* tests/unit/test_net_shapes.c - rings, groups and their layers: the way every message takes, what it costs, and that no
 * load with the fewest slots stops it.
 */
#include "tests/unit/test_net_rig.h"

#include "models/net/net_internal.h"

#include <string.h>

enum { HOP = 700, INJECT = 130, CONTROL = 250, DATA = 1100, LINK = 5300, NEAR = 1700, LINK_CONTROL = 900, LINK_DATA = 3100 };

static const struct engine_desc wheel = { .queue = QUEUE_WHEEL };

static struct net_desc ring_desc(unsigned stops, unsigned slots)
{
    return (struct net_desc){ .topology = NET_RING, .nodes = stops, .stops = stops, .hop_ps = HOP, .inject_ps = INJECT,
                              .control_occupancy_ps = CONTROL, .data_occupancy_ps = DATA, .slots_per_vnet = slots };
}

static struct net_desc groups_desc(unsigned groups, unsigned package, const char *links, unsigned slots)
{
    return (struct net_desc){ .topology = NET_GROUPS, .nodes = groups, .groups = groups, .package = package, .links = links,
                              .hop_ps = HOP, .link_ps = LINK, .near_link_ps = NEAR, .control_occupancy_ps = CONTROL,
                              .data_occupancy_ps = DATA, .link_control_occupancy_ps = LINK_CONTROL,
                              .link_data_occupancy_ps = LINK_DATA, .slots_per_vnet = slots };
}

typedef tick expected_fn(const struct net_desc *, unsigned src, unsigned dst);

/* One message after the other, far apart: the latency of each pair. */
static void expect_unloaded(const struct net_desc *d, enum msg_kind kind, expected_fn *expected)
{
    struct rig *r = rig_new(d, wheel);
    unsigned i = 0;
    for (unsigned src = 0; src < d->nodes; src++)
        for (unsigned dst = 0; dst < d->nodes; dst++, i++)
            rig_plan(r, i * PS_PER_US, kind, src, dst, i);
    rig_finish(r);
    cr_assert_eq(r->log_count, i);
    for (i = 0; i < r->log_count; i++) {
        const struct rig_delivery *g = &r->log[i];
        cr_assert_eq(g->at - g->aux * PS_PER_US, expected(d, g->src, g->node), "from %u to %u", g->src, g->node);
    }
    cr_assert_eq(net_counters(r->net).stages.wait_ps, 0);
    rig_free(r);
}

/* ---- ring */

static unsigned around(unsigned from, unsigned to, unsigned stops)
{
    unsigned distance = from > to ? from - to : to - from;
    return 2 * distance > stops ? stops - distance : distance;
}

static tick ring_time(const struct net_desc *d, unsigned src, unsigned dst)
{
    return INJECT + HOP * (tick)around(src % d->stops, dst % d->stops, d->stops);
}

Test(net_shapes, ring_takes_inject_plus_the_shorter_way_round)
{
    for (unsigned stops = 1; stops <= 17; stops++) {
        struct net_desc d = ring_desc(stops, 0);
        expect_unloaded(&d, MSG_GETS, ring_time);
        d.nodes = 2 * stops; /* two on each stop */
        expect_unloaded(&d, MSG_DATA, ring_time);
    }
}

Test(net_shapes, opposite_stops_load_both_directions_alike)
{
    struct net_desc d = ring_desc(8, 0);
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 8; i++)
        rig_plan(r, 0, MSG_GETS, i, (i + 4) % 8, i);
    rig_finish(r);
    for (unsigned link = 0; link < 16; link++)
        cr_assert_eq(net_stage_counters(r->net, 16 + link)->message_count, 2, "link %u", link);
    cr_assert_eq(net_stage_count(r->net), 32);
    rig_free(r);
}

/* All from one stop's k nodes in one direction: they leave its link one occupancy after the other. */
static void share_a_link(struct net_desc d, unsigned k, enum msg_kind kind, unsigned far, tick first, tick pace)
{
    uint16_t tile[RIG_NODES] = { 0 };
    d.nodes = 2 * k;
    d.tile_of_node = tile;
    for (unsigned i = 0; i < k; i++)
        tile[k + i] = (uint16_t)far;
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < k; i++)
        rig_plan(r, 10, kind, i, k + i, i);
    rig_finish(r);
    for (unsigned i = 0; i < k; i++) {
        cr_assert_eq(r->log[i].src, i);
        cr_assert_eq(r->log[i].at, 10 + first + i * pace);
    }
    struct net_counters c = net_counters(r->net);
    cr_assert_eq(c.stages.wait_ps, pace * k * (k - 1) / 2);
    if (d.topology == NET_GROUPS && d.groups == 2) {
        cr_assert_eq(c.links.wait_ps, c.stages.wait_ps);
        cr_assert(c.links.message_count == k && c.links.busy_ps == k * pace && c.link_busy_max_ps == k * pace);
    }
    rig_free(r);
}

Test(net_shapes, messages_that_share_a_link_leave_it_one_occupancy_apart)
{
    for (unsigned k = 1; k <= 12; k++) {
        share_a_link(ring_desc(9, 0), k, MSG_ACK, 3, INJECT + 3 * HOP, CONTROL);
        share_a_link(ring_desc(9, 0), k, MSG_DATA, 6, INJECT + 3 * HOP, DATA);
        share_a_link(groups_desc(2, 1, "full", 0), k, MSG_DATA, 1, HOP + LINK, LINK_DATA);
        share_a_link(groups_desc(2, 1, "full", 0), k, MSG_ACK, 1, HOP + LINK, LINK_CONTROL);
        share_a_link(groups_desc(4, 2, "star", 0), k, MSG_ACK, 3, HOP + 2 * NEAR + LINK, LINK_CONTROL);
    }
}

/* ---- groups: distances from a list of links written down here, by relaxing until nothing changes */

struct edge { unsigned a, b; tick time; };
static struct edge edges[2000];
static unsigned edge_count;

static void edge(unsigned a, unsigned b, tick time)
{
    edges[edge_count++] = (struct edge){ a, b, time };
}

static tick groups_time(const struct net_desc *d, unsigned src, unsigned dst)
{
    tick best[128];
    (void)d;
    for (unsigned i = 0; i < 128; i++)
        best[i] = i == src ? 0 : TICK_MAX / 4;
    for (bool again = true; again;) {
        again = false;
        for (unsigned i = 0; i < 2 * edge_count; i++) {
            const struct edge *e = &edges[i / 2];
            unsigned from = i % 2 ? e->a : e->b, to = i % 2 ? e->b : e->a;
            if (best[from] + e->time < best[to]) {
                best[to] = best[from] + e->time;
                again = true;
            }
        }
    }
    return HOP + best[dst];
}

static void expect_groups(unsigned groups, unsigned package, const char *links)
{
    struct net_desc d = groups_desc(groups, package, links, 0);
    expect_unloaded(&d, MSG_GETM, groups_time);
    edge_count = 0;
}

Test(net_shapes, named_links_are_as_they_are_called)
{
    for (unsigned n = 1; n <= 9; n++) {
        for (unsigned a = 0; a < n; a++)
            for (unsigned b = 0; b < a; b++)
                edge(a, b, LINK);
        expect_groups(n, 1, n % 2 ? "full" : NULL);
        for (unsigned a = 0; a + 1 < n; a++)
            edge(a, a + 1, a / 3 == (a + 1) / 3 ? NEAR : LINK);
        if (n > 2)
            edge(n - 1, 0, (n - 1) / 3 == 0 ? NEAR : LINK);
        expect_groups(n, 3, "ring");
        for (unsigned a = 0; a < n; a++)
            edge(a, n, LINK);
        expect_groups(n, 1, "star");
    }
    for (unsigned a = 0; a < 16; a++)
        for (unsigned bit = 1; bit < 16; bit *= 2)
            edge(a, a ^ bit, bit == 1 ? NEAR : LINK);
    expect_groups(16, 2, "hypercube");
}

/* Two packages of eight core complexes, each with a hub: 0, 2 near links, or 2 near links and one far. */
Test(net_shapes, star_per_package)
{
    for (unsigned a = 0; a < 16; a++)
        edge(a, 16 + a / 8, NEAR);
    edge(16, 17, LINK);
    expect_groups(16, 8, "star");
    struct net_desc d = groups_desc(16, 8, "star", 0);
    cr_assert_eq(groups_time(&d, 3, 3), HOP);
    for (unsigned a = 0; a < 8; a++) /* the last package is not full */
        edge(a, 8 + a / 3, NEAR);
    for (unsigned a = 8; a < 11; a++)
        for (unsigned b = 8; b < a; b++)
            edge(a, b, LINK);
    expect_groups(8, 3, "star");
}

/* Nodes may sit on a hub, too (memory behind an I/O die). */
Test(net_shapes, hubs_may_have_nodes)
{
    static const uint16_t tile[] = { 0, 1, 2, 3, 4, 5 };
    struct net_desc d = groups_desc(4, 2, "star", 0);
    d.nodes = 6;
    d.tile_of_node = tile;
    for (unsigned a = 0; a < 4; a++)
        edge(a, 4 + a / 2, NEAR);
    edge(4, 5, LINK);
    expect_unloaded(&d, MSG_DATA, groups_time);
    cr_assert_eq(groups_time(&d, 0, 4), HOP + NEAR);
    cr_assert_eq(groups_time(&d, 0, 5), HOP + NEAR + LINK);
}

/* Eight sockets of three links each, none further than two links apart. */
Test(net_shapes, twisted_hypercube_has_diameter_two)
{
    static const unsigned links[][2] = { { 0, 2 }, { 0, 3 }, { 0, 4 }, { 1, 2 }, { 1, 3 }, { 1, 5 }, { 2, 6 }, { 3, 7 },
                                         { 4, 5 }, { 4, 6 }, { 5, 7 }, { 6, 7 } };
    for (unsigned i = 0; i < 12; i++)
        edge(links[i][0], links[i][1], LINK);
    struct net_desc d = groups_desc(8, 1, "twisted-hypercube", 0);
    for (unsigned src = 0; src < 8; src++)
        for (unsigned dst = 0; dst < 8; dst++)
            cr_assert_leq(groups_time(&d, src, dst), HOP + 2 * LINK);
    expect_groups(8, 1, "twisted-hypercube");
}

/* Three links each and no further chips: every two joined, or as above. */
Test(net_shapes, glueless_is_full_or_twisted)
{
    for (unsigned n = 1; n <= 4; n++) {
        for (unsigned a = 0; a < n; a++)
            for (unsigned b = 0; b < a; b++)
                edge(a, b, LINK);
        expect_groups(n, 1, "glueless");
    }
    static const unsigned links[][2] = { { 0, 2 }, { 0, 3 }, { 0, 4 }, { 1, 2 }, { 1, 3 }, { 1, 5 }, { 2, 6 }, { 3, 7 },
                                         { 4, 5 }, { 4, 6 }, { 5, 7 }, { 6, 7 } };
    for (unsigned i = 0; i < 12; i++)
        edge(links[i][0], links[i][1], LINK);
    expect_groups(8, 1, "glueless");
}

/* Four packages of two dies, links as of a four-socket board: a near link, one far link, or two links with at least
 * one far. */
Test(net_shapes, list_of_near_and_far_links)
{
    static const char list[] = "0=1 2=3, 4=5 6=7  0-2 0-4 0-6 2-4 2-6 4-6 1-3 1-5 1-7 3-5,3-7,5-7";
    unsigned near = 0, far = 0, both = 0;
    for (unsigned a = 0; a < 8; a++)
        for (unsigned b = 0; b < a; b++)
            if (a / 2 == b / 2 || a % 2 == b % 2)
                edge(a, b, a / 2 == b / 2 ? NEAR : LINK);
    struct net_desc d = groups_desc(8, 1, list, 0);
    for (unsigned dst = 1; dst < 8; dst++) {
        near += groups_time(&d, 0, dst) == HOP + NEAR;
        far += groups_time(&d, 0, dst) == HOP + LINK;
        both += groups_time(&d, 0, dst) == HOP + LINK + NEAR;
    }
    cr_assert(near == 1 && far == 3 && both == 3);
    expect_groups(8, 1, list);
}

/* Two near links are shorter than one far: time decides, not the number of links. */
Test(net_shapes, shortest_is_in_time)
{
    edge(0, 1, NEAR);
    edge(1, 2, NEAR);
    edge(0, 2, LINK);
    struct net_desc d = groups_desc(3, 1, "0-2 0=1 1=2", 0);
    cr_assert_eq(groups_time(&d, 0, 2), HOP + 2 * NEAR);
    expect_groups(3, 1, "0-2 0=1 1=2");
}

Test(net_shapes, equal_ways_are_shared_out)
{
    struct net_desc d = groups_desc(4, 1, "ring", 0);
    struct rig *r = rig_new(&d, wheel);
    for (unsigned i = 0; i < 16; i++)
        rig_plan(r, 0, MSG_GETS, i / 4, i % 4, i);
    rig_finish(r);
    for (unsigned link = 0; link < 8; link++) /* 8 pairs of one link, 4 of two */
        cr_assert_eq(net_stage_counters(r->net, 8 + link)->message_count, 2, "link %u", link);
    rig_free(r);
}

/* Two near links take as long as one far, which no other way takes. */
Test(net_shapes, of_equal_times_the_less_loaded)
{
    struct net_desc d = groups_desc(3, 1, "0=1 1=2 0-2", 0);
    d.link_ps = 2 * NEAR;
    struct rig *r = rig_new(&d, wheel);
    rig_plan(r, 0, MSG_GETS, 0, 2, 0);
    rig_finish(r);
    cr_assert_eq(r->log[0].at, HOP + 2 * NEAR);
    cr_assert_eq(net_counters(r->net).stages.message_count, 3);
    rig_free(r);
}

Test(net_shapes, least_latency_of_groups_and_rings)
{
    struct net_desc d = groups_desc(3, 1, "full", 0), e = ring_desc(3, 0);
    struct rig *r = rig_new(&d, wheel), *s = rig_new(&e, wheel);
    cr_assert_eq(net_least_latency_ps(r->net), HOP);
    cr_assert_eq(net_least_latency_ps(s->net), INJECT);
    cr_assert_eq(net_full_rate_slots(&d), (LINK + CONTROL - 1) / CONTROL + 2);
    d.link_data_occupancy_ps = 20;
    cr_assert_eq(net_full_rate_slots(&d), LINK / 20 + 2);
    cr_assert_eq(net_full_rate_slots(&e), (HOP + CONTROL - 1) / CONTROL + 2);
    rig_free(r);
    rig_free(s);
}

/* ---- layers */

/* follows[a * links + b]: some way goes from link a straight to link b. Removing, again and again, links that nothing
 * follows leaves none unless some are in a circle (Kahn 1962). */
static bool has_circle(const bool *follows, unsigned links)
{
    bool *gone = calloc(links + 1, sizeof *gone);
    unsigned left = links, before;
    do {
        before = left;
        for (unsigned a = 0; a < links; a++) {
            bool leads = false;
            for (unsigned b = 0; b < links && !leads && !gone[a]; b++)
                leads = follows[a * links + b] && !gone[b];
            if (!gone[a] && !leads) {
                gone[a] = true;
                left--;
            }
        }
    } while (left < before);
    free(gone);
    return left > 0;
}

static void follow_way(const struct net *n, unsigned from, unsigned to, bool *follows)
{
    unsigned links = n->stage_count - first_link(n), last = links;
    for (unsigned at = from, link; at != to; at = n->stages[first_link(n) + link].end_tile, last = link) {
        link = n->route[at * n->tiles + to] - first_link(n);
        if (last < links)
            follows[last * links + link] = true;
    }
}

/* Ways of one layer are free of circles, and a way is in a later layer only because of the ways placed before it. */
static void expect_layer(const struct net *n, unsigned layer)
{
    unsigned links = n->stage_count - first_link(n);
    size_t bytes = (size_t)links * links * sizeof(bool);
    bool *follows = calloc(bytes + 1, 1), *with = calloc(bytes + 1, 1);
    for (unsigned pair = 0; pair < n->tiles * n->tiles; pair++) {
        unsigned from = pair / n->tiles, to = pair % n->tiles, its = n->layer ? n->layer[pair] : 0;
        if (its == layer)
            follow_way(n, from, to, follows);
        memcpy(with, follows, bytes);
        follow_way(n, from, to, with);
        cr_assert(its != layer || from == to || !has_circle(with, links), "layer %u of %u has a circle", layer, n->layers);
        cr_assert(its <= layer || has_circle(with, links), "from %u to %u: layer %u would do", from, to, layer);
    }
    free(follows);
    free(with);
}

static unsigned layers_without_circles(const struct net_desc *d)
{
    struct rig *r = rig_new(d, wheel);
    unsigned layers = r->net->layers;
    for (unsigned layer = 0; layer < layers; layer++)
        expect_layer(r->net, layer);
    rig_free(r);
    return layers;
}

Test(net_shapes, a_ring_needs_two_layers_and_shapes_without_circles_one)
{
    for (unsigned stops = 1; stops <= 40; stops++) {
        struct net_desc d = ring_desc(stops, 0);
        cr_assert_eq(layers_without_circles(&d), stops <= 4 ? 1 : 2, "%u stops", stops); /* 4: two ways of two links each way */
    }
    struct net_desc d = groups_desc(16, 4, "star", 0), e = groups_desc(8, 1, "full", 0);
    struct net_desc f = groups_desc(5, 1, "0-1 1-2 1-3 3-4", 0);
    cr_assert_eq(layers_without_circles(&d), 1);
    cr_assert_eq(layers_without_circles(&e), 1);
    cr_assert_eq(layers_without_circles(&f), 1);
    d = ring_desc(NET_STOPS_MAX, 0);
    d.nodes = 2;
    struct rig *r = rig_new(&d, wheel);
    cr_assert_eq(r->net->layers, 2);
    rig_free(r);
}

/* A random connected graph: a random tree and some links more. */
static void random_links(struct rng *rng, unsigned tiles, unsigned more, char *text)
{
    bool there[24][24] = { { false } };
    for (unsigned i = 1; i < tiles + more; i++) {
        unsigned a = i < tiles ? i : (unsigned)rng_below(rng, tiles), b = (unsigned)rng_below(rng, i < tiles ? i : tiles);
        if (a == b || there[a][b])
            continue;
        there[a][b] = there[b][a] = true;
        text += sprintf(text, "%u%c%u ", a, rng_chance(rng, 1, 3) ? '=' : '-', b);
    }
}

/* Every node sends to every other one, all at once, on all virtual networks, with one slot: every link is full. */
static void expect_drains(struct net_desc d, unsigned rounds, uint64_t seed)
{
    static const enum msg_kind kinds[] = { MSG_GETS, MSG_PUT, MSG_INV, MSG_DATA, MSG_ACK };
    struct rig *r = rig_new(&d, wheel);
    unsigned i = 0;
    for (unsigned round = 0; round < rounds; round++)
        for (unsigned step = 1; step <= d.nodes; step++)
            for (unsigned src = 0; src < d.nodes; src++, i++)
                rig_plan(r, 0, kinds[i % 5], src, (src + step * (d.nodes / 2)) % d.nodes, i);
    for (tick t = 0; t < 100 * PS_PER_NS; t += 10 * PS_PER_NS) {
        engine_run(r->engine, t);
        components_check(&r->list);
    }
    cr_assert_eq(engine_run(r->engine, TICK_MAX), ENGINE_IDLE);
    cr_assert(net_idle(r->net), "seed %llu: %u of %u arrived, the rest is stuck", (unsigned long long)seed, r->log_count, i);
    rig_finish(r);
    cr_assert_eq(r->log_count, i);
    for (unsigned s = first_link(r->net); s < r->net->stage_count; s++)
        for (unsigned lane = 0; lane < r->net->stages[s].lanes; lane++)
            cr_assert_eq(r->net->stages[s].lane[lane].credits, d.slots_per_vnet);
    rig_free(r);
}

Test(net_shapes, full_rings_with_one_slot_drain)
{
    for (unsigned stops = 2; stops <= 24; stops++)
        for (unsigned slots = 1; slots <= 2; slots++) {
            struct net_desc d = ring_desc(stops, slots);
            expect_drains(d, 12, stops);
            d.control_occupancy_ps = d.data_occupancy_ps = 0;
            expect_drains(d, 3, stops);
        }
}

Test(net_shapes, full_groups_with_one_slot_drain)
{
    static const struct { unsigned groups, package; const char *links; } shapes[] = {
        { 8, 1, "twisted-hypercube" }, { 16, 2, "hypercube" }, { 9, 1, "ring" }, { 16, 8, "star" }, { 6, 2, "full" },
        { 8, 1, "0=1 2=3 4=5 6=7 0-2 0-4 0-6 2-4 2-6 4-6 1-3 1-5 1-7 3-5 3-7 5-7" }, { 16, 4, "twisted-hypercube" },
    };
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        struct net_desc d = groups_desc(shapes[i].groups, shapes[i].package, shapes[i].links, 1);
        layers_without_circles(&d);
        expect_drains(d, 12, i);
        d.link_control_occupancy_ps = d.link_data_occupancy_ps = 0;
        expect_drains(d, 3, i);
    }
}

Test(net_shapes, random_groups_route_shortest_and_drain)
{
    unsigned most = 0;
    for (uint64_t seed = 5200; seed < 5260; seed++) {
        struct rng rng = rng_stream(seed, "graph");
        char text[2000];
        unsigned tiles = 3 + (unsigned)rng_below(&rng, 20), hubs = (unsigned)rng_below(&rng, 3);
        random_links(&rng, tiles, (unsigned)rng_below(&rng, 12), text);
        struct net_desc d = groups_desc(tiles > hubs + 2 ? tiles - hubs : tiles, 1, text, 1);
        unsigned layers = layers_without_circles(&d);
        most = layers > most ? layers : most;
        expect_drains(d, 6, seed);
        for (const char *at = text; *at; at = strchr(at, ' ') + 1) {
            unsigned a, b;
            char kind;
            sscanf(at, "%u%c%u", &a, &kind, &b);
            edge(a, b, kind == '=' ? NEAR : LINK);
        }
        expect_unloaded(&d, MSG_DATA, groups_time);
        edge_count = 0;
    }
    cr_assert_geq(most, 2, "no graph had a circle");
}

/* The load above is heavy enough: with all ways in one layer the ring stops for good. */
Test(net_shapes, without_layers_a_full_ring_would_stop)
{
    struct net_desc d = ring_desc(8, 1);
    struct rig *r = rig_new(&d, wheel);
    memset(r->net->layer, 0, 64);
    for (unsigned i = 0; i < 80; i++)
        rig_plan(r, 0, MSG_GETS, i % 8, (i + 3) % 8, i);
    cr_assert_eq(engine_run(r->engine, TICK_MAX), ENGINE_IDLE);
    cr_assert(!net_idle(r->net));
    cr_assert_lt(r->log_count, 80);
    components_check(&r->list);
    rig_free(r);
}

/* ---- what does not fit together */

static void expect_refused(unsigned groups, const char *links, const char *text)
{
    char why[NET_WHY_BYTES] = "";
    struct net_desc d = groups_desc(groups, 1, links, 0);
    const char *key = net_desc_error(&d, why, sizeof why);
    cr_assert(key, "\"%s\" is taken", links);
    cr_assert_str_eq(key, "links");
    cr_assert_str_eq(why, text);
}

Test(net_shapes, senseless_links_are_refused)
{
    expect_refused(6, "hypercube", "a hypercube of 6 groups: their number must be a power of two");
    expect_refused(2, "twisted-hypercube", "a twisted-hypercube of 2 groups: their number must be a power of two, 4 at least");
    expect_refused(5, "glueless", "a glueless machine of 5 groups: 1 to 4 or 8");
    expect_refused(9, "glueless", "a glueless machine of 9 groups: 1 to 4 or 8");
    expect_refused(3, "0-1 1-3", "group 2 cannot be reached from group 0");
    expect_refused(2, "0-1 1-3", "hub 2 cannot be reached from group 0");
    expect_refused(2, "", "group 1 cannot be reached from group 0");
    expect_refused(2, "0-1 1-1", "1-1 joins a group with itself");
    expect_refused(2, "0-1 1=0", "1-0 is listed twice");
    static const char *const bad[] = { "0-128", "0-", "-1", "0-1x", "0", "0--1", "0-1-2", "0=-1", "99999999999999999999-1" };
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[NET_WHY_BYTES];
        snprintf(text, sizeof text, "\"%s\" is no link such as 0=1 or 0-1, of numbers below 128", bad[i]);
        expect_refused(2, bad[i], text);
    }
    char why[NET_WHY_BYTES];
    struct net_desc d = groups_desc(2, 1, " 0-127, 127-1 ", 0); /* tiles 2 to 126 are missing */
    cr_assert_str_eq(net_desc_error(&d, why, sizeof why), "links");
    d = ring_desc(5, 0);
    cr_assert_null(net_desc_error(&d, why, sizeof why));
}

/* 128 tiles in a row with chords here and there: seed 264 was searched for, of 1500 the one that needs seven layers. */
Test(net_shapes, a_graph_that_needs_too_many_layers_is_refused)
{
    static bool there[128][128];
    static char text[4000];
    struct rng rng = rng_stream(264, "g");
    size_t end = 0;
    unsigned chords = 20 + (unsigned)rng_below(&rng, 100);
    for (unsigned i = 1; i < 128 + chords; i++) {
        unsigned a = i < 128 ? i : (unsigned)rng_below(&rng, 128), b = i < 128 ? i - 1 : (unsigned)rng_below(&rng, 128);
        if (a == b || there[a][b])
            continue;
        there[a][b] = there[b][a] = true;
        end += (size_t)snprintf(text + end, sizeof text - end, "%u-%u ", a, b);
    }
    expect_refused(64, text, "more than 6 virtual channels would be needed against deadlock; add links");
}
