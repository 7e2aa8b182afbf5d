/* src/kern/frames.c - the frame allocators there are, and the first of them: buddy lists behind per-CPU lists. */
#include "src/kern/frames.h"

#include "src/kern/buddy.h"
#include "src/kern/check.h"
#include "src/kern/fallback.h"
#include "src/kern/pageblock.h"
#include "src/kern/pcp.h"

static void boot(struct kernel *k, struct zone *z, struct backdoor *b)
{
    if (z->index == 0 || k->zones[z->index - 1].node != z->node)
        pageblock_boot(k, &k->nodes[z->node], b);
    buddy_boot(k, z, b);
    pcp_boot(k, z, b);
}

static frame take(struct hart *h, const struct kernel *k, const struct zone *z,
                  const struct frame_request *r, enum source_id *source)
{
    frame f = { 0 };
    if (pcp_allowed_order(r->order)) {
        enum pcp_answer answer = pcp_alloc(h, k, z, r, &f);
        if (answer == PCP_HIT || answer == PCP_REFILL) {
            *source = answer == PCP_HIT ? SOURCE_PCP : SOURCE_REFILL;
            return f;
        }
    }
    return buddy_alloc(h, k, z, r, source);
}

static enum source_id put(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    if (pcp_allowed_order(order) && pcp_free(h, k, z, f, order))
        return SOURCE_PCP;
    buddy_free(h, k, z, f, order);
    return SOURCE_BUDDY;
}

static uint64_t free_pages_of(struct hart *h, const struct kernel *k, const struct zone *z)
{
    (void)k;
    return k_load_once(h, zone_word(z, ZONE_AT_FREE), 8);
}

/* The loop of __zone_watermark_ok over the free areas. */
static bool has_block(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *r)
{
    unsigned types = (r->alloc_flags & (ALLOC_HIGHATOMIC | ALLOC_OOM)) != 0 ? MIGRATETYPES : MIGRATE_PCPTYPES;
    for (unsigned o = r->order; o <= MAX_ORDER; o++) {
        k_compute(h, k->desc.costs.watermark_order);
        if (k_load_once(h, paddr_plus(zone_area(z, o), AREA_COUNT), 8) == 0)
            continue;
        for (unsigned mt = 0; mt < types; mt++) {
            paddr head = zone_list(z, o, (enum migratetype)mt);
            if (k_load_once(h, paddr_plus(head, LIST_NEXT), 8) != head.v)
                return true;
        }
    }
    return false;
}

const struct frame_allocator frames_buddy = {
    .name = "buddy",
    .help = "the buddy system of Linux: free lists by order and mobility under a zone lock, per-CPU lists in front",
    .boot = boot,
    .take = take,
    .put = put,
    .free_pages = free_pages_of,
    .has_block = has_block,
    .drain = pcp_drain_zone,
    .reserve = highatomic_reserve,
    .unreserve = highatomic_unreserve,
    .recount = buddy_recount,
};

const struct frame_allocator *const frame_allocators[ALLOCATOR_KINDS] = {
    [ALLOCATOR_BUDDY] = &frames_buddy,
    [ALLOCATOR_LLFREE] = &frames_llfree,
    [ALLOCATOR_FREELIST] = &frames_freelist,
    [ALLOCATOR_BITMAP] = &frames_bitmap,
};
