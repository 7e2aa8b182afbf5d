/* src/kern/version.h - what differs between kernel versions: allocation flags, the arithmetic of the reserves, the
 * HIGHATOMIC reserve, the search for a block of another mobility. One row per version, newest last.
 */
#ifndef LAB_KERN_VERSION_H
#define LAB_KERN_VERSION_H

#include <stdbool.h>

enum kernel_version { KERNEL_5_15, KERNEL_6_0, KERNEL_6_3, KERNEL_6_8, KERNEL_6_13, KERNEL_6_16, KERNEL_VERSIONS };

enum pcp_locking {
    PCP_LOCKING_5_15, /* no lock: the owner turns interrupts off, and only the owner touches the lists (before 6.0) */
    PCP_LOCKING_6_0,  /* trylock, interrupts off while held (Linux 6.0, 4b23a68f9536) */
    PCP_LOCKING_6_2,  /* trylock, interrupts stay on (Linux 6.2, 574907741599) */
    PCP_LOCKINGS
};

struct kernel_rules {
    const char *name;
    /* __GFP_ATOMIC exists; it sets ALLOC_HARDER, which lowers min by a quarter whether or not HIGH halved it, and
     * order-0 requests never fall into the HIGHATOMIC reserve. Until 6.2. */
    bool harder;
    /* GFP_NOWAIT includes __GFP_NOWARN: since 6.7 (16f5dfbc851b). */
    bool nowait_nowarn;
    /* High-order requests that cannot block draw on HIGHATOMIC only with MIN_RESERVE: since 6.13. Before, GFP_NOWAIT
     * did too. */
    bool highatomic_needs_high;
    /* The HIGHATOMIC reserve is at most 1 % of the zone rounded up to pageblocks, and none in zones of which 1 % is
     * less than a pageblock; before 6.8: 1 % and a pageblock, in every zone. */
    bool highatomic_rounded;
    /* Claim a pageblock at any order, largest first, and only then steal a single page, smallest first: since 6.15.
     * Before, a request that could not claim the largest block took its page from there. */
    bool claim_before_steal;
    /* Per-CPU lists of whole pageblocks: one for movable ones and one for the rest, since 6.10 (bf14ed81f571); before, one. */
    bool pcp_thp_by_type;
    /* How the per-CPU lists are locked, unless kernel_desc says otherwise. */
    enum pcp_locking pcp_locking;
};

const struct kernel_rules *kernel_rules(enum kernel_version);
extern const char *const kernel_version_names[KERNEL_VERSIONS + 1]; /* ends with NULL */

#endif
