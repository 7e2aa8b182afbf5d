#!/bin/sh
# tests/scripts/test_cli_transcripts.sh - runs tests/transcripts/*.t: "$ command" lines, each followed by what it prints
# on both streams, then "exit N" if N is not 0. `labyrinth` is the program under test.
. "$(dirname "$0")/test_cli_lib.sh"
source=${LABYRINTH_SOURCE:?the source tree}
mkdir "$tmp/bin"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$LABYRINTH" > "$tmp/bin/labyrinth"
chmod +x "$tmp/bin/labyrinth"
PATH=$tmp/bin:$PATH
cd "$source" || exit 99
for t in tests/transcripts/*.t; do
    sed -n 's/^\$ //p' "$t" > "$tmp/commands"
    : > "$tmp/got"
    while read -r command; do
        printf '$ %s\n' "$command" >> "$tmp/got"
        sh -c "$command" >> "$tmp/got" 2>&1 < /dev/null
        code=$?
        [ $code -eq 0 ] || echo "exit $code" >> "$tmp/got"
    done < "$tmp/commands"
    diff -u "$t" "$tmp/got" || fail "$t"
done
finish
