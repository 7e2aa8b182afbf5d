/* tests/unit/test_study_sweep.c - the store, worker processes, resuming, shards and the tables of a study. The
 * points are computed by a function of their number, not by a machine.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/study/frame.h"
#include "src/study/outfile.h"
#include "src/study/sweep.h"

enum { AXES = 2, POINTS = 12, REPETITIONS = 2, RUNS = POINTS * REPETITIONS };

static char folder[256];

static void make_folder(void)
{
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    snprintf(folder, sizeof folder, "%s/labyrinth-test-XXXXXX", base);
    cr_assert(mkdtemp(folder));
}

static void remove_folder(void)
{
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(sweep, .init = make_folder, .fini = remove_folder, .timeout = 60);

/* ---- a plan by hand */

static struct plan_point points[RUNS];
static char keys[RUNS][20];
static const char *values[RUNS][AXES];

static struct plan make_plan(const char *key_prefix)
{
    static const char *const axes[AXES] = { "machine.cores", "agents.owner.exclusive" };
    static const char *const cores[] = { "2", "4", "8", "16" }, *const parts[] = { "none", "[coherence, lock]", "all" };
    for (size_t i = 0; i < RUNS; i++) {
        size_t number = i / REPETITIONS;
        snprintf(keys[i], sizeof keys[i], "%s%zu", key_prefix, i);
        values[i][0] = cores[number / 3];
        values[i][1] = parts[number % 3];
        points[i] = (struct plan_point){ number, i % REPETITIONS, 100 + i % REPETITIONS, keys[i], values[i] };
    }
    return (struct plan){ AXES, axes, RUNS, points };
}

/* Faults of a run, by point. */
struct faults { size_t crash, illegal, input; unsigned delay_ms; };
static const struct faults no_faults = { SIZE_MAX, SIZE_MAX, SIZE_MAX, 0 };

/* Figures of a point: only from its number. Later points are faster than earlier ones. */
static int run_point(void *arg, size_t point, FILE *record)
{
    const struct faults *f = arg;
    struct timespec delay = { 0, (long)(f->delay_ms + (RUNS - point) % 3) * 1000000 };
    nanosleep(&delay, NULL);
    if (point == f->crash)
        raise(SIGKILL);
    if (point == f->input)
        fail_user("point %zu has a wrong configuration", point);
    fprintf(record, "stop done\norder_hash 0x%016zx\nvalues\ntime_ps %zu\nexclusive.grant.mean_ns %zu\n", point, 1000 + point,
            500 * (point / REPETITIONS) + 10 * (point % REPETITIONS));
    if (point % 2)
        fprintf(record, "counters.odd.points %zu\n", point);
    fprintf(record, "json\n{\n  \"point\": %zu\n}\nend\n", point);
    fprintf(stderr, "point %zu was here\n", point);
    return point == f->illegal ? EXIT_ILLEGAL : EXIT_CLEAN;
}

static struct sweep_summary sweep_into(const char *name, unsigned workers, unsigned shard, unsigned shards,
                                       const struct faults *faults)
{
    char *path = path_join(folder, name);
    struct store *store = store_open(path, STORE_WRITE);
    struct plan plan = make_plan("k");
    struct sweep_options options = { .workers = workers, .shard = shard, .shards = shards, .progress = PROGRESS_NEVER,
                                     .run = run_point, .arg = (void *)faults };
    store_put_plan(store, &plan);
    struct sweep_summary summary = sweep_run(store, &plan, &options);
    store_close(store);
    free(path);
    return summary;
}

static char *table_of(const char *name, void (*write)(FILE *, const struct frame *))
{
    char *path = path_join(folder, name), *text = NULL;
    size_t bytes;
    struct store *store = store_open(path, STORE_READ);
    struct frame *f = frame_load(store);
    FILE *out = open_memstream(&text, &bytes);
    write(out, f);
    fclose(out);
    frame_free(f);
    store_close(store);
    free(path);
    return text;
}

static void assert_same_tables(const char *a, const char *b)
{
    void (*const writers[])(FILE *, const struct frame *) = { frame_write_csv, frame_write_summary, frame_write_json };
    for (size_t i = 0; i < 3; i++) {
        char *x = table_of(a, writers[i]), *y = table_of(b, writers[i]);
        cr_assert_str_eq(x, y);
        free(x);
        free(y);
    }
}

