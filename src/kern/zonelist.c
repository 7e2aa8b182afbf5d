/* src/kern/zonelist.c - walking the zones of a request. */
#include "src/kern/alloc_context.h"

/* The first entry is looked up by prepare_alloc_pages, far ahead of its use: costs.alloc_entry has it. */
const struct zone *zonelist_zone(struct hart *h, const struct kernel *k, const struct alloc_context *c, unsigned i)
{
    if (i == c->first)
        return &k->zones[c->node->zonelist[i]];
    paddr entry = paddr_plus(c->node->at, PGDAT_ZONELIST + i * (uint64_t)ZONEREF_BYTES + ZONEREF_INDEX);
    const struct zone *z = &k->zones[k_load(h, entry, 8)];
    return z->id <= c->highest ? z : NULL;
}

/* ---- watermarks */

static void read_zone(struct hart *h, const struct kernel *k, const struct zone *z, const struct alloc_context *c,
                      struct watermark_check *w)
{
    unsigned mark = w->alloc_flags & ALLOC_WMARK_MASK;
    w->free_pages = k->frames->free_pages(h, k, z);
    uint64_t marks = k_load_once(h, zone_word(z, ZONE_AT_MARKS + mark * 8), 8);
    uint64_t reserve = k_load_once(h, zone_word(z, ZONE_AT_RESERVE + (unsigned)c->highest * 8), 8);
    w->mark = (uint32_t)marks;
    w->boost = marks >> 32;
    w->lowmem_reserve = (uint32_t)reserve;
    w->highatomic = reserve >> 32;
}

bool zone_watermark_ok(struct hart *h, const struct kernel *k, const struct zone *z, const struct alloc_context *c,
                       unsigned alloc_flags, uint64_t extra, struct watermark_check *w)
{
    *w = (struct watermark_check){ .rules = k->rules, .order = c->why.order, .alloc_flags = alloc_flags };
    k_compute(h, k->desc.costs.watermark_check);
    read_zone(h, k, z, c, w);
    w->free_pages += extra;
    watermark_decide(w);
    if (w->enough && w->order != 0) {
        struct frame_request r = { .order = w->order, .mt = c->why.mt, .alloc_flags = alloc_flags };
        w->has_block = k->frames->has_block(h, k, z, &r);
        watermark_decide(w);
    }
    return w->ok;
}

/* ---- kswapd */

static void wake_kswapd(struct hart *h, const struct kernel *k, const struct mem_node *n)
{
    paddr flag = paddr_plus(n->at, PGDAT_KSWAPD);
    if (k_load_once(h, flag, 8) != 0)
        return;
    k_compute(h, k->desc.costs.wake_up);
    k_store_once(h, flag, 8, 1);
    k_count(h, "kswapd.woken", 1);
}

void wake_kswapds(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    const struct mem_node *last = NULL;
    for (unsigned i = c->first; i < c->end; i++) {
        const struct zone *z = zonelist_zone(h, k, c, i);
        if (z == NULL || &k->nodes[z->node] == last)
            continue;
        last = &k->nodes[z->node];
        wake_kswapd(h, k, last);
    }
}

/* A fallback that boosted the watermarks has left word for whoever may wake kswapd. */
static void after_boost(struct hart *h, const struct kernel *k, const struct zone *z, unsigned alloc_flags)
{
    paddr flags = zone_word(z, ZONE_AT_FLAGS);
    if ((alloc_flags & ALLOC_KSWAPD) == 0 || (k_load_once(h, flags, 8) & ZONE_FLAG_BOOSTED) == 0)
        return;
    k_fetch_and(h, flags, 8, ~(uint64_t)ZONE_FLAG_BOOSTED);
    wake_kswapd(h, k, &k->nodes[z->node]);
}

/* ---- the walk: get_page_from_freelist */

static frame try_zone(struct hart *h, const struct kernel *k, const struct zone *z,
                      struct alloc_context *c, unsigned alloc_flags)
{
    struct alloc_failure *why = &c->why;
    struct alloc_try *t = &why->tried[why->tried_count++];
    struct frame_request r = { .order = why->order, .mt = why->mt, .alloc_flags = alloc_flags };
    t->z = z;
    if (!zone_watermark_ok(h, k, z, c, alloc_flags, 0, &t->check))
        return (frame){ 0 };
    frame f = k->frames->take(h, k, z, &r, &c->source);
    if (f.v == 0)
        k_phase(h, PH_SLOW); /* the lists were empty: on to the next zone */
    if (c->source != SOURCE_PCP)
        after_boost(h, k, z, alloc_flags);
    if (f.v != 0 && (alloc_flags & ALLOC_HIGHATOMIC) != 0 && k->frames->reserve != NULL)
        k->frames->reserve(h, k, z, f, why->order);
    return f;
}

/* With ALLOC_NOFRAGMENT a node further away is worse than mixing mobilities at home. */
static bool too_far(const struct kernel *k, const struct alloc_context *c, const struct zone *z, unsigned alloc_flags)
{
    return (alloc_flags & ALLOC_NOFRAGMENT) != 0 && k->desc.nodes > 1 &&
           z->node != k->zones[c->node->zonelist[c->first]].node;
}

static frame walk(struct hart *h, const struct kernel *k, struct alloc_context *c, unsigned alloc_flags)
{
    frame f = { 0 };
    c->why.tried_count = 0;
    for (unsigned i = c->first; i < c->end && f.v == 0; i++) {
        const struct zone *z = zonelist_zone(h, k, c, i);
        if (i != c->first)
            k_compute(h, k->desc.costs.zone_next);
        if (z == NULL)
            continue;
        if (too_far(k, c, z, alloc_flags))
            break;
        f = try_zone(h, k, z, c, alloc_flags);
    }
    return f;
}

frame zonelist_take(struct hart *h, const struct kernel *k, struct alloc_context *c, unsigned alloc_flags)
{
    frame f = walk(h, k, c, alloc_flags);
    if (f.v == 0 && (alloc_flags & ALLOC_NOFRAGMENT) != 0)
        f = walk(h, k, c, alloc_flags & ~(unsigned)ALLOC_NOFRAGMENT);
    return f;
}
