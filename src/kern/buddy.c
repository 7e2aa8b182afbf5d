/* src/kern/buddy.c - the zone's free lists. */
#include "src/kern/buddy.h"

#include "src/kern/list.h"
#include "src/kern/spin.h"

static paddr zone_lock_word(const struct kernel *k) { return paddr_plus(k->at.zone, ZONE_LOCK); }

bool zone_lock(struct hart *h, const struct kernel *k)
{
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) != 0)
        return true;
    return spin_lock_irqsave(h, k, zone_lock_word(k));
}

bool zone_lock_marked(struct hart *h, const struct kernel *k)
{
    k_phase(h, PH_ZONE_WAIT);
    bool were_on = zone_lock(h, k);
    k_phase(h, PH_ZONE_HOLD);
    return were_on;
}

void zone_unlock(struct hart *h, const struct kernel *k, bool were_on)
{
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) == 0)
        spin_unlock_irqrestore(h, k, zone_lock_word(k), were_on);
}

/* Counts are written under the lock and read without it (watermark checks): marked accesses. */
static void area_count(struct hart *h, const struct kernel *k, unsigned order, int64_t add)
{
    paddr count = paddr_plus(kernel_area(k, order), AREA_COUNT);
    k_store_once(h, count, 8, k_load(h, count, 8) + (uint64_t)add);
}

void zone_add_free(struct hart *h, const struct kernel *k, int64_t pages)
{
    paddr free_pages = paddr_plus(k->at.zone, ZONE_FREE);
    k_store_once(h, free_pages, 8, k_load(h, free_pages, 8) + (uint64_t)pages);
}

static void mark_free(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    k_store(h, page_word(k, f, PAGE_PRIVATE), 8, order);
    k_store(h, page_word(k, f, PAGE_TYPE), 4, PAGE_TYPE_BUDDY);
}

static void remove_block(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    k_compute(h, k->desc.costs.buddy_take);
    list_del(h, page_node(k, f));
    k_store(h, page_word(k, f, PAGE_TYPE), 4, PAGE_TYPE_NONE);
    k_store(h, page_word(k, f, PAGE_PRIVATE), 8, 0);
    area_count(h, k, order, -1);
}

/* Gives back the upper halves of a block until it has the wanted size. */
static void split(struct hart *h, const struct kernel *k, frame f, unsigned have, unsigned want)
{
    while (have > want) {
        have--;
        k_compute(h, k->desc.costs.buddy_split);
        frame upper = { f.v + (UINT64_C(1) << have) };
        list_add(h, kernel_area(k, have), page_node(k, upper));
        area_count(h, k, have, 1);
        mark_free(h, k, upper, have);
    }
}

frame buddy_take(struct hart *h, const struct kernel *k, unsigned order)
{
    for (unsigned o = order; o <= MAX_ORDER; o++) {
        k_compute(h, k->desc.costs.buddy_order);
        paddr head = kernel_area(k, o), first = list_next(h, head);
        if (first.v == head.v)
            continue;
        frame f = page_of_node(k, first);
        remove_block(h, k, f, o);
        split(h, k, f, o, order);
        return f;
    }
    return (frame){ 0 };
}

/* Is the block at f free, whole, and of this order? Reserved frames and frames past the end never are. */
static bool is_free_block(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    return page_managed(k, f) && k_load(h, page_word(k, f, PAGE_TYPE), 4) == PAGE_TYPE_BUDDY &&
           k_load(h, page_word(k, f, PAGE_PRIVATE), 8) == order;
}

/* If the next larger buddy is free too, this block may soon be part of a larger one: it goes to the tail, to
 * be used last (buddy_merge_likely). */
static bool merge_likely(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    if (order >= MAX_ORDER - 1)
        return false;
    frame parent = { f.v & ~(UINT64_C(1) << order) };
    return is_free_block(h, k, (frame){ parent.v ^ (UINT64_C(2) << order) }, order + 1);
}

void buddy_put(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    for (; order < MAX_ORDER; order++) {
        frame buddy = { f.v ^ (UINT64_C(1) << order) };
        k_compute(h, k->desc.costs.buddy_merge);
        if (!is_free_block(h, k, buddy, order))
            break;
        remove_block(h, k, buddy, order);
        f.v &= buddy.v;
    }
    k_compute(h, k->desc.costs.buddy_put);
    mark_free(h, k, f, order);
    paddr head = kernel_area(k, order);
    if (merge_likely(h, k, f, order))
        list_add_tail(h, head, page_node(k, f));
    else
        list_add(h, head, page_node(k, f));
    area_count(h, k, order, 1);
}

frame buddy_alloc(struct hart *h, const struct kernel *k, unsigned order)
{
    bool were_on = zone_lock_marked(h, k);
    frame f = buddy_take(h, k, order);
    if (f.v != 0)
        zone_add_free(h, k, -(INT64_C(1) << order));
    zone_unlock(h, k, were_on);
    return f;
}

void buddy_free(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    bool were_on = zone_lock_marked(h, k);
    buddy_put(h, k, f, order);
    zone_add_free(h, k, INT64_C(1) << order);
    zone_unlock(h, k, were_on);
}
