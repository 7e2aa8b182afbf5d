/* src/sim/hart.h - all that simulated software may call. The seam between kernel code and machine: the
 * simulator's backend is models/hart; a native one (real atomics, real threads) exists for tests.
 *
 * The k_ prefix means: simulated time passes here, interrupts may run, and other harts may run before this
 * returns. Addresses of kernel data are physical (a direct map in huge pages that never misses the TLB).
 * Accesses are naturally aligned, 1, 2, 4 or 8 bytes.
 */
#ifndef LAB_SIM_HART_H
#define LAB_SIM_HART_H

#include "src/base/units.h"
#include "src/sim/classes.h"

struct hart;

/* ---- memory. Plain accesses stay plain natively (a race on them is a bug the thread sanitizer sees);
 * _once, _acquire and _release are the marked ones. Order is x86-TSO: a release store is a plain store. */
uint64_t k_load(struct hart *, paddr, unsigned bytes);
uint64_t k_load_once(struct hart *, paddr, unsigned bytes);
uint64_t k_load_acquire(struct hart *, paddr, unsigned bytes);
void k_store(struct hart *, paddr, unsigned bytes, uint64_t value);
void k_store_once(struct hart *, paddr, unsigned bytes, uint64_t value);
void k_store_release(struct hart *, paddr, unsigned bytes, uint64_t value);
/* Locked read-modify-writes; full barriers, as on x86. Return the old value. */
uint64_t k_swap(struct hart *, paddr, unsigned bytes, uint64_t value);
uint64_t k_fetch_add(struct hart *, paddr, unsigned bytes, uint64_t add);
uint64_t k_fetch_or(struct hart *, paddr, unsigned bytes, uint64_t bits);
uint64_t k_fetch_and(struct hart *, paddr, unsigned bytes, uint64_t bits);
bool k_cas(struct hart *, paddr, unsigned bytes, uint64_t *expected, uint64_t wanted); /* *expected: what was found */
/* Pure decision in a retry loop: `decide` edits a copy of the 8-byte word or refuses. The only such loop. */
typedef bool k_update_fn(uint64_t *word, const void *arg);
bool k_update(struct hart *, paddr, k_update_fn *decide, const void *arg, uint64_t *old);

void k_fence(struct hart *);        /* mfence: store buffer empty and write-combining buffers visible */
void k_fence_store(struct hart *);  /* sfence: orders non-temporal stores and flushes */
void k_fence_load(struct hart *);   /* lfence: no later instruction begins before all earlier loads are done;
                                       the speculation barrier */
void k_prefetch_write(struct hart *, paddr); /* ask for ownership, do not wait; ends at fill, no fence waits for it */
void k_flush(struct hart *, paddr);      /* clflush: ordered with stores; no cache holds the line afterwards */
void k_flush_opt(struct hart *, paddr);  /* clflushopt: ordered by fences only */
void k_store_nt(struct hart *, paddr, unsigned bytes, uint64_t value); /* write-combining, weakly ordered */
void k_store_line(struct hart *, paddr line, uint64_t word); /* string store: a whole line of `word`, owned
                                                                without fetching it */

/* ---- time and waiting */
void k_compute(struct hart *, uint64_t n_cycles);     /* instruction work between accesses */
void k_pause(struct hart *);                          /* one turn of a spin loop */
/* Returns when (load & mask) != value. Sleeps on the line, bills whole loop turns, runs interrupts. Returns
 * the word that ended it. Acquire. */
uint64_t k_spin_while(struct hart *, paddr, unsigned bytes, uint64_t mask, uint64_t value);
uint64_t k_now_ps(struct hart *);                     /* rdtsc, free of charge; natively 0 */
unsigned hart_id(const struct hart *);

/* ---- contexts. Atomic context is a property of the running hart: interrupt handlers, softirqs, interrupts off, or
 * preemption disabled. An NMI comes whether interrupts are on or off. */
