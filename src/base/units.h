/* src/base/units.h - one kind of time, one struct type per kind of number.
 *
 * Simulated time is a `tick`: one picosecond, unsigned 64 bit (213 days), in every file.
 * Addresses of different spaces are different struct types, so that the compiler refuses to
 * mix a frame number with a byte address; the conversions below are the only ones there are.
 */
#ifndef LAB_BASE_UNITS_H
#define LAB_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t tick; /* one tick is one picosecond */
#define TICK_MAX UINT64_MAX
#define PS_PER_NS 1000u
#define PS_PER_US 1000000u
#define PS_PER_MS 1000000000u
#define PS_PER_S 1000000000000u

/* A clock domain. The period is rounded to whole picoseconds (2.13 GHz is 469 ps, 0.1 % slow);
 * the effective configuration prints the rounded period. */
typedef struct {
    uint32_t period_ps;
} clk;

static inline tick clk_ticks(clk c, uint64_t n_cycles) { return n_cycles * c.period_ps; }

typedef struct { uint64_t v; } paddr;  /* byte in simulated physical memory */
typedef struct { uint64_t v; } vaddr;  /* byte in a user address space */
typedef struct { uint64_t v; } iova;   /* byte as a device sees it */
typedef struct { uint64_t v; } lineno; /* paddr >> LINE_SHIFT */
typedef struct { uint64_t v; } frame;  /* paddr >> PAGE_SHIFT */

enum {
    LINE_SHIFT = 6,
    LINE_BYTES = 1 << LINE_SHIFT,
    PAGE_SHIFT = 12,
    PAGE_BYTES = 1 << PAGE_SHIFT,
    LINES_PER_PAGE = PAGE_BYTES / LINE_BYTES,
    HARTS_MAX = 256, /* harts of one machine; a sharer set holds AGENTS_MAX bits */
    AGENTS_MAX = 320 /* harts plus device-side cache agents */
};

static inline lineno paddr_line(paddr a) { return (lineno){ a.v >> LINE_SHIFT }; }
static inline frame paddr_frame(paddr a) { return (frame){ a.v >> PAGE_SHIFT }; }
static inline paddr line_addr(lineno l) { return (paddr){ l.v << LINE_SHIFT }; }
static inline frame line_frame(lineno l) { return (frame){ l.v >> (PAGE_SHIFT - LINE_SHIFT) }; }
static inline paddr frame_addr(frame f) { return (paddr){ f.v << PAGE_SHIFT }; }
static inline lineno frame_line(frame f, unsigned i)
{
    return (lineno){ (f.v << (PAGE_SHIFT - LINE_SHIFT)) + i };
}
static inline paddr paddr_plus(paddr a, uint64_t bytes) { return (paddr){ a.v + bytes }; }

#endif
