/* models/coherence/home.c - the timed home controller. */
#include "models/coherence/home.h"

#include "models/coherence/slots.h"
#include "models/coherence/station.h"
#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

struct fetch {                    /* a DRAM read on behalf of one request */
    struct dram_request request;
    struct home *home;
    struct msg msg;               /* what waits for it */
    int64_t slot;                 /* NO_SLOT: read ahead for a line that has left meanwhile */
    bool ahead, waited_for;       /* ahead: begun with a snoop; waited_for: by the last answer to it */
    struct fetch *next;
};

struct home {
    struct component component;
    struct home_desc desc;
    struct home_env env;
    uint16_t node;
    struct slots at;
    struct home_line *lines;      /* by slot, as is extra */
    struct home_extra { bool dirty, valid, fetching, recalling, ahead; } *extra; /* dirty: newer than DRAM; valid: the data is
                                         here; ahead: a fetch is on its way that nothing waits for yet */
    struct station station;
    uint32_t fetch_count, busy_count;
    struct fetch *fetch_free, *fetch_ahead;
    struct home_counters counters;
};

static void *must_calloc(size_t n, size_t size)
{
    void *p = calloc(n, size);
    CHECK(p, "out of host memory for a home");
    return p;
}

/* ---- data */

static struct home_line fresh_line(struct home *h, lineno line)
{
    return (struct home_line){ .owner = -1, .requester = -1, .txn = -1,
                               .agents = protocol_on_bus(h->env.protocol) ? h->env.agents : 0,
                               .version = memory_versions(h->env.memory, line)->dram };
}

static void write_memory(struct home *h, lineno line, uint32_t version)
{
    memory_versions(h->env.memory, line)->dram = version;
    tick done = dram_write_posted(h->env.dram, line), window = h->desc.write_window_ps;
    if (window && done > engine_now(h->env.engine) + window && h->station.free_at < done - window)
        h->station.free_at = done - window; /* back-pressure: memory's write queue is full */
    h->counters.writebacks++;
}

static struct fetch *fetch_of(struct home *h, int64_t slot)
{
    struct fetch *f = h->fetch_ahead;
    while (f->slot != slot)
        f = f->next;
    return f;
}

/* The slot's line leaves the last level; no private copy exists. */
static void drop(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    if (x->dirty)
        write_memory(h, slots_line(&h->at, slot), h->lines[slot].version);
    if (x->ahead)
        fetch_of(h, slot)->slot = NO_SLOT;
    x->dirty = x->valid = x->recalling = x->ahead = false;
    h->at.tag[slot] = 0;
}

static void park(struct home *h, int64_t slot, const struct msg *m) { slots_park(&h->at, slot, m); }

/* ---- protocol steps */

static void fail(struct home *h, const struct msg *in, lineno line, const char *what, const char *state, const char *event)
{
    char text[300];
    snprintf(text, sizeof text, "%s: %s (state %s, event %s%s%s)", h->component.name, what, state, event,
             in ? ", message " : "", in ? msg_infos[in->kind].name : "");
    h->env.protocol_error(h->env.error_arg, in ? in->requester : h->node, line, text);
}

static uint16_t node_of(struct home *h, unsigned agent, lineno line)
{
    return h->env.agent_node ? h->env.agent_node(h->env.agent_arg, agent, line) : (uint16_t)agent;
}

static struct msg message(struct home *h, const struct out_msg *o, lineno line, const struct delta *d, uint8_t served_by)
{
    return (struct msg){ .kind = o->kind, .served_by = served_by, .outer = h->env.outer, .src = h->node,
                         .requester = (uint16_t)o->requester, .txn = o->txn, .acks = o->acks, .version = o->version, .line = line,
                         .delta = *d };
}

static void send_to(struct home *h, const struct out_msg *o, unsigned to, lineno line, const struct delta *d, uint8_t served_by)
{
    struct msg m = message(h, o, line, d, served_by);
    m.dst = node_of(h, to, line);
    net_send(h->env.net, &m);
}

