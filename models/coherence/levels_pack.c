/* models/coherence/levels_pack.c - packing two levels into units of 16 bits, the same for worlds that differ by renaming
 * caches inside a cluster or clusters.
 *
 * Each cluster is put into a form of its own first: its caches sorted by what is said about them, ties tried in every
 * order, the smallest kept. Then clusters are sorted by their forms and by what the outer messages say, ties again
 * tried in every order.
 *
 * A part is a cluster (three units for the node, one for each cache, one for each message inside) or what is outside (one
 * for the global home, one for the device, one for each message). There are far fewer parts than worlds: each is kept
 * once, and a key holds their numbers (G. J. Holzmann, State compression in SPIN, 1997: "collapse").
 */
#include "models/coherence/levels.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"

enum { NODE_UNITS = 3, ACKS_BIAS = 5, PART_UNITS = 16, PART_WORDS = PART_UNITS / 4, PARTS_MAX = EXPLORE_CLUSTERS_MAX + 1 };
_Static_assert(NODE_UNITS + EXPLORE_INNER_MAX + LEVEL_MESSAGES_MAX <= PART_UNITS, "a cluster is a part");
union piece { uint64_t words[PART_WORDS]; uint16_t units[PART_UNITS]; };

/* ---- parts */

static struct states *new_parts(void)
{
    struct states *s = malloc(sizeof *s);
    CHECK_MEMORY(s, "explorer: out of memory");
    states_init(s, PART_WORDS);
    return s;
}

void levels_pack_init(struct levels_space *l)
{
    l->clusters_seen = new_parts();
    l->outer_seen = new_parts();
    l->x.model.key_words = (l->clusters + 2) / 2; /* a number of 32 bits for each part */
}

void levels_free(struct levels_space *l)
{
    states_free(l->clusters_seen);
    states_free(l->outer_seen);
    free(l->clusters_seen);
    free(l->outer_seen);
}

uint64_t levels_bytes(const struct levels_space *l) { return states_bytes(l->clusters_seen) + states_bytes(l->outer_seen); }

static uint32_t number_of(struct states *s, const union piece *part)
{
    uint32_t known = states_find(s, part->words);
    if (known != NO_STATE)
        return known;
    memcpy(states_place(s), part->words, sizeof part->words);
    states_offer(s, NO_STATE, false);
    states_settle(s);
    return s->n - 1;
}

static uint64_t mix(uint64_t h)
{
    h *= 0xff51afd7ed558ccdull;
    return (h ^ h >> 32) * 0xc4ceb9fe1a85ec53ull;
}

/* ---- fields of a node, in this order from the lowest bit
 *
 * Of what is held, requests and the answer to a flush announce no acknowledgements, and only a put brings data: other glue
 * than glue_default may hold one. */

enum { UPPER_AT = 9, ROLE_AT = 19, TRIGGER_AT = 22, TRIGGER_DATA_AT = 29, FORWARD_AT = 30,
       FORWARD_WHO_AT = 36, FLUSH_AT = 41, ASKED_AT = 44, NODE_BITS = 48 };
_Static_assert(NODE_BITS == 16 * NODE_UNITS, "a node fills its units");
_Static_assert(EXPLORE_INNER_MAX <= 3 && OUTER_AGENTS_MAX <= 3, "names take two bits");

static bool has(const struct sharer_set *set, unsigned agent) { return set->w[0] >> agent & 1; }
static uint64_t if_busy(const struct held_msg *h, uint64_t bits) { return h->busy ? bits : 0; }
static unsigned name(const uint8_t *names, int16_t requester) { return requester < 0 ? 0 : names[requester]; }

