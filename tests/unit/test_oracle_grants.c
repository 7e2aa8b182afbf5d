/* tests/unit/test_oracle_grants.c - the judge of grants, device, lock and secure: a clean grant, and for each check
 * a grant with one planted fault.
 */
#include "tests/unit/test_oracle_steps.h"

TestSuite(oracle_grants, .init = fake_start, .fini = fake_stop);

Test(oracle_grants, clean_grant_of_all)
{
    granted(GRANT_ALL);
    load(0, PAGE, 8);
    store(0, PAGE, 8, 1);
    note(0, NOTE_LOCK_DROPPED, FRAME, 0);
    atomic(0, LOCK, 8, 0x80);
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    load(1, PAGE, 8);
    dma(PAGE, 64, true, 0);
    expect_clean();
    const struct oracle_report *r = oracle_report(fake.o);
    cr_assert(r->grants == 1 && r->lines_kept == 64 && r->lines_relost == 0 && r->lines_evicted == 0);
}

Test(oracle_grants, none_promises_nothing)
{
    note(0, NOTE_GRANT_BEGIN, 0, 0);
    note(0, NOTE_GRANT_FRAME, FRAME, 0);
    copy(1, LINE(0), true, true, 3, "M");
    store(0, PAGE, 8, 1);
    dma(PAGE, 64, true, 0);
    end(0);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->grants, 0);
}

Test(oracle_grants, a_part_not_selected_is_not_judged)
{
    fake.iommu = fake.user = fake.iotlb = fake.tlb = fake.dma = (struct fake_way){ true, 1, { FRAME } };
    begin(GRANT_LOCK);
    lock();
    end(GRANT_LOCK);
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    note(1, NOTE_GRANT_BEGIN, GRANT_SECURE, 0);
    note(1, NOTE_GRANT_FRAME, FRAME, 0);
    for (unsigned i = 0; i < 64; i++)
        store_line(1, LINE(i), 0);
    atomic(1, LOCK + 8, 8, 1); /* a locked operation is a barrier */
    note(1, NOTE_GRANT_END, FRAME, GRANT_SECURE);
    expect_clean();
}

/* ---- device at t */
static void device_way(struct fake_way *way, unsigned who, const char *words)
{
    *way = (struct fake_way){ true, who, { FRAME + 1 } }; /* another page: no matter */
    granted(GRANT_DEVICE);
    expect_clean();
    give_back();
    way->f.v = FRAME;
    granted(GRANT_DEVICE);
    expect("device", 0, PAGE, words);
    expect_text("1 ways to the page are left");
}
Test(oracle_grants, iommu_table_left) { device_way(&fake.iommu, 0, "the IOMMU table of domain 5 maps it at 0x9000"); }
Test(oracle_grants, iotlb_left) { device_way(&fake.iotlb, 0, "iotlb0 holds a translation of domain 5 at 0x9000"); }
Test(oracle_grants, dma_in_flight) { device_way(&fake.dma, 0, "a DMA write of nic0 is in flight"); }
Test(oracle_grants, page_table_left) { device_way(&fake.user, 0, "the page table of address space 7 maps it at 0x7000"); }
Test(oracle_grants, tlb_left) { device_way(&fake.tlb, 2, "the TLB of core2 holds a translation of address space 7"); }

Test(oracle_grants, dma_after_the_grant)
{
    granted(GRANT_DEVICE);
    uncopy(0, PAGE + 0x80);
    dma(PAGE + 0x80, 64, true, 3);
    dma(PAGE + PAGE_BYTES, 64, true, 0);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->dma_refused, 1);
    dma(PAGE + 0x80, 64, true, 0);
    expect("device", DEVICE, PAGE + 0x80, "(DMA writes) that was granted to core0 and not given back");
    expect_text("nic0 DMA refused, 0x5080");
    visible(DEVICE, PAGE + 0x80, 8, 1); /* the same piece told twice is one finding */
    cr_assert_eq(fake.violations, 1);
}

Test(oracle_grants, dma_with_device_not_selected)
{
    granted(GRANT_COHERENCE | GRANT_SECURE);
    dma(PAGE + 0x80, 64, true, 0);
    dma(PAGE + 0x80, 64, false, 0);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->dma_performed_watched, 2);
}

