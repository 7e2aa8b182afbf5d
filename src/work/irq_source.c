/* src/work/irq_source.c - interrupts at a steady rate, with a handler that takes time or allocates. */
#include "src/kern/page_alloc.h"
#include "src/work/private.h"

enum target { TO_SELF, TO_NEXT, TO_RANDOM, TO_HART };
enum handler { HANDLER_COMPUTE, HANDLER_ALLOC };

struct irq_desc {
    uint64_t interval_ps, handler_cycles;
    int to, handler;
    uint32_t hart;
};

struct irq_state {
    unsigned vector;            /* of the entry */
};

static const char *const to_choices[] = { "self", "next", "random", "hart", NULL };
static const char *const handler_choices[] = { "compute", "alloc", NULL };

static const struct param params[] = {
    { .key = "interval", .type = P_TIME, PARAM_FIELD(struct irq_desc, interval_ps), .min = 1, .max = PS_PER_S, .deflt = "10us",
      .help = "Time from one interrupt to the next." },
    { .key = "to", .type = P_CHOICE, PARAM_FIELD(struct irq_desc, to), .choices = to_choices, .deflt = "self",
      .help = "Who is interrupted: the sender, the hart after it, another one drawn at random, or the one named by hart." },
    { .key = "hart", .type = P_UINT, PARAM_FIELD(struct irq_desc, hart), .max = HARTS_MAX - 1, .deflt = "0",
      .help = "With to: hart, the number of the hart that is interrupted." },
    { .key = "handler", .type = P_CHOICE, PARAM_FIELD(struct irq_desc, handler), .choices = handler_choices, .deflt = "compute",
      .help = "What the handler does besides computing: nothing, or allocate a page with GFP_ATOMIC and free it." },
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
    if (w->kernel->desc.shootdown_vector >= VECTOR_SOURCES && w->kernel->desc.shootdown_vector < VECTOR_GRANT)
        return "uses the interrupt vector that the kernel uses for TLB shootdown";
    return NULL;
}

static void handle(struct hart *h, void *arg)
{
    const struct agent *first = arg; /* of the entry; all members have the same parameters */
    const struct irq_desc *d = first->desc;
    k_compute(h, d->handler_cycles);
    if (d->handler != HANDLER_ALLOC)
        return;
    frame f = alloc_pages(h, agent_kernel(first), GFP_ATOMIC, 0);
    if (f.v != 0)
        free_pages(h, agent_kernel(first), f, 0);
    else
        k_count(h, "irq_source.alloc_failed", 1);
}

/* Entries of this program before this one. */
static unsigned entry_number(const struct work *w, const struct agent *first)
{
    unsigned n = 0;
    for (const struct agent *a = w->agents; a < first; a++)
        n += a->program == &program_irq_source && a->member == 0;
    return n;
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    struct irq_state *states = agents_state(w, members, count, sizeof *states);
    unsigned entry = entry_number(w, members);
    if (entry >= VECTOR_SOURCES_COUNT)
        fail_user("agents: more than %d entries of irq-source (there is one interrupt vector for each)", VECTOR_SOURCES_COUNT);
    for (unsigned i = 0; i < count; i++)
        states[i].vector = VECTOR_SOURCES + entry;
    for (unsigned i = 0; i < w->hart_count; i++)
        hart_set_irq(w->harts[i], VECTOR_SOURCES + entry, CONTEXT_HARDIRQ, handle, members);
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

static void run(struct hart *h, struct agent *a)
{
    const struct irq_desc *d = a->desc;
    const struct irq_state *s = a->state;
    while (agent_next(a)) {
        k_sleep_ps(h, d->interval_ps);
        k_ipi_send(h, target(h, a), s->vector);
    }
}

const struct program program_irq_source = {
    .name = "irq-source",
    .sentence = "Interrupts its own hart or another one at a steady rate; the handler computes or allocates.",
    .params = params, .desc_bytes = sizeof(struct irq_desc), .check = check, .prepare = prepare, .run = run
};
