/* src/machine/build.c - wires the parts of a machine together: the only file that knows every model. */
#include "src/machine/private.h"

#include "models/coherence/table.h"
#include "models/mmu/walk.h"
#include "src/base/fail.h"
#include "src/config/find.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/page_alloc.h"
#include "src/sim/abi/vtd.h"

#include <inttypes.h>
#include <string.h>

enum { IOMMU_REGISTER_BASE_SHIFT = 45 }; /* registers lie far above any memory */

/* ---- who is where */

static struct hart *hart_at(void *arg, unsigned id) { return ((struct machine *)arg)->harts[id]; }

static const struct mmio_target *mmio_at(void *arg, paddr a)
{
    struct machine *m = arg;
    const struct mmio_target *t = &m->iommu_registers;
    return m->iommu && a.v - t->base.v < t->bytes ? t : NULL;
}

/* A read-once answer leaves its source now: its data are the line as it is now. */
static void sample(void *arg, uint16_t agent, int16_t txn, lineno line)
{
    struct machine *m = arg;
    memcpy(cache_sample_buffer(m->caches[agent], txn), memory_line(m->memory, line), LINE_BYTES);
}

static void deliver_to_hart(void *self, struct msg *in)
{
    struct machine *m = self;
    if (in->kind == MSG_TLB_INVALIDATE || in->kind == MSG_TLB_ACK)
        hart_deliver(m->harts[in->dst], in);
    else
        cache_deliver(m->caches[in->dst], in);
}

/* ---- translation glue: models/mmu behind the hart's function pointers */

static bool mmu_lookup(void *tlb, uint16_t asid, vaddr va, bool write, frame *f)
{
    struct tlb_entry e;
    if (!tlb_lookup(tlb, asid, va.v >> PAGE_SHIFT, write, &e))
        return false;
    *f = e.frame;
    return true;
}

static bool mmu_walk(uint64_t (*load)(void *ctx, paddr, unsigned bytes), void *ctx, void *tlb, uint16_t asid, paddr root,
                     vaddr va, bool write, frame *f)
{
    struct tlb_entry e;
    if (!page_walk(load, ctx, root, va, write, &e))
        return false;
    e.asid = asid;
    tlb_insert(tlb, &e);
    *f = e.frame;
    return true;
}

static void mmu_invalidate(void *tlb, uint16_t asid, vaddr va) { tlb_invalidate_page(tlb, asid, va.v >> PAGE_SHIFT); }

/* ---- parts */

static void wire_net(struct machine *m)
{
    struct machine_desc *d = &m->desc;
    const struct topology *t = &m->topology;
    uint16_t *tiles = ARENA_ARRAY(m->arena, uint16_t, t->nodes);
    if (d->net.topology == NET_RING && d->net.stops == 0)
        d->net.stops = machine_places(d);
    for (unsigned i = 0; i < t->nodes; i++)
        tiles[i] = (uint16_t)topology_tile(t, d, i);
    d->net.nodes = t->nodes;
    d->net.tile_of_node = tiles;
    d->net.jitter_ps = d->net_jitter_ps;
    d->net.jitter_rng = rng_stream(m->doc->seed, "net jitter");
    m->net = net_new(m->engine, &m->components, &d->net);
}

static uint32_t sets_of(uint64_t bytes, uint32_t ways, uint32_t parts) { return (uint32_t)(bytes / ways / parts / LINE_BYTES); }

/* Memory as the homes see it: with one level, a home agent of its own is part of it. */
static struct dram_desc dram_desc_of(const struct machine_desc *d)
{
    struct dram_desc r = d->dram;
    if (d->home.agent && d->levels == LEVELS_ONE)
        r.controller_ps += 2 * d->net.hop_ps + d->home.lookup_ps + d->llc.response_lookup_ps;
    return r;
}

static void wire_memories(struct machine *m)
{
    struct dram_desc r = dram_desc_of(&m->desc);
    m->drams = ARENA_ARRAY(m->arena, struct dram *, m->topology.memories);
    for (unsigned i = 0; i < m->topology.memories; i++) {
        if (m->topology.memories > 1)
            r.name = arena_printf(m->arena, "dram%u", i);
        m->drams[i] = dram_new(m->engine, &m->components, &r);
    }
}

