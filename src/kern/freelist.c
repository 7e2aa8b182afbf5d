/* src/kern/freelist.c - the oldest allocator there is: one list of free runs in address order under one lock.
 *
 * First fit; a freed block is joined with its neighbours on the list (D. Knuth, The Art of Computer Programming,
 * volume 1, section 2.5, algorithms A and B). The list runs through simulated memory: the struct page at the head of
 * a run holds the run's length and the frame of the next run. A free walks the list up to its place: the cost grows
 * with fragmentation, and everybody waits for it. Everything here is guarded by the zone lock.
 */
#include "src/kern/check.h"
#include "src/kern/one_lock.h"
#include "src/kern/page.h"

/* The word at zone->own: the frame of the first run, 0 if there is none. */
static paddr head_at(const struct zone *z) { return z->own; }

static uint64_t own_bytes(const struct kernel_desc *d, uint64_t pages)
{
    (void)d, (void)pages;
    return PAGE_BYTES;
}

/* The words of a run's first struct page. */
static paddr run_next(const struct kernel *k, uint64_t f) { return page_word(k, (frame){ f }, PAGE_LRU + LIST_NEXT); }
static paddr run_length(const struct kernel *k, uint64_t f) { return page_word(k, (frame){ f }, PAGE_PRIVATE); }

static void boot(struct kernel *k, struct zone *z, struct backdoor *b)
{
    backdoor_write(b, head_at(z), 8, z->first.v);
    backdoor_write(b, run_next(k, z->first.v), 8, 0);
    backdoor_write(b, run_length(k, z->first.v), 8, z->cache_first.v - z->first.v);
}

/* Algorithm A: the first run that has room for an aligned block; what is left before and after stays on the list. */
static uint64_t take_locked(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t pages)
{
    paddr link = head_at(z);
    uint64_t run = k_load(h, link, 8);
    for (; run != 0; link = run_next(k, run), run = k_load(h, link, 8)) {
        uint64_t start = (run + pages - 1) & ~(pages - 1), end = run + k_load(h, run_length(k, run), 8);
        k_compute(h, k->desc.costs.freelist_run);
        if (start + pages > end)
            continue;
        uint64_t next = k_load(h, run_next(k, run), 8), after = start + pages;
        k_compute(h, k->desc.costs.freelist_edit);
        if (after < end) {
            k_store(h, run_length(k, after), 8, end - after);
            k_store(h, run_next(k, after), 8, next);
            next = after;
        }
        if (run < start) {
            k_store(h, run_length(k, run), 8, start - run);
            link = run_next(k, run);
        }
        k_store(h, link, 8, next);
        return start;
    }
    return 0;
}

/* Algorithm B: the place in address order, then joined with the run after and the run before. */
static void put_locked(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t f, uint64_t pages)
{
    paddr link = head_at(z);
    uint64_t before = 0, end_before = 0, after = k_load(h, link, 8), length = pages;
    while (after != 0 && after < f) {
        k_compute(h, k->desc.costs.freelist_run);
        before = after;
        link = run_next(k, before);
        after = k_load(h, link, 8);
    }
    if (before != 0)
        end_before = before + k_load(h, run_length(k, before), 8);
    if (end_before > f || (after != 0 && f + pages > after))
        k_illegal(h, "free_pages: frame 0x%llx is free already", (unsigned long long)f);
    k_compute(h, k->desc.costs.freelist_edit);
    if (after == f + pages) {
        length += k_load(h, run_length(k, after), 8);
        after = k_load(h, run_next(k, after), 8);
    }
    if (end_before == f && before != 0) {
        k_store(h, run_length(k, before), 8, length + (f - before));
        k_store(h, run_next(k, before), 8, after);
        return;
    }
    k_store(h, run_length(k, f), 8, length);
    k_store(h, run_next(k, f), 8, after);
    k_store(h, link, 8, f);
}

static frame take(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *q,
                  enum source_id *source)
{
    uint64_t pages = UINT64_C(1) << q->order;
    bool were_on = one_lock(h, k, z);
    uint64_t f = take_locked(h, k, z, pages);
    if (f != 0) {
        *source = SOURCE_ONE_LOCK;
        one_count(h, z, -(int64_t)pages);
    }
    one_unlock(h, k, z, were_on);
    return (frame){ f };
}

static enum source_id put(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    uint64_t pages = UINT64_C(1) << order;
    bool were_on = one_lock(h, k, z);
    put_locked(h, k, z, f.v, pages);
    one_count(h, z, (int64_t)pages);
    one_unlock(h, k, z, were_on);
    return SOURCE_ONE_LOCK;
}

static void recount(struct recount *r, const struct zone *z)
{
    const struct kernel *k = r->k;
    uint64_t pages = 0, end = 0, run = recount_word(r, head_at(z), 0, 8);
    for (; run != 0; run = recount_word(r, run_next(k, run), 0, 8)) {
        uint64_t length = recount_word(r, run_length(k, run), 0, 8);
        if (run < z->first.v || length == 0 || run + length > z->end.v || run <= end) {
            recount_lie(r, "freelist: the run of %llu frames at 0x%llx is outside, out of order or not joined",
                        (unsigned long long)length, (unsigned long long)run);
            return;
        }
        for (end = run; end < run + length; end++)
            recount_see(r, z, (frame){ end }, 0, "freelist");
        pages += length;
    }
    uint64_t said = recount_word(r, zone_word(z, ZONE_AT_FREE), 0, 8);
    if (pages != said)
        recount_lie(r, "freelist: %llu free pages on the list, counter says %llu", (unsigned long long)pages,
                    (unsigned long long)said);
}

const struct frame_allocator frames_freelist = {
    .name = "freelist",
    .help = "one list of free runs in address order under one lock, first fit",
    .own_bytes = own_bytes,
    .boot = boot,
    .take = take,
    .put = put,
    .free_pages = one_free_pages,
    .has_block = one_has_block,
    .recount = recount,
};
