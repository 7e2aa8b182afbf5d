/* models/mmu/tlb.c - see tlb.h. Keys lie alone in one array, so that a lookup touches one or two host lines. */
#include "models/mmu/tlb.h"

#include "src/base/fail.h"

struct tlb_slot {
    uint64_t used_at;    /* value of `clock` when last used */
    frame frame;
    bool writable;
};

struct tlb {
    uint64_t *keys;      /* [sets][ways]; KEY_NONE: empty */
    struct tlb_slot *slots;
    uint32_t sets, ways;
    uint64_t clock, hit_count, miss_count;
};

/* 48-bit addresses leave 36 bits of page number: with the asid they share a word, and never all its bits. */
#define KEY_NONE UINT64_MAX

static uint64_t key_of(uint16_t asid, uint64_t vpn) { return vpn << 16 | asid; }

const char *tlb_desc_error(const struct tlb_desc *d)
{
    if (d->entries == 0 || d->ways == 0 || d->entries % d->ways != 0)
        return "entries must be a multiple of ways: every set is equally large";
    uint32_t sets = d->entries / d->ways;
    if (sets & (sets - 1))
        return "entries divided by ways must be a power of two: the set is taken from bits of the page number";
    return NULL;
}

struct tlb *tlb_new(struct arena *arena, const struct tlb_desc *d)
{
    const char *error = tlb_desc_error(d);
    CHECK(!error, "tlb_new: %u entries, %u ways: %s", d->entries, d->ways, error);
    struct tlb *t = ARENA_ONE(arena, struct tlb);
    t->sets = d->entries / d->ways;
    t->ways = d->ways;
    t->keys = ARENA_ARRAY(arena, uint64_t, d->entries);
    t->slots = ARENA_ARRAY(arena, struct tlb_slot, d->entries);
    for (uint32_t i = 0; i < d->entries; i++)
        t->keys[i] = KEY_NONE;
    return t;
}

static uint32_t set_of(const struct tlb *t, uint64_t vpn) { return (uint32_t)(vpn & (t->sets - 1)) * t->ways; }

/* Index of the slot, or -1. */
static int64_t find(const struct tlb *t, uint16_t asid, uint64_t vpn)
{
    uint64_t key = key_of(asid, vpn);
    uint32_t first = set_of(t, vpn);
    for (uint32_t i = first; i < first + t->ways; i++)
        if (t->keys[i] == key)
            return i;
    return -1;
}

static struct tlb_entry entry_at(const struct tlb *t, size_t i)
{
    return (struct tlb_entry){ .vpn = t->keys[i] >> 16, .frame = t->slots[i].frame, .asid = (uint16_t)t->keys[i],
                               .writable = t->slots[i].writable };
}

bool tlb_lookup(struct tlb *t, uint16_t asid, uint64_t vpn, bool write, struct tlb_entry *out)
{
    int64_t i = find(t, asid, vpn);
    if (i >= 0 && write && !t->slots[i].writable) {
        t->keys[i] = KEY_NONE;
        i = -1;
    }
    if (i < 0) {
        t->miss_count++;
        return false;
    }
    t->hit_count++;
    t->slots[i].used_at = ++t->clock;
    *out = entry_at(t, (size_t)i);
    return true;
}

static uint32_t victim(const struct tlb *t, uint64_t vpn)
{
    uint32_t first = set_of(t, vpn), best = first;
    for (uint32_t i = first; i < first + t->ways; i++) {
        if (t->keys[i] == KEY_NONE)
            return i;
        if (t->slots[i].used_at < t->slots[best].used_at)
            best = i;
    }
    return best;
}

void tlb_insert(struct tlb *t, const struct tlb_entry *e)
{
    int64_t old = find(t, e->asid, e->vpn);
    size_t i = old >= 0 ? (size_t)old : victim(t, e->vpn);
    t->keys[i] = key_of(e->asid, e->vpn);
    t->slots[i] = (struct tlb_slot){ .used_at = ++t->clock, .frame = e->frame, .writable = e->writable };
}

bool tlb_invalidate_page(struct tlb *t, uint16_t asid, uint64_t vpn)
{
    int64_t i = find(t, asid, vpn);
    if (i < 0)
        return false;
    t->keys[i] = KEY_NONE;
    return true;
}

static unsigned drop(struct tlb *t, bool all, uint16_t asid)
{
    unsigned n = 0;
    for (size_t i = 0; i < (size_t)t->sets * t->ways; i++)
        if (t->keys[i] != KEY_NONE && (all || (uint16_t)t->keys[i] == asid)) {
            t->keys[i] = KEY_NONE;
            n++;
        }
    return n;
}

unsigned tlb_invalidate_asid(struct tlb *t, uint16_t asid) { return drop(t, false, asid); }
unsigned tlb_invalidate_all(struct tlb *t) { return drop(t, true, 0); }

void tlb_each(const struct tlb *t, void (*fn)(void *arg, const struct tlb_entry *e), void *arg)
{
    for (size_t i = 0; i < (size_t)t->sets * t->ways; i++)
        if (t->keys[i] != KEY_NONE) {
            struct tlb_entry e = entry_at(t, i);
            fn(arg, &e);
        }
}

uint64_t tlb_hit_count(const struct tlb *t) { return t->hit_count; }
uint64_t tlb_miss_count(const struct tlb *t) { return t->miss_count; }
