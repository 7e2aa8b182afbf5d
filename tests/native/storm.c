/* tests/native/storm.c - kernel code under real threads: every lock kind, the allocator with interrupts and remote
 * frees, grants with shootdowns, the invalidation queue. Exit 0: nothing lost, no page in two hands, the recount agrees.
 *
 *   storm [--rounds N] [--seed N] [--only reclaim] [--allocator NAME] [--plant zone-lock|cas]
 *
 * With --allocator only its own storms. A planted fault must make it fail (or the thread sanitizer speak).
 */
#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/kern/check.h"
#include "src/kern/exclusive.h"
#include "src/kern/frames.h"
#include "src/kern/iommu_drv.h"
#include "src/kern/iommu_queue.h"
#include "src/kern/page_alloc.h"
#include "src/kern/page_cache.h"
#include "src/kern/page_lock.h"
#include "src/kern/pcp.h"
#include "src/kern/reclaim.h"
#include "src/kern/spin.h"
#include "src/kern/uspace.h"
#include "src/kern/zero_policy.h"
#include "tests/native/native.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { HARTS = 4, MEMORY = 64 << 20, HELD_MAX = 24, SLOTS = 32, VECTOR_SHOOTDOWN = 1, VECTOR_TIMER = 2 };

static const paddr registers = { 0xfed90000 };
static uint64_t rounds = 4000, seed = 20240611, memory_bytes = MEMORY;
static enum allocator_kind allocator = ALLOCATOR_BUDDY;
static enum zero_policy zero_policy = ZERO_POLICY_ON_DEMAND;
static unsigned cache_share;
static bool tuned;
static uint32_t plant;
static bool zones; /* two nodes, DMA, DMA32 and MOVABLE in place of one zone */

struct storm {
    struct native *machine;
    struct kernel k;
    void (*body)(struct storm *, struct hart *, struct rng *);
    unsigned running; /* atomic */
    struct held_block held[HARTS][HELD_MAX];
    unsigned held_count[HARTS];
};

static void storm_new(struct storm *s, enum lock_kind locks, enum pcp_locking pcp)
{
    struct kernel_desc d = kernel_desc_default();
    d.memory_bytes = memory_bytes;
    d.allocator = allocator;
    d.zero_policy = zero_policy;
    d.page_cache_share = cache_share;
    d.page_cache_dirty = 1000;
    d.page_cache_writeback_ps = 0; /* time stands still */
    d.pcp_tuning = tuned;
    d.zero_pool_pages = 16;
    d.harts = HARTS;
    d.locks = locks;
    d.pcp_locking = pcp;
    d.scratch_bytes = PAGE_BYTES;
    d.nodes = zones ? 2 : 1;
    d.movable_bytes = zones ? MEMORY / 4 : 0;
    d.zone_dma = d.zone_dma32 = zones;
    d.plant = plant;
    d.shootdown = SHOOTDOWN_IPI;
    d.shootdown_vector = VECTOR_SHOOTDOWN;
    d.iommu.on = true;
    d.iommu.registers = registers;
    memset(s, 0, sizeof *s);
    s->machine = native_new(d.memory_bytes, HARTS);
    kernel_init(&s->k, &d);
    kernel_boot(&s->k, native_backdoor(s->machine));
    for (unsigned i = 0; i < HARTS; i++)
        kernel_hart_boot(&s->k, &s->machine->harts[i]);
}

struct thread_arg {
    struct storm *s;
    unsigned id;
};

static void *thread_main(void *arg)
{
    struct thread_arg *a = arg;
    struct hart *h = &a->s->machine->harts[a->id];
    char name[16];
    snprintf(name, sizeof name, "hart%u", a->id);
    struct rng r = rng_stream(seed, name);
    a->s->body(a->s, h, &r);
    h->self_irq_one_in = 0;
    __atomic_fetch_sub(&a->s->running, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&a->s->running, __ATOMIC_SEQ_CST) != 0)
        k_pause(h); /* others may still wait for our acknowledgement */
    return NULL;
}

static void storm_run(struct storm *s, void (*body)(struct storm *, struct hart *, struct rng *))
{
    pthread_t threads[HARTS];
    struct thread_arg args[HARTS];
    s->body = body;
    s->running = HARTS;
    for (unsigned i = 0; i < HARTS; i++) {
        args[i] = (struct thread_arg){ s, i };
        CHECK(pthread_create(&threads[i], NULL, thread_main, &args[i]) == 0, "storm: no thread");
    }
    for (unsigned i = 0; i < HARTS; i++)
        pthread_join(threads[i], NULL);
}

