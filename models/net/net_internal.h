/* models/net/net_internal.h - what the files of models/net share: stages, packets, routes and layers.
 *
 * A topology (bus.c, crossbar.c, groups.c, mesh.c, ring.c) only lays links and fills the route table; net.c moves packets
 * along it. Topologies whose routes could wait in a circle leave it to layers.c to break that.
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
    struct packet *copies;    /* of a bus's multicast: the next copy, NULL when the message has started on the medium */
    struct packet *original;  /* a copy, until then: the packet that stands in the queue for it */
    uint64_t serial;          /* 1, 2, ... in the order sent */
    uint8_t lane;
    bool data, in_flight;
    struct msg msg;
};

enum head_state { HEAD_NONE, HEAD_NO_CREDIT, HEAD_READY };

/* The queue of one virtual network and layer in front of a stage, and its slots. A message keeps the number of its
 * lane all the way. */
struct lane {
    struct packet *head, *tail;
    struct stage *to;         /* the head's next stage; NULL: it leaves the network here */
    enum head_state head_state;
    tick stalled_since;
    uint32_t credits;         /* free slots of this lane; not used at inject ports */
    /* Stages whose head waits for a slot here, longest waiting first. credits > 0 implies none. */
    struct stage *waiter_first, *waiter_last;
    struct stage *next_waiter; /* this stage's link in the list of lane[same number] of `to` */
};

struct stage {
    struct component component; /* orders its events; has no ops of its own */
    char name[32];
    struct event port_free;
    struct net *net;
    tick free_at;
    tick wire_ps;             /* to the next stage */
    tick occupancy_ps[2];     /* by a message without, with data */
    tick jitter_ps;
    uint32_t end_tile;        /* where the wire ends: the next stage starts there */
    uint32_t slots;           /* of each lane; 0: no end of them (inject ports) */
    bool last;                /* eject port */
    bool medium;              /* of a bus: forks multicasts, responses first */
    uint8_t lanes;            /* VNET_COUNT * layers, equal in all stages of a net */
    struct lane *lane;        /* [vnet * layers + layer] */
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
    struct lane *lanes;       /* of all stages */
    unsigned stage_count, tiles, layers;
    uint16_t *tile_of_node;
    uint16_t *route;          /* [from tile * tiles + to tile]: the link to take, as index into stages */
    uint8_t *layer;           /* [from tile * tiles + to tile]; NULL: one layer */
    struct receiver {
        net_deliver_fn *fn;
        void *self;
    } *receivers;
    /* Packets never move, since the engine holds pointers into them: the pool grows by doubling with
     * one more chunk, bounded by what endpoints have outstanding. */
    struct packet_chunk *chunks;
    struct packet *free_packets;
    uint64_t in_flight_count, sent_count;
    net_tap_fn *tap;          /* NULL: nobody looks on */
    void *tap_arg;
    uint32_t *audit;          /* net_check's scratch: slots in use [stage * lanes + lane] */
    struct net_counters counters;
};

static inline struct stage *inject_port(const struct net *n, unsigned node) { return &n->stages[node]; }
static inline struct stage *eject_port(const struct net *n, unsigned node) { return &n->stages[n->desc.nodes + node]; }
static inline unsigned first_link(const struct net *n) { return 2 * n->desc.nodes; }

static inline unsigned lane_of(const struct net *n, enum vnet vnet, unsigned src, unsigned dst)
{
    if (!n->layer)
        return vnet;
    return vnet * n->layers + n->layer[n->tile_of_node[src] * n->tiles + n->tile_of_node[dst]];
}

/* A way between tiles, one direction. */
struct link {
    uint16_t from, to;
    tick wire_ps;
    tick occupancy_ps[2];     /* without, with data */
};

/* What a topology makes of a descriptor: tiles, links, and the way. */
struct layout {
    unsigned tiles, link_count, layers;
    struct link *links;
    uint16_t *route;          /* [from tile * tiles + to tile]: index into links */
    uint8_t *layer;           /* the same: NULL when one layer is enough */
    tick inject_wire_ps;
    unsigned inject_tile;     /* where all inject wires end; EVERY_TILE: at the node's own */
    bool medium;              /* the one link is a bus */
};
enum { EVERY_TILE = INT32_MAX, LAYERS_MAX = 6 };

/* Topologies. The layout comes zeroed; layout_free afterwards, also after an error. */
void crossbar_layout(const struct net_desc *, struct layout *);
void mesh_layout(const struct net_desc *, struct layout *);
void ring_layout(const struct net_desc *, struct layout *);
void bus_layout(const struct net_desc *, struct layout *);
/* NULL, or the key to blame with text in `why`. */
const char *groups_layout(const struct net_desc *, struct layout *, char *why, size_t why_bytes);

/* layout.c */
void layout_tables(struct layout *, unsigned tiles, unsigned links_max);
void layout_link(struct layout *, const struct net_desc *, unsigned from, unsigned to); /* of the mesh's and ring's kind */
void layout_free(struct layout *);

/* layers.c: fills layout.layer and .layers so that no layer's links can wait in a circle. False: more than LAYERS_MAX
 * would be needed. */
enum { TILES_OF_A_WAY = 512 }; /* at most, of topologies that need layers */
bool layout_layers(struct layout *);

/* net.c: serves what can be served now, makes sure of an event for the rest. */
void stage_run(struct net *, struct stage *);

/* net_pool.c */
void net_pool_grow(struct net *, uint32_t count);
void net_pool_free(struct net *);

/* net_inspect.c */
extern const struct component_ops net_ops;

#endif
