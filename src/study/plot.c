/* src/study/plot.c - scripts, and the running of gnuplot. See plot.h. */
#include "src/study/plot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/fail.h"
#include "src/study/outfile.h"

enum { TEXT_MAX = 400 };

/* plots/style.gp of the source tree or of the installed data; LABYRINTH_PLOTS in the environment comes before both. */
static FILE *open_style(void)
{
    const char *const folders[] = { getenv("LABYRINTH_PLOTS"), LABYRINTH_SRCDIR "/plots", PKGDATADIR "/plots" };
    FILE *style = NULL;
    for (size_t i = 0; i < 3 && !style; i++) {
        char *path = folders[i] ? path_join(folders[i], "style.gp") : NULL;
        style = path ? fopen(path, "r") : NULL;
        free(path);
    }
    if (!style)
        fail_user("style.gp is neither in %s nor in %s: the installation is incomplete", folders[1], folders[2]);
    return style;
}

static void put_style(FILE *script)
{
    FILE *style = open_style();
    char line[256];
    while (fgets(line, sizeof line, style))
        fputs(line, script);
    fclose(style);
}

static void put_head(FILE *script, const struct plot *plot, const struct plot_context *context)
{
    char quoted[TEXT_MAX];
    const char *title = *plot->title ? plot->title : context->title;
    fprintf(script, "# %s.gp - to draw again: gnuplot %s.gp\n", plot->name, plot->name);
    fprintf(script, "datafile = '%s.dat'\n", plot->name);
    fprintf(script, "set encoding utf8\nset terminal svg size 960,560 noenhanced font 'DejaVu Sans,14' background 'white'\n");
    fprintf(script, "set output '%s.svg'\n", plot->name);
    fprintf(script, "set title %s font ',16'\n", plot_quote(quoted, sizeof quoted, title));
    fprintf(script, "set label 1 %s at screen 0.99,0.02 right font ',9' textcolor rgb '#777777'\n",
            plot_quote(quoted, sizeof quoted, context->footer));
    put_style(script);
}

static void put_png(FILE *script, const struct plot *plot)
{
    fprintf(script, "set terminal pngcairo size 1440,840 noenhanced font 'DejaVu Sans,14' fontscale 1.3\n"
                    "set output '%s.png'\nreplot\nset output\n",
            plot->name);
}

bool plot_write(FILE *data, FILE *script, const struct frame *f, const struct plot *plot,
                const struct plot_context *context)
{
    struct plot_grid *g = plot_grid_make(f, plot);
    if (!g)
        return false;
    put_head(script, plot, context);
    bool any = plot->kind == PLOT_STACK ? plot_stack_write(data, script, f, plot, g)
                                        : plot_lines_write(data, script, f, plot, g);
    put_png(script, plot);
    plot_grid_free(g);
    return any;
}

/* ---- gnuplot */

static _Noreturn void become_gnuplot(const char *folder, const char *argument)
{
    if (chdir(folder) == 0) {
        execlp("gnuplot", "gnuplot", argument, (char *)NULL);
        _exit(errno == ENOENT ? 127 : 126);
    }
    _exit(126);
}

static int gnuplot(const char *folder, const char *argument, bool silent)
{
    int status;
    fflush(stdout);
    fflush(stderr);
    pid_t pid = fork();
    if (pid < 0)
        fail_user("cannot start gnuplot: %s", strerror(errno));
    if (pid == 0) {
        int null = silent ? open("/dev/null", O_WRONLY) : -1;
        if (null >= 0)
            dup2(null, STDOUT_FILENO);
        become_gnuplot(folder, argument);
    }
    while (waitpid(pid, &status, 0) < 0)
        CHECK(errno == EINTR, "waiting for gnuplot: %s", strerror(errno));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

static void need_gnuplot(void)
{
    if (gnuplot(".", "--version", true) == 127)
        fail_user("gnuplot is not installed; it draws the plots. On Debian: apt-get install gnuplot-nox");
}

static char *file_of(const char *folder, const struct plot *plot, const char *suffix)
{
    char name[METRIC_NAME_MAX * 4];
    snprintf(name, sizeof name, "%s.%s", plot->name, suffix);
    return path_join(folder, name);
}

/* Text of a stream in memory, written out as a whole. */
static void save(const char *folder, const struct plot *plot, const char *suffix, const char *text)
{
    char *path = file_of(folder, plot, suffix);
    struct outfile *out = outfile_open(path);
    fputs(text, outfile_stream(out));
    outfile_commit(out);
    free(path);
}

static void remove_pictures(const char *folder, const struct plot *plot)
{
    static const char *const suffixes[] = { "svg", "png" };
    for (size_t i = 0; i < 2; i++) {
        char *path = file_of(folder, plot, suffixes[i]);
        unlink(path);
        free(path);
    }
}

static bool draw_one(const char *folder, const struct frame *f, const struct plot *plot,
                     const struct plot_context *context)
{
    char *data_text = NULL, *script_text = NULL, script_name[METRIC_NAME_MAX * 4];
    size_t data_bytes, script_bytes;
    FILE *data = open_memstream(&data_text, &data_bytes), *script = open_memstream(&script_text, &script_bytes);
    CHECK_MEMORY(data && script, "out of memory");
    bool any = plot_write(data, script, f, plot, context);
    fclose(data);
    fclose(script);
    if (any) {
        save(folder, plot, "dat", data_text);
        save(folder, plot, "gp", script_text);
        snprintf(script_name, sizeof script_name, "%s.gp", plot->name);
        if (gnuplot(folder, script_name, false) != 0) {
            remove_pictures(folder, plot);
            fail_user("gnuplot could not draw %s/%s.gp", folder, plot->name);
        }
    }
    free(data_text);
    free(script_text);
    return any;
}

void plots_draw(const char *folder, const struct frame *f, const struct plots *plots, const struct plot_context *context,
                FILE *say)
{
    char *under = path_join(folder, "plots");
    need_gnuplot();
    folder_make(under);
    for (size_t i = 0; i < plots->count; i++) {
        const struct plot *plot = &plots->plot[i];
        bool drawn = draw_one(under, f, plot, context);
        if (!say)
            continue;
        if (drawn)
            fprintf(say, "%s/%s.svg\n%s/%s.png\n", under, plot->name, under, plot->name);
        else
            fprintf(say, "%s: no finished point has %s; not drawn\n", plot->name, plot->y[0].name);
    }
    free(under);
}
