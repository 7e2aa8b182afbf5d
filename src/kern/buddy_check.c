/* src/kern/buddy_check.c - recount of the buddy lists and the per-CPU lists of one zone. */
#include "src/kern/check.h"
#include "src/kern/pageblock.h"
#include "src/kern/pcp.h"

#include <stdio.h>

enum { WHERE_BYTES = 96 };

struct walked {
    const struct zone *z;
    unsigned order;
    enum migratetype mt;
    char where[WHERE_BYTES];
};

static bool is_struct_page(const struct recount *r, uint64_t node)
{
    if (node >= r->k->at.end.v * PAGE_BYTES)
        return false;
    const struct mem_node *n = kernel_node_of(r->k, paddr_frame((paddr){ node }));
    uint64_t first = n->mem_map.v + PAGE_LRU, offset = node - first;
    return node >= first && offset % PAGE_STRUCT_BYTES == 0 && offset / PAGE_STRUCT_BYTES < n->end.v - n->first.v;
}

/* Walks a list, following next and checking prev; returns its length. */
static uint64_t walk(struct recount *r, paddr head, const struct walked *w,
                     void (*each)(struct recount *, const struct walked *, frame))
{
    uint64_t count = 0;
    paddr before = head, node = { recount_word(r, head, LIST_NEXT, 8) };
    while (!r->lied && node.v != head.v) {
        if (!is_struct_page(r, node.v)) {
            recount_lie(r, "%s: a link to 0x%llx, which is no struct page", w->where, (unsigned long long)node.v);
            break;
        }
        if (recount_word(r, node, LIST_PREV, 8) != before.v)
            recount_lie(r, "%s: the links at 0x%llx disagree", w->where, (unsigned long long)node.v);
        frame f = page_of_node(r->k, node);
        recount_see(r, w->z, f, w->order, w->where);
        each(r, w, f);
        before = node;
        node = (paddr){ recount_word(r, node, LIST_NEXT, 8) };
        count++;
    }
    if (!r->lied && recount_word(r, head, LIST_PREV, 8) != before.v)
        recount_lie(r, "%s: the list's tail is wrong", w->where);
    return count;
}

static bool is_buddy_block(struct recount *r, const struct zone *z, frame f, unsigned order)
{
    return zone_contains(z, f) && recount_word(r, page_word(r->k, f, 0), PAGE_TYPE, 4) == PAGE_TYPE_BUDDY &&
           recount_word(r, page_word(r->k, f, 0), PAGE_PRIVATE, 8) == order;
}

/* May the block and its free buddy stand apart? Only whole pageblocks of types that do not mix. */
static bool may_stand_apart(struct recount *r, const struct walked *w, frame buddy)
{
    enum migratetype other = pageblock_peek(r->k, r->b, buddy);
    return w->order >= PAGEBLOCK_ORDER && other != w->mt && (!pageblock_mergeable(other) || !pageblock_mergeable(w->mt));
}

static void check_free_block(struct recount *r, const struct walked *w, frame f)
{
    uint64_t pages = UINT64_C(1) << w->order;
    if (!is_buddy_block(r, w->z, f, w->order))
        recount_lie(r, "%s: frame 0x%llx is not marked so", w->where, (unsigned long long)f.v);
    if (recount_word(r, page_word(r->k, f, 0), PAGE_REFCOUNT, 4) != 0)
        recount_lie(r, "%s: frame 0x%llx is referenced", w->where, (unsigned long long)f.v);
    for (uint64_t i = 0; i < pages; i += PAGEBLOCK_PAGES)
        if (pageblock_peek(r->k, r->b, (frame){ f.v + i }) != w->mt)
            recount_lie(r, "%s: the pageblock of frame 0x%llx is of type %s", w->where, (unsigned long long)(f.v + i),
                        migratetype_name(pageblock_peek(r->k, r->b, (frame){ f.v + i })));
    frame buddy = { f.v ^ pages };
    if (w->order < MAX_ORDER && is_buddy_block(r, w->z, buddy, w->order) && !may_stand_apart(r, w, buddy))
        recount_lie(r, "%s: frame 0x%llx and its buddy are free and not merged", w->where, (unsigned long long)f.v);
}

