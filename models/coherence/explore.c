/* models/coherence/explore.c - breadth-first search over packed worlds, liveness, and the counter-example.
 *
 * Per state: its key, the parent, and the state that one onward move (a delivery) leads to. Liveness: following the
 * stored onward moves must end in a quiet state; where they run in a circle, all onward moves are tried until a
 * fixed point.
 */
#include "models/coherence/levels.h"
#include "models/coherence/lines.h"
#include "models/coherence/states.h"
#include "models/coherence/world.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/rng.h"

struct search {
    struct model *model;
    struct states states;
    uint64_t max_states, transitions;
    uint32_t expanded;          /* states whose moves were all made */
    /* what was found */
    enum explore_outcome outcome;
    uint32_t bad;               /* state it was found in */
    bool has_bad_move;
    struct move bad_move;       /* the move that broke the rule */
};

static void found(struct search *s, enum explore_outcome outcome, uint32_t state, const struct move *move)
{
    s->outcome = outcome;
    s->bad = state;
    s->has_bad_move = move != NULL;
    if (move)
        s->bad_move = *move;
}

static void say(struct search *s, const char *text)
{
    snprintf(s->model->fault, sizeof s->model->fault, "%s", text);
}

/* A state from which nothing leads onward: at rest and in order, or stuck. */
static bool judge_rest(struct search *s, uint32_t i, const void *w)
{
    const struct model_ops *ops = s->model->ops;
    if (ops->quiet(s->model, w)) {
        s->states.onward[i] = i;
        if (!ops->agrees(s->model, w))
            found(s, EXPLORE_VIOLATION, i, NULL);
    } else {
        say(s, ops->silent(s->model, w) ? "deadlock: somebody waits for an answer and no message is in flight" :
                                          "deadlock: every message in flight waits");
        found(s, EXPLORE_STUCK, i, NULL);
    }
    return s->outcome == EXPLORE_PASSED;
}

static bool expand(struct search *s, uint32_t i)
{
    const struct model_ops *ops = s->model->ops;
    union world_room w, next;
    struct move moves[MODEL_MOVES_MAX];
    bool goes_on = false;
    ops->unpack(s->model, states_key(&s->states, i), &w);
    unsigned n = ops->moves(s->model, &w, moves);
    for (unsigned k = 0; k < n; k++) {
        enum fired f = ops->fire(s->model, &w, moves[k], &next);
        if (f == FIRED_FAULT) {
            found(s, EXPLORE_VIOLATION, i, &moves[k]);
            return false;
        }
        if (f == FIRED_NOTHING)
            continue;
        goes_on |= moves[k].onward;
        s->transitions++;
        ops->pack(s->model, &next, states_place(&s->states));
        states_offer(&s->states, i, moves[k].onward);
    }
    s->expanded = i + 1;
    return goes_on || judge_rest(s, i, &w);
}

static void search_all(struct search *s)
{
    union world_room first;
    s->model->ops->first(s->model, &first);
    s->model->ops->pack(s->model, &first, states_place(&s->states));
    states_offer(&s->states, NO_STATE, false);
    states_settle(&s->states);
    for (uint32_t i = 0; i < s->states.n && s->outcome == EXPLORE_PASSED; i++) {
        if (expand(s, i) && s->states.n > s->max_states) {
            s->outcome = EXPLORE_LIMIT;
            snprintf(s->model->fault, sizeof s->model->fault, "not complete: stopped at %llu states",
                     (unsigned long long)s->max_states);
        }
        if (i + 1 == s->states.n)
            states_settle(&s->states);
    }
    states_settle(&s->states);
}

/* ---- liveness */

enum { UNKNOWN, ON_PATH, LIVE, CIRCLE };

/* Marks every state whose chain of stored onward moves ends at rest. Returns whether all do. */
static bool follow_chains(const struct states *s, uint8_t *mark)
{
    bool all = true;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t end = i;
        while (mark[end] == UNKNOWN && s->onward[end] != end) {
            mark[end] = ON_PATH;
            end = s->onward[end];
        }
        uint8_t verdict = mark[end] == ON_PATH || mark[end] == CIRCLE ? CIRCLE : LIVE;
        all = all && verdict == LIVE;
        mark[end] = verdict;
        for (uint32_t k = i; mark[k] == ON_PATH; k = s->onward[k])
            mark[k] = verdict;
    }
    return all;
}

/* Some onward move leads from state i to a live one. */
static bool leads_to_live(struct search *s, uint32_t i, const uint8_t *mark)
{
    const struct model_ops *ops = s->model->ops;
    union world_room w, next;
    struct move moves[MODEL_MOVES_MAX];
    uint64_t key[KEY_WORDS_MAX];
    ops->unpack(s->model, states_key(&s->states, i), &w);
    unsigned n = ops->moves(s->model, &w, moves);
    for (unsigned k = 0; k < n && moves[k].onward; k++) {
        if (ops->fire(s->model, &w, moves[k], &next) != FIRED_CHANGED)
            continue;
        ops->pack(s->model, &next, key);
        uint32_t to = states_find(&s->states, key);
        if (to != NO_STATE && mark[to] == LIVE)
            return true;
    }
    return false;
}

