#!/bin/sh
# tests/scripts/test_cli_sweep.sh - a study is the same bytes with any number of workers, after a kill, from shards;
# and its plots are drawn.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH
C=$tmp/small.yaml
sweep() { expect 0 "$L" sweep "$C" --repeat 2 --progress never "$@"; }

sweep -o "$tmp/one" -j 1;          prints 'load.mean_ns'
[ "$(wc -l < "$tmp/one/results.csv")" -eq 13 ] || fail 'not 6 points twice'
sweep -o "$tmp/two" -j 2 -q;       same "$tmp/one/results.csv" "$tmp/two/results.csv"
same "$tmp/one/summary.csv" "$tmp/two/summary.csv"
sweep -o "$tmp/two" -j 2;          says '0 points run, 12 were there'

# Killed in the middle, again and again, until it is done.
tries=0
while [ $tries -lt 50 ] && ! [ -e "$tmp/cut/results.csv" ]; do
    "$L" sweep "$C" --repeat 2 -o "$tmp/cut" -j 2 -q & pid=$!
    sleep 0.0$((tries % 9 + 1)); kill -9 $pid 2> "$tmp/err"; wait $pid 2> "$tmp/err"
    tries=$((tries + 1))
done 2> "$tmp/err"
sweep -o "$tmp/cut" -j 2 -q
same "$tmp/one/results.csv" "$tmp/cut/results.csv"

for i in 1 2 3; do sweep -o "$tmp/s$i" --shard $i/3 -q; done
expect 0 "$L" merge "$tmp/s2" "$tmp/s1" "$tmp/s3" -o "$tmp/joined"
same "$tmp/one/results.csv" "$tmp/joined/results.csv"
same "$tmp/one/config.yaml" "$tmp/joined/config.yaml"
expect 0 "$L" merge "$tmp/s2" -o "$tmp/part"; says '8 points are not'
expect 0 "$L" sweep "$C" -o "$tmp/other" --set seed=9 -q
expect 2 "$L" merge "$tmp/s1" "$tmp/other" -o "$tmp/x"; says 'other points'

expect 0 "$L" export "$tmp/one";                same "$tmp/out" "$tmp/one/results.csv"
expect 0 "$L" export "$tmp/one" --format summary; same "$tmp/out" "$tmp/one/summary.csv"
expect 0 "$L" export "$tmp/one" --format json;  prints '"coordinates"'
cp "$tmp/out" "$tmp/said.json"
expect 0 "$L" export "$tmp/two" --format json -o "$tmp/two.json"; same "$tmp/said.json" "$tmp/two.json"
expect 0 "$L" export "$tmp/one" --format json -o "$tmp/one.json"; same "$tmp/one.json" "$tmp/two.json"

# A folder holds one experiment: its values and repetitions may grow, nothing else may change.
cp "$tmp/one/results.csv" "$tmp/before.csv"
expect 2 "$L" sweep "$C" -o "$tmp/one" --set machine.l2.mshrs=2; says 'another configuration (small.yaml)'
expect 2 "$L" sweep "$C" -o "$tmp/one" --seed 2; says 'another folder with -o'
expect 2 "$L" sweep "$C" -o "$tmp/one" --set 'sweep={machine.cores: [1]}' --set 'plots=[]'; says 'another configuration'
same "$tmp/before.csv" "$tmp/one/results.csv"
expect 0 "$L" sweep "$C" -o "$tmp/two" --repeat 3; says '6 points run, 12 were there'
expect 0 "$L" sweep "$C" -o "$tmp/two" --repeat 2 --set 'sweep={machine.cores: [1, 2, 3], agents.mix.count: [50, 100, 200]}'
says '6 points run, 12 were there'

# Repetitions of what is not random are equal, and that is said.
expect 0 "$L" sweep "$C" -o "$tmp/equal" --repeat 3 --set 'sweep={machine.cores: [1, 2]}' --set 'plots=[]' \
    --set 'agents=[{ name: own, on: core0, program: page-invalidate, count: 2 }]'
prints 'equal in all 3'; prints 'nothing in this experiment is random'
[ -z "$(awk 'length > 100' "$tmp/out" | grep -v -e '--' | grep -v '─')" ] || fail 'lines of more than 100 columns'

# A zero part is a zero, and a part stands in one column.
head -n 1 "$tmp/equal/results.csv" | tr ',' '\n' | grep -q '^store.phases' && fail 'phases of a memory class'
[ -z "$(cut -d, -f"$(head -n 1 "$tmp/equal/results.csv" | tr ',' '\n' | grep -n '^store.hardware.device_ns' | cut -d: -f1)" \
    "$tmp/equal/results.csv" | grep -v -x -e 0.000 -e store.hardware.device_ns)" ] || fail 'a zero part is not 0.000'

# Half a configuration is refused before any point runs; a point that cannot run is told with its message.
expect 2 "$L" sweep "$C" -o "$tmp/bad" --set machine.nonsense=1
[ -e "$tmp/bad" ] && fail 'a refused sweep left a folder'
expect 2 "$L" sweep "$C" -o "$tmp/bad" --set 'sweep={machine.cores: [1, many], agents.mix.count: [50]}'
says 'machine.cores=many'
[ -e "$tmp/bad" ] && fail 'a sweep with a bad point left a folder'
expect 0 "$L" sweep "$C" -o "$tmp/seeds" --set 'sweep={seed: [1, 2]}' --set 'plots=[]' -q
[ "$(cut -d, -f7 "$tmp/seeds/results.csv" | sort -u | wc -l)" -eq 3 ] || fail 'a swept seed changes nothing'
expect 2 "$L" sweep "$C" -o /dev/null/x; says 'cannot make folder'

if command -v gnuplot > /dev/null; then
    expect 0 "$L" plot "$tmp/one"; prints 'stack.svg'
    for f in $(cat "$tmp/out"); do [ -s "$f" ] || fail "$f was not drawn"; done
    cp "$tmp/one/plots/stack.svg" "$tmp/first.svg"
    expect 0 "$L" plot "$tmp/one" -q; same "$tmp/first.svg" "$tmp/one/plots/stack.svg"
    mkdir "$tmp/empty"
    PATH=$tmp/empty "$L" plot "$tmp/one" > "$tmp/out" 2> "$tmp/err"
    [ $? -eq 2 ] || fail 'a missing gnuplot is not exit code 2'
    says 'gnuplot-nox'
fi
finish
