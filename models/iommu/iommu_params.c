/* models/iommu/iommu_params.c - keys of the IOMMU. */
#include "models/iommu/iommu.h"

const struct param iommu_params[] = {
    { .key = "enabled", .type = P_BOOL, PARAM_FIELD(struct iommu_desc, enabled), .deflt = "true",
      .help = "Is there an IOMMU at all? Without one devices reach all of memory." },
    { .key = "iotlb_entries", .type = P_UINT, PARAM_FIELD(struct iommu_desc, iotlb_entries), .min = 1, .max = 65536,
      .deflt = "64", .help = "Translations the IOTLB holds." },
    { .key = "iotlb_ways", .type = P_UINT, PARAM_FIELD(struct iommu_desc, iotlb_ways), .min = 1, .max = 65536,
      .deflt = "4", .help = "Entries that share a set; entries divided by ways is a power of two." },
    { .key = "paging_structure_entries", .type = P_UINT, PARAM_FIELD(struct iommu_desc, psc_entries), .min = 0,
      .max = 4096, .deflt = "16", .help = "Pointers to last-level tables (2 MiB each) the unit remembers; 0 for none." },
    { .key = "context_entries", .type = P_UINT, PARAM_FIELD(struct iommu_desc, context_entries), .min = 1, .max = 4096,
      .deflt = "16", .help = "Devices whose domain and table the context cache remembers." },
    { .key = "walkers", .type = P_UINT, PARAM_FIELD(struct iommu_desc, walkers), .min = 1, .max = 256, .deflt = "4",
      .help = "Page walks in flight at the same time." },
    { .key = "levels", .type = P_UINT, PARAM_FIELD(struct iommu_desc, levels), .min = 3, .max = 5, .deflt = "4",
      .help = "Levels of the second-level tables." },
    { .key = "fault_records", .type = P_UINT, PARAM_FIELD(struct iommu_desc, fault_records), .min = 1, .max = 240,
      .deflt = "8", .help = "Faults the unit can hold until software has read them." },
    { .key = "lookup", .type = P_TIME, PARAM_FIELD(struct iommu_desc, lookup_ps), .min = 0, .max = PS_PER_US,
      .deflt = "10ns", .help = "Time of a lookup in context cache and IOTLB, hit or miss; lookups are pipelined." },
    { .key = "descriptor_service", .type = P_TIME, PARAM_FIELD(struct iommu_desc, descriptor_service_ps), .min = 0,
      .max = PS_PER_MS, .deflt = "20ns", .help = "Time the invalidation queue spends on each descriptor." },
    { .key = "invalidate_service", .type = P_TIME, PARAM_FIELD(struct iommu_desc, invalidate_service_ps), .min = 0,
      .max = PS_PER_MS, .deflt = "100ns", .help = "Time an invalidation takes beyond that, draining not included." },
    { .key = NULL }
};

const char *iommu_desc_error(const struct iommu_desc *d)
{
    if (d->iotlb_entries == 0 || d->iotlb_ways == 0 || d->iotlb_entries % d->iotlb_ways != 0)
        return "iotlb_entries must be a multiple of iotlb_ways: every set is equally large";
    uint32_t sets = d->iotlb_entries / d->iotlb_ways;
    if (sets & (sets - 1))
        return "iotlb_entries divided by iotlb_ways must be a power of two: the set is taken from bits of the page number";
    if (d->context_entries == 0 || d->walkers == 0)
        return "context_entries and walkers must be at least 1";
    if (d->levels < 3 || d->levels > VTD_LEVELS_MAX)
        return "levels must be 3, 4 or 5";
    if (d->fault_records == 0 || d->fault_records > (VTD_REG_BYTES - VTD_REG_FRCD) / 16)
        return "fault_records must be 1 to 240: they share one page with the other registers";
    return NULL;
}
