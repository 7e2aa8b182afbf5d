/* tests/unit/test_iommu.c - translation: exact times, parts, permissions, faults, domains, registers. */
#include "tests/unit/iommu_rig.h"

#include "src/base/rng.h"

enum { DEVICE_A = 0x08, DEVICE_B = 0x10 };
static const iova PAGE = { UINT64_C(0x1234567000) };

Test(iommu, params_and_rules)
{
    param_table_check(iommu_params);
    struct iommu_desc d = rig_desc();
    cr_assert_null(iommu_desc_error(&d));
    d.iotlb_ways = 5;
    cr_assert_not_null(iommu_desc_error(&d));
    d = rig_desc();
    d.iotlb_entries = 12;
    cr_assert_not_null(iommu_desc_error(&d));
    d = rig_desc();
    d.fault_records = 241;
    cr_assert_not_null(iommu_desc_error(&d));
}

Test(iommu, reset_state_bypasses_without_time)
{
    struct rig *g = rig_new(rig_desc());
    struct ask a = { 0 };
    ask(g, &a, DEVICE_A, 0x3008, true);
    cr_assert(a.is_answered && a.t.bypassed && a.t.fault == DMA_OK && a.t.result.v == 0x3008);
    cr_assert_eq(ask_ps(&a), 0);
    cr_assert_eq(g->walk_port.submitted_count, 0);
    rig_free(g);
}

/* Cold: lookup, root, context, four levels. Warm: lookup. Neighbour page: one read, thanks to the table pointer.
 * Another device of the same domain: root and context, then the IOTLB knows. */
Test(iommu, exact_times_and_parts)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    rig_attach_entry(g, DEVICE_B, vtd_context_make(7, table, 4));
    rig_map(g, table, PAGE, 300);
    rig_map(g, table, (iova){ PAGE.v + PAGE_BYTES }, 301);

    struct ask a = ask_now(g, DEVICE_A, PAGE.v + 0x128, false);
    cr_assert_eq(a.t.result.v, 300 * PAGE_BYTES + 0x128);
    cr_assert_eq(ask_ps(&a), (10 + 6 * 50) * NS);
    cr_assert_eq(a.t.delta.ps[PART_TRANSLATE], 10 * NS);
    cr_assert_eq(a.t.delta.ps[PART_DRAM], 300 * NS);
    cr_assert(!a.t.iotlb_hit && !a.t.bypassed);

    a = ask_now(g, DEVICE_A, PAGE.v + 0x40, true);
    cr_assert(a.t.iotlb_hit && a.t.result.v == 300 * PAGE_BYTES + 0x40);
    cr_assert_eq(ask_ps(&a), 10 * NS);

    a = ask_now(g, DEVICE_A, PAGE.v + PAGE_BYTES, false);
    cr_assert(!a.t.iotlb_hit && a.t.result.v == 301 * PAGE_BYTES);
    cr_assert_eq(ask_ps(&a), 60 * NS);

    a = ask_now(g, DEVICE_B, PAGE.v, false);
    cr_assert(!a.t.iotlb_hit && a.t.result.v == 300 * PAGE_BYTES);
    cr_assert_eq(ask_ps(&a), 110 * NS);

    const struct iommu_counters *c = iommu_counters(g->iommu);
    cr_assert(c->iotlb_hit_count == 1 && c->iotlb_miss_count == 3 && c->translation_count == 4);
    cr_assert(c->walk_count == 3 && c->walk_read_count == 9 && c->psc_hit_count == 1 && c->context_miss_count == 2);
    cr_assert(components_idle(&g->components));
    rig_free(g);
}

Test(iommu, three_levels_need_three_reads)
{
    struct iommu_desc d = rig_desc();
    d.levels = 3;
    struct rig *g = rig_running(d);
    frame table = rig_attach(g, DEVICE_A, 7, 3);
    *rig_word(g, rig_slot(g, table, 3, PAGE)) = vtd_pte_make((frame){ 300 }, true, false);
    struct ask a = ask_now(g, DEVICE_A, PAGE.v, false);
    cr_assert(a.t.result.v == 300 * PAGE_BYTES);
    cr_assert_eq(ask_ps(&a), (10 + 5 * 50) * NS);
    a = ask_now(g, DEVICE_A, UINT64_C(1) << 39, false);
    cr_assert_eq(a.t.fault, DMA_FAULT_ADDRESS);
    rig_free(g);
}

