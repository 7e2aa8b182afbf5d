/* src/cli/litmus_report.c - see litmus.h. */
#include "src/cli/litmus.h"

#include <inttypes.h>
#include <string.h>

static const struct outcomes *judge(const struct litmus_report *r) { return r->judged_by_sc ? &r->sc : &r->tso; }

static bool in(const struct outcomes *o, const uint64_t *values) { return outcomes_find(o, values) != SIZE_MAX; }

void litmus_report_finish(struct litmus_report *r)
{
    const struct outcomes *model = judge(r);
    outcomes_sort(&r->seen);
    outcomes_sort(&r->tso);
    r->allowed = model->count;
    for (size_t i = 0; i < r->tso.count; i++) {
        const uint64_t *v = outcome_at(&r->tso, i);
        bool only = !in(&r->sc, v);
        r->tso_only += only;
        r->tso_only_seen += only && in(&r->seen, v);
    }
    for (size_t i = 0; i < r->seen.count; i++) {
        const uint64_t *v = outcome_at(&r->seen, i);
        r->runs += r->seen.times[i];
        if (in(model, v))
            r->allowed_seen++;
        else
            r->forbidden += r->seen.times[i];
        if (litmus_holds(r->test, r->test->condition, v))
            r->positive += r->seen.times[i];
    }
}

void litmus_report_free(struct litmus_report *r)
{
    outcomes_free(&r->tso);
    outcomes_free(&r->sc);
    outcomes_free(&r->seen);
}

/* ---- words */

static const char *observation(const struct litmus_report *r)
{
    return r->positive == 0 ? "Never" : r->positive == r->runs ? "Always" : "Sometimes";
}

/* herd's: does what was seen agree with the quantifier? */
static bool validated(const struct litmus_report *r)
{
    switch (r->test->quantifier) {
    case LIT_EXISTS: return r->positive > 0;
    case LIT_NOT_EXISTS: return r->positive == 0;
    case LIT_FORALL: return r->positive == r->runs;
    }
    return false;
}

static const char *remark(const struct litmus_report *r, const uint64_t *values, uint64_t times)
{
    if (!in(judge(r), values))
        return r->judged_by_sc && in(&r->tso, values) ? "FORBIDDEN without store buffers" : "FORBIDDEN";
    if (!times)
        return in(&r->sc, values) ? "allowed, never seen" : "allowed by TSO only, never seen";
    return in(&r->sc, values) ? "" : "TSO only";
}

static void state_row(struct table *t, const struct litmus_report *r, const uint64_t *values, uint64_t times)
{
    char text[LIT_STATE_BYTES];
    table_row(t);
    table_cell_u64(t, times);
    table_cell(t, "%s", litmus_holds(r->test, r->test->condition, values) ? "*" : "");
    table_cell(t, "%s", litmus_state_text(r->test, values, text));
    table_cell(t, "%s", remark(r, values, times));
}

static void histogram(FILE *out, const struct litmus_report *r)
{
    struct table *t = table_new(text_style_for(out));
    table_column(t, "runs", TABLE_RIGHT);
    table_column(t, "", TABLE_LEFT);
    table_column(t, "final state (* fulfils the condition)", TABLE_LEFT);
    table_column(t, "", TABLE_LEFT);
    for (size_t i = 0; i < r->seen.count; i++)
        state_row(t, r, outcome_at(&r->seen, i), r->seen.times[i]);
    for (size_t i = 0; i < r->tso.count; i++)
        if (!in(&r->seen, outcome_at(&r->tso, i)) && in(judge(r), outcome_at(&r->tso, i)))
            state_row(t, r, outcome_at(&r->tso, i), 0);
    table_print(t, out);
    table_free(t);
}

void litmus_report_text(FILE *out, const struct litmus_report *r)
{
    fprintf(out, "Test %s (%s)\n", r->test->name, r->test->file);
    histogram(out, r);
    fprintf(out, "%s: Condition %s is %s\n", validated(r) ? "Ok" : "No", r->test->condition_text,
            validated(r) ? "validated" : "not validated");
    fprintf(out, "Observation %s %s %" PRIu64 " %" PRIu64 "\n", r->test->name, observation(r), r->positive, r->runs - r->positive);
    fprintf(out, "%s allows %zu states, seen %zu", r->judged_by_sc ? "Sequential consistency (no store buffers)" : "x86-TSO",
            r->allowed, r->allowed_seen);
    if (!r->judged_by_sc)
        fprintf(out, "; TSO only %zu, seen %zu", r->tso_only, r->tso_only_seen);
    if (r->forbidden)
        fprintf(out, "; FORBIDDEN states in %" PRIu64 " runs", r->forbidden);
    fputs("\n\n", out);
}

