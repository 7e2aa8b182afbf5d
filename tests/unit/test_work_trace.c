/* tests/unit/test_work_trace.c - recordings: both forms, the shapes of several kernel versions, and what is refused where. */
#include <criterion/criterion.h>

#include "src/work/trace.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct diag *diag;

static const char *source(void)
{
    const char *s = getenv("LABYRINTH_SOURCE");
    return s ? s : LABYRINTH_SRCDIR;
}

static struct trace *read_shipped(const char *name)
{
    struct arena *arena = arena_new();
    diag = diag_new();
    return trace_read(arena, diag, arena_printf(arena, "%s/tests/traces/%s", source(), name), (struct origin){ .file = NULL });
}

/* From a file of this text; errors are in `said`. */
static char said[2000];
static struct trace *read_of(const char *text, size_t bytes)
{
    char path[] = "/tmp/labyrinth-trace-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, bytes) == (ssize_t)bytes);
    close(fd);
    diag = diag_new();
    struct trace *t = trace_read(arena_new(), diag, path, (struct origin){ .file = NULL });
    FILE *out = fmemopen(memset(said, 0, sizeof said), sizeof said - 1, "w");
    diag_print(diag, out);
    fclose(out);
    unlink(path);
    return t;
}

static void refused(const char *text, const char *where, const char *what)
{
    cr_expect_null(read_of(text, strlen(text)), "accepted: %s", text);
    cr_expect(strstr(said, where) && strstr(said, what), "for %s\nnot %s %s, but\n%s", text, where, what, said);
}

static void is(const struct trace *t, unsigned i, enum trace_kind kind, unsigned cpu, uint64_t ns, uint64_t pfn, unsigned order, uint32_t partner)
{
    const struct trace_event *e = &t->events[i];
    cr_expect(e->kind == kind && e->cpu == cpu && e->when == ns * PS_PER_NS && e->partner == partner, "event %u: kind %u cpu %u at %lu ps, partner %u", i,
              e->kind, e->cpu, (unsigned long)e->when, e->partner);
    if (kind != TRACE_INTERNAL)
        cr_expect(e->pfn == pfn && e->order == order, "event %u: pfn %lu order %u", i, (unsigned long)e->pfn, e->order);
}

Test(trace, ftrace_of_several_kernels)
{
    const struct trace *t = read_shipped("mixed.trace");
    cr_assert_not_null(t);
    cr_assert_eq(t->count, 12);
    cr_expect(t->other_count == 1 && t->lost_count == 7 && t->unknown_flag_count == 2 && t->lost_free_count == 0);
    is(t, 0, TRACE_ALLOC, 0, 0, 0x1000, 0, 5);
    is(t, 1, TRACE_ALLOC, 1, 10000, 0x1001, 0, 3);
    is(t, 2, TRACE_INTERNAL, 0, 20000, 0, 0, TRACE_NO_PARTNER);
    is(t, 3, TRACE_FREE, 3, 30000, 0x1001, 0, 1);
    is(t, 4, TRACE_ALLOC, 0, 40000, 8200, 2, TRACE_NO_PARTNER);
    is(t, 5, TRACE_FREE_BATCHED, 0, 50000, 0x1000, 0, 0);
    is(t, 6, TRACE_ECHO, 0, 51000, 0x1000, 0, TRACE_NO_PARTNER);
    is(t, 8, TRACE_FREE, 2, 60000, 0x99, 0, TRACE_NO_PARTNER); /* its clock is behind: no time goes back */
    is(t, 9, TRACE_FAILED, 2, 70000, 0, 4, TRACE_NO_PARTNER);
    is(t, 10, TRACE_ALLOC, 2, 80000, 0xffffea0001234040, 1, 11);
    is(t, 11, TRACE_FREE, 1, 90000, 0xffffea0001234040, 1, 10);
    cr_expect_eq(t->events[0].gfp, GFP_KERNEL | GFPM_ZERO);
    cr_expect_eq(t->events[1].gfp, GFP_ATOMIC | GFPM_NOWARN);
    cr_expect_eq(t->events[4].gfp, GFP_HIGHUSER_MOVABLE);
}

static void is_small(const struct trace *t)
{
    cr_assert_not_null(t);
    cr_assert_eq(t->count, 10);
    is(t, 0, TRACE_ALLOC, 0, 0, 500, 0, 3);
    is(t, 1, TRACE_ALLOC, 1, 1500, 600, 3, 6);
    is(t, 2, TRACE_INTERNAL, 0, 2000, 0, 0, TRACE_NO_PARTNER);
    is(t, 3, TRACE_FREE, 0, 4000, 500, 0, 0);
    is(t, 4, TRACE_ECHO, 0, 4000, 500, 0, TRACE_NO_PARTNER);
    is(t, 5, TRACE_FREE_BATCHED, 1, 6000, 777, 0, TRACE_NO_PARTNER);
    is(t, 6, TRACE_FREE, 0, 8000, 600, 3, 1);
    is(t, 8, TRACE_ALLOC, 5, 10000, 501, 0, TRACE_NO_PARTNER);
    cr_expect_eq(t->events[1].gfp, GFP_HIGHUSER_MOVABLE | GFPM_ZERO);
}

