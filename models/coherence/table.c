/* models/coherence/table.c - building a protocol's tables and what is derived from them. */
#include "models/coherence/table.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"

/* The message that each event comes from. */
static const struct event_info cache_events[CACHE_EVENT_COUNT] = {
#define KIND_LOAD NO_MESSAGE
#define KIND_STORE NO_MESSAGE
#define KIND_STORE_FULL NO_MESSAGE
#define KIND_FLUSH NO_MESSAGE
#define KIND_EVICT NO_MESSAGE
#define KIND_READ_ONCE NO_MESSAGE
#define KIND_DATA MSG_DATA
#define KIND_DATA_E MSG_DATA_E
#define KIND_DATA_ACKS MSG_DATA
#define KIND_DATA_LAST MSG_DATA
#define KIND_GRANT_ACKS MSG_GRANT
#define KIND_GRANT_LAST MSG_GRANT
#define KIND_DATA_U MSG_DATA_U
#define KIND_ACK MSG_ACK
#define KIND_ACK_LAST MSG_ACK
#define KIND_PUTACK MSG_PUTACK
#define KIND_INV MSG_INV
#define KIND_FWD_GETS MSG_FWD_GETS
#define KIND_FWD_GETM MSG_FWD_GETM
#define KIND_FWD_GETU MSG_FWD_GETU
#define KIND_FWD_FLUSH MSG_FWD_FLUSH
#define KIND_SNOOP_GETS MSG_SNOOP_GETS
#define KIND_SNOOP_GETM MSG_SNOOP_GETM
#define KIND_SNOOP_GETO MSG_SNOOP_GETO
#define KIND_SNOOP_GETU MSG_SNOOP_GETU
#define KIND_SNOOP_FLUSH MSG_SNOOP_FLUSH
#define X(id, sentence) [CEV_##id] = { #id, sentence, KIND_##id },
    CACHE_EVENT_LIST(X)
#undef X
#undef KIND_FLUSH
};

static const struct event_info home_events[HOME_EVENT_COUNT] = {
#define KIND_GETS MSG_GETS
#define KIND_GETM MSG_GETM
#define KIND_GETO MSG_GETO
#define KIND_UPG_OWNER MSG_UPG
#define KIND_UPG_OLD MSG_UPG
#define KIND_GETU MSG_GETU
#define KIND_FLUSH MSG_FLUSH
#define KIND_PUT_OWNER MSG_PUT
#define KIND_PUT_OLD MSG_PUT
#define KIND_PUTF_OWNER MSG_PUTF
#define KIND_PUTF_OLD MSG_PUTF
#define KIND_RECALL NO_MESSAGE
#define KIND_DEMOTE NO_MESSAGE
#define KIND_GETS_R MSG_GETS
#define KIND_DONE MSG_DONE
#define KIND_WB MSG_WB
#define KIND_ASK_PUT MSG_ASK_PUT
#define KIND_UPG MSG_UPG
#define KIND_ANSWER MSG_ACK
#define KIND_SNOOP_DATA MSG_SNOOP_DATA
#define KIND_SNOOP_DATA_LAST MSG_SNOOP_DATA
#define KIND_ALL_NONE MSG_ACK
#define KIND_ALL_SHARED MSG_SHARED
#define KIND_ALL_OWNED MSG_OWNED
#define X(id, sentence) [HEV_##id] = { #id, sentence, KIND_##id },
    HOME_EVENT_LIST(X)
#undef X
};

#define X(id, kind, sentence) { #id, sentence, kind },
static const struct action_info cache_actions[CACHE_ACTION_COUNT] = { { "", "", NO_MESSAGE }, CACHE_ACTION_LIST(X) };
static const struct action_info home_actions[HOME_ACTION_COUNT] = { { "", "", NO_MESSAGE }, HOME_ACTION_LIST(X) };
#undef X

