$ printf 'n\nn 5\n\nb\nb 3\nq\n' | labyrinth step tests/transcripts/two-players.yaml | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/'
Two cores hand one line to and fro, six times
A small machine for reading and teaching, cores 4
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; executes
Nothing has happened yet. step goes to the next transition or message, help lists the commands.
event 5 at 6.000 ns (cache lookup done)
 ADDR         6.000 ns  core0     STORE       I > IM
 ADDR         6.000 ns  core0       -> GETM       to home0
 ADDR         6.000 ns  core1     STORE       I > IM
 ADDR         6.000 ns  core1       -> GETM       to home0
 ADDR        11.000 ns  home0       <- GETM       from core0, 5.000 ns under way
 ADDR        12.000 ns  home0       <- GETM       from core1, 6.000 ns under way
 ADDR        76.000 ns  home0     GETM        DI > DBO   for core0
 ADDR        76.000 ns  home0       -> DATA       to core0
event 13 at 81.000 ns (net arrival)
 ADDR        81.000 ns  core0       <- DATA       from home0, 5.000 ns under way
 ADDR        81.000 ns  core0     DATA_LAST   IM > M
 ADDR        81.000 ns  core0       -> DONE       to home0
 ADDR        86.000 ns  home0       <- DONE       from core0, 5.000 ns under way
 ADDR        96.000 ns  home0     DONE        DBO > DM   for core0
 ADDR        96.000 ns  home0     GETM        DM > DBO   for core1
 ADDR        96.000 ns  home0       -> FWD_GETM   to core0
 ADDR       101.000 ns  core0       <- FWD_GETM   from home0, 5.000 ns under way
 ADDR       105.000 ns  core0     FWD_GETM    M > I   for core1
 ADDR       105.000 ns  core0       -> DATA       to core1
event 21 at 110.000 ns (net arrival)
 ADDR       110.000 ns  core1       <- DATA       from core0, 5.000 ns under way
 ADDR       110.000 ns  core1     DATA_LAST   IM > M
 ADDR       110.000 ns  core1       -> DONE       to home0
event 20 at 105.000 ns (snoop)
 ADDR       105.000 ns  core0     FWD_GETM    M > I   for core1
 ADDR       105.000 ns  core0       -> DATA       to core1
event 15 at 86.000 ns (net arrival)
 ADDR        86.000 ns  home0       <- DONE       from core0, 5.000 ns under way
$ printf 'until 100ns\nwatch busiest\nprint line busiest\nprint core 1\nmessages\nwhere\nline\n\nhistory\nlines\n' | labyrinth step tests/transcripts/two-players.yaml | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/'
Two cores hand one line to and fro, six times
A small machine for reading and teaching, cores 4
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; executes
Nothing has happened yet. step goes to the next transition or message, help lists the commands.
event 18 at 101.000 ns (net arrival)
 ADDR       101.000 ns  core0       <- FWD_GETM   from home0, 5.000 ns under way
  line ADDR:  core0 M  core1 IM  | home0: state DBO, owner core0, version 0, busy for core1
line at ADDR
  core0    M     The only copy, changed. (version 2)
  core1    IM    Asked to write; neither data nor permission is here. (version 0)
  home0: state DBO, owner core0, version 0, busy for core1
           DBO   An owner to be has not said DONE yet.
core1: players, 0 of 6 operations done; program ping-pong
  waits for a locked operation (line ADDR) since 0.000 ns
  store buffer: 0 of 8 entries
  MSHR        0  line at ADDR  STORE      IM       since 0.000 ns
no message is under way
event 18 of 18 known, at 101.000 ns
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; waits for a locked operation (line ADDR) since 0.000 ns
event 20 at 105.000 ns (snoop)
 ADDR       105.000 ns  core0     FWD_GETM    M > I   for core1
 ADDR       105.000 ns  core0       -> DATA       to core1
  line ADDR:  core1 IM  | home0: state DBO, owner core0, version 0, busy for core1
           DATA       core0    > core1    since 105.000 ns
