/* tests/unit/test_clusters.c - the timed cluster between real caches and a real global home: sums by part, order, places,
 * who waits for whom, what is counted and what memory gets. Names of times: rig_machine.h.
 */
#include "tests/unit/rig_device.h"

TestSuite(clusters, .timeout = 120);

enum { QUIET = 1000000 };

static struct rig_desc clusters(unsigned count, unsigned harts_each)
{
    struct rig_desc d = rig_desc(count * harts_each);
    d.clusters = count;
    d.home.data = HOME_NO_DATA;
    d.dram.banks_per_channel = 16;
    d.dram.row_bytes = 64; /* neighbouring lines are in different banks */
    return d;
}

/* ---- sums by part. Both ways between a cluster and the global home cost HOP, and each passing of a slice SLICE. */

Test(clusters, a_load_from_memory)
{
    struct rig_desc d = clusters(2, 2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 2 * HOP }, { PART_HOME, SLICE + HOME + SLICE },
                     { PART_DRAM, DRAM }, { PART_RESPONSE_NET, 2 * HOP }, { PART_FILL, FILL }));
    machine_rig_free(m);
}

Test(clusters, a_load_from_a_cache_of_another_cluster)
{
    struct rig_desc d = clusters(2, 2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 7), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_LOAD, SOURCE_PEER,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 3 * HOP },
                     { PART_HOME, SLICE + HOME + SLICE + SLICE + SLICE }, { PART_OWNER, HOP + SNOOP },
                     { PART_RESPONSE_NET, 3 * HOP }, { PART_FILL, FILL }));
    machine_rig_free(m);
}

/* The owner gave it back to its last level: nobody inside has to be asked. */
Test(clusters, a_load_from_the_last_level_of_another_cluster)
{
    struct rig_desc d = clusters(2, 2);
    d.cache.sets = d.cache.ways = d.cache.l1_sets = d.cache.l1_ways = 1;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 7), FENCE, LOAD(LINE(2)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    rig_expect(m, CLASS_LOAD, SOURCE_PEER,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 3 * HOP },
                     { PART_HOME, SLICE + HOME + SLICE + SLICE }, { PART_RESPONSE_NET, 2 * HOP }, { PART_FILL, FILL }));
    struct cluster_counters c = cluster_counters(m->slice[1]);
    cr_expect_eq(c.demotions, 0, "there was no owner to demote");
    cr_expect_eq(memory_versions(m->memory, (lineno){ 1 })->dram, 1, "who had it modified gave it to the home");
    machine_rig_free(m);
}

/* The other cluster's caches hand the line on between them just then: the outer request waits until the home there is at
 * rest, and asks the new owner. The wait begins when it is looked up and ends when the DONE of the hand-over is. */
Test(clusters, a_load_that_waits_for_a_hand_over_elsewhere)
{
    struct rig_desc d = clusters(2, 2);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 7), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET), SWAP(LINE(1), 8), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET - 10000), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    tick looked_up = QUIET - 10000 + LOOKUP + HOP + SLICE + HOP + HOME + HOP + SLICE,
         done = QUIET + LOOKUP + HOP + SLICE + HOP + SNOOP + HOP + HOP + SLICE;
    rig_expect(m, CLASS_LOAD, SOURCE_PEER,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 3 * HOP },
                     { PART_HOME, SLICE + HOME + SLICE + SLICE + SLICE }, { PART_HOME_WAIT, done - looked_up },
                     { PART_OWNER, HOP + SNOOP }, { PART_RESPONSE_NET, 3 * HOP }, { PART_FILL, FILL }));
    cr_expect_eq(m->result[0][2].value, 8);
    machine_rig_free(m);
}

/* The other cluster gives the line up just then: the recall from its cache is the cluster's own wish, the request from
 * outside only waits for it, and is answered with the data that came. */
