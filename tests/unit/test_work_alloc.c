/* tests/unit/test_work_alloc.c - programs of the page allocator: page-bench, pressure, rx-refill, alloc-replay, and the
 * contexts of irq-source. */
#include "tests/unit/test_work_rig.h"

#include "src/kern/pcp.h"
#include "src/kern/spin.h"

static void run_to_end(void) { cr_assert_eq(rig_run(), ENGINE_ASKED, "illegal: %s", rig.illegal); }

static void nothing_lost(void)
{
    char text[256];
    const char *lie = kern_check(&rig.kernel, &rig_backdoor, NULL, 0, text, sizeof text);
    cr_expect_null(lie, "%s", lie);
}

static unsigned notes(enum note note)
{
    unsigned n = 0;
    for (unsigned i = 0; i < rig.note_count; i++)
        n += rig.notes[i].note == note;
    return n;
}

/* ---- page-bench */

Test(page_bench, frees_at_once_and_calls_it_a_pair)
{
    rig_boot(2);
    rig_entry("page-bench", rig_desc("page-bench", "{ order: 2, gfp: KERNEL|ZERO }"), 0, 2, 20, 3, NULL);
    run_to_end();
    cr_expect_eq(rig.harts[1].recorded[CLASS_PAIR], 20);
    cr_expect_eq(rig.harts[1].recorded[CLASS_ALLOC_KERNEL], 20);
    for (unsigned i = 0; i < rig.note_count; i++)
        cr_expect_eq(rig.notes[i].b, 2);
    nothing_lost();
}

Test(page_bench, bulk_allocates_all_before_it_frees)
{
    rig_boot(1);
    rig_entry("page-bench", rig_desc("page-bench", "bulk: 50"), 0, 1, 1, 0, NULL);
    run_to_end();
    cr_expect_eq(rig.harts[0].recorded[CLASS_PAIR], 0);
    cr_expect_eq(rig.note_count, 100);
    for (unsigned i = 0; i < 100; i++)
        cr_expect_eq(rig.notes[i].note, i < 50 ? NOTE_PAGE_ALLOCATED : NOTE_PAGE_FREED, "note %u", i);
    nothing_lost();
}

Test(page_bench, counts_what_fails)
{
    rig_boot(1);
    rig_entry("page-bench", rig_desc("page-bench", "{ bulk: 20, order: 10 }"), 0, 1, 1, 0, NULL);
    run_to_end();
    cr_expect_eq(rig_counter("page_bench.failed"), 20 - notes(NOTE_PAGE_ALLOCATED));
    cr_expect_gt(rig_counter("page_bench.failed"), 10);
    nothing_lost();
}

static bool in_context;
static void look_at_context(struct hart *h, enum note note, uint64_t a)
{
    (void)note, (void)a;
    in_context = rig.agents[0].desc && (h->preempt > 0 || !h->irqs_on);
}

Test(page_bench, runs_where_it_is_told)
{
    static const struct { const char *text; bool atomic; } cases[] = { { "context: task", false }, { "context: preempt-off", true }, { "context: irq-off", true } };
    for (unsigned i = 0; i < 3; i++) {
        rig_boot(1);
        rig_on_note = look_at_context;
        rig_entry("page-bench", rig_desc("page-bench", cases[i].text), 0, 1, 2, 0, NULL);
        run_to_end();
        cr_expect_eq(in_context, cases[i].atomic, "%s", cases[i].text);
        cr_expect(rig.harts[0].irqs_on && rig.harts[0].preempt == 0);
    }
}

Test(page_bench, may_not_sleep_in_atomic_context)
{
    rig_boot(1);
    rig_entry("page-bench", rig_desc("page-bench", "{ context: irq-off, gfp: KERNEL }"), 0, 1, 2, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "would sleep in atomic context"), "%s", rig.illegal);
}

