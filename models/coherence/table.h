/* models/coherence/table.h - a protocol as tables: what the loader fills and the step interprets.
 *
 * One row is one 64-bit word: verdict, next state, up to six action codes. Actions run in the order in which
 * the row lists them. All texts belong to the protocol. After protocol_finish a protocol never changes.
 */
#ifndef LAB_MODELS_COHERENCE_TABLE_H
#define LAB_MODELS_COHERENCE_TABLE_H

#include <stdio.h>

#include "models/protocol.h"

struct node;
struct diag;

/* X(id, message kind sent or -1, sentence) */
#define CACHE_ACTION_LIST(X) \
    X(COMPLETE, -1, "The core's operation is performed in this very step; alone on a core event: a hit.") \
    X(TAKE_DATA, -1, "The data that came is now the line's.") \
    X(COUNT_DATA, -1, "The announced acknowledgements are now missing, less those that came already.") \
    X(COUNT_ACK, -1, "One acknowledgement less is missing.") \
    X(SEND_GETS, MSG_GETS, "Ask the home for a readable copy.") \
    X(SEND_GETM, MSG_GETM, "Ask the home for the only copy.") \
    X(SEND_GETO, MSG_GETO, "Ask the home for ownership, without data.") \
    X(SEND_UPG, MSG_UPG, "Ask the home that the copy here, which others share, becomes the only one.") \
    X(SEND_GETU, MSG_GETU, "Ask the home for the data once.") \
    X(SEND_FLUSH, MSG_FLUSH, "Ask the home that no cache holds the line and memory is current.") \
    X(SEND_PUT, MSG_PUT, "Give the line back to the home.") \
    X(SEND_PUTF, MSG_PUTF, "Give the line back to the home and on to memory.") \
    X(SEND_DONE, MSG_DONE, "Tell the home that the transaction is over.") \
    X(SEND_ACK, MSG_ACK, "Tell whoever collects acknowledgements that no copy is here.") \
    X(SEND_DATA, MSG_DATA, "Send the line to the requester, to read.") \
    X(SEND_DATA_M, MSG_DATA, "Send the line to the requester, to write.") \
    X(SEND_DATA_U, MSG_DATA_U, "Send the line to the requester, to read once.") \
    X(SEND_WB, MSG_WB, "Send the line to the home.") \
    X(SEND_ASK_PUT, MSG_ASK_PUT, "Ask for the bus, to write the line back.") \
    X(SEND_GETM_AGAIN, MSG_GETM, "Ask anew, for the data too: the copy was lost before the upgrade's turn came.") \
    X(ANSWER_NONE, MSG_ACK, "Answer the bus: no copy here (any more).") \
    X(ANSWER_SHARED, MSG_SHARED, "Answer the bus: a copy stays here.") \
    X(ANSWER_OWNED, MSG_OWNED, "Answer the bus: the line was here, and the requester has been sent it.") \
    X(ANSWER_DATA, MSG_SNOOP_DATA, "Give the bus the line, for memory.")

