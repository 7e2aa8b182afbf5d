/* tests/unit/test_config_node.c - reading, merging, paths, unread keys, and the text that reads back. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "src/base/rng.h"
#include "src/config/emit.h"
#include "src/config/node.h"
#include "src/config/read.h"

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

TestSuite(node, .init = setup, .fini = teardown);

static struct node *parse(const char *text)
{
    return read_text(arena, diag, (struct origin){ "t.yaml", 1, 1 }, text);
}

static char *printed(void)
{
    static char buffer[20000];
    FILE *out = fmemopen(buffer, sizeof buffer, "w");
    diag_print(diag, out);
    fclose(out);
    return buffer;
}

static void expect_tree(const struct node *root, const char *text)
{
    cr_assert_str_eq(emit_text(arena, root), text);
}

Test(node, positions_and_paths)
{
    struct node *root = parse("a: 1\nb:\n  c: [x, y]\n  d:\n    - name: owner\n      n: 3\n    - 5\n");
    cr_assert(root);
    struct node *n = node_at(root, "b.d.owner.n");
    cr_assert(n);
    cr_expect_eq(n->at.line, 6);
    cr_expect_eq(n->at.column, 10);
    cr_expect_eq(n->key_at.column, 7);
    char path[PATH_MAX_BYTES];
    cr_expect_str_eq(node_path(n, path), "b.d.owner.n");
    cr_expect_str_eq(node_path(node_at(root, "b.c.1"), path), "b.c.1");
    cr_expect_null(node_at(root, "b.c.2"));
    cr_expect_null(node_at(root, "b.d.0"), "an item with a name is addressed by it");
    cr_expect_not_null(node_at(root, "b.d.1"));
}

Test(node, merge_is_deep_and_keeps_origins)
{
    struct node *base = parse("l1: { size: 32KiB, ways: 8 }\nlist: [1, 2, 3]\nfreq: 2GHz\n");
    struct node *over = read_text(arena, diag, (struct origin){ "o.yaml", 1, 1 }, "list: [9]\nnew: x\nl1: { ways: 4 }\n");
    struct node *whole = node_merge(base, over);
    expect_tree(whole, "l1:\n  size: 32KiB\n  ways: 4\nlist: [9]\nfreq: 2GHz\nnew: x\n");
    cr_expect_str_eq(node_at(whole, "l1.ways")->at.file, "o.yaml");
    cr_expect_str_eq(node_at(whole, "l1.size")->at.file, "t.yaml");
    char path[PATH_MAX_BYTES];
    cr_expect_str_eq(node_path(node_at(whole, "l1.ways"), path), "l1.ways");
}

Test(node, merge_replaces_a_value_by_a_mapping_and_back)
{
    expect_tree(node_merge(parse("a: 1\nb: { c: 2 }\n"), parse("a: { x: 1 }\nb: 7\n")), "a:\n  x: 1\nb: 7\n");
}

Test(node, set_by_path)
{
    struct node *root = parse("agents:\n  - { name: owner, count: 1 }\n  - { name: other }\nsweep: { machine.cores: [1] }\n");
    cr_expect(node_set(diag, root, "agents.owner.count=10"));
    cr_expect(node_set(diag, root, "agents.other.exclusive=[lock, secure]"));
    cr_expect(node_set(diag, root, "machine.l1.size=64KiB"));
    cr_expect(node_set(diag, root, "sweep.machine.cores=[2, 4]"));
    cr_expect(node_set(diag, root, "title=a = b"));
    expect_tree(root, "agents:\n  - name: owner\n    count: 10\n  - name: other\n    exclusive: [lock, secure]\n"
                      "sweep:\n  machine.cores: [2, 4]\nmachine:\n  l1:\n    size: 64KiB\ntitle: a = b\n");
    cr_expect_str_eq(node_at(root, "agents.owner.count")->at.file, "--set agents.owner.count=10");
    cr_expect_eq(diag_count(diag), 0);
}

Test(node, set_refuses)
{
    struct node *root = parse("agents:\n  - { name: owner }\nseed: 3\n");
    static const char *const bad[] = { "agents.ownr.count=1", "seed.x=1", "=4", "seed", "a..b=1", ".a=1", "a.=1", "a b=1",
                                       "a=[1", "a=*x", "a=&x 1", "a=!t 1", "agents.7=1" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        cr_expect_not(node_set(diag, root, bad[i]), "%s", bad[i]);
        cr_expect_eq(diag_count(diag), i + 1, "%s: one error", bad[i]);
    }
    expect_tree(root, "agents:\n  - name: owner\nseed: 3\n");
    cr_expect(strstr(printed(), "Did you mean \"owner\"?"));
    cr_expect(strstr(printed(), "seed is the single value \"3\", it has no key x"));
}

Test(node, unread_keys_name_the_nearest_asked)
{
    struct node *root = parse("size: 1\nwasy: 2\nsub:\n  helo: 3\n  fine: 4\nlist:\n  - { name: a, odd: 1 }\n");
    node_get(root, "size");
    node_get(root, "ways");
    node_get(node_get(root, "sub"), "hello");
    node_get(node_peek(root, "sub"), "fine");
    node_get(node_get(root, "list")->first, "name");
    node_reject_unread(diag, root);
    cr_expect_str_eq(printed(), "t.yaml:2:1: wasy: unknown key\n  Did you mean \"ways\"?\n"
                                "t.yaml:4:3: sub.helo: unknown key\n  Did you mean \"hello\"?\n"
                                "t.yaml:7:16: list.a.odd: unknown key\n  Known here: name\n");
}

struct refusal {
    const char *text, *message;
};

Test(node, reader_refuses)
{
    static const struct refusal rows[] = {
        { "# nothing\n\n", "t.yaml: nothing but blanks" },
        { "a: 1\na: 2\n", "t.yaml:2:1: the key \"a\" stands here a second time (first in line 1)" },
        { "a: &x 1\n", "t.yaml:1:4: anchors" },
        { "a: *x\n", "t.yaml:1:4: aliases" },
        { "*x : 1\n", "t.yaml:1:1: an alias" },
        { "a: !!str 1\n", "t.yaml:1:4: tags" },
        { "a: !mine {b: 1}\n", "t.yaml:1:4: tags" },
        { "a: 1\n---\nb: 2\n", "t.yaml:2:1: a second document" },
        { "a:\n\tb: 1\n", "t.yaml:2:1: found character that cannot start any token" },
        { "a: [1, 2\n", "t.yaml:2:1: did not find expected ',' or ']'" },
        { "a: \"x\n", "t.yaml:2:1: found unexpected end of stream" },
        { "[a, b]: 1\n", "t.yaml:1:1: a key that is itself a list" },
        { "a: b: c\n", "t.yaml:1:5: mapping values are not allowed" },
        { "\"\": 1\n", "t.yaml:1:1: an empty key" },
        { "a: \"x\\0y\"\n", "t.yaml:1:4: a value contains the character NUL" },
        { "a: 1\nb: \x01\n", "t.yaml:2:4: not a text file: byte 0x01 at offset 8" },
        { "a: \xc3\x28\n", "t.yaml:1:4: not a text file: byte 0xc3" },
        { "a: \xed\xa0\x80\n", "t.yaml:1:4: not a text file: byte 0xed" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]\n", "t.yaml:1:33: nested too deeply" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        diag_free(diag);
        diag = diag_new();
        parse(rows[i].text);
        cr_expect_eq(diag_count(diag), 1, "%s", rows[i].text);
        cr_expect(strncmp(printed(), rows[i].message, strlen(rows[i].message)) == 0, "%s gave %s", rows[i].text, printed());
    }
}

Test(node, duplicates_do_not_hide_later_errors)
{
    cr_assert(parse("a: 1\na: 2\nb: {c: 1, c: 2}\n"));
    cr_expect_eq(diag_count(diag), 2);
}

Test(node, limits)
{
    char *text = malloc(6000000);
    char *end = text;
    for (int i = 0; i < 5000; i++)
        end += sprintf(end, "k%d: 1\n", i);
    cr_expect_null(parse(text));
    end = text;
    *end++ = '[';
    for (int i = 0; i < 100001; i++)
        end += sprintf(end, "1,");
    strcpy(end, "]");
    cr_expect_null(parse(text));
    memset(text, 'k', 200);
    strcpy(text + 200, ": 1\n");
    cr_expect_null(parse(text));
    cr_expect_eq(diag_count(diag), 3);
    memcpy(text, "a: ", 3);
    memset(text + 3, 'x', 3000000);
    text[3000003] = '\0';
    struct node *root = parse(text);
    cr_expect(root && strlen(node_peek(root, "a")->text) == 3000000);
    free(text);
}

Test(node, printing_is_in_order_and_capped)
{
    for (unsigned line = 2000; line > 0; line--)
        diag_error(diag, (struct origin){ "f.yaml", line, 1 }, NULL, NULL, "e%u", line);
    diag_error(diag, (struct origin){ "f.yaml", 1990, 1 }, "k", "Rule.", "later");
    cr_expect_eq(diag_count(diag), 2001);
    char *text = printed();
    cr_expect(strncmp(text, "f.yaml:1001:1: e1001\nf.yaml:1002:1: e1002\n", 42) == 0, "%.100s", text);
    cr_expect(strstr(text, "... and 1981 more\n"));
}

Test(node, shown_is_fit_for_one_line)
{
    char buffer[SHOWN_MAX], text[300];
    cr_expect_str_eq(shown(buffer, "a\nb\x7f"), "\"a?b?\"");
    for (size_t pad = 0; pad < 4; pad++) {
        memset(text, 'x', pad);
        for (size_t i = 0; i < 40; i++)
            memcpy(text + pad + 3 * i, "\xe2\x82\xac", 4);
        shown(buffer, text);
        size_t n = strlen(buffer);
        cr_expect(n < SHOWN_MAX && (n - 5 - pad) % 3 == 0, "cut inside a character: %s", buffer);
    }
}

/* ---- property: what emit_text writes reads back to the same tree ---------------------------- */

