/* src/base/hist.c - what is asked of a histogram after the counting. */
#include "src/base/hist.h"

#include "src/base/fail.h"

#include <string.h>

void hist_reset(struct hist *h) { memset(h, 0, sizeof *h); }

void hist_merge(struct hist *into, const struct hist *from)
{
    if (from->count == 0)
        return;
    if (into->count == 0 || from->min_ps < into->min_ps)
        into->min_ps = from->min_ps;
    if (from->max_ps > into->max_ps)
        into->max_ps = from->max_ps;
    into->count += from->count;
    into->sum_ps += from->sum_ps;
    into->over_count += from->over_count;
    for (unsigned i = 0; i < HIST_BUCKETS; i++)
        into->bucket[i] += from->bucket[i];
}

unsigned hist_bucket_of(uint64_t value_ps)
{
    uint64_t v = value_ps >> HIST_TOP_BIT ? (UINT64_C(1) << HIST_TOP_BIT) - 1 : value_ps;
    unsigned shift = v < (2u << HIST_SUB_BITS) ? 0 : 63u - HIST_SUB_BITS - (unsigned)__builtin_clzll(v);
    return (shift << HIST_SUB_BITS) + (unsigned)(v >> shift);
}

uint64_t hist_upper_edge_ps(unsigned bucket)
{
    CHECK(bucket < HIST_BUCKETS, "hist_upper_edge_ps: bucket %u of %u", bucket, (unsigned)HIST_BUCKETS);
    if (bucket < (2u << HIST_SUB_BITS))
        return bucket;
    unsigned shift = (bucket >> HIST_SUB_BITS) - 1;
    uint64_t top = bucket - ((uint64_t)shift << HIST_SUB_BITS);
    return ((top + 1) << shift) - 1;
}

/* Nearest rank: the smallest value such that at least that share of the values is not above it. */
uint64_t hist_percentile_ps(const struct hist *h, uint32_t permille10)
{
    CHECK(permille10 <= 10000, "hist_percentile_ps: %u is above 10000", permille10);
    if (h->count == 0)
        return 0;
    uint64_t whole = h->count / 10000 * permille10, rest = h->count % 10000 * permille10;
    uint64_t rank = whole + (rest + 9999) / 10000, seen = 0;
    if (rank == 0)
        return h->min_ps;
    unsigned last = hist_bucket_of(h->max_ps);
    for (unsigned i = 0; i < last; i++) {
        seen += h->bucket[i];
        if (seen >= rank) {
            uint64_t edge = hist_upper_edge_ps(i);
            return edge < h->max_ps ? edge : h->max_ps;
        }
    }
    return h->max_ps;
}
