/* src/cli/common.c - options that several commands have, and the checks around them. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/base/suggest.h"
#include "src/cli/cli.h"

enum { KEY_SEED = 0x100, KEY_JSON, KEY_CSV, KEY_EFFECTIVE, KEY_TRACE, KEY_VERBOSE, KEY_PROGRESS, KEY_HOST_STATS, KEY_QUEUE,
       KEY_FIBER, KEY_LOOKAHEAD, KEY_PLANT, KEY_SHUFFLE, KEY_SET, OPTIONS_MAX = 48 };

struct common_option { unsigned group; struct argp_option option; };

static const struct common_option common_options[] = {
    { COMMON_CONFIG, { "set", KEY_SET, "PATH=VALUE", 0, "Change one value of the configuration (repeatable)", 1 } },
    { COMMON_CONFIG, { "seed", KEY_SEED, "N", 0, "The same as --set seed=N", 1 } },
    { COMMON_RESULT, { "json", KEY_JSON, "FILE", 0, "Write the result as JSON; - is standard output", 2 } },
    { COMMON_RESULT, { "csv", KEY_CSV, "FILE", 0, "Write the latencies as CSV; - is standard output", 2 } },
    { COMMON_RESULT, { "trace", KEY_TRACE, "FILE", 0, "Write requests, transitions and messages as a Chrome trace (JSON, opens in Perfetto)", 2 } },
    { COMMON_RESULT, { "effective", KEY_EFFECTIVE, "FILE", 0, "Write the effective configuration, complete in itself", 2 } },
    { COMMON_RESULT, { "verbose", KEY_VERBOSE, NULL, 0, "Break every class down, show every counter", 2 } },
    { COMMON_QUIET, { "quiet", 'q', NULL, 0, "No tables and no notes", 2 } },
    { COMMON_PROGRESS, { "progress", KEY_PROGRESS, "auto|always|never", 0, "Progress bar on standard error", 2 } },
    { COMMON_HOST, { "queue", KEY_QUEUE, "heap|wheel", 0, "Event queue (results are the same)", 3 } },
    { COMMON_HOST, { "fiber", KEY_FIBER, "asm|ucontext", 0, "How stacks are switched (results are the same)", 3 } },
    { COMMON_HOST, { "lookahead", KEY_LOOKAHEAD, "on|off", 0, "Run ahead on private hits (results are the same)", 3 } },
    { COMMON_HOST, { "host-stats", KEY_HOST_STATS, NULL, 0, "Speed and memory of the simulation, on standard error", 3 } },
    { COMMON_HOST, { "plant", KEY_PLANT, "NAME", OPTION_HIDDEN, "Test aid: plant a fault", 3 } },
    { COMMON_HOST, { "shuffle", KEY_SHUFFLE, "SEED", OPTION_HIDDEN, "Test aid: permute the order of equal-time events", 3 } },
};
enum { COMMON_OPTIONS = sizeof common_options / sizeof *common_options };

struct parse { const struct usage *usage; struct common *common; void *own; };

void fail_unknown(const char *what, const char *given, const char *const *known, size_t count)
{
    const char *near = suggest_nearest(given, known, count);
    char list[600] = "";
    size_t used = 0;
    if (near)
        fail_user("unknown %s \"%s\"; did you mean \"%s\"?", what, given, near);
    for (size_t i = 0; i < count && used < sizeof list - 40; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known[i]);
    fail_user("unknown %s \"%s\"; known are: %s", what, given, list);
}

uint64_t parse_number(const char *option, const char *text, uint64_t low, uint64_t high)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || value < low || value > high)
        fail_user("%s: \"%s\" is no whole number from %" PRIu64 " to %" PRIu64, option, text, low, high);
    return value;
}

static size_t parse_choice(const char *option, const char *text, const char *const *choices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, choices[i]) == 0)
            return i;
    char what[64];
    snprintf(what, sizeof what, "value of %s", option);
    fail_unknown(what, text, choices, count);
}

static void add_set(struct common *c, const char *assignment)
{
    c->sets = realloc(c->sets, (c->sets_count + 1) * sizeof *c->sets);
    CHECK_MEMORY(c->sets, "out of memory");
    c->sets[c->sets_count++] = assignment;
}

static void add_seed(struct common *c, const char *text)
{
    char assignment[40];
    snprintf(assignment, sizeof assignment, "seed=%" PRIu64, parse_number("--seed", text, 0, UINT64_MAX));
    char *copy = strdup(assignment);
    CHECK_MEMORY(copy, "out of memory");
    add_set(c, copy);
}

static bool parse_host(int key, const char *arg, struct common *c)
{
    static const char *const queues[] = { "heap", "wheel" }, *const fibers[] = { "asm", "ucontext" },
                             *const switches[] = { "off", "on" };
    switch (key) {
    case KEY_QUEUE: c->run.queue = parse_choice("--queue", arg, queues, 2) ? QUEUE_WHEEL : QUEUE_HEAP; return true;
    case KEY_FIBER: c->run.fibers = parse_choice("--fiber", arg, fibers, 2) ? FIBER_UCONTEXT : FIBER_ASM; return true;
    case KEY_LOOKAHEAD: c->run.lookahead = parse_choice("--lookahead", arg, switches, 2) == 1; return true;
    case KEY_PLANT: c->run.plant = arg; return true;
    case KEY_SHUFFLE: c->run.shuffle_seed = parse_number("--shuffle", arg, 0, UINT64_MAX); return true;
    case KEY_HOST_STATS: c->host_stats = true; return true;
    default: return false;
    }
}

static bool parse_common(int key, char *arg, struct common *c)
{
    static const char *const whens[] = { "auto", "always", "never" };
    switch (key) {
    case KEY_SET: add_set(c, arg); return true;
    case KEY_SEED: add_seed(c, arg); return true;
    case KEY_JSON: c->json = arg; return true;
    case KEY_CSV: c->csv = arg; return true;
    case KEY_EFFECTIVE: c->effective = arg; return true;
    case KEY_TRACE: c->trace = arg; return true;
    case KEY_VERBOSE: c->verbose = true; return true;
    case 'q': c->quiet = true; return true;
    case KEY_PROGRESS: c->progress = (enum progress_when)parse_choice("--progress", arg, whens, 3); return true;
    case ARGP_KEY_ARG:
        c->args = realloc(c->args, (c->args_count + 1) * sizeof *c->args);
        CHECK_MEMORY(c->args, "out of memory");
        c->args[c->args_count++] = arg;
        return true;
    default: return parse_host(key, arg, c);
    }
}

static error_t parse_key(int key, char *arg, struct argp_state *state)
{
    struct parse *p = state->input;
    if (parse_common(key, arg, p->common))
        return 0;
    if (key < 0x1000000 && key > 0 && p->usage->parser) {
        state->input = p->own;
        error_t error = p->usage->parser(key, arg, state);
        state->input = p;
        return error;
    }
    return ARGP_ERR_UNKNOWN;
}

/* ---- options nobody knows: argp would end with a bare message */