Test(iommu, lookups_are_pipelined_and_walkers_are_not)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    for (unsigned i = 0; i < 4; i++)
        rig_map(g, table, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + i);
    ask_now(g, DEVICE_A, PAGE.v, false); /* context, table pointer and page 0 are known */
    struct ask a[5] = { 0 };
    for (unsigned i = 0; i < 4; i++)
        ask(g, &a[i], DEVICE_A, PAGE.v + i * PAGE_BYTES, false);
    ask(g, &a[4], DEVICE_A, PAGE.v + PAGE_BYTES + 64, false); /* the page a[1] walks */
    rig_run(g);
    cr_assert_eq(ask_ps(&a[0]), 10 * NS);
    cr_assert_eq(ask_ps(&a[1]), 60 * NS);
    cr_assert_eq(ask_ps(&a[2]), 60 * NS);
    cr_assert_eq(ask_ps(&a[3]), 110 * NS, "waits for one of two walkers");
    cr_assert_eq(a[3].t.delta.ps[PART_TRANSLATE], 60 * NS);
    cr_assert_eq(ask_ps(&a[4]), 60 * NS, "joins the walk under way");
    cr_assert_eq(a[4].t.delta.ps[PART_TRANSLATE], 60 * NS);
    cr_assert(!a[4].t.iotlb_hit);
    const struct iommu_counters *c = iommu_counters(g->iommu);
    cr_assert(c->walk_count == 4 && c->walk_join_count == 1 && c->walk_queue_count == 1);
    rig_free(g);
}

/* Two sources, the same page number: each walks its own tables, at once. */
Test(iommu, walks_of_different_sources_are_not_joined)
{
    struct rig *g = rig_running(rig_desc());
    rig_map(g, rig_attach(g, DEVICE_A, 7, 4), PAGE, 300);
    rig_map(g, rig_attach(g, DEVICE_B, 8, 4), PAGE, 400);
    struct ask a = { 0 }, b = { 0 };
    ask(g, &a, DEVICE_A, PAGE.v, false);
    ask(g, &b, DEVICE_B, PAGE.v, false);
    rig_run(g);
    cr_assert(a.t.result.v == 300 * PAGE_BYTES && b.t.result.v == 400 * PAGE_BYTES);
    cr_assert_eq(ask_ps(&a), ask_ps(&b));
    cr_assert_eq(iommu_counters(g->iommu)->walk_join_count, 0);
    rig_free(g);
}

/* ---- faults */

static void expect_fault(struct rig *g, uint64_t at, bool write, enum vtd_reason reason, enum dma_fault fault)
{
    uint64_t before = iommu_counters(g->iommu)->fault_by_reason_count[reason];
    struct ask a = ask_now(g, DEVICE_A, at, write);
    cr_assert_eq(a.t.fault, fault, "%s: fault %d", vtd_reason_name(reason), a.t.fault);
    cr_assert_eq(iommu_counters(g->iommu)->fault_by_reason_count[reason], before + 1, "%s", vtd_reason_name(reason));
    uint32_t fsts = (uint32_t)reg_read(g, VTD_REG_FSTS, 4);
    cr_assert(fsts & VTD_FSTS_PPF);
    uint64_t record = vtd_cap_fault_offset(reg_read(g, VTD_REG_CAP, 8)) + 16 * vtd_fsts_index(fsts);
    uint64_t hi = reg_read(g, record + 8, 8);
    cr_assert_eq(reg_read(g, record, 8), at & ~UINT64_C(0xfff));
    cr_assert(vtd_frcd_reason(hi) == reason && vtd_frcd_source_id(hi) == DEVICE_A && !!(hi & VTD_FRCD_READ) == !write);
    reg_write(g, record + 12, 4, 1u << 31);
    cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), 0);
}

