/* models/net/mesh.c - tiles in rows and columns, a link each way between neighbours, X before Y.
 *
 * Dimension-ordered routing (Sullivan and Bashkow 1977; Dally and Towles 2004, section 8.4.2): no turn from
 * Y back to X, hence no cycle of links waiting for each other's slots. Without wrap-around.
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

unsigned mesh_links(const struct net_desc *d)
{
    return 2 * (d->rows * (d->columns - 1) + d->columns * (d->rows - 1));
}

/* Lays a link; `via` is filled for every target tile whose first step it is. */
static void lay_link(struct net *n, unsigned *next, unsigned from, unsigned to)
{
    unsigned columns = n->desc.columns;
    struct stage *s = &n->stages[*next];
    s->wire_ps = n->desc.hop_ps;
    s->end_tile = to;
    for (unsigned target = 0; target < n->tiles; target++) {
        unsigned x = from % columns, y = from / columns, tx = target % columns, ty = target / columns;
        unsigned step = tx > x ? from + 1 : tx < x ? from - 1 : ty > y ? from + columns : ty < y ? from - columns : from;
        if (target != from && step == to)
            n->route[from * n->tiles + target] = (uint16_t)*next;
    }
    ++*next;
}

void mesh_wire(struct net *n)
{
    unsigned columns = n->desc.columns, rows = n->desc.rows, next = first_link(n);
    for (unsigned node = 0; node < n->desc.nodes; node++) {
        inject_port(n, node)->wire_ps = n->desc.inject_ps;
        inject_port(n, node)->end_tile = n->tile_of_node[node];
    }
    for (unsigned tile = 0; tile < n->tiles; tile++) {
        unsigned x = tile % columns, y = tile / columns;
        if (x + 1 < columns)
            lay_link(n, &next, tile, tile + 1);
        if (x > 0)
            lay_link(n, &next, tile, tile - 1);
        if (y + 1 < rows)
            lay_link(n, &next, tile, tile + columns);
        if (y > 0)
            lay_link(n, &next, tile, tile - columns);
    }
    CHECK(next == n->stage_count, "mesh: laid %u stages of %u", next, n->stage_count);
}
