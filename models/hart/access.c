/* models/hart/access.c - loads, locked operations, fences, flushes and prefetches of one hart. */
#include "models/hart/private.h"

/* ---- one access as a request of its own: pushed on the hart's paths on the slow path only */

void access_open(struct hart *h, tick now)
{
    struct path_set *s = &h->ledger.paths;
    CHECK(s->depth < OPEN_MAX, "%s: more than %d requests open", h->component.name, OPEN_MAX);
    paths_mark(s, PART_CORE, now);
    s->path[s->depth++] = (struct path){ .id = (UINT64_C(1) << 63) | (uint64_t)h->id << 40 | h->access_ids++, .start = now };
}

void access_close(struct hart *h, enum class_id class, tick start, enum source_id source)
{
    struct path_set *s = &h->ledger.paths;
    struct path *p = &s->path[--s->depth];
    /* what an access waited for at its own hart is `issue`: older work, its own clock */
    p->ps[PART_ISSUE] += p->ps[PART_PRIOR] + p->ps[PART_CORE];
    p->ps[PART_PRIOR] = p->ps[PART_CORE] = 0;
    if (h->ledger.recording) {
        account_record(h->env.account, class, source, now_of(h) - start, p->ps);
        account_seen(h->env.account, h->id, class, source, start, now_of(h));
    }
}

/* ---- performing */

static uint64_t rmw_apply(struct rmw *r, uint64_t old)
{
    r->succeeded = true;
    switch ((enum rmw_op)r->op) {
    case RMW_SWAP: return r->operand;
    case RMW_ADD: return old + r->operand;
    case RMW_OR: return old | r->operand;
    case RMW_AND: return old & r->operand;
    case RMW_CAS: break;
    }
    r->succeeded = old == r->expected;
    return r->succeeded ? r->operand : old;
}

static uint64_t truncated(uint64_t v, unsigned bytes) { return bytes == 8 ? v : v & ((UINT64_C(1) << (bytes * 8)) - 1); }

static void load_now(struct hart *h, tick now)
{
    h->access_value = memory_read(h->env.memory, h->access_addr, h->access_bytes);
    component_op(&h->component, now, CEV_LOAD, h->access_addr.v, h->access_value);
    const struct observer *o = h->env.observer;
    if (o->load)
        o->load(o->self, h->id, h->access_addr, h->access_bytes, h->access_value, false, now);
}

static void rmw_now(struct hart *h, tick now)
{
    uint64_t old = memory_read(h->env.memory, h->access_addr, h->access_bytes);
    uint64_t new_value = truncated(rmw_apply(&h->rmw, old), h->access_bytes);
    memory_write(h->env.memory, h->access_addr, h->access_bytes, new_value);
    cache_wrote(h->cache, paddr_line(h->access_addr));
    h->access_value = old;
    component_op(&h->component, now, CEV_STORE, h->access_addr.v, new_value);
    const struct observer *o = h->env.observer;
    if (o->atomic)
        o->atomic(o->self, h->id, h->access_addr, h->access_bytes, old, new_value, now);
}

/* The cache grants what the hart is blocked on. */
static void granted(struct access *a, tick now, enum source_id served_by, const struct path_set *birth,
                    const struct delta *d)
{
    struct hart *h = a->owner;
    if (a->event == CEV_LOAD)
        load_now(h, now);
    else
        rmw_now(h, now);
    h->access_source = served_by;
    h->access_done = true;
    paths_release(&h->ledger.paths, birth, d);
    hart_resume_soon(h, now + h->desc.fill_ps);
}

/* Blocks until the access has performed. Returns after fill_ps. */
static void access_and_wait(struct hart *h, enum cache_event event)
{
    h->access = (struct access){ .event = event, .line = paddr_line(h->access_addr), .parent = &h->ledger.paths,
                                 .perform = granted, .owner = h };
    h->access_done = false;
    for (;;) {
        enum access_result r = cache_access(h->cache, &h->access);
        h->waiting_line = h->access.line;
        if (r != ACCESS_NO_MSHR)
            break;
        hart_suspend(h, WAIT_MSHR, "a free MSHR", false);
    }
    hart_suspend(h, WAIT_ACCESS, event == CEV_LOAD ? "a load" : "a locked operation", false);
    CHECK(h->access_done, "%s: resumed before its access performed", h->component.name);
    ledger_mark(&h->ledger, PART_FILL, now_of(h));
}

/* ---- loads */

