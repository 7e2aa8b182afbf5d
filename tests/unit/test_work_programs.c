/* tests/unit/test_work_programs.c - every program by itself: what it does, counts, times and refuses. */
#include "tests/unit/test_work_rig.h"

#include <ctype.h>

static void run_to_end(void) { cr_assert_eq(rig_run(), ENGINE_ASKED, "illegal: %s", rig.illegal); }

static void nothing_lost(void)
{
    char text[256];
    const char *lie = kern_check(&rig.kernel, &rig_backdoor, NULL, 0, text, sizeof text);
    cr_expect_null(lie, "%s", lie);
}

/* ---- the table */

Test(programs, table_is_sorted_and_documented)
{
    for (const struct program *const *p = programs; *p; p++) {
        size_t length = strlen((*p)->sentence);
        cr_expect(isupper((unsigned char)(*p)->sentence[0]) && (*p)->sentence[length - 1] == '.', "%s", (*p)->name);
        cr_expect(p == programs || strcmp(p[-1]->name, p[0]->name) < 0, "%s is out of order", (*p)->name);
        cr_expect_eq(program_find((*p)->name), *p);
        cr_expect_eq((*p)->on_device, (*p)->run == NULL, "%s", (*p)->name);
        cr_expect_eq((*p)->on_device, (*p)->start != NULL, "%s", (*p)->name);
        if ((*p)->params)
            param_table_check((*p)->params);
    }
    cr_expect_null(program_find("no-such-program"));
}

Test(programs, scratch_is_aligned)
{
    rig_boot(1);
    uint64_t base = rig.kernel.at.scratch.v;
    cr_expect_eq(work_scratch(&rig.work, 8).v, base);
    cr_expect_eq(work_scratch(&rig.work, 65).v, base + 64);
    cr_expect_eq(work_scratch(&rig.work, 64).v, base + 192);
    cr_expect_eq(work_scratch(&rig.work, PAGE_BYTES).v, base + PAGE_BYTES);
}

Test(programs, scratch_is_bounded, .exit_code = 2)
{
    rig_boot(1);
    work_scratch(&rig.work, (UINT64_C(1) << 20) - 64);
    work_scratch(&rig.work, 128);
}

/* ---- counting */

Test(programs, warm_up_is_done_and_not_recorded)
{
    rig_boot(1);
    struct agent *a = rig_entry("alloc-repeat", rig_desc("alloc-repeat", NULL), 0, 1, 7, 3, NULL);
    run_to_end();
    cr_expect_eq(a->done, 10);
    cr_expect_eq(rig.progress, 10);
    cr_expect_eq(rig.harts[0].recorded[CLASS_PAIR], 7);
    cr_expect_eq(rig.harts[0].recorded[CLASS_FREE], 7);
    cr_expect_not(rig.harts[0].recording, "off again at the end");
    nothing_lost();
}

Test(programs, compute_takes_its_cycles)
{
    rig_boot(1);
    rig_entry("compute", rig_desc("compute", "cycles: 123cycles"), 0, 1, 4, 1, NULL);
    run_to_end();
    cr_expect_eq(engine_now(rig.engine), 5 * 123 * RIG_CYCLE_PS);
}

/* ---- allocator programs */

Test(programs, bulk_allocates_then_frees)
{
    rig_boot(3);
    rig_entry("alloc-bulk", rig_desc("alloc-bulk", "pages: 300"), 0, 3, 2, 0, NULL);
    run_to_end();
    for (unsigned i = 0; i < 3; i++) {
        cr_expect_eq(rig.harts[i].recorded[CLASS_ALLOC_ATOMIC], 600);
        cr_expect_eq(rig.harts[i].recorded[CLASS_FREE], 600);
    }
    /* nobody frees before all have allocated */
    unsigned allocated = 0;
    for (unsigned i = 0; rig.notes[i].note != NOTE_PAGE_FREED; i++)
        allocated += rig.notes[i].note == NOTE_PAGE_ALLOCATED;
    cr_expect_eq(allocated, 900);
    nothing_lost();
}

