/* src/work/rx_refill.c - a network card's receive ring, refilled by its interrupt handler.
 *
 *   device: each interval a burst of packets: DMA into the next posted buffers -> interrupt at the hart
 *   hart:   hardirq [-> softirq] : takes the filled buffers (unmap), hands them on; posts replacements: allocate, map
 *
 * Buffers handed on are held until `hold` of them are waiting and are then freed all at once, as by a reader who wakes up.
 * A slot for which there is no page stays empty and is tried again at the next interrupt; a packet for which there is no
 * buffer is dropped. One operation is one interrupt. The hart may run another program at the same time.
 */
#include "src/kern/iommu_drv.h"
#include "src/kern/page_alloc.h"
#include "src/work/private.h"

enum poll_context { POLL_HARDIRQ, POLL_SOFTIRQ };

struct rx_desc {
    const char *gfp;
    uint8_t order;
    uint32_t hart, ring, burst, hold;
    uint64_t bytes, interval_ps, delivery_ps, handler_cycles;
    int context;
};

struct slot {
    frame f;                    /* 0: empty */
    bool filled;
};

struct rx_state {
    struct agent *agent, *host; /* host: whose program the interrupted hart runs; NULL: none */
    struct hart *hart;
    unsigned vector, softirq;
    gfp_t gfp;
    struct slot *ring;
    uint32_t posted, filled, taken;     /* counts since the start: buffers posted, packets accepted, buffers taken */
    frame *held;                        /* handed on */
    uint32_t held_count;
    struct dma_request *requests;       /* one per packet of a burst */
    uint32_t under_way;
    tick burst_began;
    struct event next, deliver;
    bool started, closing;
};

static const char *const poll_choices[] = { "hardirq", "softirq", NULL };

static const struct param params[] = {
    { .key = "hart", .type = P_UINT, PARAM_FIELD(struct rx_desc, hart), .max = HARTS_MAX - 1, .deflt = "0",
      .help = "Number of the hart that is interrupted." },
    { .key = "context", .type = P_CHOICE, PARAM_FIELD(struct rx_desc, context), .choices = poll_choices, .deflt = "softirq",
      .help = "Where the ring is refilled: in the interrupt handler itself, or in the softirq after it, with interrupts on." },
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct rx_desc, gfp), .deflt = "ATOMIC", .help = "Allocation flags of the buffers." },
    { .key = "order", .type = P_UINT, PARAM_FIELD(struct rx_desc, order), .max = MAX_ORDER, .deflt = "0",
      .help = "A buffer has 2^order pages." },
    { .key = "ring", .type = P_UINT, PARAM_FIELD(struct rx_desc, ring), .min = 1, .max = 1u << 16, .deflt = "256",
      .help = "Buffers in the receive ring." },
    { .key = "burst", .type = P_UINT, PARAM_FIELD(struct rx_desc, burst), .min = 1, .max = 1024, .deflt = "16",
      .help = "Packets that arrive between two interrupts." },
    { .key = "bytes", .type = P_BYTES, PARAM_FIELD(struct rx_desc, bytes), .min = 1, .max = PAGE_BYTES, .deflt = "1500B",
      .help = "Length of a packet." },
    { .key = "interval", .type = P_TIME, PARAM_FIELD(struct rx_desc, interval_ps), .min = PS_PER_NS, .max = PS_PER_S, .deflt = "20us",
      .help = "From the start of one burst to that of the next, if the first is over by then." },
    { .key = "delivery", .type = P_TIME, PARAM_FIELD(struct rx_desc, delivery_ps), .max = PS_PER_S, .deflt = "500ns",
      .help = "From the last packet in memory to the interrupt at the hart (a guess)." },
    { .key = "hold", .type = P_UINT, PARAM_FIELD(struct rx_desc, hold), .min = 1, .max = 1u << 20, .deflt = "1",
      .help = "Buffers with data are kept until there are so many, then all are freed." },
    { .key = "handler_cycles", .type = P_CYCLES, PARAM_FIELD(struct rx_desc, handler_cycles), .max = 1000000000, .deflt = "300cycles",
      .help = "Computation for each interrupt, besides the buffers." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct rx_desc *d = desc;
    (void)members;
    if (d->hart >= w->hart_count)
        return "hart: the machine has no hart of this number";
    return work_gfp_check(w, d->gfp);
}

