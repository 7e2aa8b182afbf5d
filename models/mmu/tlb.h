/* models/mmu/tlb.h - one translation lookaside buffer of one hart: set-associative, least recently used.
 *
 *   (asid, virtual page) -> (frame, writable)
 *
 * Entries carry their own contents and are not coherent: they keep what a walk returned until they are
 * invalidated or replaced (Intel SDM vol. 3A, 4.10). Time is the hart's business (hart_desc.tlb_ps). Sets are chosen by the low bits of the page number alone.
 *
 *   struct tlb *t = tlb_new(arena, &desc);
 *   if (!tlb_lookup(t, asid, vpn, write, &e) && page_walk(load, ctx, root, va, write, &e)) {
 *       e.asid = asid;
 *       tlb_insert(t, &e);
 *   }
 */
#ifndef LAB_MODELS_MMU_TLB_H
#define LAB_MODELS_MMU_TLB_H

#include "src/base/arena.h"
#include "src/base/units.h"
#include "src/config/param.h"

struct tlb_desc {
    uint32_t entries;    /* total; entries / ways sets, a power of two */
    uint32_t ways;
};

extern const struct param tlb_params[];
/* NULL if the numbers fit together, else the rule they break. */
const char *tlb_desc_error(const struct tlb_desc *);

struct tlb_entry {
    uint64_t vpn;        /* virtual page number, below 2^36 */
    frame frame;
    uint16_t asid;
    bool writable;
};

struct tlb;

/* Panics on a description that tlb_desc_error refuses. Lives in the arena. */
struct tlb *tlb_new(struct arena *, const struct tlb_desc *);

/* False: walk. A write that finds a read-only entry drops it and misses, since x86 invalidates the entry when it
 * faults (SDM 4.10.4.1): a page made writable meanwhile needs no invalidation. Counts a hit or a miss. */
bool tlb_lookup(struct tlb *, uint16_t asid, uint64_t vpn, bool write, struct tlb_entry *out);
/* Replaces an entry of the same page, else an empty way, else the least recently used. */
void tlb_insert(struct tlb *, const struct tlb_entry *);
bool tlb_invalidate_page(struct tlb *, uint16_t asid, uint64_t vpn); /* was it there? */
unsigned tlb_invalidate_asid(struct tlb *, uint16_t asid);           /* how many were there */
unsigned tlb_invalidate_all(struct tlb *);

/* Every entry, set by set; no effect on replacement. `e` is good during the call only. */
void tlb_each(const struct tlb *, void (*fn)(void *arg, const struct tlb_entry *e), void *arg);

uint64_t tlb_hit_count(const struct tlb *);
uint64_t tlb_miss_count(const struct tlb *);

#endif
