/* models/net/net_internal.h - what the files of models/net share: stages, packets and routes.
 *
 * A topology (crossbar.c, mesh.c) only lays links and fills the route table; net.c moves packets along it.
 */
#ifndef LAB_MODELS_NET_INTERNAL_H
#define LAB_MODELS_NET_INTERNAL_H

#include "models/net/net.h"

struct packet {
    struct event arrival;     /* first member: the event is the packet */
    struct net *net;
    struct packet *next;      /* in a lane or in the free list */
    struct stage *stage;      /* on the wire to it or queued at it: holds one of its slots */
    tick sent, arrived;       /* arrived: at `stage` */
    uint8_t vnet;
    bool data, in_flight;
    struct msg msg;
};

enum head_state { HEAD_NONE, HEAD_NO_CREDIT, HEAD_READY };

/* The queue of one virtual network in front of a stage, and its slots. */
struct lane {
    struct packet *head, *tail;
    struct stage *to;         /* the head's next stage; NULL: it leaves the network here */
    enum head_state head_state;
    tick stalled_since;
    uint32_t credits;         /* free slots of this lane; not used at inject ports */
    /* Stages whose head waits for a slot here, longest waiting first. credits > 0 implies none. */
    struct stage *waiter_first, *waiter_last;
    struct stage *next_waiter; /* this stage's link in the list of lane[same vnet] of `to` */
};

struct stage {
    struct component component; /* orders its events; has no ops of its own */
    char name[32];
    struct event port_free;
    struct net *net;
    tick free_at;
    tick wire_ps;             /* to the next stage */
    uint32_t end_tile;        /* where the wire ends: the next stage starts there */
    bool bounded;             /* has slots to give back (all but inject ports) */
    bool last;                /* eject port */
    struct lane lane[VNET_COUNT];
    uint32_t queued_count;
    tick queued_since;        /* of the last change of queued_count */
    struct net_stage_counters counters;
};

struct packet_chunk {
    struct packet_chunk *next;
    uint32_t count;
    struct packet packets[];
};

struct net {
    struct component component;
    struct engine *engine;
    struct net_desc desc;
    struct stage *stages;     /* inject ports [nodes], eject ports [nodes], links */
    unsigned stage_count, tiles;
    uint16_t *tile_of_node;
    uint16_t *route;          /* [from tile * tiles + to tile]: the link to take, as index into stages */
    struct receiver {
        net_deliver_fn *fn;
        void *self;
    } *receivers;
    /* Packets never move, since the engine holds pointers into them: the pool grows by doubling with
     * one more chunk, bounded by what endpoints have outstanding. */
    struct packet_chunk *chunks;
    struct packet *free_packets;
    uint64_t in_flight_count;
    uint32_t *audit;          /* net_check's scratch: slots in use [stage * VNET_COUNT + vnet] */
    struct net_counters counters;
};

static inline struct stage *inject_port(const struct net *n, unsigned node) { return &n->stages[node]; }
static inline struct stage *eject_port(const struct net *n, unsigned node) { return &n->stages[n->desc.nodes + node]; }
static inline unsigned first_link(const struct net *n) { return 2 * n->desc.nodes; }

/* Topologies. tiles and links are asked before the stages exist; wire sets wire_ps and end_tile of the inject
 * ports' wires and of links, and fills the route table. */
unsigned mesh_links(const struct net_desc *);
void mesh_wire(struct net *);
void crossbar_wire(struct net *);

/* net.c: serves what can be served now, makes sure of an event for the rest. */
void stage_run(struct net *, struct stage *);

/* net_pool.c */
void net_pool_grow(struct net *, uint32_t count);
void net_pool_free(struct net *);

/* net_inspect.c */
extern const struct component_ops net_ops;

#endif
