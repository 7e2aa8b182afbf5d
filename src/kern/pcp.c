/* src/kern/pcp.c - per-CPU page lists. All fields of a block are guarded by its lock. */
#include "src/kern/pcp.h"

#include "src/kern/buddy.h"
#include "src/kern/list.h"
#include "src/kern/spin.h"

static paddr pcp_list(paddr pcp, unsigned order) { return paddr_plus(pcp, PCP_LISTS + order * 16u); }
static uint64_t pcp_get(struct hart *h, paddr pcp, unsigned field) { return k_load(h, paddr_plus(pcp, field), 4); }
static void pcp_set(struct hart *h, paddr pcp, unsigned field, uint64_t value)
{
    k_store(h, paddr_plus(pcp, field), 4, value);
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
static uint64_t refill(struct hart *h, const struct kernel *k, paddr list, unsigned order, uint64_t count)
{
    uint64_t got = 0;
    k_compute(h, k->desc.costs.pcp_bulk_entry);
    bool were_on = zone_lock_marked(h, k);
    for (; got < count; got++) {
        k_compute(h, k->desc.costs.pcp_bulk_page);
        frame f = buddy_take(h, k, order);
        if (f.v == 0)
            break;
        list_add_tail(h, list, page_node(k, f));
    }
    if (got != 0)
        zone_add_free(h, k, -(int64_t)(got << order));
    zone_unlock(h, k, were_on);
    k_phase(h, PH_PCP);
    return got;
}

static uint64_t refill_count(struct hart *h, paddr pcp, unsigned order)
{
    uint64_t batch = pcp_get(h, pcp, PCP_BATCH);
    if (batch <= 1)
        return batch;
    return batch >> order > 2 ? batch >> order : 2;
}

static enum pcp_answer take_locked(struct hart *h, const struct kernel *k, paddr pcp, unsigned order, frame *f)
{
    paddr list = pcp_list(pcp, order);
    enum pcp_answer answer = PCP_HIT;
    pcp_set(h, pcp, PCP_FREE_FACTOR, pcp_get(h, pcp, PCP_FREE_FACTOR) >> 1);
    paddr node = list_next(h, list);
    if (node.v == list.v) {
        uint64_t got = refill(h, k, list, order, refill_count(h, pcp, order));
        if (got == 0)
            return PCP_EMPTY;
        pcp_set(h, pcp, PCP_COUNT, pcp_get(h, pcp, PCP_COUNT) + (got << order));
        node = list_next(h, list);
        answer = PCP_REFILL;
    }
    k_compute(h, k->desc.costs.pcp_take);
    list_del(h, node);
    pcp_set(h, pcp, PCP_COUNT, pcp_get(h, pcp, PCP_COUNT) - (UINT64_C(1) << order));
    *f = page_of_node(k, node);
    return answer;
}

enum pcp_answer pcp_alloc(struct hart *h, const struct kernel *k, unsigned order, frame *f)
{
    paddr pcp = kernel_pcp(k, hart_id(h));
    bool were_on = true;
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.pcp_entry);
    if (!pcp_trylock(h, k, pcp, &were_on))
        return PCP_BUSY;
    enum pcp_answer answer = take_locked(h, k, pcp, order, f);
    pcp_unlock(h, k, pcp, were_on);
    return answer;
}

/* ---- free */

/* free_pcppages_bulk: at least `count` pages under one zone lock, list after list from `order` on, oldest first; a list
 * is left when it is empty. Returns how many. */
static uint64_t give_back_locked(struct hart *h, const struct kernel *k, paddr pcp, uint64_t count, unsigned order)
{
    uint64_t freed = 0;
    while (freed < count) {
        paddr list = pcp_list(pcp, order), node = list_prev(h, list);
        k_compute(h, k->desc.costs.pcp_bulk_page);
        if (node.v == list.v) {
            order = (order + 1) % PCP_ORDERS;
            continue;
        }
        list_del(h, node);
        buddy_put(h, k, page_of_node(k, node), order);
        freed += UINT64_C(1) << order;
    }
    zone_add_free(h, k, (int64_t)freed);
    return freed;
}

