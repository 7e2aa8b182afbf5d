/* tests/unit/test_iommu_queue.c - queued invalidation: exact times, granularity against a naive model, status
 * writes, the ring. What is under way meanwhile: test_iommu_drain.c. */
#include "tests/unit/iommu_rig.h"

#include "src/base/rng.h"

enum { DEVICE_A = 0x08, DEVICE_B = 0x10, DOMAIN_A = 7, DOMAIN_B = 9 };
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

Test(iommu_queue, exact_time_of_an_invalidation)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    ask_now(g, DEVICE_A, PAGE.v, false);
    tick start = engine_now(g->engine);
    rig_sync(g, page_of_a(0, true));
    engine_run(g->engine, start + (50 + 120 + 20 + 50) * NS - 1); /* fetch, invalidate, wait, status */
    cr_assert_eq(rig_status_value(g, 0), 0);
    engine_run(g->engine, start + (50 + 120 + 20 + 50) * NS);
    cr_assert_eq(rig_status_value(g, 0), 1);
    cr_assert_eq(rig_iotlb_count(g), 0);
    cr_assert_eq(rig_psc_count(g), 1, "leaf hint");
    cr_assert_eq(reg_read(g, VTD_REG_IQH, 8), reg_read(g, VTD_REG_IQT, 8));
    cr_assert(components_idle(&g->components));
    rig_free(g);
}

/* Map, use, unmap, invalidate: refused from then on, with the right reason; until then the IOTLB still answers. */
Test(iommu_queue, unmapped_page_is_reachable_until_invalidated)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    ask_now(g, DEVICE_A, PAGE.v, true);
    *pte = 0;
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_OK, "not coherent");
    rig_sync(g, page_of_a(0, true));
    rig_run(g);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_FAULT_WRITE);
    *pte = vtd_pte_make((frame){ 301 }, true, true);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.result.v, 301 * PAGE_BYTES, "absence is not cached");
    rig_free(g);
}

Test(iommu_queue, attach_to_another_domain)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    ask_now(g, DEVICE_A, PAGE.v, false);
    frame other = rig_attach(g, DEVICE_A, DOMAIN_B, 4);
    rig_map(g, other, PAGE, 310);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.result.v, 300 * PAGE_BYTES, "old context");
    rig_queue(g, vtd_desc_context(VTD_GRANULARITY_DEVICE, DOMAIN_A, DEVICE_A));
    rig_sync(g, vtd_desc_iotlb(VTD_GRANULARITY_DOMAIN, DOMAIN_A, (iova){ 0 }, 0, false));
    rig_run(g);
    cr_assert_eq(rig_iotlb_count(g) + rig_psc_count(g), 0);
    cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.result.v, 310 * PAGE_BYTES);
    rig_free(g);
}

/* ---- the ring */

Test(iommu_queue, ring_wraps_and_fetches_by_line)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    unsigned done = 0;
    for (unsigned batch = 0; batch < 200; batch++) { /* 200 * 3 descriptors: twice around and more */
        for (unsigned i = 0; i < 3; i++)
            rig_queue(g, vtd_desc_wait(rig_status(i), ++done));
        rig_kick(g);
        rig_run(g);
        cr_assert_eq(rig_status_value(g, 2), done, "batch %u", batch);
        cr_assert_eq(reg_read(g, VTD_REG_IQH, 8), (uint64_t)(done % 256) * 16);
    }
    cr_assert_eq(iommu_counters(g->iommu)->wait_count, 600);
    g->walk_port.submitted_count = 0;
    for (unsigned i = 0; i < 256 - 88; i++) /* 600 % 256 = 88: to the end of the ring, whole lines */
        rig_queue(g, page_of_a(0, true));
    rig_kick(g);
    rig_run(g);
    cr_assert_eq(g->walk_port.submitted_count, (256 - 88) / 4);
    rig_free(g);
}

Test(iommu_queue, strict_order_and_status_after_everything_before)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    for (unsigned i = 0; i < 4; i++) {
        rig_queue(g, page_of_a(0, true));
        rig_queue(g, vtd_desc_wait(rig_status(i), 100 + i));
    }
    rig_kick(g);
    for (unsigned i = 0; i < 4; i++) {
        run_until_status(g, i, 100 + i);
        for (unsigned k = i + 1; k < 4; k++)
            cr_assert_eq(rig_status_value(g, k), 0);
        cr_assert_geq(iommu_counters(g->iommu)->invalidate_page_count, i + 1);
    }
    rig_run(g);
    rig_free(g);
}

