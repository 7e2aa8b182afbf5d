/* tests/unit/test_kern_alloc.c - boot image, buddy and per-CPU lists, watermarks at work, zeroing, locks. */
#include "tests/unit/test_kern_rig.h"

#include "src/base/rng.h"
#include "src/kern/buddy.h"
#include "src/kern/page_lock.h"
#include "src/kern/spin.h"
#include "src/kern/zero.h"

Test(kern_boot, free_memory_is_whole_at_every_size)
{
    for (uint64_t i = 0; i < 24; i++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.memory_bytes = (UINT64_C(16) << 20) + i % 3 * (4 << 20);
        d.scratch_bytes = i * 37 * 1024; /* shifts the first managed frame */
        d.harts = (unsigned)(1 + i);
        rig_boot(&r, &d);
        rig_recount(&r, NULL, 0);
        cr_assert_eq(rig_free_pages(&r), r.k.managed_pages);
        rig_free(&r);
    }
}

Test(kern_boot, descriptions_are_refused_with_a_reason)
{
    struct kernel_desc d = rig_desc();
    cr_assert_null(kernel_desc_check(&d));
    d.memory_bytes += PAGE_BYTES;
    cr_assert_not_null(kernel_desc_check(&d));
    d = rig_desc();
    d.scratch_bytes = UINT64_C(31) << 20;
    cr_assert_not_null(kernel_desc_check(&d));
    d = rig_desc();
    d.harts = HARTS_MAX + 1;
    cr_assert_not_null(kernel_desc_check(&d));
    d = rig_desc();
    d.min_free_kbytes = 32 << 10;
    cr_assert_not_null(kernel_desc_check(&d));
    d.min_free_kbytes = 0;
    d.memory_bytes = UINT64_C(256) << 30;
    d.harts = HARTS_MAX;
    cr_assert_null(kernel_desc_check(&d));
}

Test(buddy, splits_down_and_merges_back)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    d.scratch_bytes = 0;
    rig_boot(&r, &d);
    uint64_t before[ORDERS], large = rig_blocks(&r, MAX_ORDER);
    for (unsigned o = 0; o < ORDERS; o++)
        before[o] = rig_blocks(&r, o);
    /* Use up everything smaller than order 10, so that the next order-4 block splits a large one. */
    struct held_block held[2100];
    size_t n = 0;
    for (unsigned o = 4; o < MAX_ORDER; o++)
        for (uint64_t i = before[o]; i > 0; i--)
            held[n++] = (struct held_block){ alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, o), o };
    cr_assert_eq(rig_blocks(&r, MAX_ORDER), large);
    held[n++] = (struct held_block){ alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, 4), 4 };
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_HIGHUSER_MOVABLE], SOURCE_BUDDY);
    cr_assert_eq(held[n - 1].f.v % 16, 0);
    cr_assert_eq(rig_blocks(&r, MAX_ORDER), large - 1);
    for (unsigned o = 4; o < MAX_ORDER; o++)
        cr_assert_eq(rig_blocks(&r, o), 1); /* one upper half of each size */
    rig_recount(&r, held, n);
    while (n > 0) {
        n--;
        free_pages(r.h, &r.k, held[n].f, held[n].order);
        rig_recount(&r, held, n);
    }
    for (unsigned o = 0; o < ORDERS; o++)
        cr_assert_eq(rig_blocks(&r, o), before[o]);
    rig_free(&r);
}

