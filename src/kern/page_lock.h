/* src/kern/page_lock.h - the page lock: bit PG_LOCKED of a struct page's flags, as mm/filemap.c.
 *
 * Deviation: there is one task per hart and no scheduler, so a sleeping waiter is charged the switch away and
 * back (costs.sleep_switch) and wakes when the flag word changes; the hashed wait queues are not modelled, and
 * unlock always lets waiters compete (no hand-off after five steals).
 */
#ifndef LAB_KERN_PAGE_LOCK_H
#define LAB_KERN_PAGE_LOCK_H

#include "src/kern/page.h"

/* Any context. Not recorded. */
bool trylock_page(struct hart *, const struct kernel *, frame);
/* Task context only (illegal operation in atomic context). Records lock.acquire. */
void lock_page(struct hart *, const struct kernel *, frame);
/* Any context: spins. Deadlocks if the interrupted code of the same hart holds it. Records lock.acquire. */
void spin_lock_page(struct hart *, const struct kernel *, frame);
void unlock_page(struct hart *, const struct kernel *, frame);

#endif
