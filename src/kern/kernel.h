/* src/kern/kernel.h - the simulated kernel: its choices (kernel_desc), where its data lie in simulated memory
 * (kernel_layout), and how it boots.
 *
 * Rules for all of src/kern:
 *  - Everything that changes lives in simulated memory. A C struct here holds addresses and constants, is
 *    written by kernel_init only, and is shared read-only by all harts.
 *  - Linux v6.x mm/ is the reference. Deviations: one node, one NORMAL zone, one mobility type; no HIGHATOMIC
 *    reserve, no watermark boost, no compaction, no reclaim; NR_FREE_PAGES is exact (no per-CPU drift);
 *    page tables come from pools that only grow; the IOVA of a page is its physical address.
 *  - Lock order: page lock, space lock or domain lock; per-CPU list lock; zone lock. Queue lock of the IOMMU alone.
 */
#ifndef LAB_KERN_KERNEL_H
#define LAB_KERN_KERNEL_H

#include "src/base/units.h"
#include "src/kern/costs.h"
#include "src/kern/watermark.h"
#include "src/sim/hart.h"

enum lock_kind { LOCK_TAS, LOCK_TICKET, LOCK_QUEUED };
enum pcp_locking {
    PCP_LOCKING_6_0, /* trylock, interrupts off while held (Linux 6.0, 4b23a68f9536) */
    PCP_LOCKING_6_2, /* trylock, interrupts stay on (Linux 6.2, 574907741599) */
    PCP_LOCKING_5_15 /* no lock: the owner turns interrupts off, and only the owner touches the lists (before 6.0) */
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
    KERN_PLANT_SKIP_ZONE_LOCK = 1 << 7         /* the zone lock is never taken */
};

struct alloc_failure; /* page_alloc.h */
typedef void alloc_failed_fn(void *arg, struct hart *, const struct alloc_failure *);

struct kernel_desc {
    uint64_t memory_bytes;           /* multiple of 4 MiB, 16 MiB to 1 TiB */
    unsigned harts;                  /* 1 to HARTS_MAX */
    enum lock_kind locks;
    uint64_t min_free_kbytes;        /* 0: from the memory size (watermark.h) */
    unsigned watermark_scale_factor; /* 1 to 1000, in 1/10000 of the zone */
    unsigned pcp_batch;              /* pages; 0: from the zone size */
    unsigned pcp_high;               /* pages; 0: low watermark / harts, at least 4 batches */
    enum pcp_locking pcp_locking;
    enum zero_method zeroing;
    bool init_on_alloc;
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
struct kernel_desc kernel_desc_default(void); /* 1 GiB, 1 hart, queued locks, 6.2, string, no IOMMU */

/* Physical memory from 0: one page left out (so that frame 0 is never valid), what follows in this order,
 * then the frames that the zone manages up to the end of memory. */
struct kernel_layout {
    paddr zone, pcp, hart_area, csd, spaces, domains, queue, status, ring;
    paddr scratch, table_pool, io_pool;        /* page aligned from here on */
    paddr mem_map;                             /* 64 bytes per frame of all memory */
    frame first_managed, end;                  /* [first_managed, end) */
};

struct kernel {
    struct kernel_desc desc;
    struct kernel_layout at;
    struct watermarks marks;
    uint64_t managed_pages;
    unsigned pcp_batch, pcp_high;
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

enum { MAX_ORDER = 10, ORDERS = MAX_ORDER + 1, PCP_ORDERS = 4 };
/* List head: next, prev. A free area adds its number of blocks. */
enum { LIST_NEXT = 0, LIST_PREV = 8, AREA_COUNT = 16, AREA_BYTES = 24 };
/* Zone. Watermarks are read-mostly; as in Linux the lock shares its line with the last free area; the free
 * page count and the kswapd flag have lines of their own. */
enum {
    ZONE_MIN = 0, ZONE_LOW = 8, ZONE_HIGH = 16, ZONE_RESERVE = 24, ZONE_AREA = 64,
    ZONE_LOCK = ZONE_AREA + ORDERS * AREA_BYTES, ZONE_FREE = 384, ZONE_KSWAPD = 448, ZONE_BYTES = 512
};
/* Per-CPU lists: lock, counts and the first list in one line, like struct per_cpu_pages. */
enum { PCP_LOCK = 0, PCP_COUNT = 4, PCP_HIGH = 8, PCP_BATCH = 12, PCP_FREE_FACTOR = 16, PCP_LISTS = 24, PCP_BYTES = 128 };
/* Per hart, one line each: statistics and whether a drain is asked for, mailbox, shootdown request, shootdown queue, queue-lock nodes. */
enum { HART_STATS = 0, HART_DRAIN = 32, HART_MAILBOX = 64, HART_FLUSH = 128, HART_CALLS = 192, HART_NODES = 256, HART_BYTES = 320 };
enum { SPACE_LOCK = 0, SPACE_ROOT = 8, SPACE_MASK = 64, SPACE_BYTES = 128 };  /* mask: one bit per hart */
enum { DOMAIN_LOCK = 0, DOMAIN_ROOT = 8, DOMAIN_BYTES = 64 };
enum { POOL_NEXT = 0 }; /* the first page of a pool holds the address of the next fresh page */

static inline paddr kernel_hart_area(const struct kernel *k, unsigned hart, unsigned offset)
{
    return paddr_plus(k->at.hart_area, (uint64_t)hart * HART_BYTES + offset);
}
/* The word into which grants for this hart are published: 0 or the physical address of the page. */
static inline paddr kernel_mailbox(const struct kernel *k, unsigned hart)
{
    return kernel_hart_area(k, hart, HART_MAILBOX);
}
static inline paddr kernel_area(const struct kernel *k, unsigned order)
{
    return paddr_plus(k->at.zone, ZONE_AREA + (uint64_t)order * AREA_BYTES);
}
static inline paddr kernel_pcp(const struct kernel *k, unsigned hart)
{
    return paddr_plus(k->at.pcp, (uint64_t)hart * PCP_BYTES);
}

#endif
