/* src/machine/counters.c - counters of all parts, gathered once at the end, sorted by name. */
#include "src/machine/private.h"

#include "src/base/fail.h"
#include "src/machine/counter_terms.h"
#include "models/coherence/table.h"

#include <stdlib.h>
#include <string.h>

/* Programs and kernel count by literal name: few names, found by pointer first. */
void machine_count(void *arg, const char *counter, uint64_t add)
{
    struct machine *m = arg;
    for (size_t i = 0; i < m->counted_count; i++)
        if (m->counted[i].name == counter || strcmp(m->counted[i].name, counter) == 0) {
            m->counted[i].value += add;
            return;
        }
    if (m->counted_count == m->counted_cap) {
        m->counted_cap = m->counted_cap ? m->counted_cap * 2 : 32;
        m->counted = realloc(m->counted, m->counted_cap * sizeof *m->counted);
        CHECK_MEMORY(m->counted, "out of host memory for counters");
    }
    m->counted[m->counted_count++] = (struct named_count){ counter, add };
}

static void add(struct machine *m, const char *group, const char *name, uint64_t value)
{
    machine_count(m, arena_printf(m->late, "%s.%s", group, name), value);
}

static void add_harts(struct machine *m)
{
    uint64_t straggler[LINES_PER_PAGE] = { 0 };
    for (unsigned i = 0; i < m->desc.cores; i++) {
        const struct hart_counters *c = hart_counters(m->harts[i]);
        const struct cache_counters *k = cache_counters(m->caches[i]);
        add(m, "hart", "loads_count", c->loads);
        add(m, "hart", "stores_count", c->stores);
        add(m, "hart", "atomics_count", c->atomics);
        add(m, "hart", "fences_count", c->fences);
        add(m, "hart", "forwarded_loads_count", c->forwarded);
        add(m, "hart", "interrupts_count", c->interrupts);
        add(m, "hart", "ipis_count", c->ipis);
        add(m, "hart", "store_buffer_full_count", c->store_buffer_full);
        add(m, "page_own", "lines_acquired_count", c->prefetch_acquired);
        add(m, "page_own", "lines_already_owned_count", c->prefetch_owned);
        add(m, "tlb", "hits_count", c->tlb_hits);
        add(m, "tlb", "misses_count", c->tlb_misses);
        add(m, "cache", "l1_hits_count", k->l1_hits);
        add(m, "cache", "l2_hits_count", k->l2_hits);
        add(m, "cache", "misses_count", k->misses);
        add(m, "cache", "upgrades_count", k->upgrades);
        add(m, "cache", "merged_count", k->merged);
        add(m, "cache", "no_mshr_count", k->no_mshr);
        add(m, "cache", "evictions_silent_count", k->evictions_clean);
        add(m, "cache", "evictions_announced_count", k->evictions_dirty);
        add(m, "cache", "invalidations_received_count", k->invalidations);
        add(m, "cache", "forwards_received_count", k->forwards);
        add(m, "cache", "flushes_count", k->flushes);
        for (unsigned l = 0; l < LINES_PER_PAGE; l++)
            straggler[l] += c->straggler[l];
    }
    for (unsigned l = 0; l < LINES_PER_PAGE; l++)
        if (straggler[l])
            machine_count(m, arena_printf(m->late, "page_own.straggler_line_%02u_count", l), straggler[l]);
}

static void add_homes(struct machine *m)
{
    for (unsigned i = 0; i < m->home_count; i++) {
        const struct home_counters counters = home_counters(m->homes[i]), *c = &counters;
        add(m, "home", "requests_count", c->requests);
        add(m, "home", "hits_count", c->hits);
        add(m, "home", "misses_count", c->misses);
        add(m, "home", "invalidations_sent_count", c->invalidations);
        add(m, "home", "forwards_sent_count", c->forwards);
        add(m, "home", "recalls_count", c->recalls);
        add(m, "home", "recalls_last_level_count", c->recalls_last_level);
        add(m, "home", "recalls_directory_count", c->recalls_directory);
        add(m, "home", "recalls_pointers_count", c->recalls_pointers);
        add(m, "home", "broadcasts_count", c->broadcasts);
        add(m, "home", "writebacks_count", c->writebacks);
        add(m, "home", "parked_count", c->parked);
        add(m, "home", "data_sent_count", c->data_sent);
    }
}

