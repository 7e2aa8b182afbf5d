$ labyrinth rnu first-steps
labyrinth: unknown command "rnu"; did you mean "run"?
exit 2
$ labyrinth run
labyrinth: CONFIG is missing; usage: labyrinth run [OPTION...] CONFIG
exit 2
$ labyrinth run --jsn out.json first-steps
labyrinth: unknown option "jsn"; did you mean "json"?
exit 2
$ labyrinth run one two
labyrinth: "two" is one argument too many; usage: labyrinth run [OPTION...] CONFIG
exit 2
$ labyrinth run --queue heep first-steps
labyrinth: unknown value of --queue "heep"; did you mean "heap"?
exit 2
$ labyrinth sweep first-steps
labyrinth: sweep: -o DIR is missing: where should the results go?
exit 2
$ labyrinth list machine
labyrinth: unknown list "machine"; did you mean "machines"?
exit 2
$ labyrinth plot /nonexistent
labyrinth: /nonexistent holds no results (no file results.db); make them with: labyrinth sweep CONFIG -o /nonexistent
exit 2
$ labyrinth run --json /nonexistent/out.json first-steps
labyrinth: cannot write /nonexistent/out.json: folder /nonexistent: No such file or directory
exit 2
$ labyrinth explain load
Requests of class load
  from          the load is issued by its hart (waiting for MSHRs or fences included)
  to            its value is returned to the hart
  queueing      Waiting at the requester after that first event is part of the latency;
                nothing before it is.
  warm-up       The first `warmup` operations of an agent are not recorded.

Hardware parts, which are also the phases; they add up to the latency exactly:
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
Parts by source (their counts add up to the count of the class):
  l1            Found in the first-level cache or forwarded from the store buffer.
  l2            Found in the second-level cache.
  llc           Served by the last-level cache, no other cache disturbed.
  peer          Supplied by another cache, or other copies had to be invalidated.
  dram          Served by memory.
$ labyrinth protocol mesi S STROE
labyrinth: unknown event of the cache "STROE"; did you mean "STORE"?
exit 2
$ labyrinth protocol mesi Q STORE
labyrinth: unknown state "Q"; did you mean "I"?
exit 2
$ labyrinth protocol
labyrinth: PROTOCOL is missing; usage: labyrinth protocol [OPTION...] PROTOCOL [STATE EVENT] (labyrinth list protocols shows the names)
exit 2
$ labyrinth check tiny
labyrinth: 1 error in the input
tiny: "tiny" is a machine; wanted here is a name of configs/experiments
  An experiment names the machine it runs on: labyrinth run EXPERIMENT --set machine=NAME.
exit 2
$ labyrinth run tiny
labyrinth: 1 error in the input
tiny: "tiny" is a machine; wanted here is a name of configs/experiments
  An experiment names the machine it runs on: labyrinth run EXPERIMENT --set machine=NAME.
exit 2
$ labyrinth validate nosuchmachine
labyrinth: 1 error in the input
nosuchmachine: there is no "nosuchmachine" in configs/machines
  A name is looked up in configs/; a file of your own is named by a path, ./mine.yaml.
  Known here: epyc-7742, mean, opteron-6172, tiny, xeon-e5-1650v4, xeon-e5-2630v4, xeon-e5-2660v3, xeon-e7-8867l, xeon-e7-8867l-2s, xeon-e7-8867l-4s, xeon-e7-8867l-8s, xeon-gold-5320
exit 2
$ labyrinth validate tiny
tiny claims nothing

$ labyrinth run first-steps --plant skip-tlb-shootdown --quiet 2>&1 | tail -n 2
... all of it without --quiet
labyrinth: violation, exit code 4
