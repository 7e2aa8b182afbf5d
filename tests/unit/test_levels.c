/* tests/unit/test_levels.c - the explorer's two levels: complete for one cache per cluster, planted faults in rows and glue
 * found, and packing that forgets names and nothing else.
 */
#include <criterion/criterion.h>

#include "models/coherence/levels.h"
#include "src/base/fail.h"
#include "tests/unit/test_protocol_rig.h"

TestSuite(levels, .timeout = 900);

/* The state counts are pinned: a change of a table, of the glue or of the explorer must change them knowingly. */
static const struct explored { const char *name; unsigned clusters; uint64_t states, transitions; } explored[] = {
    { "msi", 2, 226957, 902868 }, { "mesi", 2, 196558, 815491 }, { "mesif", 2, 396816, 1532411 }, { "moesi", 2, 290042, 1164822 },
};

Test(levels, one_cache_per_cluster_is_complete)
{
    for (size_t i = 0; i < sizeof explored / sizeof *explored; i++) {
        const struct explored *e = &explored[i];
        struct rig rig = rig_shipped(e->name);
        struct explore_result r = explore(rig.p, (struct explore_options){ .clusters = e->clusters, .caches = 1, .recalls = true });
        cr_expect_eq(r.outcome, EXPLORE_PASSED, "%s: %s\n%s", e->name, r.what, r.trace ? r.trace : "");
        cr_expect_eq(r.states, e->states, "%s: %llu states", e->name, (unsigned long long)r.states);
        cr_expect_eq(r.transitions, e->transitions, "%s: %llu moves", e->name, (unsigned long long)r.transitions);
        explore_result_free(&r);
        rig_free(&rig);
    }
}

Test(levels, two_caches_per_cluster_as_far_as_a_limit)
{
    struct rig rig = rig_shipped("mesi");
    struct explore_result r = explore(rig.p, (struct explore_options){ .clusters = 2, .caches = 2, .recalls = true,
                                                                        .max_states = 300000 });
    cr_expect_eq(r.outcome, EXPLORE_LIMIT, "%s\n%s", r.what, r.trace ? r.trace : "");
    explore_result_free(&r);
    rig_free(&rig);
}

/* ---- packing */

/* The same world with clusters and caches renamed: name[c] of cluster c, name[a] of cache a in every cluster. */
static int8_t renamed(const uint8_t *names, int agent) { return (int8_t)(agent < 0 ? agent : names[agent]); }

static void rename_list(const struct message_list *from, struct message_list *to, const uint8_t *names)
{
    *to = *from;
    for (unsigned i = 0; i < from->n; i++) {
        to->m[from->n - 1 - i] = from->m[i];
        to->m[from->n - 1 - i].to = renamed(names, from->m[i].to);
        to->m[from->n - 1 - i].requester = renamed(names, from->m[i].requester);
    }
}

static void rename_home(struct home_line *h, const uint8_t *names, unsigned n)
{
    uint64_t sharers = h->sharers.w[0];
    h->sharers.w[0] = 0;
    for (unsigned a = 0; a < n; a++)
        h->sharers.w[0] |= (sharers >> a & 1) << names[a];
    h->owner = renamed(names, h->owner);
    h->requester = renamed(names, h->requester);
    h->txn = (int16_t)(h->requester < 0 ? -1 : TXN_OF(h->requester));
}

static void rename_held(struct held_msg *h, const uint8_t *names)
{
    if (!h->busy)
        return;
    h->requester = (uint16_t)renamed(names, (int16_t)h->requester);
    h->txn = (int16_t)((int16_t)h->requester < 0 ? -1 : TXN_OF(h->requester));
}

