/* src/study/load.h - an experiment with everything a study adds to it: its plots, its protocol as a table. */
#ifndef LAB_STUDY_LOAD_H
#define LAB_STUDY_LOAD_H

#include "src/config/experiment.h"
#include "src/machine/machine.h"
#include "src/study/plot_desc.h"

struct study_doc {
    struct arena *arena;
    struct diag *diag;
    struct experiment_doc doc;
    struct plots plots;
};

/* All of argument and sets as experiment_load has them. False if there was any error: all that can be found, those
 * of machine, kernel and agents too, are in ->diag. study_unload in either case. */
bool study_load(struct study_doc *, const char *argument, const char *const *sets, size_t sets_count);
/* The same at one point of a sweep's good axes. */
bool study_load_point(struct study_doc *, const char *argument, const char *const *sets, size_t sets_count,
                      const struct sweep_axes *, uint64_t point);
void study_unload(struct study_doc *);

/* Builds every point of the study's good axes. The errors go to ->diag, each once, at the place where the value is
 * written, with the first point that has it; those of the base are there already. False after any. */
bool study_check_points(struct study_doc *, const char *const *sets, size_t sets_count, const struct run_options *);

/* What identifies a run: the merged configuration as text without seed, sweep, plots and words for people, the
 * protocol table in place of its name. Lives in the arena. NULL after an error. */
const char *study_identity(struct study_doc *);

/* What makes two sweeps parts of one study, as 16 hex digits: the identity with the swept values left open, the axes, the
 * seed. Their values may grow. NULL after an error. */
const char *study_fingerprint(struct study_doc *);

/* The configuration with everything merged and the protocol table inside, sweep and plots kept. */
const char *study_effective(struct study_doc *);

#endif
