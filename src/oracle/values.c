/* src/oracle/values.c - values and the order of stores, as x86-TSO promises them.
 *
 * A hart's announced stores wait in a queue and become visible from its head. Non-temporal and whole-line
 * stores are not announced: a store that becomes visible and matches no waiting entry is taken for one of
 * them, one that matches an entry behind the head is out of order. A load sees, byte by byte, the youngest
 * waiting store of its own hart, else the shadow. A load forwarded from a store that was not announced is a
 * claim, which such a store must redeem before the hart's next full fence or locked operation completes.
 */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

enum { FIRST_QUEUE = MEAN_SIZE(64, 1) };

static unsigned bucket_of(paddr a) { return (unsigned)(a.v >> 3) % FILTER_BUCKETS; }
static bool same_word(paddr a, paddr b) { return a.v >> 3 == b.v >> 3; }
static struct issued *entry(const struct judged *g, unsigned i)
{
    return &g->queue[(g->queue_head + i) & (g->queue_size - 1)];
}

static void grow_queue(struct judged *g)
{
    unsigned size = g->queue_size ? 2 * g->queue_size : FIRST_QUEUE;
    struct issued *queue = calloc(size, sizeof *queue);
    CHECK_MEMORY(queue, "oracle: no memory for %u issued stores", size);
    for (unsigned i = 0; i < g->queue_count; i++)
        queue[i] = *entry(g, i);
    free(g->queue);
    g->queue = queue;
    g->queue_size = size;
    g->queue_head = 0;
}

static void issue(struct judged *g, struct issued store)
{
    if (g->queue_count == g->queue_size)
        grow_queue(g);
    *entry(g, g->queue_count++) = store;
    g->filter[bucket_of(store.a)]++;
}

void values_store_issued(struct oracle *o, unsigned agent, paddr a, unsigned bytes, uint64_t value, tick now)
{
    issue(&o->agent[agent], (struct issued){ .a = a, .value = value, .bytes = bytes, .time = now });
}

/* A string store waits as the eight words it writes. */
void values_line_issued(struct oracle *o, unsigned agent, lineno line, uint64_t word, tick now)
{
    for (unsigned i = 0; i < WORDS_PER_LINE; i++)
        issue(&o->agent[agent], (struct issued){ .a = paddr_plus(line_addr(line), 8u * i), .value = word, .bytes = 8,
                                                 .unordered = true, .time = now });
}

static bool is_entry(const struct issued *e, paddr a, unsigned bytes, uint64_t value)
{
    return e->a.v == a.v && e->bytes == bytes && low_bytes(e->value ^ value, bytes) == 0;
}

static void redeem_claims(struct judged *g, paddr a, unsigned bytes, uint64_t word)
{
    for (unsigned i = 0; i < g->claim_count; i++) {
        const struct claim *c = &g->claim[i];
        uint64_t mask = access_mask(c->a, c->bytes);
        if (same_word(c->a, a) && (mask & ~access_mask(a, bytes)) == 0 &&
            ((value_to_word(c->a, c->value) ^ word) & mask) == 0)
            g->claim[i--] = g->claim[--g->claim_count];
    }
}

static void judge_order(struct oracle *o, unsigned agent, paddr a, unsigned bytes, uint64_t value, tick now)
{
    const struct judged *g = &o->agent[agent];
    for (unsigned i = 1; i < g->queue_count; i++)
        if (is_entry(entry(g, i), a, bytes, value)) {
            const struct issued *first = entry(g, 0);
            found(o, PROMISE_ORDER, agent, a, now,
                  "its store of 0x%" PRIx64 ", issued at %s, became visible while %u older stores still wait; the "
                  "oldest is to 0x%" PRIx64 ", issued at %s", value, time_text(entry(g, i)->time).s, i, first->a.v,
                  time_text(first->time).s);
            return;
        }
}

bool values_store_visible(struct oracle *o, unsigned agent, paddr a, unsigned bytes, uint64_t value, tick now)
{
    struct judged *g = &o->agent[agent];
    if (g->queue_count && is_entry(entry(g, 0), a, bytes, value)) {
        g->queue_head = (g->queue_head + 1) & (g->queue_size - 1);
        g->queue_count--;
        g->filter[bucket_of(a)]--;
        return true;
    }
    if (g->filter[bucket_of(a)] && o->desc.values)
        judge_order(o, agent, a, bytes, value, now);
    if (g->claim_count)
        redeem_claims(g, a, bytes, value_to_word(a, value));
    return false;
}

