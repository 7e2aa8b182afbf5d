/* tests/unit/test_config_quantity.c - numbers with units come out exactly, or not at all. */
#include <criterion/criterion.h>

#include "src/base/rng.h"
#include "src/config/quantity.h"

struct good {
    enum quantity q;
    const char *text;
    uint64_t value;
};

Test(quantity, exact_values)
{
    static const struct good rows[] = {
        { Q_COUNT, "0", 0 }, { Q_COUNT, "18446744073709551615", UINT64_MAX },
        { Q_BYTES, "32KiB", 32768 }, { Q_BYTES, "1.5 MiB", 1572864 }, { Q_BYTES, "16777215TiB", 16777215ull << 40 },
        { Q_BYTES, "0.5KiB", 512 }, { Q_BYTES, "7B", 7 },
        { Q_TIME, "39.25ns", 39250 }, { Q_TIME, "14 ns", 14000 }, { Q_TIME, "0.001ns", 1 }, { Q_TIME, "1s", 1000000000000 },
        { Q_TIME, "0.000000000001s", 1 }, { Q_TIME, "1.50000000000000000000000000ns", 1500 }, { Q_TIME, "2.5us", 2500000 },
        { Q_CYCLES, "14cycles", 14 }, { Q_CYCLES, "1 cycle", 1 },
        { Q_HZ, "2.13GHz", 2130000000 }, { Q_HZ, "100MHz", 100000000 }, { Q_HZ, "1.234567891GHz", 1234567891 },
        { Q_RATE, "1000/s", 1000 }, { Q_RATE, "1.5/ms", 1500 }, { Q_RATE, "2 /us", 2000000 },
        { Q_PERMYRIAD, "12.5%", 1250 }, { Q_PERMYRIAD, "100%", 10000 }, { Q_PERMYRIAD, "0.01 %", 1 },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 99;
        struct complaint c = { .what = "" };
        cr_expect(quantity_parse(rows[i].text, rows[i].q, &value, &c), "%s: %s", rows[i].text, c.what);
        cr_expect_eq(value, rows[i].value, "%s is %lu", rows[i].text, value);
    }
}

struct bad {
    enum quantity q;
    const char *text, *part; /* what the complaint must mention */
};

