/* src/config/sweep_axes.h - from a `sweep:` block to its points.
 *
 *   sweep: { machine.cores: [2, 4], agents.owner.exclusive: [none, [coherence, device]] }
 *
 * Axes keep their written order; the last one runs fastest. A point is a list of assignments, as after
 * --set, applied by the same mechanism; whether a key is known is found out there.
 */
#ifndef LAB_CONFIG_SWEEP_AXES_H
#define LAB_CONFIG_SWEEP_AXES_H

#include "src/config/node.h"

enum { SWEEP_AXES_MAX = 16, SWEEP_VALUES_MAX = 4096, SWEEP_POINTS_MAX = 1000000 };

struct sweep_axis {
    const char *path;
    struct origin at;
    size_t values_count;
    const char *const *values;      /* YAML in flow style */
    const struct node *const *nodes; /* the same values where they are written */
};

struct sweep_axes {
    size_t axes_count;
    struct sweep_axis axis[SWEEP_AXES_MAX];
    size_t refused_count;           /* behind the good ones: axes with an error, of which only the path is kept */
    uint64_t points_count;          /* of the good axes; 1 without: the base point */
};

/* `root` is the configuration the paths lead into, before the sweep. sweep may be NULL: one point. False
 * after an error: an axis without values, a value twice, a path that cannot be set, too many points; the other axes
 * can still be used, to find more errors in the same run. */
bool sweep_expand(struct arena *, struct diag *, struct node *root, const struct node *sweep, struct sweep_axes *);

/* The value of an axis at a point. */
const char *sweep_value(const struct sweep_axes *, uint64_t point, size_t axis);
const struct node *sweep_value_node(const struct sweep_axes *, uint64_t point, size_t axis);

/* axes_count assignments "path=value" for experiment_load, and all of them in one line. point < points_count. */
const char *const *sweep_point(struct arena *, const struct sweep_axes *, uint64_t point);
const char *sweep_point_text(struct arena *, const struct sweep_axes *, uint64_t point);

#endif
