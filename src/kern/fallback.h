/* src/kern/fallback.h - how a request finds a block of another mobility (__rmqueue_fallback, since 6.15 __rmqueue_claim
 * and __rmqueue_steal of mm/page_alloc.c), and the HIGHATOMIC reserve.
 *
 * Order of types: UNMOVABLE from RECLAIMABLE, then MOVABLE; RECLAIMABLE from UNMOVABLE, then MOVABLE; MOVABLE from
 * RECLAIMABLE, then UNMOVABLE. A free block of a pageblock or more changes its type whole. Of a smaller one the whole
 * pageblock is claimed if at least half of it is free or of a compatible kind; that boosts the watermarks. Otherwise
 * only what the request needs is taken, and the rest keeps its type.
 */
#ifndef LAB_KERN_FALLBACK_H
#define LAB_KERN_FALLBACK_H

#include "src/kern/frames.h"

/* Under the zone lock, the request's own lists being empty. Frame 0: nothing that the flags allow. */
frame fallback_take(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *);
/* Under the zone lock, move_freepages_block: re-types the pageblock of f and moves its free blocks, none of which is larger than it. */
void pageblock_convert(struct hart *, const struct kernel *, const struct zone *, frame, enum migratetype to);

/* reserve_highatomic_pageblock: re-types the pageblock of a block just handed out, up to the limit
 * (watermark_highatomic_max). Takes the zone lock. */
void highatomic_reserve(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
/* unreserve_highatomic_pageblock for one zone: the first reserved pageblock with a free block becomes `to`. Leaves one
 * pageblock unless `force`. True if one was released. Takes the zone lock. */
bool highatomic_unreserve(struct hart *, const struct kernel *, const struct zone *, enum migratetype to, bool force);

#endif