static void check_listed_page(struct recount *r, const struct walked *w, frame f)
{
    if (recount_word(r, page_word(r->k, f, 0), PAGE_TYPE, 4) == PAGE_TYPE_BUDDY)
        recount_lie(r, "%s: frame 0x%llx is marked free in the zone", w->where, (unsigned long long)f.v);
    if (recount_word(r, page_word(r->k, f, 0), PAGE_REFCOUNT, 4) != 0)
        recount_lie(r, "%s: frame 0x%llx is referenced", w->where, (unsigned long long)f.v);
}

static uint64_t check_area(struct recount *r, const struct zone *z, unsigned order)
{
    uint64_t count = 0, said = recount_word(r, zone_area(z, order), AREA_COUNT, 8);
    for (unsigned mt = 0; mt < MIGRATETYPES; mt++) {
        struct walked w = { .z = z, .order = order, .mt = (enum migratetype)mt };
        snprintf(w.where, sizeof w.where, "node %u zone %s: free list of order %u, %s", z->node, zone_name(z->id), order,
                 migratetype_name(w.mt));
        count += walk(r, zone_list(z, order, w.mt), &w, check_free_block);
    }
    if (count != said)
        recount_lie(r, "node %u zone %s: order %u has %llu blocks, counter says %llu", z->node, zone_name(z->id), order,
                    (unsigned long long)count, (unsigned long long)said);
    return count << order;
}

static void check_pcp(struct recount *r, const struct zone *z, unsigned hart)
{
    struct walked w = { .z = z };
    paddr pcp = kernel_pcp(r->k, z, hart);
    uint64_t pages = 0, said = recount_word(r, pcp, PCP_COUNT, 4);
    snprintf(w.where, sizeof w.where, "node %u zone %s: per-CPU list of hart %u", z->node, zone_name(z->id), hart);
    for (unsigned i = 0; i < PCP_LISTS_MAX; i++) {
        w.order = pcp_index_order(i);
        pages += walk(r, pcp_list(pcp, i), &w, check_listed_page) << w.order;
    }
    if (pages != said)
        recount_lie(r, "%s: %llu pages, counter says %llu", w.where, (unsigned long long)pages, (unsigned long long)said);
}

static void check_reserve(struct recount *r, const struct zone *z)
{
    uint64_t pages = 0, said = recount_word(r, z->at, ZONE_AT_RESERVE + ZONE_UPPER, 4);
    for (uint64_t f = z->first.v & ~(uint64_t)(PAGEBLOCK_PAGES - 1); f < z->end.v; f += PAGEBLOCK_PAGES)
        if (pageblock_peek(r->k, r->b, (frame){ f }) == MIGRATE_HIGHATOMIC)
            pages += PAGEBLOCK_PAGES;
    if (pages != said)
        recount_lie(r, "node %u zone %s: pageblocks of HIGHATOMIC have %llu pages, counter says %llu", z->node,
                    zone_name(z->id), (unsigned long long)pages, (unsigned long long)said);
}

void buddy_recount(struct recount *r, const struct zone *z)
{
    uint64_t pages = 0, said = recount_word(r, z->at, ZONE_AT_FREE, 8);
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        pages += check_area(r, z, order);
    if (pages != said)
        recount_lie(r, "node %u zone %s: %llu free pages on the lists, counter says %llu", z->node, zone_name(z->id),
                    (unsigned long long)pages, (unsigned long long)said);
    for (unsigned hart = 0; hart < r->k->desc.harts; hart++)
        check_pcp(r, z, hart);
    check_reserve(r, z);
}