Test(clusters, a_load_that_waits_for_an_eviction_elsewhere)
{
    struct rig_desc d = clusters(2, 2);
    d.slice.sets = d.slice.ways = 1;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 7), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET), LOAD(LINE(2)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET - 30000), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    tick looked_up = QUIET - 30000 + LOOKUP + HOP + SLICE + HOP + HOME + HOP + SLICE,
         recalled = QUIET + LOOKUP + HOP + SLICE + HOP + SNOOP + HOP + SLICE;
    rig_expect(m, CLASS_LOAD, SOURCE_PEER,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 3 * HOP },
                     { PART_HOME, SLICE + HOME + SLICE + SLICE }, { PART_HOME_WAIT, recalled - looked_up },
                     { PART_RESPONSE_NET, 2 * HOP }, { PART_FILL, FILL }));
    cr_expect_eq(m->result[0][2].value, 7);
    struct cluster_counters c = cluster_counters(m->slice[1]);
    cr_expect(c.recalls_capacity == 1 && c.recalls_outside == 0 && c.demotions == 0);
    machine_rig_free(m);
}

/* A line is gone from its place at once, and is found beside the sets as long as it is leaving: a request for it waits there
 * for the end, which is the PUTACK of the global home, and asks the global home again then (after the recall of line 5,
 * whose place it takes). The write is still in the bank when the read comes. */
Test(clusters, a_load_of_a_line_that_is_leaving)
{
    struct rig_desc d = clusters(1, 3);
    d.slice.sets = 1;
    d.slice.ways = 2;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 2, (struct op[]){ STORE(LINE(1), 7), FENCE, LOAD(LINE(5)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(2)), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET + 20000), RECORD(1), LOAD(LINE(1)), RECORD(0), END });
    machine_rig_run(m);
    tick looked_up = QUIET + 20000 + LOOKUP + HOP + SLICE,
         acknowledged = QUIET + LOOKUP + HOP + SLICE + HOP + SNOOP + HOP + SLICE + HOP + HOME + HOP + SLICE,
         bank_busy = 14000 + 15000 + 3000 + 16000 - (HOP + SLICE + CONTROL + HOP + HOME);
    rig_expect(m, CLASS_LOAD, SOURCE_DRAM,
               PARTS({ PART_L1, L1 }, { PART_L2, LOOKUP - L1 }, { PART_REQUEST_NET, 2 * HOP + CONTROL },
                     { PART_HOME, SLICE + HOME + SLICE }, { PART_HOME_WAIT, acknowledged - looked_up },
                     { PART_DRAM, bank_busy + DRAM }, { PART_RESPONSE_NET, 2 * HOP }, { PART_FILL, FILL }));
    cr_expect_eq(m->result[0][2].value, 7);
    cr_expect_eq(m->result[1][1].end, QUIET + LOOKUP + HOP + SLICE + CONTROL + HOP + HOME + DRAM + HOP + SLICE + HOP + FILL,
                 "the new line only lets the old one's recall go first");
    machine_rig_free(m);
}

/* Hart 0 wants to write what, as the global home believes, both clusters share: the other has dropped its copy. Hart 1 reads
 * inside just before memory's data come; the home there is busy until its DONE, and the other cluster's ACK is earlier: the
 * held store waits for the DONE. */
