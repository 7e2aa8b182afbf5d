/* models/coherence/lines.c - several coupled lines: which moves the shortage of places leaves, and the packed form. */
#include "models/coherence/lines.h"

#include <string.h>

#include "src/base/fail.h"

enum { WORDS_OF_LINE = sizeof(union key) / 8 };

static const struct space *space_of(const struct model *m) { return (const struct space *)m; }

static void first(const struct model *m, void *world)
{
    struct lines *w = world;
    for (unsigned l = 0; l < space_of(m)->lines; l++)
        world_first(space_of(m), &w->line[l]);
}

/* ---- places */

static bool device(const struct space *x, unsigned agent) { return agent >= x->caches; }
static unsigned ways_of(const struct space *x, unsigned agent) { return device(x, agent) ? 0 : x->cache_ways; }

/* Lines that take a place in the agent's tags: at rest with a copy, or with a copy still readable under an operation. */
static unsigned resident(const struct space *x, const struct lines *w, unsigned agent)
{
    unsigned n = 0;
    for (unsigned l = 0; l < x->lines; l++) {
        uint8_t state = w->line[l].line[agent].state;
        n += state != 0 && (cache_stable(x->p, state) || cache_readable(x->p, state));
    }
    return n;
}

/* Operations and evictions under way. */
static unsigned busy(const struct space *x, const struct lines *w, unsigned agent)
{
    unsigned n = 0;
    for (unsigned l = 0; l < x->lines; l++)
        n += !cache_stable(x->p, w->line[l].line[agent].state);
    return n;
}

/* The home holds every line that is not in state 0. */
static unsigned held(const struct space *x, const struct lines *w)
{
    unsigned n = 0;
    for (unsigned l = 0; l < x->lines; l++)
        n += w->line[l].home.state != 0;
    return n;
}

static bool needs_place(const struct flight *m)
{
    return m->to == AT_HOME && msg_infos[m->kind].vnet == VNET_REQUEST && m->kind != MSG_FLUSH && m->kind != MSG_PUT &&
           m->kind != MSG_PUTF;
}

/* ---- moves */

/* A fill left the agent with more copies than places: nothing else happens before one is pushed out. */
static unsigned evictions(const struct space *x, const struct lines *w, struct move *moves)
{
    for (unsigned a = 0; a < x->agents; a++) {
        unsigned n = 0;
        if (resident(x, w, a) <= ways_of(x, a))
            continue;
        for (unsigned l = 0; l < x->lines; l++) {
            uint8_t state = w->line[l].line[a].state;
            if (state != 0 && cache_stable(x->p, state))
                moves[n++] = (struct move){ .kind = MOVE_CORE, .index = (uint8_t)a, .event = CEV_EVICT, .line = (uint8_t)l,
                                            .onward = true };
        }
        if (n)
            return n;
    }
    return 0;
}

/* Deliveries of line l; *starved: one of them needs a place that the home has not. */
static unsigned deliveries(const struct space *x, const struct lines *w, unsigned l, struct move *moves, bool *starved)
{
    struct move all[2 * WORLD_MESSAGES_MAX];
    const struct world *one = &w->line[l];
    unsigned n = 0, found = world_deliveries(x, one, all);
    bool full = one->home.state == 0 && held(x, w) >= x->home_ways;
    for (unsigned k = 0; k < found; k++) {
        if (full && needs_place(&one->message[all[k].index])) {
            *starved = true;
            continue;
        }
        moves[n] = all[k];
        moves[n++].line = (uint8_t)l;
    }
    return n;
}

static bool begins_nothing(const struct space *x, const struct move *move, uint8_t state)
{
    row_word row = x->p->table[CTL_CACHE].row[state][move->event];
    return row_verdict(row) == STEP_DONE && cache_stable(x->p, row_next(row));
}

static unsigned core_events(const struct space *x, const struct lines *w, unsigned l, unsigned agent, struct move *moves)
{
    struct move all[CACHE_EVENT_COUNT];
    const struct world *one = &w->line[l];
    unsigned n = 0, found = world_core_events(x, one->line[agent].state, agent, all);
    bool may_begin = busy(x, w, agent) < x->mshrs;
    for (unsigned k = 0; k < found; k++) {
        if (all[k].event == CEV_EVICT || (!may_begin && !begins_nothing(x, &all[k], one->line[agent].state)))
            continue;
        moves[n] = all[k];
        moves[n++].line = (uint8_t)l;
    }
    return n;
}

static unsigned moves_of(const struct model *m, const void *world, struct move moves[MODEL_MOVES_MAX])
{
    const struct space *x = space_of(m);
    const struct lines *w = world;
    bool starved = false;
    unsigned n = evictions(x, w, moves);
    if (n)
        return n;
    for (unsigned l = 0; l < x->lines; l++)
        n += deliveries(x, w, l, moves + n, &starved);
    for (unsigned l = 0; (starved || x->recalls) && l < x->lines; l++)
        if (!starved || (w->line[l].home.state != 0 && home_stable(x->p, w->line[l].home.state)))
            moves[n++] = (struct move){ .kind = MOVE_OWN, .event = HEV_RECALL, .line = (uint8_t)l, .onward = starved };
    for (unsigned l = 0; l < x->lines; l++)
        for (unsigned a = 0; a < x->agents; a++)
            n += core_events(x, w, l, a, moves + n);
    return n;
}

static void name_line(struct space *x, unsigned l)
{
    char what[EXPLORE_TEXT_BYTES];
    memcpy(what, x->model.fault, sizeof what);
    snprintf(x->model.fault, sizeof x->model.fault, "line %u: %.*s", l % 10, EXPLORE_TEXT_BYTES - 16, what);
}

