/* tests/unit/test_litmus_rig.h - litmus tests from strings, and sets of final states as text. */
#ifndef LAB_TEST_LITMUS_RIG_H
#define LAB_TEST_LITMUS_RIG_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/work/litmus/enumerate.h"

struct parsed { struct arena *arena; struct diag *diag; struct litmus_test *test; };

static inline struct parsed parsed_text(const char *text)
{
    struct parsed p = { .arena = arena_new(), .diag = diag_new() };
    p.test = litmus_parse(p.arena, p.diag, "t.litmus", text, strlen(text));
    return p;
}

static inline struct parsed good_text(const char *text)
{
    struct parsed p = parsed_text(text);
    if (!p.test)
        diag_print(p.diag, stderr);
    cr_assert_not_null(p.test, "not understood:\n%s", text);
    return p;
}

static inline void parsed_free(struct parsed *p)
{
    diag_free(p->diag);
    arena_free(p->arena);
}

/* All states, each ended by a newline; in the order of their values. */
static inline char *states_text(const struct litmus_test *t, struct outcomes *o)
{
    char *text, state[LIT_STATE_BYTES];
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    outcomes_sort(o);
    for (size_t i = 0; i < o->count; i++)
        fprintf(out, "%s\n", litmus_state_text(t, outcome_at(o, i), state));
    fclose(out);
    return text;
}

static inline char *allowed_states(const char *text, enum lit_model model)
{
    struct parsed p = good_text(text);
    struct outcomes o;
    outcomes_init(&o, p.test->observed_count);
    struct lit_search s = litmus_enumerate(p.test, model, 1000000, &o);
    cr_assert_eq(s.end, LIT_SEARCHED, "%s", text);
    char *states = states_text(p.test, &o);
    outcomes_free(&o);
    parsed_free(&p);
    return states;
}

#endif
