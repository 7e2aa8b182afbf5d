/* src/cli/stress_shape.c - the machines and mixes that labyrinth stress goes round: a table of choices, the simplest first.
 *
 * A line is a name and its values; a value is one or more assignments "path=value;path=value". Draws are independent; a
 * combination that a rule of the configuration refuses is drawn anew.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/stress.h"

const char stress_base[] =
    "kind: experiment\n"
    "machine: { base: tiny }\n"
    "protocol: mesi\n"
    "kernel: { memory: 16MiB, allocator: { pcp_high: 64, pcp_batch: 4 } }\n"
    "checks: { watchdog: 5ms }\n"
    "agents: []\n";

enum { VALUES_MAX = 10 };

struct key { const char *name; bool told; const char *value[VALUES_MAX]; };

#define NET "machine.net.topology="
#define LLC(size, ways, slices) "machine.llc.size=" size ";machine.llc.ways=" ways ";machine.llc.slices=" slices
#define LEVEL(name, size, ways) "machine." name ".size=" size ";machine." name ".ways=" ways

static const struct key keys[] = {
    { "protocol", true, { "protocol=mesi", "protocol=msi", "protocol=moesi", "protocol=mesif", "protocol=bus-mesi", "protocol=bus-msi",
                          "protocol=bus-moesi" } }, /* in turn, not drawn */
    { "cores", true, { "machine.cores=1", "machine.cores=2", "machine.cores=3", "machine.cores=4", "machine.cores=5",
                       "machine.cores=6", "machine.cores=8" } },
    { "sockets", true, { "machine.sockets=1", "machine.sockets=1", "machine.sockets=1", "machine.sockets=2", "machine.sockets=3" } },
    { "clusters", true, { "machine.clusters=1", "machine.clusters=1", "machine.clusters=2", "machine.clusters=3" } },
    { "levels", false, { "machine.levels=auto", "machine.levels=one", "machine.levels=two" } },
    { "placement", false, { "machine.home.placement=interleave", "machine.home.granule=64B", "machine.home.placement=first-touch",
                            "machine.home.placement=range" } },
    { "home agents", false, { "machine.home.per=socket", "machine.home.per=cluster", "machine.home.count=2", "machine.home.agent=true" } },
    { "inclusion", true, { "machine.llc.inclusion=inclusive", "machine.llc.inclusion=inclusive", "machine.llc.inclusion=non-inclusive",
                           "machine.llc.inclusion=victim" } },
    { "directory", false, { "machine.directory.lines=0", "machine.directory.lines=8;machine.directory.ways=2",
                            "machine.directory.lines=4;machine.directory.ways=1", "machine.directory.lines=64;machine.directory.ways=16" } },
    { "pointers", false, { "machine.directory.pointers=0", "machine.directory.pointers=0", "machine.directory.pointers=1",
                           "machine.directory.pointers=1;machine.directory.overflow=broadcast",
                           "machine.directory.pointers=2;machine.directory.overflow=broadcast" } },
    { "devices", true, { "machine.devices.count=0", "machine.devices.count=1", "machine.devices.count=2" } },
    { "network", true, { NET "crossbar", NET "mesh;machine.net.columns=4;machine.net.rows=4", NET "mesh;machine.net.columns=8;machine.net.rows=1",
                         NET "ring", NET "ring;machine.net.stops=16", NET "groups;machine.net.groups=2",
                         NET "groups;machine.net.groups=4;machine.net.package=2;machine.net.links=ring",
                         NET "groups;machine.net.groups=2;machine.net.package=2;machine.net.near_link=90ns", NET "bus" } },
    { "jitter", true, { "machine.net_jitter=0ns", "machine.net_jitter=7ns", "machine.net_jitter=40ns", "machine.net_jitter=300ns" } },
    { "private caches", false, { LEVEL("l1", "1KiB", "2") ";" LEVEL("l2", "4KiB", "4"), LEVEL("l1", "128B", "1") ";" LEVEL("l2", "512B", "2"),
                                 LEVEL("l1", "64B", "1") ";" LEVEL("l2", "128B", "1"), LEVEL("l1", "64B", "1") ";" LEVEL("l2", "64B", "1") } },
    { "last level", false, { LLC("64KiB", "8", "2"), LLC("8KiB", "8", "1"), LLC("512B", "2", "2"), LLC("1KiB", "1", "4"), LLC("256B", "4", "1") } },
    { "store buffer", false, { "machine.hart.store_buffer=8", "machine.hart.store_buffer=0", "machine.hart.store_buffer=1",
                               "machine.hart.store_buffer=2", "machine.hart.store_buffer=42" } },
    { "combining buffers", false, { "machine.hart.wc_buffers=10", "machine.hart.wc_buffers=1", "machine.hart.wc_buffers=3" } },
    { "mshrs", false, { "machine.l2.mshrs=4", "machine.l2.mshrs=1", "machine.l2.mshrs=2", "machine.l2.mshrs=16" } },
    { "write-backs", false, { "machine.l2.write_backs=8", "machine.l2.write_backs=1", "machine.l2.write_backs=2", "machine.l2.write_backs=32" } },
    { "snoops", false, { "machine.l2.snoop=4cycles", "machine.l2.snoop=60cycles;machine.l2.snoop_occupancy=25cycles" } },
    { "home", false, { "machine.llc.lookup=10cycles", "machine.llc.lookup=0cycles;machine.llc.occupancy=0cycles",
                       "machine.llc.lookup=50cycles;machine.llc.occupancy=30cycles;machine.llc.response_occupancy=9cycles" } },
    { "network buffers", false, { "machine.net.slots=0", "machine.net.slots=1", "machine.net.slots=3" } },
    { "wires", false, { "machine.net.data_occupancy=2cycles", "machine.net.data_occupancy=20cycles;machine.net.control_occupancy=7cycles" } },
    { "memory", false, { "machine.dram.channels=1", "machine.dram.t_rcd=0ns;machine.dram.t_cas=1ns", "machine.dram.controller=900ns" } },
    { "tlb", false, { "machine.tlb.entries=16", "machine.tlb.entries=1;machine.tlb.ways=1" } },
    { "iommu", false, { "machine.iommu.iotlb_entries=64", "machine.iommu.enabled=false",
                        "machine.iommu.iotlb_entries=1;machine.iommu.iotlb_ways=1;machine.iommu.paging_structure_entries=0;machine.iommu.walkers=1" } },
    { "device", false, { "machine.devices.mshrs=16", "machine.devices.mshrs=1", "machine.devices.mshrs=2;machine.devices.dma.tags=1" } },
    { "spin locks", false, { "kernel.locks=queued", "kernel.locks=ticket", "kernel.locks=tas" } },
    { "per-CPU lists", false, { "kernel.allocator.pcp_high=64", "kernel.allocator.pcp_high=8", "kernel.pcp_locking=6.0", "kernel.pcp_locking=5.15" } },
    { "zeroing", false, { "kernel.zeroing=string", "kernel.zeroing=store", "kernel.zeroing=nt" } },
    { "shootdown", false, { "kernel.shootdown=auto", "machine.hart.tlb_broadcast=true" } },
};
enum { KEYS = sizeof keys / sizeof *keys };
_Static_assert((int)KEYS <= (int)STRESS_KEYS_MAX, "a shape has room for every line");

