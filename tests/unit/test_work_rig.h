/* tests/unit/test_work_rig.h - harts for tests of programs: fibers on the real engine over flat memory, no caches.
 *
 * Every memory access takes RIG_ACCESS_PS; a TLB is not modelled (a user access walks the tables). Each access is
 * noted per line (who touched it last, and how), which stands for the coherence state. The kernel is the real one.
 * Devices are fakes: requests wait in order until rig_dma_finish ends one.
 */
#ifndef LAB_TEST_WORK_RIG_H
#define LAB_TEST_WORK_RIG_H

#include <criterion/criterion.h>

#include "src/base/fail.h"
#include "src/kern/check.h"
#include "src/config/read.h"
#include "src/sim/abi/pte.h"
#include "src/sim/component.h"
#include "src/work/private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_HARTS = 8, RIG_ACCESS_PS = 1000, RIG_CYCLE_PS = 500, RIG_IPI_PS = 30000, RIG_COUNTERS = 32, RIG_NOTES = 4096 };

struct hart {
    struct component component; /* first: events are ordered by it */
    unsigned id;
    struct fiber *fiber;
    struct event wake;
    struct agent *agent;
    bool parked, irqs_on, finished, illegal;
    unsigned preempt;
    enum context context;
    uint32_t pending;
    struct { irq_fn *fn; void *arg; enum context context; } irq[IRQ_VECTORS];
    struct { irq_fn *fn; void *arg; } softirq[SOFTIRQS];
    uint32_t raised;
    uint16_t asid;
    paddr root;
    bool recording;
    unsigned depth;
    enum class_id open[OPEN_MAX];
    tick since[OPEN_MAX];
    bool counts[OPEN_MAX];
    uint64_t recorded[CLASS_COUNT], latency_ps[CLASS_COUNT]; /* requests closed while recording, by class */
    uint64_t interrupts;
};

struct rig_line { uint64_t readers; int writer; }; /* since the last write: harts that read; who wrote, -1 nobody */

struct rig {
    struct engine *engine;
    struct component_list components;
    struct arena *arena;
    struct hart harts[RIG_HARTS];
    struct hart *hart_list[RIG_HARTS];
    unsigned hart_count;
    unsigned char *memory;
    struct rig_line *lines;
    struct kernel kernel;
    struct work work;
    struct agent agents[RIG_HARTS + 4];
    unsigned unfinished;
    struct { const char *name; uint64_t value; } counters[RIG_COUNTERS];
    struct { enum note note; uint64_t a, b; tick when; unsigned hart; } notes[RIG_NOTES];
    unsigned note_count;
    char illegal[300];
    uint64_t progress;
    uint64_t loads, loads_of_others; /* the latter: of lines that another hart wrote last and nobody read since */
    uint64_t lie_at_load;            /* this load, counted from 1, has its lowest bit flipped */
};

static struct rig rig; /* one test, one process, one rig */

struct dma_engine {
    struct component component;
    struct dma_request *waiting[8];
    unsigned count;
};

struct backdoor { int unused; };
static struct backdoor rig_backdoor;

/* ---- memory */

static void *rig_at(paddr a, unsigned bytes)
{
    cr_assert(a.v % bytes == 0 && a.v + bytes <= rig.kernel.desc.memory_bytes, "access of %u bytes at %#lx", bytes, a.v);
    return rig.memory + a.v;
}

uint64_t backdoor_read(struct backdoor *b, paddr a, unsigned bytes)
{
    uint64_t v = 0;
    (void)b;
    memcpy(&v, rig_at(a, bytes), bytes);
    return v;
}

void backdoor_write(struct backdoor *b, paddr a, unsigned bytes, uint64_t value)
{
    (void)b;
    memcpy(rig_at(a, bytes), &value, bytes);
}

void backdoor_image(struct backdoor *b, frame first, uint64_t count, void (*fn)(void *, frame, uint64_t *), void *arg)
{
    (void)b;
    for (uint64_t i = 0; i < count; i++) {
        frame f = { first.v + i };
        fn(arg, f, rig_at(frame_addr(f), 8));
    }
}

