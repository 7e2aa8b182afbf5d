/* models/coherence/print.c - a protocol for people: grids, graph, list, one row in words, the vocabulary. */
#include "models/coherence/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum { GRID_COLUMNS = 100, CELL_BYTES = 28, CELL_LINES = 3 + ROW_ACTIONS_MAX };

struct cell { unsigned n; char line[CELL_LINES][CELL_BYTES]; };

/* What is printed: one controller, with its counts if there was a run. */
struct view {
    const struct protocol *p;
    enum controller c;
    const char *name;                       /* of the controller */
    const struct state_table *table;
    const struct vocabulary *words;
    const struct row_counts *counts;
    unsigned n_columns, column[EVENTS_MAX]; /* events that some state has a row for */
    unsigned note[STATES_MAX][EVENTS_MAX];  /* footnote number, 0 none */
};

static bool any_state(const struct state_table *t, unsigned e)
{
    for (unsigned s = 0; s < t->n_states; s++)
        if (t->row[s][e] != ROW_ILLEGAL)
            return true;
    return false;
}

static void view_init(struct view *v, const struct protocol *p, enum controller c, const struct row_counts *counts)
{
    unsigned notes = 0;
    *v = (struct view){ .p = p, .c = c, .name = controller_name(p, c), .table = &p->table[c], .words = &vocabularies[c], .counts = counts };
    for (unsigned e = 0; e < v->words->n_events; e++)
        if (any_state(v->table, e))
            v->column[v->n_columns++] = e;
    for (unsigned s = 0; s < v->table->n_states; s++)
        for (unsigned e = 0; e < v->words->n_events; e++)
            if (v->table->why[s][e])
                v->note[s][e] = ++notes;
}

static uint64_t count_of(const struct view *v, unsigned s, unsigned e)
{
    return v->c == CTL_CACHE ? v->counts->cache[s][e] : v->counts->home[s][e];
}