Test(clusters, a_held_store_waits_for_a_reader_inside)
{
    struct rig_desc d = clusters(2, 3);
    d.slice.sets = 1;
    d.slice.ways = 2;
    struct machine_rig *m = machine_rig_new(&d);
    tick asked = 3 * QUIET + ISSUE + LOOKUP + HOP + SLICE, data = asked + HOP + HOME + DRAM + HOP + SLICE,
         ack = data + DATA + HOP + SLICE, read = data - 1000, done = read + HOP + HOP + SLICE;
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), AT(3 * QUIET), RECORD(1), STORE(LINE(1), 7), FENCE, RECORD(0), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET / 2), LOAD(LINE(1)), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET), LOAD(LINE(1)), LOAD(LINE(2)), LOAD(LINE(3)), END });
    rig_script(m, 1, (struct op[]){ AT(read - (LOOKUP + HOP + SLICE)), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_assert(ack < done && cluster_counters(m->slice[1]).recalls_capacity == 1);
    cr_expect_eq(m->result[1][1].end, read + HOP + FILL, "served inside at once");
    /* data with the number of acknowledgements, then INV to harts 1 and 2 */
    tick granted = done + DATA + CONTROL + HOP + SNOOP + HOP;
    cr_expect_eq(rig_when(m, SEEN_VISIBLE, 0, LINE(1), 0), granted, "%ld", (long)(rig_when(m, SEEN_VISIBLE, 0, LINE(1), 0) - granted));
    const struct class_stats *s = account_stats(m->account, CLASS_STORE);
    cr_expect_eq(s->hardware_sum_ps[PART_HOME_WAIT], done - ack, "%lu", (unsigned long)s->hardware_sum_ps[PART_HOME_WAIT]);
    cr_expect_eq(s->latency.sum_ps, granted - 3 * QUIET);
    machine_rig_free(m);
}

/* Both clusters share a line and want to write it. The second is asked for its copy while it waits for the right to write, and
 * while a reader inside keeps its home busy: the outside goes first, or both would wait for ever. */
Test(clusters, the_outside_goes_before_a_held_request)
{
    struct rig_desc d = clusters(2, 3);
    struct machine_rig *m = machine_rig_new(&d);
    enum { LATER = 4000 };
    tick invalidated = 3 * QUIET + ISSUE + LOOKUP + HOP + SLICE + HOP + HOME + DRAM + DATA + HOP + SLICE;
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), AT(3 * QUIET + LATER), SWAP(LINE(1), 7), END });
    rig_script(m, 2, (struct op[]){ AT(QUIET / 2), LOAD(LINE(1)), END });
    rig_script(m, 3, (struct op[]){ AT(QUIET), LOAD(LINE(1)), AT(3 * QUIET), STORE(LINE(1), 9), END });
    rig_script(m, 1, (struct op[]){ AT(invalidated - 5000 - (LOOKUP + HOP + SLICE)), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[0][2].value, 9, "the other cluster's store comes first");
    cr_expect_eq(m->result[1][1].value, 0, "the reader inside was before both");
    cr_expect_eq(cluster_counters(m->slice[0]).invalidations, 3, "all three copies, hart 0's, too");
    machine_rig_free(m);
}

/* Whoever writes what others inside read: the answer comes with their acknowledgements. */
Test(clusters, an_upgrade_inside_is_for_the_peers)
{
    struct rig_desc d = clusters(2, 3);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), AT(2 * QUIET), RECORD(1), STORE(LINE(1), 7), FENCE, RECORD(0), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    const struct class_stats *s = account_source_stats(m->account, CLASS_STORE, SOURCE_PEER);
    cr_expect(s && s->latency.count == 1);
    cr_expect_eq(cluster_counters(m->slice[0]).misses, 1, "the first load's: the cluster had the line for itself");
    machine_rig_free(m);
}

/* ---- memory */

Test(clusters, a_whole_line_is_written_without_reading_memory)
{
    struct rig_desc d = clusters(2, 1);
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE_WHOLE(LINE(1), 7), FENCE, END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), STORE_WHOLE(LINE(1), 8), FENCE, LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(m->result[1][3].value, 8);
    cr_expect(dram_counters(m->dram).read_count == 0 && dram_counters(m->dram).write_count == 0);
    machine_rig_free(m);
}

/* Flushed, written past the caches, given up for room: memory gets each version once, and nothing that it has. */
Test(clusters, memory_gets_what_it_has_not)
{
    struct rig_desc d = clusters(2, 2);
    d.slice.sets = d.slice.ways = 1;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ STORE(LINE(1), 1), FENCE, FLUSH(LINE(1)), FENCE, AT(QUIET), LOAD(LINE(2)), FLUSH(LINE(2)), FENCE, END });
    rig_script(m, 1, (struct op[]){ AT(2 * QUIET), STORE_NT(LINE(3), 3), FENCE, AT(3 * QUIET), STORE(LINE(4), 4), FENCE, LOAD(LINE(5)),
                                    LOAD(LINE(6)), END });
    machine_rig_run(m);
    for (unsigned line = 1; line <= 4; line++) {
        const struct line_versions *v = memory_versions(m->memory, (lineno){ line });
        cr_expect(v->dram == v->current && v->current == (line == 2 ? 0 : 1), "line %u: %u of %u", line, v->dram, v->current);
    }
    cr_expect_eq(dram_counters(m->dram).write_count, 3, "lines 1, 3, 4: %lu", (unsigned long)dram_counters(m->dram).write_count);
    cr_expect(rig_copies(m, LINE(1)).readable == 0 && rig_copies(m, LINE(3)).readable == 0);
    machine_rig_free(m);
}

/* ---- devices sit at the global home */

