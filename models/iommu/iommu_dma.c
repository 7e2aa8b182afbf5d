/* models/iommu/iommu_dma.c - answers to devices, DMA in flight, and what a drain waits for. */
#include "models/iommu/iommu_internal.h"
#include "src/base/fail.h"

#include <string.h>

enum { OP_REFUSE = 1, OP_INVALIDATE = 2 }; /* component_op */

static const enum dma_fault fault_of[VTD_REASON_COUNT] = {
    [VTD_REASON_ROOT_ABSENT] = DMA_FAULT_ROOT,       [VTD_REASON_CONTEXT_ABSENT] = DMA_FAULT_CONTEXT,
    [VTD_REASON_CONTEXT_INVALID] = DMA_FAULT_CONTEXT, [VTD_REASON_BEYOND_WIDTH] = DMA_FAULT_ADDRESS,
    [VTD_REASON_WRITE] = DMA_FAULT_WRITE,            [VTD_REASON_READ] = DMA_FAULT_READ,
    [VTD_REASON_TABLE_POINTER] = DMA_FAULT_ADDRESS,  [VTD_REASON_ROOT_TABLE] = DMA_FAULT_ADDRESS,
    [VTD_REASON_CONTEXT_TABLE] = DMA_FAULT_ADDRESS,  [VTD_REASON_ROOT_RESERVED] = DMA_FAULT_RESERVED,
    [VTD_REASON_CONTEXT_RESERVED] = DMA_FAULT_RESERVED, [VTD_REASON_PTE_RESERVED] = DMA_FAULT_RESERVED,
};

/* No memory answers at the translated address: the access dies behind the IOMMU, which records nothing. */
static void abort_outside(struct iommu *u, struct translation *t)
{
    u->counters.abort_count++;
    t->fault = DMA_FAULT_ADDRESS;
    t->done(t);
}

/* `c`: NULL if bypassed. */
void iommu_grant(struct iommu *u, struct translation *t, const struct context *c, paddr at, bool drained)
{
    t->bypassed = !c;
    u->counters.bypass_count += !c;
    u->counters.iotlb_hit_count += c && t->iotlb_hit;
    u->counters.iotlb_miss_count += c && !t->iotlb_hit;
    t->result = at;
    if (at.v >= u->memory_bytes) {
        abort_outside(u, t);
        return;
    }
    struct use before = u->granted;
    bool nested = u->granting;
    u->granted = (struct use){ .is = { .source_id = t->source_id, .mapped = c != NULL, .write = t->write,
                                       .domain = c ? c->domain : 0, .page = { t->addr.v & ~(uint64_t)(PAGE_BYTES - 1) },
                                       .frame = paddr_frame(at) },
                               .drained = drained, .at = at };
    u->granting = true;
    t->done(t);
    u->granted = before;
    u->granting = nested;
}

void iommu_refuse(struct iommu *u, struct translation *t, enum vtd_reason reason)
{
    u->counters.iotlb_miss_count++;
    u->counters.fault_count++;
    u->counters.fault_by_reason_count[reason]++;
    iommu_record_fault(u, t, reason);
    component_op(&u->component, engine_now(u->engine), OP_REFUSE, t->addr.v, (uint64_t)reason << 16 | t->source_id);
    t->fault = fault_of[reason];
    t->done(t);
}

/* ---- DMA in flight */

void iommu_dma_begin(void *iommu, uint16_t source_id, paddr at)
{
    struct iommu *u = iommu;
    CHECK(u->use_count < u->use_max, "%s: more than %u DMA in flight", u->component.name, u->use_max);
    struct use *x = &u->uses[u->use_count++];
    if (u->granting && u->granted.is.source_id == source_id && paddr_frame(u->granted.at).v == paddr_frame(at).v)
        *x = u->granted;
    else
        *x = (struct use){ .is = { .source_id = source_id, .frame = paddr_frame(at) }, .unknown = true };
    x->at = at;
    if (x->drained)
        u->queue.drain_left++;
}

void iommu_dma_end(void *iommu, uint16_t source_id, paddr at)
{
    struct iommu *u = iommu;
    uint32_t i = 0;
    while (i < u->use_count && !(u->uses[i].is.source_id == source_id && u->uses[i].at.v == at.v))
        i++;
    CHECK(i < u->use_count, "%s: DMA of source 0x%x at 0x%llx ends, but never began", u->component.name, source_id,
          (unsigned long long)at.v);
    bool drained = u->uses[i].drained;
    u->use_count--;
    memmove(&u->uses[i], &u->uses[i + 1], (u->use_count - i) * sizeof u->uses[0]);
    if (drained)
        iommu_drained_one(u);
}

/* ---- what an invalidation overtakes */

static bool walk_reached(const struct walk *w, const struct scope *s)
{
    return w->state != WALK_TABLE || scope_reaches(s, w->context.domain, w->translation->addr);
}

static bool walk_context_reached(const struct walk *w, const struct scope *s)
{
    switch (s->granularity) {
    case VTD_GRANULARITY_GLOBAL:
        return true;
    case VTD_GRANULARITY_DOMAIN:
        return w->state != WALK_TABLE || w->context.domain == s->domain;
    case VTD_GRANULARITY_DEVICE:
        return w->translation->source_id == s->source_id;
    }
    return true;
}

void iommu_overtake(struct iommu *u, const struct scope *s, bool context_cache)
{
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        struct walk *w = &u->walks[i];
        if (w->state != WALK_FREE && (context_cache ? walk_context_reached(w, s) : walk_reached(w, s)))
            w->stale = true;
    }
    component_op(&u->component, engine_now(u->engine), OP_INVALIDATE, s->base.v,
                 (uint64_t)s->granularity << 32 | (uint64_t)context_cache << 31 | s->domain);
}

static bool use_reached(const struct use *x, const struct scope *s, bool reads, bool writes)
{
    if (x->unknown)
        return true;
    return x->is.mapped && (x->is.write ? writes : reads) && scope_covers(s, x->is.domain, x->is.page);
}

void iommu_drain(struct iommu *u, const struct scope *s, bool reads, bool writes)
{
    u->queue.drain_left = 0;
    if (!reads && !writes)
        return;
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        struct walk *w = &u->walks[i];
        w->drained = w->state != WALK_FREE && walk_reached(w, s);
        u->queue.drain_left += w->drained;
    }
    for (uint32_t i = 0; i < u->use_count; i++) {
        struct use *x = &u->uses[i];
        x->drained = use_reached(x, s, reads, writes);
        u->queue.drain_left += x->drained;
    }
}

void iommu_drained_one(struct iommu *u)
{
    CHECK(u->queue.drain_left > 0, "%s: drained more than there was", u->component.name);
    if (--u->queue.drain_left == 0)
        iommu_queue_drained(u);
}
