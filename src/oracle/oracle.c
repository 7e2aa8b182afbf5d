/* src/oracle/oracle.c - the judge as an observer: each operation goes to the parts that follow it. */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <stdlib.h>

/* Each access begins here: the page it touches, the next event number. */
static struct shadow_page *touch(struct oracle *o, unsigned agent, paddr a, unsigned bytes)
{
    CHECK((a.v & 7) + bytes <= 8, "oracle: agent %u accesses %u bytes at 0x%llx, beyond one aligned word", agent,
          bytes, (unsigned long long)a.v);
    o->now_at++;
    wants_served(&o->agent[agent], paddr_line(a));
    return page_of(o, agent, a);
}

static void written(struct oracle *o, struct shadow_page *p, unsigned agent, paddr a, unsigned bytes, tick now)
{
    p->written = true;
    p->writer = (uint16_t)agent;
    p->write_address = a;
    p->write_time = now;
    if (p->lock_words)
        lock_word_written(o, agent, a, bytes, now);
}

static void watched_write(struct oracle *o, struct watch *w, enum seen_what what, unsigned agent, paddr a,
                          uint64_t value, bool must_own, tick now)
{
    watch_access(o, w, what, agent, a, value, now);
    copies_written(o, w, agent, paddr_line(a), must_own, now);
    w->store_at = o->now_at;
    w->early_load = false;
}

static void watched_load(struct oracle *o, struct watch *w, unsigned agent, paddr a, uint64_t value, bool forwarded,
                         tick now)
{
    watch_access(o, w, forwarded ? SEEN_FORWARDED : SEEN_LOAD, agent, a, value, now);
    if (agent != w->owner || forwarded || w->early_load || o->agent[agent].barrier_at > w->store_at)
        return;
    w->early_load = true; /* unless a later store of the page makes it a load before the zeroing */
    w->early_address = a;
    w->early_time = now;
}

static void on_store_issued(void *self, unsigned agent, paddr a, unsigned bytes, uint64_t value, tick now)
{
    values_store_issued(self, agent, a, bytes, value, now);
}

static void on_line_issued(void *self, unsigned agent, lineno line, uint64_t word, tick now)
{
    values_line_issued(self, agent, line, word, now);
}

static void on_store_visible(void *self, unsigned agent, paddr a, unsigned bytes, uint64_t value, tick now)
{
    struct oracle *o = self;
    struct shadow_page *p = touch(o, agent, a, bytes);
    o->report.stores++;
    bool ordinary = values_store_visible(o, agent, a, bytes, value, now);
    shadow_store(&o->shadow, p, a, bytes, value);
    written(o, p, agent, a, bytes, now);
    if (p->watch)
        watched_write(o, p->watch, SEEN_STORE, agent, a, value, ordinary, now);
}

static void on_load(void *self, unsigned agent, paddr a, unsigned bytes, uint64_t value, bool forwarded, tick now)
{
    struct oracle *o = self;
    struct shadow_page *p = touch(o, agent, a, bytes);
    o->report.loads += !forwarded;
    o->report.forwarded_loads += forwarded;
    if (o->desc.values)
        values_load(o, p, agent, a, bytes, value, forwarded, now);
    if (p->watch)
        watched_load(o, p->watch, agent, a, value, forwarded, now);
}

static void on_atomic(void *self, unsigned agent, paddr a, unsigned bytes, uint64_t old, uint64_t new_value, tick now)
{
    struct oracle *o = self;
    struct judged *g = &o->agent[agent];
    struct shadow_page *p = touch(o, agent, a, bytes);
    o->report.atomics++;
    if (o->desc.values)
        values_atomic(o, p, agent, a, bytes, old, new_value, now);
    shadow_store(&o->shadow, p, a, bytes, new_value);
    g->atomic[g->atomic_count++ % RECENT_ATOMICS] = (struct seen_atomic){ a, old, new_value, bytes };
    written(o, p, agent, a, bytes, now);
    if (p->watch)
        watched_write(o, p->watch, SEEN_ATOMIC, agent, a, new_value, true, now);
    g->barrier_at = ++o->now_at; /* a locked operation orders later loads after itself */
}

static void on_line_visible(void *self, unsigned agent, lineno line, uint64_t word, tick now)
{
    struct oracle *o = self;
    paddr a = line_addr(line);
    struct shadow_page *p = touch(o, agent, a, 8);
    o->report.lines_stored++;
    values_line_visible(o, agent, line, word);
    shadow_store_line(p, line, word);
    written(o, p, agent, a, LINE_BYTES, now);
    if (p->watch)
        watched_write(o, p->watch, SEEN_LINE, agent, a, word, false, now);
}

