/* src/kern/kernel.c - the kernel's description, the numbers of its zones, and its boot. */
#include "src/kern/kernel.h"

#include "src/base/fail.h"
#include "src/kern/frames.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/layout.h"
#include "src/kern/page_cache.h"
#include "src/kern/pcp.h"
#include "src/kern/shootdown.h"
#include "src/kern/uspace.h"
#include "src/kern/zero_policy.h"

#define BLOCK_PAGES (UINT64_C(1) << MAX_ORDER)
#define BLOCK_BYTES (BLOCK_PAGES * PAGE_BYTES)
#define MEMORY_MIN (UINT64_C(16) << 20)
#define MEMORY_MAX (UINT64_C(1) << 40)
enum { SPACES_MAX = 64, DOMAINS_MAX = 64 };

struct kernel_desc kernel_desc_default(void)
{
    return (struct kernel_desc){
        .memory_bytes = UINT64_C(1) << 30,
        .harts = 1,
        .locks = LOCK_QUEUED,
        .version = KERNEL_6_8,
        .nodes = 1,
        .zone_dma = true,
        .zone_dma32 = true,
        .watermark_scale_factor = 10,
        .watermark_boost_factor = 15000,
        .lowmem_reserve_ratio_dma = 256,
        .lowmem_reserve_ratio_normal = 32,
        .page_cache_writeback_ps = 100000000,
        .page_cache_cycles = 1000,
        .compact_pageblocks = 4,
        .pcp_locking = PCP_LOCKING_6_2,
        .zeroing = ZERO_STRING,
        .zero_pool_pages = 64,
        .shootdown = SHOOTDOWN_AUTO,
        .shootdown_vector = 1,
        .spaces = 1,
        .table_pages = 64,
        .iommu = { .domains = 1, .levels = 4, .table_pages = 64 },
        .costs = kern_costs_default(),
    };
}

static const char *check_numbers(const struct kernel_desc *d)
{
    if (d->memory_bytes < MEMORY_MIN || d->memory_bytes > MEMORY_MAX || d->memory_bytes % BLOCK_BYTES != 0)
        return "memory must be a multiple of 4 MiB between 16 MiB and 1 TiB";
    if (d->harts < 1 || d->harts > HARTS_MAX)
        return "the number of harts is out of range";
    if (d->watermark_scale_factor < 1 || d->watermark_scale_factor > 1000)
        return "the watermark scale factor must be between 1 and 1000";
    if (d->page_cache_share > 9000 || d->page_cache_dirty > 10000)
        return "the page cache is at most 90 % of the memory, and all of it dirty";
    if (d->shootdown_vector >= IRQ_VECTORS || d->shootdown_vector == PCP_DRAIN_VECTOR)
        return "the shootdown vector is out of range, or 2, which drains per-CPU lists";
    if (d->spaces > SPACES_MAX || (d->spaces != 0 && d->table_pages < d->spaces + 4))
        return "at most 64 user spaces, and a table pool of at least four pages more than spaces";
    if (d->iommu.on && (d->iommu.domains < 1 || d->iommu.domains > DOMAINS_MAX || d->iommu.levels < 3 ||
                        d->iommu.levels > 5 || d->iommu.table_pages < d->iommu.domains + 8))
        return "the IOMMU needs 1 to 64 domains, 3 to 5 levels, and a table pool of at least eight pages more than domains";
    if (d->scratch_bytes > d->memory_bytes || d->table_pages > d->memory_bytes / PAGE_BYTES ||
        d->iommu.table_pages > d->memory_bytes / PAGE_BYTES)
        return "scratch memory or table pools are larger than memory";
    return NULL;
}

static const char *check_zones(const struct kernel_desc *d)
{
    if (d->nodes < 1 || d->nodes > NODES_MAX || d->nodes > d->harts)
        return "the number of nodes must be between 1 and 8, and at most the number of harts";
    if (d->memory_bytes / d->nodes < MEMORY_MIN || d->memory_bytes % (d->nodes * BLOCK_BYTES) != 0)
        return "every node needs the same memory: a multiple of 4 MiB, at least 16 MiB";
    if (d->movable_bytes % (d->nodes * BLOCK_BYTES) != 0 || d->movable_bytes / d->nodes >= d->memory_bytes / d->nodes)
        return "movable must be a multiple of 4 MiB for each node, and less than its memory";
    if (d->version >= KERNEL_VERSIONS || d->allocator >= ALLOCATOR_KINDS)
        return "no such kernel version or allocator";
    return NULL;
}

static const char *arrange(struct kernel *k, const struct kernel_desc *desc)
{
    *k = (struct kernel){ .desc = *desc, .rules = kernel_rules(desc->version), .frames = frame_allocators[desc->allocator] };
    return layout_kernel(k);
}

const char *kernel_desc_check(const struct kernel_desc *d)
{
    const char *wrong = check_numbers(d);
    if (wrong == NULL)
        wrong = check_zones(d);
    if (wrong != NULL)
        return wrong;
    struct kernel k;
    wrong = arrange(&k, d);
    if (wrong == NULL && d->min_free_kbytes / 4 > k.managed_pages / 2)
        wrong = "min_free_kbytes is more than half of the free memory";
    return wrong;
}

/* ---- zones' numbers */

/* nr_free_buffer_pages at boot, and what __setup_per_zone_wmarks divides by. */
static uint64_t lowmem_pages(const struct kernel *k)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < k->zone_count; i++)
        if (k->zones[i].id != ZONE_MOVABLE)
            pages += k->zones[i].managed_pages;
    return pages;
}

