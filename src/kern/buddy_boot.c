/* src/kern/buddy_boot.c - the free lists at boot: every frame of the zone that holds no page cache free, in the fewest aligned blocks. In the
 * middle order-10 blocks, chained in order of address; before and after them smaller ones, at most one of each order on
 * either side. All of it follows from the zone's first frame and where its page cache begins, so struct pages are an image. */
#include "src/kern/buddy.h"
#include "src/kern/page.h"

#define LARGE (UINT64_C(1) << MAX_ORDER)
enum { SMALL_MAX = 2 * MAX_ORDER };

struct small_blocks {
    struct { frame f; unsigned order; } block[SMALL_MAX];
    unsigned count;
    uint64_t large_first, large_end; /* equal: there are none */
};

/* Cuts [f, end), which holds no whole large block. */
static void cut(struct small_blocks *s, uint64_t f, uint64_t end)
{
    while (f < end) {
        unsigned order = 0;
        while (order < MAX_ORDER && (f >> order & 1) == 0 && f + (UINT64_C(2) << order) <= end)
            order++;
        s->block[s->count].f = (frame){ f };
        s->block[s->count++].order = order;
        f += UINT64_C(1) << order;
    }
}

static struct small_blocks small_blocks(const struct zone *z)
{
    struct small_blocks s = { .count = 0 };
    s.large_first = (z->first.v + LARGE - 1) & ~(LARGE - 1);
    s.large_end = z->cache_first.v & ~(LARGE - 1);
    if (s.large_first >= s.large_end) {
        s.large_first = s.large_end = 0;
        cut(&s, z->first.v, z->cache_first.v);
    } else {
        cut(&s, z->first.v, s.large_first);
        cut(&s, s.large_end, z->cache_first.v);
    }
    return s;
}

/* Words of the struct page at the head of a free block. */
static void make_free(uint64_t *words, paddr next, paddr prev, unsigned order)
{
    words[(PAGE_LRU + LIST_NEXT) / 8] = next.v;
    words[(PAGE_LRU + LIST_PREV) / 8] = prev.v;
    words[PAGE_PRIVATE / 8] = order;
    words[PAGE_TYPE / 8] = PAGE_TYPE_BUDDY;
}

/* The block of the same order beside block i, or the list's head. */
static paddr neighbour(const struct zone *z, const struct small_blocks *s, unsigned i, bool after)
{
    for (unsigned j = 0; j < s->count; j++)
        if (s->block[j].order == s->block[i].order && (after ? j > i : j < i))
            return page_node(z->kernel, s->block[j].f);
    return zone_list(z, s->block[i].order, MIGRATE_MOVABLE);
}

static void large_page(const struct zone *z, const struct small_blocks *s, uint64_t f, uint64_t *words)
{
    paddr head = zone_list(z, MAX_ORDER, MIGRATE_MOVABLE);
    make_free(words, f + LARGE < s->large_end ? page_node(z->kernel, (frame){ f + LARGE }) : head,
              f > s->large_first ? page_node(z->kernel, (frame){ f - LARGE }) : head, MAX_ORDER);
}

/* Image of one page of struct pages. */
static void boot_image(void *arg, frame f, uint64_t words[PAGE_BYTES / 8])
{
    enum { PER_PAGE = PAGE_BYTES / PAGE_STRUCT_BYTES };
    const struct zone *z = arg;
    const struct mem_node *n = &z->kernel->nodes[z->node];
    struct small_blocks s = small_blocks(z);
    uint64_t first = n->first.v + (f.v - paddr_frame(n->mem_map).v) * PER_PAGE;
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++)
        words[i] = 0;
    uint64_t large = (first + LARGE - 1) & ~(LARGE - 1);
    if (large < first + PER_PAGE && large >= s.large_first && large < s.large_end)
        large_page(z, &s, large, words + (large - first) * (PAGE_STRUCT_BYTES / 8));
    for (unsigned i = 0; i < s.count; i++)
        if (s.block[i].f.v >= first && s.block[i].f.v < first + PER_PAGE)
            make_free(words + (s.block[i].f.v - first) * (PAGE_STRUCT_BYTES / 8), neighbour(z, &s, i, true),
                      neighbour(z, &s, i, false), s.block[i].order);
}

static void boot_list(const struct zone *z, struct backdoor *b, unsigned order, frame first, frame last, uint64_t count)
{
    paddr head = zone_list(z, order, MIGRATE_MOVABLE);
    backdoor_write(b, paddr_plus(head, LIST_NEXT), 8, page_node(z->kernel, first).v);
    backdoor_write(b, paddr_plus(head, LIST_PREV), 8, page_node(z->kernel, last).v);
    backdoor_write(b, paddr_plus(zone_area(z, order), AREA_COUNT), 8, count);
}

void buddy_boot(struct kernel *k, struct zone *z, struct backdoor *b)
{
    struct small_blocks s = small_blocks(z);
    uint64_t count[ORDERS] = { 0 };
    frame first[ORDERS];
    paddr pages = page_word(k, z->first, 0), end = page_word(k, (frame){ z->cache_first.v - 1 }, PAGE_STRUCT_BYTES - 1);
    backdoor_image(b, paddr_frame(pages), paddr_frame(end).v - paddr_frame(pages).v + 1, boot_image, z);
    for (unsigned i = 0; i < s.count; i++) {
        unsigned order = s.block[i].order;
        if (count[order]++ == 0)
            first[order] = s.block[i].f;
        boot_list(z, b, order, first[order], s.block[i].f, count[order]);
    }
    if (s.large_end != 0)
        boot_list(z, b, MAX_ORDER, (frame){ s.large_first }, (frame){ s.large_end - LARGE }, (s.large_end - s.large_first) / LARGE);
}
