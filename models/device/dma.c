/* models/device/dma.c - see dma.h. */
#include "models/device/dma.h"

#include "src/base/fail.h"

#include <inttypes.h>

enum { OP_READ = 1, OP_WRITE = 2, OP_REFUSED = 3 }; /* component_op */

struct dma_engine {
    struct component component; /* first: components are cast back */
    struct dma_desc desc;
    struct dma_wiring wiring;
    struct dma_request *first_request, *last_request; /* not wholly issued */
    struct event issue;         /* a piece leaves the engine */
    struct dma_piece *issuing;
    struct dma_piece *first, *last; /* in flight, in the order of issue */
    struct dma_piece *free;
    struct dma_counters counters;
};

static tick now_of(const struct dma_engine *d) { return engine_now(d->wiring.engine); }

static void enter(struct dma_piece *p, enum piece_state state)
{
    p->state = state;
    p->since = now_of(p->engine);
}

static void piece_after(struct dma_piece *p, tick delay)
{
    struct dma_engine *d = p->engine;
    engine_after(d->wiring.engine, &d->component, &p->event, delay, PHASE_ACT);
}

/* ---- the engine: requests into pieces */

static void issue_next(struct dma_engine *d)
{
    if (d->issuing || !d->first_request)
        return;
    if (!d->free) {
        d->counters.tags_full_count++;
        return;
    }
    d->issuing = d->free;
    d->free = d->free->later;
    engine_after(d->wiring.engine, &d->component, &d->issue, d->desc.issue_ps, PHASE_ACT);
}

static unsigned piece_bytes(const struct dma_request *r)
{
    uint64_t to_line_end = LINE_BYTES - (r->addr.v + r->issued_bytes) % LINE_BYTES;
    uint64_t left = r->bytes - r->issued_bytes;
    return (unsigned)(left < to_line_end ? left : to_line_end);
}

static void piece_fill(struct dma_piece *p, struct dma_request *r)
{
    p->request = r;
    p->source_id = p->engine->wiring.source_id;
    p->addr = (iova){ r->addr.v + r->issued_bytes };
    p->at = (paddr){ 0 };
    p->bytes = piece_bytes(r);
    p->write = r->write;
    p->fault = DMA_OK;
    p->later = NULL;
    delta_start(&p->delta, r->submitted);
}

static void append_in_flight(struct dma_engine *d, struct dma_piece *p)
{
    if (d->last)
        d->last->later = p;
    else
        d->first = p;
    d->last = p;
}

static void issued(struct event *e)
{
    struct dma_engine *d = e->owner;
    struct dma_request *r = d->first_request;
    struct dma_piece *p = d->issuing;
    d->issuing = NULL;
    piece_fill(p, r);
    r->issued_bytes += p->bytes;
    r->pieces_left++;
    if (r->issued_bytes == r->bytes) {
        d->first_request = r->next;
        if (!d->first_request)
            d->last_request = NULL;
    }
    append_in_flight(d, p);
    enter(p, PIECE_TO_ROOT);
    piece_after(p, d->desc.link_ps);
    issue_next(d);
}

void dma_submit(struct dma_engine *d, struct dma_request *r)
{
    CHECK(r->bytes > 0 && r->addr.v + r->bytes > r->addr.v, "%s: a request of %" PRIu64 " bytes at 0x%" PRIx64,
          d->component.name, r->bytes, r->addr.v);
    r->submitted = now_of(d);
    r->fault = DMA_OK;
    r->refused_count = r->pieces_left = 0;
    r->issued_bytes = 0;
    r->next = NULL;
    if (d->last_request)
        d->last_request->next = r;
    else
        d->first_request = r;
    d->last_request = r;
    issue_next(d);
}

/* ---- the end of a piece */

static enum source_id source_of(const struct dma_piece *p)
{
    if (p->request->fault != DMA_OK)
        return SOURCE_FAULT;
    if (p->translation.bypassed)
        return SOURCE_BYPASS;
    return p->translation.iotlb_hit ? SOURCE_IOTLB_HIT : SOURCE_IOTLB_MISS;
}

static void record(struct dma_engine *d, const struct dma_request *r, const struct dma_piece *last)
{
    if (r->write)
        d->counters.write_count++;
    else
        d->counters.read_count++;
    if (!r->recorded || !d->wiring.account)
        return;
    enum class_id class = r->write ? CLASS_DMA_WRITE : CLASS_DMA_READ;
    account_record(d->wiring.account, class, source_of(last), r->finished - r->submitted, last->delta.ps);
    account_seen(d->wiring.account, d->wiring.actor, class, source_of(last), r->submitted, r->finished);
}

