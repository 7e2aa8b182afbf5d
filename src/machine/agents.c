/* src/machine/agents.c - from the entries of agents: to programs on harts and devices. */
#include "src/machine/private.h"

#include "src/base/fail.h"
#include "src/base/suggest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static size_t program_names(const char **names, size_t most)
{
    size_t n = 0;
    while (programs[n] && n < most) {
        names[n] = programs[n]->name;
        n++;
    }
    return n;
}

static void unknown_program(struct diag *diag, struct node *entry, const char *name)
{
    const char *names[64];
    size_t n = program_names(names, 64);
    struct node *at = node_peek(entry, "program");
    node_error(diag, at ? at : entry, "`labyrinth list programs` names them all.", "%s is no program", name);
    diag_suggest(diag, name, names, n);
}

/* "device0": a device. Otherwise a range of cores. False after an error. */
static bool read_place(struct machine *m, struct diag *diag, struct node *entry, struct agent_entry *e, struct core_range *r)
{
    struct node *at = node_peek(entry, "on");
    struct complaint complaint;
    unsigned device;
    int used = 0;
    if (e->program->on_device) {
        if (sscanf(e->keys.on, "device%u%n", &device, &used) != 1 || e->keys.on[used] || device >= m->desc.devices.count) {
            node_error(diag, at, "Devices are device0, device1, ... as many as machine.devices.count says.",
                       "%s: %s runs on a device, and this machine has %" PRIu32, e->keys.on, e->keys.program, m->desc.devices.count);
            return false;
        }
        *r = (struct core_range){ device, device };
        return true;
    }
    if (!core_range_parse(e->keys.on, m->desc.cores, r, &complaint)) {
        node_error(diag, at, complaint.rule, "%s", complaint.what);
        return false;
    }
    return true;
}

static bool overlaps(struct machine *m, struct diag *diag, struct node *entry, unsigned upto, const struct core_range *r)
{
    for (unsigned i = 0; i < m->work.agent_count; i++) {
        const struct agent *a = &m->work.agents[i];
        bool device = m->entries[upto].program->on_device;
        if (a->program->on_device == device && a->done >= r->first && a->done <= r->last) {
            node_error(diag, node_peek(entry, "on"), "A core has one hart; a hart and a device run one program each.",
                       "%s%" PRIu64 " runs agent %s already", device ? "device" : "core", a->done, a->name);
            return true;
        }
    }
    return false;
}

static bool same_name(struct machine *m, struct diag *diag, struct node *entry, unsigned upto)
{
    for (unsigned i = 0; i < upto; i++)
        if (m->entries[i].keys.name && m->entries[upto].keys.name && strcmp(m->entries[i].keys.name, m->entries[upto].keys.name) == 0) {
            node_error(diag, node_peek(entry, "name"), "Paths such as agents.NAME.count need different names.",
                       "two agents are called %s", m->entries[upto].keys.name);
            return true;
        }
    return false;
}

static void read_entry(struct machine *m, struct diag *diag, struct node *entry, unsigned index)
{
    struct agent_entry *e = &m->entries[index];
    struct param_ctx ctx = { .arena = m->arena, .diag = diag, .period_ps = m->desc.hart.clock.period_ps, .at = entry->at,
                             .path = "agents" };
    size_t before = diag_count(diag);
    param_fill(entry, agent_params, &e->keys, &ctx);
    if (diag_count(diag) != before || same_name(m, diag, entry, index))
        return;
    e->program = program_find(e->keys.program);
    if (!e->program) {
        node_use_all(entry);
        unknown_program(diag, entry, e->keys.program);
        return;
    }
    if (e->program->on_device && !node_peek(entry, "honours_lock"))
        e->keys.honours_lock = false; /* a device cannot look at a lock, unless somebody says that it does */
    e->desc = arena_alloc(m->arena, 1, e->program->desc_bytes ? e->program->desc_bytes : 1);
    if (e->program->params)
        param_fill(entry, e->program->params, e->desc, &ctx);
    struct core_range r;
    if (diag_count(diag) != before || !read_place(m, diag, entry, e, &r) || overlaps(m, diag, entry, index, &r))
        return;
    e->first_agent = m->work.agent_count;
    e->members = r.last - r.first + 1;
    for (unsigned i = 0; i < e->members; i++) {
        struct agent *a = &m->work.agents[m->work.agent_count++];
        *a = (struct agent){ .program = e->program, .name = e->keys.name, .work = &m->work, .desc = e->desc, .member = i,
                             .members = e->members, .count = e->keys.count, .warmup = e->keys.warmup, .done = r.first + i };
        a->rng = agent_rng(m->doc->seed, e->keys.name, i);
    }
}