static void recount(struct storm *s, const char *when)
{
    struct held_block all[HARTS * HELD_MAX];
    size_t n = 0;
    char text[200];
    for (unsigned i = 0; i < HARTS; i++)
        for (unsigned j = 0; j < s->held_count[i]; j++)
            all[n++] = s->held[i][j];
    const char *lie = kern_check(&s->k, native_backdoor(s->machine), all, n, text, sizeof text);
    CHECK(lie == NULL, "storm, %s: %s", when, lie);
}

/* ---- mutual exclusion: counters that only a lock protects; one in tasks and interrupt handlers, one in tasks only,
 * whose waiters are interrupted, so that a hart may wait in two queues */

enum { LOCK_SHARED = 0, LOCK_TASKS = 8, COUNT_SHARED = 64, COUNT_TASKS = 72 };

static paddr scratch(const struct storm *s, unsigned offset) { return paddr_plus(s->k.at.scratch, offset); }

static void bump(struct storm *s, struct hart *h, unsigned offset)
{
    paddr counter = scratch(s, offset);
    k_store(h, counter, 8, k_load(h, counter, 8) + 1);
}

static void lock_interrupt(struct hart *h, void *arg)
{
    struct storm *s = arg;
    spin_lock(h, &s->k, scratch(s, LOCK_SHARED));
    bump(s, h, COUNT_SHARED);
    spin_unlock(h, &s->k, scratch(s, LOCK_SHARED));
}

static void task_section(struct storm *s, struct hart *h)
{
    spin_lock(h, &s->k, scratch(s, LOCK_TASKS));
    bump(s, h, COUNT_TASKS);
    sched_yield(); /* held long, so that others wait and are interrupted */
    spin_unlock(h, &s->k, scratch(s, LOCK_TASKS));
}

static void lock_body(struct storm *s, struct hart *h, struct rng *r)
{
    paddr lock = scratch(s, LOCK_SHARED);
    hart_set_irq(h, VECTOR_TIMER, CONTEXT_HARDIRQ, lock_interrupt, s);
    for (uint64_t i = 0; i < rounds; i++) {
        if (rng_chance(r, 1, 4))
            native_post(&s->machine->harts[rng_below(r, HARTS)], VECTOR_TIMER);
        task_section(s, h);
        bool were_on = k_irq_save(h);
        if (!rng_chance(r, 1, 4))
            spin_lock(h, &s->k, lock);
        else
            while (!spin_trylock(h, &s->k, lock))
                k_pause(h);
        bump(s, h, COUNT_SHARED);
        spin_unlock(h, &s->k, lock);
        k_irq_restore(h, were_on);
    }
}

static void lock_storm(enum lock_kind kind)
{
    struct storm s;
    storm_new(&s, kind, PCP_LOCKING_6_2);
    storm_run(&s, lock_body);
    uint64_t want = HARTS * rounds;
    for (unsigned i = 0; i < HARTS; i++)
        want += s.machine->harts[i].irqs_taken;
    uint64_t got = backdoor_read(native_backdoor(s.machine), scratch(&s, COUNT_SHARED), 8);
    uint64_t tasks = backdoor_read(native_backdoor(s.machine), scratch(&s, COUNT_TASKS), 8);
    CHECK(tasks == HARTS * rounds, "lock storm, kind %d: tasks counted %llu", (int)kind, (unsigned long long)tasks);
    CHECK(got == want, "lock storm, kind %d: counted %llu of %llu", (int)kind, (unsigned long long)got,
          (unsigned long long)want);
    native_free(s.machine);
}

/* ---- page lock */

static void page_lock_body(struct storm *s, struct hart *h, struct rng *r)
{
    frame f = s->k.zones[0].first;
    for (uint64_t i = 0; i < rounds / 4; i++) {
        if (rng_chance(r, 1, 2))
            lock_page(h, &s->k, f);
        else
            while (!trylock_page(h, &s->k, f))
                k_pause(h);
        bump(s, h, COUNT_SHARED);
        unlock_page(h, &s->k, f);
    }
}

static void page_lock_storm(void)
{
    struct storm s;
    storm_new(&s, LOCK_QUEUED, PCP_LOCKING_6_2);
    storm_run(&s, page_lock_body);
    uint64_t got = backdoor_read(native_backdoor(s.machine), scratch(&s, COUNT_SHARED), 8);
    CHECK(got == HARTS * (rounds / 4), "page lock storm: counted %llu", (unsigned long long)got);
    native_free(s.machine);
}

