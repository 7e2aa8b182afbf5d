/* tests/unit/test_study_plot.c - reading `plots` blocks, and the data and scripts made from them. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "src/config/read.h"
#include "src/study/plot.h"

/* ---- reading */

static struct plots read_plots(struct arena *arena, struct diag *diag, const char *text)
{
    static struct sweep_axes axes;
    struct plots plots = { 0 };
    struct node *root = read_text(arena, diag, (struct origin){ "test.yaml", 1, 1 }, text);
    cr_assert(root);
    axes.axes_count = 2;
    axes.axis[0].path = "machine.cores";
    axes.axis[1].path = "protocol";
    plots_read(arena, diag, root, &axes, &plots);
    return plots;
}

Test(plot_desc, reads_what_design_shows)
{
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct plots p = read_plots(arena, diag,
                                "- { x: machine.cores, y: exclusive.grant.p99_ns, series: protocol, logx: true }\n"
                                "- { x: machine.cores, y: [load.mean_ns, store.mean_ns], name: a/b }\n"
                                "- { kind: stack, x: protocol, y: alloc.atomic.phases }\n"
                                "- { x: machine.cores, y: exclusive.grant.p99_ns, xlabel: cores, ylabel: a b, series_title: c }\n");
    cr_assert_eq(diag_count(diag), 0);
    cr_assert_eq(p.count, 4);
    cr_assert_str_eq(p.plot[0].name, "exclusive.grant.p99_ns-vs-machine.cores");
    cr_assert(p.plot[0].logx && !p.plot[0].logy);
    cr_assert_str_eq(p.plot[0].series, "protocol");
    cr_assert_eq(p.plot[1].y_count, 2);
    cr_assert_str_eq(p.plot[1].name, "a-b", "a name cannot leave the folder");
    cr_assert_eq(p.plot[2].kind, PLOT_STACK);
    cr_assert_eq(p.plot[2].y[0].class, CLASS_ALLOC_ATOMIC);
    cr_assert_str_neq(p.plot[3].name, p.plot[0].name, "two plots never share a file");
    cr_assert_str_eq(p.plot[3].xlabel, "cores");
    cr_assert_str_eq(p.plot[3].ylabel, "a b");
    cr_assert_str_eq(p.plot[3].series_title, "c");
    diag_free(diag);
    arena_free(arena);
}

Test(plot_desc, refuses_what_cannot_be_drawn)
{
    static const char *const wrong[] = {
        "- { x: machine.core, y: load.mean_ns }\n",  "- { x: machine.cores, y: load.mean }\n",
        "- { x: machine.cores }\n",                  "- { y: load.mean_ns }\n",
        "- { x: machine.cores, y: load.phases }\n",  "- { kind: stack, x: machine.cores, y: load.mean_ns }\n",
        "- { x: machine.cores, y: load.mean_ns, logz: true }\n",
        "- { x: machine.cores, y: load.mean_ns, where: { protcol: mesi } }\n",
        "- { x: machine.cores, y: load.mean_ns, where: mesi }\n",
        "- { kind: pie, x: machine.cores, y: load.mean_ns }\n", "- text\n",
        "- { x: machine.cores, y: load.mean_ns, series: seed }\n", "- { x: machine.cores, y: [] }\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct arena *arena = arena_new();
        struct diag *diag = diag_new();
        read_plots(arena, diag, wrong[i]);
        cr_assert_gt(diag_count(diag), 0, "%s", wrong[i]);
        diag_free(diag);
        arena_free(arena);
    }
}

/* ---- a small study: 3 sizes, 2 protocols, 2 repetitions */

enum { SIZES = 3, PROTOCOLS = 2, REPETITIONS = 2, RUNS = SIZES * PROTOCOLS * REPETITIONS, METRICS = 3 };

static struct plan plan;
static struct plan_point points[RUNS];
static const char *values[RUNS][2];
static struct frame_row rows[RUNS];
static struct metric metrics[METRICS];
static uint64_t cells[RUNS][METRICS];
static const uint64_t *cell_pointers[RUNS][METRICS];

static struct frame small_study(void)
{
    static const char *const axes[] = { "machine.cores", "protocol" }, *const sizes[] = { "2", "4", "16" };
    static const char *const protocols[] = { "mesi", "it's" };
    static const char *const names[METRICS] = { "exclusive.grant.mean_ns", "exclusive.grant.phases.alloc_ns",
                                                "exclusive.grant.phases.zero_ns" };
    char why[100];
    plan = (struct plan){ 2, axes, RUNS, points };
    for (unsigned m = 0; m < METRICS; m++)
        cr_assert(metric_resolve(names[m], &metrics[m], why, sizeof why));
    for (unsigned i = 0; i < RUNS; i++) {
        unsigned number = i / REPETITIONS;
        values[i][0] = sizes[number / PROTOCOLS];
        values[i][1] = protocols[number % PROTOCOLS];
        points[i] = (struct plan_point){ number, i % REPETITIONS, 0, "k", values[i] };
        cells[i][0] = 100000 * (number + 1) + 2000 * (i % REPETITIONS);
        cells[i][1] = 70000 * (number + 1);
        cells[i][2] = 30000 * (number + 1) + 2000 * (i % REPETITIONS);
        for (unsigned m = 0; m < METRICS; m++)
            cell_pointers[i][m] = &cells[i][m];
        rows[i] = (struct frame_row){ &points[i], NULL, cell_pointers[i] };
    }
    return (struct frame){ &plan, RUNS, rows, METRICS, metrics };
}