Test(programs, bulk_stops_when_memory_is_out)
{
    rig_boot(2);
    rig_entry("alloc-bulk", rig_desc("alloc-bulk", "{ pages: 1000, order: 3 }"), 0, 2, 1, 0, NULL);
    run_to_end();
    cr_expect_eq(rig_counter("alloc_bulk.failed"), 2);
    nothing_lost();
}

Test(programs, random_free_gives_all_back)
{
    rig_boot(2);
    rig_entry("alloc-random-free", rig_desc("alloc-random-free", "{ order_max: 5, live: 20 }"), 0, 2, 800, 0, NULL);
    run_to_end();
    cr_expect_gt(rig.harts[1].recorded[CLASS_FREE], 300);
    nothing_lost();
}

/* ---- sharing programs */

Test(programs, ping_pong_measures_round_trips)
{
    rig_boot(2);
    rig_entry("ping-pong", rig_desc("ping-pong", NULL), 0, 2, 50, 5, NULL);
    run_to_end();
    cr_expect_eq(rig.harts[0].recorded[CLASS_PINGPONG], 50);
    cr_expect_eq(rig.harts[1].recorded[CLASS_PINGPONG], 0);
    /* no load at all; here both harts' swaps fall on the same instants, so that each of them succeeds */
    cr_expect_eq(rig.loads, 0);
    cr_expect_eq(rig.harts[0].latency_ps[CLASS_PINGPONG], 50 * RIG_ACCESS_PS);
}

static const char *refused(const char *program, const char *desc, unsigned members)
{
    return program_find(program)->check(rig_desc(program, desc), &rig.work, members);
}

Test(programs, ping_pong_is_for_two)
{
    rig_boot(3);
    cr_expect_not_null(refused("ping-pong", NULL, 1));
    cr_expect_null(refused("ping-pong", NULL, 2));
    cr_expect_null(refused("ping-pong", NULL, 3));
    cr_expect_not_null(refused("ping-pong", "second: 0", 3));
    cr_expect_not_null(refused("ping-pong", "first: 3", 3));
    cr_expect_not_null(refused("ping-pong", "second: 3", 3));
    cr_expect_not_null(refused("ping-pong", "home: 3", 3));
    cr_expect_null(refused("ping-pong", "{ first: 2, home: 1, second: 0 }", 3));
}

Test(programs, ping_pong_flag_is_first_touched_at_home)
{
    rig_boot(4);
    rig_entry("ping-pong", rig_desc("ping-pong", "{ first: 3, second: 1, home: 2 }"), 0, 4, 20, 1, NULL);
    run_to_end();
    cr_expect_eq(rig.loads, 1);
    cr_expect_eq(rig.harts[3].recorded[CLASS_PINGPONG], 20);
}

/* ---- probe-line */

Test(programs, probe_line_says_who_takes_part)
{
    rig_boot(4);
    cr_expect_null(refused("probe-line", NULL, 2));
    cr_expect_not_null(refused("probe-line", NULL, 1));
    cr_expect_not_null(refused("probe-line", "requester: 4", 4));
    cr_expect_not_null(refused("probe-line", "holder: 4", 4));
    cr_expect_not_null(refused("probe-line", "home: 4", 4));
    cr_expect_null(refused("probe-line", "second: 4", 4));
    cr_expect_not_null(refused("probe-line", "{ state: shared, second: 4 }", 4));
    cr_expect_not_null(refused("probe-line", "{ state: owned, second: 4 }", 4));
    cr_expect_not_null(refused("probe-line", "{ state: owned, second: 1 }", 4));
    cr_expect_null(refused("probe-line", "{ state: owned, second: 3 }", 4));
    cr_expect_not_null(refused("probe-line", "footprint: 2MiB", 4));
}

/* Who has touched each line since it was last written or flushed, hart 3's own operation included, and what it holds: 2 if it
 * has been stored to. */
