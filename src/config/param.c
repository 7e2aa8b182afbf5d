/* src/config/param.c - parameter tables: filling descriptors from trees, and trees from descriptors. */
#include "src/config/param.h"

#include <string.h>

#include "src/base/fail.h"
#include "src/config/param_internal.h"
#include "src/config/quantity.h"

bool param_is_number(const struct param *p)
{
    return p->type <= P_PERMYRIAD;
}

enum quantity param_quantity(const struct param *p)
{
    static const enum quantity kinds[] = {
        [P_UINT] = Q_COUNT, [P_BYTES] = Q_BYTES, [P_TIME] = Q_TIME, [P_CYCLES] = Q_CYCLES,
        [P_HZ] = Q_HZ, [P_RATE] = Q_RATE, [P_PERMYRIAD] = Q_PERMYRIAD,
    };
    CHECK(param_is_number(p), "parameter %s is no number", p->key);
    return kinds[p->type];
}

static size_t width_of(const struct param *p)
{
    static const size_t usual[] = {
        [P_BOOL] = sizeof(bool), [P_CHOICE] = sizeof(int), [P_SET] = sizeof(uint64_t), [P_STRING] = sizeof(char *), [P_GROUP] = 0
    };
    return p->width ? p->width : param_is_number(p) ? sizeof(uint64_t) : usual[p->type];
}

uint64_t param_max(const struct param *p)
{
    uint64_t field_max = UINT64_MAX >> (64 - 8 * width_of(p));
    return p->max && p->max < field_max ? p->max : field_max;
}

static void store_number(const struct param *p, void *field, uint64_t value)
{
    switch (width_of(p)) {
    case 1: *(uint8_t *)field = (uint8_t)value; break;
    case 2: *(uint16_t *)field = (uint16_t)value; break;
    case 4: *(uint32_t *)field = (uint32_t)value; break;
    default: *(uint64_t *)field = value; break;
    }
}

static uint64_t fetch_number(const struct param *p, const void *field)
{
    switch (width_of(p)) {
    case 1: return *(const uint8_t *)field;
    case 2: return *(const uint16_t *)field;
    case 4: return *(const uint32_t *)field;
    default: return *(const uint64_t *)field;
    }
}

const char *param_range_text(const struct param *p, uint32_t period_ps, char buffer[RANGE_TEXT_MAX])
{
    char low[QUANTITY_TEXT_MAX], high[QUANTITY_TEXT_MAX];
    enum quantity q = param_quantity(p);
    uint64_t min = p->min, max = param_max(p);
    bool bounded = max != UINT64_MAX;
    if (period_ps) { /* the user wrote cycles: answer in cycles, limits rounded inwards */
        q = Q_CYCLES;
        min = (min + period_ps - 1) / period_ps;
        max /= period_ps;
    }
    if (bounded)
        snprintf(buffer, RANGE_TEXT_MAX, "%s to %s", quantity_format(min, q, low), quantity_format(max, q, high));
    else
        snprintf(buffer, RANGE_TEXT_MAX, "%s or more", quantity_format(min, q, low));
    return buffer;
}

static bool check_power(const struct node *node, const struct param *p, uint64_t value, const struct param_ctx *ctx)
{
    if (!(p->flags & PARAM_POW2) || (value & (value - 1)) == 0) /* 0 passes here, the range decides */
        return true;
    char quote[SHOWN_MAX], below[QUANTITY_TEXT_MAX], above[QUANTITY_TEXT_MAX], range[RANGE_TEXT_MAX];
    uint64_t floor = UINT64_C(1) << (63 - __builtin_clzll(value));
    enum quantity q = param_quantity(p);
    uint64_t next = floor <= UINT64_MAX / 2 ? floor * 2 : floor;
    node_error(ctx->diag, node, p->help, "%s is not a power of two (nearest: %s and %s; allowed: %s)",
               shown(quote, node->text), quantity_format(floor, q, below), quantity_format(next, q, above),
               param_range_text(p, 0, range));
    return false;
}

/* The nearest clock above the node, or above where the table is read. */
static const struct node *clock_above(const struct node *node, const struct param_ctx *ctx)
{
    const struct node *start = node->parent ? node->parent : ctx->above;
    for (const struct node *n = start; n; n = n->parent) {
        const struct node *clock = node_peek(n, "clock");
        if (clock && clock->kind == NODE_SCALAR)
            return clock;
    }
    return NULL;
}

static const char built_in[] = "built-in default";

