/* src/study/plot_stack.c - where the time went: stacked bars of phases or hardware parts over x, one group of
 * bars per series. Bars are drawn from the top of the stack down, each over the rest of the last, so that
 * the legend reads like the stack.
 */
#include <inttypes.h>
#include <string.h>

#include "src/study/plot.h"

enum { LABEL_MAX = 320, TERMS_MAX = (int)PHASE_COUNT + (int)PART_COUNT };

/* A step or part has the same colour in every plot; those of one class differ. */
static const char *const phase_colours[PHASE_COUNT] = {
    [PH_ALLOC] = "#332288", [PH_LOCK] = "#88CCEE", [PH_UNMAP] = "#44AA99", [PH_IOMMU_REVOKE] = "#117733",
    [PH_TLB] = "#999933", [PH_COHERENCE] = "#DDCC77", [PH_ZERO] = "#CC6677", [PH_FENCE] = "#882255",
    [PH_PUBLISH] = "#AA4499", [PH_INTERRUPTED] = "#661100", [PH_OTHER] = "#888888", [PH_ENTRY] = "#332288",
    [PH_PCP] = "#88CCEE", [PH_ZONE_WAIT] = "#999933", [PH_ZONE_HOLD] = "#44AA99", [PH_SLOW] = "#882255",
    [PH_EXIT] = "#6699CC", [PH_WAIT] = "#999933", [PH_WORK] = "#44AA99",
};
static const char *const part_colours[PART_COUNT] = {
    [PART_CORE] = "#332288", [PART_ISSUE] = "#6699CC", [PART_TRANSLATE] = "#661100", [PART_L1] = "#88CCEE",
    [PART_L2] = "#44AA99", [PART_REQUEST_NET] = "#117733", [PART_HOME_WAIT] = "#999933", [PART_HOME] = "#DDCC77",
    [PART_OWNER] = "#CC6677", [PART_ACKS] = "#882255", [PART_DRAM] = "#AA4499", [PART_RESPONSE_NET] = "#BBCC33",
    [PART_FILL] = "#EE8866", [PART_DEVICE] = "#004488", [PART_PRIOR] = "#888888",
};

struct layer { const char *name, *colour; size_t column; bool shown; };

struct stack {
    const struct frame *frame;
    const struct plot_grid *grid;
    size_t layer_count;
    struct layer layer[TERMS_MAX];
    bool rest;                    /* layers too small to be seen are added up */
};

static uint64_t layer_ps(const struct stack *s, size_t layer, size_t series, size_t x)
{
    uint64_t number = s->grid->number[series * s->grid->x_count + x];
    return number == PLOT_NO_POINT ? 0 : frame_interval(s->frame, number, s->layer[layer].column).mean;
}

static uint64_t total_ps(const struct stack *s, size_t series, size_t x)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->layer_count; i++)
        sum += layer_ps(s, i, series, x);
    return sum;
}

/* Layers that reach 1 % of some bar are shown. */
static void choose_layers(struct stack *s, const struct metric *y)
{
    unsigned count = y->stat == STAT_PHASE ? phase_term_count(y->class) : (unsigned)PART_COUNT;
    for (unsigned i = 0; i < count; i++) {
        char name[2 * METRIC_NAME_MAX];
        unsigned id = y->stat == STAT_PHASE ? phase_in_order(y->class, i) : i;
        bool part = y->stat == STAT_HARDWARE || class_infos[y->class].memory;
        const char *term = part ? part_terms[id].name : phase_terms[id].name;
        snprintf(name, sizeof name, "%s.%s_ns", y->name, term);
        size_t column = frame_column(s->frame, name);
        if (column < s->frame->metric_count)
            s->layer[s->layer_count++] = (struct layer){ term, part ? part_colours[id] : phase_colours[id], column, false };
    }
    for (size_t i = 0; i < s->layer_count; i++) {
        bool any = false;
        for (size_t c = 0; c < s->grid->series_count * s->grid->x_count; c++) {
            size_t series = c / s->grid->x_count, x = c % s->grid->x_count;
            s->layer[i].shown |= layer_ps(s, i, series, x) * 100 > total_ps(s, series, x);
            any |= layer_ps(s, i, series, x) > 0;
        }
        s->rest |= any && !s->layer[i].shown;
    }
}

static void put(FILE *data, uint64_t ps, uint64_t divisor)
{
    fprintf(data, " %" PRIu64 ".%03" PRIu64, ps / divisor, ps % divisor / (divisor / 1000));
}

