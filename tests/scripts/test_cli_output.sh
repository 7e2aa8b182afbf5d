#!/bin/sh
# tests/scripts/test_cli_output.sh - where results go: standard output alone, whole files, full disks, closed pipes.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH
C=$tmp/small.yaml

expect 0 "$L" run "$C";            prints 'load'; prints 'left aside'
expect 0 "$L" run "$C" --quiet;    [ -s "$tmp/out" ] && fail '--quiet prints tables'
expect 0 "$L" run "$C" --json -;   cp "$tmp/out" "$tmp/one.json"
[ "$(head -c 1 "$tmp/one.json")" = '{' ] || fail 'something stands before the JSON'
[ "$(tail -n 1 "$tmp/one.json")" = '}' ] || fail 'something stands behind the JSON'
expect 0 "$L" run "$C" --json "$tmp/two.json" --csv "$tmp/two.csv" --effective "$tmp/effective.yaml"
same "$tmp/one.json" "$tmp/two.json"
expect 0 "$L" run "$C" --csv -;    same "$tmp/out" "$tmp/two.csv"
for setting in '--queue heap' '--queue wheel' '--fiber ucontext' '--lookahead on' '--lookahead off'; do
    expect 0 "$L" run "$C" $setting --json "$tmp/set.json" -q
    same "$tmp/one.json" "$tmp/set.json"
done
LABYRINTH_QUEUE=heap LABYRINTH_FIBER=ucontext LABYRINTH_LOOKAHEAD=off "$L" run "$C" --json "$tmp/set.json" -q
same "$tmp/one.json" "$tmp/set.json"
expect 0 "$L" run "$C" --host-stats; says '^host:'
expect 0 "$L" run "$C" --seed 2 --json "$tmp/seed.json" -q
cmp -s "$tmp/one.json" "$tmp/seed.json" && fail 'another seed gives the same result'
expect 0 "$L" run "$C" --set seed=2 --json "$tmp/set.json" -q
same "$tmp/seed.json" "$tmp/set.json"
hash() { grep '"order_hash"' "$1"; }
expect 0 "$L" run "$tmp/effective.yaml" --json "$tmp/again.json" -q
[ "$(hash "$tmp/one.json")" = "$(hash "$tmp/again.json")" ] || fail 'the effective configuration gives another order_hash'

if [ -c /dev/full ]; then
    "$L" run "$C" --json - > /dev/full 2> "$tmp/err"; [ $? -eq 2 ] || fail 'a full standard output is not noticed'
    says 'standard output'
    "$L" run "$C" > /dev/full 2> "$tmp/err"; [ $? -eq 2 ] || fail 'tables to a full disk are not noticed'
    expect 2 "$L" run "$C" --json /dev/full; says 'No space'
    "$L" list metrics > /dev/full 2> "$tmp/err"; [ $? -eq 2 ] || fail 'list does not notice a full disk'
fi
{ "$L" list metrics; echo $? > "$tmp/code"; } 2> "$tmp/err" | true
[ -s "$tmp/err" ] && fail 'a closed pipe is complained about'
case $(cat "$tmp/code") in 0|141) ;; *) fail "a closed pipe ends it with $(cat "$tmp/code")";; esac
expect 2 "$L" run "$C" --json "$tmp/no/such/folder.json"; says 'No such file'
expect 2 "$L" run "$C" --json "$tmp"; says 'folder'
echo old > "$tmp/keep.json"
expect 2 "$L" run "$C" --set machine.nonsense=1 --json "$tmp/keep.json"
[ "$(cat "$tmp/keep.json")" = old ] || fail 'a failed run has touched the file'
[ -z "$(find "$tmp" -name '*.tmp-*')" ] || fail 'temporary files are left'
expect 0 "$L" check "$C"; prints 'good'
expect 2 "$L" check "$C" --set 'sweep={machine.cores: [1, 0], agents.mix.count: [50]}'; says 'At the point machine.cores=0'
# Every counter that a run gives has its sentence; every duration of a table is in the same unit and none reads 0.
for e in first-steps dma-foreign; do
    expect 0 "$L" run $e --verbose; prints 'Counters of the whole run, warm-up and preparation included'
    [ "$(sed -n 's/.*(\([mnu]s\)).*(\([mnu]s\)).*(\([mnu]s\)).*/\1 \2 \3/p' "$tmp/out" | head -n 1)" = 'ns ns ns' ] || fail 'units differ'
    sed -n '/^counter /,$p' "$tmp/out" | sed -n 's/^\([a-z0-9_]*\.[^ ]*\) .*/\1/p' > "$tmp/names"
    [ "$(wc -l < "$tmp/names")" -gt 60 ] || fail 'no counters found'
    while read -r name; do "$L" explain "$name" > /dev/null || fail "counter $name has no sentence"; done < "$tmp/names"
done
# Looking into a run changes nothing; a life stands alone with --quiet; a cut trace says so.
expect 0 "$L" run "$C" --json "$tmp/seen.json" --trace "$tmp/trace.json" --history busiest --history 0x3f --protocol-counts csv -q
same "$tmp/one.json" "$tmp/seen.json"
[ "$(head -n 1 "$tmp/out" | cut -c 1-23)" = 'The life of the line at' ] || fail 'something stands before the life'
prints 'to 0x3f): 0 transitions, 0 messages'; prints 'Nothing happened to it. The busiest lines'
prints '^controller,state,event,verdict,next,actions,why,count$'; prints '^cache,I,LOAD,do,IS,SEND_GETS,"",[1-9]'
[ "$(tail -n 1 "$tmp/trace.json")" = '],"otherData":{"left out":"nothing"}}' ] || fail 'the trace is not whole'
expect 0 "$L" run "$C" --debug protocol,net,memory --json "$tmp/seen.json" -q; same "$tmp/one.json" "$tmp/seen.json"
says ' core0     LOAD        I > IS$'; says ' core1       -> GETM       to home[01]$'; says ' core0     load, [0-9.]* ns$'
[ -s "$tmp/out" ] && fail '--debug prints to standard output'
expect 0 "$L" run first-steps --debug alloc,iommu -q; says 'alloc.atomic, [0-9]*.000 ns$'; says 'iommu.invalidate, '
grep -q -e ' > ' -e 'exclusive.grant' "$tmp/err" && fail '--debug says more than asked for'
expect 0 "$L" run "$C" --trace "$tmp/trace.json" --trace-limit 50; says 'the trace is cut at its limit of 50 events'
expect 2 "$L" run "$C" --plant no-such-fault; says 'skip-fence'
expect 4 "$L" run first-steps --plant skip-tlb-shootdown; prints 'Violation 1 of 1: device'; says 'exit code 4'
expect 4 "$L" run first-steps --plant skip-tlb-shootdown --quiet; says 'Promised (device)'; says 'exit code 4'
[ -s "$tmp/out" ] && fail '--quiet prints tables'
expect 0 "$L" stress "$C" --seeds 1..3 --ops 50; prints '^seed 3: done'
finish
