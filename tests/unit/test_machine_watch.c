/* tests/unit/test_machine_watch.c - looking on changes nothing and sees everything: lives of lines, busy lines, traces that
 * parse and whose arrows have both ends, runs in single steps.
 */
#include "tests/unit/test_machine_rig.h"

#include "models/protocol.h"
#include "src/machine/watch.h"

#include <ctype.h>

TestSuite(watch, .timeout = 300);

static const char players[] =
    "kind: experiment\n"
    "title: two players\n"
    "machine: { base: tiny, cores: 2, llc: { slices: 1 } }\n"
    "agents:\n"
    "  - { name: players, on: core0-1, program: ping-pong, count: 5 }\n";

static const char everything[] =
    "kind: experiment\n"
    "title: stores, shootdowns and devices\n"
    "machine: { base: tiny, cores: 4, net_jitter: 3ns }\n"
    "kernel: { memory: 16MiB }\n"
    "seed: 3\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, count: 3 }\n"
    "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
    "  - { name: mix, on: core3, program: random-mix, lines: 40, count: 400 }\n"
    "  - { name: attacker, on: device0, program: dma-foreign }\n";

/* A machine that has not run yet; it keeps pointers into *r. */
static void prepare(struct run *r, const char *text, struct run_options options)
{
    *r = (struct run){ .arena = arena_new(), .diag = diag_new() };
    char path[] = "./labyrinth-test-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "no temporary file");
    close(fd);
    bool good = experiment_load(r->arena, r->diag, path, NULL, 0, &r->doc);
    if (good)
        r->machine = machine_new(&r->doc, &options, r->diag);
    unlink(path);
    if (!r->machine)
        diag_print(r->diag, stderr);
    cr_assert_not_null(r->machine);
}

static void run_prepared(struct run *r)
{
    machine_run(r->machine);
    r->result = machine_result(r->machine);
}

static void expect_same(const struct result *a, const struct result *b)
{
    cr_expect_eq(a->stop, b->stop);
    cr_expect_eq(a->time_ps, b->time_ps);
    cr_expect_eq(a->events, b->events);
    cr_expect_eq(a->order_hash, b->order_hash);
    cr_assert_eq(a->counter_count, b->counter_count);
    for (size_t i = 0; i < a->counter_count; i++)
        cr_expect_eq(a->counters[i].value, b->counters[i].value, "%s", a->counters[i].name);
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        const struct class_stats *x = account_stats(a->account, (enum class_id)c), *y = account_stats(b->account, (enum class_id)c);
        cr_expect(!x == !y && (!x || memcmp(x, y, sizeof *x) == 0), "%s", class_infos[c].name);
    }
}

/* ---- steps */

static void steps_give_the_run(const char *text, bool lookahead)
{
    struct run_options o = usual();
    struct run whole;
    prepare(&whole, text, o);
    run_prepared(&whole);
    o.lookahead = lookahead;
    struct run pieces;
    prepare(&pieces, text, o);
    tick last = 0;
    uint64_t events = 0;
    machine_start(pieces.machine);
    while (machine_step(pieces.machine)) {
        cr_assert(machine_now(pieces.machine) >= last);
        last = machine_now(pieces.machine);
        events++;
    }
    cr_expect_null(machine_step(pieces.machine));
    machine_finish(pieces.machine);
    pieces.result = machine_result(pieces.machine);
    cr_expect_eq(events, pieces.result->host.engine_events);
    expect_same(whole.result, pieces.result);
    run_free(&whole);
    run_free(&pieces);
}

Test(watch, a_run_in_single_steps_is_the_same_run)
{
    steps_give_the_run(players, false);
    steps_give_the_run(everything, true);
    steps_give_the_run(everything, false);
}

Test(watch, a_stepped_run_ends_by_limit_and_by_watchdog_as_a_whole_one)
{
    static const char *const ends[] = {
        "kind: experiment\ntitle: limit\nmachine: tiny\nlimit: 3us\nagents:\n"
        "  - { name: mix, on: core0-1, program: random-mix }\n",
        "kind: experiment\ntitle: no progress\nmachine: tiny\nchecks: { watchdog: 1us }\nagents:\n"
        "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, count: 9 }\n" };
    steps_give_the_run(ends[0], false);
    steps_give_the_run(ends[1], false);
}

