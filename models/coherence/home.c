/* models/coherence/home.c - the timed home controller. */
#include "models/coherence/home.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

enum { NO_SLOT = -1, NO_PARKED = -1 };
#define NO_TAG UINT64_MAX

struct parked { struct msg msg; int32_t next; };

struct fetch {                    /* a DRAM read on behalf of one request */
    struct dram_request request;
    struct home *home;
    struct msg msg;
    int64_t slot;
    struct fetch *next_free;
};

struct home {
    struct component component;
    struct home_desc desc;
    struct home_env env;
    uint16_t node;
    uint64_t *tag;
    struct home_line *lines;
    struct slot_extra {
        bool dirty, valid, fetching, recalling; /* dirty: newer than DRAM; valid: the data is here */
        uint32_t used;
        int32_t parked_head, parked_tail;
    } *extra;
    uint32_t use_count;
    struct service { struct msg msg; tick start, act; } *fifo;
    uint32_t fifo_head, fifo_count, fifo_cap;
    tick free_at;
    struct event service_event;
    struct parked *parked;        /* pool */
    int32_t parked_free, parked_cap;
    uint32_t parked_count, fetch_count;
    struct fetch *fetch_free;
    struct home_counters counters;
};

static void *must_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    CHECK(p, "out of host memory for a home");
    return p;
}

static bool is_response(const struct msg *m) { return msg_infos[m->kind].vnet == VNET_RESPONSE; }

/* ---- slots */

static int64_t set_of(const struct home *h, lineno line) { return (int64_t)(line.v & (h->desc.sets - 1)) * h->desc.ways; }

static int64_t find(const struct home *h, lineno line)
{
    int64_t first = set_of(h, line);
    for (uint32_t w = 0; w < h->desc.ways; w++)
        if (h->tag[first + w] == line.v)
            return first + w;
    return NO_SLOT;
}

static void touch(struct home *h, int64_t slot) { h->extra[slot].used = ++h->use_count; }

static struct home_line fresh_line(struct home *h, lineno line)
{
    return (struct home_line){ .owner = -1, .requester = -1, .txn = -1,
                               .version = memory_versions(h->env.memory, line)->dram };
}

static void write_memory(struct home *h, lineno line, uint32_t version)
{
    memory_versions(h->env.memory, line)->dram = version;
    tick done = dram_write_posted(h->env.dram, line), window = h->desc.write_window_ps;
    if (window && done > engine_now(h->env.engine) + window && h->free_at < done - window)
        h->free_at = done - window; /* back-pressure: memory's write queue is full */
    h->counters.writebacks++;
}

/* The slot's line leaves the last level; no private copy exists. */
static void drop(struct home *h, int64_t slot)
{
    struct slot_extra *x = &h->extra[slot];
    lineno line = { h->tag[slot] };
    if (x->dirty)
        write_memory(h, line, h->lines[slot].version);
    x->dirty = x->valid = x->recalling = false;
    h->tag[slot] = NO_TAG;
}

/* ---- parked requests: one list per slot, in order of arrival */

static int32_t park_take(struct home *h)
{
    if (h->parked_free == NO_PARKED) {
        int32_t cap = h->parked_cap ? h->parked_cap * 2 : MEAN_SIZE(64, 1);
        h->parked = realloc(h->parked, (size_t)cap * sizeof *h->parked);
        CHECK(h->parked, "out of host memory for parked requests");
        for (int32_t i = h->parked_cap; i < cap; i++)
            h->parked[i].next = i + 1 < cap ? i + 1 : NO_PARKED;
        h->parked_free = h->parked_cap;
        h->parked_cap = cap;
    }
    int32_t i = h->parked_free;
    h->parked_free = h->parked[i].next;
    h->parked_count++;
    h->counters.parked++;
    return i;
}

static void park(struct home *h, int64_t slot, const struct msg *m)
{
    int32_t i = park_take(h);
    h->parked[i].msg = *m;
    h->parked[i].next = NO_PARKED;
    struct slot_extra *x = &h->extra[slot];
    if (x->parked_head == NO_PARKED)
        x->parked_head = i;
    else
        h->parked[x->parked_tail].next = i;
    x->parked_tail = i;
}

/* Who had a line recalled gets its place, whoever asks for that line meanwhile. */
static void park_first(struct home *h, int64_t slot, const struct msg *m)
{
    int32_t i = park_take(h);
    struct slot_extra *x = &h->extra[slot];
    h->parked[i].msg = *m;
    h->parked[i].next = x->parked_head;
    if (x->parked_head == NO_PARKED)
        x->parked_tail = i;
    x->parked_head = i;
}

