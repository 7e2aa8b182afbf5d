/* tests/unit/test_iommu_drain.c - invalidations against what is under way: walks they overtake, DMA they drain. */
#include "tests/unit/iommu_rig.h"

#include "src/base/rng.h"

enum { DEVICE_A = 0x08, DEVICE_B = 0x10, DOMAIN_A = 7, DOMAIN_B = 9, SEED = 20260105 };
static const iova PAGE = { UINT64_C(0x1234567000) };

/* A running unit whose device A has one page mapped to frame 300; the entry in *pte. */
static struct rig *one_page(struct iommu_desc d, uint64_t **pte)
{
    struct rig *g = rig_running(d);
    frame table = rig_attach(g, DEVICE_A, DOMAIN_A, 4);
    *pte = rig_map(g, table, PAGE, 300);
    return g;
}

static struct vtd_descriptor page_of_a(unsigned mask, bool leaf_only)
{
    return vtd_desc_iotlb(VTD_GRANULARITY_PAGE, DOMAIN_A, PAGE, mask, leaf_only);
}

/* ---- a walk overtaken by an invalidation */

/* The last-level read samples the old entry, then hangs; meanwhile the page is unmapped and invalidated. Returns the
 * rig after the walk has ended, the ask in *a. The invalidation drains if `drain`. */
static struct rig *overtaken(uint32_t plants, bool drain, struct ask *a)
{
    struct iommu_desc d = rig_desc();
    d.plants = plants;
    uint64_t *pte;
    struct rig *g = one_page(d, &pte);
    g->walk_port.sample_early = true;
    ask(g, a, DEVICE_A, PAGE.v, true);
    engine_run(g->engine, (10 + 5 * 50) * NS); /* the last read has just been submitted, and sampled */
    cr_assert_eq(g->walk_port.submitted_count, 6);
    engine_cancel(g->engine, &g->walk_port.slots[0].event); /* hangs until let_go */
    *pte = 0;
    struct vtd_descriptor i = page_of_a(0, true);
    if (!drain)
        i.lo &= ~(VTD_IOTLB_DRAIN_READS | VTD_IOTLB_DRAIN_WRITES);
    rig_sync(g, i);
    engine_run(g->engine, engine_now(g->engine) + 1000 * NS);
    cr_assert(!a->is_answered);
    return g;
}

static void let_go(struct rig *g)
{
    rig_start(&g->walk_port.slots[0]);
}

Test(iommu_drain, overtaken_walk_caches_nothing)
{
    struct ask a = { .begin = false };
    struct rig *g = overtaken(0, false, &a);
    cr_assert_eq(rig_status_value(g, 0), 1, "without drain it does not wait");
    struct ask later = { 0 };
    ask(g, &later, DEVICE_A, PAGE.v, true); /* must not join the old walk */
    rig_run(g);
    cr_assert_eq(later.t.fault, DMA_FAULT_WRITE);
    let_go(g);
    rig_run(g);
    cr_assert_eq(a.t.fault, DMA_OK, "it was under way before");
    cr_assert_eq(rig_iotlb_count(g), 0);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_FAULT_WRITE);
    cr_assert_eq(iommu_counters(g->iommu)->walk_stale_count, 1);
    rig_free(g);
}

Test(iommu_drain, drain_waits_for_the_walk_and_the_dma_it_leads_to)
{
    struct ask a = { .begin = true };
    struct rig *g = overtaken(0, true, &a);
    cr_assert_eq(rig_status_value(g, 0), 0);
    components_check(&g->components);
    let_go(g);
    engine_run(g->engine, engine_now(g->engine) + 1000 * NS);
    cr_assert(a.is_answered && a.t.fault == DMA_OK);
    components_check(&g->components);
    cr_assert_eq(rig_status_value(g, 0), 0, "its DMA is in flight now");
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_A, a.t.result);
    rig_run(g);
    cr_assert_eq(rig_status_value(g, 0), 1);
    cr_assert_eq(rig_iotlb_count(g), 0);
    cr_assert_eq(iommu_counters(g->iommu)->drain_ps, 50 * NS);
    rig_free(g);
}

