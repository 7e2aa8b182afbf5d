/* src/sim/account.h - where did the time go: two exact decompositions of every request.
 *
 * phases:   the software steps of a request by the hart's wall clock. One cursor per request, moved by
 *           the kernel routine; the phases tile the request by construction.
 * hardware: the chain of causes that ends at the request's end (last arrival). A *path* is the time of
 *           its last mark and picoseconds per part; marking at t adds t minus the last mark to exactly one
 *           part. A transaction copies its parent's paths when its MSHR is allocated (the birth) and
 *           carries a zero delta in its messages; every station marks the delta before it acts; a fork
 *           copies it; a join keeps the delta of the arrival that completed it. Who waited continues with
 *           birth + delta of what released it. If that was born before a request began, the blocked
 *           interval of that request goes to PART_PRIOR.
 * Both sums equal end - start for every request, checked on each one (phase_sum_mismatch_count).
 */
#ifndef LAB_SIM_ACCOUNT_H
#define LAB_SIM_ACCOUNT_H

#include "src/base/hist.h"
#include "src/base/units.h"
#include "src/sim/classes.h"

#include <string.h>

/* ---- hardware parts */

/* A delta travels in messages: time per part since its transaction was born. */
struct delta {
    tick last;
    uint64_t ps[PART_COUNT];
};

static inline void delta_start(struct delta *d, tick now)
{
    memset(d, 0, sizeof *d);
    d->last = now;
}

static inline void delta_mark(struct delta *d, enum part part, tick now)
{
    d->ps[part] += now - d->last;
    d->last = now;
}

/* The paths of all requests that were open at one instant, innermost last. */
enum { OPEN_MAX = 12 };
struct path_set {
    tick at;              /* time of the last mark of every path in the set */
    uint32_t depth;
    struct path {
        uint64_t id;      /* unique per request */
        tick start;
        uint64_t ps[PART_COUNT];
    } path[OPEN_MAX];
};

/* Marks every path of the set. */
void paths_mark(struct path_set *, enum part, tick now);
void paths_copy(struct path_set *to, const struct path_set *from);
/* The set `waiter` stopped waiting at d->last, released by a transaction with this birth and delta. */
void paths_release(struct path_set *waiter, const struct path_set *birth, const struct delta *d);
/* Same, released by another actor (the store-buffer drain) whose own paths stand at `releaser`. */
void paths_join(struct path_set *waiter, const struct path_set *releaser);
/* Restart `drain` for an entry whose requests are `entry`, at now: a path of the same id goes on (its time up
 * to now is marked as core), any other becomes { PART_PRIOR = now - start }. */
void paths_adopt(struct path_set *drain, const struct path_set *entry, tick now);

/* ---- requests of one hart or device */

struct account;

struct request {
    uint64_t id;
    enum class_id class;
    tick start;
    tick phase_since;
    uint8_t phase;           /* enum phase_id */
    uint8_t saved_phase;     /* while interrupted */
    uint8_t interrupts;      /* handlers running on top of it, nested */
    uint8_t source;          /* enum source_id, SOURCE_NONE until set */
    bool recorded;
    uint64_t phase_ps[PHASE_COUNT];
};

/* One per actor that opens requests (a hart, a DMA engine). */
struct ledger {
    struct account *account;
    uint64_t id_base, next_id; /* ids never repeat across actors */
    struct path_set paths;     /* depth equals the number of open requests */
    struct request open[OPEN_MAX];
    bool recording;
};

void ledger_init(struct ledger *, struct account *, uint32_t actor_id);
void ledger_open(struct ledger *, enum class_id, tick now);
void ledger_phase(struct ledger *, enum phase_id, tick now);   /* of the innermost request */
void ledger_source(struct ledger *, enum source_id);           /* of the innermost request */
void ledger_class(struct ledger *, enum class_id);             /* innermost: the class became known late */
void ledger_interrupted(struct ledger *, bool on, tick now);   /* every open request */
/* Closes the innermost; returns its latency. Checks both sums. drop: closes without recording. */
tick ledger_close(struct ledger *, tick now);
void ledger_drop(struct ledger *, tick now);
static inline void ledger_mark(struct ledger *l, enum part part, tick now) { paths_mark(&l->paths, part, now); }

/* ---- statistics of all classes of a machine */

struct class_stats {
    struct hist latency;
    uint64_t phase_sum_ps[PHASE_COUNT];
    uint64_t hardware_sum_ps[PART_COUNT];
};

struct account *account_new(void);
void account_free(struct account *);
/* A memory access or another one-piece request that never was on a ledger: sum of ps must be latency. */
void account_record(struct account *, enum class_id, enum source_id, tick latency_ps, const uint64_t ps[PART_COUNT]);
/* The same with a single part (a private hit): the hot path. */
void account_record_one(struct account *, enum class_id, enum source_id, tick latency_ps, enum part);
/* Called at the end of every recorded request that was on a ledger, and of every one that account_seen tells of; NULL
 * clears. actor: number of the hart, or of the cache agent of the device. */
typedef void request_fn(void *arg, uint32_t actor, enum class_id, tick start, tick end);
void account_tap(struct account *, request_fn *, void *arg);
/* For whoever looks on: a one-piece request, recorded by account_record, is over. First-level hits are too many: not told. */
void account_seen(struct account *, uint32_t actor, enum class_id, enum source_id, tick start, tick end);
const struct class_stats *account_stats(const struct account *, enum class_id); /* NULL: never recorded */
const struct class_stats *account_source_stats(const struct account *, enum class_id, enum source_id);
uint64_t account_closed_count(const struct account *); /* requests closed on any ledger, recorded or not */
uint64_t account_mismatch_count(const struct account *);

#endif
