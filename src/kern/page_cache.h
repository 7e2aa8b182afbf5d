/* src/kern/page_cache.h - pages of files that nobody needs at the moment: a zone's LRU list and what it takes to get such
 * pages back. The list, its lock and the state of every page are simulated memory.
 *
 * After mm/vmscan.c (v6.8: isolate_lru_folios, shrink_folio_list, move_folios_to_lru). Deviations: one list per zone (Linux:
 * per node since 4.8, active and inactive); pages enter without a per-CPU batch; who maps a page, and to which file
 * it belongs, is page_cache_cycles of work, not traffic; a disk that is always there: a page under write-back is
 * clean so many picoseconds later, however many others are.
 */
#ifndef LAB_KERN_PAGE_CACHE_H
#define LAB_KERN_PAGE_CACHE_H

#include "src/kern/page.h"

enum { PG_WRITEBACK = 1 << 1, PG_DIRTY = 1 << 4, PG_LRU = 1 << 5 };
/* At zone->lru: lock, then the list, newest first. One line. */
enum { LRU_LOCK = 0, LRU_LIST = 16, LRU_BYTES = 64 };
enum { SWAP_CLUSTER_MAX = 32 }; /* pages of one scan */

/* Frames of the zone that hold page cache at boot: its last ones, whole lines of struct pages; from here to the end. */
frame page_cache_first(const struct kernel_desc *, const struct zone *);
void page_cache_boot(const struct kernel *, const struct zone *, struct backdoor *);

/* A page in use, with one reference, whose owner gives it to the page cache. Not from an NMI. */
void page_cache_add(struct hart *, const struct kernel *, frame, bool dirty);

struct page_cache_scan {
    unsigned taken;          /* off the list's old end */
    unsigned freed;
    uint64_t writing_until;  /* ps; 0, or when the first of those under write-back will be clean */
};
/* One scan of up to SWAP_CLUSTER_MAX pages, recorded as class reclaim. Clean ones are freed; dirty ones are handed to
 * write-back, and these and those still under it go back to the list's new end. Task context; does not sleep. */
struct page_cache_scan page_cache_shrink(struct hart *, const struct kernel *, const struct zone *);

struct recount;
void page_cache_recount(struct recount *, const struct zone *);

#endif
