/* tests/unit/test_oracle_fake.h - a scripted machine for tests of the judge: memory, copies, messages,
 * translations that a test sets as it likes, and operations that change memory and tell the judge.
 * One tick passes per operation, beginning at 1000 ps.
 */
#ifndef LAB_TEST_ORACLE_FAKE_H
#define LAB_TEST_ORACLE_FAKE_H

#include "src/oracle/oracle.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { HARTS = 3, DEVICE = HARTS, AGENTS = HARTS + 1, FAKE_PAGES = 32, FAKE_MANY = 512 };

struct fake_copy { lineno line; unsigned agent; bool readable, writable; uint32_t version; const char *state; };
struct fake_message { lineno line; const char *kind; unsigned to; bool data; uint32_t version; };
struct fake_way { bool on; unsigned who; frame f; };

static struct fake {
    uint64_t memory[FAKE_PAGES][PAGE_BYTES / 8];
    struct fake_copy copy[FAKE_MANY];
    unsigned copies;
    struct fake_message message;     /* at most one in flight */
    bool message_on;
    struct fake_way tlb, iotlb, dma, user, iommu;
    tick now;
    struct oracle *o;
    struct observer ob;
    unsigned violations;
    char kind[32], text[65536];      /* of the first */
    unsigned agent;
    uint64_t address;
    tick time;
} fake;

static const char *fake_name(void *m, unsigned agent)
{
    (void)m;
    static const char *const names[] = { "core0", "core1", "core2", "nic0" };
    return names[agent];
}
static void fake_copies(void *m, lineno l, inspect_copy_fn *fn, void *arg)
{
    (void)m;
    for (unsigned i = 0; i < fake.copies; i++) {
        const struct fake_copy *c = &fake.copy[i];
        if (c->line.v == l.v)
            fn(arg, c->agent, c->readable, c->writable, c->version, c->state);
    }
}
static void fake_messages(void *m, lineno l, inspect_message_fn *fn, void *arg)
{
    (void)m;
    const struct fake_message *s = &fake.message;
    if (fake.message_on && s->line.v == l.v)
        fn(arg, s->kind, s->to, s->data, s->version);
}
static void fake_home(void *m, lineno l, FILE *out) { (void)m; fprintf(out, "   home of %llu\n", (unsigned long long)l.v); }
static void fake_history(void *m, lineno l, FILE *out) { (void)m; fprintf(out, "   life of %llu\n", (unsigned long long)l.v); }
static void fake_tlbs(void *m, inspect_tlb_fn *fn, void *arg)
{
    (void)m;
    if (fake.tlb.on)
        fn(arg, fake.tlb.who, 7, (vaddr){ 0x7000 }, fake.tlb.f, true);
}
static void fake_iotlbs(void *m, inspect_iotlb_fn *fn, void *arg)
{
    (void)m;
    if (fake.iotlb.on)
        fn(arg, "iotlb0", 5, (iova){ 0x9000 }, fake.iotlb.f, true);
}
static void fake_dmas(void *m, inspect_dma_fn *fn, void *arg)
{
    (void)m;
    if (fake.dma.on)
        fn(arg, 0, fake.dma.f, true);
}
static uint64_t fake_read(void *m, paddr a, unsigned bytes)
{
    (void)m;
    cr_assert(bytes == 8 && a.v % 8 == 0 && a.v < FAKE_PAGES * PAGE_BYTES);
    return fake.memory[a.v / PAGE_BYTES][a.v % PAGE_BYTES / 8];
}
static void fake_user(void *m, frame f, void (*fn)(void *, uint16_t, vaddr), void *arg)
{
    (void)m;
    if (fake.user.on && fake.user.f.v == f.v)
        fn(arg, 7, (vaddr){ 0x7000 });
}
static void fake_iommu(void *m, frame f, void (*fn)(void *, uint16_t, iova), void *arg)
{
    (void)m;
    if (fake.iommu.on && fake.iommu.f.v == f.v)
        fn(arg, 5, (iova){ 0x9000 });
}
static void fake_violation(void *m, const char *kind, unsigned agent, uint64_t address, const char *text)
{
    cr_assert_eq(m, &fake);
    if (fake.violations++)
        return;
    snprintf(fake.kind, sizeof fake.kind, "%s", kind);
    snprintf(fake.text, sizeof fake.text, "%s", text);
    fake.agent = agent;
    fake.address = address;
    fake.time = fake.now;
}

static inline void fake_begin(struct oracle_desc desc)
{
    memset(&fake, 0, sizeof fake);
    struct inspector in = { &fake, HARTS, AGENTS, fake_name, fake_copies, fake_messages, fake_home, fake_tlbs,
                            fake_iotlbs, fake_dmas, fake_read, fake_user, fake_iommu, fake_history };
    fake.now = 1000;
    fake.o = oracle_new(&in, fake_violation, &fake, desc);
    oracle_observer(fake.o, &fake.ob);
}
static inline void fake_start(void) { fake_begin((struct oracle_desc){ true, true, 32 }); }
static inline void fake_stop(void) { oracle_free(fake.o); }

