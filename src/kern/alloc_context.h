/* src/kern/alloc_context.h - one allocation under way (struct alloc_context of mm/internal.h), shared by the fast and the
 * slow path. Lives on the caller's stack. */
#ifndef LAB_KERN_ALLOC_CONTEXT_H
#define LAB_KERN_ALLOC_CONTEXT_H

#include "src/kern/frames.h"
#include "src/kern/page_alloc.h"

struct alloc_context {
    enum zone_id highest;            /* zone that the flags prefer */
    const struct mem_node *node;
    unsigned first, end;             /* the part of its zonelist to walk: [first, end) */
    enum source_id source;
    struct alloc_failure why;        /* gfp, order, mt; tried[] is filled by every walk */
};

/* get_page_from_freelist: the first zone that passes its watermark and has a block. Frame 0: none. */
frame zonelist_take(struct hart *, const struct kernel *, struct alloc_context *, unsigned alloc_flags);
/* Zone at place i of the walk, read from the zonelist in simulated memory; NULL: not allowed for the request. */
const struct zone *zonelist_zone(struct hart *, const struct kernel *, const struct alloc_context *, unsigned i);
/* wakeup_kswapd for every node of the walk: sets the node's flag if it is clear. */
void wake_kswapds(struct hart *, const struct kernel *, const struct alloc_context *);
/* The check for one zone with free pages as they are now, and `extra` more. */
bool zone_watermark_ok(struct hart *, const struct kernel *, const struct zone *, const struct alloc_context *,
                       unsigned alloc_flags, uint64_t extra, struct watermark_check *);

#endif
