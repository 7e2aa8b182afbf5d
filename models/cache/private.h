/* models/cache/private.h - the inside of a cache agent, shared by the files of this folder only. */
#ifndef LAB_MODELS_CACHE_PRIVATE_H
#define LAB_MODELS_CACHE_PRIVATE_H

#include "models/cache/cache.h"

enum { NO_SLOT = -1, NO_INDEX = -1 };
#define NO_TAG UINT64_MAX

struct mshr {
    bool busy, issued;          /* issued: its line state is the truth, not the tag's */
    struct cache_line line_state;
    lineno line;
    int64_t slot;               /* its tag while a copy is still there, else NO_SLOT */
    struct access *first;       /* the access that began it; its owner may reuse it once performed; NULL: a prefetch */
    enum cache_event event;     /* of that access, */
    bool no_allocate, to_memory; /* and how it wanted the line kept */
    struct access *head, *tail; /* accesses merged later */
    struct path_set birth;
    struct delta delta;         /* until the request leaves, and of the last arrival */
    uint8_t served_by;
    bool done_performed;        /* the head has been performed in this step */
    struct event issue;
    struct cache *cache;
    uint64_t sample[LINE_BYTES / 8];
};

struct write_back {
    bool busy;
    struct cache_line line_state;
    lineno line;
    tick since;
    struct access *head, *tail; /* accesses that wait for it to be over */
};

struct cache {
    struct component component;
    struct cache_desc desc;
    struct cache_env env;
    struct cache_owner owner;
    uint16_t agent;
    /* L2: slot = set * ways + way */
    uint64_t *tag;
    uint8_t *state;
    uint32_t *version;
    uint32_t *used;             /* for LRU */
    uint32_t use_count;
    /* L1 filter */
    uint64_t *l1_tag;
    uint32_t *l1_slot;          /* of the same line in L2 */
    uint32_t *l1_used;
    /* outstanding work */
    struct mshr *mshr;
    uint32_t mshr_busy;
    int16_t performing;         /* MSHR whose access is being performed */
    struct write_back *wb;
    uint32_t wb_claimed;        /* busy ones and those promised to MSHRs */
    bool starved;               /* the owner was refused */
    struct access *pending_head, *pending_tail; /* woken by a transaction, but refused an MSHR */
    /* snoop FIFO */
    struct snoop { struct msg msg; tick ready; } *snoop;
    uint32_t snoop_head, snoop_count, snoop_cap;
    tick snoop_free_at, snoop_ready_at;
    struct event snoop_event;
    /* watch */
    lineno watch_line;
    void (*watch_fn)(void *, tick);
    void *watch_owner;
    struct cache_counters counters;
};

/* tags.c */
void tags_init(struct cache *);
void tags_free(struct cache *);
int64_t tags_find(const struct cache *, lineno);
int64_t tags_find_l1(const struct cache *, lineno);
void tags_touch(struct cache *, int64_t slot);
void tags_fill_l1(struct cache *, lineno, int64_t slot);
void tags_drop(struct cache *, int64_t slot);      /* empties the slot, and L1's entry */
/* An empty slot of the line's set, or the least recently used one whose line no MSHR holds; NO_SLOT if none. */
int64_t tags_victim(const struct cache *, lineno);

/* cache.c */
void mshr_issue(struct event *);                   /* an MSHR's lookup is done: step the protocol */
struct mshr *mshr_find(struct cache *, lineno);
struct write_back *wb_find(struct cache *, lineno);
/* One protocol step on `l`, with history, watch, row counts; sends the outbox. Waits and missing rows are errors
 * unless may_wait. `d`: the delta messages carry on. */
enum verdict cache_do(struct cache *, struct cache_line *l, lineno, enum cache_event, const struct msg *in, int16_t txn,
                      const struct delta *d, struct outbox *out);
void mshr_after_step(struct cache *, struct mshr *, const struct outbox *);
void wb_after_step(struct cache *, struct write_back *);
void lost_copy(struct cache *, lineno);            /* the watch */
void cache_fail(struct cache *, lineno, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* snoop.c */
void snoop_push(struct cache *, const struct msg *);
void snoop_run(struct event *);

#endif