/* All but names of other clusters. names: 1 + new number of each cache inside. */
static uint64_t pack_node(const struct levels *w, unsigned c, const uint8_t *names)
{
    const struct cluster_line *n = &w->cluster[c].node;
    const struct home_line *h = &n->home;
    uint64_t upper = n->upper.state | (uint64_t)(n->upper.acks + ACKS_BIAS) << 5 |
                     (uint64_t)(n->upper.version & 1) << 9;
    uint64_t role = has(&w->home.sharers, c) | (uint64_t)(w->home.owner == (int)c) << 1 |
                    (uint64_t)(w->home.requester == (int)c) << 2;
    uint64_t asked = n->asked == 0 ? ASKED_NOTHING : n->asked == HEV_RECALL + 1 ? ASKED_RECALL : ASKED_DEMOTION;
    return h->state | (uint64_t)h->acks << 5 | (uint64_t)(h->version & 1) << 8 | upper << UPPER_AT | role << ROLE_AT |
           if_busy(&n->trigger, (n->trigger.kind + 1u) | (uint64_t)name(names, (int16_t)n->trigger.requester) << 5) << TRIGGER_AT |
           if_busy(&n->trigger, (uint64_t)(n->trigger.version & 1) << TRIGGER_DATA_AT) |
           if_busy(&n->forward, (n->forward.kind + 1u)) << FORWARD_AT |
           if_busy(&n->forward, (uint64_t)(n->forward.acks + 1) << 2) << FORWARD_WHO_AT |
           if_busy(&n->flush, 1u | (uint64_t)name(names, (int16_t)n->flush.requester) << 1) << FLUSH_AT |
           (asked | (uint64_t)n->upper_waits << 2 | (uint64_t)n->evicting << 3) << ASKED_AT;
}

static uint64_t pack_forward_name(const struct held_msg *forward, const uint8_t *names)
{
    return if_busy(forward, name(names, (int16_t)forward->requester)) << FORWARD_WHO_AT;
}

/* kind and name as packed: 1 and more, 0 the home. */
static struct held_msg unpack_held(uint64_t kind, uint64_t who, uint64_t acks)
{
    int16_t requester = (int16_t)((int)(who & 3) - 1);
    return (struct held_msg){ .busy = true, .kind = (uint8_t)((kind & 31) - 1), .requester = (uint16_t)requester,
                              .txn = (int16_t)(requester < 0 ? -1 : TXN_OF(requester)), .acks = (int16_t)((int)(acks & 7) - 1) };
}

static void unpack_node(struct levels *w, unsigned c, uint64_t bits)
{
    struct cluster_line *n = &w->cluster[c].node;
    static const uint8_t asked[4] = { 0, HEV_RECALL + 1, HEV_DEMOTE + 1, 0 };
    n->home.state = bits & 31;
    n->home.acks = bits >> 5 & 7;
    n->home.version = bits >> 8 & 1;
    n->upper = (struct cache_line){ .state = bits >> UPPER_AT & 31, .acks = (int16_t)((int)(bits >> (UPPER_AT + 5) & 15) - ACKS_BIAS),
                                    .version = bits >> (UPPER_AT + 9) & 1 };
    w->home.sharers.w[0] |= (bits >> ROLE_AT & 1) << c;
    if (bits >> (ROLE_AT + 1) & 1)
        w->home.owner = (int16_t)c;
    if (bits >> (ROLE_AT + 2) & 1)
        w->home.requester = (int16_t)c;
    if (bits >> TRIGGER_AT & 31)
        n->trigger = unpack_held(bits >> TRIGGER_AT, bits >> (TRIGGER_AT + 5), 1);
    n->trigger.version = bits >> TRIGGER_DATA_AT & 1;
    if (bits >> FORWARD_AT & 31)
        n->forward = unpack_held(bits >> FORWARD_AT, bits >> FORWARD_WHO_AT, bits >> (FORWARD_WHO_AT + 2));
    if (bits >> FLUSH_AT & 1)
        n->flush = unpack_held(MSG_PUTACK + 1, bits >> (FLUSH_AT + 1), 1);
    n->asked = asked[bits >> ASKED_AT & 3];
    n->upper_waits = bits >> (ASKED_AT + 2) & 1;
    n->evicting = bits >> (ASKED_AT + 3) & 1;
}

