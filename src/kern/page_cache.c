/* src/kern/page_cache.c - the LRU list of a zone. */
#include "src/kern/page_cache.h"

#include "src/kern/check.h"
#include "src/kern/list.h"
#include "src/kern/page_alloc.h"
#include "src/kern/page_lock.h"
#include "src/kern/spin.h"

enum { PAGES_PER_LINE_OF_MAP = PAGE_BYTES / PAGE_STRUCT_BYTES, ALL = 10000 };

static paddr lru_list(const struct zone *z) { return paddr_plus(z->lru, LRU_LIST); }

/* ---- boot */

frame page_cache_first(const struct kernel_desc *d, const struct zone *z)
{
    uint64_t pages = z->managed_pages * d->page_cache_share / ALL, first = z->end.v - pages;
    first = (first + PAGES_PER_LINE_OF_MAP - 1) & ~(uint64_t)(PAGES_PER_LINE_OF_MAP - 1);
    return (frame){ first < z->end.v ? first : z->end.v };
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* The list's order at boot: page i is followed by page i + step, modulo their number. With a step prime to it, near the golden
 * section, neighbours in memory are far apart on the list: what is reclaimed does not merge at once, as on a machine
 * that has run for a while. */
static uint64_t step_of(uint64_t count)
{
    uint64_t step = count * 618 / 1000 | 1;
    while (gcd(step, count) != 1)
        step++;
    return step;
}

static bool dirty_at_boot(const struct kernel *k, uint64_t i)
{
    uint64_t share = k->desc.page_cache_dirty;
    return i * share / ALL != (i + 1) * share / ALL;
}

static void boot_page(const struct zone *z, uint64_t i, uint64_t count, uint64_t step, uint64_t *words)
{
    const struct kernel *k = z->kernel;
    uint64_t next = (i + step) % count, prev = (i + count - step % count) % count;
    words[PAGE_FLAGS / 8] = PG_LRU | (dirty_at_boot(k, i) ? PG_DIRTY : 0);
    words[(PAGE_LRU + LIST_NEXT) / 8] = next == 0 ? lru_list(z).v : page_node(k, (frame){ z->cache_first.v + next }).v;
    words[(PAGE_LRU + LIST_PREV) / 8] = i == 0 ? lru_list(z).v : page_node(k, (frame){ z->cache_first.v + prev }).v;
    words[PAGE_TYPE / 8] = PAGE_TYPE_MOVABLE | UINT64_C(1) << 32;
}

/* Image of one page of struct pages. */
static void boot_image(void *arg, frame f, uint64_t words[PAGE_BYTES / 8])
{
    const struct zone *z = arg;
    const struct mem_node *n = &z->kernel->nodes[z->node];
    uint64_t count = z->end.v - z->cache_first.v, step = step_of(count);
    uint64_t first = n->first.v + (f.v - paddr_frame(n->mem_map).v) * PAGES_PER_LINE_OF_MAP - z->cache_first.v;
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++)
        words[i] = 0;
    for (uint64_t i = 0; i < PAGES_PER_LINE_OF_MAP && first + i < count; i++)
        boot_page(z, first + i, count, step, words + i * (PAGE_STRUCT_BYTES / 8));
}

void page_cache_boot(const struct kernel *k, const struct zone *z, struct backdoor *b)
{
    uint64_t count = z->end.v - z->cache_first.v;
    if (z->lru.v == 0)
        return;
    paddr list = lru_list(z), newest = list, oldest = list;
    if (count != 0) {
        paddr pages = page_word(k, z->cache_first, 0), end = page_word(k, (frame){ z->end.v - 1 }, PAGE_STRUCT_BYTES - 1);
        union { const struct zone *in; void *out; } arg = { .in = z };
        backdoor_image(b, paddr_frame(pages), paddr_frame(end).v - paddr_frame(pages).v + 1, boot_image, arg.out);
        newest = page_node(k, z->cache_first);
        oldest = page_node(k, (frame){ z->cache_first.v + (count - step_of(count) % count) % count });
    }
    backdoor_write(b, paddr_plus(list, LIST_NEXT), 8, newest.v);
    backdoor_write(b, paddr_plus(list, LIST_PREV), 8, oldest.v);
    backdoor_write(b, zone_word(z, ZONE_AT_RECLAIMABLE), 8, count);
}

/* ---- the list. NR_RECLAIMABLE changes under its lock, and is read without. */

static bool lru_lock(struct hart *h, const struct kernel *k, const struct zone *z)
{
    return spin_lock_irqsave(h, k, paddr_plus(z->lru, LRU_LOCK));
}

static void lru_unlock(struct hart *h, const struct kernel *k, const struct zone *z, bool were_on)
{
    spin_unlock_irqrestore(h, k, paddr_plus(z->lru, LRU_LOCK), were_on);
}

static void add_reclaimable(struct hart *h, const struct zone *z, int64_t pages)
{
    paddr word = zone_word(z, ZONE_AT_RECLAIMABLE);
    k_store_once(h, word, 8, k_load(h, word, 8) + (uint64_t)pages);
}

void page_cache_add(struct hart *h, const struct kernel *k, frame f, bool dirty)
{
    const struct zone *z = kernel_zone_of(k, f);
    k_store(h, page_word(k, f, PAGE_FLAGS), 8, PG_LRU | (dirty ? PG_DIRTY : 0));
    k_compute(h, k->desc.costs.lru_page);
    bool were_on = lru_lock(h, k, z);
    list_add(h, lru_list(z), page_node(k, f));
    add_reclaimable(h, z, 1);
    lru_unlock(h, k, z, were_on);
}

