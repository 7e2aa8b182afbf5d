/* models/iommu/iommu_queue.c - queued invalidation: fetch, serve one after the other, drain, report. */
#include "models/iommu/iommu_internal.h"
#include "src/base/fail.h"

enum { MASK_MAX = 18 };

static tick now_of(const struct iommu *u) { return engine_now(u->engine); }

static void enter(struct iommu *u, enum queue_state state)
{
    u->queue.state = state;
    u->queue.since = now_of(u);
}

static void stop(struct iommu *u)
{
    u->queue_error = true;
    enter(u, QUEUE_ERROR);
}

/* ---- fetch */

void iommu_queue_kick(struct iommu *u)
{
    struct invalidation_queue *q = &u->queue;
    if (q->state != QUEUE_IDLE || !(u->gsts & VTD_GSTS_QIES) || q->head == q->tail)
        return;
    uint32_t end = q->tail > q->head ? q->tail : (uint32_t)vtd_iqa_bytes(u->iqa);
    uint32_t line_end = (q->head / LINE_BYTES + 1) * LINE_BYTES;
    q->fetch.op = MEM_READ_ONCE;
    q->fetch.addr = paddr_plus((paddr){ u->iqa & VTD_ADDRESS_MASK }, q->head);
    q->fetch.bytes = (line_end < end ? line_end : end) - q->head;
    if (q->fetch.addr.v + q->fetch.bytes > u->memory_bytes) {
        stop(u);
        return;
    }
    delta_start(&q->fetch.delta, now_of(u));
    enter(u, QUEUE_FETCHING);
    u->port->submit(u->port, &q->fetch);
}

static void serve_next(struct iommu *u);

static void fetched(struct mem_request *r)
{
    struct iommu *u = r->owner;
    struct invalidation_queue *q = &u->queue;
    unsigned word = (unsigned)(r->addr.v % LINE_BYTES) / 8;
    q->count = r->bytes / VTD_DESCRIPTOR_BYTES;
    q->next = 0;
    for (unsigned i = 0; i < q->count; i++)
        q->fetched[i] = (struct vtd_descriptor){ r->data[word + 2 * i], r->data[word + 2 * i + 1] };
    serve_next(u);
}

/* ---- serve */

static bool valid(const struct iommu *u, struct vtd_descriptor d)
{
    switch (vtd_desc_type(d)) {
    case VTD_DESC_CONTEXT:
        return vtd_desc_granularity(d) != 0;
    case VTD_DESC_IOTLB:
        return vtd_desc_granularity(d) != 0 && vtd_desc_mask(d) <= MASK_MAX;
    case VTD_DESC_WAIT:
        return (d.hi & ~UINT64_C(3)) < u->memory_bytes;
    default:
        return false;
    }
}

static void serve_next(struct iommu *u)
{
    struct invalidation_queue *q = &u->queue;
    if (q->next == q->count) {
        enter(u, QUEUE_IDLE);
        iommu_queue_kick(u);
        return;
    }
    struct vtd_descriptor d = q->fetched[q->next];
    if (!valid(u, d)) {
        stop(u);
        return;
    }
    bool wait = vtd_desc_type(d) == VTD_DESC_WAIT;
    enter(u, QUEUE_SERVING);
    engine_after(u->engine, &u->component, &q->served,
                 u->desc.descriptor_service_ps + (wait ? 0 : u->desc.invalidate_service_ps), PHASE_ACT);
}

static void completed(struct iommu *u)
{
    struct invalidation_queue *q = &u->queue;
    u->counters.descriptor_count++;
    q->next++;
    q->head += VTD_DESCRIPTOR_BYTES;
    if (q->head == vtd_iqa_bytes(u->iqa))
        q->head = 0;
    serve_next(u);
}

static struct scope scope_of(struct vtd_descriptor d)
{
    bool iotlb = vtd_desc_type(d) == VTD_DESC_IOTLB;
    return (struct scope){ .granularity = (enum vtd_granularity)vtd_desc_granularity(d), .domain = vtd_desc_domain(d),
                           .source_id = iotlb ? 0 : vtd_desc_source_id(d),
                           .base = iotlb ? vtd_desc_iova(d) : (iova){ 0 }, .mask = iotlb ? vtd_desc_mask(d) : 0,
                           .leaf_only = iotlb && (d.hi & VTD_IOTLB_LEAF_HINT) };
}

