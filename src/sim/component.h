/* src/sim/component.h - what every part of a machine answers to, and the digest of what it did. */
#ifndef LAB_SIM_COMPONENT_H
#define LAB_SIM_COMPONENT_H

#include "src/base/rng.h"
#include "src/base/units.h"

#include <stdio.h>

struct component;

struct component_ops {
    bool (*idle)(const struct component *);           /* nothing in flight here */
    void (*why_busy)(const struct component *, FILE *); /* one line or more: what it waits for, on whom, since when */
    void (*check)(const struct component *);          /* walk own invariants; panic on the first lie */
};

struct component {
    const char *name;                 /* "core3.cache": prefix of counters and trace lines */
    uint32_t id;                      /* registration order; tie-breaker of equal-time events */
    uint64_t seq;                     /* events scheduled so far by this component */
    uint64_t op_hash, op_count;       /* chained digest of the operations it performed */
    const struct component_ops *ops;
    struct component *next;
};

struct component_list {
    struct component *first, *last;
    uint32_t count;
};

void component_register(struct component_list *, struct component *, const char *name, const struct component_ops *);

/* An operation was performed (a load returned a value, a store became visible, a DMA moved data):
 * the unit that `events` counts and `order_hash` digests. Not host-side engine events, whose number
 * depends on queue and lookahead settings. */
static inline void component_op(struct component *c, tick when, unsigned op, uint64_t address, uint64_t value)
{
    uint64_t h = hash_chain(c->op_hash, when ^ ((uint64_t)op << 56));
    h = hash_chain(h, address);
    c->op_hash = hash_chain(h, value);
    c->op_count++;
}

uint64_t components_order_hash(const struct component_list *); /* combined in id order */
uint64_t components_op_count(const struct component_list *);
bool components_idle(const struct component_list *);
void components_why_busy(const struct component_list *, FILE *);
void components_check(const struct component_list *);

#endif
