/* models/iommu/iommu.h - an IOMMU in the manner of VT-d, legacy mode: remapping tables and invalidation queue in
 * simulated memory, everything else here.
 *
 *    device --translate--> [ lookup: context cache, IOTLB ] --hit--------------------> done
 *                               | miss            ^ insert, unless overtaken by an invalidation
 *                               v                 |
 *                          [ walkers ] -- root, context, second-level entries --> mem_port (MEM_READ_ONCE)
 *    hart ---registers--> [ queue: fetch, service, drain ] --descriptors, status--> mem_port
 *
 * Source: "Intel Virtualization Technology for Directed I/O, Architecture Specification"; formats and names in
 * src/sim/abi/vtd.h. An event-driven state machine, never a fiber. It has a mem_port of its own, so that a walk
 * never waits behind the DMA it serves.
 *
 * Translation. A request spends lookup_ps in a fully pipelined lookup. Hit: done. Miss: a free walker reads one
 * entry after the other (what the context cache or the paging-structure cache knows is not read), checking
 * permission at each level; with all walkers busy it waits its turn. A request for a page that the same source is
 * already walking waits for that walk, then looks up again. IOTLB and paging-structure cache are not coherent:
 * they keep what a read returned until invalidated. Absent entries are never cached. With translation disabled
 * (the state after reset) and for bypass alone, done is called before translate returns and no time passes.
 *
 * Accounting. A translation's delta must stand at the time of the call. Lookup, waiting for a walker and waiting
 * for another's walk are PART_TRANSLATE; each read of a walk starts from the translation's delta and hands it
 * back, so that the parts of the memory system appear in the device's request, in series.
 *
 * Invalidation. Descriptors are fetched a line at a time (four) and executed strictly in order, each taking
 * descriptor_service_ps, invalidations invalidate_service_ps more; then their entries are gone at once. Walks
 * under way that may have read what is now old are marked: they finish, but cache nothing, and nobody joins them. An
 * IOTLB invalidation with a drain bit completes when those walks, the DMA they lead to, and the DMA of that
 * direction begun with an affected translation have ended. Conservative where hardware would be too: a walk that
 * does not yet know its domain is affected by every invalidation, and without the leaf hint a page invalidation
 * affects the whole 2 MiB around it. A wait descriptor's status is written when everything before it is complete; the queue goes
 * on meanwhile, unless the fence flag is set, but never has two status writes under way. A descriptor that is not
 * valid (unknown type or granularity, mask too large, status or ring outside memory) stops the queue: FSTS.IQE until
 * software clears it, then the head is fetched again.
 *
 * Registers take effect at once. Page-selective masks up to 2^18 pages. IQA is ignored while the queue is on.
 */
#ifndef LAB_MODELS_IOMMU_IOMMU_H
#define LAB_MODELS_IOMMU_IOMMU_H

#include "models/port.h"
#include "src/base/arena.h"
#include "src/config/param.h"
#include "src/sim/abi/vtd.h"
#include "src/sim/engine.h"

struct iommu_desc {
    bool enabled;                  /* false: no such unit; registers read zero, everything is bypassed */
    uint32_t iotlb_entries, iotlb_ways;
    uint32_t psc_entries;          /* paging-structure cache, fully associative; 0: none */
    uint32_t context_entries;      /* context cache, fully associative */
    uint32_t walkers;              /* walks in flight */
    uint32_t levels;               /* of the second-level tables it supports: 3 to 5 */
    uint32_t fault_records;        /* 1 to 240 */
    tick lookup_ps;
    tick descriptor_service_ps;
    tick invalidate_service_ps;
    uint32_t plants;               /* IOMMU_PLANT_ bits: 0 but in tests of the judges */
};

/* Planted faults, test aids: each makes the unit lie in one way that a judge must notice. */
enum {
    IOMMU_PLANT_SKIP_INVALIDATE = 1, /* invalidations complete without dropping anything */
    IOMMU_PLANT_NO_DRAIN = 2,        /* invalidations complete without waiting for DMA or walks in flight */
    IOMMU_PLANT_STALE_WALK = 4       /* a walk overtaken by an invalidation caches what it read all the same */
};

