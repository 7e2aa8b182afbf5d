/* src/kern/iommu_drv.c - IOMMU tables: domains, devices, mappings. The invalidation queue is in iommu_queue.c. */
#include "src/kern/iommu_drv.h"

#include "src/base/fail.h"
#include "src/kern/iommu_queue.h"
#include "src/kern/radix.h"
#include "src/kern/spin.h"

static struct table_pool io_pool(const struct kernel *k)
{
    return (struct table_pool){ k->at.io_pool, k->desc.iommu.table_pages };
}

static struct radix domain_radix(const struct kernel *k)
{
    return (struct radix){ .pool = io_pool(k), .levels = k->desc.iommu.levels,
                           .upper_flags = vtd_pte_table((frame){ 0 }) };
}

static paddr domain_word(const struct kernel *k, uint16_t domain, unsigned offset)
{
    CHECK(k->desc.iommu.on && domain >= 1 && domain <= k->desc.iommu.domains, "IOMMU domain %u: there are %u", domain,
          k->desc.iommu.on ? k->desc.iommu.domains : 0);
    return paddr_plus(k->at.domains, (domain - 1u) * (uint64_t)DOMAIN_BYTES + offset);
}

/* ---- boot */

/* The pool's second page, taken first. */
paddr iommu_root_table(const struct kernel *k) { return paddr_plus(k->at.io_pool, PAGE_BYTES); }
paddr iommu_queue_base(const struct kernel *k) { return k->at.ring; }

paddr iommu_domain_table(const struct kernel *k, struct backdoor *b, uint16_t domain)
{
    return (paddr){ backdoor_read(b, domain_word(k, domain, DOMAIN_ROOT), 8) };
}

void iommu_boot(const struct kernel *k, struct backdoor *b)
{
    struct access_path via = { .b = b };
    if (!k->desc.iommu.on)
        return;
    pool_boot(b, io_pool(k));
    frame root = pool_take(via, io_pool(k));
    CHECK(frame_addr(root).v == iommu_root_table(k).v, "boot: IOMMU root table is not the pool's first page");
    for (unsigned i = 1; i <= k->desc.iommu.domains; i++) {
        frame table = pool_take(via, io_pool(k));
        CHECK(table.v != 0, "boot: IOMMU table pool too small");
        backdoor_write(b, domain_word(k, (uint16_t)i, DOMAIN_ROOT), 8, frame_addr(table).v);
    }
    queue_boot(k, b);
}

/* ---- devices */

static bool attach(struct access_path via, const struct kernel *k, uint16_t source_id, uint16_t domain)
{
    paddr slot = vtd_root_slot(paddr_frame(iommu_root_table(k)), source_id);
    struct vtd_entry root = { access_read(via, slot, 8), 0 };
    if (!vtd_entry_present(root)) {
        frame table = pool_take(via, io_pool(k));
        if (table.v == 0)
            return false;
        root = vtd_root_make(table);
        access_write(via, slot, 8, root.lo);
    }
    slot = vtd_context_slot(vtd_entry_table(root), source_id);
    if ((access_read(via, slot, 8) & VTD_ENTRY_PRESENT) != 0)
        return false;
    frame table = paddr_frame((paddr){ access_read(via, domain_word(k, domain, DOMAIN_ROOT), 8) });
    struct vtd_entry context = vtd_context_make(domain, table, k->desc.iommu.levels);
    access_write(via, paddr_plus(slot, 8), 8, context.hi); /* the present bit last */
    access_write(via, slot, 8, context.lo);
    return true;
}

