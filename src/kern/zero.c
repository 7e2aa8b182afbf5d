/* src/kern/zero.c - clearing pages. */
#include "src/kern/zero.h"

enum { PLANTED_LINE = 17, WORD_BYTES = 8 };

static void zero_line(struct hart *h, enum zero_method method, paddr line)
{
    if (method == ZERO_STRING) {
        k_store_line(h, line, 0);
        return;
    }
    for (unsigned i = 0; i < LINE_BYTES; i += WORD_BYTES) {
        if (method == ZERO_NT)
            k_store_nt(h, paddr_plus(line, i), WORD_BYTES, 0);
        else
            k_store(h, paddr_plus(line, i), WORD_BYTES, 0);
    }
}

void zero_pages(struct hart *h, const struct kernel *k, frame f, unsigned order)
{
    uint64_t lines = (uint64_t)LINES_PER_PAGE << order;
    bool skip = (k->desc.plant & KERN_PLANT_SKIP_ZERO_LINE) != 0;
    k_begin(h, CLASS_PAGE_ZERO);
    for (uint64_t i = 0; i < lines; i++) {
        if (i % LINES_PER_PAGE == 0)
            k_compute(h, k->desc.costs.zero_entry);
        if (!skip || i != PLANTED_LINE)
            zero_line(h, k->desc.zeroing, paddr_plus(frame_addr(f), i * LINE_BYTES));
    }
    if (k->desc.zeroing == ZERO_NT)
        k_fence_store(h);
    k_source(h, SOURCE_DONE);
    k_end(h);
}
