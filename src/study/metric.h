/* src/study/metric.h - names for every number of a result, and what they mean.
 *
 *   CLASS.count  CLASS.sum_ps  CLASS.{min,mean,p50,p90,p99,p999,max}_ns
 *   CLASS.phases.PHASE_ns      mean time per request in that software step
 *   CLASS.hardware.PART_ns     mean time per request in that hardware part, along the last-arrival chain
 *   CLASS.parts.SOURCE.STAT    the same of the requests served by one source
 *   counters.NAME  checks.phase_sum_mismatch_count  checks.violation_count  time_ps  events
 *
 * Values are integers: a metric in _ns is kept in picoseconds (means rounded half up), so that a mean
 * over repetitions and a sum are exact, and is printed with three decimals.
 */
#ifndef LAB_STUDY_METRIC_H
#define LAB_STUDY_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "src/machine/machine.h"

enum { METRIC_NAME_MAX = 128 };

enum metric_stat {
    STAT_COUNT, STAT_SUM, STAT_MIN, STAT_MEAN, STAT_P50, STAT_P90, STAT_P99, STAT_P999, STAT_MAX,
    STAT_PHASE, STAT_HARDWARE, STAT_KINDS
};

enum metric_scope { SCOPE_TIME, SCOPE_EVENTS, SCOPE_CLASS, SCOPE_COUNTER, SCOPE_MISMATCHES, SCOPE_VIOLATIONS };

struct metric {
    char name[METRIC_NAME_MAX];
    enum metric_scope scope;
    enum metric_stat stat;         /* SCOPE_CLASS only, as the next three */
    enum class_id class;
    enum source_id source;         /* SOURCE_NONE: the whole class */
    unsigned term;                 /* of STAT_PHASE and STAT_HARDWARE */
};

/* The metric of that name. False: `why` gets one sentence with the nearest name. A counter must be one of the
 * dictionary (src/machine/counter_terms.h), whether or not a machine has it. */
bool metric_resolve(const char *name, struct metric *, char *why, size_t why_bytes);
/* The same for a name that a run has stored: its counters are believed. */
bool metric_resolve_stored(const char *name, struct metric *);

/* False if this result has no such number: the class never occurred, no such counter. */
bool metric_value(const struct metric *, const struct result *, uint64_t *value);

/* Every number that this result has, in dictionary order: of a class that occurred its usual phases and all its parts,
 * zero or not; a memory class, whose phases are its parts, has them once, as hardware. */
typedef void metric_fn(void *arg, const struct metric *, uint64_t value);
void metric_each(const struct result *, metric_fn *, void *arg);

/* Orders metrics as the dictionary does: <0, 0, >0. */
int metric_compare(const struct metric *, const struct metric *);

bool metric_is_ns(const struct metric *);             /* kept in ps, shown in ns with three decimals */
const char *metric_unit(const struct metric *);       /* "ns", "ps", "" */
/* For the axis of a plot: "exclusive.grant: 99th percentile". Returns buffer. */
const char *metric_label(const struct metric *, char *buffer, size_t bytes);
/* The same in the words asked for only, to tell metrics apart that have the others in common: "nowait, 99th percentile",
 * "pcp"; "all" where there is no source. Of a metric of no class the label. */
enum metric_word { METRIC_WORD_CLASS = 1, METRIC_WORD_SOURCE = 2, METRIC_WORD_STAT = 4 };
const char *metric_words(const struct metric *, unsigned words, char *buffer, size_t bytes);
const char *metric_number(const struct metric *, uint64_t value, char buffer[32]); /* "12.345" or "12" */

/* Names that exist, one per line (counters excepted); sentences: class and stat in words behind them. */
void metric_list(FILE *);
void counter_list(FILE *);
/* In words: what it measures, from where to where, unit and precision, its phases and parts. `name` may also be a
 * class, a phase, part or source, a meaning of exclusive, a counter, a configuration key. False and a sentence in `why` if there is no such thing. */
bool metric_explain(FILE *, const char *name, char *why, size_t why_bytes);

/* Terms of a class's phases: memory classes have the hardware parts as phases. */
unsigned phase_term_count(enum class_id);
const struct term *phase_term(enum class_id, unsigned i);
uint64_t phase_sum_ps(const struct class_stats *, enum class_id, unsigned i);
/* Is this a step that requests of the class are made of? Others stay zero. */
bool phase_usual(enum class_id, unsigned i);
/* For people: the i-th phase in the order in which the class runs through them. A permutation. */
unsigned phase_in_order(enum class_id, unsigned i);

uint64_t mean_round(uint64_t sum, uint64_t count);    /* half up; 0 of nothing */
/* Picoseconds as nanoseconds with three decimals. Returns buffer. */
const char *ns_text(uint64_t ps, char buffer[32]);

#endif
