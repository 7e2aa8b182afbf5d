/* models/iommu/iommu.c - making the unit, names and counters, inspection, invariants. */
#include "models/iommu/iommu.h"
#include "models/iommu/iommu_internal.h"
#include "src/base/fail.h"

#include <inttypes.h>

static const struct { const char *name, *counter; } reasons[VTD_REASON_COUNT] = {
    [VTD_REASON_SOFTWARE] = { "software", "fault.software_count" },
    [VTD_REASON_ROOT_ABSENT] = { "root entry absent", "fault.root_entry_absent_count" },
    [VTD_REASON_CONTEXT_ABSENT] = { "context entry absent", "fault.context_entry_absent_count" },
    [VTD_REASON_CONTEXT_INVALID] = { "invalid context entry", "fault.invalid_context_entry_count" },
    [VTD_REASON_BEYOND_WIDTH] = { "beyond address width", "fault.beyond_address_width_count" },
    [VTD_REASON_WRITE] = { "no write permission", "fault.no_write_permission_count" },
    [VTD_REASON_READ] = { "no read permission", "fault.no_read_permission_count" },
    [VTD_REASON_TABLE_POINTER] = { "invalid table pointer", "fault.invalid_table_pointer_count" },
    [VTD_REASON_ROOT_TABLE] = { "invalid root table", "fault.invalid_root_table_count" },
    [VTD_REASON_CONTEXT_TABLE] = { "invalid context table", "fault.invalid_context_table_count" },
    [VTD_REASON_ROOT_RESERVED] = { "reserved bits in root entry", "fault.reserved_bits_in_root_entry_count" },
    [VTD_REASON_CONTEXT_RESERVED] = { "reserved bits in context entry", "fault.reserved_bits_in_context_entry_count" },
    [VTD_REASON_PTE_RESERVED] = { "reserved bits in table entry", "fault.reserved_bits_in_table_entry_count" },
};

const char *vtd_reason_name(enum vtd_reason r) { return reasons[r].name; }

const char *dma_fault_name(enum dma_fault f)
{
    static const char *const names[DMA_FAULT_COUNT] = {
        [DMA_OK] = "none", [DMA_FAULT_ROOT] = "root entry absent",
        [DMA_FAULT_CONTEXT] = "context entry absent or invalid", [DMA_FAULT_READ] = "no read permission",
        [DMA_FAULT_WRITE] = "no write permission", [DMA_FAULT_RESERVED] = "reserved bits set in a table",
        [DMA_FAULT_ADDRESS] = "address out of range"
    };
    return names[f];
}

const struct iommu_counters *iommu_counters(const struct iommu *u) { return &u->counters; }

void iommu_each_counter(const struct iommu *u, void (*fn)(void *arg, const char *name, uint64_t value), void *arg)
{
#define X(name, ...) fn(arg, #name, u->counters.name);
    IOMMU_COUNTER_LIST(X)
#undef X
    for (unsigned i = 0; i < VTD_REASON_COUNT; i++)
        fn(arg, reasons[i].counter, u->counters.fault_by_reason_count[i]);
}

/* ---- inspection */

static void each_mapping(const struct assoc *a, const struct mapping *m, unsigned bits, iommu_entry_fn *fn, void *arg)
{
    for (size_t i = 0; i < assoc_count(a); i++)
        if (a->keys[i] != ASSOC_EMPTY)
            fn(arg, (uint16_t)a->keys[i], (iova){ a->keys[i] >> 16 << bits }, m[i].frame, m[i].read, m[i].write);
}

void iommu_each_iotlb(const struct iommu *u, iommu_entry_fn *fn, void *arg)
{
    each_mapping(&u->caches.iotlb, u->caches.iotlb_mappings, PAGE_SHIFT, fn, arg);
}

void iommu_each_psc(const struct iommu *u, iommu_entry_fn *fn, void *arg)
{
    each_mapping(&u->caches.psc, u->caches.psc_mappings, PAGE_SHIFT + VTD_INDEX_BITS, fn, arg);
}

typedef void use_fn(void *arg, const struct iommu_use *);

static struct iommu_use use_of(const struct translation *t)
{
    return (struct iommu_use){ .source_id = t->source_id, .write = t->write, .page = { t->addr.v & ~(uint64_t)(PAGE_BYTES - 1) } };
}

static void each_of(const struct translations *q, use_fn *fn, void *arg)
{
    for (const struct translation *t = q->first; t; t = t->next) {
        struct iommu_use use = use_of(t);
        fn(arg, &use);
    }
}

void iommu_each_translation(const struct iommu *u, use_fn *fn, void *arg)
{
    each_of(&u->lookups, fn, arg);
    each_of(&u->unserved, fn, arg);
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        const struct walk *w = &u->walks[i];
        if (w->state == WALK_FREE)
            continue;
        struct iommu_use use = use_of(w->translation);
        use.mapped = w->state == WALK_TABLE;
        use.domain = use.mapped ? w->context.domain : 0;
        fn(arg, &use);
        each_of(&w->waiters, fn, arg);
    }
}

void iommu_each_dma(const struct iommu *u, use_fn *fn, void *arg)
{
    for (uint32_t i = 0; i < u->use_count; i++)
        fn(arg, &u->uses[i].is);
}