static void rename_world(const struct levels_space *l, const struct levels *from, struct levels *to, const uint8_t *clusters,
                         const uint8_t *caches)
{
    *to = *from;
    rename_home(&to->home, clusters, l->outer_agents);
    rename_list(&from->outer, &to->outer, clusters);
    for (unsigned c = 0; c < l->clusters; c++) {
        const struct cluster_world *k = &from->cluster[c];
        struct cluster_world *r = &to->cluster[clusters[c]];
        *r = *k;
        rename_home(&r->node.home, caches, l->x.caches);
        rename_held(&r->node.trigger, caches);
        rename_held(&r->node.flush, caches);
        rename_held(&r->node.forward, clusters);
        rename_list(&k->inner, &r->inner, caches);
        for (unsigned a = 0; a < l->x.caches; a++) {
            r->line[caches[a]] = k->line[a];
            r->pending[caches[a]] = k->pending[a];
        }
    }
}

static uint64_t draw(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return *seed >> 33;
}

/* A step of a random walk; false: nothing can be done. */
static bool step(struct model *m, struct levels *w, uint64_t *seed)
{
    struct move moves[MODEL_MOVES_MAX];
    struct levels next;
    unsigned n = m->ops->moves(m, w, moves);
    for (unsigned tries = 0; tries < 50 && n; tries++)
        if (m->ops->fire(m, w, moves[draw(seed) % n], &next) == FIRED_CHANGED) {
            *w = next;
            return true;
        }
    return false;
}

static void walk(struct levels_space *l, uint64_t seed)
{
    static const uint8_t orders[3][3] = { { 1, 2, 0 }, { 0, 2, 1 }, { 2, 1, 0 } };
    struct model *m = &l->x.model;
    struct levels w, other;
    uint64_t key[KEY_WORDS_MAX], again[KEY_WORDS_MAX];
    m->ops->first(m, &w);
    for (unsigned i = 0; i < 3000 && step(m, &w, &seed); i++) {
        uint8_t clusters[3] = { 0, 1, 2 }, caches[3] = { 1, 0, 2 };
        if (l->clusters == 3)
            memcpy(clusters, orders[draw(&seed) % 3], 3);
        else if (draw(&seed) & 1)
            clusters[0] = 1, clusters[1] = 0;
        if (l->x.caches == 3)
            memcpy(caches, orders[draw(&seed) % 3], 3);
        m->ops->pack(m, &w, key);
        rename_world(l, &w, &other, clusters, l->x.caches == 1 ? (uint8_t[3]){ 0, 1, 2 } : caches);
        m->ops->pack(m, &other, again);
        cr_assert_arr_eq(key, again, m->key_words * 8, "renamed, step %u", i);
        m->ops->unpack(m, key, &other);
        m->ops->pack(m, &other, again);
        cr_assert_arr_eq(key, again, m->key_words * 8, "unpacked, step %u", i);
    }
}

Test(levels, packing_forgets_names_only)
{
    static const unsigned shapes[][3] = { { 2, 1, 0 }, { 2, 2, 0 }, { 3, 2, 0 }, { 2, 3, 0 }, { 3, 3, 0 }, { 2, 1, 1 }, { 2, 2, 1 } };
    struct rig rig = rig_shipped("mesif");
    struct row_counts counts = { 0 };
    struct level_counts levels = { 0 };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            struct explore_options o = { .clusters = shapes[i][0], .caches = shapes[i][1], .device = shapes[i][2], .recalls = true };
            struct levels_space l;
            space_init(&l.x, rig.p, o, &counts);
            levels_init(&l, o, &levels);
            walk(&l, seed);
            levels_free(&l);
        }
    rig_free(&rig);
}

/* ---- nothing is lost: what was packed comes back, but for names */

static bool same_line(const struct cache_line *a, const struct cache_line *b)
{
    return a->state == b->state && a->acks == b->acks && a->version == b->version;
}

static bool same_home(const struct home_line *a, const struct home_line *b)
{
    return a->state == b->state && a->owner == b->owner && a->requester == b->requester && a->txn == b->txn &&
           a->acks == b->acks && a->sharers.w[0] == b->sharers.w[0] && a->version == b->version;
}

