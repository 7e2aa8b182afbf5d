/* models/cache/cache.c - accesses, MSHRs, write-backs and responses of one cache agent. */
#include "models/cache/private.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

/* ---- finding outstanding work: few entries, scanned */

struct mshr *mshr_find(struct cache *c, lineno line)
{
    if (!c->mshr_busy)
        return NULL;
    for (uint32_t i = 0; i < c->desc.mshrs; i++)
        if (c->mshr[i].busy && c->mshr[i].line.v == line.v)
            return &c->mshr[i];
    return NULL;
}

struct write_back *wb_find(struct cache *c, lineno line)
{
    if (!c->wb_claimed)
        return NULL;
    for (uint32_t i = 0; i < c->desc.write_backs; i++)
        if (c->wb[i].busy && c->wb[i].line.v == line.v)
            return &c->wb[i];
    return NULL;
}

static int16_t mshr_txn(const struct cache *c, const struct mshr *m) { return (int16_t)(m - c->mshr); }

/* Write-back entries are numbered behind the MSHRs, so that a PUTACK finds either. */
static int16_t wb_txn(const struct cache *c, const struct write_back *w)
{
    return (int16_t)(c->desc.mshrs + (uint32_t)(w - c->wb));
}

static void append(struct access **head, struct access **tail, struct access *a)
{
    a->next = NULL;
    if (*head)
        (*tail)->next = a;
    else
        *head = a;
    *tail = a;
}

/* ---- protocol steps */

void cache_fail(struct cache *c, lineno line, const char *format, ...)
{
    char text[400];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    c->env.protocol_error(c->env.error_arg, c->agent, line, text);
}

void lost_copy(struct cache *c, lineno line)
{
    if (c->watch_fn && c->watch_line.v == line.v) {
        void (*fn)(void *, tick) = c->watch_fn;
        c->watch_fn = NULL;
        fn(c->watch_owner, engine_now(c->env.engine));
    }
}

static void send_one(struct cache *c, lineno line, const struct out_msg *o, const struct delta *d)
{
    struct msg m = { .kind = o->kind, .src = c->agent, .requester = (uint16_t)o->requester, .txn = o->txn,
                     .acks = o->acks, .version = o->version, .line = line, .delta = *d,
                     .served_by = SOURCE_PEER, .outer = c->env.outer };
    if (o->to_home)
        m.dst = c->env.home_node(c->env.home_arg, line);
    else
        m.dst = c->env.agent_node ? c->env.agent_node(c->env.home_arg, (unsigned)o->to, line) : (uint16_t)o->to;
    if (o->kind == MSG_DATA_U) {
        if (o->version != memory_versions(c->env.memory, line)->current)
            cache_fail(c, line, "a read-once answer would carry an old version of the line");
        c->env.sample(c->env.sample_arg, (uint16_t)o->requester, o->txn, line);
    }
    net_send(c->env.net, &m);
}

enum verdict cache_do(struct cache *c, struct cache_line *l, lineno line, enum cache_event event, const struct msg *in,
                      int16_t txn, const struct delta *d, struct outbox *out)
{
    const struct protocol *p = c->env.protocol;
    uint8_t old = l->state;
    enum verdict v = cache_step(p, l, event, in, (int16_t)c->agent, txn, out, c->env.row_counts);
    history_add(c->env.history, (struct history_entry){
        .when = engine_now(c->env.engine), .line = line, .who = c->component.name,
        .event = cache_event_name(event), .old_state = cache_state_name(p, old),
        .new_state = v == STEP_DONE ? cache_state_name(p, l->state) : v == STEP_WAIT ? "wait" : "none",
        .from = !in || in->requester == UINT16_MAX ? -1 :
                c->env.agent_node ? (int)c->env.agent_node(c->env.home_arg, in->requester, line) : (int)in->requester });
    if (v == STEP_ILLEGAL)
        cache_fail(c, line, "the protocol has no row for event %s in cache state %s", cache_event_name(event),
                   cache_state_name(p, old));
    if (v != STEP_DONE) {
        out->n = 0;
        out->complete = false;
        return v;
    }
    for (unsigned i = 0; i < out->n; i++)
        send_one(c, line, &out->m[i], d);
    if (cache_readable(p, old) && !cache_readable(p, l->state))
        lost_copy(c, line);
    return v;
}

