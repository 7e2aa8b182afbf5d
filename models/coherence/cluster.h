/* models/coherence/cluster.h - one last-level slice of a cluster in a machine of two levels: home of the lines that its
 * cluster's caches hold, and the cluster's one cache towards the global home.
 *
 *   node --> service queue --> inner message: cluster_inner --> messages of either level
 *                          --> outer message: cluster_outer -->      "
 *            not here: a victim moves beside the sets (private copies recalled, then the upper cache evicts); the request
 *            must wait: parked on the line in order, offered again after each change of the line
 *
 * The last level is inclusive of its cluster's private caches. All protocol work is in cluster_line.c; here are places,
 * time and the chains of causes: a request that the upper cache worked for goes on with the chain of the answer that
 * completed it, as after a DRAM read.
 */
#ifndef LAB_MODELS_COHERENCE_CLUSTER_H
#define LAB_MODELS_COHERENCE_CLUSTER_H

#include "models/coherence/cluster_line.h"
#include "models/port.h"
#include "src/sim/engine.h"
#include "src/sim/history.h"
#include "src/sim/memory.h"

struct cluster_desc {
    uint32_t sets, ways;           /* of this slice; sets: a power of two */
    uint32_t write_backs;          /* lines on their way out, at least 1: they have left their places already */
    tick lookup_ps;                /* from start of service to action */
    tick response_lookup_ps;       /* the same for responses, from inside and outside */
    tick occupancy_ps;             /* of a request, put or forward */
    tick response_occupancy_ps;
};

struct cluster_wiring {
    struct engine *engine;
    struct net *net;
    struct memory *memory;
    const struct protocol *protocol;
    struct row_counts *row_counts; /* may be NULL */
    struct history *history;
    uint16_t agent;                /* number of the cluster at the outer level, the same in all its slices */
    uint16_t (*home_node)(void *arg, lineno);                  /* of the line's global home */
    uint16_t (*agent_node)(void *arg, unsigned agent, lineno); /* of an outer agent for that line */
    void *route_arg;
    void (*protocol_error)(void *arg, unsigned agent, lineno, const char *text);
    void *error_arg;
    void (*sample)(void *arg, uint16_t agent, int16_t txn, lineno); /* read-once data leaves now */
    void *sample_arg;
};

struct cluster_counters {
    uint64_t requests, hits, misses;      /* misses: requests held for the upper cache */
    uint64_t invalidations, forwards;     /* sent inside */
    uint64_t parked, data_sent;
    uint64_t recalls_capacity, recalls_outside; /* lines taken from the caches inside: for room; for another cluster */
    uint64_t demotions;                   /* owners inside that had to share, for another cluster */
};

struct cluster;
struct cluster *cluster_new(struct component_list *, const char *name, uint16_t node, const struct cluster_desc *,
                            const struct cluster_wiring *);
void cluster_free(struct cluster *);
void cluster_deliver(void *cluster, struct msg *); /* net_deliver_fn */
struct cluster_counters cluster_counters(const struct cluster *);
void cluster_describe(const struct cluster *, lineno, FILE *);
uint64_t cluster_host_bytes(const struct cluster *);

#endif