static void expect_left(const char *state, uint64_t readers, uint64_t word)
{
    char yaml[120];
    rig_boot(4);
    snprintf(yaml, sizeof yaml, "{ state: %s, requester: 3, holder: 1, second: 2, home: 0, footprint: 8KiB }", state);
    struct agent *a = rig_entry("probe-line", rig_desc("probe-line", yaml), 0, 4, 128, 0, NULL);
    run_to_end();
    cr_expect_eq(a[3].done, 128);
    for (unsigned i = 0; i < 128; i++) {
        const struct rig_line *l = &rig.lines[paddr_line(paddr_plus(rig.kernel.at.scratch, i * LINE_BYTES)).v];
        cr_expect_eq(l->readers, readers, "%s: line %u read by %#llx", state, i, (unsigned long long)l->readers);
        cr_expect_eq(backdoor_read(&rig_backdoor, paddr_plus(rig.kernel.at.scratch, i * LINE_BYTES), 8), word, "%s", state);
    }
}

Test(programs, probe_line_leaves_invalid) { expect_left("invalid", 8, 0); }
Test(programs, probe_line_leaves_exclusive) { expect_left("exclusive", 8 | 2, 0); }
Test(programs, probe_line_leaves_shared) { expect_left("shared", 8 | 4 | 2, 0); }
Test(programs, probe_line_leaves_modified) { expect_left("modified", 8 | 2, 2); }
Test(programs, probe_line_leaves_owned) { expect_left("owned", 8 | 4 | 2, 2); }

Test(programs, probe_line_sees_a_wrong_value)
{
    rig_boot(2);
    rig.lie_at_load = 70; /* one for the first touch, 64 of the first round */
    rig_entry("probe-line", rig_desc("probe-line", NULL), 0, 2, 200, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "probe-line: line"), "%s", rig.illegal);
}

static unsigned owns_seen;
static int writer_wanted;
static uint64_t readers_wanted;
static void look_at_page(struct hart *h, enum class_id class)
{
    const frame page = paddr_frame(rig.kernel.at.scratch);
    if (class != CLASS_PAGE_OWN)
        return;
    cr_assert_eq(h->id, 0);
    owns_seen++;
    for (unsigned i = 0; i < LINES_PER_PAGE; i++) {
        const struct rig_line *l = &rig.lines[frame_line(page, i).v];
        cr_assert_eq(l->writer, writer_wanted, "line %u: writer %d", i, l->writer);
        cr_assert_eq(l->readers & readers_wanted, readers_wanted);
    }
}

Test(programs, page_invalidate_finds_it_shared)
{
    rig_boot(4);
    writer_wanted = -1;
    readers_wanted = 0xe;
    rig_on_begin = look_at_page;
    rig_entry("page-invalidate", rig_desc("page-invalidate", NULL), 0, 4, 6, 1, NULL);
    run_to_end();
    cr_expect_eq(owns_seen, 7);
    cr_expect_eq(rig.harts[0].recorded[CLASS_PAGE_OWN], 6);
}

Test(programs, page_invalidate_finds_it_modified)
{
    rig_boot(4);
    writer_wanted = 3;
    readers_wanted = 0x8;
    rig_on_begin = look_at_page;
    rig_entry("page-invalidate", rig_desc("page-invalidate", "share: write"), 0, 4, 6, 0, NULL);
    run_to_end();
    cr_expect_eq(owns_seen, 6);
}

Test(programs, spin_lock_counts_right)
{
    rig_boot(4);
    struct agent *a = rig_entry("spin-lock", rig_desc("spin-lock", NULL), 0, 4, 60, 2, NULL);
    run_to_end();
    struct spin { paddr lock, counter; } *s = a->state;
    cr_expect_eq(backdoor_read(&rig_backdoor, s->counter, 8), 4 * 62);
    cr_expect_geq(rig.harts[2].recorded[CLASS_LOCK_ACQUIRE], 60);
}

