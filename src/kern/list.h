/* src/kern/list.h - doubly linked circular lists through simulated memory, as include/linux/list.h.
 * The caller holds the list's lock; who only asks whether a list is empty need not (so next is written marked).
 * Removed nodes keep their stale links (no poison).
 */
#ifndef LAB_KERN_LIST_H
#define LAB_KERN_LIST_H

#include "src/kern/kernel.h"

static inline paddr list_next(struct hart *h, paddr node)
{
    return (paddr){ k_load(h, paddr_plus(node, LIST_NEXT), 8) };
}

static inline paddr list_prev(struct hart *h, paddr node)
{
    return (paddr){ k_load(h, paddr_plus(node, LIST_PREV), 8) };
}

static inline void list_link(struct hart *h, paddr before, paddr after)
{
    k_store(h, paddr_plus(after, LIST_PREV), 8, before.v);
    k_store_once(h, paddr_plus(before, LIST_NEXT), 8, after.v);
}

static inline void list_add_between(struct hart *h, paddr node, paddr before, paddr after)
{
    k_store(h, paddr_plus(after, LIST_PREV), 8, node.v);
    k_store(h, paddr_plus(node, LIST_NEXT), 8, after.v);
    k_store(h, paddr_plus(node, LIST_PREV), 8, before.v);
    k_store_once(h, paddr_plus(before, LIST_NEXT), 8, node.v);
}

static inline void list_add(struct hart *h, paddr head, paddr node)
{
    list_add_between(h, node, head, list_next(h, head));
}

static inline void list_add_tail(struct hart *h, paddr head, paddr node)
{
    list_add_between(h, node, list_prev(h, head), head);
}

static inline void list_del(struct hart *h, paddr node)
{
    paddr after = list_next(h, node);
    list_link(h, list_prev(h, node), after);
}

#endif
