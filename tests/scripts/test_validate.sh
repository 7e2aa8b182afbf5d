#!/bin/sh
# Every published row that a machine file claims is measured on the model and holds within 5 %.
set -u
program=${LABYRINTH:-build/labyrinth}
[ -x "$program" ] || { echo "FAIL: no program $program"; exit 99; }
"$program" validate || exit 1
rows=$("$program" validate | grep -c 'holds')
[ "$rows" -ge 11 ] || { echo "FAIL: only $rows rows are claimed"; exit 1; }
# The rows are in the tree, with where they were published.
root=${LABYRINTH_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
for row in $(cat "$root"/configs/machines/*.yaml | grep -oE '\b(sosp13|ml|il|c2c|llf)-[0-9]{4}\b' | LC_ALL=C sort -u); do
    grep -q "^$row," "$root/configs/validation/rows.csv" || { echo "FAIL: $row is cited and not in configs/validation/rows.csv"; exit 1; }
done
# A claim has the published value, not one that suits the model.
claims=0
for claim in $(cat "$root"/configs/machines/*.yaml | sed -n 's/.* row: \([a-z0-9-]*\), value: \([0-9.]*\)\([a-z]*\),.*/\1,\2,\3/p'); do
    row=${claim%%,*} value=${claim#*,}
    grep "^$row," "$root/configs/validation/rows.csv" | grep -q ",$value," || { echo "FAIL: $row is claimed as $value"; exit 1; }
    claims=$((claims + 1))
done
[ "$claims" -eq "$rows" ] || { echo "FAIL: $claims claims read, $rows hold"; exit 1; }

# Within 5 % holds, beyond fails, on either side: a first-level hit of 2 ns against made-up values.
tmp=$(mktemp -d) || exit 99
trap 'rm -rf "$tmp"' EXIT
verdict() {
    cat > "$tmp/near.yaml" <<YAML
kind: machine
base: tiny
l1: { size: 32KiB, ways: 8 }
l2: { size: 64KiB, ways: 8 }
llc: { size: 1MiB }
sources: { l1.size: guess, l1.ways: guess, l2.size: guess, l2.ways: guess, llc.size: guess }
claims: [{ what: load, row: none, value: $1, experiment: load-l1, metric: load.mean_ns, divide: $2, fitted: false }]
YAML
    "$program" validate "$tmp/near.yaml" > "$tmp/out" 2> "$tmp/err"
    code=$?
    [ $code -eq "$3" ] || { echo "FAIL: $1, divided by $2: exit code $code instead of $3"; cat "$tmp/out" "$tmp/err"; exit 1; }
}
verdict 1.91ns 1 0; verdict 2.10ns 1 0
verdict 1.89ns 1 6; verdict 2.12ns 1 6
verdict 1ns 2 0;    verdict 2ns 2 6
