/* tests/unit/test_machine_probe.c - exact times of one operation by state, distance and home: program probe-line on two sockets of
 * two cores, numbers as in the machine below and in tiny.
 */
#include "tests/unit/test_machine_rig.h"

TestSuite(probe, .timeout = 120);

enum { L2 = 6, HOP = 5, LOOKUP = 10, FILL = 1, SNOOP = 4, SNOOP_DATA = 6, RESPONSE = 3, HOME = 7, LINK = 100, DRAM_HIT = 40 };
enum { TO_SLICE = L2 + HOP + LOOKUP, TO_CORE = HOP + FILL };
/* From a core's miss to its memory's answer at the home agent of its own socket, and back */
enum { OWN_MEMORY = TO_SLICE + HOP + HOME + DRAM_HIT + HOP + RESPONSE + TO_CORE };
/* As far as the other last level's cores, and back */
enum { OTHERS_CORE = TO_SLICE + HOP + HOME + HOP + LOOKUP + HOP + SNOOP + SNOOP_DATA + HOP + RESPONSE + HOP + RESPONSE + TO_CORE + 2 * LINK };

#define MACHINE "machine: { base: tiny, cores: 2, l2: { snoop_data: 6cycles }, llc: { response_lookup: 3cycles }, " \
    "home: { placement: first-touch, lookup: 7cycles, agent: true }, net: { topology: groups, links: glueless, link: 100ns } }\n"
static const char text[] =
    "kind: experiment\n"
    "title: two sockets\n"
    MACHINE
    "kernel: { memory: 16MiB }\n"
    "agents: [{ name: probe, on: all, program: probe-line, footprint: 64B, warmup: 2, count: 4 }]\n";

static uint64_t probe_ns(enum class_id class, const char *a, const char *b, const char *c, const char *d)
{
    struct run r = run_text(text, usual(), a, b, c, d, NULL);
    expect_stop(&r, RUN_DONE);
    cr_assert_eq(stats(&r, class)->latency.count, 4);
    uint64_t ps = only_ps(&r, class);
    run_free(&r);
    cr_assert_eq(ps % PS_PER_NS, 0);
    return ps / PS_PER_NS;
}

static void same(uint64_t model, uint64_t sum, const char *what)
{
    cr_expect_eq(model, sum, "%" PRIu64 " ns instead of %" PRIu64 "%s%s", model, sum, *what ? ": " : "", what);
}

#define TWO "machine.sockets=2"
#define HOLDER(n) "agents.probe.holder=" #n
#define STATE(s) "agents.probe.state=" #s
#define AT(n) "agents.probe.home=" #n

Test(probe, loads_by_state_and_distance)
{
    same(probe_ns(CLASS_LOAD, TWO, STATE(modified), HOLDER(1), AT(0)), TO_SLICE + HOP + SNOOP + SNOOP_DATA + TO_CORE, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(modified), HOLDER(2), AT(2)), OTHERS_CORE, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(modified), HOLDER(2), AT(0)), OTHERS_CORE, "home here: the same ways in another order");
    same(probe_ns(CLASS_LOAD, TWO, STATE(exclusive), HOLDER(2), AT(2)), OTHERS_CORE, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(invalid), HOLDER(1), AT(0)), OWN_MEMORY, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(invalid), HOLDER(1), AT(3)), OWN_MEMORY + 2 * LINK, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(modified), HOLDER(0), AT(0)), 2, "one's own line: a first-level hit");
}

/* Lines shared within a socket are its last level's to hand out; with one reader in each they come from memory again. */
Test(probe, shared_lines)
{
    static const char *const within = "machine={base: tiny, sockets: 2, llc: {response_lookup: 3cycles}}";
    same(probe_ns(CLASS_LOAD, within, STATE(shared), "agents.probe.second=3", NULL), TO_SLICE + TO_CORE, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(shared), "agents.probe.second=2", AT(1)), TO_SLICE + TO_CORE, "one reader is here");
}

