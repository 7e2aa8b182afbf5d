/* tests/unit/test_dram.c - memory channels: exact latencies per row case, bank and bus contention, order of
 * service, counters. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "models/dram/dram.h"
#include "src/base/rng.h"

enum { CAS = 13750, RCD = 14000, RP = 15000, BURST = 3750, CONTROLLER = 20000 };
enum { HIT = CONTROLLER + CAS + BURST, EMPTY = HIT + RCD, CONFLICT = EMPTY + RP };
enum { ROW_LINES = 8192 / 64, CHUNK_LINES = 256 / 64, CHANNELS = 4, BANKS = 8, MAX = 4000 };

static const struct dram_desc open_page = { .channels = CHANNELS, .banks_per_channel = BANKS, .row_bytes = 8192,
                                            .interleave_bytes = 256, .t_cas_ps = CAS, .t_rcd_ps = RCD, .t_rp_ps = RP,
                                            .t_burst_ps = BURST, .controller_ps = CONTROLLER };

struct rig {
    struct engine *engine;
    struct component_list list;
    struct component asker;
    struct dram *dram;
    unsigned asked, done;
    struct access {
        struct event event;
        struct dram_request request;
        bool posted;
        unsigned done_place;
    } access[MAX];
};

static struct rig *rig_new(const struct dram_desc *d)
{
    struct rig *r = calloc(1, sizeof *r);
    r->engine = engine_new((struct engine_desc){ .queue = QUEUE_WHEEL });
    component_register(&r->list, &r->asker, "asker", NULL);
    r->dram = dram_new(r->engine, &r->list, d);
    return r;
}

static void rig_free(struct rig *r)
{
    dram_free(r->dram);
    engine_free(r->engine);
    free(r);
}

static void on_done(struct dram_request *q)
{
    struct rig *r = q->owner;
    struct access *a = (struct access *)((char *)q - offsetof(struct access, request));
    cr_assert_eq(engine_now(r->engine), q->done_at);
    a->done_place = ++r->done;
}

static void ask(struct event *e)
{
    struct rig *r = e->owner;
    struct access *a = (struct access *)e;
    if (a->posted)
        dram_write_posted(r->dram, a->request.line);
    else
        dram_access(r->dram, &a->request);
}

enum what { READ, WRITE, POSTED };

static struct access *plan(struct rig *r, tick when, enum what what, uint64_t line)
{
    cr_assert_lt(r->asked, (unsigned)MAX);
    struct access *a = &r->access[r->asked++];
    a->posted = what == POSTED;
    a->request = (struct dram_request){ .line = { line }, .write = what != READ, .done = on_done, .owner = r };
    a->event = (struct event){ .fn = ask, .owner = r, .what = "planned access" };
    engine_at(r->engine, &r->asker, &a->event, when, PHASE_ACT);
    return a;
}

static void finish(struct rig *r)
{
    cr_assert_eq(engine_run(r->engine, TICK_MAX), ENGINE_IDLE);
    cr_assert(components_idle(&r->list));
    components_check(&r->list);
}

/* Line `column` of a row of a bank of a channel, the inverse of the mapping in dram.h. */
static uint64_t line_at(unsigned channel, uint64_t row, unsigned bank, unsigned column)
{
    uint64_t inside = (row * BANKS + bank) * ROW_LINES + column;
    return (inside / CHUNK_LINES * CHANNELS + channel) * CHUNK_LINES + inside % CHUNK_LINES;
}

static tick latency(const struct access *a) { return a->request.done_at - a->request.asked; }

Test(dram, unloaded_latencies_are_the_sums)
{
    struct rig *r = rig_new(&open_page);
    struct access *empty = plan(r, 1000, READ, line_at(1, 5, 2, 0));
    struct access *hit = plan(r, 1000000, READ, line_at(1, 5, 2, 77));
    struct access *conflict = plan(r, 2000000, READ, line_at(1, 6, 2, 77));
    struct access *back = plan(r, 3000000, WRITE, line_at(1, 5, 2, 0));
    struct access *write_hit = plan(r, 4000000, WRITE, line_at(1, 5, 2, 1));
    struct access *other_bank = plan(r, 5000000, READ, line_at(1, 5, 3, 0));
    struct access *other_channel = plan(r, 6000000, READ, line_at(2, 5, 2, 0));
    finish(r);
    cr_assert_eq(latency(empty), EMPTY);
    cr_assert_eq(latency(hit), HIT);
    cr_assert_eq(latency(conflict), CONFLICT);
    cr_assert_eq(latency(back), CONFLICT);
    cr_assert_eq(latency(write_hit), HIT);
    cr_assert_eq(latency(other_bank), EMPTY);
    cr_assert_eq(latency(other_channel), EMPTY);
    struct dram_counters c = dram_counters(r->dram);
    cr_assert_eq(c.hit_count, 2);
    cr_assert_eq(c.empty_count, 3);
    cr_assert_eq(c.conflict_count, 2);
    cr_assert_eq(c.read_count, 5);
    cr_assert_eq(c.write_count, 2);
    cr_assert_eq(c.wait_ps, 0);
    cr_assert_eq(c.latency_ps, 2 * HIT + 3 * EMPTY + 2 * CONFLICT);
    cr_assert_eq(dram_channel_counters(r->dram, 1)->read_count, 4);
    cr_assert_eq(dram_least_latency_ps(r->dram), HIT);
    rig_free(r);
}

