/* src/work/chase.c - load latency by dependent loads: each load's value is the address of the next.
 *
 * State of a line before member 0 loads it:
 *   alone     where this hart's own earlier passes left it (one unrecorded pass first): a level of the hierarchy
 *   cold      in no cache: never touched, and flushed before each further pass
 *   modified  member 1 has written it
 *   read      the other members have read it: with one of them exclusive, with more shared
 */
#include "src/work/private.h"

enum state { STATE_ALONE, STATE_COLD, STATE_MODIFIED, STATE_READ };
enum order { ORDER_RANDOM, ORDER_PAGES, ORDER_SEQUENTIAL };

struct chase_desc {
    uint64_t footprint_bytes;
    uint32_t stride_bytes;
    int state, order;
};

struct chase_state {
    paddr *lines;               /* in the order of the chase */
    uint32_t count;
    struct start_line *start_line;    /* modified, read */
};

static const char *const state_choices[] = { "alone", "cold", "modified", "read", NULL };
static const char *const order_choices[] = { "random", "pages", "sequential", NULL };

static const struct param params[] = {
    { .key = "footprint", .type = P_BYTES, PARAM_FIELD(struct chase_desc, footprint_bytes), .min = 128, .max = UINT64_C(1) << 32,
      .deflt = "16KiB", .help = "Memory that one pass goes over." },
    { .key = "stride", .type = P_BYTES, .flags = PARAM_POW2, PARAM_FIELD(struct chase_desc, stride_bytes), .min = 8, .max = 1 << 20,
      .deflt = "64B", .help = "Distance of the words loaded." },
    { .key = "state", .type = P_CHOICE, PARAM_FIELD(struct chase_desc, state), .choices = state_choices, .deflt = "alone",
      .help = "Before it is loaded a line is where earlier passes left it, in no cache, modified by the second hart, or read by the others." },
    { .key = "order", .type = P_CHOICE, PARAM_FIELD(struct chase_desc, order), .choices = order_choices, .deflt = "random",
      .help = "All words in random order, page after page (random inside a page), or one after the other." },
    { .key = NULL },
};

static bool others_prepare(const struct chase_desc *d) { return d->state == STATE_MODIFIED || d->state == STATE_READ; }

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct chase_desc *d = desc;
    uint64_t regions = others_prepare(d) ? 1 : members;
    if (d->footprint_bytes < 2 * (uint64_t)d->stride_bytes)
        return "footprint must hold at least two strides";
    if (d->footprint_bytes > w->kernel->desc.scratch_bytes / regions)
        return "footprint of all harts is larger than the memory set aside for programs";
    if (others_prepare(d) && members < 2)
        return "state: modified and read need a second hart";
    return NULL;
}

/* ---- the order, and the pointers */

static void shuffle(struct rng *rng, paddr *lines, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t j = (uint32_t)rng_below(rng, i);
        paddr t = lines[i - 1];
        lines[i - 1] = lines[j];
        lines[j] = t;
    }
}

static void put_in_order(const struct chase_desc *d, struct agent *a, struct chase_state *s)
{
    uint32_t page = d->stride_bytes < PAGE_BYTES ? PAGE_BYTES / d->stride_bytes : 1;
    if (d->order == ORDER_RANDOM)
        shuffle(&a->rng, s->lines, s->count);
    for (uint32_t i = 0; d->order == ORDER_PAGES && i < s->count; i += page)
        shuffle(&a->rng, &s->lines[i], s->count - i < page ? s->count - i : page);
}

