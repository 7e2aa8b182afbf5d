/* src/machine/effective.c - the complete configuration of a run as YAML: every key, the protocol's table included.
 * Run again it gives the same order_hash.
 */
#include "src/machine/private.h"

#include "models/coherence/table.h"
#include "src/base/fail.h"
#include "src/config/read.h"

#include <inttypes.h>
#include <stdlib.h>

static struct origin nowhere(void) { return (struct origin){ .file = "effective configuration" }; }

static void put_text(struct machine *m, struct node *to, const char *key, const char *text)
{
    node_put(to, key, nowhere(), node_scalar(m->late, nowhere(), text));
}

static void merge_params(struct node *into, struct node *from)
{
    while (from->first) {
        struct node *n = from->first;
        const char *key = n->key;
        struct node *copy = node_copy(into->arena, n);
        node_remove(from, key);
        node_put(into, key, nowhere(), copy);
    }
}

static struct node *protocol_node(struct machine *m)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    CHECK_MEMORY(f, "out of host memory for the effective configuration");
    protocol_dump(f, m->protocol);
    fclose(f);
    struct diag *diag = diag_new();
    struct node *n = read_text(m->late, diag, nowhere(), text);
    CHECK(n, "the protocol's own dump does not parse");
    diag_free(diag);
    free(text);
    return n;
}

static struct node *agents_node(struct machine *m)
{
    struct node *list = node_sequence(m->late, nowhere());
    for (unsigned i = 0; i < m->entry_count; i++) {
        const struct agent_entry *e = &m->entries[i];
        struct node *n = param_node(m->late, agent_params, &e->keys);
        if (e->program->params)
            merge_params(n, param_node(m->late, e->program->params, e->desc));
        node_append(list, n);
    }
    return list;
}

void machine_effective(struct machine *m)
{
    struct node *root = node_mapping(m->late, nowhere());
    put_text(m, root, "kind", "experiment");
    if (*m->doc->title)
        put_text(m, root, "title", m->doc->title);
    put_text(m, root, "seed", arena_printf(m->late, "%" PRIu64, m->doc->seed));
    if (m->doc->limit_ps)
        put_text(m, root, "limit", arena_printf(m->late, "%" PRIu64 "ps", m->doc->limit_ps));
    node_put(root, "machine", nowhere(), param_node(m->late, machine_params, &m->desc));
    node_put(root, "kernel", nowhere(), param_node(m->late, kernel_params, &m->kernel_keys));
    node_put(root, "checks", nowhere(), param_node(m->late, check_params, &m->checks));
    node_put(root, "agents", nowhere(), agents_node(m));
    node_put(root, "protocol", nowhere(), protocol_node(m));
    m->result.effective = emit_text(m->late, root);
    m->result.config_digest = arena_printf(m->late, "%016" PRIx64, config_digest(m->result.effective));
}
