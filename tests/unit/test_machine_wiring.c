/* tests/unit/test_machine_wiring.c - what the machine wires, counts and shows: counters against numbers worked out by hand,
 * devices, the view that the oracle gets, and how a run ends.
 */
#include "tests/unit/test_machine_rig.h"

#include "src/machine/private.h"

TestSuite(wiring, .timeout = 120);

static void expect_counter(const struct run *r, const char *name, uint64_t wanted)
{
    cr_expect_eq(counter(r, name), wanted, "%s is %" PRIu64 ", not %" PRIu64, name, counter(r, name), wanted);
}

/* ---- counters. A chase loads its footprint once, unrecorded, then 64 words more. */

static struct run chase(const char *footprint)
{
    char set[60];
    snprintf(set, sizeof set, "agents.chase.footprint=%s", footprint);
    struct run r = run_text("kind: experiment\n"
                            "title: a chase\n"
                            "machine: tiny\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: chase, on: core0, program: chase, count: 64 }]\n",
                            usual(), set, NULL);
    expect_stop(&r, RUN_DONE);
    return r;
}

Test(wiring, counters_of_loads_by_level)
{
    static const struct { const char *footprint; uint64_t lines, l1, l2, llc; } cases[] = {
        { "512B", 8, 64, 0, 0 }, { "2KiB", 32, 0, 64, 0 }, { "16KiB", 256, 0, 0, 64 } };
    for (unsigned i = 0; i < 3; i++) {
        struct run r = chase(cases[i].footprint);
        uint64_t lines = cases[i].lines, misses = lines + cases[i].llc, put = lines > 64 ? misses - 64 : 0;
        expect_counter(&r, "hart.loads_count", lines + 64);
        expect_counter(&r, "hart.stores_count", 0);
        expect_counter(&r, "cache.l1_hits_count", cases[i].l1);
        expect_counter(&r, "cache.l2_hits_count", cases[i].l2);
        expect_counter(&r, "cache.misses_count", misses);
        expect_counter(&r, "home.misses_count", lines);
        expect_counter(&r, "home.data_sent_count", misses);
        expect_counter(&r, "home.hits_count", counter(&r, "home.requests_count") - lines);
        expect_counter(&r, "dram.reads_count", lines);
        expect_counter(&r, "dram.writes_count", 0);
        expect_counter(&r, "dram.row_hits_count",
                       lines - counter(&r, "dram.row_empties_count") - counter(&r, "dram.row_conflicts_count"));
        expect_counter(&r, "net.sent_GETS_count", misses);
        expect_counter(&r, "cache.evictions_silent_count", 0);
        expect_counter(&r, "cache.evictions_announced_count", put); /* exclusive, though clean; 64 lines stay */
        run_free(&r);
    }
}

