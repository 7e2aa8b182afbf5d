/* src/study/metric.c - resolving, reading and ordering metrics. Words about them are in explain.c. */
#include "src/study/metric.h"

#include <inttypes.h>
#include <string.h>

#include "src/base/suggest.h"
#include "src/machine/counter_terms.h"

struct stat_word { enum metric_stat stat; const char *word; uint32_t permille10; };

static const struct stat_word stat_words[] = {
    { STAT_COUNT, "count", 0 },     { STAT_SUM, "sum_ps", 0 },     { STAT_MIN, "min_ns", 0 },
    { STAT_MEAN, "mean_ns", 0 },    { STAT_P50, "p50_ns", 5000 },  { STAT_P90, "p90_ns", 9000 },
    { STAT_P99, "p99_ns", 9900 },   { STAT_P999, "p999_ns", 9990 }, { STAT_MAX, "max_ns", 0 },
};
enum { STAT_WORDS = sizeof stat_words / sizeof *stat_words };

static const char *const global_words[] = { "time_ps", "events", "checks.phase_sum_mismatch_count",
                                            "checks.violation_count" };
static const enum metric_scope global_scopes[] = { SCOPE_TIME, SCOPE_EVENTS, SCOPE_MISMATCHES, SCOPE_VIOLATIONS };
enum { GLOBAL_WORDS = sizeof global_words / sizeof *global_words };

uint64_t mean_round(uint64_t sum, uint64_t count)
{
    if (count == 0)
        return 0;
    uint64_t rest = sum % count;
    return sum / count + (rest >= count - rest ? 1 : 0);
}

const char *ns_text(uint64_t ps, char buffer[32])
{
    snprintf(buffer, 32, "%" PRIu64 ".%03u", ps / PS_PER_NS, (unsigned)(ps % PS_PER_NS));
    return buffer;
}

unsigned phase_term_count(enum class_id class)
{
    return class_infos[class].memory ? (unsigned)PART_COUNT : (unsigned)PHASE_COUNT;
}

const struct term *phase_term(enum class_id class, unsigned i)
{
    return class_infos[class].memory ? &part_terms[i] : &phase_terms[i];
}

uint64_t phase_sum_ps(const struct class_stats *stats, enum class_id class, unsigned i)
{
    return class_infos[class].memory ? stats->hardware_sum_ps[i] : stats->phase_sum_ps[i];
}

static bool one_of(unsigned phase, const uint8_t *list, size_t n) { return memchr(list, (int)phase, n) != NULL; }

bool phase_usual(enum class_id class, unsigned i)
{
    static const uint8_t grant[] = { PH_ALLOC, PH_LOCK, PH_UNMAP, PH_IOMMU_REVOKE, PH_TLB, PH_COHERENCE, PH_ZERO, PH_FENCE,
                                     PH_PUBLISH, PH_INTERRUPTED, PH_OTHER };
    static const uint8_t alloc[] = { PH_ENTRY, PH_PCP, PH_ZONE_WAIT, PH_ZONE_HOLD, PH_SLOW, PH_ZERO, PH_INTERRUPTED,
                                     PH_EXIT };
    static const uint8_t other[] = { PH_WAIT, PH_WORK, PH_INTERRUPTED };
    if (class_infos[class].memory)
        return true;
    if (class == CLASS_GRANT)
        return one_of(i, grant, sizeof grant);
    if (class_infos[class].first_phase == PH_ENTRY)
        return one_of(i, alloc, sizeof alloc);
    if (class == CLASS_PAIR)
        return i == PH_ALLOC || i == PH_OTHER || i == PH_INTERRUPTED;
    return one_of(i, other, sizeof other);
}

/* A grant runs through its steps in another order than the dictionary lists them. */
unsigned phase_in_order(enum class_id class, unsigned i)
{
    static const uint8_t grant[] = { PH_ALLOC, PH_LOCK, PH_UNMAP, PH_IOMMU_REVOKE, PH_TLB, PH_COHERENCE, PH_ZERO, PH_FENCE,
                                     PH_PUBLISH, PH_INTERRUPTED, PH_OTHER };
    enum { NAMED = sizeof grant };
    if (class != CLASS_GRANT)
        return i;
    if (i < NAMED)
        return grant[i];
    i -= NAMED;
    for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
        if (!memchr(grant, (int)phase, NAMED) && i-- == 0)
            return phase;
    return PH_OTHER;
}

