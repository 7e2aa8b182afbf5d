/* tests/unit/test_machine_grants.c - the exclusive grant on whole machines: sums, parts, sharers, a device that
 * reaches for the page. */
#include "tests/unit/test_machine_rig.h"

TestSuite(grants, .timeout = 300);

static const char tiny[] =
    "kind: experiment\n"
    "title: grants on a tiny machine\n"
    "machine: tiny\n"
    "kernel: { memory: 16MiB }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, gfp: ATOMIC, exclusive: all, count: 20, warmup: 3 }\n"
    "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n";

/* ---- both decompositions sum exactly, for every class and source of every shipped experiment */

static void sums_are_exact(const char *experiment, const struct class_stats *s, const char *what)
{
    uint64_t phases = 0, parts = 0;
    for (unsigned p = 0; p < PHASE_COUNT; p++)
        phases += s->phase_sum_ps[p];
    for (unsigned p = 0; p < PART_COUNT; p++)
        parts += s->hardware_sum_ps[p];
    cr_expect_eq(parts, s->latency.sum_ps, "%s: the hardware parts of %s sum to %" PRIu64 ", not %" PRIu64, experiment, what,
                 parts, s->latency.sum_ps);
    cr_expect(phases == s->latency.sum_ps || phases == 0, "%s: the phases of %s sum to %" PRIu64 ", not %" PRIu64, experiment,
              what, phases, s->latency.sum_ps);
}

/* A memory class has its hardware parts for phases. Sources split the requests of a class. */
static void class_is_exact(const struct run *r, const char *experiment, enum class_id class)
{
    const struct class_stats *s = account_stats(r->result->account, class);
    uint64_t by_source = 0, phases = 0;
    if (!s)
        return;
    sums_are_exact(experiment, s, class_infos[class].name);
    for (unsigned p = 0; p < PHASE_COUNT; p++)
        phases += s->phase_sum_ps[p];
    cr_expect(class_infos[class].memory || phases == s->latency.sum_ps, "%s: %s has no phases", experiment, class_infos[class].name);
    for (unsigned i = 0; i < SOURCE_COUNT; i++) {
        const struct class_stats *part = account_source_stats(r->result->account, class, (enum source_id)i);
        if (part) {
            sums_are_exact(experiment, part, source_terms[i].name);
            by_source += part->latency.count;
        }
    }
    cr_expect_eq(by_source, s->latency.count, "%s: sources of %s count %" PRIu64 " of %" PRIu64, experiment, class_infos[class].name,
                 by_source, s->latency.count);
}

Test(grants, phases_and_hardware_parts_sum_exactly)
{
    static const char *const experiments[] = { "first-steps", "exclusive-vs-sharers", "page-invalidate", "ping-pong", "dma-foreign" };
    for (size_t i = 0; i < sizeof experiments / sizeof *experiments; i++) {
        struct run r = run_named(experiments[i], usual(), NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(r.result->phase_sum_mismatch_count, 0);
        for (unsigned c = 0; c < CLASS_COUNT; c++)
            class_is_exact(&r, experiments[i], (enum class_id)c);
        run_free(&r);
    }
}

Test(grants, the_main_job_counts_every_grant)
{
    struct run r = run_named("exclusive-vs-sharers", usual(), NULL);
    const struct hist *h = &stats(&r, CLASS_GRANT)->latency;
    cr_expect_eq(h->count, 200);
    cr_expect_eq(counter(&r, "oracle.grants_judged_count"), 210);
    uint64_t last = h->min_ps;
    for (uint32_t p = 5000; p <= 9990; p += 499) {
        cr_expect(hist_percentile_ps(h, p) >= last && hist_percentile_ps(h, p) <= h->max_ps);
        last = hist_percentile_ps(h, p);
    }
    run_free(&r);
}

/* ---- parts alone: what was not asked for takes no time at all */

enum { PART_PHASES = 7 };

/* Always there: alloc and publish, and other (the entry). */
static void only_phases(const char *parts, const enum phase_id *wanted, unsigned count)
{
    static const enum phase_id of_parts[PART_PHASES] = { PH_LOCK, PH_UNMAP, PH_IOMMU_REVOKE, PH_TLB, PH_COHERENCE, PH_ZERO, PH_FENCE };
    char set[80];
    snprintf(set, sizeof set, "agents.owner.exclusive=%s", parts);
    struct run r = run_text(tiny, usual(), set, NULL);
    expect_stop(&r, RUN_DONE);
    const struct class_stats *s = stats(&r, CLASS_GRANT);
    cr_expect_eq(s->latency.count, 20);
    cr_expect(s->phase_sum_ps[PH_ALLOC] > 0 && s->phase_sum_ps[PH_PUBLISH] > 0);
    for (unsigned i = 0; i < PART_PHASES; i++) {
        bool is_wanted = false;
        for (unsigned k = 0; k < count; k++)
            is_wanted |= wanted[k] == of_parts[i];
        cr_expect_eq(s->phase_sum_ps[of_parts[i]] > 0, is_wanted, "exclusive: %s, phase %s takes %" PRIu64 " ps", parts,
                     phase_terms[of_parts[i]].name, s->phase_sum_ps[of_parts[i]]);
    }
    run_free(&r);
}
#define ONLY(parts, ...) only_phases(parts, (const enum phase_id[]){ __VA_ARGS__ }, \
                                     sizeof (const enum phase_id[]){ __VA_ARGS__ } / sizeof(enum phase_id))

