/* src/work/litmus/scan.c - see scan.h. */
#include "src/work/litmus/scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct origin scan_origin(const struct scan *s, size_t at)
{
    struct origin o = { .file = s->file, .line = 1, .column = 1 };
    for (size_t i = 0; i < at && i < s->size; i++) {
        o.column++;
        if (s->text[i] == '\n') {
            o.line++;
            o.column = 1;
        }
    }
    return o;
}

bool scan_error(struct scan *s, size_t at, const char *rule, const char *format, ...)
{
    char text[300];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    diag_error(s->diag, scan_origin(s, at), NULL, rule, "%s", text);
    return false;
}

bool scan_unexpected(struct scan *s, const char *wanted)
{
    char word[40], quote[SHOWN_MAX];
    scan_space(s);
    size_t n = 0;
    while (s->at + n < s->end && n < sizeof word - 1 && !isspace((unsigned char)s->text[s->at + n]))
        n++;
    snprintf(word, sizeof word, "%.*s", (int)n, s->text + s->at);
    if (n == 0)
        return scan_error(s, s->at, NULL, "%s expected, but nothing follows here", wanted);
    return scan_error(s, s->at, NULL, "%s expected, not %s", wanted, shown(quote, word));
}

static void blank(char *c)
{
    if (*c != '\n')
        *c = ' ';
}

bool scan_strip_comments(struct scan *s)
{
    for (size_t i = 0; i + 1 < s->size; i++) {
        char *t = s->text;
        if (t[i] == '/' && t[i + 1] == '/') {
            while (i < s->size && t[i] != '\n')
                t[i++] = ' ';
            continue;
        }
        if (t[i] != '(' || t[i + 1] != '*')
            continue;
        size_t start = i;
        unsigned depth = 0;
        do {
            if (i + 1 >= s->size)
                return scan_error(s, start, "A comment goes from (* to *), and may hold others.", "this comment does not end");
            int step = t[i] == '(' && t[i + 1] == '*' ? 1 : t[i] == '*' && t[i + 1] == ')' ? -1 : 0;
            depth += (unsigned)step;
            blank(&t[i++]);
            if (step)
                blank(&t[i++]);
        } while (depth);
        i--;
    }
    return true;
}

void scan_space(struct scan *s)
{
    while (s->at < s->end && isspace((unsigned char)s->text[s->at]))
        s->at++;
}

bool scan_at_end(struct scan *s)
{
    scan_space(s);
    return s->at >= s->end;
}

bool scan_accept(struct scan *s, const char *literal)
{
    size_t n = strlen(literal);
    scan_space(s);
    if (s->end - s->at < n || strncmp(s->text + s->at, literal, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool name_first(char c) { return isalpha((unsigned char)c) || c == '_'; }
static bool name_rest(char c) { return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '\''; }

const char *scan_name(struct scan *s, size_t *n)
{
    scan_space(s);
    size_t i = s->at;
    if (i >= s->end || !name_first(s->text[i]))
        return NULL;
    while (i < s->end && name_rest(s->text[i]))
        i++;
    const char *name = s->text + s->at;
    *n = i - s->at;
    s->at = i;
    return name;
}

bool scan_word_is(struct scan *s, const char *word)
{
    size_t before = s->at, n;
    const char *name = scan_name(s, &n);
    if (name && n == strlen(word) && strncmp(name, word, n) == 0)
        return true;
    s->at = before;
    return false;
}

bool scan_number_next(struct scan *s)
{
    scan_space(s);
    size_t i = s->at;
    if (i < s->end && (s->text[i] == '-' || s->text[i] == '+'))
        i++;
    return i < s->end && isdigit((unsigned char)s->text[i]);
}

bool scan_number(struct scan *s, int64_t *value)
{
    char *stop;
    if (!scan_number_next(s))
        return scan_unexpected(s, "a number");
    const char *start = s->text + s->at;
    bool negative = *start == '-';
    const char *digits = start + (*start == '-' || *start == '+');
    int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    errno = 0;
    uint64_t magnitude = strtoull(digits, &stop, base);
    if (errno || (negative && magnitude > (UINT64_C(1) << 63)) || (stop < s->text + s->end && name_rest(*stop)))
        return scan_error(s, s->at, "Numbers are decimal or begin with 0x, and have at most 64 bits.", "this is no number that fits");
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    s->at = (size_t)(stop - s->text);
    return true;
}