static const struct argp_option *find_option(const struct argp_option *options, const char *name, size_t n, unsigned *hits)
{
    const struct argp_option *found = NULL;
    for (const struct argp_option *o = options; o->name || o->key; o++) {
        if (!o->name || strncmp(o->name, name, n) != 0)
            continue;
        if (o->name[n] == '\0') {
            *hits = 1;
            return o;
        }
        found = o;
        ++*hits;
    }
    return found;
}

static bool short_takes_next(const struct argp_option *options, const char *arg)
{
    for (const struct argp_option *o = options; o->name || o->key; o++)
        if (o->arg && o->key == arg[1] && arg[2] == '\0')
            return true;
    return false;
}

static void reject_unknown_options(const struct argp_option *options, int argc, char **argv)
{
    const char *known[OPTIONS_MAX + 3] = { "help", "usage", "version" };
    size_t count = 3;
    for (const struct argp_option *o = options; o->name || o->key; o++)
        if (!(o->flags & OPTION_HIDDEN))
            known[count++] = o->name;
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            i += argv[i][0] == '-' && short_takes_next(options, argv[i]);
            continue;
        }
        char name[64];
        unsigned hits = 0;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(argv[i] + 2, "="), argv[i] + 2);
        const struct argp_option *o = find_option(options, name, strlen(name), &hits);
        if (hits == 0 && strcmp(name, "help") != 0 && strcmp(name, "usage") != 0 && strcmp(name, "version") != 0)
            fail_unknown("option", name, known, count);
        i += o && o->arg && !strchr(argv[i], '=');
    }
}

static void check_arguments(const struct usage *usage, const struct common *c, const char *name)
{
    if (c->args_count < usage->args_min)
        fail_user("%s is missing; usage: %s [OPTION...] %s", usage->arguments, name, usage->arguments);
    if (c->args_count > usage->args_max)
        fail_user("\"%s\" is one argument too many; usage: %s [OPTION...] %s", c->args[usage->args_max], name,
                  usage->arguments);
    int to_stdout = (c->json && strcmp(c->json, "-") == 0) + (c->csv && strcmp(c->csv, "-") == 0) +
                    (c->effective && strcmp(c->effective, "-") == 0) + (c->trace && strcmp(c->trace, "-") == 0);
    if (to_stdout > 1)
        fail_user("only one of --json, --csv, --effective and --trace can go to standard output");
    const char *const files[] = { c->json, c->csv, c->effective, c->trace };
    for (unsigned i = 0; i < 4; i++)
        for (unsigned k = 0; k < i; k++)
            if (files[i] && files[k] && strcmp(files[i], files[k]) == 0)
                fail_user("%s is named twice: each of --json, --csv, --effective and --trace needs a file of its own", files[i]);
}

