/* src/cli/lines.c - lines of memory that the user names, and their lives. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/lines.h"
#include "src/machine/look.h"

bool parse_line(const char *text, lineno *line)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return false;
    errno = 0;
    uint64_t address = strtoull(digits, NULL, hex ? 16 : 10);
    *line = paddr_line((paddr){ address });
    return errno == 0;
}

void print_busy_lines(FILE *out, const struct busy_lines *busy, size_t most)
{
    struct busy_line top[16];
    size_t n = busy_lines_top(busy, top, most < 16 ? most : 16);
    if (n == 0) {
        fputs("no line has had a transition so far\n", out);
        return;
    }
    fputs("     address  transitions\n", out);
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%#12" PRIx64 "  %11" PRIu64 "\n", top[i].line.v << LINE_SHIFT, top[i].transitions);
}

static lineno busiest_line(struct study_doc *study, const struct run_options *options)
{
    struct run_options quiet = *options;
    struct busy_line top = { 0 };
    quiet.trace = NULL;
    quiet.progress = NULL;
    struct machine *m = build_or_fail(study, &quiet);
    struct busy_lines *busy = busy_lines_new(m);
    machine_run(m);
    if (busy_lines_top(busy, &top, 1) == 0)
        fail_user("--history busiest: no line has any transition in this run");
    busy_lines_free(busy);
    machine_free(m);
    return top.line;
}

bool line_in_memory(const struct machine *m, lineno line, const char *address, char why[LINE_WHY_BYTES])
{
    uint64_t bytes = look_memory_bytes(m);
    if (line.v < bytes >> LINE_SHIFT)
        return true;
    snprintf(why, LINE_WHY_BYTES, "%.40s lies beyond memory, whose last byte is %#" PRIx64, address, bytes - 1);
    return false;
}

void histories_find(struct histories *h, struct study_doc *study, const struct run_options *options)
{
    for (size_t i = 0; i < h->count; i++) {
        if (strcmp(h->asked[i], "busiest") == 0)
            h->of[i].line = busiest_line(study, options);
        else if (!parse_line(h->asked[i], &h->of[i].line))
            fail_user("--history: \"%s\" is no address; wanted: 0x1fc0, 8128 (bytes, hexadecimal or decimal) or busiest", h->asked[i]);
    }
}

void histories_watch(struct histories *h, struct machine *m)
{
    if (h->count)
        h->busy = busy_lines_new(m);
    for (size_t i = 0; i < h->count; i++) {
        struct history_of *of = &h->of[i];
        char why[LINE_WHY_BYTES];
        if (!line_in_memory(m, of->line, h->asked[i], why))
            fail_user("--history: %s", why);
        of->out = open_memstream(&of->text, &of->size);
        CHECK_MEMORY(of->out, "out of memory");
        of->life = line_life_new(m, of->line, of->out);
    }
}

void histories_print(struct histories *h, FILE *out)
{
    for (size_t i = 0; i < h->count; i++) {
        struct history_of *of = &h->of[i];
        uint64_t first = of->line.v << LINE_SHIFT, transitions = line_life_transitions(of->life);
        fclose(of->out);
        fprintf(out, "The life of the line at %#" PRIx64 " (to %#" PRIx64 "): %" PRIu64 " transitions, %" PRIu64 " messages\n", first,
                first + LINE_BYTES - 1, transitions, line_life_messages(of->life));
        fputs(of->text, out);
        if (transitions == 0) {
            fputs("Nothing happened to it. The busiest lines of this run:\n", out);
            print_busy_lines(out, h->busy, 8);
        }
        line_life_free(of->life);
        free(of->text);
    }
    busy_lines_free(h->busy);
}
