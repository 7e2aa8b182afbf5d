/* tests/unit/test_net_rig.h - a network between mock endpoints: sends planned for given times, a log of
 * deliveries. */
#ifndef LAB_TESTS_UNIT_TEST_NET_RIG_H
#define LAB_TESTS_UNIT_TEST_NET_RIG_H

#include <criterion/criterion.h>
#include <stdlib.h>

#include "models/net/net.h"

enum { RIG_NODES = 64, RIG_LOG = 20000 };

struct rig_delivery {
    tick at;
    unsigned node;
    enum msg_kind kind;
    unsigned src;
    uint64_t line, aux;
};

struct rig_send {
    struct event event;
    struct rig *rig;
    struct msg msg;
};

struct rig {
    struct engine *engine;
    struct component_list list;
    struct component senders[RIG_NODES];
    struct net *net;
    unsigned log_count, send_count;
    struct rig_endpoint {
        struct rig *rig;
        unsigned node;
    } endpoints[RIG_NODES];
    struct rig_delivery log[RIG_LOG];
    struct rig_send sends[RIG_LOG];
};

static inline void rig_deliver(void *receiver, struct msg *m)
{
    struct rig_endpoint *e = receiver;
    struct rig *r = e->rig;
    cr_assert_eq(m->dst, e->node);
    cr_assert_lt(r->log_count, (unsigned)RIG_LOG);
    r->log[r->log_count++] =
        (struct rig_delivery){ engine_now(r->engine), e->node, (enum msg_kind)m->kind, m->src, m->line.v, m->aux };
}

static inline struct rig *rig_new(const struct net_desc *d, struct engine_desc how)
{
    struct rig *r = calloc(1, sizeof *r);
    cr_assert(r && d->nodes <= RIG_NODES);
    r->engine = engine_new(how);
    for (unsigned i = 0; i < d->nodes; i++)
        component_register(&r->list, &r->senders[i], "sender", NULL);
    r->net = net_new(r->engine, &r->list, d);
    for (unsigned i = 0; i < d->nodes; i++) {
        r->endpoints[i] = (struct rig_endpoint){ r, i };
        net_attach(r->net, i, rig_deliver, &r->endpoints[i]);
    }
    return r;
}

static inline void rig_free(struct rig *r)
{
    net_free(r->net);
    engine_free(r->engine);
    free(r);
}

static inline void rig_send_now(struct event *e)
{
    struct rig_send *s = e->owner;
    net_send(s->rig->net, &s->msg);
}

/* A send of the node's own component, so that the order of planning does not matter across nodes. */
static inline void rig_plan(struct rig *r, tick when, enum msg_kind kind, unsigned src, unsigned dst, uint32_t aux)
{
    cr_assert_lt(r->send_count, (unsigned)RIG_LOG);
    struct rig_send *s = &r->sends[r->send_count++];
    *s = (struct rig_send){ .rig = r, .msg = { .kind = (uint8_t)kind, .src = (uint16_t)src, .dst = (uint16_t)dst,
                                               .line = { 0x1000 + aux }, .aux = aux } };
    s->event = (struct event){ .fn = rig_send_now, .owner = s, .what = "planned send" };
    engine_at(r->engine, &r->senders[src], &s->event, when, PHASE_ACT);
}

/* Runs dry; every slot is back and nothing is under way. */
static inline void rig_finish(struct rig *r)
{
    cr_assert_eq(engine_run(r->engine, TICK_MAX), ENGINE_IDLE);
    cr_assert(net_idle(r->net), "a message was lost");
    cr_assert(components_idle(&r->list));
    components_check(&r->list);
}

#endif
