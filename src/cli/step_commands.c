/* src/cli/step_commands.c - what can be said to labyrinth step. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/suggest.h"
#include "src/cli/step.h"
#include "src/config/quantity.h"

enum { WORDS_MAX = 6, HISTORY_LINES = 24, BUSY_LINES = 10, AGENTS_SHOWN = 64 };

struct words { unsigned count; char *word[WORDS_MAX]; };

__attribute__((format(printf, 2, 3)))
static bool mistake(struct walk *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    w->misunderstood = true;
    return false;
}

/* ---- what is shown after a command */

static void show_watched(struct walk *w)
{
    for (unsigned i = 0; i < w->watched_count; i++)
        look_line(w->machine, w->watched[i], true, stdout);
}

static void show_end(struct walk *w)
{
    const struct result *r = machine_result(w->machine);
    printf("The run is over: %s after ", run_stop_name(r->stop));
    print_ns(stdout, r->time_ps);
    printf(" and %" PRIu64 " events, order_hash %016" PRIx64 ".\n%s", w->event, r->order_hash, r->stop_text);
    if (*r->stop_text && r->stop_text[strlen(r->stop_text) - 1] != '\n')
        putchar('\n');
}

void step_show(struct walk *w)
{
    if (w->over) {
        show_end(w);
    } else if (w->event == 0) {
        puts("start of the run");
    } else {
        printf("event %" PRIu64 " at ", w->event);
        print_ns(stdout, machine_now(w->machine));
        printf(" (%s)\n", w->what);
        fflush(w->out);
        fwrite(w->text, 1, w->text_size, stdout);
    }
    show_watched(w);
}

/* ---- arguments */

bool step_line(struct walk *w, const char *word, lineno *line)
{
    struct busy_line top;
    if (strcmp(word, "busiest") == 0) {
        if (busy_lines_top(w->busy, &top, 1) == 0)
            return mistake(w, "no line has had a transition so far");
        *line = top.line;
        return true;
    }
    char why[LINE_WHY_BYTES];
    if (!parse_line(word, line))
        return mistake(w, "\"%s\" is no address; wanted: 0x1fc0, 8128 (bytes, hexadecimal or decimal) or busiest", word);
    return line_in_memory(w->machine, *line, word, why) || mistake(w, "%s", why);
}

static bool number(struct walk *w, const struct words *words, unsigned at, uint64_t otherwise, uint64_t *n)
{
    *n = otherwise;
    if (words->count <= at)
        return true;
    char *end;
    errno = 0;
    *n = strtoull(words->word[at], &end, 10);
    if (words->word[at][0] < '0' || words->word[at][0] > '9' || *end || errno)
        return mistake(w, "\"%s\" is no whole number", words->word[at]);
    return true;
}

/* The line of words[at], or the one watched last. */
static bool line_or_watched(struct walk *w, const struct words *words, unsigned at, lineno *line)
{
    if (words->count > at)
        return step_line(w, words->word[at], line);
    if (w->watched_count == 0)
        return mistake(w, "which line? say an address, busiest, or watch one before");
    *line = w->watched[w->watched_count - 1];
    return true;
}

static bool is_watched(const struct walk *w, lineno line)
{
    for (unsigned i = 0; i < w->watched_count; i++)
        if (w->watched[i].v == line.v)
            return true;
    return false;
}

/* ---- moving */

static void forward_steps(struct walk *w, const struct words *words)
{
    uint64_t n;
    if (!number(w, words, 1, 1, &n))
        return;
    for (uint64_t i = 0; i < n && !w->over; i++) {
        while (walk_forward(w) && !w->happened)
            ;
        if (i + 1 < n && !w->over) {
            fflush(w->out);
            fwrite(w->text, 1, w->text_size, stdout);
        }
    }
    step_show(w);
}

static void forward_events(struct walk *w, const struct words *words)
{
    uint64_t n;
    if (!number(w, words, 1, 1, &n))
        return;
    while (n-- > 0 && walk_forward(w))
        ;
    step_show(w);
}

static void back_steps(struct walk *w, const struct words *words)
{
    uint64_t n;
    if (!number(w, words, 1, 1, &n))
        return;
    if (n > 0)
        walk_to(w, walk_steps_back(w, n));
    step_show(w);
}

