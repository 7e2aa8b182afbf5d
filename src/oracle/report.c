/* src/oracle/report.c - the text of a finding, numbered so that a student can follow it: what was promised,
 * what was seen, what led there, what caches and home say about the line.
 */
#include "src/oracle/judge.h"

#include "src/base/fail.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

static const struct { const char *kind, *words; } promises[PROMISE_COUNT] = {
    [PROMISE_VALUE] = { "value",
        "A load returns the newest store to each byte: the youngest of its own hart's that still waits in the "
        "store buffer, else the newest that is visible to all. A locked operation finds the newest visible value." },
    [PROMISE_ORDER] = { "value", "Ordinary stores of a hart become visible in the order in which it issued them." },
    [PROMISE_DRAINED] = { "value",
        "A locked operation or full fence completes only when all earlier stores of its hart are visible." },
    [PROMISE_SINGLE_WRITER] = { "coherence",
        "When a write performs, the writer owns the line and no other agent can read or write a copy of it; "
        "nobody holds data newer than the writer's." },
    [PROMISE_COHERENCE] = { "coherence",
        "Between the request and the end of the grant every line of the page was solely the owner's at some "
        "instant, and at the end it still is, unless another agent asked for it since." },
    [PROMISE_DEVICE] = { "device",
        "At the end of the grant no IOMMU table, IOTLB or device TLB reaches the page, no DMA to it is in flight, "
        "and no user page table or TLB maps it; until it is given back no device performs an access to it." },
    [PROMISE_LOCK] = { "lock",
        "From taking the page's lock to dropping it one agent holds it throughout, and no other agent that honours "
        "the lock touches the page." },
    [PROMISE_LOCK_ILLEGAL] = { "lock.illegal",
        "While the page's lock is held nobody else may touch the page. This agent does not honour the lock: the "
        "scenario, not the machine, is at fault." },
    [PROMISE_SECURE] = { "secure",
        "At the end of the grant every byte of the page reads zero to its new owner, the zeroing is visible to "
        "all, and a load barrier of the owner stands between the zeroing and the owner's first load." },
    [PROMISE_ALLOCATOR] = { "allocator",
        "A frame is handed out to one owner at a time, and is freed once for each time it was handed out." },
};

const char *name_of(const struct oracle *o, unsigned agent) { return o->in.agent_name(o->in.machine, agent); }

void print_time(FILE *out, tick t) { fprintf(out, "%" PRIu64 ".%03u ns", t / PS_PER_NS, (unsigned)(t % PS_PER_NS)); }

struct time_text time_text(tick t)
{
    struct time_text out;
    snprintf(out.s, sizeof out.s, "%" PRIu64 ".%03u ns", t / PS_PER_NS, (unsigned)(t % PS_PER_NS));
    return out;
}

static void print_writer(const struct oracle *o, const struct shadow_page *p, FILE *out)
{
    if (!p || !p->written) {
        fputs("   no store to this page was seen before\n", out);
        return;
    }
    fprintf(out, "   the last store to this page was %s's, to 0x%" PRIx64 ", at ", name_of(o, p->writer),
            p->write_address.v);
    print_time(out, p->write_time);
    fputc('\n', out);
}

static void print_events(const struct oracle *o, enum promise promise, frame f, FILE *out)
{
    const struct shadow_page *p = shadow_find(&o->shadow, f);
    fputs("3. What led there, oldest first:\n", out);
    if (promise == PROMISE_ALLOCATOR)
        frames_print(o, f, out);
    else if (p && p->watch)
        watch_print(o, p->watch, out);
    else
        print_writer(o, p, out);
}

static void print_line(const struct oracle *o, lineno line, FILE *out)
{
    fprintf(out, "4. The life of line 0x%" PRIx64 " in caches and home, oldest first:\n", line_addr(line).v);
    if (o->in.history)
        o->in.history(o->in.machine, line, out);
    fputs("5. What its home knows:\n", out);
    if (o->in.home)
        o->in.home(o->in.machine, line, out);
}

void found(struct oracle *o, enum promise promise, unsigned agent, paddr a, tick now, const char *format, ...)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    CHECK_MEMORY(out, "oracle: no memory for the text of a violation");
    fprintf(out, "1. Promised (%s): %s\n2. Seen: at ", promises[promise].kind, promises[promise].words);
    print_time(out, now);
    fprintf(out, ", %s, address 0x%" PRIx64 ": ", name_of(o, agent), a.v);
    va_list args;
    va_start(args, format);
    vfprintf(out, format, args);
    va_end(args);
    fputs(".\n", out);
    print_events(o, promise, paddr_frame(a), out);
    if (promise != PROMISE_ALLOCATOR)
        print_line(o, promise == PROMISE_LOCK ? lock_line(o, paddr_frame(a), paddr_line(a)) : paddr_line(a), out);
    CHECK(fclose(out) == 0, "oracle: the text of a violation could not be written");
    o->report.violations++;
    o->violation(o->machine, promises[promise].kind, agent, a.v, text);
    free(text);
}
