/* tests/unit/test_memory.c - sparse simulated memory: values, versions, boot images, host cost. */
#include "src/sim/memory.h"

#include "src/base/rng.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define GIB (UINT64_C(1) << 30)

/* 256 GiB is 65536 chunks of 4 MiB: 8 bytes each, and next to nothing for the whole. */
Test(memory, untouched_memory_costs_eight_bytes_per_chunk)
{
    struct memory *m = memory_new(256 * GIB);
    uint64_t chunks = 256 * GIB / (4 << 20), cost = memory_host_bytes(m);
    cr_expect(cost >= chunks * 8 && cost <= chunks * 8 + 4096, "%lu bytes", (unsigned long)cost);
    cr_expect(memory_contains(m, (paddr){ 0 }, 256 * GIB));
    cr_expect_eq(memory_host_bytes(m), cost, "asking costs nothing");
    memory_free(m);
}

/* The first access of a chunk makes its table (1024 pointers), the first of a page its words and 64 versions. */
Test(memory, a_touched_page_costs_itself_and_its_chunk_once)
{
    struct memory *m = memory_new(256 * GIB);
    uint64_t before = memory_host_bytes(m), page = PAGE_BYTES + LINES_PER_PAGE * sizeof(struct line_versions);
    paddr far = { 200 * GIB + 8 };
    cr_expect_eq(memory_read(m, far, 8), 0);
    cr_expect_eq(memory_host_bytes(m), before + 1024 * 8 + page);
    memory_write(m, paddr_plus(far, 64), 8, 1);
    (void)memory_versions(m, paddr_line(far));
    cr_expect_eq(memory_host_bytes(m), before + 1024 * 8 + page, "the same page");
    memory_write(m, paddr_plus(far, PAGE_BYTES), 1, 1);
    cr_expect_eq(memory_host_bytes(m), before + 1024 * 8 + 2 * page, "the next page of the chunk");
    memory_free(m);
}

Test(memory, sub_word_accesses_are_little_endian_parts_of_the_word)
{
    struct memory *m = memory_new(PAGE_BYTES);
    paddr a = { 0x100 };
    memory_write(m, a, 8, 0x8877665544332211);
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(memory_read(m, paddr_plus(a, i), 1), 0x11u * (i + 1));
    cr_expect_eq(memory_read(m, paddr_plus(a, 2), 2), 0x4433);
    cr_expect_eq(memory_read(m, paddr_plus(a, 4), 4), 0x88776655);
    memory_write(m, paddr_plus(a, 3), 1, 0xabcd); /* what is beyond the width is dropped */
    cr_expect_eq(memory_read(m, a, 8), 0x88776655cd332211);
    memory_write(m, paddr_plus(a, 6), 2, 0xffff0102);
    cr_expect_eq(memory_read(m, a, 8), 0x01026655cd332211);
    memory_write(m, paddr_plus(a, 4), 4, 0);
    cr_expect_eq(memory_read(m, a, 8), 0x00000000cd332211);
    cr_expect_eq(memory_read(m, paddr_plus(a, 8), 8), 0);
    memory_free(m);
}

/* Random writes of all widths against an array of bytes, over pages of different chunks. */
Test(memory, agrees_with_an_array_of_bytes)
{
    enum { PAGES = 3, WRITES = 20000 };
    static uint8_t model[PAGES][PAGE_BYTES];
    static const uint64_t frame_no[PAGES] = { 0, 1023, 5000 };
    struct memory *m = memory_new(64 << 20);
    struct rng rng = rng_stream(20240811, "memory");
    printf("seed 20240811\n");
    for (unsigned i = 0; i < WRITES; i++) {
        unsigned bytes = 1u << rng_below(&rng, 4), page = (unsigned)rng_below(&rng, PAGES);
        unsigned at = (unsigned)rng_below(&rng, PAGE_BYTES / bytes) * bytes;
        uint64_t value = rng_next(&rng), seen, expect = 0;
        memcpy(&model[page][at], &value, bytes);
        memory_write(m, paddr_plus(frame_addr((frame){ frame_no[page] }), at), bytes, value);
        bytes = 1u << rng_below(&rng, 4);
        at = at / bytes * bytes;
        memcpy(&expect, &model[page][at], bytes);
        seen = memory_read(m, paddr_plus(frame_addr((frame){ frame_no[page] }), at), bytes);
        cr_assert_eq(seen, expect, "write %u", i);
    }
    memory_free(m);
}

