/* src/work/litmus/job.c - see job.h. */
#include "src/work/litmus/job.h"

#include <string.h>

#include "src/work/litmus/thread.h"
#include "src/work/private.h"

enum {
    PADS = 3,                   /* cold lines per thread and iteration, to hold up its store buffer */
    SLOTS = LINE_BYTES / 8      /* places for variables in a line */
};

enum layout { LAYOUT_APART, LAYOUT_PACKED, LAYOUT_MIXED, LAYOUTS };

struct plan {                   /* of one iteration */
    paddr var[LIT_VARS_MAX];
    paddr pads;
    uint8_t thread_of[LIT_THREADS_MAX]; /* by member */
    bool directed;              /* warmed up for what the thread does; stores held up */
    uint16_t skew_cycles;       /* each thread waits up to so long at the start */
    uint16_t dawdle_cycles;     /* and after each instruction */
};

struct field {                  /* what the harts of a machine share */
    const struct litmus_test *test;
    struct outcomes *seen;
    struct start_line *line;
    struct plan *plans;
    unsigned members;
    uint64_t values[LIT_OBSERVED_MAX];
};

static const struct litmus_job *job;

void litmus_job_set(const struct litmus_job *j) { job = j; }

/* ---- plans */

static unsigned variable_lines(const struct litmus_test *t) { return 2 * (t->var_count ? t->var_count : 1); }
static unsigned lines_each(const struct litmus_test *t) { return variable_lines(t) + PADS * t->thread_count; }

uint64_t litmus_scratch_bytes(const struct litmus_test *t, uint64_t iterations)
{
    uint64_t bytes = iterations * lines_each(t) * LINE_BYTES;
    return (bytes + PAGE_BYTES) / PAGE_BYTES * PAGE_BYTES;
}

static void shuffle(struct rng *rng, uint8_t *list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        list[i] = (uint8_t)i;
    for (unsigned i = n; i > 1; i--) {
        unsigned k = (unsigned)rng_below(rng, i);
        uint8_t swap = list[i - 1];
        list[i - 1] = list[k];
        list[k] = swap;
    }
}

/* Variable v always takes place v % SLOTS of its line, turned by a random amount: no two ever overlap. */
static void place(const struct litmus_test *t, struct plan *p, struct rng *rng, paddr base)
{
    uint8_t lines[2 * LIT_VARS_MAX];
    shuffle(rng, lines, variable_lines(t));
    enum layout layout = (enum layout)(rng_below(rng, 4) % LAYOUTS); /* apart: twice as often */
    unsigned turn = (unsigned)rng_below(rng, SLOTS);
    for (unsigned v = 0; v < t->var_count; v++) {
        unsigned line = layout == LAYOUT_APART ? v : v / SLOTS * 2;
        if (layout == LAYOUT_MIXED)
            line += (unsigned)rng_below(rng, 2);
        p->var[v] = paddr_plus(base, (uint64_t)lines[line] * LINE_BYTES + (v + turn) % SLOTS * 8);
    }
}

static void make_plan(const struct litmus_test *t, struct plan *p, struct rng *rng, paddr base)
{
    static const uint16_t skews[] = { 0, 0, 8, 40, 120, 400 }, dawdles[] = { 0, 0, 0, 0, 40, 300 };
    place(t, p, rng, base);
    p->pads = paddr_plus(base, (uint64_t)variable_lines(t) * LINE_BYTES);
    shuffle(rng, p->thread_of, t->thread_count);
    p->directed = rng_chance(rng, 1, 2);
    p->dawdle_cycles = dawdles[rng_below(rng, sizeof dawdles / sizeof *dawdles)];
    p->skew_cycles = skews[rng_below(rng, sizeof skews / sizeof *skews)];
}

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    (void)desc;
    (void)w;
    (void)members;
    return job ? NULL : "its test comes from the command line: labyrinth litmus FILE";
}

