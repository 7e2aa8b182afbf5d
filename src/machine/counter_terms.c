/* src/machine/counter_terms.c - see counter_terms.h. */
#include "src/machine/counter_terms.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/device/dma.h"
#include "models/iommu/iommu.h"
#include "models/msg.h"
#include "src/base/suggest.h"
#include "src/sim/abi/vtd.h"

enum { NAME_MAX_BYTES = 128 };

static const struct { const char *name, *sentence; } terms[] = {
    /* harts and caches, all of the machine together */
    { "hart.loads_count", "Loads issued by harts, kernel code included." },
    { "hart.stores_count", "Stores issued by harts, kernel code included." },
    { "hart.atomics_count", "Locked operations issued by harts." },
    { "hart.fences_count", "Fences of any kind." },
    { "hart.forwarded_loads_count", "Loads answered by the hart's own store buffer." },
    { "hart.interrupts_count", "Interrupts taken." },
    { "hart.ipis_count", "Interrupts sent from one hart to another." },
    { "hart.store_buffer_full_count", "Times a store found the store buffer full and the hart had to wait." },
    { "page_own.lines_acquired_count", "Lines that an owner of pages had to fetch or upgrade." },
    { "page_own.lines_already_owned_count", "Lines that an owner of pages held alone already." },
    { "page_own.straggler_line_NN_count", "Pages whose line NN (0 to 63) was the last to become the owner's; recorded ones only." },
    { "tlb.hits_count", "Data TLB lookups that found their translation." },
    { "tlb.misses_count", "Data TLB lookups that had to walk the page table." },
    { "cache.l1_hits_count", "Accesses that the first level served." },
    { "cache.l2_hits_count", "Accesses that the second level served." },
    { "cache.misses_count", "Requests to the home for a line that the private caches did not hold." },
    { "cache.upgrades_count", "Requests to the home for the right to write a line that was held already." },
    { "cache.merged_count", "Accesses that joined a request for the same line already under way." },
    { "cache.no_mshr_count", "Times an access found all MSHRs busy." },
    { "cache.evictions_announced_count", "Lines given up that the home is told of: modified ones, and exclusive ones though they are clean." },
    { "cache.evictions_silent_count", "Lines given up without a word: shared copies." },
    { "cache.invalidations_received_count", "Orders from a home to drop a copy." },
    { "cache.forwards_received_count", "Orders from a home to hand a line to another cache." },
    { "cache.flushes_count", "Flushes of a line asked for by programs." },
    /* homes, network, memory */
    { "home.requests_count", "Requests that the homes accepted." },
    { "home.hits_count", "Requests whose line the last level held." },
    { "home.misses_count", "Requests whose line had to be read from memory." },
    { "home.invalidations_sent_count", "Copies that homes ordered sharers to drop." },
    { "home.forwards_sent_count", "Requests that homes passed to the cache that owns the line." },
    { "home.recalls_count", "Lines taken back from private caches, for one of the three causes that follow." },
    { "home.recalls_last_level_count", "Lines whose copies were taken back because the inclusive last level needed the place." },
    { "home.recalls_directory_count", "Lines whose copies were taken back because the directory needed the entry." },
    { "home.recalls_pointers_count", "Lines whose copies were taken back because the entry had no pointer left for another sharer." },
    { "home.broadcasts_count", "Times that a directory entry lost track of its sharers, so that everyone counts as one." },
    { "home.writebacks_count", "Modified lines that the last level wrote to memory." },
    { "home.parked_count", "Requests that had to wait at the home because their line was busy." },
    { "home.data_sent_count", "Lines that homes sent to requesters." },
    { "cluster.requests_count", "Requests that the last levels of clusters accepted (two levels)." },
    { "cluster.hits_count", "Of them, those served without asking another level." },
    { "cluster.misses_count", "Of them, those for which the cluster first asked the line's global home." },
    { "cluster.invalidations_sent_count", "Copies that last levels ordered caches of their cluster to drop." },
    { "cluster.forwards_sent_count", "Requests that last levels passed to the cache of their cluster that owns the line." },
    { "cluster.parked_count", "Requests that had to wait at a cluster's last level because their line was busy." },
    { "cluster.data_sent_count", "Lines that last levels sent to caches of their cluster." },
    { "cluster.recalls_for_room_count", "Lines taken back from a cluster's caches because its last level needed the place." },
    { "cluster.recalls_for_others_count", "Lines taken back from a cluster's caches because another cluster or a device writes." },
    { "cluster.demotions_count", "Owners in a cluster who had to share their line with a reader outside." },
    { "net.bytes_count", "Bytes that all messages carried." },
    { "net.wait_ps", "Time that messages waited at ports and links, summed over messages, in picoseconds." },
    { "net.wait_max_ps", "The longest such wait of one message, in picoseconds." },
    { "net.credit_stall_count", "Times the head of a queue found no room at the next stage." },
    { "net.link_crossings_count", "Messages over links of the network (or over the bus), once per link." },
    { "net.link_busy_ps", "Time that links were busy, summed over links, in picoseconds." },
    { "net.link_busy_max_ps", "The same of the busiest link alone." },
    { "net.link_wait_ps", "Time that messages waited for a link, summed over messages, in picoseconds." },
    { "dram.reads_count", "Lines read from memory." },
    { "dram.writes_count", "Lines written to memory." },
    { "dram.row_hits_count", "Accesses whose row was open." },
    { "dram.row_empties_count", "Accesses whose bank had no row open." },
    { "dram.row_conflicts_count", "Accesses whose bank had another row open." },
    { "dram.wait_ps", "Time that accesses waited in channel queues, summed, in picoseconds." },
    /* oracle, protocol */
    { "oracle.loads_judged_count", "Loads whose value was compared with the oracle's." },
    { "oracle.atomics_judged_count", "Locked operations whose value was compared with the oracle's." },
    { "oracle.grants_judged_count", "Grants judged at their end, by at least one part of the definition." },
    { "oracle.lines_kept_count", "Of pages granted with coherence, lines that the owner held alone at the end of the grant." },
    { "oracle.lines_relost_count", "Of those pages, lines that another agent asked for after the owner had gained them." },
    { "oracle.lines_evicted_count", "Of those pages, lines that the owner's own cache gave up; nobody else has them." },
    { "oracle.dma_refused_count", "Pieces of DMA that the IOMMU refused." },
    { "oracle.dma_performed_watched_count", "Pieces of DMA that were performed on a page under the oracle's watch." },
    { "protocol.rows_used_count", "Rows of the protocol's tables that this run needed." },
    { "protocol.rows_count", "Rows of the protocol's tables." },
    /* kernel and programs */
    { "alloc.failed", "Allocations that found no page." },
    { "zone.boosts", "Fallbacks between mobilities that raised a zone's watermarks." },
    { "pageblock.claimed", "Pageblocks, or larger free blocks, that changed their mobility for a request." },
    { "pageblock.stolen_from", "Requests served by a pageblock of another mobility that kept its own." },
    { "highatomic.reserved", "Pageblocks kept for high-order requests that cannot wait." },
    { "highatomic.released", "Such pageblocks given back before a request failed." },
    { "compact.direct", "Attempts of direct compaction." },
    { "kswapd.woken", "Times an allocation below the low watermark woke the background reclaim." },
    { "reclaim.direct", "Stalls: times an allocation reclaimed by itself." },
    { "reclaim.direct_pages", "Pages of the page cache that allocations reclaimed by themselves." },
    { "reclaim.kswapd_pages", "Pages of the page cache that kswapd reclaimed." },
    { "reclaim.scanned_count", "Pages of the page cache that reclaim looked at." },
    { "reclaim.written_count", "Dirty pages that reclaim handed to write-back." },
    { "reclaim.throttled_count", "Times reclaim slept because all it found was under write-back." },
    { "oom.kills", "Times a victim was told to give its memory back because nothing could be reclaimed." },
    { "oom.blocks_freed", "Blocks that victims of the OOM killer gave back." },
    { "oom.no_victim", "Times nothing could be reclaimed and there was nobody to kill." },
    { "alloc.failed_count", "Allocations of any kind that found no page." },
    { "llfree.reserved", "llfree: trees that a core reserved in order to allocate from them." },
    { "llfree.reserved_by_frees", "llfree: trees that a core reserved because it freed into them four times in a row." },
    { "llfree.fetched", "llfree: times a core took over what others had freed into its tree." },
    { "llfree.stolen", "llfree: allocations out of a tree that another core had reserved." },
    { "llfree.drained", "llfree: times all reservations were dropped, because no tree could be reserved." },
    { "zero_pool.hit", "Requests for a zeroed page that the pool served." },
    { "zero_pool.miss", "Requests for a zeroed page that found the pool empty." },
    { "zero_pool.last_resort", "Pages of the pool given away because there were no others." },
    { "zero_pool.filled", "Pages cleared ahead of time into the pool." },
    { "zero_on_free.pages", "Pages cleared when they were freed." },
    { "zero_on_free.still_mapped", "Of them, pages that were still mapped, and so do not count as zero." },
    { "zero_on_free.known", "Requests for zeroed pages that needed no clearing, because all was clear since the free." },
    { "pcp.decayed_pages", "Pages that the vmstat handler of irq-source took off per-CPU lists." },
    { "pcp.lock_refused", "Times a per-CPU list's lock was held and the zone was used instead." },
    { "alloc_bulk.failed", "alloc-bulk: allocations that found no page." },
    { "alloc_replay.events_count", "alloc-replay: events of the recording that were consumed." },
    { "alloc_replay.allocs_count", "alloc-replay: allocations made." },
    { "alloc_replay.frees_count", "alloc-replay: frees made." },
    { "alloc_replay.frees_of_earlier_pages_count", "alloc-replay: recorded frees of pages that were not allocated in the recording: dropped." },
    { "alloc_replay.frees_told_twice_count", "alloc-replay: second tellings of one free (mm_page_free and mm_page_free_batched)." },
    { "alloc_replay.freed_at_end_count", "alloc-replay: blocks that the recording leaves allocated, freed at the end of a pass." },
    { "alloc_replay.internal_events_count", "alloc-replay: events from inside the recorded allocator (zone_locked, pcpu_drain, extfrag): counted only." },
    { "alloc_replay.other_events_count", "alloc-replay: lines with events of other names." },
    { "alloc_replay.lost_events_count", "alloc-replay: events that the recorder says it lost." },
    { "alloc_replay.lost_frees_count", "alloc-replay: allocations of a page that, by the recording, was allocated already." },
    { "alloc_replay.unknown_flags_count", "alloc-replay: flags of newer or older kernels that nothing here knows; they count as none." },
    { "alloc_replay.recorded_failures_count", "alloc-replay: allocations that failed when they were recorded; not tried again." },
    { "alloc_replay.failed", "alloc-replay: allocations that found no page." },
    { "alloc_replay.late_events_count", "alloc-replay: with timing: recorded, events whose time was over when their hart came to them." },
    { "page_bench.failed", "page-bench: allocations that found no block." },
    { "rx_refill.failed", "rx-refill: buffers that could not be allocated; the slot is tried again at the next interrupt." },
    { "rx_refill.not_mapped", "rx-refill: buffers that could not be mapped for the device." },
    { "rx_refill.posted_count", "rx-refill: buffers posted to the receive ring." },
    { "rx_refill.packets_count", "rx-refill: packets that found a buffer." },
    { "rx_refill.dropped_count", "rx-refill: packets for which no buffer was posted." },
    { "rx_refill.dma_refused_count", "rx-refill: packets that the IOMMU refused." },
    { "alloc_random_free.failed", "alloc-random-free: allocations that found no block." },
    { "exclusive_alloc.failed", "exclusive-alloc: grants that found no page." },
    { "exclusive_alloc.not_mapped", "exclusive-alloc: pages exposed without a new mapping: they had theirs, or a pool was used up." },
    { "exclusive_alloc.other_page", "exclusive-alloc: grants of another page than the one that was exposed before." },
    { "irq_source.alloc_failed", "irq-source: allocations in its handler that found no page." },
    { "script.loose_pages", "stress, script: pages freed with their mappings that a grant did not get back." },
    { "script.page_faults", "stress, script: accesses to pages of the board that no mapping led to any more." },
    { "touch_pages.unmapped", "touch-pages: visits ended because the page was no longer mapped." },
    { "dma_foreign.touch_refused_count", "dma-foreign: pieces refused while the device read the page before the grant." },
    { "dma_foreign.skipped_count", "dma-foreign: grants that the device did not reach for, as it was still busy." },
    { "dma_foreign.performed_count", "dma-foreign: pieces performed on a page while it was granted to somebody else." },
    { "dma_foreign.late_count", "dma-foreign: pieces performed after the grant had ended." },
    { "dma_foreign.refused_count", "dma-foreign: pieces refused by the IOMMU." },
};

