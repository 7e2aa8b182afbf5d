/* models/iommu/assoc.c - places of a set-associative cache; see iommu_internal.h. */
#include "models/iommu/iommu_internal.h"

void assoc_init(struct assoc *a, struct arena *arena, uint32_t entries, uint32_t ways)
{
    a->ways = ways;
    a->sets = ways ? entries / ways : 0;
    a->keys = ARENA_ARRAY(arena, uint64_t, entries);
    a->used_at = ARENA_ARRAY(arena, uint64_t, entries);
    for (uint32_t i = 0; i < entries; i++)
        a->keys[i] = ASSOC_EMPTY;
}

static size_t first_of_set(const struct assoc *a, uint64_t key)
{
    return (size_t)((key >> 16) & (a->sets - 1)) * a->ways;
}

int64_t assoc_find(const struct assoc *a, uint64_t key)
{
    if (a->sets == 0)
        return -1;
    size_t first = first_of_set(a, key);
    for (size_t i = first; i < first + a->ways; i++)
        if (a->keys[i] == key)
            return (int64_t)i;
    return -1;
}

int64_t assoc_use(struct assoc *a, uint64_t key)
{
    int64_t i = assoc_find(a, key);
    if (i >= 0)
        a->used_at[i] = ++a->clock;
    return i;
}

static size_t victim(const struct assoc *a, uint64_t key)
{
    size_t first = first_of_set(a, key), best = first;
    for (size_t i = first; i < first + a->ways; i++) {
        if (a->keys[i] == ASSOC_EMPTY)
            return i;
        if (a->used_at[i] < a->used_at[best])
            best = i;
    }
    return best;
}

size_t assoc_place(struct assoc *a, uint64_t key)
{
    int64_t old = assoc_find(a, key);
    size_t i = old >= 0 ? (size_t)old : victim(a, key);
    a->keys[i] = key;
    a->used_at[i] = ++a->clock;
    return i;
}
