/* tests/unit/test_kern_mobility.c - pageblocks, fallback between mobilities, boost, the HIGHATOMIC reserve, the slow path. */
#include "tests/unit/test_kern_rig.h"

#include "src/base/rng.h"
#include "src/kern/buddy.h"
#include "src/kern/fallback.h"
#include "src/kern/pageblock.h"

static struct kernel_desc block_desc(void)
{
    struct kernel_desc d = rig_desc();
    d.pcp_batch = 1;
    d.pcp_high = 1;
    return d;
}

static enum migratetype type_of(struct rig *r, frame f) { return pageblock_peek(&r->k, r->b, f); }

static uint64_t boost_of(struct rig *r) { return backdoor_read(r->b, zone_word(rig_zone(r), ZONE_AT_MARKS + ZONE_UPPER), 4); }
static uint64_t reserved_of(struct rig *r) { return backdoor_read(r->b, zone_word(rig_zone(r), ZONE_AT_RESERVE + ZONE_UPPER), 4); }

/* Takes from the lists under the lock, as buddy_alloc does, and leaves the counter right. */
static frame take(struct rig *r, unsigned order, enum migratetype mt, unsigned alloc_flags)
{
    struct frame_request q = { .order = order, .mt = mt, .alloc_flags = alloc_flags };
    enum source_id source;
    k_begin(r->h, CLASS_ALLOC_OTHER);
    frame f = buddy_alloc(r->h, &r->k, rig_zone(r), &q, &source);
    k_end(r->h);
    return f;
}

static void put(struct rig *r, frame f, unsigned order)
{
    k_begin(r->h, CLASS_FREE);
    buddy_free(r->h, &r->k, rig_zone(r), f, order);
    k_end(r->h);
}

/* ---- claim and steal */

Test(pageblock, all_movable_at_boot_and_set_one_by_one)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    rig_boot(&r, &d);
    for (uint64_t f = rig_zone(&r)->first.v; f < rig_zone(&r)->end.v; f += 100)
        cr_assert_eq(type_of(&r, (frame){ f }), MIGRATE_MOVABLE);
    pageblock_set(r.h, &r.k, (frame){ 1024 + 7 }, 0, MIGRATE_RECLAIMABLE);
    cr_assert_eq(pageblock_type(r.h, &r.k, (frame){ 1535 }), MIGRATE_RECLAIMABLE);
    cr_assert_eq(pageblock_type(r.h, &r.k, (frame){ 1536 }), MIGRATE_MOVABLE);
    cr_assert_eq(pageblock_type(r.h, &r.k, (frame){ 1023 }), MIGRATE_MOVABLE);
    pageblock_set(r.h, &r.k, (frame){ 2048 }, MAX_ORDER, MIGRATE_UNMOVABLE);
    cr_assert(type_of(&r, (frame){ 2048 }) == MIGRATE_UNMOVABLE && type_of(&r, (frame){ 3071 }) == MIGRATE_UNMOVABLE &&
              type_of(&r, (frame){ 3072 }) == MIGRATE_MOVABLE);
    rig_free(&r);
}

/* A large block changes its type whole: no boost, and the rest serves the same mobility. */
Test(fallback, a_large_block_is_claimed_whole)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = take(&r, 0, MIGRATE_UNMOVABLE, 0);
    cr_assert_eq(f.v % 1024, 0);
    cr_assert(type_of(&r, f) == MIGRATE_UNMOVABLE && type_of(&r, (frame){ f.v + 1023 }) == MIGRATE_UNMOVABLE);
    cr_assert_eq(boost_of(&r), 0);
    cr_assert_eq(native_counter(r.h, "pageblock.claimed"), 1);
    cr_assert_eq(take(&r, 3, MIGRATE_UNMOVABLE, 0).v, f.v + 8);
    cr_assert_eq(native_counter(r.h, "pageblock.claimed"), 1);
    cr_assert_eq(native_counter(r.h, "pageblock.stolen_from"), 0);
    rig_free(&r);
}

