/* models/hart/private.h - the inside of a hart, shared by the files of this folder only. */
#ifndef LAB_MODELS_HART_PRIVATE_H
#define LAB_MODELS_HART_PRIVATE_H

#include "models/hart/hart.h"
#include "src/base/fail.h"

enum store_kind { STORE_PLAIN, STORE_LINE, STORE_FLUSH, STORE_FLUSH_OPT };
enum { WC_MAX = 32, CONTEXT_FRAMES = 4 };

struct store_entry {
    paddr addr;
    uint64_t value;
    uint8_t bytes;              /* 64 for STORE_LINE */
    uint8_t kind;
    bool asked;                 /* ownership requested ahead */
    bool from_l2;               /* the line was in L2 only and is on its way to L1 */
    bool started, performed;    /* STORE_LINE: its own access is under way / over */
    bool recorded;
    bool handed;                /* the drain took over the hart's paths with this entry */
    tick issued;
    struct path_set requests;   /* ids and starts only: what was open at issue, the store itself innermost */
    struct access access;       /* STORE_LINE and flushes that run ahead */
    struct hart *hart;
};

struct wc_buffer {
    bool used, flushing;
    lineno line;
    uint64_t words[LINE_BYTES / 8];
    uint64_t byte_mask;
    tick opened;
    struct access access;
    struct hart *hart;
};

/* A broadcast invalidation that is not answered yet. */
struct owed_ack {
    struct msg ack;
    bool access;                /* a user access was under way when it came, and still is */
    uint64_t after;             /* this many entries must have left the store buffer */
};

enum wait_kind { WAIT_NONE, WAIT_TIME, WAIT_ACCESS, WAIT_MSHR, WAIT_DRAIN, WAIT_SLOT, WAIT_LINE, WAIT_WAKE, WAIT_ACKS, WAIT_WC };

struct hart {
    struct component component;
    unsigned id;
    struct hart_desc desc;
    struct hart_env env;
    struct cache *cache;
    struct fiber *fiber;
    void (*program)(struct hart *, void *);
    void *program_arg;
    bool finished;
    struct event wake;
    enum wait_kind waiting;
    const char *waiting_why;
    tick waiting_since;
    lineno waiting_line;
    bool interruptible;         /* the wait ends early on an interrupt */
    struct ledger ledger;
    uint64_t access_ids;        /* ids of single accesses, apart from the ledger's */
    /* one blocking access at a time */
    struct access access;
    paddr access_addr;
    unsigned access_bytes;
    bool access_done;
    uint64_t access_value;
    enum source_id access_source;
    struct rmw { uint8_t op; uint64_t operand, expected; bool succeeded; } rmw;
    /* store buffer: ring */
    struct store_entry *sb;
    uint32_t sb_head, sb_count, sb_mask;
    uint64_t sb_left;           /* entries that have left it so far */
    struct path_set drain;
    bool drain_busy;            /* the head's access is under way */
    bool drain_starved;         /* the head was refused an MSHR */
    tick drain_free_at;
    struct event drain_event;
    struct access head_access;
    uint32_t flushes_out;       /* clflushopt under way */
    /* write combining */
    struct wc_buffer wc[WC_MAX];
    uint32_t wc_used;
    /* interrupts and contexts */
    struct irq_line { irq_fn *fn; void *arg; enum context context; } irq[IRQ_VECTORS], softirq[SOFTIRQS];
    uint32_t irq_pending, softirq_pending, nmi_vectors;
    struct context_frame { enum context context; unsigned number; uint32_t requests; } frames[CONTEXT_FRAMES];
    uint32_t frame_count;       /* contexts entered and not left: which, by what, over so many open requests */
    bool irqs_on;
    enum context context;
    uint32_t preempt_count;
    /* translation */
    uint16_t asid;
    paddr root;
    uint32_t tlb_acks;
    bool user_access;           /* one is under way, from its translation to its value or store-buffer entry */
    struct owed_ack *owed;      /* at most one of each other hart */
    uint32_t owed_count;
    /* stragglers */
    lineno last_filled;
    struct hart_counters counters;
};

static inline tick now_of(const struct hart *h) { return engine_now(h->env.engine); }

/* hart.c */
void hart_advance(struct hart *, tick ps);                 /* core time passes; marks nothing */
void hart_suspend(struct hart *, enum wait_kind, const char *why, bool interruptible);
void hart_resume_soon(struct hart *, tick when);           /* from engine context: end the wait at `when` */

/* context.c */
void irq_poll(struct hart *);
bool irq_deliverable(const struct hart *);

/* access.c */
enum rmw_op { RMW_SWAP, RMW_ADD, RMW_OR, RMW_AND, RMW_CAS };
uint64_t hart_load(struct hart *, paddr, unsigned bytes);
/* A single access is a request of its own on the hart's paths while it lasts. */
void access_open(struct hart *, tick now);
void access_close(struct hart *, enum class_id, tick start, enum source_id);

/* translate.c */
void tlb_acks_due(struct hart *);                          /* answers the broadcast invalidations that are over */

/* store_buffer.c */
void sb_init(struct hart *);
void sb_push(struct hart *, enum store_kind, paddr, unsigned bytes, uint64_t value);
void sb_wait_empty(struct hart *, const char *why);
bool sb_holds_unordered(const struct hart *); /* string stores, clflushopt */
/* 1: the youngest covering store gave the value; 0: no overlap; -1: partial overlap. */
int sb_forward(const struct hart *, paddr, unsigned bytes, uint64_t *value);
void sb_mshr_freed(struct hart *, const struct path_set *birth, const struct delta *);
void wc_store(struct hart *, paddr, unsigned bytes, uint64_t value);
void wc_drain(struct hart *);
int wc_overlaps(const struct hart *, paddr, unsigned bytes);

#endif
