/* src/machine/machine.c - life of a machine: read, wire, run, result. */
#include "src/machine/private.h"

#include "src/base/fail.h"
#include "src/config/experiment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- options */

static bool env_is(const char *variable, const char *value)
{
    const char *v = getenv(variable);
    return v && strcmp(v, value) == 0;
}

struct run_options run_options_default(void)
{
    return (struct run_options){
        .queue = env_is("LABYRINTH_QUEUE", "heap") ? QUEUE_HEAP : QUEUE_WHEEL,
        .fibers = env_is("LABYRINTH_FIBER", "ucontext") || !fiber_backend_available(FIBER_ASM) ? FIBER_UCONTEXT : FIBER_ASM,
        .lookahead = !env_is("LABYRINTH_LOOKAHEAD", "off") };
}

static const struct { const char *name; int exit_code; } stops[] = {
    [RUN_DONE] = { "done", EXIT_CLEAN },       [RUN_LIMIT] = { "limit", EXIT_CLEAN },
    [RUN_ILLEGAL] = { "illegal", EXIT_ILLEGAL }, [RUN_VIOLATION] = { "violation", EXIT_VIOLATION },
    [RUN_STUCK] = { "stuck", EXIT_STUCK } };

const char *run_stop_name(enum run_stop s) { return stops[s].name; }
int run_stop_exit_code(enum run_stop s) { return stops[s].exit_code; }

/* ---- life */

struct machine *machine_new(struct experiment_doc *doc, const struct run_options *options, struct diag *diag)
{
    struct machine *m = calloc(1, sizeof *m);
    CHECK_MEMORY(m, "out of host memory for a machine");
    m->arena = arena_new();
    m->late = arena_new();
    m->doc = doc;
    m->options = *options;
    bool good = machine_desc_read(doc, m->arena, diag, &m->desc, &m->kernel_keys, &m->checks);
    if (!good) { /* read on for more errors, without complaining about cores and devices nobody knows */
        m->desc.cores = HARTS_MAX;
        m->desc.devices.count = DEVICES_MAX;
    }
    good = agents_read(m, diag) && good;
    if (doc->plots)
        node_use_all(doc->plots);
    if (doc->protocol)
        node_use_all(doc->protocol);
    if (doc->root)
        node_reject_unread(diag, doc->root);
    good = good && diag_count(diag) == 0;
    good = good && machine_wire(m, diag);
    good = good && agents_prepare(m, diag);
    if (!good) {
        machine_free(m);
        return NULL;
    }
    m->violations = ARENA_ARRAY(m->arena, struct violation, 16);
    machine_effective(m);
    arena_seal(m->arena);
    return m;
}

void machine_check_file(struct node *machine, struct diag *diag)
{
    struct experiment_doc doc = { .argument = machine->at.file, .path = machine->at.file, .machine = machine };
    struct machine_desc desc = { 0 };
    struct kernel_keys kernel = { 0 };
    struct check_keys checks = { 0 };
    struct arena *arena = arena_new();
    machine_desc_read(&doc, arena, diag, &desc, &kernel, &checks);
    node_reject_unread(diag, machine);
    arena_free(arena);
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    panic_context(NULL, NULL);
    trace_free(m);
    machine_unwire(m);
    free(m->counted);
    arena_free(m->arena);
    arena_free(m->late);
    free(m);
}

/* ---- running */

enum { MEAN_SLICE_PS = 20000000 };

enum { STUCK_LINES = 4, STUCK_HISTORY = 24 };

struct stuck_lines { struct machine *m; const char *text; FILE *out; unsigned count; };

/* The life of a line that the text names. */
static bool stuck_line(void *arg, lineno line)
{
    struct stuck_lines *s = arg;
    char name[40];
    snprintf(name, sizeof name, "line %#" PRIx64, line.v);
    const char *found = strstr(s->text, name);
    if (found && !strchr("0123456789abcdef", found[strlen(name)])) {
        fprintf(s->out, "%s (address %#" PRIx64 "), its last transitions:\n", name, line.v << LINE_SHIFT);
        history_print(s->m->history, line, STUCK_HISTORY, s->out);
        s->count++;
    }
    return s->count < STUCK_LINES;
}