/* Of a directory that stands alone: what the caches below can hold of its lines, twice. */
static uint32_t directory_sets(const struct machine *m)
{
    const struct directory_keys *k = &m->desc.directory;
    const struct topology *t = &m->topology;
    uint64_t below = t->two_levels ? m->desc.llc.size_bytes * t->clusters : m->desc.l2.size_bytes * m->desc.cores;
    uint64_t lines = k->lines ? k->lines : 2 * below / LINE_BYTES / (t->memories * t->homes_per_memory);
    uint64_t sets = 1;
    while (sets * k->ways < lines)
        sets *= 2;
    return (uint32_t)sets;
}

static struct home_desc home_desc_of(const struct machine *m)
{
    const struct llc_keys *l = &m->desc.llc;
    const struct home_keys *k = &m->desc.home;
    struct dram_desc r = dram_desc_of(&m->desc);
    struct home_desc d = { .write_window_ps = r.controller_ps + r.t_rp_ps + r.t_rcd_ps + r.t_cas_ps + r.write_queue * r.t_burst_ps,
                           .pointers = m->desc.directory.pointers, .overflow = (enum home_overflow)m->desc.directory.overflow };
    d.early_read = (enum home_early)k->early_read;
    if (m->topology.two_levels) {
        d.data = HOME_NO_DATA;
        d.sets = directory_sets(m);
        d.ways = m->desc.directory.ways;
        d.lookup_ps = k->lookup_ps;
        d.occupancy_ps = k->occupancy_ps;
        d.response_occupancy_ps = k->response_occupancy_ps;
    } else {
        d.data = (enum home_data)l->inclusion;
        bool alone = d.data != HOME_INCLUSIVE;
        d.store_sets = sets_of(l->size_bytes, l->ways, l->slices);
        d.store_ways = l->ways;
        d.sets = alone ? directory_sets(m) : d.store_sets;
        d.ways = alone ? m->desc.directory.ways : d.store_ways;
        d.lookup_ps = l->lookup_ps;
        d.occupancy_ps = l->occupancy_ps;
        d.response_occupancy_ps = l->response_occupancy_ps;
    }
    return d;
}

static void wire_homes(struct machine *m)
{
    const struct topology *t = &m->topology;
    struct home_desc desc = home_desc_of(m);
    struct home_env env = { .engine = m->engine, .net = m->net, .memory = m->memory, .protocol = m->protocol,
                            .row_counts = &m->row_counts, .agents = (uint16_t)m->agents, .history = m->history,
                            .protocol_error = machine_protocol_error, .error_arg = m, .sample = sample, .sample_arg = m,
                            .own = topology_is_own, .own_arg = &m->topology, .outer = t->two_levels };
    for (unsigned a = 0; a < m->agents; a++)
        if (!t->two_levels || a < t->clusters || a >= t->harts)
            env.everyone.w[a / 64] |= 1ull << a % 64;
    if (t->two_levels) {
        env.agent_node = topology_outer_node;
        env.agent_arg = &t->routes[0];
    }
    m->home_count = t->nodes - t->first_home;
    m->homes = ARENA_ARRAY(m->arena, struct home *, m->home_count);
    for (unsigned i = 0; i < m->home_count; i++) {
        uint16_t node = (uint16_t)(t->first_home + i);
        env.dram = m->drams[topology_memory_of_home(t, i)];
        m->homes[i] = home_new(&m->components, machine_agent_name(m, node), node, &desc, &env);
        net_attach(m->net, node, home_deliver, m->homes[i]);
    }
}

static void wire_clusters(struct machine *m)
{
    const struct topology *t = &m->topology;
    const struct llc_keys *k = &m->desc.llc;
    struct cluster_desc desc = { .sets = sets_of(k->size_bytes, k->ways, k->slices), .ways = k->ways, .write_backs = k->write_backs,
                                 .lookup_ps = k->lookup_ps, .response_lookup_ps = k->response_lookup_ps,
                                 .occupancy_ps = k->occupancy_ps, .response_occupancy_ps = k->response_occupancy_ps };
    struct cluster_wiring w = { .engine = m->engine, .net = m->net, .memory = m->memory, .protocol = m->protocol,
                                .row_counts = &m->row_counts, .history = m->history, .home_node = topology_home_node,
                                .agent_node = topology_outer_node, .protocol_error = machine_protocol_error, .error_arg = m,
                                .sample = sample, .sample_arg = m };
    m->slice_count = t->first_home - t->first_slice;
    m->slices = ARENA_ARRAY(m->arena, struct cluster *, m->slice_count ? m->slice_count : 1);
    for (unsigned i = 0; i < m->slice_count; i++) {
        uint16_t node = (uint16_t)(t->first_slice + i);
        w.agent = (uint16_t)(i / t->slices);
        w.route_arg = &t->routes[w.agent];
        m->slices[i] = cluster_new(&m->components, machine_agent_name(m, node), node, &desc, &w);
        net_attach(m->net, node, cluster_deliver, m->slices[i]);
    }
}

