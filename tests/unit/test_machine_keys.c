/* tests/unit/test_machine_keys.c - every key of a machine and of the kernel reaches the part it is for: with another
 * value something of the result is different. A key that is in a table and not here fails the test, too.
 */
#include "tests/unit/test_machine_rig.h"

#include "src/base/rng.h"
#include "src/machine/desc.h"

TestSuite(keys, .timeout = 300);

/* Grants, shootdowns, interrupts, DMA: what a key could matter to. The pages of `keepers` stay mapped, so that translations
 * are used again. */
static const char mixed[] =
    "kind: experiment\n"
    "title: something of everything\n"
    "machine: { base: tiny, cores: 9, devices: { count: 2 }, llc: { size: 8KiB } }\n"
    "kernel: { memory: 16MiB }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, hold: 3us, count: 5 }\n"
    "  - { name: keepers, on: core1-2, program: exclusive-alloc, exclusive: coherence, count: 5 }\n"
    "  - { name: readers, on: core3, program: touch-pages, share: read }\n"
    "  - { name: writers, on: core4, program: touch-pages, share: write }\n"
    "  - { name: mix, on: core5-6, program: random-mix, lines: 96, loads: \"35%\", atomics: \"12%\", flushes: \"6%\", fences: \"5%\", "
    "string_stores: \"8%\", nt_stores: \"6%\", prefetches: \"6%\", count: 250 }\n"
    "  - { name: random, on: core7, program: alloc-random-free, order_max: 4, live: 24, count: 120 }\n"
    "  - { name: timer, on: core8, program: irq-source, to: random, interval: 2us, handler: alloc, handler_cycles: 50cycles }\n"
    "  - { name: foreign, on: device0, program: dma-foreign, write: false }\n"
    "  - { name: stream, on: device1, program: dma-stream, bytes: 2KiB, pages: 3, gap: 3us }\n";

#define BULK "agents=[{name: bulk, on: all, program: alloc-bulk, gfp: KERNEL, pages: 600, count: 1}]"
#define STREAMS "agents=[{name: a, on: device0, program: dma-stream, bytes: 4KiB, count: 9}, {name: b, on: device1, program: dma-stream, bytes: 4KiB, count: 9}]"
#define MESH "machine.net={topology: mesh, columns: 4, rows: 3, hop: 3cycles, inject: 2cycles}"
#define RING "machine.net={topology: ring, hop: 3cycles, inject: 2cycles}"
#define GROUPS "machine.net={topology: groups, groups: 4, package: 2, links: star, hop: 3cycles, link: 12cycles, near_link: 6cycles, " \
    "link_control_occupancy: 1cycles, link_data_occupancy: 3cycles}"

#define BULK_MOVABLE "agents=[{name: bulk, on: all, program: alloc-bulk, gfp: HIGHUSER_MOVABLE, pages: 900, count: 1}]"
#define BULK_COSTLY "agents=[{name: bulk, on: all, program: alloc-bulk, gfp: HIGHUSER_MOVABLE, order: 4, pages: 60, count: 1}]"
#define BULK_HIGH_ATOMIC "agents=[{name: bulk, on: all, program: alloc-bulk, gfp: ATOMIC, order: 2, pages: 120, count: 1}]"
#define BULK_NODE "agents=[{name: bulk, on: core0-2, program: alloc-bulk, gfp: KERNEL, pages: 1500, count: 1}]"
#define TWO_MOBILITIES "agents=[{name: a, on: core0, program: alloc-random-free, gfp: HIGHUSER_MOVABLE, order_max: 3, live: 1000, count: 4000}, " \
    "{name: b, on: core1, program: alloc-random-free, gfp: ATOMIC, order_max: 3, live: 600, count: 4000}]"

/* Together more than is free: kswapd and direct reclaim. */
#define RECLAIMED "kernel={memory: 16MiB, page_cache: {share: 50%, dirty: 20%}};agents=[{name: bulk, on: core0-2, program: alloc-bulk, gfp: KERNEL, pages: 800, count: 1}, " \
    "{name: kswapd, on: core3, program: kswapd}]"
