/* src/kern/reclaim.c - direct reclaim and kswapd. */
#include "src/kern/reclaim.h"

#include "src/kern/buddy.h"
#include "src/kern/page_cache.h"

uint64_t zone_reclaimable(struct hart *h, const struct zone *z) { return k_load_once(h, zone_word(z, ZONE_AT_RECLAIMABLE), 8); }

/* Scans until `want` pages are free, or every page that was there has been looked at. *until: when the first of the
 * pages under write-back will be clean, or 0. */
static uint64_t shrink_zone(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t want, uint64_t *until)
{
    uint64_t freed = 0, left = zone_reclaimable(h, z);
    while (z->lru.v != 0 && freed < want && left != 0) {
        struct page_cache_scan s = page_cache_shrink(h, k, z);
        if (s.taken == 0)
            break;
        freed += s.freed;
        left -= s.taken < left ? s.taken : left;
        if (s.writing_until != 0 && (*until == 0 || s.writing_until < *until))
            *until = s.writing_until;
    }
    return freed;
}

/* reclaim_throttle, VMSCAN_THROTTLE_WRITEBACK. */
static void throttle(struct hart *h, uint64_t until)
{
    uint64_t now = k_now_ps(h);
    k_count(h, "reclaim.throttled_count", 1);
    if (until > now)
        k_sleep_ps(h, until - now);
}

/* ---- direct: shrink_zones over the zones of the request */

static uint64_t shrink_zones(struct hart *h, const struct kernel *k, const struct alloc_context *c, uint64_t *until)
{
    uint64_t freed = 0;
    *until = 0;
    for (unsigned i = c->first; i < c->end && freed < SWAP_CLUSTER_MAX; i++) {
        const struct zone *z = zonelist_zone(h, k, c, i);
        if (z != NULL)
            freed += shrink_zone(h, k, z, SWAP_CLUSTER_MAX - freed, until);
    }
    return freed;
}

uint64_t reclaim_direct(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    uint64_t until;
    k_might_sleep(h, "alloc_pages: direct reclaim");
    k_compute(h, k->desc.costs.reclaim_entry);
    k_count(h, "reclaim.direct", 1);
    uint64_t freed = shrink_zones(h, k, c, &until);
    if (freed == 0 && until != 0) {
        throttle(h, until);
        freed = shrink_zones(h, k, c, &until);
    }
    if (freed != 0)
        k_count(h, "reclaim.direct_pages", freed);
    return freed;
}

/* ---- kswapd */

static bool zone_balanced(struct hart *h, const struct kernel *k, const struct zone *z)
{
    uint64_t high = k_load_once(h, zone_word(z, ZONE_AT_MARKS + ALLOC_WMARK_HIGH * 8), 8);
    k_compute(h, k->desc.costs.watermark_check);
    return zone_reclaimable(h, z) == 0 || k->frames->free_pages(h, k, z) >= (uint32_t)high + (high >> 32);
}

/* The boost has done its work. */
static void wear_boost(struct hart *h, const struct kernel *k, const struct zone *z)
{
    paddr word = zone_word(z, ZONE_AT_MARKS + ZONE_UPPER);
    if (k_load_once(h, word, 4) == 0)
        return;
    bool were_on = zone_lock(h, k, z);
    for (unsigned i = 0; i < 4; i++)
        k_store_once(h, paddr_plus(word, i * 8), 4, 0);
    zone_unlock(h, k, z, were_on);
}

/* set_reclaim_active: per-CPU lists are kept short meanwhile. */
static void set_active(struct hart *h, const struct kernel *k, unsigned node, bool active)
{
    for (unsigned i = 0; i < k->zone_count; i++) {
        paddr flags = zone_word(&k->zones[i], ZONE_AT_FLAGS);
        if (k->zones[i].node != node)
            continue;
        if (active)
            k_fetch_or(h, flags, 8, ZONE_FLAG_RECLAIM_ACTIVE);
        else
            k_fetch_and(h, flags, 8, ~(uint64_t)ZONE_FLAG_RECLAIM_ACTIVE);
    }
}

/* One scan of every zone that is below high. */
static bool pass(struct hart *h, const struct kernel *k, unsigned node, uint64_t *freed, uint64_t *until)
{
    bool balanced = true;
    *freed = *until = 0;
    for (unsigned i = 0; i < k->zone_count; i++) {
        const struct zone *z = &k->zones[i];
        if (z->node != node || zone_balanced(h, k, z))
            continue;
        balanced = false;
        *freed += shrink_zone(h, k, z, SWAP_CLUSTER_MAX, until);
    }
    if (*freed != 0)
        k_count(h, "reclaim.kswapd_pages", *freed);
    return balanced;
}

/* balance_pgdat. */
static uint64_t balance(struct hart *h, const struct kernel *k, unsigned node)
{
    uint64_t all = 0, freed, until;
    set_active(h, k, node, true);
    while (!pass(h, k, node, &freed, &until)) {
        all += freed;
        if (freed == 0 && until == 0)
            break;
        if (freed == 0)
            throttle(h, until);
    }
    set_active(h, k, node, false);
    for (unsigned i = 0; i < k->zone_count; i++)
        if (k->zones[i].node == node && k->zones[i].lru.v != 0)
            wear_boost(h, k, &k->zones[i]);
    return all;
}

uint64_t kswapd_turn(struct hart *h, const struct kernel *k, unsigned node)
{
    paddr flag = paddr_plus(k->nodes[node].at, PGDAT_KSWAPD);
    k_might_sleep(h, "kswapd");
    k_spin_while(h, flag, 8, UINT64_MAX, 0);
    k_compute(h, k->desc.costs.sleep_switch);
    uint64_t freed = balance(h, k, node);
    k_store_release(h, flag, 8, 0); /* who is below low from here on wakes it again */
    return freed;
}