Test(page_bench, flags_are_names)
{
    rig_boot(1);
    cr_expect_not_null(program_find("page-bench")->check(rig_desc("page-bench", "gfp: EXCLUSIVE"), &rig.work, 1));
    cr_expect_not_null(program_find("page-bench")->check(rig_desc("page-bench", "gfp: ATOMIC|KERNEL"), &rig.work, 1));
    cr_expect_null(program_find("page-bench")->check(rig_desc("page-bench", "gfp: ATOMIC|NOWARN"), &rig.work, 1));
}

/* ---- pressure */

static uint64_t free_seen;
static void look_at_free(struct hart *h, enum class_id class)
{
    if (class == CLASS_PAIR && h->id == 2)
        free_seen = backdoor_read(&rig_backdoor, zone_word(&rig.kernel.zones[rig.kernel.zone_count - 1], ZONE_AT_FREE), 8);
}

/* The bench begins when the level is reached, not before; at the end all is given back. */
Test(pressure, leaves_what_it_is_told)
{
    rig_boot(3);
    rig_on_begin = look_at_free;
    rig_entry("pressure", rig_desc("pressure", "free: 500"), 0, 2, 20, 0, NULL);
    rig_entry("page-bench", rig_desc("page-bench", NULL), 2, 1, 1, 0, NULL);
    run_to_end();
    unsigned batch = rig.kernel.zones[rig.kernel.zone_count - 1].pcp_batch;
    cr_expect(free_seen + 3 * batch >= 500 && free_seen <= 500, "%lu pages free, batch %u", (unsigned long)free_seen, batch);
    nothing_lost();
}

Test(pressure, goes_below_the_watermarks)
{
    rig_boot(3);
    rig_on_begin = look_at_free;
    rig_entry("pressure", rig_desc("pressure", "of_min: 40%"), 0, 2, 4, 0, NULL);
    rig_entry("page-bench", rig_desc("page-bench", "gfp: NOWAIT"), 2, 1, 5, 0, NULL);
    run_to_end();
    cr_expect_leq(free_seen, rig.kernel.zones[rig.kernel.zone_count - 1].marks.min * 2 / 5);
    cr_expect_eq(rig_counter("page_bench.failed"), 5);
    nothing_lost();
}

/* ---- rx-refill */

static struct dma_engine card;

static void finish_packets(struct event *e)
{
    while (card.count > 0)
        rig_dma_finish(&card, 0, DMA_OK);
    engine_after(rig.engine, &card.component, e, 500000, PHASE_ACT);
}

static void with_card(const char *yaml, uint64_t interrupts)
{
    static struct event ticks;
    ticks = (struct event){ .fn = finish_packets, .owner = &ticks, .what = "packets" };
    rig_boot(1);
    card = (struct dma_engine){ .count = 0 };
    component_register(&rig.components, &card.component, "card", &rig_ops);
    rig_entry("rx-refill", rig_desc("rx-refill", yaml), 0, 1, interrupts, 2, &card);
    engine_at(rig.engine, &card.component, &ticks, 0, PHASE_ACT);
    run_to_end();
}

static bool refill_in_softirq;
static void look_at_refill(struct hart *h, enum note note, uint64_t a)
{
    (void)a;
    if (note == NOTE_PAGE_ALLOCATED)
        refill_in_softirq = h->context == CONTEXT_SOFTIRQ && h->irqs_on;
}

Test(rx_refill, fills_the_ring_then_replaces_what_came)
{
    static const char *const contexts[] = { "hardirq", "softirq" };
    for (unsigned i = 0; i < 2; i++) {
        char text[100];
        snprintf(text, sizeof text, "{ ring: 20, burst: 4, context: %s }", contexts[i]);
        rig_on_note = look_at_refill;
        with_card(text, 10);
        cr_expect_eq(rig_counter("rx_refill.packets_count"), 11 * 4 + 4, "the last burst is taken by the closing interrupt");
        cr_expect_eq(rig_counter("rx_refill.posted_count"), 20 + 11 * 4);
        cr_expect_eq(rig_counter("rx_refill.dropped_count"), 0);
        cr_expect_eq(rig.harts[0].recorded[CLASS_ALLOC_ATOMIC], 10 * 4, "after the filling and the warm-up");
        cr_expect_eq(refill_in_softirq, i == 1);
        nothing_lost();
    }
}