/* ---- one line's life */

/* Where the line that sees most lies is the kernel's choice: found by a run of its own. */
static lineno busiest(const char *text)
{
    struct run r;
    struct busy_line top;
    prepare(&r, text, usual());
    struct busy_lines *busy = busy_lines_new(r.machine);
    run_prepared(&r);
    cr_assert_eq(busy_lines_top(busy, &top, 1), 1);
    busy_lines_free(busy);
    run_free(&r);
    return top.line;
}

static uint64_t count_of(const char *text, const char *part)
{
    uint64_t n = 0;
    size_t length = strlen(part);
    for (const char *at = text; *at; at++)
        n += *at == *part && strncmp(at, part, length) == 0;
    return n;
}

Test(watch, a_life_tells_every_transition_and_message_whatever_the_ring_holds)
{
    static const char small_ring[] =
        "kind: experiment\ntitle: small ring\nmachine: { base: tiny, cores: 2 }\nchecks: { line_history: 16 }\nagents:\n"
        "  - { name: players, on: core0-1, program: ping-pong, count: 50 }\n";
    lineno line = busiest(small_ring);
    struct run r;
    prepare(&r, small_ring, usual());
    char *text = NULL;
    size_t size = 0;
    struct busy_line top[3];
    FILE *out = open_memstream(&text, &size);
    struct line_life *life = line_life_new(r.machine, line, out);
    struct busy_lines *busy = busy_lines_new(r.machine);
    run_prepared(&r);
    fclose(out);
    cr_expect(line_life_transitions(life) > 500);
    cr_assert_eq(busy_lines_top(busy, top, 3), 1);
    cr_expect_eq(top[0].line.v, line.v);
    cr_expect_eq(top[0].transitions, line_life_transitions(life));
    cr_expect_eq(count_of(text, "  -> "), line_life_messages(life));
    cr_expect_eq(count_of(text, "FWD_GETM    M > I   for core"), counter(&r, "home.forwards_sent_count"));
    cr_expect_eq(count_of(text, "\n"), line_life_transitions(life) + count_of(text, "  -> ") + count_of(text, "  <- "));
    line_life_free(life);
    busy_lines_free(busy);
    free(text);
    run_free(&r);
}

Test(watch, a_life_in_exact_words)
{
    lineno line = busiest(players);
    struct run r;
    prepare(&r, players, usual());
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct line_life *life = line_life_new(r.machine, line, out);
    run_prepared(&r);
    fclose(out);
    static const char begin[] =
        "        6.000 ns  core0     STORE       I > IM\n"
        "        6.000 ns  core0       -> GETM       to home0\n"
        "        6.000 ns  core1     STORE       I > IM\n"
        "        6.000 ns  core1       -> GETM       to home0\n"
        "       11.000 ns  home0       <- GETM       from core0, 5.000 ns under way\n"
        "       12.000 ns  home0       <- GETM       from core1, 6.000 ns under way\n"
        "       76.000 ns  home0     GETM        DI > DBO   for core0\n"
        "       76.000 ns  home0       -> DATA       to core0\n"
        "       81.000 ns  core0       <- DATA       from home0, 5.000 ns under way\n"
        "       81.000 ns  core0     DATA_LAST   IM > M\n"
        "       81.000 ns  core0       -> DONE       to home0\n";
    text[sizeof begin - 1] = '\0';
    cr_expect_str_eq(text, begin);
    line_life_free(life);
    free(text);
    run_free(&r);
}

Test(watch, a_silent_upgrade_belongs_to_a_life)
{
    lineno line = busiest(everything);
    struct run r;
    prepare(&r, everything, usual());
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct line_life *life = line_life_new(r.machine, line, out);
    run_prepared(&r);
    fclose(out);
    cr_expect(strstr(text, "E > M\n"), "%s", text);
    line_life_free(life);
    free(text);
    run_free(&r);
}

