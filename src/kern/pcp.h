/* src/kern/pcp.h - per-CPU page lists of a zone for orders 0 to 3 and three mobilities, as struct per_cpu_pages of
 * mm/page_alloc.c (v6.0).
 *
 * A list is taken by trylock and never waited for: when an interrupt lands inside the owner's critical section,
 * or another hart drains the lists, the caller goes to the buddy lists instead. kernel_desc.pcp_locking says
 * whether interrupts are off while the lock is held. Left out: the list for huge pages, tuning of high (6.7).
 */
#ifndef LAB_KERN_PCP_H
#define LAB_KERN_PCP_H

#include "src/kern/frames.h"

enum pcp_answer {
    PCP_HIT,    /* *f is from the list */
    PCP_REFILL, /* *f is from the list, which was empty and was refilled from the zone */
    PCP_EMPTY,  /* nothing here, nothing in the zone */
    PCP_BUSY    /* lock refused */
};
enum pcp_answer pcp_alloc(struct hart *, const struct kernel *, const struct zone *, const struct frame_request *, frame *f);
/* False if the lock was refused: the caller frees to the buddy lists. */
bool pcp_free(struct hart *, const struct kernel *, const struct zone *, frame, unsigned order);
/* Moves the pages of every hart's lists to the zone, taking each list's lock in turn. Task context. */
void pcp_drain_zone(struct hart *, const struct kernel *, const struct zone *);
/* All zones. */
void pcp_drain_all(struct hart *, const struct kernel *);
/* Locking of 5.15: the owner's handler of a remote drain. */
enum { PCP_DRAIN_VECTOR = 2 };
irq_fn pcp_drain_interrupt;
void pcp_boot(const struct kernel *, const struct zone *, struct backdoor *);

static inline paddr pcp_list(paddr pcp, unsigned order, enum migratetype mt)
{
    return paddr_plus(pcp, PCP_LISTS + (order * MIGRATE_PCPTYPES + (unsigned)mt) * (uint64_t)LIST_BYTES);
}

#endif
