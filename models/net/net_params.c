/* models/net/net_params.c - what a machine file may say about its network. The machine adds nodes, tiles and
 * jitter. */
#include "models/net/net.h"

static const char *const topologies[] = { "crossbar", "mesh", NULL }; /* in the order of enum net_topology */

const struct param net_params[] = {
    { .key = "topology", .type = P_CHOICE, PARAM_FIELD(struct net_desc, topology), .deflt = "crossbar", .choices = topologies,
      .help = "crossbar: one wire between any two nodes; mesh: tiles in rows and columns, X before Y." },
    { .key = "columns", .type = P_UINT, PARAM_FIELD(struct net_desc, columns), .min = 1, .max = NET_TILES_MAX, .deflt = "1",
      .help = "Tiles in a row of the mesh." },
    { .key = "rows", .type = P_UINT, PARAM_FIELD(struct net_desc, rows), .min = 1, .max = NET_TILES_MAX, .deflt = "1",
      .help = "Rows of the mesh." },
    { .key = "hop", .type = P_TIME, PARAM_FIELD(struct net_desc, hop_ps), .min = 1, .max = PS_PER_US, .deflt = "10ns",
      .help = "Time on one link of the mesh, router included; in a crossbar the whole way." },
    { .key = "inject", .type = P_TIME, PARAM_FIELD(struct net_desc, inject_ps), .min = 1, .max = PS_PER_US, .deflt = "0.5ns",
      .help = "Mesh: time from a node to its tile." },
    { .key = "control_occupancy", .type = P_TIME, PARAM_FIELD(struct net_desc, control_occupancy_ps), .max = PS_PER_US,
      .deflt = "0.25ns", .help = "How long a message without data keeps a port or link busy." },
    { .key = "data_occupancy", .type = P_TIME, PARAM_FIELD(struct net_desc, data_occupancy_ps), .max = PS_PER_US,
      .deflt = "1ns", .help = "How long a message with a line keeps a port or link busy." },
    { .key = "slots", .type = P_UINT, .flags = PARAM_ADVANCED, PARAM_FIELD(struct net_desc, slots_per_vnet), .max = 65535,
      .deflt = "0", .help = "Buffer slots per virtual network at each link and eject port; 0: as many as never throttle." },
    { .key = NULL },
};