static void count(const struct rx_state *s, const char *name, uint64_t add)
{
    s->agent->work->count(s->agent->work->machine, name, add);
}

/* ---- the driver: on the interrupted hart */

static bool map(struct hart *h, const struct rx_state *s, frame f)
{
    const struct kernel *k = agent_kernel(s->agent);
    const struct rx_desc *d = s->agent->desc;
    iova at;
    for (uint64_t i = 0; k->desc.iommu.on && i < UINT64_C(1) << d->order; i++)
        if (!dma_map(h, k, WORK_DOMAIN, (frame){ f.v + i }, true, true, &at))
            return false;
    return true;
}

static void unmap(struct hart *h, const struct rx_state *s, frame f)
{
    const struct kernel *k = agent_kernel(s->agent);
    const struct rx_desc *d = s->agent->desc;
    for (uint64_t i = 0; k->desc.iommu.on && i < UINT64_C(1) << d->order; i++)
        dma_unmap_page(h, k, (frame){ f.v + i });
}

static void free_held(struct hart *h, struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    while (s->held_count > 0)
        free_pages(h, agent_kernel(s->agent), s->held[--s->held_count], d->order);
}

/* Buffers with data go up the stack. */
static void take_filled(struct hart *h, struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    for (; s->taken != s->filled && s->ring[s->taken % d->ring].filled; s->taken++) {
        struct slot *slot = &s->ring[s->taken % d->ring];
        unmap(h, s, slot->f);
        s->held[s->held_count++] = slot->f;
        *slot = (struct slot){ .filled = false };
        if (s->held_count >= d->hold)
            free_held(h, s);
    }
}

/* Until the ring is full or there is no page. */
static void refill(struct hart *h, struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    const struct kernel *k = agent_kernel(s->agent);
    while (s->posted - s->taken < d->ring) {
        frame f = alloc_pages(h, k, s->gfp, d->order);
        if (f.v == 0) {
            count(s, "rx_refill.failed", 1);
            return;
        }
        if (!map(h, s, f)) {
            count(s, "rx_refill.not_mapped", 1);
            unmap(h, s, f);
            free_pages(h, k, f, d->order);
            return;
        }
        s->ring[s->posted++ % d->ring].f = f;
        count(s, "rx_refill.posted_count", 1);
    }
}

static void close_ring(struct hart *h, struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    for (uint32_t i = 0; i < d->ring; i++)
        if (s->ring[i].f.v != 0) {
            unmap(h, s, s->ring[i].f);
            free_pages(h, agent_kernel(s->agent), s->ring[i].f, d->order);
            s->ring[i].f.v = 0;
        }
    free_held(h, s);
    s->agent->work->device_finished(s->agent->work->machine, s->agent);
}

static bool host_recorded(const struct rx_state *s)
{
    return s->host && s->host->started && !s->host->finished && agent_recorded(s->host);
}

static void poll(struct hart *h, void *arg)
{
    struct rx_state *s = arg;
    hart_record(h, s->started && !s->closing && agent_recorded(s->agent));
    if (s->closing) {
        close_ring(h, s);
    } else {
        take_filled(h, s);
        refill(h, s);
    }
    hart_record(h, host_recorded(s));
}

static void interrupt(struct hart *h, void *arg)
{
    struct rx_state *s = arg;
    const struct rx_desc *d = s->agent->desc;
    k_compute(h, d->handler_cycles);
    if (d->context == POLL_SOFTIRQ)
        k_raise_softirq(h, s->softirq);
    else
        poll(h, s);
}

/* ---- the device: events, on no fiber */

static void burst_over(struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    engine_after(s->agent->work->engine, dma_component(s->agent->device), &s->deliver, d->delivery_ps, PHASE_DELIVER);
}

