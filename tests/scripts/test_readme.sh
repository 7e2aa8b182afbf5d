#!/bin/sh
# Every shell block of the README that follows a `<!-- run -->` mark is executed, command by command, in a folder of its
# own. What `labyrinth` is called there is the program under test.
set -u
root=${LABYRINTH_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
program=${LABYRINTH:-$root/build/labyrinth}
[ -x "$program" ] || { echo "FAIL: no program $program"; exit 99; }
command -v gnuplot >/dev/null 2>&1 || { echo "SKIP: the README draws a plot, and there is no gnuplot"; exit 77; }
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
ln -s "$program" "$work/labyrinth"
PATH=$work:$PATH
export PATH
awk '/^<!-- run -->/ { armed = 1; next } armed && /^```sh/ { inside = 1; armed = 0; next }
     inside && /^```/ { inside = 0; next } inside { print }' "$root/README.md" >"$work/commands"
[ "$(wc -l <"$work/commands")" -ge 5 ] || { echo "FAIL: the README has lost its commands"; exit 1; }
cd "$work" || exit 99
failed=0
while IFS= read -r line; do
    if sh -c "$line" >out 2>err; then
        echo "ok: $line"
    else
        echo "FAIL ($?): $line"; cat err; failed=1
    fi
done <commands
# The numbers it quotes are those of today.
labyrinth run first-steps >out 2>err
sed -n 's/^\([a-z_]* *[0-9 .]* *[0-9.]* %\)  .*[█▏▎▍▌▋▊▉].*$/\1/p' "$root/README.md" >quoted
[ -s quoted ] || { echo "FAIL: no quoted output found"; failed=1; }
while IFS= read -r line; do
    grep -qF -- "$line" out || { echo "FAIL: the README quotes \"$line\", the program says otherwise"; failed=1; }
done <quoted
# Lines that it quotes of the page allocator's decision, "slow path" to "answer".
labyrinth alloc --explain --gfp ATOMIC --order 0 --free 400 --min 1000 >out
sed -n '/^slow path /,/^answer /p' "$root/README.md" >quoted
[ -s quoted ] || { echo "FAIL: no decision of the page allocator quoted"; failed=1; }
while IFS= read -r line; do
    grep -qxF -- "$line" out || { echo "FAIL: the README quotes \"$line\", alloc --explain says otherwise"; failed=1; }
done <quoted
# Its example of a machine is one.
sed -n '/^kind: machine$/,/^```/{/^```/!p}' "$root/README.md" >twin.yaml
labyrinth check ./twin.yaml >out 2>&1 || { echo "FAIL: the README's machine"; cat out; failed=1; }
[ -s first.json ] && [ -s first.csv ] && [ -s study/plots/own.svg ] || { echo "FAIL: promised files are missing"; ls -R; failed=1; }
exit $failed
