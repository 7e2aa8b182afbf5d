#!/bin/sh
# tests/habits.sh - house rules that a machine can check. Exit 1 with file:line on a violation.
# The function-length rule needs universal-ctags; without it the rest is checked and the test counts as skipped.
set -eu
cd "${LABYRINTH_SOURCE:-$(dirname "$0")/..}"
FILE_LINES_MAX=600
FUNCTION_LINES_MAX=60
FUNCTION_SHARE_MAX=3 # percent of functions that may be longer
bad=0

# violation RULE FOUND: reports FOUND, if it is not empty.
violation() {
    [ -n "$2" ] || return 0
    printf 'habits: %s\n%s\n\n' "$1" "$2"
    bad=1
}

code() { find src models -name '*.[ch]' | LC_ALL=C sort; }
everything() { find src models tests configs plots docs -type f ! -path tests/habits.sh | LC_ALL=C sort; ls configure.ac Makefile.am; }
# grep_in PATTERN FILE...: matches in code, not in lines that only comment.
grep_in() {
    pattern=$1
    shift
    [ $# -eq 0 ] || grep -nE "$pattern" /dev/null "$@" | grep -vE '^[^:]+:[0-9]+:[ \t]*(/?\*|//)' || true
}

# _exit stays allowed: a forked child must not run the parent's exit handlers.
violation 'only src/base/fail.c ends the program; use fail_user, panic, CHECK' \
    "$(grep_in '(^|[^a-zA-Z0-9_>.])(exit|quick_exit|abort|assert)[ ]*\(' $(code | grep -v '^src/base/fail\.c$'))"
# Sweep workers write to their point's own log through stderr.
violation 'only src/base/fail.c, src/study/progress.c and src/cli print to standard error' \
    "$(grep_in '(printf|puts|putc|putchar|fwrite)[ ]*\(.*stderr|(^|[^a-zA-Z0-9_])perror[ ]*\(' \
        $(code | grep -vE '^src/base/fail\.c$|^src/study/(progress|sweep)\.c$|^src/cli/'))"
violation 'no notes to oneself' \
    "$(everything | xargs grep -nIE '\b(TODO|FIXME|XXX)\b' || true)"
violation 'no path of one machine' \
    "$(everything | xargs grep -nIE '(^|[^a-zA-Z0-9_.$/)-])/(home|work|root|Users)/[a-zA-Z]' || true)"
violation 'yaml.h is for src/config only' \
    "$(grep_in '#[ ]*include[ ]*<yaml\.h>' $(code | grep -v '^src/config/'))"
violation 'sqlite3.h is for src/study only' \
    "$(grep_in '#[ ]*include[ ]*<sqlite3\.h>' $(code | grep -v '^src/study/'))"
violation "files have at most $FILE_LINES_MAX lines" \
    "$({ code; find tests -name '*.c'; } | xargs awk -v max=$FILE_LINES_MAX '
        FNR == max + 1 { print FILENAME ": more than " max " lines" }')"
fragments=$(cat Makefile.am $(find src models tests configs -name '*.am'))
violation 'every source is named in its folder'"'"'s fragment, or make dist leaves it out' \
    "$(find src models tests/unit -name '*.[chS]' | LC_ALL=C sort | while read -r file; do
        case $fragments in *"$file"*) ;; *) echo "$file" ;; esac
    done)"

skip=0
if ctags --version 2>/dev/null | grep -q Universal; then
    violation "at most $FUNCTION_SHARE_MAX % of the functions are longer than $FUNCTION_LINES_MAX lines" \
        "$(code | grep '\.c$' | ctags -L - -x --kinds-C=f --_xformat='%{input} %{line} %{end} %{name}' |
            awk -v max=$FUNCTION_LINES_MAX -v share=$FUNCTION_SHARE_MAX '
                { n++; if ($3 - $2 + 1 > max) list[++m] = $1 ":" $2 ": " $4 " has " ($3 - $2 + 1) " lines" }
                END { if (m * 100 > share * n) for (i = 1; i <= m; i++) print list[i] }')"
else
    skip=1
fi
[ $bad -eq 0 ] || exit 1
if [ $skip -eq 1 ]; then
    echo 'habits: function lengths not checked (Debian: apt-get install universal-ctags)'
    exit 77
fi
echo 'habits: kept'
