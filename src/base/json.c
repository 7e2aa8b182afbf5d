/* src/base/json.c - see the header. */
#include "src/base/json.h"

#include "src/base/fail.h"
#include "src/base/utf8.h"

#include <inttypes.h>

struct json json_writer(FILE *out, bool compact) { return (struct json){ .out = out, .compact = compact }; }

static void new_line(struct json *w)
{
    if (!w->compact)
        fprintf(w->out, "\n%*s", (int)(2 * w->depth), "");
}

static void text_escaped(struct json *w, const char *text)
{
    unsigned n;
    uint32_t c;
    fputc('"', w->out);
    for (; (n = utf8_next(text, &c)) != 0; text += n) {
        if (c == '"' || c == '\\')
            fprintf(w->out, "\\%c", (char)c);
        else if (c == '\n')
            fputs("\\n", w->out);
        else if (c == '\t')
            fputs("\\t", w->out);
        else if (c < 0x20 || c == 0x7f)
            fprintf(w->out, "\\u%04x", c);
        else if (c == UTF8_REPLACEMENT)
            fputs("\xef\xbf\xbd", w->out);
        else
            fwrite(text, 1, n, w->out);
    }
    fputc('"', w->out);
}

/* What stands before a value: comma, line, key. */
static void begin_value(struct json *w, const char *key)
{
    bool in_object = w->depth > 0 && w->closer[w->depth] == '}';
    CHECK(!w->done, "json: a second outermost value");
    CHECK(in_object == (key != NULL), "json: %s", key ? "a key outside an object" : "no key in an object");
    if (w->depth > 0) {
        if (w->filled[w->depth])
            fputc(',', w->out);
        new_line(w);
        w->filled[w->depth] = true;
    }
    else
        w->done = true;
    if (key) {
        text_escaped(w, key);
        fputs(w->compact ? ":" : ": ", w->out);
    }
}

static void open_nest(struct json *w, const char *key, char opener, char closer)
{
    begin_value(w, key);
    CHECK(w->depth < JSON_DEPTH_MAX, "json: nested deeper than %d", JSON_DEPTH_MAX);
    w->done = false;
    fputc(opener, w->out);
    w->depth++;
    w->filled[w->depth] = false;
    w->closer[w->depth] = closer;
}

void json_object(struct json *w, const char *key) { open_nest(w, key, '{', '}'); }
void json_array(struct json *w, const char *key) { open_nest(w, key, '[', ']'); }

void json_end(struct json *w)
{
    CHECK(w->depth > 0, "json: nothing is open");
    char closer = w->closer[w->depth];
    bool filled = w->filled[w->depth--];
    if (filled)
        new_line(w);
    fputc(closer, w->out);
    w->done = w->depth == 0;
}

void json_raw(struct json *w, const char *key, const char *value)
{
    begin_value(w, key);
    fputs(value, w->out);
}

void json_string(struct json *w, const char *key, const char *text)
{
    if (!text) {
        json_null(w, key);
        return;
    }
    begin_value(w, key);
    text_escaped(w, text);
}

void json_u64(struct json *w, const char *key, uint64_t value)
{
    begin_value(w, key);
    fprintf(w->out, "%" PRIu64, value);
}

void json_i64(struct json *w, const char *key, int64_t value)
{
    begin_value(w, key);
    fprintf(w->out, "%" PRId64, value);
}

void json_hex64(struct json *w, const char *key, uint64_t value)
{
    begin_value(w, key);
    fprintf(w->out, "\"0x%016" PRIx64 "\"", value);
}

void json_fixed3(struct json *w, const char *key, uint64_t thousandths)
{
    begin_value(w, key);
    fprintf(w->out, "%" PRIu64 ".%03u", thousandths / 1000, (unsigned)(thousandths % 1000));
}

void json_bool(struct json *w, const char *key, bool value) { json_raw(w, key, value ? "true" : "false"); }
void json_null(struct json *w, const char *key) { json_raw(w, key, "null"); }

void json_finish(struct json *w)
{
    CHECK(w->done && w->depth == 0, "json: unfinished at depth %u", w->depth);
    fputc('\n', w->out);
}
