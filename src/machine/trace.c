/* src/machine/trace.c - a run as Chrome trace JSON ("JSON Object Format" of the Trace Event Format), which Perfetto and
 * chrome://tracing open: one track per hart with its requests as slices, one per cache and home with the protocol's
 * transitions as instants. Times are microseconds with the picoseconds behind the point.
 */
#include "src/machine/private.h"

#include <inttypes.h>
#include <string.h>

enum { PROCESS_REQUESTS = 1, PROCESS_PROTOCOL = 2 };

static void event_head(struct machine *m, const char *phase, unsigned process, unsigned thread, tick when)
{
    fprintf(m->options.trace, "%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u,\"ts\":%" PRIu64 ".%06" PRIu64, m->traced++ ? "," : "", phase,
            process, thread, when / PS_PER_US, when % PS_PER_US);
}

static void name_track(struct machine *m, const char *what, unsigned process, unsigned thread, const char *name)
{
    event_head(m, "M", process, thread, 0);
    fprintf(m->options.trace, ",\"name\":\"%s\",\"args\":{\"name\":\"%s\"}}", what, name);
}

static void traced_request(void *arg, uint32_t actor, enum class_id class, tick start, tick end)
{
    struct machine *m = arg;
    event_head(m, "X", PROCESS_REQUESTS, actor, start);
    fprintf(m->options.trace, ",\"dur\":%" PRIu64 ".%06" PRIu64 ",\"name\":\"%s\"}", (end - start) / PS_PER_US,
            (end - start) % PS_PER_US, class_infos[class].name);
}

/* Caches first, by agent; then homes. */
static unsigned track_of(const struct machine *m, const char *who)
{
    unsigned n = 0;
    return strncmp(who, "home", 4) == 0 ? (sscanf(who + 4, "%u", &n), m->first_home + n)
         : strncmp(who, "core", 4) == 0 ? (sscanf(who + 4, "%u", &n), n)
         : strncmp(who, "device", 6) == 0 ? (sscanf(who + 6, "%u", &n), m->desc.cores + n) : m->agents - 1;
}

static void traced_transition(void *arg, const struct history_entry *e)
{
    struct machine *m = arg;
    event_head(m, "i", PROCESS_PROTOCOL, track_of(m, e->who), e->when);
    fprintf(m->options.trace, ",\"s\":\"t\",\"name\":\"%s %s>%s\",\"args\":{\"line\":\"0x%" PRIx64 "\",\"for\":%d}}", e->event,
            e->old_state, e->new_state, e->line.v, e->from);
}

void trace_start(struct machine *m)
{
    if (!m->options.trace)
        return;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", m->options.trace);
    name_track(m, "process_name", PROCESS_REQUESTS, 0, "requests");
    name_track(m, "process_name", PROCESS_PROTOCOL, 0, "protocol");
    for (unsigned i = 0; i < m->desc.cores; i++)
        name_track(m, "thread_name", PROCESS_REQUESTS, i, machine_agent_name(m, i));
    for (unsigned i = 0; i < m->first_home + m->desc.llc.slices; i++)
        name_track(m, "thread_name", PROCESS_PROTOCOL, i, machine_agent_name(m, i));
    account_tap(m->account, traced_request, m);
    history_tap(m->history, traced_transition, m);
}

void trace_finish(struct machine *m)
{
    if (!m->options.trace)
        return;
    account_tap(m->account, NULL, NULL);
    history_tap(m->history, NULL, NULL);
    fputs("\n]}\n", m->options.trace);
}
