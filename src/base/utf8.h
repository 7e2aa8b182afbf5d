/* src/base/utf8.h - reading UTF-8 one character at a time, and how wide text is on a terminal. */
#ifndef LAB_BASE_UTF8_H
#define LAB_BASE_UTF8_H

#include <stdint.h>

enum { UTF8_REPLACEMENT = 0xfffd };

/* Bytes of the character at `text` (1 to 4), its code in *code. What is not UTF-8 (RFC 3629) counts as one byte,
 * with *code = UTF8_REPLACEMENT. At the end of the text: 0. */
unsigned utf8_next(const char *text, uint32_t *code);
/* Columns on a terminal: combining marks 0, East Asian wide characters 2, all others 1. */
unsigned utf8_columns(const char *text);

#endif
