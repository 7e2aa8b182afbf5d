/* src/study/plot_desc.c - see plot_desc.h. */
#include "src/study/plot_desc.h"

#include <ctype.h>
#include <string.h>

#include "src/config/emit.h"
#include "src/config/param.h"

struct fields {
    const char *name, *title, *x, *series, *xlabel, *ylabel, *series_title;
    bool logx, logy;
    int kind;
};

static const char *const kinds[] = { "lines", "stack", NULL };

const struct param plot_params[] = {
    { .key = "x", .type = P_STRING, .flags = PARAM_REQUIRED, PARAM_FIELD(struct fields, x),
      .help = "The swept path along the horizontal axis." },
    { .key = "series", .type = P_STRING, PARAM_FIELD(struct fields, series), .deflt = "",
      .help = "The swept path with one line for each of its values." },
    { .key = "kind", .type = P_CHOICE, PARAM_FIELD(struct fields, kind), .choices = kinds, .deflt = "lines",
      .help = "lines, or stack: bars with the phases or hardware parts of a class." },
    { .key = "logx", .type = P_BOOL, PARAM_FIELD(struct fields, logx), .deflt = "false",
      .help = "Logarithmic horizontal axis." },
    { .key = "logy", .type = P_BOOL, PARAM_FIELD(struct fields, logy), .deflt = "false",
      .help = "Logarithmic vertical axis." },
    { .key = "title", .type = P_STRING, PARAM_FIELD(struct fields, title), .deflt = "",
      .help = "Heads the plot; the experiment's title if not given." },
    { .key = "xlabel", .type = P_STRING, PARAM_FIELD(struct fields, xlabel), .deflt = "",
      .help = "Words at the horizontal axis; the path if not given." },
    { .key = "ylabel", .type = P_STRING, PARAM_FIELD(struct fields, ylabel), .deflt = "",
      .help = "Words at the vertical axis, without the unit; the metric if not given." },
    { .key = "series_title", .type = P_STRING, PARAM_FIELD(struct fields, series_title), .deflt = "",
      .help = "Words above the legend; the path if not given." },
    { .key = "name", .type = P_STRING, PARAM_FIELD(struct fields, name), .deflt = "",
      .help = "Name of the files; made from the metric and x if not given." },
    { .key = NULL },
};

static const char y_rule[] = "y is a metric, exclusive.grant.p99_ns, or a list of them; `labyrinth list metrics` shows all. "
                             "For a stack it is CLASS.phases or CLASS.hardware, or CLASS.parts.SOURCE.phases.";

/* Of a class or of what one source served. */
static bool read_stack(struct diag *diag, const struct node *y, struct metric *m)
{
    static const struct { const char *suffix; enum metric_stat stat; } groups[] = { { ".phases", STAT_PHASE },
                                                                                    { ".hardware", STAT_HARDWARE } };
    size_t n = strlen(y->text);
    for (unsigned g = 0; g < 2; g++) {
        char mean[METRIC_NAME_MAX], why[256];
        size_t ending = strlen(groups[g].suffix);
        if (n < ending || n > METRIC_NAME_MAX / 2 || strcmp(y->text + n - ending, groups[g].suffix) != 0)
            continue;
        snprintf(mean, sizeof mean, "%.*s.mean_ns", (int)(n - ending), y->text);
        if (!metric_resolve(mean, m, why, sizeof why) || m->scope != SCOPE_CLASS || m->stat != STAT_MEAN)
            continue;
        m->stat = groups[g].stat;
        snprintf(m->name, sizeof m->name, "%s", y->text);
        return true;
    }
    char quote[SHOWN_MAX];
    node_error(diag, y, y_rule, "%s is nothing that can be stacked", shown(quote, y->text));
    return false;
}

static bool read_metric(struct diag *diag, const struct node *y, struct plot *plot)
{
    char why[256];
    if (!node_expect(diag, y, NODE_SCALAR, y_rule))
        return false;
    if (plot->y_count == PLOT_Y_MAX) {
        node_error(diag, y, y_rule, "more than %d metrics in one plot", PLOT_Y_MAX);
        return false;
    }
    struct metric *m = &plot->y[plot->y_count++];
    if (plot->kind == PLOT_STACK)
        return read_stack(diag, y, m);
    if (metric_resolve(y->text, m, why, sizeof why))
        return true;
    node_error(diag, y, y_rule, "%s", why);
    return false;
}

