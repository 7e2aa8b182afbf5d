/* src/kern/oom.c - the end of the road: a victim is asked to give its memory back.
 *
 * Two words in the first node's line. Victims: how many have joined. Asked: nobody, one is asked, one is dying.
 * Linux picks the largest process and frees its pages for it (oom_reaper); here the victim that looks first dies. */
#include "src/kern/reclaim.h"

enum { NOBODY, ASKED, DYING };
enum { COSTLY_ORDER = 3 };
#define KILL_SLEEP_PS (UINT64_C(20) * 1000 * 1000) /* schedule_timeout_killable(1) would be milliseconds */

static paddr victims_at(const struct kernel *k) { return paddr_plus(k->nodes[0].at, PGDAT_OOM_VICTIMS); }
static paddr asked_at(const struct kernel *k) { return paddr_plus(k->nodes[0].at, PGDAT_OOM_ASKED); }

static bool may_kill_for(const struct kernel *k, const struct alloc_context *c)
{
    bool lowmem = c->highest < ZONE_NORMAL && k->zones[k->zone_count - 1].id >= ZONE_NORMAL;
    return c->why.order <= COSTLY_ORDER && !lowmem && (c->why.gfp & GFPM_THISNODE) == 0;
}

bool out_of_memory(struct hart *h, const struct kernel *k, const struct alloc_context *c)
{
    uint64_t seen = NOBODY;
    if (!may_kill_for(k, c))
        return false;
    if (k_load_once(h, victims_at(k), 8) == 0) {
        k_count(h, "oom.no_victim", 1);
        return false;
    }
    if (k_cas(h, asked_at(k), 8, &seen, ASKED))
        k_count(h, "oom.kills", 1);
    k_sleep_ps(h, KILL_SLEEP_PS);
    return true;
}

void oom_join(struct hart *h, const struct kernel *k) { k_fetch_add(h, victims_at(k), 8, 1); }

bool oom_asked(struct hart *h, const struct kernel *k) { return k_load_once(h, asked_at(k), 8) == ASKED; }

bool oom_told(struct hart *h, const struct kernel *k)
{
    uint64_t seen = ASKED;
    return oom_asked(h, k) && k_cas(h, asked_at(k), 8, &seen, DYING);
}

void oom_leave(struct hart *h, const struct kernel *k, bool told)
{
    k_fetch_add(h, victims_at(k), 8, UINT64_MAX);
    if (told)
        k_store_release(h, asked_at(k), 8, NOBODY);
}
