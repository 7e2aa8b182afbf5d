/* src/config/read.c - YAML text to a tree of nodes, by libyaml's event interface. */
#include "src/config/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <yaml.h>

#include "src/base/fail.h"
#include "src/base/utf8.h"

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct origin at;          /* names the text; line 0: do not report inner positions */
    yaml_parser_t parser;
    yaml_event_t event;        /* the current one; live while has_event */
    bool has_event, failed;
    size_t nodes_count;
    unsigned depth;
};

static struct origin origin_of(const struct reader *r, yaml_mark_t mark)
{
    if (r->at.line == 0)
        return r->at;
    return (struct origin){ r->at.file, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1 };
}

static void refuse(struct reader *r, struct origin at, const char *rule, const char *what)
{
    diag_error(r->diag, at, NULL, rule, "%s", what);
    r->failed = true;
}

/* libyaml speaks to implementers; the commonest of its complaints deserve a teacher's sentence. */
static const char *syntax_rule(const char *problem)
{
    static const struct {
        const char *part, *rule;
    } rules[] = {
        { "cannot start any token", "Indent with spaces, never with tabs; put text that starts with @, % or ` in quotes." },
        { "did not find expected key", "Keys of one mapping start in the same column, and a key ends with ': '." },
        { "could not find expected ':'", "A key and its value are written `key: value`, with a space after the colon." },
        { "mapping values are not allowed", "Only one `key: value` fits on a line, keys of one mapping start in the same column; put text that contains ': ' in quotes." },
        { "did not find expected ',' or", "A list in brackets is written [a, b], a mapping in braces { a: 1, b: 2 }; both must be closed." },
        { "did not find expected '-'", "Items of one list start with '- ' in the same column." },
        { "unexpected end of stream", "A quote that was opened is never closed." },
        { "block sequence entries", "A list starts on its own line below its key, each item with '- '." },
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (problem && strstr(problem, rules[i].part))
            return rules[i].rule;
    return "This is not YAML as we read it: `key: value` lines, indented by spaces.";
}

static void refuse_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_MEMORY_ERROR)
        fail_user("out of memory while reading %s", r->at.file);
    yaml_mark_t mark = p->error == YAML_READER_ERROR ? p->mark : p->problem_mark;
    char what[200];
    if (p->context && p->context_mark.line != mark.line && r->at.line)
        snprintf(what, sizeof what, "%s, %s that starts in line %zu", p->problem ? p->problem : "syntax error",
                 p->context, p->context_mark.line + 1);
    else
        snprintf(what, sizeof what, "%s%s%s", p->problem ? p->problem : "syntax error", p->context ? " " : "",
                 p->context ? p->context : "");
    refuse(r, origin_of(r, mark), syntax_rule(p->problem), what);
}

static bool next_event(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = false;
    if (r->failed)
        return false;
    if (!yaml_parser_parse(&r->parser, &r->event)) {
        refuse_syntax(r);
        return false;
    }
    r->has_event = true;
    return true;
}

static void refuse_marks(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor)
        refuse(r, origin_of(r, r->event.start_mark), "Write the value out in both places, or use `base:` to build on another file.",
               "anchors (&name) are not used here");
    else if (tag)
        refuse(r, origin_of(r, r->event.start_mark), "What a value means is decided by its key; leave the tag out.",
               "tags (!name) are not used here");
}

static struct node *read_value(struct reader *r);

static struct node *read_scalar(struct reader *r)
{
    const yaml_event_t *e = &r->event;
    struct origin at = origin_of(r, e->start_mark);
    refuse_marks(r, e->data.scalar.anchor, e->data.scalar.tag);
    if (strlen((const char *)e->data.scalar.value) != e->data.scalar.length)
        refuse(r, at, "Values are text.", "a value contains the character NUL");
    struct node *node = node_scalar(r->arena, at, (const char *)e->data.scalar.value);
    node->quoted = e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return node;
}

