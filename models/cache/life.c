/* models/cache/life.c - making, checking, inspecting and freeing a cache agent. */
#include "models/cache/private.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

static bool cache_idle(const struct component *comp)
{
    const struct cache *c = (const struct cache *)comp;
    return c->mshr_busy == 0 && c->wb_claimed == 0 && c->snoop_count == 0;
}

static void cache_why_busy(const struct component *comp, FILE *out)
{
    const struct cache *c = (const struct cache *)comp;
    const struct protocol *p = c->env.protocol;
    for (uint32_t i = 0; i < c->desc.mshrs; i++)
        if (c->mshr[i].busy)
            fprintf(out, "  %s: MSHR %u waits on line %#" PRIx64 " (%s, state %s) since %" PRIu64 " ps\n", c->component.name, i,
                    c->mshr[i].line.v, cache_event_name(c->mshr[i].event),
                    cache_state_name(p, c->mshr[i].line_state.state), c->mshr[i].birth.at);
    for (uint32_t i = 0; i < c->desc.write_backs; i++)
        if (c->wb[i].busy)
            fprintf(out, "  %s: line %#" PRIx64 " is going home (state %s) since %" PRIu64 " ps\n", c->component.name, c->wb[i].line.v,
                    cache_state_name(p, c->wb[i].line_state.state), c->wb[i].since);
}

static void cache_check(const struct component *comp)
{
    const struct cache *c = (const struct cache *)comp;
    size_t n1 = (size_t)c->desc.l1_sets * c->desc.l1_ways;
    for (size_t i = 0; i < n1; i++)
        CHECK(c->l1_tag[i] == NO_TAG || c->tag[c->l1_slot[i]] == c->l1_tag[i], "%s: L1 holds line %#" PRIx64 " that L2 does not",
              c->component.name, c->l1_tag[i]);
    size_t n = (size_t)c->desc.sets * c->desc.ways;
    for (size_t i = 0; i < n; i++)
        if (c->tag[i] != NO_TAG && c->mshr_busy == 0)
            CHECK(cache_stable(c->env.protocol, c->state[i]), "%s: line %#" PRIx64 " rests in a busy state", c->component.name, c->tag[i]);
}

static const struct component_ops ops = { cache_idle, cache_why_busy, cache_check };

struct cache *cache_new(struct component_list *list, const char *name, uint16_t agent, const struct cache_desc *desc,
                        const struct cache_env *env, const struct cache_owner *owner)
{
    struct cache *c = calloc(1, sizeof *c);
    CHECK(c && desc->mshrs > 0 && desc->write_backs > 0, "%s: a cache agent needs MSHRs and write-back entries", name);
    c->desc = *desc;
    c->env = *env;
    c->owner = *owner;
    c->agent = agent;
    tags_init(c);
    c->mshr = calloc(desc->mshrs, sizeof *c->mshr);
    c->wb = calloc(desc->write_backs, sizeof *c->wb);
    CHECK_MEMORY(c->mshr && c->wb, "out of host memory for MSHRs");
    for (uint32_t i = 0; i < desc->mshrs; i++) {
        c->mshr[i].cache = c;
        c->mshr[i].issue = (struct event){ .fn = mshr_issue, .owner = &c->mshr[i], .what = "cache lookup done" };
    }
    c->snoop_event = (struct event){ .fn = snoop_run, .owner = c, .what = "snoop" };
    component_register(list, &c->component, name, &ops);
    return c;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    tags_free(c);
    free(c->mshr);
    free(c->wb);
    free(c->snoop);
    free(c);
}

const struct cache_counters *cache_counters(const struct cache *c) { return &c->counters; }
uint64_t *cache_sample_buffer(struct cache *c, int16_t txn) { return c->mshr[txn].sample; }
const uint64_t *cache_performing_sample(const struct cache *c) { return c->mshr[c->performing].sample; }

uint64_t cache_host_bytes(const struct cache *c)
{
    size_t n = (size_t)c->desc.sets * c->desc.ways, n1 = (size_t)c->desc.l1_sets * c->desc.l1_ways;
    return sizeof *c + n * (sizeof *c->tag + sizeof *c->state + sizeof *c->version + sizeof *c->used) +
           n1 * (sizeof *c->l1_tag + sizeof *c->l1_slot + sizeof *c->l1_used) + c->desc.mshrs * sizeof *c->mshr +
           c->desc.write_backs * sizeof *c->wb + c->snoop_cap * sizeof *c->snoop;
}

static void report_copy(const struct cache *c, const struct cache_line *l, inspect_copy_fn *fn, void *arg)
{
    const struct protocol *p = c->env.protocol;
    fn(arg, c->agent, cache_readable(p, l->state), cache_writable(p, l->state), l->version, cache_state_name(p, l->state));
}

void cache_copies(const struct cache *c, lineno line, inspect_copy_fn *fn, void *arg)
{
    for (uint32_t i = 0; i < c->desc.mshrs; i++)
        if (c->mshr[i].busy && c->mshr[i].issued && c->mshr[i].line.v == line.v) {
            report_copy(c, &c->mshr[i].line_state, fn, arg);
            return;
        }
    for (uint32_t i = 0; i < c->desc.write_backs; i++)
        if (c->wb[i].busy && c->wb[i].line.v == line.v) {
            report_copy(c, &c->wb[i].line_state, fn, arg);
            return;
        }
    int64_t slot = tags_find(c, line);
    if (slot != NO_SLOT)
        report_copy(c, &(struct cache_line){ .state = c->state[slot], .version = c->version[slot] }, fn, arg);
}

static unsigned length(const struct access *list)
{
    unsigned n = 0;
    for (; list; list = list->next)
        n++;
    return n;
}

void cache_each_outstanding(const struct cache *c, void (*fn)(void *arg, const struct cache_outstanding *), void *arg)
{
    const struct protocol *p = c->env.protocol;
    for (uint32_t i = 0; i < c->desc.mshrs; i++) {
        const struct mshr *m = &c->mshr[i];
        if (m->busy)
            fn(arg, &(struct cache_outstanding){ .number = i, .line = m->line, .event = cache_event_name(m->event),
                                                 .state = m->issued ? cache_state_name(p, m->line_state.state) : NULL,
                                                 .acks = m->issued ? m->line_state.acks : 0, .waiting = length(m->head),
                                                 .since = m->birth.at });
    }
    for (uint32_t i = 0; i < c->desc.write_backs; i++) {
        const struct write_back *w = &c->wb[i];
        if (w->busy)
            fn(arg, &(struct cache_outstanding){ .write_back = true, .number = i, .line = w->line, .event = cache_event_name(CEV_EVICT),
                                                 .state = cache_state_name(p, w->line_state.state), .acks = w->line_state.acks,
                                                 .waiting = length(w->head), .since = w->since });
    }
}