/* Of a hart's cache or, at the outer level if there is one, of a device's. */
static struct cache_env cache_env_of(struct machine *m, unsigned cluster, bool device)
{
    const struct topology *t = &m->topology;
    bool outer = t->two_levels && device;
    return (struct cache_env){ .engine = m->engine, .net = m->net, .memory = m->memory, .protocol = m->protocol,
                               .row_counts = &m->row_counts, .history = m->history, .observer = &m->observer,
                               .home_node = t->two_levels && !device ? topology_slice_node : topology_home_node,
                               .agent_node = outer ? topology_outer_node : NULL, .home_arg = &t->routes[cluster], .outer = outer, .protocol_error = machine_protocol_error,
                               .error_arg = m, .sample = sample, .sample_arg = m };
}

static void hart_finished(void *arg, unsigned id);

static void wire_harts(struct machine *m)
{
    const struct machine_desc *d = &m->desc;
    struct cache_desc cd = { .l1_sets = sets_of(d->l1.size_bytes, d->l1.ways, 1), .l1_ways = d->l1.ways,
                             .sets = sets_of(d->l2.size_bytes, d->l2.ways, 1), .ways = d->l2.ways, .mshrs = d->l2.mshrs,
                             .write_backs = d->l2.write_backs, .lookup_ps = d->l2.hit_ps, .l1_ps = d->l1.hit_ps,
                             .snoop_ps = d->l2.snoop_ps, .snoop_data_ps = d->l2.snoop_data_ps,
                             .snoop_occupancy_ps = d->l2.snoop_occupancy_ps };
    struct hart_env he = { .engine = m->engine, .memory = m->memory, .net = m->net, .account = m->account,
                           .observer = &m->observer, .harts = d->cores, .hart_at = hart_at, .mmio_at = mmio_at,
                           .illegal = machine_illegal, .count = machine_count, .finished = hart_finished, .machine = m };
    m->harts = ARENA_ARRAY(m->arena, struct hart *, d->cores);
    m->tlbs = ARENA_ARRAY(m->arena, struct tlb *, d->cores);
    for (unsigned i = 0; i < d->cores; i++) {
        m->tlbs[i] = tlb_new(m->arena, &d->tlb);
        he.mmu = (struct hart_mmu){ m->tlbs[i], mmu_lookup, mmu_walk, mmu_invalidate };
        m->harts[i] = hart_new(&m->components, arena_printf(m->arena, "core%u", i), i, &d->hart, &he);
        struct cache_owner owner = hart_cache_owner(m->harts[i]);
        struct cache_env ce = cache_env_of(m, topology_cluster_of(&m->topology, i), false);
        m->caches[i] = cache_new(&m->components, arena_printf(m->arena, "core%u.cache", i), (uint16_t)i, &cd, &ce, &owner);
        hart_connect(m->harts[i], m->caches[i]);
        net_attach(m->net, i, deliver_to_hart, m);
    }
}

static void dma_performed(void *self, const struct dma_piece *p, tick now)
{
    struct machine *m = self;
    unsigned device = 0;
    while (device + 1 < m->desc.devices.count && m->devices[device] != p->engine)
        device++;
    if (p->fault != DMA_OK && !m->first_refusal)
        m->first_refusal = arena_printf(m->late, "first refused DMA: device%u, %s of %u bytes at I/O address %#" PRIx64 ", at %" PRIu64 " ps: %s\n",
                                        device, p->write ? "write" : "read", p->bytes, p->addr.v, now, dma_fault_name(p->fault));
    if (m->observer.dma)
        m->observer.dma(m->observer.self, device, p->addr, p->at, p->bytes, p->write, p->fault, now);
}

