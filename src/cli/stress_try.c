/* src/cli/stress_try.c - one run of a case, in a process of its own: one that crashes is a finding like others. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/cli/stress.h"
#include "src/study/outfile.h"
#include "src/study/result_text.h"

/* ---- a case as assignments */

struct sets { char **list; size_t count, room; };

static void add(struct sets *s, char *owned)
{
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 64;
        s->list = realloc(s->list, s->room * sizeof *s->list);
        CHECK_MEMORY(s->list, "out of memory");
    }
    CHECK_MEMORY(owned, "out of memory");
    s->list[s->count++] = owned;
}

static void sets_free(struct sets *s)
{
    for (size_t i = 0; i < s->count; i++)
        free(s->list[i]);
    free(s->list);
}

/* `drawn` shares as YAML, of a hart. */
static void print_mix(FILE *f, const struct script_mix *mix)
{
#define X(name, ...) fprintf(f, ", " #name ": %u.%02u%%", mix->share[SHARE_OF_##name] / 100u, mix->share[SHARE_OF_##name] % 100u);
    SCRIPT_MIX_LIST(X)
#undef X
}

static void print_agent(FILE *f, const struct stress_case *c, const struct stress_agent *a)
{
    const char *place = a->device ? "device" : "core", *dma = a->device ? "-dma" : "";
    fprintf(f, "{ name: %s%u, on: %s%u, ", place, a->place, place, a->place);
    if (c->drawn) {
        fprintf(f, "program: stress%s, count: %" PRIu64 ", lines: %" PRIu32 ", pages: %" PRIu32, dma, c->drawn, c->mix.lines, c->mix.pages);
        if (!a->device)
            print_mix(f, &c->mix);
    } else {
        fprintf(f, "program: script%s, count: %zu, ops: \"", dma, a->count);
        for (size_t i = 0; i < a->count; i++) {
            script_print(f, &a->op[i]);
            fputs("\\n", f);
        }
        fputc('"', f);
    }
    fputs(" }", f);
}

static char *agents_text(const struct stress_case *c)
{
    char *text = NULL;
    size_t size = 0;
    const char *separator = "";
    FILE *f = open_memstream(&text, &size);
    CHECK_MEMORY(f, "out of memory");
    fputs("agents=[", f);
    for (unsigned i = 0; i < c->agent_count; i++)
        if (c->drawn || c->agents[i].count) {
            fputs(separator, f);
            print_agent(f, c, &c->agents[i]);
            separator = ", ";
        }
    fputc(']', f);
    CHECK_MEMORY(fclose(f) == 0, "out of memory");
    return text;
}

/* Shape, the user's, agents, seed: later ones win, so that the user's reach the machine only. */
static struct sets sets_of(const struct stress_case *c)
{
    struct sets s = { NULL, 0, 0 };
    size_t n = 0;
    char seed[40];
    char **shape = c->config ? NULL : stress_shape_sets(&c->shape, &n);
    for (size_t i = 0; i < n; i++)
        add(&s, shape[i]);
    free(shape);
    add(&s, strdup("sweep={}"));
    add(&s, strdup("plots=[]"));
    for (size_t i = 0; i < c->common->sets_count; i++)
        add(&s, strdup(c->common->sets[i]));
    add(&s, agents_text(c));
    snprintf(seed, sizeof seed, "seed=%" PRIu64, c->seed);
    add(&s, strdup(seed));
    return s;
}

static bool load(struct study_doc *study, const struct stress_case *c)
{
    struct sets s = sets_of(c);
    bool good = c->config ? study_load(study, c->config, (const char *const *)s.list, s.count)
                          : load_text(study, stress_base, (const char *const *)s.list, s.count);
    sets_free(&s);
    return good;
}

static unsigned number_at(const struct study_doc *study, const char *path, unsigned otherwise)
{
    const struct node *n = study->doc.root ? node_at(study->doc.root, path) : NULL;
    return n && n->kind == NODE_SCALAR ? (unsigned)strtoul(n->text, NULL, 10) : otherwise;
}

