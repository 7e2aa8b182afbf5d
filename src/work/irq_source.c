/* src/work/irq_source.c - interrupts at a rate, in any context, with a handler that takes time or allocates. */
#include "src/kern/page_alloc.h"
#include "src/kern/pcp.h"
#include "src/work/private.h"

enum target { TO_SELF, TO_NEXT, TO_RANDOM, TO_HART };
enum handler { HANDLER_COMPUTE, HANDLER_ALLOC, HANDLER_VMSTAT };

enum source_context { SOURCE_HARDIRQ, SOURCE_SOFTIRQ, SOURCE_NMI };

struct irq_desc {
    uint64_t interval_ps, handler_cycles;
    int to, handler, context;
    uint32_t hart, spread;
    const char *gfp;
    uint8_t order;
};

struct irq_state {              /* of the entry */
    unsigned vector, softirq;
    gfp_t gfp;
};

static const char *const to_choices[] = { "self", "next", "random", "hart", NULL };
static const char *const handler_choices[] = { "compute", "alloc", "vmstat", NULL };
static const char *const context_choices[] = { "hardirq", "softirq", "nmi", NULL };

static const struct param params[] = {
    { .key = "interval", .type = P_TIME, PARAM_FIELD(struct irq_desc, interval_ps), .min = 1, .max = PS_PER_S, .deflt = "10us",
      .help = "Time from one interrupt to the next." },
    { .key = "spread", .type = P_PERMYRIAD, PARAM_FIELD(struct irq_desc, spread), .max = PERMYRIAD, .deflt = "0%",
      .help = "Each interval is drawn evenly from interval less this share to interval plus it." },
    { .key = "to", .type = P_CHOICE, PARAM_FIELD(struct irq_desc, to), .choices = to_choices, .deflt = "self",
      .help = "Who is interrupted: the sender, the hart after it, another one drawn at random, or the one named by hart." },
    { .key = "hart", .type = P_UINT, PARAM_FIELD(struct irq_desc, hart), .max = HARTS_MAX - 1, .deflt = "0",
      .help = "With to: hart, the number of the hart that is interrupted." },
    { .key = "handler", .type = P_CHOICE, PARAM_FIELD(struct irq_desc, handler), .choices = handler_choices, .deflt = "compute",
      .help = "What the handler does besides computing: nothing, allocate a block and free it, or shorten the hart's per-CPU lists (a work item of Linux, once a second)." },
    { .key = "context", .type = P_CHOICE, PARAM_FIELD(struct irq_desc, context), .choices = context_choices, .deflt = "hardirq",
      .help = "Where the handler runs: in the interrupt, in the softirq after it, or in a non-maskable interrupt." },
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct irq_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags of the handler's block." },
    { .key = "order", .type = P_UINT, PARAM_FIELD(struct irq_desc, order), .max = MAX_ORDER, .deflt = "0",
      .help = "The handler's block has 2^order pages." },
    { .key = "handler_cycles", .type = P_CYCLES, PARAM_FIELD(struct irq_desc, handler_cycles), .max = 1000000000, .deflt = "500cycles",
      .help = "Computation in the handler." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct irq_desc *d = desc;
    (void)members;
    if (d->to == TO_HART && d->hart >= w->hart_count)
        return "hart: the machine has no hart of this number";
    if (d->to == TO_RANDOM && w->hart_count < 2)
        return "to: random needs a machine with more than one hart";
    if (d->handler == HANDLER_VMSTAT && (!w->kernel->desc.pcp_tuning || w->kernel->desc.allocator != ALLOCATOR_BUDDY || d->context == SOURCE_NMI))
        return "handler: vmstat needs lists whose sizes follow demand (kernel.allocator.pcp_tuning, type: buddy), and is not for an NMI";
    if (w->kernel->desc.shootdown_vector >= VECTOR_SOURCES && w->kernel->desc.shootdown_vector < VECTOR_GRANT)
        return "uses the interrupt vector that the kernel uses for TLB shootdown";
    return work_gfp_check(w, d->gfp);
}

static void shorten_lists(struct hart *h, const struct kernel *k)
{
    uint64_t pages = 0;
    for (unsigned i = 0; i < k->zone_count; i++)
        pages += pcp_decay(h, k, &k->zones[i]);
    if (pages != 0)
        k_count(h, "pcp.decayed_pages", pages);
}

static void handle(struct hart *h, void *arg)
{
    const struct agent *first = arg; /* of the entry; all members have the same parameters */
    const struct irq_desc *d = first->desc;
    const struct irq_state *s = first->state;
    k_compute(h, d->handler_cycles);
    if (d->handler == HANDLER_VMSTAT)
        shorten_lists(h, agent_kernel(first));
    if (d->handler != HANDLER_ALLOC)
        return;
    frame f = alloc_pages(h, agent_kernel(first), s->gfp, d->order);
    if (f.v != 0)
        free_pages(h, agent_kernel(first), f, d->order);
    else
        k_count(h, "irq_source.alloc_failed", 1);
}

static void raise(struct hart *h, void *arg)
{
    const struct agent *first = arg;
    const struct irq_state *s = first->state;
    k_raise_softirq(h, s->softirq);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct irq_desc *d = members->desc;
    struct irq_state *states = agents_state(w, members, count, sizeof *states);
    bool softirq = d->context == SOURCE_SOFTIRQ;
    struct irq_state s = { .vector = work_vector(w), .softirq = softirq ? work_softirq(w) : 0, .gfp = work_gfp(w, d->gfp) };
    for (unsigned i = 0; i < count; i++)
        states[i] = s;
    for (unsigned i = 0; i < w->hart_count; i++) {
        hart_set_irq(w->harts[i], s.vector, d->context == SOURCE_NMI ? CONTEXT_NMI : CONTEXT_HARDIRQ, softirq ? raise : handle, members);
        if (softirq)
            hart_set_softirq(w->harts[i], s.softirq, handle, members);
    }
}

static unsigned target(struct hart *h, struct agent *a)
{
    const struct irq_desc *d = a->desc;
    unsigned self = hart_id(h), harts = a->work->hart_count;
    switch ((enum target)d->to) {
    case TO_NEXT: return (self + 1) % harts;
    case TO_RANDOM: return (self + 1 + (unsigned)rng_below(&a->rng, harts - 1)) % harts;
    case TO_HART: return d->hart;
    case TO_SELF: break;
    }
    return self;
}

static tick interval(struct agent *a)
{
    const struct irq_desc *d = a->desc;
    tick half = d->interval_ps / PERMYRIAD * d->spread + d->interval_ps % PERMYRIAD * d->spread / PERMYRIAD;
    return half == 0 ? d->interval_ps : d->interval_ps - half + rng_below(&a->rng, 2 * half + 1);
}

static void run(struct hart *h, struct agent *a)
{
    const struct irq_state *s = a->state;
    while (agent_next(a)) {
        k_sleep_ps(h, interval(a));
        k_ipi_send(h, target(h, a), s->vector);
    }
}

const struct program program_irq_source = {
    .name = "irq-source",
    .sentence = "Interrupts its own hart or another one at a rate; the handler computes or allocates, in hardirq, softirq or NMI context.",
    .params = params, .desc_bytes = sizeof(struct irq_desc), .check = check, .prepare = prepare, .run = run
};
