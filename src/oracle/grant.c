/* src/oracle/grant.c - grants from begin to giving back: what is watched, and the judgement at the end. */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- device: everything that still reaches the frame, written into one list */
struct ways { const struct oracle *o; frame f; unsigned count; FILE *list; };

static FILE *next_way(struct ways *s)
{
    fputs(s->count++ ? "; " : "", s->list);
    return s->list;
}

static void way_iommu_table(void *arg, uint16_t domain, iova a)
{
    fprintf(next_way(arg), "the IOMMU table of domain %u maps it at 0x%" PRIx64, (unsigned)domain, a.v);
}

static void way_iotlb(void *arg, const char *where, uint16_t domain, iova page, frame f, bool writable)
{
    struct ways *s = arg;
    if (f.v == s->f.v)
        fprintf(next_way(s), "%s holds a translation of domain %u at 0x%" PRIx64 "%s", where, (unsigned)domain,
                page.v, writable ? " for writing" : "");
}

static void way_dma(void *arg, unsigned device, frame f, bool write)
{
    struct ways *s = arg;
    if (f.v == s->f.v)
        fprintf(next_way(s), "a DMA %s of %s is in flight", write ? "write" : "read",
                name_of(s->o, s->o->in.harts + device));
}

static void way_user_table(void *arg, uint16_t asid, vaddr a)
{
    fprintf(next_way(arg), "the page table of address space %u maps it at 0x%" PRIx64, (unsigned)asid, a.v);
}

static void way_tlb(void *arg, unsigned hart, uint16_t asid, vaddr page, frame f, bool writable)
{
    struct ways *s = arg;
    if (f.v == s->f.v)
        fprintf(next_way(s), "the TLB of %s holds a translation of address space %u at 0x%" PRIx64 "%s",
                name_of(s->o, hart), (unsigned)asid, page.v, writable ? " for writing" : "");
}

static void device_judge_end(struct oracle *o, struct watch *w, tick now)
{
    char *text = NULL;
    size_t length = 0;
    struct ways s = { o, w->page->f, 0, open_memstream(&text, &length) };
    CHECK_MEMORY(s.list, "oracle: no memory for a list of translations");
    o->in.iommu_mappings(o->in.machine, s.f, way_iommu_table, &s);
    o->in.iotlbs(o->in.machine, way_iotlb, &s);
    o->in.dma_in_flight(o->in.machine, way_dma, &s);
    o->in.user_mappings(o->in.machine, s.f, way_user_table, &s);
    o->in.tlbs(o->in.machine, way_tlb, &s);
    CHECK(fclose(s.list) == 0, "oracle: a list of translations could not be written");
    if (s.count)
        found(o, PROMISE_DEVICE, w->owner, frame_addr(s.f), now, "at the end of its grant %u ways to the page are "
              "left: %s", s.count, text);
    free(text);
}

/* ---- secure */
static bool judge_zero(struct oracle *o, struct watch *w, tick now)
{
    for (unsigned i = 0; i < WORDS_PER_PAGE; i++) {
        paddr a = paddr_plus(frame_addr(w->page->f), 8u * i);
        uint64_t seen = shadow_word(&o->shadow, w->page, i), memory = o->in.read(o->in.machine, a, 8);
        if (!seen && !memory)
            continue;
        found(o, PROMISE_SECURE, w->owner, a, now,
              "at the end of its grant the word there is not zero: the newest visible store left 0x%" PRIx64
              ", memory reads 0x%" PRIx64, seen, memory);
        return false;
    }
    return true;
}

static void secure_judge_end(struct oracle *o, struct watch *w, tick now)
{
    struct issued waiting;
    if (!judge_zero(o, w, now))
        return;
    if (values_has_issued(o, w->owner, w->page->f, &waiting))
        found(o, PROMISE_SECURE, w->owner, waiting.a, now,
              "at the end of its grant its store of 0x%" PRIx64 ", issued at %s, is not visible yet", waiting.value,
              time_text(waiting.time).s);
    else if (w->early_load)
        found(o, PROMISE_SECURE, w->owner, w->early_address, now,
              "it loaded from the page at %s, after the zeroing, with no load barrier between",
              time_text(w->early_time).s);
    else if (o->agent[w->owner].barrier_at <= w->store_at)
        found(o, PROMISE_SECURE, w->owner, frame_addr(w->page->f), now,
              "at the end of its grant no load barrier of its own has completed since the page was last written");
}

