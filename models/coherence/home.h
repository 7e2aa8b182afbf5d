/* models/coherence/home.h - one last-level slice with its directory: the home of the lines that map to it.
 *
 *   node --> service FIFO (occupancy_ps a message, lookup_ps until it acts) --> protocol step --> messages
 *                         |  line busy: parked in line order, taken up in the event that makes it stable
 *                         |  not here: victim (recalled if private copies exist), DRAM read, then the step
 *
 * Every privately cached line has a slot, that is a directory entry; a line without one is in the protocol's state 0.
 * The data is beside the entry (inclusive), in a store of its own (non-inclusive, victim) or only in DRAM (a machine of two
 * levels has such global homes: their agents are the clusters' upper caches and the devices).
 */
#ifndef LAB_MODELS_COHERENCE_HOME_H
#define LAB_MODELS_COHERENCE_HOME_H

#include "models/port.h"
#include "models/protocol.h"
#include "src/sim/engine.h"
#include "src/sim/history.h"
#include "src/sim/inspect.h"
#include "src/sim/memory.h"

/* Where a home has the data of its lines. */
enum home_data {
    HOME_INCLUSIVE,                /* beside the directory entry: an entry that leaves takes all private copies with it */
    HOME_NON_INCLUSIVE,            /* in a store of its own, filled from memory and by write-backs */
    HOME_VICTIM,                   /* in a store of its own, filled by write-backs only; who becomes owner takes the line out */
    HOME_NO_DATA                   /* nowhere: a directory in front of memory */
};
enum home_overflow { OVERFLOW_RECALL, OVERFLOW_BROADCAST };
/* For whom memory is read while the home looks the line up: nobody, agents beside the home, everybody. */
enum home_early { EARLY_NONE, EARLY_OWN, EARLY_ALL };

struct home_desc {
    uint32_t sets, ways;           /* of the directory; sets: a power of two */
    enum home_data data;
    uint32_t store_sets, store_ways; /* HOME_NON_INCLUSIVE, HOME_VICTIM */
    /* Sharers an entry can name, 0: all (full map). Beyond: OVERFLOW_RECALL takes all copies back first (limited
     * directory without broadcast), OVERFLOW_BROADCAST treats every agent as a sharer from then on (with broadcast);
     * Agarwal, Simoni, Hennessy, Horowitz 1988, "An evaluation of directory schemes for cache coherence". */
    uint32_t pointers;
    enum home_overflow overflow;
    tick lookup_ps;                /* from start of service to action */
    enum home_early early_read;    /* a read of memory that turns out to be needed has then begun lookup_ps ago */
    tick occupancy_ps;             /* of a request or put */
    tick response_occupancy_ps;    /* of DONE, WB, ACK */
    tick write_window_ps;          /* a posted write that will be done later than this stops service until it will not; 0: never */
};

struct home_env {
    struct engine *engine;
    struct net *net;
    struct dram *dram;
    struct memory *memory;
    const struct protocol *protocol;
    struct row_counts *row_counts; /* may be NULL */
    uint16_t agents;               /* caches and devices that listen, numbers 0 .. agents-1 (bus protocols) */
    struct sharer_set everyone;    /* all agents of this home (broadcasts) */
    struct history *history;
    void (*protocol_error)(void *arg, unsigned agent, lineno, const char *text);
    void *error_arg;
    bool outer;                    /* home of a machine of two levels: its messages are of the outer one */
    uint16_t (*agent_node)(void *arg, unsigned agent, lineno); /* network node of an agent; NULL: its number */
    void *agent_arg;
    bool (*own)(void *arg, uint16_t home_node, unsigned agent); /* is the agent beside that home? EARLY_OWN only */
    void *own_arg;
    void (*sample)(void *arg, uint16_t agent, int16_t txn, lineno); /* read-once data leaves now */
    void *sample_arg;
};

struct home_counters {
    uint64_t requests, hits, misses, invalidations, forwards, writebacks, parked, data_sent;
    uint64_t recalls;                       /* lines taken back from private caches, for one of these causes: */
    uint64_t recalls_last_level;            /* the inclusive last level needed the place */
    uint64_t recalls_directory;             /* the directory needed the entry */
    uint64_t recalls_pointers;              /* no pointer was left for another sharer */
    uint64_t broadcasts;                    /* entries that lost track of their sharers */
};

struct home;
struct home *home_new(struct component_list *, const char *name, uint16_t node, const struct home_desc *,
                      const struct home_env *);
void home_free(struct home *);
void home_deliver(void *home, struct msg *); /* net_deliver_fn */
struct home_counters home_counters(const struct home *);
/* One line of text: state, owner, sharers by agent number, version; whom a busy line is busy for, who waits for it. */
void home_describe(const struct home *, lineno, FILE *);
uint64_t home_host_bytes(const struct home *);

#endif