static struct node *read_sequence(struct reader *r)
{
    refuse_marks(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);
    struct node *node = node_sequence(r->arena, origin_of(r, r->event.start_mark));
    while (next_event(r) && r->event.type != YAML_SEQUENCE_END_EVENT) {
        struct node *item = read_value(r);
        if (item)
            node_append(node, item);
    }
    return node;
}

/* The key under the cursor, or NULL after an error. */
static const struct node *read_key(struct reader *r, const struct node *mapping)
{
    if (r->event.type != YAML_SCALAR_EVENT) {
        refuse(r, origin_of(r, r->event.start_mark), "A key is a plain word.",
               r->event.type == YAML_ALIAS_EVENT ? "an alias (*name) as a key" : "a key that is itself a list or a mapping");
        return NULL;
    }
    const struct node *key = read_scalar(r);
    if (*key->text == '\0' || strlen(key->text) > READ_KEY_MAX_BYTES)
        refuse(r, key->at, "A key is a plain word of at most 128 bytes.", *key->text ? "this key is too long" : "an empty key");
    else if (mapping->count >= READ_KEYS_MAX)
        refuse(r, key->at, "A mapping has at most 4096 keys.", "too many keys");
    return r->failed ? NULL : key;
}

static struct node *read_mapping(struct reader *r)
{
    refuse_marks(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
    struct node *node = node_mapping(r->arena, origin_of(r, r->event.start_mark));
    while (next_event(r) && r->event.type != YAML_MAPPING_END_EVENT) {
        const struct node *key = read_key(r, node);
        struct node *value = key && next_event(r) ? read_value(r) : NULL;
        if (!value)
            continue;
        const struct node *before = node_peek(node, key->text);
        char text[SHOWN_MAX];
        if (!before)
            node_put(node, key->text, key->at, value);
        else /* not fatal: the reader goes on to find more */
            diag_error(r->diag, key->at, NULL, "Each key of a mapping is written once; later ones never win silently.",
                       "the key %s stands here a second time (first in line %u)", shown(text, key->text),
                       before->key_at.line);
    }
    return node;
}

static struct node *read_nested(struct reader *r)
{
    if (++r->depth > READ_DEPTH_MAX) {
        refuse(r, origin_of(r, r->event.start_mark), "At most 32 levels of lists and mappings are read.", "nested too deeply");
        return NULL;
    }
    struct node *node = r->event.type == YAML_SEQUENCE_START_EVENT ? read_sequence(r) : read_mapping(r);
    r->depth--;
    return node;
}

/* The value under the cursor; the cursor ends on its last event. NULL only after an error. */
static struct node *read_value(struct reader *r)
{
    if (++r->nodes_count > READ_NODES_MAX) {
        refuse(r, origin_of(r, r->event.start_mark), "At most 100000 values are read from one file.", "too many values");
        return NULL;
    }
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r);
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        return read_nested(r);
    case YAML_ALIAS_EVENT:
        refuse(r, origin_of(r, r->event.start_mark), "Write the value out in both places, or use `base:` to build on another file.",
               "aliases (*name) are not used here");
        return NULL;
    default:
        panic("libyaml gave event %d where a value starts", (int)r->event.type);
    }
}

static void refuse_empty(struct reader *r)
{
    refuse(r, r->at.line ? (struct origin){ r->at.file, 0, 0 } : r->at,
           "A file starts with its kind, for example `kind: experiment`.", "nothing but blanks and comments in here");
}

static struct node *read_document(struct reader *r)
{
    struct node *root = NULL;
    while (next_event(r)) {
        if (r->event.type == YAML_STREAM_END_EVENT)
            break;
        if (r->event.type == YAML_DOCUMENT_START_EVENT && root) {
            refuse(r, origin_of(r, r->event.start_mark), "One file holds one document; remove the line `---` or split the file.",
                   "a second document starts here");
        } else if (r->event.type == YAML_DOCUMENT_START_EVENT && next_event(r)) {
            root = read_value(r);
        }
    }
    if (!root && !r->failed)
        refuse_empty(r);
    return r->failed ? NULL : root;
}

