/* src/config/read.h - YAML text to a tree of nodes; the only file that calls libyaml.
 *
 * Accepted is the part of YAML a student can predict: one document of mappings, sequences and scalars.
 * Refused, each with its position and a reason: anchors, aliases, tags, several documents, duplicate
 * keys, keys that are not plain text, control characters and broken UTF-8, nothing at all, and more than
 * the limits below. A file of any size and content is refused in bounded time and memory.
 */
#ifndef LAB_CONFIG_READ_H
#define LAB_CONFIG_READ_H

#include "src/config/node.h"

enum {
    READ_FILE_MAX_BYTES = 4 << 20,
    READ_DEPTH_MAX = 32,
    READ_NODES_MAX = 100000,
    READ_KEYS_MAX = 4096,      /* of one mapping */
    READ_KEY_MAX_BYTES = 128   /* libyaml itself gives up at 1024 */
};

/* NULL after an error was recorded. `path` is also the name in messages. */
struct node *read_file(struct arena *, struct diag *, const char *path);

/* The same from memory. `at.file` is the name in messages; when at.line is 0, positions inside the text
 * are not reported (a --set value: the whole option is its position), and an empty text is an empty value. */
struct node *read_text(struct arena *, struct diag *, struct origin at, const char *text);

#endif
