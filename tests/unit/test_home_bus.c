/* tests/unit/test_home_bus.c - the timed home under a protocol of the bus family: who is asked, when memory is read, what
 * becomes of a read that nobody needs any more. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_machine.h"

enum { QUIET = 1000000 };

static struct rig_desc on_bus(const char *protocol, unsigned harts)
{
    struct rig_desc d = rig_desc(harts);
    d.protocol = protocol;
    return d;
}

/* Of OTHERS caches the last answers so long after the bus has acted on the request: the snoops leave CONTROL apart. The
 * answers are served RESP_OCC apart, so that it waits for the others. */
enum { OTHERS = 3, ASKED = HOP + SNOOP + HOP + (OTHERS - 1) * CONTROL, QUEUED = (OTHERS - 1) * (RESP_OCC - CONTROL) };

static struct machine_rig *one_load(struct rig_desc d)
{
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    return m;
}

/* Memory is read while the others are asked; it comes later than their answers. */
Test(home_bus, a_miss_waits_for_the_later_of_memory_and_answers)
{
    struct machine_rig *m = one_load(on_bus("bus-mesi", 1 + OTHERS));
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, 2 * HOME }, { PART_ACKS, ASKED },
                     { PART_HOME_WAIT, QUEUED }, { PART_DRAM, DRAM - ASKED - QUEUED - HOME }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    cr_expect_eq(home_counters(m->home[0]).misses, 1);
    cr_expect_eq(home_counters(m->home[0]).forwards, OTHERS);
    cr_expect_eq(dram_counters(m->dram).read_count, 1);
    machine_rig_free(m);
}

/* The other way round: the answers come last, and the data is memory's all the same. */
Test(home_bus, a_fast_memory_waits_for_the_answers)
{
    for (unsigned no_data = 0; no_data < 2; no_data++) {
        struct rig_desc d = on_bus("bus-mesi", 1 + OTHERS);
        d.dram.t_cas_ps = d.dram.t_rcd_ps = d.dram.t_rp_ps = d.dram.t_burst_ps = d.dram.controller_ps = 100;
        d.home.data = no_data ? HOME_NO_DATA : HOME_INCLUSIVE;
        struct machine_rig *m = one_load(d);
        rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
                   PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, 2 * HOME },
                         { PART_ACKS, ASKED }, { PART_HOME_WAIT, QUEUED }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
        cr_expect_eq(dram_counters(m->dram).read_count, 1);
        machine_rig_free(m);
    }
}

/* The first load has its data from memory, early; a later one, of a line that is shared by then, from the last level. */
Test(home_bus, an_early_memory_serves_once)
{
    struct rig_desc d = on_bus("bus-mesi", 1 + OTHERS);
    d.dram.t_cas_ps = d.dram.t_rcd_ps = d.dram.t_rp_ps = d.dram.t_burst_ps = d.dram.controller_ps = 100;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 0, (struct op[]){ AT(2 * QUIET), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_LOAD, SOURCE_LLC,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, 2 * HOME }, { PART_ACKS, ASKED },
                     { PART_HOME_WAIT, QUEUED }, { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    machine_rig_free(m);
}

Test(home_bus, one_alone_asks_nobody)
{
    struct machine_rig *m = one_load(on_bus("bus-mesi", 1));
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, HOP }, { PART_HOME, HOME }, { PART_DRAM, DRAM },
                     { PART_RESPONSE_NET, HOP }, { PART_FILL, FILL }));
    cr_expect_eq(home_counters(m->home[0]).forwards, 0);
    machine_rig_free(m);
}

/* A last level of one line, a slow memory. Hart 1 owns line 1 without the last level ever having read it; hart 0 reads
 * it, so that memory is read ahead, but the owner supplies; hart 2 drives the line out before memory has answered. */
static void leaves_before_its_read(unsigned no_data, tick t_cas_ps)
{
    struct rig_desc d = on_bus("bus-mesi", 3);
    d.home.sets = d.home.ways = 1;
    d.home.data = no_data ? HOME_NO_DATA : HOME_INCLUSIVE;
    d.dram.t_cas_ps = t_cas_ps;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ STORE_WHOLE(LINE(1), 7), FENCE, AT(20 * QUIET), LOAD(LINE(1)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET + 200000), LOAD(LINE(2)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][1].value, 7);
    cr_expect_eq(m->result[1][3].value, 7);
    cr_expect_eq(m->result[2][1].value, 0);
    cr_expect_gt(m->result[2][1].end - m->result[2][1].start, d.dram.t_cas_ps, "line 2's own read, not that of line 1");
    cr_expect_eq(dram_counters(m->dram).read_count, 3, "line 1 ahead, in vain; line 2; line 1 again");
    cr_expect_eq(dram_counters(m->dram).write_count, 1, "the changed line, recalled");
    cr_expect_eq(home_counters(m->home[0]).recalls, 2);
    machine_rig_free(m);
}

/* Also when it comes just while the next line waits for answers. */
Test(home_bus, a_line_may_leave_before_the_read_ahead_comes)
{
    for (unsigned no_data = 0; no_data < 2; no_data++) {
        leaves_before_its_read(no_data, 2 * QUIET);
        for (tick t_cas_ps = 180000; t_cas_ps <= 260000; t_cas_ps += 10000)
            leaves_before_its_read(no_data, t_cas_ps);
    }
}

/* Without a last level behind the bus, what is written back goes to memory at once. */
Test(home_bus, without_a_last_level_memory_takes_every_write_back)
{
    struct rig_desc d = on_bus("bus-mesi", 3);
    d.home.data = HOME_NO_DATA;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ STORE(LINE(1), 7), FENCE, END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(2 * QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[2][1].value, 7);
    cr_expect_eq(dram_counters(m->dram).write_count, 1, "flushed to reader and memory");
    cr_expect_eq(memory_versions(m->memory, (lineno){ 1 })->dram, 1);
    machine_rig_free(m);
}

/* An owner's data is on the bus for the reader alone (MOESI): memory stays old until the owner leaves. */
Test(home_bus, dirty_sharing_leaves_memory_alone)
{
    struct rig_desc d = on_bus("bus-moesi", 3);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 1, (struct op[]){ STORE(LINE(1), 7), FENCE, END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), LOAD(LINE(1)), AT(3 * QUIET), FLUSH(LINE(1)), FENCE, END });
    rig_script(m, 2, (struct op[]){ AT(2 * QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[2][1].value, 7);
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 0);
    cr_expect_eq(dram_counters(m->dram).write_count, 1, "by the flush");
    machine_rig_free(m);
}
