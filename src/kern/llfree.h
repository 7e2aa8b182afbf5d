/* src/kern/llfree.h - a lock-free allocator in two levels, after L. Wrenger, F. Rommel, A. Halbuer, C. Dietrich,
 * D. Lohmann, "LLFree: Scalable and Optionally-Persistent Page-Frame Allocation", USENIX ATC 2023.
 *
 * Below: memory in areas of 2 MiB. An area has a field of 512 bits (one line; set: allocated) and a 16-bit entry
 * with its count of free frames and a flag "handed out whole". Orders 0 to 6 are one compare-and-swap on a word of
 * the field, 7 and 8 one per word, undone if a later word is not free; 9 one on the entry, 10 one on two
 * neighbouring entries. The count goes down before bits are set and up after they are cleared.
 * Above: 32 areas are a tree, their entries one line. A tree's 16-bit entry has a count of free frames and a flag
 * "reserved". Each hart reserves a tree, moving its count into a word of its own, and allocates from that; frees by
 * others go to the tree's entry, and are fetched when the own count runs out. When that is not enough: another
 * tree, half-full ones nearby first, then half-full ones, free ones, any; then frames of trees that other harts
 * reserved; then all reservations are dropped and every tree is tried. Four frees in a row into one tree reserve
 * it for the freeing hart. At rest, a block is found if there is one.
 *
 * Ours, where the description leaves it open: half-full means 1/8 to 1/2 of the frames free; nearby means entries
 * on the same line; harts begin at trees spread evenly. Left out: persistence and recovery, freeing a block in
 * parts, separate trees for huge and for movable pages (later versions). Added for the watermarks of the kernel
 * around it: changes of the zone's free page count are kept per hart and told in steps, as mm/vmstat.c does.
 *
 * Files: llfree_areas.c is the lower level, llfree_trees.c the upper one and the interface, llfree_boot.c boot image
 * and recount. Here: the layout of zone->own, and what these three share. A place in the zone is an offset in frames
 * from zone_base (bits.h), or a row, 64 frames.
 */
#ifndef LAB_KERN_LLFREE_H
#define LAB_KERN_LLFREE_H

#include "src/kern/bits.h"

enum {
    AREA_ORDER = 9, AREA_FRAMES = 1 << AREA_ORDER, AREA_ROWS = AREA_FRAMES / ROW_FRAMES,
    TREE_AREAS = 32, TREE_FRAMES = TREE_AREAS * AREA_FRAMES, TREE_ROWS = TREE_FRAMES / ROW_FRAMES,
    ENTRY_BYTES = 2, ENTRIES_PER_LINE = LINE_BYTES / ENTRY_BYTES,
    WHOLE = 0x8000,     /* area entry: handed out in one piece */
    RESERVED = 0x8000,  /* tree entry */
    COUNT_MASK = 0x7fff,
    HALF_LEAST = TREE_FRAMES / 8, HALF_MOST = TREE_FRAMES / 2,
    FREES_TO_RESERVE = 4
};
/* A line per hart: its word (count 14:0, bit 15 valid, above that the row where the last search ended); the tree
 * of its last frees + 1 and their number in a row; free pages not yet told to the zone. */
enum { LOCAL_WORD = 0, LOCAL_LAST = 8, LOCAL_DELTA = 16, LOCAL_VALID = 0x8000, LOCAL_ROW = 16 };

/* ---- layout: the harts' lines, bit fields, area entries, tree entries */

static inline uint64_t llfree_tree_count(const struct zone *z)
{
    return (z->end.v - zone_base(z) + TREE_FRAMES - 1) / TREE_FRAMES;
}

static inline paddr llfree_local_at(const struct zone *z, unsigned hart, unsigned word)
{
    return paddr_plus(z->own, (uint64_t)hart * LINE_BYTES + word);
}

static inline paddr llfree_row_at(const struct kernel *k, const struct zone *z, uint64_t row)
{
    return paddr_plus(z->own, (uint64_t)k->desc.harts * LINE_BYTES + row * 8);
}

static inline paddr llfree_area_at(const struct kernel *k, const struct zone *z, uint64_t area)
{
    return paddr_plus(llfree_row_at(k, z, llfree_tree_count(z) * TREE_ROWS), area * ENTRY_BYTES);
}

static inline paddr llfree_tree_at(const struct kernel *k, const struct zone *z, uint64_t tree)
{
    return paddr_plus(llfree_area_at(k, z, llfree_tree_count(z) * TREE_AREAS), tree * ENTRY_BYTES);
}

static inline bool llfree_local_valid(uint64_t word) { return (word & LOCAL_VALID) != 0; }
static inline uint64_t llfree_local_row(uint64_t word) { return word >> LOCAL_ROW; }
static inline uint64_t llfree_local_tree(uint64_t word) { return llfree_local_row(word) / TREE_ROWS; }

/* Compare-and-swap on words of any size: `decide` edits a copy of the word or refuses, as in k_update. */
typedef bool llfree_edit_fn(uint64_t *word, uint64_t arg);
bool llfree_edit(struct hart *, const struct kernel *, paddr at, unsigned bytes, llfree_edit_fn *decide, uint64_t arg,
                 uint64_t *old);
/* Decisions about a count in bits 14:0: flags stay, areas handed out whole count 0. */
bool llfree_count_down(uint64_t *word, uint64_t n);
bool llfree_count_up(uint64_t *word, uint64_t n);

/* A block of the tree that contains row `start`, searched from there on. The caller has counted its frames out. */
bool llfree_tree_take(struct hart *, const struct kernel *, const struct zone *, uint64_t start, unsigned order,
                      uint64_t *offset);
/* False: this block is not allocated with this order. The caller counts its frames in. */
bool llfree_block_put(struct hart *, const struct kernel *, const struct zone *, uint64_t offset, unsigned order);

uint64_t llfree_own_bytes(const struct kernel_desc *, uint64_t pages);
void llfree_boot(struct kernel *, struct zone *, struct backdoor *);
void llfree_recount(struct recount *, const struct zone *);

#endif
