/* src/base/fail.h - the only two ways out of the program that are not a return from main.
 *
 * fail_user: the user's input or environment is wrong; exit status 2. The text names the input,
 * says what was expected and how to mend it.
 * fail_memory: the host gives no more memory (CHECK_MEMORY: when a condition fails); what was asked for is larger than the
 * host, so this is the environment, too; exit status 2.
 * panic: this program is wrong; it names the broken invariant; exit status 1 (or abort() for a
 * core file when the environment has LABYRINTH_ABORT). Nothing else in the tree calls exit,
 * abort or assert.
 */
#ifndef LAB_BASE_FAIL_H
#define LAB_BASE_FAIL_H

#include <stdio.h>

enum exit_code {              /* design contract: exit status of every command */
    EXIT_CLEAN = 0,
    EXIT_INTERNAL = 1,
    EXIT_INPUT = 2,
    EXIT_ILLEGAL = 3,         /* illegal operation in the scenario */
    EXIT_VIOLATION = 4,       /* violated invariant */
    EXIT_STUCK = 5,           /* no progress */
    EXIT_DIFFERENT = 6
};

_Noreturn void fail_user(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail_memory(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Zeroed memory for `count` things, freed by the caller with free(); `what` ends the sentence "out of host memory for ...". */
void *must_calloc(size_t count, size_t bytes_each, const char *what);
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Text printed after a panic's message by whoever knows more (the machine: histories, who waits).
 * At most one; NULL clears it. Called once, never recursively. */
void panic_context(void (*print)(void *arg, FILE *), void *arg);

/* CHECK is on in every build: use it where a wrong answer would follow silently.
 * MEAN_CHECK is on in the mean build only (configure --enable-mean): use it on hot paths. Where a host-side size
 * is a free choice, the mean build takes the smallest (MEAN_SIZE), so that growing, wrapping and overflowing happen
 * all the time; results are the same bytes in every build. */
#define CHECK(cond, ...) do { if (__builtin_expect(!(cond), 0)) panic(__VA_ARGS__); } while (0)
#define CHECK_MEMORY(cond, ...) do { if (__builtin_expect(!(cond), 0)) fail_memory(__VA_ARGS__); } while (0)
#ifdef LABYRINTH_MEAN
#define MEAN_CHECK(cond, ...) CHECK(cond, __VA_ARGS__)
#define MEAN_BUILD 1
#else
#define MEAN_BUILD 0
#define MEAN_CHECK(cond, ...) do { (void)sizeof(cond); } while (0)
#endif
#define MEAN_SIZE(usual, smallest) (MEAN_BUILD ? (smallest) : (usual))

#endif
