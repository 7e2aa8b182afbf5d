/* src/work/sharing_programs.c - few harts and few lines, to measure one thing: ping-pong, page-invalidate, spin-lock,
 * compute. */
#include "src/kern/exclusive.h"
#include "src/kern/spin.h"
#include "src/work/private.h"

#include <inttypes.h>

/* ---- ping-pong: the flag says whose turn it is; taking and handing over is one compare-and-swap */

struct ping_pong_desc {
    uint32_t first, second, home;
};

struct ping_pong_state {
    paddr flag;
    struct start_line *start_line;
};

#define G(field) PARAM_FIELD(struct ping_pong_desc, field)
static const struct param ping_pong_params[] = {
    { .key = "first", .type = P_UINT, G(first), .max = HARTS_MAX, .deflt = "0", .help = "The entry's hart that serves, and measures." },
    { .key = "second", .type = P_UINT, G(second), .max = HARTS_MAX, .deflt = "1", .help = "The entry's hart that returns." },
    { .key = "home", .type = P_UINT, G(home), .max = HARTS_MAX, .deflt = "0",
      .help = "The entry's hart that touched the flag first: with home.placement: first-touch it lies in that one's memory." },
    { .key = NULL },
};
#undef G

static const char *ping_pong_check(const void *desc, const struct work *w, unsigned members)
{
    const struct ping_pong_desc *d = desc;
    (void)w;
    if (members < 2 || d->first == d->second)
        return "needs two harts";
    return d->first < members && d->second < members && d->home < members
               ? NULL
               : "first, second and home are numbers of the entry's harts, from 0 on";
}

static void ping_pong_prepare(struct work *w, struct agent *members, unsigned count)
{
    struct ping_pong_state *s = ARENA_ONE(w->arena, struct ping_pong_state);
    *s = (struct ping_pong_state){ work_scratch(w, LINE_BYTES), start_line_new(w, members, count) };
    for (unsigned i = 0; i < count; i++)
        members[i].state = s;
}

/* No load in the loop: every try takes the line, as in a benchmark of compare-and-swap alone. */
static void take_turn(struct hart *h, const struct agent *a)
{
    const struct ping_pong_desc *d = a->desc;
    const struct ping_pong_state *s = a->state;
    uint64_t me = a->member == d->second, found;
    do
        found = me;
    while (!k_cas(h, s->flag, 8, &found, 1 - me));
}

/* The first serves, then measures round trips; the second returns; others wait at the start line only. */
static void ping_pong_run(struct hart *h, struct agent *a)
{
    const struct ping_pong_desc *d = a->desc;
    const struct ping_pong_state *s = a->state;
    bool first = a->member == d->first;
    if (d->home != d->first && d->home == a->member)
        k_load(h, s->flag, 8);
    if (d->home != d->first)
        start_line_wait(h, s->start_line);
    if (!first && a->member != d->second)
        return;
    if (first)
        take_turn(h, a);
    while (agent_next(a)) {
        if (first)
            k_begin(h, CLASS_PINGPONG);
        take_turn(h, a);
        if (first) {
            k_source(h, SOURCE_DONE);
            k_end(h);
        }
    }
}

const struct program program_ping_pong = {
    .name = "ping-pong",
    .sentence = "Two harts hand a flag to each other by compare-and-swap alone.",
    .params = ping_pong_params, .desc_bytes = sizeof(struct ping_pong_desc), .check = ping_pong_check,
    .prepare = ping_pong_prepare, .run = ping_pong_run
};

/* ---- page-invalidate: member 0 owns a page that the other members hold */

struct invalidate_desc {
    int share;
};

struct invalidate_state {
    struct start_line *start_line;
    frame page;
};

static const struct param invalidate_params[] = {
    { .key = "share", .type = P_CHOICE, PARAM_FIELD(struct invalidate_desc, share), .choices = share_choices, .deflt = "read",
      .help = "How the other harts of the entry touch the page: read (it is shared) or write, in turn (the last one has it modified)." },
    { .key = NULL },
};

static void invalidate_prepare(struct work *w, struct agent *members, unsigned count)
{
    struct invalidate_state *s = ARENA_ONE(w->arena, struct invalidate_state);
    *s = (struct invalidate_state){ start_line_new(w, members, count), paddr_frame(work_scratch(w, PAGE_BYTES)) };
    for (unsigned i = 0; i < count; i++)
        members[i].state = s;
}

static void touch_page(struct hart *h, const struct agent *a)
{
    const struct invalidate_desc *d = a->desc;
    const struct invalidate_state *s = a->state;
    for (unsigned i = 0; i < LINES_PER_PAGE; i++) {
        paddr at = line_addr(frame_line(s->page, i));
        if (d->share == SHARE_WRITE)
            k_store(h, at, 8, agent_value(a, a->done));
        else
            k_load(h, at, 8);
    }
    k_fence(h);
}