Test(trace, csv_plain_and_compressed)
{
    is_small(read_shipped("small.csv"));
    is_small(read_shipped("small.csv.gz"));
}

Test(trace, path_starts_at_the_folder_of_the_file_that_names_it)
{
    struct arena *arena = arena_new();
    struct origin by = { arena_printf(arena, "%s/tests/bad/some.yaml", source()), 3, 4 };
    is_small(trace_read(arena, diag_new(), "../traces/small.csv", by));
}

#define HEAD "cpu,t_us,event,pfn,order,gfp\n"
#define FT " a-1 [000] .... 1.000000: mm_page_alloc: page=12 pfn=0x5 order=0 migratetype=0 gfp_flags=GFP_KERNEL\n"

/* Two tellings are one free; of a second page life the same again; an allocation of a live page lost its free. */
Test(trace, frees_find_their_allocation)
{
    static const char text[] = HEAD "0,0,page_alloc,5,0,GFP_KERNEL\n0,1,page_free,5,0,\n0,2,page_free_batched,5,0,\n"
                               "0,3,page_alloc,5,0,GFP_KERNEL\n0,4,page_free_batched,5,0,\n0,5,page_free,5,0,\n"
                               "0,6,page_alloc,5,0,GFP_KERNEL\n0,7,page_alloc,5,0,GFP_KERNEL\n0,8,page_free,5,0,\n0,9,page_free,5,0,\n";
    const struct trace *t = read_of(text, strlen(text));
    static const uint32_t partner[] = { 1, 0, TRACE_NO_PARTNER, 4, 3, TRACE_NO_PARTNER, TRACE_NO_PARTNER, 8, 7, TRACE_NO_PARTNER };
    cr_assert_not_null(t, "%s", said);
    for (unsigned i = 0; i < 10; i++)
        cr_expect_eq(t->events[i].partner, partner[i], "event %u: %u", i, t->events[i].partner);
    cr_expect(t->events[2].kind == TRACE_ECHO && t->events[5].kind == TRACE_ECHO && t->events[9].kind == TRACE_FREE);
    cr_expect_eq(t->lost_free_count, 1);
}

/* As trace-cmd report and perf script print it, and ftrace with stacks. */
Test(trace, other_tools)
{
    static const char text[] = "version = 7\ncpus=4\n"
                               "             cc1-1402  [001]  5127.113457: mm_page_alloc:        page=0x12ab pfn=0x12ab order=0 migratetype=1 gfp_flags=GFP_HIGHUSER_MOVABLE\n"
                               "             cc1-1402  [001]  5127.113459: kernel_stack:         <stack trace>\n"
                               "=> get_page_from_freelist (ffffffff8116a1b2)\n\n"
                               "cc1  1402 [002]  5127.113460:       kmem:mm_page_free: page=0x12ab pfn=0x12ab order=0\n"
                               " a-1 [003] d..1. 5127.113461: <stack trace>\n => __free_pages\n";
    const struct trace *t = read_of(text, strlen(text));
    cr_assert_not_null(t, "%s", said);
    cr_assert_eq(t->count, 2);
    is(t, 0, TRACE_ALLOC, 1, 0, 0x12ab, 0, 1);
    is(t, 1, TRACE_FREE, 2, 3000, 0x12ab, 0, 0);
    cr_expect_eq(t->other_count, 2);
}

Test(trace, a_third_telling_is_a_free_of_its_own)
{
    static const char text[] = HEAD "0,1,page_free,5,0,\n0,2,page_free_batched,5,0,\n0,3,page_free_batched,5,0,\n0,4,page_free,5,0,\n";
    const struct trace *t = read_of(text, strlen(text));
    cr_assert_not_null(t, "%s", said);
    cr_expect(t->events[0].kind == TRACE_FREE && t->events[1].kind == TRACE_ECHO && t->events[2].kind == TRACE_FREE_BATCHED &&
              t->events[3].kind == TRACE_ECHO);
}

