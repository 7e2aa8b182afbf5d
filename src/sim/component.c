/* src/sim/component.c - the list of a machine's parts, and questions put to all of them. */
#include "src/sim/component.h"

#include "src/base/fail.h"

enum { COMPONENTS_MAX = 1 << 14 }; /* the id has 14 bits in an event's order */

void component_register(struct component_list *list, struct component *c, const char *name,
                        const struct component_ops *ops)
{
    CHECK(list->count < COMPONENTS_MAX, "component_register: more than %d components", COMPONENTS_MAX);
    *c = (struct component){ .name = name, .id = list->count++, .ops = ops };
    if (list->last)
        list->last->next = c;
    else
        list->first = c;
    list->last = c;
}

uint64_t components_order_hash(const struct component_list *list)
{
    uint64_t h = 0;
    for (const struct component *c = list->first; c; c = c->next)
        if (c->op_count) {
            h = hash_chain(h, c->id);
            h = hash_chain(h, c->op_count);
            h = hash_chain(h, c->op_hash);
        }
    return mix64(h);
}

uint64_t components_op_count(const struct component_list *list)
{
    uint64_t sum = 0;
    for (const struct component *c = list->first; c; c = c->next)
        sum += c->op_count;
    return sum;
}

bool components_idle(const struct component_list *list)
{
    for (const struct component *c = list->first; c; c = c->next)
        if (c->ops && c->ops->idle && !c->ops->idle(c))
            return false;
    return true;
}

void components_why_busy(const struct component_list *list, FILE *out)
{
    for (const struct component *c = list->first; c; c = c->next)
        if (c->ops && c->ops->why_busy && (!c->ops->idle || !c->ops->idle(c)))
            c->ops->why_busy(c, out);
}

void components_check(const struct component_list *list)
{
    for (const struct component *c = list->first; c; c = c->next)
        if (c->ops && c->ops->check)
            c->ops->check(c);
}
