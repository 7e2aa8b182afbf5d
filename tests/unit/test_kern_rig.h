/* tests/unit/test_kern_rig.h - a booted kernel on the native backend, for the tests of src/kern. */
#ifndef LAB_TEST_KERN_RIG_H
#define LAB_TEST_KERN_RIG_H

#include <criterion/criterion.h>

#include "src/kern/check.h"
#include "src/kern/page_alloc.h"
#include "src/kern/pcp.h"
#include "tests/native/native.h"

#include <string.h>

struct rig {
    struct native *machine;
    struct hart *h;          /* hart 0 */
    struct backdoor *b;
    struct kernel k;
    char text[256];
};

static inline struct kernel_desc rig_desc(void)
{
    struct kernel_desc d = kernel_desc_default();
    d.memory_bytes = UINT64_C(32) << 20;
    d.scratch_bytes = PAGE_BYTES;
    d.zone_dma = d.zone_dma32 = false; /* one zone, NORMAL */
    return d;
}

static inline void rig_boot(struct rig *r, const struct kernel_desc *d)
{
    memset(r, 0, sizeof *r);
    r->machine = native_new(d->memory_bytes, d->harts);
    r->h = &r->machine->harts[0];
    r->b = native_backdoor(r->machine);
    kernel_init(&r->k, d);
    kernel_boot(&r->k, r->b);
    for (unsigned i = 0; i < d->harts; i++)
        kernel_hart_boot(&r->k, &r->machine->harts[i]);
}

static inline void rig_free(struct rig *r) { native_free(r->machine); }

static inline void rig_recount(struct rig *r, const struct held_block *held, size_t count)
{
    const char *lie = kern_check(&r->k, r->b, held, count, r->text, sizeof r->text);
    cr_assert_null(lie, "%s", lie);
}

/* The first zone: the only one, unless the description says otherwise. */
static inline const struct zone *rig_zone(struct rig *r) { return &r->k.zones[0]; }
static inline uint64_t zone_free_count(struct rig *r, const struct zone *z) { return backdoor_read(r->b, zone_word(z, ZONE_AT_FREE), 8); }
static inline uint64_t rig_free_pages(struct rig *r) { return zone_free_count(r, rig_zone(r)); }
static inline uint64_t rig_blocks(struct rig *r, unsigned order)
{
    return backdoor_read(r->b, paddr_plus(zone_area(rig_zone(r), order), AREA_COUNT), 8);
}

/* Runs `statement`, which must be an illegal operation whose text contains `words`. */
#define RIG_ILLEGAL(r, statement, words) \
    do { \
        jmp_buf back; \
        (r)->h->illegal = &back; \
        if (setjmp(back) == 0) { \
            statement; \
            cr_assert_fail("legal: " #statement); \
        } \
        cr_assert_not_null(strstr((r)->h->illegal_text, words), "%s", (r)->h->illegal_text); \
        (r)->h->illegal = NULL; \
        (r)->h->depth = 0; \
    } while (0)

#endif