static void on_barrier(void *self, unsigned agent, enum barrier kind, tick now)
{
    static const enum seen_what what[] = { [BARRIER_FULL] = SEEN_BARRIER_FULL, [BARRIER_STORE] = SEEN_BARRIER_STORE,
                                           [BARRIER_LOAD] = SEEN_BARRIER_LOAD };
    struct oracle *o = self;
    struct judged *g = &o->agent[agent];
    o->now_at++;
    if (kind == BARRIER_FULL && o->desc.values)
        values_drained(o, agent, g->queue_count ? g->queue[g->queue_head].a : (paddr){ 0 }, "its full fence completed",
                       now);
    if (kind != BARRIER_STORE)
        g->barrier_at = o->now_at;
    if (g->grant.watch)
        watch_remember(o, g->grant.watch, what[kind], agent, frame_addr(g->grant.watch->page->f).v, 0, now);
}

static void on_wants(void *self, unsigned agent, lineno line, bool write, tick now)
{
    struct oracle *o = self;
    struct judged *g = &o->agent[agent];
    wants_opened(g, line);
    struct shadow_page *p = shadow_find(&o->shadow, line_frame(line));
    if (p && p->watch)
        watch_wants(o, p->watch, agent, line, write, now);
}

static void on_dma(void *self, unsigned device, iova from, paddr a, unsigned bytes, bool write, unsigned fault, tick now)
{
    (void)from;
    struct oracle *o = self;
    unsigned agent = o->in.harts + device;
    o->report.dma_refused += fault != 0;
    for (lineno l = paddr_line(a); line_addr(l).v < a.v + bytes; l.v++)
        wants_served(&o->agent[agent], l);
    struct shadow_page *p = shadow_find(&o->shadow, paddr_frame(a));
    if (!p || !p->watch)
        return;
    if (fault) {
        watch_remember(o, p->watch, SEEN_DMA_REFUSED, agent, a.v, 0, now);
        return;
    }
    o->report.dma_performed_watched++;
    watch_served(p->watch, agent, a, bytes);
    watch_access(o, p->watch, write ? SEEN_DMA_WRITE : SEEN_DMA_READ, agent, a, 0, now);
}

static void on_note(void *self, unsigned hart, enum note note, uint64_t a, uint64_t b, tick now)
{
    struct oracle *o = self;
    o->now_at++;
    grant_note(o, hart, note, a, b, now);
}

void oracle_observer(struct oracle *o, struct observer *out)
{
    *out = (struct observer){ .self = o, .note = on_note };
    if (o->desc.values || o->desc.grants) {
        out->store_issued = on_store_issued;
        out->store_visible = on_store_visible;
        out->line_issued = on_line_issued;
        out->load = on_load;
        out->atomic = on_atomic;
        out->line_visible = on_line_visible;
        out->barrier = on_barrier;
    }
    if (o->desc.grants) {
        out->wants = on_wants;
        out->dma = on_dma;
    }
}

struct oracle *oracle_new(const struct inspector *in, violation_fn *violation, void *machine, struct oracle_desc desc)
{
    CHECK(in->read && in->agent_name && violation, "oracle_new: inspector.read, agent_name and violation_fn must be set");
    CHECK(!desc.grants || (in->copies && in->messages && in->tlbs && in->iotlbs && in->dma_in_flight &&
                           in->user_mappings && in->iommu_mappings),
          "oracle_new: judging grants needs the whole inspector");
    CHECK(in->agents <= AGENTS_MAX, "oracle_new: %u agents, at most %d", in->agents, (int)AGENTS_MAX);
    struct oracle *o = calloc(1, sizeof *o);
    CHECK_MEMORY(o, "oracle_new: no memory");
    *o = (struct oracle){ .in = *in, .violation = violation, .machine = machine, .desc = desc };
    shadow_init(&o->shadow, in->read, in->machine);
    o->agent = calloc(AGENTS_MAX, sizeof *o->agent);
    CHECK_MEMORY(o->agent, "oracle_new: no memory for the agents");
    for (unsigned i = 0; i < in->harts; i++)
        o->agent[i].honours_lock = true;
    return o;
}

void oracle_free(struct oracle *o)
{
    if (!o)
        return;
    for (unsigned i = 0; i < AGENTS_MAX; i++)
        free(o->agent[i].queue);
    while (o->made_watches) {
        struct watch *w = o->made_watches;
        o->made_watches = w->next_made;
        free(w->ring);
        free(w);
    }
    frames_destroy(&o->frames);
    shadow_destroy(&o->shadow);
    free(o->lock);
    free(o->agent);
    free(o);
}

void oracle_honours_lock(struct oracle *o, unsigned agent, bool honours)
{
    CHECK(agent < AGENTS_MAX, "oracle_honours_lock: agent %u of %d", agent, (int)AGENTS_MAX);
    o->agent[agent].honours_lock = honours;
}

const struct oracle_report *oracle_report(const struct oracle *o) { return &o->report; }