/* From every state all that is pending can complete without anything new being begun. */
static void check_live(struct search *s)
{
    uint32_t states = s->states.n;
    uint8_t *mark = calloc(states, 1);
    CHECK_MEMORY(mark, "explorer: out of memory for %u marks", states);
    bool all = follow_chains(&s->states, mark);
    s->model->counts = NULL;
    for (bool grew = !all; grew;) {
        grew = false;
        for (uint32_t i = states; i-- > 0;)
            if (mark[i] != LIVE && leads_to_live(s, i, mark)) {
                mark[i] = LIVE;
                grew = true;
            }
    }
    for (uint32_t i = 0; i < states && s->outcome == EXPLORE_PASSED; i++)
        if (mark[i] != LIVE) {
            say(s, "livelock: messages keep going round and nothing pending can complete");
            found(s, EXPLORE_STUCK, i, NULL);
        }
    free(mark);
}

/* ---- the counter-example */

/* Packed states forget names, so each step is played again from the concrete world so far. */
static bool replay_step(struct search *s, union world_room *w, uint32_t wanted, FILE *out, unsigned number)
{
    const struct model_ops *ops = s->model->ops;
    union world_room next;
    struct move moves[MODEL_MOVES_MAX];
    uint64_t key[KEY_WORDS_MAX];
    unsigned n = ops->moves(s->model, w, moves);
    for (unsigned k = 0; k < n; k++) {
        if (ops->fire(s->model, w, moves[k], &next) != FIRED_CHANGED)
            continue;
        ops->pack(s->model, &next, key);
        if (memcmp(key, states_key(&s->states, wanted), s->states.words * sizeof *key) != 0)
            continue;
        fprintf(out, "%3u  ", number);
        ops->print_move(out, s->model, w, moves[k], &next);
        memcpy(w, &next, ops->world_bytes);
        return true;
    }
    return false;
}

/* The faulty move itself, found again in the concrete world. */
static unsigned replay_fault(struct search *s, const union world_room *w, FILE *out, unsigned number)
{
    const struct model_ops *ops = s->model->ops;
    union world_room next;
    struct move moves[MODEL_MOVES_MAX];
    char what[EXPLORE_TEXT_BYTES];
    unsigned n = ops->moves(s->model, w, moves);
    for (unsigned k = 0; k < n; k++)
        if (ops->fire(s->model, w, moves[k], &next) == FIRED_FAULT) {
            memcpy(what, s->model->fault, sizeof what);
            fprintf(out, "%3u  ", number);
            ops->print_move(out, s->model, w, moves[k], &next);
            memcpy(s->model->fault, what, sizeof what);
            return 1;
        }
    return 0;
}

static unsigned depth_of(const struct search *s, uint32_t i)
{
    unsigned depth = 0;
    for (; s->states.parent[i] != NO_STATE; i = s->states.parent[i])
        depth++;
    return depth;
}

static char *tell(struct search *s, unsigned *steps)
{
    char *text = NULL;
    size_t bytes = 0;
    unsigned depth = depth_of(s, s->bad), number = 0;
    const uint32_t *parent = s->states.parent;
    uint32_t *path = calloc(depth + 1, sizeof *path);
    FILE *out = open_memstream(&text, &bytes);
    CHECK_MEMORY(path && out, "explorer: out of memory for the counter-example");
    for (uint32_t i = s->bad, at = depth; parent[i] != NO_STATE; i = parent[i])
        path[--at] = i;
    union world_room w;
    char rule[EXPLORE_TEXT_BYTES];
    memcpy(rule, s->model->fault, sizeof rule);
    s->model->counts = NULL;
    s->model->ops->first(s->model, &w);
    while (number < depth && replay_step(s, &w, path[number], out, number + 1))
        number++;
    CHECK(number == depth, "explorer: the counter-example cannot be played again at step %u", number + 1);
    memcpy(s->model->fault, rule, sizeof rule);
    if (s->has_bad_move)
        number += replay_fault(s, &w, out, number + 1);
    else if (s->outcome == EXPLORE_VIOLATION)
        s->model->ops->agrees(s->model, &w); /* the same fault, with the names of this story */
    fclose(out);
    free(path);
    *steps = number;
    return text;
}

/* ---- all of it */

static unsigned count_unused(const struct protocol *p, const struct row_counts *a, const struct row_counts *b)
{
    unsigned unused = 0;
    for (unsigned s = 0; s < p->table[CTL_CACHE].n_states; s++)
        for (unsigned e = 0; e < CACHE_EVENT_COUNT; e++)
            unused += p->table[CTL_CACHE].row[s][e] != ROW_ILLEGAL && !a->cache[s][e] && !b->cache[s][e] &&
                      !protocol_may_lack(p, CTL_CACHE, s, e);
    for (unsigned s = 0; s < p->table[CTL_HOME].n_states; s++)
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++)
            unused += p->table[CTL_HOME].row[s][e] != ROW_ILLEGAL && !a->home[s][e] && !b->home[s][e] &&
                      !protocol_may_lack(p, CTL_HOME, s, e);
    return unused;
}

