/* models/coherence/world_pack.c - packing a world into 32 bytes, the same for worlds that differ by renaming caches.
 *
 * Caches are sorted by their own bits, then by what the messages say about them regardless of other names. Where
 * caches still tie, all orders of the tied are tried and the smallest packing wins: exact, and rarely needed.
 */
#include "models/coherence/world.h"

#include <string.h>

enum { ACKS_BIAS = 5 };

static bool is_sharer(const struct home_line *home, unsigned a) { return home->sharers.w[0] >> a & 1; }

static uint16_t pack_agent(const struct world *w, unsigned a)
{
    const struct cache_line *line = &w->line[a];
    return (uint16_t)(line->state | (line->acks + ACKS_BIAS) << 5 | (line->version & 1) << 9 | w->pending[a] << 10 |
                      is_sharer(&w->home, a) << 13 | (w->home.owner == (int)a) << 14 |
                      (w->home.requester == (int)a) << 15);
}

static void unpack_agent(struct world *w, unsigned a, uint16_t bits)
{
    w->line[a] = (struct cache_line){ .state = bits & 31, .acks = (int16_t)((bits >> 5 & 15) - ACKS_BIAS),
                                      .version = bits >> 9 & 1 };
    w->pending[a] = bits >> 10 & 7;
    w->home.sharers.w[0] |= (uint64_t)(bits >> 13 & 1) << a;
    if (bits >> 14 & 1)
        w->home.owner = (int16_t)a;
    if (bits >> 15 & 1)
        w->home.requester = (int16_t)a;
}

static uint16_t pack_home(const struct world *w)
{
    return (uint16_t)(w->home.state | w->home.acks << 5 | (w->home.version & 1) << 8 | w->memory_current << 9 |
                      w->asked << 10 | w->home.heard << 12);
}

/* slot: name of each agent, from -1: 0 home, 1 + its new number an agent. */
static uint16_t pack_message(const struct flight *m, const uint8_t *slot)
{
    return (uint16_t)((m->kind + 1u) | (unsigned)slot[m->to] << 5 | (unsigned)slot[m->requester] << 8 |
                      (unsigned)(m->acks + 1) << 11 | (unsigned)m->current << 14);
}

static void pack_messages(const struct world *w, const uint8_t *slot, uint16_t packed[WORLD_MESSAGES_MAX])
{
    for (unsigned i = 0; i < w->n_messages; i++) {
        uint16_t m = pack_message(&w->message[i], slot);
        unsigned at = i;
        for (; at > 0 && packed[at - 1] > m; at--)
            packed[at] = packed[at - 1];
        packed[at] = m;
    }
}

/* What the messages say about each cache, other names left out. */
void world_signatures(const struct space *x, const struct world *w, uint64_t sign[WORLD_AGENTS_MAX])
{
    for (unsigned a = 0; a < x->agents; a++)
        sign[a] = (uint64_t)pack_agent(w, a) << 48;
    for (unsigned i = 0; i < w->n_messages; i++) {
        const struct flight *m = &w->message[i];
        uint32_t plain = (uint32_t)(m->kind + 1) << 8 | (uint32_t)(m->acks + 1) << 4 | (uint32_t)m->current << 2;
        uint64_t both = (plain * 0x9e3779b1u) >> 4;
        if (m->to >= 0)
            sign[m->to] += both;
        if (m->requester >= 0)
            sign[m->requester] += both * 3 + 1;
    }
}

/* The code is read as a number in factorial base. */
unsigned world_orders(unsigned n, uint8_t order[EXPLORE_ORDERS_MAX][EXPLORE_CACHES_MAX])
{
    unsigned count = 1;
    for (unsigned k = 2; k <= n; k++)
        count *= k;
    for (unsigned i = 0; i < count; i++) {
        uint8_t left[EXPLORE_CACHES_MAX] = { 0, 1, 2, 3 };
        unsigned code = i;
        for (unsigned k = 0; k < n; k++) {
            unsigned pick = code % (n - k);
            code /= n - k;
            order[i][k] = left[pick];
            memmove(left + pick, left + pick + 1, n - k - 1 - pick);
        }
    }
    return count;
}

