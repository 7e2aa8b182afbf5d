/* src/work/pressure.c - hogs: they take memory until so many pages are free, keep that level, and churn.
 *
 * Every zone that the hogs' flags may use is driven down, in blocks as large as the distance allows, then page by page:
 * the highest to the level, each one below it to the level and what it holds back from requests for the highest (its
 * lowmem reserve), so that the level is what such a request meets everywhere. Pages on per-CPU lists are not free in the
 * zone's sense, so the level is met to within a batch. Other programs begin to measure when every hog is
 * there for the first time.
 *
 * With `cache` what they take, page by page, goes to the page cache, as if they read a file from end to end: reclaim gets it
 * back, and they take it again. A hog that is `killable` is told by the OOM killer to give everything back, and is gone.
 */
#include "src/kern/page_alloc.h"
#include "src/kern/page_cache.h"
#include "src/kern/reclaim.h"
#include "src/work/private.h"

enum { CHURN_AMONG = 256 };

struct pressure_desc {
    const char *gfp;
    uint64_t free_pages;
    uint32_t of_min;
    uint8_t order_max;
    uint64_t interval_ps;
    uint32_t churn;
    bool cache, killable;
    uint32_t dirty;
};

struct held { frame f; unsigned order; };

struct pressure_state {
    gfp_t gfp;
    enum zone_id highest;
    struct held *held;
    uint64_t count, room;
    uint64_t turn;              /* of the churn */
    uint64_t cached;            /* pages given to the page cache */

    bool there;                 /* the level was reached once */
};

static const struct param params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct pressure_desc, gfp), .deflt = "KERNEL|MEMALLOC|NOWARN",
      .help = "Allocation flags of the hogs. Only MEMALLOC goes below what the watermarks allow." },
    { .key = "free", .type = P_UINT, PARAM_FIELD(struct pressure_desc, free_pages), .max = UINT64_C(1) << 40, .deflt = "0",
      .help = "How many pages are left free in each zone; 0: of_min says it." },
    { .key = "of_min", .type = P_PERMYRIAD, PARAM_FIELD(struct pressure_desc, of_min), .max = 100 * PERMYRIAD, .deflt = "100%",
      .help = "The same as a share of each zone's min watermark." },
    { .key = "order_max", .type = P_UINT, PARAM_FIELD(struct pressure_desc, order_max), .max = MAX_ORDER, .deflt = "10",
      .help = "The largest blocks taken; 0 leaves memory in small pieces when it is given back." },
    { .key = "interval", .type = P_TIME, PARAM_FIELD(struct pressure_desc, interval_ps), .min = PS_PER_NS, .max = PS_PER_S, .deflt = "20us",
      .help = "How often the level is looked at again; one such look is one operation." },
    { .key = "churn", .type = P_UINT, PARAM_FIELD(struct pressure_desc, churn), .max = 1u << 20, .deflt = "0",
      .help = "So many blocks are given back and taken again at each look." },
    { .key = "cache", .type = P_BOOL, PARAM_FIELD(struct pressure_desc, cache), .deflt = "false",
      .help = "What is taken goes to the page cache, page by page, where reclaim may get it back." },
    { .key = "dirty", .type = P_PERMYRIAD, PARAM_FIELD(struct pressure_desc, dirty), .max = PERMYRIAD, .deflt = "0%",
      .help = "How much of what goes to the page cache is dirty." },
    { .key = "killable", .type = P_BOOL, PARAM_FIELD(struct pressure_desc, killable), .deflt = "false",
      .help = "The OOM killer may tell each hart of it to give all it has back; it then takes no more." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct pressure_desc *d = desc;
    const char *wrong = work_gfp_check(w, d->gfp);
    (void)members;
    if (wrong != NULL)
        return wrong;
    if (d->cache && w->kernel->desc.page_cache_share == 0)
        return "there is no page cache (kernel.page_cache.share)";
    bool waits = (work_gfp(w, d->gfp) & (GFPM_DIRECT_RECLAIM | GFPM_NORETRY | GFPM_MEMALLOC)) == GFPM_DIRECT_RECLAIM;
    return d->killable && waits ? "a killable hog must not wait for memory: its flags need NORETRY or MEMALLOC, or no DIRECT_RECLAIM" : NULL;
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct pressure_desc *d = members->desc;
    const struct kernel *k = w->kernel;
    struct pressure_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        struct pressure_state *s = &states[i];
        s->gfp = work_gfp(w, d->gfp);
        s->highest = gfp_zone(s->gfp);
        s->room = (k->managed_pages >> d->order_max) + (UINT64_C(2) << d->order_max) + k->managed_pages / 64;
        s->held = ARENA_ARRAY(w->arena, struct held, s->room);
    }
    w->hogs_on_the_way += count;
}

/* ---- taking and giving back, zone by zone */

static uint64_t target_of(const struct agent *a, const struct zone *z)
{
    const struct pressure_desc *d = a->desc;
    const struct pressure_state *s = a->state;
    uint64_t level = d->free_pages != 0 ? d->free_pages : z->marks.min * d->of_min / PERMYRIAD;
    return level + z->lowmem_reserve[s->highest];
}

/* The hogs' flags, so that the zone is the preferred one, and no other node's. */
static gfp_t flags_for(const struct pressure_state *s, const struct zone *z)
{
    static const gfp_t zone_flags[ZONES] = { GFPM_DMA, GFPM_DMA32, 0, GFPM_HIGHMEM | GFPM_MOVABLE };
    return (s->gfp & ~(gfp_t)(GFPM_DMA | GFPM_DMA32 | GFPM_HIGHMEM)) | zone_flags[z->id] | GFPM_THISNODE;
}