/* ---- time, interrupts */

static void rig_wake_run(struct event *e) { fiber_resume(((struct hart *)e->owner)->fiber); }

static void rig_interrupts(struct hart *h);

static void rig_pass(struct hart *h, tick ps)
{
    engine_after(rig.engine, &h->component, &h->wake, ps, PHASE_ACT);
    fiber_suspend();
}

static void rig_interrupts(struct hart *h)
{
    while (h->irqs_on && h->pending) {
        unsigned vector = (unsigned)__builtin_ctz(h->pending);
        enum context before = h->context;
        h->pending &= ~(1u << vector);
        cr_assert(h->irq[vector].fn, "hart %u: no handler for vector %u", h->id, vector);
        h->irqs_on = false;
        h->context = h->irq[vector].context;
        h->interrupts++;
        h->irq[vector].fn(h, h->irq[vector].arg);
        h->context = before;
        h->irqs_on = true;
    }
    while (h->irqs_on && h->raised && h->context == CONTEXT_TASK) {
        unsigned number = (unsigned)__builtin_ctz(h->raised);
        h->raised &= ~(1u << number);
        h->context = CONTEXT_SOFTIRQ;
        h->softirq[number].fn(h, h->softirq[number].arg);
        h->context = CONTEXT_TASK;
    }
}

void hart_set_softirq(struct hart *h, unsigned number, irq_fn *fn, void *arg)
{
    h->softirq[number].fn = fn;
    h->softirq[number].arg = arg;
}

void k_raise_softirq(struct hart *h, unsigned number)
{
    h->raised |= 1u << number;
    rig_interrupts(h);
}

void hart_wake(struct hart *h)
{
    if (!h->parked)
        return;
    h->parked = false;
    engine_after(rig.engine, &h->component, &h->wake, 0, PHASE_ACT);
}

void hart_park(struct hart *h, const char *why)
{
    (void)why;
    rig_interrupts(h);
    h->parked = true;
    fiber_suspend();
    rig_interrupts(h);
}

void hart_record(struct hart *h, bool on) { h->recording = on; }

void hart_post_irq(struct hart *h, unsigned vector)
{
    h->pending |= 1u << vector;
    if (h->irqs_on)
        hart_wake(h);
}

struct rig_ipi { struct event event; struct hart *target; unsigned vector; };

static void rig_ipi_arrives(struct event *e)
{
    struct rig_ipi *i = e->owner;
    i->target->pending |= 1u << i->vector;
    if (i->target->irqs_on)
        hart_wake(i->target);
    free(i);
}

void k_ipi_send(struct hart *h, unsigned target, unsigned vector)
{
    struct rig_ipi *i = calloc(1, sizeof *i);
    i->target = &rig.harts[target];
    i->vector = vector;
    i->event = (struct event){ .fn = rig_ipi_arrives, .owner = i, .what = "ipi" };
    engine_after(rig.engine, &h->component, &i->event, RIG_IPI_PS, PHASE_DELIVER);
}

void hart_set_irq(struct hart *h, unsigned vector, enum context context, irq_fn *fn, void *arg)
{
    h->irq[vector].fn = fn;
    h->irq[vector].arg = arg;
    h->irq[vector].context = context;
}

void k_compute(struct hart *h, uint64_t n)
{
    rig_interrupts(h);
    if (n)
        rig_pass(h, n * RIG_CYCLE_PS);
    rig_interrupts(h);
}
void k_pause(struct hart *h) { k_compute(h, 1); }
uint64_t k_now_ps(struct hart *h) { (void)h; return engine_now(rig.engine); }
unsigned hart_id(const struct hart *h) { return h->id; }
enum context hart_context(const struct hart *h) { return h->context; }
bool hart_irqs_on(const struct hart *h) { return h->irqs_on; }
bool hart_atomic(const struct hart *h) { return h->context != CONTEXT_TASK || !h->irqs_on || h->preempt; }
bool k_irq_save(struct hart *h)
{
    bool on = h->irqs_on;
    rig_interrupts(h);
    h->irqs_on = false;
    return on;
}
void k_irq_restore(struct hart *h, bool on)
{
    h->irqs_on = on;
    rig_interrupts(h);
}
void k_preempt_disable(struct hart *h) { h->preempt++; }
void k_preempt_enable(struct hart *h) { h->preempt--; }

