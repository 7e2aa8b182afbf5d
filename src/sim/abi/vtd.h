/* src/sim/abi/vtd.h - what an IOMMU in the manner of VT-d and its driver must both know: table entries,
 * registers, invalidation descriptors, fault reasons. Pure.
 *
 * Source: "Intel Virtualization Technology for Directed I/O, Architecture Specification", legacy mode;
 * names follow drivers/iommu/intel/iommu.h and dmar.c of Linux where they exist there.
 *
 *   source id (bus 15:8, device and function 7:0)
 *     -> root table [bus], 256 entries of 16 bytes -> context table [devfn], 256 entries of 16 bytes
 *     -> domain id, address width, second-level table -> 3 to 5 levels of 512 entries of 8 bytes -> frame
 *
 * Left out, because the model has none of it: scalable mode (PASIDs), first-level translation, device TLBs,
 * interrupt remapping, register-based invalidation, large pages, fault interrupts and fault-processing disable.
 */
#ifndef LAB_SIM_ABI_VTD_H
#define LAB_SIM_ABI_VTD_H

#include "src/base/units.h"

/* ---- source ids */

static inline uint16_t vtd_source_id(unsigned bus, unsigned device, unsigned function)
{
    return (uint16_t)((bus & 0xff) << 8 | (device & 0x1f) << 3 | (function & 7));
}
static inline unsigned vtd_bus(uint16_t source_id) { return source_id >> 8; }
static inline unsigned vtd_devfn(uint16_t source_id) { return source_id & 0xff; }

/* ---- root and context entries: two words each, low word first */

struct vtd_entry {
    uint64_t lo, hi;
};

enum { VTD_ENTRY_BYTES = 16, VTD_ENTRY_COUNT = 256 }; /* per root table and per context table: one page */

#define VTD_ENTRY_PRESENT UINT64_C(1)
#define VTD_ADDRESS_MASK UINT64_C(0x000ffffffffff000)
/* Address bits at and above the host address width must be zero in every entry. 46 bits, as on server parts. */
#define VTD_ADDRESS_RESERVED UINT64_C(0x000fc00000000000)
#define VTD_ROOT_LO_RESERVED (VTD_ADDRESS_RESERVED | UINT64_C(0xffe))
#define VTD_CONTEXT_LO_RESERVED (VTD_ADDRESS_RESERVED | UINT64_C(0xff0))
#define VTD_CONTEXT_HI_RESERVED (~UINT64_C(0xffffff))
#define VTD_CONTEXT_TYPE_MASK (UINT64_C(3) << 2)
#define VTD_CONTEXT_TYPE_TABLE (UINT64_C(0) << 2)        /* translate through the second-level table */
#define VTD_CONTEXT_TYPE_PASS_THROUGH (UINT64_C(2) << 2) /* address as is */

static inline struct vtd_entry vtd_root_make(frame context_table)
{
    return (struct vtd_entry){ frame_addr(context_table).v | VTD_ENTRY_PRESENT, 0 };
}
/* `levels` is 3, 4 or 5: address width code 1, 2, 3 (39, 48, 57 bits). */
static inline struct vtd_entry vtd_context_make(uint16_t domain, frame table, unsigned levels)
{
    return (struct vtd_entry){ frame_addr(table).v | VTD_CONTEXT_TYPE_TABLE | VTD_ENTRY_PRESENT,
                               (uint64_t)domain << 8 | (levels - 2) };
}
static inline struct vtd_entry vtd_context_pass_through(uint16_t domain, unsigned levels)
{
    return (struct vtd_entry){ VTD_CONTEXT_TYPE_PASS_THROUGH | VTD_ENTRY_PRESENT, (uint64_t)domain << 8 | (levels - 2) };
}
static inline bool vtd_entry_present(struct vtd_entry e) { return (e.lo & VTD_ENTRY_PRESENT) != 0; }
static inline frame vtd_entry_table(struct vtd_entry e) { return paddr_frame((paddr){ e.lo & VTD_ADDRESS_MASK }); }
static inline uint16_t vtd_context_domain(struct vtd_entry e) { return (uint16_t)(e.hi >> 8); }
/* 0 if the address width code is not one of ours. */
static inline unsigned vtd_context_levels(struct vtd_entry e)
{
    unsigned code = (unsigned)(e.hi & 7);
    return code >= 1 && code <= 3 ? code + 2 : 0;
}
static inline paddr vtd_root_slot(frame root_table, uint16_t source_id)
{
    return paddr_plus(frame_addr(root_table), (uint64_t)vtd_bus(source_id) * VTD_ENTRY_BYTES);
}
static inline paddr vtd_context_slot(frame context_table, uint16_t source_id)
{
    return paddr_plus(frame_addr(context_table), (uint64_t)vtd_devfn(source_id) * VTD_ENTRY_BYTES);
}

