$ labyrinth explain exclusive.grant.p99_ns
exclusive.grant.p99_ns
  what          99 % of the requests took no longer than this.
  unit          nanoseconds, shown to the picosecond
  precision     nearest rank, upper edge of its histogram bucket, at most the maximum: exact below
                256 ps, above that at most 1/128 (0.8 %) too high

Requests of class exclusive.grant
  from          first instruction of the request (also with exclusive: none)
  to            the publish store is globally visible
  queueing      Waiting at the requester after that first event is part of the latency;
                nothing before it is.
  warm-up       The first `warmup` operations of an agent are not recorded.

Phases (software steps by the hart's clock; they add up to the latency exactly):
  alloc         Allocating the page.
  lock          Taking the page's lock.
  unmap         Clearing user page-table entries.
  iommu         Clearing IOMMU entries, invalidating and waiting for completion.
  tlb           TLB shootdown.
  coherence     Gaining sole ownership of every line.
  zero          Clearing the page.
  fence         Fences that order the zeroing before publication.
  publish       The store that hands the page over, until globally visible.
  interrupted   An interrupt handler ran on the hart.
  other         Between the named steps.
Hardware parts (chain of causes that ends at the request's end; exact as well):
  core          The hart executes or waits for its own clock: instruction work, spinning, interrupt
                entry.
  issue         The access waits at its own hart: store buffer or MSHRs full, an older access to the
                line, a fence.
  translate     TLB lookup and page walk; for a device, IOTLB lookup and IOMMU walk.
  l1            First-level lookup.
  l2            Second-level lookup after a first-level miss.
  request_net   The request travels to its home: ports, wires and queueing on the way.
  home_wait     The request waits at the home: service queue, or the line is busy with another
                transaction.
  home          The home looks the line up and acts.
  owner         The home's forward travels to the owning cache and is looked up there.
  acks          Invalidations travel to sharers and their acknowledgements back, when one of them
                came last.
  dram          Memory access: channel queue, bank, row and data transfer.
  response_net  The data or grant travels to the requester.
  fill          From arrival at the requester to use by the hart.
  device        Device-side time: link to the root complex, engine occupancy, register accesses.
  prior         Waiting for work that began before this request did.
$ labyrinth explain zone_wait
zone_wait (phase): Waiting for the zone lock.
$ labyrinth explain dram
dram (hardware part): Memory access: channel queue, bank, row and data transfer.
dram (source): Served by memory.
$ labyrinth explain exclusive.grant.hardware.acks_ns | head -8
exclusive.grant.hardware.acks_ns
  what          Mean time per request in one hardware part, along the chain of causes that ends at
                the request's end; the parts add up to the latency.
  part          Invalidations travel to sharers and their acknowledgements back, when one of them
                came last.
  unit          nanoseconds, shown to the picosecond
  precision     exact; means are exact sums divided once

$ labyrinth explain counters.net.bytes_count
counters.net.bytes_count
  what          Bytes that all messages carried.
  unit          bytes, exact
  covers        the whole run, warm-up and preparation included
$ labyrinth explain exclusive.grant.p99
labyrinth: no metric "exclusive.grant.p99": unknown statistic "p99" (labyrinth list metrics shows all)
exit 2
$ labyrinth explain alloc.atmic.mean_ns
labyrinth: no metric "alloc.atmic.mean_ns": unknown class "alloc.atmic"; did you mean "alloc.atomic"?
exit 2
$ labyrinth explain device0.refused_count
counters.device0.refused_count
  what          Pieces refused.
  unit          a count, exact
  covers        the whole run, warm-up and preparation included
$ labyrinth explain counters.nonsense_count
labyrinth: no metric "counters.nonsense_count": unknown counter (labyrinth list counters shows all)
exit 2
$ labyrinth explain counters.home.recals_count
labyrinth: no metric "counters.home.recals_count": unknown counter; did you mean "counters.home.recalls_count"?
exit 2
$ labyrinth explain page_own.straggler_line_07_count
counters.page_own.straggler_line_07_count
  what          Pages whose line NN (0 to 63) was the last to become the owner's; recorded ones
                only.
  unit          a count, exact
$ labyrinth explain page_own.straggler_line_64_count
labyrinth: nothing is called "page_own.straggler_line_64_count"; did you mean "page_own.straggler_line_00_count"?
exit 2
$ labyrinth explain coherence
coherence (meaning of exclusive): From the request to its end every line of the page was solely the
    owner's at some instant, and still is at the end unless another agent asked for it since
    (counter oracle.lines_relost_count).
coherence (phase): Gaining sole ownership of every line.
$ labyrinth explain lock
lock (meaning of exclusive): One agent holds the page's lock the whole time; in atomic context it is
    taken by trying or spinning only. Who touches the page meanwhile is stopped, whether or not he
    had promised to honour the lock.
lock (phase): Taking the page's lock.
$ labyrinth explain exclusive
exclusive (meaning of exclusive): A page handed to one owner, in the meanings that the request
    selects: coherence, device, lock, secure; all or none of them. Mainline Linux has no such
    request; the meanings are ours.
$ labyrinth explain machine.l2.mshrs
machine.l2.mshrs (configuration key)
  what          Transactions of a core under way at once.
  value         count
  allowed       1 to 256
  default       10
$ labyrinth explain machine.l2.mshr
labyrinth: nothing is called "machine.l2.mshr"; did you mean "machine.l2.mshrs"?
exit 2
$ labyrinth explain agents.exclusive-alloc.gfp
agents.exclusive-alloc.gfp (configuration key)
  what          Allocation flags of the request.
  value         text
  default       ATOMIC
  of program    exclusive-alloc: Asks for exclusive pages, one after the other, each of which others have mapped and touched before.
$ labyrinth explain checks.history
checks.history (configuration key)
  what          Events remembered per granted page.
  value         count
  allowed       0 to 65536
  default       64
