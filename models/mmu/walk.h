/* models/mmu/walk.h - a page walk over x86-64 four-level tables, one load after the other.
 *
 * The hart's walker runs on the hart's own fiber and reads through its caches: `load` takes the simulated time
 * and returns the 8 bytes at `at`. Otherwise pure: four loads for a 4 KiB page, three for a 2 MiB one, fewer
 * when an entry on the way is absent. No page-walk caches: upper-level entries hit in the data caches.
 */
#ifndef LAB_MODELS_MMU_WALK_H
#define LAB_MODELS_MMU_WALK_H

#include "models/mmu/tlb.h"

typedef uint64_t walk_load_fn(void *ctx, paddr at, unsigned bytes);

/* Translates for a user access. False: page fault (not present, or at some level not for users, or `write` and
 * at some level not writable; Intel SDM vol. 3A, 4.6); *out is then untouched. True: *out for the 4 KiB page of
 * `va`, also where a 2 MiB page maps it; its asid is left to the caller. `root` is page aligned. */
bool page_walk(walk_load_fn *load, void *ctx, paddr root, vaddr va, bool write, struct tlb_entry *out);

#endif
