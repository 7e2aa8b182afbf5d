/* tests/unit/test_device.c - the DMA engine behind its link, with a real IOMMU and mock memory: exact times, parts,
 * order, data, refusals. Link 100 ns, issue 4 ns, DMA memory 80 ns, walk memory 50 ns, lookup 10 ns. */
#include "tests/unit/iommu_rig.h"

#include "models/device/dma.h"
#include "src/base/rng.h"

enum { DEVICE_A = 0x08, DEVICE_B = 0x10 };
static const iova PAGE = { UINT64_C(0x1234567000) };

struct seen { uint64_t addr, at, value; uint16_t source; unsigned bytes; bool write; enum dma_fault fault; tick now; };

struct bench {
    struct rig *g;
    struct rig_port port;
    struct account *account;
    struct dma_engine *dma;
    frame table;
    struct seen seen[512];
    unsigned seen_count, done_count;
};

static void note(void *self, const struct dma_piece *p, tick now)
{
    struct bench *b = self;
    b->seen[b->seen_count++ % 512] = (struct seen){ .addr = p->addr.v, .at = p->at.v, .source = p->source_id, .bytes = p->bytes,
        .write = p->write, .fault = p->fault, .now = now, .value = p->fault ? 0 : dma_piece_word(p, 0) };
}

static void finished(struct dma_request *r) { ((struct bench *)r->owner)->done_count++; }

static struct dma_engine *device(struct bench *b, const char *name, uint16_t source_id, uint32_t tags)
{
    return dma_engine_new(&(struct dma_desc){ .tags = tags, .link_ps = 100 * NS, .issue_ps = 4 * NS },
                          &(struct dma_wiring){ .name = name, .engine = b->g->engine, .components = &b->g->components,
                                                .arena = b->g->arena, .port = &b->port.port, .iommu = iommu_port(b->g->iommu),
                                                .account = b->account, .observer = { b, note }, .source_id = source_id });
}

/* A running IOMMU, device A in domain 7 with 8 pages from PAGE mapped to frames 300 to 307. */
static struct bench *bench_new(uint32_t tags, bool iommu_on)
{
    struct rig *g = rig_new(rig_desc());
    struct bench *b = ARENA_ONE(g->arena, struct bench);
    b->g = g;
    b->account = account_new();
    rig_port_init(g, &b->port, 80 * NS);
    b->dma = device(b, "dma", DEVICE_A, tags);
    if (iommu_on)
        rig_enable(g);
    b->table = rig_attach(g, DEVICE_A, 7, 4);
    for (unsigned i = 0; i < 8; i++)
        rig_map(g, b->table, (iova){ PAGE.v + i * PAGE_BYTES }, 300 + i);
    return b;
}

static void bench_free(struct bench *b)
{
    cr_assert_eq(account_mismatch_count(b->account), 0);
    cr_assert(components_idle(&b->g->components));
    account_free(b->account);
    rig_free(b->g);
}

static struct dma_request request(struct bench *b, uint64_t at, uint64_t bytes, bool write)
{
    return (struct dma_request){ .addr = { at }, .bytes = bytes, .write = write, .recorded = true,
                                 .pattern = UINT64_C(0x1122334455667788), .done = finished, .owner = b };
}

static struct dma_request run(struct bench *b, uint64_t at, uint64_t bytes, bool write)
{
    struct dma_request r = request(b, at, bytes, write);
    unsigned before = b->done_count;
    dma_submit(b->dma, &r);
    rig_run(b->g);
    cr_assert_eq(b->done_count, before + 1);
    return r;
}

static tick latency(const struct dma_request *r) { return r->finished - r->submitted; }

static uint64_t part(struct bench *b, enum class_id c, enum source_id s, enum part p)
{
    const struct class_stats *stats = account_source_stats(b->account, c, s);
    return stats ? stats->hardware_sum_ps[p] : 0;
}

Test(device, params) { param_table_check(dma_params); }

Test(device, exact_read)
{
    struct bench *b = bench_new(4, true);
    struct dma_request r = run(b, PAGE.v, 64, false);
    cr_assert_eq(latency(&r), (4 + 100 + 10 + 6 * 50 + 80 + 100) * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_MISS, PART_DEVICE), 204 * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_MISS, PART_TRANSLATE), 10 * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_MISS, PART_DRAM), 380 * NS);
    r = run(b, PAGE.v + 8, 8, false);
    cr_assert_eq(latency(&r), (4 + 100 + 10 + 80 + 100) * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_HIT, PART_DRAM), 80 * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_HIT, PART_DEVICE), 204 * NS);
    bench_free(b);
}

