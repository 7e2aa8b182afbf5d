/* src/kern/version.c - the table of kernel versions. Sources: mm/page_alloc.c and include/linux/gfp.h of v5.15,
 * include/linux/gfp_types.h and mm/page_alloc.c of v6.0 and later, of the versions named.
 */
#include "src/kern/version.h"

static const struct kernel_rules rules[KERNEL_VERSIONS] = {
    [KERNEL_5_15] = { .name = "5.15", .harder = true, .pcp_locking = PCP_LOCKING_5_15 },
    [KERNEL_6_0] = { .name = "6.0", .harder = true, .pcp_locking = PCP_LOCKING_6_0 },
    [KERNEL_6_3] = { .name = "6.3", .pcp_locking = PCP_LOCKING_6_2 },
    [KERNEL_6_8] = { .name = "6.8", .nowait_nowarn = true, .highatomic_rounded = true, .pcp_locking = PCP_LOCKING_6_2 },
    [KERNEL_6_13] = { .name = "6.13", .nowait_nowarn = true, .highatomic_rounded = true, .highatomic_needs_high = true,
                      .pcp_thp_by_type = true, .pcp_locking = PCP_LOCKING_6_2 },
    [KERNEL_6_16] = { .name = "6.16", .nowait_nowarn = true, .highatomic_rounded = true, .highatomic_needs_high = true,
                      .claim_before_steal = true, .pcp_thp_by_type = true, .pcp_locking = PCP_LOCKING_6_2 },
};

const char *const kernel_version_names[KERNEL_VERSIONS + 1] = { "5.15", "6.0", "6.3", "6.8", "6.13", "6.16", 0 };

const struct kernel_rules *kernel_rules(enum kernel_version v) { return &rules[v]; }
