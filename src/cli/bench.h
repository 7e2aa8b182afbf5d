/* src/cli/bench.h - one entry of `labyrinth bench`: something that is done many times, and timed. */
#ifndef LAB_CLI_BENCH_H
#define LAB_CLI_BENCH_H

#include <stdbool.h>
#include <stdint.h>

struct bench_sample { uint64_t operations; double seconds; };  /* CPU time of the thread */

struct bench {
    const char *name, *unit;         /* "events" */
    struct bench_sample (*run)(const struct bench *, bool quick);
    const char *baseline;            /* name of the entry that the ratio is taken against; NULL: none */
    uint64_t size;                   /* of the problem: pending events, harts */
    const char *config;              /* experiment text of a machine entry */
};

extern const struct bench engine_benches[], machine_benches[], step_benches[];
extern const unsigned engine_bench_count, machine_bench_count, step_bench_count;

/* Host memory, from machines of two sizes. Bytes rather than speed. */
struct bench_memory { uint64_t bytes_per_hart, bytes_per_line; };
struct bench_memory bench_memory(void);

double cpu_seconds(void);

#endif
