#!/bin/sh
# tests/scripts/test_cli_step.sh - a walk through a run changes nothing, back and forth; its exit codes.
. "$(dirname "$0")/test_cli_lib.sh"
L=$LABYRINTH
C=$tmp/small.yaml

# walk COMMANDS ARGUMENT...: commands separated by commas; what is printed is left in $tmp/out.
walk() {
    printf '%s\n' "$1" | tr ',' '\n' > "$tmp/commands"
    shift
    "$L" step "$@" < "$tmp/commands" > "$tmp/out" 2> "$tmp/err"
}
hash_of_run() { "$L" run "$@" --json - 2> /dev/null | sed -n 's/.*"order_hash": "0x\([0-9a-f]*\)".*/\1/p'; }

for e in "$C" first-steps dma-foreign; do
    hash=$(hash_of_run "$e")
    [ -n "$hash" ] || fail "$e has no order_hash"
    for commands in 'until end' 'n 300,b 20,e 5,b,until end' 'until end,goto 100,b 3,until 5us,until end,b 2,until end'; do
        walk "$commands" "$e" || fail "$e: exit code $?: $commands"
        [ "$(grep 'The run is over' "$tmp/out" | sort -u | sed -n 's/.*order_hash \([0-9a-f]*\)\./\1/p')" = "$hash" ] ||
            fail "$e: another order_hash than that of run, $hash: $commands"
    done
done
# A place is the same whichever way one comes there.
place() { awk '/^event/ { text = "" } { text = text "\n" $0 } END { print text }' "$tmp/out"; }
walk 'n 200' first-steps;      there=$(place)
n=$(echo "$there" | sed -n 's/^event \([0-9]*\) .*/\1/p')
[ -n "$n" ] || fail 'step 200 shows no event'
for commands in 'n 500,b 300' 'n 100,b 50,n 400,b 250' "goto $n" "until end,goto $n" "e $n" "e $n,e 7,be 7"; do
    walk "$commands" first-steps
    [ "$(place)" = "$there" ] || fail "another place: $commands"
done
for settings in '--queue heap' '--fiber ucontext' '--lookahead on'; do
    walk "goto $n" first-steps $settings
    [ "$(place)" = "$there" ] || fail "$settings: another place"
done
# Going back past the start is the start; an empty line repeats; nothing is asked of a closed input.
walk 'n 3,b 9' first-steps;    [ "$(tail -n 1 "$tmp/out")" = 'start of the run' ] || fail 'back past the start'
walk 'n,,' first-steps;        [ "$(grep -c '^event' "$tmp/out")" -eq 3 ] || fail 'an empty line does not repeat'
expect 0 "$L" step first-steps < /dev/null; prints 'Nothing has happened yet'
# The exit code of the run, once its end is reached; 2 after a command nobody understands.
walk 'n 5' first-steps --plant skip-tlb-shootdown;     [ $? -eq 0 ] || fail 'a walk that did not reach the violation'
walk 'until end' first-steps --plant skip-tlb-shootdown; [ $? -eq 4 ] || fail 'a violation is no exit code 4'
prints 'The run is over: violation'; prints 'Promised (device)'
walk 'until end,goto 10' first-steps --plant skip-tlb-shootdown; [ $? -eq 0 ] || fail 'back from a violation'
walk 'nonsense,n' first-steps; [ $? -eq 2 ] || fail 'a command nobody understands is no exit code 2'
long=$(printf '%0300d' 0)
walk "$long" first-steps;      [ $? -eq 2 ] || fail 'a long command'
expect 2 "$L" step nosuch;     says 'nosuch'
expect 2 "$L" step first-steps --watch line; says 'is no address'
# A line beyond memory is nowhere: nobody is asked who holds it.
for command in 'line 0x1000000' 'print line 0xffffffffffffffff' 'watch 16777216' 'until line 0x1000000' 'history 0x1000000'; do
    walk "$command,n" first-steps
    [ $? -eq 2 ] || fail "a line beyond memory: $command"
done
walk 'print line 0xffffff' first-steps || fail 'the last line of memory'
expect 2 "$L" step first-steps --watch 0x1000000;  says 'lies beyond memory, whose last byte is 0xffffff'
expect 2 "$L" run first-steps --history 0x1000000; says 'lies beyond memory, whose last byte is 0xffffff'
expect 2 "$L" step first-steps --json x;     says 'unknown option'
finish
