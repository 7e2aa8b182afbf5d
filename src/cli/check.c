/* src/cli/check.c - labyrinth check: every error of the given files, without running. */
#include <string.h>

#include "models/coherence/table.h"
#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/config/find.h"

static const struct usage usage = {
    .common = COMMON_CONFIG | COMMON_QUIET,
    .arguments = "CONFIG...", .args_min = 1, .args_max = 1000,
    .doc = "Checks configurations without running them: experiments, or machines and protocols by path.\v"
           "Prints all errors with file, line, column, rule and nearest key; exit code 2 if there are any. Of a sweep every "
           "point is built.",
};

/* The same text as when a run refuses its input. */
static void print_errors(const struct diag *diag)
{
    size_t n = diag_distinct_count(diag);
    if (n > 0)
        fprintf(stderr, "labyrinth: %zu error%s in the input\n", n, n == 1 ? "" : "s");
    diag_print(diag, stderr);
}

/* The base and every point: all errors together, in the order of their places. */
static bool check_experiment(const struct common *c, const char *argument)
{
    struct study_doc study;
    if (study_load(&study, argument, c->sets, c->sets_count)) {
        struct machine *m = machine_new(&study.doc, &c->run, study.diag);
        if (m)
            machine_free(m);
    }
    bool good = study_check_points(&study, c->sets, c->sets_count, &c->run);
    print_errors(study.diag);
    study_unload(&study);
    return good;
}

/* What is wrong is in diag. */
static void check_by_kind(struct arena *arena, struct diag *diag, const char *argument, const char *kind)
{
    struct origin by = { argument, 0, 0 };
    if (strcmp(kind, "machine") == 0) {
        struct node *machine = machine_load(arena, diag, argument, by, NULL);
        if (machine)
            machine_check_file(machine, diag);
    } else {
        struct node *root = config_load(arena, diag, "protocols", "protocol", argument, by, NULL);
        struct protocol *p = root ? protocol_load(root, diag) : NULL;
        if (p)
            protocol_free(p);
    }
}

static bool check_file(const struct common *c, const char *argument)
{
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    const char *kind = config_kind(arena, diag, "experiments", argument);
    bool experiment = kind && strcmp(kind, "experiment") == 0;
    if (kind && !experiment)
        check_by_kind(arena, diag, argument, kind);
    bool good = diag_count(diag) == 0;
    print_errors(diag);
    diag_free(diag);
    arena_free(arena);
    return good && (!experiment || check_experiment(c, argument));
}

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    size_t bad = 0;
    for (size_t i = 0; i < c.args_count; i++) {
        bool good = check_file(&c, c.args[i]);
        if (good && !c.quiet)
            printf("%s: good\n", c.args[i]);
        bad += !good;
    }
    return bad ? EXIT_INPUT : EXIT_CLEAN;
}

const struct command command_check = { "check", "CONFIG...", "Validate configurations without running", run };