Test(quantity, refusals_say_what_is_allowed)
{
    static const struct bad rows[] = {
        { Q_COUNT, "", "nothing" }, { Q_COUNT, "-3", "negative" }, { Q_COUNT, "3.5", "whole" }, { Q_COUNT, "8 ", "without a unit" },
        { Q_COUNT, "1_000", "without a unit" }, { Q_COUNT, "010", "leading" }, { Q_COUNT, "0x10", "leading" },
        { Q_COUNT, "1e9", "without a unit" }, { Q_COUNT, "+1", "count" }, { Q_COUNT, "18446744073709551616", "large" },
        { Q_BYTES, "32", "no unit, allowed are B, KiB" }, { Q_BYTES, "32KB", "\"KB\"" }, { Q_BYTES, "32kib", "\"kib\"" },
        { Q_BYTES, "0.3KiB", "whole in B" }, { Q_BYTES, "16777216TiB", "large" }, { Q_BYTES, "1.KiB", "unit" },
        { Q_TIME, "14", "no unit, allowed are ps, ns, us, ms, s" }, { Q_TIME, "0.5ps", "whole in ps" },
        { Q_TIME, "0.0001ns", "whole in ps" }, { Q_TIME, "14NS", "unknown unit" }, { Q_TIME, "1  ns", "unknown unit" },
        { Q_TIME, "18446745s", "large" }, { Q_TIME, "0.00000000000000000000000000000000000000000000001s", "long" },
        { Q_TIME, "9999999999999999999999999999999999ns", "large" }, { Q_TIME, "nan", "given" },
        { Q_CYCLES, "4.5cycles", "whole" }, { Q_CYCLES, "4ns", "unknown unit" }, { Q_CYCLES, "4", "allowed are cycles" },
        { Q_HZ, "0.5Hz", "whole in Hz" }, { Q_HZ, "2.2", "no unit" }, { Q_HZ, "2ghz", "unknown unit" },
        { Q_PERMYRIAD, "12.505%", "two decimals" }, { Q_PERMYRIAD, "0.5", "no unit, allowed are %" },
        { Q_RATE, "0.5/s", "whole in events per second" }, { Q_RATE, "5Hz", "unknown unit" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t value = 99;
        struct complaint c = { .what = "" };
        cr_expect_not(quantity_parse(rows[i].text, rows[i].q, &value, &c), "%s was accepted as %lu", rows[i].text, value);
        cr_expect_eq(value, 99, "%s changed the value", rows[i].text);
        cr_expect(strstr(c.what, rows[i].part), "%s: \"%s\" lacks \"%s\"", rows[i].text, c.what, rows[i].part);
        cr_expect(c.rule && *c.rule);
    }
}

Test(quantity, time_in_cycles_uses_the_clock)
{
    uint64_t ps = 0;
    struct complaint c;
    cr_expect(quantity_parse_time("14cycles", 469, &ps, &c) && ps == 6566);
    cr_expect(quantity_parse_time("4.5 cycles", 400, &ps, &c) && ps == 1800);
    cr_expect(quantity_parse_time("4.5cycles", 303, &ps, &c) && ps == 1364, "1363.5 is rounded up");
    cr_expect(quantity_parse_time("39.25ns", 303, &ps, &c) && ps == 39250);
    cr_expect_not(quantity_parse_time("4cycles", 0, &ps, &c));
    cr_expect(strstr(c.rule, "no clock"));
    cr_expect_not(quantity_parse_time("18446744073709551615cycles", 2, &ps, &c));
    cr_expect_not(quantity_parse_time("14", 469, &ps, &c));
    cr_expect(strstr(c.rule, "or cycles"));
}

/* Property: what is printed reads back to the same number. */
Test(quantity, format_round_trip)
{
    struct rng r = rng_stream(1, "test.quantity");
    for (int i = 0; i < 70000; i++) {
        enum quantity q = (enum quantity)(i % 7);
        uint64_t value = rng_next(&r) >> rng_below(&r, 64), back = 0;
        if (i % 3 == 0)
            value = value / 1000 * 1000;
        char text[QUANTITY_TEXT_MAX];
        struct complaint c = { .what = "" };
        quantity_format(value, q, text);
        cr_assert(quantity_parse(text, q, &back, &c), "%s: %s", text, c.what);
        cr_assert_eq(back, value, "%s read as %lu, was %lu", text, back, value);
    }
}

Test(quantity, format_is_short)
{
    char text[QUANTITY_TEXT_MAX];
    cr_expect_str_eq(quantity_format(39250, Q_TIME, text), "39.25ns");
    cr_expect_str_eq(quantity_format(0, Q_TIME, text), "0ps");
    cr_expect_str_eq(quantity_format(1536, Q_BYTES, text), "1536B");
    cr_expect_str_eq(quantity_format(65536, Q_BYTES, text), "64KiB");
    cr_expect_str_eq(quantity_format(2130000000, Q_HZ, text), "2.13GHz");
    cr_expect_str_eq(quantity_format(1250, Q_PERMYRIAD, text), "12.5%");
    cr_expect_str_eq(quantity_format(50, Q_PERMYRIAD, text), "0.5%");
    cr_expect_str_eq(quantity_format(14, Q_CYCLES, text), "14cycles");
    cr_expect_str_eq(quantity_format(1, Q_CYCLES, text), "1cycle");
}

Test(quantity, core_ranges)
{
    struct core_range r;
    struct complaint c;
    cr_expect(core_range_parse("core0", 4, &r, &c) && r.first == 0 && r.last == 0);
    cr_expect(core_range_parse("core1-", 4, &r, &c) && r.first == 1 && r.last == 3);
    cr_expect(core_range_parse("core2-3", 4, &r, &c) && r.first == 2 && r.last == 3);
    cr_expect(core_range_parse("all", 4, &r, &c) && r.first == 0 && r.last == 3);
    static const char *const bad[] = { "", "c", "core", "core-1", "core4", "core1-4", "core3-2", "core01", "core1-2-3",
                                       "core99999999999999999999", "cores", "core0 ", "All", "core1--" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_not(core_range_parse(bad[i], 4, &r, &c), "%s was accepted", bad[i]);
}

Test(quantity, switches_and_periods)
{
    bool on = false;
    struct complaint c;
    cr_expect(boolean_parse("true", &on, &c) && on);
    cr_expect(boolean_parse("off", &on, &c) && !on);
    cr_expect_not(boolean_parse("maybe", &on, &c));
    cr_expect_eq(hz_period_ps(2130000000), 469);
    cr_expect_eq(hz_period_ps(3300000000), 303);
    cr_expect_eq(hz_period_ps(1000), 1000000000);
    cr_expect_eq(hz_period_ps(0), 0);
    cr_expect_eq(hz_period_ps(1), 0, "does not fit 32 bits");
}