Test(iommu, every_reason)
{
    struct rig *g = rig_running(rig_desc());
    uint64_t *root = rig_word(g, vtd_root_slot((frame){ RIG_ROOT }, DEVICE_A));
    uint64_t *context = rig_word(g, vtd_context_slot((frame){ RIG_CONTEXTS }, DEVICE_A));
    expect_fault(g, PAGE.v, false, VTD_REASON_ROOT_ABSENT, DMA_FAULT_ROOT);
    root[0] = vtd_root_make((frame){ RIG_CONTEXTS }).lo | 2;
    expect_fault(g, PAGE.v, true, VTD_REASON_ROOT_RESERVED, DMA_FAULT_RESERVED);
    root[0] = vtd_root_make((frame){ RIG_FRAMES }).lo;
    expect_fault(g, PAGE.v, true, VTD_REASON_CONTEXT_TABLE, DMA_FAULT_ADDRESS);
    root[0] = vtd_root_make((frame){ RIG_CONTEXTS }).lo;
    expect_fault(g, PAGE.v, false, VTD_REASON_CONTEXT_ABSENT, DMA_FAULT_CONTEXT);
    frame table = rig_attach(g, DEVICE_A, 7, 3);
    expect_fault(g, PAGE.v, false, VTD_REASON_CONTEXT_INVALID, DMA_FAULT_CONTEXT);
    rig_attach_entry(g, DEVICE_A, vtd_context_make(7, table, 4));
    context[0] |= VTD_CONTEXT_TYPE_MASK;
    expect_fault(g, PAGE.v, false, VTD_REASON_CONTEXT_INVALID, DMA_FAULT_CONTEXT);
    rig_attach_entry(g, DEVICE_A, vtd_context_make(7, table, 4));
    context[1] |= UINT64_C(1) << 40;
    expect_fault(g, PAGE.v, false, VTD_REASON_CONTEXT_RESERVED, DMA_FAULT_RESERVED);
    rig_attach_entry(g, DEVICE_A, vtd_context_make(7, (frame){ RIG_FRAMES }, 4));
    expect_fault(g, PAGE.v, false, VTD_REASON_TABLE_POINTER, DMA_FAULT_ADDRESS);
    rig_sync(g, vtd_desc_context(VTD_GRANULARITY_DEVICE, 0, DEVICE_A));
    rig_run(g);
    rig_attach_entry(g, DEVICE_A, vtd_context_make(7, table, 4));
    expect_fault(g, UINT64_C(1) << 48, true, VTD_REASON_BEYOND_WIDTH, DMA_FAULT_ADDRESS);
    expect_fault(g, PAGE.v, true, VTD_REASON_WRITE, DMA_FAULT_WRITE);
    expect_fault(g, PAGE.v, false, VTD_REASON_READ, DMA_FAULT_READ);
    uint64_t *pte = rig_map(g, table, PAGE, 300);
    *pte |= VTD_PTE_RESERVED;
    expect_fault(g, PAGE.v, false, VTD_REASON_PTE_RESERVED, DMA_FAULT_RESERVED);
    cr_assert_eq(iommu_counters(g->iommu)->fault_count, 12);
    rig_free(g);
}

Test(iommu, root_table_outside_memory)
{
    struct rig *g = rig_new(rig_desc());
    reg_write(g, VTD_REG_RTADDR, 8, RIG_FRAMES * PAGE_BYTES);
    reg_write(g, VTD_REG_GCMD, 4, VTD_GCMD_SRTP);
    reg_write(g, VTD_REG_GCMD, 4, VTD_GCMD_TE);
    expect_fault(g, PAGE.v, false, VTD_REASON_ROOT_TABLE, DMA_FAULT_ADDRESS);
    rig_free(g);
}

