/* tests/unit/test_kern_watermark.c - watermark arithmetic, list sizing, names of flags. */
#include <criterion/criterion.h>

#include "src/kern/watermark.h"

#include <string.h>

static const struct kernel_rules *now(void) { return kernel_rules(KERNEL_6_8); }

static bool passes(gfp_t gfp, unsigned order, uint64_t free_pages, uint64_t min, bool has_block)
{
    struct watermark_check c = { .rules = now(), .free_pages = free_pages, .mark = min, .order = order, .has_block = has_block,
                                 .alloc_flags = watermark_alloc_flags(now(), gfp, order) };
    watermark_decide(&c);
    return c.ok;
}

/* 1000 lowered as the flags of a request allow. */
static uint64_t floor_of(enum kernel_version v, const char *text)
{
    gfp_t gfp = 0;
    char why[200];
    cr_assert(gfp_parse(v, text, &gfp, why, sizeof why), "%s", why);
    return watermark_effective(kernel_rules(v), 1000, watermark_alloc_flags(kernel_rules(v), gfp, 0));
}

Test(watermark, floors_of_the_flag_sets)
{
    cr_assert_eq(floor_of(KERNEL_6_8, "ATOMIC"), 375); /* 37.5 % */
    cr_assert_eq(floor_of(KERNEL_6_8, "NOWAIT"), 1000);
    cr_assert_eq(floor_of(KERNEL_6_8, "KERNEL"), 1000);
    cr_assert_eq(floor_of(KERNEL_6_8, "KERNEL|HIGH"), 500);
    cr_assert_eq(floor_of(KERNEL_6_8, "ATOMIC|NOMEMALLOC"), 500);
    cr_assert_eq(watermark_effective(now(), 1000, ALLOC_OOM), 500);
    cr_assert_eq(watermark_effective(now(), 1000, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_OOM), 188);
}

/* Until 6.2 the quarter for HARDER came without HIGH too, from __GFP_ATOMIC only; a victim's half instead of it. */
Test(watermark, floors_of_older_kernels)
{
    const struct kernel_rules *old = kernel_rules(KERNEL_6_0);
    cr_assert_eq(floor_of(KERNEL_6_0, "ATOMIC"), 375);
    cr_assert_eq(floor_of(KERNEL_6_0, "NOWAIT"), 1000);
    cr_assert_eq(floor_of(KERNEL_6_0, "__GFP_ATOMIC"), 750);
    cr_assert_eq(floor_of(KERNEL_6_0, "__GFP_HIGH"), 500);
    cr_assert_eq(watermark_effective(old, 1000, ALLOC_MIN_RESERVE | ALLOC_NON_BLOCK | ALLOC_OOM), 250);
    cr_assert_eq(watermark_effective(now(), 1000, ALLOC_NON_BLOCK), 1000);
}

static bool draws_on_highatomic(enum kernel_version v, const char *text, unsigned order)
{
    gfp_t gfp = 0;
    char why[200];
    cr_assert(gfp_parse(v, text, &gfp, why, sizeof why), "%s", why);
    return (watermark_alloc_flags(kernel_rules(v), gfp, order) & ALLOC_HIGHATOMIC) != 0;
}

/* High orders that cannot wait; since 6.13 only with HIGH; before 6.3 only with __GFP_ATOMIC. */
Test(watermark, who_draws_on_highatomic)
{
    cr_assert(draws_on_highatomic(KERNEL_6_8, "ATOMIC", 1));
    cr_assert(!draws_on_highatomic(KERNEL_6_8, "ATOMIC", 0));
    cr_assert(!draws_on_highatomic(KERNEL_6_8, "ATOMIC|NOMEMALLOC", 3));
    cr_assert(!draws_on_highatomic(KERNEL_6_8, "KERNEL|HIGH", 3));
    cr_assert(draws_on_highatomic(KERNEL_6_8, "NOWAIT", 3));
    cr_assert(!draws_on_highatomic(KERNEL_6_13, "NOWAIT", 3));
    cr_assert(draws_on_highatomic(KERNEL_6_13, "ATOMIC", 3));
    cr_assert(draws_on_highatomic(KERNEL_6_0, "ATOMIC", 3));
    cr_assert(!draws_on_highatomic(KERNEL_6_0, "NOWAIT", 3));
}