/* Begun before it was asked for: so much earlier done, but not before; what is on the bus delays it all the same. */
Test(dram, a_head_start_is_saved)
{
    struct rig *r = rig_new(&open_page);
    plan(r, 1000, READ, line_at(1, 5, 2, 0));
    struct access *ahead = plan(r, 1000000, READ, line_at(1, 5, 2, 1)), *far_ahead = plan(r, 2000000, READ, line_at(1, 5, 2, 2));
    struct access *whole = plan(r, 3000000, READ, line_at(1, 5, 2, 3)), *behind = plan(r, 3000000, READ, line_at(1, 5, 2, 4));
    ahead->request.head_start_ps = 7000;
    far_ahead->request.head_start_ps = CONTROLLER + 100;
    whole->request.head_start_ps = 10 * HIT;
    behind->request.head_start_ps = HIT;
    finish(r);
    cr_assert_eq(latency(ahead), HIT - 7000);
    cr_assert_eq(latency(far_ahead), CAS + BURST - 100);
    cr_assert_eq(latency(whole), 0);
    cr_assert_eq(latency(behind), BURST);
    cr_assert_eq(dram_counters(r->dram).wait_ps, BURST);
    rig_free(r);
}

Test(dram, closed_pages_are_always_empty)
{
    struct dram_desc d = open_page;
    d.page_policy = DRAM_CLOSED_PAGE;
    struct rig *r = rig_new(&d);
    struct access *first = plan(r, 0, READ, line_at(0, 0, 0, 0));
    struct access *same = plan(r, 1000000, READ, line_at(0, 0, 0, 1));
    struct access *behind = plan(r, 1000000, READ, line_at(0, 0, 0, 2));
    finish(r);
    cr_assert_eq(latency(first), EMPTY);
    cr_assert_eq(latency(same), EMPTY);
    cr_assert_eq(latency(behind), EMPTY + RP + RCD + CAS + BURST); /* the bank closes, opens, reads */
    cr_assert_eq(dram_least_latency_ps(r->dram), EMPTY);
    cr_assert_eq(dram_counters(r->dram).empty_count, 3);
    rig_free(r);
}

Test(dram, mapping_interleaves_channels_then_columns_then_banks_then_rows)
{
    struct rig *r = rig_new(&open_page);
    for (uint64_t line = 0; line < 4096; line++)
        cr_assert_eq(dram_channel_of(r->dram, (lineno){ line }), line / CHUNK_LINES % CHANNELS);
    for (unsigned column = 0; column < ROW_LINES; column += 13)
        plan(r, 1000000 * (1 + column), READ, line_at(3, 9, 7, column));
    finish(r);
    struct dram_counters c = dram_counters(r->dram);
    cr_assert_eq(c.empty_count, 1);
    cr_assert_eq(c.hit_count, 9);
    rig_free(r);
}

static void assert_neighbours(const struct dram_desc *d, uint64_t first, uint64_t next, tick expected)
{
    struct rig *r = rig_new(d);
    plan(r, 0, READ, first);
    struct access *a = plan(r, 1000000, READ, next);
    finish(r);
    cr_assert_eq(latency(a), expected, "line %llu after line %llu", (unsigned long long)next, (unsigned long long)first);
    rig_free(r);
}

