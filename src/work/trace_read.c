/* src/work/trace_read.c - from the lines of a recording to its events. */
#include "src/work/trace.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

#include "src/base/fail.h"
#include "src/base/suggest.h"
#include "src/kern/kernel.h"

enum { COLUMNS_MAX = 32, ERRORS_MAX = 20 };
enum column { COL_CPU, COL_TIME, COL_EVENT, COL_PFN, COL_ORDER, COL_GFP, COLS };

struct reader {
    struct arena *arena;
    struct diag *diag;
    struct trace *trace;
    const char *path;
    gzFile file;
    char line[TRACE_LINE_MAX_BYTES];
    uint32_t number;            /* of the line */
    bool csv, headed;           /* the form has been told; CSV: headings were read */
    unsigned place[COLS];       /* CSV: which cell; COLUMNS_MAX: none */
    unsigned errors;
    struct trace_event *events; /* on the heap until all are read */
    size_t room;
    bool timed;
    tick first, last;
};

static const char form_rule[] = "A recording is ftrace text (TASK-PID [CPU] FLAGS SECONDS: EVENT: FIELDS) or CSV with headings (seq,cpu,t_us,event,pfn,order,...).";
static const char time_rule[] = "A time is written in seconds with a point (ftrace, then a colon) or in microseconds (CSV).";

/* At a place in the current line. */
__attribute__((format(printf, 4, 5))) static bool refuse(struct reader *r, const char *at, const char *rule, const char *format, ...)
{
    char text[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    diag_error(r->diag, (struct origin){ r->path, r->number, (uint32_t)(at - r->line) + 1 }, NULL, rule, "%s", text);
    r->errors++;
    return false;
}

/* The word at `at`, up to a blank or comma, for a message. */
static const char *word_shown(char buffer[SHOWN_MAX], const char *at)
{
    char word[80];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " \t\r\n,"), at);
    return shown(buffer, word);
}

/* ---- events */

static const struct { const char *name; enum trace_kind kind; } kinds[] = {
    { "page_alloc", TRACE_ALLOC },
    { "page_free", TRACE_FREE },
    { "page_free_direct", TRACE_FREE },
    { "page_free_batched", TRACE_FREE_BATCHED },
    { "pagevec_free", TRACE_FREE_BATCHED },
    { "page_alloc_zone_locked", TRACE_INTERNAL },
    { "zone_locked", TRACE_INTERNAL },
    { "page_pcpu_drain", TRACE_INTERNAL },
    { "pcpu_drain", TRACE_INTERNAL },
    { "page_alloc_extfrag", TRACE_INTERNAL },
    { "extfrag", TRACE_INTERNAL },
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static bool kind_find(const char *name, size_t length, enum trace_kind *kind)
{
    if (length > 3 && strncmp(name, "mm_", 3) == 0) {
        name += 3;
        length -= 3;
    }
    for (unsigned i = 0; i < KINDS; i++)
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, name, length) == 0) {
            *kind = kinds[i].kind;
            return true;
        }
    return false;
}

static bool keep(struct reader *r, const struct trace_event *e, tick when)
{
    if (r->trace->count == r->room) {
        r->room = r->room ? 2 * r->room : 4096;
        r->events = realloc(r->events, r->room * sizeof *r->events);
        CHECK_MEMORY(r->events, "out of host memory for a recording");
    }
    if (r->trace->count == TRACE_EVENTS_MAX)
        return refuse(r, r->line, NULL, "more than %d events", TRACE_EVENTS_MAX);
    if (!r->timed)
        r->first = r->last = when;
    r->timed = true;
    if (when > r->last) /* clocks of different CPUs may differ a little */
        r->last = when;
    r->events[r->trace->count] = *e;
    r->events[r->trace->count].when = r->last - r->first;
    r->events[r->trace->count++].partner = TRACE_NO_PARTNER;
    return true;
}

/* ---- numbers */

