/* tests/unit/test_hart_user.c - user accesses through a TLB that a test plays, and small rules of accesses: what is recorded
 * of a walk, what an invalidation waits for, widths, who a hit is billed to. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000, WALK_A = 20, WALK_B = 21, DATA_FRAME = 2 };

/* A TLB of one entry and its walker, which loads two table lines. */
struct one_tlb { bool hit, writable, found; tick invalidated; struct machine_rig *m; };

static bool lookup(void *tlb, uint16_t asid, vaddr va, bool write, frame *f)
{
    const struct one_tlb *t = tlb;
    (void)asid, (void)va;
    f->v = DATA_FRAME;
    return t->hit && (t->writable || !write);
}
static bool walk(uint64_t (*load)(void *ctx, paddr, unsigned bytes), void *ctx, void *tlb, uint16_t asid, paddr root, vaddr va, bool write,
                 frame *f)
{
    const struct one_tlb *t = tlb;
    (void)asid, (void)root, (void)va;
    load(ctx, (paddr){ LINE(WALK_A) }, 8);
    load(ctx, (paddr){ LINE(WALK_B) }, 8);
    f->v = DATA_FRAME;
    return t->found && (t->writable || !write);
}
static void invalidate(void *tlb, uint16_t asid, vaddr va)
{
    struct one_tlb *t = tlb;
    (void)asid, (void)va;
    t->invalidated = engine_now(t->m->engine);
}

static struct machine_rig *machine(struct one_tlb *t, unsigned harts)
{
    struct rig_desc d = rig_desc(harts);
    d.hart.tlb_broadcast = true;
    d.mmu = (struct hart_mmu){ t, lookup, walk, invalidate };
    t->m = machine_rig_new(&d);
    return t->m;
}

static const uint64_t data = (uint64_t)DATA_FRAME * PAGE_BYTES;
static bool worked;
static void load_user(struct hart *h, void *arg) { worked = k_user_load(h, (vaddr){ 0x7000 + 8 }, 8, arg); }
static void store_user(struct hart *h, void *arg) { (void)arg; worked = k_user_store(h, (vaddr){ 0x7000 }, 2, 0x12345678); }
static void invalidate_own(struct hart *h, void *arg) { (void)arg; k_tlb_invalidate(h, 1, (vaddr){ 0x7000 }); }
static void invalidate_all(struct hart *h, void *arg) { (void)arg; k_tlb_broadcast(h, 1, (vaddr){ 0x7000 }); }

/* A miss is a walk: its loads are nobody's loads, their time is `translate`, and the load goes on from there. */
Test(user, a_load_behind_a_walk_is_one_record)
{
    enum { WALK_PS = 2 * (MISS_DRAM + FILL), LOAD_PS = MISS_DRAM + FILL };
    struct one_tlb t = { .found = true };
    struct machine_rig *m = machine(&t, 1);
    uint64_t value = 0;
    memory_write(m->memory, (paddr){ data + 8 }, 8, 77);
    rig_script(m, 0, (struct op[]){ RECORD(1), CALL(load_user, &value), RECORD(0), END });
    machine_rig_run(m);
    const struct class_stats *s = account_stats(m->account, CLASS_LOAD);
    cr_assert(worked && value == 77 && s);
    cr_expect_eq(s->latency.count, 1, "%lu loads", (unsigned long)s->latency.count);
    cr_expect_eq(s->latency.sum_ps, WALK_PS + LOAD_PS);
    cr_expect_eq(s->hardware_sum_ps[PART_TRANSLATE], WALK_PS);
    cr_expect_eq(s->hardware_sum_ps[PART_ISSUE] + s->hardware_sum_ps[PART_CORE], 0);
    cr_expect(hart_counters(m->hart[0])->tlb_misses == 1 && hart_counters(m->hart[0])->tlb_hits == 0);
    machine_rig_free(m);
}

/* The same inside a request: the walk is `translate` there, too. */
Test(user, a_request_bills_the_walk)
{
    struct one_tlb t = { .found = true };
    struct machine_rig *m = machine(&t, 1);
    uint64_t value;
    rig_script(m, 0, (struct op[]){ RECORD(1), BEGIN(CLASS_FREE), CALL(load_user, &value), END_REQUEST, RECORD(0), END });
    machine_rig_run(m);
    const struct class_stats *s = account_stats(m->account, CLASS_FREE);
    cr_expect_eq(s->hardware_sum_ps[PART_TRANSLATE], 2 * (MISS_DRAM + FILL));
    cr_expect_eq(s->latency.sum_ps, 3 * (MISS_DRAM + FILL));
    machine_rig_free(m);
}