static void check_current(struct cache *c, lineno line, uint32_t version)
{
    uint32_t current = memory_versions(c->env.memory, line)->current;
    if (__builtin_expect(version != current, 0))
        cache_fail(c, line, "stale copy: %s holds version %" PRIu32 ", the newest store made version %" PRIu32,
                   c->component.name, version, current);
}

/* ---- write-backs */

static struct write_back *wb_take(struct cache *c, lineno line, struct cache_line state)
{
    for (uint32_t i = 0; i < c->desc.write_backs; i++) {
        struct write_back *w = &c->wb[i];
        if (!w->busy) {
            w->busy = true;
            w->line = line;
            w->line_state = state;
            w->since = engine_now(c->env.engine);
            w->head = w->tail = NULL;
            return w;
        }
    }
    panic("%s: a promised write-back entry is missing", c->component.name);
}

/* Sends a line home (or drops a clean copy silently). The write-back entry must have been promised; returns
 * whether it is in use now. */
static bool wb_evict(struct cache *c, lineno line, struct cache_line state, enum cache_event event)
{
    struct outbox out;
    struct write_back *w = wb_take(c, line, state);
    struct delta d;
    delta_start(&d, engine_now(c->env.engine));
    uint32_t before = w->line_state.version;
    cache_do(c, &w->line_state, line, event, NULL, wb_txn(c, w), &d, &out);
    if (out.n)
        check_current(c, line, before);
    w->busy = !cache_stable(c->env.protocol, w->line_state.state);
    return w->busy;
}

static void reoffer_list(struct cache *c, struct access *list, enum source_id served_by, const struct path_set *birth,
                         const struct delta *d);

/* An MSHR or write-back entry came free: first the accesses that had one already, then the owner. */
static void freed(struct cache *c, const struct path_set *birth, const struct delta *d)
{
    if (!c->starved)
        return;
    c->starved = false;
    struct access *list = c->pending_head;
    c->pending_head = c->pending_tail = NULL;
    while (list) {
        struct access *next = list->next;
        if (cache_access(c, list) == ACCESS_NO_MSHR)
            append(&c->pending_head, &c->pending_tail, list);
        list = next;
    }
    c->owner.mshr_freed(c->owner.owner, birth, d);
}

void wb_after_step(struct cache *c, struct write_back *w)
{
    if (!cache_stable(c->env.protocol, w->line_state.state))
        return;
    struct access *list = w->head;
    w->busy = false;
    c->wb_claimed--;
    struct path_set birth = { .at = w->since, .depth = 0 };
    struct delta d;
    delta_start(&d, engine_now(c->env.engine));
    reoffer_list(c, list, SOURCE_LLC, &birth, &d);
    freed(c, &birth, &d);
}

/* ---- MSHRs */

static void perform(struct cache *c, struct mshr *m)
{
    struct access *a = m->first;
    if (m->event == CEV_LOAD || m->event == CEV_STORE)
        check_current(c, m->line, m->line_state.version);
    m->done_performed = true;
    c->performing = mshr_txn(c, m);
    if (a)
        a->perform(a, engine_now(c->env.engine), (enum source_id)m->served_by, &m->birth, &m->delta);
}

