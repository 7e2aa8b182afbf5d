/* src/base/hist.h - log-linear histogram of picoseconds (the layout of HdrHistogram, G. Tene).
 *
 * Precision: values below 256 ps are exact; above, a bucket is at most 1/128 (0.8 %) of its value
 * wide. Range: 0 to 2^48 - 1 ps (281 s); more is clamped into the last bucket and counted in
 * `over_count`. count, sum, min and max are exact. Percentiles are nearest rank, reported as the
 * upper edge of the bucket (its largest value), clamped to the maximum. Memory 20 KiB.
 */
#ifndef LAB_BASE_HIST_H
#define LAB_BASE_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 7, HIST_TOP_BIT = 48, HIST_BUCKETS = (HIST_TOP_BIT - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

struct hist {
    uint64_t count, sum_ps, min_ps, max_ps, over_count;
    uint32_t bucket[HIST_BUCKETS];
};

void hist_reset(struct hist *);
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_percentile_ps(const struct hist *, uint32_t permille10); /* 5000 = p50, 9990 = p99.9; 0 if empty */
unsigned hist_bucket_of(uint64_t value_ps);
uint64_t hist_upper_edge_ps(unsigned bucket);

static inline void hist_add(struct hist *h, uint64_t value_ps)
{
    if (value_ps < h->min_ps || h->count == 0)
        h->min_ps = value_ps;
    if (value_ps > h->max_ps)
        h->max_ps = value_ps;
    h->count++;
    h->sum_ps += value_ps;
    uint64_t v = value_ps;
    if (__builtin_expect(v >> HIST_TOP_BIT != 0, 0)) {
        h->over_count++;
        v = (UINT64_C(1) << HIST_TOP_BIT) - 1;
    }
    unsigned shift = v < (2u << HIST_SUB_BITS) ? 0 : 63u - HIST_SUB_BITS - (unsigned)__builtin_clzll(v);
    h->bucket[(shift << HIST_SUB_BITS) + (unsigned)(v >> shift)]++;
}

#endif
