/* src/cli/step.c - labyrinth step: a walk through a run, forward and back; back is an exact replay from the start. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/cli/step.h"

/* ---- what happens in an event */

static void saw_transition(void *self, const struct history_entry *e)
{
    struct walk *w = self;
    w->happened++;
    w->target_seen |= e->line.v == w->target.v;
    if (!w->recording)
        return;
    print_address(w->out, e->line);
    print_transition(w->out, w->machine, e);
}

static void saw_message(void *self, const struct seen_message *s)
{
    struct walk *w = self;
    w->happened++;
    if (!w->recording)
        return;
    print_message_address(w->out, s->msg);
    print_message(w->out, w->machine, s);
}

static void forget_event(struct walk *w)
{
    rewind(w->out);
    w->happened = 0;
    w->target_seen = false;
}

/* ---- forward and back */

static void build(struct walk *w)
{
    w->machine = build_or_fail(w->study, w->options);
    w->busy = busy_lines_new(w->machine);
    machine_watch(w->machine, (struct watcher){ w, NULL, saw_transition, saw_message });
    w->event = 0;
    w->over = false;
    w->what = NULL;
    forget_event(w);
    machine_start(w->machine);
}

static void drop(struct walk *w)
{
    busy_lines_free(w->busy);
    machine_free(w->machine);
}

void walk_start(struct walk *w, struct study_doc *study, const struct run_options *options)
{
    *w = (struct walk){ .study = study, .options = options, .recording = true, .target = { UINT64_MAX } };
    w->out = open_memstream(&w->text, &w->text_size);
    CHECK_MEMORY(w->out, "out of memory");
    build(w);
}

void walk_end(struct walk *w)
{
    drop(w);
    fclose(w->out);
    free(w->text);
    free(w->steps.at);
}

static void remember_step(struct walk *w)
{
    struct steps *s = &w->steps;
    if (s->count == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->at = realloc(s->at, s->cap * sizeof *s->at);
        CHECK_MEMORY(s->at, "out of memory");
    }
    s->at[s->count++] = w->event;
}

bool walk_forward(struct walk *w)
{
    if (w->over)
        return false;
    forget_event(w);
    const char *what = machine_step(w->machine);
    if (!what) {
        w->over = true;
        machine_finish(w->machine);
        return false;
    }
    w->what = what;
    w->event++;
    if (w->event > w->known) {
        w->known = w->event;
        if (w->happened)
            remember_step(w);
    }
    return true;
}

void walk_to(struct walk *w, uint64_t event)
{
    if (event < w->event || w->over) {
        drop(w);
        build(w);
    }
    while (w->event < event) {
        w->recording = w->event + 1 == event;
        if (!walk_forward(w))
            break;
    }
    w->recording = true;
}

uint64_t walk_steps_back(const struct walk *w, uint64_t n)
{
    uint64_t here = w->event + w->over;    /* the end lies behind the last event */
    size_t low = 0, high = w->steps.count; /* steps before: binary search */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->steps.at[middle] < here)
            low = middle + 1;
        else
            high = middle;
    }
    return n == 0 ? w->event : n > low ? 0 : w->steps.at[low - n];
}

/* ---- the command */

enum { KEY_WATCH = 0x200 };

static const struct argp_option options[] = {
    { "watch", KEY_WATCH, "ADDR", 0, "Show the line at this address after every command (repeatable)", 2 },
    { 0 },
};

struct own { const char *watched[WATCHED_MAX]; unsigned count; };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    lineno line;
    if (key != KEY_WATCH)
        return ARGP_ERR_UNKNOWN;
    if (!parse_line(arg, &line))
        fail_user("--watch: \"%s\" is no address; wanted: 0x1fc0 or 8128 (bytes, hexadecimal or decimal)", arg);
    if (own->count == WATCHED_MAX)
        fail_user("--watch is given more than %d times", WATCHED_MAX);
    own->watched[own->count++] = arg;
    return 0;
}

static const struct usage usage = {
    .options = options, .parser = parse, .common = COMMON_CONFIG | COMMON_HOST, .arguments = "CONFIG", .args_min = 1, .args_max = 1,
    .doc = "Walks through a run, forward and back: transitions, messages, who holds a line, what each hart waits for.\v"
           "Commands are read from standard input; help lists them. A walk does not change the run. Going back replays it from "
           "the start, exactly. The exit code is the run's if the walk reached its end, 2 if a command of a file or pipe was not "
           "understood, otherwise 0.",
};

static void greet(struct walk *w, const char *title)
{
    printf("%s\n%s\n", title, machine_line(w->study));
    look_agents(w->machine, stdout);
    puts("Nothing has happened yet. step goes to the next transition or message, help lists the commands.");
}

/* One command per line until quit or the end of the input. */
static void talk(struct walk *w, bool prompt)
{
    char *line = NULL;
    size_t cap = 0;
    while (!w->quit) {
        if (prompt)
            fputs("step> ", stdout);
        fflush(stdout);
        ssize_t n = getline(&line, &cap, stdin);
        if (n < 0)
            break;
        line[strcspn(line, "\r\n")] = '\0';
        step_command(w, line);
    }
    if (prompt && !w->quit)
        putchar('\n');
    free(line);
}

static int run(int argc, char **argv)
{
    struct own own = { .count = 0 };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    struct study_doc study;
    struct walk walk;
    bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (c.host_stats)
        fail_user("--host-stats: a walk has no speed of its own");
    load_or_fail(&study, c.args[0], c.sets, c.sets_count);
    c.run.lookahead = false; /* every event by itself; results are the same */
    walk_start(&walk, &study, &c.run);
    for (unsigned i = 0; i < own.count; i++) {
        char why[LINE_WHY_BYTES];
        lineno *line = &walk.watched[walk.watched_count++];
        if (parse_line(own.watched[i], line) && !line_in_memory(walk.machine, *line, own.watched[i], why))
            fail_user("--watch: %s", why);
    }
    greet(&walk, study.doc.title);
    talk(&walk, terminal);
    int code = walk.over ? run_stop_exit_code(machine_result(walk.machine)->stop) : EXIT_CLEAN;
    if (code == EXIT_CLEAN && walk.misunderstood && !terminal)
        code = EXIT_INPUT;
    walk_end(&walk);
    study_unload(&study);
    return code;
}

const struct command command_step = { "step", "CONFIG", "Walk through a run, forward and back", run };