void k_illegal(struct hart *h, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(rig.illegal, sizeof rig.illegal, format, ap);
    va_end(ap);
    h->illegal = true;
    engine_stop(rig.engine);
    for (;;)
        fiber_suspend();
}

void k_might_sleep(struct hart *h, const char *who)
{
    if (hart_atomic(h))
        k_illegal(h, "%s would sleep in atomic context", who);
}

void k_sleep_ps(struct hart *h, uint64_t ps)
{
    k_might_sleep(h, "sleep");
    rig_pass(h, ps);
    rig_interrupts(h);
}

/* ---- accesses: all at once, after their time */

static void rig_touched(const struct hart *h, paddr a, bool write)
{
    struct rig_line *l = &rig.lines[paddr_line(a).v];
    if (write) {
        *l = (struct rig_line){ .readers = UINT64_C(1) << h->id, .writer = (int)h->id };
        return;
    }
    if (l->writer != (int)h->id && !(l->readers >> h->id & 1))
        l->writer = -1; /* shared now */
    l->readers |= UINT64_C(1) << h->id;
}

uint64_t k_load(struct hart *h, paddr a, unsigned bytes)
{
    rig_pass(h, RIG_ACCESS_PS);
    int writer = rig.lines[paddr_line(a).v].writer;
    rig.loads++;
    rig.loads_of_others += writer >= 0 && writer != (int)h->id;
    rig_touched(h, a, false);
    return backdoor_read(&rig_backdoor, a, bytes) ^ (rig.loads == rig.lie_at_load);
}
uint64_t k_load_once(struct hart *h, paddr a, unsigned bytes) { return k_load(h, a, bytes); }
uint64_t k_load_acquire(struct hart *h, paddr a, unsigned bytes) { return k_load(h, a, bytes); }

void k_store(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig_touched(h, a, true);
    backdoor_write(&rig_backdoor, a, bytes, value);
}
void k_store_once(struct hart *h, paddr a, unsigned bytes, uint64_t value) { k_store(h, a, bytes, value); }
void k_store_release(struct hart *h, paddr a, unsigned bytes, uint64_t value) { k_store(h, a, bytes, value); }
void k_store_nt(struct hart *h, paddr a, unsigned bytes, uint64_t value) { k_store(h, a, bytes, value); }
void k_store_line(struct hart *h, paddr line, uint64_t word)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig_touched(h, line, true);
    for (unsigned i = 0; i < LINE_BYTES; i += 8)
        backdoor_write(&rig_backdoor, paddr_plus(line, i), 8, word);
}

