/* src/kern/buddy.c - a zone's free lists. */
#include "src/kern/buddy.h"

#include "src/kern/fallback.h"
#include "src/kern/list.h"
#include "src/kern/pageblock.h"
#include "src/kern/spin.h"

bool zone_lock(struct hart *h, const struct kernel *k, const struct zone *z)
{
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) != 0)
        return true;
    return spin_lock_irqsave(h, k, zone_word(z, ZONE_AT_LOCK));
}

bool zone_lock_marked(struct hart *h, const struct kernel *k, const struct zone *z)
{
    k_phase(h, PH_ZONE_WAIT);
    bool were_on = zone_lock(h, k, z);
    k_phase(h, PH_ZONE_HOLD);
    return were_on;
}

void zone_unlock(struct hart *h, const struct kernel *k, const struct zone *z, bool were_on)
{
    if ((k->desc.plant & KERN_PLANT_SKIP_ZONE_LOCK) == 0)
        spin_unlock_irqrestore(h, k, zone_word(z, ZONE_AT_LOCK), were_on);
}

/* Counts are written under the lock and read without it (watermark checks): marked accesses. */
static void area_count(struct hart *h, const struct zone *z, unsigned order, int64_t add)
{
    paddr count = paddr_plus(zone_area(z, order), AREA_COUNT);
    k_store_once(h, count, 8, k_load(h, count, 8) + (uint64_t)add);
}

void zone_add_free(struct hart *h, const struct kernel *k, const struct zone *z, int64_t pages)
{
    (void)k;
    paddr free_pages = zone_word(z, ZONE_AT_FREE);
    k_store_once(h, free_pages, 8, k_load(h, free_pages, 8) + (uint64_t)pages);
}

/* ---- blocks. A page's type is read under the lock of its zone while the owner of a page beside it may just be writing
 * its own (prepare in page_alloc.c); compaction reads type and order without the lock: marked accesses. */

static void mark_free(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    k_store_once(h, page_word(k, f, PAGE_PRIVATE), 8, order);
    k_store_once(h, page_word(k, f, PAGE_TYPE), 4, PAGE_TYPE_BUDDY);
}

void buddy_remove(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    k_compute(h, k->desc.costs.buddy_take);
    list_del(h, page_node(k, f));
    k_store_once(h, page_word(k, f, PAGE_TYPE), 4, PAGE_TYPE_NONE);
    k_store_once(h, page_word(k, f, PAGE_PRIVATE), 8, 0);
    area_count(h, z, order, -1);
}

void buddy_split(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned have, unsigned want,
                 enum migratetype mt)
{
    while (have > want) {
        have--;
        k_compute(h, k->desc.costs.buddy_split);
        frame upper = { f.v + (UINT64_C(1) << have) };
        list_add(h, zone_list(z, have, mt), page_node(k, upper));
        area_count(h, z, have, 1);
        mark_free(h, k, upper, have);
    }
}

void buddy_move(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order,
                enum migratetype to)
{
    k_compute(h, k->desc.costs.buddy_put);
    list_del(h, page_node(k, f));
    list_add(h, zone_list(z, order, to), page_node(k, f));
}

int buddy_order_at(struct hart *h, const struct kernel *k, frame f)
{
    if (k_load_once(h, page_word(k, f, PAGE_TYPE), 4) != PAGE_TYPE_BUDDY)
        return -1;
    return (int)k_load(h, page_word(k, f, PAGE_PRIVATE), 8);
}

bool buddy_is_free(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    return zone_contains(z, f) && buddy_order_at(h, k, f) == (int)order;
}

/* ---- take */

frame buddy_take_type(struct hart *h, const struct kernel *k, const struct zone *z, unsigned order,
                      enum migratetype mt)
{
    for (unsigned o = order; o <= MAX_ORDER; o++) {
        k_compute(h, k->desc.costs.buddy_order);
        paddr head = zone_list(z, o, mt), first = list_next(h, head);
        if (first.v == head.v)
            continue;
        frame f = page_of_node(k, first);
        buddy_remove(h, k, z, f, o);
        buddy_split(h, k, z, f, o, order, mt);
        return f;
    }
    return (frame){ 0 };
}

