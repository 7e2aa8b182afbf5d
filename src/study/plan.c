/* src/study/plan.c - the points of an experiment's sweep, with seeds and keys. */
#include <inttypes.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/config/emit.h"
#include "src/study/result_json.h"
#include "src/study/sweep.h"
#include "src/study/version.h"

uint64_t repetition_seed(uint64_t seed, uint64_t repetition)
{
    return repetition == 0 ? seed : mix64(hash_chain(seed, repetition)) >> 1;
}

const char *const *plan_sets(struct arena *arena, const struct plan *plan, size_t point, const char *const *sets,
                             size_t sets_count, size_t *count)
{
    const struct plan_point *p = &plan->point[point];
    const char **all = ARENA_ARRAY(arena, const char *, sets_count + plan->axes_count + 1);
    size_t n = 0;
    for (size_t i = 0; i < sets_count; i++)
        all[n++] = sets[i];
    for (size_t i = 0; i < plan->axes_count; i++)
        all[n++] = arena_printf(arena, "%s=%s", plan->axes[i], p->values[i]);
    all[n++] = arena_printf(arena, "seed=%" PRIu64, p->seed);
    *count = n;
    return all;
}

/* The text that determines this point's results, but for the seed. */
static const char *point_identity(struct study_doc *study, const char *const *sets, size_t n)
{
    struct study_doc point;
    const char *identity = NULL;
    if (study_load(&point, study->doc.argument, sets, n))
        identity = study_identity(&point);
    diag_exit_if_errors(point.diag);
    identity = arena_strdup(study->arena, identity);
    study_unload(&point);
    return identity;
}

static const char *point_key(struct arena *arena, const char *identity, uint64_t seed)
{
    const char *all = arena_printf(arena, "%s\n%s schema %d seed %" PRIu64 "\n", identity, LABYRINTH_VERSION,
                                   RESULT_SCHEMA, seed);
    return arena_printf(arena, "%016" PRIx64, config_digest(all));
}

static void fill_point(struct study_doc *study, uint64_t number, struct plan_point *p)
{
    const struct sweep_axes *axes = &study->doc.axes;
    const char **values = ARENA_ARRAY(study->arena, const char *, axes->axes_count);
    for (size_t i = 0; i < axes->axes_count; i++)
        values[i] = sweep_value(axes, number, i);
    p->number = number;
    p->values = values;
}

static void plan_number(struct study_doc *study, const char *const *sets, size_t sets_count, uint64_t number,
                        uint64_t repetitions, struct plan *plan)
{
    const char *identity = NULL;
    for (uint64_t r = 0; r < repetitions; r++) {
        size_t index = plan->point_count++, n;
        struct plan_point *p = &plan->point[index];
        fill_point(study, number, p);
        p->repetition = r;
        p->seed = repetition_seed(study->doc.seed, r);
        if (r == 0) {
            const char *const *all = plan_sets(study->arena, plan, index, sets, sets_count, &n);
            identity = point_identity(study, all, n);
        }
        p->key = point_key(study->arena, identity, p->seed);
    }
}

struct plan *plan_make(struct study_doc *study, const char *const *sets, size_t sets_count, uint64_t repetitions)
{
    const struct sweep_axes *axes = &study->doc.axes;
    struct plan *plan = ARENA_ONE(study->arena, struct plan);
    const char **paths = ARENA_ARRAY(study->arena, const char *, axes->axes_count);
    for (size_t i = 0; i < axes->axes_count; i++)
        paths[i] = axes->axis[i].path;
    plan->axes_count = axes->axes_count;
    plan->axes = paths;
    plan->point = ARENA_ARRAY(study->arena, struct plan_point, axes->points_count * repetitions);
    for (uint64_t number = 0; number < axes->points_count; number++)
        plan_number(study, sets, sets_count, number, repetitions, plan);
    return plan;
}
