/* models/iommu/iommu_walk.c - translations: lookup, walkers, and what they may cache. */
#include "models/iommu/iommu_internal.h"
#include "src/base/fail.h"

void translations_add(struct translations *q, struct translation *t)
{
    t->next = NULL;
    if (q->last)
        q->last->next = t;
    else
        q->first = t;
    q->last = t;
}

struct translation *translations_take(struct translations *q)
{
    struct translation *t = q->first;
    if (t) {
        q->first = t->next;
        if (!q->first)
            q->last = NULL;
    }
    return t;
}

/* ---- lookup */

static void schedule_lookup(struct iommu *u)
{
    if (u->lookups.first && !event_scheduled(&u->lookup_done))
        engine_at(u->engine, &u->component, &u->lookup_done, u->lookups.first->delta.last + u->desc.lookup_ps, PHASE_ACT);
}

void iommu_translate(void *iommu, struct translation *t)
{
    struct iommu *u = iommu;
    tick now = engine_now(u->engine);
    CHECK(t->delta.last == now, "%s: the delta of a translation stands at %llu ps, not now", u->component.name,
          (unsigned long long)t->delta.last);
    u->counters.translation_count++;
    t->fault = DMA_OK;
    t->iotlb_hit = t->bypassed = false;
    if (!(u->gsts & VTD_GSTS_TES)) {
        iommu_grant(u, t, NULL, (paddr){ t->addr.v }, false);
        return;
    }
    translations_add(&u->lookups, t);
    schedule_lookup(u);
}

/* Answers t if the caches or its context alone decide. `first`: at once, without having waited for a walk. */
static bool answer(struct iommu *u, struct translation *t, const struct context *c, bool first, bool drained)
{
    struct mapping m;
    if (c->pass_through) {
        iommu_grant(u, t, NULL, (paddr){ t->addr.v }, drained);
    } else if (t->addr.v >= vtd_iova_limit(c->levels)) {
        iommu_refuse(u, t, VTD_REASON_BEYOND_WIDTH);
    } else if (iotlb_find(&u->caches, c->domain, t->addr, t->write, &m)) {
        t->iotlb_hit = first;
        iommu_grant(u, t, c, paddr_plus(frame_addr(m.frame), t->addr.v % PAGE_BYTES), drained);
    } else {
        return false;
    }
    return true;
}

/* ---- walkers */

static const struct vtd_shape {
    enum vtd_reason bad_pointer;
    unsigned bytes;
} shapes[] = {
    [WALK_ROOT] = { VTD_REASON_ROOT_TABLE, VTD_ENTRY_BYTES },
    [WALK_CONTEXT] = { VTD_REASON_CONTEXT_TABLE, VTD_ENTRY_BYTES },
    [WALK_TABLE] = { VTD_REASON_TABLE_POINTER, VTD_PTE_BYTES },
};

static void walk_refuse(struct walk *, enum vtd_reason);

static void walk_read(struct walk *w, enum walk_state state, paddr at)
{
    struct iommu *u = w->unit;
    w->state = state;
    if (at.v + shapes[state].bytes > u->memory_bytes) {
        walk_refuse(w, shapes[state].bad_pointer);
        return;
    }
    u->counters.walk_read_count++;
    w->mem.op = MEM_READ_ONCE;
    w->mem.addr = at;
    w->mem.bytes = shapes[state].bytes;
    w->mem.delta = w->translation->delta;
    u->port->submit(u->port, &w->mem);
}

static void walk_read_table(struct walk *w)
{
    walk_read(w, WALK_TABLE, vtd_pte_slot(w->so_far.frame, w->translation->addr, w->level));
}

/* With its context known, where does the walk begin? */
static void walk_tables(struct walk *w)
{
    struct iommu *u = w->unit;
    w->state = WALK_TABLE;
    if (psc_find(&u->caches, w->context.domain, w->translation->addr, w->translation->write, &w->so_far)) {
        u->counters.psc_hit_count++;
        w->level = 1;
    } else {
        w->level = w->context.levels;
        w->so_far = (struct mapping){ w->context.table, true, true };
    }
    walk_read_table(w);
}

