/* src/cli/stress.h - the parts of labyrinth stress: what a run is made of, running it, shrinking it.
 *
 *   seed --> stress_shape: machine, mix --> stress_try (a process of its own) --> clean: next seed
 *                                                    `--> failed: stress_shrink, many tries more --> file
 */
#ifndef LAB_CLI_STRESS_H
#define LAB_CLI_STRESS_H

#include "src/cli/cli.h"
#include "src/work/script.h"

enum { STRESS_KEYS_MAX = 48, STRESS_SET_BYTES = 400 };

/* One index per line of the table of choices. */
struct stress_shape { uint8_t choice[STRESS_KEYS_MAX]; };

struct stress_agent {
    bool device;
    unsigned place;             /* core or device number */
    struct script_op *op;       /* lists only; owned by the case */
    size_t count;
};

struct stress_case {
    const struct common *common;
    const char *config;         /* the user's machine; NULL: shape says which */
    struct stress_shape shape;
    struct script_mix mix;
    uint64_t found, seed;       /* the user's seed; that of the run, which shrinking may change */
    uint64_t drawn;             /* operations that each agent draws; 0: the agents do their lists */
    unsigned agent_count;
    struct stress_agent *agents; /* owned */
};

struct stress_verdict {
    int code;                   /* exit code of a run of this case */
    char kind[32];              /* of failure: "done", "coherence", "deadlock", ... */
    uint64_t accesses, order_hash, time_ps;
};

/* ---- shapes: stress_shape.c */

void stress_shape_draw(struct stress_shape *, uint64_t seed, unsigned attempt);
unsigned stress_shape_keys(void);
/* The assignments that a shape stands for, each at most STRESS_SET_BYTES; malloc'd, count in *n. */
char **stress_shape_sets(const struct stress_shape *, size_t *n);
/* What the user has not set himself: "protocol msi, cores 5, ..." or, `all`, the assignments of those choices and of every one that
 * is not the simplest. */
void stress_shape_print(FILE *, const struct stress_shape *, const struct common *, bool all);
/* Shares and numbers of lines and pages of a mix; lines 0: drawn. */
struct script_mix stress_mix_draw(uint64_t seed, uint32_t lines, bool pages);
/* The experiment that shapes are made from. */
extern const char stress_base[];

/* ---- running: stress_try.c */

/* How a try is told: nothing; the trouble on `out`. The file gets the effective configuration; NULL none. */
struct stress_telling { FILE *out; const char *file; };
struct stress_verdict stress_try(const struct stress_case *, struct stress_telling);
bool stress_same_failure(const struct stress_verdict *, const struct stress_verdict *);
/* Loads the machine of a case without agents and says how many agents fit; false after errors, which are told
 * (and end the program) if `told`. */
bool stress_measure(const struct stress_case *, unsigned *cores, unsigned *devices, bool told);

/* ---- shrinking: stress_shrink.c */

struct stress_shrunk { size_t operations, from; unsigned tries; bool repeated; };
/* Makes lists of what the agents drew, and shortens them and the machine as long as the failure stays of the same kind. The case becomes
 * the shrunk one. repeated false: the lists alone did not fail, and the case is as it was. */
struct stress_shrunk stress_shrink(struct stress_case *, const struct stress_verdict *);
size_t stress_operations(const struct stress_case *);
void stress_case_free(struct stress_case *);

#endif
