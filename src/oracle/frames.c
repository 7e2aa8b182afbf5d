/* src/oracle/frames.c - who has which frame: two bits each, and a journal of the last notes for texts.
 *
 * A frame never heard of may be freed (it was handed out at boot) or handed out; after that both alternate.
 */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SHIFT = 15, FRAMES_PER_WORD = 32, CHUNK_WORDS = (1 << CHUNK_SHIFT) / FRAMES_PER_WORD };
enum frame_state { FRAME_UNKNOWN, FRAME_FREE, FRAME_ALLOCATED, FRAME_STATE_MASK = 3 };

static void grow_table(struct frames *t, size_t count)
{
    CHECK(count <= (size_t)1 << 24, "oracle: frame numbers beyond %d address bits", CHUNK_SHIFT + 24 + PAGE_SHIFT);
    uint64_t **chunk = realloc(t->chunk, count * sizeof(uint64_t *));
    CHECK_MEMORY(chunk, "oracle: no memory for %zu frame chunks", count);
    memset(chunk + t->chunk_count, 0, (count - t->chunk_count) * sizeof(uint64_t *));
    t->chunk = chunk;
    t->chunk_count = count;
}

static uint64_t *word_of(struct frames *t, frame f)
{
    size_t i = (size_t)(f.v >> CHUNK_SHIFT);
    if (i >= t->chunk_count)
        grow_table(t, i + 1);
    if (!t->chunk[i]) {
        t->chunk[i] = calloc(CHUNK_WORDS, sizeof(uint64_t));
        CHECK_MEMORY(t->chunk[i], "oracle: no memory for a frame chunk");
    }
    return &t->chunk[i][(f.v & ((1u << CHUNK_SHIFT) - 1)) / FRAMES_PER_WORD];
}

static enum frame_state change(struct frames *t, frame f, enum frame_state to)
{
    uint64_t *word = word_of(t, f);
    unsigned shift = 2 * (unsigned)(f.v % FRAMES_PER_WORD);
    enum frame_state was = (enum frame_state)(*word >> shift & FRAME_STATE_MASK);
    *word = (*word & ~((uint64_t)FRAME_STATE_MASK << shift)) | (uint64_t)to << shift;
    return was;
}

static void enter(struct oracle *o, unsigned hart, frame f, unsigned order, bool allocated, tick now)
{
    struct frames *t = &o->frames;
    t->journal[t->journal_count++ % JOURNAL_ENTRIES] =
        (struct journal){ now, f, (uint16_t)hart, (uint8_t)order, allocated };
}

void frames_allocated(struct oracle *o, unsigned hart, frame f, unsigned order, tick now)
{
    enter(o, hart, f, order, true, now);
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        if (change(&o->frames, (frame){ f.v + i }, FRAME_ALLOCATED) == FRAME_ALLOCATED) {
            found(o, PROMISE_ALLOCATOR, hart, frame_addr((frame){ f.v + i }), now,
                  "the allocator handed out frame 0x%" PRIx64 " (order %u from 0x%" PRIx64 "), which already has an "
                  "owner", f.v + i, order, f.v);
            return;
        }
}

void frames_freed(struct oracle *o, unsigned hart, frame f, unsigned order, tick now)
{
    enter(o, hart, f, order, false, now);
    for (uint64_t i = 0; i < UINT64_C(1) << order; i++)
        if (change(&o->frames, (frame){ f.v + i }, FRAME_FREE) == FRAME_FREE) {
            found(o, PROMISE_ALLOCATOR, hart, frame_addr((frame){ f.v + i }), now,
                  "frame 0x%" PRIx64 " (order %u from 0x%" PRIx64 ") was freed, but is free already", f.v + i, order,
                  f.v);
            return;
        }
}

void frames_print(const struct oracle *o, frame f, FILE *out)
{
    const struct frames *t = &o->frames;
    uint64_t first = t->journal_count > JOURNAL_ENTRIES ? t->journal_count - JOURNAL_ENTRIES : 0;
    for (uint64_t i = first; i < t->journal_count; i++) {
        const struct journal *j = &t->journal[i % JOURNAL_ENTRIES];
        if (f.v < j->f.v || f.v - j->f.v >= UINT64_C(1) << j->order)
            continue;
        fputs("   ", out);
        print_time(out, j->time);
        fprintf(out, " %s %s order %u from frame 0x%" PRIx64 "\n", name_of(o, j->hart),
                j->allocated ? "was given" : "freed", j->order, j->f.v);
    }
}

void frames_destroy(struct frames *t)
{
    for (size_t i = 0; i < t->chunk_count; i++)
        free(t->chunk[i]);
    free(t->chunk);
}