/* ---- caches and messages */

static uint16_t pack_cache(const struct cache_line *line, uint8_t pending, const struct home_line *h, unsigned a)
{
    return (uint16_t)(line->state | (line->acks + ACKS_BIAS) << 5 | (line->version & 1) << 9 | pending << 10 |
                      has(&h->sharers, a) << 13 | (h->owner == (int)a) << 14 | (h->requester == (int)a) << 15);
}

static uint16_t pack_inner(const struct cluster_world *k, unsigned a)
{
    return pack_cache(&k->line[a], k->pending[a], &k->node.home, a);
}

static void unpack_cache(struct cache_line *line, uint8_t *pending, struct home_line *h, unsigned a, uint16_t bits)
{
    *line = (struct cache_line){ .state = bits & 31, .acks = (int16_t)((bits >> 5 & 15) - ACKS_BIAS), .version = bits >> 9 & 1 };
    *pending = bits >> 10 & 7;
    h->sharers.w[0] |= (uint64_t)(bits >> 13 & 1) << a;
    if (bits >> 14 & 1)
        h->owner = (int16_t)a;
    if (bits >> 15 & 1)
        h->requester = (int16_t)a;
}

/* Sorted; returns how many. */
static unsigned pack_messages(const struct message_list *list, const uint8_t *names, uint16_t *out)
{
    for (unsigned i = 0; i < list->n; i++) {
        const struct flight *m = &list->m[i];
        uint16_t packed = (uint16_t)((m->kind + 1u) | name(names, m->to) << 5 | name(names, m->requester) << 7 |
                                     (unsigned)(m->acks + 1) << 9 | (unsigned)m->current << 12);
        unsigned at = i;
        for (; at > 0 && out[at - 1] > packed; at--)
            out[at] = out[at - 1];
        out[at] = packed;
    }
    return list->n;
}

static void unpack_messages(struct message_list *list, const uint16_t *units, unsigned room)
{
    for (unsigned i = 0; i < room && units[i]; i++)
        list->m[list->n++] = (struct flight){ .kind = (uint8_t)((units[i] & 31) - 1), .to = (int8_t)((units[i] >> 5 & 3) - 1),
                                              .requester = (int8_t)((units[i] >> 7 & 3) - 1),
                                              .acks = (int8_t)((units[i] >> 9 & 7) - 1), .current = units[i] >> 12 & 1 };
}

/* Adds to each agent's signature what the list says about it, other names left out. */
static void sign_messages(const struct message_list *list, uint64_t *sign)
{
    for (unsigned i = 0; i < list->n; i++) {
        const struct flight *m = &list->m[i];
        uint64_t plain = mix((uint64_t)(m->kind + 1) << 8 | (uint64_t)(m->acks + 1) << 4 | (uint64_t)m->current << 2 | 3);
        if (m->to >= 0)
            sign[m->to] += plain;
        if (m->requester >= 0)
            sign[m->requester] += plain * 3 + 1;
    }
}

static void sort_by(const uint64_t *sign, unsigned n, uint8_t *order)
{
    for (unsigned a = 0; a < n; a++) {
        unsigned at = a;
        for (; at > 0 && sign[order[at - 1]] > sign[a]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)a;
    }
}

/* names of the sorted things in their i-th order; false: that order does not respect the signatures. */
static bool names_in(const uint64_t *sign, const uint8_t *sorted, const uint8_t *order, unsigned n, uint8_t *names)
{
    bool same = true;
    for (unsigned k = 0; k < n; k++) {
        same = same && sign[sorted[order[k]]] == sign[sorted[k]];
        names[sorted[order[k]]] = (uint8_t)(k + 1);
    }
    return same;
}

/* ---- one cluster */

