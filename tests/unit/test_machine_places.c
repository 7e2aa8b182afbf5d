/* tests/unit/test_machine_places.c - where the machine puts cores and slices on its network, and what the links count. */
#include "tests/unit/test_machine_rig.h"

#include "src/machine/private.h"

TestSuite(places, .timeout = 120);

/* Core i and slice i share a tile, so a lone core's only slice is no hop away, however wide the mesh */
Test(places, a_core_and_its_slice_share_a_tile)
{
    static const char text[] =
        "kind: experiment\n"
        "title: a mesh\n"
        "machine: { base: tiny, cores: 1, llc: { slices: 1 }, net: { topology: mesh, columns: 1, rows: 1, inject: 2cycles } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: core0, program: chase, footprint: 16KiB, count: 64 }]\n";
    struct run one = run_text(text, usual(), NULL), wide = run_text(text, usual(), "machine.net.columns=8", NULL);
    cr_expect_eq(only_ps(&one, CLASS_LOAD), only_ps(&wide, CLASS_LOAD));
    run_free(&one);
    run_free(&wide);
}

Test(places, a_core_and_its_slice_share_a_stop)
{
    static const char text[] =
        "kind: experiment\n"
        "title: a ring\n"
        "machine: { base: tiny, cores: 1, llc: { slices: 1 }, net: { topology: ring, inject: 2cycles } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: core0, program: chase, footprint: 16KiB, count: 64 }]\n";
    struct run one = run_text(text, usual(), NULL), wide = run_text(text, usual(), "machine.net.stops=8", NULL);
    cr_expect_eq(only_ps(&one, CLASS_LOAD), only_ps(&wide, CLASS_LOAD));
    run_free(&one);
    run_free(&wide);
}

/* The only slice is in group 0, with the lower half of the cores: the others pay the link there and back. */
Test(places, cores_and_slices_are_spread_over_groups)
{
    static const char text[] =
        "kind: experiment\n"
        "title: two sockets\n"
        "machine: { base: tiny, cores: 4, llc: { slices: 1 }, net: { topology: groups, groups: 2, link: 100ns } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: core0, program: chase, footprint: 16KiB, count: 64 }]\n";
    struct run near = run_text(text, usual(), NULL);
    for (unsigned core = 1; core < 4; core++) {
        char on[40];
        snprintf(on, sizeof on, "agents.chase.on=core%u", core);
        struct run r = run_text(text, usual(), on, NULL);
        cr_expect_eq(only_ps(&r, CLASS_LOAD), only_ps(&near, CLASS_LOAD) + (core < 2 ? 0 : 200 * PS_PER_NS), "core %u", core);
        run_free(&r);
    }
    run_free(&near);
}

static uint64_t sent(const struct run *r, enum msg_kind kind)
{
    char name[60];
    snprintf(name, sizeof name, "net.sent_%s_count", msg_infos[kind].name);
    for (size_t i = 0; i < r->result->counter_count; i++)
        if (strcmp(r->result->counters[i].name, name) == 0)
            return r->result->counters[i].value;
    return 0;
}

/* One core and the only slice, in two groups: every message crosses one of the two links, unless the run ends first: the
 * last fill, its end and the last write-back may be under way. */
Test(places, links_count_what_crosses_them)
{
    static const char text[] =
        "kind: experiment\n"
        "title: two sockets\n"
        "machine: { base: tiny, cores: 4, llc: { slices: 1 }, net: { topology: groups, groups: 2, link_control_occupancy: 2ns, "
        "link_data_occupancy: 7ns } }\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: chase, on: core3, program: chase, footprint: 16KiB, count: 64 }]\n";
    struct run r = run_text(text, usual(), NULL);
    uint64_t crossings = 0, busy_ps = 0, max_ps = counter(&r, "net.link_busy_max_ps");
    for (unsigned kind = 0; kind < MSG_KIND_COUNT; kind++) {
        crossings += sent(&r, kind);
        busy_ps += sent(&r, kind) * (msg_infos[kind].data ? 7 : 2) * PS_PER_NS;
    }
    cr_expect_geq(sent(&r, MSG_GETS), 256 + 64);
    uint64_t missing = crossings - counter(&r, "net.link_crossings_count"), missing_ps = busy_ps - counter(&r, "net.link_busy_ps");
    cr_expect(missing <= 3 && missing_ps >= missing * 2 * PS_PER_NS && missing_ps <= missing * 7 * PS_PER_NS,
              "%" PRIu64 " crossings, %" PRIu64 " ps too few", missing, missing_ps);
    cr_expect(max_ps < busy_ps && 2 * max_ps >= busy_ps, "%" PRIu64 " of %" PRIu64 " ps", max_ps, busy_ps);
    run_free(&r);
}
