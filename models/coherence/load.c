/* models/coherence/load.c - a protocol file's tree of nodes to tables; every error of the file in one go. */
#include "models/coherence/table.h"

#include <ctype.h>
#include <string.h>

#include "src/config/node.h"

enum { STATE_NAME_MAX_BYTES = 15, PROTOCOL_NAME_MAX_BYTES = 64 };

struct load {
    struct protocol *p;
    struct diag *diag;
    enum controller c;                                   /* the one being read */
    bool mixed;                                          /* an action of the other family has been found, and told */
    const struct node *state_at[CTL_COUNT][STATES_MAX];
    const struct node *row_at[CTL_COUNT][STATES_MAX][EVENTS_MAX];
    const struct node *sent_at[CTL_COUNT][MSG_KIND_COUNT]; /* by the receiving controller: first action that sends it */
};

static const struct vocabulary *words(const struct load *l) { return &vocabularies[l->c]; }

/* ---- which actions apply to which events */

enum { ON_OWN = 1, ON_REQUEST = 2, ON_FORWARD = 4, ON_RESPONSE = 8, ON_ANY = 15,
       WITH_DATA = 16, WITH_ACKS = 32, IS_ANSWER = 64, DIRECTORY_ONLY = 128, BUS_ONLY = 256 };

struct applies { uint16_t on; const char *rule; };

