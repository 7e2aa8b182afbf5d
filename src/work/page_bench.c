/* src/work/page_bench.c - page-bench, after J. D. Brouer's page_bench modules (netoptimizer/prototype-kernel): a page is
 * allocated and freed at once (page_bench01, in parallel page_bench03), or so many are allocated and then freed
 * (page_bench04_bulk).
 */
#include "src/kern/page_alloc.h"
#include "src/work/private.h"

enum where { WHERE_TASK, WHERE_PREEMPT_OFF, WHERE_IRQ_OFF };

struct bench_desc {
    const char *gfp;
    uint8_t order;
    uint32_t bulk;
    int context;
    uint64_t think_cycles;
};

struct bench_state {
    struct start_line *start_line;  /* of the entry */
    gfp_t gfp;
    frame *taken;
};

static const char *const where_choices[] = { "task", "preempt-off", "irq-off", NULL };

static const struct param params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct bench_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags: one composition and modifiers, as ATOMIC or KERNEL|ZERO." },
    { .key = "order", .type = P_UINT, PARAM_FIELD(struct bench_desc, order), .max = MAX_ORDER, .deflt = "0",
      .help = "Blocks of 2^order pages." },
    { .key = "bulk", .type = P_UINT, PARAM_FIELD(struct bench_desc, bulk), .min = 1, .max = 1u << 24, .deflt = "1",
      .help = "So many blocks are allocated, then so many freed. 1: each is freed at once, and the pair is a request of its own." },
    { .key = "context", .type = P_CHOICE, PARAM_FIELD(struct bench_desc, context), .choices = where_choices, .deflt = "task",
      .help = "Where it runs: in a task, with preemption off, or with interrupts off." },
    { .key = "think_cycles", .type = P_CYCLES, PARAM_FIELD(struct bench_desc, think_cycles), .max = 1000000000, .deflt = "0cycles",
      .help = "Computation after each round." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct bench_desc *d = desc;
    (void)w, (void)members;
    return work_gfp_check(w, d->gfp);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct bench_desc *d = members->desc;
    struct bench_state *states = agents_state(w, members, count, sizeof *states);
    struct start_line *start_line = start_line_new(w, members, count);
    for (unsigned i = 0; i < count; i++)
        states[i] = (struct bench_state){ start_line, work_gfp(w, d->gfp), ARENA_ARRAY(w->arena, frame, d->bulk) };
}

static void many(struct hart *h, const struct agent *a)
{
    const struct bench_desc *d = a->desc;
    const struct bench_state *s = a->state;
    for (uint32_t i = 0; i < d->bulk; i++)
        s->taken[i] = alloc_pages(h, agent_kernel(a), s->gfp, d->order);
    for (uint32_t i = 0; i < d->bulk; i++) {
        if (s->taken[i].v != 0)
            free_pages(h, agent_kernel(a), s->taken[i], d->order);
        else
            k_count(h, "page_bench.failed", 1);
    }
}

static void one_round(struct hart *h, const struct agent *a)
{
    const struct bench_desc *d = a->desc;
    const struct bench_state *s = a->state;
    bool were_on = true;
    if (d->context == WHERE_PREEMPT_OFF)
        k_preempt_disable(h);
    if (d->context == WHERE_IRQ_OFF)
        were_on = k_irq_save(h);
    if (d->bulk != 1)
        many(h, a);
    else if (!work_alloc_pair(h, a, s->gfp, d->order))
        k_count(h, "page_bench.failed", 1);
    if (d->context == WHERE_IRQ_OFF)
        k_irq_restore(h, were_on);
    if (d->context == WHERE_PREEMPT_OFF)
        k_preempt_enable(h);
}

static void run(struct hart *h, struct agent *a)
{
    const struct bench_desc *d = a->desc;
    const struct bench_state *s = a->state;
    pressure_wait(h, a->work);
    start_line_wait(h, s->start_line);
    while (agent_next(a)) {
        one_round(h, a);
        if (d->think_cycles != 0)
            k_compute(h, d->think_cycles);
    }
}

const struct program program_page_bench = {
    .name = "page-bench",
    .sentence = "Allocates a block of pages and frees it at once, or many and then frees them; on several harts in parallel.",
    .params = params, .desc_bytes = sizeof(struct bench_desc), .check = check, .prepare = prepare, .run = run
};
