/* models/cache/snoop.c - what others' requests do to this cache: a FIFO in front of the tags. */
#include "models/cache/private.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <string.h>

static void grow(struct cache *c)
{
    uint32_t cap = c->snoop_cap ? c->snoop_cap * 2 : MEAN_SIZE(8, 1);
    struct snoop *ring = malloc(cap * sizeof *ring);
    CHECK_MEMORY(ring, "out of host memory for snoops");
    for (uint32_t i = 0; i < c->snoop_count; i++)
        ring[i] = c->snoop[(c->snoop_head + i) & (c->snoop_cap - 1)];
    free(c->snoop);
    c->snoop = ring;
    c->snoop_cap = cap;
    c->snoop_head = 0;
}

static bool takes_data(unsigned kind)
{
    return kind == MSG_FWD_GETS || kind == MSG_FWD_GETM || kind == MSG_FWD_GETU || kind == MSG_FWD_FLUSH;
}

/* Pipelined: one starts every snoop_occupancy_ps, each answers snoop_ps (with data
 * snoop_data_ps more) after it started, never before its forerunner. Their number is bounded
 * by the transactions of the other agents; the ring grows to that once. */
void snoop_push(struct cache *c, const struct msg *in)
{
    tick now = engine_now(c->env.engine);
    if (c->snoop_count == c->snoop_cap)
        grow(c);
    tick start = now > c->snoop_free_at ? now : c->snoop_free_at;
    c->snoop_free_at = start + c->desc.snoop_occupancy_ps;
    struct snoop *s = &c->snoop[(c->snoop_head + c->snoop_count++) & (c->snoop_cap - 1)];
    s->msg = *in;
    tick ready = start + c->desc.snoop_ps + (takes_data(in->kind) ? c->desc.snoop_data_ps : 0);
    s->ready = c->snoop_ready_at = ready > c->snoop_ready_at ? ready : c->snoop_ready_at;
    if (!event_scheduled(&c->snoop_event))
        engine_at(c->env.engine, &c->component, &c->snoop_event, s->ready, PHASE_DELIVER);
}

/* The line's state is in its MSHR, its write-back entry, its tag, or nowhere (no copy: an old sharer). */
static void snoop_step(struct cache *c, struct msg *in)
{
    struct outbox out;
    struct mshr *m = mshr_find(c, in->line);
    struct write_back *w = NULL;
    int64_t slot = NO_SLOT;
    struct cache_line loose = { 0 }, *l = &loose;
    if (m && m->issued) {
        l = &m->line_state;
    } else if ((w = wb_find(c, in->line))) {
        l = &w->line_state;
    } else if ((slot = tags_find(c, in->line)) != NO_SLOT) {
        loose.state = c->state[slot];
        loose.version = c->version[slot];
    }
    enum cache_event event = cache_classify(l, in);
    if (cache_do(c, l, in->line, event, in, in->txn, &in->delta, &out) != STEP_DONE)
        return;
    if (l == &loose && slot != NO_SLOT) {
        c->state[slot] = loose.state;
        if (loose.state == 0)
            tags_drop(c, slot);
    } else if (w) {
        wb_after_step(c, w);
    } else if (l != &loose) {
        mshr_after_step(c, m, &out);
    }
}

void snoop_run(struct event *e)
{
    struct cache *c = e->owner;
    tick now = engine_now(c->env.engine);
    struct msg in = c->snoop[c->snoop_head].msg;
    c->snoop_head = (c->snoop_head + 1) & (c->snoop_cap - 1);
    c->snoop_count--;
    if (c->snoop_count)
        engine_at(c->env.engine, &c->component, &c->snoop_event, c->snoop[c->snoop_head].ready, PHASE_DELIVER);
    bool inv = in.kind == MSG_INV || in.kind == MSG_SNOOP_GETM || in.kind == MSG_SNOOP_GETO || in.kind == MSG_SNOOP_FLUSH;
    bool answers = inv || in.kind == MSG_SNOOP_GETS || in.kind == MSG_SNOOP_GETU; /* somebody collects */
    delta_mark(&in.delta, answers ? PART_ACKS : PART_OWNER, now);
    inv ? c->counters.invalidations++ : c->counters.forwards++;
    snoop_step(c, &in);
}
