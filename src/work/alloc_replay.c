/* src/work/alloc_replay.c - a recording of a real machine's page allocator, allocated and freed again on the model.
 *
 * Events of CPU n go to the entry's hart n modulo its harts. Each hart keeps the order of its events; a free of a page
 * that another hart allocates waits for that. One operation is one pass over the recording; what it leaves allocated
 * is freed at its end, by the hart that allocated it. Everything runs in task context, whatever the context was when
 * it was recorded.
 */
#include "src/kern/page_alloc.h"
#include "src/work/private.h"
#include "src/work/trace.h"

enum timing { TIMING_RECORDED, TIMING_FAST };

struct replay_desc {
    const char *trace;
    int timing;
    uint32_t scale;
};

enum slot_state { SLOT_WAITING, SLOT_HELD, SLOT_FAILED };

struct replay {                     /* of the entry */
    const struct trace *trace;
    struct start_line *start_line;
    frame *pages;                   /* by allocating event */
    uint8_t *state;                 /* enum slot_state, likewise */
    const struct agent *members;
    unsigned count;
};

struct pass { uint64_t events, allocs, frees, dropped, echoes, internal, failed, recorded_failures, at_end, late; };

static const char *const timing_choices[] = { "recorded", "fast", NULL };

static const struct param params[] = {
    { .key = "trace", .type = P_STRING, .flags = PARAM_REQUIRED, PARAM_FIELD(struct replay_desc, trace),
      .help = "The recording: ftrace text or CSV, also gzip-compressed; a relative path starts at the folder of this file." },
    { .key = "timing", .type = P_CHOICE, PARAM_FIELD(struct replay_desc, timing), .choices = timing_choices, .deflt = "recorded",
      .help = "Events happen at their recorded times, or as fast as possible." },
    { .key = "scale", .type = P_PERMYRIAD, PARAM_FIELD(struct replay_desc, scale), .min = 1, .max = 100 * PERMYRIAD, .deflt = "100%",
      .help = "With timing: recorded, every interval is stretched to this share of the recorded one." },
    { .key = NULL },
};

static bool load(struct work *w, struct agent *members, unsigned count, const struct node *entry, struct diag *diag)
{
    const struct replay_desc *d = members->desc;
    const struct node *at = entry ? node_peek(entry, "trace") : NULL;
    const struct trace *t = trace_read(w->arena, diag, d->trace, at ? at->at : (struct origin){ .file = NULL });
    if (!t)
        return false;
    struct replay *r = ARENA_ONE(w->arena, struct replay);
    *r = (struct replay){ .trace = t, .members = members, .count = count,
                          .pages = ARENA_ARRAY(w->arena, frame, t->count), .state = ARENA_ARRAY(w->arena, uint8_t, t->count) };
    for (unsigned i = 0; i < count; i++)
        members[i].state = r;
    return true;
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    struct replay *r = members->state;
    r->start_line = start_line_new(w, members, count);
    w->count(w->machine, "alloc_replay.other_events_count", r->trace->other_count);
    w->count(w->machine, "alloc_replay.lost_events_count", r->trace->lost_count);
    w->count(w->machine, "alloc_replay.unknown_flags_count", r->trace->unknown_flag_count);
    w->count(w->machine, "alloc_replay.lost_frees_count", r->trace->lost_free_count);
}

/* ---- one event */

static const struct agent *agent_of_event(const struct replay *r, uint32_t event)
{
    return &r->members[r->trace->events[event].cpu % r->count];
}

static void allocate(struct hart *h, const struct agent *a, uint32_t event, struct pass *p)
{
    struct replay *r = a->state;
    const struct kernel *k = agent_kernel(a);
    const struct trace_event *e = &r->trace->events[event];
    frame f = alloc_pages(h, k, gfp_translate(k->desc.version, e->gfp), e->order);
    p->allocs++;
    p->failed += f.v == 0;
    r->pages[event] = f;
    r->state[event] = f.v != 0 ? SLOT_HELD : SLOT_FAILED;
    if (e->partner != TRACE_NO_PARTNER && agent_of_event(r, e->partner)->hart != h)
        hart_wake(agent_of_event(r, e->partner)->hart);
}

