#!/bin/sh
# Every published row that a machine file claims is measured on the model and holds within 5 %.
set -u
program=${LABYRINTH:-build/labyrinth}
[ -x "$program" ] || { echo "SKIP: no program $program"; exit 77; }
"$program" validate || exit 1
rows=$("$program" validate | grep -c 'holds')
[ "$rows" -ge 11 ] || { echo "FAIL: only $rows rows are claimed"; exit 1; }
# The rows are in the tree, with where they were published.
root=${LABYRINTH_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
for row in $(cat "$root"/configs/machines/*.yaml | grep -oE '\b(sosp13|ml|il|c2c|llf)-[0-9]{4}\b' | LC_ALL=C sort -u); do
    grep -q "^$row," "$root/configs/validation/rows.csv" || { echo "FAIL: $row is cited and not in configs/validation/rows.csv"; exit 1; }
done
