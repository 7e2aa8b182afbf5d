/* models/msg.h - the one message that caches, homes and devices exchange. Carried by models/net.
 *
 * Three virtual networks; a class of messages never waits behind a later class:
 *   request (GETS .. PUTF) -> forward (INV, FWD_*, SNOOP_*) -> response (DATA .. DONE), and responses always sink.
 */
#ifndef LAB_MODELS_MSG_H
#define LAB_MODELS_MSG_H

#include "src/sim/account.h"

enum vnet { VNET_REQUEST, VNET_FORWARD, VNET_RESPONSE, VNET_COUNT };

/* X(id, vnet, carries data, sentence) */
#define MSG_LIST(X) \
    X(GETS, REQUEST, 0, "Asks for a readable copy.") \
    X(GETM, REQUEST, 0, "Asks for the only copy, to write.") \
    X(GETO, REQUEST, 0, "Asks for ownership without data, to overwrite the whole line.") \
    X(UPG, REQUEST, 0, "Asks that its copy, which it answers for but shares, becomes the only one.") \
    X(GETU, REQUEST, 0, "Reads once, keeps no copy (devices, table walks).") \
    X(FLUSH, REQUEST, 0, "Asks that no cache holds the line and memory is current.") \
    X(PUT, REQUEST, 1, "Gives an owned line back to its home.") \
    X(PUTF, REQUEST, 1, "Gives an owned line back and on to memory.") \
    X(ASK_PUT, REQUEST, 0, "Asks for the bus, to write an owned line back.") \
    X(INV, FORWARD, 0, "Drop your copy and acknowledge to the requester.") \
    X(FWD_GETS, FORWARD, 0, "Owner: give the requester a copy, keep one, write back.") \
    X(FWD_GETM, FORWARD, 0, "Owner: hand line and ownership to the requester.") \
    X(FWD_GETU, FORWARD, 0, "Owner: let the requester read once.") \
    X(FWD_FLUSH, FORWARD, 0, "Owner: give the line back to its home now.") \
    X(SNOOP_GETS, FORWARD, 0, "To all on the bus: somebody reads (BusRd).") \
    X(SNOOP_GETM, FORWARD, 0, "To all on the bus: somebody reads to write, or upgrades (BusRdX, BusUpgr).") \
    X(SNOOP_GETO, FORWARD, 0, "To all on the bus: somebody overwrites the whole line.") \
    X(SNOOP_GETU, FORWARD, 0, "To all on the bus: somebody reads once.") \
    X(SNOOP_FLUSH, FORWARD, 0, "To all on the bus: no copy may stay.") \
    X(DATA, RESPONSE, 1, "The line; `acks` sharers will acknowledge.") \
    X(DATA_E, RESPONSE, 1, "The line; nobody else has it.") \
    X(DATA_U, RESPONSE, 1, "The line as it is now, to read once; the home waits for DONE.") \
    X(GRANT, RESPONSE, 0, "Permission without data; `acks` sharers will acknowledge.") \
    X(ACK, RESPONSE, 0, "My copy is gone.") \
    X(SHARED, RESPONSE, 0, "Snoop answer: I keep a copy.") \
    X(OWNED, RESPONSE, 0, "Snoop answer: I have sent the requester the line.") \
    X(SNOOP_DATA, RESPONSE, 1, "Snoop answer, or write-back: the line, for memory too.") \
    X(PUTACK, RESPONSE, 0, "Your put or flush is done.") \
    X(WB, RESPONSE, 1, "Owner to home: the line, written back.") \
    X(DONE, RESPONSE, 0, "Requester to home: transaction over.") \
    X(TLB_INVALIDATE, FORWARD, 0, "Drop the translation of a page (broadcast).") \
    X(TLB_ACK, RESPONSE, 0, "The translation is gone here.")

#define X(id, ...) MSG_##id,
enum msg_kind { MSG_LIST(X) MSG_KIND_COUNT };
#undef X
struct msg_info { const char *name; enum vnet vnet; bool data; const char *sentence; };
extern const struct msg_info msg_infos[MSG_KIND_COUNT]; /* models/net/msg.c */

struct msg {
    uint8_t kind;          /* enum msg_kind */
    uint8_t served_by;     /* enum source_id: where the data came from, for statistics */
    uint16_t src, dst;     /* network nodes */
    uint16_t requester;    /* cache agent that began the transaction (its number, see below) */
    int16_t txn;           /* the requester's MSHR index, copied into every message of the transaction; -1 none */
    int16_t acks;          /* acknowledgements the requester has to collect */
    uint32_t version;      /* of the data carried */
    lineno line;           /* TLB_*: page number of the virtual address */
    uint32_t aux;          /* TLB_*: address-space id; otherwise unused */
    bool outer;            /* two levels: between clusters, devices and global homes; `requester` is then an outer agent */
    struct delta delta;    /* where the time of this transaction went so far */
};

/* Node numbers. Cache agents come first: harts 0 .. harts-1, then device-side agents; then homes. A cache
 * agent's number is its node number. */

#endif
