/* tests/unit/test_kern_zones.c - zones and nodes: what lies where, reserves between zones, fallback within and between
 * nodes, the failure report. */
#include "tests/unit/test_kern_rig.h"

#include <stdio.h>

static struct kernel_desc zones_desc(uint64_t mib)
{
    struct kernel_desc d = rig_desc();
    d.memory_bytes = mib << 20;
    d.zone_dma = d.zone_dma32 = true;
    d.pcp_batch = 1; /* nothing cached, */
    d.watermark_boost_factor = 0; /* and no boost, so that floors are exact */
    return d;
}

static const struct zone *zone_of(const struct kernel *k, unsigned node, enum zone_id id)
{
    for (unsigned i = 0; i < k->zone_count; i++)
        if (k->zones[i].node == node && k->zones[i].id == id)
            return &k->zones[i];
    return NULL;
}

/* ---- layout */

Test(zones, lie_as_on_x86_64)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    d.movable_bytes = UINT64_C(16) << 20;
    rig_boot(&r, &d);
    const struct zone *dma = zone_of(&r.k, 0, ZONE_DMA), *dma32 = zone_of(&r.k, 0, ZONE_DMA32), *movable = zone_of(&r.k, 0, ZONE_MOVABLE);
    cr_assert(dma && dma32 && movable && zone_of(&r.k, 0, ZONE_NORMAL) == NULL);
    cr_assert(dma->first.v == 256 && dma->end.v == 4096 && dma->managed_pages == 3840); /* "managed:15360kB" */
    cr_assert(dma32->first.v == 4096 && dma32->end.v < 12288);
    cr_assert(movable->first.v == 12288 && movable->end.v == 16384);
    cr_assert(r.k.nodes[0].reserved.v == dma32->end.v && r.k.nodes[0].reserved_end.v == 12288);
    cr_assert_null(kernel_zone_of(&r.k, (frame){ 255 }));
    cr_assert_null(kernel_zone_of(&r.k, r.k.nodes[0].reserved));
    cr_assert_eq(kernel_zone_of(&r.k, (frame){ 12288 }), movable);
    cr_assert_eq(r.k.managed_pages, dma->managed_pages + dma32->managed_pages + movable->managed_pages);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* Above 4 GiB: NORMAL. Only the description: native memory is flat. */
Test(zones, a_large_machine_has_all_four)
{
    struct kernel k;
    struct kernel_desc d = zones_desc(8192);
    d.movable_bytes = UINT64_C(1) << 30;
    kernel_init(&k, &d);
    cr_assert_eq(k.zone_count, 4);
    cr_assert(k.zones[ZONE_DMA32].end.v == 1 << 20 && k.zones[ZONE_NORMAL].first.v == 1 << 20);
    for (unsigned i = 0; i < 4; i++)
        cr_assert(k.zones[i].id == (enum zone_id)i && k.nodes[0].zonelist[i] == 3 - i);
    /* A14: pages of the zones between, over 256 or 32 */
    uint64_t dma32 = k.zones[1].managed_pages, normal = k.zones[2].managed_pages, movable = k.zones[3].managed_pages;
    cr_assert_eq(k.zones[ZONE_DMA].lowmem_reserve[ZONE_DMA], 0);
    cr_assert_eq(k.zones[ZONE_DMA].lowmem_reserve[ZONE_DMA32], dma32 / 256);
    cr_assert_eq(k.zones[ZONE_DMA].lowmem_reserve[ZONE_NORMAL], (dma32 + normal) / 256);
    cr_assert_eq(k.zones[ZONE_DMA32].lowmem_reserve[ZONE_MOVABLE], (normal + movable) / 256);
    cr_assert_eq(k.zones[ZONE_NORMAL].lowmem_reserve[ZONE_MOVABLE], movable / 32);
    cr_assert_eq(k.zones[ZONE_MOVABLE].lowmem_reserve[ZONE_MOVABLE], 0);
    /* A11 and A12: min_free_kbytes from what is not MOVABLE, shared out by size */
    uint64_t lowmem = k.managed_pages - movable;
    cr_assert_eq(k.min_free_kbytes, watermark_min_free_kbytes(lowmem * 4));
    cr_assert_eq(k.zones[ZONE_NORMAL].marks.min, k.min_free_kbytes / 4 * normal / lowmem);
    cr_assert_eq(k.zones[ZONE_MOVABLE].marks.min, 128);
}

