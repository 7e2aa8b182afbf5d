/* src/study/sweep.c - worker processes. See sweep.h. */
#include "src/study/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/study/result_json.h"

enum { LINE_MAX_BYTES = METRIC_NAME_MAX + 64 };

/* ---- records on their way from a worker: lines, then the JSON. A record without its last line is none. */

static void write_metric(void *arg, const struct metric *m, uint64_t value)
{
    fprintf(arg, "%s %" PRIu64 "\n", m->name, value);
}

void record_write(FILE *out, const struct result *r)
{
    fprintf(out, "stop %s\norder_hash 0x%016" PRIx64 "\nvalues\n", run_stop_name(r->stop), r->order_hash);
    metric_each(r, write_metric, out);
    fputs("json\n", out);
    result_json_write(out, r, true);
    fputs("end\n", out);
}

static char *read_whole(FILE *f, long from)
{
    fseek(f, 0, SEEK_END);
    long end = ftell(f);
    size_t bytes = end > from ? (size_t)(end - from) : 0;
    char *text = malloc(bytes + 1);
    CHECK_MEMORY(text, "out of memory");
    fseek(f, from, SEEK_SET);
    text[fread(text, 1, bytes, f)] = '\0';
    return text;
}

static void add_value(struct record *r, const char *name, uint64_t value)
{
    if ((r->value_count & (r->value_count - 1)) == 0) {
        size_t room = r->value_count ? 2 * r->value_count : 1;
        r->value = realloc(r->value, room * sizeof *r->value);
        CHECK_MEMORY(r->value, "out of memory");
    }
    struct named_value *v = &r->value[r->value_count++];
    snprintf(v->name, sizeof v->name, "%s", name);
    v->value = value;
}

static char *line_after(const char *line, const char *word)
{
    size_t n = strlen(word);
    char *rest = strncmp(line, word, n) == 0 ? strdup(line + n) : NULL;
    if (rest)
        rest[strcspn(rest, "\n")] = '\0';
    return rest;
}

/* False: the worker did not get to the end of its record. */
static bool read_record(FILE *f, struct record *r)
{
    char line[LINE_MAX_BYTES], name[METRIC_NAME_MAX];
    uint64_t value;
    rewind(f);
    if (!fgets(line, sizeof line, f) || !(r->stop = line_after(line, "stop ")) || !fgets(line, sizeof line, f) ||
        !(r->order_hash = line_after(line, "order_hash ")))
        return false;
    while (fgets(line, sizeof line, f) && strcmp(line, "json\n") != 0)
        if (sscanf(line, "%127s %" SCNu64, name, &value) == 2)
            add_value(r, name, value);
    r->json = read_whole(f, ftell(f));
    size_t n = strlen(r->json);
    if (n < 6 || strcmp(r->json + n - 4, "end\n") != 0)
        return false;
    r->json[n - 4] = '\0';
    r->json[strlen(r->json) - 1] = '\0'; /* the newline at the end of the document */
    return true;
}

/* ---- workers */

struct worker {
    pid_t pid;             /* 0: free */
    size_t point;
    FILE *record, *said;
};

static FILE *scratch(void)
{
    FILE *f = tmpfile();
    if (!f)
        fail_user("cannot make a temporary file: %s", strerror(errno));
    return f;
}

/* In the child. Standard output is not the point's to use. */
static _Noreturn void work(const struct worker *w, const struct sweep_options *options, pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_INTERNAL);
    dup2(fileno(w->said), STDERR_FILENO);
    dup2(fileno(w->said), STDOUT_FILENO);
    int code = options->run(options->arg, w->point, w->record);
    if (fflush(w->record) != 0 || ferror(w->record)) {
        fprintf(stderr, "cannot write the record of the point: %s\n", strerror(errno));
        code = EXIT_INPUT;
    }
    fflush(stdout);
    fflush(stderr);
    _exit(code);
}

static void start(struct worker *w, size_t point, const struct sweep_options *options)
{
    pid_t parent = getpid();
    *w = (struct worker){ .point = point, .record = scratch(), .said = scratch() };
    fflush(stdout);
    fflush(stderr);
    w->pid = fork();
    if (w->pid < 0)
        fail_user("cannot start a worker process: %s", strerror(errno));
    if (w->pid == 0)
        work(w, options, parent);
}

