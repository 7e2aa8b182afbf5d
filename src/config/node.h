/* src/config/node.h - our own tree of a YAML text: scalars, sequences, mappings, each knowing where it
 * stands. read.c (the only caller of libyaml) and node_set make trees; everything else walks them.
 *
 * Ownership: nodes and all their texts live in the arena they were made with; nothing is freed singly.
 * Every node keeps its own origin, so that messages point at the right file after a merge.
 *
 * Reading marks: node_get remembers which keys were asked for, and marks those found. What is left
 * unmarked at the end is an error (node_reject_unread), with the nearest key that somebody asked for.
 *
 * Paths are dotted: `agents.owner.count`. A component names a key of a mapping, or in a sequence the
 * item whose `name` it is, or its index from 0. Where a key itself has dots (`sweep.machine.cores`)
 * the longest key that fits is taken.
 */
#ifndef LAB_CONFIG_NODE_H
#define LAB_CONFIG_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/config/diag.h"

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

enum { PATH_MAX_BYTES = 512 };

struct node {
    enum node_kind kind;
    bool quoted;               /* a scalar in quotes: an empty one is a value, an unquoted empty one is none */
    bool used;                 /* somebody read it */
    uint32_t key_hash;
    struct origin at;          /* of the value */
    struct origin key_at;      /* of the key, when the parent is a mapping */
    const char *key;           /* NULL unless the parent is a mapping */
    const char *text;          /* scalar: never NULL; else NULL */
    struct node *parent, *first, *last, *next;
    size_t count;              /* children */
    struct asked *asked;       /* mapping: keys that were asked for, latest first */
    struct arena *arena;
};

/* Making. `text` and `key` are copied. A child that already has a parent must not be added. */
struct node *node_scalar(struct arena *, struct origin, const char *text);
struct node *node_sequence(struct arena *, struct origin);
struct node *node_mapping(struct arena *, struct origin);
void node_append(struct node *sequence, struct node *item);
void node_put(struct node *mapping, const char *key, struct origin key_at, struct node *value); /* replaces */
void node_remove(struct node *mapping, const char *key);                    /* nothing happens if it is not there */
struct node *node_copy(struct arena *, const struct node *);               /* deep; not yet read by anybody */

/* Reading. */
struct node *node_peek(const struct node *mapping, const char *key);       /* NULL: not there, or no mapping; leaves no mark */
struct node *node_get(struct node *mapping, const char *key);              /* the same, and marks it; `key` is kept, not copied */
void node_use_all(struct node *);                                          /* marks a whole subtree as read */
bool node_empty(const struct node *);                                      /* `key:` with nothing behind it */
const char *node_path(const struct node *, char buffer[PATH_MAX_BYTES]);   /* "" for the root */
const char *node_kind_name(const struct node *);                           /* "a value", "a list", "a mapping" */
void node_error(struct diag *, const struct node *, const char *rule, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool node_expect(struct diag *, const struct node *, enum node_kind, const char *rule); /* error if it is another kind */

/* One error per unread key of this mapping and of the mappings below that were read. */
void node_reject_unread(struct diag *, const struct node *root);

/* Deep merge: mappings key by key, everything else replaced by `over`. Both trees are consumed; the
 * result keeps the order of base, new keys behind. */
struct node *node_merge(struct node *base, struct node *over);

/* Paths. node_at leaves no marks and returns NULL if there is no such node. node_set_path puts `value`
 * (consumed) at the path, making the mappings on the way; false after an error: a list has no such item
 * or a single value stands in the way. path_at: where the path is written, if not with the value. node_may_set only
 * checks. */
struct node *node_at(struct node *root, const char *path);
bool node_may_set(struct diag *, struct node *root, const char *path, struct origin);
bool node_set_path(struct diag *, struct node *root, const char *path, struct node *value);
bool node_set_path_at(struct diag *, struct node *root, const char *path, struct origin path_at, struct node *value);

/* `a.b.c=value`, as after --set; the value is YAML (lists and mappings in flow style are allowed). */
bool node_set(struct diag *, struct node *root, const char *assignment);
struct origin node_set_origin(struct arena *, const char *assignment);     /* "--set a.b.c=value" */
/* Cuts an assignment at its '='; NULL and an error if there is no '=' or no path. */
const char *node_set_split(struct diag *, struct arena *, const char *assignment, const char **value_text);

#endif
