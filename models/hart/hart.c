/* models/hart/hart.c - time, waiting, registers and accounting marks of one hart. */
#include "models/hart/private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- time and waiting */

/* The wake event: the fiber goes on. */
static void wake_run(struct event *e)
{
    struct hart *h = e->owner;
    h->waiting = WAIT_NONE;
    fiber_resume(h->fiber);
}

void hart_advance(struct hart *h, tick ps)
{
    tick until = now_of(h) + ps;
    if (engine_skip_to(h->env.engine, until))
        return;
    engine_at(h->env.engine, &h->component, &h->wake, until, PHASE_ACT);
    h->waiting = WAIT_TIME;
    fiber_suspend();
}

void hart_suspend(struct hart *h, enum wait_kind kind, const char *why, bool interruptible)
{
    h->waiting = kind;
    h->waiting_why = why;
    h->waiting_since = now_of(h);
    h->interruptible = interruptible;
    fiber_suspend();
}

void hart_resume_soon(struct hart *h, tick when)
{
    CHECK(h->waiting != WAIT_NONE && h->waiting != WAIT_TIME, "%s: woken while not waiting", h->component.name);
    if (event_scheduled(&h->wake))
        engine_cancel(h->env.engine, &h->wake);
    h->waiting = WAIT_TIME;
    engine_at(h->env.engine, &h->component, &h->wake, when, PHASE_ACT);
}

/* Time in which an interrupt may be taken: computation, sleep. Marks nothing. */
static void interruptible_time(struct hart *h, tick ps)
{
    tick until = now_of(h) + ps;
    for (;;) {
        irq_poll(h);
        tick now = now_of(h);
        if (now >= until || engine_skip_to(h->env.engine, until))
            return;
        engine_at(h->env.engine, &h->component, &h->wake, until, PHASE_ACT);
        hart_suspend(h, WAIT_WAKE, "time", true);
    }
}

void k_compute(struct hart *h, uint64_t n_cycles)
{
    irq_poll(h);
    tick ps = clk_ticks(h->desc.clock, n_cycles);
    bool undisturbed = !h->irqs_on && !h->nmi_vectors;
    if (undisturbed || engine_skip_to(h->env.engine, now_of(h) + ps)) {
        if (undisturbed)
            hart_advance(h, ps);
        return;
    }
    /* an interrupt may land inside: what is left of the computation goes on afterwards */
    while (ps) {
        tick began = now_of(h);
        engine_at(h->env.engine, &h->component, &h->wake, began + ps, PHASE_ACT);
        hart_suspend(h, WAIT_WAKE, "a computation", true);
        tick done = now_of(h) - began;
        ps -= done < ps ? done : ps;
        irq_poll(h);
    }
}

void k_pause(struct hart *h)
{
    irq_poll(h);
    hart_advance(h, h->desc.spin_ps);
}

void k_sleep_ps(struct hart *h, uint64_t ps)
{
    k_might_sleep(h, "sleep");
    interruptible_time(h, ps);
}

uint64_t k_now_ps(struct hart *h) { return now_of(h); }
unsigned hart_id(const struct hart *h) { return h->id; }

/* The watched line was lost. Whole turns of the loop have been spent; the next one misses. */
static void watched_line_lost(void *owner, tick now)
{
    struct hart *h = owner;
    if (h->waiting != WAIT_LINE)
        return;
    tick turn = h->desc.spin_ps ? h->desc.spin_ps : 1;
    tick turns = (now - h->waiting_since + turn - 1) / turn;
    hart_resume_soon(h, h->waiting_since + turns * turn);
}

uint64_t k_spin_while(struct hart *h, paddr a, unsigned bytes, uint64_t mask, uint64_t value)
{
    for (;;) {
        irq_poll(h);
        uint64_t seen = hart_load(h, a, bytes);
        if ((seen & mask) != value)
            return seen;
        if (irq_deliverable(h))
            continue;
        h->waiting_line = paddr_line(a);
        if (h->sb_count || cache_hit(h->cache, paddr_line(a), false) == HIT_NONE) {
            hart_advance(h, h->desc.spin_ps); /* own stores still on their way, or the line is gone already */
            continue;
        }
        cache_watch(h->cache, paddr_line(a), watched_line_lost, h);
        hart_suspend(h, WAIT_LINE, "a line it spins on to change", true);
        cache_unwatch(h->cache);
    }
}

