/* tests/unit/test_fail.c - the two exits: status, text, order of output. */
#include "src/base/fail.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void user_error(void)
{
    printf("result\n"); /* still in the buffer when fail_user is called */
    fail_user("no machine '%s'", "tinny");
}

static void context(void *arg, FILE *out) { fprintf(out, "context %s\n", (const char *)arg); }

static void panics_in_context(void *arg, FILE *out)
{
    (void)arg, (void)out;
    panic("second");
}

static void internal_error(void)
{
    static char text[] = "of line 7";
    panic_context(context, text);
    panic("two owners %d", 2);
}

static void nested_error(void)
{
    panic_context(panics_in_context, NULL);
    panic("first");
}

/* Runs `what` in a child with both streams in one pipe; returns the wait status. */
static int outcome(void (*what)(void), char text[512])
{
    int ends[2], status;
    cr_assert_eq(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close(ends[0]);
        what();
    }
    close(ends[1]);
    size_t n = 0;
    ssize_t got;
    while ((got = read(ends[0], text + n, 511 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(ends[0]);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return status;
}

Test(fail, user_error_is_2_after_results)
{
    char text[512];
    int status = outcome(user_error, text);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    cr_assert_str_eq(text, "result\nlabyrinth: no machine 'tinny'\n");
}

static void too_large(void)
{
    panic_context(context, NULL);
    printf("result\n");
    CHECK_MEMORY(true, "not said");
    CHECK_MEMORY(false, "no memory for %d lines", 7);
}

Test(fail, no_memory_is_2_and_says_what_helps)
{
    char text[512];
    int status = outcome(too_large, text);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    cr_assert_str_eq(text, "result\nlabyrinth: no memory for 7 lines\n  What is asked for needs more memory than this host gives: fewer cores, "
                           "smaller caches or directories, a shorter run.\n");
}

Test(fail, panic_is_1_and_gives_context)
{
    char text[512];
    unsetenv("LABYRINTH_ABORT");
    int status = outcome(internal_error, text);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    cr_assert_str_eq(text, "labyrinth: internal error: two owners 2\ncontext of line 7\n");
}

Test(fail, panic_within_context_ends)
{
    char text[512];
    unsetenv("LABYRINTH_ABORT");
    int status = outcome(nested_error, text);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    cr_assert(strstr(text, "first\n") && strstr(text, "second\n"), "%s", text);
}

Test(fail, panic_aborts_on_request)
{
    char text[512];
    setenv("LABYRINTH_ABORT", "1", 1);
    int status = outcome(internal_error, text);
    cr_assert(WIFSIGNALED(status));
}
