/* tests/unit/test_history.c - the ring of coherence transitions. */
#include "src/sim/history.h"

#include <criterion/criterion.h>
#include <string.h>

static struct history_entry entry(tick when, uint64_t line, int from)
{
    return (struct history_entry){ .when = when, .line = { line }, .who = "core0.cache", .event = "LOAD", .old_state = "I",
                                   .new_state = "IS", .from = from };
}

static const char *printed(const struct history *h, uint64_t line, unsigned most)
{
    static char text[4096];
    memset(text, 0, sizeof text);
    FILE *out = fmemopen(text, sizeof text - 1, "w");
    history_print(h, (lineno){ line }, most, out);
    fclose(out);
    return text;
}

static unsigned lines_of(const char *text)
{
    unsigned n = 0;
    for (; *text; text++)
        n += *text == '\n';
    return n;
}

Test(history, prints_what_concerns_the_line_oldest_first)
{
    struct history *h = history_new(8);
    history_add(h, entry(100, 7, -1));
    history_add(h, entry(200, 8, 3));
    history_add(h, entry(300, 7, 5));
    const char *text = printed(h, 7, 10);
    const char *first = strstr(text, " 100 ps"), *second = strstr(text, " 300 ps");
    cr_expect(first && second && first < second, "%s", text);
    cr_expect_null(strstr(text, " 200 ps"));
    cr_expect_not_null(strstr(second, "for agent 5"));
    cr_expect(strstr(text, "for agent") > second, "the first one caused it itself");
    cr_expect_not_null(strstr(text, "core0.cache"));
    cr_expect_not_null(strstr(text, "I > IS"));
    history_free(h);
}

/* 5 entries are rounded up to a ring of 8: of 12, those numbered 4 to 11 are left. */
Test(history, keeps_the_last_ones)
{
    struct history *h = history_new(5);
    for (unsigned i = 0; i < 12; i++)
        history_add(h, entry(1000 + i, 7, -1));
    const char *text = printed(h, 7, 100);
    cr_expect_eq(lines_of(text), 8);
    cr_expect_null(strstr(text, "1003 ps"));
    cr_expect_not_null(strstr(text, "1004 ps"));
    cr_expect_not_null(strstr(text, "1011 ps"));
    history_free(h);
}

Test(history, prints_the_newest_when_there_are_too_many)
{
    struct history *h = history_new(16);
    for (unsigned i = 0; i < 10; i++)
        history_add(h, entry(1000 + i, i % 2, -1)); /* line 1: 1001, 1003, .. 1009 */
    const char *text = printed(h, 1, 2);
    cr_expect_eq(lines_of(text), 2);
    cr_expect(strstr(text, "1007 ps") && strstr(text, "1009 ps"), "%s", text);
    history_free(h);
}

Test(history, says_when_it_knows_nothing)
{
    struct history *h = history_new(4);
    for (unsigned i = 0; i < 9; i++)
        history_add(h, entry(i, 3, -1));
    cr_expect_not_null(strstr(printed(h, 4, 10), "no transition of this line among the last 4"));
    cr_expect_not_null(strstr(printed(h, 3, 0), "no transition"));
    history_free(h);
}

static void tap(void *arg, const struct history_entry *e) { *(tick *)arg += e->when; }

Test(history, a_tap_sees_each_entry_once_until_it_is_cleared)
{
    struct history *h = history_new(1);
    tick sum = 0;
    history_add(h, entry(1, 1, -1));
    history_tap(h, tap, &sum);
    history_add(h, entry(10, 1, -1));
    history_add(h, entry(100, 2, -1));
    history_tap(h, NULL, NULL);
    history_add(h, entry(1000, 1, -1));
    cr_expect_eq(sum, 110);
    history_free(h);
}

/* ---- which lines there are */

struct told { uint64_t line[8]; unsigned count, most; };

static bool tell(void *arg, lineno line)
{
    struct told *t = arg;
    t->line[t->count++] = line.v;
    return t->count < t->most;
}

Test(history, names_each_line_once_the_latest_first)
{
    struct history *h = history_new(4);
    const uint64_t lines[] = { 3, 7, 9, 7, 8, 7 }; /* a ring of 4: the first two are gone */
    for (unsigned i = 0; i < 6; i++)
        history_add(h, entry(i, lines[i], -1));
    struct told all = { .most = 8 }, two = { .most = 2 };
    history_lines(h, tell, &all);
    cr_expect(all.count == 3 && all.line[0] == 7 && all.line[1] == 8 && all.line[2] == 9);
    history_lines(h, tell, &two);
    cr_expect_eq(two.count, 2, "it stops when told to");
    history_free(h);
}
