/* src/machine/stop.c - how a run ends: done, limit, illegal operation, violation, stuck. The first reason stays. */
#include "src/machine/private.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { VIOLATIONS_MAX = 16, HISTORY_LINES = 24 };

void machine_stop(struct machine *m, enum run_stop stop, const char *text)
{
    if (m->stopped)
        return;
    m->stopped = true;
    m->stop = stop;
    m->stop_text = arena_strdup(m->late, text);
    if (m->engine)
        engine_stop(m->engine);
}

const char *machine_agent_name(void *arg, unsigned agent)
{
    struct machine *m = arg;
    if (agent < m->desc.cores)
        return arena_printf(m->late, "core%u", agent);
    if (agent < m->desc.cores + m->desc.devices.count)
        return arena_printf(m->late, "device%u", agent - m->desc.cores);
    if (agent < m->agents)
        return "iommu";
    const struct topology *t = &m->topology;
    struct arena *arena = m->late ? m->late : m->arena;
    if (agent < t->first_home)
        return arena_printf(arena, "cluster%u.llc%u", (agent - t->first_slice) / t->slices, (agent - t->first_slice) % t->slices);
    return agent < t->nodes ? arena_printf(arena, "home%u", agent - t->first_home) : "nobody";
}

/* Text, then where the line is and what led there. */
static char *with_history(struct machine *m, const char *text, lineno line)
{
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    CHECK_MEMORY(f, "out of host memory for a violation's text");
    fprintf(f, "%s\nline %#" PRIx64 " (address %#" PRIx64 "), its last transitions:\n", text, line.v, line.v << LINE_SHIFT);
    history_print(m->history, line, HISTORY_LINES, f);
    machine_describe_line(m, line, f);
    fclose(f);
    char *kept = arena_strdup(m->late, out);
    free(out);
    return kept;
}

static void add_violation(struct machine *m, const char *kind, unsigned agent, uint64_t address, const char *text)
{
    if (m->violation_count < VIOLATIONS_MAX)
        m->violations[m->violation_count++] = (struct violation){
            .kind = kind, .time_ps = engine_now(m->engine), .agent = arena_strdup(m->late, machine_agent_name(m, agent)),
            .address = address, .text = text };
}

void machine_violation(void *arg, const char *kind, unsigned agent, uint64_t address, const char *text)
{
    struct machine *m = arg;
    if (strcmp(kind, "lock.illegal") == 0) {
        machine_stop(m, RUN_ILLEGAL, text);
        return;
    }
    char *full = with_history(m, text, paddr_line((paddr){ address }));
    add_violation(m, arena_strdup(m->late, kind), agent, address, full);
    machine_stop(m, RUN_VIOLATION, full);
}

void machine_protocol_error(void *arg, unsigned agent, lineno line, const char *text)
{
    struct machine *m = arg;
    char *full = with_history(m, text, line);
    add_violation(m, "protocol", agent, line.v << LINE_SHIFT, full);
    machine_stop(m, RUN_VIOLATION, full);
}

void machine_illegal(void *arg, unsigned hart, const char *text)
{
    struct machine *m = arg;
    machine_stop(m, RUN_ILLEGAL, arena_printf(m->late, "core%u at %" PRIu64 " ps: %s", hart, engine_now(m->engine), text));
}
