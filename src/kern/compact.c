/* src/kern/compact.c - direct compaction as a costed model.
 *
 * Linux moves movable pages together and so makes larger free blocks. Here pages in use cannot be moved: programs know
 * them by frame number. What is modelled is what the attempt costs and what it gathers: the scan of the struct pages of
 * up to kernel_desc.compact_pageblocks MOVABLE pageblocks of each zone, from the zone's start (isolate_migratepages), and
 * the return of the per-CPU lists to the zone (compact_zone drains them), whose pages may then merge. Contents are not
 * copied. So compaction here helps only where free pages lie on per-CPU lists, and never where memory is fragmented by
 * pages in use.
 */
#include "src/kern/pageblock.h"
#include "src/kern/reclaim.h"

static void scan_block(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t at, uint64_t end)
{
    if (end > z->end.v)
        end = z->end.v;
    for (at = at < z->first.v ? z->first.v : at; at < end;) {
        paddr page = page_word(k, (frame){ at }, 0);
        k_compute(h, k->desc.costs.compact_page);
        bool is_free = k_load_once(h, paddr_plus(page, PAGE_TYPE), 4) == PAGE_TYPE_BUDDY;
        /* buddy_order_unsafe: read without the lock, hence the test. */
        uint64_t order = is_free ? k_load_once(h, paddr_plus(page, PAGE_PRIVATE), 8) : 0;
        at += UINT64_C(1) << (order <= MAX_ORDER ? order : 0);
    }
}

static void compact_zone(struct hart *h, const struct kernel *k, const struct zone *z)
{
    unsigned left = k->desc.compact_pageblocks;
    for (uint64_t f = z->first.v & ~(uint64_t)(PAGEBLOCK_PAGES - 1); f < z->end.v && left != 0; f += PAGEBLOCK_PAGES) {
        frame inside = { f < z->first.v ? z->first.v : f };
        if (k->frames == &frames_buddy && pageblock_type(h, k, inside) != MIGRATE_MOVABLE)
            continue;
        scan_block(h, k, z, f, f + PAGEBLOCK_PAGES);
        left--;
    }
    if (k->frames->drain != NULL)
        k->frames->drain(h, k, z);
}

bool compact_direct(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    if (c->why.order == 0)
        return false;
    k_might_sleep(h, "alloc_pages: direct compaction");
    k_compute(h, k->desc.costs.compact_entry);
    k_count(h, "compact.direct", 1);
    for (unsigned i = c->first; i < c->end; i++) {
        const struct zone *z = zonelist_zone(h, k, c, i);
        if (z != NULL)
            compact_zone(h, k, z);
    }
    return true;
}
