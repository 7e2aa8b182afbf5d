/* src/cli/list.c - labyrinth list: what there is to name. */
#include <string.h>

#include "src/base/fail.h"
#include "src/base/table.h"
#include "src/cli/cli.h"
#include "src/config/find.h"
#include "src/config/read.h"
#include "src/study/explain_key.h"
#include "src/study/metric.h"

static const struct usage usage = {
    .arguments = "machines|protocols|experiments|metrics|counters|keys|programs", .args_min = 1, .args_max = 1,
    .doc = "Lists what a configuration or a command can name.",
};

/* The title that the file gives itself, or what is wrong with it. */
static const char *title_of(struct arena *arena, const char *folder, const char *name)
{
    struct diag *diag = diag_new();
    const char *title = "";
    const char *path = config_find(arena, diag, folder, name, (struct origin){ name, 0, 0 }, NULL);
    struct node *root = path ? read_file(arena, diag, path) : NULL;
    const struct node *n = root ? node_peek(root, "title") : NULL;
    if (!root)
        title = "(cannot be read: labyrinth check tells why)";
    else if (n && n->kind == NODE_SCALAR)
        title = n->text;
    diag_free(diag);
    return title;
}

/* The first words go beside the name, the rest below each other. */
static void wrapped_row(struct table *t, const char *name, const char *text)
{
    enum { WIDTH = 78 };
    do {
        size_t n = strlen(text);
        if (n > WIDTH)
            for (n = WIDTH; n > 0 && text[n] != ' ';)
                n--;
        n = n ? n : strlen(text);
        table_row(t);
        table_cell(t, "%s", name);
        table_cell(t, "%.*s", (int)n, text);
        name = "";
        text += n + strspn(text + n, " ");
    } while (*text);
}

static void list_folder(const char *folder)
{
    struct arena *arena = arena_new();
    const char **names;
    size_t n = config_list(arena, folder, &names);
    struct table *t = table_new(text_style_for(stdout));
    table_column(t, "name", TABLE_LEFT);
    table_column(t, "title", TABLE_LEFT);
    for (size_t i = 0; i < n; i++) {
        wrapped_row(t, names[i], title_of(arena, folder, names[i]));
    }
    if (n > 0)
        table_print(t, stdout);
    else
        printf("no %s found\n", folder);
    table_free(t);
    arena_free(arena);
}

static void add_program(void *arg, const char *name, const char *sentence)
{
    wrapped_row(arg, name, sentence);
}

static void list_programs(void)
{
    struct table *t = table_new(text_style_for(stdout));
    table_column(t, "program", TABLE_LEFT);
    table_column(t, "what an agent with it does", TABLE_LEFT);
    machine_programs(add_program, t);
    table_print(t, stdout);
    table_free(t);
}

static int run(int argc, char **argv)
{
    static const char *const known[] = { "machines", "protocols", "experiments", "metrics", "counters", "keys", "programs" };
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    const char *what = c.args[0];
    if (strcmp(what, "metrics") == 0)
        metric_list(stdout);
    else if (strcmp(what, "counters") == 0)
        counter_list(stdout);
    else if (strcmp(what, "keys") == 0)
        key_list(stdout);
    else if (strcmp(what, "programs") == 0)
        list_programs();
    else if (strcmp(what, "machines") == 0 || strcmp(what, "protocols") == 0 || strcmp(what, "experiments") == 0)
        list_folder(what);
    else
        fail_unknown("list", what, known, sizeof known / sizeof *known);
    return EXIT_CLEAN;
}

const struct command command_list = { "list", "WHAT", "List machines, protocols, experiments, metrics, counters, keys or programs", run };
