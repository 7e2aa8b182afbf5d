/* src/kern/reclaim.c - direct reclaim and the end of the road. */
#include "src/kern/reclaim.h"

uint64_t zone_reclaimable(struct hart *h, const struct zone *z) { return k_load_once(h, zone_word(z, ZONE_AT_RECLAIMABLE), 8); }

/* shrink_zones: the zones that have anything to scan. Nothing in this kernel keeps a page that it could give up, so the
 * counts are 0 and the scan ends there. */
uint64_t reclaim_direct(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    k_might_sleep(h, "alloc_pages: direct reclaim");
    k_compute(h, k->desc.costs.reclaim_entry);
    k_count(h, "reclaim.direct", 1);
    for (unsigned i = c->first; i < c->end; i++) {
        const struct zone *z = zonelist_zone(h, k, c, i);
        if (z != NULL)
            zone_reclaimable(h, z);
    }
    return 0;
}

/* Nobody here owns memory that a kill would free: programs are not processes. */
bool out_of_memory(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    (void)k;
    (void)c;
    k_count(h, "oom.no_victim", 1);
    return false;
}
