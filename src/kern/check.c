/* src/kern/check.c - recount of every frame. */
#include "src/kern/check.h"

#include "src/base/fail.h"
#include "src/kern/page.h"

#include <stdarg.h>
#include <stdlib.h>

struct recount {
    const struct kernel *k;
    struct backdoor *b;
    uint64_t *seen;      /* one bit per frame of memory */
    uint64_t seen_pages;
    char *text;
    size_t size;
    bool lied;
};

static void lie(struct recount *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void lie(struct recount *r, const char *format, ...)
{
    va_list ap;
    if (r->lied)
        return;
    r->lied = true;
    va_start(ap, format);
    vsnprintf(r->text, r->size, format, ap);
    va_end(ap);
}

static uint64_t word(struct recount *r, paddr a, unsigned offset, unsigned bytes)
{
    return backdoor_read(r->b, paddr_plus(a, offset), bytes);
}

static void see(struct recount *r, frame f, unsigned order, const char *where)
{
    uint64_t pages = UINT64_C(1) << order;
    if (!page_managed(r->k, f) || f.v + pages > r->k->at.end.v || f.v % pages != 0) {
        lie(r, "%s: frame 0x%llx order %u is no block of the zone", where, (unsigned long long)f.v, order);
        return;
    }
    for (uint64_t i = f.v; i < f.v + pages; i++) {
        if ((r->seen[i / 64] >> i % 64 & 1) != 0)
            lie(r, "%s: frame 0x%llx is in two places", where, (unsigned long long)i);
        r->seen[i / 64] |= UINT64_C(1) << i % 64;
    }
    r->seen_pages += pages;
}

/* Walks a list, following next and checking prev; returns its length. */
static uint64_t walk(struct recount *r, paddr head, unsigned order, const char *where,
                     void (*each)(struct recount *, frame, unsigned order))
{
    uint64_t count = 0;
    paddr before = head, node = { word(r, head, LIST_NEXT, 8) };
    while (!r->lied && node.v != head.v) {
        uint64_t offset = node.v - PAGE_LRU - r->k->at.mem_map.v;
        if (node.v < r->k->at.mem_map.v + PAGE_LRU || offset % PAGE_STRUCT_BYTES != 0 ||
            offset / PAGE_STRUCT_BYTES >= r->k->at.end.v) {
            lie(r, "%s: a link to 0x%llx, which is no struct page", where, (unsigned long long)node.v);
            break;
        }
        if (word(r, node, LIST_PREV, 8) != before.v)
            lie(r, "%s: the links at 0x%llx disagree", where, (unsigned long long)node.v);
        frame f = page_of_node(r->k, node);
        see(r, f, order, where);
        each(r, f, order);
        before = node;
        node = (paddr){ word(r, node, LIST_NEXT, 8) };
        count++;
    }
    if (!r->lied && word(r, head, LIST_PREV, 8) != before.v)
        lie(r, "%s: the list's tail is wrong", where);
    return count;
}

static bool is_buddy_block(struct recount *r, frame f, unsigned order)
{
    return page_managed(r->k, f) && word(r, page_word(r->k, f, 0), PAGE_TYPE, 4) == PAGE_TYPE_BUDDY &&
           word(r, page_word(r->k, f, 0), PAGE_PRIVATE, 8) == order;
}

static void check_free_block(struct recount *r, frame f, unsigned order)
{
    if (!is_buddy_block(r, f, order))
        lie(r, "free list of order %u: frame 0x%llx is not marked so", order, (unsigned long long)f.v);
    if (word(r, page_word(r->k, f, 0), PAGE_REFCOUNT, 4) != 0)
        lie(r, "free list of order %u: frame 0x%llx is referenced", order, (unsigned long long)f.v);
    frame buddy = { f.v ^ (UINT64_C(1) << order) };
    if (order < MAX_ORDER && is_buddy_block(r, buddy, order))
        lie(r, "free list of order %u: frame 0x%llx and its buddy are free and not merged", order,
            (unsigned long long)f.v);
}

static void check_listed_page(struct recount *r, frame f, unsigned order)
{
    if (word(r, page_word(r->k, f, 0), PAGE_TYPE, 4) != PAGE_TYPE_NONE)
        lie(r, "per-CPU list of order %u: frame 0x%llx is marked free in the zone", order, (unsigned long long)f.v);
}

static void check_zone(struct recount *r)
{
    uint64_t pages = 0;
    for (unsigned order = 0; order <= MAX_ORDER; order++) {
        paddr head = kernel_area(r->k, order);
        char where[40];
        snprintf(where, sizeof where, "free list of order %u", order);
        uint64_t count = walk(r, head, order, where, check_free_block), said = word(r, head, AREA_COUNT, 8);
        if (count != said)
            lie(r, "%s: %llu blocks, counter says %llu", where, (unsigned long long)count, (unsigned long long)said);
        pages += count << order;
    }
    uint64_t said = word(r, r->k->at.zone, ZONE_FREE, 8);
    if (pages != said)
        lie(r, "zone: %llu free pages on the lists, counter says %llu", (unsigned long long)pages,
            (unsigned long long)said);
}

static void check_pcp(struct recount *r, unsigned hart)
{
    paddr pcp = kernel_pcp(r->k, hart);
    char where[40];
    uint64_t pages = 0;
    snprintf(where, sizeof where, "per-CPU list of hart %u", hart);
    for (unsigned order = 0; order < PCP_ORDERS; order++)
        pages += walk(r, paddr_plus(pcp, PCP_LISTS + order * 16u), order, where, check_listed_page) << order;
    if (pages != word(r, pcp, PCP_COUNT, 4))
        lie(r, "%s: %llu pages, counter says %llu", where, (unsigned long long)pages,
            (unsigned long long)word(r, pcp, PCP_COUNT, 4));
}

static void check_held(struct recount *r, const struct held_block *b)
{
    see(r, b->f, b->order, "held by a caller");
    if (!r->lied && word(r, page_word(r->k, b->f, 0), PAGE_REFCOUNT, 4) != 1)
        lie(r, "held by a caller: frame 0x%llx has %llu references", (unsigned long long)b->f.v,
            (unsigned long long)word(r, page_word(r->k, b->f, 0), PAGE_REFCOUNT, 4));
}

const char *kern_check(const struct kernel *k, struct backdoor *b, const struct held_block *held, size_t held_count,
                       char *text, size_t size)
{
    struct recount r = { .k = k, .b = b, .text = text, .size = size };
    r.seen = calloc(k->at.end.v / 64 + 1, sizeof *r.seen);
    CHECK(r.seen != NULL, "recount: out of memory");
    check_zone(&r);
    for (unsigned hart = 0; hart < k->desc.harts; hart++)
        check_pcp(&r, hart);
    for (size_t i = 0; i < held_count; i++)
        check_held(&r, &held[i]);
    /* All covered, none twice, buddies merged: with nothing held, the lists can only be those of boot. */
    if (r.seen_pages != k->managed_pages)
        lie(&r, "%llu frames accounted for, the zone has %llu", (unsigned long long)r.seen_pages,
            (unsigned long long)k->managed_pages);
    free(r.seen);
    return r.lied ? text : NULL;
}