static void walk_begin(struct iommu *u, struct walk *w, struct translation *t, const struct context *c)
{
    u->counters.walk_count++;
    w->stale = w->drained = false;
    w->translation = t;
    w->began = engine_now(u->engine);
    if (c) {
        w->context = *c;
        walk_tables(w);
    } else {
        u->counters.context_miss_count++;
        walk_read(w, WALK_ROOT, vtd_root_slot(u->root, t->source_id));
    }
}

static struct walk *free_walker(struct iommu *u)
{
    for (uint32_t i = 0; i < u->desc.walkers; i++)
        if (u->walks[i].state == WALK_FREE)
            return &u->walks[i];
    return NULL;
}

/* A walk under way for the same source and page that may still be joined. */
static struct walk *walk_to_join(struct iommu *u, const struct translation *t)
{
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        struct walk *w = &u->walks[i];
        if (w->state != WALK_FREE && !w->stale && w->translation->source_id == t->source_id
            && w->translation->addr.v >> PAGE_SHIFT == t->addr.v >> PAGE_SHIFT)
            return w;
    }
    return NULL;
}

/* Answers, joins, begins a walk or waits for a walker. `t` is marked up to now. */
static void dispatch(struct iommu *u, struct translation *t, bool first)
{
    struct context c;
    bool known = context_find(&u->caches, t->source_id, &c);
    if (known && answer(u, t, &c, first, false))
        return;
    struct walk *w = walk_to_join(u, t);
    if (w) {
        u->counters.walk_join_count++;
        translations_add(&w->waiters, t);
    } else if ((w = free_walker(u))) {
        walk_begin(u, w, t, known ? &c : NULL);
    } else {
        u->counters.walk_queue_count++;
        translations_add(&u->unserved, t);
    }
}

void iommu_lookup_done(struct event *e)
{
    struct iommu *u = e->owner;
    tick now = engine_now(u->engine);
    while (u->lookups.first && u->lookups.first->delta.last + u->desc.lookup_ps <= now) {
        struct translation *t = translations_take(&u->lookups);
        delta_mark(&t->delta, PART_TRANSLATE, now);
        dispatch(u, t, true);
    }
    schedule_lookup(u);
}

/* ---- the end of a walk */

static void dispatch_again(struct iommu *u, struct translation *t)
{
    delta_mark(&t->delta, PART_TRANSLATE, engine_now(u->engine));
    dispatch(u, t, false);
}

/* The walker is free: those who waited for this walk look up again, then the next in line. */
static void walk_end(struct iommu *u, struct translations waiters, bool drained)
{
    struct translation *t;
    while ((t = translations_take(&waiters)))
        dispatch_again(u, t);
    while (u->unserved.first && free_walker(u))
        dispatch_again(u, translations_take(&u->unserved));
    if (drained)
        iommu_drained_one(u);
}

static struct translations walk_free(struct walk *w)
{
    struct translations waiters = w->waiters;
    w->state = WALK_FREE;
    w->translation = NULL;
    w->waiters = (struct translations){ 0 };
    if (w->stale)
        w->unit->counters.walk_stale_count++;
    return waiters;
}

static void walk_refuse(struct walk *w, enum vtd_reason reason)
{
    struct iommu *u = w->unit;
    struct translation *t = w->translation;
    bool drained = w->drained;
    struct translations waiters = walk_free(w);
    iommu_refuse(u, t, reason);
    walk_end(u, waiters, drained);
}

static bool may_cache(const struct walk *w)
{
    return !w->stale || (w->unit->desc.plants & IOMMU_PLANT_STALE_WALK);
}

static void walk_found(struct walk *w, struct mapping m)
{
    struct iommu *u = w->unit;
    struct translation *t = w->translation;
    struct context c = w->context;
    bool drained = w->drained;
    if (may_cache(w))
        iotlb_insert(&u->caches, c.domain, t->addr, &m);
    struct translations waiters = walk_free(w);
    iommu_grant(u, t, &c, paddr_plus(frame_addr(m.frame), t->addr.v % PAGE_BYTES), drained);
    walk_end(u, waiters, drained);
}

