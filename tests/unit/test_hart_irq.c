/* tests/unit/test_hart_irq.c - time and waiting: spinning, interrupts, contexts, sleep, registers, broadcast
 * invalidation. Names of times: rig_machine.h; the clock has 1 ps.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000, VECTOR = 2, URGENT = 0 };

/* ---- spinning */

/* Hart 1 releases with a store. Hart 0 saw the old value and sleeps from its load's end, w. The line is lost when the forward
 * is looked up; hart 0 goes on at the next whole turn from w, r, and asks for the line. It is parked at the home until hart
 * 1's DONE (HOP after the data, HOP after the loss) has been served: behind hart 0's request, if that came first. */
Test(spin, is_woken_by_the_releasing_store_and_billed_in_whole_turns)
{
    for (tick shift = 0; shift < SPIN; shift += 700) {
        struct rig_desc d = rig_desc(2);
        struct machine_rig *m = machine_rig_new(&d);
        rig_script(m, 0, (struct op[]){ LOAD(LINE(3)), SPIN_WHILE(LINE(3), 0), END });
        rig_script(m, 1, (struct op[]){ AT(QUIET + shift), STORE(LINE(3), 5), END });
        machine_rig_run(m);
        tick w = MISS_DRAM + FILL + L1; /* the first load misses, the spin's own hits */
        tick lost = QUIET + shift + ISSUE + LOOKUP + HOP + HOME + HOP + SNOOP;
        tick r = w + (lost - w + SPIN - 1) / SPIN * SPIN;
        tick done = lost + HOP + HOP, behind = r + LOOKUP + HOP + HOME_OCC;
        tick end = (done > behind ? done : behind) + HOME + HOP + SNOOP + HOP + FILL;
        cr_expect_eq(m->result[0][1].value, 5);
        cr_expect_eq(m->result[0][1].end, end, "shift %lu: %lu, expected %lu", (unsigned long)shift,
                     (unsigned long)m->result[0][1].end, (unsigned long)end);
        cr_expect_eq(hart_counters(m->hart[0])->loads, 3, "it slept");
        machine_rig_free(m);
    }
}

Test(spin, does_not_wait_for_a_value_that_is_there)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(3)), SPIN_WHILE(LINE(3), 1), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end - m->result[0][1].start, L1);
    machine_rig_free(m);
}

/* A change of another word of the line wakes it for nothing; it spins on. */
Test(spin, survives_false_sharing)
{
    struct rig_desc d = rig_desc(2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ SPIN_WHILE(LINE(3), 0), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), STORE(LINE(3) + 8, 1), AT(2 * QUIET), STORE(LINE(3) + 8, 2), AT(3 * QUIET), STORE(LINE(3), 9), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][0].value, 9);
    cr_expect_gt(m->result[0][0].end, 3 * QUIET);
    cr_expect_lt(hart_counters(m->hart[0])->loads, 12);
    machine_rig_free(m);
}

/* ---- interrupts */

struct handled { unsigned count; tick at[8]; enum context context; bool atomic, irqs_on; uint64_t stores_to, other; };

static void handler(struct hart *h, void *arg)
{
    struct handled *r = arg;
    r->context = hart_context(h);
    r->atomic = hart_atomic(h);
    r->irqs_on = hart_irqs_on(h);
    r->at[r->count++] = k_now_ps(h);
    if (r->stores_to)
        k_store(h, (paddr){ r->stores_to }, 8, 1);
}

static struct machine_rig *machine(unsigned harts, unsigned target, struct handled *r, enum context context)
{
    struct rig_desc d = rig_desc(harts);
    struct machine_rig *m = machine_rig_new(&d);
    hart_set_irq(m->hart[target], VECTOR, context, handler, r);
    return m;
}

/* Sent at QUIET: ICR write, wire, entry, handler; the rest of the computation goes on afterwards, no more, no less. */
Test(interrupt, lands_inside_a_computation_and_the_rest_follows)
{
    struct handled r = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), BEGIN(CLASS_FREE), PHASE(PH_PCP), COMPUTE(QUIET), END_REQUEST, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    tick pin = QUIET + IPI_SEND + IPI;
    cr_expect_eq(r.count, 1);
    cr_expect_eq(r.at[0], pin + IRQ_ENTRY);
    cr_expect(r.context == CONTEXT_HARDIRQ && r.atomic && !r.irqs_on);
    cr_expect_eq(m->result[1][1].end, QUIET + IPI_SEND, "posted");
    cr_expect_eq(m->result[0][4].end, 2 * QUIET + IRQ_ENTRY + IRQ_EXIT);
    const struct class_stats *s = account_stats(m->account, CLASS_FREE);
    cr_expect(s->phase_sum_ps[PH_INTERRUPTED] == IRQ_ENTRY + IRQ_EXIT && s->phase_sum_ps[PH_PCP] == QUIET);
    cr_expect(hart_counters(m->hart[0])->interrupts == 1 && hart_counters(m->hart[1])->ipis == 1);
    machine_rig_free(m);
}