/* Did it come from elsewhere into a mapping that a base, or the file, brought along? */
static bool overrides(const struct node *node)
{
    return node->parent && strcmp(node->at.file, node->parent->at.file) != 0;
}

/* A number of cycles that was fine where it was written leaves its range because somebody else changed the clock: that
 * is the place to tell, once for all numbers that depend on it. */
static bool blame_clock(const struct node *node, const struct param *p, const struct param_ctx *ctx)
{
    const struct node *clock = clock_above(node, ctx);
    char path[PATH_MAX_BYTES], quote[SHOWN_MAX], range[RANGE_TEXT_MAX], rule[PATH_MAX_BYTES + 200];
    if (!clock || !(strcmp(node->at.file, built_in) == 0 || (overrides(clock) && !overrides(node))))
        return false;
    if (strcmp(node->at.file, built_in) == 0 && ctx->path) /* its mapping may not exist */
        snprintf(path, sizeof path, "%.400s.%.100s", ctx->path, p->key);
    else
        node_path(node, path);
    snprintf(rule, sizeof rule, "For example %.300s: %.40s is out of range at this clock (allowed: %s).", path,
             node->text, param_range_text(p, ctx->period_ps, range));
    node_error(ctx->diag, clock, rule, "with %s numbers given in cycles leave their range", shown(quote, clock->text));
    return true;
}

static bool parse_number(const struct node *node, const struct param *p, void *field, const struct param_ctx *ctx)
{
    uint64_t value = 0;
    struct complaint c;
    bool good = p->type == P_TIME ? quantity_parse_time(node->text, ctx->period_ps, &value, &c)
                                  : quantity_parse(node->text, param_quantity(p), &value, &c);
    if (!good) {
        node_error(ctx->diag, node, c.rule, "%s", c.what);
        return false;
    }
    if (value < p->min || value > param_max(p)) {
        char quote[SHOWN_MAX], range[RANGE_TEXT_MAX];
        bool cycles = p->type == P_TIME && quantity_in_cycles(node->text);
        if (cycles && blame_clock(node, p, ctx))
            return false;
        node_error(ctx->diag, node, p->help, "%s is out of range (allowed: %s)", shown(quote, node->text),
                   param_range_text(p, cycles ? ctx->period_ps : 0, range));
        return false;
    }
    if (!check_power(node, p, value, ctx))
        return false;
    store_number(p, field, value);
    return true;
}

enum { CHOICES_MAX = 64 };

size_t param_choices_count(const struct param *p)
{
    size_t n = 0;
    while (p->choices[n])
        n++;
    return n;
}

/* Index of the text among the choices, or -1 after an error at `node`. */
static int find_choice(const struct node *node, const char *text, const struct param *p, const struct param_ctx *ctx)
{
    int i = choice_parse(text, p->choices);
    char quote[SHOWN_MAX];
    if (i < 0) {
        const char *known[CHOICES_MAX + 2];
        size_t n = 0;
        while (n < CHOICES_MAX && p->choices[n]) {
            known[n] = p->choices[n];
            n++;
        }
        if (p->type == P_SET && !(node->parent && node->parent->kind == NODE_SEQUENCE)) { /* they stand alone */
            known[n++] = "all";
            known[n++] = "none";
        }
        node_error(ctx->diag, node, p->help, "%s is not one of the choices", shown(quote, text));
        diag_suggest(ctx->diag, text, known, n);
    }
    return i;
}

static uint64_t whole_set(const struct param *p)
{
    return UINT64_MAX >> (64 - param_choices_count(p));
}

/* "a, b": adds to the set; false after an error. */
static bool add_words(const struct node *node, const struct param *p, uint64_t *set, const struct param_ctx *ctx)
{
    const char *text = node->text + strspn(node->text, ", ");
    while (*text) {
        char word[SHOWN_MAX];
        size_t bytes = strcspn(text, ", ");
        snprintf(word, sizeof word, "%.*s", (int)(bytes < sizeof word ? bytes : sizeof word), text);
        int i = find_choice(node, word, p, ctx);
        if (i < 0)
            return false;
        *set |= UINT64_C(1) << i;
        text += bytes;
        text += strspn(text, ", ");
    }
    return true;
}

static bool parse_set(const struct node *node, const struct param *p, void *field, const struct param_ctx *ctx)
{
    uint64_t set = 0;
    bool good = true, list = node->kind == NODE_SEQUENCE;
    if (!list && !node_expect(ctx->diag, node, NODE_SCALAR, p->help))
        return false;
    if (!list && strcmp(node->text, "all") == 0)
        set = whole_set(p);
    else if (!list && strcmp(node->text, "none") != 0)
        good = add_words(node, p, &set, ctx);
    for (const struct node *item = node->first; item; item = item->next)
        good = node_expect(ctx->diag, item, NODE_SCALAR, p->help) && add_words(item, p, &set, ctx) && good;
    if (good)
        store_number(p, field, set);
    return good;
}

