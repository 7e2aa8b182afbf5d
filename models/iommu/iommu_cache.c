/* models/iommu/iommu_cache.c - the three caches and what an invalidation drops from them.
 *
 * Keys: context cache source id << 16; IOTLB page << 16 | domain; paging-structure cache 2 MiB << 16 | domain.
 */
#include "models/iommu/iommu_internal.h"

enum { REGION_SHIFT = PAGE_SHIFT + VTD_INDEX_BITS }; /* what one last-level table maps: 2 MiB */

static uint64_t context_key(uint16_t source_id) { return (uint64_t)source_id << 16; }
static uint64_t page_key(uint16_t domain, iova a) { return a.v >> PAGE_SHIFT << 16 | domain; }
static uint64_t region_key(uint16_t domain, iova a) { return a.v >> REGION_SHIFT << 16 | domain; }

void caches_init(struct caches *c, struct arena *arena, const struct iommu_desc *d)
{
    assoc_init(&c->context, arena, d->context_entries, d->context_entries);
    assoc_init(&c->iotlb, arena, d->iotlb_entries, d->iotlb_ways);
    assoc_init(&c->psc, arena, d->psc_entries, d->psc_entries);
    c->contexts = ARENA_ARRAY(arena, struct context, d->context_entries);
    c->iotlb_mappings = ARENA_ARRAY(arena, struct mapping, d->iotlb_entries);
    c->psc_mappings = ARENA_ARRAY(arena, struct mapping, d->psc_entries);
}

bool context_find(struct caches *c, uint16_t source_id, struct context *out)
{
    int64_t i = assoc_use(&c->context, context_key(source_id));
    if (i < 0)
        return false;
    *out = c->contexts[i];
    return true;
}

void context_insert(struct caches *c, uint16_t source_id, const struct context *context)
{
    c->contexts[assoc_place(&c->context, context_key(source_id))] = *context;
}

/* An entry without the permission asked for does not answer: the walk decides, and replaces it. */
static bool mapping_find(struct assoc *a, const struct mapping *m, uint64_t key, bool write, struct mapping *out)
{
    int64_t i = assoc_use(a, key);
    if (i < 0 || !(write ? m[i].write : m[i].read))
        return false;
    *out = m[i];
    return true;
}

bool iotlb_find(struct caches *c, uint16_t domain, iova a, bool write, struct mapping *out)
{
    return mapping_find(&c->iotlb, c->iotlb_mappings, page_key(domain, a), write, out);
}

void iotlb_insert(struct caches *c, uint16_t domain, iova a, const struct mapping *m)
{
    c->iotlb_mappings[assoc_place(&c->iotlb, page_key(domain, a))] = *m;
}

bool psc_find(struct caches *c, uint16_t domain, iova a, bool write, struct mapping *out)
{
    return mapping_find(&c->psc, c->psc_mappings, region_key(domain, a), write, out);
}

void psc_insert(struct caches *c, uint16_t domain, iova a, const struct mapping *m)
{
    if (c->psc.sets)
        c->psc_mappings[assoc_place(&c->psc, region_key(domain, a))] = *m;
}

/* ---- invalidation */

/* Do [a, a + 2^a_bits) and the pages named overlap? Both are aligned powers of two. */
static bool overlaps(const struct scope *s, iova a, unsigned a_bits)
{
    unsigned bits = PAGE_SHIFT + s->mask > a_bits ? PAGE_SHIFT + s->mask : a_bits;
    return a.v >> bits == s->base.v >> bits;
}

static bool covers(const struct scope *s, uint16_t domain, iova a, unsigned a_bits)
{
    if (s->granularity == VTD_GRANULARITY_GLOBAL)
        return true;
    return s->domain == domain && (s->granularity == VTD_GRANULARITY_DOMAIN || overlaps(s, a, a_bits));
}

bool scope_covers(const struct scope *s, uint16_t domain, iova a)
{
    return covers(s, domain, (iova){ a.v & ~(uint64_t)(PAGE_BYTES - 1) }, PAGE_SHIFT);
}

bool scope_reaches(const struct scope *s, uint16_t domain, iova a)
{
    return s->leaf_only ? scope_covers(s, domain, a) : covers(s, domain, a, REGION_SHIFT);
}

static uint64_t drop(struct assoc *cache, const struct scope *s, unsigned entry_bits)
{
    uint64_t n = 0;
    for (size_t i = 0; i < assoc_count(cache); i++) {
        uint64_t key = cache->keys[i];
        if (key != ASSOC_EMPTY && covers(s, (uint16_t)key, (iova){ key >> 16 << entry_bits }, entry_bits)) {
            cache->keys[i] = ASSOC_EMPTY;
            n++;
        }
    }
    return n;
}

uint64_t iotlb_invalidate(struct caches *c, const struct scope *s)
{
    if (!(s->granularity == VTD_GRANULARITY_PAGE && s->leaf_only))
        drop(&c->psc, s, REGION_SHIFT);
    return drop(&c->iotlb, s, PAGE_SHIFT);
}

void context_invalidate(struct caches *c, const struct scope *s)
{
    for (size_t i = 0; i < assoc_count(&c->context); i++) {
        uint64_t key = c->context.keys[i];
        bool gone = s->granularity == VTD_GRANULARITY_GLOBAL
                    || (s->granularity == VTD_GRANULARITY_DOMAIN && c->contexts[i].domain == s->domain)
                    || (s->granularity == VTD_GRANULARITY_DEVICE && key == context_key(s->source_id));
        if (gone)
            c->context.keys[i] = ASSOC_EMPTY;
    }
}
