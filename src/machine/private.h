/* src/machine/private.h - the inside of a machine, shared by the files of this folder only. */
#ifndef LAB_MACHINE_PRIVATE_H
#define LAB_MACHINE_PRIVATE_H

#include "models/cache/cache.h"
#include "models/cache/port.h"
#include "models/coherence/cluster.h"
#include "models/coherence/home.h"
#include "src/config/emit.h"
#include "src/config/quantity.h"
#include "src/machine/desc.h"
#include "src/machine/machine.h"
#include "src/machine/topology.h"
#include "src/machine/watch.h"
#include "src/oracle/oracle.h"
#include "src/sim/backdoor.h"
#include "src/work/program.h"

struct named_count { const char *name; uint64_t value; };

struct agent_entry {            /* one entry of agents: */
    struct agent_keys keys;
    const struct program *program;
    void *desc;
    unsigned first_agent, members;
};

struct machine {
    struct arena *arena;            /* sealed once the machine is built */
    struct arena *late;             /* texts of the result: violations, explanations */
    struct experiment_doc *doc;
    struct run_options options;
    struct machine_desc desc;
    struct kernel_keys kernel_keys;
    struct check_keys checks;
    struct engine *engine;
    struct component_list components;
    struct account *account;
    struct history *history;
    struct memory *memory;
    struct backdoor backdoor;
    struct protocol *protocol;
    struct row_counts row_counts;
    struct net *net;
    struct topology topology;
    struct dram **drams;            /* by memory */
    unsigned agents;                /* cache agents: harts, devices, IOMMU */
    unsigned home_count, slice_count;
    struct home **homes;
    struct cluster **slices;        /* last-level slices of all clusters; two levels */
    struct cache **caches;          /* by agent */
    struct hart **harts;
    struct tlb **tlbs;
    struct device_port **ports;     /* devices, then the IOMMU's */
    struct iommu *iommu;
    struct dma_engine **devices;
    struct mmio_target iommu_registers;
    struct kernel kernel;
    struct observer observer;
    struct inspector inspector;
    struct oracle *oracle;
    struct work work;
    struct agent_entry *entries;
    unsigned entry_count, unfinished;
    struct named_count *counted;    /* by k_count */
    size_t counted_count, counted_cap;
    /* progress and stop */
    uint64_t operations_done, operations_total, operations_seen;
    struct trace *trace;            /* NULL: none is asked for */
    struct watcher watchers[WATCHERS_MAX];
    unsigned watcher_count;
    const char **node_names;        /* by network node; NULL until somebody looks on */
    tick slice_until;               /* of the watchdog, and */
    uint64_t slice_seen;            /* the progress at its beginning */
    bool slice_open;
    bool stopped;
    enum run_stop stop;
    const char *stop_text, *first_failure, *first_refusal;
    struct violation *violations;
    size_t violation_count;
    struct result result;
    double host_seconds;
};

/* build.c */
bool machine_wire(struct machine *, struct diag *);
void machine_unwire(struct machine *);
/* agents.c */
bool agents_read(struct machine *, struct diag *);      /* after the description, before wiring */
bool agents_prepare(struct machine *, struct diag *);   /* after wiring */
/* inspect.c */
void machine_inspector(struct machine *);
void machine_describe_line(struct machine *, lineno, FILE *); /* what its homes know */
/* stop.c */
void machine_stop(struct machine *, enum run_stop, const char *text);
violation_fn machine_violation;
void machine_illegal(void *machine, unsigned hart, const char *text);
void machine_protocol_error(void *machine, unsigned agent, lineno, const char *text);
const char *machine_agent_name(void *machine, unsigned agent);
/* counters.c */
void machine_count(void *machine, const char *counter, uint64_t add);
void machine_collect(struct machine *);
/* trace.c */
void trace_start(struct machine *);
void trace_finish(struct machine *);
void trace_free(struct machine *);
/* watch.c */
void watch_start(struct machine *);     /* before the first event: connects the watchers */
void watch_stop(struct machine *);
/* effective.c */
void machine_effective(struct machine *);

#endif
