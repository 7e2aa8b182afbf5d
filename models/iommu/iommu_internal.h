/* models/iommu/iommu_internal.h - state of the unit, shared by the files of this folder. */
#ifndef LAB_MODELS_IOMMU_INTERNAL_H
#define LAB_MODELS_IOMMU_INTERNAL_H

#include "models/iommu/iommu.h"

/* ---- assoc.c: places of a set-associative cache, least recently used; what stands there is the caller's.
 * The set is taken from the key above its low 16 bits. */
struct assoc {
    uint64_t *keys;            /* ASSOC_EMPTY: free */
    uint64_t *used_at;
    uint64_t clock;
    uint32_t sets, ways;
};
#define ASSOC_EMPTY UINT64_MAX
void assoc_init(struct assoc *, struct arena *, uint32_t entries, uint32_t ways);
int64_t assoc_find(const struct assoc *, uint64_t key);   /* -1: not there */
int64_t assoc_use(struct assoc *, uint64_t key);          /* the same, and now the most recently used */
size_t assoc_place(struct assoc *, uint64_t key);         /* where the key now stands, evicting if need be */
static inline size_t assoc_count(const struct assoc *a) { return (size_t)a->sets * a->ways; }

/* ---- iommu_cache.c: context cache, IOTLB, paging-structure cache */
struct context {
    uint16_t domain;
    uint8_t levels;
    bool pass_through;
    frame table;
};
struct mapping {               /* IOTLB: a page's frame; paging-structure cache: 2 MiB's last-level table */
    frame frame;
    bool read, write;          /* allowed by every level so far */
};
struct caches {
    struct assoc context, iotlb, psc;
    struct context *contexts;
    struct mapping *iotlb_mappings, *psc_mappings;
};

/* What an invalidation names. */
struct scope {
    enum vtd_granularity granularity;
    uint16_t domain, source_id;    /* source_id: context cache, VTD_GRANULARITY_DEVICE */
    iova base;
    unsigned mask;
    bool leaf_only;
};

void caches_init(struct caches *, struct arena *, const struct iommu_desc *);
bool context_find(struct caches *, uint16_t source_id, struct context *);
void context_insert(struct caches *, uint16_t source_id, const struct context *);
bool iotlb_find(struct caches *, uint16_t domain, iova, bool write, struct mapping *);
void iotlb_insert(struct caches *, uint16_t domain, iova, const struct mapping *);
bool psc_find(struct caches *, uint16_t domain, iova, bool write, struct mapping *);
void psc_insert(struct caches *, uint16_t domain, iova, const struct mapping *);
void context_invalidate(struct caches *, const struct scope *);
uint64_t iotlb_invalidate(struct caches *, const struct scope *); /* entries dropped; paging structures, too */
bool scope_covers(const struct scope *, uint16_t domain, iova);   /* would it drop this page's entry? */
bool scope_reaches(const struct scope *, uint16_t domain, iova);  /* ... or a table entry on the way to it? */

/* ---- the unit */
enum walk_state { WALK_FREE, WALK_ROOT, WALK_CONTEXT, WALK_TABLE };

struct translations {          /* linked through translation.next */
    struct translation *first, *last;
};

struct walk {
    struct iommu *unit;
    enum walk_state state;     /* what is being read */
    uint8_t level;             /* WALK_TABLE: of the entry being read, 1 is last */
    bool stale;                /* overtaken by an invalidation: caches nothing, nobody joins */
    bool drained;              /* the queue waits for it */
    struct context context;    /* from WALK_TABLE on */
    struct mapping so_far;     /* the table being read and the permission that led there */
    tick began;
    struct translation *translation;
    struct translations waiters;
    struct mem_request mem;
};

struct use {
    struct iommu_use is;
    bool drained;              /* the queue waits for it */
    bool unknown;              /* begun outside a done callback: affected by everything */
    paddr at;
};

enum queue_state {
    QUEUE_IDLE, QUEUE_FETCHING, QUEUE_SERVING, QUEUE_DRAINING, QUEUE_STATUS /* an earlier status write is under way */,
    QUEUE_FENCE, QUEUE_ERROR
};

struct invalidation_queue {
    enum queue_state state;
    bool status_busy;
    uint32_t head, tail;       /* byte offsets */
    uint32_t drain_left;       /* walks and DMA still to end */
    unsigned next, count;      /* of the fetched descriptors */
    struct vtd_descriptor fetched[LINE_BYTES / VTD_DESCRIPTOR_BYTES];
    tick since;                /* of the state */
    struct event served;
    struct mem_request fetch, status;
};

struct iommu {
    struct component component; /* first: components are cast back */
    struct iommu_desc desc;
    struct engine *engine;
    struct mem_port *port;
    uint64_t memory_bytes;

    /* registers */
    uint32_t gsts;
    uint64_t rtaddr, iqa;
    bool overflow, queue_error; /* FSTS.PFO, FSTS.IQE */
    frame root;                 /* in effect since SRTP */
    struct vtd_entry *records;
    uint32_t record_next;

    struct caches caches;
    struct event lookup_done;
    struct translations lookups;      /* in order of arrival, each ready lookup_ps after its delta's last mark */
    struct translations unserved;     /* wait for a free walker */
    struct walk *walks;

    struct use *uses;                 /* DMA in flight, the first use_count */
    uint32_t use_count, use_max;
    struct use granted;               /* by the done callback that is running; source and page match dma_begin's */
    bool granting;

    struct invalidation_queue queue;
    struct iommu_counters counters;
};

void translations_add(struct translations *, struct translation *);
struct translation *translations_take(struct translations *); /* NULL: empty */

/* iommu_walk.c */
void iommu_translate(void *iommu, struct translation *);
void iommu_lookup_done(struct event *);
void iommu_walk_read_done(struct mem_request *);
/* iommu_dma.c: answers to devices, DMA in flight, what a drain waits for */
void iommu_grant(struct iommu *, struct translation *, const struct context *, paddr, bool drained);
void iommu_refuse(struct iommu *, struct translation *, enum vtd_reason);
void iommu_dma_begin(void *iommu, uint16_t source_id, paddr);
void iommu_dma_end(void *iommu, uint16_t source_id, paddr);
void iommu_overtake(struct iommu *, const struct scope *, bool context_cache); /* marks walks under way stale */
void iommu_drain(struct iommu *, const struct scope *, bool reads, bool writes); /* sets queue.drain_left */
void iommu_drained_one(struct iommu *);
/* iommu_queue.c */
void iommu_queue_init(struct iommu *);
void iommu_queue_kick(struct iommu *);
void iommu_queue_drained(struct iommu *);
void iommu_queue_clear_error(struct iommu *);
/* iommu_regs.c */
void iommu_reg_write(void *iommu, uint64_t offset, unsigned bytes, uint64_t value);
uint64_t iommu_reg_read(void *iommu, uint64_t offset, unsigned bytes);
void iommu_record_fault(struct iommu *, const struct translation *, enum vtd_reason);

#endif
