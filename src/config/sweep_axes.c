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

/* False after an error at a value; the others are looked at all the same. */
static bool expand_values(struct arena *arena, struct diag *diag, const struct node *from, struct sweep_axis *axis)
{
    const char **values = ARENA_ARRAY(arena, const char *, from->count);
    const struct node **nodes = ARENA_ARRAY(arena, const struct node *, from->count);
    bool good = true;
    size_t n = 0;
    for (const struct node *v = from->first; v; v = v->next) {
        const char *text = value_text(arena, diag, v);
        bool twice = false;
        for (size_t i = 0; text && i < n; i++)
            twice |= strcmp(values[i], text) == 0;
        if (twice)
            node_error(diag, v, "Every point of a sweep is run once.", "the value %.100s stands in this axis twice", text);
        good &= text && !twice;
        if (text && !twice) {
            nodes[n] = v;
            values[n++] = text;
        }
    }
    *axis = (struct sweep_axis){ from->key, from->key_at, n, values, nodes };
    return good;
}

static bool expand_axis(struct arena *arena, struct diag *diag, struct node *root, const struct node *from, struct sweep_axis *axis)
{
    *axis = (struct sweep_axis){ .path = from->key, .at = from->key_at };
    if (!node_expect(diag, from, NODE_SEQUENCE, rule))
        return false;
    if (from->count == 0 || from->count > SWEEP_VALUES_MAX) {
        node_error(diag, from, rule, "an axis %s", from->count ? "of more than 4096 values" : "without values");
        return false;
    }
    bool good = expand_values(arena, diag, from, axis);
    return node_may_set(diag, root, from->key, from->key_at) && good;
}

/* All axes go behind the good ones, of which there are none any more. */
static bool refuse_all(struct sweep_axes *axes)
{
    axes->refused_count += axes->axes_count;
    axes->axes_count = 0;
    axes->points_count = 1;
    return false;
}

bool sweep_expand(struct arena *arena, struct diag *diag, struct node *root, const struct node *sweep, struct sweep_axes *axes)
{
    struct sweep_axis refused[SWEEP_AXES_MAX];
    size_t refused_count = 0, read_count = 0;
    *axes = (struct sweep_axes){ .points_count = 1 };
    if (!sweep)
        return true;
    if (!node_expect(diag, sweep, NODE_MAPPING, rule))
        return false;
    if (sweep->count > SWEEP_AXES_MAX)
        node_error(diag, sweep, "Split it into several sweeps.", "%zu axes, allowed are 16", sweep->count);
    for (const struct node *from = sweep->first; from && read_count < SWEEP_AXES_MAX; from = from->next, read_count++) {
        struct sweep_axis axis;
        if (expand_axis(arena, diag, root, from, &axis))
            axes->axis[axes->axes_count++] = axis;
        else
            refused[refused_count++] = axis;
    }
    memcpy(&axes->axis[axes->axes_count], refused, refused_count * sizeof *refused);
    axes->refused_count = refused_count;
    for (size_t i = 0; i < axes->axes_count && axes->points_count <= SWEEP_POINTS_MAX; i++)
        axes->points_count *= axes->axis[i].values_count; /* at most 10^6 times 4096 */
    if (axes->points_count > SWEEP_POINTS_MAX)
        node_error(diag, sweep, "Split it into several sweeps.", "more than 1000000 points");
    if (axes->points_count > SWEEP_POINTS_MAX || sweep->count > SWEEP_AXES_MAX)
        return refuse_all(axes);
    return refused_count == 0;
}

static size_t value_index(const struct sweep_axes *axes, uint64_t point, size_t axis)
{
    CHECK(point < axes->points_count && axis < axes->axes_count, "sweep: no such point or axis");
    for (size_t i = axes->axes_count - 1; i > axis; i--)
        point /= axes->axis[i].values_count;
    return point % axes->axis[axis].values_count;
}

const char *sweep_value(const struct sweep_axes *axes, uint64_t point, size_t axis)
{
    return axes->axis[axis].values[value_index(axes, point, axis)];
}

const struct node *sweep_value_node(const struct sweep_axes *axes, uint64_t point, size_t axis)
{
    return axes->axis[axis].nodes[value_index(axes, point, axis)];
}

const char *const *sweep_point(struct arena *arena, const struct sweep_axes *axes, uint64_t point)
{
    const char **sets = ARENA_ARRAY(arena, const char *, axes->axes_count);
    for (size_t i = 0; i < axes->axes_count; i++)
        sets[i] = arena_printf(arena, "%s=%s", axes->axis[i].path, sweep_value(axes, point, i));
    return sets;
}

const char *sweep_point_text(struct arena *arena, const struct sweep_axes *axes, uint64_t point)
{
    const char *const *sets = sweep_point(arena, axes, point), *text = "";
    for (size_t i = 0; i < axes->axes_count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", sets[i]);
    return text;
}