Test(user, a_page_that_is_not_there_is_told)
{
    struct one_tlb t = { .found = false };
    struct machine_rig *m = machine(&t, 1);
    uint64_t value = 5;
    rig_script(m, 0, (struct op[]){ CALL(load_user, &value), END });
    machine_rig_run(m);
    cr_expect(!worked && value == 5);
    machine_rig_free(m);
}

Test(user, a_store_has_its_width_and_its_permission)
{
    struct one_tlb t = { .hit = true, .writable = true };
    struct machine_rig *m = machine(&t, 1);
    memory_write(m->memory, (paddr){ data }, 8, UINT64_MAX);
    rig_script(m, 0, (struct op[]){ CALL(store_user, NULL), FENCE, END });
    machine_rig_run(m);
    cr_expect(worked);
    cr_expect_eq(memory_read(m->memory, (paddr){ data }, 8), 0xffffffffffff5678);
    for (unsigned i = 0; i < m->n_seen; i++)
        if (m->seen[i].kind == SEEN_VISIBLE || m->seen[i].kind == SEEN_ISSUED)
            cr_expect_eq(m->seen[i].value, 0x5678, "the observer is told what is stored");
    machine_rig_free(m);

    t = (struct one_tlb){ .hit = true, .found = true };
    m = machine(&t, 1);
    rig_script(m, 0, (struct op[]){ CALL(store_user, NULL), FENCE, END });
    machine_rig_run(m);
    cr_expect_not(worked, "read-only");
    cr_expect_eq(memory_read(m->memory, (paddr){ data }, 8), 0);
    machine_rig_free(m);
}

/* Serialising: the entry goes when all older stores of the hart are visible. */
static void waits_for_stores(void (*call)(struct hart *, void *))
{
    struct one_tlb t = { .hit = false };
    struct machine_rig *m = machine(&t, 1);
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 1), CALL(call, NULL), END });
    machine_rig_run(m);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(3), 0), ISSUE + MISS_DRAM);
    cr_expect_eq(t.invalidated, ISSUE + MISS_DRAM, "%lu", (unsigned long)t.invalidated);
    machine_rig_free(m);
}

Test(user, invalidations_wait_for_older_stores)
{
    waits_for_stores(invalidate_own);
    waits_for_stores(invalidate_all);
}

/* A broadcast is over when no access through the old translation is under way on any hart: a store that has retired is
 * visible, a load has its value, and what its walk had read before is not left in the TLB. */
Test(user, a_broadcast_waits_for_others_stores)
{
    struct one_tlb t = { .hit = true, .writable = true };
    struct machine_rig *m = machine(&t, 2);
    rig_script(m, 0, (struct op[]){ AT(QUIET), CALL(invalidate_all, NULL), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), CALL(store_user, NULL), END });
    machine_rig_run(m);
    tick visible = rig_when(m, SEEN_VISIBLE, 1, data, 0);
    cr_expect_eq(visible, QUIET + ISSUE + MISS_DRAM);
    cr_expect_eq(t.invalidated, QUIET + HOP, "the entry itself goes at once");
    cr_expect_eq(m->result[0][1].end, visible + CONTROL + HOP, "%lu: behind the DONE of the store", (unsigned long)m->result[0][1].end);
    machine_rig_free(m);
}

Test(user, a_broadcast_waits_for_others_loads_and_undoes_their_walks)
{
    struct one_tlb t = { .found = true };
    struct machine_rig *m = machine(&t, 2);
    uint64_t value;
    rig_script(m, 0, (struct op[]){ AT(QUIET), CALL(invalidate_all, NULL), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), CALL(load_user, &value), END });
    machine_rig_run(m);
    tick loaded = m->result[1][1].end;
    cr_expect_eq(loaded, QUIET + 3 * (MISS_DRAM + FILL));
    cr_expect_eq(t.invalidated, loaded, "%lu", (unsigned long)t.invalidated);
    cr_expect_eq(m->result[0][1].end, loaded + HOP, "%lu", (unsigned long)m->result[0][1].end);
    machine_rig_free(m);
}

/* ---- locked operations */