/* ---- second-level entries. Not present means neither bit; permission needs the bit at every level. */

enum { VTD_INDEX_BITS = 9, VTD_PTE_COUNT = 512, VTD_PTE_BYTES = 8, VTD_LEVELS_MAX = 5 };

#define VTD_PTE_READ (UINT64_C(1) << 0)
#define VTD_PTE_WRITE (UINT64_C(1) << 1)
#define VTD_PTE_LARGE (UINT64_C(1) << 7) /* a leaf above level 1; CAP says not supported, so reserved there */
#define VTD_PTE_RESERVED VTD_ADDRESS_RESERVED

static inline uint64_t vtd_pte_make(frame f, bool read, bool write)
{
    return frame_addr(f).v | (read ? VTD_PTE_READ : 0) | (write ? VTD_PTE_WRITE : 0);
}
static inline uint64_t vtd_pte_table(frame f) { return vtd_pte_make(f, true, true); }
static inline frame vtd_pte_frame(uint64_t pte) { return paddr_frame((paddr){ pte & VTD_ADDRESS_MASK }); }
static inline bool vtd_pte_present(uint64_t pte) { return (pte & (VTD_PTE_READ | VTD_PTE_WRITE)) != 0; }
static inline unsigned vtd_pte_index(iova a, unsigned level) /* 1 is the leaf level */
{
    return (unsigned)(a.v >> (PAGE_SHIFT + VTD_INDEX_BITS * (level - 1))) & (VTD_PTE_COUNT - 1);
}
static inline paddr vtd_pte_slot(frame table, iova a, unsigned level)
{
    return paddr_plus(frame_addr(table), (uint64_t)vtd_pte_index(a, level) * VTD_PTE_BYTES);
}
/* First address that a table of this many levels does not reach. */
static inline uint64_t vtd_iova_limit(unsigned levels) { return UINT64_C(1) << (PAGE_SHIFT + VTD_INDEX_BITS * levels); }

/* ---- registers: byte offsets; 4 or 8 bytes wide as said */

enum {
    VTD_REG_VERSION = 0x00,      /* 4 */
    VTD_REG_CAP = 0x08,          /* 8 */
    VTD_REG_ECAP = 0x10,         /* 8 */
    VTD_REG_GCMD = 0x18,         /* 4, write only: one command at a time, see below */
    VTD_REG_GSTS = 0x1c,         /* 4, read only */
    VTD_REG_RTADDR = 0x20,       /* 8, root table address; takes effect with SRTP */
    VTD_REG_FSTS = 0x34,         /* 4, fault status; PFO and IQE are cleared by writing one */
    VTD_REG_IQH = 0x80,          /* 8, read only: offset of the first descriptor not yet executed */
    VTD_REG_IQT = 0x88,          /* 8, offset of the first descriptor not yet valid */
    VTD_REG_IQA = 0x90,          /* 8, queue address and size */
    VTD_REG_FRCD = 0x100,        /* fault records, 16 bytes each, as CAP says */
    VTD_REG_BYTES = 0x1000       /* one page of registers */
};

/* Global command and status: bit for bit the same positions. GCMD holds the enables that shall be on, plus at
 * most one one-shot command (SRTP). A status bit follows once the hardware has done it. */
#define VTD_GCMD_TE (UINT32_C(1) << 31)   /* translation enable */
#define VTD_GCMD_SRTP (UINT32_C(1) << 30) /* set root table pointer */
#define VTD_GCMD_QIE (UINT32_C(1) << 26)  /* queued invalidation enable */
#define VTD_GSTS_TES VTD_GCMD_TE
#define VTD_GSTS_RTPS VTD_GCMD_SRTP
#define VTD_GSTS_QIES VTD_GCMD_QIE

