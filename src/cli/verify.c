/* src/cli/verify.c - labyrinth verify: explores a protocol exhaustively. */
#include "models/coherence/cluster_line.h"
#include "models/coherence/explore.h"
#include <inttypes.h>

#include "src/base/fail.h"
#include "src/cli/bench.h"
#include "src/cli/cli.h"
#include "src/cli/protocol.h"

enum { KEY_CACHES = 0x200, KEY_MUTANTS, KEY_DEVICE, KEY_NO_RECALLS, KEY_MAX_STATES, KEY_LINES, KEY_MSHRS, KEY_CACHE_WAYS, KEY_HOME_WAYS, KEY_CLUSTERS, KEY_BROADCAST };

static const struct argp_option options[] = {
    { "caches", KEY_CACHES, "N", 0, "Caches that share the line (default: 2)", 0 },
    { "broadcast", KEY_BROADCAST, NULL, 0, "The directory may lose track of its sharers at any time, and asks everybody then", 0 },
    { "clusters", KEY_CLUSTERS, "C", 0, "Two levels: C clusters with N caches each under one global home", 0 },
    { "lines", KEY_LINES, "N", 0, "Lines that compete for the places in caches and home (default: 1)", 0 },
    { "cache-ways", KEY_CACHE_WAYS, "N", 0, "Lines a cache has room for (default: all but one)", 0 },
    { "home-ways", KEY_HOME_WAYS, "N", 0, "Lines the home has room for (default: all; fewer: it recalls only on need)", 0 },
    { "mshrs", KEY_MSHRS, "N", 0, "With several lines: operations a cache may have under way (default: 2)", 0 },
    { "device", KEY_DEVICE, NULL, 0, "A device agent beside them", 0 },
    { "no-recalls", KEY_NO_RECALLS, NULL, 0, "The last level never needs the place", 0 },
    { "max-states", KEY_MAX_STATES, "N", 0, "Give up after so many states (default: 50 million)", 0 },
    { "mutants", KEY_MUTANTS, NULL, 0, "Delete or redirect each row: the checks must notice", 0 },
    { 0 },
};

struct own { struct explore_options explore; bool mutants; };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case KEY_CACHES: own->explore.caches = (unsigned)parse_number("--caches", arg, 1, EXPLORE_CACHES_MAX); return 0;
    case KEY_DEVICE: own->explore.device = true; return 0;
    case KEY_NO_RECALLS: own->explore.recalls = false; return 0;
    case KEY_MAX_STATES: own->explore.max_states = parse_number("--max-states", arg, 1, UINT64_MAX); return 0;
    case KEY_CLUSTERS: own->explore.clusters = (unsigned)parse_number("--clusters", arg, 2, EXPLORE_CLUSTERS_MAX); return 0;
    case KEY_LINES: own->explore.lines = (unsigned)parse_number("--lines", arg, 1, EXPLORE_LINES_MAX); return 0;
    case KEY_CACHE_WAYS: own->explore.cache_ways = (unsigned)parse_number("--cache-ways", arg, 1, EXPLORE_LINES_MAX); return 0;
    case KEY_HOME_WAYS: own->explore.home_ways = (unsigned)parse_number("--home-ways", arg, 1, EXPLORE_LINES_MAX); return 0;
    case KEY_MSHRS: own->explore.mshrs = (unsigned)parse_number("--mshrs", arg, 1, EXPLORE_LINES_MAX); return 0;
    case KEY_BROADCAST: own->explore.broadcast = true; return 0;
    case KEY_MUTANTS: own->mutants = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse, .arguments = "PROTOCOL", .args_min = 1, .args_max = 1,
    .doc = "Explores every reachable state of one line under a protocol.\v"
           "The steps are those that the timed machine runs. A violation prints the shortest way there and exits with 4, "
           "a deadlock with 5. Standard error tells how fast this host was.",
};

static int run(int argc, char **argv)
{
    struct own own = { .explore = { .caches = 2, .recalls = true } };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    if (own.explore.clusters) {
        if (own.explore.caches > EXPLORE_INNER_MAX)
            fail_user("--caches: at most %d in each cluster", EXPLORE_INNER_MAX);
        if (own.explore.device && own.explore.clusters > 2)
            fail_user("--device: beside two clusters at most");
        if (own.explore.lines > 1)
            fail_user("--clusters does not go with --lines");
    }
    if (own.explore.broadcast && (own.explore.clusters || own.explore.lines > 1))
        fail_user("--broadcast goes with one line in one level");
    struct arena *arena = arena_new();
    struct protocol *p = load_protocol_or_fail(arena, c.args[0]);
    uint64_t states = 0;
    double start = cpu_seconds();
    const char *lacks = own.explore.clusters ? cluster_protocol_lacks(p) : NULL;
    if (lacks)
        fail_user("%s has no rows for %s: it cannot be used on two levels", c.args[0], lacks);
    int code = protocol_verify(stdout, p, own.explore, own.mutants, &states);
    double seconds = cpu_seconds() - start;
    note(&c, "%" PRIu64 " states in %.2f s of processor time: %.2f million per second", states, seconds,
         seconds > 0 ? (double)states / seconds * 1e-6 : 0);
    protocol_free(p);
    arena_free(arena);
    return code;
}

const struct command command_verify = { "verify", "PROTOCOL", "Explore a protocol exhaustively", run };
