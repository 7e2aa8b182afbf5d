/* src/kern/llfree_trees.c - the upper level: trees and reservations; the interface. */
#include "src/kern/llfree.h"

/* ---- trees' entries and the harts' own words */

static bool local_down(uint64_t *word, uint64_t n) { return llfree_local_valid(*word) && llfree_count_down(word, n); }

static bool local_up(uint64_t *word, uint64_t tree_and_n) /* if the hart still has this tree */
{
    if (!llfree_local_valid(*word) || llfree_local_tree(*word) != tree_and_n >> 16)
        return false;
    *word += tree_and_n & 0xffff;
    return true;
}

static bool local_drop(uint64_t *word, uint64_t unused)
{
    (void)unused;
    if (!llfree_local_valid(*word))
        return false;
    *word = llfree_local_row(*word) << LOCAL_ROW;
    return true;
}

static bool tree_fetch(uint64_t *word, uint64_t least) /* frames that others freed into a reserved tree */
{
    if ((*word & RESERVED) == 0 || (*word & COUNT_MASK) < least)
        return false;
    *word = RESERVED;
    return true;
}

static bool tree_reserve(uint64_t *word, uint64_t most_and_least)
{
    if ((*word & RESERVED) != 0 || *word < (most_and_least & 0xffff) || *word > most_and_least >> 16)
        return false;
    *word = RESERVED;
    return true;
}

static bool tree_release(uint64_t *word, uint64_t n)
{
    *word = (*word & COUNT_MASK) + n;
    return true;
}

/* Frames that were counted for this hart, or freed by it: to its own word if it has the tree, else to the tree. */
static void frames_back(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t tree, uint64_t n)
{
    uint64_t old;
    if (!llfree_edit(h, k, llfree_local_at(z, hart_id(h), LOCAL_WORD), 8, local_up, tree << 16 | n, &old))
        llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, llfree_count_up, n, &old);
}

static void give_up(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t word)
{
    uint64_t old;
    if (llfree_local_valid(word))
        llfree_edit(h, k, llfree_tree_at(k, z, llfree_local_tree(word)), ENTRY_BYTES, tree_release, word & COUNT_MASK, &old);
}

/* The hart's word now stands for a tree that this call's caller has reserved. An interrupt may have done the same
 * in between: whatever the word stood for is released. */
static void install(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t row, uint64_t count)
{
    give_up(h, k, z, k_swap(h, llfree_local_at(z, hart_id(h), LOCAL_WORD), 8, row << LOCAL_ROW | LOCAL_VALID | count));
}

struct search {
    unsigned order;
    uint64_t least, most; /* count of free frames of a tree to reserve */
    uint64_t offset;      /* what was found */
};

/* From the tree that the hart has. */
static bool take_own(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s)
{
    uint64_t n = UINT64_C(1) << s->order, old, others;
    paddr own = llfree_local_at(z, hart_id(h), LOCAL_WORD);
    for (unsigned round = 0; round < 2; round++) {
        if (llfree_edit(h, k, own, 8, local_down, n, &old)) {
            if (!llfree_tree_take(h, k, z, llfree_local_row(old), s->order, &s->offset)) {
                frames_back(h, k, z, llfree_local_tree(old), n);
                return false;
            }
            /* The next search begins here. If the word has changed meanwhile, it need not. */
            uint64_t row = s->offset / ROW_FRAMES, now = old - n;
            if (row != llfree_local_row(old))
                k_cas(h, own, 8, &now, row << LOCAL_ROW | (now & 0xffff));
            return true;
        }
        uint64_t mine = old & COUNT_MASK;
        if (!llfree_local_valid(old) ||
            !llfree_edit(h, k, llfree_tree_at(k, z, llfree_local_tree(old)), ENTRY_BYTES, tree_fetch, n - mine, &others))
            return false;
        k_count(h, "llfree.fetched", 1);
        frames_back(h, k, z, llfree_local_tree(old), others & COUNT_MASK);
    }
    return false;
}

