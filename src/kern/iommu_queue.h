/* src/kern/iommu_queue.h - the invalidation queue's own state in simulated memory. See qi_submit_sync. */
#ifndef LAB_KERN_IOMMU_QUEUE_H
#define LAB_KERN_IOMMU_QUEUE_H

#include "src/kern/kernel.h"

enum { QUEUE_SLOTS = 256, QUEUE_SUBMIT_MAX = 16 };
/* Queue block. Status: 4 bytes per slot; the slot of a wait descriptor is where the hardware writes. */
enum { QUEUE_LOCK = 0, QUEUE_HEAD = 8, QUEUE_TAIL = 12, QUEUE_FREE = 16 };
enum queue_status { QUEUE_SLOT_FREE = 0, QUEUE_SLOT_IN_USE = 1, QUEUE_SLOT_DONE = 2 };

void queue_boot(const struct kernel *, struct backdoor *);

#endif
