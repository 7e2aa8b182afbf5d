/* tests/unit/test_kern_maps.c - user mappings and their reverse map, shootdown, the IOMMU driver, the grant. */
#include "tests/unit/test_kern_rig.h"

#include "src/kern/exclusive.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/iommu_queue.h"
#include "src/kern/page_lock.h"
#include "src/kern/shootdown.h"
#include "src/kern/spin.h"
#include "src/kern/uspace.h"
#include "src/sim/abi/pte.h"

static const vaddr somewhere = { 0x7f1234567000 };
static const paddr registers = { 0xfed90000 };
enum { SOURCE_ID = 0x0a18, DOMAIN = 2 };

struct maps_rig {
    struct rig r;
    struct native_queue queue;
};

static void maps_boot(struct maps_rig *m, uint32_t plant)
{
    struct kernel_desc d = rig_desc();
    d.harts = 2;
    d.spaces = 2;
    d.table_pages = 65;
    d.iommu.on = true;
    d.iommu.registers = registers;
    d.iommu.domains = 2;
    d.plant = plant;
    rig_boot(&m->r, &d);
    memset(&m->queue, 0, sizeof m->queue);
    m->queue.registers = registers;
    native_queue_install(m->r.machine, &m->queue);
    iommu_start(m->r.h, &m->r.k);
}

static uint64_t word_at(struct rig *r, paddr a) { return backdoor_read(r->b, a, 8); }

/* Leaf entry of space `asid` by a walk of our own; 0 if a table is missing. */
static uint64_t walk(struct rig *r, uint16_t asid, vaddr va)
{
    uint64_t table = uspace_root(&r->k, r->b, asid).v;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        uint64_t entry = word_at(r, (paddr){ table + (va.v >> shift & 511) * 8 });
        if ((entry & 1) == 0)
            return 0;
        table = entry & 0xffffffffff000;
    }
    return word_at(r, (paddr){ table + (va.v >> 12 & 511) * 8 });
}

/* ---- user spaces */

Test(uspace, map_and_unmap)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    uint64_t value = 0;
    frame f = alloc_pages(r->h, &r->k, GFP_KERNEL, 0), was;
    uspace_use(r->h, &r->k, 1);
    cr_assert(!k_user_load(r->h, somewhere, 8, &value));
    cr_assert(uspace_map(r->h, &r->k, 1, somewhere, f, false));
    cr_assert_eq(walk(r, 1, somewhere), frame_addr(f).v | PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY);
    cr_assert_eq(walk(r, 2, somewhere), 0);
    cr_assert_eq(word_at(r, page_word(&r->k, f, PAGE_USER_MAP)), UINT64_C(1) << 48 | somewhere.v | 1);
    backdoor_write(r->b, frame_addr(f), 8, 4711);
    cr_assert(k_user_load(r->h, somewhere, 8, &value) && value == 4711);
    cr_assert(!k_user_store(r->h, somewhere, 8, 1)); /* read only */
    cr_assert(uspace_unmap(r->h, &r->k, 1, somewhere, &was));
    cr_assert(was.v == f.v && walk(r, 1, somewhere) == 0);
    cr_assert_eq(word_at(r, page_word(&r->k, f, PAGE_USER_MAP)), 0);
    cr_assert(r->h->invalidated_count == 1 && r->h->invalidated.v == somewhere.v);
    cr_assert(!uspace_unmap(r->h, &r->k, 1, somewhere, &was));
    rig_free(r);
}

Test(uspace, one_mapping_per_page_and_per_address)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    frame f = alloc_pages(r->h, &r->k, GFP_KERNEL, 0), g = alloc_pages(r->h, &r->k, GFP_KERNEL, 0);
    cr_assert(uspace_map_boot(&r->k, r->b, 2, somewhere, f, true));
    cr_assert(!uspace_map(r->h, &r->k, 1, somewhere, f, true));
    cr_assert(!uspace_map(r->h, &r->k, 2, somewhere, g, true));
    cr_assert_eq(word_at(r, page_word(&r->k, g, PAGE_USER_MAP)), 0);
    cr_assert(!uspace_map(r->h, &r->k, 1, (vaddr){ UINT64_C(1) << 47 }, g, true));
    cr_assert(uspace_map(r->h, &r->k, 1, somewhere, g, true));
    rig_free(r);
}

