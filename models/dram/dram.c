/* models/dram/dram.c - reserves bank and bus time per access; all rules are in dram.h. */
#include "models/dram/dram.h"

#include "src/base/fail.h"

#include <stdlib.h>

#define ROW_NONE UINT64_MAX

struct bank {
    uint64_t open_row;
    tick column_at;       /* earliest next column command to the open row */
    tick ready_at;        /* earliest precharge; with closed pages earliest activate */
};

struct channel {
    struct bank *banks;
    tick bus_free_at;
    struct dram_request *first, *last; /* awaited, in order of completion */
    uint32_t awaited;
    tick awaited_since;   /* of the last change of `awaited` */
    struct dram_counters counters;
};

struct dram {
    struct component component;
    struct engine *engine;
    struct dram_desc desc;
    struct channel *channels;
    struct bank *banks;   /* [channels * banks_per_channel] */
};

struct place {
    struct channel *channel;
    struct bank *bank;
    uint64_t row;
};

enum row_case { ROW_HIT, ROW_EMPTY, ROW_CONFLICT };

unsigned dram_channel_of(const struct dram *d, lineno line)
{
    return (unsigned)(line_addr(line).v / d->desc.interleave_bytes % d->desc.channels);
}

static struct place place_of(const struct dram *d, lineno line)
{
    uint64_t byte = line_addr(line).v, chunk = d->desc.interleave_bytes;
    uint64_t rest = byte / (chunk * d->desc.channels) * chunk + byte % chunk;
    uint64_t row = rest / d->desc.row_bytes;
    struct channel *c = &d->channels[dram_channel_of(d, line)];
    return (struct place){ c, &c->banks[row % d->desc.banks_per_channel], row / d->desc.banks_per_channel };
}

static tick later(tick a, tick b) { return a > b ? a : b; }
static tick sooner(tick a, tick b) { return a < b ? a : b; }

static enum row_case row_case_of(const struct place *p)
{
    return p->bank->open_row == p->row ? ROW_HIT : p->bank->open_row == ROW_NONE ? ROW_EMPTY : ROW_CONFLICT;
}

static tick unloaded_ps(const struct dram_desc *t, enum row_case row)
{
    return t->controller_ps + t->t_cas_ps + t->t_burst_ps + (row != ROW_HIT ? t->t_rcd_ps : 0) +
           (row == ROW_CONFLICT ? t->t_rp_ps : 0);
}

/* Bank and bus time of an access that reaches the channel at `at`; returns the end of its burst. */
static tick reserve(const struct dram_desc *t, const struct place *p, enum row_case row, tick at)
{
    struct bank *b = p->bank;
    tick column = row == ROW_HIT     ? later(at, b->column_at)
                  : row == ROW_EMPTY ? later(at, b->ready_at) + t->t_rcd_ps
                                     : later(at, b->ready_at) + t->t_rp_ps + t->t_rcd_ps;
    tick burst = later(column + t->t_cas_ps, p->channel->bus_free_at);
    tick end = burst + t->t_burst_ps;
    p->channel->bus_free_at = end;
    b->column_at = burst - t->t_cas_ps + t->t_burst_ps;
    b->open_row = t->page_policy == DRAM_OPEN_PAGE ? p->row : ROW_NONE;
    b->ready_at = t->page_policy == DRAM_OPEN_PAGE ? end : end + t->t_rp_ps;
    return end;
}

static void count(struct dram_counters *c, bool write, enum row_case row, tick latency_ps, tick wait_ps)
{
    c->read_count += !write;
    c->write_count += write;
    c->hit_count += row == ROW_HIT;
    c->empty_count += row == ROW_EMPTY;
    c->conflict_count += row == ROW_CONFLICT;
    c->latency_ps += latency_ps;
    c->wait_ps += wait_ps;
    c->wait_max_ps = later(c->wait_max_ps, wait_ps);
}

/* As if asked for head_start_ps ago, but done now at the earliest. */
static tick serve(struct dram *d, const struct place *p, bool write, tick now, tick head_start_ps)
{
    enum row_case row = row_case_of(p);
    tick unloaded = unloaded_ps(&d->desc, row), ahead = sooner(head_start_ps, sooner(unloaded, now));
    tick end = later(now, reserve(&d->desc, p, row, now + d->desc.controller_ps - ahead));
    count(&p->channel->counters, write, row, end - now, end - now - (unloaded - ahead));
    p->channel->counters.bus_busy_ps += d->desc.t_burst_ps;
    return end;
}

static void awaited_changes(struct channel *c, int by, tick now)
{
    c->counters.awaited_integral_ps += c->awaited * (now - c->awaited_since);
    c->awaited_since = now;
    c->awaited = (uint32_t)((int)c->awaited + by);
}

static void on_done(struct event *e)
{
    struct dram_request *r = (struct dram_request *)((char *)e - offsetof(struct dram_request, event));
    struct dram *d = e->owner;
    struct channel *c = place_of(d, r->line).channel;
    CHECK(c->first == r, "%s: line 0x%llx is done before its turn", d->component.name, (unsigned long long)r->line.v);
    c->first = r->next;
    if (!c->first)
        c->last = NULL;
    awaited_changes(c, -1, e->when);
    c->counters.awaited_count++;
    c->counters.awaited_latency_ps += e->when - r->asked;
    r->done(r);
}

static void await(struct dram *d, struct channel *c, struct dram_request *r)
{
    r->next = NULL;
    if (c->last)
        c->last->next = r;
    else
        c->first = r;
    c->last = r;
    awaited_changes(c, +1, r->asked);
    r->event = (struct event){ .fn = on_done, .owner = d, .what = "dram done" };
    engine_at(d->engine, &d->component, &r->event, r->done_at, PHASE_DELIVER);
}