static void search_model(struct model *m, struct explore_options o, struct explore_result *r)
{
    struct search s = { .model = m, .max_states = o.max_states ? o.max_states : EXPLORE_STATES_MAX };
    CHECK(m->key_words <= KEY_WORDS_MAX && m->ops->world_bytes <= sizeof(union world_room), "explorer: a world too large");
    states_init(&s.states, m->key_words);
    search_all(&s);
    if (s.outcome == EXPLORE_PASSED)
        check_live(&s);
    r->outcome = s.outcome;
    r->states = s.states.n;
    r->expanded = s.expanded;
    r->complete_depth = depth_of(&s, s.expanded ? s.expanded - 1 : 0);
    r->transitions = s.transitions;
    r->bytes = states_bytes(&s.states);
    if (!o.untold && (s.outcome == EXPLORE_VIOLATION || s.outcome == EXPLORE_STUCK))
        r->trace = tell(&s, &r->trace_steps);
    memcpy(r->what, m->fault, sizeof r->what);
    if (s.outcome == EXPLORE_PASSED)
        r->what[0] = '\0';
    states_free(&s.states);
}

/* x: levels if there are clusters. */
union any_space { struct space one; struct levels_space levels; };

static struct model *open_space(union any_space *a, const struct protocol *p, struct explore_options o, struct explore_result *r)
{
    struct space *x = o.clusters ? &a->levels.x : &a->one;
    CHECK(o.caches >= 1 && o.caches <= EXPLORE_CACHES_MAX, "explorer: %u caches", o.caches);
    CHECK(o.clusters + o.device <= OUTER_AGENTS_MAX || !o.clusters, "explorer: %u clusters", o.clusters);
    CHECK(o.lines <= EXPLORE_LINES_MAX, "explorer: %u lines", o.lines);
    space_init(x, p, o, &r->counts);
    if (o.clusters)
        levels_init(&a->levels, o, &r->levels);
    else if (o.lines > 1)
        lines_init(x, o);
    return &x->model;
}

struct explore_result explore(const struct protocol *p, struct explore_options o)
{
    struct explore_result r = { 0 };
    union any_space space;
    search_model(open_space(&space, p, o, &r), o, &r);
    if (o.clusters) {
        r.bytes += levels_bytes(&space.levels);
        levels_free(&space.levels);
    }
    r.unused_rows = count_unused(p, &r.counts, &r.levels.nodes);
    return r;
}

/* ---- a random walk */

/* A move of w that changes something; a rest that is none ends the walk as well. */
static enum explore_outcome walk_on(struct model *m, struct rng *rng, union world_room *w)
{
    const struct model_ops *ops = m->ops;
    union world_room next;
    struct move moves[MODEL_MOVES_MAX];
    unsigned n = ops->moves(m, w, moves);
    bool begun_only = n == 0 || !moves[0].onward;
    if (begun_only && !ops->quiet(m, w)) {
        snprintf(m->fault, sizeof m->fault, "deadlock: somebody waits for an answer and no message is in flight");
        return EXPLORE_STUCK;
    }
    if (begun_only && !ops->agrees(m, w))
        return EXPLORE_VIOLATION;
    for (unsigned at = n ? (unsigned)rng_below(rng, n) : 0, tries = 0; tries < n; tries++, at = (at + 1) % n) {
        enum fired f = ops->fire(m, w, moves[at], &next);
        if (f == FIRED_FAULT)
            return EXPLORE_VIOLATION;
        if (f == FIRED_CHANGED) {
            memcpy(w, &next, ops->world_bytes);
            return EXPLORE_PASSED;
        }
    }
    snprintf(m->fault, sizeof m->fault, "deadlock: every message in flight waits");
    return EXPLORE_STUCK;
}

struct explore_result explore_walk(const struct protocol *p, struct explore_options o, uint64_t moves)
{
    struct explore_result r = { 0 };
    union any_space space;
    union world_room w;
    struct model *m = open_space(&space, p, o, &r);
    struct rng rng = rng_stream(1, "explorer");
    for (; r.transitions < moves && r.outcome == EXPLORE_PASSED; r.transitions++) {
        if (r.transitions % WALK_MOVES == 0)
            m->ops->first(m, &w);
        r.outcome = walk_on(m, &rng, &w);
    }
    memcpy(r.what, m->fault, sizeof r.what);
    if (r.outcome == EXPLORE_PASSED)
        r.what[0] = '\0';
    if (o.clusters)
        levels_free(&space.levels);
    r.unused_rows = count_unused(p, &r.counts, &r.levels.nodes);
    return r;
}

void explore_result_free(struct explore_result *r)
{
    free(r->trace);
    r->trace = NULL;
}
