/* src/kern/iommu_drv.h - IOMMU driver in the manner of drivers/iommu/intel and drivers/iommu/dma-iommu.c, strict
 * mode: when dma_unmap returns, the device can no longer reach the page.
 *
 * A page has at most one IOMMU mapping; its struct page names it (domain, I/O address). The I/O address of a page
 * is its physical address (no IOVA allocator). The walker snoops the caches, so tables are never flushed.
 */
#ifndef LAB_KERN_IOMMU_DRV_H
#define LAB_KERN_IOMMU_DRV_H

#include "src/kern/page.h"
#include "src/sim/abi/vtd.h"

void iommu_boot(const struct kernel *, struct backdoor *);   /* called by kernel_boot */
/* For whoever presets the hardware's registers instead of calling iommu_start. */
paddr iommu_root_table(const struct kernel *);
paddr iommu_queue_base(const struct kernel *);                /* 256 descriptors, one page */
paddr iommu_domain_table(const struct kernel *, struct backdoor *, uint16_t domain);
/* Programs the registers: root table, invalidation queue, translation on. Once, by one hart. */
void iommu_start(struct hart *, const struct kernel *);

/* Puts a device into a domain (1 to desc.iommu.domains). False: pool used up, or it has one already. */
bool iommu_attach(struct hart *, const struct kernel *, uint16_t source_id, uint16_t domain);
bool iommu_attach_boot(const struct kernel *, struct backdoor *, uint16_t source_id, uint16_t domain);

/* Maps a page for a domain's devices. False: mapped already, or pool used up. No flush: absent entries are not
 * cached (caching mode is not modelled). Records dma.map. Any context but NMI. */
bool dma_map(struct hart *, const struct kernel *, uint16_t domain, frame, bool read, bool write, iova *at);
bool dma_map_boot(const struct kernel *, struct backdoor *, uint16_t domain, frame, bool read, bool write, iova *at);
/* Clears the entry, invalidates, waits. False if nothing is mapped there. Records dma.unmap. Any context but NMI. */
bool dma_unmap(struct hart *, const struct kernel *, uint16_t domain, iova);
/* The same for whatever maps this page. */
bool dma_unmap_page(struct hart *, const struct kernel *, frame);

/* Submits descriptors and a wait descriptor, and polls until the hardware has written its status: qi_submit_sync
 * of drivers/iommu/intel/dmar.c. 1 to 16 descriptors. Records iommu.invalidate. */
void qi_submit_sync(struct hart *, const struct kernel *, const struct vtd_descriptor *, unsigned count);

#endif
