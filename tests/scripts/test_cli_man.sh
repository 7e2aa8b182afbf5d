#!/bin/sh
# tests/scripts/test_cli_man.sh - the man pages in the tree say what the program says.
. "$(dirname "$0")/test_cli_lib.sh"
source=${LABYRINTH_SOURCE:?the source tree}
mkdir "$tmp/man"
expect 0 "$source/docs/man/generate.sh" "$LABYRINTH" "$tmp/man"
for page in "$tmp"/man/*.1; do
    cmp -s "$page" "$source/docs/man/$(basename "$page")" ||
        fail "$(basename "$page") is out of date: docs/man/generate.sh ./labyrinth docs/man"
    if command -v groff > /dev/null; then
        [ -z "$(groff -man -Tutf8 -ww -z "$page" 2>&1)" ] || fail "groff complains about $(basename "$page")"
    fi
done
for page in "$source"/docs/man/*.1; do
    [ -e "$tmp/man/$(basename "$page")" ] || fail "$(basename "$page") belongs to no command"
done
finish
