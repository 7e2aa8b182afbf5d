/* src/kern/page_alloc.c - alloc_pages and free_pages. */
#include "src/kern/page_alloc.h"

#include "src/kern/buddy.h"
#include "src/kern/context.h"
#include "src/kern/pcp.h"
#include "src/kern/zero.h"

#include <stdio.h>

struct request {
    gfp_t gfp;
    unsigned order;
    enum source_id source;
    struct watermark_check check;
};

/* ---- watermarks */

uint64_t zone_free_pages(struct hart *h, const struct kernel *k)
{
    return k_load_once(h, paddr_plus(k->at.zone, ZONE_FREE), 8);
}

static bool has_block(struct hart *h, const struct kernel *k, unsigned order)
{
    for (unsigned o = order; o <= MAX_ORDER; o++) {
        k_compute(h, k->desc.costs.watermark_order);
        if (k_load_once(h, paddr_plus(kernel_area(k, o), AREA_COUNT), 8) != 0)
            return true;
    }
    return false;
}

static bool watermark_ok(struct hart *h, const struct kernel *k, struct request *r, unsigned alloc_flags)
{
    static const unsigned offsets[] = { ZONE_MIN, ZONE_LOW, ZONE_HIGH, ZONE_HIGH };
    struct watermark_check *c = &r->check;
    k_compute(h, k->desc.costs.watermark_check);
    *c = (struct watermark_check){ .order = r->order, .alloc_flags = alloc_flags };
    c->mark = k_load(h, paddr_plus(k->at.zone, offsets[alloc_flags & ALLOC_WMARK_MASK]), 8);
    c->lowmem_reserve = k_load(h, paddr_plus(k->at.zone, ZONE_RESERVE), 8);
    c->free_pages = zone_free_pages(h, k);
    watermark_decide(c);
    if (c->enough && r->order != 0) {
        c->has_block = has_block(h, k, r->order);
        watermark_decide(c);
    }
    return c->ok;
}

/* ---- taking a block */

static frame take(struct hart *h, const struct kernel *k, struct request *r)
{
    frame f = { 0 };
    if (r->order < PCP_ORDERS) {
        enum pcp_answer answer = pcp_alloc(h, k, r->order, &f);
        if (answer == PCP_HIT || answer == PCP_REFILL) {
            r->source = answer == PCP_HIT ? SOURCE_PCP : SOURCE_REFILL;
            return f;
        }
    }
    r->source = SOURCE_BUDDY;
    return buddy_alloc(h, k, r->order);
}

static frame get_page(struct hart *h, const struct kernel *k, struct request *r, unsigned alloc_flags)
{
    if (!watermark_ok(h, k, r, alloc_flags))
        return (frame){ 0 };
    return take(h, k, r);
}

/* ---- slow path */

static void wake_kswapd(struct hart *h, const struct kernel *k)
{
    paddr flag = paddr_plus(k->at.zone, ZONE_KSWAPD);
    if (k_load_once(h, flag, 8) != 0)
        return;
    k_store_once(h, flag, 8, 1);
    k_count(h, "kswapd.woken", 1);
}

static frame get_page_slow(struct hart *h, const struct kernel *k, struct request *r)
{
    unsigned flags = watermark_alloc_flags(r->gfp);
    bool may_sleep = (r->gfp & GFPM_DIRECT_RECLAIM) != 0;
    frame f = { 0 };
    k_phase(h, PH_SLOW);
    k_compute(h, k->desc.costs.slow_entry);
    for (unsigned round = 0; f.v == 0 && round < (may_sleep ? 2u : 1u); round++) {
        if (round != 0) {
            k_phase(h, PH_SLOW);
            k_might_sleep(h, "alloc_pages: direct reclaim");
            k_compute(h, k->desc.costs.slow_retry);
        }
        if ((r->gfp & GFPM_KSWAPD_RECLAIM) != 0)
            wake_kswapd(h, k);
        f = get_page(h, k, r, flags);
    }
    /* Granted although the unreduced mark forbids it: the reserve paid. */
    if (f.v != 0 && r->check.free_pages <= r->check.unusable + r->check.mark + r->check.lowmem_reserve)
        r->source = SOURCE_RESERVE;
    return f;
}

static void fail(struct hart *h, const struct kernel *k, struct request *r)
{
    k_phase(h, PH_SLOW);
    r->source = SOURCE_FAIL;
    if ((r->gfp & GFPM_NOWARN) == 0)
        k_compute(h, k->desc.costs.alloc_fail);
    k_count(h, "alloc.failed", 1);
    if (k->desc.alloc_failed == NULL)
        return;
    struct alloc_failure why = { .gfp = r->gfp, .order = r->order, .check = r->check, .marks = &k->marks,
                                 .managed_pages = k->managed_pages };
    k->desc.alloc_failed(k->desc.alloc_failed_arg, h, &why);
}

