/* src/work/alloc_programs.c - programs that measure the page allocator itself: alloc-repeat, alloc-bulk,
 * alloc-random-free. The first two are the shapes of the LLFree benchmarks (Wrenger et al., USENIX ATC 2023). */
#include "src/kern/page_alloc.h"
#include "src/work/private.h"

/* ---- alloc-repeat: one page back and forth; the per-CPU list serves it */

struct repeat_desc {
    const char *gfp;
    uint8_t order;
    uint64_t think_cycles;
};

static const struct param repeat_params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct repeat_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags." },
    { .key = "order", .type = P_UINT, PARAM_FIELD(struct repeat_desc, order), .max = MAX_ORDER, .deflt = "0",
      .help = "Blocks of 2^order pages." },
    { .key = "think_cycles", .type = P_CYCLES, PARAM_FIELD(struct repeat_desc, think_cycles), .max = 1000000000, .deflt = "0cycles",
      .help = "Computation after each pair." },
    { .key = NULL },
};

bool work_alloc_pair(struct hart *h, const struct agent *a, gfp_t gfp, unsigned order)
{
    const struct kernel *k = agent_kernel(a);
    k_begin(h, CLASS_PAIR);
    k_phase(h, PH_ALLOC);
    frame f = alloc_pages(h, k, gfp, order);
    k_phase(h, PH_OTHER);
    if (f.v != 0)
        free_pages(h, k, f, order);
    k_source(h, f.v != 0 ? SOURCE_DONE : SOURCE_FAIL);
    k_end(h);
    return f.v != 0;
}

static const char *repeat_check(const void *desc, const struct work *w, unsigned members)
{
    (void)members;
    return work_gfp_check(w, ((const struct repeat_desc *)desc)->gfp);
}

static void repeat_run(struct hart *h, struct agent *a)
{
    const struct repeat_desc *d = a->desc;
    gfp_t gfp = work_gfp(a->work, d->gfp);
    while (agent_next(a)) {
        work_alloc_pair(h, a, gfp, d->order);
        if (d->think_cycles != 0)
            k_compute(h, d->think_cycles);
    }
}

const struct program program_alloc_repeat = {
    .name = "alloc-repeat",
    .sentence = "Allocates a block and frees it at once, again and again.",
    .params = repeat_params, .desc_bytes = sizeof(struct repeat_desc), .check = repeat_check, .run = repeat_run
};

/* ---- alloc-bulk: all members allocate at once, then all free at once */

struct bulk_desc {
    const char *gfp;
    uint8_t order;
    uint32_t pages;
};

struct bulk_state {
    struct start_line *start_line;    /* of the entry */
    gfp_t gfp;
    frame *taken;
};

static const struct param bulk_params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct bulk_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags." },
    { .key = "order", .type = P_UINT, PARAM_FIELD(struct bulk_desc, order), .max = MAX_ORDER, .deflt = "0",
      .help = "Blocks of 2^order pages." },
    { .key = "pages", .type = P_UINT, PARAM_FIELD(struct bulk_desc, pages), .min = 1, .max = 1u << 24, .deflt = "1000",
      .help = "How many blocks each hart allocates in a row." },
    { .key = NULL },
};

static const char *bulk_check(const void *desc, const struct work *w, unsigned members)
{
    (void)members;
    return work_gfp_check(w, ((const struct bulk_desc *)desc)->gfp);
}

static void bulk_prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct bulk_desc *d = members->desc;
    struct bulk_state *states = agents_state(w, members, count, sizeof *states);
    struct start_line *start_line = start_line_new(w, members, count);
    for (unsigned i = 0; i < count; i++)
        states[i] = (struct bulk_state){ start_line, work_gfp(w, d->gfp), ARENA_ARRAY(w->arena, frame, d->pages) };
}

