/* tests/unit/test_kern_reclaim.c - page cache at boot, direct reclaim, kswapd, the OOM killer. */
#include "tests/unit/test_kern_rig.h"

#include "src/kern/frames.h"
#include "src/kern/page_cache.h"
#include "src/kern/reclaim.h"

static struct kernel_desc cache_desc(unsigned share, unsigned dirty)
{
    struct kernel_desc d = rig_desc();
    d.page_cache_share = share;
    d.page_cache_dirty = dirty;
    d.page_cache_writeback_ps = 0; /* time stands still here */
    d.watermark_boost_factor = 0;
    d.pcp_batch = 1;
    d.pcp_high = 4;
    return d;
}

static uint64_t reclaimable(struct rig *r) { return backdoor_read(r->b, zone_word(rig_zone(r), ZONE_AT_RECLAIMABLE), 8); }
static uint64_t counted(struct rig *r, const char *name) { return native_counter(r->h, name); }

/* Takes pages until so many are free; keeps them in `held`. */
static size_t take_down_to(struct rig *r, uint64_t free_pages, struct held_block *held)
{
    size_t n = 0;
    while (rig_free_pages(r) > free_pages) {
        held[n] = (struct held_block){ alloc_pages(r->h, &r->k, GFP_KERNEL | GFPM_MEMALLOC | GFPM_NOWARN, 0), 0 };
        cr_assert_neq(held[n++].f.v, 0);
    }
    return n;
}

/* Every allocator boots with its share of every zone on the LRU list; kern_check sees each frame once. */
Test(page_cache, boots_under_every_allocator)
{
    static const unsigned shares[] = { 1, 500, 3333, 9000 };
    for (unsigned kind = 0; kind < ALLOCATOR_KINDS; kind++)
        for (unsigned i = 0; i < 4; i++) {
            struct kernel_desc d = cache_desc(shares[i], 2500);
            struct rig r;
            d.allocator = (enum allocator_kind)kind;
            d.zone_dma = d.zone_dma32 = i % 2 == 1;
            rig_boot(&r, &d);
            rig_recount(&r, NULL, 0);
            const struct zone *z = rig_zone(&r);
            uint64_t want = z->managed_pages * shares[i] / 10000;
            cr_assert_eq(reclaimable(&r), z->end.v - z->cache_first.v);
            cr_assert(reclaimable(&r) <= want && want - reclaimable(&r) < 64, "share %u", shares[i]);
            cr_assert_eq(rig_free_pages(&r), z->managed_pages - reclaimable(&r));
            rig_free(&r);
        }
}

