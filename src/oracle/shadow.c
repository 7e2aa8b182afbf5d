/* src/oracle/shadow.c - pages of the judge's memory: a hash of pointers, pages taken from chunks. */
#include "src/oracle/shadow.h"

#include "src/base/fail.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 1024, PAGES_PER_CHUNK = 64 };

struct shadow_chunk {
    struct shadow_chunk *next;
    struct shadow_page page[PAGES_PER_CHUNK];
};

/* Fibonacci hashing: the high bits of the product are the well-mixed ones (Knuth, TAOCP 3, 6.4). */
static size_t first_slot(frame f, size_t slot_count)
{
    return (size_t)((f.v * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (slot_count - 1);
}

static struct shadow_page **slot_of(struct shadow_page **slot, size_t slot_count, frame f)
{
    size_t i = first_slot(f, slot_count);
    while (slot[i] && slot[i]->f.v != f.v)
        i = (i + 1) & (slot_count - 1);
    return &slot[i];
}

static struct shadow_page **new_slots(size_t count)
{
    struct shadow_page **slot = calloc(count, sizeof *slot);
    CHECK_MEMORY(slot, "oracle: no memory for %zu shadow slots", count);
    return slot;
}

void shadow_init(struct shadow *s, shadow_read_fn *read, void *machine)
{
    *s = (struct shadow){ .read = read, .machine = machine, .slot = new_slots(FIRST_SLOTS),
                          .slot_count = FIRST_SLOTS, .chunk_used = PAGES_PER_CHUNK };
}

void shadow_destroy(struct shadow *s)
{
    while (s->chunks) {
        struct shadow_chunk *c = s->chunks;
        s->chunks = c->next;
        free(c);
    }
    free(s->slot);
}

struct shadow_page *shadow_find(const struct shadow *s, frame f)
{
    return *slot_of(s->slot, s->slot_count, f);
}

static void grow(struct shadow *s)
{
    size_t count = 2 * s->slot_count;
    struct shadow_page **slot = new_slots(count);
    for (size_t i = 0; i < s->slot_count; i++)
        if (s->slot[i])
            *slot_of(slot, count, s->slot[i]->f) = s->slot[i];
    free(s->slot);
    s->slot = slot;
    s->slot_count = count;
}

static struct shadow_page *new_page(struct shadow *s)
{
    if (s->chunk_used == PAGES_PER_CHUNK) {
        struct shadow_chunk *c = calloc(1, sizeof *c);
        CHECK_MEMORY(c, "oracle: no memory for shadow pages");
        c->next = s->chunks;
        s->chunks = c;
        s->chunk_used = 0;
    }
    return &s->chunks->page[s->chunk_used++];
}

struct shadow_page *shadow_page(struct shadow *s, frame f)
{
    struct shadow_page **at = slot_of(s->slot, s->slot_count, f);
    if (*at)
        return *at;
    if (2 * (s->page_count + 1) > s->slot_count) {
        grow(s);
        at = slot_of(s->slot, s->slot_count, f);
    }
    *at = new_page(s);
    (*at)->f = f;
    s->page_count++;
    return *at;
}

uint64_t shadow_fetch(struct shadow *s, struct shadow_page *p, unsigned i)
{
    p->word[i] = s->read(s->machine, paddr_plus(frame_addr(p->f), 8u * i), 8);
    p->known[i / 64] |= UINT64_C(1) << (i % 64);
    return p->word[i];
}

void shadow_store_line(struct shadow_page *p, lineno line, uint64_t word)
{
    unsigned first = word_index(line_addr(line));
    for (unsigned i = first; i < first + WORDS_PER_LINE; i++)
        p->word[i] = word;
    p->known[first / 64] |= UINT64_C(0xff) << (first % 64);
}
