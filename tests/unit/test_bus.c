/* tests/unit/test_bus.c - the snooping-bus protocols against walk-throughs of the kind that textbooks give: who ends in
 * which state, who supplied the data, what memory holds. Then what is a bus's own: a lost upgrade, a write-back that comes
 * too late, one who listens alone, a recall that asks everybody, and what the loader refuses.
 *
 * Walk-throughs in a file beside the source tree (../shared/external/coherence) are driven as well, where there are any.
 */
#include "tests/unit/test_bus_rig.h"

TestSuite(bus, .timeout = 120);

static struct bus b;

static void expect_states(const char *want, unsigned line)
{
    char got[128] = "";
    for (unsigned a = 0; a < b.agents; a++)
        sprintf(got + strlen(got), "%s%s", a ? " " : "", bus_state(&b, a, line));
    cr_expect_str_eq(got, want);
}

/* ---- walk-throughs in our own words: three caches, one line */

struct scene {
    char who, what;           /* '0'..'2'; r load, w store, x whole-line store, e evict, f flush, u read once */
    const char *states;       /* afterwards */
    char from;                /* data from: '0'..'2', 'm' last level, '-' nobody */
    char memory;              /* '=' the last level has the newest data, '!' it has not */
};

static void play(const char *protocol, const struct scene *scene, size_t n)
{
    static const enum cache_event events[] = { ['r'] = CEV_LOAD, ['w'] = CEV_STORE, ['x'] = CEV_STORE_FULL, ['e'] = CEV_EVICT,
                                               ['f'] = CEV_FLUSH, ['u'] = CEV_READ_ONCE };
    uint32_t newest = 0;
    bus_open(&b, protocol, 3);
    for (size_t i = 0; i < n; i++) {
        const struct scene *s = &scene[i];
        unsigned who = (unsigned)(s->who - '0');
        int from = s->from == 'm' ? FROM_BUS : s->from == '-' ? FROM_NOBODY : s->from - '0';
        bus_do(&b, who, 0, events[(unsigned char)s->what]);
        cr_expect(b.complete || s->what == 'e', "%s, scene %zu: not performed", protocol, i);
        if (s->what == 'w' || s->what == 'x')
            b.cache[who][0].version = ++newest;
        expect_states(s->states, 0);
        cr_expect_eq(b.data_from, from, "%s, scene %zu: data from %d", protocol, i, b.data_from);
        cr_expect_eq(b.line[0].version == newest, s->memory == '=', "%s, scene %zu: memory has %u of %u", protocol, i,
                     b.line[0].version, newest);
        for (unsigned a = 0; a < 3; a++)
            cr_expect(!cache_readable(b.rig.p, b.cache[a][0].state) || b.cache[a][0].version == newest,
                      "%s, scene %zu: cache %u reads %u, the newest is %u", protocol, i, a, b.cache[a][0].version, newest);
    }
    rig_free(&b.rig);
}
#define PLAY(protocol, scenes) play(protocol, scenes, sizeof scenes / sizeof *scenes)

Test(bus, msi_always_asks_twice)
{
    static const struct scene story[] = {
        { '0', 'r', "S I I", 'm', '=' }, { '0', 'w', "M I I", '-', '!' }, { '0', 'w', "M I I", '-', '!' },
        { '1', 'r', "S S I", '0', '=' }, { '2', 'r', "S S S", 'm', '=' }, { '2', 'w', "I I M", '-', '!' },
        { '0', 'w', "M I I", '2', '!' }, { '0', 'e', "I I I", '-', '=' }, { '1', 'w', "I M I", 'm', '!' },
        { '2', 'u', "I M I", '1', '!' }, { '2', 'x', "I I M", '-', '!' }, { '0', 'f', "I I I", '-', '=' },
    };
    PLAY("bus-msi", story);
}

