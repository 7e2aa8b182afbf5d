/* src/kern/page_lock.c - the page lock. */
#include "src/kern/page_lock.h"

bool trylock_page(struct hart *h, const struct kernel *k, frame f)
{
    return (k_fetch_or(h, page_word(k, f, PAGE_FLAGS), 8, PG_LOCKED) & PG_LOCKED) == 0;
}

static void lock_by_waiting(struct hart *h, const struct kernel *k, frame f, bool sleep)
{
    paddr flags = page_word(k, f, PAGE_FLAGS);
    k_source(h, SOURCE_CONTENDED);
    k_phase(h, PH_WAIT);
    do {
        if (sleep) {
            k_fetch_or(h, flags, 8, PG_WAITERS);
            k_compute(h, k->desc.costs.sleep_switch);
        }
        k_spin_while(h, flags, 8, PG_LOCKED, PG_LOCKED);
    } while (!trylock_page(h, k, f));
}

static void lock_recorded(struct hart *h, const struct kernel *k, frame f, bool sleep)
{
    k_begin(h, CLASS_LOCK_ACQUIRE);
    if (trylock_page(h, k, f))
        k_source(h, SOURCE_TRYLOCK);
    else
        lock_by_waiting(h, k, f, sleep);
    k_end(h);
}

void lock_page(struct hart *h, const struct kernel *k, frame f)
{
    k_might_sleep(h, "lock_page");
    lock_recorded(h, k, f, true);
}

void spin_lock_page(struct hart *h, const struct kernel *k, frame f)
{
    lock_recorded(h, k, f, false);
}

void unlock_page(struct hart *h, const struct kernel *k, frame f)
{
    /* One locked operation, as folio_unlock: it must not lose a waiters bit set meanwhile. */
    k_fetch_and(h, page_word(k, f, PAGE_FLAGS), 8, ~(uint64_t)(PG_LOCKED | PG_WAITERS));
}
