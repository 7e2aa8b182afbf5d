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
           "Prints all errors with file, line, column, rule and nearest key; exit code 2 if there are any. Of a sweep every "
           "point is built.",
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

/* Loads and builds with these assignments. what: the point, for the message; NULL: the base. */
static bool build_point(const struct common *c, const char *argument, const char *const *sets, size_t n, const char *what)
{
    struct study_doc study;
    if (study_load(&study, argument, sets, n)) {
        struct machine *m = machine_new(&study.doc, &c->run, study.diag);
        if (m)
            machine_free(m);
    }
    bool good = diag_count(study.diag) == 0;
    if (!good && what)
        fprintf(stderr, "%s, at the point %s:\n", argument, what);
    diag_print(study.diag, stderr);
    study_unload(&study);
    return good;
}

/* The first bad point ends it: its neighbours mostly have the same fault. */
static bool check_points(const struct common *c, const char *argument)
{
    struct study_doc study;
    bool good = true;
    load_or_fail(&study, argument, c->sets, c->sets_count);
    const struct sweep_axes *axes = &study.doc.axes;
    const char **sets = ARENA_ARRAY(study.arena, const char *, c->sets_count + axes->axes_count);
    for (size_t i = 0; i < c->sets_count; i++)
        sets[i] = c->sets[i];
    for (uint64_t point = 0; good && axes->axes_count > 0 && point < axes->points_count; point++) {
        const char *const *coordinates = sweep_point(study.arena, axes, point);
        const char *what = "";
        for (size_t i = 0; i < axes->axes_count; i++) {
            sets[c->sets_count + i] = coordinates[i];
            what = arena_printf(study.arena, "%s%s%s", what, i ? ", " : "", coordinates[i]);
        }
        good = build_point(c, argument, sets, c->sets_count + axes->axes_count, what);
    }
    study_unload(&study);
    return good;
}

static bool check_experiment(const struct common *c, const char *argument)
{
    return build_point(c, argument, c->sets, c->sets_count, NULL) && check_points(c, argument);
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
