/* src/config/sweep_axes.c - from a `sweep:` block to its points. */
#include "src/config/sweep_axes.h"

#include <string.h>

#include "src/base/fail.h"
#include "src/config/emit.h"

static const char rule[] = "An axis is the path of a key and the list of its values: machine.cores: [2, 4, 8].";

/* --set a=b cannot say "nothing"; quotes are needed for an empty text. */
static const char *value_text(struct arena *arena, struct diag *diag, const struct node *value)
{
    if (!node_empty(value))
        return emit_flow(arena, value);
    node_error(diag, value, rule, "an empty value");
    return NULL;
}

static bool expand_axis(struct arena *arena, struct diag *diag, struct node *root, const struct node *from, struct sweep_axis *axis)
{
    if (!node_expect(diag, from, NODE_SEQUENCE, rule))
        return false;
    if (from->count == 0 || from->count > SWEEP_VALUES_MAX) {
        node_error(diag, from, rule, "an axis %s", from->count ? "of more than 4096 values" : "without values");
        return false;
    }
    const char **values = ARENA_ARRAY(arena, const char *, from->count);
    size_t n = 0;
    for (const struct node *v = from->first; v; v = v->next) {
        if (!(values[n] = value_text(arena, diag, v)))
            return false;
        for (size_t i = 0; i < n; i++) {
            if (strcmp(values[i], values[n]) == 0) {
                node_error(diag, v, "Every point of a sweep is run once.", "the value %.100s stands in this axis twice", values[n]);
                return false;
            }
        }
        n++;
    }
    *axis = (struct sweep_axis){ from->key, from->key_at, n, values };
    return node_may_set(diag, root, from->key, from->key_at);
}

bool sweep_expand(struct arena *arena, struct diag *diag, struct node *root, const struct node *sweep, struct sweep_axes *axes)
{
    bool good = true;
    *axes = (struct sweep_axes){ .points_count = 1 };
    if (!sweep)
        return true;
    if (!node_expect(diag, sweep, NODE_MAPPING, rule))
        return false;
    if (sweep->count > SWEEP_AXES_MAX) {
        node_error(diag, sweep, "Split it into several sweeps.", "%zu axes, allowed are 16", sweep->count);
        return false;
    }
    for (const struct node *from = sweep->first; from; from = from->next) {
        struct sweep_axis *axis = &axes->axis[axes->axes_count++];
        good = expand_axis(arena, diag, root, from, axis) && good;
        axes->points_count *= axis->values_count; /* at most 10^6 times 4096 */
        if (axes->points_count > SWEEP_POINTS_MAX) {
            node_error(diag, sweep, "Split it into several sweeps.", "more than 1000000 points");
            return false;
        }
    }
    return good;
}

const char *sweep_value(const struct sweep_axes *axes, uint64_t point, size_t axis)
{
    CHECK(point < axes->points_count && axis < axes->axes_count, "sweep: no such point or axis");
    for (size_t i = axes->axes_count - 1; i > axis; i--)
        point /= axes->axis[i].values_count;
    return axes->axis[axis].values[point % axes->axis[axis].values_count];
}

const char *const *sweep_point(struct arena *arena, const struct sweep_axes *axes, uint64_t point)
{
    const char **sets = ARENA_ARRAY(arena, const char *, axes->axes_count);
    for (size_t i = 0; i < axes->axes_count; i++)
        sets[i] = arena_printf(arena, "%s=%s", axes->axis[i].path, sweep_value(axes, point, i));
    return sets;
}