Test(rx_refill, drops_packets_for_which_there_is_no_buffer)
{
    with_card("{ ring: 3, burst: 5 }", 4);
    cr_expect_eq(rig_counter("rx_refill.dropped_count"), 2 * (rig_counter("rx_refill.packets_count") / 3));
    nothing_lost();
}

/* Blocks of 4 MiB: memory has too few. The empty slots are tried again at each interrupt. */
Test(rx_refill, tries_again_what_failed)
{
    with_card("{ ring: 16, burst: 2, order: 10 }", 5);
    cr_expect_geq(rig_counter("rx_refill.failed"), 5);
    cr_expect_gt(rig_counter("rx_refill.packets_count"), 8);
    nothing_lost();
}

Test(rx_refill, holds_buffers_and_frees_them_together)
{
    with_card("{ ring: 20, burst: 4, hold: 12 }", 10);
    unsigned run = 0, longest = 0;
    for (unsigned i = 0; i < rig.note_count - 32; i++) { /* the closing frees everything */
        run = rig.notes[i].note == NOTE_PAGE_FREED ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    cr_expect_eq(longest, 12);
    nothing_lost();
}

/* ---- irq-source: contexts */

Test(irq_source, allocation_in_nmi_is_illegal)
{
    rig_boot(2);
    rig_entry("irq-source", rig_desc("irq-source", "{ to: next, handler: alloc, context: nmi }"), 0, 1, 3, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "alloc_pages in NMI context"), "%s", rig.illegal);
}

Test(irq_source, softirq_allocates_with_its_flags)
{
    rig_boot(2);
    rig_on_note = look_at_refill;
    rig_entry("irq-source", rig_desc("irq-source", "{ to: next, handler: alloc, context: softirq, gfp: NOWAIT, order: 3, spread: 50% }"), 0, 1, 5, 0, NULL);
    run_to_end();
    cr_expect(refill_in_softirq && rig.notes[0].b == 3 && rig.notes[0].hart == 1);
    nothing_lost();
}

static void lock_in_handler(struct hart *h, void *lock)
{
    if (spin_trylock(h, &rig.kernel, *(paddr *)lock))
        spin_unlock(h, &rig.kernel, *(paddr *)lock);
    spin_lock(h, &rig.kernel, *(paddr *)lock);
    spin_unlock(h, &rig.kernel, *(paddr *)lock);
}

/* A try is allowed, waiting is not: the lock may be held by what was interrupted. */
Test(irq_source, spin_lock_in_nmi_is_illegal)
{
    for (enum context context = CONTEXT_HARDIRQ; context <= CONTEXT_NMI; context++) {
        rig_boot(2);
        paddr lock = work_scratch(&rig.work, 8);
        rig_entry("irq-source", rig_desc("irq-source", "to: next"), 0, 1, 1, 0, NULL);
        rig_entry("compute", rig_desc("compute", "cycles: 100000cycles"), 1, 1, 1, 0, NULL);
        hart_set_irq(&rig.harts[1], 5, context, lock_in_handler, &lock);
        rig.harts[1].pending = 1u << 5;
        rig_run();
        cr_expect_eq(strstr(rig.illegal, "spin_lock in NMI context") != NULL, context == CONTEXT_NMI, "%s", rig.illegal);
    }
}

/* ---- locking of the per-CPU lists before 6.0 */

static void drain_late(struct hart *h, struct agent *a)
{
    k_sleep_ps(h, 50 * (tick)PS_PER_US);
    pcp_drain_all(h, a->work->kernel);
    a->done = 1;
}

