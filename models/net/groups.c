/* models/net/groups.c - crossbars (sockets, dies, core complexes) joined by links, with hubs between them where the machine
 * has such: tiles 0 .. groups-1 are the groups, tiles from there on the hubs.
 *
 * Ways are the shortest in time. They are chosen short ones first, in order of source, then destination;
 * of equals the one whose links fewer ways take yet, summed over them, then the next neighbour of lower number. The next
 * link depends on where a message is and where it goes only. layers.c keeps them from deadlock.
 *
 * The twisted hypercube is that of Esfahanian, Ni and Sagan 1991 ("The twisted n-cube with application to
 * multiprocessing"): two opposite edges of a square of the cube, here 0-1 and 2-3, are crossed to 0-3 and 1-2, which
 * takes one from the diameter: 2 with eight groups of three links each. glueless is what groups with three links each are
 * joined to without further chips: fully up to four, eight as a twisted hypercube.
 */
#include "models/net/net_internal.h"

#include "src/base/fail.h"
#include "src/config/quantity.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { TILES_MAX = 2 * NET_GROUPS_MAX, LINKS_MAX = 8192 };
enum kind { NO_LINK, FAR, NEAR };
enum shape { FULL, RING, HYPERCUBE, TWISTED, STAR, GLUELESS };

const char *const net_link_shapes[NET_LINK_SHAPES + 1] = { "full", "ring", "hypercube", "twisted-hypercube", "star", "glueless", NULL };

struct graph {
    unsigned tiles, links;    /* links: each direction counts */
    uint8_t kind[TILES_MAX][TILES_MAX];
    uint64_t far[TILES_MAX][TILES_MAX]; /* shortest distance; UINT64_MAX: no way */
    unsigned ways[TILES_MAX][TILES_MAX]; /* that take this link */
    uint8_t next[TILES_MAX][TILES_MAX];  /* the tile to go to next, where that is chosen */
    struct pair {
        uint64_t far;
        unsigned from, to;
    } pairs[TILES_MAX * TILES_MAX];
};

static void join(struct graph *g, unsigned a, unsigned b, enum kind kind)
{
    g->links += g->kind[a][b] == NO_LINK ? 2 : 0;
    g->kind[a][b] = g->kind[b][a] = (uint8_t)kind;
}

static void cut(struct graph *g, unsigned a, unsigned b)
{
    g->kind[a][b] = g->kind[b][a] = NO_LINK;
    g->links -= 2;
}

static void join_groups(struct graph *g, const struct net_desc *d, unsigned a, unsigned b)
{
    join(g, a, b, a / d->package == b / d->package ? NEAR : FAR);
}

static void draw_star(struct graph *g, const struct net_desc *d)
{
    unsigned hubs = d->package > 1 ? (d->groups + d->package - 1) / d->package : 1;
    g->tiles = d->groups + hubs;
    for (unsigned i = 0; i < d->groups; i++)
        join(g, i, d->groups + (hubs > 1 ? i / d->package : 0), d->package > 1 ? NEAR : FAR);
    for (unsigned a = 0; a < hubs; a++)
        for (unsigned b = 0; b < a; b++)
            join(g, d->groups + a, d->groups + b, FAR);
}

static void draw_cube(struct graph *g, const struct net_desc *d, bool twisted)
{
    for (unsigned a = 0; a < d->groups; a++)
        for (unsigned bit = 1; bit < d->groups; bit *= 2)
            join_groups(g, d, a, a ^ bit);
    if (!twisted)
        return;
    cut(g, 0, 1);
    cut(g, 2, 3);
    join_groups(g, d, 0, 3);
    join_groups(g, d, 1, 2);
}

