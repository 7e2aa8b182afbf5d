/* src/cli/alloc.c - labyrinth alloc --explain: one decision of the page allocator, from numbers alone. Nothing is
 * simulated: the arithmetic is that of src/kern/watermark.h, which the simulated kernel uses too. */
#include "src/base/fail.h"
#include "src/cli/cli.h"
#include "src/kern/watermark.h"

#include <inttypes.h>
#include <string.h>

enum {
    KEY_EXPLAIN = 0x300, KEY_GFP, KEY_ORDER, KEY_FREE, KEY_MIN, KEY_LOW, KEY_BOOST, KEY_RESERVE, KEY_HIGHATOMIC, KEY_BLOCK,
    KEY_KERNEL
};

static const struct argp_option options[] = {
    { "explain", KEY_EXPLAIN, NULL, 0, "Work the decision through (the only thing this command does)", 0 },
    { "gfp", KEY_GFP, "FLAGS", 0,
      "Allocation flags: ATOMIC, 'GFP_KERNEL|__GFP_NOWARN', 'KERNEL & ~__GFP_IO', 0x820 (default: ATOMIC)", 0 },
    { "order", KEY_ORDER, "N", 0, "2^N pages are asked for (default: 0)", 0 },
    { "free", KEY_FREE, "PAGES", 0, "Free pages of the zone", 0 },
    { "min", KEY_MIN, "PAGES", 0, "Its min watermark", 0 },
    { "low", KEY_LOW, "PAGES", 0, "Its low watermark (default: min and a quarter of it)", 0 },
    { "boost", KEY_BOOST, "PAGES", 0, "Boost of the watermarks (default: 0)", 0 },
    { "lowmem-reserve", KEY_RESERVE, "PAGES", 0, "What the zone holds back from requests for higher zones (default: 0)", 0 },
    { "highatomic", KEY_HIGHATOMIC, "PAGES", 0, "nr_reserved_highatomic (default: 0)", 0 },
    { "no-block", KEY_BLOCK, NULL, 0, "No free list holds a block of this order or larger", 0 },
    { "kernel", KEY_KERNEL, "VERSION", 0, "5.15, 6.0, 6.3, 6.8, 6.13 or 6.16 (default: 6.8)", 0 },
    { 0 },
};

struct own {
    const char *gfp_text;
    enum kernel_version version;
    gfp_t gfp;
    unsigned order;
    uint64_t free_pages, min, low, boost, reserve, highatomic;
    bool explain, no_block, has_free, has_min, has_low;
};

static enum kernel_version version_of(const char *text)
{
    for (unsigned i = 0; i < KERNEL_VERSIONS; i++)
        if (strcmp(text, kernel_version_names[i]) == 0)
            return (enum kernel_version)i;
    fail_unknown("kernel version", text, kernel_version_names, KERNEL_VERSIONS);
}

