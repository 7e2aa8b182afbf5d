/* src/kern/watermark.h - watermark arithmetic: pure functions of numbers, no simulated time.
 *
 * Source: Linux mm/page_alloc.c (calculate_min_free_kbytes, __setup_per_zone_wmarks, __zone_watermark_ok,
 * gfp_to_alloc_flags, zone_batchsize, zone_highsize), v6.0 to v6.19, for one zone.
 */
#ifndef LAB_KERN_WATERMARK_H
#define LAB_KERN_WATERMARK_H

#include "src/kern/gfp.h"

#include <stddef.h>

struct watermarks {
    uint64_t min, low, high, promo; /* pages */
};

/* sqrt(16 x KiB of memory), clamped to 128 ... 262144 KiB. */
uint64_t watermark_min_free_kbytes(uint64_t memory_kbytes);
/* gap = max(min/4, managed x scale_factor / 10000); low, high, promo = min + 1, 2, 3 gaps. */
struct watermarks watermarks_compute(uint64_t managed_pages, uint64_t min_free_kbytes, unsigned scale_factor);
/* min(managed/1024, pages of 1 MiB)/4, at least 1, then round_down_pow2(1.5 b) - 1: 7, 15, 31, 63 for 128,
 * 256, 512 MiB, 1 GiB and above. At least 1 (Linux has 0 for the tiniest zones, and then treats it as 1). */
unsigned watermark_pcp_batch(uint64_t managed_pages);
/* low / harts, at least 4 batches. */
unsigned watermark_pcp_high(uint64_t low_pages, unsigned harts, unsigned batch);

/* Allocation flags, values of mm/internal.h. */
enum alloc_flag {
    ALLOC_WMARK_MIN = 0,
    ALLOC_WMARK_LOW = 1,
    ALLOC_WMARK_HIGH = 2,
    ALLOC_WMARK_MASK = 3,
    ALLOC_NO_WATERMARKS = 0x04,
    ALLOC_OOM = 0x08,
    ALLOC_NON_BLOCK = 0x10,
    ALLOC_MIN_RESERVE = 0x20
};
/* Flags of the slow path for a request: HIGH gives MIN_RESERVE; no direct reclaim and no NOMEMALLOC gives
 * NON_BLOCK; MEMALLOC without NOMEMALLOC ignores watermarks. */
unsigned watermark_alloc_flags(gfp_t);

/* What of `mark` counts for these flags: MIN_RESERVE takes off half, NON_BLOCK with it a quarter of the rest,
 * an OOM victim half of what is left. */
uint64_t watermark_effective(uint64_t mark, unsigned alloc_flags);

/* One decision, with all that went into it. */
struct watermark_check {
    uint64_t free_pages;     /* of the zone */
    uint64_t mark;           /* the watermark chosen by the flags */
    uint64_t lowmem_reserve; /* what must stay for lower zones */
    unsigned order, alloc_flags;
    bool has_block;          /* order > 0: a block of this order or larger is on a free list */
    /* answers */
    uint64_t unusable, effective;
    bool enough;             /* free - unusable > effective + lowmem_reserve */
    bool ok;
};
void watermark_decide(struct watermark_check *);
/* The decision as one line: the inequality with its numbers, and why it held or failed. Returns `text`. */
const char *watermark_explain(const struct watermark_check *, char *text, size_t size);

#endif
