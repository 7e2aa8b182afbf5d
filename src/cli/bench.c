/* src/cli/bench.c - labyrinth bench: how fast the simulator is on this host, as medians of several runs and
 * ratios against a baseline of the same run, so that figures of different hosts can be compared.
 */
#include "src/cli/bench.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/base/fail.h"
#include "src/base/json.h"
#include "src/base/table.h"
#include "src/cli/cli.h"
#include "src/study/outfile.h"

enum { KEY_REPEATS = 0x200, KEY_QUICK, KEY_ONLY, KEY_OUT_JSON, REPEATS_MAX = 101, BENCHES_MAX = 32 };

struct own { unsigned repeats; bool quick; const char *only, *json; };

static const struct argp_option options[] = {
    { "repeats", KEY_REPEATS, "N", 0, "Runs of each entry; the median counts (default: 5)", 0 },
    { "quick", KEY_QUICK, NULL, 0, "A tenth of the work: to see that it runs", 0 },
    { "only", KEY_ONLY, "TEXT", 0, "Entries whose name has this text, and their baselines", 0 },
    { "json", KEY_OUT_JSON, "FILE", 0, "Write the figures as JSON; - is standard output", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case KEY_REPEATS: own->repeats = (unsigned)parse_number("--repeats", arg, 1, REPEATS_MAX); return 0;
    case KEY_QUICK: own->quick = true; return 0;
    case KEY_ONLY: own->only = arg; return 0;
    case KEY_OUT_JSON: own->json = arg; return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_QUIET | COMMON_PROGRESS, .arguments = "", .args_max = 0,
    .doc = "Measures the simulator's own speed and memory on this host.\v"
           "Each figure is the median over the repeats; spread is the range of all repeats over the median. Speeds depend "
           "on the host: compare the ratios, each against the named baseline in the same run. Results of simulations never "
           "depend on any of this.",
};

double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Of one entry: operations per second. */
struct figure { const struct bench *bench; double median, spread; bool wanted; };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void summarise(struct figure *f, double *rates, unsigned n)
{
    qsort(rates, n, sizeof *rates, by_value);
    f->median = n % 2 ? rates[n / 2] : (rates[n / 2 - 1] + rates[n / 2]) / 2;
    f->spread = f->median > 0 ? (rates[n - 1] - rates[0]) / f->median : 0;
}

static struct figure *find(struct figure *figures, unsigned n, const char *name)
{
    for (unsigned i = 0; name && i < n; i++)
        if (strcmp(figures[i].bench->name, name) == 0)
            return &figures[i];
    return NULL;
}

static unsigned choose(struct figure *figures, const char *only)
{
    unsigned n = 0;
    for (unsigned i = 0; i < engine_bench_count; i++)
        figures[n++] = (struct figure){ .bench = &engine_benches[i] };
    for (unsigned i = 0; i < step_bench_count; i++)
        figures[n++] = (struct figure){ .bench = &step_benches[i] };
    for (unsigned i = 0; i < machine_bench_count; i++)
        figures[n++] = (struct figure){ .bench = &machine_benches[i] };
    for (unsigned i = 0; i < n; i++)
        if (!only || strstr(figures[i].bench->name, only)) {
            struct figure *base = find(figures, n, figures[i].bench->baseline);
            figures[i].wanted = true;
            if (base)
                base->wanted = true;
        }
    return n;
}

/* Round by round, not entry by entry: what disturbs the host disturbs all of them alike. */
static void measure(struct figure *figures, unsigned n, const struct own *own, struct progress *bar)
{
    static double rates[BENCHES_MAX][REPEATS_MAX];
    CHECK(n <= BENCHES_MAX, "too many benches");
    for (unsigned r = 0; r < own->repeats; r++)
        for (unsigned i = 0; i < n; i++) {
            if (!figures[i].wanted)
                continue;
            struct bench_sample s = figures[i].bench->run(figures[i].bench, own->quick);
            rates[i][r] = s.seconds > 0 ? (double)s.operations / s.seconds : 0;
            progress_show(bar, r * n + i + 1, (uint64_t)own->repeats * n);
        }
    for (unsigned i = 0; i < n; i++)
        if (figures[i].wanted)
            summarise(&figures[i], rates[i], own->repeats);
}

static void print_table(struct figure *figures, unsigned n, const struct own *own, const struct bench_memory *memory)
{
    struct table *t = table_new(text_style_for(stdout));
    table_column(t, "what", TABLE_LEFT);
    table_column(t, "million/s", TABLE_RIGHT);
    table_column(t, "ns each", TABLE_RIGHT);
    table_column(t, "spread", TABLE_RIGHT);
    table_column(t, "ratio", TABLE_RIGHT);
    table_column(t, "against", TABLE_LEFT);
    for (unsigned i = 0; i < n; i++) {
        const struct figure *f = &figures[i], *base = find(figures, n, f->bench->baseline);
        if (!f->wanted)
            continue;
        table_row(t);
        table_cell(t, "%s (%s)", f->bench->name, f->bench->unit);
        table_cell(t, "%.3f", f->median / 1e6);
        table_cell(t, "%.1f", f->median > 0 ? 1e9 / f->median : 0);
        table_cell(t, "%.0f %%", f->spread * 100);
        table_cell(t, base && base->median > 0 ? "%.2f" : "", base ? f->median / base->median : 0);
        table_cell(t, "%s", base ? base->bench->name : "");
    }
    table_print(t, stdout);
    table_free(t);
    printf("median of %u runs, CPU time of one thread\n", own->repeats);
    if (memory)
        printf("host memory: %" PRIu64 " bytes per simulated hart with its caches, %" PRIu64 " bytes per line a cache can hold\n",
               memory->bytes_per_hart, memory->bytes_per_line);
}

static void write_json(const char *path, struct figure *figures, unsigned n, const struct own *own,
                       const struct bench_memory *memory)
{
    struct outfile *out = outfile_open(path);
    struct json j = json_writer(outfile_stream(out), false);
    json_object(&j, NULL);
    json_u64(&j, "repeats", own->repeats);
    json_object(&j, "benches");
    for (unsigned i = 0; i < n; i++) {
        const struct figure *f = &figures[i], *base = find(figures, n, f->bench->baseline);
        if (!f->wanted)
            continue;
        json_object(&j, f->bench->name);
        json_string(&j, "unit", f->bench->unit);
        json_u64(&j, "per_second", (uint64_t)f->median);
        json_fixed3(&j, "spread_percent", (uint64_t)(f->spread * 1e5));
        if (base && base->median > 0) {
            json_string(&j, "baseline", base->bench->name);
            json_fixed3(&j, "ratio", (uint64_t)(f->median / base->median * 1e3));
        }
        json_end(&j);
    }
    json_end(&j);
    if (memory) {
        json_u64(&j, "host_bytes_per_hart", memory->bytes_per_hart);
        json_u64(&j, "host_bytes_per_cached_line", memory->bytes_per_line);
    }
    json_end(&j);
    json_finish(&j);
    outfile_commit(out);
}

static int run(int argc, char **argv)
{
    struct own own = { .repeats = 5 };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    struct figure figures[BENCHES_MAX];
    struct bench_memory memory;
    if (own.json)
        outfile_check(own.json);
    unsigned n = choose(figures, own.only);
    bool any = false;
    for (unsigned i = 0; i < n; i++)
        any |= figures[i].wanted;
    bool with_memory = !own.only || strstr("memory", own.only);
    if (!any && !with_memory)
        fail_user("--only: no entry has \"%s\" in its name; labyrinth bench --quick shows them all", own.only);
    struct progress bar = progress_start(c.quiet ? PROGRESS_NEVER : c.progress, "runs", 0);
    measure(figures, n, &own, &bar);
    if (with_memory)
        memory = bench_memory();
    progress_end(&bar);
    if (own.json)
        write_json(own.json, figures, n, &own, with_memory ? &memory : NULL);
    if (!c.quiet && !(own.json && strcmp(own.json, "-") == 0))
        print_table(figures, n, &own, with_memory ? &memory : NULL);
    return EXIT_CLEAN;
}

const struct command command_bench = { "bench", "", "Measure the simulator's own speed", run };
