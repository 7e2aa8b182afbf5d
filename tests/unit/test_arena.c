/* tests/unit/test_arena.c - alignment, zeroing, accounting, the seal. */
#include "src/base/arena.h"
#include "src/base/rng.h"

#include <criterion/criterion.h>
#include <string.h>

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
    enum { PIECES = 3000 };
    static unsigned char *piece[PIECES];
    static size_t size[PIECES];
    struct arena *a = arena_new();
    struct rng r = rng_stream(11, "arena");
    uint64_t asked = 0;
    for (unsigned i = 0; i < PIECES; i++) {
        size[i] = 1 + rng_below(&r, i % 100 == 0 ? 200000 : 300);
        piece[i] = arena_alloc(a, 1, size[i]);
        asked += size[i];
        for (size_t k = 0; k < size[i]; k++)
            cr_assert_eq(piece[i][k], 0, "piece %u byte %zu", i, k);
        uintptr_t align = size[i] > 32 ? 64 : 8;
        cr_assert_eq((uintptr_t)piece[i] % align, 0, "%zu bytes at %p", size[i], (void *)piece[i]);
        memset(piece[i], (int)(i % 255) + 1, size[i]);
    }
    for (unsigned i = 0; i < PIECES; i++)
        for (size_t k = 0; k < size[i]; k++)
            cr_assert_eq(piece[i][k], i % 255 + 1, "piece %u was overwritten", i);
    cr_assert_geq(arena_used_bytes(a), asked);
    cr_assert_leq(arena_used_bytes(a), asked + 64 * PIECES);
    arena_free(a);
}

Test(arena, text)
{
    struct arena *a = arena_new();
    cr_assert_str_eq(arena_printf(a, "core%u.%s", 3u, "cache"), "core3.cache");
    cr_assert_str_eq(arena_strdup(a, ""), "");
    arena_free(a);
    arena_free(NULL);
}

Test(arena, sealed_is_a_panic, .exit_code = 1)
{
    struct arena *a = arena_new();
    (void)ARENA_ONE(a, int);
    arena_seal(a);
    cr_assert(arena_sealed(a));
    (void)ARENA_ONE(a, int);
}

Test(arena, overflow_is_a_panic, .exit_code = 1)
{
    (void)arena_alloc(arena_new(), SIZE_MAX / 4, 8);
}
