/* src/config/quantity.c - numbers with units, exactly. */
#include "src/config/quantity.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/units.h"
#include "src/config/diag.h"

__extension__ typedef unsigned __int128 wide;

struct unit {
    const char *name;
    uint64_t factor;
};

struct kind {
    const char *what, *units, *pattern, *rule;
    struct unit unit[6]; /* ascending; the first is the one kept unless its factor says otherwise */
};

#define DECIMAL "(0|[1-9][0-9]*)(\\.[0-9]+)? ?"

/* One row per enum quantity. */
static const struct kind kinds[] = {
    [Q_COUNT] = { "a count", "", "^(0|[1-9][0-9]*)$", "A count is a whole number without unit, sign or separators.",
                  { { "", 1 } } },
    [Q_BYTES] = { "a size", "B, KiB, MiB, GiB, TiB", "^" DECIMAL "([KMGT]i)?B$",
                  "A size has a unit, B, KiB, MiB, GiB or TiB; 1 KiB is 1024 B.",
                  { { "B", 1 }, { "KiB", UINT64_C(1) << 10 }, { "MiB", UINT64_C(1) << 20 },
                    { "GiB", UINT64_C(1) << 30 }, { "TiB", UINT64_C(1) << 40 } } },
    [Q_TIME] = { "a time", "ps, ns, us, ms, s", "^" DECIMAL "([pnum]?s)$", "A time has a unit: ps, ns, us, ms or s.",
                 { { "ps", 1 }, { "ns", PS_PER_NS }, { "us", PS_PER_US }, { "ms", PS_PER_MS }, { "s", PS_PER_S } } },
    [Q_CYCLES] = { "a number of cycles", "cycles", "^(0|[1-9][0-9]*) ?cycles?$", "Cycles of the part's own clock, whole: 14cycles.",
                   { { "cycles", 1 }, { "cycle", 1 } } },
    [Q_HZ] = { "a frequency", "Hz, kHz, MHz, GHz", "^" DECIMAL "[kMG]?Hz$", "A frequency has a unit: Hz, kHz, MHz or GHz.",
               { { "Hz", 1 }, { "kHz", 1000 }, { "MHz", 1000000 }, { "GHz", 1000000000 } } },
    [Q_RATE] = { "a rate", "/s, /ms, /us", "^" DECIMAL "/[mu]?s$", "A rate is a number per time: 1000/s, 20/ms, 1.5/us.",
                 { { "/s", 1 }, { "/ms", 1000 }, { "/us", 1000000 } } },
    [Q_PERMYRIAD] = { "a share", "%", "^(0|[1-9][0-9]*)(\\.[0-9][0-9]?)? ?%$", "A share is given in percent, at most two decimals: 12.5%.",
                      { { "%", 100 } } },
};

