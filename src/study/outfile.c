/* src/study/outfile.c - see outfile.h. */
#include "src/study/outfile.h"

#include <errno.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/fail.h"

struct outfile {
    FILE *stream;
    char *path, *temporary;   /* temporary NULL: written directly */
};

static struct outfile *pending; /* unlinked if the program ends before the commit */

static void remove_pending(void)
{
    if (pending && pending->temporary)
        unlink(pending->temporary);
}

static void *must(void *memory)
{
    CHECK_MEMORY(memory, "out of memory");
    return memory;
}

/* Flushes; NULL, or why not all of it was written. An error of an earlier write may have left no errno. */
static const char *flush_complaint(FILE *stream)
{
    bool bad = ferror(stream) != 0;
    errno = 0;
    if (fflush(stream) == 0 && !bad)
        return NULL;
    return errno ? strerror(errno) : "an earlier write failed (disk full?)";
}

static bool is_stdout(const char *path) { return strcmp(path, "-") == 0; }

static bool is_special(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

void outfile_check(const char *path)
{
    struct stat st;
    if (is_stdout(path))
        return;
    if (*path == '\0')
        fail_user("an empty file name was given for output");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        fail_user("cannot write %s: it is a folder", path);
    if (is_special(path))
        return;
    char *copy = must(strdup(path));
    const char *folder = dirname(copy);
    if (stat(folder, &st) != 0)
        fail_user("cannot write %s: folder %s: %s", path, folder, strerror(errno));
    if (access(folder, W_OK | X_OK) != 0)
        fail_user("cannot write %s: folder %s: %s", path, folder, strerror(errno));
    free(copy);
}

static void open_temporary(struct outfile *f)
{
    size_t bytes = strlen(f->path) + 16;
    f->temporary = must(malloc(bytes));
    snprintf(f->temporary, bytes, "%s.tmp-XXXXXX", f->path);
    int fd = mkstemp(f->temporary);
    if (fd < 0)
        fail_user("cannot write %s: %s", f->path, strerror(errno));
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(fd, 0666 & ~mask) != 0)
        fail_user("cannot write %s: %s", f->path, strerror(errno));
    f->stream = fdopen(fd, "w");
}

struct outfile *outfile_open(const char *path)
{
    static bool registered;
    outfile_check(path);
    CHECK(!pending, "two output files are open at once");
    struct outfile *f = must(calloc(1, sizeof *f));
    f->path = must(strdup(path));
    if (is_stdout(path))
        f->stream = stdout;
    else if (is_special(path))
        f->stream = fopen(path, "w");
    else
        open_temporary(f);
    if (!f->stream)
        fail_user("cannot write %s: %s", path, strerror(errno));
    if (!registered)
        registered = atexit(remove_pending) == 0;
    pending = f;
    return f;
}

FILE *outfile_stream(struct outfile *f) { return f->stream; }

void outfile_commit(struct outfile *f)
{
    const char *complaint = flush_complaint(f->stream);
    if (complaint)
        fail_user("cannot write %s: %s", is_stdout(f->path) ? "standard output" : f->path, complaint);
    if (f->temporary && fsync(fileno(f->stream)) != 0)
        fail_user("cannot write %s: %s", f->path, strerror(errno));
    if (f->stream != stdout && fclose(f->stream) != 0)
        fail_user("cannot write %s: %s", f->path, strerror(errno));
    if (f->temporary && rename(f->temporary, f->path) != 0)
        fail_user("cannot write %s: %s", f->path, strerror(errno));
    pending = NULL;
    free(f->path);
    free(f->temporary);
    free(f);
}

void outfile_stdout_check(void)
{
    const char *complaint = flush_complaint(stdout);
    if (complaint)
        fail_user("cannot write standard output: %s", complaint);
}

void folder_make(const char *path)
{
    char *part = must(strdup(path));
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            fail_user("cannot make folder %s: %s", part, strerror(errno));
        *slash = '/';
    }
    struct stat st;
    if (mkdir(path, 0777) != 0 && (errno != EEXIST || stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        fail_user("cannot make folder %s: %s", path, strerror(errno == EEXIST ? ENOTDIR : errno));
    free(part);
}

char *path_join(const char *folder, const char *name)
{
    size_t bytes = strlen(folder) + strlen(name) + 2;
    char *path = must(malloc(bytes));
    snprintf(path, bytes, "%s/%s", folder, name);
    return path;
}
