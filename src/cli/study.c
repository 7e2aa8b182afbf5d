/* src/cli/study.c - see study.h. */
#include "src/cli/study.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/table.h"
#include "src/config/read.h"
#include "src/study/outfile.h"

enum { FAILURES_SHOWN = 10, ROWS_SHOWN = 100, COLUMNS_SHOWN = 4, WIDTH = 100 };

void study_write_text(const char *folder, const char *name, const char *text)
{
    char *path = path_join(folder, name);
    struct outfile *out = outfile_open(path);
    fputs(text, outfile_stream(out));
    outfile_commit(out);
    free(path);
}

static void write_frame(const char *folder, const char *name, void (*write)(FILE *, const struct frame *),
                        const struct frame *f)
{
    char *path = path_join(folder, name);
    struct outfile *out = outfile_open(path);
    write(outfile_stream(out), f);
    outfile_commit(out);
    free(path);
}

static bool repeated(const struct plan *plan)
{
    for (size_t i = 0; i < plan->point_count; i++)
        if (plan->point[i].repetition > 0)
            return true;
    return false;
}

void study_export_tables(struct store *store, const char *folder)
{
    struct frame *f = frame_load(store);
    write_frame(folder, "results.csv", frame_write_csv, f);
    if (repeated(f->plan))
        write_frame(folder, "summary.csv", frame_write_summary, f);
    frame_free(f);
}

static void say_point(FILE *out, const struct plan *plan, const struct plan_point *p, const struct record *r)
{
    fprintf(out, "point %llu (", (unsigned long long)p->number);
    for (size_t i = 0; i < plan->axes_count; i++)
        fprintf(out, "%s%s=%s", i ? ", " : "", plan->axes[i], p->values[i]);
    fprintf(out, "%sseed %llu): exit code %d\n", plan->axes_count ? ", " : "", (unsigned long long)p->seed, r->exit_code);
    fputs(r->text, out);
}

void study_say_failures(FILE *out, struct store *store, const struct plan *plan, unsigned shard, unsigned shards)
{
    size_t n = 0;
    for (size_t i = shard - 1; i < plan->point_count; i += shards) {
        struct record *r = store_get(store, plan->point[i].key);
        if (r && r->exit_code != EXIT_CLEAN && n++ < FAILURES_SHOWN)
            say_point(out, plan, &plan->point[i], r);
        if (r)
            record_free(r);
    }
    if (n > FAILURES_SHOWN)
        fprintf(out, "... and %zu more points that did not end clean: results.csv, column exit_code\n", n - FAILURES_SHOWN);
}

/* ---- a table for people */

/* The classes that a study is most likely about: their mean and 99th percentile. */
static size_t choose_columns(const struct frame *f, size_t columns[COLUMNS_SHOWN])
{
    static const enum class_id wanted[] = { CLASS_GRANT, CLASS_PAIR, CLASS_ALLOC_ATOMIC, CLASS_PAGE_OWN, CLASS_PINGPONG,
                                            CLASS_ALLOC_KERNEL, CLASS_DMA_WRITE, CLASS_ATOMIC, CLASS_STORE, CLASS_LOAD };
    static const char *const stats[] = { "mean_ns", "p99_ns" };
    size_t n = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted && n < COLUMNS_SHOWN; i++)
        for (size_t k = 0; k < 2 && n < COLUMNS_SHOWN; k++) {
            char name[METRIC_NAME_MAX];
            snprintf(name, sizeof name, "%s.%s", class_infos[wanted[i]].name, stats[k]);
            size_t column = frame_column(f, name);
            if (column < f->metric_count)
                columns[n++] = column;
        }
    return n;
}

static void interval_cells(struct table *t, const struct frame *f, uint64_t number, const size_t *columns, size_t n, bool ci)
{
    char text[32], half[32];
    for (size_t k = 0; k < n; k++) {
        struct interval v = frame_interval(f, number, columns[k]);
        if (v.count == 0)
            table_cell(t, "-");
        else if (ci && v.known && v.half_width == 0)
            table_cell(t, "%s equal in all %llu", ns_text(v.mean, text), (unsigned long long)v.count);
        else if (ci && v.known)
            table_cell(t, "%s +- %s", ns_text(v.mean, text), ns_text(v.half_width, half));
        else
            table_cell_fixed3(t, v.mean, 1);
    }
}