/* One socket of one level and one of several agree about their own memory. */
Test(probe, home_agent_makes_sockets_alike)
{
    same(probe_ns(CLASS_LOAD, "machine.sockets=1", STATE(invalid), HOLDER(1), AT(0)), OWN_MEMORY, "");
    same(probe_ns(CLASS_LOAD, "machine.sockets=1", "machine.home.agent=false", STATE(invalid), AT(0)),
                 OWN_MEMORY - 2 * HOP - HOME - RESPONSE, "");
    same(probe_ns(CLASS_LOAD, "machine.sockets=8", STATE(invalid), HOLDER(1), AT(1)), OWN_MEMORY, "");
    same(probe_ns(CLASS_LOAD, "machine.sockets=8", STATE(invalid), HOLDER(1), AT(4)), OWN_MEMORY + 2 * LINK, "socket 2: one link");
    same(probe_ns(CLASS_LOAD, "machine.sockets=8", STATE(invalid), HOLDER(1), AT(2)), OWN_MEMORY + 4 * LINK, "socket 1: two");
}

/* A read of memory that began with the home's lookup saves that; with own, to the socket's own cores. */
Test(probe, memory_is_read_while_the_home_looks)
{
    same(probe_ns(CLASS_LOAD, TWO, STATE(invalid), AT(0), "machine.home.early_read=own"), OWN_MEMORY - HOME, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(invalid), AT(2), "machine.home.early_read=own"), OWN_MEMORY + 2 * LINK, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(invalid), AT(2), "machine.home.early_read=all"), OWN_MEMORY + 2 * LINK - HOME, "");
    same(probe_ns(CLASS_LOAD, TWO, STATE(modified), HOLDER(2), "machine.home.early_read=all"), OTHERS_CORE, "not for nothing");
    same(probe_ns(CLASS_LOAD, "machine.sockets=1", STATE(invalid), AT(0), "machine.home.early_read=own"), OWN_MEMORY - LOOKUP, "");
}

/* snoop_data counts where the line comes from the cache, not where it is only invalidated. */
Test(probe, an_invalidation_takes_no_data)
{
    static const char *const plain = "machine={base: tiny}", *const more = "machine={base: tiny, l2: {snoop_data: 6cycles}}";
    static const char *const store = "agents.probe.operation=store";
    same(probe_ns(CLASS_STORE, more, STATE(shared), store, NULL), probe_ns(CLASS_STORE, plain, STATE(shared), store, NULL), "shared");
    same(probe_ns(CLASS_STORE, more, STATE(modified), store, NULL), probe_ns(CLASS_STORE, plain, STATE(modified), store, NULL) + SNOOP_DATA, "");
}

/* Each locked operation finds what was stored before and takes atomic time more than the line. */
Test(probe, locked_operations)
{
    static const char *const operations[] = { "cas", "fetch-add", "test-and-set", "swap" };
    for (unsigned i = 0; i < 4; i++) {
        char set[60];
        snprintf(set, sizeof set, "agents.probe.operation=%s", operations[i]);
        same(probe_ns(CLASS_ATOMIC, TWO, HOLDER(2), AT(2), set), OTHERS_CORE + 10, operations[i]);
    }
}

/* An owner who has given its line home is asked to invalidate it before the answer comes, if the directory asks everybody; without its
 * rows for that moesi ends here after some ten microseconds. */
Test(probe, moesi_and_a_directory_that_broadcasts)
{
    static const char mixed[] =
        "kind: experiment\n"
        "title: one pointer\n"
        "machine: { base: mean, cores: 3, sockets: 2, levels: one, llc: { inclusion: victim }, net: { topology: groups }, "
        "directory: { lines: 64, ways: 4, pointers: 1, overflow: broadcast } }\n"
        "protocol: moesi\n"
        "kernel: { memory: 16MiB }\n"
        "agents: [{ name: mix, on: all, program: random-mix, lines: 48, loads: \"40%\", atomics: \"12%\", flushes: \"6%\", fences: \"5%\", "
        "string_stores: \"8%\", nt_stores: \"6%\", prefetches: \"6%\", count: 2500 }]\n";
    for (unsigned seed = 1; seed <= 2; seed++) {
        char set[30];
        snprintf(set, sizeof set, "seed=%u", seed);
        struct run r = run_text(mixed, usual(), set, "machine.net_jitter=30ns", NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_gt(counter(&r, "home.broadcasts_count"), 100);
        run_free(&r);
    }
}
