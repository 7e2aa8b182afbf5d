/* src/kern/fallback.c - blocks of another mobility. */
#include "src/kern/fallback.h"

#include "src/kern/buddy.h"
#include "src/kern/list.h"
#include "src/kern/pageblock.h"

enum { FALLBACKS = 2, NO_TYPE = -1 };
static const enum migratetype fallbacks[MIGRATE_PCPTYPES][FALLBACKS] = {
    [MIGRATE_UNMOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_MOVABLE },
    [MIGRATE_MOVABLE] = { MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE },
    [MIGRATE_RECLAIMABLE] = { MIGRATE_UNMOVABLE, MIGRATE_MOVABLE },
};

/* ---- pageblocks */

struct block_count { uint64_t free_pages, movable; };

/* The part of the pageblock of f that lies in the zone: [*first, *end). */
static void block_range(const struct zone *z, frame f, frame *first, frame *end)
{
    uint64_t from = f.v & ~(uint64_t)(PAGEBLOCK_PAGES - 1), to = from + PAGEBLOCK_PAGES;
    *first = (frame){ from < z->first.v ? z->first.v : from };
    *end = (frame){ to > z->end.v ? z->end.v : to };
}

/* prep_move_freepages_block: every struct page of the pageblock is looked at, free blocks at a step. */
static struct block_count count_block(struct hart *h, const struct kernel *k, const struct zone *z, frame f)
{
    struct block_count n = { 0, 0 };
    frame at, end;
    block_range(z, f, &at, &end);
    while (at.v < end.v) {
        k_compute(h, k->desc.costs.pageblock_page);
        uint64_t type = k_load_once(h, page_word(k, at, PAGE_TYPE), 4), pages = 1;
        if (type == PAGE_TYPE_BUDDY) {
            pages = UINT64_C(1) << k_load(h, page_word(k, at, PAGE_PRIVATE), 8);
            n.free_pages += pages;
        } else if (type == PAGE_TYPE_MOVABLE) {
            n.movable++;
        }
        at.v += pages;
    }
    return n;
}

void pageblock_convert(struct hart *h, const struct kernel *k, const struct zone *z, frame f, enum migratetype to)
{
    frame at, end;
    block_range(z, f, &at, &end);
    pageblock_set(h, k, f, 0, to);
    while (at.v < end.v) {
        k_compute(h, k->desc.costs.pageblock_page);
        int order = buddy_order_at(h, k, at);
        if (order >= 0)
            buddy_move(h, k, z, at, (unsigned)order, to);
        at.v += order >= 0 ? UINT64_C(1) << order : 1;
    }
}

/* ---- boost_watermark */

static void boost(struct hart *h, const struct kernel *k, const struct zone *z, unsigned alloc_flags)
{
    paddr word = zone_word(z, ZONE_AT_MARKS + ZONE_UPPER), flags = zone_word(z, ZONE_AT_FLAGS);
    uint64_t was = k_load(h, word, 4);
    uint64_t now = watermark_boosted(was, z->marks.high, z->managed_pages, k->desc.watermark_boost_factor);
    if (now == was)
        return;
    k_count(h, "zone.boosts", 1);
    for (unsigned i = 0; i < 4; i++)
        k_store_once(h, paddr_plus(word, i * 8), 4, now);
    if ((alloc_flags & ALLOC_KSWAPD) != 0 && (k_load_once(h, flags, 8) & ZONE_FLAG_BOOSTED) == 0)
        k_fetch_or(h, flags, 8, ZONE_FLAG_BOOSTED);
}

/* ---- claim and steal */