/* Three harts read what none of them wrote: shared lines are given up without a word. */
Test(wiring, counters_of_silent_evictions)
{
    struct run r = run_text("kind: experiment\n"
                            "title: shared\n"
                            "machine: tiny\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: mix, on: core0-2, program: random-mix, lines: 256, loads: \"100%\", count: 2000 }]\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t silent = counter(&r, "cache.evictions_silent_count"), announced = counter(&r, "cache.evictions_announced_count");
    cr_expect_gt(silent, announced, "%" PRIu64 " silent, %" PRIu64 " announced", silent, announced);
    expect_counter(&r, "home.writebacks_count", 0);
    expect_counter(&r, "home.recalls_count", 0);
    run_free(&r);
}

/* 22 pages, two readers: one walk and 63 hits each; the last line to come of every page has a name. */
Test(wiring, counters_of_a_grant)
{
    struct run r = run_named("first-steps", usual(), NULL);
    uint64_t stragglers = 0;
    for (unsigned line = 0; line < LINES_PER_PAGE; line++) {
        char name[50];
        snprintf(name, sizeof name, "page_own.straggler_line_%02u_count", line);
        stragglers += counter(&r, name);
    }
    expect_counter(&r, "tlb.misses_count", 2 * 22);
    expect_counter(&r, "tlb.hits_count", 2 * 22 * 63);
    expect_counter(&r, "page_own.lines_acquired_count", 22 * 64);
    expect_counter(&r, "home.invalidations_sent_count", counter(&r, "cache.invalidations_received_count"));
    expect_counter(&r, "home.forwards_sent_count", counter(&r, "cache.forwards_received_count"));
    expect_counter(&r, "hart.interrupts_count", 2 * 22);
    expect_counter(&r, "hart.ipis_count", 2 * 22);
    expect_counter(&r, "oracle.grants_judged_count", 22);
    expect_counter(&r, "oracle.lines_relost_count", 0);
    expect_counter(&r, "oracle.lines_evicted_count", 22 * 64 - counter(&r, "oracle.lines_kept_count"));
    cr_expect_eq(stragglers, stats(&r, CLASS_PAGE_OWN)->latency.count);
    run_free(&r);
}

/* Harts of one counter each are added up: two owners. */
Test(wiring, stragglers_of_all_owners_are_added)
{
    struct run r = run_named("first-steps", usual(), "agents.owner.on=core0-1", "agents.readers.on=core2-3", NULL);
    uint64_t stragglers = 0;
    for (size_t i = 0; i < r.result->counter_count; i++)
        if (strncmp(r.result->counters[i].name, "page_own.straggler_line_", 24) == 0)
            stragglers += r.result->counters[i].value;
    cr_expect_eq(stragglers, 40);
    cr_expect_eq(stats(&r, CLASS_PAGE_OWN)->latency.count, 40);
    run_free(&r);
}

/* Stores that wait in the buffer are read from it, and written back when others push them out. */
Test(wiring, counters_of_stores)
{
    struct run r = run_text("kind: experiment\n"
                            "title: stores\n"
                            "machine: { base: tiny, cores: 1, llc: { size: 8KiB } }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: mix, on: core0, program: random-mix, lines: 512, loads: \"20%\", atomics: \"10%\", fences: \"5%\", count: 2000 }]\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    const uint64_t loads = counter(&r, "hart.loads_count"), stores = counter(&r, "hart.stores_count");
    const uint64_t atomics = counter(&r, "hart.atomics_count"), fences = counter(&r, "hart.fences_count");
    cr_expect_eq(loads + stores + atomics + fences, 2000 + 1, "every operation once, and the fence at the end");
    cr_expect_eq(stats(&r, CLASS_LOAD)->latency.count, loads);
    cr_expect_eq(stats(&r, CLASS_STORE)->latency.count, stores);
    cr_expect_eq(stats(&r, CLASS_ATOMIC)->latency.count, atomics);
    cr_expect(counter(&r, "hart.forwarded_loads_count") < loads / 10, "some stores are read from the buffer, few");
    cr_expect_gt(counter(&r, "home.recalls_count"), 0);
    expect_counter(&r, "home.writebacks_count", counter(&r, "dram.writes_count"));
    cr_expect_neq(counter(&r, "home.writebacks_count"), counter(&r, "home.recalls_count"));
    run_free(&r);
}

/* Two writers, in turn, then the owner's own store to every line: 5 rounds. */
Test(wiring, every_writer_of_a_page_writes_once)
{
    struct run r = run_text("kind: experiment\n"
                            "title: writers\n"
                            "machine: { base: tiny, cores: 3 }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: page, on: all, program: page-invalidate, share: write, count: 5 }]\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    expect_counter(&r, "hart.stores_count", 5 * (2 + 1) * LINES_PER_PAGE);
    run_free(&r);
}

Test(wiring, rows_used_are_counted_for_both_controllers)
{
    struct run r = chase("16KiB");
    unsigned cache = 0, home = 0;
    for (unsigned s = 0; s < STATES_MAX; s++) {
        for (unsigned e = 0; e < CACHE_EVENT_COUNT; e++)
            cache += r.machine->row_counts.cache[s][e] > 0;
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++)
            home += r.machine->row_counts.home[s][e] > 0;
    }
    cr_expect(cache >= 4 && home >= 3);
    expect_counter(&r, "protocol.rows_used_count", cache + home);
    run_free(&r);
}

/* ---- devices: each with its own counters, source id and name; all reach the pages that programs map */

static const char streams[] =
    "kind: experiment\n"
    "title: two devices\n"
    "machine: { base: tiny, cores: 2, devices: { count: 2 } }\n"
    "kernel: { memory: 16MiB }\n"
    "agents:\n"
    "  - { name: first, on: device0, program: dma-stream, bytes: 192B, pages: 2, count: 20 }\n"
    "  - { name: second, on: device1, program: dma-stream, bytes: 128B, pages: 2, count: 31 }\n";

Test(wiring, every_device_reaches_its_pages)
{
    static const char *const levels[] = { "machine.iommu.levels=3", "machine.iommu.levels=4", "machine.iommu.levels=5" };
    for (unsigned i = 0; i < 3; i++) {
        struct run r = run_text(streams, usual(), levels[i], NULL);
        expect_stop(&r, RUN_DONE);
        expect_counter(&r, "device0.write_bytes", 20 * 192);
        expect_counter(&r, "device1.write_bytes", 31 * 128);
        expect_counter(&r, "device0.refused_count", 0);
        expect_counter(&r, "device1.refused_count", 0);
        expect_counter(&r, "iommu.fault_count", 0);
        expect_counter(&r, "iommu.context_miss_count", 2); /* one context entry for each source id */
        run_free(&r);
    }
}

/* Ports of devices have MSHRs of their own number, not of the cores'. */
Test(wiring, cores_and_devices_have_their_own_mshrs)
{
    struct run a = run_text(streams, usual(), "machine.l2.mshrs=1", NULL), b = run_text(streams, usual(), "machine.l2.mshrs=8", NULL);
    cr_expect_eq(a.result->order_hash, b.result->order_hash);
    run_free(&a);
    run_free(&b);
}

/* The observer hears of each piece which device it is: here by the length of its transfers. */
static unsigned heard[2];
static void hear_dma(void *self, unsigned device, iova at, paddr where, unsigned bytes, bool write, unsigned fault, tick now)
{
    (void)self, (void)at, (void)where, (void)write, (void)fault, (void)now;
    cr_assert_lt(device, 2);
    heard[device] += bytes;
}

Test(wiring, the_observer_hears_which_device_it_is)
{
    char path[] = "./labyrinth-wiring-XXXXXX.yaml";
    struct run r = { .arena = arena_new(), .diag = diag_new() };
    struct run_options options = usual();
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, streams, strlen(streams)) == (ssize_t)strlen(streams), "no temporary file");
    close(fd);
    cr_assert(experiment_load(r.arena, r.diag, path, NULL, 0, &r.doc) && (r.machine = machine_new(&r.doc, &options, r.diag)));
    unlink(path);
    r.machine->observer.dma = hear_dma;
    machine_run(r.machine);
    cr_expect(heard[0] == 20 * 192 && heard[1] == 31 * 128, "%u and %u bytes", heard[0], heard[1]);
    run_free(&r);
}

