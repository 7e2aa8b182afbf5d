/* models/coherence/states.c - the set of known states. Linear probing at three quarters full at most; a slot holds
 * half of the hash, so that hardly any other key is ever read.
 */
#include "models/coherence/states.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "src/base/fail.h"

enum { FIRST_SLOTS = 1 << 12, HUGE_PAGES_FROM = 1 << 22 };

static void *sized(void *old, size_t count, size_t bytes)
{
    void *p = realloc(old, count * bytes);
    CHECK_MEMORY(p, "explorer: out of memory for %zu states", count);
    return p;
}

static uint64_t hash(const uint64_t *key, unsigned words)
{
    uint64_t h = 0x9e3779b97f4a7c15ull;
    for (unsigned i = 0; i < words; i++) {
        h = (h ^ key[i]) * 0xff51afd7ed558ccdull;
        h ^= h >> 32;
    }
    return h * 0xc4ceb9fe1a85ec53ull;
}

/* The upper half of the hash tells keys apart, a middle part chooses the slot. */
static uint64_t tag_of(uint64_t h) { return h & ~(uint64_t)UINT32_MAX; }
static uint64_t place_of(uint64_t h, uint64_t mask) { return (h >> 20 ^ h << 12) & mask; }

static void new_table(struct states *s, uint64_t slots)
{
    free(s->slot);
    s->slot = calloc(slots, sizeof *s->slot);
    CHECK_MEMORY(s->slot, "explorer: out of memory for %llu table slots", (unsigned long long)slots);
    if (slots * sizeof *s->slot >= HUGE_PAGES_FROM) { /* a mere hint: random reads miss fewer translations */
        uintptr_t at = ((uintptr_t)s->slot + 4095) & ~(uintptr_t)4095;
        (void)madvise((void *)at, slots * sizeof *s->slot - 4096, MADV_HUGEPAGE);
    }
    s->mask = slots - 1;
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t h = hash(states_key(s, i), s->words), at = place_of(h, s->mask);
        while (s->slot[at])
            at = (at + 1) & s->mask;
        s->slot[at] = tag_of(h) | (i + 1);
    }
}

static void more_room(struct states *s)
{
    s->room = s->room ? s->room * 2 : FIRST_SLOTS / 2;
    CHECK(s->room < UINT32_MAX / 2, "explorer: more than %u states", s->n);
    s->key = sized(s->key, s->room, s->words * sizeof *s->key);
    s->parent = sized(s->parent, s->room, sizeof *s->parent);
    s->onward = sized(s->onward, s->room, sizeof *s->onward);
}

void states_init(struct states *s, unsigned words)
{
    memset(s, 0, sizeof *s);
    s->words = words;
    more_room(s);
    new_table(s, FIRST_SLOTS);
}

void states_free(struct states *s)
{
    free(s->key), free(s->parent), free(s->onward), free(s->slot);
}

uint64_t states_bytes(const struct states *s)
{
    return (uint64_t)s->n * (s->words * sizeof *s->key + sizeof *s->parent + sizeof *s->onward) +
           (s->mask + 1) * sizeof *s->slot;
}

static bool same_key(const uint64_t *a, const uint64_t *b, unsigned words)
{
    uint64_t differ = 0;
    for (unsigned i = 0; i < words; i++)
        differ |= a[i] ^ b[i];
    return differ == 0;
}

static uint32_t look_up(const struct states *s, const uint64_t *key, uint64_t h, uint64_t *free_slot)
{
    uint64_t at = place_of(h, s->mask), slot;
    for (; (slot = s->slot[at]) != 0; at = (at + 1) & s->mask)
        if (((slot ^ h) & ~(uint64_t)UINT32_MAX) == 0 &&
            same_key(states_key(s, (uint32_t)slot - 1), key, s->words))
            return (uint32_t)slot - 1;
    *free_slot = at;
    return NO_STATE;
}

uint32_t states_find(const struct states *s, const uint64_t *key)
{
    uint64_t unused;
    return look_up(s, key, hash(key, s->words), &unused);
}

/* Starts reading the key that a queued one will be compared with. */
static void probe_ahead(struct states *s)
{
    uint64_t h = s->queue[s->probed++ % STATES_QUEUE].hash, slot;
    for (uint64_t at = place_of(h, s->mask); (slot = s->slot[at]) != 0; at = (at + 1) & s->mask)
        if (((slot ^ h) & ~(uint64_t)UINT32_MAX) == 0) {
            __builtin_prefetch(states_key(s, (uint32_t)slot - 1));
            return;
        }
}

static uint32_t add(struct states *s, const struct offered *o, uint64_t free_slot)
{
    if (s->n == s->room)
        more_room(s);
    memcpy(s->key + (size_t)s->n * s->words, o->key, s->words * sizeof *s->key);
    s->parent[s->n] = o->from;
    s->onward[s->n] = NO_STATE;
    s->slot[free_slot] = tag_of(o->hash) | ++s->n;
    if (s->n > s->mask / 4 * 3)
        new_table(s, (s->mask + 1) * 2);
    return s->n - 1;
}

static void settle_one(struct states *s)
{
    const struct offered *o = &s->queue[s->tail++ % STATES_QUEUE];
    uint64_t free_slot = 0;
    uint32_t number = look_up(s, o->key, o->hash, &free_slot);
    if (number == NO_STATE)
        number = add(s, o, free_slot);
    if (o->onward && s->onward[o->from] == NO_STATE)
        s->onward[o->from] = number;
}

void states_offer(struct states *s, uint32_t from, bool onward)
{
    struct offered *o = &s->queue[s->head++ % STATES_QUEUE];
    o->hash = hash(o->key, s->words);
    o->from = from;
    o->onward = onward;
    __builtin_prefetch(&s->slot[place_of(o->hash, s->mask)]);
    if (s->head - s->probed > STATES_AHEAD)
        probe_ahead(s);
    if (s->head - s->tail > 2 * STATES_AHEAD)
        settle_one(s);
}

void states_settle(struct states *s)
{
    while (s->tail != s->head) {
        if (s->probed != s->head)
            probe_ahead(s);
        settle_one(s);
    }
}
