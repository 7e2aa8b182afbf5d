/* src/config/experiment.c - an experiment as a document. */
#include "src/config/experiment.h"

#include <stdio.h>
#include <string.h>

#include "src/config/find.h"

/* The fields of experiment_doc that are single values. */
const struct param experiment_params[] = {
    { .key = "title", .type = P_STRING, PARAM_FIELD(struct experiment_doc, title), .deflt = "",
      .help = "One line that says what the experiment shows; heads tables and plots." },
    { .key = "description", .type = P_STRING, PARAM_FIELD(struct experiment_doc, description), .deflt = "",
      .help = "What to look at, and why." },
    { .key = "seed", .type = P_UINT, PARAM_FIELD(struct experiment_doc, seed), .deflt = "1",
      .help = "Start of all random streams: equal seeds give equal results." },
    { .key = "repetitions", .type = P_UINT, PARAM_FIELD(struct experiment_doc, repetitions), .min = 1, .max = 1000,
      .deflt = "1", .help = "Runs of each point of a sweep, each with a seed derived from `seed`." },
    { .key = "limit", .type = P_TIME, PARAM_FIELD(struct experiment_doc, limit_ps), .min = 1, .max = UINT64_C(1) << 62,
      .help = "Simulated time after which the run ends even if agents have not finished." },
    { .key = NULL },
};

static bool starts_with_word(const char *path, const char *word)
{
    size_t n = strlen(word);
    return strncmp(path, word, n) == 0 && (path[n] == '=' || path[n] == '\0');
}

/* Assignments that decide which files are read. */
static bool decides_files(const char *set)
{
    return starts_with_word(set, "machine") || starts_with_word(set, "machine.base") || starts_with_word(set, "protocol");
}

/* What is to be changed in the file: assignments, then the coordinates of a point (axes NULL: none). */
struct changes {
    const char *const *sets;
    size_t sets_count;
    const struct sweep_axes *axes;
    uint64_t point;
};

static void apply(struct diag *diag, struct node *root, const struct changes *c, bool early)
{
    for (size_t i = 0; i < c->sets_count; i++)
        if (decides_files(c->sets[i]) == early)
            node_set(diag, root, c->sets[i]);
    for (size_t i = 0; c->axes && i < c->axes->axes_count; i++) {
        const struct sweep_axis *axis = &c->axes->axis[i];
        if (decides_files(axis->path) == early)
            node_set_path_at(diag, root, axis->path, axis->at, node_copy(root->arena, sweep_value_node(c->axes, c->point, i)));
    }
}

/* `machine: tiny` is short for `machine: { base: tiny }`, in a file and after --set. */
static void expand_machine_name(struct node *root)
{
    struct node *machine = node_peek(root, "machine");
    if (!machine || machine->kind != NODE_SCALAR || node_empty(machine))
        return;
    struct node *whole = node_mapping(root->arena, machine->at);
    node_put(whole, "base", machine->at, node_scalar(root->arena, machine->at, machine->text));
    node_put(root, "machine", machine->key_at, whole);
}

/* The machine's base is checked for sources as a machine of its own; overrides in an experiment need none. */
static struct node *merge_machine(struct arena *arena, struct diag *diag, struct node *root)
{
    static const char rule[] = "A machine is named, `machine: tiny`, or built on one, `machine: { base: tiny, cores: 4 }`.";
    struct node *machine = node_get(root, "machine");
    if (!machine) {
        diag_error(diag, root->at, "machine", rule, "this key is missing and has no default");
        return NULL;
    }
    if (!node_expect(diag, machine, NODE_MAPPING, rule))
        return NULL;
    struct node *base = node_get(machine, "base");
    if (!base)
        return machine;
    if (!node_expect(diag, base, NODE_SCALAR, "A base is the name or the path of one file."))
        return NULL;
    char path[PATH_MAX_BYTES];
    struct node *below = machine_load(arena, diag, base->text, base->at, node_path(base, path));
    if (!below)
        return NULL;
    node_remove(machine, "base");
    struct node *whole = node_merge(below, node_copy(arena, machine));
    node_put(root, "machine", machine->key_at, whole);
    whole->used = true;
    return whole;
}

/* What belongs to the description of a machine, not to the machine. */
static void use_machine_notes(struct node *machine)
{
    static const char *const notes[] = { "kind", "name", "title", "description", "sources", "claims" };
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++)
        node_use_all(node_get(machine, notes[i]));
}

static bool good_agent_name(const char *text)
{
    return strspn(text, "0123456789") < strlen(text) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")] == '\0';
}

