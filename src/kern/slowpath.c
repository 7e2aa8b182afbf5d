/* src/kern/slowpath.c - the slow path, one function for each step. */
#include "src/kern/slowpath.h"

#include "src/kern/reclaim.h"

enum { COSTLY_ORDER = 3, RECLAIM_ROUNDS_MAX = 16 };
enum { NOFAIL_SLEEP_PS = 20 * 1000 * 1000 }; /* schedule_timeout of one tick would be milliseconds; kswapd's help is near */

struct slow {
    struct hart *h;
    const struct kernel *k;
    struct alloc_context *c;
    gfp_t gfp;
    unsigned order, alloc_flags;
    bool may_wait, costly, drained;
    unsigned no_progress;            /* rounds in a row without a page reclaimed */
};

static frame lists(struct slow *s, unsigned alloc_flags) { return zonelist_take(s->h, s->k, s->c, alloc_flags); }

static void wake(struct slow *s)
{
    if ((s->gfp & GFPM_KSWAPD_RECLAIM) != 0)
        wake_kswapds(s->h, s->k, s->c);
}

static frame compact(struct slow *s)
{
    if (s->order == 0 || !compact_direct(s->h, s->k, s->c))
        return (frame){ 0 };
    return lists(s, s->alloc_flags);
}

/* Compaction before reclaim: for costly orders, and for high orders that cannot be made by moving their own kind. */
static frame compact_early(struct slow *s)
{
    bool wanted = s->may_wait && (s->costly || (s->order > 0 && s->c->why.mt != MIGRATE_MOVABLE));
    return wanted && (s->alloc_flags & ALLOC_NO_WATERMARKS) == 0 ? compact(s) : (frame){ 0 };
}

/* ---- after reclaim */

/* The first zone that gives a reserved pageblock up. */
static bool unreserve(struct slow *s, bool force)
{
    bool done = false;
    for (unsigned i = s->c->first; i < s->c->end && !done && s->k->frames->unreserve != NULL; i++) {
        const struct zone *z = zonelist_zone(s->h, s->k, s->c, i);
        done = z != NULL && s->k->frames->unreserve(s->h, s->k, z, s->c->why.mt, force);
    }
    return done;
}

static void drain(struct slow *s)
{
    for (unsigned i = 0; i < s->k->zone_count && s->k->frames->drain != NULL; i++)
        s->k->frames->drain(s->h, s->k, &s->k->zones[i]);
}

/* __alloc_pages_direct_reclaim. */
static frame reclaim(struct slow *s, bool *progress)
{
    *progress = reclaim_direct(s->h, s->k, s->c) != 0;
    k_phase(s->h, PH_SLOW);
    if (!*progress)
        return (frame){ 0 };
    frame f = lists(s, s->alloc_flags);
    if (f.v == 0 && !s->drained) {
        unreserve(s, false);
        drain(s);
        s->drained = true;
        k_phase(s->h, PH_SLOW);
        f = lists(s, s->alloc_flags);
    }
    return f;
}

/* should_reclaim_retry: is there a zone that would pass at min if all that can be reclaimed were free? */
static bool would_help(struct slow *s)
{
    for (unsigned i = s->c->first; i < s->c->end; i++) {
        struct watermark_check w;
        const struct zone *z = zonelist_zone(s->h, s->k, s->c, i);
        if (z == NULL)
            continue;
        uint64_t reclaimable = zone_reclaimable(s->h, z);
        if (reclaimable != 0 && zone_watermark_ok(s->h, s->k, z, s->c, s->alloc_flags, reclaimable, &w))
            return true;
    }
    return false;
}

static bool worth_another_round(struct slow *s, bool progress)
{
    s->no_progress = progress && !s->costly ? 0 : s->no_progress + 1;
    if (s->no_progress <= RECLAIM_ROUNDS_MAX && would_help(s))
        return true;
    return unreserve(s, true); /* before OOM: what HIGHATOMIC still holds */
}

/* ---- rounds */

static bool give_up(const struct slow *s)
{
    return (s->gfp & GFPM_NORETRY) != 0 || (s->costly && (s->gfp & GFPM_RETRY_MAYFAIL) == 0);
}

/* One round; true: again. */
static bool round_of(struct slow *s, frame *f)
{
    bool progress;
    s->c->why.rounds++;
    wake(s);
    *f = lists(s, s->alloc_flags);
    if (f->v != 0 || !s->may_wait)
        return false;
    *f = reclaim(s, &progress);
    if (f->v == 0)
        *f = compact(s);
    if (f->v != 0 || give_up(s))
        return false;
    k_compute(s->h, s->k->desc.costs.slow_retry);
    if (worth_another_round(s, progress))
        return true;
    s->no_progress = 0;
    return (s->gfp & GFPM_RETRY_MAYFAIL) == 0 && out_of_memory(s->h, s->k, s->c);
}

static frame rounds(struct slow *s)
{
    frame f;
    while (round_of(s, &f))
        k_phase(s->h, PH_SLOW);
    return f;
}

/* The caller cannot do without: half of the reserve besides, and again and again. */
static frame never_fail(struct slow *s)
{
    frame f = lists(s, s->alloc_flags | ALLOC_MIN_RESERVE);
    while (f.v == 0) {
        k_sleep_ps(s->h, NOFAIL_SLEEP_PS);
        s->no_progress = 0;
        f = rounds(s);
        if (f.v == 0)
            f = lists(s, s->alloc_flags | ALLOC_MIN_RESERVE);
    }
    return f;
}

/* Granted although the unreduced mark forbids it: the reserve paid. */
static void name_source(struct alloc_context *c)
{
    const struct watermark_check *w = &c->why.tried[c->why.tried_count - 1].check;
    if (c->source != SOURCE_HIGHATOMIC && w->free_pages <= w->unusable + w->mark + w->lowmem_reserve)
        c->source = SOURCE_RESERVE;
}

frame alloc_slow(struct hart *h, const struct kernel *k, struct alloc_context *c)
{
    struct slow s = { .h = h, .k = k, .c = c, .gfp = c->why.gfp, .order = c->why.order };
    s.alloc_flags = watermark_alloc_flags(k->rules, s.gfp, s.order);
    s.may_wait = (s.gfp & GFPM_DIRECT_RECLAIM) != 0;
    s.costly = s.order > COSTLY_ORDER;
    unsigned min_flags = s.alloc_flags & ~(unsigned)ALLOC_NO_WATERMARKS; /* memalloc comes in the rounds */
    k_phase(h, PH_SLOW);
    k_compute(h, k->desc.costs.slow_entry);
    wake(&s);
    frame f = lists(&s, min_flags);
    if (f.v == 0)
        f = compact_early(&s);
    if (f.v == 0)
        f = rounds(&s);
    if (f.v == 0 && s.may_wait && (s.gfp & GFPM_NOFAIL) != 0)
        f = never_fail(&s);
    if (f.v != 0)
        name_source(c);
    return f;
}
