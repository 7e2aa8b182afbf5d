/* src/base/table.c - see the header. */
#include "src/base/table.h"

#include "src/base/arena.h"
#include "src/base/fail.h"
#include "src/base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { COLUMNS_MAX = 32, CELL_BYTES = 256, BAR_COLUMNS_MAX = 60 };

struct row {
    struct row *next;
    bool rule;
    unsigned count;
    const char *cell[COLUMNS_MAX];
};

struct table {
    struct arena *memory;
    struct text_style style;
    unsigned column_count;
    const char *heading[COLUMNS_MAX];
    enum table_align align[COLUMNS_MAX];
    struct row *first, *last;
};

static bool locale_is_utf8(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" }; /* POSIX: the first that is set decides */
    for (unsigned i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return strstr(value, "UTF-8") || strstr(value, "utf8") || strstr(value, "utf-8") || strstr(value, "UTF8");
    }
    return false;
}

struct text_style text_style_for(FILE *out)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    bool dumb = term && strcmp(term, "dumb") == 0;
    return (struct text_style){
        .ansi = isatty(fileno(out)) && !(no_color && *no_color) && !dumb,
        .utf8 = locale_is_utf8(),
    };
}

struct table *table_new(struct text_style style)
{
    struct arena *memory = arena_new();
    struct table *t = ARENA_ONE(memory, struct table);
    t->memory = memory;
    t->style = style;
    return t;
}

void table_free(struct table *t)
{
    if (t)
        arena_free(t->memory);
}

void table_column(struct table *t, const char *heading, enum table_align align)
{
    CHECK(t->column_count < COLUMNS_MAX && !t->first, "table: no room for column '%s'", heading);
    t->heading[t->column_count] = arena_strdup(t->memory, heading);
    t->align[t->column_count++] = align;
}

void table_row(struct table *t)
{
    struct row *r = ARENA_ONE(t->memory, struct row);
    if (t->last)
        t->last->next = r;
    else
        t->first = r;
    t->last = r;
}

void table_rule(struct table *t)
{
    table_row(t);
    t->last->rule = true;
}

static void add_cell(struct table *t, const char *text)
{
    struct row *r = t->last;
    CHECK(r && !r->rule && r->count < t->column_count, "table: no column for cell '%s'", text);
    r->cell[r->count++] = arena_strdup(t->memory, text);
}

void table_cell(struct table *t, const char *format, ...)
{
    char text[CELL_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add_cell(t, text);
}

/* Digits in groups of three, separated by spaces (ISO 80000-1). */
static void grouped(char text[32], uint64_t value)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, value), out = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            text[out++] = ' ';
        text[out++] = digits[i];
    }
    text[out] = '\0';
}

/* thousandths rounded half up to so many decimals. */
static void fixed_text(char text[40], uint64_t thousandths, unsigned decimals)
{
    static const unsigned unit[] = { 1000, 100, 10, 1 };
    unsigned d = decimals < 3 ? decimals : 3;
    uint64_t rounded = thousandths / unit[d] + (thousandths % unit[d] * 2 >= unit[d]);
    unsigned scale = 1000 / unit[d];
    char whole[32];
    grouped(whole, rounded / scale);
    if (d == 0)
        snprintf(text, 40, "%s", whole);
    else
        snprintf(text, 40, "%s.%0*u", whole, (int)d, (unsigned)(rounded % scale));
}

void table_cell_u64(struct table *t, uint64_t value)
{
    char text[32];
    grouped(text, value);
    add_cell(t, text);
}

void table_cell_fixed3(struct table *t, uint64_t thousandths, unsigned decimals)
{
    char text[40];
    fixed_text(text, thousandths, decimals);
    add_cell(t, text);
}

__extension__ typedef unsigned __int128 u128;

/* part / whole in `steps`ths, rounded half up; whole is not 0. */
static uint64_t in_steps(uint64_t part, uint64_t whole, uint64_t steps)
{
    return (uint64_t)(((u128)part * steps + whole / 2) / whole);
}

void table_cell_share(struct table *t, uint64_t part, uint64_t whole)
{
    if (whole == 0) {
        add_cell(t, "-");
        return;
    }
    uint64_t permille = in_steps(part, whole, 1000);
    table_cell(t, "%" PRIu64 ".%u %%", permille / 10, (unsigned)(permille % 10));
}

/* Full blocks, then one of eight left blocks (U+2588 to U+258F); ASCII in whole characters. What is not
 * nothing shows at least its smallest piece. */
void table_cell_bar(struct table *t, uint64_t part, uint64_t whole, unsigned columns)
{
    char text[3 * BAR_COLUMNS_MAX + 8];
    unsigned width = columns < BAR_COLUMNS_MAX ? columns : BAR_COLUMNS_MAX, out = 0;
    unsigned per_column = t->style.utf8 ? 8 : 1;
    uint64_t pieces = whole ? in_steps(part < whole ? part : whole, whole, (uint64_t)width * per_column) : 0;
    if (pieces == 0 && part > 0 && whole > 0)
        pieces = 1;
    for (; pieces >= per_column; pieces -= per_column)
        out += (unsigned)sprintf(text + out, "%s", t->style.utf8 ? "\xe2\x96\x88" : "#");
    if (pieces > 0)
        out += (unsigned)sprintf(text + out, "\xe2\x96%c", (char)(0x90 - (int)pieces));
    text[out] = '\0';
    add_cell(t, text);
}