/* ---- allocator: each block carries its holder's stamp; blocks change hands through slots */

static uint64_t stamp(frame f, unsigned order) { return f.v << 8 | order; }

/* Each page of the block: from one word to another. */
static void restamp(struct hart *h, frame f, unsigned order, uint64_t from, uint64_t to)
{
    for (uint64_t i = f.v; i < f.v + (UINT64_C(1) << order); i++) {
        paddr word = frame_addr((frame){ i });
        uint64_t seen = k_load(h, word, 8);
        CHECK(seen == from, "allocator storm: frame 0x%llx of the block of order %u at 0x%llx carries stamp 0x%llx",
              (unsigned long long)i, order, (unsigned long long)f.v, (unsigned long long)seen);
        k_store(h, word, 8, to);
    }
}

static void give(struct storm *s, struct hart *h, frame f, unsigned order)
{
    restamp(h, f, order, stamp(f, order), 0);
    free_pages(h, &s->k, f, order);
}

static frame get(struct storm *s, struct hart *h, gfp_t gfp, unsigned order)
{
    frame f = alloc_pages(h, &s->k, gfp, order);
    if (f.v != 0)
        restamp(h, f, order, 0, stamp(f, order));
    return f;
}

static void drain(struct storm *s, struct hart *h)
{
    for (unsigned i = 0; s->k.frames->drain != NULL && i < s->k.zone_count; i++)
        s->k.frames->drain(h, &s->k, &s->k.zones[i]);
}

static void alloc_interrupt(struct hart *h, void *arg)
{
    struct storm *s = arg;
    frame f = get(s, h, GFP_ATOMIC, 0);
    if (f.v != 0)
        give(s, h, f, 0);
}

static unsigned draw_order(struct rng *r)
{
    return rng_chance(r, 3, 4) ? (unsigned)rng_below(r, PCP_ORDERS) : (unsigned)rng_below(r, ORDERS);
}

static void free_one(struct storm *s, struct hart *h, struct rng *r)
{
    struct held_block *mine = s->held[h->id];
    unsigned *count = &s->held_count[h->id];
    if (*count == 0)
        return;
    unsigned pick = (unsigned)rng_below(r, *count);
    struct held_block b = mine[pick];
    mine[pick] = mine[--*count];
    if (rng_chance(r, 1, 3)) { /* let another hart free it: swap with what lies in the slot */
        paddr slot = scratch(s, 128 + (unsigned)rng_below(r, SLOTS) * 8);
        uint64_t other = k_swap(h, slot, 8, stamp(b.f, b.order));
        if (other == 0)
            return;
        b = (struct held_block){ { other >> 8 }, (unsigned)(other & 0xff) };
    }
    give(s, h, b.f, b.order);
}

static void alloc_body(struct storm *s, struct hart *h, struct rng *r)
{
    static const gfp_t flags[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL, GFP_HIGHUSER_MOVABLE | GFPM_ZERO, GFP_KERNEL | GFPM_RECLAIMABLE };
    hart_set_irq(h, VECTOR_TIMER, CONTEXT_HARDIRQ, alloc_interrupt, s);
    h->self_irq_vector = VECTOR_TIMER;
    h->self_irq_random = rng_next(r);
    h->self_irq_one_in = 40;
    for (uint64_t i = 0; i < rounds; i++) {
        unsigned *count = &s->held_count[h->id];
        if (rng_chance(r, 1, 500))
            drain(s, h);
        if (*count < HELD_MAX && rng_chance(r, 1, 2)) {
            unsigned order = draw_order(r);
            frame f = get(s, h, flags[rng_below(r, 5)], order);
            if (f.v != 0)
                s->held[h->id][(*count)++] = (struct held_block){ f, order };
        } else {
            free_one(s, h, r);
        }
    }
}

static void free_rest(struct storm *s)
{
    struct hart *h = &s->machine->harts[0];
    for (unsigned i = 0; i < HARTS; i++)
        while (s->held_count[i] > 0) {
            struct held_block b = s->held[i][--s->held_count[i]];
            give(s, h, b.f, b.order);
        }
    drain(s, h);
}

static void collect_slots(struct storm *s)
{
    struct hart *h = &s->machine->harts[0];
    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t word = k_swap(h, scratch(s, 128 + i * 8), 8, 0);
        if (word != 0)
            give(s, h, (frame){ word >> 8 }, (unsigned)(word & 0xff));
    }
}

