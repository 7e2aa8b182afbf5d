/* src/kern/page.h - struct page: one line per frame, in simulated memory. Addresses and offsets only.
 *
 * Guarded by: flags, the page lock bit itself; lru, private, type: the zone lock while in the buddy lists, the
 * per-CPU list's lock while there, the owner otherwise; refcount: atomic; the two reverse-map words: the lock of
 * the space or domain. They survive a free: a page that is freed while mapped stays mapped.
 */
#ifndef LAB_KERN_PAGE_H
#define LAB_KERN_PAGE_H

#include "src/kern/kernel.h"

enum {
    PAGE_FLAGS = 0,     /* 8 bytes: PG_ bits */
    PAGE_LRU = 8,       /* list links, 16 bytes */
    PAGE_USER_MAP = 24, /* 8: the one user mapping: asid 63:48, virtual address 47:12, bit 0 valid */
    PAGE_IO_MAP = 32,   /* 8: the one IOMMU mapping: domain 63:48, I/O address 47:12, bit 0 valid */
    PAGE_PRIVATE = 40,  /* 8: order, while PAGE_TYPE_BUDDY */
    PAGE_TYPE = 48,     /* 4 */
    PAGE_REFCOUNT = 52, /* 4 */
    PAGE_ZEROED = 56,   /* 1: all zero since its free (zero_policy.h); its owner's, while in use */
    PAGE_STRUCT_BYTES = 64
};
enum { PG_LOCKED = 1, PG_WAITERS = 1 << 7 };
/* MOVABLE: in use, and the request said that its contents may move (Linux knows it by PageLRU or __PageMovable). */
enum { PAGE_TYPE_NONE = 0, PAGE_TYPE_BUDDY = 1, PAGE_TYPE_MOVABLE = 2 };

/* struct pages are an array per node (a virtual memory map in Linux: one array, no lookup). */
static inline paddr page_word(const struct kernel *k, frame f, unsigned offset)
{
    const struct mem_node *n = kernel_node_of(k, f);
    return paddr_plus(n->mem_map, (f.v - n->first.v) * PAGE_STRUCT_BYTES + offset);
}
static inline paddr page_node(const struct kernel *k, frame f) { return page_word(k, f, PAGE_LRU); }
static inline frame page_of_node(const struct kernel *k, paddr list_node)
{
    const struct mem_node *n = kernel_node_of(k, paddr_frame(list_node)); /* a node keeps its own struct pages */
    return (frame){ n->first.v + (list_node.v - PAGE_LRU - n->mem_map.v) / PAGE_STRUCT_BYTES };
}
static inline bool page_managed(const struct kernel *k, frame f) { return kernel_zone_of(k, f) != NULL; }

/* Reverse-map words. */
static inline uint64_t map_word(uint16_t id, uint64_t address)
{
    return (uint64_t)id << 48 | (address & UINT64_C(0xfffffffff000)) | 1;
}
static inline bool map_valid(uint64_t word) { return (word & 1) != 0; }
static inline uint16_t map_id(uint64_t word) { return (uint16_t)(word >> 48); }
static inline uint64_t map_address(uint64_t word) { return word & UINT64_C(0xfffffffff000); }

#endif
