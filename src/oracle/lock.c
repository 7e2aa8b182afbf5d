/* src/oracle/lock.c - page locks that are held: bit 0 of the byte at the lock word's address is PG_locked
 * (src/kern/page.h, as bit 0 of folio->flags in Linux).
 *
 * The holder's own clearing of the bit ends the holding, whether NOTE_LOCK_DROPPED comes just before or after.
 */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>

static struct held_lock *find(const struct oracle *o, frame f, unsigned holder)
{
    for (unsigned i = 0; i < o->lock_count; i++)
        if (o->lock[i].f.v == f.v && o->lock[i].holder == holder)
            return &o->lock[i];
    return NULL;
}

const struct held_lock *lock_of(const struct oracle *o, frame f, unsigned holder)
{
    const struct held_lock *l = find(o, f, holder);
    return l && !l->released ? l : NULL;
}

lineno lock_line(const struct oracle *o, frame f, lineno otherwise)
{
    for (unsigned i = 0; i < o->lock_count; i++)
        if (o->lock[i].f.v == f.v)
            return paddr_line(o->lock[i].word);
    return otherwise;
}

static bool bit_set(struct oracle *o, paddr word)
{
    struct shadow_page *p = shadow_page(&o->shadow, paddr_frame(word));
    return value_from_word(word, 1, shadow_word(&o->shadow, p, word_index(word))) & 1;
}

/* The hart's last atomic on the lock's byte turned the bit from 0 to 1. */
static bool taken_by_atomic(const struct oracle *o, unsigned hart, paddr word)
{
    const struct judged *g = &o->agent[hart];
    unsigned n = g->atomic_count < RECENT_ATOMICS ? g->atomic_count : RECENT_ATOMICS;
    for (unsigned i = 1; i <= n; i++) {
        const struct seen_atomic *t = &g->atomic[(g->atomic_count - i) % RECENT_ATOMICS];
        if (word.v < t->a.v || word.v >= t->a.v + t->bytes)
            continue;
        unsigned shift = 8 * (unsigned)(word.v - t->a.v);
        return !(t->old >> shift & 1) && (t->new_value >> shift & 1);
    }
    return false;
}

static const struct held_lock *other_holder(const struct oracle *o, frame f)
{
    for (unsigned i = 0; i < o->lock_count; i++)
        if (o->lock[i].f.v == f.v && !o->lock[i].released)
            return &o->lock[i];
    return NULL;
}

static void add(struct oracle *o, struct held_lock lock)
{
    if (o->lock_count == o->lock_size) {
        o->lock_size = o->lock_size ? 2 * o->lock_size : 64;
        o->lock = realloc(o->lock, o->lock_size * sizeof *o->lock);
        CHECK_MEMORY(o->lock, "oracle: no memory for %u held locks", o->lock_size);
    }
    o->lock[o->lock_count++] = lock;
    shadow_page(&o->shadow, paddr_frame(lock.word))->lock_words++;
}

static void drop(struct oracle *o, struct held_lock *l)
{
    shadow_page(&o->shadow, paddr_frame(l->word))->lock_words--;
    *l = o->lock[--o->lock_count];
}

static void judge_held(struct oracle *o, unsigned hart, frame f, paddr word, tick now)
{
    if (!bit_set(o, word))
        found(o, PROMISE_LOCK, hart, frame_addr(f), now,
              "it says that it holds the page's lock, but the lock bit at 0x%" PRIx64 " is clear", word.v);
    else if (!taken_by_atomic(o, hart, word))
        found(o, PROMISE_LOCK, hart, frame_addr(f), now,
              "it says that it holds the page's lock, but it was no locked operation of its own that last turned the "
              "lock bit at 0x%" PRIx64 " from clear to set", word.v);
}

void lock_note_held(struct oracle *o, unsigned hart, frame f, paddr word, tick now)
{
    const struct held_lock *other = other_holder(o, f);
    struct held_lock *old = find(o, f, hart);
    if (other)
        found(o, PROMISE_LOCK, hart, frame_addr(f), now,
              "it says that it holds the page's lock, which %s has held since %s", name_of(o, other->holder),
              time_text(other->since).s);
    if (old)
        drop(o, old);
    add(o, (struct held_lock){ f, word, hart, false, now });
    if (!other)
        judge_held(o, hart, f, word, now);
}

void lock_note_dropped(struct oracle *o, unsigned hart, frame f, tick now)
{
    struct held_lock *l = find(o, f, hart);
    if (l)
        drop(o, l);
    else
        found(o, PROMISE_LOCK, hart, frame_addr(f), now, "it drops the page's lock, which it does not hold");
}

void lock_word_written(struct oracle *o, unsigned agent, paddr a, unsigned bytes, tick now)
{
    for (unsigned i = 0; i < o->lock_count; i++) {
        struct held_lock *l = &o->lock[i];
        if (l->word.v < a.v || l->word.v >= a.v + bytes || l->released || bit_set(o, l->word))
            continue;
        l->released = true;
        if (agent != l->holder)
            found(o, PROMISE_LOCK, agent, frame_addr(l->f), now,
                  "its write clears the lock bit at 0x%" PRIx64 " of the page that %s has had locked since %s",
                  l->word.v, name_of(o, l->holder), time_text(l->since).s);
    }
}

void lock_judge_end(struct oracle *o, struct watch *w, tick now)
{
    const struct held_lock *l = find(o, w->page->f, w->owner);
    paddr a = frame_addr(w->page->f);
    if (!l)
        found(o, PROMISE_LOCK, w->owner, a, now, "at the end of the grant it does not hold the page's lock");
    else if (l->released || !bit_set(o, l->word))
        found(o, PROMISE_LOCK, w->owner, a, now,
              "at the end of the grant the lock bit at 0x%" PRIx64 " is clear, though it took the lock at %s", l->word.v,
              time_text(l->since).s);
    else if (o->in.read(o->in.machine, (paddr){ l->word.v & ~UINT64_C(7) }, 8) >> (8 * (l->word.v & 7)) & 1)
        return;
    else
        found(o, PROMISE_LOCK, w->owner, a, now,
              "at the end of the grant memory at 0x%" PRIx64 " has the lock bit clear, though no write cleared it",
              l->word.v);
}
