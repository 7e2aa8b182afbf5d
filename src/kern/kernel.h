/* src/kern/kernel.h - the simulated kernel: its choices (kernel_desc), where its data lie in simulated memory
 * (kernel_layout), and how it boots.
 *
 * Rules for all of src/kern:
 *  - Everything that changes lives in simulated memory. A C struct here holds addresses and constants, is
 *    written by kernel_init only, and is shared read-only by all harts.
 *  - Linux mm/ of kernel_desc.version is the reference. Deviations: NR_FREE_PAGES is exact (no per-CPU drift); a free
 *    block always lies on the list of its pageblock's type (Linux: since 6.10); no CMA, no isolation, no cpusets;
 *    page tables come from pools that only grow; the IOVA of a page is its physical address. docs/model.md has all.
 *  - Lock order: page lock, space lock or domain lock; per-CPU list lock; zone lock. Queue lock of the IOMMU alone.
 */
#ifndef LAB_KERN_KERNEL_H
#define LAB_KERN_KERNEL_H

#include "src/base/units.h"
#include "src/kern/costs.h"
#include "src/kern/watermark.h"
#include "src/kern/zone.h"
#include "src/sim/hart.h"

enum allocator_kind { ALLOCATOR_BUDDY, ALLOCATOR_LLFREE, ALLOCATOR_FREELIST, ALLOCATOR_BITMAP, ALLOCATOR_KINDS }; /* order of frame_allocators (frames.h) */
enum lock_kind { LOCK_TAS, LOCK_TICKET, LOCK_QUEUED };
enum zero_policy {
    ZERO_POLICY_ON_DEMAND, /* when a request wants zero */
    ZERO_POLICY_ON_FREE,   /* every page when it is freed */
    ZERO_POLICY_POOL       /* ahead of time, into a pool: zero_policy.h */
};
enum zero_method {
    ZERO_STRING, /* rep stosb: whole lines, owned without fetching them */
    ZERO_STORE,  /* 8-byte stores */
    ZERO_NT      /* non-temporal stores, then a store fence */
};
enum shootdown_method {
    SHOOTDOWN_IPI,
    SHOOTDOWN_BROADCAST, /* needs a machine that has it */
    SHOOTDOWN_AUTO       /* broadcast where the machine has it, otherwise interrupts */
};

/* Planted faults: test aids that make the oracle or the recount prove that it fires. 0 in every real run. */
enum kern_plant {
    KERN_PLANT_SKIP_ZERO_LINE = 1 << 0,        /* page_zero leaves line 17 of the first page as it was */
    KERN_PLANT_SKIP_FENCE = 1 << 1,            /* the grant does without its fences */
    KERN_PLANT_SKIP_IOTLB_INVALIDATE = 1 << 2, /* IOMMU entries are cleared, nothing is invalidated */
    KERN_PLANT_SKIP_TLB_SHOOTDOWN = 1 << 3,
    KERN_PLANT_SKIP_PTE_CLEAR = 1 << 4,        /* the grant leaves the user mapping */
    KERN_PLANT_SKIP_LOCK = 1 << 5,             /* the grant says that it holds the page lock, and does not */
    KERN_PLANT_SKIP_OWN_LINE = 1 << 6,         /* page_own leaves line 29 alone */
    KERN_PLANT_SKIP_ZONE_LOCK = 1 << 7,        /* the zone lock is never taken */
    KERN_PLANT_SKIP_CAS = 1 << 8,              /* llfree stores where it should compare and swap */
    KERN_PLANT_TRUST_MAPPED = 1 << 9           /* a page cleared while it is mapped counts as zero */
};

struct frame_allocator; /* frames.h */
struct alloc_failure; /* page_alloc.h */
typedef void alloc_failed_fn(void *arg, struct hart *, const struct alloc_failure *);

