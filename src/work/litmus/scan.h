/* src/work/litmus/scan.h - reading the text of a litmus test: characters, words, numbers, positions, errors.
 * For the files of the parser only.
 */
#ifndef LAB_WORK_LITMUS_SCAN_H
#define LAB_WORK_LITMUS_SCAN_H

#include "src/work/litmus/test.h"

struct scan {
    struct arena *arena;
    struct diag *diag;
    const char *file;
    char *text;                 /* comments are spaces; text[size] is 0 */
    size_t size, at;
    size_t end;                 /* the part being read ends here */
};

struct origin scan_origin(const struct scan *, size_t at);
/* Records an error at a place; returns false, for `return scan_error(...)`. */
bool scan_error(struct scan *, size_t at, const char *rule, const char *format, ...) __attribute__((format(printf, 4, 5)));
bool scan_unexpected(struct scan *, const char *wanted); /* error: what stands here instead of `wanted` */
/* Replaces (* ... *), nested, and // to the end of the line. False: a comment does not end. */
bool scan_strip_comments(struct scan *);

void scan_space(struct scan *);
bool scan_at_end(struct scan *);                    /* nothing but space is left */
bool scan_accept(struct scan *, const char *literal); /* skips space, takes the literal if it is next */
bool scan_word_is(struct scan *, const char *word); /* the same for a whole word */
/* An identifier [A-Za-z_][A-Za-z0-9_.']*; NULL if none is next. Length in *n. */
const char *scan_name(struct scan *, size_t *n);
bool scan_number_next(struct scan *);
bool scan_number(struct scan *, int64_t *value);    /* decimal or 0x, with sign; error if there is none */

/* ---- parts of the parser */
struct lit_location { bool is_var; uint8_t thread, reg, bytes, var; };

struct parse {
    struct scan scan;
    struct litmus_test *test;
    uint32_t named[LIT_THREADS_MAX]; /* registers that condition or locations name, by bit */
    uint32_t threads_named;     /* by any location, by bit; and where */
    size_t thread_named_at[LIT_THREADS_MAX];
};

/* The number of a variable, made if new; -1 after an error. */
int parse_var(struct parse *, size_t at, const char *name, size_t n);
/* "0:EAX", "[x]", "x". */
bool parse_location(struct parse *, struct lit_location *);
/* A number, a variable's name or &name (its address). */
bool parse_value(struct parse *, uint64_t *);
bool parse_initial(struct parse *);     /* from after '{' past '}' (init.c) */
bool parse_code(struct parse *);        /* the table of columns (code.c) */
bool parse_instruction(struct parse *, struct lit_ins *, const char **label); /* scan.end: end of the cell (instruction.c) */
bool parse_conditions(struct parse *);  /* locations, filter, condition, end of file (condition.c) */

#endif
