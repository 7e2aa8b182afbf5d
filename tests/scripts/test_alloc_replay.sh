#!/bin/sh
# tests/scripts/test_alloc_replay.sh - recordings from the command line: own ones in both forms, mistakes in them, and
# recordings from outside, which lie beside the source tree, if at all: PAGEALLOC_EXTERNAL, else ../shared/external/pagealloc.
. "$(dirname "$0")/test_system_lib.sh"
config() {
    cat > "$tmp/replay.yaml" <<YAML
kind: experiment
title: a recording
machine: { base: tiny, cores: 3 }
kernel: { memory: 64MiB }
agents:
  - { name: replay, on: all, program: alloc-replay, trace: $1, count: 1 }
YAML
}
counter() { json_has "\"alloc_replay.$1\": $2[,]*$"; }
cp "$LABYRINTH_SOURCE"/tests/traces/* "$tmp/"
for name in small.csv small.csv.gz; do
    config $name
    for timing in fast recorded; do
        run 0 "$tmp/replay.yaml" --set agents.replay.timing=$timing
        counter events_count 10; counter allocs_count 3; counter frees_count 2; counter freed_at_end_count 1
        counter frees_of_earlier_pages_count 1; counter frees_told_twice_count 1; counter failed 0
    done
    cp "$tmp/json" "$tmp/json.$name"
done
config mixed.trace
run 0 "$tmp/replay.yaml"
counter events_count 12; counter allocs_count 4; counter frees_count 3; counter recorded_failures_count 1
counter lost_events_count 7; counter other_events_count 1; counter unknown_flags_count 2

# refused LINE-AND-COLUMN TEXT: the recording bad.csv is bad there.
refused() {
    config bad.csv
    "$LABYRINTH" run "$tmp/replay.yaml" > "$tmp/out" 2> "$tmp/err"
    code=$?
    [ $code -eq 2 ] || fail "exit code $code instead of 2 for a bad recording"
    grep -q "bad.csv:$1: .*$2" "$tmp/err" || { fail "no $1 $2 in the message"; cat "$tmp/err"; }
}
sed '5s/page_free/page_fry/' "$tmp/small.csv" > "$tmp/bad.csv";      refused 5:7 'no event of the page allocator'
sed '3s/600,3/600,12/' "$tmp/small.csv" > "$tmp/bad.csv";            refused 3:24 'the largest is 10'
sed '1s/pfn/pfm/' "$tmp/small.csv" > "$tmp/bad.csv";                 refused 1:1 'no heading pfn'
head -c 60 "$tmp/small.csv.gz" > "$tmp/cut.csv.gz"
for trace in cut.csv.gz nowhere.csv .; do
    config $trace
    "$LABYRINTH" run "$tmp/replay.yaml" > "$tmp/out" 2> "$tmp/err" && fail "$trace is accepted"
    grep -q 'replay.yaml:6:' "$tmp/err" || { fail "the message for $trace does not say where it is named"; cat "$tmp/err"; }
done
[ $failed -eq 0 ] || finish

folder=${PAGEALLOC_EXTERNAL:-$LABYRINTH_SOURCE/../shared/external/pagealloc}
set -- "$folder"/*.csv.gz
if [ ! -e "$1" ]; then
    echo "skipped: own recordings pass; none from outside in $folder"
    exit 77
fi
# Every event is consumed, nothing fails, and allocations equal frees and what was freed at the end.
for trace; do
    config "$(cd "$(dirname "$trace")" && pwd)/$(basename "$trace")"
    run 0 "$tmp/replay.yaml" --set agents.replay.timing=fast
    gzip -dc "$trace" | awk -F, '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == "event") e = i; next }
        { n++; if ($e == "page_alloc") a++ }
        END { print n, a }' > "$tmp/wanted"
    read -r events allocs < "$tmp/wanted"
    counter events_count "$events"; counter allocs_count "$allocs"; counter failed 0
    value() { sed -n "s/.*\"alloc_replay.$1\": \([0-9]*\).*/\1/p" "$tmp/json"; }
    frees=$(value frees_count) at_end=$(value freed_at_end_count)
    [ $((frees + at_end)) -eq "$allocs" ] || fail "$allocs allocations, $frees frees and $at_end at the end"
    echo "$(basename "$trace"): $events events, $allocs allocations, $frees frees, $at_end freed at the end," \
        "$(value frees_of_earlier_pages_count) frees of earlier pages, $(value frees_told_twice_count) told twice"
done
finish
