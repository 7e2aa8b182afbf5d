/* src/kern/costs.h - instruction work of kernel code between its memory accesses: the only table of such
 * numbers, so that calibration touches one place.
 *
 * Every entry is a count of core cycles for k_compute, estimated from the instructions of the named Linux
 * path (v6.0, x86-64, no debugging options) at two instructions per cycle; loads, stores and atomics are not
 * in it, they are simulated. In the loops of the bulk and buddy paths an entry is only what those do not hide: a
 * real core overlaps a loop's arithmetic with its loads, of which our in-order hart bills each in full.
 * No entry is the latency of an allocation, a lock or an invalidation.
 * Within what such an estimate leaves open, alloc_entry, free_entry and pcp_put are chosen so that the one-core rows hold
 * which the machine files claim as fitted.
 */
#ifndef LAB_KERN_COSTS_H
#define LAB_KERN_COSTS_H

#include <stdint.h>

/* X(name, cycles, path) */
#define KERN_COST_LIST(X) \
    X(alloc_entry, 17, "call, prepare_alloc_pages: flags to zone list, its first entry, allocation flags, might_alloc") \
    X(watermark_check, 8, "zone_watermark_fast: mark selection, subtractions, comparison") \
    X(watermark_order, 2, "one turn over the free areas for order > 0") \
    X(pcp_entry, 10, "rmqueue_pcplist: per-CPU base, list index, call and return") \
    X(irq_off, 12, "local_irq_save and local_irq_restore: pushf, pop, cli; test, sti (no popf since 5.12; cli and sti alone are 7 cycles in page_bench's notes)") \
    X(pcp_take, 6, "__rmqueue_pcplist: list head test, removal, count") \
    X(pcp_put, 5, "free_unref_page_commit: list insertion, count, comparison with high") \
    X(pcp_bulk_entry, 12, "free_pcppages_bulk or rmqueue_bulk: prologue, batch arithmetic") \
    X(pcp_bulk_page, 1, "the same, per page: loop, list choice, prefetchable address arithmetic") \
    X(buddy_order, 1, "__rmqueue_smallest: one turn over the orders") \
    X(buddy_take, 1, "del_page_from_free_list: address to frame, flag words") \
    X(buddy_split, 2, "expand: one halving") \
    X(buddy_merge, 1, "__free_one_page: one buddy address, its tests, the combined frame") \
    X(buddy_put, 1, "__free_one_page: where to insert, frame to address") \
    X(pageblock_type, 1, "get_pfnblock_migratetype: section, word and shift") \
    X(pageblock_page, 3, "prep_move_freepages_block, move_freepages_block: one struct page") \
    X(highatomic_entry, 6, "reserve_highatomic_pageblock, unreserve_highatomic_pageblock: limit arithmetic") \
    X(zone_next, 4, "get_page_from_freelist: one turn over the zonelist: zone index, node, flag tests") \
    X(reclaim_entry, 80, "try_to_free_pages, shrink_zones: scan control, zone loop prologue") \
    X(reclaim_page, 60, "shrink_folio_list: tests of one page: mapped, referenced, evictable, private data") \
    X(lru_page, 6, "lruvec_add_folio, isolate_lru_folios: zone, counters, one page on or off the list") \
    X(wake_up, 250, "wakeup_kswapd, try_to_wake_up: choice of the CPU, run queue") \
    X(compact_entry, 90, "try_to_compact_pages, compact_zone: suitability, scanner positions") \
    X(compact_page, 8, "isolate_migratepages_block: tests of one struct page") \
    X(prep_page, 12, "post_alloc_hook, prep_new_page: flag tests, statistics arithmetic") \
    X(alloc_exit, 6, "epilogue and return") \
    X(slow_entry, 60, "__alloc_pages_slowpath: gfp_to_alloc_flags, zone list restart, retry loop prologue") \
    X(slow_retry, 40, "the same: one more round") \
    X(alloc_fail, 120, "warn_alloc up to the rate limit, without console output") \
    X(free_entry, 6, "__free_pages, free_unref_page_prepare: tests of flags and mapping, frame arithmetic") \
    X(free_exit, 5, "epilogue and return") \
    X(lock_call, 3, "call of the out-of-line lock slow path") \
    X(zero_entry, 6, "clear_page: call, count and address set-up, start of the string instruction") \
    X(pte_level, 4, "one level of a table walk: index, mask, present test") \
    X(table_setup, 30, "page-table page constructor, without clearing (pool pages are zero)") \
    X(unmap_entry, 25, "rmap walk for one mapping: lock choice, address arithmetic") \
    X(shootdown_entry, 35, "flush_tlb_mm_range: flush info, CPU mask tests") \
    X(shootdown_target, 8, "smp_call_function_many: one turn over the CPU mask") \
    X(shootdown_handler, 25, "call-function interrupt: queue walk, flush_tlb_func tests") \
    X(dma_entry, 40, "iommu_map / iommu_unmap: domain operations, page-size choice") \
    X(qi_entry, 25, "qi_submit_sync: slot arithmetic, descriptor assembly") \
    X(qi_poll, 6, "qi_submit_sync: one poll round around the status word") \
    X(sleep_switch, 700, "io_schedule: queue on the hashed wait queue, schedule away and back after the wake-up; kswapd's, too") \
    X(llfree_call, 12, "llfree: word of the hart, row and order arithmetic, call and return") \
    X(llfree_edit, 6, "llfree: one turn of a compare-and-swap loop: test, new value, search in a word of bits") \
    X(llfree_tree, 4, "llfree: one turn over the trees") \
    X(freelist_run, 4, "freelist: one turn over the runs: alignment, end, comparison") \
    X(freelist_edit, 8, "freelist: splitting a run or joining neighbours") \
    X(bitmap_word, 5, "bitmap: one turn over the words: mask tests") \
    X(bitmap_edit, 6, "bitmap: bit number to frame, hint") \
    X(grant_entry, 10, "argument checks of the grant") \
    X(grant_step, 4, "one step of the grant: test whether its part is selected, call")

struct kern_costs {
#define X(name, cycles, path) uint64_t name;
    KERN_COST_LIST(X)
#undef X
};

static inline struct kern_costs kern_costs_default(void)
{
    return (struct kern_costs){
#define X(name, cycles, path) .name = cycles,
        KERN_COST_LIST(X)
#undef X
    };
}

#endif
