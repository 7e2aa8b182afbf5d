/* tests/unit/test_rng.c - the published generator, equal on every host, and the shapes drawn from it. */
#include "src/base/rng.h"

#include <criterion/criterion.h>

/* First outputs from state {1, 2, 3, 4}, the vector that implementations of xoshiro256** are tested with; the
 * first is rotl(2 * 5, 7) * 9. */
Test(rng, is_xoshiro256starstar)
{
    struct rng r = { { 1, 2, 3, 4 } };
    static const uint64_t want[] = { 11520, 0, 1509978240, 1215971899390074240 };
    for (unsigned i = 0; i < 4; i++)
        cr_assert_eq(rng_next(&r), want[i], "output %u", i);
}

Test(rng, mix64_is_the_finaliser_of_splitmix64)
{
    cr_assert_eq(mix64(0x9e3779b97f4a7c15u), 0xe220a8397b1dcdafu); /* first output of splitmix64 from state 0 */
}

Test(rng, streams_depend_on_seed_and_name_only)
{
    struct rng a = rng_stream(1, "owner"), b = rng_stream(1, "owner"), c = rng_stream(1, "readers"),
               d = rng_stream(2, "owner");
    uint64_t x = rng_next(&a);
    cr_assert_eq(x, rng_next(&b));
    cr_assert_neq(x, rng_next(&c));
    cr_assert_neq(x, rng_next(&d));
}

Test(rng, below_is_uniform_and_in_range)
{
    enum { CELLS = 7, DRAWS = 700000 };
    unsigned seen[CELLS] = { 0 };
    struct rng r = rng_stream(3, "below");
    for (unsigned i = 0; i < DRAWS; i++) {
        uint64_t v = rng_below(&r, CELLS);
        cr_assert_lt(v, CELLS);
        seen[v]++;
    }
    double chi2 = 0, want = (double)DRAWS / CELLS;
    for (unsigned i = 0; i < CELLS; i++)
        chi2 += (seen[i] - want) * (seen[i] - want) / want;
    cr_assert_lt(chi2, 22.5, "chi2 %f with 6 degrees (p = 0.001)", chi2);
}

/* Where taking the remainder would be biased by a half: n = 3/4 of the range. */
Test(rng, below_has_no_bias_for_large_ranges)
{
    struct rng r = rng_stream(4, "bias");
    uint64_t n = UINT64_C(3) << 62;
    unsigned low = 0;
    for (unsigned i = 0; i < 30000; i++)
        low += rng_below(&r, n) < UINT64_C(1) << 62;
    cr_assert(low > 9600 && low < 10400, "%u of 30000 in the lowest third", low);
}

Test(rng, between_reaches_both_ends)
{
    struct rng r = rng_stream(5, "between");
    bool lo = false, hi = false;
    for (unsigned i = 0; i < 200; i++) {
        uint64_t v = rng_between(&r, 10, 13);
        cr_assert(v >= 10 && v <= 13);
        lo |= v == 10;
        hi |= v == 13;
    }
    cr_assert(lo && hi);
    cr_assert_eq(rng_between(&r, 8, 8), 8);
    (void)rng_between(&r, 0, UINT64_MAX);
}

Test(rng, chance)
{
    struct rng r = rng_stream(6, "chance");
    unsigned hits = 0;
    for (unsigned i = 0; i < 100000; i++) {
        hits += rng_chance(&r, 65, 100);
        cr_assert_not(rng_chance(&r, 0, 5));
        cr_assert(rng_chance(&r, 5, 5));
    }
    cr_assert(hits > 64300 && hits < 65700, "%u", hits);
}

/* Mean, deviation and tail of the exponential: 1, 1, and e^-3 above three means. Bounds are five sigma. */
Test(rng, exponential_has_its_mean_deviation_and_tail)
{
    enum { N = 2000000, MEAN = 1000000 };
    struct rng r = rng_stream(7, "exponential");
    double sum = 0, squares = 0;
    unsigned above = 0;
    for (unsigned i = 0; i < N; i++) {
        uint64_t v = rng_exponential(&r, MEAN);
        cr_assert_leq(v, UINT64_C(12) * MEAN);
        double x = (double)v / MEAN;
        sum += x;
        squares += x * x;
        above += v > 3 * MEAN;
    }
    double mean = sum / N, variance = squares / N - mean * mean;
    cr_assert(mean > 0.9965 && mean < 1.0035, "mean %f", mean);
    cr_assert(variance > 0.988 && variance < 1.011, "variance %f", variance);
    cr_assert((double)above / N > 0.04902 && (double)above / N < 0.05056, "tail %f", (double)above / N);
}

Test(rng, exponential_is_pinned)
{
    struct rng r = rng_stream(1, "pin");
    uint64_t h = 0;
    for (unsigned i = 0; i < 1000; i++)
        h = hash_chain(h, rng_exponential(&r, 123456789));
    cr_assert_eq(h, UINT64_C(0xd22dc357c43eb1dd), "digest 0x%016llx", (unsigned long long)h);
}

Test(rng, empty_range_is_a_panic, .exit_code = 1)
{
    struct rng r = rng_stream(1, "x");
    (void)rng_below(&r, 0);
}