#define BEGINS "only the cache's own events begin a transaction"
#define ANSWERS "it answers the requester of a forwarded message: INV or FWD_*"
#define NEEDS_REQUESTER "a recall has no requester"
#define SNOOPS "a snoop begins with a request"
#define OF_OWNERS (ON_REQUEST | ON_RESPONSE | DIRECTORY_ONLY)
static const struct applies cache_applies[CACHE_ACTION_COUNT] = {
    [CACT_COMPLETE] = { ON_OWN | ON_RESPONSE, "an operation is performed at once or by an answer" },
    [CACT_TAKE_DATA] = { ON_RESPONSE | WITH_DATA, "the event brings no data" },
    [CACT_COUNT_DATA] = { ON_RESPONSE | WITH_ACKS, "only data to write and grants say how many will acknowledge" },
    [CACT_COUNT_ACK] = { ON_RESPONSE | IS_ANSWER, "the event is no acknowledgement" },
    [CACT_SEND_GETS] = { ON_OWN, BEGINS }, [CACT_SEND_GETM] = { ON_OWN, BEGINS },
    [CACT_SEND_GETO] = { ON_OWN, BEGINS }, [CACT_SEND_UPG] = { ON_OWN, BEGINS },
    [CACT_SEND_GETU] = { ON_OWN, BEGINS }, [CACT_SEND_FLUSH] = { ON_OWN, BEGINS },
    [CACT_SEND_PUT] = { ON_OWN | DIRECTORY_ONLY, BEGINS }, [CACT_SEND_PUTF] = { ON_OWN | DIRECTORY_ONLY, BEGINS },
    [CACT_SEND_DONE] = { ON_RESPONSE, "a transaction ends with an answer" },
    [CACT_SEND_ACK] = { ON_FORWARD | DIRECTORY_ONLY, ANSWERS }, [CACT_SEND_DATA] = { ON_FORWARD, ANSWERS },
    [CACT_SEND_DATA_M] = { ON_FORWARD, ANSWERS }, [CACT_SEND_DATA_U] = { ON_FORWARD, ANSWERS },
    [CACT_SEND_WB] = { ON_FORWARD | DIRECTORY_ONLY, ANSWERS },
    [CACT_SEND_ASK_PUT] = { ON_OWN | BUS_ONLY, BEGINS },
    [CACT_SEND_GETM_AGAIN] = { ON_RESPONSE | WITH_ACKS | BUS_ONLY, "only a grant can come too late" },
    [CACT_ANSWER_NONE] = { ON_FORWARD | ON_RESPONSE | BUS_ONLY, "it answers a snoop, or the turn to write back" },
    [CACT_ANSWER_SHARED] = { ON_FORWARD | BUS_ONLY, "it answers a snoop" },
    [CACT_ANSWER_OWNED] = { ON_FORWARD | BUS_ONLY, "it answers a snoop" },
    [CACT_ANSWER_DATA] = { ON_FORWARD | ON_RESPONSE | BUS_ONLY, "it answers a snoop, or the turn to write back" },
};
static const struct applies home_applies[HOME_ACTION_COUNT] = {
    [HACT_DATA_TO_REQ] = { ON_REQUEST | ON_RESPONSE, NEEDS_REQUESTER },
    [HACT_DATA_E_TO_REQ] = { ON_REQUEST | ON_RESPONSE, NEEDS_REQUESTER },
    [HACT_DATA_M_TO_REQ] = { ON_REQUEST | ON_RESPONSE, NEEDS_REQUESTER },
    [HACT_GRANT_TO_REQ] = { ON_REQUEST | ON_RESPONSE, NEEDS_REQUESTER },
    [HACT_PUTACK_TO_REQ] = { ON_REQUEST | ON_RESPONSE, NEEDS_REQUESTER },
    [HACT_INV_SHARERS] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_RECALL_SHARERS] = { ON_ANY | DIRECTORY_ONLY, "" },
    [HACT_FWD_GETS_TO_OWNER] = { ON_ANY | DIRECTORY_ONLY, "" },
    [HACT_FWD_GETM_TO_OWNER] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_FWD_GETU_TO_OWNER] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_FWD_FLUSH_TO_OWNER] = { ON_ANY | DIRECTORY_ONLY, "" },
    [HACT_KEEP_DATA] = { ON_REQUEST | ON_RESPONSE | WITH_DATA, "the event brings no data" },
    [HACT_FLUSH_MEMORY] = { ON_ANY, "" },
    [HACT_REQ_IS_OWNER] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_REQ_IS_SHARER] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_REQ_SUPPLIES] = { OF_OWNERS, NEEDS_REQUESTER },
    [HACT_OWNER_IS_SHARER] = { ON_ANY | DIRECTORY_ONLY, "" }, [HACT_NO_OWNER] = { ON_ANY | DIRECTORY_ONLY, "" },
    [HACT_NO_SHARERS] = { ON_ANY | DIRECTORY_ONLY, "" },
    [HACT_COUNT_ANSWER] = { ON_RESPONSE | IS_ANSWER | BUS_ONLY, "the event is no answer to a snoop" },
    [HACT_COUNT_ACK] = { ON_RESPONSE | IS_ANSWER | DIRECTORY_ONLY, "the event is no acknowledgement" },
    [HACT_SNOOP_GETS_ALL] = { ON_REQUEST | BUS_ONLY, SNOOPS }, [HACT_SNOOP_GETM_ALL] = { ON_REQUEST | BUS_ONLY, SNOOPS },
    [HACT_SNOOP_GETO_ALL] = { ON_REQUEST | BUS_ONLY, SNOOPS }, [HACT_SNOOP_GETU_ALL] = { ON_REQUEST | BUS_ONLY, SNOOPS },
    [HACT_SNOOP_FLUSH_ALL] = { ON_REQUEST | ON_OWN | BUS_ONLY, "a snoop begins with a request or a recall" },
    [HACT_GRANT_PUT] = { ON_REQUEST | BUS_ONLY, "it gives a request its turn" },
    [HACT_DATA_U_TO_REQ] = { ON_REQUEST | ON_RESPONSE | BUS_ONLY, NEEDS_REQUESTER },
    [HACT_ACK_TO_REQ] = { ON_RESPONSE | BUS_ONLY, "it follows the last answer" },
    [HACT_RECALLED] = { ON_OWN | ON_RESPONSE, "a recall ends at once or with an answer" },
    [HACT_DEMOTED] = { ON_OWN | ON_RESPONSE | DIRECTORY_ONLY, "a demotion ends at once or with an answer" },
};

static const char *why_not(enum controller c, unsigned event, unsigned action)
{
    static const uint8_t on_vnet[VNET_COUNT] = { ON_REQUEST, ON_FORWARD, ON_RESPONSE };
    struct applies a = c == CTL_CACHE ? cache_applies[action] : home_applies[action];
    int kind = vocabularies[c].events[event].kind;
    bool ok = a.on & (kind == NO_MESSAGE ? ON_OWN : on_vnet[msg_infos[kind].vnet]);
    if (a.on & WITH_DATA)
        ok = ok && msg_infos[kind].data;
    if (a.on & WITH_ACKS)
        ok = ok && (kind == MSG_GRANT || event == CEV_DATA_ACKS || event == CEV_DATA_LAST);
    if (a.on & IS_ANSWER)
        ok = ok && (kind == MSG_ACK || kind == MSG_SHARED || kind == MSG_OWNED || kind == MSG_SNOOP_DATA);
    return ok ? NULL : a.rule;
}

