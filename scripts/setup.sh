# scripts/setup.sh - shared by quickstart and check: Debian packages, configure, build. To be sourced, in the
# source tree's root. Functions end the script with status 2 when the environment cannot be mended.

JOBS=$(nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

say() { printf '== %s\n' "$*"; }
give_up() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 2; }

# need_packages PACKAGE...: installs those that are missing (Debian and derivatives).
need_packages() {
    command -v dpkg-query >/dev/null 2>&1 || {
        say "not a Debian system; needed are the equivalents of: $*"
        return 0
    }
    missing=
    for package in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
            *' installed') ;;
            *) missing="$missing $package" ;;
        esac
    done
    [ -n "$missing" ] || return 0
    say "installing missing Debian packages:$missing"
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null 2>&1 || give_up "not root and no sudo. As root: apt-get install$missing"
        as_root=sudo
    fi
    $as_root apt-get -q update || give_up "apt-get update failed; needed:$missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing ||
        give_up "apt-get install failed; needed:$missing"
}

BUILD_PACKAGES="gcc libc6-dev make autoconf automake pkg-config libyaml-dev libsqlite3-dev zlib1g-dev"

# Anew when configure is missing or older than what it is made from.
ensure_configure() {
    if [ -x configure ] && [ -f Makefile.in ] &&
        [ -z "$(find configure.ac Makefile.am autogen.sh src models configs plots docs tests \
            \( -name '*.am' -o -name configure.ac -o -name autogen.sh \) -newer Makefile.in -print | head -n 1)" ]; then
        return 0
    fi
    say "making configure"
    ./autogen.sh >autogen.log 2>&1 || { cat autogen.log >&2; give_up "autogen.sh failed"; }
    rm -f autogen.log
}

# build_in FOLDER [CONFIGURE SWITCH...]: configure when that was not done with these switches, then make.
build_in() {
    folder=$1
    shift
    mkdir -p "$folder" || give_up "cannot write $folder"
    if [ ! -f "$folder/Makefile" ] || [ configure -nt "$folder/config.status" ] ||
        [ "$(cat "$folder/configured-with" 2>/dev/null)" != "with $*" ]; then
        say "configuring $folder $*"
        (cd "$folder" && ../configure -q "$@" >configure.log 2>&1) ||
            { cat "$folder/configure.log" >&2; give_up "configure failed in $folder"; }
        printf 'with %s\n' "$*" >"$folder/configured-with"
    fi
    say "building $folder"
    make -s -C "$folder" -j"$JOBS" || { printf '%s: make failed in %s\n' "${0##*/}" "$folder" >&2; exit 1; }
}