/* Puts the line of a finished transaction where it belongs. Returns whether the promised write-back entry is used. */
static bool settle(struct cache *c, struct mshr *m)
{
    if (m->line_state.state == 0) {
        if (m->slot != NO_SLOT)
            tags_drop(c, m->slot);
        return false;
    }
    int64_t slot = m->slot;
    bool used = false;
    if (slot == NO_SLOT && !m->no_allocate)
        slot = tags_victim(c, m->line);
    if (m->no_allocate || slot == NO_SLOT) {
        if (m->slot != NO_SLOT)
            tags_drop(c, m->slot);
        m->busy = false; /* the line lives in the write-back entry from here on */
        return wb_evict(c, m->line, m->line_state, m->to_memory ? CEV_FLUSH : CEV_EVICT);
    }
    if (c->tag[slot] != m->line.v && c->tag[slot] != NO_TAG) {
        lineno victim = { c->tag[slot] };
        struct cache_line l = { .state = c->state[slot], .version = c->version[slot] };
        tags_drop(c, slot);
        bool silent = cache_evict_silent(c->env.protocol, l.state);
        silent ? c->counters.evictions_clean++ : c->counters.evictions_dirty++;
        used = wb_evict(c, victim, l, CEV_EVICT);
    }
    c->tag[slot] = m->line.v;
    c->state[slot] = m->line_state.state;
    c->version[slot] = m->line_state.version;
    tags_touch(c, slot);
    tags_fill_l1(c, m->line, slot);
    return used;
}

static void mshr_finish(struct cache *c, struct mshr *m)
{
    struct access *list = m->head;
    enum cache_event event = m->event;
    bool used = settle(c, m);
    m->busy = false;
    c->mshr_busy--;
    if (!used)
        c->wb_claimed--;
    if (c->owner.line_filled && (event == CEV_STORE || event == CEV_STORE_FULL))
        c->owner.line_filled(c->owner.owner, m->line, engine_now(c->env.engine));
    if (!list && !c->starved)
        return;
    struct path_set birth;          /* the MSHR may be taken again below */
    paths_copy(&birth, &m->birth);
    struct delta delta = m->delta;
    reoffer_list(c, list, (enum source_id)m->served_by, &birth, &delta);
    freed(c, &birth, &delta);
}

void mshr_after_step(struct cache *c, struct mshr *m, const struct outbox *out)
{
    if (m->slot != NO_SLOT) {
        c->state[m->slot] = m->line_state.state;
        c->version[m->slot] = m->line_state.version;
    }
    if (out->complete && !m->done_performed)
        perform(c, m);
    if (cache_stable(c->env.protocol, m->line_state.state))
        mshr_finish(c, m);
}

void mshr_issue(struct event *e)
{
    struct mshr *m = e->owner;
    struct cache *c = m->cache;
    tick now = engine_now(c->env.engine);
    struct outbox out;
    m->delta.ps[PART_L1] += c->desc.l1_ps;
    m->delta.ps[PART_L2] += c->desc.lookup_ps - c->desc.l1_ps;
    m->delta.last = now;
    m->slot = tags_find(c, m->line);
    m->line_state = (struct cache_line){ 0 };
    if (m->slot != NO_SLOT) {
        m->line_state.state = c->state[m->slot];
        m->line_state.version = c->version[m->slot];
        c->counters.upgrades++;
    } else {
        c->counters.misses++;
    }
    m->issued = true;
    if (c->env.observer && c->env.observer->wants)
        c->env.observer->wants(c->env.observer->self, c->agent, m->line,
                               m->event == CEV_STORE || m->event == CEV_STORE_FULL, now);
    if (cache_do(c, &m->line_state, m->line, m->event, NULL, mshr_txn(c, m), &m->delta, &out) != STEP_DONE)
        return;
    if (out.complete)
        m->served_by = SOURCE_L2; /* nobody had to be asked */
    mshr_after_step(c, m, &out);
}

static struct mshr *mshr_take(struct cache *c, lineno line, enum cache_event event, struct access *first,
                              const struct path_set *parent)
{
    if (c->mshr_busy == c->desc.mshrs || c->wb_claimed == c->desc.write_backs) {
        c->starved = true;
        c->counters.no_mshr++;
        return NULL;
    }
    struct mshr *m = c->mshr;
    while (m->busy)
        m++;
    tick now = engine_now(c->env.engine);
    c->mshr_busy++;
    c->wb_claimed++;
    m->busy = true;
    m->issued = m->done_performed = false;
    m->line = line;
    m->event = event;
    m->first = first;
    m->no_allocate = first && first->no_allocate;
    m->to_memory = first && first->to_memory;
    m->head = m->tail = NULL;
    m->slot = tags_find(c, line); /* not evicted before the lookup is done; looked up again then */
    m->served_by = SOURCE_LLC;
    paths_copy(&m->birth, parent);
    paths_mark(&m->birth, PART_ISSUE, now);
    delta_start(&m->delta, now);
    engine_after(c->env.engine, &c->component, &m->issue, c->desc.lookup_ps, PHASE_ACT);
    return m;
}

