/* tests/unit/test_oracle_steps.h - a grant to core0 of the scripted machine, step by step. */
#ifndef LAB_TEST_ORACLE_STEPS_H
#define LAB_TEST_ORACLE_STEPS_H

#include "tests/unit/test_oracle_fake.h"

enum { FRAME = 5, LOCK = 0x2140 }; /* the granted page, and its lock word in another page */
#define PAGE ((uint64_t)FRAME << PAGE_SHIFT)
#define LINE(i) (PAGE + (i) * (uint64_t)LINE_BYTES)

/* ---- the steps of a grant to core0, in order; tests put faults between or instead */
static inline void begin(unsigned parts)
{
    if (fake.now == 1000)
        for (unsigned i = 0; i < PAGE_BYTES; i += 8)
            poke(PAGE + i, 8, 0x5a5a);
    note(0, NOTE_GRANT_BEGIN, parts, 0);
    note(0, NOTE_PAGE_ALLOCATED, FRAME, 0);
    note(0, NOTE_GRANT_FRAME, FRAME, 0);
}
static inline void lock(void)
{
    atomic(0, LOCK, 8, peek(LOCK, 8) | 1);
    note(0, NOTE_LOCK_HELD, FRAME, LOCK);
}
static inline void give_back(void)
{
    if (peek(LOCK, 1) & 1) {
        note(0, NOTE_LOCK_DROPPED, FRAME, 0);
        atomic(0, LOCK, 8, peek(LOCK, 8) & ~UINT64_C(1));
    }
    note(0, NOTE_GRANT_GIVEN_BACK, FRAME, 0);
    note(0, NOTE_PAGE_FREED, FRAME, 0);
    for (unsigned i = 0; i < PAGE_BYTES; i += 8) /* the next owner's rubbish */
        visible(2, PAGE + i, 8, 0x5a5a);
}
static inline void own_line(unsigned i)
{
    wants(0, LINE(i), true);
    copy(0, LINE(i), true, true, 10, "M");
    store_line(0, LINE(i), 0);
}
static inline void own(void)
{
    for (unsigned i = 0; i < LINES_PER_PAGE; i++)
        own_line(i);
}
static inline void end(unsigned parts) { note(0, NOTE_GRANT_END, FRAME, parts); }
static inline void granted(unsigned parts)
{
    begin(parts);
    lock();
    own();
    barrier(0, BARRIER_FULL);
    end(parts);
}
static inline uint64_t relost(void) { return oracle_report(fake.o)->lines_relost; }

#endif