static char *with_histories(struct machine *m, char *text)
{
    char *longer = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&longer, &size);
    CHECK_MEMORY(f, "out of host memory for the stuck report");
    fputs(text, f);
    history_lines(m->history, stuck_line, &(struct stuck_lines){ m, text, f, 0 });
    fclose(f);
    free(text);
    return longer;
}

static char *who_waits(struct machine *m, const char *headline)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    CHECK_MEMORY(f, "out of host memory for the stuck report");
    fprintf(f, "%s\n", headline);
    for (unsigned i = 0; i < m->work.agent_count; i++) {
        const struct agent *a = &m->work.agents[i];
        if (a->count && !a->finished)
            fprintf(f, "  agent %s on %s: %" PRIu64 " of %" PRIu64 " operations done\n", a->name,
                    a->hart ? machine_agent_name(m, hart_id(a->hart)) : "a device", a->done, a->count + a->warmup);
    }
    fputs("who waits for what:\n", f);
    components_why_busy(&m->components, f);
    fclose(f);
    return with_histories(m, text);
}

static void stuck(struct machine *m, const char *headline)
{
    char *text = who_waits(m, headline);
    machine_stop(m, RUN_STUCK, text);
    free(text);
}

static void context_on_panic(void *arg, FILE *out)
{
    struct machine *m = arg;
    fprintf(out, "at %" PRIu64 " ps; parts that were busy:\n", engine_now(m->engine));
    components_why_busy(&m->components, out);
}

/* The engine until `until`; in the mean build with every part's invariants walked each few microseconds. */
static enum engine_stop run_until(struct machine *m, tick until)
{
    enum engine_stop why = ENGINE_LIMIT;
    while (MEAN_BUILD && !m->stopped && why == ENGINE_LIMIT && until - engine_now(m->engine) > MEAN_SLICE_PS) {
        why = engine_run(m->engine, engine_now(m->engine) + MEAN_SLICE_PS);
        components_check(&m->components);
    }
    return why == ENGINE_LIMIT && !m->stopped ? engine_run(m->engine, until) : why;
}

static uint64_t progress_made(const struct machine *m) { return m->operations_done + account_closed_count(m->account); }

/* A computation or sleep longer than the watchdog's period is no standstill. */
static bool somebody_sleeps(const struct machine *m)
{
    bool any = false;
    for (unsigned i = 0; i < m->desc.cores; i++)
        any |= hart_in_timed_wait(m->harts[i]);
    return any;
}

/* A run goes in slices of the watchdog's period: one without any finished operation means no progress. */
static void slice_begin(struct machine *m)
{
    tick now = engine_now(m->engine), limit = m->doc->limit_ps ? m->doc->limit_ps : TICK_MAX;
    m->slice_until = m->checks.watchdog_ps < limit - now ? now + m->checks.watchdog_ps : limit;
    m->slice_seen = progress_made(m);
    m->slice_open = true;
}

/* `why` no more events of the slice were run: none is left, or only later ones are. */
static void slice_end(struct machine *m, enum engine_stop why)
{
    m->slice_open = false;
    if (why == ENGINE_IDLE && m->unfinished) {
        stuck(m, "nothing moves any more (deadlock): no event is left, but agents have not finished");
    } else if (why == ENGINE_IDLE || m->slice_until == (m->doc->limit_ps ? m->doc->limit_ps : TICK_MAX)) {
        machine_stop(m, RUN_LIMIT, "");
    } else if (progress_made(m) == m->slice_seen && m->unfinished && !somebody_sleeps(m)) {
        stuck(m, arena_printf(m->late, "no operation or request was finished for %" PRIu64 " ps of simulated time (checks.watchdog)",
                              m->checks.watchdog_ps));
    }
}

