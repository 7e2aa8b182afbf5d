/* tests/unit/test_oracle_copies.c - the judge of copies, when a write performs and at the end of a grant: for each
 * check a planted fault that fires it and a counterpart that does not.
 */
#include "tests/unit/test_oracle_steps.h"

TestSuite(oracle_copies, .init = fake_start, .fini = fake_stop);

/* ---- copies, when a write performs */
Test(oracle_copies, write_while_another_can_read)
{
    begin(GRANT_COHERENCE);
    load(1, LINE(3), 8);
    copy(1, LINE(3), true, false, 9, "S");
    own_line(3);
    expect("coherence", 0, LINE(3), "while core1 holds a copy it can read (state S, version 9)");
    expect_text("core1 loads, 0x50c0, value 0x5a5a");
    expect_text("core0 asks to own, 0x50c0");
}

Test(oracle_copies, write_while_another_can_write)
{
    begin(GRANT_COHERENCE);
    copy(0, LINE(0), true, true, 9, "M");
    copy(2, LINE(0), true, true, 9, "E");
    store(0, LINE(0), 8, 0);
    expect("coherence", 0, LINE(0), "while core2 holds a copy it can write (state E");
}

Test(oracle_copies, copies_that_nobody_can_use_are_legal)
{
    begin(GRANT_COHERENCE);
    copy(1, LINE(3), false, false, 9, "MI_A");
    message("DATA", LINE(3), 2, true, 9);      /* older: to be used once, or on its way home */
    own_line(3);
    message("INV", LINE(3), 1, false, 99);
    own_line(3);
    expect_clean();
}

Test(oracle_copies, the_judgement_is_repeated_after_others_interfere)
{
    begin(GRANT_COHERENCE);
    copy(0, LINE(0), true, true, 9, "M");
    store(0, LINE(0), 8, 0);
    store(0, LINE(0) + 8, 8, 0);
    wants(1, LINE(0), false);
    copy(1, LINE(0), true, false, 9, "S");
    load(1, LINE(0), 8);
    expect_clean();
    store(0, LINE(0) + 16, 8, 0);
    expect("coherence", 0, LINE(0), "while core1 holds a copy");
}

Test(oracle_copies, data_from_the_future)
{
    begin(GRANT_COHERENCE);
    message("WB", LINE(3), AGENTS, true, 11);
    own_line(3);
    expect("coherence", 0, LINE(3), "a WB message to node 4 carries version 11, newer than the writer's 10");
}

Test(oracle_copies, store_without_owning)
{
    begin(GRANT_COHERENCE);
    visible(0, LINE(0), 8, 0); /* non-temporal: needs no copy */
    visible(DEVICE, LINE(0), 8, 0);
    expect_clean();
    copy(0, LINE(0), true, false, 9, "S");
    store(0, LINE(0), 8, 0);
    expect("coherence", 0, LINE(0), "although it does not own the line (its copy can only be read)");
}

Test(oracle_copies, atomic_without_owning)
{
    begin(GRANT_COHERENCE);
    atomic(0, LINE(9), 8, 0);
    expect("coherence", 0, LINE(9), "although it does not own the line (it has no copy)");
}

Test(oracle_copies, another_writer_of_a_watched_page_is_judged_too)
{
    granted(GRANT_COHERENCE);
    wants(2, LINE(1), true);
    uncopy(0, LINE(1));
    copy(2, LINE(1), true, true, 11, "M");
    store(2, LINE(1), 8, 4);
    expect_clean();
    copy(0, LINE(1), true, false, 10, "S");
    wants(2, LINE(1), true);
    store(2, LINE(1), 8, 5);
    expect("coherence", 2, LINE(1), "while core0 holds a copy");
}

Test(oracle_copies, pages_not_watched_are_not_scanned)
{
    copy(1, 0x3000, true, true, 9, "M");
    store(0, 0x3000, 8, 1);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->scans, 0);
}

Test(oracle_copies, a_run_of_stores_to_a_line_is_scanned_once)
{
    begin(GRANT_COHERENCE);
    copy(0, LINE(3), true, true, 10, "M");
    copy(0, LINE(4), true, true, 10, "M");
    uint64_t before = oracle_report(fake.o)->scans;
    for (unsigned i = 0; i < 8; i++)
        store(0, LINE(3) + 8 * i, 8, 0);
    cr_assert_eq(oracle_report(fake.o)->scans, before + 1);
    store(0, LINE(4), 8, 0);
    store(0, LINE(3), 8, 0);
    cr_assert_eq(oracle_report(fake.o)->scans, before + 3);
    expect_clean();
    copy(1, LINE(3), true, true, 10, "M"); /* out of nowhere */
    uncopy(0, LINE(3));
    load(0, LINE(3), 8);
    visible(1, LINE(3), 8, 0);
    expect_clean();
    copy(2, LINE(3), true, false, 10, "S");
    store(0, LINE(3), 8, 0);
    expect("coherence", 0, LINE(3), "while core1 holds a copy");
}

