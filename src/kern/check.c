/* src/kern/check.c - recount of every frame. */
#include "src/kern/check.h"

#include "src/base/fail.h"
#include "src/kern/frames.h"
#include "src/kern/page_cache.h"
#include "src/kern/zero_policy.h"

#include <stdarg.h>
#include <stdlib.h>

void recount_lie(struct recount *r, const char *format, ...)
{
    va_list ap;
    if (r->lied)
        return;
    r->lied = true;
    va_start(ap, format);
    vsnprintf(r->text, r->size, format, ap);
    va_end(ap);
}

uint64_t recount_word(struct recount *r, paddr a, unsigned offset, unsigned bytes)
{
    return backdoor_read(r->b, paddr_plus(a, offset), bytes);
}

void recount_see(struct recount *r, const struct zone *z, frame f, unsigned order, const char *where)
{
    uint64_t pages = UINT64_C(1) << order;
    if (!zone_contains(z, f) || f.v + pages > z->end.v || f.v % pages != 0) {
        recount_lie(r, "%s: frame 0x%llx order %u is no block of the zone", where, (unsigned long long)f.v, order);
        return;
    }
    for (uint64_t i = f.v; i < f.v + pages; i++) {
        if ((r->seen[i / 64] >> i % 64 & 1) != 0)
            recount_lie(r, "%s: frame 0x%llx is in two places", where, (unsigned long long)i);
        r->seen[i / 64] |= UINT64_C(1) << i % 64;
    }
    r->seen_pages += pages;
}

static void check_held(struct recount *r, const struct held_block *b)
{
    const struct zone *z = kernel_zone_of(r->k, b->f);
    if (z == NULL) {
        recount_lie(r, "held by a caller: frame 0x%llx is in no zone", (unsigned long long)b->f.v);
        return;
    }
    recount_see(r, z, b->f, b->order, "held by a caller");
    uint64_t references = r->lied ? 1 : recount_word(r, page_word(r->k, b->f, 0), PAGE_REFCOUNT, 4);
    if (references != 1)
        recount_lie(r, "held by a caller: frame 0x%llx has %llu references", (unsigned long long)b->f.v,
                    (unsigned long long)references);
}

static void check_constants(struct recount *r, const struct zone *z)
{
    const uint64_t marks[] = { z->marks.min, z->marks.low, z->marks.high, z->marks.promo };
    for (unsigned i = 0; i < 4; i++)
        if (recount_word(r, z->at, ZONE_AT_MARKS + i * 8, 4) != marks[i])
            recount_lie(r, "node %u zone %s: watermark %u was written to", z->node, zone_name(z->id), i);
    for (unsigned i = 0; i < ZONES; i++)
        if (recount_word(r, z->at, ZONE_AT_RESERVE + i * 8, 4) != z->lowmem_reserve[i])
            recount_lie(r, "node %u zone %s: lowmem reserve %u was written to", z->node, zone_name(z->id), i);
}

static void check_zone(struct recount *r, const struct zone *z, const struct held_block *held, size_t held_count)
{
    uint64_t before = r->seen_pages;
    check_constants(r, z);
    r->k->frames->recount(r, z);
    zero_pool_recount(r, z);
    page_cache_recount(r, z);
    for (size_t i = 0; i < held_count; i++)
        if (zone_contains(z, held[i].f))
            check_held(r, &held[i]);
    if (r->seen_pages - before != z->managed_pages)
        recount_lie(r, "node %u zone %s: %llu frames accounted for, the zone has %llu", z->node, zone_name(z->id),
                    (unsigned long long)(r->seen_pages - before), (unsigned long long)z->managed_pages);
}

const char *kern_check(const struct kernel *k, struct backdoor *b, const struct held_block *held, size_t held_count,
                       char *text, size_t size)
{
    struct recount r = { .k = k, .b = b, .text = text, .size = size };
    r.seen = calloc(k->at.end.v / 64 + 1, sizeof *r.seen);
    CHECK_MEMORY(r.seen != NULL, "recount: out of memory");
    for (unsigned i = 0; i < k->zone_count; i++)
        check_zone(&r, &k->zones[i], held, held_count);
    for (size_t i = 0; i < held_count; i++)
        if (kernel_zone_of(k, held[i].f) == NULL)
            check_held(&r, &held[i]);
    free(r.seen);
    return r.lied ? text : NULL;
}
