#!/bin/sh
# tests/scripts/test_broken_protocols.sh - protocols with one fault each: found by the explorer and by the timed machine,
# with the right exit code, told in words, and shrunk to a short list that fails again.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH
folder=$(dirname "$0")/../../configs/labs/broken

# On one machine, so that what is found first does not change with the shapes that stress goes round: few lines, tiny caches,
# messages late by up to 7 ns.
storm() {
    "$L" stress "$tmp/small.yaml" --seeds "${2:-1}..40" --ops 1500 --lines 12 --write "$tmp/found.yaml" --set protocol="$1" --set 'machine={base: tiny,
        cores: 6, net_jitter: 7ns, l1: {size: 128B, ways: 1}, l2: {size: 512B, ways: 2}, llc: {size: 8KiB}}'
}

# MOST: a list of at most so many operations, and its file ends with the same exit code.
shrunk() {
    operations=$(sed -n 's/^Shrunk from [0-9]* operations to \([0-9]*\), .*/\1/p' "$tmp/out")
    [ "${operations:-999}" -le "$1" ] || { fail "$2: ${operations:-no} operations left, at most $1 wanted"; cat "$tmp/out"; }
    expect "$code" "$L" run "$tmp/found.yaml" --quiet
}

# NAME, exit code (4 violation, 5 stuck), what the explorer says, what the run says, operations left at most, first seed if not 1
caught() {
    expect "$2" "$L" verify "$folder/$1.yaml"
    prints "$3"; prints '^Shortest way there:'; prints '^  1  '
    expect "$2" storm "$folder/$1.yaml" "${6:-1}"
    prints "$4"; prints 'its last transitions:$'; prints '^ *[0-9]* ps  [a-z]*[0-9]'
    shrunk "$5" "$1"
    files=$((files + 1))
}

files=0
caught bus-dirty-drop         4 'carries stale data'                  'stale data'                       8
caught bus-forgotten-answer   5 'deadlock'                            'nothing moves any more'           8
caught bus-silent-sharer      4 'may write while'                     'stale copy'                       8
caught double-owner           4 'both may write'                      'stale copy'                       8
caught early-data             4 'lost count of its acknowledgements'  'a transaction that is over'       8
caught forgotten-sharer       4 'a copy that the home does not know'  'stale copy'                      12
caught lost-ack               5 'deadlock'                            'nothing moves any more'           8
caught lost-race              4 'may write while'                     'stale copy'                      20 21
caught lost-write-back        4 'stale data'                          'stale data'                       8
caught missed-invalidation    4 'may write while'                     'stale copy'                      12
caught silent-dirty-eviction  4 'but the home thinks otherwise'       'no row'                           8
caught stale-forward          4 'but the home thinks otherwise'       'no row'                           8
caught unfinished-transaction 5 'deadlock'                            'nothing moves any more'           8
[ "$files" -eq "$(ls "$folder"/*.yaml | wc -l)" ] || fail "a file of $folder is not tested here"

for protocol in msi mesi mesif moesi bus-msi bus-mesi bus-moesi; do
    expect 0 "$L" verify $protocol;    prints 'no violation, no deadlock'
done
says 'states in .* s of processor time'
for protocol in msi mesi mesif moesi; do
    expect 0 "$L" verify $protocol --clusters 2 --caches 1;                prints 'no violation, no deadlock'
    prints 'every row was used on one level or the other'
    expect 0 "$L" verify $protocol --lines 2 --home-ways 1;                prints 'no violation, no deadlock'
    expect 0 "$L" verify $protocol --clusters 2 --max-states 20000;        prints 'not complete: stopped at 20000 states'
done
expect 2 "$L" verify mesi --clusters 2 --lines 2;                          says 'does not go with --lines'
expect 2 "$L" verify mesi --clusters 3 --device;                           says 'two clusters at most'
expect 2 "$L" verify bus-mesi --clusters 2;                                says 'has no rows for DEMOTE'
expect 4 "$L" verify "$folder/silent-dirty-eviction.yaml" --lines 2;       prints '  line 1  cache 0  EVICT'
finish
