/* src/kern/zone.h - zones: constants that every hart may read (struct zone), and where the changing words of a zone
 * lie in simulated memory (ZONE_AT_...), line by line as in include/linux/mmzone.h (v6.8, x86-64, six migrate types).
 */
#ifndef LAB_KERN_ZONE_H
#define LAB_KERN_ZONE_H

#include "src/base/units.h"
#include "src/kern/watermark.h"

enum { MAX_ORDER = 10, ORDERS = MAX_ORDER + 1 };
enum { PAGEBLOCK_ORDER = 9, PAGEBLOCK_PAGES = 1 << PAGEBLOCK_ORDER }; /* x86-64: 2 MiB */
enum { NODES_MAX = 8, ZONES_MAX = NODES_MAX * ZONES };

/* Values of enum migratetype. CMA and ISOLATE have their room in the lists, and are never used. */
enum migratetype {
    MIGRATE_UNMOVABLE,
    MIGRATE_MOVABLE,
    MIGRATE_RECLAIMABLE,
    MIGRATE_PCPTYPES, /* types that have per-CPU lists */
    MIGRATE_HIGHATOMIC = MIGRATE_PCPTYPES,
    MIGRATETYPES,
    MIGRATE_LISTS = 6
};
const char *migratetype_name(enum migratetype);
const char *zone_name(enum zone_id);

struct kernel;

/* Constant after boot. */
struct zone {
    enum zone_id id;
    unsigned node;
    unsigned index;                  /* in kernel.zones */
    frame cache_first;               /* [cache_first, end) holds page cache at boot, all the rest is free */
    frame first, end;                /* [first, end), all managed; no other zone has a frame of its pageblocks; `first` is on a
                                        4 MiB boundary, or 1 MiB in the lowest zone; `end` may lie anywhere */
    uint64_t managed_pages;          /* end - first */
    struct watermarks marks;
    uint64_t lowmem_reserve[ZONES];  /* by the zone that the request would have preferred */
    unsigned pcp_batch, pcp_high;    /* pages */
    unsigned pcp_high_max;           /* what tuning may raise high to; at least pcp_high */
    paddr at;                        /* ZONE_BYTES, line aligned: ZONE_AT_... */
    const struct kernel *kernel;     /* for boot images, whose argument is the zone */
    paddr lru;                       /* page_cache.h; 0: no page cache */
    paddr own;                       /* page aligned: what the frame allocator asked for (frames.h); 0 if nothing */
};

/* List head: next, prev. A free area: a list per migrate type, then the number of its blocks. */
enum { LIST_NEXT = 0, LIST_PREV = 8, LIST_BYTES = 16, AREA_COUNT = MIGRATE_LISTS * LIST_BYTES, AREA_BYTES = AREA_COUNT + 8 };
/* Words of 8 bytes. First what is read mostly; then free areas, flags and lock (with six types the lock begins a
 * line of its own); then the counters, each line apart. */
enum {
    ZONE_AT_MARKS = 0,        /* min, low, high, promo, pages in 4 bytes each, and in the upper 4 watermark_boost, the
                                 same for all: one load where Linux has two, which a core overlaps */
    ZONE_AT_RESERVE = 64,     /* by class of the request: lowmem_reserve, and in the upper 4 bytes nr_reserved_highatomic */
    ZONE_AT_AREAS = 128,
    ZONE_AT_FLAGS = ZONE_AT_AREAS + ORDERS * AREA_BYTES,
    ZONE_AT_LOCK = ZONE_AT_FLAGS + 8,
    ZONE_AT_FREE = ZONE_AT_LOCK + 64,         /* NR_FREE_PAGES */
    ZONE_AT_RECLAIMABLE = ZONE_AT_FREE + 8,   /* pages of the page cache that reclaim may look at */
    ZONE_BYTES = ZONE_AT_FREE + 64
};
enum zone_flag {
    ZONE_FLAG_BOOSTED = 1,        /* a boost happened, kswapd is to be woken (ZONE_BOOSTED_WATERMARK) */
    ZONE_FLAG_RECLAIM_ACTIVE = 2  /* kswapd is at work */
};

static inline paddr zone_word(const struct zone *z, unsigned offset) { return paddr_plus(z->at, offset); }
enum { ZONE_UPPER = 4 }; /* offset of the upper half of a word */
static inline paddr zone_area(const struct zone *z, unsigned order)
{
    return paddr_plus(z->at, ZONE_AT_AREAS + (uint64_t)order * AREA_BYTES);
}
static inline paddr zone_list(const struct zone *z, unsigned order, enum migratetype mt)
{
    return paddr_plus(zone_area(z, order), (uint64_t)mt * LIST_BYTES);
}
static inline bool zone_contains(const struct zone *z, frame f) { return f.v >= z->first.v && f.v < z->end.v; }

#endif