static bool wrong_family(const struct load *l, unsigned action)
{
    unsigned on = l->c == CTL_CACHE ? cache_applies[action].on : home_applies[action].on;
    return on & (l->p->family == FAMILY_BUS ? DIRECTORY_ONLY : BUS_ONLY);
}

/* ---- words */

static const char *event_name(const void *table, size_t i) { return ((const struct event_info *)table)[i].name; }
static const char *action_name(const void *table, size_t i) { return ((const struct action_info *)table)[i].name; }
static const char *plain_name(const void *table, size_t i) { return ((const char *const *)table)[i]; }

static void unknown(struct load *l, const struct node *n, const char *what, const char *rule,
                    const char *(*name)(const void *, size_t), const void *table, size_t count)
{
    const char *known[64];
    char word[SHOWN_MAX];
    size_t m = 0;
    for (size_t i = 0; i < count && m < 64; i++)
        if (*name(table, i))
            known[m++] = name(table, i);
    node_error(l->diag, n, rule, "%s is no %s of the %s", shown(word, n->text), what, controller_name(l->p, l->c));
    diag_suggest(l->diag, n->text, known, m);
}

static int read_state(struct load *l, const struct node *n)
{
    if (!node_expect(l->diag, n, NODE_SCALAR, "A row names its states."))
        return -1;
    int s = protocol_state(l->p, l->c, n->text);
    if (s < 0)
        unknown(l, n, "state", "States are declared, with a sentence each, under `states`.", plain_name,
                l->p->table[l->c].name, l->p->table[l->c].n_states);
    return s;
}

static int read_event(struct load *l, const struct node *n)
{
    if (!node_expect(l->diag, n, NODE_SCALAR, "A row names its event."))
        return -1;
    int e = vocabulary_event(l->c, n->text);
    if (e < 0)
        unknown(l, n, "event", "`labyrinth protocol --vocabulary` lists the events.", event_name, words(l)->events,
                words(l)->n_events);
    return e;
}

static void note_sent(struct load *l, unsigned action, const struct node *n)
{
    int kind = words(l)->actions[action].sends;
    if (kind == NO_MESSAGE)
        return;
    bool answer = l->c == CTL_CACHE && action >= CACT_ANSWER_NONE && action <= CACT_ANSWER_DATA;
    bool home = msg_infos[kind].vnet == VNET_REQUEST || kind == MSG_WB || kind == MSG_DONE || answer;
    enum controller to = home ? CTL_HOME : CTL_CACHE;
    if (!l->sent_at[to][kind])
        l->sent_at[to][kind] = n;
    if (l->c == CTL_HOME && action == HACT_RECALL_SHARERS && !l->sent_at[CTL_HOME][MSG_ACK])
        l->sent_at[CTL_HOME][MSG_ACK] = n;
}

/* Reads one action; 0 after an error. */
static uint8_t read_action(struct load *l, const struct node *n, int event)
{
    if (!node_expect(l->diag, n, NODE_SCALAR, "Actions are words: [TAKE_DATA, SEND_DONE]."))
        return 0;
    int a = vocabulary_action(l->c, n->text);
    if (a < 0) {
        unknown(l, n, "action", "`labyrinth protocol --vocabulary` lists the actions.", action_name,
                words(l)->actions, words(l)->n_actions);
        return 0;
    }
    note_sent(l, (unsigned)a, n);
    if (wrong_family(l, (unsigned)a)) {
        if (!l->mixed)
            node_error(l->diag, n, "A directory knows owner and sharers and asks them; a bus knows nobody and asks all. Which of the "
                       "two a file is, its key `family` says.", "action %s is none of the family %s", n->text,
                       family_names[l->p->family]);
        l->mixed = true;
        return 0;
    }
    const char *rule = event < 0 ? NULL : why_not(l->c, (unsigned)event, (unsigned)a);
    if (rule)
        node_error(l->diag, n, rule, "action %s cannot apply to event %s", n->text, words(l)->events[event].name);
    return (uint8_t)a;
}