static bool draw_shape(struct graph *g, const struct net_desc *d, enum shape shape, char *why, size_t why_bytes)
{
    unsigned n = d->groups;
    if (shape == GLUELESS && n > 4 && n != 8) {
        snprintf(why, why_bytes, "a glueless machine of %u groups: 1 to 4 or 8", n);
        return false;
    }
    if (shape == GLUELESS)
        shape = n == 8 ? TWISTED : FULL;
    bool cube = shape == HYPERCUBE || shape == TWISTED;
    if (cube && (n & (n - 1) || (shape == TWISTED && n < 4))) {
        snprintf(why, why_bytes, "a %s of %u groups: their number must be a power of two%s", net_link_shapes[shape], n,
                 shape == TWISTED ? ", 4 at least" : "");
        return false;
    }
    if (cube)
        draw_cube(g, d, shape == TWISTED);
    else if (shape == STAR)
        draw_star(g, d);
    for (unsigned a = 0; a < n && !cube && shape != STAR; a++)
        for (unsigned b = 0; b < a; b++)
            if (shape == FULL || a - b == 1 || a - b == n - 1)
                join_groups(g, d, a, b);
    return true;
}

/* One "3=4" or "3-4" of the list. */
static bool draw_link(struct graph *g, const char **text, char *why, size_t why_bytes)
{
    char *end;
    int length = (int)strcspn(*text, " ,");
    unsigned long a = isdigit((unsigned char)**text) ? strtoul(*text, &end, 10) : TILES_MAX, b = TILES_MAX;
    enum kind kind = a < TILES_MAX && *end == '=' ? NEAR : FAR;
    if (a < TILES_MAX && (*end == '=' || *end == '-') && isdigit((unsigned char)end[1]))
        b = strtoul(end + 1, &end, 10);
    if (b >= TILES_MAX || end != *text + length) {
        snprintf(why, why_bytes, "\"%.*s\" is no link such as 0=1 or 0-1, of numbers below %d", length > 40 ? 40 : length, *text,
                 TILES_MAX);
        return false;
    }
    if (a == b || g->kind[a][b] != NO_LINK) {
        snprintf(why, why_bytes, a == b ? "%lu-%lu joins a group with itself" : "%lu-%lu is listed twice", a, b);
        return false;
    }
    join(g, (unsigned)a, (unsigned)b, kind);
    g->tiles = a >= g->tiles ? (unsigned)a + 1 : g->tiles;
    g->tiles = b >= g->tiles ? (unsigned)b + 1 : g->tiles;
    *text = end;
    return true;
}

static bool draw(struct graph *g, const struct net_desc *d, char *why, size_t why_bytes)
{
    const char *text = d->links ? d->links : net_link_shapes[FULL];
    int shape = choice_parse(text, net_link_shapes);
    g->tiles = d->groups;
    if (shape >= 0)
        return draw_shape(g, d, (enum shape)shape, why, why_bytes);
    for (text += strspn(text, " ,"); *text; text += strspn(text, " ,"))
        if (!draw_link(g, &text, why, why_bytes))
            return false;
    return true;
}

static uint64_t length_of(const struct graph *g, const struct net_desc *d, unsigned a, unsigned b)
{
    if (g->kind[a][b] == NO_LINK)
        return UINT64_MAX;
    return g->kind[a][b] == NEAR ? d->near_link_ps : d->link_ps;
}

/* Floyd and Warshall 1962. */
static void measure(struct graph *g, const struct net_desc *d)
{
    for (unsigned a = 0; a < g->tiles; a++)
        for (unsigned b = 0; b < g->tiles; b++)
            g->far[a][b] = a == b ? 0 : length_of(g, d, a, b);
    for (unsigned via = 0; via < g->tiles; via++)
        for (unsigned a = 0; a < g->tiles; a++)
            for (unsigned b = 0; b < g->tiles && g->far[a][via] != UINT64_MAX; b++)
                if (g->far[via][b] != UINT64_MAX && g->far[a][via] + g->far[via][b] < g->far[a][b])
                    g->far[a][b] = g->far[a][via] + g->far[via][b];
}