__attribute__((format(printf, 2, 3)))
static void cell_line(struct cell *cell, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(cell->line[cell->n++], CELL_BYTES, format, args);
    va_end(args);
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* Messages as "!NAME", what happens to the line in small letters. */
static void action_line(struct cell *cell, const struct action_info *a)
{
    if (a->sends != NO_MESSAGE) {
        cell_line(cell, "!%s", msg_infos[a->sends].name);
        return;
    }
    cell_line(cell, "%s", a->name);
    lower(cell->line[cell->n - 1]);
}

static bool is_core_hit(const struct view *v, row_word w, unsigned e)
{
    return v->c == CTL_CACHE && v->words->events[e].kind == NO_MESSAGE && row_actions(w) == CACT_COMPLETE;
}

static void fill_cell(struct cell *cell, const struct view *v, unsigned s, unsigned e)
{
    row_word w = v->table->row[s][e];
    char note[16] = "";
    cell->n = 0;
    if (v->note[s][e])
        snprintf(note, sizeof note, " [%u]", v->note[s][e]);
    if (w == ROW_ILLEGAL || w == ROW_WAIT) {
        cell_line(cell, w == ROW_WAIT ? "wait" : "-");
    } else {
        bool stays = row_next(w) == s, hit = is_core_hit(v, w, e);
        const char *next = v->table->name[row_next(w)];
        if (hit)
            cell_line(cell, "hit%s%s%s", stays ? "" : " > ", stays ? "" : next, note);
        else
            cell_line(cell, "%s%s%s", stays ? "=" : "> ", stays ? "" : next, note);
        for (uint64_t a = hit ? 0 : row_actions(w); a; a >>= 8)
            action_line(cell, &v->words->actions[a & 0xff]);
    }
    if (v->counts && w != ROW_ILLEGAL && count_of(v, s, e) == 0)
        cell_line(cell, "never");
    else if (v->counts && w != ROW_ILLEGAL)
        cell_line(cell, "%" PRIu64 "x", count_of(v, s, e));
}

static void print_notes(FILE *out, const struct view *v, const char *format)
{
    for (unsigned s = 0; s < v->table->n_states; s++)
        for (unsigned e = 0; e < v->words->n_events; e++)
            if (v->note[s][e])
                fprintf(out, format, v->note[s][e], v->table->why[s][e]);
}

/* A busy cache queues its core's accesses without stepping the table: its waits for these never run. */
static void print_share(FILE *out, const struct view *v, const char *indent)
{
    unsigned rows[2] = { 0 }, ran[2] = { 0 };
    for (unsigned s = 0; s < v->table->n_states; s++)
        for (unsigned e = 0; e < v->words->n_events; e++) {
            row_word w = v->table->row[s][e];
            rows[w == ROW_WAIT] += w != ROW_ILLEGAL;
            ran[w == ROW_WAIT] += w != ROW_ILLEGAL && count_of(v, s, e) > 0;
        }
    fprintf(out, "%s%u of the %u rows of the %s that act ran, and %u of the %u that wait", indent, ran[0], rows[0],
            v->words->name, ran[1], rows[1]);
    fputs(v->c == CTL_CACHE ? "\n" : ".\n", out);
    if (v->c == CTL_CACHE)
        fprintf(out, "%s(the timed cache queues accesses to a busy line without asking the table).\n", indent);
}

/* ---- text */

static unsigned column_width(const struct view *v, unsigned e)
{
    size_t width = strlen(v->words->events[e].name);
    struct cell cell;
    for (unsigned s = 0; s < v->table->n_states; s++) {
        fill_cell(&cell, v, s, e);
        for (unsigned i = 0; i < cell.n; i++)
            if (strlen(cell.line[i]) > width)
                width = strlen(cell.line[i]);
    }
    return (unsigned)width;
}

static void print_rule(FILE *out, unsigned state_width, const unsigned width[], unsigned first, unsigned last)
{
    for (unsigned i = 0; i < state_width; i++)
        fputc('-', out);
    for (unsigned k = first; k < last; k++) {
        fputs("-+-", out);
        for (unsigned i = 0; i < width[k]; i++)
            fputc('-', out);
    }
    fputc('\n', out);
}

/* No blanks at the end of a line. */
static void print_column(FILE *out, const char *text, unsigned width)
{
    if (*text || width)
        fprintf(out, " | %-*s", (int)width, text);
    else
        fputs(" |", out);
}

static void print_text_row(FILE *out, const struct view *v, unsigned s, unsigned state_width, const unsigned width[],
                           unsigned first, unsigned last)
{
    struct cell cells[EVENTS_MAX];
    unsigned height = 1;
    for (unsigned k = first; k < last; k++) {
        fill_cell(&cells[k], v, s, v->column[k]);
        height = cells[k].n > height ? cells[k].n : height;
    }
    for (unsigned i = 0; i < height; i++) {
        fprintf(out, "%-*s", (int)state_width, i ? "" : v->table->name[s]);
        for (unsigned k = first; k < last; k++)
            print_column(out, i < cells[k].n ? cells[k].line[i] : "", k + 1 < last ? width[k] : 0);
        fputc('\n', out);
    }
    print_rule(out, state_width, width, first, last);
}

static bool any_row(const struct view *v, unsigned s, unsigned first, unsigned last)
{
    for (unsigned k = first; k < last; k++)
        if (v->table->row[s][v->column[k]] != ROW_ILLEGAL)
            return true;
    return false;
}

/* As many events side by side as fit; states for which none of them can happen are left out. */
static void print_text_grid(FILE *out, const struct view *v)
{
    unsigned state_width = 5, width[EVENTS_MAX];
    for (unsigned s = 0; s < v->table->n_states; s++)
        if (strlen(v->table->name[s]) > state_width)
            state_width = (unsigned)strlen(v->table->name[s]);
    for (unsigned k = 0; k < v->n_columns; k++)
        width[k] = column_width(v, v->column[k]);
    for (unsigned first = 0, last; first < v->n_columns; first = last) {
        unsigned columns = state_width;
        for (last = first; last < v->n_columns && (last == first || columns + 3 + width[last] <= GRID_COLUMNS); last++)
            columns += 3 + width[last];
        fprintf(out, "\n%-*s", (int)state_width, "");
        for (unsigned k = first; k < last; k++)
            print_column(out, v->words->events[v->column[k]].name, k + 1 < last ? width[k] : 0);
        fputc('\n', out);
        print_rule(out, state_width, width, first, last);
        for (unsigned s = 0; s < v->table->n_states; s++)
            if (any_row(v, s, first, last))
                print_text_row(out, v, s, state_width, width, first, last);
    }
}

static void print_states(FILE *out, const struct view *v, const char *format)
{
    for (unsigned s = 0; s < v->table->n_states; s++)
        fprintf(out, format, v->table->name[s], v->table->sentence[s]);
}

/* Breaks lines at spaces. */
static void print_wrapped(FILE *out, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, "\n"), cut = n;
        if (n > GRID_COLUMNS)
            for (cut = GRID_COLUMNS; cut > 0 && text[cut] != ' '; cut--)
                ;
        cut = cut ? cut : n; /* a word longer than the line */
        fprintf(out, "%.*s\n", (int)cut, text);
        text += cut;
        text += *text != '\0';
    }
}

