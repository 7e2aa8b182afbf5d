/* models/hart/context.c - interrupts and the contexts they run in; what each context may not do.
 *
 *   context   entered by                          interrupted by       may
 *   task      -                                   all                  sleep, unless interrupts or preemption are off
 *   softirq   raised; when the last handler has   hardirq, NMI         spin, allocate without waiting
 *             returned, interrupts on again
 *   hardirq   a vector, while interrupts are on   NMI                  the same
 *   NMI       a vector, always                    nothing              try: no lock that others may hold, no allocation
 *
 * Who does what its context forbids ends the run (k_illegal, exit 3) with the chain of contexts and requests.
 */
#include "models/hart/private.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

static const char *const context_names[] = { "task", "softirq", "hardirq", "NMI" };

/* ---- delivery */

static bool softirq_ready(const struct hart *h) { return h->softirq_pending && h->irqs_on && h->context == CONTEXT_TASK; }

static uint32_t vectors_ready(const struct hart *h)
{
    uint32_t open = h->irqs_on ? UINT32_MAX : h->nmi_vectors;
    return h->context == CONTEXT_NMI ? 0 : h->irq_pending & open;
}

bool irq_deliverable(const struct hart *h)
{
    return (h->irq_pending | h->softirq_pending) && (vectors_ready(h) || softirq_ready(h));
}

static enum context enter(struct hart *h, enum context context, unsigned number)
{
    enum context before = h->context;
    CHECK(h->frame_count < CONTEXT_FRAMES, "%s: interrupts nest too deep", h->component.name);
    h->frames[h->frame_count++] = (struct context_frame){ context, number, h->ledger.paths.depth };
    h->context = context;
    return before;
}

static void leave(struct hart *h, enum context before)
{
    h->frame_count--;
    h->context = before;
}

static void run_irq(struct hart *h, unsigned vector)
{
    struct irq_line *line = &h->irq[vector];
    CHECK(line->fn, "%s: interrupt %u has no handler", h->component.name, vector);
    uint32_t preempt = h->preempt_count;
    bool were_on = h->irqs_on;
    tick now = now_of(h);
    ledger_mark(&h->ledger, PART_CORE, now);
    ledger_interrupted(&h->ledger, true, now);
    h->counters.interrupts++;
    h->irqs_on = false;
    enum context before = enter(h, line->context, vector);
    hart_advance(h, h->desc.irq_entry_ps);
    line->fn(h, line->arg);
    hart_advance(h, h->desc.irq_exit_ps);
    CHECK(h->preempt_count == preempt, "%s: interrupt handler %u left preemption unbalanced", h->component.name, vector);
    leave(h, before);
    h->irqs_on = were_on;
    ledger_interrupted(&h->ledger, false, now_of(h));
}

/* As __do_softirq at the end of an interrupt: lowest number first, again while some are raised. */
static void run_softirqs(struct hart *h)
{
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    ledger_interrupted(&h->ledger, true, now_of(h));
    while (h->softirq_pending) {
        unsigned number = (unsigned)__builtin_ctz(h->softirq_pending);
        uint32_t preempt = h->preempt_count;
        h->softirq_pending &= ~(1u << number);
        CHECK(h->softirq[number].fn, "%s: softirq %u has no handler", h->component.name, number);
        enum context before = enter(h, CONTEXT_SOFTIRQ, number);
        h->softirq[number].fn(h, h->softirq[number].arg);
        leave(h, before);
        CHECK(h->preempt_count == preempt && h->irqs_on, "%s: softirq %u left interrupts or preemption unbalanced",
              h->component.name, number);
    }
    ledger_interrupted(&h->ledger, false, now_of(h));
}

void irq_poll(struct hart *h)
{
    while (__builtin_expect(irq_deliverable(h), 0)) {
        uint32_t ready = vectors_ready(h);
        if (!ready) {
            run_softirqs(h);
            continue;
        }
        unsigned vector = (unsigned)__builtin_ctz(ready & h->nmi_vectors ? ready & h->nmi_vectors : ready);
        h->irq_pending &= ~(1u << vector);
        run_irq(h, vector);
    }
}

void hart_post_irq(struct hart *h, unsigned vector)
{
    h->irq_pending |= 1u << vector;
    bool asleep = h->waiting == WAIT_WAKE || h->waiting == WAIT_LINE;
    if (asleep && h->interruptible && irq_deliverable(h))
        hart_resume_soon(h, now_of(h));
}

