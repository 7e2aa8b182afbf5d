/* models/access.h - what a hart (or a device port) asks of its cache agent.
 *
 * A cache agent is a core's private L1 and L2 seen as one: L2 tags hold the protocol state, L1 is an
 * inclusive latency filter. A device's agent has no tags: it evicts at once.
 *
 *   hart --- cache_hit (private hit, now) ------------------> performs at once
 *        --- cache_access (miss, upgrade, flush) ---> MSHR -> messages ... -> access.perform in the event that grants it
 */
#ifndef LAB_MODELS_ACCESS_H
#define LAB_MODELS_ACCESS_H

#include "models/protocol.h"

struct cache;
struct access;

/* Called in the event in which the line may be read or written. `birth` and `delta` tell where the time went. */
typedef void access_fn(struct access *, tick now, enum source_id served_by, const struct path_set *birth,
                       const struct delta *delta);

struct access {
    enum cache_event event;    /* CEV_LOAD, STORE, STORE_FULL, FLUSH or READ_ONCE */
    lineno line;
    bool no_allocate;          /* evict (to memory if to_memory) as soon as performed */
    bool to_memory;
    const struct path_set *parent; /* whose paths the transaction is born from; read at cache_access only */
    access_fn *perform;
    void *owner;
    struct access *next;       /* the cache's, while pending */
};

enum access_result { ACCESS_DONE, ACCESS_PENDING, ACCESS_NO_MSHR };

/* Starts an access that is not a private hit. DONE: it turned out to be one and has been performed. NO_MSHR:
 * nothing was started; the owner's mshr_freed is called when it is worth trying again. */
enum access_result cache_access(struct cache *, struct access *);
/* Prefetch for write: like cache_access, nobody waits. PENDING also when one is under way already. */
enum access_result cache_prefetch_write(struct cache *, lineno, const struct path_set *parent);

enum hit_level { HIT_NONE, HIT_L1, HIT_L2 };
/* A private hit on a load (or, for write, on a store: the state moves on, e.g. E to M). Brings the line into L1.
 * The caller performs the operation in the same event and for a write calls cache_wrote. The version of the
 * copy is compared with the line's current one. */
enum hit_level cache_hit(struct cache *, lineno, bool write);
void cache_wrote(struct cache *, lineno);   /* the line's version moved on: this copy is the new one */
bool cache_in_l1(const struct cache *, lineno);     /* is the line in the first level, whatever it permits? */
bool cache_may_write(const struct cache *, lineno); /* would a store hit? changes nothing */

/* Tell `fn` when the line stops being readable here (invalidated, handed over or evicted). One watch per cache. */
void cache_watch(struct cache *, lineno, void (*fn)(void *owner, tick now), void *owner);
void cache_unwatch(struct cache *);

/* Hooks of the owner (the hart). */
struct cache_owner {
    void *owner;
    /* An MSHR came free: by the transaction with this birth and delta. */
    void (*mshr_freed)(void *owner, const struct path_set *birth, const struct delta *delta);
    /* A transaction for ownership ended (stragglers of pages). */
    void (*line_filled)(void *owner, lineno, tick now);
};

#endif
