/* models/coherence/cluster_line.h - one line at a cluster's node: two levels composed from the same two tables.
 *
 *   caches of the cluster <--inner messages--> [ home | glue | upper cache ] <--outer messages--> global home,
 *                                                                                          upper caches elsewhere
 * A cluster is a socket or a core complex. Its node keeps per line one home (the protocol's home table, facing the
 * caches inside) and one upper cache (the cache table, facing the global home). Their data is one: the versions are
 * kept equal. Between them stands the glue, rows as well:
 *   - a request from inside is admitted only when the upper cache may read or write; otherwise the upper cache asks
 *     for that first, and the request is held until it has it;
 *   - what comes for the upper cache from outside is answered only when nobody inside may do what the answer gives
 *     away: the home recalls (no copy stays) or demotes (nobody may write) by its own rows first;
 *   - a flush from inside is over only when the upper cache has flushed.
 * An admitted inner transaction never waits for the outer level, and the home does not block while the upper cache
 * waits: hence no cycle of waiting. The timed node (cluster.c) and the explorer call the very same functions. Pure:
 * they touch the line, the outbox and the counts of env only.
 */
#ifndef LAB_MODELS_COHERENCE_CLUSTER_LINE_H
#define LAB_MODELS_COHERENCE_CLUSTER_LINE_H

#include <stdio.h>

#include "models/protocol.h"

/* What must be so before an event may be stepped. */
enum glue_first {
    GLUE_NOTHING,
    GLUE_READ,      /* the upper cache may read; else it takes `ask` and the request is held */
    GLUE_WRITE,     /* the upper cache may write, and takes the store; else it takes `ask` and the request is held */
    GLUE_FLUSH,     /* nothing else is under way; the upper cache flushes before the home's answer leaves */
    GLUE_RECALL,    /* the home's RECALL is done: no copy inside */
    GLUE_DEMOTE     /* the home's DEMOTE is done: nobody inside may write, the data here is the newest */
};
struct glue_row {
    bool upper;         /* event: enum cache_event of the upper cache, otherwise enum home_event */
    uint8_t event;
    uint8_t first;      /* enum glue_first */
    uint8_t ask;        /* READ, WRITE: core event (enum cache_event) of the upper cache */
    const char *why;
};
enum { GLUE_ROWS = 17 };
struct glue {
    struct glue_row row[GLUE_ROWS];
    bool shared_under_shared; /* a GETS is stepped as GETS_R while the upper cache may only read */
};
extern const struct glue glue_default;
/* How often each row let its event be stepped. */
struct glue_counts { uint64_t row[GLUE_ROWS], shared_under_shared /* GETS stepped as GETS_R */; };
void glue_print(FILE *, const struct glue *);
/* NULL, or what the protocol lacks to be used on two levels (DEMOTE, GETS_R). */
const char *cluster_protocol_lacks(const struct protocol *);

/* A message kept in the line. */
struct held_msg { bool busy; uint8_t kind; uint16_t requester; int16_t txn, acks; uint32_t version; };

struct cluster_line {
    struct home_line home;
    struct cache_line upper;
    struct held_msg trigger;  /* a request from inside that the upper cache works for */
    struct held_msg forward;  /* INV or FWD_* for the upper cache: the home is busy, or recalls for it; at most one, since
                                 the global home serves one transaction per line at a time */
    struct held_msg flush;    /* a PUTACK to the inside, kept until the upper cache has flushed */
    uint8_t asked;            /* RECALL or DEMOTE under way (enum home_event + 1), 0 none */
    bool upper_waits;         /* the upper cache has a transaction of its own under way for trigger or flush */
    bool evicting;            /* the cluster gives the line up */
};

/* Whose chain of causes a message belongs to. */
enum cluster_cause { CAUSE_IN /* the message just offered */, CAUSE_FORWARD, CAUSE_TRIGGER };
struct cluster_msg { struct out_msg m; bool outer; uint8_t cause; };
enum { CLUSTER_OUT_MAX = 16 };
struct cluster_out {
    unsigned n;
    struct cluster_msg msg[CLUSTER_OUT_MAX];
    struct sharer_set targets;    /* of the multicast message; at most one, an inner INV */
};

enum cluster_verdict {
    CLUSTER_DONE,     /* stepped */
    CLUSTER_HELD,     /* the message is in the line now (trigger or forward) */
    CLUSTER_WAIT,     /* nothing changed: offer it again after the line's next change */
    CLUSTER_ILLEGAL   /* a pair without a row: env's `note` has been told */
};

struct cluster_env {
    const struct protocol *protocol;
    const struct glue *glue;
    int16_t agent, txn;           /* of the upper cache at the outer level */
    struct row_counts *counts;    /* may be NULL */
    struct glue_counts *glue_counts; /* may be NULL */
    /* Called after each step of either table, and for a missing row (verdict STEP_ILLEGAL). May be NULL. */
    void (*note)(void *arg, bool upper, unsigned event, uint8_t old_state, enum verdict, const struct outbox *, const struct msg *in);
    void *arg;
};

void cluster_line_init(struct cluster_line *); /* nothing here */
/* An inner message: request, put or response for the home. */
enum cluster_verdict cluster_inner(const struct cluster_env *, struct cluster_line *, const struct msg *, struct cluster_out *);
/* An outer message: response, INV or FWD_* for the upper cache. */
enum cluster_verdict cluster_outer(const struct cluster_env *, struct cluster_line *, const struct msg *, struct cluster_out *);
/* The cluster's last level needs the place. WAIT: something is under way. The line is gone once cluster_line_empty. */
enum cluster_verdict cluster_evict(const struct cluster_env *, struct cluster_line *, struct cluster_out *);
bool cluster_line_idle(const struct protocol *, const struct cluster_line *);  /* nothing under way on either level */
bool cluster_line_empty(const struct protocol *, const struct cluster_line *); /* idle, no copy inside, none of the upper cache's */

#endif
