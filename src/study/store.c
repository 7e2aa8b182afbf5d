/* src/study/store.c - see store.h. */
#include "src/study/store.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/study/outfile.h"

struct store {
    sqlite3 *db;
    char *path;
};

/* user_version tells the layout apart from older ones. Values are below 2^63: picoseconds, counts. */
enum { LAYOUT = 1 };
static const char layout[] =
    "CREATE TABLE IF NOT EXISTS fact(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS axis(number INTEGER PRIMARY KEY, path TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS plan(number INTEGER, repetition INTEGER, seed TEXT NOT NULL, key TEXT NOT NULL,"
    " PRIMARY KEY(number, repetition)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS coordinate(number INTEGER, axis INTEGER, value TEXT NOT NULL,"
    " PRIMARY KEY(number, axis)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS done(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, exit_code INTEGER NOT NULL,"
    " stop TEXT NOT NULL, order_hash TEXT NOT NULL, text TEXT NOT NULL, json TEXT NOT NULL);"
    "CREATE TABLE IF NOT EXISTS metric(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE IF NOT EXISTS value(done INTEGER, metric INTEGER, value INTEGER NOT NULL,"
    " PRIMARY KEY(done, metric)) WITHOUT ROWID;"
    "CREATE VIEW IF NOT EXISTS result AS SELECT plan.number AS point, repetition, plan.seed AS seed, exit_code, stop,"
    " metric.name AS metric, value.value AS value FROM plan JOIN done USING(key) JOIN value ON value.done = done.id"
    " JOIN metric ON metric.id = value.metric;"
    "PRAGMA user_version = 1;";

static _Noreturn void complain(const struct store *s)
{
    fail_user("%s: %s", s->path, sqlite3_errmsg(s->db));
}

static void run(struct store *s, const char *sql)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        complain(s);
}

/* One letter per argument: t text, n number (uint64_t). */
static sqlite3_stmt *prepare(struct store *s, const char *sql, const char *kinds, ...)
{
    sqlite3_stmt *statement;
    va_list args;
    if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
        complain(s);
    va_start(args, kinds);
    for (int i = 0; kinds[i]; i++) {
        int rc = kinds[i] == 't' ? sqlite3_bind_text(statement, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT)
                                 : sqlite3_bind_int64(statement, i + 1, (sqlite3_int64)va_arg(args, uint64_t));
        if (rc != SQLITE_OK)
            complain(s);
    }
    va_end(args);
    return statement;
}

static bool step(struct store *s, sqlite3_stmt *statement)
{
    int rc = sqlite3_step(statement);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        complain(s);
    return rc == SQLITE_ROW;
}

static void finish(struct store *s, sqlite3_stmt *statement)
{
    step(s, statement);
    sqlite3_finalize(statement);
}

static const char *column(sqlite3_stmt *statement, int i)
{
    const unsigned char *text = sqlite3_column_text(statement, i);
    return text ? (const char *)text : "";
}

static char *copy(const char *text)
{
    char *mine = strdup(text);
    CHECK_MEMORY(mine, "out of memory");
    return mine;
}

static void *zeroed(size_t count, size_t bytes)
{
    void *memory = calloc(count ? count : 1, bytes);
    CHECK_MEMORY(memory, "out of memory");
    return memory;
}

/* ---- opening */

static void check_layout(struct store *s, enum store_mode mode)
{
    sqlite3_stmt *statement = prepare(s, "PRAGMA user_version", "");
    step(s, statement);
    int version = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    if (version != LAYOUT && (version != 0 || mode == STORE_READ))
        fail_user("%s: its layout is %d, this program reads layout %d; use the program that made it or another folder",
                  s->path, version, LAYOUT);
    if (version == 0)
        run(s, layout);
}

struct store *store_open(const char *folder, enum store_mode mode)
{
    struct store *s = zeroed(1, sizeof *s);
    if (mode == STORE_WRITE)
        folder_make(folder);
    s->path = path_join(folder, STORE_FILE);
    if (mode == STORE_READ && access(s->path, R_OK) != 0)
        fail_user("%s holds no results (no file %s); make them with: labyrinth sweep CONFIG -o %s", folder, STORE_FILE,
                  folder);
    int flags = mode == STORE_WRITE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
    if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK)
        complain(s);
    sqlite3_busy_timeout(s->db, 10000);
    check_layout(s, mode);
    return s;
}