Test(interrupt, waits_while_masked)
{
    struct handled r = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    rig_script(m, 0, (struct op[]){ AT(QUIET), IRQS_OFF, COMPUTE(500000), IRQS_ON, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][2].end, QUIET + 500000, "not disturbed");
    cr_expect_eq(r.at[0], QUIET + 500000 + IRQ_ENTRY, "at once when unmasked");
    cr_expect_eq(m->result[0][3].end, QUIET + 500000 + IRQ_ENTRY + IRQ_EXIT);
    machine_rig_free(m);
}

/* It wakes a spinning hart, whose handler here ends the spin itself. */
Test(interrupt, runs_on_a_spinning_hart)
{
    struct handled r = { .stores_to = LINE(3) };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    rig_script(m, 0, (struct op[]){ SPIN_WHILE(LINE(3), 0), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(r.at[0], QUIET + IPI_SEND + IPI + IRQ_ENTRY);
    cr_expect_eq(m->result[0][0].value, 1);
    machine_rig_free(m);
}

Test(interrupt, does_not_wake_a_masked_spinner)
{
    struct handled r = { 0 };
    struct machine_rig *m = machine(3, 0, &r, CONTEXT_HARDIRQ);
    rig_script(m, 0, (struct op[]){ IRQS_OFF, SPIN_WHILE(LINE(3), 0), IRQS_ON, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    rig_script(m, 2, (struct op[]){ AT(2 * QUIET), STORE(LINE(3), 4), END });
    machine_rig_run(m);
    cr_expect_gt(r.at[0], 2 * QUIET);
    cr_expect_eq(m->result[0][1].value, 4);
    cr_expect_eq(r.at[0], m->result[0][1].end + IRQ_ENTRY);
    machine_rig_free(m);
}

/* Served by a hart whose program is over, and by one that sleeps: the sleep ends when it would have. */
Test(interrupt, runs_on_idle_and_sleeping_harts)
{
    struct handled r = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    rig_script(m, 0, (struct op[]){ SLEEP(2 * QUIET), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), AT(3 * QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(r.count, 2);
    cr_expect_eq(m->result[0][0].end, 2 * QUIET);
    cr_expect_eq(r.at[1], 3 * QUIET + IPI_SEND + IPI + IRQ_ENTRY);
    machine_rig_free(m);
}

/* A memory access is not split: the handler runs behind the load that was under way. */
Test(interrupt, waits_for_the_access_under_way)
{
    struct handled r = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    tick load = QUIET + IPI_SEND + IPI - 1000;
    rig_script(m, 0, (struct op[]){ AT(load), LOAD(LINE(3)), COMPUTE(1), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].end, load + MISS_DRAM + FILL);
    cr_expect_eq(r.at[0], load + MISS_DRAM + FILL + IRQ_ENTRY);
    machine_rig_free(m);
}

/* The same vector sent twice before it is taken is one interrupt; of two vectors the lower number goes first. */
Test(interrupt, vectors_are_bits_and_the_lowest_goes_first)
{
    struct handled r = { 0 }, urgent = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    hart_set_irq(m->hart[0], URGENT, CONTEXT_HARDIRQ, handler, &urgent);
    rig_script(m, 0, (struct op[]){ IRQS_OFF, COMPUTE(QUIET), IRQS_ON, END });
    rig_script(m, 1, (struct op[]){ SEND_IPI(0, VECTOR), SEND_IPI(0, VECTOR), SEND_IPI(0, URGENT), END });
    machine_rig_run(m);
    cr_expect(r.count == 1 && urgent.count == 1 && urgent.context == CONTEXT_HARDIRQ);
    cr_expect_eq(urgent.at[0], QUIET + IRQ_ENTRY);
    cr_expect_eq(r.at[0], QUIET + IRQ_ENTRY + IRQ_EXIT + IRQ_ENTRY);
    machine_rig_free(m);
}

/* ---- contexts nest: a softirq that lets interrupts in */

static void soft(struct hart *h, void *arg)
{
    struct handled *r = arg;
    r->at[0] = k_now_ps(h);
    r->context = hart_context(h);
    k_irq_restore(h, true);
    k_compute(h, 200000);
    r->other = hart_context(h) == CONTEXT_SOFTIRQ && hart_atomic(h);
    (void)k_irq_save(h);
    r->at[1] = k_now_ps(h);
}

Test(context, a_hard_interrupt_nests_in_a_soft_one)
{
    struct handled r = { 0 }, s = { 0 };
    struct machine_rig *m = machine(2, 0, &r, CONTEXT_HARDIRQ);
    hart_set_irq(m->hart[0], URGENT, CONTEXT_SOFTIRQ, soft, &s);
    rig_script(m, 0, (struct op[]){ RECORD(1), BEGIN(CLASS_FREE), PHASE(PH_PCP), COMPUTE(QUIET), END_REQUEST, END });
    rig_script(m, 1, (struct op[]){ SEND_IPI(0, URGENT), AT(IPI_SEND + IRQ_ENTRY + 50000), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    tick soft_in = IPI_SEND + IPI + IRQ_ENTRY, hard_pin = IPI_SEND + IRQ_ENTRY + 50000 + IPI_SEND + IPI;
    cr_expect_eq(s.at[0], soft_in);
    cr_expect(s.context == CONTEXT_SOFTIRQ && r.context == CONTEXT_HARDIRQ && s.other, "the context is restored");
    cr_expect_eq(r.at[0], hard_pin + IRQ_ENTRY, "in the middle of it");
    cr_expect_eq(s.at[1], soft_in + 200000 + IRQ_ENTRY + IRQ_EXIT);
    cr_expect_eq(m->result[0][3].end, QUIET + 200000 + 2 * (IRQ_ENTRY + IRQ_EXIT));
    const struct class_stats *f = account_stats(m->account, CLASS_FREE);
    cr_expect_eq(f->phase_sum_ps[PH_PCP], QUIET);
    cr_expect_eq(f->phase_sum_ps[PH_INTERRUPTED], 200000 + 2 * (IRQ_ENTRY + IRQ_EXIT));
    machine_rig_free(m);
}

static void would_sleep(struct hart *h, void *arg)
{
    (void)arg;
    k_sleep_ps(h, 100);
}
static void preempt_off(struct hart *h, void *arg)
{
    (void)arg;
    k_preempt_disable(h);
}
static void preempt_on(struct hart *h, void *arg)
{
    (void)arg;
    k_preempt_enable(h);
}

static const char *illegal(const struct op *script)
{
    static char text[700];
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    hart_set_irq(m->hart[0], VECTOR, CONTEXT_HARDIRQ, would_sleep, NULL);
    rig_script(m, 0, script);
    enum engine_stop stop = engine_run(m->engine, TICK_MAX - 1);
    snprintf(text, sizeof text, "%s%s", stop == ENGINE_ASKED ? "" : "not stopped: ", m->illegal);
    cr_expect_eq(m->finished, 0 + (stop != ENGINE_ASKED));
    machine_rig_free(m);
    return text;
}

Test(context, sleeping_is_illegal_where_it_is_atomic)
{
    const char *t = illegal((struct op[]){ IRQS_OFF, SLEEP(5), END });
    cr_expect(strstr(t, "would sleep in atomic context") == t + strlen("sleep ") && strstr(t, "interrupts off"), "%s", t);
    t = illegal((struct op[]){ CALL(preempt_off, NULL), SLEEP(5), END });
    cr_expect(strstr(t, "preemption disabled 1 times"), "%s", t);
    t = illegal((struct op[]){ SEND_IPI(0, VECTOR), COMPUTE(QUIET), END });
    cr_expect(strstr(t, "context hardirq"), "%s", t);
    t = illegal((struct op[]){ CALL(preempt_off, NULL), CALL(preempt_on, NULL), SLEEP(5), END });
    cr_expect_str_eq(t, "not stopped: ");
}

/* ---- registers: posted writes, reads both ways; older stores are visible first */

struct device { tick written; uint64_t value; uint64_t store_seen; struct machine_rig *m; };
static void reg_write(void *arg, uint64_t offset, unsigned bytes, uint64_t value)
{
    struct device *d = arg;
    d->written = engine_now(d->m->engine);
    d->value = value + offset + bytes;
    d->store_seen = memory_read(d->m->memory, (paddr){ LINE(3) }, 8);
}
static uint64_t reg_read(void *arg, uint64_t offset, unsigned bytes) { return ((struct device *)arg)->value + offset + bytes; }
static void registers(struct hart *h, void *arg)
{
    k_mmio_write(h, (paddr){ *(uint64_t *)arg + 16 }, 4, 1000);
    *(uint64_t *)arg = k_now_ps(h);
    (void)k_mmio_read(h, (paddr){ (UINT64_C(1) << 40) + 8 }, 8);
}

Test(registers, writes_are_posted_behind_the_store_buffer_reads_go_both_ways)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct device dev = { .m = m };
    struct mmio_target t = { { UINT64_C(1) << 40 }, 4096, reg_write, reg_read, &dev };
    uint64_t arg = t.base.v;
    m->mmio = &t;
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 9), CALL(registers, &arg), END });
    machine_rig_run(m);
    tick empty = ISSUE + MISS_DRAM;
    cr_expect_eq(dev.written, empty + MMIO);
    cr_expect_eq(arg, empty + ISSUE, "the hart goes on");
    cr_expect_eq(dev.store_seen, 9);
    cr_expect_eq(dev.value, 1000 + 16 + 4);
    cr_expect_eq(m->result[0][1].end, empty + ISSUE + 2 * MMIO);
    machine_rig_free(m);
}

/* ---- broadcast invalidation: everybody's TLB, and it ends with the last acknowledgement */

struct tlbs { tick at[8]; unsigned count; uint16_t asid; uint64_t va; struct machine_rig *m; };
static void invalidate(void *tlb, uint16_t asid, vaddr va)
{
    struct tlbs *t = tlb;
    t->at[t->count++] = engine_now(t->m->engine);
    t->asid = asid;
    t->va = va.v;
}
static void broadcast(struct hart *h, void *arg)
{
    (void)arg;
    k_tlb_broadcast(h, 7, (vaddr){ 0x5000 });
}

Test(broadcast, waits_for_every_acknowledgement)
{
    enum { HARTS = 4 };
    struct tlbs t = { .count = 0 };
    struct rig_desc d = rig_desc(HARTS);
    d.hart.tlb_broadcast = true;
    d.mmu = (struct hart_mmu){ .tlb = &t, .invalidate = invalidate };
    struct machine_rig *m = machine_rig_new(&d);
    t.m = m;
    rig_script(m, 0, (struct op[]){ AT(QUIET), CALL(broadcast, NULL), END });
    for (unsigned i = 1; i < HARTS; i++)
        rig_script(m, i, (struct op[]){ AT(3 * QUIET), END });
    machine_rig_run(m);
    /* own TLB at once, the others as the messages come, CONTROL apart; the answers come in the same distance */
    cr_expect(t.count == HARTS && t.asid == 7 && t.va == 0x5000);
    cr_expect_eq(t.at[0], QUIET);
    for (unsigned i = 1; i < HARTS; i++)
        cr_expect_eq(t.at[i], QUIET + HOP + (i - 1) * CONTROL);
    cr_expect_eq(m->result[0][1].end, QUIET + 2 * HOP + (HARTS - 2) * CONTROL);
    machine_rig_free(m);
}

Test(broadcast, is_illegal_on_a_machine_that_has_none)
{
    const char *t = illegal((struct op[]){ CALL(broadcast, NULL), END });
    cr_expect(strstr(t, "machine.hart.tlb_broadcast"), "%s", t);
}

Test(interrupt, of_a_vector_without_handler_is_a_panic, .exit_code = 1)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ SEND_IPI(0, 9), COMPUTE(QUIET), END });
    machine_rig_run(m);
}

/* ---- softirqs and non-maskable interrupts */

enum { SOFT = 3, NMI = 4 };

struct bottom { struct handled *r; uint64_t cycles; tick ended; };

static void top_half(struct hart *h, void *arg)
{
    handler(h, ((struct bottom *)arg)->r);
    k_raise_softirq(h, SOFT);
    cr_expect_eq(((struct bottom *)arg)->r->context, CONTEXT_HARDIRQ, "not before the handler is over");
}

static void bottom_half(struct hart *h, void *arg)
{
    struct bottom *b = arg;
    handler(h, b->r);
    k_compute(h, b->cycles);
    b->ended = k_now_ps(h);
}

static struct machine_rig *machine_with_softirq(struct bottom *b)
{
    struct rig_desc d = rig_desc(3);
    struct machine_rig *m = machine_rig_new(&d);
    hart_set_irq(m->hart[0], VECTOR, CONTEXT_HARDIRQ, top_half, b);
    hart_set_softirq(m->hart[0], SOFT, bottom_half, b);
    return m;
}

Test(softirq, runs_after_the_handler_with_interrupts_on)
{
    struct handled r = { 0 };
    struct bottom b = { &r, 7000, 0 };
    struct machine_rig *m = machine_with_softirq(&b);
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), BEGIN(CLASS_FREE), PHASE(PH_PCP), COMPUTE(QUIET), END_REQUEST, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    tick pin = QUIET + IPI_SEND + IPI;
    cr_expect_eq(r.count, 2);
    cr_expect_eq(r.at[1], pin + IRQ_ENTRY + IRQ_EXIT);
    cr_expect(r.context == CONTEXT_SOFTIRQ && r.atomic && r.irqs_on);
    const struct class_stats *s = account_stats(m->account, CLASS_FREE);
    cr_expect(s->phase_sum_ps[PH_INTERRUPTED] == IRQ_ENTRY + IRQ_EXIT + 7000 && s->phase_sum_ps[PH_PCP] == QUIET);
    machine_rig_free(m);
}

