/* src/kern/shootdown.h - TLB shootdown of one page: no TLB holds the translation when it returns.
 *
 * By interrupts, after kernel/smp.c and arch/x86/mm/tlb.c: for each hart that uses the space, a request block of
 * its own line, a bit in the target's queue, an IPI if the queue's word was empty; the target invalidates and
 * clears the block; the initiator waits for block after block. By broadcast where the machine has it.
 */
#ifndef LAB_KERN_SHOOTDOWN_H
#define LAB_KERN_SHOOTDOWN_H

#include "src/kern/kernel.h"

/* The page-table entry must have been cleared before. By interrupts it is an illegal operation with interrupts
 * off or in interrupt context: two such initiators would wait for each other forever. Records tlb.shootdown,
 * source ipi or broadcast. */
void shoot_down(struct hart *, const struct kernel *, uint16_t asid, vaddr);
/* The interrupt's handler (irq_fn; arg: struct kernel). */
void shootdown_interrupt(struct hart *, void *arg);

#endif