static bool reserve(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s, uint64_t tree)
{
    uint64_t n = UINT64_C(1) << s->order, count;
    k_compute(h, k->desc.costs.llfree_tree);
    if (!llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, tree_reserve, s->most << 16 | s->least, &count))
        return false;
    if (!llfree_tree_take(h, k, z, tree * TREE_ROWS, s->order, &s->offset)) {
        llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, tree_release, count, &count);
        return false;
    }
    k_count(h, "llfree.reserved", 1);
    install(h, k, z, s->offset / ROW_FRAMES, count - n);
    return true;
}

/* Trees [from, from + count), taken modulo `trees`. */
static bool reserve_among(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s, uint64_t from,
                          uint64_t count)
{
    uint64_t trees = llfree_tree_count(z);
    for (uint64_t i = 0; i < count; i++)
        if (reserve(h, k, z, s, (from + i) % trees))
            return true;
    return false;
}

static uint64_t at_least(uint64_t a, uint64_t b) { return a > b ? a : b; }

static bool take_reserving(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s)
{
    uint64_t trees = llfree_tree_count(z), n = UINT64_C(1) << s->order;
    uint64_t last = llfree_local_tree(k_load_once(h, llfree_local_at(z, hart_id(h), LOCAL_WORD), 8));
    uint64_t near = last - last % ENTRIES_PER_LINE, on_line = trees - near;
    s->least = at_least(n, HALF_LEAST), s->most = HALF_MOST;
    if (reserve_among(h, k, z, s, near, on_line < ENTRIES_PER_LINE ? on_line : ENTRIES_PER_LINE) ||
        (trees > ENTRIES_PER_LINE && reserve_among(h, k, z, s, near, trees)))
        return true;
    s->least = s->most = TREE_FRAMES;
    if (reserve_among(h, k, z, s, last, trees))
        return true;
    s->least = n;
    return reserve_among(h, k, z, s, last, trees);
}

/* A few frames out of trees that other harts have reserved. */
static bool take_stealing(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s)
{
    uint64_t n = UINT64_C(1) << s->order, old;
    for (unsigned i = 1; i < k->desc.harts; i++) {
        paddr other = llfree_local_at(z, (hart_id(h) + i) % k->desc.harts, LOCAL_WORD);
        if (!llfree_edit(h, k, other, 8, local_down, n, &old))
            continue;
        if (llfree_tree_take(h, k, z, llfree_local_row(old), s->order, &s->offset)) {
            k_count(h, "llfree.stolen", 1);
            return true;
        }
        frames_back(h, k, z, llfree_local_tree(old), n);
    }
    return false;
}

/* The last resort: no reservation stands, so every count is in its tree's entry. */
static bool take_draining(struct hart *h, const struct kernel *k, const struct zone *z, struct search *s)
{
    uint64_t n = UINT64_C(1) << s->order, old;
    k_count(h, "llfree.drained", 1);
    for (unsigned i = 0; i < k->desc.harts; i++)
        if (llfree_edit(h, k, llfree_local_at(z, i, LOCAL_WORD), 8, local_drop, 0, &old))
            give_up(h, k, z, old);
    for (uint64_t tree = 0; tree < llfree_tree_count(z); tree++) {
        k_compute(h, k->desc.costs.llfree_tree);
        if (!llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, llfree_count_down, n, &old))
            continue;
        if (llfree_tree_take(h, k, z, tree * TREE_ROWS, s->order, &s->offset))
            return true;
        frames_back(h, k, z, tree, n);
    }
    return false;
}

/* ---- free pages: kept per hart, folded into the shared count past a threshold */

/* calculate_normal_threshold of mm/vmstat.c: grows with harts and with memory in units of 128 MiB. */
static int64_t fold_threshold(const struct kernel *k, const struct zone *z)
{
    uint64_t units = (z->end.v - z->first.v) >> 15;
    unsigned harts_log = 32 - (unsigned)__builtin_clz(k->desc.harts);
    unsigned units_log = units == 0 ? 0 : 64 - (unsigned)__builtin_clzll(units);
    unsigned threshold = 2 * harts_log * (1 + units_log);
    return threshold < 125 ? threshold : 125;
}