#define ZEROED "agents=[{name: a, on: core0, program: exclusive-alloc, exclusive: secure, expose: false, count: 9}, {name: z, on: core1, program: page-zeroer}]"
/* `with`: set in both runs; two things with ';' between. */
static const struct key { const char *path, *value, *with; } keys[] = {
    { "machine.cores", "10", NULL },
    { "machine.sockets", "2", NULL },
    { "machine.clusters", "3", NULL },
    { "machine.levels", "one", "machine.clusters=3" },
    { "machine.home.placement", "first-touch", "machine.sockets=2" },
    { "machine.home.granule", "64B", "machine.sockets=2" },
    { "machine.home.agent", "true", NULL },
    { "machine.home.early_read", "own", NULL },
    { "machine.home.per", "cluster", "machine.clusters=3" },
    { "machine.home.count", "2", "machine.clusters=3" },
    { "machine.directory.lines", "32", "machine.clusters=3" },
    { "machine.directory.ways", "1", "machine.directory={lines: 32};machine.clusters=3" },
    { "machine.directory.pointers", "1", NULL },
    { "machine.directory.overflow", "broadcast", "machine.directory={pointers: 2}" },
    { "machine.llc.inclusion", "victim", NULL },
    { "machine.llc.write_backs", "1", "machine.llc.size=4KiB;machine.clusters=3" },
    { "machine.home.lookup", "20cycles", "machine.clusters=3" },
    { "machine.home.occupancy", "9cycles", "machine.clusters=3" },
    { "machine.home.response_occupancy", "9cycles", "machine.clusters=3" },
    { "machine.clock", "2GHz", NULL },
    { "machine.hart.store_buffer", "2", NULL },
    { "machine.hart.wc_buffers", "1", NULL },
    { "machine.hart.issue", "3cycles", NULL },
    { "machine.hart.string_store", "5cycles", NULL },
    { "machine.hart.commit", "4cycles", NULL },
    { "machine.hart.fill", "5cycles", NULL },
    { "machine.hart.atomic", "15cycles", NULL },
    { "machine.hart.fence", "17cycles", NULL },
    { "machine.hart.load_fence", "9cycles", NULL },
    { "machine.hart.spin", "7cycles", NULL },
    { "machine.hart.tlb", "3ns", NULL },
    { "machine.hart.ipi_send", "70cycles", NULL },
    { "machine.hart.ipi", "400ns", NULL },
    { "machine.hart.irq_entry", "120cycles", NULL },
    { "machine.hart.irq_exit", "70cycles", NULL },
    { "machine.hart.mmio", "150ns", NULL },
    { "machine.hart.tlb_broadcast", "true", NULL },
    { "machine.l1.size", "512B", NULL },
    { "machine.l1.ways", "4", NULL },
    { "machine.l1.hit", "3cycles", NULL },
    { "machine.l2.size", "2KiB", NULL },
    { "machine.l2.ways", "2", NULL },
    { "machine.l2.hit", "9cycles", NULL },
    { "machine.l2.mshrs", "2", NULL },
    { "machine.l2.write_backs", "1", NULL },
    { "machine.l2.snoop", "8cycles", NULL },
    { "machine.l2.snoop_data", "8cycles", NULL },
    { "machine.l2.snoop_occupancy", "30cycles", NULL },
    { "machine.llc.size", "16KiB", NULL },
    { "machine.llc.ways", "4", NULL },
    { "machine.llc.slices", "4", NULL },
    { "machine.llc.lookup", "14cycles", NULL },
    { "machine.llc.response_lookup", "14cycles", "machine.clusters=3" },
    { "machine.llc.occupancy", "9cycles", NULL },
    { "machine.llc.response_occupancy", "9cycles", NULL },
    { "machine.net.topology", "mesh", "machine.net.columns=9" },
    { "machine.net.columns", "5", MESH },
    { "machine.net.rows", "4", MESH },
    { "machine.net.stops", "13", RING },
    { "machine.net.groups", "3", GROUPS },
    { "machine.net.package", "1", GROUPS },
    { "machine.net.links", "ring", GROUPS },
    { "machine.net.link", "14cycles", GROUPS },
    { "machine.net.near_link", "7cycles", GROUPS },
    { "machine.net.link_control_occupancy", "3cycles", GROUPS },
    { "machine.net.link_data_occupancy", "6cycles", GROUPS },
    { "machine.net.hop", "7cycles", NULL },
    { "machine.net.inject", "5cycles", MESH },
    { "machine.net.control_occupancy", "4cycles", NULL },
    { "machine.net.data_occupancy", "7cycles", NULL },
    { "machine.net.slots", "1", NULL },
    { "machine.net_jitter", "5ns", NULL },
    { "machine.dram.channels", "2", NULL },
    { "machine.dram.banks_per_channel", "1", NULL },
    { "machine.dram.row", "2KiB", NULL },
    { "machine.dram.interleave", "256B", "machine.dram.channels=2" },
    { "machine.dram.t_cas", "17ns", NULL },
    { "machine.dram.t_rcd", "17ns", NULL },
    { "machine.dram.t_rp", "17ns", NULL },
    { "machine.dram.t_burst", "9ns", NULL },
    { "machine.dram.controller", "25ns", NULL },
    { "machine.dram.page_policy", "closed", NULL },
    { "machine.dram.write_queue", "1", STREAMS },
    { "machine.tlb.entries", "1", "machine.tlb.ways=1" },
    { "machine.tlb.ways", "1", "machine.tlb={entries: 2, ways: 2}" },
    { "machine.iommu.enabled", "false", "agents.owner.exclusive=[coherence, lock, secure]" },
    { "machine.iommu.iotlb_entries", "4", NULL },
    { "machine.iommu.iotlb_ways", "1", "machine.iommu.iotlb_entries=4" },
    { "machine.iommu.paging_structure_entries", "0", NULL },
    { "machine.iommu.context_entries", "1", NULL },
    { "machine.iommu.walkers", "1", STREAMS },
    { "machine.iommu.levels", "3", NULL },
    { "machine.iommu.fault_records", "1", NULL },
    { "machine.iommu.lookup", "15ns", NULL },
    { "machine.iommu.descriptor_service", "30ns", NULL },
    { "machine.iommu.invalidate_service", "150ns", NULL },
    { "machine.devices.count", "3", NULL },
    { "machine.devices.mshrs", "1", NULL },
    { "machine.devices.dma.tags", "2", NULL },
    { "machine.devices.dma.link", "80ns", NULL },
    { "machine.devices.dma.issue", "9ns", NULL },
    { "kernel.memory", "32MiB", NULL },
    { "kernel.scratch", "8MiB", NULL },
    { "kernel.locks", "tas", NULL },
    { "kernel.allocator.min_free_kbytes", "2048", BULK },
    { "kernel.allocator.watermark_scale_factor", "500", BULK },
    { "kernel.allocator.pcp_batch", "3", NULL },
    { "kernel.allocator.pcp_high", "12", BULK },
    { "kernel.pcp_locking", "6.0", NULL },
    { "kernel.zeroing", "store", NULL },
    { "kernel.init_on_alloc", "true", NULL },
    { "kernel.shootdown", "ipi", "machine.hart.tlb_broadcast=true" },
    { "kernel.page_table_pages", "80", NULL },
    { "kernel.iommu_table_pages", "80", NULL },
    { "kernel.version", "6.0", BULK_HIGH_ATOMIC },
    { "kernel.nodes", "2", "kernel.memory=32MiB" },
    { "kernel.node_distances", "'10 30 20; 30 10 20; 20 20 10'", "kernel={memory: 48MiB, nodes: 3}" ";" BULK_NODE },
    { "kernel.zone_dma", "false", "kernel.memory=32MiB" },
    { "kernel.zone_dma32", "false", "kernel.memory=32MiB" ";" BULK },
    { "kernel.movable", "4MiB", NULL },
    { "kernel.allocator.watermark_boost_factor", "0", TWO_MOBILITIES },
    { "kernel.allocator.lowmem_reserve_ratio_dma", "2", "kernel.memory=32MiB" ";" BULK_MOVABLE },
    { "kernel.allocator.lowmem_reserve_ratio_normal", "1", "kernel={memory: 32MiB, movable: 8MiB, zone_dma32: false}" ";" BULK_MOVABLE },
    { "kernel.allocator.compact_pageblocks", "1", BULK_COSTLY },
    { "kernel.allocator.type", "llfree", NULL },
    { "kernel.zero_policy", "on-free", NULL },
    { "kernel.zero_pool", "1", "kernel={memory: 16MiB, zero_policy: pool}" ";" ZEROED },
    { "kernel.page_cache.share", "50%", BULK },
    { "kernel.page_cache.dirty", "50%", RECLAIMED },
    { "kernel.page_cache.writeback", "7us", RECLAIMED },
    { "kernel.page_cache.page", "77cycles", RECLAIMED },
    { "kernel.costs.reclaim_page", "777", RECLAIMED },
    { "kernel.costs.lru_page", "777", RECLAIMED },
    { "kernel.costs.wake_up", "777", RECLAIMED },
    { "kernel.costs.sleep_switch", "7777", RECLAIMED },
    { "kernel.allocator.pcp_tuning", "true", BULK },
    { "kernel.costs.llfree_call", "77", "kernel.allocator.type=llfree" },
    { "kernel.costs.llfree_edit", "77", "kernel.allocator.type=llfree" },
    { "kernel.costs.llfree_tree", "77", "kernel.allocator.type=llfree" },
    { "kernel.costs.freelist_run", "77", "kernel.allocator.type=freelist" },
    { "kernel.costs.freelist_edit", "77", "kernel.allocator.type=freelist" },
    { "kernel.costs.bitmap_word", "77", "kernel.allocator.type=bitmap" },
    { "kernel.costs.bitmap_edit", "77", "kernel.allocator.type=bitmap" },
    { "kernel.costs.pageblock_page", "77", TWO_MOBILITIES },
    { "kernel.costs.highatomic_entry", "77", BULK_HIGH_ATOMIC },
    { "kernel.costs.zone_next", "77", "kernel.memory=32MiB" ";" BULK_MOVABLE },
    { "kernel.costs.reclaim_entry", "77", BULK },
    { "kernel.costs.compact_entry", "77", BULK_COSTLY },
    { "kernel.costs.compact_page", "77", BULK_COSTLY },
    { "kernel.costs.alloc_fail", "500", BULK },
    { "kernel.costs.irq_off", "77", "kernel.pcp_locking=6.0" },
    { "kernel.costs.slow_entry", "500", BULK },
    { "kernel.costs.slow_retry", "500", BULK },
};
enum { KEYS = sizeof keys / sizeof *keys };


