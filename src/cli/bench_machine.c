/* src/cli/bench_machine.c - whole machines: private hits, shared traffic, allocations, and memory per hart. */
#include "src/cli/bench.h"

#include <stdio.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"

enum { QUICK = 10, COUNT_SETS = 1 };

static struct machine *build(struct study_doc *study, const char *text, const char *const *sets, size_t n)
{
    struct run_options options = run_options_default();
    load_text_or_fail(study, text, sets, n);
    return build_or_fail(study, &options);
}

static uint64_t count_of(const struct account *account, enum class_id class)
{
    const struct class_stats *s = account_stats(account, class);
    return s ? s->latency.count : 0;
}

static uint64_t accesses(const struct result *r)
{
    const struct account *a = r->account;
    return count_of(a, CLASS_LOAD) + count_of(a, CLASS_STORE) + count_of(a, CLASS_ATOMIC);
}

/* Transactions with a home: misses and upgrades. */
static uint64_t misses(const struct result *r)
{
    uint64_t n = 0;
    for (size_t i = 0; i < r->counter_count; i++)
        if (strcmp(r->counters[i].name, "cache.misses_count") == 0 || strcmp(r->counters[i].name, "cache.upgrades_count") == 0)
            n += r->counters[i].value;
    return n;
}

static uint64_t allocations(const struct result *r)
{
    const struct account *a = r->account;
    uint64_t n = count_of(a, CLASS_ALLOC_OTHER);
    for (unsigned c = CLASS_ALLOC_ATOMIC; c < CLASS_ALLOC_OTHER; c++)
        n += count_of(a, (enum class_id)c);
    return n;
}

static struct bench_sample run_machine(const struct bench *b, bool quick, uint64_t (*count)(const struct result *))
{
    struct study_doc study;
    char operations[64];
    snprintf(operations, sizeof operations, "agents.bench.count=%llu", (unsigned long long)b->size / (quick ? QUICK : 1));
    const char *sets[COUNT_SETS] = { operations };
    struct machine *m = build(&study, b->config, sets, COUNT_SETS);
    double start = cpu_seconds();
    machine_run(m);
    double seconds = cpu_seconds() - start;
    const struct result *r = machine_result(m);
    if (r->stop != RUN_DONE)
        panic("bench %s stopped: %s\n%s", b->name, run_stop_name(r->stop), r->stop_text);
    struct bench_sample sample = { count(r), seconds };
    machine_free(m);
    study_unload(&study);
    return sample;
}

static struct bench_sample run_accesses(const struct bench *b, bool quick) { return run_machine(b, quick, accesses); }
static struct bench_sample run_misses(const struct bench *b, bool quick) { return run_machine(b, quick, misses); }
static struct bench_sample run_allocations(const struct bench *b, bool quick) { return run_machine(b, quick, allocations); }

#define MACHINE(cores) "kind: experiment\nmachine: { base: xeon-e5-2660v3, cores: " #cores " }\nprotocol: mesi\n"
#define UNJUDGED "checks: { oracle: false, values: false }\n"
#define HITS "agents: [{ name: bench, on: core0, program: random-mix, lines: 64, loads: 100%, private: true, count: 1, warmup: 1000 }]\n"
#define MIXED "agents: [{ name: bench, on: core0-7, program: random-mix, lines: 1024, loads: 65%, count: 1 }]\n"

/* Versions of copies are compared in every run; "judged" adds the oracle, as `labyrinth run` does. */
static const char hits[] = MACHINE(1) UNJUDGED HITS;
static const char hits_judged[] = MACHINE(1) HITS;
static const char mixed[] = MACHINE(8) UNJUDGED MIXED;
static const char mixed_judged[] = MACHINE(8) MIXED;

#define PAIRS(cores) \
    "kind: experiment\nmachine: { base: xeon-e5-2660v3, cores: " #cores ", net: { topology: crossbar } }\n" \
    "protocol: mesi\nkernel: { memory: 256MiB }\nagents: [{ name: bench, on: all, program: alloc-repeat, count: 1 }]\n"
static const char pairs[] = PAIRS(1), pairs4[] = PAIRS(4), pairs16[] = PAIRS(16), pairs64[] = PAIRS(64);

/* Speeds of machines are told in events of PHOLD: how much simulated work one queue operation's worth of host
 * time buys. */
const struct bench machine_benches[] = {
    { "l1-hits", "loads that hit, 1 hart", run_accesses, "phold", 4000000, hits },
    { "l1-hits-judged", "the same with the oracle", run_accesses, "l1-hits", 4000000, hits_judged },
    { "shared-mix", "accesses, 8 harts, 65 % loads, 1024 lines", run_accesses, "phold", 100000, mixed },
    { "shared-mix-judged", "the same with the oracle", run_accesses, "shared-mix", 100000, mixed_judged },
    { "shared-misses", "misses and upgrades of that mix", run_misses, "phold", 100000, mixed },
    { "allocations", "order-0 allocations and frees, 1 hart", run_allocations, "phold", 100000, pairs },
    { "allocations-4", "the same, 4 harts", run_allocations, "allocations", 25000, pairs4 },
    { "allocations-16", "16 harts", run_allocations, "allocations", 6250, pairs16 },
    { "allocations-64", "64 harts", run_allocations, "allocations", 1570, pairs64 },
};
const unsigned machine_bench_count = sizeof machine_benches / sizeof *machine_benches;

static uint64_t host_bytes(const char *set)
{
    struct study_doc study;
    const char *sets[] = { set, "agents.bench.on=core0" };
    struct machine *m = build(&study, mixed, sets, 2);
    machine_run(m);
    uint64_t bytes = machine_result(m)->host.host_bytes;
    machine_free(m);
    study_unload(&study);
    return bytes;
}

struct bench_memory bench_memory(void)
{
    enum { FEW = 2, MANY = 8, SMALL_KIB = 256, LARGE_KIB = 512 };
    struct bench_memory memory;
    char few[48], many[48], small[48], large[48];
    snprintf(few, sizeof few, "machine.cores=%d", FEW);
    snprintf(many, sizeof many, "machine.cores=%d", MANY);
    snprintf(small, sizeof small, "machine.l2.size=%dKiB", SMALL_KIB);
    snprintf(large, sizeof large, "machine.l2.size=%dKiB", LARGE_KIB);
    uint64_t lines = (uint64_t)(LARGE_KIB - SMALL_KIB) * 1024 / LINE_BYTES * 8;
    memory.bytes_per_hart = (host_bytes(many) - host_bytes(few)) / (MANY - FEW);
    memory.bytes_per_line = (host_bytes(large) - host_bytes(small)) / lines;
    return memory;
}
