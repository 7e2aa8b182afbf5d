/* tests/unit/rig_machine.h - a small real machine for tests of caches, homes and harts: engine, crossbar, DRAM,
 * memory, MESI from its file, homes, harts, device ports, if wanted clusters between harts and homes; no kernel. Harts run
 * scripts of operations.
 *
 *   struct machine_rig *m = machine_rig_new(&desc);       desc: rig_desc() and what the test changes
 *   rig_script(m, 0, (struct op[]){ STORE(LINE(3), 7), FENCE, END });
 *   machine_rig_run(m);                                    ends idle, checks everything at rest
 *   m->result[0][1].end ...                                time and value of each operation
 *
 * Numbers of rig_desc() are chosen so that no two sums of a few of them are equal: a wrong label shows.
 */
#ifndef LAB_TESTS_RIG_MACHINE_H
#define LAB_TESTS_RIG_MACHINE_H

#include "models/cache/port.h"
#include "models/coherence/cluster.h"
#include "models/coherence/home.h"
#include "models/coherence/table.h"
#include "models/dram/dram.h"
#include "models/hart/hart.h"
#include "models/net/net.h"
#include "src/base/fail.h"
#include "src/config/read.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_HARTS = 16, RIG_PORTS = 4, RIG_HOMES = 4, RIG_CLUSTERS = 4, RIG_OPS = 256, RIG_LOG = 4096 };

/* ---- times of the default machine, picoseconds */
enum {
    L1 = 2000, LOOKUP = 6000, /* L1 and L2 */
    FILL = 1100, ISSUE = 500, COMMIT = 700, ATOMIC = 9000, FENCE_PS = 3000, LFENCE_PS = 650, SPIN = 4000,
    SNOOP = 5300, SNOOP_OCC = 900,
    HOP = 10000, CONTROL = 300, DATA = 800,
    HOME = 7000, HOME_OCC = 2000, RESP_OCC = 400,
    SLICE = 12700, SLICE_OCC = 1900, SLICE_RESP = 600, /* of a cluster */
    DRAM = 40000,             /* controller 8000 + activate 14000 + column 15000 + burst 3000; pages closed */
    IPI_SEND = 13000, IPI = 97000, IRQ_ENTRY = 31000, IRQ_EXIT = 17000, MMIO = 211000,
    /* one undisturbed miss, by who serves it, from the MSHR to the grant */
    MISS_LLC = LOOKUP + HOP + HOME + HOP,
    MISS_DRAM = MISS_LLC + DRAM,
    MISS_OWNER = LOOKUP + HOP + HOME + HOP + SNOOP + HOP
};

struct rig_desc {
    unsigned harts, ports, homes;
    unsigned clusters;          /* 0: harts ask the homes; else hart h is in cluster h / (harts / clusters), one slice each */
    const char *protocol;       /* a shipped one; NULL: mesi */
    struct hart_desc hart;
    struct cache_desc cache, port;
    struct home_desc home;
    struct cluster_desc slice;
    struct dram_desc dram;
    struct net_desc net;
    uint64_t seed;              /* of jitter */
    bool lookahead;
    enum queue_kind queue;
    struct hart_mmu mmu;        /* the same for every hart */
};

