/* src/cli/step.h - a walk through a run: a machine, how far it is, and what happened in its last event. */
#ifndef LAB_CLI_STEP_H
#define LAB_CLI_STEP_H

#include "src/cli/cli.h"
#include "src/cli/lines.h"
#include "src/machine/look.h"

enum { WATCHED_MAX = 8, COMMAND_MAX = 256 };

/* A step is an event of the engine in which something happened that a student wants to see: a transition of a line or a
 * message sent or delivered. The place of a walk is the number of engine events run so far, so that it can be found again. */
struct walk {
    struct study_doc *study;
    const struct run_options *options;
    struct machine *machine;
    struct busy_lines *busy;
    uint64_t event;                      /* engine events run */
    uint64_t known;                      /* the farthest ever */
    struct steps { uint64_t *at; size_t count, cap; } steps; /* events that are steps, up to `known`, in order */
    bool over;                           /* the run is, machine_finish has been called */
    /* the last event */
    const char *what;                    /* the engine's name for it; NULL at the start */
    unsigned happened;                   /* transitions and messages in it */
    bool recording;                      /* write them down */
    char *text;
    size_t text_size;
    FILE *out;
    lineno target;                       /* is a transition of this line among them? */
    bool target_seen;
    lineno watched[WATCHED_MAX];
    unsigned watched_count;
    bool quit, misunderstood;
    char last[COMMAND_MAX];              /* command, for an empty line */
};

void walk_start(struct walk *, struct study_doc *, const struct run_options *);
void walk_end(struct walk *);
/* One engine event; false: the run is over. */
bool walk_forward(struct walk *);
/* Exactly there, from the start again if it lies back; short of it when the run ends before. */
void walk_to(struct walk *, uint64_t event);
/* The event of the n-th step back from here; 0: the start. */
uint64_t walk_steps_back(const struct walk *, uint64_t n);
/* One line as typed, without its newline. */
void step_command(struct walk *, const char *line);
void step_show(struct walk *);           /* where the walk is, what happened there, the watched lines */
bool step_line(struct walk *, const char *word, lineno *); /* an address or "busiest"; false after a message */

#endif
