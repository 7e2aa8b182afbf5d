/* tests/unit/test_kern_zero.c - when pages are cleared: on demand, when freed, ahead of time; and what still counts as
 * zero afterwards. */
#include "tests/unit/test_kern_rig.h"

#include "src/kern/exclusive.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/uspace.h"
#include "src/kern/zero_policy.h"

static const vaddr somewhere = { 0x7f1234567000 };
static const paddr registers = { 0xfed90000 };
enum { DOMAIN = 1, ONES = 0x11111111 };

struct zero_rig {
    struct rig r;
    struct native_queue queue;
};

static void zero_boot(struct zero_rig *z, enum zero_policy policy)
{
    struct kernel_desc d = rig_desc();
    d.harts = 2;
    d.memory_bytes = UINT64_C(64) << 20;
    d.zone_dma = true;
    d.zero_policy = policy;
    d.zero_pool_pages = 8;
    d.iommu.on = true;
    d.iommu.registers = registers;
    rig_boot(&z->r, &d);
    memset(&z->queue, 0, sizeof z->queue);
    z->queue.registers = registers;
    native_queue_install(z->r.machine, &z->queue);
    iommu_start(z->r.h, &z->r.k);
}

static void fill(struct rig *r, frame f)
{
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        backdoor_write(r->b, paddr_plus(frame_addr(f), i), 8, ONES);
}

static unsigned words_set(struct rig *r, frame f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        n += backdoor_read(r->b, paddr_plus(frame_addr(f), i), 8) != 0;
    return n;
}

static uint64_t clears(const struct rig *r) { return r->h->class_count[CLASS_PAGE_ZERO]; }

/* ---- on free */

Test(zero_on_free, cleared_once_at_the_free)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_ON_FREE);
    struct rig *r = &z.r;
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 1);
    fill(r, f);
    fill(r, (frame){ f.v + 1 });
    free_pages(r->h, &r->k, f, 1);
    cr_assert_eq(words_set(r, f) + words_set(r, (frame){ f.v + 1 }), 0);
    cr_assert((r->h->phases_seen[CLASS_FREE] & 1u << PH_ZERO) != 0);
    cr_assert_eq(native_counter(r->h, "zero_on_free.pages"), 2);
    uint64_t before = clears(r);
    cr_assert_eq(alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 1).v, f.v);
    cr_assert_eq(clears(r), before);
    cr_assert_eq(native_counter(r->h, "zero_on_free.known"), 1);
    rig_free(r);
}

/* Not even a page of a block that nobody ever freed is taken for zero. */
Test(zero_on_free, unknown_pages_are_cleared_on_demand)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_ON_FREE);
    struct rig *r = &z.r;
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 0);
    cr_assert_eq(clears(r), 1);
    free_pages(r->h, &r->k, f, 0);
    cr_assert_eq(clears(r), 2);
    rig_free(r);
}

/* Whoever has the page mapped may write to it after it was cleared. */
Test(zero_on_free, a_mapped_page_is_not_taken_for_zero)
{
    for (unsigned how = 0; how < 2; how++) {
        struct zero_rig z;
        iova at;
        zero_boot(&z, ZERO_POLICY_ON_FREE);
        struct rig *r = &z.r;
        frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 0);
        if (how == 0)
            cr_assert(uspace_map(r->h, &r->k, 1, somewhere, f, true));
        else
            cr_assert(dma_map(r->h, &r->k, DOMAIN, f, true, true, &at));
        free_pages(r->h, &r->k, f, 0);
        cr_assert_eq(native_counter(r->h, "zero_on_free.still_mapped"), 1);
        fill(r, f); /* by user or device */
        cr_assert_eq(alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 0).v, f.v);
        cr_assert_eq(words_set(r, f), 0);
        cr_assert_eq(native_counter(r->h, "zero_on_free.known"), 0);
        rig_free(r);
    }
}

/* One page of a block is enough. */
Test(zero_on_free, all_pages_of_a_block_must_be_known)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_ON_FREE);
    struct rig *r = &z.r;
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 2), last = { f.v + 3 };
    cr_assert(uspace_map(r->h, &r->k, 1, somewhere, last, true));
    free_pages(r->h, &r->k, f, 2);
    fill(r, last);
    cr_assert_eq(alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 2).v, f.v);
    cr_assert_eq(words_set(r, last), 0);
    rig_free(r);
}

Test(zero_on_free, a_grant_keeps_its_fence)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_ON_FREE);
    struct rig *r = &z.r;
    struct grant g = grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_SECURE);
    fill(r, g.f);
    grant_release(r->h, &r->k, g);
    uint64_t before = clears(r), fences = r->h->fences, load_fences = r->h->load_fences;
    struct grant again = grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_SECURE);
    cr_assert_eq(again.f.v, g.f.v);
    cr_assert_eq(clears(r), before);
    cr_assert_eq(words_set(r, g.f), 0);
    cr_assert(r->h->fences == fences + 1 && r->h->load_fences == load_fences + 1);
    rig_free(r);
}