Test(programs, spin_lock_sees_a_lost_increment)
{
    rig_boot(1);
    rig.lie_at_load = 6; /* each operation loads the lock, then the counter */
    rig_entry("spin-lock", rig_desc("spin-lock", NULL), 0, 1, 20, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "two harts were inside"), "%s", rig.illegal);
}

/* ---- chase */

Test(programs, chase_loads_dependently)
{
    static const char *const orders[] = { "random", "pages", "sequential" };
    for (unsigned i = 0; i < 3; i++) {
        char text[80];
        snprintf(text, sizeof text, "{ footprint: 12KiB, order: %s }", orders[i]);
        rig_boot(2);
        rig_entry("chase", rig_desc("chase", text), 0, 2, 500, 10, NULL);
        run_to_end();
        cr_expect_eq(rig.loads, 2 * (192 + 510));
        cr_expect_eq(engine_now(rig.engine), (192 + 510) * RIG_ACCESS_PS);
    }
}

Test(programs, chase_of_modified_lines)
{
    rig_boot(2);
    rig_entry("chase", rig_desc("chase", "{ footprint: 2KiB, state: modified }"), 0, 2, 100, 4, NULL);
    run_to_end();
    cr_expect_eq(rig.loads, 104);
    cr_expect_eq(rig.loads_of_others, 104, "every load finds the line written by the other hart");
}

Test(programs, chase_of_lines_read_by_others)
{
    rig_boot(3);
    rig_entry("chase", rig_desc("chase", "{ footprint: 2KiB, state: read }"), 0, 3, 64, 0, NULL);
    run_to_end();
    cr_expect_eq(rig.loads, 64 + 2 * 2 * 32, "two rounds of two readers and the measured loads");
    cr_expect_eq(rig.loads_of_others, 0);
}

Test(programs, chase_sees_a_wrong_value)
{
    rig_boot(1);
    rig.lie_at_load = 77;
    rig_entry("chase", rig_desc("chase", NULL), 0, 1, 500, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "chase"), "%s", rig.illegal);
}

Test(programs, chase_checks_its_parameters)
{
    rig_boot(4);
    const struct program *p = program_find("chase");
    cr_expect_null(p->check(rig_desc("chase", "footprint: 256KiB"), &rig.work, 4));
    cr_expect_not_null(p->check(rig_desc("chase", "footprint: 512KiB"), &rig.work, 4));
    cr_expect_not_null(p->check(rig_desc("chase", "state: modified"), &rig.work, 1));
    cr_expect_not_null(p->check(rig_desc("chase", "{ footprint: 4KiB, stride: 4KiB }"), &rig.work, 1));
}

/* ---- random-mix */

#define ALL_KINDS "loads: 40%, atomics: 15%, flushes: 5%, fences: 5%, string_stores: 5%, nt_stores: 5%, prefetches: 5%"

Test(programs, random_mix_checks_its_own_values)
{
    rig_boot(3);
    rig_entry("random-mix", rig_desc("random-mix", "{ lines: 8, private: true, check: true, " ALL_KINDS " }"), 0, 3, 4000, 0, NULL);
    run_to_end();
    cr_expect_gt(rig.loads, 4000);
}

Test(programs, random_mix_sees_a_wrong_value)
{
    rig_boot(1);
    rig.lie_at_load = 200;
    rig_entry("random-mix", rig_desc("random-mix", "{ lines: 8, private: true, check: true, " ALL_KINDS " }"), 0, 1, 4000, 0, NULL);
    rig_run();
    cr_expect_not_null(strstr(rig.illegal, "random-mix"), "%s", rig.illegal);
}

Test(programs, random_mix_shares_lines)
{
    rig_boot(4);
    rig_entry("random-mix", rig_desc("random-mix", "lines: 4"), 0, 4, 500, 0, NULL);
    run_to_end();
    cr_expect(rig.loads > 1200 && rig.loads < 1400, "%lu of 2000 accesses are loads, of 65 %%", rig.loads);
    cr_expect_gt(rig.loads_of_others, 300);
}