enum access_result cache_access(struct cache *c, struct access *a)
{
    struct write_back *w = wb_find(c, a->line);
    if (w) {
        append(&w->head, &w->tail, a);
        return ACCESS_PENDING;
    }
    struct mshr *m = mshr_find(c, a->line);
    if (m) {
        append(&m->head, &m->tail, a);
        c->counters.merged++;
        return ACCESS_PENDING;
    }
    if (!mshr_take(c, a->line, a->event, a, a->parent))
        return ACCESS_NO_MSHR;
    if (a->event == CEV_FLUSH)
        c->counters.flushes++;
    return ACCESS_PENDING;
}

enum access_result cache_prefetch_write(struct cache *c, lineno line, const struct path_set *parent)
{
    if (wb_find(c, line) || mshr_find(c, line))
        return ACCESS_PENDING;
    return mshr_take(c, line, CEV_STORE, NULL, parent) ? ACCESS_PENDING : ACCESS_NO_MSHR;
}

/* ---- accesses that waited for another transaction on the line */

static void reoffer(struct cache *c, struct access *a, enum source_id served_by, const struct path_set *birth,
                    const struct delta *d)
{
    bool write = a->event == CEV_STORE || a->event == CEV_STORE_FULL;
    if ((write || a->event == CEV_LOAD) && !a->no_allocate && cache_hit(c, a->line, write) != HIT_NONE) {
        a->perform(a, engine_now(c->env.engine), served_by, birth, d);
        return;
    }
    struct path_set now_at;       /* what held it up is part of its chain */
    paths_copy(&now_at, a->parent);
    paths_release(&now_at, birth, d);
    const struct path_set *parent = a->parent;
    a->parent = &now_at;
    enum access_result r = cache_access(c, a);
    a->parent = parent;
    if (r == ACCESS_NO_MSHR)
        append(&c->pending_head, &c->pending_tail, a);
}

/* The first access of the list that needs a transaction takes the MSHR just freed; those behind it merge with it
 * again. Where the write-backs are all in use it is kept and tried again with the next entry that comes free. */
static void reoffer_list(struct cache *c, struct access *list, enum source_id served_by, const struct path_set *birth,
                         const struct delta *d)
{
    while (list) {
        struct access *next = list->next;
        reoffer(c, list, served_by, birth, d);
        list = next;
    }
}

/* ---- private hits */

/* A silent change by a store that hits: E becomes M. */
static void hit_changes(struct cache *c, lineno line, uint8_t old, uint8_t next)
{
    const struct protocol *p = c->env.protocol;
    history_add(c->env.history, (struct history_entry){
        .when = engine_now(c->env.engine), .line = line, .who = c->component.name, .event = cache_event_name(CEV_STORE),
        .old_state = cache_state_name(p, old), .new_state = cache_state_name(p, next), .from = -1 });
}

enum hit_level cache_hit(struct cache *c, lineno line, bool write)
{
    const struct protocol *p = c->env.protocol;
    int64_t l1 = tags_find_l1(c, line), slot;
    enum hit_level level = HIT_L1;
    if (l1 != NO_SLOT) {
        slot = c->l1_slot[l1];
    } else {
        slot = tags_find(c, line);
        level = HIT_L2;
        if (slot == NO_SLOT)
            return HIT_NONE;
    }
    uint8_t state = c->state[slot];
    if (write ? !cache_writable(p, state) : !cache_readable(p, state))
        return HIT_NONE;
    check_current(c, line, c->version[slot]);
    if (level == HIT_L1) {
        c->l1_used[l1] = ++c->use_count;
        c->counters.l1_hits++;
    } else {
        tags_touch(c, slot);
        tags_fill_l1(c, line, slot);
        c->counters.l2_hits++;
    }
    if (write) {
        uint8_t next = cache_after_store(p, state);
        if (c->env.row_counts)
            c->env.row_counts->cache[state][CEV_STORE]++;
        c->state[slot] = next;
        if (next != state)
            hit_changes(c, line, state, next);
    } else if (c->env.row_counts) {
        c->env.row_counts->cache[state][CEV_LOAD]++;
    }
    return level;
}

