/* tests/unit/test_home_store.c - last levels whose directory stands alone, and directories that name few sharers: which data
 * stays, which memory gets and how often, who is recalled. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_device.h"

TestSuite(store, .timeout = 60);
TestSuite(pointers, .timeout = 60);

enum { QUIET = 1000000 };

/* A store of one set; private caches of one line each if `tiny`. */
static struct machine_rig *machine(enum home_data data, unsigned harts, unsigned ways, bool tiny)
{
    struct rig_desc d = rig_desc(harts);
    d.ports = 1;
    d.home.data = data;
    d.home.store_sets = 1;
    d.home.store_ways = ways;
    d.dram.banks_per_channel = 16;
    d.dram.row_bytes = 64;
    if (tiny)
        d.cache.sets = d.cache.ways = d.cache.l1_sets = d.cache.l1_ways = 1;
    return machine_rig_new(&d);
}

static tick took(const struct machine_rig *m, unsigned hart, unsigned op) { return m->result[hart][op].end - m->result[hart][op].start; }
static const tick hit = MISS_LLC + FILL, miss = MISS_DRAM + FILL;

static unsigned dram_version(const struct machine_rig *m, unsigned line) { return memory_versions(m->memory, (lineno){ line })->dram; }

/* Lines 1 and 2 are shared and stored; line 1 is used once more before line 3 needs a place. */
Test(store, gives_up_the_least_recently_used)
{
    struct machine_rig *m = machine(HOME_NON_INCLUSIVE, 5, 2, false);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(2)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), LOAD(LINE(2)), END });
    rig_script(m, 2, (struct op[]){ AT(2 * QUIET), LOAD(LINE(1)), LOAD(LINE(3)), LOAD(LINE(1)), END });
    rig_script(m, 3, (struct op[]){ AT(3 * QUIET), LOAD(LINE(1)), LOAD(LINE(2)), END });
    machine_rig_run(m);
    cr_expect_eq(took(m, 2, 1), hit);
    cr_expect_eq(took(m, 2, 2), miss);
    cr_expect_eq(took(m, 3, 1), hit, "line 1 is still there");
    cr_expect_eq(took(m, 3, 2), miss, "line 2 was given up, though it is shared: its directory entry has no data");
    cr_expect_eq(dram_counters(m->dram).write_count, 0, "memory has all that");
    cr_expect_eq(home_counters(m->home[0]).recalls, 0, "nobody lost a copy");
    machine_rig_free(m);
}

/* Written, given back, pushed out of the store by two others: one write, of the one line that had changed. */
Test(store, writes_back_what_memory_has_not)
{
    static const enum home_data kinds[] = { HOME_NON_INCLUSIVE, HOME_VICTIM };
    for (unsigned i = 0; i < 2; i++) {
        struct machine_rig *m = machine(kinds[i], 1, 2, true);
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, LOAD(LINE(2)), LOAD(LINE(3)), LOAD(LINE(4)), LOAD(LINE(5)), LOAD(LINE(1)), END });
        machine_rig_run(m);
        cr_expect_eq(dram_counters(m->dram).write_count, 1, "kind %u: %lu", i, dram_counters(m->dram).write_count);
        cr_expect_eq(dram_version(m, 1), 1);
        cr_expect_eq(m->result[0][6].value, 5);
        machine_rig_free(m);
    }
}

/* Nobody holds it, the store has the newest version: the next reader gets that, and the directory forgot the line meanwhile. */
Test(store, answers_for_a_line_that_nobody_holds)
{
    static const enum home_data kinds[] = { HOME_NON_INCLUSIVE, HOME_VICTIM };
    for (unsigned i = 0; i < 2; i++) {
        struct machine_rig *m = machine(kinds[i], 2, 4, true);
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, STORE(LINE(2), 6), FENCE, END });
        rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
        machine_rig_run(m);
        cr_expect_eq(m->result[1][1].value, 5);
        cr_expect_eq(took(m, 1, 1), hit);
        cr_expect_eq(dram_counters(m->dram).write_count, 0);
        machine_rig_free(m);
    }
}

Test(store, keeps_no_directory_entry_for_a_line_that_nobody_holds)
{
    struct machine_rig *m = machine(HOME_NON_INCLUSIVE, 1, 4, true);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, STORE(LINE(2), 6), FENCE, END });
    machine_rig_run(m);
    cr_expect_str_eq(rig_home_says(m, LINE(1)), "home0: no private copy; the last level holds version 1 (newer than memory)\n");
    machine_rig_free(m);
}

/* A flush takes the line out of the store: by the holder, and when only the store has it. */
Test(store, a_flush_leaves_nothing_there)
{
    static const enum home_data kinds[] = { HOME_NON_INCLUSIVE, HOME_VICTIM };
    for (unsigned i = 0; i < 2; i++) {
        struct machine_rig *m = machine(kinds[i], 2, 4, true);
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, FLUSH(LINE(1)), FENCE, STORE(LINE(2), 6), FENCE, STORE(LINE(3), 7), FENCE, END });
        rig_script(m, 1, (struct op[]){ AT(QUIET), FLUSH(LINE(2)), FENCE, LOAD(LINE(1)), LOAD(LINE(2)), END });
        machine_rig_run(m);
        cr_expect(dram_version(m, 1) == 1 && dram_version(m, 2) == 1 && dram_version(m, 3) == 0);
        cr_expect_eq(dram_counters(m->dram).write_count, 2);
        cr_expect(took(m, 1, 3) == miss && took(m, 1, 4) == miss, "%lu %lu", took(m, 1, 3), took(m, 1, 4));
        machine_rig_free(m);
    }
}

