/* src/machine/look.c - a machine that stands between two events, in words. */
#include "src/machine/private.h"

#include "models/coherence/table.h"
#include "src/base/fail.h"
#include "src/machine/look.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void print_ns(FILE *out, tick t) { fprintf(out, "%" PRIu64 ".%03" PRIu64 " ns", t / PS_PER_NS, t % PS_PER_NS); }

static uint64_t address_of(lineno line) { return line.v << LINE_SHIFT; }

/* ---- messages under way */

struct under_way { uint64_t count, cap; struct sent { struct msg msg; tick when; } *sent; };

static void collect(void *arg, const struct msg *m, tick sent)
{
    struct under_way *u = arg;
    if (u->count == u->cap) {
        u->cap = u->cap ? u->cap * 2 : 32;
        u->sent = realloc(u->sent, u->cap * sizeof *u->sent);
        CHECK_MEMORY(u->sent, "out of host memory for messages");
    }
    u->sent[u->count++] = (struct sent){ *m, sent };
}

static int earlier(const void *a, const void *b)
{
    const struct sent *x = a, *y = b;
    if (x->when != y->when)
        return x->when < y->when ? -1 : 1;
    return x->msg.src != y->msg.src ? (int)x->msg.src - (int)y->msg.src : (int)x->msg.dst - (int)y->msg.dst;
}

/* To be freed: ->sent. */
static struct under_way all_under_way(struct machine *m)
{
    struct under_way u = { 0 };
    net_for_each_in_flight(m->net, collect, &u);
    if (u.count)
        qsort(u.sent, u.count, sizeof *u.sent, earlier);
    return u;
}

static void print_sent(struct machine *m, const struct sent *s, FILE *out)
{
    fprintf(out, "%-10s %-8s > %-8s", msg_infos[s->msg.kind].name, machine_node_name(m, s->msg.src), machine_node_name(m, s->msg.dst));
    fprintf(out, " since ");
    print_ns(out, s->when);
}

void look_messages(struct machine *m, FILE *out)
{
    struct under_way u = all_under_way(m);
    if (u.count == 0)
        fputs("no message is under way\n", out);
    for (uint64_t i = 0; i < u.count; i++) {
        const struct msg *msg = &u.sent[i].msg;
        fprintf(out, "  %s %#10" PRIx64 "  ", is_translation_message(msg) ? "page" : "line",
                is_translation_message(msg) ? msg->line.v << PAGE_SHIFT : address_of(msg->line));
        print_sent(m, &u.sent[i], out);
        fputc('\n', out);
    }
    free(u.sent);
}

/* ---- a line */

struct copies { struct machine *machine; FILE *out; bool brief; unsigned count; };

static void one_copy(void *arg, unsigned agent, bool readable, bool writable, uint32_t version, const char *state)
{
    struct copies *c = arg;
    const struct protocol *p = c->machine->protocol;
    const char *name = machine_node_name(c->machine, agent);
    int s = protocol_state(p, CTL_CACHE, state);
    (void)readable;
    (void)writable;
    if (s == 0)
        return;
    c->count++;
    if (c->brief)
        fprintf(c->out, "  %s %s", name, state);
    else
        fprintf(c->out, "  %-8s %-5s %s (version %" PRIu32 ")\n", name, state, s < 0 ? "" : p->table[CTL_CACHE].sentence[s], version);
}

static void line_messages(struct machine *m, lineno line, FILE *out)
{
    struct under_way u = all_under_way(m);
    for (uint64_t i = 0; i < u.count; i++) {
        if (u.sent[i].msg.line.v != line.v || is_translation_message(&u.sent[i].msg))
            continue;
        fputs("           ", out);
        print_sent(m, &u.sent[i], out);
        fputc('\n', out);
    }
    free(u.sent);
}

/* A home's own words, with names for the numbers of agents behind "owner", "sharers" and "agent". */
static void print_named(struct machine *m, const char *text, FILE *out)
{
    bool agents = false;
    while (*text) {
        size_t n = strcspn(text, " ,:\n"), digits = strspn(text, "0123456789");
        bool skips = strncmp(text, "agent ", 6) == 0;
        if (agents && n > 0 && n == digits)
            fputs(machine_node_name(m, (unsigned)strtoul(text, NULL, 10)), out);
        else if (!skips)
            fprintf(out, "%.*s", (int)n, text);
        if (n > 0 && n != digits)
            agents = (n == 5 && (strncmp(text, "owner", n) == 0 || strncmp(text, "agent", n) == 0)) ||
                     (n == 7 && strncmp(text, "sharers", n) == 0);
        text += n;
        n = strspn(text, " ,:\n");
        if (!skips)
            fprintf(out, "%.*s", (int)n, text);
        text += n;
    }
}

/* What the home says; unless brief, with what its state means. */
static void print_home(struct machine *m, lineno line, bool brief, FILE *out)
{
    char *text = NULL, state[24];
    size_t size = 0;
    FILE *said = open_memstream(&text, &size);
    CHECK_MEMORY(said, "out of host memory for a home's words");
    m->inspector.home(m, line, said);
    fclose(said);
    print_named(m, text, out);
    const char *at = strstr(text, "state ");
    int s = at && sscanf(at, "state %23[^ ,\n]", state) == 1 ? protocol_state(m->protocol, CTL_HOME, state) : -1;
    if (!brief && s >= 0)
        fprintf(out, "           %-5s %s\n", state, m->protocol->table[CTL_HOME].sentence[s]);
    free(text);
}

uint64_t look_memory_bytes(const struct machine *m) { return memory_bytes(m->memory); }

