/* models/coherence/states.h - the set of known states: packed keys numbered in the order of their arrival, with an
 * open-addressing table that finds them. Private to the explorer.
 *
 * Looking a key up costs two cache misses once the set is large. states_offer therefore queues keys and starts the
 * reads ahead of time; states_settle numbers the queued ones, strictly in the order offered.
 */
#ifndef LAB_MODELS_COHERENCE_STATES_H
#define LAB_MODELS_COHERENCE_STATES_H

#include "models/coherence/model.h"

#define NO_STATE UINT32_MAX
enum { STATES_QUEUE = 64, STATES_AHEAD = 24 /* between offering a key and reading it */ };

struct offered { uint64_t key[KEY_WORDS_MAX], hash; uint32_t from; bool onward; };

struct states {
    unsigned words;             /* of a key */
    uint64_t *key;              /* words x n */
    uint32_t *parent, *onward;  /* onward: by carrying one thing on; itself if at rest; NO_STATE not known */
    uint32_t n, room;
    uint64_t *slot;             /* upper half of the hash, then state number + 1; 0 free */
    uint64_t mask;
    struct offered queue[STATES_QUEUE];
    uint32_t head, probed, tail; /* counts of those offered, looked up ahead, and numbered */
};

void states_init(struct states *, unsigned words);
void states_free(struct states *);
static inline const uint64_t *states_key(const struct states *s, uint32_t i) { return s->key + (size_t)i * s->words; }
uint64_t states_bytes(const struct states *); /* of host memory that is in use */

/* The place to pack the next offer into; call states_offer when it is filled. */
static inline uint64_t *states_place(struct states *s) { return s->queue[s->head % STATES_QUEUE].key; }
/* A successor of state `from` (NO_STATE: the first). onward: remembered as such, unless one is known already. */
void states_offer(struct states *, uint32_t from, bool onward);
void states_settle(struct states *); /* numbers all that were offered */
uint32_t states_find(const struct states *, const uint64_t *key); /* NO_STATE: unknown */

#endif