Test(clusters, a_device_reads_what_a_cache_inside_has_changed)
{
    struct rig_desc d = clusters(2, 2);
    d.ports = 1;
    struct machine_rig *m = machine_rig_new(&d);
    struct device dev = { .n = 1, .r = { read_of(LINE(3)) } };
    rig_script(m, 3, (struct op[]){ STORE(LINE(3), 5), FENCE, END });
    device_at(&dev, m, 0, QUIET);
    machine_rig_run(m);
    cr_expect_eq(dev.r[0].data[0], 5);
    cr_expect_eq(dev.done[0], QUIET + HOP + HOME + HOP + SLICE + HOP + SNOOP + HOP + SLICE + HOP);
    cr_expect_eq(rig_copies(m, LINE(3)).readable, 1, "the cache keeps a copy");
    machine_rig_free(m);
}

/* What one cluster holds exclusively and what two share: both are taken away, inside as well, before the device writes. */
Test(clusters, a_device_writes_what_clusters_have)
{
    struct rig_desc d = clusters(2, 2);
    d.ports = 1;
    struct machine_rig *m = machine_rig_new(&d);
    struct device dev = { .n = 2, .r = { write_of(LINE(3), 64, 6), write_of(LINE(4) + 8, 8, 7) } };
    rig_script(m, 3, (struct op[]){ STORE(LINE(4), 5), FENCE, LOAD(LINE(3)), AT(2 * QUIET), LOAD(LINE(3)), LOAD(LINE(4)), LOAD(LINE(4) + 8), END });
    rig_script(m, 0, (struct op[]){ AT(QUIET / 2), LOAD(LINE(3)), AT(2 * QUIET), LOAD(LINE(3)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET / 2), LOAD(LINE(3)), END });
    device_at(&dev, m, 0, QUIET);
    machine_rig_run(m);
    cr_expect(m->result[3][4].value == 6 && m->result[3][5].value == 5 && m->result[3][6].value == 7);
    cr_expect(m->result[0][3].value == 6);
    cr_expect_eq(rig_copies(m, LINE(3)).agents, 1 << 0 | 1 << 3, "hart 1 lost its copy");
    cr_expect_eq(cluster_counters(m->slice[0]).recalls_outside, 1);
    cr_expect_eq(cluster_counters(m->slice[1]).recalls_outside, 2);
    machine_rig_free(m);
}

/* ---- what is counted */

