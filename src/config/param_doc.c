/* src/config/param_doc.c - what a parameter table says about itself: JSON Schema and reference. */
#include <inttypes.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/json.h"
#include "src/base/table.h"
#include "src/config/param_internal.h"
#include "src/config/quantity.h"

static const char *const true_false[] = { "false", "true", NULL };

static void schema_enum(struct json *json, const char *const *choices)
{
    json_array(json, "enum");
    for (; *choices; choices++)
        json_string(json, NULL, *choices);
    json_end(json);
}

static void schema_set(struct json *json, const struct param *p)
{
    json_array(json, "oneOf");
    json_object(json, NULL);
    json_array(json, "enum");
    json_string(json, NULL, "none");
    json_string(json, NULL, "all");
    for (const char *const *c = p->choices; *c; c++)
        json_string(json, NULL, *c);
    json_end(json);
    json_end(json);
    json_object(json, NULL);
    json_string(json, "type", "array");
    json_object(json, "items");
    schema_enum(json, p->choices);
    json_end(json);
    json_end(json);
    json_end(json);
}

/* The texts quantity.c accepts; the range of a quantity with a unit is in its description. */
static void schema_number(struct json *json, const struct param *p)
{
    char range[RANGE_TEXT_MAX];
    if (p->type == P_UINT) {
        json_string(json, "type", "integer");
        json_u64(json, "minimum", p->min);
        json_u64(json, "maximum", param_max(p));
        return;
    }
    json_string(json, "type", "string");
    if (p->type == P_TIME)
        json_string(json, "pattern", "^(0|[1-9][0-9]*)(\\.[0-9]+)? ?([pnum]?s|cycles?)$");
    else
        json_string(json, "pattern", quantity_pattern(param_quantity(p)));
    json_string(json, "$comment", param_range_text(p, 0, range));
}

static void schema_default(struct json *json, const struct param *p)
{
    if (p->type == P_BOOL)
        json_bool(json, "default", strcmp(p->deflt, true_false[1]) == 0);
    else if (p->type == P_UINT)
        json_raw(json, "default", p->deflt);
    else
        json_string(json, "default", p->deflt);
}

static void schema_entry(struct json *json, const struct param *p)
{
    json_object(json, p->key);
    json_string(json, "description", p->help);
    if (p->type == P_GROUP) {
        param_schema(json, p->group);
    } else if (p->type == P_BOOL) {
        json_string(json, "type", "boolean");
    } else if (p->type == P_SET) {
        schema_set(json, p);
    } else if (p->type == P_CHOICE || p->type == P_STRING) {
        json_string(json, "type", "string");
        if (p->choices)
            schema_enum(json, p->choices);
    } else {
        schema_number(json, p);
    }
    if (p->deflt && !(p->flags & PARAM_REQUIRED))
        schema_default(json, p);
    json_end(json);
}

void param_schema_properties(struct json *json, const struct param *table)
{
    for (const struct param *p = table; p->key; p++)
        schema_entry(json, p);
}

static void schema_required(struct json *json, const struct param *table)
{
    bool any = false;
    for (const struct param *p = table; p->key; p++) {
        if (!(p->flags & PARAM_REQUIRED))
            continue;
        if (!any)
            json_array(json, "required");
        any = true;
        json_string(json, NULL, p->key);
    }
    if (any)
        json_end(json);
}

void param_schema(struct json *json, const struct param *table)
{
    json_string(json, "type", "object");
    json_object(json, "properties");
    param_schema_properties(json, table);
    json_end(json);
    schema_required(json, table);
    json_bool(json, "additionalProperties", false);
}

static const char *type_name(const struct param *p)
{
    static const char *const names[] = {
        [P_UINT] = "count", [P_BYTES] = "size", [P_TIME] = "time or cycles", [P_CYCLES] = "cycles",
        [P_HZ] = "frequency", [P_RATE] = "rate", [P_PERMYRIAD] = "percent", [P_BOOL] = "true or false",
        [P_CHOICE] = "choice", [P_SET] = "list of choices, none, all", [P_STRING] = "text", [P_GROUP] = "group",
    };
    return names[p->type];
}