Test(dram, rows_and_banks_end_where_they_should)
{
    assert_neighbours(&open_page, line_at(1, 3, 2, 0), line_at(1, 3, 2, ROW_LINES - 1), HIT);
    assert_neighbours(&open_page, line_at(1, 3, 2, 0), line_at(1, 3, 2, ROW_LINES), EMPTY);           /* next bank */
    assert_neighbours(&open_page, line_at(1, 3, 2, 0), line_at(1, 3, 2, ROW_LINES * BANKS), CONFLICT); /* next row */
    struct dram_desc coarse = open_page; /* eight rows on one channel before the next channel follows */
    coarse.row_bytes = 1024;
    coarse.interleave_bytes = 8192;
    assert_neighbours(&coarse, 128, 128 + 15, HIT);
    assert_neighbours(&coarse, 128, 128 + 16, EMPTY);
    assert_neighbours(&coarse, 0, 4 * 128, CONFLICT); /* 8 banks of one row each fill a chunk */
}

Test(dram, three_channels_use_all_lines_of_a_row)
{
    struct dram_desc d = open_page;
    d.channels = 3;
    d.banks_per_channel = 1;
    struct rig *r = rig_new(&d);
    for (unsigned line = 0; line < 3 * ROW_LINES; line++)
        plan(r, 1000000 * (1 + line), READ, line);
    finish(r);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(dram_channel_counters(r->dram, i)->empty_count, 1);
        cr_assert_eq(dram_channel_counters(r->dram, i)->hit_count, ROW_LINES - 1);
    }
    rig_free(r);
}

Test(dram, row_hits_stream_at_the_rate_of_the_bus)
{
    struct rig *r = rig_new(&open_page);
    for (unsigned i = 0; i < 64; i++)
        plan(r, 0, i % 3 ? READ : WRITE, line_at(0, 4, 1, i));
    finish(r);
    for (unsigned i = 0; i < 64; i++) {
        cr_assert_eq(latency(&r->access[i]), EMPTY + i * BURST);
        cr_assert_eq(r->access[i].done_place, i + 1);
    }
    struct dram_counters c = dram_counters(r->dram);
    cr_assert_eq(c.bus_busy_ps, 64 * BURST);
    cr_assert_eq(c.wait_ps, 63 * RCD + 63 * 64 / 2 * BURST); /* behind the first one's activation and each other */
    rig_free(r);
}

Test(dram, banks_overlap_and_share_the_bus)
{
    struct rig *r = rig_new(&open_page);
    for (unsigned bank = 0; bank < BANKS; bank++)
        plan(r, 0, READ, line_at(2, 0, bank, 0));
    finish(r);
    for (unsigned bank = 0; bank < BANKS; bank++)
        cr_assert_eq(latency(&r->access[bank]), EMPTY + bank * BURST);
    rig_free(r);
}

Test(dram, channels_are_independent)
{
    struct rig *r = rig_new(&open_page);
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        plan(r, 0, READ, line_at(channel, 0, 0, 0));
    finish(r);
    for (unsigned channel = 0; channel < CHANNELS; channel++)
        cr_assert_eq(latency(&r->access[channel]), EMPTY);
    rig_free(r);
}

Test(dram, conflicts_in_one_bank_follow_each_other)
{
    struct rig *r = rig_new(&open_page);
    for (unsigned row = 0; row < 10; row++)
        plan(r, 0, READ, line_at(0, row, 0, 0));
    finish(r);
    for (unsigned row = 0; row < 10; row++)
        cr_assert_eq(latency(&r->access[row]), EMPTY + row * (RP + RCD + CAS + BURST));
    cr_assert_eq(dram_counters(r->dram).conflict_count, 9);
    cr_assert_eq(dram_counters(r->dram).wait_max_ps, EMPTY + 9 * (RP + RCD + CAS + BURST) - CONFLICT);
    rig_free(r);
}

/* First come, first served: a hit does not overtake the burst of an older conflict in another bank. */
Test(dram, nothing_overtakes_within_a_channel)
{
    struct rig *r = rig_new(&open_page);
    plan(r, 0, READ, line_at(0, 0, 0, 0));
    plan(r, 0, READ, line_at(0, 0, 1, 0));
    struct access *conflict = plan(r, 1000000, READ, line_at(0, 1, 0, 0));
    struct access *hit = plan(r, 1000000, READ, line_at(0, 0, 1, 1));
    finish(r);
    cr_assert_eq(latency(conflict), CONFLICT);
    cr_assert_eq(latency(hit), CONFLICT + BURST);
    rig_free(r);
}

