/* models/net/mesh.c - tiles in rows and columns, a link each way between neighbours, X before Y.
 *
 * Dimension-ordered routing (Sullivan and Bashkow 1977; Dally and Towles 2004, section 8.4.2): no turn from
 * Y back to X, hence no cycle of links waiting for each other's slots. Without wrap-around.
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

/* Lays a link and makes it the way to every target tile whose first step it is. */
static void lay_link(struct layout *p, const struct net_desc *d, unsigned from, unsigned to)
{
    unsigned columns = d->columns, number = p->link_count;
    layout_link(p, d, from, to);
    for (unsigned target = 0; target < p->tiles; target++) {
        unsigned x = from % columns, y = from / columns, tx = target % columns, ty = target / columns;
        unsigned step = tx > x ? from + 1 : tx < x ? from - 1 : ty > y ? from + columns : ty < y ? from - columns : from;
        if (target != from && step == to)
            p->route[from * p->tiles + target] = (uint16_t)number;
    }
}

void mesh_layout(const struct net_desc *d, struct layout *p)
{
    unsigned columns = d->columns, rows = d->rows;
    layout_tables(p, columns * rows, 2 * (rows * (columns - 1) + columns * (rows - 1)));
    p->inject_wire_ps = d->inject_ps;
    p->inject_tile = EVERY_TILE;
    for (unsigned tile = 0; tile < p->tiles; tile++) {
        unsigned x = tile % columns, y = tile / columns;
        if (x + 1 < columns)
            lay_link(p, d, tile, tile + 1);
        if (x > 0)
            lay_link(p, d, tile, tile - 1);
        if (y + 1 < rows)
            lay_link(p, d, tile, tile + columns);
        if (y > 0)
            lay_link(p, d, tile, tile - columns);
    }
}
