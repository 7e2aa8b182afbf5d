#!/bin/sh
# tests/bad/run.sh - every bad configuration ends with status 2 and exactly the message in NAME.expected.
# Uses $LABYRINTH (the program) and $LABYRINTH_SOURCE (the source tree, default: two folders up).
set -u
program=${LABYRINTH:-${1:-}}
[ -n "$program" ] && [ -x "$program" ] || { echo "no program: LABYRINTH=${program:-not set}"; exit 99; }
program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program")
cd "${LABYRINTH_SOURCE:-$(dirname "$0")/../..}" || exit 99
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
failures=0 count=0

# complain NAME: the last run is not what it should be; shows what came.
complain() {
    failures=$((failures + 1))
    echo "FAIL $1"
    sed 's/^/    /' "$scratch/err"
}

# refused NAME EXPECTED-FILE ARGUMENT...: status 2, nothing on standard output, the expected text.
refused() {
    name=$1 expected=$2
    shift 2
    count=$((count + 1))
    "$program" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    if [ $status -ne 2 ]; then
        echo "status $status instead of 2" >>"$scratch/err"
        complain "$name"
    elif [ -s "$scratch/out" ]; then
        echo "something on standard output" >>"$scratch/err"
        complain "$name"
    elif ! diff -u "$expected" "$scratch/err" >"$scratch/diff"; then
        cp "$scratch/diff" "$scratch/err"
        complain "$name"
    fi
}

# In machine/: what only the whole machine can refuse.
for file in tests/bad/*.yaml tests/bad/machine/*.yaml; do
    refused "$file" "${file%.yaml}.expected" check "$file"
done

# What no source tree should hold: 100 MB, a folder, nothing at all.
dd if=/dev/zero of="$scratch/large.yaml" bs=1 count=0 seek=104857600 2>/dev/null
{
    echo "labyrinth: 1 error in the input"
    echo "$scratch/large.yaml: larger than 4 MiB"
    echo "  Configurations are a few KiB. Is this the right file?"
} >"$scratch/want"
refused "a file of 100 MB" "$scratch/want" check "$scratch/large.yaml"
{
    echo "labyrinth: 1 error in the input"
    echo "$scratch/none.yaml: cannot be read: No such file or directory"
    echo "  A name without '/' and without \".yaml\" is looked up in configs/, anything else is a path."
} >"$scratch/want"
refused "a missing file" "$scratch/want" check "$scratch/none.yaml"
mkdir "$scratch/folder.yaml"
{
    echo "labyrinth: 1 error in the input"
    echo "$scratch/folder.yaml: cannot be read: it is a folder, not a file"
    echo "  A name without '/' and without \".yaml\" is looked up in configs/, anything else is a path."
} >"$scratch/want"
refused "a folder" "$scratch/want" check "$scratch/folder.yaml"

# Nothing is half-written: a refused run leaves no result file.
"$program" run tests/bad/unknown-key.yaml --json "$scratch/result.json" >/dev/null 2>&1
[ ! -e "$scratch/result.json" ] || { echo "a refused run wrote its result"; failures=$((failures + 1)); }

[ "$count" -ge 55 ] || { echo "only $count bad configurations were found"; failures=$((failures + 1)); }
echo "$count bad configurations, $failures failures"
[ "$failures" -eq 0 ]
