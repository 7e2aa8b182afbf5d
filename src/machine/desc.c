/* src/machine/desc.c - parameter tables of machine, kernel and checks, and the rules between keys. */
#include "src/machine/desc.h"

#include "src/config/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define H(field) PARAM_FIELD(struct hart_desc, field)
static const struct param hart_params[] = {
    { .key = "store_buffer", .type = P_UINT, H(store_buffer), .max = 1024, .deflt = "42",
      .help = "Entries of the store buffer; 0: each store waits until it is visible." },
    { .key = "wc_buffers", .type = P_UINT, H(wc_buffers), .min = 1, .max = 32, .deflt = "10",
      .help = "Write-combining buffers for non-temporal stores." },
    { .key = "issue", .type = P_TIME, H(issue_ps), .max = PS_PER_US, .deflt = "1cycles",
      .help = "Time a store or prefetch occupies the hart." },
    { .key = "string_store", .type = P_TIME, H(string_store_ps), .max = PS_PER_US, .deflt = "2cycles",
      .help = "Time one line of a string store (rep stos) occupies the hart." },
    { .key = "commit", .type = P_TIME, H(commit_ps), .max = PS_PER_US, .deflt = "1cycles",
      .help = "Least time between two commits of the store buffer." },
    { .key = "fill", .type = P_TIME, H(fill_ps), .max = PS_PER_US, .deflt = "2cycles",
      .help = "From data at the private caches to use by the hart." },
    { .key = "atomic", .type = P_TIME, H(atomic_ps), .min = 1, .max = PS_PER_US, .deflt = "19cycles",
      .help = "A locked operation once the line is owned." },
    { .key = "fence", .type = P_TIME, H(fence_ps), .max = PS_PER_US, .deflt = "33cycles",
      .help = "mfence with an empty store buffer." },
    { .key = "load_fence", .type = P_TIME, H(load_fence_ps), .max = PS_PER_US, .deflt = "4cycles", .help = "lfence." },
    { .key = "spin", .type = P_TIME, H(spin_ps), .min = 1, .max = PS_PER_US, .deflt = "10cycles",
      .help = "One turn of a spin loop." },
    { .key = "tlb", .type = P_TIME, H(tlb_ps), .max = PS_PER_US, .deflt = "0ps",
      .help = "Added to a user access that hits the TLB (0: hidden behind the first-level lookup)." },
    { .key = "ipi_send", .type = P_TIME, H(ipi_send_ps), .max = PS_PER_MS, .deflt = "100cycles",
      .help = "The sender's write to the interrupt command register." },
    { .key = "ipi", .type = P_TIME, H(ipi_ps), .min = 1, .max = PS_PER_MS, .deflt = "500ns",
      .help = "From there to the target's interrupt pin." },
    { .key = "irq_entry", .type = P_TIME, H(irq_entry_ps), .max = PS_PER_MS, .deflt = "200cycles",
      .help = "From the pin to the handler's first instruction." },
    { .key = "irq_exit", .type = P_TIME, H(irq_exit_ps), .max = PS_PER_MS, .deflt = "100cycles",
      .help = "From the handler's last instruction back." },
    { .key = "mmio", .type = P_TIME, H(mmio_ps), .min = 1, .max = PS_PER_MS, .deflt = "250ns",
      .help = "One way from the hart to a device register." },
    { .key = "tlb_broadcast", .type = P_BOOL, H(tlb_broadcast), .deflt = "false",
      .help = "Has an instruction that invalidates a translation in all TLBs (hypothetical on most machines)." },
    { .key = NULL }
};
#undef H

#define L(field) PARAM_FIELD(struct level_keys, field)
#define CACHE_SIZE(default_size, default_ways, default_hit) \
    { .key = "size", .type = P_BYTES, L(size_bytes), .min = LINE_BYTES, .max = UINT64_C(1) << 30, .deflt = default_size, \
      .help = "Capacity per core." }, \
    { .key = "ways", .type = P_UINT, L(ways), .min = 1, .max = 64, .deflt = default_ways, .help = "Lines that share a set." }, \
    { .key = "hit", .type = P_TIME, L(hit_ps), .min = 1, .max = PS_PER_US, .deflt = default_hit, \
      .help = "Load to use, counted from the start of the load." }
