/* src/study/result_json.c - see result_json.h. */
#include "src/study/result_json.h"

#include "src/base/json.h"
#include "src/study/metric.h"
#include "src/study/version.h"

static void write_config(struct json *j, const struct result *r, bool without_effective)
{
    json_object(j, "labyrinth");
    json_string(j, "version", LABYRINTH_VERSION);
    json_u64(j, "schema", RESULT_SCHEMA);
    json_end(j);
    json_object(j, "config");
    json_string(j, "file", r->config_file);
    json_string(j, "digest", r->config_digest);
    json_u64(j, "seed", r->seed);
    if (!without_effective)
        json_string(j, "effective", r->effective);
    json_end(j);
}

static void write_figures(struct json *j, const struct hist *h)
{
    json_u64(j, "count", h->count);
    json_u64(j, "sum_ps", h->sum_ps);
    json_fixed3(j, "min_ns", h->min_ps);
    json_fixed3(j, "mean_ns", mean_round(h->sum_ps, h->count));
    json_fixed3(j, "p50_ns", hist_percentile_ps(h, 5000));
    json_fixed3(j, "p90_ns", hist_percentile_ps(h, 9000));
    json_fixed3(j, "p99_ns", hist_percentile_ps(h, 9900));
    json_fixed3(j, "p999_ns", hist_percentile_ps(h, 9990));
    json_fixed3(j, "max_ns", h->max_ps);
}

/* The usual phases of a class are always there, be they zero, so that scripts find them; others when they
 * occur. Means, then the integer sums they come from. */
static void write_phases(struct json *j, enum class_id class, const struct class_stats *s)
{
    for (unsigned sums = 0; sums < 2; sums++) {
        json_object(j, sums ? "phase_sums_ps" : "phases_ns");
        for (unsigned i = 0; i < phase_term_count(class); i++) {
            unsigned phase = phase_in_order(class, i);
            uint64_t sum = phase_sum_ps(s, class, phase);
            if (sum == 0 && !phase_usual(class, phase))
                continue;
            if (sums)
                json_u64(j, phase_term(class, phase)->name, sum);
            else
                json_fixed3(j, phase_term(class, phase)->name, mean_round(sum, s->latency.count));
        }
        json_end(j);
    }
}

static void write_hardware(struct json *j, const struct class_stats *s)
{
    json_object(j, "hardware_ns");
    for (unsigned i = 0; i < PART_COUNT; i++)
        json_fixed3(j, part_terms[i].name, mean_round(s->hardware_sum_ps[i], s->latency.count));
    json_end(j);
    json_object(j, "hardware_sums_ps");
    for (unsigned i = 0; i < PART_COUNT; i++)
        json_u64(j, part_terms[i].name, s->hardware_sum_ps[i]);
    json_end(j);
}

static void write_stats(struct json *j, enum class_id class, const struct class_stats *s)
{
    write_figures(j, &s->latency);
    write_phases(j, class, s);
    write_hardware(j, s);
}

static void write_class(struct json *j, const struct account *account, enum class_id class)
{
    const struct class_stats *s = account_stats(account, class);
    if (!s || s->latency.count == 0)
        return;
    json_object(j, class_infos[class].name);
    write_stats(j, class, s);
    json_object(j, "parts");
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(account, class, (enum source_id)i);
        if (!part || part->latency.count == 0)
            continue;
        json_object(j, source_terms[i].name);
        write_stats(j, class, part);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

static void write_checks(struct json *j, const struct result *r)
{
    json_object(j, "checks");
    json_u64(j, "phase_sum_mismatch_count", r->phase_sum_mismatch_count);
    json_array(j, "violations");
    for (size_t i = 0; i < r->violation_count; i++) {
        const struct violation *v = &r->violations[i];
        json_object(j, NULL);
        json_string(j, "kind", v->kind);
        json_u64(j, "time_ps", v->time_ps);
        json_string(j, "agent", v->agent);
        json_hex64(j, "address", v->address);
        json_string(j, "text", v->text);
        json_end(j);
    }
    json_end(j);
    json_end(j);
}

void result_json_write(FILE *out, const struct result *r, bool without_effective)
{
    struct json j = json_writer(out, false);
    json_object(&j, NULL);
    write_config(&j, r, without_effective);
    json_string(&j, "stop", run_stop_name(r->stop));
    json_u64(&j, "time_ps", r->time_ps);
    json_u64(&j, "events", r->events);
    json_hex64(&j, "order_hash", r->order_hash);
    json_object(&j, "latency");
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        write_class(&j, r->account, (enum class_id)i);
    json_end(&j);
    json_object(&j, "counters");
    for (size_t i = 0; i < r->counter_count; i++)
        json_u64(&j, r->counters[i].name, r->counters[i].value);
    json_end(&j);
    write_checks(&j, r);
    json_end(&j);
    json_finish(&j);
}
