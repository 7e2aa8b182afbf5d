/* models/hart/store_buffer.c - the TSO store buffer and the write-combining buffers of one hart.
 *
 * The drain is an agent with paths of its own (see src/sim/account.h): a store that enters an empty, idle buffer
 * hands it the hart's paths; otherwise the drain goes on with its own, because it is serial; when an entry of other
 * requests reaches the head, their vectors restart as { prior = now - start }.
 *
 * Ordinary stores commit strictly in order; ownership is asked for ahead. A leading run of string stores and
 * clflushopts may perform in any order among themselves, so each has an access of its own.
 */
#include "models/hart/private.h"

#include <stdlib.h>

static struct store_entry *entry_at(const struct hart *h, uint32_t i) { return &h->sb[(h->sb_head + i) & h->sb_mask]; }

static bool unordered(const struct store_entry *e) { return e->kind == STORE_LINE || e->kind == STORE_FLUSH_OPT; }

static uint32_t capacity(const struct hart *h) { return h->desc.store_buffer ? h->desc.store_buffer : 1; }

static void drain_step(struct hart *h);

static void drain_event_run(struct event *e) { drain_step(e->owner); }

static void kick(struct hart *h)
{
    tick now = now_of(h);
    if (!event_scheduled(&h->drain_event) && !h->drain_busy && !h->drain_starved && h->sb_count)
        engine_at(h->env.engine, &h->component, &h->drain_event, now > h->drain_free_at ? now : h->drain_free_at, PHASE_ACT);
}

/* ---- the end of a store */

static void visible_plain(struct hart *h, paddr a, unsigned bytes, uint64_t value, tick now)
{
    const struct observer *o = h->env.observer;
    component_op(&h->component, now, CEV_STORE, a.v, value);
    memory_write(h->env.memory, a, bytes, value);
    cache_wrote(h->cache, paddr_line(a));
    if (o->store_visible)
        o->store_visible(o->self, h->id, a, bytes, value, now);
}

static void visible_line(struct hart *h, lineno line, uint64_t word, tick now)
{
    const struct observer *o = h->env.observer;
    uint64_t *words = memory_line(h->env.memory, line);
    component_op(&h->component, now, CEV_STORE_FULL, line_addr(line).v, word);
    for (unsigned i = 0; i < LINE_BYTES / 8; i++)
        words[i] = word;
    cache_wrote(h->cache, line);
    if (o->line_visible)
        o->line_visible(o->self, h->id, line, word, now);
}

static void visible(struct hart *h, const struct store_entry *e, tick now)
{
    if (e->kind == STORE_PLAIN)
        visible_plain(h, e->addr, e->bytes, e->value, now);
    else if (e->kind == STORE_LINE)
        visible_line(h, paddr_line(e->addr), e->value, now);
    else
        component_op(&h->component, now, CEV_FLUSH, e->addr.v, 0);
}

static void record_store(struct hart *h, const struct store_entry *e, const struct path_set *at_end, enum source_id source)
{
    if (!e->recorded || e->kind == STORE_FLUSH || e->kind == STORE_FLUSH_OPT)
        return;
    struct path own = at_end->path[at_end->depth - 1];
    own.ps[PART_ISSUE] += own.ps[PART_PRIOR] + own.ps[PART_CORE];
    own.ps[PART_PRIOR] = own.ps[PART_CORE] = 0;
    account_record(h->env.account, CLASS_STORE, source, at_end->at - e->issued, own.ps);
    account_seen(h->env.account, h->id, CLASS_STORE, source, e->issued, at_end->at);
}

static void pop(struct hart *h)
{
    h->sb_head = (h->sb_head + 1) & h->sb_mask;
    h->sb_count--;
    h->sb_left++;
    if (h->owed_count)
        tlb_acks_due(h);
    if (h->waiting == WAIT_SLOT || (h->waiting == WAIT_DRAIN && !h->sb_count)) {
        paths_join(&h->ledger.paths, &h->drain);
        hart_resume_soon(h, now_of(h));
    }
}

static void commit_head(struct hart *h, enum source_id source)
{
    struct store_entry *e = entry_at(h, 0);
    tick now = now_of(h);
    visible(h, e, now);
    record_store(h, e, &h->drain, source);
    h->drain_free_at = now + h->desc.commit_ps;
    pop(h);
}

/* ---- ordered entries: plain stores and clflush, one at a time from the head */

