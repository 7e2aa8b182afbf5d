/* src/cli/plot.c - labyrinth plot: the pictures of a study. */
#include "src/study/plot.h"

#include <stdlib.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/study.h"

static const struct usage usage = {
    .common = COMMON_QUIET, .arguments = "DIR", .args_min = 1, .args_max = 1,
    .doc = "Draws the plots of a study with gnuplot, as SVG and PNG, into DIR/plots.\v"
           "What is drawn stands in the `plots` block of the configuration (DIR/config.yaml). Beside each picture are its "
           "numbers (.dat) and its script (.gp).",
};

static const char *footer(struct arena *arena, struct store *store, const char *folder)
{
    char *config = store_fact(store, "config"), *seed = store_fact(store, "seed"), *digest = store_fact(store, "digest");
    const char *text = arena_printf(arena, "%s, seed %s, digest %s", *config ? config : folder, seed, digest);
    free(config);
    free(seed);
    free(digest);
    return text;
}

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    const char *folder = c.args[0];
    struct store *store = store_open(folder, STORE_READ);
    struct arena *arena = arena_new();
    struct plots plots = study_plots(arena, folder);
    struct frame *f = frame_load(store);
    char *title = store_fact(store, "title");
    struct plot_context context = { title, footer(arena, store, folder) };
    if (plots.count == 0)
        note(&c, "%s/config.yaml has no plots block: nothing to draw", folder);
    else
        plots_draw(folder, f, &plots, &context, c.quiet ? NULL : stdout);
    free(title);
    frame_free(f);
    arena_free(arena);
    store_close(store);
    return EXIT_CLEAN;
}

const struct command command_plot = { "plot", "DIR", "Draw the plots of a study (SVG and PNG)", run };
