/* src/work/pressure.c - hogs: they take memory until so many pages are free, keep that level, and churn.
 *
 * The zone is driven down in blocks as large as the distance allows, then page by page. Pages on per-CPU lists are not
 * free in the zone's sense, so the level is met to within a batch. Other programs begin to measure when every hog is
 * there for the first time.
 */
#include "src/kern/page_alloc.h"
#include "src/work/private.h"

enum { CHURN_AMONG = 256 };

struct pressure_desc {
    const char *gfp;
    uint64_t free_pages;
    uint32_t of_min;
    uint8_t order_max;
    uint64_t interval_ps;
    uint32_t churn;
};

struct held { frame f; unsigned order; };

struct pressure_state {
    gfp_t gfp;
    uint64_t target;            /* free pages of the zone */
    struct held *held;
    uint64_t count, room;
    uint64_t turn;              /* of the churn */
    bool there;                 /* the level was reached once */
};

static const struct param params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct pressure_desc, gfp), .deflt = "KERNEL|MEMALLOC|NOWARN",
      .help = "Allocation flags of the hogs. Only MEMALLOC goes below what the watermarks allow." },
    { .key = "free", .type = P_UINT, PARAM_FIELD(struct pressure_desc, free_pages), .max = UINT64_C(1) << 40, .deflt = "0",
      .help = "How many pages are left free; 0: of_min says it." },
    { .key = "of_min", .type = P_PERMYRIAD, PARAM_FIELD(struct pressure_desc, of_min), .max = 100 * PERMYRIAD, .deflt = "100%",
      .help = "The same as a share of the min watermark." },
    { .key = "order_max", .type = P_UINT, PARAM_FIELD(struct pressure_desc, order_max), .max = MAX_ORDER, .deflt = "10",
      .help = "The largest blocks taken; 0 leaves memory in small pieces when it is given back." },
    { .key = "interval", .type = P_TIME, PARAM_FIELD(struct pressure_desc, interval_ps), .min = PS_PER_NS, .max = PS_PER_S, .deflt = "20us",
      .help = "How often the level is looked at again; one such look is one operation." },
    { .key = "churn", .type = P_UINT, PARAM_FIELD(struct pressure_desc, churn), .max = 1u << 20, .deflt = "0",
      .help = "So many blocks are given back and taken again at each look." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct pressure_desc *d = desc;
    (void)w, (void)members;
    return work_gfp_check(d->gfp);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct pressure_desc *d = members->desc;
    const struct kernel *k = w->kernel;
    struct pressure_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        struct pressure_state *s = &states[i];
        s->gfp = work_gfp(d->gfp);
        s->target = d->free_pages != 0 ? d->free_pages : k->marks.min * d->of_min / PERMYRIAD;
        s->room = (k->managed_pages >> d->order_max) + (UINT64_C(2) << d->order_max) + k->managed_pages / 64;
        s->held = ARENA_ARRAY(w->arena, struct held, s->room);
    }
    w->hogs_on_the_way += count;
}

/* ---- taking and giving back */

static bool take(struct hart *h, const struct agent *a, unsigned order)
{
    struct pressure_state *s = a->state;
    frame f = { 0 };
    if (s->count < s->room)
        f = alloc_pages(h, agent_kernel(a), s->gfp, order);
    if (f.v == 0)
        return false;
    s->held[s->count++] = (struct held){ f, order };
    return true;
}

static void give_back_last(struct hart *h, const struct agent *a)
{
    struct pressure_state *s = a->state;
    struct held last = s->held[--s->count];
    free_pages(h, agent_kernel(a), last.f, last.order);
}

/* The entry's harts share what is to be taken. */
static void approach(struct hart *h, const struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    const struct pressure_state *s = a->state;
    uint64_t free_pages = zone_free_pages(h, agent_kernel(a));
    unsigned order = d->order_max;
    while (free_pages > s->target) {
        while (order > 0 && (free_pages - s->target) / a->members < UINT64_C(1) << order)
            order--;
        if (!take(h, a, order)) {
            if (order == 0)
                break;
            order--;
        }
        free_pages = zone_free_pages(h, agent_kernel(a));
    }
    while (free_pages + a->members < s->target && s->count > 0) {
        give_back_last(h, a);
        uint64_t now = zone_free_pages(h, agent_kernel(a));
        if (now > s->target + (UINT64_C(1) << MAX_ORDER))
            break; /* a large block: the next look takes what is too much */
        free_pages = now > free_pages ? now : free_pages + 1; /* on the per-CPU list: as good as free */
    }
}

static void churn(struct hart *h, const struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    struct pressure_state *s = a->state;
    for (uint32_t i = 0; i < d->churn && s->count > 0; i++) {
        uint64_t among = s->count < CHURN_AMONG ? s->count : CHURN_AMONG; /* the last ones: the smallest */
        struct held *b = &s->held[s->count - 1 - s->turn++ % among];
        free_pages(h, agent_kernel(a), b->f, b->order);
        b->f = alloc_pages(h, agent_kernel(a), s->gfp, b->order);
        if (b->f.v == 0)
            *b = s->held[--s->count];
    }
}

/* ---- those who wait for it */

static bool nobody_on_the_way(const void *work) { return ((const struct work *)work)->hogs_on_the_way == 0; }

void pressure_wait(struct hart *h, struct work *w) { work_wait(h, nobody_on_the_way, w, "the hogs to fill memory"); }

static void arrived(struct agent *a)
{
    struct pressure_state *s = a->state;
    struct work *w = a->work;
    if (s->there)
        return;
    s->there = true;
    if (--w->hogs_on_the_way == 0)
        for (unsigned i = 0; i < w->agent_count; i++)
            if (w->agents[i].hart && w->agents[i].program != &program_pressure)
                hart_wake(w->agents[i].hart);
}

static void run(struct hart *h, struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    const struct pressure_state *s = a->state;
    while (agent_next(a)) {
        approach(h, a);
        arrived(a);
        churn(h, a);
        k_sleep_ps(h, d->interval_ps);
    }
    while (s->count > 0)
        give_back_last(h, a);
}

const struct program program_pressure = {
    .name = "pressure",
    .sentence = "Hogs that take memory until so many pages are free, keep that level, and may churn.",
    .params = params, .desc_bytes = sizeof(struct pressure_desc), .check = check, .prepare = prepare, .run = run
};
