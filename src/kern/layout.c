/* src/kern/layout.c - places in physical memory. */
#include "src/kern/layout.h"

#include "src/kern/frames.h"
#include "src/kern/iommu_queue.h"
#include "src/kern/page_cache.h"

#define MIB (UINT64_C(1) << 20)
enum { QUEUE_BYTES = 64, STATUS_BYTES = 4, BLOCKS_PER_BYTE = 2 };
static const uint64_t firmware_end = MIB, dma_end = 16 * MIB, dma32_end = 4096 * MIB;

static paddr carve(uint64_t *next, uint64_t bytes, uint64_t align)
{
    *next = (*next + align - 1) & ~(align - 1);
    paddr at = { *next };
    *next += bytes;
    return at;
}

/* What all harts share lies in node 0. */
static void carve_common(struct kernel *k, uint64_t *next)
{
    const struct kernel_desc *d = &k->desc;
    struct kernel_layout *at = &k->at;
    uint64_t harts = d->harts;
    at->csd = carve(next, harts * harts * LINE_BYTES, LINE_BYTES);
    at->spaces = carve(next, (uint64_t)d->spaces * SPACE_BYTES, LINE_BYTES);
    at->domains = carve(next, (uint64_t)d->iommu.domains * DOMAIN_BYTES, LINE_BYTES);
    at->queue = carve(next, QUEUE_BYTES, LINE_BYTES);
    at->status = carve(next, QUEUE_SLOTS * STATUS_BYTES, LINE_BYTES);
    at->ring = carve(next, PAGE_BYTES, PAGE_BYTES);
    at->scratch = carve(next, d->scratch_bytes, PAGE_BYTES);
    at->table_pool = carve(next, (uint64_t)d->table_pages * PAGE_BYTES, PAGE_BYTES);
    at->io_pool = carve(next, d->iommu.on ? (uint64_t)d->iommu.table_pages * PAGE_BYTES : 0, PAGE_BYTES);
}

/* ---- zones */

static struct zone *zone_add(struct kernel *k, unsigned node, enum zone_id id, uint64_t first, uint64_t end)
{
    if (first >= end)
        return NULL;
    struct zone *z = &k->zones[k->zone_count];
    *z = (struct zone){ .id = id, .node = node, .index = k->zone_count, .first = { first / PAGE_BYTES },
                        .end = { end / PAGE_BYTES }, .managed_pages = (end - first) / PAGE_BYTES, .kernel = k };
    k->zone_count++;
    return z;
}

static uint64_t at_least(uint64_t x, uint64_t floor) { return x < floor ? floor : x; }
static uint64_t at_most(uint64_t x, uint64_t ceiling) { return x > ceiling ? ceiling : x; }

/* The zones of a node whose ordinary memory ends at `end` and whose MOVABLE begins at `movable`. */
static void add_zones(struct kernel *k, unsigned node, uint64_t end, uint64_t movable)
{
    uint64_t first = at_least(k->nodes[node].first.v * PAGE_BYTES, firmware_end), last = k->nodes[node].end.v * PAGE_BYTES;
    uint64_t dma = k->desc.zone_dma ? dma_end : 0, dma32 = k->desc.zone_dma32 ? dma32_end : dma;
    zone_add(k, node, ZONE_DMA, first, at_most(end, dma));
    zone_add(k, node, ZONE_DMA32, at_least(first, dma), at_most(end, dma32));
    zone_add(k, node, ZONE_NORMAL, at_least(first, dma32), end);
    zone_add(k, node, ZONE_MOVABLE, movable, last);
}

/* ---- nodes */

