/* src/work/random_mix.c - random accesses of all kinds to few lines: the stress test's and the benchmark's load.
 *
 * Accesses have 1, 2, 4 or 8 bytes anywhere in the lines, so that harts share lines without sharing bytes, and bytes
 * too. Every store of 4 or 8 bytes carries a value no other store carries, as long as 4 bytes last.
 */
#include "src/work/private.h"

#include <inttypes.h>
#include <string.h>

/* Kinds besides plain stores, which are the rest. X(name, default, help) */
#define MIX_LIST(X) \
    X(loads, "65%", "Share of plain loads.") \
    X(atomics, "0%", "Share of locked additions and swaps.") \
    X(flushes, "0%", "Share of cache-line flushes, ordered and not.") \
    X(fences, "0%", "Share of fences of the three kinds.") \
    X(string_stores, "0%", "Share of string stores of a whole line.") \
    X(nt_stores, "0%", "Share of non-temporal stores.") \
    X(prefetches, "0%", "Share of prefetches for write.")
enum kind {
#define X(name, ...) MIX_##name,
    MIX_LIST(X)
#undef X
    MIX_stores,
    MIX_KINDS
};

struct mix_desc {
    uint32_t lines;
    uint16_t share[MIX_stores];
    bool private, check;
};

struct mix_state {
    paddr base;
    uint32_t limit[MIX_KINDS];  /* a draw below PERMYRIAD and below limit[kind], not below the one before: this kind */
    uint8_t *expected;          /* check: what the lines hold */
};

static const struct param params[] = {
    { .key = "lines", .type = P_UINT, PARAM_FIELD(struct mix_desc, lines), .min = 1, .max = 1u << 26, .deflt = "1024",
      .help = "How many lines are accessed." },
#define X(name, usual, text) \
    { .key = #name, .type = P_PERMYRIAD, PARAM_FIELD(struct mix_desc, share[MIX_##name]), .max = PERMYRIAD, .deflt = usual, .help = text },
    MIX_LIST(X)
#undef X
    { .key = "private", .type = P_BOOL, PARAM_FIELD(struct mix_desc, private), .deflt = "false",
      .help = "Each hart has lines of its own." },
    { .key = "check", .type = P_BOOL, PARAM_FIELD(struct mix_desc, check), .deflt = "false",
      .help = "With private lines: compare every value read with what this hart wrote last." },
    { .key = NULL },
};

static const char *check(const void *desc, const struct work *w, unsigned members)
{
    const struct mix_desc *d = desc;
    uint32_t sum = 0;
    for (unsigned i = 0; i < MIX_stores; i++)
        sum += d->share[i];
    if (sum > PERMYRIAD)
        return "the shares of all kinds of access add up to more than 100 % (plain stores are the rest)";
    if (d->check && !d->private)
        return "check needs private: true (values of shared lines are judged by the machine's own checks)";
    if (d->lines > w->kernel->desc.scratch_bytes / LINE_BYTES / (d->private ? members : 1))
        return "more lines than the memory set aside for programs holds";
    return NULL;
}

static void prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct mix_desc *d = members->desc;
    struct mix_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        uint32_t limit = 0;
        for (unsigned kind = 0; kind < MIX_stores; kind++)
            states[i].limit[kind] = limit += d->share[kind];
        states[i].limit[MIX_stores] = PERMYRIAD;
        states[i].base = i == 0 || d->private ? work_scratch(w, (uint64_t)d->lines * LINE_BYTES) : states[0].base;
        if (d->check)
            states[i].expected = ARENA_ARRAY(w->arena, uint8_t, (uint64_t)d->lines * LINE_BYTES);
    }
}

/* ---- one access */

struct draw {
    enum kind kind;
    paddr at, line;
    unsigned bytes;
    bool other;                 /* of two variants of the kind */
};

