/* src/machine/trace.c - a run as Chrome trace JSON ("JSON Object Format" of the Trace Event Format, Google 2016), which
 * Perfetto and chrome://tracing open. Times are microseconds with the picoseconds behind the point.
 *
 * Process "requests": a track per hart with its requests as slices, one inside the other; requests that overlap
 * without nesting (stores in the store buffer, DMA) are asynchronous slices. Accesses that stay in the first level are left out. Process "caches, homes and messages": a track per
 * node; a transition is an instant, a message is a mark of 1 ns at sender and at receiver with a flow (an arrow) from
 * the one to the other. The four events of a message are written together at its delivery, so that arrows always have both ends.
 */
#include "src/machine/private.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { PROCESS_REQUESTS = 1, PROCESS_NODES = 2, MESSAGE_EVENTS = 4, NESTED_MAX = 64 };

/* Slices of a hart that are closed, by start; each ends before the next begins. */
struct nest { unsigned count; struct span { tick start, end; } span[NESTED_MAX]; };

struct trace {
    struct machine *machine;
    FILE *out;
    const char **tracks;        /* names of the nodes' tracks */
    unsigned track_count, track_cap;
    struct nest *nests;         /* by hart */
    uint64_t written, metadata, requests;
    struct left_out { uint64_t requests, transitions, messages; tick since; bool full; } left_out;
    char *left_out_text;
};

/* ---- writing */

static void print_us(FILE *out, const char *key, tick ps)
{
    fprintf(out, ",\"%s\":%" PRIu64 ".%06" PRIu64, key, ps / PS_PER_US, ps % PS_PER_US);
}

static void event_head(struct trace *t, const char *phase, unsigned process, unsigned track, tick when)
{
    fprintf(t->out, "%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", t->written++ ? "," : "", phase, process, track);
    print_us(t->out, "ts", when);
}

static void name_track(struct trace *t, const char *what, unsigned process, unsigned track, const char *name)
{
    t->metadata++;
    event_head(t, "M", process, track, 0);
    fprintf(t->out, ",\"name\":\"%s\",\"args\":{\"name\":\"%s\"}}", what, name);
}

/* May `events` more be written for what ends now? Past the limit nothing is, ever. */
static bool room(struct trace *t, uint64_t events, tick now)
{
    const struct run_options *o = &t->machine->options;
    struct left_out *l = &t->left_out;
    if (now < o->trace_from_ps || (o->trace_until_ps && now > o->trace_until_ps))
        return false;
    if (!l->full && o->trace_limit && t->written - t->metadata + events > o->trace_limit) {
        l->full = true;
        l->since = now;
    }
    return !l->full;
}

static unsigned track_of(struct trace *t, const char *name)
{
    for (unsigned i = 0; i < t->track_count; i++)
        if (strcmp(t->tracks[i], name) == 0)
            return i;
    if (t->track_count == t->track_cap) {
        t->track_cap = t->track_cap ? 2 * t->track_cap : 64;
        t->tracks = realloc(t->tracks, t->track_cap * sizeof *t->tracks);
        CHECK_MEMORY(t->tracks, "out of host memory for the trace");
    }
    t->tracks[t->track_count] = arena_strdup(t->machine->late, name);
    name_track(t, "thread_name", PROCESS_NODES, t->track_count, name);
    return t->track_count++;
}

/* ---- requests */

/* Viewers keep nanoseconds: slices that are to nest must do so after rounding, too. */
static tick whole_ns(tick t) { return t - t % PS_PER_NS; }

/* Does a slice that ends now fit into the hart's track: inside, around or behind each of those before? */
static bool nests(struct nest *n, tick start, tick end)
{
    while (n->count && n->span[n->count - 1].start >= start)
        n->count--;
    if (n->count && n->span[n->count - 1].end > start)
        return false;
    if (n->count == NESTED_MAX) {
        n->count--;
        memmove(n->span, n->span + 1, n->count * sizeof *n->span);
    }
    n->span[n->count++] = (struct span){ start, end };
    return true;
}

static void traced_request(void *arg, const struct seen_request *r)
{
    struct trace *t = arg;
    const char *name = class_infos[r->class].name;
    bool of_hart = r->actor < t->machine->desc.cores;
    if (!room(t, 2, r->end)) {
        t->left_out.requests++;
        return;
    }
    if (of_hart && r->class != CLASS_STORE && nests(&t->nests[r->actor], r->start, r->end)) {
        tick start = whole_ns(r->start);
        event_head(t, "X", PROCESS_REQUESTS, r->actor, start);
        print_us(t->out, "dur", whole_ns(r->end) - start);
        fprintf(t->out, ",\"name\":\"%s\",\"args\":{\"exact_ps\":%" PRIu64 "}}", name, r->end - r->start);
        return;
    }
    t->requests++;
    for (unsigned i = 0; i < 2; i++) {
        event_head(t, i ? "e" : "b", PROCESS_REQUESTS, r->actor, i ? r->end : r->start);
        fprintf(t->out, ",\"cat\":\"request\",\"id\":%" PRIu64 ",\"name\":\"%s %s\"}", t->requests,
                machine_node_name(t->machine, r->actor), name);
    }
}