static void lay_out(struct work *w, struct agent *a, struct chase_state *s)
{
    const struct chase_desc *d = a->desc;
    paddr base = work_scratch(w, d->footprint_bytes);
    s->count = (uint32_t)(d->footprint_bytes / d->stride_bytes);
    s->lines = ARENA_ARRAY(w->arena, paddr, s->count);
    for (uint32_t i = 0; i < s->count; i++)
        s->lines[i] = paddr_plus(base, (uint64_t)i * d->stride_bytes);
    put_in_order(d, a, s);
    for (uint32_t i = 0; i < s->count; i++)
        backdoor_write(w->backdoor, s->lines[i], 8, s->lines[(i + 1) % s->count].v);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    struct chase_state *states = agents_state(w, members, count, sizeof *states);
    if (!others_prepare(members->desc)) {
        for (unsigned i = 0; i < count; i++)
            lay_out(w, &members[i], &states[i]);
        return;
    }
    lay_out(w, members, states);
    states[0].start_line = start_line_new(w, members, count);
    for (unsigned i = 1; i < count; i++)
        states[i] = states[0];
}

/* ---- running */

/* A chase that leaves the circle has read a wrong value. */
static uint64_t follow(struct hart *h, const struct chase_state *s, uint32_t i, uint64_t at)
{
    if (at != s->lines[i].v)
        k_illegal(h, "chase: word %u led to %#llx instead of %#llx", i, (unsigned long long)at, (unsigned long long)s->lines[i].v);
    return k_load(h, (paddr){ at }, 8);
}

static void pass_unrecorded(struct hart *h, const struct chase_state *s)
{
    uint64_t at = s->lines[0].v;
    for (uint32_t i = 0; i < s->count; i++)
        at = follow(h, s, i, at);
}

static void flush_unrecorded(struct hart *h, const struct agent *a)
{
    const struct chase_state *s = a->state;
    hart_record(h, false);
    for (uint32_t i = 0; i < s->count; i++)
        k_flush(h, s->lines[i]);
    k_fence(h);
    hart_record(h, agent_recorded(a));
}

static void run_own(struct hart *h, struct agent *a)
{
    const struct chase_desc *d = a->desc;
    const struct chase_state *s = a->state;
    uint64_t at = s->lines[0].v;
    if (d->state == STATE_ALONE)
        pass_unrecorded(h, s);
    for (uint32_t i = 0; agent_next(a); i = (i + 1) % s->count) {
        if (i == 0 && a->done != 0 && d->state == STATE_COLD)
            flush_unrecorded(h, a);
        at = follow(h, s, i, at);
    }
}

/* Modified: member 1 writes what is there already. Read: member 1 flushes, so that no older copy is left at member
 * 0, then all others read, one after the other. */
static void put_into_state(struct hart *h, const struct agent *a)
{
    const struct chase_desc *d = a->desc;
    const struct chase_state *s = a->state;
    hart_record(h, false);
    if (d->state == STATE_MODIFIED && a->member == 1) {
        for (uint32_t i = 0; i < s->count; i++)
            k_store(h, s->lines[i], 8, s->lines[(i + 1) % s->count].v);
        k_fence(h);
    }
    if (d->state == STATE_READ && a->member == 1)
        flush_unrecorded(h, a);
    hart_record(h, false);
    for (unsigned turn = 1; d->state == STATE_READ && turn < a->members; turn++) {
        if (a->member == turn)
            pass_unrecorded(h, s);
        start_line_wait(h, s->start_line);
    }
    start_line_wait(h, s->start_line);
    hart_record(h, agent_recorded(a));
}

/* All members count member 0's loads, so that all stop in the same round. */
static void run_together(struct hart *h, struct agent *a)
{
    const struct chase_state *s = a->state;
    uint64_t at = s->lines[0].v;
    for (uint32_t i = 0; agent_next(a); i = (i + 1) % s->count) {
        if (i == 0) {
            start_line_wait(h, s->start_line); /* member 0 is through with the round before */
            put_into_state(h, a);
        }
        if (a->member == 0)
            at = follow(h, s, i, at);
    }
}

static void run(struct hart *h, struct agent *a)
{
    if (others_prepare(a->desc))
        run_together(h, a);
    else
        run_own(h, a);
}

const struct program program_chase = {
    .name = "chase",
    .sentence = "Measures load latency: dependent loads over a footprint, in cache, in memory, or held by another hart.",
    .params = params, .desc_bytes = sizeof(struct chase_desc), .check = check, .prepare = prepare, .run = run
};
