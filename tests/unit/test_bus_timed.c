/* tests/unit/test_bus_timed.c - the timed machine on a snooping bus: exact single misses, and the directions in which the
 * traffic goes when a directory is replaced by a bus.
 */
#include "tests/unit/test_machine_rig.h"

TestSuite(bus_timed, .timeout = 300);

/* What a load costs whose line is in no cache, or changed in one, or read by some. */
static const char chase[] =
    "kind: experiment\n"
    "title: one miss after the other\n"
    "machine: { base: tiny, cores: 4 }\n"
    "agents:\n"
    "  - { name: chase, on: core0-3, program: chase, footprint: 2KiB, state: cold, order: random, count: 32 }\n"
    "seed: 1\n";

/* Two harts at work, whatever their number in the machine. */
static const char pair[] =
    "kind: experiment\n"
    "title: two who share\n"
    "machine: { base: tiny, cores: 4 }\n"
    "seed: 5\n"
    "agents:\n"
    "  - { name: mix, on: core0-1, program: random-mix, lines: 16, loads: \"70%\", count: 1000 }\n";

static struct run chased(const char *protocol, const char *state, const char *cores, const char *topology)
{
    struct run r = run_text(chase, usual(), protocol, state, cores, topology, NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(r.result->violation_count, 0);
    return r;
}

static tick least(const struct run *r) { return stats(r, CLASS_LOAD)->latency.min_ps; }

static tick mean_part(const struct run *r, unsigned part)
{
    return stats(r, CLASS_LOAD)->hardware_sum_ps[part] / stats(r, CLASS_LOAD)->latency.count;
}

#define CROSSBAR "machine.net.topology=crossbar"
#define BUS "machine.net.topology=bus"

/* Line read by others: the directory answers at once. The bus asks all others (the tiny machine has two agents more than
 * cores), and looks once more when the last answer has come: 5 ns there, 4 ns snoop, 5 ns back, 1 ns more for each further
 * snoop through the bus's one port, 10 ns. */
Test(bus_timed, a_snoop_costs_what_it_adds_up_to)
{
    static const char *const cores[] = { "machine.cores=4", "machine.cores=8", "machine.cores=16" };
    for (unsigned i = 0; i < 3; i++) {
        struct run d = chased("protocol=mesi", "agents.chase.state=read", cores[i], CROSSBAR);
        tick directory_ps = least(&d);
        run_free(&d);
        struct run b = chased("protocol=bus-mesi", "agents.chase.state=read", cores[i], CROSSBAR);
        unsigned snoops = (4u << i) + 1;
        cr_expect_eq(least(&b), directory_ps + 5000 + 4000 + 5000 + (snoops - 1) * 1000 + 10000, "%s: %" PRIu64 " ps", cores[i], least(&b));
        cr_expect_eq(mean_part(&b, PART_ACKS), 14000 + (snoops - 1) * 1000);
        run_free(&b);
    }
}

/* The owner sends the line itself, and the reader does not wait for the others' answers. */
Test(bus_timed, an_owner_is_as_fast_as_behind_a_directory)
{
    static const char *const protocols[] = { "protocol=mesi", "protocol=bus-msi", "protocol=bus-mesi", "protocol=bus-moesi" };
    for (unsigned i = 0; i < 4; i++) {
        struct run r = chased(protocols[i], "agents.chase.state=modified", "machine.cores=8", CROSSBAR);
        cr_expect_eq(only_ps(&r, CLASS_LOAD), 36000, "%s", protocols[i]);
        run_free(&r);
    }
}

/* Memory is read while all are asked. */
Test(bus_timed, a_snoop_hides_behind_memory)
{
    struct run d = chased("protocol=mesi", "agents.chase.state=cold", "machine.cores=4", CROSSBAR);
    struct run b = chased("protocol=bus-mesi", "agents.chase.state=cold", "machine.cores=4", CROSSBAR);
    cr_expect_eq(least(&b), least(&d));
    cr_expect_eq(stats(&b, CLASS_LOAD)->latency.max_ps, stats(&d, CLASS_LOAD)->latency.max_ps);
    cr_expect_eq(counter(&b, "home.misses_count"), counter(&d, "home.misses_count"), "and once only");
    run_free(&d);
    run_free(&b);
}

/* ---- directions */

static uint64_t orders(const struct run *r)
{
    return counter(r, "home.invalidations_sent_count") + counter(r, "home.forwards_sent_count");
}

static uint64_t transactions(const struct run *r)
{
    return counter(r, "net.sent_GETS_count") + counter(r, "net.sent_GETM_count") + counter(r, "net.sent_UPG_count");
}

/* Two share; more cores stand by. A directory leaves them alone; a bus asks each, each time. */
Test(bus_timed, snoops_grow_with_cores_invalidations_with_sharers)
{
    for (unsigned cores = 2; cores <= 16; cores *= 2) {
        char set[40];
        snprintf(set, sizeof set, "machine.cores=%u", cores);
        struct run d = run_text(pair, usual(), "protocol=mesi", set, NULL), b;
        expect_stop(&d, RUN_DONE);
        cr_expect(orders(&d) > 0 && orders(&d) <= transactions(&d), "%u cores: at most the other one has to be told", cores);
        run_free(&d);
        b = run_text(pair, usual(), "protocol=bus-mesi", set, NULL);
        expect_stop(&b, RUN_DONE);
        cr_expect_eq(b.result->violation_count, 0);
        cr_expect_eq(orders(&b), transactions(&b) * (cores + 2 - 1), "%u cores: %" PRIu64 " of %" PRIu64, cores, orders(&b), transactions(&b));
        run_free(&b);
    }
}

/* A medium that all hear carries a snoop once. */
Test(bus_timed, a_shared_medium_carries_a_snoop_once)
{
    struct run x = run_text(pair, usual(), "protocol=bus-mesi", CROSSBAR, NULL);
    cr_expect_eq(counter(&x, "net.sent_SNOOP_GETS_count"), 5 * counter(&x, "net.sent_GETS_count"));
    run_free(&x);
    struct run m = run_text(pair, usual(), "protocol=bus-mesi", BUS, NULL);
    expect_stop(&m, RUN_DONE);
    cr_expect_eq(m.result->violation_count, 0);
    cr_expect_eq(counter(&m, "net.sent_SNOOP_GETS_count"), counter(&m, "net.sent_GETS_count"));
    cr_expect_eq(counter(&m, "home.forwards_sent_count"), 5 * counter(&m, "net.sent_GETS_count"));
    run_free(&m);
}

/* E spares the upgrade of a private line; O spares memory the data that others read. */
Test(bus_timed, states_spare_what_they_are_for)
{
    struct run msi = run_text(pair, usual(), "protocol=bus-msi", "agents.mix.on=core0", NULL);
    struct run mesi = run_text(pair, usual(), "protocol=bus-mesi", "agents.mix.on=core0", NULL);
    cr_expect(counter(&msi, "net.sent_UPG_count") > 0);
    cr_expect_eq(counter(&mesi, "net.sent_UPG_count"), 0);
    cr_expect_eq(counter(&mesi, "net.sent_DATA_E_count"), counter(&mesi, "net.sent_GETS_count"));
    cr_expect(msi.result->time_ps > mesi.result->time_ps);
    run_free(&msi);
    run_free(&mesi);
    mesi = run_text(pair, usual(), "protocol=bus-mesi", NULL);
    struct run moesi = run_text(pair, usual(), "protocol=bus-moesi", NULL);
    cr_expect(counter(&mesi, "net.sent_SNOOP_DATA_count") > 50);
    cr_expect_eq(counter(&moesi, "net.sent_SNOOP_DATA_count"), 0);
    cr_expect(counter(&moesi, "net.sent_OWNED_count") > 50);
    run_free(&mesi);
    run_free(&moesi);
}

/* ---- shipped experiments and machines */

Test(bus_timed, shipped_experiments_run_on_a_bus)
{
    static const char *const protocols[] = { "protocol=bus-msi", "protocol=bus-mesi", "protocol=bus-moesi" };
    for (unsigned p = 0; p < 3; p++) {
        struct run r = run_named("exclusive-vs-sharers", usual(), protocols[p], "agents.owner.count=3", "agents.owner.warmup=1",
                                 "machine.base=xeon-e7-8867l", NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->violation_count, 0, "%s", protocols[p]);
        run_free(&r);
        r = run_named("first-steps", usual(), protocols[p], "machine.base=mean", NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->violation_count, 0, "%s", protocols[p]);
        run_free(&r);
        r = run_named("dma-foreign", usual(), protocols[p], NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->violation_count, 0, "%s", protocols[p]);
        run_free(&r);
    }
}

/* A last level that drops what caches hold: who takes the only clean copy may lose it without a word. */
Test(bus_timed, every_kind_of_last_level_stays_current)
{
    static const char storm[] =
        "kind: experiment\n"
        "title: a storm over a small last level\n"
        "machine: { base: tiny, cores: 6, net_jitter: 7ns, l1: { size: 128B, ways: 1 }, l2: { size: 512B, ways: 2 } }\n"
        "seed: 3\n"
        "agents:\n"
        "  - { name: mix, on: core0-, program: random-mix, lines: 48, loads: \"60%\", flushes: \"5%\", string_stores: \"10%\", count: 2000 }\n";
    static const char *const protocols[] = { "protocol=bus-msi", "protocol=bus-mesi", "protocol=bus-moesi" };
    static const char *const levels[] = { "inclusive", "non-inclusive", "victim" };
    for (unsigned p = 0; p < 3; p++)
        for (unsigned l = 0; l < 3; l++) {
            char set[80];
            snprintf(set, sizeof set, "machine.llc={size: 2KiB, ways: 4, inclusion: %s}", levels[l]);
            struct run r = run_text(storm, usual(), protocols[p], set, NULL);
            cr_expect_eq(r.result->stop, RUN_DONE, "%s, %s: %s", protocols[p], levels[l], r.result->stop_text);
            cr_expect_eq(r.result->violation_count, 0, "%s, %s", protocols[p], levels[l]);
            cr_expect(counter(&r, "net.sent_SNOOP_DATA_count") > 100);
            run_free(&r);
        }
}
