/* src/kern/check.h - recount of every frame at rest, by the back door. For tests and the end of a run. */
#ifndef LAB_KERN_CHECK_H
#define LAB_KERN_CHECK_H

#include "src/kern/kernel.h"

struct held_block {
    frame f;
    unsigned order;
};

/* No hart may be inside the allocator. What the frame allocator says is free, the pool of zeroed pages, the page cache and the blocks that
 * callers hold must cover every managed frame of every zone exactly once; what it keeps in counters must agree with what it keeps in
 * lists; watermarks and reserves must stand as at boot; of the buddy system: no two free buddies may stand unmerged,
 * every free block is on the list of its pageblock's type, and the HIGHATOMIC reserve is as many pages as pageblocks
 * of that type. NULL, or the first lie, written to `text`. `held` may be NULL with held_count 0. */
const char *kern_check(const struct kernel *, struct backdoor *, const struct held_block *held, size_t held_count,
                       char *text, size_t size);

/* ---- for frame allocators (frames.h: recount) */

struct recount {
    const struct kernel *k;
    struct backdoor *b;
    uint64_t *seen;      /* one bit per frame of memory */
    uint64_t seen_pages;
    char *text;
    size_t size;
    bool lied;
};
void recount_lie(struct recount *, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t recount_word(struct recount *, paddr, unsigned offset, unsigned bytes);
/* A block that is free in this zone; `where` for the text. */
void recount_see(struct recount *, const struct zone *, frame, unsigned order, const char *where);
/* The buddy system's. */
void buddy_recount(struct recount *, const struct zone *);

#endif
