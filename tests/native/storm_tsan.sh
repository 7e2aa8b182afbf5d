#!/bin/sh
# tests/native/storm_tsan.sh - the storms under the thread sanitizer: silent as built, loud with a missing lock.
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

output=$($fixed timeout 300 "$storm" --rounds 800 --plant zone-lock 2>&1)
status=$?
if [ $status -ne 66 ] || ! printf '%s\n' "$output" | grep -q 'data race'; then
    printf '%s\n' "$output" | tail -5
    echo "FAIL: the missing zone lock went unnoticed (status $status)"
    exit 1
fi
echo "the missing zone lock is found: $(printf '%s\n' "$output" | grep 'SUMMARY' | head -1)"
