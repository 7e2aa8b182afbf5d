/* src/work/litmus/instruction.c - one instruction: mnemonic, width, operands in Intel's or AT&T's order. */
#include "src/work/litmus/scan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum shape { SHAPE_NONE, SHAPE_ONE, SHAPE_TWO, SHAPE_MEMORY, SHAPE_LABEL };

struct mnemonic {
    const char *name;
    uint8_t op, shape;
    bool suffix;                /* b, w, l, q may follow */
    bool lockable;
    uint8_t cc;
};

static const struct mnemonic mnemonics[] = {
    { "mov", LIT_MOV, SHAPE_TWO, true, false, 0 },         { "xchg", LIT_XCHG, SHAPE_TWO, true, true, 0 },
    { "add", LIT_ADD, SHAPE_TWO, true, true, 0 },          { "sub", LIT_SUB, SHAPE_TWO, true, true, 0 },
    { "and", LIT_AND, SHAPE_TWO, true, true, 0 },          { "or", LIT_OR, SHAPE_TWO, true, true, 0 },
    { "xor", LIT_XOR, SHAPE_TWO, true, true, 0 },          { "cmp", LIT_CMP, SHAPE_TWO, true, false, 0 },
    { "test", LIT_TEST, SHAPE_TWO, true, false, 0 },       { "xadd", LIT_XADD, SHAPE_TWO, true, true, 0 },
    { "cmpxchg", LIT_CMPXCHG, SHAPE_TWO, true, true, 0 },  { "inc", LIT_INC, SHAPE_ONE, true, true, 0 },
    { "dec", LIT_DEC, SHAPE_ONE, true, true, 0 },          { "not", LIT_NOT, SHAPE_ONE, true, true, 0 },
    { "neg", LIT_NEG, SHAPE_ONE, true, true, 0 },          { "mfence", LIT_MFENCE, SHAPE_NONE, false, false, 0 },
    { "lfence", LIT_LFENCE, SHAPE_NONE, false, false, 0 }, { "sfence", LIT_SFENCE, SHAPE_NONE, false, false, 0 },
    { "nop", LIT_NOP, SHAPE_NONE, false, false, 0 },       { "pause", LIT_PAUSE, SHAPE_NONE, false, false, 0 },
    { "clflush", LIT_CLFLUSH, SHAPE_MEMORY, false, false, 0 },
    { "clflushopt", LIT_CLFLUSHOPT, SHAPE_MEMORY, false, false, 0 },
    { "prefetch", LIT_PREFETCH, SHAPE_MEMORY, false, false, 0 },
    { "prefetcht0", LIT_PREFETCH, SHAPE_MEMORY, false, false, 0 },
    { "prefetcht1", LIT_PREFETCH, SHAPE_MEMORY, false, false, 0 },
    { "prefetcht2", LIT_PREFETCH, SHAPE_MEMORY, false, false, 0 },
    { "prefetchnta", LIT_PREFETCH, SHAPE_MEMORY, false, false, 0 },
    { "prefetchw", LIT_PREFETCHW, SHAPE_MEMORY, false, false, 0 },
    { "prefetchwt1", LIT_PREFETCHW, SHAPE_MEMORY, false, false, 0 },
    { "jmp", LIT_JUMP, SHAPE_LABEL, false, false, LIT_ALWAYS },
#define J(name, code) { name, LIT_JUMP, SHAPE_LABEL, false, false, code }
    J("je", LIT_E), J("jz", LIT_E), J("jne", LIT_NE), J("jnz", LIT_NE), J("js", LIT_S), J("jns", LIT_NS), J("jo", LIT_O),
    J("jno", LIT_NO), J("jb", LIT_B), J("jc", LIT_B), J("jnae", LIT_B), J("jae", LIT_AE), J("jnb", LIT_AE), J("jnc", LIT_AE),
    J("jbe", LIT_BE), J("jna", LIT_BE), J("ja", LIT_A), J("jnbe", LIT_A), J("jl", LIT_L), J("jnge", LIT_L), J("jge", LIT_GE),
    J("jnl", LIT_GE), J("jle", LIT_LE), J("jng", LIT_LE), J("jg", LIT_G), J("jnle", LIT_G),
#undef J
};
enum { MNEMONICS = sizeof mnemonics / sizeof *mnemonics };