const struct vocabulary vocabularies[CTL_COUNT] = {
    [CTL_CACHE] = { "cache", CACHE_EVENT_COUNT, CACHE_ACTION_COUNT, cache_events, cache_actions },
    [CTL_HOME] = { "home", HOME_EVENT_COUNT, HOME_ACTION_COUNT, home_events, home_actions },
};
_Static_assert((int)CACHE_EVENT_COUNT <= (int)EVENTS_MAX && (int)HOME_EVENT_COUNT <= (int)EVENTS_MAX, "EVENTS_MAX");

const char *const family_names[FAMILY_COUNT] = { [FAMILY_DIRECTORY] = "directory", [FAMILY_BUS] = "bus" };

const char *controller_name(const struct protocol *p, enum controller c)
{
    return c == CTL_HOME && p->family == FAMILY_BUS ? "bus" : vocabularies[c].name;
}

static void *more(void *old, size_t count, size_t bytes)
{
    void *grown = realloc(old, count * bytes);
    CHECK_MEMORY(grown, "protocol table: out of memory for %zu entries", count);
    return grown;
}

const char *protocol_keep_text(struct protocol *p, const char *text)
{
    p->texts = more(p->texts, p->n_texts + 1, sizeof *p->texts);
    char *copy = strdup(text);
    CHECK_MEMORY(copy, "protocol table: out of memory for a text");
    p->texts[p->n_texts++] = copy;
    return copy;
}

struct protocol *protocol_new(const char *name, const char *title, const char *text)
{
    struct protocol *p = calloc(1, sizeof *p);
    CHECK_MEMORY(p, "protocol table: out of memory");
    p->name = protocol_keep_text(p, name);
    p->title = protocol_keep_text(p, title);
    p->text = protocol_keep_text(p, text);
    for (unsigned c = 0; c < CTL_COUNT; c++)
        for (unsigned s = 0; s < STATES_MAX; s++)
            for (unsigned e = 0; e < EVENTS_MAX; e++)
                p->table[c].row[s][e] = ROW_ILLEGAL;
    return p;
}

void protocol_free(struct protocol *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->n_texts; i++)
        free(p->texts[i]);
    free(p->texts);
    free(p->equivalent);
    free(p);
}

int protocol_add_state(struct protocol *p, enum controller c, const char *name, const char *sentence)
{
    struct state_table *t = &p->table[c];
    if (t->n_states == STATES_MAX || protocol_state(p, c, name) >= 0)
        return -1;
    t->name[t->n_states] = protocol_keep_text(p, name);
    t->sentence[t->n_states] = protocol_keep_text(p, sentence);
    return (int)t->n_states++;
}

bool protocol_add_row(struct protocol *p, enum controller c, unsigned state, unsigned event, unsigned next,
                      const uint8_t *actions, unsigned n, const char *why)
{
    row_word *row = &p->table[c].row[state][event];
    if (*row != ROW_ILLEGAL)
        return false;
    CHECK(n <= ROW_ACTIONS_MAX, "protocol table: %u actions in one row", n);
    row_word w = STEP_DONE | (row_word)next << 8;
    for (unsigned i = 0; i < n; i++)
        w |= (row_word)actions[i] << (16 + 8 * i);
    *row = w;
    p->table[c].why[state][event] = why ? protocol_keep_text(p, why) : NULL;
    return true;
}

bool protocol_add_wait(struct protocol *p, enum controller c, unsigned state, unsigned event)
{
    row_word *row = &p->table[c].row[state][event];
    if (*row != ROW_ILLEGAL)
        return false;
    *row = ROW_WAIT;
    return true;
}

void protocol_add_equivalent(struct protocol *p, struct equivalent e)
{
    p->equivalent = more(p->equivalent, p->n_equivalent + 1, sizeof *p->equivalent);
    e.reason = protocol_keep_text(p, e.reason);
    p->equivalent[p->n_equivalent++] = e;
}

