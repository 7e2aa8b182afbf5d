/* tests/unit/test_machine_levels.c - sockets, clusters, homes and last levels of every kind, against sums worked out by
 * hand on the machine `tiny`, where a cycle is a nanosecond.
 */
#include "tests/unit/test_machine_rig.h"

TestSuite(levels, .timeout = 300);

static const char chase[] =
    "kind: experiment\n"
    "title: load latency\n"
    "machine: { base: tiny, cores: 2, sockets: 2 }\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: chase, on: core0, program: chase, footprint: 512B, count: 64 }]\n";

static uint64_t load_ps(const char *a, const char *b, const char *c, const char *d)
{
    struct run r = run_text(chase, usual(), a, a ? b : NULL, a && b ? c : NULL, a && b && c ? d : NULL, NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t ps = only_ps(&r, CLASS_LOAD);
    run_free(&r);
    return ps;
}

#define ON(cores) "agents.chase.on=" cores
#define STATE(state) "agents.chase.state=" state
#define FOOTPRINT(bytes) "agents.chase.footprint=" bytes
#define ONE_CORE_EACH "machine.cores=1"

/* Two levels, all wires alike (hop 5):
 *
 *   own cluster's last level   as in one level: l2 6, hop 5, lookup 10, hop 5, fill 1                             27
 *   cache of the same cluster  as in one level: and hop 5, snoop 4                                                36
 *   cache of another cluster   l2 6, hop 5, lookup 10, hop 5, home 8, hop 5, lookup 10, hop 5, snoop 4, hop 5,
 *                              response lookup 8, hop 5, response lookup 8, hop 5, fill 1                         90
 */
Test(levels, loads_are_sums_of_their_parts)
{
    cr_expect_eq(load_ps(FOOTPRINT("16KiB"), NULL, NULL, NULL), 27000);
    cr_expect_eq(load_ps(ON("core0-1"), STATE("modified"), NULL, NULL), 36000, "the same socket");
    cr_expect_eq(load_ps(ONE_CORE_EACH, ON("core0-1"), STATE("modified"), NULL), 90000, "the other socket");
}

static uint64_t sum_ps(const char *a, const char *b, const char *c, const char *d)
{
    struct run r = run_text(chase, usual(), a, b, c, d, NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t ps = stats(&r, CLASS_LOAD)->latency.sum_ps;
    run_free(&r);
    return ps;
}

/* The other socket's core had the lines first, so their homes are there: there and back, two links. */
Test(levels, distance_is_where_home_and_owner_are)
{
#define ABROAD ON("core0-1"), STATE("modified")
    uint64_t near = sum_ps("machine={base: tiny, cores: 1, sockets: 2, home: {placement: first-touch}, net: {topology: groups, link: 10ns}}", ABROAD, NULL),
             far = sum_ps("machine={base: tiny, cores: 1, sockets: 2, home: {placement: first-touch}, net: {topology: groups, link: 110ns}}", ABROAD, NULL);
    cr_expect_eq(far - near, 64 * 200000, "%" PRIu64, far - near);
    /* line by line, half of the homes are here: then the request goes out as a forward, and only the data comes back */
    near = sum_ps("machine={base: tiny, cores: 1, sockets: 2, home: {granule: 64B}, net: {topology: groups, link: 10ns}}", ABROAD, NULL);
    far = sum_ps("machine={base: tiny, cores: 1, sockets: 2, home: {granule: 64B}, net: {topology: groups, link: 110ns}}", ABROAD, NULL);
    cr_expect_eq(far - near, 64 * 200000, "%" PRIu64, far - near);
}

/* A machine of one socket with home agents and one with two levels agree about memory, to the picosecond. */
Test(levels, home_agents_cost_the_same_in_one_level_and_two)
{
    static const char *const flushed = STATE("cold");
    uint64_t flat = sum_ps("machine.sockets=1", "machine.home.agent=true", flushed, NULL),
             two = sum_ps("machine.sockets=1", "machine.levels=two", flushed, NULL),
             plain = sum_ps("machine.sockets=1", flushed, NULL, NULL);
    cr_expect_eq(flat, two, "%" PRIu64 " in one level, %" PRIu64 " in two", flat, two);
    cr_expect_eq(flat - plain, 64 * 26000, "two hops, the home's lookup and the last level's for responses");
}

/* ---- placement */

/* How many of 64 loads paid the way to the other socket and back. */
static uint64_t far_loads(const char *placement, const char *on)
{
    uint64_t near = sum_ps("machine.net={topology: groups, link: 10ns}", STATE("cold"), placement, on),
             far = sum_ps("machine.net={topology: groups, link: 110ns}", STATE("cold"), placement, on);
    cr_expect_eq((far - near) % 200000, 0, "%" PRIu64, far - near);
    return (far - near) / 200000;
}

Test(levels, first_touch_is_near_and_interleaving_is_half_far)
{
    cr_expect_eq(far_loads("machine.home.placement=first-touch", ON("core0")), 0);
    cr_expect_eq(far_loads("machine.home.placement=first-touch", ON("core2")), 0);
    uint64_t a = far_loads("machine.home.placement=range", ON("core0")), b = far_loads("machine.home.placement=range", ON("core2"));
    cr_expect(a + b == 64 && (a == 0 || b == 0), "a contiguous half is near from one socket only: %" PRIu64 ", %" PRIu64, a, b);
    a = far_loads("machine.home={placement: interleave, granule: 64B}", ON("core0"));
    b = far_loads("machine.home={placement: interleave, granule: 64B}", ON("core2"));
    cr_expect(a == 32 && b == 32, "line by line, every other one: %" PRIu64 ", %" PRIu64, a, b);
    a = far_loads("machine.home={placement: interleave, granule: 4KiB}", ON("core0"));
    cr_expect(a == 0 || a == 64, "one page has one home");
}

/* What an allocation pays for a longer link: its list, zone and struct pages are near with a node for each
 * memory, and with one node for all they are where they are. */
static uint64_t far_allocations(const char *on, const char *placement, const char *nodes)
{
    char work[120];
    snprintf(work, sizeof work, "agents=[{name: bulk, on: %s, program: alloc-bulk, gfp: KERNEL, pages: 700, count: 2}]", on);
    static const char *const links[2] = { "machine.net={topology: groups, link: 10ns}", "machine.net={topology: groups, link: 110ns}" };
    uint64_t ps[2];
    for (unsigned i = 0; i < 2; i++) {
        struct run r = run_text(chase, usual(), work, "kernel.memory=64MiB", links[i], placement, nodes, NULL);
        expect_stop(&r, RUN_DONE);
        ps[i] = stats(&r, CLASS_ALLOC_KERNEL)->latency.sum_ps;
        run_free(&r);
    }
    return ps[1] - ps[0];
}

Test(levels, a_node_of_memory_is_a_memory_of_the_machine)
{
    cr_expect_eq(far_allocations("core0", "machine.home.placement=range", NULL), 0);
    cr_expect_eq(far_allocations("core2", "machine.home.placement=range", NULL), 0);
    cr_expect_eq(far_allocations("core2", "machine.home.placement=range", "kernel.nodes=2"), 0);
    cr_expect_gt(far_allocations("core0", "machine.home.placement=range", "kernel.nodes=1"), 0, "the one node's own data are at its top");
    cr_expect_gt(far_allocations("core2", "machine.home.placement=interleave", NULL), 0);
}

/* A core of either socket reads its own socket's memory, one line after another: neither ever waits for the other's. With
 * all in one range they meet in one memory. */
Test(levels, each_socket_has_a_memory_of_its_own)
{
    static const char *const two = "agents=[{name: a, on: core0, program: chase, footprint: 64KiB, state: cold, count: 64}, "
                                   "{name: b, on: core2, program: chase, footprint: 64KiB, state: cold, count: 64}]";
    struct run own = run_text(chase, usual(), "machine.home.placement=first-touch", two, NULL);
    struct run one = run_text(chase, usual(), "machine.home.placement=range", two, NULL);
    cr_expect_eq(counter(&own, "dram.wait_ps"), 0, "%" PRIu64, counter(&own, "dram.wait_ps"));
    cr_expect_gt(counter(&one, "dram.wait_ps"), 0);
    cr_expect_eq(counter(&own, "dram.reads_count"), counter(&one, "dram.reads_count"));
    run_free(&own);
    run_free(&one);
}

/* ---- last levels and directories of one level */

static const char sharing[] =
    "kind: experiment\n"
    "title: lines that four cores read\n"
    "machine: { base: tiny, cores: 4 }\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: chase, on: core0-, program: chase, footprint: 512B, state: read, count: 64 }]\n";

Test(levels, recalls_are_counted_by_cause)
{
    struct run full = run_text(sharing, usual(), NULL);
    cr_expect_eq(counter(&full, "home.recalls_count"), 0);
    run_free(&full);
    struct run few = run_text(sharing, usual(), "machine.directory.pointers=2", NULL);
    cr_expect_gt(counter(&few, "home.recalls_pointers_count"), 0);
    cr_expect_eq(counter(&few, "home.recalls_count"), counter(&few, "home.recalls_pointers_count"));
    cr_expect_eq(counter(&few, "home.broadcasts_count"), 0);
    run_free(&few);
    struct run broadcast = run_text(sharing, usual(), "machine.directory={pointers: 2, overflow: broadcast}", NULL);
    cr_expect_eq(counter(&broadcast, "home.recalls_count"), 0);
    cr_expect_gt(counter(&broadcast, "home.broadcasts_count"), 0);
    run_free(&broadcast);
    struct run forgets = run_text(sharing, usual(), "machine.directory={lines: 4, ways: 1}", "machine.llc={inclusion: non-inclusive, slices: 1}", NULL);
    cr_expect_gt(counter(&forgets, "home.recalls_directory_count"), 0);
    cr_expect_eq(counter(&forgets, "home.recalls_count"), counter(&forgets, "home.recalls_directory_count"));
    run_free(&forgets);
    struct run small = run_text(sharing, usual(), "machine.llc={size: 4KiB, ways: 1, slices: 1}", "agents.chase.footprint=8KiB", NULL);
    cr_expect_gt(counter(&small, "home.recalls_last_level_count"), 0);
    cr_expect_eq(counter(&small, "home.recalls_count"), counter(&small, "home.recalls_last_level_count"));
    run_free(&small);
}

/* 12 KiB in turn: private caches hold 4, an 8 KiB last level the rest - if it does not hold the same lines again. */
Test(levels, a_victim_level_adds_to_the_private_caches)
{
    static const char *const small = "machine.llc={size: 8KiB, ways: 8, slices: 2, inclusion: inclusive}";
    static const char *const victim = "machine.llc={size: 8KiB, ways: 8, slices: 2, inclusion: victim}";
    static const char *const loose = "machine.llc={size: 8KiB, ways: 8, slices: 2, inclusion: non-inclusive}";
    struct run a = run_text(chase, usual(), "machine.sockets=1", small, FOOTPRINT("10KiB"), NULL),
               b = run_text(chase, usual(), "machine.sockets=1", victim, FOOTPRINT("10KiB"), NULL),
               c = run_text(chase, usual(), "machine.sockets=1", loose, FOOTPRINT("10KiB"), NULL);
    cr_expect(stats(&b, CLASS_LOAD)->latency.sum_ps < stats(&a, CLASS_LOAD)->latency.sum_ps, "%" PRIu64 " against %" PRIu64,
              stats(&b, CLASS_LOAD)->latency.sum_ps, stats(&a, CLASS_LOAD)->latency.sum_ps);
    cr_expect_eq(counter(&b, "home.recalls_count"), 0);
    cr_expect_eq(counter(&c, "home.recalls_count"), 0);
    cr_expect_gt(counter(&a, "home.recalls_count"), 0, "an inclusive one takes lines from the private caches");
    run_free(&a);
    run_free(&b);
    run_free(&c);
}

/* Demotions and recalls between clusters: readers elsewhere demote an owner, writers elsewhere take everything. */
Test(levels, what_others_do_to_a_cluster)
{
    struct run reads = run_text(chase, usual(), ONE_CORE_EACH, ON("core0-1"), STATE("modified"), NULL);
    cr_expect_geq(counter(&reads, "cluster.demotions_count"), 64);
    cr_expect_geq(counter(&reads, "cluster.recalls_for_others_count"), 56, "the holder takes the lines back to modify them again");
    cr_expect_eq(counter(&reads, "cluster.recalls_for_room_count"), 0);
    run_free(&reads);
}

Test(levels, a_protocol_without_rows_for_it_is_refused)
{
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct experiment_doc doc;
    const char *sets[] = { "protocol=bus-mesi", "machine.sockets=2" };
    cr_assert(experiment_load(arena, diag, "first-steps", sets, 2, &doc));
    struct run_options options = usual();
    cr_expect_null(machine_new(&doc, &options, diag));
    cr_expect_gt(diag_count(diag), 0);
    diag_free(diag);
    arena_free(arena);
}
