/* models/coherence/judge.h - what the explorer demands of one cache's step, whatever system it stands in. Private to the
 * explorer.
 *
 * Each returns FIRED_FAULT, with the rule that was broken in model.fault, or FIRED_CHANGED. `who`: the cache's name.
 */
#ifndef LAB_MODELS_COHERENCE_JUDGE_H
#define LAB_MODELS_COHERENCE_JUDGE_H

#include "models/coherence/model.h"

/* What an agent's core waits for. */
enum pending { PENDING_NONE, PENDING_LOAD, PENDING_STORE, PENDING_STORE_FULL, PENDING_READ_ONCE,
               PENDING_FLUSH,     /* no instant yet without readable copies and with current memory */
               PENDING_FLUSHED }; /* there was one */

/* What the home wants for itself and has not got yet. */
enum home_wish { ASKED_NOTHING, ASKED_RECALL, ASKED_DEMOTION };

extern const uint8_t judge_pending[CEV_READ_ONCE + 1]; /* by core event: enum pending */
static inline bool judge_flushing(uint8_t pending) { return pending == PENDING_FLUSH || pending == PENDING_FLUSHED; }

enum fired model_fault(struct model *, const char *format, ...) __attribute__((format(printf, 2, 3)));
enum fired judge_no_row(struct model *, const struct protocol *, const char *who, enum controller, uint8_t state, unsigned event);
/* The operation `what` is performed on the line as it is after the step; in: NULL for a hit. */
enum fired judge_perform(struct model *, const struct protocol *, const char *who, const struct cache_line *, uint8_t what,
                         const struct msg *in);
/* A core event that did not complete: it must have begun something, or be a silent eviction. Sets *pending. */
enum fired judge_begun(struct model *, const struct protocol *, const char *who, const struct cache_line *, uint8_t *pending,
                       unsigned event);
/* A message that completed nothing. */
enum fired judge_answered(struct model *, const struct protocol *, const char *who, const struct cache_line *, uint8_t pending);
enum fired judge_acks(struct model *, const struct protocol *, const char *who, const struct cache_line *, unsigned agents);

/* States from which the data now held can be read or sent: by a row of their own, or through a row that neither
 * replaces it nor grants a whole-line store. Elsewhere the explorer forgets the data, which merges states; were this
 * wrong, a fault would be reported that is none, never the reverse. */
uint32_t judge_states_with_data(const struct protocol *, enum controller);

#endif
