/* src/study/sweep.h - runs the points of a plan in worker processes and stores what they find.
 *
 * One process per running point, forked, so that a crash is that point's alone. What a point gives is
 * independent of the number of workers, of the order and of interruptions.
 */
#ifndef LAB_STUDY_SWEEP_H
#define LAB_STUDY_SWEEP_H

#include "src/study/load.h"
#include "src/study/progress.h"
#include "src/study/store.h"

/* Runs point i of the plan in a process of its own: writes a record with record_write; its return value
 * (or exit status) is the point's exit code. What it prints on standard error is kept with the point. */
typedef int point_fn(void *arg, size_t point, FILE *record);

struct sweep_options {
    unsigned workers;                 /* at least 1 */
    unsigned shard, shards;           /* 1..shards of 1.. */
    enum progress_when progress;
    point_fn *run;
    void *arg;
};

struct sweep_summary {
    size_t run_count, skipped_count, missing_count;  /* missing: planned, but of other shards */
    size_t by_exit_code[6];           /* of all points of this shard, skipped ones too */
    int exit_code;                    /* the highest */
};

struct sweep_summary sweep_run(struct store *, const struct plan *, const struct sweep_options *);

void record_write(FILE *, const struct result *);

/* ---- plan of an experiment */

/* Repetition r of a seed: the seed itself for r = 0, else mixed from both (63 bits). */
uint64_t repetition_seed(uint64_t seed, uint64_t repetition);

/* Loads every point once and computes its key; errors end the program (exit 2). A repetition's seed is made from the
 * seed of its point. The result lives in the arena of `study`. sets: those the study was loaded with. */
struct plan *plan_make(struct study_doc *study, const char *const *sets, size_t sets_count, uint64_t repetitions);

#endif
