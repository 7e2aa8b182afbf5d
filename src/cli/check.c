/* src/cli/check.c - labyrinth check: every error of the given files, without running. */
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/config/find.h"
#include "src/config/read.h"

static const struct usage usage = {
    .common = COMMON_CONFIG | COMMON_QUIET,
    .arguments = "CONFIG...", .args_min = 1, .args_max = 1000,
    .doc = "Checks configurations without running them: experiments, or machines by path.\v"
           "Prints all errors with file, line, column, rule and nearest key; exit code 2 if there are any.",
};

/* What the file says it is; "experiment" if that cannot be told. */
static const char *kind_of(struct arena *arena, const char *argument)
{
    struct diag *ignored = diag_new();
    const char *kind = "experiment";
    struct node *root = config_is_path(argument) ? read_file(arena, ignored, argument) : NULL;
    const struct node *said = root ? node_peek(root, "kind") : NULL;
    if (said && said->kind == NODE_SCALAR)
        kind = said->text;
    diag_free(ignored);
    return kind;
}

static bool check_experiment(const struct common *c, const char *argument)
{
    struct study_doc study;
    if (study_load(&study, argument, c->sets, c->sets_count)) {
        struct machine *m = machine_new(&study.doc, &c->run, study.diag);
        if (m)
            machine_free(m);
    }
    bool good = diag_count(study.diag) == 0;
    diag_print(study.diag, stderr);
    study_unload(&study);
    return good;
}

static bool check_machine(const char *argument)
{
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    machine_load(arena, diag, argument, (struct origin){ argument, 0, 0 }, NULL);
    bool good = diag_count(diag) == 0;
    diag_print(diag, stderr);
    diag_free(diag);
    arena_free(arena);
    return good;
}

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    size_t bad = 0;
    for (size_t i = 0; i < c.args_count; i++) {
        struct arena *arena = arena_new();
        bool good = strcmp(kind_of(arena, c.args[i]), "machine") == 0 ? check_machine(c.args[i])
                                                                    : check_experiment(&c, c.args[i]);
        if (good && !c.quiet)
            printf("%s: good\n", c.args[i]);
        bad += !good;
        arena_free(arena);
    }
    return bad ? EXIT_INPUT : EXIT_CLEAN;
}

const struct command command_check = { "check", "CONFIG...", "Validate configurations without running", run };
