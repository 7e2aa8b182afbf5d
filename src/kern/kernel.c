/* src/kern/kernel.c - layout of the kernel's memory and its boot image. */
#include "src/kern/kernel.h"

#include "src/base/fail.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/iommu_queue.h"
#include "src/kern/page.h"
#include "src/kern/pcp.h"
#include "src/kern/shootdown.h"
#include "src/kern/uspace.h"

#define BLOCK_PAGES (UINT64_C(1) << MAX_ORDER)
#define BLOCK_BYTES (BLOCK_PAGES * PAGE_BYTES)
#define MEMORY_MIN (UINT64_C(16) << 20)
#define MEMORY_MAX (UINT64_C(1) << 40)
enum { SPACES_MAX = 64, DOMAINS_MAX = 64, QUEUE_BYTES = 64, STATUS_BYTES = 4 };

struct kernel_desc kernel_desc_default(void)
{
    return (struct kernel_desc){
        .memory_bytes = UINT64_C(1) << 30,
        .harts = 1,
        .locks = LOCK_QUEUED,
        .watermark_scale_factor = 10,
        .pcp_locking = PCP_LOCKING_6_2,
        .zeroing = ZERO_STRING,
        .shootdown = SHOOTDOWN_AUTO,
        .shootdown_vector = 1,
        .spaces = 1,
        .table_pages = 64,
        .iommu = { .domains = 1, .levels = 4, .table_pages = 64 },
        .costs = kern_costs_default(),
    };
}

/* ---- layout */

static paddr carve(uint64_t *next, uint64_t bytes, uint64_t align)
{
    *next = (*next + align - 1) & ~(align - 1);
    paddr at = { *next };
    *next += bytes;
    return at;
}

static struct kernel_layout layout(const struct kernel_desc *d)
{
    struct kernel_layout at;
    uint64_t next = PAGE_BYTES, harts = d->harts;
    at.zone = carve(&next, ZONE_BYTES, LINE_BYTES);
    at.pcp = carve(&next, harts * PCP_BYTES, LINE_BYTES);
    at.hart_area = carve(&next, harts * HART_BYTES, LINE_BYTES);
    at.csd = carve(&next, harts * harts * LINE_BYTES, LINE_BYTES);
    at.spaces = carve(&next, (uint64_t)d->spaces * SPACE_BYTES, LINE_BYTES);
    at.domains = carve(&next, (uint64_t)d->iommu.domains * DOMAIN_BYTES, LINE_BYTES);
    at.queue = carve(&next, QUEUE_BYTES, LINE_BYTES);
    at.status = carve(&next, QUEUE_SLOTS * STATUS_BYTES, LINE_BYTES);
    at.ring = carve(&next, PAGE_BYTES, PAGE_BYTES);
    at.scratch = carve(&next, d->scratch_bytes, PAGE_BYTES);
    at.table_pool = carve(&next, (uint64_t)d->table_pages * PAGE_BYTES, PAGE_BYTES);
    at.io_pool = carve(&next, d->iommu.on ? (uint64_t)d->iommu.table_pages * PAGE_BYTES : 0, PAGE_BYTES);
    at.mem_map = carve(&next, d->memory_bytes / PAGE_BYTES * PAGE_STRUCT_BYTES, PAGE_BYTES);
    at.first_managed = paddr_frame(carve(&next, 0, PAGE_BYTES));
    at.end = (frame){ d->memory_bytes / PAGE_BYTES };
    return at;
}

const char *kernel_desc_check(const struct kernel_desc *d)
{
    if (d->memory_bytes < MEMORY_MIN || d->memory_bytes > MEMORY_MAX || d->memory_bytes % BLOCK_BYTES != 0)
        return "memory must be a multiple of 4 MiB between 16 MiB and 1 TiB";
    if (d->harts < 1 || d->harts > HARTS_MAX)
        return "the number of harts is out of range";
    if (d->watermark_scale_factor < 1 || d->watermark_scale_factor > 1000)
        return "the watermark scale factor must be between 1 and 1000";
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
    struct kernel_layout at = layout(d);
    if (frame_addr(at.first_managed).v > d->memory_bytes / 4 * 3)
        return "the kernel's own data take more than three quarters of memory";
    if (d->min_free_kbytes / 4 > (at.end.v - at.first_managed.v) / 2)
        return "min_free_kbytes is more than half of the free memory";
    return NULL;
}

void kernel_init(struct kernel *k, const struct kernel_desc *desc)
{
    const char *wrong = kernel_desc_check(desc);
    CHECK(wrong == NULL, "kernel_init: %s", wrong);
    *k = (struct kernel){ .desc = *desc, .at = layout(desc) };
    k->managed_pages = k->at.end.v - k->at.first_managed.v;
    uint64_t min_free = desc->min_free_kbytes != 0 ? desc->min_free_kbytes
                                                   : watermark_min_free_kbytes(k->managed_pages * 4);
    k->marks = watermarks_compute(k->managed_pages, min_free, desc->watermark_scale_factor);
    k->pcp_batch = desc->pcp_batch != 0 ? desc->pcp_batch : watermark_pcp_batch(k->managed_pages);
    k->pcp_high = desc->pcp_high != 0 ? desc->pcp_high
                                      : watermark_pcp_high(k->marks.low, desc->harts, k->pcp_batch);
}

/* ---- boot: free memory is a few small blocks up to the first 4 MiB boundary, one per order at most, then
 * order-10 blocks chained in address order. All of it follows from first_managed. */