static bool draw(const struct frame *f, const struct plot *plot, char **data, char **script)
{
    size_t bytes;
    struct plot_context context = { "a title", "footer" };
    FILE *d = open_memstream(data, &bytes), *s = open_memstream(script, &bytes);
    bool any = plot_write(d, s, f, plot, &context);
    fclose(d);
    fclose(s);
    return any;
}

Test(plot, lines_have_means_and_error_bars)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "", .x = "machine.cores", .series = "protocol", .logx = true, .y_count = 1 };
    char why[100], *data, *script;
    cr_assert(metric_resolve("exclusive.grant.mean_ns", &plot.y[0], why, sizeof why));
    cr_assert(draw(&f, &plot, &data, &script));
    /* point 0: 100000 and 102000 ps: mean 101 ns, half width 12.706 ns */
    cr_assert(strstr(data, "\n2 101.000 88.294 113.706\n"), "%s", data);
    cr_assert(strstr(data, "\n16 501.000 488.294 513.706\n"), "%s", data);
    cr_assert(strstr(script, "exclusive.grant, mean (ns)"), "%s", script);
    cr_assert(strstr(script, "yerrorlines"));
    cr_assert(strstr(script, "set yrange [0:*]") && !strstr(script, "set logscale y"));
    cr_assert(strstr(script, "#0072B2") && strstr(script, "#D55E00"), "each series has its colour");
    cr_assert(strstr(script, "'it''s'"), "a quote in a name is doubled: %s", script);
    cr_assert(strstr(script, "set logscale x"));
    cr_assert(strstr(script, "set xlabel 'machine.cores (log scale)'"), "%s", script);
    cr_assert(strstr(script, "ps 2.1 pt 7") && strstr(script, "ps 1.1 pt 5"), "lines that coincide are told apart: %s", script);
    cr_assert(strstr(script, "footer") && strstr(script, "a title"));
    free(data);
    free(script);
}

/* Two points of six have no number: they are gaps, and nothing is drawn where there is none. */
Test(plot, a_missing_number_breaks_the_line)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "", .x = "machine.cores", .series = "protocol", .y_count = 1 };
    char why[100], *data, *script;
    cr_assert(metric_resolve("exclusive.grant.mean_ns", &plot.y[0], why, sizeof why));
    for (unsigned i = 0; i < RUNS; i++)
        if (points[i].number == 2 || points[i].number == 5) /* 4, mesi; 16, it's */
            cell_pointers[i][0] = NULL;
    cr_assert(draw(&f, &plot, &data, &script));
    const char *hole = strstr(data, "\n4 NaN NaN NaN\n16 501.000"), *end = strstr(data, "\n4 401.000 388.294 413.706\n16 NaN NaN NaN\n");
    cr_expect(hole && end && hole < end, "%s", data);
    free(data);
    free(script);
}

Test(plot, words_of_the_plot_replace_the_paths)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "", .x = "machine.cores", .series = "protocol", .logy = true, .y_count = 1,
                         .xlabel = "cores", .ylabel = "a grant", .series_title = "tables" };
    char why[100], *data, *script;
    cr_assert(metric_resolve("exclusive.grant.mean_ns", &plot.y[0], why, sizeof why));
    cr_assert(draw(&f, &plot, &data, &script));
    cr_assert(strstr(script, "set xlabel 'cores'\n"), "%s", script);
    cr_assert(strstr(script, "set ylabel 'a grant (ns, log scale)'\n"), "%s", script);
    cr_assert(strstr(script, "set key title 'tables'\n"), "%s", script);
    free(data);
    free(script);
}

/* A line's title says in what the metrics differ, the axis says the rest. */
Test(plot, lines_are_named_by_what_tells_them_apart)
{
    static const struct { const char *y[3], *titles[3]; } cases[] = {
        { { "alloc.atomic.mean_ns", "alloc.atomic.parts.pcp.mean_ns", "alloc.atomic.parts.fail.mean_ns" }, { "mesi: all'", "mesi: pcp'", "mesi: fail'" } },
        { { "alloc.atomic.p50_ns", "alloc.atomic.p90_ns", "alloc.atomic.p99_ns" }, { "mesi: median'", "mesi: 90th percentile'", "mesi: 99th percentile'" } },
        { { "alloc.atomic.parts.fail.count", "alloc.nowait.parts.fail.count", "alloc.kernel.parts.fail.count" }, { "mesi: alloc.atomic'", "mesi: alloc.nowait'", "mesi: alloc.kernel'" } },
        { { "alloc.atomic.p50_ns", "free.p50_ns", "free.p99_ns" }, { "mesi: alloc.atomic, median'", "mesi: free, median'", "mesi: free, 99th percentile'" } },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame f = small_study();
        struct plot plot = { .name = "n", .title = "", .x = "machine.cores", .y_count = 3 };
        char why[100], *data, *script;
        for (unsigned y = 0; y < 3; y++)
            cr_assert(metric_resolve(cases[i].y[y], &plot.y[y], why, sizeof why), "%s", why);
        draw(&f, &plot, &data, &script);
        for (unsigned y = 0; y < 3; y++)
            cr_expect(strstr(script, cases[i].titles[y]), "%s in %s", cases[i].titles[y], script);
        free(data);
        free(script);
    }
}

