/* src/config/experiment.h - an experiment as a document: parts found, bases merged, --set applied.
 * What stands inside machine, kernel and agents is read by the floors that own it, with node_get and
 * param_fill; when all have read, the caller ends with node_reject_unread(diag, doc.root).
 */
#ifndef LAB_CONFIG_EXPERIMENT_H
#define LAB_CONFIG_EXPERIMENT_H

#include "src/config/node.h"
#include "src/config/param.h"
#include "src/config/sweep_axes.h"

enum { AGENT_ENTRIES_MAX = 1024 };

struct experiment_doc {
    const char *argument;      /* as the user named it */
    const char *path;          /* the file it is */
    struct node *root;
    struct node *machine;      /* mapping: base merged with overrides */
    struct node *protocol;     /* scalar: name or path, relative to its own at.file; mapping: the table itself; NULL: not given */
    struct node *kernel;       /* mapping or NULL */
    struct node *agents;       /* list of at most 1024 mappings, each with name, on, program */
    struct node *sweep;        /* mapping or NULL; marked as read */
    struct node *plots;        /* list of mappings or NULL; not read here */
    struct sweep_axes axes;
    const char *title, *description; /* "" if not given */
    uint64_t seed, repetitions, limit_ps; /* limit_ps 0: none */
};

/* The single values of an experiment, for schema and reference. */
extern const struct param experiment_params[];

/* sets: "path=value", in order, later ones win. Assignments to machine, machine.base and protocol are made
 * before the base is merged, the others after, so that they reach into what the base brings. False
 * if diag holds any error; what is not NULL in doc may still be read, to find more errors in the same run. */
bool experiment_load(struct arena *, struct diag *, const char *argument, const char *const *sets, size_t sets_count,
                     struct experiment_doc *doc);

/* The same at one point of a sweep: after sets, the values of the axes, which keep the places where they are written. */
bool experiment_load_point(struct arena *, struct diag *, const char *argument, const char *const *sets, size_t sets_count,
                           const struct sweep_axes *axes, uint64_t point, struct experiment_doc *doc);

#endif
