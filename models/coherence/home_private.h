/* models/coherence/home_private.h - the inside of a home, shared by home.c and home_data.c only. */
#ifndef LAB_MODELS_COHERENCE_HOME_PRIVATE_H
#define LAB_MODELS_COHERENCE_HOME_PRIVATE_H

#include "models/coherence/data_store.h"
#include "models/coherence/home.h"
#include "models/coherence/slots.h"
#include "models/coherence/station.h"
#include "models/coherence/table.h"

struct fetch {                    /* a DRAM read on behalf of one request */
    struct dram_request request;
    struct home *home;
    struct msg msg;               /* what waits for it */
    int64_t slot;                 /* NO_SLOT: read ahead for a line that has left meanwhile */
    bool ahead, waited_for;       /* ahead: begun with a snoop; waited_for: by the last answer to it */
    struct fetch *next;
};

struct home {
    struct component component;
    struct home_desc desc;
    struct home_env env;
    uint16_t node;
    struct slots at;
    struct home_line *lines;      /* by slot, as is extra */
    /* dirty: newer than DRAM (inclusive; a store says so itself); valid: the data is here, or in the store; recalling: the
     * entry is to leave; ahead: a fetch is on its way that nothing waits for yet; early: it came before the last answer
     * to the snoop that it was begun with */
    struct home_extra { bool dirty, valid, fetching, recalling, ahead, early; } *extra;
    struct data_store store;
    bool has_store;
    struct station station;
    uint32_t fetch_count, busy_count;
    struct fetch *fetch_free, *fetch_ahead;
    struct home_counters counters;
};

/* home_data.c */
struct home_line home_fresh_line(struct home *h, lineno line);
void home_keep_data(struct home *h, int64_t slot);
void home_flush_store(struct home *h, lineno line); /* out of the store, into memory if it is newer */
void home_flush_data(struct home *h, int64_t slot);
void home_hand_over(struct home *h, int64_t slot, const struct outbox *out);
void home_drop(struct home *h, int64_t slot);
void home_fetch(struct home *h, int64_t slot, const struct msg *m);
void home_fetch_ahead(struct home *h, int64_t slot, const struct msg *m);
void home_fetch_wait(struct home *h, int64_t slot, const struct msg *m);

/* home.c: memory's data for a request has come. */
void home_fetched(struct home *, int64_t slot, struct msg *);

#endif
