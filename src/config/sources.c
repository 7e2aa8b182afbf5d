/* src/config/sources.c - where the numbers of a machine come from. */
#include "src/config/sources.h"

#include <string.h>

#include "src/config/quantity.h"

static const char *const notes[] = { "kind", "name", "title", "description", "base", "sources", "claims" };

static bool is_note(const char *key)
{
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        if (strcmp(notes[i], key) == 0)
            return true;
    return false;
}

/* Is `entry` the path itself or a whole-component prefix of it? */
static bool covers(const char *entry, const char *path)
{
    size_t n = strlen(entry);
    return strncmp(entry, path, n) == 0 && (path[n] == '.' || path[n] == '\0');
}

/* The longest entry that covers the path; file != NULL: only entries of that file. */
static const struct node *entry_for(const struct node *machine, const char *path, const char *file)
{
    const struct node *sources = node_peek(machine, "sources"), *best = NULL;
    for (const struct node *e = sources && sources->kind == NODE_MAPPING ? sources->first : NULL; e; e = e->next) {
        bool fits = covers(e->key, path) && (!file || strcmp(e->key_at.file, file) == 0);
        if (fits && (!best || strlen(e->key) > strlen(best->key)))
            best = e;
    }
    return best;
}

static void check_leaf(struct diag *diag, const struct node *machine, const struct node *leaf)
{
    char path[PATH_MAX_BYTES];
    node_path(leaf, path);
    if (leaf->at.line == 0 || !quantity_like(leaf->text) || entry_for(machine, path, leaf->at.file))
        return;
    const struct node *other = entry_for(machine, path, NULL);
    if (other)
        node_error(diag, leaf, "A number that overrides the base needs a source of its own, under sources: in the same file.",
                   "no source for %s: %.100s is the source of the value it overrides", path, other->text ? other->text : "");
    else
        node_error(diag, leaf, "Write `sources: { path: text }` with a citation, or `guess`; a prefix covers a whole group.",
                   "no source for %s: cite one or write guess", path);
}

static void check_leaves(struct diag *diag, const struct node *machine, const struct node *node)
{
    for (const struct node *c = node->first; c; c = c->next) {
        if (node == machine && is_note(c->key))
            continue;
        if (c->kind == NODE_SCALAR)
            check_leaf(diag, machine, c);
        else
            check_leaves(diag, machine, c);
    }
}

static void check_entry(struct diag *diag, struct node *machine, const struct node *entry)
{
    if (!node_expect(diag, entry, NODE_SCALAR, "A source is a text: a citation, or guess."))
        return;
    if (!node_at(machine, entry->key))
        diag_error(diag, entry->key_at, "sources", "Sources are named by the path of the value, l1.hit, or of its group, l1.",
                   "a source for %s, but the machine has no such key", entry->key);
}

void source_check(struct diag *diag, struct node *machine)
{
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        node_use_all(node_get(machine, notes[i]));
    struct node *sources = node_peek(machine, "sources");
    if (sources && node_expect(diag, sources, NODE_MAPPING, "Sources are a mapping: l1.hit: citation."))
        for (const struct node *e = sources->first; e; e = e->next)
            check_entry(diag, machine, e);
    check_leaves(diag, machine, machine);
}

const char *source_of(const struct node *machine, const char *path)
{
    const struct node *entry = entry_for(machine, path, NULL);
    return entry ? entry->text : NULL;
}
