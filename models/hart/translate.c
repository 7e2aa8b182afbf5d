/* models/hart/translate.c - user accesses through TLB and page walk, and broadcast invalidation. */
#include "models/hart/private.h"

void k_set_space(struct hart *h, uint16_t asid, paddr root)
{
    irq_poll(h);
    h->asid = asid;
    h->root = root;
    hart_advance(h, h->desc.fence_ps); /* a serialising move to the base register */
}

static uint64_t walk_load(void *ctx, paddr a, unsigned bytes) { return hart_load(ctx, a, bytes); }

/* The walk runs on this hart through its caches; all of its time is `translate`, whatever parts its loads had. */
static bool walk(struct hart *h, vaddr va, bool write, frame *f)
{
    struct path_set before;
    struct ledger *l = &h->ledger;
    bool recording = l->recording;
    h->counters.tlb_misses++;
    ledger_mark(l, PART_CORE, now_of(h));
    paths_copy(&before, &l->paths);
    l->recording = false;           /* table entries are not the program's loads */
    bool found = h->env.mmu.walk(walk_load, h, h->env.mmu.tlb, h->asid, h->root, va, write, f);
    l->recording = recording;
    paths_copy(&l->paths, &before);
    ledger_mark(l, PART_TRANSLATE, now_of(h));
    return found;
}

static bool tlb_hit(struct hart *h, vaddr va, bool write, frame *f)
{
    bool hit = h->env.mmu.lookup(h->env.mmu.tlb, h->asid, va, write, f);
    h->counters.tlb_hits += hit;
    return hit;
}

/* What comes after the lookup: the time of a hit that is not hidden, or the walk. */
static bool translate(struct hart *h, vaddr va, bool write, bool hit, frame *f)
{
    if (!hit)
        return walk(h, va, write, f);
    ledger_mark(&h->ledger, PART_CORE, now_of(h));
    hart_advance(h, h->desc.tlb_ps);
    ledger_mark(&h->ledger, PART_TRANSLATE, now_of(h));
    return true;
}

/* A load whose translation takes time is one record from the lookup to the value. */
static bool translated_load(struct hart *h, vaddr va, unsigned bytes, bool hit, frame f, uint64_t *value)
{
    tick start = now_of(h);
    bool recording = h->ledger.recording;
    access_open(h, start);
    if (!translate(h, va, false, hit, &f)) {
        h->ledger.paths.depth--;
        return false;
    }
    h->ledger.recording = false;
    *value = hart_load(h, paddr_plus(frame_addr(f), va.v % PAGE_BYTES), bytes);
    h->ledger.recording = recording;
    access_close(h, CLASS_LOAD, start, h->access_source);
    return true;
}

static void access_ends(struct hart *h)
{
    h->user_access = false;
    for (uint32_t i = 0; i < h->owed_count; i++) {
        struct owed_ack *o = &h->owed[i];
        if (o->access) /* its walk may have inserted what was read before the invalidation */
            h->env.mmu.invalidate(h->env.mmu.tlb, (uint16_t)o->ack.aux, (vaddr){ o->ack.line.v << PAGE_SHIFT });
        o->after = o->access ? h->sb_left + h->sb_count : o->after;
        o->access = false;
    }
    if (h->owed_count)
        tlb_acks_due(h);
}

static bool user_load(struct hart *h, vaddr va, unsigned bytes, uint64_t *value)
{
    frame f = { 0 };
    bool hit = tlb_hit(h, va, false, &f);
    if (!hit || h->desc.tlb_ps)
        return translated_load(h, va, bytes, hit, f, value);
    *value = hart_load(h, paddr_plus(frame_addr(f), va.v % PAGE_BYTES), bytes);
    return true;
}

bool k_user_load(struct hart *h, vaddr va, unsigned bytes, uint64_t *value)
{
    irq_poll(h);
    h->user_access = true;
    bool mapped = user_load(h, va, bytes, value);
    access_ends(h);
    return mapped;
}