static bool number_at(struct reader *r, const char *at, int base, const char *what, uint64_t most, uint64_t *value)
{
    char *end, text[SHOWN_MAX];
    errno = 0;
    *value = isxdigit((unsigned char)*at) ? strtoull(at, &end, base) : 0;
    if (!isxdigit((unsigned char)*at) || errno != 0 || (*end && !strchr(" \t\r\n,", *end)))
        return refuse(r, at, form_rule, "%s is no number for %s", word_shown(text, at), what);
    if (*value > most)
        return refuse(r, at, NULL, "%s: %s, the largest is %" PRIu64, what, word_shown(text, at), most);
    return true;
}

/* "12.345678" in units of `unit_ps`; *end: behind it. False: no such number. */
static bool decimal(const char *at, uint64_t unit_ps, tick *when, const char **end)
{
    char *behind;
    if (!isdigit((unsigned char)*at))
        return false;
    errno = 0;
    uint64_t whole = strtoull(at, &behind, 10);
    if (errno != 0 || whole > TICK_MAX / 4 / unit_ps)
        return false;
    *when = whole * unit_ps;
    if (*behind == '.')
        for (behind++; isdigit((unsigned char)*behind); behind++) {
            unit_ps /= 10;
            *when += unit_ps * (uint64_t)(*behind - '0');
        }
    *end = behind;
    return true;
}

/* ---- ftrace */

static const char *skip_blanks(const char *at) { return at + strspn(at, " \t"); }
static const char *skip_word(const char *at) { return at + strcspn(at, " \t\r\n"); }

/* "12.345678:" and nothing else in the word. */
static bool stamp(const char *at, tick *when)
{
    const char *end;
    return strcspn(at, ".") < strcspn(at, " \t\r\n") && decimal(at, PS_PER_S, when, &end) && *end == ':' && end + 1 == skip_word(at);
}

/* "[CPU] FLAGS SECONDS: " at `at`, flags optional. A task's name may hold brackets and blanks: the caller tries each
 * bracket. Returns where the event's name begins, or NULL. */
static const char *preamble(const char *at, uint64_t *cpu, tick *when)
{
    char *end;
    if (!isdigit((unsigned char)at[1]))
        return NULL;
    *cpu = strtoull(at + 1, &end, 10);
    if (*end != ']' || (end[1] != ' ' && end[1] != '\t'))
        return NULL;
    const char *word = skip_blanks(end + 1);
    if (!stamp(word, when)) {
        word = skip_blanks(skip_word(word));
        if (!stamp(word, when))
            return NULL;
    }
    return skip_blanks(skip_word(word));
}

/* The value behind `key=`, or NULL. */
static const char *field(const char *at, const char *key)
{
    size_t length = strlen(key);
    for (at = skip_blanks(at); *at && *at != '\n' && *at != '\r'; at = skip_blanks(skip_word(at)))
        if (strncmp(at, key, length) == 0 && at[length] == '=')
            return at + length + 1;
    return NULL;
}

static bool read_flags(struct reader *r, const char *at, gfp_t *flags)
{
    const char *wrong;
    char text[SHOWN_MAX];
    if (trace_flags(at, flags, &r->trace->unknown_flag_count, &wrong))
        return true;
    return refuse(r, wrong, "Flags are written GFP_KERNEL|__GFP_ZERO, or none.", "%s is no allocation flag", word_shown(text, wrong));
}

static bool read_pfn(struct reader *r, const char *at, struct trace_event *e)
{
    return number_at(r, at, strncmp(at, "0x", 2) == 0 ? 16 : 10, "pfn", UINT64_MAX, &e->pfn);
}

static bool read_page(struct reader *r, const char *fields, struct trace_event *e)
{
    const char *pfn = field(fields, "pfn"), *page = field(fields, "page");
    if (pfn)
        return read_pfn(r, pfn, e);
    if (!page)
        return refuse(r, fields, form_rule, "neither pfn= nor page=");
    if (*page == '(') /* (null): no page */
        return true;
    return number_at(r, page, 16, "page", UINT64_MAX, &e->pfn);
}