static void point_rows(struct table *t, const struct frame *f, const size_t *columns, size_t n)
{
    size_t shown = 0;
    for (size_t i = 0; i < f->row_count && shown < ROWS_SHOWN; i++) {
        const struct plan_point *p = f->row[i].point;
        if (i > 0 && f->row[i - 1].point->number == p->number)
            continue;
        table_row(t);
        for (size_t a = 0; a < f->plan->axes_count; a++)
            table_cell(t, "%s", p->values[a]);
        interval_cells(t, f, p->number, columns, n, repeated(f->plan));
        shown++;
    }
}

/* Did all repetitions of every point do exactly the same? */
static bool all_equal(const struct frame *f)
{
    for (size_t i = 1; i < f->row_count; i++)
        if (f->row[i].point->number == f->row[i - 1].point->number &&
            strcmp(f->row[i].record->order_hash, f->row[i - 1].record->order_hash) != 0)
            return false;
    return true;
}

/* The last component of a path, if no other axis has the same one. */
static const char *axis_heading(const struct plan *plan, size_t axis)
{
    const char *last = strrchr(plan->axes[axis], '.');
    for (size_t i = 0; last && i < plan->axes_count; i++) {
        const char *other = strrchr(plan->axes[i], '.');
        if (i != axis && strcmp(other ? other : plan->axes[i], last) == 0)
            last = NULL;
    }
    return last ? last + 1 : plan->axes[axis];
}

static size_t axes_width(const struct frame *f)
{
    size_t width = 0;
    for (size_t a = 0; a < f->plan->axes_count; a++) {
        size_t most = strlen(axis_heading(f->plan, a));
        for (size_t i = 0; i < f->plan->point_count; i++) {
            size_t n = strlen(f->plan->point[i].values[a]);
            most = n > most ? n : most;
        }
        width += most + 2;
    }
    return width;
}

/* As many columns as a line has room for, at least one. */
static size_t fit_columns(const struct frame *f, const size_t *columns, size_t n)
{
    size_t width = axes_width(f), fit = 0, least = repeated(f->plan) ? 26 : 12;
    while (fit < n) {
        size_t heading = strlen(f->metric[columns[fit]].name);
        width += (heading > least ? heading : least) + 2;
        if (width > WIDTH && fit > 0)
            break;
        fit++;
    }
    return fit;
}

static void say_notes(FILE *out, const struct frame *f)
{
    bool shortened = false;
    for (size_t a = 0; a < f->plan->axes_count; a++)
        shortened |= strcmp(axis_heading(f->plan, a), f->plan->axes[a]) != 0;
    if (shortened) {
        fputs("Axes:", out);
        for (size_t a = 0; a < f->plan->axes_count; a++)
            fprintf(out, " %s", f->plan->axes[a]);
        fputc('\n', out);
    }
    if (repeated(f->plan))
        fputs(all_equal(f) ? "All repetitions are equal: nothing in this experiment is random.\n"
                           : "Behind +-: half of the 95 % confidence interval of the mean.\n", out);
}

void study_say_table(FILE *out, const char *folder)
{
    struct store *store = store_open(folder, STORE_READ);
    struct frame *f = frame_load(store);
    size_t columns[COLUMNS_SHOWN], n = fit_columns(f, columns, choose_columns(f, columns));
    struct table *t = table_new(text_style_for(out));
    char *title = store_fact(store, "title");
    for (size_t a = 0; a < f->plan->axes_count; a++)
        table_column(t, axis_heading(f->plan, a), TABLE_RIGHT);
    for (size_t k = 0; k < n; k++)
        table_column(t, f->metric[columns[k]].name, TABLE_RIGHT);
    if (*title)
        fprintf(out, "%s\n", title);
    if (n + f->plan->axes_count > 0) {
        point_rows(t, f, columns, n);
        table_print(t, out);
        say_notes(out, f);
    }
    fprintf(out, "%zu of %zu runs in %s: results.csv and " STORE_FILE "\nlabyrinth plot %s draws them\n", f->row_count,
            f->plan->point_count, folder, folder);
    free(title);
    table_free(t);
    frame_free(f);
    store_close(store);
}

/* ---- plots of the stored configuration */

struct plots study_plots(struct arena *arena, const char *folder)
{
    struct diag *diag = diag_new();
    struct plots plots = { 0 };
    char *path = path_join(folder, "config.yaml");
    struct node *root = read_file(arena, diag, arena_strdup(arena, path));
    if (root && node_expect(diag, root, NODE_MAPPING, "An experiment is a mapping."))
        plots_read(arena, diag, node_get(root, "plots"), NULL, &plots);
    diag_exit_if_errors(diag);
    diag_free(diag);
    free(path);
    return plots;
}