static frame take_from(struct hart *h, const struct agent *a, const struct zone *z, unsigned order)
{
    return alloc_pages_node(h, agent_kernel(a), z->node, flags_for(a->state, z), order);
}

static bool take(struct hart *h, const struct agent *a, const struct zone *z, unsigned order)
{
    const struct pressure_desc *d = a->desc;
    struct pressure_state *s = a->state;
    frame f = { 0 };
    if (s->count < s->room)
        f = take_from(h, a, z, order);
    if (f.v == 0)
        return false;
    if (d->cache) {
        page_cache_add(h, agent_kernel(a), f, s->cached * d->dirty / PERMYRIAD != (s->cached + 1) * d->dirty / PERMYRIAD);
        s->cached++;
        return true;
    }
    s->held[s->count++] = (struct held){ f, order };
    return true;
}

/* The block of this zone that was taken last; NULL: any zone. False: there is none. */
static bool give_back_last(struct hart *h, const struct agent *a, const struct zone *z)
{
    struct pressure_state *s = a->state;
    uint64_t i = s->count;
    while (i > 0 && z != NULL && !zone_contains(z, s->held[i - 1].f))
        i--;
    if (i == 0)
        return false;
    struct held last = s->held[i - 1];
    s->held[i - 1] = s->held[--s->count];
    free_pages(h, agent_kernel(a), last.f, last.order);
    return true;
}

/* Into the page cache: what there is too much now, and no more, because kswapd may give back as fast as this takes. */
static void read_file(struct hart *h, const struct agent *a, const struct zone *z)
{
    uint64_t free_pages = zone_free_pages(h, agent_kernel(a), z), target = target_of(a, z);
    uint64_t pages = free_pages > target ? (free_pages - target + a->members - 1) / a->members : 0;
    while (pages-- > 0 && take(h, a, z, 0))
        ;
}

/* The entry's harts share what is to be taken. */
static void approach(struct hart *h, const struct agent *a, const struct zone *z)
{
    const struct pressure_desc *d = a->desc;
    uint64_t free_pages = zone_free_pages(h, agent_kernel(a), z), target = target_of(a, z);
    unsigned order = d->order_max;
    while (free_pages > target && !(d->killable && oom_asked(h, agent_kernel(a)))) {
        while (order == PAGEBLOCK_ORDER || (order > 0 && (free_pages - target) / a->members < UINT64_C(1) << order))
            order--; /* no whole pageblocks: their per-CPU list takes two at a time */
        if (!take(h, a, z, order)) {
            if (order == 0)
                break;
            order--;
        }
        free_pages = zone_free_pages(h, agent_kernel(a), z);
    }
    while (free_pages + a->members < target && give_back_last(h, a, z)) {
        uint64_t now = zone_free_pages(h, agent_kernel(a), z);
        if (now > target + (UINT64_C(1) << MAX_ORDER))
            break; /* a large block: the next look takes what is too much */
        free_pages = now > free_pages ? now : free_pages + 1; /* on the per-CPU list: as good as free */
    }
}

/* From the highest zone down: a lower one must not be used up in the place of a higher. */
static void approach_all(struct hart *h, const struct agent *a)
{
    const struct kernel *k = agent_kernel(a);
    const struct pressure_desc *d = a->desc;
    const struct pressure_state *s = a->state;
    for (unsigned i = k->zone_count; i-- > 0;)
        if (k->zones[i].id <= s->highest)
            for (unsigned turn = 0; turn < 2; turn++) /* what went back in a large block is taken again in small ones */
                (d->cache ? read_file : approach)(h, a, &k->zones[i]);
}

static void churn(struct hart *h, const struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    struct pressure_state *s = a->state;
    for (uint32_t i = 0; i < d->churn && s->count > 0; i++) {
        uint64_t among = s->count < CHURN_AMONG ? s->count : CHURN_AMONG; /* the last ones: the smallest */
        struct held *b = &s->held[s->count - 1 - s->turn++ % among];
        const struct zone *z = kernel_zone_of(agent_kernel(a), b->f);
        free_pages(h, agent_kernel(a), b->f, b->order);
        b->f = take_from(h, a, z, b->order);
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

static uint64_t give_all_back(struct hart *h, const struct agent *a)
{
    uint64_t blocks = 0;
    while (give_back_last(h, a, NULL))
        blocks++;
    return blocks;
}

/* Killed: gone for good, though the hart looks on at its intervals. */
static void die(struct hart *h, struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    k_count(h, "oom.blocks_freed", give_all_back(h, a));
    arrived(a);
    oom_leave(h, agent_kernel(a), true);
    while (agent_next(a))
        k_sleep_ps(h, d->interval_ps);
}

static void run(struct hart *h, struct agent *a)
{
    const struct pressure_desc *d = a->desc;
    bool told = false;
    if (d->killable)
        oom_join(h, agent_kernel(a));
    while (!told && agent_next(a)) {
        approach_all(h, a);
        told = d->killable && oom_told(h, agent_kernel(a));
        if (told)
            break;
        arrived(a);
        churn(h, a);
        k_sleep_ps(h, d->interval_ps);
    }
    if (told)
        die(h, a);
    else if (d->killable)
        oom_leave(h, agent_kernel(a), false);
    give_all_back(h, a);
}

const struct program program_pressure = {
    .name = "pressure",
    .sentence = "Hogs that take memory until so many pages are free, keep that level, and may churn.",
    .params = params, .desc_bytes = sizeof(struct pressure_desc), .check = check, .prepare = prepare, .run = run
};