Test(pcp, refills_by_batch_then_hits)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    d.pcp_batch = 8;
    d.pcp_high = 32;
    rig_boot(&r, &d);
    uint64_t all = rig_free_pages(&r);
    frame f[8];
    for (unsigned i = 0; i < 8; i++) {
        f[i] = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
        cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], i == 0 ? SOURCE_REFILL : SOURCE_PCP);
        cr_assert_eq(rig_free_pages(&r), all - 8);
    }
    uint32_t hit = 1u << PH_ENTRY | 1u << PH_PCP | 1u << PH_EXIT;
    cr_assert_eq(r.h->phases_seen[CLASS_ALLOC_ATOMIC], hit);
    alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_eq(r.h->phases_seen[CLASS_ALLOC_ATOMIC], hit | 1u << PH_ZONE_WAIT | 1u << PH_ZONE_HOLD);
    cr_assert_eq(rig_free_pages(&r), all - 16);
    free_pages(r.h, &r.k, f[3], 0); /* last in, first out */
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, f[3].v);
    rig_free(&r);
}

Test(pcp, higher_orders_refill_by_as_many_pages_but_two_blocks_at_least)
{
    static const unsigned pages[PCP_ORDERS] = { 12, 12, 12, 16 };
    for (unsigned order = 0; order < PCP_ORDERS; order++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.pcp_batch = 12;
        rig_boot(&r, &d);
        alloc_pages(r.h, &r.k, GFP_ATOMIC, order);
        cr_assert_eq(rig_free_pages(&r), r.k.managed_pages - pages[order], "order %u", order);
        rig_free(&r);
    }
}

/* Lists of whole pageblocks: refilled by two; one for all mobilities, from 6.10 on two. */
Test(pcp, whole_pageblocks_have_lists)
{
    static const struct { enum kernel_version version; bool shared; } cases[] = { { KERNEL_6_0, true }, { KERNEL_6_8, true }, { KERNEL_6_13, false } };
    for (unsigned i = 0; i < 3; i++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.version = cases[i].version;
        d.pcp_batch = 8;
        d.pcp_high = 2000;
        rig_boot(&r, &d);
        uint64_t all = r.k.managed_pages;
        frame movable = alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, PAGEBLOCK_ORDER);
        cr_assert_eq(rig_free_pages(&r), all - 1024);
        free_pages(r.h, &r.k, movable, PAGEBLOCK_ORDER);
        cr_assert_eq(rig_free_pages(&r), all - 1024, "below high: it stays on the list");
        rig_recount(&r, NULL, 0);
        frame other = alloc_pages(r.h, &r.k, GFP_ATOMIC, PAGEBLOCK_ORDER);
        cr_assert_eq(other.v == movable.v, cases[i].shared, "version %s", kernel_version_names[d.version]);
        free_pages(r.h, &r.k, other, PAGEBLOCK_ORDER);
        cr_assert_eq(alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, PAGEBLOCK_ORDER).v, movable.v);
        free_pages(r.h, &r.k, movable, PAGEBLOCK_ORDER);
        pcp_drain_all(r.h, &r.k);
        rig_recount(&r, NULL, 0);
        cr_assert_eq(rig_free_pages(&r), all);
        rig_free(&r);
    }
}

Test(pcp, gives_back_above_high)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    struct held_block held[33];
    d.pcp_batch = 8;
    d.pcp_high = 32;
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 33; i++)
        held[i] = (struct held_block){ alloc_pages(r.h, &r.k, GFP_ATOMIC, 0), 0 }; /* 5 batches */
    uint64_t base = rig_free_pages(&r);
    for (unsigned i = 0; i < 24; i++) /* 7 left on the list, 31 after this */
        free_pages(r.h, &r.k, held[i].f, 0);
    cr_assert_eq(rig_free_pages(&r), base);
    free_pages(r.h, &r.k, held[24].f, 0); /* 32: a batch goes back */
    cr_assert_eq(rig_free_pages(&r), base + 8);
    rig_recount(&r, held + 25, 8);
    for (unsigned i = 25; i < 33; i++)
        free_pages(r.h, &r.k, held[i].f, 0);
    cr_assert_eq(rig_free_pages(&r), base + 8 + 16); /* no allocation between: twice the batch */
    pcp_drain_all(r.h, &r.k);
    rig_recount(&r, NULL, 0);
    cr_assert_eq(rig_free_pages(&r), r.k.managed_pages);
    rig_free(&r);
}