static void unlink_piece(struct dma_engine *d, struct dma_piece *p)
{
    struct dma_piece *before = NULL;
    struct dma_piece **at = &d->first;
    while (*at != p) {
        before = *at;
        at = &before->later;
    }
    *at = p->later;
    if (d->last == p)
        d->last = before;
    p->later = d->free;
    d->free = p;
}

static void to_memory(struct dma_piece *);

/* Pieces that waited for a write now performed: up to and including the next write. */
static void release_ordered(struct dma_engine *d)
{
    for (struct dma_piece *p = d->first; p; p = p->later) {
        if (p->state == PIECE_ORDERED)
            to_memory(p);
        if (p->write)
            return;
    }
}

static void finish(struct dma_piece *p)
{
    struct dma_engine *d = p->engine;
    struct dma_request *r = p->request;
    bool last = --r->pieces_left == 0 && r->issued_bytes == r->bytes;
    delta_mark(&p->delta, PART_DEVICE, now_of(d));
    enter(p, PIECE_FREE);
    if (last) {
        r->finished = now_of(d);
        record(d, r, p);
    }
    unlink_piece(d, p);
    if (p->write)
        release_ordered(d);
    issue_next(d);
    if (last)
        r->done(r);
}

static void performed(struct dma_piece *p)
{
    struct dma_engine *d = p->engine;
    if (d->wiring.observer.performed)
        d->wiring.observer.performed(d->wiring.observer.self, p, now_of(d));
    if (p->write) {
        finish(p);
    } else {
        enter(p, PIECE_RETURNING);
        piece_after(p, d->desc.link_ps);
    }
}

/* ---- at the root complex */

static uint64_t rotate_right(uint64_t x, unsigned bits) { return bits ? x >> bits | x << (64 - bits) : x; }

static void to_memory(struct dma_piece *p)
{
    struct dma_engine *d = p->engine;
    delta_mark(&p->delta, PART_DEVICE, now_of(d));
    enter(p, PIECE_IN_MEMORY);
    p->mem.op = p->write ? MEM_WRITE : MEM_READ_ONCE;
    p->mem.addr = p->at;
    p->mem.bytes = p->bytes;
    p->mem.delta = p->delta;
    if (p->write)
        for (unsigned i = 0; i < LINE_BYTES / 8; i++)
            p->mem.data[i] = rotate_right(p->request->pattern, 8 * (unsigned)(p->addr.v % 8));
    d->wiring.port->submit(d->wiring.port, &p->mem);
}

static bool earlier_write(const struct dma_engine *d, const struct dma_piece *p)
{
    for (const struct dma_piece *q = d->first; q != p; q = q->later)
        if (q->write)
            return true;
    return false;
}

static void refused(struct dma_piece *p)
{
    struct dma_engine *d = p->engine;
    struct dma_request *r = p->request;
    p->fault = p->translation.fault;
    if (r->fault == DMA_OK)
        r->fault = p->fault;
    r->refused_count++;
    d->counters.refused_count++;
    component_op(&d->component, now_of(d), OP_REFUSED, p->addr.v, (uint64_t)p->fault);
    performed(p);
}

static void translated(struct translation *t)
{
    struct dma_piece *p = t->owner;
    struct dma_engine *d = p->engine;
    p->delta = t->delta;
    delta_mark(&p->delta, PART_TRANSLATE, now_of(d));
    if (t->fault != DMA_OK) {
        refused(p);
        return;
    }
    p->at = t->result;
    d->wiring.iommu.dma_begin(d->wiring.iommu.iommu, p->source_id, p->at);
    if (earlier_write(d, p)) {
        d->counters.order_wait_count++;
        enter(p, PIECE_ORDERED);
    } else {
        to_memory(p);
    }
}

/* The value digested: of the whole piece. */
static uint64_t digest(const struct dma_piece *p)
{
    if (p->write)
        return p->mem.data[0];
    uint64_t h = 0;
    for (unsigned i = 0; i < LINE_BYTES / 8; i++)
        h = hash_chain(h, p->mem.data[i]);
    return h;
}

static void deliver(const struct dma_piece *p)
{
    const struct dma_request *r = p->request;
    uint8_t *to = r->into + (p->addr.v - r->addr.v);
    unsigned from = (unsigned)(p->at.v % LINE_BYTES);
    for (unsigned i = 0; i < p->bytes; i++, from++)
        to[i] = (uint8_t)(p->mem.data[from / 8] >> 8 * (from % 8));
}

static void accessed(struct mem_request *m)
{
    struct dma_piece *p = m->owner;
    struct dma_engine *d = p->engine;
    p->delta = m->delta;
    delta_mark(&p->delta, PART_DEVICE, now_of(d));
    d->wiring.iommu.dma_end(d->wiring.iommu.iommu, p->source_id, p->at);
    component_op(&d->component, now_of(d), p->write ? OP_WRITE : OP_READ, p->at.v, digest(p));
    if (p->write)
        d->counters.write_bytes += p->bytes;
    else
        d->counters.read_bytes += p->bytes;
    if (!p->write && p->request->into)
        deliver(p);
    performed(p);
}

