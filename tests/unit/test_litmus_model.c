/* tests/unit/test_litmus_model.c - the exhaustive search: known sets of final states, and random programs against a
 * naive explorer that shares no code with it (no reductions, no memory of states, whole values). */
#include "src/base/rng.h"
#include "tests/unit/test_litmus_rig.h"

static void expect_states(const char *text, enum lit_model model, const char *wanted)
{
    char *got = allowed_states(text, model);
    cr_expect_str_eq(got, wanted, "%s of\n%s\ngot\n%s", model == LIT_TSO ? "TSO" : "SC", text, got);
    free(got);
}

Test(litmus_model, store_buffering)
{
    static const char text[] = "X86 SB\n{ x=0; y=0; }\n P0 | P1 ;\n MOV [x],$1 | MOV [y],$1 ;\n MOV EAX,[y] | MOV EAX,[x] ;\nexists true\n";
    static const char sc[] = "0:EAX=0; 1:EAX=1; [x]=1; [y]=1;\n0:EAX=1; 1:EAX=0; [x]=1; [y]=1;\n0:EAX=1; 1:EAX=1; [x]=1; [y]=1;\n";
    char tso[300] = "0:EAX=0; 1:EAX=0; [x]=1; [y]=1;\n";
    expect_states(text, LIT_SC, sc);
    expect_states(text, LIT_TSO, strcat(tso, sc));
}

Test(litmus_model, fences_and_locked_instructions_empty_the_buffer)
{
    static const char *const barriers[] = { "mfence", "xchgl %ebx,(z)", "lock addl $0,(z)", "lock incl (z)", "lock cmpxchgl %ebx,(z)" };
    for (unsigned i = 0; i < sizeof barriers / sizeof *barriers; i++) {
        char text[400];
        snprintf(text, sizeof text, "X86_64 T\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n %s | %s ;\n movl (y),%%ecx | movl (x),%%ecx ;\n"
                 "filter (0:rcx=0 /\\ 1:rcx=0)\nexists true\n", barriers[i], barriers[i]);
        expect_states(text, LIT_TSO, "");
    }
}

Test(litmus_model, weaker_fences_and_flushes_do_not)
{
    static const char *const others[] = { "sfence", "lfence", "clflush (x)", "prefetchw (x)", "nop", "xchgl %ebx,%edx", "incl (z)" };
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        char text[400];
        snprintf(text, sizeof text, "X86_64 T\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n %s | mfence ;\n movl (y),%%ecx | movl (x),%%ecx ;\n"
                 "filter (0:rcx=0 /\\ 1:rcx=0)\nlocations [x]\nexists true\n", others[i]);
        char *states = allowed_states(text, LIT_TSO);
        cr_expect_str_neq(states, "", "%s", others[i]);
        free(states);
        states = allowed_states(text, LIT_SC);
        cr_expect_str_eq(states, "", "%s", others[i]);
        free(states);
    }
}

#define ALONE(initial, code, final) "X86_64 T\n{ " initial " }\n P0 ;\n" code "exists true\n", LIT_TSO, final "\n"

Test(litmus_model, instructions)
{
    expect_states(ALONE("x=5;", " movl $7,%eax ;\n xchgl %eax,(x) ;\n", "0:rax=5; [x]=7;"));
    expect_states(ALONE("x=5; 0:rbx=3;", " lock xaddl %ebx,(x) ;\n", "0:rbx=5; [x]=8;"));
    expect_states(ALONE("x=5; 0:rax=5; 0:rbx=9;", " lock cmpxchgl %ebx,(x) ;\n", "0:rax=5; [x]=9;"));
    expect_states(ALONE("x=5; 0:rax=4; 0:rbx=9;", " cmpxchgl %ebx,(x) ;\n", "0:rax=5; [x]=5;"));
    expect_states(ALONE("x=5;", " subl $6,(x) ;\n negl (x) ;\n notl (x) ;\n", "[x]=-2;"));
    expect_states(ALONE("x=12;", " lock andl $10,(x) ;\n lock orl $1,(x) ;\n lock xorl $3,(x) ;\n lock decl (x) ;\n", "[x]=9;"));
    expect_states(ALONE("uint64_t x=-1;", " movl (x),%eax ;\n", "0:rax=4294967295; [x]=18446744073709551615;"));
    expect_states(ALONE("int64_t x=-1; 0:rax=256;", " movb (x),%al ;\n movzbl (x),%ebx ;\n movsbl (x),%ecx ;\n",
                        "0:rax=511; 0:rbx=255; 0:rcx=4294967295; [x]=-1;"));
    expect_states(ALONE("uint32_t x=0;", " movb $2,1(x) ;\n movw $1,2(x) ;\n", "[x]=66048;"));
    expect_states(ALONE("uint64_t x=0; uint64_t p=x;", " movq (p),%rax ;\n movq $3,(%rax) ;\n", "0:rax=x; [p]=x; [x]=3;"));
    expect_states(ALONE("x=3;", " L: addl $2,%ebx ;\n decl (x) ;\n jnz L ;\n cmpl $6,%ebx ;\n jne M ;\n movl $1,%ecx ;\n M: nop ;\n",
                        "0:rbx=6; 0:rcx=1; [x]=0;"));
    expect_states(ALONE("x=-1;", " cmpl $1,(x) ;\n jl L ;\n incl %eax ;\n L: cmpl $1,(x) ;\n jb M ;\n incl %ebx ;\n M: nop ;\n",
                        "0:rax=0; 0:rbx=1; [x]=-1;"));
}

