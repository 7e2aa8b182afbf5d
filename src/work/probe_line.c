/* src/work/probe_line.c - what one operation on a line costs, by who has left the line in which state.
 *
 * Four of the entry's harts have a part (one may have several), the others none. Before each round over the lines, and
 * unrecorded, `home` loads a word of each page (first round only: with first-touch placement the page is its own);
 * then every copy is flushed, and
 *   invalid     that is all: memory has the line
 *   exclusive   holder loads it
 *   modified    holder stores to it
 *   shared      holder loads it, then second does
 *   owned       holder stores to it, then second loads it
 * What that makes of the line is the protocol's business. Then `requester` operates on the lines, one at a time. The
 * measurements are those of ccbench (T. David, R. Guerraoui, V. Trigonakis, SOSP 2013, section 5.1).
 */
#include "src/work/private.h"

enum state { STATE_INVALID, STATE_EXCLUSIVE, STATE_MODIFIED, STATE_SHARED, STATE_OWNED };
enum operation { OP_LOAD, OP_STORE, OP_CAS, OP_FETCH_ADD, OP_TEST_AND_SET, OP_SWAP };

enum { SETTLE_PS = 5 * PS_PER_US }; /* what the others began is over then, at the homes too: a start line takes no time */

struct probe_desc {
    int operation, state;
    uint32_t requester, holder, second, home;
    uint64_t footprint_bytes;
};

struct probe_state {
    struct start_line *start_line; /* of those who have a part */
    paddr *lines;               /* in the order of the round */
    uint64_t *word;             /* what each holds now */
    uint32_t count;
    bool touched, over;
};

static const char *const operations[] = { "load", "store", "cas", "fetch-add", "test-and-set", "swap", NULL };
static const char *const states[] = { "invalid", "exclusive", "modified", "shared", "owned", NULL };

#define P(field) PARAM_FIELD(struct probe_desc, field)
static const struct param params[] = {
    { .key = "operation", .type = P_CHOICE, P(operation), .choices = operations, .deflt = "load",
      .help = "What is measured; a cas succeeds." },
    { .key = "state", .type = P_CHOICE, P(state), .choices = states, .deflt = "modified",
      .help = "Before that, holder has loaded (exclusive) or stored to the line (modified), and second has loaded it after that "
              "(shared, owned); or nobody has a copy (invalid)." },
    { .key = "requester", .type = P_UINT, P(requester), .max = HARTS_MAX, .deflt = "0", .help = "The entry's hart that is measured." },
    { .key = "holder", .type = P_UINT, P(holder), .max = HARTS_MAX, .deflt = "1", .help = "The entry's hart that held the line." },
    { .key = "second", .type = P_UINT, P(second), .max = HARTS_MAX, .deflt = "2", .help = "Shared, owned: another that held it." },
    { .key = "home", .type = P_UINT, P(home), .max = HARTS_MAX, .deflt = "1",
      .help = "The entry's hart that touched the page first: with home.placement: first-touch it lies in that one's memory." },
    { .key = "footprint", .type = P_BYTES, P(footprint_bytes), .min = LINE_BYTES, .max = UINT64_C(1) << 32, .deflt = "4KiB",
      .help = "Lines of one round together." },
    { .key = NULL },
};
#undef P

static bool needs_second(const struct probe_desc *d) { return d->state == STATE_SHARED || d->state == STATE_OWNED; }

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct probe_desc *d = desc;
    if (d->requester >= members || d->holder >= members || d->home >= members || (needs_second(d) && d->second >= members))
        return "requester, holder, second and home are numbers of the entry's harts, from 0 on";
    if (needs_second(d) && d->second == d->holder)
        return "state: shared and owned need a second hart that is not the holder";
    if (d->footprint_bytes > w->kernel->desc.scratch_bytes)
        return "footprint is larger than the memory set aside for programs";
    return NULL;
}

static bool has_part(const struct probe_desc *d, unsigned member)
{
    return member == d->requester || member == d->holder || member == d->home || (needs_second(d) && member == d->second);
}

static void shuffle(struct rng *rng, paddr *lines, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)rng_below(rng, i);
        paddr t = lines[i - 1];
        lines[i - 1] = lines[j];
        lines[j] = t;
    }
}

