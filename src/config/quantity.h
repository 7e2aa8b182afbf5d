/* src/config/quantity.h - numbers with units, exactly.
 *
 * A decimal fraction is accepted when it comes out whole in the unit kept (39.25ns is 39250 ps); 0.5ps is
 * an error, nothing is rounded silently. All arithmetic is on integers and checked for overflow. A space
 * may stand before the unit. Numbers have no sign, no leading zero, no exponent, no separators.
 */
#ifndef LAB_CONFIG_QUANTITY_H
#define LAB_CONFIG_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum quantity {
    Q_COUNT,      /* 12            no unit */
    Q_BYTES,      /* 32KiB         B KiB MiB GiB TiB, powers of 1024; kept in bytes */
    Q_TIME,       /* 14ns          ps ns us ms s; kept in picoseconds */
    Q_CYCLES,     /* 14cycles      cycle(s); kept in cycles */
    Q_HZ,         /* 2.2GHz        Hz kHz MHz GHz; kept in Hz */
    Q_RATE,       /* 1000/s        /s /ms /us; kept per second */
    Q_PERMYRIAD   /* 12.5%         kept in 1/10000 */
};

enum { QUANTITY_TEXT_MAX = 48 };

/* What is wrong with a text, for diag_error: what was given and what is allowed; the rule. */
struct complaint {
    char what[240];
    const char *rule;
};

/* False fills the complaint; *value is then untouched. */
bool quantity_parse(const char *text, enum quantity, uint64_t *value, struct complaint *);

/* A time in time units, or in cycles of the given period (fractions of a cycle allowed, rounded to the
 * nearest picosecond, since the period itself is a rounded one). period_ps 0: no clock here, cycles are refused. */
bool quantity_parse_time(const char *text, uint32_t period_ps, uint64_t *value_ps, struct complaint *);

/* True if the text is a number followed by "cycles" (or "cycle"). */
bool quantity_in_cycles(const char *text);

/* True if the text starts like a quantity: with a digit. */
bool quantity_like(const char *text);

/* The shortest exact text in the largest unit that is not above the value; parsing gives the same value. */
const char *quantity_format(uint64_t value, enum quantity, char buffer[QUANTITY_TEXT_MAX]);

const char *quantity_units(enum quantity);         /* "B, KiB, MiB, GiB, TiB"; "" for counts */
const char *quantity_pattern(enum quantity);       /* regular expression (ECMA 262) of the accepted texts */

bool boolean_parse(const char *text, bool *value, struct complaint *);   /* true, false; also on/off, yes/no */

/* Index of the text in choices (ended by NULL), or -1. The caller reports, with a suggestion. */
int choice_parse(const char *text, const char *const *choices);

/* Which cores: "core3", "core1-" (to the last), "core2-5", "all"; inclusive, within cores_count. */
struct core_range {
    unsigned first, last;
};
bool core_range_parse(const char *text, unsigned cores_count, struct core_range *, struct complaint *);

/* Whole picoseconds of one period, to the nearest; 0 if hz is 0 or the period does not fit 32 bits. */
uint32_t hz_period_ps(uint64_t hz);

#endif
