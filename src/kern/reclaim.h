/* src/kern/reclaim.h - getting pages back for those who may wait: the calls that the slow path makes. */
#ifndef LAB_KERN_RECLAIM_H
#define LAB_KERN_RECLAIM_H

#include "src/kern/alloc_context.h"

/* __perform_reclaim: pages freed. Task context, may sleep. Only pages counted as reclaimable by their zone
 * (ZONE_AT_RECLAIMABLE) can be reclaimed; while nobody keeps any, the answer is 0. */
uint64_t reclaim_direct(struct hart *, const struct kernel *, const struct alloc_context *);
/* zone_reclaimable_pages, read without locks. */
uint64_t zone_reclaimable(struct hart *, const struct zone *);
/* __alloc_pages_may_oom: kills somebody whose pages come free. True if so: it is worth trying again. */
bool out_of_memory(struct hart *, const struct kernel *, const struct alloc_context *);
/* __alloc_pages_direct_compact: see compact.c for what the model does and does not do. True if a block of the order
 * may have come about. Task context, may sleep. */
bool compact_direct(struct hart *, const struct kernel *, const struct alloc_context *);

#endif