Test(uspace, a_used_up_pool_is_a_refusal)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    frame f = alloc_pages(r->h, &r->k, GFP_KERNEL, 0);
    unsigned n = 0;
    for (uint64_t i = 0; i < 100; i++) { /* each address needs three tables of its own */
        struct user_mapping was;
        if (!uspace_map(r->h, &r->k, 1, (vaddr){ i << 39 }, f, true))
            break;
        cr_assert(uspace_clear_page(r->h, &r->k, f, &was));
        cr_assert(was.asid == 1 && was.at.v == i << 39);
        n++;
    }
    cr_assert_eq(n, (65 - 1 - 2) / 3); /* pool pages, less its header and two roots; one more would make another */
    cr_assert_eq(word_at(r, page_word(&r->k, f, PAGE_USER_MAP)), 0);
    rig_free(r);
}

Test(uspace, a_user_is_entered_in_its_space_only)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    uspace_use(&r->machine->harts[1], &r->k, 2);
    cr_assert_eq(word_at(r, paddr_plus(r->k.at.spaces, SPACE_MASK)), 0);
    cr_assert_eq(word_at(r, paddr_plus(r->k.at.spaces, SPACE_BYTES + SPACE_MASK)), 2);
    cr_assert(r->machine->harts[1].asid == 2 && r->machine->harts[1].root.v == uspace_root(&r->k, r->b, 2).v);
    rig_free(r);
}

/* ---- shootdown; across harts in tests/native/storm.c */

Test(shootdown, by_interrupts_is_illegal_where_it_could_not_end)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    bool were_on = k_irq_save(r->h);
    RIG_ILLEGAL(r, shoot_down(r->h, &r->k, 1, somewhere), "interrupts off");
    k_irq_restore(r->h, were_on);
    r->h->context = CONTEXT_HARDIRQ;
    RIG_ILLEGAL(r, shoot_down(r->h, &r->k, 1, somewhere), "interrupt context");
    r->h->has_broadcast = true; /* "auto" takes it */
    shoot_down(r->h, &r->k, 1, somewhere);
    cr_assert_eq(r->h->broadcast_count, 1);
    cr_assert_eq(r->h->last_source[CLASS_SHOOTDOWN], SOURCE_BROADCAST);
    rig_free(r);
}

/* The mask of the space that is meant: hart 1 uses space 1 and is left alone when a page of space 2 goes. */
Test(shootdown, asks_the_users_of_its_space_only, .timeout = 20)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    uspace_use(&r->machine->harts[1], &r->k, 1);
    uspace_use(r->h, &r->k, 2);
    shoot_down(r->h, &r->k, 2, (vaddr){ 0x5000 }); /* would wait for hart 1 for ever */
    cr_assert_eq(word_at(r, kernel_hart_area(&r->k, 1, HART_CALLS)), 0);
    rig_free(r);
}

Test(shootdown, requests_are_queued_and_served)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    struct hart *other = &r->machine->harts[1];
    /* What hart 0 leaves for hart 1, laid out by hand: a block, its bit, the flush info. */
    paddr call = paddr_plus(r->k.at.csd, 1 * LINE_BYTES), info = kernel_hart_area(&r->k, 0, HART_FLUSH);
    backdoor_write(r->b, info, 8, 1);
    backdoor_write(r->b, paddr_plus(info, 8), 8, somewhere.v);
    backdoor_write(r->b, call, 8, 1);
    backdoor_write(r->b, paddr_plus(call, 8), 8, info.v);
    backdoor_write(r->b, kernel_hart_area(&r->k, 1, HART_CALLS), 8, 1);
    k_ipi_send(r->h, 1, r->k.desc.shootdown_vector);
    native_poll(other);
    cr_assert(other->invalidated_count == 1 && other->invalidated.v == somewhere.v);
    cr_assert_eq(word_at(r, call), 0);
    cr_assert_eq(word_at(r, kernel_hart_area(&r->k, 1, HART_CALLS)), 0);
    rig_free(r);
}

