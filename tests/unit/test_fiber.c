/* tests/unit/test_fiber.c - both backends: state survives switches, many fibers, deep stacks, misuse, the guard page. */
#include "src/sim/fiber.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

static unsigned steps;

static void three_steps(void *arg)
{
    unsigned *mine = arg;
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(fiber_running());
        *mine += 1;
        steps++;
        fiber_suspend();
    }
}

/* Values that a compiler keeps in the callee-saved registers, and one in an SSE register, over each switch. */
static void holds_registers(void *arg)
{
    uint64_t *sum = arg, a = sum[0], b = a + 1, c = a * 3, d = a ^ 0x55, e = a << 3, f = a + 77;
    double x = (double)a / 3;
    for (unsigned i = 0; i < 1000; i++) {
        fiber_suspend();
        a += b, b ^= c, c += d, d += e, e ^= f, f += a;
        x += 1;
    }
    sum[1] = a + b + c + d + e + f + (uint64_t)x;
}

static uint64_t expected(uint64_t a)
{
    uint64_t b = a + 1, c = a * 3, d = a ^ 0x55, e = a << 3, f = a + 77;
    double x = (double)a / 3;
    for (unsigned i = 0; i < 1000; i++) {
        a += b, b ^= c, c += d, d += e, e ^= f, f += a;
        x += 1;
    }
    return a + b + c + d + e + f + (uint64_t)x;
}

static void interleave(void)
{
    enum { FIBERS = 50 };
    struct fiber *fiber[FIBERS];
    uint64_t sum[FIBERS][2];
    for (unsigned i = 0; i < FIBERS; i++) {
        sum[i][0] = 1000 + i;
        fiber[i] = fiber_new(holds_registers, sum[i], 0);
    }
    bool more = true;
    while (more) {
        more = false;
        for (unsigned i = 0; i < FIBERS; i++)
            if (!fiber_done(fiber[i])) {
                fiber_resume(fiber[i]);
                more = true;
            }
    }
    for (unsigned i = 0; i < FIBERS; i++) {
        cr_assert_eq(sum[i][1], expected(1000 + i), "fiber %u", i);
        fiber_free(fiber[i]);
    }
}

static void steps_in_turn(void)
{
    unsigned mine = 0;
    steps = 0;
    struct fiber *f = fiber_new(three_steps, &mine, 0);
    for (unsigned i = 1; i <= 3; i++) {
        cr_assert_not(fiber_running());
        fiber_resume(f);
        cr_assert_eq(mine, i);
        cr_assert_not(fiber_done(f));
    }
    fiber_resume(f);
    cr_assert(fiber_done(f));
    fiber_free(f);
    struct fiber *left = fiber_new(three_steps, &mine, 0); /* freed while suspended */
    fiber_resume(left);
    fiber_free(left);
    fiber_free(fiber_new(three_steps, &mine, 0)); /* freed before it began */
    cr_assert_eq(steps, 4);
}

static unsigned deep(unsigned depth)
{
    volatile char local[512];
    memset((void *)local, (int)depth, sizeof local);
    if (depth == 0) {
        fiber_suspend();
        return 1;
    }
    unsigned below = deep(depth - 1);
    return below + (local[7] == (char)depth);
}

static void dives(void *arg) { *(unsigned *)arg = deep(60); }

static void depth_and_high_water(void)
{
    unsigned result = 0;
    struct fiber *f = fiber_new(dives, &result, 0);
    fiber_resume(f);
    fiber_resume(f);
    cr_assert(fiber_done(f));
    cr_assert_eq(result, 61);
#ifdef LABYRINTH_MEAN
    cr_assert_geq(fiber_stack_used_bytes(f), 60 * 512);
    cr_assert_leq(fiber_stack_used_bytes(f), 256 * 1024);
#else
    cr_assert_eq(fiber_stack_used_bytes(f), 0);
#endif
    fiber_free(f);
}

/* A fiber of one backend beside a fiber of the other. */
static void mixed(void)
{
    unsigned a = 0, b = 0;
    fiber_use(FIBER_UCONTEXT);
    struct fiber *f = fiber_new(three_steps, &a, 0);
    if (fiber_backend_available(FIBER_ASM))
        fiber_use(FIBER_ASM);
    struct fiber *h = fiber_new(three_steps, &b, 20000); /* rounded up to pages */
    for (unsigned i = 0; i < 4; i++) {
        fiber_resume(f);
        fiber_resume(h);
    }
    cr_assert(fiber_done(f) && fiber_done(h) && a == 3 && b == 3);
    fiber_free(f);
    fiber_free(h);
}

static void with(enum fiber_backend backend, void (*test)(void))
{
    if (!fiber_backend_available(backend))
        cr_skip_test("no such backend here");
    fiber_use(backend);
    test();
}

Test(fiber, steps_asm) { with(FIBER_ASM, steps_in_turn); }
Test(fiber, steps_ucontext) { with(FIBER_UCONTEXT, steps_in_turn); }
Test(fiber, registers_asm) { with(FIBER_ASM, interleave); }
Test(fiber, registers_ucontext) { with(FIBER_UCONTEXT, interleave); }
Test(fiber, depth_asm) { with(FIBER_ASM, depth_and_high_water); }
Test(fiber, depth_ucontext) { with(FIBER_UCONTEXT, depth_and_high_water); }
Test(fiber, backends_together) { mixed(); }

static void nothing(void *arg) { (void)arg; }
static void nests(void *arg) { fiber_resume(arg); }

Test(fiber, suspend_outside_is_a_panic, .exit_code = 1) { fiber_suspend(); }

Test(fiber, resume_after_end_is_a_panic, .exit_code = 1)
{
    struct fiber *f = fiber_new(nothing, NULL, 0);
    fiber_resume(f);
    fiber_resume(f);
}

Test(fiber, resume_from_a_fiber_is_a_panic, .exit_code = 1)
{
    fiber_resume(fiber_new(nests, fiber_new(nothing, NULL, 0), 0));
}

#ifndef __SANITIZE_ADDRESS__
static unsigned endless(unsigned n)
{
    volatile char local[256];
    local[n % 256] = 1;
    return n == UINT32_MAX ? 0 : endless(n + 1) + (unsigned)local[3];
}

static void overflows(void *arg) { *(unsigned *)arg = endless(0); }

Test(fiber, overflow_hits_the_guard_page, .signal = SIGSEGV)
{
    unsigned result;
    fiber_resume(fiber_new(overflows, &result, 0));
}
#endif
