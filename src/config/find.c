/* src/config/find.c - names to files, and the chain of bases. */
#include "src/config/find.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/config/read.h"
#include "src/config/sources.h"

static const char suffix[] = ".yaml";

static bool has_suffix(const char *text)
{
    size_t n = strlen(text), m = strlen(suffix);
    return n > m && strcmp(text + n - m, suffix) == 0;
}

bool config_is_path(const char *argument)
{
    return strchr(argument, '/') || has_suffix(argument);
}

/* Without "build/.." in it, which a build outside of the source tree puts there. */
static const char *plain_path(struct arena *arena, const char *path)
{
    char *real = realpath(path, NULL);
    const char *plain = arena_strdup(arena, real ? real : path);
    free(real);
    return plain;
}

/* The folders a name is looked up in, best first; NULL ends. */
static void roots(struct arena *arena, const char *list[4])
{
    const char *own = getenv("LABYRINTH_CONFIGS");
    size_t n = 0;
    if (own && *own)
        list[n++] = own;
#ifdef LABYRINTH_SRCDIR
    list[n++] = plain_path(arena, LABYRINTH_SRCDIR "/configs");
#endif
#ifdef PKGDATADIR
    list[n++] = arena_printf(arena, "%s/configs", PKGDATADIR);
#endif
    if (n == 0)
        list[n++] = arena_strdup(arena, "configs");
    list[n] = NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool known(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

enum { NAMES_MAX = 1024 };

static size_t list_folder(struct arena *arena, const char *path, const char **names, size_t n)
{
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && n < NAMES_MAX && (e = readdir(dir));) {
        if (!has_suffix(e->d_name) || e->d_name[0] == '.')
            continue;
        const char *name = arena_printf(arena, "%.*s", (int)(strlen(e->d_name) - strlen(suffix)), e->d_name);
        if (!known(names, n, name))
            names[n++] = name;
    }
    if (dir)
        closedir(dir);
    return n;
}

size_t config_list(struct arena *arena, const char *folder, const char ***names)
{
    const char *root[4];
    size_t n = 0;
    *names = arena_alloc(arena, NAMES_MAX, sizeof **names);
    roots(arena, root);
    for (size_t i = 0; root[i]; i++)
        n = list_folder(arena, arena_printf(arena, "%s/%s", root[i], folder), *names, n);
    qsort(*names, n, sizeof **names, by_name);
    return n;
}

/* A name that another folder has: most likely the wrong kind of thing was named. */
static bool say_elsewhere(struct arena *arena, struct diag *diag, const char *folder, const char *name, struct origin by,
                          const char *by_path)
{
    static const struct { const char *folder, *is, *rule; } kinds[] = {
        { "machines", "a machine", "An experiment names the machine it runs on: labyrinth run EXPERIMENT --set machine=NAME." },
        { "protocols", "a protocol", "labyrinth protocol NAME prints it; labyrinth verify NAME explores it." },
        { "experiments", "an experiment", "labyrinth run NAME runs it." },
    };
    for (size_t i = 0; i < 3; i++) {
        const char **names;
        size_t n = strcmp(kinds[i].folder, folder) == 0 ? 0 : config_list(arena, kinds[i].folder, &names);
        if (n == 0 || !known(names, n, name))
            continue;
        char quote[SHOWN_MAX];
        diag_error(diag, by, by_path, kinds[i].rule, "%s is %s; wanted here is a name of configs/%s", shown(quote, name),
                   kinds[i].is, folder);
        return true;
    }
    return false;
}

static const char *find_name(struct arena *arena, struct diag *diag, const char *folder, const char *name,
                             struct origin by, const char *by_path)
{
    const char *root[4], **names;
    roots(arena, root);
    for (size_t i = 0; root[i]; i++) {
        const char *path = arena_printf(arena, "%s/%s/%s%s", root[i], folder, name, suffix);
        if (access(path, R_OK) == 0)
            return path;
    }
    char quote[SHOWN_MAX];
    if (say_elsewhere(arena, diag, folder, name, by, by_path))
        return NULL;
    size_t n = config_list(arena, folder, &names);
    diag_error(diag, by, by_path, "A name is looked up in configs/; a file of your own is named by a path, ./mine.yaml.",
               "there is no %s in configs/%s", shown(quote, name), folder);
    diag_suggest(diag, name, names, n);
    return NULL;
}

static const char *find_path(struct arena *arena, struct diag *diag, const char *argument, struct origin by, const char *by_path)
{
    const char *slash = by.line ? strrchr(by.file, '/') : NULL;
    const char *path = arena_strdup(arena, argument);
    while (strncmp(argument, "./", 2) == 0)
        argument += 2;
    if (*argument != '/' && slash)
        path = arena_printf(arena, "%.*s/%s", (int)(slash - by.file), by.file, argument);
    char quote[SHOWN_MAX];
    if (by.line && access(path, R_OK) != 0) { /* better here, where it is named, than at the file that is not there */
        diag_error(diag, by, by_path, "Paths in a file are relative to that file.", "the file %s cannot be read: %s",
                   shown(quote, path), strerror(errno));
        return NULL;
    }
    return path;
}

const char *config_find(struct arena *arena, struct diag *diag, const char *folder, const char *argument, struct origin by,
                        const char *by_path)
{
    if (config_is_path(argument))
        return find_path(arena, diag, argument, by, by_path);
    if (*argument && argument[strspn(argument, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")] == '\0')
        return find_name(arena, diag, folder, argument, by, by_path);
    char quote[SHOWN_MAX];
    diag_error(diag, by, by_path, "Names have letters, digits, '-', '_', '.' and '+'; paths have a '/' or end in \".yaml\".",
               "%s is neither a name nor a path", shown(quote, argument));
    return NULL;
}

static const char kind_rule[] = "Every file says in its first line what it is: `kind: experiment`, machine or protocol.";

/* The file's kind, as far as it has one, must be the expected one. */
static bool check_kind(struct diag *diag, struct node *root, const char *expected, bool needed)
{
    struct node *kind = node_get(root, "kind");
    char quote[SHOWN_MAX];
    if (!kind && needed)
        diag_error(diag, root->at, "kind", kind_rule, "this key is missing, allowed here is %s", expected);
    if (!kind)
        return !needed;
    if (!node_expect(diag, kind, NODE_SCALAR, kind_rule))
        return false;
    if (strcmp(kind->text, expected) != 0)
        node_error(diag, kind, kind_rule, "%s is given, allowed here is %s", shown(quote, kind->text), expected);
    return strcmp(kind->text, expected) == 0;
}

const char *config_kind(struct arena *arena, struct diag *diag, const char *folder, const char *argument)
{
    static const char *const kinds[] = { "experiment", "machine", "protocol" };
    const char *path = config_find(arena, diag, folder, argument, (struct origin){ argument, 0, 0 }, NULL);
    struct node *root = path ? read_file(arena, diag, path) : NULL;
    if (!root || !node_expect(diag, root, NODE_MAPPING, kind_rule))
        return NULL;
    struct node *kind = node_peek(root, "kind");
    char quote[SHOWN_MAX];
    if (!kind)
        diag_error(diag, root->at, "kind", kind_rule, "this key is missing");
    else if (node_expect(diag, kind, NODE_SCALAR, kind_rule)) {
        for (size_t i = 0; i < 3; i++)
            if (strcmp(kinds[i], kind->text) == 0)
                return kinds[i];
        node_error(diag, kind, kind_rule, "%s is no kind of file", shown(quote, kind->text));
        diag_suggest(diag, kind->text, kinds, 3);
    }
    return NULL;
}

struct node *config_load(struct arena *arena, struct diag *diag, const char *folder, const char *kind, const char *argument,
                         struct origin by, const char *by_path)
{
    const char *path = config_find(arena, diag, folder, argument, by, by_path);
    struct node *root = path ? read_file(arena, diag, path) : NULL;
    if (!root)
        return NULL;
    bool good = node_expect(diag, root, NODE_MAPPING, kind_rule) &&
                check_kind(diag, root, kind, true);
    return good ? root : NULL;
}

/* The files that lead to the one being read, latest first. */
struct chain {
    const char *path;
    const struct chain *before;
};

static void print_chain(FILE *out, const struct chain *chain)
{
    if (chain->before) {
        print_chain(out, chain->before);
        fputs(" -> ", out);
    }
    fputs(chain->path, out);
}

static bool same_file(const char *a, const char *b)
{
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool same = x && y ? strcmp(x, y) == 0 : strcmp(a, b) == 0;
    free(x);
    free(y);
    return same;
}

static void report_cycle(struct diag *diag, const struct node *base, const struct chain *chain)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        fail_user("out of memory");
    print_chain(out, chain);
    fclose(out);
    node_error(diag, base, "A base must end in a file that has no base of its own.", "the bases form a circle: %.400s", text);
    free(text);
}

static struct node *resolve(struct arena *arena, struct diag *diag, const char *folder, const char *kind,
                            struct node *mapping, const struct chain *chain)
{
    struct node *base = node_get(mapping, "base");
    if (!base)
        return mapping;
    char where[PATH_MAX_BYTES];
    if (!node_expect(diag, base, NODE_SCALAR, "A base is the name or the path of one file."))
        return NULL;
    const char *path = config_find(arena, diag, folder, base->text, base->at, node_path(base, where));
    if (!path)
        return NULL;
    struct chain link = { path, chain };
    for (const struct chain *c = chain; c; c = c->before) {
        if (same_file(c->path, path)) {
            report_cycle(diag, base, &link);
            return NULL;
        }
    }
    /* A path found is relative to the current folder, no longer to the file that names it. */
    struct node *root = config_load(arena, diag, folder, kind, path, (struct origin){ 0 }, NULL);
    root = root ? resolve(arena, diag, folder, kind, root, &link) : NULL;
    if (!root)
        return NULL;
    node_remove(mapping, "base");
    return node_merge(root, mapping);
}

struct node *config_resolve_base(struct arena *arena, struct diag *diag, const char *folder, const char *kind, struct node *mapping)
{
    struct chain start = { mapping->at.file, NULL };
    bool good = check_kind(diag, mapping, kind, false);
    struct node *root = resolve(arena, diag, folder, kind, mapping, mapping->parent || !mapping->at.line ? NULL : &start);
    return good ? root : NULL;
}

struct node *machine_load(struct arena *arena, struct diag *diag, const char *argument, struct origin by, const char *by_path)
{
    struct node *root = config_load(arena, diag, "machines", "machine", argument, by, by_path);
    struct node *whole = root ? config_resolve_base(arena, diag, "machines", "machine", root) : NULL;
    if (whole)
        source_check(diag, whole);
    return whole;
}
