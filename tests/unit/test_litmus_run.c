/* tests/unit/test_litmus_run.c - litmus tests on the timed machine: only what x86-TSO allows, and all of it; without
 * store buffers only what sequential consistency allows; the same counts under all host settings. Seeds are fixed. */
#include "src/work/litmus/job.h"
#include "tests/unit/test_litmus_rig.h"
#include "tests/unit/test_machine_rig.h"

enum { ITERATIONS = 400 };

/* Adds to seen what one machine of four cores shows. */
static void observe(const struct litmus_test *t, struct run_options options, const char *set, unsigned seed, struct outcomes *seen)
{
    struct litmus_job job = { t, ITERATIONS, seen };
    char text[400], seed_set[40];
    snprintf(text, sizeof text,
             "kind: experiment\nmachine: { base: tiny, devices: { count: 0 } }\nprotocol: mesi\nkernel: { memory: 64MiB }\n"
             "agents: [{ name: threads, on: core0-%u, program: litmus, count: %d }]\n", t->thread_count - 1, ITERATIONS);
    snprintf(seed_set, sizeof seed_set, "seed=%u", seed);
    litmus_job_set(&job);
    struct run r = run_text(text, options, seed_set, set, NULL);
    cr_expect_eq(r.result->stop, RUN_DONE, "%s", r.result->stop_text);
    run_free(&r);
    litmus_job_set(NULL);
}

static void expect_exactly(const char *text, const char *set, enum lit_model model)
{
    struct parsed p = good_text(text);
    struct outcomes allowed, seen;
    outcomes_init(&allowed, p.test->observed_count);
    outcomes_init(&seen, p.test->observed_count);
    litmus_enumerate(p.test, model, 1000000, &allowed);
    for (unsigned seed = 1; seed <= 4; seed++)
        observe(p.test, usual(), set, seed, &seen);
    char *a = states_text(p.test, &allowed), *s = states_text(p.test, &seen);
    cr_expect_str_eq(s, a, "%s (%s): seen\n%sallowed\n%s", p.test->name, set, s, a);
    free(a);
    free(s);
    outcomes_free(&allowed);
    outcomes_free(&seen);
    parsed_free(&p);
}

static const char sb[] = "X86_64 SB\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n movl (y),%eax | movl (x),%eax ;\nexists true\n";
static const char forwarded[] = "X86_64 forwarded\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n movl (x),%eax | movl (y),%eax ;\n"
                                " movl (y),%ebx | movl (x),%ebx ;\nexists true\n";
static const char fenced[] = "X86_64 fenced\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $1,(y) ;\n mfence | lock incl (z) ;\n"
                             " movl (y),%eax | movl (x),%eax ;\nexists true\n";
static const char message[] = "X86_64 MP\n{ x=5; uint64_t y=7; }\n P0 | P1 ;\n movl $1,(x) | movq (y),%rax ;\n movq $2,(y) | movl (x),%ebx ;\n"
                              "exists true\n";
static const char atomics[] = "X86_64 atomics\n{ x=6; 0:rbx=4; 1:rax=6; 1:rcx=9; }\n P0 | P1 ;\n lock xaddl %ebx,(x) | lock cmpxchgl %ecx,(x) ;\n"
                              " lock xorl $1,(x) | lock decl (x) ;\nexists true\n";
static const char own_stores[] = "X86_64 CoWR\n{ }\n P0 | P1 ;\n movl $1,(x) | movl $3,(x) ;\n movl $2,(x) | ;\n movl (x),%eax | ;\nexists true\n";
static const char *const texts[] = { sb, forwarded, fenced, message, atomics, own_stores };

Test(litmus_run, exactly_what_tso_allows)
{
    for (unsigned i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_exactly(texts[i], "machine.net_jitter=10ns", LIT_TSO);
}

Test(litmus_run, without_store_buffers_exactly_what_sequential_consistency_allows)
{
    expect_exactly(sb, "machine.hart.store_buffer=0", LIT_SC);
    expect_exactly(forwarded, "machine.hart.store_buffer=0", LIT_SC);
}

Test(litmus_run, a_store_buffer_of_one_entry_is_enough_for_store_buffering)
{
    expect_exactly(sb, "machine.hart.store_buffer=1", LIT_TSO);
}

Test(litmus_run, counts_do_not_depend_on_host_settings)
{
    struct parsed p = good_text(forwarded);
    struct outcomes seen[3];
    struct run_options options[3] = { usual(), usual(), usual() };
    options[1].queue = QUEUE_HEAP;
    options[2].lookahead = false;
    for (unsigned i = 0; i < 3; i++) {
        outcomes_init(&seen[i], p.test->observed_count);
        observe(p.test, options[i], "machine.net_jitter=2ns", 7, &seen[i]);
        outcomes_sort(&seen[i]);
        cr_expect_eq(seen[i].count, seen[0].count);
        for (size_t k = 0; k < seen[0].count; k++)
            cr_expect_eq(seen[i].times[k], seen[0].times[k]);
    }
    for (unsigned i = 0; i < 3; i++)
        outcomes_free(&seen[i]);
    parsed_free(&p);
}

Test(litmus_run, the_program_needs_the_command)
{
    struct arena *arena = arena_new();
    struct diag *diag = diag_new();
    struct experiment_doc doc;
    struct run_options options = usual();
    const char *sets[] = { "agents=[{ name: a, on: core0, program: litmus, count: 1 }]" };
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    litmus_job_set(NULL);
    cr_assert(experiment_load(arena, diag, "first-steps", sets, 1, &doc));
    cr_expect_null(machine_new(&doc, &options, diag));
    diag_print(diag, out);
    fclose(out);
    cr_expect_not_null(strstr(text, "labyrinth litmus FILE"), "%s", text);
    free(text);
    diag_free(diag);
    arena_free(arena);
}