bool agents_read(struct machine *m, struct diag *diag)
{
    size_t before = diag_count(diag);
    struct node *list = m->doc->agents;
    m->entry_count = list ? (unsigned)list->count : 0;
    m->entries = ARENA_ARRAY(m->arena, struct agent_entry, m->entry_count + 1);
    m->work.agents = ARENA_ARRAY(m->arena, struct agent, (size_t)m->desc.cores + DEVICES_MAX);
    unsigned i = 0;
    for (struct node *n = list ? list->first : NULL; n; n = n->next, i++)
        if (node_expect(diag, n, NODE_MAPPING, "An agent is a mapping: { name: owner, on: core0, program: alloc-repeat }."))
            read_entry(m, diag, n, i);
    return diag_count(diag) == before;
}

static void run_agent(struct hart *h, void *arg)
{
    struct agent *a = arg;
    a->program->run(h, a);
}

static void illegal(void *arg, const char *text) { machine_stop(arg, RUN_ILLEGAL, text); }

static void device_finished(void *arg, struct agent *a)
{
    struct machine *m = arg;
    if (!a->finished) {
        a->finished = true;
        if (a->count && --m->unfinished == 0)
            machine_stop(m, RUN_DONE, "");
    }
}

static void progress(void *arg, struct agent *a)
{
    struct machine *m = arg;
    if (!a->count)
        return;
    m->operations_done++;
    if (m->options.progress && m->operations_done % 256 == 0)
        m->options.progress(m->options.progress_arg, m->operations_done, m->operations_total, engine_now(m->engine));
}

static bool prepare_entry(struct machine *m, struct diag *diag, struct agent_entry *e, struct node *entry)
{
    struct agent *members = &m->work.agents[e->first_agent];
    for (unsigned i = 0; i < e->members; i++) {
        struct agent *a = &members[i];
        unsigned place = (unsigned)a->done; /* until here: where it runs */
        a->done = 0;
        if (e->program->on_device) {
            a->device = m->devices[place];
        } else {
            a->hart = m->harts[place];
            hart_program(a->hart, run_agent, a, 0);
            hart_record(a->hart, false); /* agent_next switches it on, after preparations and warm-up */
        }
        if (m->oracle)
            oracle_honours_lock(m->oracle, e->program->on_device ? m->desc.cores + place : place, e->keys.honours_lock);
        m->unfinished += a->count > 0;
        m->operations_total += a->count + (a->count ? a->warmup : 0);
    }
    const char *wrong = e->program->check ? e->program->check(e->desc, &m->work, e->members) : NULL;
    if (wrong) {
        node_error(diag, entry, "See `labyrinth list programs` for what a program needs.", "agent %s: %s", e->keys.name, wrong);
        return false;
    }
    return !e->program->load || e->program->load(&m->work, members, e->members, entry, diag);
}

bool agents_prepare(struct machine *m, struct diag *diag)
{
    struct work *w = &m->work;
    w->kernel = &m->kernel;
    w->backdoor = &m->backdoor;
    w->engine = m->engine;
    w->devices = m->devices;
    w->device_count = m->desc.devices.count;
    w->harts = m->harts;
    w->hart_count = m->desc.cores;
    w->arena = m->arena;
    w->illegal = illegal;
    w->device_finished = device_finished;
    w->progress = progress;
    w->count = machine_count;
    w->machine = m;
    bool good = true;
    struct node *n = m->doc->agents ? m->doc->agents->first : NULL;
    for (unsigned i = 0; i < m->entry_count; i++, n = n->next)
        good &= prepare_entry(m, diag, &m->entries[i], n);
    if (good && !m->unfinished && !m->doc->limit_ps) {
        node_error(diag, m->doc->agents ? m->doc->agents : m->doc->root, "A run ends when every agent with a count has finished, or at `limit`.",
                   "no agent has a count and there is no limit: the run would never end");
        good = false;
    }
    for (unsigned i = 0; good && i < m->entry_count; i++) {
        struct agent_entry *e = &m->entries[i];
        if (e->program->prepare)
            e->program->prepare(w, &w->agents[e->first_agent], e->members);
    }
    for (unsigned i = 0; good && i < m->desc.cores; i++) {
        bool has_program = false;
        for (unsigned k = 0; k < w->agent_count; k++)
            has_program |= w->agents[k].hart == m->harts[i];
        if (!has_program)
            hart_program(m->harts[i], NULL, NULL, 0);
        hart_start(m->harts[i]);
    }
    return good;
}