Test(zones, words_lie_on_lines_as_in_linux)
{
    cr_assert_eq(AREA_BYTES, 104);
    cr_assert_eq(ZONE_AT_AREAS % LINE_BYTES, 0);
    cr_assert_eq(ZONE_AT_LOCK % LINE_BYTES, 0);
    cr_assert_neq(ZONE_AT_LOCK / LINE_BYTES, ZONE_AT_FREE / LINE_BYTES);
    cr_assert_eq(PCP_LISTS + 2 * LIST_BYTES <= LINE_BYTES, true); /* header and the first two lists */
    cr_assert_leq(PCP_LISTS + PCP_LISTS_MAX * LIST_BYTES, PCP_BYTES);
}

/* ---- fallback */

/* Nodes in the order in which the zonelist of `node` comes to them. */
static void expect_order(const struct kernel *k, unsigned node, const unsigned *want)
{
    unsigned n = 0;
    for (unsigned i = 0; i < k->nodes[node].zone_count; i++) {
        unsigned other = k->zones[k->nodes[node].zonelist[i]].node;
        if (i == 0 || other != k->zones[k->nodes[node].zonelist[i - 1]].node)
            cr_assert_eq(other, want[n++], "node %u, place %u", node, n);
    }
    cr_assert_eq(n, k->desc.nodes);
}

Test(nodes, nearest_first_and_of_equals_the_next)
{
    struct kernel k;
    struct kernel_desc d = zones_desc(128);
    d.nodes = d.harts = 4;
    kernel_init(&k, &d);
    expect_order(&k, 0, (const unsigned[]){ 0, 1, 2, 3 });
    expect_order(&k, 2, (const unsigned[]){ 2, 3, 0, 1 });
    static const uint8_t rows[4][4] = { { 10, 30, 20, 20 }, { 30, 10, 20, 40 }, { 20, 20, 10, 30 }, { 20, 40, 30, 10 } };
    for (unsigned i = 0; i < 4; i++)
        memcpy(d.distance[i], rows[i], 4);
    kernel_init(&k, &d);
    expect_order(&k, 0, (const unsigned[]){ 0, 2, 3, 1 });
    expect_order(&k, 1, (const unsigned[]){ 1, 2, 0, 3 });
    expect_order(&k, 3, (const unsigned[]){ 3, 0, 2, 1 });
}

/* Harts in order; struct pages, zones and per-CPU areas of a node in its own memory. */
Test(nodes, keep_their_own_data)
{
    struct kernel k;
    struct kernel_desc d = zones_desc(128);
    d.nodes = 2;
    d.harts = 5;
    kernel_init(&k, &d);
    cr_assert(k.nodes[0].harts == 3 && k.nodes[1].harts == 2);
    for (unsigned hart = 0; hart < 5; hart++)
        cr_assert_eq(kernel_node_of(&k, paddr_frame(k.hart_at[hart])), &k.nodes[hart < 3 ? 0 : 1]);
    for (unsigned i = 0; i < k.zone_count; i++) {
        const struct zone *z = &k.zones[i];
        cr_assert_eq(kernel_node_of(&k, paddr_frame(z->at)), &k.nodes[z->node]);
        cr_assert_eq(kernel_node_of(&k, paddr_frame(page_word(&k, z->first, 0))), &k.nodes[z->node]);
        cr_assert_eq(page_of_node(&k, page_node(&k, z->first)).v, z->first.v);
        cr_assert_eq(page_of_node(&k, page_node(&k, (frame){ z->end.v - 1 })).v, z->end.v - 1);
    }
}

static uint64_t take_until(struct rig *r, gfp_t gfp, const struct zone *z) /* pages taken before another zone serves */
{
    for (uint64_t n = 0;; n++) {
        frame f = alloc_pages(r->h, &r->k, gfp, 0);
        if (f.v == 0 || !zone_contains(z, f))
            return n;
    }
}