Test(oracle_grants, freed_page_is_watched_no_more)
{
    granted(GRANT_DEVICE);
    note(0, NOTE_PAGE_FREED, FRAME, 0);
    dma(PAGE, 64, true, 0);
    expect_clean();
}

/* ---- lock over [t1, t2) */
Test(oracle_grants, honouring_agent_touches_a_locked_page)
{
    begin(GRANT_LOCK);
    load(1, PAGE, 8); /* before t1 */
    lock();
    wants(1, PAGE, false); /* a prefetcher may ask */
    load(0, PAGE, 8);
    load(1, LOCK, 8);
    expect_clean();
    load(1, PAGE + 8, 8);
    expect("lock", 1, PAGE + 8, "touches the page (loads) while core0 has held the page's lock since");
    expect_text("core0 holds the page's lock, 0x2140");
}

Test(oracle_grants, agent_that_ignores_the_lock_is_illegal)
{
    oracle_honours_lock(fake.o, 2, false);
    granted(GRANT_LOCK);
    uncopy(0, PAGE);
    visible(2, PAGE + 8, 8, 0);
    expect("lock.illegal", 2, PAGE + 8, "touches the page (stores, visible)");
}

Test(oracle_grants, device_does_not_honour_the_lock)
{
    granted(GRANT_LOCK);
    dma(PAGE + 64, 64, false, 1);
    expect_clean();
    dma(PAGE + 64, 64, false, 0);
    expect("lock.illegal", DEVICE, PAGE + 64, "(DMA reads)");
}

Test(oracle_grants, device_declared_to_honour_the_lock)
{
    oracle_honours_lock(fake.o, DEVICE, true);
    granted(GRANT_LOCK);
    dma(PAGE + 64, 64, true, 0);
    expect("lock", DEVICE, PAGE + 64, "(DMA writes)");
}

Test(oracle_grants, access_after_the_lock_is_dropped)
{
    granted(GRANT_LOCK);
    atomic(0, LOCK, 8, 0x80); /* the bit first, the note after it */
    load(1, PAGE, 8);
    atomic(1, LOCK, 8, 0x81); /* the next holder is quicker than the note */
    note(1, NOTE_LOCK_HELD, FRAME, LOCK);
    note(0, NOTE_LOCK_DROPPED, FRAME, 0);
    load(2, PAGE, 8); /* barred only while the grant's owner holds the lock */
    note(1, NOTE_LOCK_DROPPED, FRAME, 0);
    atomic(1, LOCK, 8, 0x80);
    expect_clean();
}

Test(oracle_grants, the_note_may_come_before_the_bit)
{
    granted(GRANT_LOCK);
    note(0, NOTE_LOCK_DROPPED, FRAME, 0);
    load(1, PAGE, 8);
    atomic(1, LOCK, 8, 0x80);
    expect_clean();
    note(0, NOTE_LOCK_DROPPED, FRAME, 0);
    expect("lock", 0, PAGE, "which it does not hold");
    expect_text("core0 drops the page's lock, 0x5000");
}

Test(oracle_grants, lock_of_a_page_not_granted)
{
    load(0, PAGE, 8);
    lock();
    load(1, PAGE, 8);
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME + 9, 0);
    note(0, NOTE_LOCK_DROPPED, FRAME, 0);
    atomic(0, LOCK, 8, 0x80);
    expect_clean();
}

Test(oracle_grants, grant_ends_with_a_lock_that_is_another_s)
{
    begin(GRANT_LOCK);
    lock();
    atomic(0, LOCK, 8, 0x80);
    atomic(1, LOCK, 8, 0x81);
    end(GRANT_LOCK);
    expect("lock", 0, PAGE, "is clear, though it took the lock at");
}

Test(oracle_grants, lock_without_its_bit)
{
    begin(GRANT_LOCK);
    atomic(0, LOCK, 8, 0x80);
    note(0, NOTE_LOCK_HELD, FRAME, LOCK);
    expect("lock", 0, PAGE, "but the lock bit at 0x2140 is clear");
    expect_text("   life of 133"); /* the line of the lock word */
}