static void alloc_storm(enum lock_kind kind, enum pcp_locking pcp)
{
    struct storm s;
    storm_new(&s, kind, pcp);
    storm_run(&s, alloc_body);
    collect_slots(&s);
    recount(&s, "with blocks held");
    free_rest(&s);
    recount(&s, "all given back");
    uint64_t refused = 0, failed = 0, interrupts = 0, stolen = 0;
    for (unsigned i = 0; i < HARTS; i++) {
        const struct hart *h = &s.machine->harts[i];
        refused += native_counter(h, "pcp.lock_refused");
        failed += native_counter(h, "alloc.failed");
        stolen += native_counter(h, "llfree.stolen");
        interrupts += h->irqs_taken;
    }
    printf("alloc storm: %s, seed %llu, %llu MiB, locks %d, per-CPU preset %d: %llu interrupts, %llu list locks refused, "
           "%llu failures, %llu stolen\n", s.k.frames->name, (unsigned long long)seed, (unsigned long long)memory_bytes >> 20,
           (int)kind, (int)pcp, (unsigned long long)interrupts, (unsigned long long)refused, (unsigned long long)failed,
           (unsigned long long)stolen);
    native_free(s.machine);
}

/* ---- reclaim: pages go to the page cache until memory is short; the last hart is kswapd whenever it has been woken, the
 * others reclaim by themselves, allocate with all kinds of flags in tasks and interrupts, and give back */

static void reclaim_step(struct storm *s, struct hart *h, struct rng *r)
{
    static const gfp_t flags[] = { GFP_ATOMIC, GFP_NOWAIT, GFP_KERNEL, GFP_HIGHUSER_MOVABLE | GFPM_NORETRY, GFP_KERNEL | GFPM_NORETRY, GFP_ATOMIC | GFPM_ZERO };
    unsigned *count = &s->held_count[h->id], order = draw_order(r);
    gfp_t gfp = flags[rng_below(r, sizeof flags / sizeof *flags)];
    uint64_t what = rng_below(r, 16);
    if (what < 6) {
        frame f = *count < HELD_MAX ? get(s, h, gfp, order) : (frame){ 0 };
        if (f.v != 0)
            s->held[h->id][(*count)++] = (struct held_block){ f, order };
    } else if (what < 12) {
        free_one(s, h, r);
    } else {
        frame f = alloc_pages(h, &s->k, gfp, 0);
        if (f.v != 0)
            page_cache_add(h, &s->k, f, rng_chance(r, 1, 8));
    }
    if (tuned && rng_chance(r, 1, 100))
        pcp_decay(h, &s->k, &s->k.zones[rng_below(r, s->k.zone_count)]);
}

static void reclaim_body(struct storm *s, struct hart *h, struct rng *r)
{
    paddr woken = paddr_plus(s->k.nodes[0].at, PGDAT_KSWAPD);
    hart_set_irq(h, VECTOR_TIMER, CONTEXT_HARDIRQ, alloc_interrupt, s);
    h->self_irq_vector = VECTOR_TIMER;
    h->self_irq_random = rng_next(r);
    h->self_irq_one_in = 400;
    for (uint64_t i = 0; i < rounds; i++) {
        if (h->id == HARTS - 1 && k_load_once(h, woken, 8) != 0)
            kswapd_turn(h, &s->k, 0);
        reclaim_step(s, h, r);
    }
}

static void reclaim_storm(enum allocator_kind kind, enum pcp_locking pcp, bool tuning)
{
    struct storm s;
    uint64_t direct = 0, background = 0, operations = 0, failed = 0;
    allocator = kind;
    cache_share = 6000;
    tuned = tuning;
    storm_new(&s, LOCK_QUEUED, pcp);
    storm_run(&s, reclaim_body);
    collect_slots(&s);
    recount(&s, "with page cache and blocks held");
    free_rest(&s);
    recount(&s, "with page cache");
    for (unsigned i = 0; i < HARTS; i++) {
        const struct hart *h = &s.machine->harts[i];
        direct += native_counter(h, "reclaim.direct_pages");
        background += native_counter(h, "reclaim.kswapd_pages");
        failed += native_counter(h, "alloc.failed");
        for (unsigned c = CLASS_ALLOC_ATOMIC; c <= CLASS_FREE; c++)
            operations += h->class_count[c];
    }
    printf("reclaim storm: %s, seed %llu, per-CPU preset %d%s: %llu allocations and frees, %llu failures, pages reclaimed: %llu by kswapd, %llu directly\n",
           s.k.frames->name, (unsigned long long)seed, (int)pcp, tuning ? ", tuned" : "", (unsigned long long)operations,
           (unsigned long long)failed, (unsigned long long)background, (unsigned long long)direct);
    fflush(stdout);
    native_free(s.machine);
    allocator = ALLOCATOR_BUDDY;
    cache_share = 0;
    tuned = false;
}