static bool same_held(const struct held_msg *a, const struct held_msg *b)
{
    return a->busy == b->busy && (!a->busy || (a->kind == b->kind && a->requester == b->requester && a->txn == b->txn &&
                                               a->acks == b->acks && a->version == b->version));
}

static int compare_flights(const void *a, const void *b) { return memcmp(a, b, sizeof(struct flight)); }

static bool same_list(const struct message_list *a, const struct message_list *b)
{
    struct message_list x = *a, y = *b;
    qsort(x.m, x.n, sizeof *x.m, compare_flights);
    qsort(y.m, y.n, sizeof *y.m, compare_flights);
    return x.n == y.n && memcmp(x.m, y.m, x.n * sizeof *x.m) == 0;
}

static bool same_cluster(const struct levels_space *l, const struct cluster_world *a, const struct cluster_world *b)
{
    const struct cluster_line *m = &a->node, *n = &b->node;
    struct held_msg f = m->flush;
    f.version = n->flush.version; /* the answer to a flush brings no data: its version means nothing */
    bool same = same_home(&m->home, &n->home) && same_line(&m->upper, &n->upper) && same_held(&m->trigger, &n->trigger) &&
                same_held(&m->forward, &n->forward) && same_held(&f, &n->flush) && m->asked == n->asked &&
                m->upper_waits == n->upper_waits && m->evicting == n->evicting && same_list(&a->inner, &b->inner);
    for (unsigned i = 0; i < l->x.caches; i++)
        same = same && same_line(&a->line[i], &b->line[i]) && a->pending[i] == b->pending[i];
    return same;
}

static bool same_outside(const struct levels *a, const struct levels *b)
{
    return same_home(&a->home, &b->home) && same_line(&a->device, &b->device) && a->device_pending == b->device_pending &&
           a->memory_current == b->memory_current && a->asked == b->asked && same_list(&a->outer, &b->outer);
}

/* Two clusters of one or two caches: in some order of the clusters, each in some order of its caches. */
static bool same_but_for_names(const struct levels_space *l, const struct levels *a, const struct levels *b)
{
    static const uint8_t orders[2][3] = { { 0, 1, 2 }, { 1, 0, 2 } };
    for (unsigned i = 0; i < 2; i++) {
        bool found[2] = { false, false }, outside = false;
        for (unsigned k = 0; k < l->x.caches; k++) {
            struct levels other;
            rename_world(l, a, &other, orders[i], orders[k]);
            outside = same_outside(&other, b);
            for (unsigned c = 0; c < 2; c++)
                found[c] |= same_cluster(l, &other.cluster[c], &b->cluster[c]);
        }
        if (outside && found[0] && found[1])
            return true;
    }
    return false;
}

static void walk_there_and_back(const char *name, struct explore_options o, unsigned moves)
{
    struct rig rig = rig_shipped(name);
    struct row_counts counts = { 0 };
    struct level_counts levels = { 0 };
    struct levels_space l;
    struct levels w, back;
    uint64_t key[KEY_WORDS_MAX], seed = 1;
    space_init(&l.x, rig.p, o, &counts);
    levels_init(&l, o, &levels);
    struct model *m = &l.x.model;
    m->ops->first(m, &w);
    for (unsigned i = 0; i < moves; i++) {
        if (i % WALK_MOVES == 0 || !step(m, &w, &seed))
            m->ops->first(m, &w);
        m->ops->pack(m, &w, key);
        m->ops->unpack(m, key, &back);
        cr_assert(same_but_for_names(&l, &back, &w), "%s, %u caches: move %u", name, o.caches, i);
    }
    levels_free(&l);
    rig_free(&rig);
}