static inline struct rig_desc rig_desc(unsigned harts)
{
    return (struct rig_desc){
        .harts = harts, .homes = 1,
        .hart = { .clock = { 1 }, .store_buffer = 8, .wc_buffers = 2, .l1_ps = L1, .l2_ps = LOOKUP, .issue_ps = ISSUE, .string_store_ps = ISSUE,
                  .commit_ps = COMMIT, .fill_ps = FILL, .atomic_ps = ATOMIC, .fence_ps = FENCE_PS, .load_fence_ps = LFENCE_PS,
                  .spin_ps = SPIN, .ipi_send_ps = IPI_SEND, .ipi_ps = IPI, .irq_entry_ps = IRQ_ENTRY,
                  .irq_exit_ps = IRQ_EXIT, .mmio_ps = MMIO },
        .cache = { .l1_sets = 4, .l1_ways = 2, .sets = 16, .ways = 4, .mshrs = 4, .write_backs = 8, .lookup_ps = LOOKUP,
                   .l1_ps = L1, .snoop_ps = SNOOP, .snoop_occupancy_ps = SNOOP_OCC },
        .port = { .mshrs = 2, .write_backs = 2, .snoop_ps = SNOOP, .snoop_occupancy_ps = SNOOP_OCC },
        .home = { .sets = 64, .ways = 8, .lookup_ps = HOME, .occupancy_ps = HOME_OCC, .response_occupancy_ps = RESP_OCC },
        .slice = { .sets = 64, .ways = 8, .write_backs = 2, .lookup_ps = SLICE, .response_lookup_ps = SLICE, .occupancy_ps = SLICE_OCC,
                   .response_occupancy_ps = SLICE_RESP },
        .dram = { .channels = 1, .banks_per_channel = 1, .row_bytes = 8192, .interleave_bytes = 64, .t_cas_ps = 15000,
                  .t_rcd_ps = 14000, .t_rp_ps = 16000, .t_burst_ps = 3000, .controller_ps = 8000,
                  .page_policy = DRAM_CLOSED_PAGE },
        .net = { .topology = NET_CROSSBAR, .hop_ps = HOP, .control_occupancy_ps = CONTROL, .data_occupancy_ps = DATA },
        .queue = QUEUE_WHEEL, .lookahead = true,
    };
}

/* ---- scripts */

enum op_kind {
    OP_END, OP_AT, OP_COMPUTE, OP_SLEEP, OP_LOAD, OP_STORE, OP_STORE_LINE, OP_STORE_NT, OP_PREFETCH, OP_FLUSH, OP_FLUSH_OPT,
    OP_FENCE, OP_FENCE_STORE, OP_FENCE_LOAD, OP_ADD, OP_SWAP, OP_SPIN_WHILE, OP_PAUSE, OP_RECORD, OP_IRQS_OFF, OP_IRQS_ON,
    OP_IPI, OP_BEGIN, OP_PHASE, OP_END_REQUEST, OP_CALL
};
struct op { enum op_kind kind; uint64_t a, v; unsigned bytes; void (*fn)(struct hart *, void *); void *arg; };
struct op_result { tick start, end; uint64_t value; };

#define LINE(n) ((uint64_t)(n) * LINE_BYTES)
#define END { OP_END, 0, 0, 0, NULL, NULL }
#define AT(t) { OP_AT, (t), 0, 0, NULL, NULL }              /* computes until t */
#define COMPUTE(n) { OP_COMPUTE, (n), 0, 0, NULL, NULL }
#define SLEEP(n) { OP_SLEEP, (n), 0, 0, NULL, NULL }
#define LOAD(a) { OP_LOAD, (a), 0, 8, NULL, NULL }
#define LOADN(a, n) { OP_LOAD, (a), 0, (n), NULL, NULL }
#define STORE(a, v) { OP_STORE, (a), (v), 8, NULL, NULL }
#define STOREN(a, n, v) { OP_STORE, (a), (v), (n), NULL, NULL }
#define STORE_WHOLE(a, v) { OP_STORE_LINE, (a), (v), 64, NULL, NULL }
#define STORE_NT(a, v) { OP_STORE_NT, (a), (v), 8, NULL, NULL }
#define PREFETCH(a) { OP_PREFETCH, (a), 0, 0, NULL, NULL }
#define FLUSH(a) { OP_FLUSH, (a), 0, 0, NULL, NULL }
#define FLUSH_OPT(a) { OP_FLUSH_OPT, (a), 0, 0, NULL, NULL }
#define FENCE { OP_FENCE, 0, 0, 0, NULL, NULL }
#define FENCE_STORE { OP_FENCE_STORE, 0, 0, 0, NULL, NULL }
#define FENCE_LOAD { OP_FENCE_LOAD, 0, 0, 0, NULL, NULL }
#define ADD(a, v) { OP_ADD, (a), (v), 8, NULL, NULL }
#define SWAP(a, v) { OP_SWAP, (a), (v), 8, NULL, NULL }
#define SPIN_WHILE(a, v) { OP_SPIN_WHILE, (a), (v), 8, NULL, NULL }
#define PAUSE { OP_PAUSE, 0, 0, 0, NULL, NULL }
#define RECORD(on) { OP_RECORD, (on), 0, 0, NULL, NULL }    /* scripts start unrecorded */
#define IRQS_OFF { OP_IRQS_OFF, 0, 0, 0, NULL, NULL }
#define IRQS_ON { OP_IRQS_ON, 0, 0, 0, NULL, NULL }
#define SEND_IPI(hart, vector) { OP_IPI, (hart), (vector), 0, NULL, NULL }
#define BEGIN(class) { OP_BEGIN, (class), 0, 0, NULL, NULL }
#define PHASE(p) { OP_PHASE, (p), 0, 0, NULL, NULL }
#define END_REQUEST { OP_END_REQUEST, 0, 0, 0, NULL, NULL }
#define CALL(f, x) { OP_CALL, 0, 0, 0, (f), (x) }