static bool equal(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind || a->count != b->count || node_empty(a) != node_empty(b))
        return false;
    if (a->kind == NODE_SCALAR)
        return strcmp(a->text, b->text) == 0;
    const struct node *y = b->first;
    for (const struct node *x = a->first; x; x = x->next, y = y->next)
        if ((x->key && strcmp(x->key, y->key) != 0) || !equal(x, y))
            return false;
    return true;
}

static const char *nasty_text(struct rng *r, bool key)
{
    static const char *const pieces[] = { "a", "-", " ", ":", "#", "'", "\"", "\\", "\n", "\t", ",", "[", "{", "&", "*", "!", "|",
                                          "%", "@", "`", "?", "~", "<<", "=", ".", "\xc3\xa9", "\xe2\x80\xa8", "\xef\xbb\xbf",
                                          "\xc2\x85", "\x01", "\x7f", "---", "...", "null", "12", "\r", "\xf0\x9f\x98\x80", "\xef\xbf\xbe" };
    char text[64] = "";
    uint64_t n = rng_below(r, 6);
    for (uint64_t i = 0; i < n; i++)
        strcat(text, pieces[rng_below(r, sizeof pieces / sizeof pieces[0])]);
    if (key && !*text)
        strcpy(text, "k");
    return arena_strdup(arena, text);
}

