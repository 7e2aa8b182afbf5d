/* src/study/validate.h - model against published measurements.
 *
 * A machine file claims rows: { what, row, value, experiment, set, metric, divide, fitted }. Each is measured by running
 * configs/validation/EXPERIMENT.yaml on that machine, with what `set` says, and compared with the published value.
 */
#ifndef LAB_STUDY_VALIDATE_H
#define LAB_STUDY_VALIDATE_H

#include "src/machine/machine.h"

#include <stddef.h>

enum { VALIDATE_TOLERANCE_PERMILLE = 50 };

struct claim {
    const char *what, *row, *value;   /* as in the file; row: of the source's table */
    uint64_t published_ps, model_ps;
    int64_t error_permille;           /* of the published value; positive: the model is slower */
    bool fitted;                      /* the machine was fitted to this row; otherwise the model predicts it */
    bool good;                        /* within the tolerance */
};

struct arena;
struct diag;

/* Runs every claim of one machine. False and errors in diag if the file is wrong. The claims live in the arena. */
bool validate_machine(struct arena *, struct diag *, const char *machine, const struct run_options *, struct claim **claims,
                      size_t *count);

#endif
