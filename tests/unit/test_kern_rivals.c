/* tests/unit/test_kern_rivals.c - one conformance suite for every frame allocator (run for all kinds), then what is
 * llfree's own: where it reserves, fetches, steals and drains. Threads: tests/native/storm.c. */
#include "tests/unit/test_kern_rig.h"

#include "src/base/rng.h"
#include "src/kern/frames.h"

#include <criterion/parameterized.h>
#include <stdlib.h>

enum { HARTS = 4, LIVE = 300, VECTOR = 2, MEMORY_FRAMES = 16384 };
#define ANYTHING (GFP_ATOMIC | GFPM_MEMALLOC) /* no watermark stands in the way */
#define ANYTHING_CLASS gfp_class(ANYTHING)

static int kinds[] = { ALLOCATOR_BUDDY, ALLOCATOR_LLFREE, ALLOCATOR_FREELIST, ALLOCATOR_BITMAP };

static struct kernel_desc suite_desc(int kind)
{
    struct kernel_desc d = rig_desc();
    d.allocator = (enum allocator_kind)kind;
    d.harts = HARTS;
    d.memory_bytes = (uint64_t)MEMORY_FRAMES * PAGE_BYTES;
    return d;
}

/* Per-CPU lists and HIGHATOMIC pageblocks, where there are such, go back to the zones. */
static void drain(struct rig *r)
{
    const struct frame_allocator *a = r->k.frames;
    for (unsigned i = 0; i < r->k.zone_count; i++) {
        if (a->drain != NULL)
            a->drain(r->h, &r->k, &r->k.zones[i]);
        while (a->unreserve != NULL && a->unreserve(r->h, &r->k, &r->k.zones[i], MIGRATE_UNMOVABLE, true))
            ;
    }
}

static struct hart *hart_of(struct rig *r, uint64_t i) { return &r->machine->harts[i % HARTS]; }

/* Aligned blocks of this order that the zones have room for. */
static uint64_t capacity(const struct rig *r, unsigned order)
{
    uint64_t blocks = 0, last = (UINT64_C(1) << order) - 1;
    for (unsigned i = 0; i < r->k.zone_count; i++) {
        uint64_t first = (r->k.zones[i].first.v + last) >> order, end = r->k.zones[i].end.v >> order;
        blocks += end > first ? end - first : 0;
    }
    return blocks;
}

static size_t take_all(struct rig *r, unsigned order, struct held_block *held)
{
    size_t n = 0;
    for (uint64_t i = order;; i++) {
        frame f = alloc_pages(hart_of(r, i / 100), &r->k, ANYTHING, order);
        if (f.v == 0) {
            drain(r);
            f = alloc_pages(hart_of(r, i / 100), &r->k, ANYTHING, order);
        }
        if (f.v == 0)
            return n;
        cr_assert_eq(f.v % (UINT64_C(1) << order), 0, "order %u: frame 0x%lx", order, (unsigned long)f.v);
        held[n++] = (struct held_block){ f, order };
    }
}

/* Any hart frees, in random order. */
static void give_all(struct rig *r, struct held_block *held, size_t n, struct rng *rng)
{
    while (n > 0) {
        size_t pick = rng_below(rng, n);
        free_pages(hart_of(r, rng_next(rng)), &r->k, held[pick].f, held[pick].order);
        held[pick] = held[--n];
    }
    drain(r);
    rig_recount(r, NULL, 0);
}

/* Every order, down to the last block; after all is freed, the largest order is there as often as at the start. */
ParameterizedTestParameters(allocators, exhaustion_and_merging)
{
    return cr_make_param_array(int, kinds, sizeof kinds / sizeof *kinds);
}
ParameterizedTest(int *kind, allocators, exhaustion_and_merging)
{
    struct kernel_desc d = suite_desc(*kind);
    struct rig r;
    struct rng rng = rng_stream(11, "merging");
    static struct held_block held[MEMORY_FRAMES];
    rig_boot(&r, &d);
    rig_recount(&r, NULL, 0);
    for (unsigned i = 0; i <= 2 * MAX_ORDER; i++) {
        unsigned order = i <= MAX_ORDER ? MAX_ORDER - i : i - MAX_ORDER;
        size_t n = take_all(&r, order, held);
        cr_assert_eq(n, capacity(&r, order), "%s: %zu blocks of order %u, room for %lu", r.k.frames->name, n, order,
                     (unsigned long)capacity(&r, order));
        drain(&r);
        rig_recount(&r, held, n);
        give_all(&r, held, n, &rng);
    }
    rig_free(&r);
}

