/* models/net/net_build.c - from a descriptor to stages, slots and routes. */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <stdlib.h>

enum { SLOTS_MAX = 65535, PACKETS_PER_NODE = 8 };

unsigned net_full_rate_slots(const struct net_desc *d)
{
    tick wire_ps = d->jitter_ps + (d->topology == NET_MESH && d->inject_ps > d->hop_ps ? d->inject_ps : d->hop_ps);
    tick shortest = d->control_occupancy_ps < d->data_occupancy_ps ? d->control_occupancy_ps : d->data_occupancy_ps;
    if (shortest == 0 || wire_ps / shortest + 3 > SLOTS_MAX)
        return SLOTS_MAX;
    return (unsigned)((wire_ps + shortest - 1) / shortest + 2);
}

tick net_least_latency_ps(const struct net *n)
{
    /* A mesh's nodes may share a tile, and any node may send to itself. */
    return n->desc.topology == NET_MESH ? n->desc.inject_ps : n->desc.hop_ps;
}

static unsigned tile_count(const struct net_desc *d)
{
    return d->topology == NET_MESH ? d->columns * d->rows : 1;
}

static void check_desc(const struct net_desc *d)
{
    CHECK(d->nodes >= 1 && d->nodes <= NET_NODES_MAX, "net: %u nodes (1 to %d)", d->nodes, NET_NODES_MAX);
    CHECK(d->slots_per_vnet <= SLOTS_MAX, "net: %u slots per virtual network (0 to %d)", d->slots_per_vnet, SLOTS_MAX);
    CHECK((d->topology == NET_MESH ? d->inject_ps : d->hop_ps) > 0, "net: a message between near nodes would take no time");
    if (d->topology != NET_MESH)
        return;
    CHECK(d->columns >= 1 && d->rows >= 1 && d->columns <= NET_TILES_MAX && d->rows <= NET_TILES_MAX / d->columns,
          "net: a mesh of %u by %u tiles (1 to %d tiles)", d->columns, d->rows, NET_TILES_MAX);
    for (unsigned node = 0; d->tile_of_node && node < d->nodes; node++)
        CHECK(d->tile_of_node[node] < tile_count(d), "net: node %u on tile %u of %u", node, d->tile_of_node[node],
              tile_count(d));
}

static void *array_new(size_t count, size_t size)
{
    void *a = calloc(count ? count : 1, size);
    CHECK(a, "net: the host has no memory");
    return a;
}

static void on_port_free(struct event *e)
{
    struct stage *s = e->owner;
    stage_run(s->net, s);
}

static void stage_init(struct net *n, struct component_list *list, unsigned i)
{
    struct stage *s = &n->stages[i];
    unsigned nodes = n->desc.nodes;
    const char *kind = i < nodes ? "inject" : i < 2 * nodes ? "eject" : "link";
    snprintf(s->name, sizeof s->name, "%s.%s%u", n->component.name, kind, i < 2 * nodes ? i % nodes : i - 2 * nodes);
    component_register(list, &s->component, s->name, NULL);
    s->net = n;
    s->port_free = (struct event){ .fn = on_port_free, .owner = s, .what = "net port free" };
    s->bounded = i >= nodes;
    s->last = i >= nodes && i < 2 * nodes;
    s->counters.name = s->name;
    for (unsigned v = 0; v < VNET_COUNT; v++)
        s->lane[v].credits = n->desc.slots_per_vnet;
}

struct net *net_new(struct engine *engine, struct component_list *list, const struct net_desc *desc)
{
    check_desc(desc);
    struct net *n = array_new(1, sizeof *n);
    n->engine = engine;
    n->desc = *desc;
    n->desc.tile_of_node = NULL; /* the caller's; ours is n->tile_of_node */
    if (n->desc.slots_per_vnet == 0)
        n->desc.slots_per_vnet = net_full_rate_slots(desc);
    component_register(list, &n->component, desc->name ? desc->name : "net", &net_ops);
    n->tiles = tile_count(desc);
    n->stage_count = 2 * desc->nodes + (desc->topology == NET_MESH ? mesh_links(desc) : 0);
    n->stages = array_new(n->stage_count, sizeof *n->stages);
    n->tile_of_node = array_new(desc->nodes, sizeof *n->tile_of_node);
    n->route = array_new((size_t)n->tiles * n->tiles, sizeof *n->route);
    n->receivers = array_new(desc->nodes, sizeof *n->receivers);
    n->audit = array_new((size_t)n->stage_count * VNET_COUNT, sizeof *n->audit);
    for (unsigned node = 0; node < desc->nodes; node++)
        n->tile_of_node[node] = (uint16_t)(desc->topology == NET_MESH && desc->tile_of_node ? desc->tile_of_node[node]
                                                                                            : node % n->tiles);
    for (unsigned i = 0; i < n->stage_count; i++)
        stage_init(n, list, i);
    if (desc->topology == NET_MESH)
        mesh_wire(n);
    else
        crossbar_wire(n);
    net_pool_grow(n, desc->nodes * PACKETS_PER_NODE);
    return n;
}

void net_free(struct net *n)
{
    if (!n)
        return;
    net_pool_free(n);
    free(n->audit);
    free(n->receivers);
    free(n->route);
    free(n->tile_of_node);
    free(n->stages);
    free(n);
}
