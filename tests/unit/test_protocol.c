/* tests/unit/test_protocol.c - protocol files: what is refused and where, the dump, and the printed forms. */
#include <criterion/criterion.h>

#include "tests/unit/test_protocol_rig.h"

static struct rig rig;

static void teardown(void) { rig_free(&rig); }

TestSuite(protocol, .fini = teardown);

Test(protocol, shipped_and_small_load)
{
    rig_mesi(&rig);
    cr_assert(rig.p, "%s", rig.errors);
    cr_expect_str_eq(rig.errors, "");
    cr_expect_eq(rig.p->table[CTL_CACHE].n_states, 13);
    cr_expect_eq(protocol_row_count(rig.p, CTL_CACHE), 123);
    cr_expect_eq(protocol_row_count(rig.p, CTL_HOME), 147);
    rig_free(&rig);
    rig_one_copy(&rig, 0, NULL);
    cr_assert(rig.p, "%s", rig.errors);
}

/* One fault a line: which line is replaced by what, and what the message must say. */
static const struct fault { unsigned line; const char *with, *position, *says; } faults[] = {
    { 12, "    - [I, LOAD, IN, [SEND_GETM]]", "p.yaml:12:17: cache.rows.0.2: ", "\"IN\" is no state of the cache" },
    { 12, "    - [Q, LOAD, IM, [SEND_GETM]]", "p.yaml:12:8: cache.rows.0.0: ", "\"Q\" is no state of the cache" },
    { 13, "    - [I, LOAD, IM, [SEND_GETM]]", "p.yaml:13:7: ",
      "a second row for state I, event LOAD; the first is in line 12" },
    { 23, "    IM: [LOAD, STORE, EVICT, LOAD]", "p.yaml:23:30: ", "a second row for state IM, event LOAD" },
    { 24, "    MI: [LOAD, STORE, EVICT, PUTACK]", "p.yaml:24:30: ", "event PUTACK cannot wait" },
    { 25, "    IX: [LOAD]", "p.yaml:25:5: ", "\"IX\" is no state of the cache" },
    { 14, "    - [M, LOAF, M, [COMPLETE]]", "p.yaml:14:11: ", "\"LOAF\" is no event of the cache" },
    { 14, "    - [M, GETS, M, [COMPLETE]]", "p.yaml:14:11: ", "\"GETS\" is no event of the cache" },
    { 16, "    - [M, EVICT, MI, [SEND_PUTT]]", "p.yaml:16:23: ", "\"SEND_PUTT\" is no action of the cache" },
    { 16, "    - [M, EVICT, MI, SEND_PUT]", "p.yaml:16:22: ", "allowed is a list" },
    { 16, "    - [M, EVICT, MI, [SEND_PUT], why, more]", "p.yaml:16:7: ", "6 items are given, allowed are 4 or 5" },
    { 16, "    - [M, EVICT, MI, [TAKE_DATA]]", "p.yaml:16:23: ", "action TAKE_DATA cannot apply to event EVICT" },
    { 20, "    - [M, FWD_GETM, I, [SEND_GETM]]", "p.yaml:20:25: ", "action SEND_GETM cannot apply to event FWD_GETM" },
    { 35, "    - [DM, PUT_OWNER, DI, [SEND_PUT]]", "p.yaml:35:28: ", "\"SEND_PUT\" is no action of the home" },
    { 37, "    - [DB, DONE, DM, [REQ_IS_OWNER, KEEP_DATA]]", "p.yaml:37:37: ",
      "action KEEP_DATA cannot apply to event DONE" },
    { 17, "    - [IM, DATA_LAST, M, [COMPLETE, COMPLETE, COMPLETE, COMPLETE, COMPLETE, COMPLETE, COMPLETE]]",
      "p.yaml:17:87: ", "more than 6 actions in one row" },
    { 10, "    II:", "p.yaml:10:", "state \"II\" has no sentence" },
    { 10, "    II: x\n    XX: Never left.", "p.yaml:11:5: cache: ", "state XX cannot be reached" },
    { 10, "    II: x\n    a-b: Odd.", "p.yaml:11:5: cache: ", "\"a-b\" cannot name a state" },
    { 12, "    - [I, LOAD, IM, [SEND_GETS]]", "p.yaml:12:22: ", "nobody receives GETS: the home has no row for it" },
    { 35, "    - [DM, PUT_OWNER, DI, [KEEP_DATA, NO_OWNER, PUTACK_TO_REQ]]\n    - [DM, GETS, DM, []]", "p.yaml:36:12: ",
      "nobody sends the home a GETS" },
    { 12, "    - [I, LOAD, I, [COMPLETE]]", "p.yaml:12:11: ", "event LOAD cannot hit in the first state" },
    { 23, "    IM: [LOAD, STORE, EVICT]\n    I: [EVICT]", "p.yaml:24:9: ", "event EVICT cannot wait in the first state" },
    { 39, "    DB: [PUT_OWNER, PUT_OLD]\n  rows2: []", "p.yaml:40:3: ", "unknown key" },
    { 37, "    - [DB, DONE, DM, [REQ_IS_OWNER]]\n    - [DB, RECALL, DB, []]", "p.yaml:38:12: ",
      "event RECALL cannot be served in state DB" },
    { 1, "kind: machine", "p.yaml:1:7: kind: ", "\"machine\" is given, allowed is protocol" },
    { 2, "name: one copy", "p.yaml:2:7: name: ", "\"one copy\" cannot name a protocol" },
    { 2, NULL, "p.yaml:1:1: ", "key `name` is missing" },
    { 11, "  rowz:", "p.yaml:5:3: cache: ", "key `rows` is missing" },
    { 3, "title: t\nequivalent:\n  - [cache, I, FLUSH, delete, because]", "p.yaml:5:5: ",
      "there is no row for state I, event FLUSH" },
    { 3, "title: t\nequivalent:\n  - [cache, I, LOAD, gone, because]", "p.yaml:5:22: ", "\"gone\" is no state" },
};

