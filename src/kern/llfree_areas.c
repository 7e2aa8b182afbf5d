/* src/kern/llfree_areas.c - the lower level: bit fields and areas. */
#include "src/kern/llfree.h"

bool llfree_edit(struct hart *h, const struct kernel *k, paddr at, unsigned bytes, llfree_edit_fn *decide, uint64_t arg,
                 uint64_t *old)
{
    uint64_t wanted;
    *old = k_load_once(h, at, bytes);
    do {
        k_compute(h, k->desc.costs.llfree_edit);
        wanted = *old;
        if (!decide(&wanted, arg))
            return false;
        if ((k->desc.plant & KERN_PLANT_SKIP_CAS) != 0) {
            k_store(h, at, bytes, wanted);
            return true;
        }
    } while (!k_cas(h, at, bytes, old, wanted));
    return true;
}

bool llfree_count_down(uint64_t *word, uint64_t n) /* whole areas count 0 */
{
    if ((*word & COUNT_MASK) < n)
        return false;
    *word -= n;
    return true;
}

bool llfree_count_up(uint64_t *word, uint64_t n)
{
    *word += n;
    return true;
}

/* ---- bit fields and areas */

static bool set_group(uint64_t *word, uint64_t order)
{
    uint64_t group;
    if (!row_clear_group(*word, (unsigned)order, &group))
        return false;
    *word |= group;
    return true;
}

static bool set_all(uint64_t *word, uint64_t unused)
{
    (void)unused;
    if (*word != 0)
        return false;
    *word = ~UINT64_C(0);
    return true;
}

static bool clear_group(uint64_t *word, uint64_t group)
{
    if ((*word & group) != group)
        return false;
    *word &= ~group;
    return true;
}

static bool field_take_small(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t start,
                             unsigned order, uint64_t *offset)
{
    uint64_t first = start - start % AREA_ROWS, old, group = 0;
    for (unsigned i = 0; i < AREA_ROWS; i++) {
        uint64_t row = first + (start + i) % AREA_ROWS;
        if (!llfree_edit(h, k, llfree_row_at(k, z, row), 8, set_group, order, &old))
            continue;
        row_clear_group(old, order, &group);
        *offset = row * ROW_FRAMES + (unsigned)__builtin_ctzll(group);
        return true;
    }
    return false;
}

/* All of `count` rows, or none. */
static bool rows_take(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t row, unsigned count)
{
    uint64_t old;
    for (unsigned i = 0; i < count; i++) {
        if (llfree_edit(h, k, llfree_row_at(k, z, row + i), 8, set_all, 0, &old))
            continue;
        while (i-- > 0)
            k_swap(h, llfree_row_at(k, z, row + i), 8, 0);
        return false;
    }
    return true;
}

static bool field_take(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t start, unsigned order,
                       uint64_t *offset)
{
    if (order <= ROW_ORDER)
        return field_take_small(h, k, z, start, order, offset);
    uint64_t first = start - start % AREA_ROWS;
    unsigned rows = 1u << (order - ROW_ORDER);
    for (unsigned i = 0; i < AREA_ROWS; i += rows)
        if (rows_take(h, k, z, first + i, rows)) {
            *offset = (first + i) * ROW_FRAMES;
            return true;
        }
    return false;
}

static bool whole_take(uint64_t *word, uint64_t bytes)
{
    uint64_t all = bytes == ENTRY_BYTES ? AREA_FRAMES : AREA_FRAMES << 16 | AREA_FRAMES;
    if (*word != all)
        return false;
    *word = bytes == ENTRY_BYTES ? WHOLE : (uint64_t)WHOLE << 16 | WHOLE;
    return true;
}

static bool whole_put(uint64_t *word, uint64_t bytes)
{
    uint64_t all = bytes == ENTRY_BYTES ? WHOLE : (uint64_t)WHOLE << 16 | WHOLE;
    if (*word != all)
        return false;
    *word = bytes == ENTRY_BYTES ? AREA_FRAMES : AREA_FRAMES << 16 | AREA_FRAMES;
    return true;
}

static unsigned whole_bytes(unsigned order) { return (unsigned)ENTRY_BYTES << (order - AREA_ORDER); }

static bool area_take(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t start, unsigned order,
                      uint64_t *offset)
{
    uint64_t area = start / AREA_ROWS, old;
    if (order >= AREA_ORDER) {
        *offset = area * AREA_FRAMES;
        return *offset % (UINT64_C(1) << order) == 0 &&
               llfree_edit(h, k, llfree_area_at(k, z, area), whole_bytes(order), whole_take, whole_bytes(order), &old);
    }
    if (!llfree_edit(h, k, llfree_area_at(k, z, area), ENTRY_BYTES, llfree_count_down, UINT64_C(1) << order, &old))
        return false;
    if (field_take(h, k, z, start, order, offset))
        return true;
    llfree_edit(h, k, llfree_area_at(k, z, area), ENTRY_BYTES, llfree_count_up, UINT64_C(1) << order, &old);
    return false;
}

bool llfree_tree_take(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t start, unsigned order,
                      uint64_t *offset)
{
    uint64_t first = start - start % TREE_ROWS, row = start;
    for (unsigned i = 0; i < TREE_AREAS; i++) {
        if (area_take(h, k, z, row, order, offset))
            return true;
        row = first + (row - row % AREA_ROWS + AREA_ROWS) % TREE_ROWS;
    }
    return false;
}

bool llfree_block_put(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t offset, unsigned order)
{
    uint64_t old, area = offset / AREA_FRAMES, row = offset / ROW_FRAMES;
    if (order >= AREA_ORDER)
        return llfree_edit(h, k, llfree_area_at(k, z, area), whole_bytes(order), whole_put, whole_bytes(order), &old);
    for (unsigned i = 0; i < (order <= ROW_ORDER ? 1u : 1u << (order - ROW_ORDER)); i++)
        if (!llfree_edit(h, k, llfree_row_at(k, z, row + i), 8, clear_group, row_group(offset, order), &old))
            return false;
    return llfree_edit(h, k, llfree_area_at(k, z, area), ENTRY_BYTES, llfree_count_up, UINT64_C(1) << order, &old);
}