/* Takes every frame of the zone as single movable pages and gives one pageblock's `count` first frames back. */
static frame only_part_free(struct rig *r, struct held_block *held, size_t *n, uint64_t count, gfp_t gfp)
{
    const struct zone *z = rig_zone(r);
    frame block = { (z->first.v + 4096) & ~UINT64_C(1023) };
    *n = 0;
    for (frame f; (f = alloc_pages(r->h, &r->k, gfp | GFPM_MEMALLOC, 0)).v != 0;)
        held[(*n)++] = (struct held_block){ f, 0 };
    cr_assert_eq(zone_free_count(r, z), 0);
    for (size_t i = *n; i-- > 0;)
        if (held[i].f.v >= block.v && held[i].f.v < block.v + count) {
            free_pages(r->h, &r->k, held[i].f, 0);
            held[i] = held[--*n];
        }
    pcp_drain_all(r->h, &r->k);
    cr_assert_eq(zone_free_count(r, z), count);
    return block;
}

static struct held_block held[9000];

/* Half of the pageblock is free: it is claimed, and the watermarks are boosted. */
Test(fallback, half_free_is_enough_to_claim)
{
    for (uint64_t count = 255; count <= 256; count++) {
        struct kernel_desc d = block_desc();
        struct rig r;
        size_t n;
        rig_boot(&r, &d);
        frame block = only_part_free(&r, held, &n, count, GFP_HIGHUSER_MOVABLE);
        frame f = take(&r, 0, MIGRATE_RECLAIMABLE, 0);
        cr_assert(f.v >= block.v && f.v < block.v + count);
        cr_assert_eq(type_of(&r, f), count == 256 ? MIGRATE_RECLAIMABLE : MIGRATE_MOVABLE, "%lu free", (unsigned long)count);
        cr_assert_eq(native_counter(r.h, "pageblock.stolen_from"), count == 255);
        cr_assert_eq(boost_of(&r), PAGEBLOCK_PAGES);
        put(&r, f, 0);
        rig_recount(&r, held, n);
        rig_free(&r);
    }
}

/* Kernel pages in a movable pageblock are of a kind with a request that is not movable; in a reclaimable or unmovable one
 * they are not of a kind with a movable request. */
Test(fallback, compatible_pages_count_as_free_ones_do)
{
    for (enum migratetype mt = MIGRATE_MOVABLE; mt <= MIGRATE_RECLAIMABLE; mt++) {
        struct kernel_desc d = block_desc();
        struct rig r;
        size_t n;
        rig_boot(&r, &d);
        frame block = only_part_free(&r, held, &n, 20, GFP_KERNEL);
        cr_assert_eq(type_of(&r, block), MIGRATE_UNMOVABLE);
        if (mt == MIGRATE_RECLAIMABLE) { /* as if kernel pages had been let into it long ago */
            bool were_on = zone_lock(r.h, &r.k, rig_zone(&r));
            pageblock_convert(r.h, &r.k, rig_zone(&r), block, MIGRATE_MOVABLE);
            zone_unlock(r.h, &r.k, rig_zone(&r), were_on);
        }
        frame f = take(&r, 0, mt, 0);
        cr_assert(f.v >= block.v && f.v < block.v + 20);
        cr_assert_eq(type_of(&r, f), mt == MIGRATE_RECLAIMABLE ? MIGRATE_RECLAIMABLE : MIGRATE_UNMOVABLE);
        cr_assert_eq(native_counter(r.h, "pageblock.stolen_from"), mt == MIGRATE_MOVABLE);
        put(&r, f, 0);
        rig_recount(&r, held, n);
        rig_free(&r);
    }
}

/* A movable request tries to claim from order 4 on; smaller blocks, however many, only give single pages. */
Test(fallback, movable_requests_leave_small_blocks_where_they_are)
{
    for (unsigned order = 3; order <= 4; order++) {
        struct kernel_desc d = block_desc();
        struct rig r;
        size_t n;
        rig_boot(&r, &d);
        frame block = only_part_free(&r, held, &n, 0, GFP_KERNEL);
        for (size_t i = n; i-- > 0;) /* every other block of the order, and half of the pageblock that is */
            if (held[i].f.v >= block.v && held[i].f.v < block.v + PAGEBLOCK_PAGES && (held[i].f.v >> order & 1) == 0) {
                free_pages(r.h, &r.k, held[i].f, 0);
                held[i] = held[--n];
            }
        pcp_drain_all(r.h, &r.k);
        cr_assert_eq(rig_blocks(&r, order), PAGEBLOCK_PAGES / 2 >> order);
        cr_assert_neq(take(&r, 0, MIGRATE_MOVABLE, 0).v, 0);
        cr_assert_eq(type_of(&r, block), order == 4 ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE);
        rig_free(&r);
    }
}