/* Takes the oldest waiting word of a string store to `a` out of the leading run of such stores. */
static bool take_unordered(struct judged *g, paddr a, uint64_t word)
{
    for (unsigned i = 0; i < g->queue_count && entry(g, i)->unordered; i++) {
        if (entry(g, i)->a.v != a.v)
            continue;
        if (entry(g, i)->value != word)
            return false; /* an older string store to the same word still waits */
        for (unsigned k = i; k > 0; k--)
            *entry(g, k) = *entry(g, k - 1);
        g->queue_head = (g->queue_head + 1) & (g->queue_size - 1);
        g->queue_count--;
        g->filter[bucket_of(a)]--;
        return true;
    }
    return false;
}

void values_line_visible(struct oracle *o, unsigned agent, lineno line, uint64_t word)
{
    struct judged *g = &o->agent[agent];
    unsigned taken = 0;
    while (taken < WORDS_PER_LINE && take_unordered(g, paddr_plus(line_addr(line), 8u * taken), word))
        taken++;
    if (taken)
        return;
    if (g->claim_count)
        for (unsigned i = 0; i < WORDS_PER_LINE; i++)
            redeem_claims(g, paddr_plus(line_addr(line), 8u * i), 8, word);
}

/* The word as this hart must see it: its own waiting stores, oldest to youngest, over `word`. */
static uint64_t own_view(const struct judged *g, paddr a, unsigned bytes, uint64_t word, bool *own)
{
    *own = false;
    if (!g->filter[bucket_of(a)])
        return word;
    for (unsigned i = 0; i < g->queue_count; i++) {
        const struct issued *e = entry(g, i);
        if (!same_word(e->a, a))
            continue;
        uint64_t mask = access_mask(e->a, e->bytes);
        word = (word & ~mask) | (value_to_word(e->a, e->value) & mask);
        *own |= (mask & access_mask(a, bytes)) != 0;
    }
    return word;
}

static void claim(struct judged *g, paddr a, unsigned bytes, uint64_t value, tick now)
{
    if (g->claim_count < CLAIMS_MAX)
        g->claim[g->claim_count++] = (struct claim){ a, value, bytes, now };
}

void values_load(struct oracle *o, struct shadow_page *p, unsigned agent, paddr a, unsigned bytes, uint64_t value,
                 bool forwarded, tick now)
{
    struct judged *g = &o->agent[agent];
    bool own;
    uint64_t word = own_view(g, a, bytes, shadow_word(&o->shadow, p, word_index(a)), &own);
    uint64_t expected = value_from_word(a, bytes, word);
    if (forwarded && !own)
        claim(g, a, bytes, value, now);
    else if (value != expected)
        found(o, PROMISE_VALUE, agent, a, now, "its load of %u bytes returned 0x%" PRIx64 "%s; %s is 0x%" PRIx64,
              bytes, value, forwarded ? ", forwarded from its store buffer" : "",
              own ? "with its own waiting stores the newest value" : "the newest visible value", expected);
}

void values_atomic(struct oracle *o, struct shadow_page *p, unsigned agent, paddr a, unsigned bytes, uint64_t old,
                   uint64_t new_value, tick now)
{
    unsigned i = word_index(a);
    bool known = shadow_known(p, i);
    uint64_t expected = value_from_word(a, bytes, shadow_word(&o->shadow, p, i));
    /* A word just fetched from the machine may hold what the operation leaves behind already. */
    if (old != expected && (known || low_bytes(new_value, bytes) != expected))
        found(o, PROMISE_VALUE, agent, a, now,
              "its locked operation on %u bytes found 0x%" PRIx64 "; the newest visible value is 0x%" PRIx64, bytes,
              old, expected);
    values_drained(o, agent, a, "its locked operation performed", now);
}

void values_drained(struct oracle *o, unsigned agent, paddr a, const char *what, tick now)
{
    struct judged *g = &o->agent[agent];
    if (g->queue_count)
        found(o, PROMISE_DRAINED, agent, a, now,
              "%s while %u of its stores still wait; the oldest is to 0x%" PRIx64 ", issued at %s", what,
              g->queue_count, entry(g, 0)->a.v, time_text(entry(g, 0)->time).s);
    if (g->claim_count) {
        const struct claim *c = &g->claim[0];
        found(o, PROMISE_VALUE, agent, c->a, now,
              "its load at %s returned 0x%" PRIx64 ", said to be forwarded from its store buffer, yet no such store "
              "of its own was issued or became visible until %s", time_text(c->time).s, c->value, what);
        g->claim_count = 0;
    }
}

bool values_has_issued(const struct oracle *o, unsigned agent, frame f, struct issued *out)
{
    const struct judged *g = &o->agent[agent];
    for (unsigned i = 0; i < g->queue_count; i++)
        if (paddr_frame(entry(g, i)->a).v == f.v) {
            *out = *entry(g, i);
            return true;
        }
    return false;
}