static struct device_port *wire_port(struct machine *m, unsigned agent, const char *name)
{
    struct cache_desc cd = { .mshrs = m->desc.devices.mshrs, .write_backs = m->desc.devices.mshrs,
                             .snoop_ps = m->desc.l2.snoop_ps, .snoop_occupancy_ps = m->desc.l2.snoop_occupancy_ps };
    struct cache_env ce = cache_env_of(m, 0, true);
    struct device_port *p = device_port_new(&m->components, name, (uint16_t)agent, &cd, &ce);
    m->caches[agent] = device_port_cache(p);
    net_attach(m->net, agent, cache_deliver, m->caches[agent]);
    return p;
}

static uint16_t source_id_of(unsigned device) { return (uint16_t)((device + 1) << 3); } /* bus 0, device n+1, function 0 */

static void wire_devices(struct machine *m)
{
    const struct machine_desc *d = &m->desc;
    unsigned n = d->devices.count;
    if (!n)
        return;
    m->ports = ARENA_ARRAY(m->arena, struct device_port *, n + 1);
    m->devices = ARENA_ARRAY(m->arena, struct dma_engine *, n);
    m->ports[n] = wire_port(m, d->cores + n, "iommu.port");
    struct iommu_wiring iw = { .name = "iommu", .engine = m->engine, .components = &m->components, .arena = m->arena,
                               .port = device_port_mem(m->ports[n]), .memory_bytes = m->kernel_keys.memory_bytes,
                               .dma_max = n * d->devices.dma.tags };
    m->iommu = iommu_new(&d->iommu, &iw);
    m->iommu_registers = iommu_mmio(m->iommu, (paddr){ UINT64_C(1) << IOMMU_REGISTER_BASE_SHIFT });
    for (unsigned i = 0; i < n; i++) {
        m->ports[i] = wire_port(m, d->cores + i, arena_printf(m->arena, "device%u.port", i));
        struct dma_wiring w = { .name = arena_printf(m->arena, "device%u", i), .engine = m->engine, .components = &m->components,
                                .arena = m->arena, .port = device_port_mem(m->ports[i]), .iommu = iommu_port(m->iommu),
                                .account = m->account, .observer = { m, dma_performed }, .source_id = source_id_of(i),
                                .actor = d->cores + i };
        m->devices[i] = dma_engine_new(&d->devices.dma, &w);
    }
}

/* ---- kernel */

static void alloc_failed(void *arg, struct hart *h, const struct alloc_failure *f)
{
    struct machine *m = arg;
    char text[16384];
    machine_count(m, "alloc.failed_count", 1);
    if (!m->first_failure)
        m->first_failure = arena_printf(m->late, "first failed allocation, on core%u: %s\n", hart_id(h),
                                        alloc_failure_explain(f, text, sizeof text));
}

static uint32_t planted(const char *plant)
{
    static const struct { const char *name; uint32_t bit; } plants[] = {
        { "skip-zero-line", KERN_PLANT_SKIP_ZERO_LINE }, { "skip-fence", KERN_PLANT_SKIP_FENCE },
        { "skip-iotlb-invalidate", KERN_PLANT_SKIP_IOTLB_INVALIDATE }, { "skip-tlb-shootdown", KERN_PLANT_SKIP_TLB_SHOOTDOWN },
        { "skip-pte-clear", KERN_PLANT_SKIP_PTE_CLEAR }, { "skip-lock", KERN_PLANT_SKIP_LOCK },
        { "skip-own-line", KERN_PLANT_SKIP_OWN_LINE }, { "skip-zone-lock", KERN_PLANT_SKIP_ZONE_LOCK },
        { "skip-cas", KERN_PLANT_SKIP_CAS }, { "trust-mapped", KERN_PLANT_TRUST_MAPPED },
    };
    if (!plant)
        return 0;
    for (size_t i = 0; i < sizeof plants / sizeof *plants; i++)
        if (strcmp(plant, plants[i].name) == 0)
            return plants[i].bit;
    fail_user("--plant %s: no such planted fault (skip-zero-line, skip-fence, skip-iotlb-invalidate, skip-tlb-shootdown, "
              "skip-pte-clear, skip-lock, skip-own-line, skip-zone-lock, skip-cas, trust-mapped)", plant);
}

