/* src/study/plot.h - pictures of a study, drawn by gnuplot.
 *
 * For each plot of the configuration, under FOLDER/plots: NAME.dat (the numbers), NAME.gp (the script, to be
 * changed and run again by hand: gnuplot NAME.gp), NAME.svg and NAME.png. Error bars are 95 % confidence
 * intervals where points were repeated. Colours: Okabe and Ito (Color Universal Design, 2008) for lines, Paul
 * Tol's muted scheme (SRON/EPS/TN/09-002) for stacks: both are told apart with any colour vision.
 */
#ifndef LAB_STUDY_PLOT_H
#define LAB_STUDY_PLOT_H

#include "src/study/frame.h"
#include "src/study/plot_desc.h"

struct plot_context {
    const char *title;       /* of the experiment */
    const char *footer;      /* config, seed, digest */
};

/* One line of a plot, or one group of bars. */
struct plot_series { char label[160]; };

/* The points of a study arranged for one plot: cell(series, x) is a point number, or PLOT_NO_POINT. */
#define PLOT_NO_POINT UINT64_MAX
struct plot_grid {
    size_t x_count, series_count;
    const char **x;                  /* as written, in the order of the axis; borrowed from the frame */
    uint64_t *x_value;               /* numbers if `numeric` */
    bool numeric;
    struct plot_series *series;
    uint64_t *number;                /* [series * x_count + x] */
};

/* NULL if the plot's x is no axis of the study, or no point is left by its `where`. plot_grid_free. */
struct plot_grid *plot_grid_make(const struct frame *, const struct plot *);
void plot_grid_free(struct plot_grid *);

/* Unit that fits the largest value: divide ps by `divisor`. */
struct plot_unit { const char *name; uint64_t divisor; };
struct plot_unit plot_unit_for(uint64_t most_ps);
/* "'text'" for gnuplot. Returns buffer. */
const char *plot_quote(char *buffer, size_t bytes, const char *text);
const char *plot_tick(char *buffer, size_t bytes, const char *text); /* the same for a tick, which is a format to gnuplot */

/* The data and the script of one plot, without running anything. False: the study has no number for it. */
bool plot_write(FILE *data, FILE *script, const struct frame *, const struct plot *, const struct plot_context *);
bool plot_lines_write(FILE *data, FILE *script, const struct frame *, const struct plot *, const struct plot_grid *);
bool plot_stack_write(FILE *data, FILE *script, const struct frame *, const struct plot *, const struct plot_grid *);

/* Writes and draws all of them; prints the names of the pictures (say NULL: does not). Without gnuplot: fail_user. */
void plots_draw(const char *folder, const struct frame *, const struct plots *, const struct plot_context *, FILE *say);

#endif
