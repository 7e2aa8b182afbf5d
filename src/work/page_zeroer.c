/* src/work/page_zeroer.c - fills the pool of zeroed pages of its hart's node (kernel.zeroing.pool). */
#include "src/kern/zero_policy.h"
#include "src/work/private.h"

struct zeroer_desc {
    uint64_t idle_ps;
};

static const struct param params[] = {
    { .key = "idle", .type = P_TIME, PARAM_FIELD(struct zeroer_desc, idle_ps), .min = 1, .max = PS_PER_S, .deflt = "1us",
      .help = "How long it sleeps when the pool has its level, or when there is no page to clear." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    (void)desc, (void)members;
    return w->kernel->desc.zero_policy != ZERO_POLICY_POOL ? "there is no pool of zeroed pages (kernel.zero_policy: pool)" : NULL;
}

static void run(struct hart *h, struct agent *a)
{
    const struct zeroer_desc *d = a->desc;
    while (agent_next(a))
        while (!zero_pool_fill(h, agent_kernel(a)))
            k_sleep_ps(h, d->idle_ps);
}

const struct program program_page_zeroer = {
    .name = "page-zeroer",
    .sentence = "Clears free pages ahead of time into the pool from which requests for zeroed pages are served.",
    .params = params, .desc_bytes = sizeof(struct zeroer_desc), .check = check, .run = run
};
