/* src/kern/pcp.c - per-CPU page lists. All fields of a block are guarded by its lock. */
#include "src/kern/pcp.h"

#include "src/kern/buddy.h"
#include "src/kern/list.h"
#include "src/kern/pageblock.h"
#include "src/kern/spin.h"

/* The count is looked at by whoever drains, without the lock. */
static void pcp_set_count(struct hart *h, paddr pcp, uint64_t value)
{
    k_store_once(h, paddr_plus(pcp, PCP_COUNT), 4, value);
}

/* ---- lock */

static bool pcp_trylock(struct hart *h, const struct kernel *k, paddr pcp, bool *were_on)
{
    bool irqs_off = k->desc.pcp_locking != PCP_LOCKING_6_2;
    if (irqs_off) {
        k_compute(h, k->desc.costs.irq_off);
        *were_on = k_irq_save(h);
    }
    if (k->desc.pcp_locking == PCP_LOCKING_5_15)
        return true;
    if (spin_trylock(h, k, paddr_plus(pcp, PCP_LOCK)))
        return true;
    if (irqs_off)
        k_irq_restore(h, *were_on);
    k_count(h, "pcp.lock_refused", 1);
    return false;
}

static void pcp_unlock(struct hart *h, const struct kernel *k, paddr pcp, bool were_on)
{
    if (k->desc.pcp_locking != PCP_LOCKING_5_15)
        spin_unlock(h, k, paddr_plus(pcp, PCP_LOCK));
    if (k->desc.pcp_locking != PCP_LOCKING_6_2)
        k_irq_restore(h, were_on);
}

/* ---- allocation */

/* rmqueue_bulk: up to `count` blocks from the zone to the end of the list; returns how many. */
static uint64_t refill(struct hart *h, const struct kernel *k, const struct zone *z, paddr list,
                       const struct frame_request *r, uint64_t count)
{
    uint64_t got = 0;
    k_compute(h, k->desc.costs.pcp_bulk_entry);
    bool were_on = zone_lock_marked(h, k, z);
    for (; got < count; got++) {
        k_compute(h, k->desc.costs.pcp_bulk_page);
        frame f = buddy_take(h, k, z, r);
        if (f.v == 0)
            break;
        list_add_tail(h, list, page_node(k, f));
    }
    if (got != 0)
        zone_add_free(h, k, z, -(int64_t)(got << r->order));
    zone_unlock(h, k, z, were_on);
    k_phase(h, PH_PCP);
    return got;
}

static uint64_t refill_count(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp, unsigned order)
{
    if (k->desc.pcp_tuning)
        return pcp_tuned_refill(h, k, z, pcp, order);
    uint64_t batch = pcp_get(h, pcp, PCP_BATCH);
    if (batch <= 1)
        return batch;
    return batch >> order > 2 ? batch >> order : 2;
}

static enum pcp_answer take_locked(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp,
                                   const struct frame_request *r, frame *f)
{
    paddr list = pcp_list(pcp, pcp_index(k, r->order, r->mt));
    enum pcp_answer answer = PCP_HIT;
    pcp_set(h, pcp, PCP_FREE_FACTOR, pcp_get(h, pcp, PCP_FREE_FACTOR) >> 1);
    paddr node = list_next(h, list);
    if (node.v == list.v) {
        uint64_t got = refill(h, k, z, list, r, refill_count(h, k, z, pcp, r->order));
        if (got == 0)
            return PCP_EMPTY;
        pcp_set_count(h, pcp, pcp_get(h, pcp, PCP_COUNT) + (got << r->order));
        node = list_next(h, list);
        answer = PCP_REFILL;
    }
    k_compute(h, k->desc.costs.pcp_take);
    list_del(h, node);
    pcp_set_count(h, pcp, pcp_get(h, pcp, PCP_COUNT) - (UINT64_C(1) << r->order));
    *f = page_of_node(k, node);
    return answer;
}

enum pcp_answer pcp_alloc(struct hart *h, const struct kernel *k, const struct zone *z,
                          const struct frame_request *r, frame *f)
{
    paddr pcp = kernel_pcp(k, z, hart_id(h));
    bool were_on = true;
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.pcp_entry);
    if (!pcp_trylock(h, k, pcp, &were_on))
        return PCP_BUSY;
    enum pcp_answer answer = take_locked(h, k, z, pcp, r, f);
    pcp_unlock(h, k, pcp, were_on);
    return answer;
}