struct common parse_arguments(const struct usage *usage, int argc, char **argv, void *own)
{
    struct argp_option options[OPTIONS_MAX];
    struct common common = { .run = run_options_default() };
    struct parse p = { usage, &common, own };
    size_t n = 0;
    for (const struct argp_option *o = usage->options; o && (o->name || o->key); o++)
        options[n++] = *o;
    for (size_t i = 0; i < COMMON_OPTIONS; i++)
        if (usage->common & common_options[i].group)
            options[n++] = common_options[i].option;
    CHECK(n < OPTIONS_MAX, "too many options");
    options[n] = (struct argp_option){ 0 };
    reject_unknown_options(options, argc, argv);
    struct argp argp = { .options = options, .parser = parse_key, .args_doc = usage->arguments, .doc = usage->doc };
    if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
        fail_user("the command line could not be read");
    check_arguments(usage, &common, argv[0]);
    return common;
}

/* ---- running */

void note(const struct common *c, const char *format, ...)
{
    va_list args;
    if (c->quiet)
        return;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

void load_or_fail(struct study_doc *study, const char *argument, const char *const *sets, size_t sets_count)
{
    if (!study_load(study, argument, sets, sets_count))
        diag_exit_if_errors(study->diag);
}

/* `path` ends in XXXXXX.yaml, and is filled in. */
static void write_temporary(char *path, const char *text)
{
    int fd = mkstemps(path, 5);
    if (fd < 0)
        fail_user("cannot make a temporary file %s: %s", path, strerror(errno));
    FILE *f = fdopen(fd, "w");
    CHECK_MEMORY(f, "out of memory");
    fputs(text, f);
    if (fclose(f) != 0) {
        unlink(path);
        fail_user("cannot write a temporary file %s: %s", path, strerror(errno));
    }
}

/* Experiments are read from files: the text goes through a temporary one. */
bool load_text(struct study_doc *study, const char *text, const char *const *sets, size_t sets_count)
{
    const char *folder = getenv("TMPDIR");
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/labyrinth-XXXXXX.yaml", folder && *folder ? folder : "/tmp");
    write_temporary(path, text);
    bool good = study_load(study, path, sets, sets_count);
    unlink(path);
    return good;
}

void load_text_or_fail(struct study_doc *study, const char *text, const char *const *sets, size_t sets_count)
{
    if (!load_text(study, text, sets, sets_count))
        diag_exit_if_errors(study->diag);
}

struct machine *build_or_fail(struct study_doc *study, const struct run_options *options)
{
    struct machine *m = machine_new(&study->doc, options, study->diag);
    diag_exit_if_errors(study->diag);
    CHECK(m, "no machine and no error");
    return m;
}

void print_host_stats(const struct result *r)
{
    double seconds = r->host.seconds > 0 ? r->host.seconds : 1e-9;
    fprintf(stderr, "host: %.3f s, %" PRIu64 " engine events (%.3g/s), %" PRIu64 " operations (%.3g/s), %" PRIu64 " KiB\n",
            r->host.seconds, r->host.engine_events, (double)r->host.engine_events / seconds, r->events,
            (double)r->events / seconds, r->host.host_bytes / 1024);
}

static const char *text_at(const struct node *root, const char *path, const char *otherwise)
{
    const struct node *n = node_at((struct node *)root, path);
    return n && n->kind == NODE_SCALAR ? n->text : otherwise;
}

/* "cores 10 in each of 2 sockets"; "cores 64, clusters 16 in each of 2 sockets" */
static const char *cores_text(struct study_doc *study)
{
    const struct node *root = study->doc.root;
    const char *clusters = text_at(root, "machine.clusters", "1"), *sockets = text_at(root, "machine.sockets", "1");
    bool clustered = strcmp(clusters, "1") != 0, several = strcmp(sockets, "1") != 0;
    return arena_printf(study->arena, "cores %s%s%s%s%s%s", text_at(root, "machine.cores", "1"), clustered ? ", clusters " : "",
                        clustered ? clusters : "", several ? " in each of " : "", several ? sockets : "", several ? " sockets" : "");
}

const char *machine_line(struct study_doc *study)
{
    const struct node *root = study->doc.root;
    const char *title = text_at(root, "machine.title", text_at(root, "machine.name", "own description"));
    const char *protocol = text_at(root, "protocol", study->doc.protocol ? "of its own" : NULL);
    return arena_printf(study->arena, "%s, %s%s%s", title, cores_text(study),
                        protocol ? ", protocol " : "", protocol ? protocol : "");
}