/* ---- coherence over [s, t] */
Test(oracle_copies, line_never_owned)
{
    begin(GRANT_COHERENCE);
    for (unsigned i = 0; i < 63; i++)
        own_line(i);
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(63), "line 63 of 64 was never solely its own; now it has no copy");
}

Test(oracle_copies, line_only_readable)
{
    begin(GRANT_COHERENCE);
    own();
    end(GRANT_COHERENCE);
    expect_clean();
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    note(0, NOTE_GRANT_BEGIN, GRANT_COHERENCE, 0);
    note(0, NOTE_GRANT_FRAME, FRAME, 0); /* what was seen for the last grant does not count */
    copy(0, LINE(7), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(7), "never solely its own; now it has a copy it can only read");
}

Test(oracle_copies, zeroing_past_the_caches_owns_nothing)
{
    begin(GRANT_COHERENCE);
    for (unsigned i = 0; i < PAGE_BYTES; i += 8)
        visible(0, PAGE + i, 8, 0);
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(0), "never solely its own");
}

Test(oracle_copies, owning_at_the_end_is_enough)
{
    begin(GRANT_COHERENCE);
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        copy(0, LINE(i), true, true, 10, "E");
    end(GRANT_COHERENCE);
    expect_clean();
}

Test(oracle_copies, line_relost_to_one_who_asked)
{
    begin(GRANT_COHERENCE);
    own();
    wants(1, LINE(8), false);
    copy(0, LINE(8), true, false, 10, "S");
    copy(1, LINE(8), true, false, 10, "S");
    load(1, LINE(8), 8);
    wants(2, LINE(9), true);
    uncopy(0, LINE(9));
    copy(2, LINE(9), true, true, 11, "M");
    wants(2, LINE(10), true); /* still on its way */
    end(GRANT_COHERENCE);
    expect_clean();
    cr_assert_eq(relost(), 2);
    cr_assert_eq(oracle_report(fake.o)->lines_kept, 62);
}

Test(oracle_copies, line_relost_to_one_who_did_not_ask)
{
    begin(GRANT_COHERENCE);
    wants(1, LINE(8), false); /* asked, was served, and lost it to the owner: that question is spent */
    load(1, LINE(8), 8);
    own();
    wants(2, LINE(8), false); /* another's question is no excuse */
    copy(0, LINE(8), true, false, 10, "S");
    copy(1, LINE(8), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(8), "core1 has a copy (state S), without having asked for it since");
}

Test(oracle_copies, question_open_when_the_line_was_gained)
{
    wants(1, LINE(8), false); /* even before the grant began */
    wants(2, LINE(9), false);
    begin(GRANT_COHERENCE);
    own();
    copy(0, LINE(8), true, false, 10, "S");
    copy(1, LINE(8), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect_clean();
    cr_assert_eq(relost(), 1);
}

Test(oracle_copies, question_asked_in_the_grant_open_when_the_line_was_gained)
{
    for (unsigned i = 0; i < 40; i++) /* more than are remembered of an agent */
        wants(1, 0x8000 + i * (uint64_t)LINE_BYTES, false);
    wants(2, LINE(1), false);
    wants(2, LINE(2), false);
    wants(2, LINE(3), false);
    load(2, LINE(2), 8);
    begin(GRANT_COHERENCE);
    wants(1, LINE(8), false);
    own();
    copy(1, LINE(8), true, false, 10, "S");
    copy(2, LINE(1), true, false, 10, "S");
    copy(2, LINE(3), true, false, 10, "S");
    for (unsigned i = 1; i <= 8; i++)
        copy(0, LINE(i), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect_clean();
    cr_assert_eq(relost(), 3);
}

Test(oracle_copies, question_answered_before_the_grant)
{
    wants(1, LINE(8), false);
    load(1, LINE(8), 8);
    begin(GRANT_COHERENCE);
    own();
    copy(0, LINE(8), true, false, 10, "S");
    copy(1, LINE(8), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(8), "without having asked for it since");
}

Test(oracle_copies, prefetch_answered_before_the_grant)
{
    wants(1, LINE(8), false);
    copy(1, LINE(8), true, false, 9, "S");
    begin(GRANT_COHERENCE);
    uncopy(1, LINE(8));
    own();
    copy(0, LINE(8), true, false, 10, "S");
    copy(1, LINE(8), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(8), "without having asked for it since");
}

Test(oracle_copies, owned_and_shared_at_the_end)
{
    begin(GRANT_COHERENCE);
    own();
    wants(1, LINE(2), false);
    copy(1, LINE(2), true, false, 10, "S"); /* the owner's copy can still be written */
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(2), "is owned by it, yet core1 has a copy too (state S)");
}

Test(oracle_copies, copy_on_its_way_to_one_who_did_not_ask)
{
    begin(GRANT_COHERENCE);
    own();
    message("DATA", LINE(2), 1, true, 10);
    end(GRANT_COHERENCE);
    expect("coherence", 0, LINE(2), "a DATA message carries a copy to core1, which did not ask for it");
}

Test(oracle_copies, messages_that_give_no_copy_away)
{
    static const struct { const char *kind; unsigned to; bool data; uint32_t version; bool asks; } m[] = {
        { "DATA_U", 1, true, 10, false }, { "INV", 1, false, 10, false }, { "WB", AGENTS, true, 10, false },
        { "DATA", 0, true, 10, false }, { "DATA", 1, true, 9, false }, { "DATA", 1, true, 10, true },
    };
    for (unsigned i = 0; i < sizeof m / sizeof m[0]; i++) {
        begin(GRANT_COHERENCE);
        own();
        message(m[i].kind, LINE(2), m[i].to, m[i].data, m[i].version);
        if (m[i].asks)
            wants(1, LINE(2), false);
        end(GRANT_COHERENCE);
        expect_clean();
        fake.message_on = false;
        give_back();
    }
}

Test(oracle_copies, line_evicted_by_its_own_cache)
{
    begin(GRANT_COHERENCE);
    own();
    uncopy(0, LINE(2));
    end(GRANT_COHERENCE);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->lines_evicted, 1);
    cr_assert_eq(relost(), 0);
}