/* The point's exit code; a signal is an internal error, told in the record's text. */
static int code_of(int status, FILE *said)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) <= EXIT_STUCK)
        return WEXITSTATUS(status);
    fseek(said, 0, SEEK_END);
    if (WIFSIGNALED(status))
        fprintf(said, "the worker was ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        fprintf(said, "the worker ended with status %d\n", WEXITSTATUS(status));
    return EXIT_INTERNAL;
}

static int finish(struct worker *w, int status, struct store *store, const struct plan *plan)
{
    struct record *r = calloc(1, sizeof *r);
    CHECK_MEMORY(r, "out of memory");
    r->exit_code = code_of(status, w->said);
    bool whole = read_record(w->record, r);
    if (!whole && r->exit_code != EXIT_INTERNAL && r->exit_code != EXIT_INPUT) {
        fputs("the worker left no complete record\n", w->said);
        r->exit_code = EXIT_INTERNAL;
    }
    if (!whole)
        r->value_count = 0;
    r->stop = r->stop ? r->stop : strdup("");
    r->order_hash = r->order_hash ? r->order_hash : strdup("");
    if (!whole || !r->json) {
        free(r->json);
        r->json = strdup("null");
    }
    r->text = read_whole(w->said, 0);
    CHECK_MEMORY(r->stop && r->order_hash && r->json, "out of memory");
    store_put(store, plan->point[w->point].key, r);
    int code = r->exit_code;
    record_free(r);
    fclose(w->record);
    fclose(w->said);
    w->pid = 0;
    return code;
}

static struct worker *wait_for_one(struct worker *workers, unsigned n, int *status)
{
    for (;;) {
        pid_t pid = waitpid(-1, status, 0);
        CHECK(pid > 0 || errno == EINTR, "waiting for workers: %s", strerror(errno));
        for (unsigned i = 0; i < n; i++)
            if (pid > 0 && workers[i].pid == pid)
                return &workers[i];
    }
}

static struct worker *free_worker(struct worker *workers, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (workers[i].pid == 0)
            return &workers[i];
    return NULL;
}

/* ---- the sweep */

static bool mine(const struct sweep_options *options, size_t point)
{
    return point % options->shards == options->shard - 1;
}

/* Points of this shard that are still to be run, in order. */
static size_t *open_points(struct store *store, const struct plan *plan, const struct sweep_options *options, size_t *n,
                           struct sweep_summary *summary)
{
    size_t *list = malloc((plan->point_count + 1) * sizeof *list);
    CHECK_MEMORY(list, "out of memory");
    *n = 0;
    for (size_t i = 0; i < plan->point_count; i++) {
        if (!mine(options, i))
            summary->missing_count += !store_finished(store, plan->point[i].key);
        else if (store_finished(store, plan->point[i].key))
            summary->skipped_count++;
        else
            list[(*n)++] = i;
    }
    return list;
}

static void count_codes(struct store *store, const struct plan *plan, const struct sweep_options *options,
                        struct sweep_summary *summary)
{
    for (size_t i = 0; i < plan->point_count; i++) {
        struct record *r = mine(options, i) ? store_get(store, plan->point[i].key) : NULL;
        if (!r)
            continue;
        summary->by_exit_code[r->exit_code]++;
        summary->exit_code = r->exit_code > summary->exit_code ? r->exit_code : summary->exit_code;
        record_free(r);
    }
}

struct sweep_summary sweep_run(struct store *store, const struct plan *plan, const struct sweep_options *options)
{
    struct sweep_summary summary = { 0 };
    struct worker *workers = calloc(options->workers, sizeof *workers);
    CHECK_MEMORY(workers, "out of memory");
    size_t todo, next = 0, running = 0;
    size_t *list = open_points(store, plan, options, &todo, &summary);
    uint64_t total = summary.skipped_count + todo;
    struct progress bar = progress_start(options->progress, "points", summary.skipped_count);
    while (next < todo || running > 0) {
        progress_show(&bar, summary.skipped_count + summary.run_count, total);
        struct worker *w = next < todo ? free_worker(workers, options->workers) : NULL;
        if (w) {
            start(w, list[next++], options);
            running++;
            continue;
        }
        int status;
        w = wait_for_one(workers, options->workers, &status);
        finish(w, status, store, plan);
        summary.run_count++;
        running--;
    }
    progress_end(&bar);
    count_codes(store, plan, options, &summary);
    free(list);
    free(workers);
    return summary;
}
