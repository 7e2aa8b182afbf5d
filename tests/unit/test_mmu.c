/* tests/unit/test_mmu.c - TLB against a naive list, exact replacement, page walks over tables in an array. */
#include <criterion/criterion.h>

#include "models/mmu/tlb.h"
#include "models/mmu/walk.h"
#include "src/base/rng.h"
#include "src/sim/abi/pte.h"

static struct tlb *make(struct arena *a, uint32_t entries, uint32_t ways)
{
    return tlb_new(a, &(struct tlb_desc){ .entries = entries, .ways = ways });
}

static struct tlb_entry entry(uint16_t asid, uint64_t vpn, uint64_t f, bool writable)
{
    return (struct tlb_entry){ .asid = asid, .vpn = vpn, .frame = { f }, .writable = writable };
}

static bool holds(struct tlb *t, uint16_t asid, uint64_t vpn)
{
    struct tlb_entry e;
    return tlb_lookup(t, asid, vpn, false, &e);
}

static void insert(struct tlb *t, struct tlb_entry e) { tlb_insert(t, &e); }

Test(mmu_tlb, evicts_least_recently_used_of_the_set)
{
    struct arena *a = arena_new();
    struct tlb *t = make(a, 8, 2); /* 4 sets: pages 0, 4, 8 share one */
    insert(t, entry(1, 0, 10, true));
    insert(t, entry(1, 4, 14, true));
    insert(t, entry(1, 1, 11, true)); /* another set */
    cr_assert(holds(t, 1, 0));        /* page 4 is now the older one */
    insert(t, entry(1, 8, 18, true));
    cr_assert(!holds(t, 1, 4));
    cr_assert(holds(t, 1, 0) && holds(t, 1, 8) && holds(t, 1, 1));
    cr_assert_eq(tlb_hit_count(t), 4);
    cr_assert_eq(tlb_miss_count(t), 1);
    arena_free(a);
}

Test(mmu_tlb, replaces_in_place_and_keeps_spaces_apart)
{
    struct arena *a = arena_new();
    struct tlb *t = make(a, 4, 4);
    insert(t, entry(1, 7, 70, false));
    insert(t, entry(2, 7, 71, true));
    insert(t, entry(1, 7, 72, true));
    struct tlb_entry e;
    cr_assert(tlb_lookup(t, 1, 7, true, &e) && e.frame.v == 72 && e.vpn == 7 && e.asid == 1 && e.writable);
    cr_assert(tlb_lookup(t, 2, 7, false, &e) && e.frame.v == 71 && e.asid == 2);
    cr_assert_eq(tlb_invalidate_all(t), 2);
    arena_free(a);
}

Test(mmu_tlb, write_to_read_only_entry_drops_it)
{
    struct arena *a = arena_new();
    struct tlb *t = make(a, 4, 4);
    struct tlb_entry e;
    insert(t, entry(1, 7, 70, false));
    cr_assert(tlb_lookup(t, 1, 7, false, &e));
    cr_assert(!tlb_lookup(t, 1, 7, true, &e));
    cr_assert(!tlb_lookup(t, 1, 7, false, &e));
    arena_free(a);
}

Test(mmu_tlb, description_rules)
{
    cr_assert_null(tlb_desc_error(&(struct tlb_desc){ .entries = 1536, .ways = 12 }));
    cr_assert_not_null(tlb_desc_error(&(struct tlb_desc){ .entries = 10, .ways = 4 }));
    cr_assert_not_null(tlb_desc_error(&(struct tlb_desc){ .entries = 12, .ways = 4 }));
    cr_assert_not_null(tlb_desc_error(&(struct tlb_desc){ .entries = 0, .ways = 1 }));
    param_table_check(tlb_params);
}

/* ---- against a naive model: a fully associative TLB large enough never to evict is a plain map */

enum { SPACES = 3, PAGES = 8 };
static struct tlb_entry naive[SPACES][PAGES];
static bool present[SPACES][PAGES];

static void count_entry(void *arg, const struct tlb_entry *e)
{
    const struct tlb_entry *n = &naive[e->asid][e->vpn];
    cr_assert(present[e->asid][e->vpn] && n->frame.v == e->frame.v && n->writable == e->writable);
    ++*(unsigned *)arg;
}

static void random_step(struct tlb *t, struct rng *r)
{
    unsigned s = (unsigned)rng_below(r, SPACES), p = (unsigned)rng_below(r, PAGES), op = (unsigned)rng_below(r, 16);
    if (op < 8) {
        naive[s][p] = entry((uint16_t)s, p, rng_below(r, 100), rng_chance(r, 1, 2));
        present[s][p] = true;
        tlb_insert(t, &naive[s][p]);
    } else if (op < 13) {
        cr_assert_eq(tlb_invalidate_page(t, (uint16_t)s, p), present[s][p]);
        present[s][p] = false;
    } else if (op < 15) {
        unsigned n = 0;
        for (unsigned i = 0; i < PAGES; i++)
            n += present[s][i];
        cr_assert_eq(tlb_invalidate_asid(t, (uint16_t)s), n);
        memset(present[s], 0, sizeof present[s]);
    } else {
        tlb_invalidate_all(t);
        memset(present, 0, sizeof present);
    }
}

