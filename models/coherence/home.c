/* models/coherence/home.c - the timed home controller: places, protocol steps, requests. */
#include "models/coherence/home_private.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

static void park(struct home *h, int64_t slot, const struct msg *m) { slots_park(&h->at, slot, m); }

/* ---- protocol steps */

static void fail(struct home *h, const struct msg *in, lineno line, const char *what, const char *state, const char *event)
{
    char text[300];
    snprintf(text, sizeof text, "%s: %s (state %s, event %s%s%s)", h->component.name, what, state, event,
             in ? ", message " : "", in ? msg_infos[in->kind].name : "");
    h->env.protocol_error(h->env.error_arg, in ? in->requester : h->node, line, text);
}

static uint16_t node_of(const struct home *h, unsigned agent, lineno line)
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

static unsigned count_holders(const struct home_line *l)
{
    unsigned n = l->owner >= 0 && !(l->sharers.w[l->owner / 64] >> (l->owner % 64) & 1);
    for (unsigned i = 0; i < SHARER_WORDS; i++)
        n += (unsigned)__builtin_popcountll(l->sharers.w[i]);
    return n;
}

/* More sharers than the entry can name: from now on it names everybody, but an owner only if he was named. */
static void overflow(struct home *h, struct home_line *l)
{
    if (!h->desc.pointers || h->desc.overflow != OVERFLOW_BROADCAST || count_holders(l) <= h->desc.pointers)
        return;
    bool lost = false;
    for (unsigned i = 0; i < SHARER_WORDS; i++) {
        uint64_t all = h->env.everyone.w[i];
        if (l->owner >= 0 && (unsigned)l->owner / 64 == i)
            all &= ~(1ull << l->owner % 64);
        lost |= (all & ~l->sharers.w[i]) != 0;
        l->sharers.w[i] |= all;
    }
    h->counters.broadcasts += lost;
}

/* Steps a slot's line. `in` is NULL for RECALL. */
static enum verdict step(struct home *h, int64_t slot, enum home_event event, const struct msg *in, const struct delta *d,
                         bool from_dram)
{
    const struct protocol *p = h->env.protocol;
    struct home_line *l = &h->lines[slot];
    lineno line = slots_line(&h->at, slot);
    uint8_t old = l->state;
    struct outbox out;
    enum verdict v = home_step(p, l, event, in, &out, h->env.row_counts);
    if (v == STEP_WAIT)
        return v;
    history_add(h->env.history, (struct history_entry){
        .when = engine_now(h->env.engine), .line = line, .who = h->component.name, .event = home_event_name(event),
        .old_state = home_state_name(p, old), .new_state = v == STEP_DONE ? home_state_name(p, l->state) : "none",
        .from = in && in->requester != UINT16_MAX ? (int)node_of(h, in->requester, line) : -1 });
    if (v == STEP_ILLEGAL) {
        fail(h, in, line, "the protocol has no row", home_state_name(p, old), home_event_name(event));
        return v;
    }
    if (!all_addressed(&out)) {
        fail(h, in, line, "a message is to go to the owner, and there is none", home_state_name(p, old), home_event_name(event));
        return STEP_ILLEGAL;
    }
    h->busy_count += (uint32_t)home_stable(p, old) - (uint32_t)home_stable(p, l->state);
    if (out.keep_data)
        home_keep_data(h, slot);
    if (!data_is_current(h, slot, &out))
        fail(h, in, line, "the home would send stale data", home_state_name(p, old), home_event_name(event));
    send_outbox(h, &out, line, in, d, from_dram);
    if (out.flush_memory)
        home_flush_data(h, slot);
    if (h->desc.data == HOME_VICTIM)
        home_hand_over(h, slot, &out);
    if (h->desc.data != HOME_INCLUSIVE && home_stable(p, l->state)) {
        struct stored s; /* what memory gave is gone, unless the store has it */
        h->extra[slot].valid = h->has_store && data_store_find(&h->store, line, &s);
    }
    overflow(h, l);
    h->counters.recalls += out.recalled;
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
    bool leave = !slots_empty(&h->at, slot) && !x->fetching && h->lines[slot].state == 0 &&
                 (x->recalling || !x->valid || h->desc.data != HOME_INCLUSIVE);
    if (leave)
        home_drop(h, slot);
    while (!x->fetching && (slots_empty(&h->at, slot) || home_stable(h->env.protocol, h->lines[slot].state)) &&
           slots_unpark(&h->at, slot, &m)) {
        delta_mark(&m.delta, PART_HOME_WAIT, now);
        request(h, &m);
    }
}

void home_fetched(struct home *h, int64_t slot, struct msg *m)
{
    step(h, slot, home_classify(&h->lines[slot], m), m, &m->delta, true);
    settle(h, slot);
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
            *(h->desc.data == HOME_INCLUSIVE ? &h->counters.recalls_last_level : &h->counters.recalls_directory) += 1;
            if (step(h, slot, HEV_RECALL, NULL, &d, false) != STEP_DONE)
                return NO_SLOT;
            if (!home_stable(h->env.protocol, h->lines[slot].state)) {
                slots_park_first(&h->at, slot, m);
                return NO_SLOT;
            }
        }
        home_drop(h, slot);
    }
    h->at.tag[slot] = m->line.v + 1;
    h->lines[slot] = home_fresh_line(h, m->line);
    x->dirty = x->recalling = false;
    struct stored s;
    x->valid = h->has_store && data_store_find(&h->store, m->line, &s);
    if (x->valid)
        h->lines[slot].version = s.version;
    return slot;
}