Test(bus, mesi_knows_when_it_is_alone)
{
    static const struct scene story[] = {
        { '0', 'r', "E I I", 'm', '=' }, { '0', 'w', "M I I", '-', '!' }, { '1', 'r', "S S I", '0', '=' },
        { '2', 'r', "S S S", 'm', '=' }, { '1', 'e', "S I S", '-', '=' }, { '1', 'r', "S S S", 'm', '=' },
        { '1', 'w', "I M I", '-', '!' }, { '0', 'w', "M I I", '1', '!' }, { '2', 'u', "M I I", '0', '!' },
        { '0', 'e', "I I I", '-', '=' }, { '2', 'r', "I I E", 'm', '=' }, { '1', 'r', "I S S", '2', '=' },
        { '0', 'x', "M I I", '-', '!' }, { '0', 'f', "I I I", '-', '=' }, { '1', 'r', "I E I", 'm', '=' },
        { '1', 'e', "I I I", '-', '=' }, { '1', 'u', "I I I", 'm', '=' },
    };
    PLAY("bus-mesi", story);
}

Test(bus, moesi_shares_what_is_dirty)
{
    static const struct scene story[] = {
        { '0', 'r', "E I I", 'm', '=' }, { '0', 'w', "M I I", '-', '!' }, { '1', 'r', "O S I", '0', '!' },
        { '2', 'r', "O S S", '0', '!' }, { '0', 'w', "M I I", '-', '!' }, { '1', 'r', "O S I", '0', '!' },
        { '2', 'u', "O S I", '0', '!' }, { '0', 'e', "I S I", '-', '=' }, { '2', 'r', "I S S", 'm', '=' },
        { '2', 'w', "I I M", '-', '!' }, { '0', 'r', "S I O", '2', '!' }, { '0', 'w', "M I I", '2', '!' },
        { '1', 'r', "O S I", '0', '!' }, { '2', 'x', "I I M", '-', '!' }, { '1', 'r', "I S O", '2', '!' },
        { '1', 'f', "I I I", '-', '=' },
    };
    PLAY("bus-moesi", story);
}

/* ---- a file of such walk-throughs */

static const char *const protocol_of[] = { "bus-msi", "bus-mesi" };
enum { FIRST_ADDRESS = 0x100, BLOCK_BYTES = 8, BLOCKS = 4 };

static unsigned line_of(unsigned address) { return (address - FIRST_ADDRESS) / BLOCK_BYTES; }

/* "P0: B0=(I,100,0010) ...; P1: ...; mem 100=0010 ..." */
static void exercise_begins(const char *text)
{
    unsigned agent = 0, block, address, value;
    char state[4];
    const char *memory = strstr(text, "mem ");
    for (const char *s = text; (s = strpbrk(s, "PB")) && s < memory; s++) {
        sscanf(s, "P%u:", &agent);
        if (sscanf(s, "B%u=(%3[A-Z],%x,%x)", &block, state, &address, &value) == 4)
            bus_put(&b, agent, line_of(address), state, value);
    }
    for (const char *s = memory + 4; sscanf(s, "%x=%x", &address, &value) == 2; s += strcspn(s, " "), s += *s == ' ')
        b.line[line_of(address)].version = value;
}

/* Direct mapped: what lies in the block leaves first. */
static void make_room(unsigned agent, unsigned line)
{
    for (unsigned other = line % BLOCKS; other < BUS_LINES; other += BLOCKS)
        if (other != line && b.cache[agent][other].state != 0)
            bus_do(&b, agent, other, CEV_EVICT);
}

static unsigned exercise_operation(const char *text)
{
    unsigned agent, address, value, returned = 0;
    if (sscanf(text, "P%u write %x <- %x", &agent, &address, &value) == 3) {
        make_room(agent, line_of(address));
        bus_store(&b, agent, line_of(address), value);
    } else {
        cr_assert_eq(sscanf(text, "P%u read %x", &agent, &address), 2, "%s", text);
        make_room(agent, line_of(address));
        returned = bus_load(&b, agent, line_of(address));
    }
    return returned;
}