/* The store's own record begins after the translation: it is what the buffer sees. */
static bool user_store(struct hart *h, vaddr va, unsigned bytes, uint64_t value)
{
    frame f = { 0 };
    bool hit = tlb_hit(h, va, true, &f);
    if ((!hit || h->desc.tlb_ps) && !translate(h, va, true, hit, &f))
        return false;
    h->counters.stores++;
    sb_push(h, STORE_PLAIN, paddr_plus(frame_addr(f), va.v % PAGE_BYTES), bytes, bytes == 8 ? value : value & ((UINT64_C(1) << (bytes * 8)) - 1));
    return true;
}

bool k_user_store(struct hart *h, vaddr va, unsigned bytes, uint64_t value)
{
    irq_poll(h);
    h->user_access = true;
    bool mapped = user_store(h, va, bytes, value);
    access_ends(h);
    return mapped;
}

/* invlpg serialises: it waits for earlier accesses of this hart. */
void k_tlb_invalidate(struct hart *h, uint16_t asid, vaddr va)
{
    irq_poll(h);
    sb_wait_empty(h, "the store buffer before a TLB invalidation");
    h->env.mmu.invalidate(h->env.mmu.tlb, asid, va);
    hart_advance(h, h->desc.fence_ps);
}

bool hart_has_tlb_broadcast(const struct hart *h) { return h->desc.tlb_broadcast; }

void k_tlb_broadcast(struct hart *h, uint16_t asid, vaddr va)
{
    irq_poll(h);
    if (!h->desc.tlb_broadcast)
        k_illegal(h, "broadcast TLB invalidation on a machine that has none (machine.hart.tlb_broadcast)");
    sb_wait_empty(h, "the store buffer before a TLB invalidation");
    h->env.mmu.invalidate(h->env.mmu.tlb, asid, va);
    struct msg m = { .kind = MSG_TLB_INVALIDATE, .src = (uint16_t)h->id, .requester = (uint16_t)h->id, .txn = -1,
                     .line = { va.v >> PAGE_SHIFT }, .aux = asid };
    tick now = now_of(h);
    ledger_mark(&h->ledger, PART_CORE, now);
    delta_start(&m.delta, now);
    h->tlb_acks = h->env.harts - 1;
    for (unsigned i = 0; i < h->env.harts; i++) {
        if (i == h->id)
            continue;
        m.dst = (uint16_t)i;
        net_send(h->env.net, &m);
    }
    if (h->tlb_acks)
        hart_suspend(h, WAIT_ACKS, "acknowledgements of a TLB invalidation", false);
    ledger_mark(&h->ledger, PART_ACKS, now_of(h));
}

void hart_deliver(struct hart *h, struct msg *in)
{
    if (in->kind == MSG_TLB_ACK) {
        CHECK(h->tlb_acks, "%s: an acknowledgement nobody waits for", h->component.name);
        if (--h->tlb_acks == 0)
            hart_resume_soon(h, now_of(h));
        return;
    }
    h->env.mmu.invalidate(h->env.mmu.tlb, (uint16_t)in->aux, (vaddr){ in->line.v << PAGE_SHIFT });
    CHECK(h->owed_count < h->env.harts, "%s: more invalidations than harts", h->component.name);
    h->owed[h->owed_count++] = (struct owed_ack){
        .ack = { .kind = MSG_TLB_ACK, .src = (uint16_t)h->id, .dst = in->requester, .requester = in->requester, .txn = -1,
                 .line = in->line, .aux = in->aux, .delta = in->delta },
        .access = h->user_access, .after = h->sb_left + h->sb_count };
    tlb_acks_due(h);
}

/* An invalidation is over when no access that used the old translation is under way any more: loads have their values, stores are
 * visible (Arm Architecture Reference Manual DDI 0487, completion of TLB maintenance instructions). */
void tlb_acks_due(struct hart *h)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < h->owed_count; i++) {
        struct owed_ack *o = &h->owed[i];
        if (o->access || o->after > h->sb_left) {
            h->owed[kept++] = *o;
            continue;
        }
        delta_mark(&o->ack.delta, PART_ACKS, now_of(h));
        net_send(h->env.net, &o->ack);
    }
    h->owed_count = kept;
}