Test(protocol, faults_are_refused_at_their_place)
{
    for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) {
        if (i)
            rig_free(&rig);
        rig_one_copy(&rig, faults[i].line, faults[i].with);
        cr_expect_null(rig.p, "fault %u: %s", i, faults[i].with);
        const char *at = strstr(rig.errors, faults[i].position);
        cr_expect(at, "fault %u: want position %s, got\n%s", i, faults[i].position, rig.errors);
        cr_expect(at && strstr(at, faults[i].says), "fault %u: want \"%s\", got\n%s", i, faults[i].says, rig.errors);
    }
}

Test(protocol, all_faults_in_one_go_with_suggestions)
{
    rig_one_copy(&rig, 12, "    - [I, LOADD, IM, [SEND_GETM]]\n    - [I, STORE, IX, [SEND_GETMM]]");
    cr_expect_null(rig.p);
    cr_expect_eq(diag_count(rig.diag), 3, "%s", rig.errors);
    cr_expect(strstr(rig.errors, "Did you mean \"LOAD\"?"), "%s", rig.errors);
    cr_expect(strstr(rig.errors, "Did you mean \"SEND_GETM\"?"), "%s", rig.errors);
}

static char *dumped(const struct protocol *p)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    protocol_dump(out, p);
    fclose(out);
    return text;
}

static void dump_reads_back(void)
{
    char *first = dumped(rig.p);
    struct rig again;
    rig_text(&again, first);
    cr_assert(again.p, "%s", again.errors);
    for (unsigned c = 0; c < CTL_COUNT; c++)
        cr_expect_arr_eq(rig.p->table[c].row, again.p->table[c].row, sizeof rig.p->table[c].row);
    cr_expect_eq(rig.p->n_equivalent, again.p->n_equivalent);
    char *second = dumped(again.p);
    cr_expect_str_eq(first, second);
    free(first);
    free(second);
    rig_free(&again);
}

Test(protocol, dump_reads_back_to_the_same_tables)
{
    rig_mesi(&rig);
    dump_reads_back();
    rig_free(&rig);
    rig_one_copy(&rig, 0, NULL);
    dump_reads_back();
}

static char *printed(enum protocol_format format, const struct row_counts *counts)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    protocol_print(out, rig.p, format, counts);
    fclose(out);
    return text;
}

static void expect_in(char *text, const char *part)
{
    cr_expect(strstr(text, part), "want \"%s\" in\n%s", part, text);
    free(text);
}

