#!/bin/sh
# tests/native/storm_tsan.sh - the storms under the thread sanitizer: silent as built, loud with a missing lock
# or a missing compare-and-swap, whichever allocator it is.
storm=tests/native/storm_tsan
[ -x "$storm" ] || { echo "$storm was not built"; exit 1; }

# Older sanitizer runtimes cannot place their shadow when addresses are highly randomized.
fixed=
if command -v setarch >/dev/null 2>&1 && setarch "$(uname -m)" -R true 2>/dev/null; then
    fixed="setarch $(uname -m) -R"
fi
TSAN_OPTIONS="halt_on_error=1 exitcode=66"
export TSAN_OPTIONS

$fixed timeout 300 "$storm" --rounds 800 || { echo "FAIL: the storm as built"; exit 1; }

# noticed ALLOCATOR FAULT: that allocator's storms with that fault planted.
noticed() {
    output=$($fixed timeout 300 "$storm" --rounds 800 --allocator "$1" --plant "$2" 2>&1)
    status=$?
    if [ $status -ne 66 ] || ! printf '%s\n' "$output" | grep -q 'data race'; then
        printf '%s\n' "$output" | tail -5
        echo "FAIL: $1 without its $2 went unnoticed (status $status)"
        exit 1
    fi
    echo "$1 without its $2 is found: $(printf '%s\n' "$output" | grep 'SUMMARY' | head -1)"
}
noticed buddy zone-lock
noticed freelist zone-lock
noticed bitmap zone-lock
noticed llfree cas
