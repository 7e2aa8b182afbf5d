/* models/net/layers.c - so that no message waits in a circle: ways are divided among layers, virtual channels that share
 * the links but not the slots.
 *
 * Every pair of tiles has one way and keeps to one layer all along it. A layer's dependency graph has a vertex per link and
 * an edge wherever some way of the layer goes from one link straight to another, that is, holds a slot of the one while
 * waiting for a slot of the other. Without a cycle in it nobody waits in a circle (Dally and Seitz 1987, "Deadlock-free
 * message routing in multiprocessor interconnection networks", theorem 1). Ways are taken in order of source, then
 * destination, and each is put into the first layer that stays free of cycles: the LASH scheme of Skeie, Lysne and
 * Theiss 2002 ("Layered shortest path (LASH) routing in irregular system area networks"), first fit.
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <string.h>

struct work {
    unsigned links, words;    /* of 64 bits in a row */
    uint64_t *follows[LAYERS_MAX]; /* [link * words + link / 64]: bit set where a way goes from the row's link to it */
    uint64_t *seen;           /* of one search */
    uint16_t *stack;
    uint16_t *way;
    unsigned way_count;
};

static void *zeroes(size_t count, size_t size)
{
    void *a = calloc(count ? count : 1, size);
    CHECK_MEMORY(a, "net: the host has no memory");
    return a;
}

static uint64_t *word_of(const struct work *w, unsigned layer, unsigned from, unsigned to)
{
    return &w->follows[layer][(size_t)from * w->words + to / 64];
}

/* Do dependencies of the layer lead from one link to the other? */
static bool leads_to(struct work *w, unsigned layer, unsigned from, unsigned goal)
{
    unsigned count = 0;
    memset(w->seen, 0, w->words * sizeof *w->seen);
    w->stack[count++] = (uint16_t)from;
    w->seen[from / 64] |= UINT64_C(1) << from % 64;
    while (count) {
        const uint64_t *row = word_of(w, layer, w->stack[--count], 0);
        for (unsigned i = 0; i < w->words; i++)
            for (uint64_t fresh = row[i] & ~w->seen[i]; fresh; fresh &= fresh - 1) {
                unsigned link = i * 64 + (unsigned)__builtin_ctzll(fresh);
                if (link == goal)
                    return true;
                w->seen[i] |= UINT64_C(1) << link % 64;
                w->stack[count++] = (uint16_t)link;
            }
    }
    return false;
}

/* Adds the way to the layer unless that would close a cycle. */
static bool fits(struct work *w, unsigned layer)
{
    uint64_t added[TILES_OF_A_WAY / 64] = { 0 };
    for (unsigned i = 0; i + 1 < w->way_count; i++) {
        unsigned from = w->way[i], to = w->way[i + 1];
        uint64_t *word = word_of(w, layer, from, to), bit = UINT64_C(1) << to % 64;
        if (*word & bit)
            continue;
        if (!leads_to(w, layer, to, from)) {
            *word |= bit;
            added[i / 64] |= UINT64_C(1) << i % 64;
            continue;
        }
        while (i-- > 0)
            if (added[i / 64] >> i % 64 & 1)
                *word_of(w, layer, w->way[i], w->way[i + 1]) &= ~(UINT64_C(1) << w->way[i + 1] % 64);
        return false;
    }
    return true;
}

static void follow(struct work *w, const struct layout *p, unsigned from, unsigned to)
{
    for (w->way_count = 0; from != to; from = p->links[w->way[w->way_count++]].to) {
        CHECK(w->way_count < TILES_OF_A_WAY, "net: the way to tile %u does not end", to);
        w->way[w->way_count] = p->route[from * p->tiles + to];
    }
}

static bool place(struct work *w, struct layout *p, unsigned from, unsigned to)
{
    follow(w, p, from, to);
    for (unsigned layer = 0; layer < LAYERS_MAX; layer++) {
        if (!w->follows[layer])
            w->follows[layer] = zeroes((size_t)w->links * w->words, sizeof *w->follows[layer]);
        if (fits(w, layer)) {
            p->layer[from * p->tiles + to] = (uint8_t)layer;
            p->layers = layer + 1 > p->layers ? layer + 1 : p->layers;
            return true;
        }
    }
    return false;
}

bool layout_layers(struct layout *p)
{
    struct work w = { .links = p->link_count, .words = (p->link_count + 63) / 64 };
    bool good = true;
    w.seen = zeroes(w.words, sizeof *w.seen);
    w.stack = zeroes(w.links, sizeof *w.stack);
    w.way = zeroes(TILES_OF_A_WAY, sizeof *w.way);
    p->layers = 1;
    p->layer = zeroes((size_t)p->tiles * p->tiles, sizeof *p->layer);
    for (unsigned from = 0; from < p->tiles && good; from++)
        for (unsigned to = 0; to < p->tiles && good; to++)
            good = place(&w, p, from, to);
    for (unsigned layer = 0; layer < LAYERS_MAX; layer++)
        free(w.follows[layer]);
    free(w.seen);
    free(w.stack);
    free(w.way);
    return good;
}