enum context { CONTEXT_TASK, CONTEXT_SOFTIRQ, CONTEXT_HARDIRQ, CONTEXT_NMI };
enum context hart_context(const struct hart *);
bool hart_atomic(const struct hart *);
bool k_irq_save(struct hart *);                       /* interrupts off; returns whether they were on */
void k_irq_restore(struct hart *, bool were_on);
bool hart_irqs_on(const struct hart *);
void k_preempt_disable(struct hart *);
void k_preempt_enable(struct hart *);
void k_might_sleep(struct hart *, const char *who);   /* in atomic context: illegal operation, exit 3 */
void k_sleep_ps(struct hart *, uint64_t ps);          /* task context only; interrupts run meanwhile */
/* An operation that the simulated software may not do: stops the run, exit 3. Returns natively never. */
_Noreturn void k_illegal(struct hart *, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- interrupts */
enum { IRQ_VECTORS = 16 };
typedef void irq_fn(struct hart *, void *arg);
void hart_set_irq(struct hart *, unsigned vector, enum context, irq_fn *, void *arg); /* at boot */
/* A softirq runs in CONTEXT_SOFTIRQ when no handler runs and interrupts are on: after the interrupt that raised it, or
 * at once in a task. Interrupts stay on in it; no softirq interrupts another. */
enum { SOFTIRQS = 8 };
void hart_set_softirq(struct hart *, unsigned number, irq_fn *, void *arg); /* at boot */
void k_raise_softirq(struct hart *, unsigned number);
void k_ipi_send(struct hart *, unsigned target_hart, unsigned vector); /* posted: returns after the ICR write */

/* ---- address translation */
void k_set_space(struct hart *, uint16_t asid, paddr root);        /* load of the page-table base */
bool k_user_load(struct hart *, vaddr, unsigned bytes, uint64_t *value); /* false: not mapped (page fault) */
bool k_user_store(struct hart *, vaddr, unsigned bytes, uint64_t value); /* false: not mapped or not writable */
void k_tlb_invalidate(struct hart *, uint16_t asid, vaddr);        /* invlpg, this hart only */
bool hart_has_tlb_broadcast(const struct hart *);
void k_tlb_broadcast(struct hart *, uint16_t asid, vaddr);         /* all harts; returns when all have acknowledged */

/* ---- device registers */
uint64_t k_mmio_read(struct hart *, paddr, unsigned bytes);
void k_mmio_write(struct hart *, paddr, unsigned bytes, uint64_t value); /* posted */

/* ---- accounting: marks cost no simulated time. k_end closes the innermost request. */
void k_begin(struct hart *, enum class_id);
void k_phase(struct hart *, enum phase_id);
void k_source(struct hart *, enum source_id);
void k_end(struct hart *);
void k_count(struct hart *, const char *counter, uint64_t add); /* counters{} of the results; name is a literal */

/* ---- facts told to observers (oracle, traces): no simulated time, no effect on the machine */
enum note {
    NOTE_PAGE_ALLOCATED,  /* a: frame, b: order */
    NOTE_PAGE_FREED,      /* a: frame, b: order */
    NOTE_GRANT_BEGIN,     /* a: GRANT_* bits selected */
    NOTE_GRANT_FRAME,     /* a: frame being granted */
    NOTE_LOCK_HELD,       /* a: frame, b: physical address of the lock word */
    NOTE_LOCK_DROPPED,    /* a: frame */
    NOTE_GRANT_END,       /* a: frame, b: GRANT_* bits; judged now */
    NOTE_GRANT_GIVEN_BACK /* a: frame; no longer judged */
};
enum grant_part { GRANT_COHERENCE = 1, GRANT_DEVICE = 2, GRANT_LOCK = 4, GRANT_SECURE = 8, GRANT_ALL = 15 };
void k_note(struct hart *, enum note, uint64_t a, uint64_t b);

/* ---- boot: state written by a back door before time starts (and read by checks after a storm) */
struct backdoor;
uint64_t backdoor_read(struct backdoor *, paddr, unsigned bytes);
void backdoor_write(struct backdoor *, paddr, unsigned bytes, uint64_t value);
/* Pages of [first, first+count) get their first content from fn when first touched. */
void backdoor_image(struct backdoor *, frame first, uint64_t count,
                    void (*fn)(void *arg, frame f, uint64_t words[PAGE_BYTES / 8]), void *arg);

#endif
