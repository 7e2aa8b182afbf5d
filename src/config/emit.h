/* src/config/emit.h - trees back to YAML text: stable order, quotes only where needed, so that reading
 * the text gives the same tree. Mappings in block style, lists of single values in brackets.
 */
#ifndef LAB_CONFIG_EMIT_H
#define LAB_CONFIG_EMIT_H

#include <stdio.h>

#include "src/config/node.h"

void emit_yaml(FILE *, const struct node *root);
const char *emit_text(struct arena *, const struct node *root);   /* the same text, in the arena */
const char *emit_flow(struct arena *, const struct node *);       /* on one line: [a, { b: 1 }] */

/* 64-bit digest of a text (FNV-1a, then the finaliser of splitmix64); printed as 16 hex digits. */
uint64_t config_digest(const char *text);

#endif