Test(litmus_model, a_load_takes_each_byte_from_the_youngest_store)
{
    expect_states(ALONE("uint32_t x=0;", " movl $0x01010101,(x) ;\n movb $2,1(x) ;\n movb $3,1(x) ;\n movw (x),%ax ;\n",
                        "0:rax=769; [x]=16843521;"));
}

Test(litmus_model, an_increment_that_is_not_locked_can_be_lost)
{
    static const char text[] = "X86_64 T\n{ }\n P0 | P1 ;\n %sincl (x) | %sincl (x) ;\nexists true\n";
    char plain[200], locked[200];
    snprintf(plain, sizeof plain, text, "", "");
    snprintf(locked, sizeof locked, text, "lock ", "lock ");
    expect_states(plain, LIT_SC, "[x]=1;\n[x]=2;\n");
    expect_states(plain, LIT_TSO, "[x]=1;\n[x]=2;\n");
    expect_states(locked, LIT_TSO, "[x]=2;\n");
}

Test(litmus_model, trouble_is_told)
{
    static const struct { const char *code; enum lit_search_end end; } rows[] = {
        { " movl $1,(%rax) ;\n", LIT_ASTRAY },          { " L: jmp L ;\n", LIT_ENDLESS },
        { " L: pause ;\n jmp L ;\n", LIT_ENDLESS },     { " L: movl (x),%eax ;\n movl $1,(x) ;\n jmp L ;\n", LIT_ENDLESS },
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[200];
        snprintf(text, sizeof text, "X86_64 T\n{ }\n P0 ;\n%sexists true\n", rows[i].code);
        struct parsed p = good_text(text);
        struct outcomes o;
        outcomes_init(&o, p.test->observed_count);
        cr_expect_eq(litmus_enumerate(p.test, LIT_TSO, 1000, &o).end, rows[i].end, "%s", rows[i].code);
        outcomes_free(&o);
        parsed_free(&p);
    }
}

Test(litmus_model, the_bound_on_states_is_kept)
{
    struct parsed p = good_text("X86 T\n{ }\n P0 | P1 | P2 ;\n MOV [x],$1 | MOV [y],$1 | MOV [z],$1 ;\n MOV EAX,[y] | MOV EAX,[z] | MOV EAX,[x] ;\nexists true\n");
    struct outcomes o;
    outcomes_init(&o, p.test->observed_count);
    cr_expect_eq(litmus_enumerate(p.test, LIT_TSO, 20, &o).end, LIT_TOO_LARGE);
    outcomes_free(&o);
    parsed_free(&p);
}

/* ---- random programs: two threads of three instructions over two variables */

enum { THREADS = 2, LENGTH = 3, VARS = 2, PROGRAMS = 300, STATES_MAX = 4096 };
enum kind { STORE, LOAD, FENCE, SWAP, ADD, INCREMENT, KINDS };
struct step { enum kind kind; unsigned var, value; };

struct naive {
    struct step code[THREADS][LENGTH];
    bool buffers;
    char *states[STATES_MAX];
    unsigned count;
};

struct naive_world {
    unsigned at[THREADS], half[THREADS], held[THREADS], reg[THREADS][LENGTH], memory[VARS];
    unsigned buffered[THREADS], var[THREADS][LENGTH], value[THREADS][LENGTH];
};

/* Each load and swap has a register of its own. */
static const char *const registers[] = { "ebx", "ecx", "edx" }, *const wide[] = { "rbx", "rcx", "rdx" };

static bool gives(const struct step *s) { return s->kind == LOAD || s->kind == SWAP || s->kind == ADD; }

static void naive_final(struct naive *n, const struct naive_world *w)
{
    char text[300];
    size_t used = 0;
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < LENGTH; i++)
            if (gives(&n->code[t][i]))
                used += (size_t)snprintf(text + used, sizeof text - used, "%u:%s=%u; ", t, wide[i], w->reg[t][i]);
    snprintf(text + used, sizeof text - used, "[x]=%u; [y]=%u;", w->memory[0], w->memory[1]);
    for (unsigned i = 0; i < n->count; i++)
        if (strcmp(n->states[i], text) == 0)
            return;
    cr_assert_lt(n->count, STATES_MAX);
    n->states[n->count++] = strdup(text);
}

static unsigned naive_read(const struct naive_world *w, unsigned t, unsigned var)
{
    for (unsigned i = w->buffered[t]; i-- > 0;)
        if (w->var[t][i] == var)
            return w->value[t][i];
    return w->memory[var];
}

static void naive_write(const struct naive *n, struct naive_world *w, unsigned t, unsigned var, unsigned value)
{
    if (!n->buffers) {
        w->memory[var] = value;
        return;
    }
    w->var[t][w->buffered[t]] = var;
    w->value[t][w->buffered[t]++] = value;
}

