/* models/coherence/levels_print.c - two levels told: names, and one line of a counter-example. */
#include "models/coherence/levels.h"

/* ---- names */

const char *levels_cache_name(unsigned cluster, unsigned cache)
{
    static const char *const names[EXPLORE_CLUSTERS_MAX][EXPLORE_INNER_MAX] = {
        { "cache 0.0", "cache 0.1", "cache 0.2" }, { "cache 1.0", "cache 1.1", "cache 1.2" },
        { "cache 2.0", "cache 2.1", "cache 2.2" },
    };
    return names[cluster][cache];
}

const char *levels_node_name(unsigned cluster)
{
    static const char *const names[EXPLORE_CLUSTERS_MAX] = { "node 0", "node 1", "node 2" };
    return names[cluster];
}

const char *levels_upper_name(unsigned cluster)
{
    static const char *const names[EXPLORE_CLUSTERS_MAX] = { "upper cache 0", "upper cache 1", "upper cache 2" };
    return names[cluster];
}

/* list: 0 between nodes and the global home, 1 + cluster inside. */
const char *levels_agent_name(const struct levels_space *l, unsigned list, int agent)
{
    if (list == 0)
        return agent < 0 ? "home" : agent < (int)l->clusters ? levels_node_name((unsigned)agent) : "device";
    return agent < 0 ? levels_node_name(list - 1) : levels_cache_name(list - 1, (unsigned)agent);
}

/* ---- telling it */

static const char *print_list(FILE *out, const struct levels_space *l, const struct message_list *list, unsigned number, const char *before)
{
    for (unsigned i = 0; i < list->n; i++) {
        const struct flight *m = &list->m[i];
        fprintf(out, "%s%s", before, msg_infos[m->kind].name);
        if (m->to != m->requester)
            fprintf(out, " of %s", levels_agent_name(l, number, m->requester));
        fprintf(out, " to %s", levels_agent_name(l, number, m->to));
        if (m->acks > 0)
            fprintf(out, " (%d acks)", m->acks);
        if (msg_infos[m->kind].data && !m->current)
            fputs(" (stale)", out);
        before = ", ";
    }
    return before;
}

static void print_node(FILE *out, const struct protocol *p, const struct cluster_line *n)
{
    fprintf(out, "%s/%s", p->table[CTL_HOME].name[n->home.state], p->table[CTL_CACHE].name[n->upper.state]);
}

/* Who moves and by which event, and his state before and after: of a node that of its home and of its upper cache. */
void levels_print_move(FILE *out, struct model *m, const void *before, struct move move, const void *after)
{
    const struct levels_space *l = (const struct levels_space *)m;
    const struct levels *from = before, *to = after;
    const struct protocol *p = l->x.p;
    bool inside = move.kind != MOVE_CORE && move.line > 0;
    int agent = move.kind == MOVE_CORE ? move.index : AT_HOME;
    unsigned list = move.line;
    const char *event = move.kind == MOVE_CORE || move.line ? cache_event_name(move.event) : home_event_name(move.event);
    if (move.kind == MOVE_DELIVER) {
        const struct flight *f = &(inside ? &from->cluster[move.line - 1].inner : &from->outer)->m[move.index];
        agent = f->to;
        event = msg_infos[f->kind].name;
    }
    fprintf(out, "%-9s %-10s ", levels_agent_name(l, list, agent), event);
    bool device = list == 0 && agent == (int)l->clusters;
    bool node = list ? agent < 0 : agent >= 0 && !device;
    unsigned c = list ? list - 1 : (unsigned)agent;
    if (node) {
        print_node(out, p, &from->cluster[c].node);
        fputs(" > ", out);
        print_node(out, p, &to->cluster[c].node);
    } else if (list || device) {
        const struct cache_line *old = list ? &from->cluster[c].line[agent] : &from->device;
        const struct cache_line *new = list ? &to->cluster[c].line[agent] : &to->device;
        fprintf(out, "%s > %s", p->table[CTL_CACHE].name[old->state], p->table[CTL_CACHE].name[new->state]);
    } else {
        fprintf(out, "%s > %s", p->table[CTL_HOME].name[from->home.state], p->table[CTL_HOME].name[to->home.state]);
    }
    const char *next = print_list(out, l, &to->outer, 0, "   in flight: ");
    for (unsigned k = 0; k < l->clusters; k++)
        next = print_list(out, l, &to->cluster[k].inner, k + 1, next);
    fputs(*next == ',' ? "\n" : "   in flight: nothing\n", out);
}
