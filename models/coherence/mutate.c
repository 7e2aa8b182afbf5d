/* models/coherence/mutate.c - does the explorer notice? Every row deleted, every row redirected, one at a time.
 *
 * A mutant that survives either does the same as the original in all that is checked (list it under
 * `equivalent:` with the reason) or shows a check that is missing.
 */
#include "models/coherence/explore.h"

enum fate { FATE_CAUGHT, FATE_UNUSED_ROWS, FATE_SURVIVED };

struct mutant { enum controller c; unsigned state, event; int next; /* -1: deleted */ };

static enum fate explore_mutant(const struct protocol *p, struct explore_options o, const struct mutant *m,
                                uint64_t *states)
{
    struct protocol copy = *p; /* texts are shared, tables are not */
    row_word *row = &copy.table[m->c].row[m->state][m->event];
    *row = m->next < 0 ? ROW_ILLEGAL : row_redirect(*row, (uint8_t)m->next);
    protocol_finish(&copy);
    struct explore_result r = explore(&copy, o);
    *states += r.states;
    enum fate fate = r.outcome != EXPLORE_PASSED ? FATE_CAUGHT : r.unused_rows ? FATE_UNUSED_ROWS : FATE_SURVIVED;
    if (r.outcome == EXPLORE_LIMIT)
        fate = FATE_SURVIVED;
    explore_result_free(&r);
    return fate;
}

/* Two caches find most faults and cost a hundredth. */
static enum fate try_mutant(const struct protocol *p, struct explore_options o, const struct mutant *m, uint64_t *states)
{
    struct explore_options few = o;
    few.caches = 2;
    few.device = false;
    if (explore_mutant(p, few, m, states) == FATE_CAUGHT)
        return FATE_CAUGHT;
    return explore_mutant(p, o, m, states);
}

static const struct equivalent *listed(const struct protocol *p, const struct mutant *m)
{
    for (size_t i = 0; i < p->n_equivalent; i++) {
        const struct equivalent *e = &p->equivalent[i];
        if (e->controller == m->c && e->state == m->state && e->event == m->event && e->next == m->next)
            return e;
    }
    return NULL;
}

static void print_mutant(FILE *out, const char *what, const struct protocol *p, const struct mutant *m)
{
    const struct state_table *t = &p->table[m->c];
    fprintf(out, "  %s: [%s, %s, %s, %s]\n", what, controller_name(p, m->c), t->name[m->state],
            vocabularies[m->c].events[m->event].name, m->next < 0 ? "delete" : t->name[m->next]);
}

static void judge(FILE *out, const struct protocol *p, struct explore_options o, const struct mutant *m,
                  struct mutant_result *r)
{
    enum fate fate = try_mutant(p, o, m, &r->states);
    bool known = listed(p, m) != NULL, excused = known || protocol_may_lack(p, m->c, m->state, m->event);
    r->total++;
    r->caught += fate == FATE_CAUGHT;
    r->caught_by_coverage += fate == FATE_UNUSED_ROWS;
    r->equivalent += fate == FATE_SURVIVED && excused;
    r->survivors += fate == FATE_SURVIVED && !excused;
    r->stale_entries += fate != FATE_SURVIVED && known;
    if (fate == FATE_SURVIVED && !excused)
        print_mutant(out, "survived", p, m);
    if (fate != FATE_SURVIVED && known)
        print_mutant(out, "listed as equivalent, but caught", p, m);
}

struct mutant_result mutants(FILE *out, const struct protocol *p, struct explore_options o)
{
    struct mutant_result r = { 0 };
    o.lines = 1;
    if (o.caches < MUTANT_CACHES_MIN)
        o.caches = MUTANT_CACHES_MIN;
    for (unsigned c = 0; c < CTL_COUNT; c++)
        for (unsigned s = 0; s < p->table[c].n_states; s++)
            for (unsigned e = 0; e < vocabularies[c].n_events; e++) {
                row_word w = p->table[c].row[s][e];
                if (w == ROW_ILLEGAL)
                    continue;
                judge(out, p, o, &(struct mutant){ (enum controller)c, s, e, -1 }, &r);
                for (unsigned next = 0; row_verdict(w) == STEP_DONE && next < p->table[c].n_states; next++)
                    if (next != row_next(w))
                        judge(out, p, o, &(struct mutant){ (enum controller)c, s, e, (int)next }, &r);
            }
    return r;
}