bool protocol_may_lack(const struct protocol *p, enum controller c, unsigned state, unsigned event)
{
    for (size_t i = 0; i < p->n_equivalent; i++) {
        const struct equivalent *e = &p->equivalent[i];
        if (e->controller == c && e->state == state && e->event == event && e->next < 0)
            return true;
    }
    return false;
}

int protocol_state(const struct protocol *p, enum controller c, const char *name)
{
    for (unsigned s = 0; s < p->table[c].n_states; s++)
        if (strcmp(p->table[c].name[s], name) == 0)
            return (int)s;
    return -1;
}

int vocabulary_event(enum controller c, const char *name)
{
    for (unsigned e = 0; e < vocabularies[c].n_events; e++)
        if (strcmp(vocabularies[c].events[e].name, name) == 0)
            return (int)e;
    return -1;
}

int vocabulary_action(enum controller c, const char *name)
{
    for (unsigned a = 1; a < vocabularies[c].n_actions; a++)
        if (strcmp(vocabularies[c].actions[a].name, name) == 0)
            return (int)a;
    return -1;
}

unsigned protocol_row_count(const struct protocol *p, enum controller c)
{
    unsigned n = 0;
    for (unsigned s = 0; s < p->table[c].n_states; s++)
        for (unsigned e = 0; e < vocabularies[c].n_events; e++)
            n += p->table[c].row[s][e] != ROW_ILLEGAL;
    return n;
}

/* ---- what is derived */

static bool sends_anything(enum controller c, row_word w)
{
    for (uint64_t a = row_actions(w); a; a >>= 8)
        if (vocabularies[c].actions[a & 0xff].sends != NO_MESSAGE)
            return true;
    return false;
}

static bool is_hit(row_word w) { return row_verdict(w) == STEP_DONE && row_actions(w) == CACT_COMPLETE; }

static bool waits_somewhere(const struct protocol *p, enum controller c, unsigned state)
{
    for (unsigned e = 0; e < vocabularies[c].n_events; e++)
        if (row_verdict(p->table[c].row[state][e]) == STEP_WAIT)
            return true;
    return false;
}

static bool sends_home_data(row_word w)
{
    if (row_verdict(w) != STEP_DONE)
        return false;
    for (uint64_t a = row_actions(w); a; a >>= 8) {
        unsigned code = a & 0xff;
        if (code == HACT_DATA_TO_REQ || code == HACT_DATA_E_TO_REQ || code == HACT_DATA_M_TO_REQ || code == HACT_DATA_U_TO_REQ)
            return true;
    }
    return false;
}

static bool asks_all_others(row_word w)
{
    for (uint64_t a = row_verdict(w) == STEP_DONE ? row_actions(w) : 0; a; a >>= 8)
        if ((a & 0xff) >= HACT_SNOOP_GETS_ALL && (a & 0xff) <= HACT_SNOOP_GETU_ALL)
            return true;
    return false;
}

void protocol_finish(struct protocol *p)
{
    p->readable = p->writable = p->cache_stable = p->evict_silent = p->owning = p->home_stable = 0;
    for (unsigned s = 0; s < p->table[CTL_CACHE].n_states; s++) {
        const row_word *row = p->table[CTL_CACHE].row[s];
        bool leaves = row_verdict(row[CEV_EVICT]) == STEP_DONE;
        bool sends = leaves && sends_anything(CTL_CACHE, row[CEV_EVICT]);
        p->readable |= (uint32_t)(is_hit(row[CEV_LOAD]) && row_next(row[CEV_LOAD]) == s) << s;
        p->writable |= (uint32_t)is_hit(row[CEV_STORE]) << s;
        p->cache_stable |= (uint32_t)!waits_somewhere(p, CTL_CACHE, s) << s;
        p->evict_silent |= (uint32_t)(leaves && !sends) << s;
        p->owning |= (uint32_t)(sends || is_hit(row[CEV_STORE])) << s;
    }
    for (unsigned s = 0; s < p->table[CTL_HOME].n_states; s++) {
        p->home_stable |= (uint32_t)!waits_somewhere(p, CTL_HOME, s) << s;
        p->needs_data[s] = p->asks_others[s] = 0;
        for (unsigned e = 0; e < HOME_EVENT_COUNT; e++) {
            p->needs_data[s] |= (uint32_t)sends_home_data(p->table[CTL_HOME].row[s][e]) << e;
            p->asks_others[s] |= (uint32_t)asks_all_others(p->table[CTL_HOME].row[s][e]) << e;
        }
    }
}

