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

/* The text that determines this point's results, but for the seed, which is set as the point has it. */
static const char *point_identity(struct study_doc *study, const char *const *sets, size_t n, uint64_t number, uint64_t *seed)
{
    struct study_doc point;
    const char *identity = NULL;
    if (study_load_point(&point, study->doc.argument, sets, n, &study->doc.axes, number))
        identity = study_identity(&point);
    diag_exit_if_errors(point.diag);
    *seed = point.doc.seed;
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
    uint64_t seed;
    const char *identity = point_identity(study, sets, sets_count, number, &seed);
    for (uint64_t r = 0; r < repetitions; r++) {
        struct plan_point *p = &plan->point[plan->point_count++];
        fill_point(study, number, p);
        p->repetition = r;
        p->seed = repetition_seed(seed, r);
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
