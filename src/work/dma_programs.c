/* src/work/dma_programs.c - programs of devices: dma-stream, dma-foreign. Event-driven, on no fiber. */
#include "models/iommu/iommu.h"
#include "src/kern/iommu_drv.h"
#include "src/work/private.h"

/* ---- dma-stream: transfers to pages of its own, mapped at boot */

struct stream_desc {
    uint64_t bytes, gap_ps;
    uint32_t pages;
    bool write;
};

struct stream_state {
    struct dma_request request;
    struct event pause;
    paddr base;                 /* also the I/O address */
};

static const struct param stream_params[] = {
    { .key = "bytes", .type = P_BYTES, PARAM_FIELD(struct stream_desc, bytes), .min = 1, .max = 1 << 30, .deflt = "4KiB",
      .help = "Length of one transfer." },
    { .key = "write", .type = P_BOOL, PARAM_FIELD(struct stream_desc, write), .deflt = "true",
      .help = "The device writes to memory; otherwise it reads." },
    { .key = "gap", .type = P_TIME, PARAM_FIELD(struct stream_desc, gap_ps), .max = PS_PER_S, .deflt = "0ns",
      .help = "Time from the end of a transfer to the next." },
    { .key = "pages", .type = P_UINT, PARAM_FIELD(struct stream_desc, pages), .min = 1, .max = 1 << 18, .deflt = "16",
      .help = "Size of the ring of pages that transfers go to in turn." },
    { .key = NULL },
};

static const char *stream_check(const void *desc, const struct work *w, unsigned members)
{
    const struct stream_desc *d = desc;
    if (d->bytes > (uint64_t)d->pages * PAGE_BYTES)
        return "bytes is more than the pages hold";
    if ((uint64_t)d->pages * PAGE_BYTES > w->kernel->desc.scratch_bytes / members)
        return "more pages than the memory set aside for programs holds";
    return NULL;
}

static void stream_submit(struct agent *a)
{
    const struct stream_desc *d = a->desc;
    struct stream_state *s = a->state;
    uint64_t places = (uint64_t)d->pages * PAGE_BYTES / d->bytes;
    s->request.addr = (iova){ s->base.v + a->done % places * d->bytes };
    s->request.bytes = d->bytes;
    s->request.write = d->write;
    s->request.pattern = agent_value(a, a->done);
    s->request.recorded = agent_recorded(a);
    dma_submit(a->device, &s->request);
}

static void stream_pause_over(struct event *e) { stream_submit(e->owner); }

static void stream_done(struct dma_request *r)
{
    struct agent *a = r->owner;
    const struct stream_desc *d = a->desc;
    struct stream_state *s = a->state;
    if (!agent_next(a))
        a->work->device_finished(a->work->machine, a);
    else if (d->gap_ps == 0)
        stream_submit(a);
    else
        engine_after(a->work->engine, dma_component(a->device), &s->pause, d->gap_ps, PHASE_ACT);
}

static void stream_map(struct work *w, paddr base, uint32_t pages)
{
    for (uint32_t i = 0; w->kernel->desc.iommu.on && i < pages; i++) {
        iova at;
        bool mapped = dma_map_boot(w->kernel, w->backdoor, WORK_DOMAIN, (frame){ paddr_frame(base).v + i }, true, true, &at);
        CHECK(mapped && at.v == base.v + (uint64_t)i * PAGE_BYTES, "dma-stream: IOMMU table pool too small for its pages");
    }
}

static void stream_prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct stream_desc *d = members->desc;
    struct stream_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        struct stream_state *s = &states[i];
        s->base = work_scratch(w, (uint64_t)d->pages * PAGE_BYTES);
        s->request = (struct dma_request){ .done = stream_done, .owner = &members[i] };
        s->pause = (struct event){ .fn = stream_pause_over, .owner = &members[i], .what = "gap between transfers" };
        stream_map(w, s->base, d->pages);
    }
}

static void stream_start(struct agent *a)
{
    if (agent_next(a))
        stream_submit(a);
}

const struct program program_dma_stream = {
    .name = "dma-stream",
    .sentence = "A device that reads or writes pages of its own, one transfer after the other.",
    .params = stream_params, .desc_bytes = sizeof(struct stream_desc), .on_device = true, .check = stream_check,
    .prepare = stream_prepare, .start = stream_start
};

/* ---- dma-foreign: reaches for pages that have been granted to somebody else
 *
 * While a page is posted the device reads its first line, which is legal, and leaves a translation in the IOTLB.
 * When the page has been granted it tries again at the I/O address it had.
 */

struct foreign_desc {
    uint32_t bytes;
    bool write, touch;
};

struct foreign_state {
    unsigned number;            /* at the meeting */
    struct dma_request touching, reaching;
    bool reaching_busy;
    unsigned slot;              /* whose page it is reaching for */
    /* pages posted and not yet touched: one per owner at most */
    struct posted_page *waiting;
    unsigned waiting_count;
    const char *reason_counter[DMA_FAULT_COUNT];
};

