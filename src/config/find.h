/* src/config/find.h - from what a user wrote to a file: names are looked up in configs/FOLDER of the
 * source tree, or else of the installed data folder (LABYRINTH_CONFIGS in the environment comes before
 * both); what has a '/' or ends in ".yaml" is a path, relative to the file that names it.
 */
#ifndef LAB_CONFIG_FIND_H
#define LAB_CONFIG_FIND_H

#include "src/config/node.h"

bool config_is_path(const char *argument);

/* The file's path (in the arena), or NULL after an error. `by` is the place that names it: line 0 means
 * the command line, paths are then relative to the current folder. by_path: key for messages, or NULL. */
const char *config_find(struct arena *, struct diag *, const char *folder, const char *argument, struct origin by,
                        const char *by_path);

/* All names of a folder ("machines", "protocols", "experiments", ...), sorted; the count is returned. */
size_t config_list(struct arena *, const char *folder, const char ***names);

/* What kind of file this is: "experiment", "machine" or "protocol" (for `check`, which takes all of them);
 * NULL after an error. Reads the file for that alone. */
const char *config_kind(struct arena *, struct diag *, const char *folder, const char *argument);

/* find, read, and check that the root is a mapping of the expected kind. NULL after an error. */
struct node *config_load(struct arena *, struct diag *, const char *folder, const char *kind, const char *argument,
                         struct origin by, const char *by_path);

/* Follows `base:` of the mapping, and of what it names, and merges: the base, then what overrides it.
 * The mapping is consumed; `base` is gone afterwards. A base that leads back to itself is an error that
 * prints the chain; NULL after an error. */
struct node *config_resolve_base(struct arena *, struct diag *, const char *folder, const char *kind, struct node *mapping);

/* A complete machine by name or path: config_load, config_resolve_base, source_check. */
struct node *machine_load(struct arena *, struct diag *, const char *argument, struct origin by, const char *by_path);

#endif