/* ---- what the observer saw */

enum seen_kind { SEEN_ISSUED, SEEN_VISIBLE, SEEN_LOAD, SEEN_FORWARDED, SEEN_ATOMIC, SEEN_LINE, SEEN_BARRIER, SEEN_WANTS };
struct seen { enum seen_kind kind; unsigned agent; uint64_t a, value; tick now; };

struct machine_rig {
    struct rig_desc d;
    struct arena *arena;
    struct protocol *protocol;
    struct row_counts rows;
    struct engine *engine;
    struct component_list list;
    struct net *net;
    struct dram *dram;
    struct memory *memory;
    struct history *history;
    struct account *account;
    struct home *home[RIG_HOMES];
    struct cluster *slice[RIG_CLUSTERS];
    struct rig_route { struct machine_rig *m; unsigned cluster; } route[RIG_CLUSTERS];
    struct cache *cache[RIG_HARTS + RIG_PORTS];
    struct hart *hart[RIG_HARTS];
    struct device_port *port[RIG_PORTS];
    struct observer observer;
    struct script { struct machine_rig *m; unsigned id; struct op ops[RIG_OPS]; } script[RIG_HARTS];
    struct op_result result[RIG_HARTS][RIG_OPS];
    unsigned finished;
    char illegal[600];
    unsigned illegal_hart;
    const struct mmio_target *mmio;
    struct seen *seen;
    unsigned n_seen;
};

static void rig_see(void *self, enum seen_kind kind, unsigned agent, uint64_t a, uint64_t value, tick now)
{
    struct machine_rig *m = self;
    if (m->n_seen < RIG_LOG)
        m->seen[m->n_seen++] = (struct seen){ kind, agent, a, value, now };
}

static void rig_issued(void *s, unsigned g, paddr a, unsigned n, uint64_t v, tick t) { (void)n; rig_see(s, SEEN_ISSUED, g, a.v, v, t); }
static void rig_visible(void *s, unsigned g, paddr a, unsigned n, uint64_t v, tick t) { (void)n; rig_see(s, SEEN_VISIBLE, g, a.v, v, t); }
static void rig_load(void *s, unsigned g, paddr a, unsigned n, uint64_t v, bool f, tick t)
{
    (void)n;
    rig_see(s, f ? SEEN_FORWARDED : SEEN_LOAD, g, a.v, v, t);
}
static void rig_atomic(void *s, unsigned g, paddr a, unsigned n, uint64_t old, uint64_t v, tick t)
{
    (void)n, (void)old;
    rig_see(s, SEEN_ATOMIC, g, a.v, v, t);
}
static void rig_line(void *s, unsigned g, lineno l, uint64_t v, tick t) { rig_see(s, SEEN_LINE, g, line_addr(l).v, v, t); }
static void rig_barrier(void *s, unsigned g, enum barrier b, tick t) { rig_see(s, SEEN_BARRIER, g, b, 0, t); }
static void rig_wants(void *s, unsigned g, lineno l, bool w, tick t) { rig_see(s, SEEN_WANTS, g, line_addr(l).v, w, t); }

