/* models/net/layout.c - the tables that a topology fills. */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

#include <stdlib.h>

static void *table_new(size_t count, size_t size)
{
    void *a = calloc(count ? count : 1, size);
    CHECK_MEMORY(a, "net: the host has no memory");
    return a;
}

void layout_tables(struct layout *p, unsigned tiles, unsigned links_max)
{
    p->tiles = tiles;
    p->layers = 1;
    p->links = table_new(links_max, sizeof *p->links);
    p->route = table_new((size_t)tiles * tiles, sizeof *p->route);
}

void layout_link(struct layout *p, const struct net_desc *d, unsigned from, unsigned to)
{
    p->links[p->link_count++] = (struct link){ .from = (uint16_t)from, .to = (uint16_t)to, .wire_ps = d->hop_ps,
                                               .occupancy_ps = { d->control_occupancy_ps, d->data_occupancy_ps } };
}

void layout_free(struct layout *p)
{
    free(p->links);
    free(p->route);
    free(p->layer);
}
