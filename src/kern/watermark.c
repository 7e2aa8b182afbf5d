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

struct watermarks watermarks_compute(uint64_t managed_pages, uint64_t lowmem_pages, bool movable, uint64_t min_free_kbytes,
                                     unsigned scale_factor)
{
    uint64_t share = min_free_kbytes / 4 * managed_pages / at_least(lowmem_pages, 1); /* KiB to pages */
    uint64_t min = movable ? at_most(at_least(managed_pages / 1024, 32), 128) : share;
    uint64_t gap = at_least(share / 4, managed_pages * scale_factor / 10000);
    return (struct watermarks){ .min = min, .low = min + gap, .high = min + 2 * gap, .promo = min + 3 * gap };
}

uint64_t watermark_lowmem_reserve(uint64_t upper_pages, unsigned ratio) { return ratio != 0 ? upper_pages / ratio : 0; }

enum { PAGEBLOCK = 512 };

uint64_t watermark_boosted(uint64_t boost, uint64_t high, uint64_t managed_pages, unsigned factor)
{
    if (factor == 0 || managed_pages <= 4 * PAGEBLOCK)
        return boost;
    uint64_t most = at_least(high / 10000 * factor + high % 10000 * factor / 10000, PAGEBLOCK);
    return at_most(boost + PAGEBLOCK, most);
}