/* A flush of a line that nobody holds: stepped on a line that is not kept. */
static void flush_absent(struct home *h, const struct msg *m)
{
    struct home_line l = home_fresh_line(h, m->line);
    struct outbox out;
    if (m->kind == MSG_FLUSH || m->kind == MSG_PUTF)
        home_flush_store(h, m->line);
    if (home_step(h->env.protocol, &l, home_classify(&l, m), m, &out, h->env.row_counts) == STEP_DONE)
        send_outbox(h, &out, m->line, m, &m->delta, false);
    else
        fail(h, m, m->line, "the protocol has no row", "absent", "FLUSH");
}

/* One more reader than the entry can name, and the directory does not broadcast. */
static bool no_pointer_left(const struct home *h, int64_t slot, const struct msg *m)
{
    const struct home_line *l = &h->lines[slot];
    if (!h->desc.pointers || h->desc.overflow != OVERFLOW_RECALL || l->state == 0 || !home_stable(h->env.protocol, l->state))
        return false;
    bool named = l->owner == (int16_t)m->requester || l->sharers.w[m->requester / 64] >> (m->requester % 64) & 1;
    return !named && count_holders(l) >= h->desc.pointers;
}

/* All copies come back; the reader is the first served then. */
static void free_pointers(struct home *h, int64_t slot, const struct msg *m)
{
    struct delta d = m->delta;
    slots_park_first(&h->at, slot, m);
    h->counters.recalls_pointers++;
    if (step(h, slot, HEV_RECALL, NULL, &d, false) == STEP_DONE)
        settle(h, slot);
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
        hit = h->extra[slot].valid;
    }
    struct home_extra *x = &h->extra[slot];
    if (x->fetching) {
        park(h, slot, m);
        return;
    }
    enum home_event event = home_classify(&h->lines[slot], m);
    slots_touch(&h->at, slot);
    if (event == HEV_GETS && no_pointer_left(h, slot, m)) {
        free_pointers(h, slot, m);
        return;
    }
    if (!x->valid && home_needs_data(h->env.protocol, &h->lines[slot], event)) {
        home_fetch(h, slot, m);
        return;
    }
    x->early = false;
    if (!x->valid && !x->ahead && home_may_need_data(h->env.protocol, &h->lines[slot], event))
        home_fetch_ahead(h, slot, m);
    else if (hit)
        h->counters.hits++;
    if (h->has_store && x->valid)
        data_store_touch(&h->store, m->line);
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
        home_fetch_wait(h, slot, m);
        return;
    }
    step(h, slot, event, m, &m->delta, h->extra[slot].early);
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

struct telling { const struct home *home; FILE *out; };

static void tell_parked(void *arg, const struct msg *m)
{
    const struct telling *t = arg;
    fprintf(t->out, "    %s of agent %u waits since %" PRIu64 " ps\n", msg_infos[m->kind].name, node_of(t->home, m->requester, m->line),
            m->delta.last);
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
        slots_each_parked(&h->at, i, tell_parked, &(struct telling){ h, out });
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
    struct home *h = must_calloc(1, sizeof *h, "a home");
    h->desc = *desc;
    h->env = *env;
    h->node = node;
    size_t n = (size_t)desc->sets * desc->ways;
    slots_init(&h->at, name, desc->sets, desc->ways, 0);
    h->lines = must_calloc(n, sizeof *h->lines, "a home");
    h->extra = must_calloc(n, sizeof *h->extra, "a home");
    h->has_store = desc->data == HOME_NON_INCLUSIVE || desc->data == HOME_VICTIM;
    if (h->has_store)
        data_store_init(&h->store, name, desc->store_sets, desc->store_ways);
    struct station_desc sd = { desc->lookup_ps, desc->lookup_ps, desc->occupancy_ps, desc->response_occupancy_ps };
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
    if (h->has_store)
        data_store_free(&h->store);
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

static void describe_parked(void *arg, const struct msg *m)
{
    const struct telling *t = arg;
    fprintf(t->out, ", %s of agent %u waits", msg_infos[m->kind].name, node_of(t->home, m->requester, m->line));
}

void home_describe(const struct home *h, lineno line, FILE *out)
{
    int64_t slot = slots_find(&h->at, line);
    if (slot == NO_SLOT) {
        struct stored s;
        if (h->has_store && data_store_find(&h->store, line, &s))
            fprintf(out, "%s: no private copy; the last level holds version %" PRIu32 "%s\n", h->component.name, s.version,
                    s.dirty ? " (newer than memory)" : "");
        else
            fprintf(out, "%s: %s; memory holds version %" PRIu32 "\n", h->component.name,
                    h->desc.data == HOME_NO_DATA ? "not in the directory" : "not in the last level",
                    memory_versions(h->env.memory, line)->dram);
        return;
    }
    const struct home_line *l = &h->lines[slot];
    fprintf(out, "%s: state %s", h->component.name, home_state_name(h->env.protocol, l->state));
    home_line_print_holders(out, l, h->env.agent_node, h->env.agent_arg, line);
    fprintf(out, ", version %" PRIu32 "%s", l->version, h->extra[slot].dirty ? " (newer than memory)" : "");
    if (!home_stable(h->env.protocol, l->state) && l->requester >= 0)
        fprintf(out, ", busy for agent %u", node_of(h, (unsigned)l->requester, line));
    slots_each_parked(&h->at, slot, describe_parked, &(struct telling){ h, out });
    fputc('\n', out);
}

uint64_t home_host_bytes(const struct home *h)
{
    return sizeof *h + (uint64_t)h->at.sets * h->at.ways * (sizeof *h->lines + sizeof *h->extra) + slots_host_bytes(&h->at) +
           h->station.cap * sizeof *h->station.fifo + (h->has_store ? data_store_host_bytes(&h->store) : 0);
}
