/* src/base/suggest.c - nearest name by three rows of the distance table. */
#include "src/base/suggest.h"

#include <string.h>

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '_' ? '-' : c;
}

static unsigned least(unsigned a, unsigned b) { return a < b ? a : b; }

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    size_t n = strlen(a), m = strlen(b);
    if (n > SUGGEST_LENGTH_MAX || m > SUGGEST_LENGTH_MAX)
        return limit + 1;
    unsigned rows[3][SUGGEST_LENGTH_MAX + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2];
    for (unsigned j = 0; j <= m; j++)
        above[j] = j;
    for (unsigned i = 1; i <= n; i++) {
        row[0] = i;
        for (unsigned j = 1; j <= m; j++) {
            char x = folded(a[i - 1]), y = folded(b[j - 1]);
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == folded(b[j - 2]) && y == folded(a[i - 2]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[m] <= limit ? above[m] : limit + 1;
}

unsigned suggest_limit(const char *given)
{
    size_t third = strlen(given) / 3;
    return third < 1 ? 1 : (unsigned)least((unsigned)third, SUGGEST_LENGTH_MAX);
}

const char *suggest_nearest(const char *given, const char *const known[], size_t count)
{
    const char *nearest = NULL;
    unsigned limit = suggest_limit(given), best = limit + 1;
    for (size_t i = 0; i < count; i++) {
        unsigned d = known[i] ? suggest_distance(given, known[i], limit) : best;
        if (d < best) {
            best = d;
            nearest = known[i];
        }
    }
    return nearest;
}