/* ---- protocol */

static void traced_transition(void *arg, const struct history_entry *e)
{
    struct trace *t = arg;
    char name[PART_NAME_MAX];
    if (!room(t, 1, e->when)) {
        t->left_out.transitions++;
        return;
    }
    unsigned track = track_of(t, part_name(e->who, name));
    event_head(t, "i", PROCESS_NODES, track, e->when);
    fprintf(t->out, ",\"s\":\"t\",\"name\":\"%s %s>%s\",\"args\":{\"line\":\"%#" PRIx64 "\"", e->event, e->old_state, e->new_state,
            e->line.v);
    if (e->from >= 0)
        fprintf(t->out, ",\"for\":\"%s\"", machine_node_name(t->machine, (unsigned)e->from));
    fputs("}}", t->out);
}

/* One end of a message: the mark, and the flow's event bound to it. */
static void message_end(struct trace *t, const struct seen_message *s, bool receiver)
{
    const struct msg *m = s->msg;
    const char *kind = msg_infos[m->kind].name, *here = machine_node_name(t->machine, receiver ? m->dst : m->src),
               *there = machine_node_name(t->machine, receiver ? m->src : m->dst);
    unsigned track = track_of(t, here);
    tick when = receiver ? s->now : s->sent;
    event_head(t, "X", PROCESS_NODES, track, when);
    print_us(t->out, "dur", PS_PER_NS);
    fprintf(t->out, ",\"cat\":\"message\",\"name\":\"%s %s %s\",\"args\":{\"%s\":\"%#" PRIx64 "\",\"message\":%" PRIu64 "}}", kind,
            receiver ? "from" : "to", there, is_translation_message(m) ? "page" : "line", m->line.v, s->serial);
    event_head(t, receiver ? "f" : "s", PROCESS_NODES, track, when);
    fprintf(t->out, "%s,\"cat\":\"message\",\"id\":%" PRIu64 ",\"name\":\"%s\"}", receiver ? ",\"bp\":\"e\"" : "", s->serial, kind);
}

static void traced_message(void *arg, const struct seen_message *s)
{
    struct trace *t = arg;
    if (!s->delivered)
        return;
    if (!room(t, MESSAGE_EVENTS, s->now)) {
        t->left_out.messages++;
        return;
    }
    message_end(t, s, false);
    message_end(t, s, true);
}

/* ---- life */

void trace_start(struct machine *m)
{
    if (!m->options.trace)
        return;
    struct trace *t = m->trace = calloc(1, sizeof *t);
    CHECK_MEMORY(t, "out of host memory for the trace");
    t->machine = m;
    t->out = m->options.trace;
    t->nests = calloc(m->desc.cores, sizeof *t->nests);
    CHECK_MEMORY(t->nests, "out of host memory for the trace");
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", t->out);
    name_track(t, "process_name", PROCESS_REQUESTS, 0, "requests");
    name_track(t, "process_name", PROCESS_NODES, 0, "caches, homes and messages");
    for (unsigned i = 0; i < m->desc.cores; i++)
        name_track(t, "thread_name", PROCESS_REQUESTS, i, machine_node_name(m, i));
    for (unsigned i = 0; i < m->desc.net.nodes; i++)
        track_of(t, machine_node_name(m, i));
    machine_watch(m, (struct watcher){ t, traced_request, traced_transition, traced_message });
}

static void say_left_out(struct trace *t)
{
    const struct left_out *l = &t->left_out;
    if (l->full)
        t->left_out_text = arena_printf(t->machine->late,
            "the trace is cut at its limit of %" PRIu64 " events, at %" PRIu64 " ps: it lacks %" PRIu64 " requests, %" PRIu64
            " transitions and %" PRIu64 " messages of the run", t->machine->options.trace_limit, l->since, l->requests,
            l->transitions, l->messages);
    else if (l->requests + l->transitions + l->messages)
        t->left_out_text = arena_printf(t->machine->late,
            "the trace covers what ended in the time asked for: it lacks %" PRIu64 " requests, %" PRIu64 " transitions and %" PRIu64
            " messages of the run", l->requests, l->transitions, l->messages);
}

void trace_finish(struct machine *m)
{
    struct trace *t = m->trace;
    if (!t)
        return;
    say_left_out(t);
    fprintf(t->out, "\n],\"otherData\":{\"left out\":\"%s\"}}\n", t->left_out_text ? t->left_out_text : "nothing");
}

void trace_free(struct machine *m)
{
    struct trace *t = m->trace;
    if (!t)
        return;
    free(t->tracks);
    free(t->nests);
    free(t);
}

const char *machine_trace_left_out(const struct machine *m)
{
    return m->trace && m->trace->left_out_text ? m->trace->left_out_text : "";
}
