/* src/work/touch_pages.c - users of the pages that owners post: they put copies into their caches and translations
 * into their TLBs. Runs in the background. */
#include "src/kern/uspace.h"
#include "src/work/private.h"

struct touch_desc {
    int share;
    uint8_t lines;
};

struct touch_state {
    unsigned toucher;
};

static const struct param params[] = {
    { .key = "share", .type = P_CHOICE, PARAM_FIELD(struct touch_desc, share), .choices = share_choices, .deflt = "read",
      .help = "Whether each line is read, or written (then the last of the entry's harts owns it afterwards)." },
    { .key = "lines", .type = P_UINT, PARAM_FIELD(struct touch_desc, lines), .min = 1, .max = LINES_PER_PAGE, .deflt = "64",
      .help = "How many lines of a page are touched, from its start." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    (void)desc, (void)members;
    return w->kernel->desc.spaces < WORK_SPACE ? "there is no user address space (kernel: spaces)" : NULL;
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct touch_desc *d = members->desc;
    struct touch_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++)
        states[i].toucher = meeting_add_toucher(w, &members[i], d->share == SHARE_WRITE);
}

/* The word moves with the line, so that a page left unzeroed shows wherever it was written. */
static bool touch_line(struct hart *h, const struct agent *a, vaddr line)
{
    const struct touch_desc *d = a->desc;
    vaddr at = { line.v + line.v / LINE_BYTES % 8 * 8 };
    uint64_t value;
    return d->share == SHARE_WRITE ? k_user_store(h, at, 8, agent_value(a, a->done)) : k_user_load(h, at, 8, &value);
}

/* A page fault has nobody to mend it: the page is left alone. */
static void touch(struct hart *h, const struct agent *a, vaddr page)
{
    const struct touch_desc *d = a->desc;
    for (unsigned i = 0; i < d->lines; i++) {
        if (!touch_line(h, a, (vaddr){ page.v + i * LINE_BYTES })) {
            k_count(h, "touch_pages.unmapped", 1);
            break;
        }
    }
    if (d->share == SHARE_WRITE)
        k_fence(h); /* written: owned, not only asked for */
}

static void run(struct hart *h, struct agent *a)
{
    const struct touch_state *s = a->state;
    uspace_use(h, agent_kernel(a), WORK_SPACE);
    while (agent_next(a)) {
        struct posted_page page = meeting_next(h, a->work, s->toucher);
        touch(h, a, page.at);
        meeting_arrive(a->work, s->toucher, page.slot);
    }
}

const struct program program_touch_pages = {
    .name = "touch-pages",
    .sentence = "Reads or writes every line of each page that an owner posts, through a user mapping.",
    .params = params, .desc_bytes = sizeof(struct touch_desc), .check = check, .prepare = prepare, .run = run
};
