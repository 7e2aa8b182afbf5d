/* src/cli/bench_step.c - the table-driven step against the same protocol written by hand.
 *
 * Inputs: every pair of state and event of mesi with every small count of acknowledgements, that the table does not
 * make wait or refuse; drawn uniformly in one order for both. "hits" are the pairs that are most of all steps of a run.
 */
#include "src/cli/bench.h"

#include <inttypes.h>
#include <string.h>

#include "models/coherence/table.h"
#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/cli/bench_switch.h"
#include "src/cli/protocol.h"

enum { INPUTS = 4096, STEPS = 40000000, QUICK = 10, ACKS_MAX = 3, SEED = 1, REQUESTER = 5, OWNER = 3, SELF = 2, TXN = 4 };

struct cache_input { struct cache_line line; enum cache_event event; struct msg in; };
struct home_input { struct home_line line; enum home_event event; struct msg in; };

static struct arena *arena;
static struct protocol *mesi;
static struct cache_input hits[INPUTS], cache_inputs[INPUTS];
static struct home_input home_inputs[INPUTS];

/* ---- inputs */

static struct cache_input cache_input(unsigned state, unsigned event, int acks)
{
    return (struct cache_input){ { (uint8_t)state, (int16_t)acks, 7 }, (enum cache_event)event,
                                 { .requester = REQUESTER, .txn = TXN, .acks = (int16_t)(ACKS_MAX - acks), .version = 9 } };
}

static struct home_input home_input(unsigned state, unsigned event, int acks, bool to_home)
{
    bool owned = state != 1 && event % 2; /* with and without an owner, whatever the state */
    struct home_input x = { { .state = (uint8_t)state, .owner = owned ? OWNER : -1, .requester = REQUESTER, .txn = TXN,
                              .acks = (int16_t)acks, .version = 7 }, (enum home_event)event,
                            { .requester = (uint16_t)(to_home ? REQUESTER_HOME : REQUESTER), .txn = TXN, .version = 9 } };
    x.line.sharers.w[0] = (UINT64_C(0x6c) >> acks) | UINT64_C(1) << OWNER;
    return x;
}

/* ---- the same */

static bool same_message(const struct out_msg *a, const struct out_msg *b)
{
    return a->kind == b->kind && a->to_home == b->to_home && a->multicast == b->multicast && a->to == b->to &&
           a->requester == b->requester && a->txn == b->txn && a->acks == b->acks && a->version == b->version;
}

static bool same_outbox(const struct outbox *a, const struct outbox *b)
{
    bool multicast = false;
    if (a->n != b->n || a->complete != b->complete || a->take_data != b->take_data || a->keep_data != b->keep_data ||
        a->flush_memory != b->flush_memory || a->recalled != b->recalled || a->demoted != b->demoted)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        multicast |= a->m[i].multicast;
        if (!same_message(&a->m[i], &b->m[i]))
            return false;
    }
    return !multicast || memcmp(&a->targets, &b->targets, sizeof a->targets) == 0;
}

static bool same_home_line(const struct home_line *a, const struct home_line *b)
{
    return a->state == b->state && a->owner == b->owner && a->requester == b->requester && a->txn == b->txn && a->acks == b->acks &&
           a->version == b->version && memcmp(&a->sharers, &b->sharers, sizeof a->sharers) == 0;
}

/* What the table answers; panics if the switch answers anything else. */
static enum verdict compare_cache(struct cache_input x)
{
    struct cache_line t = x.line, s = x.line;
    struct outbox by_table, by_switch;
    const struct msg *in = x.event > CEV_READ_ONCE ? &x.in : NULL;
    enum verdict v = cache_step(mesi, &t, x.event, in, SELF, TXN, &by_table, NULL);
    if (mesi_cache_by_switch(&s, x.event, in, SELF, TXN, &by_switch) != v || t.state != s.state || t.acks != s.acks ||
        t.version != s.version || !same_outbox(&by_table, &by_switch))
        panic("bench: cache state %s, event %s: the switch by hand and the table of mesi differ", cache_state_name(mesi, x.line.state),
              cache_event_name(x.event));
    return v;
}

static enum verdict compare_home(struct home_input x)
{
    struct home_line t = x.line, s = x.line;
    struct outbox by_table, by_switch;
    const struct msg *in = x.event == HEV_RECALL || x.event == HEV_DEMOTE ? NULL : &x.in;
    enum verdict v = home_step(mesi, &t, x.event, in, &by_table, NULL);
    if (mesi_home_by_switch(&s, x.event, in, &by_switch) != v || !same_home_line(&t, &s) || !same_outbox(&by_table, &by_switch))
        panic("bench: home state %s, event %s: the switch by hand and the table of mesi differ", home_state_name(mesi, x.line.state),
              home_event_name(x.event));
    return v;
}

/* ---- every pair, then a drawn order of those that do something */

struct found { struct cache_input cache[1024], hit[64]; struct home_input home[4096]; unsigned caches, hits, homes; };

static void find_cache(struct found *f)
{
    for (unsigned state = 0; state < mesi->table[CTL_CACHE].n_states; state++)
        for (unsigned event = 0; event < CACHE_EVENT_COUNT; event++)
            for (int acks = -ACKS_MAX; acks <= ACKS_MAX; acks++) {
                struct cache_input x = cache_input(state, event, acks), of_home = x;
                of_home.in.requester = (uint16_t)REQUESTER_HOME;
                compare_cache(of_home);
                if (compare_cache(x) != STEP_DONE || acks % 2)
                    continue;
                f->cache[f->caches++] = x;
                if (acks == 0 && row_actions(mesi->table[CTL_CACHE].row[state][event]) == CACT_COMPLETE && event <= CEV_READ_ONCE)
                    f->hit[f->hits++] = x;
            }
}