static void head_granted(struct access *a, tick now, enum source_id served_by, const struct path_set *birth,
                         const struct delta *d)
{
    struct hart *h = a->owner;
    (void)now;
    paths_release(&h->drain, birth, d);
    h->drain_busy = false;
    commit_head(h, served_by);
    kick(h);
}

/* Asks the cache for the head. `h->drain` is where its chain stands. */
static void start_head(struct hart *h, struct store_entry *e)
{
    h->head_access = (struct access){ .event = e->kind == STORE_PLAIN ? CEV_STORE : CEV_FLUSH, .line = paddr_line(e->addr),
                                      .parent = &h->drain, .perform = head_granted, .owner = h };
    if (cache_access(h->cache, &h->head_access) == ACCESS_NO_MSHR)
        h->drain_starved = true;
    else
        h->drain_busy = true;
}

static void drain_ordered(struct hart *h, struct store_entry *e)
{
    if (e->kind == STORE_PLAIN) {
        enum hit_level level = cache_hit(h->cache, paddr_line(e->addr), true);
        tick now = now_of(h);
        if (level == HIT_L2 && h->desc.l2_ps > h->desc.l1_ps) { /* it is in the first level from here on */
            paths_mark(&h->drain, PART_ISSUE, now);
            e->from_l2 = true;
            h->drain_free_at = now + h->desc.l2_ps - h->desc.l1_ps;
            kick(h);
            return;
        }
        if (level != HIT_NONE) {
            paths_mark(&h->drain, e->from_l2 ? PART_L2 : PART_ISSUE, now); /* or it waited for the commit before it */
            commit_head(h, e->from_l2 ? SOURCE_L2 : SOURCE_L1);
            kick(h);
            return;
        }
    }
    start_head(h, e);
}

/* ---- a leading run of unordered entries */

static void pop_performed(struct hart *h)
{
    tick now = now_of(h);
    while (h->sb_count && unordered(entry_at(h, 0)) && entry_at(h, 0)->performed) {
        struct store_entry *e = entry_at(h, 0);
        if (e->requests.at >= h->drain.at)
            paths_copy(&h->drain, &e->requests);
        else
            paths_adopt(&h->drain, &e->requests, now);
        if (h->drain.at < now)
            paths_mark(&h->drain, PART_CORE, now);
        pop(h);
    }
}

static void run_granted(struct access *a, tick now, enum source_id served_by, const struct path_set *birth,
                        const struct delta *d)
{
    struct store_entry *e = a->owner;
    struct hart *h = e->hart;
    visible(h, e, now);
    paths_release(&e->requests, birth, d);
    record_store(h, e, &e->requests, served_by);
    e->performed = true;
    pop_performed(h);
    kick(h);
}

/* Starts one entry of the run. False: no MSHR. */
static bool start_unordered(struct hart *h, struct store_entry *e, const struct path_set *parent)
{
    tick now = now_of(h);
    lineno line = paddr_line(e->addr);
    enum hit_level level = e->kind == STORE_LINE ? cache_hit(h->cache, line, true) : HIT_NONE;
    if (level != HIT_NONE) {
        visible(h, e, now);
        paths_mark(&e->requests, PART_ISSUE, now);
        record_store(h, e, &e->requests, level == HIT_L1 ? SOURCE_L1 : SOURCE_L2);
        e->started = e->performed = true;
        return true;
    }
    e->access = (struct access){ .event = e->kind == STORE_LINE ? CEV_STORE_FULL : CEV_FLUSH, .line = line, .parent = parent,
                                 .perform = run_granted, .owner = e };
    e->started = cache_access(h->cache, &e->access) != ACCESS_NO_MSHR;
    e->access.parent = &e->requests;
    return e->started;
}

static struct store_entry *next_unstarted(struct hart *h)
{
    for (uint32_t i = 0; i < h->sb_count && unordered(entry_at(h, i)); i++)
        if (!entry_at(h, i)->started)
            return entry_at(h, i);
    return NULL;
}

/* `freed_birth`, `freed_delta`: of the transaction whose end gave us an MSHR, or NULL. */
static void drain_unordered(struct hart *h, const struct path_set *freed_birth, const struct delta *freed_delta)
{
    struct store_entry *e = next_unstarted(h);
    if (!e)
        return;
    struct path_set parent;
    paths_copy(&parent, &e->requests);
    if (freed_birth)
        paths_release(&parent, freed_birth, freed_delta);
    if (!start_unordered(h, e, &parent)) {
        h->drain_starved = true;
        return;
    }
    h->drain_free_at = now_of(h) + h->desc.commit_ps;
    pop_performed(h);
    kick(h);
}