Test(memory, lines_are_eight_words_of_their_page)
{
    struct memory *m = memory_new(4 * PAGE_BYTES);
    lineno line = { LINES_PER_PAGE + 5 };
    for (unsigned i = 0; i < 8; i++)
        memory_write(m, paddr_plus(line_addr(line), 8 * i), 8, 100 + i);
    for (unsigned i = 0; i < 8; i++)
        cr_expect_eq(memory_line(m, line)[i], 100 + i);
    cr_expect_eq(memory_line(m, (lineno){ line.v - 1 })[7], 0);
    memory_line(m, line)[7] = 9;
    cr_expect_eq(memory_read(m, paddr_plus(line_addr(line), 56), 8), 9);
    memory_free(m);
}

Test(memory, every_line_has_its_own_versions)
{
    struct memory *m = memory_new(2 * PAGE_BYTES);
    for (uint64_t l = 0; l < 2 * LINES_PER_PAGE; l++) {
        struct line_versions *v = memory_versions(m, (lineno){ l });
        cr_expect(v->current == 0 && v->dram == 0);
        v->current = (uint32_t)l + 1;
        v->dram = (uint32_t)l + 1000;
    }
    for (uint64_t l = 0; l < 2 * LINES_PER_PAGE; l++) {
        struct line_versions *v = memory_versions(m, (lineno){ l });
        cr_expect(v->current == l + 1 && v->dram == l + 1000, "line %lu", (unsigned long)l);
    }
    cr_expect_eq(memory_read(m, (paddr){ 0 }, 8), 0, "versions are not data");
    memory_free(m);
}

struct image { unsigned calls; uint64_t last; };

static void fill(void *arg, frame f, uint64_t words[PAGE_BYTES / 8])
{
    struct image *im = arg;
    im->calls++;
    im->last = f.v;
    words[1] = f.v * 10;
}

Test(memory, a_boot_image_fills_each_page_once_at_its_first_touch)
{
    struct memory *m = memory_new(64 * PAGE_BYTES);
    struct image im = { 0, 0 };
    memory_boot_image(m, (frame){ 3 }, 2, fill, &im);
    cr_expect_eq(im.calls, 0, "nothing is touched at boot");
    cr_expect_eq(memory_read(m, (paddr){ 3 * PAGE_BYTES + 8 }, 8), 30);
    cr_expect(im.calls == 1 && im.last == 3);
    memory_write(m, (paddr){ 4 * PAGE_BYTES + 8 }, 8, 7); /* a first touch that writes: filled, then written */
    cr_expect_eq(memory_read(m, (paddr){ 4 * PAGE_BYTES + 8 }, 8), 7);
    memory_write(m, (paddr){ 3 * PAGE_BYTES + 8 }, 8, 8);
    (void)memory_read(m, (paddr){ 9 * PAGE_BYTES }, 8); /* out of the one-entry cache and back */
    cr_expect_eq(memory_read(m, (paddr){ 3 * PAGE_BYTES + 8 }, 8), 8, "not filled a second time");
    cr_expect_eq(memory_read(m, (paddr){ 5 * PAGE_BYTES + 8 }, 8), 0, "one page behind the image");
    cr_expect_eq(memory_read(m, (paddr){ 2 * PAGE_BYTES + 8 }, 8), 0, "one page before it");
    cr_expect_eq(im.calls, 2);
    memory_free(m);
}

Test(memory, contains_knows_the_end_and_does_not_wrap)
{
    struct memory *m = memory_new(2 * PAGE_BYTES);
    cr_expect(memory_contains(m, (paddr){ 2 * PAGE_BYTES - 8 }, 8));
    cr_expect_not(memory_contains(m, (paddr){ 2 * PAGE_BYTES - 8 }, 9));
    cr_expect_not(memory_contains(m, (paddr){ 2 * PAGE_BYTES }, 0));
    cr_expect_not(memory_contains(m, (paddr){ UINT64_MAX }, 8));
    cr_expect_not(memory_contains(m, (paddr){ 8 }, UINT64_MAX));
    memory_free(m);
}

Test(memory, a_page_beyond_the_end_is_a_panic, .exit_code = 1)
{
    struct memory *m = memory_new(2 * PAGE_BYTES);
    (void)memory_read(m, (paddr){ 2 * PAGE_BYTES }, 8);
}

Test(memory, an_unaligned_access_is_a_panic, .exit_code = 1)
{
    struct memory *m = memory_new(PAGE_BYTES);
    memory_write(m, (paddr){ 6 }, 4, 0);
}

Test(memory, a_width_of_three_is_a_panic, .exit_code = 1)
{
    struct memory *m = memory_new(PAGE_BYTES);
    (void)memory_read(m, (paddr){ 0 }, 3);
}
