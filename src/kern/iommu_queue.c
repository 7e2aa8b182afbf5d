/* src/kern/iommu_queue.c - register set-up and queued invalidation (drivers/iommu/intel/dmar.c).
 *
 * Interrupts stay off from submission to completion; the queue lock is dropped in every poll round, so that other
 * harts can submit behind us. Every round also reads the fault status register, as qi_check_fault does: the
 * uncached read, not the pause, sets the pace of the poll.
 */
#include "src/kern/iommu_drv.h"

#include "src/kern/iommu_queue.h"
#include "src/kern/spin.h"

static paddr queue_word(const struct kernel *k, unsigned offset) { return paddr_plus(k->at.queue, offset); }
static paddr status_word(const struct kernel *k, uint64_t slot) { return paddr_plus(k->at.status, slot * 4); }
static uint64_t get(struct hart *h, const struct kernel *k, unsigned offset)
{
    return k_load(h, queue_word(k, offset), 4);
}
static void set(struct hart *h, const struct kernel *k, unsigned offset, uint64_t value)
{
    k_store(h, queue_word(k, offset), 4, value);
}

void queue_boot(const struct kernel *k, struct backdoor *b)
{
    backdoor_write(b, queue_word(k, QUEUE_FREE), 4, QUEUE_SLOTS);
}

/* ---- registers */

static void command(struct hart *h, paddr registers, uint32_t enables, uint32_t bit)
{
    k_mmio_write(h, paddr_plus(registers, VTD_REG_GCMD), 4, enables | bit);
    while ((k_mmio_read(h, paddr_plus(registers, VTD_REG_GSTS), 4) & bit) == 0)
        k_pause(h);
}

void iommu_start(struct hart *h, const struct kernel *k)
{
    paddr registers = k->desc.iommu.registers;
    k_mmio_write(h, paddr_plus(registers, VTD_REG_RTADDR), 8, iommu_root_table(k).v);
    command(h, registers, 0, VTD_GCMD_SRTP);
    k_mmio_write(h, paddr_plus(registers, VTD_REG_IQT), 8, 0);
    k_mmio_write(h, paddr_plus(registers, VTD_REG_IQA), 8, vtd_iqa_make(iommu_queue_base(k), 0));
    command(h, registers, 0, VTD_GCMD_QIE);
    command(h, registers, VTD_GCMD_QIE, VTD_GCMD_TE);
}

/* ---- submission; all under the queue lock */

static void await_slots(struct hart *h, const struct kernel *k, unsigned count)
{
    while (get(h, k, QUEUE_FREE) < count + 2u) {
        spin_unlock(h, k, queue_word(k, QUEUE_LOCK));
        k_pause(h);
        spin_relock(h, k, queue_word(k, QUEUE_LOCK));
    }
}

static void put(struct hart *h, const struct kernel *k, uint64_t slot, struct vtd_descriptor d)
{
    paddr at = paddr_plus(k->at.ring, slot * VTD_DESCRIPTOR_BYTES);
    k_store(h, at, 8, d.lo);
    k_store(h, paddr_plus(at, 8), 8, d.hi);
    k_store_once(h, status_word(k, slot), 4, QUEUE_SLOT_IN_USE);
}

/* Returns the slot of the wait descriptor. */
static uint64_t submit(struct hart *h, const struct kernel *k, const struct vtd_descriptor *d, unsigned count)
{
    uint64_t slot = get(h, k, QUEUE_HEAD);
    k_compute(h, k->desc.costs.qi_entry);
    for (unsigned i = 0; i < count; i++, slot = (slot + 1) % QUEUE_SLOTS)
        put(h, k, slot, d[i]);
    put(h, k, slot, vtd_desc_wait(status_word(k, slot), QUEUE_SLOT_DONE));
    uint64_t head = (slot + 1) % QUEUE_SLOTS;
    set(h, k, QUEUE_HEAD, head);
    set(h, k, QUEUE_FREE, get(h, k, QUEUE_FREE) - (count + 1));
    k_mmio_write(h, paddr_plus(k->desc.iommu.registers, VTD_REG_IQT), 8, head << VTD_DESCRIPTOR_SHIFT);
    return slot;
}

static void await_status(struct hart *h, const struct kernel *k, uint64_t slot)
{
    while (k_load_acquire(h, status_word(k, slot), 4) != QUEUE_SLOT_DONE) {
        k_compute(h, k->desc.costs.qi_poll);
        uint64_t faults = k_mmio_read(h, paddr_plus(k->desc.iommu.registers, VTD_REG_FSTS), 4);
        if ((faults & VTD_FSTS_IQE) != 0)
            k_illegal(h, "IOMMU: the invalidation queue refused a descriptor");
        spin_unlock(h, k, queue_word(k, QUEUE_LOCK));
        k_pause(h);
        spin_relock(h, k, queue_word(k, QUEUE_LOCK));
    }
}

/* Frees our slots, and with them whatever else is finished from the oldest slot on. */
static void reclaim(struct hart *h, const struct kernel *k, uint64_t wait_slot, unsigned count)
{
    for (unsigned i = 0; i <= count; i++)
        k_store_once(h, status_word(k, (wait_slot + QUEUE_SLOTS - i) % QUEUE_SLOTS), 4, QUEUE_SLOT_FREE);
    uint64_t tail = get(h, k, QUEUE_TAIL), head = get(h, k, QUEUE_HEAD), freed = 0;
    while (tail != head && k_load_once(h, status_word(k, tail), 4) == QUEUE_SLOT_FREE) {
        tail = (tail + 1) % QUEUE_SLOTS;
        freed++;
    }
    set(h, k, QUEUE_TAIL, tail);
    set(h, k, QUEUE_FREE, get(h, k, QUEUE_FREE) + freed);
}

void qi_submit_sync(struct hart *h, const struct kernel *k, const struct vtd_descriptor *d, unsigned count)
{
    if (count < 1 || count > QUEUE_SUBMIT_MAX)
        k_illegal(h, "qi_submit_sync: %u descriptors, 1 to %d are possible", count, QUEUE_SUBMIT_MAX);
    k_begin(h, CLASS_IOMMU_INVALIDATE);
    bool were_on = spin_lock_irqsave(h, k, queue_word(k, QUEUE_LOCK));
    await_slots(h, k, count);
    uint64_t slot = submit(h, k, d, count);
    k_phase(h, PH_WAIT);
    await_status(h, k, slot);
    k_phase(h, PH_WORK);
    reclaim(h, k, slot, count);
    spin_unlock_irqrestore(h, k, queue_word(k, QUEUE_LOCK), were_on);
    k_source(h, SOURCE_DONE);
    k_end(h);
}
