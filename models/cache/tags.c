/* models/cache/tags.c - L2 tags and the L1 filter: geometry, search, replacement (true LRU). Knows no protocol.
 * What a scan touches is small and contiguous: 8 bytes of tag a way, everything else in parallel arrays.
 */
#include "models/cache/private.h"

#include "src/base/fail.h"

#include <stdlib.h>

void tags_init(struct cache *c)
{
    const struct cache_desc *d = &c->desc;
    CHECK((d->sets & (d->sets - 1)) == 0 && (d->l1_sets & (d->l1_sets - 1)) == 0, "cache sets are not powers of two");
    size_t n = (size_t)d->sets * d->ways, n1 = (size_t)d->l1_sets * d->l1_ways;
    c->tag = must_calloc(n, sizeof *c->tag, "cache tags");
    c->state = must_calloc(n, sizeof *c->state, "cache tags");
    c->version = must_calloc(n, sizeof *c->version, "cache tags");
    c->used = must_calloc(n, sizeof *c->used, "cache tags");
    c->l1_tag = must_calloc(n1, sizeof *c->l1_tag, "cache tags");
    c->l1_slot = must_calloc(n1, sizeof *c->l1_slot, "cache tags");
    c->l1_used = must_calloc(n1, sizeof *c->l1_used, "cache tags");
    for (size_t i = 0; i < n; i++)
        c->tag[i] = NO_TAG;
    for (size_t i = 0; i < n1; i++)
        c->l1_tag[i] = NO_TAG;
}

void tags_free(struct cache *c)
{
    free(c->tag);
    free(c->state);
    free(c->version);
    free(c->used);
    free(c->l1_tag);
    free(c->l1_slot);
    free(c->l1_used);
}

int64_t tags_find(const struct cache *c, lineno line)
{
    if (!c->desc.sets)
        return NO_SLOT;
    int64_t first = (int64_t)(line.v & (c->desc.sets - 1)) * c->desc.ways;
    for (uint32_t w = 0; w < c->desc.ways; w++)
        if (c->tag[first + w] == line.v)
            return first + w;
    return NO_SLOT;
}

int64_t tags_find_l1(const struct cache *c, lineno line)
{
    if (!c->desc.l1_sets)
        return NO_SLOT;
    int64_t first = (int64_t)(line.v & (c->desc.l1_sets - 1)) * c->desc.l1_ways;
    for (uint32_t w = 0; w < c->desc.l1_ways; w++)
        if (c->l1_tag[first + w] == line.v)
            return first + w;
    return NO_SLOT;
}

void tags_touch(struct cache *c, int64_t slot) { c->used[slot] = ++c->use_count; }

void tags_fill_l1(struct cache *c, lineno line, int64_t slot)
{
    if (!c->desc.l1_sets)
        return;
    int64_t first = (int64_t)(line.v & (c->desc.l1_sets - 1)) * c->desc.l1_ways, best = first;
    bool empty = false;
    for (uint32_t w = 0; w < c->desc.l1_ways; w++) {
        int64_t i = first + w;
        if (c->l1_tag[i] == line.v) { /* at most one entry of a line */
            best = i;
            break;
        }
        if (!empty && (c->l1_tag[i] == NO_TAG || c->l1_used[i] < c->l1_used[best])) {
            best = i;
            empty = c->l1_tag[i] == NO_TAG;
        }
    }
    c->l1_tag[best] = line.v;
    c->l1_slot[best] = (uint32_t)slot;
    c->l1_used[best] = ++c->use_count;
}

void tags_drop(struct cache *c, int64_t slot)
{
    int64_t l1 = tags_find_l1(c, (lineno){ c->tag[slot] });
    if (l1 != NO_SLOT)
        c->l1_tag[l1] = NO_TAG;
    c->tag[slot] = NO_TAG;
    c->state[slot] = 0;
}

static bool pinned(const struct cache *c, int64_t slot)
{
    for (uint32_t i = 0; i < c->desc.mshrs; i++)
        if (c->mshr[i].busy && c->mshr[i].slot == slot)
            return true;
    return false;
}

int64_t tags_victim(const struct cache *c, lineno line)
{
    if (!c->desc.sets)
        return NO_SLOT;
    int64_t first = (int64_t)(line.v & (c->desc.sets - 1)) * c->desc.ways, best = NO_SLOT;
    for (uint32_t w = 0; w < c->desc.ways; w++) {
        int64_t i = first + w;
        if (c->tag[i] == NO_TAG)
            return i;
        if ((best == NO_SLOT || c->used[i] < c->used[best]) && !pinned(c, i))
            best = i;
    }
    return best;
}
