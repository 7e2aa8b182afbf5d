/* src/oracle/watch.c - watched pages: what happened there, who asked for which line, and whether an access by
 * somebody else breaks a promise that holds now.
 */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const seen_words[SEEN_WHAT_COUNT] = {
    [SEEN_LOAD] = "loads", [SEEN_FORWARDED] = "loads (forwarded)", [SEEN_STORE] = "stores, visible",
    [SEEN_ATOMIC] = "locked operation", [SEEN_LINE] = "stores the whole line, visible",
    [SEEN_WANTS_READ] = "asks to read", [SEEN_WANTS_WRITE] = "asks to own", [SEEN_DMA_READ] = "DMA reads",
    [SEEN_DMA_WRITE] = "DMA writes", [SEEN_DMA_REFUSED] = "DMA refused",
    [SEEN_BARRIER_FULL] = "full fence completes", [SEEN_BARRIER_STORE] = "store fence completes",
    [SEEN_BARRIER_LOAD] = "load fence completes", [SEEN_FRAME] = "is to be granted this page",
    [SEEN_LOCK_HELD] = "holds the page's lock", [SEEN_LOCK_DROPPED] = "drops the page's lock",
    [SEEN_END] = "end of the grant",
};

static struct watch *take(struct oracle *o)
{
    struct watch *w = o->free_watches;
    if (w) {
        o->free_watches = w->next_free;
        return w;
    }
    w = calloc(1, sizeof *w);
    CHECK_MEMORY(w, "oracle: no memory for a watched page");
    if (o->desc.history) {
        w->ring = calloc(o->desc.history, sizeof *w->ring);
        CHECK_MEMORY(w->ring, "oracle: no memory for %u events of a page", o->desc.history);
    }
    w->next_made = o->made_watches;
    o->made_watches = w;
    return w;
}

/* ---- questions asked before a watch began */
void wants_opened(struct judged *g, lineno line)
{
    wants_served(g, line); /* the same question again */
    unsigned i = g->wanted_count < RECENT_WANTS ? g->wanted_count++ : g->wanted_next++ % RECENT_WANTS;
    g->wanted[i] = line;
    g->wanted_filter |= UINT64_C(1) << (line.v % 64);
}

void wants_search(struct judged *g, lineno line)
{
    g->wanted_filter = 0;
    for (unsigned i = 0; i < g->wanted_count; i++)
        if (g->wanted[i].v == line.v)
            g->wanted[i--] = g->wanted[--g->wanted_count];
        else
            g->wanted_filter |= UINT64_C(1) << (g->wanted[i].v % 64);
}

/* They may still be on their way: open, unless the asker has its copy (a prefetch, not used yet). */
static void open_question(struct oracle *o, struct watch *w, unsigned agent, lineno line)
{
    struct scan s;
    struct watched_line *l = &w->line[line.v % LINES_PER_PAGE];
    copies_scan(o, line, w->owner, &s);
    if (set_has(&s.others, agent))
        return;
    set_add(&l->open, agent);
    set_add(&l->asked, agent);
}

static void find_open_questions(struct oracle *o, struct watch *w)
{
    for (unsigned agent = 0; agent < o->in.agents; agent++)
        for (unsigned i = 0; i < o->agent[agent].wanted_count && agent != w->owner; i++)
            if (line_frame(o->agent[agent].wanted[i]).v == w->page->f.v)
                open_question(o, w, agent, o->agent[agent].wanted[i]);
}

struct watch *watch_begin(struct oracle *o, frame f, unsigned owner, unsigned parts, tick begin)
{
    struct shadow_page *p = shadow_page(&o->shadow, f);
    struct watch *w = p->watch ? p->watch : take(o);
    struct watch *made = w->next_made;
    struct seen *ring = w->ring;
    *w = (struct watch){ .page = p, .owner = owner, .parts = parts, .begin = begin, .next_made = made, .ring = ring };
    w->store_at = o->agent[owner].grant.begin_at;
    p->watch = w;
    find_open_questions(o, w);
    return w;
}

void watch_end(struct oracle *o, struct watch *w)
{
    struct judged *g = &o->agent[w->owner];
    if (g->grant.watch == w)
        g->grant.watch = NULL;
    w->page->watch = NULL;
    w->next_free = o->free_watches;
    o->free_watches = w;
}

/* The entry that this event goes on with: the last, or the one before if the agent's events alternate (asks,
 * stores, asks, stores), so that zeroing a page does not push everything else out. */
static struct seen *same_run(struct watch *w, unsigned n, enum seen_what what, unsigned agent)
{
    for (unsigned back = 1; back <= 2 && back <= w->ring_count; back++) {
        struct seen *s = &w->ring[(w->ring_next + n - back) % n];
        if (s->agent != agent)
            return NULL;
        if (s->what == what)
            return s;
    }
    return NULL;
}

