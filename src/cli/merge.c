/* src/cli/merge.c - labyrinth merge: joins the shards of one study. */
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/study.h"
#include "src/study/outfile.h"

static const struct argp_option options[] = {
    { "output", 'o', "DIR", 0, "Folder of the joined study (needed)", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    if (key != 'o')
        return ARGP_ERR_UNKNOWN;
    *(const char **)state->input = arg;
    return 0;
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_QUIET,
    .arguments = "DIR...", .args_min = 1, .args_max = 100000,
    .doc = "Joins studies that labyrinth sweep --shard made from the same configuration.\v"
           "The joined folder holds the same results.csv as one run of all points.",
};

/* The plan and facts of the first shard. */
static void begin(struct store *into, struct store *first, const struct plan *plan, const char *from, const char *folder)
{
    static const char *const facts[] = { "config", "title", "seed" };
    store_put_plan(into, plan);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char *value = store_fact(first, facts[i]);
        store_set_fact(into, facts[i], value);
        free(value);
    }
    char *path = path_join(from, "config.yaml"), *text = NULL;
    size_t bytes = 0;
    FILE *in = fopen(path, "r");
    if (!in)
        fail_user("%s is missing: %s is no complete study", path, from);
    if (getdelim(&text, &bytes, '\0', in) < 0)
        fail_user("%s cannot be read or is empty", path);
    study_write_text(folder, "config.yaml", text);
    fclose(in);
    free(text);
    free(path);
}

static void join_all(struct store *into, const struct common *c, const char *folder)
{
    struct plan *plan = NULL;
    for (size_t i = 0; i < c->args_count; i++) {
        struct store *from = store_open(c->args[i], STORE_READ);
        struct plan *its = store_plan(from);
        if (!plan) {
            plan = its;
            begin(into, from, plan, c->args[i], folder);
        } else {
            if (!plan_equal(plan, its))
                fail_user("%s is a study of other points than %s: shards must come from the same configuration, seed, "
                          "repetitions and program version", c->args[i], c->args[0]);
            plan_free(its);
        }
        store_join(into, from);
        store_close(from);
    }
    plan_free(plan);
}

static size_t count_missing(struct store *store, int *highest)
{
    struct plan *plan = store_plan(store);
    size_t missing = 0;
    for (size_t i = 0; i < plan->point_count; i++) {
        struct record *r = store_get(store, plan->point[i].key);
        missing += !r;
        if (r && r->exit_code > *highest)
            *highest = r->exit_code;
        if (r)
            record_free(r);
    }
    plan_free(plan);
    return missing;
}

static int run(int argc, char **argv)
{
    const char *folder = NULL;
    struct common c = parse_arguments(&usage, argc, argv, &folder);
    int code = EXIT_CLEAN;
    if (!folder)
        fail_user("merge: -o DIR is missing: where should the joined study go?");
    for (size_t i = 0; i < c.args_count; i++)
        store_close(store_open(c.args[i], STORE_READ));
    struct store *into = store_open(folder, STORE_WRITE);
    join_all(into, &c, folder);
    study_export_tables(into, folder);
    size_t missing = count_missing(into, &code);
    store_close(into);
    if (missing > 0)
        note(&c, "%zu points are not in any of these folders", missing);
    if (!c.quiet)
        study_say_table(stdout, folder);
    return code;
}

const struct command command_merge = { "merge", "DIR... -o DIR", "Join the shards of a sweep", run };