/* ---- pool */

Test(zero_pool, fills_to_its_level_and_serves_until_empty)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    struct held_block held[9];
    unsigned n = 0;
    for (; zero_pool_fill(r->h, &r->k); n++)
        cr_assert_lt(n, 8);
    cr_assert_eq(n, 8);
    rig_recount(r, NULL, 0);
    uint64_t before = clears(r);
    for (unsigned i = 0; i < 9; i++) {
        held[i] = (struct held_block){ alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 0), 0 };
        cr_assert_eq(words_set(r, held[i].f), 0);
        cr_assert_eq(clears(r), before + (i == 8));
        cr_assert_eq(r->h->last_source[CLASS_ALLOC_ATOMIC] == SOURCE_ZEROED, i < 8);
        rig_recount(r, held, i + 1);
    }
    cr_assert_eq(native_counter(r->h, "zero_pool.hit"), 8);
    cr_assert_eq(native_counter(r->h, "zero_pool.miss"), 1);
    cr_assert_eq(native_counter(r->h, "zero_pool.filled"), 8);
    rig_free(r);
}

/* Requests that do not want zero, and blocks, leave the pool alone. */
Test(zero_pool, is_for_those_who_want_zero)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    cr_assert(zero_pool_fill(r->h, &r->k));
    alloc_pages(r->h, &r->k, GFP_ATOMIC, 0);
    alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_ZERO, 1);
    cr_assert_eq(native_counter(r->h, "zero_pool.hit") + native_counter(r->h, "zero_pool.miss"), 0);
    rig_free(r);
}

/* Its pages come from any zone up to NORMAL: of no use to a request for a lower one. */
Test(zero_pool, is_not_for_requests_of_a_low_zone)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    cr_assert(zero_pool_fill(r->h, &r->k));
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_DMA | GFPM_ZERO, 0);
    cr_assert_eq(kernel_zone_of(&r->k, f)->id, ZONE_DMA);
    cr_assert_eq(native_counter(r->h, "zero_pool.hit"), 0);
    rig_free(r);
}

/* Stale mappings are undone before the page is cleared: nobody can reach it in the pool. */
Test(zero_pool, mappings_are_revoked_first)
{
    struct zero_rig z;
    iova at;
    uint64_t value;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    uspace_use(r->h, &r->k, 1);
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 0);
    cr_assert(uspace_map(r->h, &r->k, 1, somewhere, f, true));
    cr_assert(dma_map(r->h, &r->k, DOMAIN, f, true, true, &at));
    fill(r, f);
    free_pages(r->h, &r->k, f, 0);
    uint64_t invalidations = z.queue.invalidations;
    while (zero_pool_fill(r->h, &r->k))
        ;
    cr_assert(!k_user_load(r->h, somewhere, 8, &value));
    cr_assert_gt(z.queue.invalidations, invalidations);
    cr_assert_eq(words_set(r, f), 0);
    rig_free(r);
}

/* When nothing else is left, a page of the pool is better than none. */
Test(zero_pool, is_the_last_resort)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    for (unsigned i = 0; i < 5; i++)
        cr_assert(zero_pool_fill(r->h, &r->k));
    uint64_t n = 0;
    while (alloc_pages(r->h, &r->k, GFP_ATOMIC | GFPM_MEMALLOC, 0).v != 0)
        n++;
    cr_assert_eq(n, r->k.managed_pages);
    rig_free(r);
}

Test(zero_pool, is_filled_in_tasks_only)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    k_preempt_disable(z.r.h);
    RIG_ILLEGAL(&z.r, zero_pool_fill(z.r.h, &z.r.k), "zero_pool_fill");
    rig_free(&z.r);
}

Test(zero_pool, a_grant_from_the_pool_needs_no_clearing)
{
    struct zero_rig z;
    zero_boot(&z, ZERO_POLICY_POOL);
    struct rig *r = &z.r;
    while (zero_pool_fill(r->h, &r->k))
        ;
    uint64_t before = clears(r), fences = r->h->fences, load_fences = r->h->load_fences;
    struct grant g = grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_SECURE);
    cr_assert_eq(clears(r), before);
    cr_assert_eq(words_set(r, g.f), 0);
    cr_assert(r->h->fences == fences + 1 && r->h->load_fences == load_fences + 1);
    cr_assert_eq(grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_COHERENCE).f.v != 0, true);
    cr_assert_eq(native_counter(r->h, "zero_pool.hit"), 1);
    rig_free(r);
}