static void reclaim_storms(void)
{
    reclaim_storm(ALLOCATOR_BUDDY, PCP_LOCKING_6_0, false);
    reclaim_storm(ALLOCATOR_BUDDY, PCP_LOCKING_6_2, true);
    for (unsigned i = ALLOCATOR_BUDDY + 1; i < ALLOCATOR_KINDS; i++)
        reclaim_storm((enum allocator_kind)i, PCP_LOCKING_6_2, false);
}

/* Memory that runs out, and more (for llfree: one tree for all, and one for each). */
static void rival_storms(enum allocator_kind kind)
{
    uint64_t first = seed;
    allocator = kind;
    for (seed = first; seed < first + 3; seed++) {
        alloc_storm(LOCK_QUEUED, PCP_LOCKING_6_2);
        memory_bytes = 10 * MEMORY;
        alloc_storm(LOCK_QUEUED, PCP_LOCKING_6_2);
        memory_bytes = MEMORY;
    }
    seed = first;
    allocator = ALLOCATOR_BUDDY;
}

/* ---- grants: pages are freed while mapped, so that the next grant has to unmap them and shoot them down */

static void grant_body(struct storm *s, struct hart *h, struct rng *r)
{
    uspace_use(h, &s->k, 1);
    for (uint64_t i = 0; i < rounds / 4; i++) {
        if (zero_policy == ZERO_POLICY_POOL && rng_chance(r, 1, 2))
            zero_pool_fill(h, &s->k);
        struct grant g = grant_page(h, &s->k, GFP_ATOMIC, (unsigned)rng_below(r, GRANT_ALL + 1));
        CHECK(g.f.v != 0, "grant storm: no page");
        for (unsigned line = 0; (g.parts & GRANT_SECURE) != 0 && line < LINES_PER_PAGE; line++)
            CHECK(k_load(h, line_addr(frame_line(g.f, line)), 8) == 0, "grant storm: the page is not clear");
        for (unsigned line = 0; line < LINES_PER_PAGE; line++)
            k_store(h, line_addr(frame_line(g.f, line)), 8, i + 1);
        if (rng_chance(r, 1, 4))
            uspace_map(h, &s->k, 1, (vaddr){ (uint64_t)PAGE_BYTES * (1 + h->id * rounds + i) }, g.f, true);
        grant_release(h, &s->k, g);
    }
}

static void grant_storm(enum zero_policy policy)
{
    struct storm s;
    uint64_t shootdowns = 0, known = 0;
    zero_policy = policy;
    storm_new(&s, LOCK_QUEUED, PCP_LOCKING_6_2);
    storm_run(&s, grant_body);
    free_rest(&s);
    recount(&s, "grants given back");
    for (unsigned i = 0; i < HARTS; i++) {
        const struct hart *h = &s.machine->harts[i];
        shootdowns += h->class_count[CLASS_SHOOTDOWN];
        known += native_counter(h, "zero_pool.hit") + native_counter(h, "zero_on_free.known");
    }
    CHECK((known != 0) == (policy != ZERO_POLICY_ON_DEMAND), "grant storm: %llu pages known to be zero", (unsigned long long)known);
    CHECK(shootdowns > 0, "grant storm: no shootdown happened");
    printf("grant storm: zero policy %d, %llu shootdowns, %llu pages known to be zero\n", (int)policy,
           (unsigned long long)shootdowns, (unsigned long long)known);
    native_free(s.machine);
    zero_policy = ZERO_POLICY_ON_DEMAND;
}

/* ---- invalidation queue: a device thread serves it; few free slots, so that submitters wait for them */

enum { FEW_SLOTS = 20, LONG_SUBMIT = 15 };
static struct native_queue queue;
static bool device_stop; /* atomic */

static void *device_main(void *arg)
{
    struct native *machine = arg;
    while (!__atomic_load_n(&device_stop, __ATOMIC_ACQUIRE))
        if (!native_queue_step(machine, &queue))
            sched_yield();
    return NULL;
}