/* What is left when every other page is held: nothing but single pages; one page freed beside its buddy is a pair. */
ParameterizedTestParameters(allocators, fragments_join)
{
    return cr_make_param_array(int, kinds, sizeof kinds / sizeof *kinds);
}
ParameterizedTest(int *kind, allocators, fragments_join)
{
    struct kernel_desc d = suite_desc(*kind);
    struct rig r;
    struct rng rng = rng_stream(12, "fragments");
    static struct held_block held[MEMORY_FRAMES];
    rig_boot(&r, &d);
    size_t n = take_all(&r, 0, held), odd = 0;
    for (size_t i = 0; i < n; i++) {
        if (held[i].f.v % 2 == 0)
            free_pages(hart_of(&r, i), &r.k, held[i].f, 0);
        else
            held[odd++] = held[i];
    }
    drain(&r);
    rig_recount(&r, held, odd);
    cr_assert_eq(alloc_pages(r.h, &r.k, ANYTHING, 1).v, 0);
    frame last = held[--odd].f;
    free_pages(r.h, &r.k, last, 0);
    drain(&r);
    cr_assert_eq(alloc_pages(hart_of(&r, 1), &r.k, ANYTHING, 1).v, last.v - 1);
    free_pages(hart_of(&r, 2), &r.k, (frame){ last.v - 1 }, 1);
    give_all(&r, held, odd, &rng);
    rig_free(&r);
}

/* ---- random operations by four harts in turn, interrupts that allocate and free in the middle of them */

struct handler_state {
    const struct kernel *k;
    struct held_block kept[HARTS]; /* until the hart's next interrupt */
};

static void interrupt(struct hart *h, void *arg)
{
    struct handler_state *s = arg;
    struct held_block *kept = &s->kept[h->id];
    if (kept->f.v != 0)
        free_pages(h, s->k, kept->f, kept->order);
    kept->order = (unsigned)(h->irqs_taken % 3);
    kept->f = alloc_pages(h, s->k, ANYTHING, kept->order);
}

static void storm_harts(struct rig *r, struct handler_state *s, uint64_t seed)
{
    for (unsigned i = 0; i < HARTS; i++) {
        struct hart *h = hart_of(r, i);
        hart_set_irq(h, VECTOR, CONTEXT_HARDIRQ, interrupt, s);
        h->self_irq_vector = VECTOR;
        h->self_irq_random = seed * HARTS + i;
        h->self_irq_one_in = 15;
    }
}

/* With what the handlers keep. */
static void storm_recount(struct rig *r, const struct handler_state *s, const struct held_block *held, size_t n)
{
    static struct held_block all[LIVE + HARTS];
    memcpy(all, held, n * sizeof *held);
    for (unsigned i = 0; i < HARTS; i++)
        if (s->kept[i].f.v != 0)
            all[n++] = s->kept[i];
    rig_recount(r, all, n);
}

static void storm_end(struct rig *r, struct handler_state *s, struct held_block *held, size_t n, struct rng *rng)
{
    static struct held_block largest[8 * MEMORY_FRAMES >> MAX_ORDER];
    uint64_t interrupts = 0;
    for (unsigned i = 0; i < HARTS; i++) {
        struct hart *h = hart_of(r, i);
        h->self_irq_one_in = 0;
        interrupts += h->irqs_taken;
        if (s->kept[i].f.v != 0)
            free_pages(h, &r->k, s->kept[i].f, s->kept[i].order);
    }
    cr_assert_gt(interrupts, 1000);
    give_all(r, held, n, rng);
    cr_assert_eq(take_all(r, MAX_ORDER, largest), capacity(r, MAX_ORDER));
    cr_log_info("%s: %lu interrupts", r->k.frames->name, (unsigned long)interrupts);
    rig_free(r);
}