/* ---- entries read */

static void root_read(struct walk *w, struct vtd_entry e)
{
    if (!vtd_entry_present(e))
        walk_refuse(w, VTD_REASON_ROOT_ABSENT);
    else if ((e.lo & VTD_ROOT_LO_RESERVED) || e.hi)
        walk_refuse(w, VTD_REASON_ROOT_RESERVED);
    else
        walk_read(w, WALK_CONTEXT, vtd_context_slot(vtd_entry_table(e), w->translation->source_id));
}

/* False: *reason says why. */
static bool context_decode(const struct iommu *u, struct vtd_entry e, struct context *c, enum vtd_reason *reason)
{
    uint64_t type = e.lo & VTD_CONTEXT_TYPE_MASK;
    *c = (struct context){ .domain = vtd_context_domain(e), .levels = (uint8_t)vtd_context_levels(e),
                           .pass_through = type == VTD_CONTEXT_TYPE_PASS_THROUGH, .table = vtd_entry_table(e) };
    if (!vtd_entry_present(e))
        *reason = VTD_REASON_CONTEXT_ABSENT;
    else if ((e.lo & VTD_CONTEXT_LO_RESERVED) || (e.hi & VTD_CONTEXT_HI_RESERVED))
        *reason = VTD_REASON_CONTEXT_RESERVED;
    else if (c->levels != u->desc.levels || (type != VTD_CONTEXT_TYPE_TABLE && !c->pass_through))
        *reason = VTD_REASON_CONTEXT_INVALID;
    else
        return true;
    return false;
}

static void context_read(struct walk *w, struct vtd_entry e)
{
    struct iommu *u = w->unit;
    enum vtd_reason reason;
    if (!context_decode(u, e, &w->context, &reason)) {
        walk_refuse(w, reason);
        return;
    }
    struct translation *t = w->translation;
    if (may_cache(w))
        context_insert(&u->caches, t->source_id, &w->context);
    if (w->context.pass_through || t->addr.v >= vtd_iova_limit(w->context.levels)
        || iotlb_find(&u->caches, w->context.domain, t->addr, t->write, &(struct mapping){ 0 })) {
        struct context c = w->context;
        bool drained = w->drained;
        struct translations waiters = walk_free(w);
        answer(u, t, &c, false, drained);
        walk_end(u, waiters, drained);
        return;
    }
    walk_tables(w);
}

static void table_read(struct walk *w, uint64_t pte)
{
    bool write = w->translation->write;
    struct mapping m = { vtd_pte_frame(pte), w->so_far.read && (pte & VTD_PTE_READ), w->so_far.write && (pte & VTD_PTE_WRITE) };
    if (!(write ? m.write : m.read)) {
        walk_refuse(w, write ? VTD_REASON_WRITE : VTD_REASON_READ);
    } else if ((pte & VTD_PTE_RESERVED) || (w->level > 1 && (pte & VTD_PTE_LARGE))) {
        walk_refuse(w, VTD_REASON_PTE_RESERVED);
    } else if (w->level == 1) {
        walk_found(w, m);
    } else {
        w->so_far = m;
        if (--w->level == 1 && may_cache(w))
            psc_insert(&w->unit->caches, w->context.domain, w->translation->addr, &m);
        walk_read_table(w);
    }
}

void iommu_walk_read_done(struct mem_request *r)
{
    struct walk *w = r->owner;
    struct translation *t = w->translation;
    unsigned word = (unsigned)(r->addr.v % LINE_BYTES) / 8;
    t->delta = r->delta;
    delta_mark(&t->delta, PART_TRANSLATE, engine_now(w->unit->engine));
    switch (w->state) {
    case WALK_ROOT:
        root_read(w, (struct vtd_entry){ r->data[word], r->data[word + 1] });
        break;
    case WALK_CONTEXT:
        context_read(w, (struct vtd_entry){ r->data[word], r->data[word + 1] });
        break;
    case WALK_TABLE:
        table_read(w, r->data[word]);
        break;
    case WALK_FREE:
        panic("%s: a read came back to a walker that is free", w->unit->component.name);
    }
}