/* ---- free */

/* One list, oldest first, until `count` pages have gone; returns how many went. */
static uint64_t empty_list(struct hart *h, const struct kernel *k, const struct zone *z, paddr list,
                           unsigned order, uint64_t count)
{
    uint64_t freed = 0;
    while (freed < count) {
        paddr node = list_prev(h, list);
        k_compute(h, k->desc.costs.pcp_bulk_page);
        if (node.v == list.v)
            break;
        frame f = page_of_node(k, node);
        list_del(h, node);
        buddy_put(h, k, z, f, order, pageblock_type(h, k, f));
        freed += UINT64_C(1) << order;
    }
    return freed;
}

/* free_pcppages_bulk: at least `count` pages, list after list from `first` on, under one zone lock. `count` is at most
 * what the lists hold. */
static void give_back(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp,
                      uint64_t count, unsigned first, bool marked)
{
    uint64_t freed = 0;
    k_compute(h, k->desc.costs.pcp_bulk_entry);
    bool were_on = marked ? zone_lock_marked(h, k, z) : zone_lock(h, k, z);
    for (unsigned i = first; freed < count; i = (i + 1) % pcp_list_count(k))
        freed += empty_list(h, k, z, pcp_list(pcp, i), pcp_index_order(i), count - freed);
    zone_add_free(h, k, z, (int64_t)freed);
    zone_unlock(h, k, z, were_on);
    pcp_set_count(h, pcp, pcp_get(h, pcp, PCP_COUNT) - freed);
}

/* nr_pcp_free: a batch, doubled with every free that follows without an allocation between. */
static uint64_t give_back_count(struct hart *h, paddr pcp, uint64_t high)
{
    uint64_t batch = pcp_get(h, pcp, PCP_BATCH), factor = pcp_get(h, pcp, PCP_FREE_FACTOR);
    if (high < batch)
        return 1;
    uint64_t most = high - batch, count = batch << factor;
    if (count < most)
        pcp_set(h, pcp, PCP_FREE_FACTOR, factor + 1);
    else
        count = most;
    return count < batch ? batch : count;
}

/* HIGHATOMIC pages wait among the movable ones. */
static enum migratetype list_type(enum migratetype mt) { return mt < MIGRATE_PCPTYPES ? mt : MIGRATE_MOVABLE; }

/* Pages to give back now that the lists have `count`. Frees of orders 1 to 3 in a row empty the lists, so that the blocks
 * can merge (free_high). */
static uint64_t excess(struct hart *h, const struct zone *z, paddr pcp, unsigned order, uint64_t count)
{
    bool all = order != 0 && order < PCP_ORDERS && pcp_get(h, pcp, PCP_FREE_FACTOR) != 0;
    uint64_t high = pcp_high_now(h, z, pcp_get(h, pcp, PCP_HIGH), z->pcp_batch);
    if (!all && count < high)
        return 0;
    return all ? count : give_back_count(h, pcp, high);
}

static void put_locked(struct hart *h, const struct kernel *k, const struct zone *z, paddr pcp, frame f,
                       unsigned order, enum migratetype mt)
{
    k_compute(h, k->desc.costs.pcp_put);
    unsigned index = pcp_index(k, order, mt);
    list_add(h, pcp_list(pcp, index), page_node(k, f));
    uint64_t count = pcp_get(h, pcp, PCP_COUNT) + (UINT64_C(1) << order);
    pcp_set_count(h, pcp, count);
    uint64_t back = k->desc.pcp_tuning ? pcp_tuned_excess(h, k, z, pcp, order, count) : excess(h, z, pcp, order, count);
    if (back == 0)
        return;
    give_back(h, k, z, pcp, back < count ? back : count, index, true);
    k_phase(h, PH_PCP);
}

