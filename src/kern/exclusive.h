/* src/kern/exclusive.h - handing out a page that is exclusively the caller's, in the meanings selected.
 *
 * Linux has no such request; the four meanings are ours (docs). Order: allocate, take the page lock, remove user
 * mappings, revoke at the IOMMU and wait, shoot down TLBs, gain the lines, zero, fence, publish. Only the steps of
 * the selected parts are done; with none it is allocate and publish.
 */
#ifndef LAB_KERN_EXCLUSIVE_H
#define LAB_KERN_EXCLUSIVE_H

#include "src/kern/page.h"

struct grant {
    frame f;        /* 0: allocation failed */
    unsigned parts; /* GRANT_ bits */
};

/* One page. Task, preemption-disabled and interrupt context (there a page mapped by users needs a machine with
 * broadcast shootdown). Publishes into the mailbox of this hart. Records exclusive.grant. */
struct grant grant_page(struct hart *, const struct kernel *, gfp_t, unsigned parts);
/* Unlocks and frees. */
void grant_release(struct hart *, const struct kernel *, struct grant);

/* Removes all ways to the page but the kernel's own: user mapping, IOMMU mapping, their translations; waits until
 * they are gone. What the device part of a grant does. Not in interrupt context, if users have mapped the page. */
void page_revoke(struct hart *, const struct kernel *, frame);

/* Makes every line of the page solely this hart's; contents may be lost. Records page.own. */
void page_own(struct hart *, const struct kernel *, frame);

#endif
