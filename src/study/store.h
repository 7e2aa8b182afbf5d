/* src/study/store.h - the results of a study: one SQLite file in its folder.
 *
 * plan: the points that the study consists of, in order, each with its key. done: results by key. A key is a
 * digest of everything that determines a result, so that finished points are recognised after the
 * configuration was extended, and shards with the same plan can be joined. Every result is one transaction:
 * a process that is killed leaves the finished ones.
 * Whatever SQLite reports is fail_user (exit 2) with the file's name.
 */
#ifndef LAB_STUDY_STORE_H
#define LAB_STUDY_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/study/metric.h"

#define STORE_FILE "results.db"

struct store;
enum store_mode { STORE_READ, STORE_WRITE }; /* WRITE makes folder and file if they are not there */

struct store *store_open(const char *folder, enum store_mode);
void store_close(struct store *);

/* Facts about the study: "title", "config", "digest", "seed", "experiment" (study_fingerprint). */
void store_set_fact(struct store *, const char *name, const char *value);
char *store_fact(struct store *, const char *name);       /* malloc'd; "" if unknown */

/* ---- plan */

struct plan_point {
    uint64_t number, repetition, seed;
    const char *key;                     /* 16 hex digits */
    const char *const *values;           /* one per axis; NULL without axes */
};

struct plan {
    size_t axes_count;
    const char *const *axes;             /* paths */
    size_t point_count;                  /* points times repetitions, in order */
    struct plan_point *point;
};

void store_put_plan(struct store *, const struct plan *);   /* replaces; one transaction */
struct plan *store_plan(struct store *);                    /* plan_free */
void plan_free(struct plan *);
bool plan_equal(const struct plan *, const struct plan *);

/* ---- results */

struct named_value { char name[METRIC_NAME_MAX]; uint64_t value; };

struct record {
    int exit_code;                       /* of the point: 0 to 5 */
    char *stop, *order_hash;             /* "" if it did not get that far */
    char *text;                          /* what the point said on standard error */
    char *json;                          /* the result, without the effective configuration */
    size_t value_count;
    struct named_value *value;
};

/* Finished: this key has a result that running it again would repeat (all but exit codes 1 and 2). */
bool store_finished(struct store *, const char *key);
void store_put(struct store *, const char *key, const struct record *); /* replaces; one transaction */
struct record *store_get(struct store *, const char *key);              /* NULL: not there; record_free */
void record_free(struct record *);
/* Copies every result of `from` that `into` does not have. */
void store_join(struct store *into, struct store *from);

#endif