/* Free `count` blocks of `order` that were allocated before. */
static void free_all(struct rig *r, const frame *f, unsigned count, unsigned order)
{
    for (unsigned i = 0; i < count; i++)
        free_pages(r->h, &r->k, f[i], order);
}

static void take_all(struct rig *r, frame *f, unsigned count, unsigned order)
{
    for (unsigned i = 0; i < count; i++)
        f[i] = alloc_pages(r->h, &r->k, GFP_ATOMIC, order);
}

static void pcp_rig(struct rig *r, unsigned batch, unsigned high)
{
    struct kernel_desc d = rig_desc();
    d.pcp_batch = batch;
    d.pcp_high = high;
    rig_boot(r, &d);
}

/* What goes back has been on the list longest; what was freed last is warm and stays. */
Test(pcp, the_oldest_pages_go_back)
{
    struct rig r;
    frame f[32];
    pcp_rig(&r, 8, 32);
    take_all(&r, f, 32, 0);
    free_all(&r, f, 32, 0); /* at the 32nd, 8 go back: f[0] to f[7] */
    for (unsigned i = 32; i-- > 8;)
        cr_assert_eq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, f[i].v, "page %u", i);
    rig_free(&r);
}

/* high - batch is less than a batch: a batch goes back all the same. */
Test(pcp, a_batch_goes_back_at_least)
{
    struct rig r;
    frame f[16];
    pcp_rig(&r, 8, 12);
    take_all(&r, f, 16, 0);
    uint64_t base = rig_free_pages(&r);
    free_all(&r, f, 12, 0);
    cr_assert_eq(rig_free_pages(&r), base + 8);
    rig_free(&r);
}

/* 8, then 16 without an allocation between; one allocation halves the factor, so 16 again. */
Test(pcp, an_allocation_halves_what_goes_back)
{
    struct rig r;
    frame f[200];
    pcp_rig(&r, 8, 64);
    take_all(&r, f, 200, 0);
    uint64_t base = rig_free_pages(&r);
    free_all(&r, f, 64, 0);
    cr_assert_eq(rig_free_pages(&r), base + 8);
    free_all(&r, f + 64, 8, 0);
    cr_assert_eq(rig_free_pages(&r), base + 8 + 16);
    f[64] = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    free_all(&r, f + 64, 1, 0);
    free_all(&r, f + 72, 16, 0);
    cr_assert_eq(rig_free_pages(&r), base + 8 + 16 + 16);
    rig_free(&r);
}

/* Frees of a higher order in a row: from the second on the lists are emptied, so that blocks can merge. */
Test(pcp, higher_orders_in_a_row_empty_the_lists)
{
    struct rig r;
    frame single[40], pair[2];
    pcp_rig(&r, 8, 32);
    take_all(&r, single, 40, 0);
    take_all(&r, pair, 2, 1);
    free_all(&r, single, 32, 0); /* reaches high: the factor is no longer 0 */
    cr_assert_gt(backdoor_read(r.b, paddr_plus(kernel_pcp(&r.k, rig_zone(&r), 0), PCP_COUNT), 4), 20);
    free_all(&r, pair, 1, 1);
    cr_assert_eq(backdoor_read(r.b, paddr_plus(kernel_pcp(&r.k, rig_zone(&r), 0), PCP_COUNT), 4), 0);
    rig_free(&r);
}

