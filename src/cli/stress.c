/* src/cli/stress.c - labyrinth stress: machines under random operations, seed after seed, with every check on; what
 * fails is shrunk to a short list that can be run again.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/stress.h"
#include "src/study/outfile.h"

enum { KEY_SEEDS = 0x200, KEY_OPS, KEY_LINES, KEY_WRITE, KEY_NO_SHRINK, KEY_KEEP_GOING, ATTEMPTS_MAX = 60 };

struct own { uint64_t first, last, operations; uint32_t lines; const char *file; bool no_shrink, keep_going; };

static const struct argp_option options[] = {
    { "seeds", KEY_SEEDS, "A..B", 0, "Seeds to run, both included (default: 1..10)", 0 },
    { "ops", KEY_OPS, "N", 0, "Operations of each core and device (default: 10000)", 0 },
    { "lines", KEY_LINES, "N", 0, "Cache lines that all share (default: 1 to 200, drawn)", 0 },
    { "write", KEY_WRITE, "FILE", 0, "Where the shrunk experiment goes (default: stress-seed-N.yaml)", 0 },
    { "no-shrink", KEY_NO_SHRINK, NULL, 0, "Tell and write the first failure as it is", 0 },
    { "keep-going", KEY_KEEP_GOING, NULL, 0, "Run the other seeds, too, after a failure", 0 },
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
    case KEY_LINES: own->lines = (uint32_t)parse_number("--lines", arg, 1, SCRIPT_LINES_MAX); return 0;
    case KEY_WRITE: own->file = arg; return 0;
    case KEY_NO_SHRINK: own->no_shrink = true; return 0;
    case KEY_KEEP_GOING: own->keep_going = true; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_CONFIG | COMMON_HOST | COMMON_QUIET,
    .arguments = "[CONFIG]", .args_min = 0, .args_max = 1,
    .doc = "Runs random operations on machines of all shapes, under many seeds, with every check on.\v"
           "Loads, stores, locked operations, flushes, fences, non-temporal and whole-line stores, prefetches, operations on "
           "pages and DMA, over few lines. Each seed draws its machine, protocol and mix; with CONFIG that machine is taken, "
           "and its agents are replaced. Prints each seed and how it ended; the exit code is the highest. The first failure ends it, and "
           "is shrunk: operations, waits and choices of the machine are taken away as long as it fails in the same way. "
           "What is left is printed, and written to a file that labyrinth run shows again. --set reaches the "
           "machine, as in --set protocol=./mine.yaml.",
};

/* ---- a seed */

static void make_agents(struct stress_case *c, unsigned cores, unsigned devices)
{
    c->agents = calloc(cores + devices, sizeof *c->agents);
    CHECK_MEMORY(c->agents, "out of memory");
    c->agent_count = cores + devices;
    for (unsigned i = 0; i < c->agent_count; i++)
        c->agents[i] = (struct stress_agent){ .device = i >= cores, .place = i < cores ? i : i - cores };
}

/* The case of a seed has run: shapes that do not fit together are drawn anew. */
static struct stress_case run_seed(const struct common *common, const struct own *own, uint64_t seed, struct stress_verdict *v)
{
    struct stress_case c = { .common = common, .config = common->args_count ? common->args[0] : NULL, .found = seed, .seed = seed, .drawn = own->operations };
    for (unsigned attempt = 0;; attempt++) {
        unsigned cores, devices;
        bool last = c.config || attempt == ATTEMPTS_MAX;
        if (last)
            c.shape = (struct stress_shape){ { 0 } }; /* the simplest: what is wrong with it is the user's */
        else
            stress_shape_draw(&c.shape, seed, attempt);
        c.mix = stress_mix_draw(seed, own->lines, true);
        if (!stress_measure(&c, &cores, &devices, last))
            continue;
        make_agents(&c, cores, devices);
        *v = stress_try(&c, (struct stress_telling){ NULL, NULL });
        if (v->code != EXIT_INPUT)
            return c;
        if (last)
            stress_try(&c, (struct stress_telling){ stdout, NULL });
        if (last)
            return c;
        stress_case_free(&c);
    }
}