/* Returns how many requests were refused. */
static uint64_t random_operations(int kind, uint64_t seed, uint64_t frames)
{
    struct kernel_desc d = suite_desc(kind);
    struct rig r;
    struct rng rng = rng_stream(seed, "storm");
    static struct held_block held[LIVE];
    struct handler_state s = { .k = &r.k };
    size_t n = 0;
    uint64_t failed = 0;
    d.memory_bytes = frames * PAGE_BYTES;
    rig_boot(&r, &d);
    storm_harts(&r, &s, seed);
    for (unsigned i = 0; i < 15000; i++) {
        struct hart *h = hart_of(&r, rng_next(&rng));
        if (n < LIVE && rng_chance(&rng, 3, 5)) {
            unsigned order = (unsigned)rng_below(&rng, rng_chance(&rng, 1, 3) ? ORDERS : 3);
            frame f = alloc_pages(h, &r.k, ANYTHING, order);
            failed += f.v == 0;
            if (f.v != 0)
                held[n++] = (struct held_block){ f, order };
        } else if (n > 0) {
            size_t pick = rng_below(&rng, n);
            free_pages(h, &r.k, held[pick].f, held[pick].order);
            held[pick] = held[--n];
        }
        if (i % 1000 == 999)
            storm_recount(&r, &s, held, n);
    }
    cr_log_info("seed %lu, %lu MiB: %lu refusals", (unsigned long)seed, (unsigned long)frames >> 8, (unsigned long)failed);
    storm_end(&r, &s, held, n, &rng);
    return failed;
}

ParameterizedTestParameters(allocators, storms_lose_nothing)
{
    return cr_make_param_array(int, kinds, sizeof kinds / sizeof *kinds);
}
ParameterizedTest(int *kind, allocators, storms_lose_nothing)
{
    for (uint64_t seed = 21; seed < 26; seed++)
        cr_assert_gt(random_operations(*kind, seed, MEMORY_FRAMES), 10); /* memory did run out */
    random_operations(*kind, 26, 5 * MEMORY_FRAMES);
}

/* ---- the recount is no rubber stamp */

static void expect_lie(struct rig *r, paddr word, unsigned bytes, uint64_t value, const char *words)
{
    uint64_t was = backdoor_read(r->b, word, bytes);
    cr_assert_neq(was, value);
    backdoor_write(r->b, word, bytes, value);
    const char *lie = kern_check(&r->k, r->b, NULL, 0, r->text, sizeof r->text);
    cr_assert_not_null(lie, "nobody missed %s", words);
    cr_assert_not_null(strstr(lie, words), "%s", lie);
    backdoor_write(r->b, word, bytes, was);
}

ParameterizedTestParameters(allocators, the_recount_finds_lies)
{
    return cr_make_param_array(int, kinds, sizeof kinds / sizeof *kinds);
}
ParameterizedTest(int *kind, allocators, the_recount_finds_lies)
{
    struct kernel_desc d = suite_desc(*kind);
    struct rig r;
    rig_boot(&r, &d);
    const struct zone *z = &r.k.zones[r.k.zone_count - 1];
    expect_lie(&r, zone_word(z, ZONE_AT_FREE), 8, z->managed_pages - 1, "free pages");
    frame f = alloc_pages(r.h, &r.k, ANYTHING, 6);
    struct held_block block = { f, 6 }, twice[2] = { block, block };
    rig_recount(&r, &block, 1);
    cr_assert_not_null(kern_check(&r.k, r.b, NULL, 0, r.text, sizeof r.text)); /* lost */
    cr_assert_not_null(kern_check(&r.k, r.b, twice, 2, r.text, sizeof r.text));
    free_pages(r.h, &r.k, f, 6);
    rig_recount(&r, NULL, 0);
    rig_free(&r);
}