/* ---- the life of a grant */
static void forget_unfinished(struct oracle *o, unsigned hart)
{
    struct watch *w = o->agent[hart].grant.watch;
    if (w && !w->granted)
        watch_end(o, w);
    o->agent[hart].grant.watch = NULL;
}

static void note_begin(struct oracle *o, unsigned hart, unsigned parts, tick now)
{
    struct judged *g = &o->agent[hart];
    forget_unfinished(o, hart); /* of a grant that failed */
    g->grant.active = true;
    g->grant.parts = parts;
    g->grant.begin = now;
    g->grant.begin_at = o->now_at;
}

static void note_frame(struct oracle *o, unsigned hart, frame f, tick now)
{
    struct judged *g = &o->agent[hart];
    if (!g->grant.active || !g->grant.parts)
        return;
    forget_unfinished(o, hart);
    struct shadow_page *p = shadow_page(&o->shadow, f);
    if (p->watch && p->watch->owner != hart) {
        unsigned other = p->watch->owner;
        found(o, PROMISE_ALLOCATOR, hart, frame_addr(f), now, "it is to be granted a page that is %s's and was not "
              "given back", name_of(o, other));
        watch_end(o, p->watch);
    }
    g->grant.watch = watch_begin(o, f, hart, g->grant.parts, g->grant.begin);
    watch_remember(o, g->grant.watch, SEEN_FRAME, hart, frame_addr(f).v, 0, now);
}

static void note_end(struct oracle *o, unsigned hart, frame f, unsigned parts, tick now)
{
    struct judged *g = &o->agent[hart];
    struct watch *w = g->grant.watch;
    g->grant.active = false;
    if (!parts) {
        forget_unfinished(o, hart);
        return;
    }
    CHECK(w && w->page->f.v == f.v, "hart %u: NOTE_GRANT_END of frame 0x%" PRIx64 " without its NOTE_GRANT_FRAME", hart,
          f.v);
    w->parts = parts;
    watch_remember(o, w, SEEN_END, hart, frame_addr(f).v, 0, now);
    o->report.grants++;
    if (parts & GRANT_COHERENCE)
        copies_judge_end(o, w, now);
    if (parts & GRANT_DEVICE)
        device_judge_end(o, w, now);
    if (parts & GRANT_LOCK)
        lock_judge_end(o, w, now);
    if (parts & GRANT_SECURE)
        secure_judge_end(o, w, now);
    w->granted = true;
    g->grant.watch = NULL;
}

static void note_gone(struct oracle *o, frame f, unsigned order)
{
    if (!o->made_watches)
        return;
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++) {
        struct shadow_page *p = shadow_find(&o->shadow, (frame){ f.v + i });
        if (p && p->watch)
            watch_end(o, p->watch);
    }
}

static void remember_lock(struct oracle *o, unsigned hart, frame f, enum seen_what what, uint64_t word, tick now)
{
    struct shadow_page *p = shadow_find(&o->shadow, f);
    if (p && p->watch)
        watch_remember(o, p->watch, what, hart, word, 0, now);
}

void grant_note(struct oracle *o, unsigned hart, enum note note, uint64_t a, uint64_t b, tick now)
{
    frame f = { a };
    switch (note) {
    case NOTE_PAGE_ALLOCATED: frames_allocated(o, hart, f, (unsigned)b, now); return;
    case NOTE_PAGE_FREED: frames_freed(o, hart, f, (unsigned)b, now); note_gone(o, f, (unsigned)b); return;
    default: break;
    }
    if (!o->desc.grants)
        return;
    switch (note) {
    case NOTE_GRANT_BEGIN: note_begin(o, hart, (unsigned)a, now); break;
    case NOTE_GRANT_FRAME: note_frame(o, hart, f, now); break;
    case NOTE_LOCK_HELD:
        remember_lock(o, hart, f, SEEN_LOCK_HELD, b, now);
        lock_note_held(o, hart, f, (paddr){ b }, now);
        break;
    case NOTE_LOCK_DROPPED:
        remember_lock(o, hart, f, SEEN_LOCK_DROPPED, frame_addr(f).v, now);
        lock_note_dropped(o, hart, f, now);
        break;
    case NOTE_GRANT_END: note_end(o, hart, f, (unsigned)b, now); break;
    case NOTE_GRANT_GIVEN_BACK: note_gone(o, f, 0); break;
    default: break;
    }
}