Test(iommu, every_level_must_permit)
{
    for (unsigned level = 1; level <= 4; level++) {
        struct rig *g = rig_running(rig_desc());
        frame table = rig_attach(g, DEVICE_A, 7, 4), t = table;
        rig_map(g, table, PAGE, 300);
        for (unsigned l = 4; l > level; l--)
            t = vtd_pte_frame(*rig_word(g, vtd_pte_slot(t, PAGE, l)));
        uint64_t *pte = rig_word(g, vtd_pte_slot(t, PAGE, level));
        *pte &= ~VTD_PTE_WRITE;
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_FAULT_WRITE, "level %u", level);
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.fault, DMA_OK);
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_FAULT_WRITE, "nor from the IOTLB");
        *pte |= VTD_PTE_WRITE;
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_OK, "a read-only entry is no reason to refuse");
        rig_sync(g, vtd_desc_iotlb(VTD_GRANULARITY_GLOBAL, 0, (iova){ 0 }, 0, false));
        rig_run(g);
        *pte &= ~VTD_PTE_READ;
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.fault, DMA_FAULT_READ, "level %u", level);
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, true).t.fault, DMA_OK);
        cr_assert_eq(ask_now(g, DEVICE_A, PAGE.v, false).t.fault, DMA_FAULT_READ, "nor from the IOTLB");
        rig_free(g);
    }
}

Test(iommu, large_page_bit_is_reserved)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    rig_map(g, table, PAGE, 300);
    *rig_word(g, vtd_pte_slot(table, PAGE, 4)) |= VTD_PTE_LARGE;
    expect_fault(g, PAGE.v, false, VTD_REASON_PTE_RESERVED, DMA_FAULT_RESERVED);
    rig_free(g);
}

Test(iommu, no_memory_behind_the_page)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    rig_map(g, table, PAGE, RIG_FRAMES + 5);
    struct ask a = ask_now(g, DEVICE_A, PAGE.v, false);
    cr_assert_eq(a.t.fault, DMA_FAULT_ADDRESS);
    cr_assert_eq(iommu_counters(g->iommu)->abort_count, 1);
    cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), 0, "translation was fine: nothing is recorded");
    rig_free(g);
}

Test(iommu, records_overflow_and_recover)
{
    struct rig *g = rig_running(rig_desc());
    for (unsigned i = 0; i < 6; i++)
        ask_now(g, DEVICE_A, PAGE.v + i * PAGE_BYTES, false);
    uint32_t fsts = (uint32_t)reg_read(g, VTD_REG_FSTS, 4);
    cr_assert((fsts & VTD_FSTS_PFO) && (fsts & VTD_FSTS_PPF) && vtd_fsts_index(fsts) == 0);
    cr_assert_eq(iommu_counters(g->iommu)->fault_lost_count, 2);
    for (unsigned i = 0; i < 4; i++) { /* oldest first */
        cr_assert_eq(vtd_fsts_index((uint32_t)reg_read(g, VTD_REG_FSTS, 4)), i);
        cr_assert_eq(reg_read(g, VTD_REG_FRCD + 16 * i, 8), PAGE.v + i * PAGE_BYTES);
        reg_write(g, VTD_REG_FRCD + 16 * i + 8, 8, VTD_FRCD_F);
    }
    ask_now(g, DEVICE_A, PAGE.v, true);
    cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), VTD_FSTS_PFO, "nothing is recorded until PFO is cleared");
    reg_write(g, VTD_REG_FSTS, 4, VTD_FSTS_PFO);
    cr_assert_eq(reg_read(g, VTD_REG_FSTS, 4), 0);
    ask_now(g, DEVICE_A, PAGE.v, true);
    cr_assert(reg_read(g, VTD_REG_FRCD + 8, 8) & VTD_FRCD_F);
    rig_free(g);
}