static void send_multicast(struct home *h, const struct out_msg *o, const struct sharer_set *to, lineno line,
                           const struct delta *d)
{
    uint16_t dst[AGENTS_MAX];
    unsigned n = 0;
    for (unsigned i = 0; i < SHARER_WORDS; i++)
        for (uint64_t w = to->w[i]; w; w &= w - 1)
            dst[n++] = node_of(h, i * 64 + (unsigned)__builtin_ctzll(w), line);
    struct msg m = message(h, o, line, d, SOURCE_PEER);
    net_multicast(h->env.net, &m, dst, n);
    *(o->kind == MSG_SNOOP_GETS || o->kind == MSG_SNOOP_GETU ? &h->counters.forwards : &h->counters.invalidations) += n;
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
        if (o->kind == MSG_DATA_U || (in && in->kind == MSG_GETU && msg_infos[o->kind].data))
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
    return !sends || h->lines[slot].version == memory_versions(h->env.memory, slots_line(&h->at, slot))->current;
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
    struct home_extra *x = &h->extra[slot];
    lineno line = slots_line(&h->at, slot);
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
    h->busy_count += (uint32_t)home_stable(p, old) - (uint32_t)home_stable(p, l->state);
    if (out.keep_data) {
        x->valid = true;
        x->dirty = l->version != memory_versions(h->env.memory, line)->dram;
        if (h->desc.no_data && x->dirty)
            write_memory(h, line, l->version);
        x->dirty = x->dirty && !h->desc.no_data;
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
    if (h->desc.no_data && home_stable(p, l->state))
        x->valid = false; /* what is needed again is read again */
    return v;
}

/* ---- requests */

static void request(struct home *h, struct msg *m);

/* A line became stable, or its slot free: those parked on it go on, in order, in this very event; they were looked
 * up when they arrived. */
static void settle(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    tick now = engine_now(h->env.engine);
    struct msg m;
    bool leave = !slots_empty(&h->at, slot) && !x->fetching && h->lines[slot].state == 0 && (x->recalling || !x->valid);
    if (leave)
        drop(h, slot);
    while (!x->fetching && (slots_empty(&h->at, slot) || home_stable(h->env.protocol, h->lines[slot].state)) &&
           slots_unpark(&h->at, slot, &m)) {
        delta_mark(&m.delta, PART_HOME_WAIT, now);
        request(h, &m);
    }
}

static void fetch_release(struct home *h, struct fetch *f)
{
    struct fetch **link = &h->fetch_ahead;
    while (f->ahead && *link != f)
        link = &(*link)->next;
    if (f->ahead)
        *link = f->next;
    f->next = h->fetch_free;
    h->fetch_free = f;
    h->fetch_count--;
}

static void fetched(struct dram_request *r)
{
    struct fetch *f = r->owner;
    struct home *h = f->home;
    int64_t slot = f->slot;
    struct msg m = f->msg;
    bool early = f->ahead && !f->waited_for;
    fetch_release(h, f);
    if (early) {
        if (slot != NO_SLOT) {
            struct home_extra *x = &h->extra[slot];
            x->ahead = false;
            x->valid |= !h->desc.no_data || !home_stable(h->env.protocol, h->lines[slot].state);
        }
        return;
    }
    h->extra[slot].fetching = h->extra[slot].ahead = false;
    h->extra[slot].valid = true;
    delta_mark(&m.delta, PART_DRAM, engine_now(h->env.engine));
    step(h, slot, home_classify(&h->lines[slot], &m), &m, &m.delta, true);
    settle(h, slot);
}

static struct fetch *fetch_begin(struct home *h, int64_t slot, const struct msg *m)
{
    struct fetch *f = h->fetch_free;
    if (f)
        h->fetch_free = f->next;
    else
        f = must_calloc(1, sizeof *f);
    f->home = h;
    f->msg = *m;
    f->slot = slot;
    f->ahead = f->waited_for = false;
    h->counters.misses++;
    f->request = (struct dram_request){ .line = m->line, .done = fetched, .owner = f };
    h->fetch_count++;
    dram_access(h->env.dram, &f->request);
    return f;
}

static void start_fetch(struct home *h, int64_t slot, const struct msg *m)
{
    h->extra[slot].fetching = true;
    fetch_begin(h, slot, m);
}

/* Nothing waits for it yet: an owner may answer the snoop. */
static void fetch_ahead(struct home *h, int64_t slot, const struct msg *m)
{
    struct fetch *f = fetch_begin(h, slot, m);
    h->extra[slot].ahead = f->ahead = true;
    f->next = h->fetch_ahead;
    h->fetch_ahead = f;
}

/* All have answered a snoop and memory must supply. */
static void wait_for_fetch(struct home *h, int64_t slot, const struct msg *m)
{
    struct home_extra *x = &h->extra[slot];
    if (!x->ahead) {
        start_fetch(h, slot, m);
        return;
    }
    struct fetch *f = fetch_of(h, slot);
    x->fetching = f->waited_for = true;
    f->msg = *m;
}

/* A slot's rank as a victim: 0 never. Stable slots have requests parked on them only while settle takes these up. */
static unsigned evictable(const void *self, int64_t slot)
{
    const struct home *h = self;
    if (h->extra[slot].fetching || !home_stable(h->env.protocol, h->lines[slot].state))
        return 0;
    return slots_waited_for(&h->at, slot) ? 1 : 2;
}

/* Makes room for a line: returns its new slot, or NO_SLOT after parking the request. */
static int64_t allocate(struct home *h, const struct msg *m)
{
    int64_t slot = slots_victim(&h->at, m->line, evictable, h);
    struct home_extra *x = &h->extra[slot];
    if (!slots_empty(&h->at, slot)) {
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
                slots_park_first(&h->at, slot, m);
                return NO_SLOT;
            }
        }
        drop(h, slot);
    }
    h->at.tag[slot] = m->line.v + 1;
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
    int64_t slot = slots_find(&h->at, m->line);
    bool put = m->kind == MSG_PUT || m->kind == MSG_PUTF || m->kind == MSG_ASK_PUT;
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
    struct home_extra *x = &h->extra[slot];
    if (x->fetching) {
        park(h, slot, m);
        return;
    }
    enum home_event event = home_classify(&h->lines[slot], m);
    slots_touch(&h->at, slot);
    if (!x->valid && home_needs_data(h->env.protocol, &h->lines[slot], event)) {
        start_fetch(h, slot, m);
        return;
    }
    if (!x->valid && !x->ahead && home_may_need_data(h->env.protocol, &h->lines[slot], event))
        fetch_ahead(h, slot, m);
    else if (hit)
        h->counters.hits++;
    if (step(h, slot, event, m, &m->delta, false) == STEP_WAIT)
        park(h, slot, m);
    else
        settle(h, slot);
}