static const struct param l1_params[] = { CACHE_SIZE("32KiB", "8", "4cycles"), { .key = NULL } };
static const struct param l2_params[] = {
    CACHE_SIZE("256KiB", "8", "12cycles"),
    { .key = "mshrs", .type = P_UINT, L(mshrs), .min = 1, .max = 256, .deflt = "10",
      .help = "Transactions of a core under way at once." },
    { .key = "write_backs", .type = P_UINT, L(write_backs), .min = 1, .max = 256, .deflt = "16",
      .help = "Victims on their way home, those promised to transactions under way included." },
    { .key = "snoop", .type = P_TIME, L(snoop_ps), .max = PS_PER_US, .deflt = "10cycles",
      .help = "From a forward's arrival to its answer." },
    { .key = "snoop_data", .type = P_TIME, L(snoop_data_ps), .max = PS_PER_US, .deflt = "0ps",
      .help = "Added for a forward, whose answer carries the line; an invalidation's is a look at the tags." },
    { .key = "snoop_occupancy", .type = P_TIME, L(snoop_occupancy_ps), .max = PS_PER_US, .deflt = "1cycles",
      .help = "Least time between two forwards." },
    { .key = NULL }
};
#undef L

static const char *const inclusion_names[] = { "inclusive", "non-inclusive", "victim", NULL }; /* as enum home_data */
#define C(field) PARAM_FIELD(struct llc_keys, field)
static const struct param llc_params[] = {
    { .key = "size", .type = P_BYTES, C(size_bytes), .min = LINE_BYTES, .max = UINT64_C(1) << 34, .deflt = "16MiB",
      .help = "Capacity of all slices of a cluster together; inclusive of the private caches." },
    { .key = "ways", .type = P_UINT, C(ways), .min = 1, .max = 64, .deflt = "16", .help = "Lines that share a set." },
    { .key = "inclusion", .type = P_CHOICE, C(inclusion), .deflt = "inclusive", .choices = inclusion_names,
      .help = "inclusive: holds what the private caches hold, and is the directory; non-inclusive: filled from memory, may drop what "
              "they hold; victim: filled by what they give back only. The latter two with one level." },
    { .key = "write_backs", .type = P_UINT, C(write_backs), .min = 1, .max = 256, .deflt = "16",
      .help = "With two levels: lines of a slice on their way to their homes, beside those it holds." },
    { .key = "slices", .type = P_UINT, C(slices), .min = 1, .max = 256, .deflt = "4",
      .help = "Slices of a cluster, each the home of the lines that hash to it." },
    { .key = "lookup", .type = P_TIME, C(lookup_ps), .max = PS_PER_US, .deflt = "8cycles",
      .help = "From the start of service to the home's action." },
    { .key = "response_lookup", .type = P_TIME, C(response_lookup_ps), .max = PS_PER_US, .deflt = "8cycles",
      .help = "With two levels, the same for data, write-backs and acknowledgements, whose line is expected." },
    { .key = "occupancy", .type = P_TIME, C(occupancy_ps), .max = PS_PER_US, .deflt = "1cycles",
      .help = "Least time between two requests at one slice." },
    { .key = "response_occupancy", .type = P_TIME, C(response_occupancy_ps), .max = PS_PER_US, .deflt = "0.5cycles",
      .help = "The same for completions, write-backs and acknowledgements." },
    { .key = NULL }
};
#undef C

static const char *const placement_names[] = { "interleave", "first-touch", "range", NULL };
static const char *const early_names[] = { "none", "own", "all", NULL }; /* as enum home_early */
static const char *const per_names[] = { "socket", "cluster", NULL };
#define O(field) PARAM_FIELD(struct home_keys, field)
static const struct param home_params[] = {
    { .key = "placement", .type = P_CHOICE, O(placement), .deflt = "interleave", .choices = placement_names,
      .help = "Which socket's (or die's) memory a line lies in. interleave: in turns; first-touch: where the core is that asks for "
              "its page first; range: equal contiguous parts." },
    { .key = "granule", .type = P_BYTES, O(granule_bytes), .min = LINE_BYTES, .max = UINT64_C(1) << 40, .flags = PARAM_POW2, .deflt = "4KiB",
      .help = "With interleave: so many bytes from each in turn." },
    { .key = "agent", .type = P_BOOL, O(agent), .deflt = "false",
      .help = "Memory is behind home agents with one level too: the time to one and back, its lookup and the last level's "
              "response lookup are added to memory's, so that a machine of one socket and one of several agree about their own memory." },
    { .key = "early_read", .type = P_CHOICE, O(early_read), .deflt = "none", .choices = early_names,
      .help = "For whose requests memory is read while the home looks the line up, so that the lookup adds nothing to the time of what "
              "comes from there: nobody's, those of the home's own cluster (or socket, with two levels), all." },
    { .key = "per", .type = P_CHOICE, O(per), .deflt = "socket", .choices = per_names,
      .help = "With two levels: each socket or each cluster has its own memory and home agents." },
    { .key = "count", .type = P_UINT, O(count), .min = 1, .max = 64, .deflt = "1", .help = "With two levels: home agents of each." },
    { .key = "lookup", .type = P_TIME, O(lookup_ps), .max = PS_PER_US, .deflt = "8cycles",
      .help = "From the start of service at a home agent to its action." },
    { .key = "occupancy", .type = P_TIME, O(occupancy_ps), .max = PS_PER_US, .deflt = "1cycles",
      .help = "Least time between two requests at one home agent." },
    { .key = "response_occupancy", .type = P_TIME, O(response_occupancy_ps), .max = PS_PER_US, .deflt = "0.5cycles",
      .help = "The same for completions, write-backs and acknowledgements." },
    { .key = NULL }
};
#undef O

