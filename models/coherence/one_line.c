/* models/coherence/one_line.c - one line as a model: every agent may begin anything at any time, and the home may recall
 * the line at any time.
 */
#include "models/coherence/world.h"

static void first(const struct model *m, void *world) { world_first((const struct space *)m, world); }

static unsigned moves_of(const struct model *m, const void *world, struct move moves[MODEL_MOVES_MAX])
{
    const struct space *x = (const struct space *)m;
    unsigned n = world_deliveries(x, world, moves);
    for (unsigned a = 0; a < x->agents; a++)
        n += world_core_events(x, ((const struct world *)world)->line[a].state, a, moves + n);
    if (x->recalls)
        moves[n++] = (struct move){ .kind = MOVE_OWN, .event = HEV_RECALL };
    if (x->demotes)
        moves[n++] = (struct move){ .kind = MOVE_OWN, .event = HEV_DEMOTE };
    if (world_may_forget(x, world))
        moves[n++] = (struct move){ .kind = MOVE_OWN, .event = EVENT_FORGET };
    return n;
}

static enum fired fire(struct model *m, const void *from, struct move move, void *to)
{
    return world_fire((struct space *)m, from, move, to);
}

static bool quiet(const struct model *m, const void *world) { return world_quiet((const struct space *)m, world); }

static bool silent(const struct model *m, const void *world)
{
    (void)m;
    return ((const struct world *)world)->n_messages == 0;
}

static bool agrees(struct model *m, const void *world) { return world_agrees((struct space *)m, world); }

static void print_move(FILE *out, struct model *m, const void *from, struct move move, const void *to)
{
    world_print_move(out, (struct space *)m, from, move, to);
}

const struct model_ops one_line_ops = {
    .world_bytes = sizeof(struct world), .first = first, .pack = world_pack, .unpack = world_unpack, .moves = moves_of,
    .fire = fire, .quiet = quiet, .silent = silent, .agrees = agrees, .print_move = print_move,
};