static bool slot_filled(const void *state) { return *(const uint8_t *)state != SLOT_WAITING; }

/* As much as was allocated, also where the recording frees a block in parts. */
static void give_back(struct hart *h, const struct agent *a, uint32_t allocation)
{
    struct replay *r = a->state;
    if (r->state[allocation] == SLOT_HELD)
        free_pages(h, agent_kernel(a), r->pages[allocation], r->trace->events[allocation].order);
    r->state[allocation] = SLOT_WAITING;
}

static void event_free(struct hart *h, const struct agent *a, uint32_t allocation, struct pass *p)
{
    struct replay *r = a->state;
    if (allocation == TRACE_NO_PARTNER) {
        p->dropped++;
        return;
    }
    work_wait(h, slot_filled, &r->state[allocation], "another hart to allocate the page it frees");
    p->frees += r->state[allocation] == SLOT_HELD;
    give_back(h, a, allocation);
}

static void one_event(struct hart *h, const struct agent *a, uint32_t event, struct pass *p)
{
    const struct replay *r = a->state;
    const struct trace_event *e = &r->trace->events[event];
    p->events++;
    switch ((enum trace_kind)e->kind) {
    case TRACE_ALLOC: allocate(h, a, event, p); break;
    case TRACE_FREE:
    case TRACE_FREE_BATCHED: event_free(h, a, e->partner, p); break;
    case TRACE_ECHO: p->echoes++; break;
    case TRACE_INTERNAL: p->internal++; break;
    case TRACE_FAILED: p->recorded_failures++; break;
    }
}

/* ---- one pass */

static void wait_until(struct hart *h, tick when, struct pass *p)
{
    tick now = k_now_ps(h);
    if (now < when)
        k_sleep_ps(h, when - now);
    else
        p->late += now > when;
}

static tick scaled(tick when, uint32_t scale) { return when / PERMYRIAD * scale + when % PERMYRIAD * scale / PERMYRIAD; }

static void free_the_rest(struct hart *h, const struct agent *a, struct pass *p)
{
    const struct replay *r = a->state;
    for (uint32_t i = 0; i < r->trace->count; i++) {
        if (r->state[i] == SLOT_WAITING || agent_of_event(r, i) != a || r->trace->events[i].partner != TRACE_NO_PARTNER)
            continue;
        p->at_end += r->state[i] == SLOT_HELD;
        give_back(h, a, i);
    }
}

static void report(struct hart *h, const struct pass *p)
{
    k_count(h, "alloc_replay.events_count", p->events);
    k_count(h, "alloc_replay.allocs_count", p->allocs);
    k_count(h, "alloc_replay.frees_count", p->frees);
    k_count(h, "alloc_replay.frees_of_earlier_pages_count", p->dropped);
    k_count(h, "alloc_replay.frees_told_twice_count", p->echoes);
    k_count(h, "alloc_replay.internal_events_count", p->internal);
    k_count(h, "alloc_replay.failed", p->failed);
    k_count(h, "alloc_replay.recorded_failures_count", p->recorded_failures);
    k_count(h, "alloc_replay.freed_at_end_count", p->at_end);
    k_count(h, "alloc_replay.late_events_count", p->late);
}

static void one_pass(struct hart *h, struct agent *a)
{
    const struct replay_desc *d = a->desc;
    const struct replay *r = a->state;
    struct pass p = { .events = 0 };
    start_line_wait(h, r->start_line);
    tick start = k_now_ps(h);
    for (uint32_t i = 0; i < r->trace->count; i++) {
        if (agent_of_event(r, i) != a)
            continue;
        if (d->timing == TIMING_RECORDED)
            wait_until(h, start + scaled(r->trace->events[i].when, d->scale), &p);
        one_event(h, a, i, &p);
    }
    free_the_rest(h, a, &p);
    report(h, &p);
}

static void run(struct hart *h, struct agent *a)
{
    while (agent_next(a))
        one_pass(h, a);
}

const struct program program_alloc_replay = {
    .name = "alloc-replay",
    .sentence = "Replays a recording of a real page allocator (ftrace text or CSV): its allocations and frees, with their flags and times.",
    .params = params, .desc_bytes = sizeof(struct replay_desc), .load = load, .prepare = prepare, .run = run
};
