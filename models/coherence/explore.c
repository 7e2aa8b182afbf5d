/* models/coherence/explore.c - breadth-first search over packed worlds, liveness, and the counter-example.
 *
 * Per state: 32 bytes packed, the parent, and the state that one delivery leads to; an open-addressing table of
 * state numbers finds known ones. Liveness: following the stored deliveries must end in a quiet state; where they
 * run in a circle, all deliveries are tried until a fixed point.
 */
#include "models/coherence/world.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"

enum { FIRST_SLOTS = 1 << 12 };
static const uint64_t DEFAULT_MAX_STATES = 50000000;
#define NO_STATE UINT32_MAX

struct search {
    struct space space;
    struct key *key;
    uint32_t *parent, *onward;  /* onward: by delivering one message; itself if quiet; NO_STATE not known */
    uint32_t n, room;
    uint32_t *slot;             /* state number + 1, 0 free */
    uint32_t mask;
    uint64_t max_states, transitions;
    /* what was found */
    enum explore_outcome outcome;
    uint32_t bad;               /* state it was found in */
    bool has_bad_move;
    struct move bad_move;       /* the move that broke the rule */
};

static void *sized(void *old, size_t count, size_t bytes)
{
    void *p = realloc(old, count * bytes);
    CHECK(p, "explorer: out of memory for %zu states", count);
    return p;
}

static uint64_t hash(const struct key *key)
{
    uint64_t w[4], h = 0x9e3779b97f4a7c15ull;
    memcpy(w, key, sizeof w);
    for (unsigned i = 0; i < 4; i++) {
        h = (h ^ w[i]) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return h;
}

static void grow_table(struct search *s)
{
    uint32_t slots = s->mask ? (s->mask + 1) * 2 : FIRST_SLOTS;
    free(s->slot);
    s->slot = calloc(slots, sizeof *s->slot);
    CHECK(s->slot, "explorer: out of memory for %u table slots", slots);
    s->mask = slots - 1;
    for (uint32_t i = 0; i < s->n; i++) {
        uint32_t at = (uint32_t)hash(&s->key[i]) & s->mask;
        while (s->slot[at])
            at = (at + 1) & s->mask;
        s->slot[at] = i + 1;
    }
}

static void grow_states(struct search *s)
{
    s->room = s->room ? s->room * 2 : FIRST_SLOTS / 2;
    s->key = sized(s->key, s->room, sizeof *s->key);
    s->parent = sized(s->parent, s->room, sizeof *s->parent);
    s->onward = sized(s->onward, s->room, sizeof *s->onward);
}

static uint32_t find(const struct search *s, const struct key *key, uint32_t *free_slot)
{
    uint32_t at = (uint32_t)hash(key) & s->mask;
    for (; s->slot[at]; at = (at + 1) & s->mask)
        if (memcmp(&s->key[s->slot[at] - 1], key, sizeof *key) == 0)
            return s->slot[at] - 1;
    *free_slot = at;
    return NO_STATE;
}

/* The state's number; added if it is new. */
static uint32_t intern(struct search *s, const struct world *w, uint32_t parent)
{
    struct key key;
    uint32_t at = 0, known;
    world_pack(&s->space, w, &key);
    known = find(s, &key, &at);
    if (known != NO_STATE)
        return known;
    if (s->n == s->room)
        grow_states(s);
    s->key[s->n] = key;
    s->parent[s->n] = parent;
    s->onward[s->n] = NO_STATE;
    s->slot[at] = ++s->n;
    if (s->n > s->mask / 2)
        grow_table(s);
    return s->n - 1;
}

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
    snprintf(s->space.fault, sizeof s->space.fault, "%s", text);
}

/* A state from which no delivery leads on: at rest and in order, or stuck. */
static bool judge_rest(struct search *s, uint32_t i, const struct world *w)
{
    if (world_quiet(&s->space, w)) {
        s->onward[i] = i;
        if (!world_agrees(&s->space, w))
            found(s, EXPLORE_VIOLATION, i, NULL);
    } else {
        say(s, w->n_messages ? "deadlock: every message in flight waits" :
                               "deadlock: somebody waits for an answer and no message is in flight");
        found(s, EXPLORE_STUCK, i, NULL);
    }
    return s->outcome == EXPLORE_PASSED;
}

