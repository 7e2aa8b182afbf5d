/* src/cli/bench_engine.c - the event queues alone: hold model and PHOLD, the wheel against the binary heap. */
#include "src/cli/bench.h"
#include "src/sim/phold.h"

/* PHOLD as usual in the literature: 1024 processes, mean 1.0, 25 % remote. */
enum { PHOLD_PROCESSES = 1024, PHOLD_REMOTE_PERMILLE = 250, PHOLD_EVENTS = 4000000, HOLD_OPERATIONS = 4000000, SEED = 1,
       QUICK = 10 };

static struct bench_sample sample(struct phold_result r)
{
    return (struct bench_sample){ r.event_count, r.host_seconds };
}

static struct bench_sample hold(const struct bench *b, bool quick, enum queue_kind queue)
{
    return sample(hold_run(queue, (unsigned)b->size, HOLD_OPERATIONS / (quick ? QUICK : 1), SEED));
}

static struct bench_sample hold_wheel(const struct bench *b, bool quick) { return hold(b, quick, QUEUE_WHEEL); }
static struct bench_sample hold_heap(const struct bench *b, bool quick) { return hold(b, quick, QUEUE_HEAP); }

static struct bench_sample phold(bool quick, enum queue_kind queue)
{
    return sample(phold_run(queue, PHOLD_PROCESSES, PHOLD_REMOTE_PERMILLE, PHOLD_EVENTS / (quick ? QUICK : 1), SEED));
}

static struct bench_sample phold_wheel(const struct bench *b, bool quick)
{
    (void)b;
    return phold(quick, QUEUE_WHEEL);
}

static struct bench_sample phold_heap(const struct bench *b, bool quick)
{
    (void)b;
    return phold(quick, QUEUE_HEAP);
}

const struct bench engine_benches[] = {
    { "hold-10-heap", "hold operations, 10 pending", hold_heap, NULL, 10, NULL },
    { "hold-10", "hold operations, 10 pending", hold_wheel, "hold-10-heap", 10, NULL },
    { "hold-1000-heap", "hold operations, 1000 pending", hold_heap, NULL, 1000, NULL },
    { "hold-1000", "hold operations, 1000 pending", hold_wheel, "hold-1000-heap", 1000, NULL },
    { "hold-100000-heap", "hold operations, 100000 pending", hold_heap, NULL, 100000, NULL },
    { "hold-100000", "hold operations, 100000 pending", hold_wheel, "hold-100000-heap", 100000, NULL },
    { "phold-heap", "events, 1024 processes, 25 % remote", phold_heap, NULL, 0, NULL },
    { "phold", "events, 1024 processes, 25 % remote", phold_wheel, "phold-heap", 0, NULL },
};
const unsigned engine_bench_count = sizeof engine_benches / sizeof *engine_benches;