Test(pcp, a_held_lock_sends_both_ways_to_the_buddy_lists)
{
    for (enum pcp_locking p = PCP_LOCKING_6_0; p <= PCP_LOCKING_6_2; p++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.pcp_locking = p;
        rig_boot(&r, &d);
        paddr lock = paddr_plus(kernel_pcp(&r.k, rig_zone(&r), 0), PCP_LOCK);
        cr_assert(spin_trylock(r.h, &r.k, lock));
        frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
        cr_assert_neq(f.v, 0);
        cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_BUDDY);
        cr_assert(r.h->irqs_on);
        free_pages(r.h, &r.k, f, 0);
        cr_assert_eq(r.h->last_source[CLASS_FREE], SOURCE_BUDDY);
        cr_assert_eq(native_counter(r.h, "pcp.lock_refused"), 2);
        spin_unlock(r.h, &r.k, lock);
        rig_recount(&r, NULL, 0);
        rig_free(&r);
    }
}

/* ---- below the watermarks */

static struct alloc_failure last_failure;
static void remember(void *arg, struct hart *h, const struct alloc_failure *why)
{
    (void)h;
    last_failure = *why;
    ++*(unsigned *)arg;
}

/* Allocates single pages until refused; returns how many pages the zone has then. */
static uint64_t drain(struct rig *r, gfp_t gfp)
{
    while (alloc_pages(r->h, &r->k, gfp, 0).v != 0)
        ;
    return rig_free_pages(r);
}

Test(watermark_at_work, every_flag_set_stops_at_its_floor)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    unsigned failures = 0;
    d.pcp_batch = 1; /* no pages cached, so that the floor is exact */
    d.min_free_kbytes = 4000;
    d.alloc_failed = remember;
    d.alloc_failed_arg = &failures;
    rig_boot(&r, &d);
    cr_assert_eq(rig_zone(&r)->marks.min, 1000);
    cr_assert_eq(drain(&r, GFP_NOWAIT), 1000);
    cr_assert_eq(backdoor_read(r.b, paddr_plus(r.k.nodes[0].at, PGDAT_KSWAPD), 8), 1);
    cr_assert_eq(native_counter(r.h, "kswapd.woken"), 1);
    cr_assert_eq(drain(&r, GFP_KERNEL), 1000);
    cr_assert_eq(failures, 2);
    frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_RESERVE);
    free_pages(r.h, &r.k, f, 0);
    cr_assert_eq(drain(&r, GFP_ATOMIC), 375);
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_FAIL);
    cr_assert(last_failure.gfp == GFP_ATOMIC && last_failure.tried[0].check.free_pages == 375);
    cr_assert_not_null(strstr(alloc_failure_explain(&last_failure, r.text, sizeof r.text),
                              "free 375 - unusable 0 is not > min 1000 x 0.5 x 0.75 = 375"), "%s", r.text);
    cr_assert_eq(native_counter(r.h, "alloc.failed"), 3);
    cr_assert_eq(drain(&r, GFP_NOWAIT | GFPM_MEMALLOC), 0);
    rig_free(&r);
}

Test(watermark_at_work, between_low_and_min_is_no_reserve)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    d.pcp_batch = 1;
    rig_boot(&r, &d);
    while (rig_free_pages(&r) > rig_zone(&r)->marks.low)
        alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_neq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, 0);
    cr_assert_eq(r.h->last_source[CLASS_ALLOC_ATOMIC], SOURCE_REFILL);
    cr_assert((r.h->phases_seen[CLASS_ALLOC_ATOMIC] & 1u << PH_SLOW) != 0);
    rig_free(&r);
}

Test(page_alloc, illegal_operations)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = alloc_pages(r.h, &r.k, GFP_KERNEL, 5);
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_ATOMIC, ORDERS), "order 11");
    RIG_ILLEGAL(&r, free_pages(r.h, &r.k, (frame){ 1 }, 0), "no block");
    RIG_ILLEGAL(&r, free_pages(r.h, &r.k, (frame){ f.v + 1 }, 1), "no block"); /* misaligned */
    free_pages(r.h, &r.k, f, 5);
    RIG_ILLEGAL(&r, free_pages(r.h, &r.k, f, 5), "freed twice");
    k_preempt_disable(r.h);
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_KERNEL, 0), "atomic context");
    RIG_ILLEGAL(&r, lock_page(r.h, &r.k, f), "lock_page");
    cr_assert_neq(alloc_pages(r.h, &r.k, GFP_ATOMIC, 0).v, 0);
    k_preempt_enable(r.h);
    r.h->context = CONTEXT_NMI;
    RIG_ILLEGAL(&r, alloc_pages(r.h, &r.k, GFP_ATOMIC, 0), "NMI");
    RIG_ILLEGAL(&r, free_pages(r.h, &r.k, f, 5), "NMI");
    rig_free(&r);
}

