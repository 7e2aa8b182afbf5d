/* src/sim/fiber.c - stacks with a guard page, switched by own code or by ucontext.
 *
 * The address sanitizer is told about every switch (its interface sanitizer/common_interface_defs.h), and
 * the leak sanitizer that fiber stacks hold pointers.
 */
#include "src/sim/fiber.h"

#include "src/base/fail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define FIBER_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FIBER_ASAN 1
#endif
#endif
#ifdef FIBER_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif

enum { FILL = 0xa5 };
#ifdef FIBER_ASAN
static const size_t DEFAULT_STACK_BYTES = 256 * 1024;
#else
static const size_t DEFAULT_STACK_BYTES = 64 * 1024;
#endif

/* One side of a switch: a fiber, or the engine's own stack. */
struct side {
    void *sp;          /* asm */
    ucontext_t context;
    void *fake_stack;  /* sanitizer's */
    const void *bottom;
    size_t bytes;
};

struct fiber {
    struct side here, caller;
    fiber_fn *fn;
    void *arg;
    char *mapping;     /* guard page, then the stack */
    size_t guard_bytes;
    enum fiber_backend backend;
    bool done;
};

static _Thread_local struct fiber *running;

#if defined(__x86_64__)
void fiber_switch(void **save_sp, void *load_sp);
void fiber_begin(void);
#else
static void fiber_switch(void **save_sp, void *load_sp)
{
    (void)save_sp;
    panic("fiber_switch from %p: there is no own stack switch for this machine", load_sp);
}
#endif

bool fiber_backend_available(enum fiber_backend backend)
{
#if defined(__x86_64__)
    return backend == FIBER_ASM || backend == FIBER_UCONTEXT;
#else
    return backend == FIBER_UCONTEXT;
#endif
}

#if defined(__x86_64__) && !defined(LABYRINTH_FIBER_UCONTEXT)
static enum fiber_backend backend_in_use = FIBER_ASM;
#else
static enum fiber_backend backend_in_use = FIBER_UCONTEXT;
#endif

void fiber_use(enum fiber_backend backend)
{
    CHECK(fiber_backend_available(backend), "fiber_use: backend %d is not in this build", (int)backend);
    backend_in_use = backend;
}

static void before_switch(struct side *from, const struct side *to, bool last)
{
#ifdef FIBER_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake_stack, to->bottom, to->bytes);
#else
    (void)from, (void)to, (void)last;
#endif
}

/* On arrival at `here`; where the other side's stack lies is learnt on the way (for the engine's). */
static void after_switch(struct side *here, struct side *left)
{
#ifdef FIBER_ASAN
    __sanitizer_finish_switch_fiber(here->fake_stack, &left->bottom, &left->bytes);
#else
    (void)here, (void)left;
#endif
}

static void switch_sides(struct fiber *f, struct side *from, struct side *to)
{
    before_switch(from, to, f->done);
    if (f->backend == FIBER_ASM)
        fiber_switch(&from->sp, to->sp);
    else
        CHECK(swapcontext(&from->context, &to->context) == 0, "fiber: swapcontext failed");
}

/* The whole life of a fiber, on its own stack. */
static void live(void)
{
    struct fiber *f = running;
    after_switch(&f->here, &f->caller);
    f->fn(f->arg);
    f->done = true;
    switch_sides(f, &f->here, &f->caller);
    panic("fiber: resumed after its end");
}

static char *stack_bottom(const struct fiber *f) { return f->mapping + f->guard_bytes; }

static void prepare_asm(struct fiber *f)
{
#if defined(__x86_64__)
    /* From the top: zero return address (16-aligned before the call in fiber_begin), then what
     * fiber_switch pops: return to fiber_begin, rbp, rbx, r12, r13, r14, r15. */
    uintptr_t *top = (uintptr_t *)(void *)(stack_bottom(f) + f->here.bytes);
    *--top = 0;
    *--top = 0;
    *--top = (uintptr_t)fiber_begin;
    *--top = 0;
    *--top = 0;
    *--top = (uintptr_t)live;
    top -= 3;
    top[0] = top[1] = top[2] = 0;
    f->here.sp = top;
#else
    panic("fiber %p: no own stack switch for this machine", (void *)f);
#endif
}

static void prepare_ucontext(struct fiber *f)
{
    CHECK(getcontext(&f->here.context) == 0, "fiber: getcontext failed");
    f->here.context.uc_stack.ss_sp = stack_bottom(f);
    f->here.context.uc_stack.ss_size = f->here.bytes;
    f->here.context.uc_link = NULL;
    makecontext(&f->here.context, live, 0);
}

static void map_stack(struct fiber *f, size_t stack_bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    f->guard_bytes = page;
    f->here.bytes = (stack_bytes + page - 1) / page * page;
    f->mapping = mmap(NULL, page + f->here.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_MEMORY(f->mapping != MAP_FAILED, "fiber: the host has no memory for a stack of %zu bytes", f->here.bytes);
    CHECK(mprotect(f->mapping, page, PROT_NONE) == 0, "fiber: cannot protect the guard page");
    f->here.bottom = stack_bottom(f);
#ifdef LABYRINTH_MEAN
    memset(stack_bottom(f), FILL, f->here.bytes);
#endif
#ifdef FIBER_ASAN
    __lsan_register_root_region(stack_bottom(f), f->here.bytes);
#endif
}

struct fiber *fiber_new(fiber_fn *fn, void *arg, size_t stack_bytes)
{
    struct fiber *f = calloc(1, sizeof *f);
    CHECK_MEMORY(f, "fiber_new: the host has no memory");
    f->fn = fn;
    f->arg = arg;
    f->backend = backend_in_use;
    map_stack(f, stack_bytes ? stack_bytes : DEFAULT_STACK_BYTES);
    if (f->backend == FIBER_ASM)
        prepare_asm(f);
    else
        prepare_ucontext(f);
    return f;
}

void fiber_resume(struct fiber *f)
{
    CHECK(!running, "fiber_resume: called from a fiber");
    CHECK(!f->done, "fiber_resume: the fiber has ended");
    running = f;
    switch_sides(f, &f->caller, &f->here);
    running = NULL;
    after_switch(&f->caller, &f->here);
}

void fiber_suspend(void)
{
    struct fiber *f = running;
    CHECK(f, "fiber_suspend: not on a fiber");
    switch_sides(f, &f->here, &f->caller);
    after_switch(&f->here, &f->caller);
}

bool fiber_done(const struct fiber *f) { return f->done; }
bool fiber_running(void) { return running != NULL; }

size_t fiber_stack_used_bytes(const struct fiber *f)
{
#ifdef LABYRINTH_MEAN
    const unsigned char *bottom = (const unsigned char *)stack_bottom(f);
    size_t untouched = 0;
    while (untouched < f->here.bytes && bottom[untouched] == FILL)
        untouched++;
    return f->here.bytes - untouched;
#else
    (void)f;
    return 0;
#endif
}

void fiber_free(struct fiber *f)
{
    if (!f)
        return;
    CHECK(f != running, "fiber_free: the fiber is running");
#ifdef FIBER_ASAN
    __lsan_unregister_root_region(stack_bottom(f), f->here.bytes);
    __asan_unpoison_memory_region(stack_bottom(f), f->here.bytes); /* frames it was left in */
#endif
    munmap(f->mapping, f->guard_bytes + f->here.bytes);
    free(f);
}