/* Before 6.15 a request that may not claim the largest block takes its page there; since then from the smallest. */
Test(fallback, where_a_single_page_is_stolen_from)
{
    for (unsigned v = 0; v < 2; v++) {
        struct kernel_desc d = block_desc();
        struct rig r;
        size_t n;
        d.version = v == 0 ? KERNEL_6_13 : KERNEL_6_16;
        rig_boot(&r, &d);
        frame block = only_part_free(&r, held, &n, 64 + 1, GFP_HIGHUSER_MOVABLE); /* an order 6 and an order 0 block */
        frame f = take(&r, 0, MIGRATE_UNMOVABLE, 0);
        cr_assert_eq(f.v, v == 0 ? block.v : block.v + 64);
        cr_assert_eq(type_of(&r, f), MIGRATE_MOVABLE);
        put(&r, f, 0);
        rig_recount(&r, held, n);
        rig_free(&r);
    }
}

/* Unmovable from reclaimable before movable, and the other way round. */
Test(fallback, order_of_types)
{
    static const enum migratetype want[MIGRATE_PCPTYPES] = { MIGRATE_RECLAIMABLE, MIGRATE_RECLAIMABLE, MIGRATE_UNMOVABLE };
    for (unsigned mt = 0; mt < MIGRATE_PCPTYPES; mt++) {
        struct kernel_desc d = block_desc();
        struct rig r;
        frame f[2];
        rig_boot(&r, &d);
        enum migratetype others[2] = { mt == 0 ? MIGRATE_MOVABLE : MIGRATE_UNMOVABLE, mt == 2 ? MIGRATE_MOVABLE : MIGRATE_RECLAIMABLE };
        /* Two order-10 blocks of the two other types, everything else taken. */
        for (unsigned i = 0; i < 2; i++)
            f[i] = take(&r, MAX_ORDER, MIGRATE_MOVABLE, 0);
        while (take(&r, 0, MIGRATE_MOVABLE, 0).v != 0)
            ;
        for (unsigned i = 0; i < 2; i++) {
            pageblock_set(r.h, &r.k, f[i], MAX_ORDER, others[i]);
            put(&r, f[i], MAX_ORDER);
        }
        frame got = take(&r, 0, (enum migratetype)mt, 0);
        frame expected = others[0] == want[mt] ? f[0] : f[1];
        cr_assert_eq(got.v, expected.v, "type %u", mt);
        rig_free(&r);
    }
}

Test(fallback, nofragment_takes_whole_pageblocks_only)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    size_t n;
    rig_boot(&r, &d);
    only_part_free(&r, held, &n, 256, GFP_HIGHUSER_MOVABLE);
    cr_assert_eq(take(&r, 0, MIGRATE_UNMOVABLE, ALLOC_NOFRAGMENT).v, 0);
    cr_assert_eq(boost_of(&r), 0);
    cr_assert_neq(take(&r, 0, MIGRATE_UNMOVABLE, 0).v, 0);
    rig_free(&r);
}

/* When no zone has a whole pageblock, NOFRAGMENT is dropped at once: no slow path, no kswapd. */
Test(fallback, nofragment_is_a_preference)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    size_t n;
    d.watermark_boost_factor = 0;
    rig_boot(&r, &d);
    only_part_free(&r, held, &n, 400, GFP_HIGHUSER_MOVABLE);
    backdoor_write(r.b, paddr_plus(r.k.nodes[0].at, PGDAT_KSWAPD), 8, 0);
    cr_assert(400 > rig_zone(&r)->marks.low);
    cr_assert_neq(alloc_pages(r.h, &r.k, GFP_KERNEL, 0).v, 0);
    cr_assert_eq(backdoor_read(r.b, paddr_plus(r.k.nodes[0].at, PGDAT_KSWAPD), 8), 0);
    rig_free(&r);
}

