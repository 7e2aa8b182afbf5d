/* src/kern/gfp.h - allocation request flags. gfp_t holds the values of Linux x86-64 v6.8 (include/linux/gfp_types.h; not
 * ABI); the names and values of other versions come from their row of the table (gfp_value, gfp_parse).
 * "Exclusive" is not among them: there is no such flag.
 */
#ifndef LAB_KERN_GFP_H
#define LAB_KERN_GFP_H

#include "src/kern/version.h"
#include "src/sim/hart.h"

#include <stddef.h>

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
    GFPM_ATOMIC = 0x200, /* only where kernel_rules.harder */
    GFPM_DIRECT_RECLAIM = 0x400,
    GFPM_KSWAPD_RECLAIM = 0x800,
    GFPM_WRITE = 0x1000,
    GFPM_NOWARN = 0x2000,
    GFPM_RETRY_MAYFAIL = 0x4000,
    GFPM_NOFAIL = 0x8000,
    GFPM_NORETRY = 0x10000,
    GFPM_MEMALLOC = 0x20000,
    GFPM_COMP = 0x40000,
    GFPM_NOMEMALLOC = 0x80000,
    GFPM_HARDWALL = 0x100000,
    GFPM_THISNODE = 0x200000,
    GFPM_ACCOUNT = 0x400000
};

/* Compositions as of v6.8; kernel_gfp (kernel.h) gives those of the running kernel. */
enum gfp_composed {
    GFP_ATOMIC = GFPM_HIGH | GFPM_KSWAPD_RECLAIM,
    GFP_NOWAIT = GFPM_KSWAPD_RECLAIM | GFPM_NOWARN,
    GFP_NOIO = GFPM_DIRECT_RECLAIM | GFPM_KSWAPD_RECLAIM,
    GFP_NOFS = GFP_NOIO | GFPM_IO,
    GFP_KERNEL = GFP_NOFS | GFPM_FS,
    GFP_USER = GFP_KERNEL | GFPM_HARDWALL,
    GFP_HIGHUSER = GFP_USER | GFPM_HIGHMEM,
    GFP_HIGHUSER_MOVABLE = GFP_HIGHUSER | GFPM_MOVABLE
};

/* Names joined by '|', or by '& ~' to take flags away from what stands before: "ATOMIC", "GFP_ATOMIC|__GFP_NOWARN",
 * "KERNEL & ~__GFP_IO"; prefixes may be left out; a number (0x820) has the version's bit values. True, or false with
 * *flags untouched and the reason in `why`: an unknown name (with the nearest), a name given twice, two compositions,
 * nothing at all, or a contradiction (gfp_contradiction). */
bool gfp_parse(enum kernel_version, const char *text, gfp_t *flags, char *why, size_t why_size);
/* A composition of this version: GFP_ATOMIC has __GFP_ATOMIC until 6.2, GFP_NOWAIT no __GFP_NOWARN before 6.7. */
gfp_t gfp_compose(enum kernel_version, enum gfp_composed);
/* Flags written down with another version's compositions, in this one's. */
gfp_t gfp_translate(enum kernel_version, gfp_t);
/* NULL, or why Linux warns of these flags, as a sentence. */
const char *gfp_contradiction(gfp_t);
/* As %pGg prints them: "GFP_ATOMIC|__GFP_NOWARN"; "none" for 0. Returns `text`. */
const char *gfp_text(enum kernel_version, gfp_t, char *text, size_t size);
/* The value that this version's kernel logs. */
uint32_t gfp_value(enum kernel_version, gfp_t);

/* Class of a request: by its composition, whatever ZERO, NOWARN, ATOMIC and NOMEMALLOC say. */
enum class_id gfp_class(gfp_t);

/* Zones of x86-64, lowest first. A request's zone is the highest that it may use (GFP_ZONE_TABLE: HIGHMEM is NORMAL,
 * MOVABLE needs HIGHMEM and MOVABLE); it falls back to lower ones. */
enum zone_id { ZONE_DMA, ZONE_DMA32, ZONE_NORMAL, ZONE_MOVABLE, ZONES };
enum zone_id gfp_zone(gfp_t);

#endif
