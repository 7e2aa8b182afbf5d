/* src/kern/slowpath.h - what alloc_pages does when no zone is above its low watermark (__alloc_pages_slowpath). */
#ifndef LAB_KERN_SLOWPATH_H
#define LAB_KERN_SLOWPATH_H

#include "src/kern/alloc_context.h"

/* In this order: wake kswapd; the lists again, at min lowered as the flags allow; who may wait and wants a costly or
 * unmovable high order: compaction; then in rounds: kswapd again, the lists (without watermarks if entitled); who may not
 * wait stops here; direct reclaim, after which HIGHATOMIC pageblocks are released and all per-CPU lists drained before
 * the last try; compaction; rounds as long as there is hope; the last of HIGHATOMIC; OOM. Frame 0: failed; c->why says
 * why, and c->source is FAIL. NOFAIL never fails: it sleeps and tries again. */
frame alloc_slow(struct hart *, const struct kernel *, struct alloc_context *);

#endif