Test(protocol, printed_forms)
{
    rig_one_copy(&rig, 0, NULL);
    expect_in(printed(PROTOCOL_TEXT, NULL), "I     | > IM  | > IM  | -     | -          | -      | -");
    expect_in(printed(PROTOCOL_TEXT, NULL), "M     | hit   | hit   | > MI  | -          | -      | > I");
    expect_in(printed(PROTOCOL_TEXT, NULL), "IM    | wait  | wait  | wait  | > M [1]    | -      | -");
    expect_in(printed(PROTOCOL_TEXT, NULL), "  [1] the \"only\" way in\n");
    expect_in(printed(PROTOCOL_MARKDOWN, NULL), "| **M** | hit | hit | > MI<br>!PUT | - | - | > I<br>!DATA |");
    expect_in(printed(PROTOCOL_DOT, NULL), "home_DM -> home_DB [label=\"GETM\"];");
    expect_in(printed(PROTOCOL_CSV, NULL),
              "cache,IM,DATA_LAST,do,M,TAKE_DATA COUNT_DATA SEND_DONE COMPLETE,\"the \"\"only\"\" way in\"\n");
    expect_in(printed(PROTOCOL_CSV, NULL), "home,DB,GETM,wait,DB,,\"\"\n");
    struct row_counts counts = { 0 };
    counts.cache[1][CEV_LOAD] = 42;
    expect_in(printed(PROTOCOL_CSV, &counts), "cache,M,LOAD,do,M,COMPLETE,\"\",42\n");
    expect_in(printed(PROTOCOL_CSV, &counts), "cache,M,STORE,do,M,COMPLETE,\"\",0\n");
    expect_in(printed(PROTOCOL_TEXT, &counts), "M     | hit   | hit   | > MI  | -          | -      | > I\n"
                                               "      | 42x   | never | !PUT  |            |        | !DATA\n"
                                               "      |       |       | never |            |        | never\n");
    expect_in(printed(PROTOCOL_TEXT, &counts), "  1 of the 10 rows of the cache that act ran, and 0 of the 9 that wait\n");
    expect_in(printed(PROTOCOL_MARKDOWN, &counts), "| **M** | hit<br>42x | hit<br>never |");
    expect_in(printed(PROTOCOL_DOT, &counts), "label=\"GETM\\n0x\", style=dashed, color=gray, fontcolor=gray];");
    counts.home[0][HEV_GETM] = 7;
    expect_in(printed(PROTOCOL_DOT, &counts), "label=\"GETM\\n7x\"];");
}

static char *explained(const char *state, const char *event, bool expect_found)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    cr_expect_eq(protocol_explain_row(out, rig.p, state, event), expect_found);
    fclose(out);
    return text;
}

Test(protocol, one_row_in_words)
{
    rig_mesi(&rig);
    expect_in(explained("S", "STORE", true), "\n    sends GETM       Asks for the only copy, to write.\n");
    expect_in(explained("S", "STORE", true), "The line is then in:\n  SM                 Asked to write; the old copy can still be read.\n");
    expect_in(explained("DS", "GETM", true), "\n    sends INV        ");
    expect_in(explained("I", "FWD_GETS", true), "This cannot happen");
    expect_in(explained("DBO", "GETS", true), "It waits");
    expect_in(explained("IM", "LOAD", true), "meanwhile:\n  DATA_ACKS, DATA_LAST, GRANT_ACKS, GRANT_LAST, ACK, INV\n");
    expect_in(explained("M", "DATA", true), "What can happen in this state:\n  LOAD, STORE, STORE_FULL, FLUSH, EVICT, READ_ONCE");
    expect_in(explained("M", "LOAD", true), "A hit: ");
    expect_in(explained("S", "EVICT", true), "Nothing is sent.\nThe line is then in:\n");
    expect_in(explained("IMA", "ACK_LAST", true), "  COMPLETE           The operation that waited for this is performed");
    free(explained("S", "GETS", false));
    free(explained("nowhere", "LOAD", false));
}

Test(protocol, vocabulary_names_everything_with_a_sentence)
{
    char *text = NULL;
    size_t bytes = 0;
    FILE *out = open_memstream(&text, &bytes);
    protocol_vocabulary(out);
    fclose(out);
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        for (unsigned e = 0; e < vocabularies[c].n_events; e++)
            cr_expect(strstr(text, vocabularies[c].events[e].name) && *vocabularies[c].events[e].sentence);
        for (unsigned a = 1; a < vocabularies[c].n_actions; a++)
            cr_expect(strstr(text, vocabularies[c].actions[a].name) && *vocabularies[c].actions[a].sentence);
    }
    free(text);
    rig_mesi(&rig);
}
