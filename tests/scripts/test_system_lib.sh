# tests/scripts/test_system_lib.sh - shared by the tests of whole runs; sourced, not run.
#
# Expects LABYRINTH (the program) and LABYRINTH_SOURCE (the source tree) in the environment. Makes a folder $tmp that
# goes away at the end.
set -u
: "${LABYRINTH:?the path of the program}" "${LABYRINTH_SOURCE:?the source tree}"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/labyrinth-system-XXXXXX") || exit 99
trap 'rm -rf "$tmp"' EXIT
unset LABYRINTH_QUEUE LABYRINTH_FIBER LABYRINTH_LOOKAHEAD
failed=0

fail() { echo "FAIL: $*"; failed=1; }
finish() { [ $failed -eq 0 ] && echo "passed"; exit $failed; }

# run CODE ARGUMENT...: tables to $tmp/out, messages to $tmp/err, JSON to $tmp/json.
run() {
    wanted=$1; shift
    "$LABYRINTH" run "$@" --json "$tmp/json" > "$tmp/out" 2> "$tmp/err"
    code=$?
    [ $code -eq "$wanted" ] || { fail "exit code $code instead of $wanted: run $*"; head -n 20 "$tmp/out" "$tmp/err"; }
}
json_has() { grep -q -e "$1" "$tmp/json" || fail "the result does not have: $1"; }
prints() { grep -q -e "$1" "$tmp/out" || { fail "the tables do not have: $1"; head -n 40 "$tmp/out"; }; }
same() { cmp -s "$1" "$2" || fail "$1 and $2 differ${3:+: $3}"; }