static bool expand(struct search *s, uint32_t i)
{
    struct world w, next;
    struct move moves[MOVES_MAX];
    world_unpack(&s->space, &s->key[i], &w);
    unsigned n = world_moves(&s->space, &w, moves);
    for (unsigned k = 0; k < n; k++) {
        enum fired f = world_fire(&s->space, &w, moves[k], &next);
        if (f == FIRED_FAULT) {
            found(s, EXPLORE_VIOLATION, i, &moves[k]);
            return false;
        }
        if (f == FIRED_NOTHING)
            continue;
        s->transitions++;
        uint32_t to = intern(s, &next, i);
        if (moves[k].kind == MOVE_DELIVER && s->onward[i] == NO_STATE)
            s->onward[i] = to;
    }
    return s->onward[i] != NO_STATE || judge_rest(s, i, &w);
}

static void search_all(struct search *s)
{
    struct world first;
    world_first(&s->space, &first);
    grow_states(s);
    grow_table(s);
    intern(s, &first, NO_STATE);
    for (uint32_t i = 0; i < s->n; i++) {
        if (!expand(s, i))
            return;
        if (s->n > s->max_states) {
            snprintf(s->space.fault, sizeof s->space.fault, "not complete: more than %llu states",
                     (unsigned long long)s->max_states);
            s->outcome = EXPLORE_LIMIT;
            return;
        }
    }
}

/* ---- liveness */

enum { UNKNOWN, ON_PATH, LIVE, CIRCLE };

/* Marks every state whose chain of stored deliveries ends at rest. Returns whether all do. */
static bool follow_chains(const struct search *s, uint8_t *mark)
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

/* Some delivery leads from state i to a live one. */
static bool leads_to_live(struct search *s, uint32_t i, const uint8_t *mark)
{
    struct world w, next;
    struct move moves[MOVES_MAX];
    struct key key;
    uint32_t at = 0;
    world_unpack(&s->space, &s->key[i], &w);
    unsigned n = world_moves(&s->space, &w, moves);
    for (unsigned k = 0; k < n && moves[k].kind == MOVE_DELIVER; k++) {
        if (world_fire(&s->space, &w, moves[k], &next) != FIRED_CHANGED)
            continue;
        world_pack(&s->space, &next, &key);
        uint32_t to = find(s, &key, &at);
        if (to != NO_STATE && mark[to] == LIVE)
            return true;
    }
    return false;
}

/* From every state all that is pending can complete without anything new being begun. */
static void check_live(struct search *s)
{
    uint8_t *mark = calloc(s->n, 1);
    CHECK(mark, "explorer: out of memory for %u marks", s->n);
    bool all = follow_chains(s, mark);
    s->space.counts = NULL;
    for (bool grew = !all; grew;) {
        grew = false;
        for (uint32_t i = s->n; i-- > 0;)
            if (mark[i] != LIVE && leads_to_live(s, i, mark)) {
                mark[i] = LIVE;
                grew = true;
            }
    }
    for (uint32_t i = 0; i < s->n && s->outcome == EXPLORE_PASSED; i++)
        if (mark[i] != LIVE) {
            say(s, "livelock: messages keep going round and nothing pending can complete");
            found(s, EXPLORE_STUCK, i, NULL);
        }
    free(mark);
}

/* ---- the counter-example */

/* Packed states forget which cache is which, so each step is played again from the concrete world so far. */
static bool replay_step(struct search *s, struct world *w, uint32_t wanted, FILE *out, unsigned number)
{
    struct world next;
    struct move moves[MOVES_MAX];
    struct key key;
    unsigned n = world_moves(&s->space, w, moves);
    for (unsigned k = 0; k < n; k++) {
        if (world_fire(&s->space, w, moves[k], &next) != FIRED_CHANGED)
            continue;
        world_pack(&s->space, &next, &key);
        if (memcmp(&key, &s->key[wanted], sizeof key) != 0)
            continue;
        fprintf(out, "%3u  ", number);
        world_print_move(out, &s->space, w, moves[k], &next);
        *w = next;
        return true;
    }
    return false;
}

