/* src/cli/run.c - labyrinth run: the base point of an experiment, with tables for people. */
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/debug.h"
#include "src/cli/lines.h"
#include "src/cli/protocol.h"
#include "src/config/quantity.h"
#include "src/study/outfile.h"
#include "src/study/result_json.h"
#include "src/study/result_text.h"

enum { KEY_HISTORY = 0x200, KEY_PROTOCOL_COUNTS, KEY_TRACE_FROM, KEY_TRACE_UNTIL, KEY_TRACE_LIMIT, KEY_DEBUG };
enum { TRACE_LIMIT = 1000000 };

static const struct argp_option options[] = {
    { "history", KEY_HISTORY, "ADDR", 0, "Print the life of the line at an address, or of the busiest line: every transition and "
      "message (repeatable)", 2 },
    { "protocol-counts", KEY_PROTOCOL_COUNTS, "text|markdown|dot|csv", 0, "Print the protocol's grid with how often each row ran", 2 },
    { "trace-from", KEY_TRACE_FROM, "TIME", 0, "Trace only what ends after this simulated time, such as 5us", 2 },
    { "trace-until", KEY_TRACE_UNTIL, "TIME", 0, "Trace only what ends before it", 2 },
    { "trace-limit", KEY_TRACE_LIMIT, "N", 0, "Cut the trace after N events, and say so (default: 1000000; 0: never)", 2 },
    { "debug", KEY_DEBUG, "TOPICS", 0, "Tell on standard error what happens, as it does: protocol, net, memory, alloc, grant, lock, tlb, "
      "iommu, dma (recorded requests, at their end) or all; several with commas", 3 },
    { 0 },
};

struct own {
    struct histories histories;
    struct debug debug;
    const char *counts;                  /* format, NULL: none wanted */
    tick trace_from_ps, trace_until_ps;
    uint64_t trace_limit;
    bool trace_keys;
};

