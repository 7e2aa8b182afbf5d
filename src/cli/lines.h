/* src/cli/lines.h - lines of memory that the user names, and their lives. */
#ifndef LAB_CLI_LINES_H
#define LAB_CLI_LINES_H

#include "src/machine/watch.h"

enum { LINE_WHY_BYTES = 160 };
/* The line of a byte address, hexadecimal (0x...) or decimal. False: `text` is none. */
bool parse_line(const char *text, lineno *line);
/* Does the machine have it? False after a text of what is wrong with the address as the user wrote it. */
bool line_in_memory(const struct machine *, lineno, const char *address, char why[LINE_WHY_BYTES]);
/* The busiest lines of a run so far, as a table; "no transition so far" if there is none. */
void print_busy_lines(FILE *, const struct busy_lines *, size_t most);

/* What --history asks for: at most HISTORIES_MAX lines. */
enum { HISTORIES_MAX = 8 };
struct histories {
    const char *asked[HISTORIES_MAX];   /* an address, or "busiest" */
    size_t count;
    struct busy_lines *busy;
    struct history_of { lineno line; struct line_life *life; char *text; size_t size; FILE *out; } of[HISTORIES_MAX];
};
/* Checks what was asked for, or fail_user; `busiest` becomes the line with the most transitions of a run made for that. */
void histories_find(struct histories *, struct study_doc *, const struct run_options *);
void histories_watch(struct histories *, struct machine *);   /* before the run */
void histories_print(struct histories *, FILE *);             /* after it; frees everything */

#endif