/* The domain's lock stands for the unit's: devices are attached by one hart at a time (start-up). */
bool iommu_attach(struct hart *h, const struct kernel *k, uint16_t source_id, uint16_t domain)
{
    paddr lock = domain_word(k, domain, DOMAIN_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    bool attached = attach((struct access_path){ .h = h }, k, source_id, domain);
    spin_unlock_irqrestore(h, k, lock, were_on);
    return attached;
}

bool iommu_attach_boot(const struct kernel *k, struct backdoor *b, uint16_t source_id, uint16_t domain)
{
    return attach((struct access_path){ .b = b }, k, source_id, domain);
}

/* ---- mappings */

static bool map_page(struct access_path via, const struct kernel *k, uint16_t domain, frame f, uint64_t pte, iova *at)
{
    struct radix r = domain_radix(k);
    paddr reverse = page_word(k, f, PAGE_IO_MAP);
    *at = (iova){ frame_addr(f).v };
    if (at->v >= vtd_iova_limit(k->desc.iommu.levels) || map_valid(access_read(via, reverse, 8)))
        return false;
    paddr root = { access_read(via, domain_word(k, domain, DOMAIN_ROOT), 8) };
    paddr slot = radix_build(via, k, &r, root, at->v);
    if (slot.v == 0 || vtd_pte_present(access_read(via, slot, VTD_PTE_BYTES)))
        return false;
    access_write(via, reverse, 8, map_word(domain, at->v));
    access_write(via, slot, VTD_PTE_BYTES, pte);
    return true;
}

bool dma_map(struct hart *h, const struct kernel *k, uint16_t domain, frame f, bool read, bool write, iova *at)
{
    paddr lock = domain_word(k, domain, DOMAIN_LOCK);
    k_begin(h, CLASS_DMA_MAP);
    k_compute(h, k->desc.costs.dma_entry);
    bool were_on = spin_lock_irqsave(h, k, lock);
    bool mapped = map_page((struct access_path){ .h = h }, k, domain, f, vtd_pte_make(f, read, write), at);
    spin_unlock_irqrestore(h, k, lock, were_on);
    k_source(h, mapped ? SOURCE_DONE : SOURCE_FAIL);
    k_end(h);
    return mapped;
}

bool dma_map_boot(const struct kernel *k, struct backdoor *b, uint16_t domain, frame f, bool read, bool write, iova *at)
{
    return map_page((struct access_path){ .b = b }, k, domain, f, vtd_pte_make(f, read, write), at);
}

/* Takes the entry away; true if there was one. The reverse map follows after the invalidation. */
static bool clear_entry(struct hart *h, const struct kernel *k, uint16_t domain, iova at, frame *f)
{
    struct radix r = domain_radix(k);
    paddr lock = domain_word(k, domain, DOMAIN_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    paddr root = { k_load_once(h, domain_word(k, domain, DOMAIN_ROOT), 8) };
    paddr slot = radix_find((struct access_path){ .h = h }, k, &r, root, at.v);
    uint64_t pte = slot.v != 0 ? k_load_once(h, slot, VTD_PTE_BYTES) : 0;
    if (vtd_pte_present(pte)) {
        k_store_once(h, slot, VTD_PTE_BYTES, 0);
        *f = vtd_pte_frame(pte);
    }
    spin_unlock_irqrestore(h, k, lock, were_on);
    return vtd_pte_present(pte);
}

bool dma_unmap(struct hart *h, const struct kernel *k, uint16_t domain, iova at)
{
    frame f;
    k_begin(h, CLASS_DMA_UNMAP);
    k_compute(h, k->desc.costs.dma_entry);
    bool was_mapped = clear_entry(h, k, domain, at, &f);
    if (was_mapped) {
        struct vtd_descriptor d = vtd_desc_iotlb(VTD_GRANULARITY_PAGE, domain, at, 0, true);
        k_phase(h, PH_WAIT);
        if ((k->desc.plant & KERN_PLANT_SKIP_IOTLB_INVALIDATE) == 0)
            qi_submit_sync(h, k, &d, 1);
        k_phase(h, PH_WORK);
        k_store_once(h, page_word(k, f, PAGE_IO_MAP), 8, 0);
    }
    k_source(h, was_mapped ? SOURCE_DONE : SOURCE_FAIL);
    k_end(h);
    return was_mapped;
}

bool dma_unmap_page(struct hart *h, const struct kernel *k, frame f)
{
    uint64_t word = k_load_once(h, page_word(k, f, PAGE_IO_MAP), 8);
    return map_valid(word) && dma_unmap(h, k, map_id(word), (iova){ map_address(word) });
}
