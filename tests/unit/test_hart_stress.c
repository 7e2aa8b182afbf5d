/* tests/unit/test_hart_stress.c - harts and devices at random on a few lines, in caches too small for them, over a network
 * that reorders. The oracle judges every value and the order of stores; versions, missing protocol rows and
 * broken invariants stop the run; at the end everything must be at rest. Seeds are fixed and printed.
 */
#include "src/oracle/oracle.h"
#include "tests/unit/rig_machine.h"

enum { OPS = 3000, COUNTER = 0, RIG_LINES = 7, VECTOR = 3, NESTED_MAX = 4 };

struct stress {
    struct machine_rig *m;
    struct oracle *o;
    uint64_t seed, adds, reads_seen;
    unsigned lines, operations, flavour; /* lines: 1 .. RIG_LINES, counter line included */
    struct agent { struct stress *s; struct rng rng, irq_rng; unsigned id, open; } agent[RIG_HARTS + RIG_PORTS];
    struct traffic {
        struct component component;
        struct event event;
        struct mem_request request[2];
        bool busy[2];
        unsigned left, out;
        struct agent *agent;
    } traffic[RIG_PORTS];
};

static const char *agent_name(void *arg, unsigned agent)
{
    static const char *const names[] = { "core0", "core1", "core2", "core3", "core4", "core5", "core6", "core7", "port0", "port1" };
    (void)arg;
    return names[agent];
}

static uint64_t now_in_memory(void *arg, paddr a, unsigned bytes) { return memory_read(((struct stress *)arg)->m->memory, a, bytes); }

static void violation(void *arg, const char *kind, unsigned agent, uint64_t address, const char *text)
{
    struct stress *s = arg;
    fprintf(stderr, "seed %lu: %s, agent %u, %#lx: %s\n", (unsigned long)s->seed, kind, agent, (unsigned long)address, text);
    history_print(s->m->history, (lineno){ address >> LINE_SHIFT }, 30, stderr);
    panic("violation");
}

/* ---- what agents do */

static uint64_t any_address(struct agent *g, unsigned bytes)
{
    uint64_t line = 1 + rng_below(&g->rng, g->s->lines - 1), at = rng_below(&g->rng, LINE_BYTES / bytes) * bytes;
    return LINE(line) + (rng_chance(&g->rng, 1, 2) ? at % 16 : at); /* often the same word */
}

static void count_up(struct hart *h, struct agent *g)
{
    (void)k_fetch_add(h, (paddr){ LINE(COUNTER) }, 8, 1);
    g->s->adds++;
}

/* Requests nest, on the hart and in its handlers; interrupts go anywhere, also to harts that have finished. */
static void begin_or_end(struct hart *h, struct agent *g)
{
    if (g->open && (g->open == NESTED_MAX || rng_chance(&g->rng, 1, 2))) {
        k_end(h);
        g->open--;
    } else {
        k_begin(h, CLASS_LOCK_ACQUIRE);
        g->open++;
    }
}

static void interrupted(struct hart *h, void *arg)
{
    struct agent *g = arg;
    k_begin(h, CLASS_FREE);
    count_up(h, g);
    k_store(h, (paddr){ LINE(1) + 8 * rng_below(&g->irq_rng, 8) }, 8, rng_next(&g->irq_rng));
    k_end(h);
}

static void rare(struct hart *h, struct agent *g)
{
    paddr a = { any_address(g, 8) };
    uint64_t expected = rng_below(&g->rng, 4);
    switch (rng_below(&g->rng, 14)) {
    case 0: k_fence(h); break;
    case 1: k_fence_store(h); break;
    case 2: k_flush(h, a); break;
    case 3: k_flush_opt(h, a); break;
    case 4: (void)k_cas(h, a, 8, &expected, rng_below(&g->rng, 4)); break;
    case 5: (void)k_swap(h, a, 8, rng_next(&g->rng)); break;
    case 6: k_compute(h, rng_below(&g->rng, 50000)); break;
    case 7: k_store_line(h, line_addr(paddr_line(a)), rng_next(&g->rng)); break;
    case 8: k_store_nt(h, a, 8, rng_next(&g->rng)); break;
    case 9: begin_or_end(h, g); break;
    case 10: k_ipi_send(h, (unsigned)rng_below(&g->rng, g->s->m->d.harts), VECTOR); break;
    case 11: (void)k_irq_save(h); break;
    case 12: k_irq_restore(h, true); break;
    case 13:
        for (unsigned i = 0; i < LINE_BYTES; i += 8)
            k_store_nt(h, paddr_plus(line_addr(paddr_line(a)), i), 8, expected);
        break;
    }
}

