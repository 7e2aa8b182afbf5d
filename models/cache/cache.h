/* models/cache/cache.h - one cache agent: tags, MSHRs, write-back entries, snoop port.
 *
 *            hart / device port                       network node `agent`
 *   cache_hit ----> L1 filter -> L2 tags            <-- forwards: FIFO, snoop_ps each, one per snoop_occupancy_ps
 *   cache_access -> MSHR --(lookup_ps)--> request -->
 *                   MSHR <----------------- responses: always sunk on arrival
 *                   victim -> write-back entry --PUT-->  <-- PUTACK
 *
 * A line's protocol state lives in its MSHR while a transaction is under way (mirrored into the tag so that a
 * still readable copy hits), in a write-back entry while it goes home, in the tag otherwise.
 * A miss is started only with a write-back entry in hand for its victim, so responses never wait.
 */
#ifndef LAB_MODELS_CACHE_CACHE_H
#define LAB_MODELS_CACHE_CACHE_H

#include "models/access.h"
#include "models/port.h"
#include "src/sim/engine.h"
#include "src/sim/history.h"
#include "src/sim/inspect.h"
#include "src/sim/memory.h"

struct cache_desc {
    uint32_t l1_sets, l1_ways;       /* powers of two sets; 0 sets: no L1 filter */
    uint32_t sets, ways;             /* L2; 0 sets: a device agent without tags */
    uint32_t mshrs, write_backs;     /* at least 1 each */
    tick lookup_ps;                  /* L1 and L2 tags, until a miss leaves */
    tick l1_ps;                      /* of lookup_ps, the L1 share */
    tick snoop_ps;                   /* forward's arrival to its answer */
    tick snoop_data_ps;              /* added unless it is an invalidation, which takes no data (directory protocols) */
    tick snoop_occupancy_ps;
};

struct cache_env {
    struct engine *engine;
    struct net *net;
    struct memory *memory;
    const struct protocol *protocol;
    struct row_counts *row_counts;   /* may be NULL */
    struct history *history;
    struct observer *observer;       /* may be NULL; called for `wants` */
    uint16_t (*home_node)(void *arg, lineno);
    uint16_t (*agent_node)(void *arg, unsigned agent, lineno); /* network node of an agent; NULL: its number */
    void *home_arg;                  /* of both */
    bool outer;                      /* two levels: an agent of the outer one (a device) */
    /* A (state, event) pair without a row, or a stale copy: the text says so; must not return to the model. */
    void (*protocol_error)(void *arg, unsigned agent, lineno, const char *text);
    void *error_arg;
    /* Copies the line's words for a read-once answer: to agent's MSHR `txn`, as they are now. */
    void (*sample)(void *arg, uint16_t agent, int16_t txn, lineno);
    void *sample_arg;
};

/* evictions_clean: silent ones; evictions_dirty: all that the home is told of, clean exclusive lines among them. */
struct cache_counters {
    uint64_t l1_hits, l2_hits, misses, upgrades, merged, no_mshr, evictions_clean, evictions_dirty, invalidations,
        forwards, flushes;
};

struct cache *cache_new(struct component_list *, const char *name, uint16_t agent, const struct cache_desc *,
                        const struct cache_env *, const struct cache_owner *);
void cache_free(struct cache *);
void cache_deliver(void *cache, struct msg *);   /* net_deliver_fn */
const struct cache_counters *cache_counters(const struct cache *);
uint64_t *cache_sample_buffer(struct cache *, int16_t txn); /* 8 words: where read-once data is put */
const uint64_t *cache_performing_sample(const struct cache *); /* inside the perform of a READ_ONCE */
void cache_copies(const struct cache *, lineno, inspect_copy_fn *, void *arg);
/* What an agent waits for: its MSHRs, then its write-backs, those in use. */
struct cache_outstanding {
    bool write_back;
    unsigned number;            /* MSHR or write-back entry */
    lineno line;
    const char *event, *state;  /* what began it; state NULL: its lookup is not done yet */
    int acks;                   /* acknowledgements expected minus received */
    unsigned waiting;           /* further accesses that wait for it to be over */
    tick since;
};
void cache_each_outstanding(const struct cache *, void (*fn)(void *arg, const struct cache_outstanding *), void *arg);
uint64_t cache_host_bytes(const struct cache *);

#endif