/* Time of the n-th thing (from 0) of a kind that an agent did at an address; TICK_MAX: never. */
static inline tick rig_when(const struct machine_rig *m, enum seen_kind kind, unsigned agent, uint64_t a, unsigned n)
{
    for (unsigned i = 0; i < m->n_seen; i++)
        if (m->seen[i].kind == kind && m->seen[i].agent == agent && m->seen[i].a == a && n-- == 0)
            return m->seen[i].now;
    return TICK_MAX;
}

/* ---- glue, as the machine file has it */

static uint16_t rig_home_node(void *arg, lineno line)
{
    struct machine_rig *m = arg;
    return (uint16_t)(m->d.harts + m->d.ports + m->d.clusters + line.v % m->d.homes);
}
static uint16_t rig_slice_node(void *arg, lineno line)
{
    const struct rig_route *r = arg;
    (void)line;
    return (uint16_t)(r->m->d.harts + r->m->d.ports + r->cluster);
}
/* Of an agent of the homes: a cluster, or a port. */
static uint16_t rig_outer_node(void *arg, unsigned agent, lineno line)
{
    struct machine_rig *m = arg;
    return agent < m->d.clusters ? rig_slice_node(&m->route[agent], line) : (uint16_t)agent;
}
static struct hart *rig_hart_at(void *arg, unsigned id) { return ((struct machine_rig *)arg)->hart[id]; }
static const struct mmio_target *rig_mmio_at(void *arg, paddr a)
{
    const struct mmio_target *t = ((struct machine_rig *)arg)->mmio;
    return t && a.v - t->base.v < t->bytes ? t : NULL;
}
static void rig_illegal(void *arg, unsigned hart, const char *text)
{
    struct machine_rig *m = arg;
    snprintf(m->illegal, sizeof m->illegal, "%s", text);
    m->illegal_hart = hart;
    engine_stop(m->engine);
}
static void rig_count(void *arg, const char *counter, uint64_t add) { (void)arg, (void)counter, (void)add; }
static void rig_finished(void *arg, unsigned hart) { (void)hart; ((struct machine_rig *)arg)->finished++; }
static void rig_error(void *arg, unsigned agent, lineno line, const char *text)
{
    struct machine_rig *m = arg;
    fprintf(stderr, "%lu ps, agent %u, line %#lx: %s\n", (unsigned long)engine_now(m->engine), agent, (unsigned long)line.v, text);
    history_print(m->history, line, 40, stderr);
    panic("protocol error");
}
static void rig_sample(void *arg, uint16_t agent, int16_t txn, lineno line)
{
    struct machine_rig *m = arg;
    memcpy(cache_sample_buffer(m->cache[agent], txn), memory_line(m->memory, line), LINE_BYTES);
}
static void rig_deliver(void *self, struct msg *in)
{
    struct machine_rig *m = self;
    if (in->kind == MSG_TLB_INVALIDATE || in->kind == MSG_TLB_ACK)
        hart_deliver(m->hart[in->dst], in);
    else
        cache_deliver(m->cache[in->dst], in);
}

/* ---- running scripts */

static uint64_t rig_op(struct hart *h, const struct op *o)
{
    paddr a = { o->a };
    switch (o->kind) {
    case OP_AT: k_compute(h, o->a > k_now_ps(h) ? o->a - k_now_ps(h) : 0); break;
    case OP_COMPUTE: k_compute(h, o->a); break;
    case OP_SLEEP: k_sleep_ps(h, o->a); break;
    case OP_LOAD: return k_load(h, a, o->bytes);
    case OP_STORE: k_store(h, a, o->bytes, o->v); break;
    case OP_STORE_LINE: k_store_line(h, a, o->v); break;
    case OP_STORE_NT: k_store_nt(h, a, o->bytes, o->v); break;
    case OP_PREFETCH: k_prefetch_write(h, a); break;
    case OP_FLUSH: k_flush(h, a); break;
    case OP_FLUSH_OPT: k_flush_opt(h, a); break;
    case OP_FENCE: k_fence(h); break;
    case OP_FENCE_STORE: k_fence_store(h); break;
    case OP_FENCE_LOAD: k_fence_load(h); break;
    case OP_ADD: return k_fetch_add(h, a, o->bytes, o->v);
    case OP_SWAP: return k_swap(h, a, o->bytes, o->v);
    case OP_SPIN_WHILE: return k_spin_while(h, a, o->bytes, UINT64_MAX, o->v);
    case OP_PAUSE: k_pause(h); break;
    case OP_RECORD: hart_record(h, o->a); break;
    case OP_IRQS_OFF: (void)k_irq_save(h); break;
    case OP_IRQS_ON: k_irq_restore(h, true); break;
    case OP_IPI: k_ipi_send(h, (unsigned)o->a, (unsigned)o->v); break;
    case OP_BEGIN: k_begin(h, (enum class_id)o->a); break;
    case OP_PHASE: k_phase(h, (enum phase_id)o->a); break;
    case OP_END_REQUEST: k_end(h); break;
    case OP_CALL: o->fn(h, o->arg); break;
    case OP_END: break;
    }
    return 0;
}