void look_line(struct machine *m, lineno line, bool brief, FILE *out)
{
    struct copies c = { m, out, brief, 0 };
    fprintf(out, brief ? "  line %#" PRIx64 ":" : "line at %#" PRIx64 "\n", address_of(line));
    m->inspector.copies(m, line, one_copy, &c);
    if (c.count == 0)
        fputs(brief ? "  no copy" : "  no cache has a copy\n", out);
    fputs(brief ? "  | " : "  ", out);
    print_home(m, line, brief, out);
    line_messages(m, line, out);
}

static void one_entry(void *arg, const struct history_entry *e)
{
    struct copies *c = arg;
    c->count++;
    print_transition(c->out, c->machine, e);
}

void look_history(struct machine *m, lineno line, unsigned most, FILE *out)
{
    struct copies c = { m, out, false, 0 };
    history_each(m->history, line, most, one_entry, &c);
    if (c.count == 0)
        fputs("no transition of this line is remembered (checks.line_history says how many of all lines are)\n", out);
}

/* ---- cores */

static const struct agent *agent_of(const struct machine *m, unsigned core)
{
    for (unsigned i = 0; i < m->work.agent_count; i++)
        if (m->work.agents[i].hart && hart_id(m->work.agents[i].hart) == core)
            return &m->work.agents[i];
    return NULL;
}

static void print_progress(const struct agent *a, FILE *out)
{
    fprintf(out, "%s, %" PRIu64, a->name, a->done);
    if (a->count)
        fprintf(out, " of %" PRIu64, a->count + a->warmup);
    fputs(" operations done", out);
}

static void print_waits(const struct hart_view *v, FILE *out)
{
    static const char *const contexts[] = { "", ", in a softirq", ", in an interrupt handler", ", in an NMI handler" };
    if (v->computes) {
        fputs("executes", out);
    } else {
        fprintf(out, "waits for %s", v->waits_for);
        if (v->on_line)
            fprintf(out, " (line %#" PRIx64 ")", address_of(v->line));
        fputs(" since ", out);
        print_ns(out, v->since);
    }
    fputs(contexts[v->context], out);
    if (!v->irqs_on)
        fputs(", interrupts off", out);
    if (v->irqs_pending)
        fprintf(out, ", %d interrupts pending", __builtin_popcount(v->irqs_pending));
}

static void one_store(void *arg, const char *kind, paddr at, unsigned bytes, uint64_t value)
{
    fprintf(arg, "    %-10s %#10" PRIx64 "  %2u bytes  %#" PRIx64 "\n", kind, at.v, bytes, value);
}

static void one_outstanding(void *arg, const struct cache_outstanding *o)
{
    FILE *out = arg;
    fprintf(out, "  %-10s %2u  line at %#10" PRIx64 "  %-10s %-8s since ", o->write_back ? "write-back" : "MSHR", o->number,
            address_of(o->line), o->event, o->state ? o->state : "(lookup)");
    print_ns(out, o->since);
    if (o->acks > 0)
        fprintf(out, ", %d acknowledgements missing", o->acks);
    if (o->acks < 0)
        fprintf(out, ", %d acknowledgements came early", -o->acks);
    if (o->waiting)
        fprintf(out, ", %u more accesses wait for it", o->waiting);
    fputc('\n', out);
}

bool look_core(struct machine *m, unsigned core, FILE *out)
{
    if (core >= m->desc.cores)
        return false;
    const struct agent *a = agent_of(m, core);
    struct hart_view v = hart_view(m->harts[core]);
    fprintf(out, "core%u: ", core);
    if (a) {
        print_progress(a, out);
        fprintf(out, "; program %s", a->program->name);
    } else {
        fputs("no program; serves interrupts", out);
    }
    fputs("\n  ", out);
    print_waits(&v, out);
    fprintf(out, "\n  store buffer: %u of %u entries\n", v.stores, v.store_buffer);
    hart_each_store(m->harts[core], one_store, out);
    cache_each_outstanding(m->caches[core], one_outstanding, out);
    return true;
}

/* ---- everybody */

void look_agents(struct machine *m, FILE *out)
{
    for (unsigned i = 0; i < m->desc.cores; i++) {
        const struct agent *a = agent_of(m, i);
        struct hart_view v = hart_view(m->harts[i]);
        if (!a && v.stores == 0 && !v.irqs_pending && v.context == CONTEXT_TASK)
            continue;
        fprintf(out, "  %-8s ", machine_node_name(m, i));
        if (a) {
            print_progress(a, out);
            fputs("; ", out);
        }
        print_waits(&v, out);
        fputc('\n', out);
    }
    for (unsigned i = 0; i < m->work.agent_count; i++) {
        const struct agent *a = &m->work.agents[i];
        for (unsigned d = 0; a->device && d < m->desc.devices.count; d++)
            if (m->devices[d] == a->device)
                fprintf(out, "  %-8s ", machine_node_name(m, m->desc.cores + d));
        if (a->device) {
            print_progress(a, out);
            fputc('\n', out);
        }
    }
}

bool look_done(const struct machine *m, const char *name, uint64_t *done)
{
    bool found = false;
    *done = 0;
    for (unsigned i = 0; i < m->work.agent_count; i++)
        if (strcmp(m->work.agents[i].name, name) == 0) {
            found = true;
            *done += m->work.agents[i].done;
        }
    return found;
}

size_t look_agent_names(const struct machine *m, const char **names, size_t most)
{
    size_t n = 0;
    for (unsigned i = 0; i < m->work.agent_count && n < most; i++)
        if (n == 0 || strcmp(names[n - 1], m->work.agents[i].name) != 0)
            names[n++] = m->work.agents[i].name;
    return n;
}