static bool read_order(struct reader *r, const char *at, struct trace_event *e)
{
    uint64_t order = 0;
    bool good = number_at(r, at, 10, "order", MAX_ORDER, &order);
    e->order = (uint8_t)order;
    return good;
}

static bool ftrace_fields(struct reader *r, const char *fields, struct trace_event *e)
{
    if (e->kind == TRACE_INTERNAL)
        return true;
    const char *order = field(fields, "order"), *flags = field(fields, "gfp_flags");
    if (!read_page(r, fields, e))
        return false;
    if (order ? !read_order(r, order, e) : e->kind != TRACE_FREE_BATCHED && !refuse(r, fields, form_rule, "no order="))
        return false;
    if (e->kind != TRACE_ALLOC)
        return true;
    if (e->pfn == 0)
        e->kind = TRACE_FAILED;
    return flags ? read_flags(r, flags, &e->gfp) : refuse(r, fields, form_rule, "no gfp_flags=");
}

static bool lost_line(struct reader *r)
{
    const char *at = strstr(r->line, "[LOST ");
    if (strncmp(r->line, "CPU:", 4) != 0 || !at)
        return false;
    r->trace->lost_count += strtoull(at + 6, NULL, 10);
    return true;
}

static bool ftrace_line(struct reader *r)
{
    struct trace_event e = { .cpu = 0 };
    uint64_t cpu = 0;
    tick when = 0;
    const char *name = NULL, *first = strchr(r->line, '[');
    if (lost_line(r))
        return true;
    for (const char *at = first; at && !name; at = strchr(at + 1, '['))
        name = preamble(at, &cpu, &when);
    if (!name)
        return refuse(r, first ? first : r->line, form_rule, "no `[CPU] FLAGS SECONDS:` here");
    if (cpu > UINT16_MAX)
        return refuse(r, first, NULL, "a CPU number above %d", UINT16_MAX);
    if (strncmp(name, "kmem:", 5) == 0)
        name += 5;
    size_t length = strcspn(name, ": \t\r\n");
    enum trace_kind kind;
    if (length == 0)
        return refuse(r, name, form_rule, "no event's name behind the time");
    if (name[length] != ':' || !kind_find(name, length, &kind)) {
        r->trace->other_count++;
        return true;
    }
    e.kind = (uint8_t)kind;
    e.cpu = (uint16_t)cpu;
    return ftrace_fields(r, skip_blanks(name + length + 1), &e) && keep(r, &e, when);
}

/* ---- CSV */

/* Starts of the cells; the last entry of a line too long for us is cut. */
static unsigned cells(const char *at, const char *cell[COLUMNS_MAX])
{
    unsigned n = 0;
    while (n < COLUMNS_MAX) {
        cell[n++] = at;
        at += strcspn(at, ",\r\n");
        if (*at != ',')
            break;
        at++;
    }
    return n;
}

static bool csv_headings(struct reader *r)
{
    static const char *const names[] = { "cpu", "t_us", "event", "pfn", "order", "gfp" };
    const char *cell[COLUMNS_MAX];
    unsigned n = cells(r->line, cell);
    for (unsigned c = 0; c < COLS; c++) {
        size_t length = strlen(names[c]);
        r->place[c] = COLUMNS_MAX;
        for (unsigned i = 0; i < n; i++)
            if (strncmp(cell[i], names[c], length) == 0 && (strchr(",\r\n", cell[i][length]) || (c == COL_GFP && cell[i][length] == '_')))
                r->place[c] = i;
        if (r->place[c] == COLUMNS_MAX)
            return refuse(r, r->line, form_rule, "no heading %s", names[c]);
    }
    r->headed = true;
    return true;
}

