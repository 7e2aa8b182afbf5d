/* src/config/node.c - building, reading and merging trees; paths into them are in path.c. */
#include "src/config/node.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/fail.h"

/* A key that somebody asked for: what an unread key is compared with. */
struct asked {
    const char *key;
    struct asked *next;
};

static uint32_t hash_key(const char *key)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *key; key++)
        h = (h ^ (unsigned char)*key) * 16777619u;
    return h;
}

static struct node *make(struct arena *arena, enum node_kind kind, struct origin at)
{
    struct node *node = ARENA_ONE(arena, struct node);
    *node = (struct node){ .kind = kind, .at = at, .arena = arena };
    return node;
}

struct node *node_scalar(struct arena *arena, struct origin at, const char *text)
{
    struct node *node = make(arena, NODE_SCALAR, at);
    node->text = arena_strdup(arena, text);
    return node;
}

struct node *node_sequence(struct arena *arena, struct origin at)
{
    return make(arena, NODE_SEQUENCE, at);
}

struct node *node_mapping(struct arena *arena, struct origin at)
{
    return make(arena, NODE_MAPPING, at);
}

void node_append(struct node *parent, struct node *child)
{
    CHECK(parent->kind != NODE_SCALAR && !child->parent, "config tree: a node added twice, or below a scalar");
    child->parent = parent;
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

/* Puts `child` where `old` stands; old is left without a parent. */
static void replace(struct node *old, struct node *child)
{
    struct node *parent = old->parent;
    struct node **link = &parent->first;
    while (*link != old)
        link = &(*link)->next;
    *link = child;
    child->parent = parent;
    child->next = old->next;
    if (parent->last == old)
        parent->last = child;
    old->parent = old->next = NULL;
}

void node_put(struct node *mapping, const char *key, struct origin key_at, struct node *value)
{
    CHECK(mapping->kind == NODE_MAPPING, "config tree: a key put below something else than a mapping");
    struct node *old = node_peek(mapping, key);
    value->key = arena_strdup(value->arena, key);
    value->key_hash = hash_key(key);
    value->key_at = key_at;
    if (old)
        replace(old, value);
    else
        node_append(mapping, value);
}

void node_remove(struct node *mapping, const char *key)
{
    struct node *before = NULL, *gone = node_peek(mapping, key);
    if (!gone)
        return;
    for (struct node *c = mapping->first; c != gone; c = c->next)
        before = c;
    if (before)
        before->next = gone->next;
    else
        mapping->first = gone->next;
    if (mapping->last == gone)
        mapping->last = before;
    mapping->count--;
    gone->parent = gone->next = NULL;
}

struct node *node_copy(struct arena *arena, const struct node *from)
{
    struct node *to = make(arena, from->kind, from->at);
    to->quoted = from->quoted;
    if (from->text)
        to->text = arena_strdup(arena, from->text);
    for (const struct node *c = from->first; c; c = c->next) {
        struct node *child = node_copy(arena, c);
        if (from->kind == NODE_MAPPING) {
            child->key = arena_strdup(arena, c->key);
            child->key_hash = c->key_hash;
            child->key_at = c->key_at;
        }
        node_append(to, child);
    }
    return to;
}

struct node *node_peek(const struct node *mapping, const char *key)
{
    if (!mapping || mapping->kind != NODE_MAPPING)
        return NULL;
    uint32_t hash = hash_key(key);
    for (struct node *c = mapping->first; c; c = c->next)
        if (c->key_hash == hash && strcmp(c->key, key) == 0)
            return c;
    return NULL;
}

static void remember_asked(struct node *mapping, const char *key)
{
    for (const struct asked *a = mapping->asked; a; a = a->next)
        if (strcmp(a->key, key) == 0)
            return;
    struct asked *a = ARENA_ONE(mapping->arena, struct asked);
    *a = (struct asked){ key, mapping->asked };
    mapping->asked = a;
}

struct node *node_get(struct node *mapping, const char *key)
{
    if (!mapping || mapping->kind != NODE_MAPPING)
        return NULL;
    remember_asked(mapping, key);
    struct node *found = node_peek(mapping, key);
    if (found)
        found->used = true;
    return found;
}

void node_use_all(struct node *node)
{
    if (!node)
        return;
    node->used = true;
    for (struct node *c = node->first; c; c = c->next)
        node_use_all(c);
}

bool node_empty(const struct node *node)
{
    return !node || (node->kind == NODE_SCALAR && !node->quoted && *node->text == '\0');
}

const char *node_kind_name(const struct node *node)
{
    static const char *const names[] = { "a single value", "a list", "a mapping" };
    return node_empty(node) ? "nothing" : names[node->kind];
}

static const char *component(const struct node *node, char number[24])
{
    if (node->key)
        return node->key;
    const struct node *name = node_peek(node, "name");
    if (name && name->kind == NODE_SCALAR && *name->text)
        return name->text;
    size_t index = 0;
    for (const struct node *c = node->parent->first; c != node; c = c->next)
        index++;
    snprintf(number, 24, "%zu", index);
    return number;
}

const char *node_path(const struct node *node, char buffer[PATH_MAX_BYTES])
{
    size_t end = PATH_MAX_BYTES - 1; /* filled from the back; a path too long loses its head */
    buffer[end] = '\0';
    for (const struct node *n = node; n && n->parent; n = n->parent) {
        char number[24];
        const char *part = component(n, number);
        size_t bytes = strlen(part), dot = n != node;
        if (bytes + dot > end)
            break;
        if (dot)
            buffer[--end] = '.';
        end -= bytes;
        memcpy(buffer + end, part, bytes);
    }
    return memmove(buffer, buffer + end, PATH_MAX_BYTES - end);
}

void node_error(struct diag *diag, const struct node *node, const char *rule, const char *format, ...)
{
    char path[PATH_MAX_BYTES], what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    diag_error(diag, node->at, node_path(node, path), rule, "%s", what);
}

bool node_expect(struct diag *diag, const struct node *node, enum node_kind kind, const char *rule)
{
    static const char *const wanted[] = { "a single value", "a list: [a, b]", "a mapping of `key: value` lines" };
    if (node->kind == kind && !node_empty(node))
        return true;
    node_error(diag, node, rule, "%s is given, allowed is %s", node_kind_name(node), wanted[kind]);
    return false;
}

static void reject(struct diag *diag, const struct node *child)
{
    enum { KNOWN_MAX = 256 };
    const char *known[KNOWN_MAX];
    size_t n = 0;
    for (const struct asked *a = child->parent->asked; a && n < KNOWN_MAX; a = a->next)
        known[n++] = a->key;
    for (size_t i = 0; i < n / 2; i++) { /* in the order of asking */
        const char *swap = known[i];
        known[i] = known[n - 1 - i];
        known[n - 1 - i] = swap;
    }
    char path[PATH_MAX_BYTES];
    diag_error(diag, child->key_at, node_path(child, path), NULL, "unknown key");
    diag_suggest(diag, child->key, known, n);
}

void node_reject_unread(struct diag *diag, const struct node *root)
{
    for (const struct node *c = root->first; c; c = c->next) {
        if (root->kind == NODE_MAPPING && !c->used)
            reject(diag, c);
        else
            node_reject_unread(diag, c);
    }
}

/* Takes the first child out of its mapping. */
static struct node *take_first(struct node *mapping)
{
    struct node *child = mapping->first;
    mapping->first = child->next;
    if (!mapping->first)
        mapping->last = NULL;
    mapping->count--;
    child->parent = child->next = NULL;
    return child;
}

struct node *node_merge(struct node *base, struct node *over)
{
    if (!base || !over)
        return base ? base : over;
    if (base->kind != NODE_MAPPING || over->kind != NODE_MAPPING)
        return over;
    while (over->first) {
        struct node *child = take_first(over), *old = node_peek(base, child->key);
        if (old && old->kind == NODE_MAPPING && child->kind == NODE_MAPPING)
            node_merge(old, child);
        else
            node_put(base, child->key, child->key_at, child);
    }
    return base;
}
