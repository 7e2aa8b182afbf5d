/* tests/unit/test_config_param.c - one table: filling, messages, dump, schema, reference. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>

#include "src/base/json.h"
#include "src/base/rng.h"
#include "src/config/emit.h"
#include "src/config/param.h"
#include "src/config/quantity.h"
#include "src/config/read.h"

enum policy { LRU, PLRU, RANDOM_WAY };
static const char *const policies[] = { "lru", "plru", "random", NULL };
static const char *const parts[] = { "coherence", "device", "lock", "secure", NULL };

struct timing {
    uint32_t hit_ps;
    uint64_t fill_ps;
};
struct cache {
    uint64_t size_bytes;
    uint8_t ways_count;
    uint16_t scan_cycles;
    uint64_t clock_hz, rate_per_s;
    uint32_t share_permyriad;
    bool enabled;
    enum policy policy;
    const char *note, *label;
    struct timing timing;
    uint32_t banks_count;
    uint8_t parts;
};

static const struct param timing_params[] = {
    { .key = "hit", .type = P_TIME, PARAM_FIELD(struct timing, hit_ps), .min = 1000, .max = 100000, .deflt = "4cycles",
      .help = "Load to use, on a hit." },
    { .key = "fill", .type = P_TIME, .flags = PARAM_ADVANCED, PARAM_FIELD(struct timing, fill_ps), .deflt = "0ps",
      .help = "From the last beat to the | line's use." },
    { .key = NULL },
};
static const struct param cache_params[] = {
    { .key = "size", .type = P_BYTES, .flags = PARAM_POW2, PARAM_FIELD(struct cache, size_bytes), .min = 1024, .max = 1 << 20,
      .deflt = "32KiB", .help = "Capacity of one private cache." },
    { .key = "ways", .type = P_UINT, .flags = PARAM_POW2 | PARAM_REQUIRED, PARAM_FIELD(struct cache, ways_count), .min = 1,
      .max = 32, .help = "Lines that share a set." },
    { .key = "scan", .type = P_CYCLES, PARAM_FIELD(struct cache, scan_cycles), .deflt = "2cycles", .help = "Tag scan." },
    { .key = "clock", .type = P_HZ, PARAM_FIELD(struct cache, clock_hz), .min = 1000, .deflt = "2.13GHz", .help = "Clock." },
    { .key = "rate", .type = P_RATE, PARAM_FIELD(struct cache, rate_per_s), .deflt = "1000/s", .help = "Refreshes." },
    { .key = "share", .type = P_PERMYRIAD, PARAM_FIELD(struct cache, share_permyriad), .max = 10000, .deflt = "12.5%",
      .help = "Share of ways kept free." },
    { .key = "enabled", .type = P_BOOL, PARAM_FIELD(struct cache, enabled), .deflt = "true", .help = "Is it there at all." },
    { .key = "policy", .type = P_CHOICE, PARAM_FIELD(struct cache, policy), .choices = policies, .deflt = "plru",
      .help = "Which way is reused." },
    { .key = "note", .type = P_STRING, PARAM_FIELD(struct cache, note), .deflt = "", .help = "Anything." },
    { .key = "label", .type = P_STRING, PARAM_FIELD(struct cache, label), .help = "Nothing unless given." },
    { .key = "timing", .type = P_GROUP, PARAM_FIELD(struct cache, timing), .group = timing_params, .help = "Latencies." },
    { .key = "banks", .type = P_UINT, PARAM_FIELD(struct cache, banks_count), .min = 1, .max = 64,
      .help = "Banks; chosen by the machine unless given." },
    { .key = "exclusive", .type = P_SET, PARAM_FIELD(struct cache, parts), .choices = parts, .deflt = "lock, secure",
      .help = "What exclusive means." },
    { .key = NULL },
};

static struct arena *arena;
static struct diag *diag;

static void setup(void)
{
    arena = arena_new();
    diag = diag_new();
}

static void teardown(void)
{
    diag_free(diag);
    arena_free(arena);
}

TestSuite(param, .init = setup, .fini = teardown);

static struct cache fill(const char *text)
{
    struct cache cache = { 0 };
    struct param_ctx ctx = { .arena = arena, .diag = diag, .period_ps = 400, .at = { "t.yaml", 0, 0 } };
    struct node *root = text ? read_text(arena, diag, (struct origin){ "t.yaml", 1, 1 }, text) : NULL;
    param_fill(root, cache_params, &cache, &ctx);
    if (root)
        node_reject_unread(diag, root);
    return cache;
}

static char *printed(void)
{
    static char buffer[20000];
    FILE *out = fmemopen(buffer, sizeof buffer, "w");
    diag_print(diag, out);
    fclose(out);
    return buffer;
}

Test(param, tables_are_sound)
{
    param_table_check(cache_params);
}

Test(param, defaults_and_given_values)
{
    struct cache c = fill("ways: 4\ntiming: { hit: 4.5cycles }\nclock: 1GHz\nlabel: x y\n");
    cr_expect_eq(diag_count(diag), 0, "%s", printed());
    cr_expect_eq(c.size_bytes, 32768);
    cr_expect_eq(c.ways_count, 4);
    cr_expect_eq(c.scan_cycles, 2);
    cr_expect_eq(c.clock_hz, 1000000000);
    cr_expect_eq(c.share_permyriad, 1250);
    cr_expect(c.enabled);
    cr_expect_eq(c.policy, PLRU);
    cr_expect_eq(c.parts, 12);
    cr_expect_str_eq(c.note, "");
    cr_expect_str_eq(c.label, "x y");
    cr_expect_eq(c.timing.hit_ps, 1800);
    cr_expect_eq(c.banks_count, 0, "no default: left alone");
}

Test(param, all_errors_in_one_run)
{
    fill("size: 48KiB\nways: 64\nscan: 5ns\nclock: 2.2\nshare: 101%\nenabled: si\npolicy: plur\n"
         "timing: { hit: 1000 cycles, fil: 3ns }\nnote: [a]\nbanks:\nbank: 3\n");
    cr_expect_str_eq(printed(),
        "t.yaml:1:7: size: \"48KiB\" is not a power of two (nearest: 32KiB and 64KiB; allowed: 1KiB to 1MiB)\n"
        "  Capacity of one private cache.\n"
        "t.yaml:2:7: ways: \"64\" is out of range (allowed: 1 to 32)\n"
        "  Lines that share a set.\n"
        "t.yaml:3:7: scan: \"5ns\" has the unknown unit \"ns\", allowed are cycles\n"
        "  Cycles of the part's own clock, whole: 14cycles.\n"
        "t.yaml:4:8: clock: \"2.2\" has no unit, allowed are Hz, kHz, MHz, GHz\n"
        "  A frequency has a unit: Hz, kHz, MHz or GHz.\n"
        "t.yaml:5:8: share: \"101%\" is out of range (allowed: 0% to 100%)\n"
        "  Share of ways kept free.\n"
        "t.yaml:6:10: enabled: \"si\" is given, allowed are true and false\n"
        "  A switch is true or false.\n"
        "t.yaml:7:9: policy: \"plur\" is not one of the choices\n"
        "  Which way is reused.\n"
        "  Did you mean \"plru\"?\n"
        "t.yaml:8:16: timing.hit: \"1000 cycles\" is out of range (allowed: 3cycles to 250cycles)\n"
        "  Load to use, on a hit.\n"
        "t.yaml:8:29: timing.fil: unknown key\n"
        "  Did you mean \"fill\"?\n"
        "t.yaml:9:7: note: a list is given, allowed is a single value\n"
        "  Anything.\n"
        "t.yaml:10:7: banks: nothing is given, allowed is a single value\n"
        "  Banks; chosen by the machine unless given.\n"
        "t.yaml:11:1: bank: unknown key\n"
        "  Did you mean \"banks\"?\n");
}

Test(param, sets_of_choices)
{
    static const struct {
        const char *text;
        unsigned parts;
    } rows[] = { { "none", 0 }, { "all", 15 }, { "device", 2 }, { "[coherence, lock]", 5 }, { "\"secure, lock\"", 12 }, { "[]", 0 } };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(fill(arena_printf(arena, "ways: 1\nexclusive: %s\n", rows[i].text)).parts, rows[i].parts, "%s", rows[i].text);
    cr_expect_eq(diag_count(diag), 0, "%s", printed());
    cr_expect_eq(fill("ways: 1\nexclusive: [lock, devcie, all]\n").parts, 12, "after an error the default stays");
    cr_expect_str_eq(printed(), "t.yaml:2:19: exclusive.1: \"devcie\" is not one of the choices\n  What exclusive means.\n"
                                "  Did you mean \"device\"?\n"
                                "t.yaml:2:27: exclusive.2: \"all\" is not one of the choices\n  What exclusive means.\n"
                                "  Known here: coherence, device, lock, secure\n");
}

Test(param, lists)
{
    static const struct param item = { .key = "far", .type = P_TIME, .width = 4, .min = 1000, .help = "Distances." };
    struct param_ctx ctx = { .arena = arena, .diag = diag, .period_ps = 400 };
    struct node *root = read_text(arena, diag, (struct origin){ "t.yaml", 1, 1 }, "a: [1ns, 5cycles, 3ns]\nb: 4ns\nc: [1ps, 2]\nd: []\n");
    uint32_t ps[3] = { 0 };
    cr_expect_eq(param_parse_list(node_at(root, "a"), &item, ps, 3, &ctx), 3);
    cr_expect(ps[0] == 1000 && ps[1] == 2000 && ps[2] == 3000);
    cr_expect_eq(param_parse_list(node_at(root, "b"), &item, ps, 3, &ctx), 1);
    cr_expect_eq(ps[0], 4000);
    cr_expect_eq(param_parse_list(node_at(root, "d"), &item, ps, 3, &ctx), 0);
    cr_expect_eq(diag_count(diag), 0);
    cr_expect_eq(param_parse_list(node_at(root, "c"), &item, ps, 3, &ctx), 0);
    cr_expect_eq(diag_count(diag), 2);
    cr_expect_eq(param_parse_list(node_at(root, "a"), &item, ps, 2, &ctx), 0);
    cr_expect(strstr(printed(), "a: a list of 3 values, allowed are at most 2"));
}

Test(param, missing_keys)
{
    fill("size: 1KiB\n");
    cr_expect_str_eq(printed(), "t.yaml:1:1: ways: this key is missing and has no default\n  Lines that share a set.\n");
    fill(NULL);
    cr_expect_eq(diag_count(diag), 2);
}

Test(param, narrow_fields_limit_the_range)
{
    fill("ways: 1\nscan: 65536cycles\n");
    cr_expect(strstr(printed(), "scan: \"65536cycles\" is out of range (allowed: 0cycles to 65535cycles)"), "%s", printed());
    cr_expect_eq(diag_count(diag), 1);
}

/* Property: any descriptor, dumped and read again, is the same descriptor. */
Test(param, dump_reads_back)
{
    for (uint64_t seed = 1; seed <= 2000; seed++) {
        struct rng r = rng_stream(seed, "test.param");
        struct cache a = {
            .size_bytes = 1024u << rng_below(&r, 11), .ways_count = (uint8_t)(1u << rng_below(&r, 6)),
            .scan_cycles = (uint16_t)rng_next(&r), .clock_hz = 1000 + (rng_next(&r) >> 8),
            .rate_per_s = rng_next(&r) >> rng_below(&r, 64), .share_permyriad = (uint32_t)rng_below(&r, 10001),
            .enabled = rng_chance(&r, 1, 2), .policy = (enum policy)rng_below(&r, 3),
            .note = rng_chance(&r, 1, 2) ? "a: b # c" : "", .label = rng_chance(&r, 1, 2) ? "\"q\"\n" : NULL,
            .timing = { (uint32_t)rng_between(&r, 1000, 100000), rng_next(&r) }, .banks_count = (uint32_t)rng_below(&r, 65), .parts = (uint8_t)rng_below(&r, 16),
        };
        const char *text = emit_text(arena, param_node(arena, cache_params, &a));
        struct cache b = fill(text);
        cr_assert_eq(diag_count(diag), 0, "seed %lu: %s\n%s", seed, printed(), text);
        cr_assert(a.size_bytes == b.size_bytes && a.ways_count == b.ways_count && a.scan_cycles == b.scan_cycles &&
                  a.clock_hz == b.clock_hz && a.rate_per_s == b.rate_per_s && a.share_permyriad == b.share_permyriad &&
                  a.enabled == b.enabled && a.policy == b.policy && strcmp(a.note, b.note) == 0 &&
                  (a.label == b.label || strcmp(a.label, b.label) == 0) && a.timing.hit_ps == b.timing.hit_ps &&
                  a.timing.fill_ps == b.timing.fill_ps && a.banks_count == b.banks_count && a.parts == b.parts, "seed %lu:\n%s", seed, text);
        cr_assert_str_eq(emit_text(arena, param_node(arena, cache_params, &b)), text);
    }
}