static void queue_body(struct storm *s, struct hart *h, struct rng *r)
{
    struct vtd_descriptor many[LONG_SUBMIT];
    iova at;
    for (unsigned i = 0; i < LONG_SUBMIT; i++)
        many[i] = vtd_desc_iotlb(VTD_GRANULARITY_DOMAIN, 1, (iova){ 0 }, 0, false);
    frame f = alloc_pages(h, &s->k, GFP_KERNEL, 0);
    for (uint64_t i = 0; i < rounds / 16; i++) {
        CHECK(dma_map(h, &s->k, 1, f, true, true, &at), "queue storm: not mapped");
        if (rng_chance(r, 1, 4))
            qi_submit_sync(h, &s->k, many, LONG_SUBMIT);
        CHECK(rng_chance(r, 1, 2) ? dma_unmap(h, &s->k, 1, at) : dma_unmap_page(h, &s->k, f),
              "queue storm: not unmapped");
    }
    free_pages(h, &s->k, f, 0);
}

static void queue_storm(void)
{
    struct storm s;
    pthread_t device;
    storm_new(&s, LOCK_QUEUED, PCP_LOCKING_6_2);
    struct backdoor *b = native_backdoor(s.machine);
    queue = (struct native_queue){ .registers = registers };
    native_queue_install(s.machine, &queue);
    iommu_start(&s.machine->harts[0], &s.k);
    backdoor_write(b, paddr_plus(s.k.at.queue, QUEUE_FREE), 4, FEW_SLOTS);
    queue.deferred = true;
    queue.slots = FEW_SLOTS;
    CHECK(pthread_create(&device, NULL, device_main, s.machine) == 0, "storm: no thread");
    storm_run(&s, queue_body);
    __atomic_store_n(&device_stop, true, __ATOMIC_RELEASE);
    pthread_join(device, NULL);
    CHECK(backdoor_read(b, paddr_plus(s.k.at.queue, QUEUE_FREE), 4) == FEW_SLOTS, "queue storm: slots were lost");
    uint64_t submits = 0;
    for (unsigned i = 0; i < HARTS; i++)
        submits += s.machine->harts[i].class_count[CLASS_IOMMU_INVALIDATE];
    CHECK(queue.waits == submits, "queue storm: %llu submissions, %llu waits", (unsigned long long)submits,
          (unsigned long long)queue.waits);
    printf("queue storm: %llu submissions\n", (unsigned long long)submits);
    native_free(s.machine);
}

static enum allocator_kind allocator_named(const char *name)
{
    for (unsigned i = 0; i < ALLOCATOR_KINDS; i++)
        if (strcmp(frame_allocators[i]->name, name) == 0)
            return (enum allocator_kind)i;
    fail_user("storm: no allocator '%s'", name);
}

int main(int argc, char **argv)
{
    const char *only = NULL;
    bool only_reclaim = false;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--rounds") == 0)
            rounds = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--only") == 0 && strcmp(argv[i + 1], "reclaim") == 0)
            only_reclaim = true;
        else if (strcmp(argv[i], "--allocator") == 0)
            only = argv[i + 1];
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(argv[i + 1], "zone-lock") == 0)
            plant = KERN_PLANT_SKIP_ZONE_LOCK;
        else if (strcmp(argv[i], "--plant") == 0 && strcmp(argv[i + 1], "cas") == 0)
            plant = KERN_PLANT_SKIP_CAS;
        else
            fail_user("storm: unknown argument '%s %s'", argv[i], argv[i + 1]);
    }
    printf("storm: seed %llu, %d threads, %llu rounds\n", (unsigned long long)seed, HARTS, (unsigned long long)rounds);
    if (only_reclaim) {
        reclaim_storms();
        return EXIT_CLEAN;
    }
    if (only != NULL) {
        rival_storms(allocator_named(only));
        return EXIT_CLEAN;
    }
    for (enum lock_kind kind = LOCK_TAS; kind <= LOCK_QUEUED; kind++) {
        lock_storm(kind);
        alloc_storm(kind, PCP_LOCKING_6_0);
        alloc_storm(kind, PCP_LOCKING_6_2);
        zones = !zones;
    }
    for (unsigned i = 0; i < ALLOCATOR_KINDS; i++)
        rival_storms((enum allocator_kind)i);
    reclaim_storms();
    page_lock_storm();
    for (enum zero_policy p = ZERO_POLICY_ON_DEMAND; p <= ZERO_POLICY_POOL; p++)
        grant_storm(p);
    queue_storm();
    return EXIT_CLEAN;
}