/* ---- IOMMU */

Test(iommu_drv, start_programs_the_registers)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    cr_assert_eq(m.queue.root_table.v, iommu_root_table(&m.r.k).v);
    cr_assert_eq(m.queue.queue.v, m.r.k.at.ring.v);
    cr_assert_eq(m.queue.commands, VTD_GCMD_SRTP | VTD_GCMD_QIE | VTD_GCMD_TE);
    rig_free(&m.r);
}

/* Leaf entry for `a` by way of root and context table; 0 if something is absent. */
static uint64_t device_walk(struct rig *r, uint16_t source_id, iova a)
{
    uint64_t root = word_at(r, paddr_plus(iommu_root_table(&r->k), (source_id >> 8) * 16u));
    if ((root & 1) == 0)
        return 0;
    paddr context = { (root & ~UINT64_C(0xfff)) + (source_id & 0xff) * 16u };
    if ((word_at(r, context) & 1) == 0)
        return 0;
    cr_assert_eq(word_at(r, paddr_plus(context, 8)), (uint64_t)DOMAIN << 8 | 2); /* four levels */
    uint64_t table = word_at(r, context) & ~UINT64_C(0xfff);
    for (unsigned shift = 39; shift >= 12; shift -= 9) {
        uint64_t entry = word_at(r, (paddr){ table + (a.v >> shift & 511) * 8 });
        if ((entry & 3) == 0 || shift == 12)
            return entry;
        table = entry & ~UINT64_C(0xfff);
    }
    return 0;
}

Test(iommu_drv, map_walk_unmap)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    iova at, second;
    frame f = alloc_pages(r->h, &r->k, GFP_KERNEL, 0);
    cr_assert(iommu_attach(r->h, &r->k, SOURCE_ID, DOMAIN));
    cr_assert(!iommu_attach_boot(&r->k, r->b, SOURCE_ID, 1)); /* has one */
    cr_assert(iommu_attach_boot(&r->k, r->b, SOURCE_ID + 1, DOMAIN));
    cr_assert(dma_map(r->h, &r->k, DOMAIN, f, true, false, &at));
    cr_assert_eq(device_walk(r, SOURCE_ID, at), frame_addr(f).v | VTD_PTE_READ);
    cr_assert_eq(device_walk(r, SOURCE_ID + 1, at), frame_addr(f).v | VTD_PTE_READ);
    cr_assert_eq(m.queue.invalidations, 0); /* mapping flushes nothing */
    cr_assert(!dma_map(r->h, &r->k, 1, f, true, true, &second));
    cr_assert_eq(r->h->last_source[CLASS_DMA_MAP], SOURCE_FAIL);
    cr_assert(dma_unmap(r->h, &r->k, DOMAIN, at));
    cr_assert_eq(device_walk(r, SOURCE_ID, at), 0);
    cr_assert_eq(word_at(r, page_word(&r->k, f, PAGE_IO_MAP)), 0);
    struct vtd_descriptor want = vtd_desc_iotlb(VTD_GRANULARITY_PAGE, DOMAIN, at, 0, true);
    cr_assert(m.queue.invalidations == 1 && m.queue.last_lo == want.lo && m.queue.last_hi == want.hi);
    cr_assert(!dma_unmap(r->h, &r->k, DOMAIN, at));
    cr_assert_eq(m.queue.invalidations, 1);
    rig_free(r);
}

