/* models/protocol.h - a coherence protocol as data, and the pure function that steps it.
 *
 * A protocol is a YAML file of rows [state, event, next, [actions], why] per controller (cache, home or bus),
 * loaded into dense tables (models/coherence). The timed controllers (models/cache, models/coherence/home)
 * add tag, data and link time around a step; the explorer calls the very same step. Nobody else
 * looks at a state: timed code asks readable/writable/stable/present, all derived from the table.
 *
 * Two families. In `directory` the home remembers owner and sharers of each line. In `bus` the second controller is
 * called bus: it orders the transactions of a line, remembers nobody, asks every agent and collects their answers.
 */
#ifndef LAB_MODELS_PROTOCOL_H
#define LAB_MODELS_PROTOCOL_H

#include "models/msg.h"

#define CACHE_EVENT_LIST(X) \
    X(LOAD, "The core reads.") X(STORE, "The core writes, or reads and writes, part of the line.") \
    X(STORE_FULL, "The core writes the whole line: old data is not needed.") \
    X(FLUSH, "The core wants the line in no cache (clflush).") \
    X(EVICT, "The cache needs the place.") X(READ_ONCE, "A device or table walker reads without keeping a copy.") \
    X(DATA, "Data of a readable copy.") X(DATA_E, "Data; no other copy exists.") \
    X(DATA_ACKS, "Data to write; acknowledgements still missing.") \
    X(DATA_LAST, "Data to write; nothing else is missing.") \
    X(GRANT_ACKS, "Permission without data; acknowledgements still missing.") \
    X(GRANT_LAST, "Permission without data; nothing else is missing.") \
    X(DATA_U, "Data from the owner, to read once.") \
    X(ACK, "A sharer's acknowledgement, not the last.") X(ACK_LAST, "The last missing acknowledgement.") \
    X(PUTACK, "The home has taken our put, or flushed.") \
    X(INV, "Another writes: drop the copy.") X(FWD_GETS, "Another reads what we own.") \
    X(FWD_GETM, "Another takes over what we own.") X(FWD_GETU, "Another reads once what we own.") \
    X(FWD_FLUSH, "What we own must go home.") \
    X(SNOOP_GETS, "On the bus: another reads.") X(SNOOP_GETM, "On the bus: another reads to write, or upgrades.") \
    X(SNOOP_GETO, "On the bus: another overwrites the whole line.") X(SNOOP_GETU, "On the bus: another reads once.") \
    X(SNOOP_FLUSH, "On the bus: no copy may stay, not even the requester's own.")

#define HOME_EVENT_LIST(X) \
    X(GETS, "A cache asks to read.") X(GETM, "A cache asks to write.") X(GETO, "A cache asks to overwrite.") \
    X(UPG_OWNER, "The owner, who shares the line, asks to write.") \
    X(UPG_OLD, "One who lost ownership meanwhile asks to write.") \
    X(GETU, "A device asks to read once.") X(FLUSH, "A cache that does not own the line flushes it.") \
    X(PUT_OWNER, "The owner gives the line back.") X(PUT_OLD, "A put from one who lost ownership meanwhile.") \
    X(PUTF_OWNER, "The owner gives the line back, on to memory.") \
    X(PUTF_OLD, "A flushing put from one who lost ownership meanwhile.") \
    X(RECALL, "The last level needs the place: no private copy may stay.") \
    X(DEMOTE, "The home needs the newest data itself: nobody may write, copies to read may stay (two levels).") \
    X(GETS_R, "A cache asks to read, and nobody here may own the line alone (two levels).") \
    X(DONE, "The requester has what it asked for.") X(WB, "The old owner's data.") \
    X(ACK, "A recalled sharer's acknowledgement, not the last.") X(ACK_LAST, "The last recalled sharer's acknowledgement.") \
    X(ASK_PUT, "A cache asks for the bus, to write back.") \
    X(UPG, "A cache asks that its shared copy becomes the only one.") \
    X(ANSWER, "One who was snooped has answered, others have not.") \
    X(SNOOP_DATA, "The answer of one who owned the line, with the data; others have not answered.") \
    X(SNOOP_DATA_LAST, "The last answer, with the data, from one who owned the line.") \
    X(ALL_NONE, "All have answered: none has a copy (any more).") \
    X(ALL_SHARED, "All have answered: some keep copies, none owned the line.") \
    X(ALL_OWNED, "All have answered: one owned the line and has sent the requester the data.")

#define X(id, ...) CEV_##id,
enum cache_event { CACHE_EVENT_LIST(X) CACHE_EVENT_COUNT };
#undef X
#define X(id, ...) HEV_##id,
enum home_event { HOME_EVENT_LIST(X) HOME_EVENT_COUNT };
#undef X

enum { STATES_MAX = 32, SHARER_WORDS = AGENTS_MAX / 64 };