static void response(struct home *h, struct msg *m)
{
    int64_t slot = slots_find(&h->at, m->line);
    if (slot == NO_SLOT) {
        fail(h, m, m->line, "a response for a line that is not here", "absent", msg_infos[m->kind].name);
        return;
    }
    enum home_event event = home_classify(&h->lines[slot], m);
    if (!h->extra[slot].valid && home_needs_data(h->env.protocol, &h->lines[slot], event)) {
        wait_for_fetch(h, slot, m);
        return;
    }
    step(h, slot, event, m, &m->delta, false);
    settle(h, slot);
}

/* ---- life, inspection */

static void act(void *self, struct msg *m)
{
    struct home *h = self;
    if (msg_is_response(m)) {
        response(h, m);
    } else {
        h->counters.requests++;
        request(h, m);
    }
}

void home_deliver(void *self, struct msg *in) { station_push(&((struct home *)self)->station, in); }

static bool home_idle(const struct component *c)
{
    const struct home *h = (const struct home *)c;
    return h->busy_count == 0 && h->station.count == 0 && h->at.parked_count == 0 && h->fetch_count == 0;
}

static void tell_parked(void *out, const struct msg *m)
{
    fprintf(out, "    %s of agent %u waits since %" PRIu64 " ps\n", msg_infos[m->kind].name, m->requester, m->delta.last);
}