static const char *const overflow_names[] = { "recall", "broadcast", NULL }; /* as enum home_overflow */
#define R(field) PARAM_FIELD(struct directory_keys, field)
static const struct param directory_params[] = {
    { .key = "lines", .type = P_UINT, R(lines), .max = UINT64_C(1) << 32, .deflt = "0",
      .help = "Lines that the directory of one home covers (rounded up to a power of two of sets); copies of lines that it forgets are "
              "recalled. 0: twice what the caches below can hold. An inclusive last level of one level is its own directory." },
    { .key = "ways", .type = P_UINT, R(ways), .min = 1, .max = 64, .deflt = "16", .help = "Lines that share a set of the directory." },
    { .key = "pointers", .type = P_UINT, R(pointers), .max = AGENTS_MAX, .deflt = "0",
      .help = "Sharers that an entry can name; 0: all (full map)." },
    { .key = "overflow", .type = P_CHOICE, R(overflow), .deflt = "recall", .choices = overflow_names,
      .help = "With one sharer more than pointers. recall: all copies come back first; broadcast: everyone counts as a sharer from then "
              "on." },
    { .key = NULL }
};
#undef R

static const char *const level_names[] = { "auto", "one", "two", NULL };

#define D(field) PARAM_FIELD(struct device_keys, field)
static const struct param device_params[] = {
    { .key = "count", .type = P_UINT, D(count), .max = DEVICES_MAX, .deflt = "0", .help = "DMA devices." },
    { .key = "mshrs", .type = P_UINT, D(mshrs), .min = 1, .max = 64, .deflt = "16",
      .help = "Coherent accesses of one device (and of the IOMMU) under way at once." },
    { .key = "dma", .type = P_GROUP, .offset = offsetof(struct device_keys, dma), .group = dma_params, .help = "The DMA engine." },
    { .key = NULL }
};
#undef D

#define M(field) PARAM_FIELD(struct machine_desc, field)
#define GROUP(field) .type = P_GROUP, .offset = offsetof(struct machine_desc, field)
const struct param machine_params[] = {
    { .key = "sockets", .type = P_UINT, M(sockets), .min = 1, .max = 64, .deflt = "1", .help = "Sockets." },
    { .key = "clusters", .type = P_UINT, M(clusters), .min = 1, .max = 64, .deflt = "1",
      .help = "Clusters of a socket (dies, core complexes), each with a last level of its own." },
    { .key = "cores", .type = P_UINT, M(cores_per_socket), .min = 1, .max = HARTS_MAX, .deflt = "4",
      .help = "Cores of a socket, one hart each." },
    { .key = "levels", .type = P_CHOICE, M(levels), .deflt = "auto", .choices = level_names,
      .help = "one: the last-level slices are the homes of the lines of their memory. two: a cluster's last level is home for its "
              "caches and one cache towards global homes. auto: two if there is more than one cluster." },
    { .key = "directory", GROUP(directory), .group = directory_params, .help = "The homes' directory." },
    { .key = "home", GROUP(home), .group = home_params, .help = "Where lines have their homes, and the home agents of two levels." },
    { .key = "clock", .type = P_HZ, M(clock_hz), .min = 1000000, .max = UINT64_C(100000000000), .deflt = "2GHz",
      .help = "Clock of cores and caches; a period is rounded to whole picoseconds." },
    { .key = "hart", GROUP(hart), .group = hart_params, .help = "The in-order hart of each core." },
    { .key = "l1", GROUP(l1), .group = l1_params, .help = "First-level data cache." },
    { .key = "l2", GROUP(l2), .group = l2_params, .help = "Second-level cache, inclusive of the first." },
    { .key = "llc", GROUP(llc), .group = llc_params, .help = "Last level: slices with full-map directory." },
    { .key = "net", GROUP(net), .group = net_params, .help = "Network between cores and slices." },
    { .key = "net_jitter", .type = P_TIME, .flags = PARAM_ADVANCED, M(net_jitter_ps), .max = PS_PER_US, .deflt = "0ps",
      .help = "Test aid: each wire takes up to this much longer, at random, and messages may overtake." },
    { .key = "dram", GROUP(dram), .group = dram_params, .help = "Memory channels." },
    { .key = "tlb", GROUP(tlb), .group = tlb_params, .help = "Data TLB of each hart." },
    { .key = "iommu", GROUP(iommu), .group = iommu_params, .help = "IOMMU of all devices." },
    { .key = "devices", GROUP(devices), .group = device_params, .help = "Devices behind the IOMMU." },
    { .key = NULL }
};
#undef GROUP
#undef M

