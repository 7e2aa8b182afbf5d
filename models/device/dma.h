/* models/device/dma.h - a device that reads and writes memory: a DMA engine behind a link.
 *
 *   request --split--> pieces of a line --issue_ps each--> [ link_ps ] --> root complex:
 *        translate -> dma_begin -> wait for order -> mem_port -> dma_end -> read: [ link_ps ] -> done
 *                                                                           write: done where it performs
 *
 * Pieces are issued one after the other, each taking issue_ps of the engine, at most `tags` outstanding; requests
 * are served first come, first served, and overlap. Order at the root complex is PCI Express's: writes are posted
 * and perform in the order of issue; no read passes an earlier write; reads pass each other and may be passed by
 * writes (PCI Express Base Specification, transaction ordering rules). The order is kept by holding
 * back the memory access: a device has one write at its memory port at a time, while translations overlap. A refused
 * piece counts as performed. A write frees its tag when it performs (credits come back at once), a read when its data
 * or abort arrives at the device.
 *
 * A refused piece is an aborted transaction: dma_fault says why. The other pieces of the request go on. DMA is
 * coherent, and its data are real: a read delivers the bytes, a write puts down an 8-byte pattern such that every
 * aligned word written holds the pattern.
 *
 * Accounting: one record of CLASS_DMA_READ or CLASS_DMA_WRITE per request, by the chain of the piece that finished
 * last; the time until that piece left the engine, the link and waiting for order are PART_DEVICE. Source: FAULT if
 * any piece was refused, else how that piece was translated.
 *
 * An event-driven state machine, never a fiber.
 */
#ifndef LAB_MODELS_DEVICE_DMA_H
#define LAB_MODELS_DEVICE_DMA_H

#include "models/port.h"
#include "src/base/arena.h"
#include "src/config/param.h"
#include "src/sim/account.h"
#include "src/sim/engine.h"

struct dma_desc {
    uint32_t tags;      /* pieces outstanding, at most */
    tick link_ps;       /* device to root complex, each way */
    tick issue_ps;      /* between two pieces leaving the engine */
};

extern const struct param dma_params[];

struct dma_request;
typedef void dma_done_fn(struct dma_request *);

/* The caller's, alive until done. */
struct dma_request {
    iova addr;
    uint64_t bytes;             /* at least 1; addr + bytes does not wrap */
    bool write;
    bool recorded;              /* in the account */
    uint64_t pattern;           /* write: byte at address a is byte a % 8 of it, lowest first */
    uint8_t *into;              /* read: `bytes` bytes, or NULL; refused pieces leave theirs alone */
    dma_done_fn *done;          /* called in the event in which the last piece finishes; may submit again */
    void *owner;
    /* results */
    enum dma_fault fault;       /* of the first piece refused */
    uint32_t refused_count;     /* pieces */
    tick submitted, finished;
    /* the engine's */
    uint64_t issued_bytes;
    uint32_t pieces_left;       /* issued and not finished */
    struct dma_request *next;
};

enum piece_state {
    PIECE_FREE, PIECE_TO_ROOT, PIECE_TRANSLATING, PIECE_ORDERED /* waits for earlier writes */, PIECE_IN_MEMORY,
    PIECE_RETURNING
};

struct dma_engine;

/* One piece: within one line. Read-only for observers. */
struct dma_piece {
    struct dma_engine *engine;
    struct dma_request *request;
    enum piece_state state;
    uint16_t source_id;
    iova addr;
    paddr at;                   /* once translated and not refused */
    unsigned bytes;
    bool write;
    enum dma_fault fault;
    uint64_t since;             /* of the state */
    struct translation translation;
    struct mem_request mem;     /* write: data packed from the lowest address; read, done: the line's words */
    struct delta delta;
    struct event event;
    struct dma_piece *later;    /* order of issue */
};

/* Told when a piece performs (write: visible; read: sampled and back at the root complex) or is refused. */
struct dma_observer {
    void *self;
    void (*performed)(void *self, const struct dma_piece *, tick now);
};

struct dma_wiring {
    const char *name;           /* borrowed */
    struct engine *engine;
    struct component_list *components;
    struct arena *arena;
    struct mem_port *port;
    struct iommu_port iommu;
    struct account *account;    /* NULL: nothing is recorded */
    struct dma_observer observer; /* performed NULL: none */
    uint16_t source_id;
    uint32_t actor;             /* of account_seen */
};

struct dma_engine *dma_engine_new(const struct dma_desc *, const struct dma_wiring *); /* lives in the arena */
void dma_submit(struct dma_engine *, struct dma_request *);
struct component *dma_component(struct dma_engine *);
uint16_t dma_source_id(const struct dma_engine *);

/* Word of an aligned piece of 8 bytes or more at byte `offset` of it, as read or written. */
uint64_t dma_piece_word(const struct dma_piece *, unsigned offset);

/* Every piece in flight, in the order of issue. */
void dma_each_piece(const struct dma_engine *, void (*fn)(void *arg, const struct dma_piece *), void *arg);

#define DMA_COUNTER_LIST(X) \
    X(read_count, "Read requests finished.") \
    X(write_count, "Write requests finished.") \
    X(read_bytes, "Bytes read, refused ones left out.") \
    X(write_bytes, "Bytes written, refused ones left out.") \
    X(refused_count, "Pieces refused.") \
    X(order_wait_count, "Pieces that had to wait for an earlier write.") \
    X(tags_full_count, "Times the engine had a piece to issue and no free tag.")
struct dma_counters {
#define X(name, ...) uint64_t name;
    DMA_COUNTER_LIST(X)
#undef X
};
const struct dma_counters *dma_counters(const struct dma_engine *);
void dma_each_counter(const struct dma_engine *, void (*fn)(void *arg, const char *name, uint64_t value), void *arg);

#endif
