/* tests/unit/test_litmus_parse.c - what a litmus file says, and where it is wrong: line and column of every error. */
#include "tests/unit/test_litmus_rig.h"

#define ONE(code) "X86_64 T\n{ }\n P0 ;\n " code " ;\nexists true\n"

static const struct lit_ins *only_instruction(struct parsed *p, const char *text)
{
    *p = good_text(text);
    cr_assert_eq(p->test->threads[0].count, 1);
    return &p->test->threads[0].code[0];
}

Test(litmus_parse, whole_test)
{
    struct parsed p = good_text("X86 Two words\n\"a { b\"\nKey=(* comment *) value\n{ int x=3; uint8_t y; 1:EBX=x;\n 0:EAX=-1 }\n"
                                " P0          | P1           ;\n MOV [x],$7  | MOV AL,[y]   ; // remark\n             | MFENCE       ;\n"
                                "locations [0:EAX; z;]\nfilter ~y=4\n~exists (x=7 /\\ (1:AL=0x10 \\/ not 0:EAX<>-1))\n");
    const struct litmus_test *t = p.test;
    cr_assert_str_eq(t->name, "Two words");
    cr_assert_eq(t->thread_count, 2);
    cr_assert_eq(t->threads[1].count, 2);
    cr_assert_eq(t->quantifier, LIT_NOT_EXISTS);
    cr_assert_str_eq(t->condition_text, "~exists (x=7 /\\ (1:AL=0x10 \\/ not 0:EAX<>-1))");
    cr_assert_eq(t->vars[0].initial, 3);
    cr_assert_eq(t->vars[1].bytes, 1);
    cr_assert_eq(t->threads[1].initial[1], lit_address(0));
    char names[200] = "";
    for (unsigned i = 0; i < t->observed_count; i++)
        strcat(strcat(names, t->observed[i].name), " ");
    cr_assert_str_eq(names, "0:EAX 1:EAX [x] [y] [z] ");
    uint64_t values[] = { UINT32_MAX, 0x310, 7, 0, 0 };
    cr_assert(litmus_holds(t, t->condition, values), "a named part of a register is compared alone");
    values[1] = 0x311, values[0] = 1;
    cr_assert_not(litmus_holds(t, t->condition, values));
    values[3] = 4;
    cr_assert(litmus_filtered(t, values));
    parsed_free(&p);
}

/* The same instruction in the ways people write it. */
Test(litmus_parse, operand_forms)
{
    static const struct { const char *code; enum lit_op op; unsigned bytes; enum lit_operand_kind dst, src; int64_t value; } rows[] = {
        { "movl $1,(x)", LIT_MOV, 4, LIT_VAR, LIT_IMM, 1 },       { "mov $1, (x)", LIT_MOV, 4, LIT_VAR, LIT_IMM, 1 },
        { "MOV [x],$-2", LIT_MOV, 4, LIT_VAR, LIT_IMM, -2 },      { "MOV [x],0x1f", LIT_MOV, 4, LIT_VAR, LIT_IMM, 0x1f },
        { "movb $1,(x)", LIT_MOV, 1, LIT_VAR, LIT_IMM, 1 },       { "movw $1,(x)", LIT_MOV, 2, LIT_VAR, LIT_IMM, 1 },
        { "movq (x),%rax", LIT_MOV, 8, LIT_REG, LIT_VAR, 0 },     { "MOV RAX,[x]", LIT_MOV, 8, LIT_REG, LIT_VAR, 0 },
        { "mov %al,(x)", LIT_MOV, 1, LIT_VAR, LIT_REG, 0 },       { "MOV [x],AX", LIT_MOV, 2, LIT_VAR, LIT_REG, 0 },
        { "movl %ebx,%eax", LIT_MOV, 4, LIT_REG, LIT_REG, 0 },    { "movl 4(%rdi),%eax", LIT_MOV, 4, LIT_REG, LIT_INDIRECT, 4 },
        { "xchg %eax,(x)", LIT_XCHG, 4, LIT_VAR, LIT_REG, 0 },    { "xchgl (x),%eax", LIT_XCHG, 4, LIT_VAR, LIT_REG, 0 },
        { "lock addq $5,(x)", LIT_ADD, 8, LIT_VAR, LIT_IMM, 5 },  { "LOCK INC [x]", LIT_INC, 4, LIT_VAR, LIT_NONE, 0 },
        { "dec (x)", LIT_DEC, 4, LIT_VAR, LIT_NONE, 0 },
        { "lock cmpxchg %ebx,(x)", LIT_CMPXCHG, 4, LIT_VAR, LIT_REG, 0 }, { "movzbl (x),%eax", LIT_MOVZ, 4, LIT_REG, LIT_VAR, 0 },
        { "mfence", LIT_MFENCE, 0, LIT_NONE, LIT_NONE, 0 },       { "CLFLUSH [x]", LIT_CLFLUSH, 4, LIT_VAR, LIT_NONE, 0 },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed p;
        char text[200];
        snprintf(text, sizeof text, ONE("%s"), rows[i].code);
        const struct lit_ins *ins = only_instruction(&p, text);
        const struct lit_operand *with_value = rows[i].src == LIT_NONE ? &ins->dst : &ins->src;
        cr_expect(ins->op == rows[i].op && ins->bytes == rows[i].bytes && ins->dst.kind == rows[i].dst &&
                      ins->src.kind == rows[i].src && with_value->value == rows[i].value, "%s", rows[i].code);
        parsed_free(&p);
    }
}

