/* models/hart/view.c - what a hart does right now, for people. */
#include "models/hart/private.h"

struct hart_view hart_view(const struct hart *h)
{
    bool by_clock = h->waiting == WAIT_NONE || h->waiting == WAIT_TIME || hart_in_timed_wait(h);
    return (struct hart_view){
        .finished = h->finished, .computes = by_clock, .waits_for = by_clock ? "" : h->waiting_why, .since = h->waiting_since,
        .on_line = h->waiting == WAIT_LINE || h->waiting == WAIT_ACCESS || h->waiting == WAIT_MSHR, .line = h->waiting_line,
        .irqs_on = h->irqs_on, .irqs_pending = h->irq_pending, .context = h->context, .stores = h->sb_count,
        .store_buffer = h->desc.store_buffer };
}

void hart_each_store(const struct hart *h, void (*fn)(void *arg, const char *kind, paddr, unsigned bytes, uint64_t value), void *arg)
{
    static const char *const kinds[] = { [STORE_PLAIN] = "store", [STORE_LINE] = "line", [STORE_FLUSH] = "clflush",
                                         [STORE_FLUSH_OPT] = "clflushopt" };
    for (uint32_t i = 0; i < h->sb_count; i++) {
        const struct store_entry *e = &h->sb[(h->sb_head + i) & h->sb_mask];
        fn(arg, kinds[e->kind], e->addr, e->bytes, e->value);
    }
}