struct form {
    uint64_t node;
    uint16_t cache[EXPLORE_INNER_MAX + 1];
    uint16_t message[LEVEL_MESSAGES_MAX + 2];
};
_Static_assert(sizeof(struct form) == 40, "no padding: forms are compared as bytes");

static void form_as(const struct levels_space *l, const struct levels *w, unsigned c, const uint8_t *names, struct form *f)
{
    memset(f, 0, sizeof *f);
    f->node = pack_node(w, c, names);
    for (unsigned a = 0; a < l->x.caches; a++)
        f->cache[names[a] - 1] = pack_inner(&w->cluster[c], a);
    pack_messages(&w->cluster[c].inner, names, f->message);
}

static void form_of(const struct levels_space *l, const struct levels *w, unsigned c, struct form *best)
{
    const struct cluster_world *k = &w->cluster[c];
    uint64_t sign[EXPLORE_INNER_MAX];
    uint8_t sorted[EXPLORE_INNER_MAX], names[EXPLORE_INNER_MAX] = { 1 };
    if (l->x.caches == 1) {
        form_as(l, w, c, names, best);
        return;
    }
    for (unsigned a = 0; a < l->x.caches; a++)
        sign[a] = mix(pack_inner(k, a) + 1u);
    sign_messages(&k->inner, sign);
    if (k->node.trigger.busy)
        sign[k->node.trigger.requester] += 0x9e3779b97f4a7c15ull;
    if (k->node.flush.busy)
        sign[k->node.flush.requester] += 0xc2b2ae3d27d4eb4full;
    sort_by(sign, l->x.caches, sorted);
    for (unsigned i = 0; i < l->x.n_orders; i++) {
        struct form f;
        if (!names_in(sign, sorted, l->x.order[i], l->x.caches, names))
            continue;
        form_as(l, w, c, names, &f);
        if (i == 0 || memcmp(&f, best, sizeof f) < 0)
            *best = f;
    }
}

static uint64_t sign_form(const struct form *f)
{
    uint64_t w[sizeof *f / 8], h = 0;
    memcpy(w, f, sizeof w);
    for (unsigned i = 0; i < sizeof w / sizeof *w; i++)
        h = mix(h ^ w[i]);
    return h;
}

/* ---- all of them */

static uint16_t pack_home(const struct levels *w)
{
    return (uint16_t)(w->home.state | w->home.acks << 5 | (w->home.version & 1) << 8 | w->memory_current << 9 | w->asked << 10);
}

static void pack_cluster(const struct levels_space *l, const struct form *f, uint64_t node, union piece *part)
{
    for (unsigned i = 0; i < NODE_UNITS; i++)
        part->units[i] = (uint16_t)(node >> 16 * i);
    memcpy(part->units + NODE_UNITS, f->cache, l->x.caches * sizeof *f->cache);
    memcpy(part->units + NODE_UNITS + l->x.caches, f->message, LEVEL_MESSAGES_MAX * sizeof *f->message);
}

/* The clusters in their new order, then the outside. */
static void pack_as(const struct levels_space *l, const struct levels *w, const struct form *forms, const uint8_t *names,
                    union piece *parts)
{
    union piece *outer = &parts[l->clusters];
    unsigned at = 0;
    memset(parts, 0, (l->clusters + 1) * sizeof *parts);
    for (unsigned c = 0; c < l->clusters; c++)
        pack_cluster(l, &forms[c], forms[c].node | pack_forward_name(&w->cluster[c].node.forward, names), &parts[names[c] - 1]);
    outer->units[at++] = pack_home(w);
    outer->units[at++] = l->outer_agents > l->clusters ? pack_cache(&w->device, w->device_pending, &w->home, l->clusters) : 0;
    pack_messages(&w->outer, names, outer->units + at);
}