static unsigned suffix_bytes(char c)
{
    switch (tolower((unsigned char)c)) {
    case 'b': return 1;
    case 'w': return 2;
    case 'l': return 4;
    case 'q': return 8;
    default: return 0;
    }
}

static bool same_word(const char *word, size_t n, const char *name) { return strlen(name) == n && strncasecmp(word, name, n) == 0; }

/* movzbl, movswq, ...; Intel's movzx and movsx take the widths of their operands. */
static const struct mnemonic *extending(const char *word, size_t n, struct lit_ins *ins)
{
    static const struct mnemonic zero = { "movz", LIT_MOVZ, SHAPE_TWO, false, false, 0 },
                                 sign = { "movs", LIT_MOVS, SHAPE_TWO, false, false, 0 };
    if (n < 5 || (strncasecmp(word, "movz", 4) != 0 && strncasecmp(word, "movs", 4) != 0))
        return NULL;
    const struct mnemonic *m = tolower((unsigned char)word[3]) == 'z' ? &zero : &sign;
    if (n == 5 && tolower((unsigned char)word[4]) == 'x')
        return m;
    ins->source_bytes = (uint8_t)suffix_bytes(word[4]);
    ins->bytes = n == 6 ? (uint8_t)suffix_bytes(word[5]) : 0;
    return n == 6 && ins->source_bytes && ins->bytes > ins->source_bytes ? m : NULL;
}

static const struct mnemonic *find_mnemonic(const char *word, size_t n, struct lit_ins *ins)
{
    for (unsigned i = 0; i < MNEMONICS; i++)
        if (same_word(word, n, mnemonics[i].name))
            return &mnemonics[i];
    unsigned bytes = n > 1 ? suffix_bytes(word[n - 1]) : 0;
    for (unsigned i = 0; bytes && i < MNEMONICS; i++)
        if (mnemonics[i].suffix && same_word(word, n - 1, mnemonics[i].name)) {
            ins->bytes = (uint8_t)bytes;
            return &mnemonics[i];
        }
    return extending(word, n, ins);
}

/* ---- operands */

struct written { struct lit_operand operand; bool att, intel; size_t at; };

static bool parse_register(struct parse *p, struct lit_operand *o)
{
    struct scan *s = &p->scan;
    size_t at = s->at, n;
    const char *name = scan_name(s, &n);
    int reg = name ? lit_reg_find(name, n, &o->bytes) : -1;
    if (reg < 0)
        return scan_error(s, at, NULL, "this is no general register");
    o->kind = LIT_REG;
    o->reg = (uint8_t)reg;
    return true;
}

/* The inside of [...] or (...): a variable or a register with an address, and a displacement. */
static bool parse_address(struct parse *p, struct written *w, const char *close)
{
    struct scan *s = &p->scan;
    struct lit_operand *o = &w->operand;
    size_t n;
    int64_t more = 0;
    bool percent = scan_accept(s, "%");
    w->att |= percent;
    scan_space(s);
    size_t at = s->at;
    const char *name = scan_name(s, &n);
    if (!name)
        return scan_unexpected(s, "a variable or a register");
    s->at = at;
    if (percent || lit_reg_find(name, n, &o->bytes) >= 0) {
        if (!parse_register(p, o))
            return false;
        if (o->bytes < 4)
            return scan_error(s, at, NULL, "an address is in a register of 4 or 8 bytes");
        o->kind = LIT_INDIRECT;
    } else {
        scan_name(s, &n);
        int var = parse_var(p, at, name, n);
        if (var < 0)
            return false;
        o->kind = LIT_VAR;
        o->var = (uint8_t)var;
    }
    o->bytes = 0;
    if (!scan_accept(s, close)) {
        scan_space(s);
        if (!strchr("+-", s->text[s->at]) || !scan_number(s, &more))
            return scan_unexpected(s, close);
        if (!scan_accept(s, close))
            return scan_unexpected(s, close);
    }
    o->value += more;
    return true;
}

