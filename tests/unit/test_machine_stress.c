/* tests/unit/test_machine_stress.c - random operations of all kinds over few lines, on machines of all shapes, with every
 * value, copy, grant and frame judged. Seeds are printed; a failing one is repeated with `labyrinth run --seed`.
 */
#include "tests/unit/test_machine_rig.h"

TestSuite(stress, .timeout = 600);

enum { SHAPE_SETS = 6, SEEDS = 2 };

struct shape {
    const char *name;
    const char *sets[SHAPE_SETS];   /* up to a NULL */
};

#define SMALL_CACHES "machine.l1={size: 128B, ways: 2, hit: 2cycles}", "machine.l2={size: 512B, ways: 2, hit: 5cycles, mshrs: 4, write_backs: 4, snoop: 4cycles, snoop_occupancy: 1cycles}"
#define SMALL_LLC "machine.llc={size: 1KiB, ways: 2, slices: 2, lookup: 9cycles, occupancy: 2cycles, response_occupancy: 1cycles}"

static const struct shape shapes[] = {
    { "as it is", { NULL } },
    { "small caches", { SMALL_CACHES, NULL } },
    { "small caches, last level that recalls", { SMALL_CACHES, SMALL_LLC, NULL } },
    { "one MSHR, one write-back entry", { "machine.l2.mshrs=1", "machine.l2.write_backs=1", NULL } },
    { "many MSHRs, one write-back entry", { SMALL_CACHES, "machine.l2.mshrs=16", "machine.l2.write_backs=1", NULL } },
    { "no store buffer", { "machine.hart.store_buffer=0", NULL } },
    { "one store-buffer entry", { SMALL_CACHES, "machine.hart.store_buffer=1", NULL } },
    { "deep store buffer, one combining buffer", { "machine.hart.store_buffer=64", "machine.hart.wc_buffers=1", NULL } },
    { "jitter", { "machine.net_jitter=40ns", NULL } },
    { "jitter, small everything", { "machine.net_jitter=90ns", SMALL_CACHES, SMALL_LLC, NULL } },
    { "mesh", { "machine.net={topology: mesh, columns: 3, rows: 3, hop: 2cycles, inject: 1cycles, control_occupancy: 1cycles, data_occupancy: 3cycles}", NULL } },
    { "narrow mesh, small everything", { "machine.net={topology: mesh, columns: 8, rows: 1, hop: 3cycles, inject: 1cycles, control_occupancy: 2cycles, data_occupancy: 9cycles, slots: 1}", SMALL_CACHES, SMALL_LLC, NULL } },
    { "ring", { "machine.net={topology: ring, hop: 2cycles, inject: 1cycles, control_occupancy: 1cycles, data_occupancy: 3cycles}", NULL } },
    { "ring with one slot, small everything", { "machine.net={topology: ring, hop: 3cycles, inject: 1cycles, control_occupancy: 2cycles, data_occupancy: 9cycles, slots: 1}", SMALL_CACHES, SMALL_LLC, NULL } },
    { "packages with hubs", { "machine.net={topology: groups, groups: 4, package: 2, links: star, hop: 2cycles, link: 20cycles, near_link: 9cycles, slots: 2}", NULL } },
    { "groups in a circle with one slot, small everything", { "machine.net={topology: groups, groups: 6, links: ring, hop: 2cycles, link: 7cycles, link_control_occupancy: 3cycles, link_data_occupancy: 9cycles, slots: 1}", SMALL_CACHES, SMALL_LLC, NULL } },
    { "bus", { "machine.net={topology: bus, hop: 3cycles, inject: 1cycles, control_occupancy: 1cycles, data_occupancy: 3cycles}", NULL } },
    { "bus with one slot, small everything", { "machine.net={topology: bus, hop: 3cycles, inject: 1cycles, control_occupancy: 2cycles, data_occupancy: 9cycles, slots: 1}", SMALL_CACHES, SMALL_LLC, NULL } },
    { "crossbar with one slot", { "machine.net.slots=1", "machine.net.data_occupancy=12cycles", SMALL_CACHES, NULL } },
    { "one slow home", { "machine.llc={size: 32KiB, ways: 8, slices: 1, lookup: 30cycles, occupancy: 9cycles, response_occupancy: 9cycles}", NULL } },
    { "two sockets", { "machine.sockets=2", NULL } },
    { "two sockets of two clusters, small everything", { "machine={base: mean, cores: 4, sockets: 2, clusters: 2, devices: {count: 2}}", NULL } },
    { "sockets in a circle, first touch, jitter", { "machine={base: tiny, cores: 2, sockets: 5, devices: {count: 2}, home: {placement: first-touch}, net: {topology: groups, links: ring}, net_jitter: 60ns}", SMALL_CACHES, NULL } },
    { "clusters with memories and a directory that forgets", { "machine={base: mean, cores: 8, clusters: 4, devices: {count: 2}, home: {per: cluster, count: 2}, directory: {lines: 8, ways: 2}}", NULL } },
    { "dies with their own homes, one level", { "machine={base: tiny, cores: 6, clusters: 2, devices: {count: 2}, levels: one, home: {granule: 64B}, net: {topology: groups}}", SMALL_CACHES, NULL } },
    { "non-inclusive, directory that forgets", { "machine.llc={inclusion: non-inclusive, size: 2KiB, ways: 2, slices: 2}", "machine.directory={lines: 8, ways: 2}", SMALL_CACHES, NULL } },
    { "victim, small everything", { "machine.llc={inclusion: victim, size: 1KiB, ways: 2, slices: 2}", "machine.directory={lines: 32, ways: 2}", SMALL_CACHES, "machine.net_jitter=40ns", NULL } },
    { "one pointer, recall", { "machine.directory={pointers: 1}", SMALL_CACHES, NULL } },
    { "two pointers, broadcast", { "machine.directory={pointers: 2, overflow: broadcast}", SMALL_CACHES, "machine.net_jitter=40ns", NULL } },
    { "clusters, one pointer, broadcast", { "machine={base: tiny, cores: 8, clusters: 4, devices: {count: 2}, directory: {pointers: 1, overflow: broadcast}}", SMALL_CACHES, SMALL_LLC, NULL } },
    { "the meanest machine", { "machine={base: mean, cores: 6, devices: {count: 2}}", NULL } },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct run run_shape(const char *text, const struct shape *shape, unsigned seed)
{
    char path[] = "./labyrinth-stress-XXXXXX.yaml", seed_set[20];
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no temporary file");
    close(fd);
    const char *sets[SHAPE_SETS + 1];
    size_t n = 0;
    while (shape->sets[n]) {
        sets[n] = shape->sets[n];
        n++;
    }
    snprintf(seed_set, sizeof seed_set, "seed=%u", seed);
    sets[n++] = seed_set;
    struct run_options options = usual();
    options.shuffle_seed = seed % 3; /* 0: off */
    struct run r = run_list(path, options, sets, n);
    unlink(path);
    return r;
}

static uint64_t storm(const char *text, const char *what)
{
    uint64_t operations = 0;
    for (unsigned i = 0; i < SHAPES; i++) {
        for (unsigned seed = 1 + i * SEEDS; seed < 1 + (i + 1) * SEEDS; seed++) {
            struct run r = run_shape(text, &shapes[i], seed);
            cr_expect_eq(r.result->stop, RUN_DONE, "%s, %s, seed %u: %s\n%s", what, shapes[i].name, seed,
                         run_stop_name(r.result->stop), r.result->stop_text);
            cr_expect_eq(r.result->phase_sum_mismatch_count, 0, "%s, %s, seed %u: sums", what, shapes[i].name, seed);
            operations += r.result->events;
            run_free(&r);
        }
    }
    printf("%s: %u shapes, seeds 1 to %u, %" PRIu64 " operations\n", what, SHAPES, SHAPES * SEEDS, operations);
    return operations;
}

#define EVERYTHING "loads: \"35%\", atomics: \"12%\", flushes: \"6%\", fences: \"5%\", string_stores: \"8%\", nt_stores: \"6%\", prefetches: \"6%\""

/* Harts share lines, and the bytes in them. */
Test(stress, shared_lines)
{
    uint64_t operations = storm("kind: experiment\n"
                                "title: shared lines\n"
                                "machine: { base: tiny, cores: 4 }\n"
                                "kernel: { memory: 16MiB }\n"
                                "agents: [{ name: mix, on: all, program: random-mix, lines: 24, count: 1200, " EVERYTHING " }]\n",
                                "shared lines");
    cr_expect(operations > 100000);
}

/* Lines of its own, each value compared with what the hart wrote; evictions and refetches do the mixing. */
Test(stress, private_lines)
{
    storm("kind: experiment\n"
          "title: private lines\n"
          "machine: { base: tiny, cores: 4 }\n"
          "kernel: { memory: 16MiB }\n"
          "agents: [{ name: mix, on: all, program: random-mix, lines: 90, private: true, check: true, count: 600, " EVERYTHING " }]\n",
          "private lines");
}

/* Grants, shootdowns, interrupts, allocation on all orders, DMA allowed and refused, at once. */
Test(stress, everything_at_once)
{
    storm("kind: experiment\n"
          "title: everything at once\n"
          "machine: { base: tiny, cores: 6, devices: { count: 2 } }\n"
          "kernel: { memory: 16MiB, allocator: { pcp_high: 8, pcp_batch: 4 } }\n"
          "checks: { watchdog: 10ms }\n"
          "agents:\n"
          "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, hold: 3us, count: 6 }\n"
          "  - { name: readers, on: core1, program: touch-pages, share: read }\n"
          "  - { name: writers, on: core2, program: touch-pages, share: write }\n"
          "  - { name: random, on: core3, program: alloc-random-free, order_max: 4, live: 24, count: 150 }\n"
          "  - { name: mix, on: core4, program: random-mix, lines: 24, count: 500, " EVERYTHING " }\n"
          "  - { name: timer, on: core5, program: irq-source, to: random, interval: 2us, handler: alloc, handler_cycles: 50cycles }\n"
          "  - { name: foreign, on: device0, program: dma-foreign }\n"
          "  - { name: stream, on: device1, program: dma-stream, bytes: 192B, pages: 2, gap: 200ns }\n",
          "everything at once");
}

/* Locks of all three kinds protect a counter on every shape. */
Test(stress, locks)
{
    static const char *const kinds[] = { "tas", "ticket", "queued" };
    for (unsigned i = 0; i < 3; i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "kind: experiment\n"
                 "title: locks\n"
                 "machine: { base: tiny, cores: 4 }\n"
                 "kernel: { memory: 16MiB, locks: %s }\n"
                 "agents: [{ name: lock, on: all, program: spin-lock, critical_cycles: 5cycles, outside_cycles: 7cycles, count: 40 }]\n",
                 kinds[i]);
        storm(text, kinds[i]);
    }
}

/* All shapes together leave no line in a busy state, no message lost: components_check runs at each end. Rows: the
 * explorer uses every one; timed runs must reach most, or the shapes above are too tame. */
Test(stress, most_rows_are_reached)
{
    struct run r = run_text("kind: experiment\n"
                            "title: rows\n"
                            "machine: { base: tiny, cores: 2, sockets: 2, net_jitter: 90ns }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents:\n"
                            "  - { name: mix, on: core0-, program: random-mix, lines: 40, count: 6000, " EVERYTHING " }\n"
                            "  - { name: stream, on: device0, program: dma-stream, bytes: 192B, pages: 1 }\n",
                            usual(), shapes[2].sets[0], shapes[2].sets[1], shapes[2].sets[2], NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t used = counter(&r, "protocol.rows_used_count"), rows = counter(&r, "protocol.rows_count");
    printf("rows: %" PRIu64 " of %" PRIu64 "\n", used, rows);
    cr_expect(used * 2 > rows, "%" PRIu64 " of %" PRIu64 " rows", used, rows);
    run_free(&r);
}