static bool complain(struct complaint *c, const char *rule, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool complain(struct complaint *c, const char *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(c->what, sizeof c->what, format, args);
    va_end(args);
    c->rule = rule;
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool quantity_like(const char *text)
{
    return is_digit(*text);
}

/* A decimal number: `digits` is the number without its point, `decimals` how many of them stand behind
 * it (closing zeros dropped). rest points behind the number. */
struct decimal {
    uint64_t digits;
    unsigned decimals;
    const char *rest;
    bool overflow;
};

static void add_digit(struct decimal *d, char digit)
{
    uint64_t v = (uint64_t)(digit - '0');
    if (d->digits > (UINT64_MAX - v) / 10)
        d->overflow = true;
    else
        d->digits = d->digits * 10 + v;
}

static struct decimal read_decimal(const char *text)
{
    struct decimal d = { .rest = text };
    while (is_digit(*d.rest))
        add_digit(&d, *d.rest++);
    if (d.rest == text || *d.rest != '.' || !is_digit(d.rest[1]))
        return d;
    const char *start = d.rest + 1, *end = start + strspn(start, "0123456789");
    d.rest = end;
    while (end > start && end[-1] == '0')
        end--;
    for (const char *s = start; s < end; s++, d.decimals++)
        add_digit(&d, *s);
    d.overflow |= d.decimals > 19; /* 10^19 is the last power below 2^64 */
    return d;
}

static const char *skip_space(const char *text)
{
    return *text == ' ' ? text + 1 : text;
}

static const struct unit *find_unit(const struct kind *kind, const char *name)
{
    for (const struct unit *u = kind->unit; u->name; u++)
        if (strcmp(u->name, name) == 0)
            return u;
    return NULL;
}

/* What every number must look like, whatever its unit. */
static bool check_form(const char *text, const struct kind *kind, struct complaint *c)
{
    char quote[SHOWN_MAX];
    shown(quote, text);
    if (*text == '\0')
        return complain(c, kind->rule, "nothing is given, allowed is %s", kind->what);
    if (*text == '-' && is_digit(text[1]))
        return complain(c, kind->rule, "%s is negative, allowed is %s from 0 up", quote, kind->what);
    if (!is_digit(*text))
        return complain(c, kind->rule, "%s is given, allowed is %s", quote, kind->what);
    if (*text == '0' && (is_digit(text[1]) || text[1] == 'x' || text[1] == 'X'))
        return complain(c, "Numbers are decimal; a leading 0 would mean octal elsewhere.",
                        "%s is given, allowed is a decimal number without leading zeros", quote);
    return true;
}

static bool wrong_unit(const char *text, const char *unit, const struct kind *kind, struct complaint *c)
{
    char quote[SHOWN_MAX], unit_quote[SHOWN_MAX];
    shown(quote, text);
    if (*kind->units == '\0')
        return complain(c, kind->rule, "%s is given, allowed is a whole number without a unit", quote);
    if (*unit == '\0')
        return complain(c, kind->rule, "%s has no unit, allowed are %s", quote, kind->units);
    return complain(c, kind->rule, "%s has the unknown unit %s, allowed are %s", quote, shown(unit_quote, unit), kind->units);
}

/* digits * factor / 10^decimals; false: not whole (rounded to nearest if `rounding`) or too large. */
static bool scale(struct decimal d, uint64_t factor, bool rounding, uint64_t *value)
{
    wide divisor = 1, product = (wide)d.digits * factor;
    for (unsigned i = 0; i < d.decimals; i++) /* at most 19, see read_decimal */
        divisor *= 10;
    if (!rounding && product % divisor != 0)
        return false;
    wide result = (product + (rounding ? divisor / 2 : 0)) / divisor;
    *value = (uint64_t)result;
    return result <= UINT64_MAX;
}

static bool out_of_scale(const char *text, const struct kind *kind, struct decimal d, uint64_t factor, struct complaint *c)
{
    char quote[SHOWN_MAX];
    uint64_t ignored;
    shown(quote, text);
    if (d.overflow || scale(d, factor, true, &ignored) == false)
        return complain(c, "Numbers are kept in 64 bits.", "%s is too large or too long a number", quote);
    if (kind == &kinds[Q_COUNT] || kind == &kinds[Q_CYCLES])
        return complain(c, kind->rule, "%s is given, allowed is a whole number", quote);
    if (kind == &kinds[Q_PERMYRIAD])
        return complain(c, kind->rule, "%s has more than two decimals", quote);
    return complain(c, "Nothing is rounded silently: give a number that is whole in the smallest unit.",
                    "%s does not come out whole in %s", quote, kind->unit[0].name[0] == '/' ? "events per second" : kind->unit[0].name);
}

bool quantity_parse(const char *text, enum quantity q, uint64_t *value, struct complaint *c)
{
    const struct kind *kind = &kinds[q];
    if (!check_form(text, kind, c))
        return false;
    struct decimal d = read_decimal(text);
    const char *name = skip_space(d.rest);
    const struct unit *unit = q == Q_COUNT && name != d.rest ? NULL : find_unit(kind, name);
    if (!unit)
        return wrong_unit(text, name, kind, c);
    uint64_t result;
    if (d.overflow || !scale(d, unit->factor, false, &result))
        return out_of_scale(text, kind, d, unit->factor, c);
    *value = result;
    return true;
}

bool quantity_in_cycles(const char *text)
{
    return is_digit(*text) && find_unit(&kinds[Q_CYCLES], skip_space(read_decimal(text).rest)) != NULL;
}

bool quantity_parse_time(const char *text, uint32_t period_ps, uint64_t *value_ps, struct complaint *c)
{
    static const char rule[] = "A time has a unit: ps, ns, us, ms, s, or cycles of the part's clock.";
    if (!quantity_in_cycles(text)) {
        bool good = quantity_parse(text, Q_TIME, value_ps, c);
        if (!good && period_ps && c->rule == kinds[Q_TIME].rule)
            c->rule = rule;
        return good;
    }
    char quote[SHOWN_MAX];
    if (!check_form(text, &kinds[Q_TIME], c))
        return false;
    if (period_ps == 0)
        return complain(c, "This part has no clock of its own, so a number of cycles means nothing here.",
                        "%s is given in cycles, allowed are ps, ns, us, ms, s", shown(quote, text));
    struct decimal d = read_decimal(text);
    uint64_t result;
    if (d.overflow || !scale(d, period_ps, true, &result))
        return complain(c, "Numbers are kept in 64 bits.", "%s is too large or too long a number", shown(quote, text));
    *value_ps = result;
    return true;
}

/* value / factor in decimal, exactly, if the fraction ends; factors have no prime factors but 2 and 5. */
static void print_ratio(uint64_t value, uint64_t factor, char *buffer, size_t size)
{
    int n = snprintf(buffer, size, "%" PRIu64, value / factor);
    uint64_t rest = value % factor;
    if (rest)
        buffer[n++] = '.';
    for (; rest && (size_t)n + 1 < size; rest %= factor) {
        rest *= 10; /* below 10 * 10^12 */
        buffer[n++] = (char)('0' + rest / factor);
    }
    buffer[n] = '\0';
}

const char *quantity_format(uint64_t value, enum quantity q, char buffer[QUANTITY_TEXT_MAX])
{
    const struct unit *unit = kinds[q].unit;
    char number[QUANTITY_TEXT_MAX - 8];
    /* Binary fractions of a size have ten decimals and more: sizes and rates only use units that divide. */
    bool must_divide = q == Q_BYTES || q == Q_RATE;
    for (const struct unit *u = kinds[q].unit; q != Q_CYCLES && u->name; u++)
        if (value >= u->factor && value > 0 && (!must_divide || value % u->factor == 0))
            unit = u;
    print_ratio(value, unit->factor, number, sizeof number);
    snprintf(buffer, QUANTITY_TEXT_MAX, "%s%s", number, q == Q_CYCLES && value == 1 ? "cycle" : unit->name);
    return buffer;
}

const char *quantity_units(enum quantity q)
{
    return kinds[q].units;
}

const char *quantity_pattern(enum quantity q)
{
    return kinds[q].pattern;
}

bool boolean_parse(const char *text, bool *value, struct complaint *c)
{
    static const char *const words[] = { "false", "true", "off", "on", "no", "yes", NULL };
    int i = choice_parse(text, words);
    char quote[SHOWN_MAX];
    if (i < 0)
        return complain(c, "A switch is true or false.", "%s is given, allowed are true and false", shown(quote, text));
    *value = i % 2 == 1;
    return true;
}

int choice_parse(const char *text, const char *const *choices)
{
    for (int i = 0; choices[i]; i++)
        if (strcmp(choices[i], text) == 0)
            return i;
    return -1;
}

static bool core_number(const char **text, unsigned *core)
{
    unsigned long n = 0;
    const char *s = *text;
    if (!is_digit(*s) || (*s == '0' && is_digit(s[1])))
        return false;
    for (; is_digit(*s); s++)
        n = n > UINT_MAX / 16 ? n : n * 10 + (unsigned long)(*s - '0'); /* stops growing: far above any machine */
    *text = s;
    *core = (unsigned)n;
    return true;
}

bool core_range_parse(const char *text, unsigned cores_count, struct core_range *range, struct complaint *c)
{
    static const char rule[] = "Cores are named core0, core1- (to the last), core2-5, or all.";
    char quote[SHOWN_MAX];
    struct core_range r = { 0, cores_count - 1 };
    bool good = strncmp(text, "core", 4) == 0;
    const char *s = good ? text + 4 : text;
    good = good && core_number(&s, &r.first);
    bool open = good && s[0] == '-' && s[1] == '\0';
    if (good && *s == '\0')
        r.last = r.first;
    else if (good && !open)
        good = *s++ == '-' && core_number(&s, &r.last) && *s == '\0';
    if (!good && strcmp(text, "all") != 0)
        return complain(c, rule, "%s is given, allowed is a range of cores", shown(quote, text));
    if (r.first >= cores_count || r.last >= cores_count)
        return complain(c, "Cores count from 0.", "%s is given, but the machine has core0 to core%u", shown(quote, text),
                        cores_count - 1);
    if (r.first > r.last)
        return complain(c, rule, "%s ends before it starts", shown(quote, text));
    *range = r;
    return true;
}

uint32_t hz_period_ps(uint64_t hz)
{
    uint64_t period = hz ? (PS_PER_S + hz / 2) / hz : 0;
    return period <= UINT32_MAX ? (uint32_t)period : 0;
}