Test(litmus_parse, sizes_of_variables)
{
    struct parsed p = good_text("X86_64 T\n{ uint16_t d; }\n P0 ;\n movq $1,(a) ;\n movb $1,(b) ;\n movw $1,(d) ;\nexists [c]=0\n");
    for (unsigned i = 0; i < p.test->var_count; i++) {
        const struct lit_var *v = &p.test->vars[i];
        unsigned wanted = v->name[0] == 'a' ? 8 : v->name[0] == 'd' ? 2 : 4;
        cr_expect_eq(v->bytes, wanted, "%s has %u bytes", v->name, v->bytes);
    }
    parsed_free(&p);
}

Test(litmus_parse, exchange_with_memory_is_locked_without_a_prefix)
{
    struct parsed p;
    cr_expect(only_instruction(&p, ONE("xchgl %eax,(x)"))->locked);
    parsed_free(&p);
    cr_expect_not(only_instruction(&p, ONE("xchgl %eax,%ebx"))->locked);
    parsed_free(&p);
    cr_expect_not(only_instruction(&p, ONE("addl $1,(x)"))->locked);
    parsed_free(&p);
}

Test(litmus_parse, every_mistake_has_its_place)
{
    static const struct { const char *text, *place; } rows[] = {
        { "", "t.litmus:1:1: X86 or" },
        { "ARM T\n", "t.litmus:1:1: X86 or" },
        { "X86 T\n", "t.litmus:2:1: no initial state" },
        { "X86 T\nwhat is this\n{ }\n", "t.litmus:2:1: \"text\", Key=value" },
        { "X86 T\n{ x=0\n", "t.litmus:3:1: the initial state does not end" },
        { "X86 T\n{ float x; }\n", "t.litmus:2:3: this is no type" },
        { "X86 T\n{ x=1.5; }\n", "t.litmus:2:5: this is no number" },
        { "X86 T\n{ x=99999999999999999999; }\n", "t.litmus:2:5: this is no number" },
        { "X86 T\n{ 0:FOO=1; }\n", "t.litmus:2:5: a register" },
        { "X86 T\n{ int x[4]; }\n", "t.litmus:2:7: arrays" },
        { "X86 T\n{ } (* (* *)\n P0 ;\n", "t.litmus:2:5: this comment" },
        { "X86 T\n{ }\n P1 ;\n", "t.litmus:3:2: P0 expected" },
        { "X86 T\n{ }\n P0 | P1 ;\n MFENCE ;\n", "t.litmus:4:9: this row has 1 cells" },
        { "X86 T\n{ }\n P0 ;\n MFENCE | MFENCE ;\n", "t.litmus:4:10: this row has more" },
        { "X86 T\n{ }\n P0 ;\n MFENCE\n", "t.litmus:4:2: this row does not end" },
        { ONE("vpaddd $1,(x)"), "t.litmus:4:2: instruction vpaddd" },
        { ONE("movl $1,(x),%eax"), "t.litmus:4:13: '|' or ';'" },
        { ONE("movl (x),(y)"), "t.litmus:4:7: only one" },
        { ONE("movl $1,$2"), "t.litmus:4:7: a constant" },
        { ONE("movq $1,%eax"), "t.litmus:4:2: an instruction of 8" },
        { ONE("movl (x,%rax,4),%eax"), "t.litmus:4:9: ) expected" },
        { ONE("movl 5(x),%eax"), "t.litmus:4:2: 4 bytes at offset 5" },
        { ONE("lock movl $1,(x)"), "t.litmus:4:7: LOCK" },
        { ONE("lock addl $1,%eax"), "t.litmus:4:7: LOCK" },
        { ONE("jne AWAY"), "t.litmus:4:2: thread 0 has no label" },
        { "X86 T\n{ }\n P0 ;\n", "t.litmus:4:1: exists, ~exists or forall expected" },
        { "X86 T\n{ }\n P0 ;\nexists (x=1\n", "t.litmus:5:1: '/\\', '\\/' or ')'" },
        { "X86 T\n{ }\n P0 ;\nexists (x=1) y\n", "t.litmus:4:14: the end" },
        { "X86 T\n{ }\n P0 ;\nexists (1:EAX=1)\n", "t.litmus:4:9: there is no thread 1" },
        { "X86 T\n{ uint8_t x; }\n P0 ;\n MOV [x],$1 ;\n MOV EAX,[x] ;\nexists true\n", "t.litmus:5:2: 4 bytes at offset 0 of x" },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct parsed p = parsed_text(rows[i].text);
        char *text;
        size_t bytes;
        FILE *out = open_memstream(&text, &bytes);
        diag_print(p.diag, out);
        fclose(out);
        cr_expect_null(p.test);
        cr_expect_eq(strncmp(text, rows[i].place, strlen(rows[i].place)), 0, "expected %s\nbut got %s", rows[i].place, text);
        free(text);
        parsed_free(&p);
    }
}