/* "fault.no_write_permission_count" from "no write permission". */
static const char *joined(char buffer[NAME_MAX_BYTES], const char *head, const char *words, const char *tail)
{
    snprintf(buffer, NAME_MAX_BYTES, "%s%s%s", head, words, tail);
    for (char *c = buffer; *c; c++)
        if (*c == ' ')
            *c = '_';
    return buffer;
}

static void each_fault(void (*fn)(void *arg, const char *name, const char *sentence), void *arg)
{
    char name[NAME_MAX_BYTES], sentence[NAME_MAX_BYTES];
    for (unsigned i = 0; i < VTD_REASON_COUNT; i++) {
        const char *words = vtd_reason_name((enum vtd_reason)i);
        snprintf(sentence, sizeof sentence, "Translations refused by the IOMMU: %s.", words);
        fn(arg, joined(name, "iommu.fault.", words, "_count"), sentence);
    }
    for (unsigned i = 0; i < DMA_FAULT_COUNT; i++) {
        const char *words = dma_fault_name((enum dma_fault)i);
        snprintf(sentence, sizeof sentence, "dma-foreign: transfers refused: %s.", words);
        fn(arg, joined(name, "dma_foreign.refused.", words, ""), sentence);
    }
}

void counter_terms_each(void (*fn)(void *arg, const char *name, const char *sentence), void *arg)
{
    char name[NAME_MAX_BYTES], sentence[400];
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        fn(arg, terms[i].name, terms[i].sentence);
#define X(id, text) fn(arg, "iommu." #id, text);
    IOMMU_COUNTER_LIST(X)
#undef X
#define X(id, text) fn(arg, "deviceN." #id, text);
    DMA_COUNTER_LIST(X)
#undef X
    each_fault(fn, arg);
    for (unsigned k = 0; k < MSG_KIND_COUNT; k++) {
        snprintf(name, sizeof name, "net.sent_%s_count", msg_infos[k].name);
        snprintf(sentence, sizeof sentence, "Messages %s sent: %s", msg_infos[k].name, msg_infos[k].sentence);
        fn(arg, name, sentence);
    }
}

