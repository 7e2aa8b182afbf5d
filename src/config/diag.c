/* src/config/diag.c - errors of the input. Own memory (not the trees' arena): errors outlive trees. */
#include "src/config/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/suggest.h"

struct item {
    size_t file; /* index into diag.files: the first sort key */
    uint32_t line, column;
    size_t serial; /* the last sort key, so that the order is total */
    char *path, *what, *rule, *hint, *context;
};

struct diag {
    char **files;
    size_t file_count;
    struct item *items; /* the first DIAG_KEEP_MAX; a file of noise must not fill the memory */
    size_t kept_count, distinct_count, count;
    size_t latest; /* item of the latest error, which may be an old one again */
};

static void *checked(void *memory)
{
    if (!memory)
        fail_user("out of memory while collecting errors");
    return memory;
}

static char *copy_or_null(const char *text)
{
    return text ? checked(strdup(text)) : NULL;
}

struct diag *diag_new(void)
{
    struct diag *d = checked(calloc(1, sizeof *d));
    d->items = checked(calloc(DIAG_KEEP_MAX, sizeof *d->items));
    return d;
}

static void drop(struct item *item)
{
    free(item->path);
    free(item->what);
    free(item->rule);
    free(item->hint);
    free(item->context);
}

void diag_free(struct diag *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->file_count; i++)
        free(d->files[i]);
    for (size_t i = 0; i < d->kept_count; i++)
        drop(&d->items[i]);
    free(d->files);
    free(d->items);
    free(d);
}

static size_t file_index(struct diag *d, const char *file)
{
    for (size_t i = 0; i < d->file_count; i++)
        if (strcmp(d->files[i], file) == 0)
            return i;
    d->files = checked(realloc(d->files, (d->file_count + 1) * sizeof *d->files));
    d->files[d->file_count] = checked(strdup(file));
    return d->file_count++;
}

void diag_file(struct diag *d, const char *file)
{
    (void)file_index(d, file);
}

static char *format_text(const char *format, va_list args)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = checked(open_memstream(&text, &size));
    vfprintf(out, format, args);
    fclose(out);
    return checked(text);
}

/* A file read twice (for its kind, then for good) complains once: index of the same complaint, or kept_count. */
static size_t find_item(const struct diag *d, const struct item *item)
{
    for (size_t i = 0; i < d->kept_count; i++) {
        const struct item *old = &d->items[i];
        if (old->file == item->file && old->line == item->line && old->column == item->column &&
            strcmp(old->what, item->what) == 0 && strcmp(old->path ? old->path : "", item->path ? item->path : "") == 0)
            return i;
    }
    return d->kept_count;
}

static char *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text_of(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    return text;
}

void diag_error(struct diag *d, struct origin at, const char *path, const char *rule, const char *format, ...)
{
    d->count++;
    if (d->kept_count == DIAG_KEEP_MAX) {
        d->distinct_count++;
        return;
    }
    va_list args;
    va_start(args, format);
    struct item item = {
        .file = file_index(d, at.file ? at.file : "configuration"),
        .line = at.line,
        .column = at.column,
        .serial = d->distinct_count,
        .path = copy_or_null(path && *path ? path : NULL),
        .what = format_text(format, args),
        .rule = copy_or_null(rule),
    };
    va_end(args);
    d->latest = find_item(d, &item);
    if (d->latest < d->kept_count) {
        drop(&item);
        return;
    }
    d->items[d->kept_count++] = item;
    d->distinct_count++;
}

/* "a, b, c" or NULL when that would be too long to help. */
static char *list_words(const char *const *known, size_t n)
{
    enum { FEW = 12 };
    if (n == 0 || n > FEW)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = checked(open_memstream(&text, &size));
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s", i ? ", " : "Known here: ", known[i]);
    fclose(out);
    return text;
}

void diag_suggest(struct diag *d, const char *word, const char *const *known, size_t n)
{
    if (d->kept_count == 0 || d->distinct_count > d->kept_count)
        return;
    struct item *item = &d->items[d->latest];
    const char *near = suggest_nearest(word, known, n);
    free(item->hint);
    item->hint = NULL;
    item->hint = near ? text_of("Did you mean \"%s\"?", near) : list_words(known, n);
}

void diag_merge(struct diag *into, const struct diag *from, const char *context)
{
    for (size_t i = 0; i < from->kept_count; i++) {
        const struct item *item = &from->items[i];
        size_t before = into->kept_count;
        diag_error(into, (struct origin){ from->files[item->file], item->line, item->column }, item->path, item->rule, "%s", item->what);
        if (into->kept_count == before)
            continue;
        into->items[before].hint = copy_or_null(item->hint);
        into->items[before].context = copy_or_null(context);
    }
}

size_t diag_count(const struct diag *d)
{
    return d->count;
}

size_t diag_distinct_count(const struct diag *d)
{
    return d->distinct_count;
}

static int by_position(const void *a, const void *b)
{
    const struct item *x = *(const struct item *const *)a, *y = *(const struct item *const *)b;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->serial < y->serial ? -1 : x->serial > y->serial;
}

static void print_item(const struct diag *d, const struct item *item, FILE *out)
{
    fputs(d->files[item->file], out);
    if (item->line)
        fprintf(out, ":%u:%u", item->line, item->column);
    fputs(": ", out);
    if (item->path)
        fprintf(out, "%s: ", item->path);
    fprintf(out, "%s\n", item->what);
    if (item->rule)
        fprintf(out, "  %s\n", item->rule);
    if (item->hint)
        fprintf(out, "  %s\n", item->hint);
    if (item->context)
        fprintf(out, "  %s\n", item->context);
}

void diag_print(const struct diag *d, FILE *out)
{
    const struct item **order = checked(calloc(d->kept_count + 1, sizeof *order));
    for (size_t i = 0; i < d->kept_count; i++)
        order[i] = &d->items[i];
    qsort(order, d->kept_count, sizeof *order, by_position);
    size_t printed_count = d->kept_count < DIAG_PRINT_MAX ? d->kept_count : DIAG_PRINT_MAX;
    for (size_t i = 0; i < printed_count; i++)
        print_item(d, order[i], out);
    if (d->distinct_count > printed_count)
        fprintf(out, "... and %zu more\n", d->distinct_count - printed_count);
    free(order);
}

void diag_exit_if_errors(const struct diag *d)
{
    if (d->count == 0)
        return;
    char *text = NULL;
    size_t size = 0;
    FILE *out = checked(open_memstream(&text, &size));
    diag_print(d, out);
    fclose(out);
    if (size > 0)
        text[size - 1] = '\0'; /* fail_user ends the last line */
    fail_user("%zu error%s in the input\n%s", d->distinct_count, d->distinct_count == 1 ? "" : "s", text);
}

const char *shown(char buffer[SHOWN_MAX], const char *text)
{
    enum { KEEP = SHOWN_MAX - 8 };
    size_t n = 0;
    buffer[n++] = '"';
    for (; *text && n < KEEP; text++)
        buffer[n++] = (unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text;
    /* Never cut inside a UTF-8 sequence: drop its tail, and the head before it. */
    if (*text) {
        while (n > 1 && ((unsigned char)*text & 0xc0) == 0x80 && ((unsigned char)buffer[n - 1] & 0x80))
            if (((unsigned char)buffer[--n] & 0xc0) == 0xc0)
                break;
        memcpy(buffer + n, "...", 3);
        n += 3;
    }
    buffer[n++] = '"';
    buffer[n] = '\0';
    return buffer;
}