bool metric_is_ns(const struct metric *m)
{
    return m->scope == SCOPE_CLASS && m->stat != STAT_COUNT && m->stat != STAT_SUM;
}

const char *metric_unit(const struct metric *m)
{
    if (metric_is_ns(m))
        return "ns";
    return m->scope == SCOPE_TIME || (m->scope == SCOPE_CLASS && m->stat == STAT_SUM) ? "ps" : "";
}

const char *metric_number(const struct metric *m, uint64_t value, char buffer[32])
{
    if (metric_is_ns(m))
        return ns_text(value, buffer);
    snprintf(buffer, 32, "%" PRIu64, value);
    return buffer;
}

/* ---- names */

/* Length of `word` if text starts with it, followed by a dot. */
static size_t dotted_prefix(const char *text, const char *word)
{
    size_t n = strlen(word);
    return strncmp(text, word, n) == 0 && text[n] == '.' ? n : 0;
}

static bool find_class(const char *name, enum class_id *class, const char **rest)
{
    size_t best = 0;
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        size_t n = dotted_prefix(name, class_infos[i].name);
        if (n > best) {
            best = n;
            *class = (enum class_id)i;
        }
    }
    *rest = name + best + 1;
    return best > 0;
}

static void say_near(char *why, size_t bytes, const char *what, const char *name, const char *word,
                     const char *const *known, size_t n)
{
    const char *near = suggest_nearest(word, known, n);
    if (near)
        snprintf(why, bytes, "no metric \"%.80s\": unknown %s \"%.40s\"; did you mean \"%s\"?", name, what, word, near);
    else
        snprintf(why, bytes, "no metric \"%.80s\": unknown %s \"%.40s\" (labyrinth list metrics shows all)", name, what,
                 word);
}

static bool resolve_term(struct metric *m, const char *rest, const struct term *(*term)(enum class_id, unsigned),
                         unsigned count, char *why, size_t bytes)
{
    const char *known[PART_COUNT + PHASE_COUNT];
    char word[METRIC_NAME_MAX];
    size_t n = strlen(rest);
    bool mean = n > 3 && strcmp(rest + n - 3, "_ns") == 0;
    snprintf(word, sizeof word, "%.*s", (int)(mean ? n - 3 : n), rest);
    for (unsigned i = 0; i < count; i++) {
        known[i] = term(m->class, i)->name;
        if (mean && strcmp(known[i], word) == 0) {
            m->term = i;
            return true;
        }
    }
    say_near(why, bytes, m->stat == STAT_PHASE ? "phase (PHASE_ns)" : "hardware part (PART_ns)", m->name, word, known,
             count);
    return false;
}

static const struct term *hardware_term(enum class_id class, unsigned i)
{
    (void)class;
    return &part_terms[i];
}

/* What follows the class, or the source of a part. */
static bool resolve_stat(struct metric *m, const char *rest, char *why, size_t bytes)
{
    if (strncmp(rest, "phases.", 7) == 0) {
        m->stat = STAT_PHASE;
        return resolve_term(m, rest + 7, phase_term, phase_term_count(m->class), why, bytes);
    }
    if (strncmp(rest, "hardware.", 9) == 0) {
        m->stat = STAT_HARDWARE;
        return resolve_term(m, rest + 9, hardware_term, PART_COUNT, why, bytes);
    }
    const char *known[STAT_WORDS];
    for (unsigned i = 0; i < STAT_WORDS; i++) {
        known[i] = stat_words[i].word;
        if (strcmp(rest, known[i]) == 0) {
            m->stat = stat_words[i].stat;
            return true;
        }
    }
    say_near(why, bytes, "statistic", m->name, rest, known, STAT_WORDS);
    return false;
}

static bool resolve_part(struct metric *m, const char *rest, char *why, size_t bytes)
{
    const char *known[SOURCE_COUNT];
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        known[i] = source_terms[i].name;
        size_t n = dotted_prefix(rest, known[i]);
        if (n > 0) {
            m->source = (enum source_id)i;
            return resolve_stat(m, rest + n + 1, why, bytes);
        }
    }
    char word[METRIC_NAME_MAX];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(rest, "."), rest);
    say_near(why, bytes, "source", m->name, word, known, SOURCE_COUNT);
    return false;
}