/* Linux changes its count by one instruction that no interrupt can split: hence interrupts off, free of charge. */
static void count_pages(struct hart *h, const struct kernel *k, const struct zone *z, int64_t change)
{
    paddr delta = llfree_local_at(z, hart_id(h), LOCAL_DELTA);
    bool were_on = k_irq_save(h);
    int64_t now = (int64_t)k_load(h, delta, 8) + change, limit = fold_threshold(k, z);
    bool fold = now > limit || now < -limit;
    k_store(h, delta, 8, fold ? 0 : (uint64_t)now);
    k_irq_restore(h, were_on);
    if (fold)
        k_fetch_add(h, zone_word(z, ZONE_AT_FREE), 8, (uint64_t)now);
}

static uint64_t free_pages_seen(struct hart *h, const struct kernel *k, const struct zone *z)
{
    int64_t pages = (int64_t)k_load_once(h, zone_word(z, ZONE_AT_FREE), 8);
    (void)k;
    return pages > 0 ? (uint64_t)pages : 0;
}

/* ---- interface */

/* Counts do not tell sizes: taking is the test. */
static bool has_block(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *q)
{
    (void)h, (void)k, (void)z, (void)q;
    return true;
}

static frame take(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *q,
                  enum source_id *source)
{
    struct search s = { .order = q->order };
    enum source_id from = SOURCE_TREE;
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.llfree_call);
    if (!take_own(h, k, z, &s)) {
        from = SOURCE_TREE_CHANGE;
        k_phase(h, PH_ZONE_HOLD);
        if (!take_reserving(h, k, z, &s) && !take_stealing(h, k, z, &s) && !take_draining(h, k, z, &s))
            return (frame){ 0 };
    }
    *source = from;
    count_pages(h, k, z, -(INT64_C(1) << q->order));
    return (frame){ zone_base(z) + s.offset };
}

/* The freeing hart takes over a tree into which it frees again and again: its next allocations find these frames
 * warm, and its next frees stay in its own word. A lost update of the two words below costs a chance, no frame. */
static void follow_frees(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t tree)
{
    paddr at = llfree_local_at(z, hart_id(h), LOCAL_LAST);
    uint64_t last = k_load(h, at, 8), count;
    uint64_t times = last >> 8 == tree + 1 ? (last & 0xff) + 1 : 1;
    k_store(h, at, 8, (tree + 1) << 8 | times % FREES_TO_RESERVE);
    if (times < FREES_TO_RESERVE ||
        !llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, tree_reserve, (uint64_t)TREE_FRAMES << 16 | HALF_LEAST, &count))
        return;
    k_count(h, "llfree.reserved_by_frees", 1);
    install(h, k, z, tree * TREE_ROWS, count);
}

static enum source_id put(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    uint64_t offset = f.v - zone_base(z), tree = offset / TREE_FRAMES, n = UINT64_C(1) << order, old;
    enum source_id source = SOURCE_TREE;
    k_phase(h, PH_PCP);
    k_compute(h, k->desc.costs.llfree_call);
    if (!llfree_block_put(h, k, z, offset, order))
        k_illegal(h, "free_pages: frame 0x%llx order %u is not allocated", (unsigned long long)f.v, order);
    if (!llfree_edit(h, k, llfree_local_at(z, hart_id(h), LOCAL_WORD), 8, local_up, tree << 16 | n, &old)) {
        k_phase(h, PH_ZONE_HOLD);
        source = SOURCE_TREE_CHANGE;
        llfree_edit(h, k, llfree_tree_at(k, z, tree), ENTRY_BYTES, llfree_count_up, n, &old);
        follow_frees(h, k, z, tree);
    }
    count_pages(h, k, z, (int64_t)n);
    return source;
}

const struct frame_allocator frames_llfree = {
    .name = "llfree",
    .help = "lock-free trees of bit fields, one tree reserved by each core (LLFree, USENIX ATC 2023)",
    .own_bytes = llfree_own_bytes,
    .boot = llfree_boot,
    .take = take,
    .put = put,
    .free_pages = free_pages_seen,
    .has_block = has_block,
    .recount = llfree_recount,
};