Test(page_cache, a_scan_frees_32_from_far_apart)
{
    struct kernel_desc d = cache_desc(5000, 0);
    struct rig r;
    rig_boot(&r, &d);
    uint64_t before = reclaimable(&r), free_pages = rig_free_pages(&r);
    struct page_cache_scan s = page_cache_shrink(r.h, &r.k, rig_zone(&r));
    cr_assert_eq(s.taken, SWAP_CLUSTER_MAX);
    cr_assert_eq(s.freed, SWAP_CLUSTER_MAX);
    cr_assert_eq(reclaimable(&r), before - SWAP_CLUSTER_MAX);
    rig_recount(&r, NULL, 0);
    pcp_drain_all(r.h, &r.k);
    cr_assert_eq(rig_free_pages(&r), free_pages + SWAP_CLUSTER_MAX);
    cr_assert_eq(rig_blocks(&r, 0) + 2 * rig_blocks(&r, 1), SWAP_CLUSTER_MAX, "they merged");
    rig_recount(&r, NULL, 0);
    while (page_cache_shrink(r.h, &r.k, rig_zone(&r)).freed != 0)
        ;
    pcp_drain_all(r.h, &r.k);
    cr_assert_eq(reclaimable(&r), 0);
    cr_assert_eq(rig_free_pages(&r), r.k.managed_pages);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* A quarter is dirty: those go to write-back at the first look, and are clean at the second. */
Test(page_cache, dirty_pages_are_written_first)
{
    struct kernel_desc d = cache_desc(5000, 2500);
    struct rig r;
    rig_boot(&r, &d);
    uint64_t before = reclaimable(&r), looks = 0, freed = 0;
    for (; looks * SWAP_CLUSTER_MAX < before; looks++)
        freed += page_cache_shrink(r.h, &r.k, rig_zone(&r)).freed;
    cr_assert(freed >= before / 4 * 3 && freed <= before, "%llu of %llu", (unsigned long long)freed, (unsigned long long)before);
    rig_recount(&r, NULL, 0);
    while (reclaimable(&r) != 0)
        page_cache_shrink(r.h, &r.k, rig_zone(&r));
    cr_assert_eq(counted(&r, "reclaim.written_count"), before / 4);
    cr_assert_eq(counted(&r, "reclaim.scanned_count"), before + before / 4);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

Test(page_cache, what_is_under_write_back_stays_and_says_until_when)
{
    struct kernel_desc d = cache_desc(1000, 10000);
    struct rig r;
    d.page_cache_writeback_ps = 77;
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 100; i++) {
        struct page_cache_scan s = page_cache_shrink(r.h, &r.k, rig_zone(&r));
        cr_assert(s.taken != 0 && s.freed == 0 && s.writing_until == 77);
    }
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

Test(page_cache, takes_pages_in_and_gives_them_back)
{
    struct kernel_desc d = cache_desc(1000, 0);
    struct rig r;
    rig_boot(&r, &d);
    uint64_t before = reclaimable(&r);
    for (unsigned i = 0; i < 100; i++)
        page_cache_add(r.h, &r.k, alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, 0), i % 2 == 0);
    cr_assert_eq(reclaimable(&r), before + 100);
    rig_recount(&r, NULL, 0);
    while (reclaimable(&r) != 0)
        page_cache_shrink(r.h, &r.k, rig_zone(&r));
    pcp_drain_all(r.h, &r.k);
    cr_assert_eq(rig_free_pages(&r), r.k.managed_pages);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* At min: NOWAIT fails, ATOMIC pays from its reserve, KERNEL reclaims 32 pages and succeeds; nobody else reclaims. */
Test(reclaim, is_for_those_who_may_wait)
{
    static struct held_block held[9000];
    struct kernel_desc d = cache_desc(3000, 0);
    struct rig r;
    rig_boot(&r, &d);
    size_t n = take_down_to(&r, rig_zone(&r)->marks.min, held);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_NOWAIT, 0).v, 0);
    held[n++] = (struct held_block){ alloc_pages(r.h, &r.k, GFP_ATOMIC, 0), 0 };
    cr_assert_neq(held[n - 1].f.v, 0);
    cr_assert_eq(counted(&r, "reclaim.direct"), 0);
    held[n++] = (struct held_block){ alloc_pages(r.h, &r.k, GFP_KERNEL, 0), 0 };
    cr_assert_neq(held[n - 1].f.v, 0);
    cr_assert_eq(counted(&r, "reclaim.direct"), 1);
    cr_assert_eq(counted(&r, "reclaim.direct_pages"), SWAP_CLUSTER_MAX);
    rig_recount(&r, held, n);
    rig_free(&r);
}

/* In a handler GFP_KERNEL is illegal; GFP_ATOMIC fails at its floor and reclaims nothing, page cache or not. */
Test(reclaim, never_for_an_atomic_request)
{
    static struct held_block held[9000];
    struct kernel_desc d = cache_desc(3000, 0);
    struct rig r;
    rig_boot(&r, &d);
    take_down_to(&r, rig_zone(&r)->marks.min * 375 / 1000, held);
    r.h->context = CONTEXT_HARDIRQ;
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, 0);
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_KERNEL, 0), "may sleep");
    r.h->context = CONTEXT_NMI;
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_ATOMIC, 0), "NMI");
    r.h->context = CONTEXT_TASK;
    cr_assert_eq(counted(&r, "reclaim.scanned_count"), 0);
    rig_free(&r);
}

