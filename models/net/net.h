/* models/net/net.h - the network: carries every struct msg between nodes (see models/port.h for attach and send).
 *
 *      node --> [inject port] --wire--> [link] --wire--> ... --wire--> [eject port] --> node
 *                     \______________ crossbar: no links in between ______________/
 *
 * Stages. A message passes a chain of stages: the source's inject port, the links of its way, the destination's eject
 * port. A stage is a server: one message at a time, for control_occupancy_ps or data_occupancy_ps (between groups
 * link_control_.. or link_data_occupancy_ps). In front of it, per virtual network and layer, is a queue whose
 * slots_per_vnet places are handed out as credits (virtual cut-through switching with credit flow control;
 * Dally and Towles, Principles and Practices of Interconnection Networks, 2004, chapters 13 and 16).
 *
 * Topologies and ways.
 *      crossbar   no link
 *      mesh       tiles in rows and columns; first along X, then along Y
 *      ring       stops in a circle, the shorter way round; the opposite stop upwards from even stops, else downwards
 *      groups     crossbars (sockets, dies, core complexes) joined by links, perhaps by way of hubs; see `links` below
 *      bus        one link, the medium, that every message crosses
 * Ways are shortest and fixed: they depend on source and destination only.
 *
 * Time. A message that reaches a stage at time a is served at
 *      start = the first instant >= a at which the port is free, the message is the head of its
 *              queue and holds a credit for the next stage, and no other such head goes first.
 * The port is then busy until start + occupancy, the head of the message reaches the next stage at
 * start + wire, and at the eject port it is delivered at start: the head (with the critical word) is
 * delivered, its tail only keeps the port busy. Hence, unloaded,
 *      crossbar   latency = hop_ps
 *      mesh       latency = inject_ps + H * hop_ps,   H = |dx| + |dy| tiles
 *      ring       latency = inject_ps + H * hop_ps,   H = min(d, stops - d) for stops d apart
 *      groups     latency = hop_ps + N * near_link_ps + F * link_ps, for a way of N links inside packages, F between
 *      bus        latency = inject_ps + hop_ps
 * whatever the size. k messages that meet at one port leave it at first + 0, occ, .. (k-1) * occ: k sends pay at
 * their inject port, acknowledgements at their collector's eject port, everything at a bus's medium.
 *
 * Arbitration among the heads that hold a credit: the longest under way (by time of sending) first; among
 * equals the later virtual network, so that responses precede forwards and these requests; then the later layer.
 * At a bus's medium the later virtual network goes first whatever the age. A virtual network's messages are
 * caused by finitely many of the earlier ones, so that requests are held up, not starved.
 *
 * Bus. The medium's order is the order in which all nodes see everything: whatever starts on it at t is delivered at
 * t + hop_ps, a multicast (net_multicast) at all its receivers in that instant. No eject port ever has a queue there,
 * since messages leave the medium as far apart as its occupancy, which is the eject port's, too; hence eject
 * ports of a bus have no limit of slots.
 *
 * Credits. A slot is taken when a message gets the credit and is given back, at once, when it starts at the
 * stage that owns the slot; whoever waited longest gets it. One virtual network keeps a stage busy over
 * its wire with wire / occupancy + 2 slots (net_full_rate_slots); fewer throttle it to slots / wire.
 *
 * Why it cannot deadlock. (1) A virtual network has its own slots, so it waits for another's messages only at ports, and a
 * port is always given back after a bounded time. (2) Within one virtual network, waiting for a slot follows the
 * way: inject, links, eject. In a mesh X links come before Y links, a bus has one link: no cycle. In a ring and
 * between groups ways are divided among layers with slots of their own such that no layer's links wait in a circle;
 * this is checked when the network is made (layers.c; a ring has two layers: ring.c). (3) An eject port needs
 * no credit: the endpoint never refuses. (4) Sending needs none either: the queue before the inject port is
 * as long as the endpoint's own outstanding work. So every message arrives, whatever endpoints do meanwhile.
 *
 * Order. Messages of equal source, destination and virtual network arrive in the order sent, unless jitter is on. On a
 * bus jitter acts before the medium only: what all see is one order still.
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

enum net_topology { NET_CROSSBAR, NET_MESH, NET_RING, NET_GROUPS, NET_BUS };

enum { /* bytes on the wire, for the traffic counters; gem5 src/mem/ruby/network/Network.cc counts the same */
    NET_CONTROL_BYTES = 8,
    NET_DATA_BYTES = NET_CONTROL_BYTES + LINE_BYTES,
    NET_NODES_MAX = 4096,
    NET_TILES_MAX = 1024,
    NET_STOPS_MAX = 256,
    NET_GROUPS_MAX = 64,
    NET_WHY_BYTES = 160            /* enough for what net_desc_error says */
};