Test(iommu_drain, planted_stale_walk_shows)
{
    struct ask a = { .begin = false };
    struct rig *g = overtaken(IOMMU_PLANT_STALE_WALK, false, &a);
    let_go(g);
    rig_run(g);
    cr_assert_eq(rig_iotlb_count(g), 1);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_OK, "what a judge has to notice");
    rig_free(g);
}

/* A table above is unlinked: a walk of a neighbour page that has read the pointer must not cache it, unless the driver
 * said that only leaves changed. */
Test(iommu_drain, walk_below_an_unlinked_table)
{
    for (unsigned leaf_only = 0; leaf_only < 2; leaf_only++) {
        uint64_t *pte;
        struct rig *g = one_page(rig_desc(), &pte);
        struct ask a = { 0 };
        ask(g, &a, DEVICE_A, PAGE.v, false);
        engine_run(g->engine, (10 + 5 * 50) * NS);
        engine_cancel(g->engine, &g->walk_port.slots[0].event);
        rig_sync(g, vtd_desc_iotlb(VTD_GRANULARITY_PAGE, DOMAIN_A, (iova){ PAGE.v + PAGE_BYTES }, 0, leaf_only));
        engine_run(g->engine, engine_now(g->engine) + 1000 * NS);
        cr_assert_eq(rig_status_value(g, 0), leaf_only);
        let_go(g);
        rig_run(g);
        cr_assert_eq(rig_status_value(g, 0), 1);
        cr_assert_eq(rig_iotlb_count(g), leaf_only);
        rig_free(g);
    }
}

/* Device A moves to domain B while a walk has read its old context entry, or is about to: the walk may still use it
 * once, must not cache it, and the drain of the old domain waits for it. */
static void context_race(enum vtd_granularity granularity, uint64_t iotlb_granularity)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    g->walk_port.sample_early = true;
    struct ask a = { .begin = false };
    ask(g, &a, DEVICE_A, PAGE.v, false);
    engine_run(g->engine, (10 + 50) * NS);
    cr_assert_eq(g->walk_port.submitted_count, 2);
    engine_cancel(g->engine, &g->walk_port.slots[0].event);
    rig_map(g, rig_attach(g, DEVICE_A, DOMAIN_B, 4), PAGE, 310);
    rig_queue(g, vtd_desc_context(granularity, DOMAIN_A, DEVICE_A));
    rig_sync(g, vtd_desc_iotlb((enum vtd_granularity)iotlb_granularity, DOMAIN_A, PAGE, 0, true));
    engine_run(g->engine, engine_now(g->engine) + 2000 * NS);
    cr_assert_eq(rig_status_value(g, 0), 0, "the walk may be of this domain");
    let_go(g);
    rig_run(g);
    cr_assert(a.t.fault == DMA_OK && a.t.result.v == 300 * PAGE_BYTES);
    cr_assert_eq(rig_status_value(g, 0), 1);
    cr_assert_eq(rig_iotlb_count(g) + rig_psc_count(g), 0);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.result.v, 310 * PAGE_BYTES);
    rig_free(g);
}

Test(iommu_drain, context_entry_changes_under_a_walk)
{
    const enum vtd_granularity all[] = { VTD_GRANULARITY_GLOBAL, VTD_GRANULARITY_DOMAIN, VTD_GRANULARITY_DEVICE };
    for (unsigned i = 0; i < 3; i++) {
        context_race(all[i], VTD_GRANULARITY_DOMAIN);
        context_race(all[i], VTD_GRANULARITY_PAGE);
    }
}

