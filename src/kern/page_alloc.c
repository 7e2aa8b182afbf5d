/* src/kern/page_alloc.c - alloc_pages and free_pages. */
#include "src/kern/page_alloc.h"

#include "src/kern/alloc_context.h"
#include "src/kern/context.h"
#include "src/kern/slowpath.h"
#include "src/kern/zero.h"
#include "src/kern/zero_policy.h"

#include <stdio.h>

enum migratetype gfp_migratetype(gfp_t gfp)
{
    return (gfp & GFPM_MOVABLE) != 0       ? MIGRATE_MOVABLE
           : (gfp & GFPM_RECLAIMABLE) != 0 ? MIGRATE_RECLAIMABLE
                                           : MIGRATE_UNMOVABLE;
}

uint64_t zone_free_pages(struct hart *h, const struct kernel *k, const struct zone *z) { return k->frames->free_pages(h, k, z); }

/* ---- failure */

static void fail(struct hart *h, const struct kernel *k, struct alloc_context *c)
{
    k_phase(h, PH_SLOW);
    c->source = SOURCE_FAIL;
    if ((c->why.gfp & GFPM_NOWARN) == 0)
        k_compute(h, k->desc.costs.alloc_fail);
    k_count(h, "alloc.failed", 1);
    if (k->desc.alloc_failed != NULL)
        k->desc.alloc_failed(k->desc.alloc_failed_arg, h, &c->why);
}

static size_t explain_zone(const struct alloc_try *t, char *text, size_t size)
{
    char check[256];
    const struct watermark_check *w = &t->check;
    const struct zone *z = t->z;
    if (w->ok) /* between the check and the lock others took the last block */
        snprintf(check, sizeof check, "order %u: watermark passed with %llu pages free, the lists were empty under the lock",
                 w->order, (unsigned long long)w->free_pages);
    else
        watermark_explain(w, check, sizeof check);
    int n = snprintf(text, size, "\n  node %u zone %s: managed %llu min %llu low %llu high %llu boost %llu reserved_highatomic %llu; %s",
                     z->node, zone_name(z->id), (unsigned long long)z->managed_pages, (unsigned long long)z->marks.min,
                     (unsigned long long)z->marks.low, (unsigned long long)z->marks.high, (unsigned long long)w->boost,
                     (unsigned long long)w->highatomic, check);
    return n > 0 ? (size_t)n : 0;
}

