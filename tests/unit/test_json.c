/* tests/unit/test_json.c - exact text of what is written; UTF-8; suggestions. */
#include "src/base/json.h"
#include "src/base/suggest.h"
#include "src/base/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static char *text;
static size_t bytes;

static void sample(bool compact)
{
    FILE *out = open_memstream(&text, &bytes);
    struct json w = json_writer(out, compact);
    json_object(&w, NULL);
    json_u64(&w, "sum_ps", UINT64_MAX);
    json_fixed3(&w, "mean_ns", 257750);
    json_fixed3(&w, "min_ns", 7);
    json_array(&w, "list");
    json_i64(&w, NULL, INT64_MIN);
    json_bool(&w, NULL, true);
    json_object(&w, NULL);
    json_end(&w);
    json_end(&w);
    json_null(&w, "none");
    json_hex64(&w, "order_hash", 0xab);
    json_end(&w);
    json_finish(&w);
    fclose(out);
}

Test(json, indented)
{
    sample(false);
    cr_assert_str_eq(text, "{\n  \"sum_ps\": 18446744073709551615,\n  \"mean_ns\": 257.750,\n  \"min_ns\": 0.007,\n"
                           "  \"list\": [\n    -9223372036854775808,\n    true,\n    {}\n  ],\n  \"none\": null,\n"
                           "  \"order_hash\": \"0x00000000000000ab\"\n}\n");
    free(text);
}

Test(json, compact)
{
    sample(true);
    cr_assert_str_eq(text, "{\"sum_ps\":18446744073709551615,\"mean_ns\":257.750,\"min_ns\":0.007,"
                           "\"list\":[-9223372036854775808,true,{}],\"none\":null,"
                           "\"order_hash\":\"0x00000000000000ab\"}\n");
    free(text);
}

Test(json, escapes_and_repairs_text)
{
    FILE *out = open_memstream(&text, &bytes);
    struct json w = json_writer(out, true);
    json_array(&w, NULL);
    json_string(&w, NULL, "a\"b\\c\n\t\x01\x7f");
    json_string(&w, NULL, "\xc2\xb5s \xe2\x96\x88 \xf0\x9f\x98\x80");
    json_string(&w, NULL, "\xff|\xc2|\xe2\x96|\xc0\xaf|\xed\xa0\x80|\xf5\x80\x80\x80|\xe2");
    json_string(&w, NULL, NULL);
    json_end(&w);
    json_finish(&w);
    fclose(out);
#define BAD "\xef\xbf\xbd"
    cr_assert_str_eq(text, "[\"a\\\"b\\\\c\\n\\t\\u0001\\u007f\",\"\xc2\xb5s \xe2\x96\x88 \xf0\x9f\x98\x80\",\"" BAD
                           "|" BAD "|" BAD BAD "|" BAD BAD "|" BAD BAD BAD "|" BAD BAD BAD BAD "|" BAD "\",null]\n");
    free(text);
}

Test(json, key_in_array_is_a_panic, .exit_code = 1)
{
    struct json w = json_writer(stderr, true);
    json_array(&w, NULL);
    json_u64(&w, "key", 1);
}

Test(json, key_missing_is_a_panic, .exit_code = 1)
{
    struct json w = json_writer(stderr, true);
    json_object(&w, NULL);
    json_u64(&w, NULL, 1);
}

Test(json, unfinished_is_a_panic, .exit_code = 1)
{
    struct json w = json_writer(stderr, true);
    json_object(&w, NULL);
    json_finish(&w);
}

Test(json, second_value_is_a_panic, .exit_code = 1)
{
    struct json w = json_writer(stderr, true);
    json_u64(&w, NULL, 1);
    json_u64(&w, NULL, 2);
}

Test(utf8, columns)
{
    cr_assert_eq(utf8_columns("abc"), 3);
    cr_assert_eq(utf8_columns("\xc2\xb5s"), 2);              /* micro sign */
    cr_assert_eq(utf8_columns("e\xcc\x81"), 1);              /* e, combining acute */
    cr_assert_eq(utf8_columns("\xe4\xb8\xad\xe6\x96\x87"), 4); /* two ideographs */
    cr_assert_eq(utf8_columns(""), 0);
}

Test(suggest, distances)
{
    cr_assert_eq(suggest_distance("cores", "cores", 9), 0);
    cr_assert_eq(suggest_distance("croes", "cores", 9), 1);   /* swap */
    cr_assert_eq(suggest_distance("core", "cores", 9), 1);
    cr_assert_eq(suggest_distance("kitten", "sitting", 9), 3);
    cr_assert_eq(suggest_distance("Store_Buffer", "store-buffer", 9), 0);
    cr_assert_eq(suggest_distance("kitten", "sitting", 2), 3); /* limit + 1 */
    cr_assert_eq(suggest_distance("", "abc", 9), 3);
    cr_assert_eq(suggest_distance("ca", "abc", 9), 3);        /* the restricted distance */
}

Test(suggest, nearest)
{
    static const char *const known[] = { "cores", NULL, "protocol", "network", "kernel" };
    cr_assert_str_eq(suggest_nearest("coers", known, 5), "cores");
    cr_assert_str_eq(suggest_nearest("protokol", known, 5), "protocol");
    cr_assert_null(suggest_nearest("zzz", known, 5));
    cr_assert_null(suggest_nearest("x", known, 0));
    char longest[400];
    memset(longest, 'a', sizeof longest);
    longest[399] = '\0';
    cr_assert_null(suggest_nearest(longest, known, 5));
}