static void rig_program(struct hart *h, void *arg)
{
    struct script *s = arg;
    for (unsigned i = 0; s->ops[i].kind != OP_END; i++) {
        struct op_result *r = &s->m->result[s->id][i];
        r->start = k_now_ps(h);
        r->value = rig_op(h, &s->ops[i]);
        r->end = k_now_ps(h);
    }
}

/* Gives a hart its script, which ends with END. Harts without one idle and serve interrupts. */
static inline void rig_script(struct machine_rig *m, unsigned hart, const struct op *ops)
{
    unsigned n = 0;
    while (ops[n].kind != OP_END)
        n++;
    CHECK(n < RIG_OPS, "a script of %u operations", n);
    memcpy(m->script[hart].ops, ops, (n + 1) * sizeof *ops);
    hart_program(m->hart[hart], rig_program, &m->script[hart], 0);
    hart_start(m->hart[hart]);
}

/* ---- life */

static inline struct protocol *rig_protocol(struct arena *arena, const char *name)
{
    struct diag *diag = diag_new();
    const char *path = arena_printf(arena, "%s/configs/protocols/%s.yaml", LABYRINTH_SRCDIR, name ? name : "mesi");
    struct node *root = read_file(arena, diag, path);
    struct protocol *p = root ? protocol_load(root, diag) : NULL;
    diag_print(diag, stderr);
    CHECK(p, "the protocol does not load");
    diag_free(diag);
    return p;
}

static inline void rig_net(struct machine_rig *m)
{
    m->d.net.nodes = m->d.harts + m->d.ports + m->d.clusters + m->d.homes;
    m->d.net.jitter_rng = rng_stream(m->d.seed, "jitter");
    m->net = net_new(m->engine, &m->list, &m->d.net);
    m->dram = dram_new(m->engine, &m->list, &m->d.dram);
    struct home_env he = { .engine = m->engine, .net = m->net, .dram = m->dram, .memory = m->memory, .protocol = m->protocol,
                           .row_counts = &m->rows, .agents = (uint16_t)(m->d.harts + m->d.ports), .history = m->history,
                           .protocol_error = rig_error, .error_arg = m, .sample = rig_sample, .sample_arg = m,
                           .outer = m->d.clusters > 0, .agent_node = m->d.clusters ? rig_outer_node : NULL, .agent_arg = m };
    for (unsigned i = 0; i < m->d.harts + m->d.ports; i++)
        he.everyone.w[0] |= (uint64_t)(!m->d.clusters || i < m->d.clusters || i >= m->d.harts) << i;
    for (unsigned i = 0; i < m->d.homes; i++) {
        unsigned node = m->d.harts + m->d.ports + m->d.clusters + i;
        m->home[i] = home_new(&m->list, arena_printf(m->arena, "home%u", i), (uint16_t)node, &m->d.home, &he);
        net_attach(m->net, node, home_deliver, m->home[i]);
    }
}

