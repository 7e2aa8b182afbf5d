/* src/kern/page_alloc.h - alloc_pages and free_pages, as mm/page_alloc.c.
 *
 * Path: every zone of the node's zonelist in turn, from the highest that the flags allow: low watermark, then the frame
 * allocator (frames.h). If all refuse, the slow path (slowpath.h).
 */
#ifndef LAB_KERN_PAGE_ALLOC_H
#define LAB_KERN_PAGE_ALLOC_H

#include "src/kern/page.h"

/* Why a request found no page, as its hart saw it. */
struct alloc_failure {
    const struct kernel *k;
    gfp_t gfp;
    unsigned order;
    enum migratetype mt;
    unsigned rounds;                 /* of the slow path */
    unsigned tried_count;
    struct alloc_try {               /* per zone, in fallback order: the last check that was made */
        const struct zone *z;
        struct watermark_check check;
    } tried[ZONES_MAX];
};
/* The first line has the request, as warn_alloc prints it; then one line for each zone: its state and the inequality that
 * failed. No newline at the end. Returns `text`. */
const char *alloc_failure_explain(const struct alloc_failure *, char *text, size_t size);

/* 2^order frames, naturally aligned, or frame 0. Any context but NMI; flags with DIRECT_RECLAIM in atomic
 * context are an illegal operation even when memory abounds (might_alloc), so are contradictory ones. Contents are
 * undefined unless ZERO or init_on_alloc. Records the class of the flags, by source. Orders above MAX_ORDER are illegal. */
frame alloc_pages(struct hart *, const struct kernel *, gfp_t, unsigned order);
/* The same from the memory of another node first. */
frame alloc_pages_node(struct hart *, const struct kernel *, unsigned node, gfp_t, unsigned order);
/* One page for a caller who will clear it himself: *zeroed says that he need not (zero_policy.h). */
frame alloc_page_to_clear(struct hart *, const struct kernel *, gfp_t, bool *zeroed);
/* Any context but NMI. Freeing what is not allocated is an illegal operation. Records class free. */
void free_pages(struct hart *, const struct kernel *, frame, unsigned order);

/* The part of it after the last reference has gone; inside an open request. Says where the block went. */
enum source_id free_unreferenced(struct hart *, const struct kernel *, frame, unsigned order);

/* Free pages of the zone as the watermark checks see them. */
uint64_t zone_free_pages(struct hart *, const struct kernel *, const struct zone *);

/* gfp_migratetype. */
enum migratetype gfp_migratetype(gfp_t);

#endif
