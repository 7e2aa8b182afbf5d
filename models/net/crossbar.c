/* models/net/crossbar.c - every node one wire away from every other.
 *
 * All nodes sit on one tile, so no route has a link: a message goes from its source's inject port over a
 * single wire of hop_ps to the destination's eject port.
 */
#include "models/net/net_internal.h"

void crossbar_wire(struct net *n)
{
    for (unsigned node = 0; node < n->desc.nodes; node++)
        inject_port(n, node)->wire_ps = n->desc.hop_ps;
}
