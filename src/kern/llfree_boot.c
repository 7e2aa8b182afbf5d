/* src/kern/llfree_boot.c - boot state and recount of llfree. */
#include "src/kern/check.h"
#include "src/kern/llfree.h"

uint64_t llfree_own_bytes(const struct kernel_desc *d, uint64_t pages)
{
    uint64_t trees = (pages + (UINT64_C(1) << MAX_ORDER) + TREE_FRAMES - 1) / TREE_FRAMES;
    uint64_t bytes = d->harts * (uint64_t)LINE_BYTES + trees * (TREE_AREAS * LINE_BYTES + LINE_BYTES + ENTRY_BYTES);
    return (bytes + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static void boot_area(const struct kernel *k, const struct zone *z, struct backdoor *b, uint64_t area)
{
    uint64_t count = zone_free_at_boot(z, area * AREA_FRAMES, AREA_FRAMES);
    backdoor_write(b, llfree_area_at(k, z, area), ENTRY_BYTES, count);
    for (uint64_t row = area * AREA_ROWS; count != AREA_FRAMES && row < (area + 1) * AREA_ROWS; row++)
        backdoor_write(b, llfree_row_at(k, z, row), 8, row_at_boot(z, row));
}

void llfree_boot(struct kernel *k, struct zone *z, struct backdoor *b)
{
    uint64_t trees = llfree_tree_count(z);
    unsigned harts = k->desc.harts;
    for (uint64_t tree = 0; tree < trees; tree++)
        backdoor_write(b, llfree_tree_at(k, z, tree), ENTRY_BYTES, zone_free_at_boot(z, tree * TREE_FRAMES, TREE_FRAMES));
    for (uint64_t area = 0; area < trees * TREE_AREAS; area++)
        boot_area(k, z, b, area);
    for (unsigned hart = 0; hart < harts; hart++)
        backdoor_write(b, llfree_local_at(z, hart, LOCAL_WORD), 8, hart * trees / harts * TREE_ROWS << LOCAL_ROW);
}

/* ---- recount */

static uint64_t recount_area(struct recount *r, const struct kernel *k, const struct zone *z, uint64_t area)
{
    uint64_t pages = 0, said = recount_word(r, llfree_area_at(k, z, area), 0, ENTRY_BYTES);
    for (uint64_t offset = area * AREA_FRAMES; said != WHOLE && offset < (area + 1) * AREA_FRAMES; offset++) {
        if ((recount_word(r, llfree_row_at(k, z, offset / ROW_FRAMES), 0, 8) >> offset % ROW_FRAMES & 1) != 0)
            continue;
        recount_see(r, z, (frame){ zone_base(z) + offset }, 0, "llfree");
        pages++;
    }
    if (said != WHOLE && said != pages)
        recount_lie(r, "llfree: area %llu has %llu free frames, its entry says 0x%llx", (unsigned long long)area,
                    (unsigned long long)pages, (unsigned long long)said);
    return pages;
}

/* What the harts that have this tree say of it; *holders: how many. */
static uint64_t said_by_harts(struct recount *r, const struct kernel *k, const struct zone *z, uint64_t tree, unsigned *holders)
{
    uint64_t said = 0;
    *holders = 0;
    for (unsigned hart = 0; hart < k->desc.harts; hart++) {
        uint64_t word = recount_word(r, llfree_local_at(z, hart, LOCAL_WORD), 0, 8);
        if (!llfree_local_valid(word) || llfree_local_tree(word) != tree)
            continue;
        said += word & COUNT_MASK;
        ++*holders;
    }
    return said;
}

static uint64_t recount_tree(struct recount *r, const struct kernel *k, const struct zone *z, uint64_t tree)
{
    unsigned holders;
    uint64_t pages = 0, entry = recount_word(r, llfree_tree_at(k, z, tree), 0, ENTRY_BYTES);
    uint64_t said = (entry & COUNT_MASK) + said_by_harts(r, k, z, tree, &holders);
    for (uint64_t area = tree * TREE_AREAS; area < (tree + 1) * TREE_AREAS; area++)
        pages += recount_area(r, k, z, area);
    if (pages != said || holders != (entry & RESERVED) / RESERVED)
        recount_lie(r, "llfree: tree %llu has %llu free frames, counters say %llu; %s, had by %u harts",
                    (unsigned long long)tree, (unsigned long long)pages, (unsigned long long)said,
                    (entry & RESERVED) != 0 ? "reserved" : "not reserved", holders);
    return pages;
}

void llfree_recount(struct recount *r, const struct zone *z)
{
    const struct kernel *k = r->k;
    uint64_t pages = 0, said = recount_word(r, zone_word(z, ZONE_AT_FREE), 0, 8);
    for (uint64_t tree = 0; tree < llfree_tree_count(z); tree++)
        pages += recount_tree(r, k, z, tree);
    for (unsigned hart = 0; hart < k->desc.harts; hart++)
        said += recount_word(r, llfree_local_at(z, hart, LOCAL_DELTA), 0, 8);
    if (pages != said)
        recount_lie(r, "llfree: %llu free pages, counters say %llu", (unsigned long long)pages, (unsigned long long)said);
}