static uint64_t first_large(const struct kernel *k)
{
    return (k->at.first_managed.v + BLOCK_PAGES - 1) & ~(BLOCK_PAGES - 1);
}

/* The small block of this order starts where all lower ones have been passed. False if there is none. */
static bool small_block(const struct kernel *k, unsigned order, frame *f)
{
    uint64_t gap = first_large(k) - k->at.first_managed.v;
    *f = (frame){ k->at.first_managed.v + (gap & ((UINT64_C(1) << order) - 1)) };
    return order < MAX_ORDER && (gap >> order & 1) != 0;
}

/* Words of the struct page at the head of a free block. */
static void page_make_free(uint64_t *words, uint64_t next, uint64_t prev, unsigned order)
{
    words[(PAGE_LRU + LIST_NEXT) / 8] = next;
    words[(PAGE_LRU + LIST_PREV) / 8] = prev;
    words[PAGE_PRIVATE / 8] = order;
    words[PAGE_TYPE / 8] = PAGE_TYPE_BUDDY;
}

static void boot_page(const struct kernel *k, frame f, uint64_t *words)
{
    uint64_t head = kernel_area(k, MAX_ORDER).v;
    if (f.v >= first_large(k) && f.v < k->at.end.v && f.v % BLOCK_PAGES == 0) {
        uint64_t before = f.v - BLOCK_PAGES, after = f.v + BLOCK_PAGES;
        page_make_free(words, after < k->at.end.v ? page_node(k, (frame){ after }).v : head,
                       f.v > first_large(k) ? page_node(k, (frame){ before }).v : head, MAX_ORDER);
        return;
    }
    for (unsigned order = 0; order < MAX_ORDER; order++) {
        frame block;
        if (small_block(k, order, &block) && block.v == f.v)
            page_make_free(words, kernel_area(k, order).v, kernel_area(k, order).v, order);
    }
}

/* Image of one page of struct pages. */
static void boot_image(void *arg, frame f, uint64_t words[PAGE_BYTES / 8])
{
    const struct kernel *k = arg;
    enum { PER_PAGE = PAGE_BYTES / PAGE_STRUCT_BYTES };
    uint64_t first = (f.v - paddr_frame(k->at.mem_map).v) * PER_PAGE;
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++)
        words[i] = 0;
    for (unsigned i = 0; i < PER_PAGE; i++)
        boot_page(k, (frame){ first + i }, words + i * PAGE_STRUCT_BYTES / 8);
}

static void boot_list(struct backdoor *b, paddr head, paddr first, paddr last)
{
    backdoor_write(b, paddr_plus(head, LIST_NEXT), 8, first.v);
    backdoor_write(b, paddr_plus(head, LIST_PREV), 8, last.v);
}

static void boot_zone(const struct kernel *k, struct backdoor *b)
{
    backdoor_write(b, paddr_plus(k->at.zone, ZONE_MIN), 8, k->marks.min);
    backdoor_write(b, paddr_plus(k->at.zone, ZONE_LOW), 8, k->marks.low);
    backdoor_write(b, paddr_plus(k->at.zone, ZONE_HIGH), 8, k->marks.high);
    backdoor_write(b, paddr_plus(k->at.zone, ZONE_FREE), 8, k->managed_pages);
    for (unsigned order = 0; order < MAX_ORDER; order++) {
        paddr head = kernel_area(k, order);
        frame f;
        bool some = small_block(k, order, &f);
        paddr only = some ? page_node(k, f) : head;
        boot_list(b, head, only, only);
        backdoor_write(b, paddr_plus(head, AREA_COUNT), 8, some);
    }
    paddr head = kernel_area(k, MAX_ORDER);
    boot_list(b, head, page_node(k, (frame){ first_large(k) }), page_node(k, (frame){ k->at.end.v - BLOCK_PAGES }));
    backdoor_write(b, paddr_plus(head, AREA_COUNT), 8, (k->at.end.v - first_large(k)) / BLOCK_PAGES);
}

static void boot_pcp(const struct kernel *k, struct backdoor *b, unsigned hart)
{
    paddr pcp = kernel_pcp(k, hart);
    backdoor_write(b, paddr_plus(pcp, PCP_HIGH), 4, k->pcp_high);
    backdoor_write(b, paddr_plus(pcp, PCP_BATCH), 4, k->pcp_batch);
    for (unsigned order = 0; order < PCP_ORDERS; order++) {
        paddr list = paddr_plus(pcp, PCP_LISTS + order * 16u);
        boot_list(b, list, list, list);
    }
}

void kernel_boot(struct kernel *k, struct backdoor *b)
{
    backdoor_image(b, paddr_frame(k->at.mem_map), k->at.end.v * PAGE_STRUCT_BYTES / PAGE_BYTES, boot_image, k);
    boot_zone(k, b);
    for (unsigned hart = 0; hart < k->desc.harts; hart++)
        boot_pcp(k, b, hart);
    uspace_boot(k, b);
    iommu_boot(k, b);
}

void kernel_hart_boot(struct kernel *k, struct hart *h)
{
    hart_set_irq(h, k->desc.shootdown_vector, CONTEXT_HARDIRQ, shootdown_interrupt, k);
    hart_set_irq(h, PCP_DRAIN_VECTOR, CONTEXT_HARDIRQ, pcp_drain_interrupt, k);
}