Test(device, exact_write_ends_where_it_is_visible)
{
    struct bench *b = bench_new(4, true);
    run(b, PAGE.v, 64, false);
    struct dma_request r = run(b, PAGE.v, 64, true);
    cr_assert_eq(latency(&r), (4 + 100 + 10 + 80) * NS);
    cr_assert_eq(part(b, CLASS_DMA_WRITE, SOURCE_IOTLB_HIT, PART_DEVICE), 104 * NS);
    cr_assert_eq(account_source_stats(b->account, CLASS_DMA_WRITE, SOURCE_IOTLB_HIT)->latency.count, 1);
    bench_free(b);
}

Test(device, bypass)
{
    struct bench *b = bench_new(4, false);
    struct dma_request r = run(b, 300 * PAGE_BYTES, 64, true);
    cr_assert_eq(latency(&r), (4 + 100 + 80) * NS);
    cr_assert_eq(account_source_stats(b->account, CLASS_DMA_WRITE, SOURCE_BYPASS)->latency.count, 1);
    r = run(b, (uint64_t)RIG_FRAMES * PAGE_BYTES, 64, true);
    cr_assert_eq(r.fault, DMA_FAULT_ADDRESS, "no memory there");
    bench_free(b);
}

/* Reads of a page: pieces leave every 4 ns, and come back so. The last piece's chain is the request's. */
Test(device, pieces_overlap)
{
    struct bench *b = bench_new(64, true);
    run(b, PAGE.v, 64, false);
    struct dma_request r = run(b, PAGE.v, PAGE_BYTES, false);
    cr_assert_eq(latency(&r), (64 * 4 + 100 + 10 + 80 + 100) * NS);
    cr_assert_eq(part(b, CLASS_DMA_READ, SOURCE_IOTLB_HIT, PART_DEVICE), (64 * 4 + 200) * NS);
    cr_assert_eq(dma_counters(b->dma)->read_bytes, 64 + PAGE_BYTES);
    bench_free(b);
}

/* Two tags: piece k + 2 begins when piece k has come back: 294 ns later. */
Test(device, tags_bound_what_is_outstanding)
{
    struct bench *b = bench_new(2, true);
    run(b, PAGE.v, 64, false);
    struct dma_request r = run(b, PAGE.v, 6 * 64, false);
    cr_assert_eq(latency(&r), (4 + 3 * 294) * NS);
    cr_assert_gt(dma_counters(b->dma)->tags_full_count, 0);
    bench_free(b);
}

/* ---- order */

Test(device, posted_writes_perform_in_order_even_past_a_slow_walk)
{
    struct bench *b = bench_new(16, true);
    run(b, PAGE.v + PAGE_BYTES, 64, false); /* page 1 hits, page 0 has to walk */
    b->seen_count = 0;
    struct dma_request w[3] = { request(b, PAGE.v, 64, true), request(b, PAGE.v + PAGE_BYTES, 64, true),
                                request(b, PAGE.v + PAGE_BYTES + 64, 64, false) };
    for (unsigned i = 0; i < 3; i++)
        dma_submit(b->dma, &w[i]);
    rig_run(b->g);
    cr_assert_eq(b->seen_count, 3);
    cr_assert(b->seen[0].addr == PAGE.v && b->seen[1].addr == PAGE.v + PAGE_BYTES);
    cr_assert(!b->seen[2].write, "the read does not pass the writes");
    cr_assert_eq(latency(&w[0]), (4 + 100 + 60 + 80) * NS);
    cr_assert_eq(w[1].finished - w[0].finished, 80 * NS);
    cr_assert_eq(b->seen[2].now - w[1].finished, 80 * NS);
    cr_assert_eq(dma_counters(b->dma)->order_wait_count, 2);
    bench_free(b);
}

Test(device, writes_may_pass_reads)
{
    struct bench *b = bench_new(16, true);
    run(b, PAGE.v + PAGE_BYTES, 64, false);
    struct dma_request r = request(b, PAGE.v, 64, false), w = request(b, PAGE.v + PAGE_BYTES, 64, true);
    dma_submit(b->dma, &r); /* walks */
    dma_submit(b->dma, &w); /* hits */
    rig_run(b->g);
    cr_assert_lt(w.finished + 100 * NS, r.finished);
    bench_free(b);
}

