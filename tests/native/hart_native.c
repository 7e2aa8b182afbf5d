/* tests/native/hart_native.c - the hart interface over real memory and threads. */
#include "tests/native/native.h"

#include "src/base/fail.h"
#include "src/sim/abi/pte.h"
#include "src/sim/abi/vtd.h"

#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- machine */

struct native *native_new(uint64_t bytes, unsigned harts)
{
    struct native *n = calloc(1, sizeof *n);
    CHECK(n != NULL, "native: out of memory");
    n->bytes = bytes;
    n->memory = calloc(1, bytes);
    n->harts = calloc(harts, sizeof *n->harts);
    n->hart_count = harts;
    CHECK(n->memory != NULL && n->harts != NULL, "native: out of memory");
    for (unsigned i = 0; i < harts; i++) {
        n->harts[i].machine = n;
        n->harts[i].id = i;
        n->harts[i].irqs_on = true;
    }
    return n;
}

void native_free(struct native *n)
{
    free(n->memory);
    free(n->harts);
    free(n);
}

struct backdoor *native_backdoor(struct native *n) { return (struct backdoor *)n; }

static void *at(struct native *n, paddr a, unsigned bytes)
{
    CHECK(a.v + bytes <= n->bytes && a.v % bytes == 0, "native: access to 0x%llx, %u bytes", (unsigned long long)a.v,
          bytes);
    return n->memory + a.v;
}

/* ---- memory */

#define BY_SIZE(operation) \
    switch (bytes) { \
    case 1: { typedef uint8_t word; operation } \
    case 2: { typedef uint16_t word; operation } \
    case 4: { typedef uint32_t word; operation } \
    default: { typedef uint64_t word; operation } \
    }

static uint64_t load_at(const void *p, unsigned bytes) { BY_SIZE(return *(const word *)p;) }
static void store_at(void *p, unsigned bytes, uint64_t v) { BY_SIZE(*(word *)p = (word)v; return;) }

uint64_t k_load(struct hart *h, paddr a, unsigned bytes) { return load_at(at(h->machine, a, bytes), bytes); }
void k_store(struct hart *h, paddr a, unsigned bytes, uint64_t v) { store_at(at(h->machine, a, bytes), bytes, v); }

uint64_t k_load_once(struct hart *h, paddr a, unsigned bytes)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_load_n((word *)p, __ATOMIC_RELAXED);)
}

uint64_t k_load_acquire(struct hart *h, paddr a, unsigned bytes)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_load_n((word *)p, __ATOMIC_ACQUIRE);)
}

void k_store_once(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(__atomic_store_n((word *)p, (word)v, __ATOMIC_RELAXED); return;)
}

void k_store_release(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(__atomic_store_n((word *)p, (word)v, __ATOMIC_RELEASE); return;)
}

uint64_t k_swap(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_exchange_n((word *)p, (word)v, __ATOMIC_SEQ_CST);)
}

uint64_t k_fetch_add(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_fetch_add((word *)p, (word)v, __ATOMIC_SEQ_CST);)
}

uint64_t k_fetch_or(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_fetch_or((word *)p, (word)v, __ATOMIC_SEQ_CST);)
}

uint64_t k_fetch_and(struct hart *h, paddr a, unsigned bytes, uint64_t v)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(return __atomic_fetch_and((word *)p, (word)v, __ATOMIC_SEQ_CST);)
}

bool k_cas(struct hart *h, paddr a, unsigned bytes, uint64_t *expected, uint64_t wanted)
{
    void *p = at(h->machine, a, bytes);
    BY_SIZE(word e = (word)*expected;
            bool done = __atomic_compare_exchange_n((word *)p, &e, (word)wanted, false, __ATOMIC_SEQ_CST,
                                                    __ATOMIC_SEQ_CST);
            *expected = e; return done;)
}

bool k_update(struct hart *h, paddr a, k_update_fn *decide, const void *arg, uint64_t *old)
{
    uint64_t seen = k_load_once(h, a, 8), wanted;
    do {
        wanted = seen;
        if (!decide(&wanted, arg)) {
            *old = seen;
            return false;
        }
    } while (!k_cas(h, a, 8, &seen, wanted));
    *old = seen;
    return true;
}