static void one_operation(struct hart *h, struct agent *g)
{
    unsigned bytes = 1u << rng_below(&g->rng, 4);
    paddr a = { any_address(g, bytes) };
    uint64_t r = rng_below(&g->rng, 100);
    if (r < 40)
        (void)k_load(h, a, bytes);
    else if (r < 75)
        k_store(h, a, bytes, rng_next(&g->rng));
    else if (r < 80)
        count_up(h, g);
    else if (r < 88)
        k_prefetch_write(h, a);
    else
        rare(h, g);
}

static void program(struct hart *h, void *arg)
{
    struct agent *g = arg;
    for (unsigned i = 0; i < g->s->operations; i++)
        one_operation(h, g);
    k_irq_restore(h, true);
    for (; g->open; g->open--)
        k_end(h);
    k_fence(h);
}

/* ---- devices: two requests in flight each, reads and writes of parts and wholes */

static void traffic_submit(struct traffic *t, struct mem_request *r)
{
    struct rng *rng = &t->agent->rng;
    bool whole = rng_chance(rng, 1, 3);
    unsigned bytes = whole ? LINE_BYTES : 1u << rng_below(rng, 4);
    paddr a = { whole ? LINE(1 + rng_below(rng, t->agent->s->lines - 1)) : any_address(t->agent, bytes) };
    r->op = rng_chance(rng, 1, 2) ? MEM_READ_ONCE : MEM_WRITE;
    r->addr = a;
    r->bytes = bytes;
    for (unsigned i = 0; i < 8; i++)
        r->data[i] = rng_next(rng);
    delta_start(&r->delta, engine_now(t->agent->s->m->engine));
    t->left--;
    t->out++;
    struct mem_port *p = device_port_mem(t->agent->s->m->port[t->agent->id - t->agent->s->m->d.harts]);
    p->submit(p, r);
}

static void traffic_kick(struct traffic *t)
{
    if (!event_scheduled(&t->event) && t->left)
        engine_after(t->agent->s->m->engine, &t->component, &t->event, 1 + rng_below(&t->agent->rng, 80000), PHASE_ACT);
}

static void traffic_done(struct mem_request *r)
{
    struct traffic *t = r->owner;
    uint64_t sum = 0;
    for (unsigned i = 0; i < PART_COUNT; i++)
        sum += r->delta.ps[i];
    CHECK(r->delta.last == engine_now(t->agent->s->m->engine), "a device's delta stops before its end");
    t->agent->s->reads_seen += r->op == MEM_READ_ONCE;
    t->out--;
    t->busy[r - t->request] = false;
    traffic_kick(t);
}

static void traffic_run(struct event *e)
{
    struct traffic *t = e->owner;
    for (unsigned i = 0; i < 2 && t->left; i++)
        if (!t->busy[i]) {
            t->busy[i] = true;
            t->request[i].owner = t;
            t->request[i].done = traffic_done;
            traffic_submit(t, &t->request[i]);
        }
}

/* ---- a run */

static struct rig_desc small(unsigned harts, unsigned ports, unsigned flavour, uint64_t seed)
{
    struct rig_desc d = rig_desc(harts);
    d.ports = ports;
    d.seed = seed;
    d.net.jitter_ps = flavour % 3 == 2 ? 0 : 30000;
    d.cache.l1_sets = d.cache.sets = 1;
    d.cache.l1_ways = 1;
    d.cache.ways = 1 + flavour % 2;
    d.cache.mshrs = 1 + flavour / 2 % 3;
    d.cache.write_backs = 1 + flavour % 3;
    d.port.mshrs = d.port.write_backs = 1 + flavour % 2; /* two requests are under way at times */
    d.home.sets = 1;
    d.home.ways = 1 + flavour % 4;
    d.homes = 1 + flavour % 2;
    d.hart.store_buffer = flavour % 5 * 2;
    return d;
}