static unsigned read_actions(struct load *l, const struct node *list, int event, uint8_t actions[ROW_ACTIONS_MAX])
{
    unsigned n = 0;
    if (list->kind != NODE_SEQUENCE) {
        node_error(l->diag, list, "Actions are a list, [] if there is nothing to do.", "%s is given, allowed is a list",
                   node_kind_name(list));
        return 0;
    }
    for (const struct node *a = list->first; a; a = a->next) {
        uint8_t code = read_action(l, a, event);
        if (code && n == ROW_ACTIONS_MAX)
            node_error(l->diag, a, NULL, "more than %d actions in one row", ROW_ACTIONS_MAX);
        else if (code)
            actions[n++] = code;
    }
    return n;
}

static void duplicate(struct load *l, const struct node *n, int state, int event)
{
    const struct node *first = l->row_at[l->c][state][event];
    node_error(l->diag, n, "The protocol must say one thing per state and event.",
               "a second row for state %s, event %s; the first is in line %u", l->p->table[l->c].name[state],
               words(l)->events[event].name, (unsigned)first->at.line);
}

static void read_row(struct load *l, const struct node *row)
{
    static const char rule[] = "A row is [state, event, next state, [actions], why]; `why` may be left out.";
    if (!node_expect(l->diag, row, NODE_SEQUENCE, rule))
        return;
    if (row->count != 4 && row->count != 5) {
        node_error(l->diag, row, rule, "%zu items are given, allowed are 4 or 5", row->count);
        return;
    }
    const struct node *event_at = row->first->next, *next_at = event_at->next, *list = next_at->next, *why = list->next;
    int state = read_state(l, row->first), event = read_event(l, event_at), next = read_state(l, next_at);
    uint8_t actions[ROW_ACTIONS_MAX] = { 0 };
    unsigned n = read_actions(l, list, event, actions);
    if (why && !node_expect(l->diag, why, NODE_SCALAR, rule))
        why = NULL;
    if (state < 0 || event < 0 || next < 0)
        return;
    if (!protocol_add_row(l->p, l->c, (unsigned)state, (unsigned)event, (unsigned)next, actions, n,
                          why ? why->text : NULL))
        duplicate(l, row, state, event);
    else
        l->row_at[l->c][state][event] = event_at;
}

static void read_wait(struct load *l, const struct node *n, int state)
{
    int event = read_event(l, n);
    if (event < 0 || state < 0)
        return;
    int kind = words(l)->events[event].kind;
    if (kind != NO_MESSAGE && msg_infos[kind].vnet != VNET_REQUEST)
        node_error(l->diag, n, "Forwards and responses are taken at once: otherwise messages wait for each other.",
                   "event %s cannot wait", n->text);
    else if (!protocol_add_wait(l->p, l->c, (unsigned)state, (unsigned)event))
        duplicate(l, n, state, event);
    else
        l->row_at[l->c][state][event] = n;
}

static void read_waits(struct load *l, const struct node *map)
{
    if (!map || !node_expect(l->diag, map, NODE_MAPPING, "Waiting rows: one line per state, `IS: [LOAD, STORE]`."))
        return;
    for (const struct node *n = map->first; n; n = n->next) {
        int state = protocol_state(l->p, l->c, n->key);
        if (state < 0) {
            char word[SHOWN_MAX];
            diag_error(l->diag, n->key_at, controller_name(l->p, l->c), "States are declared, with a sentence each, under `states`.",
                       "%s is no state of the %s", shown(word, n->key), controller_name(l->p, l->c));
            diag_suggest(l->diag, n->key, l->p->table[l->c].name, l->p->table[l->c].n_states);
        }
        if (node_expect(l->diag, n, NODE_SEQUENCE, "Waiting rows: one line per state, `IS: [LOAD, STORE]`."))
            for (const struct node *e = n->first; e; e = e->next)
                read_wait(l, e, state);
    }
}

/* ---- states */

static bool name_ok(const char *name, char joint, size_t max_bytes)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != joint)
            return false;
    return n > 0 && n <= max_bytes && isalpha((unsigned char)name[0]);
}

