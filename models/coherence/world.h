/* models/coherence/world.h - one line between caches and a home: the state, its packed form, and the moves out of it.
 * Private to the explorer.
 */
#ifndef LAB_MODELS_COHERENCE_WORLD_H
#define LAB_MODELS_COHERENCE_WORLD_H

#include "models/coherence/judge.h"

enum { WORLD_AGENTS_MAX = EXPLORE_CACHES_MAX + 1, WORLD_MESSAGES_MAX = 10, AT_HOME = -1,
       EXPLORE_ORDERS_MAX = 24 /* 4! */ };
#define TXN_OF(agent) ((int16_t)(20 + (agent))) /* each agent's only MSHR; unlike any other number here */

struct flight {
    uint8_t kind;
    int8_t to, requester;      /* agent or AT_HOME */
    int8_t acks;
    uint8_t current;           /* data as of the newest store */
};

/* Versions in lines are 1 (current) or 0 (stale): a store makes every other copy stale. */
struct world {
    struct cache_line line[WORLD_AGENTS_MAX];
    uint8_t pending[WORLD_AGENTS_MAX];
    bool memory_current;
    uint8_t asked;             /* enum home_wish */
    struct home_line home;
    unsigned n_messages;
    struct flight message[WORLD_MESSAGES_MAX];
};

/* The packed form; equal for states that differ only by renaming caches. */
union key {
    struct { uint16_t agent[WORLD_AGENTS_MAX], home, message[WORLD_MESSAGES_MAX]; };
    uint64_t words[4];
};
_Static_assert(sizeof(union key) == 32, "four words of eight bytes");

struct space {
    struct model model;             /* first: the search knows no more */
    const struct protocol *p;
    unsigned caches, agents;
    uint16_t on_bus;                /* agents, if the protocol is one of a bus, else 0 */
    bool recalls, demotes, forgets;
    bool inner_home;                /* the home may stand between two levels: DEMOTE, and GETS_R for any GETS */
    uint32_t events[2];             /* core events that caches [0] and the device [1] may begin, by bit */
    uint32_t waits[STATES_MAX];     /* core events that wait in a cache's state, by bit */
    uint32_t cache_holds, home_holds; /* states in which the data matters; elsewhere it counts as stale */
    uint8_t order[EXPLORE_ORDERS_MAX][EXPLORE_CACHES_MAX]; /* all orders of the caches */
    unsigned n_orders;
    unsigned lines, mshrs, cache_ways, home_ways; /* lines.h */
    struct msg in;
    struct outbox out;
};

/* ---- one line; the functions of model_ops call these */
void world_first(const struct space *, struct world *);
unsigned world_deliveries(const struct space *, const struct world *, struct move moves[2 * WORLD_MESSAGES_MAX]);
/* Of an agent whose line is in this state. */
unsigned world_core_events(const struct space *, uint8_t state, unsigned agent, struct move moves[CACHE_EVENT_COUNT]);
enum { EVENT_FORGET = 0xff }; /* a MOVE_OWN that is no event of the table */
bool world_may_forget(const struct space *, const struct world *);
enum fired world_fire(struct space *, const struct world *from, struct move, struct world *to);
bool world_quiet(const struct space *, const struct world *);
bool world_agrees(struct space *, const struct world *);
void world_print_move(FILE *, struct space *, const struct world *from, struct move, const struct world *to);

/* ---- packing. Names: 1 + number of the place an agent is packed into, by agent from -1; names[0] is the home's, 0. */
void world_signatures(const struct space *, const struct world *, uint64_t sign[WORLD_AGENTS_MAX]);
void world_pack_as(const struct space *, const struct world *, const uint8_t names[WORLD_AGENTS_MAX + 1], union key *);

extern const struct model_ops one_line_ops;
void space_init(struct space *, const struct protocol *, struct explore_options, struct row_counts *);
/* Fills in all orders of n things, the identity first; returns how many there are. */
unsigned world_orders(unsigned n, uint8_t order[EXPLORE_ORDERS_MAX][EXPLORE_CACHES_MAX]);
void world_pack(const struct model *, const void *world, uint64_t *key);
void world_unpack(const struct model *, const uint64_t *key, void *world);

#endif
