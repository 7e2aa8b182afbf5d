#!/bin/sh
# tests/scripts/test_litmus_external.sh - tests of memory order that nobody here wrote, with their known final states.
#
# They lie beside the source tree, if at all: LITMUS_EXTERNAL, else ../shared/external/litmus. Skipped where they do not.
# The enumerator must give exactly the states listed, TSO's and those that SC lacks. The timed machine must show none
# that is forbidden, at least 90 % of those of two-thread tests that only TSO allows, and none of them without
# store buffers.
. "$(dirname "$0")/test_cli_lib.sh"
folder=${LITMUS_EXTERNAL:-${LABYRINTH_SOURCE:?the source tree}/../shared/external/litmus}
if [ ! -e "$folder/states.jsonl" ]; then
    echo "skipped: no tests from outside in $folder"
    exit 77
fi
RUNS=2000

# One line per state: FILE tso|only STATE, from JSON lines {"id": .., "tso": [..], "sc_missing": [..]}.
awk -F'"' '{
    kind = ""
    for (i = 2; i <= NF; i += 2) {
        if ($i == "id") { i += 2; id = $i }
        else if ($i == "tso") kind = "tso"
        else if ($i == "sc_missing") kind = "only"
        else print id, kind, $i
    }
}' "$folder/states.jsonl" | LC_ALL=C sort > "$tmp/known"
expect 0 "$LABYRINTH" litmus --runs $RUNS --json - "$folder"/*.litmus
awk -F'"' '
    $2 == "file" { id = $4; sub(/.*\//, "", id); sub(/\.litmus$/, "", id) }
    $2 == "state" { state = $4 }
    $2 == "tso" { tso = /true/ }
    $2 == "sc" { if (tso) print id, "tso", state; if (tso && !/true/) print id, "only", state }
' "$tmp/out" | LC_ALL=C sort > "$tmp/found"
[ -s "$tmp/known" ] || fail 'no states are known'
cmp -s "$tmp/known" "$tmp/found" || { fail 'the enumerator and the known states differ'; diff "$tmp/known" "$tmp/found" | head -20; }

awk '
    /"threads":/ { two = $2 == "2," } /"runs_each":/ { runs = $2 + 0 }
    /"tso_only_count":/ && two { all += $2 } /"tso_only_seen_count":/ && two { seen += $2 }
    /"forbidden_runs":/ { forbidden += $2 }
    /"allowed_count":/ { allowed += $2 } /"allowed_seen_count":/ { allowed_seen += $2 }
    END {
        printf "%d of %d allowed states seen in %d runs each; of two-thread tests, TSO only: %d of %d; forbidden: %d runs\n",
            allowed_seen, allowed, runs, seen, all, forbidden
        exit !(all > 0 && seen * 10 >= all * 9 && forbidden == 0)
    }' "$tmp/out" || fail 'coverage of what only TSO allows is below 90 %, or something forbidden was seen'

expect 0 "$LABYRINTH" litmus --runs $RUNS --brief --store-buffer 0 "$folder"/*.litmus
prints '^States that TSO allows and SC forbids: 0 of '
finish
