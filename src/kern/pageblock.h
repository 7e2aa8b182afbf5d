/* src/kern/pageblock.h - the migrate type of each pageblock (2 MiB): 4 bits in a bitmap of its node, 16 in a word, as
 * get_pfnblock_migratetype and set_pfnblock_migratetype (mm/page_alloc.c). All are MOVABLE at boot.
 */
#ifndef LAB_KERN_PAGEBLOCK_H
#define LAB_KERN_PAGEBLOCK_H

#include "src/kern/page.h"

/* Read without the zone lock the answer may be out of date. */
enum migratetype pageblock_type(struct hart *, const struct kernel *, frame);
/* Under the zone lock: the pageblocks of the block, one at least. */
void pageblock_set(struct hart *, const struct kernel *, frame, unsigned order, enum migratetype);
enum migratetype pageblock_peek(const struct kernel *, struct backdoor *, frame);
/* Of one node, before time starts. */
void pageblock_boot(struct kernel *, const struct mem_node *, struct backdoor *);
/* Types whose blocks may merge with each other; HIGHATOMIC keeps to itself (migratetype_is_mergeable). */
static inline bool pageblock_mergeable(enum migratetype mt) { return mt < MIGRATE_PCPTYPES; }

#endif
