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
/* Interrupt vectors of programs: from VECTOR_SOURCES one per entry of irq-source. */
enum { VECTOR_SOURCES = 8, VECTOR_GRANT = IRQ_VECTORS - 1, VECTOR_SOURCES_COUNT = VECTOR_GRANT - VECTOR_SOURCES };

enum { PERMYRIAD = 10000 };

/* Where a page is mapped in the user space: above all physical addresses, one place per page. */
static inline vaddr work_user_address(frame f) { return (vaddr){ (UINT64_C(1) << 44) + frame_addr(f).v }; }

/* P_CHOICE: composition of allocation flags. */
enum { GFP_CHOICES = 4 };
extern const char *const gfp_choices[GFP_CHOICES + 1];
gfp_t gfp_of_choice(int choice);

enum share { SHARE_READ, SHARE_WRITE };
extern const char *const share_choices[];

static inline const struct kernel *agent_kernel(const struct agent *a) { return a->work->kernel; }

/* A value that no other agent and no other operation of this one writes (as long as 2^40 operations last). */
uint64_t agent_value(const struct agent *, uint64_t sequence);

/* A zeroed state for each member. */
void *agents_state(struct work *, struct agent *members, unsigned count, size_t bytes_each);

extern const struct program program_alloc_bulk, program_alloc_random_free, program_alloc_repeat, program_chase,
    program_compute, program_dma_foreign, program_dma_stream, program_exclusive_alloc, program_irq_source,
    program_litmus, program_page_invalidate, program_ping_pong, program_random_mix, program_script, program_script_dma,
    program_spin_lock, program_stress, program_stress_dma, program_touch_pages;

#endif