static void cas(struct hart *h, void *arg)
{
    uint64_t expected = UINT64_C(0xffffffff00000007);
    *(bool *)arg = k_cas(h, (paddr){ LINE(3) + 4 }, 4, &expected, UINT64_C(0xffffffff00000009));
}

Test(locked, compare_and_swap_has_its_width)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    bool swapped = false;
    memory_write(m->memory, (paddr){ LINE(3) + 4 }, 4, 7);
    rig_script(m, 0, (struct op[]){ CALL(cas, &swapped), END });
    machine_rig_run(m);
    cr_expect(swapped);
    cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) }, 8), UINT64_C(9) << 32);
    machine_rig_free(m);
}

/* Two lines of the same set push the third out of the first level (2 ways, 4 sets). */
Test(locked, a_second_level_hit_says_so)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ ADD(LINE(3), 1), ADD(LINE(7), 1), ADD(LINE(11), 1), RECORD(1), ADD(LINE(3), 1), RECORD(0), END });
    machine_rig_run(m);
    const struct class_stats *s = account_source_stats(m->account, CLASS_ATOMIC, SOURCE_L2);
    cr_assert(s && s->latency.count == 1);
    cr_expect_gt(s->hardware_sum_ps[PART_L2], 0);
    machine_rig_free(m);
}

/* ---- prefetches are counted by what they found */
Test(prefetch, of_an_owned_line_acquires_nothing)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ PREFETCH(LINE(3)), AT(QUIET), PREFETCH(LINE(3)), PREFETCH(LINE(4)), END });
    machine_rig_run(m);
    const struct hart_counters *c = hart_counters(m->hart[0]);
    cr_expect(c->prefetch_owned == 1 && c->prefetch_acquired == 2);
    machine_rig_free(m);
}

/* ---- the store buffer's rules of order */

/* Both hit: the second commits COMMIT after the first, though it retired ISSUE after it. */
Test(order, commits_are_apart_when_the_buffer_is_empty)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ ADD(LINE(4), 0), AT(QUIET), STORE(LINE(4), 1), STORE(LINE(4) + 8, 2), FENCE, END });
    machine_rig_run(m);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(4), 0), QUIET + ISSUE);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(4) + 8, 0), QUIET + ISSUE + COMMIT);
    machine_rig_free(m);
}

/* clflush is ordered with clflush, clflushopt is not: four dirty lines one by one, or at once. */
static tick flushed(unsigned count, bool ordered)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct op s[12];
    unsigned n = 0;
    for (unsigned i = 0; i < count; i++)
        s[n++] = (struct op)STORE(LINE(i), 1);
    s[n++] = (struct op)AT(QUIET);
    for (unsigned i = 0; i < count; i++)
        s[n++] = ordered ? (struct op)FLUSH(LINE(i)) : (struct op)FLUSH_OPT(LINE(i));
    s[n++] = (struct op)FENCE;
    s[n] = (struct op)END;
    rig_script(m, 0, s);
    machine_rig_run(m);
    tick end = m->result[0][n - 1].end - QUIET;
    machine_rig_free(m);
    return end;
}

Test(order, flushes_follow_each_other_and_optimised_ones_overlap)
{
    tick one = flushed(1, true), four = flushed(4, true), four_at_once = flushed(4, false);
    cr_expect(four > 3 * one && four_at_once < 2 * one, "%lu, %lu, %lu", (unsigned long)one, (unsigned long)four, (unsigned long)four_at_once);
}

/* A whole line of non-temporal stores leaves at once, but not before an older ordinary store to it, which has its line and
 * waits for a store in front of it. */
Test(order, a_combined_line_does_not_pass_an_older_store)
{
    struct rig_desc d = rig_desc(1);
    struct machine_rig *m = machine_rig_new(&d);
    struct op s[16] = { ADD(LINE(6), 0), AT(QUIET), STORE(LINE(1), 1), STORE(LINE(6) + 8, 1) };
    for (unsigned i = 0; i < 8; i++)
        s[4 + i] = (struct op)STORE_NT(LINE(6) + 8 * i, 2);
    s[12] = (struct op)FENCE;
    s[13] = (struct op)LOAD(LINE(6) + 8);
    s[14] = (struct op)END;
    rig_script(m, 0, s);
    machine_rig_run(m);
    cr_expect_eq(m->result[0][13].value, 2);
    machine_rig_free(m);
}