static struct kernel_desc kernel_desc_of(struct machine *m)
{
    const struct kernel_keys *k = &m->kernel_keys;
    struct kernel_desc d = kernel_desc_default();
    d.memory_bytes = k->memory_bytes;
    d.harts = m->desc.cores;
    d.version = (enum kernel_version)k->version;
    d.allocator = (enum allocator_kind)k->allocator.type;
    d.nodes = k->nodes;
    memcpy(d.distance, k->distance, sizeof d.distance);
    d.zone_dma = k->zone_dma;
    d.zone_dma32 = k->zone_dma32;
    d.movable_bytes = k->movable_bytes;
    d.locks = (enum lock_kind)k->locks;
    d.min_free_kbytes = k->allocator.min_free_kbytes;
    d.watermark_scale_factor = k->allocator.watermark_scale_factor;
    d.watermark_boost_factor = k->allocator.watermark_boost_factor;
    d.lowmem_reserve_ratio_dma = k->allocator.lowmem_reserve_ratio_dma;
    d.lowmem_reserve_ratio_normal = k->allocator.lowmem_reserve_ratio_normal;
    d.page_cache_share = k->page_cache.share;
    d.page_cache_dirty = k->page_cache.dirty;
    d.page_cache_writeback_ps = k->page_cache.writeback_ps;
    d.page_cache_cycles = k->page_cache.page_cycles;
    d.compact_pageblocks = k->allocator.compact_pageblocks;
    d.pcp_batch = k->allocator.pcp_batch;
    d.pcp_high = k->allocator.pcp_high;
    d.pcp_tuning = k->allocator.pcp_tuning;
    d.pcp_locking = (enum pcp_locking)k->pcp_locking;
    d.zeroing = (enum zero_method)k->zeroing;
    d.init_on_alloc = k->init_on_alloc;
    d.zero_policy = (enum zero_policy)k->zero_policy;
    d.zero_pool_pages = k->zero_pool_pages;
    d.shootdown = (enum shootdown_method)k->shootdown;
    d.shootdown_vector = 1;
    d.spaces = 4;
    d.table_pages = k->page_table_pages;
    d.iommu.on = m->desc.devices.count > 0 && m->desc.iommu.enabled;
    d.iommu.registers = (paddr){ UINT64_C(1) << IOMMU_REGISTER_BASE_SHIFT };
    d.iommu.domains = WORK_DOMAIN;
    d.iommu.levels = m->desc.iommu.levels;
    d.iommu.table_pages = k->iommu_table_pages;
    d.scratch_bytes = k->scratch_bytes;
    d.costs = k->costs;
    d.plant = planted(m->options.plant);
    d.alloc_failed = alloc_failed;
    d.alloc_failed_arg = m;
    return d;
}

/* The firmware's part: registers preset before time starts. */
static void start_iommu(struct machine *m)
{
    const struct mmio_target *t = &m->iommu_registers;
    const struct kernel *k = &m->kernel;
    t->write(t->device, VTD_REG_RTADDR, 8, iommu_root_table(k).v);
    t->write(t->device, VTD_REG_GCMD, 4, VTD_GCMD_SRTP);
    t->write(t->device, VTD_REG_IQT, 8, 0);
    t->write(t->device, VTD_REG_IQA, 8, vtd_iqa_make(iommu_queue_base(k), 0));
    t->write(t->device, VTD_REG_GCMD, 4, VTD_GCMD_QIE);
    t->write(t->device, VTD_REG_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_TE);
    for (unsigned i = 0; i < m->desc.devices.count; i++)
        CHECK(iommu_attach_boot(k, &m->backdoor, source_id_of(i), WORK_DOMAIN), "device %u cannot be attached at boot", i);
}

static void wire_oracle(struct machine *m)
{
    machine_inspector(m);
    if (!m->checks.oracle && !m->checks.values)
        return;
    struct oracle_desc d = { .values = m->checks.values, .grants = m->checks.oracle, .history = m->checks.history };
    m->oracle = oracle_new(&m->inspector, machine_violation, m, d);
    oracle_observer(m->oracle, &m->observer);
}