static bool unknown_class(const char *name, char *why, size_t bytes)
{
    const char *known[CLASS_COUNT + GLOBAL_WORDS];
    char word[METRIC_NAME_MAX];
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        known[i] = class_infos[i].name;
    for (unsigned i = 0; i < GLOBAL_WORDS; i++)
        known[CLASS_COUNT + i] = global_words[i];
    snprintf(word, sizeof word, "%s", name);
    char *tail = strrchr(word, '.');
    if (tail && strlen(tail) > 3 && strcmp(tail + strlen(tail) - 3, "_ns") == 0)
        *tail = '\0';
    say_near(why, bytes, "class", name, word, known, CLASS_COUNT + GLOBAL_WORDS);
    return false;
}

static bool unknown_counter(const char *name, char *why, size_t bytes)
{
    char buffer[METRIC_NAME_MAX];
    const char *near = counter_nearest(name + strlen("counters."), buffer, sizeof buffer);
    if (near)
        snprintf(why, bytes, "no metric \"%.100s\": unknown counter; did you mean \"counters.%s\"?", name, near);
    else
        snprintf(why, bytes, "no metric \"%.100s\": unknown counter (labyrinth list counters shows all)", name);
    return false;
}

static bool resolve(const char *name, struct metric *m, bool stored, char *why, size_t bytes)
{
    memset(m, 0, sizeof *m);
    m->source = SOURCE_NONE;
    if (strlen(name) >= METRIC_NAME_MAX) {
        snprintf(why, bytes, "no metric has a name as long as \"%.40s...\"", name);
        return false;
    }
    snprintf(m->name, sizeof m->name, "%s", name);
    for (unsigned i = 0; i < GLOBAL_WORDS; i++)
        if (strcmp(name, global_words[i]) == 0) {
            m->scope = global_scopes[i];
            return true;
        }
    if (strncmp(name, "counters.", 9) == 0 && name[9] != '\0') {
        m->scope = SCOPE_COUNTER;
        return stored || counter_explain(name + 9, NULL, 0) || unknown_counter(name, why, bytes);
    }
    const char *rest;
    m->scope = SCOPE_CLASS;
    if (!find_class(name, &m->class, &rest))
        return unknown_class(name, why, bytes);
    if (strncmp(rest, "parts.", 6) == 0)
        return resolve_part(m, rest + 6, why, bytes);
    return resolve_stat(m, rest, why, bytes);
}

bool metric_resolve(const char *name, struct metric *m, char *why, size_t bytes)
{
    return resolve(name, m, false, why, bytes);
}

bool metric_resolve_stored(const char *name, struct metric *m)
{
    char why[8];
    return resolve(name, m, true, why, sizeof why);
}

/* ---- values */

static uint64_t stat_value(const struct class_stats *s, const struct metric *m)
{
    const struct hist *h = &s->latency;
    switch (m->stat) {
    case STAT_COUNT: return h->count;
    case STAT_SUM: return h->sum_ps;
    case STAT_MIN: return h->min_ps;
    case STAT_MEAN: return mean_round(h->sum_ps, h->count);
    case STAT_MAX: return h->max_ps;
    case STAT_PHASE: return mean_round(phase_sum_ps(s, m->class, m->term), h->count);
    case STAT_HARDWARE: return mean_round(s->hardware_sum_ps[m->term], h->count);
    default: break;
    }
    for (unsigned i = 0; i < STAT_WORDS; i++)
        if (stat_words[i].stat == m->stat)
            return hist_percentile_ps(h, stat_words[i].permille10);
    return 0;
}

static bool class_value(const struct metric *m, const struct result *r, uint64_t *value)
{
    const struct class_stats *s = m->source == SOURCE_NONE ? account_stats(r->account, m->class)
                                                           : account_source_stats(r->account, m->class, m->source);
    if (!s || s->latency.count == 0) {
        *value = 0;
        return m->stat == STAT_COUNT;
    }
    *value = stat_value(s, m);
    return true;
}