/* ---- summary of many */

static void summary_row(struct table *t, const struct litmus_report *r)
{
    table_row(t);
    table_cell(t, "%s", r->test->name);
    table_cell(t, "%u", r->test->thread_count);
    table_cell_u64(t, r->runs);
    table_cell(t, "%zu/%zu", r->allowed_seen, r->allowed);
    table_cell(t, "%zu/%zu", r->tso_only_seen, r->tso_only);
    table_cell(t, "%s", observation(r));
    table_cell(t, "%s", r->forbidden ? "FORBIDDEN" : "none");
}

static void coverage(FILE *out, const char *of, size_t seen, size_t all)
{
    if (all)
        fprintf(out, "%s: %zu of %zu seen (%zu.%zu %%)\n", of, seen, all, seen * 100 / all, seen * 1000 / all % 10);
}

void litmus_summary_text(FILE *out, const struct litmus_report *reports, size_t count)
{
    struct table *t = table_new(text_style_for(out));
    size_t seen = 0, allowed = 0, only_seen = 0, only = 0, pair_seen = 0, pair = 0;
    uint64_t forbidden = 0;
    table_column(t, "test", TABLE_LEFT);
    table_column(t, "threads", TABLE_RIGHT);
    table_column(t, "runs", TABLE_RIGHT);
    table_column(t, "states seen", TABLE_RIGHT);
    table_column(t, "TSO only", TABLE_RIGHT);
    table_column(t, "condition", TABLE_LEFT);
    table_column(t, "forbidden", TABLE_LEFT);
    for (size_t i = 0; i < count; i++) {
        const struct litmus_report *r = &reports[i];
        summary_row(t, r);
        seen += r->allowed_seen;
        allowed += r->allowed;
        only_seen += r->tso_only_seen;
        only += r->tso_only;
        pair_seen += r->test->thread_count == 2 ? r->tso_only_seen : 0;
        pair += r->test->thread_count == 2 ? r->tso_only : 0;
        forbidden += r->forbidden;
    }
    table_print(t, out);
    table_free(t);
    fprintf(out, "%zu tests, %" PRIu64 " runs with a forbidden final state\n", count, forbidden);
    coverage(out, "Allowed states", seen, allowed);
    coverage(out, "States that TSO allows and SC forbids", only_seen, only);
    coverage(out, "The same in tests of two threads", pair_seen, pair);
}

/* ---- JSON */

static void state_json(struct json *j, const struct litmus_report *r, const uint64_t *values, uint64_t times)
{
    char text[LIT_STATE_BYTES];
    json_object(j, NULL);
    json_string(j, "state", litmus_state_text(r->test, values, text));
    json_u64(j, "runs", times);
    json_bool(j, "condition", litmus_holds(r->test, r->test->condition, values));
    json_bool(j, "tso", in(&r->tso, values));
    json_bool(j, "sc", in(&r->sc, values));
    json_end(j);
}

void litmus_report_json(struct json *j, const struct litmus_report *r)
{
    json_object(j, NULL);
    json_string(j, "file", r->test->file);
    json_string(j, "name", r->test->name);
    json_u64(j, "threads", r->test->thread_count);
    json_string(j, "condition", r->test->condition_text);
    json_string(j, "observation", observation(r));
    json_bool(j, "validated", validated(r));
    json_u64(j, "runs", r->runs);
    json_u64(j, "positive", r->positive);
    json_string(j, "judged_by", r->judged_by_sc ? "SC" : "TSO");
    json_u64(j, "allowed_count", r->allowed);
    json_u64(j, "allowed_seen_count", r->allowed_seen);
    json_u64(j, "tso_only_count", r->tso_only);
    json_u64(j, "tso_only_seen_count", r->tso_only_seen);
    json_u64(j, "forbidden_runs", r->forbidden);
    json_array(j, "states");
    for (size_t i = 0; i < r->seen.count; i++)
        state_json(j, r, outcome_at(&r->seen, i), r->seen.times[i]);
    for (size_t i = 0; i < r->tso.count; i++)
        if (!in(&r->seen, outcome_at(&r->tso, i)))
            state_json(j, r, outcome_at(&r->tso, i), 0);
    json_end(j);
    json_end(j);
}
