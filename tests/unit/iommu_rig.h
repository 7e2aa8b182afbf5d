/* tests/unit/iommu_rig.h - an IOMMU between mocks: 2 MiB of memory behind ports of fixed latency.
 *
 * Frames: 1 root table, 2 context table of bus 0, 3 the ring, 4 status words; tables from RIG_TABLES on as needed.
 * Default description: lookup 10 ns, memory 50 ns, descriptors 20 ns, invalidations 100 ns more, two walkers.
 */
#ifndef LAB_TESTS_IOMMU_RIG_H
#define LAB_TESTS_IOMMU_RIG_H

#include <criterion/criterion.h>
#include <string.h>

#include "models/iommu/iommu.h"

enum {
    RIG_FRAMES = 512, RIG_ROOT = 1, RIG_CONTEXTS = 2, RIG_RING = 3, RIG_STATUS = 4, RIG_TABLES = 16,
    RIG_PORT_MAX = 256, NS = PS_PER_NS
};

struct rig;

/* A port that answers every request after `latency_ps`. Reads sample at submission if sample_early (the latest
 * an overtaking store may matter), else at completion. */
struct rig_port {
    struct mem_port port;
    struct rig *rig;
    tick latency_ps;
    bool sample_early, held;
    unsigned submitted_count;
    struct rig_slot { struct event event; struct mem_request *request; struct rig_port *port; bool waiting; } slots[RIG_PORT_MAX];
    struct mem_request *log[RIG_PORT_MAX];
    paddr log_addr[RIG_PORT_MAX];
};

struct rig {
    struct engine *engine;
    struct arena *arena;
    struct component_list components;
    struct component component;      /* of the mocks */
    struct rig_port walk_port;
    struct iommu *iommu;
    struct mmio_target regs;
    uint64_t next_table;             /* frame */
    uint32_t tail;                   /* ring, in descriptors */
    uint64_t word[RIG_FRAMES * (PAGE_BYTES / 8)];
};

/* ---- ports */

static inline void rig_sample(struct rig_port *p, struct mem_request *r)
{
    memcpy(r->data, &p->rig->word[r->addr.v / LINE_BYTES * (LINE_BYTES / 8)], LINE_BYTES);
}

static inline void rig_write(struct rig *g, const struct mem_request *r)
{
    for (unsigned i = 0; i < r->bytes; i++) {
        unsigned shift = 8 * (unsigned)((r->addr.v + i) % 8);
        uint64_t *w = &g->word[(r->addr.v + i) / 8];
        uint64_t byte = r->data[i / 8] >> 8 * (i % 8) & 0xff;
        *w = (*w & ~(UINT64_C(0xff) << shift)) | byte << shift;
    }
}

static inline void rig_done(struct event *e)
{
    struct rig_slot *s = e->owner;
    struct mem_request *r = s->request;
    if (r->op == MEM_WRITE)
        rig_write(s->port->rig, r);
    else if (!s->port->sample_early)
        rig_sample(s->port, r);
    delta_mark(&r->delta, PART_DRAM, engine_now(s->port->rig->engine));
    s->request = NULL;
    r->done(r);
}

static inline void rig_start(struct rig_slot *s)
{
    s->waiting = false;
    engine_after(s->port->rig->engine, &s->port->rig->component, &s->event, s->port->latency_ps, PHASE_DELIVER);
}

static inline void rig_submit(struct mem_port *port, struct mem_request *r)
{
    struct rig_port *p = port->self;
    cr_assert_leq(r->addr.v % LINE_BYTES + r->bytes, LINE_BYTES, "a request stays within one line");
    cr_assert_eq(r->delta.last, engine_now(p->rig->engine), "a request's delta stands at now");
    struct rig_slot *s = p->slots;
    while (s->request)
        s++;
    s->request = r;
    p->log[p->submitted_count % RIG_PORT_MAX] = r;
    p->log_addr[p->submitted_count++ % RIG_PORT_MAX] = r->addr;
    if (r->op == MEM_READ_ONCE && p->sample_early)
        rig_sample(p, r);
    s->waiting = true;
    if (!p->held)
        rig_start(s);
}

static inline void rig_release(struct rig_port *p)
{
    p->held = false;
    for (unsigned i = 0; i < RIG_PORT_MAX; i++)
        if (p->slots[i].request && p->slots[i].waiting)
            rig_start(&p->slots[i]);
}

