/* src/kern/layout.h - where nodes, zones and the kernel's own data lie in physical memory (kernel.h: kernel_layout). */
#ifndef LAB_KERN_LAYOUT_H
#define LAB_KERN_LAYOUT_H

#include "src/kern/kernel.h"

/* NULL, or why the memory cannot hold it all: a sentence. Fills at, nodes (without zonelists), zones (places and sizes
 * only), hart_at, node_frames, managed_pages. desc, rules and frames are set. */
const char *layout_kernel(struct kernel *);
/* Zonelists: nodes by distance (nearest first, among equals the next in order), of each node zones from above. */
void layout_zonelists(struct kernel *);

#endif