void hart_set_irq(struct hart *h, unsigned vector, enum context context, irq_fn *fn, void *arg)
{
    CHECK(vector < IRQ_VECTORS, "interrupt vector %u", vector);
    h->irq[vector] = (struct irq_line){ fn, arg, context };
    h->nmi_vectors &= ~(1u << vector);
    if (context == CONTEXT_NMI)
        h->nmi_vectors |= 1u << vector;
}

void hart_set_softirq(struct hart *h, unsigned number, irq_fn *fn, void *arg)
{
    CHECK(number < SOFTIRQS, "softirq %u", number);
    h->softirq[number] = (struct irq_line){ fn, arg, CONTEXT_SOFTIRQ };
}

void k_raise_softirq(struct hart *h, unsigned number)
{
    h->softirq_pending |= 1u << number;
    irq_poll(h);
}

struct ipi {
    struct event event;
    struct hart *target;
    unsigned vector;
};

static void ipi_arrives(struct event *e)
{
    struct ipi *i = e->owner;
    hart_post_irq(i->target, i->vector);
    free(i);
}

void k_ipi_send(struct hart *h, unsigned target, unsigned vector)
{
    irq_poll(h);
    hart_advance(h, h->desc.ipi_send_ps);
    struct ipi *i = calloc(1, sizeof *i); /* rare, and freed on arrival */
    CHECK_MEMORY(i, "out of host memory for an interrupt");
    i->target = h->env.hart_at(h->env.machine, target);
    i->vector = vector;
    i->event = (struct event){ .fn = ipi_arrives, .owner = i, .what = "interprocessor interrupt" };
    h->counters.ipis++;
    engine_after(h->env.engine, &h->component, &i->event, h->desc.ipi_ps, PHASE_DELIVER);
}

/* ---- contexts */

enum context hart_context(const struct hart *h) { return h->context; }
bool hart_atomic(const struct hart *h) { return h->context != CONTEXT_TASK || !h->irqs_on || h->preempt_count; }
bool hart_irqs_on(const struct hart *h) { return h->irqs_on; }

bool k_irq_save(struct hart *h)
{
    irq_poll(h);
    bool on = h->irqs_on;
    h->irqs_on = false;
    return on;
}

void k_irq_restore(struct hart *h, bool were_on)
{
    h->irqs_on = were_on;
    irq_poll(h);
}

void k_preempt_disable(struct hart *h) { h->preempt_count++; }

void k_preempt_enable(struct hart *h)
{
    CHECK(h->preempt_count, "%s: preemption enabled more often than disabled", h->component.name);
    h->preempt_count--;
}

/* ---- what is not allowed */

static void chain_text(const struct hart *h, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "; call chain: task");
    for (uint32_t depth = 0, entered = 0; used < size && (depth < h->ledger.paths.depth || entered < h->frame_count);) {
        if (entered < h->frame_count && h->frames[entered].requests <= depth) {
            const struct context_frame *f = &h->frames[entered++];
            used += (size_t)snprintf(text + used, size - used, " > %s %u", context_names[f->context], f->number);
        } else {
            const char *name = class_infos[h->ledger.open[depth++].class].name;
            used += (size_t)snprintf(text + used, size - used, " > %s", name);
        }
    }
}

void k_illegal(struct hart *h, const char *format, ...)
{
    char text[900];
    va_list ap;
    va_start(ap, format);
    int used = vsnprintf(text, sizeof text - 300, format, ap);
    va_end(ap);
    size_t length = used < 0 ? 0 : (size_t)used < sizeof text - 300 ? (size_t)used : sizeof text - 301;
    if (h->ledger.paths.depth || h->frame_count)
        chain_text(h, text + length, sizeof text - length);
    h->env.illegal(h->env.machine, h->id, text);
    for (;;) /* the run is being stopped: this hart goes no further */
        hart_suspend(h, WAIT_WAKE, "nothing: it did something illegal", false);
}

void k_might_sleep(struct hart *h, const char *who)
{
    if (hart_atomic(h))
        k_illegal(h, "%s would sleep in atomic context (context %s, interrupts %s, preemption disabled %" PRIu32 " times)", who,
                  context_names[h->context], h->irqs_on ? "on" : "off", h->preempt_count);
}
