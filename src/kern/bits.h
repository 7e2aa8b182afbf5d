/* src/kern/bits.h - a zone's frames as bits in words of simulated memory, for the allocators that keep them so.
 *
 * A frame's place is its offset from the zone's base: the last order-10 boundary at or before the first frame, so
 * that alignment of offsets is alignment of frames. A set bit is a frame that cannot be handed out.
 */
#ifndef LAB_KERN_BITS_H
#define LAB_KERN_BITS_H

#include "src/kern/frames.h"

enum { ROW_ORDER = 6, ROW_FRAMES = 1 << ROW_ORDER }; /* frames of one word */

static inline uint64_t zone_base(const struct zone *z) { return z->first.v & ~((UINT64_C(1) << MAX_ORDER) - 1); }

/* How many of the `count` frames from this offset on are free at boot. */
static inline uint64_t zone_free_at_boot(const struct zone *z, uint64_t offset, uint64_t count)
{
    uint64_t from = zone_base(z) + offset, to = from + count;
    from = from > z->first.v ? from : z->first.v;
    to = to < z->cache_first.v ? to : z->cache_first.v;
    return to > from ? to - from : 0;
}

/* The boot state of the word of this row: set where a frame is not in the zone, or in use. */
static inline uint64_t row_at_boot(const struct zone *z, uint64_t row)
{
    uint64_t bits = 0;
    if (zone_free_at_boot(z, row * ROW_FRAMES, ROW_FRAMES) == ROW_FRAMES)
        return 0;
    for (unsigned i = 0; i < ROW_FRAMES; i++)
        bits |= (uint64_t)(zone_free_at_boot(z, row * ROW_FRAMES + i, 1) == 0) << i;
    return bits;
}

/* Bits of a block of up to 64 frames at this offset; all of them for larger orders. */
static inline uint64_t row_group(uint64_t offset, unsigned order)
{
    return order >= ROW_ORDER ? ~UINT64_C(0) : ((UINT64_C(1) << (1u << order)) - 1) << offset % ROW_FRAMES;
}

/* Lowest naturally aligned group of 2^order clear bits (order 0 to 6): *group has them set. False: none. */
static inline bool row_clear_group(uint64_t word, unsigned order, uint64_t *group)
{
    uint64_t starts = ~word, one = row_group(0, order);
    for (unsigned i = 0; i < order; i++)
        starts &= starts >> (1u << i);
    starts &= ~UINT64_C(0) / one;
    if (starts == 0)
        return false;
    *group = one << __builtin_ctzll(starts);
    return true;
}

#endif
