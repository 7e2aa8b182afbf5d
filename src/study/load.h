/* src/study/load.h - an experiment with everything a study adds to it: its plots, its protocol as a table. */
#ifndef LAB_STUDY_LOAD_H
#define LAB_STUDY_LOAD_H

#include "src/config/experiment.h"
#include "src/study/plot_desc.h"

struct study_doc {
    struct arena *arena;
    struct diag *diag;
    struct experiment_doc doc;
    struct plots plots;
};

/* All of argument and sets as experiment_load has them. False if there was any error: they are in ->diag.
 * study_unload in either case. */
bool study_load(struct study_doc *, const char *argument, const char *const *sets, size_t sets_count);
void study_unload(struct study_doc *);

/* What identifies a run: the merged configuration as text without seed, sweep, plots and words for people, the
 * protocol table in place of its name. Lives in the arena. NULL after an error. */
const char *study_identity(struct study_doc *);

/* The configuration with everything merged and the protocol table inside, sweep and plots kept. */
const char *study_effective(struct study_doc *);

#endif