Test(sweep, same_bytes_with_any_number_of_workers)
{
    struct sweep_summary s = sweep_into("one", 1, 1, 1, &no_faults);
    cr_assert_eq(s.run_count, RUNS);
    cr_assert_eq(s.exit_code, 0);
    sweep_into("five", 5, 1, 1, &no_faults);
    assert_same_tables("one", "five");
}

Test(sweep, csv_is_ordered_and_complete)
{
    sweep_into("a", 3, 1, 1, &no_faults);
    char *text = table_of("a", frame_write_csv);
    char *line = strtok(text, "\n");
    cr_assert_str_eq(line, "point,repetition,seed,machine.cores,agents.owner.exclusive,exit_code,stop,order_hash,time_ps,"
                           "exclusive.grant.mean_ns,counters.odd.points");
    line = strtok(NULL, "\n");
    cr_assert_str_eq(line, "0,0,100,2,none,0,done,0x0000000000000000,1000,0.000,");
    line = strtok(NULL, "\n");
    cr_assert_str_eq(line, "0,1,101,2,none,0,done,0x0000000000000001,1001,0.010,1");
    line = strtok(NULL, "\n");
    cr_assert_str_eq(line, "1,0,100,2,\"[coherence, lock]\",0,done,0x0000000000000002,1002,0.500,");
    free(text);
    text = table_of("a", frame_write_summary);
    strtok(text, "\n");
    line = strtok(NULL, "\n");
    /* 0 and 10 ps: mean 5, half width 12.706 * 5 = 63.53, up */
    cr_assert_str_eq(line, "0,2,none,2,1001,7,0.005,0.064,1,");
    free(text);
}

Test(sweep, finished_points_are_skipped)
{
    cr_assert_eq(sweep_into("a", 2, 1, 1, &no_faults).run_count, RUNS);
    struct sweep_summary s = sweep_into("a", 2, 1, 1, &no_faults);
    cr_assert_eq(s.run_count, 0);
    cr_assert_eq(s.skipped_count, RUNS);
}

Test(sweep, killed_in_the_middle_it_goes_on_to_the_same_bytes)
{
    struct faults slow = no_faults;
    slow.delay_ms = 20;
    sweep_into("whole", 2, 1, 1, &no_faults);
    pid_t pid = fork();
    if (pid == 0) {
        sweep_into("cut", 2, 1, 1, &slow);
        _exit(0);
    }
    nanosleep(&(struct timespec){ 0, 120000000 }, NULL);
    kill(pid, SIGKILL);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    struct sweep_summary s = sweep_into("cut", 2, 1, 1, &no_faults);
    cr_assert_eq(s.run_count + s.skipped_count, RUNS);
    assert_same_tables("whole", "cut");
}

Test(sweep, shards_join_to_the_same_bytes)
{
    sweep_into("whole", 2, 1, 1, &no_faults);
    struct sweep_summary one = sweep_into("one", 2, 1, 3, &no_faults), two = sweep_into("two", 2, 2, 3, &no_faults);
    struct sweep_summary three = sweep_into("three", 2, 3, 3, &no_faults);
    cr_assert_eq(one.run_count + two.run_count + three.run_count, RUNS);
    cr_assert_eq(one.missing_count, RUNS - one.run_count, "what other shards have to do");
    char *into_path = path_join(folder, "joined");
    struct store *into = store_open(into_path, STORE_WRITE);
    struct plan plan = make_plan("k");
    store_put_plan(into, &plan);
    for (const char *const *name = (const char *const[]){ "three", "one", "two", "one", NULL }; *name; name++) {
        char *path = path_join(folder, *name);
        struct store *from = store_open(path, STORE_READ);
        store_join(into, from);
        store_close(from);
        free(path);
    }
    store_close(into);
    free(into_path);
    assert_same_tables("whole", "joined");
}