static void packet_done(struct dma_request *r)
{
    struct rx_state *s = r->owner;
    const struct rx_desc *d = s->agent->desc;
    if (r->refused_count != 0)
        count(s, "rx_refill.dma_refused_count", 1);
    s->ring[(s->filled + (uint32_t)(r - s->requests)) % d->ring].filled = true;
    if (--s->under_way > 0)
        return;
    while (s->ring[s->filled % d->ring].filled && s->filled != s->posted)
        s->filled++;
    burst_over(s);
}

/* A burst into the buffers that are posted; the rest of it is lost. */
static void burst(struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    struct agent *a = s->agent;
    uint32_t room = s->posted - s->filled, n = room < d->burst ? room : d->burst;
    s->burst_began = engine_now(a->work->engine);
    count(s, "rx_refill.dropped_count", d->burst - n);
    count(s, "rx_refill.packets_count", n);
    s->under_way = n;
    for (uint32_t i = 0; i < n; i++) {
        s->requests[i] = (struct dma_request){ .done = packet_done, .owner = s, .write = true, .bytes = d->bytes,
                                               .pattern = agent_value(a, a->done), .recorded = agent_recorded(a) };
        s->requests[i].addr = (iova){ frame_addr(s->ring[(s->filled + i) % d->ring].f).v };
        dma_submit(a->device, &s->requests[i]);
    }
    if (n == 0)
        burst_over(s);
}

static void next_burst(struct event *e) { burst(e->owner); }

static void schedule_burst(struct rx_state *s)
{
    const struct rx_desc *d = s->agent->desc;
    struct engine *engine = s->agent->work->engine;
    tick now = engine_now(engine), due = s->burst_began + d->interval_ps;
    engine_after(engine, dma_component(s->agent->device), &s->next, due > now ? due - now : 0, PHASE_ACT);
}

/* The message-signalled interrupt reaches the hart; the first one only fills the ring. */
static void delivered(struct event *e)
{
    struct rx_state *s = e->owner;
    bool more = agent_next(s->agent);
    s->started = s->agent->done > 0;
    s->closing = !more;
    hart_post_irq(s->hart, s->vector);
    if (more)
        schedule_burst(s);
}

static struct agent *program_of(const struct work *w, const struct hart *h)
{
    for (unsigned i = 0; i < w->agent_count; i++)
        if (w->agents[i].hart == h)
            return &w->agents[i];
    return NULL;
}

static void prepare(struct work *w, struct agent *members, unsigned n)
{
    const struct rx_desc *d = members->desc;
    struct rx_state *states = agents_state(w, members, n, sizeof *states);
    for (unsigned i = 0; i < n; i++) {
        struct rx_state *s = &states[i];
        *s = (struct rx_state){ .agent = &members[i], .hart = w->harts[d->hart], .host = program_of(w, w->harts[d->hart]),
                                .gfp = work_gfp(w, d->gfp), .vector = work_vector(w), .softirq = work_softirq(w) };
        s->ring = ARENA_ARRAY(w->arena, struct slot, d->ring);
        s->held = ARENA_ARRAY(w->arena, frame, d->hold);
        s->requests = ARENA_ARRAY(w->arena, struct dma_request, d->burst);
        s->next = (struct event){ .fn = next_burst, .owner = s, .what = "packets" };
        s->deliver = (struct event){ .fn = delivered, .owner = s, .what = "receive interrupt" };
        hart_set_irq(s->hart, s->vector, CONTEXT_HARDIRQ, interrupt, s);
        hart_set_softirq(s->hart, s->softirq, poll, s);
    }
}

static void start(struct agent *a)
{
    struct rx_state *s = a->state;
    burst_over(s);
}

const struct program program_rx_refill = {
    .name = "rx-refill",
    .sentence = "A network card whose interrupts make a hart refill the receive ring with GFP_ATOMIC pages, mapped for DMA.",
    .params = params, .desc_bytes = sizeof(struct rx_desc), .on_device = true, .check = check, .prepare = prepare, .start = start
};
