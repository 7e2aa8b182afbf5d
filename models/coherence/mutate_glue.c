/* models/coherence/mutate_glue.c - single faults in the glue between two levels: every row that asks for nothing first,
 * for something else, or with another event; and exclusive copies inside under a shared one.
 *
 * Each is walked through in the larger sizes, and what survives is explored with one cache per cluster. Rows of events
 * that the protocol does not know are left out.
 */
#include "models/coherence/levels.h"

enum { ANY = 0xff };

/* What must hold in the protocol's tables. */
enum provided {
    ALWAYS,
    OWNER_WRITES,   /* an owner always may: no state of a shared owner (UPG_OWNER) */
    STORES_ALIKE    /* an owner stays one until it writes, and asks for the same to store into all of a line or a part */
};

/* Faults that no check can notice, and why. */
struct harmless {
    bool upper;
    uint8_t event, first, ask;
    const char *reason;
    enum provided provided;
};
static const struct harmless harmless[] = {
    { false, HEV_GETS, ANY, CEV_STORE, "asks for more than it needs: slower, not wrong", ALWAYS },
    { false, HEV_GETU, ANY, CEV_STORE, "asks for more than it needs: slower, not wrong", ALWAYS },
    { false, HEV_GETO, GLUE_WRITE, CEV_STORE, "fetches data that nobody needs", ALWAYS },
    { false, HEV_UPG_OWNER, GLUE_WRITE, CEV_STORE_FULL, "the upper cache owns as well: it asks for the same", STORES_ALIKE },
    { false, HEV_PUT_OWNER, GLUE_FLUSH, ANY, "comes home later, when the upper cache is at rest", ALWAYS },
    { false, HEV_PUT_OWNER, GLUE_READ, ANY, "whoever owns the line inside has an upper cache that may read", ALWAYS },
    { false, HEV_PUT_OWNER, GLUE_WRITE, CEV_STORE, "asks for more than it needs: slower, not wrong", ALWAYS },
    { false, HEV_PUT_OWNER, GLUE_WRITE, CEV_STORE_FULL, "the same", STORES_ALIKE },
    { false, HEV_PUT_OWNER, ANY, ANY, "who owns the line inside has an upper cache at rest that may write", OWNER_WRITES },
    { false, HEV_PUTF_OWNER, GLUE_WRITE, CEV_STORE, "asks for more than it needs, and is at rest then", ALWAYS },
    { false, HEV_PUTF_OWNER, GLUE_WRITE, CEV_STORE_FULL, "the same", STORES_ALIKE },
    { false, HEV_PUTF_OWNER, ANY, ANY, "who owns the line inside has an upper cache at rest that may write", OWNER_WRITES },
    { false, HEV_PUTF_OLD, GLUE_WRITE, CEV_STORE, "a flush that is slower: an upper cache that may write is at rest", ALWAYS },
    { false, HEV_PUT_OLD, GLUE_FLUSH, ANY, "a put too late is answered later", ALWAYS },
    { false, HEV_PUT_OLD, ANY, CEV_STORE, "a put too late is answered later", ALWAYS },
    { false, HEV_PUT_OLD, GLUE_READ, CEV_LOAD, "a put too late is answered later", ALWAYS },
    { true, CEV_FWD_GETS, GLUE_RECALL, ANY, "readers inside lose their copies: slower, not wrong", ALWAYS },
    { true, CEV_FWD_GETU, GLUE_RECALL, ANY, "readers inside lose their copies: slower, not wrong", ALWAYS },
};

/* An owner that serves a reader stays owner (MOESI, not MESIF): then an upper cache over an owner inside owns as well. */
static bool stores_alike(const struct protocol *p)
{
    for (uint8_t s = 0; s < p->table[CTL_CACHE].n_states; s++) {
        const row_word *row = p->table[CTL_CACHE].row[s];
        if (!(p->owning >> s & 1))
            continue;
        if (row_verdict(row[CEV_FWD_GETS]) == STEP_DONE && !(p->owning >> row_next(row[CEV_FWD_GETS]) & 1))
            return false;
        if (!cache_writable(p, s) && row[CEV_STORE] != row[CEV_STORE_FULL])
            return false;
    }
    return true;
}

static bool is_so(const struct protocol *p, enum provided what)
{
    static const struct glue_row shared_owner = { .event = HEV_UPG_OWNER };
    switch (what) {
    case ALWAYS: return true;
    case OWNER_WRITES: return !glue_row_known(p, &shared_owner);
    case STORES_ALIKE: return stores_alike(p);
    }
    return false;
}

