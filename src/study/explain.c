/* src/study/explain.c - the dictionary of metrics in words. Everything said here comes from the tables of
 * src/sim/classes.h and src/base/hist.h, so that it cannot disagree with what is measured.
 */
#include <string.h>

#include "src/base/suggest.h"
#include "src/base/table.h"
#include "src/machine/counter_terms.h"
#include "src/study/explain_key.h"
#include "src/study/metric.h"

static const struct { const char *word, *label, *sentence; } stats[STAT_KINDS] = {
    [STAT_COUNT] = { "count", "number", "How many requests were recorded." },
    [STAT_SUM] = { "sum_ps", "total", "Sum of the latencies, exact, in picoseconds." },
    [STAT_MIN] = { "min_ns", "minimum", "The shortest latency, exact." },
    [STAT_MEAN] = { "mean_ns", "mean", "The exact sum divided by the count, rounded to a picosecond." },
    [STAT_P50] = { "p50_ns", "median", "Half of the requests took no longer than this." },
    [STAT_P90] = { "p90_ns", "90th percentile", "90 % of the requests took no longer than this." },
    [STAT_P99] = { "p99_ns", "99th percentile", "99 % of the requests took no longer than this." },
    [STAT_P999] = { "p999_ns", "99.9th percentile", "99.9 % of the requests took no longer than this." },
    [STAT_MAX] = { "max_ns", "maximum", "The longest latency, exact." },
    [STAT_PHASE] = { "phases", "phase", "Mean time per request in one step; the steps add up to the latency." },
    [STAT_HARDWARE] = { "hardware", "part",
                        "Mean time per request in one hardware part, along the chain of causes that ends at the "
                        "request's end; the parts add up to the latency." },
};

static const struct { const char *word, *sentence; } globals[] = {
    { "time_ps", "Simulated time at the end of the run, in picoseconds." },
    { "events", "Operations performed by all parts of the machine." },
    { "checks.phase_sum_mismatch_count", "Requests whose phases or hardware parts did not add up; must be 0." },
    { "checks.violation_count", "Violated invariants that the oracle reported." },
    { "counters.NAME", "A counter of the whole run, warm-up and preparation included: labyrinth list counters." },
};
enum { GLOBALS = sizeof globals / sizeof *globals };

static const char *stat_words(const struct metric *m, char *buffer, size_t bytes)
{
    if (m->stat != STAT_PHASE && m->stat != STAT_HARDWARE)
        return stats[m->stat].label;
    snprintf(buffer, bytes, "mean of %s %s", stats[m->stat].label,
             m->stat == STAT_PHASE ? phase_term(m->class, m->term)->name : part_terms[m->term].name);
    return buffer;
}

const char *metric_label(const struct metric *m, char *buffer, size_t bytes)
{
    char stat[100];
    if (m->scope == SCOPE_COUNTER)
        snprintf(buffer, bytes, "%s", m->name + strlen("counters."));
    else if (m->scope != SCOPE_CLASS)
        snprintf(buffer, bytes, "%s", m->scope == SCOPE_TIME ? "simulated time" : m->name);
    else {
        const char *from = m->source == SOURCE_NONE ? "" : source_terms[m->source].name;
        snprintf(buffer, bytes, "%s%s%s%s, %s", class_infos[m->class].name, *from ? " (" : "", from, *from ? ")" : "",
                 stat_words(m, stat, sizeof stat));
    }
    return buffer;
}

const char *metric_words(const struct metric *m, unsigned words, char *buffer, size_t bytes)
{
    char stat[100];
    if (m->scope != SCOPE_CLASS)
        return metric_label(m, buffer, bytes);
    const char *class = (words & METRIC_WORD_CLASS) != 0 ? class_infos[m->class].name : "",
               *source = (words & METRIC_WORD_SOURCE) == 0 ? "" : m->source == SOURCE_NONE ? "all" : source_terms[m->source].name,
               *what = (words & METRIC_WORD_STAT) != 0 ? stat_words(m, stat, sizeof stat) : "";
    snprintf(buffer, bytes, "%s%s%s%s%s", class, *class && *source ? ", " : "", source, (*class || *source) && *what ? ", " : "", what);
    return buffer;
}

/* ---- list */

void metric_list(FILE *out)
{
    for (unsigned i = 0; i < GLOBALS; i++)
        fprintf(out, "%-34s %s\n", globals[i].word, globals[i].sentence);
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        fprintf(out, "%s\n    from %s\n    to %s\n", class_infos[c].name, class_infos[c].start, class_infos[c].end);
        for (unsigned i = 0; i < STAT_PHASE; i++)
            fprintf(out, "  %s.%s\n", class_infos[c].name, stats[i].word);
        for (unsigned i = 0; i < phase_term_count((enum class_id)c); i++) {
            unsigned phase = phase_in_order((enum class_id)c, i);
            if (phase_usual((enum class_id)c, phase))
                fprintf(out, "  %s.phases.%s_ns\n", class_infos[c].name, phase_term((enum class_id)c, phase)->name);
        }
        for (unsigned i = 0; i < PART_COUNT; i++)
            fprintf(out, "  %s.hardware.%s_ns\n", class_infos[c].name, part_terms[i].name);
        fprintf(out, "  %s.parts.SOURCE.STATISTIC\n", class_infos[c].name);
    }
}