/* The reserve is out of reach for those who have no reserve flag; until 6.2 for those without HARDER. */
Test(watermark, the_highatomic_reserve_is_not_usable_for_all)
{
    struct watermark_check c = { .rules = now(), .free_pages = 2000, .mark = 1000, .highatomic = 1024, .order = 2, .has_block = true };
    watermark_decide(&c);
    cr_assert(!c.ok && c.unusable == 3 + 1024);
    c.alloc_flags = watermark_alloc_flags(now(), GFP_NOWAIT, 2);
    watermark_decide(&c);
    cr_assert(c.ok && c.unusable == 3);
    c.alloc_flags = ALLOC_MIN_RESERVE;
    watermark_decide(&c);
    cr_assert(c.ok && c.unusable == 3);
    c.rules = kernel_rules(KERNEL_6_0);
    watermark_decide(&c);
    cr_assert_eq(c.unusable, 3 + 1024);
}

/* Order 0 with HIGH at min may leave the boost out, if only that helps. */
Test(watermark, boost)
{
    struct watermark_check c = { .rules = now(), .free_pages = 1200, .mark = 1000, .boost = 512 };
    watermark_decide(&c);
    cr_assert(!c.ok && c.effective == 1512);
    c.free_pages = 1513;
    watermark_decide(&c);
    cr_assert(c.ok);
    c.free_pages = 600;
    c.alloc_flags = ALLOC_MIN_RESERVE; /* (1000 + 512) / 2 = 756, without boost 500 */
    watermark_decide(&c);
    cr_assert(c.ok && c.boost_ignored && c.effective == 500);
    c.free_pages = 800;
    watermark_decide(&c);
    cr_assert(c.ok && !c.boost_ignored && c.effective == 756);
    c.free_pages = 600;
    c.order = 1;
    c.has_block = true;
    watermark_decide(&c);
    cr_assert(!c.ok && !c.boost_ignored);
}

/* Steps of a pageblock up to 150 % of high, one pageblock at least; small zones never. */
Test(watermark, how_far_a_boost_goes)
{
    cr_assert_eq(watermark_boosted(0, 1000, 100000, 15000), 512);
    cr_assert_eq(watermark_boosted(512, 1000, 100000, 15000), 1024);
    cr_assert_eq(watermark_boosted(1024, 1000, 100000, 15000), 1500);
    cr_assert_eq(watermark_boosted(1500, 1000, 100000, 15000), 1500);
    cr_assert_eq(watermark_boosted(0, 10, 100000, 15000), 512);
    cr_assert_eq(watermark_boosted(512, 10, 100000, 15000), 512);
    cr_assert_eq(watermark_boosted(0, 1000, 100000, 0), 0);
    cr_assert_eq(watermark_boosted(0, 1000, 2048, 15000), 0);
}

/* 1 % rounded up to pageblocks, nothing where 1 % is less than one; before 6.8 1 % and one. */
Test(watermark, size_of_the_highatomic_reserve)
{
    cr_assert_eq(watermark_highatomic_max(now(), 262144), 3072); /* 2621 pages: 6 pageblocks */
    cr_assert_eq(watermark_highatomic_max(now(), 51200), 512);
    cr_assert_eq(watermark_highatomic_max(now(), 51199), 0);
    cr_assert_eq(watermark_highatomic_max(kernel_rules(KERNEL_6_3), 51199), 511 + 512);
}

Test(watermark, lowmem_reserve_by_ratio)
{
    cr_assert_eq(watermark_lowmem_reserve(262144, 256), 1024);
    cr_assert_eq(watermark_lowmem_reserve(262144, 32), 8192);
    cr_assert_eq(watermark_lowmem_reserve(262144, 0), 0);
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
    struct watermark_check c = { .rules = now(), .free_pages = 1010, .mark = 1000, .lowmem_reserve = 10 };
    watermark_decide(&c);
    cr_assert(!c.ok);
    c.free_pages = 1011;
    watermark_decide(&c);
    cr_assert(c.ok);
}

