/* models/hart/hart.h - an in-order hart with a TSO store buffer: the simulator's backend of src/sim/hart.h.
 *
 *   program (a fiber) -- k_load, k_store, ... --> [store buffer, in order] --> cache agent
 *                     <-- interrupts at operation boundaries, in waits and in long computations
 *
 * One hart per core (no simultaneous multithreading). Loads block; stores retire into the buffer, which asks for
 * ownership of waiting entries ahead (up to the MSHRs) and commits in order; whole-line string stores are unordered
 * among themselves only (Intel SDM vol. 1, 7.3.9.3). Locked operations and mfence drain the buffer.
 */
#ifndef LAB_MODELS_HART_HART_H
#define LAB_MODELS_HART_HART_H

#include "models/access.h"
#include "models/port.h"
#include "src/sim/engine.h"
#include "src/sim/fiber.h"
#include "src/sim/hart.h"
#include "src/sim/inspect.h"
#include "src/sim/memory.h"

struct hart_desc {
    clk clock;
    uint32_t store_buffer;      /* entries; 0: stores wait until visible (sequential consistency) */
    uint32_t wc_buffers;        /* write-combining buffers for non-temporal stores, at least 1 */
    tick l1_ps, l2_ps;          /* load to use on a hit in L1, in L2 */
    tick issue_ps;              /* a store or prefetch takes the hart this long */
    tick string_store_ps;       /* one line of a string store does */
    tick commit_ps;             /* least time between two commits of the store buffer */
    tick fill_ps;               /* data at the cache to use by the hart */
    tick atomic_ps;             /* locked operation once the line is owned */
    tick fence_ps;              /* mfence with an empty store buffer */
    tick load_fence_ps;         /* lfence */
    tick spin_ps;               /* one turn of a spin loop */
    tick tlb_ps;                /* added to an access that hits the TLB (0: hidden in L1's lookup) */
    tick ipi_send_ps;           /* the sender's ICR write */
    tick ipi_ps;                /* from there to the target's interrupt pin */
    tick irq_entry_ps, irq_exit_ps;
    tick mmio_ps;               /* one way, hart to device */
    bool tlb_broadcast;         /* has a broadcast invalidation instruction */
};

struct hart_mmu {               /* the machine's glue to models/mmu; NULL functions: no user accesses */
    void *tlb;
    bool (*lookup)(void *tlb, uint16_t asid, vaddr, bool write, frame *);
    bool (*walk)(uint64_t (*load)(void *ctx, paddr, unsigned bytes), void *ctx, void *tlb, uint16_t asid, paddr root, vaddr,
                 bool write, frame *); /* inserts what it found */
    void (*invalidate)(void *tlb, uint16_t asid, vaddr);
};

struct hart_env {
    struct engine *engine;
    struct memory *memory;
    struct net *net;
    struct account *account;
    struct observer *observer;  /* never NULL; members may be */
    struct hart_mmu mmu;
    unsigned harts;
    struct hart *(*hart_at)(void *machine, unsigned id);
    const struct mmio_target *(*mmio_at)(void *machine, paddr);
    void (*illegal)(void *machine, unsigned hart, const char *text);
    void (*count)(void *machine, const char *counter, uint64_t add);
    void (*finished)(void *machine, unsigned hart); /* the program returned */
    void *machine;
};

struct hart_counters {
    uint64_t loads, stores, atomics, fences, forwarded, interrupts, ipis, prefetch_acquired, prefetch_owned,
        store_buffer_full, tlb_hits, tlb_misses;
    uint64_t straggler[LINES_PER_PAGE]; /* page.own: which line of the page came last */
};

struct hart *hart_new(struct component_list *, const char *name, unsigned id, const struct hart_desc *,
                      const struct hart_env *);
void hart_free(struct hart *);
void hart_connect(struct hart *, struct cache *);
struct cache_owner hart_cache_owner(struct hart *);
/* What the hart is to run; it starts at tick 0. NULL: it idles and serves interrupts. */
void hart_program(struct hart *, void (*program)(struct hart *, void *arg), void *arg, size_t stack_bytes);
void hart_start(struct hart *);
void hart_post_irq(struct hart *, unsigned vector); /* the pin: a device or another hart */
void hart_deliver(struct hart *, struct msg *);     /* TLB_INVALIDATE and TLB_ACK */
const struct hart_counters *hart_counters(const struct hart *);
uint64_t hart_host_bytes(const struct hart *);
/* Agents switch recording of requests and accesses on after their warm-up. */
void hart_record(struct hart *, bool on);
/* For agents that meet without simulated traffic (untimed barriers): sleep until hart_wake, interrupts are served. */
void hart_park(struct hart *, const char *why);
void hart_wake(struct hart *);
/* What it does now, for people. */
struct hart_view {
    bool finished;              /* its program has returned, or it never had one */
    bool computes;              /* time passes by its own clock; otherwise it waits */
    const char *waits_for;      /* "data" */
    tick since;                 /* of the wait */
    bool on_line;               /* the wait is for a line, this: */
    lineno line;
    bool irqs_on;
    uint32_t irqs_pending;      /* one bit per vector */
    enum context context;
    unsigned stores, store_buffer; /* buffered, entries there are */
};
struct hart_view hart_view(const struct hart *);
/* Buffered stores, oldest first. kind: "store", "line" (a whole line), "clflush", "clflushopt". */
void hart_each_store(const struct hart *, void (*fn)(void *arg, const char *kind, paddr, unsigned bytes, uint64_t value), void *arg);
bool hart_in_timed_wait(const struct hart *); /* it computes or sleeps and will go on by itself */

#endif
