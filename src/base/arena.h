/* src/base/arena.h - memory that lives as long as the machine built from it.
 *
 * Bump allocation, zeroed, freed only as a whole. Exhaustion of the host's memory and any allocation
 * after arena_seal (the machine is built; the run allocates nothing) are panics: callers never see NULL.
 */
#ifndef LAB_BASE_ARENA_H
#define LAB_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *);                 /* everything in it; NULL is fine */
/* count * bytes_each zeroed bytes, aligned to 64 when that large, else to the power of two that suits; 0 bytes
 * gives a valid pointer not to be followed. */
void *arena_alloc(struct arena *, size_t count, size_t bytes_each);
char *arena_strdup(struct arena *, const char *text);
char *arena_printf(struct arena *, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_seal(struct arena *);
bool arena_sealed(const struct arena *);
uint64_t arena_used_bytes(const struct arena *); /* handed out, with the padding between: `bench` reports it */

#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc((arena), (count), sizeof(type)))
#define ARENA_ONE(arena, type) ARENA_ARRAY(arena, type, 1)

#endif
