/* src/machine/desc.h - the description of a machine and its kernel as the configuration gives it. */
#ifndef LAB_MACHINE_DESC_H
#define LAB_MACHINE_DESC_H

#include "models/coherence/home.h"
#include "models/device/dma.h"
#include "models/dram/dram.h"
#include "models/hart/hart.h"
#include "models/iommu/iommu.h"
#include "models/mmu/tlb.h"
#include "models/net/net.h"
#include "src/config/experiment.h"
#include "src/kern/kernel.h"

struct level_keys {     /* l1, l2 */
    uint64_t size_bytes;
    uint32_t ways;
    tick hit_ps;
    uint32_t mshrs, write_backs; /* l2 */
    tick snoop_ps, snoop_data_ps, snoop_occupancy_ps;
};

struct llc_keys {
    uint64_t size_bytes;         /* of all slices of a cluster */
    uint32_t ways, slices;
    int inclusion;               /* enum home_data, of its first three */
    uint32_t write_backs;        /* two levels: of a slice */
    tick lookup_ps, occupancy_ps, response_occupancy_ps;
    tick response_lookup_ps;     /* two levels */
};

enum machine_levels { LEVELS_AUTO, LEVELS_ONE, LEVELS_TWO };
enum home_placement { PLACE_INTERLEAVE, PLACE_FIRST_TOUCH, PLACE_RANGE };
enum home_per { HOME_PER_SOCKET, HOME_PER_CLUSTER };

struct home_keys {               /* where a line's home and its memory are */
    int placement;               /* enum home_placement */
    uint64_t granule_bytes;      /* of interleaving */
    bool agent;                  /* with one level too, memory is behind a home agent */
    int early_read;              /* enum home_early */
    int per;                     /* enum home_per; two levels */
    uint32_t count;              /* two levels: home agents of each socket or cluster */
    tick lookup_ps, occupancy_ps, response_occupancy_ps;
};

struct directory_keys {          /* of a home, where it is not part of an inclusive last level */
    uint64_t lines;              /* that one directory covers; 0: twice what can be cached below it */
    uint32_t ways, pointers;
    int overflow;                /* enum home_overflow */
};

enum { DEVICES_MAX = 16 };

struct device_keys {
    uint32_t count;
    struct dma_desc dma;
    uint32_t mshrs;              /* of a device's cache agent, and of the IOMMU's */
};

struct machine_desc {
    uint32_t sockets, clusters;  /* clusters: of a socket */
    uint32_t cores_per_socket;
    uint32_t cores;              /* all; derived */
    int levels;                  /* enum machine_levels; derived if auto */
    struct home_keys home;
    struct directory_keys directory;
    uint64_t clock_hz;
    struct hart_desc hart;
    struct level_keys l1, l2;
    struct llc_keys llc;
    struct net_desc net;
    tick net_jitter_ps;
    struct dram_desc dram;
    struct tlb_desc tlb;
    struct iommu_desc iommu;
    struct device_keys devices;
};

struct kernel_keys {
    uint64_t memory_bytes, scratch_bytes;
    int version, locks, pcp_locking, zeroing, shootdown;
    uint32_t nodes;
    const char *node_distances;
    uint8_t distance[NODES_MAX][NODES_MAX]; /* as read from it */
    bool zone_dma, zone_dma32;
    uint64_t movable_bytes;
    struct allocator_keys {
        int type;
        uint64_t min_free_kbytes;
        uint32_t watermark_scale_factor, watermark_boost_factor, lowmem_reserve_ratio_dma, lowmem_reserve_ratio_normal;
        uint32_t pcp_batch, pcp_high, compact_pageblocks;
        bool pcp_tuning;
    } allocator;
    struct page_cache_keys {
        uint32_t share, dirty;
        uint64_t writeback_ps, page_cycles;
    } page_cache;
    bool init_on_alloc;
    int zero_policy;
    uint32_t zero_pool_pages;
    uint32_t page_table_pages, iommu_table_pages;
    struct kern_costs costs;
};

struct check_keys {     /* checks: */
    bool oracle, values;
    uint32_t history;
    uint64_t line_history;
    tick watchdog_ps;
};

extern const struct param machine_params[], kernel_params[], check_params[], agent_params[];

/* Keys that every entry of agents: has besides its program's own. */
struct agent_keys {
    const char *name, *on, *program;
    uint64_t count, warmup;
    bool honours_lock;
};

/* Memories: of sockets or of clusters. */
uint32_t machine_memories(const struct machine_desc *);
/* Stops or tiles that a ring or mesh needs: cores, or slices and home agents, whichever are more. */
uint32_t machine_places(const struct machine_desc *);

/* Reads machine, kernel and checks of the document. False if diag has errors. */
bool machine_desc_read(struct experiment_doc *, struct arena *, struct diag *, struct machine_desc *, struct kernel_keys *,
                       struct check_keys *);

#endif