Test(wiring, a_violation_names_the_device)
{
    struct run r = run_text("kind: experiment\n"
                            "title: a broken promise\n"
                            "machine: { base: tiny, cores: 3, devices: { count: 3 } }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents:\n"
                            "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: lock, hold: 5us, count: 3 }\n"
                            "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
                            "  - { name: attacker, on: device1, program: dma-foreign, honours_lock: true }\n",
                            usual(), NULL);
    expect_stop(&r, RUN_VIOLATION);
    cr_assert_geq(r.result->violation_count, 1);
    cr_expect_str_eq(r.result->violations[0].kind, "lock");
    cr_expect_str_eq(r.result->violations[0].agent, "device1");
    run_free(&r);
}

Test(wiring, agents_have_their_names)
{
    struct run r = run_text(streams, usual(), NULL);
    static const char *const names[] = { "core0", "core1", "device0", "device1", "iommu", "home0", "home1", "nobody" };
    for (unsigned i = 0; i < 8; i++)
        cr_expect_str_eq(machine_agent_name(r.machine, i), names[i]);
    run_free(&r);
}

/* Owner and sharers beyond hart 63: shootdown requests go through the right word of the queues. */
Test(wiring, shootdowns_of_harts_beyond_64)
{
    struct run r = run_text("kind: experiment\n"
                            "title: many harts\n"
                            "machine: { base: tiny, cores: 140 }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents:\n"
                            "  - { name: owner, on: core130, program: exclusive-alloc, exclusive: device, count: 3 }\n"
                            "  - { name: readers, on: core60-66, program: touch-pages, share: read }\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    expect_counter(&r, "hart.ipis_count", 3 * 7);
    run_free(&r);
}

/* ---- seeds */

static const char jitter[] =
    "kind: experiment\n"
    "title: jitter\n"
    "machine: { base: tiny, cores: 2, net_jitter: 20ns }\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: ball, on: core0-1, program: ping-pong, count: 50 }]\n";

Test(wiring, the_seed_reaches_the_jitter)
{
    struct run a = run_text(jitter, usual(), "seed=1", NULL), b = run_text(jitter, usual(), "seed=2", NULL);
    cr_expect_neq(a.result->order_hash, b.result->order_hash);
    run_free(&a);
    run_free(&b);
}

Test(wiring, members_draw_from_streams_of_their_own)
{
    struct run r = run_text("kind: experiment\n"
                            "title: draws\n"
                            "machine: { base: tiny, cores: 2 }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents: [{ name: mix, on: all, program: random-mix, private: true, lines: 16, count: 1 }]\n",
                            usual(), NULL);
    struct agent *a = r.machine->work.agents;
    cr_expect_neq(rng_next(&a[0].rng), rng_next(&a[1].rng));
    run_free(&r);
}

/* Host settings change no result, so that nothing else would notice if they were not heard. */
Test(wiring, host_settings_are_heard)
{
    struct run_options o = usual();
    cr_expect(o.queue == QUEUE_WHEEL && o.lookahead);
    setenv("LABYRINTH_QUEUE", "heap", 1);
    setenv("LABYRINTH_FIBER", "ucontext", 1);
    setenv("LABYRINTH_LOOKAHEAD", "off", 1);
    o = run_options_default();
    cr_expect(o.queue == QUEUE_HEAP && o.fibers == FIBER_UCONTEXT && !o.lookahead);
    struct run slow = run_named("first-steps", o, NULL), fast = run_named("first-steps", usual(), NULL);
    cr_expect_gt(slow.result->host.engine_events, fast.result->host.engine_events, "without lookahead more is queued");
    run_free(&slow);
    run_free(&fast);
}

/* ---- two entries on one core, at either end of a range */
static bool builds(const char *text)
{
    char path[] = "./labyrinth-wiring-XXXXXX.yaml";
    struct run r = { .arena = arena_new(), .diag = diag_new() };
    struct run_options options = usual();
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no temporary file");
    close(fd);
    bool good = experiment_load(r.arena, r.diag, path, NULL, 0, &r.doc) && (r.machine = machine_new(&r.doc, &options, r.diag));
    unlink(path);
    run_free(&r);
    return good;
}

Test(wiring, ranges_that_touch_are_refused)
{
    static const char *const places[][2] = { { "core1", "core0-1" }, { "core0", "core0-1" }, { "core0-1", "core1" }, { "core0-1", "core0" }, { "core0", "core1" } };
    for (unsigned i = 0; i < 5; i++) {
        char text[400];
        snprintf(text, sizeof text,
                 "kind: experiment\ntitle: t\nmachine: tiny\nkernel: { memory: 16MiB }\n"
                 "agents: [{ name: a, on: %s, program: compute, count: 1 }, { name: b, on: %s, program: compute, count: 1 }]\n",
                 places[i][0], places[i][1]);
        cr_expect_eq(builds(text), i == 4, "%s and %s", places[i][0], places[i][1]);
    }
}

Test(wiring, a_device_beyond_the_last_is_refused)
{
    char text[300];
    for (unsigned device = 0; device < 3; device++) {
        snprintf(text, sizeof text,
                 "kind: experiment\ntitle: t\nmachine: { base: tiny, devices: { count: 2 } }\nkernel: { memory: 16MiB }\n"
                 "agents: [{ name: a, on: device%u, program: dma-stream, count: 1 }]\n", device);
        cr_expect_eq(builds(text), device < 2, "device%u of 2", device);
    }
}

/* ---- ends of runs */

static const char computing[] =
    "kind: experiment\n"
    "title: computing\n"
    "machine: { base: tiny, cores: 1 }\n"
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: slow, on: core0, program: compute, cycles: 6000cycles, count: 7 }]\n";