Test(iommu_drv, ring_contents_and_wrap)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    struct vtd_descriptor d[2] = { vtd_desc_iotlb(VTD_GRANULARITY_DOMAIN, 1, (iova){ 0 }, 0, false),
                                   vtd_desc_iotlb(VTD_GRANULARITY_PAGE, 1, (iova){ 0x5000 }, 0, true) };
    qi_submit_sync(r->h, &r->k, d, 2);
    struct vtd_descriptor wait = vtd_desc_wait(paddr_plus(r->k.at.status, 2 * 4), QUEUE_SLOT_DONE);
    uint64_t want[6] = { d[0].lo, d[0].hi, d[1].lo, d[1].hi, wait.lo, wait.hi };
    for (unsigned i = 0; i < 6; i++)
        cr_assert_eq(word_at(r, paddr_plus(r->k.at.ring, i * 8)), want[i], "word %u", i);
    for (unsigned i = 1; i < 300; i++) /* three slots each: wraps at 256, out of step with the ring */
        qi_submit_sync(r->h, &r->k, d, 2);
    cr_assert(m.queue.waits == 300 && m.queue.invalidations == 600);
    cr_assert_eq(backdoor_read(r->b, paddr_plus(r->k.at.queue, QUEUE_FREE), 4), QUEUE_SLOTS);
    cr_assert_eq(backdoor_read(r->b, paddr_plus(r->k.at.queue, QUEUE_HEAD), 4), 900 % QUEUE_SLOTS);
    cr_assert_eq(backdoor_read(r->b, paddr_plus(r->k.at.queue, QUEUE_TAIL), 4), 900 % QUEUE_SLOTS);
    cr_assert_eq(r->h->class_count[CLASS_IOMMU_INVALIDATE], 300);
    cr_assert(r->h->irqs_on && r->h->preempt_depth == 0);
    rig_free(r);
}

/* The status comes only after another hart had the queue lock while we polled. */
static struct maps_rig *polled;
static void lock_and_step(struct hart *h)
{
    struct hart *other = &h->machine->harts[1];
    paddr lock = paddr_plus(polled->r.k.at.queue, QUEUE_LOCK);
    cr_assert(spin_trylock(other, &polled->r.k, lock), "the queue lock is held while polling");
    spin_unlock(other, &polled->r.k, lock);
    native_queue_step(h->machine, &polled->queue);
}

Test(iommu_drv, the_lock_is_free_between_polls)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct vtd_descriptor d = vtd_desc_iotlb(VTD_GRANULARITY_GLOBAL, 0, (iova){ 0 }, 0, false);
    polled = &m;
    m.queue.deferred = true;
    m.r.machine->on_pause = lock_and_step;
    qi_submit_sync(m.r.h, &m.r.k, &d, 1);
    cr_assert(m.queue.invalidations == 1 && m.queue.waits == 1);
    rig_free(&m.r);
}

/* One descriptor and its wait need three free slots, so that head and tail never meet. */
static void slots_come_free(struct hart *h)
{
    (void)h;
    cr_assert_eq(polled->queue.waits, 0, "nothing is submitted into a full ring");
    backdoor_write(polled->r.b, paddr_plus(polled->r.k.at.queue, QUEUE_FREE), 4, QUEUE_SLOTS);
    polled->r.machine->on_pause = NULL;
    polled->queue.deferred = false;
}

Test(iommu_drv, a_full_ring_is_waited_for)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct vtd_descriptor d = vtd_desc_iotlb(VTD_GRANULARITY_GLOBAL, 0, (iova){ 0 }, 0, false);
    polled = &m;
    backdoor_write(m.r.b, paddr_plus(m.r.k.at.queue, QUEUE_FREE), 4, 2);
    m.r.machine->on_pause = slots_come_free;
    qi_submit_sync(m.r.h, &m.r.k, &d, 1);
    cr_assert_null(m.r.machine->on_pause, "it did not wait");
    cr_assert(m.queue.invalidations == 1 && m.queue.waits == 1);
    rig_free(&m.r);
}

/* ---- the grant */

/* The frame that the next single-page allocation returns, free, full of old data, mapped for users and a device. */
static frame dirty_page(struct rig *r)
{
    iova at;
    frame f = alloc_pages(r->h, &r->k, GFP_ATOMIC, 0);
    cr_assert(uspace_map(r->h, &r->k, 1, somewhere, f, true));
    cr_assert(dma_map(r->h, &r->k, DOMAIN, f, true, true, &at));
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        backdoor_write(r->b, paddr_plus(frame_addr(f), i), 8, 0xdeadbeef);
    free_pages(r->h, &r->k, f, 0);
    r->h->note_count = 0;
    return f;
}

