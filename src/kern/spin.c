/* src/kern/spin.c - spin locks. Each kind is a try, a wait and an unlock. */
#include "src/kern/spin.h"

#include "src/kern/context.h"

/* ---- test-and-set with a test loop */

static bool tas_try(struct hart *h, paddr lock)
{
    return k_load_once(h, lock, 4) == 0 && k_swap(h, lock, 4, 1) == 0;
}

static void tas_wait(struct hart *h, paddr lock)
{
    do
        k_spin_while(h, lock, 4, UINT32_MAX, 1);
    while (k_swap(h, lock, 4, 1) != 0);
}

/* ---- ticket: bits 15:0 now served, 31:16 next ticket */

static bool ticket_try(struct hart *h, paddr lock)
{
    uint64_t word = k_load_once(h, lock, 4);
    return (word & 0xffff) == word >> 16 && k_cas(h, lock, 4, &word, (uint32_t)(word + 0x10000));
}

static void ticket_wait(struct hart *h, paddr lock)
{
    uint64_t word = k_fetch_add(h, lock, 4, 0x10000);
    uint64_t mine = word >> 16 & 0xffff;
    while ((word & 0xffff) != mine)
        word = k_spin_while(h, lock, 4, 0xffff, word & 0xffff);
}

static void ticket_unlock(struct hart *h, paddr lock)
{
    uint64_t served = k_load_once(h, lock, 2); /* only the holder writes this half */
    k_store_release(h, lock, 2, (served + 1) & 0xffff);
}

/* ---- queued: byte 0 locked, bit 8 pending, bits 31:16 tail = (hart + 1) x 4 + context */

enum { Q_LOCKED = 1, Q_LOCKED_MASK = 0xff, Q_PENDING = 0x100, Q_BUSY = 0xffff };
enum { NODE_NEXT = 0, NODE_LOCKED = 8, NODE_COUNT = 12, NODE_BYTES = 16 }; /* four per hart, in one line */

static bool queued_try(struct hart *h, paddr lock)
{
    uint64_t word = k_load_once(h, lock, 4);
    return word == 0 && k_cas(h, lock, 4, &word, Q_LOCKED);
}

static paddr queued_node(const struct kernel *k, uint64_t tail)
{
    unsigned hart = (unsigned)(tail >> 2) - 1;
    return kernel_hart_area(k, hart, HART_NODES + (unsigned)(tail & 3) * NODE_BYTES);
}

/* The queue's head waits for owner and pending waiter to go, takes the lock, wakes the next in line. */
static void queued_head(struct hart *h, paddr lock, paddr node, uint64_t tail)
{
    uint64_t word = k_load_acquire(h, lock, 4);
    while ((word & Q_BUSY) != 0)
        word = k_spin_while(h, lock, 4, Q_BUSY, word & Q_BUSY);
    if (word >> 16 == tail && k_cas(h, lock, 4, &word, Q_LOCKED))
        return; /* nobody behind */
    k_store_once(h, lock, 1, Q_LOCKED);
    uint64_t next = k_spin_while(h, paddr_plus(node, NODE_NEXT), 8, UINT64_MAX, 0);
    k_store_release(h, paddr_plus((paddr){ next }, NODE_LOCKED), 4, 1);
}

static void queued_queue(struct hart *h, const struct kernel *k, paddr lock)
{
    paddr count = kernel_hart_area(k, hart_id(h), HART_NODES + NODE_COUNT);
    uint64_t depth = k_load(h, count, 4); /* an interrupt that queues too puts it back before it returns */
    if (depth >= 4)
        k_illegal(h, "spin lock: hart %u waits in five nested contexts", hart_id(h));
    k_store(h, count, 4, depth + 1);
    uint64_t tail = ((uint64_t)hart_id(h) + 1) << 2 | depth;
    paddr node = queued_node(k, tail);
    k_store_once(h, paddr_plus(node, NODE_NEXT), 8, 0);
    k_store_once(h, paddr_plus(node, NODE_LOCKED), 4, 0);
    if (!queued_try(h, lock)) {
        uint64_t before = k_swap(h, paddr_plus(lock, 2), 2, tail);
        if (before != 0) {
            k_store_release(h, paddr_plus(queued_node(k, before), NODE_NEXT), 8, node.v);
            k_spin_while(h, paddr_plus(node, NODE_LOCKED), 4, UINT32_MAX, 0);
        }
        queued_head(h, lock, node, tail);
    }
    k_store(h, count, 4, depth);
}