/* True if every character is text; else one error at the first that is not. text[bytes] is NUL. */
static bool is_text(struct reader *r, const char *text, size_t bytes)
{
    yaml_mark_t mark = { 0 };
    for (size_t i = 0; i < bytes;) {
        uint32_t c = (unsigned char)text[i];
        unsigned n = c ? utf8_next(text + i, &c) : 1;
        bool control = c < ' ' && c != '\t' && c != '\n' && c != '\r';
        if (control || c == 0x7f || (c == UTF8_REPLACEMENT && n == 1)) {
            char what[80];
            snprintf(what, sizeof what, "not a text file: byte 0x%02x at offset %zu", (unsigned)(unsigned char)text[i], i);
            refuse(r, origin_of(r, mark), "Configurations are UTF-8 text without control characters. Is this the right file?", what);
            return false;
        }
        mark.line += c == '\n';
        mark.column = c == '\n' ? 0 : mark.column + 1;
        i += n;
    }
    return true;
}

static struct node *parse(struct reader *r, const char *text, size_t bytes)
{
    if (!is_text(r, text, bytes))
        return NULL;
    if (!yaml_parser_initialize(&r->parser))
        fail_user("out of memory while reading %s", r->at.file);
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, bytes);
    struct node *root = read_document(r);
    if (r->has_event)
        yaml_event_delete(&r->event);
    yaml_parser_delete(&r->parser);
    return root;
}

struct node *read_text(struct arena *arena, struct diag *diag, struct origin at, const char *text)
{
    if (at.line == 0 && *text == '\0')
        return node_scalar(arena, at, "");
    struct reader r = { .arena = arena, .diag = diag, .at = at };
    return parse(&r, text, strlen(text));
}

/* Bytes read into buffer (at most one more than the limit), or -1 with a reason. */
static long slurp(const char *path, char *buffer, const char **reason)
{
    FILE *in = fopen(path, "rb");
    struct stat st;
    if (!in || fstat(fileno(in), &st) != 0) {
        *reason = strerror(errno);
        if (in)
            fclose(in);
        return -1;
    }
    long bytes = READ_FILE_MAX_BYTES + 1; /* a regular file tells its size before any of it is read */
    *reason = S_ISDIR(st.st_mode) ? "it is a folder, not a file" : NULL;
    if (!*reason && (!S_ISREG(st.st_mode) || st.st_size <= READ_FILE_MAX_BYTES)) {
        bytes = (long)fread(buffer, 1, READ_FILE_MAX_BYTES + 1, in);
        if (ferror(in))
            *reason = "reading failed";
    }
    fclose(in);
    return *reason ? -1 : bytes;
}

struct node *read_file(struct arena *arena, struct diag *diag, const char *path)
{
    const char *name = arena_strdup(arena, path);
    struct reader r = { .arena = arena, .diag = diag, .at = { name, 1, 1 } };
    struct origin whole = { name, 0, 0 };
    diag_file(diag, name);
    char *buffer = malloc(READ_FILE_MAX_BYTES + 2); /* for a moment only: does not belong in the arena */
    if (!buffer)
        fail_user("out of memory while reading %s", path);
    const char *reason = NULL;
    struct node *root = NULL;
    long bytes = slurp(path, buffer, &reason);
    if (bytes < 0)
        diag_error(diag, whole, NULL, "A name without '/' and without \".yaml\" is looked up in configs/, anything else is a path.",
                   "cannot be read: %s", reason);
    else if (bytes > READ_FILE_MAX_BYTES)
        diag_error(diag, whole, NULL, "Configurations are a few KiB. Is this the right file?", "larger than 4 MiB");
    else if (bytes == 0)
        diag_error(diag, whole, NULL, "A file starts with its kind, for example `kind: experiment`.", "the file is empty");
    else {
        buffer[bytes] = '\0';
        root = parse(&r, buffer, (size_t)bytes);
    }
    free(buffer);
    return root;
}