static bool parse_switch(const struct node *node, void *field, const struct param_ctx *ctx)
{
    struct complaint c;
    if (boolean_parse(node->text, field, &c))
        return true;
    node_error(ctx->diag, node, c.rule, "%s", c.what);
    return false;
}

bool param_parse(const struct node *node, const struct param *p, void *field, const struct param_ctx *ctx)
{
    if (p->type == P_SET)
        return parse_set(node, p, field, ctx);
    if (!node_expect(ctx->diag, node, NODE_SCALAR, p->help))
        return false;
    int choice = 0;
    if (p->choices && (choice = find_choice(node, node->text, p, ctx)) < 0)
        return false;
    switch (p->type) {
    case P_BOOL:
        return parse_switch(node, field, ctx);
    case P_CHOICE:
        *(int *)field = choice;
        return true;
    case P_STRING:
        *(const char **)field = arena_strdup(ctx->arena, node->text);
        return true;
    default:
        return parse_number(node, p, field, ctx);
    }
}

size_t param_parse_list(const struct node *node, const struct param *item, void *fields, size_t fields_max, const struct param_ctx *ctx)
{
    if (node->kind == NODE_SCALAR)
        return fields_max > 0 && param_parse(node, item, fields, ctx);
    if (!node_expect(ctx->diag, node, NODE_SEQUENCE, item->help))
        return 0;
    if (node->count > fields_max) {
        node_error(ctx->diag, node, item->help, "a list of %zu values, allowed are at most %zu", node->count, fields_max);
        return 0;
    }
    size_t n = 0;
    bool good = true;
    for (const struct node *value = node->first; value; value = value->next)
        good = param_parse(value, item, (char *)fields + n++ * width_of(item), ctx) && good;
    return good ? n : 0;
}

/* Defaults go through the same parser, so that a table cannot hold one that a user could not write. One
 * in cycles depends on the user's clock: if it does not fit, that is the user's error, else ours. */
static void fill_default(const struct param *p, void *field, struct node *mapping, const struct param_ctx *ctx)
{
    if (!p->deflt || (p->flags & PARAM_REQUIRED))
        return;
    struct node text = { .kind = NODE_SCALAR, .quoted = true, .text = p->deflt, .key = p->key, .parent = mapping ? mapping : ctx->above,
                         .at = { built_in, 0, 0 } };
    bool good = param_parse(&text, p, field, ctx);
    CHECK(good || (p->type == P_TIME && quantity_in_cycles(p->deflt)), "parameter %s: its own default %s is refused", p->key,
          p->deflt);
}

/* "path.of.mapping.key"; without a mapping the context knows where it would be. */
static const char *key_path(const struct node *mapping, const char *key, const struct param_ctx *ctx, char buffer[PATH_MAX_BYTES])
{
    char path[PATH_MAX_BYTES];
    const char *above = mapping ? node_path(mapping, path) : ctx->path ? ctx->path : "";
    snprintf(buffer, PATH_MAX_BYTES, "%.400s%s%.100s", above, *above ? "." : "", key);
    return buffer;
}

static void fill_one(struct node *mapping, const struct param *p, void *field, const struct param_ctx *ctx)
{
    char path[PATH_MAX_BYTES];
    struct node *value = node_get(mapping, p->key);
    if (p->type == P_GROUP) {
        struct param_ctx inner = *ctx;
        inner.path = key_path(mapping, p->key, ctx, path);
        param_fill(value, p->group, field, &inner);
        return;
    }
    if (!value || !param_parse(value, p, field, ctx))
        fill_default(p, field, mapping, ctx);
    if (!value && (p->flags & PARAM_REQUIRED))
        diag_error(ctx->diag, ctx->at, key_path(mapping, p->key, ctx, path), p->help, "this key is missing and has no default");
}

void param_fill(struct node *mapping, const struct param *table, void *desc, const struct param_ctx *ctx)
{
    struct param_ctx inner = *ctx;
    if (mapping && !node_expect(ctx->diag, mapping, NODE_MAPPING, "Its keys are listed in the reference."))
        mapping = NULL;
    if (mapping) {
        inner.at = mapping->at;
        inner.above = mapping;
    }
    for (const struct param *p = table; p->key; p++)
        fill_one(mapping, p, (char *)desc + p->offset, &inner);
}

