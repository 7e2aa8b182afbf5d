#!/bin/sh
# Every published row that a machine file claims is measured on the model and holds within 5 %.
set -u
program=${LABYRINTH:-build/labyrinth}
[ -x "$program" ] || { echo "SKIP: no program $program"; exit 77; }
"$program" validate || exit 1
rows=$("$program" validate | grep -c 'holds')
[ "$rows" -ge 11 ] || { echo "FAIL: only $rows rows are claimed"; exit 1; }
