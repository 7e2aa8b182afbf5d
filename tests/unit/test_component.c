/* tests/unit/test_component.c - registration, digests, questions to all parts. */
#include "src/sim/component.h"

#include <criterion/criterion.h>
#include <stdlib.h>

static struct component_list list;
static struct component a, b, c;
static bool busy;
static unsigned checks;

static bool idle(const struct component *who) { return who != &b || !busy; }
static void why(const struct component *who, FILE *out) { fprintf(out, "%s waits\n", who->name); }
static void check(const struct component *who) { checks += who->id + 1; }
static const struct component_ops ops = { idle, why, check };

static void set_up(void)
{
    component_register(&list, &a, "a", &ops);
    component_register(&list, &b, "b", &ops);
    component_register(&list, &c, "c", NULL);
}

TestSuite(component, .init = set_up);

Test(component, ids_are_registration_order)
{
    cr_assert(a.id == 0 && b.id == 1 && c.id == 2 && list.count == 3);
    cr_assert(list.first == &a && a.next == &b && b.next == &c && list.last == &c);
}

Test(component, busy_ones_are_named)
{
    char *text;
    size_t bytes;
    cr_assert(components_idle(&list));
    busy = true;
    cr_assert_not(components_idle(&list));
    FILE *out = open_memstream(&text, &bytes);
    components_why_busy(&list, out);
    fclose(out);
    cr_assert_str_eq(text, "b waits\n");
    free(text);
    components_check(&list);
    cr_assert_eq(checks, 3);
}

static uint64_t hash_of(const unsigned order[4], tick first, uint64_t value)
{
    static const tick when[] = { 0, 5, 6, 7 };
    struct component *who[] = { &a, &a, &b, &b };
    a.op_hash = a.op_count = b.op_hash = b.op_count = 0;
    for (unsigned i = 0; i < 4; i++) {
        unsigned k = order[i];
        component_op(who[k], k == 0 ? first : when[k], k, 64 * k, k == 3 ? value : k);
    }
    return components_order_hash(&list);
}

/* Running ahead changes how operations of different components interleave on the host, nothing else may. */
Test(component, digest_ignores_interleaving_only)
{
    static const unsigned straight[] = { 0, 1, 2, 3 }, mixed[] = { 2, 0, 3, 1 }, swapped[] = { 1, 0, 2, 3 };
    uint64_t h = hash_of(straight, 1, 9);
    cr_assert_eq(components_op_count(&list), 4);
    cr_assert_eq(hash_of(mixed, 1, 9), h);
    cr_assert_neq(hash_of(swapped, 1, 9), h);
    cr_assert_neq(hash_of(straight, 2, 9), h);
    cr_assert_neq(hash_of(straight, 1, 8), h);
}
