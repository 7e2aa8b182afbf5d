/* src/kern/exclusive.c - the exclusive grant. */
#include "src/kern/exclusive.h"

#include "src/kern/iommu_drv.h"
#include "src/kern/page_alloc.h"
#include "src/kern/page_lock.h"
#include "src/kern/shootdown.h"
#include "src/kern/uspace.h"
#include "src/kern/zero.h"

enum { PLANTED_LINE = 29 };

static bool planted(const struct kernel *k, enum kern_plant fault) { return (k->desc.plant & fault) != 0; }

/* Prefetches for write fetch all lines at once, as many in flight as the hart can have. They are no way to own:
 * a prefetch ends at fill, nothing waits for it, and the line may be gone again. So one store to each line
 * follows, and a fence that waits until all are globally visible, which takes sole ownership of every line. What
 * the stores overwrite is lost; a freshly allocated page has no contents to lose. */
void page_own(struct hart *h, const struct kernel *k, frame f)
{
    bool skip = planted(k, KERN_PLANT_SKIP_OWN_LINE);
    k_begin(h, CLASS_PAGE_OWN);
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        if (!skip || i != PLANTED_LINE)
            k_prefetch_write(h, line_addr(frame_line(f, i)));
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        if (!skip || i != PLANTED_LINE)
            k_store(h, line_addr(frame_line(f, i)), 8, 0);
    k_phase(h, PH_WAIT);
    k_fence(h);
    k_source(h, SOURCE_DONE);
    k_end(h);
}

static void take_lock(struct hart *h, const struct kernel *k, frame f)
{
    k_phase(h, PH_LOCK);
    if (!planted(k, KERN_PLANT_SKIP_LOCK)) {
        if (hart_atomic(h))
            spin_lock_page(h, k, f);
        else
            lock_page(h, k, f);
    }
    k_note(h, NOTE_LOCK_HELD, f.v, page_word(k, f, PAGE_FLAGS).v);
}

static void mark(struct hart *h, bool marked, enum phase_id p)
{
    if (marked)
        k_phase(h, p);
}

static void revoke(struct hart *h, const struct kernel *k, frame f, bool marked)
{
    struct user_mapping was;
    mark(h, marked, PH_UNMAP);
    bool mapped = !planted(k, KERN_PLANT_SKIP_PTE_CLEAR) && uspace_clear_page(h, k, f, &was);
    mark(h, marked, PH_IOMMU_REVOKE);
    dma_unmap_page(h, k, f);
    mark(h, marked, PH_TLB);
    if (mapped && !planted(k, KERN_PLANT_SKIP_TLB_SHOOTDOWN))
        shoot_down(h, k, was.asid, was.at);
}

void page_revoke(struct hart *h, const struct kernel *k, frame f) { revoke(h, k, f, false); }

/* Zero (if it is not: zero_policy.h), then mfence: all of it globally visible; then lfence: no load of the owner
 * begins before that, and no older transient load lives on. */
static void secure(struct hart *h, const struct kernel *k, frame f, bool zeroed)
{
    k_phase(h, PH_ZERO);
    if (!zeroed)
        zero_pages(h, k, f, 0);
    k_phase(h, PH_FENCE);
    if (!planted(k, KERN_PLANT_SKIP_FENCE)) {
        k_fence(h);
        k_fence_load(h);
    }
}

/* xchg: a store and a full barrier, so the page is seen published when this returns. The planted fault must not
 * be mended by it. */
static void publish(struct hart *h, const struct kernel *k, frame f)
{
    paddr mailbox = kernel_mailbox(k, hart_id(h));
    k_phase(h, PH_PUBLISH);
    if (planted(k, KERN_PLANT_SKIP_FENCE))
        k_store_release(h, mailbox, 8, frame_addr(f).v);
    else
        k_swap(h, mailbox, 8, frame_addr(f).v);
}

static void grant_steps(struct hart *h, const struct kernel *k, frame f, unsigned parts, bool zeroed)
{
    k_compute(h, k->desc.costs.grant_step);
    if ((parts & GRANT_LOCK) != 0)
        take_lock(h, k, f);
    if ((parts & GRANT_DEVICE) != 0)
        revoke(h, k, f, true);
    if ((parts & GRANT_COHERENCE) != 0) {
        k_phase(h, PH_COHERENCE);
        page_own(h, k, f);
    }
    if ((parts & GRANT_SECURE) != 0)
        secure(h, k, f, zeroed); /* page_own stores zeros */
    publish(h, k, f);
}

struct grant grant_page(struct hart *h, const struct kernel *k, gfp_t gfp, unsigned parts)
{
    bool zeroed = false;
    k_begin(h, CLASS_GRANT);
    k_note(h, NOTE_GRANT_BEGIN, parts, 0);
    k_compute(h, k->desc.costs.grant_entry);
    k_phase(h, PH_ALLOC);
    frame f = (parts & GRANT_SECURE) != 0 ? alloc_page_to_clear(h, k, gfp, &zeroed) : alloc_pages(h, k, gfp, 0);
    if (f.v != 0) {
        k_note(h, NOTE_GRANT_FRAME, f.v, 0);
        grant_steps(h, k, f, parts, zeroed);
        k_note(h, NOTE_GRANT_END, f.v, parts);
    }
    k_source(h, f.v != 0 ? SOURCE_DONE : SOURCE_FAIL);
    k_end(h);
    return (struct grant){ f, parts };
}

void grant_release(struct hart *h, const struct kernel *k, struct grant g)
{
    k_note(h, NOTE_GRANT_GIVEN_BACK, g.f.v, 0);
    if ((g.parts & GRANT_LOCK) != 0) {
        k_note(h, NOTE_LOCK_DROPPED, g.f.v, 0);
        if (!planted(k, KERN_PLANT_SKIP_LOCK))
            unlock_page(h, k, g.f);
    }
    free_pages(h, k, g.f, 0);
}
