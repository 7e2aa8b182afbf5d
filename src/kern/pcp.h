/* src/kern/pcp.h - per-CPU page lists of a zone for orders 0 to 3 and three mobilities and for whole pageblocks, as
 * struct per_cpu_pages of mm/page_alloc.c (v6.0, with CONFIG_TRANSPARENT_HUGEPAGE).
 *
 * A list is taken by trylock and never waited for: when an interrupt lands inside the owner's critical section,
 * or another hart drains the lists, the caller goes to the buddy lists instead. kernel_desc.pcp_locking says
 * whether interrupts are off while the lock is held. With pcp_tuning high
 * follows demand as in v6.8 (pcp_tune.c).
 */
#ifndef LAB_KERN_PCP_H
#define LAB_KERN_PCP_H

#include "src/kern/frames.h"
#include "src/kern/version.h"

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

static inline bool pcp_allowed_order(unsigned order) { return order < PCP_ORDERS || order == PAGEBLOCK_ORDER; }

/* order_to_pindex, pindex_to_order. Whole pageblocks share one list, since 6.10 the movable ones have their own. */
static inline unsigned pcp_index(const struct kernel *k, unsigned order, enum migratetype mt)
{
    if (order >= PCP_ORDERS)
        return PCP_LOW_LISTS + (k->rules->pcp_thp_by_type && mt == MIGRATE_MOVABLE);
    return order * MIGRATE_PCPTYPES + (unsigned)mt;
}
static inline unsigned pcp_index_order(unsigned index)
{
    return index < PCP_LOW_LISTS ? index / MIGRATE_PCPTYPES : PAGEBLOCK_ORDER;
}
static inline unsigned pcp_list_count(const struct kernel *k) { return PCP_LOW_LISTS + (k->rules->pcp_thp_by_type ? 2 : 1); }
static inline paddr pcp_list(paddr pcp, unsigned index) { return paddr_plus(pcp, PCP_LISTS + index * (uint64_t)LIST_BYTES); }

/* The owner's vmstat work (decay_pcp_high): with tuning, high sinks by an eighth towards its least, and what the list has above
 * it goes back, a few batches at most. Any context but NMI; refused if the list is locked. Pages that went back. */
uint64_t pcp_decay(struct hart *, const struct kernel *, const struct zone *);

/* ---- pcp_tune.c: sizes; the list's lock is held */

static inline uint64_t pcp_get(struct hart *h, paddr pcp, unsigned field) { return k_load(h, paddr_plus(pcp, field), 4); }
static inline void pcp_set(struct hart *h, paddr pcp, unsigned field, uint64_t value) { k_store(h, paddr_plus(pcp, field), 4, value); }
/* nr_pcp_alloc: blocks for a refill. */
uint64_t pcp_tuned_refill(struct hart *, const struct kernel *, const struct zone *, paddr pcp, unsigned order);
/* free_unref_page_commit after the block of this order is on its list, which now has `count` pages: pages to give back,
 * or 0. */
uint64_t pcp_tuned_excess(struct hart *, const struct kernel *, const struct zone *, paddr pcp, unsigned order, uint64_t count);
/* The new high of decay_pcp_high. */
uint64_t pcp_tuned_decay(struct hart *, const struct zone *, paddr pcp, uint64_t count);
/* Lists are kept short while kswapd works on their zone (v5.14, c49c2c47dab6). */
uint64_t pcp_high_now(struct hart *, const struct zone *, uint64_t high, uint64_t batch);

#endif
