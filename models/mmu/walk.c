/* models/mmu/walk.c - see walk.h. */
#include "models/mmu/walk.h"

#include "src/sim/abi/pte.h"

static bool permits(uint64_t pte, bool write)
{
    return pte_present(pte) && pte_user(pte) && (pte_writable(pte) || !write);
}

/* The 4 KiB frame of `va` below a leaf of `level`. */
static frame leaf_frame(uint64_t pte, unsigned level, vaddr va)
{
    frame f = pte_frame(pte);
    if (level == PTE_HUGE_LEVEL)
        f.v = (f.v & ~(uint64_t)(PTE_COUNT - 1)) + pte_index(va, 1);
    return f;
}

bool page_walk(walk_load_fn *load, void *ctx, paddr root, vaddr va, bool write, struct tlb_entry *out)
{
    frame table = paddr_frame(root);
    bool writable = true;
    for (unsigned level = PTE_LEVELS; level > 0; level--) {
        uint64_t pte = load(ctx, pte_slot(table, va, level), PTE_BYTES);
        if (!permits(pte, write))
            return false;
        writable = writable && pte_writable(pte);
        if (pte_leaf(pte, level)) {
            out->vpn = (va.v >> PAGE_SHIFT) & ((UINT64_C(1) << (PTE_LEVELS * PTE_INDEX_BITS)) - 1);
            out->frame = leaf_frame(pte, level, va);
            out->writable = writable;
            return true;
        }
        table = pte_frame(pte);
    }
    return false;
}
