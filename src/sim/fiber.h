/* src/sim/fiber.h - a stack that can be left and come back to. Backends: own switch for x86-64
 * ("asm"), ucontext elsewhere and on request ("ucontext"). Guard page below, zero return address on top.
 * The engine never runs on a fiber; only functions that take a `struct hart *` may suspend.
 */
#ifndef LAB_SIM_FIBER_H
#define LAB_SIM_FIBER_H

#include <stdbool.h>
#include <stddef.h>

struct fiber;
typedef void fiber_fn(void *arg);
enum fiber_backend { FIBER_ASM, FIBER_UCONTEXT };

bool fiber_backend_available(enum fiber_backend);
void fiber_use(enum fiber_backend);        /* for fibers made from now on; default asm where available */
struct fiber *fiber_new(fiber_fn *, void *arg, size_t stack_bytes); /* 0: default (64 KiB; 256 KiB under sanitizers) */
void fiber_resume(struct fiber *);         /* by the engine side only; returns at suspend or end */
void fiber_suspend(void);                  /* from inside the running fiber only */
bool fiber_done(const struct fiber *);
bool fiber_running(void);                  /* is the caller on a fiber? */
size_t fiber_stack_used_bytes(const struct fiber *); /* high-water mark in mean builds, 0 otherwise */
void fiber_free(struct fiber *);           /* done or suspended; never the running one */

#endif
