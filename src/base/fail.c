/* src/base/fail.c - the two exits. */
#include "src/base/fail.h"

#include <stdarg.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
/* Memory still held at one of the exits below is no leak, and the leak checker would replace the exit status.
 * ASAN_OPTIONS=detect_leaks=1 turns it on for those who look for real ones. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0"; }
#endif

static void (*context_print)(void *arg, FILE *);
static void *context_arg;

void panic_context(void (*print)(void *arg, FILE *), void *arg)
{
    context_print = print;
    context_arg = arg;
}

/* Results already printed come before the message, whatever the buffering of the two streams. */
static void say(const char *prefix, const char *format, va_list args)
{
    fflush(stdout);
    fputs(prefix, stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void fail_user(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("labyrinth: ", format, args);
    va_end(args);
    exit(EXIT_INPUT);
}

void fail_memory(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("labyrinth: ", format, args);
    va_end(args);
    fputs("  What is asked for needs more memory than this host gives: fewer cores, smaller caches or directories, a shorter run.\n", stderr);
    exit(EXIT_INPUT);
}

void *must_calloc(size_t count, size_t bytes_each, const char *what)
{
    void *p = calloc(count ? count : 1, bytes_each);
    CHECK_MEMORY(p, "out of host memory for %s", what);
    return p;
}

void panic(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say("labyrinth: internal error: ", format, args);
    va_end(args);
    void (*print)(void *, FILE *) = context_print;
    context_print = NULL; /* a panic inside the context must not come back here */
    if (print)
        print(context_arg, stderr);
    fflush(stderr);
    if (getenv("LABYRINTH_ABORT"))
        abort();
    exit(EXIT_INTERNAL);
}
