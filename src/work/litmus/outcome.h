/* src/work/litmus/outcome.h - a set of final states of one test, with how often each was seen. */
#ifndef LAB_WORK_LITMUS_OUTCOME_H
#define LAB_WORK_LITMUS_OUTCOME_H

#include "src/work/litmus/test.h"

struct outcomes {
    unsigned width;             /* values of a state: observed_count of the test */
    size_t count, room;
    uint64_t *values;           /* count rows of width */
    uint64_t *times;
    uint32_t *slots;            /* hash: index + 1 */
    size_t slot_count;
};

void outcomes_init(struct outcomes *, unsigned width);
void outcomes_free(struct outcomes *);
void outcomes_add(struct outcomes *, const uint64_t *values, uint64_t times);
/* Index, or SIZE_MAX. */
size_t outcomes_find(const struct outcomes *, const uint64_t *values);
static inline const uint64_t *outcome_at(const struct outcomes *o, size_t i) { return o->values + i * o->width; }
/* Orders the states by their values, first to last. */
void outcomes_sort(struct outcomes *);

#endif
