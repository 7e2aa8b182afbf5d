/* models/net/net_build.c - from a descriptor to stages, slots and routes. */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <stdlib.h>

enum { SLOTS_MAX = 65535, PACKETS_PER_NODE = 8, SLOTS_OF_A_SINK = INT32_MAX };

static tick later(tick a, tick b) { return a > b ? a : b; }
static tick sooner(tick a, tick b) { return a < b ? a : b; }

unsigned net_full_rate_slots(const struct net_desc *d)
{
    bool groups = d->topology == NET_GROUPS, near = d->topology == NET_CROSSBAR || groups;
    tick wire_ps = d->jitter_ps + later(d->hop_ps, near ? 0 : d->inject_ps);
    tick shortest = sooner(d->control_occupancy_ps, d->data_occupancy_ps);
    if (groups) {
        wire_ps = later(wire_ps, d->jitter_ps + later(d->link_ps, d->near_link_ps));
        shortest = sooner(shortest, sooner(d->link_control_occupancy_ps, d->link_data_occupancy_ps));
    }
    if (shortest == 0 || wire_ps / shortest + 3 > SLOTS_MAX)
        return SLOTS_MAX;
    return (unsigned)((wire_ps + shortest - 1) / shortest + 2);
}

tick net_least_latency_ps(const struct net *n)
{
    /* Nodes of a mesh or ring may share a tile or stop, and any node may send to itself. */
    const struct net_desc *d = &n->desc;
    switch (d->topology) {
    case NET_MESH:
    case NET_RING: return d->inject_ps;
    case NET_BUS: return d->inject_ps + d->hop_ps;
    default: return d->hop_ps;
    }
}

static bool in_range(unsigned v, unsigned max) { return v >= 1 && v <= max; }

/* NULL, or the key to blame. */
static const char *layout_of(const struct net_desc *d, struct layout *p, char *why, size_t why_bytes)
{
    *p = (struct layout){ 0 };
    switch (d->topology) {
    case NET_CROSSBAR: crossbar_layout(d, p); return NULL;
    case NET_MESH: mesh_layout(d, p); return NULL;
    case NET_RING: ring_layout(d, p); return NULL;
    case NET_GROUPS: return groups_layout(d, p, why, why_bytes);
    case NET_BUS: bus_layout(d, p); return NULL;
    }
    panic("net: topology %d", (int)d->topology);
}

const char *net_desc_error(const struct net_desc *d, char *why, size_t why_bytes)
{
    struct layout p;
    const char *blamed = d->topology == NET_GROUPS ? layout_of(d, &p, why, why_bytes) : NULL;
    if (d->topology == NET_GROUPS)
        layout_free(&p);
    return blamed;
}

static void check_desc(const struct net_desc *d)
{
    bool near = d->topology == NET_CROSSBAR || d->topology == NET_GROUPS;
    CHECK(in_range(d->nodes, NET_NODES_MAX), "net: %u nodes (1 to %d)", d->nodes, NET_NODES_MAX);
    CHECK(d->slots_per_vnet <= SLOTS_MAX, "net: %u slots per virtual network (0 to %d)", d->slots_per_vnet, SLOTS_MAX);
    CHECK((near ? d->hop_ps : d->inject_ps) > 0, "net: a message between near nodes would take no time");
    CHECK(d->topology != NET_MESH || (in_range(d->columns, NET_TILES_MAX) && in_range(d->rows, NET_TILES_MAX / d->columns)),
          "net: a mesh of %u by %u tiles (1 to %d tiles)", d->columns, d->rows, NET_TILES_MAX);
    CHECK(d->topology != NET_RING || in_range(d->stops, NET_STOPS_MAX),
          "net: a ring of %u stops (1 to %d)", d->stops, NET_STOPS_MAX);
    CHECK(d->topology != NET_GROUPS
              || (in_range(d->groups, NET_GROUPS_MAX) && in_range(d->package, NET_GROUPS_MAX) && d->link_ps && d->near_link_ps),
          "net: %u groups, %u in a package (1 to %d), or a link of no time", d->groups, d->package, NET_GROUPS_MAX);
}

static void *array_new(size_t count, size_t size)
{
    void *a = calloc(count ? count : 1, size);
    CHECK_MEMORY(a, "net: the host has no memory");
    return a;
}

static void on_port_free(struct event *e)
{
    struct stage *s = e->owner;
    stage_run(s->net, s);
}

