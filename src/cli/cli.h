/* src/cli/cli.h - what the commands share: the command table, common options, streams.
 *
 * Results go to standard output, everything else to standard error. Files named by --json, --csv and
 * --effective are written as a whole or not at all; "-" is standard output, and then nothing else goes there.
 */
#ifndef LAB_CLI_CLI_H
#define LAB_CLI_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "src/machine/machine.h"
#include "src/study/load.h"
#include "src/study/progress.h"

struct command {
    const char *name, *arguments, *summary;   /* arguments as in usage: "CONFIG" */
    int (*run)(int argc, char **argv);        /* argv[0] is "labyrinth NAME"; the exit code */
};

extern const struct command command_run, command_check, command_sweep, command_merge, command_plot, command_export,
    command_protocol, command_verify, command_stress, command_list, command_explain, command_schema, command_bench,
    command_validate, command_litmus, command_step, command_alloc;

/* ---- common options */

enum { COMMON_CONFIG = 1, COMMON_HOST = 2, COMMON_RESULT = 4, COMMON_QUIET = 8, COMMON_PROGRESS = 16 };

struct common {
    char **args;                     /* positional */
    size_t args_count;
    const char **sets;               /* --set and --seed, in order */
    size_t sets_count;
    const char *json, *csv, *effective, *trace;
    bool quiet, verbose, host_stats;
    enum progress_when progress;
    struct run_options run;
};

/* A command's own options; `parser` gets their keys only (arguments are collected in struct common). */
struct usage {
    const struct argp_option *options;   /* ended by {0}; NULL: none */
    argp_parser_t parser;                /* its state->input is `own` */
    unsigned common;                     /* COMMON_... */
    const char *arguments, *doc;
    size_t args_min, args_max;
};

/* Parses everything or ends the program: --help with 0, mistakes with 2 and the nearest name. */
struct common parse_arguments(const struct usage *, int argc, char **argv, void *own);
/* A whole number of an option, low to high, or fail_user. */
uint64_t parse_number(const char *option, const char *text, uint64_t low, uint64_t high);
/* fail_user: `what` "X" is unknown; the nearest of known. */
_Noreturn void fail_unknown(const char *what, const char *given, const char *const *known, size_t count);

/* ---- running */

/* Standard error, unless --quiet. */
void note(const struct common *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Loads with the given assignments or ends with the messages and exit code 2. */
void load_or_fail(struct study_doc *, const char *argument, const char *const *sets, size_t sets_count);
/* The same for an experiment that is text of the program; it is read as if it were a file. load_text returns like study_load. */
bool load_text(struct study_doc *, const char *text, const char *const *sets, size_t sets_count);
void load_text_or_fail(struct study_doc *, const char *text, const char *const *sets, size_t sets_count);
struct machine *build_or_fail(struct study_doc *, const struct run_options *);
void print_host_stats(const struct result *);
/* "Xeon E7-8867L, one socket, cores 8, protocol mesi"; in the arena of the study. */
const char *machine_line(struct study_doc *);

#endif