/* ---- component */

static uint32_t walks_busy(const struct iommu *u)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->desc.walkers; i++)
        n += u->walks[i].state != WALK_FREE;
    return n;
}

static bool idle(const struct component *c)
{
    const struct iommu *u = (const struct iommu *)c;
    return !u->lookups.first && !u->unserved.first && walks_busy(u) == 0 && u->use_count == 0
           && u->queue.state == QUEUE_IDLE && !u->queue.status_busy;
}

static void say_walks(const struct iommu *u, FILE *out)
{
    static const char *const what[] = { "", "root entry", "context entry", "table entry" };
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        const struct walk *w = &u->walks[i];
        if (w->state != WALK_FREE)
            fprintf(out, "%s: walk for source 0x%04x, page 0x%" PRIx64 ": reads its %s at 0x%" PRIx64 "%s, since %" PRIu64 " ps\n",
                    u->component.name, w->translation->source_id, w->translation->addr.v >> PAGE_SHIFT << PAGE_SHIFT,
                    what[w->state], w->mem.addr.v, w->stale ? " (overtaken by an invalidation)" : "", w->began);
    }
}

static void why_busy(const struct component *c, FILE *out)
{
    static const char *const doing[] = { "idle", "fetches descriptors", "serves a descriptor", "drains",
                                         "waits for an earlier status write", "waits for a status write (fence)",
                                         "stopped at a descriptor of unknown kind" };
    const struct iommu *u = (const struct iommu *)c;
    const struct invalidation_queue *q = &u->queue;
    say_walks(u, out);
    if (u->unserved.first)
        fprintf(out, "%s: translations wait for one of %u walkers\n", c->name, u->desc.walkers);
    for (uint32_t i = 0; i < u->use_count; i++)
        fprintf(out, "%s: DMA of source 0x%04x at 0x%" PRIx64 " in flight%s\n", c->name, u->uses[i].is.source_id,
                u->uses[i].at.v, u->uses[i].drained ? ", an invalidation waits for it" : "");
    if (q->state != QUEUE_IDLE)
        fprintf(out, "%s: invalidation queue %s at descriptor %u, tail %u, since %" PRIu64 " ps, %u to drain\n", c->name,
                doing[q->state], q->head / VTD_DESCRIPTOR_BYTES, q->tail / VTD_DESCRIPTOR_BYTES, q->since, q->drain_left);
    if (q->status_busy)
        fprintf(out, "%s: status write to 0x%" PRIx64 " under way\n", c->name, q->status.addr.v);
}

static void check(const struct component *c)
{
    const struct iommu *u = (const struct iommu *)c;
    uint32_t drained = 0;
    for (uint32_t i = 0; i < u->desc.walkers; i++) {
        const struct walk *w = &u->walks[i];
        drained += w->state != WALK_FREE && w->drained;
        CHECK((w->state == WALK_FREE) == (w->translation == NULL), "%s: walker %u is lost", c->name, i);
    }
    for (uint32_t i = 0; i < u->use_count; i++)
        drained += u->uses[i].drained;
    CHECK(drained == u->queue.drain_left, "%s: %u drains are marked, %u counted", c->name, drained, u->queue.drain_left);
    CHECK(!u->unserved.first || walks_busy(u) == u->desc.walkers, "%s: a translation waits beside a free walker", c->name);
}

static const struct component_ops ops = { .idle = idle, .why_busy = why_busy, .check = check };

/* ---- making it */

struct iommu *iommu_new(const struct iommu_desc *d, const struct iommu_wiring *w)
{
    const char *error = iommu_desc_error(d);
    CHECK(!error, "iommu_new: %s", error);
    struct iommu *u = ARENA_ONE(w->arena, struct iommu);
    component_register(w->components, &u->component, w->name, &ops);
    u->desc = *d;
    u->engine = w->engine;
    u->port = w->port;
    u->memory_bytes = w->memory_bytes;
    u->records = ARENA_ARRAY(w->arena, struct vtd_entry, d->fault_records);
    u->use_max = w->dma_max;
    u->uses = ARENA_ARRAY(w->arena, struct use, w->dma_max);
    u->walks = ARENA_ARRAY(w->arena, struct walk, d->walkers);
    for (uint32_t i = 0; i < d->walkers; i++) {
        u->walks[i].unit = u;
        u->walks[i].mem = (struct mem_request){ .done = iommu_walk_read_done, .owner = &u->walks[i] };
    }
    u->lookup_done = (struct event){ .fn = iommu_lookup_done, .owner = u, .what = "iommu lookup" };
    caches_init(&u->caches, w->arena, d);
    iommu_queue_init(u);
    return u;
}

struct iommu_port iommu_port(struct iommu *u)
{
    return (struct iommu_port){ .translate = iommu_translate, .dma_begin = iommu_dma_begin, .dma_end = iommu_dma_end, .iommu = u };
}

struct mmio_target iommu_mmio(struct iommu *u, paddr base)
{
    return (struct mmio_target){ .base = base, .bytes = VTD_REG_BYTES, .write = iommu_reg_write, .read = iommu_reg_read, .device = u };
}

struct component *iommu_component(struct iommu *u) { return &u->component; }
