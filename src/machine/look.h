/* src/machine/look.h - a machine that stands between two events, in words: lines, cores, messages, agents. Changes
 * nothing. What is printed names nodes as machine_node_name does and gives times in nanoseconds.
 */
#ifndef LAB_MACHINE_LOOK_H
#define LAB_MACHINE_LOOK_H

#include "src/machine/watch.h"

/* Who holds a line and in which state, what its home says, which messages about it are under way: a line or two of text
 * when brief, otherwise a list that says what the states mean. */
void look_line(struct machine *, lineno, bool brief, FILE *);
/* Physical memory: lines beyond it are nowhere, and look_line must not be asked for them. */
uint64_t look_memory_bytes(const struct machine *);
/* A core: program, what its hart waits for, store buffer, MSHRs, write-backs. False: there is no such core. */
bool look_core(struct machine *, unsigned core, FILE *);
/* One line of text per hart and per device with an agent: how far it is, what it waits for. */
void look_agents(struct machine *, FILE *);
/* Every message under way, first sent first. */
void look_messages(struct machine *, FILE *);
/* The last transitions of a line, oldest first, as in a line's life; says so when some are forgotten or there are none. */
void look_history(struct machine *, lineno, unsigned most, FILE *);

/* Operations that the agents of an entry, agents.NAME, have finished, warm-up included. False: no such entry. */
bool look_done(const struct machine *, const char *name, uint64_t *done);
/* Names of the entries of agents:, in the file's order; at most `most`, returns how many. */
size_t look_agent_names(const struct machine *, const char **names, size_t most);

void print_ns(FILE *, tick); /* "12.000 ns" */

#endif
