/* src/work/litmus/thread.c - see thread.h. What instructions do: Intel SDM vol. 2. */
#include "src/work/litmus/thread.h"

enum { ZERO = 1, SIGN = 2, CARRY = 4, OVERFLOW_ = 8, STEPS_MAX = 10000 };

void lit_start(const struct lit_thread *t, struct lit_state *s)
{
    *s = (struct lit_state){ 0 };
    for (unsigned r = 0; r < LIT_REGS; r++)
        s->reg[r] = t->initial[r];
}

/* ---- registers */

static void write_register(struct lit_state *s, unsigned reg, unsigned bytes, uint64_t v)
{
    v = lit_low(v, bytes);
    if (bytes < 4) /* 32 bits clear the upper half, 8 and 16 leave it */
        v |= s->reg[reg] & ~lit_low(UINT64_MAX, bytes);
    s->reg[reg] = v;
}

uint64_t lit_source(const struct lit_ins *i, const struct lit_state *s)
{
    uint64_t v = i->src.kind == LIT_REG ? s->reg[i->src.reg] : (uint64_t)i->src.value;
    return lit_low(v, i->source_bytes ? i->source_bytes : i->bytes);
}

/* ---- arithmetic */

static uint64_t top_bit(unsigned bytes) { return UINT64_C(1) << (bytes * 8 - 1); }

static void set_flags(struct lit_state *s, uint64_t result, unsigned bytes, bool carry, bool overflow)
{
    s->flags = (uint8_t)((result == 0 ? ZERO : 0) | (result & top_bit(bytes) ? SIGN : 0) | (carry ? CARRY : 0) |
                         (overflow ? OVERFLOW_ : 0));
}

static uint64_t add(struct lit_state *s, uint64_t a, uint64_t b, unsigned bytes)
{
    uint64_t r = lit_low(a + b, bytes);
    set_flags(s, r, bytes, r < a, (~(a ^ b) & (a ^ r) & top_bit(bytes)) != 0);
    return r;
}

static uint64_t subtract(struct lit_state *s, uint64_t a, uint64_t b, unsigned bytes)
{
    uint64_t r = lit_low(a - b, bytes);
    set_flags(s, r, bytes, a < b, ((a ^ b) & (a ^ r) & top_bit(bytes)) != 0);
    return r;
}

static uint64_t logic(struct lit_state *s, uint64_t r, unsigned bytes)
{
    set_flags(s, r, bytes, false, false);
    return r;
}

/* inc and dec leave the carry. */
static uint64_t keep_carry(struct lit_state *s, uint64_t r, uint8_t before)
{
    s->flags = (uint8_t)((s->flags & ~CARRY) | (before & CARRY));
    return r;
}

static uint64_t sign_extend(uint64_t v, unsigned from, unsigned to)
{
    uint64_t top = top_bit(from);
    return lit_low((v ^ top) - top, to);
}

/* The destination held `a`, the source `b`, both cut to their widths. What it holds afterwards, if *writes. */
static uint64_t compute(struct lit_state *s, const struct lit_ins *i, uint64_t a, uint64_t b, bool *writes)
{
    unsigned n = i->bytes;
    uint8_t before = s->flags;
    *writes = true;
    switch ((enum lit_op)i->op) {
    case LIT_MOV: case LIT_MOVZ: case LIT_XCHG: return b;
    case LIT_MOVS: return sign_extend(b, i->source_bytes, n);
    case LIT_ADD: case LIT_XADD: return add(s, a, b, n);
    case LIT_SUB: return subtract(s, a, b, n);
    case LIT_AND: return logic(s, a & b, n);
    case LIT_OR: return logic(s, a | b, n);
    case LIT_XOR: return logic(s, a ^ b, n);
    case LIT_INC: return keep_carry(s, add(s, a, 1, n), before);
    case LIT_DEC: return keep_carry(s, subtract(s, a, 1, n), before);
    case LIT_NOT: return lit_low(~a, n);
    case LIT_NEG: return subtract(s, 0, a, n);
    case LIT_CMPXCHG:
        subtract(s, lit_low(s->reg[LIT_RAX], n), a, n);
        *writes = s->flags & ZERO;
        return b;
    case LIT_CMP: subtract(s, a, b, n); break;
    case LIT_TEST: logic(s, a & b, n); break;
    default: break;
    }
    *writes = false;
    return 0;
}

/* Registers that receive what the destination held. */
static void give_old(struct lit_state *s, const struct lit_ins *i, uint64_t old, bool written)
{
    if (i->op == LIT_XCHG || i->op == LIT_XADD)
        write_register(s, i->src.reg, i->bytes, old);
    else if (i->op == LIT_CMPXCHG && !written)
        write_register(s, LIT_RAX, i->bytes, old);
}

static void execute_registers(struct lit_state *s, const struct lit_ins *i, uint64_t source)
{
    bool writes;
    uint64_t old = lit_low(s->reg[i->dst.reg], i->bytes);
    uint64_t r = compute(s, i, old, source, &writes);
    give_old(s, i, old, writes);
    if (writes)
        write_register(s, i->dst.reg, i->bytes, r);
}

/* ---- control flow */