/* No GETS is answered with the only copy: wherever GETS_R has a row, that of GETS is the same. */
static bool never_the_only_copy(const struct protocol *p)
{
    for (unsigned s = 0; s < p->table[CTL_HOME].n_states; s++) {
        const row_word *row = p->table[CTL_HOME].row[s];
        if (row[HEV_GETS_R] != ROW_ILLEGAL && row[HEV_GETS] != row[HEV_GETS_R])
            return false;
    }
    return true;
}

static const struct harmless *listed(const struct protocol *p, const struct glue_row *r)
{
    bool asks = r->first == GLUE_READ || r->first == GLUE_WRITE;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++) {
        const struct harmless *h = &harmless[i];
        bool same_first = h->first == ANY || h->first == r->first, same_ask = h->ask == ANY || (asks && h->ask == r->ask);
        if (!is_so(p, h->provided))
            continue;
        if (h->upper == r->upper && h->event == r->event && same_first && same_ask)
            return h;
    }
    return NULL;
}

static bool passes(struct explore_result r, uint64_t *states)
{
    bool passed = r.outcome == EXPLORE_PASSED || r.outcome == EXPLORE_LIMIT;
    *states += r.states;
    explore_result_free(&r);
    return passed;
}

static bool survives(const struct protocol *p, struct explore_options o, const struct glue *glue, uint64_t *states)
{
    o.glue = glue;
    o.untold = true;
    for (unsigned i = 0; i < LARGER_SIZES; i++)
        if (!passes(explore_larger(p, o, i), states))
            return false;
    o.caches = 1;
    o.device = false;
    return passes(explore(p, o), states);
}

static void print_glue_mutant(FILE *out, const char *what, const struct glue_row *r)
{
    static const char *const first[] = { "NOTHING", "READ", "WRITE", "FLUSH", "RECALL", "DEMOTE" };
    bool asks = r->first == GLUE_READ || r->first == GLUE_WRITE;
    fprintf(out, "  %s: [%s, %s, %s%s%s]\n", what, r->upper ? "upper" : "home",
            r->upper ? cache_event_name(r->event) : home_event_name(r->event), first[r->first], asks ? ", " : "",
            asks ? cache_event_name(r->ask) : "");
}

static void try_row(FILE *out, const struct protocol *p, struct explore_options o, unsigned i, uint8_t first, uint8_t ask,
                    struct mutant_result *m)
{
    struct glue copy = glue_default;
    struct glue_row *r = &copy.row[i];
    if (r->first == first && (r->ask == ask || (first != GLUE_READ && first != GLUE_WRITE)))
        return;
    r->first = first;
    r->ask = ask;
    bool survived = survives(p, o, &copy, &m->states), known = listed(p, r) != NULL;
    m->total++;
    m->caught += !survived;
    m->equivalent += survived && known;
    m->survivors += survived && !known;
    m->stale_entries += !survived && known;
    if (survived && !known)
        print_glue_mutant(out, "survived", r);
    if (!survived && known)
        print_glue_mutant(out, "listed as equivalent, but caught", r);
}

static void try_home_row(FILE *out, const struct protocol *p, struct explore_options o, unsigned i, struct mutant_result *m)
{
    static const uint8_t asks[] = { CEV_LOAD, CEV_STORE, CEV_STORE_FULL };
    try_row(out, p, o, i, GLUE_NOTHING, 0, m);
    try_row(out, p, o, i, GLUE_FLUSH, 0, m);
    for (unsigned k = 0; k < sizeof asks; k++)
        if (protocol_has_event(p, (enum cache_event)asks[k])) {
            try_row(out, p, o, i, GLUE_READ, asks[k], m);
            try_row(out, p, o, i, GLUE_WRITE, asks[k], m);
        }
}

struct mutant_result glue_mutants(FILE *out, const struct protocol *p, struct explore_options o)
{
    struct mutant_result m = { 0 };
    for (unsigned i = 0; i < GLUE_ROWS; i++) {
        if (!glue_row_known(p, &glue_default.row[i]))
            continue;
        if (!glue_default.row[i].upper) {
            try_home_row(out, p, o, i, &m);
            continue;
        }
        try_row(out, p, o, i, GLUE_NOTHING, 0, &m);
        try_row(out, p, o, i, GLUE_RECALL, 0, &m);
        try_row(out, p, o, i, GLUE_DEMOTE, 0, &m);
    }
    struct glue copy = glue_default;
    copy.shared_under_shared = false;
    bool survived = survives(p, o, &copy, &m.states), known = never_the_only_copy(p);
    m.total++;
    m.caught += !survived;
    m.equivalent += survived && known;
    m.survivors += survived && !known;
    m.stale_entries += !survived && known;
    if (!survived && known)
        fputs("  no fault, but caught: a GETS is never stepped as GETS_R\n", out);
    if (survived && !known)
        fputs("  survived: a GETS is never stepped as GETS_R\n", out);
    return m;
}
