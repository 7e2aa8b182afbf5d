/* tests/unit/test_cache_port.c - a device's way to memory: reads once, writes and gives back, each with exact times.
 *
 * A device agent has no tags: nothing is looked up before a request leaves (lookup 0). Names of times: rig_machine.h.
 */
#include "tests/unit/rig_device.h"

enum { QUIET = 1000000 };

static void expect_delta(const struct mem_request *r, enum source_id source, const struct rig_part *parts)
{
    uint64_t expected[PART_COUNT] = { 0 };
    for (; parts->part != PART_COUNT; parts++)
        expected[parts->part] += parts->ps;
    for (unsigned i = 0; i < PART_COUNT; i++)
        cr_expect_eq(r->delta.ps[i], expected[i], "%s is %lu ps, expected %lu", part_terms[i].name, (unsigned long)r->delta.ps[i],
                     (unsigned long)expected[i]);
    cr_expect_eq(r->served_by, source);
}

static struct machine_rig *machine(unsigned ports, unsigned mshrs)
{
    struct rig_desc d = rig_desc(1);
    d.ports = ports;
    d.port.mshrs = d.port.write_backs = mshrs;
    return machine_rig_new(&d);
}

Test(port, a_read_from_memory_leaves_no_copy_and_no_trace_in_the_directory)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 1, .r = { read_of(LINE(3)) } };
    memory_write(m->memory, (paddr){ LINE(3) + 8 }, 8, 77);
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 100);
    machine_rig_run(m);
    cr_expect_eq(d.done[0], 100 + HOP + HOME + DRAM + HOP);
    expect_delta(&d.r[0], SOURCE_DRAM, PARTS({ PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM }, { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(d.r[0].data[1], 77);
    cr_expect_eq(rig_copies(m, LINE(3)).readable, 0);
    cr_expect_not_null(strstr(rig_home_says(m, LINE(3)), "state DI"));
    machine_rig_free(m);
}

/* The owner keeps its line; the home waits for DONE, but the owner can write on: what the device gets is what the line held
 * when the owner's answer left, HOP before it arrives. Commits of the owner: before and after that instant. */
Test(port, a_read_samples_the_line_when_the_owner_answers)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 1, .r = { read_of(LINE(3)) } };
    tick answers = QUIET + HOP + HOME + HOP + SNOOP;
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 1), FENCE, AT(answers - 1000 - ISSUE), STORE(LINE(3), 2), AT(answers + 1000 - ISSUE),
                                    STORE(LINE(3), 3), END });
    device_at(&d, m, 0, QUIET);
    machine_rig_run(m);
    cr_expect_eq(d.done[0], answers + HOP);
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(3), 2), answers + 1000, "the third store is before the data arrives");
    cr_expect_eq(d.r[0].data[0], 2);
    expect_delta(&d.r[0], SOURCE_PEER, PARTS({ PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(rig_copies(m, LINE(3)).writable, 1, "the owner was not disturbed");
    machine_rig_free(m);
}

Test(port, a_whole_line_is_written_without_fetching_it)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 1, .r = { write_of(LINE(3), 64, 5) } };
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 100);
    machine_rig_run(m);
    cr_expect_eq(d.done[0], 100 + HOP + HOME + HOP);
    expect_delta(&d.r[0], SOURCE_LLC, PARTS({ PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(dram_counters(m->dram).read_count, 0);
    cr_expect_eq(rig_copies(m, LINE(3)).readable, 0, "given back");
    cr_expect_not_null(strstr(rig_home_says(m, LINE(3)), "newer than memory"));
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) + 8 * i }, 8), 5);
    machine_rig_free(m);
}

Test(port, a_part_is_merged_into_the_line)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 1, .r = { write_of(LINE(3) + 10, 3, 0x332211) } };
    memory_write(m->memory, (paddr){ LINE(3) + 8 }, 8, UINT64_MAX);
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 0);
    machine_rig_run(m);
    cr_expect_eq(dram_counters(m->dram).read_count, 1);
    cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) + 8 }, 8), 0xffffff332211ffff);
    expect_delta(&d.r[0], SOURCE_DRAM, PARTS({ PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM }, { PART_RESPONSE_NET, HOP }));
    machine_rig_free(m);
}