/* One cell; the bar would end it. */
static void write_cell(FILE *out, const char *text)
{
    for (; *text; text++)
        fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void write_allowed(FILE *out, const struct param *p)
{
    char range[RANGE_TEXT_MAX];
    if (param_is_number(p))
        fprintf(out, "%s%s", param_range_text(p, 0, range), p->flags & PARAM_POW2 ? ", a power of two" : "");
    for (const char *const *c = p->choices; c && *c; c++) {
        fputs(c == p->choices ? "" : ", ", out);
        write_cell(out, *c);
    }
}

static void write_row(FILE *out, const char *prefix, const struct param *p)
{
    fprintf(out, "| `%s%s` | %s | ", prefix, p->key, type_name(p));
    write_allowed(out, p);
    fputs(" | ", out);
    write_cell(out, p->flags & PARAM_REQUIRED ? "must be given" : p->deflt && *p->deflt ? p->deflt : "none");
    fputs(" | ", out);
    write_cell(out, p->help);
    fputs(" |\n", out);
}

static void write_rows(FILE *out, const char *prefix, const struct param *table, bool advanced)
{
    for (const struct param *p = table; p->key; p++) {
        if (p->type == P_GROUP) {
            char below[PATH_MAX_BYTES];
            snprintf(below, sizeof below, "%.350s%.100s.", prefix, p->key);
            write_rows(out, below, p->group, advanced);
        } else if (((p->flags & PARAM_ADVANCED) != 0) == advanced) {
            write_row(out, prefix, p);
        }
    }
}

void param_manual(FILE *out, const char *title, const struct param *table)
{
    fprintf(out, "### %s\n\n| key | type | allowed | default | meaning |\n|---|---|---|---|---|\n", title);
    write_rows(out, "", table, false);
    write_rows(out, "", table, true);
    fputc('\n', out);
}

/* ---- one key */

const struct param *param_find(const struct param *table, const char *path)
{
    for (const struct param *p = table; p && p->key; p++) {
        size_t n = strlen(p->key);
        if (strncmp(p->key, path, n) != 0)
            continue;
        if (path[n] == '\0')
            return p;
        const struct param *below = path[n] == '.' && p->type == P_GROUP ? param_find(p->group, path + n + 1) : NULL;
        if (below)
            return below;
    }
    return NULL;
}

void param_each(const struct param *table, const char *prefix, void (*fn)(void *arg, const char *path, const struct param *), void *arg)
{
    for (const struct param *p = table; p->key; p++) {
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof path, "%.350s%.100s", prefix, p->key);
        fn(arg, path, p);
        if (p->type != P_GROUP)
            continue;
        strcat(path, ".");
        param_each(p->group, path, fn, arg);
    }
}

void param_explain(FILE *out, const char *path, const struct param *p)
{
    fprintf(out, "%s (configuration key)\n  what          ", path);
    print_wrapped(out, 16, 16, p->help);
    if (p->type == P_GROUP) {
        fputs("  keys below it\n", out);
        for (const struct param *q = p->group; q->key; q++) {
            fprintf(out, "    %-22s ", q->key);
            print_wrapped(out, 27, 27, q->help);
        }
        return;
    }
    const char *units = param_is_number(p) ? quantity_units(param_quantity(p)) : "";
    fprintf(out, "  value         %s%s%s\n", type_name(p), *units ? ": " : "", units);
    if (param_is_number(p) || p->choices) {
        fputs("  allowed       ", out);
        write_allowed(out, p);
        fputs(p->type == P_SET ? "; all, none\n" : "\n", out);
    }
    fprintf(out, "  default       %s\n",
            p->flags & PARAM_REQUIRED ? "none, it must be given" : !p->deflt ? "set by the program" : *p->deflt ? p->deflt : "none");
}
