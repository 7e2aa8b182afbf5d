/* tests/unit/test_kern_watermark.c - watermark arithmetic, list sizing, names of flags. */
#include <criterion/criterion.h>

#include "src/kern/watermark.h"

#include <string.h>

static bool passes(gfp_t gfp, unsigned order, uint64_t free_pages, uint64_t min, bool has_block)
{
    struct watermark_check c = { .free_pages = free_pages, .mark = min, .order = order, .has_block = has_block,
                                 .alloc_flags = watermark_alloc_flags(gfp) };
    watermark_decide(&c);
    return c.ok;
}

Test(watermark, floors_of_the_flag_sets)
{
    cr_assert_eq(watermark_effective(1000, watermark_alloc_flags(GFP_ATOMIC)), 375); /* 37.5 % */
    cr_assert_eq(watermark_effective(1000, watermark_alloc_flags(GFP_NOWAIT)), 1000);
    cr_assert_eq(watermark_effective(1000, watermark_alloc_flags(GFP_KERNEL)), 1000);
    cr_assert_eq(watermark_effective(1000, watermark_alloc_flags(GFP_KERNEL | GFPM_HIGH)), 500);
    cr_assert_eq(watermark_effective(1000, watermark_alloc_flags(GFP_ATOMIC | GFPM_NOMEMALLOC)), 500);
    cr_assert_eq(watermark_effective(1000, ALLOC_OOM), 500);
    cr_assert_eq(watermark_effective(1000, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_OOM), 188);
}

Test(watermark, strictly_more_than_the_mark)
{
    cr_assert(!passes(GFP_ATOMIC, 0, 375, 1000, false));
    cr_assert(passes(GFP_ATOMIC, 0, 376, 1000, false));
    cr_assert(!passes(GFP_NOWAIT, 0, 1000, 1000, false));
    cr_assert(passes(GFP_NOWAIT, 0, 1001, 1000, false));
    cr_assert(!passes(GFP_NOWAIT, 3, 1007, 1000, true)); /* 2^3 - 1 unusable */
    cr_assert(passes(GFP_NOWAIT, 3, 1008, 1000, true));
    cr_assert(!passes(GFP_NOWAIT, 3, 1008, 1000, false)); /* enough pages, no block */
    cr_assert(!passes(GFP_NOWAIT, 5, 10, 0, true));       /* fewer free than unusable: no wrap-around */
}

Test(watermark, memalloc_ignores_the_mark_unless_forbidden)
{
    cr_assert(passes(GFP_NOWAIT | GFPM_MEMALLOC, 0, 0, 1000, false));
    cr_assert(!passes(GFP_NOWAIT | GFPM_MEMALLOC | GFPM_NOMEMALLOC, 0, 0, 1000, false));
}

Test(watermark, lowmem_reserve_counts)
{
    struct watermark_check c = { .free_pages = 1010, .mark = 1000, .lowmem_reserve = 10 };
    watermark_decide(&c);
    cr_assert(!c.ok);
    c.free_pages = 1011;
    watermark_decide(&c);
    cr_assert(c.ok);
}

Test(watermark, the_explanation_has_the_inequality)
{
    char text[256];
    struct watermark_check c = { .free_pages = 300, .mark = 1000, .alloc_flags = watermark_alloc_flags(GFP_ATOMIC) };
    watermark_decide(&c);
    cr_assert_str_eq(watermark_explain(&c, text, sizeof text),
                     "order 0: free 300 - unusable 0 is not > min 1000 x 0.5 x 0.75 = 375 + lowmem reserve 0");
    c = (struct watermark_check){ .free_pages = 2000, .mark = 1000, .order = 4, .alloc_flags = ALLOC_WMARK_LOW };
    watermark_decide(&c);
    cr_assert_str_eq(watermark_explain(&c, text, sizeof text),
                     "order 4: free 2000 - unusable 15 > low 1000 = 1000 + lowmem reserve 0, but no block of order 4 "
                     "or larger is free");
}

Test(watermark, min_free_kbytes)
{
    cr_assert_eq(watermark_min_free_kbytes(16 << 10), 512);        /* 16 MiB: sqrt(16 x 16384) */
    cr_assert_eq(watermark_min_free_kbytes(1 << 20), 4096);        /* 1 GiB */
    cr_assert_eq(watermark_min_free_kbytes(UINT64_C(16) << 20), 16384);
    cr_assert_eq(watermark_min_free_kbytes(1000), 128);            /* sqrt(16000) = 126 */
    cr_assert_eq(watermark_min_free_kbytes(UINT64_C(1) << 33), 262144);
    cr_assert_eq(watermark_min_free_kbytes(99999), 1264);          /* sqrt(1599984) = 1264.9, rounded down */
}