/* Fixed-point products of 32 random bits: cheap, and the bias is of no consequence here. */
static struct draw draw(struct agent *a)
{
    const struct mix_desc *d = a->desc;
    const struct mix_state *s = a->state;
    uint64_t r = rng_next(&a->rng), low = rng_next(&a->rng);
    uint32_t percent = (uint32_t)((r & UINT32_MAX) * PERMYRIAD >> 32);
    struct draw w = { .line = paddr_plus(s->base, ((r >> 32) * d->lines >> 32) * LINE_BYTES) };
    while (percent >= s->limit[w.kind])
        w.kind++;
    w.bytes = w.kind == MIX_nt_stores ? 8 : 1u << (low & 3);
    w.at = paddr_plus(w.line, (low >> 8) % LINE_BYTES / w.bytes * w.bytes);
    w.other = (low & 4) != 0;
    return w;
}

static uint64_t truncated(uint64_t value, unsigned bytes) { return bytes == 8 ? value : value & ((UINT64_C(1) << bytes * 8) - 1); }

/* The agent's number in the upper half of what is stored, its operation's in the lower. */
static uint64_t value_to_store(const struct agent *a, unsigned bytes)
{
    uint64_t v = agent_value(a, a->done);
    return bytes == 8 ? v : truncated((v >> 40) << (bytes * 4) | (v & ((UINT64_C(1) << bytes * 4) - 1)), bytes);
}

/* With check: what is stored there, and that `seen` was there before. Little-endian, as the machine. */
static void judge_read(struct hart *h, const struct agent *a, const struct draw *w, uint64_t seen)
{
    const struct mix_state *s = a->state;
    uint64_t expected = 0;
    if (!s->expected)
        return;
    memcpy(&expected, s->expected + (w->at.v - s->base.v), w->bytes);
    if (seen != expected)
        k_illegal(h, "random-mix: %u bytes at %#" PRIx64 " hold %#" PRIx64 " instead of %#" PRIx64, w->bytes, w->at.v, seen, expected);
}

static void remember(const struct agent *a, paddr at, unsigned bytes, uint64_t value)
{
    const struct mix_state *s = a->state;
    if (s->expected)
        memcpy(s->expected + (at.v - s->base.v), &value, bytes);
}

static void atomic_access(struct hart *h, const struct agent *a, const struct draw *w)
{
    uint64_t value = value_to_store(a, w->bytes);
    uint64_t old = w->other ? k_swap(h, w->at, w->bytes, value) : k_fetch_add(h, w->at, w->bytes, value);
    judge_read(h, a, w, old);
    remember(a, w->at, w->bytes, w->other ? value : truncated(old + value, w->bytes));
}

static void string_store(struct hart *h, const struct agent *a, const struct draw *w)
{
    uint64_t value = agent_value(a, a->done);
    k_store_line(h, w->line, value);
    for (unsigned i = 0; i < LINE_BYTES; i += 8)
        remember(a, paddr_plus(w->line, i), 8, value);
}

static void fence(struct hart *h, const struct agent *a)
{
    static void (*const fences[])(struct hart *) = { k_fence, k_fence_store, k_fence_load };
    fences[a->done % 3](h);
}

static void store(struct hart *h, const struct agent *a, const struct draw *w)
{
    uint64_t value = value_to_store(a, w->bytes);
    if (w->kind == MIX_nt_stores)
        k_store_nt(h, w->at, w->bytes, value);
    else
        k_store(h, w->at, w->bytes, value);
    remember(a, w->at, w->bytes, value);
}

static void operation(struct hart *h, struct agent *a)
{
    struct draw w = draw(a);
    switch (w.kind) {
    case MIX_loads: judge_read(h, a, &w, k_load(h, w.at, w.bytes)); break;
    case MIX_atomics: atomic_access(h, a, &w); break;
    case MIX_flushes: w.other ? k_flush(h, w.at) : k_flush_opt(h, w.at); break;
    case MIX_fences: fence(h, a); break;
    case MIX_string_stores: string_store(h, a, &w); break;
    case MIX_prefetches: k_prefetch_write(h, w.at); break;
    default: store(h, a, &w); break;
    }
}

static void run(struct hart *h, struct agent *a)
{
    while (agent_next(a))
        operation(h, a);
    k_fence(h);
}

const struct program program_random_mix = {
    .name = "random-mix",
    .sentence = "Accesses few lines at random: loads, stores, atomics, flushes, fences, whole-line and non-temporal stores.",
    .params = params, .desc_bytes = sizeof(struct mix_desc), .check = check, .prepare = prepare, .run = run
};