static const char *const lock_names[] = { "tas", "ticket", "queued", NULL };
static const char *const pcp_locking_names[] = { "5.15", "6.0", "6.2", "auto", NULL }; /* as enum pcp_locking */
static const char *const zeroing_names[] = { "string", "store", "nt", NULL };
static const char *const shootdown_names[] = { "ipi", "broadcast", "auto", NULL };
static const char *const allocator_names[] = { "buddy", "llfree", "freelist", "bitmap", NULL };
static const char *const zero_policy_names[] = { "on-demand", "on-free", "pool", NULL };

#define A(field) PARAM_FIELD(struct allocator_keys, field)
static const struct param allocator_params[] = {
    { .key = "type", .type = P_CHOICE, A(type), .deflt = "buddy", .choices = allocator_names,
      .help = "Who finds free pages: the buddy system with per-CPU lists of Linux, lock-free trees (LLFree), one free list, one bitmap." },
    { .key = "min_free_kbytes", .type = P_UINT, A(min_free_kbytes), .max = UINT64_C(1) << 32, .deflt = "0",
      .help = "The min watermark in KiB; 0: from the memory size, as Linux does." },
    { .key = "watermark_scale_factor", .type = P_UINT, A(watermark_scale_factor), .min = 1, .max = 1000, .deflt = "10",
      .help = "Distance of the watermarks, in 1/10000 of the zone." },
    { .key = "watermark_boost_factor", .type = P_UINT, A(watermark_boost_factor), .max = 1000000, .deflt = "15000",
      .help = "How far a fallback that mixes mobilities may raise the watermarks, in 1/10000 of high; 0: not at all." },
    { .key = "lowmem_reserve_ratio_dma", .type = P_UINT, A(lowmem_reserve_ratio_dma), .max = 1000000, .deflt = "256",
      .help = "What requests for higher zones must leave in DMA and DMA32: the higher zones' pages over this; 0: nothing." },
    { .key = "lowmem_reserve_ratio_normal", .type = P_UINT, A(lowmem_reserve_ratio_normal), .max = 1000000, .deflt = "32",
      .help = "The same for NORMAL." },
    { .key = "compact_pageblocks", .type = P_UINT, .flags = PARAM_ADVANCED, A(compact_pageblocks), .max = 100000, .deflt = "4",
      .help = "Movable pageblocks of a zone that one attempt of compaction looks through." },
    { .key = "pcp_batch", .type = P_UINT, A(pcp_batch), .max = 1024, .deflt = "0",
      .help = "Pages moved at once between per-CPU list and zone; 0: from the zone size." },
    { .key = "pcp_high", .type = P_UINT, A(pcp_high), .max = 1000000, .deflt = "0",
      .help = "Pages on a per-CPU list at most; 0: from the low watermark." },
    { .key = "pcp_tuning", .type = P_BOOL, A(pcp_tuning), .deflt = "false",
      .help = "Sizes of the per-CPU lists follow demand, as in Linux since 6.7; not with pcp_high." },
    { .key = NULL }
};
#undef A

#define C(field) PARAM_FIELD(struct page_cache_keys, field)
static const struct param page_cache_params[] = {
    { .key = "share", .type = P_PERMYRIAD, C(share), .max = 9000, .deflt = "0%",
      .help = "How much of every zone holds page cache at boot; 0: nothing can be reclaimed." },
    { .key = "dirty", .type = P_PERMYRIAD, C(dirty), .max = 10000, .deflt = "0%",
      .help = "How much of it must be written back before it can be reclaimed." },
    { .key = "writeback", .type = P_TIME, C(writeback_ps), .max = PS_PER_S, .deflt = "100us",
      .help = "Time from the decision to write a page back until it is clean (a guess: an SSD's write)." },
    { .key = "page", .type = P_CYCLES, C(page_cycles), .max = 1000000, .deflt = "1000cycles",
      .help = "Work to unmap a page and to take it out of its file, besides the traffic of its list (a guess)." },
    { .key = NULL }
};
#undef C