static void find_home(struct found *f)
{
    for (unsigned state = 0; state < mesi->table[CTL_HOME].n_states; state++)
        for (unsigned event = 0; event < HOME_EVENT_COUNT; event++)
            for (int acks = 0; acks <= ACKS_MAX; acks++)
                for (unsigned to_home = 0; to_home < 2; to_home++) {
                    struct home_input x = home_input(state, event, acks, to_home);
                    if (compare_home(x) == STEP_DONE && !to_home)
                        f->home[f->homes++] = x;
                }
}

static void prepare(void)
{
    static struct found f;
    if (mesi)
        return;
    arena = arena_new();
    mesi = load_protocol_or_fail(arena, "mesi");
    find_cache(&f);
    find_home(&f);
    struct rng r = rng_stream(SEED, "bench step");
    for (unsigned i = 0; i < INPUTS; i++) {
        hits[i] = f.hit[rng_below(&r, f.hits)];
        cache_inputs[i] = f.cache[rng_below(&r, f.caches)];
        home_inputs[i] = f.home[rng_below(&r, f.homes)];
    }
}

/* ---- timed. The sum keeps the compiler from leaving the steps out, and is compared. */

static uint64_t sums[3];

static struct bench_sample ended(uint64_t sum, uint64_t steps, double began, unsigned slot)
{
    double seconds = cpu_seconds() - began;
    sum = sum / (steps / INPUTS);
    CHECK(sums[slot] == 0 || sums[slot] == sum, "bench: two ways to step gave different sums");
    sums[slot] = sum;
    return (struct bench_sample){ steps, seconds };
}

static uint64_t digest(const struct outbox *out, unsigned state)
{
    return state + out->n * 16u + out->complete * 64u + (out->n ? out->m[0].kind * 128u : 0);
}

static uint64_t count_of(bool quick) { return STEPS / (quick ? QUICK : 1) / INPUTS * INPUTS; }

static struct bench_sample cache_by_table(const struct cache_input *inputs, bool quick, unsigned slot)
{
    struct outbox out;
    uint64_t steps = count_of(quick), sum = 0;
    double began = cpu_seconds();
    for (uint64_t i = 0; i < steps; i++) {
        const struct cache_input *x = &inputs[i % INPUTS];
        struct cache_line line = x->line;
        cache_step(mesi, &line, x->event, &x->in, SELF, TXN, &out, NULL);
        sum += digest(&out, line.state);
    }
    return ended(sum, steps, began, slot);
}

static struct bench_sample cache_by_switch(const struct cache_input *inputs, bool quick, unsigned slot)
{
    struct outbox out;
    uint64_t steps = count_of(quick), sum = 0;
    double began = cpu_seconds();
    for (uint64_t i = 0; i < steps; i++) {
        const struct cache_input *x = &inputs[i % INPUTS];
        struct cache_line line = x->line;
        mesi_cache_by_switch(&line, x->event, &x->in, SELF, TXN, &out);
        sum += digest(&out, line.state);
    }
    return ended(sum, steps, began, slot);
}

static struct bench_sample hits_by_table(const struct bench *b, bool quick)
{
    (void)b;
    prepare();
    return cache_by_table(hits, quick, 0);
}

static struct bench_sample hits_by_switch(const struct bench *b, bool quick)
{
    (void)b;
    prepare();
    return cache_by_switch(hits, quick, 0);
}

static struct bench_sample rows_by_table(const struct bench *b, bool quick)
{
    (void)b;
    prepare();
    return cache_by_table(cache_inputs, quick, 1);
}

static struct bench_sample rows_by_switch(const struct bench *b, bool quick)
{
    (void)b;
    prepare();
    return cache_by_switch(cache_inputs, quick, 1);
}

static struct bench_sample home_by_table(const struct bench *b, bool quick)
{
    struct outbox out;
    uint64_t steps = count_of(quick), sum = 0;
    (void)b;
    prepare();
    double began = cpu_seconds();
    for (uint64_t i = 0; i < steps; i++) {
        const struct home_input *x = &home_inputs[i % INPUTS];
        struct home_line line = x->line;
        home_step(mesi, &line, x->event, &x->in, &out, NULL);
        sum += digest(&out, line.state);
    }
    return ended(sum, steps, began, 2);
}

static struct bench_sample home_by_switch(const struct bench *b, bool quick)
{
    struct outbox out;
    uint64_t steps = count_of(quick), sum = 0;
    (void)b;
    prepare();
    double began = cpu_seconds();
    for (uint64_t i = 0; i < steps; i++) {
        const struct home_input *x = &home_inputs[i % INPUTS];
        struct home_line line = x->line;
        mesi_home_by_switch(&line, x->event, &x->in, &out);
        sum += digest(&out, line.state);
    }
    return ended(sum, steps, began, 2);
}

const struct bench step_benches[] = {
    { "step-hits-switch", "steps of a cache that hit, by hand", hits_by_switch, NULL, 0, NULL },
    { "step-hits", "steps of a cache that hit, mesi's table", hits_by_table, "step-hits-switch", 0, NULL },
    { "step-cache-switch", "steps of a cache, all rows alike, by hand", rows_by_switch, NULL, 0, NULL },
    { "step-cache", "steps of a cache, all rows alike, mesi's table", rows_by_table, "step-cache-switch", 0, NULL },
    { "step-home-switch", "steps of a home, all rows alike, by hand", home_by_switch, NULL, 0, NULL },
    { "step-home", "steps of a home, all rows alike, mesi's table", home_by_table, "step-home-switch", 0, NULL },
};
const unsigned step_bench_count = sizeof step_benches / sizeof *step_benches;