static tick parse_time(const char *option, const char *text)
{
    struct complaint complaint;
    uint64_t ps;
    if (!quantity_parse(text, Q_TIME, &ps, &complaint))
        fail_user("%s: %s; %s", option, complaint.what, complaint.rule);
    return ps;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    own->trace_keys |= key == KEY_TRACE_FROM || key == KEY_TRACE_UNTIL || key == KEY_TRACE_LIMIT;
    switch (key) {
    case KEY_HISTORY:
        if (own->histories.count == HISTORIES_MAX)
            fail_user("--history is given more than %d times", HISTORIES_MAX);
        own->histories.asked[own->histories.count++] = arg;
        return 0;
    case KEY_PROTOCOL_COUNTS: own->counts = arg; return 0;
    case KEY_TRACE_FROM: own->trace_from_ps = parse_time("--trace-from", arg); return 0;
    case KEY_TRACE_UNTIL: own->trace_until_ps = parse_time("--trace-until", arg); return 0;
    case KEY_TRACE_LIMIT: own->trace_limit = parse_number("--trace-limit", arg, 0, UINT64_MAX); return 0;
    case KEY_DEBUG: debug_topics(&own->debug, arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse,
    .common = COMMON_CONFIG | COMMON_HOST | COMMON_RESULT | COMMON_QUIET | COMMON_PROGRESS,
    .arguments = "CONFIG", .args_min = 1, .args_max = 1,
    .doc = "Simulates the base point of an experiment and prints where the time went.\v"
           "A sweep block is left aside: see labyrinth sweep. A value of any depth is changed by its path, agents by "
           "name: --set machine.cores=16 --set agents.owner.exclusive=all. labyrinth step walks through a run.",
};

static bool to_stdout(const char *path) { return path && strcmp(path, "-") == 0; }
static bool is_stdout_taken(const struct common *c)
{
    return to_stdout(c->json) || to_stdout(c->csv) || to_stdout(c->effective) || to_stdout(c->trace);
}

/* What can be said about the options before anything is loaded. */
static void check_options(const struct common *c, const struct own *own)
{
    if (own->counts)
        parse_protocol_format(own->counts);
    if ((own->counts || own->histories.count) && is_stdout_taken(c))
        fail_user("--history and --protocol-counts print to standard output: let the other result go to a file");
    if (own->trace_keys && !c->trace)
        fail_user("--trace-from, --trace-until and --trace-limit need --trace FILE");
    if (own->trace_until_ps && own->trace_until_ps < own->trace_from_ps)
        fail_user("--trace-until is before --trace-from");
    const char *const outputs[] = { c->json, c->csv, c->effective, c->trace };
    for (size_t i = 0; i < 4; i++)
        if (outputs[i])
            outfile_check(outputs[i]);
}

static void show_progress(void *arg, uint64_t done, uint64_t total, tick now)
{
    (void)now;
    progress_show(arg, done, total);
}

static void write_files(const struct common *c, const struct result *r)
{
    struct outfile *f;
    if (c->json) {
        f = outfile_open(c->json);
        result_json_write(outfile_stream(f), r, false);
        outfile_commit(f);
    }
    if (c->csv) {
        f = outfile_open(c->csv);
        result_csv_write(outfile_stream(f), r);
        outfile_commit(f);
    }
    if (c->effective) {
        f = outfile_open(c->effective);
        fputs(r->effective, outfile_stream(f));
        outfile_commit(f);
    }
}

static void print_tables(const struct common *c, const struct result *r, struct study_doc *study)
{
    const char *notes[1];
    struct text_options text = { .style = text_style_for(stdout), .verbose = c->verbose, .machine = machine_line(study),
                                 .notes = notes };
    if (study->doc.axes.axes_count > 0)
        notes[text.note_count++] = arena_printf(study->arena,
            "the sweep block (%llu points) is left aside; labyrinth sweep %s -o DIR runs it",
            (unsigned long long)study->doc.axes.points_count, study->doc.argument);
    result_text_write(stdout, r, &text);
}

/* Without tables the cause must not be lost: the first lines of it. */
static void say_cause(const struct result *r)
{
    enum { LINES = 6 };
    const char *text = r->stop_text && *r->stop_text ? r->stop_text : r->violation_count ? r->violations[0].text : "";
    unsigned lines = 0;
    for (; *text && lines < LINES; text++) {
        fputc(*text, stderr);
        lines += *text == '\n';
    }
    if (lines < LINES)
        fputc('\n', stderr);
    if (*text)
        fputs("... all of it without --quiet\n", stderr);
}

/* What looks into the run rather than summing it up, after the tables. */
static void print_views(struct own *own, const struct machine *m, bool after_tables)
{
    if (after_tables && own->histories.count)
        putchar('\n');
    histories_print(&own->histories, stdout);
    if (own->counts && (after_tables || own->histories.count))
        putchar('\n');
    if (own->counts)
        protocol_print(stdout, machine_protocol(m), parse_protocol_format(own->counts), machine_row_counts(m));
}

static void finish_trace(struct outfile *trace, const struct common *c, const struct machine *m)
{
    if (!trace)
        return;
    outfile_commit(trace);
    if (*machine_trace_left_out(m))
        note(c, "labyrinth: %s", machine_trace_left_out(m));
}

static int run(int argc, char **argv)
{
    struct own own = { .trace_limit = TRACE_LIMIT };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    check_options(&c, &own);
    struct study_doc study;
    load_or_fail(&study, c.args[0], c.sets, c.sets_count);
    histories_find(&own.histories, &study, &c.run);
    struct progress bar = progress_start(c.quiet ? PROGRESS_NEVER : c.progress, "operations", 0);
    if (bar.on) {
        c.run.progress = show_progress;
        c.run.progress_arg = &bar;
    }
    struct outfile *trace = c.trace ? outfile_open(c.trace) : NULL;
    c.run.trace = trace ? outfile_stream(trace) : NULL;
    c.run.trace_from_ps = own.trace_from_ps;
    c.run.trace_until_ps = own.trace_until_ps;
    c.run.trace_limit = own.trace_limit;
    struct machine *m = build_or_fail(&study, &c.run);
    histories_watch(&own.histories, m);
    debug_watch(&own.debug, m);
    machine_run(m);
    progress_end(&bar);
    finish_trace(trace, &c, m);
    const struct result *r = machine_result(m);
    write_files(&c, r);
    bool tables = !c.quiet && !is_stdout_taken(&c);
    int code = run_stop_exit_code(r->stop);
    if (tables)
        print_tables(&c, r, &study);
    else if (code != EXIT_CLEAN)
        say_cause(r);
    print_views(&own, m, tables);
    if (c.host_stats)
        print_host_stats(r);
    if (code != EXIT_CLEAN)
        fprintf(stderr, "labyrinth: %s, exit code %d\n", run_stop_name(r->stop), code);
    machine_free(m);
    study_unload(&study);
    return code;
}

const struct command command_run = { "run", "CONFIG", "Simulate an experiment and print tables", run };