static inline void rig_clusters(struct machine_rig *m)
{
    struct cluster_wiring w = { .engine = m->engine, .net = m->net, .memory = m->memory, .protocol = m->protocol,
                                .row_counts = &m->rows, .history = m->history, .home_node = rig_home_node,
                                .agent_node = rig_outer_node, .route_arg = m, .protocol_error = rig_error, .error_arg = m,
                                .sample = rig_sample, .sample_arg = m };
    for (unsigned i = 0; i < m->d.clusters; i++) {
        m->route[i] = (struct rig_route){ m, i };
        w.agent = (uint16_t)i;
        uint16_t node = rig_slice_node(&m->route[i], (lineno){ 0 });
        m->slice[i] = cluster_new(&m->list, arena_printf(m->arena, "slice%u", i), node, &m->d.slice, &w);
        net_attach(m->net, node, cluster_deliver, m->slice[i]);
    }
}

static inline void rig_agents(struct machine_rig *m)
{
    struct cache_env ce = { .engine = m->engine, .net = m->net, .memory = m->memory, .protocol = m->protocol,
                            .row_counts = &m->rows, .history = m->history, .observer = &m->observer,
                            .home_node = rig_home_node, .home_arg = m, .protocol_error = rig_error, .error_arg = m,
                            .sample = rig_sample, .sample_arg = m };
    struct hart_env he = { .engine = m->engine, .memory = m->memory, .net = m->net, .account = m->account,
                           .observer = &m->observer, .mmu = m->d.mmu, .harts = m->d.harts, .hart_at = rig_hart_at,
                           .mmio_at = rig_mmio_at, .illegal = rig_illegal, .count = rig_count, .finished = rig_finished,
                           .machine = m };
    for (unsigned i = 0; i < m->d.harts; i++) {
        m->script[i].m = m;
        m->script[i].id = i;
        m->hart[i] = hart_new(&m->list, arena_printf(m->arena, "core%u", i), i, &m->d.hart, &he);
        hart_record(m->hart[i], false);
        struct cache_owner owner = hart_cache_owner(m->hart[i]);
        struct cache_env inside = ce;
        if (m->d.clusters) {
            inside.home_node = rig_slice_node;
            inside.home_arg = &m->route[i / (m->d.harts / m->d.clusters)];
        }
        m->cache[i] = cache_new(&m->list, arena_printf(m->arena, "core%u.cache", i), (uint16_t)i, &m->d.cache, &inside, &owner);
        hart_connect(m->hart[i], m->cache[i]);
        net_attach(m->net, i, rig_deliver, m);
    }
    ce.outer = m->d.clusters > 0;
    ce.agent_node = m->d.clusters ? rig_outer_node : NULL;
    for (unsigned i = 0; i < m->d.ports; i++) {
        unsigned agent = m->d.harts + i;
        m->port[i] = device_port_new(&m->list, arena_printf(m->arena, "port%u", i), (uint16_t)agent, &m->d.port, &ce);
        m->cache[agent] = device_port_cache(m->port[i]);
        net_attach(m->net, agent, cache_deliver, m->cache[agent]);
    }
}

static inline struct machine_rig *machine_rig_new(const struct rig_desc *d)
{
    struct machine_rig *m = calloc(1, sizeof *m);
    m->d = *d;
    m->arena = arena_new();
    m->protocol = rig_protocol(m->arena, m->d.protocol);
    m->engine = engine_new((struct engine_desc){ .queue = d->queue, .lookahead = d->lookahead });
    m->memory = memory_new(UINT64_C(1) << 24);
    m->history = history_new(4096);
    m->account = account_new();
    m->seen = calloc(RIG_LOG, sizeof *m->seen);
    m->observer = (struct observer){ .self = m, .store_issued = rig_issued, .store_visible = rig_visible, .load = rig_load,
                                     .atomic = rig_atomic, .line_visible = rig_line, .barrier = rig_barrier,
                                     .wants = rig_wants };
    rig_net(m);
    rig_clusters(m);
    rig_agents(m);
    return m;
}

static inline void machine_rig_free(struct machine_rig *m)
{
    for (unsigned i = 0; i < m->d.harts; i++) {
        hart_free(m->hart[i]);
        cache_free(m->cache[i]);
    }
    for (unsigned i = 0; i < m->d.ports; i++)
        device_port_free(m->port[i]);
    for (unsigned i = 0; i < m->d.homes; i++)
        home_free(m->home[i]);
    for (unsigned i = 0; i < m->d.clusters; i++)
        cluster_free(m->slice[i]);
    dram_free(m->dram);
    net_free(m->net);
    engine_free(m->engine);
    memory_free(m->memory);
    history_free(m->history);
    account_free(m->account);
    protocol_free(m->protocol);
    arena_free(m->arena);
    free(m->seen);
    free(m);
}