/* Two waits in a row: the second status write waits for the first. With a fence the next descriptor waits, too. */
Test(iommu_queue, fence_holds_back_what_follows)
{
    for (unsigned fence = 0; fence < 2; fence++) {
        uint64_t *pte;
        struct rig *g = one_page(rig_desc(), &pte);
        struct vtd_descriptor w = vtd_desc_wait(rig_status(0), 1);
        w.lo |= fence ? VTD_WAIT_FENCE : 0;
        rig_queue(g, w);
        rig_queue(g, page_of_a(0, true));
        rig_queue(g, vtd_desc_wait(rig_status(1), 2));
        rig_kick(g);
        rig_run(g);
        cr_assert_eq(engine_now(g->engine), (tick)(50 + 20 + 120 + 20 + 50 + (fence ? 50 : 0)) * NS);
        rig_free(g);
    }
}

Test(iommu_queue, one_status_write_at_a_time)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    rig_queue(g, vtd_desc_wait(rig_status(0), 1));
    rig_queue(g, vtd_desc_wait(rig_status(1), 2));
    rig_kick(g);
    rig_run(g);
    cr_assert_eq(engine_now(g->engine), (50 + 20 + 50 + 50) * NS);
    cr_assert(rig_status_value(g, 0) == 1 && rig_status_value(g, 1) == 2);
    rig_free(g);
}

Test(iommu_queue, leaf_hint_is_for_pages_only)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    ask_now(g, DEVICE_A, PAGE.v, false);
    struct vtd_descriptor d = vtd_desc_iotlb(VTD_GRANULARITY_DOMAIN, DOMAIN_A, PAGE, 0, false);
    d.hi |= VTD_IOTLB_LEAF_HINT;
    rig_sync(g, d);
    rig_run(g);
    cr_assert_eq(rig_psc_count(g), 0);
    rig_free(g);
}

Test(iommu_queue, bad_descriptor_stops_the_queue)
{
    uint64_t *pte;
    struct rig *g = one_page(rig_desc(), &pte);
    const struct vtd_descriptor bad[] = {
        { 9, 0 }, { VTD_DESC_IOTLB, 0 }, { VTD_DESC_CONTEXT, 0 }, { VTD_DESC_IOTLB | 3 << 4, 19 },
        vtd_desc_wait((paddr){ RIG_FRAMES * PAGE_BYTES }, 1)
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint32_t at = g->tail;
        rig_queue(g, bad[i]);
        rig_queue(g, vtd_desc_wait(rig_status(0), 50 + i));
        rig_kick(g);
        engine_run(g->engine, TICK_MAX - 1);
        cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), VTD_FSTS_IQE, "descriptor %u", i);
        cr_assert_eq(reg_read(g, VTD_REG_IQH, 8), at * 16);
        cr_assert(!components_idle(&g->components));
        uint64_t *w = rig_word(g, (paddr){ RIG_RING * PAGE_BYTES + at * 16 });
        w[0] = vtd_desc_wait(rig_status(1), 1).lo; /* as the driver does: something harmless instead */
        w[1] = vtd_desc_wait(rig_status(1), 1).hi;
        reg_write(g, VTD_REG_FSTS, 4, VTD_FSTS_IQE);
        rig_run(g);
        cr_assert_eq(rig_status_value(g, 0), 50 + i);
        cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), 0);
    }
    rig_free(g);
}

/* ---- granularity against a naive model */

enum { NAIVE_DOMAINS = 3, NAIVE_PAGES = 64, SEED = 20260103 };

struct naive {
    struct rig *g;
    bool iotlb[NAIVE_DOMAINS][NAIVE_PAGES]; /* believed to be cached */
    bool psc[NAIVE_DOMAINS][4];             /* pages are spread over four 2 MiB regions, 16 in each */
};

static iova naive_iova(unsigned i) { return (iova){ (UINT64_C(8) << 21) + ((uint64_t)(i / 16) << 21) + (uint64_t)(i % 16) * PAGE_BYTES }; }

static void compare_iotlb(void *arg, uint16_t domain, iova page, frame f, bool read, bool write)
{
    struct naive *n = arg;
    unsigned i = (unsigned)((page.v >> 21) - 8) * 16 + (unsigned)(page.v >> PAGE_SHIFT) % 512;
    cr_assert(n->iotlb[domain][i], "seed %d: domain %u, page %u should be gone", SEED, domain, i);
    cr_assert(f.v == 100 + NAIVE_PAGES * domain + i && read && write);
}

static void compare_psc(void *arg, uint16_t domain, iova region, frame f, bool read, bool write)
{
    struct naive *n = arg;
    cr_assert(f.v >= RIG_TABLES && read && write);
    cr_assert(n->psc[domain][(region.v >> 21) - 8], "seed %d: domain %u, region should be gone", SEED, domain);
}

static void compare(struct naive *n)
{
    unsigned iotlb = 0, psc = 0;
    for (unsigned d = 0; d < NAIVE_DOMAINS; d++) {
        for (unsigned i = 0; i < NAIVE_PAGES; i++)
            iotlb += n->iotlb[d][i];
        for (unsigned i = 0; i < 4; i++)
            psc += n->psc[d][i];
    }
    iommu_each_iotlb(n->g->iommu, compare_iotlb, n);
    iommu_each_psc(n->g->iommu, compare_psc, n);
    cr_assert_eq(rig_iotlb_count(n->g), iotlb);
    cr_assert_eq(rig_psc_count(n->g), psc);
}