struct net_desc {
    const char *name;              /* NULL: "net"; must outlive the network */
    enum net_topology topology;
    unsigned nodes;                /* 1 .. NET_NODES_MAX */
    unsigned columns, rows;        /* mesh: at most NET_TILES_MAX tiles; tile = row * columns + column */
    unsigned stops;                /* ring: 1 .. NET_STOPS_MAX; tile = stop */
    unsigned groups;               /* groups: 1 .. NET_GROUPS_MAX; tile = group, or hub: see links */
    unsigned package;              /* groups: so many in one package, 1 .. NET_GROUPS_MAX */
    const char *links;             /* groups: one of net_link_shapes or a list such as "0=1 1-2" (see below); NULL: full */
    const uint16_t *tile_of_node;  /* mesh, ring, groups: [nodes], copied; NULL: node i on tile i modulo tiles or groups */
    tick hop_ps;                   /* wire behind each link of mesh and ring; in a crossbar or group, where it must not be
                                      0, the only one; on a bus from the medium to all */
    tick inject_ps;                /* mesh, ring: wire from a node's inject port to its tile, not 0 (nodes of one tile talk
                                      without a hop); bus: to the medium's queue; a crossbar has none */
    tick link_ps, near_link_ps;    /* groups: wire behind a link between packages, inside a package; not 0 */
    tick link_control_occupancy_ps, link_data_occupancy_ps; /* groups: of both kinds of links */
    tick control_occupancy_ps;     /* how long a message without data keeps a stage busy; 0 is allowed */
    tick data_occupancy_ps;        /* the same for a message with a line */
    unsigned slots_per_vnet;       /* and per layer; 0: net_full_rate_slots() */
    tick jitter_ps;                /* test aid: each wire takes 0 .. jitter_ps longer, at random; breaks order */
    struct rng jitter_rng;         /* used only with jitter */
};

extern const struct param net_params[]; /* keys of net_desc that a machine file may set */

/* groups: named ways to join them, ended by NULL. full: every two; ring: neighbours in a circle; hypercube and
 * twisted-hypercube: see groups.c; star: every group on a hub, one for all, or with package > 1 one per package (tile
 * groups + i / package), the hubs joined fully; glueless: full up to 4 groups, twisted-hypercube with 8. These take
 * near_link_ps inside a package. In a list "a=b" is a link inside a package and "a-b" one between packages; numbers from
 * `groups` on are hubs, that is tiles with or without nodes. */
enum { NET_LINK_SHAPES = 6 };
extern const char *const net_link_shapes[NET_LINK_SHAPES + 1];

/* NULL if the keys fit together, else the key to blame and, in `why`, what is wrong with it. Each key's own range is as
 * in net_params; nodes need not be known yet. */
const char *net_desc_error(const struct net_desc *, char *why, size_t why_bytes);

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

/* Called when a message is sent and again just before its receiver gets it; both times with the same serial number
 * (1, 2, ... in the order sent). The message is the network's: it must not be changed. NULL clears. */
typedef void net_tap_fn(void *arg, const struct msg *, uint64_t serial, tick sent, bool delivered);
void net_tap(struct net *, net_tap_fn *, void *arg);

struct net_stage_counters {
    const char *name;              /* "net.inject3", "net.link12", "net.bus", "net.eject3" */
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
    uint64_t byte_count;                 /* sent: each message once, however many links it crosses; so is a bus's
                                            multicast, which delivered_count counts once per receiver */
    uint64_t delivered_count;
    uint64_t latency_ps, latency_max_ps; /* sent to delivered, summed over those delivered; longest */
    struct net_stage_counters stages;    /* sums over stages (wait_max_ps: the longest); name is NULL */
    struct net_stage_counters links;     /* the same over links alone */
    uint64_t link_busy_max_ps;           /* of the busiest link */
};
struct net_counters net_counters(const struct net *);

#endif
