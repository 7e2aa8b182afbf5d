/* src/base/suggest.h - "did you mean": the known name nearest to a mistyped one.
 *
 * Distance: insertions, deletions, substitutions and swaps of neighbours (restricted Damerau-Levenshtein;
 * F. Damerau, CACM 1964), letters of either case equal, '-' and '_' equal.
 */
#ifndef LAB_BASE_SUGGEST_H
#define LAB_BASE_SUGGEST_H

#include <stddef.h>

enum { SUGGEST_LENGTH_MAX = 128 }; /* longer names are near to nothing */

/* Distance, or limit + 1 when it is more than `limit`. */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);
/* How far a suggestion may be from `given`: a third of its length, at least 1. */
unsigned suggest_limit(const char *given);
/* The nearest of `known` (the first of equals) within suggest_limit, or NULL. NULL entries are skipped. */
const char *suggest_nearest(const char *given, const char *const known[], size_t count);

#endif