/* A boost asks for kswapd through the zone's flag, if the request may. */
Test(fallback, a_boost_wakes_kswapd)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    size_t n;
    rig_boot(&r, &d);
    only_part_free(&r, held, &n, 200, GFP_HIGHUSER_MOVABLE);
    paddr flags = zone_word(rig_zone(&r), ZONE_AT_FLAGS);
    cr_assert_neq(take(&r, 0, MIGRATE_UNMOVABLE, 0).v, 0);
    cr_assert_eq(backdoor_read(r.b, flags, 8), 0);
    backdoor_write(r.b, zone_word(rig_zone(&r), ZONE_AT_MARKS + ZONE_UPPER), 4, 0);
    cr_assert_neq(take(&r, 6, MIGRATE_UNMOVABLE, ALLOC_KSWAPD).v, 0);
    cr_assert_eq(backdoor_read(r.b, flags, 8), ZONE_FLAG_BOOSTED);
    rig_free(&r);
}

/* ---- HIGHATOMIC */

static void drain_to(struct rig *r, uint64_t pages)
{
    while (zone_free_count(r, rig_zone(r)) > pages)
        cr_assert_neq(alloc_pages(r->h, &r->k, GFP_HIGHUSER_MOVABLE | GFPM_MEMALLOC, 0).v, 0);
}

static struct kernel_desc reserve_desc(void)
{
    struct kernel_desc d = block_desc();
    d.version = KERNEL_6_3; /* 1 % and a pageblock, in a zone of any size */
    d.watermark_boost_factor = 0;
    return d;
}

/* As at the end of a request. */
static void keep(struct rig *r, frame f, unsigned order)
{
    k_begin(r->h, CLASS_ALLOC_ATOMIC);
    highatomic_reserve(r->h, &r->k, rig_zone(r), f, order);
    k_end(r->h);
}

/* After a high-order atomic allocation in the slow path its pageblock is kept; order 0 keeps nothing. */
Test(highatomic, a_pageblock_is_kept)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    d.pcp_batch = 8;
    rig_boot(&r, &d);
    const struct zone *z = rig_zone(&r);
    frame early = alloc_pages(r.h, &r.k, GFP_ATOMIC, 2); /* above low: fast path, nothing is kept */
    cr_assert_eq(reserved_of(&r), 0);
    drain_to(&r, z->marks.low);
    alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_eq(reserved_of(&r), 0);
    frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 2);
    cr_assert(f.v != 0 && type_of(&r, f) == MIGRATE_HIGHATOMIC && reserved_of(&r) == PAGEBLOCK_PAGES);
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_PCP);
    cr_assert((r.h->phases_seen[CLASS_ALLOC_ATOMIC] & 1u << PH_ZONE_WAIT) != 0, "the wait for the lock is no work on the list");
    free_pages(r.h, &r.k, f, 2);
    pcp_drain_all(r.h, &r.k);
    cr_assert_eq(type_of(&r, f), MIGRATE_HIGHATOMIC);
    (void)early;
    rig_free(&r);
}

/* What is kept is for those who may draw on it: order > 0 without waiting, and order 0 as the last resort since 6.3. */
Test(highatomic, who_may_draw)
{
    for (unsigned v = 0; v < 2; v++) {
        struct kernel_desc d = reserve_desc();
        struct rig r;
        d.version = v == 0 ? KERNEL_6_0 : KERNEL_6_3;
        rig_boot(&r, &d);
        frame f = take(&r, 9, MIGRATE_MOVABLE, 0);
        keep(&r, f, 9);
        cr_assert_eq(reserved_of(&r), 512);
        put(&r, f, 9);
        while (take(&r, 0, MIGRATE_MOVABLE, 0).v != 0)
            ;
        cr_assert_eq(zone_free_count(&r, rig_zone(&r)), 512);
        cr_assert_eq(take(&r, 2, MIGRATE_UNMOVABLE, ALLOC_MIN_RESERVE).v, 0);
        cr_assert_neq(take(&r, 2, MIGRATE_UNMOVABLE, ALLOC_HIGHATOMIC).v, 0);
        cr_assert_eq(take(&r, 0, MIGRATE_UNMOVABLE, ALLOC_NON_BLOCK).v != 0, v == 1);
        cr_assert_neq(take(&r, 0, MIGRATE_UNMOVABLE, ALLOC_OOM).v, 0);
        rig_free(&r);
    }
}

