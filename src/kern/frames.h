/* src/kern/frames.h - what a frame allocator must offer for one zone. Zones, watermarks, allocation flags, fallback
 * between zones, reclaim, refcounts, zeroing and accounting are common to all (page_alloc.h): the allocator only finds,
 * keeps and gives back naturally aligned blocks of 2^order frames, orders 0 to MAX_ORDER.
 *
 * Implementations: `buddy` (free lists by order and migrate type, per-CPU lists in front), `llfree`, `freelist`, `bitmap`. Everything that changes lies
 * in simulated memory: the words of struct zone (zone.h), struct pages (page.h: lru, private and type are free for use
 * while a frame is free), or zone->own.
 */
#ifndef LAB_KERN_FRAMES_H
#define LAB_KERN_FRAMES_H

#include "src/kern/kernel.h"

struct frame_request {
    unsigned order;              /* 0 to MAX_ORDER */
    enum migratetype mt;         /* below MIGRATE_PCPTYPES; a hint: allocators without mobility ignore it */
    unsigned alloc_flags;        /* enum alloc_flag; of use: HIGHATOMIC, NON_BLOCK, OOM, NOFRAGMENT */
};

struct recount; /* check.h */

struct frame_allocator {
    const char *name, *help;
    /* Page-aligned simulated memory needed per zone, in bytes, for `pages` frames; NULL: none. Pure. */
    uint64_t (*own_bytes)(const struct kernel_desc *, uint64_t pages);
    /* Writes the state in which every frame of the zone before cache_first is free, and the others are in use (struct zone's words for marks, reserves and
     * NR_FREE_PAGES are written already; lists are empty). Must not touch memory in proportion to the zone beyond
     * 1 KiB per 4 MiB: large parts as images (backdoor_image; at most two per zone, the argument being the zone). */
    void (*boot)(struct kernel *, struct zone *, struct backdoor *);
    /* A block, or frame 0. Any context but NMI, interrupts on or off; from inside an open request: marks phases
     * (PH_PCP, PH_ZONE_WAIT, PH_ZONE_HOLD) and says in *source where it was found (untouched if not found). */
    frame (*take)(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *,
                  enum source_id *source);
    /* The way back, by any hart; same contexts. Says where it went. The block was taken whole with this order. */
    enum source_id (*put)(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
    /* Free frames as a reader without locks sees them (the watermark checks' NR_FREE_PAGES): what take could hand out
     * to any hart; frames in per-CPU caches do not count. */
    uint64_t (*free_pages)(struct hart *, const struct kernel *, const struct zone *);
    /* Order > 0: is a block of this order or larger on a list that the request may use? Without locks. */
    bool (*has_block)(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *);
    /* Takes back what per-CPU caches of all harts hold of this zone. Task context. NULL: there are none. */
    void (*drain)(struct hart *, const struct kernel *, const struct zone *);
    /* HIGHATOMIC: keep the pageblock of a block just handed out; give one reserved block back (true if one was),
     * `force`: even the last one. NULL: no such reserve. */
    void (*reserve)(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
    bool (*unreserve)(struct hart *, const struct kernel *, const struct zone *, enum migratetype to, bool force);
    /* At rest, by the back door: reports every free block once, per-CPU caches included (recount_see), and every
     * disagreement between counters and lists (recount_lie). */
    void (*recount)(struct recount *, const struct zone *);
};

extern const struct frame_allocator frames_buddy, frames_llfree, frames_freelist, frames_bitmap;
/* In the order of enum allocator_kind (kernel.h). */
extern const struct frame_allocator *const frame_allocators[ALLOCATOR_KINDS];

#endif
