/* src/sim/inspect.h - the one window through which a judge sees the machine: operations as they perform at
 * the hart and device boundary (observer), and a read-only scan of copies, translations and messages in
 * flight (inspector). The machine fills both in; models call the observer, never know who listens.
 */
#ifndef LAB_SIM_INSPECT_H
#define LAB_SIM_INSPECT_H

#include "src/sim/hart.h" /* enum note, enum grant_part */

#include <stdio.h>

enum barrier { BARRIER_FULL, BARRIER_STORE, BARRIER_LOAD };

/* All times are when the operation performs. `agent`: hart number, or harts + device number. NULL members are
 * not called. */
struct observer {
    void *self;
    /* A store has entered the hart's store buffer (not yet visible to others). */
    void (*store_issued)(void *self, unsigned agent, paddr, unsigned bytes, uint64_t value, tick now);
    /* A string store of a whole line of equal words has entered the store buffer. It keeps its place among ordinary
     * stores; a run of such stores is unordered among itself. */
    void (*line_issued)(void *self, unsigned agent, lineno, uint64_t word, tick now);
    /* The oldest issued store of the hart (or a non-temporal / string store piece) became globally visible. */
    void (*store_visible)(void *self, unsigned agent, paddr, unsigned bytes, uint64_t value, tick now);
    /* A load returned a value; forwarded: from the hart's own store buffer. */
    void (*load)(void *self, unsigned agent, paddr, unsigned bytes, uint64_t value, bool forwarded, tick now);
    void (*atomic)(void *self, unsigned agent, paddr, unsigned bytes, uint64_t old, uint64_t new_value, tick now);
    /* A whole line of equal words became visible (string stores; full-line device writes come as stores). */
    void (*line_visible)(void *self, unsigned agent, lineno, uint64_t word, tick now);
    void (*barrier)(void *self, unsigned agent, enum barrier, tick now); /* when it completes */
    /* A cache agent asks for a copy it does not have (write: to own it). */
    void (*wants)(void *self, unsigned agent, lineno, bool write, tick now);
    /* DMA piece performed or refused: device number, target frame when translated, fault 0 = none. */
    void (*dma)(void *self, unsigned device, iova, paddr, unsigned bytes, bool write, unsigned fault, tick now);
    void (*note)(void *self, unsigned hart, enum note, uint64_t a, uint64_t b, tick now);
};

typedef void inspect_copy_fn(void *arg, unsigned agent, bool readable, bool writable, uint32_t version, const char *state);
typedef void inspect_message_fn(void *arg, const char *kind, unsigned to_node, bool carries_data, uint32_t version);
typedef void inspect_tlb_fn(void *arg, unsigned hart, uint16_t asid, vaddr page, frame f, bool writable);
typedef void inspect_iotlb_fn(void *arg, const char *where, uint16_t domain, iova page, frame f, bool writable);
typedef void inspect_dma_fn(void *arg, unsigned device, frame f, bool write);

struct inspector {
    void *machine;
    unsigned harts, agents;                    /* cache agents: harts first, then devices */
    const char *(*agent_name)(void *machine, unsigned agent);
    void (*copies)(void *machine, lineno, inspect_copy_fn *, void *arg);      /* private caches, write-back buffers */
    void (*messages)(void *machine, lineno, inspect_message_fn *, void *arg); /* in flight in the network */
    void (*home)(void *machine, lineno, FILE *);                              /* one line of text about the home's view */
    void (*tlbs)(void *machine, inspect_tlb_fn *, void *arg);
    void (*iotlbs)(void *machine, inspect_iotlb_fn *, void *arg);             /* IOTLB, device TLBs */
    void (*dma_in_flight)(void *machine, inspect_dma_fn *, void *arg);        /* with a translation already used */
    uint64_t (*read)(void *machine, paddr, unsigned bytes);                   /* current value, no simulated time */
    /* Translations reachable from tables in memory to frame f: user page tables and IOMMU tables. */
    void (*user_mappings)(void *machine, frame f, void (*fn)(void *arg, uint16_t asid, vaddr), void *arg);
    void (*iommu_mappings)(void *machine, frame f, void (*fn)(void *arg, uint16_t domain, iova), void *arg);
    /* The last transitions of a line, oldest first (kept in rings by the caches and homes). */
    void (*history)(void *machine, lineno, FILE *);
};

/* How a judge reports: the run stops (exit 4) with the text; copied by the callee. */
typedef void violation_fn(void *machine, const char *kind, unsigned agent, uint64_t address, const char *text);

#endif
