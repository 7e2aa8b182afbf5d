/* src/kern/context.h - what kernel code may do in which context.
 *
 * An NMI may have interrupted the holder of any lock on its own hart: waiting for one there never ends. So spin_lock,
 * alloc_pages and free_pages are illegal in NMI context; spin_trylock is allowed (Linux: GFP_ATOMIC and GFP_NOWAIT may not
 * be used in NMI, ab00db216c9c; the any-context allocation is trylock-only, 97769a53f117). Sleeping is k_might_sleep's.
 */
#ifndef LAB_KERN_CONTEXT_H
#define LAB_KERN_CONTEXT_H

#include "src/sim/hart.h"

static inline void context_forbid_nmi(struct hart *h, const char *who)
{
    if (hart_context(h) == CONTEXT_NMI)
        k_illegal(h, "%s in NMI context", who);
}

#endif
