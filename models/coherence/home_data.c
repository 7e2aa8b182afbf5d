/* models/coherence/home_data.c - where a home's data is: beside the directory entry, in a store, in memory. */
#include "models/coherence/home_private.h"

#include "src/base/fail.h"

#include <stdlib.h>

struct home_line home_fresh_line(struct home *h, lineno line)
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

/* A line leaves the store: memory gets what it has not, and a directory entry that remains has no data. */
static void stored_leaves(struct home *h, const struct stored *v)
{
    int64_t slot = slots_find(&h->at, v->line);
    if (v->dirty)
        write_memory(h, v->line, v->version);
    if (slot != NO_SLOT)
        h->extra[slot].valid = false;
}

static void put_in_store(struct home *h, lineno line, uint32_t version, bool dirty)
{
    struct stored victim;
    if (data_store_put(&h->store, (struct stored){ line, version, dirty }, &victim))
        stored_leaves(h, &victim);
}

/* The data that came with a message is the home's now. */
void home_keep_data(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    lineno line = slots_line(&h->at, slot);
    uint32_t version = h->lines[slot].version;
    bool newer = version != memory_versions(h->env.memory, line)->dram;
    x->valid = h->desc.data != HOME_NO_DATA;
    x->dirty = newer && h->desc.data == HOME_INCLUSIVE;
    if (h->has_store)
        put_in_store(h, line, version, newer);
    else if (newer && h->desc.data == HOME_NO_DATA)
        write_memory(h, line, version);
}

void home_flush_store(struct home *h, lineno line)
{
    struct stored s;
    if (h->has_store && data_store_take(&h->store, line, &s))
        stored_leaves(h, &s);
}

/* Memory gets the data, and nothing stays here: settle drops the line. */
void home_flush_data(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    if (x->dirty)
        write_memory(h, slots_line(&h->at, slot), h->lines[slot].version);
    x->dirty = x->valid = false;
    home_flush_store(h, slots_line(&h->at, slot));
}

/* Victim: whoever becomes owner has the line's only place; what he gives back is compared with memory then. On a bus a grant
 * may come to one without a copy, who asks again, and a clean copy may leave without a word: memory gets what it has not
 * before. */
void home_hand_over(struct home *h, int64_t slot, const struct outbox *out)
{
    struct stored s;
    bool on_bus = protocol_on_bus(h->env.protocol), owner = false, clean = false;
    for (unsigned i = 0; i < out->n; i++) {
        clean |= out->m[i].kind == MSG_DATA_E;
        owner |= (out->m[i].kind == MSG_GRANT && !on_bus) || (out->m[i].kind == MSG_DATA && out->m[i].acks != ACKS_READ);
    }
    if (!(owner || clean) || !data_store_take(&h->store, slots_line(&h->at, slot), &s))
        return;
    h->extra[slot].valid = false;
    if (on_bus && clean && s.dirty)
        write_memory(h, slots_line(&h->at, slot), s.version);
}

/* The slot's line leaves the directory; no private copy exists. */
void home_drop(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    if (x->dirty)
        write_memory(h, slots_line(&h->at, slot), h->lines[slot].version);
    if (x->ahead)
        fetch_of(h, slot)->slot = NO_SLOT;
    x->dirty = x->valid = x->recalling = x->ahead = x->early = false;
    h->at.tag[slot] = 0;
}

/* ---- reading memory */

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

/* The answers to the snoop are still missing, or an owner's was the last: then only an inclusive level keeps the data. */
static void fetched_early(struct home *h, int64_t slot)
{
    struct home_extra *x = &h->extra[slot];
    bool busy = !home_stable(h->env.protocol, h->lines[slot].state);
    x->ahead = false;
    if (x->valid || !(busy || h->desc.data == HOME_INCLUSIVE))
        return;
    x->valid = true;
    x->early = busy;
    if (h->desc.data == HOME_NON_INCLUSIVE)
        put_in_store(h, slots_line(&h->at, slot), h->lines[slot].version, false);
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
        if (slot != NO_SLOT)
            fetched_early(h, slot);
        return;
    }
    h->extra[slot].fetching = h->extra[slot].ahead = false;
    h->extra[slot].valid = true;
    if (h->desc.data == HOME_NON_INCLUSIVE)
        put_in_store(h, m.line, h->lines[slot].version, false);
    delta_mark(&m.delta, PART_DRAM, engine_now(h->env.engine));
    home_fetched(h, slot, &m);
}

static tick head_start_ps(const struct home *h, const struct msg *m)
{
    bool early = h->desc.early_read == EARLY_ALL ||
                 (h->desc.early_read == EARLY_OWN && h->env.own(h->env.own_arg, h->node, m->requester));
    return early ? h->desc.lookup_ps : 0;
}

static struct fetch *fetch_begin(struct home *h, int64_t slot, const struct msg *m)
{
    struct fetch *f = h->fetch_free;
    if (f)
        h->fetch_free = f->next;
    else
        f = must_calloc(1, sizeof *f, "a home");
    f->home = h;
    f->msg = *m;
    f->slot = slot;
    f->ahead = f->waited_for = false;
    h->counters.misses++;
    f->request = (struct dram_request){ .line = m->line, .done = fetched, .owner = f, .head_start_ps = head_start_ps(h, m) };
    h->fetch_count++;
    dram_access(h->env.dram, &f->request);
    return f;
}

void home_fetch(struct home *h, int64_t slot, const struct msg *m)
{
    h->extra[slot].fetching = true;
    fetch_begin(h, slot, m);
}

/* Nothing waits for it yet: an owner may answer the snoop. */
void home_fetch_ahead(struct home *h, int64_t slot, const struct msg *m)
{
    struct fetch *f = fetch_begin(h, slot, m);
    h->extra[slot].ahead = f->ahead = true;
    f->next = h->fetch_ahead;
    h->fetch_ahead = f;
}

/* All have answered a snoop and memory must supply. */
void home_fetch_wait(struct home *h, int64_t slot, const struct msg *m)
{
    struct home_extra *x = &h->extra[slot];
    if (!x->ahead) {
        home_fetch(h, slot, m);
        return;
    }
    struct fetch *f = fetch_of(h, slot);
    x->fetching = f->waited_for = true;
    f->msg = *m;
}