Test(levels, packing_loses_nothing)
{
    static const char *const names[] = { "msi", "mesi", "mesif", "moesi" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (unsigned caches = 1; caches <= 2; caches++)
            walk_there_and_back(names[i], (struct explore_options){ .clusters = 2, .caches = caches, .device = true,
                                                                    .recalls = true }, 100000);
}

/* glue_default holds no put, so that nothing held brings data; faults in the glue may. */
Test(levels, packing_loses_no_data_of_a_held_put)
{
    struct glue glue = glue_default;
    for (unsigned i = 0; i < GLUE_ROWS; i++)
        if (!glue.row[i].upper && glue.row[i].event == HEV_PUT_OWNER) {
            glue.row[i].first = GLUE_WRITE;
            glue.row[i].ask = CEV_STORE;
        }
    walk_there_and_back("moesi", (struct explore_options){ .clusters = 2, .caches = 2, .recalls = true, .glue = &glue }, 100000);
}

/* ---- planted faults */

static const struct planted {
    const char *name;
    unsigned row;              /* of the glue */
    uint8_t first, ask;
    unsigned caches;
    bool device;
    enum explore_outcome outcome;
    const char *says;
} planted[] = {
    { "readers inside without a copy of the cluster", 0, GLUE_NOTHING, 0, 1, false, EXPLORE_VIOLATION, "stale" },
    { "a writer inside under a shared copy", 2, GLUE_READ, CEV_STORE, 1, false, EXPLORE_VIOLATION, "" },
    { "an invalidation that leaves the copies inside", 11, GLUE_NOTHING, 0, 1, false, EXPLORE_VIOLATION, "" },
    { "a reader outside beside a writer inside", 14, GLUE_NOTHING, 0, 1, false, EXPLORE_VIOLATION, "" },
    { "a device reads beside a writer inside", 15, GLUE_NOTHING, 0, 1, true, EXPLORE_VIOLATION, "DATA_U to device carries stale data" },
    { "a flush admitted while the upper cache waits", 8, GLUE_READ, CEV_LOAD, 2, false, EXPLORE_VIOLATION, "steps what has to wait" },
    { "an eviction that leaves the copies inside", 16, GLUE_NOTHING, 0, 1, false, EXPLORE_VIOLATION, "" },
};

Test(levels, faults_in_the_glue_are_found)
{
    struct rig rig = rig_shipped("mesi");
    for (size_t i = 0; i < sizeof planted / sizeof *planted; i++) {
        const struct planted *f = &planted[i];
        struct glue glue = glue_default;
        glue.row[f->row].first = f->first;
        glue.row[f->row].ask = f->ask;
        struct explore_result r = explore(rig.p, (struct explore_options){ .clusters = 2, .caches = f->caches, .device = f->device,
                                                                            .recalls = true, .glue = &glue, .max_states = 4000000 });
        cr_expect_eq(r.outcome, f->outcome, "%s: %s", f->name, r.what);
        cr_expect(strstr(r.what, f->says), "%s: want \"%s\", got \"%s\"", f->name, f->says, r.what);
        cr_expect(r.trace && strncmp(r.trace, "  1  cache ", 11) == 0, "%s: no counter-example", f->name);
        explore_result_free(&r);
    }
    rig_free(&rig);
}

/* The upper cache is asked to write before a put comes home: slower, not wrong, unless a search forgets the put's data. */
Test(levels, a_held_put_keeps_its_data)
{
    static const uint8_t events[] = { HEV_PUT_OWNER, HEV_PUTF_OWNER };
    struct rig rig = rig_shipped("moesi");
    for (size_t i = 0; i < sizeof events; i++) {
        struct glue glue = glue_default;
        for (unsigned k = 0; k < GLUE_ROWS; k++)
            if (!glue.row[k].upper && glue.row[k].event == events[i]) {
                glue.row[k].first = GLUE_WRITE;
                glue.row[k].ask = CEV_STORE;
            }
        struct explore_result r = explore(rig.p, (struct explore_options){ .clusters = 2, .caches = 1, .recalls = true, .glue = &glue });
        cr_expect_eq(r.outcome, EXPLORE_PASSED, "%s: %s", home_event_name(events[i]), r.what);
        explore_result_free(&r);
    }
    rig_free(&rig);
}

/* Bounded to what takes seconds: `verify --clusters 2 --mutants` goes further. */
static const struct glue_tried { const char *name; unsigned total, caught, equivalent; } glue_tried[] = {
    { "msi", 76, 49, 27 }, { "mesi", 76, 50, 26 }, { "mesif", 90, 72, 18 }, { "moesi", 90, 69, 21 },
};

Test(levels, mutants_of_the_glue)
{
    for (size_t i = 0; i < sizeof glue_tried / sizeof *glue_tried; i++) {
        const struct glue_tried *t = &glue_tried[i];
        char *text = NULL;
        size_t bytes = 0;
        FILE *out = open_memstream(&text, &bytes);
        struct rig rig = rig_shipped(t->name);
        struct mutant_result m = glue_mutants(out, rig.p, (struct explore_options){ .clusters = 2, .caches = 1, .recalls = true,
                                                                                    .max_states = 100000 });
        fclose(out);
        cr_expect_eq(m.total, t->total, "%s: %u mutants", t->name, m.total);
        cr_expect_eq(m.caught, t->caught, "%s: %u caught", t->name, m.caught);
        cr_expect_eq(m.equivalent, t->equivalent, "%s: %u equivalent", t->name, m.equivalent);
        cr_expect_eq(m.stale_entries, 0);
        cr_expect_str_eq(text, "", "%s: %s", t->name, text);
        rig_free(&rig);
        free(text);
    }
}

/* ---- rows used */

static unsigned rows_unused(const char *name, const struct glue *glue, uint64_t max_states, char **text)
{
    size_t bytes = 0;
    bool fault;
    FILE *out = open_memstream(text, &bytes);
    struct rig rig = rig_shipped(name);
    struct explore_options o = { .clusters = 2, .caches = 1, .recalls = true, .glue = glue, .max_states = max_states };
    struct explore_result r = explore(rig.p, o);
    unsigned unused = explore_rows(out, rig.p, o, &r, &fault);
    fclose(out);
    cr_expect(!fault, "%s: %s", name, *text);
    explore_result_free(&r);
    rig_free(&rig);
    return unused;
}

Test(levels, every_row_is_used_by_some_role)
{
    static const struct { const char *name; uint64_t max_states; } of[] = { { "msi", 1000000 }, { "mesi", 1000000 },
                                                                           { "mesif", 1000000 }, { "moesi", 0 } };
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        char *text;
        cr_expect_eq(rows_unused(of[i].name, NULL, of[i].max_states, &text), 0, "%s: %s", of[i].name, text);
        free(text);
    }
}

Test(levels, rows_that_nobody_uses_are_named)
{
    struct glue glue = glue_default;
    char *text;
    glue.row[9] = glue.row[8]; /* PUT_OWNER's row gone: PUTF_OLD's stands twice and the first is taken */
    cr_expect_eq(rows_unused("mesi", &glue, 20000, &text) > 0, true);
    cr_expect(strstr(text, "never used: glue, home, event PUTF_OLD"), "%s", text);
    free(text);
}

/* The same moves each time, and as many as were asked for. */
Test(levels, walks_repeat_themselves)
{
    struct rig rig = rig_shipped("moesi");
    struct explore_options o = { .clusters = 2, .caches = 2, .device = true, .recalls = true };
    struct explore_result a = explore_walk(rig.p, o, 10000), b = explore_walk(rig.p, o, 10000);
    cr_expect_eq(a.transitions, 10000);
    cr_expect_eq(memcmp(&a.counts, &b.counts, sizeof a.counts), 0);
    cr_expect_eq(memcmp(&a.levels, &b.levels, sizeof a.levels), 0);
    explore_result_free(&a);
    explore_result_free(&b);
    rig_free(&rig);
}