static unsigned exercise_result(const char *text, unsigned returned)
{
    unsigned agent, block, address, value, checked = 0;
    char state[4];
    for (const char *s = text; *s; s += strcspn(s, " "), s += *s == ' ') {
        if (sscanf(s, "P%u.B%u:(%3[A-Z],%x,%x)", &agent, &block, state, &address, &value) == 5) {
            const struct cache_line *l = &b.cache[agent][line_of(address)];
            cr_expect_str_eq(bus_state(&b, agent, line_of(address)), state, "%s", s);
            cr_expect(l->state == 0 || l->version == value, "%s: %#x", s, l->version);
            checked++;
        } else if (sscanf(s, "M[%x]=%x", &address, &value) == 2) {
            cr_expect_eq(b.line[line_of(address)].version, value, "%s", s);
            checked++;
        }
    }
    if (strstr(text, "returns") && sscanf(strstr(text, "returns"), "returns %x", &value) == 1)
        cr_expect_eq(returned, value, "%s", text);
    return checked;
}

static unsigned exercise(char *field[5])
{
    unsigned checked = 0;
    for (size_t p = 0; p < sizeof protocol_of / sizeof *protocol_of; p++) {
        bus_open(&b, protocol_of[p], BUS_AGENTS);
        exercise_begins(field[2]);
        checked += exercise_result(field[4], exercise_operation(field[3]));
        rig_free(&b.rig);
    }
    return checked;
}

/* "P1 R" to "E I I data from memory". What its authors take from a sharer comes from the last level here. */
static unsigned walk(char *field[5])
{
    unsigned who;
    char what, want[3][2], got[3][2];
    if (strcmp(field[2], "I I I") == 0)
        bus_open(&b, "bus-mesi", 3);
    cr_assert_eq(sscanf(field[3], "P%u %c", &who, &what), 2, "%s", field[3]);
    bus_do(&b, who - 1, 0, what == 'R' ? CEV_LOAD : CEV_STORE);
    cr_assert(b.complete);
    cr_assert_eq(sscanf(field[4], "%1s %1s %1s", want[0], want[1], want[2]), 3, "%s", field[4]);
    for (unsigned a = 0; a < 3; a++) {
        snprintf(got[a], sizeof got[a], "%s", bus_state(&b, a, 0));
        cr_expect_str_eq(got[a], want[a], "%s: %s", field[3], field[4]);
    }
    const char *from = strstr(field[4], "from");
    cr_assert(from);
    if (strstr(from, "memory") || strstr(from, "shared copy"))
        cr_expect_eq(b.data_from, FROM_BUS, "%s", field[4]);
    else if (strstr(from, "flush"))
        cr_expect_geq(b.data_from, 0, "%s", field[4]);
    else if (strstr(from, "BusUpgr"))
        cr_expect(b.asked[MSG_UPG] && b.data_from == FROM_NOBODY, "%s", field[4]);
    else
        cr_expect_eq(b.messages, 0, "%s", field[4]);
    return 1;
}

/* Cuts a line of comma separated values in place. */
static unsigned cut(char *line, char *field[5])
{
    unsigned n = 0;
    for (char *s = line; n < 5 && *s; n++) {
        bool quoted = *s == '"';
        field[n] = s + quoted;
        s = quoted ? strchr(field[n], '"') : s + strcspn(s, ",\r\n");
        if (quoted && s)
            *s++ = '\0';
        if (s && *s)
            *s++ = '\0';
    }
    return n;
}

Test(bus, a_file_of_walk_throughs)
{
    FILE *in = fopen(LABYRINTH_SRCDIR "/../shared/external/coherence/textbook-snooping.csv", "r");
    char line[2048], *field[5];
    unsigned exercises = 0, walks = 0;
    if (!in)
        cr_skip_test("there is no file of walk-throughs beside the source tree");
    while (fgets(line, sizeof line, in)) {
        if (cut(line, field) != 5)
            continue;
        if (strstr(field[0], "exercise"))
            exercises += exercise(field);
        if (strstr(field[0], "walk-through"))
            walks += walk(field);
    }
    fclose(in);
    cr_expect(exercises >= 20 && walks >= 7, "%u and %u results were compared", exercises, walks);
}

/* ---- races that only a bus has */

