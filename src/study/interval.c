/* src/study/interval.c - see interval.h. half = t sqrt((n S2 - S1^2) / (n^2 (n - 1))) with S1, S2 the sums of
 * the deviations from the least value and of their squares.
 */
#include "src/study/interval.h"

__extension__ typedef unsigned __int128 u128;

/* Quantiles 0.975 of Student's t, times 1000 (any table of the distribution, e.g. NIST/SEMATECH e-Handbook of
 * Statistical Methods, 1.3.6.7.2). */
static const uint16_t t_small[] = { 12706, 4303, 3182, 2776, 2571, 2447, 2365, 2306, 2262, 2228,
                                    2201,  2179, 2160, 2145, 2131, 2120, 2110, 2101, 2093, 2086,
                                    2080,  2074, 2069, 2064, 2060, 2056, 2052, 2048, 2045, 2042 };
static const struct { size_t degrees; uint16_t t; } t_large[] = { { 1000, 1962 }, { 120, 1980 }, { 60, 2000 },
                                                                  { 40, 2021 },   { 30, 2042 } };

uint32_t student_t_permille(size_t degrees)
{
    if (degrees <= 30)
        return t_small[degrees ? degrees - 1 : 0];
    for (size_t i = 0; i < sizeof t_large / sizeof *t_large; i++)
        if (degrees >= t_large[i].degrees)
            return t_large[i].t;
    return t_small[29];
}

static u128 root_floor(u128 x)
{
    u128 root = 0;
    for (u128 bit = (u128)1 << 126; bit; bit >>= 2) {
        if (x >= root + bit) {
            x -= root + bit;
            root = (root >> 1) + bit;
        } else
            root >>= 1;
    }
    return root;
}

/* 2^(2k) as a scale before the division keeps digits of small variances; deviations beyond 2^40 (a second in
 * ps) are halved first until n S2 cannot overflow. */
static uint64_t half_width(const uint64_t *values, size_t n, uint64_t least, uint64_t most)
{
    unsigned down = 0, up = 0;
    while (((most - least) >> down) >> 40)
        down++;
    u128 s1 = 0, s2 = 0;
    for (size_t i = 0; i < n; i++) {
        u128 d = (values[i] - least) >> down;
        s1 += d;
        s2 += d * d;
    }
    u128 numerator = (u128)n * s2 - s1 * s1, denominator = (u128)n * n * (n - 1);
    while (up < 16 && numerator >> 124 == 0) {
        numerator <<= 2;
        up++;
    }
    u128 root = root_floor(numerator / denominator) * student_t_permille(n - 1);
    u128 unit = (u128)1000 << up;
    u128 half = (root + unit - 1) / unit << down;
    return half > UINT64_MAX ? UINT64_MAX : (uint64_t)half;
}

struct interval interval_of(const uint64_t *values, size_t n)
{
    struct interval result = { .count = n };
    if (n == 0)
        return result;
    u128 sum = 0;
    uint64_t least = values[0], most = values[0];
    for (size_t i = 0; i < n; i++) {
        sum += values[i];
        least = values[i] < least ? values[i] : least;
        most = values[i] > most ? values[i] : most;
    }
    result.mean = (uint64_t)((sum + n / 2) / n);
    result.known = n >= 2;
    if (result.known && most > least)
        result.half_width = half_width(values, n, least, most);
    return result;
}
