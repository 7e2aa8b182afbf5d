/* src/work/meeting.c - meetings of agents. All state is on the host; a hart waits by hart_park, a device is called. */
#include "src/work/meeting.h"

#include "src/work/private.h"

#include <string.h>

struct slot {
    struct agent *owner;
    struct posted_page posted;
    bool open;                  /* posted, and not everybody has arrived */
    bool *arrived;              /* [touchers] */
    bool *device_arrived;       /* [devices] */
    frame granted;
};

struct toucher {
    struct agent *agent;
    bool writes;
};

struct meeting {
    unsigned slot_count, toucher_count, device_count;
    struct slot *slots;         /* each array has room for all agents */
    struct toucher *touchers;
    struct meeting_device *devices;
};

/* ---- waiting */

/* Serves every interrupt that is pending now. Between its return and hart_park no time passes, so a wake-up in
 * between cannot be lost. */
static void serve_interrupts(struct hart *h) { k_irq_restore(h, k_irq_save(h)); }

void work_wait(struct hart *h, bool (*ready)(const void *arg), const void *arg, const char *why)
{
    for (serve_interrupts(h); !ready(arg); serve_interrupts(h))
        hart_park(h, why);
}

/* ---- who takes part */

static struct meeting *meeting_of(struct work *w)
{
    if (w->meetings == NULL) {
        struct meeting *m = ARENA_ONE(w->arena, struct meeting);
        m->slots = ARENA_ARRAY(w->arena, struct slot, w->agent_count);
        m->touchers = ARENA_ARRAY(w->arena, struct toucher, w->agent_count);
        m->devices = ARENA_ARRAY(w->arena, struct meeting_device, w->agent_count);
        w->meetings = m;
    }
    return w->meetings;
}

unsigned meeting_add_owner(struct work *w, struct agent *a)
{
    struct meeting *m = meeting_of(w);
    CHECK(m->slot_count < w->agent_count, "meeting: more owners than agents");
    m->slots[m->slot_count] = (struct slot){ .owner = a,
                                             .arrived = ARENA_ARRAY(w->arena, bool, w->agent_count),
                                             .device_arrived = ARENA_ARRAY(w->arena, bool, w->agent_count) };
    return m->slot_count++;
}

unsigned meeting_add_toucher(struct work *w, struct agent *a, bool writes)
{
    struct meeting *m = meeting_of(w);
    CHECK(m->toucher_count < w->agent_count, "meeting: more touchers than agents");
    m->touchers[m->toucher_count] = (struct toucher){ a, writes };
    return m->toucher_count++;
}

unsigned meeting_add_device(struct work *w, const struct meeting_device *d)
{
    struct meeting *m = meeting_of(w);
    CHECK(m->device_count < w->agent_count, "meeting: more devices than agents");
    m->devices[m->device_count] = *d;
    return m->device_count++;
}

/* ---- whose turn it is */

static bool all_true(const bool *flags, unsigned count)
{
    return memchr(flags, false, count) == NULL;
}

static bool may_touch(const struct meeting *m, const struct slot *s, unsigned toucher)
{
    if (!s->open || s->arrived[toucher] || !all_true(s->device_arrived, m->device_count))
        return false;
    for (unsigned i = 0; i < toucher; i++)
        if (!s->arrived[i] && (m->touchers[toucher].writes || m->touchers[i].writes))
            return false;
    return true;
}

static void wake_touchers(const struct meeting *m, const struct slot *s)
{
    for (unsigned i = 0; i < m->toucher_count; i++)
        if (may_touch(m, s, i))
            hart_wake(m->touchers[i].agent->hart);
}

/* Somebody has arrived. */
static void advance(struct meeting *m, struct slot *s)
{
    if (all_true(s->device_arrived, m->device_count) && all_true(s->arrived, m->toucher_count)) {
        s->open = false;
        hart_wake(s->owner->hart);
    } else {
        wake_touchers(m, s);
    }
}

/* ---- owners */

static bool slot_closed(const void *arg) { return !((const struct slot *)arg)->open; }

/* Opens the slot before it tells the devices: one of them may arrive within the call. */
void meeting_post(struct hart *h, struct work *w, struct posted_page page)
{
    struct meeting *m = w->meetings;
    struct slot *s = &m->slots[page.slot];
    s->posted = page;
    s->open = true;
    memset(s->arrived, 0, m->toucher_count * sizeof *s->arrived);
    for (unsigned i = 0; i < m->device_count; i++)
        s->device_arrived[i] = m->devices[i].posted == NULL;
    for (unsigned i = 0; i < m->device_count; i++)
        if (m->devices[i].posted)
            m->devices[i].posted(m->devices[i].agent, page);
    advance(m, s);
    work_wait(h, slot_closed, s, "everybody to touch the page it posted");
}

void meeting_grant(struct work *w, unsigned slot, frame f)
{
    struct meeting *m = w->meetings;
    m->slots[slot].granted = f;
    for (unsigned i = 0; i < m->device_count && f.v != 0; i++)
        if (m->devices[i].granted)
            m->devices[i].granted(m->devices[i].agent, slot, f);
}

frame meeting_granted(const struct work *w, unsigned slot) { return w->meetings->slots[slot].granted; }

/* ---- touchers and devices */

struct turn {
    const struct meeting *meeting;
    unsigned toucher;
};

static const struct slot *slot_to_touch(const struct turn *t)
{
    for (unsigned i = 0; i < t->meeting->slot_count; i++)
        if (may_touch(t->meeting, &t->meeting->slots[i], t->toucher))
            return &t->meeting->slots[i];
    return NULL;
}

static bool has_turn(const void *arg) { return slot_to_touch(arg) != NULL; }

struct posted_page meeting_next(struct hart *h, struct work *w, unsigned toucher)
{
    struct turn t = { w->meetings, toucher };
    work_wait(h, has_turn, &t, "a page to touch");
    return slot_to_touch(&t)->posted;
}

void meeting_arrive(struct work *w, unsigned toucher, unsigned slot)
{
    struct slot *s = &w->meetings->slots[slot];
    CHECK(s->open && !s->arrived[toucher], "meeting: toucher %u arrives out of turn", toucher);
    s->arrived[toucher] = true;
    advance(w->meetings, s);
}

void meeting_device_arrive(struct work *w, unsigned device, unsigned slot)
{
    struct slot *s = &w->meetings->slots[slot];
    CHECK(s->open && !s->device_arrived[device], "meeting: device %u arrives out of turn", device);
    s->device_arrived[device] = true;
    advance(w->meetings, s);
}

/* ---- start lines */

struct start_line {
    struct agent *members;
    unsigned count, arrived;
    uint64_t round;
};

struct start_line *start_line_new(struct work *w, struct agent *members, unsigned count)
{
    struct start_line *b = ARENA_ONE(w->arena, struct start_line);
    *b = (struct start_line){ .members = members, .count = count };
    return b;
}

struct round {
    const struct start_line *start_line;
    uint64_t number;
};

static bool round_over(const void *arg)
{
    const struct round *r = arg;
    return r->start_line->round != r->number;
}

void start_line_wait(struct hart *h, struct start_line *b)
{
    struct round r = { b, b->round };
    if (++b->arrived == b->count) {
        b->arrived = 0;
        b->round++;
        for (unsigned i = 0; i < b->count; i++)
            if (b->members[i].hart != h)
                hart_wake(b->members[i].hart);
        return;
    }
    work_wait(h, round_over, &r, "the other members at the start line");
}