/* Below the reference counts: what a frame allocator itself makes of a block that is free. The buddy relies on them. */
ParameterizedTestParameters(allocators, freeing_twice_is_illegal)
{
    return cr_make_param_array(int, kinds + 1, sizeof kinds / sizeof *kinds - 1);
}
ParameterizedTest(int *kind, allocators, freeing_twice_is_illegal)
{
    for (volatile unsigned order = 0; order <= MAX_ORDER; order++) {
        struct kernel_desc d = suite_desc(*kind);
        struct rig r;
        rig_boot(&r, &d);
        frame f = alloc_pages(r.h, &r.k, ANYTHING, order);
        const struct zone *z = kernel_zone_of(&r.k, f);
        free_pages(r.h, &r.k, f, order);
        k_begin(r.h, CLASS_FREE);
        RIG_ILLEGAL(&r, r.k.frames->put(r.h, &r.k, z, f, order), "free_pages: frame");
        rig_free(&r);
    }
}

/* ---- llfree: trees of 16384 frames */

enum { TREE = 16384 };

static void llfree_rig(struct rig *r, unsigned trees)
{
    struct kernel_desc d = suite_desc(ALLOCATOR_LLFREE);
    d.memory_bytes = (uint64_t)(trees + 1) * TREE * PAGE_BYTES;
    rig_boot(r, &d);
}

static uint64_t tree_of(const struct rig *r, frame f)
{
    uint64_t base = r->k.zones[r->k.zone_count - 1].first.v & ~UINT64_C(1023);
    return (f.v - base) / TREE;
}

static uint64_t counted(struct rig *r, const char *name)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < HARTS; i++)
        sum += native_counter(hart_of(r, i), name);
    return sum;
}

Test(llfree, harts_begin_apart_and_stay_in_their_trees)
{
    struct rig r;
    llfree_rig(&r, 8);
    for (unsigned i = 0; i < HARTS; i++) {
        frame f = alloc_pages(hart_of(&r, i), &r.k, ANYTHING, 0);
        cr_assert_eq(hart_of(&r, i)->last_source[ANYTHING_CLASS], SOURCE_TREE_CHANGE);
        for (unsigned j = 0; j < 1000; j++) {
            frame g = alloc_pages(hart_of(&r, i), &r.k, ANYTHING, j % 4);
            cr_assert_eq(tree_of(&r, g), tree_of(&r, f));
            cr_assert_eq(hart_of(&r, i)->last_source[ANYTHING_CLASS], SOURCE_TREE);
        }
        for (unsigned j = 0; j < i; j++)
            cr_assert_neq(tree_of(&r, alloc_pages(hart_of(&r, j), &r.k, ANYTHING, 0)), tree_of(&r, f));
    }
    cr_assert_eq(counted(&r, "llfree.reserved"), HARTS);
    rig_free(&r);
}

/* Frames that another hart frees are fetched when the own count runs out, before any other tree is reserved. */
Test(llfree, what_others_freed_is_fetched)
{
    struct rig r;
    static frame f[TREE];
    llfree_rig(&r, 8);
    f[0] = alloc_pages(r.h, &r.k, ANYTHING, 0);
    uint64_t tree = tree_of(&r, f[0]);
    for (unsigned i = 1; i < 3000; i++)
        f[i] = alloc_pages(r.h, &r.k, ANYTHING, 0);
    for (unsigned i = 0; i < 3; i++) {
        free_pages(hart_of(&r, 1), &r.k, f[i], 0);
        cr_assert_eq(hart_of(&r, 1)->last_source[CLASS_FREE], SOURCE_TREE_CHANGE);
    }
    for (uint64_t i = 3000; counted(&r, "llfree.fetched") == 0; i++) {
        cr_assert_lt(i, TREE + 3);
        cr_assert_eq(tree_of(&r, alloc_pages(r.h, &r.k, ANYTHING, 0)), tree);
    }
    cr_assert_eq(counted(&r, "llfree.reserved"), 1);
    rig_free(&r);
}

