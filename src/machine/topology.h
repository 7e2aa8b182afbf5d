/* src/machine/topology.h - who is where: clusters, network nodes, and which home a line has.
 *
 * Nodes of the network, which are also the numbers of cache agents as far as these go:
 *     harts | devices, IOMMU | last-level slices, cluster by cluster (two levels) | homes, memory by memory
 * A memory is the DRAM of a socket or of a cluster. With one level a home is a last-level slice of its memory's cluster.
 * At the outer level of two, cluster c is agent c, and devices keep their numbers.
 */
#ifndef LAB_MACHINE_TOPOLOGY_H
#define LAB_MACHINE_TOPOLOGY_H

#include "src/machine/desc.h"

struct route {                  /* what one cluster's agents ask with */
    struct topology *topology;
    unsigned cluster;
};

struct topology {
    unsigned harts, agents;     /* agents: harts, devices and IOMMU */
    unsigned clusters, cores_per_cluster;
    unsigned slices;            /* of a cluster */
    unsigned memories, homes_per_memory;
    unsigned first_slice;       /* node; two levels */
    unsigned first_home, nodes;
    bool two_levels;
    enum home_placement placement;
    uint64_t granule_bytes, memory_bytes;
    uint8_t *touched;           /* by page: memory + 1, 0: not yet */
    struct route *routes;       /* by cluster */
};

void topology_init(struct topology *, struct arena *, const struct machine_desc *, uint64_t memory_bytes);
unsigned topology_cluster_of(const struct topology *, unsigned hart);
/* Node of the global (or only) home of a line; `route` decides a first touch. */
uint16_t topology_home_node(void *route, lineno);
/* The same for a look: touches nothing. As an index: node - first_home. */
unsigned topology_home_index(const struct topology *, lineno);
uint16_t topology_slice_node(void *route, lineno);              /* of the route's cluster; two levels */
uint16_t topology_outer_node(void *route, unsigned agent, lineno); /* of an outer agent; two levels */
unsigned topology_memory_of_home(const struct topology *, unsigned home);
/* Does the agent (of the homes' level) sit where that home's memory is? Devices sit at the first cluster. */
bool topology_is_own(void *topology, uint16_t home_node, unsigned agent);
/* The network's tile for a node. */
unsigned topology_tile(const struct topology *, const struct machine_desc *, unsigned node);

#endif
