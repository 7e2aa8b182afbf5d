/* models/coherence/world.h - one state of the explored system, its packed form, and the moves out of it. Private to
 * the explorer.
 */
#ifndef LAB_MODELS_COHERENCE_WORLD_H
#define LAB_MODELS_COHERENCE_WORLD_H

#include "models/coherence/explore.h"

enum { WORLD_AGENTS_MAX = EXPLORE_CACHES_MAX + 1, WORLD_MESSAGES_MAX = 10, AT_HOME = -1,
       EXPLORE_ORDERS_MAX = 24 /* 4! */ };
#define TXN_OF(agent) ((int16_t)(20 + (agent))) /* each agent's only MSHR; unlike any other number here */

/* What an agent's core waits for. */
enum pending { PENDING_NONE, PENDING_LOAD, PENDING_STORE, PENDING_STORE_FULL, PENDING_READ_ONCE,
               PENDING_FLUSH,     /* no instant yet without readable copies and with current memory */
               PENDING_FLUSHED }; /* there was one */

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
    bool recall_pending;
    struct home_line home;
    unsigned n_messages;
    struct flight message[WORLD_MESSAGES_MAX];
};

/* The packed form; equal for states that differ only by renaming caches. */
struct key { uint16_t agent[WORLD_AGENTS_MAX], home, message[WORLD_MESSAGES_MAX]; };
_Static_assert(sizeof(struct key) == 32, "four words of eight bytes");

enum move_kind { MOVE_DELIVER, MOVE_CORE, MOVE_RECALL };
struct move { enum move_kind kind; uint8_t index /* message or agent */; uint8_t event; };

enum fired {
    FIRED_CHANGED,  /* `to` is the successor */
    FIRED_NOTHING,  /* waits, or a hit that changes nothing */
    FIRED_FAULT     /* space.fault says what was broken */
};

struct space {
    const struct protocol *p;
    unsigned caches, agents;
    bool recalls;
    uint32_t events[2];             /* core events that caches [0] and the device [1] may begin, by bit */
    uint32_t cache_holds, home_holds; /* states in which the data matters; elsewhere it counts as stale */
    uint8_t order[EXPLORE_ORDERS_MAX][EXPLORE_CACHES_MAX]; /* all orders of the caches */
    unsigned n_orders;
    struct row_counts *counts;
    struct msg in;
    struct outbox out;
    char fault[EXPLORE_TEXT_BYTES];
};

void space_init(struct space *, const struct protocol *, struct explore_options, struct row_counts *);
void world_pack_init(struct space *);
void world_first(const struct space *, struct world *);
void world_pack(const struct space *, const struct world *, struct key *);
void world_unpack(const struct space *, const struct key *, struct world *);

enum { MOVES_MAX = WORLD_MESSAGES_MAX + WORLD_AGENTS_MAX * CACHE_EVENT_COUNT + 1 };
/* Deliveries first. */
unsigned world_moves(const struct space *, const struct world *, struct move moves[MOVES_MAX]);
enum fired world_fire(struct space *, const struct world *from, struct move, struct world *to);

bool world_quiet(const struct space *, const struct world *); /* nothing in flight, nothing pending, all stable */
/* False: the quiet world is not in order; space.fault says why. */
bool world_agrees(struct space *, const struct world *);

/* For the counter-example. */
void world_print_move(FILE *, struct space *, const struct world *from, struct move, const struct world *to);

#endif
