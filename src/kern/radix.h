/* src/kern/radix.h - table walks and table building, shared by user page tables and IOMMU second-level tables:
 * both are trees of 512 entries of 8 bytes, bit 0 set in a present upper entry, address in bits 51:12
 * (abi/pte.h, abi/vtd.h). Works through a hart (simulated traffic) or through the back door (boot).
 *
 * Tables come from a pool that only grows and whose pages are zero; its first page holds the next fresh address.
 */
#ifndef LAB_KERN_RADIX_H
#define LAB_KERN_RADIX_H

#include "src/kern/kernel.h"

/* Exactly one of the two is set. */
struct access_path {
    struct hart *h;
    struct backdoor *b;
};
uint64_t access_read(struct access_path, paddr, unsigned bytes);  /* marked: hardware reads these words too */
void access_write(struct access_path, paddr, unsigned bytes, uint64_t value);

struct table_pool {
    paddr base;
    uint64_t pages;
};
void pool_boot(struct backdoor *, struct table_pool);
/* Frame 0 when the pool is used up. Lock-free: one fetch-and-add. */
frame pool_take(struct access_path, struct table_pool);

struct radix {
    struct table_pool pool;
    unsigned levels;
    uint64_t upper_flags; /* of an entry that names a table */
};
/* Where the leaf entry for `address` stands; 0 if a table is missing. */
paddr radix_find(struct access_path, const struct kernel *, const struct radix *, paddr root, uint64_t address);
/* The same, building missing tables; 0 if the pool is used up. The caller holds the tree's lock. */
paddr radix_build(struct access_path, const struct kernel *, const struct radix *, paddr root, uint64_t address);

#endif
