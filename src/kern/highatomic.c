/* src/kern/highatomic.c - pageblocks kept for high-order requests that cannot wait (reserve_highatomic_pageblock and
 * unreserve_highatomic_pageblock, mm/page_alloc.c). */
#include "src/kern/buddy.h"
#include "src/kern/fallback.h"
#include "src/kern/list.h"
#include "src/kern/pageblock.h"

static uint64_t reserved(struct hart *h, const struct zone *z)
{
    return k_load_once(h, zone_word(z, ZONE_AT_RESERVE + ZONE_UPPER), 4);
}

static void set_reserved(struct hart *h, const struct zone *z, uint64_t pages)
{
    for (unsigned i = 0; i < ZONES; i++)
        k_store_once(h, zone_word(z, ZONE_AT_RESERVE + ZONE_UPPER + i * 8), 4, pages);
}

/* Of a free block at f: if it is of whole pageblocks, these, which may then merge with a neighbour; else its pageblock. */
static void release(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order,
                    enum migratetype to)
{
    if (order < PAGEBLOCK_ORDER) {
        pageblock_convert(h, k, z, f, to);
        return;
    }
    buddy_remove(h, k, z, f, order);
    pageblock_set(h, k, f, order, to);
    buddy_put(h, k, z, f, order, to);
}

void highatomic_reserve(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    uint64_t most = watermark_highatomic_max(k->rules, z->managed_pages);
    k_compute(h, k->desc.costs.highatomic_entry);
    if (reserved(h, z) >= most)
        return;
    bool were_on = zone_lock_marked(h, k, z);
    uint64_t now = reserved(h, z);
    if (now < most && pageblock_mergeable(pageblock_type(h, k, f))) {
        uint64_t pages = order < PAGEBLOCK_ORDER ? PAGEBLOCK_PAGES : UINT64_C(1) << order;
        if (order < PAGEBLOCK_ORDER)
            pageblock_convert(h, k, z, f, MIGRATE_HIGHATOMIC);
        else
            pageblock_set(h, k, f, order, MIGRATE_HIGHATOMIC);
        set_reserved(h, z, now + pages);
        k_count(h, "highatomic.reserved", pages / PAGEBLOCK_PAGES);
    }
    zone_unlock(h, k, z, were_on);
}

/* The first block on a HIGHATOMIC list, smallest order first; frame 0: none. */
static frame first_reserved(struct hart *h, const struct kernel *k, const struct zone *z, unsigned *order)
{
    for (*order = 0; *order <= MAX_ORDER; ++*order) {
        paddr head = zone_list(z, *order, MIGRATE_HIGHATOMIC), first = list_next(h, head);
        k_compute(h, k->desc.costs.buddy_order);
        if (first.v != head.v)
            return page_of_node(k, first);
    }
    return (frame){ 0 };
}

bool highatomic_unreserve(struct hart *h, const struct kernel *k, const struct zone *z,
                          enum migratetype to, bool force)
{
    unsigned order;
    k_compute(h, k->desc.costs.highatomic_entry);
    if (reserved(h, z) <= (force ? 0 : PAGEBLOCK_PAGES))
        return false;
    bool were_on = zone_lock(h, k, z);
    frame f = first_reserved(h, k, z, &order);
    if (f.v != 0) {
        uint64_t pages = order < PAGEBLOCK_ORDER ? PAGEBLOCK_PAGES : UINT64_C(1) << order, now = reserved(h, z);
        release(h, k, z, f, order, to);
        set_reserved(h, z, now - (pages < now ? pages : now));
        k_count(h, "highatomic.released", pages / PAGEBLOCK_PAGES);
    }
    zone_unlock(h, k, z, were_on);
    return f.v != 0;
}
