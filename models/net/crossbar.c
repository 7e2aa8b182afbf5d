/* models/net/crossbar.c - every node one wire away from every other.
 *
 * All nodes sit on one tile, so no route has a link: a message goes from its source's inject port over a
 * single wire of hop_ps to the destination's eject port.
 */
#include "models/net/net_internal.h"

void crossbar_layout(const struct net_desc *d, struct layout *p)
{
    layout_tables(p, 1, 0);
    p->inject_wire_ps = d->hop_ps;
}