struct outcome { uint64_t order_hash, time_ps, counters; };

static struct outcome run_with(const char *first, const char *second)
{
    char one[300] = "", *other = NULL;
    if (first) {
        snprintf(one, sizeof one, "%s", first);
        other = strchr(one, ';');
    }
    if (other)
        *other++ = '\0';
    const char *sets[3] = { first ? one : NULL, other ? other : second, other ? second : NULL };
    struct run r = run_text(mixed, usual(), sets[0], sets[0] ? sets[1] : NULL, sets[2], NULL);
    struct outcome o = { r.result->order_hash, r.result->time_ps, 0 };
    for (size_t i = 0; i < r.result->counter_count; i++)
        o.counters = hash_chain(o.counters, r.result->counters[i].value);
    run_free(&r);
    return o;
}

static void expect_key_matters(const char *path, const char *value, const char *with)
{
    static struct outcome plain;
    char set[160];
    snprintf(set, sizeof set, "%s=%s", path, value);
    if (!plain.time_ps)
        plain = run_with(NULL, NULL);
    struct outcome before = with ? run_with(with, NULL) : plain, after = with ? run_with(with, set) : run_with(set, NULL);
    cr_expect(memcmp(&before, &after, sizeof before) != 0, "%s changes nothing", set);
}

static const struct key *key_of(const char *path)
{
    for (size_t i = 0; i < KEYS; i++)
        if (strcmp(keys[i].path, path) == 0)
            return &keys[i];
    return NULL;
}

