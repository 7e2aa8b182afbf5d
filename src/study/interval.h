/* src/study/interval.h - mean and confidence interval over the repetitions of a point, in integers only. */
#ifndef LAB_STUDY_INTERVAL_H
#define LAB_STUDY_INTERVAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct interval {
    uint64_t count, mean;     /* mean rounded half up, in the unit of the values */
    bool known;               /* at least two values */
    uint64_t half_width;      /* of the 95 % confidence interval of the mean, rounded up; saturates */
};

/* Student's t for 95 % (two-sided), the repetitions taken as independent draws. Above 30 degrees of freedom
 * the table has steps and the next lower one is used, which widens the interval by at most 1.1 %. */
struct interval interval_of(const uint64_t *values, size_t count);

uint32_t student_t_permille(size_t degrees_of_freedom); /* 12706 for 1, 1960 in the limit; degrees >= 1 */

#endif
