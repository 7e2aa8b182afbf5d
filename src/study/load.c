/* src/study/load.c - see load.h. */
#include "src/study/load.h"

#include <inttypes.h>

#include "src/config/emit.h"
#include "src/config/find.h"

/* In place of a machine that could not be read: one that every agent fits on, so that nothing is said about cores
 * and devices that nobody knows. */
static struct node *widest_machine(struct study_doc *study)
{
    struct node *machine = node_mapping(study->arena, study->doc.root->at);
    struct node *devices = node_mapping(study->arena, machine->at);
    node_put(devices, "count", machine->at, node_scalar(study->arena, machine->at, "16"));
    node_put(machine, "devices", machine->at, devices);
    node_put(machine, "cores", machine->at, node_scalar(study->arena, machine->at, "256"));
    return machine;
}

/* Reads on behind an error: with errors there, no machine is made. */
static void find_more_errors(struct study_doc *study)
{
    struct run_options options = run_options_default();
    if (!study->doc.root)
        return;
    if (!study->doc.machine)
        study->doc.machine = widest_machine(study);
    struct machine *m = machine_new(&study->doc, &options, study->diag);
    if (m)
        machine_free(m);
}

static bool finish_load(struct study_doc *study)
{
    plots_read(study->arena, study->diag, study->doc.plots, &study->doc.axes, &study->plots);
    if (diag_count(study->diag) == 0)
        return true;
    find_more_errors(study);
    return false;
}

bool study_load_point(struct study_doc *study, const char *argument, const char *const *sets, size_t sets_count,
                      const struct sweep_axes *axes, uint64_t point)
{
    *study = (struct study_doc){ .arena = arena_new(), .diag = diag_new() };
    experiment_load_point(study->arena, study->diag, argument, sets, sets_count, axes, point, &study->doc);
    return finish_load(study);
}

bool study_load(struct study_doc *study, const char *argument, const char *const *sets, size_t sets_count)
{
    return study_load_point(study, argument, sets, sets_count, NULL, 0);
}

static void check_point(struct study_doc *study, const char *const *sets, size_t sets_count, uint64_t number,
                        const struct run_options *options)
{
    struct study_doc point;
    const struct sweep_axes *axes = &study->doc.axes;
    if (study_load_point(&point, study->doc.argument, sets, sets_count, axes, number)) {
        struct machine *m = machine_new(&point.doc, options, point.diag);
        if (m)
            machine_free(m);
    }
    diag_merge(study->diag, point.diag, arena_printf(point.arena, "At the point %s.", sweep_point_text(point.arena, axes, number)));
    study_unload(&point);
}

bool study_check_points(struct study_doc *study, const char *const *sets, size_t sets_count, const struct run_options *options)
{
    const struct sweep_axes *axes = &study->doc.axes;
    for (uint64_t number = 0; axes->axes_count > 0 && number < axes->points_count; number++)
        check_point(study, sets, sets_count, number, options);
    return diag_count(study->diag) == 0;
}

void study_unload(struct study_doc *study)
{
    diag_free(study->diag);
    arena_free(study->arena);
}

/* A copy of the root with the protocol's table in place of its name; NULL after an error. */
static struct node *with_protocol(struct study_doc *study)
{
    struct node *root = node_copy(study->arena, study->doc.root);
    struct node *protocol = node_peek(root, "protocol");
    if (protocol && protocol->kind == NODE_SCALAR) {
        struct node *table = config_load(study->arena, study->diag, "protocols", "protocol", protocol->text, protocol->at,
                                         "protocol");
        if (!table)
            return NULL;
        node_put(root, "protocol", protocol->key_at, node_copy(study->arena, table));
    }
    return root;
}

static struct node *identity_node(struct study_doc *study)
{
    static const char *const other[] = { "seed", "repetitions", "sweep", "plots", "title", "description" };
    struct node *root = with_protocol(study);
    for (size_t i = 0; root && i < sizeof other / sizeof *other; i++)
        node_remove(root, other[i]);
    return root;
}

const char *study_identity(struct study_doc *study)
{
    struct node *root = identity_node(study);
    return root ? emit_text(study->arena, root) : NULL;
}

const char *study_fingerprint(struct study_doc *study)
{
    struct node *root = identity_node(study);
    const char *paths = "";
    for (size_t i = 0; root && i < study->doc.axes.axes_count; i++) {
        const char *path = study->doc.axes.axis[i].path;
        node_set_path(study->diag, root, path, node_scalar(study->arena, root->at, "swept"));
        paths = arena_printf(study->arena, "%s%s\n", paths, path);
    }
    if (!root || diag_count(study->diag) > 0)
        return NULL;
    const char *all = arena_printf(study->arena, "%s%sseed %" PRIu64, emit_text(study->arena, root), paths, study->doc.seed);
    return arena_printf(study->arena, "%016" PRIx64, config_digest(all));
}

const char *study_effective(struct study_doc *study)
{
    struct node *root = with_protocol(study);
    return root ? emit_text(study->arena, root) : NULL;
}
