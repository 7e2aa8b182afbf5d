/* src/study/plot_desc.h - the `plots` block of an experiment.
 *
 *   plots:
 *     - { x: machine.cores, y: exclusive.grant.p99_ns, series: agents.owner.exclusive, logx: true }
 *     - { name: steps, kind: stack, x: machine.cores, y: exclusive.grant.phases, where: { agents.owner.exclusive: all } }
 *
 * kind lines: y is a metric or a list of metrics. kind stack: y is CLASS.phases or CLASS.hardware, or of one source CLASS.parts.SOURCE.phases.
 * where: only the points with these values of other axes. xlabel, ylabel, series_title: words in place of the paths and
 * the metric's name; units and "log scale" are added.
 */
#ifndef LAB_STUDY_PLOT_DESC_H
#define LAB_STUDY_PLOT_DESC_H

#include "src/config/param.h"
#include "src/config/sweep_axes.h"
#include "src/study/metric.h"

extern const struct param plot_params[]; /* the single values of one plot, for reference */

enum { PLOT_Y_MAX = 8, PLOT_WHERE_MAX = 8 };
enum plot_kind { PLOT_LINES, PLOT_STACK };

struct plot {
    const char *name, *title;       /* name: of the files; made from y and x if not given */
    const char *x, *series;         /* swept paths; series NULL: none */
    const char *xlabel, *ylabel, *series_title; /* NULL or empty: made from x, y, series */
    unsigned where_count;
    struct plot_where { const char *path, *value; } where[PLOT_WHERE_MAX]; /* values in flow style, as the axis has them */
    enum plot_kind kind;
    bool logx, logy;
    unsigned y_count;
    struct metric y[PLOT_Y_MAX];    /* of a stack: one, its term unused */
};

struct plots {
    size_t count;
    struct plot *plot;
};

/* What stands at an axis and above the legend: the plot's own words, or these. */
const char *plot_words(const char *own, const char *otherwise);

/* list may be NULL: no plots. axes NULL: x and series are not checked against the sweep. False after an error. */
bool plots_read(struct arena *, struct diag *, struct node *list, const struct sweep_axes *axes, struct plots *);

#endif
