/* src/cli/litmus.c - labyrinth litmus: herd-format tests on the timed machine, judged by exhaustive enumeration. */
#include "src/cli/litmus.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/cli/cli.h"
#include "src/study/outfile.h"
#include "src/study/result_text.h"
#include "src/study/version.h"
#include "src/work/litmus/job.h"

enum { KEY_RUNS = 0x200, KEY_MACHINE, KEY_STORE_BUFFER, KEY_OUT_JSON, KEY_BRIEF, KEY_MAX_STATES,
       MACHINE_RUNS = 500 /* runs of one machine: then another, with other seeds, cores and delays */,
       SETS_OWN = 9, SET_BYTES = 80, AGENT_BYTES = 80, CORES_DEFAULT = 4 };

struct own { uint64_t runs, max_states; const char *machine, *store_buffer, *json; bool brief; };

static const struct argp_option options[] = {
    { "runs", KEY_RUNS, "N", 0, "Runs of each test (default: 10000)", 0 },
    { "machine", KEY_MACHINE, "NAME", 0, "Machine to run on (default: tiny); it gets as many cores as the test needs", 0 },
    { "store-buffer", KEY_STORE_BUFFER, "N", 0, "Entries of each store buffer; 0: sequential consistency is checked", 0 },
    { "max-states", KEY_MAX_STATES, "N", 0, "Give up enumerating after so many states (default: 10 million)", 0 },
    { "brief", KEY_BRIEF, NULL, 0, "No histograms, only the table of all tests", 0 },
    { "json", KEY_OUT_JSON, "FILE", 0, "Write everything as JSON; - is standard output", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case KEY_RUNS: own->runs = parse_number("--runs", arg, 1, UINT64_C(1) << 32); return 0;
    case KEY_MACHINE: own->machine = arg; return 0;
    case KEY_STORE_BUFFER:
        parse_number("--store-buffer", arg, 0, 1024);
        own->store_buffer = arg;
        return 0;
    case KEY_MAX_STATES: own->max_states = parse_number("--max-states", arg, 1, UINT32_MAX - 1); return 0;
    case KEY_BRIEF: own->brief = true; return 0;
    case KEY_OUT_JSON: own->json = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_CONFIG | COMMON_HOST | COMMON_QUIET,
    .arguments = "FILE...", .args_min = 1, .args_max = 100000,
    .doc = "Runs herd-format tests of x86 and x86-64 on the timed machine and checks its memory order.\v"
           "Each test runs many times, on machines with other seeds, cores, layouts, skews and delays. The final states are "
           "compared with those that x86-TSO allows, found by exhaustive enumeration of the store-buffer machine of Sewell et "
           "al. (2010): a forbidden one is exit code 4, an allowed one never seen is told as coverage. FILE without '/' and "
           "not ending in .litmus is a name of configs/litmus. --set reaches the machine, as in "
           "--set machine.net_jitter=20ns or --set protocol=msi.",
};

/* ---- files */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Names as for machines and experiments: LABYRINTH_CONFIGS, then the source tree, then the installed folder. */
static const char *find_file(struct arena *arena, const char *argument)
{
    const char *roots[3] = { getenv("LABYRINTH_CONFIGS") };
    if (strchr(argument, '/') || ends_with(argument, ".litmus"))
        return argument;
#ifdef LABYRINTH_SRCDIR
    roots[1] = LABYRINTH_SRCDIR "/configs";
#endif
#ifdef PKGDATADIR
    roots[2] = PKGDATADIR "/configs";
#endif
    for (unsigned i = 0; i < 3; i++) {
        const char *path = roots[i] ? arena_printf(arena, "%s/litmus/%s.litmus", roots[i], argument) : NULL;
        if (path && access(path, R_OK) == 0)
            return path;
    }
    fail_user("there is no test \"%s\" in configs/litmus; a file of your own is named by a path, ./%s.litmus", argument, argument);
}

static void read_all(struct arena *arena, const struct common *c, struct litmus_report *reports)
{
    struct diag *diag = diag_new();
    for (size_t i = 0; i < c->args_count; i++)
        reports[i].test = litmus_read(arena, diag, find_file(arena, c->args[i]));
    diag_exit_if_errors(diag);
    diag_free(diag);
}

/* ---- what the models allow */

static void enumerate(const struct own *own, struct litmus_report *r, enum lit_model model, struct outcomes *allowed)
{
    const struct litmus_test *t = r->test;
    outcomes_init(allowed, t->observed_count);
    struct lit_search s = litmus_enumerate(t, model, own->max_states, allowed);
    r->search_states += s.states;
    if (s.end == LIT_TOO_LARGE)
        fail_user("%s: more than %" PRIu64 " states to enumerate (--max-states), or a loop of stores without end", t->file, own->max_states);
    if (s.end != LIT_SEARCHED)
        fail_user("%s:%u:%u: %s", t->file, s.trouble->at.line, s.trouble->at.column,
                  s.end == LIT_ASTRAY ? "the address in the register is none of a variable, or the access is not aligned within it"
                                      : "a loop that reads no memory does not end");
}

/* ---- the timed machine */

static const char experiment[] =
    "kind: experiment\n"
    "machine: { base: tiny, devices: { count: 0 } }\n"
    "protocol: mesi\n"
    "kernel: { memory: 64MiB }\n"
    "agents: [{ name: t0, on: core0, program: litmus, count: 1 }]\n";

struct host {                   /* what all machines of this command are built from */
    const struct common *common;
    const struct own *own;
    uint64_t seed;
    unsigned cores;             /* of the machine as described */
    bool no_store_buffer;
};

static unsigned number_at(const struct study_doc *study, const char *path, unsigned otherwise)
{
    const struct node *n = node_at(study->doc.root, path);
    return n && n->kind == NODE_SCALAR ? (unsigned)strtoul(n->text, NULL, 10) : otherwise;
}

struct sets {
    const char **list;
    size_t count;
    char text[SETS_OWN][SET_BYTES];
    unsigned used;
};

static void add_set(struct sets *s, const char *format, const char *text)
{
    snprintf(s->text[s->used], SET_BYTES, format, text);
    s->list[s->count++] = s->text[s->used++];
}

/* The machine first, then what the user says of it. */
static void sets_begin(struct sets *s, const struct host *host)
{
    const struct common *c = host->common;
    *s = (struct sets){ .list = calloc(c->sets_count + SETS_OWN + 1, sizeof *s->list) };
    CHECK_MEMORY(s->list, "out of memory");
    if (strlen(host->own->machine) + sizeof "machine.base=" > SET_BYTES)
        fail_user("--machine: a name or path of at most %d bytes", SET_BYTES - 20);
    add_set(s, "machine.base=%s", host->own->machine);
    if (host->own->store_buffer)
        add_set(s, "machine.hart.store_buffer=%s", host->own->store_buffer);
}

static void sets_user(struct sets *s, const struct host *host)
{
    for (size_t i = 0; i < host->common->sets_count; i++)
        s->list[s->count++] = host->common->sets[i];
}

/* Reads the description once for what the command must know of it. */
static void look_at_machine(struct host *host)
{
    struct study_doc study;
    struct sets s;
    sets_begin(&s, host);
    sets_user(&s, host);
    load_text_or_fail(&study, experiment, s.list, s.count);
    host->seed = study.doc.seed;
    host->cores = number_at(&study, "machine.cores", CORES_DEFAULT);
    host->no_store_buffer = number_at(&study, "machine.hart.store_buffer", 1) == 0;
    free(s.list);
    study_unload(&study);
}

/* Each thread on a core of its own, chosen at random. */
static char *agents_set(struct rng *rng, unsigned threads, unsigned cores, uint64_t iterations)
{
    bool taken[1024] = { false };
    char *text = malloc(threads * AGENT_BYTES + 16), *at = text;
    CHECK(text && cores >= threads && cores <= sizeof taken, "%u threads on %u cores", threads, cores);
    at += sprintf(at, "agents=[");
    for (unsigned t = 0; t < threads; t++) {
        unsigned core;
        do
            core = (unsigned)rng_below(rng, cores);
        while (taken[core]);
        taken[core] = true;
        at += snprintf(at, AGENT_BYTES, "%s{name: t%u, on: core%u, program: litmus, count: %" PRIu64 "}", t ? ", " : "", t, core,
                       iterations);
    }
    strcpy(at, "]");
    return text;
}

static int run_machine(struct host *host, struct litmus_report *r, uint64_t batch, uint64_t iterations)
{
    static const char *const jitters[] = { "0ps", "2ns", "10ns", "40ns" };
    const struct litmus_test *t = r->test;
    struct litmus_job job = { t, iterations, &r->seen };
    struct study_doc study;
    struct sets s;
    char number[32];
    unsigned cores = host->cores > t->thread_count ? host->cores : t->thread_count;
    struct rng rng = rng_stream(mix64(host->seed) + batch, t->name);
    char *agents = agents_set(&rng, t->thread_count, cores, iterations);
    sets_begin(&s, host);
    if (cores > host->cores) {
        snprintf(number, sizeof number, "%u", cores);
        add_set(&s, "machine.cores=%s", number);
    }
    add_set(&s, "machine.net_jitter=%s", jitters[batch % (sizeof jitters / sizeof *jitters)]);
    snprintf(number, sizeof number, "%" PRIu64 "B", litmus_scratch_bytes(t, iterations));
    add_set(&s, "kernel.scratch=%s", number);
    s.list[s.count++] = agents;
    sets_user(&s, host);
    snprintf(number, sizeof number, "%" PRIu64, rng_next(&rng) >> 1);
    add_set(&s, "seed=%s", number);
    litmus_job_set(&job);
    load_text_or_fail(&study, experiment, s.list, s.count);
    struct machine *m = build_or_fail(&study, &host->common->run);
    machine_run(m);
    const struct result *result = machine_result(m);
    result_text_trouble(stderr, result);
    if (host->common->host_stats)
        print_host_stats(result);
    int code = run_stop_exit_code(result->stop);
    machine_free(m);
    litmus_job_set(NULL);
    study_unload(&study);
    free(s.list);
    free(agents);
    return code;
}

static int run_test(struct host *host, struct litmus_report *r)
{
    int highest = EXIT_CLEAN;
    enumerate(host->own, r, LIT_TSO, &r->tso);
    enumerate(host->own, r, LIT_SC, &r->sc);
    outcomes_init(&r->seen, r->test->observed_count);
    r->judged_by_sc = host->no_store_buffer;
    for (uint64_t done = 0, batch = 0; done < host->own->runs && highest == EXIT_CLEAN; batch++) {
        uint64_t left = host->own->runs - done, now = left < MACHINE_RUNS ? left : MACHINE_RUNS;
        highest = run_machine(host, r, batch, now);
        done += now;
    }
    litmus_report_finish(r);
    if (r->forbidden && highest < EXIT_VIOLATION)
        highest = EXIT_VIOLATION;
    return highest;
}

/* ---- the command */

static void write_json(const struct host *host, const struct litmus_report *reports, size_t count)
{
    struct outfile *out = outfile_open(host->own->json);
    struct json j = json_writer(outfile_stream(out), false);
    json_object(&j, NULL);
    json_object(&j, "labyrinth");
    json_string(&j, "version", LABYRINTH_VERSION);
    json_end(&j);
    json_string(&j, "machine", host->own->machine);
    json_u64(&j, "seed", host->seed);
    json_u64(&j, "runs_each", host->own->runs);
    json_array(&j, "tests");
    for (size_t i = 0; i < count; i++)
        litmus_report_json(&j, &reports[i]);
    json_end(&j);
    json_end(&j);
    json_finish(&j);
    outfile_commit(out);
}

static int run(int argc, char **argv)
{
    struct own own = { .runs = 10000, .max_states = 10000000, .machine = "tiny" };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    struct host host = { .common = &c, .own = &own };
    struct arena *arena = arena_new();
    struct litmus_report *reports = ARENA_ARRAY(arena, struct litmus_report, c.args_count);
    bool tables = !c.quiet && !(own.json && strcmp(own.json, "-") == 0);
    int highest = EXIT_CLEAN;
    if (own.json)
        outfile_check(own.json);
    read_all(arena, &c, reports);
    look_at_machine(&host);
    for (size_t i = 0; i < c.args_count; i++) {
        int code = run_test(&host, &reports[i]);
        highest = code > highest ? code : highest;
        if (tables && !own.brief)
            litmus_report_text(stdout, &reports[i]);
        fflush(stdout);
    }
    if (tables && (own.brief || c.args_count > 1))
        litmus_summary_text(stdout, reports, c.args_count);
    if (own.json)
        write_json(&host, reports, c.args_count);
    for (size_t i = 0; i < c.args_count; i++)
        litmus_report_free(&reports[i]);
    arena_free(arena);
    return highest;
}

const struct command command_litmus = { "litmus", "FILE...", "Check memory order with herd-format tests", run };