static bool parse_immediate(struct parse *p, struct lit_operand *o)
{
    uint64_t value;
    o->kind = LIT_IMM;
    if (!parse_value(p, &value))
        return false;
    o->value = (int64_t)value;
    return true;
}

static bool parse_operand(struct parse *p, struct written *w)
{
    struct scan *s = &p->scan;
    *w = (struct written){ 0 };
    scan_space(s);
    w->at = s->at;
    if (scan_accept(s, "$"))
        return parse_immediate(p, &w->operand);
    if (scan_accept(s, "%")) {
        w->att = true;
        return parse_register(p, &w->operand);
    }
    if (scan_number_next(s)) {
        if (!parse_immediate(p, &w->operand))
            return false;
        if (!scan_accept(s, "("))
            return true;
        w->att = true;
        return parse_address(p, w, ")");
    }
    if (scan_accept(s, "[")) {
        w->intel = true;
        return parse_address(p, w, "]");
    }
    if (scan_accept(s, "(")) {
        w->att = true;
        return parse_address(p, w, ")");
    }
    w->intel = true;
    return parse_register(p, &w->operand) ||
           scan_error(s, w->at, "Memory is [x] or (x), a constant $1 or 1.", "an operand expected");
}

static bool in_memory(const struct lit_operand *o) { return o->kind == LIT_VAR || o->kind == LIT_INDIRECT; }

static bool parse_two(struct parse *p, struct lit_ins *ins)
{
    struct scan *s = &p->scan;
    struct written first, second;
    if (!parse_operand(p, &first))
        return false;
    if (!scan_accept(s, ","))
        return scan_unexpected(s, "',' and a second operand");
    if (!parse_operand(p, &second))
        return false;
    bool att = first.att || second.att, intel = first.intel || second.intel;
    bool source_first = att == intel ? p->test->is_64 : att;
    if (first.operand.kind == LIT_IMM || second.operand.kind == LIT_IMM)
        source_first = first.operand.kind == LIT_IMM;
    ins->src = source_first ? first.operand : second.operand;
    ins->dst = source_first ? second.operand : first.operand;
    if (ins->dst.kind == LIT_IMM)
        return scan_error(s, first.at, NULL, "a constant cannot be the destination");
    if (in_memory(&ins->dst) && in_memory(&ins->src))
        return scan_error(s, first.at, NULL, "only one operand can be in memory");
    return true;
}

/* ---- widths, and what only some instructions allow */

static bool parse_width(struct parse *p, struct lit_ins *ins, size_t at)
{
    struct scan *s = &p->scan;
    bool extends = ins->op == LIT_MOVZ || ins->op == LIT_MOVS;
    if (!ins->bytes && ins->dst.kind == LIT_REG)
        ins->bytes = ins->dst.bytes;
    if (extends && !ins->source_bytes)
        ins->source_bytes = ins->src.kind == LIT_REG ? ins->src.bytes : 0;
    if (!ins->bytes && ins->src.kind == LIT_REG)
        ins->bytes = ins->src.bytes;
    const struct lit_operand *m = in_memory(&ins->dst) ? &ins->dst : in_memory(&ins->src) ? &ins->src : NULL;
    uint8_t of_variable = m && m->kind == LIT_VAR && p->test->vars[m->var].declared ? p->test->vars[m->var].bytes : 4;
    if (extends && !ins->source_bytes)
        ins->source_bytes = of_variable < ins->bytes ? of_variable : 1;
    if (!ins->bytes)
        ins->bytes = of_variable;
    if (ins->dst.kind == LIT_REG && ins->dst.bytes != ins->bytes)
        return scan_error(s, at, NULL, "an instruction of %u bytes with a register of %u", ins->bytes, ins->dst.bytes);
    unsigned wanted = extends ? ins->source_bytes : ins->bytes;
    if (ins->src.kind == LIT_REG && ins->src.bytes != wanted)
        return scan_error(s, at, NULL, "an instruction of %u bytes with a register of %u", wanted, ins->src.bytes);
    return true;
}