static bool unpark(struct home *h, int64_t slot, struct msg *m)
{
    struct slot_extra *x = &h->extra[slot];
    int32_t i = x->parked_head;
    if (i == NO_PARKED)
        return false;
    *m = h->parked[i].msg;
    x->parked_head = h->parked[i].next;
    h->parked[i].next = h->parked_free;
    h->parked_free = i;
    h->parked_count--;
    return true;
}

/* ---- protocol steps */

static void fail(struct home *h, const struct msg *in, lineno line, const char *what, const char *state, const char *event)
{
    char text[300];
    snprintf(text, sizeof text, "%s: %s (state %s, event %s%s%s)", h->component.name, what, state, event,
             in ? ", message " : "", in ? msg_infos[in->kind].name : "");
    h->env.protocol_error(h->env.error_arg, in ? in->requester : h->node, line, text);
}

static void send_to(struct home *h, const struct out_msg *o, unsigned to, lineno line, const struct delta *d, uint8_t served_by)
{
    struct msg m = { .kind = o->kind, .served_by = served_by, .src = h->node, .dst = (uint16_t)to,
                     .requester = (uint16_t)o->requester, .txn = o->txn, .acks = o->acks, .version = o->version, .line = line,
                     .delta = *d };
    net_send(h->env.net, &m);
}

static void send_multicast(struct home *h, const struct out_msg *o, const struct sharer_set *to, lineno line,
                           const struct delta *d)
{
    for (unsigned i = 0; i < SHARER_WORDS; i++) {
        for (uint64_t w = to->w[i]; w; w &= w - 1) {
            send_to(h, o, i * 64 + (unsigned)__builtin_ctzll(w), line, d, SOURCE_PEER);
            h->counters.invalidations++;
        }
    }
}

static void send_outbox(struct home *h, struct outbox *out, lineno line, const struct msg *in, const struct delta *d,
                        bool from_dram)
{
    bool multicast = false;
    for (unsigned i = 0; i < out->n; i++)
        multicast |= out->m[i].multicast;
    for (unsigned i = 0; i < out->n; i++) {
        const struct out_msg *o = &out->m[i];
        if (o->multicast) {
            send_multicast(h, o, &out->targets, line, d);
            continue;
        }
        if (msg_infos[o->kind].vnet == VNET_FORWARD)
            h->counters.forwards++;
        if (msg_infos[o->kind].data)
            h->counters.data_sent++;
        if (in && in->kind == MSG_GETU && msg_infos[o->kind].data)
            h->env.sample(h->env.sample_arg, (uint16_t)o->requester, o->txn, line);
        send_to(h, o, (unsigned)o->to, line, d,
                multicast ? SOURCE_PEER : from_dram ? SOURCE_DRAM : SOURCE_LLC);
    }
}

static bool data_is_current(struct home *h, int64_t slot, const struct outbox *out)
{
    bool sends = false;
    for (unsigned i = 0; i < out->n; i++)
        sends |= msg_infos[out->m[i].kind].data;
    return !sends || h->lines[slot].version == memory_versions(h->env.memory, (lineno){ h->tag[slot] })->current;
}

/* A protocol may forward to an owner where there is none. */
static bool all_addressed(const struct outbox *out)
{
    for (unsigned i = 0; i < out->n; i++)
        if (!out->m[i].multicast && out->m[i].to < 0)
            return false;
    return true;
}

/* Steps a slot's line. `in` is NULL for RECALL. */
static enum verdict step(struct home *h, int64_t slot, enum home_event event, const struct msg *in, const struct delta *d,
                         bool from_dram)
{
    const struct protocol *p = h->env.protocol;
    struct home_line *l = &h->lines[slot];
    struct slot_extra *x = &h->extra[slot];
    lineno line = { h->tag[slot] };
    uint8_t old = l->state;
    struct outbox out;
    enum verdict v = home_step(p, l, event, in, &out, h->env.row_counts);
    if (v == STEP_WAIT)
        return v;
    history_add(h->env.history, (struct history_entry){
        .when = engine_now(h->env.engine), .line = line, .who = h->component.name, .event = home_event_name(event),
        .old_state = home_state_name(p, old), .new_state = v == STEP_DONE ? home_state_name(p, l->state) : "none",
        .from = in ? (in->requester == UINT16_MAX ? -1 : (int)in->requester) : -1 });
    if (v == STEP_ILLEGAL) {
        fail(h, in, line, "the protocol has no row", home_state_name(p, old), home_event_name(event));
        return v;
    }
    if (!all_addressed(&out)) {
        fail(h, in, line, "a message is to go to the owner, and there is none", home_state_name(p, old), home_event_name(event));
        return STEP_ILLEGAL;
    }
    if (out.keep_data) {
        x->valid = true;
        x->dirty = l->version != memory_versions(h->env.memory, line)->dram;
    }
    if (!data_is_current(h, slot, &out))
        fail(h, in, line, "the home would send stale data", home_state_name(p, old), home_event_name(event));
    send_outbox(h, &out, line, in, d, from_dram);
    if (out.flush_memory) {
        if (x->dirty)
            write_memory(h, line, l->version);
        x->dirty = x->valid = false; /* given up here: settle drops the line */
    }
    if (out.recalled)
        h->counters.recalls++;
    return v;
}

