/* src/machine/life.c - the life of one line as text, and the count of transitions by line. */
#include "src/machine/private.h"

#include "src/base/fail.h"
#include "src/base/rng.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- one entry as a line of text: time, who, what */

static void print_head(FILE *out, tick when, const char *who)
{
    fprintf(out, "%9" PRIu64 ".%03" PRIu64 " ns  %-8s ", when / PS_PER_NS, when % PS_PER_NS, who);
}

void print_address(FILE *out, lineno line) { fprintf(out, "%#10" PRIx64 " ", line.v << LINE_SHIFT); }

void print_message_address(FILE *out, const struct msg *m)
{
    fprintf(out, "%#10" PRIx64 " ", m->line.v << (is_translation_message(m) ? PAGE_SHIFT : LINE_SHIFT));
}

void print_no_address(FILE *out) { fprintf(out, "%10s ", ""); }

void print_transition(FILE *out, struct machine *m, const struct history_entry *e)
{
    char name[PART_NAME_MAX];
    part_name(e->who, name);
    print_head(out, e->when, name);
    fprintf(out, " %-12s", e->event);
    if (strcmp(e->new_state, "wait") == 0)
        fprintf(out, "%s, waits", e->old_state);
    else if (strcmp(e->old_state, e->new_state) == 0)
        fprintf(out, "%s, stays", e->old_state);
    else
        fprintf(out, "%s > %s", e->old_state, e->new_state);
    if (e->from >= 0 && strcmp(machine_node_name(m, (unsigned)e->from), name) != 0)
        fprintf(out, "   for %s", machine_node_name(m, (unsigned)e->from));
    fputc('\n', out);
}

void print_message(FILE *out, struct machine *m, const struct seen_message *s)
{
    const struct msg *msg = s->msg;
    const char *kind = msg_infos[msg->kind].name;
    print_head(out, s->now, machine_node_name(m, s->delivered ? msg->dst : msg->src));
    if (s->delivered)
        fprintf(out, "   <- %-10s from %s, %" PRIu64 ".%03" PRIu64 " ns under way\n", kind, machine_node_name(m, msg->src),
                (s->now - s->sent) / PS_PER_NS, (s->now - s->sent) % PS_PER_NS);
    else
        fprintf(out, "   -> %-10s to %s\n", kind, machine_node_name(m, msg->dst));
}

void print_request(FILE *out, struct machine *m, const struct seen_request *r)
{
    tick ps = r->end - r->start;
    print_head(out, r->end, machine_node_name(m, r->actor));
    fprintf(out, " %s, %" PRIu64 ".%03" PRIu64 " ns\n", class_infos[r->class].name, ps / PS_PER_NS, ps % PS_PER_NS);
}

/* ---- one line's life */

struct line_life { struct machine *machine; lineno line; FILE *out; uint64_t transitions, messages; };

static void life_transition(void *self, const struct history_entry *e)
{
    struct line_life *l = self;
    if (e->line.v != l->line.v)
        return;
    l->transitions++;
    print_transition(l->out, l->machine, e);
}

static void life_message(void *self, const struct seen_message *s)
{
    struct line_life *l = self;
    if (s->msg->line.v != l->line.v || is_translation_message(s->msg))
        return;
    l->messages += !s->delivered;
    print_message(l->out, l->machine, s);
}

struct line_life *line_life_new(struct machine *m, lineno line, FILE *out)
{
    struct line_life *l = calloc(1, sizeof *l);
    CHECK_MEMORY(l, "out of host memory for the life of a line");
    *l = (struct line_life){ .machine = m, .line = line, .out = out };
    machine_watch(m, (struct watcher){ l, NULL, life_transition, life_message });
    return l;
}

void line_life_free(struct line_life *l) { free(l); }
uint64_t line_life_transitions(const struct line_life *l) { return l->transitions; }
uint64_t line_life_messages(const struct line_life *l) { return l->messages; }

/* ---- busy lines: an open hash table, doubled when it is half full */

struct busy_lines {
    struct busy_line *slot;     /* transitions 0: empty */
    size_t count, mask;
};

static struct busy_line *place_of(const struct busy_lines *b, lineno line)
{
    size_t i = mix64(line.v) & b->mask;
    while (b->slot[i].transitions && b->slot[i].line.v != line.v)
        i = (i + 1) & b->mask;
    return &b->slot[i];
}

static void grow(struct busy_lines *b)
{
    struct busy_lines old = *b;
    b->mask = old.mask * 2 + 1;
    b->slot = calloc(b->mask + 1, sizeof *b->slot);
    CHECK_MEMORY(b->slot, "out of host memory for the count of lines");
    for (size_t i = 0; i <= old.mask; i++)
        if (old.slot[i].transitions)
            *place_of(b, old.slot[i].line) = old.slot[i];
    free(old.slot);
}

static void count_transition(void *self, const struct history_entry *e)
{
    struct busy_lines *b = self;
    struct busy_line *l = place_of(b, e->line);
    if (!l->transitions) {
        if (2 * (b->count + 1) > b->mask) {
            grow(b);
            l = place_of(b, e->line);
        }
        *l = (struct busy_line){ .line = e->line, .first_seen = b->count++ };
    }
    l->transitions++;
}

struct busy_lines *busy_lines_new(struct machine *m)
{
    struct busy_lines *b = calloc(1, sizeof *b);
    CHECK_MEMORY(b, "out of host memory for the count of lines");
    b->mask = MEAN_SIZE(1023, 1);
    b->slot = calloc(b->mask + 1, sizeof *b->slot);
    CHECK_MEMORY(b->slot, "out of host memory for the count of lines");
    machine_watch(m, (struct watcher){ b, NULL, count_transition, NULL });
    return b;
}

void busy_lines_free(struct busy_lines *b)
{
    if (b)
        free(b->slot);
    free(b);
}

static bool busier(const struct busy_line *a, const struct busy_line *b)
{
    return a->transitions != b->transitions ? a->transitions > b->transitions : a->first_seen < b->first_seen;
}

size_t busy_lines_top(const struct busy_lines *b, struct busy_line *top, size_t most)
{
    size_t n = 0;
    for (size_t i = 0; i <= b->mask; i++) {
        if (!b->slot[i].transitions)
            continue;
        size_t at = n;
        while (at > 0 && busier(&b->slot[i], &top[at - 1]))
            at--;
        if (at == most)
            continue;
        n += n < most;
        memmove(&top[at + 1], &top[at], (n - at - 1) * sizeof *top);
        top[at] = b->slot[i];
    }
    return n;
}
