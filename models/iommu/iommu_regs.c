/* models/iommu/iommu_regs.c - registers and fault records. Effects are immediate: the way to and from the unit
 * is the hart's and the link's time. */
#include "models/iommu/iommu_internal.h"

enum { MASK_MAX = 18, VERSION = 0x10 };

/* ---- fault records */

static bool pending(const struct iommu *u, uint32_t i) { return (u->records[i].hi & VTD_FRCD_F) != 0; }

void iommu_record_fault(struct iommu *u, const struct translation *t, enum vtd_reason reason)
{
    uint32_t i = u->record_next;
    if (u->overflow || pending(u, i)) { /* until software clears PFO nothing is recorded, as the specification says */
        u->overflow = true;
        u->counters.fault_lost_count++;
        return;
    }
    u->records[i] = (struct vtd_entry){ t->addr.v & ~(uint64_t)(PAGE_BYTES - 1),
                                        VTD_FRCD_F | (t->write ? 0 : VTD_FRCD_READ) | (uint64_t)reason << 32 | t->source_id };
    u->record_next = (i + 1) % u->desc.fault_records;
}

/* Oldest record not yet cleared; the number of records if there is none. */
static uint32_t first_pending(const struct iommu *u)
{
    for (uint32_t k = 0; k < u->desc.fault_records; k++) {
        uint32_t i = (u->record_next + k) % u->desc.fault_records;
        if (pending(u, i))
            return i;
    }
    return u->desc.fault_records;
}

static uint32_t fault_status(const struct iommu *u)
{
    uint32_t i = first_pending(u);
    bool any = i < u->desc.fault_records;
    return (u->overflow ? VTD_FSTS_PFO : 0) | (u->queue_error ? VTD_FSTS_IQE : 0) | (any ? VTD_FSTS_PPF | i << 8 : 0);
}

static bool in_records(const struct iommu *u, uint64_t offset)
{
    return offset >= VTD_REG_FRCD && offset < VTD_REG_FRCD + (uint64_t)u->desc.fault_records * sizeof(struct vtd_entry);
}

/* The 8 aligned bytes at `offset`. */
static uint64_t *record_word(struct iommu *u, uint64_t offset)
{
    struct vtd_entry *e = &u->records[(offset - VTD_REG_FRCD) / sizeof(struct vtd_entry)];
    return offset & 8 ? &e->hi : &e->lo;
}

/* ---- writes */

static void command(struct iommu *u, uint32_t v)
{
    uint32_t held = VTD_GCMD_TE | VTD_GCMD_QIE;
    if (v & VTD_GCMD_SRTP) {
        u->root = paddr_frame((paddr){ u->rtaddr & VTD_ADDRESS_MASK });
        u->gsts |= VTD_GSTS_RTPS;
    }
    if ((v & VTD_GCMD_QIE) && !(u->gsts & VTD_GSTS_QIES))
        u->queue.head = 0;
    u->gsts = (u->gsts & ~held) | (v & held);
    iommu_queue_kick(u);
}

static void set_tail(struct iommu *u, uint64_t v)
{
    u->queue.tail = (uint32_t)(v & (vtd_iqa_bytes(u->iqa) - 1) & ~(uint64_t)(VTD_DESCRIPTOR_BYTES - 1));
    iommu_queue_kick(u);
}

static void clear_faults(struct iommu *u, uint64_t v)
{
    if (v & VTD_FSTS_PFO)
        u->overflow = false;
    if (v & VTD_FSTS_IQE)
        iommu_queue_clear_error(u);
}

/* A 4-byte write into the upper half of an 8-byte register arrives shifted there. */
static void write_aligned(struct iommu *u, uint64_t offset, uint64_t v)
{
    switch (offset) {
    case VTD_REG_RTADDR:
        u->rtaddr = v;
        break;
    case VTD_REG_IQT:
        set_tail(u, v);
        break;
    case VTD_REG_IQA:
        if (!(u->gsts & VTD_GSTS_QIES))
            u->iqa = v;
        break;
    default:
        if (in_records(u, offset) && (offset & 8) && (v & VTD_FRCD_F))
            *record_word(u, offset) &= ~VTD_FRCD_F;
    }
}

void iommu_reg_write(void *iommu, uint64_t offset, unsigned bytes, uint64_t value)
{
    struct iommu *u = iommu;
    if (!u->desc.enabled)
        return;
    if (offset == VTD_REG_GCMD)
        command(u, (uint32_t)value);
    else if (offset == VTD_REG_FSTS)
        clear_faults(u, value);
    else
        write_aligned(u, offset & ~(uint64_t)7, bytes == 4 && (offset & 4) ? value << 32 : value);
}

/* ---- reads */

static uint64_t read_aligned(struct iommu *u, uint64_t offset)
{
    switch (offset) {
    case VTD_REG_VERSION:
        return VERSION;
    case VTD_REG_CAP:
        return vtd_cap_make(u->desc.levels, u->desc.fault_records, MASK_MAX);
    case VTD_REG_ECAP:
        return VTD_ECAP_QI | VTD_ECAP_COHERENT;
    case VTD_REG_GCMD: /* write only; GSTS is its upper half */
        return (uint64_t)u->gsts << 32;
    case VTD_REG_RTADDR:
        return u->rtaddr;
    case VTD_REG_FSTS & ~7: /* its upper half */
        return (uint64_t)fault_status(u) << 32;
    case VTD_REG_IQH:
        return u->queue.head;
    case VTD_REG_IQT:
        return u->queue.tail;
    case VTD_REG_IQA:
        return u->iqa;
    default:
        return in_records(u, offset) ? *record_word(u, offset) : 0;
    }
}

uint64_t iommu_reg_read(void *iommu, uint64_t offset, unsigned bytes)
{
    struct iommu *u = iommu;
    if (!u->desc.enabled)
        return 0;
    uint64_t v = read_aligned(u, offset & ~(uint64_t)7);
    if (bytes == 4)
        v = offset & 4 ? v >> 32 : v & UINT32_MAX;
    return v;
}
