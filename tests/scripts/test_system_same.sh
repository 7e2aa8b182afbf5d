#!/bin/sh
# tests/scripts/test_system_same.sh - the same bytes from the command line: run twice, under every host setting, with
# one and two workers, and from the effective configuration.
. "$(dirname "$0")/test_system_lib.sh"
L=$LABYRINTH

"$L" run exclusive-vs-sharers --json - > "$tmp/one.json" || fail "exit code $?"
"$L" run exclusive-vs-sharers --json - > "$tmp/two.json" || fail "exit code $?"
same "$tmp/one.json" "$tmp/two.json" 'run twice'

# What the main job promises, read from its JSON (one key a line; its innermost block begins at six blanks).
grant=$(awk '/^    "exclusive.grant": \{/ { on = 1 } on { print } /^    \}/ { on = 0 }' "$tmp/one.json")
for key in count sum_ps min_ns mean_ns p50_ns p90_ns p99_ns p999_ns max_ns phases_ns phase_sums_ps hardware_ns hardware_sums_ps; do
    echo "$grant" | grep -q "^      \"$key\": " || fail "latency[\"exclusive.grant\"] has no $key"
done
grep -q '"phase_sum_mismatch_count": 0,\{0,1\}$' "$tmp/one.json" || fail 'phase_sum_mismatch_count is not 0'

# Every block named *_sums_ps sums to the sum_ps before it, for every class and source, exactly.
awk '
    /"sum_ps": / { gsub(/[^0-9]/, ""); sum = $0 + 0; next }
    /_sums_ps": \{/ { name = $1; inside = 1; total = 0; entries = 0; next }
    inside && /\}/ {
        inside = 0
        if (total != sum) { print FILENAME ": " name " sums to " total ", not " sum; bad = 1 }
        blocks++
    }
    inside { gsub(/[^0-9]/, "", $2); total += $2 + 0 }
    END { if (blocks < 20) { print "only " blocks + 0 " blocks of sums"; bad = 1 } exit bad }
' "$tmp/one.json" || fail 'sums in the JSON are not exact'

for experiment in exclusive-vs-sharers dma-foreign; do
    "$L" run $experiment --json "$tmp/wanted.json" --csv "$tmp/wanted.csv" -q --effective "$tmp/effective.yaml" || fail "$experiment: exit code $?"
    for setting in QUEUE=heap QUEUE=wheel FIBER=asm FIBER=ucontext LOOKAHEAD=on LOOKAHEAD=off; do
        env "LABYRINTH_$setting" "$L" run $experiment --json "$tmp/set.json" --csv "$tmp/set.csv" -q || fail "$setting: exit code $?"
        same "$tmp/wanted.json" "$tmp/set.json" "$experiment, $setting"
        same "$tmp/wanted.csv" "$tmp/set.csv" "$experiment, $setting"
    done
    # All but the file's name and what it says about itself.
    "$L" run "$tmp/effective.yaml" --json "$tmp/again.json" -q || fail "$experiment: effective configuration: exit code $?"
    for part in wanted again; do
        grep -v '^    "file": ' "$tmp/$part.json" > "$tmp/$part.cut"
    done
    same "$tmp/wanted.cut" "$tmp/again.cut" "$experiment, effective configuration run again"
done

cat > "$tmp/sweep.yaml" <<'YAML'
kind: experiment
title: workers
machine: { base: tiny, net_jitter: 5ns }
kernel: { memory: 16MiB }
agents:
  - { name: owner, on: core0, program: exclusive-alloc, count: 10 }
  - { name: readers, on: core1-2, program: touch-pages }
  - { name: mix, on: core3, program: random-mix, lines: 100, atomics: "10%", count: 2000 }
sweep: { machine.l2.mshrs: [1, 4], agents.owner.exclusive: [none, coherence, all] }
YAML
for workers in 1 2; do
    "$L" sweep "$tmp/sweep.yaml" -o "$tmp/study$workers" -j $workers -q > "$tmp/out" 2>&1 || { fail "sweep -j $workers: exit code $?"; cat "$tmp/out"; }
    "$L" export "$tmp/study$workers" > "$tmp/export$workers" || fail "export: exit code $?"
done
same "$tmp/study1/results.csv" "$tmp/study2/results.csv" 'workers'
same "$tmp/export1" "$tmp/export2" 'workers'
LABYRINTH_QUEUE=heap LABYRINTH_FIBER=ucontext LABYRINTH_LOOKAHEAD=off "$L" sweep "$tmp/sweep.yaml" -o "$tmp/study3" -j 2 -q > "$tmp/out" 2>&1 ||
    fail "sweep under other settings: exit code $?"
same "$tmp/study1/results.csv" "$tmp/study3/results.csv" 'settings in a sweep'

finish