static void measure(const struct table *t, unsigned width[COLUMNS_MAX])
{
    for (unsigned c = 0; c < t->column_count; c++)
        width[c] = utf8_columns(t->heading[c]);
    for (const struct row *r = t->first; r; r = r->next)
        for (unsigned c = 0; c < r->count; c++) {
            unsigned w = utf8_columns(r->cell[c]);
            width[c] = w > width[c] ? w : width[c];
        }
}

static void print_spaces(FILE *out, unsigned n) { fprintf(out, "%*s", (int)n, ""); }

/* Two spaces between columns, none after the last. */
static void print_cells(const struct table *t, FILE *out, const char *const cell[], unsigned count, const unsigned width[])
{
    unsigned owed = 0;
    for (unsigned c = 0; c < count; c++) {
        unsigned pad = width[c] - utf8_columns(cell[c]);
        if (t->align[c] == TABLE_RIGHT)
            owed += pad;
        if (*cell[c]) {
            print_spaces(out, owed);
            fputs(cell[c], out);
            owed = 0;
        }
        owed += t->align[c] == TABLE_LEFT ? pad + 2 : 2;
    }
}

static void print_rule(const struct table *t, FILE *out, const unsigned width[])
{
    unsigned total = t->column_count ? 2 * (t->column_count - 1) : 0;
    for (unsigned c = 0; c < t->column_count; c++)
        total += width[c];
    fputs(t->style.ansi ? "\033[2m" : "", out);
    for (unsigned i = 0; i < total; i++)
        fputs(t->style.utf8 ? "\xe2\x94\x80" : "-", out);
    fputs(t->style.ansi ? "\033[0m\n" : "\n", out);
}

static bool has_headings(const struct table *t)
{
    for (unsigned c = 0; c < t->column_count; c++)
        if (*t->heading[c])
            return true;
    return false;
}

void table_print(const struct table *t, FILE *out)
{
    unsigned width[COLUMNS_MAX];
    measure(t, width);
    if (has_headings(t)) {
        fputs(t->style.ansi ? "\033[1m" : "", out);
        print_cells(t, out, t->heading, t->column_count, width);
        fputs(t->style.ansi ? "\033[0m\n" : "\n", out);
        print_rule(t, out, width);
    }
    for (const struct row *r = t->first; r; r = r->next) {
        if (r->rule)
            print_rule(t, out, width);
        else {
            print_cells(t, out, r->cell, r->count, width);
            fputc('\n', out);
        }
    }
}

void breakdown_print(FILE *out, struct text_style style, const struct breakdown_part *parts, unsigned count,
                     uint64_t total_ps)
{
    enum { BAR_COLUMNS = 32 };
    struct table *t = table_new(style);
    table_column(t, "where the time went", TABLE_LEFT);
    table_column(t, "ns", TABLE_RIGHT);
    table_column(t, "share", TABLE_RIGHT);
    table_column(t, "", TABLE_LEFT);
    for (unsigned i = 0; i < count; i++) {
        if (parts[i].ps == 0)
            continue;
        table_row(t);
        table_cell(t, "%s", parts[i].name);
        table_cell_fixed3(t, parts[i].ps, 2);
        table_cell_share(t, parts[i].ps, total_ps);
        table_cell_bar(t, parts[i].ps, total_ps, BAR_COLUMNS);
    }
    table_rule(t);
    table_row(t);
    table_cell(t, "total");
    table_cell_fixed3(t, total_ps, 2);
    table_cell_share(t, total_ps, total_ps);
    table_print(t, out);
    table_free(t);
}

const char *duration_text(char buffer[DURATION_BYTES], uint64_t ps)
{
    static const char *const unit[] = { "ps", "ns", "us", "ms" };
    uint64_t scale = 1;
    for (unsigned u = 0; u < sizeof unit / sizeof *unit; u++, scale *= 1000) {
        for (unsigned decimals = u ? 3 : 1; decimals-- > 0;) {
            static const unsigned tens[] = { 1, 10, 100 };
            uint64_t rounded = in_steps(ps, scale, tens[decimals]);
            if (rounded >= 1000)
                continue;
            uint64_t whole = rounded / tens[decimals], rest = rounded % tens[decimals];
            if (decimals == 0)
                snprintf(buffer, DURATION_BYTES, "%" PRIu64 " %s", whole, unit[u]);
            else
                snprintf(buffer, DURATION_BYTES, "%" PRIu64 ".%0*" PRIu64 " %s", whole, (int)decimals, rest, unit[u]);
            return buffer;
        }
    }
    uint64_t hundredths = in_steps(ps, scale, 100);
    snprintf(buffer, DURATION_BYTES, "%" PRIu64 ".%02u s", hundredths / 100, (unsigned)(hundredths % 100));
    return buffer;
}

void print_wrapped(FILE *out, unsigned column, unsigned indent, const char *words)
{
    enum { WIDTH = 100 };
    bool first = true;
    for (const char *word = words; *word;) {
        size_t bytes = strcspn(word, " ");
        unsigned columns = (unsigned)bytes;
        if (!first && column + 1 + columns > WIDTH)
            column = (unsigned)fprintf(out, "\n%*s", (int)indent, "") - 1;
        else if (!first)
            column += (unsigned)fprintf(out, " ");
        column += (unsigned)fprintf(out, "%.*s", (int)bytes, word);
        first = false;
        word += bytes;
        word += strspn(word, " ");
    }
    fputc('\n', out);
}
