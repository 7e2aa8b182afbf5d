/* src/kern/watermark.h - watermark arithmetic: pure functions of numbers, no simulated time.
 *
 * Source: Linux mm/page_alloc.c (calculate_min_free_kbytes, __setup_per_zone_wmarks, setup_per_zone_lowmem_reserve,
 * boost_watermark, __zone_watermark_ok, gfp_to_alloc_flags, zone_batchsize, zone_highsize), v5.15 to v6.19.
 */
#ifndef LAB_KERN_WATERMARK_H
#define LAB_KERN_WATERMARK_H

#include "src/kern/gfp.h"

struct watermarks {
    uint64_t min, low, high, promo; /* pages */
};

/* sqrt(16 x KiB of memory), clamped to 128 ... 262144 KiB. */
uint64_t watermark_min_free_kbytes(uint64_t memory_kbytes);
/* One zone of `managed` pages in a machine with `lowmem_pages` managed outside MOVABLE: its share of min_free_kbytes is
 * tmp = min_free x managed / lowmem; min = tmp, of MOVABLE managed/1024 clamped to 32 ... 128 pages;
 * gap = max(tmp/4, managed x scale_factor / 10000); low, high, promo = min + 1, 2, 3 gaps. */
struct watermarks watermarks_compute(uint64_t managed_pages, uint64_t lowmem_pages, bool movable, uint64_t min_free_kbytes,
                                     unsigned scale_factor);
/* What requests that would have preferred a higher zone must leave: managed pages of the zones between, `upper_pages`,
 * over ratio; ratio 0: nothing. */
uint64_t watermark_lowmem_reserve(uint64_t upper_pages, unsigned ratio);
/* Boost after a fallback that mixes mobilities: a pageblock more, up to factor/10000 of high, at least one pageblock.
 * Factor 0, or a zone of at most 4 pageblocks: unchanged. */
uint64_t watermark_boosted(uint64_t boost, uint64_t high, uint64_t managed_pages, unsigned factor);
/* nr_reserved_highatomic is at most this, pages. */
uint64_t watermark_highatomic_max(const struct kernel_rules *, uint64_t managed_pages);

/* min(managed/1024, pages of 1 MiB)/4, at least 1, then round_down_pow2(1.5 b) - 1: 7, 15, 31, 63 for 128,
 * 256, 512 MiB, 1 GiB and above. At least 1 (Linux has 0 for the tiniest zones, and then treats it as 1). */
unsigned watermark_pcp_batch(uint64_t managed_pages);
/* low / harts of the node, at least 4 batches. */
unsigned watermark_pcp_high(uint64_t low_pages, unsigned harts, unsigned batch);
/* What tuning may raise high to: an eighth of the zone over the harts of the node, at least 4 batches. */
unsigned watermark_pcp_high_max(uint64_t managed_pages, unsigned harts, unsigned batch);

/* Allocation flags, values of mm/internal.h (v6.8). */
enum alloc_flag {
    ALLOC_WMARK_MIN = 0,
    ALLOC_WMARK_LOW = 1,
    ALLOC_WMARK_HIGH = 2,
    ALLOC_WMARK_MASK = 3,
    ALLOC_NO_WATERMARKS = 0x04,
    ALLOC_OOM = 0x08,
    ALLOC_NON_BLOCK = 0x10,     /* ALLOC_HARDER until 6.2 */
    ALLOC_MIN_RESERVE = 0x20,   /* ALLOC_HIGH until 6.2 */
    ALLOC_CPUSET = 0x40,        /* cpusets are not modelled: told, never acted upon */
    ALLOC_NOFRAGMENT = 0x100,
    ALLOC_HIGHATOMIC = 0x200,
    ALLOC_KSWAPD = 0x800
};
/* Flags of the slow path for a request, as gfp_to_alloc_flags: HIGH gives MIN_RESERVE; no direct reclaim and no
 * NOMEMALLOC gives NON_BLOCK, and HIGHATOMIC for orders above 0 (as the version rules); MEMALLOC without NOMEMALLOC
 * ignores watermarks. Until 6.2 it is __GFP_ATOMIC without NOMEMALLOC that gives NON_BLOCK. */
unsigned watermark_alloc_flags(const struct kernel_rules *, gfp_t, unsigned order);
/* "WMARK_MIN|NON_BLOCK|MIN_RESERVE" with the names of the version. Returns `text`. */
const char *alloc_flags_text(const struct kernel_rules *, unsigned alloc_flags, char *text, size_t size);

/* What of `mark` counts for these flags: MIN_RESERVE takes off half, NON_BLOCK with it a quarter of the rest,
 * an OOM victim half of what is left. Until 6.2: half for HIGH, then half for a victim or else a quarter for HARDER,
 * each without the other. */
uint64_t watermark_effective(const struct kernel_rules *, uint64_t mark, unsigned alloc_flags);

/* One decision, with all that went into it. */
struct watermark_check {
    const struct kernel_rules *rules;
    uint64_t free_pages;     /* of the zone */
    uint64_t mark;           /* the watermark chosen by the flags, without boost */
    uint64_t boost;          /* added to it */
    uint64_t lowmem_reserve; /* what must stay for lower zones' own requests */
    uint64_t highatomic;     /* nr_reserved_highatomic of the zone, pages */
    unsigned order, alloc_flags;
    bool has_block;          /* order > 0: a block of this order or larger is on a free list */
    /* answers */
    bool boost_ignored;      /* order 0 with MIN_RESERVE at min: the boost is left out if only that helps */
    uint64_t unusable, effective;
    bool enough;             /* free - unusable > effective + lowmem_reserve */
    bool ok;
};
void watermark_decide(struct watermark_check *);
/* The decision as one line: the inequality with its numbers, and why it held or failed. Returns `text`. */
const char *watermark_explain(const struct watermark_check *, char *text, size_t size);

#endif