static void piece_arrived(struct event *e)
{
    struct dma_piece *p = e->owner;
    struct dma_engine *d = p->engine;
    if (p->state == PIECE_RETURNING) {
        finish(p);
        return;
    }
    delta_mark(&p->delta, PART_DEVICE, now_of(d));
    enter(p, PIECE_TRANSLATING);
    p->translation = (struct translation){ .source_id = p->source_id, .addr = p->addr, .write = p->write,
                                           .delta = p->delta, .done = translated, .owner = p };
    d->wiring.iommu.translate(d->wiring.iommu.iommu, &p->translation);
}

/* ---- inspection */

uint64_t dma_piece_word(const struct dma_piece *p, unsigned offset)
{
    return p->mem.data[p->write ? offset / 8 : (unsigned)(p->at.v % LINE_BYTES + offset) / 8];
}

void dma_each_piece(const struct dma_engine *d, void (*fn)(void *arg, const struct dma_piece *), void *arg)
{
    for (const struct dma_piece *p = d->first; p; p = p->later)
        fn(arg, p);
}

const struct dma_counters *dma_counters(const struct dma_engine *d) { return &d->counters; }

void dma_each_counter(const struct dma_engine *d, void (*fn)(void *arg, const char *name, uint64_t value), void *arg)
{
#define X(name, ...) fn(arg, #name, d->counters.name);
    DMA_COUNTER_LIST(X)
#undef X
}

static bool idle(const struct component *c)
{
    const struct dma_engine *d = (const struct dma_engine *)c;
    return !d->first_request && !d->first;
}

static void why_busy(const struct component *c, FILE *out)
{
    static const char *const doing[] = { "free", "on its way to the root complex", "waits for its translation",
                                         "waits for an earlier write to perform", "waits for memory", "on its way back" };
    const struct dma_engine *d = (const struct dma_engine *)c;
    for (const struct dma_piece *p = d->first; p; p = p->later)
        fprintf(out, "%s: %s of %u bytes at 0x%" PRIx64 " %s since %" PRIu64 " ps\n", c->name, p->write ? "write" : "read",
                p->bytes, p->addr.v, doing[p->state], p->since);
    if (d->first_request)
        fprintf(out, "%s: a %s at 0x%" PRIx64 " has issued %" PRIu64 " of %" PRIu64 " bytes%s\n", c->name,
                d->first_request->write ? "write" : "read", d->first_request->addr.v, d->first_request->issued_bytes,
                d->first_request->bytes, d->free || d->issuing ? "" : ", no tag is free");
}

static void check(const struct component *c)
{
    const struct dma_engine *d = (const struct dma_engine *)c;
    uint32_t n = d->issuing != NULL;
    for (const struct dma_piece *p = d->first; p; p = p->later, n++) {
        CHECK(p->state != PIECE_FREE, "%s: a free piece is in flight", c->name);
        CHECK(p->state != PIECE_IN_MEMORY || !earlier_write(d, p), "%s: a piece at memory passed an earlier write", c->name);
    }
    for (const struct dma_piece *p = d->free; p; p = p->later)
        n++;
    CHECK(n == d->desc.tags, "%s: %u of %u tags accounted for", c->name, n, d->desc.tags);
}

static const struct component_ops ops = { .idle = idle, .why_busy = why_busy, .check = check };

/* ---- making it */

struct component *dma_component(struct dma_engine *d) { return &d->component; }
uint16_t dma_source_id(const struct dma_engine *d) { return d->wiring.source_id; }

struct dma_engine *dma_engine_new(const struct dma_desc *desc, const struct dma_wiring *w)
{
    CHECK(desc->tags > 0, "dma_engine_new: a device without tags can do nothing");
    struct dma_engine *d = ARENA_ONE(w->arena, struct dma_engine);
    component_register(w->components, &d->component, w->name, &ops);
    d->desc = *desc;
    d->wiring = *w;
    d->issue = (struct event){ .fn = issued, .owner = d, .what = "dma issue" };
    struct dma_piece *pieces = ARENA_ARRAY(w->arena, struct dma_piece, desc->tags);
    for (uint32_t i = desc->tags; i-- > 0;) {
        struct dma_piece *p = &pieces[i];
        p->engine = d;
        p->mem = (struct mem_request){ .done = accessed, .owner = p };
        p->event = (struct event){ .fn = piece_arrived, .owner = p, .what = "dma piece" };
        p->later = d->free;
        d->free = p;
    }
    return d;
}