uint64_t watermark_highatomic_max(const struct kernel_rules *r, uint64_t managed_pages)
{
    uint64_t percent = managed_pages / 100;
    if (!r->highatomic_rounded)
        return percent + PAGEBLOCK;
    return percent < PAGEBLOCK ? 0 : (percent + PAGEBLOCK - 1) / PAGEBLOCK * PAGEBLOCK;
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

unsigned watermark_pcp_high_max(uint64_t managed_pages, unsigned harts, unsigned batch)
{
    return (unsigned)at_least(managed_pages / 8 / harts, UINT64_C(4) * batch);
}

/* ---- allocation flags */

unsigned watermark_alloc_flags(const struct kernel_rules *r, gfp_t gfp, unsigned order)
{
    unsigned flags = ALLOC_WMARK_MIN | ALLOC_CPUSET;
    bool nomemalloc = (gfp & GFPM_NOMEMALLOC) != 0, high = (gfp & GFPM_HIGH) != 0;
    bool cannot_wait = r->harder ? (gfp & GFPM_ATOMIC) != 0 : (gfp & GFPM_DIRECT_RECLAIM) == 0;
    if (high)
        flags |= ALLOC_MIN_RESERVE;
    if ((gfp & GFPM_KSWAPD_RECLAIM) != 0)
        flags |= ALLOC_KSWAPD;
    if (cannot_wait && !nomemalloc) {
        flags |= ALLOC_NON_BLOCK;
        if (order > 0 && (high || !r->highatomic_needs_high))
            flags |= ALLOC_HIGHATOMIC;
    }
    if (cannot_wait && (high || r->harder))
        flags &= ~(unsigned)ALLOC_CPUSET;
    if ((gfp & GFPM_MEMALLOC) != 0 && !nomemalloc)
        flags |= ALLOC_NO_WATERMARKS;
    return flags;
}

const char *alloc_flags_text(const struct kernel_rules *r, unsigned flags, char *text, size_t size)
{
    static const char *const marks[] = { "WMARK_MIN", "WMARK_LOW", "WMARK_HIGH", "WMARK_HIGH" };
    const struct { unsigned bit; const char *name; } bits[] = {
        { ALLOC_NO_WATERMARKS, "NO_WATERMARKS" }, { ALLOC_OOM, "OOM" },
        { ALLOC_NON_BLOCK, r->harder ? "HARDER" : "NON_BLOCK" }, { ALLOC_MIN_RESERVE, r->harder ? "HIGH" : "MIN_RESERVE" },
        { ALLOC_CPUSET, "CPUSET" }, { ALLOC_NOFRAGMENT, "NOFRAGMENT" },
        { r->harder ? 0 : ALLOC_HIGHATOMIC, "HIGHATOMIC" }, { ALLOC_KSWAPD, "KSWAPD" },
    };
    int n = snprintf(text, size, "%s", marks[flags & ALLOC_WMARK_MASK]);
    for (size_t i = 0, at = (size_t)n; i < sizeof bits / sizeof bits[0] && at < size; i++)
        if ((flags & bits[i].bit) != 0)
            at += (size_t)snprintf(text + at, size - at, "|%s", bits[i].name);
    return text;
}

/* ---- one decision */

uint64_t watermark_effective(const struct kernel_rules *r, uint64_t mark, unsigned flags)
{
    bool reserve = (flags & ALLOC_MIN_RESERVE) != 0, victim = (flags & ALLOC_OOM) != 0;
    if (reserve)
        mark -= mark / 2;
    if ((flags & ALLOC_NON_BLOCK) != 0 && (r->harder ? !victim : reserve))
        mark -= mark / 4;
    return victim ? mark - mark / 2 : mark;
}

/* Who may draw on reserves need not leave the HIGHATOMIC one alone (__zone_watermark_unusable_free). */
static uint64_t unusable_pages(const struct watermark_check *c)
{
    unsigned reserves = ALLOC_OOM | ALLOC_NON_BLOCK | (c->rules->harder ? 0u : ALLOC_MIN_RESERVE | ALLOC_HIGHATOMIC);
    uint64_t block = (UINT64_C(1) << c->order) - 1;
    return (c->alloc_flags & reserves) != 0 ? block : block + c->highatomic;
}

static bool passes(const struct watermark_check *c, uint64_t mark)
{
    return c->free_pages > c->unusable + watermark_effective(c->rules, mark, c->alloc_flags) + c->lowmem_reserve;
}

void watermark_decide(struct watermark_check *c)
{
    bool ignore = (c->alloc_flags & ALLOC_NO_WATERMARKS) != 0;
    c->unusable = unusable_pages(c);
    c->enough = ignore || passes(c, c->mark + c->boost);
    c->boost_ignored = !c->enough && c->order == 0 && c->boost != 0 && (c->alloc_flags & ALLOC_MIN_RESERVE) != 0 &&
                       (c->alloc_flags & ALLOC_WMARK_MASK) == ALLOC_WMARK_MIN;
    if (c->boost_ignored)
        c->enough = passes(c, c->mark);
    c->effective = watermark_effective(c->rules, c->mark + (c->boost_ignored ? 0 : c->boost), c->alloc_flags);
    c->ok = c->enough && (c->order == 0 || c->has_block);
}

/* How the effective mark follows from the mark. */
static void reduction(const struct watermark_check *c, char *text, size_t size)
{
    bool reserve = (c->alloc_flags & ALLOC_MIN_RESERVE) != 0, victim = (c->alloc_flags & ALLOC_OOM) != 0;
    bool quarter = (c->alloc_flags & ALLOC_NON_BLOCK) != 0 && (c->rules->harder ? !victim : reserve);
    snprintf(text, size, "%s%s%s", reserve ? " x 0.5" : "", quarter ? " x 0.75" : "", victim ? " x 0.5" : "");
}

const char *watermark_explain(const struct watermark_check *c, char *text, size_t size)
{
    static const char *const names[] = { "min", "low", "high", "high" };
    char mark[80], factor[40];
    int n;
    const char *name = names[c->alloc_flags & ALLOC_WMARK_MASK];
    if (c->boost != 0 && !c->boost_ignored)
        snprintf(mark, sizeof mark, "(%s %llu + boost %llu)", name, (unsigned long long)c->mark, (unsigned long long)c->boost);
    else
        snprintf(mark, sizeof mark, "%s %llu", name, (unsigned long long)c->mark);
    reduction(c, factor, sizeof factor);
    if ((c->alloc_flags & ALLOC_NO_WATERMARKS) != 0)
        n = snprintf(text, size, "order %u, %llu pages free, watermarks ignored", c->order, (unsigned long long)c->free_pages);
    else
        n = snprintf(text, size, "order %u: free %llu - unusable %llu %s %s%s = %llu + lowmem reserve %llu%s", c->order,
                     (unsigned long long)c->free_pages, (unsigned long long)c->unusable, c->enough ? ">" : "is not >",
                     mark, factor, (unsigned long long)c->effective, (unsigned long long)c->lowmem_reserve,
                     c->boost_ignored ? ", boost left out" : "");
    if (c->enough && !c->ok && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ", but no block of order %u or larger is free", c->order);
    return text;
}