/* The sanitizer does not model fences, and nothing here relies on them natively. */
void k_fence(struct hart *h) { h->fences++; }
void k_fence_store(struct hart *h) { h->store_fences++; }
void k_fence_load(struct hart *h) { h->load_fences++; }
void k_prefetch_write(struct hart *h, paddr a)
{
    (void)at(h->machine, a, 1);
    h->prefetches++;
}
void k_flush(struct hart *h, paddr a) { (void)at(h->machine, a, 1); }
void k_flush_opt(struct hart *h, paddr a) { (void)at(h->machine, a, 1); }
void k_store_nt(struct hart *h, paddr a, unsigned bytes, uint64_t v) { k_store(h, a, bytes, v); }
void k_store_line(struct hart *h, paddr line, uint64_t word)
{
    for (unsigned i = 0; i < LINE_BYTES; i += 8)
        k_store(h, paddr_plus(line, i), 8, word);
}

/* ---- interrupts and contexts */

static void take_one(struct hart *h, unsigned vector)
{
    enum context before = h->context;
    CHECK(h->irq[vector].fn != NULL, "native: no handler for vector %u", vector);
    h->context = h->irq[vector].context;
    h->irqs_on = false;
    h->irqs_taken++;
    h->irq[vector].fn(h, h->irq[vector].arg);
    h->irqs_on = true;
    h->context = before;
}

void native_poll(struct hart *h)
{
    while (h->irqs_on && __atomic_load_n(&h->pending, __ATOMIC_ACQUIRE) != 0) {
        unsigned vector = (unsigned)__builtin_ctz(__atomic_load_n(&h->pending, __ATOMIC_RELAXED));
        __atomic_fetch_and(&h->pending, ~(UINT32_C(1) << vector), __ATOMIC_SEQ_CST);
        take_one(h, vector);
    }
}

void native_post(struct hart *target, unsigned vector)
{
    __atomic_fetch_or(&target->pending, UINT32_C(1) << vector, __ATOMIC_SEQ_CST);
}

void k_compute(struct hart *h, uint64_t n_cycles)
{
    h->compute_cycles += n_cycles;
    if (h->self_irq_one_in != 0) {
        h->self_irq_random = h->self_irq_random * UINT64_C(6364136223846793005) + 1442695040888963407;
        if ((h->self_irq_random >> 33) % h->self_irq_one_in == 0)
            native_post(h, h->self_irq_vector);
    }
    native_poll(h);
}

void k_pause(struct hart *h)
{
    native_poll(h);
    if (h->machine->on_pause != NULL)
        h->machine->on_pause(h);
    sched_yield();
}

uint64_t k_spin_while(struct hart *h, paddr a, unsigned bytes, uint64_t mask, uint64_t value)
{
    for (unsigned turns = 0;; turns++) {
        uint64_t word = k_load_acquire(h, a, bytes);
        if ((word & mask) != value)
            return word;
        native_poll(h);
        if (turns % 64 == 63)
            sched_yield();
    }
}

uint64_t k_now_ps(struct hart *h) { (void)h; return 0; }
unsigned hart_id(const struct hart *h) { return h->id; }
enum context hart_context(const struct hart *h) { return h->context; }
bool hart_atomic(const struct hart *h) { return h->context != CONTEXT_TASK || !h->irqs_on || h->preempt_depth != 0; }
bool hart_irqs_on(const struct hart *h) { return h->irqs_on; }

bool k_irq_save(struct hart *h)
{
    bool were_on = h->irqs_on;
    h->irqs_on = false;
    return were_on;
}

void k_irq_restore(struct hart *h, bool were_on)
{
    h->irqs_on = were_on;
    native_poll(h);
}

void k_preempt_disable(struct hart *h) { h->preempt_depth++; }
void k_preempt_enable(struct hart *h)
{
    CHECK(h->preempt_depth != 0, "native: preemption enabled more often than disabled");
    h->preempt_depth--;
}

void k_might_sleep(struct hart *h, const char *who)
{
    if (hart_atomic(h))
        k_illegal(h, "%s may sleep, and hart %u is in atomic context", who, h->id);
}

void k_sleep_ps(struct hart *h, uint64_t ps)
{
    (void)ps;
    k_might_sleep(h, "k_sleep_ps");
    k_pause(h);
}