Test(oracle_grants, lock_bit_set_by_a_plain_store)
{
    begin(GRANT_LOCK);
    store(0, LOCK, 8, 0x81);
    note(0, NOTE_LOCK_HELD, FRAME, LOCK);
    expect("lock", 0, PAGE, "no locked operation of its own");
}

Test(oracle_grants, lock_bit_set_by_another)
{
    begin(GRANT_LOCK);
    atomic_found(1, LOCK, 8, 0x80, 0x81);
    atomic_found(0, LOCK, 8, 0x81, 0x81); /* its own attempt failed */
    note(0, NOTE_LOCK_HELD, FRAME, LOCK);
    expect("lock", 0, PAGE, "no locked operation of its own");
}

Test(oracle_grants, lock_taken_inside_a_wider_or_later_operation)
{
    begin(GRANT_LOCK);
    atomic_found(0, LOCK, 8, 0, UINT64_C(1) << 24); /* the lock byte is the fourth */
    for (unsigned i = 0; i < 15; i++)
        atomic(0, i ? 0x3000 + 8 * i : LOCK + 3 - 11, 8, i); /* an interrupt's */
    note(0, NOTE_LOCK_HELD, FRAME, LOCK + 3);
    atomic(1, LOCK, 4, 1u << 24 | 0x80);
    store_line(2, 0x2100, 0);
    expect_clean();
    end(GRANT_LOCK);
    expect_clean();
    store(1, LOCK + 3, 1, 0xfe);
    expect("lock", 1, PAGE, "its write clears the lock bit at 0x2143 of the page that core0 has had locked since");
}

Test(oracle_grants, lock_cleared_by_a_whole_line)
{
    begin(GRANT_LOCK);
    lock();
    store_line(2, 0x2140, 0);
    expect("lock", 2, PAGE, "clears the lock bit");
}

Test(oracle_grants, lock_bit_kept_by_others_writes)
{
    begin(GRANT_LOCK);
    lock();
    atomic(1, LOCK, 8, 0x81); /* a waiter sets its bit */
    store(1, LOCK + 8, 8, 0);
    store(1, LOCK - 8, 8, 0);
    store(1, LOCK + 1, 1, 0);
    end(GRANT_LOCK);
    expect_clean();
}

Test(oracle_grants, two_holders)
{
    begin(GRANT_LOCK);
    lock();
    note(1, NOTE_LOCK_HELD, FRAME, LOCK);
    expect("lock", 1, PAGE, "which core0 has held since");
}

Test(oracle_grants, lock_dropped_by_one_who_has_it_not)
{
    begin(GRANT_LOCK);
    lock();
    note(1, NOTE_LOCK_DROPPED, FRAME, 0);
    expect("lock", 1, PAGE, "drops the page's lock, which it does not hold");
}

Test(oracle_grants, grant_ends_without_the_lock)
{
    begin(GRANT_LOCK);
    end(GRANT_LOCK);
    expect("lock", 0, PAGE, "it does not hold the page's lock");
}

Test(oracle_grants, grant_ends_after_the_lock_was_cleared)
{
    begin(GRANT_LOCK);
    lock();
    atomic(0, LOCK, 8, 0x80);
    end(GRANT_LOCK);
    expect("lock", 0, PAGE, "the lock bit at 0x2140 is clear, though it took the lock at");
}

Test(oracle_grants, lock_bit_lost_in_memory)
{
    begin(GRANT_LOCK);
    lock();
    poke(LOCK, 8, 0x80);
    end(GRANT_LOCK);
    expect("lock", 0, PAGE, "though no write cleared it");
}

/* ---- secure at t */
Test(oracle_grants, page_not_zero)
{
    begin(GRANT_SECURE);
    for (unsigned i = 0; i < 63; i++)
        own_line(i);
    barrier(0, BARRIER_LOAD);
    end(GRANT_SECURE);
    expect("secure", 0, LINE(63), "the newest visible store left 0x5a5a, memory reads 0x5a5a");
}