static void read_states(struct load *l, const struct node *map)
{
    static const char rule[] = "Each state has a name and a sentence: `IS: Asked for a copy to read.`";
    if (!node_expect(l->diag, map, NODE_MAPPING, rule))
        return;
    for (const struct node *n = map->first; n; n = n->next) {
        bool text = n->kind == NODE_SCALAR && !node_empty(n) && *n->text;
        char word[SHOWN_MAX];
        if (!text)
            node_error(l->diag, n, rule, "state %s has no sentence", shown(word, n->key));
        if (!name_ok(n->key, '_', STATE_NAME_MAX_BYTES))
            diag_error(l->diag, n->key_at, controller_name(l->p, l->c), "Up to 15 letters, digits and '_', beginning with a letter.",
                       "%s cannot name a state", shown(word, n->key));
        int s = protocol_add_state(l->p, l->c, n->key, text ? n->text : "?");
        if (s >= 0)
            l->state_at[l->c][s] = n;
        else
            diag_error(l->diag, n->key_at, controller_name(l->p, l->c), NULL, "more than %d states", STATES_MAX);
    }
}

/* ---- the table as a whole */

static void check_reachable(struct load *l)
{
    const struct state_table *t = &l->p->table[l->c];
    uint32_t reached = 1;
    for (bool grew = true; grew;) {
        uint32_t before = reached;
        for (unsigned s = 0; s < t->n_states; s++)
            for (unsigned e = 0; e < words(l)->n_events; e++)
                if (reached >> s & 1 && row_verdict(t->row[s][e]) == STEP_DONE)
                    reached |= 1u << row_next(t->row[s][e]);
        grew = reached != before;
    }
    for (unsigned s = 0; s < t->n_states; s++)
        if (!(reached >> s & 1))
            diag_error(l->diag, l->state_at[l->c][s]->key_at, controller_name(l->p, l->c), "Lines begin in the first state.",
                       "state %s cannot be reached: no chain of rows leads to it from %s", t->name[s], t->name[0]);
}

/* In a state with waiting rows one transaction is on its way: a second cannot begin. */
static void check_busy(struct load *l, unsigned s)
{
    const struct state_table *t = &l->p->table[l->c];
    for (unsigned e = 0; e < words(l)->n_events; e++) {
        row_word w = t->row[s][e];
        int kind = words(l)->events[e].kind;
        bool begins = kind == NO_MESSAGE || msg_infos[kind].vnet == VNET_REQUEST;
        bool hit = l->c == CTL_CACHE && row_actions(w) == CACT_COMPLETE && row_next(w) == s;
        if (begins && row_verdict(w) == STEP_DONE && !hit)
            node_error(l->diag, l->row_at[l->c][s][e], "A state in which something waits has one transaction under way; "
                       "a second must wait (a cache may also hit and stay).",
                       "event %s cannot be served in state %s", words(l)->events[e].name, t->name[s]);
    }
}

static void check_first_state(struct load *l)
{
    for (unsigned e = 0; e < words(l)->n_events; e++) {
        row_word w = l->p->table[l->c].row[0][e];
        bool read = l->c == CTL_CACHE && e <= CEV_STORE && row_actions(w) == CACT_COMPLETE;
        if (row_verdict(w) == STEP_WAIT || (row_verdict(w) == STEP_DONE && read))
            node_error(l->diag, l->row_at[l->c][0][e], "Lines begin in the first state: no copy, nothing under way.",
                       "event %s cannot %s in the first state", words(l)->events[e].name, read ? "hit" : "wait");
    }
}

static bool receives(const struct load *l, enum controller c, int kind)
{
    for (unsigned s = 0; s < l->p->table[c].n_states; s++)
        for (unsigned e = 0; e < vocabularies[c].n_events; e++)
            if (l->row_at[c][s][e] && vocabularies[c].events[e].kind == kind)
                return true;
    return false;
}

static void check_messages(struct load *l)
{
    for (unsigned c = 0; c < CTL_COUNT; c++)
        for (int kind = 0; kind < MSG_KIND_COUNT; kind++)
            if (l->sent_at[c][kind] && !receives(l, (enum controller)c, kind))
                node_error(l->diag, l->sent_at[c][kind], "Every message sent needs rows where it arrives.",
                           "nobody receives %s: the %s has no row for it", msg_infos[kind].name,
                           controller_name(l->p, (enum controller)c));
}

/* One error per event, at its first row. */
static void check_sent(struct load *l)
{
    for (unsigned e = 0; e < words(l)->n_events; e++) {
        int kind = words(l)->events[e].kind;
        const struct node *first = NULL;
        for (unsigned s = 0; s < l->p->table[l->c].n_states && !first; s++)
            first = l->row_at[l->c][s][e];
        if (first && kind != NO_MESSAGE && !l->sent_at[l->c][kind])
            node_error(l->diag, first, "A row for a message that no action sends can never fire.",
                       "nobody sends the %s a %s", controller_name(l->p, l->c), msg_infos[kind].name);
    }
}