void k_illegal(struct hart *h, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(h->illegal_text, sizeof h->illegal_text, format, ap);
    va_end(ap);
    if (h->illegal != NULL)
        longjmp(*h->illegal, 1);
    panic("illegal operation: %s", h->illegal_text);
}

void hart_set_irq(struct hart *h, unsigned vector, enum context context, irq_fn *fn, void *arg)
{
    h->irq[vector].fn = fn;
    h->irq[vector].arg = arg;
    h->irq[vector].context = context;
}

void k_ipi_send(struct hart *h, unsigned target, unsigned vector) { native_post(&h->machine->harts[target], vector); }

/* ---- translation */

void k_set_space(struct hart *h, uint16_t asid, paddr root)
{
    h->asid = asid;
    h->root = root;
}

static bool walk(struct hart *h, vaddr va, uint64_t *pte)
{
    paddr table = h->root;
    for (unsigned level = PTE_LEVELS; table.v != 0; level--) {
        *pte = k_load_acquire(h, pte_slot(paddr_frame(table), va, level), PTE_BYTES);
        if (!pte_present(*pte))
            return false;
        if (pte_leaf(*pte, level))
            return pte_user(*pte);
        table = frame_addr(pte_frame(*pte));
    }
    return false;
}

bool k_user_load(struct hart *h, vaddr va, unsigned bytes, uint64_t *value)
{
    uint64_t pte;
    if (!walk(h, va, &pte))
        return false;
    *value = k_load_once(h, paddr_plus(frame_addr(pte_frame(pte)), va.v % PAGE_BYTES), bytes);
    return true;
}

bool k_user_store(struct hart *h, vaddr va, unsigned bytes, uint64_t value)
{
    uint64_t pte;
    if (!walk(h, va, &pte) || !pte_writable(pte))
        return false;
    k_store_once(h, paddr_plus(frame_addr(pte_frame(pte)), va.v % PAGE_BYTES), bytes, value);
    return true;
}

void k_tlb_invalidate(struct hart *h, uint16_t asid, vaddr va)
{
    (void)asid;
    h->invalidated_count++;
    h->invalidated = va;
}

bool hart_has_tlb_broadcast(const struct hart *h) { return h->has_broadcast; }
void k_tlb_broadcast(struct hart *h, uint16_t asid, vaddr va)
{
    k_tlb_invalidate(h, asid, va);
    h->broadcast_count++;
}

/* ---- device registers */

uint64_t k_mmio_read(struct hart *h, paddr a, unsigned bytes)
{
    (void)bytes;
    return h->machine->mmio_read != NULL ? h->machine->mmio_read(h->machine, a) : 0;
}

void k_mmio_write(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    (void)bytes;
    if (h->machine->mmio_write != NULL)
        h->machine->mmio_write(h->machine, a, value);
}

static void queue_execute(struct native *n, struct native_queue *q)
{
    const uint64_t *words = at(n, paddr_plus(q->queue, q->head), 8);
    struct vtd_descriptor d = { words[0], words[1] };
    if (vtd_desc_type(d) == VTD_DESC_WAIT) {
        uint32_t *status = at(n, (paddr){ d.hi }, 4);
        q->waits++;
        __atomic_store_n(status, vtd_desc_data(d), __ATOMIC_RELEASE);
    } else {
        q->invalidations++;
        q->last_lo = d.lo;
        q->last_hi = d.hi;
    }
    __atomic_store_n(&q->head, (q->head + VTD_DESCRIPTOR_BYTES) % PAGE_BYTES, __ATOMIC_RELEASE);
}

bool native_queue_step(struct native *n, struct native_queue *q)
{
    if (q->head == __atomic_load_n(&q->tail, __ATOMIC_ACQUIRE))
        return false;
    queue_execute(n, q);
    return true;
}

static void check_in_flight(const struct native_queue *q, uint64_t tail)
{
    uint64_t head = __atomic_load_n(&q->head, __ATOMIC_ACQUIRE);
    uint64_t slots = (tail + PAGE_BYTES - head) % PAGE_BYTES / VTD_DESCRIPTOR_BYTES;
    CHECK(q->slots == 0 || slots <= q->slots, "native: %llu descriptors in flight", (unsigned long long)slots);
}