/* IQH, IQT: bits 18:4. IQA: bits 63:12 address, 2:0 size, 2^size pages of 256 descriptors. */
enum { VTD_DESCRIPTOR_BYTES = 16, VTD_DESCRIPTOR_SHIFT = 4, VTD_QUEUE_SIZE_MAX = 7 };
static inline uint64_t vtd_iqa_make(paddr queue, unsigned size) { return (queue.v & ~UINT64_C(0xfff)) | size; }
static inline uint64_t vtd_iqa_bytes(uint64_t iqa) { return UINT64_C(4096) << (iqa & 7); }

/* Fault status: primary fault overflow, pending (some record has F set), queue error; index of the first one. */
#define VTD_FSTS_PFO (UINT32_C(1) << 0)
#define VTD_FSTS_PPF (UINT32_C(1) << 1)
#define VTD_FSTS_IQE (UINT32_C(1) << 4)
static inline unsigned vtd_fsts_index(uint32_t fsts) { return fsts >> 8 & 0xff; }

/* Fault record. lo: page address. hi: source id 15:0, reason 39:32, type bit 62 (1 = read), F bit 63 (set by the
 * unit, cleared by writing one: 8 bytes at the record's offset + 8). */
#define VTD_FRCD_F (UINT64_C(1) << 63)
#define VTD_FRCD_READ (UINT64_C(1) << 62)
static inline uint16_t vtd_frcd_source_id(uint64_t hi) { return (uint16_t)hi; }
static inline unsigned vtd_frcd_reason(uint64_t hi) { return (unsigned)(hi >> 32) & 0xff; }

/* Reasons, numbered and worded after dma_remap_fault_reasons[] in drivers/iommu/intel/dmar.c. */
enum vtd_reason {
    VTD_REASON_SOFTWARE = 0x0,
    VTD_REASON_ROOT_ABSENT = 0x1,       /* present bit in root entry is clear */
    VTD_REASON_CONTEXT_ABSENT = 0x2,    /* present bit in context entry is clear */
    VTD_REASON_CONTEXT_INVALID = 0x3,   /* invalid context entry */
    VTD_REASON_BEYOND_WIDTH = 0x4,      /* access beyond the domain's address width */
    VTD_REASON_WRITE = 0x5,             /* a second-level entry lacks write permission */
    VTD_REASON_READ = 0x6,              /* a second-level entry lacks read permission */
    VTD_REASON_TABLE_POINTER = 0x7,     /* next page-table pointer is invalid */
    VTD_REASON_ROOT_TABLE = 0x8,        /* root table address is invalid */
    VTD_REASON_CONTEXT_TABLE = 0x9,     /* context table pointer is invalid */
    VTD_REASON_ROOT_RESERVED = 0xa,     /* reserved bits set in a root entry */
    VTD_REASON_CONTEXT_RESERVED = 0xb,  /* reserved bits set in a context entry */
    VTD_REASON_PTE_RESERVED = 0xc,      /* reserved bits set in a second-level entry */
    VTD_REASON_COUNT = 0xd
};

/* Capabilities. */
static inline uint64_t vtd_cap_make(unsigned levels, unsigned fault_records, unsigned mask_max)
{
    return (uint64_t)1 << (8 + levels - 2)                   /* SAGAW: this many levels */
         | (uint64_t)(12 + 9 * levels - 1) << 16             /* MGAW */
         | (uint64_t)(VTD_REG_FRCD / 16) << 24               /* FRO */
         | (uint64_t)1 << 39                                 /* PSI: page-selective invalidation */
         | (uint64_t)(fault_records - 1) << 40               /* NFR */
         | (uint64_t)mask_max << 48                          /* MAMV */
         | (uint64_t)3 << 54;                                /* DWD, DRD: drains */
}
#define VTD_ECAP_QI (UINT64_C(1) << 1)                       /* queued invalidation */
#define VTD_ECAP_COHERENT (UINT64_C(1) << 0)                 /* walks see the caches: the driver flushes no lines */
static inline unsigned vtd_cap_fault_offset(uint64_t cap) { return (unsigned)(cap >> 24 & 0x3ff) * 16; }
static inline unsigned vtd_cap_fault_records(uint64_t cap) { return (unsigned)(cap >> 40 & 0xff) + 1; }
static inline bool vtd_cap_page_selective(uint64_t cap) { return (cap >> 39 & 1) != 0; }
static inline unsigned vtd_cap_mask_max(uint64_t cap) { return (unsigned)(cap >> 48 & 0x3f); } /* largest address mask */
static inline bool vtd_cap_levels(uint64_t cap, unsigned levels) { return (cap >> (8 + levels - 2) & 1) != 0; }