/* "device12.x" as "deviceN.x", "..._line_07_count" as "..._line_NN_count"; what stood there goes to digits. */
static void to_family(const char *name, char family[NAME_MAX_BYTES], char digits[8])
{
    static const char *const heads[] = { "device", "page_own.straggler_line_" }, *const marks[] = { "N", "NN" };
    snprintf(family, NAME_MAX_BYTES, "%s", name);
    snprintf(digits, 8, "0");
    for (unsigned i = 0; i < 2; i++) {
        size_t n = strlen(heads[i]), d = 0;
        if (strncmp(name, heads[i], n) != 0)
            continue;
        d = strspn(name + n, "0123456789");
        bool line = i == 1;
        if (d == 0 || d > 2 || (line && (d != 2 || atoi(name + n) > 63)) || (!line && d == 2 && name[n] == '0'))
            continue;
        snprintf(digits, 8, "%.*s", (int)d, name + n);
        snprintf(family, NAME_MAX_BYTES, "%s%s%s", heads[i], marks[i], name + n + d);
    }
}

struct search { const char *name; char *found; size_t bytes; unsigned best; bool hit; };

static void match(void *arg, const char *name, const char *sentence)
{
    struct search *s = arg;
    if (strcmp(name, s->name) != 0)
        return;
    s->hit = true;
    if (s->found)
        snprintf(s->found, s->bytes, "%s", sentence);
}