static unsigned words_set(struct rig *r, frame f)
{
    unsigned n = 0;
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        n += word_at(r, paddr_plus(frame_addr(f), i)) != 0;
    return n;
}

static bool user_mapped(struct rig *r) { return walk(r, 1, somewhere) != 0; }
static bool locked(struct rig *r, frame f) { return (word_at(r, page_word(&r->k, f, PAGE_FLAGS)) & PG_LOCKED) != 0; }
static bool device_mapped(struct rig *r, frame f) { return device_walk(r, SOURCE_ID, (iova){ frame_addr(f).v }) != 0; }

struct granted {
    struct maps_rig m;
    struct rig *r;
    struct grant g;
};

static void grant_on(struct granted *t, unsigned parts, uint32_t plant)
{
    maps_boot(&t->m, plant);
    t->r = &t->m.r;
    cr_assert(iommu_attach_boot(&t->r->k, t->r->b, SOURCE_ID, DOMAIN));
    uspace_use(t->r->h, &t->r->k, 1);
    frame f = dirty_page(t->r);
    t->g = grant_page(t->r->h, &t->r->k, GFP_ATOMIC, parts);
    cr_assert(t->g.f.v == f.v && t->g.parts == parts);
    cr_assert_eq(word_at(t->r, kernel_mailbox(&t->r->k, 0)), frame_addr(f).v);
    cr_assert_eq(t->r->h->last_source[CLASS_GRANT], SOURCE_DONE);
    cr_assert_eq(t->r->h->depth, 0);
}

Test(grant, each_part_alone_does_its_own_and_nothing_else)
{
    for (unsigned parts = 0; parts <= GRANT_ALL; parts++) {
        struct granted t;
        grant_on(&t, parts, 0);
        struct rig *r = t.r;
        bool device = parts & GRANT_DEVICE, coherence = parts & GRANT_COHERENCE, secure = parts & GRANT_SECURE;
        cr_assert_eq(user_mapped(r), !device);
        cr_assert_eq(device_mapped(r, t.g.f), !device);
        cr_assert_eq(t.m.queue.invalidations, device);
        cr_assert_eq(r->h->invalidated_count, device);
        cr_assert_eq(locked(r, t.g.f), (parts & GRANT_LOCK) != 0);
        cr_assert_eq(words_set(r, t.g.f), secure ? 0 : coherence ? 512 - 64 : 512);
        cr_assert_eq(r->h->class_count[CLASS_PAGE_OWN], coherence);
        cr_assert_eq(r->h->prefetches, coherence ? LINES_PER_PAGE : 0);
        cr_assert_eq(r->h->fences, coherence + secure);
        cr_assert_eq(r->h->load_fences, secure);
        cr_assert_eq(r->h->class_count[CLASS_PAGE_ZERO], secure);
        uint32_t phases = 1u << PH_OTHER | 1u << PH_ALLOC | 1u << PH_PUBLISH | (coherence ? 1u << PH_COHERENCE : 0) |
            (secure ? 1u << PH_ZERO | 1u << PH_FENCE : 0) | ((parts & GRANT_LOCK) != 0 ? 1u << PH_LOCK : 0) |
            (device ? 1u << PH_UNMAP | 1u << PH_IOMMU_REVOKE | 1u << PH_TLB : 0);
        cr_assert_eq(r->h->phases_seen[CLASS_GRANT], phases);
        grant_release(r->h, &r->k, t.g);
        cr_assert(!locked(r, t.g.f));
        pcp_drain_all(r->h, &r->k);
        rig_recount(r, NULL, 0);
        rig_free(r);
    }
}

