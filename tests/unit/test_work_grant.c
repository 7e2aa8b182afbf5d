/* tests/unit/test_work_grant.c - the main job: owners, touchers, devices at the meeting, and what they see. */
#include "src/kern/page.h"
#include "tests/unit/test_work_rig.h"

static unsigned grants_seen;
static uint64_t wanted_readers;
static int wanted_writer;

/* When the grant has its frame, all lines of it are as the touchers left them. */
static void look_at_lines(struct hart *h, enum note note, uint64_t a)
{
    if (note != NOTE_GRANT_FRAME)
        return;
    grants_seen++;
    for (unsigned i = 0; i < LINES_PER_PAGE; i++) {
        const struct rig_line *l = &rig.lines[frame_line((frame){ a }, i).v];
        cr_assert_eq(l->readers & wanted_readers, wanted_readers, "hart %u, line %u: readers %#lx", h->id, i, l->readers);
        cr_assert_eq(l->writer, wanted_writer, "hart %u, line %u: writer %d", h->id, i, l->writer);
    }
}

static uint64_t recorded(enum class_id class)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < rig.hart_count; i++)
        n += rig.harts[i].recorded[class];
    return n;
}

static uint64_t user_map_of(uint64_t frame_number)
{
    return backdoor_read(&rig_backdoor, page_word(&rig.kernel, (frame){ frame_number }, PAGE_USER_MAP), 8);
}

static uint64_t frame_of_note(enum note note, unsigned nth)
{
    for (unsigned i = 0; i < rig.note_count; i++)
        if (rig.notes[i].note == note && nth-- == 0)
            return rig.notes[i].a;
    return 0;
}

Test(grant, readers_hold_every_line_before_each_grant)
{
    rig_boot(4);
    wanted_readers = 0xe;
    wanted_writer = -1;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", NULL), 0, 1, 5, 2, NULL);
    struct agent *touchers = rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 3, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(grants_seen, 7);
    cr_expect_eq(recorded(CLASS_GRANT), 5);
    cr_expect_eq(recorded(CLASS_ALLOC_ATOMIC), 5, "set-up is not recorded");
    cr_expect_eq(recorded(CLASS_SHOOTDOWN), 5);
    cr_expect_eq(rig_counter("exclusive_alloc.other_page"), 0);
    cr_expect_eq(rig_counter("exclusive_alloc.not_mapped"), 0);
    cr_expect_eq(rig_counter("touch_pages.unmapped"), 0);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_geq(touchers[i].done, 6);
    cr_expect_eq(user_map_of(frame_of_note(NOTE_GRANT_FRAME, 6)), 0, "a device grant takes the mapping away");
}

Test(grant, the_last_writer_owns_every_line)
{
    rig_boot(4);
    wanted_readers = 0x8;
    wanted_writer = 3;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", "exclusive: coherence"), 0, 1, 4, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", "share: write"), 1, 3, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(grants_seen, 4);
}

/* A reader after a writer waits for it: whatever the order on harts, the file's order counts. */
Test(grant, readers_wait_for_writers_before_them)
{
    rig_boot(4);
    wanted_readers = 0xe;
    wanted_writer = -1;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", "exclusive: none"), 0, 1, 4, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", "share: write"), 3, 1, 0, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 2, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(grants_seen, 4);
}

Test(grant, none_leaves_mapping_and_copies)
{
    rig_boot(3);
    wanted_readers = 0x6;
    wanted_writer = -1;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", "exclusive: none"), 0, 1, 4, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 2, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    uint64_t f = frame_of_note(NOTE_GRANT_FRAME, 0);
    cr_expect(map_valid(user_map_of(f)));
    cr_expect_eq(map_address(user_map_of(f)), work_user_address((frame){ f }).v);
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        cr_expect_eq(rig.lines[frame_line((frame){ f }, i).v].writer, -1, "line %u has been written", i);
    cr_expect_eq(frame_of_note(NOTE_GRANT_FRAME, 3), f, "the per-CPU list gives the same page back");
    cr_expect_eq(rig_counter("exclusive_alloc.not_mapped"), 0, "a mapping that survives is not made again");
}

Test(grant, several_owners_each_get_their_round)
{
    rig_boot(5);
    wanted_readers = 0x1c;
    wanted_writer = -1;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", NULL), 0, 2, 6, 0, NULL);
    struct agent *touchers = rig_entry("touch-pages", rig_desc("touch-pages", NULL), 2, 3, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(grants_seen, 12);
    for (unsigned i = 0; i < 3; i++)
        cr_expect_geq(touchers[i].done, 11);
}

Test(grant, nobody_else_there)
{
    rig_boot(1);
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", NULL), 0, 1, 3, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(recorded(CLASS_GRANT), 3);
}

Test(grant, without_expose_nothing_is_mapped)
{
    rig_boot(2);
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", "{ expose: false, exclusive: [secure] }"), 0, 1, 3, 0, NULL);
    struct agent *toucher = rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 1, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(toucher->done, 0);
    cr_expect_eq(user_map_of(frame_of_note(NOTE_GRANT_FRAME, 0)), 0);
}

static enum context context_at_grant;
static bool atomic_at_grant;
static void look_at_context(struct hart *h, enum note note, uint64_t a)
{
    (void)a;
    if (note == NOTE_GRANT_BEGIN) {
        context_at_grant = hart_context(h);
        atomic_at_grant = hart_atomic(h);
    }
}

Test(grant, contexts)
{
    static const struct { const char *text; enum context context; bool atomic; } cases[] = {
        { "{ context: task, gfp: KERNEL, exclusive: all }", CONTEXT_TASK, false },
        { "{ context: preempt-off, exclusive: all }", CONTEXT_TASK, true },
        { "{ context: irq, exclusive: [coherence, lock, secure] }", CONTEXT_HARDIRQ, true },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_boot(2);
        rig_on_note = look_at_context;
        rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", cases[i].text), 0, 1, 3, 0, NULL);
        rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 1, 0, 0, NULL);
        cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
        cr_expect_eq(context_at_grant, cases[i].context, "%s", cases[i].text);
        cr_expect_eq(atomic_at_grant, cases[i].atomic, "%s", cases[i].text);
        cr_expect_str_empty(rig.illegal);
        cr_expect_eq(recorded(CLASS_GRANT), 3);
    }
}

