/* src/sim/engine.h - the ground floor: nothing here knows what a cache is.
 *
 * Order. Events run by (when, phase, id of the component that scheduled them, that component's own
 * schedule count). No global count takes part, so that a component that ran ahead (lookahead) yields
 * the same order as one that went through the queue. With a shuffle seed the component ids are permuted
 * in the key (a test aid: results change legally, invariants must not).
 *
 * Events live inside their owners; scheduling allocates only when a queue's array doubles.
 */
#ifndef LAB_SIM_ENGINE_H
#define LAB_SIM_ENGINE_H

#include "src/sim/component.h"

enum phase { PHASE_DELIVER, PHASE_ACT, PHASE_OBSERVE }; /* arrivals, then harts and timers, then samplers */
enum engine_stop { ENGINE_IDLE, ENGINE_LIMIT, ENGINE_ASKED };

struct event;
typedef void event_fn(struct event *);

struct event {
    tick when;
    uint64_t order;      /* phase:2 | component id:14 | component's count:48 */
    event_fn *fn;
    void *owner;
    const char *what;    /* for stuck reports and engine traces: "net arrival" */
    struct event *next;  /* queue's */
    uint32_t slot;       /* queue's: place + 1; 0 = not scheduled */
};

enum queue_kind { QUEUE_HEAP, QUEUE_WHEEL };

struct engine_desc {
    enum queue_kind queue;
    uint64_t shuffle_seed;  /* 0: no shuffling */
    bool lookahead;         /* may engine_skip_to succeed? host speed only, never results */
};

struct engine;

struct engine *engine_new(struct engine_desc);
void engine_free(struct engine *);
tick engine_now(const struct engine *);
static inline bool event_scheduled(const struct event *e) { return e->slot != 0; }
/* when < now or an event already scheduled: panic. `by` is the component whose count orders it. */
void engine_at(struct engine *, struct component *by, struct event *, tick when, enum phase);
void engine_after(struct engine *, struct component *by, struct event *, tick delay, enum phase);
void engine_cancel(struct engine *, struct event *); /* no-op when not scheduled */
/* The running actor wants to go on at `when` (>= now). True: nothing else is due at or before `when`
 * (strictly later events only), time has been moved there, go on. False: schedule yourself. Never succeeds
 * beyond the current engine_run limit, after engine_stop, or with lookahead off. */
bool engine_skip_to(struct engine *, tick when);
enum engine_stop engine_run(struct engine *, tick limit); /* runs events with when <= limit; ENGINE_LIMIT leaves now = limit */
/* Runs the next event if it is due at or before limit, and says which: its `what`. NULL: there is none; *why tells
 * whether none is left (ENGINE_IDLE) or only later ones are (ENGINE_LIMIT, and now = limit). */
const char *engine_step(struct engine *, tick limit, enum engine_stop *why);
void engine_stop(struct engine *);                        /* return ENGINE_ASKED after the current event */
uint64_t engine_host_events(const struct engine *);       /* popped from the queue: --host-stats only */

#endif