/* Two upgrade at once: the second finds its copy gone when its turn comes, and asks again. */
Test(bus, a_lost_upgrade_is_asked_again)
{
    bus_open(&b, "bus-mesi", 3);
    bus_do(&b, 0, 0, CEV_LOAD);
    bus_do(&b, 1, 0, CEV_LOAD);
    expect_states("S S I", 0);
    bus_begin(&b, 0, 0, CEV_STORE);
    struct bus_message late = bus_hold(&b);
    bus_do(&b, 1, 0, CEV_STORE);
    expect_states("IMU M I", 0);
    bus_do(&b, 2, 0, CEV_LOAD); /* now two share, and nobody owns */
    expect_states("IMU S S", 0);
    bus_arrives(&b, late);
    expect_states("M I I", 0);
    cr_expect(b.asked[MSG_GRANT] && b.asked[MSG_GETM] && b.data_from == FROM_BUS);
    rig_free(&b.rig);
}

/* The same, but a new owner is there: he knows that the asker's copy is old, and sends the line. */
Test(bus, a_lost_upgrade_gets_the_new_owners_data)
{
    bus_open(&b, "bus-mesi", 3);
    bus_do(&b, 0, 0, CEV_LOAD);
    bus_do(&b, 1, 0, CEV_LOAD);
    bus_begin(&b, 0, 0, CEV_STORE);
    struct bus_message late = bus_hold(&b);
    bus_store(&b, 1, 0, 5);
    bus_arrives(&b, late);
    expect_states("M I I", 0);
    cr_expect(!b.asked[MSG_GRANT] && !b.asked[MSG_GETM] && b.data_from == 1);
    cr_expect_eq(b.cache[0][0].version, 5);
    rig_free(&b.rig);
}

/* A write-back whose line is taken over before its turn must not reach memory. */
Test(bus, a_write_back_that_comes_too_late_is_none)
{
    bus_open(&b, "bus-mesi", 3);
    bus_store(&b, 0, 0, 1);
    bus_begin(&b, 0, 0, CEV_EVICT);
    struct bus_message late = bus_hold(&b);
    cr_expect_eq(late.m.kind, MSG_ASK_PUT);
    bus_store(&b, 1, 0, 2);
    expect_states("II M I", 0);
    bus_arrives(&b, late);
    expect_states("I M I", 0);
    cr_expect(b.asked[MSG_GRANT] && b.asked[MSG_ACK] && !b.asked[MSG_SNOOP_DATA]);
    cr_expect_eq(b.line[0].version, 0);
    rig_free(&b.rig);
}

Test(bus, everybody_is_asked_whoever_shares)
{
    for (unsigned agents = 2; agents <= BUS_AGENTS; agents *= 2) {
        bus_open(&b, "bus-mesi", agents);
        bus_do(&b, 0, 0, CEV_LOAD);
        cr_expect_eq(b.messages, 2 * (agents - 1) + 3, "request, snoops, answers, data, DONE");
        bus_do(&b, 1, 0, CEV_STORE);
        cr_expect_eq(b.messages, 2 * (agents - 1) + 4, "the owner's data and the bus's word");
        bus_do(&b, 1, 0, CEV_FLUSH);
        cr_expect_eq(b.messages, 2 * agents + 2, "its own snoop, too");
        rig_free(&b.rig);
    }
}

/* With nobody to ask the answer is there at once, and the home needs its data at once. */
Test(bus, one_who_is_alone_waits_for_nobody)
{
    bus_open(&b, "bus-mesi", 1);
    cr_expect(home_needs_data(b.rig.p, &b.line[0], HEV_GETS) && !home_needs_data(b.rig.p, &b.line[0], HEV_GETO));
    bus_do(&b, 0, 0, CEV_LOAD);
    expect_states("E", 0);
    cr_expect_eq(b.messages, 3);
    bus_do(&b, 0, 0, CEV_EVICT);
    bus_store(&b, 0, 0, 3);
    bus_do(&b, 0, 0, CEV_EVICT);
    cr_expect_eq(b.line[0].version, 3);
    cr_expect(home_needs_data(b.rig.p, &b.line[0], HEV_GETU) && home_needs_data(b.rig.p, &b.line[0], HEV_GETM));
    cr_expect(home_may_need_data(b.rig.p, &b.line[0], HEV_GETU) && home_may_need_data(b.rig.p, &b.line[0], HEV_GETS));
    cr_expect(!home_may_need_data(b.rig.p, &b.line[0], HEV_GETO) && !home_may_need_data(b.rig.p, &b.line[0], HEV_FLUSH));
    b.line[0].agents = 2;
    cr_expect(!home_needs_data(b.rig.p, &b.line[0], HEV_GETS), "others may have it");
    rig_free(&b.rig);
}

