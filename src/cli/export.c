/* src/cli/export.c - labyrinth export: a study as CSV or JSON. */
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/study.h"
#include "src/study/outfile.h"

enum { KEY_FORMAT = 0x200 };

static const struct argp_option options[] = {
    { "format", KEY_FORMAT, "csv|summary|json", 0,
      "csv: one row per point and repetition; summary: one row per point, means with 95 % confidence intervals; json: "
      "complete results (default: csv)", 0 },
    { "output", 'o', "FILE", 0, "Where to (default: -, standard output)", 0 },
    { 0 },
};

struct own { const char *format, *output; };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    if (key == KEY_FORMAT)
        own->format = arg;
    else if (key == 'o')
        own->output = arg;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct usage usage = {
    .options = options, .parser = parse, .arguments = "DIR", .args_min = 1, .args_max = 1,
    .doc = "Writes the results of a study, ordered by point and repetition.\v"
           "CSV is wide: point, repetition, seed, one column per swept path, exit_code, stop, order_hash, then one column "
           "per metric (labyrinth list metrics). Neither host nor time appears: equal studies give equal bytes.",
};

static int run(int argc, char **argv)
{
    static const char *const formats[] = { "csv", "summary", "json" };
    static void (*const writers[])(FILE *, const struct frame *) = { frame_write_csv, frame_write_summary,
                                                                     frame_write_json };
    struct own own = { "csv", "-" };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    size_t format = 0;
    while (format < 3 && strcmp(own.format, formats[format]) != 0)
        format++;
    if (format == 3)
        fail_unknown("format", own.format, formats, 3);
    struct store *store = store_open(c.args[0], STORE_READ);
    struct frame *f = frame_load(store);
    struct outfile *out = outfile_open(own.output);
    writers[format](outfile_stream(out), f);
    outfile_commit(out);
    frame_free(f);
    store_close(store);
    return EXIT_CLEAN;
}

const struct command command_export = { "export", "DIR", "Write a study as CSV or JSON", run };
