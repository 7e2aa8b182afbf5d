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

static void claim_rows(struct table *t, const char *machine, const struct claim *claims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct claim *c = &claims[i];
        int64_t e = c->error_permille;
        table_row(t);
        table_cell(t, "%s", machine);
        table_cell(t, "%s", c->what);
        table_cell(t, "%s", c->row);
        table_cell(t, "%s", c->value);
        table_cell_fixed3(t, c->published_ps, 2);
        table_cell_fixed3(t, c->model_ps, 2);
        table_cell(t, "%c%ld.%ld %%", e < 0 ? '-' : '+', (long)(e < 0 ? -e : e) / 10, (long)(e < 0 ? -e : e) % 10);
        table_cell(t, "%s", c->fitted ? "fitted" : "predicted");
        table_cell(t, "%s", c->good ? "holds" : "FAILS");
    }
}

static struct table *claim_table(void)
{
    struct table *t = table_new(text_style_for(stdout));
    table_column(t, "machine", TABLE_LEFT);
    table_column(t, "operation", TABLE_LEFT);
    table_column(t, "row", TABLE_LEFT);
    table_column(t, "published", TABLE_RIGHT);
    table_column(t, "published (ns)", TABLE_RIGHT);
    table_column(t, "model (ns)", TABLE_RIGHT);
    table_column(t, "error", TABLE_RIGHT);
    table_column(t, "how", TABLE_LEFT);
    table_column(t, "within 5 %", TABLE_LEFT);
    return t;
}

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    const char **names = (const char **)c.args;
    size_t count = c.args_count, failed = 0;
    if (!count)
        count = config_list(arena, "machines", &names);
    struct table *t = claim_table();
    for (size_t i = 0; i < count; i++) {
        struct claim *claims;
        size_t n;
        if (!validate_machine(arena, diag, names[i], &c.run, &claims, &n))
            continue;
        claim_rows(t, names[i], claims, n);
        for (size_t k = 0; k < n; k++)
            failed += !claims[k].good;
    }
    table_print(t, stdout);
    table_free(t);
    diag_exit_if_errors(diag);
    diag_free(diag);
    arena_free(arena);
    return failed ? EXIT_DIFFERENT : EXIT_CLEAN;
}

const struct command command_validate = { "validate", "[MACHINE...]", "Compare the model with published measurements", run };