static void run_slices(struct machine *m)
{
    while (!m->stopped) {
        slice_begin(m);
        enum engine_stop why = run_until(m, m->slice_until);
        if (m->stopped || why == ENGINE_ASKED)
            return;
        slice_end(m, why);
    }
}

static void check_end(struct machine *m)
{
    if (m->stop == RUN_DONE || m->stop == RUN_LIMIT)
        components_check(&m->components);
    uint64_t mismatches = account_mismatch_count(m->account);
    if (mismatches && m->violation_count < 16) {
        m->violations[m->violation_count++] = (struct violation){
            .kind = "accounting", .time_ps = engine_now(m->engine), .agent = "account",
            .text = arena_printf(m->late, "%" PRIu64 " requests whose parts do not sum to their latency", mismatches) };
        if (m->stop == RUN_DONE || m->stop == RUN_LIMIT) {
            m->stop = RUN_VIOLATION;
            m->stop_text = m->violations[m->violation_count - 1].text;
        }
    }
}

void machine_start(struct machine *m)
{
    panic_context(context_on_panic, m);
    trace_start(m);
    watch_start(m);
    for (unsigned i = 0; i < m->work.agent_count; i++)
        if (m->work.agents[i].device && m->work.agents[i].program->start)
            m->work.agents[i].program->start(&m->work.agents[i]);
}

const char *machine_step(struct machine *m)
{
    while (!m->stopped) {
        enum engine_stop why;
        if (!m->slice_open)
            slice_begin(m);
        const char *what = engine_step(m->engine, m->slice_until, &why);
        if (what)
            return what;
        slice_end(m, why);
    }
    return NULL;
}

void machine_run(struct machine *m)
{
    struct timespec began, ended;
    clock_gettime(CLOCK_MONOTONIC, &began);
    machine_start(m);
    run_slices(m);
    machine_finish(m);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    m->result.host.seconds = (double)(ended.tv_sec - began.tv_sec) + (double)(ended.tv_nsec - began.tv_nsec) * 1e-9;
}

void machine_finish(struct machine *m)
{
    watch_stop(m);
    trace_finish(m);
    check_end(m);
    panic_context(NULL, NULL);
    struct result *r = &m->result;
    machine_collect(m);
    r->stop = m->stop;
    r->stop_text = m->stop_text ? m->stop_text : "";
    r->notes = arena_printf(m->late, "%s%s", m->first_failure ? m->first_failure : "", m->first_refusal ? m->first_refusal : "");
    r->time_ps = engine_now(m->engine);
    r->events = components_op_count(&m->components);
    r->order_hash = components_order_hash(&m->components);
    r->account = m->account;
    r->phase_sum_mismatch_count = account_mismatch_count(m->account);
    r->violations = m->violations;
    r->violation_count = m->violation_count;
    r->title = m->doc->title;
    r->config_file = m->doc->argument;
    r->seed = m->doc->seed;
    r->host.engine_events = engine_host_events(m->engine);
    r->host.host_bytes = memory_host_bytes(m->memory);
    for (unsigned i = 0; i < m->agents; i++)
        r->host.host_bytes += cache_host_bytes(m->caches[i]);
    for (unsigned i = 0; i < m->slice_count; i++)
        r->host.host_bytes += cluster_host_bytes(m->slices[i]);
    for (unsigned i = 0; i < m->home_count; i++)
        r->host.host_bytes += home_host_bytes(m->homes[i]);
    for (unsigned i = 0; i < m->desc.cores; i++)
        r->host.host_bytes += hart_host_bytes(m->harts[i]);
}

tick machine_now(const struct machine *m) { return engine_now(m->engine); }
const struct protocol *machine_protocol(const struct machine *m) { return m->protocol; }
const struct row_counts *machine_row_counts(const struct machine *m) { return &m->row_counts; }

const struct result *machine_result(const struct machine *m) { return &m->result; }

void machine_programs(void (*each)(void *arg, const char *name, const char *sentence), void *arg)
{
    for (size_t i = 0; programs[i]; i++)
        each(arg, programs[i]->name, programs[i]->sentence);
}