static uint64_t pages(const char *option, const char *text) { return parse_number(option, text, 0, UINT64_C(1) << 31); }

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct own *own = state->input;
    switch (key) {
    case KEY_EXPLAIN: own->explain = true; break;
    case KEY_GFP: own->gfp_text = arg; break;
    case KEY_ORDER: own->order = (unsigned)parse_number("--order", arg, 0, 10); break;
    case KEY_FREE: own->free_pages = pages("--free", arg); own->has_free = true; break;
    case KEY_MIN: own->min = pages("--min", arg); own->has_min = true; break;
    case KEY_LOW: own->low = pages("--low", arg); own->has_low = true; break;
    case KEY_BOOST: own->boost = pages("--boost", arg); break;
    case KEY_RESERVE: own->reserve = pages("--lowmem-reserve", arg); break;
    case KEY_HIGHATOMIC: own->highatomic = pages("--highatomic", arg); break;
    case KEY_BLOCK: own->no_block = true; break;
    case KEY_KERNEL: own->version = version_of(arg); break;
    default: return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct usage usage = {
    .options = options, .parser = parse, .arguments = "--free PAGES --min PAGES",
    .doc = "Works one decision of the page allocator through: may this request have its pages from a zone in this state?\v"
           "First the check against the low watermark, which every request makes; then, if that fails, the one against min "
           "with what the flags allow. For example: labyrinth alloc --explain --gfp ATOMIC --order 0 --free 400 --min 1000",
};

/* ---- the text */

static void print_request(const struct own *o)
{
    char text[200];
    printf("request   order %u (%" PRIu64 " page%s), gfp 0x%x = %s, Linux %s\n", o->order, UINT64_C(1) << o->order,
           o->order == 0 ? "" : "s", gfp_value(o->version, o->gfp), gfp_text(o->version, o->gfp, text, sizeof text),
           kernel_rules(o->version)->name);
    printf("          %s; %s; %s\n", (o->gfp & GFPM_DIRECT_RECLAIM) != 0 ? "may sleep and reclaim" : "may not sleep",
           (o->gfp & GFPM_KSWAPD_RECLAIM) != 0 ? "wakes kswapd" : "does not wake kswapd",
           (o->gfp & GFPM_HIGH) != 0 ? "__GFP_HIGH: may use reserves" : "no __GFP_HIGH: no reserves");
}

static struct watermark_check decide(const struct own *o, unsigned alloc_flags, uint64_t mark)
{
    struct watermark_check c = { .rules = kernel_rules(o->version), .free_pages = o->free_pages, .mark = mark, .boost = o->boost,
                                 .lowmem_reserve = o->reserve, .highatomic = o->highatomic, .order = o->order,
                                 .alloc_flags = alloc_flags, .has_block = !o->no_block };
    watermark_decide(&c);
    return c;
}

/* How far down these flags reach, as a share of the mark, where rounding does not blur it. */
static void print_floor(const struct kernel_rules *r, unsigned flags)
{
    uint64_t floor = watermark_effective(r, 100000, flags);
    bool half = (flags & ALLOC_MIN_RESERVE) != 0, quarter = floor == (half ? 37500 : 75000);
    if ((flags & ALLOC_NO_WATERMARKS) != 0)
        printf("          watermarks are ignored: memory may be used up\n");
    else
        printf("          the floor is %" PRIu64 ".%" PRIu64 " %% of min%s%s\n", floor / 1000, floor % 1000 / 100,
               half ? ": half for __GFP_HIGH" : "",
               !quarter ? "" : half ? ", a quarter off what is left because it cannot wait"
                                    : ": a quarter off because it cannot wait");
}

static void print_check(const char *what, const struct watermark_check *c)
{
    char text[300], flags[120];
    printf("%s %s\n", what, alloc_flags_text(c->rules, c->alloc_flags, flags, sizeof flags));
    if ((c->alloc_flags & ALLOC_WMARK_MASK) == ALLOC_WMARK_MIN)
        print_floor(c->rules, c->alloc_flags);
    if (c->unusable != 0 && (c->alloc_flags & ALLOC_NO_WATERMARKS) == 0)
        printf("          unusable: 2^%u - 1 = %" PRIu64 "%s\n", c->order, (UINT64_C(1) << c->order) - 1,
               c->unusable >= (UINT64_C(1) << c->order) ? ", and the HIGHATOMIC reserve, which these flags may not use" : "");
    printf("          %s\n", watermark_explain(c, text, sizeof text));
}

static void print_answer(const struct own *o, const struct watermark_check *c, bool slow)
{
    bool reserve = slow && c->free_pages <= c->unusable + c->mark + c->lowmem_reserve;
    if (c->ok && reserve)
        printf("answer    granted, from the reserve that the flags allow\n");
    else if (c->ok)
        printf("answer    granted%s\n", slow ? ", after kswapd has been woken where the flags say so" : " at once");
    else if ((o->gfp & GFPM_DIRECT_RECLAIM) != 0)
        printf("answer    not now: the request goes on to direct reclaim%s\n", o->order != 0 ? " and compaction" : "");
    else
        printf("answer    refused by this zone; if no other zone helps, the allocation fails at once%s\n",
               (o->gfp & GFPM_NOWARN) != 0 ? ", silently" : ", with a warning");
}

static void explain(const struct own *o)
{
    const struct kernel_rules *r = kernel_rules(o->version);
    unsigned kswapd = (o->gfp & GFPM_KSWAPD_RECLAIM) != 0 ? ALLOC_KSWAPD : 0;
    print_request(o);
    struct watermark_check c = decide(o, ALLOC_WMARK_LOW | kswapd, o->low);
    print_check("fast path", &c);
    if (!c.ok) {
        c = decide(o, watermark_alloc_flags(r, o->gfp, o->order), o->min);
        print_check("slow path", &c);
        print_answer(o, &c, true);
    } else {
        print_answer(o, &c, false);
    }
}

static int run(int argc, char **argv)
{
    struct own own = { .gfp_text = "ATOMIC", .version = KERNEL_6_8 };
    char why[200];
    parse_arguments(&usage, argc, argv, &own);
    if (!gfp_parse(own.version, own.gfp_text, &own.gfp, why, sizeof why))
        fail_user("--gfp %s: %s", own.gfp_text, why);
    if (!own.explain)
        fail_user("alloc works one decision through: labyrinth alloc --explain --gfp ATOMIC --free 400 --min 1000");
    if (!own.has_free || !own.has_min)
        fail_user("alloc --explain needs --free PAGES and --min PAGES");
    if (!own.has_low)
        own.low = own.min + own.min / 4;
    if (own.low < own.min)
        fail_user("--low %" PRIu64 " is below --min %" PRIu64, own.low, own.min);
    explain(&own);
    return EXIT_CLEAN;
}

const struct command command_alloc = { "alloc", "--explain ...", "Work one decision of the page allocator through", run };