void hart_park(struct hart *h, const char *why)
{
    while (irq_deliverable(h))
        irq_poll(h);
    hart_suspend(h, WAIT_WAKE, why, true);
    irq_poll(h);
}

void hart_wake(struct hart *h)
{
    if (h->waiting == WAIT_WAKE && !event_scheduled(&h->wake))
        hart_resume_soon(h, now_of(h));
}

bool hart_in_timed_wait(const struct hart *h) { return h->waiting == WAIT_WAKE && event_scheduled(&h->wake); }

/* ---- device registers */

struct mmio_write {
    struct event event;
    const struct mmio_target *target;
    uint64_t offset, value;
    unsigned bytes;
};

static void mmio_write_arrives(struct event *e)
{
    struct mmio_write *w = e->owner;
    w->target->write(w->target->device, w->offset, w->bytes, w->value);
    free(w);
}

static const struct mmio_target *mmio_find(struct hart *h, paddr a)
{
    const struct mmio_target *t = h->env.mmio_at(h->env.machine, a);
    if (!t)
        k_illegal(h, "register access at %#" PRIx64 ", where no device is", a.v);
    return t;
}

/* Uncached: the store buffer empties first; posted: the hart goes on while it travels. */
void k_mmio_write(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    irq_poll(h);
    sb_wait_empty(h, "the store buffer before a register write");
    wc_drain(h);
    struct mmio_write *w = calloc(1, sizeof *w); /* rare, and freed on arrival */
    CHECK_MEMORY(w, "out of host memory for a register write");
    w->target = mmio_find(h, a);
    w->offset = a.v - w->target->base.v;
    w->bytes = bytes;
    w->value = value;
    w->event = (struct event){ .fn = mmio_write_arrives, .owner = w, .what = "register write" };
    engine_after(h->env.engine, &h->component, &w->event, h->desc.mmio_ps, PHASE_DELIVER);
    hart_advance(h, h->desc.issue_ps);
}

uint64_t k_mmio_read(struct hart *h, paddr a, unsigned bytes)
{
    irq_poll(h);
    sb_wait_empty(h, "the store buffer before a register read");
    wc_drain(h);
    const struct mmio_target *t = mmio_find(h, a);
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    hart_advance(h, h->desc.mmio_ps);
    uint64_t value = t->read(t->device, a.v - t->base.v, bytes);
    hart_advance(h, h->desc.mmio_ps);
    ledger_mark(&h->ledger, PART_DEVICE, now_of(h));
    return value;
}

/* ---- accounting and notes: no simulated time */

void k_begin(struct hart *h, enum class_id class) { ledger_open(&h->ledger, class, now_of(h)); }
void k_phase(struct hart *h, enum phase_id phase) { ledger_phase(&h->ledger, phase, now_of(h)); }
void k_source(struct hart *h, enum source_id source) { ledger_source(&h->ledger, source); }

void k_end(struct hart *h)
{
    CHECK(h->ledger.paths.depth, "%s: a request is closed and none is open", h->component.name);
    enum class_id class = h->ledger.open[h->ledger.paths.depth - 1].class;
    if (class == CLASS_PAGE_OWN && h->ledger.recording)
        h->counters.straggler[h->last_filled.v % LINES_PER_PAGE]++;
    ledger_close(&h->ledger, now_of(h));
}

void k_count(struct hart *h, const char *counter, uint64_t add) { h->env.count(h->env.machine, counter, add); }

void k_note(struct hart *h, enum note note, uint64_t a, uint64_t b)
{
    const struct observer *o = h->env.observer;
    if (o->note)
        o->note(o->self, h->id, note, a, b, now_of(h));
}

/* ---- hooks of the cache */

