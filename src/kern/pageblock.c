/* src/kern/pageblock.c - types of pageblocks. */
#include "src/kern/pageblock.h"

enum { TYPE_BITS = 4, PER_WORD = 64 / TYPE_BITS, TYPE_MASK = 15 };
#define ALL_MOVABLE UINT64_C(0x1111111111111111)

static paddr word_of(const struct kernel *k, frame f, unsigned *shift)
{
    const struct mem_node *n = kernel_node_of(k, f);
    uint64_t block = (f.v - n->first.v) >> PAGEBLOCK_ORDER;
    *shift = (unsigned)(block % PER_WORD) * TYPE_BITS;
    return paddr_plus(n->blocks, block / PER_WORD * 8);
}

enum migratetype pageblock_type(struct hart *h, const struct kernel *k, frame f)
{
    unsigned shift;
    paddr word = word_of(k, f, &shift);
    k_compute(h, k->desc.costs.pageblock_type);
    return (enum migratetype)(k_load_once(h, word, 8) >> shift & TYPE_MASK);
}

enum migratetype pageblock_peek(const struct kernel *k, struct backdoor *b, frame f)
{
    unsigned shift;
    paddr word = word_of(k, f, &shift);
    return (enum migratetype)(backdoor_read(b, word, 8) >> shift & TYPE_MASK);
}

struct change {
    unsigned shift;
    uint64_t type;
};

static bool put_type(uint64_t *word, const void *arg)
{
    const struct change *c = arg;
    *word = (*word & ~((uint64_t)TYPE_MASK << c->shift)) | c->type << c->shift;
    return true;
}

/* A word is shared by blocks of zones with different locks, hence the compare-and-swap of set_pfnblock_flags_mask. */
void pageblock_set(struct hart *h, const struct kernel *k, frame f, unsigned order, enum migratetype mt)
{
    struct change c = { .type = mt };
    uint64_t end = f.v + (UINT64_C(1) << order), old;
    for (; f.v < end; f.v += PAGEBLOCK_PAGES)
        k_update(h, word_of(k, f, &c.shift), put_type, &c, &old);
}

static void boot_image(void *arg, frame f, uint64_t words[PAGE_BYTES / 8])
{
    (void)arg;
    (void)f;
    for (unsigned i = 0; i < PAGE_BYTES / 8; i++)
        words[i] = ALL_MOVABLE;
}

void pageblock_boot(struct kernel *k, const struct mem_node *n, struct backdoor *b)
{
    uint64_t bytes = ((n->end.v - n->first.v) / PAGEBLOCK_PAGES + 1) / 2 + 8;
    backdoor_image(b, paddr_frame(n->blocks), (bytes + PAGE_BYTES - 1) / PAGE_BYTES, boot_image, k);
}