Test(wiring, a_run_ends_at_its_limit)
{
    struct run r = run_text(computing, usual(), "limit=20us", NULL);
    expect_stop(&r, RUN_LIMIT);
    cr_expect_eq(r.result->time_ps, 20 * (tick)PS_PER_US);
    run_free(&r);
}

/* One load in each period of the watchdog is progress: each waits 3 us for a closed row. None is not. */
Test(wiring, slow_progress_is_progress)
{
    static const char slow[] =
        "kind: experiment\n"
        "title: slow memory\n"
        "machine: { base: tiny, cores: 1, dram: { banks_per_channel: 1, t_rp: 1us, t_rcd: 1us, t_cas: 1us, page_policy: closed } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: core0, program: chase, state: cold, footprint: 64KiB, count: 20 }]\n";
    struct run r = run_text(slow, usual(), "checks={watchdog: 3500ns}", NULL);
    expect_stop(&r, RUN_DONE);
    run_free(&r);
    r = run_text(slow, usual(), "checks={watchdog: 1us}", NULL);
    expect_stop(&r, RUN_STUCK);
    run_free(&r);
}

/* A request whose parts do not add up ends the run as a violation, wherever it came from. */
Test(wiring, a_sum_that_does_not_add_up_is_a_violation)
{
    struct run r = { .arena = arena_new(), .diag = diag_new() };
    struct run_options options = usual();
    cr_assert(experiment_load(r.arena, r.diag, "first-steps", NULL, 0, &r.doc));
    r.machine = machine_new(&r.doc, &options, r.diag);
    cr_assert_not_null(r.machine);
    uint64_t ps[PART_COUNT] = { [PART_L1] = 99 };
    account_record(r.machine->account, CLASS_LOAD, SOURCE_L1, 100, ps);
    machine_run(r.machine);
    r.result = machine_result(r.machine);
    expect_stop(&r, RUN_VIOLATION);
    cr_expect_eq(r.result->phase_sum_mismatch_count, 1);
    cr_assert_eq(r.result->violation_count, 1);
    cr_expect_str_eq(r.result->violations[0].kind, "accounting");
    run_free(&r);
}

