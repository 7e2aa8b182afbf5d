/* src/kern/radix.c - table walks and table building. */
#include "src/kern/radix.h"

#include "src/sim/abi/pte.h"
#include "src/sim/abi/vtd.h"

_Static_assert((int)PTE_INDEX_BITS == (int)VTD_INDEX_BITS && (int)PTE_BYTES == (int)VTD_PTE_BYTES,
               "both kinds of table have one shape");

enum { UPPER_PRESENT = 1 };

uint64_t access_read(struct access_path via, paddr a, unsigned bytes)
{
    return via.h != NULL ? k_load_once(via.h, a, bytes) : backdoor_read(via.b, a, bytes);
}

void access_write(struct access_path via, paddr a, unsigned bytes, uint64_t value)
{
    if (via.h != NULL)
        k_store_release(via.h, a, bytes, value);
    else
        backdoor_write(via.b, a, bytes, value);
}

void pool_boot(struct backdoor *b, struct table_pool pool)
{
    backdoor_write(b, paddr_plus(pool.base, POOL_NEXT), 8, pool.base.v + PAGE_BYTES);
}

frame pool_take(struct access_path via, struct table_pool pool)
{
    paddr next = paddr_plus(pool.base, POOL_NEXT), fresh;
    if (via.h != NULL) {
        fresh.v = k_fetch_add(via.h, next, 8, PAGE_BYTES);
    } else {
        fresh.v = backdoor_read(via.b, next, 8);
        backdoor_write(via.b, next, 8, fresh.v + PAGE_BYTES);
    }
    return fresh.v < pool.base.v + pool.pages * PAGE_BYTES ? paddr_frame(fresh) : (frame){ 0 };
}

static paddr build_table(struct access_path via, const struct kernel *k, const struct radix *r, paddr slot)
{
    frame table = pool_take(via, r->pool);
    if (table.v == 0)
        return (paddr){ 0 };
    if (via.h != NULL)
        k_compute(via.h, k->desc.costs.table_setup);
    access_write(via, slot, PTE_BYTES, frame_addr(table).v | r->upper_flags);
    return frame_addr(table);
}

static paddr descend(struct access_path via, const struct kernel *k, const struct radix *r, paddr table,
                     uint64_t address, bool build)
{
    for (unsigned level = r->levels; table.v != 0; level--) {
        paddr slot = pte_slot(paddr_frame(table), (vaddr){ address }, level);
        if (via.h != NULL)
            k_compute(via.h, k->desc.costs.pte_level);
        if (level == 1)
            return slot;
        uint64_t entry = access_read(via, slot, PTE_BYTES);
        if ((entry & UPPER_PRESENT) != 0)
            table = (paddr){ entry & PTE_FRAME_MASK };
        else
            table = build ? build_table(via, k, r, slot) : (paddr){ 0 };
    }
    return (paddr){ 0 };
}

paddr radix_find(struct access_path via, const struct kernel *k, const struct radix *r, paddr root, uint64_t address)
{
    return descend(via, k, r, root, address, false);
}

paddr radix_build(struct access_path via, const struct kernel *k, const struct radix *r, paddr root, uint64_t address)
{
    return descend(via, k, r, root, address, true);
}