static void queued_wait(struct hart *h, const struct kernel *k, paddr lock)
{
    uint64_t word = k_load_once(h, lock, 4);
    if ((word & ~(uint64_t)Q_LOCKED_MASK) == 0) {
        word = k_fetch_or(h, lock, 4, Q_PENDING);
        if ((word & ~(uint64_t)Q_LOCKED_MASK) == 0) { /* first in line: wait on the lock word itself */
            if ((word & Q_LOCKED_MASK) != 0)
                k_spin_while(h, lock, 4, Q_LOCKED_MASK, Q_LOCKED);
            k_store_once(h, lock, 2, Q_LOCKED);
            return;
        }
        if ((word & Q_PENDING) == 0)
            k_fetch_and(h, lock, 4, ~(uint64_t)Q_PENDING & UINT32_MAX);
    }
    queued_queue(h, k, lock);
}

/* ---- the interface */

static bool kind_try(struct hart *h, const struct kernel *k, paddr lock)
{
    switch (k->desc.locks) {
    case LOCK_TAS: return tas_try(h, lock);
    case LOCK_TICKET: return ticket_try(h, lock);
    case LOCK_QUEUED: return queued_try(h, lock);
    }
    return false;
}

static void kind_wait(struct hart *h, const struct kernel *k, paddr lock)
{
    k_compute(h, k->desc.costs.lock_call);
    switch (k->desc.locks) {
    case LOCK_TAS: tas_wait(h, lock); break;
    case LOCK_TICKET: ticket_wait(h, lock); break;
    case LOCK_QUEUED: queued_wait(h, k, lock); break;
    }
}

void spin_lock(struct hart *h, const struct kernel *k, paddr lock)
{
    context_forbid_nmi(h, "spin_lock");
    k_begin(h, CLASS_LOCK_ACQUIRE);
    k_preempt_disable(h);
    if (kind_try(h, k, lock)) {
        k_source(h, SOURCE_TRYLOCK);
    } else {
        k_source(h, SOURCE_CONTENDED);
        k_phase(h, PH_WAIT);
        kind_wait(h, k, lock);
    }
    k_end(h);
}

void spin_relock(struct hart *h, const struct kernel *k, paddr lock)
{
    k_preempt_disable(h);
    if (!kind_try(h, k, lock))
        kind_wait(h, k, lock);
}

bool spin_trylock(struct hart *h, const struct kernel *k, paddr lock)
{
    k_preempt_disable(h);
    if (kind_try(h, k, lock))
        return true;
    k_preempt_enable(h);
    return false;
}

void spin_unlock(struct hart *h, const struct kernel *k, paddr lock)
{
    switch (k->desc.locks) {
    case LOCK_TAS: k_store_release(h, lock, 4, 0); break;
    case LOCK_TICKET: ticket_unlock(h, lock); break;
    case LOCK_QUEUED: k_store_release(h, lock, 1, 0); break;
    }
    k_preempt_enable(h);
}

bool spin_lock_irqsave(struct hart *h, const struct kernel *k, paddr lock)
{
    bool were_on = k_irq_save(h);
    spin_lock(h, k, lock);
    return were_on;
}

void spin_unlock_irqrestore(struct hart *h, const struct kernel *k, paddr lock, bool were_on)
{
    spin_unlock(h, k, lock);
    k_irq_restore(h, were_on);
}