/* The counter that other tests expect to be 0 counts when there is something to count. */
Test(wiring, a_grant_of_another_page_is_counted)
{
    struct run r = run_text("kind: experiment\n"
                            "title: other pages\n"
                            "machine: { base: tiny, cores: 3 }\n"
                            "kernel: { memory: 16MiB, allocator: { pcp_high: 1, pcp_batch: 1 } }\n"
                            "agents:\n"
                            "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: none, count: 20 }\n"
                            "  - { name: others, on: core1-2, program: alloc-random-free, live: 8 }\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_gt(counter(&r, "exclusive_alloc.other_page"), 0);
    run_free(&r);
}

/* The note about failed allocations is about the first: order 10 is used up before order 0. */
Test(wiring, the_first_failed_allocation_is_told)
{
    struct run r = run_text("kind: experiment\n"
                            "title: used up\n"
                            "machine: { base: tiny, cores: 2 }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents:\n"
                            "  - { name: large, on: core0, program: alloc-bulk, order: 10, pages: 9, count: 1 }\n"
                            "  - { name: small, on: core1, program: alloc-bulk, pages: 4000, count: 1 }\n",
                            usual(), NULL);
    cr_expect_geq(counter(&r, "alloc.failed_count"), 2);
    cr_expect_not_null(r.machine->first_failure);
    cr_expect(strstr(r.machine->first_failure, "on core0") && strstr(r.machine->first_failure, "order 10,"), "%s", r.machine->first_failure);
    run_free(&r);
}

/* ---- the view that the oracle gets. After the run of an owner that revokes nothing every translation is still there. */

struct view { unsigned by_hart[4], others, iotlb, readonly, user, device, pieces[2], other_pieces, port_copies, data_messages; frame f; };

static void saw_tlb(void *arg, unsigned hart, uint16_t asid, vaddr page, frame f, bool writable)
{
    struct view *v = arg;
    (void)page, (void)f, (void)writable;
    if (hart < 4 && asid == 1)
        v->by_hart[hart]++;
    else
        v->others++;
}
static void saw_iotlb(void *arg, const char *where, uint16_t domain, iova page, frame f, bool writable)
{
    struct view *v = arg;
    (void)where, (void)page;
    v->iotlb += domain == WORK_DOMAIN;
    v->readonly += !writable;
    v->f = f;
}
static void saw_user(void *arg, uint16_t asid, vaddr va) { (void)va; ((struct view *)arg)->user += asid == 1; }
static void saw_device(void *arg, uint16_t domain, iova a) { (void)a; ((struct view *)arg)->device += domain == WORK_DOMAIN; }
static void saw_piece(void *arg, unsigned device, frame f, bool write)
{
    struct view *v = arg;
    v->f = f;
    if (device < 2 && write)
        v->pieces[device]++;
    else
        v->other_pieces++;
}
/* Agents 2 and 3 of `streams` are the ports of the devices. */
static void saw_copy(void *arg, unsigned agent, bool readable, bool writable, uint32_t version, const char *state)
{
    (void)readable, (void)writable, (void)version, (void)state;
    ((struct view *)arg)->port_copies += agent == 2 || agent == 3;
}
static void saw_message(void *arg, const char *kind, unsigned to_node, bool carries_data, uint32_t version)
{
    (void)kind, (void)to_node, (void)version;
    ((struct view *)arg)->data_messages += carries_data;
}

Test(wiring, the_oracle_sees_translations_where_they_are)
{
    struct run r = run_text("kind: experiment\n"
                            "title: a view\n"
                            "machine: { base: tiny, cores: 4 }\n"
                            "kernel: { memory: 16MiB }\n"
                            "agents:\n"
                            "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: coherence, count: 2 }\n"
                            "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
                            "  - { name: foreign, on: device0, program: dma-foreign, write: false }\n",
                            usual(), NULL);
    struct view v = { 0 };
    const struct inspector *i = &r.machine->inspector;
    i->tlbs(r.machine, saw_tlb, &v);
    cr_expect(v.by_hart[0] == 0 && v.by_hart[1] == 1 && v.by_hart[2] == 1 && v.by_hart[3] == 0 && v.others == 0);
    i->iotlbs(r.machine, saw_iotlb, &v);
    cr_assert(v.iotlb == 1 && v.readonly == 0, "%u entries, %u read-only", v.iotlb, v.readonly);
    i->user_mappings(r.machine, v.f, saw_user, &v);
    i->iommu_mappings(r.machine, v.f, saw_device, &v);
    cr_expect(v.user == 1 && v.device == 1, "%u user mappings, %u of devices", v.user, v.device);
    run_free(&r);
}

/* What a home knows about a line, as text; the caller frees it. */
static char *told(struct machine *m, unsigned home, lineno line)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    if (home < m->desc.llc.slices)
        home_describe(m->homes[home], line, out);
    else
        m->inspector.home(m, line, out);
    fclose(out);
    return text;
}