Test(grant, notes_in_order)
{
    static const enum note want[] = { NOTE_GRANT_BEGIN, NOTE_PAGE_ALLOCATED, NOTE_GRANT_FRAME, NOTE_LOCK_HELD,
        NOTE_GRANT_END, NOTE_GRANT_GIVEN_BACK, NOTE_LOCK_DROPPED, NOTE_PAGE_FREED };
    struct granted t;
    grant_on(&t, GRANT_ALL, 0);
    grant_release(t.r->h, &t.r->k, t.g);
    cr_assert_eq(t.r->h->note_count, 8);
    for (unsigned i = 0; i < 8; i++) {
        cr_assert_eq(t.r->h->notes[i].note, want[i], "note %u", i);
        cr_assert_eq(t.r->h->notes[i].a, i == 0 ? GRANT_ALL : t.g.f.v, "note %u", i);
    }
    cr_assert_eq(t.r->h->notes[3].b, page_word(&t.r->k, t.g.f, PAGE_FLAGS).v);
    cr_assert_eq(t.r->h->notes[4].b, GRANT_ALL);
    rig_free(t.r);
}

Test(grant, in_an_interrupt_handler)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    cr_assert(iommu_attach_boot(&r->k, r->b, SOURCE_ID, DOMAIN));
    dirty_page(r);
    r->h->context = CONTEXT_HARDIRQ;
    r->h->irqs_on = false;
    r->h->has_broadcast = true;
    struct grant g = grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_ALL);
    cr_assert_eq(r->h->broadcast_count, 1);
    cr_assert(locked(r, g.f) && !user_mapped(r) && !device_mapped(r, g.f));
    RIG_ILLEGAL(r, grant_page(r->h, &r->k, GFP_KERNEL, 0), "atomic context");
    rig_free(r);
}

Test(grant, planted_faults_do_what_they_say)
{
    struct granted t;
    grant_on(&t, GRANT_ALL, KERN_PLANT_SKIP_PTE_CLEAR);
    cr_assert(user_mapped(t.r));
    rig_free(t.r);
    grant_on(&t, GRANT_ALL, KERN_PLANT_SKIP_TLB_SHOOTDOWN);
    cr_assert(!user_mapped(t.r) && t.r->h->invalidated_count == 0);
    rig_free(t.r);
    grant_on(&t, GRANT_ALL, KERN_PLANT_SKIP_IOTLB_INVALIDATE);
    cr_assert(!device_mapped(t.r, t.g.f) && t.m.queue.invalidations == 0);
    rig_free(t.r);
    grant_on(&t, GRANT_ALL, KERN_PLANT_SKIP_LOCK);
    cr_assert(!locked(t.r, t.g.f) && t.r->h->notes[3].note == NOTE_LOCK_HELD);
    grant_release(t.r->h, &t.r->k, t.g);
    rig_free(t.r);
    grant_on(&t, GRANT_SECURE, KERN_PLANT_SKIP_ZERO_LINE);
    cr_assert_eq(words_set(t.r, t.g.f), 8);
    rig_free(t.r);
    grant_on(&t, GRANT_COHERENCE, KERN_PLANT_SKIP_OWN_LINE);
    cr_assert_eq(words_set(t.r, t.g.f), 512 - 63);
    rig_free(t.r);
    grant_on(&t, GRANT_SECURE, KERN_PLANT_SKIP_FENCE);
    cr_assert(words_set(t.r, t.g.f) == 0 && t.r->h->fences + t.r->h->load_fences == 0);
    rig_free(t.r);
}

Test(grant, out_of_memory_is_a_grant_that_failed)
{
    struct maps_rig m;
    maps_boot(&m, 0);
    struct rig *r = &m.r;
    while (alloc_pages(r->h, &r->k, GFP_ATOMIC, 0).v != 0)
        ;
    struct grant g = grant_page(r->h, &r->k, GFP_ATOMIC, GRANT_ALL);
    cr_assert_eq(g.f.v, 0);
    cr_assert_eq(r->h->last_source[CLASS_GRANT], SOURCE_FAIL);
    cr_assert_eq(r->h->depth, 0);
    rig_free(r);
}