const char *alloc_failure_explain(const struct alloc_failure *why, char *text, size_t size)
{
    char check[256];
    const struct watermark_check *c = &why->check;
    if (c->ok) /* between the check and the lock others took the last block */
        snprintf(check, sizeof check, "order %u: watermark passed with %llu pages free, the lists were empty under the lock",
                 c->order, (unsigned long long)c->free_pages);
    else
        watermark_explain(c, check, sizeof check);
    snprintf(text, size, "page allocation failure: order %u, gfp 0x%x; zone: managed %llu min %llu low %llu high %llu; %s",
             why->order, why->gfp, (unsigned long long)why->managed_pages, (unsigned long long)why->marks->min,
             (unsigned long long)why->marks->low, (unsigned long long)why->marks->high, check);
    return text;
}

/* ---- calls */

enum { STAT_ALLOC = 0, STAT_FREE = 8 };

/* this_cpu_add: not locked. An interrupt between load and store may lose a count; nothing depends on it. */
static void stat_add(struct hart *h, const struct kernel *k, unsigned which, uint64_t add)
{
    paddr word = kernel_hart_area(k, hart_id(h), HART_STATS + which);
    k_store(h, word, 8, k_load(h, word, 8) + add);
}

static void prepare(struct hart *h, const struct kernel *k, const struct request *r, frame f)
{
    bool clear = k->desc.init_on_alloc || (r->gfp & GFPM_ZERO) != 0;
    k_phase(h, PH_EXIT);
    stat_add(h, k, STAT_ALLOC, UINT64_C(1) << r->order);
    k_compute(h, k->desc.costs.prep_page);
    k_store_once(h, page_word(k, f, PAGE_REFCOUNT), 4, 1);
    k_note(h, NOTE_PAGE_ALLOCATED, f.v, r->order);
    if (clear) {
        k_phase(h, PH_ZERO);
        zero_pages(h, k, f, r->order);
    }
}

frame alloc_pages(struct hart *h, const struct kernel *k, gfp_t gfp, unsigned order)
{
    struct request r = { .gfp = gfp, .order = order, .source = SOURCE_FAIL };
    context_forbid_nmi(h, "alloc_pages");
    if (order > MAX_ORDER)
        k_illegal(h, "alloc_pages: order %u, the largest is %d", order, MAX_ORDER);
    k_begin(h, gfp_class(gfp));
    k_compute(h, k->desc.costs.alloc_entry);
    if ((gfp & GFPM_DIRECT_RECLAIM) != 0)
        k_might_sleep(h, "alloc_pages with a flag set that allows direct reclaim");
    frame f = get_page(h, k, &r, ALLOC_WMARK_LOW);
    if (f.v == 0)
        f = get_page_slow(h, k, &r);
    if (f.v == 0)
        fail(h, k, &r);
    else
        prepare(h, k, &r, f);
    k_phase(h, PH_EXIT);
    k_compute(h, k->desc.costs.alloc_exit);
    k_source(h, r.source);
    k_end(h);
    return f;
}

static void drop_reference(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    if (!page_managed(k, f) || order > MAX_ORDER || (f.v & ((UINT64_C(1) << order) - 1)) != 0)
        k_illegal(h, "free_pages: frame 0x%llx order %u is no block of the zone", (unsigned long long)f.v, order);
    uint64_t references = k_fetch_add(h, page_word(k, f, PAGE_REFCOUNT), 4, UINT32_MAX); /* put_page_testzero */
    if (references != 1)
        k_illegal(h, "free_pages: frame 0x%llx has %llu references, not 1 (freed twice?)", (unsigned long long)f.v,
                  (unsigned long long)references);
}

void free_pages(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    context_forbid_nmi(h, "free_pages");
    k_begin(h, CLASS_FREE);
    k_compute(h, k->desc.costs.free_entry);
    drop_reference(h, k, f, order);
    k_note(h, NOTE_PAGE_FREED, f.v, order);
    stat_add(h, k, STAT_FREE, UINT64_C(1) << order);
    if (order < PCP_ORDERS && pcp_free(h, k, f, order)) {
        k_source(h, SOURCE_PCP);
    } else {
        buddy_free(h, k, f, order);
        k_source(h, SOURCE_BUDDY);
    }
    k_phase(h, PH_EXIT);
    k_compute(h, k->desc.costs.free_exit);
    k_end(h);
}