unsigned stress_shape_keys(void) { return KEYS; }

static unsigned value_count(const struct key *k)
{
    unsigned n = 0;
    while (n < VALUES_MAX && k->value[n])
        n++;
    return n;
}

void stress_shape_draw(struct stress_shape *s, uint64_t seed, unsigned attempt)
{
    char name[64];
    *s = (struct stress_shape){ { 0 } };
    for (unsigned i = 1; i < KEYS; i++) {
        snprintf(name, sizeof name, "stress %s attempt %u", keys[i].name, attempt);
        struct rng r = rng_stream(seed, name);
        s->choice[i] = (uint8_t)rng_below(&r, value_count(&keys[i]));
    }
    s->choice[0] = (uint8_t)(seed % value_count(&keys[0]));
}

char **stress_shape_sets(const struct stress_shape *s, size_t *n)
{
    char **sets = calloc((size_t)KEYS * 8, sizeof *sets);
    CHECK_MEMORY(sets, "out of memory");
    *n = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        char *text = strdup(keys[i].value[s->choice[i]]), *rest = NULL;
        CHECK_MEMORY(text, "out of memory");
        for (char *one = strtok_r(text, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
            sets[*n] = strdup(one);
            CHECK_MEMORY(sets[*n] && *n < (size_t)KEYS * 8 - 1, "out of memory");
            ++*n;
        }
        free(text);
    }
    return sets;
}