static enum fired fire(struct model *m, const void *from, struct move move, void *to)
{
    struct space *x = (struct space *)m;
    const struct lines *before = from;
    struct lines *after = to;
    enum fired f = world_fire(x, &before->line[move.line], move, &after->line[move.line]);
    if (f == FIRED_NOTHING)
        return f;
    for (unsigned l = 0; l < x->lines; l++)
        if (l != move.line)
            after->line[l] = before->line[l];
    if (f == FIRED_FAULT)
        name_line(x, move.line);
    else if (move.kind == MOVE_CORE && busy(x, after, move.index) > x->mshrs)
        panic("explorer: an eviction without a write-back entry");
    return f;
}

static bool quiet(const struct model *m, const void *world)
{
    const struct lines *w = world;
    bool all = true;
    for (unsigned l = 0; l < space_of(m)->lines; l++)
        all = all && world_quiet(space_of(m), &w->line[l]);
    return all;
}

static bool silent(const struct model *m, const void *world)
{
    const struct lines *w = world;
    bool all = true;
    for (unsigned l = 0; l < space_of(m)->lines; l++)
        all = all && w->line[l].n_messages == 0;
    return all;
}

static bool agrees(struct model *m, const void *world)
{
    struct space *x = (struct space *)m;
    const struct lines *w = world;
    for (unsigned l = 0; l < x->lines; l++)
        if (!world_agrees(x, &w->line[l])) {
            name_line(x, l);
            return false;
        }
    return true;
}

static void print_move(FILE *out, struct model *m, const void *from, struct move move, const void *to)
{
    fprintf(out, "line %u  ", move.line);
    world_print_move(out, (struct space *)m, &((const struct lines *)from)->line[move.line], move,
                     &((const struct lines *)to)->line[move.line]);
}

/* ---- packing: caches sorted by what all lines say about them, then lines by their packed form. Tied caches are tried in
 * every order, and the smallest result is kept. */

static uint64_t mix(uint64_t h)
{
    h *= 0xff51afd7ed558ccdull;
    return (h ^ h >> 32) * 0xc4ceb9fe1a85ec53ull;
}

static void sort_caches(const struct space *x, const struct lines *w, uint64_t sum[WORLD_AGENTS_MAX], uint8_t *order)
{
    uint64_t sign[WORLD_AGENTS_MAX];
    memset(sum, 0, WORLD_AGENTS_MAX * sizeof *sum);
    for (unsigned l = 0; l < x->lines; l++) {
        world_signatures(x, &w->line[l], sign);
        for (unsigned a = 0; a < x->caches; a++)
            sum[a] += mix(sign[a]);
    }
    for (unsigned a = 0; a < x->caches; a++) {
        unsigned at = a;
        for (; at > 0 && sum[order[at - 1]] > sum[a]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)a;
    }
}

static int compare_lines(const union key *a, const union key *b) { return memcmp(a, b, sizeof *a); }

static void pack_as(const struct space *x, const struct lines *w, const uint8_t *names, union key *keys)
{
    for (unsigned l = 0; l < x->lines; l++) {
        union key key;
        unsigned at = l;
        world_pack_as(x, &w->line[l], names, &key);
        for (; at > 0 && compare_lines(&keys[at - 1], &key) > 0; at--)
            keys[at] = keys[at - 1];
        keys[at] = key;
    }
}

static void pack(const struct model *m, const void *world, uint64_t *words)
{
    const struct space *x = space_of(m);
    uint64_t sum[WORLD_AGENTS_MAX];
    uint8_t order[EXPLORE_CACHES_MAX], names[WORLD_AGENTS_MAX + 1] = { 0 };
    union key keys[EXPLORE_LINES_MAX], best[EXPLORE_LINES_MAX];
    sort_caches(x, world, sum, order);
    names[x->caches + 1] = (uint8_t)(x->caches + 1); /* the device, if there is one */
    for (unsigned i = 0; i < x->n_orders; i++) {
        bool same = true;
        for (unsigned k = 0; k < x->caches; k++) {
            same = same && sum[order[x->order[i][k]]] == sum[order[k]];
            names[order[x->order[i][k]] + 1] = (uint8_t)(k + 1);
        }
        if (!same)
            continue;
        pack_as(x, world, names, keys);
        if (i == 0 || memcmp(keys, best, x->lines * sizeof *keys) < 0)
            memcpy(best, keys, x->lines * sizeof *keys);
    }
    memcpy(words, best, x->lines * sizeof *best);
}

static void unpack(const struct model *m, const uint64_t *words, void *world)
{
    struct lines *w = world;
    for (unsigned l = 0; l < space_of(m)->lines; l++)
        world_unpack(m, words + l * WORDS_OF_LINE, &w->line[l]);
}

static const struct model_ops lines_ops = {
    .world_bytes = sizeof(struct lines), .first = first, .pack = pack, .unpack = unpack, .moves = moves_of, .fire = fire,
    .quiet = quiet, .silent = silent, .agrees = agrees, .print_move = print_move,
};

void lines_init(struct space *x, struct explore_options o)
{
    x->lines = o.lines;
    x->mshrs = o.mshrs ? o.mshrs : 2;
    x->cache_ways = o.cache_ways ? o.cache_ways : o.lines - 1;
    x->home_ways = o.home_ways ? o.home_ways : o.lines;
    x->recalls = x->recalls && x->home_ways >= x->lines;
    x->model.ops = &lines_ops;
    x->model.key_words = o.lines * WORDS_OF_LINE;
}