/* ---- looking */

struct rig_copies { unsigned readable, writable, agents, versions; uint32_t version; };

static void rig_one_copy(void *arg, unsigned agent, bool readable, bool writable, uint32_t version, const char *state)
{
    struct rig_copies *c = arg;
    (void)state;
    c->readable += readable;
    c->writable += writable;
    if (readable)
        c->agents |= 1u << agent;
    c->versions += readable && version != c->version;
}

/* Who holds a line: numbers, and a bit per reader in `agents`. */
static inline struct rig_copies rig_copies(const struct machine_rig *m, uint64_t a)
{
    lineno line = { a >> LINE_SHIFT };
    struct rig_copies c = { .version = memory_versions(m->memory, line)->current };
    for (unsigned i = 0; i < m->d.harts + m->d.ports; i++)
        cache_copies(m->cache[i], line, rig_one_copy, &c);
    return c;
}

static inline const char *rig_home_says(const struct machine_rig *m, uint64_t a)
{
    static char text[400];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    home_describe(m->home[(a >> LINE_SHIFT) % m->d.homes], (lineno){ a >> LINE_SHIFT }, out);
    fclose(out);
    return text;
}

/* What components that think themselves idle would still print: a line left busy at its home, for one. */
static inline const char *rig_unrest(const struct machine_rig *m)
{
    static char text[2000];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    for (const struct component *c = m->list.first; c; c = c->next)
        if (c->ops && c->ops->why_busy && strncmp(c->name, "core", 4) != 0)
            c->ops->why_busy(c, out);
    fclose(out);
    return text;
}

/* Runs to the end: every script over, everything idle and at rest, every account in order. */
static inline void machine_rig_run(struct machine_rig *m)
{
    enum engine_stop stop = engine_run(m->engine, TICK_MAX - 1);
    cr_assert(stop == ENGINE_IDLE, "stopped: %d %s", (int)stop, m->illegal);
    if (!components_idle(&m->list))
        components_why_busy(&m->list, stderr);
    cr_assert(components_idle(&m->list), "not idle at the end");
    cr_assert(rig_unrest(m)[0] == '\0', "%s", rig_unrest(m));
    components_check(&m->list);
    cr_expect_eq(account_mismatch_count(m->account), 0);
}

/* ---- expectations */

struct rig_part { enum part part; uint64_t ps; };
#define PARTS(...) (struct rig_part[]){ __VA_ARGS__, { PART_COUNT, 0 } }

/* Exactly one request of a class was recorded, by this source (SOURCE_NONE: by any), with exactly these parts. */
static inline void rig_expect(const struct machine_rig *m, enum class_id class, enum source_id source,
                              const struct rig_part *parts)
{
    const struct class_stats *s = account_stats(m->account, class);
    uint64_t expected[PART_COUNT] = { 0 }, sum = 0;
    for (; parts->part != PART_COUNT; parts++) {
        expected[parts->part] += parts->ps;
        sum += parts->ps;
    }
    cr_assert(s, "%s: nothing recorded", class_infos[class].name);
    cr_expect_eq(s->latency.count, 1);
    cr_expect_eq(s->latency.sum_ps, sum, "%s: %lu ps, expected %lu", class_infos[class].name, (unsigned long)s->latency.sum_ps,
                 (unsigned long)sum);
    for (unsigned i = 0; i < PART_COUNT; i++)
        cr_expect_eq(s->hardware_sum_ps[i], expected[i], "%s: %s is %lu ps, expected %lu", class_infos[class].name,
                     part_terms[i].name, (unsigned long)s->hardware_sum_ps[i], (unsigned long)expected[i]);
    if (source == SOURCE_NONE)
        return;
    const struct class_stats *by = account_source_stats(m->account, class, source);
    cr_expect(by && by->latency.count == 1, "%s: not from %s", class_infos[class].name, source_terms[source].name);
}

#endif