bool cache_in_l1(const struct cache *c, lineno line) { return tags_find_l1(c, line) != NO_SLOT; }

bool cache_may_write(const struct cache *c, lineno line)
{
    int64_t slot = tags_find(c, line);
    return slot != NO_SLOT && cache_writable(c->env.protocol, c->state[slot]);
}

/* A line under transaction is performed on in its MSHR; otherwise its tag holds the version. */
void cache_wrote(struct cache *c, lineno line)
{
    uint32_t v = ++memory_versions(c->env.memory, line)->current;
    struct mshr *m = mshr_find(c, line);
    if (m && m->issued) {
        m->line_state.version = v;
        if (m->slot != NO_SLOT)
            c->version[m->slot] = v;
        return;
    }
    int64_t slot = tags_find(c, line);
    CHECK(slot != NO_SLOT, "%s: a store performed on a line that is not here", c->component.name);
    c->version[slot] = v;
}

void cache_watch(struct cache *c, lineno line, void (*fn)(void *owner, tick now), void *owner)
{
    c->watch_line = line;
    c->watch_fn = fn;
    c->watch_owner = owner;
}

void cache_unwatch(struct cache *c) { c->watch_fn = NULL; }

/* ---- responses */

static void respond_mshr(struct cache *c, struct mshr *m, struct msg *in)
{
    struct outbox out;
    if (!m->busy || m->line.v != in->line.v) {
        cache_fail(c, in->line, "a %s arrives at %s for a transaction that is over", msg_infos[in->kind].name, c->component.name);
        return;
    }
    m->delta = in->delta;       /* last arrival: the one that completes is the one kept */
    if (in->kind != MSG_ACK)
        m->served_by = in->served_by;
    else if (m->served_by == SOURCE_LLC)
        m->served_by = SOURCE_PEER;
    enum cache_event event = cache_classify(&m->line_state, in);
    if (cache_do(c, &m->line_state, m->line, event, in, mshr_txn(c, m), &m->delta, &out) == STEP_DONE)
        mshr_after_step(c, m, &out);
}

static void respond_wb(struct cache *c, struct write_back *w, struct msg *in)
{
    struct outbox out;
    if (!w->busy || w->line.v != in->line.v) {
        cache_fail(c, in->line, "a %s arrives at %s for a write-back that is over", msg_infos[in->kind].name, c->component.name);
        return;
    }
    enum cache_event event = cache_classify(&w->line_state, in);
    if (cache_do(c, &w->line_state, w->line, event, in, in->txn, &in->delta, &out) == STEP_DONE)
        wb_after_step(c, w);
}

void cache_deliver(void *self, struct msg *in)
{
    struct cache *c = self;
    tick now = engine_now(c->env.engine);
    if (msg_infos[in->kind].vnet == VNET_FORWARD) {
        snoop_push(c, in);
        return;
    }
    delta_mark(&in->delta, in->kind == MSG_ACK ? PART_ACKS : PART_RESPONSE_NET, now);
    CHECK(in->txn >= 0 && (uint32_t)in->txn < c->desc.mshrs + c->desc.write_backs, "%s: %s without a transaction",
          c->component.name, msg_infos[in->kind].name);
    if ((uint32_t)in->txn < c->desc.mshrs)
        respond_mshr(c, &c->mshr[in->txn], in);
    else
        respond_wb(c, &c->wb[(uint32_t)in->txn - c->desc.mshrs], in);
}