Test(device, a_refused_write_holds_nobody_back)
{
    struct bench *b = bench_new(16, true);
    run(b, PAGE.v, 64, false);
    struct dma_request bad = request(b, PAGE.v + 100 * PAGE_BYTES, 64, true), good = request(b, PAGE.v, 64, true);
    dma_submit(b->dma, &bad);
    dma_submit(b->dma, &good);
    rig_run(b->g);
    cr_assert_eq(bad.fault, DMA_FAULT_WRITE);
    cr_assert_eq(latency(&bad), (4 + 100 + 60) * NS, "known at the root complex");
    cr_assert_eq(good.finished - bad.finished, 80 * NS);
    bench_free(b);
}

/* Order of performance among writes is order of issue, whatever hits or misses. */
Test(device, order_holds_for_random_requests)
{
    enum { SEED = 20260104 };
    struct bench *b = bench_new(8, true);
    struct rng r = rng_stream(SEED, "device_order");
    static struct dma_request q[40];
    for (unsigned round = 0; round < 200; round++) {
        b->seen_count = 0;
        uint64_t pattern = 0;
        for (unsigned i = 0; i < 40; i++) {
            q[i] = request(b, PAGE.v + rng_below(&r, 9) * PAGE_BYTES + rng_below(&r, 64) * 64, 64 * (1 + rng_below(&r, 3)), rng_chance(&r, 2, 3));
            q[i].pattern = ++pattern;
            dma_submit(b->dma, &q[i]);
            if (rng_chance(&r, 1, 4))
                engine_run(b->g->engine, engine_now(b->g->engine) + rng_below(&r, 300) * NS);
        }
        rig_run(b->g);
        struct seen last = { 0 };
        for (unsigned i = 0; i < b->seen_count; i++)
            if (b->seen[i].write && !b->seen[i].fault) {
                const struct seen *s = &b->seen[i];
                cr_assert(s->value > last.value || (s->value == last.value && s->addr > last.addr), "seed %d, round %u", SEED, round);
                last = *s;
            }
        for (unsigned i = 0; i < 40; i += 7)
            rig_sync(b->g, vtd_desc_iotlb(VTD_GRANULARITY_PAGE, 7, (iova){ PAGE.v + i % 8 * PAGE_BYTES }, 0, true));
    }
    rig_run(b->g);
    bench_free(b);
}

/* ---- data */

Test(device, bytes_are_real)
{
    struct bench *b = bench_new(8, true);
    enum { AT = 61, BYTES = 150 };
    run(b, PAGE.v + AT, BYTES, true);
    const uint8_t *memory = (const uint8_t *)&b->g->word[300 * PAGE_BYTES / 8];
    const uint8_t pattern[8] = { 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11 };
    for (unsigned i = 0; i < 400; i++)
        cr_assert_eq(memory[i], i >= AT && i < AT + BYTES ? pattern[i % 8] : 0, "byte %u", i);
    cr_assert_eq(b->g->word[300 * PAGE_BYTES / 8 + 16], UINT64_C(0x1122334455667788), "aligned words are the pattern");
    uint8_t into[BYTES + 2] = { 0 };
    struct dma_request r = request(b, PAGE.v + AT - 1, BYTES + 2, false);
    r.into = into;
    dma_submit(b->dma, &r);
    rig_run(b->g);
    cr_assert_arr_eq(into, memory + AT - 1, sizeof into);
    cr_assert_eq(dma_counters(b->dma)->write_bytes, BYTES);
    bench_free(b);
}

/* ---- refusals */

Test(device, refused_read_comes_back_as_an_abort)
{
    struct bench *b = bench_new(8, true);
    uint8_t into[128];
    memset(into, 0xaa, sizeof into);
    run(b, PAGE.v + 7 * PAGE_BYTES, 64, false);
    struct dma_request r = request(b, PAGE.v + 8 * PAGE_BYTES - 64, 128, false); /* second piece is not mapped */
    r.into = into;
    b->seen_count = 0;
    dma_submit(b->dma, &r);
    rig_run(b->g);
    cr_assert(r.fault == DMA_FAULT_READ && r.refused_count == 1);
    cr_assert(into[0] == 0 && into[63] == 0 && into[64] == 0xaa && into[127] == 0xaa);
    cr_assert_eq(b->seen_count, 2);
    cr_assert(b->seen[0].fault == DMA_FAULT_READ && b->seen[0].source == DEVICE_A && b->seen[1].fault == DMA_OK);
    cr_assert_eq(latency(&r), (4 + 4 + 100 + 10 + 80 + 100) * NS - 4 * NS, "the mapped piece is the later one");
    cr_assert_eq(account_source_stats(b->account, CLASS_DMA_READ, SOURCE_FAULT)->latency.count, 1);
    bench_free(b);
}