/* A device reads once, twice. A non-inclusive level keeps what it fetched, a victim one does not, and gives nothing away. */
Test(store, what_a_device_reads)
{
    static const enum home_data kinds[] = { HOME_NON_INCLUSIVE, HOME_VICTIM };
    for (unsigned i = 0; i < 2; i++) {
        struct machine_rig *m = machine(kinds[i], 1, 4, true);
        struct device a = { .n = 2, .r = { read_of(LINE(1)), read_of(LINE(2)) } }, b = a, c = a;
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, LOAD(LINE(3)), END });
        device_at(&a, m, 0, QUIET);
        device_at(&b, m, 0, 2 * QUIET);
        device_at(&c, m, 0, 3 * QUIET);
        machine_rig_run(m);
        enum source_id again = kinds[i] == HOME_VICTIM ? SOURCE_DRAM : SOURCE_LLC;
        cr_expect(a.r[0].served_by == SOURCE_LLC && b.r[0].served_by == SOURCE_LLC && c.r[0].served_by == SOURCE_LLC, "kind %u", i);
        cr_expect(a.r[1].served_by == SOURCE_DRAM && b.r[1].served_by == again && c.r[1].served_by == again, "kind %u", i);
        cr_expect(c.r[0].data[0] == 5 && dram_version(m, 1) == 0);
        machine_rig_free(m);
    }
}

/* A victim level hands over its only place for the line to whoever becomes owner: an exclusive reader, a writer, a writer of
 * the whole line. The one place is free then: line 9 pushes nothing out, and memory is not written. */
Test(store, a_victim_level_hands_over)
{
    static const struct op takes[] = { LOAD(LINE(1)), STORE(LINE(1), 6), STORE_WHOLE(LINE(1), 7) };
    for (unsigned i = 0; i < 3; i++) {
        struct machine_rig *m = machine(HOME_VICTIM, 3, 1, true);
        rig_script(m, 0, (struct op[]){ STORE(LINE(1), 5), FENCE, LOAD(LINE(2)), END });
        rig_script(m, 1, (struct op[]){ AT(QUIET), takes[i], FENCE, END });
        rig_script(m, 2, (struct op[]){ AT(2 * QUIET), STORE(LINE(9), 8), FENCE, LOAD(LINE(10)), END });
        machine_rig_run(m);
        cr_expect_eq(dram_counters(m->dram).write_count, 0, "way %u: %lu", i, dram_counters(m->dram).write_count);
        cr_expect(dram_version(m, 1) == 0);
        machine_rig_free(m);
    }
}

/* Two share a line whose data the level does not keep: each further reader costs a memory access. */
Test(store, what_memory_gave_is_gone)
{
    static const enum home_data kinds[] = { HOME_VICTIM, HOME_NO_DATA };
    for (unsigned i = 0; i < 2; i++) {
        struct machine_rig *m = machine(kinds[i], 5, 1, false);
        rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(9)), END });
        rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), LOAD(LINE(9)), END }); /* line 9 has the one place then */
        rig_script(m, 2, (struct op[]){ AT(2 * QUIET), LOAD(LINE(1)), END });
        rig_script(m, 3, (struct op[]){ AT(3 * QUIET), LOAD(LINE(1)), LOAD(LINE(9)), END });
        machine_rig_run(m);
        cr_expect(took(m, 2, 1) == miss && took(m, 3, 1) == miss, "kind %u: %lu %lu", i, took(m, 2, 1), took(m, 3, 1));
        cr_expect_eq(took(m, 3, 2), kinds[i] == HOME_VICTIM ? hit : miss, "line 9 is where line 1 was");
        machine_rig_free(m);
    }
}

/* One set of two. Line 1 is being fetched for a device, line 2 goes from cache to cache, when line 3 is asked for: it queues on
 * line 1, the least recently used, and behind it the device asks for line 1 again. Line 2 is at rest first. Line 3 takes its
 * place then, not that of the line which somebody waits for. */
Test(store, a_line_that_is_waited_for_stays)
{
    struct rig_desc d = rig_desc(4);
    d.ports = 2;
    d.home.sets = 1;
    d.home.ways = 2;
    d.dram.banks_per_channel = 16;
    d.dram.row_bytes = 64;
    d.dram.t_cas_ps += 20000;
    struct machine_rig *m = machine_rig_new(&d);
    struct device a = { .n = 1, .r = { read_of(LINE(1)) } }, b = a;
    rig_script(m, 0, (struct op[]){ STORE(LINE(2), 5), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + HOME - LOOKUP - 5500), LOAD(LINE(2)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(3)), END });
    device_at(&a, m, 0, QUIET);
    device_at(&b, m, 1, QUIET + 15000);
    machine_rig_run(m);
    cr_expect_eq(b.r[0].served_by, SOURCE_LLC);
    cr_expect_eq(rig_copies(m, LINE(2)).readable, 0, "recalled for line 3");
    cr_expect_eq(dram_counters(m->dram).read_count, 3);
    machine_rig_free(m);
}