event 21 at 110.000 ns (net arrival)
 ADDR       110.000 ns  core1       <- DATA       from core0, 5.000 ns under way
 ADDR       110.000 ns  core1     DATA_LAST   IM > M
 ADDR       110.000 ns  core1       -> DONE       to home0
  line ADDR:  core1 M  | home0: state DBO, owner core0, version 0, busy for core1
           DONE       core1    > home0    since 110.000 ns
        6.000 ns  core0     STORE       I > IM
        6.000 ns  core1     STORE       I > IM
       76.000 ns  home0     GETM        DI > DBO   for core0
       81.000 ns  core0     DATA_LAST   IM > M
       96.000 ns  home0     DONE        DBO > DM   for core0
       96.000 ns  home0     GETM        DM > DBO   for core1
      105.000 ns  core0     FWD_GETM    M > I   for core1
      110.000 ns  core1     DATA_LAST   IM > M
     address  transitions
 ADDR            8
$ printf 'until players\ne\ne 2\nbe\ngoto 12\nuntil end\nn\nb\nuntil end\n' | labyrinth step tests/transcripts/two-players.yaml | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/'
Two cores hand one line to and fro, six times
A small machine for reading and teaching, cores 4
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; executes
Nothing has happened yet. step goes to the next transition or message, help lists the commands.
event 26 at 121.000 ns (hart)
players: 1 operation done
event 27 at 123.000 ns (net arrival)
 ADDR       123.000 ns  home0       <- GETM       from core0, 5.000 ns under way
event 29 at 131.000 ns (hart)
event 28 at 125.000 ns (home service)
 ADDR       125.000 ns  home0     DONE        DBO > DM   for core1
event 12 at 76.000 ns (dram done)
 ADDR        76.000 ns  home0     GETM        DI > DBO   for core0
 ADDR        76.000 ns  home0       -> DATA       to core0
The run is over: done after 538.000 ns and 165 events, order_hash HASH.
The run is over: done after 538.000 ns and 165 events, order_hash HASH.
event 164 at 532.000 ns (net arrival)
 ADDR       532.000 ns  home0       <- DONE       from core0, 5.000 ns under way
The run is over: done after 538.000 ns and 165 events, order_hash HASH.
$ printf 'until end\nwatch busiest\nb\nb\nwhere\nu 50ns\nunwatch\n' | labyrinth step tests/transcripts/two-players.yaml --set limit=81ns | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/'
Two cores hand one line to and fro, six times
A small machine for reading and teaching, cores 4
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; executes
Nothing has happened yet. step goes to the next transition or message, help lists the commands.
The run is over: limit after 81.000 ns and 13 events, order_hash HASH.
  line ADDR:  core0 M  core1 IM  | home0: state DBO, version 0, busy for core0, GETM of core1 waits
           DONE       core0    > home0    since 81.000 ns
event 13 at 81.000 ns (net arrival)
 ADDR        81.000 ns  core0       <- DATA       from home0, 5.000 ns under way
 ADDR        81.000 ns  core0     DATA_LAST   IM > M
 ADDR        81.000 ns  core0       -> DONE       to home0
  line ADDR:  core0 M  core1 IM  | home0: state DBO, version 0, busy for core0, GETM of core1 waits
           DONE       core0    > home0    since 81.000 ns
event 12 at 76.000 ns (dram done)
 ADDR        76.000 ns  home0     GETM        DI > DBO   for core0
 ADDR        76.000 ns  home0       -> DATA       to core0
  line ADDR:  core0 IM  core1 IM  | home0: state DBO, version 0, busy for core0, GETM of core1 waits
           DATA       home0    > core0    since 76.000 ns
event 12 of 13 known, at 76.000 ns
  core0    players, 0 of 6 operations done; waits for a locked operation (line ADDR) since 0.000 ns
  core1    players, 0 of 6 operations done; waits for a locked operation (line ADDR) since 0.000 ns