static void drain_step(struct hart *h)
{
    if (!h->sb_count)
        return;
    struct store_entry *e = entry_at(h, 0);
    if (!unordered(e)) {
        if (!e->handed)
            paths_adopt(&h->drain, &e->requests, now_of(h));
        e->handed = true;
        drain_ordered(h, e);
    } else if (next_unstarted(h)) {
        drain_unordered(h, NULL, NULL);
    }
}

/* ---- ownership ahead */

static bool wants_ownership(const struct hart *h, const struct store_entry *e)
{
    return e->kind == STORE_PLAIN && !e->asked && !cache_may_write(h->cache, paddr_line(e->addr));
}

static void ask_ahead(struct hart *h, const struct path_set *birth, const struct delta *d)
{
    for (uint32_t i = h->drain_busy || h->drain_starved ? 1 : 0; i < h->sb_count; i++) {
        struct store_entry *e = entry_at(h, i);
        if (!wants_ownership(h, e))
            continue;
        struct path_set parent;
        paths_copy(&parent, &e->requests);
        paths_release(&parent, birth, d);
        if (cache_prefetch_write(h->cache, paddr_line(e->addr), &parent) == ACCESS_NO_MSHR)
            return;
        e->asked = true;
    }
}

void sb_mshr_freed(struct hart *h, const struct path_set *birth, const struct delta *d)
{
    if (h->drain_starved) {
        h->drain_starved = false;
        struct store_entry *e = entry_at(h, 0);
        if (unordered(e)) {
            drain_unordered(h, birth, d);
        } else {
            paths_release(&h->drain, birth, d);
            drain_ordered(h, e);
        }
    }
    ask_ahead(h, birth, d);
}

/* ---- entering */

static void fill_entry(struct hart *h, struct store_entry *e, enum store_kind kind, paddr a, unsigned bytes, uint64_t value,
                       tick start, bool announce)
{
    e->addr = a;
    e->value = value;
    e->bytes = (uint8_t)bytes;
    e->kind = (uint8_t)kind;
    e->from_l2 = e->asked = e->started = e->performed = e->handed = false;
    e->recorded = h->ledger.recording;
    e->issued = start;
    e->hart = h;
    paths_copy(&e->requests, &h->ledger.paths);
    const struct observer *o = h->env.observer;
    if (announce && kind == STORE_PLAIN && o->store_issued)
        o->store_issued(o->self, h->id, a, bytes, value, now_of(h));
    if (kind == STORE_LINE && o->line_issued)
        o->line_issued(o->self, h->id, paddr_line(a), value, now_of(h));
}

/* A hart sees its own stores to one line in program order, combined or not. */
static bool wc_holds_line(const struct hart *h, lineno line)
{
    for (uint32_t i = 0; h->wc_used && i < h->desc.wc_buffers; i++)
        if (h->wc[i].used && h->wc[i].line.v == line.v)
            return true;
    return false;
}

static bool sb_holds_line(const struct hart *h, lineno line)
{
    for (uint32_t i = 0; i < h->sb_count; i++)
        if (paddr_line(entry_at(h, i)->addr).v == line.v)
            return true;
    return false;
}

static void record_retired(struct hart *h, tick start)
{
    if (h->ledger.recording)
        account_record_one(h->env.account, CLASS_STORE_TO_RETIRE, SOURCE_DONE, now_of(h) - start, PART_ISSUE);
}

/* A plain store that finds the buffer empty, and its line writable in L1 once it has retired, commits there and then: the
 * common case, without entry, event or copied paths. False: nothing has happened but that the hart's issue time
 * has passed. */
static bool commit_at_once(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    tick start = now_of(h);
    const struct observer *o = h->env.observer;
    if (o->store_issued)
        o->store_issued(o->self, h->id, a, bytes, value, start);
    hart_advance(h, h->desc.issue_ps);
    if (!cache_in_l1(h->cache, paddr_line(a)) || cache_hit(h->cache, paddr_line(a), true) == HIT_NONE)
        return false;
    visible_plain(h, a, bytes, value, now_of(h));
    h->drain_free_at = now_of(h) + h->desc.commit_ps;
    if (h->ledger.recording)
        account_record_one(h->env.account, CLASS_STORE, SOURCE_L1, h->desc.issue_ps, PART_L1);
    record_retired(h, start);
    return true;
}

