/* src/config/sources.h - where the numbers of a machine come from.
 *
 *   sources:
 *     l1.hit: "sosp13-david row 0136"     # a citation,
 *     l2: guess                           # or `guess`; a prefix covers everything below it
 *
 * Every value that is a quantity (starts with a digit) needs an entry with its path or a prefix of it, in
 * the same file: a number that overrides one of the base is not covered by the base's citation. The keys
 * name, title, description, kind, base, sources and claims are no part of the machine.
 */
#ifndef LAB_CONFIG_SOURCES_H
#define LAB_CONFIG_SOURCES_H

#include "src/config/node.h"

/* The merged machine (a root of its own). Marks the keys named above as read. Reports quantities without a
 * source, and entries that cover nothing. */
void source_check(struct diag *, struct node *machine);

/* The text that covers the path (longest entry), or NULL. Works on a machine inside an experiment, too. */
const char *source_of(const struct node *machine, const char *path);

#endif