static void print_text(FILE *out, const struct protocol *p, const struct row_counts *counts)
{
    fprintf(out, "%s: %s\n", p->name, p->title);
    print_wrapped(out, p->text);
    fputs("\n-  cannot happen     wait  offered again later     hit  done at once     =  stays\n"
          "!  sends a message   > X   next state is X         [1]  footnote\n"
          "Events that never happen are left out, and states for which none of a grid's events can happen.\n", out);
    if (counts)
        fputs("Nx  the row ran N times in this run      never  it can happen, but did not in this run\n", out);
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        struct view v;
        view_init(&v, p, (enum controller)c, counts);
        fprintf(out, "\n%s\n", v.name);
        print_states(out, &v, "  %-4s %s\n");
        print_text_grid(out, &v);
        print_notes(out, &v, "  [%u] %s\n");
        if (counts)
            print_share(out, &v, "  ");
    }
}

/* ---- Markdown */

static void print_markdown_row(FILE *out, const struct view *v, unsigned s)
{
    struct cell cell;
    fprintf(out, "| **%s** |", v->table->name[s]);
    for (unsigned k = 0; k < v->n_columns; k++) {
        fill_cell(&cell, v, s, v->column[k]);
        for (unsigned i = 0; i < cell.n; i++)
            fprintf(out, "%s%s", i ? "<br>" : " ", cell.line[i]);
        fputs(" |", out);
    }
    fputc('\n', out);
}

static void print_markdown(FILE *out, const struct protocol *p, const struct row_counts *counts)
{
    fprintf(out, "# %s\n\n%s\n\n`-` cannot happen, `wait` is offered again later, `hit` is done at once, `=` stays, `> X` goes "
            "to X, `!` sends a message.\n", p->title, p->text);
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        struct view v;
        view_init(&v, p, (enum controller)c, counts);
        fprintf(out, "\n## %s\n\n", v.name);
        print_states(out, &v, "- **%s**: %s\n");
        fputs("\n| state |", out);
        for (unsigned k = 0; k < v.n_columns; k++)
            fprintf(out, " %s |", v.words->events[v.column[k]].name);
        fputs("\n|---|", out);
        for (unsigned k = 0; k < v.n_columns; k++)
            fputs("---|", out);
        fputc('\n', out);
        for (unsigned s = 0; s < v.table->n_states; s++)
            print_markdown_row(out, &v, s);
        fputc('\n', out);
        print_notes(out, &v, "%u. %s\n");
        if (counts) {
            fputc('\n', out);
            print_share(out, &v, "");
        }
    }
}

/* ---- Graphviz */

static void print_dot(FILE *out, const struct protocol *p, const struct row_counts *counts)
{
    fprintf(out, "digraph \"%s\" {\n  rankdir=LR;\n  node [shape=ellipse];\n", p->name);
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        struct view v;
        view_init(&v, p, (enum controller)c, counts);
        const char *name = v.name;
        fprintf(out, "  subgraph cluster_%s {\n    label=\"%s\";\n", name, name);
        for (unsigned s = 0; s < v.table->n_states; s++)
            fprintf(out, "    %s_%s [label=\"%s\"];\n", name, v.table->name[s], v.table->name[s]);
        for (unsigned s = 0; s < v.table->n_states; s++)
            for (unsigned e = 0; e < v.words->n_events; e++) {
                row_word w = v.table->row[s][e];
                if (row_verdict(w) != STEP_DONE || row_next(w) == s)
                    continue;
                fprintf(out, "    %s_%s -> %s_%s [label=\"%s", name, v.table->name[s], name, v.table->name[row_next(w)],
                        v.words->events[e].name);
                bool never = counts && count_of(&v, s, e) == 0;
                if (counts)
                    fprintf(out, "\\n%" PRIu64 "x", count_of(&v, s, e));
                fputs(never ? "\", style=dashed, color=gray, fontcolor=gray];\n" : "\"];\n", out);
            }
        fputs("  }\n", out);
    }
    fputs("}\n", out);
}

/* ---- CSV: one line per row, RFC 4180 quoting */

