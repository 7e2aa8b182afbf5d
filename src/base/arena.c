/* src/base/arena.c - a chain of blocks, filled front to back. */
#include "src/base/arena.h"

#include "src/base/fail.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 64 * 1024, ALIGN_MAX = 64 };

struct block {
    struct block *next;
    size_t used_bytes, size_bytes;
    char data[];
};

struct arena {
    struct block *blocks; /* the first is being filled */
    uint64_t used_bytes;
    bool sealed;
};

struct arena *arena_new(void)
{
    struct arena *a = calloc(1, sizeof *a);
    CHECK_MEMORY(a, "arena_new: the host has no memory");
    return a;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

/* calloc leaves large blocks to the kernel's zero pages, so that untouched parts cost nothing; the price is
 * that the block has to be aligned here. */
static struct block *new_block(size_t bytes)
{
    size_t size = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
    struct block *b = calloc(1, sizeof *b + size + ALIGN_MAX);
    CHECK_MEMORY(b, "arena: the host has no memory for %zu bytes", size);
    b->size_bytes = size + ALIGN_MAX;
    return b;
}

static size_t alignment_for(size_t bytes)
{
    size_t align = sizeof(void *);
    while (align < bytes && align < ALIGN_MAX)
        align *= 2;
    return align;
}

/* Offset of the next place in `b` that is so aligned in memory. */
static size_t aligned_offset(const struct block *b, size_t align)
{
    uintptr_t at = (uintptr_t)(b->data + b->used_bytes);
    return b->used_bytes + (size_t)(-at & (align - 1));
}

static bool fits(const struct block *b, size_t bytes, size_t align)
{
    size_t offset = aligned_offset(b, align);
    return offset <= b->size_bytes && bytes <= b->size_bytes - offset;
}

static struct block *block_for(struct arena *a, size_t bytes, size_t align)
{
    struct block *first = a->blocks;
    if (first && fits(first, bytes, align))
        return first;
    struct block *b = new_block(bytes);
    if (first && bytes > BLOCK_BYTES / 4) { /* a large one goes behind the one being filled */
        b->next = first->next;
        first->next = b;
    }
    else {
        b->next = first;
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t count, size_t bytes_each)
{
    size_t bytes;
    CHECK(!a->sealed, "arena: %zu times %zu bytes asked for after the machine was built", count, bytes_each);
    CHECK(!__builtin_mul_overflow(count, bytes_each, &bytes) && bytes < SIZE_MAX / 2,
          "arena: %zu times %zu bytes is too much", count, bytes_each);
    size_t align = alignment_for(bytes);
    struct block *b = block_for(a, bytes, align);
    size_t offset = aligned_offset(b, align);
    a->used_bytes += offset - b->used_bytes + bytes;
    b->used_bytes = offset + bytes;
    return b->data + offset;
}

char *arena_strdup(struct arena *a, const char *text)
{
    size_t bytes = strlen(text) + 1;
    return memcpy(arena_alloc(a, 1, bytes), text, bytes);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    CHECK(length >= 0, "arena_printf: cannot format '%s'", format);
    char *text = arena_alloc(a, 1, (size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void arena_seal(struct arena *a) { a->sealed = true; }
bool arena_sealed(const struct arena *a) { return a->sealed; }
uint64_t arena_used_bytes(const struct arena *a) { return a->used_bytes; }