#define HOME_ACTION_LIST(X) \
    X(DATA_TO_REQ, MSG_DATA, "Send the line to the requester, to read.") \
    X(DATA_E_TO_REQ, MSG_DATA_E, "Send the line to the requester: nobody else has it.") \
    X(DATA_M_TO_REQ, MSG_DATA, "Send the line to the requester, to write, with the number of invalidations sent.") \
    X(GRANT_TO_REQ, MSG_GRANT, "Send the requester permission, with the number of invalidations sent.") \
    X(PUTACK_TO_REQ, MSG_PUTACK, "Tell the requester that its put or flush is done.") \
    X(INV_SHARERS, MSG_INV, "Invalidate all sharers but requester and owner; they acknowledge to the requester.") \
    X(RECALL_SHARERS, MSG_INV, "Invalidate all sharers; they acknowledge to the home.") \
    X(FWD_GETS_TO_OWNER, MSG_FWD_GETS, "Have the owner send a copy to the requester and the data here.") \
    X(FWD_GETM_TO_OWNER, MSG_FWD_GETM, "Have the owner hand the line over to the requester.") \
    X(FWD_GETU_TO_OWNER, MSG_FWD_GETU, "Have the owner let the requester read once.") \
    X(FWD_FLUSH_TO_OWNER, MSG_FWD_FLUSH, "Have the owner give the line back.") \
    X(KEEP_DATA, -1, "The data that came is now the home's.") \
    X(FLUSH_MEMORY, -1, "Memory gets the home's data; the last level gives its copy up.") \
    X(REQ_IS_OWNER, -1, "The requester is the owner now; there are no sharers.") \
    X(REQ_IS_SHARER, -1, "The requester is a sharer now.") \
    X(REQ_SUPPLIES, -1, "The requester is a sharer and the owner now, who hands out copies; the other sharers stay.") \
    X(OWNER_IS_SHARER, -1, "The owner is a mere sharer now.") \
    X(NO_OWNER, -1, "There is no owner any more.") \
    X(NO_SHARERS, -1, "There are no sharers any more.") \
    X(COUNT_ACK, -1, "One acknowledgement less is missing.") \
    X(RECALLED, -1, "The recall is finished: no private copy is left.") \
    X(DEMOTED, -1, "The demotion is finished: nobody may write, and the home has the newest data.") \
    X(SNOOP_GETS_ALL, MSG_SNOOP_GETS, "Ask all but the requester; who owns the line sends it to him.") \
    X(SNOOP_GETM_ALL, MSG_SNOOP_GETM, "Have all but the requester drop the line; who owns it sends it to him.") \
    X(SNOOP_GETO_ALL, MSG_SNOOP_GETO, "Have all but the requester drop the line, whatever they hold.") \
    X(SNOOP_GETU_ALL, MSG_SNOOP_GETU, "Ask all but the requester; who owns the line lets him read once.") \
    X(SNOOP_FLUSH_ALL, MSG_SNOOP_FLUSH, "Have everybody give the line up, the requester, too.") \
    X(COUNT_ANSWER, -1, "One answer less is missing; the wired OR has taken it in.") \
    X(GRANT_PUT, MSG_GRANT, "Give the requester the bus to write back, and await the data, or word that it is gone.") \
    X(DATA_U_TO_REQ, MSG_DATA_U, "Send the line to the requester, to read once.") \
    X(ACK_TO_REQ, MSG_ACK, "Tell the requester that all have answered; the old owner sends it the line.")

#define X(id, ...) CACT_##id,
enum cache_action { CACT_NONE, CACHE_ACTION_LIST(X) CACHE_ACTION_COUNT };
#undef X
#define X(id, ...) HACT_##id,
enum home_action { HACT_NONE, HOME_ACTION_LIST(X) HOME_ACTION_COUNT };
#undef X

enum controller { CTL_CACHE, CTL_HOME, CTL_COUNT };
enum family { FAMILY_DIRECTORY, FAMILY_BUS, FAMILY_COUNT };
extern const char *const family_names[FAMILY_COUNT];
enum { EVENTS_MAX = 32, ROW_ACTIONS_MAX = 6, NO_MESSAGE = -1 };

struct event_info { const char *name, *sentence; int kind; /* enum msg_kind it comes from, or NO_MESSAGE */ };
struct action_info { const char *name, *sentence; int sends; /* enum msg_kind or NO_MESSAGE */ };
/* Dictionary of a controller: the words a protocol file may use. */
struct vocabulary {
    const char *name;                    /* "cache", "home" (of a bus protocol: see controller_name) */
    unsigned n_events, n_actions;        /* actions count from 1 */
    const struct event_info *events;
    const struct action_info *actions;
};
extern const struct vocabulary vocabularies[CTL_COUNT];

/* Bits 0-7: enum verdict, bits 8-15: next state, then six action codes, first in the lowest byte. */
typedef uint64_t row_word;
#define ROW_ILLEGAL ((row_word)STEP_ILLEGAL)
#define ROW_WAIT ((row_word)STEP_WAIT)
static inline enum verdict row_verdict(row_word w) { return (enum verdict)(w & 0xff); }
static inline uint8_t row_next(row_word w) { return (uint8_t)(w >> 8); }
static inline uint64_t row_actions(row_word w) { return w >> 16; }
static inline row_word row_redirect(row_word w, uint8_t next) { return (w & ~(row_word)0xff00) | (row_word)next << 8; }

