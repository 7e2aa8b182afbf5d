/* tests/unit/test_script.c - operations as data: text and back, what is refused, draws, and that a list of what was drawn is the
 * same run as drawing it.
 */
#include "src/work/script.h"
#include "tests/unit/test_machine_rig.h"

static const struct script_mix everything = { .lines = 20, .pages = 4, .share = { 3000, 1000, 800, 700, 500, 500, 500, 500, 1500 } };

static const char *printed(const struct script_op *op)
{
    static char text[120];
    memset(text, 0, sizeof text);
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    script_print(f, op);
    fclose(f);
    return text;
}

static struct script_op parsed(const char *text, enum script_place place)
{
    struct script_op op;
    char what[200];
    cr_assert(script_parse(text, place, &op, what, sizeof what), "%s: %s", text, what);
    return op;
}

/* ---- text */

Test(script, what_is_drawn_reads_back)
{
    bool seen[SCRIPT_KINDS] = { false };
    for (unsigned place = ON_HART; place <= ON_DEVICE; place++) {
        struct rng r = rng_stream(5, "test script");
        for (unsigned i = 0; i < 20000; i++) {
            struct script_op op;
            script_draw(&r, &everything, (enum script_place)place, &op);
            seen[op.kind] = true;
            struct script_op again = parsed(printed(&op), (enum script_place)place);
            cr_assert(memcmp(&op, &again, sizeof op) == 0 || (again.kind == op.kind && !memcmp(op.arg, again.arg, sizeof op.arg)), "%s", printed(&op));
        }
    }
    for (unsigned k = 0; k < SCRIPT_KINDS; k++)
        cr_expect(seen[k], "operation %u is never drawn", k);
}

Test(script, operands_stand_in_their_order)
{
    struct script_op op = parsed("  store   line 3 byte 8 size 4", ON_HART);
    cr_expect(op.kind == SCRIPT_STORE && op.arg[0] == 3 && op.arg[1] == 8 && op.arg[2] == 4);
    cr_expect_str_eq(printed(&op), "store line 3 byte 8 size 4");
    op = parsed("read line 1020 count 4", ON_DEVICE);
    cr_expect(op.kind == SCRIPT_DMA_READ && op.arg[0] == 1020 && op.arg[1] == 4);
}

