/* tests/unit/test_config_experiment.c - experiments, bases, sources, sweeps; the bad files of tests/bad
 * through the loader (tests/bad/run.sh takes them through the program). */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/rng.h"
#include "src/config/emit.h"
#include "src/config/experiment.h"
#include "src/config/find.h"
#include "src/config/read.h"
#include "src/config/sources.h"

static struct arena *arena;
static struct diag *diag;
static char folder[] = "/tmp/test_config.XXXXXX";

static void put(const char *name, const char *text)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "w");
    cr_assert(out);
    fputs(text, out);
    fclose(out);
}

static void setup(void)
{
    arena = arena_new();
    diag = diag_new();
    cr_assert(mkdtemp(folder));
    char path[300];
    snprintf(path, sizeof path, "%s/machines", folder);
    cr_assert_eq(mkdir(path, 0700), 0);
    setenv("LABYRINTH_CONFIGS", folder, 1);
    put("machines/tiny.yaml", "kind: machine\ntitle: For reading\ncores: 2\nl1: { size: 1KiB, hit: 4cycles }\n"
                              "devices:\n  - { name: nic, rate: 1000/s }\n"
                              "sources: { cores: guess, l1: guess, devices: guess }\n");
    put("machines/small.yaml", "kind: machine\nbase: tiny\ncores: 4\nsources: { cores: \"a book\" }\n");
}

static void teardown(void)
{
    char command[400];
    diag_free(diag);
    arena_free(arena);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_expect_eq(system(command), 0);
}

TestSuite(experiment, .init = setup, .fini = teardown);

static char *printed(void)
{
    static char buffer[40000];
    FILE *out = fmemopen(buffer, sizeof buffer, "w");
    diag_print(diag, out);
    fclose(out);
    return buffer;
}

#define AGENTS "agents:\n  - { name: owner, on: core0, program: p, count: 10 }\n  - { name: readers, on: core1-, program: q }\n"

static struct experiment_doc load(const char *text, const char *const *sets, size_t n)
{
    struct experiment_doc doc;
    char path[300];
    put("e.yaml", text);
    snprintf(path, sizeof path, "%s/e.yaml", folder);
    experiment_load(arena, diag, path, sets, n, &doc);
    return doc;
}

Test(experiment, base_then_overrides_then_sets)
{
    static const char *const sets[] = { "agents.owner.count=3", "machine.devices.nic.rate=5/s", "machine.l1.hit=9cycles", "seed=7" };
    struct experiment_doc doc = load("kind: experiment\ntitle: T\nmachine: { base: small, l1: { hit: 5cycles } }\nprotocol: mesi\n" AGENTS
                                     "limit: 2.5us\n", sets, 4);
    cr_assert_eq(diag_count(diag), 0, "%s", printed());
    cr_expect_str_eq(node_at(doc.machine, "cores")->text, "4");
    cr_expect_str_eq(node_at(doc.machine, "l1.size")->text, "1KiB");
    cr_expect_str_eq(node_at(doc.machine, "l1.hit")->text, "9cycles");
    cr_expect_str_eq(node_at(doc.root, "machine.devices.nic.rate")->text, "5/s");
    cr_expect_str_eq(node_at(doc.agents, "owner.count")->text, "3");
    cr_expect_null(node_at(doc.machine, "base"));
    cr_expect_str_eq(source_of(doc.machine, "l1.hit"), "guess");
    cr_expect_str_eq(source_of(doc.machine, "cores"), "a book");
    cr_expect_null(source_of(doc.machine, "cor"));
    cr_expect_eq(doc.seed, 7);
    cr_expect_eq(doc.limit_ps, 2500000);
    cr_expect_str_eq(doc.title, "T");
    cr_expect_eq(doc.axes.points_count, 1);
}