struct kernel_desc {
    uint64_t memory_bytes;           /* multiple of 4 MiB, 16 MiB to 1 TiB */
    unsigned harts;                  /* 1 to HARTS_MAX */
    enum lock_kind locks;
    enum kernel_version version;
    enum allocator_kind allocator;
    unsigned nodes;                  /* 1 to NODES_MAX; memory and harts are split evenly, in order */
    uint8_t distance[NODES_MAX][NODES_MAX]; /* as ACPI SLIT: 10 to itself; 0 everywhere: 10 and 20 */
    bool zone_dma, zone_dma32;       /* CONFIG_ZONE_DMA: the first 16 MiB; CONFIG_ZONE_DMA32: below 4 GiB */
    uint64_t movable_bytes;          /* movablecore=: the top of every node, in equal parts */
    uint64_t min_free_kbytes;        /* 0: from the memory size (watermark.h) */
    unsigned watermark_scale_factor; /* 1 to 1000, in 1/10000 of the zone */
    unsigned watermark_boost_factor; /* in 1/10000 of high; 0: no boost */
    unsigned lowmem_reserve_ratio_dma, lowmem_reserve_ratio_normal; /* of DMA and DMA32; of NORMAL; 0: none */
    /* Page cache at boot, a share of every zone in 1/10000, at most 9000; 0: there is none, and nothing to reclaim. Of it a
     * share is dirty; time from there to clean; core cycles to unmap a page and take it from its file. */
    unsigned page_cache_share, page_cache_dirty;
    uint64_t page_cache_writeback_ps, page_cache_cycles;
    unsigned compact_pageblocks;     /* scanned per attempt of compaction */
    unsigned pcp_batch;              /* pages; 0: from the zone size */
    unsigned pcp_high;               /* pages; 0: low watermark / harts of the node, at least 4 batches */
    bool pcp_tuning;                 /* high follows demand (6.7, 90b41691b988, 51a755c56dc0, c0a242394cb9) */
    enum pcp_locking pcp_locking;
    enum zero_method zeroing;
    bool init_on_alloc;
    enum zero_policy zero_policy;
    unsigned zero_pool_pages;        /* of each node, that the pool is filled up to */
    enum shootdown_method shootdown;
    unsigned shootdown_vector;       /* below IRQ_VECTORS */
    unsigned spaces;                 /* user address spaces: asid 1 to spaces; 0 to 64 */
    unsigned table_pages;            /* pool for their page tables */
    struct {
        bool on;
        paddr registers;             /* physical base of the register page */
        unsigned domains;            /* ids 1 to domains, at most 64 */
        unsigned levels;             /* 3 to 5 */
        unsigned table_pages;        /* pool for root, context and second-level tables */
    } iommu;
    uint64_t scratch_bytes;          /* zeroed memory for programs: shared words, buffers */
    uint32_t plant;                  /* enum kern_plant */
    struct kern_costs costs;
    alloc_failed_fn *alloc_failed;   /* told of every failed allocation; may be NULL; no simulated time */
    void *alloc_failed_arg;
};
struct kernel_desc kernel_desc_default(void); /* 6.8, 1 GiB, 1 node, 1 hart, queued locks, string, no IOMMU */

/* Physical memory from 0. Each node: frames of DMA, DMA32 and NORMAL by address; then what the kernel keeps for itself
 * (node 0 first what is common to all; per hart of the node one block; per zone the allocator's own; pageblock types;
 * struct pages); then MOVABLE up to the node's end. The first MiB is left to the firmware, as on x86 since 5.13. */
struct kernel_layout {
    paddr csd, spaces, domains, queue, status, ring;
    paddr scratch, table_pool, io_pool;        /* page aligned */
    frame end;                                 /* of all memory */
};

/* Constant after boot. */
struct mem_node {
    frame first, end;
    frame reserved, reserved_end;              /* the kernel's own */
    paddr at;                                  /* PGDAT_BYTES */
    paddr mem_map;                             /* struct page of `first`, and so on */
    paddr blocks;                              /* types of pageblocks: 4 bits each, from that of `first` */
    unsigned harts;
    unsigned zone_count, local_count;          /* of the zonelist; of this node's own zones, which come first */
    uint8_t zonelist[ZONES_MAX];               /* indices in kernel.zones: nodes by distance, zones from above */
};

struct kernel {
    struct kernel_desc desc;
    const struct kernel_rules *rules;
    const struct frame_allocator *frames;
    struct kernel_layout at;
    unsigned zone_count;
    struct zone zones[ZONES_MAX];              /* by node, then upwards; empty ones are left out */
    uint64_t node_frames;
    struct mem_node nodes[NODES_MAX];
    paddr hart_at[HARTS_MAX];                  /* per hart: HART_BYTES, then PCP_BYTES for each zone */
    uint64_t managed_pages, min_free_kbytes;   /* all zones */
};

