/* src/sim/memory.c - sparse simulated memory: chunk table, page table, page. */
#include "src/sim/memory.h"

#include "src/base/fail.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_PAGES = 1024 }; /* a chunk is 4 MiB */

struct page {
    uint64_t words[PAGE_BYTES / 8];
    struct line_versions versions[LINES_PER_PAGE];
};

struct chunk {
    struct page *pages[CHUNK_PAGES];
};

struct memory {
    uint64_t bytes, frames;
    struct chunk **chunks;
    uint64_t last_frame;         /* one-entry cache in front of the tables */
    struct page *last_page;
    uint64_t chunk_count, page_count;
    struct image {
        uint64_t first, count;
        memory_boot_fn *fn;
        void *arg;
    } *images;
    unsigned image_count;
};

struct memory *memory_new(uint64_t bytes)
{
    CHECK(bytes % PAGE_BYTES == 0 && bytes > 0, "memory size %lu is not whole pages", (unsigned long)bytes);
    struct memory *m = must_calloc(1, sizeof *m, "simulated memory");
    m->bytes = bytes;
    m->frames = bytes >> PAGE_SHIFT;
    m->chunks = must_calloc((m->frames + CHUNK_PAGES - 1) / CHUNK_PAGES, sizeof *m->chunks, "simulated memory");
    m->last_frame = UINT64_MAX;
    return m;
}

void memory_free(struct memory *m)
{
    if (!m)
        return;
    for (uint64_t c = 0; c < (m->frames + CHUNK_PAGES - 1) / CHUNK_PAGES; c++) {
        if (!m->chunks[c])
            continue;
        for (unsigned i = 0; i < CHUNK_PAGES; i++)
            free(m->chunks[c]->pages[i]);
        free(m->chunks[c]);
    }
    free(m->chunks);
    free(m->images);
    free(m);
}

uint64_t memory_bytes(const struct memory *m) { return m->bytes; }

uint64_t memory_host_bytes(const struct memory *m)
{
    return sizeof *m + m->image_count * sizeof *m->images + (m->frames + CHUNK_PAGES - 1) / CHUNK_PAGES * sizeof *m->chunks +
           m->chunk_count * sizeof(struct chunk) + m->page_count * sizeof(struct page);
}

bool memory_contains(const struct memory *m, paddr a, uint64_t bytes)
{
    return a.v < m->bytes && bytes <= m->bytes - a.v;
}

static void first_touch(struct memory *m, uint64_t f, struct page *p)
{
    for (unsigned i = 0; i < m->image_count; i++) {
        const struct image *im = &m->images[i];
        if (f - im->first < im->count)
            im->fn(im->arg, (frame){ f }, p->words);
    }
}

static struct page *page_slow(struct memory *m, uint64_t f)
{
    CHECK(f < m->frames, "simulated access to frame %#lx beyond memory", (unsigned long)f);
    struct chunk **c = &m->chunks[f / CHUNK_PAGES];
    if (!*c) {
        *c = must_calloc(1, sizeof **c, "simulated memory");
        m->chunk_count++;
    }
    struct page **p = &(*c)->pages[f % CHUNK_PAGES];
    if (!*p) {
        *p = must_calloc(1, sizeof **p, "simulated memory");
        m->page_count++;
        first_touch(m, f, *p);
    }
    m->last_frame = f;
    m->last_page = *p;
    return *p;
}

static inline struct page *page_of(struct memory *m, uint64_t f)
{
    return f == m->last_frame ? m->last_page : page_slow(m, f);
}

static inline void check_shape(paddr a, unsigned bytes)
{
    CHECK((bytes == 8 || bytes == 4 || bytes == 2 || bytes == 1) && (a.v & (bytes - 1)) == 0,
          "access of %u bytes at %#lx is not naturally aligned", bytes, (unsigned long)a.v);
}

uint64_t memory_read(struct memory *m, paddr a, unsigned bytes)
{
    check_shape(a, bytes);
    uint64_t word = page_of(m, a.v >> PAGE_SHIFT)->words[(a.v & (PAGE_BYTES - 1)) >> 3];
    if (bytes == 8)
        return word;
    return word >> ((a.v & 7) * 8) & ((UINT64_C(1) << (bytes * 8)) - 1);
}

void memory_write(struct memory *m, paddr a, unsigned bytes, uint64_t value)
{
    check_shape(a, bytes);
    uint64_t *word = &page_of(m, a.v >> PAGE_SHIFT)->words[(a.v & (PAGE_BYTES - 1)) >> 3];
    if (bytes == 8) {
        *word = value;
        return;
    }
    unsigned shift = (unsigned)(a.v & 7) * 8;
    uint64_t mask = ((UINT64_C(1) << (bytes * 8)) - 1) << shift;
    *word = (*word & ~mask) | (value << shift & mask);
}

uint64_t *memory_line(struct memory *m, lineno l)
{
    struct page *p = page_of(m, l.v >> (PAGE_SHIFT - LINE_SHIFT));
    return &p->words[(l.v % LINES_PER_PAGE) * (LINE_BYTES / 8)];
}

struct line_versions *memory_versions(struct memory *m, lineno l)
{
    return &page_of(m, l.v >> (PAGE_SHIFT - LINE_SHIFT))->versions[l.v % LINES_PER_PAGE];
}

void memory_boot_image(struct memory *m, frame first, uint64_t count, memory_boot_fn *fn, void *arg)
{
    CHECK(first.v < m->frames && count <= m->frames - first.v, "boot image beyond memory");
    m->images = realloc(m->images, (m->image_count + 1) * sizeof *m->images);
    CHECK_MEMORY(m->images, "out of host memory for boot images");
    m->images[m->image_count++] = (struct image){ first.v, count, fn, arg };
}