Test(watch, busiest_lines_come_first_and_once)
{
    struct run r;
    prepare(&r, everything, usual());
    struct busy_lines *busy = busy_lines_new(r.machine);
    struct busy_line top[64], all[5000];
    run_prepared(&r);
    size_t n = busy_lines_top(busy, top, 64), every = busy_lines_top(busy, all, 5000);
    cr_assert_eq(n, 64);
    cr_assert(every > 64 && every < 5000);
    for (size_t i = 0; i < every; i++) {
        cr_expect(i == 0 || all[i].transitions <= all[i - 1].transitions);
        cr_expect(i >= n || all[i].line.v == top[i].line.v);
        for (size_t k = 0; k < i; k++)
            cr_assert_neq(all[i].line.v, all[k].line.v);
    }
    busy_lines_free(busy);
    run_free(&r);
}

/* ---- traces */

/* A strict reader of JSON (RFC 8259) that only says whether a text is one. NULL: it is not. */
static const char *json_value(const char *at);

static const char *blanks(const char *at) { return at + strspn(at, " \t\r\n"); }

static const char *json_text(const char *at)
{
    for (at++; *at != '"'; at++)
        if ((unsigned char)*at < 0x20 || (*at == '\\' && !strchr("\"\\/bfnrtu", *++at)))
            return NULL;
    return at + 1;
}

static const char *json_number(const char *at)
{
    at += *at == '-';
    if (!isdigit((unsigned char)*at) || (*at == '0' && isdigit((unsigned char)at[1])))
        return NULL;
    at += strspn(at, "0123456789");
    if (*at == '.' && !isdigit((unsigned char)at[1]))
        return NULL;
    return *at == '.' ? at + 1 + strspn(at + 1, "0123456789") : at;
}

static const char *json_members(const char *at, char end)
{
    at = blanks(at + 1);
    while (at && *at != end) {
        if (end == '}') {
            at = *at == '"' ? json_text(at) : NULL;
            at = at && *(at = blanks(at)) == ':' ? blanks(at + 1) : NULL;
        }
        at = at ? json_value(at) : NULL;
        at = at ? blanks(at) : NULL;
        if (at && *at == ',')
            at = *blanks(at + 1) != end ? blanks(at + 1) : NULL;
        else if (at && *at != end)
            at = NULL;
    }
    return at ? at + 1 : NULL;
}

static const char *json_value(const char *at)
{
    switch (*at) {
    case '{': return json_members(at, '}');
    case '[': return json_members(at, ']');
    case '"': return json_text(at);
    default: return json_number(at);
    }
}

static bool is_json(const char *text)
{
    const char *end = json_value(blanks(text));
    return end && *blanks(end) == '\0';
}

static char *traced(const char *text, struct run_options o, struct run *r)
{
    char *trace = NULL;
    size_t size = 0;
    o.trace = open_memstream(&trace, &size);
    prepare(r, text, o);
    run_prepared(r);
    fclose(o.trace);
    return trace;
}

/* What a message is at its sender and its receiver, read back from the text. */
struct flow { unsigned begun, ended; double sent, came; };

static void check_flows(char *trace, uint64_t messages)
{
    struct flow *flows = calloc(messages + 1, sizeof *flows);
    char mark[80] = "";
    for (char *line = strtok(trace, "\n"); line; line = strtok(NULL, "\n")) {
        char phase;
        unsigned process, track;
        double when;
        uint64_t id;
        if (sscanf(line, "{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"ts\":%lf", &phase, &process, &track, &when) != 4)
            continue;
        if (phase == 's' || phase == 'f') {
            cr_assert_eq(sscanf(strstr(line, "\"id\":"), "\"id\":%" SCNu64, &id), 1);
            cr_assert(id >= 1 && id <= messages, "message %" PRIu64, id);
            phase == 's' ? flows[id].begun++ : flows[id].ended++;
            *(phase == 's' ? &flows[id].sent : &flows[id].came) = when;
            char here[80];
            snprintf(here, sizeof here, "%u %u %.6f", process, track, when);
            cr_expect_str_eq(here, mark, "an arrow without its mark: %s", line);
        }
        snprintf(mark, sizeof mark, "%u %u %.6f", process, track, when);
    }
    for (uint64_t i = 1; i <= messages; i++) {
        cr_expect(flows[i].begun == flows[i].ended && flows[i].begun <= 1, "message %" PRIu64 ": %u begun, %u ended", i,
                  flows[i].begun, flows[i].ended);
        cr_expect(!flows[i].ended || flows[i].came > flows[i].sent + 0.00499, "message %" PRIu64 " was faster than a hop of 5 ns", i);
    }
    free(flows);
}