static void mshr_freed(void *owner, const struct path_set *birth, const struct delta *d)
{
    struct hart *h = owner;
    bool hart_first = h->waiting == WAIT_MSHR;
    sb_mshr_freed(h, birth, d);
    if (hart_first) {
        paths_release(&h->ledger.paths, birth, d);
        hart_resume_soon(h, now_of(h));
    }
}

static void line_filled(void *owner, lineno line, tick now)
{
    struct hart *h = owner;
    (void)now;
    h->last_filled = line;
}

struct cache_owner hart_cache_owner(struct hart *h) { return (struct cache_owner){ h, mshr_freed, line_filled }; }

/* ---- life */

static bool hart_idle(const struct component *c)
{
    const struct hart *h = (const struct hart *)c;
    return h->finished && h->sb_count == 0 && h->wc_used == 0;
}

static void hart_why_busy(const struct component *c, FILE *out)
{
    const struct hart *h = (const struct hart *)c;
    if (h->waiting == WAIT_NONE || h->waiting == WAIT_TIME)
        return;
    fprintf(out, "  %s waits for %s", h->component.name, h->waiting_why);
    if (h->waiting == WAIT_LINE || h->waiting == WAIT_ACCESS || h->waiting == WAIT_MSHR)
        fprintf(out, " (line %#" PRIx64 ")", h->waiting_line.v);
    fprintf(out, " since %" PRIu64 " ps; interrupts %s, %" PRIu32 " stores buffered\n", h->waiting_since, h->irqs_on ? "on" : "off",
            h->sb_count);
}

static void hart_check(const struct component *c)
{
    const struct hart *h = (const struct hart *)c;
    CHECK(h->sb_count <= h->sb_mask + 1, "%s: store buffer overflow", h->component.name);
}

static const struct component_ops ops = { hart_idle, hart_why_busy, hart_check };

static void fiber_main(void *arg)
{
    struct hart *h = arg;
    if (h->program)
        h->program(h, h->program_arg);
    h->finished = true;
    if (h->program)
        h->env.finished(h->env.machine, h->id);
    for (;;)
        hart_park(h, "an interrupt (its program is over)");
}

struct hart *hart_new(struct component_list *list, const char *name, unsigned id, const struct hart_desc *desc,
                      const struct hart_env *env)
{
    struct hart *h = calloc(1, sizeof *h);
    CHECK_MEMORY(h, "out of host memory for a hart");
    CHECK(desc->wc_buffers >= 1 && desc->wc_buffers <= WC_MAX, "%s: 1 to %d write-combining buffers", name, WC_MAX);
    h->id = id;
    h->desc = *desc;
    h->env = *env;
    h->irqs_on = true;
    h->finished = true;
    h->wake = (struct event){ .fn = wake_run, .owner = h, .what = "hart" };
    ledger_init(&h->ledger, env->account, id);
    sb_init(h);
    h->owed = calloc(env->harts, sizeof *h->owed);
    CHECK_MEMORY(h->owed, "out of host memory for invalidations");
    component_register(list, &h->component, name, &ops);
    return h;
}

void hart_free(struct hart *h)
{
    if (!h)
        return;
    if (h->fiber)
        fiber_free(h->fiber);
    free(h->sb);
    free(h->owed);
    free(h);
}

void hart_connect(struct hart *h, struct cache *c) { h->cache = c; }

void hart_program(struct hart *h, void (*program)(struct hart *, void *), void *arg, size_t stack_bytes)
{
    h->program = program;
    h->program_arg = arg;
    h->finished = program == NULL;
    h->fiber = fiber_new(fiber_main, h, stack_bytes);
}

void hart_start(struct hart *h)
{
    h->waiting = WAIT_TIME;
    engine_at(h->env.engine, &h->component, &h->wake, 0, PHASE_ACT);
}

const struct hart_counters *hart_counters(const struct hart *h) { return &h->counters; }
uint64_t hart_host_bytes(const struct hart *h) { return sizeof *h + ((uint64_t)h->sb_mask + 1) * sizeof *h->sb; }
void hart_record(struct hart *h, bool on) { h->ledger.recording = on; }