void watch_remember(struct oracle *o, struct watch *w, enum seen_what what, unsigned agent, uint64_t address,
                    uint64_t value, tick now)
{
    if (!w->ring)
        return;
    unsigned n = o->desc.history;
    struct seen *last = same_run(w, n, what, agent);
    if (last) {
        last->last_time = now;
        last->last_address = address;
        last->value = value;
        last->count++;
        return;
    }
    w->ring[w->ring_next] = (struct seen){ now, now, address, address, value, 1, (uint16_t)agent, (uint8_t)what };
    w->ring_next = (w->ring_next + 1) % n;
    w->ring_count += w->ring_count < n;
}

static void print_seen(const struct oracle *o, const struct seen *s, unsigned number, FILE *out)
{
    fprintf(out, "   3.%u ", number);
    print_time(out, s->first_time);
    fprintf(out, " %s %s, 0x%" PRIx64, name_of(o, s->agent), seen_words[s->what], s->first_address);
    if (s->what == SEEN_LOAD || s->what == SEEN_FORWARDED || s->what == SEEN_STORE || s->what == SEEN_ATOMIC ||
        s->what == SEEN_LINE)
        fprintf(out, ", value 0x%" PRIx64, s->value);
    if (s->count > 1) {
        fprintf(out, " (%" PRIu32 " times, the last at ", s->count);
        print_time(out, s->last_time);
        fprintf(out, " to 0x%" PRIx64 ")", s->last_address);
    }
    fputc('\n', out);
}

void watch_print(const struct oracle *o, const struct watch *w, FILE *out)
{
    fputs("   ", out);
    print_time(out, w->begin);
    fprintf(out, " %s's request for an exclusive page begins\n", name_of(o, w->owner));
    for (unsigned i = 0; i < w->ring_count; i++) {
        unsigned n = o->desc.history;
        print_seen(o, &w->ring[(w->ring_next + n - w->ring_count + i) % n], i + 1, out);
    }
}

/* ---- who asks, who touches */
struct tlb_search { unsigned hart; frame f; bool found; };

static void tlb_entry(void *arg, unsigned hart, uint16_t asid, vaddr page, frame f, bool writable)
{
    (void)asid, (void)page, (void)writable;
    struct tlb_search *s = arg;
    s->found |= hart == s->hart && f.v == s->f.v;
}

static bool reaches_by_tlb(const struct oracle *o, unsigned agent, frame f)
{
    struct tlb_search s = { agent, f, false };
    if (is_hart(o, agent))
        o->in.tlbs(o->in.machine, tlb_entry, &s);
    return s.found;
}

void watch_wants(struct oracle *o, struct watch *w, unsigned agent, lineno line, bool write, tick now)
{
    watch_remember(o, w, write ? SEEN_WANTS_WRITE : SEEN_WANTS_READ, agent, line_addr(line).v, 0, now);
    w->scanned = false;
    if (agent == w->owner)
        return;
    struct watched_line *l = &w->line[line.v % LINES_PER_PAGE];
    set_add(&l->open, agent);
    set_add(&l->asked, agent);
    if (!w->granted && (w->parts & GRANT_DEVICE) && !l->asked_by_user)
        l->asked_by_user = reaches_by_tlb(o, agent, w->page->f);
}

static void foreign_lock(struct oracle *o, struct watch *w, enum seen_what what, unsigned agent, paddr a, tick now)
{
    const struct held_lock *lock = lock_of(o, w->page->f, w->owner);
    enum promise p = o->agent[agent].honours_lock ? PROMISE_LOCK : PROMISE_LOCK_ILLEGAL;
    if (!lock || (w->reported & 1u << p))
        return;
    w->reported |= 1u << p;
    found(o, p, agent, a, now, "it touches the page (%s) while %s has held the page's lock since %s", seen_words[what],
          name_of(o, w->owner), time_text(lock->since).s);
}

static void foreign_device(struct oracle *o, struct watch *w, enum seen_what what, unsigned agent, paddr a, tick now)
{
    if (w->reported & 1u << PROMISE_DEVICE)
        return;
    w->reported |= 1u << PROMISE_DEVICE;
    found(o, PROMISE_DEVICE, agent, a, now, "a device reaches the page (%s) that was granted to %s and not given back",
          seen_words[what], name_of(o, w->owner));
}

void watch_served(struct watch *w, unsigned agent, paddr a, unsigned bytes)
{
    for (lineno l = paddr_line(a); line_addr(l).v < a.v + bytes && line_frame(l).v == w->page->f.v; l.v++)
        set_remove(&w->line[l.v % LINES_PER_PAGE].open, agent);
}

void watch_access(struct oracle *o, struct watch *w, enum seen_what what, unsigned agent, paddr a, uint64_t value,
                  tick now)
{
    watch_remember(o, w, what, agent, a.v, value, now);
    if (agent == w->owner)
        return;
    watch_served(w, agent, a, 1);
    w->scanned = false;
    if (w->granted && (w->parts & GRANT_DEVICE) && !is_hart(o, agent))
        foreign_device(o, w, what, agent, a, now);
    if (w->parts & GRANT_LOCK)
        foreign_lock(o, w, what, agent, a, now);
}
