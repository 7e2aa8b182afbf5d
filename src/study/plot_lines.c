/* src/study/plot_lines.c - metrics over one swept path, one line per series and metric. */
#include <inttypes.h>
#include <string.h>

#include "src/study/plot.h"

enum { TICKS_MAX = 14, LABEL_MAX = 400 };

static const char *const colours[] = { "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000" };
static const unsigned marks[] = { 7, 5, 9, 13, 11, 6, 4, 8, 12, 10 };
enum { COLOURS = sizeof colours / sizeof *colours, MARKS = sizeof marks / sizeof *marks };

static struct interval cell(const struct frame *f, const struct plot_grid *g, size_t column, size_t series, size_t x)
{
    uint64_t number = g->number[series * g->x_count + x];
    return number == PLOT_NO_POINT ? (struct interval){ 0 } : frame_interval(f, number, column);
}

/* value / divisor, exactly: the divisor is 1 or a power of 1000. */
static void put_scaled(FILE *out, uint64_t value, uint64_t divisor)
{
    int digits = 0;
    for (uint64_t d = divisor; d > 1; d /= 10)
        digits++;
    fprintf(out, " %" PRIu64, value / divisor);
    if (digits > 0)
        fprintf(out, ".%0*" PRIu64, digits, value % divisor);
}

static uint64_t most_of(const struct frame *f, const struct plot *plot, const struct plot_grid *g)
{
    uint64_t most = 0;
    for (unsigned y = 0; y < plot->y_count; y++)
        for (size_t i = 0; metric_is_ns(&plot->y[y]) && i < g->series_count * g->x_count; i++) {
            struct interval v = cell(f, g, frame_column(f, plot->y[y].name), i / g->x_count, i % g->x_count);
            most = v.count && v.mean + v.half_width > most ? v.mean + v.half_width : most;
        }
    return most;
}

/* One line: x, value, low, high; low = high = value without repetitions. False if it is empty. */
static bool put_series(FILE *data, const struct frame *f, const struct plot *plot, const struct plot_grid *g,
                       const struct metric *y, size_t series, uint64_t divisor, bool *bars)
{
    size_t column = frame_column(f, y->name);
    bool any = false;
    fprintf(data, "# %s; %s\n# %s, value, low, high (95 %% confidence)\n", y->name, g->series[series].label, plot->x);
    for (size_t x = 0; x < g->x_count; x++) {
        struct interval v = cell(f, g, column, series, x);
        if (v.count == 0) { /* a gap, not a line across */
            fprintf(data, "%" PRIu64 " NaN NaN NaN\n", g->x_value[x]);
            continue;
        }
        uint64_t low = v.mean > v.half_width ? v.mean - v.half_width : 0;
        fprintf(data, "%" PRIu64, g->x_value[x]);
        put_scaled(data, v.mean, divisor);
        put_scaled(data, low, divisor);
        put_scaled(data, v.mean + v.half_width, divisor);
        fputc('\n', data);
        *bars |= v.half_width > 0;
        any = true;
    }
    fputs("\n\n", data);
    return any;
}

/* On a linear axis a label too close to the last one is left out, its tick stays: 25 labels of one or two characters find room, and
 * fewer longer ones. */
static void x_ticks(FILE *script, const struct plot_grid *g, bool linear, uint64_t width)
{
    char quoted[LABEL_MAX];
    uint64_t last = 0;
    if (g->x_count > TICKS_MAX)
        return;
    fputs("set xtics (", script);
    for (size_t i = 0; i < g->x_count; i++) {
        uint64_t x = g->x_value[i];
        size_t length = strlen(g->x[i]), room = length <= 2 ? 25 : 40 / length + 1;
        bool crowded = linear && i > 0 && x > last && (x - last) * room < width;
        fprintf(script, "%s%s %" PRIu64, i ? ", " : "", plot_tick(quoted, sizeof quoted, crowded ? "" : g->x[i]), x);
        last = crowded ? last : x;
    }
    fputs(")\n", script);
}

static void x_axis(FILE *script, const struct plot *plot, const struct plot_grid *g)
{
    char quoted[LABEL_MAX], label[LABEL_MAX / 2];
    uint64_t least = UINT64_MAX, most = 0;
    for (size_t i = 0; i < g->x_count; i++) {
        least = g->x_value[i] < least ? g->x_value[i] : least;
        most = g->x_value[i] > most ? g->x_value[i] : most;
    }
    bool log = plot->logx && g->numeric && least > 0;
    snprintf(label, sizeof label, "%s%s", plot_words(plot->xlabel, plot->x), log ? " (log scale)" : "");
    fprintf(script, "set xlabel %s\n", plot_quote(quoted, sizeof quoted, label));
    if (!g->numeric)
        fprintf(script, "set xrange [-0.5:%zu.5]\n", g->x_count - 1);
    else if (log)
        fprintf(script, "set logscale x 2\nset xrange [%" PRIu64 "*0.87:%" PRIu64 "*1.15]\n", least, most);
    else
        fputs("set offsets graph 0.03, graph 0.03, 0, 0\n", script);
    x_ticks(script, g, g->numeric && !log, most - least);
}