/* `count` is at most what the lists hold. */
static void give_back(struct hart *h, const struct kernel *k, paddr pcp, uint64_t count, unsigned order, bool marked)
{
    k_compute(h, k->desc.costs.pcp_bulk_entry);
    bool were_on = marked ? zone_lock_marked(h, k) : zone_lock(h, k);
    uint64_t freed = give_back_locked(h, k, pcp, count, order);
    zone_unlock(h, k, were_on);
    pcp_set(h, pcp, PCP_COUNT, pcp_get(h, pcp, PCP_COUNT) - freed);
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

static void put_locked(struct hart *h, const struct kernel *k, paddr pcp, frame f, unsigned order)
{
    k_compute(h, k->desc.costs.pcp_put);
    list_add(h, pcp_list(pcp, order), page_node(k, f));
    uint64_t count = pcp_get(h, pcp, PCP_COUNT) + (UINT64_C(1) << order);
    pcp_set(h, pcp, PCP_COUNT, count);
    /* Frees of higher orders in a row empty the lists, so that the blocks can merge. */
    bool all = order != 0 && pcp_get(h, pcp, PCP_FREE_FACTOR) != 0;
    uint64_t high = pcp_get(h, pcp, PCP_HIGH);
    if (!all && count < high)
        return;
    uint64_t back = all ? count : give_back_count(h, pcp, high);
    give_back(h, k, pcp, back < count ? back : count, order, true);
    k_phase(h, PH_PCP);
}

bool pcp_free(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    paddr pcp = kernel_pcp(k, hart_id(h));
    bool were_on = true;
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.pcp_entry);
    if (!pcp_trylock(h, k, pcp, &were_on))
        return false;
    put_locked(h, k, pcp, f, order);
    pcp_unlock(h, k, pcp, were_on);
    return true;
}

static void drain_one(struct hart *h, const struct kernel *k, paddr pcp)
{
    uint64_t count = pcp_get(h, pcp, PCP_COUNT);
    if (count != 0)
        give_back(h, k, pcp, count, 0, false); /* part of no request */
}

/* Before 6.0 only the owner may: Linux queues a work item on its CPU (drain_all_pages), here an interrupt. Asked for by a
 * word that is 1 until it is done; a second who asks meanwhile is content with the same answer. */
static void drain_by_owner(struct hart *h, const struct kernel *k, unsigned owner)
{
    paddr asked = kernel_hart_area(k, owner, HART_DRAIN);
    if (hart_context(h) != CONTEXT_TASK || !hart_irqs_on(h))
        k_illegal(h, "draining the per-CPU lists of other harts, which answer by interrupt, with interrupts off");
    k_store_once(h, asked, 8, 1);
    k_ipi_send(h, owner, PCP_DRAIN_VECTOR);
    k_spin_while(h, asked, 8, UINT64_MAX, 1);
}

void pcp_drain_interrupt(struct hart *h, void *arg)
{
    const struct kernel *k = arg;
    drain_one(h, k, kernel_pcp(k, hart_id(h)));
    k_store_release(h, kernel_hart_area(k, hart_id(h), HART_DRAIN), 8, 0);
}

void pcp_drain_all(struct hart *h, const struct kernel *k)
{
    for (unsigned i = 0; i < k->desc.harts; i++) {
        if (k->desc.pcp_locking == PCP_LOCKING_5_15 && i != hart_id(h)) {
            drain_by_owner(h, k, i);
            continue;
        }
        paddr pcp = kernel_pcp(k, i);
        bool were_on = spin_lock_irqsave(h, k, paddr_plus(pcp, PCP_LOCK));
        drain_one(h, k, pcp);
        spin_unlock_irqrestore(h, k, paddr_plus(pcp, PCP_LOCK), were_on);
    }
}
