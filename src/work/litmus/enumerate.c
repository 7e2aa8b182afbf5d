/* src/work/litmus/enumerate.c - see enumerate.h.
 *
 * Breadth-first over packed states with a hash table. Two reductions keep the number of states small and lose
 * no final state: steps that no other thread can see or be seen by (registers, entering the own store buffer,
 * mfence on an empty one, variables nobody else uses) are taken at once, before the state is stored; and equal states
 * are stored once.
 */
#include "src/work/litmus/enumerate.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fail.h"
#include "src/base/rng.h"
#include "src/work/litmus/thread.h"

enum { BUFFER_MAX = 32, LOCAL_STEPS_MAX = 10000, SLOTS_FIRST = 1 << 12,
       PACKED_MAX = LIT_VARS_MAX * 8 + LIT_THREADS_MAX * (16 + LIT_REGS * 10 + BUFFER_MAX * 12) };

struct buffered { uint8_t var, offset, bytes; uint64_t value; };

struct thread_world {
    struct lit_state state;
    unsigned buffered_count;
    struct buffered buffer[BUFFER_MAX]; /* oldest first */
};

struct world {
    uint8_t memory[LIT_VARS_MAX][8];
    struct thread_world threads[LIT_THREADS_MAX];
};

struct search {
    const struct litmus_test *test;
    enum lit_model model;
    uint32_t others_write[LIT_THREADS_MAX], others_use[LIT_THREADS_MAX];
    uint8_t *bytes;             /* packed states, one after the other */
    size_t used, room;
    size_t *starts;             /* count + 1 */
    size_t count, starts_room;
    uint32_t *slots;            /* index + 1 */
    size_t slot_count;
    struct lit_search result;
    struct outcomes *outcomes;
};

/* ---- packing */

static uint8_t *put(uint8_t *p, uint64_t v)
{
    for (; v > 0x7f; v >>= 7)
        *p++ = (uint8_t)(v | 0x80);
    *p++ = (uint8_t)v;
    return p;
}

static const uint8_t *take(const uint8_t *p, uint64_t *v)
{
    unsigned shift = 0;
    *v = 0;
    for (; *p & 0x80; shift += 7)
        *v |= (uint64_t)(*p++ & 0x7f) << shift;
    *v |= (uint64_t)*p++ << shift;
    return p;
}

static size_t pack(const struct search *s, const struct world *w, uint8_t *out)
{
    const struct litmus_test *t = s->test;
    uint8_t *p = out;
    for (unsigned v = 0; v < t->var_count; v++) {
        memcpy(p, w->memory[v], t->vars[v].bytes);
        p += t->vars[v].bytes;
    }
    for (unsigned i = 0; i < t->thread_count; i++) {
        const struct thread_world *x = &w->threads[i];
        *p++ = x->state.at;
        *p++ = (uint8_t)(x->state.flags | x->state.half << 4);
        p = put(p, x->state.value);
        for (unsigned r = 0; r < LIT_REGS; r++)
            if (t->threads[i].registers >> r & 1)
                p = put(p, x->state.reg[r]);
        *p++ = (uint8_t)x->buffered_count;
        for (unsigned b = 0; b < x->buffered_count; b++) {
            *p++ = (uint8_t)(x->buffer[b].var << 4 | x->buffer[b].offset);
            *p++ = x->buffer[b].bytes;
            p = put(p, x->buffer[b].value);
        }
    }
    return (size_t)(p - out);
}

static void unpack(const struct search *s, const uint8_t *p, struct world *w)
{
    const struct litmus_test *t = s->test;
    memset(w, 0, sizeof *w);
    for (unsigned v = 0; v < t->var_count; v++) {
        memcpy(w->memory[v], p, t->vars[v].bytes);
        p += t->vars[v].bytes;
    }
    for (unsigned i = 0; i < t->thread_count; i++) {
        struct thread_world *x = &w->threads[i];
        x->state.at = *p++;
        x->state.flags = *p & 15;
        x->state.half = *p++ >> 4;
        p = take(p, &x->state.value);
        for (unsigned r = 0; r < LIT_REGS; r++)
            if (t->threads[i].registers >> r & 1)
                p = take(p, &x->state.reg[r]);
        x->buffered_count = *p++;
        for (unsigned b = 0; b < x->buffered_count; b++) {
            x->buffer[b].var = *p >> 4;
            x->buffer[b].offset = *p++ & 15;
            x->buffer[b].bytes = *p++;
            p = take(p, &x->buffer[b].value);
        }
    }
}

/* ---- the set of states */

static uint64_t hash_of(const uint8_t *p, size_t n)
{
    uint64_t h = n, word;
    for (; n >= 8; n -= 8, p += 8) {
        memcpy(&word, p, 8);
        h = hash_chain(h, word);
    }
    word = 0;
    memcpy(&word, p, n);
    return mix64(hash_chain(h, word));
}

