/* tests/unit/test_bus_rig.h - caches on a bus without time: one operation after another, each run to rest, messages
 * delivered in the order in which they were sent. A version is the value of the line.
 */
#ifndef LAB_TESTS_BUS_RIG_H
#define LAB_TESTS_BUS_RIG_H

#include <criterion/criterion.h>

#include "tests/unit/test_protocol_rig.h"

enum { BUS_AGENTS = 16, BUS_LINES = 8, BUS_QUEUE = 256, FROM_BUS = -1, FROM_NOBODY = -2 };

struct bus_message { struct msg m; int to, from; };

struct bus {
    struct rig rig;
    struct cache_line cache[BUS_AGENTS][BUS_LINES];
    struct home_line line[BUS_LINES];
    struct bus_message queue[BUS_QUEUE];
    unsigned head, tail, agents;
    /* of the last operation */
    bool complete, asked[MSG_KIND_COUNT];
    unsigned messages;
    int data_from;                /* FROM_BUS, FROM_NOBODY or the cache that supplied */
};

static inline void bus_open(struct bus *b, const char *name, unsigned agents)
{
    static char text[65536];
    char path[512];
    memset(b, 0, sizeof *b);
    snprintf(path, sizeof path, "%s/configs/protocols/%s.yaml", LABYRINTH_SRCDIR, name);
    FILE *in = fopen(path, "r");
    cr_assert(in, "%s cannot be read", path);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    rig_text(&b->rig, text);
    cr_assert(b->rig.p, "%s", b->rig.errors);
    b->agents = agents;
    for (unsigned l = 0; l < BUS_LINES; l++)
        b->line[l] = (struct home_line){ .owner = -1, .requester = -1, .txn = -1, .agents = (uint16_t)agents };
}

static inline const char *bus_state(const struct bus *b, unsigned agent, unsigned line)
{
    return cache_state_name(b->rig.p, b->cache[agent][line].state);
}

/* A copy that was there before the story begins. */
static inline void bus_put(struct bus *b, unsigned agent, unsigned line, const char *state, uint32_t value)
{
    int s = protocol_state(b->rig.p, CTL_CACHE, state), held = protocol_state(b->rig.p, CTL_HOME, "BC");
    cr_assert(s >= 0 && held >= 0, "%s", state);
    b->cache[agent][line] = (struct cache_line){ .state = (uint8_t)s, .version = value };
    if (s != 0)
        b->line[line].state = (uint8_t)held;
}

static inline void bus_push(struct bus *b, const struct out_msg *o, int to, int from, unsigned line)
{
    cr_assert_lt(b->tail, BUS_QUEUE);
    b->queue[b->tail].m = (struct msg){ .kind = o->kind, .requester = (uint16_t)o->requester, .txn = o->txn, .acks = o->acks,
                                        .version = o->version, .line = { line } };
    b->queue[b->tail].to = to;
    b->queue[b->tail++].from = from;
    b->asked[o->kind] = true;
    b->messages++;
}

static inline void bus_send(struct bus *b, const struct outbox *out, int from, unsigned line)
{
    for (unsigned i = 0; i < out->n; i++) {
        const struct out_msg *o = &out->m[i];
        if (!o->multicast)
            bus_push(b, o, o->to_home ? FROM_BUS : o->to, from, line);
        for (unsigned a = 0; o->multicast && a < b->agents; a++)
            if (out->targets.w[a / 64] >> a % 64 & 1)
                bus_push(b, o, (int)a, from, line);
    }
}

static inline void bus_deliver(struct bus *b, unsigned at)
{
    struct msg m = b->queue[at].m;
    int to = b->queue[at].to;
    unsigned line = (unsigned)m.line.v;
    struct outbox out;
    if (to == FROM_BUS) {
        enum home_event e = home_classify(&b->line[line], &m);
        cr_assert_eq(home_step(b->rig.p, &b->line[line], e, &m, &out, NULL), STEP_DONE, "bus, %s in %s", home_event_name(e),
                     home_state_name(b->rig.p, b->line[line].state));
    } else {
        struct cache_line *l = &b->cache[to][line];
        enum cache_event e = cache_classify(l, &m);
        cr_assert_eq(cache_step(b->rig.p, l, e, &m, (int16_t)to, 7, &out, NULL), STEP_DONE, "cache %d, %s in %s", to, cache_event_name(e),
                     cache_state_name(b->rig.p, l->state));
        b->complete |= out.complete;
        if (out.take_data || m.kind == MSG_DATA_U)
            b->data_from = b->queue[at].from;
    }
    bus_send(b, &out, to, line);
}

/* Takes the only message that is on its way, to let it come late. */
static inline struct bus_message bus_hold(struct bus *b)
{
    cr_assert_eq(b->tail, 1);
    b->tail = 0;
    return b->queue[0];
}

static inline void bus_rest(struct bus *b)
{
    while (b->head < b->tail)
        bus_deliver(b, b->head++);
    b->head = b->tail = 0;
}

static inline void bus_arrives(struct bus *b, struct bus_message late)
{
    memset(b->asked, 0, sizeof b->asked);
    b->messages = 0;
    b->queue[b->tail++] = late;
    bus_rest(b);
}

/* Begins an operation without delivering anything. */
static inline void bus_begin(struct bus *b, unsigned agent, unsigned line, enum cache_event event)
{
    struct outbox out;
    b->complete = false;
    b->messages = 0;
    b->data_from = FROM_NOBODY;
    memset(b->asked, 0, sizeof b->asked);
    cr_assert_eq(b->tail, 0, "an operation begins at rest");
    cr_assert_eq(cache_step(b->rig.p, &b->cache[agent][line], event, NULL, (int16_t)agent, 7, &out, NULL), STEP_DONE, "%s in %s",
                 cache_event_name(event), bus_state(b, agent, line));
    b->complete = out.complete;
    bus_send(b, &out, (int)agent, line);
}

static inline void bus_do(struct bus *b, unsigned agent, unsigned line, enum cache_event event)
{
    bus_begin(b, agent, line, event);
    bus_rest(b);
    cr_assert(home_stable(b->rig.p, b->line[line].state));
}

static inline void bus_store(struct bus *b, unsigned agent, unsigned line, uint32_t value)
{
    bus_do(b, agent, line, CEV_STORE);
    cr_assert(b->complete);
    b->cache[agent][line].version = value;
}

static inline uint32_t bus_load(struct bus *b, unsigned agent, unsigned line)
{
    bus_do(b, agent, line, CEV_LOAD);
    cr_assert(b->complete);
    return b->cache[agent][line].version;
}

#endif