/* Enters the buffer at `start`; `issued`: the observer knows and the hart's issue time is over. */
static void enter(struct hart *h, enum store_kind kind, paddr a, unsigned bytes, uint64_t value, tick start, bool issued)
{
    access_open(h, start);
    if (wc_holds_line(h, paddr_line(a)))
        wc_drain(h);
    while (h->sb_count == capacity(h)) {
        h->counters.store_buffer_full++;
        hart_suspend(h, WAIT_SLOT, "a store-buffer entry", false);
    }
    tick now = now_of(h);
    ledger_mark(&h->ledger, issued ? PART_CORE : PART_ISSUE, now);
    bool first = h->sb_count == 0;
    struct store_entry *e = entry_at(h, h->sb_count++);
    fill_entry(h, e, kind, a, bytes, value, start, !issued);
    if (first && !unordered(e)) {
        paths_copy(&h->drain, &h->ledger.paths);
        e->handed = true;
    } else if (!first && wants_ownership(h, e)) {
        e->asked = cache_prefetch_write(h->cache, paddr_line(a), &h->ledger.paths) != ACCESS_NO_MSHR;
    }
    tick issue_ps = kind == STORE_LINE ? h->desc.string_store_ps : h->desc.issue_ps;
    tick retires = now + (issued ? 0 : issue_ps);
    if (first && h->drain_free_at < retires)
        h->drain_free_at = retires; /* visible only once retired */
    if (first && issued)
        drain_step(h); /* now: the next store must not ask for its line before this one does */
    else
        kick(h);
    h->ledger.paths.depth--;
    if (!issued)
        hart_advance(h, issue_ps);
    if (kind == STORE_PLAIN || kind == STORE_LINE)
        record_retired(h, start);
    if (!h->desc.store_buffer)
        sb_wait_empty(h, "its store to become visible (no store buffer)");
}

void sb_push(struct hart *h, enum store_kind kind, paddr a, unsigned bytes, uint64_t value)
{
    tick start = now_of(h);
    bool alone = kind == STORE_PLAIN && !h->sb_count && !h->wc_used && h->drain_free_at <= start + h->desc.issue_ps;
    if (alone && commit_at_once(h, a, bytes, value))
        return;
    enter(h, kind, a, bytes, value, start, alone);
}

bool sb_holds_unordered(const struct hart *h)
{
    for (uint32_t i = 0; i < h->sb_count; i++)
        if (unordered(entry_at(h, i)))
            return true;
    return false;
}

void sb_wait_empty(struct hart *h, const char *why)
{
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    while (h->sb_count)
        hart_suspend(h, WAIT_DRAIN, why, false);
}

int sb_forward(const struct hart *h, paddr a, unsigned bytes, uint64_t *value)
{
    for (uint32_t i = h->sb_count; i-- > 0;) {
        const struct store_entry *e = entry_at(h, i);
        if (e->kind == STORE_FLUSH || e->kind == STORE_FLUSH_OPT || e->performed || a.v + bytes <= e->addr.v ||
            e->addr.v + e->bytes <= a.v)
            continue;
        if (a.v < e->addr.v || a.v + bytes > e->addr.v + e->bytes)
            return -1;
        uint64_t v = e->value >> ((a.v - e->addr.v) % 8 * 8);
        *value = bytes == 8 ? v : v & ((UINT64_C(1) << (bytes * 8)) - 1);
        return 1;
    }
    return 0;
}

void sb_init(struct hart *h)
{
    uint32_t n = 1;
    while (n < capacity(h))
        n *= 2;
    h->sb_mask = n - 1;
    h->sb = calloc(n, sizeof *h->sb);
    CHECK_MEMORY(h->sb, "out of host memory for a store buffer");
    h->drain_event = (struct event){ .fn = drain_event_run, .owner = h, .what = "store buffer drain" };
}

/* ---- write combining: non-temporal stores gather per line and leave as one write that no cache keeps */

/* What the observer is told: the whole line when its words are equal, else piece by piece. */
static void wc_report(const struct hart *h, const struct wc_buffer *b, tick now)
{
    const struct observer *o = h->env.observer;
    bool uniform = b->byte_mask == UINT64_MAX;
    for (unsigned i = 1; uniform && i < LINE_BYTES / 8; i++)
        uniform = b->words[i] == b->words[0];
    if (uniform && o->line_visible) {
        o->line_visible(o->self, h->id, b->line, b->words[0], now);
        return;
    }
    for (unsigned i = 0; o->store_visible && i < LINE_BYTES; i++) {
        paddr at = paddr_plus(line_addr(b->line), i);
        if (i % 8 == 0 && (b->byte_mask >> i & 0xff) == 0xff) {
            o->store_visible(o->self, h->id, at, 8, b->words[i / 8], now);
            i += 7;
        } else if (b->byte_mask >> i & 1) {
            o->store_visible(o->self, h->id, at, 1, b->words[i / 8] >> (i % 8 * 8) & 0xff, now);
        }
    }
}