struct state_table {
    unsigned n_states;
    const char *name[STATES_MAX], *sentence[STATES_MAX];
    row_word row[STATES_MAX][EVENTS_MAX];
    const char *why[STATES_MAX][EVENTS_MAX];  /* NULL: plain */
};

/* A mutant that no test can tell from the original, and why. */
struct equivalent {
    enum controller controller;
    uint8_t state, event;
    int16_t next;                             /* -1: row deleted; otherwise the next state it was given */
    const char *reason;
};

struct protocol {
    const char *name, *title, *text;
    enum family family;
    struct state_table table[CTL_COUNT];
    struct equivalent *equivalent;
    size_t n_equivalent;
    /* derived by protocol_finish, one bit per state */
    uint32_t readable, writable, cache_stable, evict_silent, home_stable;
    uint32_t owning;                          /* writable, or the home must be told of an eviction */
    uint32_t needs_data[STATES_MAX];          /* home: one bit per event */
    uint32_t asks_others[STATES_MAX];         /* bus: likewise, rows that snoop all but the requester */
    char **texts;                             /* everything the pointers above point into */
    size_t n_texts;
};

/* ---- building by hand (the loader, tests) */
struct protocol *protocol_new(const char *name, const char *title, const char *text);
void protocol_free(struct protocol *);
const char *protocol_keep_text(struct protocol *, const char *); /* copy that lives as long as the protocol */
/* State number, counted from 0 in the order of the calls; -1: full, or the name is taken. */
int protocol_add_state(struct protocol *, enum controller, const char *name, const char *sentence);
/* actions: n codes. False: the pair has a row already. why may be NULL. */
bool protocol_add_row(struct protocol *, enum controller, unsigned state, unsigned event, unsigned next,
                      const uint8_t *actions, unsigned n, const char *why);
bool protocol_add_wait(struct protocol *, enum controller, unsigned state, unsigned event);
void protocol_add_equivalent(struct protocol *, struct equivalent);
/* Is the row's deletion listed as equivalent? Then what is explored need not reach it, whatever it says. */
bool protocol_may_lack(const struct protocol *, enum controller, unsigned state, unsigned event);
void protocol_finish(struct protocol *);      /* derives the predicates; call once after the last row, or after a change */

const char *controller_name(const struct protocol *, enum controller); /* "cache"; "home" or "bus" */

/* ---- names to numbers, -1 if unknown */
int protocol_state(const struct protocol *, enum controller, const char *name);
int vocabulary_event(enum controller, const char *name);
int vocabulary_action(enum controller, const char *name);
unsigned protocol_row_count(const struct protocol *, enum controller);

/* ---- YAML. protocol_load records every error of the tree and returns NULL if there was one; otherwise the
 * caller owns the result. protocol_dump writes a file that loads to the same tables. */
struct protocol *protocol_load(struct node *root, struct diag *);
void protocol_dump(FILE *, const struct protocol *);

/* ---- for people */
enum protocol_format { PROTOCOL_TEXT, PROTOCOL_MARKDOWN, PROTOCOL_DOT, PROTOCOL_CSV };
void protocol_print(FILE *, const struct protocol *, enum protocol_format, const struct row_counts *counts);
/* One row in words. The controller is the one that knows the state; false: there is no such state or event. */
bool protocol_explain_row(FILE *, const struct protocol *, const char *state, const char *event);
void protocol_vocabulary(FILE *);
/* ", owner 3, sharers 1 2": network nodes, which agent_node tells of an agent (NULL: its number). Nothing if nobody holds it. */
void home_line_print_holders(FILE *, const struct home_line *, uint16_t (*agent_node)(void *arg, unsigned agent, lineno), void *arg,
                             lineno);

#endif
