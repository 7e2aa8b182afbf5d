/* src/cli/schema.c - labyrinth schema: the JSON Schema of configurations, for editors. */
#include "src/base/fail.h"
#include "src/cli/cli.h"

static const struct usage usage = {
    .arguments = "", .args_min = 0, .args_max = 0,
    .doc = "Prints the JSON Schema of experiment and machine files.\v"
           "Editors that know YAML check and complete with it. It is made from the tables that parse the files.",
};

static int run(int argc, char **argv)
{
    parse_arguments(&usage, argc, argv, NULL);
    machine_schema(stdout);
    return EXIT_CLEAN;
}

const struct command command_schema = { "schema", "", "Print the JSON Schema of configurations", run };