static void set_reserves(struct kernel *k, struct zone *z)
{
    uint64_t upper[ZONES] = { 0 }, above = 0;
    unsigned ratio = z->id == ZONE_DMA || z->id == ZONE_DMA32 ? k->desc.lowmem_reserve_ratio_dma
                     : z->id == ZONE_NORMAL                   ? k->desc.lowmem_reserve_ratio_normal
                                                              : 0;
    for (unsigned i = 0; i < k->zone_count; i++)
        if (k->zones[i].node == z->node)
            upper[k->zones[i].id] = k->zones[i].managed_pages;
    for (unsigned id = (unsigned)z->id + 1; id < ZONES; id++) {
        above += upper[id];
        z->lowmem_reserve[id] = watermark_lowmem_reserve(above, ratio);
    }
}

static void set_zone(struct kernel *k, struct zone *z, uint64_t lowmem)
{
    const struct kernel_desc *d = &k->desc;
    unsigned harts = k->nodes[z->node].harts;
    z->marks = watermarks_compute(z->managed_pages, lowmem, z->id == ZONE_MOVABLE, k->min_free_kbytes,
                                  d->watermark_scale_factor);
    z->pcp_batch = d->pcp_batch != 0 ? d->pcp_batch : watermark_pcp_batch(z->managed_pages);
    z->pcp_high = d->pcp_high != 0 ? d->pcp_high : watermark_pcp_high(z->marks.low, harts != 0 ? harts : d->harts, z->pcp_batch);
    z->pcp_high_max = z->pcp_high;
    if (d->pcp_tuning && d->pcp_high == 0)
        z->pcp_high_max = watermark_pcp_high_max(z->managed_pages, harts != 0 ? harts : d->harts, z->pcp_batch);
    if (z->pcp_high_max < z->pcp_high)
        z->pcp_high_max = z->pcp_high;
    set_reserves(k, z);
}

void kernel_init(struct kernel *k, const struct kernel_desc *desc)
{
    const char *wrong = kernel_desc_check(desc);
    CHECK(wrong == NULL, "kernel_init: %s", wrong);
    arrange(k, desc);
    layout_zonelists(k);
    uint64_t lowmem = lowmem_pages(k);
    k->min_free_kbytes = desc->min_free_kbytes != 0 ? desc->min_free_kbytes : watermark_min_free_kbytes(lowmem * 4);
    for (unsigned i = 0; i < k->zone_count; i++)
        set_zone(k, &k->zones[i], lowmem);
}

const struct zone *kernel_zone_of(const struct kernel *k, frame f)
{
    for (unsigned i = 0; i < k->zone_count; i++)
        if (zone_contains(&k->zones[i], f))
            return &k->zones[i];
    return NULL;
}

const char *zone_name(enum zone_id id)
{
    static const char *const names[ZONES] = { "DMA", "DMA32", "Normal", "Movable" };
    return names[id];
}

const char *migratetype_name(enum migratetype mt)
{
    static const char *const names[MIGRATETYPES] = { "Unmovable", "Movable", "Reclaimable", "HighAtomic" };
    return names[mt];
}

/* ---- boot */

static void boot_zone(const struct zone *z, struct backdoor *b)
{
    const uint64_t marks[] = { z->marks.min, z->marks.low, z->marks.high, z->marks.promo };
    for (unsigned i = 0; i < 4; i++)
        backdoor_write(b, zone_word(z, ZONE_AT_MARKS + i * 8), 8, marks[i]);
    for (unsigned i = 0; i < ZONES; i++)
        backdoor_write(b, zone_word(z, ZONE_AT_RESERVE + i * 8), 8, z->lowmem_reserve[i]);
    backdoor_write(b, zone_word(z, ZONE_AT_FREE), 8, z->cache_first.v - z->first.v);
    for (unsigned order = 0; order < ORDERS; order++)
        for (unsigned mt = 0; mt < MIGRATE_LISTS; mt++) {
            paddr head = zone_list(z, order, (enum migratetype)mt);
            backdoor_write(b, paddr_plus(head, LIST_NEXT), 8, head.v);
            backdoor_write(b, paddr_plus(head, LIST_PREV), 8, head.v);
        }
}

static void boot_node(const struct kernel *k, const struct mem_node *n, struct backdoor *b)
{
    for (unsigned i = 0; i < n->zone_count; i++) {
        paddr entry = paddr_plus(n->at, PGDAT_ZONELIST + i * (uint64_t)ZONEREF_BYTES);
        backdoor_write(b, entry, 8, k->zones[n->zonelist[i]].at.v);
        backdoor_write(b, paddr_plus(entry, ZONEREF_INDEX), 8, n->zonelist[i]);
    }
}

void kernel_boot(struct kernel *k, struct backdoor *b)
{
    for (unsigned i = 0; i < k->desc.nodes; i++)
        boot_node(k, &k->nodes[i], b);
    for (unsigned i = 0; i < k->zone_count; i++) {
        boot_zone(&k->zones[i], b);
        k->frames->boot(k, &k->zones[i], b);
        page_cache_boot(k, &k->zones[i], b);
    }
    zero_pool_boot(k, b);
    uspace_boot(k, b);
    iommu_boot(k, b);
}

void kernel_hart_boot(struct kernel *k, struct hart *h)
{
    hart_set_irq(h, k->desc.shootdown_vector, CONTEXT_HARDIRQ, shootdown_interrupt, k);
    hart_set_irq(h, PCP_DRAIN_VECTOR, CONTEXT_HARDIRQ, pcp_drain_interrupt, k);
}
