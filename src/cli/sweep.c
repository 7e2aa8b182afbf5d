/* src/cli/sweep.c - labyrinth sweep: all points of an experiment, in parallel, resumable. */
#include "src/study/sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/study.h"
#include "src/config/emit.h"
#include "src/study/outfile.h"
#include "src/study/result_text.h"

enum { KEY_SHARD = 0x200, KEY_REPEAT, WORKERS_MAX = 1024 };

struct own { const char *folder; unsigned workers, shard, shards; uint64_t repeat; };

static const struct argp_option options[] = {
    { "output", 'o', "DIR", 0, "Folder of the study (made if it is not there; needed)", 0 },
    { "jobs", 'j', "N", 0, "Points that run at the same time (default: one per processor)", 0 },
    { "shard", KEY_SHARD, "I/N", 0, "Run only every N-th point, from the I-th (1 to N); labyrinth merge joins them", 0 },
    { "repeat", KEY_REPEAT, "R", 0, "Runs of each point, each with a seed of its own (default: `repetitions`, or 1)", 0 },
    { 0 },
};

static void parse_shard(struct own *own, const char *text)
{
    char first[16];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof first)
        fail_user("--shard: \"%s\" is not of the form I/N, such as 1/4", text);
    snprintf(first, sizeof first, "%.*s", (int)(slash - text), text);
    own->shards = (unsigned)parse_number("--shard I/N: N", slash + 1, 1, 100000);
    own->shard = (unsigned)parse_number("--shard I/N: I", first, 1, own->shards);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case 'o': own->folder = arg; return 0;
    case 'j': own->workers = (unsigned)parse_number("-j", arg, 1, WORKERS_MAX); return 0;
    case KEY_SHARD: parse_shard(own, arg); return 0;
    case KEY_REPEAT: own->repeat = parse_number("--repeat", arg, 1, 1000); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse,
    .common = COMMON_CONFIG | COMMON_HOST | COMMON_QUIET | COMMON_PROGRESS,
    .arguments = "CONFIG", .args_min = 1, .args_max = 1,
    .doc = "Runs every point of the experiment's sweep block and stores the results.\v"
           "DIR gets results.db (SQLite), results.csv (one row per point and repetition), summary.csv (means and 95 % "
           "confidence intervals, if points are repeated) and config.yaml. The same command goes on where an "
           "interrupted one stopped. All points are run; the exit code is the highest of a point.",
};

/* Results of two experiments in one folder could not be told apart. */
static void refuse_other_study(struct store *store, const char *folder, const char *fingerprint)
{
    char *there = store_fact(store, "experiment"), *config = store_fact(store, "config");
    if (*there && strcmp(there, fingerprint) != 0)
        fail_user("%s holds the study of another configuration (%s): only the values of its axes and the repetitions may "
                  "change. Name another folder with -o", folder, config);
    free(there);
    free(config);
}

struct job { const struct common *common; const struct plan *plan; const struct sweep_axes *axes; const char *argument; };

/* In a worker process. */
static int run_point(void *arg, size_t point, FILE *record)
{
    const struct job *job = arg;
    struct study_doc study;
    const struct plan_point *p = &job->plan->point[point];
    if (!study_load_point(&study, job->argument, job->common->sets, job->common->sets_count, job->axes, p->number))
        diag_exit_if_errors(study.diag);
    study.doc.seed = p->seed;
    struct machine *m = build_or_fail(&study, &job->common->run);
    machine_run(m);
    const struct result *r = machine_result(m);
    record_write(record, r);
    result_text_trouble(stderr, r);
    if (job->common->host_stats)
        print_host_stats(r);
    return run_stop_exit_code(r->stop);
}

static void put_facts(struct store *store, struct study_doc *study, const char *effective)
{
    char seed[24], digest[24];
    snprintf(digest, sizeof digest, "%016" PRIx64, config_digest(effective));
    store_set_fact(store, "digest", digest);
    snprintf(seed, sizeof seed, "%" PRIu64, study->doc.seed);
    const char *name = strrchr(study->doc.argument, '/');
    store_set_fact(store, "config", name ? name + 1 : study->doc.argument);
    store_set_fact(store, "title", study->doc.title);
    store_set_fact(store, "seed", seed);
}

/* A configuration with any point that cannot run is refused before the first of them is started. */
static void check_all(struct study_doc *study, const struct common *c)
{
    struct machine *m = build_or_fail(study, &c->run);
    machine_free(m);
    if (!study_check_points(study, c->sets, c->sets_count, &c->run))
        diag_exit_if_errors(study->diag);
}

static int report(const struct common *c, const struct own *own, const struct sweep_summary *s, struct store *store,
                  const struct plan *plan)
{
    study_say_failures(stderr, store, plan, own->shard, own->shards);
    note(c, "%zu points run, %zu were there already%s", s->run_count, s->skipped_count,
         s->missing_count ? "; others belong to other shards: labyrinth merge" : "");
    if (!c->quiet)
        study_say_table(stdout, own->folder);
    return s->exit_code;
}

static int run(int argc, char **argv)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct own own = { .workers = processors > 0 ? (unsigned)processors : 1, .shard = 1, .shards = 1 };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    if (!own.folder)
        fail_user("sweep: -o DIR is missing: where should the results go?");
    struct study_doc study;
    load_or_fail(&study, c.args[0], c.sets, c.sets_count);
    check_all(&study, &c);
    struct plan *plan = plan_make(&study, c.sets, c.sets_count, own.repeat ? own.repeat : study.doc.repetitions);
    const char *effective = study_effective(&study), *fingerprint = study_fingerprint(&study);
    diag_exit_if_errors(study.diag);
    struct store *store = store_open(own.folder, STORE_WRITE);
    refuse_other_study(store, own.folder, fingerprint);
    store_put_plan(store, plan);
    store_set_fact(store, "experiment", fingerprint);
    put_facts(store, &study, effective);
    study_write_text(own.folder, "config.yaml", effective);
    struct job job = { &c, plan, &study.doc.axes, c.args[0] };
    struct sweep_options sweep = { .workers = own.workers, .shard = own.shard, .shards = own.shards,
                                   .progress = c.quiet ? PROGRESS_NEVER : c.progress, .run = run_point, .arg = &job };
    struct sweep_summary summary = sweep_run(store, plan, &sweep);
    study_export_tables(store, own.folder);
    int code = report(&c, &own, &summary, store, plan);
    store_close(store);
    study_unload(&study);
    return code;
}

const struct command command_sweep = { "sweep", "CONFIG -o DIR", "Run all points of an experiment, resumable", run };
