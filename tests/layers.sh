#!/bin/sh
# tests/layers.sh - does every #include "..." go down, or stay within its folder?
#
# Floors: 0 src/base; 1 src/sim, src/config; 2 models/net and the shared headers models/*.h; 3 the other model
# folders; 4 src/kern (only src/sim/hart.h and what it shows, src/sim/abi/, src/base/); 5 src/work, src/oracle; 6 src/machine;
# 7 src/study; 8 src/cli. Never up, never sideways between model folders. Exit 1 with file:line on a violation.
set -eu
cd "${LABYRINTH_SOURCE:-$(dirname "$0")/..}"
find src models -name '*.[chS]' | LC_ALL=C sort | xargs awk '
function folder(path,   part) {
    n = split(path, part, "/")
    if (part[1] == "models" && n == 2) return "models"
    return part[1] "/" part[2]
}
function floor_of(f) {
    if (f in floor) return floor[f]
    return -1
}
BEGIN {
    floor["src/base"] = 0; floor["src/sim"] = floor["src/config"] = 1
    floor["models"] = floor["models/net"] = 2
    floor["models/cache"] = floor["models/coherence"] = floor["models/dram"] = floor["models/hart"] = 3
    floor["models/mmu"] = floor["models/iommu"] = floor["models/device"] = 3
    floor["src/kern"] = 4; floor["src/work"] = floor["src/oracle"] = 5
    floor["src/machine"] = 6; floor["src/study"] = 7; floor["src/cli"] = 8
}
FNR == 1 { own = folder(FILENAME) }
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, q, "\""); path = q[2]; other = folder(path); why = ""
    from = floor_of(own); to = floor_of(other)
    if (from < 0) why = own " is on no floor"
    else if (to < 0) why = "not a path from the project root, or on no floor"
    else if (to > from) why = "floor " from " looks up at floor " to
    else if (own == "src/kern" && other != own && path !~ /^src\/(base|sim\/abi)\// && path !~ /^src\/sim\/(hart|classes)\.h$/)
        why = "src/kern sees src/sim/hart.h, src/sim/abi/ and src/base/ only"
    else if (other != own && other ~ /^models\// && own ~ /^models/ && !(other == "models/net" && from == 3))
        why = own " looks sideways at " other
    else if (to == from && other != own && own ~ /^src/)
        why = own " looks sideways at " other
    checked++
    if (why != "") { printf "%s:%d: includes \"%s\": %s\n", FILENAME, FNR, path, why; bad++ }
}
END {
    printf "layers: %d includes, %d violations\n", checked, bad
    exit bad > 0
}'
