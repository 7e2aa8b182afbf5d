/* src/study/load.c - see load.h. */
#include "src/study/load.h"

#include "src/config/emit.h"
#include "src/config/find.h"

bool study_load(struct study_doc *study, const char *argument, const char *const *sets, size_t sets_count)
{
    study->arena = arena_new();
    study->diag = diag_new();
    study->plots = (struct plots){ 0 };
    if (!experiment_load(study->arena, study->diag, argument, sets, sets_count, &study->doc))
        return false;
    return plots_read(study->arena, study->diag, study->doc.plots, &study->doc.axes, &study->plots);
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

const char *study_identity(struct study_doc *study)
{
    static const char *const other[] = { "seed", "repetitions", "sweep", "plots", "title", "description" };
    struct node *root = with_protocol(study);
    if (!root)
        return NULL;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        node_remove(root, other[i]);
    return emit_text(study->arena, root);
}

const char *study_effective(struct study_doc *study)
{
    struct node *root = with_protocol(study);
    return root ? emit_text(study->arena, root) : NULL;
}