/* Down to low in DMA32, then DMA as far as its reserve for requests of higher zones; then to min in both. */
Test(zones, a_request_falls_back_and_leaves_the_lowmem_reserve)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    d.lowmem_reserve_ratio_dma = 16;
    rig_boot(&r, &d);
    const struct zone *dma = &r.k.zones[0], *dma32 = &r.k.zones[1];
    uint64_t reserve = dma->lowmem_reserve[ZONE_NORMAL];
    cr_assert_eq(reserve, dma32->managed_pages / 16);
    cr_assert_eq(take_until(&r, GFP_NOWAIT, dma32), dma32->managed_pages - dma32->marks.low);
    cr_assert_eq(zone_free_count(&r, dma), dma->managed_pages - 1);
    while (alloc_pages(r.h, &r.k, GFP_NOWAIT, 0).v != 0)
        ;
    cr_assert_eq(zone_free_count(&r, dma32), dma32->marks.min);
    cr_assert_eq(zone_free_count(&r, dma), dma->marks.min + reserve);
    /* Who asks for DMA memory may have the reserve. */
    frame f = alloc_pages(r.h, &r.k, GFP_NOWAIT | GFPM_DMA, 0);
    cr_assert(zone_contains(dma, f));
    while (alloc_pages(r.h, &r.k, GFP_NOWAIT | GFPM_DMA, 0).v != 0)
        ;
    cr_assert_eq(zone_free_count(&r, dma), dma->marks.min);
    rig_free(&r);
}

/* Who may ignore watermarks still tries every zone at min first. */
Test(zones, memalloc_looks_for_a_zone_above_min_before_it_takes_the_last)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    frame last = { 0 };
    rig_boot(&r, &d);
    const struct zone *dma = &r.k.zones[0], *dma32 = &r.k.zones[1];
    for (frame f; (f = alloc_pages(r.h, &r.k, GFP_NOWAIT, 0)).v != 0;)
        last = zone_contains(dma, f) ? f : last;
    free_pages(r.h, &r.k, last, 0);
    pcp_drain_all(r.h, &r.k);
    cr_assert(zone_contains(dma, alloc_pages(r.h, &r.k, GFP_NOWAIT | GFPM_MEMALLOC, 0)));
    cr_assert(zone_contains(dma32, alloc_pages(r.h, &r.k, GFP_NOWAIT | GFPM_MEMALLOC, 0)));
    rig_free(&r);
}

Test(zones, movable_memory_is_for_movable_requests)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    d.movable_bytes = UINT64_C(16) << 20;
    rig_boot(&r, &d);
    const struct zone *movable = zone_of(&r.k, 0, ZONE_MOVABLE);
    cr_assert(zone_contains(movable, alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, 0)));
    cr_assert(!zone_contains(movable, alloc_pages(r.h, &r.k, GFP_HIGHUSER, 0)));
    cr_assert(!zone_contains(movable, alloc_pages(r.h, &r.k, GFP_USER | GFPM_MOVABLE, 0)));
    cr_assert_gt(take_until(&r, GFP_HIGHUSER_MOVABLE, movable), 3000);
    cr_assert_neq(alloc_pages(r.h, &r.k, GFP_HIGHUSER_MOVABLE, 0).v, 0); /* falls back */
    rig_free(&r);
}

Test(nodes, local_memory_first_then_the_neighbour_unless_thisnode)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    d.nodes = d.harts = 2;
    rig_boot(&r, &d);
    struct hart *far = &r.machine->harts[1];
    cr_assert_eq(kernel_zone_of(&r.k, alloc_pages(far, &r.k, GFP_KERNEL, 0))->node, 1);
    cr_assert_eq(kernel_zone_of(&r.k, alloc_pages(r.h, &r.k, GFP_KERNEL, 0))->node, 0);
    cr_assert_eq(kernel_zone_of(&r.k, alloc_pages_node(r.h, &r.k, 1, GFP_KERNEL, 3))->node, 1);
    while (alloc_pages(far, &r.k, GFP_NOWAIT | GFPM_THISNODE, 0).v != 0)
        ;
    cr_assert_eq(kernel_zone_of(&r.k, alloc_pages(far, &r.k, GFP_NOWAIT, 0))->node, 0);
    cr_assert_eq(backdoor_read(r.b, paddr_plus(r.k.nodes[1].at, PGDAT_KSWAPD), 8), 1);
    cr_assert_eq(backdoor_read(r.b, paddr_plus(r.k.nodes[0].at, PGDAT_KSWAPD), 8), 0);
    /* Node 1 has no DMA zone: such requests go to node 0. */
    cr_assert_eq(kernel_zone_of(&r.k, alloc_pages(far, &r.k, GFP_KERNEL | GFPM_DMA, 0)), zone_of(&r.k, 0, ZONE_DMA));
    rig_free(&r);
}