static bool taken(const struct lit_state *s, enum lit_condition_code cc)
{
    bool z = s->flags & ZERO, n = s->flags & SIGN, c = s->flags & CARRY, v = s->flags & OVERFLOW_;
    switch (cc) {
    case LIT_ALWAYS: return true;
    case LIT_E: return z;
    case LIT_NE: return !z;
    case LIT_S: return n;
    case LIT_NS: return !n;
    case LIT_O: return v;
    case LIT_NO: return !v;
    case LIT_B: return c;
    case LIT_AE: return !c;
    case LIT_BE: return c || z;
    case LIT_A: return !c && !z;
    case LIT_L: return n != v;
    case LIT_GE: return n == v;
    case LIT_LE: return z || n != v;
    case LIT_G: return !z && n == v;
    }
    return false;
}

static bool in_memory(const struct lit_operand *o) { return o->kind == LIT_VAR || o->kind == LIT_INDIRECT; }

/* False: it needs memory. */
static bool run_local(struct lit_state *s, const struct lit_ins *i)
{
    if (i->op == LIT_JUMP) {
        s->at = taken(s, (enum lit_condition_code)i->cc) ? i->target : (uint8_t)(s->at + 1);
        return true;
    }
    if (i->op != LIT_NOP && (in_memory(&i->dst) || in_memory(&i->src) || i->dst.kind == LIT_NONE))
        return false;
    if (i->op != LIT_NOP)
        execute_registers(s, i, lit_source(i, s));
    s->at++;
    return true;
}

/* ---- requests */

static bool locate(const struct litmus_test *t, const struct lit_state *s, const struct lit_operand *o, struct lit_request *r)
{
    if (o->kind == LIT_VAR) {
        r->var = o->var;
        r->offset = (uint8_t)o->value;
        return true;
    }
    uint64_t address = s->reg[o->reg] + (uint64_t)o->value;
    uint64_t var = (address >> LIT_VAR_SHIFT) - 1, offset = address & ((UINT64_C(1) << LIT_VAR_SHIFT) - 1);
    if (var >= t->var_count || offset % r->bytes || offset + r->bytes > t->vars[var].bytes)
        return false;
    r->var = (uint8_t)var;
    r->offset = (uint8_t)offset;
    return true;
}

static enum lit_ask ask_of(const struct lit_ins *i, const struct lit_state *s)
{
    switch ((enum lit_op)i->op) {
    case LIT_MFENCE: return LIT_FENCE;
    case LIT_SFENCE: return LIT_FENCE_STORE;
    case LIT_LFENCE: return LIT_FENCE_LOAD;
    case LIT_PAUSE: return LIT_WAIT;
    case LIT_CLFLUSH: return LIT_FLUSH;
    case LIT_CLFLUSHOPT: return LIT_FLUSH_OPT;
    case LIT_PREFETCH: return LIT_FETCH;
    case LIT_PREFETCHW: return LIT_FETCH_OWN;
    default: break;
    }
    if (i->locked)
        return LIT_ATOMIC;
    return s->half || (i->op == LIT_MOV && in_memory(&i->dst)) ? LIT_STORE : LIT_LOAD;
}

static bool moves_no_value(enum lit_ask a) { return a == LIT_FLUSH || a == LIT_FLUSH_OPT || a == LIT_FETCH || a == LIT_FETCH_OWN; }

void lit_next(const struct litmus_test *t, unsigned thread, struct lit_state *s, struct lit_request *r)
{
    const struct lit_thread *code = &t->threads[thread];
    unsigned steps = 0;
    while (s->at < code->count && run_local(s, &code->code[s->at]))
        if (++steps == STEPS_MAX) {
            *r = (struct lit_request){ .ask = LIT_RUNAWAY, .ins = &code->code[s->at < code->count ? s->at : 0] };
            return;
        }
    if (s->at >= code->count) {
        *r = (struct lit_request){ .ask = LIT_END };
        return;
    }
    const struct lit_ins *i = &code->code[s->at];
    *r = (struct lit_request){ .ask = ask_of(i, s), .bytes = i->bytes, .ins = i };
    const struct lit_operand *o = in_memory(&i->dst) ? &i->dst : &i->src;
    if (o == &i->src && i->source_bytes)
        r->bytes = i->source_bytes;
    if (moves_no_value(r->ask))
        r->bytes = 1;
    if (in_memory(o) && !locate(t, s, o, r))
        r->ask = LIT_STRAY;
    if (r->ask == LIT_STORE)
        r->value = s->half ? s->value : lit_source(i, s);
}

void lit_passed(const struct lit_request *r, struct lit_state *s)
{
    (void)r;
    s->half = false;
    s->value = 0;
    s->at++;
}

uint64_t lit_locked(const struct lit_request *r, struct lit_state *s, uint64_t old, bool *writes)
{
    uint64_t source = lit_source(r->ins, s);
    uint64_t result = compute(s, r->ins, old, source, writes);
    give_old(s, r->ins, old, *writes);
    s->at++;
    return result;
}

void lit_loaded(const struct lit_request *r, struct lit_state *s, uint64_t value)
{
    const struct lit_ins *i = r->ins;
    if (in_memory(&i->src)) {
        execute_registers(s, i, value);
        s->at++;
        return;
    }
    bool writes;
    uint64_t result = lit_locked(r, s, value, &writes);
    if (writes) {
        s->at--;
        s->half = true;
        s->value = result;
    }
}
