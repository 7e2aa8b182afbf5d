/* tests/unit/test_study_metric.c - metrics, and results as JSON and CSV, from a result made by hand. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/study/interval.h"
#include "src/study/metric.h"
#include "src/study/result_json.h"
#include "src/study/result_text.h"

/* Two grants of 100 and 201 ps (50+50 and 150+51 by phase), three loads, of which one from memory. */
static struct account *two_grants(void)
{
    struct account *account = account_new();
    struct ledger ledger;
    ledger_init(&ledger, account, 0);
    ledger.recording = true;
    const tick half[2][2] = { { 50, 50 }, { 150, 51 } };
    tick now = 1000;
    for (unsigned i = 0; i < 2; i++) {
        ledger_open(&ledger, CLASS_GRANT, now);
        ledger_phase(&ledger, PH_COHERENCE, now);
        now += half[i][0];
        ledger_mark(&ledger, PART_ACKS, now);
        ledger_phase(&ledger, PH_PUBLISH, now);
        now += half[i][1];
        ledger_mark(&ledger, PART_CORE, now);
        ledger_close(&ledger, now);
    }
    uint64_t ps[PART_COUNT] = { 0 };
    ps[PART_L1] = 1500;
    account_record(account, CLASS_LOAD, SOURCE_L1, 1500, ps);
    account_record(account, CLASS_LOAD, SOURCE_L1, 1500, ps);
    ps[PART_DRAM] = 80000;
    account_record(account, CLASS_LOAD, SOURCE_DRAM, 81500, ps);
    return account;
}

static struct result make_result(struct account *account)
{
    static const struct counter counters[] = { { "home.requests_count", 128 }, { "net.wait_ps", 7 } };
    static const struct violation violations[] = { { "coherence", 1300, "owner", 0x40, "two \"writers\"\n" } };
    return (struct result){
        .stop = RUN_VIOLATION, .stop_text = "", .time_ps = 1351, .events = 9, .order_hash = 0xabc, .account = account,
        .counters = counters, .counter_count = 2, .violations = violations, .violation_count = 1, .title = "t",
        .config_file = "a, b.yaml", .config_digest = "0123", .effective = "kind: experiment\n", .seed = 18446744073709551615u,
    };
}

static uint64_t value_of(const struct result *r, const char *name)
{
    struct metric m;
    char why[200];
    uint64_t value = 0;
    cr_assert(metric_resolve(name, &m, why, sizeof why), "%s", why);
    cr_assert(metric_value(&m, r, &value), "%s has no value", name);
    return value;
}

static char *written(void (*write)(FILE *, const struct result *), const struct result *r)
{
    static char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    write(out, r);
    fclose(out);
    return text;
}

static void write_json(FILE *out, const struct result *r) { result_json_write(out, r, false); }
static void write_text(FILE *out, const struct result *r)
{
    struct text_options options = { .verbose = true };
    result_text_write(out, r, &options);
}

Test(metric, values_are_exact_and_rounded_half_up)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    cr_assert_eq(value_of(&r, "exclusive.grant.count"), 2);
    cr_assert_eq(value_of(&r, "exclusive.grant.sum_ps"), 301);
    cr_assert_eq(value_of(&r, "exclusive.grant.mean_ns"), 151, "150.5 ps is rounded up");
    cr_assert_eq(value_of(&r, "exclusive.grant.min_ns"), 100);
    cr_assert_eq(value_of(&r, "exclusive.grant.max_ns"), 201);
    cr_assert_eq(value_of(&r, "exclusive.grant.p50_ns"), 100, "nearest rank of two is the first");
    cr_assert_eq(value_of(&r, "exclusive.grant.p99_ns"), 201);
    cr_assert_eq(value_of(&r, "exclusive.grant.phases.coherence_ns"), 100);
    cr_assert_eq(value_of(&r, "exclusive.grant.phases.publish_ns"), 51);
    cr_assert_eq(value_of(&r, "exclusive.grant.hardware.acks_ns"), 100);
    cr_assert_eq(value_of(&r, "load.parts.dram.phases.dram_ns"), 80000, "phases of a memory class are hardware parts");
    cr_assert_eq(value_of(&r, "load.parts.l1.count"), 2);
    cr_assert_eq(value_of(&r, "counters.net.wait_ps"), 7);
    cr_assert_eq(value_of(&r, "checks.violation_count"), 1);
    cr_assert_eq(value_of(&r, "atomic.count"), 0, "a class that never occurred counts zero");
    account_free(account);
}

