/* src/machine/watch.h - looking on while a machine runs: requests, every protocol transition of every line, every message
 * sent and delivered. Watchers see, they change nothing: results are the same bytes with and without them.
 */
#ifndef LAB_MACHINE_WATCH_H
#define LAB_MACHINE_WATCH_H

#include "models/msg.h"
#include "src/machine/machine.h"
#include "src/sim/history.h"

enum { WATCHERS_MAX = 12 };

struct seen_message {
    const struct msg *msg;      /* valid during the call */
    uint64_t serial;            /* the same at sending and delivery */
    tick sent, now;
    bool delivered;             /* its receiver gets it right after the call; otherwise it has just been sent */
};

struct seen_request {           /* recorded, and over now; loads, stores and atomics if they left the first level */
    uint32_t actor;             /* node number of the hart or device */
    enum class_id class;
    tick start, end;
};

struct watcher {
    void *self;                 /* members may be NULL */
    void (*request)(void *self, const struct seen_request *);
    void (*transition)(void *self, const struct history_entry *);
    void (*message)(void *self, const struct seen_message *);
};

/* Copied; called in the order added, from the next machine_run or machine_start on. At most WATCHERS_MAX. */
void machine_watch(struct machine *, struct watcher);

/* Names for people: of a network node ("core0", "device0", "iommu", "home1"); of the part that made a history entry,
 * which is the node's name ("core0.cache" is core0's), copied into `name`. */
const char *machine_node_name(struct machine *, unsigned node);
enum { PART_NAME_MAX = 24 };
const char *part_name(const char *who, char name[PART_NAME_MAX]);
bool is_translation_message(const struct msg *); /* TLB_*: its line is a page's number */

/* ---- the life of one line as text: transitions and messages, one per line, in order of time */

struct line_life;
/* Adds a watcher that writes to `out` from the next start on. */
struct line_life *line_life_new(struct machine *, lineno, FILE *out);
void line_life_free(struct line_life *);
uint64_t line_life_transitions(const struct line_life *);
uint64_t line_life_messages(const struct line_life *);

/* One entry each, as in a line's life, with a line end. print_address is what goes before it in a list of many lines: the
 * line's address, or the page's; print_no_address is as wide. */
void print_address(FILE *, lineno);
void print_message_address(FILE *, const struct msg *);
void print_no_address(FILE *);
void print_transition(FILE *, struct machine *, const struct history_entry *);
void print_request(FILE *, struct machine *, const struct seen_request *);
void print_message(FILE *, struct machine *, const struct seen_message *);

/* ---- which lines see the most transitions */

struct busy_lines;
struct busy_line { lineno line; uint64_t transitions, first_seen; };
struct busy_lines *busy_lines_new(struct machine *); /* adds a watcher */
void busy_lines_free(struct busy_lines *);
/* The `most` busiest, busiest first, of equals the one seen first; returns how many. */
size_t busy_lines_top(const struct busy_lines *, struct busy_line *top, size_t most);

#endif
