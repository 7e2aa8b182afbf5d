/* tests/unit/test_table.c - alignment, bars, durations: exact text. */
#include "src/base/table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *printed(struct table *t)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    table_print(t, out);
    fclose(out);
    table_free(t);
    return text;
}

Test(table, columns_align_and_lines_have_no_trailing_blanks)
{
    struct table *t = table_new((struct text_style){ 0 });
    table_column(t, "class", TABLE_LEFT);
    table_column(t, "count", TABLE_RIGHT);
    table_column(t, "mean ns", TABLE_RIGHT);
    table_column(t, "note", TABLE_LEFT);
    table_row(t);
    table_cell(t, "page.own \xc2\xb5");
    table_cell_u64(t, 1234567);
    table_cell_fixed3(t, 1999995, 2);
    table_row(t);
    table_cell(t, "load");
    table_cell_u64(t, 12);
    table_cell_fixed3(t, 499, 0);
    table_cell(t, "ok");
    char *text = printed(t);
    cr_assert_str_eq(text, "class           count   mean ns  note\n"
                           "-------------------------------------\n"
                           "page.own \xc2\xb5  1 234 567  2 000.00\n"
                           "load               12         0  ok\n");
    free(text);
}

static char *bar_of(bool utf8, uint64_t part, uint64_t whole)
{
    struct table *t = table_new((struct text_style){ .utf8 = utf8 });
    table_column(t, "", TABLE_LEFT);
    table_row(t);
    table_cell_bar(t, part, whole, 4);
    return printed(t);
}

Test(table, bars)
{
    static const struct {
        bool utf8;
        uint64_t part, whole;
        const char *want;
    } cases[] = {
        { false, 1, 2, "##\n" },
        { false, 1, 1000000, "#\n" },   /* something is never nothing */
        { false, 0, 5, "\n" },
        { false, 0, 0, "\n" },
        { false, 9, 5, "####\n" },      /* clamped */
        { true, 1, 4, "\xe2\x96\x88\n" },
        { true, 3, 8, "\xe2\x96\x88\xe2\x96\x8c\n" }, /* one and a half */
        { true, 1, 1000, "\xe2\x96\x8f\n" },
        { true, UINT64_MAX, UINT64_MAX, "\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\xe2\x96\x88\n" },
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = bar_of(cases[i].utf8, cases[i].part, cases[i].whole);
        cr_assert_str_eq(text, cases[i].want, "case %u: '%s'", i, text);
        free(text);
    }
}

Test(table, breakdown_adds_the_total)
{
    static const struct breakdown_part parts[] = { { "coherence", 150000 }, { "lock", 0 }, { "zero", 50000 } };
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    breakdown_print(out, (struct text_style){ 0 }, parts, 3, 200000);
    fclose(out);
    cr_assert_str_eq(text, "where the time went      ns    share\n"
                           "--------------------------------------------------------------\n"
                           "coherence            150.00   75.0 %  ########################\n"
                           "zero                  50.00   25.0 %  ########\n"
                           "--------------------------------------------------------------\n"
                           "total                200.00  100.0 %\n");
    free(text);
}

Test(table, words_are_wrapped_at_100_columns)
{
    char words[300], *text;
    memset(words, 'x', sizeof words);
    words[84] = words[90] = ' '; /* 84 columns and 5: with 10 before them exactly 100 */
    words[97] = '\0';
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    print_wrapped(out, 10, 4, words);
    words[95] = '\0';
    print_wrapped(out, 10, 4, words + 85);
    print_wrapped(out, 11, 4, words);
    fclose(out);
    cr_assert_str_eq(text, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx xxxxx\n"
                           "    xxxxxx\n"
                           "xxxxx xxxx\n"
                           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
                           "    xxxxx xxxx\n");
    free(text);
}

Test(table, style_follows_the_environment)
{
    FILE *out = tmpfile();
    setenv("LC_ALL", "C", 1);
    cr_assert_not(text_style_for(out).utf8);
    cr_assert_not(text_style_for(out).ansi); /* not a terminal */
    setenv("LC_ALL", "", 1);
    setenv("LC_CTYPE", "en_US.UTF-8", 1);
    cr_assert(text_style_for(out).utf8);
    fclose(out);
}

Test(table, durations_have_three_digits)
{
    static const struct {
        uint64_t ps;
        const char *want;
    } cases[] = { { 0, "0 ps" },         { 469, "469 ps" },       { 1000, "1.00 ns" },   { 35500, "35.5 ns" },
                  { 999499, "999 ns" },  { 999500, "1.00 us" },   { 9996, "10.0 ns" },   { 1234567890, "1.23 ms" },
                  { 5000000000000, "5.00 s" } };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[DURATION_BYTES];
        cr_assert_str_eq(duration_text(buffer, cases[i].ps), cases[i].want, "%s", buffer);
    }
}

Test(table, too_many_cells_is_a_panic, .exit_code = 1)
{
    struct table *t = table_new((struct text_style){ 0 });
    table_column(t, "one", TABLE_LEFT);
    table_row(t);
    table_cell(t, "a");
    table_cell(t, "b");
}