static void random_operations(uint64_t seed, enum lock_kind locks, enum pcp_locking pcp)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    struct rng rng = rng_stream(seed, "alloc");
    struct held_block held[200];
    static const gfp_t flags[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL, GFP_HIGHUSER_MOVABLE };
    size_t n = 0;
    cr_log_info("seed %lu, locks %d, per-CPU preset %d", (unsigned long)seed, (int)locks, (int)pcp);
    d.locks = locks;
    d.pcp_locking = pcp;
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 20000; i++) {
        if (n < 200 && rng_chance(&rng, 1, 2)) {
            unsigned order = (unsigned)rng_below(&rng, rng_chance(&rng, 1, 4) ? ORDERS : PCP_ORDERS);
            frame f = alloc_pages(r.h, &r.k, flags[rng_below(&rng, 4)], order);
            if (f.v != 0)
                held[n++] = (struct held_block){ f, order };
        } else if (n > 0) {
            size_t pick = rng_below(&rng, n);
            free_pages(r.h, &r.k, held[pick].f, held[pick].order);
            held[pick] = held[--n];
        }
        if (i % 1000 == 0)
            rig_recount(&r, held, n);
    }
    while (n-- > 0)
        free_pages(r.h, &r.k, held[n].f, held[n].order);
    pcp_drain_all(r.h, &r.k);
    rig_recount(&r, NULL, 0);
    cr_assert_eq(rig_free_pages(&r), r.k.managed_pages);
    cr_assert_eq(r.h->depth, 0);
    rig_free(&r);
}

Test(page_alloc, random_operations_lose_nothing)
{
    for (uint64_t seed = 1; seed <= 6; seed++)
        random_operations(seed, (enum lock_kind)(seed % 3), (enum pcp_locking)(seed % 2));
}

Test(page_alloc, notes_tell_who_has_what)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 2);
    free_pages(r.h, &r.k, f, 2);
    cr_assert_eq(r.h->note_count, 2);
    cr_assert(r.h->notes[0].note == NOTE_PAGE_ALLOCATED && r.h->notes[0].a == f.v && r.h->notes[0].b == 2);
    cr_assert(r.h->notes[1].note == NOTE_PAGE_FREED && r.h->notes[1].a == f.v && r.h->notes[1].b == 2);
    rig_free(&r);
}

/* ---- the recount itself */

static void expect_lie(struct rig *r, paddr word, unsigned bytes, uint64_t value, const char *words)
{
    uint64_t was = backdoor_read(r->b, word, bytes);
    backdoor_write(r->b, word, bytes, value);
    const char *lie = kern_check(&r->k, r->b, NULL, 0, r->text, sizeof r->text);
    cr_assert_not_null(lie);
    cr_assert_not_null(strstr(lie, words), "%s", lie);
    backdoor_write(r->b, word, bytes, was);
}