static void check_agent(struct diag *diag, struct node *agent)
{
    static const char *const needed[] = { "name", "on", "program" };
    static const char *const help[] = {
        "--set, sweeps and results name an agent by its name.",
        "Where the agent runs: core0, core1- (to the last), core2-5, all, or a device.",
        "What the agent does; `labyrinth list programs` shows the choices.",
    };
    char path[PATH_MAX_BYTES], whole[PATH_MAX_BYTES + 16], quote[SHOWN_MAX];
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (node_peek(agent, needed[i]))
            continue;
        snprintf(whole, sizeof whole, "%s.%s", node_path(agent, path), needed[i]);
        diag_error(diag, agent->at, whole, help[i], "this key is missing and has no default");
    }
    struct node *name = node_get(agent, "name");
    if (name && node_expect(diag, name, NODE_SCALAR, help[0]) && !good_agent_name(name->text))
        node_error(diag, name, "A name has letters, digits, '-' and '_', and is not just a number.", "%s is no name",
                   shown(quote, name->text));
    for (const struct node *other = agent->parent->first; name && name->text && other != agent; other = other->next) {
        const struct node *taken = node_peek(other, "name");
        if (taken && taken->text && strcmp(taken->text, name->text) == 0)
            node_error(diag, name, help[0], "two agents are called %s", name->text); /* the machine says the same */
    }
}

static struct node *check_agents(struct diag *diag, struct node *root)
{
    static const char rule[] = "Agents are a list: - { name: owner, on: core0, program: exclusive-alloc }.";
    struct node *agents = node_get(root, "agents");
    if (!agents)
        diag_error(diag, root->at, "agents", rule, "this key is missing and has no default");
    else if (agents->count > AGENT_ENTRIES_MAX)
        node_error(diag, agents, "One entry may stand for many cores: on: core1-.", "more than 1024 entries");
    else if (node_expect(diag, agents, NODE_SEQUENCE, rule)) {
        for (struct node *agent = agents->first; agent; agent = agent->next)
            if (node_expect(diag, agent, NODE_MAPPING, rule))
                check_agent(diag, agent);
        return agents;
    }
    node_use_all(agents); /* its keys are not wrong because the whole is */
    return NULL;
}

static struct node *optional(struct diag *diag, struct node *root, const char *key, enum node_kind kind, const char *rule)
{
    struct node *node = node_get(root, key);
    if (!node || node_expect(diag, node, kind, rule))
        return node;
    node_use_all(node);
    return NULL;
}

static void read_parts(struct arena *arena, struct diag *diag, struct experiment_doc *doc)
{
    struct node *root = doc->root;
    struct param_ctx ctx = { .arena = arena, .diag = diag, .at = root->at };
    param_fill(root, experiment_params, doc, &ctx);
    doc->protocol = node_get(root, "protocol");
    if (node_empty(doc->protocol) && doc->protocol)
        node_expect(diag, doc->protocol, NODE_SCALAR, "A protocol is a name, mesi, or the path of a table of your own.");
    doc->kernel = optional(diag, root, "kernel", NODE_MAPPING, "The kernel is a mapping: { memory: 1GiB }.");
    doc->agents = check_agents(diag, root);
    doc->plots = optional(diag, root, "plots", NODE_SEQUENCE, "Plots are a list: - { x: machine.cores, y: alloc.atomic.p99_ns }.");
    doc->sweep = node_get(root, "sweep");
    node_use_all(doc->sweep);
    sweep_expand(arena, diag, root, doc->sweep, &doc->axes);
}

static bool load(struct arena *arena, struct diag *diag, const char *argument, const struct changes *changes,
                 struct experiment_doc *doc)
{
    *doc = (struct experiment_doc){ .argument = argument };
    doc->root = config_load(arena, diag, "experiments", "experiment", argument, (struct origin){ argument, 0, 0 }, NULL);
    if (!doc->root)
        return false;
    doc->path = doc->root->at.file;
    expand_machine_name(doc->root);
    apply(diag, doc->root, changes, true);
    expand_machine_name(doc->root);
    doc->machine = merge_machine(arena, diag, doc->root);
    if (!doc->machine) /* its keys are not wrong because its base is */
        node_use_all(node_peek(doc->root, "machine"));
    apply(diag, doc->root, changes, false);
    read_parts(arena, diag, doc);
    if (doc->machine)
        use_machine_notes(doc->machine);
    return diag_count(diag) == 0;
}

bool experiment_load(struct arena *arena, struct diag *diag, const char *argument, const char *const *sets, size_t sets_count,
                     struct experiment_doc *doc)
{
    return load(arena, diag, argument, &(struct changes){ sets, sets_count, NULL, 0 }, doc);
}

bool experiment_load_point(struct arena *arena, struct diag *diag, const char *argument, const char *const *sets,
                           size_t sets_count, const struct sweep_axes *axes, uint64_t point, struct experiment_doc *doc)
{
    return load(arena, diag, argument, &(struct changes){ sets, sets_count, axes, point }, doc);
}