static void back_events(struct walk *w, const struct words *words)
{
    uint64_t n;
    if (!number(w, words, 1, 1, &n))
        return;
    walk_to(w, n > w->event ? 0 : w->event - n);
    step_show(w);
}

static void to_event(struct walk *w, const struct words *words)
{
    uint64_t n;
    if (words->count < 2)
        mistake(w, "which event? goto N");
    else if (number(w, words, 1, 0, &n)) {
        walk_to(w, n);
        step_show(w);
    }
}

static void to_line(struct walk *w, const struct words *words, unsigned at)
{
    lineno line;
    if (!line_or_watched(w, words, at, &line))
        return;
    w->target = line;
    while (walk_forward(w) && !w->target_seen)
        ;
    w->target.v = UINT64_MAX;
    step_show(w);
    if (!is_watched(w, line))
        look_line(w->machine, line, true, stdout);
}

static void next_of_line(struct walk *w, const struct words *words) { to_line(w, words, 1); }

static void to_operation(struct walk *w, const char *agent)
{
    const char *names[AGENTS_SHOWN];
    uint64_t before, done;
    if (!look_done(w->machine, agent, &before)) {
        size_t n = look_agent_names(w->machine, names, AGENTS_SHOWN);
        const char *near = suggest_nearest(agent, names, n);
        mistake(w, "until: \"%s\" is no time, no agent, not line and not end%s%s%s", agent, near ? "; did you mean \"" : "",
                near ? near : "", near ? "\"?" : "");
        return;
    }
    do
        done = before;
    while (walk_forward(w) && look_done(w->machine, agent, &done) && done == before);
    step_show(w);
    if (!w->over)
        printf("%s: %" PRIu64 " operation%s done\n", agent, done, done == 1 ? "" : "s");
}

static void to_time(struct walk *w, tick when)
{
    while (machine_now(w->machine) < when && walk_forward(w))
        ;
    step_show(w);
}

static void until(struct walk *w, const struct words *words)
{
    struct complaint complaint;
    uint64_t when;
    if (words->count < 2) {
        mistake(w, "until what? until 5us, until line ADDR, until AGENT (its next operation), until end");
    } else if (strcmp(words->word[1], "line") == 0) {
        to_line(w, words, 2);
    } else if (strcmp(words->word[1], "end") == 0) {
        while (walk_forward(w))
            ;
        step_show(w);
    } else if (quantity_like(words->word[1])) {
        if (!quantity_parse(words->word[1], Q_TIME, &when, &complaint)) {
            mistake(w, "%s", complaint.what);
            return;
        }
        if (machine_now(w->machine) >= when)
            mistake(w, "that time has come already; back and goto go back");
        else
            to_time(w, when);
    } else {
        to_operation(w, words->word[1]);
    }
}

/* ---- looking */

static void print(struct walk *w, const struct words *words)
{
    lineno line;
    uint64_t core;
    if (words->count == 1 && w->watched_count)
        show_watched(w);
    else if (words->count >= 2 && strcmp(words->word[1], "line") == 0) {
        if (line_or_watched(w, words, 2, &line))
            look_line(w->machine, line, false, stdout);
    } else if (words->count == 3 && strcmp(words->word[1], "core") == 0) {
        if (number(w, words, 2, 0, &core) && !look_core(w->machine, core > UINT32_MAX ? UINT32_MAX : (unsigned)core, stdout))
            mistake(w, "there is no core%" PRIu64, core);
    } else {
        mistake(w, "print what? print line ADDR, print core N");
    }
}

static void messages(struct walk *w, const struct words *words)
{
    (void)words;
    look_messages(w->machine, stdout);
}

static void history(struct walk *w, const struct words *words)
{
    lineno line;
    if (line_or_watched(w, words, 1, &line))
        look_history(w->machine, line, HISTORY_LINES, stdout);
}

static void where(struct walk *w, const struct words *words)
{
    (void)words;
    printf("event %" PRIu64 " of %" PRIu64 " known, at ", w->event, w->known);
    print_ns(stdout, machine_now(w->machine));
    puts(w->over ? "; the run is over" : "");
    look_agents(w->machine, stdout);
}

static void lines(struct walk *w, const struct words *words)
{
    (void)words;
    print_busy_lines(stdout, w->busy, BUSY_LINES);
}

