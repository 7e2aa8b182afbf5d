/* src/kern/reclaim.h - getting pages back for those who may wait: the calls that the slow path makes, and kswapd.
 *
 * What can be reclaimed is page cache (page_cache.h). After mm/vmscan.c and mm/oom_kill.c, v6.8. Deviations: no scan
 * priorities (a caller scans until it has what it wants, each page once); kswapd sleeps when all zones of its node that
 * have page cache are at high, boost included (Linux: when one that the waker could use is); kswapd of a node has a
 * hart to itself, and waits for its flag as an idle loop on MWAIT does: no interrupt is sent.
 */
#ifndef LAB_KERN_RECLAIM_H
#define LAB_KERN_RECLAIM_H

#include "src/kern/alloc_context.h"

/* __perform_reclaim: pages freed, SWAP_CLUSTER_MAX and a few if there are. Sleeps once for write-back if that is all that
 * is in the way. Task context, may sleep. */
uint64_t reclaim_direct(struct hart *, const struct kernel *, const struct alloc_context *);
/* zone_reclaimable_pages, read without locks. */
uint64_t zone_reclaimable(struct hart *, const struct zone *);
/* __alloc_pages_direct_compact: see compact.c for what the model does and does not do. True if a block of the order
 * may have come about. Task context, may sleep. */
bool compact_direct(struct hart *, const struct kernel *, const struct alloc_context *);

/* ---- kswapd: one turn is to sleep until woken, then to reclaim until all is at high, or nothing more can be. Task
 * context; one hart per node. Returns the pages freed. */
uint64_t kswapd_turn(struct hart *, const struct kernel *, unsigned node);

/* ---- out of memory */

/* __alloc_pages_may_oom: asks a victim to die, or waits for the one that has been asked. True: it is worth trying again.
 * False: there is nobody to kill, or the request is none to kill for (costly, one node only, DMA or DMA32). */
bool out_of_memory(struct hart *, const struct kernel *, const struct alloc_context *);
/* The victims' side. A victim must never wait for memory itself. One of those that have joined is told, once; it gives
 * back what it has, and leaves. Who ends by himself leaves, too. */
void oom_join(struct hart *, const struct kernel *);
bool oom_asked(struct hart *, const struct kernel *); /* has somebody been asked, and not yet been told? */
bool oom_told(struct hart *, const struct kernel *);
void oom_leave(struct hart *, const struct kernel *, bool told);

#endif