static uint64_t load_hit(struct hart *h, enum hit_level level, tick start)
{
    tick latency = level == HIT_L1 ? h->desc.l1_ps : h->desc.l2_ps;
    load_now(h, start);
    h->access_source = level == HIT_L1 ? SOURCE_L1 : SOURCE_L2;
    uint64_t value = h->access_value;
    ledger_mark(&h->ledger, PART_CORE, start);
    hart_advance(h, latency);
    if (level == HIT_L1) {
        ledger_mark(&h->ledger, PART_L1, start + latency);
        if (h->ledger.recording)
            account_record_one(h->env.account, CLASS_LOAD, SOURCE_L1, latency, PART_L1);
    } else {
        ledger_mark(&h->ledger, PART_L1, start + h->desc.l1_ps);
        ledger_mark(&h->ledger, PART_L2, start + latency);
        uint64_t ps[PART_COUNT] = { [PART_L1] = h->desc.l1_ps, [PART_L2] = latency - h->desc.l1_ps };
        if (h->ledger.recording) {
            account_record(h->env.account, CLASS_LOAD, SOURCE_L2, latency, ps);
            account_seen(h->env.account, h->id, CLASS_LOAD, SOURCE_L2, start, start + latency);
        }
    }
    return value;
}

static uint64_t load_forwarded(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    tick start = now_of(h);
    const struct observer *o = h->env.observer;
    h->counters.forwarded++;
    h->access_source = SOURCE_L1;
    component_op(&h->component, start, CEV_LOAD, a.v, value);
    if (o->load)
        o->load(o->self, h->id, a, bytes, value, true, start);
    ledger_mark(&h->ledger, PART_CORE, start);
    hart_advance(h, h->desc.l1_ps);
    ledger_mark(&h->ledger, PART_L1, now_of(h));
    if (h->ledger.recording)
        account_record_one(h->env.account, CLASS_LOAD, SOURCE_L1, h->desc.l1_ps, PART_L1);
    return value;
}

uint64_t hart_load(struct hart *h, paddr a, unsigned bytes)
{
    uint64_t value = 0;
    h->counters.loads++;
    h->access_addr = a;
    h->access_bytes = bytes;
    int forward = h->sb_count ? sb_forward(h, a, bytes, &value) : 0;
    if (forward > 0)
        return load_forwarded(h, a, bytes, value);
    tick start = now_of(h);
    if (__builtin_expect(!forward && (!h->wc_used || !wc_overlaps(h, a, bytes)), 1)) {
        enum hit_level level = cache_hit(h->cache, paddr_line(a), false);
        if (level != HIT_NONE)
            return load_hit(h, level, start);
    }
    access_open(h, start);
    if (forward < 0)
        sb_wait_empty(h, "a store that the load overlaps in part");
    if (h->wc_used && wc_overlaps(h, a, bytes))
        wc_drain(h);
    access_and_wait(h, CEV_LOAD);
    access_close(h, CLASS_LOAD, start, h->access_source);
    return h->access_value;
}

uint64_t k_load(struct hart *h, paddr a, unsigned bytes)
{
    irq_poll(h);
    return hart_load(h, a, bytes);
}

uint64_t k_load_once(struct hart *h, paddr a, unsigned bytes) { return k_load(h, a, bytes); }
uint64_t k_load_acquire(struct hart *h, paddr a, unsigned bytes) { return k_load(h, a, bytes); }

/* ---- stores retire into the store buffer */

void k_store(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    irq_poll(h);
    h->counters.stores++;
    sb_push(h, STORE_PLAIN, a, bytes, truncated(value, bytes));
}

void k_store_once(struct hart *h, paddr a, unsigned bytes, uint64_t value) { k_store(h, a, bytes, value); }
void k_store_release(struct hart *h, paddr a, unsigned bytes, uint64_t value) { k_store(h, a, bytes, value); }

void k_store_line(struct hart *h, paddr line, uint64_t word)
{
    CHECK(line.v % LINE_BYTES == 0, "string store at %#lx is not line-aligned", (unsigned long)line.v);
    irq_poll(h);
    h->counters.stores++;
    sb_push(h, STORE_LINE, line, LINE_BYTES, word);
}

void k_store_nt(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    irq_poll(h);
    h->counters.stores++;
    wc_store(h, a, bytes, truncated(value, bytes));
}

void k_flush(struct hart *h, paddr a)
{
    irq_poll(h);
    sb_push(h, STORE_FLUSH, line_addr(paddr_line(a)), LINE_BYTES, 0);
}

void k_flush_opt(struct hart *h, paddr a)
{
    irq_poll(h);
    sb_push(h, STORE_FLUSH_OPT, line_addr(paddr_line(a)), LINE_BYTES, 0);
}

