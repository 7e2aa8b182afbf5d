/* src/work/script_page.c - what the agents of scripts share: the region of lines, and the board of pages.
 *
 * A page on the board is mapped for users and devices. It leaves the board either unmapped (drop, and grants that do
 * not promise the device part: nothing but the mapping would keep others away), or freed as it is, so that the grant
 * that gets it back has mappings, translations and copies to undo. Others reach for the page that was last at a
 * place all the while: what they must not reach any more must refuse them.
 */
#include "src/kern/exclusive.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/page_alloc.h"
#include "src/kern/uspace.h"
#include "src/work/private.h"
#include "src/work/script.h"

enum { TALLIES = 1 << 16 };

/* What is known of a frame. A grant that promises the lock before the others are kept away takes over mappings as they
 * are only if nobody is on the way to the page, and nobody sets out meanwhile: an access to a locked page is an offence. */
struct tally {
    uint16_t users;     /* accesses under way */
    bool written;       /* by a user since it was allocated: may wait in a store buffer still */
    uint16_t frozen;    /* stay away: grants under way that began with it; the frame may be in a second one before the first ends */
};

struct script_board {
    paddr region;
    struct place {
        frame page;     /* 0: empty */
        frame seen;     /* that was here last */
        bool busy;      /* some hart is changing it */
    } place[SCRIPT_PAGES_MAX];
    unsigned loose;     /* mapped pages that are in the allocator: whoever gets one must ask for the device part, */
    unsigned strict;    /* and those who promise otherwise are under way: no page may become loose */
    struct tally *tally;
};

struct script_board *script_board(struct work *w)
{
    if (w->board)
        return w->board;
    struct script_board *b = w->board = ARENA_ONE(w->arena, struct script_board);
    uint64_t bytes = (uint64_t)SCRIPT_LINES_MAX * LINE_BYTES;
    b->region = work_scratch(w, bytes);
    b->tally = ARENA_ARRAY(w->arena, struct tally, TALLIES);
    for (uint64_t i = 0; w->kernel->desc.iommu.on && i < bytes / PAGE_BYTES; i++) {
        iova at;
        bool mapped = dma_map_boot(w->kernel, w->backdoor, WORK_DOMAIN, (frame){ paddr_frame(b->region).v + i }, true, true, &at);
        CHECK(mapped, "script: IOMMU table pool too small for the shared lines");
    }
    return b;
}

paddr script_address(const struct script_board *b, uint32_t line, uint32_t byte)
{
    return paddr_plus(b->region, (uint64_t)line * LINE_BYTES + byte);
}

/* NULL: too far up. */
static struct tally *tally_of(const struct script_board *b, frame f) { return f.v && f.v < TALLIES ? &b->tally[f.v] : NULL; }

frame script_page_enter(struct script_board *b, uint32_t page)
{
    frame f = b->place[page].seen;
    struct tally *t = tally_of(b, f);
    if (!t || t->frozen)
        return (frame){ 0 };
    t->users++;
    return f;
}

void script_page_leave(struct script_board *b, frame f) { tally_of(b, f)->users--; }

static void alloc_page(struct hart *h, const struct agent *a, struct script_board *b, struct place *p)
{
    const struct kernel *k = agent_kernel(a);
    iova at;
    if (p->page.v)
        return;
    frame f = alloc_pages(h, k, GFP_ATOMIC, 0);
    if (!f.v)
        return;
    uspace_map(h, k, WORK_SPACE, work_user_address(f), f, true);
    if (k->desc.iommu.on)
        dma_map(h, k, WORK_DOMAIN, f, true, true, &at);
    k_fence(h); /* the others' walks see the entries */
    p->page = p->seen = f;
    if (tally_of(b, f))
        tally_of(b, f)->written = false;
}

static void unmap(struct hart *h, const struct kernel *k, frame f)
{
    frame was;
    uspace_unmap(h, k, WORK_SPACE, work_user_address(f), &was);
    if (k->desc.iommu.on)
        dma_unmap_page(h, k, f);
}

static void drop(struct hart *h, const struct agent *a, struct place *p)
{
    if (!p->page.v)
        return;
    unmap(h, agent_kernel(a), p->page);
    free_pages(h, agent_kernel(a), p->page, 0);
    p->page.v = 0;
}

/* One line read, one written: the owner has it now. */
static void use(struct hart *h, const struct agent *a, frame f)
{
    paddr at = paddr_plus(frame_addr(f), a->done % LINES_PER_PAGE * LINE_BYTES);
    k_load(h, at, 8);
    k_store(h, at, 8, agent_value(a, a->done));
}