bool cache_readable(const struct protocol *p, uint8_t state) { return p->readable >> state & 1; }
bool cache_writable(const struct protocol *p, uint8_t state) { return p->writable >> state & 1; }
bool cache_stable(const struct protocol *p, uint8_t state) { return p->cache_stable >> state & 1; }
bool cache_evict_silent(const struct protocol *p, uint8_t state) { return p->evict_silent >> state & 1; }
bool home_stable(const struct protocol *p, uint8_t state) { return p->home_stable >> state & 1; }

uint8_t cache_after_store(const struct protocol *p, uint8_t state)
{
    return row_next(p->table[CTL_CACHE].row[state][CEV_STORE]);
}

/* On a bus with one agent the step goes on to the answer that nobody else can give. */
bool home_needs_data(const struct protocol *p, const struct home_line *line, enum home_event event)
{
    uint8_t state = line->state;
    if (line->agents == 1 && p->asks_others[state] >> event & 1) {
        state = row_next(p->table[CTL_HOME].row[state][event]);
        event = HEV_ALL_NONE;
    }
    return p->needs_data[state] >> event & 1;
}

bool home_may_need_data(const struct protocol *p, const struct home_line *line, enum home_event event)
{
    return p->asks_others[line->state] >> event & 1 && p->needs_data[row_next(p->table[CTL_HOME].row[line->state][event])];
}

bool protocol_on_bus(const struct protocol *p) { return p->family == FAMILY_BUS; }

const char *cache_state_name(const struct protocol *p, uint8_t state)
{
    return state < p->table[CTL_CACHE].n_states ? p->table[CTL_CACHE].name[state] : "?";
}

const char *home_state_name(const struct protocol *p, uint8_t state)
{
    return state < p->table[CTL_HOME].n_states ? p->table[CTL_HOME].name[state] : "?";
}

bool protocol_has_event(const struct protocol *p, enum cache_event event)
{
    return p->table[CTL_CACHE].row[0][event] != ROW_ILLEGAL;
}

/* A cache that is no sharer has never had the line, has asked for it, has lost it or has given it back. */
const char *broadcast_protocol_lacks(const struct protocol *p)
{
    const struct state_table *t = &p->table[CTL_CACHE];
    uint32_t reached = 1;
    for (unsigned e = CEV_LOAD; e <= CEV_READ_ONCE; e++)
        if (row_verdict(t->row[0][e]) == STEP_DONE)
            reached |= UINT32_C(1) << row_next(t->row[0][e]);
    for (unsigned s = 0; s < t->n_states; s++)
        for (unsigned e = CEV_INV; e <= CEV_FWD_FLUSH; e++)
            if ((e == CEV_INV || e == CEV_FWD_GETM || e == CEV_FWD_FLUSH) && row_verdict(t->row[s][e]) == STEP_DONE)
                reached |= UINT32_C(1) << row_next(t->row[s][e]);
    for (unsigned s = 0; s < t->n_states; s++)
        for (unsigned e = CEV_FLUSH; e <= CEV_EVICT; e++)
            if (row_verdict(t->row[s][e]) == STEP_DONE)
                reached |= UINT32_C(1) << row_next(t->row[s][e]);
    for (unsigned s = 0; s < t->n_states; s++)
        if ((reached >> s & 1) && t->row[s][CEV_INV] == ROW_ILLEGAL)
            return t->name[s];
    return NULL;
}
