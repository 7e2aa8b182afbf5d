/* models/coherence/levels_rows.c - which rows two levels use: of the tables by role, and of the glue.
 *
 * The sizes that can be searched wholly do not show them all: some need a device, a third cache, or many moves. Random
 * walks through larger sizes show the others.
 */
#include "models/coherence/levels.h"

/* The last is calm enough for rare meetings inside; what is rarest with MOESI takes it three to five million moves. */
static const struct larger { unsigned caches; bool device, recalls; uint64_t moves; } larger[LARGER_SIZES] = {
    { 1, true, true, 1000000 }, { 2, true, true, 2000000 }, { 3, false, false, 8000000 },
};

struct explore_result explore_larger(const struct protocol *p, struct explore_options o, unsigned number)
{
    const struct larger *size = &larger[number];
    o.clusters = 2;
    o.caches = size->caches;
    o.device = size->device;
    o.recalls = size->recalls;
    return explore_walk(p, o, o.max_states && o.max_states < size->moves ? o.max_states : size->moves);
}

/* ---- counts of all sizes */

struct use { struct row_counts ends /* caches, device, global home */, nodes; struct glue_counts glue; };

static void add(struct use *u, const struct explore_result *r)
{
    for (unsigned s = 0; s < STATES_MAX; s++) {
        for (unsigned e = 0; e < CACHE_EVENT_COUNT; e++) {
            u->ends.cache[s][e] += r->counts.cache[s][e];
            u->nodes.cache[s][e] += r->levels.nodes.cache[s][e];
        }
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++) {
            u->ends.home[s][e] += r->counts.home[s][e];
            u->nodes.home[s][e] += r->levels.nodes.home[s][e];
        }
    }
    for (unsigned i = 0; i < GLUE_ROWS; i++)
        u->glue.row[i] += r->levels.glue.row[i];
    u->glue.shared_under_shared += r->levels.glue.shared_under_shared;
}

/* ---- rows of the tables */

static bool needs_no_use(const struct protocol *p, enum controller c, unsigned s, unsigned e)
{
    return c == CTL_HOME && (e == HEV_RECALL || e == HEV_DEMOTE) && p->table[c].row[s][e] == ROW_WAIT;
}

struct roles { unsigned rows, ends, nodes, neither, waits, spare; };

static void judge_row(FILE *out, const struct protocol *p, const struct use *u, enum controller c, unsigned s, unsigned e,
                      struct roles *n)
{
    bool ends = c == CTL_CACHE ? u->ends.cache[s][e] : u->ends.home[s][e];
    bool nodes = c == CTL_CACHE ? u->nodes.cache[s][e] : u->nodes.home[s][e];
    bool unused = !ends && !nodes, spare = unused && protocol_may_lack(p, c, s, e);
    bool waits = unused && !spare && needs_no_use(p, c, s, e), missing = unused && !spare && !waits;
    n->rows++;
    n->ends += ends;
    n->nodes += nodes;
    n->waits += waits;
    n->spare += spare;
    n->neither += missing;
    if (missing)
        fprintf(out, "  never used: %s, state %s, event %s\n", controller_name(p, c), p->table[c].name[s],
                vocabularies[c].events[e].name);
}

static struct roles judge_table(FILE *out, const struct protocol *p, const struct use *u, enum controller c)
{
    struct roles n = { 0 };
    for (unsigned s = 0; s < p->table[c].n_states; s++)
        for (unsigned e = 0; e < vocabularies[c].n_events; e++)
            if (p->table[c].row[s][e] != ROW_ILLEGAL)
                judge_row(out, p, u, c, s, e, &n);
    return n;
}

static unsigned judge_tables(FILE *out, const struct protocol *p, const struct use *u)
{
    struct roles cache = judge_table(out, p, u, CTL_CACHE), home = judge_table(out, p, u, CTL_HOME);
    fprintf(out, "  of %u rows of the cache, caches and device use %u, upper caches %u\n", cache.rows, cache.ends, cache.nodes);
    fprintf(out, "  of %u rows of the home, the global home uses %u, nodes %u\n", home.rows, home.ends, home.nodes);
    if (home.waits)
        fprintf(out, "  %u rows make a RECALL or DEMOTE wait: the glue never asks a busy home\n", home.waits);
    if (cache.spare + home.spare)
        fprintf(out, "  not used, but listed by the protocol as needed elsewhere: %u\n", cache.spare + home.spare);
    return cache.neither + home.neither;
}

/* ---- rows of the glue */

bool glue_row_known(const struct protocol *p, const struct glue_row *r)
{
    enum controller c = r->upper ? CTL_CACHE : CTL_HOME;
    for (unsigned s = 0; s < p->table[c].n_states; s++)
        if (row_verdict(p->table[c].row[s][r->event]) == STEP_DONE)
            return true;
    return false;
}

static unsigned judge_glue(FILE *out, const struct protocol *p, const struct glue *g, const struct glue_counts *n)
{
    unsigned rows = 1, unused = n->shared_under_shared == 0;
    if (unused)
        fputs("  never used: a GETS stepped as GETS_R\n", out);
    for (unsigned i = 0; i < GLUE_ROWS; i++) {
        const struct glue_row *r = &g->row[i];
        if (!glue_row_known(p, r))
            continue;
        rows++;
        if (n->row[i])
            continue;
        unused++;
        fprintf(out, "  never used: glue, %s, event %s\n", r->upper ? "upper" : "home",
                r->upper ? cache_event_name(r->event) : home_event_name(r->event));
    }
    fprintf(out, "  of %u rows of the glue, %u are used\n", rows, rows - unused);
    return unused;
}

static void print_walk(FILE *out, const struct larger *size, const struct explore_result *walk)
{
    fprintf(out, "Walked through 2 clusters of %u cache%s%s, %llu random moves: %s\n", size->caches, size->caches == 1 ? "" : "s",
            size->device ? " and a device" : ", without recalls", (unsigned long long)walk->transitions,
            walk->outcome == EXPLORE_PASSED ? "no violation" : walk->what);
}

unsigned explore_rows(FILE *out, const struct protocol *p, struct explore_options o, const struct explore_result *r, bool *fault)
{
    struct use use = { 0 };
    add(&use, r);
    *fault = false;
    for (unsigned i = 0; i < LARGER_SIZES; i++) {
        struct explore_result walk = explore_larger(p, o, i);
        add(&use, &walk);
        *fault |= walk.outcome != EXPLORE_PASSED;
        print_walk(out, &larger[i], &walk);
        explore_result_free(&walk);
    }
    fputs("Rows used, all this taken together:\n", out);
    return judge_tables(out, p, &use) + judge_glue(out, p, o.glue ? o.glue : &glue_default, &use.glue);
}