static void add_clusters(struct machine *m)
{
    for (unsigned i = 0; i < m->slice_count; i++) {
        struct cluster_counters c = cluster_counters(m->slices[i]);
        add(m, "cluster", "requests_count", c.requests);
        add(m, "cluster", "hits_count", c.hits);
        add(m, "cluster", "misses_count", c.misses);
        add(m, "cluster", "invalidations_sent_count", c.invalidations);
        add(m, "cluster", "forwards_sent_count", c.forwards);
        add(m, "cluster", "parked_count", c.parked);
        add(m, "cluster", "data_sent_count", c.data_sent);
        add(m, "cluster", "recalls_for_room_count", c.recalls_capacity);
        add(m, "cluster", "recalls_for_others_count", c.recalls_outside);
        add(m, "cluster", "demotions_count", c.demotions);
    }
}

static void add_net(struct machine *m)
{
    struct net_counters c = net_counters(m->net);
    for (unsigned k = 0; k < MSG_KIND_COUNT; k++)
        if (c.kind_count[k])
            machine_count(m, arena_printf(m->late, "net.sent_%s_count", msg_infos[k].name), c.kind_count[k]);
    add(m, "net", "bytes_count", c.byte_count);
    add(m, "net", "wait_ps", c.stages.wait_ps);
    add(m, "net", "wait_max_ps", c.stages.wait_max_ps);
    add(m, "net", "credit_stall_count", c.stages.credit_stall_count);
    if (m->desc.net.topology == NET_CROSSBAR)
        return; /* has no links */
    add(m, "net", "link_crossings_count", c.links.message_count);
    add(m, "net", "link_busy_ps", c.links.busy_ps);
    add(m, "net", "link_busy_max_ps", c.link_busy_max_ps);
    add(m, "net", "link_wait_ps", c.links.wait_ps);
}

static void add_drams(struct machine *m)
{
    for (unsigned i = 0; i < m->topology.memories; i++) {
        struct dram_counters c = dram_counters(m->drams[i]);
        add(m, "dram", "reads_count", c.read_count);
        add(m, "dram", "writes_count", c.write_count);
        add(m, "dram", "row_hits_count", c.hit_count);
        add(m, "dram", "row_empties_count", c.empty_count);
        add(m, "dram", "row_conflicts_count", c.conflict_count);
        add(m, "dram", "wait_ps", c.wait_ps);
    }
}

struct prefixed { struct machine *machine; const char *prefix; };

static void add_each(void *arg, const char *name, uint64_t value)
{
    const struct prefixed *p = arg;
    add(p->machine, p->prefix, name, value);
}

static void add_devices(struct machine *m)
{
    struct prefixed iommu = { m, "iommu" };
    if (m->iommu)
        iommu_each_counter(m->iommu, add_each, &iommu);
    for (unsigned i = 0; i < m->desc.devices.count; i++) {
        struct prefixed p = { m, arena_printf(m->late, "device%u", i) };
        dma_each_counter(m->devices[i], add_each, &p);
    }
}

static void add_oracle(struct machine *m)
{
    if (!m->oracle)
        return;
    const struct oracle_report *r = oracle_report(m->oracle);
    add(m, "oracle", "loads_judged_count", r->loads);
    add(m, "oracle", "atomics_judged_count", r->atomics);
    add(m, "oracle", "grants_judged_count", r->grants);
    add(m, "oracle", "lines_kept_count", r->lines_kept);
    add(m, "oracle", "lines_relost_count", r->lines_relost);
    add(m, "oracle", "lines_evicted_count", r->lines_evicted);
    add(m, "oracle", "dma_refused_count", r->dma_refused);
    add(m, "oracle", "dma_performed_watched_count", r->dma_performed_watched);
}

static void add_rows(struct machine *m)
{
    unsigned used = 0;
    for (unsigned s = 0; s < STATES_MAX; s++) {
        for (unsigned e = 0; e < CACHE_EVENT_COUNT; e++)
            used += m->row_counts.cache[s][e] > 0;
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++)
            used += m->row_counts.home[s][e] > 0;
    }
    add(m, "protocol", "rows_used_count", used);
    add(m, "protocol", "rows_count", protocol_row_count(m->protocol, CTL_CACHE) + protocol_row_count(m->protocol, CTL_HOME));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct named_count *)a)->name, ((const struct named_count *)b)->name);
}

void machine_collect(struct machine *m)
{
    add_harts(m);
    add_homes(m);
    add_clusters(m);
    add_net(m);
    add_drams(m);
    add_devices(m);
    add_oracle(m);
    add_rows(m);
    qsort(m->counted, m->counted_count, sizeof *m->counted, by_name);
    struct counter *out = arena_alloc(m->late, m->counted_count, sizeof *out);
    for (size_t i = 0; i < m->counted_count; i++) {
        MEAN_CHECK(counter_explain(m->counted[i].name, NULL, 0), "counter %s is in no dictionary", m->counted[i].name);
        out[i] = (struct counter){ m->counted[i].name, m->counted[i].value };
    }
    m->result.counters = out;
    m->result.counter_count = m->counted_count;
}