/* ---- requests */

static void request(struct home *h, struct msg *m);

/* A line became stable, or its slot free: those parked on it go on, in order, in this very event; they were looked
 * up when they arrived. */
static void settle(struct home *h, int64_t slot)
{
    struct slot_extra *x = &h->extra[slot];
    lineno line = { h->tag[slot] };
    tick now = engine_now(h->env.engine);
    struct msg m;
    bool leave = line.v != NO_TAG && !x->fetching && h->lines[slot].state == 0 && (x->recalling || !x->valid);
    if (leave)
        drop(h, slot);
    while (!x->fetching && (h->tag[slot] == NO_TAG || home_stable(h->env.protocol, h->lines[slot].state)) &&
           unpark(h, slot, &m)) {
        delta_mark(&m.delta, PART_HOME_WAIT, now);
        request(h, &m);
    }
}

static void fetched(struct dram_request *r)
{
    struct fetch *f = r->owner;
    struct home *h = f->home;
    int64_t slot = f->slot;
    struct msg m = f->msg;
    f->next_free = h->fetch_free;
    h->fetch_free = f;
    h->fetch_count--;
    h->extra[slot].fetching = false;
    h->extra[slot].valid = true;
    delta_mark(&m.delta, PART_DRAM, engine_now(h->env.engine));
    step(h, slot, home_classify(&h->lines[slot], &m), &m, &m.delta, true);
    settle(h, slot);
}

static void start_fetch(struct home *h, int64_t slot, const struct msg *m)
{
    struct fetch *f = h->fetch_free;
    if (f)
        h->fetch_free = f->next_free;
    else
        f = must_calloc(1, sizeof *f);
    f->home = h;
    f->msg = *m;
    f->slot = slot;
    f->request = (struct dram_request){ .line = m->line, .done = fetched, .owner = f };
    h->fetch_count++;
    h->extra[slot].fetching = true;
    dram_access(h->env.dram, &f->request);
}

/* Stable slots have requests parked on them only while settle takes these up. */
static unsigned evictable(const struct home *h, int64_t slot)
{
    const struct slot_extra *x = &h->extra[slot];
    if (x->fetching || !home_stable(h->env.protocol, h->lines[slot].state))
        return 0;
    return x->parked_head == NO_PARKED ? 2 : 1;
}

/* The least recently used stable line of the set, better one that nobody waits for, else the least recently used
 * one (the caller then waits on it). */
