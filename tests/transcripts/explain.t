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
  core          The hart executes or waits for its own clock: instruction work, spinning, interrupt entry.
  issue         The access waits at its own hart: store buffer or MSHRs full, an older access to the line, a fence.
  translate     TLB lookup and page walk; for a device, IOTLB lookup and IOMMU walk.
  l1            First-level lookup.
  l2            Second-level lookup after a first-level miss.
  request_net   The request travels to its home: ports, wires and queueing on the way.
  home_wait     The request waits at the home: service queue, or the line is busy with another transaction.
  home          The home looks the line up and acts.
  owner         The home's forward travels to the owning cache and is looked up there.
  acks          Invalidations travel to sharers and their acknowledgements back, when one of them came last.
  dram          Memory access: channel queue, bank, row and data transfer.
  response_net  The data or grant travels to the requester.
  fill          From arrival at the requester to use by the hart.
  device        Device-side time: link to the root complex, engine occupancy, register access.
  iommu         IOMMU invalidation queue: descriptor service and waiting in the queue.
  prior         Waiting for work that began before this request did.
$ labyrinth explain zone_wait
zone_wait (phase): Waiting for the zone lock.
$ labyrinth explain dram
dram (hardware part): Memory access: channel queue, bank, row and data transfer.
dram (source): Served by memory.
$ labyrinth explain exclusive.grant.hardware.acks_ns | head -6
exclusive.grant.hardware.acks_ns
  what          Mean time per request in one hardware part, along the chain of causes that ends at the request's end; the parts add up to the latency.
  part          Invalidations travel to sharers and their acknowledgements back, when one of them came last.
  unit          nanoseconds, shown to the picosecond
  precision     exact; means are exact sums divided once

$ labyrinth explain counters.net.messages
counters.net.messages
  A counter of the machine; `labyrinth run CONFIG --verbose` shows them all.
$ labyrinth explain exclusive.grant.p99
labyrinth: no metric "exclusive.grant.p99": unknown statistic "p99" (labyrinth list metrics shows all)
exit 2
$ labyrinth explain alloc.atmic.mean_ns
labyrinth: no metric "alloc.atmic.mean_ns": unknown class "alloc.atmic"; did you mean "alloc.atomic"?
exit 2