static void tell_seed(const struct stress_case *c, const struct stress_verdict *v)
{
    printf("seed %" PRIu64 ": %s, %" PRIu64 " accesses, order_hash 0x%016" PRIx64, c->found, v->kind, v->accesses, v->order_hash);
    if (!c->config) {
        fputs("; ", stdout);
        stress_shape_print(stdout, &c->shape, c->common, false);
    }
    putchar('\n');
}

/* ---- a failure */

static void print_case(const struct stress_case *c)
{
    for (unsigned i = 0; i < c->agent_count; i++) {
        const struct stress_agent *a = &c->agents[i];
        printf("%s%u\n", a->device ? "device" : "core", a->place);
        for (size_t k = 0; k < a->count; k++) {
            printf("%5zu  ", k + 1);
            script_print(stdout, &a->op[k]);
            putchar('\n');
        }
    }
}

static void print_machine(const struct stress_case *c)
{
    if (c->config)
        return;
    fputs("on machine tiny with ", stdout);
    stress_shape_print(stdout, &c->shape, c->common, true);
    putchar('\n');
}

struct totals { uint64_t accesses, last; int highest; };

static void tell_failure(struct stress_case *c, const struct stress_verdict *v, const struct own *own)
{
    char file[64];
    snprintf(file, sizeof file, "stress-seed-%" PRIu64 ".yaml", c->found);
    const char *path = own->file ? own->file : file;
    struct stress_shrunk s = { 0 };
    if (!own->no_shrink) {
        note(c->common, "seed %" PRIu64 ": shrinking (%s)", c->found, v->kind);
        s = stress_shrink(c, v);
    }
    if (s.repeated) {
        printf("\nShrunk from %zu operations to %zu, in %u runs:\n", s.from, s.operations, s.tries);
        print_case(c);
    } else if (!own->no_shrink) {
        printf("\nLists of the operations drawn do not fail: told as it was.\n");
    }
    print_machine(c);
    if (stress_try(c, (struct stress_telling){ stdout, path }).code == EXIT_INPUT) {
        printf("\nnot written: %s\n", path); /* why has been said on standard error */
        return;
    }
    printf("\nwritten: %s; `labyrinth run %s", path, path);
    if (c->common->run.plant)
        printf(" --plant %s", c->common->run.plant);
    puts("` shows it again");
}

/* False: the configuration is wrong, and no other seed mends it. */
static bool seed_done(const struct common *c, const struct own *own, uint64_t seed, struct totals *t)
{
    struct stress_verdict v;
    struct stress_case one = run_seed(c, own, seed, &v);
    if (v.code == EXIT_INPUT)
        return false;
    if (!c->quiet)
        tell_seed(&one, &v);
    if (v.code != EXIT_CLEAN && t->highest == EXIT_CLEAN && !c->quiet)
        tell_failure(&one, &v, own);
    t->highest = v.code > t->highest ? v.code : t->highest;
    t->accesses += v.accesses;
    t->last = seed;
    fflush(stdout);
    stress_case_free(&one);
    return true;
}

static int run(int argc, char **argv)
{
    struct own own = { .first = 1, .last = 10, .operations = 10000 };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    struct totals t = { .highest = EXIT_CLEAN };
    if (own.file)
        outfile_check(own.file);
    for (uint64_t seed = own.first; seed <= own.last && (t.highest == EXIT_CLEAN || own.keep_going); seed++)
        if (!seed_done(&c, &own, seed, &t))
            return EXIT_INPUT;
    if (!c.quiet)
        printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " accesses, highest exit code %d\n", own.first, t.last, t.accesses, t.highest);
    return t.highest;
}

const struct command command_stress = { "stress", "[CONFIG]", "Random operations on machines of all shapes; what fails is shrunk", run };
