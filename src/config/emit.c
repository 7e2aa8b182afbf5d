/* src/config/emit.c - trees back to YAML text. */
#include "src/config/emit.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/base/utf8.h"

/* What YAML does not allow as such inside a text, or takes for a line break. */
static bool must_escape(uint32_t c)
{
    return c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff;
}

static bool plain_word(const char *text)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./%+-";
    return *text && *text != '-' && *text != '%' && *text != '.' && text[strspn(text, safe)] == '\0';
}

/* Several words without any character that means something to YAML, anywhere. */
static bool plain_text(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || text[0] == ' ' || text[n - 1] == ' ' || strchr("-?%.=<", text[0]))
        return false;
    uint32_t c;
    for (unsigned step; (step = utf8_next(text, &c)) > 0; text += step)
        if (must_escape(c) || (c < 0x80 && strchr(":#,[]{}&*!|>'\"`@\\", (int)c)))
            return false;
    return true;
}

static void write_quoted(FILE *out, const char *text)
{
    fputc('"', out);
    uint32_t c;
    for (unsigned step; (step = utf8_next(text, &c)) > 0; text += step) {
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", (int)c);
        else if (c == '\n')
            fputs("\\n", out);
        else if (must_escape(c))
            fprintf(out, "\\u%04x", c);
        else
            fwrite(text, 1, step, out);
    }
    fputc('"', out);
}

/* Lines that a literal block (|) gives back as they are: each with something on it, the last one ended. */
static bool is_lines(const char *text)
{
    size_t n = strlen(text);
    if (n < 2 || text[n - 1] != '\n' || text[0] == ' ' || text[0] == '\n' || strstr(text, "\n\n"))
        return false;
    uint32_t c;
    for (unsigned step; (step = utf8_next(text, &c)) > 0; text += step)
        if (c != '\n' && must_escape(c))
            return false;
    return true;
}

static void write_lines(FILE *out, const char *text, int indent)
{
    fputs("|\n", out);
    while (*text) {
        int n = (int)strcspn(text, "\n");
        fprintf(out, "%*s%.*s\n", indent, "", n, text);
        text += n + 1;
    }
}

static void write_scalar(FILE *out, const struct node *node)
{
    if (node_empty(node))
        return;
    if (plain_word(node->text) || plain_text(node->text))
        fputs(node->text, out);
    else
        write_quoted(out, node->text);
}

static void write_key(FILE *out, const char *key)
{
    struct node text = { .kind = NODE_SCALAR, .quoted = true, .text = key };
    write_scalar(out, &text);
    fputc(':', out);
}

static void write_flow(FILE *out, const struct node *node)
{
    if (node->kind == NODE_SCALAR) {
        /* An empty place between commas would be no item at all. */
        if (node_empty(node) && !node->key)
            fputs("\"\"", out);
        else
            write_scalar(out, node);
        return;
    }
    bool mapping = node->kind == NODE_MAPPING;
    fputs(mapping ? "{" : "[", out);
    for (const struct node *c = node->first; c; c = c->next) {
        fputs(c == node->first ? (mapping ? " " : "") : ", ", out);
        if (mapping) {
            write_key(out, c->key);
            fputc(' ', out);
        }
        write_flow(out, c);
    }
    fputs(mapping ? (node->first ? " }" : "}") : "]", out);
}

static bool holds_mapping(const struct node *node)
{
    for (const struct node *c = node->first; c; c = c->next)
        if (c->kind == NODE_MAPPING || holds_mapping(c))
            return true;
    return false;
}

static void write_block(FILE *out, const struct node *node, int indent);

static void write_block_mapping(FILE *out, const struct node *node, int indent, bool first_in_place)
{
    for (const struct node *c = node->first; c; c = c->next) {
        fprintf(out, "%*s", first_in_place && c == node->first ? 0 : indent, "");
        write_key(out, c->key);
        write_block(out, c, indent);
    }
}

/* The value behind "key:" or the root: on the same line, or below and indented. */
static void write_block(FILE *out, const struct node *node, int indent)
{
    if (node->kind == NODE_MAPPING && node->first) {
        fputc('\n', out);
        write_block_mapping(out, node, indent + 2, false);
    } else if (node->kind == NODE_SEQUENCE && holds_mapping(node)) {
        fputc('\n', out);
        for (const struct node *c = node->first; c; c = c->next) {
            fprintf(out, "%*s- ", indent + 2, "");
            if (c->kind == NODE_MAPPING && c->first) {
                write_block_mapping(out, c, indent + 4, true);
            } else {
                write_flow(out, c);
                fputc('\n', out);
            }
        }
    } else if (node->kind == NODE_SCALAR && is_lines(node->text)) {
        fputc(' ', out);
        write_lines(out, node->text, indent + 2);
    } else {
        if (!node_empty(node))
            fputc(' ', out);
        if (node->kind == NODE_SCALAR)
            write_scalar(out, node);
        else
            write_flow(out, node);
        fputc('\n', out);
    }
}

void emit_yaml(FILE *out, const struct node *root)
{
    if (root->kind == NODE_MAPPING && root->first) {
        write_block_mapping(out, root, 0, true);
    } else {
        write_flow(out, root);
        fputc('\n', out);
    }
}

static const char *emitted(struct arena *arena, const struct node *node, void (*write)(FILE *, const struct node *))
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        fail_user("out of memory while writing a configuration");
    write(out, node);
    if (fclose(out) != 0)
        fail_user("out of memory while writing a configuration");
    const char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

const char *emit_text(struct arena *arena, const struct node *root)
{
    return emitted(arena, root, emit_yaml);
}

const char *emit_flow(struct arena *arena, const struct node *node)
{
    return emitted(arena, node, write_flow);
}

uint64_t config_digest(const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a, 64 bit */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return mix64(h);
}