static bool read_y(struct diag *diag, struct node *entry, struct plot *plot)
{
    struct node *y = node_get(entry, "y");
    bool good = true;
    if (!y) {
        node_error(diag, entry, y_rule, "this plot has no y");
        return false;
    }
    node_use_all(y);
    if (y->kind == NODE_SCALAR)
        return read_metric(diag, y, plot);
    if (!node_expect(diag, y, NODE_SEQUENCE, y_rule))
        return false;
    if (!y->first)
        node_error(diag, y, y_rule, "an empty list");
    for (const struct node *item = y->first; item; item = item->next)
        good = read_metric(diag, item, plot) && good;
    return good;
}

static bool is_axis(struct diag *diag, const struct node *at, const char *path, const struct sweep_axes *axes)
{
    const char *known[SWEEP_AXES_MAX];
    size_t count = axes ? axes->axes_count + axes->refused_count : 0;
    char quote[SHOWN_MAX];
    if (!axes || *path == '\0')
        return true;
    for (size_t i = 0; i < count; i++) {
        known[i] = axes->axis[i].path;
        if (strcmp(path, known[i]) == 0)
            return true;
    }
    node_error(diag, at, "x, series and where name axes of the `sweep` block.", "%s is not swept", shown(quote, path));
    diag_suggest(diag, path, known, count);
    return false;
}

static bool read_where(struct arena *arena, struct diag *diag, struct node *entry, const struct sweep_axes *axes,
                       struct plot *plot)
{
    static const char rule[] = "where picks points by the values of axes: where: { agents.owner.exclusive: all }.";
    struct node *where = node_get(entry, "where");
    bool good = true;
    if (!where)
        return true;
    node_use_all(where);
    if (!node_expect(diag, where, NODE_MAPPING, rule))
        return false;
    if (where->count > PLOT_WHERE_MAX) {
        node_error(diag, where, rule, "more than %d conditions", PLOT_WHERE_MAX);
        return false;
    }
    for (const struct node *n = where->first; n; n = n->next) {
        plot->where[plot->where_count++] = (struct plot_where){ n->key, emit_flow(arena, n) };
        good = is_axis(diag, n, n->key, axes) && good;
    }
    return good;
}

/* Letters, digits, '-', '_' and '.': the name goes into file names and scripts. */
static const char *file_name(struct arena *arena, const char *wish, const struct plot *plot)
{
    char *name = *wish ? arena_strdup(arena, wish) : arena_printf(arena, "%s-vs-%s", plot->y[0].name, plot->x);
    for (char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-_.", *c))
            *c = '-';
    if (*name == '.')
        *name = '-';
    return name;
}

const char *plot_words(const char *own, const char *otherwise)
{
    return own && *own ? own : otherwise;
}

static bool read_plot(struct arena *arena, struct diag *diag, struct node *entry, const struct sweep_axes *axes,
                      struct plot *plot)
{
    struct fields fields = { 0 };
    size_t before = diag_count(diag);
    if (!node_expect(diag, entry, NODE_MAPPING, "A plot is a mapping: { x: machine.cores, y: alloc.atomic.p99_ns }."))
        return false;
    param_fill(entry, plot_params, &fields, &(struct param_ctx){ .arena = arena, .diag = diag, .at = entry->at });
    *plot = (struct plot){ .kind = (enum plot_kind)fields.kind, .logx = fields.logx, .logy = fields.logy,
                           .title = fields.title, .x = fields.x, .xlabel = fields.xlabel, .ylabel = fields.ylabel,
                           .series_title = fields.series_title,
                           .series = fields.series && *fields.series ? fields.series : NULL };
    read_y(diag, entry, plot);
    read_where(arena, diag, entry, axes, plot);
    node_reject_unread(diag, entry);
    is_axis(diag, node_peek(entry, "x"), plot->x ? plot->x : "", axes);
    is_axis(diag, node_peek(entry, "series"), plot->series ? plot->series : "", axes);
    if (diag_count(diag) != before)
        return false;
    plot->name = file_name(arena, fields.name, plot);
    return true;
}

bool plots_read(struct arena *arena, struct diag *diag, struct node *list, const struct sweep_axes *axes,
                struct plots *plots)
{
    bool good = true;
    *plots = (struct plots){ 0 };
    if (!list)
        return true;
    plots->plot = ARENA_ARRAY(arena, struct plot, list->count);
    for (struct node *entry = list->first; entry; entry = entry->next)
        good = read_plot(arena, diag, entry, axes, &plots->plot[plots->count++]) && good;
    for (size_t i = 0; good && i < plots->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(plots->plot[i].name, plots->plot[k].name) == 0)
                plots->plot[i].name = arena_printf(arena, "%s-%zu", plots->plot[i].name, i + 1);
    return good;
}
