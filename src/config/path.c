/* src/config/path.c - paths into a tree, and the assignments of --set and sweeps. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "src/config/node.h"
#include "src/config/read.h"

/* How far a path leads: `at` is the deepest node that exists, `rest` what is left ("" if it was found). */
struct way {
    struct node *at;
    const char *rest;
};

/* The child that the longest piece of `path` names; *bytes is the length of that piece. */
static struct node *key_child(const struct node *mapping, const char *path, size_t *bytes)
{
    for (const struct node *c = mapping->first; c; c = c->next) {
        size_t n = strlen(c->key);
        if (n > *bytes && strncmp(c->key, path, n) == 0 && (path[n] == '.' || path[n] == '\0'))
            *bytes = n;
    }
    for (struct node *c = mapping->first; c; c = c->next)
        if (*bytes && strlen(c->key) == *bytes && strncmp(c->key, path, *bytes) == 0)
            return c;
    return NULL;
}

static bool is_item(const struct node *item, size_t index, const char *word, size_t bytes)
{
    const struct node *name = node_peek(item, "name");
    if (name && name->text)
        return strlen(name->text) == bytes && strncmp(name->text, word, bytes) == 0;
    char number[24];
    return (size_t)snprintf(number, sizeof number, "%zu", index) == bytes && strncmp(number, word, bytes) == 0;
}

static struct node *item_child(const struct node *sequence, const char *path, size_t *bytes)
{
    size_t index = 0;
    *bytes = strcspn(path, ".");
    for (struct node *c = sequence->first; c; c = c->next)
        if (is_item(c, index++, path, *bytes))
            return c;
    return NULL;
}

static struct way follow(struct node *root, const char *path)
{
    struct way way = { root, path };
    while (*way.rest) {
        size_t bytes = 0;
        struct node *child = way.at->kind == NODE_MAPPING ? key_child(way.at, way.rest, &bytes)
                           : way.at->kind == NODE_SEQUENCE ? item_child(way.at, way.rest, &bytes) : NULL;
        if (!child)
            break;
        way.at = child;
        way.rest += bytes;
        if (*way.rest == '.')
            way.rest++;
    }
    return way;
}

struct node *node_at(struct node *root, const char *path)
{
    struct way way = follow(root, path);
    return *way.rest ? NULL : way.at;
}

static bool well_formed(const char *path)
{
    size_t n = strlen(path);
    return n > 0 && n < PATH_MAX_BYTES && path[0] != '.' && path[n - 1] != '.' && !strstr(path, "..") &&
           !strpbrk(path, " \t\r\n");
}

static void refuse_item(struct diag *diag, const struct way *way, const char *path, struct origin at)
{
    enum { ITEMS_MAX = 256 };
    const char *names[ITEMS_MAX];
    size_t n = 0;
    for (const struct node *c = way->at->first; c && n < ITEMS_MAX; c = c->next) {
        const struct node *name = node_peek(c, "name");
        if (name && name->text)
            names[n++] = name->text;
    }
    char word[SHOWN_MAX], list[PATH_MAX_BYTES];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(way->rest, "."), way->rest);
    diag_error(diag, at, path, "Items of a list are addressed by their `name`, or by number from 0 if they have none.",
               "the list %s has no item %s", node_path(way->at, list), word);
    diag_suggest(diag, word, names, n);
}

/* The way to `path` if something may be put there; at == NULL after an error. */
static struct way way_to_set(struct diag *diag, struct node *root, const char *path, struct origin at)
{
    if (!well_formed(path)) {
        diag_error(diag, at, path, "A path is written like machine.l1.size or agents.owner.count.", "not a path to a key");
        return (struct way){ 0 };
    }
    struct way way = follow(root, path);
    if (*way.rest && way.at->kind == NODE_SEQUENCE) {
        refuse_item(diag, &way, path, at);
        return (struct way){ 0 };
    }
    if (*way.rest && way.at->kind == NODE_SCALAR && !node_empty(way.at)) {
        char before[PATH_MAX_BYTES], value[SHOWN_MAX];
        diag_error(diag, at, path, "Only mappings have keys below them.", "%s is the single value %s, it has no key %s",
                   node_path(way.at, before), shown(value, way.at->text), way.rest);
        return (struct way){ 0 };
    }
    return way;
}

bool node_may_set(struct diag *diag, struct node *root, const char *path, struct origin at)
{
    return way_to_set(diag, root, path, at).at != NULL;
}

/* Moves the value into an existing node, which keeps its key and place. */
static void overwrite(struct node *node, struct node *value)
{
    node->kind = value->kind;
    node->quoted = value->quoted;
    node->text = value->text;
    node->at = value->at;
    node->first = value->first;
    node->last = value->last;
    node->count = value->count;
    node->asked = NULL;
    node->used = false;
    for (struct node *c = node->first; c; c = c->next)
        c->parent = node;
}

bool node_set_path_at(struct diag *diag, struct node *root, const char *path, struct origin path_at, struct node *value)
{
    struct way way = way_to_set(diag, root, path, path_at);
    if (!way.at)
        return false;
    struct node *node = way.at;
    while (*way.rest) { /* `machine:` with nothing behind it becomes a mapping, too */
        if (node->kind == NODE_SCALAR)
            overwrite(node, node_mapping(node->arena, path_at));
        char key[PATH_MAX_BYTES];
        size_t bytes = strcspn(way.rest, ".");
        memcpy(key, way.rest, bytes);
        key[bytes] = '\0';
        struct node *child = node_mapping(node->arena, path_at);
        node_put(node, key, path_at, child);
        node = child;
        way.rest += bytes + (way.rest[bytes] == '.');
    }
    overwrite(node, value);
    return true;
}

bool node_set_path(struct diag *diag, struct node *root, const char *path, struct node *value)
{
    return node_set_path_at(diag, root, path, value->at, value);
}

struct origin node_set_origin(struct arena *arena, const char *assignment)
{
    char text[SHOWN_MAX + 8] = "--set ";
    size_t n = strlen(text);
    for (; *assignment && n < sizeof text - 4; assignment++)
        text[n++] = iscntrl((unsigned char)*assignment) ? '?' : *assignment;
    memcpy(text + n, *assignment ? "..." : "", *assignment ? 4 : 1);
    return (struct origin){ arena_strdup(arena, text), 0, 0 };
}

const char *node_set_split(struct diag *diag, struct arena *arena, const char *assignment, const char **value_text)
{
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment) {
        diag_error(diag, node_set_origin(arena, assignment), NULL, "For example --set machine.cores=8.",
                   "an assignment is written path.to.key=value");
        return NULL;
    }
    *value_text = equals + 1;
    size_t bytes = (size_t)(equals - assignment);
    char *path = arena_alloc(arena, bytes + 1, 1);
    memcpy(path, assignment, bytes);
    path[bytes] = '\0';
    return path;
}

bool node_set(struct diag *diag, struct node *root, const char *assignment)
{
    const char *text, *path = node_set_split(diag, root->arena, assignment, &text);
    if (!path)
        return false;
    struct node *value = read_text(root->arena, diag, node_set_origin(root->arena, assignment), text);
    return value && node_set_path(diag, root, path, value);
}