static uint64_t rig_rmw(struct hart *h, paddr a, unsigned bytes, uint64_t and, uint64_t add, uint64_t or)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig_touched(h, a, true);
    uint64_t old = backdoor_read(&rig_backdoor, a, bytes);
    backdoor_write(&rig_backdoor, a, bytes, ((old & and) + add) | or);
    return old;
}
uint64_t k_swap(struct hart *h, paddr a, unsigned bytes, uint64_t v) { return rig_rmw(h, a, bytes, 0, v, 0); }
uint64_t k_fetch_add(struct hart *h, paddr a, unsigned bytes, uint64_t v) { return rig_rmw(h, a, bytes, ~UINT64_C(0), v, 0); }
uint64_t k_fetch_or(struct hart *h, paddr a, unsigned bytes, uint64_t v) { return rig_rmw(h, a, bytes, ~UINT64_C(0), 0, v); }
uint64_t k_fetch_and(struct hart *h, paddr a, unsigned bytes, uint64_t v) { return rig_rmw(h, a, bytes, v, 0, 0); }
bool k_update(struct hart *h, paddr a, k_update_fn *decide, const void *arg, uint64_t *old)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig_touched(h, a, true);
    uint64_t word = *old = backdoor_read(&rig_backdoor, a, 8);
    bool changed = decide(&word, arg);
    if (changed)
        backdoor_write(&rig_backdoor, a, 8, word);
    return changed;
}
bool k_cas(struct hart *h, paddr a, unsigned bytes, uint64_t *expected, uint64_t wanted)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig_touched(h, a, true);
    uint64_t old = backdoor_read(&rig_backdoor, a, bytes);
    bool same = old == *expected;
    if (same)
        backdoor_write(&rig_backdoor, a, bytes, wanted);
    *expected = old;
    return same;
}
uint64_t k_spin_while(struct hart *h, paddr a, unsigned bytes, uint64_t mask, uint64_t value)
{
    for (;;) {
        uint64_t word = k_load(h, a, bytes);
        if ((word & mask) != value)
            return word;
        k_pause(h);
    }
}
void k_fence(struct hart *h) { rig_pass(h, RIG_ACCESS_PS); }
void k_fence_store(struct hart *h) { k_fence(h); }
void k_fence_load(struct hart *h) { k_fence(h); }
void k_prefetch_write(struct hart *h, paddr a) { rig_pass(h, RIG_ACCESS_PS); rig_touched(h, a, true); }
void k_flush(struct hart *h, paddr a)
{
    rig_pass(h, RIG_ACCESS_PS);
    rig.lines[paddr_line(a).v] = (struct rig_line){ .writer = -1 };
}
void k_flush_opt(struct hart *h, paddr a) { k_flush(h, a); }

/* ---- translation */

void k_set_space(struct hart *h, uint16_t asid, paddr root)
{
    h->asid = asid;
    h->root = root;
}

static bool rig_walk(const struct hart *h, vaddr va, bool write, paddr *at)
{
    paddr table = h->root;
    for (unsigned level = PTE_LEVELS;; level--) {
        uint64_t pte = backdoor_read(&rig_backdoor, pte_slot(paddr_frame(table), va, level), 8);
        if (!pte_present(pte) || (write && !pte_writable(pte)))
            return false;
        table = frame_addr(pte_frame(pte));
        if (pte_leaf(pte, level))
            break;
    }
    *at = paddr_plus(table, va.v % PAGE_BYTES);
    return true;
}

bool k_user_load(struct hart *h, vaddr va, unsigned bytes, uint64_t *value)
{
    paddr at;
    if (!rig_walk(h, va, false, &at))
        return false;
    *value = k_load(h, at, bytes);
    return true;
}

bool k_user_store(struct hart *h, vaddr va, unsigned bytes, uint64_t value)
{
    paddr at;
    if (!rig_walk(h, va, true, &at))
        return false;
    k_store(h, at, bytes, value);
    return true;
}

void k_tlb_invalidate(struct hart *h, uint16_t asid, vaddr va) { (void)h, (void)asid, (void)va; }
bool hart_has_tlb_broadcast(const struct hart *h) { (void)h; return true; }
void k_tlb_broadcast(struct hart *h, uint16_t asid, vaddr va) { (void)asid, (void)va; k_fence(h); }
uint64_t k_mmio_read(struct hart *h, paddr a, unsigned bytes) { (void)h, (void)a, (void)bytes; return 0; }
void k_mmio_write(struct hart *h, paddr a, unsigned bytes, uint64_t value) { (void)h, (void)a, (void)bytes, (void)value; }

/* ---- accounting */

/* A test looks at the machine when a request begins, or at a note. */
static void (*rig_on_begin)(struct hart *, enum class_id);
static void (*rig_on_note)(struct hart *, enum note, uint64_t a);

