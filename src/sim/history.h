/* src/sim/history.h - the last transitions of coherence lines: what led to a violation. One ring per machine,
 * written by every cache and home on each protocol step but hits that change no state.
 */
#ifndef LAB_SIM_HISTORY_H
#define LAB_SIM_HISTORY_H

#include "src/base/units.h"

#include <stdio.h>

struct history_entry {
    tick when;
    lineno line;
    const char *who, *event, *old_state, *new_state; /* static or as long-lived as the machine */
    int from;                                        /* agent that caused it, -1 itself */
};

struct history;
struct history *history_new(unsigned entries); /* rounded up to a power of two */
void history_free(struct history *);
void history_add(struct history *, struct history_entry);
/* Prints what the ring still holds about a line, oldest first, at most `most` entries. */
void history_print(const struct history *, lineno, unsigned most, FILE *);
/* The same entries one by one. */
void history_each(const struct history *, lineno, unsigned most, void (*fn)(void *arg, const struct history_entry *), void *arg);
/* Each line that the ring's last 4096 entries are about, the one that changed last first; `fn` says whether to go on. */
void history_lines(const struct history *, bool (*fn)(void *arg, lineno), void *arg);
/* Called for each entry as it is added (traces); NULL clears. */
void history_tap(struct history *, void (*fn)(void *arg, const struct history_entry *), void *arg);

#endif