/* Has the user set what this line would? */
static bool overridden(const struct key *k, const struct common *c)
{
    size_t n = strcspn(k->value[0], "=");
    bool any = false;
    for (size_t i = 0; i < c->sets_count; i++)
        any |= strncmp(c->sets[i], k->value[0], n) == 0 && (c->sets[i][n] == '=' || c->sets[i][n] == '.');
    return any;
}

void stress_shape_print(FILE *out, const struct stress_shape *s, const struct common *c, bool all)
{
    const char *separator = "";
    for (unsigned i = 0; i < KEYS; i++) {
        const char *value = keys[i].value[s->choice[i]];
        if (overridden(&keys[i], c) || !(keys[i].told || (all && s->choice[i])))
            continue;
        if (all)
            fprintf(out, "%s%s", separator, value);
        else
            fprintf(out, "%s%s %.*s", separator, keys[i].name, (int)strcspn(strchr(value, '=') + 1, ";"), strchr(value, '=') + 1);
        separator = all ? ";" : ", ";
    }
}

/* ---- what is done: shares in 1/100, in the order of SCRIPT_MIX_LIST */

static const struct { uint8_t share[SCRIPT_SHARES]; bool pages; } mixes[] = {
    { { 40, 10, 5, 5, 4, 4, 4, 5, 0 }, false },     /* some of everything */
    { { 35, 5, 1, 2, 2, 1, 2, 5, 20 }, true },      /* pages */
    { { 60, 2, 2, 1, 2, 0, 3, 10, 0 }, false },     /* readers */
    { { 10, 40, 2, 2, 2, 2, 2, 5, 0 }, false },     /* locked operations */
    { { 25, 5, 20, 8, 8, 8, 5, 2, 0 }, false },     /* flushes, whole lines */
    { { 10, 2, 1, 1, 1, 1, 2, 10, 50 }, true },     /* mostly pages */
    { { 30, 5, 5, 0, 2, 25, 10, 0, 5 }, true },     /* write combining */
};
enum { MIXES = sizeof mixes / sizeof *mixes };

struct script_mix stress_mix_draw(uint64_t seed, uint32_t lines, bool pages)
{
    static const uint32_t sizes[] = { 1, 2, 4, 8, 16, 24, 64, 200 };
    struct rng r = rng_stream(seed, "stress mix");
    unsigned m;
    do
        m = (unsigned)rng_below(&r, MIXES);
    while (mixes[m].pages && !pages);
    struct script_mix mix = { .lines = sizes[rng_below(&r, sizeof sizes / sizeof *sizes)] };
    if (lines)
        mix.lines = lines;
    for (unsigned i = 0; i < SCRIPT_SHARES; i++)
        mix.share[i] = (uint16_t)(mixes[m].share[i] * 100);
    if (mixes[m].pages)
        mix.pages = 1 + (uint32_t)rng_below(&r, SCRIPT_PAGES_MAX);
    return mix;
}
