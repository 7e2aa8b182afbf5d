/* src/oracle/shadow.h - the judge's own memory: pages found by hashing, values known word by word.
 *
 * A word is unknown until an operation on it is seen. Its first content is then asked from the machine, which
 * may or may not have carried out that very operation yet: only bytes that the operation does not change are
 * taken from there, so the boundary is exact either way.
 */
#ifndef LAB_ORACLE_SHADOW_H
#define LAB_ORACLE_SHADOW_H

#include "src/base/units.h"

enum { WORDS_PER_PAGE = PAGE_BYTES / 8, WORDS_PER_LINE = LINE_BYTES / 8 };

struct watch;

struct shadow_page {
    frame f;
    struct watch *watch;         /* of the grant whose page this is, or NULL */
    unsigned lock_words;         /* held page locks whose word lies here */
    bool written;                /* the three below are set */
    uint16_t writer;             /* the last agent seen to write here, */
    paddr write_address;         /* where */
    tick write_time;             /* and when: for texts only */
    uint64_t known[WORDS_PER_PAGE / 64];
    uint64_t word[WORDS_PER_PAGE];
};

typedef uint64_t shadow_read_fn(void *machine, paddr, unsigned bytes);

struct shadow {
    shadow_read_fn *read;        /* the machine's current value */
    void *machine;
    struct shadow_page **slot;   /* open addressing, a power of two */
    size_t slot_count, page_count;
    struct shadow_chunk *chunks; /* pages come from here */
    unsigned chunk_used;
};

void shadow_init(struct shadow *, shadow_read_fn *, void *machine);
void shadow_destroy(struct shadow *);
struct shadow_page *shadow_find(const struct shadow *, frame); /* NULL if never touched */
struct shadow_page *shadow_page(struct shadow *, frame);       /* made when missing */

/* The bits of a word that an access of `bytes` at a covers, and its value moved there and back. */
static inline uint64_t access_mask(paddr a, unsigned bytes)
{
    uint64_t ones = bytes >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * bytes)) - 1;
    return ones << (8 * (a.v & 7));
}
static inline uint64_t value_to_word(paddr a, uint64_t value) { return value << (8 * (a.v & 7)); }
static inline uint64_t value_from_word(paddr a, unsigned bytes, uint64_t word)
{
    return (word & access_mask(a, bytes)) >> (8 * (a.v & 7));
}
static inline unsigned word_index(paddr a) { return (unsigned)(a.v >> 3) % WORDS_PER_PAGE; }
static inline bool shadow_known(const struct shadow_page *p, unsigned i) { return p->known[i / 64] >> (i % 64) & 1; }

uint64_t shadow_fetch(struct shadow *, struct shadow_page *, unsigned word); /* asks the machine */

/* The word as known, asking the machine when it is not. */
static inline uint64_t shadow_word(struct shadow *s, struct shadow_page *p, unsigned i)
{
    return shadow_known(p, i) ? p->word[i] : shadow_fetch(s, p, i);
}
static inline void shadow_store(struct shadow *s, struct shadow_page *p, paddr a, unsigned bytes, uint64_t value)
{
    unsigned i = word_index(a);
    uint64_t mask = access_mask(a, bytes);
    p->word[i] = (shadow_word(s, p, i) & ~mask) | (value_to_word(a, value) & mask);
}
void shadow_store_line(struct shadow_page *, lineno, uint64_t word);

#endif