static struct node *random_tree(struct rng *r, int depth)
{
    struct origin at = { "random", 0, 0 };
    uint64_t kind = depth > 0 ? rng_below(r, 3) : 0;
    if (kind == 0) {
        struct node *leaf = node_scalar(arena, at, nasty_text(r, false));
        leaf->quoted = true;
        return leaf;
    }
    struct node *node = kind == 1 ? node_sequence(arena, at) : node_mapping(arena, at);
    for (uint64_t i = rng_below(r, 4); i > 0; i--) {
        struct node *child = random_tree(r, depth - 1);
        if (kind == 1)
            node_append(node, child);
        else
            node_put(node, nasty_text(r, true), at, child);
    }
    return node;
}

Test(node, emitted_text_reads_back)
{
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct rng r = rng_stream(seed, "test.emit");
        struct node *tree = random_tree(&r, 4);
        const char *text = emit_text(arena, tree);
        struct node *back = parse(text);
        cr_assert(back, "seed %lu: refused: %s\n%s", seed, text, printed());
        cr_assert(equal(tree, back), "seed %lu: changed:\n%s", seed, text);
        cr_assert_str_eq(emit_text(arena, back), text, "seed %lu: not stable", seed);
        struct node *flow = parse(emit_flow(arena, tree));
        cr_assert(flow && equal(tree, flow), "seed %lu: flow %s", seed, emit_flow(arena, tree));
    }
}

Test(node, digest_tells_texts_apart)
{
    cr_expect_neq(config_digest("a: 1\n"), config_digest("a: 2\n"));
    cr_expect_eq(config_digest("a: 1\n"), config_digest("a: 1\n"));
}

/* ---- random damage to a good text: refused or read, never a crash --------------------------- */

Test(node, damaged_texts)
{
    static const char good[] = "kind: experiment\ntitle: \"x: y\"\nagents:\n  - { name: a, on: core0 }\n  - name: b\n    list: [1, 2]\n";
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct rng r = rng_stream(seed, "test.damage");
        char text[sizeof good];
        memcpy(text, good, sizeof good);
        for (uint64_t n = 1 + rng_below(&r, 4); n > 0; n--)
            text[rng_below(&r, sizeof good - 1)] = (char)(1 + rng_below(&r, 255));
        text[rng_below(&r, sizeof good)] = '\0';
        diag_free(diag);
        diag = diag_new();
        struct node *root = parse(text);
        cr_assert(root || diag_count(diag) > 0, "seed %lu: refused without a word", seed);
    }
}
