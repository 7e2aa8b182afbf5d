/* src/work/kswapd.c - the background reclaim of a node, on a hart of its own. */
#include "src/kern/reclaim.h"
#include "src/work/private.h"

struct kswapd_desc {
    uint32_t node;
};

static const struct param params[] = {
    { .key = "node", .type = P_UINT, PARAM_FIELD(struct kswapd_desc, node), .max = NODES_MAX - 1, .deflt = "0",
      .help = "Of which node; any hart may do it." },
    { .key = NULL },
};

/* Two for one node would both clear its flag. */
static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct kswapd_desc *d = desc;
    if (d->node >= w->kernel->desc.nodes)
        return "there is no such node (kernel.nodes)";
    if (members != 1)
        return "it runs on one hart";
    return w->kernel->desc.page_cache_share == 0 ? "there is no page cache to reclaim (kernel.page_cache.share)" : NULL;
}

static void run(struct hart *h, struct agent *a)
{
    const struct kswapd_desc *d = a->desc;
    while (agent_next(a))
        kswapd_turn(h, agent_kernel(a), d->node);
}

const struct program program_kswapd = {
    .name = "kswapd",
    .sentence = "Sleeps until an allocation finds a zone below low, then reclaims page cache until all are at high.",
    .params = params, .desc_bytes = sizeof(struct kswapd_desc), .check = check, .run = run
};
