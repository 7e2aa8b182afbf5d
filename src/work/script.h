/* src/work/script.h - operations as data: what `labyrinth stress` draws, shrinks, prints and has run again.
 *
 *   load line 3 byte 8 size 4          a name, then each operand with its label
 *
 * Lines are those of one small region that all agents of the four programs share; pages are places on a board
 * that they share too. Every operation is allowed in every situation and does nothing where it has no object,
 * so that any part of a list is a list again: that is what shrinking needs.
 */
#ifndef LAB_WORK_SCRIPT_H
#define LAB_WORK_SCRIPT_H

#include <stdio.h>

#include "src/base/rng.h"
#include "src/work/program.h"

enum { SCRIPT_LINES_MAX = 1024, SCRIPT_PAGES_MAX = 8, SCRIPT_ARGS_MAX = 3, SCRIPT_ORDER_MAX = 3 };

enum script_place { ON_HART = 1, ON_DEVICE = 2 };

/* X(id, name, place, operands, sentence); operands: l line, b byte, s size, c cycles, n ns, p page, g parts, o order, k count */
#define SCRIPT_LIST(X) \
    X(LOAD, "load", ON_HART, "lbs", "Reads 1, 2, 4 or 8 bytes.") \
    X(STORE, "store", ON_HART, "lbs", "Writes them.") \
    X(SWAP, "swap", ON_HART, "lbs", "Locked exchange.") \
    X(ADD, "add", ON_HART, "lbs", "Locked addition.") \
    X(CAS, "cas", ON_HART, "lbs", "Locked comparison with zero and exchange.") \
    X(STORE_NT, "store-nt", ON_HART, "lbs", "Non-temporal store.") \
    X(STORE_LINE, "store-line", ON_HART, "l", "String store of the whole line.") \
    X(PREFETCH, "prefetch", ON_HART, "l", "Asks for the line to write it.") \
    X(FLUSH, "flush", ON_HART, "l", "clflush.") \
    X(FLUSH_OPT, "flush-opt", ON_HART, "l", "clflushopt.") \
    X(FENCE, "fence", ON_HART, "", "mfence.") \
    X(FENCE_STORE, "store-fence", ON_HART, "", "sfence.") \
    X(FENCE_LOAD, "load-fence", ON_HART, "", "lfence.") \
    X(WAIT, "wait", ON_HART, "c", "Computes for so many cycles.") \
    X(ALLOC, "alloc", ON_HART, "p", "Allocates a page for an empty place and maps it for users and devices.") \
    X(DROP, "drop", ON_HART, "p", "Unmaps the page of a place everywhere and frees it.") \
    X(GRANT, "grant", ON_HART, "pg", "Frees the page of a place, asks for an exclusive one, uses it, gives it back.") \
    X(USER_LOAD, "user-load", ON_HART, "pl", "Reads the page that was last at a place, through the user mapping.") \
    X(USER_STORE, "user-store", ON_HART, "pl", "Writes it so.") \
    X(GET, "get", ON_HART, "o", "Allocates 2^order pages.") \
    X(PUT, "put", ON_HART, "", "Frees the block allocated last.") \
    X(DMA_READ, "read", ON_DEVICE, "lk", "Reads so many lines.") \
    X(DMA_WRITE, "write", ON_DEVICE, "lk", "Writes them.") \
    X(PAGE_READ, "page-read", ON_DEVICE, "pl", "Reads a line of the page that was last at a place, through the IOMMU.") \
    X(PAGE_WRITE, "page-write", ON_DEVICE, "pl", "Writes it so.") \
    X(PAUSE, "pause", ON_DEVICE, "n", "Does nothing for so long.")

enum script_kind {
#define X(id, ...) SCRIPT_##id,
    SCRIPT_LIST(X)
#undef X
    SCRIPT_KINDS
};

struct script_op { uint8_t kind; uint32_t arg[SCRIPT_ARGS_MAX]; }; /* operands in the order of the list */

/* Reads one operation; on failure returns false and `what` says what was expected instead (at most `size` bytes). */
bool script_parse(const char *text, enum script_place, struct script_op *, char *what, size_t size);
void script_print(FILE *, const struct script_op *);
bool script_is_wait(const struct script_op *); /* its first operand is a time */

/* What is drawn, in shares of 1/10000; the rest are stores. X(name, default, help) */
#define SCRIPT_MIX_LIST(X) \
    X(loads, "40%", "Share of loads.") \
    X(atomics, "10%", "Share of locked operations.") \
    X(flushes, "5%", "Share of cache-line flushes, ordered and not.") \
    X(fences, "5%", "Share of fences of the three kinds.") \
    X(string_stores, "4%", "Share of string stores of a whole line.") \
    X(nt_stores, "4%", "Share of non-temporal stores.") \
    X(prefetches, "4%", "Share of prefetches for write.") \
    X(waits, "5%", "Share of computations of random length.") \
    X(page_operations, "0%", "Share of operations on pages: exclusive grants, mapping, user accesses, allocation.")
enum script_share {
#define X(name, ...) SHARE_OF_##name,
    SCRIPT_MIX_LIST(X)
#undef X
    SCRIPT_SHARES
};

struct script_mix {
    uint32_t lines, pages;
    uint16_t share[SCRIPT_SHARES];
};
/* The next operation of a hart, or of a device: a function of the stream alone, never of what happens in the run. */
void script_draw(struct rng *, const struct script_mix *, enum script_place, struct script_op *);

/* ---- on a machine */

struct script_board;                                /* shared by all agents; made by the first prepare */
struct script_board *script_board(struct work *);
paddr script_address(const struct script_board *, uint32_t line, uint32_t byte);
/* Somebody sets out for the page that was last at this place; 0: there is none, or all must stay away for now. */
frame script_page_enter(struct script_board *, uint32_t page);
void script_page_leave(struct script_board *, frame);

struct script_hart {
    bool in_space;              /* it has switched to the user space */
    unsigned count;             /* blocks that it holds */
    struct { frame f; unsigned order; } block[8];
};
/* Operations on pages, on the hart of the agent. */
void script_page_operation(struct hart *, const struct agent *, struct script_hart *, const struct script_op *);

/* The operations of an agent: its list, or drawn ones. */
struct script_source { const struct script_op *list; size_t count; const struct script_mix *mix; };
struct script_op script_next(struct agent *, const struct script_source *, enum script_place);

struct script_desc { const char *ops; };
extern const struct param script_params[], script_mix_params[];
/* For programs that are given a list. NULL, or what is wrong with it. */
const char *script_check(const void *desc, const struct work *, enum script_place);
struct script_source script_read(struct work *, const struct script_desc *, enum script_place);

#endif