/* The first entry prepares for all: the agents of the machine are the threads of the test. */
static void prepare(struct work *w, struct agent *members, unsigned count)
{
    struct field *f;
    (void)count;
    if (members != w->agents) {
        for (unsigned i = 0; i < count; i++)
            members[i].state = w->agents->state;
        return;
    }
    const struct litmus_test *t = job->test;
    CHECK(w->agent_count == t->thread_count, "%s: %u agents for %u threads", t->file, w->agent_count, t->thread_count);
    f = ARENA_ONE(w->arena, struct field);
    *f = (struct field){ .test = t, .seen = job->seen, .line = start_line_new(w, w->agents, w->agent_count),
                         .plans = ARENA_ARRAY(w->arena, struct plan, job->iterations), .members = w->agent_count };
    paddr base = work_scratch(w, litmus_scratch_bytes(t, job->iterations));
    for (uint64_t i = 0; i < job->iterations; i++) {
        make_plan(t, &f->plans[i], &members->rng, paddr_plus(base, i * lines_each(t) * LINE_BYTES));
        for (unsigned v = 0; v < t->var_count; v++)
            if (t->vars[v].initial)
                backdoor_write(w->backdoor, f->plans[i].var[v], t->vars[v].bytes, t->vars[v].initial);
    }
    for (unsigned i = 0; i < count; i++)
        members[i].state = f;
}

/* ---- before the start */

static void warm_at_random(struct hart *h, struct agent *a, const struct field *f, const struct plan *p)
{
    for (unsigned v = 0; v < f->test->var_count; v++)
        switch (rng_below(&a->rng, 6)) {
        case 0: case 1: k_load(h, p->var[v], 1); break;
        case 2: k_prefetch_write(h, p->var[v]); break;
        case 3: k_flush(h, p->var[v]); break;
        default: break;
        }
}

/* Mostly what makes loads fast and stores slow; some stores fast, so that they could overtake others. */
static void warm_directed(struct hart *h, struct agent *a, const struct field *f, const struct plan *p, unsigned thread)
{
    const struct lit_thread *t = &f->test->threads[thread];
    for (unsigned v = 0; v < f->test->var_count; v++) {
        if (t->reads >> v & 1 && rng_chance(&a->rng, 3, 4))
            k_load(h, p->var[v], 1);
        if (t->writes >> v & 1 && rng_chance(&a->rng, 1, 3))
            k_prefetch_write(h, p->var[v]);
    }
}

static void hold_up_stores(struct hart *h, struct agent *a, const struct plan *p, unsigned thread)
{
    unsigned count = (unsigned)rng_below(&a->rng, PADS + 1);
    for (unsigned i = 0; i < count; i++)
        k_store(h, paddr_plus(p->pads, (uint64_t)(thread * PADS + i) * LINE_BYTES), 8, 1);
}

/* ---- the test itself */

/* For what no single locked primitive does. The successful exchange is the one atomic step. */
static uint64_t compare_loop(struct hart *h, paddr at, const struct lit_request *r, const struct lit_state *s)
{
    uint64_t old = k_load_once(h, at, r->bytes);
    for (;;) {
        struct lit_state copy = *s;
        bool writes;
        uint64_t wanted = lit_locked(r, &copy, old, &writes);
        if (k_cas(h, at, r->bytes, &old, wanted))
            return old;
    }
}

static uint64_t atomic_step(struct hart *h, paddr at, const struct lit_request *r, const struct lit_state *s)
{
    uint64_t source = lit_source(r->ins, s), expected = lit_low(s->reg[LIT_RAX], r->bytes);
    switch ((enum lit_op)r->ins->op) {
    case LIT_XCHG: return k_swap(h, at, r->bytes, source);
    case LIT_ADD: case LIT_XADD: return k_fetch_add(h, at, r->bytes, source);
    case LIT_SUB: return k_fetch_add(h, at, r->bytes, 0 - source);
    case LIT_INC: return k_fetch_add(h, at, r->bytes, 1);
    case LIT_DEC: return k_fetch_add(h, at, r->bytes, UINT64_MAX);
    case LIT_AND: return k_fetch_and(h, at, r->bytes, source);
    case LIT_OR: return k_fetch_or(h, at, r->bytes, source);
    case LIT_CMPXCHG: k_cas(h, at, r->bytes, &expected, source); return expected;
    default: return compare_loop(h, at, r, s);
    }
}