static inline void rig_port_init(struct rig *g, struct rig_port *p, tick latency_ps)
{
    p->port = (struct mem_port){ .submit = rig_submit, .self = p };
    p->rig = g;
    p->latency_ps = latency_ps;
    for (unsigned i = 0; i < RIG_PORT_MAX; i++) {
        p->slots[i].port = p;
        p->slots[i].event = (struct event){ .fn = rig_done, .owner = &p->slots[i], .what = "mock memory" };
    }
}

/* ---- the unit */

static inline struct iommu_desc rig_desc(void)
{
    return (struct iommu_desc){ .enabled = true, .iotlb_entries = 16, .iotlb_ways = 4, .psc_entries = 4,
                                .context_entries = 4, .walkers = 2, .levels = 4, .fault_records = 4,
                                .lookup_ps = 10 * NS, .descriptor_service_ps = 20 * NS,
                                .invalidate_service_ps = 100 * NS };
}

static inline struct rig *rig_new(struct iommu_desc d)
{
    struct arena *arena = arena_new();
    struct rig *g = ARENA_ONE(arena, struct rig);
    g->arena = arena;
    g->engine = engine_new((struct engine_desc){ .queue = QUEUE_HEAP });
    component_register(&g->components, &g->component, "mock", NULL);
    rig_port_init(g, &g->walk_port, 50 * NS);
    g->iommu = iommu_new(&d, &(struct iommu_wiring){ .name = "iommu", .engine = g->engine, .components = &g->components,
                                                     .arena = arena, .port = &g->walk_port.port,
                                                     .memory_bytes = RIG_FRAMES * PAGE_BYTES, .dma_max = 64 });
    g->regs = iommu_mmio(g->iommu, (paddr){ 0xfed90000 });
    g->next_table = RIG_TABLES;
    return g;
}

static inline void rig_free(struct rig *g)
{
    engine_free(g->engine);
    arena_free(g->arena);
}

static inline void reg_write(struct rig *g, uint64_t offset, unsigned bytes, uint64_t v) { g->regs.write(g->regs.device, offset, bytes, v); }
static inline uint64_t reg_read(struct rig *g, uint64_t offset, unsigned bytes) { return g->regs.read(g->regs.device, offset, bytes); }

/* What the driver does at boot: root table, queue, translation on. */
static inline void rig_enable(struct rig *g)
{
    reg_write(g, VTD_REG_RTADDR, 8, RIG_ROOT * PAGE_BYTES);
    reg_write(g, VTD_REG_GCMD, 4, VTD_GCMD_SRTP);
    reg_write(g, VTD_REG_IQT, 8, 0);
    reg_write(g, VTD_REG_IQA, 8, vtd_iqa_make((paddr){ RIG_RING * PAGE_BYTES }, 0));
    reg_write(g, VTD_REG_GCMD, 4, VTD_GCMD_QIE);
    reg_write(g, VTD_REG_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_TE);
}

static inline struct rig *rig_running(struct iommu_desc d)
{
    struct rig *g = rig_new(d);
    rig_enable(g);
    return g;
}

static inline void rig_run(struct rig *g)
{
    cr_assert_eq(engine_run(g->engine, TICK_MAX - 1), ENGINE_IDLE);
    components_check(&g->components);
}

/* ---- tables */

static inline uint64_t *rig_word(struct rig *g, paddr at) { return &g->word[at.v / 8]; }

static inline frame rig_table(struct rig *g) { return (frame){ g->next_table++ }; }

static inline void rig_attach_entry(struct rig *g, uint16_t source_id, struct vtd_entry e)
{
    *rig_word(g, vtd_root_slot((frame){ RIG_ROOT }, source_id)) = vtd_root_make((frame){ RIG_CONTEXTS }).lo;
    uint64_t *c = rig_word(g, vtd_context_slot((frame){ RIG_CONTEXTS }, source_id));
    c[0] = e.lo;
    c[1] = e.hi;
}

/* Gives the device a table of its own; returns it. */
static inline frame rig_attach(struct rig *g, uint16_t source_id, uint16_t domain, unsigned levels)
{
    frame table = rig_table(g);
    rig_attach_entry(g, source_id, vtd_context_make(domain, table, levels));
    return table;
}

