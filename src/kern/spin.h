/* src/kern/spin.h - spin locks: test-and-set, ticket, queued, behind one interface chosen by kernel_desc.locks.
 *
 * A lock is 4 bytes of simulated memory, 8-byte aligned, 0 when free under every kind. Taking one disables
 * preemption until the unlock. Not recursive. Legal in every context but NMI; a lock that interrupt handlers
 * take too must be taken with _irqsave everywhere else.
 * Sources: ticket, Linux before 4.2; queued, kernel/locking/qspinlock.c (a pending bit, then an MCS queue of
 * one node per hart and context).
 */
#ifndef LAB_KERN_SPIN_H
#define LAB_KERN_SPIN_H

#include "src/kern/kernel.h"

/* Records lock.acquire, source trylock (free at the first try) or contended. */
void spin_lock(struct hart *, const struct kernel *, paddr lock);
/* Never waits and is not recorded: a refused try acquires nothing. */
bool spin_trylock(struct hart *, const struct kernel *, paddr lock);
void spin_unlock(struct hart *, const struct kernel *, paddr lock);
/* Interrupts off, then spin_lock; returns what spin_unlock_irqrestore wants. */
bool spin_lock_irqsave(struct hart *, const struct kernel *, paddr lock);
void spin_unlock_irqrestore(struct hart *, const struct kernel *, paddr lock, bool were_on);
/* spin_lock without a record, for locks dropped and retaken inside a poll loop. */
void spin_relock(struct hart *, const struct kernel *, paddr lock);

#endif