/* The last level gives the line up: no copy stays, the newest data comes back. */
Test(bus, a_recall_asks_everybody)
{
    bus_open(&b, "bus-moesi", 4);
    bus_store(&b, 1, 0, 8);
    bus_do(&b, 3, 0, CEV_LOAD);
    expect_states("I O I S", 0);
    struct outbox out;
    cr_assert_eq(home_step(b.rig.p, &b.line[0], HEV_RECALL, NULL, &out, NULL), STEP_DONE);
    cr_expect(out.n == 1 && out.m[0].kind == MSG_SNOOP_FLUSH && out.targets.w[0] == 0xf);
    bus_send(&b, &out, FROM_BUS, 0);
    bus_rest(&b);
    expect_states("I I I I", 0);
    cr_expect_eq(b.line[0].version, 8);
    cr_expect_eq(b.line[0].state, 0);
    cr_expect_eq(b.line[0].heard, 0);
    rig_free(&b.rig);
}

Test(bus, more_listeners_than_a_word_has_bits)
{
    bus_open(&b, "bus-mesi", 3);
    struct home_line line = { .owner = -1, .requester = -1, .txn = -1, .agents = 130 };
    struct msg gets = { .kind = MSG_GETS, .requester = 64, .txn = 1 };
    struct outbox out;
    cr_assert_eq(home_step(b.rig.p, &line, HEV_GETS, &gets, &out, NULL), STEP_DONE);
    cr_expect(out.targets.w[0] == UINT64_MAX && out.targets.w[1] == (UINT64_MAX & ~1ull) && out.targets.w[2] == 3);
    cr_expect_eq(line.acks, 129);
    rig_free(&b.rig);
}

/* OWNED before SHARED before none, in whatever order they come. */
Test(bus, answers_are_ored)
{
    static const struct { uint8_t first, last; enum home_event event; } answers[] = {
        { MSG_ACK, MSG_ACK, HEV_ALL_NONE }, { MSG_ACK, MSG_SHARED, HEV_ALL_SHARED }, { MSG_SHARED, MSG_ACK, HEV_ALL_SHARED },
        { MSG_OWNED, MSG_ACK, HEV_ALL_OWNED }, { MSG_ACK, MSG_OWNED, HEV_ALL_OWNED }, { MSG_OWNED, MSG_SHARED, HEV_ALL_OWNED },
        { MSG_SHARED, MSG_OWNED, HEV_ALL_OWNED }, { MSG_SNOOP_DATA, MSG_ACK, HEV_ALL_OWNED },
        { MSG_ACK, MSG_SNOOP_DATA, HEV_SNOOP_DATA_LAST },
    };
    bus_open(&b, "bus-mesi", 3);
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct home_line line = { .owner = -1, .requester = -1, .txn = -1, .agents = 3 };
        struct msg gets = { .kind = MSG_GETS }, answer = { .kind = answers[i].first };
        struct outbox out;
        cr_assert_eq(home_step(b.rig.p, &line, HEV_GETS, &gets, &out, NULL), STEP_DONE);
        enum home_event first = home_classify(&line, &answer);
        cr_expect_eq(first, answers[i].first == MSG_SNOOP_DATA ? HEV_SNOOP_DATA : HEV_ANSWER, "%zu", i);
        cr_assert_eq(home_step(b.rig.p, &line, first, &answer, &out, NULL), STEP_DONE);
        answer.kind = answers[i].last;
        cr_expect_eq(home_classify(&line, &answer), answers[i].event, "%zu", i);
    }
    rig_free(&b.rig);
}

/* ---- the file */

static char *dumped(const struct protocol *p)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    protocol_dump(out, p);
    fclose(out);
    return text;
}

