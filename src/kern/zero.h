/* src/kern/zero.h - clearing pages, by the method of kernel_desc.zeroing. */
#ifndef LAB_KERN_ZERO_H
#define LAB_KERN_ZERO_H

#include "src/kern/kernel.h"

/* Clears 2^order pages, lowest address first. Records page.zero once per call. On return the last clearing
 * store has been issued: string and plain stores become visible in order (TSO), so whatever this hart stores
 * next is seen after them; non-temporal stores are followed by a store fence. */
void zero_pages(struct hart *, const struct kernel *, frame, unsigned order);

#endif
