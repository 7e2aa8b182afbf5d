/* src/kern/watermark.c - watermark arithmetic. Integers only. */
#include "src/kern/watermark.h"

#include <stdio.h>

static uint64_t square_root(uint64_t x) /* rounded down */
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit != 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= x)
            root += bit;
    return root;
}

static uint64_t at_least(uint64_t x, uint64_t floor) { return x < floor ? floor : x; }
static uint64_t at_most(uint64_t x, uint64_t ceiling) { return x > ceiling ? ceiling : x; }

uint64_t watermark_min_free_kbytes(uint64_t memory_kbytes)
{
    return at_most(at_least(square_root(memory_kbytes * 16), 128), 262144);
}

struct watermarks watermarks_compute(uint64_t managed_pages, uint64_t min_free_kbytes, unsigned scale_factor)
{
    uint64_t min = min_free_kbytes / 4; /* KiB to pages */
    uint64_t gap = at_least(min / 4, managed_pages * scale_factor / 10000);
    return (struct watermarks){ .min = min, .low = min + gap, .high = min + 2 * gap, .promo = min + 3 * gap };
}

unsigned watermark_pcp_batch(uint64_t managed_pages)
{
    uint64_t b = at_least(at_most(managed_pages / 1024, 256) / 4, 1);
    uint64_t power = 1;
    while (power * 2 <= b + b / 2)
        power *= 2;
    return (unsigned)at_least(power - 1, 1);
}

unsigned watermark_pcp_high(uint64_t low_pages, unsigned harts, unsigned batch)
{
    return (unsigned)at_least(low_pages / harts, UINT64_C(4) * batch);
}

unsigned watermark_alloc_flags(gfp_t gfp)
{
    unsigned flags = ALLOC_WMARK_MIN;
    bool nomemalloc = (gfp & GFPM_NOMEMALLOC) != 0;
    if ((gfp & GFPM_HIGH) != 0)
        flags |= ALLOC_MIN_RESERVE;
    if ((gfp & GFPM_DIRECT_RECLAIM) == 0 && !nomemalloc)
        flags |= ALLOC_NON_BLOCK;
    if ((gfp & GFPM_MEMALLOC) != 0 && !nomemalloc)
        flags |= ALLOC_NO_WATERMARKS;
    return flags;
}

uint64_t watermark_effective(uint64_t mark, unsigned alloc_flags)
{
    if ((alloc_flags & ALLOC_MIN_RESERVE) != 0) {
        mark -= mark / 2;
        if ((alloc_flags & ALLOC_NON_BLOCK) != 0)
            mark -= mark / 4;
    }
    if ((alloc_flags & ALLOC_OOM) != 0)
        mark -= mark / 2;
    return mark;
}

void watermark_decide(struct watermark_check *c)
{
    bool ignore = (c->alloc_flags & ALLOC_NO_WATERMARKS) != 0;
    c->unusable = (UINT64_C(1) << c->order) - 1;
    c->effective = watermark_effective(c->mark, c->alloc_flags);
    c->enough = ignore || c->free_pages > c->unusable + c->effective + c->lowmem_reserve;
    c->ok = c->enough && (c->order == 0 || c->has_block);
}

static const char *mark_name(unsigned alloc_flags)
{
    static const char *const names[] = { "min", "low", "high", "high" };
    return names[alloc_flags & ALLOC_WMARK_MASK];
}

/* How the effective mark follows from the mark. */
static const char *reduction(unsigned alloc_flags)
{
    bool reserve = (alloc_flags & ALLOC_MIN_RESERVE) != 0, non_block = (alloc_flags & ALLOC_NON_BLOCK) != 0;
    if ((alloc_flags & ALLOC_OOM) != 0)
        return reserve ? non_block ? " x 0.5 x 0.75 x 0.5" : " x 0.5 x 0.5" : " x 0.5";
    return reserve ? non_block ? " x 0.5 x 0.75" : " x 0.5" : "";
}

const char *watermark_explain(const struct watermark_check *c, char *text, size_t size)
{
    int n;
    if ((c->alloc_flags & ALLOC_NO_WATERMARKS) != 0)
        n = snprintf(text, size, "order %u, %llu pages free, watermarks ignored", c->order,
                     (unsigned long long)c->free_pages);
    else
        n = snprintf(text, size, "order %u: free %llu - unusable %llu %s %s %llu%s = %llu + lowmem reserve %llu",
                     c->order, (unsigned long long)c->free_pages, (unsigned long long)c->unusable,
                     c->enough ? ">" : "is not >", mark_name(c->alloc_flags), (unsigned long long)c->mark,
                     reduction(c->alloc_flags), (unsigned long long)c->effective,
                     (unsigned long long)c->lowmem_reserve);
    if (c->enough && !c->ok && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ", but no block of order %u or larger is free", c->order);
    return text;
}
