/* src/oracle/judge.h - what the parts of the judge share: agents, watched pages, held locks, findings. */
#ifndef LAB_ORACLE_JUDGE_H
#define LAB_ORACLE_JUDGE_H

#include "src/oracle/oracle.h"
#include "src/oracle/shadow.h"

enum {
    FILTER_BUCKETS = 64,   /* of the issued stores, by word: an empty bucket spares the search */
    RECENT_WANTS = 32,     /* per agent: as many as a core has misses under way, and some more */
    RECENT_ATOMICS = 16,   /* per agent: enough for an interrupt between taking a lock and saying so */
    CLAIMS_MAX = 8,        /* per agent: loads forwarded from stores that are not announced */
    JOURNAL_ENTRIES = 1024 /* allocations and frees remembered for texts */
};

struct agent_set { uint64_t w[AGENTS_MAX / 64]; };
static inline void set_add(struct agent_set *s, unsigned a) { s->w[a / 64] |= UINT64_C(1) << (a % 64); }
static inline void set_remove(struct agent_set *s, unsigned a) { s->w[a / 64] &= ~(UINT64_C(1) << (a % 64)); }
static inline bool set_has(const struct agent_set *s, unsigned a) { return s->w[a / 64] >> (a % 64) & 1; }

/* ---- events remembered of a watched page */
enum seen_what {
    SEEN_LOAD, SEEN_FORWARDED, SEEN_STORE, SEEN_ATOMIC, SEEN_LINE, SEEN_WANTS_READ, SEEN_WANTS_WRITE,
    SEEN_DMA_READ, SEEN_DMA_WRITE, SEEN_DMA_REFUSED, SEEN_BARRIER_FULL, SEEN_BARRIER_STORE, SEEN_BARRIER_LOAD,
    SEEN_FRAME, SEEN_LOCK_HELD, SEEN_LOCK_DROPPED, SEEN_END, SEEN_WHAT_COUNT
};
struct seen {
    tick first_time, last_time;
    uint64_t first_address, last_address; /* of a run of like events by one agent */
    uint64_t value;                       /* of the last */
    uint32_t count;
    uint16_t agent;
    uint8_t what;
};

/* ---- a page being granted or granted */
struct watched_line {
    uint64_t owned_at;        /* event number at which the owner was last seen alone with it; 0 never */
    struct agent_set open;    /* others that asked and have not been seen to use the line since */
    struct agent_set asked;   /* others whose question was open at owned_at, or came after it */
    bool asked_by_user;       /* one of them could reach the page through its TLB when it asked */
};
struct watch {
    struct shadow_page *page;
    struct watch *next_free, *next_made;
    unsigned owner;           /* the hart to which the page is granted */
    unsigned parts;           /* enum grant_part bits */
    bool granted;             /* NOTE_GRANT_END has come */
    tick begin;
    unsigned reported;        /* bits of enum promise: one finding of a kind per grant is enough */
    unsigned scanned_agent;   /* the last write was this agent's, to this line, and was found alone: */
    lineno scanned_line;      /* further stores of the run need no new scan */
    bool scanned;
    uint64_t store_at;        /* event number of the last store to the page, or of the grant's begin */
    bool early_load;          /* the owner loaded after that store with no barrier between, */
    paddr early_address;      /* here */
    tick early_time;          /* and then */
    struct watched_line line[LINES_PER_PAGE];
    unsigned ring_next, ring_count;
    struct seen *ring;        /* desc.history entries */
};

struct held_lock {
    frame f;
    paddr word;               /* bit 0 of the byte at this address is the lock */
    unsigned holder;
    bool released;            /* the holder has cleared the bit; NOTE_LOCK_DROPPED is still to come */
    tick since;
};

/* ---- agents */
struct issued { paddr a; uint64_t value; unsigned bytes; bool unordered; tick time; };
struct seen_atomic { paddr a; uint64_t old, new_value; unsigned bytes; };
struct claim { paddr a; uint64_t value; unsigned bytes; tick time; };
struct judged {
    struct shadow_page *last;          /* page cache: most accesses repeat it */
    struct issued *queue;              /* issued stores, a ring */
    unsigned queue_head, queue_count, queue_size;
    uint16_t filter[FILTER_BUCKETS];
    struct claim claim[CLAIMS_MAX];
    unsigned claim_count;
    uint64_t barrier_at;               /* event number of the last completed load barrier */
    lineno wanted[RECENT_WANTS];       /* asked for and not seen to be used since */
    unsigned wanted_count, wanted_next;
    uint64_t wanted_filter;            /* bit line % 64 is set if one of them may be that line */
    struct seen_atomic atomic[RECENT_ATOMICS];
    unsigned atomic_count;
    bool honours_lock;
    struct { bool active; unsigned parts; tick begin; uint64_t begin_at; struct watch *watch; } grant;
};

struct journal { tick time; frame f; uint16_t hart; uint8_t order; bool allocated; };
struct frames {
    uint64_t **chunk;                  /* two bits per frame */
    size_t chunk_count;
    struct journal journal[JOURNAL_ENTRIES];
    uint64_t journal_count;
};

struct oracle {
    struct inspector in;
    violation_fn *violation;
    void *machine;
    struct oracle_desc desc;
    struct oracle_report report;
    uint64_t now_at;                   /* event number: orders what falls on one tick */
    struct shadow shadow;
    struct judged *agent;              /* AGENTS_MAX */
    struct watch *free_watches, *made_watches;
    struct held_lock *lock;
    unsigned lock_count, lock_size;
    struct frames frames;
};