static void csv_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void print_csv_row(FILE *out, const struct view *v, unsigned s, unsigned e)
{
    row_word w = v->table->row[s][e];
    bool wait = w == ROW_WAIT;
    fprintf(out, "%s,%s,%s,%s,%s,", v->name, v->table->name[s], v->words->events[e].name, wait ? "wait" : "do",
            wait ? v->table->name[s] : v->table->name[row_next(w)]);
    for (uint64_t a = row_actions(w); a; a >>= 8)
        fprintf(out, "%s%s", v->words->actions[a & 0xff].name, a >> 8 ? " " : "");
    fputc(',', out);
    csv_text(out, v->table->why[s][e] ? v->table->why[s][e] : "");
    if (v->counts)
        fprintf(out, ",%" PRIu64, count_of(v, s, e));
    fputc('\n', out);
}

static void print_csv(FILE *out, const struct protocol *p, const struct row_counts *counts)
{
    fprintf(out, "controller,state,event,verdict,next,actions,why%s\n", counts ? ",count" : "");
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        struct view v;
        view_init(&v, p, (enum controller)c, counts);
        for (unsigned s = 0; s < v.table->n_states; s++)
            for (unsigned e = 0; e < v.words->n_events; e++)
                if (v.table->row[s][e] != ROW_ILLEGAL)
                    print_csv_row(out, &v, s, e);
    }
}

void protocol_print(FILE *out, const struct protocol *p, enum protocol_format format, const struct row_counts *counts)
{
    switch (format) {
    case PROTOCOL_TEXT: print_text(out, p, counts); break;
    case PROTOCOL_MARKDOWN: print_markdown(out, p, counts); break;
    case PROTOCOL_DOT: print_dot(out, p, counts); break;
    case PROTOCOL_CSV: print_csv(out, p, counts); break;
    }
}

/* ---- one row in words */

enum { TERM_COLUMNS = 18 };

/* "  term              sentence" */
__attribute__((format(printf, 3, 4)))
static void term(FILE *out, const char *sentence, const char *format, ...)
{
    char head[64];
    va_list args;
    va_start(args, format);
    vsnprintf(head, sizeof head, format, args);
    va_end(args);
    fprintf(out, "  %-*s %s\n", TERM_COLUMNS, head, sentence);
}

/* Events for which the state has a row, those that are messages or all: indented, broken between names. */
static void print_events(FILE *out, const struct view *v, unsigned s, bool messages_only)
{
    size_t column = 0;
    for (unsigned e = 0; e < v->words->n_events; e++) {
        const char *name = v->words->events[e].name;
        row_word w = v->table->row[s][e];
        if (w == ROW_ILLEGAL || (messages_only && (w == ROW_WAIT || v->words->events[e].kind == NO_MESSAGE)))
            continue;
        bool breaks = column + 2 + strlen(name) >= GRID_COLUMNS;
        fprintf(out, "%s%s", column == 0 ? "  " : breaks ? ",\n  " : ", ", name);
        column = (breaks ? 0 : column) + 2 + strlen(name);
    }
    fputc('\n', out);
}

static void explain_actions(FILE *out, const struct view *v, unsigned s, unsigned e)
{
    row_word w = v->table->row[s][e];
    if (is_core_hit(v, w, e)) {
        fputs("A hit: the core's operation is performed in this very step; nobody is asked.\n", out);
        return;
    }
    if (!row_actions(w)) {
        fprintf(out, row_next(w) == s ? "Nothing is sent and nothing changes.\n" : "Nothing is sent.\n");
        return;
    }
    fputs("What is done, in this order:\n", out);
    for (uint64_t a = row_actions(w); a; a >>= 8) {
        const struct action_info *action = &v->words->actions[a & 0xff];
        bool performs = v->c == CTL_CACHE && (a & 0xff) == CACT_COMPLETE;
        term(out, performs ? "The operation that waited for this is performed in this very step." : action->sentence, "%s", action->name);
        if (action->sends != NO_MESSAGE)
            term(out, msg_infos[action->sends].sentence, "  sends %s", msg_infos[action->sends].name);
    }
}

