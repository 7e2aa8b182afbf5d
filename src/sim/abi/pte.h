/* src/sim/abi/pte.h - x86-64 page-table entries, four levels (Intel SDM vol. 3A, chapter 4, "Paging",
 * section 4.5 "4-level paging"). What the hart's walker and the simulated kernel must both know; pure.
 *
 * A table is one page of 512 entries of 8 bytes. Levels count from the leaves: 1 = PT, 2 = PD, 3 = PDPT,
 * 4 = PML4 (the root). A 48-bit virtual address is 9 bits of index per level above 12 bits of offset.
 * Bits of an entry: 0 present, 1 writable, 2 user, 5 accessed, 6 dirty, 7 page size (level 2: a 2 MiB leaf),
 * 51:12 frame. Accessed and dirty bits are not maintained by the model: its users set both when mapping, as
 * Linux does for kernel mappings, so that no walk has to write.
 */
#ifndef LAB_SIM_ABI_PTE_H
#define LAB_SIM_ABI_PTE_H

#include "src/base/units.h"

enum {
    PTE_LEVELS = 4,          /* of a full walk, root included */
    PTE_INDEX_BITS = 9,
    PTE_COUNT = 1 << PTE_INDEX_BITS, /* entries of a table */
    PTE_BYTES = 8,
    PTE_HUGE_LEVEL = 2,      /* the level whose leaf bit makes a 2 MiB page */
    PTE_HUGE_SHIFT = PAGE_SHIFT + PTE_INDEX_BITS
};

#define PTE_PRESENT (UINT64_C(1) << 0)
#define PTE_WRITABLE (UINT64_C(1) << 1)
#define PTE_USER (UINT64_C(1) << 2)
#define PTE_ACCESSED (UINT64_C(1) << 5)
#define PTE_DIRTY (UINT64_C(1) << 6)
#define PTE_HUGE (UINT64_C(1) << 7)
#define PTE_FRAME_MASK UINT64_C(0x000ffffffffff000)

/* An entry that names `f`; flags are PTE_ bits. A table entry and a leaf look alike. */
static inline uint64_t pte_make(frame f, uint64_t flags)
{
    return (frame_addr(f).v & PTE_FRAME_MASK) | flags;
}

/* An upper-level entry that does not restrict the leaves below it. */
static inline uint64_t pte_table(frame f)
{
    return pte_make(f, PTE_PRESENT | PTE_WRITABLE | PTE_USER | PTE_ACCESSED);
}

static inline frame pte_frame(uint64_t pte) { return paddr_frame((paddr){ pte & PTE_FRAME_MASK }); }
static inline bool pte_present(uint64_t pte) { return (pte & PTE_PRESENT) != 0; }
static inline bool pte_writable(uint64_t pte) { return (pte & PTE_WRITABLE) != 0; }
static inline bool pte_user(uint64_t pte) { return (pte & PTE_USER) != 0; }
/* Does a walk end at this entry of `level`? */
static inline bool pte_leaf(uint64_t pte, unsigned level)
{
    return level == 1 || (level == PTE_HUGE_LEVEL && (pte & PTE_HUGE) != 0);
}

/* Index into the table of `level` (1 to 4). */
static inline unsigned pte_index(vaddr va, unsigned level)
{
    return (unsigned)(va.v >> (PAGE_SHIFT + PTE_INDEX_BITS * (level - 1))) & (PTE_COUNT - 1);
}

/* Where the entry for `va` stands in the table at `table`. */
static inline paddr pte_slot(frame table, vaddr va, unsigned level)
{
    return paddr_plus(frame_addr(table), (uint64_t)pte_index(va, level) * PTE_BYTES);
}

#endif