Test(bus, a_dump_loads_to_the_same_tables)
{
    static const char *const names[] = { "bus-msi", "bus-mesi", "bus-moesi" };
    for (size_t i = 0; i < 3; i++) {
        bus_open(&b, names[i], 3);
        char *text = dumped(b.rig.p);
        struct rig again;
        rig_text(&again, text);
        cr_assert(again.p, "%s", again.errors);
        cr_expect_eq(again.p->family, FAMILY_BUS);
        for (unsigned c = 0; c < CTL_COUNT; c++)
            cr_expect_eq(memcmp(again.p->table[c].row, b.rig.p->table[c].row, sizeof again.p->table[c].row), 0);
        cr_expect_eq(again.p->n_equivalent, b.rig.p->n_equivalent);
        free(text);
        rig_free(&again);
        rig_free(&b.rig);
    }
}

Test(bus, prints_call_it_bus)
{
    static const enum protocol_format formats[] = { PROTOCOL_TEXT, PROTOCOL_MARKDOWN, PROTOCOL_DOT, PROTOCOL_CSV };
    static const char *const says[] = { "\nbus\n", "\n## bus\n", "bus_BR -> bus_BD [label=\"ALL_SHARED", "\nbus,BR,ALL_SHARED,do,BD,COUNT_ANSWER DATA_TO_REQ," };
    bus_open(&b, "bus-mesi", 3);
    for (size_t i = 0; i < 4; i++) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        protocol_print(out, b.rig.p, formats[i], NULL);
        fclose(out);
        cr_expect(strstr(text, says[i]), "format %zu lacks %s", i, says[i]);
        cr_expect(!strstr(text, "home"), "format %zu speaks of a home", i);
        free(text);
    }
    rig_free(&b.rig);
}

/* The shipped file with one piece of text replaced: what the loader says. */
static void refused(const char *old, const char *new, const char *says)
{
    static char text[65536], changed[65536];
    FILE *in = fopen(LABYRINTH_SRCDIR "/configs/protocols/bus-mesi.yaml", "r");
    cr_assert(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    char *at = strstr(text, old);
    cr_assert(at, "%s", old);
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
    struct rig r;
    rig_text(&r, changed);
    cr_expect_null(r.p, "%s", new);
    cr_expect(strstr(r.errors, says), "want: %s\ngot: %s", says, r.errors);
    rig_free(&r);
}

Test(bus, bad_tables_are_refused)
{
    refused("family: bus", "family: buss", "\"buss\" is given, allowed are directory and bus");
    refused("family: bus", "family: directory", "action SEND_ASK_PUT is none of the family directory");
    refused("[SNOOP_GETS_ALL]", "[INV_SHARERS]", "action INV_SHARERS is none of the family bus");
    refused("    - [S, SNOOP_GETM, I, [ANSWER_NONE]]\n", "", "cache: state S says nothing about SNOOP_GETM");
    refused("    - [BC, UPG, BU, [SNOOP_GETM_ALL], \"who owns the line knows that the asker has lost his copy\"]\n", "",
            "bus: state BC says nothing about UPG");
    refused("[S, SNOOP_GETS, S, [ANSWER_SHARED]", "[S, LOAD, S, [ANSWER_SHARED]", "action ANSWER_SHARED cannot apply to event LOAD");
    refused("[BR, ALL_NONE, BD, [COUNT_ANSWER, DATA", "[BR, ALL_NONE, BD, [SNOOP_GETS_ALL, DATA",
            "action SNOOP_GETS_ALL cannot apply to event ALL_NONE");
    refused("[BD, DONE, BC, []]", "[BD, DONE, BC, [COUNT_ANSWER]]", "action COUNT_ANSWER cannot apply to event DONE");
    refused("    - [II, PUTACK, I, [],", "    - [II, INV, II, []]\n    - [II, PUTACK, I, [],", "nobody sends the cache a INV");
    refused("BP: [GETS, ", "BP: [GETS, ALL_NONE, ", "event ALL_NONE cannot wait");
    refused("bus:\n  states", "home:\n  states", "key `bus` is missing: a protocol has a cache and a bus");
    refused("[bus, BI, GETO, BM, sends", "[home, BI, GETO, BM, sends", "allowed are cache and bus");
}