/* isolate_lru_folios: the oldest pages, to a list of the caller's (Linux: on its stack). */
static unsigned isolate(struct hart *h, const struct kernel *k, const struct zone *z, frame *batch)
{
    unsigned taken = 0;
    bool were_on = lru_lock(h, k, z);
    while (taken < SWAP_CLUSTER_MAX) {
        paddr node = list_prev(h, lru_list(z));
        k_compute(h, k->desc.costs.lru_page);
        if (node.v == lru_list(z).v)
            break;
        list_del(h, node);
        batch[taken++] = page_of_node(k, node);
    }
    lru_unlock(h, k, z, were_on);
    return taken;
}

/* move_folios_to_lru. */
static void put_back(struct hart *h, const struct kernel *k, const struct zone *z, const frame *kept, unsigned count, unsigned freed)
{
    bool were_on = lru_lock(h, k, z);
    for (unsigned i = 0; i < count; i++) {
        k_compute(h, k->desc.costs.lru_page);
        list_add(h, lru_list(z), page_node(k, kept[i]));
    }
    add_reclaimable(h, z, -(int64_t)freed);
    lru_unlock(h, k, z, were_on);
}

/* ---- one page */

/* False: it stays, dirty or being written. Its lock is held. The end of write-back is known by the clock: who looks
 * later finds it clean. */
static bool is_clean(struct hart *h, const struct kernel *k, frame f, struct page_cache_scan *s)
{
    paddr flags = page_word(k, f, PAGE_FLAGS), until = page_word(k, f, PAGE_PRIVATE);
    uint64_t word = k_load(h, flags, 8), now = k_now_ps(h), end;
    if ((word & PG_DIRTY) != 0) {
        end = now + k->desc.page_cache_writeback_ps;
        k_store(h, until, 8, end);
        k_fetch_and(h, flags, 8, ~(uint64_t)PG_DIRTY);
        k_fetch_or(h, flags, 8, PG_WRITEBACK);
        k_count(h, "reclaim.written_count", 1);
    } else {
        end = (word & PG_WRITEBACK) != 0 ? k_load(h, until, 8) : 0;
        if (end <= now)
            return true;
    }
    if (s->writing_until == 0 || end < s->writing_until)
        s->writing_until = end;
    return false;
}

/* __remove_mapping: the one reference is frozen, the page leaves its file. */
static bool shrink_page(struct hart *h, const struct kernel *k, frame f, struct page_cache_scan *s)
{
    uint64_t one = 1;
    k_compute(h, k->desc.costs.reclaim_page);
    if (!trylock_page(h, k, f))
        return false;
    if (!is_clean(h, k, f, s)) {
        unlock_page(h, k, f);
        return false;
    }
    k_compute(h, k->desc.page_cache_cycles);
    if (!k_cas(h, page_word(k, f, PAGE_REFCOUNT), 4, &one, 0)) {
        unlock_page(h, k, f);
        return false;
    }
    k_store(h, page_word(k, f, PAGE_FLAGS), 8, 0);
    free_unreferenced(h, k, f, 0);
    k_phase(h, PH_WORK);
    return true;
}

struct page_cache_scan page_cache_shrink(struct hart *h, const struct kernel *k, const struct zone *z)
{
    frame batch[SWAP_CLUSTER_MAX];
    struct page_cache_scan s = { 0 };
    unsigned kept = 0;
    k_begin(h, CLASS_RECLAIM);
    s.taken = isolate(h, k, z, batch);
    for (unsigned i = 0; i < s.taken; i++) {
        if (shrink_page(h, k, batch[i], &s))
            s.freed++;
        else
            batch[kept++] = batch[i];
    }
    if (s.taken != 0)
        put_back(h, k, z, batch, kept, s.freed);
    k_count(h, "reclaim.scanned_count", s.taken);
    k_source(h, SOURCE_DONE);
    k_end(h);
    return s;
}

/* ---- recount */

static uint64_t recount_list(struct recount *r, const struct zone *z)
{
    uint64_t pages = 0;
    paddr list = lru_list(z), before = list, node = { recount_word(r, list, LIST_NEXT, 8) };
    for (; !r->lied && node.v != list.v; before = node, node = (paddr){ recount_word(r, node, LIST_NEXT, 8) }) {
        if (node.v >= r->k->at.end.v * PAGE_BYTES) {
            recount_lie(r, "page cache: a link to 0x%llx, which is no struct page", (unsigned long long)node.v);
            break;
        }
        frame f = page_of_node(r->k, node);
        recount_see(r, z, f, 0, "page cache");
        if (r->lied)
            break;
        if (recount_word(r, node, LIST_PREV, 8) != before.v)
            recount_lie(r, "page cache: the links at 0x%llx disagree", (unsigned long long)node.v);
        if (recount_word(r, page_word(r->k, f, 0), PAGE_REFCOUNT, 4) != 1 ||
            (recount_word(r, page_word(r->k, f, 0), PAGE_FLAGS, 8) & (PG_LRU | PG_LOCKED)) != PG_LRU)
            recount_lie(r, "page cache: frame 0x%llx is locked, or not marked as on the list, or has not one reference",
                        (unsigned long long)f.v);
        pages++;
    }
    if (!r->lied && recount_word(r, list, LIST_PREV, 8) != before.v)
        recount_lie(r, "page cache: the list's old end is wrong");
    return pages;
}

void page_cache_recount(struct recount *r, const struct zone *z)
{
    if (z->lru.v == 0)
        return;
    uint64_t pages = recount_list(r, z), said = recount_word(r, z->at, ZONE_AT_RECLAIMABLE, 8);
    if (pages != said)
        recount_lie(r, "node %u zone %s: %llu pages on the LRU list, counter says %llu", z->node, zone_name(z->id),
                    (unsigned long long)pages, (unsigned long long)said);
}