static bool any_row(const struct load *l, unsigned event)
{
    for (unsigned s = 0; s < l->p->table[l->c].n_states; s++)
        if (l->row_at[l->c][s][event])
            return true;
    return false;
}

/* Events that may come in state s, if that can be reached: the controller's own, requests that the table does not split
 * into several events, and snoops while no transaction of its own is under way. */
static bool comes_any_time(const struct load *l, unsigned s, unsigned event)
{
    int kind = words(l)->events[event].kind;
    unsigned alike = 0;
    if (l->c == CTL_HOME && event == HEV_GETS_R)
        return false; /* offered instead of a GETS, where the table knows it */
    for (unsigned e = 0; e < words(l)->n_events; e++)
        alike += words(l)->events[e].kind == kind && any_row(l, e) && !(l->c == CTL_HOME && e == HEV_GETS_R);
    if (kind != NO_MESSAGE && msg_infos[kind].vnet == VNET_FORWARD)
        return l->p->family == FAMILY_BUS && cache_stable(l->p, (uint8_t)s);
    return kind == NO_MESSAGE || (msg_infos[kind].vnet == VNET_REQUEST && alike == 1);
}

/* An event that the table knows at all needs a row or a place under `wait` in every state. Who makes room for another line
 * has one: never in the first state. One error per state. */
static void check_missing(struct load *l)
{
    const struct state_table *t = &l->p->table[l->c];
    unsigned makes_room = l->c == CTL_CACHE ? (unsigned)CEV_EVICT : (unsigned)HEV_RECALL;
    for (unsigned s = 0; s < t->n_states; s++) {
        char missing[160] = "";
        size_t used = 0;
        for (unsigned e = 0; e < words(l)->n_events; e++) {
            if (!any_row(l, e) || !comes_any_time(l, s, e) || t->row[s][e] != ROW_ILLEGAL || (s == 0 && e == makes_room))
                continue;
            if (used < sizeof missing)
                used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s", used ? ", " : "", words(l)->events[e].name);
        }
        if (used)
            diag_error(l->diag, l->state_at[l->c][s]->key_at, controller_name(l->p, l->c), "What may come at any time needs a row in "
                       "every state, or a place under `wait`.", "state %s says nothing about %s", t->name[s], missing);
    }
}

static void check_controller(struct load *l)
{
    check_reachable(l);
    check_first_state(l);
    check_missing(l);
    for (unsigned s = 0; s < l->p->table[l->c].n_states; s++)
        if (!((l->c == CTL_CACHE ? l->p->cache_stable : l->p->home_stable) >> s & 1))
            check_busy(l, s);
    check_sent(l);
}

/* ---- the file */

static void read_controller(struct load *l, struct node *root, enum controller c)
{
    l->c = c;
    struct node *map = node_get(root, controller_name(l->p, l->c));
    if (!map) {
        node_error(l->diag, root, NULL, "key `%s` is missing: a protocol has a cache and a %s", controller_name(l->p, l->c),
                   controller_name(l->p, CTL_HOME));
        return;
    }
    if (!node_expect(l->diag, map, NODE_MAPPING, "A controller has `states`, `rows` and `wait`."))
        return;
    struct node *states = node_get(map, "states"), *rows = node_get(map, "rows"), *waits = node_get(map, "wait");
    node_use_all(states), node_use_all(rows), node_use_all(waits);
    if (!states || !rows) {
        node_error(l->diag, map, "A controller has `states`, `rows` and `wait`.", "key `%s` is missing",
                   states ? "rows" : "states");
        return;
    }
    read_states(l, states);
    if (node_expect(l->diag, rows, NODE_SEQUENCE, "Rows are a list: - [I, LOAD, IS, [SEND_GETS]]."))
        for (const struct node *row = rows->first; row; row = row->next)
            read_row(l, row);
    read_waits(l, waits);
}