/* The write takes the line from its owner, and the hart's next load finds it at the home. */
Test(port, a_write_takes_the_line_away)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 1, .r = { write_of(LINE(3), 64, 5) } };
    rig_script(m, 0, (struct op[]){ STORE(LINE(3), 1), FENCE, AT(2 * QUIET), LOAD(LINE(3)), END });
    device_at(&d, m, 0, QUIET);
    machine_rig_run(m);
    expect_delta(&d.r[0], SOURCE_PEER, PARTS({ PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, HOP }));
    cr_expect_eq(m->result[0][3].value, 5);
    cr_expect_eq(m->result[0][3].end - m->result[0][3].start, MISS_LLC + FILL);
    machine_rig_free(m);
}

/* More requests than MSHRs, submitted at once: all are served, in order. One MSHR, reads from DRAM: each takes
 * HOP + HOME + DRAM + HOP, the next one leaves in the event that frees the MSHR, and waits there (issue). */
Test(port, more_requests_than_mshrs)
{
    struct machine_rig *m = machine(1, 1);
    struct device d = { .n = 4, .r = { read_of(LINE(3)), read_of(LINE(4)), read_of(LINE(5)), read_of(LINE(6)) } };
    tick one = HOP + HOME + DRAM + HOP;
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 0);
    machine_rig_run(m);
    cr_expect_eq(d.finished, 4);
    for (unsigned i = 0; i < 4; i++) {
        cr_expect_eq(d.order[i], i);
        cr_expect_eq(d.done[i], (i + 1) * one);
    }
    expect_delta(&d.r[3], SOURCE_DRAM, PARTS({ PART_ISSUE, 3 * one }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM },
                                             { PART_RESPONSE_NET, HOP }));
    machine_rig_free(m);
}

/* Requests for one line merge in its MSHR: more of them than MSHRs, and a different line behind. */
Test(port, requests_for_one_line_do_not_lock_out_others)
{
    struct machine_rig *m = machine(1, 2);
    struct device d = { .n = 6, .r = { read_of(LINE(3)), read_of(LINE(3)), write_of(LINE(3), 64, 9), read_of(LINE(3)), read_of(LINE(7)),
                                       write_of(LINE(7), 8, 4) } };
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 0);
    machine_rig_run(m);
    cr_expect_eq(d.finished, 6);
    cr_expect_eq(d.r[0].data[0], 0);
    machine_rig_free(m);
}

/* Two devices write one line: the second takes over after the first has given back, and both keep nothing. */
Test(port, two_ports_write_one_line)
{
    struct machine_rig *m = machine(2, 2);
    struct device x = { .n = 2, .r = { write_of(LINE(3), 8, 1), write_of(LINE(3) + 16, 8, 2) } },
                  y = { .n = 2, .r = { write_of(LINE(3) + 8, 8, 3), read_of(LINE(3)) } };
    rig_script(m, 0, (struct op[]){ END });
    device_at(&x, m, 0, 0);
    device_at(&y, m, 1, 0);
    machine_rig_run(m);
    cr_expect(x.finished == 2 && y.finished == 2);
    cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) }, 8), 1);
    cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) + 8 }, 8), 3);
    cr_expect_eq(memory_read(m->memory, (paddr){ LINE(3) + 16 }, 8), 2);
    cr_expect_eq(rig_copies(m, LINE(3)).readable, 0);
    machine_rig_free(m);
}

Test(port, an_access_across_lines_is_a_panic, .exit_code = 1)
{
    struct machine_rig *m = machine(1, 1);
    struct device d = { .n = 1, .r = { write_of(LINE(3) + 60, 8, 1) } };
    rig_script(m, 0, (struct op[]){ END });
    device_at(&d, m, 0, 0);
    machine_rig_run(m);
}
