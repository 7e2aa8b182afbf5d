/* src/kern/buddy.h - the zone's free lists: blocks of 2^order frames, orders 0 to 10, split and merged as in
 * mm/page_alloc.c. One zone lock guards lists, block counts, the free page count, and lru, private and type of
 * the struct pages on the lists. All functions run in any context but NMI.
 */
#ifndef LAB_KERN_BUDDY_H
#define LAB_KERN_BUDDY_H

#include "src/kern/page.h"

/* Takes and drops the zone lock with interrupts off. The marked one moves the cursor of the open request to
 * zone_wait and zone_hold. */
bool zone_lock(struct hart *, const struct kernel *);
bool zone_lock_marked(struct hart *, const struct kernel *);
void zone_unlock(struct hart *, const struct kernel *, bool were_on);

/* Under the zone lock. Frame 0: no block of this order or larger. Lists and block counts only: the caller
 * accounts the free pages (once per batch) by zone_add_free. */
frame buddy_take(struct hart *, const struct kernel *, unsigned order);
void buddy_put(struct hart *, const struct kernel *, frame, unsigned order);
void zone_add_free(struct hart *, const struct kernel *, int64_t pages);

/* One block with the lock around it, marked: inside a request only. */
frame buddy_alloc(struct hart *, const struct kernel *, unsigned order);
void buddy_free(struct hart *, const struct kernel *, frame, unsigned order);

#endif
