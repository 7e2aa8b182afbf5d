#!/bin/sh
# tests/scripts/test_cli_options.sh - mistakes on the command line: exit code 2 and a message that helps.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH

expect 0 "$L" --help;      prints 'run CONFIG'
expect 0 "$L" --version;   prints '^labyrinth [0-9]'
expect 2 "$L";             says 'Usage'
expect 2 "$L" rnu;         says 'did you mean "run"'
expect 2 "$L" --json;      says 'before the command'
expect 2 "$L" run;         says 'CONFIG is missing'
expect 2 "$L" run a b;     says 'one argument too many'
expect 2 "$L" run --jsno x a; says 'did you mean "json"'
expect 2 "$L" run --seed;  says 'requires an argument'
expect 2 "$L" run --seed -1 x; says 'whole number'
expect 2 "$L" run --seed 99999999999999999999 x; says 'whole number'
expect 2 "$L" run --queue heep "$tmp/small.yaml"; says 'did you mean "heap"'
expect 2 "$L" run --progress sometimes "$tmp/small.yaml"; says 'known are'
expect 2 "$L" run --json - --csv - "$tmp/small.yaml"; says 'only one'
expect 2 "$L" run "$tmp/missing.yaml"; says 'missing.yaml'
expect 2 "$L" sweep "$tmp/small.yaml"; says '-o DIR is missing'
expect 2 "$L" sweep "$tmp/small.yaml" -o "$tmp/d" -j 0; says 'whole number'
expect 2 "$L" sweep "$tmp/small.yaml" -o "$tmp/d" --shard 5/4; says 'from 1 to 4'
expect 2 "$L" sweep "$tmp/small.yaml" -o "$tmp/d" --shard x; says 'I/N'
expect 2 "$L" plot "$tmp";     says 'holds no results'
expect 2 "$L" export "$tmp";   says 'holds no results'
expect 2 "$L" merge "$tmp" -o "$tmp/m"; says 'holds no results'
[ -e "$tmp/m" ] && fail 'merge left a folder behind'
expect 2 "$L" explain exclusive.grant.p9_ns; says 'did you mean'
expect 2 "$L" list machine;    says 'did you mean "machines"'
expect 2 "$L" protocol;        says 'PROTOCOL is missing'
expect 2 "$L" protocol mesi --format pdf; says 'format'
expect 2 "$L" stress "$tmp/small.yaml" --seeds 5..4; says 'whole number'
expect 2 "$L" bench --only nothing-of-this-name; says 'no entry'
expect 2 "$L" check first-steps --set machine.clock=2MHz; says '1 error in'; says '^--set machine.clock=2MHz: .*cycles'
expect 2 "$L" check first-steps --set machine.hart.atomic=20000cycles; says '^--set machine.hart.atomic=20000cycles: '
expect 2 "$L" run first-steps --set agents.owner.exclusive=everything; says 'secure, all, none'
for c in run check sweep merge plot export protocol verify stress list explain schema bench; do
    expect 0 "$L" $c --help; prints "Usage: labyrinth $c"
done
expect 0 "$L" explain exclusive.grant.p99_ns; prints 'first instruction'
expect 0 "$L" explain zone_wait;              prints 'zone lock'
expect 0 "$L" list metrics;                   prints 'exclusive.grant.p99_ns'
finish