Test(highatomic, the_limit_and_who_is_kept)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    rig_boot(&r, &d);
    uint64_t most = watermark_highatomic_max(r.k.rules, rig_zone(&r)->managed_pages); /* 1 % of 32 MiB: no block, and one */
    frame f[3];
    for (unsigned i = 0; i < 3; i++) {
        f[i] = take(&r, 9, MIGRATE_MOVABLE, 0);
        keep(&r, f[i], 9);
        keep(&r, f[i], 9); /* is one already */
    }
    cr_assert(most > 512 && most < 1024 && reserved_of(&r) == 1024); /* as long as it is below the limit */
    cr_assert_eq(type_of(&r, f[2]), MIGRATE_MOVABLE);
    struct held_block out[3] = { { f[0], 9 }, { f[1], 9 }, { f[2], 9 } };
    for (unsigned i = 0; i < 3; i++)
        put(&r, out[i].f, 9);
    rig_recount(&r, NULL, 0);
    /* One pageblock stays unless forced; all gone, memory is whole again. */
    cr_assert(highatomic_unreserve(r.h, &r.k, rig_zone(&r), MIGRATE_MOVABLE, false));
    cr_assert(reserved_of(&r) <= 512);
    while (highatomic_unreserve(r.h, &r.k, rig_zone(&r), MIGRATE_MOVABLE, true))
        ;
    cr_assert_eq(reserved_of(&r), 0);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

Test(highatomic, the_last_pageblock_only_by_force)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = take(&r, 4, MIGRATE_MOVABLE, 0);
    keep(&r, f, 4);
    cr_assert(!highatomic_unreserve(r.h, &r.k, rig_zone(&r), MIGRATE_RECLAIMABLE, false));
    cr_assert_eq(reserved_of(&r), 512);
    cr_assert(highatomic_unreserve(r.h, &r.k, rig_zone(&r), MIGRATE_RECLAIMABLE, true));
    cr_assert(reserved_of(&r) == 0 && type_of(&r, f) == MIGRATE_RECLAIMABLE);
    put(&r, f, 4);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* The only block of the order is a reserved one: the watermark check of those who may use it must see it. */
Test(highatomic, a_reserved_block_counts_for_those_who_may_have_it)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = take(&r, 9, MIGRATE_MOVABLE, 0);
    keep(&r, f, 9);
    put(&r, f, 9);
    while (take(&r, 0, MIGRATE_MOVABLE, 0).v != 0)
        ;
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_KERNEL | GFPM_HIGH | GFPM_NORETRY, 2).v, 0);
    frame got = alloc_pages(r.h, &r.k, kernel_gfp(&r.k, GFP_ATOMIC), 4);
    cr_assert(got.v >= f.v && got.v < f.v + 512);
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_HIGHATOMIC);
    rig_free(&r);
}

Test(highatomic, small_zones_keep_nothing_since_6_8)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    d.version = KERNEL_6_8;
    rig_boot(&r, &d);
    keep(&r, take(&r, 3, MIGRATE_MOVABLE, 0), 3);
    cr_assert_eq(reserved_of(&r), 0);
    rig_free(&r);
}

/* ---- slow path */

/* Nothing can be reclaimed: KERNEL fails after one look at it, releases the reserve before, and never sleeps for it. */
Test(slowpath, releases_the_reserve_before_it_gives_up)
{
    struct kernel_desc d = reserve_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = take(&r, 9, MIGRATE_MOVABLE, 0);
    keep(&r, f, 9);
    put(&r, f, 9);
    drain_to(&r, rig_zone(&r)->marks.min + 512); /* at min for those who may not use the reserve */
    cr_assert_eq(reserved_of(&r), 512);
    frame got = alloc_pages(r.h, &r.k, GFP_KERNEL, 0);
    cr_assert_neq(got.v, 0);
    cr_assert_eq(reserved_of(&r), 0);
    cr_assert_eq(native_counter(r.h, "highatomic.released"), 1);
    cr_assert_eq(native_counter(r.h, "reclaim.direct"), 1);
    rig_free(&r);
}

Test(slowpath, who_may_not_wait_tries_nothing_else)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    rig_boot(&r, &d);
    drain_to(&r, 10);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, 0);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_NOWAIT, 4).v, 0);
    cr_assert_eq(native_counter(r.h, "reclaim.direct") + native_counter(r.h, "compact.direct"), 0);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_KERNEL, 0).v, 0);
    cr_assert_eq(native_counter(r.h, "reclaim.direct"), 1);
    cr_assert_eq(native_counter(r.h, "compact.direct"), 0); /* order 0 */
    cr_assert_eq(native_counter(r.h, "oom.no_victim"), 1);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_KERNEL | GFPM_NORETRY, 0).v, 0);
    cr_assert_eq(native_counter(r.h, "oom.no_victim"), 1);
    rig_free(&r);
}

