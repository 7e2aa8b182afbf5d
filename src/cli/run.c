/* src/cli/run.c - labyrinth run: the base point of an experiment, with tables for people. */
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/study/outfile.h"
#include "src/study/result_json.h"
#include "src/study/result_text.h"

static const struct usage usage = {
    .common = COMMON_CONFIG | COMMON_HOST | COMMON_RESULT | COMMON_QUIET | COMMON_PROGRESS,
    .arguments = "CONFIG", .args_min = 1, .args_max = 1,
    .doc = "Simulates the base point of an experiment and prints where the time went.\v"
           "A sweep block is left aside: see labyrinth sweep. A value of any depth is changed by its path, agents by "
           "name: --set machine.cores=16 --set agents.owner.exclusive=all",
};

static bool to_stdout(const char *path) { return path && strcmp(path, "-") == 0; }

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

static int run(int argc, char **argv)
{
    struct common c = parse_arguments(&usage, argc, argv, NULL);
    const char *const outputs[] = { c.json, c.csv, c.effective, c.trace };
    for (size_t i = 0; i < 4; i++)
        if (outputs[i])
            outfile_check(outputs[i]);
    struct study_doc study;
    load_or_fail(&study, c.args[0], c.sets, c.sets_count);
    struct progress bar = progress_start(c.quiet ? PROGRESS_NEVER : c.progress, "operations", 0);
    if (bar.on) {
        c.run.progress = show_progress;
        c.run.progress_arg = &bar;
    }
    struct outfile *trace = c.trace ? outfile_open(c.trace) : NULL;
    c.run.trace = trace ? outfile_stream(trace) : NULL;
    struct machine *m = build_or_fail(&study, &c.run);
    machine_run(m);
    if (trace)
        outfile_commit(trace);
    progress_end(&bar);
    const struct result *r = machine_result(m);
    write_files(&c, r);
    bool tables = !c.quiet && !to_stdout(c.json) && !to_stdout(c.csv) && !to_stdout(c.effective) && !to_stdout(c.trace);
    int code = run_stop_exit_code(r->stop);
    if (tables)
        print_tables(&c, r, &study);
    else if (code != EXIT_CLEAN)
        say_cause(r);
    if (c.host_stats)
        print_host_stats(r);
    if (code != EXIT_CLEAN)
        fprintf(stderr, "labyrinth: %s, exit code %d\n", run_stop_name(r->stop), code);
    machine_free(m);
    study_unload(&study);
    return code;
}

const struct command command_run = { "run", "CONFIG", "Simulate an experiment and print tables", run };