static void naive_drop(struct naive *n, enum vtd_granularity g, unsigned domain, iova base, unsigned mask, bool leaf_only)
{
    uint64_t size = (uint64_t)PAGE_BYTES << mask, first = base.v & ~(size - 1);
    for (unsigned d = 0; d < NAIVE_DOMAINS; d++) {
        if (g != VTD_GRANULARITY_GLOBAL && d != domain)
            continue;
        for (unsigned i = 0; i < NAIVE_PAGES; i++)
            if (g != VTD_GRANULARITY_PAGE || (naive_iova(i).v >= first && naive_iova(i).v < first + size))
                n->iotlb[d][i] = false;
        for (unsigned i = 0; i < 4; i++) {
            uint64_t region = (uint64_t)(8 + i) << 21;
            if (g != VTD_GRANULARITY_PAGE || (!leaf_only && region < first + size && first < region + (1 << 21)))
                n->psc[d][i] = false;
        }
    }
}

Test(iommu_queue, invalidation_removes_exactly_what_it_names)
{
    struct iommu_desc d = rig_desc();
    d.iotlb_entries = d.iotlb_ways = NAIVE_DOMAINS * NAIVE_PAGES; /* never evicts */
    d.psc_entries = 4 * NAIVE_DOMAINS;
    struct naive n = { .g = rig_running(d) };
    struct rng r = rng_stream(SEED, "iommu_granularity");
    for (unsigned k = 0; k < NAIVE_DOMAINS; k++) {
        frame table = rig_attach(n.g, (uint16_t)(8 * k), (uint16_t)k, 4);
        for (unsigned i = 0; i < NAIVE_PAGES; i++)
            rig_map(n.g, table, naive_iova(i), 100 + NAIVE_PAGES * k + i);
    }
    for (unsigned step = 0; step < 1500; step++) {
        for (unsigned i = 0; i < 12; i++) {
            unsigned k = (unsigned)rng_below(&r, NAIVE_DOMAINS), page = (unsigned)rng_below(&r, NAIVE_PAGES);
            bool cached = n.iotlb[k][page];
            struct ask a = ask_now(n.g, (uint16_t)(8 * k), naive_iova(page).v, false);
            cr_assert_eq(a.t.iotlb_hit, cached, "seed %d, step %u", SEED, step);
            n.psc[k][page / 16] |= !cached;
            n.iotlb[k][page] = true;
        }
        enum vtd_granularity g = (enum vtd_granularity)rng_between(&r, step % 8 ? 2 : 1, 3);
        unsigned k = (unsigned)rng_below(&r, NAIVE_DOMAINS), mask = (unsigned)rng_below(&r, 12);
        iova base = naive_iova((unsigned)rng_below(&r, NAIVE_PAGES));
        bool leaf_only = rng_chance(&r, 1, 2);
        rig_sync(n.g, vtd_desc_iotlb(g, (uint16_t)k, base, mask, leaf_only));
        rig_run(n.g);
        naive_drop(&n, g, k, base, mask, leaf_only);
        compare(&n);
    }
    rig_free(n.g);
}

Test(iommu_queue, context_granularity)
{
    struct rig *g = rig_running(rig_desc());
    const uint16_t device[3] = { 0x08, 0x10, 0x18 }, domain[3] = { 1, 2, 2 };
    const struct { enum vtd_granularity g; uint16_t domain, source; bool gone[3]; } cases[] = {
        { VTD_GRANULARITY_DEVICE, 2, 0x10, { false, true, false } },
        { VTD_GRANULARITY_DOMAIN, 2, 0, { false, true, true } },
        { VTD_GRANULARITY_DOMAIN, 1, 0, { true, false, false } },
        { VTD_GRANULARITY_GLOBAL, 0, 0, { true, true, true } },
    };
    for (unsigned k = 0; k < 3; k++)
        rig_map(g, rig_attach(g, device[k], domain[k], 4), PAGE, 300 + k);
    for (unsigned c = 0; c < 4; c++) {
        for (unsigned k = 0; k < 3; k++)
            ask_now(g, device[k], PAGE.v, false);
        rig_sync(g, vtd_desc_context(cases[c].g, cases[c].domain, cases[c].source));
        rig_run(g);
        for (unsigned k = 0; k < 3; k++) {
            uint64_t before = iommu_counters(g->iommu)->context_miss_count;
            ask_now(g, device[k], PAGE.v, false);
            cr_assert_eq(iommu_counters(g->iommu)->context_miss_count - before, cases[c].gone[k], "case %u, device %u", c, k);
        }
    }
    rig_free(g);
}