/* Lists of harts that have finished and of one that is inside of an allocation all the time: each empties its own. */
Test(pcp_5_15, drains_other_harts_by_interrupt)
{
    static const struct program drainer = { .name = "drainer", .run = drain_late };
    rig_boot(4);
    rig.kernel.desc.pcp_locking = PCP_LOCKING_5_15;
    rig_entry("page-bench", rig_desc("page-bench", "bulk: 30"), 1, 2, 1, 0, NULL);
    rig_entry("page-bench", rig_desc("page-bench", NULL), 3, 1, 0, 0, NULL);
    struct agent *a = rig_entry("page-bench", NULL, 0, 1, 1, 0, NULL);
    a->program = &drainer;
    run_to_end();
    cr_expect_eq(a->done, 1);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_eq(backdoor_read(&rig_backdoor, paddr_plus(kernel_pcp(&rig.kernel, &rig.kernel.zones[rig.kernel.zone_count - 1], i), PCP_COUNT), 4), 0, "hart %u", i);
    cr_expect(rig.harts[1].interrupts == 1 && rig.harts[2].interrupts == 1 && rig.harts[3].interrupts == 1 && rig.harts[0].interrupts == 0);
}

/* No lock is refused, whatever lands where: interrupts are off in the section. */
Test(pcp_5_15, is_never_refused)
{
    for (enum pcp_locking p = PCP_LOCKING_6_0; p <= PCP_LOCKING_5_15; p++) {
        rig_boot(2);
        rig.kernel.desc.pcp_locking = p;
        rig_entry("page-bench", rig_desc("page-bench", NULL), 0, 1, 100, 0, NULL);
        rig_entry("irq-source", rig_desc("irq-source", "{ to: next, handler: alloc, interval: 333ns, handler_cycles: 1cycles }"), 1, 1, 0, 0, NULL);
        run_to_end();
        cr_expect_gt(rig.harts[0].interrupts, 5);
        cr_expect_eq(rig_counter("pcp.lock_refused") > 0, p == PCP_LOCKING_6_2, "preset %d", (int)p);
        nothing_lost();
    }
}

/* ---- alloc-replay */

static void *replay_desc(const char *name, const char *more)
{
    const char *source = getenv("LABYRINTH_SOURCE");
    char text[500];
    snprintf(text, sizeof text, "{ trace: %s/tests/traces/%s%s }", source ? source : LABYRINTH_SRCDIR, name, more);
    return rig_desc("alloc-replay", text);
}

static void small_replayed(unsigned harts, unsigned passes)
{
    cr_expect_eq(rig_counter("alloc_replay.events_count"), 10 * passes);
    cr_expect_eq(rig_counter("alloc_replay.allocs_count"), 3 * passes);
    cr_expect_eq(rig_counter("alloc_replay.frees_count"), 2 * passes);
    cr_expect_eq(rig_counter("alloc_replay.frees_of_earlier_pages_count"), passes);
    cr_expect_eq(rig_counter("alloc_replay.frees_told_twice_count"), passes);
    cr_expect_eq(rig_counter("alloc_replay.internal_events_count"), 3 * passes);
    cr_expect_eq(rig_counter("alloc_replay.freed_at_end_count"), passes);
    cr_expect_eq(rig.harts[5 % harts].recorded[CLASS_ALLOC_ATOMIC], 1, "CPU 5");
    nothing_lost();
}

/* On more harts a free waits for the hart that allocates; on one everything is in the recorded order. */
Test(alloc_replay, replays_all_events_on_any_number_of_harts)
{
    for (unsigned harts = 1; harts <= 6; harts++) {
        rig_boot(harts);
        rig_entry("alloc-replay", replay_desc("small.csv.gz", ", timing: fast"), 0, harts, 1, 1, NULL);
        run_to_end();
        small_replayed(harts, 2);
    }
}

Test(alloc_replay, keeps_the_recorded_times)
{
    rig_boot(2);
    rig_entry("alloc-replay", replay_desc("small.csv", ", scale: 500%"), 0, 2, 1, 0, NULL);
    run_to_end();
    small_replayed(2, 1);
    tick last = 0;
    for (unsigned i = 0; i < rig.note_count; i++)
        if (rig.notes[i].note == NOTE_PAGE_ALLOCATED)
            last = rig.notes[i].when;
    cr_expect(last >= 50 * (tick)PS_PER_US && last < 51 * (tick)PS_PER_US, "%lu ps", (unsigned long)last);
    cr_expect_eq(rig.note_count, 6);
}