Test(mmu_tlb, invalidation_removes_exactly_what_it_names)
{
    struct arena *a = arena_new();
    struct tlb *t = make(a, SPACES * PAGES, SPACES * PAGES);
    struct rng r = rng_stream(20260101, "mmu_tlb");
    for (unsigned i = 0; i < 20000; i++) {
        random_step(t, &r);
        unsigned n = 0, expected = 0;
        tlb_each(t, count_entry, &n);
        for (unsigned k = 0; k < SPACES * PAGES; k++)
            expected += present[k / PAGES][k % PAGES];
        cr_assert_eq(n, expected, "seed 20260101, step %u: %u entries, expected %u", i, n, expected);
    }
    arena_free(a);
}

/* ---- walks */

enum { MEMORY_WORDS = 16 * 512 };
struct tables {
    uint64_t word[MEMORY_WORDS];
    unsigned loads;
    paddr at[8];
};

static uint64_t load(void *ctx, paddr at, unsigned bytes)
{
    struct tables *m = ctx;
    cr_assert_eq(bytes, 8);
    cr_assert_lt(at.v / 8, MEMORY_WORDS);
    m->at[m->loads++] = at;
    return m->word[at.v / 8];
}

static void put(struct tables *m, uint64_t table, unsigned index, uint64_t pte) { m->word[table * 512 + index] = pte; }

/* Frames 1 to 4 are the tables of page 0x123456789000, mapped to frame 0x77. */
static const vaddr PAGE = { UINT64_C(0x123456789abc) };
static void map(struct tables *m)
{
    for (unsigned level = 4; level > 1; level--)
        put(m, 5 - level, pte_index(PAGE, level), pte_table((frame){ 6 - level }));
    put(m, 4, pte_index(PAGE, 1), pte_make((frame){ 0x77 }, PTE_PRESENT | PTE_USER | PTE_WRITABLE));
}

static bool walk(struct tables *m, bool write, struct tlb_entry *e)
{
    m->loads = 0;
    return page_walk(load, m, (paddr){ PAGE_BYTES }, PAGE, write, e);
}

Test(mmu_walk, four_loads_in_order)
{
    static struct tables m;
    struct tlb_entry e = { 0 };
    map(&m);
    cr_assert(walk(&m, true, &e));
    cr_assert(e.frame.v == 0x77 && e.vpn == UINT64_C(0x123456789) && e.writable);
    cr_assert_eq(m.loads, 4);
    /* 0x123456789abc: indices 0x24, 0xd1, 0xb3, 0x189, by hand */
    cr_assert(m.at[0].v == 0x1000 + 8 * 0x24 && m.at[1].v == 0x2000 + 8 * 0xd1);
    cr_assert(m.at[2].v == 0x3000 + 8 * 0xb3 && m.at[3].v == 0x4000 + 8 * 0x189);
}

Test(mmu_walk, every_level_can_refuse)
{
    static struct tables m;
    for (unsigned level = 1; level <= 4; level++) {
        uint64_t *slot = &m.word[(5 - level) * 512 + pte_index(PAGE, level)];
        struct tlb_entry e = { .frame = { 5 } };
        map(&m);
        *slot &= ~PTE_WRITABLE;
        cr_assert(!walk(&m, true, &e) && e.frame.v == 5);
        cr_assert(walk(&m, false, &e) && !e.writable);
        map(&m);
        *slot &= ~PTE_USER;
        cr_assert(!walk(&m, false, &e));
        map(&m);
        *slot &= ~PTE_PRESENT;
        cr_assert(!walk(&m, false, &e));
        cr_assert_eq(m.loads, 5 - level, "stops at the absent entry");
    }
}

Test(mmu_walk, two_megabyte_leaf)
{
    static struct tables m;
    struct tlb_entry e = { 0 };
    map(&m);
    put(&m, 3, pte_index(PAGE, 2), pte_make((frame){ 0x4000 }, PTE_PRESENT | PTE_USER | PTE_HUGE));
    cr_assert(walk(&m, false, &e));
    cr_assert_eq(e.frame.v, 0x4000 + 0x189);
    cr_assert(!e.writable);
    cr_assert_eq(m.loads, 3);
}

Test(mmu_abi, entries_round_trip)
{
    uint64_t pte = pte_make((frame){ UINT64_C(0xabcdef123) }, PTE_PRESENT | PTE_WRITABLE);
    cr_assert_eq(pte, UINT64_C(0xabcdef123003));
    cr_assert_eq(pte_frame(pte).v, UINT64_C(0xabcdef123));
    cr_assert(pte_present(pte) && pte_writable(pte) && !pte_user(pte));
    cr_assert(pte_leaf(pte, 1) && !pte_leaf(pte, 2) && pte_leaf(pte | PTE_HUGE, 2) && !pte_leaf(pte | PTE_HUGE, 3));
    cr_assert_eq(pte_slot((frame){ 2 }, (vaddr){ 0x3000 }, 1).v, 0x2018);
}