/* Pages 0, 4, 8, 12, 16 share a set of four ways. */
Test(iommu, least_recently_used_is_replaced)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    for (unsigned i = 0; i <= 16; i += 4)
        rig_map(g, table, (iova){ UINT64_C(0x40000000) + i * PAGE_BYTES }, 300 + i);
    for (unsigned i = 0; i <= 12; i += 4)
        ask_now(g, DEVICE_A, UINT64_C(0x40000000) + i * PAGE_BYTES, false);
    cr_assert(ask_now(g, DEVICE_A, UINT64_C(0x40000000), false).t.iotlb_hit); /* page 4 is now the oldest */
    cr_assert(!ask_now(g, DEVICE_A, UINT64_C(0x40000000) + 16 * PAGE_BYTES, false).t.iotlb_hit);
    cr_assert(ask_now(g, DEVICE_A, UINT64_C(0x40000000), false).t.iotlb_hit);
    cr_assert(ask_now(g, DEVICE_A, UINT64_C(0x40000000) + 8 * PAGE_BYTES, false).t.iotlb_hit);
    cr_assert(!ask_now(g, DEVICE_A, UINT64_C(0x40000000) + 4 * PAGE_BYTES, false).t.iotlb_hit);
    rig_free(g);
}

/* ---- registers */

Test(iommu, registers)
{
    struct rig *g = rig_new(rig_desc());
    uint64_t cap = reg_read(g, VTD_REG_CAP, 8);
    cr_assert(vtd_cap_levels(cap, 4) && !vtd_cap_levels(cap, 3) && vtd_cap_page_selective(cap));
    cr_assert(vtd_cap_fault_records(cap) == 4 && vtd_cap_fault_offset(cap) == VTD_REG_FRCD && vtd_cap_mask_max(cap) == 18);
    cr_assert(reg_read(g, VTD_REG_ECAP, 8) & VTD_ECAP_QI);
    cr_assert_eq(reg_read(g, VTD_REG_GSTS, 4), 0);
    rig_enable(g);
    cr_assert_eq(reg_read(g, VTD_REG_GSTS, 4), VTD_GSTS_TES | VTD_GSTS_RTPS | VTD_GSTS_QIES);
    cr_assert_eq(reg_read(g, VTD_REG_RTADDR, 8), RIG_ROOT * PAGE_BYTES);
    reg_write(g, VTD_REG_IQA, 8, 0); /* ignored while on */
    cr_assert_eq(reg_read(g, VTD_REG_IQA, 8), RIG_RING * PAGE_BYTES);
    reg_write(g, VTD_REG_GCMD, 4, 0);
    cr_assert_eq(reg_read(g, VTD_REG_GSTS, 4), VTD_GSTS_RTPS);
    rig_free(g);
}

Test(iommu, no_unit)
{
    struct iommu_desc d = rig_desc();
    d.enabled = false;
    struct rig *g = rig_running(d);
    cr_assert_eq(reg_read(g, VTD_REG_GSTS, 4), 0);
    cr_assert_eq(reg_read(g, VTD_REG_CAP, 8), 0);
    struct ask a = { 0 };
    ask(g, &a, DEVICE_A, 0x5000, true);
    cr_assert(a.is_answered && a.t.bypassed);
    rig_free(g);
}

Test(iommu, pass_through)
{
    struct rig *g = rig_running(rig_desc());
    rig_attach_entry(g, DEVICE_A, vtd_context_pass_through(3, 4));
    struct ask a = ask_now(g, DEVICE_A, 0x5008, true);
    cr_assert(a.t.bypassed && a.t.result.v == 0x5008 && a.t.fault == DMA_OK);
    cr_assert_eq(ask_ps(&a), 110 * NS);
    a = ask_now(g, DEVICE_A, 0x5008, true);
    cr_assert_eq(ask_ps(&a), 10 * NS);
    cr_assert_eq(iommu_counters(g->iommu)->bypass_count, 2);
    rig_free(g);
}

/* ---- the outside */

static void count_use(void *arg, const struct iommu_use *use)
{
    (void)use;
    ++*(unsigned *)arg;
}