/* How many there were, the last failed one left out. */
static uint32_t bulk_allocate(struct hart *h, const struct agent *a)
{
    const struct bulk_desc *d = a->desc;
    const struct bulk_state *s = a->state;
    for (uint32_t i = 0; i < d->pages; i++) {
        s->taken[i] = alloc_pages(h, agent_kernel(a), s->gfp, d->order);
        if (s->taken[i].v == 0) {
            k_count(h, "alloc_bulk.failed", 1);
            return i;
        }
    }
    return d->pages;
}

static void bulk_run(struct hart *h, struct agent *a)
{
    const struct bulk_desc *d = a->desc;
    const struct bulk_state *s = a->state;
    while (agent_next(a)) {
        start_line_wait(h, s->start_line);
        uint32_t taken = bulk_allocate(h, a);
        start_line_wait(h, s->start_line);
        for (uint32_t i = 0; i < taken; i++)
            free_pages(h, agent_kernel(a), s->taken[i], d->order);
    }
}

const struct program program_alloc_bulk = {
    .name = "alloc-bulk",
    .sentence = "All harts allocate many blocks in a row at the same time, then all free them.",
    .params = bulk_params, .desc_bytes = sizeof(struct bulk_desc), .check = bulk_check,
    .prepare = bulk_prepare, .run = bulk_run
};

/* ---- alloc-random-free: a set of blocks of random orders, replaced at random */

struct random_desc {
    const char *gfp;
    uint8_t order_max;
    uint32_t live;
};

struct block {
    frame f;                    /* 0: none */
    unsigned order;
};

static const struct param random_params[] = {
    { .key = "gfp", .type = P_STRING, PARAM_FIELD(struct random_desc, gfp), .deflt = "ATOMIC",
      .help = "Allocation flags." },
    { .key = "order_max", .type = P_UINT, PARAM_FIELD(struct random_desc, order_max), .max = MAX_ORDER, .deflt = "0",
      .help = "Blocks have 2^order pages, order drawn from 0 to this." },
    { .key = "live", .type = P_UINT, PARAM_FIELD(struct random_desc, live), .min = 1, .max = 1u << 24, .deflt = "64",
      .help = "How many blocks a hart holds at most." },
    { .key = NULL },
};

static const char *random_check(const void *desc, const struct work *w, unsigned members)
{
    (void)members;
    return work_gfp_check(w, ((const struct random_desc *)desc)->gfp);
}

static void random_prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct random_desc *d = members->desc;
    for (unsigned i = 0; i < count; i++)
        members[i].state = ARENA_ARRAY(w->arena, struct block, d->live);
}

static void random_step(struct hart *h, struct agent *a, gfp_t gfp, struct block *b)
{
    const struct random_desc *d = a->desc;
    if (b->f.v != 0) {
        free_pages(h, agent_kernel(a), b->f, b->order);
        b->f.v = 0;
        return;
    }
    b->order = (unsigned)rng_below(&a->rng, d->order_max + 1u);
    b->f = alloc_pages(h, agent_kernel(a), gfp, b->order);
    if (b->f.v == 0)
        k_count(h, "alloc_random_free.failed", 1);
}

static void random_run(struct hart *h, struct agent *a)
{
    const struct random_desc *d = a->desc;
    struct block *blocks = a->state;
    gfp_t gfp = work_gfp(a->work, d->gfp);
    while (agent_next(a))
        random_step(h, a, gfp, &blocks[rng_below(&a->rng, d->live)]);
    for (uint32_t i = 0; i < d->live; i++)
        if (blocks[i].f.v != 0)
            free_pages(h, agent_kernel(a), blocks[i].f, blocks[i].order);
}

const struct program program_alloc_random_free = {
    .name = "alloc-random-free",
    .sentence = "Allocates and frees blocks of random orders in random sequence; frees all at the end.",
    .params = random_params, .desc_bytes = sizeof(struct random_desc), .check = random_check,
    .prepare = random_prepare, .run = random_run
};
