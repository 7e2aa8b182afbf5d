/* src/sim/account.c - paths, ledgers and class statistics. The rule is in the header. */
#include "src/sim/account.h"

#include "src/base/fail.h"

#include <stdlib.h>

struct class_record {
    struct class_stats all;
    struct class_stats *source[SOURCE_COUNT];
};

struct account {
    struct class_record *class[CLASS_COUNT];
    uint64_t mismatch_count, closed_count;
    request_fn *tap;
    void *tap_arg;
};

/* ---- paths */

void paths_mark(struct path_set *s, enum part part, tick now)
{
    uint64_t d = now - s->at;
    for (uint32_t i = 0; i < s->depth; i++)
        s->path[i].ps[part] += d;
    s->at = now;
}

void paths_copy(struct path_set *to, const struct path_set *from)
{
    to->at = from->at;
    to->depth = from->depth;
    memcpy(to->path, from->path, from->depth * sizeof from->path[0]);
}

static const struct path *paths_find(const struct path_set *s, uint64_t id)
{
    for (uint32_t i = 0; i < s->depth; i++)
        if (s->path[i].id == id)
            return &s->path[i];
    return NULL;
}

static uint64_t path_total_ps(const struct path *p)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < PART_COUNT; i++)
        sum += p->ps[i];
    return sum;
}

void paths_release(struct path_set *w, const struct path_set *birth, const struct delta *d)
{
    for (uint32_t i = 0; i < w->depth; i++) {
        struct path *p = &w->path[i];
        const struct path *b = paths_find(birth, p->id);
        if (b) {
            for (unsigned k = 0; k < PART_COUNT; k++)
                p->ps[k] = b->ps[k] + d->ps[k];
        } else {
            p->ps[PART_PRIOR] += d->last - w->at;
        }
    }
    w->at = d->last;
}

void paths_join(struct path_set *w, const struct path_set *r)
{
    for (uint32_t i = 0; i < w->depth; i++) {
        struct path *p = &w->path[i];
        const struct path *q = paths_find(r, p->id);
        if (q)
            memcpy(p->ps, q->ps, sizeof p->ps);
        else
            p->ps[PART_PRIOR] += r->at - w->at;
    }
    w->at = r->at;
}

void paths_adopt(struct path_set *drain, const struct path_set *entry, tick now)
{
    struct path_set next = { .at = now, .depth = entry->depth };
    for (uint32_t i = 0; i < entry->depth; i++) {
        const struct path *own = paths_find(drain, entry->path[i].id);
        if (own) {
            next.path[i] = *own;
            next.path[i].ps[PART_CORE] += now - drain->at;
        } else {
            next.path[i] = (struct path){ .id = entry->path[i].id, .start = entry->path[i].start };
            next.path[i].ps[PART_PRIOR] = now - entry->path[i].start;
        }
    }
    paths_copy(drain, &next);
}

/* ---- ledgers */

void ledger_init(struct ledger *l, struct account *account, uint32_t actor_id)
{
    memset(l, 0, sizeof *l);
    l->account = account;
    l->id_base = (uint64_t)(actor_id + 1) << 40;
    l->recording = true;
}

void ledger_open(struct ledger *l, enum class_id class, tick now)
{
    CHECK(l->paths.depth < OPEN_MAX, "more than %d requests open on one hart", OPEN_MAX);
    CHECK(now >= l->paths.at, "request opened at %lu before the last mark", (unsigned long)now);
    paths_mark(&l->paths, PART_CORE, now);
    uint32_t i = l->paths.depth++;
    uint64_t id = l->id_base + l->next_id++;
    l->paths.path[i] = (struct path){ .id = id, .start = now };
    l->open[i] = (struct request){ .id = id, .class = class, .start = now, .phase_since = now,
                                   .phase = (uint8_t)class_infos[class].first_phase,
                                   .source = SOURCE_NONE, .recorded = l->recording };
}

static struct request *innermost(struct ledger *l)
{
    CHECK(l->paths.depth > 0, "no request is open");
    return &l->open[l->paths.depth - 1];
}

static void move_cursor(struct request *r, enum phase_id phase, tick now)
{
    r->phase_ps[r->phase] += now - r->phase_since;
    r->phase_since = now;
    r->phase = (uint8_t)phase;
}

void ledger_phase(struct ledger *l, enum phase_id phase, tick now)
{
    struct request *r = innermost(l);
    if (phase != r->phase)
        move_cursor(r, phase, now);
}

void ledger_source(struct ledger *l, enum source_id source) { innermost(l)->source = (uint8_t)source; }

void ledger_class(struct ledger *l, enum class_id class) { innermost(l)->class = class; }

void ledger_interrupted(struct ledger *l, bool on, tick now)
{
    for (uint32_t i = 0; i < l->paths.depth; i++) {
        struct request *r = &l->open[i];
        if (on && r->interrupts++ == 0) {
            r->saved_phase = r->phase;
            move_cursor(r, PH_INTERRUPTED, now);
        } else if (!on && r->interrupts && --r->interrupts == 0) {
            move_cursor(r, (enum phase_id)r->saved_phase, now);
        }
    }
}

