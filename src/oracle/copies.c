/* src/oracle/copies.c - who has a copy of a line: when a write performs, and at the end of a grant.
 *
 * What is legal at the instant a write performs is decided by what a copy can still do. Copies that can be
 * neither read nor written (evicted, waiting for data) are nobody's. Data in flight with an older version is
 * legal under protocols that let a requester use it once before it obeys an invalidation, and on its way home;
 * data newer than the writer's was written by nobody.
 */
#include "src/oracle/judge.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool newer(uint32_t a, uint32_t b) { return (int32_t)(a - b) > 0; }

static void one_copy(void *arg, unsigned agent, bool readable, bool writable, uint32_t version, const char *state)
{
    struct scan *s = arg;
    if (!readable && !writable)
        return;
    if (agent == s->self) {
        s->own_present = true;
        s->own_writable |= writable;
        s->own_version = version;
        return;
    }
    if (!s->other_found || newer(version, s->newest_version))
        s->newest_version = version;
    if (!s->other_found) {
        s->other = agent;
        snprintf(s->other_state, sizeof s->other_state, "%s", state ? state : "?");
    }
    s->other_found = true;
    s->other_writable |= writable;
    set_add(&s->others, agent);
}

void copies_scan(struct oracle *o, lineno line, unsigned self, struct scan *out)
{
    *out = (struct scan){ .self = self };
    o->in.copies(o->in.machine, line, one_copy, out);
    o->report.scans++;
}

/* ---- data in flight */
struct flight {
    unsigned self, agents;
    uint32_t version;          /* of the owner's copy */
    const struct agent_set *asked; /* NULL: look for versions from the future; else for copies nobody asked for */
    bool found;
    unsigned to;
    uint32_t found_version;
    char kind[24];
};

static void one_message(void *arg, const char *kind, unsigned to, bool data, uint32_t version)
{
    struct flight *s = arg;
    bool bad;
    if (!s->asked)
        bad = data && newer(version, s->version);
    else /* DATA_U (models/msg.h) is read once and becomes no copy */
        bad = data && to < s->agents && to != s->self && version == s->version && !set_has(s->asked, to) &&
              strcmp(kind, "DATA_U") != 0;
    if (!bad || s->found)
        return;
    s->found = true;
    s->to = to;
    s->found_version = version;
    snprintf(s->kind, sizeof s->kind, "%s", kind);
}

static struct flight scan_messages(struct oracle *o, lineno line, const struct scan *c, const struct agent_set *asked)
{
    struct flight s = { .self = c->self, .agents = o->in.agents, .version = c->own_version, .asked = asked };
    if (c->own_present)
        o->in.messages(o->in.machine, line, one_message, &s);
    return s;
}

/* ---- when a write performs */
static bool judge_writer(struct oracle *o, unsigned agent, lineno line, const struct scan *s, bool must_own, tick now)
{
    paddr a = line_addr(line);
    if (s->other_found) {
        found(o, PROMISE_SINGLE_WRITER, agent, a, now,
              "its write performs while %s holds a copy it can %s (state %s, version %" PRIu32 ")",
              name_of(o, s->other), s->other_writable ? "write" : "read", s->other_state, s->newest_version);
        return false;
    }
    if (must_own && !s->own_writable) {
        found(o, PROMISE_SINGLE_WRITER, agent, a, now, "its write performs although it does not own the line (%s)",
              s->own_present ? "its copy can only be read" : "it has no copy");
        return false;
    }
    struct flight m = scan_messages(o, line, s, NULL);
    if (m.found)
        found(o, PROMISE_SINGLE_WRITER, agent, a, now,
              "a %s message to node %u carries version %" PRIu32 ", newer than the writer's %" PRIu32
              ": nobody wrote it", m.kind, m.to, m.found_version, s->own_version);
    return !m.found;
}

void copies_written(struct oracle *o, struct watch *w, unsigned agent, lineno line, bool must_own, tick now)
{
    if (w->scanned && w->scanned_agent == agent && w->scanned_line.v == line.v)
        return;
    struct scan s;
    copies_scan(o, line, agent, &s);
    w->scanned = false;
    if (!judge_writer(o, agent, line, &s, must_own && is_hart(o, agent), now))
        return;
    w->scanned = s.own_writable;
    w->scanned_agent = agent;
    w->scanned_line = line;
    if (agent == w->owner && s.own_writable) {
        struct watched_line *l = &w->line[line.v % LINES_PER_PAGE];
        l->owned_at = o->now_at;
        l->asked = l->open;
        l->asked_by_user = false;
    }
}

/* ---- at the end of a grant */
static bool any(const struct agent_set *s, unsigned from)
{
    for (unsigned i = from; i < AGENTS_MAX; i++)
        if (set_has(s, i))
            return true;
    return false;
}

static bool subset(const struct agent_set *a, const struct agent_set *b)
{
    for (unsigned i = 0; i < AGENTS_MAX / 64; i++)
        if (a->w[i] & ~b->w[i])
            return false;
    return true;
}

/* An allowed loss for coherence may be barred by another selected part. */
static void relost(struct oracle *o, struct watch *w, lineno line, tick now)
{
    const struct watched_line *l = &w->line[line.v % LINES_PER_PAGE];
    o->report.lines_relost++;
    if (!(w->parts & GRANT_DEVICE) || (w->reported & 1u << PROMISE_DEVICE))
        return;
    bool device = any(&l->asked, o->in.harts);
    if (!device && !l->asked_by_user)
        return;
    w->reported |= 1u << PROMISE_DEVICE;
    found(o, PROMISE_DEVICE, w->owner, line_addr(line), now,
          "it lost the line again before the end of the grant to %s, whose way to the page should have been closed",
          device ? "a device" : "a hart with a user translation of the page");
}

/* Returns whether the line keeps the promise; the first that does not is reported. */
static bool judge_line(struct oracle *o, struct watch *w, unsigned i, tick now)
{
    lineno line = frame_line(w->page->f, i);
    struct watched_line *l = &w->line[i];
    struct scan s;
    copies_scan(o, line, w->owner, &s);
    bool alone = s.own_writable && !s.other_found;
    struct flight m = scan_messages(o, line, &s, &l->asked);
    if (!alone && !l->owned_at)
        found(o, PROMISE_COHERENCE, w->owner, line_addr(line), now,
              "line %u of 64 was never solely its own; %s%s", i, s.other_found ? name_of(o, s.other) : "now it has ",
              s.other_found ? " has a copy" : s.own_present ? "a copy it can only read" : "no copy");
    else if (s.own_writable && s.other_found)
        found(o, PROMISE_COHERENCE, w->owner, line_addr(line), now,
              "line %u of 64 is owned by it, yet %s has a copy too (state %s)", i, name_of(o, s.other), s.other_state);
    else if (!subset(&s.others, &l->asked))
        found(o, PROMISE_COHERENCE, w->owner, line_addr(line), now,
              "line %u of 64 is no longer its own: %s has a copy (state %s), without having asked for it since", i,
              name_of(o, s.other), s.other_state);
    else if (m.found)
        found(o, PROMISE_COHERENCE, w->owner, line_addr(line), now,
              "line %u of 64: a %s message carries a copy to %s, which did not ask for it", i, m.kind,
              name_of(o, m.to));
    else if (alone || (s.own_present && !s.other_found))
        return o->report.lines_kept++, true;
    else if (any(&l->asked, 0))
        return relost(o, w, line, now), true;
    else
        return o->report.lines_evicted++, true;
    return false;
}

void copies_judge_end(struct oracle *o, struct watch *w, tick now)
{
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        if (!judge_line(o, w, i, now))
            return;
}