/* All metrics of one class: its name goes to the axis, not to every line. */
static bool one_class(const struct plot *plot)
{
    for (unsigned y = 0; y < plot->y_count; y++)
        if (plot->y[y].scope != SCOPE_CLASS || plot->y[y].class != plot->y[0].class)
            return false;
    return true;
}

static void y_axis(FILE *script, const struct plot *plot, const char *unit)
{
    char label[LABEL_MAX / 2], whole[LABEL_MAX], quoted[LABEL_MAX];
    if (plot->y_count == 1)
        metric_label(&plot->y[0], label, sizeof label);
    else
        snprintf(label, sizeof label, "%s", one_class(plot) ? class_infos[plot->y[0].class].name : *unit ? "latency" : "number");
    snprintf(whole, sizeof whole, *unit ? "%s (%s%s)" : "%s%s%s", plot_words(plot->ylabel, label), unit,
             !plot->logy ? "" : *unit ? ", log scale" : " (log scale)");
    fprintf(script, "set ylabel %s\n", plot_quote(quoted, sizeof quoted, whole));
    fputs(plot->logy ? "set logscale y\n" : "set yrange [0:*]\n", script);
}

/* In what the metrics differ: that is what a line's title says. */
static unsigned telling_words(const struct plot *plot)
{
    unsigned words = one_class(plot) ? 0 : METRIC_WORD_CLASS;
    for (unsigned y = 1; y < plot->y_count; y++) {
        const struct metric *m = &plot->y[y], *first = &plot->y[0];
        if (m->scope != SCOPE_CLASS || first->scope != SCOPE_CLASS)
            return METRIC_WORD_CLASS | METRIC_WORD_SOURCE | METRIC_WORD_STAT;
        words |= (m->source != first->source ? METRIC_WORD_SOURCE : 0u) |
                 (m->stat != first->stat || m->term != first->term ? METRIC_WORD_STAT : 0u);
    }
    return words;
}

static void line_title(char *title, size_t bytes, const struct plot *plot, unsigned y, const char *series)
{
    char words[LABEL_MAX / 2];
    if (plot->y_count == 1)
        snprintf(title, bytes, "%s", series);
    else
        snprintf(title, bytes, "%s%s%s", series, *series ? ": " : "",
                 metric_words(&plot->y[y], telling_words(plot), words, sizeof words));
}

/* Colour and mark by series, dashes by metric; without series colour and mark by metric. Each is drawn smaller than the one below it, so that lines that
 * coincide are both seen. */
static void put_line(FILE *script, const struct plot *plot, size_t n, unsigned y, size_t series, size_t series_count,
                     const char *label, bool bars)
{
    size_t look = series_count > 1 ? series : y, looks = series_count > 1 ? series_count : plot->y_count;
    size_t above = looks > 1 ? (looks - 1 - look) * 10 / (looks - 1) : 0, size = 11 + above, line_width = 18 + 2 * above;
    char title[LABEL_MAX], quoted[LABEL_MAX];
    line_title(title, sizeof title, plot, y, label);
    fprintf(script, "%s \\\n  datafile index %zu using %s title %s with %s lw %zu.%zu ps %zu.%zu pt %u dt %u lc rgb '%s'", n ? "," : "", n,
            bars ? "1:2:3:4" : "1:2", plot_quote(quoted, sizeof quoted, title), bars ? "yerrorlines" : "linespoints",
            line_width / 10, line_width % 10, size / 10, size % 10, marks[look % MARKS], series_count > 1 ? y + 1 : 1, colours[look % COLOURS]);
}

bool plot_lines_write(FILE *data, FILE *script, const struct frame *f, const struct plot *plot, const struct plot_grid *g)
{
    struct plot_unit unit = { metric_unit(&plot->y[0]), 1 };
    size_t lines = g->series_count * plot->y_count, n = 0;
    bool any = false;
    if (metric_is_ns(&plot->y[0]))
        unit = plot_unit_for(most_of(f, plot, g));
    x_axis(script, plot, g);
    y_axis(script, plot, unit.name);
    if (lines > 1 && plot->series) {
        char quoted[LABEL_MAX];
        fprintf(script, "set key title %s\n", plot_quote(quoted, sizeof quoted, plot_words(plot->series_title, plot->series)));
    }
    fputs(lines > 1 ? "set key outside right center vertical Left reverse samplen 2 spacing 1.3\nplot" : "unset key\nplot",
          script);
    for (unsigned y = 0; y < plot->y_count; y++)
        for (size_t s = 0; s < g->series_count; s++, n++) {
            bool bars = false;
            uint64_t divisor = metric_is_ns(&plot->y[y]) ? unit.divisor : 1;
            any |= put_series(data, f, plot, g, &plot->y[y], s, divisor, &bars);
            put_line(script, plot, n, y, s, g->series_count, g->series[s].label, bars);
        }
    fputc('\n', script);
    return any;
}