Test(oracle_grants, one_byte_not_zero)
{
    begin(GRANT_SECURE);
    own();
    store(0, PAGE + 0x7ff, 1, 1);
    barrier(0, BARRIER_LOAD);
    end(GRANT_SECURE);
    expect("secure", 0, PAGE + 0x7f8, "0x100000000000000");
}

Test(oracle_grants, memory_not_zero_behind_the_judge)
{
    begin(GRANT_SECURE);
    own();
    poke(LINE(9), 8, 3);
    barrier(0, BARRIER_LOAD);
    end(GRANT_SECURE);
    expect("secure", 0, LINE(9), "left 0x0, memory reads 0x3");
}

Test(oracle_grants, zero_store_still_waiting)
{
    begin(GRANT_SECURE);
    own();
    issue(0, 0x3000, 8, 0); /* to another page: no matter */
    issue(0, PAGE + 8, 8, 0);
    barrier(0, BARRIER_LOAD);
    end(GRANT_SECURE);
    expect("secure", 0, PAGE + 8, "its store of 0x0, issued at");
    expect_text("is not visible yet");
}

Test(oracle_grants, stores_to_other_pages_may_wait)
{
    begin(GRANT_SECURE);
    own();
    issue(0, 0x3000, 8, 0);
    issue(1, PAGE, 8, 0);
    barrier(0, BARRIER_LOAD);
    end(GRANT_SECURE);
    expect_clean();
}

Test(oracle_grants, no_barrier)
{
    begin(GRANT_SECURE);
    barrier(0, BARRIER_FULL); /* too early */
    own();
    barrier(0, BARRIER_STORE); /* orders stores only */
    barrier(1, BARRIER_FULL);  /* another's */
    end(GRANT_SECURE);
    expect("secure", 0, PAGE, "no load barrier of its own has completed since the page was last written");
}

Test(oracle_grants, page_zeroed_before_needs_a_barrier_of_the_grant)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!i)
            barrier(0, BARRIER_FULL);
        note(0, NOTE_GRANT_BEGIN, GRANT_SECURE, 0);
        note(0, NOTE_GRANT_FRAME, FRAME, 0);
        if (!i)
            barrier(0, BARRIER_LOAD);
        end(GRANT_SECURE);
        if (!i)
            expect_clean();
        note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    }
    expect("secure", 0, PAGE, "no load barrier");
}

Test(oracle_grants, load_before_the_barrier)
{
    begin(GRANT_SECURE);
    own();
    load(0, LINE(5), 8);
    barrier(0, BARRIER_FULL);
    load(0, LINE(6), 8);
    end(GRANT_SECURE);
    expect("secure", 0, LINE(5), "after the zeroing, with no load barrier between");
}

Test(oracle_grants, loads_before_the_zeroing_and_after_the_barrier)
{
    begin(GRANT_SECURE);
    load(0, LINE(5), 8);
    own();
    load(1, LINE(5), 8); /* another's */
    barrier(0, BARRIER_LOAD);
    load(0, LINE(5), 8);
    end(GRANT_SECURE);
    expect_clean();
}

/* ---- the life of a grant */
Test(oracle_grants, failed_grant_leaves_nothing_watched)
{
    begin(GRANT_ALL);
    note(0, NOTE_GRANT_BEGIN, GRANT_ALL, 0);
    copy(1, PAGE, true, true, 9, "M");
    store(0, PAGE, 8, 1);
    expect_clean();
}

Test(oracle_grants, grant_changed_on_the_way)
{
    begin(GRANT_COHERENCE);
    note(0, NOTE_GRANT_FRAME, FRAME + 1, 0); /* another page after all */
    copy(1, PAGE, true, true, 9, "M");
    store(0, PAGE, 8, 1);
    expect_clean();
    note(0, NOTE_GRANT_END, FRAME + 1, 0); /* and nothing selected in the end */
    copy(1, PAGE + PAGE_BYTES, true, true, 9, "M");
    store(0, PAGE + PAGE_BYTES, 8, 1);
    note(0, NOTE_GRANT_FRAME, FRAME, 0); /* of no grant */
    store(0, PAGE, 8, 1);
    expect_clean();
}

