/* src/study/result_text.c - see result_text.h. */
#include "src/study/result_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "src/study/metric.h"

enum { FIGURES = 5, BROKEN_DOWN_MAX = 2 };

static const struct { const char *word; uint32_t permille10; } figures[FIGURES] = {
    { "mean", 0 }, { "p50", 5000 }, { "p90", 9000 }, { "p99", 9900 }, { "max", 10000 },
};

static uint64_t figure_ps(const struct hist *h, unsigned i)
{
    if (i == 0)
        return mean_round(h->sum_ps, h->count);
    return i == FIGURES - 1 ? h->max_ps : hist_percentile_ps(h, figures[i].permille10);
}

static const struct class_stats *seen(const struct result *r, unsigned class)
{
    const struct class_stats *s = account_stats(r->account, (enum class_id)class);
    return s && s->latency.count > 0 ? s : NULL;
}

/* ---- latencies: one row per class, below it one per source if there are several */

/* One unit for the whole table: columns are read against each other. table_cell_fixed3 takes thousandths of it. */
struct scale { const char *unit; uint64_t divisor; unsigned decimals; };

struct extremes { uint64_t least, most; }; /* of what the table shows and is not 0 */

static void see_row(struct extremes *e, const struct hist *h)
{
    for (unsigned i = 0; i < FIGURES; i++) {
        uint64_t value = figure_ps(h, i);
        e->least = value && value < e->least ? value : e->least;
        e->most = value > e->most ? value : e->most;
    }
}

static void each_source(const struct result *r, unsigned class, void (*see)(struct extremes *, const struct hist *), struct extremes *e)
{
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(r->account, (enum class_id)class, (enum source_id)i);
        if (part && part->latency.count > 0)
            see(e, &part->latency);
    }
}

/* Nanoseconds; microseconds if everything is large. As many decimals as the smallest value needs not to read 0. */
static struct scale table_scale(const struct result *r)
{
    struct extremes e = { UINT64_MAX, 0 };
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        if (seen(r, c)) {
            see_row(&e, &seen(r, c)->latency);
            each_source(r, c, see_row, &e);
        }
    struct scale scale = { "ns", 1, 1 };
    uint64_t least_ps = e.least;
    if (e.least != UINT64_MAX && e.least >= 10u * PS_PER_US) {
        scale = (struct scale){ "us", 1000, 1 };
        least_ps /= 1000;
    }
    if (least_ps < 50)
        scale.decimals = least_ps < 5 ? 3 : 2;
    return scale;
}

static void latency_row(struct table *t, const char *name, const struct hist *h, struct scale scale)
{
    table_row(t);
    table_cell(t, "%s", name);
    table_cell_u64(t, h->count);
    for (unsigned i = 0; i < FIGURES; i++)
        table_cell_fixed3(t, mean_round(figure_ps(h, i), scale.divisor), scale.decimals);
}

static unsigned source_count(const struct result *r, unsigned class)
{
    unsigned n = 0;
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(r->account, (enum class_id)class, (enum source_id)i);
        n += part && part->latency.count > 0;
    }
    return n;
}

static void source_rows(struct table *t, const struct result *r, unsigned class, struct scale scale)
{
    if (source_count(r, class) < 2)
        return;
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(r->account, (enum class_id)class, (enum source_id)i);
        char name[64];
        snprintf(name, sizeof name, "  %s", source_terms[i].name);
        if (part && part->latency.count > 0)
            latency_row(t, name, &part->latency, scale);
    }
}

void result_text_latencies(FILE *out, const struct result *r, struct text_style style)
{
    struct table *t = table_new(style);
    struct scale scale = table_scale(r);
    bool any = false;
    table_column(t, "latency", TABLE_LEFT);
    table_column(t, "count", TABLE_RIGHT);
    for (unsigned i = 0; i < FIGURES; i++) {
        char heading[32];
        snprintf(heading, sizeof heading, "%s (%s)", figures[i].word, scale.unit);
        table_column(t, heading, TABLE_RIGHT);
    }
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const struct class_stats *s = seen(r, c);
        if (!s)
            continue;
        any = true;
        latency_row(t, class_infos[c].name, &s->latency, scale);
        source_rows(t, r, c, scale);
    }
    if (any) {
        table_print(t, out);
        fputs("Percentiles are upper edges of histogram buckets, at most 0.8 % too high; all else is exact.\n", out);
    } else
        fputs("No request was recorded.\n", out);
    table_free(t);
}