/* ---- verdicts */
static inline void expect_clean(void)
{
    cr_assert_eq(fake.violations, 0, "unexpected: %s\n%s", fake.kind, fake.text);
    cr_assert_eq(oracle_report(fake.o)->violations, 0);
}
static inline void expect_text(const char *part)
{
    cr_assert(strstr(fake.text, part), "text lacks \"%s\":\n%s", part, fake.text);
}
/* Exactly one finding; its text names agent, address and time, and is in numbered parts. */
static inline void expect(const char *kind, unsigned agent, uint64_t address, const char *words)
{
    char want[128];
    cr_assert_eq(fake.violations, 1, "%u violations, %s:\n%s", fake.violations, fake.kind, fake.text);
    cr_assert_str_eq(fake.kind, kind, "%s\n%s", fake.kind, fake.text);
    cr_assert_eq(fake.agent, agent, "agent %u\n%s", fake.agent, fake.text);
    cr_assert_eq(fake.address, address, "address 0x%llx\n%s", (unsigned long long)fake.address, fake.text);
    snprintf(want, sizeof want, "2. Seen: at %llu.%03llu ns, %s, address 0x%llx: ", (unsigned long long)fake.time / 1000,
             (unsigned long long)fake.time % 1000, fake_name(NULL, agent), (unsigned long long)address);
    expect_text(want);
    snprintf(want, sizeof want, "1. Promised (%s): ", kind);
    expect_text(want);
    expect_text("3. What led there");
    expect_text(words);
    if (strcmp(kind, "allocator") != 0) {
        expect_text("   life of ");
        expect_text("   home of ");
    }
}

/* ---- operations */
static inline paddr at(uint64_t a) { return (paddr){ a }; }
static inline void poke(uint64_t a, unsigned bytes, uint64_t value)
{
    memcpy((char *)fake.memory + a, &value, bytes); /* the host is little-endian, as the simulated memory is */
}
static inline uint64_t peek(uint64_t a, unsigned bytes)
{
    uint64_t value = 0;
    memcpy(&value, (char *)fake.memory + a, bytes);
    return value;
}
static inline void issue(unsigned hart, uint64_t a, unsigned bytes, uint64_t value)
{
    fake.ob.store_issued(fake.ob.self, hart, at(a), bytes, value, ++fake.now);
}
static inline void visible(unsigned agent, uint64_t a, unsigned bytes, uint64_t value)
{
    poke(a, bytes, value);
    fake.ob.store_visible(fake.ob.self, agent, at(a), bytes, value, ++fake.now);
}
static inline void store(unsigned hart, uint64_t a, unsigned bytes, uint64_t value)
{
    issue(hart, a, bytes, value);
    visible(hart, a, bytes, value);
}
static inline void load_returns(unsigned agent, uint64_t a, unsigned bytes, uint64_t value, bool forwarded)
{
    fake.ob.load(fake.ob.self, agent, at(a), bytes, value, forwarded, ++fake.now);
}
static inline void load(unsigned agent, uint64_t a, unsigned bytes) { load_returns(agent, a, bytes, peek(a, bytes), false); }
static inline void atomic_found(unsigned agent, uint64_t a, unsigned bytes, uint64_t old, uint64_t new_value)
{
    poke(a, bytes, new_value);
    fake.ob.atomic(fake.ob.self, agent, at(a), bytes, old, new_value, ++fake.now);
}
static inline void atomic(unsigned agent, uint64_t a, unsigned bytes, uint64_t new_value)
{
    atomic_found(agent, a, bytes, peek(a, bytes), new_value);
}
static inline void store_line(unsigned agent, uint64_t a, uint64_t word)
{
    for (unsigned i = 0; i < LINE_BYTES; i += 8)
        poke(a + i, 8, word);
    fake.ob.line_visible(fake.ob.self, agent, paddr_line(at(a)), word, ++fake.now);
}
static inline void barrier(unsigned hart, enum barrier kind) { fake.ob.barrier(fake.ob.self, hart, kind, ++fake.now); }
static inline void wants(unsigned agent, uint64_t a, bool write)
{
    fake.ob.wants(fake.ob.self, agent, paddr_line(at(a)), write, ++fake.now);
}
static inline void dma(uint64_t a, unsigned bytes, bool write, unsigned fault)
{
    fake.ob.dma(fake.ob.self, 0, (iova){ 0x9000 }, at(a), bytes, write, fault, ++fake.now);
}
static inline void note(unsigned hart, enum note n, uint64_t a, uint64_t b)
{
    fake.ob.note(fake.ob.self, hart, n, a, b, ++fake.now);
}

/* ---- copies */
static inline void uncopy(unsigned agent, uint64_t a)
{
    for (unsigned i = 0; i < fake.copies; i++)
        if (fake.copy[i].agent == agent && fake.copy[i].line.v == a >> LINE_SHIFT)
            fake.copy[i--] = fake.copy[--fake.copies];
}
static inline void copy(unsigned agent, uint64_t a, bool readable, bool writable, uint32_t version, const char *state)
{
    uncopy(agent, a);
    cr_assert(fake.copies < FAKE_MANY);
    fake.copy[fake.copies++] = (struct fake_copy){ paddr_line(at(a)), agent, readable, writable, version, state };
}
static inline void message(const char *kind, uint64_t a, unsigned to, bool data, uint32_t version)
{
    fake.message = (struct fake_message){ paddr_line(at(a)), kind, to, data, version };
    fake.message_on = true;
}

#endif