static const char *schema_text(void)
{
    static char buffer[20000];
    FILE *out = fmemopen(buffer, sizeof buffer, "w");
    struct json json = json_writer(out, false);
    json_object(&json, NULL);
    param_schema(&json, cache_params);
    json_end(&json);
    json_finish(&json);
    fclose(out);
    return buffer;
}

/* JSON is YAML: our own reader is a second opinion on the writer's form. */
Test(param, schema_is_valid)
{
    struct node *root = read_text(arena, diag, (struct origin){ "schema", 1, 1 }, schema_text());
    cr_assert(root, "%s\n%s", printed(), schema_text());
    cr_expect_str_eq(node_at(root, "type")->text, "object");
    cr_expect_str_eq(node_at(root, "additionalProperties")->text, "false");
    cr_expect_str_eq(node_at(root, "required.0")->text, "ways");
    cr_expect_eq(node_at(root, "properties")->count, 13);
    cr_expect_str_eq(node_at(root, "properties.ways.minimum")->text, "1");
    cr_expect_str_eq(node_at(root, "properties.ways.maximum")->text, "32");
    cr_expect_str_eq(node_at(root, "properties.policy.enum.2")->text, "random");
    cr_expect_str_eq(node_at(root, "properties.size.default")->text, "32KiB");
    cr_expect_str_eq(node_at(root, "properties.timing.properties.hit.type")->text, "string");
    cr_expect(strstr(schema_text(), "\"default\": true"));
}

Test(param, manual_has_every_key)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    param_manual(out, "Cache", cache_params);
    fclose(out);
    cr_expect(strstr(text, "| `size` | size | 1KiB to 1MiB, a power of two | 32KiB | Capacity of one private cache. |\n"), "%s", text);
    cr_expect(strstr(text, "| `ways` | count | 1 to 32, a power of two | must be given | Lines that share a set. |\n"));
    cr_expect(strstr(text, "| `policy` | choice | lru, plru, random | plru |"));
    cr_expect(strstr(text, "| `timing.hit` |"));
    cr_expect(strstr(text, "the \\| line's"), "a bar in a cell is escaped");
    cr_expect_gt(strstr(text, "`timing.fill`"), strstr(text, "`banks`"), "advanced keys come last");
    free(text);
}

Test(param, errors_end_with_status_2, .exit_code = 2)
{
    cr_redirect_stderr();
    fill("ways: 3\n");
    diag_exit_if_errors(diag);
}