/* ---- where the time went */

static void breakdown(FILE *out, struct text_style style, const struct class_stats *s, enum class_id class, bool phases)
{
    struct breakdown_part parts[PART_COUNT + PHASE_COUNT];
    unsigned n = phases ? phase_term_count(class) : (unsigned)PART_COUNT;
    for (unsigned i = 0; i < n; i++) {
        unsigned term = phases ? phase_in_order(class, i) : i;
        parts[i].name = phases ? phase_term(class, term)->name : part_terms[i].name;
        parts[i].ps = mean_round(phases ? phase_sum_ps(s, class, term) : s->hardware_sum_ps[i], s->latency.count);
    }
    breakdown_print(out, style, parts, n, mean_round(s->latency.sum_ps, s->latency.count));
}

static void break_down_class(FILE *out, struct text_style style, const struct class_stats *s, enum class_id class)
{
    char mean[DURATION_BYTES];
    const char *name = class_infos[class].name;
    duration_text(mean, mean_round(s->latency.sum_ps, s->latency.count));
    if (!class_infos[class].memory) {
        fprintf(out, "\nWhere the time of %s went, mean %s: steps of the software\n", name, mean);
        breakdown(out, style, s, class, true);
    }
    fprintf(out, "\nWhere the time of %s went, mean %s: parts of the hardware, last arrivals\n", name, mean);
    breakdown(out, style, s, class, false);
}

/* What a run was most likely made for comes first; memory accesses only if there is nothing else. */
static void breakdowns(FILE *out, const struct result *r, const struct text_options *options)
{
    static const enum class_id first[] = {
        CLASS_GRANT, CLASS_PAIR, CLASS_ALLOC_ATOMIC, CLASS_ALLOC_NOWAIT, CLASS_ALLOC_KERNEL, CLASS_ALLOC_HIGHUSER_MOVABLE,
        CLASS_ALLOC_HIGHUSER, CLASS_ALLOC_USER, CLASS_ALLOC_NOFS, CLASS_ALLOC_NOIO,
        CLASS_ALLOC_OTHER, CLASS_PAGE_OWN, CLASS_PINGPONG, CLASS_DMA_WRITE, CLASS_DMA_READ, CLASS_ATOMIC, CLASS_STORE,
        CLASS_LOAD,
    };
    if (options->verbose) {
        for (unsigned c = 0; c < CLASS_COUNT; c++)
            if (seen(r, c))
                break_down_class(out, options->style, seen(r, c), (enum class_id)c);
        return;
    }
    unsigned shown_count = 0;
    for (unsigned i = 0; i < sizeof first / sizeof *first && shown_count < BROKEN_DOWN_MAX; i++)
        if (seen(r, first[i]) && (shown_count == 0 || !class_infos[first[i]].memory)) {
            break_down_class(out, options->style, seen(r, first[i]), first[i]);
            shown_count++;
        }
}

/* ---- counters */

static bool starts_with_any(const char *name, const char *const *prefixes)
{
    for (; *prefixes; prefixes++)
        if (strncmp(name, *prefixes, strlen(*prefixes)) == 0)
            return true;
    return false;
}

/* Of the counters of hardware parts, a few totals; of what programs and the kernel count, all. */
static bool of_interest(const char *name)
{
    static const char *const hardware[] = { "cache.", "device", "dram.", "hart.", "home.", "iommu.", "net.", "oracle.",
                                            "page_own.straggler", "protocol.", "tlb.", NULL };
    static const char *const chosen[] = { "cache.misses", "cache.upgrades", "dram.reads", "dram.writes", "hart.atomics",
                                          "hart.interrupts", "hart.ipis", "hart.loads", "hart.stores", "home.forwards",
                                          "home.invalidations", "home.recalls", "home.requests", "iommu.abort",
                                          "iommu.fault_count", "iommu.iotlb", "net.bytes", "oracle.dma", "oracle.grants",
                                          "oracle.lines_relost", NULL };
    size_t head = strcspn(name, ".");
    bool numbered = head > 0 && isdigit((unsigned char)name[head - 1]) && name[head] != '\0'; /* core3.loads */
    return !numbered && (starts_with_any(name, chosen) || !starts_with_any(name, hardware));
}

