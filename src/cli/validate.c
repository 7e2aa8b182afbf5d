/* src/cli/validate.c - labyrinth validate: the model against published measurements. */
#include "src/base/arena.h"
#include "src/base/fail.h"
#include "src/base/table.h"
#include "src/cli/cli.h"
#include "src/config/find.h"
#include "src/study/validate.h"

static const struct usage usage = {
    .common = COMMON_HOST | COMMON_QUIET,
    .arguments = "[MACHINE...]", .args_min = 0, .args_max = 100,
    .doc = "Runs what machine files claim to reproduce and compares it with the published value.\v"
           "Without an argument: all machines. A claim holds within 5 %; exit code 6 if one does not.",
};

static void claim_row(struct table *t, const struct claim *c)
{
    int64_t e = c->error_permille;
    table_row(t);
    table_cell(t, "%s", c->what);
    table_cell(t, "%s", c->row);
    table_cell_fixed3(t, c->published_ps, 2);
    table_cell_fixed3(t, c->model_ps, 2);
    table_cell(t, "%c%ld.%ld %%", e < 0 ? '-' : '+', (long)(e < 0 ? -e : e) / 10, (long)(e < 0 ? -e : e) % 10);
    table_cell(t, "%s, %s", c->good ? "holds" : "FAILS", c->fitted ? "fitted" : "predicted");
}

/* The number of claims that fail. */
static size_t print_machine(const char *machine, const struct claim *claims, size_t count)
{
    size_t failed = 0;
    if (count == 0) {
        printf("%s claims nothing\n\n", machine);
        return 0;
    }
    struct table *t = table_new(text_style_for(stdout));
    table_column(t, machine, TABLE_LEFT);
    table_column(t, "row", TABLE_LEFT);
    table_column(t, "published (ns)", TABLE_RIGHT);
    table_column(t, "model (ns)", TABLE_RIGHT);
    table_column(t, "error", TABLE_RIGHT);
    table_column(t, "within 5 %", TABLE_LEFT);
    for (size_t i = 0; i < count; i++) {
        claim_row(t, &claims[i]);
        failed += !claims[i].good;
    }
    table_print(t, stdout);
    putchar('\n');
    table_free(t);
    return failed;
}

struct measured { struct claim *claims; size_t count; };

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    const char **names = (const char **)c.args;
    size_t count = c.args_count, failed = 0;
    if (!count)
        count = config_list(arena, "machines", &names);
    struct measured *all = ARENA_ARRAY(arena, struct measured, count + 1);
    for (size_t i = 0; i < count; i++)
        validate_machine(arena, diag, names[i], &c.run, &all[i].claims, &all[i].count);
    diag_exit_if_errors(diag);
    for (size_t i = 0; i < count; i++)
        failed += print_machine(names[i], all[i].claims, all[i].count);
    diag_free(diag);
    arena_free(arena);
    return failed ? EXIT_DIFFERENT : EXIT_CLEAN;
}

const struct command command_validate = { "validate", "[MACHINE...]", "Compare the model with published measurements", run };
