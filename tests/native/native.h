/* tests/native/native.h - the kernel files on real threads: a backend of src/sim/hart.h over flat host memory.
 *
 * Plain accesses stay plain, marked ones are __atomic, so that the thread sanitizer judges the kernel code by the
 * words it uses. One host thread per hart. Interrupts are posted bits that the target takes at its next k_ call
 * that may take them (k_compute, k_pause, k_spin_while, k_irq_restore). No time, no caches, no TLB: a user access
 * walks the tables each time. Everything below is for tests only.
 */
#ifndef LAB_TESTS_NATIVE_H
#define LAB_TESTS_NATIVE_H

#include "src/sim/hart.h"

#include <setjmp.h>

struct native;
typedef void native_mmio_write_fn(struct native *, paddr, uint64_t value);
typedef uint64_t native_mmio_read_fn(struct native *, paddr);

enum { NATIVE_COUNTERS = 16, NATIVE_NOTES = 64 };

struct hart {
    struct native *machine;
    unsigned id;
    /* context */
    bool irqs_on;
    unsigned preempt_depth;
    enum context context;
    uint32_t pending;             /* vectors; atomic */
    struct { irq_fn *fn; void *arg; enum context context; } irq[IRQ_VECTORS];
    unsigned self_irq_one_in;     /* k_compute posts self_irq_vector once in that many calls, by self_irq_random; 0 never */
    unsigned self_irq_vector;
    uint64_t self_irq_random;
    uint64_t irqs_taken;
    /* translation */
    uint16_t asid;
    paddr root;
    uint64_t invalidated_count;
    vaddr invalidated;            /* the last one */
    bool has_broadcast;
    uint64_t broadcast_count;
    /* accounting, for unit tests to look at */
    unsigned depth;
    enum class_id open[16];
    enum phase_id phase[16];
    enum source_id source[16];
    uint64_t class_count[CLASS_COUNT];
    enum source_id last_source[CLASS_COUNT];
    uint32_t phases_seen[CLASS_COUNT]; /* bits, of the last request */
    uint32_t phases_open[16];
    uint64_t compute_cycles;
    uint64_t fences, load_fences, store_fences, prefetches;
    struct { const char *name; uint64_t value; } counter[NATIVE_COUNTERS];
    struct { enum note note; uint64_t a, b; } notes[NATIVE_NOTES];
    unsigned note_count;          /* all that were told; the last NATIVE_NOTES are kept, ring */
    /* an illegal operation jumps here if set, otherwise it ends the program */
    jmp_buf *illegal;
    char illegal_text[200];
};

struct native {
    unsigned char *memory;
    uint64_t bytes;
    unsigned hart_count;
    struct hart *harts;
    native_mmio_write_fn *mmio_write; /* NULL: writes are lost */
    native_mmio_read_fn *mmio_read;   /* NULL: reads give 0 */
    void (*on_pause)(struct hart *);  /* called by k_pause; NULL: nothing */
    void *device;
};

struct native *native_new(uint64_t bytes, unsigned harts);
void native_free(struct native *);
struct backdoor *native_backdoor(struct native *);
uint64_t native_counter(const struct hart *, const char *name);
/* Takes interrupts posted to this hart, if it may. */
void native_poll(struct hart *);
void native_post(struct hart *target, unsigned vector);

/* An invalidation queue without an IOMMU behind it: executes descriptors up to the tail and writes the wait
 * descriptors' statuses; at once, or, if deferred, when a thread of its own calls native_queue_step. Installs
 * itself as the machine's MMIO. */
struct native_queue {
    paddr registers, queue;
    bool deferred;
    uint64_t tail; /* atomic */
    uint64_t slots;                   /* the driver may not have more in flight; 0: not checked */
    uint64_t head /* atomic */, invalidations, waits;
    uint64_t last_lo, last_hi;    /* the last invalidation */
    uint32_t commands;            /* GCMD enables and SRTP seen */
    paddr root_table;
};
void native_queue_install(struct native *, struct native_queue *);
bool native_queue_step(struct native *, struct native_queue *); /* one descriptor; false: none waits */

#endif
