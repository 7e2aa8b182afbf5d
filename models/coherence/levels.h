/* models/coherence/levels.h - one line on two levels: clusters of caches, a node with home, glue and upper cache in each,
 * and one global home. Private to the explorer.
 *
 * The nodes run cluster_inner, cluster_outer and cluster_evict, the functions of the timed node. Messages are a set on
 * either level. Any node may give the line up and the global home may recall it at any time. Checked beside what
 * explore.h says: one writer among all caches and among the upper caches; home and upper cache of a node hold the same
 * data; a recall or demotion inside leaves what it should; at rest both levels agree, and nobody inside may do what
 * his upper cache may not. A flush is satisfied by an instant at which no cache and no node could read.
 *
 * A device, if there is one, stands at the global home like an upper cache, as in the timed machine.
 *
 * Caches inside a cluster are interchangeable, and so are clusters.
 */
#ifndef LAB_MODELS_COHERENCE_LEVELS_H
#define LAB_MODELS_COHERENCE_LEVELS_H

#include "models/coherence/cluster_line.h"
#include "models/coherence/states.h"
#include "models/coherence/world.h"

/* Agents of the global home: clusters, then the device. */
enum { OUTER_AGENTS_MAX = 3, LEVEL_MESSAGES_MAX = 10 /* of one list */ };

struct message_list { uint8_t n; struct flight m[LEVEL_MESSAGES_MAX]; };

struct cluster_world {
    struct cluster_line node;
    struct cache_line line[EXPLORE_INNER_MAX];
    uint8_t pending[EXPLORE_INNER_MAX];
    struct message_list inner;  /* agents are the cluster's caches */
};

struct levels {
    struct cluster_world cluster[EXPLORE_CLUSTERS_MAX];
    struct home_line home;      /* the global one */
    struct cache_line device;
    uint8_t device_pending;
    bool memory_current;
    uint8_t asked;              /* by the global home: enum home_wish */
    struct message_list outer;  /* agents are the upper caches and the device */
};

struct levels_space {
    struct space x;             /* its caches are those of one cluster */
    unsigned clusters, outer_agents;
    const struct glue *glue;
    struct level_counts *counts; /* counted whenever x.model.counts is */
    bool evictions;
    uint8_t order[EXPLORE_ORDERS_MAX][EXPLORE_CACHES_MAX]; /* of clusters */
    unsigned n_orders;
    struct states *clusters_seen, *outer_seen; /* parts of packed worlds: a key holds their numbers */
};

/* x has been initialised with o already; the counts are the caller's. levels_free after use. */
void levels_init(struct levels_space *, struct explore_options o, struct level_counts *);
void levels_free(struct levels_space *);
void levels_pack_init(struct levels_space *);
uint64_t levels_bytes(const struct levels_space *); /* of host memory that packing uses beside the keys */
/* ---- names. list: 0 between nodes and the global home, 1 + cluster inside; agent -1: the home of the list. */
const char *levels_cache_name(unsigned cluster, unsigned cache);
const char *levels_node_name(unsigned cluster);
const char *levels_upper_name(unsigned cluster);
const char *levels_agent_name(const struct levels_space *, unsigned list, int agent);
/* The protocol has the row's event. */
bool glue_row_known(const struct protocol *, const struct glue_row *);
void levels_print_move(FILE *, struct model *, const void *before, struct move, const void *after);

void levels_pack(const struct model *, const void *world, uint64_t *key);
void levels_unpack(const struct model *, const uint64_t *key, void *world);

#endif