static inline struct shadow_page *page_of(struct oracle *o, unsigned agent, paddr a)
{
    struct judged *g = &o->agent[agent];
    frame f = paddr_frame(a);
    if (!g->last || g->last->f.v != f.v)
        g->last = shadow_page(&o->shadow, f);
    return g->last;
}
/* The low `bytes` of a value. */
static inline uint64_t low_bytes(uint64_t value, unsigned bytes)
{
    return value & access_mask((paddr){ 0 }, bytes);
}
static inline bool is_hart(const struct oracle *o, unsigned agent) { return agent < o->in.harts; }

/* ---- findings (report.c) */
enum promise {
    PROMISE_VALUE, PROMISE_ORDER, PROMISE_DRAINED, PROMISE_SINGLE_WRITER, PROMISE_COHERENCE, PROMISE_DEVICE,
    PROMISE_LOCK, PROMISE_LOCK_ILLEGAL, PROMISE_SECURE, PROMISE_ALLOCATOR, PROMISE_COUNT
};
/* Reports a finding: who, where, when, and what was seen in words. The page's and line's history follow. */
void found(struct oracle *, enum promise, unsigned agent, paddr, tick now, const char *format, ...)
    __attribute__((format(printf, 6, 7), nonnull(6)));
const char *name_of(const struct oracle *, unsigned agent);
void print_time(FILE *, tick);         /* nanoseconds with three decimals */
struct time_text { char s[40]; };
struct time_text time_text(tick);

/* ---- values (values.c) */
void values_store_issued(struct oracle *, unsigned agent, paddr, unsigned bytes, uint64_t value, tick now);
bool values_store_visible(struct oracle *, unsigned agent, paddr, unsigned bytes, uint64_t value, tick now);
                          /* whether it was an ordinary (announced) store */
void values_line_issued(struct oracle *, unsigned agent, lineno, uint64_t word, tick now);
void values_line_visible(struct oracle *, unsigned agent, lineno, uint64_t word);
void values_load(struct oracle *, struct shadow_page *, unsigned agent, paddr, unsigned bytes, uint64_t value,
                 bool forwarded, tick now);
void values_atomic(struct oracle *, struct shadow_page *, unsigned agent, paddr, unsigned bytes, uint64_t old,
                   uint64_t new_value, tick now);
void values_drained(struct oracle *, unsigned agent, paddr, const char *what, tick now);
bool values_has_issued(const struct oracle *, unsigned agent, frame, struct issued *out); /* oldest to the page */

/* ---- watched pages (watch.c) */
void wants_opened(struct judged *, lineno);
void wants_search(struct judged *, lineno);
static inline void wants_served(struct judged *g, lineno line) /* the agent uses the line */
{
    if (g->wanted_filter >> (line.v % 64) & 1)
        wants_search(g, line);
}
struct watch *watch_begin(struct oracle *, frame, unsigned owner, unsigned parts, tick begin);
void watch_end(struct oracle *, struct watch *);
void watch_remember(struct oracle *, struct watch *, enum seen_what, unsigned agent, uint64_t address,
                    uint64_t value, tick now);
void watch_print(const struct oracle *, const struct watch *, FILE *);
void watch_wants(struct oracle *, struct watch *, unsigned agent, lineno, bool write, tick now);
/* The agent's questions for the lines of [a, a + bytes) are answered. */
void watch_served(struct watch *, unsigned agent, paddr a, unsigned bytes);
/* A load, store, atomic, line or DMA of an agent performed on the page. */
void watch_access(struct oracle *, struct watch *, enum seen_what, unsigned agent, paddr, uint64_t value, tick now);

/* ---- copies (copies.c) */
struct scan {
    unsigned self;
    bool own_present, own_writable;
    uint32_t own_version;
    bool other_found, other_writable;
    unsigned other;                    /* the first one, */
    char other_state[24];              /* its state as the machine calls it */
    struct agent_set others;           /* all that can read or write a copy */
    uint32_t newest_version;           /* of the others' usable copies; valid if other_found */
};
void copies_scan(struct oracle *, lineno, unsigned self, struct scan *out);
/* A write performed on a watched line; must_own: it cannot have performed without owning the line. */
void copies_written(struct oracle *, struct watch *, unsigned agent, lineno, bool must_own, tick now);
void copies_judge_end(struct oracle *, struct watch *, tick now);

/* ---- locks (lock.c) */
void lock_note_held(struct oracle *, unsigned hart, frame, paddr word, tick now);
void lock_note_dropped(struct oracle *, unsigned hart, frame, tick now);
void lock_word_written(struct oracle *, unsigned agent, paddr, unsigned bytes, tick now);
const struct held_lock *lock_of(const struct oracle *, frame, unsigned holder); /* not released; or NULL */
lineno lock_line(const struct oracle *, frame, lineno otherwise); /* where the frame's held lock lies */
void lock_judge_end(struct oracle *, struct watch *, tick now);

/* ---- grants (grant.c) */
void grant_note(struct oracle *, unsigned hart, enum note, uint64_t a, uint64_t b, tick now);

/* ---- frames (frames.c) */
void frames_allocated(struct oracle *, unsigned hart, frame, unsigned order, tick now);
void frames_freed(struct oracle *, unsigned hart, frame, unsigned order, tick now);
void frames_print(const struct oracle *, frame, FILE *); /* what the journal knows about the frame */
void frames_destroy(struct frames *);

#endif
