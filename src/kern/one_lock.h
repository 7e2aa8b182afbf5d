/* src/kern/one_lock.h - what freelist and bitmap share: the zone lock with its phases marked, and the free page count,
 * which is written under the lock and read without it.
 */
#ifndef LAB_KERN_ONE_LOCK_H
#define LAB_KERN_ONE_LOCK_H

#include "src/kern/frames.h"
#include "src/kern/spin.h"

static inline bool one_lock(struct hart *h, const struct kernel *k, const struct zone *z)
{
    bool were_on = true;
    k_phase(h, PH_ZONE_WAIT);
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) == 0)
        were_on = spin_lock_irqsave(h, k, zone_word(z, ZONE_AT_LOCK));
    k_phase(h, PH_ZONE_HOLD);
    return were_on;
}

static inline void one_unlock(struct hart *h, const struct kernel *k, const struct zone *z, bool were_on)
{
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) == 0)
        spin_unlock_irqrestore(h, k, zone_word(z, ZONE_AT_LOCK), were_on);
}

static inline void one_count(struct hart *h, const struct zone *z, int64_t change)
{
    paddr count = zone_word(z, ZONE_AT_FREE);
    k_store_once(h, count, 8, k_load(h, count, 8) + (uint64_t)change);
}

static inline uint64_t one_free_pages(struct hart *h, const struct kernel *k, const struct zone *z)
{
    (void)k;
    return k_load_once(h, zone_word(z, ZONE_AT_FREE), 8);
}

/* Neither knows the sizes of what is free without searching: taking is the test. */
static inline bool one_has_block(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *q)
{
    (void)h, (void)k, (void)z, (void)q;
    return true;
}

#endif