Test(kern_check, finds_planted_lies)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 6);
    cr_assert_not_null(kern_check(&r.k, r.b, NULL, 0, r.text, sizeof r.text)); /* a lost block */
    struct held_block twice[2] = { { f, 6 }, { f, 6 } };
    cr_assert_not_null(strstr(kern_check(&r.k, r.b, twice, 2, r.text, sizeof r.text), "two places"));
    free_pages(r.h, &r.k, f, 6);
    frame large = { (rig_zone(&r)->end.v & ~UINT64_C(1023)) - 1024 };
    expect_lie(&r, zone_word(rig_zone(&r), ZONE_AT_FREE), 8, rig_free_pages(&r) - 1, "counter says");
    expect_lie(&r, paddr_plus(zone_area(rig_zone(&r), MAX_ORDER), AREA_COUNT), 8, 1, "counter says");
    expect_lie(&r, page_word(&r.k, large, PAGE_PRIVATE), 8, 3, "not marked");
    expect_lie(&r, page_word(&r.k, large, PAGE_REFCOUNT), 4, 1, "referenced");
    expect_lie(&r, page_word(&r.k, large, PAGE_LRU + LIST_PREV), 8, 0, "disagree");
    expect_lie(&r, page_word(&r.k, large, PAGE_LRU + LIST_NEXT), 8, 12345, "no struct page");
    expect_lie(&r, paddr_plus(kernel_pcp(&r.k, rig_zone(&r), 0), PCP_COUNT), 4, 9, "per-CPU list of hart 0");
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

Test(kern_check, sees_free_buddies_that_stand_apart)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    rig_boot(&r, &d);
    /* Halve a large block by hand, and put both halves on the list of order 9. */
    uint64_t nine = rig_blocks(&r, 9);
    struct frame_request q = { .order = MAX_ORDER, .mt = MIGRATE_MOVABLE };
    enum source_id from;
    frame f = { 0 };
    k_begin(r.h, CLASS_ALLOC_OTHER);
    while (f.v % 1024 != 0 || f.v == 0)
        f = buddy_alloc(r.h, &r.k, rig_zone(&r), &q, &from);
    buddy_free(r.h, &r.k, rig_zone(&r), f, MAX_ORDER);
    k_end(r.h);
    paddr head = zone_list(rig_zone(&r), 9, MIGRATE_MOVABLE), first = page_node(&r.k, f), second = page_node(&r.k, (frame){ f.v + 512 });
    cr_assert_eq(nine, rig_blocks(&r, 9));
    backdoor_write(r.b, page_word(&r.k, f, PAGE_PRIVATE), 8, 9);
    backdoor_write(r.b, page_word(&r.k, (frame){ f.v + 512 }, PAGE_PRIVATE), 8, 9);
    backdoor_write(r.b, page_word(&r.k, (frame){ f.v + 512 }, PAGE_TYPE), 4, PAGE_TYPE_BUDDY);
    backdoor_write(r.b, head, 8, first.v);
    backdoor_write(r.b, first, 8, second.v);
    backdoor_write(r.b, paddr_plus(first, LIST_PREV), 8, head.v);
    const char *lie = kern_check(&r.k, r.b, NULL, 0, r.text, sizeof r.text);
    cr_assert_not_null(lie);
    cr_assert_not_null(strstr(lie, "not merged"), "%s", lie);
    rig_free(&r);
}

/* ---- contents */

static void fill(struct rig *r, frame f, uint64_t word)
{
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        backdoor_write(r->b, paddr_plus(frame_addr(f), i), 8, word);
}

static unsigned words_set(struct rig *r, frame f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        n += backdoor_read(r->b, paddr_plus(frame_addr(f), i), 8) != 0;
    return n;
}

static frame reallocate(struct rig *r, gfp_t gfp) /* the same frame again, full of old data */
{
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 0);
    fill(r, f, 0xdeadbeef);
    free_pages(r->h, &r->k, f, 0);
    frame again = alloc_pages(r->h, &r->k, gfp, 0);
    cr_assert_eq(again.v, f.v);
    return again;
}