Test(programs, random_mix_checks_its_parameters)
{
    rig_boot(1);
    const struct program *p = program_find("random-mix");
    cr_expect_null(p->check(rig_desc("random-mix", "{ loads: 60%, atomics: 40% }"), &rig.work, 1));
    cr_expect_not_null(p->check(rig_desc("random-mix", "{ loads: 60%, atomics: 41% }"), &rig.work, 1));
    cr_expect_not_null(p->check(rig_desc("random-mix", "check: true"), &rig.work, 1));
    cr_expect_not_null(p->check(rig_desc("random-mix", "{ lines: 16384, private: true }"), &rig.work, 2));
}

/* ---- devices and interrupts */

static struct dma_engine device;

Test(programs, dma_stream_goes_round_its_pages)
{
    rig_boot(1);
    component_register(&rig.components, &device.component, "device", &rig_ops);
    struct agent *a = rig_entry("dma-stream", rig_desc("dma-stream", "{ bytes: 3KiB, pages: 2, gap: 7ns }"), 0, 1, 4, 1, &device);
    rig.lines[0].writer = -1;
    cr_assert_eq(rig_run(), ENGINE_IDLE); /* the idle hart parks; the device waits for an answer */
    uint64_t base = device.waiting[0]->addr.v;
    for (unsigned i = 0; i < 5; i++) {
        cr_assert_eq(device.count, 1, "transfer %u", i);
        cr_expect_eq(device.waiting[0]->addr.v, base + i % 2 * 3072);
        cr_expect_eq(device.waiting[0]->bytes, 3072);
        cr_expect(device.waiting[0]->write);
        cr_expect_eq(device.waiting[0]->recorded, i > 0, "one is warm-up");
        tick before = engine_now(rig.engine);
        rig_dma_finish(&device, 0, DMA_OK);
        engine_run(rig.engine, TICK_MAX - 1);
        cr_expect_eq(engine_now(rig.engine) - before, i < 4 ? 7 * PS_PER_NS : 0);
    }
    cr_expect_eq(device.count, 0);
    cr_expect(a->finished);
    cr_expect_eq(base % PAGE_BYTES, 0);
}

Test(programs, irq_source_interrupts)
{
    static const struct { const char *text; unsigned target; } cases[] = {
        { "{ interval: 2us }", 0 }, { "{ interval: 2us, to: next }", 1 }, { "{ interval: 2us, to: hart, hart: 2, handler: alloc }", 2 }
    };
    for (unsigned i = 0; i < 3; i++) {
        rig_boot(3);
        rig_entry("irq-source", rig_desc("irq-source", cases[i].text), 0, 1, 20, 0, NULL);
        run_to_end();
        engine_run(rig.engine, engine_now(rig.engine) + PS_PER_MS);
        for (unsigned k = 0; k < 3; k++)
            cr_expect_eq(rig.harts[k].interrupts, k == cases[i].target ? 20 : 0, "case %u hart %u", i, k);
        nothing_lost();
    }
}

/* Two entries to one hart: each has its own vector, so its own parameters. */
Test(programs, irq_sources_do_not_share_a_vector)
{
    rig_boot(3);
    rig_entry("irq-source", rig_desc("irq-source", "{ interval: 2us, to: hart, hart: 2 }"), 0, 1, 20, 0, NULL);
    rig_entry("irq-source", rig_desc("irq-source", "{ interval: 3us, to: hart, hart: 2, handler: alloc }"), 1, 1, 10, 0, NULL);
    run_to_end();
    engine_run(rig.engine, engine_now(rig.engine) + PS_PER_MS);
    cr_expect_eq(rig.harts[2].interrupts, 30);
    cr_expect_eq(rig.harts[2].irq[8].arg, &rig.agents[0]);
    cr_expect_eq(rig.harts[2].irq[9].arg, &rig.agents[1]);
    nothing_lost();
}