Test(grants, each_part_alone_takes_its_own_phases_only)
{
    only_phases("none", NULL, 0);
    ONLY("coherence", PH_COHERENCE);
    ONLY("device", PH_UNMAP, PH_IOMMU_REVOKE, PH_TLB);
    ONLY("lock", PH_LOCK);
    ONLY("secure", PH_ZERO, PH_FENCE);
    ONLY("[coherence, lock]", PH_COHERENCE, PH_LOCK);
    ONLY("all", PH_LOCK, PH_UNMAP, PH_IOMMU_REVOKE, PH_TLB, PH_COHERENCE, PH_ZERO, PH_FENCE);
}

/* ---- sharers */

static const char sharers[] =
    "kind: experiment\n"
    "title: sharers\n"
    "machine: { base: xeon-e7-8867l, cores: 9 }\n"
    "kernel: { memory: 64MiB }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: coherence, count: 20 }\n"
    "  - { name: readers, on: core1-, program: touch-pages, share: read }\n";

static struct run run_sharers(unsigned count, const char *exclusive, unsigned grants)
{
    char cores[40], parts[60], counts[60];
    snprintf(cores, sizeof cores, "machine.cores=%u", count + 1);
    snprintf(parts, sizeof parts, "agents.owner.exclusive=%s", exclusive);
    snprintf(counts, sizeof counts, "agents.owner.count=%u", grants);
    struct run r = run_text(sharers, usual(), cores, parts, counts, NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(counter(&r, "exclusive_alloc.other_page"), 0, "a grant gave another page than the one exposed");
    return r;
}

/* What a grant more costs in invalidations: the difference between two lengths of run leaves out what happens
 * once (boot, the first walk of the page tables). */
static uint64_t invalidations_per_grants(unsigned sharers_count, const char *exclusive, unsigned grants)
{
    struct run short_run = run_sharers(sharers_count, exclusive, 10), long_run = { 0 };
    uint64_t before = counter(&short_run, "home.invalidations_sent_count");
    run_free(&short_run);
    long_run = run_sharers(sharers_count, exclusive, 10 + grants);
    uint64_t after = counter(&long_run, "home.invalidations_sent_count");
    cr_expect_eq(counter(&long_run, "home.recalls_count"), 0);
    cr_expect_eq(counter(&long_run, "cache.invalidations_received_count"), after);
    run_free(&long_run);
    return after - before;
}

Test(grants, invalidations_per_line_equal_the_sharers)
{
    for (unsigned s = 2; s <= 8; s *= 2) {
        uint64_t sent = invalidations_per_grants(s, "coherence", 20);
        cr_expect_eq(sent, 20 * LINES_PER_PAGE * s, "%u sharers: %" PRIu64 " invalidations in 20 grants", s, sent);
    }
}

/* Zeroing is part of secure, so it is off here. */
Test(grants, without_exclusivity_no_line_of_the_page_is_invalidated)
{
    for (unsigned s = 2; s <= 8; s *= 2) {
        uint64_t sent = invalidations_per_grants(s, "none", 20);
        cr_expect_eq(sent, 0, "%u sharers, exclusive: none: %" PRIu64 " invalidations in 20 grants", s, sent);
    }
}

static double coherence_ps(const char *experiment, unsigned sharers_count)
{
    char cores[40];
    snprintf(cores, sizeof cores, "machine.cores=%u", sharers_count + 1);
    struct run r = run_named(experiment, usual(), cores, NULL);
    expect_stop(&r, RUN_DONE);
    const struct class_stats *s = stats(&r, CLASS_GRANT);
    double mean = (double)s->phase_sum_ps[PH_COHERENCE] / (double)s->latency.count;
    run_free(&r);
    return mean;
}

Test(grants, the_coherence_phase_grows_with_the_sharers)
{
    double last = 0, at2 = coherence_ps("exclusive-vs-sharers", 2);
    for (unsigned s = 1; s <= 8; s++) {
        double now = coherence_ps("exclusive-vs-sharers", s);
        cr_expect(now >= last, "%u sharers: %.0f ps after %.0f ps", s, now, last);
        last = now;
    }
    cr_expect(last > at2, "8 sharers: %.0f ps, 2 sharers: %.0f ps", last, at2);
}

/* With sharers that hold a copy of every line nothing is owned already; alone, lines may be. */
Test(grants, every_line_of_the_page_is_accounted_for)
{
    static const char *const parts[] = { "coherence", "all" };
    for (unsigned i = 0; i < 2; i++) {
        struct run r = run_sharers(4, parts[i], 20);
        uint64_t acquired = counter(&r, "page_own.lines_acquired_count"), owned = counter(&r, "page_own.lines_already_owned_count");
        cr_expect_eq(stats(&r, CLASS_PAGE_OWN)->latency.count, 20);
        cr_expect_eq(acquired + owned, 20 * LINES_PER_PAGE, "%s: %" PRIu64 " acquired, %" PRIu64 " owned already", parts[i], acquired, owned);
        cr_expect_eq(owned, 0, "%s: the sharers held no copy of %" PRIu64 " lines", parts[i], owned);
        run_free(&r);
    }
    struct run alone = run_text(tiny, usual(), "agents=[{name: owner, on: core0, program: exclusive-alloc, count: 20, exclusive: coherence}]", NULL);
    uint64_t acquired = counter(&alone, "page_own.lines_acquired_count"), owned = counter(&alone, "page_own.lines_already_owned_count");
    cr_expect_eq(acquired + owned, 20 * LINES_PER_PAGE);
    run_free(&alone);
}

/* ---- a device that reaches for the page */

static const char attacked[] =
    "kind: experiment\n"
    "title: attacked\n"
    "machine: { base: tiny, cores: 3 }\n"
    "kernel: { memory: 16MiB }\n"
    "agents:\n"
    "  - { name: owner, on: core0, program: exclusive-alloc, exclusive: device, hold: 5us, count: 20 }\n"
    "  - { name: readers, on: core1-2, program: touch-pages, share: read }\n"
    "  - { name: attacker, on: device0, program: dma-foreign }\n";

Test(grants, a_device_is_refused_with_a_reason)
{
    static const char *const parts[] = { "device", "all" };
    for (unsigned i = 0; i < 2; i++) {
        char set[60];
        snprintf(set, sizeof set, "agents.owner.exclusive=%s", parts[i]);
        struct run r = run_text(attacked, usual(), set, NULL);
        expect_stop(&r, RUN_DONE);
        cr_expect_eq(counter(&r, "device0.refused_count"), 20);
        cr_expect_eq(counter(&r, "iommu.fault_count"), 20);
        cr_expect_eq(counter(&r, "iommu.fault.no_write_permission_count"), 20);
        cr_expect_eq(counter(&r, "dma_foreign.refused.no_write_permission"), 20);
        cr_expect_eq(counter(&r, "dma_foreign.performed_count"), 0);
        cr_expect_eq(counter(&r, "dma_foreign.late_count"), 0);
        cr_expect_eq(counter(&r, "device0.write_bytes"), 0, "something was written");
        cr_expect_eq(counter(&r, "oracle.dma_performed_watched_count"), 0);
        const struct class_stats *faults = account_source_stats(r.result->account, CLASS_DMA_WRITE, SOURCE_FAULT);
        cr_expect(faults && faults->latency.count == stats(&r, CLASS_DMA_WRITE)->latency.count, "a write that was no fault");
        run_free(&r);
    }
}

Test(grants, a_reading_device_is_refused_too)
{
    struct run r = run_text(attacked, usual(), "agents.attacker.write=false", NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(counter(&r, "iommu.fault.no_read_permission_count"), 20);
    cr_expect_eq(counter(&r, "dma_foreign.performed_count"), 0);
    run_free(&r);
}

/* The control: without the device part the same attack gets through, so the test above tests something. */
Test(grants, without_the_device_part_the_attack_succeeds)
{
    struct run r = run_text(attacked, usual(), "agents.owner.exclusive=coherence", NULL);
    expect_stop(&r, RUN_DONE);
    cr_expect_eq(counter(&r, "dma_foreign.performed_count"), 20);
    cr_expect_eq(counter(&r, "device0.write_bytes"), 20 * LINE_BYTES);
    cr_expect_eq(counter(&r, "iommu.fault_count"), 0);
    run_free(&r);
}
