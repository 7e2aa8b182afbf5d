/* src/study/progress.c - see progress.h. */
#include "src/study/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30 };

double host_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct progress progress_start(enum progress_when when, const char *what, uint64_t already_done)
{
    struct progress p = { .what = what, .skipped = already_done, .start_s = host_seconds() };
    p.on = when == PROGRESS_ALWAYS || (when == PROGRESS_AUTO && isatty(STDERR_FILENO));
    return p;
}

static void time_left(char *text, size_t bytes, double seconds)
{
    uint64_t s = (uint64_t)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, bytes, "%" PRIu64 " h %02u min left", s / 3600, (unsigned)(s / 60 % 60));
    else
        snprintf(text, bytes, "%" PRIu64 ":%02u left", s / 60, (unsigned)(s % 60));
}

void progress_show(struct progress *p, uint64_t done, uint64_t total)
{
    double now = host_seconds();
    if (!p->on || total == 0 || (p->drawn && now - p->last_s < 0.1 && done < total))
        return;
    char bar[BAR + 1], left[48] = "";
    unsigned full = (unsigned)((double)done / (double)total * BAR);
    for (unsigned i = 0; i < BAR; i++)
        bar[i] = i < full ? '#' : '.';
    bar[BAR] = '\0';
    if (done > p->skipped && done < total)
        time_left(left, sizeof left,
                  (now - p->start_s) / (double)(done - p->skipped) * (double)(total - done));
    fprintf(stderr, "\r[%s] %" PRIu64 " of %" PRIu64 " %s  %-18s", bar, done, total, p->what, left);
    fflush(stderr);
    p->drawn = true;
    p->last_s = now;
}

void progress_end(struct progress *p)
{
    if (p->drawn)
        fprintf(stderr, "\r%*s\r", BAR + 60, "");
    fflush(stderr);
    p->drawn = false;
}
