/* src/config/param.h - one table per model drives parsing, range checks, help, the effective dump, the
 * JSON Schema and the reference.
 *
 *   static const struct param l1_params[] = {
 *       { .key = "size", .type = P_BYTES, .flags = PARAM_POW2, PARAM_FIELD(struct l1_desc, size_bytes),
 *         .min = 1024, .max = 1 << 20, .deflt = "32KiB", .help = "Capacity of one private cache." },
 *       { .key = NULL }
 *   };
 *
 * Fields: P_UINT, P_BYTES, P_TIME, P_CYCLES, P_HZ, P_RATE, P_PERMYRIAD in uint8_t to uint64_t (the width
 * is taken by PARAM_FIELD; without it uint64_t); P_BOOL in bool; P_CHOICE in an int or enum, the index of
 * the choice; P_SET in an unsigned of any width, bit i for choice i; P_STRING in const char *, copied into the arena of the context; P_GROUP is a nested table
 * whose offsets count from this entry's field.
 */
#ifndef LAB_CONFIG_PARAM_H
#define LAB_CONFIG_PARAM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "src/config/node.h"

struct json; /* src/base/json.h */

enum param_type {
    P_UINT,
    P_BYTES,
    P_TIME,       /* a time, or cycles of the context's clock; kept in ps */
    P_CYCLES,
    P_HZ,
    P_RATE,       /* per second */
    P_PERMYRIAD,
    P_BOOL,
    P_CHOICE,
    P_SET,        /* some of the choices: [a, b], a, "a, b", none, all */
    P_STRING,
    P_GROUP
};

enum {
    PARAM_POW2 = 1u,      /* a power of two (0 only if min is 0) */
    PARAM_REQUIRED = 2u,  /* must be given; deflt is not used */
    PARAM_ADVANCED = 4u   /* the reference lists it last */
};

struct param {
    const char *key;               /* NULL ends a table */
    enum param_type type;
    unsigned flags;
    size_t offset, width;
    uint64_t min, max;             /* of numbers, in the unit kept; max 0: no upper limit but the field's */
    const char *deflt;             /* as a user would write it; NULL: the field keeps what the caller put there */
    const char *const *choices;    /* P_CHOICE, P_SET, P_STRING (optional): ended by NULL */
    const char *help;              /* one sentence */
    const struct param *group;     /* P_GROUP */
};

#define PARAM_FIELD(type, field) .offset = offsetof(type, field), .width = sizeof(((type *)0)->field)

struct param_ctx {
    struct arena *arena;    /* for strings */
    struct diag *diag;
    uint32_t period_ps;     /* one cycle of the enclosing clock domain; 0: cycles are refused for P_TIME */
    struct origin at;       /* where a missing key is reported when there is no mapping at all, */
    const char *path;       /* and the path of that mapping; NULL: the root */
    struct node *above;     /* the nearest mapping that is there; filled in by param_fill */
};

/* Every field of the table, from the given keys, which are marked as read, or else from its default.
 * mapping may be NULL (defaults only). Keys
 * that are not in the table are left unmarked (they may belong to a second table): the caller ends with
 * node_reject_unread. After an error the field keeps its default. */
void param_fill(struct node *mapping, const struct param *table, void *desc, const struct param_ctx *);

/* One value, as param_fill does: for keys that do not live in a table. False after an error. */
bool param_parse(const struct node *, const struct param *, void *field, const struct param_ctx *);

/* A list of values of one kind, [1, 2, 4] (or a single value: a list of one), into an array of fields of
 * item->width bytes each. The number of values, at most fields_max; 0 after an error or for []. */
size_t param_parse_list(const struct node *, const struct param *item, void *fields, size_t fields_max, const struct param_ctx *);

/* The descriptor as a mapping that param_fill reads back to identical values. */
struct node *param_node(struct arena *, const struct param *table, const void *desc);

/* One value as text ("32KiB", "true", "mesi"); P_GROUP is not allowed. The text lives in the arena. */
const char *param_text(struct arena *, const struct param *, const void *desc);

/* Members of a JSON Schema (draft 2020-12) object for the table: "type", "properties", "required",
 * "additionalProperties", into an object that the caller opens and closes. param_schema_properties writes
 * only the entries inside "properties", for callers that add keys of their own. */
void param_schema(struct json *, const struct param *table);
void param_schema_properties(struct json *, const struct param *table);

/* Reference as Markdown: a heading, then one table row per key: key, type and unit, range, default, help. */
void param_manual(FILE *, const char *title, const struct param *table);

/* The same for one key, in lines for a terminal; of a group the keys below it. path: as the user named it. */
void param_explain(FILE *, const char *path, const struct param *);

/* The entry that a dotted path leads to, or NULL. each: every path below the table, groups too. */
const struct param *param_find(const struct param *table, const char *path);
void param_each(const struct param *table, const char *prefix, void (*fn)(void *arg, const char *path, const struct param *), void *arg);

/* Panics if the table is malformed: a default out of range, a field of an impossible width, no help. */
void param_table_check(const struct param *table);

#endif
