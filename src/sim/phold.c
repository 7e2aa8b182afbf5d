/* src/sim/phold.c - queue benchmarks; see the header. */
#include "src/sim/phold.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <time.h>

struct process {
    struct component component;
    struct phold *all;
    struct rng rng;
};

struct phold {
    struct engine *engine;
    struct component_list components;
    struct process *processes;
    struct event *events;      /* phold: in flight, each owned by its receiver; hold: all */
    unsigned process_count, permille_remote;
    uint64_t left_count, handled_count;
};

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *zeroed(size_t count, size_t bytes)
{
    void *p = calloc(count, bytes);
    CHECK_MEMORY(p, "phold: the host has no memory for %zu times %zu bytes", count, bytes);
    return p;
}

static void send(struct process *from, struct event *e, struct process *to)
{
    e->owner = to;
    engine_after(from->all->engine, &from->component, e, rng_exponential(&from->rng, PHOLD_MEAN_PS), PHASE_ACT);
}

static void count_down(struct phold *p)
{
    p->handled_count++;
    if (--p->left_count == 0)
        engine_stop(p->engine);
}

static void phold_handle(struct event *e)
{
    struct process *me = e->owner;
    struct phold *p = me->all;
    struct process *to = me;
    if (rng_chance(&me->rng, p->permille_remote, 1000))
        to = &p->processes[rng_below(&me->rng, p->process_count)];
    component_op(&me->component, e->when, 0, (uint64_t)(e - p->events), to->component.id);
    send(me, e, to);
    count_down(p);
}

static void hold_handle(struct event *e)
{
    struct process *me = e->owner;
    component_op(&me->component, e->when, 0, (uint64_t)(e - me->all->events), 0);
    send(me, e, me);
    count_down(me->all);
}

static struct phold *set_up(enum queue_kind queue, unsigned processes, unsigned events, event_fn *handle, uint64_t seed)
{
    CHECK(processes > 0 && events > 0, "phold: nothing to do with %u processes and %u events", processes, events);
    struct phold *p = zeroed(1, sizeof *p);
    p->engine = engine_new((struct engine_desc){ .queue = queue });
    p->process_count = processes;
    p->processes = zeroed(processes, sizeof *p->processes);
    p->events = zeroed(events, sizeof *p->events);
    for (unsigned i = 0; i < processes; i++) {
        struct process *me = &p->processes[i];
        component_register(&p->components, &me->component, "process", NULL);
        me->all = p;
        me->rng = rng_stream(mix64(seed) + i, "process");
    }
    for (unsigned i = 0; i < events; i++) {
        struct process *to = &p->processes[i % processes];
        p->events[i] = (struct event){ .fn = handle, .what = "phold" };
        send(to, &p->events[i], to);
    }
    return p;
}

static struct phold_result run(struct phold *p, uint64_t events)
{
    p->left_count = events;
    double start = thread_seconds();
    if (events > 0)
        engine_run(p->engine, TICK_MAX);
    struct phold_result result = {
        .event_count = p->handled_count,
        .host_seconds = thread_seconds() - start,
        .order_hash = components_order_hash(&p->components),
    };
    engine_free(p->engine);
    free(p->processes);
    free(p->events);
    free(p);
    return result;
}

struct phold_result phold_run(enum queue_kind queue, unsigned processes, unsigned permille_remote, uint64_t events,
                              uint64_t seed)
{
    CHECK(permille_remote <= 1000, "phold_run: %u permille", permille_remote);
    struct phold *p = set_up(queue, processes, processes, phold_handle, seed);
    p->permille_remote = permille_remote;
    return run(p, events);
}

struct phold_result hold_run(enum queue_kind queue, unsigned pending, uint64_t operations, uint64_t seed)
{
    return run(set_up(queue, 1, pending, hold_handle, seed), operations);
}