Test(plot, stacks_are_running_sums)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "t", .x = "machine.cores", .series = "protocol", .kind = PLOT_STACK,
                         .y_count = 1, .y = { { .name = "exclusive.grant.phases", .scope = SCOPE_CLASS, .class = CLASS_GRANT,
                                                .stat = STAT_PHASE, .source = SOURCE_NONE } } };
    char *data, *script;
    cr_assert(draw(&f, &plot, &data, &script));
    cr_assert(strstr(data, "\n0 101.000 70.000 101.000 101.000\n"), "%s", data);
    cr_assert(strstr(data, "\n4 202.000") == NULL && strstr(data, "\n4 201.000 140.000 201.000 201.000\n"), "%s", data);
    cr_assert(strstr(script, "using 1:3 title 'alloc' with boxes lc rgb '#332288'"), "a step has its colour: %s", script);
    cr_assert(strstr(script, "using 1:4 title 'zero' with boxes lc rgb '#CC6677'"), "%s", script);
    cr_assert_null(strstr(script, "(null)"));
    cr_assert_null(strstr(script, "below 1 %"), "nothing is left over");
    free(data);
    free(script);
}

Test(plot, what_varies_besides_becomes_part_of_the_label)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "", .x = "protocol" };
    struct plot_grid *g = plot_grid_make(&f, &plot);
    cr_assert_eq(g->x_count, PROTOCOLS);
    cr_assert_eq(g->series_count, SIZES);
    cr_assert_not(g->numeric);
    cr_assert_str_eq(g->series[2].label, "cores 16");
    cr_assert_eq(g->number[2 * PROTOCOLS + 1], 5);
    plot_grid_free(g);
    plot.where_count = 1;
    plot.where[0] = (struct plot_where){ "machine.cores", "4" };
    g = plot_grid_make(&f, &plot);
    cr_assert_eq(g->series_count, 1);
    cr_assert_str_eq(g->series[0].label, "", "what is fixed is no label");
    cr_assert_eq(g->number[0], 2);
    plot_grid_free(g);
    plot.where[0].value = "5";
    cr_assert_null(plot_grid_make(&f, &plot));
    plot.x = "nothing";
    cr_assert_null(plot_grid_make(&f, &plot));
}

Test(plot, nothing_is_drawn_without_numbers)
{
    struct frame f = small_study();
    struct plot plot = { .name = "n", .title = "", .x = "machine.cores", .y_count = 1 };
    char why[100], *data, *script;
    cr_assert(metric_resolve("atomic.mean_ns", &plot.y[0], why, sizeof why));
    cr_assert_not(draw(&f, &plot, &data, &script));
    free(data);
    free(script);
}

Test(plot, units_fit_the_largest_value)
{
    cr_assert_str_eq(plot_unit_for(9999999).name, "ns");
    cr_assert_str_eq(plot_unit_for(10000000).name, "µs");
    cr_assert_str_eq(plot_unit_for(UINT64_C(10000000000)).name, "ms");
}

/* gnuplot reads the text of a tick as a format of printf. */
Test(plot, a_tick_is_a_format)
{
    char quoted[40];
    cr_expect_str_eq(plot_quote(quoted, sizeof quoted, "50% of 'min'"), "'50% of ''min'''");
    cr_expect_str_eq(plot_tick(quoted, sizeof quoted, "50% of 'min'"), "'50%% of ''min'''");
}

/* The study stores no count of a source that served nobody: it is zero where the class occurred, and nothing elsewhere. */
Test(plot, a_source_that_served_nobody_is_zero)
{
    struct frame f = small_study();
    char why[100];
    cr_assert(metric_resolve("alloc.atomic.parts.fail.count", &metrics[0], why, sizeof why));
    cr_assert(metric_resolve("alloc.atomic.count", &metrics[1], why, sizeof why));
    for (unsigned i = 0; i < RUNS; i++) {
        cells[i][0] = cells[i][1] = 10;
        cell_pointers[i][0] = i == 1 ? &cells[i][0] : NULL;
        cell_pointers[i][1] = i < 4 ? &cells[i][1] : NULL;
    }
    cr_expect(frame_interval(&f, 0, 0).count == 2 && frame_interval(&f, 0, 0).mean == 5, "one run of two had ten");
    cr_expect(frame_interval(&f, 1, 0).count == 2 && frame_interval(&f, 1, 0).mean == 0);
    cr_expect_eq(frame_interval(&f, 2, 0).count, 0, "the class did not occur");
}
