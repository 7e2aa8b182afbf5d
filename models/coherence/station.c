/* models/coherence/station.c - the service queue in front of a home or a cluster's node. */
#include "models/coherence/station.h"

#include "src/base/fail.h"

#include <stdlib.h>

static void serve(struct event *e)
{
    struct station *s = e->owner;
    struct service now = s->fifo[s->head];
    s->head = (s->head + 1) & (s->cap - 1);
    s->count--;
    if (s->count)
        engine_at(s->engine, s->component, &s->event, s->fifo[s->head].act, PHASE_DELIVER);
    delta_mark(&now.msg.delta, PART_HOME_WAIT, now.start);
    delta_mark(&now.msg.delta, PART_HOME, now.act);
    s->act(s->owner, &now.msg);
}

void station_init(struct station *s, struct engine *engine, struct component *component, const struct station_desc *desc,
                  void (*act)(void *owner, struct msg *), void *owner)
{
    *s = (struct station){ .engine = engine, .component = component, .desc = *desc, .act = act, .owner = owner,
                           .event = { .fn = serve, .owner = s, .what = "home service" } };
}

void station_free(struct station *s) { free(s->fifo); }

static void grow(struct station *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : MEAN_SIZE(32, 1);
    struct service *ring = calloc(cap, sizeof *ring);
    CHECK_MEMORY(ring, "out of host memory for a service queue");
    for (uint32_t i = 0; i < s->count; i++)
        ring[i] = s->fifo[(s->head + i) & (s->cap - 1)];
    free(s->fifo);
    s->fifo = ring;
    s->cap = cap;
    s->head = 0;
}

void station_push(struct station *s, struct msg *in)
{
    tick now = engine_now(s->engine);
    if (s->count == s->cap)
        grow(s);
    bool response = msg_is_response(in);
    bool answer = in->kind == MSG_ACK || in->kind == MSG_SHARED || in->kind == MSG_OWNED || in->kind == MSG_SNOOP_DATA;
    delta_mark(&in->delta, !response ? PART_REQUEST_NET : answer ? PART_ACKS : PART_RESPONSE_NET, now);
    tick start = now > s->free_at ? now : s->free_at;
    s->free_at = start + (response ? s->desc.response_occupancy_ps : s->desc.occupancy_ps);
    tick act = start + (response ? s->desc.response_lookup_ps : s->desc.lookup_ps);
    struct service *last = &s->fifo[(s->head + s->count++) & (s->cap - 1)];
    last->msg = *in;
    last->start = start;
    last->act = s->last_act = act > s->last_act ? act : s->last_act;
    if (!event_scheduled(&s->event))
        engine_at(s->engine, s->component, &s->event, last->act, PHASE_DELIVER);
}
