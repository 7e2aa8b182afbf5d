/* src/cli/stress_shrink.c - a failure made short: delta debugging (A. Zeller, R. Hildebrandt, Simplifying and isolating
 * failure-inducing input, IEEE TSE 28(2), 2002) over agents, operations, waits and the choices of the machine.
 *
 * Of delta debugging the half that tests complements: what fails is a list with a part taken out. Every candidate is a run
 * of its own; one is kept if it fails in the same way as the first did.
 */
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/stress.h"

enum { TRIES_MAX = 5000, FEW_DRAWS = 40, OTHER_SEEDS = 64, WAIT_MAX = 1000000 /* of an operation wait */, SHORT = 8 /* operations that need no more looking at */ };

struct shrinker { struct stress_case *best; const struct stress_verdict *wanted; unsigned tries; };

size_t stress_operations(const struct stress_case *c)
{
    size_t n = 0;
    for (unsigned i = 0; i < c->agent_count; i++)
        n += c->agents[i].count;
    return n;
}

static struct stress_case copy_of(const struct stress_case *c)
{
    struct stress_case copy = *c;
    copy.agents = calloc(c->agent_count + 1, sizeof *copy.agents);
    CHECK_MEMORY(copy.agents, "out of memory");
    for (unsigned i = 0; i < c->agent_count; i++) {
        struct stress_agent *a = &copy.agents[i];
        *a = c->agents[i];
        a->op = malloc((a->count + 1) * sizeof *a->op);
        CHECK_MEMORY(a->op, "out of memory");
        if (a->count)
            memcpy(a->op, c->agents[i].op, a->count * sizeof *a->op);
    }
    return copy;
}

void stress_case_free(struct stress_case *c)
{
    for (unsigned i = 0; i < c->agent_count; i++)
        free(c->agents[i].op);
    free(c->agents);
    c->agents = NULL;
    c->agent_count = 0;
}

/* Takes the candidate over as the best, if it still fails; it is used up either way. */
static bool still_fails(struct shrinker *s, struct stress_case *candidate)
{
    if (s->tries >= TRIES_MAX) {
        stress_case_free(candidate);
        return false;
    }
    s->tries++;
    struct stress_verdict v = stress_try(candidate, (struct stress_telling){ NULL, NULL });
    if (!stress_same_failure(&v, s->wanted)) {
        stress_case_free(candidate);
        return false;
    }
    stress_case_free(s->best);
    *s->best = *candidate;
    return true;
}

/* ---- from draws to lists */

/* The fewest draws that fail, about: a failure needs no operation that comes after it. */
static void fewer_draws(struct shrinker *s)
{
    uint64_t low = 1, high = s->best->drawn;
    while (low < high) {
        struct stress_case c = copy_of(s->best);
        c.drawn = low + (high - low) / 2;
        if (still_fails(s, &c))
            high = s->best->drawn;
        else
            low += (high - low) / 2 + 1;
    }
}

/* Rare failures come late, and a long list shrinks slowly: other seeds fail sooner, if one of many is tried. */
static void other_draws(struct shrinker *s)
{
    bool any = true;
    while (any && s->best->drawn > FEW_DRAWS) {
        any = false;
        for (uint64_t i = 1; !any && i <= OTHER_SEEDS; i++) {
            struct stress_case c = copy_of(s->best);
            c.seed = mix64(c.seed + i) >> 1;
            c.drawn /= 4;
            any = still_fails(s, &c);
        }
        if (any)
            fewer_draws(s);
    }
}

static bool lists_of_draws(struct shrinker *s)
{
    struct stress_case c = copy_of(s->best);
    for (unsigned i = 0; i < c.agent_count; i++) {
        struct stress_agent *a = &c.agents[i];
        char name[24];
        snprintf(name, sizeof name, "%s%u", a->device ? "device" : "core", a->place);
        struct rng r = agent_rng(c.seed, name, 0);
        a->op = realloc(a->op, c.drawn * sizeof *a->op);
        CHECK_MEMORY(a->op, "out of memory");
        for (a->count = 0; a->count < c.drawn; a->count++)
            script_draw(&r, &c.mix, a->device ? ON_DEVICE : ON_HART, &a->op[a->count]);
    }
    c.drawn = 0;
    return still_fails(s, &c);
}

/* ---- fewer operations */

static bool without_agent(struct shrinker *s, unsigned agent)
{
    struct stress_case c = copy_of(s->best);
    free(c.agents[agent].op);
    memmove(&c.agents[agent], &c.agents[agent + 1], (c.agent_count - agent - 1) * sizeof *c.agents);
    c.agent_count--;
    return still_fails(s, &c);
}

static void fewer_agents(struct shrinker *s)
{
    for (unsigned i = s->best->agent_count; i-- > 0;)
        if (s->best->agents[i].count == 0 || s->best->agent_count > 1)
            without_agent(s, i);
}