/* One instruction; false: it must wait. */
static bool naive_step(const struct naive *n, struct naive_world *w, unsigned t)
{
    unsigned i = w->at[t];
    const struct step *s = &n->code[t][i];
    if (s->kind == INCREMENT && !w->half[t]) {
        w->held[t] = naive_read(w, t, s->var) + 1;
        w->half[t] = 1;
        return true;
    }
    if ((s->kind == FENCE || s->kind == SWAP || s->kind == ADD) && w->buffered[t])
        return false;
    w->at[t]++;
    w->half[t] = 0;
    switch (s->kind) {
    case STORE: naive_write(n, w, t, s->var, s->value); break;
    case INCREMENT: naive_write(n, w, t, s->var, w->held[t]); break;
    case LOAD: w->reg[t][i] = naive_read(w, t, s->var); break;
    case SWAP: w->reg[t][i] = w->memory[s->var]; w->memory[s->var] = s->value; break;
    case ADD: w->reg[t][i] = w->memory[s->var]; w->memory[s->var] += s->value; break;
    default: break;
    }
    return true;
}

static void naive_explore(struct naive *n, const struct naive_world *w)
{
    bool moved = false;
    for (unsigned t = 0; t < THREADS; t++) {
        struct naive_world next = *w;
        if (w->at[t] < LENGTH && naive_step(n, &next, t)) {
            moved = true;
            naive_explore(n, &next);
        }
        if (!w->buffered[t])
            continue;
        next = *w;
        moved = true;
        next.memory[w->var[t][0]] = w->value[t][0];
        memmove(next.var[t], w->var[t] + 1, sizeof next.var[t] - sizeof next.var[t][0]);
        memmove(next.value[t], w->value[t] + 1, sizeof next.value[t] - sizeof next.value[t][0]);
        next.buffered[t]--;
        naive_explore(n, &next);
    }
    if (!moved)
        naive_final(n, w);
}

static void step_text(char *out, size_t room, const struct step *s, unsigned i)
{
    char var = "xy"[s->var];
    switch (s->kind) {
    case STORE: snprintf(out, room, "movl $%u,(%c)", s->value, var); break;
    case LOAD: snprintf(out, room, "movl (%c),%%%s", var, registers[i]); break;
    case FENCE: snprintf(out, room, "mfence"); break;
    case SWAP: snprintf(out, room, "xchgl %%%s,(%c)", registers[i], var); break;
    case ADD: snprintf(out, room, "lock xaddl %%%s,(%c)", registers[i], var); break;
    default: snprintf(out, room, "incl (%c)", var); break;
    }
}

/* Swaps and additions get their operands by the initial state. */
static void program_text(const struct naive *n, char *out, size_t room)
{
    size_t used = (size_t)snprintf(out, room, "X86_64 random\n{ x=0; y=0; ");
    for (unsigned t = 0; t < THREADS; t++)
        for (unsigned i = 0; i < LENGTH; i++)
            if (n->code[t][i].kind == SWAP || n->code[t][i].kind == ADD)
                used += (size_t)snprintf(out + used, room - used, "%u:%s=%u; ", t, wide[i], n->code[t][i].value);
    used += (size_t)snprintf(out + used, room - used, "}\n P0 | P1 ;\n");
    for (unsigned i = 0; i < LENGTH; i++) {
        char left[40], right[40];
        step_text(left, sizeof left, &n->code[0][i], i);
        step_text(right, sizeof right, &n->code[1][i], i);
        used += (size_t)snprintf(out + used, room - used, " %s | %s ;\n", left, right);
    }
    snprintf(out + used, room - used, "locations [x; y]\nexists true\n");
}

static void compare(struct naive *n, bool buffers, const char *text)
{
    struct naive_world w = { 0 };
    n->buffers = buffers;
    n->count = 0;
    naive_explore(n, &w);
    char *states = allowed_states(text, buffers ? LIT_TSO : LIT_SC);
    unsigned lines = 0;
    for (const char *c = states; *c; c++)
        lines += *c == '\n';
    cr_expect_eq(lines, n->count, "%u states instead of %u:\n%s\n%s", lines, n->count, text, states);
    for (unsigned i = 0; i < n->count; i++) {
        cr_expect_not_null(strstr(states, n->states[i]), "%s is missing:\n%s", n->states[i], text);
        free(n->states[i]);
    }
    free(states);
}

Test(litmus_model, random_programs_agree_with_a_naive_explorer)
{
    struct rng rng = rng_stream(20240607, "litmus programs");
    for (unsigned k = 0; k < PROGRAMS; k++) {
        static struct naive n;
        char text[800];
        for (unsigned t = 0; t < THREADS; t++)
            for (unsigned i = 0; i < LENGTH; i++)
                n.code[t][i] = (struct step){ (enum kind)(rng_below(&rng, KINDS + 3) % KINDS), (unsigned)rng_below(&rng, VARS),
                                              1 + t * LENGTH + i };
        program_text(&n, text, sizeof text);
        compare(&n, true, text);
        compare(&n, false, text);
    }
}
