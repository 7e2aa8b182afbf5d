/* tests/unit/test_hist.c - stated precision, exact sums, nearest-rank percentiles against a sorted list. */
#include "src/base/hist.h"
#include "src/base/rng.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct hist h, other, both;

Test(hist, buckets_tile_the_range_at_the_stated_precision)
{
    uint64_t next = 0;
    for (unsigned b = 0; b < HIST_BUCKETS; b++) {
        uint64_t edge = hist_upper_edge_ps(b);
        cr_assert_geq(edge, next, "bucket %u is empty", b);
        cr_assert_eq(hist_bucket_of(next), b);
        cr_assert_eq(hist_bucket_of(edge), b);
        uint64_t width = edge - next + 1;
        cr_assert(next < 256 ? width == 1 : width * 128 <= next, "bucket %u from %llu is %llu wide", b,
                  (unsigned long long)next, (unsigned long long)width);
        next = edge + 1;
    }
    cr_assert_eq(next, UINT64_C(1) << HIST_TOP_BIT);
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

Test(hist, percentiles_are_nearest_rank)
{
    enum { N = 10007 };
    static uint64_t value[N];
    static const uint32_t asked[] = { 0, 1, 5000, 9000, 9900, 9990, 9999, 10000 };
    struct rng r = rng_stream(5, "hist");
    uint64_t sum = 0;
    for (unsigned i = 0; i < N; i++) {
        value[i] = rng_exponential(&r, i % 2 ? 1000 : 40000000);
        sum += value[i];
        hist_add(&h, value[i]);
    }
    qsort(value, N, sizeof *value, by_value);
    cr_assert_eq(h.count, N);
    cr_assert_eq(h.sum_ps, sum);
    cr_assert_eq(h.min_ps, value[0]);
    cr_assert_eq(h.max_ps, value[N - 1]);
    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
        uint64_t rank = ((uint64_t)N * asked[i] + 9999) / 10000;
        uint64_t exact = value[rank ? rank - 1 : 0], got = hist_percentile_ps(&h, asked[i]);
        uint64_t edge = hist_upper_edge_ps(hist_bucket_of(exact));
        uint64_t want = rank == 0 ? exact : edge < h.max_ps ? edge : h.max_ps;
        cr_assert_eq(got, want, "p%.2f: %llu, not %llu", asked[i] / 100.0, (unsigned long long)got,
                     (unsigned long long)want);
    }
}

Test(hist, small_counts)
{
    cr_assert_eq(hist_percentile_ps(&h, 5000), 0);
    hist_add(&h, 7);
    cr_assert_eq(hist_percentile_ps(&h, 0), 7);
    cr_assert_eq(hist_percentile_ps(&h, 10000), 7);
    hist_add(&h, 9);
    cr_assert_eq(hist_percentile_ps(&h, 5000), 7); /* nearest rank: the first of two */
    cr_assert_eq(hist_percentile_ps(&h, 5001), 9);
    hist_reset(&h);
    cr_assert_eq(h.count + h.sum_ps + h.bucket[7], 0);
}

Test(hist, too_large_is_clamped_and_counted)
{
    uint64_t large = UINT64_C(1) << 50;
    hist_add(&h, large);
    hist_add(&h, (UINT64_C(1) << HIST_TOP_BIT) - 1);
    cr_assert_eq(h.over_count, 1);
    cr_assert_eq(h.bucket[HIST_BUCKETS - 1], 2);
    cr_assert_eq(h.max_ps, large);
    cr_assert_eq(hist_percentile_ps(&h, 10000), large);
}

Test(hist, merge_is_the_same_as_adding)
{
    struct rng r = rng_stream(6, "merge");
    hist_merge(&both, &h); /* empty into empty */
    for (unsigned i = 0; i < 1000; i++) {
        uint64_t v = rng_next(&r) >> rng_below(&r, 60);
        hist_add(i % 3 ? &h : &other, v);
        hist_add(&both, v);
    }
    hist_merge(&h, &other);
    cr_assert(memcmp(&h, &both, sizeof h) == 0);
}