static void read_equivalent(struct load *l, const struct node *n)
{
    static const char rule[] = "An entry is [controller, state, event, mutation, reason]; mutation: `delete` or a state.";
    if (!node_expect(l->diag, n, NODE_SEQUENCE, rule))
        return;
    const struct node *f[5] = { NULL };
    size_t count = 0;
    for (const struct node *i = n->first; i; i = i->next, count++)
        if (count < 5 && i->kind == NODE_SCALAR)
            f[count] = i;
    if (count != 5 || !f[0] || !f[1] || !f[2] || !f[3] || !f[4] || !*f[4]->text) {
        node_error(l->diag, n, rule, "not five words");
        return;
    }
    l->c = strcmp(f[0]->text, controller_name(l->p, CTL_HOME)) == 0 ? CTL_HOME : CTL_CACHE;
    if (strcmp(f[0]->text, controller_name(l->p, l->c)) != 0) {
        node_error(l->diag, f[0], rule, "allowed are cache and %s", controller_name(l->p, CTL_HOME));
        return;
    }
    bool deleted = strcmp(f[3]->text, "delete") == 0;
    int state = read_state(l, f[1]), event = read_event(l, f[2]), next = deleted ? -1 : read_state(l, f[3]);
    if (state < 0 || event < 0 || (!deleted && next < 0))
        return;
    if (!l->row_at[l->c][state][event])
        node_error(l->diag, n, rule, "there is no row for state %s, event %s", f[1]->text, f[2]->text);
    else
        protocol_add_equivalent(l->p, (struct equivalent){ l->c, (uint8_t)state, (uint8_t)event, (int16_t)next, f[4]->text });
}

static const char *read_text(struct load *l, struct node *root, const char *key, bool required)
{
    struct node *n = node_get(root, key);
    if (!n && required)
        node_error(l->diag, root, NULL, "key `%s` is missing", key);
    if (!n || !node_expect(l->diag, n, NODE_SCALAR, NULL))
        return "";
    return n->text;
}

static void read_family(struct load *l, struct node *root)
{
    const char *family = read_text(l, root, "family", false);
    char word[SHOWN_MAX];
    for (unsigned f = 0; f < FAMILY_COUNT; f++)
        if (strcmp(family, family_names[f]) == 0)
            l->p->family = (enum family)f;
    if (*family && strcmp(family, family_names[l->p->family]) != 0) {
        node_error(l->diag, node_get(root, "family"), NULL, "%s is given, allowed are directory and bus", shown(word, family));
        diag_suggest(l->diag, family, family_names, FAMILY_COUNT);
        l->p->family = node_get(root, "bus") ? FAMILY_BUS : FAMILY_DIRECTORY; /* what was meant, for the rest of the file */
    }
}

static void read_head(struct load *l, struct node *root)
{
    const char *kind = read_text(l, root, "kind", true), *name = read_text(l, root, "name", true);
    char word[SHOWN_MAX];
    if (*kind && strcmp(kind, "protocol") != 0)
        node_error(l->diag, node_get(root, "kind"), NULL, "%s is given, allowed is protocol", shown(word, kind));
    if (*name && !name_ok(name, '-', PROTOCOL_NAME_MAX_BYTES))
        node_error(l->diag, node_get(root, "name"), "Up to 64 letters, digits and '-', beginning with a letter.",
                   "%s cannot name a protocol", shown(word, name));
    l->p = protocol_new(name, read_text(l, root, "title", true), read_text(l, root, "text", false));
    read_family(l, root);
}

struct protocol *protocol_load(struct node *root, struct diag *diag)
{
    struct load l = { .diag = diag };
    size_t before = diag_count(diag);
    if (!node_expect(diag, root, NODE_MAPPING, "A protocol file begins with `kind: protocol`."))
        return NULL;
    read_head(&l, root);
    for (unsigned c = 0; c < CTL_COUNT; c++)
        read_controller(&l, root, (enum controller)c);
    struct node *list = node_get(root, "equivalent");
    node_use_all(list);
    if (list && node_expect(diag, list, NODE_SEQUENCE, NULL))
        for (const struct node *n = list->first; n; n = n->next)
            read_equivalent(&l, n);
    node_reject_unread(diag, root);
    protocol_finish(l.p);
    if (diag_count(diag) == before) { /* what follows from other errors would only confuse */
        check_messages(&l);
        for (unsigned c = 0; c < CTL_COUNT; c++) {
            l.c = (enum controller)c;
            check_controller(&l);
        }
    }
    if (diag_count(diag) == before)
        return l.p;
    protocol_free(l.p);
    return NULL;
}