/* The fourth free in a row into a tree that nobody has reserved reserves it, if it has room. */
Test(llfree, frees_in_a_row_reserve)
{
    struct rig r;
    frame f[TREE >> MAX_ORDER], next;
    unsigned n = 0;
    llfree_rig(&r, 8);
    for (next = f[0] = alloc_pages(hart_of(&r, 1), &r.k, ANYTHING, MAX_ORDER); tree_of(&r, next) == tree_of(&r, f[0]);
         next = alloc_pages(hart_of(&r, 1), &r.k, ANYTHING, MAX_ORDER))
        f[n++] = next;
    cr_assert_geq(n, 5);
    for (unsigned i = 0; i < 4; i++) {
        cr_assert_eq(counted(&r, "llfree.reserved_by_frees"), 0);
        free_pages(hart_of(&r, 2), &r.k, f[i], MAX_ORDER);
        cr_assert_eq(hart_of(&r, 2)->last_source[CLASS_FREE], SOURCE_TREE_CHANGE);
    }
    cr_assert_eq(counted(&r, "llfree.reserved_by_frees"), 1);
    free_pages(hart_of(&r, 2), &r.k, f[4], MAX_ORDER);
    cr_assert_eq(hart_of(&r, 2)->last_source[CLASS_FREE], SOURCE_TREE);
    rig_free(&r);
}

Test(llfree, half_full_trees_are_reserved_before_free_ones)
{
    struct rig r;
    frame f[16];
    llfree_rig(&r, 8);
    for (unsigned i = 0; i < 13; i++) /* hart 3 takes 13 of 16 blocks of one tree, then goes to another */
        f[i] = alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER);
    uint64_t tree = tree_of(&r, f[0]);
    cr_assert_eq(tree_of(&r, f[12]), tree);
    while (tree_of(&r, alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER)) == tree)
        ;
    for (unsigned i = 0; i < 3; i++)
        free_pages(hart_of(&r, 2), &r.k, f[i], MAX_ORDER);
    cr_assert_eq(tree_of(&r, alloc_pages(hart_of(&r, 1), &r.k, ANYTHING, 0)), tree);
    rig_free(&r);
}

/* A tree with little left (1/16) is the last choice, after whole ones. */
Test(llfree, free_trees_are_reserved_before_nearly_full_ones)
{
    struct rig r;
    llfree_rig(&r, 8);
    frame f = alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER), g;
    uint64_t first = tree_of(&r, f);
    while (tree_of(&r, g = alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER)) == first)
        ;
    for (unsigned i = 1; i < 15; i++) /* 15 of 16 blocks of the second tree, then away from it */
        alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER);
    uint64_t second = tree_of(&r, g);
    frame single = alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, 0);
    cr_assert_eq(tree_of(&r, single), second);
    while (tree_of(&r, alloc_pages(hart_of(&r, 3), &r.k, ANYTHING, MAX_ORDER)) == second)
        ;
    for (unsigned i = 0; i < 3; i++) {
        uint64_t tree = tree_of(&r, alloc_pages(hart_of(&r, i), &r.k, ANYTHING, 0));
        cr_assert(tree != second && tree != first, "hart %u: tree %lu", i, (unsigned long)tree);
    }
    rig_free(&r);
}

/* One tree, and another hart has it: a page is stolen; when the largest block is asked for and the count is split
 * between the hart's word and the tree, reservations are dropped. */
Test(llfree, stealing_and_draining)
{
    struct rig r;
    struct kernel_desc d = suite_desc(ALLOCATOR_LLFREE);
    static struct held_block held[MEMORY_FRAMES];
    rig_boot(&r, &d);
    frame f = alloc_pages(r.h, &r.k, ANYTHING, 0);
    cr_assert_neq(alloc_pages(hart_of(&r, 1), &r.k, ANYTHING, 0).v, 0);
    cr_assert_gt(counted(&r, "llfree.stolen"), 0);
    cr_assert_eq(counted(&r, "llfree.drained"), 0);
    size_t n = take_all(&r, 0, held);
    uint64_t drained = counted(&r, "llfree.drained");
    for (size_t i = 0; i < n; i++)
        free_pages(hart_of(&r, i), &r.k, held[i].f, 0);
    free_pages(r.h, &r.k, f, 0);
    n = take_all(&r, MAX_ORDER, held);
    cr_assert_gt(n, 0);
    cr_assert_gt(counted(&r, "llfree.drained"), drained);
    rig_free(&r);
}