/* Address of the last-level entry of `a`, tables made on the way. */
static inline paddr rig_slot(struct rig *g, frame table, unsigned levels, iova a)
{
    for (unsigned level = levels; level > 1; level--) {
        uint64_t *pte = rig_word(g, vtd_pte_slot(table, a, level));
        if (!vtd_pte_present(*pte))
            *pte = vtd_pte_table(rig_table(g));
        table = vtd_pte_frame(*pte);
    }
    return vtd_pte_slot(table, a, 1);
}

static inline uint64_t *rig_map(struct rig *g, frame table, iova a, uint64_t f)
{
    uint64_t *pte = rig_word(g, rig_slot(g, table, 4, a));
    *pte = vtd_pte_make((frame){ f }, true, true);
    return pte;
}

/* ---- translations */

struct ask {
    struct translation t;
    struct rig *rig;
    tick asked, answered;
    bool is_answered;
    bool begin;                    /* begin DMA when granted, as a device would */
};

static inline void ask_done(struct translation *t)
{
    struct ask *a = t->owner;
    a->answered = engine_now(a->rig->engine);
    a->is_answered = true;
    cr_assert_eq(t->delta.last, a->answered);
    uint64_t sum = 0;
    for (unsigned i = 0; i < PART_COUNT; i++)
        sum += t->delta.ps[i];
    cr_assert_eq(sum, a->answered - a->asked, "the parts of a translation sum to its time");
    struct iommu_port port = iommu_port(a->rig->iommu);
    if (a->begin && t->fault == DMA_OK)
        port.dma_begin(port.iommu, t->source_id, t->result);
}

static inline void ask(struct rig *g, struct ask *a, uint16_t source_id, uint64_t at, bool write)
{
    bool begin = a->begin;
    *a = (struct ask){ .rig = g, .asked = engine_now(g->engine), .begin = begin,
                       .t = { .source_id = source_id, .addr = { at }, .write = write, .done = ask_done, .owner = a } };
    delta_start(&a->t.delta, a->asked);
    struct iommu_port port = iommu_port(g->iommu);
    port.translate(port.iommu, &a->t);
}

/* Asks and runs until nothing is left to do. */
static inline struct ask ask_now(struct rig *g, uint16_t source_id, uint64_t at, bool write)
{
    struct ask a = { 0 };
    ask(g, &a, source_id, at, write);
    rig_run(g);
    cr_assert(a.is_answered);
    return a;
}

static inline tick ask_ps(const struct ask *a) { return a->answered - a->asked; }

/* ---- the queue */

static inline void rig_queue(struct rig *g, struct vtd_descriptor d)
{
    uint64_t *w = rig_word(g, (paddr){ RIG_RING * PAGE_BYTES + g->tail * VTD_DESCRIPTOR_BYTES });
    w[0] = d.lo;
    w[1] = d.hi;
    g->tail = (g->tail + 1) % 256;
}

static inline void rig_kick(struct rig *g) { reg_write(g, VTD_REG_IQT, 8, (uint64_t)g->tail << VTD_DESCRIPTOR_SHIFT); }

static inline paddr rig_status(unsigned i) { return (paddr){ RIG_STATUS * PAGE_BYTES + 4 * i }; }
static inline uint32_t rig_status_value(struct rig *g, unsigned i)
{
    return (uint32_t)(*rig_word(g, (paddr){ rig_status(i).v & ~UINT64_C(7) }) >> 32 * (i % 2));
}

/* One descriptor and a wait, executed. */
static inline void rig_sync(struct rig *g, struct vtd_descriptor d)
{
    rig_queue(g, d);
    rig_queue(g, vtd_desc_wait(rig_status(0), 1));
    rig_kick(g);
}

static inline void run_until_status(struct rig *g, unsigned i, uint32_t value)
{
    while (rig_status_value(g, i) != value)
        cr_assert(engine_run(g->engine, engine_now(g->engine) + NS) != ENGINE_IDLE || rig_status_value(g, i) == value);
}

static inline void rig_count_entry(void *arg, uint16_t domain, iova page, frame f, bool read, bool write)
{
    (void)domain, (void)page, (void)f, (void)read, (void)write;
    ++*(unsigned *)arg;
}
static inline unsigned rig_iotlb_count(struct rig *g)
{
    unsigned n = 0;
    iommu_each_iotlb(g->iommu, rig_count_entry, &n);
    return n;
}
static inline unsigned rig_psc_count(struct rig *g)
{
    unsigned n = 0;
    iommu_each_psc(g->iommu, rig_count_entry, &n);
    return n;
}

#endif
