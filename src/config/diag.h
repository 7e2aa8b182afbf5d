/* src/config/diag.h - all errors of the input, collected, then printed in the order of their positions.
 *
 * One error reads:
 *   FILE:LINE:COLUMN: path.to.key: what was given, what is allowed
 *     One line that teaches the rule.
 *     Did you mean "size"?
 *     At the point machine.cores=2.            (diag_merge)
 * Files come in the order in which they were first named (diag_file), lines and columns ascending,
 * equal positions in the order of reporting. At most DIAG_PRINT_MAX are printed, the rest is counted.
 * Nothing here ends the program but diag_exit_if_errors (exit 2 through fail_user).
 */
#ifndef LAB_CONFIG_DIAG_H
#define LAB_CONFIG_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { DIAG_PRINT_MAX = 20, DIAG_KEEP_MAX = 1000, SHOWN_MAX = 64 };

/* Where a value comes from. line and column count from 1; line 0: the text in `file` is all there is
 * (a file as a whole, or "--set a.b=1"). The text is borrowed: it lives in the tree's arena. */
struct origin {
    const char *file;
    uint32_t line, column;
};

struct diag;

struct diag *diag_new(void);
void diag_free(struct diag *);

/* Fixes a file's place in the printing order; files never named come in order of their first error. */
void diag_file(struct diag *, const char *file);

/* Records one error; all texts are copied. path and rule may be NULL. The format's text says what was
 * given and what is allowed, without a final stop. The same error at the same place counts once. */
void diag_error(struct diag *, struct origin, const char *path, const char *rule, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Adds `Did you mean "X"?` to the latest error if one of the known words is near, else `Known here: ...`
 * when they are few. */
void diag_suggest(struct diag *, const char *word, const char *const *known, size_t n);

/* Copies the errors of `from` that `into` does not have yet, each with the context as a line of its own. */
void diag_merge(struct diag *into, const struct diag *from, const char *context);

/* How often an error was reported: rises with every call, so that a caller sees whether his input had one. */
size_t diag_count(const struct diag *);
/* How many different ones there are. */
size_t diag_distinct_count(const struct diag *);
void diag_print(const struct diag *, FILE *);

/* Prints everything and exits with status 2 if there was an error; else returns. */
void diag_exit_if_errors(const struct diag *);

/* The user's text made fit for one line of a message: control characters shown as '?', long texts cut
 * with "...", in double quotes. Returns buffer. */
const char *shown(char buffer[SHOWN_MAX], const char *text);

#endif