/* Tail writes happen under the driver's queue lock, so no lock is needed here. */
static void queue_write(struct native *n, paddr a, uint64_t value)
{
    struct native_queue *q = n->device;
    switch (a.v - q->registers.v) {
    case VTD_REG_RTADDR: q->root_table.v = value; break;
    case VTD_REG_IQA: q->queue.v = value & ~UINT64_C(0xfff); break;
    case VTD_REG_GCMD: q->commands |= (uint32_t)value; break;
    case VTD_REG_IQT:
        check_in_flight(q, value);
        __atomic_store_n(&q->tail, value, __ATOMIC_RELEASE);
        while (!q->deferred && native_queue_step(n, q))
            ;
        break;
    default: panic("native: write to register 0x%llx", (unsigned long long)(a.v - q->registers.v));
    }
}

static uint64_t queue_read(struct native *n, paddr a)
{
    struct native_queue *q = n->device;
    return a.v - q->registers.v == VTD_REG_GSTS ? q->commands : 0;
}

void native_queue_install(struct native *n, struct native_queue *q)
{
    n->device = q;
    n->mmio_write = queue_write;
    n->mmio_read = queue_read;
}

/* ---- accounting */

void k_begin(struct hart *h, enum class_id c)
{
    CHECK(h->depth < 16, "native: sixteen open requests");
    h->open[h->depth] = c;
    h->phase[h->depth] = class_infos[c].first_phase;
    h->phases_open[h->depth] = UINT32_C(1) << class_infos[c].first_phase;
    h->source[h->depth] = SOURCE_NONE;
    h->depth++;
}

void k_phase(struct hart *h, enum phase_id p)
{
    CHECK(h->depth != 0, "native: a phase outside any request");
    h->phase[h->depth - 1] = p;
    h->phases_open[h->depth - 1] |= UINT32_C(1) << p;
}

void k_source(struct hart *h, enum source_id s)
{
    CHECK(h->depth != 0, "native: a source outside any request");
    h->source[h->depth - 1] = s;
}

void k_end(struct hart *h)
{
    CHECK(h->depth != 0, "native: k_end without k_begin");
    h->depth--;
    enum class_id c = h->open[h->depth];
    h->class_count[c]++;
    h->last_source[c] = h->source[h->depth];
    h->phases_seen[c] = h->phases_open[h->depth];
}

void k_count(struct hart *h, const char *name, uint64_t add)
{
    for (unsigned i = 0; i < NATIVE_COUNTERS; i++) {
        if (h->counter[i].name == NULL)
            h->counter[i].name = name;
        if (strcmp(h->counter[i].name, name) == 0) {
            h->counter[i].value += add;
            return;
        }
    }
    panic("native: more than %d counters", NATIVE_COUNTERS);
}

uint64_t native_counter(const struct hart *h, const char *name)
{
    for (unsigned i = 0; i < NATIVE_COUNTERS && h->counter[i].name != NULL; i++)
        if (strcmp(h->counter[i].name, name) == 0)
            return h->counter[i].value;
    return 0;
}

void k_note(struct hart *h, enum note note, uint64_t a, uint64_t b)
{
    unsigned slot = h->note_count++ % NATIVE_NOTES;
    h->notes[slot].note = note;
    h->notes[slot].a = a;
    h->notes[slot].b = b;
}

/* ---- back door */

uint64_t backdoor_read(struct backdoor *b, paddr a, unsigned bytes)
{
    return load_at(at((struct native *)b, a, bytes), bytes);
}

void backdoor_write(struct backdoor *b, paddr a, unsigned bytes, uint64_t value)
{
    store_at(at((struct native *)b, a, bytes), bytes, value);
}

void backdoor_image(struct backdoor *b, frame first, uint64_t count,
                    void (*fn)(void *arg, frame f, uint64_t words[PAGE_BYTES / 8]), void *arg)
{
    struct native *n = (struct native *)b;
    CHECK((first.v + count) * PAGE_BYTES <= n->bytes, "native: image beyond memory");
    for (uint64_t i = 0; i < count; i++) {
        frame f = { first.v + i };
        fn(arg, f, (uint64_t *)(void *)(n->memory + frame_addr(f).v));
    }
}
