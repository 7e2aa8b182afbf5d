/* src/study/plot_grid.c - which point of a study belongs where in a plot. */
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/config/quantity.h"
#include "src/study/plot.h"

static void *zeroed(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes);
    CHECK_MEMORY(memory, "out of memory");
    return memory;
}

static size_t axis_index(const struct plan *plan, const char *path)
{
    size_t i = 0;
    while (i < plan->axes_count && (!path || strcmp(plan->axes[i], path) != 0))
        i++;
    return i;
}

static bool selected(const struct plan *plan, const struct plot *plot, const struct plan_point *p)
{
    for (unsigned i = 0; i < plot->where_count; i++) {
        size_t axis = axis_index(plan, plot->where[i].path);
        if (axis == plan->axes_count || strcmp(p->values[axis], plot->where[i].value) != 0)
            return false;
    }
    return true;
}

static bool fixed(const struct plot *plot, const char *path)
{
    for (unsigned i = 0; i < plot->where_count; i++)
        if (strcmp(plot->where[i].path, path) == 0)
            return true;
    return false;
}

/* The value of the series axis, then what else varies: two lines are never mixed into one. */
static void series_label(const struct plan *plan, const struct plot *plot, const struct plan_point *p, size_t x,
                         size_t series, char *label, size_t bytes)
{
    size_t used = 0;
    label[0] = '\0';
    if (series < plan->axes_count)
        used = (size_t)snprintf(label, bytes, "%s", p->values[series]);
    for (size_t i = 0; i < plan->axes_count && used < bytes; i++) {
        if (i == x || i == series || fixed(plot, plan->axes[i]))
            continue;
        const char *last = strrchr(plan->axes[i], '.');
        used += (size_t)snprintf(label + used, bytes - used, "%s%s %s", used ? ", " : "", last ? last + 1 : plan->axes[i],
                                 p->values[i]);
    }
}

static size_t find_or_add_x(struct plot_grid *g, const char *text)
{
    size_t i = 0;
    while (i < g->x_count && strcmp(g->x[i], text) != 0)
        i++;
    if (i == g->x_count)
        g->x[g->x_count++] = text;
    return i;
}

static size_t find_or_add_series(struct plot_grid *g, const char *label)
{
    size_t i = 0;
    while (i < g->series_count && strcmp(g->series[i].label, label) != 0)
        i++;
    if (i == g->series_count)
        snprintf(g->series[g->series_count++].label, sizeof g->series->label, "%s", label);
    return i;
}

/* Numbers with one kind of unit can stand on a scale; anything else is a list of names. */
static void read_numbers(struct plot_grid *g)
{
    static const enum quantity kinds[] = { Q_COUNT, Q_BYTES, Q_TIME, Q_CYCLES, Q_HZ, Q_RATE, Q_PERMYRIAD };
    struct complaint ignored;
    for (size_t k = 0; !g->numeric && k < sizeof kinds / sizeof *kinds; k++) {
        g->numeric = true;
        for (size_t i = 0; i < g->x_count && g->numeric; i++)
            g->numeric = quantity_parse(g->x[i], kinds[k], &g->x_value[i], &ignored);
    }
    for (size_t i = 0; i < g->x_count && !g->numeric; i++)
        g->x_value[i] = i;
}

struct plot_grid *plot_grid_make(const struct frame *f, const struct plot *plot)
{
    const struct plan *plan = f->plan;
    size_t x = axis_index(plan, plot->x), series = axis_index(plan, plot->series), n = plan->point_count;
    if (x == plan->axes_count)
        return NULL;
    struct plot_grid *g = zeroed(1, sizeof *g);
    g->x = zeroed(n, sizeof *g->x);
    g->x_value = zeroed(n, sizeof *g->x_value);
    g->series = zeroed(n, sizeof *g->series);
    size_t *at_x = zeroed(n, sizeof *at_x), *at_series = zeroed(n, sizeof *at_series);
    for (size_t i = 0; i < n; i++) {
        struct plot_series s;
        if (!selected(plan, plot, &plan->point[i]))
            continue;
        series_label(plan, plot, &plan->point[i], x, series, s.label, sizeof s.label);
        at_x[i] = find_or_add_x(g, plan->point[i].values[x]);
        at_series[i] = find_or_add_series(g, s.label);
    }
    g->number = zeroed(g->x_count * g->series_count, sizeof *g->number);
    for (size_t i = 0; i < g->x_count * g->series_count; i++)
        g->number[i] = PLOT_NO_POINT;
    for (size_t i = 0; i < n; i++)
        if (selected(plan, plot, &plan->point[i]))
            g->number[at_series[i] * g->x_count + at_x[i]] = plan->point[i].number;
    free(at_x);
    free(at_series);
    if (g->x_count == 0) {
        plot_grid_free(g);
        return NULL;
    }
    read_numbers(g);
    return g;
}

void plot_grid_free(struct plot_grid *g)
{
    free(g->x);
    free(g->x_value);
    free(g->series);
    free(g->number);
    free(g);
}

struct plot_unit plot_unit_for(uint64_t most_ps)
{
    if (most_ps < 10u * (uint64_t)PS_PER_US)
        return (struct plot_unit){ "ns", PS_PER_NS };
    if (most_ps < 10u * (uint64_t)PS_PER_MS)
        return (struct plot_unit){ "µs", PS_PER_US };
    return (struct plot_unit){ "ms", PS_PER_MS };
}

const char *plot_quote(char *buffer, size_t bytes, const char *text)
{
    size_t n = 0;
    buffer[n++] = '\'';
    for (; *text && n + 3 < bytes; text++) {
        if (*text == '\'')
            buffer[n++] = '\'';
        buffer[n++] = (unsigned char)*text < ' ' ? ' ' : *text;
    }
    buffer[n++] = '\'';
    buffer[n] = '\0';
    return buffer;
}

const char *plot_tick(char *buffer, size_t bytes, const char *text)
{
    char doubled[160];
    size_t n = 0;
    for (; *text && n + 2 < sizeof doubled; text++) {
        if (*text == '%')
            doubled[n++] = '%';
        doubled[n++] = *text;
    }
    doubled[n] = '\0';
    return plot_quote(buffer, bytes, doubled);
}
