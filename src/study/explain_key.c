/* src/study/explain_key.c - see explain_key.h. */
#include "src/study/explain_key.h"

#include <string.h>

#include "src/base/suggest.h"
#include "src/base/table.h"
#include "src/machine/desc.h"
#include "src/study/plot_desc.h"
#include "src/work/program.h"

static const struct { const char *prefix; const struct param *table; } tables[] = {
    { "", experiment_params },  { "machine.", machine_params }, { "kernel.", kernel_params },
    { "checks.", check_params }, { "plots.", plot_params },
};
enum { TABLES = sizeof tables / sizeof *tables };

static const char agents[] = "agents.";

/* Behind "agents.WORD."; NULL if it is no such path. */
static const char *agent_key(const char *path, const struct program **program)
{
    char word[64];
    if (strncmp(path, agents, strlen(agents)) != 0)
        return NULL;
    const char *name = path + strlen(agents), *dot = strchr(name, '.');
    if (!dot || dot == name || (size_t)(dot - name) >= sizeof word)
        return NULL;
    snprintf(word, sizeof word, "%.*s", (int)(dot - name), name);
    *program = program_find(word);
    return dot + 1;
}

static bool explain_agent_key(FILE *out, const char *path)
{
    const struct program *named = NULL;
    const char *key = agent_key(path, &named);
    const struct param *common = key ? param_find(agent_params, key) : NULL;
    bool found = common != NULL;
    if (common)
        param_explain(out, path, common);
    for (size_t i = 0; key && programs[i]; i++) {
        const struct param *p = programs[i]->params ? param_find(programs[i]->params, key) : NULL;
        if (!p || (named && named != programs[i]))
            continue;
        char whole[PATH_MAX_BYTES];
        snprintf(whole, sizeof whole, "agents.%.60s.%.200s", programs[i]->name, key);
        fputs(found ? "\n" : "", out);
        param_explain(out, whole, p);
        fprintf(out, "  of program    %s: %s\n", programs[i]->name, programs[i]->sentence);
        found = true;
    }
    return found;
}

bool key_explain(FILE *out, const char *path)
{
    for (size_t i = 0; i < TABLES; i++) {
        size_t n = strlen(tables[i].prefix);
        const struct param *p = strncmp(path, tables[i].prefix, n) == 0 ? param_find(tables[i].table, path + n) : NULL;
        if (!p)
            continue;
        param_explain(out, path, p);
        return true;
    }
    return explain_agent_key(out, path);
}

bool key_like(const char *path)
{
    for (size_t i = 1; i < TABLES; i++)
        if (strncmp(path, tables[i].prefix, strlen(tables[i].prefix)) == 0)
            return true;
    return strncmp(path, agents, strlen(agents)) == 0;
}

/* ---- all of them */

static void each_key(void (*fn)(void *arg, const char *path, const struct param *), void *arg)
{
    for (size_t i = 0; i < TABLES; i++)
        param_each(tables[i].table, tables[i].prefix, fn, arg);
    param_each(agent_params, "agents.NAME.", fn, arg);
    for (size_t i = 0; programs[i]; i++) {
        char prefix[PATH_MAX_BYTES];
        snprintf(prefix, sizeof prefix, "agents.%.60s.", programs[i]->name);
        if (programs[i]->params)
            param_each(programs[i]->params, prefix, fn, arg);
    }
}

struct search { const char *path; char *found; size_t bytes; unsigned best; };

static void near(void *arg, const char *path, const struct param *p)
{
    struct search *s = arg;
    (void)p;
    unsigned distance = suggest_distance(s->path, path, s->best - 1);
    if (distance < s->best) {
        s->best = distance;
        snprintf(s->found, s->bytes, "%s", path);
    }
}

const char *key_nearest(const char *path, char *buffer, size_t bytes)
{
    struct search s = { path, buffer, bytes, suggest_limit(path) + 1 };
    *buffer = '\0';
    if (strlen(path) <= SUGGEST_LENGTH_MAX)
        each_key(near, &s);
    return *buffer ? buffer : NULL;
}

static void list_one(void *arg, const char *path, const struct param *p)
{
    if (p->type != P_GROUP) {
        fprintf(arg, "%s\n    ", path);
        print_wrapped(arg, 4, 4, p->help);
    }
}

void key_list(FILE *out)
{
    each_key(list_one, out);
}