/* Every line in a last-level slice: oracle and violations ask that slice, whatever other parts hash to. */
Test(wiring, the_home_of_a_line_is_asked)
{
    struct run r = run_named("first-steps", usual(), NULL);
    struct machine *m = r.machine;
    unsigned found[2] = { 0 };
    for (lineno line = { 0 }; line.v < (UINT64_C(16) << 20) / LINE_BYTES; line.v++)
        for (unsigned home = 0; home < 2; home++) {
            char *own = told(m, home, line), *asked = told(m, 2, line);
            if (!strstr(own, "not in the last level")) {
                cr_expect_str_eq(own, asked);
                if (found[home]++ == 0) {
                    machine_protocol_error(m, 0, line, "a test");
                    cr_expect_not_null(strstr(m->violations[m->violation_count - 1].text, own));
                }
            }
            free(own);
            free(asked);
        }
    cr_expect(found[0] > 20 && found[1] > 20, "%u and %u lines", found[0], found[1]);
    run_free(&r);
}

/* DMA is in flight from its translation until memory has it. Limits cut it short at all times. */
Test(wiring, the_oracle_sees_dma_in_flight)
{
    struct view v = { 0 };
    unsigned longest = 0, seen = 0;
    for (unsigned ns = 500; ns <= 1000; ns += 5) {
        char limit[30];
        snprintf(limit, sizeof limit, "limit=%uns", ns);
        struct run r = run_text(streams, usual(), limit, "agents.first.count=1", "agents.second.bytes=64B", NULL);
        unsigned before = v.pieces[1];
        r.machine->inspector.dma_in_flight(r.machine, saw_piece, &v);
        for (unsigned i = 0; v.f.v && i < LINES_PER_PAGE; i++) {
            r.machine->inspector.copies(r.machine, frame_line(v.f, i), saw_copy, &v);
            r.machine->inspector.messages(r.machine, frame_line(v.f, i), saw_message, &v);
        }
        seen = v.pieces[1] > before ? seen + 1 : 0;
        longest = seen > longest ? seen : longest;
        run_free(&r);
    }
    printf("in flight: device0 %u, device1 %u, others %u, longest %u steps of 5 ns\n", v.pieces[0], v.pieces[1], v.other_pieces, longest);
    cr_expect(v.pieces[0] > 0 && v.pieces[1] > 0 && v.other_pieces == 0);
    printf("copies at ports %u, messages with data %u\n", v.port_copies, v.data_messages);
    cr_expect(v.port_copies > 0 && v.data_messages > 0, "what devices write is on its way");
}