static const char *set_text(struct arena *arena, const struct param *p, uint64_t set)
{
    if (set == 0 || set == whole_set(p))
        return set ? "all" : "none";
    const char *text = "";
    for (size_t i = 0; p->choices[i]; i++)
        if (set >> i & 1)
            text = arena_printf(arena, "%s%s%s", text, *text ? ", " : "", p->choices[i]);
    return text;
}

const char *param_text(struct arena *arena, const struct param *p, const void *desc)
{
    const void *field = (const char *)desc + p->offset;
    char text[QUANTITY_TEXT_MAX];
    switch (p->type) {
    case P_BOOL:
        return *(const bool *)field ? "true" : "false";
    case P_CHOICE:
        return p->choices[*(const int *)field];
    case P_SET:
        return set_text(arena, p, fetch_number(p, field));
    case P_STRING:
        return *(const char *const *)field;
    default:
        return arena_strdup(arena, quantity_format(fetch_number(p, field), param_quantity(p), text));
    }
}

/* A value that was neither given nor has a default, so that reading it back would be refused. */
static bool unset(const struct param *p, const void *desc)
{
    const void *field = (const char *)desc + p->offset;
    if (p->type == P_STRING)
        return *(const char *const *)field == NULL;
    return param_is_number(p) && !p->deflt && fetch_number(p, field) == 0 && p->min > 0;
}

static const struct origin effective = { "effective configuration", 0, 0 };

static struct node *set_node(struct arena *arena, const struct param *p, uint64_t set)
{
    if (set == 0 || set == whole_set(p))
        return node_scalar(arena, effective, set_text(arena, p, set));
    struct node *list = node_sequence(arena, effective);
    for (size_t i = 0; p->choices[i]; i++)
        if (set >> i & 1)
            node_append(list, node_scalar(arena, effective, p->choices[i]));
    return list;
}

static struct node *value_node(struct arena *arena, const struct param *p, const void *desc)
{
    const void *field = (const char *)desc + p->offset;
    if (p->type == P_GROUP)
        return param_node(arena, p->group, field);
    if (p->type == P_SET)
        return set_node(arena, p, fetch_number(p, field));
    struct node *value = node_scalar(arena, effective, param_text(arena, p, desc));
    value->quoted = p->type == P_STRING;
    return value;
}

struct node *param_node(struct arena *arena, const struct param *table, const void *desc)
{
    struct node *mapping = node_mapping(arena, effective);
    for (const struct param *p = table; p->key; p++)
        if (!unset(p, desc))
            node_put(mapping, p->key, effective, value_node(arena, p, desc));
    return mapping;
}

static void check_entry(const struct param *p)
{
    size_t width = width_of(p);
    CHECK(p->help && *p->help, "parameter %s has no help", p->key);
    CHECK((p->type != P_CHOICE && p->type != P_SET) || p->choices, "parameter %s has no choices", p->key);
    CHECK(p->type != P_SET || (param_choices_count(p) > 0 && param_choices_count(p) <= 8 * width),
          "parameter %s: more choices than bits", p->key);
    CHECK((!param_is_number(p) && p->type != P_SET) || width == 1 || width == 2 || width == 4 || width == 8, "parameter %s: width", p->key);
    CHECK(p->type != P_BOOL || width == sizeof(bool), "parameter %s is no bool", p->key);
    CHECK(p->type != P_CHOICE || width == sizeof(int), "parameter %s is no int", p->key);
    CHECK(p->type != P_STRING || width == sizeof(char *), "parameter %s is no pointer", p->key);
    CHECK(!param_is_number(p) || p->min <= param_max(p), "parameter %s: its range is empty", p->key);
}

void param_table_check(const struct param *table)
{
    struct diag *diag = diag_new();
    struct arena *arena = arena_new();
    for (const struct param *p = table; p->key; p++) {
        check_entry(p);
        for (const struct param *q = table; q != p; q++)
            CHECK(strcmp(p->key, q->key) != 0, "parameter %s stands in its table twice", p->key);
        union {
            uint64_t number;
            const char *text;
            bool on;
            int choice;
        } field;
        struct param_ctx ctx = { .arena = arena, .diag = diag, .period_ps = 1000 };
        if (p->type == P_GROUP)
            param_table_check(p->group);
        else
            fill_default(p, &field, NULL, &ctx);
    }
    CHECK(diag_count(diag) == 0, "a default in cycles is refused at 1 ns a cycle");
    arena_free(arena);
    diag_free(diag);
}