/* ---- explain */

enum { FIELD_COLUMN = 16 };

static void print_field(FILE *out, const char *name, const char *sentence)
{
    fprintf(out, "  %-13s ", name);
    print_wrapped(out, FIELD_COLUMN, FIELD_COLUMN, sentence);
}

static void print_terms(FILE *out, const char *title, const struct term *terms, unsigned count)
{
    fprintf(out, "%s\n", title);
    for (unsigned i = 0; i < count; i++)
        print_field(out, terms[i].name, terms[i].sentence);
}

static void print_class(FILE *out, enum class_id class)
{
    const struct class_info *info = &class_infos[class];
    fprintf(out, "Requests of class %s\n", info->name);
    print_field(out, "from", info->start);
    print_field(out, "to", info->end);
    fputs("  queueing      Waiting at the requester after that first event is part of the latency;\n"
          "                nothing before it is.\n", out);
    fputs("  warm-up       The first `warmup` operations of an agent are not recorded.\n", out);
}

static void print_phases(FILE *out, enum class_id class)
{
    fputs("Phases (software steps by the hart's clock; they add up to the latency exactly):\n", out);
    for (unsigned i = 0; i < phase_term_count(class); i++) {
        unsigned phase = phase_in_order(class, i);
        if (phase_usual(class, phase))
            print_field(out, phase_term(class, phase)->name, phase_term(class, phase)->sentence);
    }
}

/* Sources that requests of a class can have. */
static void source_range(enum class_id class, unsigned *first, unsigned *last)
{
    *first = *last = SOURCE_DONE;
    if (class_infos[class].memory)
        *first = SOURCE_L1, *last = SOURCE_DRAM;
    else if (class >= CLASS_ALLOC_ATOMIC && class <= CLASS_ALLOC_OTHER)
        *first = SOURCE_PCP, *last = SOURCE_FAIL;
    else if (class == CLASS_LOCK_ACQUIRE)
        *first = SOURCE_TRYLOCK, *last = SOURCE_CONTENDED;
    else if (class == CLASS_SHOOTDOWN)
        *first = SOURCE_IPI, *last = SOURCE_BROADCAST;
    else if (class == CLASS_DMA_READ || class == CLASS_DMA_WRITE)
        *first = SOURCE_IOTLB_HIT, *last = SOURCE_BYPASS;
}

static void print_decompositions(FILE *out, enum class_id class)
{
    unsigned first, last;
    source_range(class, &first, &last);
    if (!class_infos[class].memory)
        print_phases(out, class);
    print_terms(out,
                class_infos[class].memory ? "Hardware parts, which are also the phases; they add up to the latency exactly:"
                                          : "Hardware parts (chain of causes that ends at the request's end; exact as well):",
                part_terms, PART_COUNT);
    if (first == last)
        return;
    print_terms(out, "Parts by source (their counts add up to the count of the class):", &source_terms[first],
                last - first + 1);
}

