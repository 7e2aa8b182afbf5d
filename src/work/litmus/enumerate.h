/* src/work/litmus/enumerate.h - all final states that a memory model allows, by exhaustive search.
 *
 * x86-TSO is the abstract machine of Sewell, Sarkar, Owens, Zappa Nardelli and Myreen ("x86-TSO: a rigorous and usable
 * programmer's model", CACM 2010): each thread has a first-in-first-out store buffer; a load takes its own youngest
 * buffered value, else memory; mfence waits until the own buffer is empty; a locked instruction does so and then
 * reads and writes memory in one step. sfence, lfence, clflush and prefetches change no values here. Values are
 * bytes, so accesses of different widths may overlap. Sequential consistency is the same without buffers.
 */
#ifndef LAB_WORK_LITMUS_ENUMERATE_H
#define LAB_WORK_LITMUS_ENUMERATE_H

#include "src/work/litmus/outcome.h"

enum lit_model { LIT_TSO, LIT_SC };

enum lit_search_end { LIT_SEARCHED, LIT_TOO_LARGE, LIT_ASTRAY, LIT_ENDLESS };
struct lit_search {
    enum lit_search_end end;
    uint64_t states;                /* of the search */
    const struct lit_ins *trouble;  /* ASTRAY, ENDLESS: the instruction */
};

/* Adds every allowed final state, once each, to an initialised set. max_states bounds the search. */
struct lit_search litmus_enumerate(const struct litmus_test *, enum lit_model, uint64_t max_states, struct outcomes *);

#endif