/* position, "x", total, then running sums from the bottom: rest, last shown layer, ... first shown layer. */
static void put_bar(FILE *data, const struct stack *s, size_t series, size_t x, size_t position, uint64_t divisor)
{
    uint64_t sum = 0, small = 0;
    for (size_t i = 0; i < s->layer_count; i++)
        small += s->layer[i].shown ? 0 : layer_ps(s, i, series, x);
    fprintf(data, "%zu", position);
    put(data, total_ps(s, series, x), divisor);
    for (size_t i = 0; i < s->layer_count; i++)
        if (s->layer[i].shown) {
            sum += layer_ps(s, i, series, x);
            put(data, sum, divisor);
        }
    put(data, sum + small, divisor);
    fputc('\n', data);
}

static size_t position_of(const struct plot_grid *g, size_t series, size_t x) { return series * (g->x_count + 1) + x; }

static void put_axes(FILE *script, const struct stack *s, const struct plot *plot, const char *unit)
{
    const struct plot_grid *g = s->grid;
    char quoted[LABEL_MAX], label[LABEL_MAX / 2];
    bool groups = g->series_count > 1 || g->series[0].label[0];
    char made[LABEL_MAX / 4];
    snprintf(made, sizeof made, "%s, mean", class_infos[plot->y[0].class].name);
    snprintf(label, sizeof label, "%s (%s)", plot_words(plot->ylabel, made), unit);
    fprintf(script, "set ylabel %s\nset yrange [0:*]\n", plot_quote(quoted, sizeof quoted, label));
    fprintf(script, "set xrange [-0.7:%zu.7]\n", position_of(g, g->series_count - 1, g->x_count - 1));
    snprintf(label, sizeof label, "%s%s%s", plot_words(plot->xlabel, plot->x), groups && plot->series ? ", groups: " : "",
             groups && plot->series ? plot_words(plot->series_title, plot->series) : "");
    fprintf(script, "set xlabel %s%s\n", plot_quote(quoted, sizeof quoted, label), groups ? " offset 0,-1.4" : "");
    fputs("set xtics scale 0 (", script);
    for (size_t i = 0; i < g->series_count; i++)
        for (size_t x = 0; x < g->x_count; x++)
            fprintf(script, "%s%s %zu", i + x ? ", " : "", plot_tick(quoted, sizeof quoted, g->x[x]), position_of(g, i, x));
    fputs(")\n", script);
    for (size_t i = 0; groups && i < g->series_count; i++)
        fprintf(script, "set label %zu %s at first %zu.%u, graph 0 offset 0,-2.2 center\n", i + 10,
                plot_quote(quoted, sizeof quoted, g->series[i].label), position_of(g, i, 0) + (g->x_count - 1) / 2,
                g->x_count % 2 ? 0u : 5u);
}

static void put_layers(FILE *script, const struct stack *s)
{
    size_t column = 2, last = 0, lines = 0;
    for (size_t i = 0; i < s->layer_count; i++) {
        last += s->layer[i].shown;
    }
    fputs("set key outside right center vertical Left reverse samplen 1 spacing 1.3 width 1\nplot", script);
    if (s->rest) {
        fprintf(script, " \\\n  datafile using 1:%zu title 'each below 1 %%' with boxes lc rgb '#DDDDDD'", last + 3);
        lines++;
    }
    for (size_t i = s->layer_count; i-- > 0;) {
        if (!s->layer[i].shown)
            continue;
        last--;
        column = last + 3;
        fprintf(script, "%s \\\n  datafile using 1:%zu title '%s' with boxes lc rgb '%s'", lines++ ? "," : "", column,
                s->layer[i].name, s->layer[i].colour);
    }
    fputs(", \\\n  datafile using 1:2:(sprintf($2 < 10 ? '%.2f' : $2 < 100 ? '%.1f' : '%.0f', $2)) with labels "
          "offset 0,0.6 font ',11' notitle\n",
          script);
}

bool plot_stack_write(FILE *data, FILE *script, const struct frame *f, const struct plot *plot, const struct plot_grid *g)
{
    struct stack s = { .frame = f, .grid = g };
    uint64_t most = 0;
    choose_layers(&s, &plot->y[0]);
    if (s.layer_count == 0)
        return false;
    for (size_t c = 0; c < g->series_count * g->x_count; c++) {
        uint64_t total = total_ps(&s, c / g->x_count, c % g->x_count);
        most = total > most ? total : most;
    }
    struct plot_unit unit = plot_unit_for(most);
    fprintf(data, "# position, total, running sums:");
    for (size_t i = 0; i < s.layer_count; i++)
        if (s.layer[i].shown)
            fprintf(data, " %s", s.layer[i].name);
    fputs(" rest\n", data);
    for (size_t c = 0; c < g->series_count * g->x_count; c++)
        put_bar(data, &s, c / g->x_count, c % g->x_count, position_of(g, c / g->x_count, c % g->x_count), unit.divisor);
    put_axes(script, &s, plot, unit.name);
    fputs("set style fill solid 1 border rgb 'white'\nset boxwidth 0.8\n", script);
    put_layers(script, &s);
    return true;
}