extern const struct param iommu_params[];
/* NULL if the numbers fit together, else the rule they break. */
const char *iommu_desc_error(const struct iommu_desc *);

struct iommu_wiring {
    const char *name;              /* borrowed */
    struct engine *engine;
    struct component_list *components;
    struct arena *arena;
    struct mem_port *port;         /* of its own */
    uint64_t memory_bytes;         /* addresses at and above it answer to nobody: aborted */
    uint32_t dma_max;              /* DMA in flight of all devices together, at most */
};

struct iommu;

struct iommu *iommu_new(const struct iommu_desc *, const struct iommu_wiring *); /* lives in the arena */
struct iommu_port iommu_port(struct iommu *);
struct mmio_target iommu_mmio(struct iommu *, paddr base); /* VTD_REG_BYTES of registers */
struct component *iommu_component(struct iommu *);

const char *dma_fault_name(enum dma_fault);          /* "no write permission" */
const char *vtd_reason_name(enum vtd_reason);

/* X(name, sentence): counters, all `uint64_t name` */
#define IOMMU_COUNTER_LIST(X) \
    X(translation_count, "Translations asked for by devices.") \
    X(bypass_count, "Translations not needed: disabled, or pass-through for the source.") \
    X(iotlb_hit_count, "Translations answered by the IOTLB at once.") \
    X(iotlb_miss_count, "Translations that had to walk, or wait for a walk, or were refused.") \
    X(context_miss_count, "Walks that had to read root and context entry.") \
    X(psc_hit_count, "Walks that began at the last level, thanks to the paging-structure cache.") \
    X(walk_count, "Walks begun.") \
    X(walk_read_count, "Table entries read by walks.") \
    X(walk_join_count, "Translations that waited for another's walk of the same page.") \
    X(walk_queue_count, "Translations that waited for a free walker.") \
    X(walk_stale_count, "Walks overtaken by an invalidation: used once, not cached.") \
    X(fault_count, "Translations refused.") \
    X(fault_lost_count, "Faults not recorded because all records were full.") \
    X(abort_count, "Accesses aborted because no memory answers there; not a translation fault.") \
    X(descriptor_count, "Invalidation descriptors completed.") \
    X(invalidate_context_count, "Context-cache invalidations.") \
    X(invalidate_global_count, "IOTLB invalidations, global.") \
    X(invalidate_domain_count, "IOTLB invalidations of a domain.") \
    X(invalidate_page_count, "IOTLB invalidations of pages.") \
    X(invalidate_dropped_count, "IOTLB entries dropped by invalidations.") \
    X(drain_count, "Invalidations that had to wait for DMA or walks in flight.") \
    X(drain_ps, "Time the queue stood still for that (ps).") \
    X(wait_count, "Wait descriptors completed.")

struct iommu_counters {
#define X(name, ...) uint64_t name;
    IOMMU_COUNTER_LIST(X)
#undef X
    uint64_t fault_by_reason_count[VTD_REASON_COUNT];
};
const struct iommu_counters *iommu_counters(const struct iommu *);
/* All of them by name, faults as "fault.REASON_count" with the number's words joined by '_'. */
void iommu_each_counter(const struct iommu *, void (*fn)(void *arg, const char *name, uint64_t value), void *arg);

/* ---- inspection: no simulated time, no effect */

/* `page` and `f` of an IOTLB entry. */
typedef void iommu_entry_fn(void *arg, uint16_t domain, iova page, frame f, bool read, bool write);
void iommu_each_iotlb(const struct iommu *, iommu_entry_fn *, void *arg);
/* Paging-structure entries: `page` is the first of 2 MiB, `f` the last-level table. */
void iommu_each_psc(const struct iommu *, iommu_entry_fn *, void *arg);

struct iommu_use {
    uint16_t source_id;
    bool mapped;           /* domain and page are known (else bypassed, or a walk before its context entry) */
    bool write;
    uint16_t domain;
    iova page;
    frame frame;           /* DMA only */
};
/* Translations being looked up, walked or waiting. */
void iommu_each_translation(const struct iommu *, void (*fn)(void *arg, const struct iommu_use *), void *arg);
/* DMA begun and not ended. */
void iommu_each_dma(const struct iommu *, void (*fn)(void *arg, const struct iommu_use *), void *arg);

#endif