static void print_precision(FILE *out, const struct metric *m)
{
    bool percentile = m->stat >= STAT_P50 && m->stat <= STAT_P999;
    fprintf(out, "  unit          %s\n",
            metric_is_ns(m) ? "nanoseconds, shown to the picosecond" : *metric_unit(m) ? "picoseconds" : "a count");
    if (percentile)
        fprintf(out, "  precision     nearest rank, upper edge of its histogram bucket, at most the maximum: exact below\n"
                     "                %u ps, above that at most 1/%u (0.8 %%) too high\n",
                2u << HIST_SUB_BITS, 1u << HIST_SUB_BITS);
    else
        fputs("  precision     exact; means are exact sums divided once\n", out);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static void explain_counter(FILE *out, const char *name)
{
    char sentence[400];
    if (!counter_explain(name, sentence, sizeof sentence))
        return;
    print_field(out, "what", sentence);
    fprintf(out, "  unit          %s, exact\n", ends_with(name, "_ps") ? "picoseconds" : ends_with(name, "bytes") || ends_with(name, "bytes_count") ? "bytes" : "a count");
    if (!strstr(sentence, "recorded ones only"))
        fputs("  covers        the whole run, warm-up and preparation included\n", out);
}

static void explain_metric(FILE *out, const struct metric *m)
{
    fprintf(out, "%s\n", m->name);
    if (m->scope == SCOPE_COUNTER) {
        explain_counter(out, m->name + strlen("counters."));
        return;
    }
    if (m->scope != SCOPE_CLASS) {
        for (unsigned i = 0; i < GLOBALS; i++)
            if (strcmp(globals[i].word, m->name) == 0)
                fprintf(out, "  %s\n", globals[i].sentence);
        return;
    }
    print_field(out, "what", stats[m->stat].sentence);
    if (m->stat == STAT_PHASE)
        print_field(out, "phase", phase_term(m->class, m->term)->sentence);
    if (m->stat == STAT_HARDWARE)
        print_field(out, "part", part_terms[m->term].sentence);
    if (m->source != SOURCE_NONE)
        fprintf(out, "  source        %s: %s\n", source_terms[m->source].name, source_terms[m->source].sentence);
    print_precision(out, m);
    fputc('\n', out);
    print_class(out, m->class);
    fputc('\n', out);
    print_decompositions(out, m->class);
}

/* What `exclusive` can mean; our own definitions, no system's. */
static const struct term meanings[] = {
    { "exclusive", "A page handed to one owner, in the meanings that the request selects: coherence, device, lock, secure; "
                   "all or none of them. Mainline Linux has no such request; the meanings are ours." },
    { "coherence", "From the request to its end every line of the page was solely the owner's at some instant, and still "
                   "is at the end unless another agent asked for it since (counter oracle.lines_relost_count)." },
    { "device", "At the end nobody else can reach the page: no IOMMU table, IOTLB, paging-structure cache or device TLB "
                "maps it for another device, no DMA on it is in flight, no user page table or TLB maps it." },
    { "lock", "One agent holds the page's lock the whole time; in atomic context it is taken by trying or spinning only. "
              "Who touches the page meanwhile is stopped, whether or not he had promised to honour the lock." },
    { "secure", "Every byte reads zero to the new owner, the zeroing is globally visible, a barrier stands before the "
                "owner's first load, and no load begun earlier can return old data." },
};
enum { MEANINGS = sizeof meanings / sizeof *meanings };

/* "word (kind): sentence" */
static void print_term(FILE *out, const char *name, const char *kind, const char *sentence)
{
    int column = fprintf(out, "%s (%s): ", name, kind);
    print_wrapped(out, (unsigned)column, 4, sentence);
}

/* A meaning, phase, part or source may have the same name: all are told. */
static bool explain_term(FILE *out, const char *name)
{
    const struct { const char *kind; const struct term *terms; unsigned count; } groups[] = {
        { "meaning of exclusive", meanings, MEANINGS }, { "phase", phase_terms, PHASE_COUNT },
        { "hardware part", part_terms, PART_COUNT },    { "source", source_terms, SOURCE_COUNT },
    };
    bool found = false;
    for (unsigned g = 0; g < 4; g++)
        for (unsigned i = 0; i < groups[g].count; i++)
            if (strcmp(groups[g].terms[i].name, name) == 0) {
                print_term(out, name, groups[g].kind, groups[g].terms[i].sentence);
                found = true;
            }
    return found;
}

static bool explain_class(FILE *out, const char *name)
{
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        if (strcmp(class_infos[i].name, name) == 0) {
            print_class(out, (enum class_id)i);
            fputc('\n', out);
            print_decompositions(out, (enum class_id)i);
            return true;
        }
    return false;
}

/* The nearest of what has no number in it; the metric's own complaint if there is none. */
static void unknown_word(const char *name, char *why, size_t bytes)
{
    char buffer[METRIC_NAME_MAX];
    const char *near = key_like(name) ? key_nearest(name, buffer, sizeof buffer) : counter_nearest(name, buffer, sizeof buffer);
    if (near)
        snprintf(why, bytes, "nothing is called \"%.100s\"; did you mean \"%s\"?", name, near);
    else if (key_like(name))
        snprintf(why, bytes, "no configuration key \"%.100s\" (labyrinth list keys shows all)", name);
}

bool metric_explain(FILE *out, const char *name, char *why, size_t bytes)
{
    struct metric m;
    bool class = explain_class(out, name), term = explain_term(out, name), key = key_explain(out, name);
    if (class || term || key)
        return true;
    char counter[METRIC_NAME_MAX + 16];
    snprintf(counter, sizeof counter, "counters.%.120s", name);
    if (metric_resolve(name, &m, why, bytes) || (counter_explain(name, NULL, 0) && metric_resolve(counter, &m, why, bytes))) {
        explain_metric(out, &m);
        return true;
    }
    if (strncmp(name, "counters.", 9) != 0 && !strstr(why, "did you mean"))
        unknown_word(name, why, bytes);
    return false;
}

static void list_counter(void *arg, const char *name, const char *sentence)
{
    fprintf(arg, "counters.%s\n    ", name);
    print_wrapped(arg, 4, 4, sentence);
}

void counter_list(FILE *out)
{
    counter_terms_each(list_counter, out);
}
