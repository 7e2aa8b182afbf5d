/* src/kern/check.h - recount of every frame at rest, by the back door. For tests and the end of a run. */
#ifndef LAB_KERN_CHECK_H
#define LAB_KERN_CHECK_H

#include "src/kern/kernel.h"

struct held_block {
    frame f;
    unsigned order;
};

/* No hart may be inside the allocator. Free lists, per-CPU lists and the blocks that callers hold must cover
 * every managed frame exactly once; counters must agree with lists; no two free buddies may stand unmerged;
 * if nothing is held, and the per-CPU lists are empty, the lists must be as at boot. NULL, or the first lie,
 * written to `text`. `held` may be NULL with held_count 0. */
const char *kern_check(const struct kernel *, struct backdoor *, const struct held_block *held, size_t held_count,
                       char *text, size_t size);

#endif
