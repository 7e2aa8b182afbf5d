/* src/machine/topology.c - who is where: clusters, network nodes, and which home a line has. */
#include "src/machine/topology.h"

#include "src/base/rng.h"

#include <string.h>

void topology_init(struct topology *t, struct arena *arena, const struct machine_desc *d, uint64_t memory_bytes)
{
    unsigned devices = d->devices.count ? d->devices.count + 1 : 0;
    *t = (struct topology){ .harts = d->cores, .agents = d->cores + devices, .clusters = d->sockets * d->clusters,
                            .slices = d->llc.slices, .two_levels = d->levels == LEVELS_TWO,
                            .placement = (enum home_placement)d->home.placement, .granule_bytes = d->home.granule_bytes,
                            .memory_bytes = memory_bytes };
    t->cores_per_cluster = d->cores / t->clusters;
    t->memories = machine_memories(d);
    t->homes_per_memory = t->two_levels ? d->home.count : t->slices;
    t->first_slice = t->agents;
    t->first_home = t->agents + (t->two_levels ? t->clusters * t->slices : 0);
    t->nodes = t->first_home + t->memories * t->homes_per_memory;
    if (t->placement == PLACE_FIRST_TOUCH)
        t->touched = arena_alloc(arena, memory_bytes / PAGE_BYTES, sizeof *t->touched);
    t->routes = ARENA_ARRAY(arena, struct route, t->clusters);
    for (unsigned c = 0; c < t->clusters; c++)
        t->routes[c] = (struct route){ t, c };
}

unsigned topology_cluster_of(const struct topology *t, unsigned hart) { return hart / t->cores_per_cluster; }

/* Socket or cluster, whichever has memories. */
static unsigned memory_of_cluster(const struct topology *t, unsigned cluster) { return cluster / (t->clusters / t->memories); }

/* -1: not touched yet. */
static int memory_of(const struct topology *t, lineno line)
{
    uint64_t address = line.v << LINE_SHIFT;
    switch (t->placement) {
    case PLACE_INTERLEAVE: return (int)(address / t->granule_bytes % t->memories);
    case PLACE_FIRST_TOUCH: return t->touched[line_frame(line).v] - 1;
    case PLACE_RANGE: break;
    }
    return (int)(address / (t->memory_bytes / t->memories + (t->memory_bytes % t->memories != 0)));
}

/* Lines go to slices and home agents by a hash of the line number, so that no stride favours one. */
static unsigned home_in(const struct topology *t, unsigned memory, lineno line)
{
    return memory * t->homes_per_memory + (unsigned)(mix64(line.v) % t->homes_per_memory);
}

uint16_t topology_home_node(void *arg, lineno line)
{
    const struct route *r = arg;
    struct topology *t = r->topology;
    int memory = t->memories > 1 ? memory_of(t, line) : 0;
    if (memory < 0) {
        memory = (int)memory_of_cluster(t, r->cluster);
        t->touched[line_frame(line).v] = (uint8_t)(memory + 1);
    }
    return (uint16_t)(t->first_home + home_in(t, (unsigned)memory, line));
}

unsigned topology_home_index(const struct topology *t, lineno line)
{
    int memory = t->memories > 1 ? memory_of(t, line) : 0;
    return home_in(t, memory < 0 ? 0 : (unsigned)memory, line);
}

uint16_t topology_slice_node(void *arg, lineno line)
{
    const struct route *r = arg;
    const struct topology *t = r->topology;
    return (uint16_t)(t->first_slice + r->cluster * t->slices + mix64(line.v) % t->slices);
}

uint16_t topology_outer_node(void *arg, unsigned agent, lineno line)
{
    const struct route *r = arg;
    struct topology *t = r->topology;
    return agent < t->clusters ? topology_slice_node(&t->routes[agent], line) : (uint16_t)agent;
}

unsigned topology_memory_of_home(const struct topology *t, unsigned home) { return home / t->homes_per_memory; }

bool topology_is_own(void *arg, uint16_t home_node, unsigned agent)
{
    const struct topology *t = arg;
    unsigned cluster = agent >= t->harts ? 0 : t->two_levels ? agent : topology_cluster_of(t, agent);
    return memory_of_cluster(t, cluster) == topology_memory_of_home(t, home_node - t->first_home);
}

/* ---- on the network */

/* The cluster at which a node that is no hart sits, and its number among its kind there. */
static unsigned cluster_at(const struct topology *t, unsigned node, unsigned *number)
{
    *number = 0;
    if (node < t->agents)
        return 0; /* devices: first socket */
    if (node < t->first_home) {
        *number = (node - t->first_slice) % t->slices;
        return (node - t->first_slice) / t->slices;
    }
    *number = (node - t->first_home) % t->homes_per_memory;
    return (node - t->first_home) / t->homes_per_memory * (t->clusters / t->memories);
}

static bool has_hubs(const struct net_desc *n) { return n->links && strcmp(n->links, "star") == 0; }

/* A socket's own things (memory, devices) sit on its hub where the links have such, else at its first cluster. */
static unsigned group_tile(const struct topology *t, const struct machine_desc *d, unsigned node)
{
    unsigned number, cluster = cluster_at(t, node, &number);
    bool of_socket = node >= t->harts && (node < t->agents || node >= t->first_home);
    if (node < t->harts)
        return topology_cluster_of(t, node);
    if (of_socket && t->two_levels && d->home.per == HOME_PER_SOCKET && d->clusters > 1 && has_hubs(&d->net))
        return d->net.groups + cluster / d->clusters;
    return cluster;
}

unsigned topology_tile(const struct topology *t, const struct machine_desc *d, unsigned node)
{
    const struct net_desc *n = &d->net;
    bool core = node < t->harts, home = node >= t->first_slice;
    unsigned number = core ? node : home ? node - t->first_slice : 0, count = core ? t->harts : t->nodes - t->first_slice;
    if (!core && !home && n->topology != NET_GROUPS)
        return 0; /* devices */
    switch (n->topology) {
    case NET_MESH: return number % (n->columns * n->rows);
    case NET_RING: return number % n->stops;
    case NET_GROUPS:
        return t->clusters > 1 ? group_tile(t, d, node) : core || home ? number * n->groups / count : 0;
    default: return 0;
    }
}