Test(iommu, inspection_sees_everything_in_flight)
{
    struct rig *g = rig_running(rig_desc());
    frame table = rig_attach(g, DEVICE_A, 7, 4);
    for (unsigned i = 0; i < 4; i++)
        rig_map(g, table, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + i);
    ask_now(g, DEVICE_A, PAGE.v, false);
    struct ask a[4] = { [0] = { .begin = true } };
    for (unsigned i = 0; i < 4; i++)
        ask(g, &a[i], DEVICE_A, PAGE.v + i * PAGE_BYTES, false);
    unsigned n = 0;
    iommu_each_translation(g->iommu, count_use, &n);
    cr_assert_eq(n, 4);
    engine_run(g->engine, engine_now(g->engine) + 10 * NS); /* one hit, two walks, one waits */
    components_check(&g->components);
    n = 0;
    iommu_each_translation(g->iommu, count_use, &n);
    cr_assert_eq(n, 3);
    n = 0;
    iommu_each_dma(g->iommu, count_use, &n);
    cr_assert_eq(n, 1);
    char text[2048] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    components_why_busy(&g->components, out);
    fclose(out);
    cr_assert(strstr(text, "reads its table entry") && strstr(text, "wait for one of 2 walkers")
              && strstr(text, "DMA of source 0x0008 at 0x12c000 in flight"), "%s", text);
    rig_run(g);
    iommu_port(g->iommu).dma_end(g->iommu, DEVICE_A, a[0].t.result);
    cr_assert(components_idle(&g->components));
    cr_assert_eq(rig_iotlb_count(g), 4);
    cr_assert_eq(rig_psc_count(g), 1);
    rig_free(g);
}

static void count_named(void *arg, const char *name, uint64_t value)
{
    (void)value;
    size_t n = strlen(name);
    cr_assert(strcmp(name + n - 3, "_ps") == 0 || strcmp(name + n - 6, "_count") == 0, "%s ends in its unit", name);
    ++*(unsigned *)arg;
}

Test(iommu, counters_are_named)
{
    struct rig *g = rig_new(rig_desc());
    unsigned n = 0;
    iommu_each_counter(g->iommu, count_named, &n);
    cr_assert_gt(n, VTD_REASON_COUNT);
    for (unsigned f = 0; f < DMA_FAULT_COUNT; f++)
        cr_assert_not_null(dma_fault_name(f));
    rig_free(g);
}

/* Four devices, four domains, the same addresses: tiny caches, random order, each sees its own frames only, what is
 * not mapped is refused. */
Test(iommu, domains_never_mix)
{
    enum { DOMAINS = 4, PAGES = 8, SEED = 20260102 };
    struct iommu_desc d = rig_desc();
    d.iotlb_entries = 8;
    d.iotlb_ways = 2;
    d.psc_entries = d.context_entries = 2;
    struct rig *g = rig_running(d);
    struct rng r = rng_stream(SEED, "iommu_domains");
    for (unsigned k = 0; k < DOMAINS; k++) {
        frame table = rig_attach(g, (uint16_t)(8 * k), (uint16_t)(100 + k), 4);
        for (unsigned i = 0; i < PAGES; i++)
            if (i != k)
                rig_map(g, table, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + PAGES * k + i);
    }
    for (unsigned round = 0; round < 3000; round++) {
        struct ask a[6] = { 0 };
        for (unsigned i = 0; i < 6; i++)
            ask(g, &a[i], (uint16_t)(8 * rng_below(&r, DOMAINS)), PAGE.v + rng_below(&r, PAGES) * PAGE_BYTES, rng_chance(&r, 1, 2));
        rig_run(g);
        for (unsigned i = 0; i < 6; i++) {
            unsigned k = a[i].t.source_id / 8, page = (unsigned)((a[i].t.addr.v - PAGE.v) / PAGE_BYTES);
            if (page == k)
                cr_assert_eq(a[i].t.fault, a[i].t.write ? DMA_FAULT_WRITE : DMA_FAULT_READ);
            else
                cr_assert_eq(paddr_frame(a[i].t.result).v, 300 + PAGES * k + page, "seed %d, round %u", SEED, round);
        }
    }
    rig_free(g);
}