bool counter_explain(const char *name, char *sentence, size_t bytes)
{
    char family[NAME_MAX_BYTES], digits[8];
    to_family(name, family, digits);
    struct search s = { .name = family, .found = sentence, .bytes = bytes };
    bool unnumbered = strcmp(family, name) == 0 && (strncmp(name, "deviceN", 7) == 0 || strstr(name, "_NN_"));
    if (strlen(name) < NAME_MAX_BYTES && !unnumbered)
        counter_terms_each(match, &s);
    return s.hit;
}

static void near(void *arg, const char *name, const char *sentence)
{
    struct search *s = arg;
    (void)sentence;
    unsigned distance = suggest_distance(s->name, name, s->best - 1);
    if (distance < s->best) {
        s->best = distance;
        snprintf(s->found, s->bytes, "%s", name);
    }
}

/* A family's mark gives way to the number that the user wrote. */
static void put_digits(char *name, size_t bytes, const char *digits)
{
    char copy[NAME_MAX_BYTES];
    char *mark = strstr(name, "NN");
    size_t width = mark ? 2 : 1;
    if (!mark && strncmp(name, "deviceN", 7) == 0)
        mark = name + 6;
    if (!mark)
        return;
    snprintf(copy, sizeof copy, "%s", mark + width);
    snprintf(mark, bytes - (size_t)(mark - name), "%0*d%s", (int)width, atoi(digits), copy);
}

const char *counter_nearest(const char *name, char *buffer, size_t bytes)
{
    char family[NAME_MAX_BYTES], digits[8];
    to_family(name, family, digits);
    struct search s = { .name = family, .found = buffer, .bytes = bytes, .best = suggest_limit(family) + 1 };
    buffer[0] = '\0';
    if (strlen(name) < NAME_MAX_BYTES)
        counter_terms_each(near, &s);
    put_digits(buffer, bytes, digits);
    return *buffer ? buffer : NULL;
}