void k_begin(struct hart *h, enum class_id class)
{
    if (rig_on_begin)
        rig_on_begin(h, class);
    h->open[h->depth] = class;
    h->counts[h->depth] = h->recording;
    h->since[h->depth++] = engine_now(rig.engine);
}
void k_phase(struct hart *h, enum phase_id phase) { (void)h, (void)phase; }
void k_source(struct hart *h, enum source_id source) { (void)h, (void)source; }
void k_end(struct hart *h)
{
    enum class_id class = h->open[--h->depth];
    if (h->counts[h->depth]) {
        h->recorded[class]++;
        h->latency_ps[class] += engine_now(rig.engine) - h->since[h->depth];
    }
}

static void rig_count(void *machine, const char *name, uint64_t add)
{
    unsigned i = 0;
    (void)machine;
    while (rig.counters[i].name && strcmp(rig.counters[i].name, name) != 0)
        i++;
    cr_assert(i < RIG_COUNTERS - 1);
    rig.counters[i].name = name;
    rig.counters[i].value += add;
}
void k_count(struct hart *h, const char *name, uint64_t add) { (void)h; rig_count(NULL, name, add); }

static inline uint64_t rig_counter(const char *name)
{
    for (unsigned i = 0; rig.counters[i].name; i++)
        if (strcmp(rig.counters[i].name, name) == 0)
            return rig.counters[i].value;
    return 0;
}

void k_note(struct hart *h, enum note note, uint64_t a, uint64_t b)
{
    cr_assert(rig.note_count < RIG_NOTES);
    rig.notes[rig.note_count].note = note;
    rig.notes[rig.note_count].a = a;
    rig.notes[rig.note_count].b = b;
    rig.notes[rig.note_count].hart = h->id;
    rig.notes[rig.note_count++].when = engine_now(rig.engine);
    if (rig_on_note)
        rig_on_note(h, note, a);
}

/* ---- devices */

void dma_submit(struct dma_engine *d, struct dma_request *r)
{
    cr_assert(d->count < 8);
    r->refused_count = 0;
    r->fault = DMA_OK;
    d->waiting[d->count++] = r;
}
struct component *dma_component(struct dma_engine *d) { return &d->component; }

/* Ends the oldest request. */
static inline void rig_dma_finish(struct dma_engine *d, uint32_t refused, enum dma_fault why)
{
    struct dma_request *r = d->waiting[0];
    cr_assert(d->count > 0);
    memmove(d->waiting, d->waiting + 1, --d->count * sizeof *d->waiting);
    r->refused_count = refused;
    r->fault = why;
    r->done(r);
}

/* ---- the machine */

static void rig_progress(void *machine, struct agent *a) { (void)machine, (void)a; rig.progress++; }

static void rig_device_finished(void *machine, struct agent *a)
{
    (void)machine;
    a->finished = true;
    if (a->count && --rig.unfinished == 0)
        engine_stop(rig.engine);
}

static void rig_main(void *arg)
{
    struct hart *h = arg;
    if (h->agent) {
        h->agent->program->run(h, h->agent);
        h->agent->finished = h->finished = true;
        if (h->agent->count && --rig.unfinished == 0)
            engine_stop(rig.engine);
    }
    for (;;)
        hart_park(h, "nothing");
}

static const struct component_ops rig_ops;

static inline void rig_boot(unsigned harts)
{
    struct kernel_desc d = kernel_desc_default();
    d.memory_bytes = UINT64_C(32) << 20;
    d.harts = harts;
    d.scratch_bytes = UINT64_C(1) << 20;
    d.shootdown = SHOOTDOWN_IPI;
    rig = (struct rig){ .hart_count = harts };
    rig.engine = engine_new((struct engine_desc){ .queue = QUEUE_HEAP });
    rig.arena = arena_new();
    rig.memory = calloc(1, d.memory_bytes);
    rig.lines = calloc(d.memory_bytes / LINE_BYTES, sizeof *rig.lines);
    for (uint64_t i = 0; i < d.memory_bytes / LINE_BYTES; i++)
        rig.lines[i].writer = -1;
    cr_assert_null(kernel_desc_check(&d), "%s", kernel_desc_check(&d));
    kernel_init(&rig.kernel, &d);
    kernel_boot(&rig.kernel, &rig_backdoor);
    for (unsigned i = 0; i < harts; i++) {
        struct hart *h = rig.hart_list[i] = &rig.harts[i];
        h->id = i;
        h->irqs_on = true;
        h->wake = (struct event){ .fn = rig_wake_run, .owner = h, .what = "hart" };
        component_register(&rig.components, &h->component, "hart", &rig_ops);
        kernel_hart_boot(&rig.kernel, h);
    }
    rig.work = (struct work){ .kernel = &rig.kernel, .backdoor = &rig_backdoor, .engine = rig.engine, .agents = rig.agents,
                              .harts = rig.hart_list, .hart_count = harts, .arena = rig.arena, .count = rig_count,
                              .progress = rig_progress, .device_finished = rig_device_finished, .machine = &rig };
}