Test(experiment, a_set_can_change_the_base)
{
    static const char *const sets[] = { "machine.base=small" }, *const name[] = { "machine=small" };
    cr_expect_str_eq(node_at(load("kind: experiment\nmachine: tiny\n" AGENTS, NULL, 0).machine, "cores")->text, "2");
    cr_expect_str_eq(node_at(load("kind: experiment\nmachine: tiny\n" AGENTS, sets, 1).machine, "cores")->text, "4");
    cr_expect_str_eq(node_at(load("kind: experiment\nmachine: tiny\n" AGENTS, name, 1).machine, "cores")->text, "4");
    cr_expect_eq(diag_count(diag), 0, "%s", printed());
}

Test(experiment, effective_text_loads_again)
{
    struct experiment_doc doc = load("kind: experiment\nmachine: { base: small }\n" AGENTS, NULL, 0);
    const char *text = emit_text(arena, doc.root);
    struct experiment_doc again = load(text, NULL, 0);
    cr_expect_eq(diag_count(diag), 0, "%s", printed());
    cr_expect_str_eq(emit_text(arena, again.root), text);
    cr_expect_eq(config_digest(text), config_digest(emit_text(arena, again.root)));
}

Test(experiment, unread_keys_of_the_machine_point_into_its_file)
{
    struct experiment_doc doc = load("kind: experiment\nmachine: { base: tiny, l1: { hti: 3cycles } }\n" AGENTS, NULL, 0);
    struct node *l1 = node_get(doc.machine, "l1");
    node_get(l1, "hit");
    node_get(doc.machine, "cores");
    node_use_all(doc.agents);
    node_reject_unread(diag, doc.root);
    cr_expect(strstr(printed(), "machines/tiny.yaml:4:7: machine.l1.size: unknown key"), "%s", printed());
    cr_expect(strstr(printed(), "e.yaml:2:30: machine.l1.hti: unknown key\n  Did you mean \"hit\"?"));
    cr_expect(strstr(printed(), "tiny.yaml:5:1: machine.devices: unknown key"));
    cr_expect_eq(diag_count(diag), 3);
}

/* `l1` is no source of l10.hit; of two sources of one value the longer path counts. */
Test(experiment, sources_cover_whole_names_and_the_longest_counts)
{
    put("machines/long.yaml", "kind: machine\nl1: { size: 1KiB, hit: 4cycles }\nl10: { hit: 5cycles }\n"
                              "sources: { l1: a book, l1.hit: a measurement }\n");
    struct node *machine = machine_load(arena, diag, "long", (struct origin){ "test", 0, 0 }, NULL);
    cr_assert(machine);
    cr_expect_eq(diag_count(diag), 1);
    cr_expect(strstr(printed(), "no source for l10.hit"), "%s", printed());
    cr_expect_str_eq(source_of(machine, "l1.hit"), "a measurement");
    cr_expect_str_eq(source_of(machine, "l1.size"), "a book");
    cr_expect_null(source_of(machine, "l10.hit"));
}

/* The same file under another name is the same file. */
Test(experiment, a_circle_of_bases_is_seen_through_its_names)
{
    put("machines/round.yaml", "kind: machine\nbase: ./../machines/round.yaml\n");
    cr_expect_null(machine_load(arena, diag, "round", (struct origin){ "test", 0, 0 }, NULL));
    cr_expect_eq(diag_count(diag), 1);
    cr_expect(strstr(printed(), "the bases form a circle"), "%s", printed());
}

