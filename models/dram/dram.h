/* models/dram/dram.h - memory channels with banks and open rows (see models/port.h for the two calls).
 *
 *      dram_access --> [controller] --> channel: first come, first served --> done
 *                                        bank 0 | bank 1 | ..   one data bus
 *
 * Address. byte = line * 64; channel = byte / interleave_bytes mod channels; what remains is contiguous
 * inside the channel: column = rest mod row_bytes, bank = rest / row_bytes mod banks, row = the quotient.
 *
 * Time of an access submitted at t (names of the DDR standards, JESD79; Jacob, Ng, Wang, Memory Systems, 2007,
 * chapters 8 to 11). It reaches its channel at t + controller_ps. Then, by what the bank has open,
 *      row hit       column command as soon as the bank took its last one t_burst ago
 *      row empty     activate when the bank is ready; column command t_rcd later
 *      row conflict  precharge when the bank is ready; activate t_rp later; column command t_rcd later
 * The line is on the channel's bus for t_burst, t_cas after the column command; if the bus is taken the
 * column command waits until the line fits behind. done = end of that burst. Hence, unloaded,
 *      hit       controller + t_cas + t_burst
 *      empty     controller + t_rcd + t_cas + t_burst
 *      conflict  controller + t_rp + t_rcd + t_cas + t_burst
 * A bank is ready for precharge, or with closed pages for activation t_rp after it, when the last burst is
 * over. Writes take the same time as reads. Left out: refresh, bus turnaround, t_ras, t_faw, reordering.
 *
 * Service is in order of submission per channel; banks overlap, bursts do not overtake. So all that can
 * delay an access is known when it is submitted: its bank and bus time is reserved and its completion
 * computed on the spot, at one event per access somebody waits for and none for a posted write.
 */
#ifndef LAB_MODELS_DRAM_DRAM_H
#define LAB_MODELS_DRAM_DRAM_H

#include "models/port.h"
#include "src/config/param.h"
#include "src/sim/component.h"
#include "src/sim/engine.h"

enum dram_page_policy { DRAM_OPEN_PAGE, DRAM_CLOSED_PAGE };

enum { DRAM_CHANNELS_MAX = 64, DRAM_BANKS_MAX = 1024 };

struct dram_desc {
    const char *name;              /* NULL: "dram"; must outlive the memory */
    unsigned channels;             /* 1 .. DRAM_CHANNELS_MAX */
    unsigned banks_per_channel;    /* 1 .. DRAM_BANKS_MAX; all ranks together */
    uint64_t row_bytes;            /* of one bank; a multiple of 64 */
    uint64_t interleave_bytes;     /* a multiple of 64 */
    tick t_cas_ps, t_rcd_ps, t_rp_ps;
    tick t_burst_ps;               /* 64 bytes on the channel's bus */
    tick controller_ps;            /* controller and physical layer, both ways together */
    uint32_t write_queue;          /* posted writes a channel may be behind: kept by the homes (see models/coherence/home.h) */
    enum dram_page_policy page_policy;
};

extern const struct param dram_params[]; /* keys of dram_desc that a machine file may set */

/* Copies the descriptor and registers itself. A senseless descriptor is a panic. Banks start closed.
 *
 * dram_access: as if asked for head_start_ps ago, but done now at the earliest; in order as submitted. The request is the caller's again when done is called, or on return if done is NULL.
 * done_at is always filled in. done may submit the same request again. */
struct dram *dram_new(struct engine *, struct component_list *, const struct dram_desc *);
void dram_free(struct dram *);

/* Least time from submission to completion: an unloaded row hit, with closed pages a row empty. */
tick dram_least_latency_ps(const struct dram *);

struct dram_counters {
    uint64_t read_count, write_count;
    uint64_t hit_count, empty_count, conflict_count; /* sum: reads and writes */
    uint64_t latency_ps;           /* submission to done, summed over all */
    uint64_t wait_ps, wait_max_ps; /* of that, what an unloaded access of the same row case would not take; longest */
    uint64_t bus_busy_ps;
    uint64_t awaited_count;        /* accesses that had a done function, completed */
    uint64_t awaited_latency_ps;   /* their latency, measured on completion */
    uint64_t awaited_integral_ps;  /* time integral of their number in here; equal to it when idle (Little) */
};
unsigned dram_channel_of(const struct dram *, lineno);
const struct dram_counters *dram_channel_counters(const struct dram *, unsigned channel);
struct dram_counters dram_counters(const struct dram *); /* sums over channels (wait_max_ps: the longest) */

#endif
