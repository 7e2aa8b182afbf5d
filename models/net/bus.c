/* models/net/bus.c - one medium for all: inject port, over inject_ps to the medium's queue, over hop_ps to the eject port.
 *
 * Inject wires end on tile 1, where nobody lives; the only way from there is the medium, which ends on tile 0,
 * where all nodes are.
 */
#include "models/net/net_internal.h"

enum { HERE, BEFORE_THE_MEDIUM };

void bus_layout(const struct net_desc *d, struct layout *p)
{
    layout_tables(p, 2, 1);
    layout_link(p, d, BEFORE_THE_MEDIUM, HERE);
    p->route[BEFORE_THE_MEDIUM * p->tiles + HERE] = 0;
    p->inject_wire_ps = d->inject_ps;
    p->inject_tile = BEFORE_THE_MEDIUM;
    p->medium = true;
}