Test(device, foreign_device_is_refused)
{
    struct bench *b = bench_new(8, true);
    struct dma_engine *foreign = device(b, "foreign", DEVICE_B, 8);
    rig_attach(b->g, DEVICE_B, 9, 4);
    run(b, PAGE.v, 64, true);
    struct dma_request r = request(b, PAGE.v, PAGE_BYTES, true);
    r.pattern = 0;
    dma_submit(foreign, &r);
    rig_run(b->g);
    cr_assert(r.fault == DMA_FAULT_WRITE && r.refused_count == 64);
    cr_assert_eq(b->g->word[300 * PAGE_BYTES / 8], UINT64_C(0x1122334455667788));
    cr_assert_eq(dma_counters(foreign)->write_bytes, 0);
    bench_free(b);
}

Test(device, unrecorded_requests_stay_out_of_the_account)
{
    struct bench *b = bench_new(8, true);
    struct dma_request r = request(b, PAGE.v, 64, false);
    r.recorded = false;
    dma_submit(b->dma, &r);
    rig_run(b->g);
    cr_assert_null(account_stats(b->account, CLASS_DMA_READ));
    bench_free(b);
}

/* ---- with the IOMMU's ways */

Test(device, walks_are_served_while_dma_is_blocked)
{
    struct bench *b = bench_new(8, true);
    b->port.held = true;
    struct dma_request r[3] = { request(b, PAGE.v, 64, true), request(b, PAGE.v + PAGE_BYTES, 64, true),
                                request(b, PAGE.v + 2 * PAGE_BYTES, 64, false) };
    for (unsigned i = 0; i < 3; i++)
        dma_submit(b->dma, &r[i]);
    engine_run(b->g->engine, 10000 * NS);
    cr_assert_eq(iommu_counters(b->g->iommu)->walk_count, 3);
    cr_assert_eq(rig_iotlb_count(b->g), 3, "all translated although no DMA has moved");
    cr_assert_eq(b->seen_count, 0);
    rig_release(&b->port);
    rig_run(b->g);
    cr_assert_eq(b->done_count, 3);
    bench_free(b);
}

Test(device, invalidation_waits_for_dma_in_flight)
{
    struct bench *b = bench_new(8, true);
    run(b, PAGE.v, 64, false);
    b->port.held = true;
    struct dma_request w[2] = { request(b, PAGE.v, 64, true), request(b, PAGE.v + 64, 64, true) };
    dma_submit(b->dma, &w[0]);
    dma_submit(b->dma, &w[1]);
    engine_run(b->g->engine, engine_now(b->g->engine) + 1000 * NS);
    *rig_word(b->g, rig_slot(b->g, b->table, 4, PAGE)) = 0;
    rig_sync(b->g, vtd_desc_iotlb(VTD_GRANULARITY_PAGE, 7, PAGE, 0, true));
    engine_run(b->g->engine, engine_now(b->g->engine) + 1000 * NS);
    cr_assert_eq(rig_status_value(b->g, 0), 0);
    rig_release(&b->port);
    while (rig_status_value(b->g, 0) == 0)
        engine_run(b->g->engine, engine_now(b->g->engine) + NS);
    cr_assert_eq(b->done_count, 3, "both writes, also the one that waited for order");
    cr_assert_eq(run(b, PAGE.v, 64, true).fault, DMA_FAULT_WRITE);
    bench_free(b);
}

static void count_piece(void *arg, const struct dma_piece *p)
{
    (void)p;
    ++*(unsigned *)arg;
}

Test(device, says_what_it_waits_for)
{
    struct bench *b = bench_new(2, true);
    b->port.held = true;
    struct dma_request r = request(b, PAGE.v, 256, true);
    dma_submit(b->dma, &r);
    engine_run(b->g->engine, 10000 * NS);
    unsigned n = 0;
    dma_each_piece(b->dma, count_piece, &n);
    cr_assert_eq(n, 2);
    char text[2048] = "";
    FILE *out = fmemopen(text, sizeof text, "w");
    components_why_busy(&b->g->components, out);
    fclose(out);
    cr_assert(strstr(text, "waits for memory") && strstr(text, "waits for an earlier write to perform")
              && strstr(text, "has issued 128 of 256 bytes, no tag is free"), "%s", text);
    rig_release(&b->port);
    rig_run(b->g);
    bench_free(b);
}