/* find_suitable_fallback: the first fallback type with a block of exactly this order. */
static int find_type(struct hart *h, const struct kernel *k, const struct zone *z, unsigned order,
                     enum migratetype mt, frame *f)
{
    k_compute(h, k->desc.costs.buddy_order);
    if (k_load(h, paddr_plus(zone_area(z, order), AREA_COUNT), 8) == 0)
        return NO_TYPE;
    for (unsigned i = 0; i < FALLBACKS; i++) {
        paddr head = zone_list(z, order, fallbacks[mt][i]), first = list_next(h, head);
        if (first.v != head.v) {
            *f = page_of_node(k, first);
            return (int)fallbacks[mt][i];
        }
    }
    return NO_TYPE;
}

/* should_try_claim_block: kernel pages scattered in movable blocks do the lasting harm, so they always try. */
static bool worth_claiming(unsigned order, enum migratetype mt)
{
    return order >= PAGEBLOCK_ORDER / 2 || mt != MIGRATE_MOVABLE;
}

/* Pages of the block that are compatible with `mt`, besides the free ones. */
static uint64_t compatible(struct block_count n, enum migratetype mt, enum migratetype block_type)
{
    if (mt == MIGRATE_MOVABLE)
        return n.movable;
    return block_type == MIGRATE_MOVABLE ? PAGEBLOCK_PAGES - n.free_pages - n.movable : 0;
}

/* try_to_claim_block: f is a free block of `order` on the list of `from`. */
static frame claim(struct hart *h, const struct kernel *k, const struct zone *z,
                   const struct frame_request *r, frame f,
                   unsigned order, enum migratetype from)
{
    if (order >= PAGEBLOCK_ORDER) {
        buddy_remove(h, k, z, f, order);
        pageblock_set(h, k, f, order, r->mt);
        buddy_split(h, k, z, f, order, r->order, r->mt);
        k_count(h, "pageblock.claimed", 1);
        return f;
    }
    boost(h, k, z, r->alloc_flags);
    struct block_count n = count_block(h, k, z, f);
    if (n.free_pages + compatible(n, r->mt, from) < PAGEBLOCK_PAGES / 2)
        return (frame){ 0 };
    pageblock_convert(h, k, z, f, r->mt);
    k_count(h, "pageblock.claimed", 1);
    return buddy_take_type(h, k, z, r->order, r->mt);
}

static frame steal(struct hart *h, const struct kernel *k, const struct zone *z,
                   const struct frame_request *r, frame f,
                   unsigned order, enum migratetype from)
{
    buddy_remove(h, k, z, f, order);
    buddy_split(h, k, z, f, order, r->order, from);
    k_count(h, "pageblock.stolen_from", 1);
    return f;
}

/* The second half of __rmqueue_fallback (find_smallest), since 6.15 __rmqueue_steal: smallest first. */
static frame steal_smallest(struct hart *h, const struct kernel *k, const struct zone *z,
                            const struct frame_request *r)
{
    for (unsigned order = r->order; order <= MAX_ORDER; order++) {
        frame f;
        int from = find_type(h, k, z, order, r->mt, &f);
        if (from != NO_TYPE)
            return steal(h, k, z, r, f, order, (enum migratetype)from);
    }
    return (frame){ 0 };
}

/* Largest first: a claim may fail, and then before 6.15 the page comes from that very block. */
frame fallback_take(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *r)
{
    bool whole_only = (r->alloc_flags & ALLOC_NOFRAGMENT) != 0, later = k->rules->claim_before_steal;
    unsigned least = whole_only && r->order < PAGEBLOCK_ORDER ? PAGEBLOCK_ORDER : r->order;
    for (unsigned order = MAX_ORDER + 1; order-- > least;) {
        frame f, got;
        int from = find_type(h, k, z, order, r->mt, &f);
        if (from == NO_TYPE)
            continue;
        if (!worth_claiming(order, r->mt))
            break;
        got = claim(h, k, z, r, f, order, (enum migratetype)from);
        if (got.v != 0)
            return got;
        if (!later)
            return steal(h, k, z, r, f, order, (enum migratetype)from);
    }
    return whole_only ? (frame){ 0 } : steal_smallest(h, k, z, r);
}