static void home_why_busy(const struct component *c, FILE *out)
{
    const struct home *h = (const struct home *)c;
    int64_t n = (int64_t)h->at.sets * h->at.ways;
    for (int64_t i = 0; i < n; i++) {
        if (slots_empty(&h->at, i) || (home_stable(h->env.protocol, h->lines[i].state) && !slots_waited_for(&h->at, i)))
            continue;
        fprintf(out, "  %s: line %#" PRIx64 " in state %s for agent %d\n", h->component.name, slots_line(&h->at, i).v,
                home_state_name(h->env.protocol, h->lines[i].state), h->lines[i].requester);
        slots_each_parked(&h->at, i, tell_parked, out);
    }
}

static void home_check(const struct component *c)
{
    const struct home *h = (const struct home *)c;
    int64_t n = (int64_t)h->at.sets * h->at.ways;
    uint32_t busy = 0;
    for (int64_t i = 0; i < n; i++) {
        CHECK(!slots_empty(&h->at, i) || !slots_waited_for(&h->at, i), "%s: requests are parked on an empty slot", h->component.name);
        busy += !slots_empty(&h->at, i) && !home_stable(h->env.protocol, h->lines[i].state);
    }
    CHECK(busy == h->busy_count, "%s: %u lines are busy, counted are %u", h->component.name, busy, h->busy_count);
}

static const struct component_ops ops = { home_idle, home_why_busy, home_check };

struct home *home_new(struct component_list *list, const char *name, uint16_t node, const struct home_desc *desc,
                      const struct home_env *env)
{
    struct home *h = must_calloc(1, sizeof *h);
    h->desc = *desc;
    h->env = *env;
    h->node = node;
    size_t n = (size_t)desc->sets * desc->ways;
    slots_init(&h->at, name, desc->sets, desc->ways);
    h->lines = must_calloc(n, sizeof *h->lines);
    h->extra = must_calloc(n, sizeof *h->extra);
    struct station_desc sd = { desc->lookup_ps, desc->occupancy_ps, desc->response_occupancy_ps };
    station_init(&h->station, env->engine, &h->component, &sd, act, h);
    component_register(list, &h->component, name, &ops);
    return h;
}

void home_free(struct home *h)
{
    if (!h)
        return;
    for (struct fetch *f; (f = h->fetch_free) || (f = h->fetch_ahead); free(f))
        *(h->fetch_free ? &h->fetch_free : &h->fetch_ahead) = f->next;
    slots_free(&h->at);
    station_free(&h->station);
    free(h->lines);
    free(h->extra);
    free(h);
}

struct home_counters home_counters(const struct home *h)
{
    struct home_counters c = h->counters;
    c.parked = h->at.parked_total;
    return c;
}

static void describe_parked(void *out, const struct msg *m)
{
    fprintf(out, ", %s of agent %u waits", msg_infos[m->kind].name, m->requester);
}

void home_describe(const struct home *h, lineno line, FILE *out)
{
    int64_t slot = slots_find(&h->at, line);
    if (slot == NO_SLOT) {
        fprintf(out, "%s: not in the last level; memory holds version %" PRIu32 "\n", h->component.name,
                memory_versions(h->env.memory, line)->dram);
        return;
    }
    const struct home_line *l = &h->lines[slot];
    fprintf(out, "%s: state %s", h->component.name, home_state_name(h->env.protocol, l->state));
    if (l->owner >= 0)
        fprintf(out, ", owner %d", l->owner);
    bool any = false;
    for (unsigned i = 0; i < AGENTS_MAX; i++)
        if (l->sharers.w[i / 64] >> (i % 64) & 1) {
            fprintf(out, any ? " %u" : ", sharers %u", i);
            any = true;
        }
    fprintf(out, ", version %" PRIu32 "%s", l->version, h->extra[slot].dirty ? " (newer than memory)" : "");
    if (!home_stable(h->env.protocol, l->state) && l->requester >= 0)
        fprintf(out, ", busy for agent %d", l->requester);
    slots_each_parked(&h->at, slot, describe_parked, out);
    fputc('\n', out);
}

uint64_t home_host_bytes(const struct home *h)
{
    return sizeof *h + (uint64_t)h->at.sets * h->at.ways * (sizeof *h->lines + sizeof *h->extra) + slots_host_bytes(&h->at) +
           h->station.cap * sizeof *h->station.fifo;
}