void store_close(struct store *s)
{
    if (sqlite3_close(s->db) != SQLITE_OK)
        panic("%s: a statement is still open", s->path);
    free(s->path);
    free(s);
}

void store_set_fact(struct store *s, const char *name, const char *value)
{
    finish(s, prepare(s, "INSERT OR REPLACE INTO fact VALUES(?, ?)", "tt", name, value));
}

char *store_fact(struct store *s, const char *name)
{
    sqlite3_stmt *statement = prepare(s, "SELECT value FROM fact WHERE name = ?", "t", name);
    char *value = copy(step(s, statement) ? column(statement, 0) : "");
    sqlite3_finalize(statement);
    return value;
}

/* ---- plan */

static void put_point(struct store *s, const struct plan *plan, const struct plan_point *p)
{
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, p->seed);
    finish(s, prepare(s, "INSERT INTO plan VALUES(?, ?, ?, ?)", "nntt", p->number, p->repetition, seed, p->key));
    for (size_t i = 0; p->repetition == 0 && i < plan->axes_count; i++)
        finish(s, prepare(s, "INSERT INTO coordinate VALUES(?, ?, ?)", "nnt", p->number, (uint64_t)i, p->values[i]));
}

void store_put_plan(struct store *s, const struct plan *plan)
{
    run(s, "BEGIN IMMEDIATE; DELETE FROM axis; DELETE FROM plan; DELETE FROM coordinate");
    for (size_t i = 0; i < plan->axes_count; i++)
        finish(s, prepare(s, "INSERT INTO axis VALUES(?, ?)", "nt", (uint64_t)i, plan->axes[i]));
    for (size_t i = 0; i < plan->point_count; i++)
        put_point(s, plan, &plan->point[i]);
    run(s, "COMMIT");
}

static size_t count_of(struct store *s, const char *sql)
{
    sqlite3_stmt *statement = prepare(s, sql, "");
    step(s, statement);
    size_t n = (size_t)sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return n;
}

static const char *const *texts(struct store *s, sqlite3_stmt *statement, size_t count)
{
    const char **list = zeroed(count, sizeof *list);
    for (size_t i = 0; i < count; i++)
        list[i] = copy(step(s, statement) ? column(statement, 0) : "");
    sqlite3_finalize(statement);
    return list;
}

struct plan *store_plan(struct store *s)
{
    struct plan *plan = zeroed(1, sizeof *plan);
    plan->axes_count = count_of(s, "SELECT count(*) FROM axis");
    plan->axes = texts(s, prepare(s, "SELECT path FROM axis ORDER BY number", ""), plan->axes_count);
    size_t n = count_of(s, "SELECT count(*) FROM plan");
    plan->point = zeroed(n, sizeof *plan->point);
    sqlite3_stmt *statement = prepare(s, "SELECT number, repetition, seed, key FROM plan ORDER BY number, repetition", "");
    while (plan->point_count < n && step(s, statement)) {
        struct plan_point *p = &plan->point[plan->point_count++];
        p->number = (uint64_t)sqlite3_column_int64(statement, 0);
        p->repetition = (uint64_t)sqlite3_column_int64(statement, 1);
        p->seed = strtoull(column(statement, 2), NULL, 10);
        p->key = copy(column(statement, 3));
        p->values = texts(s, prepare(s, "SELECT value FROM coordinate WHERE number = ? ORDER BY axis", "n", p->number),
                          plan->axes_count);
    }
    sqlite3_finalize(statement);
    return plan;
}

static void free_texts(const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free((void *)list[i]);
    free((void *)list);
}

void plan_free(struct plan *plan)
{
    for (size_t i = 0; i < plan->point_count; i++) {
        free_texts(plan->point[i].values, plan->axes_count);
        free((void *)plan->point[i].key);
    }
    free_texts(plan->axes, plan->axes_count);
    free(plan->point);
    free(plan);
}