static void counters(FILE *out, const struct result *r, const struct text_options *options)
{
    struct table *t = table_new(options->style);
    unsigned n = 0;
    size_t left_out = 0;
    table_column(t, "counter", TABLE_LEFT);
    table_column(t, "value", TABLE_RIGHT);
    for (size_t i = 0; i < r->counter_count; i++) {
        const struct counter *c = &r->counters[i];
        if (!options->verbose && (c->value == 0 || !of_interest(c->name))) {
            left_out++;
            continue;
        }
        table_row(t);
        table_cell(t, "%s", c->name);
        table_cell_u64(t, c->value);
        n++;
    }
    if (n > 0) {
        fputs("\nCounters of the whole run, warm-up and preparation included (labyrinth explain NAME):\n",
              out);
        table_print(t, out);
    }
    if (left_out > 0)
        fprintf(out, "%zu more counters: --verbose\n", left_out);
    table_free(t);
}

/* ---- head and checks */

static void head(FILE *out, const struct result *r, const struct text_options *options)
{
    char time[DURATION_BYTES];
    static const char *const stops[] = {
        [RUN_DONE] = "every agent with a count has finished", [RUN_LIMIT] = "the declared limit was reached",
        [RUN_ILLEGAL] = "ILLEGAL OPERATION", [RUN_VIOLATION] = "VIOLATED INVARIANT", [RUN_STUCK] = "NO PROGRESS",
    };
    if (r->title && *r->title)
        fprintf(out, "%s%s%s\n", options->style.ansi ? "\033[1m" : "", r->title, options->style.ansi ? "\033[0m" : "");
    fprintf(out, "config   %s, seed %" PRIu64 ", digest %s\n", r->config_file, r->seed, r->config_digest);
    if (options->machine)
        fprintf(out, "machine  %s\n", options->machine);
    fprintf(out, "stop     %s: %s after %s of simulated time\n", run_stop_name(r->stop), stops[r->stop],
            duration_text(time, r->time_ps));
    for (size_t i = 0; i < options->note_count; i++)
        fprintf(out, "note     %s\n", options->notes[i]);
    for (const char *line = r->notes ? r->notes : ""; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "note     %.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}

static void violations(FILE *out, const struct result *r)
{
    for (size_t i = 0; i < r->violation_count; i++) {
        const struct violation *v = &r->violations[i];
        char time[32];
        fprintf(out, "\nViolation %zu of %zu: %s, at %s ns, by %s, address 0x%" PRIx64 "\n", i + 1, r->violation_count,
                v->kind, ns_text(v->time_ps, time), v->agent, v->address);
        fputs(v->text, out);
        if (*v->text && v->text[strlen(v->text) - 1] != '\n')
            fputc('\n', out);
    }
}

/* The text of a violation that stopped the run is not told twice. */
void result_text_trouble(FILE *out, const struct result *r)
{
    const char *stop = r->stop_text ? r->stop_text : "";
    bool told = r->violation_count > 0 && strcmp(stop, r->violations[0].text) == 0;
    if (*stop && !told)
        fprintf(out, "\n%s%s", stop, stop[strlen(stop) - 1] == '\n' ? "" : "\n");
    violations(out, r);
}

/* Pages taken over line by line: which line was last, and how many were there already. */
static void page_totals(FILE *out, const struct result *r)
{
    const struct class_stats *own = account_stats(r->account, CLASS_PAGE_OWN);
    uint64_t most = 0, pages = 0;
    unsigned line = 0, worst = 0;
    for (size_t i = 0; own && i < r->counter_count; i++) {
        const struct counter *c = &r->counters[i];
        if (sscanf(c->name, "page_own.straggler_line_%u_count", &line) != 1)
            continue;
        pages += c->value;
        if (c->value > most) {
            most = c->value;
            worst = line;
        }
    }
    if (pages)
        fprintf(out, "\nOf %" PRIu64 " pages owned, line %u of 0 to 63 was the straggler most often: %" PRIu64 " times.\n",
                pages, worst, most);
}

void result_text_write(FILE *out, const struct result *r, const struct text_options *options)
{
    head(out, r, options);
    result_text_trouble(out, r);
    fputc('\n', out);
    result_text_latencies(out, r, options->style);
    breakdowns(out, r, options);
    page_totals(out, r);
    counters(out, r, options);
    if (r->phase_sum_mismatch_count > 0)
        fprintf(out, "\n%" PRIu64 " requests had parts that do not add up to their latency.\n", r->phase_sum_mismatch_count);
}