Test(zero, by_request_only_and_by_every_method)
{
    for (enum zero_method m = ZERO_STRING; m <= ZERO_NT; m++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.zeroing = m;
        rig_boot(&r, &d);
        cr_assert_eq(words_set(&r, reallocate(&r, GFP_ATOMIC)), PAGE_BYTES / 8); /* freeing fills nothing */
        cr_assert_eq(r.h->class_count[CLASS_PAGE_ZERO], 0);
        cr_assert_eq(words_set(&r, reallocate(&r, GFP_ATOMIC | GFPM_ZERO)), 0);
        cr_assert_eq(r.h->class_count[CLASS_PAGE_ZERO], 1);
        cr_assert_eq(r.h->store_fences, m == ZERO_NT);
        cr_assert((r.h->phases_seen[CLASS_ALLOC_ATOMIC] & 1u << PH_ZERO) != 0);
        rig_free(&r);
    }
}

Test(zero, init_on_alloc_clears_every_order)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    d.init_on_alloc = true;
    rig_boot(&r, &d);
    frame f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 1);
    fill(&r, f, 1);
    fill(&r, (frame){ f.v + 1 }, 1);
    free_pages(r.h, &r.k, f, 1);
    cr_assert_eq(alloc_pages(r.h, &r.k, GFP_NOWAIT, 1).v, f.v);
    cr_assert_eq(words_set(&r, f) + words_set(&r, (frame){ f.v + 1 }), 0);
    rig_free(&r);
}

Test(zero, the_planted_fault_leaves_one_line)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    d.plant = KERN_PLANT_SKIP_ZERO_LINE;
    rig_boot(&r, &d);
    cr_assert_eq(words_set(&r, reallocate(&r, GFP_ATOMIC | GFPM_ZERO)), LINE_BYTES / 8);
    rig_free(&r);
}

/* ---- locks, uncontended; contention is in tests/native/storm.c */

Test(spin, every_kind_excludes_and_releases)
{
    for (enum lock_kind kind = LOCK_TAS; kind <= LOCK_QUEUED; kind++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.locks = kind;
        rig_boot(&r, &d);
        paddr lock = r.k.at.scratch;
        for (unsigned i = 0; i < 70000; i++) { /* past the wrap of 16-bit tickets */
            spin_lock(r.h, &r.k, lock);
            spin_unlock(r.h, &r.k, lock);
        }
        cr_assert_eq(r.h->class_count[CLASS_LOCK_ACQUIRE], 70000);
        cr_assert_eq(r.h->last_source[CLASS_LOCK_ACQUIRE], SOURCE_TRYLOCK);
        bool were_on = spin_lock_irqsave(r.h, &r.k, lock);
        cr_assert(were_on && !r.h->irqs_on && hart_atomic(r.h));
        cr_assert(!spin_trylock(r.h, &r.k, lock));
        cr_assert_eq(r.h->preempt_depth, 1);
        spin_unlock_irqrestore(r.h, &r.k, lock, were_on);
        cr_assert(r.h->irqs_on && !hart_atomic(r.h));
        cr_assert(spin_trylock(r.h, &r.k, lock));
        spin_unlock(r.h, &r.k, lock);
        rig_free(&r);
    }
}

Test(page_lock, a_bit_of_the_page)
{
    struct kernel_desc d = rig_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = rig_zone(&r)->first;
    lock_page(r.h, &r.k, f);
    cr_assert_eq(backdoor_read(r.b, page_word(&r.k, f, PAGE_FLAGS), 8), PG_LOCKED);
    cr_assert(!trylock_page(r.h, &r.k, f));
    unlock_page(r.h, &r.k, f);
    backdoor_write(r.b, page_word(&r.k, f, PAGE_FLAGS), 8, PG_LOCKED | PG_WAITERS | 1 << 20);
    unlock_page(r.h, &r.k, f);
    cr_assert_eq(backdoor_read(r.b, page_word(&r.k, f, PAGE_FLAGS), 8), 1 << 20); /* other flags stay */
    cr_assert(trylock_page(r.h, &r.k, f));
    cr_assert(trylock_page(r.h, &r.k, (frame){ f.v + 1 }));
    rig_free(&r);
}