Test(watermark, the_explanation_has_the_inequality)
{
    char text[256];
    struct watermark_check c = { .rules = now(), .free_pages = 300, .mark = 1000,
                                 .alloc_flags = watermark_alloc_flags(now(), GFP_ATOMIC, 0) };
    watermark_decide(&c);
    cr_assert_str_eq(watermark_explain(&c, text, sizeof text),
                     "order 0: free 300 - unusable 0 is not > min 1000 x 0.5 x 0.75 = 375 + lowmem reserve 0");
    c = (struct watermark_check){ .rules = now(), .free_pages = 2000, .mark = 1000, .order = 4, .alloc_flags = ALLOC_WMARK_LOW };
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
    struct watermarks m = watermarks_compute(262144, 262144, false, 4096, 10); /* gap: 262144 x 10 / 10000 beats 1024 / 4 */
    cr_assert(m.min == 1024 && m.low == 1024 + 262 && m.high == 1024 + 2 * 262 && m.promo == 1024 + 3 * 262);
    m = watermarks_compute(10000, 10000, false, 4096, 10);                     /* gap: min / 4 */
    cr_assert(m.min == 1024 && m.low == 1280 && m.high == 1536);
    m = watermarks_compute(262144, 262144, false, 4096, 1000);
    cr_assert_eq(m.low, 1024 + 26214);
}