/* Operations counted through all agents' lists. */
static void cut(struct stress_case *c, size_t first, size_t count)
{
    for (unsigned i = 0; i < c->agent_count && count; i++) {
        struct stress_agent *a = &c->agents[i];
        if (first >= a->count) {
            first -= a->count;
            continue;
        }
        size_t here = a->count - first < count ? a->count - first : count;
        memmove(&a->op[first], &a->op[first + here], (a->count - first - here) * sizeof *a->op);
        a->count -= here;
        count -= here;
        first = 0;
    }
}

static bool without(struct shrinker *s, size_t first, size_t count)
{
    struct stress_case c = copy_of(s->best);
    cut(&c, first, count);
    return stress_operations(&c) ? still_fails(s, &c) : (stress_case_free(&c), false);
}

/* Parts of half of all, a quarter, ... one; single ones until none can go. */
static void fewer_operations(struct shrinker *s)
{
    for (size_t size = (stress_operations(s->best) + 1) / 2; size > 0;) {
        bool any = false;
        for (size_t first = 0; first < stress_operations(s->best);) {
            if (without(s, first, size))
                any = true;
            else
                first += size;
        }
        if (!any || size > 1)
            size /= 2;
    }
}

/* ---- operations that only let time pass */

static bool with_wait(struct shrinker *s, unsigned agent, size_t first, size_t count, uint32_t wait)
{
    struct stress_case c = copy_of(s->best);
    struct stress_agent *a = &c.agents[agent];
    a->op[first] = (struct script_op){ a->device ? SCRIPT_PAUSE : SCRIPT_WAIT, { wait } };
    memmove(&a->op[first + 1], &a->op[first + count], (a->count - first - count) * sizeof *a->op);
    a->count -= count - 1;
    return still_fails(s, &c);
}

/* Waits keep their length; anything else may have taken so long. */
static uint32_t length_of(const struct stress_agent *a, size_t first, size_t count, uint32_t each)
{
    uint64_t sum = 0;
    for (size_t i = first; i < first + count; i++)
        sum += script_is_wait(&a->op[i]) ? a->op[i].arg[0] : each;
    return sum < WAIT_MAX ? (uint32_t)sum : WAIT_MAX;
}

/* One wait in place of a part of an agent's list. */
static void waits_instead(struct shrinker *s, unsigned agent)
{
    static const uint32_t each[] = { 80, 100, 1, 0, 5, 20, 50, 65, 70, 75, 85, 90, 95, 110, 120, 140, 160, 200, 300, 1000, 5000 };
    for (size_t size = s->best->agents[agent].count; size > 1; size /= 2)
        for (size_t first = 0; first + size <= s->best->agents[agent].count; first++) {
            bool any = false;
            for (size_t i = 0; !any && i < sizeof each / sizeof *each; i++)
                any = with_wait(s, agent, first, size, length_of(&s->best->agents[agent], first, size, each[i]));
            first += any ? 0 : size / 2;
        }
}

/* ---- simpler operations, simpler machine */

static void shorter_waits(struct shrinker *s)
{
    for (unsigned i = 0; i < s->best->agent_count; i++)
        for (size_t k = 0; k < s->best->agents[i].count; k++)
            while (script_is_wait(&s->best->agents[i].op[k]) && s->best->agents[i].op[k].arg[0] > 1) {
                struct stress_case c = copy_of(s->best);
                c.agents[i].op[k].arg[0] /= 2;
                if (!still_fails(s, &c))
                    break;
            }
}

/* Agents on the first cores and devices, so that a smaller machine does. */
static void lower_places(struct shrinker *s)
{
    struct stress_case c = copy_of(s->best);
    unsigned next[2] = { 0, 0 };
    bool any = false;
    for (unsigned i = 0; i < c.agent_count; i++) {
        struct stress_agent *a = &c.agents[i];
        unsigned place = next[a->device]++;
        any |= a->place != place;
        a->place = place;
    }
    any ? (void)still_fails(s, &c) : stress_case_free(&c);
}

static void simpler_machine(struct shrinker *s)
{
    for (unsigned key = 0; !s->best->config && key < stress_shape_keys(); key++)
        for (uint8_t value = 0; value < s->best->shape.choice[key]; value++) {
            struct stress_case c = copy_of(s->best);
            c.shape.choice[key] = value;
            if (still_fails(s, &c))
                break;
        }
}

struct stress_shrunk stress_shrink(struct stress_case *c, const struct stress_verdict *wanted)
{
    struct shrinker s = { c, wanted, 0 };
    fewer_draws(&s);
    other_draws(&s);
    struct stress_shrunk result = { .repeated = lists_of_draws(&s) };
    result.from = stress_operations(c);
    size_t before = SIZE_MAX;
    while (result.repeated && stress_operations(c) < before) {
        before = stress_operations(c);
        fewer_agents(&s);
        fewer_operations(&s);
        fewer_agents(&s);
        for (unsigned i = 0; i < c->agent_count && stress_operations(c) > SHORT; i++)
            waits_instead(&s, i);
        lower_places(&s);
        simpler_machine(&s);
        shorter_waits(&s);
    }
    result.operations = stress_operations(c);
    result.tries = s.tries;
    return result;
}