bool metric_value(const struct metric *m, const struct result *r, uint64_t *value)
{
    switch (m->scope) {
    case SCOPE_TIME: *value = r->time_ps; return true;
    case SCOPE_EVENTS: *value = r->events; return true;
    case SCOPE_MISMATCHES: *value = r->phase_sum_mismatch_count; return true;
    case SCOPE_VIOLATIONS: *value = r->violation_count; return true;
    case SCOPE_CLASS: return class_value(m, r, value);
    case SCOPE_COUNTER: break;
    }
    for (size_t i = 0; i < r->counter_count; i++)
        if (strcmp(r->counters[i].name, m->name + strlen("counters.")) == 0) {
            *value = r->counters[i].value;
            return true;
        }
    return false;
}

/* ---- enumeration */

struct visit { const struct result *result; metric_fn *each; void *arg; };

static void visit_stats(const struct visit *v, enum class_id class, enum source_id source, const struct class_stats *s)
{
    char prefix[METRIC_NAME_MAX / 2];
    struct metric m = { .scope = SCOPE_CLASS, .class = class, .source = source };
    snprintf(prefix, sizeof prefix, "%s%s%s", class_infos[class].name, source == SOURCE_NONE ? "" : ".parts.",
             source == SOURCE_NONE ? "" : source_terms[source].name);
    for (unsigned i = 0; i < STAT_WORDS; i++) {
        m.stat = stat_words[i].stat;
        snprintf(m.name, sizeof m.name, "%s.%s", prefix, stat_words[i].word);
        v->each(v->arg, &m, stat_value(s, &m));
    }
    for (m.stat = class_infos[class].memory ? STAT_HARDWARE : STAT_PHASE; m.stat <= STAT_HARDWARE; m.stat++) {
        bool phases = m.stat == STAT_PHASE;
        for (m.term = 0; m.term < (phases ? phase_term_count(class) : (unsigned)PART_COUNT); m.term++) {
            if (phases && !phase_usual(class, m.term) && phase_sum_ps(s, class, m.term) == 0)
                continue;
            snprintf(m.name, sizeof m.name, "%s.%s.%s_ns", prefix, phases ? "phases" : "hardware",
                     phases ? phase_term(class, m.term)->name : part_terms[m.term].name);
            v->each(v->arg, &m, stat_value(s, &m));
        }
    }
}

static void visit_class(const struct visit *v, enum class_id class)
{
    const struct class_stats *s = account_stats(v->result->account, class);
    if (!s || s->latency.count == 0)
        return;
    visit_stats(v, class, SOURCE_NONE, s);
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(v->result->account, class, (enum source_id)i);
        if (part && part->latency.count > 0)
            visit_stats(v, class, (enum source_id)i, part);
    }
}

void metric_each(const struct result *r, metric_fn *each, void *arg)
{
    struct visit v = { r, each, arg };
    struct metric m = { .source = SOURCE_NONE };
    uint64_t value = 0;
    for (unsigned i = 0; i < GLOBAL_WORDS; i++) {
        m.scope = global_scopes[i];
        snprintf(m.name, sizeof m.name, "%s", global_words[i]);
        if (metric_value(&m, r, &value))
            each(arg, &m, value);
    }
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        visit_class(&v, (enum class_id)i);
    m.scope = SCOPE_COUNTER;
    for (size_t i = 0; i < r->counter_count; i++) {
        snprintf(m.name, sizeof m.name, "counters.%s", r->counters[i].name);
        each(arg, &m, r->counters[i].value);
    }
}

static unsigned scope_rank(const struct metric *m)
{
    switch (m->scope) {
    case SCOPE_CLASS: return GLOBAL_WORDS;
    case SCOPE_COUNTER: return GLOBAL_WORDS + 1;
    default: break;
    }
    for (unsigned i = 0; i < GLOBAL_WORDS; i++)
        if (global_scopes[i] == m->scope)
            return i;
    return 0;
}

static int order(unsigned a, unsigned b) { return (a > b) - (a < b); }

int metric_compare(const struct metric *a, const struct metric *b)
{
    int by = order(scope_rank(a), scope_rank(b));
    if (by == 0 && a->scope == SCOPE_CLASS) {
        unsigned source_a = a->source == SOURCE_NONE ? 0 : a->source + 1u;
        unsigned source_b = b->source == SOURCE_NONE ? 0 : b->source + 1u;
        by = order(a->class, b->class);
        by = by ? by : order(source_a, source_b);
        by = by ? by : order(a->stat, b->stat);
        by = by ? by : order(a->term, b->term);
    }
    return by ? by : strcmp(a->name, b->name);
}