static void invalidate_contexts(struct iommu *u, struct vtd_descriptor d)
{
    struct scope s = scope_of(d);
    u->counters.invalidate_context_count++;
    if (!(u->desc.plants & IOMMU_PLANT_SKIP_INVALIDATE)) {
        context_invalidate(&u->caches, &s);
        iommu_overtake(u, &s, true);
    }
    completed(u);
}

static void invalidate_iotlb(struct iommu *u, struct vtd_descriptor d)
{
    struct scope s = scope_of(d);
    u->counters.invalidate_global_count += s.granularity == VTD_GRANULARITY_GLOBAL;
    u->counters.invalidate_domain_count += s.granularity == VTD_GRANULARITY_DOMAIN;
    u->counters.invalidate_page_count += s.granularity == VTD_GRANULARITY_PAGE;
    if (!(u->desc.plants & IOMMU_PLANT_SKIP_INVALIDATE)) {
        u->counters.invalidate_dropped_count += iotlb_invalidate(&u->caches, &s);
        iommu_overtake(u, &s, false);
    }
    if (!(u->desc.plants & IOMMU_PLANT_NO_DRAIN))
        iommu_drain(u, &s, d.lo & VTD_IOTLB_DRAIN_READS, d.lo & VTD_IOTLB_DRAIN_WRITES);
    if (u->queue.drain_left == 0) {
        completed(u);
        return;
    }
    u->counters.drain_count++;
    enter(u, QUEUE_DRAINING);
}

void iommu_queue_drained(struct iommu *u)
{
    CHECK(u->queue.state == QUEUE_DRAINING, "%s: drained, but nobody waits", u->component.name);
    u->counters.drain_ps += now_of(u) - u->queue.since;
    completed(u);
}

/* ---- wait descriptors */

static void write_status(struct iommu *u, struct vtd_descriptor d)
{
    struct invalidation_queue *q = &u->queue;
    u->counters.wait_count++;
    if ((d.lo & VTD_WAIT_STATUS_WRITE) == 0) {
        completed(u);
        return;
    }
    q->status_busy = true;
    q->status.op = MEM_WRITE;
    q->status.addr = (paddr){ d.hi & ~UINT64_C(3) };
    q->status.bytes = 4;
    q->status.data[0] = vtd_desc_data(d);
    delta_start(&q->status.delta, now_of(u));
    if (d.lo & VTD_WAIT_FENCE)
        enter(u, QUEUE_FENCE);
    u->port->submit(u->port, &q->status);
    if (q->state != QUEUE_FENCE)
        completed(u);
}

static void status_written(struct mem_request *r)
{
    struct iommu *u = r->owner;
    struct invalidation_queue *q = &u->queue;
    q->status_busy = false;
    if (q->state == QUEUE_FENCE)
        completed(u);
    else if (q->state == QUEUE_STATUS)
        write_status(u, q->fetched[q->next]);
}

static void served(struct event *e)
{
    struct iommu *u = e->owner;
    struct vtd_descriptor d = u->queue.fetched[u->queue.next];
    if (vtd_desc_type(d) == VTD_DESC_CONTEXT)
        invalidate_contexts(u, d);
    else if (vtd_desc_type(d) == VTD_DESC_IOTLB)
        invalidate_iotlb(u, d);
    else if (u->queue.status_busy)
        enter(u, QUEUE_STATUS);
    else
        write_status(u, d);
}

void iommu_queue_clear_error(struct iommu *u)
{
    u->queue_error = false;
    if (u->queue.state != QUEUE_ERROR)
        return;
    enter(u, QUEUE_IDLE);
    iommu_queue_kick(u);
}

void iommu_queue_init(struct iommu *u)
{
    struct invalidation_queue *q = &u->queue;
    q->served = (struct event){ .fn = served, .owner = u, .what = "iommu descriptor" };
    q->fetch = (struct mem_request){ .done = fetched, .owner = u };
    q->status = (struct mem_request){ .done = status_written, .owner = u };
}
