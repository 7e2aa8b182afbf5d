/* src/study/explain_key.h - configuration keys in words, from the parameter tables. */
#ifndef LAB_STUDY_EXPLAIN_KEY_H
#define LAB_STUDY_EXPLAIN_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A key by its path (machine.l2.mshrs), or a key of an agent's program, of which there may be several:
 * agents.PROGRAM.KEY is one, agents.NAME.KEY all. False: there is none, nothing is printed. */
bool key_explain(FILE *, const char *path);
/* The nearest path, or NULL. Returns buffer. */
const char *key_nearest(const char *path, char *buffer, size_t bytes);
/* Does the text begin like a path of a key? */
bool key_like(const char *path);
/* All of them, with their sentence. */
void key_list(FILE *);

#endif