/* A mapped page needs a shootdown by interrupts, which an interrupt handler may not wait for. */
Test(grant, shootdown_from_interrupt_context_is_illegal)
{
    rig_boot(2);
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", "{ context: irq, exclusive: device }"), 0, 1, 3, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 1, 0, 0, NULL);
    rig_run();
    cr_expect_str_not_empty(rig.illegal);
    cr_expect(rig.harts[0].illegal);
    cr_expect_eq(recorded(CLASS_GRANT), 0);
}

/* Interrupts that land in the waits of a meeting lose no wake-up. */
Test(grant, meetings_survive_interrupts)
{
    rig_boot(4);
    wanted_readers = 0x6;
    wanted_writer = -1;
    rig_on_note = look_at_lines;
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", NULL), 0, 1, 40, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 2, 0, 0, NULL);
    rig_entry("irq-source", rig_desc("irq-source", "{ interval: 170ns, to: random, handler: alloc, handler_cycles: 70cycles }"), 3,
              1, 0, 0, NULL);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
    cr_expect_eq(grants_seen, 40);
    cr_expect_gt(rig.harts[0].interrupts + rig.harts[1].interrupts + rig.harts[2].interrupts, 100);
}

/* ---- dma-foreign */

static struct dma_engine device;
static uint32_t refuse;
static bool finish_late, must_be_first;
static unsigned answered;

/* The fake device answers at fixed steps of the owner: what it was given to touch while the owner waits is answered
 * by an event; what it reaches for, at the end of the hold. */
static void answer(struct event *e)
{
    while (device.count) {
        bool reaching = device.waiting[0]->write;
        /* Devices go first: when one is answered that touches a posted page, no toucher has been there. Line 5: the device
         * touches line 0 only; owning the page left it to the owner alone. */
        if (!reaching && must_be_first) {
            frame f = paddr_frame((paddr){ device.waiting[0]->addr.v });
            cr_expect_eq(rig.lines[frame_line(f, 5).v].readers & 2, 0, "a toucher did not wait for the device");
            answered++;
        }
        rig_dma_finish(&device, reaching ? refuse : 0, reaching && refuse ? DMA_FAULT_WRITE : DMA_OK);
    }
    engine_after(rig.engine, &device.component, e, finish_late ? 5 * PS_PER_US : 40 * PS_PER_NS, PHASE_ACT);
}

static void foreign_run(const char *owner, const char *foreign, uint64_t grants)
{
    static struct event e = { .fn = answer, .what = "answer" };
    rig_boot(2);
    component_register(&rig.components, &device.component, "device", &rig_ops);
    rig_entry("exclusive-alloc", rig_desc("exclusive-alloc", owner), 0, 1, grants, 0, NULL);
    rig_entry("touch-pages", rig_desc("touch-pages", NULL), 1, 1, 0, 0, NULL);
    rig_entry("dma-foreign", rig_desc("dma-foreign", foreign), 0, 1, 0, 0, &device);
    engine_at(rig.engine, &device.component, &e, 0, PHASE_ACT);
    cr_assert_eq(rig_run(), ENGINE_ASKED, "%s", rig.illegal);
}

Test(grant, foreign_device_is_refused_with_a_reason)
{
    refuse = 2;
    foreign_run("hold: 1us", "bytes: 128B", 6);
    cr_expect_eq(rig_counter("dma_foreign.refused_count"), 12);
    cr_expect_eq(rig_counter("dma_foreign.performed_count"), 0);
    cr_expect_eq(rig_counter("dma_foreign.skipped_count"), 0);
    uint64_t by_reason = 0;
    for (unsigned i = 0; rig.counters[i].name; i++)
        if (strncmp(rig.counters[i].name, "dma_foreign.refused.", 20) == 0)
            by_reason += rig.counters[i].value;
    cr_expect_eq(by_reason, 12);
}

Test(grant, touchers_wait_for_devices)
{
    must_be_first = true;
    foreign_run("hold: 1us", "bytes: 64B", 6);
    cr_expect_eq(answered, 6);
}

Test(grant, foreign_device_performs)
{
    refuse = 1;
    foreign_run("{ hold: 1us, exclusive: coherence }", "bytes: 256B", 5);
    cr_expect_eq(rig_counter("dma_foreign.refused_count"), 5);
    cr_expect_eq(rig_counter("dma_foreign.performed_count"), 15);
    cr_expect_eq(rig_counter("dma_foreign.late_count"), 0);
}

Test(grant, foreign_device_comes_too_late)
{
    refuse = 0;
    finish_late = true;
    foreign_run("hold: 0ns", "touch: false", 60);
    cr_expect_eq(rig_counter("dma_foreign.performed_count"), 0);
    cr_expect_gt(rig_counter("dma_foreign.late_count"), 0);
}
