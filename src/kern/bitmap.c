/* src/kern/bitmap.c - one bit per frame under one lock, searched first fit, as the boot-time allocator of Linux did
 * (mm/bootmem.c, up to 4.19). A hint says below which word nothing is free: a search for a single frame raises it, a
 * free lowers it. Blocks of up to 64 frames are an aligned group of bits in a word, larger ones aligned words. A set
 * bit is an allocated frame. Everything here is guarded by the zone lock.
 */
#include "src/kern/bits.h"
#include "src/kern/check.h"
#include "src/kern/one_lock.h"

/* At zone->own: the hint (number of a word), on a line of its own; then the words. */
enum { BM_WORDS = LINE_BYTES };

static paddr hint_at(const struct zone *z) { return z->own; }

/* Whole blocks of the largest order: frames past the end are allocated for ever. */
static uint64_t word_count(const struct zone *z)
{
    uint64_t block = (UINT64_C(1) << MAX_ORDER), frames = z->end.v - zone_base(z);
    return (frames + block - 1) / block * (block / ROW_FRAMES);
}

static paddr word_at(const struct zone *z, uint64_t word) { return paddr_plus(z->own, BM_WORDS + word * 8); }

static uint64_t own_bytes(const struct kernel_desc *d, uint64_t pages)
{
    uint64_t most = pages + (UINT64_C(2) << MAX_ORDER); /* the zone may begin and end within a block */
    (void)d;
    return (BM_WORDS + most / ROW_FRAMES * 8 + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
}

static void boot(struct kernel *k, struct zone *z, struct backdoor *b)
{
    (void)k;
    for (uint64_t word = 0; word < word_count(z); word++) {
        uint64_t bits = row_at_boot(z, word);
        if (bits != 0)
            backdoor_write(b, word_at(z, word), 8, bits);
    }
}

/* An aligned group within a word. For single frames the hint follows: below the word found nothing is free. */
static uint64_t take_small(struct hart *h, const struct kernel *k, const struct zone *z, unsigned order)
{
    uint64_t words = word_count(z), group = 1;
    paddr hint = hint_at(z);
    uint64_t first = k_load(h, hint, 8), word = first;
    for (; word < words; word++) {
        uint64_t bits = k_load(h, word_at(z, word), 8);
        k_compute(h, k->desc.costs.bitmap_word);
        if (row_clear_group(bits, order, &group)) {
            k_store(h, word_at(z, word), 8, bits | group);
            break;
        }
    }
    if (order == 0 && word != first)
        k_store(h, hint, 8, word);
    k_compute(h, k->desc.costs.bitmap_edit);
    return word < words ? zone_base(z) + word * ROW_FRAMES + (unsigned)__builtin_ctzll(group) : 0;
}

static bool words_clear(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t word, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        k_compute(h, k->desc.costs.bitmap_word);
        if (k_load(h, word_at(z, word + i), 8) != 0)
            return false;
    }
    return true;
}

static uint64_t take_large(struct hart *h, const struct kernel *k, const struct zone *z, unsigned order)
{
    uint64_t words = word_count(z), span = UINT64_C(1) << (order - ROW_ORDER);
    uint64_t word = k_load(h, hint_at(z), 8) & ~(span - 1);
    while (word < words && !words_clear(h, k, z, word, span))
        word += span;
    if (word >= words)
        return 0;
    for (uint64_t i = 0; i < span; i++)
        k_store(h, word_at(z, word + i), 8, ~UINT64_C(0));
    k_compute(h, k->desc.costs.bitmap_edit);
    return zone_base(z) + word * ROW_FRAMES;
}

static void put_locked(struct hart *h, const struct kernel *k, const struct zone *z, uint64_t f, unsigned order)
{
    uint64_t offset = f - zone_base(z), word = offset / ROW_FRAMES, group = row_group(offset, order);
    uint64_t words = order <= ROW_ORDER ? 1 : UINT64_C(1) << (order - ROW_ORDER);
    paddr hint = hint_at(z);
    for (uint64_t i = word; i < word + words; i++) {
        uint64_t bits = k_load(h, word_at(z, i), 8);
        if ((bits & group) != group)
            k_illegal(h, "free_pages: frame 0x%llx is free already", (unsigned long long)f);
        k_store(h, word_at(z, i), 8, bits & ~group);
    }
    k_compute(h, k->desc.costs.bitmap_edit);
    if (word < k_load(h, hint, 8))
        k_store(h, hint, 8, word);
}

static frame take(struct hart *h, const struct kernel *k, const struct zone *z, const struct frame_request *q,
                  enum source_id *source)
{
    bool were_on = one_lock(h, k, z);
    uint64_t f = q->order <= ROW_ORDER ? take_small(h, k, z, q->order) : take_large(h, k, z, q->order);
    if (f != 0) {
        *source = SOURCE_ONE_LOCK;
        one_count(h, z, -(INT64_C(1) << q->order));
    }
    one_unlock(h, k, z, were_on);
    return (frame){ f };
}

static enum source_id put(struct hart *h, const struct kernel *k, const struct zone *z, frame f, unsigned order)
{
    bool were_on = one_lock(h, k, z);
    put_locked(h, k, z, f.v, order);
    one_count(h, z, INT64_C(1) << order);
    one_unlock(h, k, z, were_on);
    return SOURCE_ONE_LOCK;
}

static void recount(struct recount *r, const struct zone *z)
{
    uint64_t pages = 0, hint = recount_word(r, hint_at(z), 0, 8), said = recount_word(r, zone_word(z, ZONE_AT_FREE), 0, 8);
    for (uint64_t offset = 0; offset < word_count(z) * ROW_FRAMES; offset++) {
        frame f = { zone_base(z) + offset };
        if ((recount_word(r, word_at(z, offset / ROW_FRAMES), 0, 8) >> offset % ROW_FRAMES & 1) != 0)
            continue;
        if (offset / ROW_FRAMES < hint)
            recount_lie(r, "bitmap: frame 0x%llx is free, and the hint is past it", (unsigned long long)f.v);
        recount_see(r, z, f, 0, "bitmap");
        pages++;
    }
    if (pages != said)
        recount_lie(r, "bitmap: %llu free pages, counter says %llu", (unsigned long long)pages, (unsigned long long)said);
}

const struct frame_allocator frames_bitmap = {
    .name = "bitmap",
    .help = "one bit per frame under one lock, first fit from a hint",
    .own_bytes = own_bytes,
    .boot = boot,
    .take = take,
    .put = put,
    .free_pages = one_free_pages,
    .has_block = one_has_block,
    .recount = recount,
};