/* Ways that share links with the way by `via`, which is chosen from there on. */
static unsigned load_of(const struct graph *g, unsigned from, unsigned via, unsigned to)
{
    unsigned load = g->ways[from][via];
    for (unsigned at = via; at != to; at = g->next[at][to])
        load += g->ways[at][g->next[at][to]];
    return load;
}

static void choose_next(struct graph *g, const struct net_desc *d, unsigned from, unsigned to)
{
    unsigned best = TILES_MAX, least = 0;
    for (unsigned v = 0; v < g->tiles; v++) {
        if (g->kind[from][v] == NO_LINK || g->far[v][to] + length_of(g, d, from, v) != g->far[from][to])
            continue;
        unsigned load = load_of(g, from, v, to);
        if (best == TILES_MAX || load < least) {
            best = v;
            least = load;
        }
    }
    g->next[from][to] = (uint8_t)best;
    for (unsigned at = from; at != to; at = g->next[at][to])
        g->ways[at][g->next[at][to]]++;
}

static int shorter_first(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->far != y->far)
        return x->far < y->far ? -1 : 1;
    return x->from != y->from ? (x->from < y->from ? -1 : 1) : (x->to > y->to) - (x->to < y->to);
}

static void choose_ways(struct graph *g, const struct net_desc *d)
{
    unsigned count = 0;
    for (unsigned from = 0; from < g->tiles; from++)
        for (unsigned to = 0; to < g->tiles; to++)
            if (from != to)
                g->pairs[count++] = (struct pair){ g->far[from][to], from, to };
    qsort(g->pairs, count, sizeof g->pairs[0], shorter_first);
    for (unsigned i = 0; i < count; i++)
        choose_next(g, d, g->pairs[i].from, g->pairs[i].to);
}

static void lay(const struct graph *g, const struct net_desc *d, struct layout *p)
{
    uint16_t number[TILES_MAX];
    layout_tables(p, g->tiles, g->links);
    for (unsigned from = 0; from < g->tiles; from++) {
        for (unsigned to = 0; to < g->tiles; to++) {
            if (g->kind[from][to] == NO_LINK)
                continue;
            number[to] = (uint16_t)p->link_count;
            p->links[p->link_count++] = (struct link){
                .from = (uint16_t)from, .to = (uint16_t)to, .wire_ps = g->kind[from][to] == NEAR ? d->near_link_ps : d->link_ps,
                .occupancy_ps = { d->link_control_occupancy_ps, d->link_data_occupancy_ps } };
        }
        for (unsigned to = 0; to < g->tiles; to++)
            if (to != from)
                p->route[from * g->tiles + to] = number[g->next[from][to]];
    }
}

static const char *layout_graph(struct graph *g, const struct net_desc *d, struct layout *p, char *why, size_t why_bytes)
{
    if (!draw(g, d, why, why_bytes))
        return "links";
    measure(g, d);
    for (unsigned tile = 0; tile < g->tiles; tile++)
        if (g->far[0][tile] == UINT64_MAX) {
            snprintf(why, why_bytes, "%s %u cannot be reached from group 0", tile < d->groups ? "group" : "hub", tile);
            return "links";
        }
    if (g->links > LINKS_MAX) {
        snprintf(why, why_bytes, "%u links, both directions counted; allowed are at most %d", g->links, LINKS_MAX);
        return "links";
    }
    choose_ways(g, d);
    lay(g, d, p);
    if (layout_layers(p))
        return NULL;
    snprintf(why, why_bytes, "more than %d virtual channels would be needed against deadlock; add links", LAYERS_MAX);
    return "links";
}

const char *groups_layout(const struct net_desc *d, struct layout *p, char *why, size_t why_bytes)
{
    struct graph *g = calloc(1, sizeof *g);
    CHECK_MEMORY(g, "net: the host has no memory");
    p->inject_wire_ps = d->hop_ps;
    p->inject_tile = EVERY_TILE;
    const char *blamed = layout_graph(g, d, p, why, why_bytes);
    free(g);
    return blamed;
}
