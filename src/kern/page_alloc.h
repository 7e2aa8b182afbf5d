/* src/kern/page_alloc.h - alloc_pages and free_pages, as mm/page_alloc.c.
 *
 * Path: low watermark, per-CPU list (orders 0 to 3), else the zone's free lists; if the watermark refuses, the
 * slow path wakes kswapd (sets a flag word: there is no kswapd yet), and tries again at the min watermark
 * lowered as the flags allow. There is no reclaim: a request that may sleep is retried once and then fails.
 */
#ifndef LAB_KERN_PAGE_ALLOC_H
#define LAB_KERN_PAGE_ALLOC_H

#include "src/kern/page.h"

/* Why a request found no page, as its hart saw it. */
struct alloc_failure {
    gfp_t gfp;
    unsigned order;
    struct watermark_check check;     /* the last one that was made */
    const struct watermarks *marks;   /* of the zone */
    uint64_t managed_pages;
};
/* One line: request, zone state, and the inequality that failed. Returns `text`. */
const char *alloc_failure_explain(const struct alloc_failure *, char *text, size_t size);

/* 2^order frames, naturally aligned, or frame 0. Any context but NMI; flags with DIRECT_RECLAIM in atomic
 * context are an illegal operation even when memory abounds (might_alloc). Contents are undefined unless ZERO
 * or init_on_alloc. Records the class of the flags, by source. Orders above MAX_ORDER are illegal. */
frame alloc_pages(struct hart *, const struct kernel *, gfp_t, unsigned order);
/* Any context but NMI. Freeing what is not allocated is an illegal operation. Records class free. */
void free_pages(struct hart *, const struct kernel *, frame, unsigned order);

/* Free pages of the zone, as a reader without the lock sees them. */
uint64_t zone_free_pages(struct hart *, const struct kernel *);

#endif
