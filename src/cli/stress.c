/* src/cli/stress.c - labyrinth stress: a machine under random accesses, seed after seed, with every check on. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/study/result_text.h"

enum { KEY_SEEDS = 0x200, KEY_OPS, KEY_LINES, SETS_OWN = 4 };

struct own { uint64_t first, last, operations, lines; };

static const struct argp_option options[] = {
    { "seeds", KEY_SEEDS, "A..B", 0, "Seeds to run, both included (default: 1..10)", 0 },
    { "ops", KEY_OPS, "N", 0, "Operations of each hart (default: 10000)", 0 },
    { "lines", KEY_LINES, "N", 0, "Cache lines that all harts share (default: 64)", 0 },
    { 0 },
};

static void parse_seeds(struct own *own, const char *text)
{
    char first[24];
    const char *dots = strstr(text, "..");
    if (!dots) {
        own->first = own->last = parse_number("--seeds", text, 0, UINT64_MAX >> 1);
        return;
    }
    snprintf(first, sizeof first, "%.*s", (int)(dots - text), text);
    own->first = parse_number("--seeds A..B: A", first, 0, UINT64_MAX >> 1);
    own->last = parse_number("--seeds A..B: B", dots + 2, own->first, UINT64_MAX >> 1);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case KEY_SEEDS: parse_seeds(own, arg); return 0;
    case KEY_OPS: own->operations = parse_number("--ops", arg, 1, UINT64_C(1) << 40); return 0;
    case KEY_LINES: own->lines = parse_number("--lines", arg, 1, 1u << 26); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_CONFIG | COMMON_HOST | COMMON_QUIET,
    .arguments = "CONFIG", .args_min = 1, .args_max = 1,
    .doc = "Runs random loads, stores, atomics, flushes and fences on the machine of an experiment, under many seeds.\v"
           "All agents of the experiment are replaced by program random-mix on every core; values, coherence and accounting "
           "are checked on every operation. Prints each seed and how it ended; the exit code is the highest. A failure "
           "is repeated with --seeds N. Small caches and delays come by --set, such as --set machine.net_jitter=5ns.",
};

/* The user's assignments first, then the agents, so that the user's may reach the machine only. */
static int run_seed(const struct common *c, const struct own *own, uint64_t seed)
{
    struct study_doc study;
    char agents[240], seed_set[40];
    const char **sets = calloc(c->sets_count + SETS_OWN, sizeof *sets);
    CHECK(sets, "out of memory");
    size_t n = 0;
    sets[n++] = "sweep={}";
    sets[n++] = "plots=[]";
    snprintf(agents, sizeof agents,
             "agents=[{name: stress, on: core0-, program: random-mix, count: %" PRIu64 ", lines: %" PRIu64 ", loads: 45%%, "
             "atomics: 10%%, flushes: 5%%, fences: 5%%, string_stores: 5%%, nt_stores: 5%%, prefetches: 5%%}]",
             own->operations, own->lines);
    sets[n++] = agents;
    for (size_t i = 0; i < c->sets_count; i++)
        sets[n++] = c->sets[i];
    snprintf(seed_set, sizeof seed_set, "seed=%" PRIu64, seed);
    sets[n++] = seed_set;
    load_or_fail(&study, c->args[0], sets, n);
    struct machine *m = build_or_fail(&study, &c->run);
    machine_run(m);
    const struct result *r = machine_result(m);
    if (!c->quiet)
        printf("seed %" PRIu64 ": %s, %" PRIu64 " operations, order_hash 0x%016" PRIx64 "\n", seed, run_stop_name(r->stop),
               r->events, r->order_hash);
    result_text_trouble(stderr, r);
    if (c->host_stats)
        print_host_stats(r);
    int code = run_stop_exit_code(r->stop);
    fflush(stdout);
    machine_free(m);
    free(sets);
    study_unload(&study);
    return code;
}

/* Each in a process of its own: one that crashes does not end the others. */
static int run_apart(const struct common *c, const struct own *own, uint64_t seed)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        fail_user("cannot start a process: %s", strerror(errno));
    if (pid == 0)
        _exit(run_seed(c, own, seed));
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR, "waiting for a seed: %s", strerror(errno));
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_INTERNAL;
    if (code != EXIT_CLEAN)
        note(c, "seed %" PRIu64 ": exit code %d", seed, code);
    return code;
}

static int run(int argc, char **argv)
{
    struct own own = { 1, 10, 10000, 64 };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    int highest = EXIT_CLEAN;
    for (uint64_t seed = own.first; seed <= own.last; seed++) {
        int code = run_apart(&c, &own, seed);
        highest = code > highest ? code : highest;
        if (code == EXIT_INPUT)
            break; /* the configuration is wrong: no seed mends it */
    }
    if (!c.quiet)
        printf("seeds %" PRIu64 "..%" PRIu64 ": highest exit code %d\n", own.first, own.last, highest);
    return highest;
}

const struct command command_stress = { "stress", "CONFIG", "Random accesses with all checks, seed after seed", run };
