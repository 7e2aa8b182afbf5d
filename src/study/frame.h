/* src/study/frame.h - a study in memory as one table: rows are points and repetitions, columns metrics. */
#ifndef LAB_STUDY_FRAME_H
#define LAB_STUDY_FRAME_H

#include <stdio.h>

#include "src/study/interval.h"
#include "src/study/store.h"

struct frame_row {
    const struct plan_point *point;
    struct record *record;
    const uint64_t **cell;            /* per metric, NULL: this run has no such number */
};

struct frame {
    struct plan *plan;
    size_t row_count;                 /* finished ones, in plan order */
    struct frame_row *row;
    size_t metric_count;              /* all that occur, in dictionary order */
    struct metric *metric;
};

struct frame *frame_load(struct store *);
void frame_free(struct frame *);
/* Column of a metric, or metric_count. Phases of a memory class are found under their other name, hardware. */
size_t frame_column(const struct frame *, const char *name);
/* Over the repetitions of one point number that have this number; count 0: none has. */
struct interval frame_interval(const struct frame *, uint64_t number, size_t column);

/* results.csv, wide: point, repetition, seed, one column per swept path, exit_code, stop, order_hash, then one
 * column per metric. Empty cell: that run has no such number. Ordered by point and repetition; no host, no time. */
void frame_write_csv(FILE *, const struct frame *);
/* summary.csv, wide: point, swept paths, repetitions, then per metric its mean and METRIC.ci95, the half width of
 * the 95 % confidence interval of the mean (Student's t); empty with fewer than two repetitions. */
void frame_write_summary(FILE *, const struct frame *);
/* [{point, repetition, seed, key, coordinates{PATH: value}, exit_code, text, result{...}}] */
void frame_write_json(FILE *, const struct frame *);

#endif
