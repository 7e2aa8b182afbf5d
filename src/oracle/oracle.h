/* src/oracle/oracle.h - the independent judge of a run.
 *
 *   models --observer--> oracle --violation_fn--> machine (stops the run)
 *                          |
 *                          +--inspector--> copies, translations, messages, current values (read only)
 *
 * It keeps its own memory, built only from operations as they perform, and judges
 *   values     every load, forwarded load and atomic returns what x86-TSO says it must; ordinary stores of a
 *              hart become visible in the order in which they were issued; locked operations and full
 *              fences find the store buffer empty (Sewell et al., "x86-TSO", CACM 2010);
 *   copies     when a write performs on a watched page, nobody else can read a copy of the line;
 *   grants     the four meanings of exclusive, at the instants their definitions name;
 *   frames     no frame is handed out twice, none is freed twice.
 * It judges what was promised, never how it was done. It has no effect on the run and costs no simulated time.
 *
 * Watched: the page of a grant, from NOTE_GRANT_FRAME until NOTE_GRANT_GIVEN_BACK (or until it is freed).
 *
 * Kinds passed to violation_fn: "value", "coherence", "device", "lock", "secure", "allocator" are violations
 * (exit 4). "lock.illegal" is no violation of the machine but an illegal operation of the scenario (exit 3):
 * an access to a locked page by an agent that declared that it does not honour the lock.
 */
#ifndef LAB_ORACLE_ORACLE_H
#define LAB_ORACLE_ORACLE_H

#include "src/sim/inspect.h"

struct oracle;

struct oracle_desc {
    bool values;      /* judge the values of loads and atomics, and the order of stores */
    bool grants;      /* watch granted pages: copies and the four meanings of exclusive */
    unsigned history; /* events remembered per watched page (runs of like events count once); 0 none */
};

/* What was judged; all counts. */
struct oracle_report {
    uint64_t loads, forwarded_loads, stores, atomics, lines_stored; /* values compared or followed */
    uint64_t scans;                /* times the copies of a line were looked up */
    uint64_t grants;               /* ends of grants judged, by at least one part */
    uint64_t lines_kept;           /* coherence: of judged grants, lines that the owner held at the end */
    uint64_t lines_relost;         /* another agent asked for them after the owner had gained them */
    uint64_t lines_evicted;        /* the owner's own cache gave them up; nobody else has them */
    uint64_t dma_refused;          /* DMA pieces refused: the wanted outcome of an attack */
    uint64_t dma_performed_watched;/* DMA pieces performed on watched pages */
    uint64_t violations;           /* calls of violation_fn */
};

/* The inspector is copied, agent names must stay valid; all its members must be set if desc.grants, else agent_name and read. `machine` is
 * handed to violation_fn. The caller owns the result. */
struct oracle *oracle_new(const struct inspector *, violation_fn *, void *machine, struct oracle_desc);
void oracle_free(struct oracle *); /* NULL is allowed */

/* Fills the callbacks that the description needs, and leaves the others NULL. */
void oracle_observer(struct oracle *, struct observer *out);

/* Whether an agent (hart, or harts + device number) honours page locks. Until told otherwise harts do and
 * devices, which cannot look at a lock, do not. */
void oracle_honours_lock(struct oracle *, unsigned agent, bool honours);

const struct oracle_report *oracle_report(const struct oracle *); /* valid until oracle_free */

#endif