#define X(name, cycles, path) \
    { .key = #name, .type = P_UINT, .flags = PARAM_ADVANCED, PARAM_FIELD(struct kern_costs, name), .max = 1000000, .help = path "." },
static const struct param cost_params[] = { KERN_COST_LIST(X) { .key = NULL } };
#undef X

#define K(field) PARAM_FIELD(struct kernel_keys, field)
const struct param kernel_params[] = {
    { .key = "memory", .type = P_BYTES, K(memory_bytes), .min = 16u << 20, .max = UINT64_C(1) << 40, .deflt = "1GiB",
      .help = "Physical memory; a multiple of 4 MiB." },
    { .key = "version", .type = P_CHOICE, K(version), .deflt = "6.8", .choices = kernel_version_names,
      .help = "Version of Linux whose flags, reserves and fallback rules hold." },
    { .key = "nodes", .type = P_UINT, K(nodes), .max = NODES_MAX, .deflt = "0",
      .help = "NUMA nodes; memory and cores are split evenly, in order. 0: one for each memory of the machine if machine.home.placement is range, else 1." },
    { .key = "node_distances", .type = P_STRING, K(node_distances), .deflt = "",
      .help = "Rows of the distance table, as in ACPI SLIT: '10 21; 21 10'; empty: 10 to itself, 20 to all others." },
    { .key = "zone_dma", .type = P_BOOL, K(zone_dma), .deflt = "true", .help = "A zone DMA of the first 16 MiB (CONFIG_ZONE_DMA)." },
    { .key = "zone_dma32", .type = P_BOOL, K(zone_dma32), .deflt = "true",
      .help = "A zone DMA32 of what lies below 4 GiB (CONFIG_ZONE_DMA32)." },
    { .key = "movable", .type = P_BYTES, K(movable_bytes), .max = UINT64_C(1) << 40, .deflt = "0B",
      .help = "Memory of zone MOVABLE, an equal part at the top of every node (movablecore=)." },
    { .key = "scratch", .type = P_BYTES, K(scratch_bytes), .min = PAGE_BYTES, .max = UINT64_C(1) << 36, .deflt = "4MiB",
      .help = "Of it, zeroed memory set aside for the programs' own data." },
    { .key = "locks", .type = P_CHOICE, K(locks), .deflt = "queued", .choices = lock_names, .help = "Kind of every spin lock." },
    { .key = "allocator", .type = P_GROUP, .offset = offsetof(struct kernel_keys, allocator), .group = allocator_params,
      .help = "The page allocator." },
    { .key = "page_cache", .type = P_GROUP, .offset = offsetof(struct kernel_keys, page_cache), .group = page_cache_params,
      .help = "Pages of files, which reclaim can get back." },
    { .key = "pcp_locking", .type = P_CHOICE, K(pcp_locking), .deflt = "auto", .choices = pcp_locking_names,
      .help = "Locking of the per-CPU lists as in that kernel: 5.15 by interrupts off alone, 6.0 a lock with interrupts off, 6.2 with interrupts on; auto: as in version." },
    { .key = "zeroing", .type = P_CHOICE, K(zeroing), .deflt = "string", .choices = zeroing_names,
      .help = "How a page is cleared: string stores, 8-byte stores, non-temporal stores." },
    { .key = "zero_policy", .type = P_CHOICE, K(zero_policy), .deflt = "on-demand", .choices = zero_policy_names,
      .help = "When pages are cleared: when zero is wanted, when they are freed, or ahead of time by page-zeroer into a pool." },
    { .key = "zero_pool", .type = P_UINT, K(zero_pool_pages), .min = 1, .max = 1000000, .deflt = "64",
      .help = "Pages that the pool of cleared pages is filled up to, for each node." },
    { .key = "init_on_alloc", .type = P_BOOL, K(init_on_alloc), .deflt = "false", .help = "Clear every page on allocation." },
    { .key = "shootdown", .type = P_CHOICE, K(shootdown), .deflt = "auto", .choices = shootdown_names,
      .help = "How a translation is removed from other TLBs." },
    { .key = "page_table_pages", .type = P_UINT, .flags = PARAM_ADVANCED, K(page_table_pages), .min = 8, .max = 100000,
      .deflt = "64", .help = "Pool of pages for user page tables." },
    { .key = "iommu_table_pages", .type = P_UINT, .flags = PARAM_ADVANCED, K(iommu_table_pages), .min = 8, .max = 100000,
      .deflt = "64", .help = "Pool of pages for IOMMU tables." },
    { .key = "costs", .type = P_GROUP, .flags = PARAM_ADVANCED, .offset = offsetof(struct kernel_keys, costs),
      .group = cost_params, .help = "Instruction work between memory accesses, in cycles." },
    { .key = NULL }
};
#undef K

#define V(field) PARAM_FIELD(struct check_keys, field)
const struct param check_params[] = {
    { .key = "oracle", .type = P_BOOL, V(oracle), .deflt = "true", .help = "Judge grants, copies and page frames." },
    { .key = "values", .type = P_BOOL, V(values), .deflt = "true", .help = "Judge the value of every load and atomic." },
    { .key = "history", .type = P_UINT, V(history), .max = 65536, .deflt = "64", .help = "Events remembered per granted page." },
    { .key = "line_history", .type = P_UINT, V(line_history), .min = 16, .max = UINT64_C(1) << 24, .deflt = "4096",
      .help = "Protocol transitions remembered, of all lines together." },
    { .key = "watchdog", .type = P_TIME, V(watchdog_ps), .min = PS_PER_US, .deflt = "100ms",
      .help = "Simulated time without any finished operation or request, and nobody asleep, after which the run is stuck." },
    { .key = NULL }
};
#undef V

#define G(field) PARAM_FIELD(struct agent_keys, field)
const struct param agent_params[] = {
    { .key = "name", .type = P_STRING, .flags = PARAM_REQUIRED, G(name), .help = "Names the entry in paths and counters." },
    { .key = "on", .type = P_STRING, .flags = PARAM_REQUIRED, G(on),
      .help = "Where it runs: core0, core1-, core2-5, all, device0." },
    { .key = "program", .type = P_STRING, .flags = PARAM_REQUIRED, G(program), .help = "What it does: see `list programs`." },
    { .key = "count", .type = P_UINT, G(count), .max = UINT64_C(1) << 48, .deflt = "0",
      .help = "Operations of each member; 0: background, runs until the others are done." },
    { .key = "warmup", .type = P_UINT, G(warmup), .max = UINT64_C(1) << 48, .deflt = "0",
      .help = "Operations before that, not recorded." },
    { .key = "honours_lock", .type = P_BOOL, G(honours_lock), .deflt = "true",
      .help = "Declares that it never touches a page locked by another; false if not given for a program on a device." },
    { .key = NULL }
};
#undef G

/* ---- rules between keys */

enum { MEMORY_UNIT_BYTES = 4 << 20, NODE_MIN_BYTES = 16 << 20 };

/* What the user wrote himself, where a group of the base is overridden in part; else the group. */
static struct node *blamed(struct node *group)
{
    for (struct node *n = group && group->kind == NODE_MAPPING ? group->first : NULL; n; n = n->next)
        if (strcmp(n->at.file, group->at.file) != 0)
            return n;
    return group;
}

static void group_error(struct diag *diag, struct node *machine, const char *key, const char *rule, const char *what)
{
    struct node *at = blamed(node_peek(machine, key));
    node_error(diag, at ? at : machine, rule, "%s: %s", key, what);
}

static bool power_of_two(uint64_t v) { return v && (v & (v - 1)) == 0; }

static void check_sets(struct diag *diag, struct node *machine, const char *key, uint64_t bytes, uint64_t ways, uint64_t parts)
{
    char what[200];
    uint64_t line_ways = ways * parts * LINE_BYTES;
    if (bytes % line_ways || !power_of_two(bytes / line_ways)) {
        snprintf(what, sizeof what, "%" PRIu64 " bytes in %" PRIu64 " ways%s of 64-byte lines are %" PRIu64 ".%02" PRIu64 " sets, which is not a power of two",
                 bytes, ways, parts > 1 ? " per slice" : "", bytes / line_ways, bytes % line_ways * 100 / line_ways);
        group_error(diag, machine, key, "The set index is taken from address bits, so the number of sets (size / ways / slices / 64) must be a power of two.",
                    what);
    }
}

/* At that key of net: if it is given; NULL: it is not. */
static struct node *net_error(struct diag *diag, struct node *machine, const char *key, const char *rule, const char *what)
{
    struct node *group = node_peek(machine, "net"), *at = node_peek(group, key);
    node_error(diag, at ? at : group ? blamed(group) : machine, rule, "%s", what);
    return at;
}

uint32_t machine_memories(const struct machine_desc *m)
{
    return m->levels == LEVELS_TWO && m->home.per == HOME_PER_SOCKET ? m->sockets : m->sockets * m->clusters;
}

uint32_t machine_places(const struct machine_desc *m)
{
    uint32_t homes = m->sockets * m->clusters * m->llc.slices;
    if (m->levels == LEVELS_TWO)
        homes += m->home.count * machine_memories(m);
    return m->cores > homes ? m->cores : homes;
}

static void check_net(struct diag *diag, struct node *machine, struct machine_desc *m)
{
    char why[NET_WHY_BYTES];
    const struct net_desc *n = &m->net;
    uint32_t places = machine_places(m);
    if (n->topology == NET_MESH && (uint64_t)n->columns * n->rows > NET_TILES_MAX)
        group_error(diag, machine, "net", "At most 1024 tiles.", "columns times rows is too many");
    if (n->topology == NET_MESH && (uint64_t)n->columns * n->rows < places)
        group_error(diag, machine, "net", "In a mesh every core and every slice has a tile: columns times rows must be at least their number.",
                    "too few tiles for the cores or the slices");
    if (n->topology == NET_RING && n->stops < places && (n->stops || places > NET_STOPS_MAX))
        net_error(diag, machine, "stops", "In a ring every core and every slice has a stop: stops must be at least their number, and at most 256.",
                    "too few stops for the cores or the slices");
    const char *key = net_desc_error(n, why, sizeof why);
    if (!key)
        return;
    static const char rule[] = "Links join groups 0 .. groups - 1 and hubs beyond: full, ring, hypercube, twisted-hypercube, star, glueless or a "
                               "list such as \"0=1 1-2\".";
    struct node *at = net_error(diag, machine, key, rule, why);
    if (at && isalpha((unsigned char)at->text[0]) && choice_parse(at->text, net_link_shapes) < 0)
        diag_suggest(diag, at->text, net_link_shapes, NET_LINK_SHAPES);
}

/* Groups of the network are the clusters, unless the machine has only one. */
static void derive_groups(struct diag *diag, struct node *machine, struct machine_desc *m)
{
    uint32_t clusters = m->sockets * m->clusters;
    if (m->net.topology != NET_GROUPS || clusters == 1)
        return;
    struct node *net = node_peek(machine, "net");
    if (node_peek(net, "groups") && m->net.groups != clusters)
        net_error(diag, machine, "groups", "Groups are the clusters; leave the key out.", "not as many groups as clusters");
    m->net.groups = clusters;
    if (!node_peek(net, "package"))
        m->net.package = m->clusters;
}

/* What follows from other keys. */
static void derive(struct diag *diag, struct node *machine, struct machine_desc *m)
{
    uint32_t clusters = m->sockets * m->clusters;
    m->cores = m->sockets * m->cores_per_socket;
    if (m->levels == LEVELS_AUTO)
        m->levels = clusters > 1 ? LEVELS_TWO : LEVELS_ONE;
    if (m->cores > HARTS_MAX) {
        group_error(diag, machine, "sockets", "At most 256 cores in all.", "sockets times cores is too many");
        m->cores = HARTS_MAX;
    }
    if (m->cores_per_socket % m->clusters)
        group_error(diag, machine, "clusters", "Clusters of a socket have the same number of cores.", "cores is not a multiple");
    if (m->levels == LEVELS_TWO && m->llc.inclusion != HOME_INCLUSIVE)
        group_error(diag, machine, "llc", "With two levels a cluster's last level includes what its caches hold; or use levels: one.",
                    "inclusion must be inclusive");
    if (m->levels == LEVELS_ONE && m->llc.inclusion == HOME_INCLUSIVE && m->directory.lines)
        group_error(diag, machine, "directory", "An inclusive last level of one level is its own directory, entry by entry.",
                    "lines has no meaning here");
    derive_groups(diag, machine, m);
}

static void check_machine(struct diag *diag, struct node *machine, struct machine_desc *m)
{
    derive(diag, machine, m);
    check_sets(diag, machine, "l1", m->l1.size_bytes, m->l1.ways, 1);
    check_sets(diag, machine, "l2", m->l2.size_bytes, m->l2.ways, 1);
    check_sets(diag, machine, "llc", m->llc.size_bytes, m->llc.ways, m->llc.slices);
    if (m->l1.size_bytes > m->l2.size_bytes)
        group_error(diag, machine, "l1", "The second level is inclusive of the first.", "larger than l2");
    if (m->l1.hit_ps > m->l2.hit_ps)
        group_error(diag, machine, "l2", "A second-level hit includes the first-level lookup.", "hit is shorter than l1.hit");
    if (m->llc.inclusion == HOME_INCLUSIVE && m->l2.size_bytes * m->cores > m->llc.size_bytes * m->sockets * m->clusters * 16)
        group_error(diag, machine, "llc", "The last level is inclusive: what it evicts leaves the private caches too.",
                    "less than a sixteenth of all second-level caches");
    check_net(diag, machine, m);
    const char *text = tlb_desc_error(&m->tlb);
    if (text)
        group_error(diag, machine, "tlb", text, "entries and ways do not fit together");
    text = iommu_desc_error(&m->iommu);
    if (text)
        group_error(diag, machine, "iommu", text, "the numbers do not fit together");
    if (m->cores + m->devices.count + 1 > AGENTS_MAX)
        group_error(diag, machine, "devices", "A sharer set holds 320 agents.", "cores and devices are too many");
}

/* "10 21; 21 10": nodes rows of nodes numbers, 10 on the diagonal and more elsewhere. NULL, or what is wrong. */
static const char *read_distances(struct kernel_keys *k)
{
    const char *at = k->node_distances;
    memset(k->distance, 0, sizeof k->distance);
    for (unsigned i = 0; *at && i < k->nodes * k->nodes; i++) {
        char *end;
        unsigned long v = strtoul(at, &end, 10);
        unsigned row = i / k->nodes, column = i % k->nodes;
        if (end == at || v < 10 || v > 254 || (v == 10) != (row == column))
            return "each distance is a number from 11 to 254, and 10 from a node to itself";
        k->distance[row][column] = (uint8_t)v;
        at = end + strspn(end, " ,");
        if (column + 1 == k->nodes && i + 1 < k->nodes * k->nodes) {
            if (*at != ';')
                return "there must be as many rows as nodes, with ';' between them";
            at++;
        } else if (column + 1 < k->nodes && (*at == ';' || !*at)) {
            return "each row needs as many distances as there are nodes";
        }
    }
    return *at ? "there are more distances than nodes" : NULL;
}

/* A node's memory is that of its cores only where the machine's memories are contiguous parts: as many nodes as memories,
 * or as the kernel can have. */
static uint32_t nodes_of(const struct machine_desc *m, const struct kernel_keys *k)
{
    uint32_t memories = machine_memories(m);
    uint32_t nodes = m->home.placement == PLACE_RANGE ? memories : 1;
    while (nodes > 1 && (memories % nodes || nodes > NODES_MAX || k->memory_bytes % (nodes * MEMORY_UNIT_BYTES) ||
                         k->memory_bytes / nodes < NODE_MIN_BYTES))
        nodes--;
    return nodes;
}

static void derive_kernel(const struct machine_desc *m, struct kernel_keys *k)
{
    if (k->nodes == 0)
        k->nodes = nodes_of(m, k);
    if (k->pcp_locking == PCP_LOCKINGS) /* auto */
        k->pcp_locking = (int)kernel_rules((enum kernel_version)k->version)->pcp_locking;
}

bool machine_desc_read(struct experiment_doc *doc, struct arena *arena, struct diag *diag, struct machine_desc *m,
                       struct kernel_keys *k, struct check_keys *c)
{
    size_t before = diag_count(diag);
    struct param_ctx ctx = { .arena = arena, .diag = diag, .at = { .file = doc->path, .line = 1, .column = 1 }, .path = "machine" };
    static const char *const texts[] = { "name", "title", "description", "kind", "base", "sources", "claims", NULL };
    struct param clock_only[] = { { 0 }, { .key = NULL } };
    for (const struct param *p = machine_params; p->key; p++)
        if (p->offset == offsetof(struct machine_desc, clock_hz))
            clock_only[0] = *p;
    param_fill(doc->machine, clock_only, m, &ctx);
    ctx.period_ps = hz_period_ps(m->clock_hz);
    param_fill(doc->machine, machine_params, m, &ctx);
    m->hart.clock.period_ps = ctx.period_ps;
    for (unsigned i = 0; doc->machine && texts[i]; i++) {
        struct node *n = node_get(doc->machine, texts[i]);
        if (n)
            node_use_all(n);
    }
    ctx.path = "kernel";
    k->costs = kern_costs_default();
    param_fill(doc->kernel, kernel_params, k, &ctx);
    ctx.path = "checks";
    param_fill(node_get(doc->root, "checks"), check_params, c, &ctx);
    m->hart.l1_ps = m->l1.hit_ps;
    m->hart.l2_ps = m->l2.hit_ps;
    if (diag_count(diag) != before)
        return false;
    check_machine(diag, doc->machine ? doc->machine : doc->root, m);
    if (k->memory_bytes % MEMORY_UNIT_BYTES)
        node_error(diag, node_peek(doc->kernel, "memory"), "Memory is made of blocks of the highest order, 4 MiB.",
                   "this is not a multiple of 4 MiB");
    derive_kernel(m, k);
    const char *wrong = read_distances(k);
    if (wrong)
        node_error(diag, node_peek(doc->kernel, "node_distances"), "A table of the distances between nodes: '10 21; 21 10'.", "%s", wrong);
    if (k->shootdown == SHOOTDOWN_BROADCAST && !m->hart.tlb_broadcast)
        node_error(diag, node_peek(doc->kernel, "shootdown"), "Broadcast shootdown needs an instruction that most machines lack: machine.hart.tlb_broadcast: true.",
                   "this machine has no broadcast invalidation");
    return diag_count(diag) == before;
}