static void explain(FILE *out, const struct view *v, unsigned s, unsigned e)
{
    row_word w = v->table->row[s][e];
    const struct event_info *event = &v->words->events[e];
    fprintf(out, "%s, %s: event %s in state %s\n", v->p->name, v->name, event->name, v->table->name[s]);
    term(out, v->table->sentence[s], "%s", v->table->name[s]);
    term(out, event->sentence, "%s", event->name);
    if (w == ROW_ILLEGAL) {
        fputs("This cannot happen: there is no row for it. If it does, the run stops with a protocol error.\n"
              "What can happen in this state:\n", out);
        print_events(out, v, s, false);
        return;
    }
    if (w == ROW_WAIT) {
        fputs("It waits, and is offered again after the line's next change. Messages that the line takes meanwhile:\n", out);
        print_events(out, v, s, true);
        return;
    }
    explain_actions(out, v, s, e);
    if (row_next(w) == s) {
        fprintf(out, "The line stays in %s.\n", v->table->name[s]);
    } else {
        fputs("The line is then in:\n", out);
        term(out, v->table->sentence[row_next(w)], "%s", v->table->name[row_next(w)]);
    }
    if (v->table->why[s][e])
        fprintf(out, "Note: %s.\n", v->table->why[s][e]);
}

bool protocol_explain_row(FILE *out, const struct protocol *p, const char *state, const char *event)
{
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        int s = protocol_state(p, (enum controller)c, state), e = vocabulary_event((enum controller)c, event);
        if (s < 0 || e < 0)
            continue;
        struct view v;
        view_init(&v, p, (enum controller)c, NULL);
        explain(out, &v, (unsigned)s, (unsigned)e);
        return true;
    }
    return false;
}

/* ---- vocabulary */

static const char *const predicates[][2] = {
    { "DATA, DATA_ACKS, DATA_LAST", "one message: without the right to write; with it, by whether the acknowledgements it "
                                    "announces have all come" },
    { "GRANT_ACKS, GRANT_LAST", "one message: by whether the acknowledgements it announces have all come" },
    { "ACK, ACK_LAST", "one message: the last if exactly one is missing and data or grant (at the home: the recall) has said "
                       "how many" },
    { "PUT_OWNER, PUT_OLD", "one message: by whether the home takes the sender for the owner" },
    { "PUTF_OWNER, PUTF_OLD", "likewise" },
    { "UPG_OWNER, UPG_OLD, UPG", "one message: likewise; UPG where nobody is remembered, on a bus" },
    { "ANSWER, ALL_*", "ACK, SHARED and OWNED at the bus: ANSWER while others are missing, then by the wired OR of all, "
                       "OWNED before SHARED" },
    { "SNOOP_DATA, SNOOP_DATA_LAST", "one message: by whether it is the last answer that was missing" },
};

void protocol_vocabulary(FILE *out)
{
    for (unsigned c = 0; c < CTL_COUNT; c++) {
        const struct vocabulary *v = &vocabularies[c];
        const char *who = c == CTL_HOME ? "home or bus" : v->name;
        fprintf(out, "%sEvents of the %s\n", c ? "\n" : "", who);
        for (unsigned e = 0; e < v->n_events; e++)
            fprintf(out, "  %-19s %s\n", v->events[e].name, v->events[e].sentence);
        fprintf(out, "\nActions of the %s\n", who);
        for (unsigned a = 1; a < v->n_actions; a++)
            fprintf(out, "  %-19s %s\n", v->actions[a].name, v->actions[a].sentence);
    }
    fputs("\nPredicates: which event a message is\n", out);
    for (size_t i = 0; i < sizeof predicates / sizeof *predicates; i++)
        fprintf(out, "  %-26s %s\n", predicates[i][0], predicates[i][1]);
    fputs("\nMessages\n", out);
    for (int kind = 0; kind < MSG_KIND_COUNT; kind++)
        if (kind != MSG_TLB_INVALIDATE && kind != MSG_TLB_ACK)
            fprintf(out, "  %-19s %s\n", msg_infos[kind].name, msg_infos[kind].sentence);
}

void home_line_print_holders(FILE *out, const struct home_line *l, uint16_t (*agent_node)(void *arg, unsigned agent, lineno), void *arg,
                             lineno line)
{
    const char *before = ", sharers ";
    if (l->owner >= 0)
        fprintf(out, ", owner %u", agent_node ? agent_node(arg, (unsigned)l->owner, line) : (unsigned)l->owner);
    for (unsigned i = 0; i < AGENTS_MAX; i++)
        if (l->sharers.w[i / 64] >> (i % 64) & 1) {
            fprintf(out, "%s%u", before, agent_node ? agent_node(arg, i, line) : i);
            before = " ";
        }
}