Test(metric, a_class_that_never_occurred_has_no_latency)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    struct metric m;
    char why[200];
    uint64_t value;
    cr_assert(metric_resolve("atomic.mean_ns", &m, why, sizeof why));
    cr_assert_not(metric_value(&m, &r, &value));
    cr_assert(metric_resolve("counters.kswapd.woken", &m, why, sizeof why));
    cr_assert_not(metric_value(&m, &r, &value));
    account_free(account);
}

Test(metric, the_longest_class_name_wins)
{
    struct metric m;
    char why[200];
    cr_assert(metric_resolve("store.to_retire.mean_ns", &m, why, sizeof why));
    cr_assert_eq(m.class, CLASS_STORE_TO_RETIRE);
    cr_assert(metric_resolve("store.mean_ns", &m, why, sizeof why));
    cr_assert_eq(m.class, CLASS_STORE);
}

Test(metric, wrong_names_get_the_nearest)
{
    static const struct { const char *name, *near; } wrong[] = {
        { "exclusive.grant.p99_n", "p99_ns" },
        { "exclusive.grant.phases.coherense_ns", "coherence" },
        { "exclusive.grant.phases.coherence", "coherence" },
        { "exclusive.grant.hardware.drm_ns", "dram" },
        { "exlusive.grant.p99_ns", "exclusive.grant" },
        { "load.parts.drma.count", "dram" },
        { "time_p", "time_ps" },
        { "counters.home.recals_count", "counters.home.recalls_count" },
        { "counters.device3.refuse_count", "counters.device3.refused_count" },
        { "counters.page_own.stragler_line_07_count", "counters.page_own.straggler_line_" },
        { "counters.net.sent_GetS_counts", "counters.net.sent_" },
        { "counters.nonsense_count", "list counters" },
        { "counters.device100.read_count", "counters.device" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct metric m;
        char why[300] = "";
        cr_assert_not(metric_resolve(wrong[i].name, &m, why, sizeof why), "%s", wrong[i].name);
        cr_assert(strstr(why, wrong[i].near), "%s: %s", wrong[i].name, why);
    }
    struct metric m;
    char why[300];
    for (const char *const *name = (const char *const[]){ "", ".", "load", "load.", "load.phases.", "load.phases._ns",
                                                          "counters.", "load.parts.l1", NULL }; *name; name++)
        cr_assert_not(metric_resolve(*name, &m, why, sizeof why), "\"%s\" is no metric", *name);
}

struct walk { const struct result *result; struct metric last; unsigned count; };

static void check_one(void *arg, const struct metric *m, uint64_t value)
{
    struct walk *w = arg;
    struct metric again;
    char why[200];
    cr_assert(metric_resolve(m->name, &again, why, sizeof why), "%s", why);
    cr_assert_eq(metric_compare(m, &again), 0, "%s does not resolve to itself", m->name);
    cr_assert_eq(value_of(w->result, m->name), value, "%s", m->name);
    cr_assert(w->count == 0 || metric_compare(&w->last, m) < 0, "%s is out of order", m->name);
    w->last = *m;
    w->count++;
}

Test(metric, every_listed_number_resolves_to_its_value_in_order)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    struct walk w = { .result = &r };
    metric_each(&r, check_one, &w);
    cr_assert_gt(w.count, 40);
    account_free(account);
}

Test(metric, phases_in_order_are_a_permutation)
{
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        unsigned seen[PHASE_COUNT] = { 0 };
        for (unsigned i = 0; i < phase_term_count((enum class_id)c); i++)
            seen[phase_in_order((enum class_id)c, i)]++;
        for (unsigned i = 0; i < phase_term_count((enum class_id)c); i++)
            cr_assert_eq(seen[i], 1, "%s: phase %u", class_infos[c].name, i);
    }
}