/* A cost that has no entry of its own is set to a number that is no default. */
static unsigned expect_table_matters(const char *prefix, const struct param *table)
{
    unsigned seen = 0;
    for (const struct param *p = table; p->key; p++) {
        char path[120];
        snprintf(path, sizeof path, "%s.%s", prefix, p->key);
        const struct key *k = key_of(path);
        if (p->type == P_GROUP) {
            seen += expect_table_matters(path, p->group);
        } else {
            bool cost = strncmp(path, "kernel.costs.", 13) == 0;
            cr_expect(k || cost, "%s: no entry in this test", path);
            if (k || cost)
                expect_key_matters(path, k ? k->value : "77", k ? k->with : NULL);
            seen++;
        }
    }
    return seen;
}

Test(keys, every_key_of_the_machine_changes_something) { cr_expect_geq(expect_table_matters("machine", machine_params), 60); }

Test(keys, every_key_of_the_kernel_changes_something) { cr_expect_geq(expect_table_matters("kernel", kernel_params), 40); }

/* The effective configuration says what was chosen for who left it open. */
static void expect_chosen(const char *a, const char *b, const char *chosen)
{
    struct run r = run_text(mixed, usual(), a, b, NULL);
    cr_expect(strstr(r.result->effective, chosen), "%s, %s: not %s", a, b ? b : "", chosen);
    run_free(&r);
}

