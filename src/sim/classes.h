/* src/sim/classes.h - the dictionary of request classes, phases, hardware parts and sources.
 * One list each makes the enum, the name and the sentence that `labyrinth explain` prints.
 */
#ifndef LAB_SIM_CLASSES_H
#define LAB_SIM_CLASSES_H

/* Hardware parts: X(id, name, sentence) */
#define PART_LIST(X) \
    X(CORE, "core", "The hart executes or waits for its own clock: instruction work, spinning, interrupt entry.") \
    X(ISSUE, "issue", "The access waits at its own hart: store buffer or MSHRs full, an older access to the line, a fence.") \
    X(TRANSLATE, "translate", "TLB lookup and page walk; for a device, IOTLB lookup and IOMMU walk.") \
    X(L1, "l1", "First-level lookup.") \
    X(L2, "l2", "Second-level lookup after a first-level miss.") \
    X(REQUEST_NET, "request_net", "The request travels to its home: ports, wires and queueing on the way.") \
    X(HOME_WAIT, "home_wait", "The request waits at the home: service queue, or the line is busy with another transaction.") \
    X(HOME, "home", "The home looks the line up and acts.") \
    X(OWNER, "owner", "The home's forward travels to the owning cache and is looked up there.") \
    X(ACKS, "acks", "Invalidations travel to sharers and their acknowledgements back, when one of them came last.") \
    X(DRAM, "dram", "Memory access: channel queue, bank, row and data transfer.") \
    X(RESPONSE_NET, "response_net", "The data or grant travels to the requester.") \
    X(FILL, "fill", "From arrival at the requester to use by the hart.") \
    X(DEVICE, "device", "Device-side time: link to the root complex, engine occupancy, register accesses.") \
    X(PRIOR, "prior", "Waiting for work that began before this request did.")

/* Software phases: X(id, name, sentence) */
#define PHASE_LIST(X) \
    X(ENTRY, "entry", "From the call to the first list or lock.") \
    X(PCP, "pcp", "Per-CPU list: lock, take or put, bookkeeping.") \
    X(ZONE_WAIT, "zone_wait", "Waiting for the zone lock.") \
    X(ZONE_HOLD, "zone_hold", "Holding the zone lock: free lists, split and merge.") \
    X(SLOW, "slow", "Slow path: wake kswapd, watermarks, retries, reserves.") \
    X(ZERO, "zero", "Clearing the page.") \
    X(INTERRUPTED, "interrupted", "An interrupt handler ran on the hart.") \
    X(EXIT, "exit", "From the last lock or list to the return.") \
    X(ALLOC, "alloc", "Allocating the page.") \
    X(LOCK, "lock", "Taking the page's lock.") \
    X(UNMAP, "unmap", "Clearing user page-table entries.") \
    X(IOMMU_REVOKE, "iommu", "Clearing IOMMU entries, invalidating and waiting for completion.") \
    X(TLB, "tlb", "TLB shootdown.") \
    X(COHERENCE, "coherence", "Gaining sole ownership of every line.") \
    X(FENCE, "fence", "Fences that order the zeroing before publication.") \
    X(PUBLISH, "publish", "The store that hands the page over, until globally visible.") \
    X(WAIT, "wait", "Waiting for the holder, an acknowledgement or a completion.") \
    X(WORK, "work", "The step itself.") \
    X(OTHER, "other", "Between the named steps.")

/* Sources ("parts" of a class): X(id, name, sentence) */
#define SOURCE_LIST(X) \
    X(L1, "l1", "Found in the first-level cache or forwarded from the store buffer.") \
    X(L2, "l2", "Found in the second-level cache.") \
    X(LLC, "llc", "Served by the last-level cache, no other cache disturbed.") \
    X(PEER, "peer", "Supplied by another cache, or other copies had to be invalidated.") \
    X(DRAM, "dram", "Served by memory.") \
    X(PCP, "pcp", "From the per-CPU list.") \
    X(REFILL, "refill", "The per-CPU list was empty and was refilled in a batch from the zone.") \
    X(BUDDY, "buddy", "Straight from the zone's free lists.") \
    X(RESERVE, "reserve", "Below the min watermark: taken from the reserve that the flags allow.") \
    X(HIGHATOMIC, "highatomic", "From the reserve kept for high-order atomic requests.") \
    X(TREE, "tree", "llfree: from or into the tree that the hart has reserved.") \
    X(TREE_CHANGE, "tree_change", "llfree: another tree was reserved or taken from; freed into a tree that is not the hart's.") \
    X(ONE_LOCK, "one_lock", "freelist and bitmap: from or into the one list or map that everybody locks.") \
    X(ZEROED, "zeroed", "From the pool of pages cleared ahead of time.") \
    X(FAIL, "fail", "No page was found.") \
    X(TRYLOCK, "trylock", "Lock free at the first try.") \
    X(CONTENDED, "contended", "Lock was held.") \
    X(IPI, "ipi", "By interprocessor interrupts.") \
    X(BROADCAST, "broadcast", "By broadcast invalidation.") \
    X(IOTLB_HIT, "iotlb_hit", "Translation found in the IOTLB.") \
    X(IOTLB_MISS, "iotlb_miss", "Translation walked.") \
    X(FAULT, "fault", "Refused by the IOMMU.") \
    X(BYPASS, "bypass", "No translation (IOMMU off).") \
    X(DONE, "done", "Completed.")