static uint32_t *slot_of(const struct search *s, const uint8_t *p, size_t n)
{
    size_t i = hash_of(p, n) & (s->slot_count - 1);
    for (; s->slots[i]; i = (i + 1) & (s->slot_count - 1)) {
        size_t at = s->starts[s->slots[i] - 1];
        if (s->starts[s->slots[i]] - at == n && memcmp(s->bytes + at, p, n) == 0)
            break;
    }
    return &s->slots[i];
}

static void grow_slots(struct search *s)
{
    free(s->slots);
    s->slot_count = s->slot_count ? s->slot_count * 2 : SLOTS_FIRST;
    s->slots = calloc(s->slot_count, sizeof *s->slots);
    CHECK_MEMORY(s->slots, "out of host memory for the states of a litmus test");
    for (size_t i = 0; i < s->count; i++)
        *slot_of(s, s->bytes + s->starts[i], s->starts[i + 1] - s->starts[i]) = (uint32_t)i + 1;
}

static void make_room(struct search *s)
{
    if (s->used + PACKED_MAX > s->room) {
        s->room = s->room * 2 + PACKED_MAX;
        s->bytes = realloc(s->bytes, s->room);
    }
    if (s->count + 2 > s->starts_room) {
        s->starts_room = s->starts_room * 2 + SLOTS_FIRST;
        s->starts = realloc(s->starts, s->starts_room * sizeof *s->starts);
    }
    CHECK_MEMORY(s->bytes && s->starts, "out of host memory for the states of a litmus test");
    if ((s->count + 1) * 2 > s->slot_count)
        grow_slots(s);
}

static void insert(struct search *s, const struct world *w)
{
    make_room(s);
    uint8_t *at = s->bytes + s->used;
    size_t n = pack(s, w, at);
    uint32_t *slot = slot_of(s, at, n);
    if (*slot)
        return;
    s->starts[s->count] = s->used;
    s->used += n;
    s->starts[++s->count] = s->used;
    *slot = (uint32_t)s->count;
}

/* ---- memory and buffers */

static void write_memory(struct world *w, unsigned var, unsigned offset, unsigned bytes, uint64_t value)
{
    for (unsigned i = 0; i < bytes; i++)
        w->memory[var][offset + i] = (uint8_t)(value >> i * 8);
}

static uint64_t read_memory(const struct world *w, unsigned var, unsigned offset, unsigned bytes)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)w->memory[var][offset + i] << i * 8;
    return v;
}

/* Byte by byte: the youngest buffered store, else memory. */
static uint64_t read_as(const struct world *w, const struct thread_world *x, const struct lit_request *r)
{
    uint64_t v = read_memory(w, r->var, r->offset, r->bytes);
    for (unsigned b = 0; b < x->buffered_count; b++) {
        const struct buffered *e = &x->buffer[b];
        for (unsigned i = 0; e->var == r->var && i < e->bytes; i++) {
            unsigned at = e->offset + i - r->offset;
            if (e->offset + i < r->offset || at >= r->bytes)
                continue;
            v = (v & ~(UINT64_C(0xff) << at * 8)) | (e->value >> i * 8 & 0xff) << at * 8;
        }
    }
    return v;
}

static void flush_oldest(struct world *w, struct thread_world *x)
{
    const struct buffered e = x->buffer[0];
    write_memory(w, e.var, e.offset, e.bytes, e.value);
    x->buffered_count--;
    memmove(x->buffer, x->buffer + 1, x->buffered_count * sizeof *x->buffer);
    x->buffer[x->buffered_count] = (struct buffered){ 0 };
}

static void store(struct world *w, struct thread_world *x, enum lit_model model, const struct lit_request *r)
{
    if (model == LIT_SC)
        write_memory(w, r->var, r->offset, r->bytes, r->value);
    else
        x->buffer[x->buffered_count++] = (struct buffered){ r->var, r->offset, r->bytes, r->value };
    lit_passed(r, &x->state);
}

static void lock_and_do(struct world *w, struct thread_world *x, const struct lit_request *r)
{
    bool writes;
    uint64_t result = lit_locked(r, &x->state, read_memory(w, r->var, r->offset, r->bytes), &writes);
    if (writes)
        write_memory(w, r->var, r->offset, r->bytes, result);
}

/* ---- steps */

static bool blocked(const struct thread_world *x, const struct lit_request *r)
{
    switch (r->ask) {
    case LIT_FENCE: case LIT_ATOMIC: return x->buffered_count > 0;
    default: return false;
    }
}

/* Does the next step of the thread neither see nor change anything that others can see or change? */
static bool unseen(const struct search *s, unsigned thread, const struct lit_request *r)
{
    uint32_t var = 1u << r->var;
    switch (r->ask) {
    case LIT_END: case LIT_STRAY: case LIT_RUNAWAY: return false;
    case LIT_LOAD: return !(s->others_write[thread] & var);
    case LIT_STORE: return s->model == LIT_TSO || !(s->others_use[thread] & var);
    case LIT_ATOMIC: return !(s->others_use[thread] & var);
    default: return true;
    }
}

