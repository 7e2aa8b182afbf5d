/* src/study/frame.c - see frame.h. */
#include "src/study/frame.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/json.h"
#include "src/study/result_json.h"

static void *zeroed(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes);
    CHECK_MEMORY(memory, "out of memory");
    return memory;
}

/* ---- loading */

static int by_name(const void *a, const void *b)
{
    const struct metric *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int by_dictionary(const void *a, const void *b) { return metric_compare(a, b); }

/* A metric that a later version dropped is passed over. */
static void collect_metrics(struct frame *f)
{
    size_t total = 0, n = 0;
    for (size_t i = 0; i < f->row_count; i++)
        total += f->row[i].record->value_count;
    f->metric = zeroed(total, sizeof *f->metric);
    for (size_t i = 0; i < f->row_count; i++) {
        size_t known = n;
        for (size_t k = 0; k < f->row[i].record->value_count; k++) {
            struct metric *m = &f->metric[n];
            snprintf(m->name, sizeof m->name, "%s", f->row[i].record->value[k].name);
            if (!bsearch(m, f->metric, known, sizeof *m, by_name) && metric_resolve_stored(f->row[i].record->value[k].name, m))
                n++;
        }
        qsort(f->metric, n, sizeof *f->metric, by_name);
    }
    qsort(f->metric, n, sizeof *f->metric, by_dictionary);
    f->metric_count = n;
}

/* Records come sorted by name. */
static int value_by_name(const void *name, const void *value)
{
    return strcmp(name, ((const struct named_value *)value)->name);
}

static void fill_cells(struct frame *f, struct frame_row *row)
{
    row->cell = zeroed(f->metric_count, sizeof *row->cell);
    for (size_t i = 0; i < f->metric_count; i++) {
        const struct named_value *v = bsearch(f->metric[i].name, row->record->value, row->record->value_count,
                                              sizeof *v, value_by_name);
        row->cell[i] = v ? &v->value : NULL;
    }
}

struct frame *frame_load(struct store *store)
{
    struct frame *f = zeroed(1, sizeof *f);
    f->plan = store_plan(store);
    f->row = zeroed(f->plan->point_count, sizeof *f->row);
    for (size_t i = 0; i < f->plan->point_count; i++) {
        struct record *r = store_get(store, f->plan->point[i].key);
        if (r)
            f->row[f->row_count++] = (struct frame_row){ .point = &f->plan->point[i], .record = r };
    }
    collect_metrics(f);
    for (size_t i = 0; i < f->row_count; i++)
        fill_cells(f, &f->row[i]);
    return f;
}

void frame_free(struct frame *f)
{
    for (size_t i = 0; i < f->row_count; i++) {
        free(f->row[i].cell);
        record_free(f->row[i].record);
    }
    plan_free(f->plan);
    free(f->row);
    free(f->metric);
    free(f);
}

static size_t find_column(const struct frame *f, const char *name)
{
    size_t i = 0;
    while (i < f->metric_count && strcmp(f->metric[i].name, name) != 0)
        i++;
    return i;
}

size_t frame_column(const struct frame *f, const char *name)
{
    size_t i = find_column(f, name);
    const char *phases = i == f->metric_count ? strstr(name, ".phases.") : NULL;
    struct metric m;
    if (!phases || !metric_resolve_stored(name, &m) || !class_infos[m.class].memory)
        return i;
    char other[METRIC_NAME_MAX + 16];
    snprintf(other, sizeof other, "%.*s.hardware.%s", (int)(phases - name), name, phases + strlen(".phases."));
    return find_column(f, other);
}

/* Rows are sorted by point number. */
static size_t first_row(const struct frame *f, uint64_t number)
{
    size_t low = 0, high = f->row_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->row[middle].point->number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The count of a source from which no request of a run was served is not stored: it is 0 where the class occurred. The column
 * of the class's count, or metric_count. */
static size_t column_of_whole(const struct frame *f, size_t column)
{
    const struct metric *m = column < f->metric_count ? &f->metric[column] : NULL;
    char name[METRIC_NAME_MAX];
    if (!m || m->scope != SCOPE_CLASS || m->stat != STAT_COUNT || m->source == SOURCE_NONE)
        return f->metric_count;
    snprintf(name, sizeof name, "%s.count", class_infos[m->class].name);
    return frame_column(f, name);
}

struct interval frame_interval(const struct frame *f, uint64_t number, size_t column)
{
    size_t first = first_row(f, number), end = first, n = 0;
    while (end < f->row_count && f->row[end].point->number == number)
        end++;
    uint64_t *values = zeroed(end - first, sizeof *values);
    size_t whole = column_of_whole(f, column);
    for (size_t i = first; column < f->metric_count && i < end; i++)
        if (f->row[i].cell[column])
            values[n++] = *f->row[i].cell[column];
        else if (whole < f->metric_count && f->row[i].cell[whole])
            values[n++] = 0;
    struct interval result = interval_of(values, n);
    free(values);
    return result;
}

/* ---- writing */

static void put_paths(FILE *out, const struct frame *f)
{
    for (size_t i = 0; i < f->plan->axes_count; i++) {
        fputc(',', out);
        csv_cell(out, f->plan->axes[i]);
    }
}

static void put_coordinates(FILE *out, const struct frame *f, const struct plan_point *p)
{
    for (size_t i = 0; i < f->plan->axes_count; i++) {
        fputc(',', out);
        csv_cell(out, p->values[i]);
    }
}

static void put_number(FILE *out, const struct metric *m, const uint64_t *value)
{
    char text[32];
    fprintf(out, ",%s", value ? metric_number(m, *value, text) : "");
}

void frame_write_csv(FILE *out, const struct frame *f)
{
    fputs("point,repetition,seed", out);
    put_paths(out, f);
    fputs(",exit_code,stop,order_hash", out);
    for (size_t i = 0; i < f->metric_count; i++) {
        fputc(',', out);
        csv_cell(out, f->metric[i].name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < f->row_count; i++) {
        const struct frame_row *row = &f->row[i];
        fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64, row->point->number, row->point->repetition, row->point->seed);
        put_coordinates(out, f, row->point);
        fprintf(out, ",%d,%s,%s", row->record->exit_code, row->record->stop, row->record->order_hash);
        for (size_t k = 0; k < f->metric_count; k++)
            put_number(out, &f->metric[k], row->cell[k]);
        fputc('\n', out);
    }
}

static void put_interval(FILE *out, const struct frame *f, uint64_t number, size_t column)
{
    struct interval v = frame_interval(f, number, column);
    put_number(out, &f->metric[column], v.count ? &v.mean : NULL);
    put_number(out, &f->metric[column], v.known ? &v.half_width : NULL);
}

void frame_write_summary(FILE *out, const struct frame *f)
{
    fputs("point", out);
    put_paths(out, f);
    fputs(",repetitions", out);
    for (size_t i = 0; i < f->metric_count; i++) {
        fputc(',', out);
        csv_cell(out, f->metric[i].name);
        fprintf(out, ",%s.ci95", f->metric[i].name);
    }
    fputc('\n', out);
    for (size_t i = 0; i < f->row_count;) {
        const struct plan_point *p = f->row[i].point;
        size_t n = 0;
        while (i + n < f->row_count && f->row[i + n].point->number == p->number)
            n++;
        fprintf(out, "%" PRIu64, p->number);
        put_coordinates(out, f, p);
        fprintf(out, ",%zu", n);
        for (size_t k = 0; k < f->metric_count; k++)
            put_interval(out, f, p->number, k);
        fputc('\n', out);
        i += n;
    }
}

void frame_write_json(FILE *out, const struct frame *f)
{
    struct json j = json_writer(out, false);
    json_array(&j, NULL);
    for (size_t i = 0; i < f->row_count; i++) {
        const struct frame_row *row = &f->row[i];
        json_object(&j, NULL);
        json_u64(&j, "point", row->point->number);
        json_u64(&j, "repetition", row->point->repetition);
        json_u64(&j, "seed", row->point->seed);
        json_string(&j, "key", row->point->key);
        json_object(&j, "coordinates");
        for (size_t k = 0; k < f->plan->axes_count; k++)
            json_string(&j, f->plan->axes[k], row->point->values[k]);
        json_end(&j);
        json_i64(&j, "exit_code", row->record->exit_code);
        json_string(&j, "text", row->record->text);
        json_raw(&j, "result", row->record->json);
        json_end(&j);
    }
    json_end(&j);
    json_finish(&j);
}
