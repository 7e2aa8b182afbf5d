/* src/cli/bench_switch.h - MESI as a programmer would write it by hand: nested switches over named states. What the
 * table-driven step costs is measured against this; bench compares the two on every input before it times them.
 */
#ifndef LAB_CLI_BENCH_SWITCH_H
#define LAB_CLI_BENCH_SWITCH_H

#include "models/protocol.h"

/* The same contracts as cache_step and home_step, for configs/protocols/mesi.yaml, without row counters. */
enum verdict mesi_cache_by_switch(struct cache_line *, enum cache_event, const struct msg *in, int16_t self, int16_t txn, struct outbox *);
enum verdict mesi_home_by_switch(struct home_line *, enum home_event, const struct msg *in, struct outbox *);

#endif
