/* models/net/net.h - the network: carries every struct msg between nodes (see models/port.h for attach and send).
 *
 *      node --> [inject port] --wire--> [link] --wire--> ... --wire--> [eject port] --> node
 *                     \______________ crossbar: no links in between ______________/
 *
 * Stages. A message passes a chain of stages: the source's inject port, in a mesh the links of its
 * dimension-ordered (X, then Y) route, the destination's eject port. A stage is a server: one message at a
 * time, for control_occupancy_ps or data_occupancy_ps. In front of it, per virtual network, is a queue whose
 * slots_per_vnet places are handed out as credits (virtual cut-through switching with credit flow control;
 * Dally and Towles, Principles and Practices of Interconnection Networks, 2004, chapters 13 and 16).
 *
 * Time. A message that reaches a stage at time a is served at
 *      start = the first instant >= a at which the port is free, the message is the head of its virtual
 *              network's queue and holds a credit for the next stage, and no other such head goes first.
 * The port is then busy until start + occupancy, the head of the message reaches the next stage at
 * start + wire, and at the eject port it is delivered at start: the head (with the critical word) is
 * delivered, its tail only keeps the port busy. Hence, unloaded,
 *      crossbar   latency = hop_ps
 *      mesh       latency = inject_ps + H * hop_ps,   H = |dx| + |dy| tiles
 * whatever the size. k messages that meet at one port leave it at first + 0, occ, .. (k-1) * occ: a multicast pays at
 * its inject port, acknowledgements at their collector's eject port.
 *
 * Arbitration among the heads that hold a credit: the longest under way (by time of sending) first; among
 * equals the later virtual network, so that responses precede forwards and these requests.
 *
 * Credits. A slot is taken when a message gets the credit and is given back, at once, when it starts at the
 * stage that owns the slot; whoever waited longest gets it. One virtual network keeps a stage busy over
 * its wire with wire / occupancy + 2 slots (net_full_rate_slots); fewer throttle it to slots / wire.
 *
 * Why it cannot deadlock. (1) A virtual network has its own slots, so it waits for another's messages only at ports, and a
 * port is always given back after a bounded time. (2) Within one virtual network, waiting for a slot
 * follows the route: inject, X links, Y links, eject; that order has no cycle. (3) An eject port needs
 * no credit: the endpoint never refuses. (4) Sending needs none either: the queue before the inject port is
 * as long as the endpoint's own outstanding work. So every message arrives, whatever endpoints do meanwhile.
 *
 * Order. Messages of equal source, destination and virtual network arrive in the order sent, unless jitter is on.
 * Equal-time events of different stages run in order of the stages' components, so that the order of
 * net_send calls of different nodes at one instant changes nothing but the turn at a contended credit.
 *
 * Host cost: one engine event per stage after the first that is found idle, two otherwise.
 */
#ifndef LAB_MODELS_NET_NET_H
#define LAB_MODELS_NET_NET_H

#include "models/port.h"
#include "src/base/rng.h"
#include "src/config/param.h"
#include "src/sim/component.h"
#include "src/sim/engine.h"

enum net_topology { NET_CROSSBAR, NET_MESH };

enum { /* bytes on the wire, for the traffic counters; gem5 src/mem/ruby/network/Network.cc counts the same */
    NET_CONTROL_BYTES = 8,
    NET_DATA_BYTES = NET_CONTROL_BYTES + LINE_BYTES,
    NET_NODES_MAX = 4096,
    NET_TILES_MAX = 1024
};

struct net_desc {
    const char *name;              /* NULL: "net"; must outlive the network */
    enum net_topology topology;
    unsigned nodes;                /* 1 .. NET_NODES_MAX */
    unsigned columns, rows;        /* mesh: at most NET_TILES_MAX tiles; tile = row * columns + column */
    const uint16_t *tile_of_node;  /* mesh: [nodes], copied; NULL: node i on tile i modulo tiles */
    tick hop_ps;                   /* wire behind each link; in a crossbar, where it must not be 0, the only one */
    tick inject_ps;                /* mesh: wire from a node's inject port to its tile, not 0 (nodes of one tile talk
                                      without a hop); a crossbar has none */
    tick control_occupancy_ps;     /* how long a message without data keeps a stage busy; 0 is allowed */
    tick data_occupancy_ps;        /* the same for a message with a line */
    unsigned slots_per_vnet;       /* 0: net_full_rate_slots() */
    tick jitter_ps;                /* test aid: each wire takes 0 .. jitter_ps longer, at random; breaks order */
    struct rng jitter_rng;         /* used only with jitter */
};

extern const struct param net_params[]; /* keys of net_desc that a machine file may set */

/* Copies the descriptor, registers itself and each stage. A senseless descriptor is a panic: whoever fills it
 * has checked the user's values before. */
struct net *net_new(struct engine *, struct component_list *, const struct net_desc *);
void net_free(struct net *);

/* Slots per virtual network that never throttle: longest wire / shortest occupancy + 2, at most 65535. */
unsigned net_full_rate_slots(const struct net_desc *);

/* ---- inspection: changes nothing */

/* Every message sent and not yet handed to its receiver, in no particular but reproducible order. The one
 * being delivered right now is not among them. */
typedef void net_in_flight_fn(void *arg, const struct msg *, tick sent);
void net_for_each_in_flight(const struct net *, net_in_flight_fn *, void *arg);
bool net_idle(const struct net *);

struct net_stage_counters {
    const char *name;              /* "net.inject3", "net.link12", "net.eject3" */
    uint64_t message_count;        /* served */
    uint64_t busy_ps;              /* sum of occupancies */
    uint64_t wait_ps, wait_max_ps; /* from arrival at the stage to start, summed over messages; longest */
    uint64_t queued_integral_ps;   /* time integral of the number waiting: equals wait_ps when idle (Little) */
    uint64_t credit_stall_count;   /* heads of queues that found no credit */
    uint64_t credit_stall_ps;      /* time they waited for one */
};
unsigned net_stage_count(const struct net *);
const struct net_stage_counters *net_stage_counters(const struct net *, unsigned stage);

struct net_counters {
    uint64_t kind_count[MSG_KIND_COUNT]; /* sent */
    uint64_t vnet_count[VNET_COUNT];     /* sent */
    uint64_t byte_count;                 /* sent: each message once, however many links it crosses */
    uint64_t delivered_count;
    uint64_t latency_ps, latency_max_ps; /* sent to delivered, summed over those delivered; longest */
    struct net_stage_counters stages;    /* sums over stages (wait_max_ps: the longest); name is NULL */
};
struct net_counters net_counters(const struct net *);

#endif
