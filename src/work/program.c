/* src/work/program.c - the table of programs, and what every program's agents need. */
#include "src/work/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct program *const programs[] = {
    &program_alloc_bulk,
    &program_alloc_random_free,
    &program_alloc_repeat,
    &program_alloc_replay,
    &program_chase,
    &program_compute,
    &program_dma_foreign,
    &program_dma_stream,
    &program_exclusive_alloc,
    &program_irq_source,
    &program_kswapd,
    &program_litmus,
    &program_page_bench,
    &program_page_invalidate,
    &program_page_zeroer,
    &program_ping_pong,
    &program_pressure,
    &program_probe_line,
    &program_random_mix,
    &program_rx_refill,
    &program_script,
    &program_script_dma,
    &program_spin_lock,
    &program_stress,
    &program_stress_dma,
    &program_touch_pages,
    NULL
};

const struct program *program_find(const char *name)
{
    for (const struct program *const *p = programs; *p; p++)
        if (strcmp((*p)->name, name) == 0)
            return *p;
    return NULL;
}

paddr work_scratch(struct work *w, uint64_t bytes)
{
    uint64_t align = bytes >= PAGE_BYTES ? PAGE_BYTES : LINE_BYTES;
    uint64_t at = (w->scratch_used_bytes + align - 1) / align * align;
    uint64_t all = w->kernel->desc.scratch_bytes;
    if (at > all || bytes > all - at)
        fail_user("the programs together need more scratch memory than the %" PRIu64 " bytes there are: raise kernel.scratch", all);
    w->scratch_used_bytes = at + (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES;
    return paddr_plus(w->kernel->at.scratch, at);
}

unsigned work_vector(struct work *w)
{
    if (w->vectors_used >= VECTOR_SOURCES_COUNT)
        fail_user("agents: more than %d sources of interrupts (entries of irq-source, agents of rx-refill): there is one vector for each",
                  VECTOR_SOURCES_COUNT);
    return VECTOR_SOURCES + w->vectors_used++;
}

unsigned work_softirq(struct work *w)
{
    if (w->softirqs_used >= SOFTIRQS)
        fail_user("agents: more than %d programs with a softirq (there is one number for each)", SOFTIRQS);
    return w->softirqs_used++;
}

static bool all_done(const struct agent *a) { return a->count != 0 && a->done >= a->warmup + a->count; }

bool agent_recorded(const struct agent *a) { return a->done >= a->warmup && !all_done(a); }

bool agent_next(struct agent *a)
{
    if (a->started) {
        a->done++;
        a->work->progress(a->work->machine, a);
    }
    a->started = true;
    if (a->hart)
        hart_record(a->hart, agent_recorded(a));
    return !all_done(a);
}

struct rng agent_rng(uint64_t seed, const char *entry, unsigned member)
{
    size_t size = strlen(entry) + sizeof "agent  member 4294967295";
    char *name = malloc(size);
    CHECK_MEMORY(name, "out of memory");
    snprintf(name, size, "agent %s member %u", entry, member);
    struct rng r = rng_stream(seed, name);
    free(name);
    return r;
}

const char *work_gfp_check(const struct work *w, const char *text)
{
    gfp_t flags;
    char why[200];
    if (gfp_parse(w->kernel->desc.version, text, &flags, why, sizeof why))
        return NULL;
    return arena_printf(w->arena, "gfp: %s", why);
}

gfp_t work_gfp(const struct work *w, const char *text)
{
    gfp_t flags = 0;
    char why[200];
    gfp_parse(w->kernel->desc.version, text, &flags, why, sizeof why);
    return flags;
}

const char *const share_choices[] = { "read", "write", NULL };

uint64_t agent_value(const struct agent *a, uint64_t sequence)
{
    uint64_t agent_number = (uint64_t)(a - a->work->agents) + 1;
    return agent_number << 40 | (sequence & ((UINT64_C(1) << 40) - 1));
}

void *agents_state(struct work *w, struct agent *members, unsigned count, size_t bytes_each)
{
    char *states = arena_alloc(w->arena, count, bytes_each);
    for (unsigned i = 0; i < count; i++)
        members[i].state = states + i * bytes_each;
    return states;
}