/* Three harts of cluster 1 share a line, one of cluster 0 writes it: each copy is invalidated once, inside. */
Test(clusters, counters_say_what_happened)
{
    struct rig_desc d = clusters(2, 3);
    struct machine_rig *m = machine_rig_new(&d);
    for (unsigned i = 3; i < 6; i++)
        rig_script(m, i, (struct op[]){ AT(QUIET * (i - 2)), LOAD(LINE(1)), END });
    rig_script(m, 0, (struct op[]){ AT(5 * QUIET), STORE(LINE(1), 9), FENCE, AT(6 * QUIET), LOAD(LINE(2)), END });
    rig_script(m, 1, (struct op[]){ AT(7 * QUIET), LOAD(LINE(1)), END });
    rig_script(m, 2, (struct op[]){ AT(8 * QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    struct cluster_counters a = cluster_counters(m->slice[0]), b = cluster_counters(m->slice[1]);
    /* inside cluster 1: the second reader is served by the first, who had the line exclusively, the third by the last level */
    cr_expect(b.requests == 3 && b.misses == 1 && b.hits == 2, "%lu %lu %lu", b.requests, b.misses, b.hits);
    cr_expect(b.invalidations == 3 && b.forwards == 1 && b.recalls_outside == 1 && b.recalls_capacity == 0 && b.demotions == 0,
              "%lu %lu %lu %lu %lu", b.invalidations, b.forwards, b.recalls_outside, b.recalls_capacity, b.demotions);
    cr_expect_eq(b.data_sent, 2, "%lu", b.data_sent);
    cr_expect(a.requests == 4 && a.misses == 2 && a.hits == 2, "%lu %lu %lu", a.requests, a.misses, a.hits);
    cr_expect(a.invalidations == 0 && a.forwards == 1 && a.recalls_outside == 0 && a.parked == 0 && b.parked == 0,
              "%lu %lu %lu %lu %lu", a.invalidations, a.forwards, a.recalls_outside, a.parked, b.parked);
    cr_expect_eq(a.data_sent, 3, "%lu", a.data_sent);
    machine_rig_free(m);
}

/* ---- places */

Test(clusters, the_least_recently_used_line_leaves)
{
    struct rig_desc d = clusters(1, 2);
    d.slice.sets = 1;
    d.slice.ways = 2;
    struct machine_rig *m = machine_rig_new(&d);
    rig_script(m, 0, (struct op[]){ LOAD(LINE(1)), LOAD(LINE(2)), AT(2 * QUIET), LOAD(LINE(3)), END });
    rig_script(m, 1, (struct op[]){ AT(QUIET), LOAD(LINE(1)), END });
    machine_rig_run(m);
    cr_expect_eq(rig_copies(m, LINE(2)).readable, 0);
    cr_expect_eq(rig_copies(m, LINE(1)).readable, 2);
    cr_expect_eq(dram_counters(m->dram).write_count, 0, "nothing had changed");
    machine_rig_free(m);
}

/* Four lines need one place within a moment. The first three victims may leave at the same time only if there is room beside
 * the sets for each; with less the others wait until one has left. */
static tick last_of_four(unsigned write_backs)
{
    struct rig_desc d = clusters(1, 8);
    d.slice.sets = 1;
    d.slice.ways = 4;
    d.slice.write_backs = write_backs;
    struct machine_rig *m = machine_rig_new(&d);
    for (unsigned i = 0; i < 4; i++) {
        rig_script(m, i, (struct op[]){ AT(i * 10000), STORE(LINE(1 + i), 1), END });
        rig_script(m, 4 + i, (struct op[]){ AT(QUIET + i * 1000), LOAD(LINE(11 + i)), END });
    }
    machine_rig_run(m);
    tick last = 0;
    for (unsigned i = 4; i < 8; i++)
        last = m->result[i][1].end > last ? m->result[i][1].end : last;
    for (unsigned i = 0; i < 4; i++)
        cr_expect_eq(memory_versions(m->memory, (lineno){ 1 + i })->dram, 1);
    machine_rig_free(m);
    return last - QUIET;
}

Test(clusters, lines_on_their_way_out_are_limited)
{
    tick one = last_of_four(1), two = last_of_four(2), three = last_of_four(3), four = last_of_four(4), five = last_of_four(5);
    cr_expect(one > two && two > three && three > four && four == five, "%lu %lu %lu %lu %lu", one, two, three, four, five);
}

/* ---- who waits for a place gets it */

struct turns { bool over; unsigned limit; };

/* Each on a line of its own, so that they take each other's place. */
static void take_turns(struct hart *h, void *arg)
{
    struct turns *t = arg;
    for (unsigned i = 0; i < t->limit && !t->over; i++)
        (void)k_fetch_add(h, (paddr){ LINE(hart_id(h) + 1) }, 8, 1);
}

static void now_over(struct hart *h, void *arg)
{
    (void)h;
    ((struct turns *)arg)->over = true;
}

/* One place, `spinners` lines that are wanted there again and again, and one hart that comes later, once. */
static void expect_turn(unsigned spinners, unsigned write_backs)
{
    struct rig_desc d = clusters(1, 5);
    d.slice.sets = d.slice.ways = 1;
    d.slice.write_backs = write_backs;
    struct machine_rig *m = machine_rig_new(&d);
    struct turns t = { .limit = 500 };
    for (unsigned i = 0; i < spinners; i++)
        rig_script(m, i, (struct op[]){ CALL(take_turns, &t), END });
    rig_script(m, 4, (struct op[]){ AT(QUIET), LOAD(LINE(9)), CALL(now_over, &t), END });
    machine_rig_run(m);
    /* each of the others is served once at most: recall, write-back, memory */
    tick turn = HOP + SNOOP + HOP + SLICE + HOP + HOME + HOP + SLICE + HOP + HOME + DRAM + HOP + SLICE + HOP + LOOKUP;
    cr_expect_lt(m->result[4][1].end - QUIET, (spinners + 1) * turn, "%u others, room for %u to leave: %lu ps", spinners, write_backs,
                 (unsigned long)(m->result[4][1].end - QUIET));
    machine_rig_free(m);
}

Test(clusters, a_place_is_not_kept_for_ever)
{
    for (unsigned write_backs = 1; write_backs <= 3; write_backs++)
        for (unsigned spinners = 1; spinners <= 4; spinners++)
            expect_turn(spinners, write_backs);
}