/* Each zone has its share of min_free_kbytes; MOVABLE 1/1024 of itself, 32 to 128 pages, but the gap of its share. */
Test(watermark, marks_of_several_zones)
{
    struct watermarks dma = watermarks_compute(3840, 262144, false, 4096, 10);
    cr_assert(dma.min == 15 && dma.low == 15 + 3 && dma.high == 15 + 6);
    struct watermarks m = watermarks_compute(65536, 262144, true, 4096, 10);
    cr_assert(m.min == 64 && m.low == 64 + 65);
    cr_assert_eq(watermarks_compute(1024, 262144, true, 4096, 10).min, 32);
    cr_assert_eq(watermarks_compute(1 << 20, 262144, true, 4096, 10).min, 128);
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

static gfp_t parsed(enum kernel_version v, const char *text)
{
    gfp_t flags = 0;
    char why[200] = "";
    cr_assert(gfp_parse(v, text, &flags, why, sizeof why), "%s: %s", text, why);
    return flags;
}

Test(gfp, names)
{
    cr_assert_eq(parsed(KERNEL_6_8, "ATOMIC"), GFP_ATOMIC);
    cr_assert_eq(parsed(KERNEL_6_8, "GFP_HIGHUSER_MOVABLE"), GFP_HIGHUSER_MOVABLE);
    cr_assert_eq(parsed(KERNEL_6_8, "KERNEL|ZERO"), GFP_KERNEL | GFPM_ZERO);
    cr_assert_eq(parsed(KERNEL_6_8, " GFP_NOWAIT | __GFP_MEMALLOC "), GFP_NOWAIT | GFPM_MEMALLOC);
    cr_assert_eq(parsed(KERNEL_6_8, "HIGH|NOWARN"), GFPM_HIGH | GFPM_NOWARN);
    cr_assert_eq(parsed(KERNEL_6_8, "KERNEL & ~__GFP_IO"), GFP_KERNEL & ~(gfp_t)GFPM_IO);
    cr_assert_eq(parsed(KERNEL_6_8, "GFP_KERNEL&~__GFP_RECLAIM|__GFP_NOWARN"), GFPM_IO | GFPM_FS | GFPM_NOWARN);
    cr_assert_eq(parsed(KERNEL_6_8, "0x820"), GFP_ATOMIC);
    cr_assert_eq(parsed(KERNEL_6_8, "GFP_DMA|GFP_KERNEL"), GFP_KERNEL | GFPM_DMA);
}

/* The compositions of other versions, and the values their kernels log: v5.15 include/linux/gfp.h has
 * GFP_ATOMIC = 0xa20 and GFP_NOWAIT = 0x800. */
Test(gfp, versions)
{
    cr_assert_eq(gfp_value(KERNEL_5_15, parsed(KERNEL_5_15, "ATOMIC")), 0xa20);
    cr_assert_eq(gfp_value(KERNEL_6_0, parsed(KERNEL_6_0, "ATOMIC")), 0xa20);
    cr_assert_eq(gfp_value(KERNEL_6_3, parsed(KERNEL_6_3, "ATOMIC")), 0x820);
    cr_assert_eq(gfp_value(KERNEL_6_3, parsed(KERNEL_6_3, "NOWAIT")), 0x800);
    cr_assert_eq(gfp_value(KERNEL_6_8, parsed(KERNEL_6_8, "NOWAIT")), 0x2800);
    cr_assert_eq(gfp_value(KERNEL_6_0, parsed(KERNEL_6_0, "HIGHUSER_MOVABLE")), 0x100cca);
    cr_assert_eq(parsed(KERNEL_6_0, "__GFP_ATOMIC|__GFP_HIGH"), GFPM_ATOMIC | GFPM_HIGH);
    cr_assert_eq(gfp_value(KERNEL_6_8, GFP_ATOMIC | GFPM_ATOMIC), 0x820);
}

static void expect_text(enum kernel_version v, gfp_t flags, const char *want)
{
    char text[200];
    cr_assert_str_eq(gfp_text(v, flags, text, sizeof text), want);
}

Test(gfp, printed_as_linux_prints_them)
{
    expect_text(KERNEL_6_8, GFP_ATOMIC, "GFP_ATOMIC");
    expect_text(KERNEL_6_8, GFP_ATOMIC | GFPM_NOWARN | GFPM_ZERO, "GFP_ATOMIC|__GFP_ZERO|__GFP_NOWARN");
    expect_text(KERNEL_6_0, GFP_ATOMIC | GFPM_ATOMIC, "GFP_ATOMIC");
    expect_text(KERNEL_6_8, GFP_KERNEL & ~(gfp_t)GFPM_IO, "GFP_NOIO|__GFP_FS");
    expect_text(KERNEL_6_8, GFPM_DIRECT_RECLAIM, "__GFP_DIRECT_RECLAIM");
    expect_text(KERNEL_6_8, 0, "none");
}

static void refused(enum kernel_version v, const char *text, const char *want)
{
    gfp_t flags = 77;
    char why[200] = "";
    cr_assert(!gfp_parse(v, text, &flags, why, sizeof why), "'%s'", text);
    cr_assert_eq(flags, 77);
    cr_assert_str_eq(why, want);
}

Test(gfp, refused_with_the_reason)
{
    refused(KERNEL_6_8, "", "a flag is missing");
    refused(KERNEL_6_8, "ATOMICS", "unknown allocation flag 'ATOMICS'; did you mean 'ATOMIC'?");
    refused(KERNEL_6_8, "__GFP_NOWRN", "unknown allocation flag '__GFP_NOWRN'; did you mean '__GFP_NOWARN'?");
    refused(KERNEL_6_8, "ATOMIC|", "a flag is missing after the last sign");
    refused(KERNEL_6_8, "|ATOMIC", "a flag is missing");
    refused(KERNEL_6_8, "ATOMIC||ZERO", "a flag is missing after the last sign");
    refused(KERNEL_6_8, "ATOMIC|KERNEL", "'KERNEL' is a second composition: only modifiers (__GFP_...) can be added");
    refused(KERNEL_6_8, "ZERO|ZERO", "'ZERO' is given twice");
    refused(KERNEL_6_8, "ATOM IC", "unknown allocation flag 'ATOM' in Linux 6.8");
    refused(KERNEL_6_8, "KERNEL & IO", "'&' takes flags away and needs a '~' after it");
    refused(KERNEL_6_8, "KERNEL ZERO", "'|' or '& ~' expected before 'ZERO'");
    refused(KERNEL_6_8, "GFP_ZERO", "unknown allocation flag 'GFP_ZERO'; did you mean '__GFP_ZERO'?");
    refused(KERNEL_6_8, "EXCLUSIVE", "'EXCLUSIVE' is no flag of Linux: 'exclusive' is an attribute of the request");
    refused(KERNEL_6_8, "__GFP_EXCLUSIVE", "'__GFP_EXCLUSIVE' is no flag of Linux: 'exclusive' is an attribute of the request");
    refused(KERNEL_6_8, "0x200", "0x200 has bits that are no flags of Linux 6.8");
    refused(KERNEL_6_8, "KERNEL|XXXXXXXXXX", "unknown allocation flag 'XXXXXXXXXX' in Linux 6.8");
    /* contradictions */
    refused(KERNEL_6_8, "ATOMIC|NOFAIL", "__GFP_NOFAIL needs __GFP_DIRECT_RECLAIM: who may not wait cannot be sure of a page");
    refused(KERNEL_6_8, "KERNEL|DMA|DMA32", "at most one of __GFP_DMA, __GFP_DMA32 and __GFP_HIGHMEM can be asked for");
    refused(KERNEL_6_8, "KERNEL|MOVABLE|RECLAIMABLE", "__GFP_MOVABLE and __GFP_RECLAIMABLE exclude each other");
    refused(KERNEL_6_0, "KERNEL|__GFP_ATOMIC", "__GFP_ATOMIC and __GFP_DIRECT_RECLAIM exclude each other");
    gfp_t flags;
    char why[200];
    cr_assert(!gfp_parse(KERNEL_6_8, "__GFP_ATOMIC", &flags, why, sizeof why)); /* gone since 6.3 */
    cr_assert(gfp_parse(KERNEL_6_0, "__GFP_ATOMIC", &flags, why, sizeof why));
}

/* GFP_ZONE_TABLE of include/linux/gfp.h for x86-64. */
Test(gfp, zone_of_a_request)
{
    cr_assert_eq(gfp_zone(GFP_ATOMIC), ZONE_NORMAL);
    cr_assert_eq(gfp_zone(GFP_KERNEL | GFPM_DMA), ZONE_DMA);
    cr_assert_eq(gfp_zone(GFP_KERNEL | GFPM_DMA32), ZONE_DMA32);
    cr_assert_eq(gfp_zone(GFP_HIGHUSER), ZONE_NORMAL);
    cr_assert_eq(gfp_zone(GFP_HIGHUSER_MOVABLE), ZONE_MOVABLE);
    cr_assert_eq(gfp_zone(GFP_USER | GFPM_MOVABLE), ZONE_NORMAL); /* MOVABLE without HIGHMEM is only a mobility */
    cr_assert_eq(gfp_zone(GFP_KERNEL | GFPM_DMA | GFPM_MOVABLE), ZONE_DMA);
}

Test(gfp, classes)
{
    cr_assert_eq(gfp_class(GFP_ATOMIC | GFPM_ZERO | GFPM_NOWARN), CLASS_ALLOC_ATOMIC);
    cr_assert_eq(gfp_class(GFP_NOWAIT), CLASS_ALLOC_NOWAIT);
    cr_assert_eq(gfp_class(GFP_KERNEL | GFPM_ZERO), CLASS_ALLOC_KERNEL);
    cr_assert_eq(gfp_class(GFP_HIGHUSER_MOVABLE), CLASS_ALLOC_HIGHUSER_MOVABLE);
    cr_assert_eq(gfp_class(GFP_NOFS | GFPM_COMP), CLASS_ALLOC_NOFS);
    cr_assert_eq(gfp_class(GFP_NOIO | GFPM_ACCOUNT), CLASS_ALLOC_NOIO);
    cr_assert_eq(gfp_class(GFP_USER), CLASS_ALLOC_USER);
    cr_assert_eq(gfp_class(GFP_HIGHUSER), CLASS_ALLOC_HIGHUSER);
    cr_assert_eq(gfp_class(gfp_compose(KERNEL_6_0, GFP_ATOMIC)), CLASS_ALLOC_ATOMIC);
    cr_assert_eq(gfp_class(GFP_KERNEL | GFPM_RECLAIMABLE), CLASS_ALLOC_OTHER);
    cr_assert_eq(gfp_class(GFP_ATOMIC | GFPM_MEMALLOC), CLASS_ALLOC_OTHER);
}