Test(watch, a_trace_parses_and_its_arrows_have_both_ends)
{
    struct run plain, r;
    prepare(&plain, everything, usual());
    run_prepared(&plain);
    char *trace = traced(everything, usual(), &r);
    expect_same(plain.result, r.result);
    cr_expect(is_json(trace));
    cr_expect_str_empty(machine_trace_left_out(r.machine));
    uint64_t arrows = count_of(trace, "{\"ph\":\"s\""), transitions = count_of(trace, "{\"ph\":\"i\"");
    uint64_t sent = 0;
    for (size_t i = 0; i < r.result->counter_count; i++)
        if (strncmp(r.result->counters[i].name, "net.sent_", 9) == 0)
            sent += r.result->counters[i].value;
    cr_expect(arrows <= sent && arrows + 16 > sent, "%" PRIu64 " arrows, %" PRIu64 " messages sent", arrows, sent);
    cr_expect(transitions > 1000);
    cr_expect_eq(count_of(trace, "{\"ph\":\"b\""), count_of(trace, "{\"ph\":\"e\""));
    cr_expect_eq(count_of(trace, "\"name\":\"exclusive.grant\""), 3);
    const struct class_stats *loads = account_stats(r.result->account, CLASS_LOAD),
                             *hits = account_source_stats(r.result->account, CLASS_LOAD, SOURCE_L1);
    cr_expect_eq(count_of(trace, "\"name\":\"load\",\"args\""), loads->latency.count - (hits ? hits->latency.count : 0));
    cr_expect(count_of(trace, "\"ph\":\"b\"") > 50);
    cr_expect(strstr(trace, "\"name\":\"core3 store\"}") && strstr(trace, "\"name\":\"device0 dma.write\"}"));
    static const char *const tracks[] = { "core0", "core3", "device0", "iommu", "home0", "home1" };
    for (unsigned i = 0; i < 6; i++) {
        char name[120];
        snprintf(name, sizeof name, "\"pid\":2,\"tid\":%u,\"ts\":0.000000,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}",
                 (unsigned[]){ 0, 3, 4, 5, 6, 7 }[i], tracks[i]);
        cr_expect(strstr(trace, name), "%s", name);
    }
    check_flows(trace, arrows);
    free(trace);
    run_free(&plain);
    run_free(&r);
}

struct slice { unsigned process, track; uint64_t start, end; };

/* By track, then start, the longer first. */
static int slice_order(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    uint64_t p = (uint64_t)x->process << 32 | x->track, q = (uint64_t)y->process << 32 | y->track;
    if (p != q)
        return p < q ? -1 : 1;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->end > y->end ? -1 : x->end < y->end;
}

Test(watch, slices_of_a_track_nest_in_whole_nanoseconds)
{
    static const char odd[] =
        "kind: experiment\ntitle: an odd clock\nmachine: { base: tiny, cores: 3, clock: 2.1GHz }\nkernel: { memory: 16MiB }\nagents:\n"
        "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: all, count: 8 }\n"
        "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n";
    struct run r;
    char *trace = traced(odd, usual(), &r);
    size_t n = 0, most = count_of(trace, "{\"ph\":\"X\"");
    struct slice *slices = calloc(most, sizeof *slices);
    uint64_t ends[128];
    for (char *line = strtok(trace, "\n"); line; line = strtok(NULL, "\n")) {
        struct slice *s = &slices[n];
        uint64_t us, ps, dur_us, dur_ps;
        if (sscanf(line, "{\"ph\":\"X\",\"pid\":%u,\"tid\":%u,\"ts\":%" SCNu64 ".%6" SCNu64 ",\"dur\":%" SCNu64 ".%6" SCNu64,
                   &s->process, &s->track, &us, &ps, &dur_us, &dur_ps) != 6)
            continue;
        s->start = us * 1000 + ps / 1000;
        s->end = s->start + dur_us * 1000 + dur_ps / 1000;
        n++;
    }
    cr_assert(n == most && n > 1000);
    qsort(slices, n, sizeof *slices, slice_order);
    unsigned depth = 0;
    for (size_t i = 0; i < n; i++) {
        const struct slice *s = &slices[i];
        if (i == 0 || s->process != s[-1].process || s->track != s[-1].track)
            depth = 0;
        while (depth && ends[depth - 1] <= s->start)
            depth--;
        cr_expect(depth == 0 || s->end <= ends[depth - 1], "track %u.%u at %" PRIu64 " ns", s->process, s->track, s->start);
        cr_assert(depth < 128);
        ends[depth++] = s->end;
    }
    free(slices);
    free(trace);
    run_free(&r);
}

