#!/bin/sh
# tests/scripts/test_litmus.sh - labyrinth litmus: the shipped tests, its output, its mistakes.
. "$(dirname "$0")/test_cli_lib.sh"
source=${LABYRINTH_SOURCE:?the source tree}
L=$LABYRINTH

expect 0 "$L" litmus --runs 1000 --brief "$source"/configs/litmus/*.litmus
prints ' 0 runs with a forbidden final state'
expect 0 "$L" litmus --runs 500 --seed 3 SB MP
prints '^Observation SB Sometimes'
prints '^Observation MP Never 0 500$'
prints 'TSO only$'
cp "$tmp/out" "$tmp/first"
expect 0 "$L" litmus --runs 500 --seed 3 SB MP --queue heap --lookahead off
same "$tmp/first" "$tmp/out"
expect 0 "$L" litmus --runs 500 --store-buffer 0 SB
prints '^Sequential consistency (no store buffers) allows 3 states, seen 3$'
expect 0 "$L" litmus --runs 200 --set machine.hart.store_buffer=0 --machine xeon-e5-2660v3 SB
prints '^Observation SB Never 0 200$'
expect 0 "$L" litmus --runs 100 --json "$tmp/r.json" --quiet SB
[ -s "$tmp/out" ] && fail '--quiet prints'
grep -q '"tso_only_seen_count": 1' "$tmp/r.json" || fail 'JSON lacks the coverage'
expect 0 "$L" litmus --runs 50 6.SB --brief

printf 'X86_64 T\n{ }\n P0 ;\n movl $1,(x) ;\n vmovaps (x),%%ymm0 ;\nexists true\n' > "$tmp/bad.litmus"
expect 2 "$L" litmus "$tmp/bad.litmus"; says 'bad.litmus:5:2: instruction vmovaps is not understood'
expect 2 "$L" litmus SB "$tmp/bad.litmus"; [ -s "$tmp/out" ] && fail 'tests ran although one is not understood'
expect 2 "$L" litmus SBB;                 says 'no test "SBB"'
expect 2 "$L" litmus "$tmp/none.litmus";  says 'cannot be read'
expect 2 "$L" litmus;                     says 'FILE... is missing'
expect 2 "$L" litmus --runs 0 SB;         says 'whole number'
expect 2 "$L" litmus --machine nosuch SB; says 'nosuch'
expect 2 "$L" litmus --set machine.net_jiter=1ns SB; says 'net_jitter'
expect 2 "$L" litmus --max-states 3 SB;   says 'more than 3 states'
finish
