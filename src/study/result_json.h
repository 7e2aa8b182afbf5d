/* src/study/result_json.h - a result as one JSON object, for programs; keys in a stable order.
 *
 * Integers are exact; _ns figures are rounded from them by integer arithmetic, to three decimals. Host time
 * never appears. The schema number changes when a key changes its meaning or goes away.
 */
#ifndef LAB_STUDY_RESULT_JSON_H
#define LAB_STUDY_RESULT_JSON_H

#include <stdio.h>

#include "src/machine/machine.h"

enum { RESULT_SCHEMA = 1 };

/* without_effective: leaves config.effective out (a study keeps it once for all its points). */
void result_json_write(FILE *, const struct result *, bool without_effective);

/* One row per class and per source of a class: class, source, count, sum_ps, min_ns ... max_ns, then the mean of
 * each phase and each hardware part that any row has. */
void result_csv_write(FILE *, const struct result *);

/* A CSV cell (RFC 4180): in quotes where it must be. */
void csv_cell(FILE *, const char *text);

#endif