const char *alloc_failure_explain(const struct alloc_failure *why, char *text, size_t size)
{
    char flags[200];
    enum kernel_version v = why->k->desc.version;
    int n = snprintf(text, size, "page allocation failure: order %u, mode 0x%x(%s), %s", why->order, gfp_value(v, why->gfp),
                     gfp_text(v, why->gfp, flags, sizeof flags), migratetype_name(why->mt));
    size_t at = n > 0 ? (size_t)n : 0;
    if (why->tried_count == 0 && at < size)
        snprintf(text + at, size - at, "; no zone that the flags allow");
    for (unsigned i = 0; i < why->tried_count && at < size; i++)
        at += explain_zone(&why->tried[i], text + at, size - at);
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

/* post_alloc_hook. Type and reference count are one word: who scans the pageblock must know what may move. */
static void prepare(struct hart *h, const struct kernel *k, const struct alloc_failure *r, frame f)
{
    uint64_t type = r->mt == MIGRATE_MOVABLE ? PAGE_TYPE_MOVABLE : PAGE_TYPE_NONE;
    k_phase(h, PH_EXIT);
    stat_add(h, k, STAT_ALLOC, UINT64_C(1) << r->order);
    k_compute(h, k->desc.costs.prep_page);
    k_store_once(h, page_word(k, f, PAGE_TYPE), 8, type | UINT64_C(1) << 32);
    k_note(h, NOTE_PAGE_ALLOCATED, f.v, r->order);
}

/* ---- zero */

static bool must_clear(const struct kernel *k, gfp_t gfp) { return k->desc.init_on_alloc || (gfp & GFPM_ZERO) != 0; }

/* Pages of the pool come from NORMAL or below. */
static frame take_pooled(struct hart *h, const struct kernel *k, struct alloc_context *c, const char *hit, const char *miss)
{
    if (k->desc.zero_policy != ZERO_POLICY_POOL || c->why.order != 0 || c->highest < ZONE_NORMAL)
        return (frame){ 0 };
    k_phase(h, PH_ZERO);
    frame f = zero_pool_take(h, k, c->node);
    if (f.v != 0)
        c->source = SOURCE_ZEROED;
    if (f.v != 0 || miss != NULL)
        k_count(h, f.v != 0 ? hit : miss, 1);
    return f;
}

/* Is the block just taken all zero? If not, and if it is the allocator's business, it is cleared. */
static bool settle_zero(struct hart *h, const struct kernel *k, const struct alloc_context *c, frame f)
{
    if (c->source == SOURCE_ZEROED)
        return true;
    k_phase(h, PH_ZERO);
    if (k->desc.zero_policy == ZERO_POLICY_ON_FREE && zero_known(h, k, f, c->why.order))
        return true;
    if (!must_clear(k, c->why.gfp))
        return false;
    zero_pages(h, k, f, c->why.order);
    return true;
}

/* ---- zones and flags */

/* prepare_alloc_pages: the zones that the request may use. Without CONFIG_ZONE_DMA its flag means NORMAL. */
static void set_zones(const struct kernel *k, struct alloc_context *c, unsigned node)
{
    enum zone_id id = gfp_zone(c->why.gfp);
    if ((id == ZONE_DMA && !k->desc.zone_dma) || (id == ZONE_DMA32 && !k->desc.zone_dma32))
        id = ZONE_NORMAL;
    c->highest = id;
    c->node = &k->nodes[node];
    c->end = (c->why.gfp & GFPM_THISNODE) != 0 ? c->node->local_count : c->node->zone_count;
    c->first = 0;
    while (c->first < c->end && k->zones[c->node->zonelist[c->first]].id > id)
        c->first++;
}

/* alloc_flags_nofragment: better memory below 4 GiB than pageblocks of mixed mobility above. */
static unsigned fast_flags(const struct kernel *k, const struct alloc_context *c)
{
    unsigned flags = ALLOC_WMARK_LOW | ((c->why.gfp & GFPM_KSWAPD_RECLAIM) != 0 ? ALLOC_KSWAPD : 0u);
    if (c->first == c->end || k->zones[c->node->zonelist[c->first]].id != ZONE_NORMAL)
        return flags;
    const struct zone *z = &k->zones[c->node->zonelist[c->first]];
    bool below = z->index > 0 && z[-1].node == z->node && z[-1].id == ZONE_DMA32;
    return k->desc.nodes > 1 && !below ? flags : flags | ALLOC_NOFRAGMENT;
}

static void forbid(struct hart *h, const struct kernel *k, unsigned node, gfp_t gfp, unsigned order)
{
    const char *wrong = gfp_contradiction(gfp);
    context_forbid_nmi(h, "alloc_pages");
    if (order > MAX_ORDER)
        k_illegal(h, "alloc_pages: order %u, the largest is %d", order, MAX_ORDER);
    if (node >= k->desc.nodes)
        k_illegal(h, "alloc_pages: node %u of %u", node, k->desc.nodes);
    if (wrong != NULL)
        k_illegal(h, "alloc_pages: %s", wrong);
    if ((gfp & GFPM_NOFAIL) != 0 && order > 1)
        k_illegal(h, "alloc_pages: __GFP_NOFAIL with order %u: only orders 0 and 1 can be promised", order);
}

/* From the pool if zero is wanted, and from there as well if there is nothing else. */
static frame find(struct hart *h, const struct kernel *k, struct alloc_context *c, bool zero)
{
    frame f = zero ? take_pooled(h, k, c, "zero_pool.hit", "zero_pool.miss") : (frame){ 0 };
    if (f.v == 0)
        f = zonelist_take(h, k, c, fast_flags(k, c));
    if (f.v == 0)
        f = alloc_slow(h, k, c);
    if (f.v == 0)
        f = take_pooled(h, k, c, "zero_pool.last_resort", NULL);
    return f;
}

/* zero: pages that are zero already are preferred; *zeroed: they are now. */
static frame allocate(struct hart *h, const struct kernel *k, unsigned node, gfp_t gfp, unsigned order, bool zero, bool *zeroed)
{
    struct alloc_context c;
    forbid(h, k, node, gfp, order);
    c.source = SOURCE_FAIL;
    c.why.k = k;
    c.why.gfp = gfp;
    c.why.order = order;
    c.why.mt = gfp_migratetype(gfp);
    c.why.rounds = c.why.tried_count = 0; /* tried[] is large: left as it is */
    set_zones(k, &c, node);
    k_begin(h, gfp_class(gfp));
    k_compute(h, k->desc.costs.alloc_entry);
    if ((gfp & GFPM_DIRECT_RECLAIM) != 0)
        k_might_sleep(h, "alloc_pages with a flag set that allows direct reclaim");
    frame f = find(h, k, &c, zero);
    if (f.v == 0)
        fail(h, k, &c);
    else
        prepare(h, k, &c.why, f);
    *zeroed = f.v != 0 && zero && settle_zero(h, k, &c, f);
    k_phase(h, PH_EXIT);
    k_compute(h, k->desc.costs.alloc_exit);
    k_source(h, c.source);
    k_end(h);
    return f;
}

frame alloc_pages_node(struct hart *h, const struct kernel *k, unsigned node, gfp_t gfp, unsigned order)
{
    bool zeroed;
    return allocate(h, k, node, gfp, order, must_clear(k, gfp), &zeroed);
}

frame alloc_pages(struct hart *h, const struct kernel *k, gfp_t gfp, unsigned order)
{
    return alloc_pages_node(h, k, kernel_hart_node(k, hart_id(h)), gfp, order);
}

frame alloc_page_to_clear(struct hart *h, const struct kernel *k, gfp_t gfp, bool *zeroed)
{
    return allocate(h, k, kernel_hart_node(k, hart_id(h)), gfp, 0, true, zeroed);
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

enum source_id free_unreferenced(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    if (k->desc.zero_policy == ZERO_POLICY_ON_FREE) {
        k_phase(h, PH_ZERO);
        zero_on_free(h, k, f, order);
    }
    k_note(h, NOTE_PAGE_FREED, f.v, order);
    stat_add(h, k, STAT_FREE, UINT64_C(1) << order);
    return k->frames->put(h, k, kernel_zone_of(k, f), f, order);
}

void free_pages(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    context_forbid_nmi(h, "free_pages");
    k_begin(h, CLASS_FREE);
    k_compute(h, k->desc.costs.free_entry);
    drop_reference(h, k, f, order);
    k_source(h, free_unreferenced(h, k, f, order));
    k_phase(h, PH_EXIT);
    k_compute(h, k->desc.costs.free_exit);
    k_end(h);
}