static void hart_finished(void *arg, unsigned id)
{
    struct machine *m = arg;
    for (unsigned i = 0; i < m->work.agent_count; i++) {
        struct agent *a = &m->work.agents[i];
        if (a->hart == m->harts[id] && !a->finished) {
            a->finished = true;
            if (a->count && --m->unfinished == 0)
                machine_stop(m, RUN_DONE, "");
        }
    }
}

static struct protocol *read_protocol(struct machine *m, struct diag *diag)
{
    struct node *at = m->doc->protocol, *root = at;
    if (!at || at->kind == NODE_SCALAR)
        root = config_load(m->arena, diag, "protocols", "protocol", at ? at->text : "mesi",
                           at ? at->at : (struct origin){ .file = m->doc->path }, "protocol");
    return root ? protocol_load(root, diag) : NULL;
}

bool machine_wire(struct machine *m, struct diag *diag)
{
    m->protocol = read_protocol(m, diag);
    const char *lacks = m->protocol && m->desc.levels == LEVELS_TWO ? cluster_protocol_lacks(m->protocol) : NULL;
    if (lacks)
        node_error(diag, m->doc->protocol ? m->doc->protocol : m->doc->root, "With two levels a cluster's home needs GETS_R and DEMOTE "
                   "in every state that needs an answer; or use levels: one.", "protocol %s has no row for %s", m->protocol->name, lacks);
    bool broadcasts = m->protocol && !protocol_on_bus(m->protocol) && m->desc.directory.pointers && m->desc.directory.overflow == OVERFLOW_BROADCAST;
    const char *deaf = broadcasts ? broadcast_protocol_lacks(m->protocol) : NULL;
    if (deaf)
        node_error(diag, m->doc->protocol ? m->doc->protocol : m->doc->root, "A directory that broadcasts invalidates those, too, who never "
                   "had the line or have just lost it; or use directory.overflow: recall.", "protocol %s has no row for INV in state %s",
                   m->protocol->name, deaf);
    struct kernel_desc kd = kernel_desc_of(m);
    const char *wrong = kernel_desc_check(&kd);
    if (wrong)
        node_error(diag, m->doc->kernel ? m->doc->kernel : m->doc->root, "The kernel's numbers must fit together.", "kernel: %s", wrong);
    if (!m->protocol || wrong || lacks || deaf)
        return false;
    m->engine = engine_new((struct engine_desc){ .queue = m->options.queue, .shuffle_seed = m->options.shuffle_seed,
                                                 .lookahead = m->options.lookahead });
    fiber_use(m->options.fibers);
    m->account = account_new();
    m->history = history_new((unsigned)m->checks.line_history);
    m->memory = memory_new(m->kernel_keys.memory_bytes);
    m->backdoor.memory = m->memory;
    topology_init(&m->topology, m->arena, &m->desc, m->kernel_keys.memory_bytes);
    m->agents = m->topology.agents;
    m->caches = ARENA_ARRAY(m->arena, struct cache *, m->agents);
    wire_net(m);
    wire_memories(m);
    wire_homes(m);
    wire_clusters(m);
    wire_harts(m);
    wire_devices(m);
    kernel_init(&m->kernel, &kd);
    kernel_boot(&m->kernel, &m->backdoor);
    for (unsigned i = 0; i < m->desc.cores; i++)
        kernel_hart_boot(&m->kernel, m->harts[i]);
    if (kd.iommu.on)
        start_iommu(m);
    wire_oracle(m);
    return true;
}

void machine_unwire(struct machine *m)
{
    for (unsigned i = 0; m->harts && i < m->desc.cores; i++) {
        hart_free(m->harts[i]);
        cache_free(m->caches[i]);
    }
    for (unsigned i = 0; m->ports && i <= m->desc.devices.count; i++)
        device_port_free(m->ports[i]);
    for (unsigned i = 0; m->homes && i < m->home_count; i++)
        home_free(m->homes[i]);
    for (unsigned i = 0; m->slices && i < m->slice_count; i++)
        cluster_free(m->slices[i]);
    if (m->net)
        net_free(m->net);
    for (unsigned i = 0; m->drams && i < m->topology.memories; i++)
        dram_free(m->drams[i]);
    oracle_free(m->oracle);
    if (m->protocol)
        protocol_free(m->protocol);
    memory_free(m->memory);
    history_free(m->history);
    account_free(m->account);
    if (m->engine)
        engine_free(m->engine);
}