Test(oracle_grants, the_parts_at_the_end_count)
{
    begin(GRANT_COHERENCE);
    own();
    end(GRANT_DEVICE);
    note(0, NOTE_PAGE_FREED, FRAME - 1, 0);
    note(0, NOTE_PAGE_FREED, FRAME + 1, 2);
    note(0, NOTE_PAGE_FREED, FRAME - 5, 2);
    expect_clean();
    dma(PAGE, 64, false, 0);
    expect("device", DEVICE, PAGE, "(DMA reads) that was granted to core0");
    expect_text("1.001 ns core0's request for an exclusive page begins");
    expect_text("1.003 ns core0 is to be granted this page, 0x5000");
    expect_text("core0 end of the grant, 0x5000");
}

Test(oracle_grants, page_granted_twice)
{
    granted(GRANT_COHERENCE);
    note(1, NOTE_GRANT_BEGIN, GRANT_COHERENCE, 0);
    note(1, NOTE_GRANT_FRAME, FRAME, 0);
    expect("allocator", 1, PAGE, "a page that is core0's and was not given back");
}

Test(oracle_grants, concurrent_grants_of_many_harts)
{
    for (unsigned h = 0; h < HARTS; h++) {
        note(h, NOTE_GRANT_BEGIN, GRANT_COHERENCE | GRANT_SECURE, 0);
        note(h, NOTE_GRANT_FRAME, 8 + h, 0);
    }
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        for (unsigned h = 0; h < HARTS; h++) {
            uint64_t a = (8 + h) * (uint64_t)PAGE_BYTES + i * LINE_BYTES;
            copy(h, a, true, true, 5, "M");
            for (unsigned b = 0; b < LINE_BYTES; b += 8)
                store(h, a + b, 8, 0);
        }
    for (unsigned h = 0; h < HARTS; h++) {
        barrier(h, BARRIER_FULL);
        note(h, NOTE_GRANT_END, 8 + h, GRANT_COHERENCE | GRANT_SECURE);
    }
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->grants, 3);
    cr_assert_eq(oracle_report(fake.o)->lines_kept, 192);
}

Test(oracle_grants, watches_are_used_again_one_for_each_page)
{
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned h = 0; h < HARTS; h++) {
            note(h, NOTE_GRANT_BEGIN, GRANT_DEVICE, 0);
            note(h, NOTE_GRANT_FRAME, 8 + h, 0);
            note(h, NOTE_GRANT_END, 8 + h, GRANT_DEVICE);
        }
        for (unsigned h = 0; h < HARTS && round < 2; h++)
            note(h, NOTE_GRANT_GIVEN_BACK, 8 + h, 0);
    }
    note(0, NOTE_GRANT_GIVEN_BACK, 8, 0);
    dma(8 * PAGE_BYTES, 64, true, 0);
    expect_clean();
    dma(9 * PAGE_BYTES, 64, true, 0);
    expect("device", DEVICE, 9 * PAGE_BYTES, "granted to core1");
}

Test(oracle_grants, history_keeps_the_last_events_and_merges_runs)
{
    fake_stop();
    fake_begin((struct oracle_desc){ true, true, 3 });
    begin(GRANT_LOCK);
    lock();
    for (unsigned i = 0; i < 8; i++) {
        load(0, PAGE + 8 * i, 8);
        wants(0, LINE(1 + i), true);
    }
    load(1, PAGE, 8);
    expect("lock", 1, PAGE, "   3.1 ");
    expect_text("core0 loads, 0x5000, value 0x5a5a (8 times, the last at");
    expect_text("to 0x5038)");
    expect_text("core0 asks to own, 0x5040 (8 times, the last at 1.021 ns to 0x5200)");
    expect_text("   3.3 ");
    cr_assert(!strstr(fake.text, "   3.4 ") && !strstr(fake.text, "is to be granted"), "%s", fake.text);
}

Test(oracle_grants, no_history_asked_for)
{
    fake_stop();
    fake_begin((struct oracle_desc){ true, true, 0 });
    granted(GRANT_ALL);
    expect_clean();
    load(1, PAGE, 8);
    expect("lock", 1, PAGE, "touches the page");
}