bool stress_measure(const struct stress_case *c, unsigned *cores, unsigned *devices, bool told)
{
    struct study_doc study;
    bool good = load(&study, c);
    if (!good && told)
        diag_exit_if_errors(study.diag);
    *cores = number_at(&study, "machine.cores", 4) * number_at(&study, "machine.sockets", 1); /* defaults of the machine's tables */
    *devices = number_at(&study, "machine.devices.count", 0);
    study_unload(&study);
    return good;
}

/* ---- in the process of its own */

static uint64_t accesses(const struct result *r)
{
    static const enum class_id counted[] = { CLASS_LOAD, CLASS_STORE, CLASS_ATOMIC, CLASS_DMA_READ, CLASS_DMA_WRITE };
    uint64_t n = 0;
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        const struct class_stats *s = account_stats(r->account, counted[i]);
        n += s ? s->latency.count : 0;
    }
    return n;
}

static const char *kind_of(const struct result *r)
{
    if (r->violation_count)
        return r->violations[0].kind;
    if (r->stop == RUN_STUCK)
        return strncmp(r->stop_text, "nothing moves", 13) == 0 ? "deadlock" : "no progress";
    return run_stop_name(r->stop);
}

static void write_file(const char *path, const struct stress_case *c, const char *effective)
{
    struct outfile *out = outfile_open(path);
    FILE *f = outfile_stream(out);
    fprintf(f, "# Found by labyrinth stress under seed %" PRIu64 " and shrunk; labyrinth run shows it again", c->found);
    if (c->common->run.plant)
        fprintf(f, ", with --plant %s", c->common->run.plant);
    fprintf(f, ".\n%s", effective);
    outfile_commit(out);
}

static int run_here(const struct stress_case *c, struct stress_telling telling, struct stress_verdict *v)
{
    struct study_doc study;
    if (!load(&study, c)) {
        diag_print(study.diag, stderr);
        return EXIT_INPUT;
    }
    struct machine *m = machine_new(&study.doc, &c->common->run, study.diag);
    if (!m) {
        diag_print(study.diag, stderr);
        return EXIT_INPUT;
    }
    if (telling.file)
        write_file(telling.file, c, machine_result(m)->effective);
    machine_run(m);
    const struct result *r = machine_result(m);
    snprintf(v->kind, sizeof v->kind, "%s", kind_of(r));
    v->accesses = accesses(r);
    v->order_hash = r->order_hash;
    v->time_ps = r->time_ps;
    v->code = run_stop_exit_code(r->stop);
    if (telling.out) {
        result_text_trouble(telling.out, r);
        fflush(telling.out);
        if (c->common->host_stats)
            print_host_stats(r);
    }
    machine_free(m);
    study_unload(&study);
    return v->code;
}

static void silence(void)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0)
        return;
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    close(null);
}

/* A child ends by _exit: nothing that the parent has in its buffers is written twice. */
static _Noreturn void child(const struct stress_case *c, struct stress_telling telling, int to_parent)
{
    struct stress_verdict v = { 0 };
    if (!telling.out)
        silence();
    int code = run_here(c, telling, &v);
    ssize_t written = code == EXIT_INPUT ? 0 : write(to_parent, &v, sizeof v);
    _exit(written < 0 ? EXIT_INTERNAL : code);
}

static bool receive(int from, struct stress_verdict *v)
{
    size_t got = 0;
    while (got < sizeof *v) {
        ssize_t n = read(from, (char *)v + got, sizeof *v - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

struct stress_verdict stress_try(const struct stress_case *c, struct stress_telling telling)
{
    struct stress_verdict v;
    int ends[2], status;
    fflush(NULL);
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid < 0)
        fail_user("cannot start a process: %s", strerror(errno));
    if (pid == 0) {
        close(ends[0]);
        child(c, telling, ends[1]);
    }
    close(ends[1]);
    bool told = receive(ends[0], &v);
    close(ends[0]);
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR, "waiting for a run: %s", strerror(errno));
    if (!told) {
        v = (struct stress_verdict){ .code = WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_INTERNAL };
        snprintf(v.kind, sizeof v.kind, "%s", v.code == EXIT_INPUT ? "refused" : "crash");
    }
    return v;
}

bool stress_same_failure(const struct stress_verdict *a, const struct stress_verdict *b)
{
    return a->code == b->code && strcmp(a->kind, b->kind) == 0;
}