Test(metric, everything_is_explained)
{
    char why[200];
    FILE *null = fopen("/dev/null", "w");
    for (unsigned c = 0; c < CLASS_COUNT; c++)
        cr_assert(metric_explain(null, class_infos[c].name, why, sizeof why));
    for (unsigned i = 0; i < PART_COUNT; i++)
        cr_assert(metric_explain(null, part_terms[i].name, why, sizeof why));
    cr_assert(metric_explain(null, "exclusive.grant.phases.zero_ns", why, sizeof why));
    cr_assert(metric_explain(null, "counters.kswapd.woken", why, sizeof why));
    cr_assert(metric_explain(null, "device12.read_bytes", why, sizeof why), "%s", why);
    cr_assert_not(metric_explain(null, "counters.anything", why, sizeof why));
    cr_assert_not(metric_explain(null, "nothing", why, sizeof why));
    fclose(null);
}

/* ---- JSON and CSV */

Test(json, holds_the_exact_figures)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    char *text = written(write_json, &r);
    static const char *const wanted[] = {
        "\"schema\": 1", "\"seed\": 18446744073709551615", "\"stop\": \"violation\"", "\"sum_ps\": 301",
        "\"mean_ns\": 0.151", "\"coherence\": 0.100", "\"coherence\": 200", "\"publish\": 101", "\"acks\": 200",
        "\"order_hash\": \"0x0000000000000abc\"", "\"home.requests_count\": 128", "\"kind\": \"coherence\"",
        "two \\\"writers\\\"\\n", "\"file\": \"a, b.yaml\"", "\"phase_sum_mismatch_count\": 0", "\"unmap\": 0.000", "\"unmap\": 0",
        "\"time_ps\": 1300", "\"time_ps\": 1351",
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_assert(strstr(text, wanted[i]), "%s is missing in\n%s", wanted[i], text);
    cr_assert_null(strstr(text, "atomic"), "only classes that occurred");
    free(text);
    account_free(account);
}

/* Every figure of a class is the metric of that name: 2000 different values, no two figures alike. */
Test(json, figures_are_the_metrics)
{
    static const char *const words[] = { "count", "sum_ps", "min_ns", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns" };
    struct account *account = account_new();
    for (uint64_t i = 1; i <= 2000; i++) {
        uint64_t ps[PART_COUNT] = { [PART_L1] = 1000 * i * i };
        account_record(account, CLASS_ATOMIC, SOURCE_L1, 1000 * i * i, ps);
    }
    struct result r = make_result(account);
    char *text = written(write_json, &r);
    uint64_t before = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char name[60], number[32], line[120];
        struct metric m;
        snprintf(name, sizeof name, "atomic.%s", words[i]);
        uint64_t value = value_of(&r, name);
        cr_assert(metric_resolve(name, &m, number, sizeof number));
        snprintf(line, sizeof line, "\"%s\": %s", words[i], metric_number(&m, value, number));
        cr_assert(strstr(text, line), "%s is missing", line);
        cr_assert(i <= 4 || value > before, "%s is no larger than the figure before it", words[i]);
        before = value;
    }
    free(text);
    account_free(account);
}

/* Adds the integers of the object that starts behind `key` after `from`. */
static uint64_t sum_behind(const char *from, const char *key)
{
    const char *at = strstr(from, key);
    cr_assert(at, "%s is missing", key);
    uint64_t sum = 0;
    for (at = strchr(at, '{') + 1; *at != '}'; at++)
        if (*at == ':')
            sum += strtoull(at + 1, NULL, 10);
    return sum;
}

Test(json, both_decompositions_sum_exactly)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    char *text = written(write_json, &r);
    const char *grant = strstr(text, "\"exclusive.grant\"");
    cr_assert(grant);
    cr_assert_eq(sum_behind(grant, "\"phase_sums_ps\""), 301);
    cr_assert_eq(sum_behind(grant, "\"hardware_sums_ps\""), 301);
    free(text);
    account_free(account);
}

Test(json, equal_results_are_equal_bytes_and_effective_can_be_left_out)
{
    struct account *a = two_grants(), *b = two_grants();
    struct result ra = make_result(a), rb = make_result(b);
    char *x = written(write_json, &ra), *y = written(write_json, &rb);
    cr_assert_str_eq(x, y);
    cr_assert(strstr(x, "\"effective\""));
    free(x);
    free(y);
    size_t bytes;
    FILE *out = open_memstream(&x, &bytes);
    result_json_write(out, &ra, true);
    fclose(out);
    cr_assert_null(strstr(x, "\"effective\""));
    free(x);
    account_free(a);
    account_free(b);
}