/* All page cache gone, then nothing: the request fails, and says that there was nobody to kill. */
Test(reclaim, ends_when_nothing_is_left)
{
    static struct held_block held[9000];
    struct kernel_desc d = cache_desc(500, 1000);
    struct rig r;
    rig_boot(&r, &d);
    size_t n = 0;
    for (frame f; (f = alloc_pages(r.h, &r.k, GFP_KERNEL | GFPM_NOWARN, 0)).v != 0;)
        held[n++] = (struct held_block){ f, 0 };
    cr_assert_eq(reclaimable(&r), 0);
    cr_assert_eq(counted(&r, "oom.no_victim"), 1);
    cr_assert_eq(counted(&r, "oom.kills"), 0);
    cr_assert_leq(rig_free_pages(&r), rig_zone(&r)->marks.min);
    cr_assert_gt(n, r.k.managed_pages - rig_zone(&r)->marks.low - 8);
    rig_recount(&r, held, n);
    rig_free(&r);
}

/* Woken below low; works until high; the lists are short while it does; the boost is gone afterwards. */
Test(kswapd, works_from_low_to_high)
{
    static struct held_block held[9000];
    struct kernel_desc d = cache_desc(4000, 2000);
    struct rig r;
    rig_boot(&r, &d);
    const struct zone *z = rig_zone(&r);
    paddr flag = paddr_plus(r.k.nodes[0].at, PGDAT_KSWAPD);
    size_t n = take_down_to(&r, z->marks.low + 2, held);
    cr_assert_eq(backdoor_read(r.b, flag, 8), 0);
    n += take_down_to(&r, z->marks.low - 2, held + n);
    cr_assert_eq(backdoor_read(r.b, flag, 8), 1);
    cr_assert_eq(counted(&r, "kswapd.woken"), 1);
    for (unsigned i = 0; i < 4; i++)
        backdoor_write(r.b, zone_word(z, ZONE_AT_MARKS + i * 8 + ZONE_UPPER), 4, 20);
    uint64_t freed = kswapd_turn(r.h, &r.k, 0);
    cr_assert_eq(freed, counted(&r, "reclaim.kswapd_pages"));
    cr_assert_geq(rig_free_pages(&r), z->marks.high + 20);
    cr_assert_lt(rig_free_pages(&r), z->marks.high + 20 + 2 * SWAP_CLUSTER_MAX);
    cr_assert_eq(backdoor_read(r.b, zone_word(z, ZONE_AT_MARKS), 8), z->marks.min);
    cr_assert_eq(backdoor_read(r.b, zone_word(z, ZONE_AT_FLAGS), 8) & ZONE_FLAG_RECLAIM_ACTIVE, 0);
    cr_assert_eq(backdoor_read(r.b, flag, 8), 0);
    rig_recount(&r, held, n);
    rig_free(&r);
}

/* One is asked, once; it is told, once; until it has left, others wait for it. */
Test(oom, one_victim_at_a_time)
{
    struct kernel_desc d = cache_desc(0, 0);
    struct rig r;
    rig_boot(&r, &d);
    struct alloc_context c = { .highest = ZONE_NORMAL, .why = { .gfp = GFP_KERNEL } };
    cr_assert_not(out_of_memory(r.h, &r.k, &c));
    oom_join(r.h, &r.k);
    oom_join(r.h, &r.k);
    cr_assert_not(oom_told(r.h, &r.k));
    cr_assert(out_of_memory(r.h, &r.k, &c));
    cr_assert(out_of_memory(r.h, &r.k, &c));
    cr_assert_eq(counted(&r, "oom.kills"), 1);
    cr_assert(oom_told(r.h, &r.k));
    cr_assert_not(oom_told(r.h, &r.k));
    cr_assert(out_of_memory(r.h, &r.k, &c));
    cr_assert_eq(counted(&r, "oom.kills"), 1);
    oom_leave(r.h, &r.k, true);
    cr_assert(out_of_memory(r.h, &r.k, &c));
    cr_assert_eq(counted(&r, "oom.kills"), 2);
    cr_assert(oom_told(r.h, &r.k));
    oom_leave(r.h, &r.k, true);
    cr_assert_not(out_of_memory(r.h, &r.k, &c));
    c.why.order = 4;
    oom_join(r.h, &r.k);
    cr_assert_not(out_of_memory(r.h, &r.k, &c), "a costly order");
    c.why.order = 0;
    c.why.gfp |= GFPM_THISNODE;
    cr_assert_not(out_of_memory(r.h, &r.k, &c), "one node only");
    rig_free(&r);
}