bool pcp_free(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    paddr pcp = kernel_pcp(k, z, hart_id(h));
    bool were_on = true;
    enum migratetype mt = list_type(pageblock_type(h, k, f));
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.pcp_entry);
    if (!pcp_trylock(h, k, pcp, &were_on))
        return false;
    put_locked(h, k, z, pcp, f, order, mt);
    pcp_unlock(h, k, pcp, were_on);
    return true;
}

uint64_t pcp_decay(struct hart *h, const struct kernel *k, const struct zone *z)
{
    paddr pcp = kernel_pcp(k, z, hart_id(h));
    bool were_on = true;
    if (!k->desc.pcp_tuning || !pcp_trylock(h, k, pcp, &were_on))
        return 0;
    uint64_t count = pcp_get(h, pcp, PCP_COUNT), high = pcp_tuned_decay(h, z, pcp, count);
    if (count > high)
        give_back(h, k, z, pcp, count - high, 0, false);
    pcp_unlock(h, k, pcp, were_on);
    return count > high ? count - high : 0;
}

/* ---- drain */

static void drain_one(struct hart *h, const struct kernel *k, const struct zone *z, unsigned hart)
{
    paddr pcp = kernel_pcp(k, z, hart);
    uint64_t count = pcp_get(h, pcp, PCP_COUNT);
    if (count != 0)
        give_back(h, k, z, pcp, count, 0, false); /* part of no request */
}

/* Before 6.0 only the owner may: Linux queues a work item on its CPU (drain_all_pages), here an interrupt. Asked for by a
 * word that is 1 until it is done; a second who asks meanwhile is content with the same answer. Of all zones at once, and
 * only if there is something (has_pcps). */
static void drain_by_owner(struct hart *h, const struct kernel *k, const struct zone *z, unsigned owner)
{
    paddr asked = kernel_hart_area(k, owner, HART_DRAIN);
    if (hart_context(h) != CONTEXT_TASK || !hart_irqs_on(h))
        k_illegal(h, "draining the per-CPU lists of other harts, which answer by interrupt, with interrupts off");
    if (k_load_once(h, paddr_plus(kernel_pcp(k, z, owner), PCP_COUNT), 4) == 0)
        return;
    k_store_once(h, asked, 8, 1);
    k_ipi_send(h, owner, PCP_DRAIN_VECTOR);
    k_spin_while(h, asked, 8, UINT64_MAX, 1);
}

void pcp_drain_interrupt(struct hart *h, void *arg)
{
    const struct kernel *k = arg;
    for (unsigned i = 0; i < k->zone_count; i++)
        drain_one(h, k, &k->zones[i], hart_id(h));
    k_store_release(h, kernel_hart_area(k, hart_id(h), HART_DRAIN), 8, 0);
}

void pcp_drain_zone(struct hart *h, const struct kernel *k, const struct zone *z)
{
    for (unsigned i = 0; i < k->desc.harts; i++) {
        if (k->desc.pcp_locking == PCP_LOCKING_5_15 && i != hart_id(h)) {
            drain_by_owner(h, k, z, i);
            continue;
        }
        paddr pcp = kernel_pcp(k, z, i);
        bool were_on = spin_lock_irqsave(h, k, paddr_plus(pcp, PCP_LOCK));
        drain_one(h, k, z, i);
        spin_unlock_irqrestore(h, k, paddr_plus(pcp, PCP_LOCK), were_on);
    }
}

void pcp_drain_all(struct hart *h, const struct kernel *k)
{
    for (unsigned i = 0; i < k->zone_count; i++)
        pcp_drain_zone(h, k, &k->zones[i]);
}

void pcp_boot(const struct kernel *k, const struct zone *z, struct backdoor *b)
{
    for (unsigned hart = 0; hart < k->desc.harts; hart++) {
        paddr pcp = kernel_pcp(k, z, hart);
        backdoor_write(b, paddr_plus(pcp, PCP_HIGH), 4, z->pcp_high);
        backdoor_write(b, paddr_plus(pcp, PCP_BATCH), 4, z->pcp_batch);
        for (unsigned i = 0; i < PCP_LISTS_MAX; i++) {
            paddr list = pcp_list(pcp, i);
            backdoor_write(b, paddr_plus(list, LIST_NEXT), 8, list.v);
            backdoor_write(b, paddr_plus(list, LIST_PREV), 8, list.v);
        }
    }
}