static void wc_granted(struct access *a, tick now, enum source_id served_by, const struct path_set *birth,
                       const struct delta *d)
{
    struct wc_buffer *b = a->owner;
    struct hart *h = b->hart;
    uint64_t *words = memory_line(h->env.memory, b->line);
    (void)served_by;
    cache_wrote(h->cache, b->line);
    for (unsigned i = 0; i < LINE_BYTES; i++) {
        if (!(b->byte_mask >> i & 1))
            continue;
        uint64_t mask = UINT64_C(0xff) << (i % 8 * 8);
        words[i / 8] = (words[i / 8] & ~mask) | (b->words[i / 8] & mask);
    }
    component_op(&h->component, now, CEV_STORE_FULL, b->line.v << LINE_SHIFT, b->words[0]);
    wc_report(h, b, now);
    b->used = b->flushing = false;
    h->wc_used--;
    if (h->waiting == WAIT_WC) {
        paths_release(&h->ledger.paths, birth, d);
        hart_resume_soon(h, now);
    }
}

static void wc_flush(struct hart *h, struct wc_buffer *b)
{
    if (b->flushing)
        return;
    b->flushing = true;
    b->access = (struct access){ .event = b->byte_mask == UINT64_MAX ? CEV_STORE_FULL : CEV_STORE, .line = b->line,
                                 .no_allocate = true, .to_memory = true, .parent = &h->ledger.paths, .perform = wc_granted,
                                 .owner = b };
    while (cache_access(h->cache, &b->access) == ACCESS_NO_MSHR)
        hart_suspend(h, WAIT_MSHR, "a free MSHR", false);
}

static struct wc_buffer *wc_find(struct hart *h, lineno line)
{
    struct wc_buffer *oldest = NULL;
    for (uint32_t i = 0; i < h->desc.wc_buffers; i++) {
        struct wc_buffer *b = &h->wc[i];
        if (b->used && !b->flushing && b->line.v == line.v)
            return b;
    }
    for (uint32_t i = 0; i < h->desc.wc_buffers; i++) {
        struct wc_buffer *b = &h->wc[i];
        if (!b->used) {
            *b = (struct wc_buffer){ .used = true, .line = line, .opened = now_of(h), .hart = h };
            h->wc_used++;
            return b;
        }
        if (!oldest || b->opened < oldest->opened)
            oldest = b;
    }
    wc_flush(h, oldest);
    return NULL;
}

void wc_store(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    struct wc_buffer *b;
    if (sb_holds_line(h, paddr_line(a)))
        sb_wait_empty(h, "older stores to the line of a non-temporal store");
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    while (!(b = wc_find(h, paddr_line(a))))
        hart_suspend(h, WAIT_WC, "a write-combining buffer", false);
    unsigned at = (unsigned)(a.v % LINE_BYTES);
    uint64_t mask = bytes == 8 ? UINT64_MAX : (UINT64_C(1) << (bytes * 8)) - 1;
    b->words[at / 8] = (b->words[at / 8] & ~(mask << (at % 8 * 8))) | value << (at % 8 * 8);
    b->byte_mask |= ((UINT64_C(1) << bytes) - 1) << at;
    if (b->byte_mask == UINT64_MAX)
        wc_flush(h, b);
    hart_advance(h, h->desc.issue_ps);
}

void wc_drain(struct hart *h)
{
    if (!h->wc_used)
        return;
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    for (uint32_t i = 0; i < h->desc.wc_buffers; i++)
        if (h->wc[i].used)
            wc_flush(h, &h->wc[i]);
    while (h->wc_used)
        hart_suspend(h, WAIT_WC, "write-combining buffers to become visible", false);
}

int wc_overlaps(const struct hart *h, paddr a, unsigned bytes)
{
    for (uint32_t i = 0; i < h->desc.wc_buffers; i++) {
        const struct wc_buffer *b = &h->wc[i];
        if (b->used && b->line.v == paddr_line(a).v &&
            b->byte_mask >> (a.v % LINE_BYTES) & ((UINT64_C(1) << bytes) - 1))
            return 1;
    }
    return 0;
}