/* msg.requester is 16 bits unsigned: the home itself (a recall or demotion) is -1, that is 0xffff. An INV with it is
 * acknowledged to the home; whoever answers it with data does so by one WB. msg.acks of a DATA that gives no right to write is ACKS_READ. */
enum { REQUESTER_HOME = -1, ACKS_READ = -1 };

struct sharer_set { uint64_t w[SHARER_WORDS]; };

struct cache_line {
    uint8_t state;       /* 0 is the state with no copy ("I") in every protocol */
    int16_t acks;        /* expected minus received; may be negative until data or grant says how many */
    uint32_t version;    /* of the data held */
};

struct home_line {
    uint8_t state;       /* 0 is the state with no private copy ("DI") */
    uint8_t heard;       /* bus: wired OR of the answers to the snoop under way */
    int16_t owner;       /* agent, -1 none */
    int16_t requester;   /* of the transaction that makes the line busy, -1 none */
    int16_t txn;         /* that requester's MSHR */
    int16_t acks;        /* recalled or snooped ones that still owe an answer */
    uint16_t agents;     /* bus: how many listen, numbers 0 .. agents-1; 0: a directory */
    struct sharer_set sharers;
    uint32_t version;    /* of the home's data (last level or memory) */
};

enum verdict {
    STEP_DONE,           /* line changed, messages (if any) to send */
    STEP_WAIT,           /* nothing changed: offer the event again after the line's next change */
    STEP_ILLEGAL         /* no row: protocol error */
};

/* One message to send; the caller fills in line, nodes and delta. Only m[0 .. n-1] are meaningful after a step,
 * and targets only if one of them is multicast. */
struct out_msg {
    uint8_t kind;        /* enum msg_kind */
    bool to_home;        /* otherwise to agent `to` or, if multicast, to every member of `targets` */
    bool multicast;
    int16_t to, requester, txn, acks;
    uint32_t version;
};
struct outbox {
    unsigned n;
    struct out_msg m[4];
    struct sharer_set targets;   /* of the multicast message */
    bool complete;       /* cache: the pending core operation is performed in this very step */
    bool take_data;      /* cache: the message's data is now the line's */
    bool keep_data;      /* home: the message's data is now the home's (dirty with respect to memory) */
    bool flush_memory;   /* home: memory must get the home's data, the last level gives its copy up */
    bool recalled;       /* home: a RECALL is finished */
    bool demoted;        /* home: a DEMOTE is finished */
};

struct protocol;

/* What the timed code may know about states: derived from the rows, never from names. */
bool cache_readable(const struct protocol *, uint8_t state);  /* LOAD row is exactly "hit, stay" */
bool cache_writable(const struct protocol *, uint8_t state);  /* STORE row is a hit (the next state may differ) */
uint8_t cache_after_store(const struct protocol *, uint8_t state); /* of a writable state: E becomes M */
bool cache_stable(const struct protocol *, uint8_t state);    /* waits for no message */
bool cache_evict_silent(const struct protocol *, uint8_t state);   /* EVICT row sends nothing */
bool home_stable(const struct protocol *, uint8_t state);
bool home_needs_data(const struct protocol *, const struct home_line *, enum home_event); /* this step sends the home's data */
/* On a bus: memory may have to supply once all have answered, so that it is read while they are asked. */
bool home_may_need_data(const struct protocol *, const struct home_line *, enum home_event);
bool protocol_on_bus(const struct protocol *);
const char *cache_event_name(enum cache_event);
const char *home_event_name(enum home_event);
const char *cache_state_name(const struct protocol *, uint8_t state);
const char *home_state_name(const struct protocol *, uint8_t state);
bool protocol_has_event(const struct protocol *, enum cache_event); /* state 0 has a row for it */
/* A directory that invalidates everybody, sharer or not, needs INV in every state that a cache can be in then: one that has not, or
 * NULL. Directory protocols only. */
const char *broadcast_protocol_lacks(const struct protocol *);

/* Message to event, by the fixed predicates (acks missing, sender is owner). */
enum cache_event cache_classify(const struct cache_line *, const struct msg *);
enum home_event home_classify(const struct home_line *, const struct msg *);

/* The step. `in` is NULL for core events, EVICT, RECALL and DEMOTE. self: the agent; txn: its MSHR for messages it sends
 * as requester. Pure: touches only *line and *out (flags and n are always written), and the row counters of
 * `counts` if not NULL. */
struct row_counts { uint64_t cache[STATES_MAX][CACHE_EVENT_COUNT], home[STATES_MAX][HOME_EVENT_COUNT]; };
enum verdict cache_step(const struct protocol *, struct cache_line *, enum cache_event, const struct msg *in,
                        int16_t self, int16_t txn, struct outbox *out, struct row_counts *counts);
enum verdict home_step(const struct protocol *, struct home_line *, enum home_event, const struct msg *in,
                       struct outbox *out, struct row_counts *counts);

#endif