static bool csv_event(struct reader *r, const char *at, struct trace_event *e)
{
    const char *names[KINDS];
    char word[64];
    enum trace_kind kind;
    snprintf(word, sizeof word, "%.*s", (int)strcspn(at, ",\r\n"), at);
    if (kind_find(word, strlen(word), &kind)) {
        e->kind = (uint8_t)kind;
        return true;
    }
    char text[SHOWN_MAX];
    for (unsigned i = 0; i < KINDS; i++)
        names[i] = kinds[i].name;
    refuse(r, at, NULL, "%s is no event of the page allocator", shown(text, word));
    diag_suggest(r->diag, word, names, KINDS);
    return false;
}

static bool csv_line(struct reader *r)
{
    const char *cell[COLUMNS_MAX], *end;
    unsigned n = cells(r->line, cell);
    struct trace_event e = { .cpu = 0 };
    uint64_t cpu;
    tick when;
    for (unsigned c = 0; c < COLS; c++)
        if (r->place[c] >= n)
            return refuse(r, cell[n - 1], form_rule, "only %u cells, the headings are more", n);
    if (!number_at(r, cell[r->place[COL_CPU]], 10, "cpu", UINT16_MAX, &cpu))
        return false;
    if (!decimal(cell[r->place[COL_TIME]], PS_PER_US, &when, &end) || *end != ',')
        return refuse(r, cell[r->place[COL_TIME]], time_rule, "no time");
    if (!csv_event(r, cell[r->place[COL_EVENT]], &e))
        return false;
    e.cpu = (uint16_t)cpu;
    if (e.kind != TRACE_INTERNAL) {
        if (!read_pfn(r, cell[r->place[COL_PFN]], &e) || !read_order(r, cell[r->place[COL_ORDER]], &e))
            return false;
        if (e.kind == TRACE_ALLOC && !read_flags(r, cell[r->place[COL_GFP]], &e.gfp))
            return false;
        if (e.kind == TRACE_ALLOC && e.pfn == 0)
            e.kind = TRACE_FAILED;
    }
    return keep(r, &e, when);
}

/* ---- the file */

/* Also what trace-cmd says first, and the lines of a stack. */
static bool blank_or_comment(const char *line)
{
    static const char *const asides[] = { "cpus=", "version =", "=>" };
    line = skip_blanks(line);
    for (size_t i = 0; i < sizeof asides / sizeof *asides; i++)
        if (strncmp(line, asides[i], strlen(asides[i])) == 0)
            return true;
    return *line == '#' || strchr("\r\n", *line) != NULL;
}

/* Reads the next line that says something. False at the end. */
static bool next_line(struct reader *r)
{
    while (gzgets(r->file, r->line, sizeof r->line)) {
        size_t length = strlen(r->line);
        r->number++;
        if (length == 0 || (r->line[length - 1] != '\n' && !gzeof(r->file)))
            return !refuse(r, r->line, form_rule, "a line of more than %d bytes, or with bytes that are no text", TRACE_LINE_MAX_BYTES);
        if (!blank_or_comment(r->line))
            return true;
    }
    return false;
}

static void read_lines(struct reader *r)
{
    while (r->errors < ERRORS_MAX && next_line(r)) {
        if (r->errors) /* a line that is none */
            return;
        if (!r->csv && !r->timed && strstr(r->line, "event") && strchr(r->line, ',') && !strchr(r->line, '[')) {
            r->csv = true;
            if (!csv_headings(r))
                return;
            continue;
        }
        (void)(r->csv ? csv_line(r) : ftrace_line(r));
    }
}

static void file_error(struct reader *r, struct origin by, const char *what)
{
    char text[SHOWN_MAX];
    diag_error(r->diag, by, "trace", "The path of a recording is relative to the file that names it.", "%s: %s", shown(text, r->path), what);
    r->errors++;
}