/* Other copies had to go: whoever supplied the data, that is what the store waited for. */
Test(store, a_store_to_a_shared_line_is_for_the_peers)
{
    struct machine_rig *m = machine(HOME_NON_INCLUSIVE, 3, 4, false);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(2 * QUIET), RECORD(1), STORE(LINE(1), 5), FENCE, RECORD(0), END });
    machine_rig_run(m);
    const struct class_stats *s = account_source_stats(m->account, CLASS_STORE, SOURCE_PEER);
    cr_expect(s && s->latency.count == 1);
    machine_rig_free(m);
}

/* ---- few pointers */

static struct machine_rig *limited(unsigned pointers, enum home_overflow overflow, unsigned harts)
{
    struct rig_desc d = rig_desc(harts);
    d.home.pointers = pointers;
    d.home.overflow = overflow;
    return machine_rig_new(&d);
}

/* Hart h reads line 1 at h quiet times, then hart 0 writes. */
static struct home_counters read_by(unsigned pointers, enum home_overflow overflow, unsigned readers)
{
    struct machine_rig *m = limited(pointers, overflow, readers + 2); /* two never have a copy */
    for (unsigned i = 1; i < readers; i++)
        rig_script(m, i, (struct op[]){ AT(i * QUIET), LOAD(LINE(1)), END });
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), AT(readers * QUIET), STORE(LINE(1), 1), END });
    machine_rig_run(m);
    cr_expect(rig_copies(m, LINE(1)).agents == 1);
    struct home_counters c = home_counters(m->home[0]);
    machine_rig_free(m);
    return c;
}

Test(pointers, recalls_are_as_many_as_readers_too_many)
{
    cr_expect_eq(read_by(2, OVERFLOW_RECALL, 2).recalls_pointers, 0);
    cr_expect_eq(read_by(2, OVERFLOW_RECALL, 3).recalls_pointers, 1);
    cr_expect_eq(read_by(2, OVERFLOW_RECALL, 5).recalls_pointers, 2, "a recall makes room for two");
    cr_expect_eq(read_by(1, OVERFLOW_RECALL, 2).recalls_pointers, 1, "an owner takes a pointer, too");
    cr_expect_eq(read_by(1, OVERFLOW_RECALL, 4).recalls_pointers, 3);
}

Test(pointers, broadcasts_are_counted_when_names_are_lost)
{
    cr_expect_eq(read_by(2, OVERFLOW_BROADCAST, 2).broadcasts, 0);
    struct home_counters c = read_by(2, OVERFLOW_BROADCAST, 5);
    cr_expect(c.broadcasts == 1 && c.recalls == 0, "%lu", c.broadcasts);
    cr_expect_eq(c.invalidations, 6, "all but the writer, once: %lu", c.invalidations);
}

/* Who is named already needs no other pointer: hart 1 lost its copy without a word and reads again. */
Test(pointers, a_reader_that_is_named_already_reads_again)
{
    struct rig_desc d = rig_desc(2);
    d.home.pointers = 2;
    d.cache.sets = d.cache.ways = d.cache.l1_sets = d.cache.l1_ways = 1;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), LOAD(LINE(2)), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(home_counters(m->home[0]).recalls, 0);
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 2);
    machine_rig_free(m);
}

/* The reader for whom the copies are recalled is served before those who came meanwhile, and these in order. */
Test(pointers, the_reader_is_served_first)
{
    struct machine_rig *m = limited(1, OVERFLOW_RECALL, 5);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + 3000), SWAP(LINE(1), 2), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET + 6000), SWAP(LINE(1), 3), END });
    rig_script(m, 4, (struct op[]){ AT(QUIET + 9000), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[1][1].value, 0);
    cr_expect_eq(m->result[1][1].end, QUIET + MISS_LLC + HOP + SNOOP + HOP + HOME + FILL);
    cr_expect(m->result[2][1].value == 0 && m->result[3][1].value == 2 && m->result[4][1].value == 3);
    cr_expect_eq(home_counters(m->home[0]).parked, 5, "each once, and the last for its own recall: %lu", home_counters(m->home[0]).parked);
    machine_rig_free(m);
}

/* The reader waited for another's transaction itself, and a writer waits behind it. */
Test(pointers, the_reader_does_not_lose_its_turn)
{
    struct machine_rig *m = limited(1, OVERFLOW_RECALL, 3);
    rig_script(m, 0, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET + 1000), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + 2000), SWAP(LINE(1), 2), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[1][1].value, 0);
    cr_expect_lt(m->result[1][1].end, m->result[2][1].end);
    machine_rig_free(m);
}
