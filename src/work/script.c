/* src/work/script.c - the programs of `labyrinth stress`: script and stress on harts, script-dma and stress-dma on
 * devices. The first of each pair does the operations of a list, the second draws them; both do them alike, so that what was
 * drawn can be done again from a list.
 */
#include "src/work/script.h"

#include <string.h>

#include "src/work/private.h"

#define LIST_HELP "The operations, one a line, such as `load line 3 byte 8 size 4`; begun anew as long as count lasts."
const struct param script_params[] = {
    { .key = "ops", .type = P_STRING, .flags = PARAM_REQUIRED, PARAM_FIELD(struct script_desc, ops), .help = LIST_HELP },
    { .key = NULL },
};

const struct param script_mix_params[] = {
    { .key = "lines", .type = P_UINT, PARAM_FIELD(struct script_mix, lines), .min = 1, .max = SCRIPT_LINES_MAX, .deflt = "16",
      .help = "How many lines are accessed, of one region that all agents of this kind share." },
    { .key = "pages", .type = P_UINT, PARAM_FIELD(struct script_mix, pages), .max = SCRIPT_PAGES_MAX, .deflt = "0",
      .help = "How many places for pages there are; 0: no operations on pages." },
#define X(name, usual, text) \
    { .key = #name, .type = P_PERMYRIAD, PARAM_FIELD(struct script_mix, share[SHARE_OF_##name]), .max = PERMYRIAD, .deflt = usual, .help = text },
    SCRIPT_MIX_LIST(X)
#undef X
    { .key = NULL },
};

/* The same without the shares, which are fixed for devices. */
static const struct param dma_mix_params[] = {
    { .key = "lines", .type = P_UINT, PARAM_FIELD(struct script_mix, lines), .min = 1, .max = SCRIPT_LINES_MAX, .deflt = "16",
      .help = "How many lines are read and written, of the region that all agents of this kind share." },
    { .key = "pages", .type = P_UINT, PARAM_FIELD(struct script_mix, pages), .max = SCRIPT_PAGES_MAX, .deflt = "0",
      .help = "How many places for pages there are; 0: none is reached for." },
    { .key = NULL },
};

/* ---- lists */

/* The line at *at, without blanks at its ends; *at moves behind it. False: no more, or one that is too long. */
static bool next_line(const char **at, char *line, size_t size)
{
    *at += strspn(*at, " \t\n;");
    size_t n = strcspn(*at, "\n;");
    if (n == 0)
        return false;
    snprintf(line, size, "%.*s", (int)(n < size ? n : size - 1), *at);
    *at += n;
    return true;
}

enum { LINE_SIZE = 128 };

const char *script_check(const void *desc, const struct work *w, enum script_place place)
{
    const struct script_desc *d = desc;
    char line[LINE_SIZE], what[200];
    struct script_op op;
    unsigned n = 0;
    for (const char *at = d->ops; next_line(&at, line, sizeof line);) {
        n++;
        if (!script_parse(line, place, &op, what, sizeof what))
            return arena_printf(w->arena, "operation %u of ops: %s", n, what);
    }
    return n ? NULL : "ops lists no operation";
}

struct script_source script_read(struct work *w, const struct script_desc *d, enum script_place place)
{
    char line[LINE_SIZE], what[200];
    size_t n = 0;
    for (const char *at = d->ops; next_line(&at, line, sizeof line);)
        n++;
    struct script_op *list = ARENA_ARRAY(w->arena, struct script_op, n);
    n = 0;
    for (const char *at = d->ops; next_line(&at, line, sizeof line);)
        if (!script_parse(line, place, &list[n++], what, sizeof what))
            panic("script: %s", what);
    return (struct script_source){ .list = list, .count = n };
}

struct script_op script_next(struct agent *a, const struct script_source *s, enum script_place place)
{
    struct script_op op;
    if (s->list)
        return s->list[a->done % s->count];
    script_draw(&a->rng, s->mix, place, &op);
    return op;
}

/* ---- harts */

struct hart_state {
    struct script_board *board;
    struct script_source source;
    struct script_hart pages;
};

static const char *check_hart_list(const void *desc, const struct work *w, unsigned members)
{
    (void)members;
    return script_check(desc, w, ON_HART);
}

static const char *check_mix(const void *desc, const struct work *w, unsigned members)
{
    const struct script_mix *mix = desc;
    uint32_t sum = 0;
    (void)w, (void)members;
    for (unsigned i = 0; i < SCRIPT_SHARES; i++)
        sum += mix->share[i];
    if (sum > PERMYRIAD)
        return "the shares of all kinds of operations add up to more than 100 % (plain stores are the rest)";
    if (mix->share[SHARE_OF_page_operations] && !mix->pages)
        return "page_operations need pages: at least 1";
    return NULL;
}

static void prepare(struct work *w, struct agent *members, unsigned count, struct script_source source)
{
    struct hart_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++)
        states[i] = (struct hart_state){ .board = script_board(w), .source = source };
}

