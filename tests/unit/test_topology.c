/* tests/unit/test_topology.c - who is where, asked of the topology itself: clusters, homes by placement, tiles of groups and
 * hubs.
 */
#include <criterion/criterion.h>

#include "src/base/arena.h"
#include "src/machine/topology.h"

struct place { struct arena *arena; struct machine_desc d; struct topology t; };

static struct place place(unsigned sockets, unsigned clusters, enum home_per per, enum home_placement placement)
{
    struct place p = { .arena = arena_new() };
    p.d = (struct machine_desc){ .sockets = sockets, .clusters = clusters, .cores_per_socket = 4, .cores = 4 * sockets, .levels = LEVELS_TWO,
                                 .home = { .placement = placement, .granule_bytes = 4096, .per = per, .count = 2 },
                                 .llc = { .slices = 2 }, .devices = { .count = 1 },
                                 .net = { .topology = NET_GROUPS, .groups = sockets * clusters, .package = clusters } };
    return p;
}

static void settle(struct place *p, uint64_t memory_bytes) { topology_init(&p->t, p->arena, &p->d, memory_bytes); }

/* The memory that a hart's first or later access finds its line in. */
static unsigned memory_of(struct place *p, unsigned hart, uint64_t address)
{
    struct route *r = &p->t.routes[topology_cluster_of(&p->t, hart)];
    return topology_memory_of_home(&p->t, topology_home_node(r, (lineno){ address >> LINE_SHIFT }) - p->t.first_home);
}

Test(topology, first_touch_is_by_the_cluster_that_asks_first)
{
    struct place p = place(2, 2, HOME_PER_SOCKET, PLACE_FIRST_TOUCH);
    settle(&p, 1 << 20);
    for (unsigned hart = 0; hart < 8; hart++)
        cr_expect_eq(memory_of(&p, hart, hart * 4096), hart / 4, "hart %u", hart);
    cr_expect_eq(memory_of(&p, 0, 7 * 4096 + 64), 1, "another line of the page that hart 7 touched");
    arena_free(p.arena);
    p = place(2, 2, HOME_PER_CLUSTER, PLACE_FIRST_TOUCH);
    settle(&p, 1 << 20);
    for (unsigned hart = 0; hart < 8; hart++)
        cr_expect_eq(memory_of(&p, hart, hart * 4096), hart / 2, "hart %u", hart);
    arena_free(p.arena);
}

Test(topology, a_look_touches_nothing)
{
    struct place p = place(2, 1, HOME_PER_SOCKET, PLACE_FIRST_TOUCH);
    settle(&p, 1 << 20);
    cr_expect_eq(topology_memory_of_home(&p.t, topology_home_index(&p.t, (lineno){ 64 })), 0, "untouched: the first");
    cr_expect_eq(memory_of(&p, 7, 4096), 1);
    cr_expect_eq(topology_memory_of_home(&p.t, topology_home_index(&p.t, (lineno){ 64 })), 1);
    arena_free(p.arena);
}

/* Three memories of a size that is no multiple of three, and a granule of one page. */
Test(topology, ranges_and_interleaving_of_three)
{
    enum { BYTES = 5 << 20 };
    struct place p = place(3, 1, HOME_PER_SOCKET, PLACE_RANGE);
    settle(&p, BYTES);
    unsigned lines[3] = { 0 }, last = 0;
    for (uint64_t a = 0; a < BYTES; a += LINE_BYTES) {
        unsigned memory = memory_of(&p, 0, a);
        cr_assert(memory < 3 && memory >= last, "address %lu is in memory %u", a, memory);
        lines[last = memory]++;
    }
    cr_expect(lines[0] - lines[2] <= 2 && lines[0] - lines[1] <= 1, "%u %u %u", lines[0], lines[1], lines[2]);
    arena_free(p.arena);
    p = place(3, 1, HOME_PER_SOCKET, PLACE_INTERLEAVE);
    settle(&p, BYTES);
    for (uint64_t a = 0; a < 1 << 16; a += LINE_BYTES)
        cr_assert_eq(memory_of(&p, 5, a), a / 4096 % 3);
    arena_free(p.arena);
}

/* Lines of any power-of-two stride use all slices of a cluster and all homes of a memory, each to a tenth alike. */
Test(topology, no_stride_favours_a_slice_or_a_home)
{
    enum { LINES = 4096 };
    struct place p = place(1, 2, HOME_PER_SOCKET, PLACE_INTERLEAVE);
    settle(&p, 1 << 30);
    for (unsigned shift = 0; shift < 10; shift++) {
        unsigned slice[2] = { 0 }, home[2] = { 0 };
        for (uint64_t i = 0; i < LINES; i++) {
            lineno line = { i << shift };
            slice[topology_slice_node(&p.t.routes[1], line) - p.t.first_slice - 2]++;
            home[topology_home_node(&p.t.routes[0], line) - p.t.first_home]++;
        }
        cr_expect(slice[0] > LINES * 9 / 20 && slice[1] > LINES * 9 / 20, "stride %u lines: %u %u", 1u << shift, slice[0], slice[1]);
        cr_expect(home[0] > LINES * 9 / 20 && home[1] > LINES * 9 / 20, "stride %u lines: %u %u", 1u << shift, home[0], home[1]);
    }
    arena_free(p.arena);
}

/* Nodes: harts 0-7, device 8, IOMMU 9, slices 10-17, homes 18-21. */
Test(topology, what_is_of_a_socket_is_at_its_first_cluster_or_its_hub)
{
    struct place p = place(2, 2, HOME_PER_SOCKET, PLACE_INTERLEAVE);
    settle(&p, 1 << 20);
    cr_assert(p.t.first_slice == 10 && p.t.first_home == 18 && p.t.nodes == 22);
    for (unsigned hub = 0; hub < 2; hub++) {
        p.d.net.links = hub ? "star" : "full";
        for (unsigned hart = 0; hart < 8; hart++)
            cr_expect_eq(topology_tile(&p.t, &p.d, hart), hart / 2);
        for (unsigned slice = 0; slice < 8; slice++)
            cr_expect_eq(topology_tile(&p.t, &p.d, 10 + slice), slice / 2);
        for (unsigned home = 0; home < 4; home++)
            cr_expect_eq(topology_tile(&p.t, &p.d, 18 + home), hub ? 4 + home / 2 : home / 2 * 2, "home %u", home);
        for (unsigned device = 8; device < 10; device++)
            cr_expect_eq(topology_tile(&p.t, &p.d, device), hub ? 4 : 0, "device %u", device);
    }
    arena_free(p.arena);
    p = place(2, 2, HOME_PER_CLUSTER, PLACE_INTERLEAVE);
    settle(&p, 1 << 20);
    p.d.net.links = "star";
    for (unsigned home = 0; home < 8; home++)
        cr_expect_eq(topology_tile(&p.t, &p.d, 18 + home), home / 2, "a memory of each cluster: home %u", home);
    arena_free(p.arena);
}