static void stage_init(struct net *n, struct component_list *list, const struct layout *p, unsigned i)
{
    struct stage *s = &n->stages[i];
    const struct net_desc *d = &n->desc;
    unsigned nodes = d->nodes;
    bool inject = i < nodes, eject = i >= nodes && i < 2 * nodes;
    const struct link *link = inject || eject ? NULL : &p->links[i - 2 * nodes];
    const char *kind = inject ? "inject" : eject ? "eject" : "link";
    if (link && p->medium)
        snprintf(s->name, sizeof s->name, "%s.bus", n->component.name);
    else
        snprintf(s->name, sizeof s->name, "%s.%s%u", n->component.name, kind, link ? i - 2 * nodes : i % nodes);
    component_register(list, &s->component, s->name, NULL);
    s->net = n;
    s->port_free = (struct event){ .fn = on_port_free, .owner = s, .what = "net port free" };
    s->wire_ps = link ? link->wire_ps : inject ? p->inject_wire_ps : 0;
    s->end_tile = link ? link->to : inject ? (p->inject_tile == EVERY_TILE ? n->tile_of_node[i] : p->inject_tile) : 0;
    s->occupancy_ps[0] = link ? link->occupancy_ps[0] : d->control_occupancy_ps;
    s->occupancy_ps[1] = link ? link->occupancy_ps[1] : d->data_occupancy_ps;
    s->medium = link && p->medium;
    s->jitter_ps = s->medium ? 0 : d->jitter_ps; /* all hear the medium at once, in its order */
    s->last = eject;
    s->slots = inject ? 0 : eject && p->medium ? SLOTS_OF_A_SINK : d->slots_per_vnet;
    s->lanes = (uint8_t)(VNET_COUNT * n->layers);
    s->lane = &n->lanes[i * s->lanes];
    s->counters.name = s->name;
    for (unsigned v = 0; v < s->lanes; v++)
        s->lane[v].credits = s->slots;
}

/* Where the nodes are: as told, one after the other around the tiles, or all on the only one where nodes may be. */
static void place_nodes(struct net *n, const struct net_desc *d)
{
    bool one = d->topology == NET_CROSSBAR || d->topology == NET_BUS;
    unsigned around = one ? 1 : d->topology == NET_GROUPS ? d->groups : n->tiles;
    n->tile_of_node = array_new(d->nodes, sizeof *n->tile_of_node);
    for (unsigned node = 0; node < d->nodes; node++) {
        unsigned tile = !one && d->tile_of_node ? d->tile_of_node[node] : node % around;
        CHECK(tile < n->tiles, "net: node %u on tile %u of %u", node, tile, n->tiles);
        n->tile_of_node[node] = (uint16_t)tile;
    }
}

/* Takes the tables of the layout over. */
static void lay_ways(struct net *n, struct layout *p)
{
    n->tiles = p->tiles;
    n->layers = p->layers;
    n->route = p->route;
    n->layer = p->layer;
    for (size_t i = 0; i < (size_t)p->tiles * p->tiles; i++)
        n->route[i] = (uint16_t)(n->route[i] + 2 * n->desc.nodes);
    p->route = NULL;
    p->layer = NULL;
}

struct net *net_new(struct engine *engine, struct component_list *list, const struct net_desc *desc)
{
    struct layout p;
    char why[NET_WHY_BYTES];
    check_desc(desc);
    const char *blamed = layout_of(desc, &p, why, sizeof why);
    CHECK(!blamed, "net: %s: %s", blamed, why);
    struct net *n = array_new(1, sizeof *n);
    n->engine = engine;
    n->desc = *desc;
    n->desc.tile_of_node = NULL; /* the caller's; ours is n->tile_of_node */
    if (n->desc.slots_per_vnet == 0)
        n->desc.slots_per_vnet = net_full_rate_slots(desc);
    component_register(list, &n->component, desc->name ? desc->name : "net", &net_ops);
    lay_ways(n, &p);
    place_nodes(n, desc);
    n->stage_count = 2 * desc->nodes + p.link_count;
    n->stages = array_new(n->stage_count, sizeof *n->stages);
    n->lanes = array_new((size_t)n->stage_count * VNET_COUNT * n->layers, sizeof *n->lanes);
    n->receivers = array_new(desc->nodes, sizeof *n->receivers);
    n->audit = array_new((size_t)n->stage_count * VNET_COUNT * n->layers, sizeof *n->audit);
    for (unsigned i = 0; i < n->stage_count; i++)
        stage_init(n, list, &p, i);
    layout_free(&p);
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
    free(n->layer);
    free(n->tile_of_node);
    free(n->lanes);
    free(n->stages);
    free(n);
}