/* Compaction gathers what per-CPU lists hold: sixteen single pages in a row become a block. */
Test(slowpath, compaction_empties_the_per_cpu_lists)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    size_t n;
    d.pcp_batch = 16;
    d.pcp_high = 200;
    d.min_free_kbytes = 128;
    rig_boot(&r, &d);
    frame block = only_part_free(&r, held, &n, 0, GFP_HIGHUSER_MOVABLE);
    for (size_t i = n; i-- > 0;) /* 150 pages of one block, on the list of this hart */
        if (held[i].f.v >= block.v && held[i].f.v < block.v + 150)
            free_pages(r.h, &r.k, held[i].f, 0);
    cr_assert_eq(zone_free_count(&r, rig_zone(&r)), 0);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_NOWAIT, 4).v, 0);
    frame f = alloc_pages(r.h, &r.k, GFP_KERNEL, 4);
    cr_assert(f.v >= block.v && f.v < block.v + 150);
    cr_assert_geq(native_counter(r.h, "compact.direct"), 1);
    rig_free(&r);
}

Test(slowpath, contradictions_are_illegal)
{
    struct kernel_desc d = block_desc();
    struct rig r;
    rig_boot(&r, &d);
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_ATOMIC | GFPM_NOFAIL, 0), "NOFAIL");
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_KERNEL | GFPM_NOFAIL, 2), "orders 0 and 1");
    cr_assert_neq(alloc_pages(r.h, &r.k, GFP_KERNEL | GFPM_NOFAIL, 1).v, 0);
    rig_free(&r);
}

/* ---- all together: every order, mobility and flag, several zones and nodes, with a recount now and then */

static void random_operations(uint64_t seed)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    struct rng rng = rng_stream(seed, "mobility");
    static const gfp_t flags[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL, GFP_HIGHUSER_MOVABLE, GFP_KERNEL | GFPM_RECLAIMABLE,
        GFP_ATOMIC | GFPM_DMA, GFP_HIGHUSER_MOVABLE | GFPM_THISNODE, GFP_NOWAIT | GFPM_MEMALLOC };
    size_t n = 0;
    cr_log_info("seed %lu", (unsigned long)seed);
    d.memory_bytes = UINT64_C(64) << 20;
    d.zone_dma = d.zone_dma32 = seed % 3 != 0;
    d.movable_bytes = seed % 2 * (UINT64_C(16) << 20);
    d.harts = 4;
    d.nodes = 1 + (unsigned)seed % 2;
    d.version = (enum kernel_version)(seed % KERNEL_VERSIONS);
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 30000; i++) {
        struct hart *h = &r.machine->harts[rng_below(&rng, 4)];
        if (n < 3000 && rng_chance(&rng, i / 5000 % 2 == 0 ? 3 : 2, 5)) {
            unsigned order = (unsigned)rng_below(&rng, rng_chance(&rng, 1, 8) ? ORDERS : PCP_ORDERS);
            frame f = alloc_pages(h, &r.k, flags[rng_below(&rng, 8)], order);
            if (f.v != 0)
                held[n++] = (struct held_block){ f, order };
        } else if (n > 0) {
            size_t pick = rng_below(&rng, n);
            free_pages(h, &r.k, held[pick].f, held[pick].order);
            held[pick] = held[--n];
        }
        if (i % 3000 == 0)
            rig_recount(&r, held, n);
    }
    while (n-- > 0)
        free_pages(r.h, &r.k, held[n].f, held[n].order);
    pcp_drain_all(r.h, &r.k);
    rig_recount(&r, NULL, 0);
    for (uint64_t f = 0; f < r.k.at.end.v; f++) /* nobody is in use: nobody may move */
        cr_assert_neq(backdoor_read(r.b, page_word(&r.k, (frame){ f }, PAGE_TYPE), 4), PAGE_TYPE_MOVABLE);
    rig_free(&r);
}

Test(mobility, random_operations_lose_nothing, .timeout = 120)
{
    for (uint64_t seed = 1; seed <= 12; seed++)
        random_operations(seed);
}
