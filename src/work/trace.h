/* src/work/trace.h - recordings of the page allocator's events on a real machine, read for replay.
 *
 * Two forms, plain or gzip-compressed, told apart by the first line:
 *  - ftrace text, as /sys/kernel/tracing/trace, trace-cmd report and perf script print it (include/trace/events/kmem.h):
 *      TASK-PID [CPU] FLAGS SECONDS: mm_page_alloc: page=... pfn=0x1a2b order=0 migratetype=0 gfp_flags=GFP_KERNEL|__GFP_ZERO
 *    pfn hexadecimal (since 5.13) or decimal, page= optional (without pfn it names the page), flags and thread group optional,
 *    names of before 3.4 (mm_page_free_direct, mm_pagevec_free). Events of other names are counted and left aside.
 *  - CSV with a line of headings; needed are cpu, t_us, event, pfn, order and gfp (or gfp_or_extra).
 *
 * A free names the allocation it ends. mm_page_free_batched tells of a free that mm_page_free reports too, before or
 * after it: the second of the two is an echo. A free of a page that was not allocated in the recording is of an earlier
 * allocation (or of a part of a block that was split): it has no partner.
 */
#ifndef LAB_WORK_TRACE_H
#define LAB_WORK_TRACE_H

#include "src/base/arena.h"
#include "src/base/units.h"
#include "src/config/diag.h"
#include "src/kern/gfp.h"

enum trace_kind {
    TRACE_ALLOC,
    TRACE_FREE,
    TRACE_FREE_BATCHED,
    TRACE_ECHO,           /* a free told a second time */
    TRACE_INTERNAL,       /* zone_locked, pcpu_drain, extfrag: what the allocator did inside */
    TRACE_FAILED          /* an allocation that found no page */
};
enum { TRACE_EVENTS_MAX = 1 << 24, TRACE_LINE_MAX_BYTES = 4096 };
#define TRACE_NO_PARTNER UINT32_MAX

struct trace_event {
    tick when;            /* since the first event; never falls */
    uint64_t pfn;
    gfp_t gfp;            /* of an allocation */
    uint32_t partner;     /* allocation: the event that frees it; free: the one that allocated; or TRACE_NO_PARTNER */
    uint16_t cpu;
    uint8_t kind, order;
};

struct trace {
    const char *path;
    struct trace_event *events;
    uint32_t count;
    uint64_t other_count;         /* events of other names */
    uint64_t lost_count;          /* events that the recorder says it lost */
    uint64_t unknown_flag_count;  /* names of flags that we do not know; they count as no flag */
    uint64_t lost_free_count;     /* allocations of a page that was still allocated: its free is missing */
};

/* NULL after errors, which are in diag with the file's line and column. `by`: where the path is written; line 0: the
 * command line. A relative path starts at the folder of by.file. All that is returned lives in the arena. */
struct trace *trace_read(struct arena *, struct diag *, const char *path, struct origin by);

/* Flags as ftrace prints them: names of any kernel version, numbers, "none". *unknown: names that were not known. False:
 * not even the form of a flag; *wrong is where. `text` ends at its first blank or comma, or at its end. */
bool trace_flags(const char *text, gfp_t *flags, uint64_t *unknown, const char **wrong);

#endif