that time has come already; back and goto go back
$ printf 'stp\nfoo\nn x\nline\nline 0xg\nprint\nprint core 9\nuntil\nuntil player\nuntil 5\nwatch\ngoto\nhelp\n' | labyrinth step tests/transcripts/two-players.yaml
Two cores hand one line to and fro, six times
A small machine for reading and teaching, cores 4
  core0    players, 0 of 6 operations done; executes
  core1    players, 0 of 6 operations done; executes
Nothing has happened yet. step goes to the next transition or message, help lists the commands.
"stp" is no command; did you mean "step"?
"foo" is no command; help lists them
"x" is no whole number
which line? say an address, busiest, or watch one before
"0xg" is no address; wanted: 0x1fc0, 8128 (bytes, hexadecimal or decimal) or busiest
print what? print line ADDR, print core N
there is no core9
until what? until 5us, until line ADDR, until AGENT (its next operation), until end
until: "player" is no time, no agent, not line and not end; did you mean "players"?
"5" has no unit, allowed are ps, ns, us, ms, s
watch what? watch ADDR or watch busiest
which event? goto N
  n   step [N]             to the next transition or message, N times (also: s)
  b   back [N]             back by so many of these steps
  e   event [N]            finer: the next event of the engine
  be  back-event [N]       back by so many events of the engine
  g   goto N               to event number N, forward or back; goto 0 is the start
  l   line [ADDR]          to the next transition of the line at an address
  u   until 5us            until a time; until line ADDR; until AGENT: its next operation; until end
  p   print line ADDR      who holds a line, its home, its messages; print core N: what it waits for
  m   messages             all messages under way
  h   history [ADDR]       the last transitions of a line
  w   where                the place of the walk, and what each hart waits for
      lines                the lines with the most transitions so far
      watch ADDR           show this line after every command; unwatch [ADDR] ends it
      unwatch [ADDR]       watch this line, or none, no longer
  ?   help                 this list
  q   quit                 end
An empty line repeats the last command. ADDR is in bytes, 0x1fc0 or 8128; busiest is the line that
lines lists first; where ADDR may be left out the line watched last is meant. Going back replays the
run from its start.
exit 2
$ labyrinth step tests/transcripts/two-players.yaml --watch 12z
labyrinth: --watch: "12z" is no address; wanted: 0x1fc0 or 8128 (bytes, hexadecimal or decimal)
exit 2
$ labyrinth step
labyrinth: CONFIG is missing; usage: labyrinth step [OPTION...] CONFIG
exit 2
$ labyrinth run tests/transcripts/two-players.yaml --quiet --history busiest | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/' | head -n 30
The life of the line at ADDR (to ADDR): 63 transitions, 51 messages
        6.000 ns  core0     STORE       I > IM
        6.000 ns  core0       -> GETM       to home0
        6.000 ns  core1     STORE       I > IM
        6.000 ns  core1       -> GETM       to home0
       11.000 ns  home0       <- GETM       from core0, 5.000 ns under way
       12.000 ns  home0       <- GETM       from core1, 6.000 ns under way
       76.000 ns  home0     GETM        DI > DBO   for core0
       76.000 ns  home0       -> DATA       to core0
       81.000 ns  core0       <- DATA       from home0, 5.000 ns under way
       81.000 ns  core0     DATA_LAST   IM > M
       81.000 ns  core0       -> DONE       to home0
       86.000 ns  home0       <- DONE       from core0, 5.000 ns under way
       96.000 ns  home0     DONE        DBO > DM   for core0
       96.000 ns  home0     GETM        DM > DBO   for core1
       96.000 ns  home0       -> FWD_GETM   to core0
      101.000 ns  core0       <- FWD_GETM   from home0, 5.000 ns under way
      105.000 ns  core0     FWD_GETM    M > I   for core1
      105.000 ns  core0       -> DATA       to core1
      110.000 ns  core1       <- DATA       from core0, 5.000 ns under way
      110.000 ns  core1     DATA_LAST   IM > M
      110.000 ns  core1       -> DONE       to home0
      115.000 ns  home0       <- DONE       from core1, 5.000 ns under way
      118.000 ns  core0     STORE       I > IM
      118.000 ns  core0       -> GETM       to home0
      123.000 ns  home0       <- GETM       from core0, 5.000 ns under way
      125.000 ns  home0     DONE        DBO > DM   for core1
      133.000 ns  home0     GETM        DM > DBO   for core0
      133.000 ns  home0       -> FWD_GETM   to core1
      138.000 ns  core1       <- FWD_GETM   from home0, 5.000 ns under way