static void prepare_list(struct work *w, struct agent *members, unsigned count)
{
    prepare(w, members, count, script_read(w, members->desc, ON_HART));
}

static void prepare_mix(struct work *w, struct agent *members, unsigned count)
{
    prepare(w, members, count, (struct script_source){ .mix = members->desc });
}

/* The agent's number in the upper half, its operation's in the lower, so that few stores write the same. */
static uint64_t value_of(const struct agent *a, unsigned bytes)
{
    uint64_t v = agent_value(a, a->done), mask = (UINT64_C(1) << bytes * 4) - 1;
    return bytes == 8 ? v : ((v >> 40) << (bytes * 4) | (v & mask)) & ((UINT64_C(1) << bytes * 8) - 1);
}

static void access_memory(struct hart *h, const struct agent *a, const struct script_op *op, paddr at)
{
    unsigned bytes = op->arg[2];
    uint64_t value = value_of(a, bytes), expected = 0;
    switch (op->kind) {
    case SCRIPT_LOAD: k_load(h, at, bytes); break;
    case SCRIPT_STORE: k_store(h, at, bytes, value); break;
    case SCRIPT_SWAP: k_swap(h, at, bytes, value); break;
    case SCRIPT_ADD: k_fetch_add(h, at, bytes, value); break;
    case SCRIPT_CAS: k_cas(h, at, bytes, &expected, value); break;
    default: k_store_nt(h, at, bytes, value); break;
    }
}

static void operation(struct hart *h, struct agent *a, const struct script_op *op)
{
    struct hart_state *s = a->state;
    switch (op->kind) {
    case SCRIPT_STORE_LINE: k_store_line(h, script_address(s->board, op->arg[0], 0), agent_value(a, a->done)); break;
    case SCRIPT_PREFETCH: k_prefetch_write(h, script_address(s->board, op->arg[0], 0)); break;
    case SCRIPT_FLUSH: k_flush(h, script_address(s->board, op->arg[0], 0)); break;
    case SCRIPT_FLUSH_OPT: k_flush_opt(h, script_address(s->board, op->arg[0], 0)); break;
    case SCRIPT_FENCE: k_fence(h); break;
    case SCRIPT_FENCE_STORE: k_fence_store(h); break;
    case SCRIPT_FENCE_LOAD: k_fence_load(h); break;
    case SCRIPT_WAIT: k_compute(h, op->arg[0]); break;
    case SCRIPT_ALLOC: case SCRIPT_DROP: case SCRIPT_GRANT: case SCRIPT_USER_LOAD: case SCRIPT_USER_STORE: case SCRIPT_GET:
    case SCRIPT_PUT: script_page_operation(h, a, &s->pages, op); break;
    default: access_memory(h, a, op, script_address(s->board, op->arg[0], op->arg[1])); break;
    }
}

static void run(struct hart *h, struct agent *a)
{
    const struct hart_state *s = a->state;
    while (agent_next(a)) {
        struct script_op op = script_next(a, &s->source, ON_HART);
        operation(h, a, &op);
    }
    k_fence(h);
}

