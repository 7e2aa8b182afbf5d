/* src/kern/zero_policy.h - when pages are cleared: on demand, when freed, or ahead of time into a pool.
 *
 * A page counts as zero only if nobody could have written to it since it was cleared. A page here may be freed while
 * users or a device still have it mapped: cleared at its free it would not stay so, and does not count. Whoever fills
 * the pool revokes such mappings first, as a grant does, then clears, then fences. Order after A38 of the speculation
 * rules: invalidate old mappings, zero, fence, publish (Documentation/staging/speculation.rst says why a clear alone
 * orders nothing).
 * Sources: init_on_free, 6471384af2a6 (5.3); a pool of zeroed pages filled by an idle thread: Windows' zero-page
 * thread; FreeBSD's vm_page_zero_idle (until 10).
 */
#ifndef LAB_KERN_ZERO_POLICY_H
#define LAB_KERN_ZERO_POLICY_H

#include "src/kern/kernel.h"

/* One pool per node, of single pages: a lock, a count, a list. All zero at boot but the list head. */
void zero_pool_boot(const struct kernel *, struct backdoor *);

/* A page known to be zero, reference count 1, or frame 0. Any context but NMI. */
frame zero_pool_take(struct hart *, const struct kernel *, const struct mem_node *);
/* Allocates a page, revokes its mappings, clears it and puts it into the pool of this hart's node. False: the pool has
 * its level, or there was no page (GFP_NOWAIT). Task context, interrupts on: it may wait for a shootdown. */
bool zero_pool_fill(struct hart *, const struct kernel *);

/* Under ZERO_POLICY_ON_FREE: clears a block that is being freed, and marks for each page whether it will stay zero. */
void zero_on_free(struct hart *, const struct kernel *, frame, unsigned order);
/* Has every page of a block just taken been zero since it was freed? */
bool zero_known(struct hart *, const struct kernel *, frame, unsigned order);

struct recount;
/* Pages of this zone that are in its node's pool; the pool's count. */
void zero_pool_recount(struct recount *, const struct zone *);

#endif
