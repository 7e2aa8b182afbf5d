/* models/coherence/home.h - one last-level slice with its directory: the home of the lines that map to it.
 *
 *   node --> service FIFO (occupancy_ps a message, lookup_ps until it acts) --> protocol step --> messages
 *                         |  line busy: parked in line order, taken up in the event that makes it stable
 *                         |  not here: victim (recalled if private copies exist), DRAM read, then the step
 *
 * The last level is inclusive with a full-map directory: every privately cached line has a slot here. A line
 * without a slot is in the protocol's state 0 with its data in DRAM. In a machine of two levels this is the global home
 * (no_data): its agents are the clusters' upper caches and the devices.
 */
#ifndef LAB_MODELS_COHERENCE_HOME_H
#define LAB_MODELS_COHERENCE_HOME_H

#include "models/port.h"
#include "models/protocol.h"
#include "src/sim/engine.h"
#include "src/sim/history.h"
#include "src/sim/inspect.h"
#include "src/sim/memory.h"

struct home_desc {
    uint32_t sets, ways;           /* sets: a power of two */
    tick lookup_ps;                /* from start of service to action */
    tick occupancy_ps;             /* of a request or put */
    tick response_occupancy_ps;    /* of DONE, WB, ACK */
    bool no_data;                  /* a directory in front of memory: keeps no data, reads and writes DRAM each time */
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
    struct history *history;
    void (*protocol_error)(void *arg, unsigned agent, lineno, const char *text);
    void *error_arg;
    bool outer;                    /* home of a machine of two levels: its messages are of the outer one */
    uint16_t (*agent_node)(void *arg, unsigned agent, lineno); /* network node of an agent; NULL: its number */
    void *agent_arg;
    void (*sample)(void *arg, uint16_t agent, int16_t txn, lineno); /* read-once data leaves now */
    void *sample_arg;
};

struct home_counters {
    uint64_t requests, hits, misses, invalidations, forwards, recalls, writebacks, parked, data_sent;
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