/* The faulty move itself, found again in the concrete world. */
static unsigned replay_fault(struct search *s, const struct world *w, FILE *out, unsigned number)
{
    struct world next;
    struct move moves[MOVES_MAX];
    char what[EXPLORE_TEXT_BYTES];
    unsigned n = world_moves(&s->space, w, moves);
    for (unsigned k = 0; k < n; k++)
        if (world_fire(&s->space, w, moves[k], &next) == FIRED_FAULT) {
            memcpy(what, s->space.fault, sizeof what);
            fprintf(out, "%3u  ", number);
            world_print_move(out, &s->space, w, moves[k], &next);
            memcpy(s->space.fault, what, sizeof what);
            return 1;
        }
    return 0;
}

static char *tell(struct search *s, unsigned *steps)
{
    char *text = NULL;
    size_t bytes = 0;
    unsigned depth = 0, number = 0;
    for (uint32_t i = s->bad; s->parent[i] != NO_STATE; i = s->parent[i])
        depth++;
    uint32_t *path = sized(NULL, depth + 1, sizeof *path);
    for (uint32_t i = s->bad, at = depth; s->parent[i] != NO_STATE; i = s->parent[i])
        path[--at] = i;
    FILE *out = open_memstream(&text, &bytes);
    CHECK(out, "explorer: out of memory for the counter-example");
    struct world w;
    char rule[EXPLORE_TEXT_BYTES];
    memcpy(rule, s->space.fault, sizeof rule);
    s->space.counts = NULL;
    world_first(&s->space, &w);
    while (number < depth && replay_step(s, &w, path[number], out, number + 1))
        number++;
    CHECK(number == depth, "explorer: the counter-example cannot be played again at step %u", number + 1);
    memcpy(s->space.fault, rule, sizeof rule);
    if (s->has_bad_move)
        number += replay_fault(s, &w, out, number + 1);
    else if (s->outcome == EXPLORE_VIOLATION)
        world_agrees(&s->space, &w); /* the same fault, with the names of this story */
    fclose(out);
    free(path);
    *steps = number;
    return text;
}

/* ---- all of it */

static unsigned count_unused(const struct protocol *p, const struct row_counts *counts)
{
    unsigned unused = 0;
    for (unsigned s = 0; s < p->table[CTL_CACHE].n_states; s++)
        for (unsigned e = 0; e < CACHE_EVENT_COUNT; e++)
            unused += p->table[CTL_CACHE].row[s][e] != ROW_ILLEGAL && !counts->cache[s][e];
    for (unsigned s = 0; s < p->table[CTL_HOME].n_states; s++)
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++)
            unused += p->table[CTL_HOME].row[s][e] != ROW_ILLEGAL && !counts->home[s][e];
    return unused;
}

struct explore_result explore(const struct protocol *p, struct explore_options o)
{
    struct explore_result r = { 0 };
    struct search s = { .max_states = o.max_states ? o.max_states : DEFAULT_MAX_STATES };
    CHECK(o.caches >= 1 && o.caches <= EXPLORE_CACHES_MAX, "explorer: %u caches", o.caches);
    space_init(&s.space, p, o, &r.counts);
    search_all(&s);
    if (s.outcome == EXPLORE_PASSED)
        check_live(&s);
    r.outcome = s.outcome;
    r.states = s.n;
    r.transitions = s.transitions;
    r.bytes = (uint64_t)s.room * (sizeof *s.key + sizeof *s.parent + sizeof *s.onward) +
              (uint64_t)(s.mask + 1) * sizeof *s.slot;
    r.unused_rows = count_unused(p, &r.counts);
    if (s.outcome == EXPLORE_VIOLATION || s.outcome == EXPLORE_STUCK)
        r.trace = tell(&s, &r.trace_steps);
    memcpy(r.what, s.space.fault, sizeof r.what);
    if (s.outcome == EXPLORE_PASSED)
        r.what[0] = '\0';
    free(s.key), free(s.parent), free(s.onward), free(s.slot);
    return r;
}

void explore_result_free(struct explore_result *r)
{
    free(r->trace);
    r->trace = NULL;
}