static bool check_forms(struct parse *p, struct lit_ins *ins, const struct mnemonic *m, size_t at)
{
    struct scan *s = &p->scan;
    if (ins->op == LIT_XCHG && in_memory(&ins->src)) {
        struct lit_operand swap = ins->src;
        ins->src = ins->dst;
        ins->dst = swap;
    }
    if ((ins->op == LIT_XCHG || ins->op == LIT_XADD || ins->op == LIT_CMPXCHG) && ins->src.kind != LIT_REG)
        return scan_error(s, at, NULL, "%s exchanges with a register", m->name);
    if ((ins->op == LIT_MOVZ || ins->op == LIT_MOVS) && (ins->dst.kind != LIT_REG || ins->src.kind == LIT_IMM))
        return scan_error(s, at, NULL, "%sx goes from memory or a register to a register", m->name);
    if (ins->locked && (!m->lockable || !in_memory(&ins->dst)))
        return scan_error(s, at, "The prefix is for instructions that read and write memory.", "LOCK does not go with this instruction");
    if (ins->op == LIT_XCHG && in_memory(&ins->dst))
        ins->locked = true; /* implied: Intel SDM vol. 2, XCHG */
    return true;
}

static bool parse_label_name(struct parse *p, const char **label)
{
    size_t n;
    const char *name = scan_name(&p->scan, &n);
    if (!name)
        return scan_unexpected(&p->scan, "a label");
    *label = arena_printf(p->scan.arena, "%.*s", (int)n, name);
    return true;
}

static bool parse_operands(struct parse *p, struct lit_ins *ins, const struct mnemonic *m, const char **label)
{
    struct written w;
    if (m->shape == SHAPE_NONE)
        return true;
    if (m->shape == SHAPE_LABEL)
        return parse_label_name(p, label);
    if (m->shape == SHAPE_TWO)
        return parse_two(p, ins);
    if (!parse_operand(p, &w))
        return false;
    ins->dst = w.operand;
    if (w.operand.kind == LIT_IMM || (m->shape == SHAPE_MEMORY && !in_memory(&w.operand)))
        return scan_error(&p->scan, w.at, NULL, "%s takes %s", m->name, m->shape == SHAPE_MEMORY ? "memory" : "memory or a register");
    return true;
}

bool parse_instruction(struct parse *p, struct lit_ins *ins, const char **label)
{
    struct scan *s = &p->scan;
    size_t n;
    *ins = (struct lit_ins){ 0 };
    scan_space(s);
    ins->at = scan_origin(s, s->at);
    ins->locked = scan_word_is(s, "lock") || scan_word_is(s, "LOCK");
    scan_space(s);
    size_t at = s->at;
    const char *word = scan_name(s, &n);
    const struct mnemonic *m = word ? find_mnemonic(word, n, ins) : NULL;
    if (!m)
        return scan_error(s, at, "Understood are MOV, MOVZX, MOVSX, XCHG, ADD, SUB, AND, OR, XOR, CMP, TEST, INC, DEC, NOT, NEG, XADD, "
                          "CMPXCHG, fences, CLFLUSH, CLFLUSHOPT, prefetches, NOP, PAUSE and jumps.",
                          "instruction %.*s is not understood", word ? (int)n : 1, s->text + at);
    ins->op = m->op;
    ins->cc = m->cc;
    if (!parse_operands(p, ins, m, label))
        return false;
    if (!scan_at_end(s))
        return scan_unexpected(s, "'|' or ';'");
    if (m->shape == SHAPE_NONE || m->shape == SHAPE_LABEL)
        return !ins->locked || scan_error(s, at, NULL, "LOCK does not go with this instruction");
    return parse_width(p, ins, at) && check_forms(p, ins, m, at);
}
