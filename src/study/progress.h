/* src/study/progress.h - a bar on standard error with the time left. Host time only; results never see it. */
#ifndef LAB_STUDY_PROGRESS_H
#define LAB_STUDY_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum progress_when { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER }; /* auto: if standard error is a terminal */

struct progress {
    bool on, drawn;
    const char *what;          /* "points" */
    uint64_t skipped;          /* done before the start: not counted for the speed */
    double start_s, last_s;
};

struct progress progress_start(enum progress_when, const char *what, uint64_t already_done);
void progress_show(struct progress *, uint64_t done, uint64_t total); /* draws at most ten times a second */
void progress_end(struct progress *);                                 /* clears the line */

double host_seconds(void); /* monotonic */

#endif
