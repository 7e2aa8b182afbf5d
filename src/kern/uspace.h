/* src/kern/uspace.h - user address spaces: four-level page tables in simulated memory, and the reverse map.
 *
 * A page has at most one user mapping; its struct page names it (space, virtual address), which is the whole
 * reverse map (Linux: anon_vma and i_mmap trees, sleeping locks). The space's spinlock guards its tables and
 * the reverse-map words of the pages in it. A hart that has once used a space counts as a user of it for good:
 * its TLB may hold the space's translations under the asid.
 */
#ifndef LAB_KERN_USPACE_H
#define LAB_KERN_USPACE_H

#include "src/kern/page.h"

struct user_mapping {
    uint16_t asid;
    vaddr at;
};

void uspace_boot(const struct kernel *, struct backdoor *);  /* called by kernel_boot */
/* Root table of space `asid` (1 to desc.spaces). */
paddr uspace_root(const struct kernel *, struct backdoor *, uint16_t asid);

/* Switches this hart to the space and enters it in the space's hart mask. */
void uspace_use(struct hart *, const struct kernel *, uint16_t asid);
/* Maps one page below 2^47. False: something is mapped there, the page has a mapping already, or the pool is
 * used up. No invalidation is needed: an absent entry is never cached. */
bool uspace_map(struct hart *, const struct kernel *, uint16_t asid, vaddr, frame, bool writable);
bool uspace_map_boot(const struct kernel *, struct backdoor *, uint16_t asid, vaddr, frame, bool writable);
/* Clears the page's entry, found through the reverse map, and says which it was; false if it has none. The
 * caller must shoot_down before the page may be called unmapped. Any context but NMI. */
bool uspace_clear_page(struct hart *, const struct kernel *, frame, struct user_mapping *was);
/* Unmaps the page at `at` and shoots it down; false if nothing is mapped there. *f is the page. */
bool uspace_unmap(struct hart *, const struct kernel *, uint16_t asid, vaddr, frame *f);

#endif