const struct program program_script = {
    .name = "script",
    .sentence = "Does the operations of a list, such as `labyrinth stress` writes when it has found something.",
    .params = script_params, .desc_bytes = sizeof(struct script_desc), .check = check_hart_list, .prepare = prepare_list, .run = run
};
const struct program program_stress = {
    .name = "stress",
    .sentence = "Random operations of all kinds on few lines and pages that all share.",
    .params = script_mix_params, .desc_bytes = sizeof(struct script_mix), .check = check_mix, .prepare = prepare_mix, .run = run
};

/* ---- devices */

struct device_state {
    struct script_board *board;
    struct script_source source;
    struct dma_request request;
    struct event pause;
    frame page;                 /* that the request goes to; 0: to the lines */
};

static const char *check_device_list(const void *desc, const struct work *w, unsigned members)
{
    (void)members;
    return script_check(desc, w, ON_DEVICE);
}

/* Where an operation goes, or false: nowhere. A page is reached for only where an IOMMU can refuse it. */
static bool transfer(const struct agent *a, const struct script_op *op, struct dma_request *r)
{
    struct device_state *s = a->state;
    if (op->kind == SCRIPT_DMA_READ || op->kind == SCRIPT_DMA_WRITE) {
        r->addr.v = script_address(s->board, op->arg[0], 0).v;
        r->bytes = (uint64_t)op->arg[1] * LINE_BYTES;
        r->write = op->kind == SCRIPT_DMA_WRITE;
        return true;
    }
    if (!agent_kernel(a)->desc.iommu.on)
        return false;
    s->page = script_page_enter(s->board, op->arg[0]);
    r->addr.v = frame_addr(s->page).v + (uint64_t)op->arg[1] * LINE_BYTES;
    r->bytes = LINE_BYTES;
    r->write = op->kind == SCRIPT_PAGE_WRITE;
    return s->page.v != 0;
}

/* Up to the first operation that takes time. */
static void device_go_on(struct agent *a)
{
    struct device_state *s = a->state;
    while (agent_next(a)) {
        struct script_op op = script_next(a, &s->source, ON_DEVICE);
        if (op.kind == SCRIPT_PAUSE) {
            engine_after(a->work->engine, dma_component(a->device), &s->pause, op.arg[0] * PS_PER_NS, PHASE_ACT);
            return;
        }
        if (!transfer(a, &op, &s->request))
            continue;
        s->request.pattern = agent_value(a, a->done);
        s->request.recorded = agent_recorded(a);
        dma_submit(a->device, &s->request);
        return;
    }
    a->work->device_finished(a->work->machine, a);
}

static void device_done(struct dma_request *r)
{
    struct agent *a = r->owner;
    struct device_state *s = a->state;
    if (s->page.v)
        script_page_leave(s->board, s->page);
    s->page.v = 0;
    device_go_on(a);
}

static void device_pause_over(struct event *e) { device_go_on(e->owner); }

static void device_prepare(struct work *w, struct agent *members, unsigned count, struct script_source source)
{
    struct device_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        struct device_state *s = &states[i];
        *s = (struct device_state){ .board = script_board(w), .source = source,
                                    .request = { .done = device_done, .owner = &members[i] },
                                    .pause = { .fn = device_pause_over, .owner = &members[i], .what = "pause of a device" } };
    }
}

static void device_prepare_list(struct work *w, struct agent *members, unsigned count)
{
    device_prepare(w, members, count, script_read(w, members->desc, ON_DEVICE));
}

static void device_prepare_mix(struct work *w, struct agent *members, unsigned count)
{
    device_prepare(w, members, count, (struct script_source){ .mix = members->desc });
}

const struct program program_script_dma = {
    .name = "script-dma",
    .sentence = "A device that does the transfers of a list, one after the other.",
    .params = script_params, .desc_bytes = sizeof(struct script_desc), .on_device = true, .check = check_device_list,
    .prepare = device_prepare_list, .start = device_go_on
};
const struct program program_stress_dma = {
    .name = "stress-dma",
    .sentence = "A device that reads and writes the lines and pages that the agents of stress share, at random.",
    .params = dma_mix_params, .desc_bytes = sizeof(struct script_mix), .on_device = true, .prepare = device_prepare_mix,
    .start = device_go_on
};
