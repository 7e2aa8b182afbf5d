/* src/cli/litmus.h - what labyrinth litmus found out about one test, and how it is told. */
#ifndef LAB_CLI_LITMUS_H
#define LAB_CLI_LITMUS_H

#include <stdio.h>

#include "src/base/json.h"
#include "src/base/table.h"
#include "src/work/litmus/enumerate.h"

struct litmus_report {
    const struct litmus_test *test;
    uint64_t runs;                  /* final states observed, filtered ones left out */
    struct outcomes tso, sc, seen;  /* allowed by x86-TSO and by sequential consistency; observed */
    uint64_t search_states;
    bool judged_by_sc;              /* the machine has no store buffers */
    /* from the above, by litmus_report_finish */
    size_t allowed, allowed_seen;   /* by the model that judges */
    size_t tso_only, tso_only_seen; /* SC forbids them */
    uint64_t forbidden;             /* runs that ended in a state the model forbids */
    uint64_t positive;              /* runs whose final state fulfils the condition */
};

void litmus_report_finish(struct litmus_report *);
void litmus_report_free(struct litmus_report *);
/* Histogram, herd's words for the condition, coverage. */
void litmus_report_text(FILE *, const struct litmus_report *);
void litmus_report_json(struct json *, const struct litmus_report *);
/* One row per test, then coverage over all tests. */
void litmus_summary_text(FILE *, const struct litmus_report *, size_t count);

#endif
