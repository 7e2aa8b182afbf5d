/* models/coherence/slots.h - set-associative places for lines with the requests that wait on each. Private to the folder.
 *
 * Tags are kept plus one, so that memory never written reads as empty: a large last level costs the host only what is
 * used of it. Requests parked on a slot form one list in order of arrival.
 */
#ifndef LAB_MODELS_COHERENCE_SLOTS_H
#define LAB_MODELS_COHERENCE_SLOTS_H

#include "models/msg.h"

enum { NO_SLOT = -1, NO_PARKED = 0 /* parked messages are numbered from 1 */ };

struct slot { uint32_t used; int32_t parked_head, parked_tail; };

struct slots {
    uint32_t sets, ways;          /* sets: a power of two */
    uint32_t beside;              /* further slots behind those of the sets, outside any set */
    uint64_t *tag;                /* line + 1; 0: empty */
    struct slot *slot;
    uint32_t use_count;
    struct parked { struct msg msg; int32_t next; } *parked; /* pool */
    int32_t parked_free, parked_cap;
    uint32_t parked_count;        /* waiting now */
    uint64_t parked_total;        /* ever */
};

void slots_init(struct slots *, const char *name, uint32_t sets, uint32_t ways, uint32_t beside);
void slots_free(struct slots *);
uint64_t slots_host_bytes(const struct slots *);

static inline int64_t slots_count(const struct slots *s) { return (int64_t)s->sets * s->ways + s->beside; }
static inline int64_t slots_set(const struct slots *s, lineno line) { return (int64_t)(line.v & (s->sets - 1)) * s->ways; }
static inline bool slots_empty(const struct slots *s, int64_t slot) { return s->tag[slot] == 0; }
static inline lineno slots_line(const struct slots *s, int64_t slot) { return (lineno){ s->tag[slot] - 1 }; }
static inline void slots_touch(struct slots *s, int64_t slot) { s->slot[slot].used = ++s->use_count; }
static inline bool slots_waited_for(const struct slots *s, int64_t slot) { return s->slot[slot].parked_head != NO_PARKED; }

/* Among the sets; what stands beside them is the caller's to know. */
static inline int64_t slots_find(const struct slots *s, lineno line)
{
    int64_t first = slots_set(s, line);
    for (uint32_t w = 0; w < s->ways; w++)
        if (s->tag[first + w] == line.v + 1)
            return first + w;
    return NO_SLOT;
}

/* An empty slot of the line's set, or the one of highest rank and among these the least recently used. */
int64_t slots_victim(const struct slots *, lineno, unsigned (*rank)(const void *arg, int64_t slot), const void *arg);

void slots_park(struct slots *, int64_t slot, const struct msg *);
void slots_park_first(struct slots *, int64_t slot, const struct msg *);
bool slots_unpark(struct slots *, int64_t slot, struct msg *); /* the first; false: none waits */
/* Calls fn for each message parked on the slot, in order. */
void slots_each_parked(const struct slots *, int64_t slot, void (*fn)(void *arg, const struct msg *), void *arg);

/* A message kept aside, not in any list. */
int32_t slots_keep(struct slots *, const struct msg *);
struct msg *slots_kept(struct slots *, int32_t);
void slots_forget(struct slots *, int32_t);

#endif