Test(csv, every_row_has_the_columns_of_the_head)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    char *text = written(result_csv_write, &r);
    unsigned lines = 0, columns = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++) {
        unsigned commas = 0;
        for (const char *c = line; *c; c++)
            commas += *c == ',';
        columns = lines ? columns : commas;
        cr_assert_eq(commas, columns, "line %u: %s", lines, line);
    }
    cr_assert_eq(lines, 5, "head, load, its two sources, grant");
    free(text);
    account_free(account);
}

Test(csv, cells_are_quoted_where_needed)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    csv_cell(out, "plain");
    csv_cell(out, "[a, \"b\"]");
    fclose(out);
    cr_assert_str_eq(text, "plain\"[a, \"\"b\"\"]\"");
    free(text);
}

Test(text, tells_stop_classes_and_violation)
{
    struct account *account = two_grants();
    struct result r = make_result(account);
    char *text = written(write_text, &r);
    static const char *const wanted[] = { "violation", "exclusive.grant", "two \"writers\"", "home.requests_count", "coherence",
                                          "a, b.yaml" };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        cr_assert(strstr(text, wanted[i]), "%s is missing in\n%s", wanted[i], text);
    free(text);
    account_free(account);
}

/* The line that was last most often, of all pages. */
Test(text, names_the_straggler)
{
    static const struct counter counters[] = { { "page_own.straggler_line_05_count", 3 }, { "page_own.straggler_line_07_count", 9 },
                                               { "page_own.straggler_line_63_count", 1 } };
    struct account *account = two_grants();
    uint64_t ps[PART_COUNT] = { [PART_ACKS] = 500 };
    account_record(account, CLASS_PAGE_OWN, SOURCE_DONE, 500, ps);
    struct result r = make_result(account);
    r.counters = counters;
    r.counter_count = 3;
    char *text = written(write_text, &r);
    cr_assert(strstr(text, "Of 13 pages owned, line 7 of 0 to 63 was the straggler most often: 9 times."), "%s", text);
    free(text);
    account_free(account);
}

/* ---- intervals */

Test(interval, known_values)
{
    /* 2, 4, 4, 4, 5, 5, 7, 9: mean 5, s^2 = 32/7, t(7) = 2.365: 2.365 sqrt(32/7/8) = 1.7877 */
    const uint64_t thousand[] = { 2000, 4000, 4000, 4000, 5000, 5000, 7000, 9000 };
    struct interval v = interval_of(thousand, 8);
    cr_assert(v.known);
    cr_assert_eq(v.mean, 5000);
    cr_assert_eq(v.half_width, 1788, "%" PRIu64, v.half_width);
    /* 10 and 20: t(1) s / sqrt(2) = 12.706 * 5 = 63.53 */
    v = interval_of((const uint64_t[]){ 10000, 20000 }, 2);
    cr_assert_eq(v.half_width, 63530);
}

Test(interval, edges)
{
    struct interval v = interval_of(NULL, 0);
    cr_assert_eq(v.count, 0);
    v = interval_of((const uint64_t[]){ 7 }, 1);
    cr_assert(v.mean == 7 && !v.known);
    v = interval_of((const uint64_t[]){ 7, 7, 7 }, 3);
    cr_assert(v.mean == 7 && v.known && v.half_width == 0);
    const uint64_t far = UINT64_C(1) << 58;
    v = interval_of((const uint64_t[]){ 0, far }, 2);
    cr_assert_eq(v.mean, far / 2);
    cr_assert(v.half_width / 1000 > far / 2 / 1000 * 12 && v.half_width / 1000 < far / 2 / 1000 * 13);
    v = interval_of((const uint64_t[]){ 0, UINT64_MAX }, 2);
    cr_assert_eq(v.half_width, UINT64_MAX, "saturates");
    cr_assert_eq(student_t_permille(1), 12706);
    cr_assert_eq(student_t_permille(31), 2042);
    cr_assert_eq(student_t_permille(1000000), 1962);
}

Test(interval, shift_and_scale)
{
    const uint64_t low[] = { 3, 9, 4, 8, 8 }, high[] = { 1000003, 1000009, 1000004, 1000008, 1000008 };
    cr_assert_eq(interval_of(low, 5).half_width, interval_of(high, 5).half_width);
}