static void perform(struct search *s, struct world *w, unsigned thread, const struct lit_request *r)
{
    struct thread_world *x = &w->threads[thread];
    switch (r->ask) {
    case LIT_LOAD: lit_loaded(r, &x->state, read_as(w, x, r)); break;
    case LIT_STORE: store(w, x, s->model, r); break;
    case LIT_ATOMIC: lock_and_do(w, x, r); break;
    default: lit_passed(r, &x->state); break;
    }
}

static void trouble(struct search *s, enum lit_search_end end, const struct lit_ins *ins)
{
    s->result.end = end;
    s->result.trouble = ins;
}

/* Takes every step of one thread that nobody can notice. */
static void settle_thread(struct search *s, struct world *w, unsigned thread)
{
    struct thread_world *x = &w->threads[thread];
    for (unsigned steps = 0; s->result.end == LIT_SEARCHED; steps++) {
        struct lit_request r;
        if (x->buffered_count && !(s->others_use[thread] >> x->buffer[0].var & 1)) {
            flush_oldest(w, x);
            continue;
        }
        lit_next(s->test, thread, &x->state, &r);
        if (r.ask == LIT_STRAY)
            trouble(s, LIT_ASTRAY, r.ins);
        else if (r.ask == LIT_RUNAWAY || steps == LOCAL_STEPS_MAX)
            trouble(s, LIT_ENDLESS, r.ins);
        else if (r.ask == LIT_STORE && x->buffered_count == BUFFER_MAX)
            trouble(s, LIT_TOO_LARGE, r.ins); /* a loop of stores, as a rule: the buffer has no bound in the model */
        if (s->result.end != LIT_SEARCHED || !unseen(s, thread, &r) || blocked(x, &r))
            return;
        perform(s, w, thread, &r);
    }
}

static void settle(struct search *s, struct world *w)
{
    for (unsigned t = 0; t < s->test->thread_count; t++)
        settle_thread(s, w, t);
}

static void final_state(struct search *s, const struct world *w)
{
    uint64_t values[LIT_OBSERVED_MAX];
    for (unsigned i = 0; i < s->test->observed_count; i++) {
        const struct lit_observed *o = &s->test->observed[i];
        values[i] = o->is_var ? read_memory(w, o->var, 0, s->test->vars[o->var].bytes) : w->threads[o->thread].state.reg[o->reg];
    }
    if (!litmus_filtered(s->test, values) && outcomes_find(s->outcomes, values) == SIZE_MAX)
        outcomes_add(s->outcomes, values, 1);
}

static void insert_settled(struct search *s, struct world *w, unsigned thread)
{
    settle_thread(s, w, thread);
    if (s->result.end == LIT_SEARCHED)
        insert(s, w);
}

static void expand(struct search *s, const struct world *w)
{
    bool moved = false;
    for (unsigned t = 0; t < s->test->thread_count; t++) {
        struct world next = *w;
        struct lit_request r;
        if (w->threads[t].buffered_count) {
            flush_oldest(&next, &next.threads[t]);
            insert_settled(s, &next, t);
            moved = true;
            next = *w;
        }
        lit_next(s->test, t, &next.threads[t].state, &r);
        if (r.ask == LIT_END || blocked(&w->threads[t], &r))
            continue;
        perform(s, &next, t, &r);
        insert_settled(s, &next, t);
        moved = true;
    }
    if (!moved)
        final_state(s, w);
}

/* ---- the search */

static void learn_sharing(struct search *s)
{
    const struct litmus_test *t = s->test;
    for (unsigned i = 0; i < t->thread_count; i++)
        for (unsigned k = 0; k < t->thread_count; k++)
            if (k != i) {
                s->others_write[i] |= t->threads[k].writes;
                s->others_use[i] |= t->threads[k].writes | t->threads[k].reads;
            }
}

static void first_state(struct search *s)
{
    struct world w;
    memset(&w, 0, sizeof w);
    for (unsigned v = 0; v < s->test->var_count; v++)
        write_memory(&w, v, 0, s->test->vars[v].bytes, s->test->vars[v].initial);
    for (unsigned t = 0; t < s->test->thread_count; t++)
        lit_start(&s->test->threads[t], &w.threads[t].state);
    settle(s, &w);
    if (s->result.end == LIT_SEARCHED)
        insert(s, &w);
}

struct lit_search litmus_enumerate(const struct litmus_test *test, enum lit_model model, uint64_t max_states, struct outcomes *outcomes)
{
    struct search s = { .test = test, .model = model, .outcomes = outcomes };
    learn_sharing(&s);
    first_state(&s);
    for (size_t i = 0; i < s.count && s.result.end == LIT_SEARCHED; i++) {
        struct world w;
        unpack(&s, s.bytes + s.starts[i], &w);
        expand(&s, &w);
        if (s.count > max_states)
            s.result.end = LIT_TOO_LARGE;
    }
    s.result.states = s.count;
    free(s.bytes);
    free(s.starts);
    free(s.slots);
    return s.result;
}