static bool any_way(unsigned parts) { return (parts & (GRANT_DEVICE | GRANT_LOCK)) == GRANT_DEVICE; }

/* May the grant find the page mapped? */
static bool leave_mapped(const struct script_board *b, frame f, unsigned parts)
{
    const struct tally *t = tally_of(b, f);
    bool quiet = t && t->users == 0 && !t->written;
    return b->strict == 0 && (any_way(parts) || ((parts & GRANT_DEVICE) && quiet));
}

static struct grant ask(struct hart *h, const struct kernel *k, frame before, unsigned parts)
{
    k_preempt_disable(h);
    free_pages(h, k, before, 0);
    struct grant g = grant_page(h, k, GFP_ATOMIC, parts);
    k_preempt_enable(h);
    return g;
}

/* The page at a place goes to the allocator, and most probably comes back from it. */
static struct grant exchange(struct hart *h, const struct kernel *k, struct script_board *b, frame before, unsigned parts)
{
    bool mapped = leave_mapped(b, before, parts), strict = !any_way(parts);
    struct tally *t = tally_of(b, before);
    b->loose += mapped;
    b->strict += strict;
    uint16_t freezes = (parts & GRANT_LOCK) != 0;
    if (t)
        t->frozen = (uint16_t)(t->frozen + freezes);
    if (!mapped)
        unmap(h, k, before);
    struct grant g = ask(h, k, before, parts);
    if (t)
        t->frozen = (uint16_t)(t->frozen - freezes);
    b->strict -= strict;
    b->loose -= mapped && g.f.v == before.v;
    if (mapped && g.f.v != before.v)
        k_count(h, "script.loose_pages", 1);
    return g;
}

static void grant(struct hart *h, const struct agent *a, struct script_board *b, struct place *p, unsigned parts)
{
    const struct kernel *k = agent_kernel(a);
    frame before = p->page;
    if (!before.v)
        return;
    if (b->loose)
        parts = (parts | GRANT_DEVICE) & ~(unsigned)GRANT_LOCK;
    p->page.v = 0;
    struct grant g = exchange(h, k, b, before, parts);
    if (!g.f.v)
        return;
    use(h, a, g.f);
    grant_release(h, k, g);
}

static void user_access(struct hart *h, const struct agent *a, struct script_board *b, const struct script_op *op)
{
    bool write = op->kind == SCRIPT_USER_STORE;
    frame f = script_page_enter(b, op->arg[0]);
    uint64_t value;
    if (!f.v)
        return;
    tally_of(b, f)->written |= write;
    vaddr at = { work_user_address(f).v + (uint64_t)op->arg[1] * LINE_BYTES + op->arg[1] % 8 * 8 };
    if (!(write ? k_user_store(h, at, 8, agent_value(a, a->done)) : k_user_load(h, at, 8, &value)))
        k_count(h, "script.page_faults", 1);
    script_page_leave(b, f);
}

static void get(struct hart *h, const struct agent *a, struct script_hart *own, unsigned order)
{
    unsigned n = own->count;
    if (n == sizeof own->block / sizeof *own->block)
        return;
    own->block[n].f = alloc_pages(h, agent_kernel(a), GFP_ATOMIC, order);
    own->block[n].order = order;
    own->count += own->block[n].f.v != 0;
}

static void put(struct hart *h, const struct agent *a, struct script_hart *own)
{
    if (own->count == 0)
        return;
    own->count--;
    free_pages(h, agent_kernel(a), own->block[own->count].f, own->block[own->count].order);
}

/* On a place that nobody else is changing. */
static void on_place(struct hart *h, const struct agent *a, struct script_board *b, const struct script_op *op)
{
    struct place *p = &b->place[op->arg[0]];
    if (p->busy)
        return;
    p->busy = true;
    switch (op->kind) {
    case SCRIPT_ALLOC: alloc_page(h, a, b, p); break;
    case SCRIPT_DROP: drop(h, a, p); break;
    default: grant(h, a, b, p, op->arg[1]); break;
    }
    p->busy = false;
}

void script_page_operation(struct hart *h, const struct agent *a, struct script_hart *own, const struct script_op *op)
{
    struct script_board *b = script_board(a->work);
    if (!own->in_space && op->kind <= SCRIPT_USER_STORE) {
        uspace_use(h, agent_kernel(a), WORK_SPACE);
        own->in_space = true;
    }
    switch (op->kind) {
    case SCRIPT_USER_LOAD: case SCRIPT_USER_STORE: user_access(h, a, b, op); break;
    case SCRIPT_GET: get(h, a, own, op->arg[0]); break;
    case SCRIPT_PUT: put(h, a, own); break;
    default: on_place(h, a, b, op); break;
    }
}
