/* src/work/litmus/test.h - a litmus test: initial state, one column of instructions per thread, a condition.
 *
 * The format is that of herd7 and litmus7 (Alglave, Maranget, Tautschnig: Herding Cats, TOPLAS 2014) for X86 and
 * X86_64. The usual subset of general instructions is understood, with Intel operands (`MOV [x],$1`) and AT&T operands
 * (`movl $1,(x)`); everything else is an error with its position.
 */
#ifndef LAB_WORK_LITMUS_TEST_H
#define LAB_WORK_LITMUS_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/config/diag.h"

enum {
    LIT_THREADS_MAX = 8, LIT_VARS_MAX = 16, LIT_CODE_MAX = 64, LIT_REGS = 16, LIT_OBSERVED_MAX = 64,
    LIT_FILE_MAX_BYTES = 1 << 20,
    LIT_VAR_SHIFT = 20          /* variable i has the test's own address (i + 1) << LIT_VAR_SHIFT */
};
enum { LIT_RAX = 0 };           /* accumulator of cmpxchg; the numbering is ours: see lit_reg_name */

enum lit_op {
    LIT_MOV, LIT_MOVZ, LIT_MOVS, LIT_XCHG, LIT_ADD, LIT_SUB, LIT_AND, LIT_OR, LIT_XOR, LIT_CMP, LIT_TEST, LIT_INC, LIT_DEC,
    LIT_NOT, LIT_NEG, LIT_XADD, LIT_CMPXCHG, LIT_MFENCE, LIT_LFENCE, LIT_SFENCE, LIT_CLFLUSH, LIT_CLFLUSHOPT, LIT_PREFETCH,
    LIT_PREFETCHW, LIT_NOP, LIT_PAUSE, LIT_JUMP
};

enum lit_condition_code { LIT_ALWAYS, LIT_E, LIT_NE, LIT_S, LIT_NS, LIT_O, LIT_NO, LIT_B, LIT_AE, LIT_BE, LIT_A, LIT_L, LIT_GE,
                          LIT_LE, LIT_G };

enum lit_operand_kind { LIT_NONE, LIT_REG, LIT_IMM, LIT_VAR, LIT_INDIRECT };

struct lit_operand {
    uint8_t kind, reg, bytes;   /* bytes: of the register as named, 0 otherwise */
    uint8_t var;
    int64_t value;              /* IMM: the constant; VAR, INDIRECT: displacement in bytes */
};

struct lit_ins {
    uint8_t op, bytes, cc;
    uint8_t source_bytes;       /* MOVZ, MOVS: width of the source */
    bool locked;                /* atomic: LOCK prefix, or XCHG with memory */
    uint8_t target;             /* JUMP: index of the next instruction */
    struct lit_operand dst, src;
    struct origin at;
};

struct lit_thread {
    struct lit_ins code[LIT_CODE_MAX];
    unsigned count;
    uint64_t initial[LIT_REGS];
    uint32_t registers;         /* bit set: the code or the initial state mentions it */
    uint32_t reads, writes;     /* variables, bit set; all if an address is in a register */
};

struct lit_var {
    const char *name;
    uint8_t bytes;              /* 1, 2, 4 or 8 */
    bool declared, is_signed;
    uint64_t initial;
};

/* What a final state consists of: registers first, by thread and name, then all variables by name. */
struct lit_observed {
    bool is_var;
    uint8_t thread, reg, var;
    const char *name;           /* "0:EAX", "[x]" */
};

enum lit_prop_kind { LIT_TRUE, LIT_ATOM, LIT_AND_PROP, LIT_OR_PROP, LIT_NOT_PROP };
struct lit_prop {
    uint8_t kind;
    bool differs;               /* ATOM: <> instead of = */
    uint8_t bytes;              /* ATOM: compare that many low bytes */
    bool is_var;
    uint8_t thread, reg, var;
    uint8_t observed;           /* ATOM: index, once the list of observed is complete */
    uint64_t value;
    const struct lit_prop *left, *right;
};

enum lit_quantifier { LIT_EXISTS, LIT_NOT_EXISTS, LIT_FORALL };

struct litmus_test {
    const char *file, *name, *condition_text;
    bool is_64;                 /* X86_64: names of registers are those of 64 bits */
    unsigned thread_count, var_count, observed_count;
    struct lit_thread threads[LIT_THREADS_MAX];
    struct lit_var vars[LIT_VARS_MAX];
    struct lit_observed observed[LIT_OBSERVED_MAX];
    enum lit_quantifier quantifier;
    const struct lit_prop *condition, *filter; /* filter: NULL or what a final state must fulfil to count */
};

/* NULL after errors, which are in diag with their positions. The test lives in the arena. */
struct litmus_test *litmus_parse(struct arena *, struct diag *, const char *file, const char *text, size_t bytes);
struct litmus_test *litmus_read(struct arena *, struct diag *, const char *file);

/* ---- final states: one value per entry of observed */
bool litmus_holds(const struct litmus_test *, const struct lit_prop *, const uint64_t *values);
bool litmus_filtered(const struct litmus_test *, const uint64_t *values); /* true: the state does not count */
enum { LIT_STATE_BYTES = 1600 };
/* "0:EAX=1; 1:EAX=0; [x]=1;" */
const char *litmus_state_text(const struct litmus_test *, const uint64_t *values, char buffer[LIT_STATE_BYTES]);

/* "eax" for 4 bytes; NULL: there is none. The number of a name, any width; -1: no register. */
const char *lit_reg_name(unsigned reg, unsigned bytes);
int lit_reg_find(const char *name, size_t length, uint8_t *bytes);
static inline uint64_t lit_address(unsigned var) { return (uint64_t)(var + 1) << LIT_VAR_SHIFT; }
static inline uint64_t lit_low(uint64_t v, unsigned bytes) { return bytes >= 8 ? v : v & ((UINT64_C(1) << bytes * 8) - 1); }

#endif