static void atomic_request(struct hart *h, paddr at, const struct lit_request *r, struct lit_state *s)
{
    bool writes;
    uint64_t old = atomic_step(h, at, r, s);
    lit_locked(r, s, old, &writes);
}

static void without_value(struct hart *h, paddr at, const struct lit_request *r)
{
    switch (r->ask) {
    case LIT_STORE: k_store(h, at, r->bytes, r->value); break;
    case LIT_FENCE: k_fence(h); break;
    case LIT_FENCE_STORE: k_fence_store(h); break;
    case LIT_FENCE_LOAD: k_fence_load(h); break;
    case LIT_FLUSH: k_flush(h, at); break;
    case LIT_FLUSH_OPT: k_flush_opt(h, at); break;
    case LIT_FETCH: k_load(h, at, 1); break;
    case LIT_FETCH_OWN: k_prefetch_write(h, at); break;
    case LIT_WAIT: k_pause(h); break;
    default: k_illegal(h, "litmus: instruction at line %u leads nowhere", r->ins->at.line);
    }
}

static void run_thread(struct hart *h, struct agent *a, const struct field *f, const struct plan *p, unsigned thread,
                       struct lit_state *s)
{
    struct lit_request r;
    lit_start(&f->test->threads[thread], s);
    for (lit_next(f->test, thread, s, &r); r.ask != LIT_END; lit_next(f->test, thread, s, &r)) {
        paddr at = paddr_plus(p->var[r.var], r.offset);
        if (r.ask == LIT_LOAD) {
            lit_loaded(&r, s, k_load_once(h, at, r.bytes));
        } else if (r.ask == LIT_ATOMIC) {
            atomic_request(h, at, &r, s);
        } else {
            without_value(h, at, &r);
            lit_passed(&r, s);
        }
        if (p->dawdle_cycles)
            k_compute(h, rng_below(&a->rng, p->dawdle_cycles));
    }
}

static void record_registers(struct field *f, unsigned thread, const struct lit_state *s)
{
    for (unsigned i = 0; i < f->test->observed_count; i++)
        if (!f->test->observed[i].is_var && f->test->observed[i].thread == thread)
            f->values[i] = s->reg[f->test->observed[i].reg];
}

static void record_state(struct hart *h, struct field *f, const struct plan *p)
{
    uint64_t values[LIT_OBSERVED_MAX];
    memcpy(values, f->values, sizeof values);
    for (unsigned i = 0; i < f->test->observed_count; i++) {
        const struct lit_observed *o = &f->test->observed[i];
        if (o->is_var)
            values[i] = k_load_once(h, p->var[o->var], f->test->vars[o->var].bytes);
    }
    if (!litmus_filtered(f->test, values))
        outcomes_add(f->seen, values, 1);
}

static void iterate(struct hart *h, struct agent *a)
{
    struct field *f = a->state;
    const struct plan *p = &f->plans[a->done];
    unsigned member = (unsigned)(a - a->work->agents), thread = p->thread_of[member];
    struct lit_state s;
    if (p->directed)
        warm_directed(h, a, f, p, thread);
    else
        warm_at_random(h, a, f, p);
    k_fence(h);
    start_line_wait(h, f->line);
    k_compute(h, rng_below(&a->rng, p->skew_cycles + 1u));
    if (p->directed || rng_chance(&a->rng, 1, 4))
        hold_up_stores(h, a, p, thread);
    run_thread(h, a, f, p, thread, &s);
    k_fence(h);
    record_registers(f, thread, &s);
    start_line_wait(h, f->line);
    if (a->done % f->members == member)
        record_state(h, f, p);
}

static void run(struct hart *h, struct agent *a)
{
    while (agent_next(a))
        iterate(h, a);
}

const struct program program_litmus = {
    .name = "litmus", .sentence = "Runs a litmus test over and over; started by the command of that name.",
    .check = check, .prepare = prepare, .run = run
};
