/* tests/unit/test_machine_rig.h - whole runs for tests: an experiment from a text or by name, and its numbers.
 *
 *   struct run r = run_text(TEXT, OPTIONS, "machine.cores=2", NULL);  ... counter(&r, "home.recalls_count") ...
 *   run_free(&r);
 *
 * One run at a time: machines share the fiber backend.
 */
#ifndef LAB_TEST_MACHINE_RIG_H
#define LAB_TEST_MACHINE_RIG_H

#include <criterion/criterion.h>

#include "src/base/arena.h"
#include "src/config/diag.h"
#include "src/config/experiment.h"
#include "src/machine/counter_terms.h"
#include "src/machine/machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_SETS_MAX = 32 };

struct run {
    struct arena *arena;
    struct diag *diag;
    struct experiment_doc doc;
    struct machine *machine;
    const struct result *result;
};

static inline struct run_options usual(void)
{
    unsetenv("LABYRINTH_QUEUE");
    unsetenv("LABYRINTH_FIBER");
    unsetenv("LABYRINTH_LOOKAHEAD");
    return run_options_default();
}

static inline struct run_options with_plant(const char *plant)
{
    struct run_options o = usual();
    o.plant = plant;
    return o;
}

static inline struct run run_list(const char *argument, struct run_options options, const char *const *sets, size_t count)
{
    struct run r = { .arena = arena_new(), .diag = diag_new() };
    bool good = experiment_load(r.arena, r.diag, argument, sets, count, &r.doc);
    if (good)
        r.machine = machine_new(&r.doc, &options, r.diag);
    if (!r.machine)
        diag_print(r.diag, stderr);
    cr_assert_not_null(r.machine, "%s cannot be built", argument);
    machine_run(r.machine);
    r.result = machine_result(r.machine);
    return r;
}

static inline struct run run_va(const char *argument, struct run_options options, va_list ap)
{
    const char *sets[RUN_SETS_MAX], *set;
    size_t count = 0;
    while (count < RUN_SETS_MAX && (set = va_arg(ap, const char *)))
        sets[count++] = set;
    return run_list(argument, options, sets, count);
}

/* A shipped experiment by name; the assignments end with NULL. */
static inline struct run run_named(const char *name, struct run_options options, ...)
{
    va_list ap;
    va_start(ap, options);
    struct run r = run_va(name, options, ap);
    va_end(ap);
    return r;
}

static inline struct run run_text(const char *text, struct run_options options, ...)
{
    char path[] = "./labyrinth-test-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no temporary file");
    close(fd);
    va_list ap;
    va_start(ap, options);
    struct run r = run_va(path, options, ap);
    va_end(ap);
    unlink(path);
    return r;
}

static inline void run_free(struct run *r)
{
    machine_free(r->machine);
    diag_free(r->diag);
    arena_free(r->arena);
}

static inline void expect_stop(const struct run *r, enum run_stop stop)
{
    cr_assert_eq(r->result->stop, stop, "%s instead of %s: %s", run_stop_name(r->result->stop), run_stop_name(stop),
                 r->result->stop_text);
}

/* 0 for a counter that never counted; a name that no run can give is a mistake of the test. */
static inline uint64_t counter(const struct run *r, const char *name)
{
    char sentence[300];
    cr_assert(counter_explain(name, sentence, sizeof sentence), "there is no counter %s", name);
    for (size_t i = 0; i < r->result->counter_count; i++)
        if (strcmp(r->result->counters[i].name, name) == 0)
            return r->result->counters[i].value;
    return 0;
}

static inline const struct class_stats *stats(const struct run *r, enum class_id class)
{
    const struct class_stats *s = account_stats(r->result->account, class);
    cr_assert_not_null(s, "no %s was recorded", class_infos[class].name);
    return s;
}

static inline double mean_ps(const struct run *r, enum class_id class)
{
    const struct class_stats *s = stats(r, class);
    return (double)s->latency.sum_ps / (double)s->latency.count;
}

/* Latencies of all requests are alike: that one. */
static inline uint64_t only_ps(const struct run *r, enum class_id class)
{
    const struct class_stats *s = stats(r, class);
    cr_assert_eq(s->latency.min_ps, s->latency.max_ps, "%s takes %" PRIu64 " to %" PRIu64 " ps", class_infos[class].name,
                 s->latency.min_ps, s->latency.max_ps);
    return s->latency.min_ps;
}

#endif
