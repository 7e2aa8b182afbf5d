/* src/kern/shootdown.c - TLB shootdown. */
#include "src/kern/shootdown.h"

enum { MASK_WORDS = HARTS_MAX / 64 };
enum { CALL_STATE = 0, CALL_INFO = 8 };   /* a request block: 1 while pending; address of the flush info */
enum { FLUSH_ASID = 0, FLUSH_ADDRESS = 8 };

static paddr call_block(const struct kernel *k, unsigned from, unsigned to)
{
    return paddr_plus(k->at.csd, ((uint64_t)from * k->desc.harts + to) * LINE_BYTES);
}

static bool by_broadcast(struct hart *h, const struct kernel *k)
{
    bool available = hart_has_tlb_broadcast(h);
    if (k->desc.shootdown == SHOOTDOWN_BROADCAST && !available)
        k_illegal(h, "TLB shootdown by broadcast: this machine has none");
    return available && k->desc.shootdown != SHOOTDOWN_IPI;
}

static void request(struct hart *h, const struct kernel *k, unsigned target, paddr info)
{
    unsigned self = hart_id(h);
    paddr call = call_block(k, self, target);
    paddr queue = kernel_hart_area(k, target, HART_CALLS + self / 64 * 8);
    k_compute(h, k->desc.costs.shootdown_target);
    k_store(h, paddr_plus(call, CALL_INFO), 8, info.v);
    k_store_once(h, paddr_plus(call, CALL_STATE), 8, 1);
    if (k_fetch_or(h, queue, 8, UINT64_C(1) << self % 64) == 0)
        k_ipi_send(h, target, k->desc.shootdown_vector);
}

/* Calls `each` for every other hart in the mask. */
static void for_targets(struct hart *h, const struct kernel *k, const uint64_t *mask, paddr info,
                        void (*each)(struct hart *, const struct kernel *, unsigned target, paddr info))
{
    for (unsigned i = 0; i < k->desc.harts; i++)
        if (i != hart_id(h) && (mask[i / 64] >> i % 64 & 1) != 0)
            each(h, k, i, info);
}

static void await(struct hart *h, const struct kernel *k, unsigned target, paddr info)
{
    (void)info;
    k_spin_while(h, paddr_plus(call_block(k, hart_id(h), target), CALL_STATE), 8, UINT64_MAX, 1);
}

static void by_interrupts(struct hart *h, const struct kernel *k, uint16_t asid, vaddr at)
{
    uint64_t mask[MASK_WORDS] = { 0 };
    paddr info = kernel_hart_area(k, hart_id(h), HART_FLUSH);
    paddr users = paddr_plus(k->at.spaces, (asid - 1u) * (uint64_t)SPACE_BYTES + SPACE_MASK);
    if (hart_context(h) != CONTEXT_TASK || !hart_irqs_on(h))
        k_illegal(h, "TLB shootdown by interrupts from %s: the wait could never end",
                  hart_context(h) != CONTEXT_TASK ? "interrupt context" : "a section with interrupts off");
    k_preempt_disable(h);
    k_store(h, paddr_plus(info, FLUSH_ASID), 8, asid);
    k_store(h, paddr_plus(info, FLUSH_ADDRESS), 8, at.v);
    for (unsigned w = 0; w <= (k->desc.harts - 1) / 64; w++)
        mask[w] = k_load_once(h, paddr_plus(users, w * 8u), 8);
    for_targets(h, k, mask, info, request);
    if ((mask[hart_id(h) / 64] >> hart_id(h) % 64 & 1) != 0)
        k_tlb_invalidate(h, asid, at); /* its own while the others are on their way */
    k_phase(h, PH_WAIT);
    for_targets(h, k, mask, info, await);
    k_preempt_enable(h);
}

void shoot_down(struct hart *h, const struct kernel *k, uint16_t asid, vaddr at)
{
    k_begin(h, CLASS_SHOOTDOWN);
    k_compute(h, k->desc.costs.shootdown_entry);
    if (by_broadcast(h, k)) {
        k_source(h, SOURCE_BROADCAST);
        k_phase(h, PH_WAIT);
        k_tlb_broadcast(h, asid, at);
    } else {
        k_source(h, SOURCE_IPI);
        by_interrupts(h, k, asid, at);
    }
    k_end(h);
}

static void serve(struct hart *h, const struct kernel *k, unsigned from)
{
    paddr call = call_block(k, from, hart_id(h));
    k_compute(h, k->desc.costs.shootdown_handler);
    paddr info = { k_load(h, paddr_plus(call, CALL_INFO), 8) };
    uint64_t asid = k_load(h, paddr_plus(info, FLUSH_ASID), 8);
    vaddr at = { k_load(h, paddr_plus(info, FLUSH_ADDRESS), 8) };
    k_tlb_invalidate(h, (uint16_t)asid, at);
    k_store_release(h, paddr_plus(call, CALL_STATE), 8, 0);
}

void shootdown_interrupt(struct hart *h, void *arg)
{
    const struct kernel *k = arg;
    for (unsigned w = 0; w <= (k->desc.harts - 1) / 64; w++) {
        paddr queue = kernel_hart_area(k, hart_id(h), HART_CALLS + w * 8u);
        uint64_t from = k_load_once(h, queue, 8) != 0 ? k_swap(h, queue, 8, 0) : 0;
        for (; from != 0; from &= from - 1)
            serve(h, k, w * 64 + (unsigned)__builtin_ctzll(from));
    }
}