Test(dram, posted_writes_cost_time_but_no_event)
{
    struct rig *r = rig_new(&open_page);
    for (unsigned i = 0; i < 10; i++)
        plan(r, 0, POSTED, line_at(0, 0, 0, i));
    struct access *quiet = plan(r, 0, WRITE, line_at(0, 0, 0, 10));
    quiet->request.done = NULL;
    struct access *read = plan(r, 0, READ, line_at(0, 0, 0, 11));
    finish(r);
    cr_assert_eq(latency(quiet), EMPTY + 10 * BURST);
    cr_assert_eq(latency(read), EMPTY + 11 * BURST);
    cr_assert_eq(r->done, 1);
    cr_assert_eq(dram_counters(r->dram).write_count, 11);
    cr_assert_eq(engine_host_events(r->engine), 12 + 1); /* the plans, and one completion */
    rig_free(r);
}

static void again(struct dram_request *q)
{
    struct rig *r = q->owner;
    r->done++;
    q->line.v++;
    if (r->done < 20)
        dram_access(r->dram, q);
}

Test(dram, a_request_may_be_submitted_again_when_done)
{
    struct rig *r = rig_new(&open_page);
    struct access *a = plan(r, 0, READ, line_at(0, 0, 0, 0));
    a->request.done = again;
    finish(r);
    cr_assert_eq(r->done, 20);
    cr_assert_eq(a->request.done_at, (tick)4 * EMPTY + 16 * HIT); /* 20 lines lie on 4 channels, 4 in a row each */
    rig_free(r);
}

/* Random loads with a printed seed: in order per channel, sums agree, Little's law. */
static void random_load(uint64_t seed, enum dram_page_policy policy)
{
    struct dram_desc d = open_page;
    d.page_policy = policy;
    struct rig *r = rig_new(&d);
    struct rng rng = rng_stream(seed, "load");
    tick t = 0, unloaded = 0;
    unsigned awaited = 0;
    for (unsigned i = 0; i < 3000; i++) {
        t += rng_below(&rng, 9000);
        enum what what = (enum what)rng_below(&rng, 3);
        plan(r, t, what, rng_below(&rng, 1 << 12));
        awaited += what != POSTED;
    }
    for (tick pause = 100000; pause < t; pause += 1000000) {
        engine_run(r->engine, pause);
        components_check(&r->list);
    }
    finish(r);
    cr_assert_eq(r->done, awaited, "seed %llu", (unsigned long long)seed);
    tick last[CHANNELS] = { 0 }, sum = 0;
    for (unsigned i = 0; i < r->asked; i++) {
        const struct dram_request *q = &r->access[i].request;
        unsigned channel = dram_channel_of(r->dram, q->line);
        if (r->access[i].posted)
            continue;
        cr_assert_geq(q->done_at, last[channel] + BURST, "seed %llu: two bursts at once", (unsigned long long)seed);
        last[channel] = q->done_at;
        sum += q->done_at - q->asked;
    }
    struct dram_counters c = dram_counters(r->dram);
    unloaded = c.hit_count * HIT + c.empty_count * EMPTY + c.conflict_count * CONFLICT;
    cr_assert_eq(c.hit_count + c.empty_count + c.conflict_count, 3000);
    cr_assert_eq(c.read_count + c.write_count, 3000);
    cr_assert_eq(c.latency_ps, unloaded + c.wait_ps);
    cr_assert_gt(c.wait_ps, 0);
    cr_assert_eq(c.awaited_count, awaited);
    cr_assert_eq(c.awaited_latency_ps, sum);
    cr_assert_eq(c.awaited_integral_ps, sum, "seed %llu: Little's law", (unsigned long long)seed);
    cr_assert(policy == DRAM_OPEN_PAGE || c.hit_count + c.conflict_count == 0);
    rig_free(r);
}

Test(dram, random_load_keeps_order_sums_and_littles_law)
{
    for (uint64_t seed = 5100; seed < 5110; seed++) {
        random_load(seed, DRAM_OPEN_PAGE);
        random_load(seed, DRAM_CLOSED_PAGE);
    }
}

Test(dram, says_what_it_is_busy_with)
{
    struct rig *r = rig_new(&open_page);
    plan(r, 500, READ, 0x12);
    engine_run(r->engine, 600);
    cr_assert(!components_idle(&r->list));
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    components_why_busy(&r->list, out);
    fclose(out);
    cr_assert_str_eq(text, "dram: channel 0, read of line 0x12 since 500 ps, done at 52000 ps\n");
    free(text);
    finish(r);
    rig_free(r);
}

Test(dram, check_notices_a_completion_that_was_taken_away, .exit_code = 1)
{
    struct rig *r = rig_new(&open_page);
    struct access *a = plan(r, 0, READ, 0);
    engine_run(r->engine, 10);
    engine_cancel(r->engine, &a->request.event);
    components_check(&r->list);
}

Test(dram, parameters_are_well_formed)
{
    param_table_check(dram_params);
}
