/* src/machine/schema.c - JSON Schema of experiment and machine files, from the parameter tables. */
#include "src/base/json.h"
#include "src/machine/private.h"

static void type_only(struct json *j, const char *key, const char *type, const char *text)
{
    json_object(j, key);
    if (type)
        json_string(j, "type", type);
    json_string(j, "description", text);
    json_end(j);
}

static void constant(struct json *j, const char *key, const char *value)
{
    json_object(j, key);
    json_string(j, "const", value);
    json_end(j);
}

/* Texts that a machine file may carry besides its numbers. */
static void machine_texts(struct json *j)
{
    type_only(j, "name", "string", "Name of the machine.");
    type_only(j, "title", "string", "One line for people.");
    type_only(j, "description", "string", "What the machine is and what is left out.");
    type_only(j, "base", "string", "Machine this one is built on: a name or a path.");
    type_only(j, "sources", "object", "Where each number comes from: key path to citation, or guess.");
    type_only(j, "claims", "array", "Published measurements that the machine reproduces within 5 %.");
}

static void machine_object(struct json *j, const char *key)
{
    json_object(j, key);
    json_string(j, "type", "object");
    json_object(j, "properties");
    constant(j, "kind", "machine");
    machine_texts(j);
    param_schema_properties(j, machine_params);
    json_end(j);
    json_bool(j, "additionalProperties", false);
    json_end(j);
}

/* What an agent may carry depends on its program: one alternative each. */
static void agent_alternatives(struct json *j)
{
    json_array(j, "oneOf");
    for (size_t i = 0; programs[i]; i++) {
        json_object(j, NULL);
        json_string(j, "description", programs[i]->sentence);
        json_string(j, "type", "object");
        json_object(j, "properties");
        for (const struct param *p = agent_params; p->key; p++)
            if (p->offset != offsetof(struct agent_keys, program)) {
                const struct param one[] = { *p, { .key = NULL } };
                param_schema_properties(j, one);
            }
        constant(j, "program", programs[i]->name);
        if (programs[i]->params)
            param_schema_properties(j, programs[i]->params);
        json_end(j);
        json_array(j, "required");
        json_string(j, NULL, "name");
        json_string(j, NULL, "on");
        json_string(j, NULL, "program");
        json_end(j);
        json_bool(j, "additionalProperties", false);
        json_end(j);
    }
    json_end(j);
}

static void experiment_object(struct json *j)
{
    json_object(j, NULL);
    json_string(j, "type", "object");
    json_object(j, "properties");
    constant(j, "kind", "experiment");
    param_schema_properties(j, experiment_params);
    json_object(j, "machine");
    json_array(j, "oneOf");
    type_only(j, NULL, "string", "Name or path of a machine file.");
    machine_object(j, NULL);
    json_end(j);
    json_end(j);
    type_only(j, "protocol", NULL, "Name or path of a protocol file, or the protocol itself.");
    json_object(j, "kernel");
    param_schema(j, kernel_params);
    json_end(j);
    json_object(j, "checks");
    param_schema(j, check_params);
    json_end(j);
    json_object(j, "agents");
    json_string(j, "type", "array");
    json_object(j, "items");
    agent_alternatives(j);
    json_end(j);
    json_end(j);
    type_only(j, "sweep", "object", "Axes: path to a list of values.");
    type_only(j, "plots", "array", "What `labyrinth plot` draws.");
    json_end(j);
    json_array(j, "required");
    json_string(j, NULL, "kind");
    json_string(j, NULL, "machine");
    json_end(j);
    json_bool(j, "additionalProperties", false);
    json_end(j);
}

void machine_schema(FILE *out)
{
    struct json j = json_writer(out, false);
    json_object(&j, NULL);
    json_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
    json_string(&j, "title", "Labyrinth configuration");
    json_array(&j, "oneOf");
    experiment_object(&j);
    machine_object(&j, NULL);
    json_end(&j);
    json_end(&j);
    json_finish(&j);
}
