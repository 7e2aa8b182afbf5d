/* src/work/exclusive_alloc.c - the main job: asks for exclusive pages.
 *
 * One operation:   allocate, map for users and device, post, wait for the touchers, free      [not recorded]
 *                  grant_page: the same frame comes back, stale mappings and others' copies with it
 *                  use (one load), hold, release
 * A freed page stays mapped, as the reverse map says: what a grant has to undo is real.
 */
#include "src/kern/exclusive.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/page_alloc.h"
#include "src/kern/uspace.h"
#include "src/work/private.h"

enum how { HOW_TASK, HOW_PREEMPT_OFF, HOW_IRQ };

struct exclusive_desc {
    const char *gfp;
    int context;
    unsigned parts;
    bool expose;
    uint64_t hold_ps;
};

struct exclusive_state {
    unsigned slot;
    gfp_t gfp;
    frame mapped;               /* the page this agent mapped last, if nothing has unmapped it since; 0: none */
    struct grant granted;
    bool handled;               /* the interrupt handler has made its grant */
};

/* In the order of the bits GRANT_COHERENCE, DEVICE, LOCK, SECURE. */
static const char *const part_choices[] = { "coherence", "device", "lock", "secure", NULL };
static const char *const context_choices[] = { "task", "preempt-off", "irq", NULL };

static const struct param params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct exclusive_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags of the request." },
    { .key = "exclusive", .type = P_SET, PARAM_FIELD(struct exclusive_desc, parts), .choices = part_choices, .deflt = "all",
      .help = "Which meanings of exclusive the grant must fulfil." },
    { .key = "expose", .type = P_BOOL, PARAM_FIELD(struct exclusive_desc, expose), .deflt = "true",
      .help = "Before each grant the page is mapped for users and devices, touched by them, and freed while mapped." },
    { .key = "context", .type = P_CHOICE, PARAM_FIELD(struct exclusive_desc, context), .choices = context_choices,
      .deflt = "preempt-off", .help = "Where the request is made: in a task, with preemption off, or in an interrupt handler." },
    { .key = "hold", .type = P_TIME, PARAM_FIELD(struct exclusive_desc, hold_ps), .max = PS_PER_S, .deflt = "0ns",
      .help = "How long the page is kept before it is given back." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct exclusive_desc *d = desc;
    (void)members;
    if (d->parts & GRANT_DEVICE && w->device_count && !w->kernel->desc.iommu.on)
        return "device exclusivity against a device needs an IOMMU (machine.iommu.enabled), or no device (machine.devices.count: 0)";
    if (d->context == HOW_IRQ && w->kernel->desc.shootdown_vector == VECTOR_GRANT)
        return "context: irq uses the interrupt vector that the kernel uses for TLB shootdown";
    return work_gfp_check(w, d->gfp);
}

/* ---- before the grant: unrecorded */

static void map(struct hart *h, struct agent *a, frame f)
{
    const struct kernel *k = agent_kernel(a);
    struct exclusive_state *s = a->state;
    iova at;
    if (s->mapped.v == f.v)
        return;
    bool user = k->desc.spaces >= WORK_SPACE && uspace_map(h, k, WORK_SPACE, work_user_address(f), f, true);
    bool device = k->desc.iommu.on && dma_map(h, k, WORK_DOMAIN, f, true, true, &at);
    if (!user && !device)
        k_count(h, "exclusive_alloc.not_mapped", 1); /* has its mappings still, or the table pools are used up */
    s->mapped = f;
}

/* The page that the others have seen; frame 0: none. */
static frame expose(struct hart *h, struct agent *a)
{
    const struct exclusive_state *s = a->state;
    const struct kernel *k = agent_kernel(a);
    hart_record(h, false);
    frame f = alloc_pages(h, k, s->gfp, 0);
    if (f.v != 0) {
        map(h, a, f);
        k_fence(h); /* the table entries are visible to the others' walks */
        meeting_post(h, a->work, (struct posted_page){ s->slot, f, work_user_address(f) });
        free_pages(h, k, f, 0);
    }
    hart_record(h, agent_recorded(a));
    return f;
}

/* ---- the grant */

static void grant_interrupt(struct hart *h, void *arg)
{
    struct agent *a = arg;
    const struct exclusive_desc *d = a->desc;
    struct exclusive_state *s = a->state;
    s->granted = grant_page(h, agent_kernel(a), s->gfp, d->parts);
    s->handled = true;
}

static bool handled(const void *arg) { return ((const struct exclusive_state *)arg)->handled; }

static struct grant ask(struct hart *h, struct agent *a)
{
    const struct exclusive_desc *d = a->desc;
    const struct kernel *k = agent_kernel(a);
    struct exclusive_state *s = a->state;
    if (d->context == HOW_IRQ) {
        s->handled = false;
        k_ipi_send(h, hart_id(h), VECTOR_GRANT);
        work_wait(h, handled, s, "its own interrupt");
        return s->granted;
    }
    if (d->context == HOW_PREEMPT_OFF)
        k_preempt_disable(h);
    struct grant g = grant_page(h, k, s->gfp, d->parts);
    if (d->context == HOW_PREEMPT_OFF)
        k_preempt_enable(h);
    return g;
}

static void use_and_release(struct hart *h, struct agent *a, struct grant g)
{
    const struct exclusive_desc *d = a->desc;
    const struct exclusive_state *s = a->state;
    meeting_grant(a->work, s->slot, g.f);
    k_load(h, frame_addr(g.f), 8);
    if (d->hold_ps != 0)
        k_sleep_ps(h, d->hold_ps);
    meeting_grant(a->work, s->slot, (frame){ 0 });
    grant_release(h, agent_kernel(a), g);
}

static void operation(struct hart *h, struct agent *a)
{
    const struct exclusive_desc *d = a->desc;
    struct exclusive_state *s = a->state;
    frame seen = d->expose ? expose(h, a) : (frame){ 0 };
    struct grant g = ask(h, a);
    if (g.f.v == 0) {
        k_count(h, "exclusive_alloc.failed", 1);
        return;
    }
    if (d->expose && g.f.v != seen.v)
        k_count(h, "exclusive_alloc.other_page", 1);
    if ((d->parts & GRANT_DEVICE) != 0 && g.f.v == s->mapped.v)
        s->mapped = (frame){ 0 };
    use_and_release(h, a, g);
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct exclusive_desc *d = members->desc;
    struct exclusive_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        states[i].slot = meeting_add_owner(w, &members[i]);
        states[i].gfp = work_gfp(w, d->gfp);
        if (d->context == HOW_IRQ)
            hart_set_irq(members[i].hart, VECTOR_GRANT, CONTEXT_HARDIRQ, grant_interrupt, &members[i]);
    }
}

static void run(struct hart *h, struct agent *a)
{
    while (agent_next(a))
        operation(h, a);
}

const struct program program_exclusive_alloc = {
    .name = "exclusive-alloc",
    .sentence = "Asks for exclusive pages, one after the other, each of which others have mapped and touched before.",
    .params = params, .desc_bytes = sizeof(struct exclusive_desc), .check = check, .prepare = prepare, .run = run
};