Test(watch, a_cut_trace_says_what_it_lacks)
{
    struct run all, r;
    char *whole = traced(everything, usual(), &all);
    for (uint64_t limit = 1; limit < 2000; limit = limit * 3 + 1) {
        struct run_options o = usual();
        uint64_t at, limit_said, lacks[3], since;
        o.trace_limit = limit;
        char *trace = traced(everything, o, &r);
        cr_expect(is_json(trace));
        uint64_t events = count_of(trace, "{\"ph\":") - count_of(trace, "{\"ph\":\"M\"");
        cr_expect(events <= limit && events + 4 > limit, "%" PRIu64 " events, limit %" PRIu64, events, limit);
        int read = sscanf(machine_trace_left_out(r.machine),
                          "the trace is cut at its limit of %" SCNu64 " events, at %" SCNu64 " ps: it lacks %" SCNu64
                          " requests, %" SCNu64 " transitions and %" SCNu64 " messages", &limit_said, &since, &lacks[0], &lacks[1],
                          &lacks[2]);
        cr_assert_eq(read, 5, "%s", machine_trace_left_out(r.machine));
        cr_expect_eq(limit_said, limit);
        cr_expect(strstr(trace, machine_trace_left_out(r.machine)));
        at = count_of(whole, "{\"ph\":\"s\"");
        cr_expect_eq(lacks[2] + count_of(trace, "{\"ph\":\"s\""), at);
        cr_expect_eq(lacks[1] + count_of(trace, "{\"ph\":\"i\""), count_of(whole, "{\"ph\":\"i\""));
        check_flows(trace, at);
        free(trace);
        run_free(&r);
    }
    free(whole);
    run_free(&all);
}

Test(watch, a_window_of_time_holds_what_ended_in_it)
{
    struct run r;
    struct run_options o = usual();
    o.trace_from_ps = 2000000;
    o.trace_until_ps = 3000000;
    char *trace = traced(everything, o, &r);
    cr_expect(is_json(trace));
    cr_expect(strstr(trace, "the trace covers what ended in the time asked for"));
    cr_expect(count_of(trace, "{\"ph\":\"i\"") > 10);
    for (char *line = strtok(trace, "\n"); line; line = strtok(NULL, "\n")) {
        double when;
        unsigned a, b;
        if (sscanf(line, "{\"ph\":\"i\",\"pid\":%u,\"tid\":%u,\"ts\":%lf", &a, &b, &when) == 3)
            cr_expect(when >= 2.0 && when <= 3.0, "%s", line);
    }
    free(trace);
    run_free(&r);
}

/* ---- rows */

Test(watch, rows_are_counted)
{
    struct run r;
    prepare(&r, players, usual());
    run_prepared(&r);
    const struct row_counts *counts = machine_row_counts(r.machine);
    const struct protocol *p = machine_protocol(r.machine);
    uint64_t forwards = 0;
    for (unsigned s = 0; s < STATES_MAX; s++)
        forwards += counts->cache[s][CEV_FWD_GETM];
    cr_expect_eq(forwards, counter(&r, "home.forwards_sent_count"));
    cr_expect_eq(counts->cache[0][CEV_STORE], counter(&r, "cache.misses_count"));
    cr_expect_str_eq(cache_state_name(p, 0), "I");
    run_free(&r);
}