Test(keys, a_version_chooses_the_locking_of_per_cpu_lists)
{
    expect_chosen("kernel.version=5.15", NULL, "\n  pcp_locking: 5.15\n");
    expect_chosen("kernel.version=6.0", NULL, "\n  pcp_locking: 6.0\n");
    expect_chosen("kernel.version=6.3", NULL, "\n  pcp_locking: 6.2\n");
    expect_chosen("kernel.version=6.16", NULL, "\n  pcp_locking: 6.2\n");
    expect_chosen("kernel.version=6.16", "kernel.pcp_locking=6.0", "\n  pcp_locking: 6.0\n");
}

Test(keys, contiguous_memories_are_nodes)
{
    static const char two[] = "machine={base: tiny, cores: 9, sockets: 2, devices: {count: 2}, home: {placement: range}}",
                      four[] = "machine={base: tiny, cores: 9, sockets: 2, clusters: 3, devices: {count: 2}, home: {placement: range, per: cluster}}",
                      turns[] = "machine={base: tiny, cores: 9, sockets: 2, devices: {count: 2}}";
    expect_chosen(two, "kernel.memory=64MiB", "\n  nodes: 2\n");
    expect_chosen(two, "kernel.memory=16MiB", "\n  nodes: 1\n"); /* a node has at least 16 MiB */
    expect_chosen(two, "kernel={memory: 64MiB, nodes: 1}", "\n  nodes: 1\n");
    expect_chosen(four, "kernel.memory=96MiB", "\n  nodes: 6\n");
    expect_chosen(four, "kernel.memory=64MiB", "\n  nodes: 2\n"); /* not divisible by six, nor by three */
    expect_chosen(turns, "kernel.memory=64MiB", "\n  nodes: 1\n");
}
