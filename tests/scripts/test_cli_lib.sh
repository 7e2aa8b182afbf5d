# tests/scripts/test_cli_lib.sh - shared by the tests of the command line; sourced, not run.
#
# Expects LABYRINTH (the program) in the environment. Makes a folder $tmp that goes away at the end, with one
# small experiment, $tmp/small.yaml.
set -u
: "${LABYRINTH:?the path of the program}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/labyrinth-cli-XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
failed=0

cat > "$tmp/small.yaml" <<'YAML'
kind: experiment
title: A small sweep
machine: { base: tiny, cores: 2 }
protocol: mesi
agents:
  - { name: mix, on: core0-, program: random-mix, count: 200 }
seed: 1
sweep: { machine.cores: [1, 2], agents.mix.count: [50, 100, 200] }
plots:
  - { x: agents.mix.count, y: load.mean_ns, series: machine.cores }
  - { name: stack, kind: stack, x: agents.mix.count, y: load.phases, series: machine.cores }
YAML

fail() { echo "FAIL: $*"; failed=1; }
# expect CODE COMMAND...: its output is left in $tmp/out and $tmp/err.
expect() {
    wanted=$1; shift
    "$@" > "$tmp/out" 2> "$tmp/err"
    code=$?
    [ $code -eq "$wanted" ] || { fail "exit code $code instead of $wanted: $*"; cat "$tmp/err"; }
}
says() { grep -q -e "$1" "$tmp/err" || { fail "standard error does not say: $1"; cat "$tmp/err"; }; }
prints() { grep -q -e "$1" "$tmp/out" || { fail "standard output does not have: $1"; cat "$tmp/out"; }; }
same() { cmp -s "$1" "$2" || fail "$1 and $2 differ"; }
finish() { [ $failed -eq 0 ] && echo "passed"; exit $failed; }