/* The same without the IOTLB invalidation that follows: the context alone must not be cached. */
Test(iommu_drain, overtaken_context_is_not_cached)
{
    const enum vtd_granularity all[] = { VTD_GRANULARITY_GLOBAL, VTD_GRANULARITY_DOMAIN, VTD_GRANULARITY_DEVICE };
    for (unsigned i = 0; i < 3; i++) {
        uint64_t *pte;
        struct rig *g = one_page(rig_desc(), &pte);
        g->walk_port.sample_early = true;
        struct ask a = { .begin = false };
        ask(g, &a, DEVICE_A, PAGE.v, false);
        engine_run(g->engine, (10 + 50) * NS);
        engine_cancel(g->engine, &g->walk_port.slots[0].event);
        rig_map(g, rig_attach(g, DEVICE_A, DOMAIN_B, 4), PAGE, 310);
        rig_sync(g, vtd_desc_context(all[i], DOMAIN_A, DEVICE_A));
        engine_run(g->engine, engine_now(g->engine) + 2000 * NS);
        cr_assert_eq(rig_status_value(g, 0), 1);
        let_go(g);
        rig_run(g);
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.result.v, 310 * PAGE_BYTES, "case %u", i);
        rig_free(g);
    }
}

/* ---- draining DMA */

struct dma_case { uint16_t device; uint64_t page; bool write, reads, writes, waits; };

static struct vtd_descriptor draining(bool reads, bool writes)
{
    struct vtd_descriptor d = page_of_a(0, true);
    d.lo &= ~(VTD_IOTLB_DRAIN_READS | VTD_IOTLB_DRAIN_WRITES);
    d.lo |= (reads ? VTD_IOTLB_DRAIN_READS : 0) | (writes ? VTD_IOTLB_DRAIN_WRITES : 0);
    return d;
}

Test(iommu_drain, drains_only_what_is_affected)
{
    const struct dma_case cases[] = {
        { DEVICE_A, 0, true, true, true, true },   { DEVICE_A, 0, false, true, true, true },
        { DEVICE_A, 0, true, false, true, true },  { DEVICE_A, 0, false, false, true, false },
        { DEVICE_A, 0, true, true, false, false }, { DEVICE_A, 0, false, true, false, true },
        { DEVICE_A, 0, true, false, false, false },
        { DEVICE_A, 1, true, true, true, false }, /* another page */
        { DEVICE_B, 0, true, true, true, false }, /* another domain */
    };
    for (unsigned c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        struct rig *g = rig_running(rig_desc());
        frame a = rig_attach(g, DEVICE_A, DOMAIN_A, 4), b = rig_attach(g, DEVICE_B, DOMAIN_B, 4);
        for (unsigned i = 0; i < 2; i++) {
            rig_map(g, a, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + i);
            rig_map(g, b, (iova){ PAGE.v + i * PAGE_BYTES }, 310 + i);
        }
        struct ask q = { .begin = true };
        ask(g, &q, cases[c].device, PAGE.v + cases[c].page * PAGE_BYTES, cases[c].write);
        rig_run(g);
        rig_sync(g, draining(cases[c].reads, cases[c].writes));
        engine_run(g->engine, engine_now(g->engine) + 5000 * NS);
        cr_assert_eq(rig_status_value(g, 0), !cases[c].waits, "case %u", c);
        tick end = engine_now(g->engine);
        iommu_port(g->iommu).dma_end(g->iommu, cases[c].device, q.t.result);
        rig_run(g);
        cr_assert_eq(rig_status_value(g, 0), 1);
        if (cases[c].waits)
            cr_assert_eq(engine_now(g->engine), end + 70 * NS, "then the wait descriptor and its write");
        rig_free(g);
    }
}

Test(iommu_drain, dma_begun_afterwards_is_not_waited_for)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    struct ask before = { .begin = true }, after = { .begin = true };
    ask(g, &before, DEVICE_A, PAGE.v + 64, true);
    rig_run(g);
    rig_sync(g, page_of_a(0, true)); /* page stays mapped */
    engine_run(g->engine, engine_now(g->engine) + 500 * NS);
    ask(g, &after, DEVICE_A, PAGE.v + 128, true);
    engine_run(g->engine, engine_now(g->engine) + 500 * NS);
    cr_assert(after.is_answered);
    cr_assert_eq(rig_status_value(g, 0), 0);
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_A, before.t.result);
    rig_run(g);
    cr_assert_eq(rig_status_value(g, 0), 1);
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_A, after.t.result);
    rig_free(g);
}