/* NULL, or what is wrong with the description, as a sentence. */
const char *kernel_desc_check(const struct kernel_desc *);
/* Computes layout and constants. The description must pass kernel_desc_check. */
void kernel_init(struct kernel *, const struct kernel_desc *);
/* Writes the boot state. Struct pages are an image: a function of the address, made when touched. */
void kernel_boot(struct kernel *, struct backdoor *);
/* Per hart, before time starts: installs the shootdown interrupt. */
void kernel_hart_boot(struct kernel *, struct hart *);

/* ---- blocks in simulated memory: byte offsets */

enum { PCP_ORDERS = 4 }; /* 0 to PAGE_ALLOC_COSTLY_ORDER have per-CPU lists, and whole pageblocks */
/* pgdat: the flag that asks for kswapd; of the first node: victims for the OOM killer, and whether one is asked (oom.c); zonelist entries of 16 bytes: address of the zone, index. */
enum { PGDAT_KSWAPD = 0, PGDAT_OOM_VICTIMS = 16, PGDAT_OOM_ASKED = 24, PGDAT_ZERO_POOL = 64, PGDAT_ZONELIST = 128, ZONEREF_BYTES = 16, ZONEREF_INDEX = 8,
       PGDAT_BYTES = PGDAT_ZONELIST + ZONES_MAX * ZONEREF_BYTES };
/* Per-CPU lists: lock, counts and the first lists in one line, like struct per_cpu_pages: 3 lists for each order, then
 * one or two for whole pageblocks (NR_PCP_THP: version.h). With tuning the word of the free factor counts frees in a row, and that
 * after it holds the allocation factor and a flag. */
enum {
    PCP_LOCK = 0, PCP_COUNT = 4, PCP_HIGH = 8, PCP_BATCH = 12, PCP_FREE_FACTOR = 16, PCP_ALLOC_FACTOR = 20, PCP_LISTS = 24,
    PCP_LOW_LISTS = PCP_ORDERS * MIGRATE_PCPTYPES, PCP_LISTS_MAX = PCP_LOW_LISTS + 2, PCP_BYTES = 256
};
/* Per hart, one line each: statistics and whether a drain is asked for, mailbox, shootdown request, shootdown queue, queue-lock nodes. */
enum { HART_STATS = 0, HART_DRAIN = 32, HART_MAILBOX = 64, HART_FLUSH = 128, HART_CALLS = 192, HART_NODES = 256, HART_BYTES = 320 };
enum { SPACE_LOCK = 0, SPACE_ROOT = 8, SPACE_MASK = 64, SPACE_BYTES = 128 };  /* mask: one bit per hart */
enum { DOMAIN_LOCK = 0, DOMAIN_ROOT = 8, DOMAIN_BYTES = 64 };
enum { POOL_NEXT = 0 }; /* the first page of a pool holds the address of the next fresh page */

static inline paddr kernel_hart_area(const struct kernel *k, unsigned hart, unsigned offset)
{
    return paddr_plus(k->hart_at[hart], offset);
}
/* The word into which grants for this hart are published: 0 or the physical address of the page. */
static inline paddr kernel_mailbox(const struct kernel *k, unsigned hart)
{
    return kernel_hart_area(k, hart, HART_MAILBOX);
}
static inline paddr kernel_pcp(const struct kernel *k, const struct zone *z, unsigned hart)
{
    return paddr_plus(k->hart_at[hart], HART_BYTES + (uint64_t)z->index * PCP_BYTES);
}
static inline unsigned kernel_hart_node(const struct kernel *k, unsigned hart)
{
    return hart * k->desc.nodes / k->desc.harts;
}
/* Of a frame of memory. */
static inline const struct mem_node *kernel_node_of(const struct kernel *k, frame f)
{
    return &k->nodes[k->desc.nodes == 1 ? 0 : f.v / k->node_frames];
}
/* NULL: the frame is the kernel's own, the firmware's, or not memory. */
const struct zone *kernel_zone_of(const struct kernel *, frame);
/* The composition as the running version has it. */
static inline gfp_t kernel_gfp(const struct kernel *k, enum gfp_composed c) { return gfp_compose(k->desc.version, c); }

#endif