static void watch(struct walk *w, const struct words *words)
{
    lineno line;
    if (words->count < 2)
        mistake(w, "watch what? watch ADDR or watch busiest");
    else if (w->watched_count == WATCHED_MAX)
        mistake(w, "%d lines are watched already; unwatch one", WATCHED_MAX);
    else if (step_line(w, words->word[1], &line)) {
        if (!is_watched(w, line))
            w->watched[w->watched_count++] = line;
        show_watched(w);
    }
}

static void unwatch(struct walk *w, const struct words *words)
{
    lineno line;
    if (words->count < 2)
        w->watched_count = 0;
    else if (step_line(w, words->word[1], &line))
        for (unsigned i = 0; i < w->watched_count; i++)
            if (w->watched[i].v == line.v)
                w->watched[i--] = w->watched[--w->watched_count];
}

static void quit(struct walk *w, const struct words *words)
{
    (void)words;
    w->quit = true;
}

/* ---- the table of commands */

static void help(struct walk *w, const struct words *words);

static const struct {
    const char *name, *brief, *arguments, *sentence;
    void (*run)(struct walk *, const struct words *);
} commands[] = {
    { "step", "n", "[N]", "to the next transition or message, N times (also: s)", forward_steps },
    { "back", "b", "[N]", "back by so many of these steps", back_steps },
    { "event", "e", "[N]", "finer: the next event of the engine", forward_events },
    { "back-event", "be", "[N]", "back by so many events of the engine", back_events },
    { "goto", "g", "N", "to event number N, forward or back; goto 0 is the start", to_event },
    { "line", "l", "[ADDR]", "to the next transition of the line at an address", next_of_line },
    { "until", "u", "5us", "until a time; until line ADDR; until AGENT: its next operation; until end", until },
    { "print", "p", "line ADDR", "who holds a line, its home, its messages; print core N: what it waits for", print },
    { "messages", "m", "", "all messages under way", messages },
    { "history", "h", "[ADDR]", "the last transitions of a line", history },
    { "where", "w", "", "the place of the walk, and what each hart waits for", where },
    { "lines", "", "", "the lines with the most transitions so far", lines },
    { "watch", "", "ADDR", "show this line after every command; unwatch [ADDR] ends it", watch },
    { "unwatch", "", "[ADDR]", "watch this line, or none, no longer", unwatch },
    { "help", "?", "", "this list", help },
    { "quit", "q", "", "end", quit },
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void help(struct walk *w, const struct words *words)
{
    (void)w;
    (void)words;
    for (size_t i = 0; i < COMMANDS; i++) {
        char head[40];
        snprintf(head, sizeof head, "%s %s", commands[i].name, commands[i].arguments);
        printf("  %-3s %-20s %s\n", commands[i].brief, head, commands[i].sentence);
    }
    puts("An empty line repeats the last command. ADDR is in bytes, 0x1fc0 or 8128; busiest is the line that\n"
         "lines lists first; where ADDR may be left out the line watched last is meant. Going back replays the\n"
         "run from its start.");
}

static struct words split(char *line)
{
    struct words w = { 0 };
    for (char *word = strtok(line, " \t"); word && w.count < WORDS_MAX; word = strtok(NULL, " \t"))
        w.word[w.count++] = word;
    return w;
}

void step_command(struct walk *w, const char *line)
{
    char copy[COMMAND_MAX];
    const char *names[COMMANDS];
    bool again = line[strspn(line, " \t")] == '\0';
    if (strlen(line) >= COMMAND_MAX) {
        mistake(w, "a command has less than %d characters", COMMAND_MAX);
        return;
    }
    snprintf(copy, sizeof copy, "%s", again ? w->last : line);
    if (!again)
        snprintf(w->last, sizeof w->last, "%s", line);
    struct words words = split(copy);
    if (words.count == 0)
        return;
    const char *name = strcmp(words.word[0], "s") == 0 ? "step" : words.word[0];
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i].name;
        if (strcmp(name, commands[i].name) == 0 || strcmp(name, commands[i].brief) == 0) {
            commands[i].run(w, &words);
            return;
        }
    }
    const char *near = suggest_nearest(name, names, COMMANDS);
    mistake(w, "\"%s\" is no command%s%s%s", name, near ? "; did you mean \"" : "; help lists them", near ? near : "",
            near ? "\"?" : "");
}
