/* src/kern/gfp.h - allocation request flags, values of Linux x86-64 v6.8 (include/linux/gfp_types.h; not ABI).
 * "Exclusive" is not among them: there is no such flag.
 */
#ifndef LAB_KERN_GFP_H
#define LAB_KERN_GFP_H

#include "src/sim/hart.h"

typedef uint32_t gfp_t;

enum gfp_modifier {
    GFPM_DMA = 0x01,
    GFPM_HIGHMEM = 0x02,
    GFPM_DMA32 = 0x04,
    GFPM_MOVABLE = 0x08,
    GFPM_RECLAIMABLE = 0x10,
    GFPM_HIGH = 0x20,
    GFPM_IO = 0x40,
    GFPM_FS = 0x80,
    GFPM_ZERO = 0x100,
    GFPM_DIRECT_RECLAIM = 0x400,
    GFPM_KSWAPD_RECLAIM = 0x800,
    GFPM_NOWARN = 0x2000,
    GFPM_MEMALLOC = 0x20000,
    GFPM_NOMEMALLOC = 0x80000,
    GFPM_HARDWALL = 0x100000
};

enum gfp_composed {
    GFP_ATOMIC = GFPM_HIGH | GFPM_KSWAPD_RECLAIM,
    GFP_NOWAIT = GFPM_KSWAPD_RECLAIM | GFPM_NOWARN, /* NOWARN since 6.7, 16f5dfbc851b */
    GFP_NOIO = GFPM_DIRECT_RECLAIM | GFPM_KSWAPD_RECLAIM,
    GFP_NOFS = GFP_NOIO | GFPM_IO,
    GFP_KERNEL = GFP_NOFS | GFPM_FS,
    GFP_USER = GFP_KERNEL | GFPM_HARDWALL,
    GFP_HIGHUSER = GFP_USER | GFPM_HIGHMEM,
    GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | GFPM_MOVABLE
};

/* "ATOMIC", "GFP_ATOMIC", "KERNEL|ZERO", "GFP_NOWAIT | __GFP_MEMALLOC": at most one composition, then modifiers.
 * False, and *flags untouched, if a name is unknown, given twice, or the text is empty. */
bool gfp_parse(const char *text, gfp_t *flags);
/* Class of a request: by its composition, whatever ZERO, NOWARN and NOMEMALLOC say. */
enum class_id gfp_class(gfp_t);

#endif
