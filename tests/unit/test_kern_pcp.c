/* tests/unit/test_kern_pcp.c - sizes of the per-CPU lists: tuning by demand, decay, reclaim. */
#include "tests/unit/test_kern_rig.h"

#include "src/base/rng.h"

static struct kernel_desc tuned_desc(void)
{
    struct kernel_desc d = rig_desc();
    d.memory_bytes = UINT64_C(1280) << 20; /* zone of 1 GiB and above: batch 63 */
    d.pcp_tuning = true;
    d.harts = 2;
    return d;
}

static uint64_t field(struct rig *r, unsigned offset) { return backdoor_read(r->b, paddr_plus(kernel_pcp(&r->k, rig_zone(r), 0), offset), 4); }

/* high_min is low over harts, high_max an eighth of the zone over harts; both at least 4 batches. */
Test(pcp_tuning, bounds)
{
    struct kernel_desc d = tuned_desc();
    struct rig r;
    rig_boot(&r, &d);
    const struct zone *z = rig_zone(&r);
    cr_assert_eq(z->pcp_batch, 63);
    cr_assert_eq(z->pcp_high, z->marks.low / 2 > 252 ? z->marks.low / 2 : 252);
    cr_assert_eq(z->pcp_high_max, z->managed_pages / 16);
    cr_assert_eq(watermark_pcp_high_max(1000, 8, 7), 28);
    rig_free(&r);
    d.pcp_high = 500;
    rig_boot(&r, &d);
    cr_assert_eq(rig_zone(&r)->pcp_high_max, 500);
    rig_free(&r);
}

/* Refills double while nothing is freed: 63, 126, ... 63 << 5, and high grows with each. */
Test(pcp_tuning, allocations_in_a_row_take_more_each_time)
{
    struct kernel_desc d = tuned_desc();
    struct rig r;
    rig_boot(&r, &d);
    uint64_t high = field(&r, PCP_HIGH);
    static const unsigned want[] = { 63, 126, 252, 504, 1008, 2016, 2016 };
    for (unsigned i = 0; i < 7; i++) {
        uint64_t before = rig_free_pages(&r);
        alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
        high += want[i];
        uint64_t most = high > 126 ? high - 63 : 63; /* high - count - batch, the list being empty */
        cr_assert_eq(before - rig_free_pages(&r), want[i] < most ? want[i] : most, "refill %u", i);
        cr_assert_eq(field(&r, PCP_HIGH), high, "high after refill %u", i);
        while (field(&r, PCP_COUNT) != 0)
            alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    }
    rig_free(&r);
}

/* One free halves the factor: the next refill is half as large. */
Test(pcp_tuning, a_free_halves_the_next_refill)
{
    struct kernel_desc d = tuned_desc();
    struct rig r;
    rig_boot(&r, &d);
    frame f = { 0 };
    for (unsigned i = 0; i < 63 + 126; i++) /* refills of 63 and 126: the factor is 2 */
        f = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_eq(field(&r, PCP_ALLOC_FACTOR), 2);
    free_pages(r.h, &r.k, f, 0);
    cr_assert_eq(field(&r, PCP_ALLOC_FACTOR), 1);
    alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    uint64_t before = rig_free_pages(&r);
    alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    cr_assert_eq(before - rig_free_pages(&r), 126);
    rig_free(&r);
}

/* Frees in a row beyond high go back as many as were freed in a row, a batch at least; high follows a long row. */
Test(pcp_tuning, frees_in_a_row_go_back_together)
{
    static frame f[6000];
    struct kernel_desc d = tuned_desc();
    struct rig r;
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 6000; i++)
        f[i] = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    for (unsigned i = 0; i < 6000; i++)
        free_pages(r.h, &r.k, f[i], 0);
    cr_assert_eq(field(&r, PCP_FREE_FACTOR), 63 << 5, "the count of frees stops there");
    cr_assert_leq(field(&r, PCP_COUNT), field(&r, PCP_HIGH));
    cr_assert_geq(field(&r, PCP_HIGH), (63 << 5) + 63);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* An eighth less each time, down to its least; what the list has above goes back. */
Test(pcp_tuning, vmstat_lets_high_sink)
{
    static frame f[6000];
    struct kernel_desc d = tuned_desc();
    struct rig r;
    rig_boot(&r, &d);
    for (unsigned i = 0; i < 6000; i++)
        f[i] = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
    for (unsigned i = 0; i < 4000; i++)
        free_pages(r.h, &r.k, f[i], 0);
    unsigned turns = 0;
    for (uint64_t high = field(&r, PCP_HIGH); high > rig_zone(&r)->pcp_high; turns++) {
        uint64_t count = field(&r, PCP_COUNT), least = count > (63 << 5) ? count - (63 << 5) : 0, next = high - high / 8;
        next = next < least ? least : next;
        next = next < rig_zone(&r)->pcp_high ? rig_zone(&r)->pcp_high : next;
        uint64_t back = pcp_decay(r.h, &r.k, rig_zone(&r));
        cr_assert_eq(field(&r, PCP_HIGH), next);
        cr_assert_eq(back, count > next ? count - next : 0);
        high = next;
    }
    cr_assert_gt(turns, 3);
    cr_assert_leq(field(&r, PCP_COUNT), rig_zone(&r)->pcp_high);
    cr_assert_eq(pcp_decay(r.h, &r.k, rig_zone(&r)), 0);
    rig_free(&r);
}

/* While kswapd works the lists keep four batches. */
Test(pcp, is_short_while_kswapd_works)
{
    static frame f[300];
    for (unsigned tuning = 0; tuning < 2; tuning++) {
        struct kernel_desc d = rig_desc();
        struct rig r;
        d.page_cache_share = 100;
        d.pcp_batch = 8;
        d.pcp_high = 200;
        d.pcp_tuning = tuning;
        rig_boot(&r, &d);
        for (unsigned i = 0; i < 300; i++)
            f[i] = alloc_pages(r.h, &r.k, GFP_ATOMIC, 0);
        backdoor_write(r.b, zone_word(rig_zone(&r), ZONE_AT_FLAGS), 8, ZONE_FLAG_RECLAIM_ACTIVE);
        for (unsigned i = 0; i < 300; i++) {
            free_pages(r.h, &r.k, f[i], 0);
            cr_assert(i < 100 || field(&r, PCP_COUNT) <= 32, "tuning %u, free %u", tuning, i); /* what was there is gone */
        }
        rig_free(&r);
    }
}