Test(script, mistakes_are_told)
{
    static const struct { enum script_place place; const char *text, *what; } wrong[] = {
        { ON_HART, "lod line 3 byte 8 size 4", "did you mean \"load\"" }, { ON_HART, "read line 0 count 1", "no operation of a hart" },
        { ON_DEVICE, "fence", "no operation of a device" },                { ON_HART, "load line 3 byte 8", "wants \"size\"" },
        { ON_HART, "load line 3 size 8 byte 0", "wants \"byte\"" },        { ON_HART, "load line 1024 byte 0 size 8", "0 to 1023" },
        { ON_HART, "load line -1 byte 0 size 8", "wants \"line\"" },       { ON_HART, "load line 1 byte 4 size 8", "a multiple of it" },
        { ON_HART, "load line 1 byte 0 size 3", "size is 1, 2, 4 or 8" },  { ON_HART, "load line 1 byte 0 size 0", "size is 1, 2, 4 or 8" },
        { ON_HART, "fence now", "too much" },                              { ON_DEVICE, "write line 1023 count 2", "at most 1024" },
        { ON_DEVICE, "write line 3 count 0", "at least 1" },               { ON_HART, "user-load page 1 line 64", "lines 0 to 63" },
        { ON_HART, "grant page 8 parts 15", "0 to 7" },                    { ON_HART, "grant page 0 parts 16", "0 to 15" },
        { ON_HART, "", "nothing is there" },                               { ON_HART, "flush line 1x", "wants \"line\"" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct script_op op;
        char what[200] = "";
        cr_expect(!script_parse(wrong[i].text, wrong[i].place, &op, what, sizeof what), "%s", wrong[i].text);
        cr_expect(strstr(what, wrong[i].what), "%s: %s", wrong[i].text, what);
    }
}

/* ---- runs */

#define HEAD "kind: experiment\ntitle: script\nmachine: { base: mean, cores: 2, devices: { count: 1 } }\nkernel: { memory: 16MiB }\nseed: 9\nagents:\n"
enum { OPS = 400 };

static void list(FILE *f, const char *name, const char *program, enum script_place place)
{
    struct rng r = agent_rng(9, name, 0);
    fprintf(f, "  - { name: %s, on: %s, program: %s, count: %d, ops: \"", name, name, program, OPS);
    for (unsigned i = 0; i < OPS; i++) {
        struct script_op op;
        script_draw(&r, &everything, place, &op);
        fprintf(f, "%s; ", printed(&op));
    }
    fputs("\" }\n", f);
}

/* What stress draws, a script does again: the same order of everything. */
Test(script, a_list_of_draws_is_the_same_run)
{
    static const char drawn[] = HEAD
        "  - { name: core0, on: core0, program: stress, count: 400, lines: 20, pages: 4, loads: 30%, atomics: 10%, flushes: 8%, fences: 7%, "
        "string_stores: 5%, nt_stores: 5%, prefetches: 5%, waits: 5%, page_operations: 15% }\n"
        "  - { name: core1, on: core1, program: stress, count: 400, lines: 20, pages: 4, loads: 30%, atomics: 10%, flushes: 8%, fences: 7%, "
        "string_stores: 5%, nt_stores: 5%, prefetches: 5%, waits: 5%, page_operations: 15% }\n"
        "  - { name: device0, on: device0, program: stress-dma, count: 400, lines: 20, pages: 4 }\n";
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    fputs(HEAD, f);
    list(f, "core0", "script", ON_HART);
    list(f, "core1", "script", ON_HART);
    list(f, "device0", "script-dma", ON_DEVICE);
    fclose(f);
    struct run r = run_text(drawn, usual(), NULL);
    expect_stop(&r, RUN_DONE);
    uint64_t hash = r.result->order_hash;
    tick time = r.result->time_ps;
    cr_expect_geq(stats(&r, CLASS_GRANT)->latency.count, 1);
    cr_expect_geq(stats(&r, CLASS_DMA_WRITE)->latency.count, 1);
    run_free(&r);
    r = run_text(text, usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(r.result->order_hash, hash);
    cr_expect_eq(r.result->time_ps, time);
    run_free(&r);
    free(text);
}

/* Any part of a list is a list: operations without an object do nothing, and a list is begun anew as long as count lasts. */
Test(script, operations_without_an_object_do_nothing)
{
    struct run r = run_text(HEAD "  - { name: a, on: core0, program: script, count: 21, ops: \"drop page 1; grant page 0 parts 15; user-load page 3 line 0; "
                                 "put; user-store page 2 line 9; drop page 7; wait cycles 0\" }\n"
                                 "  - { name: d, on: device0, program: script-dma, count: 4, ops: \"page-read page 0 line 1; page-write page 5 line 3\" }\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_null(account_stats(r.result->account, CLASS_GRANT));
    cr_expect_null(account_stats(r.result->account, CLASS_DMA_READ));
    cr_expect_null(account_stats(r.result->account, CLASS_FREE));
    run_free(&r);
}

/* A page goes from one hart to another, is reached for while it is granted, and comes back. */
Test(script, a_page_is_mapped_touched_and_granted)
{
    struct run r = run_text(HEAD "  - { name: a, on: core0, program: script, count: 3, ops: \"alloc page 0; wait cycles 9000; grant page 0 parts 15\" }\n"
                                 "  - { name: b, on: core1, program: script, count: 3, ops: \"wait cycles 6000; user-load page 0 line 5; user-load page 0 line 6\" }\n"
                                 "  - { name: d, on: device0, program: script-dma, count: 4, ops: \"pause ns 6000; page-write page 0 line 3; pause ns 400000; page-read page 0 line 3\" }\n",
                            usual(), NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(stats(&r, CLASS_GRANT)->latency.count, 1);
    cr_expect_eq(stats(&r, CLASS_DMA_WRITE)->latency.count, 1);
    cr_expect_eq(stats(&r, CLASS_DMA_READ)->latency.count, 1);
    cr_expect_eq(counter(&r, "device0.refused_count"), 1, "after the grant the IOMMU refuses");
    cr_expect_eq(counter(&r, "script.page_faults"), 0);
    cr_expect_eq(counter(&r, "script.loose_pages"), 0);
    run_free(&r);
}