/* Classes: X(id, name, memory class?, default phase, start, end) */
#define CLASS_LIST(X) \
    X(LOAD, "load", 1, OTHER, "the load is issued by its hart (waiting for MSHRs or fences included)", "its value is returned to the hart") \
    X(STORE, "store", 1, OTHER, "the store is issued by its hart (waiting for a store-buffer entry included)", "the store is globally visible (to_visible)") \
    X(STORE_TO_RETIRE, "store.to_retire", 1, OTHER, "the store is issued by its hart", "the store has entered the store buffer (to_retire)") \
    X(ATOMIC, "atomic", 1, OTHER, "the atomic is issued by its hart (draining the store buffer included)", "the old value is returned; the new one is globally visible") \
    X(ALLOC_ATOMIC, "alloc.atomic", 0, ENTRY, "call of alloc_pages with GFP_ATOMIC", "return") \
    X(ALLOC_NOWAIT, "alloc.nowait", 0, ENTRY, "call of alloc_pages with GFP_NOWAIT", "return") \
    X(ALLOC_KERNEL, "alloc.kernel", 0, ENTRY, "call of alloc_pages with GFP_KERNEL", "return") \
    X(ALLOC_HIGHUSER_MOVABLE, "alloc.highuser_movable", 0, ENTRY, "call of alloc_pages with GFP_HIGHUSER_MOVABLE", "return") \
    X(ALLOC_HIGHUSER, "alloc.highuser", 0, ENTRY, "call of alloc_pages with GFP_HIGHUSER", "return") \
    X(ALLOC_USER, "alloc.user", 0, ENTRY, "call of alloc_pages with GFP_USER", "return") \
    X(ALLOC_NOFS, "alloc.nofs", 0, ENTRY, "call of alloc_pages with GFP_NOFS", "return") \
    X(ALLOC_NOIO, "alloc.noio", 0, ENTRY, "call of alloc_pages with GFP_NOIO", "return") \
    X(ALLOC_OTHER, "alloc.other", 0, ENTRY, "call of alloc_pages with another combination of flags", "return") \
    X(FREE, "free", 0, ENTRY, "call of free_pages", "return") \
    X(RECLAIM, "reclaim", 0, WORK, "start of one scan of up to 32 pages of page cache, by kswapd or by who allocates", "those that could be freed are free") \
    X(PAIR, "alloc.pair", 0, OTHER, "call of alloc_pages", "return of the free_pages that gives the same page back") \
    X(GRANT, "exclusive.grant", 0, OTHER, "first instruction of the request (also with exclusive: none)", "the publish store is globally visible") \
    X(PAGE_OWN, "page.own", 0, WORK, "first prefetch-for-write to the page", "every line of the page has been solely owned") \
    X(PAGE_ZERO, "page.zero", 0, WORK, "first clearing store", "the last clearing store is issued (non-temporal: its store fence is done); visible at the next fence") \
    X(LOCK_ACQUIRE, "lock.acquire", 0, WORK, "first instruction of the acquisition", "the lock is held") \
    X(SHOOTDOWN, "tlb.shootdown", 0, WORK, "first instruction of the shootdown", "no TLB holds the translation and the initiator knows it") \
    X(DMA_READ, "dma.read", 0, WORK, "the device issues the read", "data or abort arrives at the device") \
    X(DMA_WRITE, "dma.write", 0, WORK, "the device issues the write", "the write is globally visible, or the abort is known at the root complex") \
    X(DMA_MAP, "dma.map", 0, WORK, "call of dma_map", "return") \
    X(DMA_UNMAP, "dma.unmap", 0, WORK, "call of dma_unmap", "return; in strict mode the device can no longer reach the page") \
    X(IOMMU_INVALIDATE, "iommu.invalidate", 0, WORK, "the driver asks for queue slots", "the wait descriptor's status write is seen by the hart") \
    X(PINGPONG, "pingpong.round_trip", 0, WORK, "this side has handed the flag over", "it holds the flag again (twice the one-way latency)")

#define X(id, ...) PART_##id,
enum part { PART_LIST(X) PART_COUNT };
#undef X
#define X(id, ...) PH_##id,
enum phase_id { PHASE_LIST(X) PHASE_COUNT };
#undef X
#define X(id, ...) SOURCE_##id,
enum source_id { SOURCE_LIST(X) SOURCE_COUNT, SOURCE_NONE = SOURCE_COUNT };
#undef X
#define X(id, ...) CLASS_##id,
enum class_id { CLASS_LIST(X) CLASS_COUNT };
#undef X

struct term { const char *name, *sentence; };
struct class_info {
    const char *name;
    int memory;                 /* phases and hardware parts coincide */
    enum phase_id first_phase;
    const char *start, *end;
};

extern const struct term part_terms[PART_COUNT];
extern const struct term phase_terms[PHASE_COUNT];
extern const struct term source_terms[SOURCE_COUNT];
extern const struct class_info class_infos[CLASS_COUNT];

#endif
