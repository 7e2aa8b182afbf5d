/* src/kern/uspace.c - user address spaces. */
#include "src/kern/uspace.h"

#include "src/base/fail.h"
#include "src/kern/radix.h"
#include "src/kern/shootdown.h"
#include "src/kern/spin.h"
#include "src/sim/abi/pte.h"

static paddr space_word(const struct kernel *k, uint16_t asid, unsigned offset)
{
    CHECK(asid >= 1 && asid <= k->desc.spaces, "user space %u: there are %u", asid, k->desc.spaces);
    return paddr_plus(k->at.spaces, (asid - 1u) * (uint64_t)SPACE_BYTES + offset);
}

static struct radix space_radix(const struct kernel *k)
{
    return (struct radix){ .pool = { k->at.table_pool, k->desc.table_pages },
                           .levels = PTE_LEVELS,
                           .upper_flags = pte_table((frame){ 0 }) };
}

void uspace_boot(const struct kernel *k, struct backdoor *b)
{
    struct radix r = space_radix(k);
    if (k->desc.spaces == 0)
        return;
    pool_boot(b, r.pool);
    for (unsigned i = 1; i <= k->desc.spaces; i++) {
        frame root = pool_take((struct access_path){ .b = b }, r.pool);
        CHECK(root.v != 0, "boot: page-table pool too small");
        backdoor_write(b, space_word(k, (uint16_t)i, SPACE_ROOT), 8, frame_addr(root).v);
    }
}

paddr uspace_root(const struct kernel *k, struct backdoor *b, uint16_t asid)
{
    return (paddr){ backdoor_read(b, space_word(k, asid, SPACE_ROOT), 8) };
}

void uspace_use(struct hart *h, const struct kernel *k, uint16_t asid)
{
    unsigned hart = hart_id(h);
    /* Entered before the first walk: whoever clears an entry after this walk sees the bit. */
    k_fetch_or(h, space_word(k, asid, SPACE_MASK + hart / 64 * 8), 8, UINT64_C(1) << hart % 64);
    k_set_space(h, asid, (paddr){ k_load(h, space_word(k, asid, SPACE_ROOT), 8) });
}

static bool map_page(struct access_path via, const struct kernel *k, uint16_t asid, vaddr at, frame f, bool writable)
{
    struct radix r = space_radix(k);
    uint64_t flags = PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY | (writable ? PTE_WRITABLE : 0);
    paddr reverse = page_word(k, f, PAGE_USER_MAP);
    if (at.v >> 47 != 0 || map_valid(access_read(via, reverse, 8)))
        return false;
    paddr root = { access_read(via, space_word(k, asid, SPACE_ROOT), 8) };
    paddr slot = radix_build(via, k, &r, root, at.v);
    if (slot.v == 0 || pte_present(access_read(via, slot, PTE_BYTES)))
        return false;
    access_write(via, reverse, 8, map_word(asid, at.v));
    access_write(via, slot, PTE_BYTES, pte_make(f, flags));
    return true;
}

bool uspace_map(struct hart *h, const struct kernel *k, uint16_t asid, vaddr at, frame f, bool writable)
{
    paddr lock = space_word(k, asid, SPACE_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    bool mapped = map_page((struct access_path){ .h = h }, k, asid, at, f, writable);
    spin_unlock_irqrestore(h, k, lock, were_on);
    return mapped;
}

bool uspace_map_boot(const struct kernel *k, struct backdoor *b, uint16_t asid, vaddr at, frame f, bool writable)
{
    return map_page((struct access_path){ .b = b }, k, asid, at, f, writable);
}

/* Under the space's lock. Exchange, not store: a hardware walker that maintained accessed and dirty bits could
 * otherwise set one in between (ptep_get_and_clear). Returns the old entry. */
static uint64_t clear_entry(struct hart *h, const struct kernel *k, uint16_t asid, vaddr at)
{
    struct radix r = space_radix(k);
    paddr root = { k_load_once(h, space_word(k, asid, SPACE_ROOT), 8) };
    paddr slot = radix_find((struct access_path){ .h = h }, k, &r, root, at.v);
    if (slot.v == 0 || !pte_present(k_load_once(h, slot, PTE_BYTES)))
        return 0;
    uint64_t old = k_swap(h, slot, PTE_BYTES, 0);
    k_store_once(h, page_word(k, pte_frame(old), PAGE_USER_MAP), 8, 0);
    return old;
}

bool uspace_clear_page(struct hart *h, const struct kernel *k, frame f, struct user_mapping *was)
{
    paddr reverse = page_word(k, f, PAGE_USER_MAP);
    bool cleared = false;
    k_compute(h, k->desc.costs.unmap_entry);
    uint64_t word = k_load_once(h, reverse, 8);
    if (!map_valid(word))
        return false;
    *was = (struct user_mapping){ map_id(word), { map_address(word) } };
    paddr lock = space_word(k, was->asid, SPACE_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    if (k_load_once(h, reverse, 8) == word) /* not unmapped while we waited */
        cleared = clear_entry(h, k, was->asid, was->at) != 0;
    spin_unlock_irqrestore(h, k, lock, were_on);
    return cleared;
}

bool uspace_unmap(struct hart *h, const struct kernel *k, uint16_t asid, vaddr at, frame *f)
{
    paddr lock = space_word(k, asid, SPACE_LOCK);
    bool were_on = spin_lock_irqsave(h, k, lock);
    uint64_t old = clear_entry(h, k, asid, at);
    spin_unlock_irqrestore(h, k, lock, were_on);
    if (old == 0)
        return false;
    *f = pte_frame(old);
    shoot_down(h, k, asid, at);
    return true;
}