void k_prefetch_write(struct hart *h, paddr a)
{
    irq_poll(h);
    lineno line = paddr_line(a);
    if (cache_may_write(h->cache, line)) {
        h->counters.prefetch_owned++;
    } else {
        h->counters.prefetch_acquired++;
        ledger_mark(&h->ledger, PART_CORE, now_of(h));
        while (cache_prefetch_write(h->cache, line, &h->ledger.paths) == ACCESS_NO_MSHR)
            hart_suspend(h, WAIT_MSHR, "a free MSHR", false);
    }
    hart_advance(h, h->desc.issue_ps);
}

/* ---- locked operations and fences */

static void barrier_done(struct hart *h, enum barrier b)
{
    const struct observer *o = h->env.observer;
    if (o->barrier)
        o->barrier(o->self, h->id, b, now_of(h));
}

static uint64_t rmw(struct hart *h, paddr a, unsigned bytes, struct rmw r)
{
    irq_poll(h);
    h->counters.atomics++;
    tick start = now_of(h);
    access_open(h, start);
    sb_wait_empty(h, "the store buffer before a locked operation");
    wc_drain(h);
    h->access_addr = a;
    h->access_bytes = bytes;
    h->rmw = r;
    h->access_source = SOURCE_L1;
    tick began = now_of(h);
    ledger_mark(&h->ledger, PART_ISSUE, began);
    enum hit_level level = cache_hit(h->cache, paddr_line(a), true);
    if (level != HIT_NONE) {
        rmw_now(h, began);
        if (level == HIT_L2)
            h->access_source = SOURCE_L2;
    } else {
        access_and_wait(h, CEV_STORE);
        began = now_of(h);
    }
    uint64_t old = h->access_value;
    struct rmw result = h->rmw;
    enum source_id source = h->access_source;
    hart_advance(h, h->desc.atomic_ps);
    ledger_mark(&h->ledger, PART_L1, now_of(h));
    if (level == HIT_L2) {
        hart_advance(h, h->desc.l2_ps - h->desc.l1_ps);
        ledger_mark(&h->ledger, PART_L2, now_of(h));
    }
    access_close(h, CLASS_ATOMIC, start, source);
    h->rmw = result;
    barrier_done(h, BARRIER_FULL);
    return old;
}

uint64_t k_swap(struct hart *h, paddr a, unsigned bytes, uint64_t value)
{
    return rmw(h, a, bytes, (struct rmw){ .op = RMW_SWAP, .operand = value });
}

uint64_t k_fetch_add(struct hart *h, paddr a, unsigned bytes, uint64_t add)
{
    return rmw(h, a, bytes, (struct rmw){ .op = RMW_ADD, .operand = add });
}

uint64_t k_fetch_or(struct hart *h, paddr a, unsigned bytes, uint64_t bits)
{
    return rmw(h, a, bytes, (struct rmw){ .op = RMW_OR, .operand = bits });
}

uint64_t k_fetch_and(struct hart *h, paddr a, unsigned bytes, uint64_t bits)
{
    return rmw(h, a, bytes, (struct rmw){ .op = RMW_AND, .operand = bits });
}

bool k_cas(struct hart *h, paddr a, unsigned bytes, uint64_t *expected, uint64_t wanted)
{
    uint64_t old = rmw(h, a, bytes, (struct rmw){ .op = RMW_CAS, .operand = wanted, .expected = truncated(*expected, bytes) });
    *expected = old;
    return h->rmw.succeeded;
}

bool k_update(struct hart *h, paddr a, k_update_fn *decide, const void *arg, uint64_t *old)
{
    uint64_t seen = k_load_once(h, a, 8);
    for (;;) {
        uint64_t wanted = seen;
        if (!decide(&wanted, arg)) {
            if (old)
                *old = seen;
            return false;
        }
        if (k_cas(h, a, 8, &seen, wanted)) {
            if (old)
                *old = seen;
            return true;
        }
    }
}

void k_fence(struct hart *h)
{
    irq_poll(h);
    h->counters.fences++;
    sb_wait_empty(h, "the store buffer at a fence");
    wc_drain(h);
    hart_advance(h, h->desc.fence_ps);
    barrier_done(h, BARRIER_FULL);
}

/* On TSO ordinary stores are ordered already: only write-combining buffers, string stores and unordered flushes have to be
 * over. Later loads may still pass buffered ordinary stores. */
void k_fence_store(struct hart *h)
{
    irq_poll(h);
    h->counters.fences++;
    if (sb_holds_unordered(h))
        sb_wait_empty(h, "string stores and flushes at a store fence");
    wc_drain(h);
    hart_advance(h, h->desc.issue_ps);
    barrier_done(h, BARRIER_STORE);
}

/* Loads block in this hart, so none is outstanding: the fence costs its own time and stands as a mark. */
void k_fence_load(struct hart *h)
{
    irq_poll(h);
    h->counters.fences++;
    hart_advance(h, h->desc.load_fence_ps);
    barrier_done(h, BARRIER_LOAD);
}