/* An entry of `agents:` on harts first ... first + members - 1, or on the device. desc: filled by the caller. */
static inline struct agent *rig_entry(const char *program, const void *desc, unsigned first, unsigned members, uint64_t count,
                                      uint64_t warmup, struct dma_engine *device)
{
    struct agent *entry = &rig.agents[rig.work.agent_count];
    const struct program *p = program_find(program);
    cr_assert_not_null(p, "no program %s", program);
    for (unsigned i = 0; i < members; i++) {
        struct agent *a = &rig.agents[rig.work.agent_count++];
        *a = (struct agent){ .program = p, .name = program, .work = &rig.work, .desc = desc, .member = i, .members = members,
                             .count = count, .warmup = warmup, .device = device };
        a->rng = rng_stream(1 + i, program);
        if (!device) {
            a->hart = &rig.harts[first + i];
            a->hart->agent = a;
        }
        rig.unfinished += count > 0;
    }
    return entry;
}

/* A program's parameters from `yaml` ("share: write"); NULL: defaults only. Errors fail the test. */
static inline void *rig_desc(const char *program, const char *yaml)
{
    const struct program *p = program_find(program);
    struct diag *diag = diag_new();
    void *desc = arena_alloc(rig.arena, 1, p->desc_bytes + 1);
    struct node *root = yaml ? read_text(rig.arena, diag, (struct origin){ "t.yaml", 1, 1 }, yaml) : NULL;
    if (p->params)
        param_fill(root, p->params, desc, &(struct param_ctx){ .arena = rig.arena, .diag = diag, .period_ps = RIG_CYCLE_PS });
    if (root)
        node_reject_unread(diag, root);
    cr_assert_eq(diag_count(diag), 0, "%s: bad parameters: %s", program, yaml);
    diag_free(diag);
    return desc;
}

/* Prepares all entries, runs to the end of all counted agents. */
static inline enum engine_stop rig_run(void)
{
    for (unsigned i = 0; i < rig.work.agent_count; i += rig.agents[i].members) {
        struct agent *a = &rig.agents[i];
        const char *wrong = a->program->check ? a->program->check(a->desc, &rig.work, a->members) : NULL;
        cr_assert_null(wrong, "%s: %s", a->name, wrong);
        struct diag *diag = diag_new();
        if (a->program->load && !a->program->load(&rig.work, a, a->members, NULL, diag))
            diag_print(diag, stderr);
        cr_assert_eq(diag_count(diag), 0, "%s does not load", a->name);
        diag_free(diag);
        if (a->program->prepare)
            a->program->prepare(&rig.work, a, a->members);
    }
    arena_seal(rig.arena);
    for (unsigned i = 0; i < rig.hart_count; i++) {
        struct hart *h = &rig.harts[i];
        h->fiber = fiber_new(rig_main, h, 0);
        engine_at(rig.engine, &h->component, &h->wake, 0, PHASE_ACT);
    }
    for (unsigned i = 0; i < rig.work.agent_count; i++)
        if (rig.agents[i].program->start)
            rig.agents[i].program->start(&rig.agents[i]);
    return engine_run(rig.engine, 100 * (tick)PS_PER_MS);
}

#endif