Test(trace, mistakes_have_their_place)
{
    refused(HEAD "0,0,page_allok,5,0,GFP_KERNEL\n", ":2:5:", "page_allok");
    refused(HEAD "0,0,page_allok,5,0,GFP_KERNEL\n", ":2:5:", "Did you mean \"page_alloc\"?");
    refused(HEAD "0,0,page_alloc,x5,0,GFP_KERNEL\n", ":2:16:", "no number for pfn");
    refused(HEAD "0,0,page_alloc,5,11,GFP_KERNEL\n", ":2:18:", "the largest is 10");
    refused(HEAD "0,0,page_alloc,5,0,GFP_KERNEL|KERNEL\n", ":2:31:", "\"KERNEL\" is no allocation flag");
    refused(HEAD "0,soon,page_alloc,5,0,GFP_KERNEL\n", ":2:3:", "no time");
    refused(HEAD "0,0,page_alloc\n", ":2:5:", "only 3 cells");
    refused("cpu,t_us,event,pfn,gfp\n0,0,page_alloc,5,GFP_KERNEL\n", ":1:1:", "no heading order");
    refused(FT "what is this\n", ":2:1:", "[CPU] FLAGS SECONDS");
    refused(FT " a-1 [000] .... 2: mm_page_free: pfn=0x5 order=0\n", ":2:6:", "[CPU] FLAGS SECONDS");
    refused(FT " a-1 [000] .... 2.0: mm_page_free: pfn=zz order=0\n", ":2:40:", "no number for pfn");
    refused(FT " a-1 [000] .... 2.0: mm_page_free: order=0\n", ":2:36:", "neither pfn= nor page=");
    refused(FT " a-1 [000] .... 2.0: mm_page_free: pfn=0x5\n", ":2:36:", "no order=");
    refused(FT " a-1 [000] .... 2.0: mm_page_alloc: pfn=0x6 order=0\n", ":2:37:", "no gfp_flags=");
    refused(FT " a-1 [000] .... 2.0:\n", ":2:21:", "no event's name");
    refused("", "", "no event of the page allocator");
    refused("# only comments\n", "", "no event of the page allocator");
}

Test(trace, what_is_no_text_is_refused)
{
    static char zeros[20000], long_line[20000];
    memset(long_line, 'a', sizeof long_line);
    cr_expect_null(read_of(zeros, sizeof zeros));
    cr_expect_not_null(strstr(said, ":1:1:"), "%s", said);
    cr_expect_null(read_of(long_line, sizeof long_line));
    cr_expect_not_null(strstr(said, "more than 4096 bytes"), "%s", said);
    static const char cut[] = "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" "abcdefgh";
    cr_expect_null(read_of(cut, sizeof cut));
    diag = diag_new();
    cr_expect_null(trace_read(arena_new(), diag, "/no/such/file", (struct origin){ .file = "x.yaml", .line = 3, .column = 9 }));
    cr_expect_null(trace_read(arena_new(), diag, "/tmp", (struct origin){ .file = "x.yaml", .line = 4, .column = 9 }));
    cr_expect_eq(diag_count(diag), 2);
}

/* Every flag of gfp.h under both prefixes, what it does not know, and numbers. */
Test(trace, flags_of_all_kernels)
{
    static const struct { const char *text; gfp_t flags; unsigned unknown; } cases[] = {
        { "GFP_ATOMIC", GFP_ATOMIC, 0 }, { "GFP_NOFS|__GFP_NOFAIL|__GFP_COMP", GFP_NOFS, 0 }, { "none", 0, 0 }, { "(null)", 0, 0 }, { "0x0", 0, 0 },
        { "GFP_KERNEL_ACCOUNT|__GFP_ZERO", GFP_KERNEL | GFPM_ZERO, 0 }, { "GFP_KERNEL|GFP_ZERO|GFP_NOWARN", GFP_KERNEL | GFPM_ZERO | GFPM_NOWARN, 0 },
        { "GFP_TEMPORARY", GFP_KERNEL | GFPM_RECLAIMABLE, 0 }, { "__GFP_RECLAIM|__GFP_IO|__GFP_FS", GFP_KERNEL, 0 },
        { "GFP_KERNEL|0x4000000", GFP_KERNEL, 1 }, { "GFP_KERNEL|__GFP_OF_2031", GFP_KERNEL, 1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gfp_t flags = 1;
        uint64_t unknown = 0;
        const char *wrong;
        cr_expect(trace_flags(cases[i].text, &flags, &unknown, &wrong), "%s", cases[i].text);
        cr_expect(flags == cases[i].flags && unknown == cases[i].unknown, "%s: %#x, %lu unknown", cases[i].text, flags, (unsigned long)unknown);
    }
    static const char *const bad[] = { "", "GFP_", "GFP_KERNEL|", "kernel", "__GFP_zero", "12x" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gfp_t flags;
        uint64_t unknown = 0;
        const char *wrong;
        cr_expect_not(trace_flags(bad[i], &flags, &unknown, &wrong), "%s", bad[i]);
    }
}