void dram_access(struct dram *d, struct dram_request *r)
{
    struct place p = place_of(d, r->line);
    r->asked = engine_now(d->engine);
    r->done_at = serve(d, &p, r->write, r->asked, r->head_start_ps);
    if (r->done)
        await(d, p.channel, r);
}

tick dram_write_posted(struct dram *d, lineno line)
{
    struct place p = place_of(d, line);
    return serve(d, &p, true, engine_now(d->engine), 0);
}

tick dram_least_latency_ps(const struct dram *d)
{
    return unloaded_ps(&d->desc, d->desc.page_policy == DRAM_OPEN_PAGE ? ROW_HIT : ROW_EMPTY);
}

/* ---- inspection */

const struct dram_counters *dram_channel_counters(const struct dram *d, unsigned channel)
{
    CHECK(channel < d->desc.channels, "%s: channel %u of %u", d->component.name, channel, d->desc.channels);
    return &d->channels[channel].counters;
}

struct dram_counters dram_counters(const struct dram *d)
{
    struct dram_counters sum = { 0 };
    for (unsigned i = 0; i < d->desc.channels; i++) {
        const struct dram_counters *c = &d->channels[i].counters;
        sum.read_count += c->read_count;
        sum.write_count += c->write_count;
        sum.hit_count += c->hit_count;
        sum.empty_count += c->empty_count;
        sum.conflict_count += c->conflict_count;
        sum.latency_ps += c->latency_ps;
        sum.wait_ps += c->wait_ps;
        sum.wait_max_ps = later(sum.wait_max_ps, c->wait_max_ps);
        sum.bus_busy_ps += c->bus_busy_ps;
        sum.awaited_count += c->awaited_count;
        sum.awaited_latency_ps += c->awaited_latency_ps;
        sum.awaited_integral_ps += c->awaited_integral_ps;
    }
    return sum;
}

static const struct dram *dram_of(const struct component *c)
{
    return (const struct dram *)((const char *)c - offsetof(struct dram, component));
}

static bool idle(const struct component *component)
{
    const struct dram *d = dram_of(component);
    for (unsigned i = 0; i < d->desc.channels; i++)
        if (d->channels[i].first)
            return false;
    return true;
}

static void why_busy(const struct component *component, FILE *out)
{
    const struct dram *d = dram_of(component);
    for (unsigned i = 0; i < d->desc.channels; i++)
        for (const struct dram_request *r = d->channels[i].first; r; r = r->next)
            fprintf(out, "%s: channel %u, %s of line 0x%llx since %llu ps, done at %llu ps\n", component->name, i,
                    r->write ? "write" : "read", (unsigned long long)r->line.v, (unsigned long long)r->asked,
                    (unsigned long long)r->done_at);
}

static void check(const struct component *component)
{
    const struct dram *d = dram_of(component);
    for (unsigned i = 0; i < d->desc.channels; i++) {
        const struct channel *c = &d->channels[i];
        uint32_t awaited = 0;
        for (const struct dram_request *r = c->first; r; r = r->next, awaited++) {
            CHECK(event_scheduled(&r->event) && r->event.when == r->done_at, "%s: line 0x%llx has no completion ahead",
                  component->name, (unsigned long long)r->line.v);
            CHECK(!r->next || r->next->done_at >= r->done_at + d->desc.t_burst_ps, "%s: two bursts at once on channel %u",
                  component->name, i);
            CHECK(r->done_at <= c->bus_free_at, "%s: channel %u forgot a burst", component->name, i);
        }
        CHECK(awaited == c->awaited, "%s: channel %u has %u accesses, but counts %u", component->name, i, awaited, c->awaited);
    }
}

static const struct component_ops ops = { .idle = idle, .why_busy = why_busy, .check = check };

/* ---- building */

static void check_desc(const struct dram_desc *d)
{
    CHECK(d->channels >= 1 && d->channels <= DRAM_CHANNELS_MAX, "dram: %u channels", d->channels);
    CHECK(d->banks_per_channel >= 1 && d->banks_per_channel <= DRAM_BANKS_MAX, "dram: %u banks", d->banks_per_channel);
    CHECK(d->row_bytes >= LINE_BYTES && d->row_bytes % LINE_BYTES == 0, "dram: rows of %llu bytes",
          (unsigned long long)d->row_bytes);
    CHECK(d->interleave_bytes >= LINE_BYTES && d->interleave_bytes % LINE_BYTES == 0, "dram: interleave of %llu bytes",
          (unsigned long long)d->interleave_bytes);
}

struct dram *dram_new(struct engine *engine, struct component_list *list, const struct dram_desc *desc)
{
    check_desc(desc);
    size_t banks = (size_t)desc->channels * desc->banks_per_channel;
    struct dram *d = calloc(1, sizeof *d);
    CHECK_MEMORY(d, "dram: the host has no memory");
    d->engine = engine;
    d->desc = *desc;
    d->channels = calloc(desc->channels, sizeof *d->channels);
    d->banks = calloc(banks, sizeof *d->banks);
    CHECK_MEMORY(d->channels && d->banks, "dram: the host has no memory");
    component_register(list, &d->component, desc->name ? desc->name : "dram", &ops);
    for (size_t i = 0; i < banks; i++)
        d->banks[i].open_row = ROW_NONE;
    for (unsigned i = 0; i < desc->channels; i++)
        d->channels[i].banks = &d->banks[(size_t)i * desc->banks_per_channel];
    return d;
}

void dram_free(struct dram *d)
{
    if (!d)
        return;
    free(d->banks);
    free(d->channels);
    free(d);
}
