/* src/cli/main.c - the program's first word is a command; each has a file of its own. */
#include <argp.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/study/outfile.h"
#include "src/study/version.h"

static const struct command *const commands[] = {
    &command_run,    &command_step, &command_check,  &command_sweep,  &command_merge, &command_plot,    &command_export,
    &command_protocol, &command_verify, &command_litmus, &command_stress, &command_list,  &command_explain, &command_schema,
    &command_bench,  &command_validate, &command_alloc,
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void print_help(FILE *out)
{
    fputs("Usage: labyrinth COMMAND [OPTION...] [ARGUMENT...]\n"
          "How long does it take until a page of memory is exclusively mine? A cycle-approximate simulator.\n\n",
          out);
    for (size_t i = 0; i < COMMANDS; i++) {
        char head[64];
        snprintf(head, sizeof head, "%s %s", commands[i]->name, commands[i]->arguments);
        fprintf(out, "  %-32s %s\n", head, commands[i]->summary);
    }
    fputs("\nlabyrinth COMMAND --help explains one command; labyrinth --version tells the version.\n"
          "CONFIG is a name (labyrinth list experiments) or a path: it has a '/' or ends in .yaml.\n"
          "First steps: labyrinth run first-steps\n\n"
          "Exit codes of all commands:\n"
          " 0 clean (a declared limit reached, too)\n"
          " 1 internal error\n"
          " 2 bad input, usage or environment: missing tool, full disk, unwritable folder\n"
          " 3 illegal operation in the scenario\n"
          " 4 violated invariant: value, coherence, exclusivity, accounting, forbidden litmus outcome\n"
          " 5 no progress: deadlock or livelock\n"
          " 6 differences: a published measurement that validate does not reproduce\n"
          "A sweep ends with the highest code of its points.\n",
          out);
}

static const struct command *find(const char *name)
{
    const char *known[COMMANDS];
    for (size_t i = 0; i < COMMANDS; i++) {
        known[i] = commands[i]->name;
        if (strcmp(name, known[i]) == 0)
            return commands[i];
    }
    if (name[0] == '-')
        fail_user("unknown option %s before the command; labyrinth --help lists the commands", name);
    fail_unknown("command", name, known, COMMANDS);
}

int main(int argc, char **argv)
{
    /* Large tables stay mapped on demand, however many machines one process builds: only what is used costs memory. */
    mallopt(M_MMAP_THRESHOLD, 1 << 17);
    static char name[64];
    int code = EXIT_CLEAN;
    signal(SIGPIPE, SIG_DFL); /* a closed pipe ends the program without a word, like any other tool */
    argp_err_exit_status = EXIT_INPUT;
    argp_program_version = "labyrinth " LABYRINTH_VERSION;
    if (argc < 2) {
        print_help(stderr);
        return EXIT_INPUT;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        puts(argp_program_version);
    else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "-?") == 0)
        print_help(stdout);
    else {
        const struct command *command = find(argv[1]);
        snprintf(name, sizeof name, "labyrinth %s", command->name);
        argv[1] = name;
        code = command->run(argc - 1, argv + 1);
    }
    outfile_stdout_check();
    return code;
}
