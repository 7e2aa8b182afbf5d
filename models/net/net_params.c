/* models/net/net_params.c - what a machine file may say about its network. The machine adds nodes, tiles and
 * jitter. */
#include "models/net/net.h"

static const char *const topologies[] = { "crossbar", "mesh", "ring", "groups", "bus", NULL }; /* as enum net_topology */

#define N(field) PARAM_FIELD(struct net_desc, field)
const struct param net_params[] = {
    { .key = "topology", .type = P_CHOICE, N(topology), .deflt = "crossbar", .choices = topologies,
      .help = "crossbar: one wire between any two nodes; mesh: tiles in rows and columns, X before Y; ring: stops in a circle, "
              "the shorter way; groups: crossbars joined by links; bus: one medium for all." },
    { .key = "columns", .type = P_UINT, N(columns), .min = 1, .max = NET_TILES_MAX, .deflt = "1",
      .help = "Tiles in a row of the mesh." },
    { .key = "rows", .type = P_UINT, N(rows), .min = 1, .max = NET_TILES_MAX, .deflt = "1", .help = "Rows of the mesh." },
    { .key = "stops", .type = P_UINT, N(stops), .max = NET_STOPS_MAX, .deflt = "0",
      .help = "Stops of the ring; 0: one for every core or slice, whichever are more." },
    { .key = "groups", .type = P_UINT, N(groups), .min = 1, .max = NET_GROUPS_MAX, .deflt = "1",
      .help = "Groups (sockets, dies, core complexes), each a crossbar." },
    { .key = "package", .type = P_UINT, N(package), .min = 1, .max = NET_GROUPS_MAX, .deflt = "1",
      .help = "Groups in one package: a link inside takes near_link; with links: star each package has a hub." },
    { .key = "links", .type = P_STRING, N(links), .deflt = "full",
      .help = "Links between groups: full, ring, hypercube, twisted-hypercube, star, glueless, or a list such as \"0=1 1-2\", with = inside "
              "a package and - between packages; numbers from `groups` on are hubs." },
    { .key = "hop", .type = P_TIME, N(hop_ps), .min = 1, .max = PS_PER_US, .deflt = "10ns",
      .help = "Time on one link of mesh or ring, router included; in a crossbar or group the whole way; on a bus from the medium "
              "to all." },
    { .key = "inject", .type = P_TIME, N(inject_ps), .min = 1, .max = PS_PER_US, .deflt = "0.5ns",
      .help = "Mesh, ring: time from a node to its tile or stop. Bus: from a node to the medium's queue." },
    { .key = "link", .type = P_TIME, N(link_ps), .min = 1, .max = PS_PER_US, .deflt = "40ns",
      .help = "Groups: time on a link between packages, added to hop." },
    { .key = "near_link", .type = P_TIME, N(near_link_ps), .min = 1, .max = PS_PER_US, .deflt = "20ns",
      .help = "Groups: time on a link inside a package, added to hop." },
    { .key = "control_occupancy", .type = P_TIME, N(control_occupancy_ps), .max = PS_PER_US, .deflt = "0.25ns",
      .help = "How long a message without data keeps a port, a link of mesh or ring, or the bus busy." },
    { .key = "data_occupancy", .type = P_TIME, N(data_occupancy_ps), .max = PS_PER_US, .deflt = "1ns",
      .help = "The same for a message with a line." },
    { .key = "link_control_occupancy", .type = P_TIME, N(link_control_occupancy_ps), .max = PS_PER_US, .deflt = "1ns",
      .help = "Groups: how long a message without data keeps a link busy." },
    { .key = "link_data_occupancy", .type = P_TIME, N(link_data_occupancy_ps), .max = PS_PER_US, .deflt = "5ns",
      .help = "Groups: the same for a message with a line." },
    { .key = "slots", .type = P_UINT, .flags = PARAM_ADVANCED, N(slots_per_vnet), .max = 65535, .deflt = "0",
      .help = "Buffer slots per virtual network (and layer) at each link and eject port; 0: as many as never throttle." },
    { .key = NULL },
};
#undef N