static const struct param foreign_params[] = {
    { .key = "bytes", .type = P_BYTES, PARAM_FIELD(struct foreign_desc, bytes), .min = 1, .max = PAGE_BYTES, .deflt = "64B",
      .help = "Length of each transfer to a granted page." },
    { .key = "write", .type = P_BOOL, PARAM_FIELD(struct foreign_desc, write), .deflt = "true",
      .help = "The device tries to write; otherwise to read." },
    { .key = "touch", .type = P_BOOL, PARAM_FIELD(struct foreign_desc, touch), .deflt = "true",
      .help = "Before the grant the device reads the page while it may, so that the IOTLB holds its translation." },
    { .key = NULL },
};

static void touch_first(struct agent *a)
{
    struct foreign_state *s = a->state;
    s->touching.addr = (iova){ frame_addr(s->waiting[0].page).v };
    s->touching.bytes = LINE_BYTES;
    dma_submit(a->device, &s->touching);
}

static void foreign_posted(struct agent *a, struct posted_page page)
{
    struct foreign_state *s = a->state;
    s->waiting[s->waiting_count++] = page;
    if (s->waiting_count == 1)
        touch_first(a);
}

static void foreign_touched(struct dma_request *r)
{
    struct agent *a = r->owner;
    struct foreign_state *s = a->state;
    unsigned slot = s->waiting[0].slot;
    if (r->refused_count != 0)
        a->work->count(a->work->machine, "dma_foreign.touch_refused_count", 1);
    s->waiting_count--;
    for (unsigned i = 0; i < s->waiting_count; i++)
        s->waiting[i] = s->waiting[i + 1];
    if (s->waiting_count != 0)
        touch_first(a);
    meeting_device_arrive(a->work, s->number, slot);
}

static void foreign_granted(struct agent *a, unsigned slot, frame f)
{
    const struct foreign_desc *d = a->desc;
    struct foreign_state *s = a->state;
    if (a->finished)
        return;
    if (s->reaching_busy) {
        a->work->count(a->work->machine, "dma_foreign.skipped_count", 1);
        return;
    }
    s->reaching_busy = true;
    s->slot = slot;
    s->reaching.addr = (iova){ frame_addr(f).v };
    s->reaching.bytes = d->bytes;
    s->reaching.write = d->write;
    s->reaching.pattern = agent_value(a, a->done);
    s->reaching.recorded = agent_recorded(a);
    dma_submit(a->device, &s->reaching);
}

/* In pieces of a line; the reason is that of the first piece refused. Late: performed when the page had been given
 * back, which is no offence (the owner's hold is too short for the attack to land). */
static void foreign_reached(struct dma_request *r)
{
    struct agent *a = r->owner;
    struct foreign_state *s = a->state;
    struct work *w = a->work;
    uint64_t pieces = (r->addr.v % LINE_BYTES + r->bytes + LINE_BYTES - 1) / LINE_BYTES;
    s->reaching_busy = false;
    bool late = meeting_granted(w, s->slot).v != paddr_frame((paddr){ r->addr.v }).v;
    w->count(w->machine, late ? "dma_foreign.late_count" : "dma_foreign.performed_count", pieces - r->refused_count);
    w->count(w->machine, "dma_foreign.refused_count", r->refused_count);
    if (r->refused_count != 0)
        w->count(w->machine, s->reason_counter[r->fault], r->refused_count);
    if (!agent_next(a))
        w->device_finished(w->machine, a);
}

/* "no write permission" becomes the counter dma_foreign.refused.no_write_permission. */
static const char *reason_counter(struct arena *arena, enum dma_fault fault)
{
    char *name = arena_printf(arena, "dma_foreign.refused.%s", dma_fault_name(fault));
    for (char *c = name; *c; c++)
        if (*c == ' ')
            *c = '_';
    return name;
}

static void foreign_prepare(struct work *w, struct agent *members, unsigned count)
{
    const struct foreign_desc *d = members->desc;
    struct foreign_state *states = agents_state(w, members, count, sizeof *states);
    for (unsigned i = 0; i < count; i++) {
        struct foreign_state *s = &states[i];
        s->number = meeting_add_device(w, &(struct meeting_device){ .agent = &members[i], .granted = foreign_granted,
                                                                    .posted = d->touch ? foreign_posted : NULL });
        s->touching = (struct dma_request){ .done = foreign_touched, .owner = &members[i] };
        s->reaching = (struct dma_request){ .done = foreign_reached, .owner = &members[i] };
        s->waiting = ARENA_ARRAY(w->arena, struct posted_page, w->agent_count);
        for (unsigned fault = 1; fault < DMA_FAULT_COUNT; fault++)
            s->reason_counter[fault] = reason_counter(w->arena, (enum dma_fault)fault);
    }
}

static void foreign_start(struct agent *a) { agent_next(a); }

const struct program program_dma_foreign = {
    .name = "dma-foreign",
    .sentence = "A device that reaches for each page granted to somebody else, at the I/O address it once had.",
    .params = foreign_params, .desc_bytes = sizeof(struct foreign_desc), .on_device = true, .prepare = foreign_prepare,
    .start = foreign_start
};
