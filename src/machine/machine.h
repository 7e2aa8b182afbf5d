/* src/machine/machine.h - builds a machine, its kernel and its agents from a description, runs it, and holds
 * the result. The only part that knows every other. One process runs one machine at a time.
 */
#ifndef LAB_MACHINE_MACHINE_H
#define LAB_MACHINE_MACHINE_H

#include "src/sim/account.h"
#include "src/sim/engine.h"
#include "src/sim/fiber.h"

struct experiment_doc; /* src/config */
struct node;
struct diag;
struct protocol; /* models/protocol.h */
struct row_counts;
struct machine;

/* Host settings: never part of the effective configuration; results are the same bytes under all of them. */
struct run_options {
    enum queue_kind queue;
    enum fiber_backend fibers;
    bool lookahead;
    uint64_t shuffle_seed;      /* test aid: permutes equal-time order; 0 off */
    FILE *trace;                /* Chrome trace JSON goes here, the caller's; NULL none */
    tick trace_from_ps, trace_until_ps; /* only what ends in between is traced; until 0: no end */
    uint64_t trace_limit;       /* trace events at most, 0: any number */
    const char *plant;          /* test aid: name of a planted fault (src/machine/plant.h); NULL none */
    void (*progress)(void *arg, uint64_t done, uint64_t total, tick now); /* may be NULL; host side only */
    void *progress_arg;
};
struct run_options run_options_default(void); /* reads LABYRINTH_QUEUE=heap|wheel, LABYRINTH_FIBER=asm|ucontext,
                                                 LABYRINTH_LOOKAHEAD=on|off */

enum run_stop { RUN_DONE, RUN_LIMIT, RUN_ILLEGAL, RUN_VIOLATION, RUN_STUCK };
const char *run_stop_name(enum run_stop);  /* "done", "limit", "illegal", "violation", "stuck" */
int run_stop_exit_code(enum run_stop);     /* 0, 0, 3, 4, 5 */

struct counter { const char *name; uint64_t value; };
struct violation {
    const char *kind;           /* "coherence", "device", "lock", "secure", "value", "protocol", "accounting" */
    tick time_ps;
    const char *agent;
    uint64_t address;
    const char *text;           /* several lines: what was violated and the history that led there */
};

struct result {
    enum run_stop stop;
    const char *stop_text;      /* several lines for people: the illegal call, who waits for whom; "" if none */
    const char *notes;          /* lines for people: the first failed allocation, the first refused DMA; "" if none */
    tick time_ps;
    uint64_t events, order_hash;
    const struct account *account;   /* latency{}: see account_stats, account_source_stats */
    const struct counter *counters;  /* sorted by name */
    size_t counter_count;
    uint64_t phase_sum_mismatch_count;
    const struct violation *violations;
    size_t violation_count;
    const char *title, *config_file, *config_digest, *effective; /* effective: YAML text, self-contained */
    uint64_t seed;
    struct host_stats { uint64_t engine_events, host_bytes; double seconds; } host; /* only for --host-stats */
};

/* NULL and errors in diag if the description is wrong. Options are copied. */
struct machine *machine_new(struct experiment_doc *, const struct run_options *, struct diag *);

/* A machine's description alone, of machine_load, under a kernel of defaults: its keys, values and how they fit together. Errors
 * go to diag. */
void machine_check_file(struct node *machine, struct diag *);
void machine_run(struct machine *);
const struct result *machine_result(const struct machine *); /* valid until machine_free */
void machine_free(struct machine *);

/* machine_run in pieces: machine_start, machine_step until NULL, machine_finish give the same result. */
void machine_start(struct machine *);
/* Runs one event of the engine and says what it was ("snoop"); NULL: the run is over. With lookahead on, one event may be
 * long. */
const char *machine_step(struct machine *);
void machine_finish(struct machine *);
tick machine_now(const struct machine *);
const struct protocol *machine_protocol(const struct machine *);
const struct row_counts *machine_row_counts(const struct machine *); /* how often each row of the protocol ran so far */

/* After a run with a trace: what the trace left out, in words; "" if nothing. */
const char *machine_trace_left_out(const struct machine *);

/* Dictionaries for list, explain and schema. */
void machine_schema(FILE *);                       /* JSON Schema of experiment and machine files */
void machine_programs(void (*each)(void *arg, const char *name, const char *sentence), void *arg);

#endif