/* Readers at once, writers one after the other; then the owner. */
static void invalidate_run(struct hart *h, struct agent *a)
{
    const struct invalidate_desc *d = a->desc;
    const struct invalidate_state *s = a->state;
    while (agent_next(a)) {
        unsigned turns = d->share == SHARE_WRITE && a->members > 1 ? a->members - 1 : 1;
        for (unsigned turn = 1; turn <= turns; turn++) {
            if (a->member == turn || (a->member != 0 && d->share == SHARE_READ))
                touch_page(h, a);
            start_line_wait(h, s->start_line);
        }
        if (a->member == 0)
            page_own(h, agent_kernel(a), s->page);
        start_line_wait(h, s->start_line);
    }
}

const struct program program_page_invalidate = {
    .name = "page-invalidate",
    .sentence = "The entry's first hart gains sole ownership of every line of a page that its other harts have touched.",
    .params = invalidate_params, .desc_bytes = sizeof(struct invalidate_desc), .prepare = invalidate_prepare,
    .run = invalidate_run
};

/* ---- spin-lock */

struct spin_desc {
    uint64_t critical_cycles, outside_cycles;
};

struct spin_state {
    paddr lock, counter;
    unsigned finished;
    uint64_t expected;          /* of the counter, when all have finished */
};

static const struct param spin_params[] = {
    { .key = "critical_cycles", .type = P_CYCLES, PARAM_FIELD(struct spin_desc, critical_cycles), .max = 1000000000, .deflt = "50cycles",
      .help = "Computation while the lock is held." },
    { .key = "outside_cycles", .type = P_CYCLES, PARAM_FIELD(struct spin_desc, outside_cycles), .max = 1000000000, .deflt = "100cycles",
      .help = "Computation between unlock and the next lock." },
    { .key = NULL },
};

static void spin_prepare(struct work *w, struct agent *members, unsigned count)
{
    struct spin_state *s = ARENA_ONE(w->arena, struct spin_state);
    s->lock = work_scratch(w, LINE_BYTES);
    s->counter = work_scratch(w, LINE_BYTES);
    for (unsigned i = 0; i < count; i++)
        members[i].state = s;
}

static void critical_section(struct hart *h, const struct agent *a)
{
    const struct spin_desc *d = a->desc;
    const struct spin_state *s = a->state;
    spin_lock(h, agent_kernel(a), s->lock);
    uint64_t count = k_load(h, s->counter, 8);
    k_compute(h, d->critical_cycles);
    k_store(h, s->counter, 8, count + 1);
    spin_unlock(h, agent_kernel(a), s->lock);
}

/* The last one to finish looks whether an increment was lost. */
static void judge_counter(struct hart *h, const struct agent *a)
{
    struct spin_state *s = a->state;
    s->expected += a->done;
    if (++s->finished < a->members)
        return;
    spin_lock(h, agent_kernel(a), s->lock);
    uint64_t count = k_load(h, s->counter, 8);
    spin_unlock(h, agent_kernel(a), s->lock);
    if (count != s->expected)
        k_illegal(h, "spin-lock: the counter under the lock is %" PRIu64 " after %" PRIu64 " increments: two harts were inside",
                  count, s->expected);
}

static void spin_run(struct hart *h, struct agent *a)
{
    const struct spin_desc *d = a->desc;
    while (agent_next(a)) {
        critical_section(h, a);
        k_compute(h, d->outside_cycles);
    }
    judge_counter(h, a);
}

const struct program program_spin_lock = {
    .name = "spin-lock",
    .sentence = "Harts contend for one spin lock and count under it; the count is checked at the end.",
    .params = spin_params, .desc_bytes = sizeof(struct spin_desc), .prepare = spin_prepare, .run = spin_run
};

/* ---- compute */

struct compute_desc {
    uint64_t cycles;
};

static const struct param compute_params[] = {
    { .key = "cycles", .type = P_CYCLES, PARAM_FIELD(struct compute_desc, cycles), .min = 1, .max = 1000000000, .deflt = "1000cycles",
      .help = "Length of one operation." },
    { .key = NULL },
};

static void compute_run(struct hart *h, struct agent *a)
{
    const struct compute_desc *d = a->desc;
    while (agent_next(a))
        k_compute(h, d->cycles);
}

const struct program program_compute = {
    .name = "compute",
    .sentence = "Computes without touching memory: a busy hart that interrupts can land on.",
    .params = compute_params, .desc_bytes = sizeof(struct compute_desc), .run = compute_run
};