static int64_t victim(const struct home *h, lineno line)
{
    int64_t first = set_of(h, line), best = first;
    unsigned best_rank = 0;
    for (uint32_t w = 0; w < h->desc.ways; w++) {
        int64_t i = first + w;
        if (h->tag[i] == NO_TAG)
            return i;
        unsigned rank = evictable(h, i);
        if (w == 0 || rank > best_rank || (rank == best_rank && h->extra[i].used < h->extra[best].used)) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

/* Makes room for a line: returns its new slot, or NO_SLOT after parking the request. */
static int64_t allocate(struct home *h, const struct msg *m)
{
    int64_t slot = victim(h, m->line);
    struct slot_extra *x = &h->extra[slot];
    if (h->tag[slot] != NO_TAG) {
        if (!evictable(h, slot)) {
            park(h, slot, m);
            return NO_SLOT;
        }
        if (h->lines[slot].state != 0) {
            struct delta d;
            delta_start(&d, engine_now(h->env.engine));
            x->recalling = true;
            if (step(h, slot, HEV_RECALL, NULL, &d, false) != STEP_DONE)
                return NO_SLOT;
            if (!home_stable(h->env.protocol, h->lines[slot].state)) {
                park_first(h, slot, m);
                return NO_SLOT;
            }
        }
        drop(h, slot);
    }
    h->tag[slot] = m->line.v;
    h->lines[slot] = fresh_line(h, m->line);
    x->dirty = x->valid = x->recalling = false;
    return slot;
}

/* A flush of a line that nobody holds: stepped on a line that is not kept. */
static void flush_absent(struct home *h, const struct msg *m)
{
    struct home_line l = fresh_line(h, m->line);
    struct outbox out;
    if (home_step(h->env.protocol, &l, home_classify(&l, m), m, &out, h->env.row_counts) == STEP_DONE)
        send_outbox(h, &out, m->line, m, &m->delta, false);
    else
        fail(h, m, m->line, "the protocol has no row", "absent", "FLUSH");
}

static void request(struct home *h, struct msg *m)
{
    int64_t slot = find(h, m->line);
    bool put = m->kind == MSG_PUT || m->kind == MSG_PUTF;
    if (slot == NO_SLOT && (m->kind == MSG_FLUSH || put)) {
        flush_absent(h, m);
        return;
    }
    bool hit = slot != NO_SLOT;
    if (!hit) {
        slot = allocate(h, m);
        if (slot == NO_SLOT)
            return;
    }
    struct slot_extra *x = &h->extra[slot];
    if (x->fetching) {
        park(h, slot, m);
        return;
    }
    enum home_event event = home_classify(&h->lines[slot], m);
    touch(h, slot);
    if (!x->valid && home_needs_data(h->env.protocol, h->lines[slot].state, event)) {
        h->counters.misses++;
        start_fetch(h, slot, m);
        return;
    }
    if (hit)
        h->counters.hits++;
    if (step(h, slot, event, m, &m->delta, false) == STEP_WAIT)
        park(h, slot, m);
    else
        settle(h, slot);
}

static void response(struct home *h, struct msg *m)
{
    int64_t slot = find(h, m->line);
    if (slot == NO_SLOT) {
        fail(h, m, m->line, "a response for a line that is not here", "absent", msg_infos[m->kind].name);
        return;
    }
    step(h, slot, home_classify(&h->lines[slot], m), m, &m->delta, false);
    settle(h, slot);
}

/* ---- service FIFO */

static void fifo_grow(struct home *h)
{
    uint32_t cap = h->fifo_cap ? h->fifo_cap * 2 : MEAN_SIZE(32, 1);
    struct service *ring = must_calloc(cap, sizeof *ring);
    for (uint32_t i = 0; i < h->fifo_count; i++)
        ring[i] = h->fifo[(h->fifo_head + i) & (h->fifo_cap - 1)];
    free(h->fifo);
    h->fifo = ring;
    h->fifo_cap = cap;
    h->fifo_head = 0;
}

void home_deliver(void *self, struct msg *in)
{
    struct home *h = self;
    tick now = engine_now(h->env.engine);
    if (h->fifo_count == h->fifo_cap)
        fifo_grow(h);
    bool response_in = is_response(in);
    delta_mark(&in->delta, !response_in ? PART_REQUEST_NET : in->kind == MSG_ACK ? PART_ACKS : PART_RESPONSE_NET, now);
    tick start = now > h->free_at ? now : h->free_at;
    h->free_at = start + (response_in ? h->desc.response_occupancy_ps : h->desc.occupancy_ps);
    struct service *s = &h->fifo[(h->fifo_head + h->fifo_count++) & (h->fifo_cap - 1)];
    s->msg = *in;
    s->start = start;
    s->act = start + h->desc.lookup_ps;
    if (!event_scheduled(&h->service_event))
        engine_at(h->env.engine, &h->component, &h->service_event, s->act, PHASE_DELIVER);
}

static void serve(struct event *e)
{
    struct home *h = e->owner;
    struct service s = h->fifo[h->fifo_head];
    h->fifo_head = (h->fifo_head + 1) & (h->fifo_cap - 1);
    h->fifo_count--;
    if (h->fifo_count)
        engine_at(h->env.engine, &h->component, &h->service_event, h->fifo[h->fifo_head].act, PHASE_DELIVER);
    delta_mark(&s.msg.delta, PART_HOME_WAIT, s.start);
    delta_mark(&s.msg.delta, PART_HOME, s.act);
    if (is_response(&s.msg)) {
        response(h, &s.msg);
    } else {
        h->counters.requests++;
        request(h, &s.msg);
    }
}

/* ---- life, inspection */

static bool home_idle(const struct component *c)
{
    const struct home *h = (const struct home *)c;
    size_t n = (size_t)h->desc.sets * h->desc.ways;
    for (size_t i = 0; i < n; i++)
        if (h->tag[i] != NO_TAG && !home_stable(h->env.protocol, h->lines[i].state))
            return false;
    return h->fifo_count == 0 && h->parked_count == 0 && h->fetch_count == 0;
}

static void home_why_busy(const struct component *c, FILE *out)
{
    const struct home *h = (const struct home *)c;
    size_t n = (size_t)h->desc.sets * h->desc.ways;
    for (size_t i = 0; i < n; i++) {
        if (h->tag[i] == NO_TAG || (home_stable(h->env.protocol, h->lines[i].state) && h->extra[i].parked_head == NO_PARKED))
            continue;
        fprintf(out, "  %s: line %#" PRIx64 " in state %s for agent %d\n", h->component.name, h->tag[i],
                home_state_name(h->env.protocol, h->lines[i].state), h->lines[i].requester);
        for (int32_t k = h->extra[i].parked_head; k != NO_PARKED; k = h->parked[k].next)
            fprintf(out, "    %s of agent %u waits since %" PRIu64 " ps\n", msg_infos[h->parked[k].msg.kind].name,
                    h->parked[k].msg.requester, h->parked[k].msg.delta.last);
    }
}

static void home_check(const struct component *c)
{
    const struct home *h = (const struct home *)c;
    size_t n = (size_t)h->desc.sets * h->desc.ways;
    for (size_t i = 0; i < n; i++)
        CHECK(h->tag[i] != NO_TAG || h->extra[i].parked_head == NO_PARKED, "%s: requests are parked on an empty slot",
              h->component.name);
}

static const struct component_ops ops = { home_idle, home_why_busy, home_check };

struct home *home_new(struct component_list *list, const char *name, uint16_t node, const struct home_desc *desc,
                      const struct home_env *env)
{
    CHECK(desc->sets > 0 && (desc->sets & (desc->sets - 1)) == 0 && desc->ways > 0, "%s: sets are not a power of two", name);
    struct home *h = must_calloc(1, sizeof *h);
    h->desc = *desc;
    h->env = *env;
    h->node = node;
    size_t n = (size_t)desc->sets * desc->ways;
    h->tag = must_calloc(n, sizeof *h->tag);
    h->lines = must_calloc(n, sizeof *h->lines);
    h->extra = must_calloc(n, sizeof *h->extra);
    for (size_t i = 0; i < n; i++) {
        h->tag[i] = NO_TAG;
        h->extra[i].parked_head = NO_PARKED;
    }
    h->parked_free = NO_PARKED;
    h->service_event = (struct event){ .fn = serve, .owner = h, .what = "home service" };
    component_register(list, &h->component, name, &ops);
    return h;
}

void home_free(struct home *h)
{
    if (!h)
        return;
    while (h->fetch_free) {
        struct fetch *f = h->fetch_free;
        h->fetch_free = f->next_free;
        free(f);
    }
    free(h->tag);
    free(h->lines);
    free(h->extra);
    free(h->fifo);
    free(h->parked);
    free(h);
}

const struct home_counters *home_counters(const struct home *h) { return &h->counters; }

void home_describe(const struct home *h, lineno line, FILE *out)
{
    int64_t slot = find(h, line);
    if (slot == NO_SLOT) {
        fprintf(out, "%s: not in the last level; memory holds version %" PRIu32 "\n", h->component.name,
                memory_versions(h->env.memory, line)->dram);
        return;
    }
    const struct home_line *l = &h->lines[slot];
    fprintf(out, "%s: state %s, owner %d, sharers", h->component.name, home_state_name(h->env.protocol, l->state), l->owner);
    for (unsigned i = 0; i < AGENTS_MAX; i++)
        if (l->sharers.w[i / 64] >> (i % 64) & 1)
            fprintf(out, " %u", i);
    fprintf(out, ", version %" PRIu32 "%s\n", l->version, h->extra[slot].dirty ? " (newer than memory)" : "");
}

uint64_t home_host_bytes(const struct home *h)
{
    size_t n = (size_t)h->desc.sets * h->desc.ways;
    return sizeof *h + n * (sizeof *h->tag + sizeof *h->lines + sizeof *h->extra) + h->fifo_cap * sizeof *h->fifo +
           (size_t)h->parked_cap * sizeof *h->parked;
}