/* The neighbour's MOVABLE zone is none for kernel memory either. */
Test(nodes, a_neighbours_higher_zones_are_passed_over)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    d.nodes = d.harts = 2;
    d.movable_bytes = UINT64_C(16) << 20;
    rig_boot(&r, &d);
    for (frame f; (f = alloc_pages(r.h, &r.k, GFP_NOWAIT, 0)).v != 0;)
        cr_assert_neq(kernel_zone_of(&r.k, f)->id, ZONE_MOVABLE);
    cr_assert_eq(zone_free_count(&r, zone_of(&r.k, 1, ZONE_DMA32)), zone_of(&r.k, 1, ZONE_DMA32)->marks.min);
    rig_free(&r);
}

/* ---- the failure report */

static char report[8192];
static void explain(void *arg, struct hart *h, const struct alloc_failure *why)
{
    (void)arg;
    (void)h;
    alloc_failure_explain(why, report, sizeof report);
}

Test(zones, a_failure_names_every_zone_and_its_inequality)
{
    struct kernel_desc d = zones_desc(64);
    struct rig r;
    char want[600];
    d.alloc_failed = explain;
    rig_boot(&r, &d);
    const struct zone *dma = &r.k.zones[0], *dma32 = &r.k.zones[1];
    while (alloc_pages(r.h, &r.k, GFP_NOWAIT, 0).v != 0)
        ;
    snprintf(want, sizeof want,
             "page allocation failure: order 0, mode 0x2800(GFP_NOWAIT), Unmovable\n"
             "  node 0 zone DMA32: managed %lu min %lu low %lu high %lu boost 0 reserved_highatomic 0; "
             "order 0: free %lu - unusable 0 is not > min %lu = %lu + lowmem reserve 0\n"
             "  node 0 zone DMA: managed 3840 min %lu low %lu high %lu boost 0 reserved_highatomic 0; "
             "order 0: free %lu - unusable 0 is not > min %lu = %lu + lowmem reserve %lu",
             (unsigned long)dma32->managed_pages, (unsigned long)dma32->marks.min, (unsigned long)dma32->marks.low,
             (unsigned long)dma32->marks.high, (unsigned long)dma32->marks.min, (unsigned long)dma32->marks.min, (unsigned long)dma32->marks.min,
             (unsigned long)dma->marks.min, (unsigned long)dma->marks.low, (unsigned long)dma->marks.high,
             (unsigned long)(dma->marks.min + dma->lowmem_reserve[ZONE_NORMAL]), (unsigned long)dma->marks.min, (unsigned long)dma->marks.min,
             (unsigned long)dma->lowmem_reserve[ZONE_NORMAL]);
    cr_assert_str_eq(report, want);
    rig_free(&r);
}

Test(zones, impossible_descriptions)
{
    struct kernel_desc d = zones_desc(64);
    d.nodes = 2; /* and one hart */
    cr_assert_not_null(strstr(kernel_desc_check(&d), "number of harts"));
    d.harts = 2;
    cr_assert_null(kernel_desc_check(&d));
    d.movable_bytes = 4 << 20;
    cr_assert_not_null(strstr(kernel_desc_check(&d), "multiple of 4 MiB for each node"));
    d.movable_bytes = UINT64_C(64) << 20;
    cr_assert_not_null(kernel_desc_check(&d));
    d.movable_bytes = 0;
    d.nodes = 3;
    d.harts = 3;
    cr_assert_not_null(strstr(kernel_desc_check(&d), "same memory"));
    d = zones_desc(64);
    d.movable_bytes = UINT64_C(56) << 20;
    d.scratch_bytes = UINT64_C(6) << 20;
    cr_assert_not_null(strstr(kernel_desc_check(&d), "three quarters"));
}