Test(experiment, sweep_points_in_written_order)
{
    struct experiment_doc doc = load("kind: experiment\nmachine: tiny\n" AGENTS
        "sweep: { machine.cores: [2, 4, 8], agents.owner.exclusive: [none, [coherence, device]], machine.base: [tiny, small] }\n", NULL, 0);
    cr_assert_eq(diag_count(diag), 0, "%s", printed());
    cr_assert_eq(doc.axes.points_count, 12);
    static const char *const fourth[] = { "machine.cores=2", "agents.owner.exclusive=[coherence, device]", "machine.base=small" };
    static const char *const last[] = { "machine.cores=8", "agents.owner.exclusive=[coherence, device]", "machine.base=small" };
    for (size_t i = 0; i < 3; i++) {
        cr_expect_str_eq(sweep_point(arena, &doc.axes, 3)[i], fourth[i]);
        cr_expect_str_eq(sweep_point(arena, &doc.axes, 11)[i], last[i]);
    }
    cr_expect_str_eq(sweep_value(&doc.axes, 4, 0), "4");
    struct experiment_doc point;
    cr_expect(experiment_load(arena, diag, doc.path, sweep_point(arena, &doc.axes, 11), 3, &point), "%s", printed());
    cr_expect_str_eq(node_at(point.machine, "cores")->text, "8");
    cr_expect_str_eq(node_at(point.agents, "owner.exclusive.1")->text, "device");
}

Test(experiment, names_are_listed)
{
    const char **names;
    size_t n = config_list(arena, "machines", &names);
    cr_assert(n >= 2);
    for (size_t i = 1; i < n; i++)
        cr_expect(strcmp(names[i - 1], names[i]) < 0);
}

Test(experiment, too_large_missing_or_no_file)
{
    char path[300];
    snprintf(path, sizeof path, "%s/big.yaml", folder);
    put("big.yaml", "kind: experiment\n");
    cr_assert_eq(truncate(path, 100 << 20), 0);
    cr_expect_null(read_file(arena, diag, path));
    cr_expect(strstr(printed(), "big.yaml: larger than 4 MiB"));
    cr_expect_null(read_file(arena, diag, folder));
    cr_expect(strstr(printed(), "it is a folder"));
    cr_expect_null(read_file(arena, diag, "/nonexistent/x.yaml"));
    cr_expect(strstr(printed(), "/nonexistent/x.yaml: cannot be read: No such file or directory"));
    cr_expect_null(read_file(arena, diag, "/dev/zero"));
    cr_expect_eq(diag_count(diag), 4);
}

/* ---- tests/bad ------------------------------------------------------------------------------- */

static void check_one(const char *path)
{
    const char *kind = config_kind(arena, diag, "experiments", path);
    struct experiment_doc doc;
    if (!kind)
        return;
    if (strcmp(kind, "machine") == 0)
        machine_load(arena, diag, path, (struct origin){ path, 0, 0 }, NULL);
    if (strcmp(kind, "experiment") != 0)
        return;
    experiment_load(arena, diag, path, NULL, 0, &doc);
    node_use_all(doc.machine);
    node_use_all(doc.protocol);
    node_use_all(doc.kernel);
    node_use_all(doc.agents);
    node_use_all(doc.plots);
    if (doc.root)
        node_reject_unread(diag, doc.root);
}

static const char *expected_text(const char *path, char buffer[20000])
{
    FILE *in = fopen(path, "r");
    cr_assert(in, "%s is missing", path);
    buffer[fread(buffer, 1, 19999, in)] = '\0';
    fclose(in);
    const char *second = strchr(buffer, '\n'); /* the first line counts the errors; fail_user prints it */
    return second ? second + 1 : "";
}

Test(experiment, bad_files_say_what_is_wrong)
{
    char path[600], buffer[20000];
    size_t n = 0;
#ifdef LABYRINTH_SRCDIR
    cr_assert_eq(chdir(LABYRINTH_SRCDIR), 0);
#endif
    DIR *dir = opendir("tests/bad");
    cr_assert(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        size_t length = strlen(e->d_name);
        if (length < 6 || strcmp(e->d_name + length - 5, ".yaml") != 0)
            continue;
        diag_free(diag);
        diag = diag_new();
        snprintf(path, sizeof path, "tests/bad/%s", e->d_name);
        check_one(path);
        cr_expect(diag_count(diag) > 0, "%s was accepted", path);
        strcpy(path + strlen(path) - 5, ".expected");
        cr_expect_str_eq(printed(), expected_text(path, buffer), "%s", path);
        n++;
    }
    closedir(dir);
    cr_expect_gt(n, 30);
}
