/* models/port.h - how parts of floor 3 reach each other without including one another. The machine file
 * fills these in.
 */
#ifndef LAB_MODELS_PORT_H
#define LAB_MODELS_PORT_H

#include "models/msg.h"
#include "src/sim/engine.h"

/* ---- network: a part sends messages and receives them through a node */
struct net;
typedef void net_deliver_fn(void *receiver, struct msg *); /* the message is valid during the call only */
void net_attach(struct net *, unsigned node, net_deliver_fn *, void *receiver);
/* Copies the message, starts it on its way now. Never refuses: an endpoint's own outstanding work bounds what it
 * sends. Marks nothing in m->delta; the receiver marks on delivery. */
void net_send(struct net *, const struct msg *);
/* The message to count receivers (m->dst is not looked at). A bus carries it once and hands it to all at one instant, in
 * this order; elsewhere it is the same as count sends. */
void net_multicast(struct net *, const struct msg *m, const uint16_t *dst, unsigned count);
/* Least time from any send to its delivery (for lookahead). */
tick net_least_latency_ps(const struct net *);

/* ---- DRAM: reads and writes of one line; completion through an embedded request */
struct dram;
struct dram_request;
typedef void dram_done_fn(struct dram_request *);
struct dram_request {
    struct event event;          /* dram's, while in flight */
    struct dram_request *next;   /* dram's */
    lineno line;
    bool write;
    tick head_start_ps;          /* it was begun so long before it is asked for */
    tick asked, done_at;         /* filled by dram */
    dram_done_fn *done;          /* called in the event at done_at; NULL: nobody waits (posted write) */
    void *owner;
};
void dram_access(struct dram *, struct dram_request *); /* owner keeps the request alive until done */
/* Occupies channel and bank, needs no request. Returns when it will be done: whoever writes faster than memory does is to
 * wait when that is too far ahead. */
tick dram_write_posted(struct dram *, lineno);

/* ---- a device's way to coherent memory: one cache agent behind it, which evicts at once after writes and
 * reads once */
struct mem_port;
struct mem_request;
typedef void mem_done_fn(struct mem_request *);
enum mem_op { MEM_READ_ONCE, MEM_WRITE };
struct mem_request {
    enum mem_op op;
    paddr addr;                  /* within one line */
    unsigned bytes;              /* 1 .. 64; a write of all 64 aligned bytes does not fetch the line */
    uint64_t data[8];            /* read: the line's words as sampled at the source; write: bytes to write, packed from the
                                    lowest address */
    struct delta delta;          /* started by the submitter; stations add to it */
    enum source_id served_by;    /* filled in */
    mem_done_fn *done;           /* called in the event at which data arrived / the write is globally visible */
    void *owner;
    struct mem_request *next;    /* port's queue */
};
struct mem_port {
    void (*submit)(struct mem_port *, struct mem_request *);
    void *self;
};

/* ---- device registers, reached by harts after a link latency */
struct mmio_target {
    paddr base;
    uint64_t bytes;
    void (*write)(void *device, uint64_t offset, unsigned bytes, uint64_t value);
    uint64_t (*read)(void *device, uint64_t offset, unsigned bytes);
    void *device;
};

/* ---- what a device asks the IOMMU (models/iommu) */
struct translation;
typedef void translation_done_fn(struct translation *);
enum dma_fault { DMA_OK, DMA_FAULT_ROOT, DMA_FAULT_CONTEXT, DMA_FAULT_READ, DMA_FAULT_WRITE, DMA_FAULT_RESERVED,
                 DMA_FAULT_ADDRESS, DMA_FAULT_COUNT };
struct translation {
    uint16_t source_id;          /* bus:device.function of the requester */
    iova addr;
    bool write;
    paddr result;
    enum dma_fault fault;
    bool iotlb_hit;
    bool bypassed;               /* translation off, or pass-through for this source */
    struct delta delta;          /* marked up to now by the submitter, continued by the IOMMU: PART_TRANSLATE and the
                                    memory parts of its walk */
    translation_done_fn *done;
    void *owner;
    struct translation *next;
};
struct iommu_port {
    void (*translate)(void *iommu, struct translation *);
    /* A DMA that uses a translation is in flight from begin to end: invalidation waits drain on it. Begin it within
     * the translation's done callback, so that no moment lies between. */
    void (*dma_begin)(void *iommu, uint16_t source_id, paddr);
    void (*dma_end)(void *iommu, uint16_t source_id, paddr);
    void *iommu;
};

#endif