Test(sweep, a_crash_and_a_wrong_point_do_not_end_the_others_and_are_run_again)
{
    struct faults faults = { .crash = 3, .illegal = 5, .input = 7 };
    struct sweep_summary s = sweep_into("a", 2, 1, 1, &faults);
    cr_assert_eq(s.run_count, RUNS);
    cr_assert_eq(s.by_exit_code[0], RUNS - 3);
    cr_assert_eq(s.by_exit_code[1], 1, "the crash");
    cr_assert_eq(s.by_exit_code[2], 1);
    cr_assert_eq(s.by_exit_code[3], 1);
    cr_assert_eq(s.exit_code, 3, "the highest");
    char *path = path_join(folder, "a");
    struct store *store = store_open(path, STORE_READ);
    struct record *crash = store_get(store, "k3"), *input = store_get(store, "k7"), *illegal = store_get(store, "k5");
    cr_assert(strstr(crash->text, "signal 9"), "%s", crash->text);
    cr_assert_eq(crash->value_count, 0);
    cr_assert(strstr(input->text, "point 7 has a wrong configuration"), "%s", input->text);
    cr_assert(strstr(illegal->text, "point 5 was here"));
    cr_assert_gt(illegal->value_count, 0, "an illegal operation is a result, with figures");
    cr_assert_str_eq(crash->json, "null");
    record_free(crash);
    record_free(input);
    record_free(illegal);
    store_close(store);
    free(path);
    s = sweep_into("a", 2, 1, 1, &no_faults);
    cr_assert_eq(s.run_count, 2, "the crash and the wrong one; what is illegal stays so");
    cr_assert_eq(s.exit_code, 3);
}

Test(sweep, a_changed_plan_keeps_what_it_still_needs)
{
    sweep_into("a", 2, 1, 1, &no_faults);
    char *path = path_join(folder, "a");
    struct store *store = store_open(path, STORE_WRITE);
    struct plan plan = make_plan("other");
    memcpy(keys[4], "k4", 3);
    store_put_plan(store, &plan);
    struct frame *f = frame_load(store);
    cr_assert_eq(f->row_count, 1);
    cr_assert_eq(f->row[0].point->number, 2);
    frame_free(f);
    struct plan *stored = store_plan(store);
    cr_assert(plan_equal(stored, &plan));
    cr_assert_str_eq(stored->point[3].values[1], "[coherence, lock]");
    plan_free(stored);
    plan = make_plan("k");
    stored = store_plan(store);
    cr_assert_not(plan_equal(stored, &plan));
    plan_free(stored);
    store_close(store);
    free(path);
}

Test(sweep, seeds_of_repetitions)
{
    cr_assert_eq(repetition_seed(7, 0), 7);
    cr_assert_neq(repetition_seed(7, 1), repetition_seed(7, 2));
    cr_assert_neq(repetition_seed(7, 1), repetition_seed(8, 1));
    cr_assert_eq(repetition_seed(7, 1), repetition_seed(7, 1));
    cr_assert_eq(repetition_seed(UINT64_MAX, 3) >> 63, 0);
}

/* ---- output files */

static int code_of_child(void (*body)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(99);
        body();
        exit(0);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static char target[300];

static void half_written(void)
{
    struct outfile *f = outfile_open(target);
    fputs("half", outfile_stream(f));
    fail_user("in the middle");
}

static void to_full(void)
{
    struct outfile *f = outfile_open("/dev/full");
    fputs("text", outfile_stream(f));
    outfile_commit(f);
}

static void into_nothing(void) { outfile_check("/nonexistent/folder/file"); }
static void onto_folder(void) { outfile_check(folder); }
static void folder_below_file(void) { folder_make("/dev/null/x"); }

static size_t files_in_folder(void)
{
    char command[300];
    unsigned n = 0;
    snprintf(command, sizeof command, "ls -A '%s' | wc -l", folder);
    FILE *p = popen(command, "r");
    cr_assert_eq(fscanf(p, "%u", &n), 1);
    pclose(p);
    return n;
}

Test(sweep, output_files_are_whole_or_not_there)
{
    snprintf(target, sizeof target, "%s/out.json", folder);
    cr_assert_eq(code_of_child(half_written), 2);
    cr_assert_eq(files_in_folder(), 0, "neither the file nor its temporary");
    struct outfile *f = outfile_open(target);
    fputs("old", outfile_stream(f));
    outfile_commit(f);
    cr_assert_eq(code_of_child(half_written), 2);
    FILE *in = fopen(target, "r");
    char text[8] = "";
    cr_assert(fgets(text, sizeof text, in));
    cr_assert_str_eq(text, "old");
    fclose(in);
    cr_assert_eq(files_in_folder(), 1);
    cr_assert_eq(code_of_child(to_full), 2);
    cr_assert_eq(code_of_child(into_nothing), 2);
    cr_assert_eq(code_of_child(onto_folder), 2);
    cr_assert_eq(code_of_child(folder_below_file), 2);
}
