/* models/coherence/explore.h - every reachable state of one line or a few, by breadth-first search over cache_step and
 * home_step, the very functions the timed machine runs.
 *
 * Model: N caches and perhaps a device agent, one home, one line. Messages in flight are a set: they may arrive
 * in any order, and wait at the home as its rows say; forwards and responses are always taken. Any agent may
 * begin any operation the protocol knows whenever its row lets it, also a second one under a miss. The home
 * may recall the line at any time. Data is abstracted to "current" (the newest store's) or "stale".
 *
 * Checked in every state: a pair without a row; at most one writable copy, and then no other readable one; every
 * value read or sent is current; a store is performed with ownership, a partial one on current data; an
 * operation completes exactly once; a flush completes only after an instant at which no cache could read the
 * line and memory was current; a recall leaves no copy; no deadlock; from every state all pending operations can complete;
 * and when nothing is in flight, caches and home are stable and agree, and the home's data is current unless
 * there is an owner.
 *
 * Several lines compete for places in caches and home, and for MSHRs: lines.h says how.
 *
 * Caches are interchangeable, and so are lines: of states that differ by renaming them one is kept (C. N. Ip, D. L. Dill, Better
 * verification through symmetry, 1996).
 */
#ifndef LAB_MODELS_COHERENCE_EXPLORE_H
#define LAB_MODELS_COHERENCE_EXPLORE_H

#include "models/coherence/cluster_line.h"
#include "models/coherence/table.h"

enum { EXPLORE_CACHES_MAX = 4, EXPLORE_LINES_MAX = 4,
       EXPLORE_CLUSTERS_MAX = 3, EXPLORE_INNER_MAX = 3, EXPLORE_TEXT_BYTES = 160, EXPLORE_STATES_MAX = 50000000 };

struct explore_options {
    unsigned caches;       /* 1 .. EXPLORE_CACHES_MAX */
    bool device;           /* one agent more, that reads once, writes and evicts */
    bool recalls;
    bool broadcast;        /* the home may lose track of its sharers at any time: everyone but the owner is one then (one line) */
    unsigned clusters;     /* 0: one level; 2 .. EXPLORE_CLUSTERS_MAX: two, with 1 .. EXPLORE_INNER_MAX `caches` in each
                              cluster; with a device 2 at most; one line. See levels.h */
    const struct glue *glue; /* between the levels; NULL: glue_default */
    unsigned lines;        /* 1 .. EXPLORE_LINES_MAX, 0: 1 */
    /* With several lines (see lines.h); 0: the default */
    unsigned mshrs;        /* operations and evictions that a cache has under way at once; 2 */
    unsigned cache_ways;   /* lines that a cache has room for; one less than there are */
    unsigned home_ways;    /* lines that the home has room for; all */
    uint64_t max_states;   /* 0: EXPLORE_STATES_MAX */
    bool untold;           /* no counter-example: trace stays NULL */
};

enum explore_outcome { EXPLORE_PASSED, EXPLORE_VIOLATION, EXPLORE_STUCK /* dead- or livelock */, EXPLORE_LIMIT };

/* Of two levels, what nodes do; the rows of caches, device and global home are in explore_result.counts. */
struct level_counts {
    struct row_counts nodes;            /* upper caches and the nodes' homes */
    struct glue_counts glue;
};

struct explore_result {
    enum explore_outcome outcome;
    uint64_t states, transitions;       /* transitions: moves that changed something */
    uint64_t expanded;                  /* states whose moves were all made; all of them unless stopped */
    uint64_t bytes;                     /* of host memory for the states at the end */
    unsigned complete_depth;            /* every story of so many moves was explored; meant for EXPLORE_LIMIT */
    unsigned unused_rows;               /* of both controllers, on either level */
    struct row_counts counts;           /* how often each row was used */
    struct level_counts levels;
    char what[EXPLORE_TEXT_BYTES];      /* the rule that was broken, "" if none */
    char *trace;                        /* shortest counter-example, one line per step; NULL if none */
    unsigned trace_steps;
};

struct explore_result explore(const struct protocol *, struct explore_options);
void explore_result_free(struct explore_result *);
/* So many random moves, from the start again after every WALK_MOVES: they go deeper than a search that stops early, each is
 * judged and its rows are counted, but nothing is proved, and no counter-example is told. The same moves each time. */
enum { WALK_MOVES = 2000 };
struct explore_result explore_walk(const struct protocol *, struct explore_options, uint64_t moves);
/* Two clusters larger than can be searched wholly, walked through: with a device; with two caches each and a device; with
 * three caches each and no recalls. options.max_states, if given, bounds the moves as well. */
enum { LARGER_SIZES = 3 };
struct explore_result explore_larger(const struct protocol *, struct explore_options, unsigned number);
/* Who uses which row of two levels, in r and in the larger sizes. Returns how many rows of the glue that the protocol has
 * events for, and how many of the tables, nobody uses on either level. Left out are waits for the home's own RECALL and
 * DEMOTE: the glue asks a home at rest only, and nobody asks the global home to demote. *fault: a walk found one. */
unsigned explore_rows(FILE *, const struct protocol *, struct explore_options, const struct explore_result *r, bool *fault);

/* Single-row mutants: each row deleted, and each row given every other next state. Explored with 2 caches first,
 * what survives with options.caches, at least MUTANT_CACHES_MIN: some rows need a third. */
enum { MUTANT_CACHES_MIN = 3 };
struct mutant_result {
    unsigned total, caught, caught_by_coverage; /* the latter passed all checks but left rows unused */
    unsigned equivalent;                        /* survived and are listed in the protocol */
    unsigned survivors;                         /* survived and are not */
    unsigned stale_entries;                     /* listed, but caught */
    uint64_t states;                            /* of all explorations */
};
struct mutant_result mutants(FILE *out, const struct protocol *, struct explore_options); /* out: survivors */
/* The same for the rows of the glue between two levels: one cache per cluster, then the larger sizes. */
struct mutant_result glue_mutants(FILE *out, const struct protocol *, struct explore_options);

/* The `verify` command: explores, prints states, coverage, counter-example, mutants. Returns 0 (also at a given
 * max_states), 2 (EXPLORE_STATES_MAX did not suffice), 4 (violation, unused row at 3 caches or more, unexplained mutant)
 * or 5 (no progress). Prints no host times. states: of all explorations; NULL: not wanted. */
int protocol_verify(FILE *out, const struct protocol *, struct explore_options, bool with_mutants, uint64_t *states);

#endif