static void at_rest(struct stress *s)
{
    for (unsigned i = 0; i < RIG_LINES; i++) {
        struct rig_copies c = rig_copies(s->m, LINE(i));
        cr_expect(c.versions == 0, "line %u: a copy is old", i);
        cr_expect(c.writable <= 1 && (c.writable == 0 || c.readable == 1), "line %u: %u writers, %u readers", i, c.writable, c.readable);
    }
    cr_expect_eq(memory_read(s->m->memory, (paddr){ LINE(COUNTER) }, 8), s->adds, "additions were lost");
    for (unsigned k = 0; k < CLASS_COUNT; k++) { /* a part that ran backwards would be huge */
        const struct class_stats *c = account_stats(s->m->account, (enum class_id)k);
        for (unsigned i = 0; c && i < PART_COUNT; i++)
            cr_expect(c->hardware_sum_ps[i] <= c->latency.sum_ps, "%s: %s", class_infos[k].name, part_terms[i].name);
    }
}

static uint64_t stress(unsigned harts, unsigned ports, unsigned flavour, uint64_t seed, unsigned operations, struct rig_desc *other)
{
    struct stress *s = calloc(1, sizeof *s);
    struct rig_desc d = other ? *other : small(harts, ports, flavour, seed);
    s->m = machine_rig_new(&d);
    s->seed = seed;
    s->lines = 3 + flavour % (RIG_LINES - 2);
    s->operations = operations;
    struct inspector in = { .machine = s, .harts = harts, .agents = harts + ports, .agent_name = agent_name, .read = now_in_memory };
    s->o = oracle_new(&in, violation, s, (struct oracle_desc){ .values = true });
    oracle_observer(s->o, &s->m->observer);
    for (unsigned i = 0; i < harts + ports; i++) {
        char name[16];
        snprintf(name, sizeof name, "agent%u", i);
        s->agent[i] = (struct agent){ .s = s, .rng = rng_stream(seed, name), .irq_rng = rng_stream(~seed, name), .id = i };
    }
    for (unsigned i = 0; i < harts; i++) {
        hart_program(s->m->hart[i], program, &s->agent[i], 0);
        hart_set_irq(s->m->hart[i], VECTOR, CONTEXT_HARDIRQ, interrupted, &s->agent[i]);
        hart_record(s->m->hart[i], true);
        hart_start(s->m->hart[i]);
    }
    for (unsigned i = 0; i < ports; i++) {
        struct traffic *t = &s->traffic[i];
        component_register(&s->m->list, &t->component, "traffic", NULL);
        t->agent = &s->agent[harts + i];
        t->left = operations / 2;
        t->event = (struct event){ .fn = traffic_run, .owner = t, .what = "traffic" };
        traffic_kick(t);
    }
    machine_rig_run(s->m);
    at_rest(s);
    for (unsigned i = 0; i < ports; i++)
        cr_expect(s->traffic[i].left == 0 && s->traffic[i].out == 0);
    const struct oracle_report *r = oracle_report(s->o);
    printf("seed %lu, %u harts, %u devices, flavour %u: %lu loads, %lu stores, %lu atomics judged, %lu ps\n", (unsigned long)seed, harts,
           ports, flavour, (unsigned long)r->loads, (unsigned long)r->stores, (unsigned long)r->atomics,
           (unsigned long)engine_now(s->m->engine));
    uint64_t hash = components_order_hash(&s->m->list) ^ engine_now(s->m->engine);
    oracle_free(s->o);
    machine_rig_free(s->m);
    free(s);
    return hash;
}

Test(stress, two_harts_in_many_flavours)
{
    for (unsigned flavour = 0; flavour < 30; flavour++)
        stress(2, 0, flavour, 1000 + flavour, OPS, NULL);
}

Test(stress, eight_harts)
{
    for (unsigned flavour = 0; flavour < 12; flavour++)
        stress(8, 0, flavour, 2000 + flavour, OPS, NULL);
}

Test(stress, harts_and_devices)
{
    for (unsigned flavour = 0; flavour < 30; flavour++)
        stress(3, 2, flavour, 3000 + flavour, OPS, NULL);
}

/* Neither the queue nor running ahead changes anything. */
Test(stress, host_settings_change_nothing)
{
    for (unsigned flavour = 0; flavour < 6; flavour++) {
        uint64_t hash[4];
        for (unsigned k = 0; k < 4; k++) {
            struct rig_desc d = small(4, 1, flavour, 4000 + flavour);
            d.queue = k & 1 ? QUEUE_HEAP : QUEUE_WHEEL;
            d.lookahead = k & 2;
            hash[k] = stress(4, 1, flavour, 4000 + flavour, 1500, &d);
        }
        for (unsigned k = 1; k < 4; k++)
            cr_expect_eq(hash[k], hash[0], "flavour %u, setting %u", flavour, k);
    }
}
