/* src/work/litmus/thread.h - one thread of a litmus test, step by step: registers and control flow here, memory
 * wherever the caller has it. The exhaustive search and the harts of the timed machine run the same steps.
 *
 *      lit_next -> what memory is asked for -> the caller does it -> lit_loaded, lit_locked or lit_passed -> lit_next ...
 */
#ifndef LAB_WORK_LITMUS_THREAD_H
#define LAB_WORK_LITMUS_THREAD_H

#include "src/work/litmus/test.h"

enum lit_ask {
    LIT_END, LIT_LOAD, LIT_STORE, LIT_ATOMIC, LIT_FENCE, LIT_FENCE_STORE, LIT_FENCE_LOAD, LIT_FLUSH, LIT_FLUSH_OPT, LIT_FETCH,
    LIT_FETCH_OWN, LIT_WAIT,
    LIT_STRAY,                  /* an address in a register leads nowhere */
    LIT_RUNAWAY                 /* very many steps without memory: an endless loop */
};

struct lit_state {
    uint8_t at;                 /* next instruction */
    uint8_t flags;
    bool half;                  /* an instruction that is not atomic has read, and is yet to write `value` */
    uint64_t value;
    uint64_t reg[LIT_REGS];
};

struct lit_request {
    enum lit_ask ask;
    uint8_t var, offset, bytes; /* where in memory */
    uint64_t value;             /* STORE */
    const struct lit_ins *ins;
};

void lit_start(const struct lit_thread *, struct lit_state *);
/* Runs what touches registers only, up to the next request. */
void lit_next(const struct litmus_test *, unsigned thread, struct lit_state *, struct lit_request *);
void lit_loaded(const struct lit_request *, struct lit_state *, uint64_t value);
/* Atomic: memory held `old`. The value to be written, if *writes. */
uint64_t lit_locked(const struct lit_request *, struct lit_state *, uint64_t old, bool *writes);
void lit_passed(const struct lit_request *, struct lit_state *); /* anything else is done */
/* The second operand of an atomic instruction, cut to its width. */
uint64_t lit_source(const struct lit_ins *, const struct lit_state *);

#endif
