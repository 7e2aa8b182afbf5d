/* src/base/rng.h - random streams. One seed for a run, split into a named stream per user, so that
 * adding an agent leaves the draws of the others alone. xoshiro256** (Blackman and Vigna 2018),
 * seeded by splitmix64 over (seed, FNV-1a of the name). Integer arithmetic only: equal on every host.
 */
#ifndef LAB_BASE_RNG_H
#define LAB_BASE_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

struct rng rng_stream(uint64_t seed, const char *name);
uint64_t rng_next(struct rng *);                          /* uniform over 64 bits */
uint64_t rng_below(struct rng *, uint64_t n);             /* uniform over [0, n), n > 0, unbiased */
uint64_t rng_between(struct rng *, uint64_t lo, uint64_t hi); /* inclusive */
bool rng_chance(struct rng *, uint32_t num, uint32_t den); /* true with probability num/den */
/* Exponential with the given mean, from an integer table of -ln (no libm): resolution 1/4096 of the
 * mean, cut at 12 means. */
uint64_t rng_exponential(struct rng *, uint64_t mean);

/* Digests used all over: splitmix64's finaliser, and a chain step. */
uint64_t mix64(uint64_t x);
static inline uint64_t hash_chain(uint64_t h, uint64_t x)
{
    h ^= x;
    h *= 0x9e3779b97f4a7c15u;
    return h ^ (h >> 29);
}

#endif