Test(iommu_drain, dma_of_unknown_origin_is_always_waited_for)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    iommu_port(g->iommu).dma_begin(g->iommu, DEVICE_B, (paddr){ 0x7000 });
    rig_sync(g, page_of_a(0, true));
    engine_run(g->engine, 1000 * NS);
    cr_assert_eq(rig_status_value(g, 0), 0);
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_B, (paddr){ 0x7000 });
    rig_run(g);
    cr_assert_eq(rig_status_value(g, 0), 1);
    rig_free(g);
}

Test(iommu_drain, planted_faults_lie)
{
    uint64_t *pte;
    struct iommu_desc d = rig_desc();
    d.plants = IOMMU_PLANT_SKIP_INVALIDATE;
    struct rig *g = one_page(d, &pte);
    ask_now(g, DEVICE_A, PAGE.v, true);
    rig_sync(g, page_of_a(0, false));
    rig_run(g);
    cr_assert_eq(rig_status_value(g, 0), 1);
    cr_assert_eq(rig_iotlb_count(g), 1);
    rig_free(g);

    d.plants = IOMMU_PLANT_NO_DRAIN;
    g = one_page(d, &pte);
    struct ask a = { .begin = true };
    ask(g, &a, DEVICE_A, PAGE.v, true);
    rig_run(g);
    rig_sync(g, page_of_a(0, false));
    rig_run(g);
    cr_assert_eq(rig_status_value(g, 0), 1, "although DMA is in flight");
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_A, a.t.result);
    rig_free(g);
}

/* ---- random: map, unmap, use, invalidate; after a strict unmap has completed nobody gets through */

Test(iommu_drain, strict_unmap_is_final)
{
    enum { PAGES = 12, STEPS = 4000 };
    struct iommu_desc d = rig_desc();
    d.iotlb_entries = 8;
    d.iotlb_ways = 2;
    struct rig *g = rig_running(d);
    g->walk_port.sample_early = true;
    struct rng r = rng_stream(SEED, "iommu_strict");
    frame table = rig_attach(g, DEVICE_A, DOMAIN_A, 4);
    uint64_t *pte[PAGES];
    for (unsigned i = 0; i < PAGES; i++)
        pte[i] = rig_map(g, table, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + i);
    struct ask a[16] = { 0 };
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned n = (unsigned)rng_below(&r, 8);
        for (unsigned i = 0; i < n; i++) {
            ask(g, &a[i], DEVICE_A, PAGE.v + rng_below(&r, PAGES) * PAGE_BYTES, true);
            engine_run(g->engine, engine_now(g->engine) + rng_below(&r, 120) * NS);
        }
        unsigned page = (unsigned)rng_below(&r, PAGES);
        *pte[page] = 0;
        *rig_word(g, (paddr){ RIG_STATUS * PAGE_BYTES }) = 0;
        rig_sync(g, vtd_desc_iotlb(VTD_GRANULARITY_PAGE, DOMAIN_A, (iova){ PAGE.v + page * PAGE_BYTES }, 0, rng_chance(&r, 1, 2)));
        for (unsigned i = 8; i < 16; i++) { /* while the invalidation is under way */
            engine_run(g->engine, engine_now(g->engine) + rng_below(&r, 60) * NS);
            ask(g, &a[i], DEVICE_A, PAGE.v + rng_below(&r, PAGES) * PAGE_BYTES, true);
        }
        run_until_status(g, 0, 1);
        struct ask late = { 0 };
        ask(g, &late, DEVICE_A, PAGE.v + page * PAGE_BYTES, true);
        rig_run(g);
        cr_assert_eq(late.t.fault, DMA_FAULT_WRITE, "seed %d, step %u", SEED, step);
        *pte[page] = vtd_pte_make((frame){ 300 + page }, true, true);
    }
    cr_assert_gt(iommu_counters(g->iommu)->walk_stale_count, 20, "the race was there");
    rig_free(g);
}
