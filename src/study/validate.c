/* src/study/validate.c - measures what a machine file claims. */
#include "src/study/validate.h"

#include "src/base/arena.h"
#include "src/config/diag.h"
#include "src/config/experiment.h"
#include "src/config/find.h"
#include "src/config/param.h"
#include "src/config/quantity.h"
#include "src/study/load.h"
#include "src/study/metric.h"

#include <stdio.h>

struct claim_keys {
    const char *what, *row, *value, *experiment, *metric;
    uint32_t divide;
    bool fitted;
    const char **sets;         /* of the experiment, and machine=NAME first */
    size_t sets_count;
};

#define C(field) PARAM_FIELD(struct claim_keys, field)
static const struct param claim_params[] = {
    { .key = "what", .type = P_STRING, .flags = PARAM_REQUIRED, C(what), .help = "The operation in words." },
    { .key = "row", .type = P_STRING, .flags = PARAM_REQUIRED, C(row), .help = "Row of the published table." },
    { .key = "value", .type = P_STRING, .flags = PARAM_REQUIRED, C(value), .help = "The published value: a time or cycles." },
    { .key = "experiment", .type = P_STRING, .flags = PARAM_REQUIRED, C(experiment), .help = "File in configs/validation that measures it." },
    { .key = "metric", .type = P_STRING, .flags = PARAM_REQUIRED, C(metric), .help = "Metric of that experiment's result." },
    { .key = "divide", .type = P_UINT, C(divide), .min = 1, .max = 1000, .deflt = "1", .help = "The metric covers so many operations." },
    { .key = "fitted", .type = P_BOOL, .flags = PARAM_REQUIRED, C(fitted), .help = "The machine's numbers were chosen to meet this row; otherwise it is a prediction." },
    { .key = NULL }
};
#undef C

enum { CLAIM_SETS_MAX = 16 };

/* set: [path=value, ...]: what the experiment is to have other than its file says. */
static bool read_sets(struct arena *arena, struct diag *diag, const char *machine, struct node *claim, struct claim_keys *k)
{
    static const char rule[] = "As for --set: [\"path=value\", ...], 15 at most.";
    struct node *list = node_get(claim, "set");
    k->sets = ARENA_ARRAY(arena, const char *, CLAIM_SETS_MAX);
    k->sets[k->sets_count++] = arena_printf(arena, "machine=%s", machine);
    if (list && !node_expect(diag, list, NODE_SEQUENCE, rule))
        return false;
    for (struct node *n = list ? list->first : NULL; n; n = n->next) {
        if (!node_expect(diag, n, NODE_SCALAR, rule))
            return false;
        if (k->sets_count == CLAIM_SETS_MAX) {
            node_error(diag, n, rule, "one too many");
            return false;
        }
        k->sets[k->sets_count++] = n->text;
    }
    if (list)
        node_use_all(list);
    return true;
}

static bool measure(struct arena *arena, struct diag *diag, const char *machine, const struct claim_keys *k,
                    const struct node *at, const struct run_options *options, uint64_t *model_ps)
{
    char why[240];
    struct metric metric;
    if (!metric_resolve(k->metric, &metric, why, sizeof why)) {
        node_error(diag, at, "`labyrinth list metrics` names them all.", "%s", why);
        return false;
    }
    const char *path = config_find(arena, diag, "validation", k->experiment, at->at, "claims.experiment");
    if (!path)
        return false;
    struct study_doc study;
    bool good = study_load(&study, path, k->sets, k->sets_count);
    struct machine *m = good ? machine_new(&study.doc, options, study.diag) : NULL;
    if (m) {
        machine_run(m);
        const struct result *r = machine_result(m);
        good = r->stop == RUN_DONE && metric_value(&metric, r, model_ps);
        if (!good)
            node_error(diag, at, "A claim needs a run that ends well and has the metric.", "%s on %s: %s, %s", k->experiment, machine,
                       run_stop_name(r->stop), r->stop_text);
        *model_ps /= good ? k->divide : 1;
        machine_free(m);
    } else {
        diag_print(study.diag, stderr);
        node_error(diag, at, "A claim needs an experiment that fits the machine.", "%s cannot run on %s", k->experiment, machine);
        good = false;
    }
    study_unload(&study);
    return good;
}

static void compare(struct claim *c)
{
    int64_t difference = (int64_t)c->model_ps - (int64_t)c->published_ps;
    c->error_permille = difference * 1000 / (int64_t)c->published_ps;
    uint64_t size = (uint64_t)(difference < 0 ? -difference : difference);
    c->good = size * 1000 <= c->published_ps * VALIDATE_TOLERANCE_PERMILLE;
}

static bool one_claim(struct arena *arena, struct diag *diag, const char *machine, uint32_t period_ps, struct node *n,
                      const struct run_options *options, struct claim *c)
{
    struct param_ctx ctx = { .arena = arena, .diag = diag, .at = n->at, .path = "claims" };
    struct claim_keys k = { 0 };
    struct complaint complaint;
    size_t before = diag_count(diag);
    if (!read_sets(arena, diag, machine, n, &k))
        return false;
    param_fill(n, claim_params, &k, &ctx);
    if (diag_count(diag) != before)
        return false;
    *c = (struct claim){ .what = k.what, .row = k.row, .value = k.value, .fitted = k.fitted };
    if (!quantity_parse_time(k.value, period_ps, &c->published_ps, &complaint) || !c->published_ps) {
        node_error(diag, n, complaint.rule, "%s", complaint.what);
        return false;
    }
    if (!measure(arena, diag, machine, &k, n, options, &c->model_ps))
        return false;
    compare(c);
    return true;
}

bool validate_machine(struct arena *arena, struct diag *diag, const char *machine, const struct run_options *options,
                      struct claim **claims, size_t *count)
{
    *count = 0;
    struct node *root = machine_load(arena, diag, machine, (struct origin){ machine, 0, 0 }, NULL);
    if (!root)
        return false;
    struct node *list = node_peek(root, "claims"), *clock = node_peek(root, "clock");
    uint64_t hz = 0;
    struct complaint complaint;
    if (clock)
        (void)quantity_parse(clock->text, Q_HZ, &hz, &complaint);
    *claims = arena_alloc(arena, list && list->count ? list->count : 1, sizeof **claims);
    for (struct node *n = list ? list->first : NULL; n; n = n->next)
        if (!one_claim(arena, diag, machine, hz ? hz_period_ps(hz) : 0, n, options, &(*claims)[(*count)++]))
            return false;
    return true;
}