/* The tied caches in every order: keeps the smallest packing of the messages. */
static void break_ties(const struct space *x, const struct world *w, const uint64_t sign[WORLD_AGENTS_MAX],
                       const uint8_t order[EXPLORE_CACHES_MAX], uint8_t *slot, union key *key)
{
    uint16_t packed[WORLD_MESSAGES_MAX] = { 0 };
    for (unsigned i = 1; i < x->n_orders; i++) {
        bool same = true;
        for (unsigned k = 0; k < x->caches; k++) {
            same = same && sign[order[x->order[i][k]]] == sign[order[k]];
            slot[order[x->order[i][k]]] = (uint8_t)(k + 1);
        }
        if (!same)
            continue;
        pack_messages(w, slot, packed);
        if (memcmp(packed, key->message, sizeof packed) < 0)
            memcpy(key->message, packed, sizeof packed);
    }
}

void world_pack(const struct model *m, const void *world, uint64_t *words)
{
    const struct space *x = (const struct space *)m;
    const struct world *w = world;
    uint64_t sign[WORLD_AGENTS_MAX];
    uint8_t order[EXPLORE_CACHES_MAX], names[WORLD_AGENTS_MAX + 1] = { 0 }, *slot = names + 1;
    union key key = { .words = { 0 } };
    bool tied = false;
    world_signatures(x, w, sign);
    for (unsigned a = 0; a < x->caches; a++) {
        unsigned at = a;
        for (; at > 0 && sign[order[at - 1]] > sign[a]; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)a;
    }
    for (unsigned k = 0; k < x->caches; k++) {
        slot[order[k]] = (uint8_t)(k + 1);
        key.agent[k] = (uint16_t)(sign[order[k]] >> 48);
        tied |= k > 0 && sign[order[k]] == sign[order[k - 1]] && sign[order[k]] << 16 != 0;
    }
    for (unsigned a = x->caches; a < x->agents; a++) {
        slot[a] = (uint8_t)(a + 1);
        key.agent[a] = (uint16_t)(sign[a] >> 48);
    }
    key.home = pack_home(w);
    pack_messages(w, slot, key.message);
    if (tied)
        break_ties(x, w, sign, order, slot, &key);
    memcpy(words, key.words, sizeof key.words);
}

void world_pack_as(const struct space *x, const struct world *w, const uint8_t names[WORLD_AGENTS_MAX + 1], union key *key)
{
    *key = (union key){ .words = { 0 } };
    for (unsigned a = 0; a < x->agents; a++)
        key->agent[names[a + 1] - 1] = pack_agent(w, a);
    key->home = pack_home(w);
    pack_messages(w, names + 1, key->message);
}

void world_unpack(const struct model *model, const uint64_t *words, void *world)
{
    const struct space *x = (const struct space *)model;
    struct world *w = world;
    union key packed, *key = &packed;
    memcpy(packed.words, words, sizeof packed.words);
    memset(w, 0, sizeof *w);
    w->home = (struct home_line){ .state = key->home & 31, .owner = -1, .requester = -1, .txn = -1,
                                  .acks = key->home >> 5 & 7, .version = key->home >> 8 & 1,
                                  .heard = key->home >> 12 & 3, .agents = x->on_bus };
    w->memory_current = key->home >> 9 & 1;
    w->asked = key->home >> 10 & 3;
    for (unsigned a = 0; a < x->agents; a++)
        unpack_agent(w, a, key->agent[a]);
    w->home.txn = w->home.requester < 0 ? -1 : TXN_OF(w->home.requester);
    for (unsigned i = 0; i < WORLD_MESSAGES_MAX && key->message[i]; i++) {
        uint16_t m = key->message[i];
        w->message[w->n_messages++] = (struct flight){ .kind = (uint8_t)((m & 31) - 1),
            .to = (int8_t)((m >> 5 & 7) - 1), .requester = (int8_t)((m >> 8 & 7) - 1),
            .acks = (int8_t)((m >> 11 & 7) - 1), .current = m >> 14 & 1 };
    }
}
