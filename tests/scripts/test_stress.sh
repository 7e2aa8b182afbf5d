#!/bin/sh
# tests/scripts/test_stress.sh - labyrinth stress: clean over all shapes, the same bytes each time, planted faults of the kernel
# found by page operations, shrunk, written and shown again.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH

# ---- nothing is found, protocol after protocol; every line tells its machine
expect 0 "$L" stress --seeds 1..24 --ops 1500
cp "$tmp/out" "$tmp/first"
for protocol in msi mesi mesif moesi; do
    prints "^seed [0-9]*: done, [0-9]* accesses, order_hash 0x[0-9a-f]*; protocol $protocol, cores "
done
prints '^seeds 1..24: [0-9]* accesses, highest exit code 0$'
accesses=$(sed -n 's/^seeds 1..24: \([0-9]*\) accesses.*/\1/p' "$tmp/out")
[ "${accesses:-0}" -gt 500000 ] || fail "only ${accesses:-no} accesses"
LABYRINTH_QUEUE=heap LABYRINTH_FIBER=ucontext LABYRINTH_LOOKAHEAD=off expect 0 "$L" stress --seeds 1..8 --ops 1500
grep '^seed ' "$tmp/out" > "$tmp/again"
head -n 8 "$tmp/first" > "$tmp/eight"
same "$tmp/eight" "$tmp/again"

# ---- a machine of one's own keeps its shape
expect 0 "$L" stress "$tmp/small.yaml" --seeds 4 --ops 300
prints '^seed 4: done, [0-9]* accesses, order_hash 0x[0-9a-f]*$'
expect 2 "$L" stress --ops 10 --set machine.cores=none; says 'whole number'
[ -z "$(ls "$tmp"/stress-seed-* 2> /dev/null)" ] || fail "a file without a failure"

# ---- faults of the kernel: FAULT, KIND of violation, operations left at most
planted() {
    expect 4 "$L" stress --seeds 1..30 --ops 1500 --plant "$1" --write "$tmp/found.yaml"
    prints "^seed [0-9]*: $2, "
    prints 'Promised ('"$2"')'
    prints '^    1  '
    left=$(sed -n 's/^Shrunk from [0-9]* operations to \([0-9]*\), .*/\1/p' "$tmp/out")
    [ "${left:-999}" -le "$3" ] || { fail "$1: ${left:-no} operations left"; cat "$tmp/out"; }
    expect 4 "$L" run "$tmp/found.yaml" --plant "$1"; prints "Promised ($2)"
    expect 0 "$L" run "$tmp/found.yaml" --quiet
}
planted skip-own-line coherence 16
planted skip-zero-line secure 16
planted skip-fence secure 16
planted skip-lock lock 16
planted skip-pte-clear device 16
planted skip-tlb-shootdown device 16
planted skip-iotlb-invalidate device 16
planted skip-zone-lock allocator 16

# ---- shrinking is deterministic, and told without it the failure is as it was
expect 4 "$L" stress --seeds 1..30 --ops 1500 --plant skip-lock --write "$tmp/found.yaml"
cp "$tmp/out" "$tmp/first"; cp "$tmp/found.yaml" "$tmp/first.yaml"
expect 4 "$L" stress --seeds 1..30 --ops 1500 --plant skip-lock --write "$tmp/found.yaml"
same "$tmp/first" "$tmp/out"; same "$tmp/first.yaml" "$tmp/found.yaml"
expect 4 "$L" stress --seeds 1..30 --ops 1500 --plant skip-lock --write "$tmp/found.yaml" --no-shrink
grep -q 'program: stress$' "$tmp/found.yaml" || fail "not written as it was"
expect 4 "$L" run "$tmp/found.yaml" --plant skip-lock --quiet
# A file that cannot be written is not said to be.
if [ -w /dev/full ]; then
    expect 4 "$L" stress --seeds 1..30 --ops 1500 --plant skip-lock --write /dev/full --no-shrink
    prints 'not written: /dev/full'
    grep -q '^written' "$tmp/out" && fail 'a file that was not written is said to be'
    says 'cannot write /dev/full'
fi
expect 4 "$L" stress --seeds 1..12 --ops 500 --plant skip-lock --keep-going --no-shrink --write "$tmp/found.yaml"
prints '^seeds 1..12: '

# ---- lists written by hand
cat > "$tmp/script.yaml" <<'YAML'
kind: experiment
title: a list
machine: { base: tiny, cores: 2 }
agents:
  - name: a
    on: core0
    program: script
    count: 2
    ops: |
      store line 0 byte 0 size 8
      load line 0 byt 0 size 8
YAML
expect 2 "$L" run "$tmp/script.yaml"; says 'operation 2 of ops: load wants "byte" and a number from 0 to 63'
sed 's/byt 0/byte 0/' "$tmp/script.yaml" > "$tmp/good.yaml"
expect 0 "$L" run "$tmp/good.yaml" --effective "$tmp/effective.yaml"
grep -q '^ *load line 0 byte 0 size 8$' "$tmp/effective.yaml" || fail "a list is not kept as lines"
expect 0 "$L" run "$tmp/effective.yaml" --quiet
finish
