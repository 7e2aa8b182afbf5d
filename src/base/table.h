/* src/base/table.h - tables and bars for people to read. Never read back by a program: results go out as JSON or CSV.
 *
 * Columns are as wide as their widest cell (UTF-8 aware). Headings and rules are set off by ANSI attributes when
 * the stream is a terminal and NO_COLOR is unset (no-color.org). Where the locale is not UTF-8, bars and rules
 * are ASCII.
 */
#ifndef LAB_BASE_TABLE_H
#define LAB_BASE_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct text_style {
    bool ansi; /* colours and bold allowed */
    bool utf8; /* block characters allowed */
};

struct text_style text_style_for(FILE *); /* from the stream and the environment */

enum table_align { TABLE_LEFT, TABLE_RIGHT };
struct table;

struct table *table_new(struct text_style);
void table_free(struct table *);
void table_column(struct table *, const char *heading, enum table_align); /* before the first row; copied */
void table_row(struct table *);                                           /* start a row; missing cells are empty */
void table_rule(struct table *);                                          /* a line between rows */
void table_cell(struct table *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void table_cell_u64(struct table *, uint64_t);            /* digits in groups of three: 1 234 567 */
void table_cell_fixed3(struct table *, uint64_t thousandths, unsigned decimals); /* ps as ns, rounded to 0..3 decimals */
void table_cell_share(struct table *, uint64_t part, uint64_t whole);            /* "12.3 %"; "-" of nothing */
void table_cell_bar(struct table *, uint64_t part, uint64_t whole, unsigned columns);
void table_print(const struct table *, FILE *);           /* ends with a newline; headings only if any is not empty */

/* Where a latency went: one line per part with its ns, share and bar, then the total.
 * Parts of 0 are left out. total_ps is printed, not recomputed. */
struct breakdown_part {
    const char *name;
    uint64_t ps;
};
void breakdown_print(FILE *, struct text_style, const struct breakdown_part *, unsigned count, uint64_t total_ps);

/* Words in lines of at most 100 columns, with a newline at the end. The first word is printed at `column`, where the stream
 * is; lines after the first begin at `indent`. A word too long for a line stays whole. Words are told apart by single spaces. */
void print_wrapped(FILE *, unsigned column, unsigned indent, const char *words);

/* A duration with its fitting unit and three significant digits: "469 ps", "35.5 ns", "1.20 ms". */
enum { DURATION_BYTES = 40 };
const char *duration_text(char buffer[DURATION_BYTES], uint64_t ps);

#endif