/* Lays the node's own data out from `start`; returns their end. Zones must be there for their number and size. */
static uint64_t carve_node(struct kernel *k, unsigned node, uint64_t start, unsigned first_zone)
{
    struct mem_node *n = &k->nodes[node];
    uint64_t next = start, frames = n->end.v - n->first.v;
    if (node == 0)
        carve_common(k, &next);
    n->at = carve(&next, PGDAT_BYTES, LINE_BYTES);
    for (unsigned i = first_zone; i < k->zone_count; i++)
        k->zones[i].at = carve(&next, ZONE_BYTES, LINE_BYTES);
    for (unsigned hart = 0; hart < k->desc.harts; hart++)
        if (kernel_hart_node(k, hart) == node)
            k->hart_at[hart] = carve(&next, HART_BYTES + (uint64_t)ZONES * k->desc.nodes * PCP_BYTES, LINE_BYTES);
    n->blocks = carve(&next, (frames / PAGEBLOCK_PAGES + 1) / BLOCKS_PER_BYTE + 8, PAGE_BYTES);
    n->mem_map = carve(&next, frames * PAGE_STRUCT_BYTES, PAGE_BYTES);
    for (unsigned i = first_zone; i < k->zone_count; i++) {
        uint64_t own = k->frames->own_bytes != NULL ? k->frames->own_bytes(&k->desc, k->zones[i].managed_pages) : 0;
        k->zones[i].own = own != 0 ? carve(&next, own, PAGE_BYTES) : (paddr){ 0 };
    }
    for (unsigned i = first_zone; i < k->zone_count && k->desc.page_cache_share != 0; i++)
        k->zones[i].lru = carve(&next, LRU_BYTES, LINE_BYTES);
    carve(&next, 0, PAGE_BYTES);
    return next;
}

/* Tried out at address 0 with the zones that there would be if nothing were reserved: their sizes only shrink. */
static bool layout_node(struct kernel *k, unsigned node, uint64_t movable_bytes)
{
    struct mem_node *n = &k->nodes[node];
    unsigned first_zone = k->zone_count;
    uint64_t last = n->end.v * PAGE_BYTES, movable = last - movable_bytes;
    add_zones(k, node, movable, movable);
    uint64_t need = carve_node(k, node, 0, first_zone);
    uint64_t room = movable - at_least(n->first.v * PAGE_BYTES, firmware_end);
    if (movable < n->first.v * PAGE_BYTES + firmware_end || need > room / 4 * 3)
        return false;
    k->zone_count = first_zone;
    add_zones(k, node, movable - need, movable);
    n->reserved = (frame){ (movable - need) / PAGE_BYTES };
    n->reserved_end = (frame){ movable / PAGE_BYTES };
    carve_node(k, node, movable - need, first_zone);
    for (unsigned i = first_zone; i < k->zone_count; i++)
        k->zones[i].cache_first = page_cache_first(&k->desc, &k->zones[i]);
    return true;
}

const char *layout_kernel(struct kernel *k)
{
    uint64_t frames = k->desc.memory_bytes / PAGE_BYTES;
    k->node_frames = frames / k->desc.nodes;
    k->at.end = (frame){ frames };
    for (unsigned i = 0; i < k->desc.nodes; i++) {
        k->nodes[i] = (struct mem_node){ .first = { i * k->node_frames }, .end = { (i + 1) * k->node_frames } };
        for (unsigned hart = 0; hart < k->desc.harts; hart++)
            k->nodes[i].harts += kernel_hart_node(k, hart) == i;
        if (!layout_node(k, i, k->desc.movable_bytes / k->desc.nodes))
            return "the kernel's own data take more than three quarters of a node's memory outside MOVABLE";
    }
    for (unsigned i = 0; i < k->zone_count; i++)
        k->managed_pages += k->zones[i].managed_pages;
    return NULL;
}

/* ---- zonelists */

static unsigned distance(const struct kernel_desc *d, unsigned from, unsigned to)
{
    return d->distance[from][to] != 0 ? d->distance[from][to] : from == to ? 10 : 20;
}

/* find_next_best_node: nearest first; of equals, those after `from` before those before it. */
static unsigned next_best(const struct kernel_desc *d, unsigned from, const bool *used)
{
    unsigned best = from, best_value = UINT32_MAX;
    for (unsigned i = 0; i < d->nodes; i++) {
        unsigned value = distance(d, from, i) * 2 + (i < from);
        if (!used[i] && (i == from ? 0 : value) < best_value) {
            best_value = i == from ? 0 : value;
            best = i;
        }
    }
    return best;
}

void layout_zonelists(struct kernel *k)
{
    for (unsigned from = 0; from < k->desc.nodes; from++) {
        struct mem_node *n = &k->nodes[from];
        bool used[NODES_MAX] = { false };
        for (unsigned turn = 0; turn < k->desc.nodes; turn++) {
            unsigned node = next_best(&k->desc, from, used);
            used[node] = true;
            for (unsigned i = k->zone_count; i-- > 0;)
                if (k->zones[i].node == node)
                    n->zonelist[n->zone_count++] = (uint8_t)i;
            if (turn == 0)
                n->local_count = n->zone_count;
        }
    }
}
