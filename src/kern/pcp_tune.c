/* src/kern/pcp_tune.c - how many pages the per-CPU lists take and keep when their sizes follow demand.
 *
 * After nr_pcp_alloc, nr_pcp_free, nr_pcp_high, free_unref_page_commit and decay_pcp_high of mm/page_alloc.c, v6.8.
 * Deviation: whether the zone is below its high watermark (ZONE_BELOW_HIGH) is looked up where it is asked for, at a
 * refill or when the lists are full; Linux keeps a flag, which the fast path of every allocation tests.
 */
#include "src/kern/frames.h"
#include "src/kern/pcp.h"

enum { BATCH_SCALE_MAX = 5 };                        /* CONFIG_PCP_BATCH_SCALE_MAX */
enum { FACTOR_MASK = 0xff, PREV_FREE_HIGH_ORDER = 0x100 }; /* of PCP_ALLOC_FACTOR */

static uint64_t at_least(uint64_t x, uint64_t floor) { return x < floor ? floor : x; }
static uint64_t at_most(uint64_t x, uint64_t ceiling) { return x > ceiling ? ceiling : x; }
static uint64_t less(uint64_t x, uint64_t y) { return x > y ? x - y : 0; }

static bool below_high(struct hart *h, const struct kernel *k, const struct zone *z)
{
    uint64_t mark = k_load_once(h, zone_word(z, ZONE_AT_MARKS + ALLOC_WMARK_HIGH * 8), 8);
    return k->frames->free_pages(h, k, z) <= (uint32_t)mark;
}

static bool reclaim_active(struct hart *h, const struct zone *z)
{
    return z->lru.v != 0 && (k_load_once(h, zone_word(z, ZONE_AT_FLAGS), 8) & ZONE_FLAG_RECLAIM_ACTIVE) != 0;
}

uint64_t pcp_high_now(struct hart *h, const struct zone *z, uint64_t high, uint64_t batch)
{
    return reclaim_active(h, z) ? at_most(batch << 2, high) : high;
}

uint64_t pcp_tuned_refill(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp, unsigned order)
{
    uint64_t base = z->pcp_batch, high = pcp_get(h, pcp, PCP_HIGH), word = pcp_get(h, pcp, PCP_ALLOC_FACTOR);
    uint64_t factor = word & FACTOR_MASK, batch = order != 0 ? base : base << factor;
    if (high < base)
        return 1;
    if (z->pcp_high != z->pcp_high_max && !below_high(h, k, z)) {
        high = at_most(high + batch, z->pcp_high_max);
        pcp_set(h, pcp, PCP_HIGH, high);
    }
    if (order == 0) {
        uint64_t most = at_least(less(high, pcp_get(h, pcp, PCP_COUNT) + base), base);
        if (batch <= most && factor < BATCH_SCALE_MAX)
            pcp_set(h, pcp, PCP_ALLOC_FACTOR, word + 1);
        batch = at_most(batch, most);
    }
    return batch > 1 ? at_least(batch >> order, 2) : batch;
}

/* nr_pcp_high. */
static uint64_t high_of(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp, uint64_t count, uint64_t frees,
                        bool free_high)
{
    uint64_t high = pcp_get(h, pcp, PCP_HIGH), least = z->pcp_high, batch = z->pcp_batch;
    if (free_high) {
        pcp_set(h, pcp, PCP_HIGH, at_least(less(high, batch << BATCH_SCALE_MAX), least));
        return 0;
    }
    if (reclaim_active(h, z)) {
        uint64_t lower = at_least(less(high, at_least(frees, batch)), least);
        pcp_set(h, pcp, PCP_HIGH, lower);
        return at_most(batch << 2, lower);
    }
    if (least == z->pcp_high_max || count < high)
        return high;
    if (below_high(h, k, z)) {
        pcp_set(h, pcp, PCP_HIGH, at_least(less(high, at_least(frees, batch)), least));
        return at_least(count, least);
    }
    if (high < frees + batch)
        pcp_set(h, pcp, PCP_HIGH, at_most(at_least(frees + batch, least), z->pcp_high_max));
    return high;
}

uint64_t pcp_tuned_excess(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp, unsigned order, uint64_t count)
{
    uint64_t batch = z->pcp_batch, frees = pcp_get(h, pcp, PCP_FREE_FACTOR), word = pcp_get(h, pcp, PCP_ALLOC_FACTOR);
    bool costly = order != 0 && order < PCP_ORDERS;
    bool free_high = costly && frees >= batch && (word & PREV_FREE_HIGH_ORDER) != 0;
    pcp_set(h, pcp, PCP_ALLOC_FACTOR, (word & FACTOR_MASK) >> 1 | (costly ? (unsigned)PREV_FREE_HIGH_ORDER : 0u));
    if (frees < batch << BATCH_SCALE_MAX)
        pcp_set(h, pcp, PCP_FREE_FACTOR, frees += UINT64_C(1) << order);
    uint64_t high = high_of(h, k, z, pcp, count, frees, free_high);
    if (count < high)
        return 0;
    if (free_high)
        return at_most(count, batch << BATCH_SCALE_MAX);
    return high < batch ? 1 : at_most(at_least(frees, batch), at_least(less(high, batch), batch));
}

uint64_t pcp_tuned_decay(struct hart *h, const struct zone *z, paddr pcp, uint64_t count)
{
    uint64_t high = pcp_get(h, pcp, PCP_HIGH), batch = z->pcp_batch;
    if (high > z->pcp_high) {
        high = at_least(at_least(less(count, batch << BATCH_SCALE_MAX), high - (high >> 3)), z->pcp_high);
        pcp_set(h, pcp, PCP_HIGH, high);
    }
    return high;
}
