/* src/work/litmus/job.h - program `litmus`: runs one test over and over on the harts of a machine.
 *
 * Its test comes from the command, not from YAML. Every hart of the machine's agents is a thread. Each iteration:
 *
 *      variables in lines not used before, placed at random     (decided at prepare, for all iterations)
 *      warm up: each thread touches, owns, flushes or leaves the variables at random
 *      start line, then a random skew, perhaps stores to cold lines that hold up the store buffer
 *      the thread's column, sometimes with pauses between instructions; a fence
 *      start line, then one of the harts reads the variables: the final state
 *
 * None of the preparation is part of the test: whatever it does, a state that the memory model forbids may not appear.
 */
#ifndef LAB_WORK_LITMUS_JOB_H
#define LAB_WORK_LITMUS_JOB_H

#include "src/work/litmus/outcome.h"

struct litmus_job {
    const struct litmus_test *test;
    uint64_t iterations;        /* of one machine: the count of its agents */
    struct outcomes *seen;      /* initialised; what is observed is added */
};

/* For the machines built from now on; borrowed until they are freed. NULL: none. */
void litmus_job_set(const struct litmus_job *);
/* Scratch memory that a machine needs for so many iterations. */
uint64_t litmus_scratch_bytes(const struct litmus_test *, uint64_t iterations);

#endif
