/* src/sim/phold.h - two workloads that measure an event queue, and give a digest that must not depend on it.
 *
 * phold_run: PHOLD (R. Fujimoto, Performance of Time Warp under synthetic workloads, SCS 1990): each process
 * starts with one event; an event, when handled, sends another after an exponential delay of mean
 * PHOLD_MEAN_PS, with probability permille_remote / 1000 to a process drawn uniformly, else to its own.
 * hold_run: the hold model (D. Jones, An empirical comparison of priority-queue implementations, CACM 1986):
 * `pending` events; one operation removes the earliest and inserts it again later by an exponential delay.
 */
#ifndef LAB_SIM_PHOLD_H
#define LAB_SIM_PHOLD_H

#include "src/sim/engine.h"

enum { PHOLD_MEAN_PS = 1000000 }; /* the model's 1.0 */

struct phold_result {
    uint64_t event_count;  /* handled */
    uint64_t order_hash;   /* equal for every queue */
    double host_seconds;   /* thread CPU time of the run without set-up; never part of a result */
};

/* processes: 1 to 16384; pending: 1 to 2^30 - 1, as the host's memory allows. Panics outside. */
struct phold_result phold_run(enum queue_kind, unsigned processes, unsigned permille_remote, uint64_t events,
                              uint64_t seed);
struct phold_result hold_run(enum queue_kind, unsigned pending, uint64_t operations, uint64_t seed);

#endif