bool plan_equal(const struct plan *a, const struct plan *b)
{
    if (a->axes_count != b->axes_count || a->point_count != b->point_count)
        return false;
    for (size_t i = 0; i < a->axes_count; i++)
        if (strcmp(a->axes[i], b->axes[i]) != 0)
            return false;
    for (size_t i = 0; i < a->point_count; i++)
        if (strcmp(a->point[i].key, b->point[i].key) != 0 || a->point[i].number != b->point[i].number)
            return false;
    return true;
}

/* ---- results */

bool store_finished(struct store *s, const char *key)
{
    sqlite3_stmt *statement = prepare(s, "SELECT 1 FROM done WHERE key = ? AND exit_code NOT IN (1, 2)", "t", key);
    bool there = step(s, statement);
    sqlite3_finalize(statement);
    return there;
}

static void put_value(struct store *s, uint64_t id, const struct named_value *v)
{
    finish(s, prepare(s, "INSERT OR IGNORE INTO metric(name) VALUES(?)", "t", v->name));
    finish(s, prepare(s, "INSERT INTO value SELECT ?, id, ? FROM metric WHERE name = ?", "nnt", id, v->value, v->name));
}

void store_put(struct store *s, const char *key, const struct record *r)
{
    run(s, "BEGIN IMMEDIATE");
    finish(s, prepare(s, "DELETE FROM value WHERE done IN (SELECT id FROM done WHERE key = ?)", "t", key));
    finish(s, prepare(s, "DELETE FROM done WHERE key = ?", "t", key));
    finish(s, prepare(s, "INSERT INTO done(key, exit_code, stop, order_hash, text, json) VALUES(?, ?, ?, ?, ?, ?)", "tntttt",
                      key, (uint64_t)r->exit_code, r->stop, r->order_hash, r->text, r->json));
    uint64_t id = (uint64_t)sqlite3_last_insert_rowid(s->db);
    for (size_t i = 0; i < r->value_count; i++)
        put_value(s, id, &r->value[i]);
    run(s, "COMMIT");
}

static void get_values(struct store *s, uint64_t id, struct record *r)
{
    sqlite3_stmt *n = prepare(s, "SELECT count(*) FROM value WHERE done = ?", "n", id);
    step(s, n);
    size_t count = (size_t)sqlite3_column_int64(n, 0);
    sqlite3_finalize(n);
    r->value = zeroed(count, sizeof *r->value);
    sqlite3_stmt *statement = prepare(
        s, "SELECT name, value FROM value JOIN metric ON metric.id = value.metric WHERE done = ? ORDER BY name", "n", id);
    while (r->value_count < count && step(s, statement)) {
        struct named_value *v = &r->value[r->value_count++];
        snprintf(v->name, sizeof v->name, "%s", column(statement, 0));
        v->value = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    sqlite3_finalize(statement);
}

struct record *store_get(struct store *s, const char *key)
{
    struct record *r = NULL;
    sqlite3_stmt *statement =
        prepare(s, "SELECT id, exit_code, stop, order_hash, text, json FROM done WHERE key = ?", "t", key);
    if (step(s, statement)) {
        r = zeroed(1, sizeof *r);
        r->exit_code = sqlite3_column_int(statement, 1);
        r->stop = copy(column(statement, 2));
        r->order_hash = copy(column(statement, 3));
        r->text = copy(column(statement, 4));
        r->json = copy(column(statement, 5));
        get_values(s, (uint64_t)sqlite3_column_int64(statement, 0), r);
    }
    sqlite3_finalize(statement);
    return r;
}

void record_free(struct record *r)
{
    free(r->stop);
    free(r->order_hash);
    free(r->text);
    free(r->json);
    free(r->value);
    free(r);
}

void store_join(struct store *into, struct store *from)
{
    sqlite3_stmt *statement = prepare(from, "SELECT key FROM done ORDER BY key", "");
    while (step(from, statement)) {
        const char *key = column(statement, 0);
        if (store_finished(into, key))
            continue;
        struct record *r = store_get(from, key);
        store_put(into, key, r);
        record_free(r);
    }
    sqlite3_finalize(statement);
}