void levels_pack(const struct model *m, const void *world, uint64_t *key)
{
    const struct levels_space *l = (const struct levels_space *)m;
    const struct levels *w = world;
    struct form forms[EXPLORE_CLUSTERS_MAX];
    union piece parts[PARTS_MAX], best[PARTS_MAX];
    uint32_t numbers[PARTS_MAX + 1] = { 0 };
    uint64_t sign[OUTER_AGENTS_MAX] = { 0 };
    uint8_t sorted[OUTER_AGENTS_MAX], names[OUTER_AGENTS_MAX];
    names[l->outer_agents - 1] = (uint8_t)l->outer_agents; /* the device's, if there is one, is the last */
    for (unsigned c = 0; c < l->clusters; c++) {
        form_of(l, w, c, &forms[c]);
        sign[c] = sign_form(&forms[c]);
    }
    sign_messages(&w->outer, sign);
    for (unsigned c = 0; c < l->clusters; c++)
        if (w->cluster[c].node.forward.busy && (int16_t)w->cluster[c].node.forward.requester >= 0)
            sign[w->cluster[c].node.forward.requester] += 0x9e3779b97f4a7c15ull;
    sort_by(sign, l->clusters, sorted);
    for (unsigned i = 0; i < l->n_orders; i++) {
        if (!names_in(sign, sorted, l->order[i], l->clusters, names))
            continue;
        pack_as(l, w, forms, names, parts);
        if (i == 0 || memcmp(parts, best, (l->clusters + 1) * sizeof *parts) < 0)
            memcpy(best, parts, (l->clusters + 1) * sizeof *parts);
    }
    for (unsigned c = 0; c < l->clusters; c++)
        numbers[c] = number_of(l->clusters_seen, &best[c]);
    numbers[l->clusters] = number_of(l->outer_seen, &best[l->clusters]);
    memcpy(key, numbers, l->x.model.key_words * 8);
}

static void unpack_cluster(const struct levels_space *l, struct levels *w, unsigned c, const union piece *part)
{
    struct cluster_world *k = &w->cluster[c];
    struct home_line *inner = &k->node.home;
    const uint16_t *units = part->units;
    cluster_line_init(&k->node);
    unpack_node(w, c, units[0] | (uint64_t)units[1] << 16 | (uint64_t)units[2] << 32);
    units += NODE_UNITS;
    for (unsigned a = 0; a < l->x.caches; a++)
        unpack_cache(&k->line[a], &k->pending[a], inner, a, *units++);
    inner->txn = (int16_t)(inner->requester < 0 ? -1 : TXN_OF(inner->requester));
    unpack_messages(&k->inner, units, LEVEL_MESSAGES_MAX);
}

static void read_part(const struct states *s, uint32_t number, union piece *part)
{
    memcpy(part->words, states_key(s, number), sizeof part->words);
}

void levels_unpack(const struct model *m, const uint64_t *key, void *world)
{
    const struct levels_space *l = (const struct levels_space *)m;
    struct levels *w = world;
    uint32_t numbers[PARTS_MAX + 1];
    union piece part;
    memcpy(numbers, key, l->x.model.key_words * 8);
    memset(w, 0, sizeof *w);
    w->home = (struct home_line){ .owner = -1, .requester = -1, .txn = -1 };
    for (unsigned c = 0; c < l->clusters; c++) {
        read_part(l->clusters_seen, numbers[c], &part);
        unpack_cluster(l, w, c, &part);
    }
    read_part(l->outer_seen, numbers[l->clusters], &part);
    uint16_t home = part.units[0];
    w->home.state = home & 31;
    w->home.acks = home >> 5 & 7;
    w->home.version = home >> 8 & 1;
    w->memory_current = home >> 9 & 1;
    w->asked = home >> 10 & 3;
    if (l->outer_agents > l->clusters)
        unpack_cache(&w->device, &w->device_pending, &w->home, l->clusters, part.units[1]);
    w->home.txn = (int16_t)(w->home.requester < 0 ? -1 : TXN_OF(w->home.requester));
    unpack_messages(&w->outer, part.units + 2, LEVEL_MESSAGES_MAX);
}
