/* models/net/ring.c - stops in a circle, a link each way between neighbours, the shorter way round.
 *
 * Opposite stops of an even ring are equally far both ways: even stops send upwards, odd ones downwards, which loads
 * both directions alike. No stop on the way has that choice again.
 *
 * The links of one direction form a circle, so two layers are needed and, with first fit, enough. A way of n / 2
 * links at most has n / 2 - 1 places where it waits from one link for the next; a circle has n of them. Layer 0
 * ends up with all but some place q used; whatever did not fit there would have closed its circle, hence uses q.
 * All ways through q together cover at most 2 (n / 2 - 1) - 1 < n places, so that layer 1 has no circle either.
 * This is the dateline of Dally and Seitz 1987 at q, with the layer chosen at the source. (layers.c checks.)
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"

enum { UP, DOWN };

static unsigned direction(unsigned from, unsigned to, unsigned stops)
{
    unsigned up = (to + stops - from) % stops;
    return 2 * up == stops ? from % 2 : 2 * up < stops ? UP : DOWN;
}

void ring_layout(const struct net_desc *d, struct layout *p)
{
    unsigned stops = d->stops;
    layout_tables(p, stops, 2 * stops);
    p->inject_wire_ps = d->inject_ps;
    p->inject_tile = EVERY_TILE;
    if (stops == 1)
        return;
    for (unsigned from = 0; from < stops; from++) {
        layout_link(p, d, from, (from + 1) % stops);
        layout_link(p, d, from, (from + stops - 1) % stops);
        for (unsigned to = 0; to < stops; to++)
            p->route[from * stops + to] = (uint16_t)(2 * from + direction(from, to, stops));
    }
    CHECK(layout_layers(p), "a ring of %u stops needs too many layers", stops);
}