/* Page after page, in random order inside each. */
static void lay_out(struct work *w, struct agent *a, struct probe_state *s)
{
    const struct probe_desc *d = a->desc;
    paddr base = work_scratch(w, d->footprint_bytes);
    s->count = (uint32_t)(d->footprint_bytes / LINE_BYTES);
    s->lines = ARENA_ARRAY(w->arena, paddr, s->count);
    s->word = ARENA_ARRAY(w->arena, uint64_t, s->count);
    for (uint32_t i = 0; i < s->count; i++)
        s->lines[i] = paddr_plus(base, (uint64_t)i * LINE_BYTES);
    for (uint32_t i = 0; i < s->count; i += LINES_PER_PAGE)
        shuffle(&a->rng, &s->lines[i], s->count - i < LINES_PER_PAGE ? s->count - i : LINES_PER_PAGE);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    struct probe_state *s = ARENA_ONE(w->arena, struct probe_state);
    struct agent *parts = ARENA_ARRAY(w->arena, struct agent, 4); /* copies: a start line wakes their harts, no more */
    unsigned n = 0;
    lay_out(w, members, s);
    for (unsigned i = 0; i < count; i++) {
        members[i].state = s;
        if (has_part(members[i].desc, i))
            parts[n++] = members[i];
    }
    s->start_line = start_line_new(w, parts, n);
}

/* ---- before a round */

static void look(struct hart *h, const struct probe_state *s, uint32_t i, uint64_t found)
{
    if (found != s->word[i])
        k_illegal(h, "probe-line: line %u holds %#llx instead of %#llx", i, (unsigned long long)found, (unsigned long long)s->word[i]);
}

static void load_all(struct hart *h, const struct probe_state *s, uint32_t stride)
{
    for (uint32_t i = 0; i < s->count; i += stride)
        look(h, s, i, k_load(h, s->lines[i], 8));
}

static void hold_all(struct hart *h, const struct agent *a)
{
    const struct probe_desc *d = a->desc;
    struct probe_state *s = a->state;
    for (uint32_t i = 0; i < s->count; i++)
        k_flush(h, s->lines[i]);
    k_fence(h);
    if (d->state == STATE_EXCLUSIVE || d->state == STATE_SHARED)
        load_all(h, s, 1);
    for (uint32_t i = 0; i < s->count && (d->state == STATE_MODIFIED || d->state == STATE_OWNED); i++)
        k_store(h, s->lines[i], 8, s->word[i] += 2);
    k_fence(h);
}

/* False: there is no further round. */
static bool bring_about(struct hart *h, const struct agent *a)
{
    const struct probe_desc *d = a->desc;
    struct probe_state *s = a->state;
    start_line_wait(h, s->start_line);
    if (s->over)
        return false;
    if (!s->touched && a->member == d->home)
        load_all(h, s, LINES_PER_PAGE);
    start_line_wait(h, s->start_line);
    s->touched = true;
    if (a->member == d->holder)
        hold_all(h, a);
    start_line_wait(h, s->start_line);
    if (needs_second(d) && a->member == d->second)
        load_all(h, s, 1);
    start_line_wait(h, s->start_line);
    k_sleep_ps(h, SETTLE_PS);
    return true;
}

/* ---- a round */

static void operate(struct hart *h, const struct agent *a, uint32_t i)
{
    const struct probe_desc *d = a->desc;
    struct probe_state *s = a->state;
    paddr at = s->lines[i];
    uint64_t old = s->word[i], found = old;
    switch ((enum operation)d->operation) {
    case OP_LOAD: look(h, s, i, k_load(h, at, 8)); return;
    case OP_STORE: k_store(h, at, 8, s->word[i] = old + 2); break;
    case OP_CAS:
        s->word[i] = old + 2;
        if (!k_cas(h, at, 8, &found, old + 2))
            k_illegal(h, "probe-line: a cas of line %u fails", i);
        break;
    case OP_FETCH_ADD:
        found = k_fetch_add(h, at, 8, 2);
        s->word[i] = old + 2;
        break;
    case OP_TEST_AND_SET:
        found = k_fetch_or(h, at, 8, 1);
        s->word[i] = old | 1;
        break;
    case OP_SWAP:
        found = k_swap(h, at, 8, old + 2);
        s->word[i] = old + 2;
        break;
    }
    if (found != old)
        k_illegal(h, "probe-line: line %u held %#llx instead of %#llx", i, (unsigned long long)found, (unsigned long long)old);
    k_fence(h); /* the next one starts when this one is over */
}

static void run(struct hart *h, struct agent *a)
{
    const struct probe_desc *d = a->desc;
    struct probe_state *s = a->state;
    if (!has_part(d, a->member))
        return;
    if (a->member != d->requester) {
        while (bring_about(h, a))
            ;
        return;
    }
    for (uint32_t i = 0; agent_next(a); i = (i + 1) % s->count) {
        if (i == 0) {
            hart_record(h, false);
            bring_about(h, a);
            hart_record(h, agent_recorded(a));
        }
        operate(h, a, i);
    }
    s->over = true;
    bring_about(h, a);
}

const struct program program_probe_line = {
    .name = "probe-line",
    .sentence = "Measures a load, store or locked operation on lines that other harts have left in a given state.",
    .params = params, .desc_bytes = sizeof(struct probe_desc), .check = check, .prepare = prepare, .run = run
};