$ labyrinth run tests/transcripts/two-players.yaml --quiet --history 0 | sed -e 's/ *0x[0-9a-f]*/ ADDR/g' -e 's/hash [0-9a-f]*/hash HASH/'
The life of the line at 0 (to ADDR): 0 transitions, 0 messages
Nothing happened to it. The busiest lines of this run:
     address  transitions
 ADDR           63
$ labyrinth run tests/transcripts/two-players.yaml --quiet --protocol-counts csv | grep -v ',0$'
controller,state,event,verdict,next,actions,why,count
cache,I,STORE,do,IM,SEND_GETM,"",13
cache,M,STORE,do,M,COMPLETE,"",32
cache,M,FWD_GETM,do,I,SEND_DATA_M,"",12
cache,IM,DATA_LAST,do,M,TAKE_DATA COUNT_DATA SEND_DONE COMPLETE,"",13
home,DI,GETM,do,DBO,DATA_M_TO_REQ,"",1
home,DM,GETM,do,DBO,FWD_GETM_TO_OWNER,"",12
home,DBO,DONE,do,DM,REQ_IS_OWNER,"",12
$ labyrinth protocol mesi S STORE
mesi, cache: event STORE in state S
  S                  A copy to read; others may have one.
  STORE              The core writes, or reads and writes, part of the line.
What is done, in this order:
  SEND_GETM          Ask the home for the only copy.
    sends GETM       Asks for the only copy, to write.
The line is then in:
  SM                 Asked to write; the old copy can still be read.
Note: readable meanwhile, not writable.
$ labyrinth protocol mesi IM ACK
mesi, cache: event ACK in state IM
  IM                 Asked to write; neither data nor permission is here.
  ACK                A sharer's acknowledgement, not the last.
What is done, in this order:
  COUNT_ACK          One acknowledgement less is missing.
The line stays in IM.
Note: an acknowledgement may overtake data and grant.
$ labyrinth protocol mesi DM GETS
mesi, home: event GETS in state DM
  DM                 One owner, who may have changed the line.
  GETS               A cache asks to read.
What is done, in this order:
  FWD_GETS_TO_OWNER  Have the owner send a copy to the requester and the data here.
    sends FWD_GETS   Owner: give the requester a copy, keep one, write back.
The line is then in:
  DBW                The owner serves a reader: its write-back and the reader's DONE are missing.
$ labyrinth protocol mesi IM LOAD
mesi, cache: event LOAD in state IM
  IM                 Asked to write; neither data nor permission is here.
  LOAD               The core reads.
It waits, and is offered again after the line's next change. Messages that the line takes meanwhile:
  DATA_ACKS, DATA_LAST, GRANT_ACKS, GRANT_LAST, ACK, INV
$ labyrinth protocol mesi M DATA
mesi, cache: event DATA in state M
  M                  The only copy, changed.
  DATA               Data of a readable copy.
This cannot happen: there is no row for it. If it does, the run stops with a protocol error.
What can happen in this state:
  LOAD, STORE, STORE_FULL, FLUSH, EVICT, READ_ONCE, FWD_GETS, FWD_GETM, FWD_GETU, FWD_FLUSH
$ labyrinth protocol mesi E STORE
mesi, cache: event STORE in state E
  E                  The only copy, as the home has it.
  STORE              The core writes, or reads and writes, part of the line.
A hit: the core's operation is performed in this very step; nobody is asked.
The line is then in:
  M                  The only copy, changed.
Note: silent upgrade: what E is for.