Test(oracle_copies, relost_to_a_device)
{
    for (unsigned selected = 0; selected < 2; selected++) {
        unsigned parts = GRANT_COHERENCE | (selected ? GRANT_DEVICE : 0);
        begin(parts);
        own();
        wants(DEVICE, LINE(4), true);
        uncopy(0, LINE(4));
        wants(DEVICE, LINE(40), true); /* a second one is no second finding */
        uncopy(0, LINE(40));
        end(parts);
        if (!selected)
            expect_clean();
        give_back();
    }
    expect("device", 0, LINE(4), "lost the line again before the end of the grant to a device");
}

Test(oracle_copies, user_access_before_the_line_was_gained_is_forgotten)
{
    begin(GRANT_COHERENCE | GRANT_DEVICE);
    fake.tlb = (struct fake_way){ true, 2, { FRAME } };
    wants(2, LINE(4), false);
    load(2, LINE(4), 8);
    fake.tlb.on = false;
    own();
    wants(1, LINE(4), false);
    copy(0, LINE(4), true, false, 10, "S");
    copy(1, LINE(4), true, false, 10, "S");
    end(GRANT_COHERENCE | GRANT_DEVICE);
    expect_clean();
    cr_assert_eq(relost(), 1);
}

Test(oracle_copies, read_only_but_alone_is_kept)
{
    begin(GRANT_COHERENCE);
    own();
    copy(0, LINE(4), true, false, 10, "S");
    end(GRANT_COHERENCE);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->lines_kept, 64);
}

Test(oracle_copies, old_device_traffic_is_no_loss)
{
    wants(DEVICE, LINE(4), false); /* a DMA long before, when the page was its buffer */
    dma(PAGE, 512, false, 0);
    begin(GRANT_COHERENCE | GRANT_DEVICE);
    wants(DEVICE, LINE(5), true);
    dma(LINE(5) - 8, 16, true, 0); /* still allowed: t has not come */
    own();
    uncopy(0, LINE(4));
    uncopy(0, LINE(5));
    end(GRANT_COHERENCE | GRANT_DEVICE);
    expect_clean();
    cr_assert_eq(oracle_report(fake.o)->lines_evicted, 2);
}

Test(oracle_copies, relost_through_a_user_mapping)
{
    for (unsigned mapped = 0; mapped < 2; mapped++) {
        begin(GRANT_COHERENCE | GRANT_DEVICE);
        own();
        fake.tlb = (struct fake_way){ true, mapped ? 2 : 1, { FRAME } };
        wants(2, LINE(4), false);
        fake.tlb.on = false;
        copy(0, LINE(4), true, false, 10, "S");
        copy(2, LINE(4), true, false, 10, "S");
        end(GRANT_COHERENCE | GRANT_DEVICE);
        if (!mapped)
            expect_clean(); /* another hart's translation does not matter */
        uncopy(2, LINE(4));
        give_back();
    }
    expect("device", 0, LINE(4), "to a hart with a user translation");
}