static struct class_stats *new_stats(void)
{
    struct class_stats *s = calloc(1, sizeof *s);
    CHECK_MEMORY(s, "out of host memory for statistics");
    return s;
}

static struct class_record *record_of(struct account *a, enum class_id class)
{
    if (!a->class[class]) {
        a->class[class] = calloc(1, sizeof *a->class[class]);
        CHECK_MEMORY(a->class[class], "out of host memory for statistics");
    }
    return a->class[class];
}

static struct class_stats *source_of(struct class_record *r, enum source_id source)
{
    if (!r->source[source])
        r->source[source] = new_stats();
    return r->source[source];
}

static void add_request(struct class_stats *s, const struct request *r, const struct path *p, tick latency)
{
    hist_add(&s->latency, latency);
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        s->phase_sum_ps[i] += r->phase_ps[i];
    for (unsigned i = 0; i < PART_COUNT; i++)
        s->hardware_sum_ps[i] += p->ps[i];
}

static tick close_innermost(struct ledger *l, tick now, bool record)
{
    struct request *r = innermost(l);
    paths_mark(&l->paths, PART_CORE, now);
    move_cursor(r, r->phase, now);
    const struct path *p = &l->paths.path[--l->paths.depth];
    tick latency = now - r->start;
    l->account->closed_count++;
    uint64_t phases = 0;
    for (unsigned i = 0; i < PHASE_COUNT; i++)
        phases += r->phase_ps[i];
    if (phases != latency || path_total_ps(p) != latency)
        l->account->mismatch_count++;
    if (record && r->recorded) {
        struct class_record *c = record_of(l->account, r->class);
        add_request(&c->all, r, p, latency);
        if (r->source != SOURCE_NONE)
            add_request(source_of(c, r->source), r, p, latency);
        if (__builtin_expect(l->account->tap != NULL, 0))
            l->account->tap(l->account->tap_arg, (uint32_t)(l->id_base >> 40) - 1, r->class, r->start, now);
    }
    return latency;
}

tick ledger_close(struct ledger *l, tick now) { return close_innermost(l, now, true); }
void ledger_drop(struct ledger *l, tick now) { (void)close_innermost(l, now, false); }

/* ---- accounts */

struct account *account_new(void)
{
    struct account *a = calloc(1, sizeof *a);
    CHECK_MEMORY(a, "out of host memory for statistics");
    return a;
}

void account_free(struct account *a)
{
    if (!a)
        return;
    for (unsigned c = 0; c < CLASS_COUNT; c++) {
        if (!a->class[c])
            continue;
        for (unsigned s = 0; s < SOURCE_COUNT; s++)
            free(a->class[c]->source[s]);
        free(a->class[c]);
    }
    free(a);
}

void account_record(struct account *a, enum class_id class, enum source_id source, tick latency_ps,
                    const uint64_t ps[PART_COUNT])
{
    struct class_record *c = record_of(a, class);
    struct class_stats *s = source_of(c, source);
    uint64_t sum = 0;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        sum += ps[i];
        c->all.hardware_sum_ps[i] += ps[i];
        s->hardware_sum_ps[i] += ps[i];
    }
    if (sum != latency_ps)
        a->mismatch_count++;
    hist_add(&c->all.latency, latency_ps);
    hist_add(&s->latency, latency_ps);
    c->all.phase_sum_ps[PH_WORK] += latency_ps;
    s->phase_sum_ps[PH_WORK] += latency_ps;
}

void account_record_one(struct account *a, enum class_id class, enum source_id source, tick latency_ps, enum part part)
{
    struct class_record *c = a->class[class];
    if (__builtin_expect(!c || !c->source[source], 0)) {
        c = record_of(a, class);
        (void)source_of(c, source);
    }
    struct class_stats *s = c->source[source];
    hist_add(&c->all.latency, latency_ps);
    hist_add(&s->latency, latency_ps);
    c->all.hardware_sum_ps[part] += latency_ps;
    s->hardware_sum_ps[part] += latency_ps;
    c->all.phase_sum_ps[PH_WORK] += latency_ps;
    s->phase_sum_ps[PH_WORK] += latency_ps;
}

const struct class_stats *account_stats(const struct account *a, enum class_id class)
{
    return a->class[class] && a->class[class]->all.latency.count ? &a->class[class]->all : NULL;
}

const struct class_stats *account_source_stats(const struct account *a, enum class_id class, enum source_id source)
{
    return a->class[class] ? a->class[class]->source[source] : NULL;
}

void account_tap(struct account *a, request_fn *fn, void *arg)
{
    a->tap = fn;
    a->tap_arg = arg;
}

void account_seen(struct account *a, uint32_t actor, enum class_id class, enum source_id source, tick start, tick end)
{
    if (__builtin_expect(a->tap != NULL, 0) && source != SOURCE_L1)
        a->tap(a->tap_arg, actor, class, start, end);
}

uint64_t account_closed_count(const struct account *a) { return a->closed_count; }

uint64_t account_mismatch_count(const struct account *a) { return a->mismatch_count; }
