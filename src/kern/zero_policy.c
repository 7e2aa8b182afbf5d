/* src/kern/zero_policy.c - pool of zeroed pages, clearing at free. */
#include "src/kern/zero_policy.h"

#include "src/kern/check.h"
#include "src/kern/exclusive.h"
#include "src/kern/list.h"
#include "src/kern/page_alloc.h"
#include "src/kern/spin.h"
#include "src/kern/zero.h"

/* In the node's own block, on a line of its own. */
enum { POOL_LOCK = PGDAT_ZERO_POOL, POOL_COUNT = PGDAT_ZERO_POOL + 8, POOL_LIST = PGDAT_ZERO_POOL + 16 };

static paddr pool_word(const struct kernel *k, unsigned node, unsigned word) { return paddr_plus(k->nodes[node].at, word); }

void zero_pool_boot(const struct kernel *k, struct backdoor *b)
{
    for (unsigned i = 0; i < k->desc.nodes; i++) {
        paddr list = pool_word(k, i, POOL_LIST);
        backdoor_write(b, paddr_plus(list, LIST_NEXT), 8, list.v);
        backdoor_write(b, paddr_plus(list, LIST_PREV), 8, list.v);
    }
}

/* The count is written under the lock and read without it. */
static void pool_count(struct hart *h, const struct kernel *k, unsigned node, uint64_t add)
{
    paddr count = pool_word(k, node, POOL_COUNT);
    k_store_once(h, count, 8, k_load(h, count, 8) + add);
}

frame zero_pool_take(struct hart *h, const struct kernel *k, const struct mem_node *n)
{
    unsigned node = (unsigned)(n - k->nodes);
    paddr lock = pool_word(k, node, POOL_LOCK), list = pool_word(k, node, POOL_LIST);
    frame f = { 0 };
    k_compute(h, k->desc.costs.pcp_entry);
    if (k_load_once(h, pool_word(k, node, POOL_COUNT), 8) != 0) {
        bool were_on = spin_lock_irqsave(h, k, lock);
        paddr first = list_next(h, list);
        if (first.v != list.v) {
            list_del(h, first);
            pool_count(h, k, node, UINT64_MAX);
            f = page_of_node(k, first);
        }
        spin_unlock_irqrestore(h, k, lock, were_on);
    }
    return f;
}

static void pool_put(struct hart *h, const struct kernel *k, unsigned node, frame f)
{
    paddr lock = pool_word(k, node, POOL_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    list_add(h, pool_word(k, node, POOL_LIST), page_node(k, f));
    pool_count(h, k, node, 1);
    spin_unlock_irqrestore(h, k, lock, were_on);
}

bool zero_pool_fill(struct hart *h, const struct kernel *k)
{
    unsigned node = kernel_hart_node(k, hart_id(h));
    k_might_sleep(h, "zero_pool_fill");
    if (k_load_once(h, pool_word(k, node, POOL_COUNT), 8) >= k->desc.zero_pool_pages)
        return false;
    frame f = alloc_pages(h, k, kernel_gfp(k, GFP_NOWAIT) | GFPM_THISNODE, 0);
    if (f.v == 0)
        return false;
    if ((k->desc.plant & KERN_PLANT_TRUST_MAPPED) == 0)
        page_revoke(h, k, f);
    zero_pages(h, k, f, 0);
    k_fence(h);
    k_note(h, NOTE_PAGE_FREED, f.v, 0);
    pool_put(h, k, node, f);
    k_count(h, "zero_pool.filled", 1);
    return true;
}

/* ---- on free */

static bool mapped(struct hart *h, const struct kernel *k, frame f)
{
    return map_valid(k_load_once(h, page_word(k, f, PAGE_USER_MAP), 8)) ||
           map_valid(k_load_once(h, page_word(k, f, PAGE_IO_MAP), 8));
}

void zero_on_free(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    uint64_t pages = UINT64_C(1) << order, open = 0;
    zero_pages(h, k, f, order);
    for (uint64_t i = f.v; i < f.v + pages; i++) {
        bool stays = !mapped(h, k, (frame){ i }) || (k->desc.plant & KERN_PLANT_TRUST_MAPPED) != 0;
        k_store(h, page_word(k, (frame){ i }, PAGE_ZEROED), 1, stays);
        open += !stays;
    }
    k_count(h, "zero_on_free.pages", pages);
    if (open != 0)
        k_count(h, "zero_on_free.still_mapped", open);
}

bool zero_known(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    for (uint64_t i = f.v; i < f.v + (UINT64_C(1) << order); i++)
        if (k_load(h, page_word(k, (frame){ i }, PAGE_ZEROED), 1) == 0)
            return false;
    k_count(h, "zero_on_free.known", 1);
    return true;
}

/* ---- recount */

void zero_pool_recount(struct recount *r, const struct zone *z)
{
    const struct kernel *k = r->k;
    paddr list = pool_word(k, z->node, POOL_LIST), node = { recount_word(r, list, LIST_NEXT, 8) };
    uint64_t count = 0, said = recount_word(r, pool_word(k, z->node, POOL_COUNT), 0, 8);
    for (; node.v != list.v && count <= said; count++) {
        frame f = page_of_node(k, node);
        if (zone_contains(z, f))
            recount_see(r, z, f, 0, "pool of zeroed pages");
        node = (paddr){ recount_word(r, node, LIST_NEXT, 8) };
    }
    if (count != said)
        recount_lie(r, "pool of zeroed pages, node %u: %llu pages, counter says %llu", z->node, (unsigned long long)count,
                    (unsigned long long)said);
}
