/* tests/unit/rig_device.h - a device of a small real machine: submits all its requests to a port at one instant and notes when
 * each is done.
 */
#ifndef LAB_TESTS_RIG_DEVICE_H
#define LAB_TESTS_RIG_DEVICE_H

#include "tests/unit/rig_machine.h"

enum { RIG_REQUESTS = 8 };

struct device {
    struct machine_rig *m;
    struct component component;
    struct event event;
    struct mem_request r[RIG_REQUESTS];
    tick done[RIG_REQUESTS];
    unsigned n, finished, port, order[RIG_REQUESTS];
};

static void on_done(struct mem_request *r)
{
    struct device *d = r->owner;
    d->done[r - d->r] = engine_now(d->m->engine);
    d->order[d->finished++] = (unsigned)(r - d->r);
}

static void submit_all(struct event *e)
{
    struct device *d = e->owner;
    struct mem_port *p = device_port_mem(d->m->port[d->port]);
    for (unsigned i = 0; i < d->n; i++) {
        d->r[i].owner = d;
        d->r[i].done = on_done;
        delta_start(&d->r[i].delta, engine_now(d->m->engine));
        p->submit(p, &d->r[i]);
    }
}

/* Submits its requests at `when`. */
static inline void device_at(struct device *d, struct machine_rig *m, unsigned port, tick when)
{
    d->m = m;
    d->port = port;
    component_register(&m->list, &d->component, "device", NULL);
    d->event = (struct event){ .fn = submit_all, .owner = d, .what = "device" };
    engine_at(m->engine, &d->component, &d->event, when, PHASE_ACT);
}

static inline struct mem_request read_of(uint64_t a) { return (struct mem_request){ .op = MEM_READ_ONCE, .addr = { a }, .bytes = 64 }; }
static inline struct mem_request write_of(uint64_t a, unsigned bytes, uint64_t word)
{
    struct mem_request r = { .op = MEM_WRITE, .addr = { a }, .bytes = bytes };
    for (unsigned i = 0; i < 8; i++)
        r.data[i] = word;
    return r;
}

#endif