Test(watermark, marks_of_a_zone)
{
    struct watermarks m = watermarks_compute(262144, 4096, 10);    /* gap: 262144 x 10 / 10000 beats 1024 / 4 */
    cr_assert(m.min == 1024 && m.low == 1024 + 262 && m.high == 1024 + 2 * 262 && m.promo == 1024 + 3 * 262);
    m = watermarks_compute(10000, 4096, 10);                       /* gap: min / 4 */
    cr_assert(m.min == 1024 && m.low == 1280 && m.high == 1536);
    m = watermarks_compute(262144, 4096, 1000);
    cr_assert_eq(m.low, 1024 + 26214);
}

Test(watermark, per_cpu_batch_by_zone_size)
{
    static const struct { uint64_t mib; unsigned batch; } rows[] = { { 128, 7 }, { 256, 15 }, { 512, 31 },
        { 1024, 63 }, { 4096, 63 }, { 262144, 63 }, { 16, 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_eq(watermark_pcp_batch(rows[i].mib * 256), rows[i].batch, "%lu MiB: %u", (unsigned long)rows[i].mib,
                     watermark_pcp_batch(rows[i].mib * 256));
    cr_assert_eq(watermark_pcp_high(10000, 4, 63), 2500);
    cr_assert_eq(watermark_pcp_high(100, 4, 63), 252);
}

Test(gfp, compositions_have_linux_values)
{
    cr_assert_eq(GFP_ATOMIC, 0x820);
    cr_assert_eq(GFP_KERNEL, 0xcc0);
    cr_assert_eq(GFP_NOWAIT, 0x2800);
    cr_assert_eq(GFP_HIGHUSER_MOVABLE, 0x100cca);
}

static gfp_t parsed(const char *text)
{
    gfp_t flags = 0;
    cr_assert(gfp_parse(text, &flags), "%s", text);
    return flags;
}

Test(gfp, names)
{
    cr_assert_eq(parsed("ATOMIC"), GFP_ATOMIC);
    cr_assert_eq(parsed("GFP_HIGHUSER_MOVABLE"), GFP_HIGHUSER_MOVABLE);
    cr_assert_eq(parsed("KERNEL|ZERO"), GFP_KERNEL | GFPM_ZERO);
    cr_assert_eq(parsed(" GFP_NOWAIT | __GFP_MEMALLOC "), GFP_NOWAIT | GFPM_MEMALLOC);
    cr_assert_eq(parsed("HIGH|NOWARN"), GFPM_HIGH | GFPM_NOWARN);
}

Test(gfp, refused)
{
    static const char *const bad[] = { "", "ATOMICS", "ATOMIC|", "|ATOMIC", "ATOMIC|KERNEL", "ZERO|ZERO", "ATOM IC",
        "__GFP_ATOMIC", "GFP_ZERO", "EXCLUSIVE", "__GFP_EXCLUSIVE", "GFP_", "atomic", "ATOMIC||ZERO" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        gfp_t flags = 77;
        cr_assert(!gfp_parse(bad[i], &flags), "'%s'", bad[i]);
        cr_assert_eq(flags, 77);
    }
}

Test(gfp, classes)
{
    cr_assert_eq(gfp_class(GFP_ATOMIC | GFPM_ZERO | GFPM_NOWARN), CLASS_ALLOC_ATOMIC);
    cr_assert_eq(gfp_class(GFP_NOWAIT), CLASS_ALLOC_NOWAIT);
    cr_assert_eq(gfp_class(GFP_KERNEL | GFPM_ZERO), CLASS_ALLOC_KERNEL);
    cr_assert_eq(gfp_class(GFP_HIGHUSER_MOVABLE), CLASS_ALLOC_HIGHUSER_MOVABLE);
    cr_assert_eq(gfp_class(GFP_NOFS), CLASS_ALLOC_OTHER);
    cr_assert_eq(gfp_class(GFP_ATOMIC | GFPM_MEMALLOC), CLASS_ALLOC_OTHER);
}
