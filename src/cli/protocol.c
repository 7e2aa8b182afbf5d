/* src/cli/protocol.c - labyrinth protocol: a protocol's table, one row in words, or the words a table may use. */
#include <string.h>

#include "models/coherence/cluster_line.h"
#include "models/coherence/table.h"
#include "models/protocol.h"
#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/cli/protocol.h"
#include "src/config/find.h"

enum { KEY_FORMAT = 0x200, KEY_VOCABULARY, KEY_GLUE };

static const struct argp_option options[] = {
    { "format", KEY_FORMAT, "text|markdown|dot|csv", 0, "How the table is written (default: text)", 0 },
    { "vocabulary", KEY_VOCABULARY, NULL, 0, "The events, predicates and actions that a protocol file may use", 0 },
    { "glue", KEY_GLUE, NULL, 0, "The rows between a cluster's home and its one cache towards the global homes (two levels)", 0 },
    { 0 },
};

struct own { const char *format; bool vocabulary, glue; };

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    if (key == KEY_FORMAT)
        own->format = arg;
    else if (key == KEY_VOCABULARY)
        own->vocabulary = true;
    else if (key == KEY_GLUE)
        own->glue = true;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct usage usage = {
    .options = options, .parser = parse, .arguments = "PROTOCOL [STATE EVENT]", .args_min = 0, .args_max = 3,
    .doc = "Prints a coherence protocol as a grid of states and events.\v"
           "With STATE and EVENT: that row in words. --vocabulary and --glue need no PROTOCOL, which is a name (labyrinth list protocols) or the path of a table "
           "of your own.",
};

struct protocol *load_protocol_or_fail(struct arena *arena, const char *argument)
{
    struct diag *diag = diag_new();
    struct node *root = config_load(arena, diag, "protocols", "protocol", argument, (struct origin){ argument, 0, 0 }, NULL);
    struct protocol *p = root ? protocol_load(root, diag) : NULL;
    diag_exit_if_errors(diag);
    CHECK(p, "no protocol and no error");
    diag_free(diag);
    return p;
}

enum protocol_format parse_protocol_format(const char *text)
{
    static const char *const formats[] = { "text", "markdown", "dot", "csv" };
    static const enum protocol_format values[] = { PROTOCOL_TEXT, PROTOCOL_MARKDOWN, PROTOCOL_DOT, PROTOCOL_CSV };
    for (size_t i = 0; i < 4; i++)
        if (strcmp(text, formats[i]) == 0)
            return values[i];
    fail_unknown("format", text, formats, 4);
}

enum { WORDS_MAX = (int)CACHE_EVENT_COUNT + (int)HOME_EVENT_COUNT };

static bool is_one(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static size_t states_of(const struct protocol *p, enum controller c, const char **words)
{
    for (unsigned i = 0; i < p->table[c].n_states; i++)
        words[i] = p->table[c].name[i];
    return p->table[c].n_states;
}

static size_t events_of(enum controller c, const char **words)
{
    unsigned n = c == CTL_CACHE ? (unsigned)CACHE_EVENT_COUNT : (unsigned)HOME_EVENT_COUNT;
    for (unsigned i = 0; i < n; i++)
        words[i] = c == CTL_CACHE ? cache_event_name((enum cache_event)i) : home_event_name((enum home_event)i);
    return n;
}

/* Which of the two words is wrong: a state that neither controller has, or an event that the state's controllers do not. */
static _Noreturn void no_such_row(const struct protocol *p, const char *state, const char *event)
{
    const char *states[2 * STATES_MAX], *events[WORDS_MAX];
    size_t n = states_of(p, CTL_CACHE, states);
    bool of_cache = is_one(state, states, n);
    n += states_of(p, CTL_HOME, states + n);
    if (!is_one(state, states, n))
        fail_unknown("state", state, states, n);
    enum controller c = of_cache ? CTL_CACHE : CTL_HOME;
    char what[64];
    snprintf(what, sizeof what, "event of the %s", controller_name(p, c));
    fail_unknown(what, event, events, events_of(c, events));
}

static int run(int argc, char **argv)
{
    struct own own = { .format = "text" };
    struct common c = parse_arguments(&usage, argc, argv, &own);
    enum protocol_format format = parse_protocol_format(own.format);
    if (c.args_count == 0 && !own.vocabulary && !own.glue)
        fail_user("PROTOCOL is missing; usage: labyrinth protocol [OPTION...] %s (labyrinth list protocols shows the names)",
                  usage.arguments);
    if (c.args_count == 0 && format != PROTOCOL_TEXT)
        fail_user("--format=%s is for the table of a PROTOCOL, and none is named", own.format);
    if (c.args_count == 2)
        fail_user("EVENT is missing; usage: labyrinth protocol PROTOCOL STATE EVENT");
    struct arena *arena = arena_new();
    struct protocol *p = c.args_count ? load_protocol_or_fail(arena, c.args[0]) : NULL;
    if (own.vocabulary)
        protocol_vocabulary(stdout);
    if (own.glue)
        glue_print(stdout, &glue_default);
    if (c.args_count == 1)
        protocol_print(stdout, p, format, NULL);
    else if (c.args_count == 3 && !protocol_explain_row(stdout, p, c.args[1], c.args[2]))
        no_such_row(p, c.args[1], c.args[2]);
    protocol_free(p);
    arena_free(arena);
    return EXIT_CLEAN;
}

const struct command command_protocol = { "protocol", "PROTOCOL [STATE EVENT]", "Print a protocol's table, or explain one row", run };