frame buddy_take(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *r)
{
    frame f = buddy_take_type(h, k, z, r->order, r->mt);
    return f.v != 0 ? f : fallback_take(h, k, z, r);
}

/* ---- put */

/* If the next larger buddy is free too, this block may soon be part of a larger one: it goes to the tail, to
 * be used last (buddy_merge_likely). */
static bool merge_likely(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    if (order >= MAX_ORDER - 1)
        return false;
    frame parent = { f.v & ~(UINT64_C(1) << order) };
    return buddy_is_free(h, k, z, (frame){ parent.v ^ (UINT64_C(2) << order) }, order + 1);
}

/* Whole pageblocks merge if their types may mix; the buddy's takes this one's type. */
static bool types_merge(struct hart *h, const struct kernel *k, frame buddy, unsigned order, enum migratetype mt)
{
    if (order < PAGEBLOCK_ORDER)
        return true;
    enum migratetype other = pageblock_type(h, k, buddy);
    if (other == mt)
        return true;
    if (!pageblock_mergeable(mt) || !pageblock_mergeable(other))
        return false;
    pageblock_set(h, k, buddy, order, mt);
    return true;
}

void buddy_put(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order,
               enum migratetype mt)
{
    frame given = f;
    for (; order < MAX_ORDER; order++) {
        frame buddy = { f.v ^ (UINT64_C(1) << order) };
        k_compute(h, k->desc.costs.buddy_merge);
        if (!buddy_is_free(h, k, z, buddy, order) || !types_merge(h, k, buddy, order, mt))
            break;
        buddy_remove(h, k, z, buddy, order);
        f.v &= buddy.v;
    }
    k_compute(h, k->desc.costs.buddy_put);
    if (f.v != given.v) /* inside a larger block now: no longer "in use, movable" */
        k_store_once(h, page_word(k, given, PAGE_TYPE), 4, PAGE_TYPE_NONE);
    mark_free(h, k, f, order);
    paddr head = zone_list(z, order, mt);
    if (merge_likely(h, k, z, f, order))
        list_add_tail(h, head, page_node(k, f));
    else
        list_add(h, head, page_node(k, f));
    area_count(h, z, order, 1);
}

/* ---- with the lock around it */

static frame take_reserved(struct hart *h, const struct kernel *k, const struct zone *z, unsigned order,
                           enum source_id *source)
{
    frame f = buddy_take_type(h, k, z, order, MIGRATE_HIGHATOMIC);
    if (f.v != 0)
        *source = SOURCE_HIGHATOMIC;
    return f;
}

/* Order-0 requests that cannot wait, and OOM victims, may fall into the reserve when all else fails (since 6.3). */
static bool last_resort(const struct kernel *k, unsigned alloc_flags)
{
    return (alloc_flags & (k->rules->harder ? ALLOC_OOM : ALLOC_OOM | ALLOC_NON_BLOCK)) != 0;
}

frame buddy_alloc(struct hart *h, const struct kernel *k, const struct zone *z,
                  const struct frame_request *r, enum source_id *source)
{
    frame f = { 0 };
    enum source_id from = SOURCE_BUDDY;
    bool were_on = zone_lock_marked(h, k, z);
    if ((r->alloc_flags & ALLOC_HIGHATOMIC) != 0)
        f = take_reserved(h, k, z, r->order, &from);
    if (f.v == 0)
        f = buddy_take(h, k, z, r);
    if (f.v == 0 && last_resort(k, r->alloc_flags))
        f = take_reserved(h, k, z, r->order, &from);
    if (f.v != 0) {
        zone_add_free(h, k, z, -(INT64_C(1) << r->order));
        *source = from;
    }
    zone_unlock(h, k, z, were_on);
    return f;
}

void buddy_free(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    bool were_on = zone_lock_marked(h, k, z);
    buddy_put(h, k, z, f, order, pageblock_type(h, k, f));
    zone_add_free(h, k, z, INT64_C(1) << order);
    zone_unlock(h, k, z, were_on);
}
