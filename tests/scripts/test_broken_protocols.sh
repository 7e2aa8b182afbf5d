#!/bin/sh
# tests/scripts/test_broken_protocols.sh - protocols with one fault each: found by the explorer and by the timed machine,
# with the right exit code, and told in words. The protocol they were made from passes both.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH
folder=$(dirname "$0")/../../configs/labs/broken

# Few lines, tiny caches, messages late by up to 7 ns: every row is soon used.
storm() {
    "$L" stress "$tmp/small.yaml" --seeds 1..3 --ops 2000 --lines 24 --set 'machine={base: tiny, cores: 6, net_jitter: 7ns,
        l1: {size: 128B, ways: 1}, l2: {size: 512B, ways: 2}, llc: {size: 8KiB}}' --set protocol="$1"
}

# NAME, exit code (4 violation, 5 stuck), what the explorer says, what the run says
caught() {
    expect "$2" "$L" verify "$folder/$1.yaml"
    prints "$3"; prints '^Shortest way there:'; prints '^  1  '
    expect "$2" storm "$folder/$1.yaml"
    grep -q -e "$4" "$tmp/out" "$tmp/err" || { fail "$1: the run does not say: $4"; cat "$tmp/out" "$tmp/err"; }
    files=$((files + 1))
}

files=0
caught bus-dirty-drop         4 'carries stale data'                  'stale data'
caught bus-forgotten-answer   5 'deadlock'                            'stuck'
caught bus-silent-sharer      4 'may write while'                     'no row'
caught double-owner           4 'both may write'                      'stale copy'
caught early-data             4 'lost count of its acknowledgements'  'a transaction that is over'
caught forgotten-sharer       4 'a copy that the home does not know'  'stale copy'
caught lost-ack               5 'deadlock'                            'stuck'
caught lost-race              4 'may write while'                     'stale copy'
caught lost-write-back        4 'stale data'                          'stale data'
caught missed-invalidation    4 'may write while'                     'stale copy'
caught silent-dirty-eviction  4 'but the home thinks otherwise'       'no row'
caught stale-forward          4 'but the home thinks otherwise'       'no row'
caught unfinished-transaction 5 'deadlock'                            'stuck'
[ "$files" -eq "$(ls "$folder"/*.yaml | wc -l)" ] || fail "a file of $folder is not tested here"

for protocol in msi mesi mesif moesi bus-msi bus-mesi bus-moesi; do
    expect 0 "$L" verify $protocol;    prints 'no violation, no deadlock'
    expect 0 storm $protocol;          prints 'highest exit code 0'
done
finish
