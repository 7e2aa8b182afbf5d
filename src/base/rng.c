/* src/base/rng.c - xoshiro256** and what is drawn from it, in integers. */
#include "src/base/rng.h"

#include "src/base/fail.h"

__extension__ typedef unsigned __int128 u128;

static uint64_t splitmix64(uint64_t *state)
{
    *state += 0x9e3779b97f4a7c15u;
    return mix64(*state);
}

uint64_t mix64(uint64_t x)
{
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t fnv1a(const char *text)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 0x100000001b3u;
    return h;
}

struct rng rng_stream(uint64_t seed, const char *name)
{
    uint64_t state = mix64(seed) ^ fnv1a(name);
    struct rng r;
    for (int i = 0; i < 4; i++)
        r.s[i] = splitmix64(&state);
    return r; /* four equal zeros cannot come out of splitmix64: it is a permutation of a counter */
}

static uint64_t rotl(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

/* Multiply and reject: D. Lemire, Fast Random Integer Generation in an Interval (TOMACS 2019). */
uint64_t rng_below(struct rng *r, uint64_t n)
{
    CHECK(n > 0, "rng_below: empty range");
    u128 m = (u128)rng_next(r) * n;
    if ((uint64_t)m < n) {
        uint64_t least = -n % n;
        while ((uint64_t)m < least)
            m = (u128)rng_next(r) * n;
    }
    return (uint64_t)(m >> 64);
}

uint64_t rng_between(struct rng *r, uint64_t lo, uint64_t hi)
{
    CHECK(lo <= hi, "rng_between: %llu > %llu", (unsigned long long)lo, (unsigned long long)hi);
    return hi - lo == UINT64_MAX ? rng_next(r) : lo + rng_below(r, hi - lo + 1);
}

bool rng_chance(struct rng *r, uint32_t num, uint32_t den) { return rng_below(r, den) < num; }

/* -ln(m) for the mantissas m = (4096 + i + 1/2) / 8192 in [1/2, 1), in units of 2^-32. */
enum { LN_BITS = 12, LN_ENTRIES = 1 << LN_BITS };
static const uint64_t LN_2 = 2977044472u; /* ln 2 * 2^32, rounded */
static const uint64_t CUT = UINT64_C(12) << 32;
static uint32_t minus_ln[LN_ENTRIES];

/* 2 artanh(1/n) * 2^61 = ln((n + 1) / (n - 1)) * 2^61, for n > 8000: three terms are exact to 2^-60. */
static uint64_t twice_artanh_of_inverse(uint64_t n)
{
    const uint64_t two = UINT64_C(1) << 62;
    return two / n + two / n / n / n / 3 + two / n / n / n / n / n / 5;
}

/* From the largest mantissa down, ln by ln of neighbouring ratios; before main, so that threads need no lock. */
__attribute__((constructor)) static void fill_minus_ln(void)
{
    uint64_t sum = 0;
    for (int i = LN_ENTRIES - 1; i >= 0; i--) {
        uint64_t odd = 2u * (LN_ENTRIES + (uint64_t)i) + 1; /* m = odd / 16384 */
        sum += twice_artanh_of_inverse(i == LN_ENTRIES - 1 ? 2 * odd + 1 : odd + 1);
        minus_ln[i] = (uint32_t)(sum >> 29);
    }
}

/* Inversion: the mean times -ln(u). Leading zeros of u count halvings, the next bits pick the mantissa. */
uint64_t rng_exponential(struct rng *r, uint64_t mean)
{
    uint64_t u = rng_next(r) | 1;
    unsigned halvings = (unsigned)__builtin_clzll(u);
    uint64_t mantissa = (u << halvings) << 1 >> (64 - LN_BITS);
    uint64_t ln = halvings * LN_2 + minus_ln[mantissa];
    return (uint64_t)((u128)mean * (ln < CUT ? ln : CUT) >> 32);
}
