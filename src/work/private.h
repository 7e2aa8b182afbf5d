/* src/work/private.h - what the programs of this folder share. */
#ifndef LAB_WORK_PRIVATE_H
#define LAB_WORK_PRIVATE_H

#include "src/base/arena.h"
#include "src/base/fail.h"
#include "src/sim/inspect.h"
#include "src/work/meeting.h"
#include "src/work/program.h"

/* User space 1 holds the pages that programs expose (and IOMMU domain WORK_DOMAIN, program.h). */
enum { WORK_SPACE = 1 };
/* Interrupt vectors of programs: VECTOR_SOURCES and on are handed out by work_vector, in the order of the file. */
enum { VECTOR_SOURCES = 8, VECTOR_GRANT = IRQ_VECTORS - 1, VECTOR_SOURCES_COUNT = VECTOR_GRANT - VECTOR_SOURCES };

unsigned work_vector(struct work *);     /* exit 2 when there are no more */
unsigned work_softirq(struct work *);    /* likewise */

enum { PERMYRIAD = 10000 };

/* Where a page is mapped in the user space: above all physical addresses, one place per page. */
static inline vaddr work_user_address(frame f) { return (vaddr){ (UINT64_C(1) << 44) + frame_addr(f).v }; }

/* Allocation flags as text (gfp_parse of src/kern/gfp.h). work_gfp_check: NULL, or what is wrong. */
const char *work_gfp_check(const struct work *, const char *text);
gfp_t work_gfp(const struct work *, const char *text);

/* Allocates a block and frees it at once, as one request alloc.pair. False: there was none. */
bool work_alloc_pair(struct hart *, const struct agent *, gfp_t, unsigned order);

/* Until every hog (program pressure) has reached its level once. */
void pressure_wait(struct hart *, struct work *);

enum share { SHARE_READ, SHARE_WRITE };
extern const char *const share_choices[];

static inline const struct kernel *agent_kernel(const struct agent *a) { return a->work->kernel; }

/* A value that no other agent and no other operation of this one writes (as long as 2^40 operations last). */
uint64_t agent_value(const struct agent *, uint64_t sequence);

/* A zeroed state for each member. */
void *agents_state(struct work *, struct agent *members, unsigned count, size_t bytes_each);

/* One line each, so that new ones do not collide. */
extern const struct program program_alloc_bulk;
extern const struct program program_alloc_random_free;
extern const struct program program_alloc_repeat;
extern const struct program program_alloc_replay;
extern const struct program program_chase;
extern const struct program program_compute;
extern const struct program program_dma_foreign;
extern const struct program program_dma_stream;
extern const struct program program_exclusive_alloc;
extern const struct program program_irq_source;
extern const struct program program_kswapd;
extern const struct program program_litmus;
extern const struct program program_page_bench;
extern const struct program program_page_invalidate;
extern const struct program program_page_zeroer;
extern const struct program program_ping_pong;
extern const struct program program_pressure;
extern const struct program program_probe_line;
extern const struct program program_random_mix;
extern const struct program program_rx_refill;
extern const struct program program_script;
extern const struct program program_script_dma;
extern const struct program program_spin_lock;
extern const struct program program_stress;
extern const struct program program_stress_dma;
extern const struct program program_touch_pages;

#endif