/* ---- queued invalidation: descriptors of two words, low word first. The type is in bits 3:0 of lo. */

struct vtd_descriptor {
    uint64_t lo, hi;
};

enum vtd_descriptor_type { VTD_DESC_CONTEXT = 1, VTD_DESC_IOTLB = 2, VTD_DESC_WAIT = 5 };
/* Bits 5:4 of lo: context cache: global, domain, device (one source id); IOTLB: global, domain, page. */
enum vtd_granularity { VTD_GRANULARITY_GLOBAL = 1, VTD_GRANULARITY_DOMAIN = 2, VTD_GRANULARITY_PAGE = 3,
                       VTD_GRANULARITY_DEVICE = 3 };

/* IOTLB flags. Drains: completion waits for DMA in flight that uses an affected translation. Leaf hint: only
 * leaf entries changed, paging-structure caches may stay. */
#define VTD_IOTLB_DRAIN_WRITES (UINT64_C(1) << 6) /* lo */
#define VTD_IOTLB_DRAIN_READS (UINT64_C(1) << 7)  /* lo */
#define VTD_IOTLB_LEAF_HINT (UINT64_C(1) << 6)    /* hi */
#define VTD_WAIT_STATUS_WRITE (UINT64_C(1) << 5)
#define VTD_WAIT_FENCE (UINT64_C(1) << 6) /* later descriptors wait too; the model is in order anyway */

static inline struct vtd_descriptor vtd_desc_context(enum vtd_granularity g, uint16_t domain, uint16_t source_id)
{
    return (struct vtd_descriptor){ VTD_DESC_CONTEXT | (uint64_t)g << 4 | (uint64_t)domain << 16 | (uint64_t)source_id << 32, 0 };
}

/* Drains both ways, as Linux asks on units that can. `a` is aligned down to 2^mask pages (mask 0 to 18). `domain`
 * is ignored for global, `a`, `mask` and `leaf_only` unless for page. */
static inline struct vtd_descriptor vtd_desc_iotlb(enum vtd_granularity g, uint16_t domain, iova a, unsigned mask, bool leaf_only)
{
    uint64_t base = a.v & ~((UINT64_C(1) << (PAGE_SHIFT + mask)) - 1);
    return (struct vtd_descriptor){
        VTD_DESC_IOTLB | (uint64_t)g << 4 | (uint64_t)domain << 16 | VTD_IOTLB_DRAIN_WRITES | VTD_IOTLB_DRAIN_READS,
        g == VTD_GRANULARITY_PAGE ? base | mask | (leaf_only ? VTD_IOTLB_LEAF_HINT : 0) : 0 };
}

/* Writes `data` to the 4 bytes at `status` once everything before it is complete. */
static inline struct vtd_descriptor vtd_desc_wait(paddr status, uint32_t data)
{
    return (struct vtd_descriptor){ VTD_DESC_WAIT | VTD_WAIT_STATUS_WRITE | (uint64_t)data << 32, status.v & ~UINT64_C(3) };
}

static inline unsigned vtd_desc_type(struct vtd_descriptor d) { return (unsigned)(d.lo & 0xf); }
static inline unsigned vtd_desc_granularity(struct vtd_descriptor d) { return (unsigned)(d.lo >> 4 & 3); }
static inline uint16_t vtd_desc_domain(struct vtd_descriptor d) { return (uint16_t)(d.lo >> 16); }
static inline uint16_t vtd_desc_source_id(struct vtd_descriptor d) { return (uint16_t)(d.lo >> 32); } /* context */
static inline uint32_t vtd_desc_data(struct vtd_descriptor d) { return (uint32_t)(d.lo >> 32); }      /* wait */
static inline iova vtd_desc_iova(struct vtd_descriptor d) { return (iova){ d.hi & ~UINT64_C(0xfff) }; }
static inline unsigned vtd_desc_mask(struct vtd_descriptor d) { return (unsigned)(d.hi & 0x3f); }

#endif