static bool open_file(struct reader *r, struct origin by)
{
    struct stat about;
    if (stat(r->path, &about) != 0)
        return file_error(r, by, strerror(errno)), false;
    if (S_ISDIR(about.st_mode))
        return file_error(r, by, "a folder"), false;
    r->file = gzopen(r->path, "rb");
    if (!r->file)
        return file_error(r, by, strerror(errno)), false;
    return true;
}

static const char *path_from(struct arena *arena, const char *path, struct origin by)
{
    const char *slash = by.line != 0 && by.file ? strrchr(by.file, '/') : NULL;
    return *path == '/' || !slash ? arena_strdup(arena, path) : arena_printf(arena, "%.*s/%s", (int)(slash - by.file), by.file, path);
}

/* ---- who frees what */

enum page_state { PAGE_UNKNOWN, PAGE_LIVE, PAGE_FREED };

struct known_page {
    uint64_t pfn;
    uint32_t event;             /* live: that allocated it */
    bool used;
    uint8_t state, freed_by;    /* freed: kind of the event that said so */
};

static struct known_page *page_find(struct known_page *table, size_t mask, uint64_t pfn)
{
    size_t i = (pfn * UINT64_C(0x9e3779b97f4a7c15)) >> 20 & mask;
    while (table[i].used && table[i].pfn != pfn)
        i = (i + 1) & mask;
    table[i].used = true;
    table[i].pfn = pfn;
    return &table[i];
}

static void match_free(struct trace *t, uint32_t i, struct known_page *p)
{
    struct trace_event *e = &t->events[i];
    if (p->state == PAGE_FREED && p->freed_by != e->kind) {
        e->kind = TRACE_ECHO;
        p->state = PAGE_UNKNOWN; /* told by both now: another one is a free of its own */
        return;
    }
    if (p->state == PAGE_LIVE) {
        e->partner = p->event;
        t->events[p->event].partner = i;
    }
    p->state = PAGE_FREED;
    p->freed_by = e->kind;
}

static void match(struct trace *t)
{
    size_t size = 1024;
    while (size < 2 * (size_t)t->count)
        size *= 2;
    struct known_page *table = calloc(size, sizeof *table);
    CHECK_MEMORY(table, "out of host memory for a recording");
    for (uint32_t i = 0; i < t->count; i++) {
        struct trace_event *e = &t->events[i];
        if (e->kind != TRACE_ALLOC && e->kind != TRACE_FREE && e->kind != TRACE_FREE_BATCHED)
            continue;
        struct known_page *p = page_find(table, size - 1, e->pfn);
        if (e->kind != TRACE_ALLOC) {
            match_free(t, i, p);
            continue;
        }
        t->lost_free_count += p->state == PAGE_LIVE;
        p->state = PAGE_LIVE;
        p->event = i;
    }
    free(table);
}

struct trace *trace_read(struct arena *arena, struct diag *diag, const char *path, struct origin by)
{
    struct reader *r = calloc(1, sizeof *r);
    CHECK_MEMORY(r, "out of host memory for a recording");
    struct trace *t = ARENA_ONE(arena, struct trace);
    r->arena = arena;
    r->diag = diag;
    r->trace = t;
    r->path = t->path = path_from(arena, path, by);
    if (open_file(r, by)) {
        diag_file(diag, r->path);
        read_lines(r);
        int code;
        const char *why = gzerror(r->file, &code);
        if (code != Z_OK && code != Z_STREAM_END)
            file_error(r, by, code == Z_ERRNO ? strerror(errno) : why);
        gzclose(r->file);
        if (r->errors == 0 && t->count == 0)
            file_error(r, by, "no event of the page allocator in it");
    }
    if (r->errors == 0) {
        t->events = ARENA_ARRAY(arena, struct trace_event, t->count);
        memcpy(t->events, r->events, t->count * sizeof *t->events);
        match(t);
    }
    bool good = r->errors == 0;
    free(r->events);
    free(r);
    return good ? t : NULL;
}
