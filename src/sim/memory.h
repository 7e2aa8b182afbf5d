/* src/sim/memory.h - simulated physical memory: values, kept once, and a version per line.
 *
 * The protocol has one writer, so the data of a line need not travel: values live here and are read or
 * written in the event that grants the access. What travels is the version of a copy: each store makes the
 * line's current version one larger; each cached copy, data message and DRAM line carries the version it
 * holds, and every read compares (a stale copy or a lost write-back cannot pass unseen).
 *
 * Untouched memory costs the host 8 bytes per 4 MiB; touched pages are made on first use, zero or as a boot
 * image says (a function of the address, so that booting 256 GiB costs nothing).
 */
#ifndef LAB_SIM_MEMORY_H
#define LAB_SIM_MEMORY_H

#include "src/base/units.h"

struct memory;
typedef void memory_boot_fn(void *arg, frame f, uint64_t words[PAGE_BYTES / 8]);

struct memory *memory_new(uint64_t bytes);
void memory_free(struct memory *);
uint64_t memory_bytes(const struct memory *);
uint64_t memory_host_bytes(const struct memory *); /* what it costs the host now */
bool memory_contains(const struct memory *, paddr, uint64_t bytes);

/* Naturally aligned 1, 2, 4 or 8 bytes; anything else panics. */
uint64_t memory_read(struct memory *, paddr, unsigned bytes);
void memory_write(struct memory *, paddr, unsigned bytes, uint64_t value);
uint64_t *memory_line(struct memory *, lineno);             /* its 8 words */
/* Pages of [first, first + count) are filled by fn on first touch instead of with zero. */
void memory_boot_image(struct memory *, frame first, uint64_t count, memory_boot_fn *fn, void *arg);

struct line_versions {
    uint32_t current; /* of the newest store to the line */
    uint32_t dram;    /* of the copy in DRAM */
};
struct line_versions *memory_versions(struct memory *, lineno);

#endif