/* A handler runs inside of the softirq; what that raises waits until the first has ended. */
Test(softirq, is_interrupted_and_never_nests)
{
    struct handled r = { 0 };
    struct bottom b = { &r, QUIET, 0 };
    struct machine_rig *m = machine_with_softirq(&b);
    rig_script(m, 0, (struct op[]){ AT(QUIET), COMPUTE(10), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + QUIET / 2), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(r.count, 4);
    tick first = QUIET + IPI_SEND + IPI + IRQ_ENTRY + IRQ_EXIT, second_pin = QUIET + QUIET / 2 + IPI_SEND + IPI;
    cr_expect_eq(r.at[1], first);
    cr_expect_eq(r.at[2], second_pin + IRQ_ENTRY, "the handler inside of the softirq");
    cr_expect_eq(r.at[3], first + QUIET + IRQ_ENTRY + IRQ_EXIT, "the softirq again, afterwards");
    machine_rig_free(m);
}

static void raise_from_task(struct hart *h, void *arg)
{
    (void)arg;
    bool were_on = k_irq_save(h);
    k_raise_softirq(h, SOFT);
    k_compute(h, 500);
    k_irq_restore(h, were_on);
}

Test(softirq, raised_in_a_task_waits_for_interrupts_on)
{
    struct handled r = { 0 };
    struct bottom b = { &r, 0, 0 };
    struct machine_rig *m = machine_with_softirq(&b);
    hart_program(m->hart[0], raise_from_task, NULL, 0);
    hart_start(m->hart[0]);
    machine_rig_run(m);
    cr_expect_eq(r.count, 1);
    cr_expect_eq(r.at[0], 500);
    machine_rig_free(m);
}

Test(nmi, comes_while_interrupts_are_off)
{
    struct handled r = { 0 }, masked = { 0 };
    struct machine_rig *m = machine(3, 0, &masked, CONTEXT_HARDIRQ);
    hart_set_irq(m->hart[0], NMI, CONTEXT_NMI, handler, &r);
    rig_script(m, 0, (struct op[]){ AT(QUIET), IRQS_OFF, COMPUTE(500000), IRQS_ON, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, NMI), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    tick pin = QUIET + IPI_SEND + IPI, nmi = IRQ_ENTRY + IRQ_EXIT;
    cr_expect_eq(r.at[0], pin + IRQ_ENTRY);
    cr_expect(r.context == CONTEXT_NMI && r.atomic && !r.irqs_on);
    cr_expect_eq(masked.at[0], QUIET + 500000 + nmi + IRQ_ENTRY, "the maskable one waits, and the computation is whole");
    machine_rig_free(m);
}

static void long_handler(struct hart *h, void *arg)
{
    handler(h, arg);
    k_compute(h, QUIET);
    ((struct handled *)arg)->other = k_now_ps(h);
}

Test(nmi, is_interrupted_by_nothing)
{
    struct handled first = { 0 }, second = { 0 };
    struct machine_rig *m = machine(3, 0, &second, CONTEXT_NMI);
    hart_set_irq(m->hart[0], NMI, CONTEXT_NMI, long_handler, &first);
    rig_script(m, 0, (struct op[]){ AT(QUIET), COMPUTE(500000), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), SEND_IPI(0, NMI), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + QUIET / 2), SEND_IPI(0, VECTOR), END });
    machine_rig_run(m);
    cr_expect_eq(first.other, first.at[0] + QUIET, "undisturbed");
    cr_expect_eq(second.at[0], first.other + IRQ_EXIT + IRQ_ENTRY, "the other one waits");
    machine_rig_free(m);
}
